#include "bench/load/report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

char *report_number(uint64_t number, char text[REPORT_NUMBER_BYTES])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *at = text;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return text;
}

char *report_duration(uint64_t duration_ns, char text[REPORT_NUMBER_BYTES])
{
    static const struct {
        double ns;
        const char *unit;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if ((double)duration_ns >= units[i].ns) {
            double value = (double)duration_ns / units[i].ns;
            snprintf(text, REPORT_NUMBER_BYTES, "%.*f %s",
                     value < 10    ? 2
                     : value < 100 ? 1
                                   : 0,
                     value, units[i].unit);
            return text;
        }
    snprintf(text, REPORT_NUMBER_BYTES, "%" PRIu64 " ns", duration_ns);
    return text;
}

double report_rate(const struct report *report)
{
    double seconds = (double)report->result->elapsed_ns / 1e9;
    return seconds > 0 ? (double)report->settings->checker->answered_count / seconds : 0;
}

double report_ns_per_message(const struct report *report, uint64_t spent_ns)
{
    uint64_t count = report->settings->checker->answered_count;
    return count > 0 ? (double)spent_ns / (double)count : 0;
}

uint64_t report_serving_ns(const struct report *report)
{
    const struct usage *usage = &report->result->usage;
    return usage->machine_ns > usage->client_ns ? usage->machine_ns - usage->client_ns : 0;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double report_median(double *values, uint32_t count)
{
    assert(count > 0);
    qsort(values, count, sizeof *values, by_value);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static struct tally total_of(const struct checker *checker)
{
    struct tally total = {0};
    for (size_t i = 0; i < EPORT_COUNT; i++)
        tally_add(&total, &checker->tallies[i]);
    return total;
}

static void print_tally(const char *name, const struct tally *tally, FILE *out)
{
    char text[REPORT_NUMBER_BYTES];
    fprintf(out, "%-15s", name);
#define X(name, heading) fprintf(out, " %11s", report_number(tally->name, text));
    TALLY_LIST(X)
#undef X
    fputc('\n', out);
}

static void print_eports(const struct checker *checker, FILE *out)
{
    struct tally total = total_of(checker);
    fprintf(out, "%-15s", "e-port");
#define X(name, heading) fprintf(out, " %11s", heading);
    TALLY_LIST(X)
#undef X
    fputc('\n', out);
    for (size_t i = 0; i < EPORT_COUNT; i++)
        if (checker->tallies[i].sent > 0)
            print_tally(eports[i].name, &checker->tallies[i], out);
    print_tally("all", &total, out);
    for (uint32_t i = 0; i < checker->reasons.count; i++) {
        char text[REPORT_NUMBER_BYTES];
        fprintf(out, "%s %s %s", i == 0 ? "refused:" : ",", checker->reasons.items[i].words,
                report_number(checker->reasons.items[i].count, text));
    }
    fputs(checker->reasons.count > 0 ? "\n\n" : "\n", out);
}

static void print_outlets(const struct report *report, FILE *out)
{
    const struct checker *checker = report->settings->checker;
    char due[REPORT_NUMBER_BYTES], delivered[REPORT_NUMBER_BYTES];
    char acknowledged[REPORT_NUMBER_BYTES], redelivered[REPORT_NUMBER_BYTES];
    fprintf(out, "%-15s %11s %11s %11s %11s\n", "destination", "due", "delivered", "acked",
            "redelivered");
    for (uint8_t o = 0; o < checker->outlet_count; o++)
        fprintf(out, "%-15s %11s %11s %11s %11s\n", report->settings->outlets[o].destination,
                report_number(checker->due[o], due),
                report_number(checker->delivered_count[o], delivered),
                report_number(report->result->acknowledged[o], acknowledged),
                report_number(checker->redelivered_count[o], redelivered));
    fputc('\n', out);
}

static void print_latency(const char *name, const struct histogram *histogram, FILE *out)
{
    char p50[REPORT_NUMBER_BYTES], p99[REPORT_NUMBER_BYTES], p999[REPORT_NUMBER_BYTES];
    char maximum[REPORT_NUMBER_BYTES];
    fprintf(out, "%-15s %11s %11s %11s %11s\n", name,
            report_duration(histogram_quantile(histogram, 500), p50),
            report_duration(histogram_quantile(histogram, 990), p99),
            report_duration(histogram_quantile(histogram, 999), p999),
            report_duration(histogram->maximum, maximum));
}

void report_print(const struct report *report, FILE *out)
{
    const struct load_result *result = report->result;
    char rate[REPORT_NUMBER_BYTES], elapsed[REPORT_NUMBER_BYTES];
    print_eports(report->settings->checker, out);
    print_outlets(report, out);
    fprintf(out, "%-15s %11s %11s %11s %11s\n", "from sending to", "p50", "p99", "p99.9", "max");
    print_latency("receipt", &result->receipt_ns, out);
    print_latency("delivery", &result->delivery_ns, out);
    fprintf(out, "\nrate: %s messages/s, all answered and delivered in %s\n",
            report_number((uint64_t)report_rate(report), rate),
            report_duration(result->elapsed_ns, elapsed));
    fprintf(out, "CPU a message: client %.0f ns, machine less client %.0f ns",
            report_ns_per_message(report, result->usage.client_ns),
            report_ns_per_message(report, report_serving_ns(report)));
    if (report->settings->server != 0)
        fprintf(out, ", server process %.0f ns",
                report_ns_per_message(report, result->usage.server_ns));
    fputc('\n', out);
    if (result->reconnects > 0)
        fprintf(out, "reconnects: %" PRIu64 "\n", result->reconnects);
    if (result->interrupted)
        fputs("interrupted: what is missing was not looked for\n", out);
    checker_print(report->settings->checker, out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void print_json_tally(const struct tally *tally, FILE *out)
{
    const char *separator = "{";
#define X(name, heading)                                                                           \
    fprintf(out, "%s\"" #name "\":%" PRIu64, separator, tally->name);                              \
    separator = ",";
    TALLY_LIST(X)
#undef X
    fputc('}', out);
}

static void print_json_latency(const char *name, const struct histogram *histogram, FILE *out)
{
    fprintf(out,
            ",\"%s_ns\":{\"count\":%" PRIu64 ",\"p50\":%" PRIu64 ",\"p99\":%" PRIu64
            ",\"p999\":%" PRIu64 ",\"max\":%" PRIu64 "}",
            name, histogram->count, histogram_quantile(histogram, 500),
            histogram_quantile(histogram, 990), histogram_quantile(histogram, 999),
            histogram->maximum);
}

void report_print_json(const struct report *report, FILE *out)
{
    const struct checker *checker = report->settings->checker;
    const struct load_result *result = report->result;
    fprintf(out, "{\"messages\":%" PRIu32 ",\"seed\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64,
            report->settings->day->settings.message_count, report->settings->day->settings.seed,
            result->elapsed_ns);
    fprintf(out, ",\"messages_per_second\":%.0f,\"client_ns_per_message\":%.1f",
            report_rate(report), report_ns_per_message(report, result->usage.client_ns));
    fprintf(out, ",\"serving_ns_per_message\":%.1f,\"server_process_ns_per_message\":%.1f",
            report_ns_per_message(report, report_serving_ns(report)),
            report_ns_per_message(report, result->usage.server_ns));
    print_json_latency("receipt", &result->receipt_ns, out);
    print_json_latency("delivery", &result->delivery_ns, out);
    fputs(",\"eports\":{", out);
    for (size_t i = 0; i < EPORT_COUNT; i++) {
        fprintf(out, "%s\"%s\":", i > 0 ? "," : "", eports[i].name);
        print_json_tally(&checker->tallies[i], out);
    }
    fputs("},\"destinations\":{", out);
    for (uint8_t o = 0; o < checker->outlet_count; o++)
        fprintf(out,
                "%s\"%s\":{\"due\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"acknowledged\":%" PRIu64
                ",\"redelivered\":%" PRIu64 "}",
                o > 0 ? "," : "", report->settings->outlets[o].destination, checker->due[o],
                checker->delivered_count[o], result->acknowledged[o],
                checker->redelivered_count[o]);
    fprintf(out, "},\"reconnects\":%" PRIu64 ",\"interrupted\":%s,\"findings\":%" PRIu64 "}\n",
            result->reconnects, result->interrupted ? "true" : "false",
            findings_count(&checker->findings));
}

/* ---- Progress -------------------------------------------------------------------------------- */

void report_progress(void *context, const struct load_progress *progress)
{
    (void)context;
    if (!isatty(STDERR_FILENO))
        return;
    char answered[REPORT_NUMBER_BYTES], rate[REPORT_NUMBER_BYTES], delivered[REPORT_NUMBER_BYTES];
    double seconds = (double)progress->elapsed_ns / 1e9;
    uint64_t per_second = seconds > 0 ? (uint64_t)((double)progress->answered / seconds) : 0;
    fprintf(stderr, "\r\033[K%3" PRIu64 " %%  %s answered, %s delivered, %s messages/s",
            progress->answered * 100 / progress->total, report_number(progress->answered, answered),
            report_number(progress->delivered, delivered), report_number(per_second, rate));
    fflush(stderr);
}

void report_progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

#include <inttypes.h>
#include <string.h>

#include "bench/durable.h"

const char *durable_point_name(const struct durable_point *point, char text[64])
{
    switch (point->side) {
    case DURABLE_MEMORY: return strcpy(text, "kouan, sync: memory");
    case DURABLE_JOURNAL: return strcpy(text, "kouan, sync: commit");
    case DURABLE_REDIS:
        return strcpy(text, point->pace == DURABLE_REDIS ? "redis, appendfsync always"
                                                         : "redis at the rate of commit");
    case DURABLE_DISK:
        snprintf(text, 64, "disk, %" PRIu32 " KiB, %s", point->disk.block_bytes / 1024,
                 point->disk.interval_ns > 0  ? "same pace"
                 : point->disk.in_flight == 1 ? "1 in flight"
                                              : "4 in flight");
        break;
    }
    return text;
}

struct durable_run durable_median(const struct durable_point *point)
{
    struct durable_run median = {0};
    double values[DURABLE_PAIRS_MAX];
    if (point->run_count == 0)
        return median;
#define MEDIAN(name)                                                                               \
    for (uint32_t i = 0; i < point->run_count; i++)                                                \
        values[i] = point->runs[i].name;                                                           \
    median.name = report_median(values, point->run_count)
    MEDIAN(rate);
    MEDIAN(serving_ns);
    MEDIAN(server_ns);
    MEDIAN(client_ns);
    MEDIAN(written_bytes);
#undef MEDIAN
    return median;
}

/* ---- For people --------------------------------------------------------------------------------
 */

void durable_print_heading(FILE *out)
{
    fprintf(out, "%-5s %-27s %10s %10s %10s %9s %9s %9s %9s %9s\n", "load", "", "messages/s",
            "serving ns", "process ns", "disk B", "p50", "p99", "p99.9", "max");
}

void durable_print_point(const struct durable_load *load, const struct durable_point *point,
                         const struct durable_run *run, const struct histogram *receipt_ns,
                         FILE *out)
{
    char name[64], percent[16] = "full", rate[REPORT_NUMBER_BYTES], p50[REPORT_NUMBER_BYTES];
    char p99[REPORT_NUMBER_BYTES], p999[REPORT_NUMBER_BYTES], maximum[REPORT_NUMBER_BYTES];
    if (load->percent > 0)
        snprintf(percent, sizeof percent, "%" PRIu32 " %%", load->percent);
    fprintf(out, "%-5s %-27s %10s %10.0f %10.0f %9.0f %9s %9s %9s %9s\n", percent,
            durable_point_name(point, name), report_number((uint64_t)run->rate, rate),
            run->serving_ns, run->server_ns, run->written_bytes,
            report_duration(histogram_quantile(receipt_ns, 500), p50),
            report_duration(histogram_quantile(receipt_ns, 990), p99),
            report_duration(histogram_quantile(receipt_ns, 999), p999),
            report_duration(receipt_ns->maximum, maximum));
    fflush(out);
}

/* Of one figure at one load; 0 where there is none. */
static double quantile_of(const struct durable_point *point, uint32_t per_mille)
{
    return (double)histogram_quantile(&point->receipt_ns, per_mille);
}

static double ratio(double value, double to)
{
    return to > 0 ? value / to : 0;
}

static void print_full_ratios(const struct durable_load *load, FILE *out)
{
    struct durable_run memory = durable_median(&load->points[DURABLE_MEMORY]);
    struct durable_run journal = durable_median(&load->points[DURABLE_JOURNAL]);
    struct durable_run redis = durable_median(&load->points[DURABLE_REDIS]);
    fprintf(out,
            "commit : memory       rate %.2f, CPU a message of the machine %.2f, of the process "
            "%.2f\n",
            ratio(journal.rate, memory.rate), ratio(journal.serving_ns, memory.serving_ns),
            ratio(journal.server_ns, memory.server_ns));
    fprintf(out,
            "commit : redis        rate %.2f, CPU a message of the machine %.2f, of the process "
            "%.2f\n",
            ratio(journal.rate, redis.rate), ratio(journal.serving_ns, redis.serving_ns),
            ratio(journal.server_ns, redis.server_ns));
}

static void print_latency_ratios(const struct durable_load *load, FILE *out)
{
    const struct durable_point *journal = &load->points[DURABLE_JOURNAL];
    for (uint32_t i = DURABLE_REDIS; i < load->point_count; i++) {
        const struct durable_point *other = &load->points[i];
        char name[64];
        if (other->run_count > 0)
            fprintf(out,
                    "commit : %-27s at %2" PRIu32 " %% receipt p50 %.2f, p99 %.2f, p99.9 %.2f\n",
                    durable_point_name(other, name), load->percent,
                    ratio(quantile_of(journal, 500), quantile_of(other, 500)),
                    ratio(quantile_of(journal, 990), quantile_of(other, 990)),
                    ratio(quantile_of(journal, 999), quantile_of(other, 999)));
    }
}

void durable_print(const struct durable *durable, FILE *out)
{
    fprintf(out, "\nMedians of %" PRIu32 " runs each, receipts of all of them:\n\n",
            durable->settings->pairs);
    durable_print_heading(out);
    for (uint32_t i = 0; i < DURABLE_LOADS; i++)
        for (uint32_t j = 0; j < durable->loads[i].point_count; j++) {
            const struct durable_point *point = &durable->loads[i].points[j];
            struct durable_run median = durable_median(point);
            if (point->run_count > 0)
                durable_print_point(&durable->loads[i], point, &median, &point->receipt_ns, out);
        }
    fputc('\n', out);
    print_full_ratios(&durable->loads[0], out);
    for (uint32_t i = 1; i < DURABLE_LOADS; i++)
        print_latency_ratios(&durable->loads[i], out);
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static void print_json_run(const struct durable_run *run, FILE *out)
{
    fprintf(out,
            "{\"messages_per_second\":%.1f,\"serving_ns\":%.1f,\"server_process_ns\":%.1f,"
            "\"client_ns\":%.1f,\"written_bytes\":%.1f}",
            run->rate, run->serving_ns, run->server_ns, run->client_ns, run->written_bytes);
}

static void print_json_point(const struct durable_load *load, const struct durable_point *point,
                             FILE *out)
{
    char name[64];
    struct durable_run median = durable_median(point);
    const struct histogram *receipt_ns = &point->receipt_ns;
    fprintf(out, "{\"percent\":%" PRIu32 ",\"name\":\"%s\",\"rate\":%" PRIu64 ",\"median\":",
            load->percent, durable_point_name(point, name), point->rate);
    print_json_run(&median, out);
    fprintf(out,
            ",\"receipt_ns\":{\"count\":%" PRIu64 ",\"p50\":%" PRIu64 ",\"p99\":%" PRIu64
            ",\"p999\":%" PRIu64 ",\"max\":%" PRIu64 "},\"runs\":[",
            receipt_ns->count, histogram_quantile(receipt_ns, 500),
            histogram_quantile(receipt_ns, 990), histogram_quantile(receipt_ns, 999),
            receipt_ns->maximum);
    for (uint32_t i = 0; i < point->run_count; i++) {
        fputs(i > 0 ? "," : "", out);
        print_json_run(&point->runs[i], out);
    }
    fputs("]}", out);
}

void durable_print_json(const struct durable *durable, FILE *out)
{
    const char *separator = "{\"points\":[";
    for (uint32_t i = 0; i < DURABLE_LOADS; i++)
        for (uint32_t j = 0; j < durable->loads[i].point_count; j++)
            if (durable->loads[i].points[j].run_count > 0) {
                fputs(separator, out);
                print_json_point(&durable->loads[i], &durable->loads[i].points[j], out);
                separator = ",";
            }
    fputs("]}\n", out);
}

#include "bench/race/race_text.h"

#include <inttypes.h>

#include "bench/load/report.h"

void race_text_print_heading(FILE *out)
{
    fprintf(out, "%-15s %11s %8s %8s %8s  %9s %9s %9s %9s\n", "", "messages/s", "CPU ns", "process",
            "client", "p50", "p99", "p99.9", "max");
}

static void print_line(const char *name, const struct race_run *run,
                       const struct histogram *latency, FILE *out)
{
    char rate[REPORT_NUMBER_BYTES], p50[REPORT_NUMBER_BYTES], p99[REPORT_NUMBER_BYTES];
    char p999[REPORT_NUMBER_BYTES], maximum[REPORT_NUMBER_BYTES];
    char cpu[REPORT_NUMBER_BYTES] = "-"; /* the machine was not quiet */
    if (run->cpu_ns > 0)
        snprintf(cpu, sizeof cpu, "%.0f", run->cpu_ns);
    fprintf(out, "%-15s %11s %8s %8.0f %8.0f  %9s %9s %9s %9s\n", name,
            report_number((uint64_t)run->messages_per_second, rate), cpu, run->process_cpu_ns,
            run->client_cpu_ns, report_duration(histogram_quantile(latency, 500), p50),
            report_duration(histogram_quantile(latency, 990), p99),
            report_duration(histogram_quantile(latency, 999), p999),
            report_duration(latency->maximum, maximum));
}

void race_text_print_run(const struct race_side *side, const struct race_run *run,
                         const struct client_result *result, FILE *out)
{
    print_line(side->peer->name, run,
               side->peer->promise.has_receipts ? &result->receipt_ns : &result->delivery_ns, out);
}

void race_text_print_line(const char *name, const struct race_side *side, FILE *out)
{
    print_line(name, &side->median, race_side_latency(side), out);
}

static void print_ratio(const char *what, const struct race_ratio *ratio, FILE *out)
{
    if (ratio->median == 0)
        fprintf(out, "  %-28s       -  (the machine was not quiet)\n", what);
    else
        fprintf(out, "  %-28s %7.3f  (%.3f to %.3f, %.0f %% sure)\n", what, ratio->median,
                ratio->low, ratio->high, ratio->confidence * 100);
}

static void print_disk(const struct histogram *disk, FILE *out)
{
    char p50[REPORT_NUMBER_BYTES], p99[REPORT_NUMBER_BYTES], p999[REPORT_NUMBER_BYTES];
    char maximum[REPORT_NUMBER_BYTES];
    if (disk->count > 0)
        fprintf(out, "%-15s %11s %8s %8s %8s  %9s %9s %9s %9s\n", "disk, 4 KiB", "", "", "", "",
                report_duration(histogram_quantile(disk, 500), p50),
                report_duration(histogram_quantile(disk, 990), p99),
                report_duration(histogram_quantile(disk, 999), p999),
                report_duration(disk->maximum, maximum));
}

void race_text_print(const struct race *race, const char *label, FILE *out)
{
    const struct race_run *ours = &race->sides[0].median;
    fprintf(out, "%s%s%s: medians of %u runs of %.2f s, %.0f bytes a message\n",
            race->scenario.name, label[0] != '\0' ? ", " : "", label, race->sides[0].run_count,
            ours->seconds, ours->bytes / ours->messages);
    race_text_print_heading(out);
    for (uint32_t i = 0; i < race->side_count; i++) {
        const struct race_side *side = &race->sides[i];
        race_text_print_line(side->peer->name, side, out);
    }
    print_disk(&race->disk_ns, out);
    for (uint32_t i = 0; i < race->side_count; i++) {
        const struct race_side *side = &race->sides[i];
        fprintf(out, "%s: %s", side->peer->name,
                side->peer->durability(race->settings->peer.scenario));
        if (side->median.far_bytes_per_second > 0)
            fprintf(out, ", %.1f MB/s", side->median.far_bytes_per_second / 1e6);
        if (side->peer->is_reloaded)
            fprintf(out, ": %" PRIu64 " taken, %" PRIu64 " refused", side->reloads_taken,
                    side->reloads_refused);
        fputc('\n', out);
        if (i == 0)
            continue;
        fprintf(out, "kouan to %s:\n", side->peer->name);
        print_ratio("messages a second", &side->rate_ratio, out);
        print_ratio("CPU time a message", &side->cpu_ratio, out);
        print_ratio("CPU time of the process", &side->process_cpu_ratio, out);
        if (side->peer->is_reloaded)
            print_ratio("p99 of the receipts", &side->p99_ratio, out);
    }
}

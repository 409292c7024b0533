/* The report's first table: the figures that Kouan is to reach on a machine of two cores, and the
 * newest that were measured. CPU is the machine's where it could be told, else the process's. */
#include <math.h>
#include <string.h>

#include "bench/page/chart.h"
#include "bench/page/report_page.h"

/* What was measured, NAN if it was not; by which run. */
struct measured {
    double value;
    const struct result *run;
    bool is_process; /* its CPU, where the machine's is meant */
};

static double cpu_ns(const json_t *side, bool *out_is_process)
{
    double machine_ns = result_number(side, "cpu_ns_per_message");
    *out_is_process = !(machine_ns > 0);
    return *out_is_process ? result_number(side, "process_cpu_ns_per_message") : machine_ns;
}

static struct measured nothing(void)
{
    return (struct measured){.value = NAN};
}

static struct measured measure_cpu(const struct results *results, const char *scenario)
{
    struct measured measured = {.run = results_newest(results, RESULT_RUN, scenario)};
    if (measured.run == NULL)
        return nothing();
    measured.value = cpu_ns(measured.run->root, &measured.is_process);
    return measured;
}

static struct measured measure_full(const struct results *results)
{
    return measure_cpu(results, "full");
}

static struct measured measure_documents(const struct results *results)
{
    struct measured measured = measure_cpu(results, "documents");
    if (measured.run != NULL)
        measured.value *= result_number(measured.run->root, "messages") /
                          result_number(measured.run->root, "bytes");
    return measured;
}

/* Kouan's CPU to a peer's. */
static struct measured measure_ratio(const struct results *results, const char *scenario,
                                     const char *peer)
{
    struct measured measured = {.run = results_newest(results, RESULT_RUN, scenario)};
    if (measured.run == NULL)
        return nothing();
    const json_t *peers = json_object_get(measured.run->root, "peers");
    const json_t *ratio = json_object_get(json_object_get(peers, peer), "ratio");
    measured.value = result_number(ratio, "cpu_ns_per_message.median");
    measured.is_process = !(measured.value > 0);
    if (measured.is_process)
        measured.value = result_number(ratio, "process_cpu_ns_per_message.median");
    return measured;
}

static struct measured inverse(struct measured measured)
{
    measured.value = 1 / measured.value;
    return measured;
}

static struct measured measure_wire_redis(const struct results *results)
{
    return inverse(measure_ratio(results, "wire", "redis"));
}

static struct measured measure_durable_redis(const struct results *results)
{
    return inverse(measure_ratio(results, "durable", "redis"));
}

static struct measured measure_durable_jetstream(const struct results *results)
{
    return inverse(measure_ratio(results, "durable", "jetstream"));
}

static struct measured measure_wire_null(const struct results *results)
{
    return measure_ratio(results, "wire", "null");
}

static struct measured measure_national_day(const struct results *results)
{
    struct measured measured = {.run = results_newest(results, RESULT_RUN, "national-day")};
    if (measured.run == NULL)
        return nothing();
    measured.value = result_number(measured.run->root, "seconds");
    return measured;
}

/* Of durable at half of its capacity. */
static struct measured measure_latency(const struct results *results, const char *path)
{
    struct measured measured = {.run = results_newest(results, RESULT_SWEEP, "durable")};
    size_t index;
    json_t *point;
    if (measured.run == NULL)
        return nothing();
    measured.value = NAN;
    json_array_foreach(json_object_get(measured.run->root, "points"), index, point)
    {
        if (result_number(point, "load_percent") == 50)
            measured.value = result_number(point, path) / 1000;
    }
    return measured;
}

static struct measured measure_p50(const struct results *results)
{
    return measure_latency(results, "latency_us.p50");
}

static struct measured measure_p99(const struct results *results)
{
    return measure_latency(results, "latency_us.p99");
}

/* The CPU at the point of a label. */
static double cpu_at(const struct result *result, const char *label, bool *out_is_process)
{
    size_t index;
    json_t *point;
    json_array_foreach(json_object_get(result->root, "points"), index, point)
    {
        if (strcmp(result_text(point, "label"), label) == 0)
            return cpu_ns(point, out_is_process);
    }
    return NAN;
}

static struct measured measure_window(const struct results *results)
{
    struct measured measured = {.run = results_newest(results, RESULT_POINTS, "window")};
    bool is_process;
    if (measured.run == NULL)
        return nothing();
    measured.value = cpu_at(measured.run, "100 million identities", &measured.is_process) -
                     cpu_at(measured.run, "1 million identities", &is_process);
    return measured.is_process == is_process ? measured : nothing();
}

static struct measured measure_connections(const struct results *results)
{
    struct measured measured = {.run = results_newest(results, RESULT_POINTS, "connections")};
    bool is_process;
    if (measured.run == NULL)
        return nothing();
    measured.value = cpu_at(measured.run, "10000 connections, 16 a wake", &measured.is_process) /
                     cpu_at(measured.run, "1 connections, 16 a wake", &is_process);
    return measured.is_process == is_process ? measured : nothing();
}

static const struct goal {
    const char *what, *unit;
    double bound;
    bool is_least; /* else most */
    struct measured (*measure)(const struct results *results);
} goals[] = {
    {"full: CPU a message, all of it, durable", "ns", 300, false, measure_full},
    {"documents: CPU a byte", "ns", 1, false, measure_documents},
    {"wire beside redis-server streams: less CPU", "times", 8, true, measure_wire_redis},
    {"durable beside redis-server, appendfsync always: less CPU", "times", 15, true,
     measure_durable_redis},
    {"durable beside JetStream with its dedupe window: less CPU", "times", 25, true,
     measure_durable_jetstream},
    {"wire beside the null router: more CPU", "times", 3, false, measure_wire_null},
    {"national-day: 10 million messages, acknowledged", "s", 6, false, measure_national_day},
    {"durable at half of its capacity: receipt p50", "ms", 0.6, false, measure_p50},
    {"the same: p99", "ms", 1.5, false, measure_p99},
    {"100 million identities against 1 million: more CPU a message", "ns", 45, false,
     measure_window},
    {"10,000 connections against 1, 16 messages a wake: more CPU", "times", 3, false,
     measure_connections},
};

static void print_goal(const struct goal *goal, const struct results *results, FILE *out)
{
    struct measured measured = goal->measure(results);
    fprintf(out, "<tr><td>%s</td><td>%s %g %s</td>", goal->what,
            goal->is_least ? "at least" : "at most", goal->bound, goal->unit);
    if (!isfinite(measured.value)) {
        fputs("<td class=\"soft\">not measured</td><td></td><td></td></tr>\n", out);
        return;
    }
    bool is_met = goal->is_least ? measured.value >= goal->bound : measured.value <= goal->bound;
    fprintf(out, "<td>%.*f %s%s</td><td%s>%s</td><td class=\"text soft\">",
            measured.value < 100 ? 2 : 0, measured.value, goal->unit,
            measured.is_process ? " (process)" : "", is_met ? "" : " class=\"over\"",
            is_met ? "reached" : "not reached");
    chart_print_escaped(measured.run->name, out);
    fputs("</td></tr>\n", out);
}

void report_print_goals(const struct results *results, FILE *out)
{
    if (results->count == 0)
        return;
    fputs(
        "<h2 id=\"goals\">The figures to reach</h2>\n"
        "<p>On a machine of two cores that does nothing else. Where other work hid the CPU of the\n"
        "machine, that of the server's process stands for it: without the kernel's work outside\n"
        "of its system calls.</p>\n<figure class=\"wide\"><table>"
        "<tr><th>what</th><th>goal</th><th>measured</th><th></th><th class=\"text\">run</th>"
        "</tr>\n",
        out);
    for (size_t i = 0; i < sizeof goals / sizeof *goals; i++)
        print_goal(&goals[i], results, out);
    fputs("</table></figure>\n", out);
}

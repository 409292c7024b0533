#include "bench/race/race_figures.h"

#include <stddef.h>

#include "bench/load/report.h"

enum { BELIEVED_PERCENT = 90 }; /* of the process's own time */

struct race_run race_figures_of_run(const struct cargo *cargo, const struct client_result *result,
                                    double idle)
{
    double count = cargo->message_count, elapsed_ns = (double)result->elapsed_ns;
    double machine_ns =
        (double)result->usage.machine_ns - (double)result->usage.client_ns - idle * elapsed_ns;
    double process_ns = (double)result->usage.server_ns;
    bool is_believed = machine_ns > 0 && machine_ns * 100 >= process_ns * BELIEVED_PERCENT;
    return (struct race_run){
        .seconds = elapsed_ns / 1e9,
        .messages = count,
        .bytes = (double)cargo->body_bytes,
        .messages_per_second = elapsed_ns > 0 ? count * 1e9 / elapsed_ns : 0,
        .cpu_ns = is_believed ? machine_ns / count : 0,
        .process_cpu_ns = process_ns / count,
        .client_cpu_ns = (double)result->usage.client_ns / count,
        .p99_ns = (double)histogram_quantile(
            result->receipt_ns.count > 0 ? &result->receipt_ns : &result->delivery_ns, 990),
        .far_bytes_per_second = elapsed_ns > 0 ? (double)result->far_bytes * 1e9 / elapsed_ns : 0,
    };
}

/* Each value is below the median with one half, so how many are is binomial. */
struct race_ratio race_figures_interval(double *values, uint32_t count)
{
    struct race_ratio ratio = {0};
    if (count == 0)
        return ratio;
    ratio.median = report_median(values, count);
    double chance = 1; /* that just `cut` values are below the median */
    for (uint32_t i = 0; i < count; i++)
        chance /= 2;
    double outside = 2 * chance;
    uint32_t cut = 0;
    ratio.confidence = 1 - outside;
    for (;;) {
        chance *= (double)(count - cut) / (cut + 1);
        outside += 2 * chance;
        if (1 - outside < 0.95 || 2 * (cut + 1) >= count)
            break;
        cut++;
        ratio.confidence = 1 - outside;
    }
    ratio.low = values[cut];
    ratio.high = values[count - 1 - cut];
    return ratio;
}

/* The places of what has a median. */
static const size_t figures[] = {
    offsetof(struct race_run, seconds),       offsetof(struct race_run, messages),
    offsetof(struct race_run, bytes),         offsetof(struct race_run, messages_per_second),
    offsetof(struct race_run, cpu_ns),        offsetof(struct race_run, process_cpu_ns),
    offsetof(struct race_run, client_cpu_ns), offsetof(struct race_run, far_bytes_per_second),
    offsetof(struct race_run, p99_ns),
};

static double *figure(struct race_run *run, size_t place)
{
    return (double *)((char *)run + place);
}

/* Of the runs that have the figure. */
static void find_medians(struct race_side *side)
{
    double values[RACE_PAIRS_MAX];
    for (size_t f = 0; f < sizeof figures / sizeof *figures; f++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < side->run_count; i++)
            if (*figure(&side->runs[i], figures[f]) > 0)
                values[count++] = *figure(&side->runs[i], figures[f]);
        if (count > 0)
            *figure(&side->median, figures[f]) = report_median(values, count);
    }
}

static struct race_ratio find_ratio(struct race_side *ours, struct race_side *theirs, size_t place)
{
    double values[RACE_PAIRS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < ours->run_count && i < theirs->run_count; i++) {
        double above = *figure(&ours->runs[i], place), below = *figure(&theirs->runs[i], place);
        if (above > 0 && below > 0)
            values[count++] = above / below;
    }
    return race_figures_interval(values, count);
}

void race_figures_finish(struct race *race)
{
    struct race_side *ours = &race->sides[0];
    for (uint32_t i = 0; i < race->side_count; i++) {
        struct race_side *side = &race->sides[i];
        find_medians(side);
        if (i == 0)
            continue;
        side->rate_ratio = find_ratio(ours, side, offsetof(struct race_run, messages_per_second));
        side->cpu_ratio = find_ratio(ours, side, offsetof(struct race_run, cpu_ns));
        side->p99_ratio = find_ratio(ours, side, offsetof(struct race_run, p99_ns));
        side->process_cpu_ratio = find_ratio(ours, side, offsetof(struct race_run, process_cpu_ns));
    }
}

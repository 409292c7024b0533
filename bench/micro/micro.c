#include "bench/micro/micro.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "bench/load/report.h"

static uint64_t spent_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* What perf/callgrind.sh counts the instructions of: nothing else of this program is in it. */
__attribute__((noinline)) static uint64_t micro_run_turns(const struct micro_case *measured,
                                                          uint64_t turns)
{
    uint64_t items = 0, some = 1;
    for (uint64_t i = 0; i < turns && some > 0; i++) {
        some = measured->turn(measured->context);
        items += some;
    }
    return some > 0 ? items : 0;
}

/* Twice as many until they take long enough; that also warms up. 0: a turn failed. */
static uint64_t choose_turns(const struct micro *micro, const struct micro_case *measured)
{
    if (micro->settings->turns > 0)
        return measured->turn(measured->context) > 0 ? micro->settings->turns : 0;
    for (uint64_t turns = 1;; turns *= 2) {
        uint64_t start_ns = spent_ns();
        if (micro_run_turns(measured, turns) == 0)
            return 0;
        if (spent_ns() - start_ns >= micro->settings->round_ns)
            return turns;
    }
}

bool micro_measure(struct micro *micro, const struct micro_case *measured)
{
    const struct micro_settings *settings = micro->settings;
    double rounds_ns[MICRO_ROUNDS_MAX];
    uint64_t turns = choose_turns(micro, measured), items = 0;
    assert(settings->rounds >= 1 && settings->rounds <= MICRO_ROUNDS_MAX);
    assert(micro->result_count < MICRO_RESULTS_MAX);
    for (uint32_t round = 0; round < settings->rounds && turns > 0; round++) {
        uint64_t start_ns = spent_ns();
        items = micro_run_turns(measured, turns);
        rounds_ns[round] = (double)(spent_ns() - start_ns) / (double)items;
        if (items == 0)
            turns = 0;
    }
    if (turns == 0) {
        fprintf(stderr, "kouan-bench: micro %s, %s: it did not do its work\n", micro->family,
                measured->name);
        return false;
    }
    struct micro_result *result = &micro->results[micro->result_count++];
    *result = (struct micro_result){.family = micro->family,
                                    .item_bytes = measured->item_bytes,
                                    .items = items,
                                    .median_ns = report_median(rounds_ns, settings->rounds),
                                    .lowest_ns = rounds_ns[0]};
    snprintf(result->name, sizeof result->name, "%s", measured->name);
    micro->on_result(result);
    return true;
}

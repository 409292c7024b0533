/* `kouan-bench run SCENARIO`: Kouan, and its peers beside it, through one scenario. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/command.h"
#include "bench/race/race_options.h"
#include "bench/race/race_text.h"
#include "bench/race/result_json.h"

static const char about[] =
    "kouan-bench run SCENARIO [OPTION]...\n"
    "Starts `kouan serve` and the servers to compare it with, each in a fresh directory on a free\n"
    "port of 127.0.0.1, and drives generated messages through each in turn. Every receipt and\n"
    "every delivery is verified byte by byte, everything is acknowledged, and Kouan's ledger must\n"
    "be settled after each run. CPU time a message is that of the whole machine less what it does\n"
    "when idle and less this client's, so keep the machine quiet; the server's process stands\n"
    "beside it. Exit code 0 if all is well, 1 if anything was found wrong, 2 on wrong usage, 3 if\n"
    "a server does not start.\n";

/* The points do not take turns, so that other work on the machine falls on one of them alone; of
 * several runs the lowest has the least of it. */
static double lowest_process_ns(const struct race_side *side)
{
    double lowest = side->runs[0].process_cpu_ns;
    for (uint32_t i = 1; i < side->run_count; i++)
        if (side->runs[i].process_cpu_ns < lowest)
            lowest = side->runs[i].process_cpu_ns;
    return lowest;
}

/* What a message costs at each point beside the first. */
static void print_growth(const struct race *races, const struct scenario_point *points,
                         uint32_t count)
{
    double first = lowest_process_ns(&races[0].sides[0]);
    printf("CPU time of the process, a message, the lowest of each, beside %.0f ns with %s:\n",
           first, points[0].label);
    for (uint32_t i = 1; i < count; i++) {
        double ns = lowest_process_ns(&races[i].sides[0]);
        printf("  %-32s %8.0f ns %7.3f\n", points[i].label, ns, ns / first);
    }
}

static int run_points(struct race_options *options, const struct scenario_point *points,
                      uint32_t count, struct race *races)
{
    int code = EXIT_OK;
    for (uint32_t i = 0; i < count && code == EXIT_OK; i++) {
        options->race.peer.scenario = &points[i].scenario;
        code = race_run(&options->race, &races[i]);
        race_close(&races[i]);
        if (code == EXIT_OK && !options->prints_json)
            race_text_print(&races[i], points[i].label, stdout);
    }
    return code;
}

int command_run(int argc, char **argv)
{
    struct race_options options;
    struct scenario_point points[SCENARIO_POINTS_MAX];
    int code;
    if (!race_options_parse(argc, argv, about, &options, &code))
        return code;
    uint32_t count = scenario_points(&options.scenario, points);
    if (options.race.is_smoke && count > 2)
        count = 2;
    struct race *races = calloc(count, sizeof *races);
    if (races == NULL)
        return EXIT_FINDINGS;
    code = run_points(&options, points, count, races);
    if (code == EXIT_OK && options.prints_json)
        result_json_print(races, points, count, stdout);
    else if (code == EXIT_OK && options.scenario.axis == AXIS_RULES)
        print_growth(races, points, count);
    free(races);
    return code;
}

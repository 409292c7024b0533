/* `kouan-bench sweep SCENARIO`: latency against load, and how much load is too much. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/command.h"
#include "bench/race/race_options.h"
#include "bench/race/result_json.h"
#include "bench/race/sweep.h"

static const char about[] =
    "kouan-bench sweep SCENARIO [OPTION]...\n"
    "Runs a scenario as fast as it goes, then at 10, 25, 50, 75, 90 and 95 % of that: messages\n"
    "are sent when they are due, whatever becomes of those before, and their times run from that\n"
    "moment. Each server is swept by its own capacity, and started anew for each load. The knee\n"
    "is the highest load below which the rate is kept (97 %) and the p99 of the receipts stays\n"
    "within 4 times the lowest of any load. Of a scenario that varies something, the first point\n"
    "is swept, or what the options say. Verified and measured as `kouan-bench run` does.\n";

int command_sweep(int argc, char **argv)
{
    struct race_options options;
    struct scenario_point points[SCENARIO_POINTS_MAX];
    int code;
    if (!race_options_parse(argc, argv, about, &options, &code))
        return code;
    if (options.race.rate > 0) {
        fputs("kouan-bench: --rate: a sweep has rates of its own\n", stderr);
        return EXIT_USAGE;
    }
    struct sweep *sweep = calloc(1, sizeof *sweep);
    if (sweep == NULL)
        return EXIT_FINDINGS;
    scenario_points(&options.scenario, points);
    options.race.peer.scenario = &points[0].scenario;
    code = sweep_run(&options.race, sweep);
    if (code == EXIT_OK && options.prints_json)
        result_json_write(sweep_json(sweep), stdout);
    else if (code == EXIT_OK)
        sweep_print(sweep, stdout);
    free(sweep);
    return code;
}

#include "bench/race/sweep.h"

#include "bench/command.h"
#include "bench/load/report.h"
#include "bench/race/race_text.h"
#include "bench/race/result_json.h"

enum {
    KNEE_P99_TIMES = 4,    /* of the lowest p99 at any load */
    KNEE_KEPT_PERCENT = 97 /* of the rate that was asked for */
};

const uint32_t sweep_percents[SWEEP_LOADS] = {100, 10, 25, 50, 75, 90, 95};

static int run_load(struct sweep *sweep, uint32_t side, uint32_t load)
{
    struct race_settings *settings = &sweep->of_races[side][load];
    struct race *race = &sweep->sides[side].races[load];
    *settings = sweep->settings;
    settings->sides[0] = sweep->settings.sides[side];
    settings->side_count = 1;
    if (load > 0) {
        double capacity = sweep->sides[side].races[0].sides[0].median.messages_per_second;
        double rate = capacity * sweep_percents[load] / 100;
        settings->rate = rate >= 1 ? (uint64_t)rate : 1;
    }
    int code = race_run(settings, race);
    race_close(race);
    return code;
}

static void place_knee(struct sweep_side *side, const struct race_settings *of_races)
{
    double asked[SWEEP_LOADS], had[SWEEP_LOADS];
    uint64_t p99_ns[SWEEP_LOADS];
    for (uint32_t load = 1; load < SWEEP_LOADS; load++) {
        const struct race_side *of = &side->races[load].sides[0];
        asked[load - 1] = (double)of_races[load].rate;
        had[load - 1] = of->median.messages_per_second;
        p99_ns[load - 1] = histogram_quantile(race_side_latency(of), 990);
    }
    uint32_t knee = sweep_find_knee(asked, had, p99_ns, SWEEP_LOADS - 1);
    side->knee = knee == SWEEP_LOADS - 1 ? SWEEP_KNEE_NONE : knee + 1;
}

int sweep_run(const struct race_settings *settings, struct sweep *sweep)
{
    int code = EXIT_OK;
    sweep->settings = *settings;
    sweep->side_count = settings->side_count;
    for (uint32_t load = 0; load < SWEEP_LOADS; load++)
        for (uint32_t side = 0; side < sweep->side_count && code == EXIT_OK; side++)
            code = run_load(sweep, side, load);
    for (uint32_t side = 0; side < sweep->side_count && code == EXIT_OK; side++)
        place_knee(&sweep->sides[side], sweep->of_races[side]);
    return code;
}

/* Returns `count` if there is none. */
uint32_t sweep_find_knee(const double *asked, const double *had, const uint64_t *p99_ns,
                         uint32_t count)
{
    uint32_t knee = count;
    uint64_t ground_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++)
        ground_ns = p99_ns[i] < ground_ns ? p99_ns[i] : ground_ns;
    for (uint32_t i = 0; i < count; i++) {
        bool is_kept = had[i] * 100 >= asked[i] * KNEE_KEPT_PERCENT;
        if (!is_kept || p99_ns[i] > KNEE_P99_TIMES * ground_ns)
            break;
        knee = i;
    }
    return knee;
}

/* ---- Printing -------------------------------------------------------------------------------- */

void sweep_print(const struct sweep *sweep, FILE *out)
{
    for (uint32_t i = 0; i < sweep->side_count; i++) {
        const struct sweep_side *side = &sweep->sides[i];
        const struct race *capacity = &side->races[0];
        const struct peer *peer = capacity->sides[0].peer;
        fprintf(out, "%s%s through %s, %s\n", i > 0 ? "\n" : "", peer->name,
                capacity->scenario.name, peer->durability(&capacity->scenario));
        race_text_print_heading(out);
        for (uint32_t n = 0; n < SWEEP_LOADS; n++) {
            uint32_t load = (n + 1) % SWEEP_LOADS; /* the capacity comes last */
            char name[16];
            snprintf(name, sizeof name, "%u %%", sweep_percents[load]);
            race_text_print_line(name, &side->races[load].sides[0], out);
        }
        if (side->knee == SWEEP_KNEE_NONE)
            fputs("no knee: even the lowest load was not kept\n", out);
        else
            fprintf(out, "knee: %u %% of capacity\n", sweep_percents[side->knee]);
    }
}

static json_t *json_of_load(const struct sweep_side *side, uint32_t load)
{
    char label[16];
    snprintf(label, sizeof label, "%u %%", sweep_percents[load]);
    json_t *object = result_json_of_race(&side->races[load], label);
    json_object_set_new(object, "load_percent", json_integer(sweep_percents[load]));
    return object;
}

static json_t *json_of_side(const struct sweep_side *side)
{
    json_t *object = json_of_load(side, 0), *points = json_array(), *knee = json_null();
    if (side->knee != SWEEP_KNEE_NONE) {
        static const char *const members[] = {"load_percent", "messages_per_second", "latency_us"};
        json_t *at = json_of_load(side, side->knee);
        knee = json_object();
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            json_object_set(knee, members[i], json_object_get(at, members[i]));
        json_decref(at);
    }
    for (uint32_t load = 1; load < SWEEP_LOADS; load++)
        json_array_append_new(points, json_of_load(side, load));
    json_object_set_new(object, "knee", knee);
    json_object_set_new(object, "points", points);
    return object;
}

json_t *sweep_json(const struct sweep *sweep)
{
    json_t *object = json_of_side(&sweep->sides[0]), *all = json_object();
    for (uint32_t i = 1; i < sweep->side_count; i++)
        json_object_set_new(all, sweep->settings.sides[i]->name, json_of_side(&sweep->sides[i]));
    json_object_set_new(object, "peers", all);
    result_json_add_machine(object);
    return object;
}

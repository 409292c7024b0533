#include "bench/race/scenario.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/peer.h"
#include "bench/race/cargo.h"
#include "bench/race/race_figures.h"
#include "bench/race/race_options.h"
#include "bench/race/scenario_rules.h"
#include "bench/race/schedule.h"
#include "bench/race/sweep.h"

enum { MESSAGES = 20000 };

static struct cargo open_cargo(const char *name, uint64_t seed, struct scenario *scenario)
{
    struct cargo cargo;
    cr_assert(scenario_find(name, scenario), "%s", name);
    cr_assert_eq(cargo_open(scenario, MESSAGES, seed, &cargo), STATUS_OK);
    return cargo;
}

static double mean_bytes(const struct cargo *cargo)
{
    return (double)cargo->body_bytes / cargo->message_count;
}

static double repeat_share(const struct cargo *cargo)
{
    return 1 - (double)cargo->first_count / cargo->message_count;
}

Test(scenario, has_the_sizes_and_replays_that_it_says)
{
    struct scenario scenario;
    struct cargo wire = open_cargo("wire", 1, &scenario);
    cr_expect_eq(wire.body_bytes, (uint64_t)256 * MESSAGES);
    cr_expect_eq(wire.first_count, MESSAGES);
    struct cargo full = open_cargo("full", 1, &scenario);
    cr_expect_float_eq(mean_bytes(&full), 256, 16, "%f", mean_bytes(&full));
    cr_expect_float_eq(repeat_share(&full), 0.1, 0.01, "%f", repeat_share(&full));
    struct cargo documents = open_cargo("documents", 1, &scenario);
    cr_expect(mean_bytes(&documents) >= 3000 && mean_bytes(&documents) <= 5000, "%f",
              mean_bytes(&documents));
    cr_expect_float_eq(repeat_share(&documents), 0.1, 0.01);
    cargo_close(&wire);
    cargo_close(&full);
    cargo_close(&documents);
}

/* A command is what it must be, and they lie behind each other. */
Test(cargo, has_commands)
{
    struct scenario scenario;
    struct cargo cargo = open_cargo("documents", 3, &scenario);
    uint8_t body[DAY_MESSAGE_BYTES_MAX];
    for (uint32_t s = 0; s < cargo.stream_count; s++)
        for (uint32_t i = cargo.stream_first[s]; i < cargo.stream_first[s + 1]; i++) {
            char head[128];
            size_t size = day_render(&cargo.day, i, body);
            struct bytes command = cargo_command(&cargo, i);
            int head_size = snprintf(head, sizeof head,
                                     "*5\r\n$4\r\nXADD\r\n$2\r\nin\r\n$1\r\n*\r\n$4\r\nbody\r\n"
                                     "$%zu\r\n",
                                     size);
            cr_assert_eq(command.size, (size_t)head_size + size + 2);
            cr_assert_arr_eq(command.data, head, (size_t)head_size);
            cr_assert(bytes_equal(cargo_body(&cargo, i), bytes_make(body, size)));
            cr_assert(bytes_start_with(cargo_entry(&cargo, i), BYTES_LITERAL("$4\r\nbody\r\n$")));
            cr_assert_eq(cargo_stream_of(&cargo, i), s);
            if (i + 1 < cargo.stream_first[s + 1])
                cr_assert_eq(cargo.messages[i + 1].at, cargo.messages[i].at + command.size);
            if (cargo.messages[i].twin != CARGO_NO_MESSAGE)
                cr_assert(
                    bytes_equal(cargo_body(&cargo, cargo.messages[i].twin), cargo_body(&cargo, i)));
        }
    cargo_close(&cargo);
}

Test(cargo, is_shared_out_among_many_connections)
{
    struct scenario scenario;
    struct cargo cargo;
    cr_assert(scenario_find("wire", &scenario));
    scenario.connection_count = 7777;
    cr_assert_eq(cargo_open(&scenario, MESSAGES, 1, &cargo), STATUS_OK);
    cr_assert_eq(cargo.stream_count, 7777);
    cr_assert_eq(cargo.stream_first[7777], MESSAGES);
    for (uint32_t s = 1; s < 7777; s++) {
        cr_assert_gt(cargo.stream_first[s], cargo.stream_first[s - 1]);
        cr_assert_gt(cargo.messages[cargo.stream_first[s]].key,
                     cargo.messages[cargo.stream_first[s] - 1].key);
    }
    cargo_close(&cargo);
}

Test(scenario, has_points)
{
    struct scenario_point points[SCENARIO_POINTS_MAX];
    for (uint32_t i = 0; i < scenario_count; i++) {
        struct scenario scenario;
        cr_assert(scenario_find(scenarios[i].name, &scenario));
        uint32_t count = scenario_points(&scenario, points);
        cr_assert(count >= 1 && count <= SCENARIO_POINTS_MAX);
        cr_expect_eq(points[0].label[0] != '\0', scenario.axis != AXIS_NONE);
    }
    struct scenario none;
    cr_assert_not(scenario_find("wires", &none));
}

static uint32_t count_lines(const char *path, const char *with)
{
    char line[256];
    uint32_t count = 0;
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, with) != NULL;
    fclose(file);
    return count;
}

Test(scenario_rules, are_as_many_as_asked_for)
{
    char path[] = "/tmp/kouan-rules-XXXXXX";
    struct scenario scenario;
    close(mkstemp(path));
    cr_assert(scenario_find("full", &scenario));
    cr_assert_eq(scenario_rules_tables(&scenario), 2);
    cr_assert_eq(scenario_rules_write(&scenario, 1, path), STATUS_OK);
    cr_expect_eq(count_lines(path, ",all-2,"), 500);
    cr_expect_eq(count_lines(path, "DECLSTATUS,5345,"), 1, "one that messages meet");
    cr_expect_eq(count_lines(path, ",-1,,,"), 1, "one that holds always");
    scenario.rule_count = 1;
    cr_assert_eq(scenario_rules_tables(&scenario), 1);
    cr_assert_eq(scenario_rules_write(&scenario, 0, path), STATUS_OK);
    cr_expect_eq(count_lines(path, ",all|all-2,"), 1);
    cr_assert(scenario_find("rules", &scenario));
    struct scenario_point points[SCENARIO_POINTS_MAX];
    uint32_t point_count = scenario_points(&scenario, points);
    for (uint32_t i = 0; i < point_count; i++) {
        cr_assert_eq(scenario_rules_write(&points[i].scenario, 0, path), STATUS_OK);
        cr_expect_eq(count_lines(path, ",all"), points[i].scenario.rule_count, "%s",
                     points[i].label);
    }
    unlink(path);
}

Test(race_figures, have_an_interval)
{
    double six[] = {6, 1, 5, 2, 4, 3}, ten[10], two[] = {3, 1};
    struct race_ratio of_six = race_figures_interval(six, 6);
    cr_expect_float_eq(of_six.median, 3.5, 1e-9);
    cr_expect_float_eq(of_six.low, 1, 1e-9);
    cr_expect_float_eq(of_six.high, 6, 1e-9);
    cr_expect_float_eq(of_six.confidence, 1 - 2.0 / 64, 1e-9);
    struct race_ratio of_two = race_figures_interval(two, 2);
    cr_expect_float_eq(of_two.low, 1, 1e-9);
    cr_expect_float_eq(of_two.high, 3, 1e-9);
    cr_expect_float_eq(of_two.confidence, 0.5, 1e-9);
    for (int i = 0; i < 10; i++)
        ten[i] = i * 7 % 10;
    struct race_ratio of_ten = race_figures_interval(ten, 10);
    cr_expect_float_eq(of_ten.low, 1, 1e-9, "the second, by the table of the sign test");
    cr_expect_float_eq(of_ten.high, 8, 1e-9);
    cr_expect_float_eq(of_ten.confidence, 1 - 22.0 / 1024, 1e-9);
}

Test(race_figures, leave_out_what_a_busy_machine_hides)
{
    struct cargo cargo = {.message_count = 1000};
    struct client_result result = {
        .elapsed_ns = 1000000,
        .usage = {.machine_ns = 900000, .client_ns = 300000, .server_ns = 500000}};
    cr_expect_float_eq(race_figures_of_run(&cargo, &result, 0).cpu_ns, 600, 1e-9);
    cr_expect_float_eq(race_figures_of_run(&cargo, &result, 0.1).cpu_ns, 500, 1e-9);
    cr_expect_float_eq(race_figures_of_run(&cargo, &result, 0.3).cpu_ns, 0, 1e-9);
    cr_expect_float_eq(race_figures_of_run(&cargo, &result, 0.3).process_cpu_ns, 500, 1e-9);
    cr_expect_float_eq(race_figures_of_run(&cargo, &result, 0.3).client_cpu_ns, 300, 1e-9);
    static struct race race;
    static const struct peer peer;
    race.side_count = 2;
    for (int i = 0; i < 2; i++) {
        race.sides[i].peer = &peer;
        race.sides[i].run_count = 3;
        for (int run = 0; run < 3; run++)
            race.sides[i].runs[run] = (struct race_run){.cpu_ns = run == 1 ? 0 : (i + 1) * 100,
                                                        .process_cpu_ns = (run + 1) * (i + 1)};
    }
    race_figures_finish(&race);
    cr_expect_float_eq(race.sides[1].median.cpu_ns, 200, 1e-9);
    cr_expect_float_eq(race.sides[1].cpu_ratio.median, 0.5, 1e-9);
    cr_expect_float_eq(race.sides[1].cpu_ratio.confidence, 0.5, 1e-9);
    cr_expect_float_eq(race.sides[1].process_cpu_ratio.confidence, 0.75, 1e-9);
    cr_expect_float_eq(race.sides[1].median.process_cpu_ns, 4, 1e-9);
}

Test(schedule, is_arithmetic)
{
    struct schedule schedule;
    cr_assert_eq(schedule_open(1000, 100, 4, &schedule), STATUS_OK);
    schedule.start_ns = 5000000000;
    cr_expect_eq(schedule_due(&schedule, 0, 5000000000), 1);
    cr_expect_eq(schedule_due(&schedule, 3, 5000000000), 0);
    cr_expect_eq(schedule_due(&schedule, 3, 5003000000), 1);
    cr_expect_eq(schedule_due(&schedule, 0, 5008000001), 3);
    cr_expect_eq(schedule_due_ns(&schedule, 1, 2), 5009000000);
    cr_expect_eq(schedule_age_ns(&schedule, 77, 1, 2, 5010000000), 1000000);
    schedule_close(&schedule);
    cr_assert_eq(schedule_open(0, 100, 4, &schedule), STATUS_OK);
    schedule.start_ns = 5000000000;
    schedule_sent(&schedule, 10, 12, 5000007000);
    cr_expect_eq(schedule_due(&schedule, 3, 5000000000), UINT64_MAX);
    cr_expect_eq(schedule_age_ns(&schedule, 11, 0, 0, 5000010000), 3000);
    schedule_close(&schedule);
}

Test(sweep, finds_the_knee)
{
    const double asked[] = {10, 25, 50, 75}, all[] = {10, 25, 50, 75}, few[] = {10, 25, 50, 72};
    const double none[] = {9, 25, 50, 75};
    const uint64_t flat[] = {400, 300, 500, 700}, steep[] = {300, 300, 1300, 900};
    cr_expect_eq(sweep_find_knee(asked, all, flat, 4), 3);
    cr_expect_eq(sweep_find_knee(asked, few, flat, 4), 2, "96 %% of what was asked for");
    cr_expect_eq(sweep_find_knee(asked, all, steep, 4), 1, "whatever comes behind it");
    cr_expect_eq(sweep_find_knee(asked, none, flat, 4), 4);
}

/* Every scenario, option and server that there is. */
Test(bench_docs, say_all)
{
    static const char *const options[] = {
#define X(name, text, argument, help) "`--" text,
        RACE_OPTION_LIST(X)
#undef X
    };
    char words[64];
    for (uint32_t i = 0; i < scenario_count; i++) {
        snprintf(words, sizeof words, "| `%s` |", scenarios[i].name);
        cr_expect_eq(count_lines("docs/bench.md", words), 1, "%s", words);
    }
    for (uint32_t i = 1; i < peer_count; i++) {
        snprintf(words, sizeof words, "| `%s` |", peers[i]->name);
        cr_expect_eq(count_lines("docs/bench.md", words), 1, "%s", words);
    }
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        cr_expect(count_lines("docs/bench.md", options[i]) >= 1, "%s", options[i]);
}

#include "routes/rules/rule_time.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char *round_trip(const char *text)
{
    static char formatted[RULE_TIME_TEXT_BYTES];
    uint64_t ms, again_ms;
    cr_assert_eq(rule_time_parse(bytes_from_text(text), &ms), RULE_TIME_RIGHT, "%s", text);
    rule_time_format(ms, formatted);
    cr_assert_eq(rule_time_parse(bytes_from_text(formatted), &again_ms), RULE_TIME_RIGHT, "%s",
                 formatted);
    cr_assert_eq(ms, again_ms, "%s", text);
    return formatted;
}

static uint64_t parsed(const char *text)
{
    uint64_t ms = 7;
    cr_assert_eq(rule_time_parse(bytes_from_text(text), &ms), RULE_TIME_RIGHT, "%s", text);
    return ms;
}

static enum rule_time_fault fault_of(const char *text)
{
    uint64_t ms = 7;
    enum rule_time_fault fault = rule_time_parse(bytes_from_text(text), &ms);
    cr_assert(fault == RULE_TIME_RIGHT || ms == 7, "untouched: %s", text);
    return fault;
}

/* The figures are `date -d ... +%s`. */
Test(rule_time, days_begin_in_china)
{
    cr_assert_eq(parsed("2026-12-01"), UINT64_C(1796054400000));
    cr_assert_eq(parsed("2026/12/1"), UINT64_C(1796054400000));
    cr_assert_eq(parsed("2000-02-29"), UINT64_C(951753600000));
    cr_assert_eq(parsed("9999-12-31"), UINT64_C(253402185600000));
    cr_assert_eq(parsed("1970-01-02"), UINT64_C(57600000));
    cr_assert_eq(parsed("1970-01-01"), 0);
}

Test(rule_time, times_have_zones)
{
    cr_assert_eq(parsed("2026-12-01T08:30+08:00"), UINT64_C(1796085000000));
    cr_assert_eq(parsed("2026-12-01 00:30Z"), UINT64_C(1796085000000));
    cr_assert_eq(parsed("2026/12/1 0:30:00 Z"), UINT64_C(1796085000000));
    cr_assert_eq(parsed("2026-11-30T20:00:07-0430"), UINT64_C(1796085007000));
    cr_assert_eq(parsed("2026-12-01T08:30+08"), UINT64_C(1796085000000));
}

Test(rule_time, what_is_printed_is_read_again)
{
    cr_assert_str_eq(round_trip("2026/12/1"), "2026-12-01");
    cr_assert_str_eq(round_trip("2026-11-30T16:00Z"), "2026-12-01");
    cr_assert_str_eq(round_trip("2024-12-31T23:59:59+08:00"), "2024-12-31T23:59:59+08:00");
    cr_assert_str_eq(round_trip("1970-01-01"), "1970-01-01T08:00:00+08:00");
    char text[32];
    for (unsigned year = 1971; year < 2500; year++)
        for (unsigned month = 1; month <= 12; month++) {
            snprintf(text, sizeof text, "%u-%02u-%02u", year, month, 1 + year * month % 28);
            cr_assert_str_eq(round_trip(text), text);
        }
}

Test(rule_time, others_are_wrong)
{
    static const char *const wrong[] = {
        "x",          "2026",          "2026-12",           "2026-13-01",           "2026-00-01",
        "2026-12-00", "2026-12-32",    "2026-02-29",        "1900-02-29",           "26-12-01",
        "2026-12/01", "2026-12-01x",   "2026-12-01T",       "2026-12-01T24:00Z",    "1969-12-31",
        "20261201",   "2026-12-01Z",   "2026-12-01T08:60Z", "2026-12-01T08:00:60Z", "12026-12-01",
        "+2026-12-1", "2026年12月1日", "2026-12-01T08:00z", "2026-12-01T08:00+15",  "2026-12-01 ",
        "",           "2026-12-01T8",  "2026-12-01T08:00+", "2026-12-01T08:00+8",   "Dec-26",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(fault_of(wrong[i]), RULE_TIME_WRONG, "%s", wrong[i]);
    cr_assert_eq(fault_of("2026-12-01T08:30"), RULE_TIME_WITHOUT_ZONE);
    cr_assert_eq(fault_of("2026/12/1 8:30:00"), RULE_TIME_WITHOUT_ZONE);
}

/* ---- periods ---- */

static void expect_periods(const struct rule_periods *periods, const uint64_t *begins,
                           uint32_t count)
{
    cr_assert_eq(periods->count, count);
    for (uint16_t i = 0; i < count; i++) {
        cr_assert_eq(periods->begins_ms[i], begins[i]);
        cr_assert_eq(rule_periods_begin_ms(periods, i), begins[i]);
        cr_assert_eq(rule_periods_find(periods, begins[i]), i);
        uint64_t last = i + 1U < count ? begins[i + 1] - 1 : UINT64_MAX;
        cr_assert_eq(rule_periods_find(periods, last), i);
    }
}

Test(rule_time, periods_begin_where_rules_begin_or_end)
{
    const struct rule first[] = {{.valid_from_ms = 50, .valid_to_ms = 70},
                                 {.valid_to_ms = UINT64_MAX}};
    const struct rule second[] = {{.valid_from_ms = 70, .valid_to_ms = UINT64_MAX},
                                  {.valid_to_ms = 20}};
    const struct rule_table tables[] = {{.file = "a", .rules = first, .rule_count = 2},
                                        {.file = "b", .rules = second, .rule_count = 2}};
    const struct rule_table *const all[] = {&tables[0], &tables[1]};
    struct arena arena;
    struct diagnostics diagnostics;
    struct rule_periods periods;
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    cr_assert(rule_periods_build(&arena, NULL, 0, &periods, &diagnostics));
    expect_periods(&periods, (const uint64_t[]){0}, 1);
    cr_assert(rule_periods_build(&arena, all, 2, &periods, &diagnostics));
    expect_periods(&periods, (const uint64_t[]){0, 20, 50, 70}, 4);
    cr_assert_eq(rule_periods_begin_ms(&periods, 9), 70, "one that there is not");
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

Test(rule_time, R128_too_many_times)
{
    static struct rule rules[RULE_PERIODS_MAX];
    const struct rule_table table = {.file = "t.csv", .rules = rules, .rule_count = 0};
    struct rule_table counted = table;
    const struct rule_table *const all[] = {&counted};
    struct arena arena;
    struct diagnostics diagnostics;
    struct rule_periods periods;
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    for (uint32_t i = 0; i < RULE_PERIODS_MAX; i++)
        rules[i] = (struct rule){.valid_from_ms = i + 1, .valid_to_ms = UINT64_MAX};
    counted.rule_count = RULE_PERIODS_MAX - 1;
    cr_assert(rule_periods_build(&arena, all, 1, &periods, &diagnostics));
    cr_assert_eq(periods.count, RULE_PERIODS_MAX);
    counted.rule_count = RULE_PERIODS_MAX;
    cr_assert_not(rule_periods_build(&arena, all, 1, &periods, &diagnostics));
    cr_assert_eq(diagnostics.error_count, 1);
    cr_assert_str_eq(diagnostics.items[0].code, "R128");
    cr_assert_str_eq(diagnostics.items[0].place.file, "t.csv");
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>

#include "io/config/options.h"

static const struct option_row *const lists[] = {option_rows, destination_option_rows};

Test(options, defaults_are_in_range)
{
    for (size_t list = 0; list < 2; list++)
        for (const struct option_row *row = lists[list]; row->name != NULL; row++) {
            cr_expect_leq(row->min, row->initial, "%s", row->name);
            cr_expect_leq(row->initial, row->max, "%s", row->name);
            cr_expect_lt(row->min, row->max, "%s", row->name);
            cr_expect_gt(strlen(row->help), 10, "%s", row->name);
        }
}

Test(options, names_are_unique)
{
    for (size_t a = 0; a < 2; a++)
        for (const struct option_row *row = lists[a]; row->name != NULL; row++)
            for (size_t b = 0; b < 2; b++)
                for (const struct option_row *other = lists[b]; other->name != NULL; other++)
                    cr_expect(row == other || strcmp(row->name, other->name) != 0, "%s", row->name);
}

Test(options, set_and_get_reach_their_own_field)
{
    struct options options;
    options_set_defaults(&options);
    cr_expect_eq(options.message_max, 512 * KIB);
    cr_expect_eq(options.publish_wait, 5000);
    for (const struct option_row *row = option_rows; row->name != NULL; row++)
        cr_expect_eq(option_get(&options, row), row->initial, "%s", row->name);
    for (const struct option_row *row = option_rows; row->name != NULL; row++) {
        struct options changed = options;
        option_set(&changed, row, row->max);
        for (const struct option_row *other = option_rows; other->name != NULL; other++)
            cr_expect_eq(option_get(&changed, other), other == row ? row->max : other->initial,
                         "%s, %s", row->name, other->name);
    }
    struct destination_options destination;
    destination_options_set_defaults(&destination);
    cr_expect_eq(destination.retain_bytes, 8 * MIB);
    for (const struct option_row *row = destination_option_rows; row->name != NULL; row++)
        cr_expect_eq(option_get(&destination, row), row->initial, "%s", row->name);
}

Test(options, out_of_range_is_a_programmer_error, .signal = SIGABRT)
{
    struct options options;
    options_set_defaults(&options);
    option_set(&options, option_rows, option_rows[0].max + 1);
}

struct value_case {
    const char *text;
    enum option_unit unit;
    uint64_t value;
};

Test(options, values_have_units)
{
    static const struct value_case cases[] = {
        {"0", UNIT_COUNT, 0},          {"18446744073709551615", UNIT_COUNT, UINT64_MAX},
        {"4096", UNIT_BYTES, 4096},    {"4096B", UNIT_BYTES, 4096},
        {"64KiB", UNIT_BYTES, 65536},  {"64 KiB", UNIT_BYTES, 65536},
        {"3MiB", UNIT_BYTES, 3 * MIB}, {"2GiB", UNIT_BYTES, 2 * GIB},
        {"500ms", UNIT_MS, 500},       {"500", UNIT_MS, 500},
        {"10s", UNIT_MS, 10000},       {"5m", UNIT_MS, 300000},
        {"1h", UNIT_MS, 3600000},      {"7d", UNIT_MS, 604800000},
        {"10s", UNIT_S, 10},           {"10", UNIT_S, 10},
        {"7d", UNIT_S, 604800},        {"2000ms", UNIT_S, 2},
        {"100us", UNIT_US, 100},       {"100", UNIT_US, 100},
        {"2ms", UNIT_US, 2000},        {"1s", UNIT_US, 1000000},
        {"3000us", UNIT_MS, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 77;
        cr_expect(option_parse_value(bytes_from_text(cases[i].text), cases[i].unit, &value), "%s",
                  cases[i].text);
        cr_expect_eq(value, cases[i].value, "%s: %" PRIu64, cases[i].text, value);
    }
}

Test(options, other_values_are_refused)
{
    static const struct value_case cases[] = {
        {"", UNIT_COUNT, 0},
        {"-1", UNIT_COUNT, 0},
        {"+1", UNIT_COUNT, 0},
        {"1.5", UNIT_COUNT, 0},
        {"1e3", UNIT_COUNT, 0},
        {"0x10", UNIT_COUNT, 0},
        {"many", UNIT_COUNT, 0},
        {"18446744073709551616", UNIT_COUNT, 0},
        {"10s", UNIT_COUNT, 0},
        {"10KiB", UNIT_COUNT, 0},
        {"KiB", UNIT_BYTES, 0},
        {"10KB", UNIT_BYTES, 0},
        {"10kib", UNIT_BYTES, 0},
        {"10s", UNIT_BYTES, 0},
        {"10KiB", UNIT_MS, 0},
        {"10B", UNIT_S, 0},
        {"1500ms", UNIT_S, 0},
        {"1500us", UNIT_MS, 0},
        {"10us", UNIT_BYTES, 0},
        {"10s s", UNIT_S, 0},
        {"18014398509481984KiB", UNIT_BYTES, 0}, /* 2^64 bytes */
        {"18446744073709551615d", UNIT_S, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 77;
        cr_expect_not(option_parse_value(bytes_from_text(cases[i].text), cases[i].unit, &value),
                      "%s", cases[i].text);
        cr_expect_eq(value, 77, "%s", cases[i].text);
    }
}

Test(options, unit_names)
{
    cr_expect_str_eq(option_unit_name(UNIT_COUNT), "");
    cr_expect_str_eq(option_unit_name(UNIT_BYTES), "bytes");
    cr_expect_str_eq(option_unit_name(UNIT_US), "us");
    cr_expect_str_eq(option_unit_name(UNIT_MS), "ms");
    cr_expect_str_eq(option_unit_name(UNIT_S), "s");
}

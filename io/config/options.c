#include "io/config/options.h"

#include <assert.h>

const struct option_row option_rows[] = {
#define X(field, initial_value, least, most, unit_name, text)                                      \
    {#field, text, initial_value, least, most, UNIT_##unit_name, offsetof(struct options, field)},
    OPTION_LIST(X)
#undef X
        {0}};

const struct option_row destination_option_rows[] = {
#define X(field, initial_value, least, most, unit_name, text)                                      \
    {#field,                                                                                       \
     text,                                                                                         \
     initial_value,                                                                                \
     least,                                                                                        \
     most,                                                                                         \
     UNIT_##unit_name,                                                                             \
     offsetof(struct destination_options, field)},
    DESTINATION_OPTION_LIST(X)
#undef X
        {0}};

const char *option_unit_name(enum option_unit unit)
{
    static const char *const names[] = {"", "bytes", "us", "ms", "s"};
    return names[unit];
}

static void set_defaults(void *options, const struct option_row *rows)
{
    for (; rows->name != NULL; rows++)
        option_set(options, rows, rows->initial);
}

void options_set_defaults(struct options *options)
{
    set_defaults(options, option_rows);
}

void destination_options_set_defaults(struct destination_options *options)
{
    set_defaults(options, destination_option_rows);
}

void option_set(void *options, const struct option_row *row, uint64_t value)
{
    assert(value >= row->min && value <= row->max);
    memcpy((char *)options + row->offset, &value, sizeof value);
}

struct suffix {
    const char *text;
    enum option_unit unit;
    uint64_t factor; /* of a time: in microseconds */
};

static const struct suffix suffixes[] = {
    {"KiB", UNIT_BYTES, KIB},     {"MiB", UNIT_BYTES, MIB}, {"GiB", UNIT_BYTES, GIB},
    {"B", UNIT_BYTES, 1},         {"us", UNIT_US, 1},       {"ms", UNIT_US, 1000},
    {"s", UNIT_US, 1000000},      {"m", UNIT_US, 60000000}, {"h", UNIT_US, 3600000000U},
    {"d", UNIT_US, 86400000000U},
};

/* In microseconds; 0: it is no time. */
static const uint64_t unit_us[] = {[UNIT_US] = 1, [UNIT_MS] = 1000, [UNIT_S] = 1000000};

/* A time is written in any of its suffixes, and kept in the option's own unit, if that is exact. */
static bool apply_suffix(uint64_t number, const struct suffix *suffix, enum option_unit unit,
                         uint64_t *out_value)
{
    uint64_t value;
    uint64_t divisor = unit_us[unit];
    if ((suffix->unit == UNIT_US) != (divisor > 0) || unit == UNIT_COUNT)
        return false;
    if (__builtin_mul_overflow(number, suffix->factor, &value))
        return false;
    if (divisor == 0)
        divisor = 1;
    if (value % divisor != 0)
        return false;
    *out_value = value / divisor;
    return true;
}

bool option_parse_value(struct bytes text, enum option_unit unit, uint64_t *out_value)
{
    size_t digits = 0;
    uint64_t number;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    if (!bytes_parse_u64(bytes_slice(text, 0, digits), &number))
        return false;
    struct bytes rest = bytes_trim(bytes_slice(text, digits, text.size));
    if (rest.size == 0) {
        *out_value = number;
        return true;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (bytes_equal_text(rest, suffixes[i].text))
            return apply_suffix(number, &suffixes[i], unit, out_value);
    return false;
}

#include "routes/rules/rule_time.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "routes/read/calendar.h"

enum { MS_PER_MINUTE = 60 * 1000, MS_PER_DAY = 24 * 60 * MS_PER_MINUTE, ZONE_HOURS_MAX = 14 };

/* What is left of a cell while it is read from the left. */
struct rest {
    struct bytes text;
};

static bool take_day(struct rest *rest, int64_t *out_ms);
static bool take_clock(struct rest *rest, int64_t *out_ms);
static bool take_zone(struct rest *rest, int64_t *out_minutes);

enum rule_time_fault rule_time_parse(struct bytes text, uint64_t *out_ms)
{
    struct rest rest = {text};
    int64_t ms, clock_ms = 0, zone_minutes = CALENDAR_CHINA_MINUTES;
    if (!take_day(&rest, &ms))
        return RULE_TIME_WRONG;
    if (rest.text.size > 0) {
        if (!take_clock(&rest, &clock_ms))
            return RULE_TIME_WRONG;
        if (rest.text.size == 0)
            return RULE_TIME_WITHOUT_ZONE;
        if (!take_zone(&rest, &zone_minutes) || rest.text.size > 0)
            return RULE_TIME_WRONG;
    }
    ms += clock_ms - zone_minutes * MS_PER_MINUTE;
    *out_ms =
        ms > 0 ? (uint64_t)ms : 0; /* the first hours of 1970 in China were 1969 in Greenwich */
    return RULE_TIME_RIGHT;
}

void rule_time_format(uint64_t ms, char out_text[RULE_TIME_TEXT_BYTES])
{
    uint64_t local_ms = ms + (uint64_t)CALENDAR_CHINA_MINUTES * MS_PER_MINUTE;
    struct calendar_day day = calendar_day_at((int64_t)(local_ms / MS_PER_DAY));
    uint32_t seconds = (uint32_t)(local_ms % MS_PER_DAY / 1000);
    int size = snprintf(out_text, RULE_TIME_TEXT_BYTES, "%04" PRIu32 "-%02" PRIu32 "-%02" PRIu32,
                        day.year % 10000, day.month, day.day);
    if (seconds > 0)
        snprintf(out_text + size, RULE_TIME_TEXT_BYTES - (size_t)size,
                 "T%02" PRIu32 ":%02" PRIu32 ":%02" PRIu32 "+08:00", seconds / 3600,
                 seconds / 60 % 60, seconds % 60);
}

/* ---- a cell, from the left ---- */

static bool take_sign(struct rest *rest, char sign)
{
    if (rest->text.size == 0 || rest->text.data[0] != (uint8_t)sign)
        return false;
    rest->text = bytes_slice(rest->text, 1, rest->text.size - 1);
    return true;
}

static bool take_number(struct rest *rest, size_t digits_min, size_t digits_max,
                        uint32_t *out_number)
{
    uint32_t number = 0;
    size_t digits = 0;
    while (digits < rest->text.size && digits < digits_max && rest->text.data[digits] >= '0' &&
           rest->text.data[digits] <= '9')
        number = number * 10 + (rest->text.data[digits++] - '0');
    if (digits < digits_min)
        return false;
    rest->text = bytes_slice(rest->text, digits, rest->text.size - digits);
    *out_number = number;
    return true;
}

static bool take_day(struct rest *rest, int64_t *out_ms)
{
    struct calendar_day day;
    if (!take_number(rest, 4, 4, &day.year))
        return false;
    char separator = rest->text.size > 0 && rest->text.data[0] == '/' ? '/' : '-';
    if (!take_sign(rest, separator) || !take_number(rest, 1, 2, &day.month) ||
        !take_sign(rest, separator) || !take_number(rest, 1, 2, &day.day))
        return false;
    if (!calendar_is_day(day))
        return false;
    *out_ms = calendar_days(day) * MS_PER_DAY;
    return true;
}

static bool take_clock(struct rest *rest, int64_t *out_ms)
{
    uint32_t hours, minutes, seconds = 0;
    if (!take_sign(rest, 'T') && !take_sign(rest, ' '))
        return false;
    if (!take_number(rest, 1, 2, &hours) || !take_sign(rest, ':') ||
        !take_number(rest, 2, 2, &minutes))
        return false;
    if (take_sign(rest, ':') && !take_number(rest, 2, 2, &seconds))
        return false;
    *out_ms = ((int64_t)hours * 60 + minutes) * MS_PER_MINUTE + (int64_t)seconds * 1000;
    return hours < 24 && minutes < 60 && seconds < 60;
}

static bool take_zone(struct rest *rest, int64_t *out_minutes)
{
    uint32_t hours, minutes = 0;
    while (take_sign(rest, ' '))
        continue;
    *out_minutes = 0;
    if (take_sign(rest, 'Z'))
        return true;
    bool west = take_sign(rest, '-');
    if ((!west && !take_sign(rest, '+')) || !take_number(rest, 2, 2, &hours))
        return false;
    take_sign(rest, ':');
    if (rest->text.size > 0 && !take_number(rest, 2, 2, &minutes))
        return false;
    *out_minutes = ((int64_t)hours * 60 + minutes) * (west ? -1 : 1);
    return hours <= ZONE_HOURS_MAX && minutes < 60;
}

/* ---- periods ---- */

static int by_time(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static size_t list_times(const struct rule_table *const *tables, uint16_t table_count,
                         uint64_t *out_times)
{
    size_t count = 0;
    for (uint16_t t = 0; t < table_count; t++)
        for (uint32_t i = 0; i < tables[t]->rule_count; i++) {
            const struct rule *rule = &tables[t]->rules[i];
            if (rule->valid_from_ms > 0)
                out_times[count++] = rule->valid_from_ms;
            if (rule->valid_to_ms < UINT64_MAX)
                out_times[count++] = rule->valid_to_ms;
        }
    return count;
}

bool rule_periods_build(struct arena *arena, const struct rule_table *const *tables,
                        uint16_t table_count, struct rule_periods *out_periods,
                        struct diagnostics *diagnostics)
{
    size_t rule_count = 0;
    for (uint16_t t = 0; t < table_count; t++)
        rule_count += tables[t]->rule_count;
    struct arena scratch;
    arena_init(&scratch);
    uint64_t *times = arena_allocate_array(&scratch, 2 * rule_count + 1, sizeof *times);
    size_t count = 1 + list_times(tables, table_count, times + 1), kept = 1;
    times[0] = 0;
    qsort(times, count, sizeof *times, by_time);
    for (size_t i = 1; i < count; i++)
        if (times[i] != times[kept - 1])
            times[kept++] = times[i];
    bool fits = kept <= RULE_PERIODS_MAX;
    if (fits) {
        uint64_t *begins = arena_allocate_array(arena, kept, sizeof *begins);
        memcpy(begins, times, kept * sizeof *times);
        *out_periods = (struct rule_periods){.begins_ms = begins, .count = (uint32_t)kept};
    } else {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "R128",
                        (struct place){.file = tables[table_count - 1]->file},
                        "let more rules begin or end at the same time",
                        "the rules of all tables begin and end at %zu different times; there may "
                        "be %d",
                        kept - 1, RULE_PERIODS_MAX - 1);
    }
    arena_deinit(&scratch);
    return fits;
}

uint16_t rule_periods_find(const struct rule_periods *periods, uint64_t now_ms)
{
    uint32_t low = 0, high = periods->count; /* begins_ms[low] <= now_ms */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (periods->begins_ms[middle] <= now_ms)
            low = middle;
        else
            high = middle;
    }
    return (uint16_t)low;
}

uint64_t rule_periods_begin_ms(const struct rule_periods *periods, uint16_t period)
{
    assert(periods->count > 0);
    return periods->begins_ms[period < periods->count ? period : periods->count - 1];
}

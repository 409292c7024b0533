#include "routes/read/sent_time.h"

#include "routes/read/calendar.h"

enum {
    MS_PER_MINUTE = 60 * 1000,
    MS_PER_DAY = 24 * 60 * MS_PER_MINUTE,
    ZONE_HOURS_MAX = 14,
    DIGITS_MAX = 17, /* to the millisecond */
    CENTURY = 2000   /* of years of two digits */
};

struct rest {
    struct bytes text;
};

/* The digits of day and clock, without the signs between them. */
struct digits {
    uint8_t at[DIGITS_MAX];
    uint32_t count;
};

static void take_digits(struct rest *rest, struct digits *digits, uint32_t count_max)
{
    while (rest->text.size > 0 && digits->count < count_max && rest->text.data[0] >= '0' &&
           rest->text.data[0] <= '9') {
        digits->at[digits->count++] = (uint8_t)(rest->text.data[0] - '0');
        rest->text = bytes_slice(rest->text, 1, rest->text.size - 1);
    }
}

static bool take_any(struct rest *rest, const char *signs)
{
    if (rest->text.size == 0 || strchr(signs, rest->text.data[0]) == NULL ||
        rest->text.data[0] == '\0')
        return false;
    rest->text = bytes_slice(rest->text, 1, rest->text.size - 1);
    return true;
}

/* `-06-11`, behind the year. */
static bool take_month_and_day(struct rest *rest, struct digits *digits)
{
    take_digits(rest, digits, 6);
    if (digits->count != 6 || !take_any(rest, "-/"))
        return false;
    take_digits(rest, digits, 8);
    return digits->count == 8;
}

/* `09:30:00`, behind the day; seconds may be missing. */
static bool take_clock(struct rest *rest, struct digits *digits)
{
    take_digits(rest, digits, 10);
    if (digits->count != 10 || !take_any(rest, ":"))
        return digits->count == 10;
    take_digits(rest, digits, 12);
    if (digits->count != 12)
        return false;
    if (take_any(rest, ":"))
        take_digits(rest, digits, 14);
    return digits->count == 12 || digits->count == 14;
}

static bool take_all(struct rest *rest, struct digits *digits)
{
    take_digits(rest, digits, DIGITS_MAX);
    if (digits->count == 4)
        return take_any(rest, "-/") && take_month_and_day(rest, digits) &&
               (!take_any(rest, "T ") || take_clock(rest, digits));
    if (digits->count != 8 || !take_any(rest, "T "))
        return true;
    take_digits(rest, digits, DIGITS_MAX);
    if (digits->count != 10 || !take_any(rest, ":"))
        return digits->count > 8;
    take_digits(rest, digits, 12);
    if (take_any(rest, ":"))
        take_digits(rest, digits, 14);
    return digits->count == 12 || digits->count == 14;
}

static uint32_t number(const struct digits *digits, uint32_t from, uint32_t count)
{
    uint32_t value = 0;
    for (uint32_t i = from; i < from + count; i++)
        value = value * 10 + (i < digits->count ? digits->at[i] : 0);
    return value;
}

static bool is_day(const struct digits *digits, uint32_t at)
{
    return calendar_is_day(
        (struct calendar_day){at == 4 ? number(digits, 0, 4) : CENTURY + number(digits, 0, 2),
                              number(digits, at, 2), number(digits, at + 2, 2)});
}

/* Where the month stands. 10 digits, and those of 12 that have no year of four, have one of two. */
static bool find_month(const struct digits *digits, uint32_t *out_at)
{
    bool may_be_short = digits->count == 10 || digits->count == 12;
    uint32_t century = number(digits, 0, 2);
    bool is_long = digits->count != 10 && digits->count >= 8 && (century == 19 || century == 20) &&
                   is_day(digits, 4);
    *out_at = is_long ? 4 : 2;
    return is_long || (may_be_short && is_day(digits, 2));
}

static bool take_zone(struct rest *rest, int64_t *out_minutes)
{
    while (take_any(rest, " "))
        continue;
    *out_minutes = CALENDAR_CHINA_MINUTES;
    if (rest->text.size == 0)
        return true;
    *out_minutes = 0;
    if (take_any(rest, "Z"))
        return rest->text.size == 0;
    bool west = rest->text.data[0] == '-';
    struct digits digits = {.count = 0};
    if (!take_any(rest, "+-"))
        return false;
    take_digits(rest, &digits, 2);
    take_any(rest, ":");
    take_digits(rest, &digits, 4);
    *out_minutes = ((int64_t)number(&digits, 0, 2) * 60 + number(&digits, 2, 2)) * (west ? -1 : 1);
    return rest->text.size == 0 && (digits.count == 2 || digits.count == 4) &&
           number(&digits, 0, 2) <= ZONE_HOURS_MAX && number(&digits, 2, 2) < 60;
}

/* To the millisecond, whatever their number. */
static void take_fraction(struct rest *rest, uint32_t *out_ms)
{
    struct digits fraction = {.count = 0};
    if (take_any(rest, ".,"))
        take_digits(rest, &fraction, DIGITS_MAX);
    *out_ms = number(&fraction, 0, 3);
}

/* A day and a clock, without a zone. */
struct moment {
    struct calendar_day day;
    uint32_t hours, minutes, seconds, ms;
};

static bool end_moment(struct rest *rest, const struct moment *moment, uint64_t *out_ms)
{
    int64_t zone_minutes;
    if (!take_zone(rest, &zone_minutes) || moment->hours > 23 || moment->minutes > 59 ||
        moment->seconds > 60)
        return false;
    int64_t ms = calendar_days(moment->day) * MS_PER_DAY +
                 ((int64_t)moment->hours * 60 + moment->minutes - zone_minutes) * MS_PER_MINUTE +
                 (int64_t)moment->seconds * 1000 + moment->ms;
    if (ms < 0)
        return false;
    *out_ms = (uint64_t)ms;
    return true;
}

/* ---- the two commonest forms: 2024-06-12T20:00:00 and 20240612200000 ------------------------- */

enum { PAIRS = 7 };

static bool take_pairs(struct bytes text, const uint8_t *places, uint32_t *out_pairs)
{
    for (uint32_t i = 0; i < PAIRS; i++) {
        uint32_t tens = (uint32_t)text.data[places[i]] - '0';
        uint32_t ones = (uint32_t)text.data[places[i] + 1] - '0';
        if (tens > 9 || ones > 9)
            return false;
        out_pairs[i] = tens * 10 + ones;
    }
    return true;
}

static bool take_common(struct rest *rest, struct moment *out_moment)
{
    static const uint8_t signed_places[PAIRS] = {0, 2, 5, 8, 11, 14, 17};
    static const uint8_t plain_places[PAIRS] = {0, 2, 4, 6, 8, 10, 12};
    enum { SIGNED_BYTES = 19, PLAIN_BYTES = 14 };
    struct bytes text = rest->text;
    uint32_t pairs[PAIRS];
    bool is_signed = text.size >= SIGNED_BYTES && text.data[4] == '-' && text.data[7] == '-' &&
                     text.data[10] == 'T' && text.data[13] == ':' && text.data[16] == ':';
    size_t size = is_signed ? SIGNED_BYTES : PLAIN_BYTES;
    if ((!is_signed && text.size != PLAIN_BYTES) ||
        !take_pairs(text, is_signed ? signed_places : plain_places, pairs))
        return false;
    *out_moment = (struct moment){
        {pairs[0] * 100 + pairs[1], pairs[2], pairs[3]}, pairs[4], pairs[5], pairs[6], 0};
    rest->text = bytes_slice(text, size, text.size);
    return calendar_is_day(out_moment->day);
}

/* ---- any ------------------------------------------------------------------------------------- */

static bool take_moment(struct rest *rest, struct moment *out_moment)
{
    struct digits digits = {.count = 0};
    uint32_t at, ms;
    if (!take_all(rest, &digits) || !find_month(&digits, &at))
        return false;
    take_fraction(rest, &ms);
    if (digits.count % 2 != (digits.count == 17))
        return false;
    uint32_t clock = at + 4;
    if (digits.count > clock + 6)
        ms = number(&digits, clock + 6, 3); /* `00` hundredths, `000` thousandths */
    uint32_t year = at == 4 ? number(&digits, 0, 4) : CENTURY + number(&digits, 0, 2);
    *out_moment = (struct moment){{year, number(&digits, at, 2), number(&digits, at + 2, 2)},
                                  number(&digits, clock, 2),
                                  number(&digits, clock + 2, 2),
                                  number(&digits, clock + 4, 2),
                                  ms};
    return true;
}

bool sent_time_parse(struct bytes text, uint64_t *out_ms)
{
    struct rest rest = {bytes_trim(text)};
    struct moment moment;
    if (take_common(&rest, &moment)) {
        take_fraction(&rest, &moment.ms);
        return end_moment(&rest, &moment, out_ms);
    }
    rest.text = bytes_trim(text);
    return take_moment(&rest, &moment) && end_moment(&rest, &moment, out_ms);
}

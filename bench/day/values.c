#include "bench/day/values.h"

#include <assert.h>

#include "bench/random.h"

enum { SECONDS_PER_DAY = 86400 };

/* `width` decimal digits with leading zeros; higher digits are cut off. */
static void write_digits(char *out, int width, uint64_t number)
{
    for (int i = width - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

static void write_hex(char *out, int width, uint64_t number)
{
    for (int i = width - 1; i >= 0; i--) {
        out[i] = "0123456789ABCDEF"[number & 15];
        number >>= 4;
    }
}

/* 8-4-4-4-12; the last eight digits are the message's number, scattered by the seed, so that no two
 * are equal. */
static void write_guid(const struct day *day, uint32_t index, char *out)
{
    uint64_t seed = random_mix(day->settings.seed);
    uint64_t high = random_mix(seed ^ index);
    uint32_t low = index * UINT32_C(2654435761) ^ (uint32_t)seed; /* odd factor: a bijection */
    write_hex(out, 8, high >> 32);
    write_hex(out + 9, 4, high >> 16);
    write_hex(out + 14, 4, 0x4000 | (high & 0xFFF));
    write_hex(out + 19, 4, 0x8000 | (seed >> 48 & 0x3FFF));
    write_hex(out + 24, 4, seed >> 32);
    write_hex(out + 28, 8, low);
    out[8] = out[13] = out[18] = out[23] = '-';
}

/* Of the day's sending. */
struct moment {
    uint32_t hour, minute, second, millisecond;
};

static uint32_t place_in_stream(const struct day *day, uint32_t index)
{
    return index - day->stream_first[day->messages[index].stream];
}

/* A stream's messages are spread evenly over the day. */
static struct moment moment_of(const struct day *day, uint32_t index)
{
    uint8_t stream = day->messages[index].stream;
    uint64_t count = day->stream_first[stream + 1] - day->stream_first[stream];
    uint64_t at_ms = (uint64_t)place_in_stream(day, index) * SECONDS_PER_DAY * 1000 / count;
    uint32_t second = (uint32_t)(at_ms / 1000);
    return (struct moment){second / 3600, second / 60 % 60, second % 60, (uint32_t)(at_ms % 1000)};
}

/* The day's date, yyyymmdd: each seed has its own, so that ids made of times seldom meet. */
static uint32_t date_of(const struct day *day)
{
    uint64_t seed = day->settings.seed;
    return (uint32_t)((2026 + seed / 336 % 8) * 10000 + (seed / 28 % 12 + 1) * 100 + seed % 28 + 1);
}

static void write_time14(const struct day *day, uint32_t index, char *out)
{
    struct moment moment = moment_of(day, index);
    write_digits(out, 8, date_of(day));
    write_digits(out + 8, 2, moment.hour);
    write_digits(out + 10, 2, moment.minute);
    write_digits(out + 12, 2, moment.second);
}

static void write_time_iso(const struct day *day, uint32_t index, char *out)
{
    struct moment moment = moment_of(day, index);
    uint32_t date = date_of(day);
    write_digits(out, 4, date / 10000);
    write_digits(out + 5, 2, date / 100);
    write_digits(out + 8, 2, date);
    write_digits(out + 11, 2, moment.hour);
    write_digits(out + 14, 2, moment.minute);
    write_digits(out + 17, 2, moment.second);
    out[4] = out[7] = '-';
    out[10] = 'T';
    out[13] = out[16] = ':';
}

static void write_time_edi(const struct day *day, uint32_t index, char *out)
{
    struct moment moment = moment_of(day, index);
    write_digits(out, 6, date_of(day));
    write_digits(out + 7, 2, moment.hour);
    write_digits(out + 9, 2, moment.minute);
    out[6] = ':';
}

/* 14 digits, as EDIFACT's control references have at most: four of the seed, ten of the number. */
static void write_control(const struct day *day, uint32_t index, char *out)
{
    write_digits(out, 4, random_mix(day->settings.seed) % 10000);
    write_digits(out + 4, 10, index);
}

/* A number that the e-port gave to a declaration: two letters, the date from its second digit on as
 * room permits, and the declaration's number. */
static void write_case_number(const struct day *day, const struct values_source *source, int width,
                              char *out)
{
    const struct day_message *message = &day->messages[source->index];
    uint64_t declaration = (uint64_t)message->batch * FORM_ENTRIES_MAX + source->entry;
    memcpy(out, day_eport(message)->prefix, 2);
    write_digits(out + 2, width - 13, date_of(day));
    write_digits(out + width - 11, 11, declaration);
}

/* The customs office that the declaration was made at, the year, and the declaration's number. */
static void write_entry_number(const struct day *day, const struct values_source *source, char *out)
{
    uint32_t batch = day->messages[source->index].batch;
    memcpy(out, source->facts.office, 4);
    write_digits(out + 4, 3, date_of(day) / 10000);
    write_digits(out + 7, 11, (uint64_t)batch * FORM_ENTRIES_MAX + source->entry);
}

/* ISO 6346 in shape: four letters and seven digits. */
static void write_container(const struct day *day, const struct values_source *source, char *out)
{
    uint32_t batch = day->messages[source->index].batch;
    memcpy(out, "PRDU", 4);
    write_digits(out + 4, 7, (uint64_t)batch * FORM_ENTRIES_MAX + source->entry);
}

/* A number of `width` digits without leading zeros that changes with each message and entry. */
static void write_quantity(const struct values_source *source, uint64_t salt, int width, char *out)
{
    uint64_t bits = random_mix((uint64_t)source->index << 8 | salt << 4 | source->entry);
    write_digits(out, width, bits);
    out[0] = (char)('1' + (bits >> 56) % 9);
}

static void write_answered(const struct day *day, const struct values_source *source,
                           enum day_value value, char *out)
{
    uint32_t answered = day->messages[source->index].answered;
    if (answered == DAY_NO_MESSAGE) /* a receipt among the malformed ones answers nothing */
        answered = source->index;
    switch (value) {
    case DAY_VALUE_ANSWERED_GUID: write_guid(day, answered, out); return;
    case DAY_VALUE_ANSWERED_TIME: write_time14(day, answered, out); return;
    case DAY_VALUE_ANSWERED_SUFFIX: write_digits(out, 5, place_in_stream(day, answered)); return;
    case DAY_VALUE_ANSWERED_TYPE:
        memcpy(out, form_message_type((enum day_kind)day->messages[answered].kind), 8);
        return;
    case DAY_VALUE_ANSWERED_CONTROL: write_control(day, answered, out); return;
    default: assert(false && "a value of the answered message");
    }
}

static void write_value(const struct day *day, const struct values_source *source,
                        enum day_value value, char *out)
{
    const struct day_case *facts = &source->facts;
    switch (value) {
    case DAY_VALUE_GUID: write_guid(day, source->identity, out); break;
    case DAY_VALUE_ID_TIME: write_time14(day, source->identity, out); break;
    case DAY_VALUE_ID_SUFFIX: write_digits(out, 5, place_in_stream(day, source->identity)); break;
    case DAY_VALUE_CONTROL: write_control(day, source->identity, out); break;
    case DAY_VALUE_ANSWERED_GUID:
    case DAY_VALUE_ANSWERED_TIME:
    case DAY_VALUE_ANSWERED_SUFFIX:
    case DAY_VALUE_ANSWERED_TYPE:
    case DAY_VALUE_ANSWERED_CONTROL: write_answered(day, source, value, out); break;
    case DAY_VALUE_TIME: write_time14(day, source->index, out); break;
    case DAY_VALUE_TIME_MS:
        write_time14(day, source->index, out);
        write_digits(out + 14, 3, moment_of(day, source->index).millisecond);
        break;
    case DAY_VALUE_TIME_ISO: write_time_iso(day, source->index, out); break;
    case DAY_VALUE_TIME_EDI: write_time_edi(day, source->index, out); break;
    case DAY_VALUE_DATE: write_digits(out, 8, date_of(day)); break;
    case DAY_VALUE_SERIAL: write_digits(out, 10, source->index); break;
    case DAY_VALUE_OFFICE: memcpy(out, facts->office, 4); break;
    case DAY_VALUE_INSPECTION: memcpy(out, facts->inspection, 6); break;
    case DAY_VALUE_MODE: memcpy(out, facts->mode, 4); break;
    case DAY_VALUE_GOODS: memcpy(out, facts->goods, 10); break;
    case DAY_VALUE_TRADER: write_digits(out, 10, facts->trader); break;
    case DAY_VALUE_SEGMENTS: write_digits(out, 2, source->segments); break;
    case DAY_VALUE_LINE: write_digits(out, 1, source->entry + 1U); break;
    case DAY_VALUE_ORDER: write_case_number(day, source, 20, out); break;
    case DAY_VALUE_PAYMENT:
    case DAY_VALUE_LIST:
    case DAY_VALUE_PREENTRY: write_case_number(day, source, 18, out); break;
    case DAY_VALUE_ENTRY: write_entry_number(day, source, out); break;
    case DAY_VALUE_WAYBILL: write_case_number(day, source, 15, out); break;
    case DAY_VALUE_BILL: write_case_number(day, source, 13, out); break;
    case DAY_VALUE_CONTAINER: write_container(day, source, out); break;
    case DAY_VALUE_AMOUNT: write_quantity(source, 1, 5, out); break;
    case DAY_VALUE_WEIGHT: write_quantity(source, 2, 4, out); break;
    case DAY_VALUE_COUNT: break;
    }
}

void values_write(const struct day *day, const struct values_source *source, uint64_t needed,
                  struct day_values *values)
{
    while (needed != 0) {
        enum day_value value = (enum day_value)__builtin_ctzll(needed);
        needed &= needed - 1;
        write_value(day, source, value, values->text[value]);
    }
}

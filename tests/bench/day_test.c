#include "bench/day/day.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench/day/fault.h"
#include "bench/load/body_index.h"

enum { COUNT = 60000 };

static struct day open_day(uint64_t seed, enum day_mix mix, uint32_t count)
{
    struct day day;
    struct day_settings settings = {.seed = seed,
                                    .message_count = count,
                                    .stream_count = EPORT_COUNT,
                                    .mix = mix,
                                    .event_bytes = 256};
    cr_assert_eq(day_open(&settings, &day), STATUS_OK);
    return day;
}

static struct bytes render(const struct day *day, uint32_t index, uint8_t *out)
{
    return bytes_make(out, day_render(day, index, out));
}

static bool contains(struct bytes body, const char *text)
{
    return memmem(body.data, body.size, text, strlen(text)) != NULL;
}

Test(day, equal_seeds_make_equal_bytes)
{
    struct day a = open_day(42, MIX_DAY, 5000), b = open_day(42, MIX_DAY, 5000);
    uint8_t from_a[DAY_MESSAGE_BYTES_MAX], from_b[DAY_MESSAGE_BYTES_MAX];
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t j = 4999 - i; /* the order of rendering makes no difference */
        struct bytes first = render(&a, j, from_a);
        memset(from_b, (int)i, sizeof from_b);
        cr_assert(bytes_equal(first, render(&b, j, from_b)), "message %u", j);
    }
    day_close(&a);
    day_close(&b);
}

Test(day, other_seeds_make_other_ids)
{
    struct day a = open_day(1, MIX_DAY, 1000), b = open_day(2, MIX_DAY, 1000);
    struct body_index index;
    uint8_t body[DAY_MESSAGE_BYTES_MAX];
    cr_assert_eq(body_index_open(&index, 1000), STATUS_OK);
    for (uint32_t i = 0; i < 1000; i++)
        body_index_add(&index, body_index_hash(render(&a, i, body)), i);
    body_index_settle(&index);
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert_eq(body_index_find(&index, body_index_hash(render(&b, i, body))),
                     BODY_INDEX_NONE);
    body_index_close(&index);
    day_close(&a);
    day_close(&b);
}

Test(day, fates_come_in_the_stated_proportions)
{
    struct day day = open_day(7, MIX_DAY, 400000);
    double counts[FATE_COUNT] = {0};
    for (uint32_t i = 0; i < 400000; i++)
        counts[day.messages[i].fate]++;
    for (uint32_t fate = 0; fate < FATE_COUNT; fate++) {
        double wanted = 0.4 * day_fate_ppm((enum day_fate)fate);
        double tolerance = 0.08 * wanted; /* the rarest come 800 times: above two sigma */
        cr_assert(counts[fate] > wanted - tolerance && counts[fate] < wanted + tolerance,
                  "%s: %.0f for %.0f", day_fate_name((enum day_fate)fate), counts[fate], wanted);
    }
    day_close(&day);
}

Test(day, streams_share_the_messages_and_dialects_follow_the_eport)
{
    struct day day = open_day(7, MIX_DAY, COUNT + 5);
    cr_assert_eq(day.stream_first[0], 0);
    cr_assert_eq(day.stream_first[EPORT_COUNT], COUNT + 5);
    for (uint32_t s = 0; s < EPORT_COUNT; s++) {
        double counts[DIALECT_COUNT] = {0};
        uint32_t first = day.stream_first[s], end = day.stream_first[s + 1];
        cr_assert(end - first >= COUNT / EPORT_COUNT && end - first <= COUNT / EPORT_COUNT + 1);
        for (uint32_t i = first; i < end; i++) {
            cr_assert_eq(day.messages[i].stream, s);
            counts[form_dialect((enum day_kind)day.messages[i].kind)]++;
        }
        for (uint32_t d = 0; d < DIALECT_COUNT; d++) {
            double share = 100 * counts[d] / (end - first);
            cr_assert_float_eq(share, eports[s].dialects[d], 2.0, "%s %s %.1f %%", eports[s].name,
                               day_dialect_name((enum day_dialect)d), share);
        }
    }
    day_close(&day);
}

Test(day, every_message_refers_to_earlier_ones_of_its_stream)
{
    struct day day = open_day(9, MIX_DAY, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct day_message *message = &day.messages[i];
        bool has_twin = message->fate == FATE_REPLAY || message->fate == FATE_CONFLICT ||
                        message->fate == FATE_AMENDMENT;
        cr_assert_eq(has_twin, message->twin != DAY_NO_MESSAGE);
        cr_assert_lt(message->order_key, day.order_key_count);
        bool is_kept = message->fate != FATE_MALFORMED && message->fate != FATE_UNROUTABLE;
        cr_assert_eq(is_kept, message->outlets != 0, "message %u", i);
        if (has_twin) {
            const struct day_message *twin = &day.messages[message->twin];
            cr_assert(message->twin < i && twin->stream == message->stream);
            cr_assert(twin->fate == FATE_FRESH ||
                      (message->fate == FATE_REPLAY && twin->fate != FATE_REPLAY));
            cr_assert_eq(twin->outlets, message->outlets);
        }
        if (message->answered != DAY_NO_MESSAGE)
            cr_assert(message->answered < i &&
                      day.messages[message->answered].stream == message->stream);
    }
    day_close(&day);
}

/* What stands in quotes or tags after `name`: good enough for our own texts. */
static struct bytes value_after(struct bytes body, const char *name)
{
    const uint8_t *at = memmem(body.data, body.size, name, strlen(name));
    cr_assert_not_null(at, "no `%s`", name);
    at += strlen(name);
    size_t size = 0;
    while (memchr("\"<'+", at[size], 4) == NULL)
        size++;
    return bytes_make(at, size);
}

static struct bytes id_of(enum day_kind kind, struct bytes body)
{
    switch (form_dialect(kind)) {
    case DIALECT_CEB: return value_after(body, "guid=\"");
    case DIALECT_KJ: return value_after(body, "<MessageID>");
    case DIALECT_EDIFACT: return value_after(body, "UNZ+1+");
    default: return value_after(body, "\"messageId\":\"");
    }
}

Test(day, repeats_are_what_they_are_called)
{
    struct day day = open_day(10, MIX_DAY, COUNT);
    uint8_t body_memory[DAY_MESSAGE_BYTES_MAX], twin_memory[DAY_MESSAGE_BYTES_MAX];
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct day_message *message = &day.messages[i];
        if (message->twin == DAY_NO_MESSAGE)
            continue;
        struct bytes body = render(&day, i, body_memory);
        struct bytes twin = render(&day, message->twin, twin_memory);
        enum day_kind kind = (enum day_kind)message->kind;
        if (message->fate == FATE_REPLAY) {
            cr_assert(bytes_equal(body, twin), "message %u", i);
            continue;
        }
        cr_assert(!bytes_equal(body, twin), "message %u", i);
        cr_assert(bytes_equal(id_of(kind, body), id_of(kind, twin)), "message %u", i);
        cr_assert_eq(message->fate == FATE_AMENDMENT, message->variant != FUNCTION_ORIGINAL);
    }
    day_close(&day);
}

Test(day, bodies_of_records_are_distinct)
{
    struct day day = open_day(11, MIX_DAY, COUNT);
    struct body_index index;
    uint8_t body[DAY_MESSAGE_BYTES_MAX];
    cr_assert_eq(body_index_open(&index, COUNT), STATUS_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (day.messages[i].fate == FATE_REPLAY)
            continue;
        uint64_t hash = body_index_hash(render(&day, i, body));
        body_index_settle(&index);
        cr_assert_eq(body_index_find(&index, hash), BODY_INDEX_NONE, "message %u", i);
        body_index_add(&index, hash, i);
    }
    body_index_close(&index);
    day_close(&day);
}

/* ---- Well-formed? By small readers of the forms that the day uses. --------------------------- */

static bool xml_is_balanced(struct bytes body)
{
    struct bytes open[16];
    size_t depth = 0, at = 0;
    bool rooted = false;
    while (at < body.size) {
        struct bytes rest = bytes_slice(body, at, body.size);
        if (rest.data[0] != '<') {
            at++;
            continue;
        }
        bool is_cdata = bytes_start_with(rest, BYTES_LITERAL("<![CDATA["));
        const char *closing = is_cdata ? "]]>" : ">";
        const uint8_t *end = memmem(rest.data, rest.size, closing, strlen(closing));
        if (end == NULL)
            return false;
        at += (size_t)(end - rest.data) + strlen(closing);
        if (is_cdata || rest.data[1] == '?')
            continue;
        bool is_end = rest.data[1] == '/';
        size_t size = 0;
        while (memchr(" >", rest.data[1 + is_end + size], 2) == NULL)
            size++;
        struct bytes name = bytes_make(rest.data + 1 + is_end, size);
        if (is_end && (depth == 0 || !bytes_equal(open[--depth], name)))
            return false;
        if (!is_end && ((depth == 0 && rooted) || depth == 16 || rest.data[1] == '!'))
            return false;
        if (!is_end)
            open[depth++] = name;
        rooted = true;
    }
    return rooted && depth == 0;
}

static bool json_is_balanced(struct bytes body)
{
    uint8_t open[16];
    size_t depth = 0, colons = 0, commas = 0, strings = 0;
    for (size_t i = 0; i < body.size; i++) {
        uint8_t byte = body.data[i];
        if (byte == '"') {
            const uint8_t *end = memchr(body.data + i + 1, '"', body.size - i - 1);
            if (end == NULL)
                return false;
            i = (size_t)(end - body.data);
            strings++;
        } else if (byte == '{' || byte == '[') {
            open[depth++] = byte == '{' ? '}' : ']';
        } else if (byte == '}' || byte == ']') {
            if (depth == 0 || open[--depth] != byte || (depth == 0 && i + 1 != body.size))
                return false;
        } else {
            colons += byte == ':';
            commas += byte == ',';
            if (byte != ':' && byte != ',')
                return false;
        }
    }
    return depth == 0 && colons > commas && strings > colons;
}

static bool edifact_is_counted(struct bytes body)
{
    uint64_t segments = 0, unh = 0, said = 0;
    if (!bytes_start_with(body, BYTES_LITERAL("UNA:+.? '\r\n")))
        return false;
    size_t at = 11;
    while (at < body.size) {
        struct bytes rest = bytes_slice(body, at, body.size);
        const uint8_t *end = memmem(rest.data, rest.size, "'\r\n", 3);
        if (end == NULL)
            return false;
        struct bytes segment = bytes_make(rest.data, (size_t)(end - rest.data));
        segments++;
        if (bytes_start_with(segment, BYTES_LITERAL("UNH+")))
            unh = segments;
        if (bytes_start_with(segment, BYTES_LITERAL("UNT+")) &&
            (!bytes_parse_u64(value_after(rest, "UNT+"), &said) || said != segments - unh + 1))
            return false;
        at += segment.size + 3;
    }
    return unh == 2 && said == segments - 2 && bytes_start_with(body, BYTES_LITERAL("UNA"));
}

static bool is_well_formed(enum day_dialect dialect, struct bytes body)
{
    switch (dialect) {
    case DIALECT_EDIFACT: return edifact_is_counted(body);
    case DIALECT_JSON: return json_is_balanced(body);
    default: return xml_is_balanced(body);
    }
}

Test(day, messages_are_well_formed_unless_broken_on_purpose)
{
    struct day day = open_day(12, MIX_DAY, COUNT);
    uint8_t memory[DAY_MESSAGE_BYTES_MAX];
    uint32_t faults[FAULT_COUNT] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct day_message *message = &day.messages[i];
        enum day_dialect dialect = form_dialect((enum day_kind)message->kind);
        struct bytes body = render(&day, i, memory);
        bool balanced = message->fault == FAULT_XML_NAMESPACE || message->fault == FAULT_JSON_TWICE;
        bool expected = message->fate != FATE_MALFORMED || balanced;
        cr_assert_eq(is_well_formed(dialect, body), expected, "message %u (%s):\n%.*s", i,
                     fault_text((enum day_fault)message->fault), (int)body.size, body.data);
        cr_assert(bytes_is_utf8(body));
        cr_assert_eq(message->fate == FATE_MALFORMED, message->fault != FAULT_NONE);
        faults[message->fault]++;
    }
    for (uint32_t fault = 0; fault < FAULT_COUNT; fault++)
        cr_assert_gt(faults[fault], 5, "%s", fault_text((enum day_fault)fault));
    day_close(&day);
}

Test(day, broken_messages_are_broken_as_said)
{
    struct day day = open_day(13, MIX_DAY, COUNT);
    uint8_t memory[DAY_MESSAGE_BYTES_MAX];
    for (uint32_t i = 0; i < COUNT; i++) {
        struct bytes body = render(&day, i, memory);
        enum day_fault fault = (enum day_fault)day.messages[i].fault;
        cr_assert_eq(fault == FAULT_XML_DOCTYPE, contains(body, "<!DOCTYPE"));
        cr_assert_eq(fault == FAULT_XML_NAMESPACE, contains(body, "chinaport.gov.cn/cex"));
        cr_assert_eq(fault == FAULT_JSON_TWICE, contains(body, "\"messageType\":\"TWICE\","));
        cr_assert_eq(fault == FAULT_EDIFACT_START, body.data[0] == 'X');
        cr_assert_eq(fault == FAULT_JSON_COLON, contains(body, "\";"));
    }
    day_close(&day);
}

Test(day, events_are_all_fresh_and_of_the_size_asked_for)
{
    static const uint32_t sizes[] = {DAY_EVENT_BYTES_MIN, 256, 1000, DAY_EVENT_BYTES_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct day day;
        struct day_settings settings = {.seed = 3,
                                        .message_count = 1000,
                                        .stream_count = 7,
                                        .mix = MIX_EVENTS,
                                        .event_bytes = sizes[i]};
        uint8_t memory[DAY_MESSAGE_BYTES_MAX];
        cr_assert_eq(day_open(&settings, &day), STATUS_OK);
        for (uint32_t m = 0; m < 1000; m++) {
            struct bytes body = render(&day, m, memory);
            cr_assert_eq(body.size, sizes[i]);
            cr_assert(json_is_balanced(body));
            cr_assert_eq(day.messages[m].fate, FATE_FRESH);
        }
        day_close(&day);
    }
}

Test(day, sizes_are_realistic)
{
    struct day day = open_day(14, MIX_DAY, COUNT);
    uint8_t memory[DAY_MESSAGE_BYTES_MAX];
    size_t sums[KIND_COUNT] = {0}, counts[KIND_COUNT] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        sums[day.messages[i].kind] += render(&day, i, memory).size;
        counts[day.messages[i].kind]++;
    }
    static const struct {
        enum day_kind kind;
        size_t least, most;
    } means[] = {{KIND_CEB311, 1000, 3000}, {KIND_CEB312, 300, 600},    {KIND_CEB622, 400, 800},
                 {KIND_CUSDEC, 500, 2000},  {KIND_CUSCAR, 500, 4000},   {KIND_CUSRES, 200, 600},
                 {KIND_KJDOCREC, 300, 700}, {KIND_DECLSTATUS, 200, 300}};
    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        size_t mean = sums[means[i].kind] / counts[means[i].kind];
        cr_assert(mean >= means[i].least && mean <= means[i].most, "%s: %zu bytes",
                  form_message_type(means[i].kind), mean);
    }
    day_close(&day);
}

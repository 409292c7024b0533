/* The EDIFACT scanner against generated interchanges whose values are known, and against broken
 * ones: truncated anywhere, mutated anywhere. */
#include "tests/routes/edifact_stand.h"

enum { INTERCHANGES = 3000, SEGMENTS_MAX = 40, MUTATIONS = 400000 };

/* ---- Generated interchanges ------------------------------------------------------------------ */

struct writer {
    uint64_t state;
    uint8_t component, element, terminator, release, repetition;
    char body[256 * 1024], listing[STAND_LISTING_BYTES];
    size_t body_size, listing_size;
    uint32_t entry;
};

static void put(struct writer *writer, uint8_t byte)
{
    cr_assert(writer->body_size < sizeof writer->body);
    writer->body[writer->body_size++] = (char)byte;
}

static void put_text(struct writer *writer, const char *text)
{
    for (; *text != '\0'; text++)
        put(writer, (uint8_t)*text);
}

/* A value with every service character in it now and then, released where it must be. */
static void put_value(struct writer *writer, const char *value)
{
    for (; *value != '\0'; value++) {
        uint8_t byte = (uint8_t)*value;
        if (byte == writer->component || byte == writer->element || byte == writer->terminator ||
            byte == writer->release || (writer->repetition != 0 && byte == writer->repetition))
            put(writer, writer->release);
        put(writer, byte);
    }
}

static void put_blanks(struct writer *writer)
{
    for (uint32_t count = random_below(&writer->state, 3); count > 0; count--)
        put(writer, (uint8_t) " \r\n\t"[random_below(&writer->state, 4)]);
}

static void expect_value(struct writer *writer, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    size_t room = sizeof writer->listing - writer->listing_size;
    char entry[16] = "";
    if (writer->entry != 0)
        snprintf(entry, sizeof entry, "%u/", writer->entry);
    int size =
        snprintf(writer->listing + writer->listing_size, room, "%s%s=%s\n", entry, name, value);
    cr_assert(size > 0 && (size_t)size < room);
    writer->listing_size += (size_t)size;
}

/* Printable, without blanks at its ends; empty now and then, long now and then. */
static const char *random_value(struct writer *writer, char out[512])
{
    static const char letters[] = "ABCxyz019.,-/'+:?*~^\\|!é中 ";
    uint32_t size = random_below(&writer->state, 12);
    if (random_below(&writer->state, 30) == 0)
        size = random_below(&writer->state, 400);
    for (uint32_t i = 0; i < size; i++) {
        uint32_t draw = random_below(&writer->state, 26);
        out[i] = letters[draw < 22 ? draw : 0];
    }
    out[size] = '\0';
    return out;
}

static void write_segment(struct writer *writer)
{
    char value[512], other[512];
    switch (random_below(&writer->state, 6)) {
    case 0:
        put_text(writer, "CNI");
        put(writer, writer->element);
        put_value(writer, random_value(writer, other));
        put(writer, writer->element);
        put_value(writer, random_value(writer, value));
        writer->entry++;
        expect_value(writer, "consignment", value);
        break;
    case 1:
        put_text(writer, "RFF");
        for (int i = 0; i < 3; i++) {
            static const char *const kinds[] = {"BM", "MB", "AAQ"};
            uint32_t kind = random_below(&writer->state, 3);
            put(writer, i == 0 ? writer->element : writer->repetition);
            put_text(writer, kinds[kind]);
            put(writer, writer->component);
            put_value(writer, random_value(writer, value));
            if (kind == 0)
                expect_value(writer, "bill", value);
            if (writer->repetition == 0)
                break;
        }
        break;
    case 2:
        put_text(writer, "LOC");
        put(writer, writer->element);
        put_text(writer, "60");
        put(writer, writer->element);
        put_value(writer, random_value(writer, value));
        put(writer, writer->component);
        put_value(writer, random_value(writer, other));
        expect_value(writer, "port", value);
        break;
    case 3:
        put_text(writer, "BGM");
        put(writer, writer->element);
        put_value(writer, random_value(writer, other));
        put(writer, writer->element);
        put_value(writer, random_value(writer, value));
        expect_value(writer, "document", value);
        break;
    default: /* untapped, with what might look like a tapped one */
        put_text(writer, "FTX");
        for (uint32_t i = random_below(&writer->state, 4); i > 0; i--) {
            put(writer, random_below(&writer->state, 2) == 0 ? writer->element : writer->component);
            put_value(writer, random_value(writer, value));
            put_value(writer, "BGM++X'UNT+1'");
        }
        break;
    }
    put(writer, writer->terminator);
    put_blanks(writer);
}

static void write_interchange(struct writer *writer, uint64_t seed)
{
    static const char *const advices[] = {"", "UNA:+.? '", "UNA:+.?*'", "UNA|^.\\ ~", "UNA:+.?!\n"};
    *writer = (struct writer){
        .state = seed, .component = ':', .element = '+', .terminator = '\'', .release = '?'};
    const char *advice = advices[random_below(&writer->state, 5)];
    put_blanks(writer);
    put_text(writer, advice);
    if (advice[0] != '\0') {
        writer->component = (uint8_t)advice[3];
        writer->element = (uint8_t)advice[4];
        writer->release = (uint8_t)advice[6];
        writer->repetition = advice[7] == ' ' ? 0 : (uint8_t)advice[7];
        writer->terminator = (uint8_t)advice[8];
    }
    put_blanks(writer);
    put_text(writer, "UNH");
    put(writer, writer->terminator);
    put_blanks(writer);
    for (uint32_t count = random_below(&writer->state, SEGMENTS_MAX); count > 0; count--)
        write_segment(writer);
    put_text(writer, "UNT");
    put(writer, writer->terminator);
    put_blanks(writer);
}

Test(edifact_property, generated)
{
    static struct writer writer;
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    for (uint64_t seed = 1; seed <= INTERCHANGES; seed++) {
        write_interchange(&writer, seed);
        struct bytes body = body_copy(writer.body, writer.body_size);
        struct scan_fault fault = {0};
        cr_assert_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK,
                     "seed %" PRIu64 ": %s at %u\n%s", seed, fault.what, fault.offset, writer.body);
        cr_assert_str_eq(stand_listing(&stand), writer.listing, "seed %" PRIu64 "\n%s", seed,
                         writer.body);
        body_free(body);
    }
    stand_close(&stand);
}

/* ---- Broken ones ----------------------------------------------------------------------------- */

/* A body's size without the blanks behind its last terminator, which it may lose. */
static size_t needed_size(struct bytes body)
{
    size_t size = body.size;
    while (size > 0 && (body.data[size - 1] == '\r' || body.data[size - 1] == '\n'))
        size--;
    bool newline_ends = bytes_start_with(body, BYTES_LITERAL("UNA:+.? \n"));
    return newline_ends ? size + 1 : size;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\r' || byte == '\n';
}

/* True behind the end of a message or a group: there a body without its UNZ ends as well. */
static bool ends_by_message(struct bytes body)
{
    bool marked = bytes_start_with(body, BYTES_LITERAL("\xEF\xBB\xBF")), ended = false;
    struct bytes text = bytes_slice(body, marked ? 3 : 0, body.size);
    bool advised = text.size > 8 && bytes_start_with(text, BYTES_LITERAL("UNA"));
    uint8_t terminator = advised ? text.data[8] : '\'';
    size_t end = text.size;
    for (; end > 0 && (is_blank(text.data[end - 1]) || text.data[end - 1] == terminator); end--)
        ended |= text.data[end - 1] == terminator;
    size_t start = end;
    while (start > 0 && text.data[start - 1] != terminator)
        start--;
    while (start < end && is_blank(text.data[start]))
        start++;
    struct bytes segment = bytes_slice(text, start, end - start);
    return ended && (bytes_start_with(segment, BYTES_LITERAL("UNT")) ||
                     bytes_start_with(segment, BYTES_LITERAL("UNE")));
}

Test(edifact_property, truncated_anywhere)
{
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    uint32_t whole_count = 0;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct bytes sample = sample_read(sample_names[i]);
        for (size_t size = 0; size < needed_size(sample); size++) {
            struct bytes body = body_copy(sample.data, size);
            struct scan_fault fault = {0};
            bool whole = ends_by_message(body);
            whole_count += whole;
            cr_assert_eq(stand_scan(&stand, &plan, body, &fault),
                         whole ? STATUS_OK : STATUS_INVALID, "%s cut to %zu", sample_names[i],
                         size);
            if (whole) {
                body_free(body);
                continue;
            }
            enum scan_reason reason =
                size == 0 || (size == 3 && sample.data[0] == 0xEF) ? SCAN_EMPTY : SCAN_TRUNCATED;
            if (sample.data[0] == 0xEF && size < 3)
                reason = size == 0 ? SCAN_EMPTY : SCAN_MALFORMED; /* half a BOM is no tag */
            cr_expect_eq(fault.reason, reason, "%s cut to %zu: %s", sample_names[i], size,
                         scan_reason_word(fault.reason));
            if (reason == SCAN_TRUNCATED)
                cr_expect_eq(fault.offset, size, "%s cut to %zu", sample_names[i], size);
            body_free(body);
        }
        body_free(sample);
    }
    cr_expect(whole_count >= SAMPLE_COUNT / 2, "%u", whole_count);
    stand_close(&stand);
}

/* Whatever is captured lies where it should, and twice the same. */
static void check_captures(const struct stand *stand, struct bytes body)
{
    for (uint32_t i = 0; i < stand->scan.capture_count; i++) {
        const struct capture *capture = &stand->scan.captures[i];
        const uint8_t *from = capture->value.data, *to = from + capture->value.size;
        bool in_body = from >= body.data && to <= body.data + body.size;
        bool in_text =
            from >= stand->space.text && to <= stand->space.text + stand->space.text_used;
        cr_assert(in_body || in_text);
        cr_assert(capture->value.size > 0 && capture->value.size <= READING_VALUE_BYTES_MAX);
        cr_assert(bytes_is_utf8(capture->value));
        cr_assert(capture->offset < body.size);
        cr_assert(capture->entry <= stand->scan.entry_count);
    }
}

static void check_anything(struct stand *stand, const struct plan *plan, struct bytes body)
{
    struct scan_fault fault = {0};
    struct edifact_peek peek;
    enum status status = stand_scan(stand, plan, body, &fault);
    cr_assert(status == STATUS_OK || status == STATUS_INVALID);
    if (status == STATUS_OK)
        check_captures(stand, body);
    else
        cr_assert(fault.reason != SCAN_NONE && fault.offset <= body.size);
    enum status peeked = scan_edifact_peek(body, &peek, &fault);
    cr_assert(status == STATUS_INVALID || peeked == STATUS_OK, "what scans can be peeked at");
}

Test(edifact_property, mutated_anywhere)
{
    static const uint8_t bytes[] = "?'+:*\n\r \\~^|UNZBHTGE\xEF\x80\xFF\0";
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    for (uint32_t round = 0; round < MUTATIONS / SAMPLE_COUNT / 1000; round++)
        for (size_t i = 0; i < SAMPLE_COUNT; i++) {
            struct bytes sample = sample_read(sample_names[i]);
            uint64_t state = round * SAMPLE_COUNT + i + 1;
            for (uint32_t mutation = 0; mutation < 1000; mutation++) {
                struct bytes body = body_copy(sample.data, sample.size);
                for (uint32_t count = 1 + random_below(&state, 3); count > 0; count--) {
                    uint8_t *place =
                        (uint8_t *)body.data + random_below(&state, (uint32_t)body.size);
                    *place = random_below(&state, 4) == 0
                                 ? (uint8_t)random_next(&state)
                                 : bytes[random_below(&state, sizeof bytes - 1)];
                }
                check_anything(&stand, &plan, body);
                body_free(body);
            }
            body_free(sample);
        }
    stand_close(&stand);
}

/* Bodies of several messages: by tables, and by generated ones whose parts are known. */
#include "tests/routes/edifact_stand.h"

enum { LISTING_BYTES = 16 * 1024 };

static struct edifact_part parts[EDIFACT_PARTS_MAX];

/* One line a part: `advice|interchange|group|message|group's end|interchange's end counts`. */
static const char *list_parts(uint32_t count)
{
    static char listing[LISTING_BYTES];
    size_t used = 0;
    listing[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        const struct edifact_part *part = &parts[i];
        const struct bytes views[] = {part->advice,  part->interchange, part->group,
                                      part->message, part->group_end,   part->interchange_end};
        for (size_t k = 0; k < sizeof views / sizeof views[0]; k++)
            used +=
                (size_t)snprintf(listing + used, sizeof listing - used, "%.*s%s",
                                 (int)views[k].size, (const char *)views[k].data, k < 5 ? "|" : "");
        used += (size_t)snprintf(listing + used, sizeof listing - used, " %u %u\n",
                                 part->group_count, part->interchange_count);
        cr_assert(used < sizeof listing);
    }
    return listing;
}

struct split_row {
    const char *body, *parts;
};

static const struct split_row rows[] = {
    {"UNB+A'UNH+1'UNT'UNZ+1'", "|UNB+A'||UNH+1'UNT'||UNZ+1' 0 1\n"},
    {"UNA:+.? 'UNB+A'\nUNH+1'UNT'\r\nUNH+2'BGM+1'UNT'\nUNZ+2'\n",
     "UNA:+.? '|UNB+A'||UNH+1'UNT'||UNZ+2' 0 2\nUNA:+.? '|UNB+A'||UNH+2'BGM+1'UNT'||UNZ+2' 0 2\n"},
    /* no UNB */
    {"UNH+1'UNT'UNH+2'UNT'", "|||UNH+1'UNT'|| 0 0\n|||UNH+2'UNT'|| 0 0\n"},
    {"UNA:+.\\ ~UNH+1~UNT~UNH+2'~UNT~",
     "UNA:+.\\ ~|||UNH+1~UNT~|| 0 0\nUNA:+.\\ ~|||UNH+2'~UNT~|| 0 0\n"},
    /* groups */
    {"UNB+A'UNG+G'UNH+1'UNT'UNH+2'UNT'UNE+2'UNG+H'UNH+3'UNT'UNE+1'UNZ+2'",
     "|UNB+A'|UNG+G'|UNH+1'UNT'|UNE+2'|UNZ+2' 2 2\n|UNB+A'|UNG+G'|UNH+2'UNT'|UNE+2'|UNZ+2' 2 2\n"
     "|UNB+A'|UNG+H'|UNH+3'UNT'|UNE+1'|UNZ+2' 1 2\n"},
    {"UNB+A'UNG+G'UNE+0'UNG+H'UNH+1'UNT'UNE+1'UNH+2'UNT'UNG+I'UNE+0'UNZ+4'",
     "|UNB+A'|UNG+H'|UNH+1'UNT'|UNE+1'|UNZ+4' 1 4\n|UNB+A'||UNH+2'UNT'||UNZ+4' 0 4\n"},
    /* several interchanges: each with its own UNA, with that of the one before, without any */
    {"UNB+A'UNH+1'UNT'UNZ+1'UNB+B'UNH+1'UNT'UNZ+1'",
     "|UNB+A'||UNH+1'UNT'||UNZ+1' 0 1\n|UNB+B'||UNH+1'UNT'||UNZ+1' 0 1\n"},
    {"UNA:+.? ~UNB+A~UNH+1~UNT~UNZ+1~\nUNA:+.?*#UNB+B#UNH+1#UNT#UNZ+1#",
     "UNA:+.? ~|UNB+A~||UNH+1~UNT~||UNZ+1~ 0 1\nUNA:+.?*#|UNB+B#||UNH+1#UNT#||UNZ+1# 0 1\n"},
    {"UNA:+.? ~UNB+A~UNH+1~UNT~UNZ+1~UNB+B~UNH+1~UNT~UNZ+1~",
     "UNA:+.? ~|UNB+A~||UNH+1~UNT~||UNZ+1~ 0 1\nUNA:+.? ~|UNB+B~||UNH+1~UNT~||UNZ+1~ 0 1\n"},
    {"UNA:+.? ~UNB+A~UNH+1~UNT~UNZ+1~UNB+B'UNH+1'UNT'UNZ+1'",
     "UNA:+.? ~|UNB+A~||UNH+1~UNT~||UNZ+1~ 0 1\n|UNB+B'||UNH+1'UNT'||UNZ+1' 0 1\n"},
    {"UNB+A'UNH+1'UNT'UNZ+1'\xEF\xBB\xBFUNB+B'UNH+1'UNT'UNZ+1'",
     "|UNB+A'||UNH+1'UNT'||UNZ+1' 0 1\n|UNB+B'||UNH+1'UNT'||UNZ+1' 0 1\n"},
    {"UNB+A'UNH+1'UNT'UNZ+1'UNH+2'UNT'UNB+B'UNH+3'UNT'UNZ+1'",
     "|UNB+A'||UNH+1'UNT'||UNZ+1' 0 1\n|||UNH+2'UNT'|| 0 0\n|UNB+B'||UNH+3'UNT'||UNZ+1' 0 1\n"},
    /* packages belong to the message before */
    {"UNB+A'UNH+1'UNT'UNO+1+X+Y+6'UNH+3'UNP+6'UNH+2'UNT'UNZ+3'",
     "|UNB+A'||UNH+1'UNT'UNO+1+X+Y+6'UNH+3'UNP+6'||UNZ+3' 0 3\n|UNB+A'||UNH+2'UNT'||UNZ+3' 0 3\n"},
    {"UNB+A'UNG+G'UNH+1'UNT'\nUNO+1+X+Y+1'\nUNP+1'\nUNO+1+X+Y+1'?UNP+1'UNH+2'UNT'UNE+4'UNZ+1'",
     "|UNB+A'|UNG+G'|UNH+1'UNT'\nUNO+1+X+Y+1'\nUNP+1'\nUNO+1+X+Y+1'?UNP+1'|UNE+4'|UNZ+1' 4 1\n"
     "|UNB+A'|UNG+G'|UNH+2'UNT'|UNE+4'|UNZ+1' 4 1\n"},
    /* no UNZ */
    {"UNB+A'UNH+1'UNT'UNH+2'UNT'\n", "|UNB+A'||UNH+1'UNT'|| 0 0\n|UNB+A'||UNH+2'UNT'|| 0 0\n"},
    {"UNB+A'UNH+1'UNT'UNZ+1'UNB+B'UNG+G'UNH+1'UNT'UNE+1'",
     "|UNB+A'||UNH+1'UNT'||UNZ+1' 0 1\n|UNB+B'|UNG+G'|UNH+1'UNT'|UNE+1'| 1 0\n"},
    {"UNB+A'UNG+G'UNH+1'UNT'", "|UNB+A'|UNG+G'|UNH+1'UNT'|| 0 0\n"},
    {"UNB+A'UNH+1'UNT'UNO+1+X+Y+4'UNT'UNP+4'", "|UNB+A'||UNH+1'UNT'UNO+1+X+Y+4'UNT'UNP+4'|| 0 0\n"},
    /* line ends as terminators */
    {"UNB+A\nUNH+1\nUNT+2\nUNH+2\nFTX+O'B\nUNT+2\nUNZ+2+1",
     "|UNB+A\n||UNH+1\nUNT+2\n||UNZ+2+1 0 2\n|UNB+A\n||UNH+2\nFTX+O'B\nUNT+2\n||UNZ+2+1 0 2\n"},
};

Test(edifact_split, parts)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes body = body_copy(rows[i].body, strlen(rows[i].body));
        struct scan_fault fault = {0};
        uint32_t count = 0;
        cr_expect_eq(scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, &fault), STATUS_OK,
                     "%s: %s at %u", rows[i].body, fault.what, fault.offset);
        cr_expect_str_eq(list_parts(count), rows[i].parts, "%s:\n%s", rows[i].body,
                         list_parts(count));
        body_free(body);
    }
}

/* The `@` in a body is not part of it: it marks the byte to which the fault points. */
struct fault_row {
    const char *body;
    enum scan_reason reason;
};

static const struct fault_row faults[] = {
    {"UNB+A'@UNB+B'UNH'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'@UNB+B'UNH'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNZ'UNB+B'@UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNZ'UNB+B'@", SCAN_TRUNCATED},
    {"UNB+A'UNH'UNT'UNZ'@UNG+B'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNZ'UNA:+.? '@", SCAN_TRUNCATED},
    {"UNB+A'UNH'UNT'UNZ'UNA:+.? '@UNA:+.? 'UNB+B'UNH'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNZ'UNA:+.? @AUNB+B'UNH'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNZ'@BGM+1'", SCAN_TRAILING},
    {"UNB+A'UNH'UNT'UNZ'@\xEF\xBB\xBF", SCAN_TRAILING},
    {"UNB+A'UNH'UNT'UNH'@UNH'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNH'UNT'@UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNG'UNH'UNT'UNH'UNT'@UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNG'UNH'UNT'@UNG'UNH'UNT'UNE'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNG'UNH'UNT'UNE'UNG'@UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNH'@bgm'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+A'UNH'UNT'UNH'UNT@", SCAN_TRUNCATED},
    {"UNB+A'UNH'UNT'UNH'BGM'@", SCAN_TRUNCATED},
    {"UNB+A'UNH'UNT'UNG'@", SCAN_TRUNCATED},
    {"UNH'UNT'@UNZ'", SCAN_TRAILING},
    {"UNH'UNT'UNH'@UNB'", SCAN_MALFORMED},
};

Test(edifact_split, faults)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char text[256];
        const char *mark = strchr(faults[i].body, '@');
        uint32_t offset = (uint32_t)(mark - faults[i].body);
        memcpy(text, faults[i].body, offset);
        strcpy(text + offset, mark + 1);
        struct bytes body = body_copy(text, strlen(text));
        struct scan_fault fault = {0};
        uint32_t count = 7;
        cr_expect_eq(scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, &fault),
                     STATUS_INVALID, "%s", faults[i].body);
        cr_expect_eq(fault.reason, faults[i].reason, "%s: %s (%s)", faults[i].body,
                     scan_reason_word(fault.reason), fault.what);
        cr_expect_eq(fault.offset, offset, "%s: at %u (%s)", faults[i].body, fault.offset,
                     fault.what);
        cr_expect_eq(count, 7, "untouched on failure");
        body_free(body);
    }
}

Test(edifact_split, bounds)
{
    enum { MESSAGE_BYTES = 9 };
    static char text[(EDIFACT_PARTS_MAX + 1) * MESSAGE_BYTES];
    for (uint32_t i = 0; i <= EDIFACT_PARTS_MAX; i++)
        memcpy(text + i * MESSAGE_BYTES, "UNH'UNT'\n", MESSAGE_BYTES);
    for (uint32_t messages = EDIFACT_PARTS_MAX; messages <= EDIFACT_PARTS_MAX + 1; messages++) {
        struct bytes body = body_copy(text, messages * MESSAGE_BYTES);
        struct scan_fault fault = {0};
        uint32_t count = 0;
        enum status status = scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, &fault);
        if (messages == EDIFACT_PARTS_MAX) {
            cr_expect_eq(status, STATUS_OK);
            cr_expect_eq(count, EDIFACT_PARTS_MAX);
        } else {
            cr_expect_eq(status, STATUS_INVALID);
            cr_expect_eq(fault.reason, SCAN_TOO_MANY_MESSAGES);
            cr_expect_eq(fault.offset, EDIFACT_PARTS_MAX * MESSAGE_BYTES);
        }
        body_free(body);
    }
}

/* What is captured from a part, and where it lies in the whole body. */
Test(edifact_split, captures)
{
    static const char text[] = "UNA|+.?*~UNB+UNOC|3+S\xE9+R++77~\n"
                               "UNG+CUSCAR++++G1~UNH+1+CUSCAR|D|95B|UN~CNI+1+B1~UNT+3+1~UNE~\n"
                               "UNH+2+CUSRES|D|96B|UN~BGM++D2*D3~UNT+3+2~UNZ+2~";
    struct bytes body = body_copy(text, sizeof text - 1);
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    struct scan_fault fault = {0};
    struct edifact_peek peek;
    uint32_t count = 0;
    cr_assert_eq(scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, &fault), STATUS_OK);
    cr_assert_eq(count, 2);

    cr_assert_eq(scan_edifact_part_peek(body, &parts[0], &peek, &fault), STATUS_OK);
    cr_expect(bytes_equal_text(peek.type, "CUSCAR"));
    cr_assert_eq(stand_scan_part(&stand, &plan, body, &parts[0], &fault), STATUS_OK);
    cr_expect_str_eq(stand_listing(&stand),
                     "sender=S\xC3\xA9\nreceiver=R\ncontrol=77\ngroup=G1\nreference=1\n"
                     "1/consignment=B1\ncount=3\n");

    cr_assert_eq(scan_edifact_part_peek(body, &parts[1], &peek, &fault), STATUS_OK);
    cr_expect(bytes_equal_text(peek.type, "CUSRES"));
    cr_expect(bytes_equal_text(peek.release, "96B"));
    cr_expect(peek.service_advice);
    cr_assert_eq(stand_scan_part(&stand, &plan, body, &parts[1], &fault), STATUS_OK);
    cr_expect_str_eq(stand_listing(&stand),
                     "sender=S\xC3\xA9\nreceiver=R\ncontrol=77\nreference=2\n"
                     "document=D2\ndocument=D3\ncount=3\n");
    const struct capture *document = &stand.scan.captures[4];
    cr_expect_eq(document->offset, strstr(text, "D2*") - text);
    cr_expect_eq(document->value.data, body.data + document->offset, "a view of the whole body");
    stand_close(&stand);
    body_free(body);
}

/* ---- Generated bodies, each part of which is scanned alone as well
 * -------------------------------
 */

enum { BODIES = 2000, BODY_BYTES = 256 * 1024 };

struct writer {
    uint64_t state;
    uint8_t element, component, terminator;
    char body[BODY_BYTES];
    size_t size;
    uint32_t message_count;
    uint32_t message_starts[EDIFACT_PARTS_MAX];
};

static void put_bytes(struct writer *writer, const void *data, size_t size)
{
    cr_assert(writer->size + size <= sizeof writer->body);
    memcpy(writer->body + writer->size, data, size);
    writer->size += size;
}

static void put_segment(struct writer *writer, const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;
        byte = byte == '+' ? writer->element : byte == ':' ? writer->component : byte;
        put_bytes(writer, &byte, 1);
    }
    put_bytes(writer, &writer->terminator, 1);
}

static void put_blanks(struct writer *writer)
{
    for (uint32_t count = random_below(&writer->state, 3); count > 0; count--)
        put_bytes(writer, &" \r\n\t"[random_below(&writer->state, 4)], 1);
}

/* An object of any bytes, among them whatever looks like the end of something. */
static void put_package(struct writer *writer)
{
    static const uint8_t pieces[] = "UNP+UNT'UNH~?\0\xFF#UNZ";
    char header[64];
    uint32_t size = random_below(&writer->state, 100);
    snprintf(header, sizeof header, "UNO+7+X:Y+Z+%u", size);
    put_segment(writer, header);
    for (uint32_t i = 0; i < size; i++)
        put_bytes(writer, &pieces[random_below(&writer->state, sizeof pieces - 1)], 1);
    snprintf(header, sizeof header, "UNP+%u+7", size);
    put_segment(writer, header);
    put_blanks(writer);
}

static void put_message(struct writer *writer, bool with_package)
{
    char segment[64];
    uint32_t number = writer->message_count;
    writer->message_starts[writer->message_count++] = (uint32_t)writer->size;
    snprintf(segment, sizeof segment, "UNH+%u+CUSCAR:D:95B:UN", number);
    put_segment(writer, segment);
    for (uint32_t count = random_below(&writer->state, 6); count > 0; count--) {
        put_blanks(writer);
        snprintf(segment, sizeof segment, "CNI+%u+B%u", count, number);
        put_segment(writer, random_below(&writer->state, 2) == 0 ? segment : "FTX+AAI+++UNT");
    }
    put_segment(writer, "UNT+2+1");
    put_blanks(writer);
    if (with_package && random_below(&writer->state, 4) == 0)
        put_package(writer);
}

static void put_messages(struct writer *writer)
{
    for (uint32_t count = 1 + random_below(&writer->state, 4); count > 0; count--)
        put_message(writer, true);
}

static void put_interchange(struct writer *writer)
{
    bool advised = writer->terminator != '\'';
    if (advised) {
        uint8_t advice[] = {'U', 'N', 'A', writer->component, writer->element,
                            '.', '?', ' ', writer->terminator};
        put_bytes(writer, advice, sizeof advice);
    }
    put_segment(writer, "UNB+UNOA:3+SENDER+RECEIVER++1");
    put_blanks(writer);
    if (random_below(&writer->state, 2) == 0) {
        put_messages(writer);
    } else {
        for (uint32_t groups = 1 + random_below(&writer->state, 3); groups > 0; groups--) {
            put_segment(writer, "UNG+CUSCAR+A+B++G");
            put_messages(writer);
            put_segment(writer, "UNE+9+G");
            put_blanks(writer);
        }
    }
    put_segment(writer, "UNZ+9+1");
    put_blanks(writer);
}

static void write_body(struct writer *writer, uint64_t seed)
{
    writer->state = seed;
    writer->size = 0;
    writer->message_count = 0;
    for (uint32_t count = 1 + random_below(&writer->state, 3); count > 0; count--) {
        static const char characters[][3] = {
            {'+', ':', '\''}, {'+', ':', '~'}, {'|', '^', '#'}, {'*', '=', '\n'}};
        const char *set = characters[random_below(&writer->state, 4)];
        writer->element = (uint8_t)set[0];
        writer->component = (uint8_t)set[1];
        writer->terminator = (uint8_t)set[2];
        put_interchange(writer);
    }
}

Test(edifact_split, generated)
{
    static struct writer writer;
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    for (uint64_t seed = 1; seed <= BODIES; seed++) {
        write_body(&writer, seed);
        struct bytes body = body_copy(writer.body, writer.size);
        struct scan_fault fault = {0};
        uint32_t count = 0;
        cr_assert_eq(scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, &fault), STATUS_OK,
                     "seed %" PRIu64 ": %s at %u", seed, fault.what, fault.offset);
        cr_assert_eq(count, writer.message_count, "seed %" PRIu64, seed);
        for (uint32_t i = 0; i < count; i++) {
            cr_assert_eq(parts[i].message.data, body.data + writer.message_starts[i],
                         "seed %" PRIu64, seed);
            cr_assert_eq(stand_scan_part(&stand, &plan, body, &parts[i], &fault), STATUS_OK);
            char *listing = strdup(stand_listing(&stand));
            struct bytes alone = part_alone(&parts[i]);
            cr_assert_eq(stand_scan(&stand, &plan, alone, &fault), STATUS_OK,
                         "seed %" PRIu64 ", part %u: %s at %u", seed, i, fault.what, fault.offset);
            cr_assert_str_eq(listing, stand_listing(&stand), "seed %" PRIu64, seed);
            free(listing);
            body_free(alone);
        }
        body_free(body);
    }
    stand_close(&stand);
}

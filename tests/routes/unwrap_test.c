/* EDIFACT in lines of one length: read as if there were no line ends, wherever they stand; faults
 * where they are in the body. */
#include "profile_fixture.h"
#include "routes/edifact/unwrap.h"

#define HEAD "UNB+UNOA:2+SHIPPER+PORT+240101:1200+77'UNH+1+CUSDEC:D:96B:UN'"

enum { BODY_MAX = 8192 };

struct body {
    char data[BODY_MAX];
    size_t size;
};

static struct profile_fixture *fixture;

static void open_fixture(void)
{
    fixture = fixture_open_shipped();
}

static void close_fixture(void)
{
    fixture_close(fixture);
}

TestSuite(unwrap, .init = open_fixture, .fini = close_fixture);

/* A line end behind every `columns` bytes. */
static struct bytes wrap(struct bytes text, size_t columns, const char *line_end, struct body *body)
{
    body->size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (i > 0 && i % columns == 0)
            body->size += (size_t)sprintf(body->data + body->size, "%s", line_end);
        body->data[body->size++] = (char)text.data[i];
        cr_assert_lt(body->size, BODY_MAX - BYTES_PADDING);
    }
    return bytes_make(body->data, body->size);
}

static const char *const line_ends[] = {"\n", "\r\n"};

/* Whatever the line ends cut: where they leave all tags whole as well, and stand in values. */
Test(unwrap, any_column)
{
    static const char *const names[] = {"cusdec_d96b.edi", "cuscar_d95b_una.edi"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        static struct body body, joined;
        char path[256];
        sprintf(path, "tests/data/edifact/%s", names[i]);
        struct bytes sample = fixture_load(path);
        cr_assert_not_null(sample.data, "%s", path);
        joined.size = 0;
        for (size_t k = 0; k < sample.size; k++)
            if (sample.data[k] != '\n' && sample.data[k] != '\r')
                joined.data[joined.size++] = (char)sample.data[k];
        struct bytes text = bytes_make(joined.data, joined.size);
        char *expected = strdup(fixture_read_bytes(fixture, text));
        cr_assert_not_null(strstr(expected, "message_type=CUS"), "%s", expected);
        for (size_t columns = UNWRAP_LINE_MIN; columns < text.size / 2; columns++)
            for (size_t k = 0; k < 2; k++) {
                struct bytes wrapped = wrap(text, columns, line_ends[k], &body);
                const char *line = fixture_read_bytes(fixture, wrapped);
                cr_expect_str_eq(line, expected, "%s, %zu columns: %s", names[i], columns, line);
            }
        free(expected);
        free((void *)sample.data);
    }
}

Test(unwrap, what_looks_wrapped)
{
    static const struct {
        const char *body;
        bool wrapped;
    } rows[] = {
        {"UNB+UNOA:1+AA\n+B'UNH+1+X:D'\nUNT+2+1'", true},
        {"UNB+UNOA:1+AA\r\n+B'UNH+1+X:D'\r\nUNT+2+1'\r\n \r\n", true},
        {"UNB+UNOA:1+AA\n+B'UNH+1+X:D'\nBGM+1'UNT+2'\n", true},
        {"\xEF\xBB\xBFUNA:+.? 'UNB\n+UNOA:1+A+B'UNH\n+1'", true},
        {"UNB+UNOA:1+A\xC3\x84\n+B'UNH+1+X:D'\nUNT+2+1'", true}, /* characters */
        {"UNB+UNOA:1+A\xC4\n+B'UNH+1+X:D'\nUNT+2+1'", true},
        {"UNB+UNOA:1+AA\n+B'UNH+1+X:D'", false},          /* one line, and a last one */
        {"UNB+UNOA:1+'\nUNH+1+CU:D'\nUNT+2+1'\n", false}, /* no segment is cut */
        {"UNB+UNOA:1+AA\n+B'UNH+1+X:'\nUNT+2+1'", false},
        {"UNB+UNOA:1+AA\n+B'UNH+1+X:D'\nBGM+1'UNT+2+1'", false}, /* the last is longer */
        {"UNB+UNOA:1+AA\n+B'UNH+1+X:D'\nUNT+2\n+1'", false},
        {"UNB+UNOA:1+AA\n+B'UNH+1+X:\r'\nUNT+2+1'", false},
        {"UNB+UNOA:1+\n+B'UNH+1+X:\nUNT+2+1'", false}, /* short */
        {"UNH+1+CUSDEC\n:D:96B:UN'BG\nM+1'", false},
        {"{\"a\":\"12345\"\n,\"b\":\"1234\"\n,\"b\":1}", false},
        {"UNB+UNOA:1+A", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(unwrap_is_needed(bytes_from_text(rows[i].body)), rows[i].wrapped,
                     "row %zu: %s", i, rows[i].body);
}

/* The `@` of a text is not part of it: it marks the byte to which the fault points. */
Test(unwrap, faults_stand_in_the_body)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {HEAD "BGM+929+5317'@gM+1'UNT+4+1'UNZ+1+77'", "MALFORMED"},
        {HEAD "BGM+929+5317'UNT+3+1'@BGM+1'UNZ+1+77'", "MALFORMED"},
        {HEAD "BGM+929+5317'UNT+3+1'@UNH+2+CUSDEC:D:96B:UN'BGM+1'UNT+3+2'UNZ+2+77'",
         "MANYMESSAGES"},
        {HEAD "BGM+929+5317'UNT+3+1@", "TRUNCATED"},
        {"UNB+UNOW:4+SHIPPER+PORT+240101:1200+77'UNH+1+CUSDEC:D:96B:UN'BGM+929+5317@\xFF'LOC+22+53'"
         "UNT+4+1'UNZ+1+77'",
         "ENCODING"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t columns = UNWRAP_LINE_MIN; columns < 35; columns++)
            for (size_t k = 0; k < 2; k++) {
                static struct body body;
                char text[512], expected[64];
                strcpy(text, rows[i].text);
                char *mark = strchr(text, '@');
                size_t offset = (size_t)(mark - text);
                memmove(mark, mark + 1, strlen(mark));
                struct bytes whole = bytes_from_text(text);
                struct bytes wrapped = wrap(whole, columns, line_ends[k], &body);
                size_t lines = offset == whole.size ? (offset - 1) / columns : offset / columns;
                sprintf(expected, "%s %zu", rows[i].word, offset + lines * strlen(line_ends[k]));
                const char *line = fixture_read_bytes(fixture, wrapped);
                cr_expect(strncmp(line, expected, strlen(expected)) == 0, "%s, %zu: %s, not %s",
                          text, columns, line, expected);
            }
}

/* Line ends that are terminators, at one distance by chance: the body is read as it stands. */
Test(unwrap, lines_that_mean_something)
{
    static const char lines[] = "UNB+UNOA:1+AB+D+1:1+R1\nUNH+1+CUSDEC:D:96B:UN \n"
                                "BGM+929+53172024000041\nUNT+3+1\n";
    cr_assert(unwrap_is_needed(bytes_from_text(lines)));
    const char *line = fixture_read(fixture, lines);
    cr_expect_not_null(strstr(line, "message_type=CUSDEC"), "%s", line);
}

/* A body of several messages is not taken apart; one that does not fit the space is read again
 * alone, and refused if it never fits. */
Test(unwrap, bounds)
{
    static const char two[] = HEAD "UNT+2+1'UNH+2+CUSDEC:D:96B:UN'UNT+2+2'UNZ+2+77'";
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    static struct body body;
    struct scan_fault fault = {0};
    struct reading reading;
    struct reading_space *space = &fixture->reader.space;
    struct bytes wrapped = wrap(bytes_from_text(two), 20, "\n", &body);
    cr_expect_eq(read_split(wrapped, parts, &fault), 0);
    wrapped = wrap(BYTES_LITERAL(HEAD "BGM+929+5317+9'UNT+3+1'UNZ+1+77'"), 20, "\n", &body);
    space->text_capacity = (uint32_t)(2 * wrapped.size + BYTES_PADDING);
    cr_assert_eq(read_message(&fixture->set, NULL, &fixture->reader, wrapped, &reading, &fault),
                 STATUS_OK, "%s at %u", scan_reason_word(fault.reason), fault.offset);
    uint32_t used = space->text_used;
    cr_expect_gt(used, 0);
    cr_expect_eq(read_message(&fixture->set, NULL, &fixture->reader, wrapped, &reading, &fault),
                 STATUS_FULL);
    cr_expect_eq(space->text_used, used);
    reader_reset(&fixture->reader);
    space->text_capacity = 64;
    cr_expect_eq(read_message(&fixture->set, NULL, &fixture->reader, wrapped, &reading, &fault),
                 STATUS_INVALID);
    cr_expect_eq(fault.reason, SCAN_TOO_MANY_VALUES);
    cr_expect_eq(space->text_used, 0);
}

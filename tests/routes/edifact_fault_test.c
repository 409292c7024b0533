/* Which fault a broken interchange has, and where. */
#include "routes/edifact/edifact_walk.h"
#include "tests/routes/edifact_stand.h"

/* The `@` in a body is not part of it: it marks the byte to which the fault points. */
struct fault_row {
    const char *body;
    enum scan_reason reason;
};

static const struct fault_row faults[] = {
    {"@", SCAN_EMPTY},
    {" \r\n\t@", SCAN_EMPTY},
    {"\xEF\xBB\xBF\n@", SCAN_EMPTY},
    /* UNA */
    {"UNA:+.?@", SCAN_TRUNCATED},
    {"UNA:+.? @", SCAN_TRUNCATED},
    {"UNA:+.? '@", SCAN_TRUNCATED},
    {"UNA:@:.? 'UNH'UNT'", SCAN_MALFORMED},
    {"UNA:+.? @+UNH+UNT+", SCAN_MALFORMED},
    {"UNA:+@+? 'UNH'UNT'", SCAN_MALFORMED},
    {"UNA:+.?@?'UNH'UNT'", SCAN_MALFORMED},
    {"UNA@A+.? 'UNH'UNT'", SCAN_MALFORMED},
    {"UNA:+.? @zUNHzUNTz", SCAN_MALFORMED},
    {"UNA:+.@0 'UNH'UNT'", SCAN_MALFORMED},
    {"UNA:@ .? 'UNH'UNT'", SCAN_MALFORMED},
    {"UNA:+.? @ UNH UNT ", SCAN_MALFORMED},
    {"UNA:+.? @\tUNH\tUNT\t", SCAN_MALFORMED},
    {"UNA:+.? @\xA7UNH\xA7UNT\xA7", SCAN_MALFORMED},
    /* tags and terminators */
    {"UNB+UNOA:1'@unh+1'UNT'UNZ'", SCAN_MALFORMED},
    {"UNH+1'B@gM+1'UNT'", SCAN_MALFORMED},
    {"UNH+1'@1GM+1'UNT'", SCAN_MALFORMED},
    {"UNH+1'BG@+1'UNT'", SCAN_MALFORMED},
    {"UNH+1'BGM@X+1'UNT'", SCAN_MALFORMED},
    {"UNH+1'BGM@?+1'UNT'", SCAN_MALFORMED},
    {"UNH+1'BGM@\n+1'UNT'", SCAN_MALFORMED},
    {"UNH+1'@'UNT'", SCAN_MALFORMED},
    {"UNH+1'@\x1A", SCAN_MALFORMED},
    {"@<a/>", SCAN_MALFORMED},
    {"@\xEF\xBBUNH+1'UNT'", SCAN_MALFORMED},
    {"UNH+1'UNT+2+1@", SCAN_TRUNCATED},
    {"UNH+1'UNT+2+1?'@", SCAN_TRUNCATED},
    {"UNH+1'UNT+2+1\r\n@", SCAN_TRUNCATED},
    {"UNH+1'UN@", SCAN_TRUNCATED},
    {"UNH+1'UNT@", SCAN_TRUNCATED},
    {"UNB+UNOA:1+A\nUNH+1\nBGM+1\n@", SCAN_TRUNCATED},
    {"UNB+UNOA:1+A\nUNH+1\n@b\nUNT+2+1\n", SCAN_MALFORMED},
    {"UNB+UNOA:1+A\n@", SCAN_TRUNCATED},
    {"UNB+UNOA:1+A\nB+C@", SCAN_TRUNCATED},
    {"UNB+IATB:1+A\"\nUNH+1\"\nUNT+2+1@", SCAN_TRUNCATED},
    {"UNB+UNOA:1+A@", SCAN_TRUNCATED},
    /* the envelope */
    {"@BGM+1'", SCAN_MALFORMED},
    {"@UNT+1'", SCAN_MALFORMED},
    {"@UNG+1'UNH'UNT'UNE'", SCAN_MALFORMED},
    {"@UIB+UNOA:4'", SCAN_MALFORMED},
    {"UNB+UNOA:1'@BGM+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'@UNZ+0+1'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNG'UNE'@UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNG'@UNG'UNH'UNT'UNE'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'@UNH'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'@UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'@UNE'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'@UNE'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'@UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'@BGM'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNG'UNH'UNT'@UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'@UNA:+.? 'UNT'UNZ'", SCAN_MALFORMED},
    /* packages */
    {"UNB+UNOA:1'UNH'@UNO+1+9'\x01\x02'UNP'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'@UNP+9'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'@UNO+1+X+Y+2'\x01\x02UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNG'UNH'UNT'UNE'@UNO+1+X+Y+2'\x01\x02UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y@'\x01\x02UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+@-2'\x01\x02UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+@9999999999'\x01\x02UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+2:@x'\x01\x02UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+1'\x01@\x02UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+3'\x01\x02U@NP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+99'\x01\x02UNP+2+1'UNZ'@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+2'\x01\x02UNP@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+2:3'USH'USA'@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNH'UNT'UNO+1+X+Y+2'\x01\x02UNP+2+1'@UNP+2+1'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNG'@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNH'BGM'@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNH'UNT@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNH'UNT'UNZ+1@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNG'UNE'@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNG'UNH'UNT'UNE@", SCAN_TRUNCATED},
    {"UNB+UNOA:1'UNG'UNH'UNT'UNE'UNG'@", SCAN_TRUNCATED},
    {"UNH'@", SCAN_TRUNCATED},
    /* more than one message, and what follows the end */
    {"UNB+UNOA:1'UNH'UNT'@UNH'UNT'UNZ'", SCAN_MANY_MESSAGES},
    {"UNB+UNOA:1'UNG'UNH'UNT'@UNH'UNT'UNE'UNZ'", SCAN_MANY_MESSAGES},
    {"UNB+UNOA:1'UNG'UNH'UNT'UNE'UNG'@UNH'UNT'UNE'UNZ'", SCAN_MANY_MESSAGES},
    {"UNB+UNOA:1'UNG'UNH'UNT'UNE'@UNH'UNT'UNZ'", SCAN_MANY_MESSAGES},
    {"UNB+UNOA:1'UNH'UNT'UNZ'\n@UNB+UNOA:1'UNH'UNT'UNZ'", SCAN_MANY_MESSAGES},
    {"UNB+UNOA:1'UNH'UNT'UNZ'@UNA:+.? 'UNB+UNOA:1'", SCAN_MANY_MESSAGES},
    {"UNH'UNT'\n@\xEF\xBB\xBFUNB+UNOA:1'UNH'UNT'UNZ'", SCAN_MANY_MESSAGES},
    {"UNB+UNOA:1'@UNB+UNOA:1'UNH'UNT'UNZ'", SCAN_MALFORMED},
    {"UNB+UNOA:1'UNH'UNT'@UNB+UNOA:1'", SCAN_MALFORMED},
    {"UNH'UNT'@UNH'UNT'", SCAN_MANY_MESSAGES},
    {"UNB+UNOA:1'UNH'UNT'UNZ' @x", SCAN_TRAILING},
    {"UNB+UNOA:1'UNH'UNT'UNZ'@BGM+1'", SCAN_TRAILING},
    {"UNH'UNT'@UNZ+1'", SCAN_TRAILING},
    {"UNH'UNT'@\x1A", SCAN_TRAILING},
    {"UNH'UNT'@'", SCAN_TRAILING},
    /* character sets of captured values */
    {"UNB+UNOW:4+AB@\xE9'UNH'UNT'UNZ'", SCAN_ENCODING},
    {"UNB+UNOX:4+AB@\xE9'UNH'UNT'UNZ'", SCAN_ENCODING},
    {"UNB+UNOF:4+?+@\xFF'UNH'UNT'UNZ'", SCAN_ENCODING},
    {"\xEF\xBB\xBFUNB+UNOC:3+@\xE9'UNH'UNT'UNZ'", SCAN_ENCODING},
    {"UNB+UNOX:3+A'UNH+1'FTX+@\x1B$B'UNT'UNZ'", SCAN_ENCODING},
    {"UNB+UNOX:3+A'UNH+1'FTX+@\x0E'UNT'UNZ'", SCAN_ENCODING},
    {"UNA|+.? 'UNB+UNOX|3+A'UNH+1'FTX+@\xD5|'UNT'UNZ'", SCAN_ENCODING},
    {"UNA:+.\\ 'UNB+UNOX:3+A'UNH+1'FTX+@\xD5\\'UNT'UNZ'", SCAN_ENCODING},
    {"UNA:+.? ~UNB+UNOX:3+A~UNH+1~FTX+@\xD5~UNT~UNZ~", SCAN_ENCODING},
};

static void check(struct stand *stand, const struct fault_row *row, const char *junk)
{
    const struct plan plan = stand_plan();
    char text[256];
    const char *mark = strchr(row->body, '@');
    cr_assert_not_null(mark);
    uint32_t offset = (uint32_t)(mark - row->body);
    memcpy(text, row->body, offset);
    strcpy(text + offset, mark + 1);
    struct bytes body = body_copy_before(text, strlen(text), junk);
    struct scan_fault fault = {0};
    cr_expect_eq(stand_scan(stand, &plan, body, &fault), STATUS_INVALID, "%s", row->body);
    cr_expect_eq(fault.reason, row->reason, "%s: %s (%s)", row->body,
                 scan_reason_word(fault.reason), fault.what);
    cr_expect_eq(fault.offset, offset, "%s: at %u (%s)", row->body, fault.offset, fault.what);
    body_free(body);
}

Test(edifact_fault, table)
{
    static const char *const junks[] = {"'", "B+1'UNZ'", "?", "\n"};
    struct stand stand;
    stand_open(&stand);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        for (size_t k = 0; k < sizeof junks / sizeof junks[0]; k++)
            check(&stand, &faults[i], junks[k]);
    stand_close(&stand);
}

/* What is refused for want of support says so. */
Test(edifact_fault, names_what_is_not_supported)
{
    static const struct {
        const char *body, *what;
    } rows[] = {
        {"UIB+UNOA:4'", "interactive interchanges (UIB) are not accepted"},
        {"UNH+1'UNO+1+9'\x01\x02'UNP'UNT'", "a package (UNO) stands between messages, not in one"},
        {"UNB+UNOA:1'UNZ+0+1'", "an interchange without a message"},
    };
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes body = body_copy(rows[i].body, strlen(rows[i].body));
        struct scan_fault fault = {0};
        cr_expect_eq(stand_scan(&stand, &plan, body, &fault), STATUS_INVALID);
        cr_expect_str_eq(fault.what, rows[i].what);
        body_free(body);
    }
    stand_close(&stand);
}

/* A body of a head, `count` times a middle, and a tail. */
static struct bytes body_repeat(const char *head, const char *middle, uint32_t count,
                                const char *tail)
{
    size_t head_size = strlen(head), middle_size = strlen(middle);
    char *text = malloc(head_size + middle_size * count + strlen(tail) + 1);
    cr_assert_not_null(text);
    strcpy(text, head);
    for (uint32_t i = 0; i < count; i++)
        memcpy(text + head_size + i * middle_size, middle, middle_size);
    strcpy(text + head_size + count * middle_size, tail);
    struct bytes body = body_copy(text, strlen(text));
    free(text);
    return body;
}

static void expect(struct stand *stand, struct bytes body, enum status status,
                   enum scan_reason reason, uint32_t offset)
{
    const struct plan plan = stand_plan();
    struct scan_fault fault = {0};
    cr_expect_eq(stand_scan(stand, &plan, body, &fault), status, "%s",
                 scan_reason_word(fault.reason));
    cr_expect_eq(fault.reason, reason, "%s", scan_reason_word(fault.reason));
    cr_expect_eq(fault.offset, offset, "%u", fault.offset);
    body_free(body);
}

Test(edifact_fault, bounds)
{
    struct stand stand;
    stand_open(&stand);
    /* entries */
    expect(&stand, body_repeat("UNH'", "CNI'", 256, "UNT'"), STATUS_OK, SCAN_NONE, 0);
    cr_expect_eq(stand.scan.entry_count, 256);
    expect(&stand, body_repeat("UNH'", "CNI'", 257, "UNT'"), STATUS_INVALID, SCAN_TOO_MANY_ENTRIES,
           4 + 256 * 4);
    /* captures */
    expect(&stand, body_repeat("UNH'", "CST++9'", SCAN_CAPTURES_MAX, "UNT'"), STATUS_OK, SCAN_NONE,
           0);
    expect(&stand, body_repeat("UNH'", "CST++9'", SCAN_CAPTURES_MAX + 1, "UNT'"), STATUS_INVALID,
           SCAN_TOO_MANY_VALUES, 4 + SCAN_CAPTURES_MAX * 7 + 5);
    /* the size of a value: as it stands, with releases, and decoded */
    expect(&stand, body_repeat("UNH+", "x", 1024, "'UNT'"), STATUS_OK, SCAN_NONE, 0);
    expect(&stand, body_repeat("UNH+", "x", 1025, "'UNT'"), STATUS_INVALID, SCAN_VALUE_TOO_LONG, 4);
    expect(&stand, body_repeat("UNH+", "?+", 1024, "'UNT'"), STATUS_OK, SCAN_NONE, 0);
    cr_expect_eq(stand.scan.captures[0].value.size, 1024);
    expect(&stand, body_repeat("UNH+", "?+", 1025, "'UNT'"), STATUS_INVALID, SCAN_VALUE_TOO_LONG,
           4);
    expect(&stand, body_repeat("UNH+", "\xE9", 512, "'UNT'"), STATUS_OK, SCAN_NONE, 0);
    cr_expect_eq(stand.scan.captures[0].value.size, 1024);
    expect(&stand, body_repeat("UNH+", "\xE9", 513, "'UNT'"), STATUS_INVALID, SCAN_VALUE_TOO_LONG,
           4);
    /* an untapped value may be of any length, and have any number of elements beside it */
    expect(&stand, body_repeat("UNH'FTX+", "x", 100000, "'UNT'"), STATUS_OK, SCAN_NONE, 0);
    expect(&stand, body_repeat("UNH'BGM", "+", 100000, "'UNT'"), STATUS_OK, SCAN_NONE, 0);
    /* blanks between segments, over several windows of the walk */
    expect(&stand, body_repeat("UNH'", " \r\n", 10000, "UNT'"), STATUS_OK, SCAN_NONE, 0);
    expect(&stand, body_repeat("UNH'", " ", 10000, "BGM+?'UNT'"), STATUS_INVALID, SCAN_TRUNCATED,
           4 + 10000 + 10);
    stand_close(&stand);
}

Test(edifact_fault, full_space_is_no_fault)
{
    struct stand stand;
    stand_open(&stand);
    stand.space.text_capacity = 16;
    expect(&stand, body_repeat("UNH+", "?+", 8, "'UNT'"), STATUS_FULL, SCAN_NONE, 0);
    stand.space.text_capacity = 64;
    expect(&stand, body_repeat("UNH+", "?+", 8, "'UNT'"), STATUS_OK, SCAN_NONE, 0);
    cr_expect_eq(stand.space.text_used, 8);
    stand_close(&stand);
}

/* More components than are found by their places: what lies behind them is found all the same. */
Test(edifact_fault, crowded_segment)
{
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    for (uint32_t count = EDIFACT_COMPONENTS_MAX - 2; count <= EDIFACT_COMPONENTS_MAX + 2;
         count++) {
        struct bytes body = body_repeat("UNH'BGM+a", ":b", count, "+doc:1:2+9:1'UNT'");
        struct scan_fault fault;
        cr_assert_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK);
        cr_assert_eq(stand.scan.capture_count, 2, "%u components", count);
        cr_expect(bytes_equal_text(stand.scan.captures[0].value, "doc"), "%u components", count);
        cr_expect(bytes_equal_text(stand.scan.captures[1].value, "9"), "%u components", count);
        body_free(body);
    }
    stand_close(&stand);
}

/* The last element that a plan may tap, and the first that it may not. */
Test(edifact_fault, last_element)
{
    struct stand stand;
    stand_open(&stand);
    const struct plan_component row = {
        .tag = {'B', 'G', 'M'}, .tap = 0, .element = PLAN_ELEMENT_MAX, .component = 1};
    struct plan plan = stand_plan();
    plan.components = &row;
    plan.component_count = 1;
    for (uint32_t count = PLAN_ELEMENT_MAX - 1; count <= PLAN_ELEMENT_MAX + 2; count++) {
        struct bytes body = body_repeat("UNH'BGM", "+xy", count, "'UNT'");
        struct scan_fault fault;
        cr_assert_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK);
        bool there = count >= PLAN_ELEMENT_MAX;
        cr_assert_eq(stand.scan.capture_count, there ? 1 : 0, "%u elements", count);
        if (there)
            cr_expect(bytes_equal_text(stand.scan.captures[0].value, "xy"), "%u elements", count);
        body_free(body);
    }
    stand_close(&stand);
}

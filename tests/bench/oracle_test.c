/* The oracles agree with true scans of each format, and object to false ones. */
#include <criterion/criterion.h>

#include "bench/oracle/oracle.h"
#include "bench/oracle/samples.h"

struct stand {
    struct samples samples;
    struct oracle oracle;
    struct sample sample;
    enum status status;
    struct scan_fault fault;
    struct scan *scan;
};

/* A body of a shipped profile, scanned. */
static void open_stand(struct stand *stand, enum format format, const char *profile,
                       const char *text)
{
    cr_assert_eq(samples_open(&stand->samples), STATUS_OK);
    oracle_init(&stand->oracle);
    stand->scan = &stand->samples.reader.scan;
    stand->sample = (struct sample){.format = format};
    stand->sample.profile = profile_set_find(&stand->samples.profiles, bytes_from_text(profile));
    cr_assert_not_null(stand->sample.profile, "there is no profile %s", profile);
    stand->sample.plan = &stand->sample.profile->plan;
    stand->sample.body = arena_copy(&stand->samples.arena, bytes_from_text(text));
    stand->fault = (struct scan_fault){0};
    stand->status = sample_scan(&stand->samples, &stand->sample, &stand->fault);
}

static void close_stand(struct stand *stand)
{
    oracle_deinit(&stand->oracle);
    samples_close(&stand->samples);
}

static const char *objection(struct stand *stand)
{
    enum oracle_verdict verdict =
        oracle_ask(&stand->oracle, stand->sample.plan, stand->sample.body, 0);
    return oracle_objection(&stand->oracle, verdict, stand->status, &stand->fault, stand->scan);
}

/* Agreement, and an objection to each way in which a scan could be wrong. */
static void check_good(enum format format, const char *profile, const char *text,
                       uint32_t least_values)
{
    struct stand stand;
    open_stand(&stand, format, profile, text);
    cr_assert_eq(stand.status, STATUS_OK);
    cr_assert_geq(stand.scan->capture_count, least_values);
    cr_assert_null(objection(&stand), "%s", objection(&stand));

    struct capture *last = &stand.scan->captures[stand.scan->capture_count - 1];
    struct capture kept = *last;
    last->value = BYTES_LITERAL("another");
    cr_expect_not_null(objection(&stand), "another value");
    *last = kept;
    last->entry++;
    cr_expect_not_null(objection(&stand), "another entry");
    *last = kept;
    last->tap++;
    cr_expect_not_null(objection(&stand), "another tap");
    *last = kept;
    stand.scan->capture_count--;
    cr_expect_not_null(objection(&stand), "a value too few");
    stand.scan->capture_count++;
    stand.scan->entry_count++;
    cr_expect_not_null(objection(&stand), "an entry too many");
    stand.scan->entry_count--;
    cr_expect_null(objection(&stand));

    stand.status = STATUS_INVALID;
    stand.fault = (struct scan_fault){.reason = SCAN_MALFORMED};
    bool objects = objection(&stand) != NULL;
    cr_expect_eq(objects, !stand.oracle.guessed, "a refusal of what is well-formed");
    stand.fault.reason = SCAN_TOO_DEEP;
    cr_expect_null(objection(&stand), "a bound is no question of form");
    close_stand(&stand);
}

/* Both refuse; taking it for good would meet an objection. */
static void check_broken(enum format format, const char *profile, const char *text)
{
    struct stand stand;
    open_stand(&stand, format, profile, text);
    cr_expect_eq(stand.status, STATUS_INVALID, "%s", text);
    cr_expect_null(objection(&stand), "%s: %s", text, objection(&stand));
    stand.status = STATUS_OK;
    cr_expect_not_null(objection(&stand), "%s", text);
    close_stand(&stand);
}

Test(oracle, xml)
{
    check_good(FORMAT_XML, "ceb-order",
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<c:CEB311Message xmlns:c=\"http://www.chinaport.gov.cn/ceb\" guid=\" a&amp;b \">"
               "<c:Order><c:OrderHead><c:orderNo><![CDATA[o]]>&#49;</c:orderNo><c:ebpCode>p<!-- - "
               "--></c:ebpCode></c:OrderHead></c:Order><c:Order/></c:CEB311Message>",
               4);
}

Test(oracle, json)
{
    check_good(FORMAT_JSON, "event",
               "{\"messageType\":\"ORDER\",\"messageId\":1.50,\"x\":[{},[],null,-2e3],"
               "\"keys\":{\"order\":\"\\u4e2d\\\"\"}}",
               3);
}

Test(oracle, edifact)
{
    check_good(FORMAT_EDIFACT, "edifact-cuscar",
               "UNA:+.? 'UNB+UNOC:3+S?+1+R+200101:1200+9'\r\nUNH+1+CUSCAR:D:95B:UN'BGM+85+M?'1+9'"
               "CNI+1+B1'RFF+BM:\xE9'UNT+5+1'UNZ+1+9'",
               6);
    check_good(
        FORMAT_EDIFACT, "edifact-cuscar",
        "UNB+IATB:1+S+R+200101:1200+9\"\nUNH+1+CUSCAR:D:95B:UN\"\nBGM+85+O'1+9\"\nUNT+3+1\"\n"
        "UNO+1+X+Y+9\"UNH+2\"UNPUNP+9+1\"\nUNZ+2+9\"\n",
        4);
    check_good(FORMAT_EDIFACT, "edifact-cuscar", "UNH+1+CUSCAR:D:95B:UN\nBGM+85+O'1+9\nUNT+3+1", 1);
}

/* Of several messages each is asked about by its number, and none is taken for another. */
Test(oracle, several_messages)
{
    struct stand stand;
    open_stand(&stand, FORMAT_EDIFACT, "edifact-cuscar",
               "UNB+UNOA:2+S+R+200101:1200+9'UNH+1+CUSCAR:D:95B:UN'BGM+85+M1+9'UNT+3+1'"
               "UNH+2+CUSCAR:D:95B:UN'BGM+85+M2+9'UNT+3+2'UNZ+2+9'");
    cr_assert_eq(stand.fault.reason, SCAN_MANY_MESSAGES);
    struct edifact_part parts[EDIFACT_PARTS_MAX];
    uint32_t count;
    cr_assert_eq(
        scan_edifact_split(stand.sample.body, parts, EDIFACT_PARTS_MAX, &count, &stand.fault),
        STATUS_OK);
    cr_assert_eq(count, 2);
    stand.sample.parts = parts;
    for (uint32_t asked = 0; asked < 2; asked++)
        for (stand.sample.message = 0; stand.sample.message < 2; stand.sample.message++) {
            stand.status = sample_scan(&stand.samples, &stand.sample, &stand.fault);
            enum oracle_verdict verdict =
                oracle_ask(&stand.oracle, stand.sample.plan, stand.sample.body, asked);
            bool agrees = oracle_objection(&stand.oracle, verdict, stand.status, &stand.fault,
                                           stand.scan) == NULL;
            cr_expect_eq(agrees, asked == stand.sample.message);
        }
    close_stand(&stand);
}

Test(oracle, broken)
{
    static const char *const xml[] = {"<a", "<a></b>", "<a b=1/>", "<a>&lt</a>", "<a/>x", "<p:a/>"};
    static const char *const json[] = {"{\"a\":}", "[1,]", "{\"a\":01}", "[\"\\x\"]", "{}{}"};
    static const char *const edifact[] = {"UNH+1+CUSCAR'UNT+1+1", "UNH+1+CUSCAR'BGM+1'",
                                          "UNH+1+CUSCAR'b+1'UNT+1+1'",
                                          "UNH+1+CUSCAR'UNT+1+1'UNO+1+X+Y+2'abcUNP+2+1'"};
    for (size_t i = 0; i < sizeof xml / sizeof *xml; i++)
        check_broken(FORMAT_XML, "ceb-order", xml[i]);
    for (size_t i = 0; i < sizeof json / sizeof *json; i++)
        check_broken(FORMAT_JSON, "event", json[i]);
    for (size_t i = 0; i < sizeof edifact / sizeof *edifact; i++)
        check_broken(FORMAT_EDIFACT, "edifact-cuscar", edifact[i]);
}

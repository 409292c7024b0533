/* The EDIFACT scanner by tables: what is captured from the own samples and from small interchanges,
 * and which fault stands where. */
#include "tests/routes/edifact_stand.h"

struct sample_row {
    const char *name, *type, *release;
    const char *captures;
};

static const struct sample_row samples[] = {
    {"cusdec_d96b", "CUSDEC", "96B",
     "sender=4403180896\nreceiver=5300000001\ncontrol=KA24031100417\nreference=KA0000417\n"
     "document=531720240000417\nfunction=9\noffice=5317\ntrader_ref=KA-2024-000417\n"
     "bill=KKLUTYO881204\nconsignee=4403180896\nname=SHENZHEN HAILAN ELECTRONICS CO LTD\n"
     "commodity=8542319000\ncommodity=8536901190\ncount=36\n"},
    {"cusdec_d99b_crlf", "CUSDEC", "99B",
     "sender=440198052K\nreceiver=5100000001\ncontrol=GZ24050600021\nreference=1\n"
     "document=GZ24050600021\nfunction=4\ncommodity=1\nregistration=514120240501000217\n"
     "commodity=6109100021\ncount=21\n"},
    {"cuscar_d99b_entries", "CUSCAR", "99B",
     "sender=DXPENT0000018801\nreceiver=DXPCUS5300\ncontrol=2405120007\nreference=YT2405120007\n"
     "document=YT2405120007\nfunction=9\nport=CNYTN\n"
     "1/consignment=COSU6371204410\n1/bill=COSU6371204410\n1/name=SHENZHEN TYRE WORKS\n"
     "2/consignment=COSU6371204455\n2/bill=COSU6371204455\n"
     "3/consignment=COSU6371204460\n3/bill=COSU6371204460\ncount=34\n"},
    {"cuscar_d95b_una", "CUSCAR", "95B",
     "sender=442019X7\nreceiver=5200000001\ncontrol=HP0001\nreference=4410\n"
     "document=HP20240602-1\nfunction=9\nport=CNHUA\n"
     "1/consignment=HP-A|1\n1/bill=HP-A|1\n2/consignment=HP-B+2'\n2/bill=HP-B+2'\ncount=13\n"},
    {"cuscar_d99b_release", "CUSCAR", "99B",
     "sender=A+B SHIPPING\nreceiver=5700000001\ncontrol=R'77\nreference=77\ndocument=GB+77?\n"
     "function=9\nport=CNGOU:A\n1/consignment=MEDU++01'\n1/bill=MEDU++01'\n"
     "1/name=BROTHERS + SONS ?\n2/consignment=MEDU 2\n2/bill=MEDU 2\ncount=11\n"},
    {"cusdec_d03b_bom", "CUSDEC", "03B",
     "sender=4404160001\nreceiver=5700000001\ncontrol=GB0008\nreference=1\n"
     "document=GB24080100008\nfunction=9\noffice=5703\ntrader_ref=GB24080100008\n"
     "consignee=4404160001\nname=珠海横琴贸易有限公司\ncommodity=2204210000\ncount=11\n"},
    {"cusdec_d96b_gb18030", "CUSDEC", "96B",
     "sender=441994X001\nreceiver=5200000001\ncontrol=HP0031\nreference=1\n"
     "document=HP24080200031\nfunction=9\noffice=5208\ntrader_ref=HP24080200031\n"
     "consignee=441994X001\nname=东莞市誠達玩具廠\ncommodity=9503008900\ncount=12\n"},
    {"cusdec_d03b_repetition", "CUSDEC", "03B",
     "sender=440803A\nreceiver=6700000001\ncontrol=ZJ0001\nreference=1\n"
     "document=ZJ24100100001\nfunction=9\noffice=6701\ntrader_ref=ZJ-A\ntrader_ref=ZJ-B\n"
     "bill=ZJBL01\nconsignee=440803A\nconsignee=440803B\nname=STAR * LINE\n"
     "commodity=0306179000\ncommodity=9805\ncount=10\n"},
    {"cusres_d03b_group", "CUSRES", "03B",
     "sender=5300000001\nreceiver=4403180896\ncontrol=530000093311\ngroup=G9311\n"
     "reference=R0000091\ndocument=531720240000417\nfunction=27\noffice=5317\n"
     "trader_ref=KA-2024-000417\nregistration=531720241170004173\ncount=11\n"},
    {"cusres_d96b_bare", "CUSRES", "96B",
     "reference=9\ndocument=GZ24050600021\nfunction=27\nregistration=514120240501000217\n"
     "count=11\n"},
    {"cusres_d99b_latin1", "CUSRES", "99B",
     "sender=5100000001\nreceiver=440100A\ncontrol=55\nreference=55\ndocument=LI2024-55\n"
     "function=27\ntrader_ref=LI-55\nname=SOCIÉTÉ GÉNÉRALE DE THÉ\ncount=7\n"},
    {"cusres_d96b_newline", "CUSRES", "96B",
     "sender=6000000001\nreceiver=440508M\ncontrol=3\nreference=3\ndocument=ST24090200003\n"
     "function=27\ntrader_ref=ST24090200003\nregistration=600120240090000033\ncount=6\n"},
};

Test(edifact, samples)
{
    cr_assert_eq(sizeof samples / sizeof samples[0], SAMPLE_COUNT);
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct bytes body = sample_read(samples[i].name);
        struct scan_fault fault = {0};
        struct edifact_peek peek;
        cr_expect_eq(scan_edifact_peek(body, &peek, &fault), STATUS_OK, "%s", samples[i].name);
        cr_expect(bytes_equal_text(peek.type, samples[i].type), "%s", samples[i].name);
        cr_expect(bytes_equal_text(peek.version, "D"), "%s", samples[i].name);
        cr_expect(bytes_equal_text(peek.release, samples[i].release), "%s", samples[i].name);
        cr_expect(bytes_equal_text(peek.agency, "UN"), "%s", samples[i].name);
        cr_expect_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK, "%s: %s at %u",
                     samples[i].name, fault.what, fault.offset);
        cr_expect_str_eq(stand_listing(&stand), samples[i].captures, "%s:\n%s", samples[i].name,
                         stand_listing(&stand));
        body_free(body);
    }
    stand_close(&stand);
}

Test(edifact, capture_places)
{
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    static const char text[] = "UNH+7+CUSCAR:D:95B:UN'\r\nCNI+1+  B?+1 'RFF+BM:X'UNT+4+7'";
    struct bytes body = body_copy(text, sizeof text - 1);
    struct scan_fault fault;
    cr_assert_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK);
    cr_assert_eq(stand.scan.capture_count, 4);
    const struct capture *consignment = &stand.scan.captures[1], *bill = &stand.scan.captures[2];
    cr_expect_eq(stand.scan.entry_count, 1);
    cr_expect_eq(consignment->instance, 2);
    cr_expect_eq(bill->instance, 3);
    cr_expect_eq(consignment->offset, strstr(text, "B?+1") - text);
    cr_expect_eq(bill->offset, strstr(text, "X'") - text);
    cr_expect_eq(bill->value.data, body.data + bill->offset, "an unchanged value stays in place");
    cr_expect(bytes_equal_text(consignment->value, "B+1"));
    cr_expect_eq(stand.scan.captures[3].entry, 0);
    body_free(body);
    stand_close(&stand);
}

/* As many tags as a plan may tap: each finds its own row, through every collision. */
Test(edifact, plan_of_many_tags)
{
    static struct plan_component rows[PLAN_TAPS_MAX];
    static char text[PLAN_TAPS_MAX * 16];
    size_t size = (size_t)sprintf(text, "UNH'");
    for (uint16_t i = 0; i < PLAN_TAPS_MAX; i++) {
        char second = (char)('A' + i / 26), third = (char)('A' + i % 26);
        rows[i] = (struct plan_component){
            .tag = {'A', (uint8_t)second, (uint8_t)third}, .tap = i, .element = 1, .component = 1};
        size += (size_t)sprintf(text + size, "A%c%c+%u'Z%c%c+no'", second, third, i, second, third);
    }
    size += (size_t)sprintf(text + size, "UNT'");
    const struct plan plan = {.format = FORMAT_EDIFACT,
                              .tap_count = PLAN_TAPS_MAX,
                              .components = rows,
                              .component_count = PLAN_TAPS_MAX,
                              .root_name_tap = TAP_NONE};
    struct stand stand;
    struct scan_fault fault = {0};
    stand_open(&stand);
    struct bytes body = body_copy(text, size);
    cr_assert_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK, "%s at %u", fault.what,
                 fault.offset);
    cr_assert_eq(stand.scan.capture_count, PLAN_TAPS_MAX);
    for (uint16_t i = 0; i < PLAN_TAPS_MAX; i++) {
        char expected[8];
        sprintf(expected, "%u", i);
        cr_expect_eq(stand.scan.captures[i].tap, i);
        cr_expect(bytes_equal_text(stand.scan.captures[i].value, expected), "%u", i);
    }
    body_free(body);
    stand_close(&stand);
}

/* As many rows of one tag as a plan may have, told by their qualifiers: each finds its own segment,
 * with blanks around its qualifier and with a release in the body or without. */
Test(edifact, plan_of_many_rows)
{
    static struct plan_component rows[PLAN_TAPS_MAX];
    static char qualifiers[PLAN_TAPS_MAX][8], text[PLAN_TAPS_MAX * 32];
    for (uint16_t i = 0; i < PLAN_TAPS_MAX; i++) {
        int size = sprintf(qualifiers[i], "%u", i);
        rows[i] = (struct plan_component){.tag = {'L', 'O', 'C'},
                                          .tap = i,
                                          .element = 2,
                                          .component = 1,
                                          .qualifier_element = 1,
                                          .qualifier_component = 1,
                                          .qualifier = bytes_make(qualifiers[i], (size_t)size)};
    }
    const struct plan plan = {.format = FORMAT_EDIFACT,
                              .tap_count = PLAN_TAPS_MAX,
                              .components = rows,
                              .component_count = PLAN_TAPS_MAX,
                              .root_name_tap = TAP_NONE};
    static const char *const segments[] = {"LOC+%u+v%u'LOC+%uX+no'", "LOC+ %u :x+v%u'LOC++%u'",
                                           "LOC+%u:x+v%u'FTX+?'%u'"};
    struct stand stand;
    stand_open(&stand);
    for (unsigned form = 0; form < sizeof segments / sizeof segments[0]; form++) {
        struct scan_fault fault = {0};
        size_t size = (size_t)sprintf(text, "UNH'");
        for (unsigned i = 0; i < PLAN_TAPS_MAX; i++)
            size += (size_t)sprintf(text + size, segments[form], i, i, i);
        size += (size_t)sprintf(text + size, "UNT'");
        struct bytes body = body_copy(text, size);
        cr_assert_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK, "%s at %u", fault.what,
                     fault.offset);
        cr_assert_eq(stand.scan.capture_count, PLAN_TAPS_MAX, "form %u", form);
        for (uint16_t i = 0; i < PLAN_TAPS_MAX; i++) {
            char expected[8];
            sprintf(expected, "v%u", i);
            cr_expect_eq(stand.scan.captures[i].tap, i);
            cr_expect(bytes_equal_text(stand.scan.captures[i].value, expected), "%u", i);
        }
        body_free(body);
    }
    stand_close(&stand);
}

struct value_row {
    const char *body, *captures;
};

static const struct value_row values[] = {
    /* an empty or blank value is absent; so is a component or element that is not there */
    {"UNH+1'BGM++'UNT+1+1'", "reference=1\ncount=1\n"},
    {"UNH+1'BGM+x+ \t:y+ '\nUNT+1+1'", "reference=1\ncount=1\n"},
    {"UNH+1'NAD+CN'RFF+BM'UNT'", "reference=1\n"},
    {"UNH+1'CNI+1+? 'CNI+2+?\?'UNT'", "reference=1\n2/consignment=?\n"},
    /* a row with a qualifier wants the whole of it, without releases */
    {"UNH+1'LOC+220+A'LOC+2+B'LOC++C'LOC+2?2+D'LOC+ 22 +E'UNT'",
     "reference=1\noffice=D\noffice=E\n"},
    {"UNH+1'RFF+BM?::A'RFF+BM:A?:B:C'UNT'", "reference=1\nbill=A:B\n"},
    /* entries end at UNS; explicit nesting behind the tag is no element */
    {"UNH+1'CNI:1+1+A'RFF:1:2+BM:B'UNS+S'RFF+BM:C'UNT+5'",
     "reference=1\n1/consignment=A\n1/bill=B\nbill=C\ncount=5\n"},
    /* a star repeats in syntax 4 by default, and not before */
    {"UNB+UNOC:4+A*B:ZZ+R++1'UNH+1'UNT'UNZ'",
     "sender=A\nsender=B\nreceiver=R\ncontrol=1\nreference=1\n"},
    {"UNB+UNOC:3+A*B:ZZ+R++1'UNH+1'UNT'UNZ'", "sender=A*B\nreceiver=R\ncontrol=1\nreference=1\n"},
    {"UNA:+.? 'UNB+UNOC:4+A*B:ZZ+R++1'UNH+1'UNT'UNZ'",
     "sender=A*B\nreceiver=R\ncontrol=1\nreference=1\n"},
    {"UNA:+.?^'UNB+UNOC:3+A^B:ZZ+R++1'UNH+1'UNT'UNZ'",
     "sender=A\nsender=B\nreceiver=R\ncontrol=1\nreference=1\n"},
    /* a blank release character releases nothing */
    {"UNA:+.  'UNH+?'UNT'", "reference=?\n"},
    {"UNA:+.  'UNH+A B?+C'UNT'", "reference=A B?\n"},
    {"UNA:+.? 'UNH+A B'UNT'", "reference=A B\n"},
    {"UNA:+. *'UNH+1*2'UNT'", "reference=1\nreference=2\n"},
    /* character sets: private ones and none are UTF-8, or failing that Latin-1 */
    {"UNB+IATB:1+\xC3\xA9+\xE9++1'UNH+1'UNT'UNZ'",
     "sender=é\nreceiver=é\ncontrol=1\nreference=1\n"},
    {"UNH+\xE4\xB8\xAD'UNT'", "reference=中\n"},
    {"UNB+UNOC:3+\xC3\xA9'UNH'UNT'UNZ'", "sender=Ã©\n"},
    {"UNB+UNOD:3+\xB1'UNH'UNT'UNZ'", "sender=ą\n"},
    {"UNB+UNOE:3+\xB6?+'UNH'UNT'UNZ'", "sender=Ж+\n"},
    {"UNB+UNOF:3+\xE1'UNH'UNT'UNZ'", "sender=α\n"},
    {"UNB+UNOY:4+\xCE\xB1'UNH'UNT'UNZ'", "sender=α\n"},
    {"\xEF\xBB\xBFUNB+UNOC:3+\xC3\xA9'UNH'UNT'UNZ'", "sender=é\n"},
    {"UNB+UNOX:3+\xD6\xD0'UNH'UNT'UNZ'", "sender=中\n"},
    {"UNA:^.? 'UNB^UNOX:3^A'UNH'UNT'UNZ'", "sender=A\n"},
    /* terminators that are line ends, with blank lines; blanks around everything */
    {"UNA:+.? \nUNB+UNOA:1+A\n\nUNH+1\r\nUNT+2+1 \nUNZ+1\n\n", "sender=A\nreference=1\ncount=2\n"},
    {"UNA:+.? \r\nUNB+UNOA:1+A\r\nUNH+1\r\nUNT+2\r\nUNZ+1\r\n", "sender=A\nreference=1\ncount=2\n"},
    {" \r\n\tUNH+1'  \t\nUNT+2' \n", "reference=1\ncount=2\n"},
    /* no UNA, and line ends instead of terminators; a last line need not have one */
    {"UNB+UNOA:1+A\nUNH+1\nCNI++O'B\nUNT+2+1\nUNZ+1\n",
     "sender=A\nreference=1\n1/consignment=O'B\ncount=2\n"},
    {"UNB+UNOA:1+A\r\n\r\nUNH+1\r\nUNT+2+1\r\nUNZ+1+X", "sender=A\nreference=1\ncount=2\n"},
    {"UNB+UNOA:1+A\rUNH+1\rUNT+2+1\rUNZ\r", "sender=A\nreference=1\ncount=2\n"},
    {"UNH+1+A:B\nBGM++D\nUNT+2", "reference=1\ndocument=D\ncount=2\n"},
    {"UNH+1\nBGM++D\nUNT", "reference=1\ndocument=D\n"},
    /* but a line end within a segment that has a terminator is a byte like any other */
    {"UNB+UNOA:1+A\nB'UNH+1'UNT+2+1'UNZ+1'", "sender=A\nB\nreference=1\ncount=2\n"},
    {"UNB+UNOA:1+A?\nUNH+1'UNH+2'UNT+2+1'UNZ+1'",
     "sender=A\nUNH\nreceiver=1\nreference=2\ncount=2\n"},
    /* the terminator of airlines, the separators of level B */
    {"UNB+IATB:1+A\"\nUNH+1\"\nCNI++O'B\"\nUNT+2+1\"\nUNZ+1\"\n",
     "sender=A\nreference=1\n1/consignment=O'B\ncount=2\n"},
    {"UNB+IATB:1+A\"UNH+1\"UNT+2+1\"UNZ+1\"", "sender=A\nreference=1\ncount=2\n"},
    {"UNB+IATB:1+\"ABC+X'UNH+1'UNT+2+1'UNZ+1'", "sender=\"ABC\nreceiver=X\nreference=1\ncount=2\n"},
    {"UNB\x1DUNOB\x1F\x31\x1D?A+B:'\x1CUNH\x1D\x31\x1CUNT\x1D\x32\x1CUNZ\x1D\x31\x1C",
     "sender=?A+B:'\nreference=1\ncount=2\n"},
    /* packages and empty groups */
    {"UNB+UNOA:4'UNH+1'UNT+2'UNO+1+X+Y+14'UNH+2'UNT+\x01?'xUNP+14+1'UNZ+2'",
     "reference=1\ncount=2\n"},
    {"UNH+1'UNT+2'UNO+1+X+Y+0'UNP+0+1'UNO+2+X+Y+3:2'USH'USA+''''UNP+3+2'",
     "reference=1\ncount=2\n"},
    {"UNB+UNOA:4'UNG+G'UNH+1'UNT+2'UNO+1+X+Y+1'\nUNP+1+1'UNE'UNZ+1'", "reference=1\ncount=2\n"},
    {"UNB+UNOA:4'UNG'UNE'UNG'UNH+1'UNT+2'UNE'UNG'UNE'UNZ+1'", "reference=1\ncount=2\n"},
};

Test(edifact, values)
{
    struct stand stand;
    stand_open(&stand);
    const struct plan plan = stand_plan();
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct bytes body = body_copy(values[i].body, strlen(values[i].body));
        struct scan_fault fault = {0};
        cr_expect_eq(stand_scan(&stand, &plan, body, &fault), STATUS_OK, "%s: %s at %u",
                     values[i].body, fault.what, fault.offset);
        cr_expect_str_eq(stand_listing(&stand), values[i].captures, "%s:\n%s", values[i].body,
                         stand_listing(&stand));
        body_free(body);
    }
    stand_close(&stand);
}

Test(edifact, peek)
{
    static const struct {
        const char *body, *type, *version, *release, *agency;
        bool service_advice;
    } rows[] = {
        {"UNH+1+CUSCAR:D:95B:UN'", "CUSCAR", "D", "95B", "UN", false},
        {"UNH+1+:D:95B:UN'", "", "D", "95B", "UN", false},
        {"UNH+1+CUSCAR'", "CUSCAR", "", "", "", false},
        {"UNH+1'", "", "", "", "", false},
        {"UNA:+.? 'UNB+UNOA:1'UNG+X'UNH+1+ CUSRES : 1 :911:UN:EX+y' and then junk", "CUSRES", "1",
         "911", "UN", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes body = body_copy(rows[i].body, strlen(rows[i].body));
        struct edifact_peek peek;
        struct scan_fault fault;
        cr_assert_eq(scan_edifact_peek(body, &peek, &fault), STATUS_OK, "%s", rows[i].body);
        cr_expect(bytes_equal_text(peek.type, rows[i].type), "%s", rows[i].body);
        cr_expect(bytes_equal_text(peek.version, rows[i].version), "%s", rows[i].body);
        cr_expect(bytes_equal_text(peek.release, rows[i].release), "%s", rows[i].body);
        cr_expect(bytes_equal_text(peek.agency, rows[i].agency), "%s", rows[i].body);
        cr_expect_eq(peek.service_advice, rows[i].service_advice, "%s", rows[i].body);
        body_free(body);
    }
}

Test(edifact, peek_faults)
{
    static const struct {
        const char *body;
        enum scan_reason reason;
    } rows[] = {
        {"", SCAN_EMPTY},
        {"UNB+UNOA:1'", SCAN_TRUNCATED},
        {"UNH+1+CUSCAR:D", SCAN_TRUNCATED},
        {"BGM+1'", SCAN_MALFORMED},
        {"UNB+UNOA:1'UNZ+0'", SCAN_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes body = body_copy(rows[i].body, strlen(rows[i].body));
        struct edifact_peek peek;
        struct scan_fault fault = {0};
        cr_expect_eq(scan_edifact_peek(body, &peek, &fault), STATUS_INVALID, "%s", rows[i].body);
        cr_expect_eq(fault.reason, rows[i].reason, "%s", rows[i].body);
        body_free(body);
    }
}

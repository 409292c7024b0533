/* A reader that has learnt messages reads others as one does that learns nothing; and it does know
 * those that differ in their values only. */
#include "stencil_fixture.h"

struct form_case {
    const char *text;
    bool known;
};

/* The first is learnt. */
static void check_forms(const char *yaml, const struct form_case *cases)
{
    struct learner *learner = open_learner(yaml);
    for (const struct form_case *one = cases; one->text != NULL; one++) {
        struct bytes body = copy_text(one->text);
        if (one == cases)
            read_both_ways(learner, NULL, body);
        cr_expect_eq(is_known(learner, NULL, body), one->known, "%td", one - cases);
        read_both_ways(learner, NULL, body);
        free((void *)(uintptr_t)body.data);
        struct bytes first = copy_text(cases->text);
        cr_expect(is_known(learner, NULL, first), "after %td", one - cases);
        free((void *)(uintptr_t)first.data);
    }
    close_learner(learner);
}

static const char json_profile[] =
    "profile: p\nfamily: f\nformat: json\nrecognise: { key: type }\nfields:\n"
    "  message_type: type\n  sender: a\n  trader: list\n  port: number\n---\n"
    "profile: q\nfamily: f\nformat: json\nrecognise: { key: other, values: X }\nfields:\n"
    "  message_type: other\n";

Test(stencil, fits_json_of_other_values)
{
#define FORM(type, a, u, list, number)                                                             \
    "{\"type\":\"" type "\", \"a\":\"" a "\",\"u\":\"" u "\",\"list\":[" list                      \
    "],\"number\":" number "}"
    static const struct form_case cases[] = {
        {FORM("T", "one", "two", "\"x\",\"y\"", "1"), true},
        {FORM("T", "1", "2", "\"3\",\"4\"", "-20.5"), true},
        {FORM("T", "\u4e2d", "\u6587", "\"\u4e2d\",\"4\"", "0"), true},
        {FORM("T", "same", "same", "\"same\",\"same\"", "10"), true},
        {FORM("T", "a", "", "\"x\",\"y\"", "1"), true},
        {FORM("T", "a", "\\u4e2d\\n\\\"", "\"x\",\"y\"", "1"), true},
        {FORM("T", "a", "\\ud83d\\ude00", "\"x\",\"y\"", "1"), true},
        /* what decides, and what would be captured otherwise than as it stands */
        {FORM("U", "one", "two", "\"x\",\"y\"", "1"), false},
        {FORM("T", "", "two", "\"x\",\"y\"", "1"), false},
        {FORM("T", " one", "two", "\"x\",\"y\"", "1"), false},
        {FORM("T", "one ", "two", "\"x\",\"y\"", "1"), false},
        {FORM("T", "o\\u006ee", "two", "\"x\",\"y\"", "1"), false},
        /* another form */
        {FORM("T", "one", "two", "\"x\"", "1"), false},
        {FORM("T", "one", "two", "\"x\",\"y\",\"z\"", "1"), false},
        {FORM("T", "one", "two", "\"x\",7", "1"), false},
        {FORM("T", "one", "two", "\"x\",\"y\"", "\"1\""), false},
        {FORM("T", "one", "two", "\"x\",\"y\"", "null"), false},
        {FORM("T", "one", "two", "\"x\",\"y\"", "1 "), false},
        {FORM("T", "one", "two", "\"x\",\"y\"", "1") " ", false},
        {FORM("T", "one\",\"other\":\"X", "two", "\"x\",\"y\"", "1"), false},
        /* no JSON */
        {FORM("T", "one", "two", "\"x\",\"y\"", "01"), false},
        {FORM("T", "one", "two", "\"x\",\"y\"", "-"), false},
        {FORM("T", "one", "two", "\"x\",\"y\"", "1."), false},
        {FORM("T", "one", "two", "\"x\",\"y\"", "1x"), false},
        {FORM("T", "o\tne", "two", "\"x\",\"y\"", "1"), false},
        {FORM("T", "one", "t\nwo", "\"x\",\"y\"", "1"), false},
        {FORM("T", "one", "\\x", "\"x\",\"y\"", "1"), false},
        {FORM("T", "one", "\\ud83d", "\"x\",\"y\"", "1"), false},
        {FORM("T", "on\xE4", "two", "\"x\",\"y\"", "1"), false},
        {FORM("T", "one", "\xC0\x80", "\"x\",\"y\"", "1"), false},
        {"{\"type\":\"T\", \"a\":\"one", false},
        {"{\"type\":\"T\", \"a\":\"one\\", false},
        {0},
    };
#undef FORM
    check_forms(json_profile, cases);
}

static const char xml_profile[] =
    "profile: p\nfamily: f\nformat: xml\nrecognise: { root: R, namespace: [\"u*\", \"\"] }\n"
    "entries: e\nfields:\n  message_type: name()\n  sender: \"@s\"\n  reference: c\nkeys:\n"
    "  order: { join: [e/k, e/l] }\n";

Test(stencil, fits_xml_of_other_values)
{
#define FORM(s, v, text, k, l, c)                                                                  \
    "<?xml version=\"1.0\"?>\n<R s=\"" s "\" v=\"" v "\" xmlns=\"u1\">\n <t>" text "</t>\n"        \
    " <e><k>" k "</k><l>" l "</l></e><c><![CDATA[" c "]]></c><!-- c --><?p q?></R>\n"
    static const struct form_case cases[] = {
        {FORM("s1", "v1", "text", "k1", "l1", "c1"), true},
        {FORM("another", "1", "2", "3", "4", "5"), true},
        {FORM("\u4e2d", "\u6587", "\u4e2d", "\u6587", "\u4e2d", "\u6587"), true},
        {FORM("s>", "v>", "t>\"'", "k>", "l'", "<c>&amp;"), true},
        {FORM("s'", "", "", "k]", "l]]", "]c]]"), true},
        {FORM("s", "a\tb\n&lt;&#x4e2d;", "a\r\nb &amp; c", "k", "l", "c"), true},
        {FORM("s", "v", "text", "k\nk", "l\tl", "c\nc"), true},
        /* what would be captured otherwise than as it stands */
        {FORM("", "v", "text", "k", "l", "c"), false},
        {FORM("s", "v", "text", " k", "l", "c"), false},
        {FORM("s", "v", "text", "", "l", "c"), false},
        {FORM("s", "v", "text", "k", "l", "c "), false},
        {FORM("s\ts", "v", "text", "k", "l", "c"), false},
        {FORM("s", "v", "text", "k&amp;", "l", "c"), false},
        {FORM("s", "v", "text", "k\r\nk", "l", "c"), false},
        {FORM("s", "v", "text", "k<!-- -->", "l", "c"), false},
        /* another form */
        {FORM("s", "v", "text", "<x/>", "l", "c"), false},
        {FORM("s", "v", "text</t><t>", "k", "l", "c"), false},
        {FORM("s", "v\" w=\"", "text", "k", "l", "c"), false},
        {FORM("s", "v\" xmlns:x=\"y", "text", "k", "l", "c"), false},
        {FORM("s", "v", "text", "k", "l", "c]]><![CDATA["), false},
        {FORM("s", "v", "text", "k</k></e><e><k>k", "l", "c"), false},
        /* no XML */
        {FORM("s", "v", "te]]>xt", "k", "l", "c"), false},
        {FORM("s", "<", "text", "k", "l", "c"), false},
        {FORM("s", "v", "&text;", "k", "l", "c"), false},
        {FORM("s", "v", "&amp", "k", "l", "c"), false},
        {FORM("s", "v", "a\x01", "k", "l", "c"), false},
        {FORM("s", "v", "a\xE4", "k", "l", "c"), false},
        {FORM("s", "v", "a", "k\xE4\xB8", "l", "c"), false},
        {FORM("s", "v", "text", "k", "l", "c\x02"), false},
        {FORM("s", "v\" s=\"", "text", "k", "l", "c"), false},
        {0},
    };
#undef FORM
    check_forms(xml_profile, cases);
}

static const char edifact_profile[] =
    "profile: p\nfamily: f\nformat: edifact\nrecognise: { type: T }\nentries: CNI\nfields:\n"
    "  message_type: UNH/2/1\n  message_id: UNB/5\n  sender: UNB/2/1\n  status: BGM/1/1\n"
    "  port: \"LOC[9]/2/1\"\n  goods_code: \"CST[2/2=122]/2/1\"\n  trader: TDT/3/1\n"
    "keys:\n  voyage: { join: [TDT/3/1, TDT/2] }\n  bill: CNI/2\n";

/* A qualifier behind a value decides about it when it is passed already. */
Test(stencil, keeps_qualifiers)
{
#define FORM(goods) "UNH+1+T:D'BGM+1'CST+1+" goods "'LOC+9+A'UNT+4+1'"
    static const struct form_case cases[] = {
        {FORM("1:122"), true}, {FORM("2:122"), true}, {FORM("1:123"), false}, {0}};
    struct learner *learner = open_learner(edifact_profile);
    for (int round = 0; round < 3; round++)
        for (const struct form_case *one = cases; one->text != NULL; one++) {
            struct bytes body = copy_text(one->text);
            const char *outcome = read_both_ways(learner, NULL, body);
            cr_expect_eq(strstr(outcome, "goods_code") != NULL, one->known, "%s", outcome);
            cr_expect(is_known(learner, NULL, body));
            free((void *)(uintptr_t)body.data);
        }
    close_learner(learner);
#undef FORM
}

Test(stencil, fits_edifact_of_other_values)
{
#define FORM(id, version, port, goods, text, bill)                                                 \
    "UNB+UNOC:" version "+S+R+260102:1200+" id "'\r\nUNH+1+T:D:96B:UN'\nBGM+1'LOC+9+" port         \
    "'CST+1+" goods "'FTX+AAA+" text "+?'a'TDT+20+V1+1:2'CNI+1+" bill                              \
    "'CNI+2+b2'UNT+9+1'UNZ+1+" id "'\n"
    static const struct form_case cases[] = {
        {FORM("77", "3", "CNNSA", "1234:122", "text", "b1"), true},
        {FORM("8", "3", "X", "5:122", "a b, c", "b 2"), true},
        {FORM("8", "3", "X", "5:122", " ", "b<>&;"), true},
        /* what decides */
        {FORM("77", "4", "CNNSA", "1234:122", "text", "b1"), false},
        {FORM("77", "3", "CNNSA'LOC+8+A", "1234:122", "text", "b1"), false},
        /* what would be captured otherwise than as it stands */
        {FORM("77", "3", " CNNSA", "1234:122", "text", "b1"), false},
        {FORM("77", "3", "", "1234:122", "text", "b1"), false},
        {FORM("77", "3", "A?+B", "1234:122", "text", "b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "text", "b\xE4\xB8\xAD"), false},
        /* another form */
        {FORM("77", "3", "CNNSA", "1234:122", "te+xt", "b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "te:xt", "b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "te*xt", "b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "te\"xt", "b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "te\nxt", "b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "te?'xt", "b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "text", "b1'CNI+2+b1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "text", "b1'UNH+1"), false},
        {FORM("77", "3", "CNNSA", "1234:122", "te\x01xt", "b1"), false},
        {"UNB+UNOC:3+S+R+260102:1200+77'\r\nUNH+1+T:D:96B:UN'\nBGM+1'LOC+9+CNNSA", false},
        {0},
    };
#undef FORM
    check_forms(edifact_profile, cases);
}

/* A value that binds a prefix decides what the names mean, however it is written. */
Test(stencil, keeps_namespaces)
{
    static const struct form_case cases[] = {
        {"<R xmlns = \"u1\" s=\"1\"><c>1</c></R>", true},
        {"<R xmlns = \"u1\" s=\"2\"><c>3</c></R>", true},
        {"<R xmlns = \"w1\" s=\"1\"><c>1</c></R>", false},
        {"<R xmlns = \"u2\" s=\"1\"><c>1</c></R>", false},
        {0},
    };
    check_forms(xml_profile, cases);
}

/* `<c></c>` captures nothing where `<c>1</c>` captures something. */
Test(stencil, takes_an_empty_value_for_no_value)
{
    static const struct form_case json[] = {
        {"{\"type\":\"T\",\"a\":\"\",\"u\":\"1\"}", true},
        {"{\"type\":\"T\",\"a\":\"x\",\"u\":\"1\"}", false},
        {0},
    };
    static const struct form_case xml[] = {
        {"<R v=\" \" s=\"\"><c> </c><t>1</t></R>", true},
        {"<R v=\" \" s=\"1\"><c> </c><t>1</t></R>", false},
        {"<R v=\" \" s=\"\"><c>1</c><t>1</t></R>", false},
        {0},
    };
    check_forms(json_profile, json);
    check_forms(xml_profile, xml);
}

/* What stands in a member by which some profile knows its messages is text, wherever it stands. */
/* Where it stands nothing is captured, but of another value there something is. */
Test(stencil, takes_blanks_by_escape_or_reference_for_no_value)
{
    static const struct form_case texts[] = {
        {"{\"type\":\"T\",\"a\":\" \\u0020\\t\",\"u\":\"v\"}", true},
        {"{\"type\":\"T\",\"a\":\" \\u0020\\t\",\"u\":\"other\"}", true},
        {"{\"type\":\"T\",\"a\":\"one\",\"u\":\"v\"}", false},
        {"{\"type\":\"T\",\"a\":\"\\u4e2d\",\"u\":\"v\"}", false},
        {0},
    };
    static const struct form_case elements[] = {
        {"<R s=\"&#x9;\" v=\"1\"><e><k>k</k><l>l</l></e><c> &#32;</c></R>", true},
        {"<R s=\"&#x9;\" v=\"2\"><e><k>m</k><l>n</l></e><c> &#32;</c></R>", true},
        {"<R s=\"&#x9;\" v=\"1\"><e><k>k</k><l>l</l></e><c> c</c></R>", false},
        {"<R s=\"&#x9;\" v=\"1\"><e><k>k</k><l>l</l></e><c> &amp;</c></R>", false},
        {"<R s=\"s\" v=\"1\"><e><k>k</k><l>l</l></e><c> &#32;</c></R>", false},
        {0},
    };
    check_forms(json_profile, texts);
    check_forms(xml_profile, elements);
}

Test(stencil, keeps_comments_that_begin_with_their_end)
{
    static const struct form_case cases[] = {
        {"<R v=\"1\"><!--><t>text</t>--><e><k>k</k></e><!---><t>text</t>--></R>", true},
        {"<R v=\"2\"><!--><t>text</t>--><e><k>m</k></e><!---><t>text</t>--></R>", true},
        {"<R v=\"1\"><!--><t>te--xt</t>--><e><k>k</k></e><!---><t>text</t>--></R>", false},
        {"<R v=\"1\"><!--><t>text</t>--><e><k>k</k></e><!---><t>-->x<t></t></R>", false},
        {0},
    };
    check_forms(xml_profile, cases);
}

Test(stencil, keeps_what_decides)
{
    static const struct form_case cases[] = {
        {"{\"a\":\"1\",\"x\":{\"other\":[\"2\",{\"b\":\"3\"}],\"c\":\"4\"},\"type\":\"T\"}", true},
        {"{\"a\":\"2\",\"x\":{\"other\":[\"2\",{\"b\":\"3\"}],\"c\":\"5\"},\"type\":\"T\"}", true},
        {"{\"a\":\"1\",\"x\":{\"other\":[\"X\",{\"b\":\"3\"}],\"c\":\"4\"},\"type\":\"T\"}", false},
        {"{\"a\":\"1\",\"x\":{\"other\":[\"2\",{\"b\":\"X\"}],\"c\":\"4\"},\"type\":\"T\"}", false},
        {0},
    };
    check_forms(json_profile, cases);
}

Test(stencil, keeps_first_bytes)
{
    static const char yaml[] =
        "profile: p\nfamily: f\nformat: json\n"
        "recognise: { key: type, first_bytes: '{\"a\":\"1' }\nfields: { message_type: type }\n---\n"
        "profile: q\nfamily: f\nformat: json\nrecognise: { key: type }\n"
        "fields: { message_type: type }\n";
    static const struct form_case cases[] = {
        {"{\"a\":\"1\",\"type\":\"T\",\"b\":\"1\"}", true},
        {"{\"a\":\"1\",\"type\":\"T\",\"b\":\"2\"}", true},
        {"{\"a\":\"2\",\"type\":\"T\",\"b\":\"1\"}", false},
        {0},
    };
    check_forms(yaml, cases);
}

/* A profile that asks for what stands inside is asked each time. */
Test(stencil, asks_where_again)
{
    static const char yaml[] =
        "profile: p\nfamily: f\nformat: xml\nrecognise: { root: R, where: { c: \"1*\" } }\n"
        "fields: { message_type: name() }\n---\n"
        "profile: q\nfamily: f\nformat: xml\nrecognise: { root: R }\n"
        "fields: { message_type: name() }\n";
    struct learner *learner = open_learner(yaml);
    static const struct {
        const char *text, *outcome;
    } cases[] = {{"<R><c>11</c></R>", "p, 1 entries: message_type[0@0]=R"},
                 {"<R><c>12</c></R>", "p, 1 entries: message_type[0@0]=R"},
                 {"<R><c>21</c></R>", "q, 1 entries: message_type[0@0]=R"},
                 {"<R><c>13</c></R>", "p, 1 entries: message_type[0@0]=R"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes body = copy_text(cases[i].text);
        cr_expect_str_eq(read_both_ways(learner, NULL, body), cases[i].outcome);
        free((void *)(uintptr_t)body.data);
    }
    close_learner(learner);
}

/* By permissions, of which there may be more than are remembered. */
Test(stencil, keeps_permissions_apart)
{
    struct learner *learner = open_learner(json_profile);
    struct bytes body = copy_text("{\"other\":\"X\",\"type\":\"T\",\"a\":\"1\"}");
    uint64_t allowed[PROFILES_MAX / 64] = {0};
    for (uint64_t bits = 0; bits < 4; bits++) {
        allowed[0] = bits;
        read_both_ways(learner, allowed, body);
        cr_expect_eq(is_known(learner, allowed, body), bits != 0);
    }
    for (uint64_t bits = 0; bits < 40; bits++) {
        allowed[0] = bits;
        read_both_ways(learner, allowed, body);
        read_both_ways(learner, NULL, body);
    }
    free((void *)(uintptr_t)body.data);
    close_learner(learner);
}

/* More forms than there is room for, and more than it pays to learn. */
Test(stencil, forgets_and_learns_again)
{
    struct learner *learner = open_learner(json_profile);
    char text[4096], *at;
    for (unsigned i = 0; i < 3000; i++) {
        at = text + sprintf(text, "{\"type\":\"T%u\"", i % 1500);
        for (unsigned k = 0; k < 40; k++)
            at += sprintf(at, ",\"%u/%u\":\"x\"", i, k);
        strcpy(at, ",\"a\":\"1\"}");
        struct bytes body = copy_text(text);
        read_both_ways(learner, NULL, body);
        free((void *)(uintptr_t)body.data);
    }
    struct bytes body = copy_text("{\"type\":\"T\",\"a\":\"1\"}");
    for (unsigned i = 0; i < 1000 && !is_known(learner, NULL, body); i++)
        read_both_ways(learner, NULL, body);
    cr_expect(is_known(learner, NULL, body));
    free((void *)(uintptr_t)body.data);
    close_learner(learner);
}

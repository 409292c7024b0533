#include "tests/routes/scan_fixture.h"

/* Tap 0 is the root's name; entries are /Order, instances /Ref. */
static void make_plan(struct plan_fixture *fixture)
{
    plan_begin(fixture, FORMAT_XML);
    fixture->plan.root_name_tapped = true;
    fixture->plan.root_name_tap = fixture->plan.tap_count++;
    plan_tap(fixture, "/Head/Id");   /* 1 */
    plan_tap(fixture, "/Head/@no");  /* 2 */
    plan_tap(fixture, "/Order/Key"); /* 3 */
    plan_tap(fixture, "//dxp");      /* 4 */
    plan_tap(fixture, "/Ref/@type"); /* 5 */
    plan_tap(fixture, "/Ref");       /* 6 */
    plan_tap(fixture, "/t");         /* 7 */
    plan_tap(fixture, "/t/in");      /* 8 */
    plan_tap(fixture, "//@any");     /* 9 */
    plan_node_at(fixture, "/Order")->entry = true;
    plan_node_at(fixture, "/Ref")->instance = true;
}

static void check(const struct scan_case *cases)
{
    struct plan_fixture fixture;
    make_plan(&fixture);
    check_cases(scan_xml, &fixture.plan, cases);
}

Test(xml, captures_what_the_plan_taps)
{
    static const struct scan_case cases[] = {
        {"<R/>", "0=R"},
        {"<R><Head><Id>M1</Id></Head></R>", "0=R | 1=M1"},
        {"<R><Head no='7'><Id> \n M1\t</Id></Head></R>", "0=R | 2=7 | 1=M1"},
        {"<R><Head no=' 7 '/><Head no=\"\"/></R>", "0=R | 2=7"},
        {"<R><Id>x</Id><Head><In><Id>y</Id></In></Head></R>", "0=R"},
        {"<R><Head><Id/><Id></Id><Id> </Id><Id>2</Id></Head></R>", "0=R | 1=2"},
        {"<R><Head><Id  >1</Id\n></Head ></R>", "0=R | 1=1"},
        {"<R><head><Id>1</Id></head></R>", "0=R"},
        {"<R><HeadX><Id>1</Id></HeadX><Hea><Id>2</Id></Hea></R>", "0=R"},
        {"<Averylongnameofarootelement><Head><Id>1</Id></Head></Averylongnameofarootelement>",
         "0=Averylongnameofarootelement | 1=1"},
        {0}};
    check(cases);
}

Test(xml, counts_entries_and_instances)
{
    static const struct scan_case cases[] = {
        {"<R><Order><Key>A</Key></Order><Order><Key>B</Key><Key>C</Key></Order></R>",
         "0=R | 3@1=A | 3@2=B | 3@2=C"},
        {"<R><Order/><Order><Key>B</Key><dxp>D</dxp></Order><dxp>E</dxp></R>",
         "0=R | 3@2=B | 4@2=D | 4=E"},
        {"<R><Ref type='a'>1</Ref><Ref><q/>2</Ref><Ref type='c'/></R>",
         "0=R | 5#1=a | 6#1=1 | 6#2=2 | 5#3=c"},
        {"<R><Ref><dxp>1</dxp></Ref><dxp>2</dxp></R>", "0=R | 4#1=1 | 4=2"},
        {0}};
    check(cases);
}

Test(xml, does_not_nest_entries)
{
    static const struct scan_case cases[] = {
        {"<R><a><b><k>1</k></b><b><k>2</k></b></a><b><k>3</k></b><b><k>4</k></b></R>",
         "0@1=1 | 0@1=2 | 0@2=3 | 0@3=4"},
        {0}};
    struct plan_fixture fixture;
    plan_begin(&fixture, FORMAT_XML);
    plan_tap(&fixture, "//b/k");
    plan_node_at(&fixture, "/a")->entry = true;
    plan_node_at(&fixture, "//b")->entry = true;
    check_cases(scan_xml, &fixture.plan, cases);
}

Test(xml, matches_at_any_depth_where_the_path_does_not)
{
    static const struct scan_case cases[] = {
        {"<R><dxp>1</dxp><x><y><dxp>2</dxp></y></x></R>", "0=R | 4=1 | 4=2"},
        {"<dxp>1</dxp>", "0=dxp"},
        {"<R><dxp>1<dxp>2</dxp>3</dxp></R>", "0=R | 4=2 | 4=13"},
        {"<R xmlns:any='u' any=''/>", "0=R"},
        {"<R any='1'><x any='2'/><Ref any='3' type='4'/></R>", "0=R | 9=1 | 9=2 | 9#1=3 | 5#1=4"},
        {0}};
    check(cases);
}

Test(xml, prefers_the_path_to_any_depth)
{
    static const struct scan_case cases[] = {
        {"<R><a><b>1</b></a><c><b>2</b></c><b>3<x>4</x></b></R>", "0=1 | 1=2 | 2=4 | 1=3"}, {0}};
    struct plan_fixture fixture;
    plan_begin(&fixture, FORMAT_XML);
    plan_tap(&fixture, "/a/b");
    plan_tap(&fixture, "//b");
    plan_tap(&fixture, "//b/x");
    check_cases(scan_xml, &fixture.plan, cases);
}

Test(xml, puts_a_text_together_from_its_pieces)
{
    static const struct scan_case cases[] = {
        {"<R><t>a<!-- x -->b<?p q?>c<in>i</in>d</t></R>", "0=R | 8=i | 7=abcd"},
        {"<R><t>a <in>i</in> d</t></R>", "0=R | 8=i | 7=a  d"},
        {"<R><t>\n <in>i<!-- -->j</in>\n </t></R>", "0=R | 8=ij"},
        {"<R><t><![CDATA[a<b>&amp;c]]></t></R>", "0=R | 7=a<b>&amp;c"},
        {"<R><t> <![CDATA[ a ]]> </t></R>", "0=R | 7=a"},
        {"<R><t>x<![CDATA[]]]]><![CDATA[>]]></t></R>", "0=R | 7=x]]>"},
        {"<R><t><![CDATA[]]></t></R>", "0=R"},
        {"<R><t>&lt;&gt;&amp;&apos;&quot;</t></R>", "0=R | 7=<>&'\""},
        {"<R><t>&#65;&#x42;&#x4e2d;&#x1F600;</t></R>", "0=R | 7=AB\u4e2d\U0001F600"},
        {"<R><t> &#32;a&#32; </t></R>", "0=R | 7=a"},
        {"<R><t>&#32;&#9;&#xD;</t></R>", "0=R"},
        {"<R><t>a] ]]b]>c</t></R>", "0=R | 7=a] ]]b]>c"},
        {"<R><t>a\r\nb\rc\nd\r\n</t></R>", "0=R | 7=a\nb\nc\nd"},
        {"<R><t>\r\n a \r\n</t></R>", "0=R | 7=a"},
        {"<R><t>a&#13;b</t></R>", "0=R | 7=a\rb"},
        {"<R><Head no='a&lt;b&#10;c'/></R>", "0=R | 2=a<b\nc"},
        {"<R><Head no='\ta\tb\r\nc\rd\n'/></R>", "0=R | 2=a b c d"},
        {"<R><Head no='a\"b>c'/><Head no=\"d'e\"/></R>", "0=R | 2=a\"b>c | 2=d'e"},
        {"<R><t>\u53e3\u5cb8</t></R>", "0=R | 7=\u53e3\u5cb8"},
        {0}};
    check(cases);
}

Test(xml, accepts_what_may_stand_around_the_root)
{
    static const struct scan_case cases[] = {
        {"<?xml version=\"1.0\"?><R/>", "0=R"},
        {"<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n<R/>\r\n", "0=R"},
        {"<?xml version='1.0' standalone='no'?><R/>", "0=R"},
        {"\xEF\xBB\xBF<?xml version='1.0'?><R/>", "0=R"},
        {"\xEF\xBB\xBF<R/>", "0=R"},
        {"\n <R/>", "0=R"},
        {"<!-- a --><?p?><?p ?><?p a?b>c?><!----><R/><!-- - --> <?q ?> ", "0=R"},
        {"<?xml-stylesheet href='a'?><R/>", "0=R"},
        {"<R><!-- <a> & ]]> --><?p <a> & ?></R>", "0=R"},
        {0}};
    check(cases);
}

Test(xml, resolves_prefixes)
{
    static const struct scan_case cases[] = {
        {"<a:R xmlns:a='u'><a:Head a:no='1'><a:Id>2</a:Id></a:Head></a:R>", "0=R | 2=1 | 1=2"},
        {"<R xmlns='u'><Head><p:Id xmlns:p='v'>2</p:Id></Head></R>", "0=R | 1=2"},
        {"<R xmlns='u'><Head xmlns=''/></R>", "0=R"},
        {"<R xml:lang='zh'><xml:a/></R>", "0=R"},
        {"<R xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "0=R"},
        {"<R><a p:x='1' xmlns:p='u'/><b p:x='1' q:x='2' xmlns:q='v' xmlns:p='u'/></R>", "0=R"},
        {"<R><a xmlns:p='u'/><p:b/></R>", "NAMESPACE 20"},
        {"<R><a xmlns:p='u'><b xmlns:p='v'/><p:c/></a></R>", "0=R"},
        {"<p:R/>", "NAMESPACE 1"},
        {"<R p:x='1'/>", "NAMESPACE 3"},
        {"<R><a xmlns:p=''/></R>", "NAMESPACE 6"},
        {"<R xmlns:xmlns='u'/>", "NAMESPACE 3"},
        {"<R xmlns:xml='u'/>", "NAMESPACE 3"},
        {"<R xmlns:a='http://www.w3.org/XML/1998/namespace'/>", "NAMESPACE 3"},
        {"<R xmlns='http://www.w3.org/2000/xmlns/'/>", "NAMESPACE 3"},
        {"<xmlns:R/>", "NAMESPACE 1"},
        {"<R xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>", "MALFORMED 35"},
        {"<R xmlns:p='u' xmlns:q='u' p:x='1' x='2'/>", "0=R"},
        {0}};
    check(cases);
}

Test(xml, refuses_broken_tags)
{
    static const struct scan_case cases[] = {{"<R><a></b></R>", "MALFORMED 8"},
                                             {"<R><ab></ac></R>", "MALFORMED 10"},
                                             {"<R><a></ab></R>", "MALFORMED 9"},
                                             {"<R><ab></a></R>", "MALFORMED 10"},
                                             {"<R xmlns:p='u'><p:a></a></R>", "MALFORMED 22"},
                                             {"<R></ R>", "MALFORMED 5"},
                                             {"<R></R x='1'>", "MALFORMED 7"},
                                             {"< R/>", "MALFORMED 1"},
                                             {"<1R/>", "MALFORMED 1"},
                                             {"<-R/>", "MALFORMED 1"},
                                             {"<R@/>", "MALFORMED 2"},
                                             {"<a:/>", "MALFORMED 3"},
                                             {"<:a/>", "MALFORMED 1"},
                                             {"<a:b:c/>", "MALFORMED 4"},
                                             {"<R / >", "MALFORMED 4"},
                                             {"<R a/>", "MALFORMED 4"},
                                             {"<R a=1/>", "MALFORMED 5"},
                                             {"<R a='1'b='2'/>", "MALFORMED 8"},
                                             {"<R a='<'/>", "MALFORMED 6"},
                                             {"<R a='&'/>", "MALFORMED 7"},
                                             {"<R a='\x01'/>", "MALFORMED 6"},
                                             {"<R a='1' b='2' a='3'/>", "MALFORMED 15"},
                                             {"<R a='1'/ >", "MALFORMED 9"},
                                             {"<R><></R>", "MALFORMED 4"},
                                             {"<R a='1' aa='2' A='3'/>", "0=R"},
                                             {0}};
    check(cases);
}

Test(xml, refuses_broken_text)
{
    static const struct scan_case cases[] = {
        {"<R>a]]>b</R>", "MALFORMED 4"},
        {"<R>a\x02"
         "b</R>",
         "MALFORMED 4"},
        {"<R><!-- \x02 --></R>", "MALFORMED 8"},
        {"<R><?p \x02 ?></R>", "MALFORMED 7"},
        {"<R><![CDATA[\x02]]></R>", "MALFORMED 12"},
        {"<R>&nbsp;</R>", "ENTITY 3"},
        {"<R a='&nbsp;'/>", "ENTITY 6"},
        {"<R>&LT;</R>", "ENTITY 3"},
        {"<R>& </R>", "MALFORMED 4"},
        {"<R>&lt </R>", "MALFORMED 6"},
        {"<R>&#;</R>", "MALFORMED 5"},
        {"<R>&#x;</R>", "MALFORMED 6"},
        {"<R>&#XA;</R>", "MALFORMED 5"},
        {"<R>&#1a;</R>", "MALFORMED 6"},
        {"<R>&#0;</R>", "MALFORMED 5"},
        {"<R>&#xD800;</R>", "MALFORMED 6"},
        {"<R>&#xFFFF;</R>", "MALFORMED 6"},
        {"<R>&#x110000;</R>", "MALFORMED 6"},
        {"<R>&#99999999999999999999;</R>", "MALFORMED 5"},
        {"<R>&#4294967361;</R>", "MALFORMED 5"}, /* 2^32 + 'A' */
        {"<R>&#x10FFFF;&#xFFFD;&#xE000;&#xD7FF;</R>", "0=R"},
        {"<R><!-- a -- b --></R>", "MALFORMED 12"},
        {"<R><!-- a ---></R>", "MALFORMED 12"},
        {"<R><!- a --></R>", "MALFORMED 6"},
        {"<R><!x></R>", "MALFORMED 5"},
        {"<R><![cdata[x]]></R>", "MALFORMED 6"},
        {"<R><? p?></R>", "MALFORMED 5"},
        {"<R><?p*?></R>", "MALFORMED 6"},
        {"<R><?xml version='1.0'?></R>", "MALFORMED 3"},
        {"<R><?XmL a?></R>", "MALFORMED 3"},
        {0}};
    check(cases);
}

Test(xml, refuses_what_may_not_stand_around_the_root)
{
    static const struct scan_case cases[] = {
        {"", "EMPTY 0"},
        {" \r\n\t", "EMPTY 4"},
        {"\xEF\xBB\xBF \n", "EMPTY 5"},
        {"R", "MALFORMED 0"},
        {" x<R/>", "MALFORMED 1"},
        {"<R/>x", "TRAILING 4"},
        {"<R/>\n&amp;", "TRAILING 5"},
        {"<R/><R/>", "TRAILING 4"},
        {"<R/></R>", "TRAILING 4"},
        {"</R>", "MALFORMED 1"},
        {"<!DOCTYPE R><R/>", "DOCTYPE 0"},
        {"<?xml version='1.0'?>\n<!DOCTYPE R [<!ENTITY a 'b'>]><R/>", "DOCTYPE 22"},
        {"<R><!DOCTYPE R></R>", "DOCTYPE 3"},
        {"<R/><!DOCTYPE R>", "DOCTYPE 4"},
        {"<!DOCTIPE R><R/>", "MALFORMED 6"},
        {"<![CDATA[x]]><R/>", "MALFORMED 2"},
        {" <?xml version='1.0'?><R/>", "MALFORMED 1"},
        {"<?xml?><R/>", "MALFORMED 0"},
        {"<?xml ?><R/>", "MALFORMED 6"},
        {"<?xml encoding='UTF-8'?><R/>", "MALFORMED 6"},
        {"<?xml version='1.0' standalone='no' encoding='UTF-8'?><R/>", "MALFORMED 36"},
        {"<?xml version='1.0' version='1.0'?><R/>", "MALFORMED 20"},
        {"<?xml version='2.0'?><R/>", "MALFORMED 15"},
        {"<?xml version='1.'?><R/>", "MALFORMED 15"},
        {"<?xml version='1.0a'?><R/>", "MALFORMED 15"},
        {"<?xml version='1.888888888888888888888888888'?><R/>", "0=R"},
        {"<?xml version='1.0' standalone='maybe'?><R/>", "MALFORMED 32"},
        {"<?xml version='1.0'encoding='UTF-8'?><R/>", "MALFORMED 19"},
        {"<?xml version='1.0'><R/>", "MALFORMED 19"},
        {"<?xml version='1.0'?", "TRUNCATED 20"},
        {"<?xml version='1.0' encoding='EBCDIC'?><R/>", "ENCODING 30"},
        {"<?xml version='1.0' encoding='UTF-16'?><R/>", "ENCODING 30"},
        {"<?xml version='1.0' encoding=''?><R/>", "ENCODING 30"},
        {"\xFF\xFE<", "ENCODING 0"},
        {"\xFE\xFF<", "ENCODING 0"},
        {0}};
    check(cases);
}

Test(xml, checks_and_converts_character_sets)
{
    static const struct scan_case cases[] = {
        {"<R><t>\xE4\xB8</t></R>", "ENCODING 6"},
        {"<R><t>ab\xE4\xB8\xAD\xFF</t></R>", "ENCODING 11"},
        {"<R><t>\xE4<!-- -->\xB8\xAD</t></R>", "ENCODING 6"},
        {"<R><Head no='a\xC0\x80'/></R>", "ENCODING 14"},
        {"<R><no>\xE4\xB8</no></R>", "ENCODING 7"}, /* also where nothing is captured */
        {"<R><!-- \xFF --><no a='\u53e3'/></R>", "ENCODING 8"},
        {"<R><no a='\xED\xA0\x80'/></R>", "ENCODING 10"},
        {"<R><no>\u53e3\u5cb8\U00020BB7</no></R><!--\xF5-->", "ENCODING 30"},
        {"<?xml version='1.0' encoding='GB2312'?><R><t>\xBF\xDA\xB0\xB6</t></R>",
         "0=R | 7=\u53e3\u5cb8"},
        {"<?xml version='1.0' encoding='gbk'?><R><t>a\xBF\xDA&#x5cb8;</t></R>",
         "0=R | 7=a\u53e3\u5cb8"},
        {"<?xml version='1.0' encoding='GB18030'?><R><Head no=' \xBF\xDA '/></R>",
         "0=R | 2=\u53e3"},
        {"<?xml version='1.0' encoding='GB18030'?><R><t>\xBF\xDA  <!-- -->  x \n </t></R>",
         "0=R | 7=\u53e3    x"},
        /* A second byte that looks like `]`, or like syntax in a name. */
        {"<?xml version='1.0' encoding='GBK'?><R><t><![CDATA[\x81]]>a]]></t></R>",
         "0=R | 7=\u4e5a]>a"},
        {"<?xml version='1.0' encoding='GBK'?><R><t>\x81]]></t></R>", "0=R | 7=\u4e5a]>"},
        {"<?xml version='1.0' encoding='GBK'?><R><t>\xBF\xDA]]></t></R>", "MALFORMED 44"},
        {"<?xml version='1.0' encoding='GBK'?><R><\x81@a><t>x</t></\x81@a></R>", "0=R"},
        {"<?xml version='1.0' encoding='GBK'?><R><\xBF\xDA\x81 a='1'/></R>", "0=R"},
        {"<?xml version='1.0' encoding='GBK'?><\x81@/>", "0=\u4e02"},
        {"<?xml version='1.0' encoding='GBK'?><R\xBF\xDA@/>", "MALFORMED 40"},
        {"<?xml version='1.0' encoding='GBK'?><R><t>\xBF</t></R>", "ENCODING 42"},
        {"<?xml version='1.0' encoding='ISO-8859-1'?><R><t>\xE9t\xE9</t></R>",
         "0=R | 7=\u00e9t\u00e9"},
        {"\xEF\xBB\xBF<?xml version='1.0' encoding='GB2312'?><R><t>\u53e3</t></R>",
         "0=R | 7=\u53e3"}, /* the mark is right, the declaration is not */
        {0}};
    check(cases);
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* The outcome of `before`, `count` times `piece`, `after` begins like `expected`. */
static void expect_repeated(const char *before, const char *piece, unsigned count,
                            const char *after, const char *expected)
{
    static char text[1 << 20];
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_xml);
    write_repeated(text, before, piece, count, after);
    const char *outcome = scan_outcome(&fixture, &plan.plan, text, strlen(text));
    cr_expect(strncmp(outcome, expected, strlen(expected)) == 0, "%u times %s: %.100s", count,
              piece, outcome);
    scan_fixture_close(&fixture);
}

Test(xml, bounds_depth)
{
    char closing[512];
    write_repeated(closing, "", "</a>", 64, "");
    expect_repeated("", "<a>", 64, closing, "0=a");
    write_repeated(closing, "", "</a>", 65, "");
    expect_repeated("", "<a>", 65, closing, "TOODEEP 192");
    expect_repeated("<a>", "<a><a></a></a>", 1000, "</a>", "0=a");
}

Test(xml, bounds_entries)
{
    expect_repeated("<R>", "<Order/>", 256, "</R>", "0=R");
    expect_repeated("<R>", "<Order/>", 257, "</R>", "TOOMANYENTRIES 2051");
}

Test(xml, bounds_captures)
{
    expect_repeated("<R>", "<dxp>1</dxp>", 8191, "</R>", "0=R | 4=1");
    expect_repeated("<R>", "<dxp>1</dxp>", 8192, "</R>", "TOOMANYVALUES 98300");
}

Test(xml, bounds_values)
{
    expect_repeated("<R><t>", "a", 1024, "</t></R>", "0=R | 7=aaa");
    expect_repeated("<R><t>", "a", 1025, "</t></R>", "VALUETOOLONG 6");
    expect_repeated("<R><t> ", "a", 1024, " &#32;   </t></R>", "0=R | 7=aaa");
    expect_repeated("<R><t>&#97;", "a", 1023, "   </t></R>", "0=R | 7=aaa");
    expect_repeated("<R><t> &#97;", "a", 1024, "</t></R>", "VALUETOOLONG 7");
    expect_repeated("<R><t>", "&#97;", 1024, " </t></R>", "0=R | 7=aaa");
    expect_repeated("<R><t>", "&#97;", 1025, "</t></R>", "VALUETOOLONG 6");
    expect_repeated("<R><t>x", "<!---->   ", 1000, "</t></R>", "0=R | 7=x");
    expect_repeated("<R><t>x", "<!---->   ", 1000, "y</t></R>", "VALUETOOLONG 6");
    expect_repeated("<R><other>", "a", 100000, "</other></R>", "0=R");
    expect_repeated("<", "R", 1024, "/>", "0=RRR");
    expect_repeated("<", "R", 1025, "/>", "VALUETOOLONG 1");
    expect_repeated("<?xml version='1.0' encoding='GBK'?><R><t>", "\xBF\xDA", 341, "</t></R>",
                    "0=R | 7=\u53e3\u53e3");
    expect_repeated("<?xml version='1.0' encoding='GBK'?><R><t>", "\xBF\xDA", 342, "</t></R>",
                    "VALUETOOLONG 42");
}

Test(xml, bounds_attributes_and_prefixes)
{
    char text[32768], *at = stpcpy(text, "<R");
    char prefixes[32768], *prefix = stpcpy(prefixes, "<R");
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_xml);
    for (int i = 0; i < 128; i++) {
        at += sprintf(at, " a%d=''", i);
        prefix += sprintf(prefix, " xmlns:a%d='u'", i);
    }
    stpcpy(at, "/>");
    cr_expect_str_eq(scan_outcome(&fixture, &plan.plan, text, strlen(text)), "0=R");
    stpcpy(at, " b=''/>");
    cr_expect(strncmp(scan_outcome(&fixture, &plan.plan, text, strlen(text)), "MALFORMED", 9) == 0);
    stpcpy(prefix, "><b/></R>");
    cr_expect_str_eq(scan_outcome(&fixture, &plan.plan, prefixes, strlen(prefixes)), "0=R");
    stpcpy(prefix, "><b xmlns='u'/></R>");
    cr_expect(strncmp(scan_outcome(&fixture, &plan.plan, prefixes, strlen(prefixes)), "NAMESPACE",
                      9) == 0);
    scan_fixture_close(&fixture);
}

Test(xml, says_when_the_space_is_full)
{
    static const char text[] = "<R><t>&lt;&lt;&lt;&lt;</t></R>";
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_xml);
    fixture.space.text_capacity = 3;
    cr_expect_str_eq(scan_outcome(&fixture, &plan.plan, text, strlen(text)), "FULL");
    fixture.space.text_capacity = 4;
    cr_expect_str_eq(scan_outcome(&fixture, &plan.plan, text, strlen(text)), "0=R | 7=<<<<");
    scan_fixture_close(&fixture);
}

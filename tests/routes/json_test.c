#include "routes/json/json_members.h"
#include "tests/routes/scan_fixture.h"

/* Entries are /orders, instances /refs. */
static void make_plan(struct plan_fixture *fixture)
{
    plan_begin(fixture, FORMAT_JSON);
    plan_tap(fixture, "/id");           /* 0 */
    plan_tap(fixture, "/head/id");      /* 1 */
    plan_tap(fixture, "/orders/key");   /* 2 */
    plan_tap(fixture, "//dxp");         /* 3 */
    plan_tap(fixture, "/refs/type");    /* 4 */
    plan_tap(fixture, "/refs/value");   /* 5 */
    plan_tap(fixture, "/list");         /* 6 */
    plan_tap(fixture, "/orders");       /* 7 */
    plan_tap(fixture, "/\xE5\x8F\xA3"); /* 8 */
    plan_node_at(fixture, "/orders")->entry = true;
    plan_node_at(fixture, "/refs")->instance = true;
}

static void check(const struct scan_case *cases)
{
    struct plan_fixture fixture;
    make_plan(&fixture);
    check_cases(scan_json, &fixture.plan, cases);
}

Test(json, captures_what_the_plan_taps)
{
    static const struct scan_case cases[] = {
        {"{}", ""},
        {"[]", ""},
        {"{\"id\":\"1\"}", "0=1"},
        {" { \"id\" :\t\" 1 \" ,\r\n\"x\":{} } ", "0=1"},
        {"\xEF\xBB\xBF{\"id\":\"1\"}", "0=1"},
        {"{\"id\":-1.50e+3,\"list\":[true,false,null,0,\"\",\" \",\"a\"]}",
         "0=-1.50e+3 | 6=true | 6=false | 6=0 | 6=a"},
        {"{\"id\":{\"id\":\"1\"},\"head\":{\"x\":{\"id\":\"2\"},\"id\":\"3\"}}", "1=3"},
        {"{\"id\":null,\"head\":null}", ""},
        {"{\"list\":[[\"a\",[\"b\"]],[],\"c\"]}", "6=a | 6=b | 6=c"},
        {"[{\"id\":\"1\"},[{\"id\":\"2\"}],{\"id\":\"3\"}]", "0=1 | 0=2 | 0=3"},
        {"{\"Id\":\"1\",\"ids\":\"2\",\"i\":\"3\",\"\":\"4\"}", ""},
        {"{\"x\":\"1\",\"x\":\"2\"}", ""}, /* unknown members may repeat */
        {0}};
    check(cases);
}

Test(json, counts_entries_and_instances)
{
    static const struct scan_case cases[] = {
        {"{\"orders\":[{\"key\":\"A\"},{},{\"key\":[\"B\",\"C\"]}],\"id\":1}",
         "2@1=A | 2@3=B | 2@3=C | 0=1"},
        {"{\"orders\":{\"key\":\"A\"},\"id\":1}", "2@1=A | 0=1"},
        {"{\"orders\":[[{\"key\":\"A\"}],[{\"key\":\"B\"}]]}", "2@1=A | 2@2=B"},
        {"{\"orders\":[\"a\",null,\"b\"]}", "7@1=a | 7@2=b"},
        {"{\"orders\":[{\"key\":\"A\",\"x\":[{\"dxp\":\"B\"}]}],\"dxp\":\"C\"}",
         "2@1=A | 3@1=B | 3=C"},
        {"{\"refs\":[{\"type\":\"a\",\"value\":\"1\"},{\"value\":\"2\"}]}",
         "4#1=a | 5#1=1 | 5#2=2"},
        {"{\"refs\":{\"type\":\"a\"},\"id\":2}", "4#1=a | 0=2"},
        {0}};
    check(cases);
}

Test(json, does_not_nest_entries)
{
    static const struct scan_case cases[] = {
        {"{\"a\":[{\"b\":[{\"k\":1},{\"k\":2}]}],\"b\":[{\"k\":3},{\"k\":4}]}",
         "0@1=1 | 0@1=2 | 0@2=3 | 0@3=4"},
        {0}};
    struct plan_fixture fixture;
    plan_begin(&fixture, FORMAT_JSON);
    plan_tap(&fixture, "//b/k");
    plan_node_at(&fixture, "/a")->entry = true;
    plan_node_at(&fixture, "//b")->entry = true;
    check_cases(scan_json, &fixture.plan, cases);
}

Test(json, matches_at_any_depth_where_the_path_does_not)
{
    static const struct scan_case cases[] = {
        {"{\"dxp\":1,\"x\":{\"y\":[{\"dxp\":2}]}}", "3=1 | 3=2"},
        {"{\"dxp\":{\"dxp\":1,\"x\":{\"dxp\":2}}}", "3=1 | 3=2"},
        {"{\"x\":{\"dxp\":1},\"y\":{\"dxp\":2},\"dxp\":3}", "3=1 | 3=2 | 3=3"},
        {0}};
    check(cases);
}

Test(json, undoes_escapes)
{
    static const struct scan_case cases[] = {
        {"{\"id\":\"a\\\"\\\\\\/b\"}", "0=a\"\\/b"},
        {"{\"id\":\"\\t\\n\\r a\\b\\f \\n\"}", "0=a\b\f"},
        {"{\"id\":\"\\u0041\\u4e2D\\ud83d\\uDE00\"}", "0=A\u4e2d\U0001F600"},
        {"{\"id\":\"\\uFFFF\\uE000\\uD7FF\"}", "0=\uFFFF\uE000\xED\x9F\xBF"},
        {"{\"id\":\"\u53e3\\u5cb8\"}", "0=\u53e3\u5cb8"},
        {"{\"id\":\"\u53e3\u5cb8\"}", "0=\u53e3\u5cb8"},
        {"{\"\\u0069d\":\"1\"}", "0=1"},
        {"{\"\\u53e3\":\"1\"}", "8=1"},
        {"{\"\u53e3\":\"1\"}", "8=1"},
        {"{\"i\\td\":\"1\",\"i\\u0000d\":2}", ""},
        {"{\"id\\u0020\":\"1\"}", ""},
        {0}};
    check(cases);
}

Test(json, refuses_a_known_member_twice)
{
    static const struct scan_case cases[] = {
        {"{\"id\":1,\"id\":1}", "DUPLICATEKEY 8"},
        {"{\"id\":null,\"\\u0069d\":1}", "DUPLICATEKEY 11"},
        {"{\"head\":{},\"x\":1,\"head\":{}}", "DUPLICATEKEY 17"},
        {"{\"head\":{\"id\":1},\"id\":2}", "1=1 | 0=2"},
        {"{\"dxp\":{\"dxp\":1},\"dxp\":2}", "DUPLICATEKEY 17"},
        {"{\"refs\":[{\"type\":1},{\"type\":2,\"type\":3}]}", "DUPLICATEKEY 30"},
        {0}};
    check(cases);
}

Test(json, refuses_broken_structure)
{
    static const struct scan_case cases[] = {{"", "EMPTY 0"},
                                             {" \t\r\n", "EMPTY 4"},
                                             {"\xEF\xBB\xBF", "EMPTY 3"},
                                             {"\xFF\xFE{", "ENCODING 0"},
                                             {"1", "MALFORMED 0"},
                                             {" \"a\"", "MALFORMED 1"},
                                             {"null", "MALFORMED 0"},
                                             {"{}x", "TRAILING 2"},
                                             {"[] []", "TRAILING 3"},
                                             {"{}}", "TRAILING 2"},
                                             {"{]", "MALFORMED 1"},
                                             {"[}", "MALFORMED 1"},
                                             {"[1}", "MALFORMED 2"},
                                             {"{\"a\":1]", "MALFORMED 6"},
                                             {"[,1]", "MALFORMED 1"},
                                             {"[1,]", "MALFORMED 3"},
                                             {"[1,,2]", "MALFORMED 3"},
                                             {"[1 2]", "MALFORMED 3"},
                                             {"{,}", "MALFORMED 1"},
                                             {"{\"a\":1,}", "MALFORMED 7"},
                                             {"{\"a\" 1}", "MALFORMED 5"},
                                             {"{\"a\"}", "MALFORMED 4"},
                                             {"{\"a\":}", "MALFORMED 5"},
                                             {"{a:1}", "MALFORMED 1"},
                                             {"{1:1}", "MALFORMED 1"},
                                             {"{'a':1}", "MALFORMED 1"},
                                             {"{\"a\":1 \"b\":2}", "MALFORMED 7"},
                                             {"{\"a\":1;\"b\":2}", "MALFORMED 6"},
                                             {"[1]\v", "TRAILING 3"},
                                             {"[/* */]", "MALFORMED 1"},
                                             {0}};
    check(cases);
}

Test(json, refuses_broken_scalars)
{
    static const struct scan_case cases[] = {
        {"[0,-0,1,-1,10,0.0,1.25,1e5,1E-5,1.0e+05,123456789012345678901234567890]", ""},
        {"[01]", "MALFORMED 2"},
        {"[-]", "MALFORMED 2"},
        {"[-a]", "MALFORMED 2"},
        {"[+1]", "MALFORMED 1"},
        {"[.5]", "MALFORMED 1"},
        {"[1.]", "MALFORMED 3"},
        {"[1.e5]", "MALFORMED 3"},
        {"[1e]", "MALFORMED 3"},
        {"[1e+]", "MALFORMED 4"},
        {"[0x1]", "MALFORMED 2"},
        {"[-01]", "MALFORMED 3"},
        {"[1.5.5]", "MALFORMED 4"},
        {"[NaN]", "MALFORMED 1"},
        {"[Infinity]", "MALFORMED 1"},
        {"[true,false,null]", ""},
        {"[trux]", "MALFORMED 4"},
        {"[tru]", "MALFORMED 4"},
        {"[truee]", "MALFORMED 5"},
        {"[True]", "MALFORMED 1"},
        {"[nul]", "MALFORMED 4"},
        {"[fals,]", "MALFORMED 5"},
        {"[\"a\x01\"]", "MALFORMED 3"},
        {"[\"a\n\"]", "MALFORMED 3"},
        {"[\"a\x7F\"]", ""},
        {"[\"\\x\"]", "MALFORMED 3"},
        {"[\"\\U0041\"]", "MALFORMED 3"},
        {"[\"\\u00G1\"]", "MALFORMED 6"},
        {"[\"\\u004\"]", "MALFORMED 7"},
        {"[\"\\ud83d\"]", "ENCODING 2"},
        {"[\"\\ud83dx\"]", "ENCODING 2"},
        {"[\"\\ud83d\\n\"]", "ENCODING 2"},
        {"[\"\\ud83d\\ud83d\"]", "ENCODING 2"},
        {"[\"\\ud83d\\u0041\"]", "ENCODING 2"},
        {"[\"\\ud83d\\u00\"]", "MALFORMED 12"},
        {"[\"\\ud83dxuDE00\"]", "ENCODING 2"},
        {"[\"\\uDE00\"]", "ENCODING 2"},
        {"[\"\\uDC00\\uDC00\"]", "ENCODING 2"},
        {"[\"ab\xFF\"]", "ENCODING 4"},
        {"[\"\xE4\xB8\"]", "ENCODING 2"},
        {"[\"\xE4\xB8\xAD\xE4\xB8\"]", "ENCODING 5"},
        {"[\"\xC0\x80\"]", "ENCODING 2"},
        {"[\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\"]", ""},
        {"[\"\xE5\x8F\xA3\xE0\x9F\xBF\"]", "ENCODING 5"},
        {"[\"\xE5\x8F\xA3\xE5\x8F\xC0\"]", "ENCODING 5"},
        {"[\"\xE5\x8F\xA3\xE5\x0F\x80\"]", "ENCODING 5"},
        {"[\"\xE5\x8F\xA3\xF0\x9F\x98\x80\xC3\xA9\"]", ""},
        {"[\"\xE5\x8F\xA3", "TRUNCATED 5"},
        {"[\"\xED\xA0\x80\"]", "ENCODING 2"},
        {"[\"\xF4\x90\x80\x80\"]", "ENCODING 2"},
        {"[\"\xF0\x9F\x98\x80\"]", ""},
        {"{\"\xFF\":1}", "ENCODING 2"},
        {"[\xC3\xA9]", "MALFORMED 1"},
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
    scan_fixture_open(&fixture, scan_json);
    write_repeated(text, before, piece, count, after);
    const char *outcome = scan_outcome(&fixture, &plan.plan, text, strlen(text));
    cr_expect(strncmp(outcome, expected, strlen(expected)) == 0, "%u times %s: %.100s", count,
              piece, outcome);
    cr_expect(expected[0] != '\0' || outcome[0] == '\0');
    scan_fixture_close(&fixture);
}

Test(json, bounds_depth)
{
    static char closing[128];
    memset(closing, ']', 64);
    expect_repeated("", "[", 64, closing, "");
    closing[64] = ']';
    expect_repeated("", "[", 65, closing, "TOODEEP 64");
    expect_repeated("", "{\"a\":", 65, "", "TOODEEP 320");
    expect_repeated("[", "[[]],", 1000, "[]]", "");
}

Test(json, bounds_entries)
{
    expect_repeated("{\"orders\":[{}", ",{}", 255, "]}", "");
    expect_repeated("{\"orders\":[{}", ",{}", 256, "]}", "TOOMANYENTRIES 779");
}

Test(json, bounds_captures)
{
    expect_repeated("{\"list\":[0", ",1", 8191, "]}", "6=0 | 6=1");
    expect_repeated("{\"list\":[0", ",1", 8192, "]}", "TOOMANYVALUES 16393");
}

Test(json, bounds_values)
{
    expect_repeated("{\"id\":\"", "a", 1024, " \"}", "0=aaa");
    expect_repeated("{\"id\":\"", "a", 1025, "\"}", "VALUETOOLONG 7");
    expect_repeated("{\"id\":\" \\n", "a", 1024, " \\t \"}", "0=aaa");
    expect_repeated("{\"id\":\" \\n", "\\u0061", 1025, "\"}", "VALUETOOLONG 10");
    expect_repeated("{\"id\":", "1", 1025, "}", "VALUETOOLONG 6");
    expect_repeated("{\"other\":\"", "a", 100000, "\"}", "");
    expect_repeated("{\"", "a", 100000, "\":1}", "");
    expect_repeated("{\"", "\\u0061", 10000, "\":1}", "");
}

Test(json, says_when_the_space_is_full)
{
    static const char text[] = "{\"id\":\"\\u53e3\"}";
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_json);
    fixture.space.text_capacity = 2;
    cr_expect_str_eq(scan_outcome(&fixture, &plan.plan, text, strlen(text)), "FULL");
    fixture.space.text_capacity = 3;
    cr_expect_str_eq(scan_outcome(&fixture, &plan.plan, text, strlen(text)), "0=\u53e3");
    scan_fixture_close(&fixture);
}

/* ---- Members --------------------------------------------------------------------------------- */

/* "name=value name='text' ..." and the fault, if any. */
static const char *list_members(const char *text)
{
    static char outcome[1024];
    char *out = outcome, *padded = calloc(1, strlen(text) + BYTES_PADDING);
    struct json_members members;
    memcpy(padded, text, strlen(text));
    *out = '\0';
    json_members_init(&members, bytes_make(padded, strlen(text)));
    while (json_members_next(&members))
        out += sprintf(out, members.value_is_text ? "%.*s='%.*s' " : "%.*s=%.*s ",
                       (int)members.name.size, members.name.data, (int)members.value.size,
                       members.value.data);
    cr_expect_not(json_members_next(&members), "the end stays the end");
    if (members.fault.reason != SCAN_NONE)
        sprintf(out, "%s %u", scan_reason_word(members.fault.reason), members.fault.offset);
    free(padded);
    return outcome;
}

Test(json, lists_the_members_of_the_root)
{
    static const struct scan_case cases[] = {
        {"{}", ""},
        {"[1,2]", ""},
        {" { \"a\" : 1 , \"b\":\" x \"}", "a=1 b=' x ' "},
        {"\xEF\xBB\xBF{\"a\":{\"b\":[1,\"}\\\"]\",{}]},\"c\":[[]],\"d\":null}",
         "a={\"b\":[1,\"}\\\"]\",{}]} c=[[]] d=null "},
        {"{\"a\\n\":\"b\\u0041\"}", "a\\n='b\\u0041' "},
        {"{\"a\":[1 2 : ,]}", "MALFORMED 8"},
        {"", "EMPTY 0"},
        {"1", "MALFORMED 0"},
        {"{", "TRUNCATED 1"},
        {"{\"a\"", "TRUNCATED 4"},
        {"{\"a\":1", "a=1 TRUNCATED 6"},
        {"{\"a\":1,", "a=1 TRUNCATED 7"},
        {"{\"a\":[1", "TRUNCATED 7"},
        {"{\"a\":1,}", "a=1 MALFORMED 7"},
        {"{\"a\":1 2}", "a=1 MALFORMED 7"},
        {"{\"a\":[}]}", "MALFORMED 6"},
        {"{\"a\":[\"\xFF\"]}", "ENCODING 7"},
        {0}};
    for (size_t i = 0; cases[i].text != NULL; i++)
        cr_expect_str_eq(list_members(cases[i].text), cases[i].expected, "%s: %s", cases[i].text,
                         list_members(cases[i].text));
}

Test(json, lists_no_members_deeper_than_a_scan_goes)
{
    char text[256];
    write_repeated(text, "{\"a\":", "[", 63, "");
    memset(text + strlen(text), 0, 1);
    cr_expect_str_eq(list_members(text), "TRUNCATED 68");
    write_repeated(text, "{\"a\":", "[", 64, "");
    cr_expect_str_eq(list_members(text), "TOODEEP 68");
}

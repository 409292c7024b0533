#include "routes/dialect/recognise.h"

#include "profile_fixture.h"

static const char profiles[] =
    "profile: a-narrow\nfamily: f\nformat: xml\n"
    "recognise: { root: [A, B], namespace: \"urn:n\" }\nfields: { message_type: name() }\n---\n"
    "profile: a-prefix\nfamily: f\nformat: xml\n"
    "recognise: { root: A, namespace: \"urn:*\" }\nfields: { message_type: name() }\n---\n"
    "profile: a-any\nfamily: f\nformat: xml\n"
    "recognise: { root: A }\nfields: { message_type: name() }\n---\n"
    "profile: n-only\nfamily: f\nformat: xml\n"
    "recognise: { namespace: \"urn:only\" }\nfields: { message_type: name() }\n---\n"
    "profile: declared\nfamily: f\nformat: xml\n"
    "recognise: { first_bytes: \"<?xml version='1.1'\" }\nfields: { message_type: name() }\n---\n"
    "profile: z\nfamily: f\nformat: xml\n"
    "recognise: { first_bytes: \"<Z\" }\nfields: { message_type: name() }\n---\n"
    "profile: x-1\nfamily: f\nformat: edifact\n"
    "recognise: { type: [X, Y] }\nfields: { message_type: UNH/2/1 }\n---\n"
    "profile: any-edifact\nfamily: f\nformat: edifact\n"
    "recognise: { type: \"*\" }\nfields: { message_type: UNH/2/1 }\n---\n"
    "profile: j-kind\nfamily: f\nformat: json\n"
    "recognise: { key: kind, values: [one, \"2\"] }\nfields: { message_type: kind }\n---\n"
    "profile: j-type\nfamily: f\nformat: json\n"
    "recognise: { key: type }\nfields: { message_type: type }\n---\n"
    "profile: j-kind-any\nfamily: f\nformat: json\n"
    "recognise: { key: kind }\nfields: { message_type: kind }\n";

static struct profile_fixture *open_profiles(void)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, profiles);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    return fixture;
}

/* The profile's name, or the fault. */
static const char *recognise(struct profile_fixture *fixture, const uint64_t *allowed,
                             const char *text)
{
    const struct profile *profile = NULL;
    struct scan_fault fault = {0};
    struct bytes body = fixture_body(bytes_from_text(text), 0);
    enum status status = read_recognise(&fixture->set, allowed, body, &profile, &fault);
    free((void *)body.data);
    if (status == STATUS_OK)
        return profile->name;
    return fixture_print(fixture, status, NULL, &fault);
}

Test(recognise, by_root_namespace_and_first_bytes)
{
    static const char *const cases[][2] = {
        {"<A xmlns='urn:n'/>", "a-narrow"},
        {"<p:B xmlns:p='urn:n'/>", "a-narrow"},
        {"<A xmlns='urn:nn'/>", "a-prefix"},
        {"<A xmlns='URN:n'/>", "a-any"},
        {"<A/>", "a-any"},
        {"<a/>", "UNKNOWNPROFILE 0"},
        {"<B/>", "UNKNOWNPROFILE 0"},
        {"<C xmlns='urn:only'/>", "n-only"},
        {"<A xmlns='urn:only'/>", "a-prefix"},
        {"\xEF\xBB\xBF<?xml version='1.1'?><C/>", "declared"},
        {"\xEF\xBB\xBF \r\n\t<Z/>", "z"},
        {"<?xml version='1.0'?><C/>", "UNKNOWNPROFILE 0"},
        {"<?xml version='1.1'?><A/>", "a-any"},
        {"", "EMPTY 0"},
        {"hello", "UNKNOWNFORMAT 0"},
        {"<A", "TRUNCATED 2 expected `>`"},
    };
    struct profile_fixture *fixture = open_profiles();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = recognise(fixture, NULL, cases[i][0]);
        cr_expect_str_eq(found, cases[i][1], "%s: %s, expected %s", cases[i][0], found,
                         cases[i][1]);
    }
    fixture_close(fixture);
}

Test(recognise, by_message_type)
{
    struct profile_fixture *fixture = open_profiles();
    cr_expect_str_eq(recognise(fixture, NULL, "UNH+1+X:D:96B:UN'UNT+2+1'"), "x-1");
    cr_expect_str_eq(recognise(fixture, NULL, "UNH+1+Y:D:96B:UN'UNT+2+1'"), "x-1");
    cr_expect_str_eq(recognise(fixture, NULL, "UNH+1+Z:D:96B:UN'UNT+2+1'"), "any-edifact");
    fixture_close(fixture);
}

Test(recognise, by_member_in_any_order)
{
    static const char *const cases[][2] = {
        {"{\"kind\":\"one\",\"type\":1}", "j-kind"},
        {"{\"type\":1,\"kind\":\"one\"}", "j-kind"},
        {"{\"type\":1,\"x\":{\"kind\":\"one\"},\"kind\":2}", "j-kind"},
        {"{\"kind\":\"three\",\"type\":\"t\"}", "j-type"},
        {"{\"type\":\"t\",\"kind\":\"three\"}", "j-type"},
        {"{\"type\":\"\",\"kind\":\"three\"}", "j-kind-any"},
        {"{\"type\":null,\"kind\":\"three\"}", "j-kind-any"},
        {"{\"type\":{},\"kind\":\"three\"}", "j-kind-any"},
        {"{\"type\":false}", "j-type"},
        {"{\"Type\":1}", "UNKNOWNPROFILE 0"},
        {"{}", "UNKNOWNPROFILE 0"},
        {"{\"a\":1", "TRUNCATED 6 expected `,` or `}`"},
        /* What is decided needs no further look. */
        {"{\"kind\":\"one\",", "j-kind"},
    };
    struct profile_fixture *fixture = open_profiles();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = recognise(fixture, NULL, cases[i][0]);
        cr_expect_str_eq(found, cases[i][1], "%s: %s, expected %s", cases[i][0], found,
                         cases[i][1]);
    }
    fixture_close(fixture);
}

/* Every subset of the profiles against trying each in turn. */
static bool accepts(const struct profile *profile, const char *body)
{
    static const struct {
        const char *body, *profiles;
    } truths[] = {
        {"<A xmlns='urn:n'/>", " a-narrow a-prefix a-any "},
        {"<A xmlns='urn:only'/>", " a-prefix a-any n-only "},
        {"<?xml version='1.1'?><A xmlns='urn:only'/>", " a-prefix a-any n-only declared "},
        {"UNH+1+X:D:96B:UN'UNT+2+1'", " x-1 any-edifact "},
        {"{\"type\":1,\"kind\":\"one\"}", " j-kind j-type j-kind-any "},
        {"{\"kind\":\"2\"}", " j-kind j-kind-any "},
    };
    char name[32];
    snprintf(name, sizeof name, " %s ", profile->name);
    for (size_t i = 0; i < sizeof truths / sizeof truths[0]; i++)
        if (strcmp(truths[i].body, body) == 0)
            return strstr(truths[i].profiles, name) != NULL;
    cr_assert_fail("no truth about %s", body);
    return false;
}

Test(recognise, among_the_allowed)
{
    static const char *const bodies[] = {
        "<A xmlns='urn:n'/>",
        "<A xmlns='urn:only'/>",
        "<?xml version='1.1'?><A xmlns='urn:only'/>",
        "UNH+1+X:D:96B:UN'UNT+2+1'",
        "{\"type\":1,\"kind\":\"one\"}",
        "{\"kind\":\"2\"}",
    };
    struct profile_fixture *fixture = open_profiles();
    cr_assert_eq(fixture->set.count, 11);
    for (uint64_t allowed = 0; allowed < 2048; allowed++)
        for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
            const char *expected =
                allowed == 2047
                    ? "UNKNOWNPROFILE 0"
                    : "UNKNOWNPROFILE 0 no profile that may enter by this channel recognises it";
            for (int k = 10; k >= 0; k--)
                if ((allowed >> k & 1) != 0 && accepts(fixture->set.profiles[k], bodies[i]))
                    expected = fixture->set.profiles[k]->name;
            cr_assert_str_eq(recognise(fixture, &allowed, bodies[i]), expected,
                             "%s among %lx, expected %s", bodies[i], (unsigned long)allowed,
                             expected);
        }
    fixture_close(fixture);
}

static const char pattern_profiles[] =
    "profile: exact\nfamily: f\nformat: xml\n"
    "recognise: { root: CEB311Message, namespace: [\"urn:n\", \"\"] }\n"
    "fields: { message_type: name() }\n---\n"
    "profile: numbers\nfamily: f\nformat: xml\n"
    "recognise: { root: [CEB???Message, CEB4*, CEB5*] }\nfields: { message_type: name() }\n---\n"
    "profile: messages\nfamily: f\nformat: xml\n"
    "recognise: { root: \"*Message\", namespace: \"urn:?\" }\n"
    "fields: { message_type: name() }\n---\n"
    "profile: long\nfamily: f\nformat: xml\nrecognise: { root: "
    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB*\" }\n"
    "fields: { message_type: name() }\n---\n"
    "profile: bare\nfamily: f\nformat: xml\n"
    "recognise: { root: Bare, namespace: \"\" }\nfields: { message_type: name() }\n---\n"
    "profile: types\nfamily: f\nformat: edifact\n"
    "recognise: { type: [\"IFT*\", X] }\nfields: { message_type: UNH/2/1 }\n---\n"
    "profile: both\nfamily: f\nformat: json\n"
    "recognise: { has: [events, feedback] }\nfields: { message_type: { constant: B } }\n---\n"
    "profile: type-and\nfamily: f\nformat: json\n"
    "recognise: { key: \"@type\", values: [\"iata:*\", Piece], has: \"@context\" }\n"
    "fields: { message_type: { constant: A } }\n---\n"
    "profile: transit\nfamily: f\nformat: json\n"
    "recognise: { has: \"*CC???C\" }\nfields: { message_type: { constant: C } }\n---\n"
    "profile: kind\nfamily: f\nformat: json\n"
    "recognise: { key: \"*Kind\", values: \"1?\" }\n"
    "fields: { message_type: { constant: K } }\n---\n"
    "profile: events\nfamily: f\nformat: json\n"
    "recognise: { has: events }\nfields: { message_type: { constant: E } }\n";

static void expect_recognised(struct profile_fixture *fixture, const char *body,
                              const char *expected)
{
    const char *found = recognise(fixture, NULL, body);
    cr_expect_str_eq(found, expected, "%s: %s, expected %s", body, found, expected);
}

Test(recognise, by_patterns)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, pattern_profiles);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    expect_recognised(fixture, "<CEB311Message/>", "exact");
    expect_recognised(fixture, "<CEB311Message xmlns=\"\"/>", "exact");
    expect_recognised(fixture, "<CEB311Message xmlns='urn:n'/>", "exact");
    expect_recognised(fixture, "<CEB311Message xmlns='urn:o'/>", "numbers");
    expect_recognised(fixture, "<CEB312Message xmlns='urn:n'/>", "numbers");
    expect_recognised(fixture, "<CEB4/>", "numbers");
    expect_recognised(fixture, "<CEB51/>", "numbers");
    expect_recognised(fixture, "<CEB6/>", "UNKNOWNPROFILE 0");
    expect_recognised(fixture, "<CEB3111Message xmlns='urn:n'/>", "messages");
    expect_recognised(fixture, "<Message xmlns='urn:n'/>", "messages");
    expect_recognised(fixture, "<Message xmlns='urn:'/>", "UNKNOWNPROFILE 0");
    expect_recognised(fixture, "<Bare/>", "bare");
    expect_recognised(fixture, "<Bare xmlns='urn:n'/>", "UNKNOWNPROFILE 0");
    expect_recognised(fixture,
                      "<AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB1/>",
                      "long");
    expect_recognised(fixture,
                      "<AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1/>",
                      "UNKNOWNPROFILE 0");
    expect_recognised(fixture, "UNH+1+IFTMIN:D:96B:UN'UNT+2+1'", "types");
    expect_recognised(fixture, "UNH+1+X:D:96B:UN'UNT+2+1'", "types");
    expect_recognised(fixture, "UNH+1+IF:D:96B:UN'UNT+2+1'", "UNKNOWNPROFILE 0");
    fixture_close(fixture);
}

Test(recognise, by_several_members)
{
    static const char *const cases[][2] = {
        {"{\"events\":[],\"feedback\":{}}", "both"},
        {"{\"feedback\":0,\"x\":[{\"events\":1}],\"events\":\"\"}", "both"},
        {"{\"events\":[],\"feedback\":null}", "events"},
        {"{\"events\":[{\"feedback\":1}]}", "events"},
        {"{\"events\":null}", "UNKNOWNPROFILE 0"},
        /* The value of the key, or a text in the array that is its value. */
        {"{\"@context\":{},\"@type\":\"Piece\"}", "type-and"},
        {"{\"@type\":[\"x\",\"iata:Piece\"],\"@context\":\"u\"}", "type-and"},
        {"{\"@type\":\"Piece\"}", "UNKNOWNPROFILE 0"},
        {"{\"@context\":{},\"@type\":\"piece\"}", "UNKNOWNPROFILE 0"},
        {"{\"@context\":{},\"@type\":[{\"a\":\"Piece\"},[\"Piece\"],\"\\\"Piece\",4]}",
         "UNKNOWNPROFILE 0"},
        {"{\"@context\":{},\"@type\":[[],{},\"Piece\"]}", "type-and"},
        {"{\"@context\":{},\"@type\":[]}", "UNKNOWNPROFILE 0"},
        /* A member whose name is the type. */
        {"{\"n1:CC015C\":{\"messageType\":\"CC015C\"}}", "transit"},
        {"{\"x\":1,\"CC015C\":{}}", "transit"},
        {"{\"n1:CC015\":{}}", "UNKNOWNPROFILE 0"},
        {"{\"aKind\":\"2\",\"bKind\":17}", "kind"},
        {"{\"aKind\":\"2\",\"bKind\":1}", "UNKNOWNPROFILE 0"},
        {"{\"aKind\":\"12\",\"events\":1}", "kind"},
        /* An array is judged by its first item. */
        {"[{\"events\":1},{\"feedback\":1}]", "events"},
        {" [ {\"events\":1,\"feedback\":1} ] ", "both"},
        {"[[{\"events\":1}]]", "UNKNOWNPROFILE 0"},
        {"[1,{\"events\":1}]", "UNKNOWNPROFILE 0"},
        {"[]", "UNKNOWNPROFILE 0"},
        {"[", "TRUNCATED 1 expected an object or an array"},
    };
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, pattern_profiles);
    fixture_build(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_recognised(fixture, cases[i][0], cases[i][1]);
    fixture_close(fixture);
}

static const char conditional_profiles[] =
    "profile: answer\nfamily: f\nformat: xml\n"
    "recognise: { root: M, where: { H/@type: [\"*REC\", R], \"P[c=1]/v\": \"*\" } }\n"
    "fields: { message_type: H/@type }\n---\n"
    "profile: question\nfamily: f\nformat: xml\n"
    "recognise: { root: M, where: { H/@type: \"Q?\", A/B: ~ } }\nfields: { message_type: H/@type "
    "}\n---\n"
    "profile: head\nfamily: f\nformat: xml\n"
    "recognise: { where: [{ HEAD/ID: \"*\", HEAD/V: 2 }, { FOOT/ID: 9 }] }\n"
    "fields: { message_type: [HEAD/ID, FOOT/ID] }\n---\n"
    "profile: rest\nfamily: f\nformat: xml\n"
    "recognise: { root: M, namespace: u }\nfields: { message_type: name() }\n---\n"
    "profile: list\nfamily: f\nformat: json\n"
    "recognise: { has: events, where: { events/kind: ARRI } }\n"
    "fields: { message_type: events/kind }\n---\n"
    "profile: any\nfamily: f\nformat: json\n"
    "recognise: { has: \"*\" }\nfields: { message_type: { constant: A } }\n";

Test(recognise, by_what_stands_inside)
{
    static const char *const cases[][2] = {
        {"<M><H type='KJREC'/><P><c>1</c><v>2</v></P></M>", "answer 1: message_type=KJREC"},
        {"<M><H type='R'/><P><c>&#49;</c><v>x</v></P></M>", "answer 1: message_type=R"},
        {"<M><H type='R'/><P><c>2</c><v>x</v></P></M>", "UNKNOWNPROFILE 0"},
        {"<M xmlns='u'><H type='R'/><P><c>2</c><v>x</v></P></M>", "rest 1: message_type=M"},
        {"<M><H type='Q1'/></M>", "question 1: message_type=Q1"},
        {"<M><H type='Q12'/></M>", "UNKNOWNPROFILE 0"},
        {"<M><H type='Q1'/><A><B> </B></A></M>", "question 1: message_type=Q1"},
        {"<M><H type='Q1'/><A><B>0</B></A></M>", "UNKNOWNPROFILE 0"},
        {"<M><HEAD><ID>7</ID><V>2</V></HEAD></M>", "head 1: message_type=7"},
        {"<X><HEAD><ID> 7 </ID><V> 2</V></HEAD></X>", "head 1: message_type=7"},
        {"<X><HEAD><ID> </ID><V>2</V></HEAD></X>", "UNKNOWNPROFILE 0"},
        {"<X><HEAD><ID>7</ID><V>1</V></HEAD></X>", "UNKNOWNPROFILE 0"},
        {"<X><HEAD><ID>7</ID></HEAD><FOOT><ID>9</ID></FOOT></X>", "head 1: message_type=7"},
        {"<X><FOOT><ID>9</ID></FOOT></X>", "head 1: message_type=9"},
        {"<X><FOOT><ID>8</ID></FOOT></X>", "UNKNOWNPROFILE 0"},
        {"<M><H></M>", "MALFORMED 8 not the end of the open element"},
        {"[{\"events\":[{\"kind\":\"DEPA\"},{\"kind\":\"ARRI\"}]}]", "list 1: message_type=DEPA"},
        {"{\"events\":[{\"kind\":\"DEPA\"}]}", "any 1: message_type=A"},
        {"{}", "UNKNOWNPROFILE 0"},
    };
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, conditional_profiles);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *line = fixture_read(fixture, cases[i][0]);
        cr_expect_str_eq(line, cases[i][1], "%s: %s, expected %s", cases[i][0], line, cases[i][1]);
    }
    fixture_close(fixture);
}

/* A member inside of others; an array is judged by its first item at every level. */
Test(recognise, by_inner_members)
{
    static const char *const cases[][2] = {
        {"{\"a\":{\"x\":[],\"b\":{\"c\":1}}}", "inner"},
        {"{\"a\":[{\"b\":[{\"c\":\"\"},{}]},1]}", "inner"},
        {"{\"z\":{\"a\":1},\"a\":[ { \"b\" : {\"d\":{},\"c\":{}} } ]}", "inner"},
        {"{\"a\":{\"b\":{\"c\":null}}}", "UNKNOWNPROFILE 0"},
        {"{\"a\":{\"b\":1,\"c\":1}}", "UNKNOWNPROFILE 0"},
        {"{\"a\":\"{b\",\"b\":{\"c\":1}}", "UNKNOWNPROFILE 0"},
        {"{\"a\":[{},{\"b\":{\"c\":1}}]}", "UNKNOWNPROFILE 0"},
        {"{\"a\":[[{\"b\":{\"c\":1}}]]}", "UNKNOWNPROFILE 0"},
        {"{\"a\":{}}", "UNKNOWNPROFILE 0"},
    };
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, "profile: inner\nfamily: f\nformat: json\n"
                           "recognise: { has: a/b/c }\n"
                           "fields: { message_type: { constant: T } }\n");
    fixture_build(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_recognised(fixture, cases[i][0], cases[i][1]);
    fixture_close(fixture);
}

static const char otherwise_profiles[] =
    "profile: any-xml\nfamily: f\nformat: xml\nrecognise: { root: \"*\", otherwise: true }\n"
    "fields: { message_type: name() }\n---\n"
    "profile: any-json\nfamily: f\nformat: json\nrecognise: { has: \"*\", otherwise: true }\n"
    "fields: { message_type: { constant: T } }\n---\n"
    "profile: any-edifact\nfamily: f\nformat: edifact\n"
    "recognise: { type: \"*\", otherwise: true }\nfields: { message_type: UNH/2/1 }\n---\n"
    "profile: named\nfamily: f\nformat: xml\nrecognise: { root: [A, \"B?\"], namespace: \"n:*\" }\n"
    "fields: { message_type: name() }\n---\n"
    "profile: spaced\nfamily: f\nformat: xml\nrecognise: { namespace: \"m\" }\n"
    "fields: { message_type: name() }\n---\n"
    "profile: keyed\nfamily: f\nformat: json\nrecognise: { key: k, values: V }\n"
    "fields: { message_type: k }\n---\n"
    "profile: typed\nfamily: f\nformat: edifact\nrecognise: { type: CUSDEC }\n"
    "fields: { message_type: UNH/2/1 }\n";

/* They stand behind all others, wherever they are written, and get no root that another is about.
 */
Test(recognise, otherwise)
{
    static const char slip[] =
        "UNKNOWNPROFILE 0 a known name, but not in this namespace or channel";
    static const char *const cases[][2] = {
        {"<A xmlns='n:1'/>", "named"},
        {"<B1 xmlns='n:1'/>", "named"},
        {"<A/>", slip},
        {"<A xmlns='m'/>", "spaced"},
        {"<B1 xmlns='x'/>", slip},
        {"<B/>", "any-xml"},
        {"<C xmlns='n:1'/>", "any-xml"},
        {"<C xmlns='m'/>", "spaced"},
        {"{\"x\":1,\"k\":\"V\"}", "keyed"},
        {"{\"x\":1,\"k\":\"W\"}", "any-json"},
        {"[{\"x\":[]}]", "any-json"},
        {"{\"x\":null}", "UNKNOWNPROFILE 0"},
        {"{}", "UNKNOWNPROFILE 0"},
        {"UNH+1+CUSDEC:D:96B:UN'UNT+2+1'", "typed"},
        {"UNH+1+CUSDCE:D:96B:UN'UNT+2+1'", "any-edifact"},
        {"UNH+1+:D:96B:UN'UNT+2+1'", "any-edifact"},
    };
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, otherwise_profiles);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_recognised(fixture, cases[i][0], cases[i][1]);
    /* What may not enter is not read as something unknown instead. */
    const struct profile *any = profile_set_find(&fixture->set, BYTES_LITERAL("any-xml"));
    uint64_t allowed[PROFILES_MAX / 64] = {UINT64_C(1) << any->index};
    cr_expect_str_eq(recognise(fixture, allowed, "<A xmlns='n:1'/>"), slip);
    cr_expect_str_eq(recognise(fixture, allowed, "<C/>"), "any-xml");
    fixture_close(fixture);
}

Test(recognise, among_a_thousand)
{
    struct profile_fixture *fixture = fixture_open();
    char yaml[512], body[64], name[16];
    for (int i = 0; i < PROFILES_MAX; i++) {
        snprintf(yaml, sizeof yaml,
                 "profile: p%d\nfamily: f\nformat: %s\nrecognise: { %s: N%d }\n"
                 "fields: { message_type: { constant: T } }\n",
                 i, i % 2 ? "xml" : "json", i % 2 ? "root" : "key", i / 4);
        fixture_parse(fixture, yaml);
    }
    cr_assert_eq(fixture->diagnostics.error_count, 0);
    fixture_build(fixture);
    for (int i = 0; i < PROFILES_MAX; i++) {
        snprintf(body, sizeof body, i % 2 ? "<N%d/>" : "{\"N%d\":1}", i / 4);
        snprintf(name, sizeof name, "p%d", i / 4 * 4 + i % 2);
        cr_assert_str_eq(recognise(fixture, NULL, body), name);
    }
    fixture_parse(fixture, yaml);
    cr_expect(strstr(fixture_diagnostics(fixture), "error[P113]: there are more than 1024"));
    fixture_close(fixture);
}

#include "routes/dialect/profile.h"

#include "profile_fixture.h"

#define HEAD                                                                                       \
    "profile: p\nfamily: f\nformat: xml\nrecognise: { root: R }\n"                                 \
    "fields:\n  message_type: name()\n"

/* ---- what compiles --------------------------------------------------------------------------- */

static void print_nodes(FILE *out, const struct plan *plan, uint16_t node, int depth)
{
    for (uint16_t child = plan->nodes[node].first_child; child != 0;
         child = plan->nodes[child].next_sibling) {
        const struct plan_node *at = &plan->nodes[child];
        fprintf(out, " %.*s%s%.*s", depth, "//////", at->attribute ? "@" : "", (int)at->name.size,
                at->name.data);
        if (at->tap != TAP_NONE)
            fprintf(out, "=%u", at->tap);
        fputs(at->entry ? "!" : "", out);
        fputs(at->instance ? "#" : "", out);
        print_nodes(out, plan, child, depth + 1);
    }
}

/* Each node with a `/` a level: `a=tap!#`, ! an entry, # an instance; behind `;` those of `//`. */
static void expect_plan(const char *yaml, const char *expected)
{
    struct profile_fixture *fixture = fixture_open();
    const struct profile *profile = fixture_profile(fixture, yaml);
    char *printed;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    const struct plan *plan = &profile->plan;
    if (plan->format == FORMAT_EDIFACT) {
        fprintf(out, "%.3s;", plan->entry_tag);
        for (uint16_t i = 0; i < plan->component_count; i++) {
            const struct plan_component *row = &plan->components[i];
            fprintf(out, " %.3s/%u/%u=%u", row->tag, row->element, row->component, row->tap);
            if (row->qualifier_element != 0)
                fprintf(out, "[%u/%u=%.*s]", row->qualifier_element, row->qualifier_component,
                        (int)row->qualifier.size, row->qualifier.data);
        }
    } else {
        print_nodes(out, plan, 0, 0);
        fputs(";", out);
        print_nodes(out, plan, 1, 0);
        if (plan->root_name_tapped)
            fprintf(out, "; name=%u", plan->root_name_tap);
    }
    for (uint16_t i = 0; i < profile->filter_count; i++)
        fprintf(out, "; %u where %u=%.*s", profile->filters[i].tap,
                profile->filters[i].predicate_tap, (int)profile->filters[i].value.size,
                profile->filters[i].value.data);
    fclose(out);
    cr_expect_str_eq(printed, expected);
    free(printed);
    fixture_close(fixture);
}

Test(profile, paths_become_a_trie)
{
    expect_plan(HEAD "  message_id: \"@guid\"\n"
                     "  sender: [Head/Sender, //dxpId]\n"
                     "  port: Head/Port\n"
                     "keys:\n  order: { join: [Order/No, Order/@platform] }\n"
                     "entries: Order\n",
                " Order! /No=5 /@platform=6 @guid=1 Head /Sender=2 /Port=4; dxpId=3; name=0");
}

Test(profile, equal_places_share_a_tap)
{
    expect_plan(HEAD "  port: A/B\n  trader: A/B\ncontent: [A/B, name()]\n", " A /B=1;; name=0");
    expect_plan("profile: p\nfamily: f\nformat: edifact\nrecognise: { type: X }\n"
                "fields:\n  message_type: UNH/2/1\n  sender: UNH/2\n"
                "  port: \"LOC[9]/2\"\n  trader: \"LOC[1/1=9]/2/1\"\n",
                ";"
                " LOC/2/1=1[1/1=9] UNH/2/1=0");
}

Test(profile, predicates_become_filters)
{
    expect_plan(HEAD "  sender: \"Party[Role=CB]/ID\"\n  receiver: \"Party[Role=AG]/ID\"\n"
                     "  trader: \"Party[Role=CB]/ID\"\n  port: \"//Place[@type=9]\"\n",
                " Party# /ID=1 /Role=2; Place=3# /@type=4; name=0; 1 where 2=CB; 1 where 2=AG; "
                "3 where 4=9");
}

Test(profile, json_paths_have_no_attributes)
{
    expect_plan("profile: p\nfamily: f\nformat: json\nrecognise: { key: t }\n"
                "fields:\n  message_type: t\n  sender: \"@id\"\n  port: a:b/c.d\n",
                " t=0 @id=1 a:b /c.d=2;");
}

Test(profile, edifact_components_stand_by_tag)
{
    expect_plan("profile: p\nfamily: f\nformat: edifact\nrecognise: { type: [X, Y] }\n"
                "entries: CNI\n"
                "fields:\n  message_type: UNH/2/1\n  sender: UNB/2\n  port: \"LOC[60]/2/1\"\n"
                "  exit_office: \"LOC[9]/2/1\"\n  reference: \"RFF[1/1=ABO]/1/2\"\n"
                "keys:\n  bill: BGM/2/1\n",
                "CNI; BGM/2/1=5 LOC/2/1=2[1/1=60] LOC/2/1=3[1/1=9] RFF/1/2=4[1/1=ABO] UNB/2/1=1 "
                "UNH/2/1=0");
}

Test(profile, everything_of_a_profile)
{
    struct profile_fixture *fixture = fixture_open();
    const struct profile *profile = fixture_profile(
        fixture,
        "profile: p-1\nfamily: f\ndescription: 报关 messages\nformat: xml\n"
        "recognise: { root: [A, B], namespace: \"urn:x:*\", first_bytes: \"<?xml\" }\n"
        "conflict: refuse\nidentify: id\n"
        "fields:\n"
        "  message_type: { constant: T1 }\n"
        "  message_id: { path: Id, required: true, length: 1..35 }\n"
        "  port: { path: P, take: first, slice: [2, 3], digits: 3, map: { \"1*\": one, \"2..9\": "
        "\"*\", x: ~ } }\n"
        "  status: [ { path: S }, { join: [S, [T, U]], with: \"-\" } ]\n"
        "keys:\n"
        "  order: O\n");
    cr_expect_str_eq(profile->name, "p-1");
    cr_expect_str_eq(profile->family, "f");
    cr_expect_str_eq(profile->description, "报关 messages");
    cr_expect_str_eq(profile->file, "p.yaml");
    cr_expect_eq(profile->index, 0);
    cr_expect_eq(profile->conflict, CONFLICT_REFUSE);
    cr_expect_eq(profile->identify, IDENTIFY_BY_ID);
    cr_expect_not(profile->receipt);
    cr_expect_eq(profile->recognise.name_count, 2);
    cr_expect(bytes_equal_text(profile->recognise.names[1], "B"));
    cr_expect_eq(profile->recognise.namespace_count, 1);
    cr_expect(bytes_equal_text(profile->recognise.namespaces[0], "urn:x:*"));
    cr_expect(bytes_equal_text(profile->recognise.first_bytes, "<?xml"));
    cr_assert_eq(profile->spec_count, 6);

    const struct value_spec *specs = profile->specs;
    cr_expect(bytes_equal_text(specs[0].constant, "T1"));
    cr_expect(specs[1].required);
    cr_expect_eq(specs[1].size_min, 1);
    cr_expect_eq(specs[1].size_max, 35);
    cr_expect_eq(specs[2].slot, SLOT_PORT);
    cr_expect_not(specs[2].takes_all);
    cr_expect(specs[2].sliced);
    cr_expect_eq(specs[2].slice_offset, 2);
    cr_expect_eq(specs[2].slice_size, 3);
    cr_expect_eq(specs[2].digits, 3);
    cr_expect_eq(specs[2].map->row_count, 3);
    cr_expect(bytes_equal_text(value_map_apply(specs[2].map, BYTES_LITERAL("12")), "one"));
    cr_expect(bytes_equal_text(value_map_apply(specs[2].map, BYTES_LITERAL("7")), "7"));
    cr_expect_null(value_map_apply(specs[2].map, BYTES_LITERAL("x")).data);
    cr_expect(specs[3].takes_all);
    cr_expect_eq(specs[4].part_count, 2);
    cr_expect_eq(specs[4].parts[1].alias_count, 2);
    cr_expect_str_eq(specs[4].parts[1].aliases[1].text, "U");
    cr_expect(bytes_equal_text(specs[4].separator, "-"));
    cr_expect_eq(specs[5].slot, SLOT_KEY_ORDER);
    cr_expect_eq(profile_set_find(&fixture->set, BYTES_LITERAL("p-1")), profile);
    cr_expect_null(profile_set_find(&fixture->set, BYTES_LITERAL("p-")));
    fixture_close(fixture);
}

static enum identify identity_of(const char *yaml)
{
    struct profile_fixture *fixture = fixture_open();
    enum identify identify = fixture_profile(fixture, yaml)->identify;
    fixture_close(fixture);
    return identify;
}

Test(profile, identity)
{
    cr_expect_eq(identity_of(HEAD "  message_id: I\n"), IDENTIFY_BY_ID);
    cr_expect_eq(identity_of(HEAD), IDENTIFY_BY_BODY);
    cr_expect_eq(identity_of("receipt: true\n" HEAD "  message_id: I\n"), IDENTIFY_BY_BODY);
    cr_expect_eq(identity_of("identify: body\n" HEAD "  message_id: I\n"), IDENTIFY_BY_BODY);
}

#define EDIFACT_HEAD                                                                               \
    "profile: p\nfamily: f\nformat: edifact\nrecognise: { type: CUSRES }\n"                        \
    "fields:\n  message_type: UNH/2/1\n"

static bool is_strict(const char *yaml)
{
    struct profile_fixture *fixture = fixture_open();
    bool strict = fixture_profile(fixture, yaml)->plan.strict;
    fixture_close(fixture);
    return strict;
}

Test(profile, strict)
{
    cr_expect_not(is_strict(EDIFACT_HEAD));
    cr_expect_not(is_strict("strict: false\n" EDIFACT_HEAD));
    cr_expect(is_strict("strict: true\n" EDIFACT_HEAD));
}

/* ---- what does not --------------------------------------------------------------------------- */

struct mistake {
    const char *yaml, *expected; /* the beginning of what is printed */
};

static void expect_mistake(const struct mistake *mistake)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, mistake->yaml);
    const char *printed = fixture_diagnostics(fixture);
    cr_expect(strncmp(printed, mistake->expected, strlen(mistake->expected)) == 0,
              "expected `%s`, got `%s`", mistake->expected, printed);
    cr_expect_eq(fixture->list.count, 0);
    fixture_close(fixture);
}

static const struct mistake mistakes[] = {
    {"a: [\n", "p.yaml:2:1: error[P101]: "},
    {"", "p.yaml:1:1: error[P103]: there is no profile in this file\n  hint: a profile begins"},
    {"- x\n", "p.yaml:1:1: error[P104]: expected a mapping, not a list\n"},
    {HEAD "profile: q\n", "p.yaml:7:1: error[P101]: this name appears twice in one mapping\n"},
    {"recieves: 1\n" HEAD, "p.yaml:1:1: error[P102]: `recieves` is not known here\n  hint: known:"},
    {"reciept: true\n" HEAD,
     "p.yaml:1:1: error[P102]: `reciept` is not known here\n  hint: did you mean `receipt`?\n"},
    {"family: f\nformat: xml\nrecognise: { root: R }\nfields: { message_type: name() }\n",
     "p.yaml:1:1: error[P103]: `profile` is missing\n"},
    {"profile: p\nfamily: f\nrecognise: { root: R }\nfields: { message_type: A }\n",
     "p.yaml:1:1: error[P103]: `format` is missing\n  hint: xml, json or edifact\n"},
    {"profile: p\nfamily: f\nformat: xml\nfields: { message_type: A }\n",
     "p.yaml:1:1: error[P103]: `recognise` is missing\n"},
    {"profile: p\nfamily: f\nformat: xml\nrecognise: { root: R }\nfields: { sender: A }\n",
     "p.yaml:5:9: error[P103]: the field `message_type` is missing\n"},
    {"profile: p\nfamily: f\nformat: xlm\nrecognise: { root: R }\nfields: { message_type: A "
     "}\n",
     "p.yaml:3:9: error[P105]: `xlm` is not a value of `format`\n  hint: did you mean "
     "`xml`?\n"},
    {"profile: p q\nfamily: f\nformat: xml\nrecognise: { root: R }\nfields: { message_type: A "
     "}\n",
     "p.yaml:1:10: error[P105]: `p q` cannot be a name\n"},
    {"profile: p\nfamily: f\nformat: xml\nrecognise: { rot: R }\nfields: { message_type: A }\n",
     "p.yaml:4:14: error[P102]: `rot` is not known here\n  hint: did you mean `root`?\n"},
    {"profile: p\nfamily: f\nformat: xml\nrecognise: {}\nfields: { message_type: A }\n",
     "p.yaml:4:12: error[P103]: expected `root`, `namespace`, `where` or `first_bytes`\n"},
    {"profile: p\nfamily: f\nformat: json\nrecognise: { values: [A] }\n"
     "fields: { message_type: A }\n",
     "p.yaml:4:12: error[P103]: expected `key` or `has`\n"
     "  hint: as in `key: messageType` or `has: events`\n"
     "p.yaml:4:22: error[P114]: `values` belongs to `key`\n"},
    {"profile: p\nfamily: f\nformat: json\n"
     "recognise: { has: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] }\n"
     "fields: { message_type: A }\n",
     "p.yaml:4:19: error[P113]: at most 16 members are asked for\n"},
    {"profile: p\nfamily: f\nformat: xml\n"
     "recognise: { root: R, where: { A/b: [X], /A: Y, c: {} } }\nfields: { message_type: A }\n",
     "p.yaml:4:43: error[P107]: a path begins at the root already\n"
     "  hint: leave out the first `/`; `//name` finds a name at any depth\n"
     "p.yaml:4:52: error[P104]: expected a text, not a mapping\n"},
    {"profile: p\nfamily: f\nformat: edifact\nrecognise: { type: X, where: {} }\n"
     "fields: { message_type: UNH/1 }\n",
     "p.yaml:4:23: error[P102]: `where` is not known here\n"},
    {"profile: p\nfamily: f\nformat: xml\nrecognise: { has: a }\nfields: { message_type: A }\n",
     "p.yaml:4:14: error[P102]: `has` is not known here\n"},
    {"profile: p\nfamily: f\nformat: json\nrecognise: { key: [a, b] }\n"
     "fields: { message_type: A }\n",
     "p.yaml:4:19: error[P104]: `key` is the name of one member\n"
     "  hint: `has` takes a list of members\n"},
    {"profile: p\nfamily: f\nformat: edifact\nrecognise: { root: R }\n"
     "fields: { message_type: UNH/1 }\n",
     "p.yaml:4:12: error[P103]: `type` is missing\n  hint: as in `type: CUSDEC`, or `\"*\"` "
     "for "
     "any\n"},
    {HEAD "  sendr: A\n",
     "p.yaml:7:3: error[P106]: there is no field `sendr`\n  hint: did you mean `sender`?\n"},
    {HEAD "  participant: A\n", "p.yaml:7:3: error[P106]: `participant` comes from the connection"},
    {HEAD "keys:\n  ordr: A\n", "p.yaml:8:3: error[P106]: there is no kind of key `ordr`\n  "
                                "hint: did you mean `order`?\n"},
    {HEAD "keys: [A]\n", "p.yaml:7:7: error[P104]: expected a mapping, not a list\n"},
    {HEAD "  sender: { path: A, tke: first }\n",
     "p.yaml:7:22: error[P102]: `tke` is not known here\n  hint: did you mean `take`?\n"},
    {HEAD "  sender: {}\n", "p.yaml:7:11: error[P114]: expected one of `path`, `join` or"},
    {HEAD "  sender: { path: A, constant: B }\n", "p.yaml:7:11: error[P114]: only one of `path`"},
    {HEAD "  sender: { path: A, with: B }\n", "p.yaml:7:22: error[P114]: `with` belongs to `join`"},
    {HEAD "  sender: { constant: A, digits: 1 }\n",
     "p.yaml:7:26: error[P114]: `digits` has no use beside a constant\n"},
    {HEAD "  sender: { path: A, take: all }\n",
     "p.yaml:7:28: error[P114]: `sender` holds a single value\n"},
    {HEAD "  port: { path: A, take: last }\n",
     "p.yaml:7:26: error[P105]: `last` is not a value of `take`\n  hint: known: first, all\n"},
    {HEAD "  sender: [A, { path: B }]\n", "p.yaml:7:11: error[P104]: a list of paths (the first"},
    {HEAD "  sender: []\n", "p.yaml:7:11: error[P113]: a list of 1 to 16 paths"},
    {HEAD "  sender: \"\"\n", "p.yaml:7:12: error[P104]: expected a text, not blanks\n"},
    {HEAD "  sender:\n", "p.yaml:7:3: error[P104]: expected a text, not nothing\n"},
    {HEAD "  port: { join: [A] }\n", "p.yaml:7:17: error[P113]: 2 to 8 paths are joined\n"},
    {HEAD "  port: { path: A, split: [_, 0] }\n", "p.yaml:7:27: error[P110]: a split is"},
    {HEAD "  port: { path: A, split: _ }\n", "p.yaml:7:27: error[P110]: a split is"},
    {HEAD "  port: { path: A, split: ['', 1] }\n", "p.yaml:7:27: error[P110]: a split is"},
    {HEAD "  port: { path: A, split: [_, x] }\n", "p.yaml:7:27: error[P110]: a split is"},
    {HEAD "  port: { path: A, slice: [1, 0] }\n", "p.yaml:7:27: error[P110]: a slice is"},
    {HEAD "  port: { path: A, slice: 4 }\n", "p.yaml:7:27: error[P110]: a slice is"},
    {HEAD "  port: { path: A, slice: [1, 2, 3] }\n", "p.yaml:7:27: error[P110]: a slice is"},
    {HEAD "  port: { path: A, length: 3..1 }\n", "p.yaml:7:28: error[P110]: a length is"},
    {HEAD "  port: { path: A, length: x }\n", "p.yaml:7:28: error[P110]: a length is"},
    {HEAD "  port: { path: A, digits: 0 }\n", "p.yaml:7:28: error[P110]: expected a number of"},
    {HEAD "  port: { path: A, map: {} }\n", "p.yaml:7:25: error[P109]: the map is empty"},
    {HEAD "  port: { path: A, map: { \"9..1\": x } }\n",
     "p.yaml:7:28: error[P109]: the range `9..1` is empty\n"},
    {HEAD "  port: { path: A, map: { a: [x] } }\n", "p.yaml:7:30: error[P104]: expected a text, "},
    {HEAD "  port: { path: A, required: yes }\n",
     "p.yaml:7:30: error[P105]: `yes` is not a value of `required`\n"},
    {"receipt: true\nidentify: id\n" HEAD "  message_id: A\n",
     "p.yaml:2:11: error[P114]: a receipt is identified by its body\n"},
    {"strict: true\n" HEAD, "p.yaml:1:9: error[P114]: `strict` means nothing in this format\n"},
    {"identify: id\n" HEAD, "p.yaml:1:11: error[P114]: without `message_id` there is no id"},
    /* Paths: the place is inside the text, in characters. */
    {HEAD "  port: /A\n", "p.yaml:7:10: error[P107]: a path begins at the root already\n"},
    {HEAD "  port: 港口//A\n", "p.yaml:7:12: error[P107]: expected a name\n"},
    {HEAD "  port: A/\n", "p.yaml:7:11: error[P107]: expected a name\n"},
    {HEAD "  port: A/b:C\n", "p.yaml:7:12: error[P107]: a prefix in a path\n"},
    {HEAD "  port: \"A/@b/C\"\n", "p.yaml:7:15: error[P107]: nothing lies below an attribute\n"},
    {HEAD "  port: \"A[b=c]/D[e=f]/G\"\n", "p.yaml:7:18: error[P107]: a path has at most one"},
    {HEAD "  port: \"A[b]/c\"\n", "p.yaml:7:13: error[P107]: expected `=` and a value\n"},
    {HEAD "  port: \"A[b=]/c\"\n", "p.yaml:7:14: error[P107]: expected a value without blanks"},
    {HEAD "  port: \"A[b=c/d\"\n", "p.yaml:7:17: error[P107]: expected `]`\n"},
    {HEAD "  port: \"@a[b=c]\"\n", "p.yaml:7:12: error[P107]: a predicate belongs to an element"},
    {HEAD "  port: \"//@a\"\n", "p.yaml:7:12: error[P107]: `//` finds elements, not attributes\n"},
    {HEAD "  port: A/*/B\n", "p.yaml:7:11: error[P107]: a path has no wildcards\n"},
    {HEAD "  port: A B\n", "p.yaml:7:10: error[P107]: a blank in a path\n"},
    {HEAD "  port: A]\n", "p.yaml:7:10: error[P107]: expected `/`, `[` or the end of the path\n"},
    {"profile: p\nfamily: f\nformat: json\nrecognise: { key: t }\n"
     "fields: { message_type: name() }\n",
     "p.yaml:5:25: error[P107]: `name()` is the name of an XML root; JSON has none\n"},
    /* Paths that disagree. */
    {HEAD "  port: //A\n  sender: B/A\n", "p.yaml:7:9: error[P108]: another path spells out"},
    {HEAD "  port: //A/B\n  sender: //B\n", "p.yaml:8:11: error[P108]: another path spells out"},
    {HEAD "  port: \"A[x=1]/B/C\"\n  sender: \"A/B[y=1]/D\"\n",
     "p.yaml:7:10: error[P108]: another path has a predicate further inside"},
    {HEAD "  port: \"A[x=1]/B\"\n  sender: \"A/B[y=1]/D\"\n",
     "p.yaml:7:10: error[P108]: another path has a predicate further inside"},
    {HEAD "  port: \"A[B/C=1]/D\"\n  sender: \"A/B[y=1]/D\"\n",
     "p.yaml:7:10: error[P108]: another path has a predicate further inside"},
    {HEAD "entries: [A, A/B]\n", "p.yaml:7:14: error[P108]: entries lie inside of each other\n"},
    {HEAD "entries: [A/B, A]\n", "p.yaml:7:16: error[P108]: entries lie inside of each other\n"},
    {HEAD "entries: \"A[b=1]\"\n", "p.yaml:7:11: error[P108]: entries are named by a plain path\n"},
    {HEAD "  port: A/B\nentries: //B\n",
     "p.yaml:8:10: error[P108]: another path spells out the name that this one looks for at any"},
    {HEAD "entries: \"@a\"\n", "p.yaml:7:11: error[P108]: entries are named by a plain path\n"},
    {HEAD "content: A\n", "p.yaml:7:10: error[P104]: expected a list, not a text\n"},
};

Test(profile, mistakes_have_places_and_hints)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        expect_mistake(&mistakes[i]);
}

Test(profile, mistakes_in_edifact_paths)
{
    static const struct {
        const char *path, *expected;
    } cases[] = {
        {"BG/2/1", ":15: error[P107]: an EDIFACT path begins with a segment's tag\n"},
        {"bgm/2/1", ":15: error[P107]: an EDIFACT path begins with a segment's tag\n"},
        {"BGM", ":18: error[P107]: expected `/` and the number of an element\n"},
        {"BGM/0", ":19: error[P107]: expected a number from 1 to 99\n"},
        {"BGM/1/100", ":21: error[P107]: expected a number from 1 to 99\n"},
        {"BGM/1/2/3", ":22: error[P107]: the path should end here\n"},
        {"RFF[]/1", ":19: error[P107]: expected a qualifier\n"},
        {"RFF[ABO/1", ":24: error[P107]: expected `]`\n"},
        {"RFF[1/1ABO=1]/1", ":22: error[P107]: expected `=` and the qualifier\n"},
        {"RFF[x=1]/1", ":19: error[P107]: expected a number from 1 to 99\n"},
        {"RFF[1/1=]/1", ":23: error[P107]: expected a qualifier\n"},
        {"name()", ":15: error[P107]: an EDIFACT path begins with a segment's tag\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[512], expected[512];
        snprintf(yaml, sizeof yaml,
                 "profile: p\nfamily: f\nformat: edifact\nrecognise: { type: X }\n"
                 "fields:\n  message_type: UNH/2/1\n  reference: \"%s\"\n",
                 cases[i].path);
        snprintf(expected, sizeof expected, "p.yaml:7%s", cases[i].expected);
        expect_mistake(&(struct mistake){yaml, expected});
    }
}

Test(profile, all_mistakes_in_one_run)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, HEAD "  sendr: A\n  port: /A\n  status: { path: S, digits: 99 }\n"
                                "conflict: ignore\n---\nprofile: q\n");
    cr_expect_eq(fixture->diagnostics.error_count, 8, "%s", fixture_diagnostics(fixture));
    cr_expect_eq(fixture->list.count, 0);
    fixture_close(fixture);
}

static void expect_bound(int specs, int aliases, const char *expected)
{
    struct profile_fixture *fixture = fixture_open();
    char *yaml;
    size_t size;
    FILE *out = open_memstream(&yaml, &size);
    fputs(HEAD "  port:\n", out);
    for (int i = 0; i < specs; i++) {
        fprintf(out, "    - { path: [A%d", i);
        for (int k = 1; k < aliases; k++)
            fprintf(out, ", A%dx%d", i, k);
        fputs("] }\n", out);
    }
    fclose(out);
    fixture_parse(fixture, yaml);
    const char *printed = fixture_diagnostics(fixture);
    cr_expect(*expected ? strstr(printed, expected) != NULL : *printed == '\0', "%s", printed);
    free(yaml);
    fixture_close(fixture);
}

Test(profile, bounds) /* name() is one value and one place */
{
    expect_bound(255, 1, "");
    expect_bound(256, 1, "p.yaml:263:7: error[P113]: a profile has at most 256 values\n");
    expect_bound(15, 16, "");
    expect_bound(16, 16, "error[P107]: the profile names more than 256 different places\n");
    expect_bound(1, 17, "p.yaml:8:15: error[P113]: a list of 1 to 16 paths is expected here\n");
}

/* ---- sets ------------------------------------------------------------------------------------ */

#define SMALL(name, rest)                                                                          \
    "profile: " name "\nfamily: f\nformat: xml\nrecognise: { " rest " }\n"                         \
    "fields: { message_type: name() }\n"

static void expect_set(const char *yaml, uint16_t count, const char *expected)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, yaml);
    fixture_build(fixture);
    const char *printed = fixture_diagnostics(fixture);
    cr_expect(strncmp(printed, expected, strlen(expected)) == 0 && (*expected || !*printed),
              "expected `%s`, got `%s`", expected, printed);
    cr_expect_eq(fixture->set.count, count);
    for (uint16_t i = 0; i < fixture->set.count; i++)
        cr_expect_eq(fixture->set.profiles[i]->index, i);
    fixture_close(fixture);
}

Test(profile, names_are_unique)
{
    expect_set(SMALL("a", "root: A") "---\n" SMALL("a", "root: B"), 1,
               "p.yaml:7:1: error[P111]: a profile `a` stands in p.yaml already\n");
}

Test(profile, shadowed_recognisers_are_warned_of)
{
    expect_set(SMALL("a", "root: [A, B]") "---\n" SMALL("b", "root: B"), 2,
               "p.yaml:7:1: warning[P112]: profile `b` is never reached: `a` (p.yaml)");
    expect_set(SMALL("a", "root: B") "---\n" SMALL("b", "root: [A, B]"), 2, "");
    expect_set(SMALL("a", "namespace: u") "---\n" SMALL("b", "root: B, namespace: u"), 2,
               "p.yaml:7:1: warning[P112]");
    expect_set(SMALL("a", "root: B, namespace: u") "---\n" SMALL("b", "namespace: u"), 2, "");
    expect_set(
        SMALL("a", "root: B, namespace: \"u*\"") "---\n" SMALL("b", "root: B, namespace: ux"), 2,
        "p.yaml:7:1: warning[P112]");
    expect_set(SMALL("a", "root: B, namespace: u") "---\n" SMALL("b", "root: B, namespace: ux"), 2,
               "");
    expect_set(SMALL("a", "root: \"B*\"") "---\n" SMALL("b", "root: [BA, \"BC*\"]"), 2,
               "p.yaml:7:1: warning[P112]");
    expect_set(SMALL("a", "root: \"B*A\"") "---\n" SMALL("b", "root: \"B*\""), 2, "");
    expect_set(SMALL("a", "root: B, namespace: [u, v]") "---\n" SMALL("b", "root: B, namespace: v"),
               2, "p.yaml:7:1: warning[P112]");
    expect_set(SMALL("a", "root: B, namespace: \"\"") "---\n" SMALL("b", "root: B"), 2, "");
    expect_set(SMALL("a", "root: B, first_bytes: <B") "---\n" SMALL("b", "root: B"), 2, "");
    expect_set(SMALL("a", "root: B") "---\n" SMALL("b", "root: B, first_bytes: <B"), 2,
               "p.yaml:7:1: warning[P112]");
}

#define SMALL_JSON(name, rest)                                                                     \
    "profile: " name "\nfamily: f\nformat: json\nrecognise: { " rest " }\n"                        \
    "fields: { message_type: a }\n"

Test(profile, shadowed_members_are_warned_of)
{
    static const char warning[] = "p.yaml:7:1: warning[P112]";
    expect_set(SMALL_JSON("a", "has: x") "---\n" SMALL_JSON("b", "has: [y, x]"), 2, warning);
    expect_set(SMALL_JSON("a", "has: \"x*\"") "---\n" SMALL_JSON("b", "has: xy"), 2, warning);
    expect_set(SMALL_JSON("a", "has: x") "---\n" SMALL_JSON("b", "key: x, values: 1"), 2, warning);
    expect_set(SMALL_JSON("a", "has: [x, y]") "---\n" SMALL_JSON("b", "has: x"), 2, "");
    expect_set(SMALL_JSON("a", "key: x") "---\n" SMALL_JSON("b", "has: x"), 2, "");
    expect_set(SMALL_JSON("a", "key: x, has: y") "---\n" SMALL_JSON("b", "key: x"), 2, "");
    expect_set(SMALL_JSON("a", "key: x, values: \"a*\"") "---\n" SMALL_JSON(
                   "b", "key: x, values: [ab, a]"),
               2, warning);
}

Test(profile, a_condition_shadows_nothing)
{
    expect_set(SMALL("a", "root: B, where: { C: \"*\" }") "---\n" SMALL("b", "root: B"), 2, "");
    expect_set(SMALL("a", "root: B") "---\n" SMALL("b", "root: B, where: { C: D }"), 2,
               "p.yaml:7:1: warning[P112]");
}

Test(profile, own_profiles_stand_before_shipped_ones)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_parse(fixture, SMALL("ceb-order", "root: CEB311Message"));
    profile_parse_shipped(&fixture->arena, &fixture->list, &fixture->diagnostics);
    fixture_build(fixture);
    cr_expect_str_empty(fixture_diagnostics(fixture));
    cr_expect_str_eq(fixture->set.profiles[0]->family, "f");
    cr_expect_not(fixture->set.profiles[0]->shipped);
    cr_expect_eq(profile_set_find(&fixture->set, BYTES_LITERAL("ceb-order")),
                 fixture->set.profiles[0]);
    cr_expect(fixture->set.profiles[1]->shipped);
    fixture_close(fixture);
}

Test(profile, codes_are_listed_in_order)
{
    const char *before = "P100";
    for (const struct diagnostic_code *code = profile_codes; code->code != NULL; code++) {
        cr_expect(strcmp(before, code->code) < 0);
        cr_expect(code->title[0] != '\0' && code->explanation[0] != '\0');
        before = code->code;
    }
    cr_expect_str_eq(before, "P115");
}

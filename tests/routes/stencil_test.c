/* A reader that has learnt messages reads others as one does that learns nothing; and it does know
 * those that differ in their values only. */
#include <fts.h>

#include "profile_fixture.h"
#include "routes/stencil.h"

enum { OUTCOME_MAX = 1 << 20 };

struct learner {
    struct profile_fixture *fixture; /* its reader learns */
    struct reader plain;
    char *outcomes[2];
};

static struct learner *open_learner(const char *yaml)
{
    struct learner *learner = calloc(1, sizeof *learner);
    cr_assert_not_null(learner);
    learner->fixture = fixture_open();
    if (yaml != NULL)
        fixture_parse(learner->fixture, yaml);
    else
        profile_parse_shipped(&learner->fixture->arena, &learner->fixture->list,
                              &learner->fixture->diagnostics);
    fixture_build(learner->fixture);
    cr_assert_str_empty(fixture_diagnostics(learner->fixture));
    cr_assert_eq(reader_open(&learner->plain, FIXTURE_OCCURRENCES, FIXTURE_TEXT), STATUS_OK);
    stencils_close(learner->plain.stencils);
    learner->plain.stencils = NULL;
    for (int i = 0; i < 2; i++)
        cr_assert_not_null(learner->outcomes[i] = malloc(OUTCOME_MAX));
    return learner;
}

static void close_learner(struct learner *learner)
{
    for (int i = 0; i < 2; i++)
        free(learner->outcomes[i]);
    reader_close(&learner->plain);
    fixture_close(learner->fixture);
    free(learner);
}

/* All that a reading says, or the fault. */
static void write_outcome(const struct learner *learner, const uint64_t *allowed,
                          struct reader *reader, struct bytes body, char *out)
{
    struct reading reading;
    struct scan_fault fault = {0};
    reader_reset(reader);
    if (read_message(&learner->fixture->set, allowed, reader, body, &reading, &fault) !=
        STATUS_OK) {
        snprintf(out, OUTCOME_MAX, "%s %u", scan_reason_word(fault.reason), fault.offset);
        return;
    }
    out += sprintf(out, "%s, %u entries:", reading.profile->name, reading.entry_count);
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        for (uint16_t i = reading_first(&reading, (enum slot)slot); i != READING_NO_OCCURRENCE;
             i = reading.occurrences[i].next) {
            const struct occurrence *at = &reading.occurrences[i];
            out += sprintf(out, " %s[%u@%u]=%.*s", slot_name((enum slot)slot), i, at->entry,
                           (int)at->value.size, (const char *)at->value.data);
        }
}

/* Both ways; returns what comes out. */
static const char *read_both_ways(struct learner *learner, const uint64_t *allowed,
                                  struct bytes body)
{
    write_outcome(learner, allowed, &learner->plain, body, learner->outcomes[0]);
    write_outcome(learner, allowed, &learner->fixture->reader, body, learner->outcomes[1]);
    if (strcmp(learner->outcomes[1], learner->outcomes[0]) != 0) /* criterion takes UTF-8 only */
        fprintf(stderr, "%s\n%s\n%.*s\n", learner->outcomes[0], learner->outcomes[1],
                (int)body.size, (const char *)body.data);
    cr_assert(strcmp(learner->outcomes[1], learner->outcomes[0]) == 0);
    return learner->outcomes[0];
}

static bool is_known(struct learner *learner, const uint64_t *allowed, struct bytes body)
{
    struct reader *reader = &learner->fixture->reader;
    return stencil_find(reader->stencils, &learner->fixture->set, allowed, body, &reader->scan) !=
           NULL;
}

static struct bytes copy_text(const char *text)
{
    return fixture_body(bytes_from_text(text), 0);
}

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
    check_forms(xml_profile, cases);
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

/* ---- many messages, and what becomes of them --------------------------------------------------
 */

static unsigned pick(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33) % below;
}

/* One byte becomes another, or goes, or comes. */
static size_t mutate(uint64_t *chance, uint8_t *body, size_t size)
{
    static const char bytes[] = "01aZ <>&;\"'/\\]-.,:{}[e\r\n\t\x01\xE4\xB8\xAD\x80";
    size_t at = pick(chance, (unsigned)size);
    uint8_t byte = (uint8_t)bytes[pick(chance, sizeof bytes - 1)];
    switch (pick(chance, 3)) {
    case 0: body[at] = byte; return size;
    case 1: memmove(body + at, body + at + 1, size - at - 1); return size - 1;
    default:
        memmove(body + at + 1, body + at, size - at);
        body[at] = byte;
        return size + 1;
    }
}

static void check_file(struct learner *learner, struct bytes text, unsigned *out_known)
{
    enum { MUTANTS = 60, MUTATIONS_MAX = 3 };
    uint64_t chance = text.size;
    struct reader *reader = &learner->fixture->reader;
    stencils_close(reader->stencils); /* what it has learnt, and what that has cost */
    cr_assert_not_null(reader->stencils = stencils_open());
    struct bytes body = fixture_body(text, 0);
    read_both_ways(learner, NULL, body);
    *out_known += is_known(learner, NULL, body);
    read_both_ways(learner, NULL, body);
    uint8_t *mutant = calloc(1, text.size + MUTATIONS_MAX + BYTES_PADDING);
    for (unsigned i = 0; i < MUTANTS && text.size > MUTATIONS_MAX; i++) {
        size_t size = text.size;
        memcpy(mutant, text.data, size);
        for (unsigned k = pick(&chance, MUTATIONS_MAX) + 1; k > 0; k--)
            size = mutate(&chance, mutant, size);
        read_both_ways(learner, NULL, bytes_make(mutant, size));
    }
    free(mutant);
    free((void *)(uintptr_t)body.data);
}

static void check_folder(const char *folder, unsigned known_min)
{
    struct learner *learner = open_learner(NULL);
    char *paths[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    unsigned known = 0;
    cr_assert_not_null(tree);
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info != FTS_F || entry->fts_statp->st_size > STENCIL_BODY_BYTES_MAX)
            continue;
        struct bytes text = fixture_load(entry->fts_path);
        cr_assert_not_null(text.data);
        check_file(learner, text, &known);
        free((void *)(uintptr_t)text.data);
    }
    fts_close(tree);
    close_learner(learner);
    cr_expect_geq(known, known_min, "%s: %u", folder, known);
}

Test(stencil, reads_mutants_alike)
{
    check_folder("tests/data/ceb", 8);
    check_folder("tests/data/json", 3);
    check_folder("tests/data/kj", 4);
    check_folder("tests/data/profiles", 20);
}

Test(stencil, reads_mutants_of_the_corpus_alike)
{
    const char *corpus = fixture_corpus();
    if (corpus != NULL)
        check_folder(corpus, 100);
}

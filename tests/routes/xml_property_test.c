/* What holds for XML documents by the hundred: random ones against a model that builds captures
 * and text side by side, good ones cut short or damaged, and other people's. */
#include "routes/xml/xml_index.h"
#include "tests/routes/scan_fixture.h"

enum { DOCUMENT_BYTES = 256 * 1024, DOCUMENTS = 1500, DEPTH_MAX = 6 };

static const char *const taps[] = {"/a", "/a/b", "/a/@x", "//z", "/E/b", "/i/b", "/E/i/b"};

static void make_plan(struct plan_fixture *fixture)
{
    plan_begin(fixture, FORMAT_XML);
    for (size_t i = 0; i < sizeof taps / sizeof *taps; i++)
        plan_tap(fixture, taps[i]);
    plan_node_at(fixture, "/E")->entry = true;
    plan_node_at(fixture, "/i")->instance = true;
    plan_node_at(fixture, "/E/i")->instance = true;
}

/* ---- The model ------------------------------------------------------------------------------- */

struct document {
    uint64_t chance;
    char *text, *expected; /* where to go on writing */
    unsigned capture_count, entry_count, instance_count;
};

struct place {
    char path[128]; /* below the root: "/a/b" */
    unsigned depth, entry, instance;
};

static int tap_of(const char *path)
{
    const char *last = strrchr(path, '/');
    for (size_t i = 0; i < sizeof taps / sizeof *taps; i++)
        if (strcmp(taps[i], path) == 0 ||
            (strncmp(taps[i], "//", 2) == 0 && last != NULL && strcmp(taps[i] + 1, last) == 0))
            return (int)i;
    return -1;
}

static void expect_capture(struct document *document, const char *path, const struct place *place,
                           const char *value)
{
    struct bytes trimmed = bytes_trim(bytes_from_text(value));
    int tap = tap_of(path);
    if (tap < 0 || trimmed.size == 0)
        return;
    document->expected +=
        sprintf(document->expected, "%s%d", document->capture_count++ > 0 ? " | " : "", tap);
    if (place->entry != 0)
        document->expected += sprintf(document->expected, "@%u", place->entry);
    if (place->instance != 0)
        document->expected += sprintf(document->expected, "#%u", place->instance);
    document->expected += sprintf(document->expected, "=%.*s", (int)trimmed.size, trimmed.data);
}

static const char *choose(struct document *document, const char *const *choices, unsigned count)
{
    return choices[pick(&document->chance, count)];
}

static void write_text(struct document *document, const char *text)
{
    document->text = stpcpy(document->text, text);
}

/* Pairs of how a piece of text is written, and how it reads. */
static const char *const pieces[][2] = {
    {"word", "word"},
    {" ", " "},
    {"\n\t", "\n\t"},
    {"\r\n", "\n"},
    {"\rx", "\nx"},
    {"&amp;", "&"},
    {"&#x53e3;", "\u53e3"},
    {"&#32;", " "},
    {"\u5cb8", "\u5cb8"},
    {"<!-- <z>no</z> -->", ""},
    {"<?p <z>no</z> ?>", ""},
    {"<![CDATA[<z>&amp;]]>", "<z>&amp;"},
    {"<![CDATA[ ]]>", " "},
    {"]]", "]]"},
    {"a rather long text, for more than one vector",
     "a rather long text, for more than one vector"},
};

static void write_attributes(struct document *document, const struct place *place)
{
    static const char *const values[][2] = {
        {"1", "1"}, {" a b ", "a b"}, {"", ""}, {"a\tb\r\nc", "a b c"}, {"&lt;&#10;>", "<\n>"}};
    char path[160];
    static const char *const names[] = {" x", " q:x", " y"};
    const char *name = choose(document, names, 3);
    unsigned value = pick(&document->chance, 5);
    write_text(document, name);
    write_text(document, pick(&document->chance, 2) ? "= " : "\n=");
    const char *quote = pick(&document->chance, 2) ? "'" : "\"";
    write_text(document, quote);
    write_text(document, values[value][0]);
    write_text(document, quote);
    snprintf(path, sizeof path, "%s/@%c", place->path, name[strlen(name) - 1]);
    expect_capture(document, path, place, values[value][1]);
}

static void write_element(struct document *document, const struct place *outer, const char *name)
{
    static const char *const names[] = {"a", "b", "z", "E", "i", "longer.name-of_an-element"};
    struct place place = *outer;
    char text[4096] = "", *end = text;
    const char *prefix = pick(&document->chance, 3) == 0 ? "q:" : "";
    bool opens_entry = false;
    if (outer->depth > 0)
        sprintf(place.path + strlen(place.path), "/%s", name);
    place.depth++;
    if (strcmp(place.path, "/E") == 0) {
        place.entry = ++document->entry_count;
        opens_entry = true;
    }
    if (strcmp(place.path, "/i") == 0 || strcmp(place.path, "/E/i") == 0)
        place.instance = ++document->instance_count;
    cr_assert(!opens_entry || outer->entry == 0);

    document->text += sprintf(document->text, "<%s%s%s", prefix, name,
                              outer->depth == 0 ? " xmlns:q='u' xmlns='v'" : "");
    if (pick(&document->chance, 3) == 0)
        write_attributes(document, &place);
    if (pick(&document->chance, 8) == 0) {
        write_text(document, " />");
        return;
    }
    write_text(document, ">");
    for (unsigned i = pick(&document->chance, 8); i > 0; i--) {
        unsigned piece = pick(&document->chance, sizeof pieces / sizeof *pieces + 5);
        if (piece < sizeof pieces / sizeof *pieces) {
            write_text(document, pieces[piece][0]);
            end = stpcpy(end, pieces[piece][1]);
        } else if (place.depth < DEPTH_MAX) {
            write_element(document, &place, choose(document, names, 6));
        }
    }
    document->text += sprintf(document->text, "</%s%s>", prefix, name);
    expect_capture(document, place.path, &place, text);
}

/* "]]" and ">" never meet: no piece begins with ">". */
Test(xml_property, agrees_with_the_model)
{
    char *text = malloc(DOCUMENT_BYTES), *expected = malloc(DOCUMENT_BYTES);
    struct plan_fixture plan;
    struct scan_fixture fixture;
    unsigned capture_count = 0;
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_xml);
    for (uint64_t seed = 1; seed <= DOCUMENTS; seed++) {
        struct document document = {.chance = seed, .text = text, .expected = expected};
        *expected = '\0';
        write_element(&document, &(struct place){.path = ""}, "R");
        cr_assert(document.text < text + DOCUMENT_BYTES);
        const char *outcome = scan_outcome(&fixture, &plan.plan, text, strlen(text));
        cr_assert_str_eq(outcome, expected, "seed %lu: %s\nexpected: %s\nfound:    %s",
                         (unsigned long)seed, text, expected, outcome);
        capture_count += document.capture_count;
    }
    cr_assert_gt(capture_count, DOCUMENTS / 4);
    scan_fixture_close(&fixture);
    free(text);
    free(expected);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static const char *const samples[] = {
    "<a/>",
    "<R><a x='1'>text</a></R>",
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes'?>\r\n<!-- c --><?pi d?><R/>",
    "<q:R xmlns:q=\"http://u\" xmlns=\"v\"><q:a q:x=\"a&lt;b\">1&#x4e2d;<b>2</b></q:a></q:R>",
    "<R><a><![CDATA[ a ]] b ]]></a><!-- - --><?p ?><E><b>3</b><i><b> 4 </b></i></E></R>",
    "<R>\r\n  <unknown><z>\u53e3\u5cb8</z></unknown>\r\n  <a>&amp;&#65;&quot;]] ></a>\r\n</R>",
    "<?xml version='1.0' encoding='GBK'?><R><a>\xBF\xDA\x81]</a><z>\xB0\xB6&gt;</z></R>",
    "<R><a-name-of-more-bytes-than-any-padding-has-so-that-no-end-tag-may-be-compared-before-its-"
    "end>"
    "</a-name-of-more-bytes-than-any-padding-has-so-that-no-end-tag-may-be-compared-before-its-end>"
    "</R>",
};

Test(xml_property, refuses_documents_cut_short)
{
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_xml);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        check_truncations(&fixture, &plan.plan, samples[i]);
    scan_fixture_close(&fixture);
}

Test(xml_property, survives_damaged_documents)
{
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_xml);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        check_mutations(&fixture, &plan.plan, samples[i]);
    scan_fixture_close(&fixture);
}

/* ---- Seams ----------------------------------------------------------------------------------- */

static const char *const seam_samples[] = {
    "<R><a>1</a><a x=\"2\">3</a><a/><b></b><z >4</z></R>",
    "<q:R xmlns:q=\"u\" xmlns:longer-prefix=\"v\"><q:a>1</q:a><longer-prefix:a q:x=\"2\"/></q:R>",
    "<R><E><b>&lt;]] ></b><!-- <z>no</z> --><![CDATA[<]]></E><?p <?><i>\xE5\x8F\xA3</i></R>",
    ("<R><a-name-of-more-than-fifty-seven-bytes-so-that-no-word-of-bits-holds-it>"
     "</a-name-of-more-than-fifty-seven-bytes-so-that-no-word-of-bits-holds-it><z>1</z></R>"),
    "<R><a.name.of.33.bytes.or.a.few.more><z>1</z></a.name.of.33.bytes.or.a.few.more></R>",
    "<R><unknown><deep><z>1</z></deep></unknown></R>",
    "<R><a>1</b></R>",
    "<R><a>1</aa></R>",
    "<R><aa>1</a></R>",
    "<R><a>1</a",
    "<R><a>1</a></R",
    "<R><q:a>1</q:a></R>",
    "<R><b>]]></b></R>",
    "<R><b>\x02</b></R>",
    "<R><b c=\"\x02\"/></R>",
    "<R><b c=\"1\" c=\"2\"/></R>",
    "<R><1></1></R>",
    "<R><a:1></a:1></R>",
    "<R><a]>1</a]></R>",
    "<R><a/b></R>",
    "<R><a",
    "<R><a/",
};

/* The sample's outcome behind `shift` bytes of blanks. A fault's offset is given as if there were
 * none. */
static void take_outcome(struct scan_fixture *fixture, const struct plan *plan, const char *sample,
                         size_t shift, char *out)
{
    static char text[2 * XML_WINDOW_BYTES];
    char word[32];
    size_t offset;
    memset(text, ' ', shift);
    strcpy(text + shift, sample);
    const char *outcome = scan_outcome(fixture, plan, text, strlen(text));
    if (sscanf(outcome, "%31[A-Z] %zu", word, &offset) == 2)
        sprintf(out, "%s %zu", word, offset - shift);
    else
        strcpy(out, outcome);
}

Test(xml_property, finds_the_same_wherever_a_window_ends)
{
    struct plan_fixture plan;
    struct scan_fixture fixture;
    static char expected[OUTCOME_BYTES], found[OUTCOME_BYTES];
    make_plan(&plan);
    scan_fixture_open(&fixture, scan_xml);
    for (size_t i = 0; i < sizeof seam_samples / sizeof *seam_samples; i++) {
        take_outcome(&fixture, &plan.plan, seam_samples[i], 0, expected);
        for (size_t before = 0; before <= strlen(seam_samples[i]) + 2; before++) {
            take_outcome(&fixture, &plan.plan, seam_samples[i], XML_WINDOW_BYTES + 1 - before,
                         found);
            cr_assert_str_eq(found, expected, "%s: the window ends at its byte %zu: %s, not %s",
                             seam_samples[i], before, found, expected);
        }
    }
    scan_fixture_close(&fixture);
}

Test(xml_property, agrees_with_the_corpus)
{
    check_corpus(scan_xml, "xml/");
}

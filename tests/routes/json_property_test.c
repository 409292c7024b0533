/* What holds for JSON texts by the hundred: random ones against a model that builds captures and
 * text side by side, good ones cut short or damaged, and other people's. */
#include "routes/json/json_index.h"
#include "tests/routes/scan_fixture.h"

enum { DOCUMENT_BYTES = 256 * 1024, DOCUMENTS = 1500, DEPTH_MAX = 6 };

/* Without the last one a walk gets lost below the places that the others do not name. */
static const char *const taps[] = {"/a", "/a/b", "/E/b", "/i/b", "/E/i/b", "/E", "//z"};

enum { TAPS = sizeof taps / sizeof *taps };

static void make_plan(struct plan_fixture *fixture, size_t tap_count)
{
    plan_begin(fixture, FORMAT_JSON);
    for (size_t i = 0; i < tap_count; i++)
        plan_tap(fixture, taps[i]);
    plan_node_at(fixture, "/E")->entry = true;
    plan_node_at(fixture, "/i")->instance = true;
    plan_node_at(fixture, "/E/i")->instance = true;
}

/* ---- The model ------------------------------------------------------------------------------- */

struct document {
    uint64_t chance;
    char *text, *expected; /* where to go on writing */
    size_t tap_count;
    unsigned capture_count, entry_count, instance_count;
};

/* Of the object around. Arrays change nothing of it. */
struct place {
    char path[128];
    unsigned depth, entry, instance;
};

static void write_value(struct document *document, const struct place *outer, const char *path);

static bool is_tap(const char *tap, const char *path)
{
    const char *last = strrchr(path, '/');
    bool is_anywhere = strncmp(tap, "//", 2) == 0;
    return strcmp(tap, path) == 0 || (is_anywhere && last != NULL && strcmp(tap + 1, last) == 0);
}

static void expect_capture(struct document *document, const struct place *place, const char *path,
                           const char *value)
{
    struct bytes trimmed = bytes_trim(bytes_from_text(value));
    for (size_t i = 0; i < document->tap_count && trimmed.size > 0; i++) {
        if (!is_tap(taps[i], path))
            continue;
        document->expected +=
            sprintf(document->expected, "%s%zu", document->capture_count++ > 0 ? " | " : "", i);
        if (place->entry != 0)
            document->expected += sprintf(document->expected, "@%u", place->entry);
        if (place->instance != 0)
            document->expected += sprintf(document->expected, "#%u", place->instance);
        document->expected += sprintf(document->expected, "=%.*s", (int)trimmed.size, trimmed.data);
    }
}

static void write_text(struct document *document, const char *text)
{
    document->text = stpcpy(document->text, text);
}

static void write_blanks(struct document *document)
{
    static const char *const blanks[] = {"", "", "", " ", "\r\n\t", "\n                    "};
    write_text(document, blanks[pick(&document->chance, 6)]);
}

/* What every object and scalar does to the counters, by its path. */
static struct place enter(struct document *document, const struct place *outer, const char *path)
{
    struct place place = *outer;
    snprintf(place.path, sizeof place.path, "%s", path);
    place.depth++;
    if (strcmp(path, "/E") == 0)
        place.entry = ++document->entry_count;
    if (strcmp(path, "/i") == 0 || strcmp(path, "/E/i") == 0)
        place.instance = ++document->instance_count;
    return place;
}

static void write_object(struct document *document, const struct place *outer, const char *path)
{
    static const char *const names[][2] = {{"a", "a"}, {"b", "b"},
                                           {"z", "z"}, {"E", "\\u0045"},
                                           {"i", "i"}, {"other name", "other name"}};
    struct place place = enter(document, outer, path);
    bool used[6] = {false}, is_first = true;
    write_text(document, "{");
    for (unsigned i = pick(&document->chance, 5); i > 0; i--) {
        unsigned name = pick(&document->chance, 6);
        char member[160];
        if (used[name] || place.depth >= DEPTH_MAX)
            continue;
        used[name] = name < 5;
        write_blanks(document);
        write_text(document, is_first ? "\"" : ",\"");
        is_first = false;
        write_text(document, names[name][pick(&document->chance, 2)]);
        write_text(document, "\"");
        write_blanks(document);
        write_text(document, ":");
        snprintf(member, sizeof member, "%s/%s", path, names[name][0]);
        write_value(document, &place, member);
    }
    write_blanks(document);
    write_text(document, "}");
}

static void write_array(struct document *document, const struct place *outer, const char *path)
{
    struct place place = *outer;
    place.depth++;
    write_text(document, "[");
    for (unsigned i = 0, count = pick(&document->chance, 4); i < count; i++) {
        write_text(document, i > 0 ? "," : "");
        write_value(document, &place, path);
    }
    write_text(document, "]");
}

/* Pairs of how a scalar is written, and how it reads. */
static const char *const scalars[][2] = {
    {"\"word\"", "word"},
    {"\"\"", ""},
    {"\" \\n\"", ""},
    {"\" two words \"", "two words"},
    {"\"\\\"\\\\\\u53e3\"", "\"\\\u53e3"},
    {"\"\u5cb8\\uD83D\\uDE00 and a rather long rest of it, longer than a vector\"",
     "\u5cb8\U0001F600 and a rather long rest of it, longer than a vector"},
    {"0", "0"},
    {"-12.5e+7", "-12.5e+7"},
    {"true", "true"},
    {"false", "false"},
    {"null", NULL},
};

static void write_scalar(struct document *document, const struct place *outer, const char *path)
{
    unsigned scalar = pick(&document->chance, sizeof scalars / sizeof *scalars);
    write_text(document, scalars[scalar][0]);
    if (scalars[scalar][1] == NULL)
        return;
    struct place place = enter(document, outer, path);
    expect_capture(document, &place, path, scalars[scalar][1]);
}

static void write_value(struct document *document, const struct place *outer, const char *path)
{
    unsigned kind = outer->depth < DEPTH_MAX ? pick(&document->chance, 5) : 2;
    write_blanks(document);
    if (kind == 0)
        write_array(document, outer, path);
    else if (kind == 1 || kind == 4)
        write_object(document, outer, path);
    else
        write_scalar(document, outer, path);
    write_blanks(document);
}

Test(json_property, agrees_with_the_model)
{
    char *text = malloc(DOCUMENT_BYTES), *expected = malloc(DOCUMENT_BYTES);
    struct plan_fixture plan;
    struct scan_fixture fixture;
    unsigned capture_count = 0;
    scan_fixture_open(&fixture, scan_json);
    for (uint64_t seed = 1; seed <= DOCUMENTS; seed++) {
        struct document document = {
            .chance = seed, .text = text, .expected = expected, .tap_count = TAPS - seed % 2};
        make_plan(&plan, document.tap_count);
        *expected = '\0';
        write_object(&document, &(struct place){.path = ""}, "");
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
    "{}",
    "[[],{}]",
    "{\"a\":\"1\",\"x\":[true,false,null,-12.5e+10,0]}",
    "{ \"E\" : [ { \"b\" : \"\\u53e3\\\"\" } , { \"b\" : 2 } ] ,\r\n\t\"z\" : \"\\uD83D\\uDE00\" }",
    "{\"\u53e3\":{\"z\":\"\u5cb8, a text longer than a vector is\"},\"\\u0061\":1}",
};

Test(json_property, refuses_texts_cut_short)
{
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan, TAPS);
    scan_fixture_open(&fixture, scan_json);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        check_truncations(&fixture, &plan.plan, samples[i]);
    scan_fixture_close(&fixture);
}

/* Blanks, strings and numbers of every size before a sample: tokens, escapes and characters stand
 * across the edges of the blocks, and of what is marked at once. */
static void check_shifted(struct scan_fixture *fixture, const struct plan *plan, const char *sample,
                          const char *before, size_t shift)
{
    static const struct {
        const char *first, *last;
        char filler;
    } fillers[] = {{" ", "", ' '}, {"\"", "\",", 'x'}, {"1", ",", '0'}};
    char text[4096], good[1024], truncated[64];
    snprintf(good, sizeof good, "%s", scan_outcome(fixture, plan, sample, strlen(sample)));
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++) {
        size_t size = (size_t)sprintf(text, "[%s%s", before, fillers[i].first);
        memset(text + size, fillers[i].filler, shift);
        size += shift;
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s", fillers[i].last, sample);
        snprintf(truncated, sizeof truncated, "TRUNCATED %zu", size);
        cr_assert_str_eq(scan_outcome(fixture, plan, text, size), truncated, "%s", text);
        text[size] = ']';
        cr_assert_str_eq(scan_outcome(fixture, plan, text, size + 1), good, "%s", text);
    }
}

Test(json_property, does_not_care_where_blocks_begin)
{
    struct plan_fixture plan;
    struct scan_fixture fixture;
    scan_fixture_open(&fixture, scan_json);
    for (size_t i = 0; i < 2 * sizeof samples / sizeof *samples; i++) {
        const char *sample = samples[i / 2];
        make_plan(&plan, TAPS - i % 2);
        for (size_t shift = 0; shift < 140; shift++) {
            check_shifted(&fixture, &plan.plan, sample, "", shift);
            check_shifted(&fixture, &plan.plan, sample, "{\"lost\":{}},",
                          JSON_INDEX_BLOCKS * JSON_BLOCK_BYTES - 120 + shift);
        }
    }
    scan_fixture_close(&fixture);
}

Test(json_property, survives_damaged_texts)
{
    struct plan_fixture plan;
    struct scan_fixture fixture;
    make_plan(&plan, TAPS);
    scan_fixture_open(&fixture, scan_json);
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        check_mutations(&fixture, &plan.plan, samples[i]);
    scan_fixture_close(&fixture);
}

Test(json_property, agrees_with_the_corpus)
{
    check_corpus(scan_json, "json/");
}

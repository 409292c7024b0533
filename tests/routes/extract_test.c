#include "routes/read/read.h"

#include "profile_fixture.h"

#define XML                                                                                        \
    "profile: p\nfamily: f\nformat: xml\nrecognise: { root: R }\nentries: E\n"                     \
    "fields:\n  message_type: { constant: T }\n"

/* ---- bodies -> readings ---------------------------------------------------------------------- */

struct example {
    const char *yaml, *body, *expected; /* `expected` without the message type */
};

static void expect_examples(const char *head, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct profile_fixture *fixture = fixture_open();
        char yaml[4096], expected[1024];
        snprintf(yaml, sizeof yaml, "%s%s", head, examples[i].yaml);
        fixture_profile(fixture, yaml);
        const char *line = fixture_read(fixture, examples[i].body);
        bool read = strchr(examples[i].expected, ':') != NULL;
        snprintf(expected, sizeof expected, "%s%.2s%s%s", read ? "p " : "", examples[i].expected,
                 read ? " message_type=T" : "", examples[i].expected + 2);
        cr_expect_str_eq(line, expected, "%s%s\n  expected %s\n  got      %s", examples[i].yaml,
                         examples[i].body, expected, line);
        fixture_close(fixture);
    }
}

Test(extract, entries_at_any_depth)
{
    static const struct example examples[] = {
        {"keys: { order: //Z/A }",
         "<R><Y><Z><A>1</A></Z></Y><Z><X><Z><A>2</A></Z></X><A>3</A></Z></R>",
         "2: | order@1=1 | order@2=2 | order@2=3"},
    };
    expect_examples("profile: p\nfamily: f\nformat: xml\nrecognise: { root: R }\nentries: //Z\n"
                    "fields: { message_type: { constant: T } }\n",
                    examples, 1);
}

Test(extract, from_xml)
{
    static const struct example examples[] = {
        /* One place, several values. */
        {"  port: A", "<R><A>1</A><A>2</A><A>1</A><A/></R>", "1: | port=1 | port=2"},
        {"  port: { path: A, take: first }", "<R><A>1</A><A>2</A></R>", "1: | port=1"},
        {"  sender: A", "<R><A> </A><A>1</A><A>2</A></R>", "1: | sender=1"},
        /* Aliases: the first that has a value, in each entry anew. */
        {"  port: [A, B]", "<R><B>b</B><A>a</A></R>", "1: | port=a"},
        {"  port: [A, B]", "<R><B>b</B><A></A></R>", "1: | port=b"},
        {"  port: [E/A, E/B]", "<R><E><B>1</B></E><E><B>x</B><A>2</A></E></R>",
         "2: | port=1 | port=2"},
        {"  sender: [E/A, B]", "<R><E><A>a</A></E><B>b</B></R>", "1: | sender=b"},
        /* Several values of one field: each spec adds its own. */
        {"  port: [{ path: A }, { path: B }]", "<R><B>b</B><A>a</A></R>", "1: | port=a | port=b"},
        {"  function: [{ path: A }, { constant: original }]", "<R/>", "1: | function=original"},
        {"  function: [{ path: A }, { constant: original }]", "<R><A>x</A></R>", "1: | function=x"},
        /* Keys belong to their entries. */
        {"keys: { bill: E/B }", "<R><E><B>1</B><B>2</B><B>1</B></E><E><B>1</B></E></R>",
         "2: | bill@1=1 | bill@1=2 | bill@2=1"},
        {"keys: { bill: { path: E/B, take: first } }",
         "<R><E><B>1</B><B>2</B></E><E/><E><B>3</B></E></R>", "3: | bill@1=1 | bill@3=3"},
        {"keys: { bill: B }", "<R><E/><E/><B>1</B></R>", "2: | bill@0=1"},
        /* Joins need all parts; one outside of entries serves them all. */
        {"keys: { order: { join: [E/A, E/B] } }",
         "<R><E><A>1</A><B>2</B></E><E><A>3</A></E><E><B>5</B><A>4</A></E></R>",
         "3: | order@1=1+2 | order@3=4+5"},
        {"keys: { order: { join: [A, E/B], with: '/' } }",
         "<R><E><B>1</B></E><E><B>2</B></E><A>x</A></R>", "2: | order@1=x/1 | order@2=x/2"},
        {"keys: { order: { join: [A, B] } }", "<R><E/><A>x</A><B>y</B></R>", "1: | order@0=x+y"},
        {"keys: { order: { join: [[E/A, E/C], E/B], with: '' } }",
         "<R><E><C>c</C><B>b</B></E><E><C>c</C><B>b</B><A>a</A></E></R>",
         "2: | order@1=cb | order@2=ab"},
        /* A single value goes with all; as many go with each other; else nothing. */
        {"keys: { order: { join: [E/A, E/B] } }",
         "<R><E><A>1</A><A>2</A><B>x</B></E><E><A>1</A><A>2</A><B>x</B><B>y</B></E>"
         "<E><A>1</A><A>2</A><A>3</A><B>x</B><B>y</B></E></R>",
         "3: | order@1=1+x | order@1=2+x | order@2=1+x | order@2=2+y"},
        {"keys: { order: { join: [E/A, E/B], take: first } }",
         "<R><E><A>1</A><A>2</A><A>3</A><B>x</B><B>y</B></E></R>", "1: | order@1=1+x"},
        /* Slices count characters. */
        {"  port: { path: A, slice: [1, 2] }", "<R><A>海关总署</A><A>a</A><A>abcd</A></R>",
         "1: | port=关总 | port=bc"},
        {"  port: { path: A, slice: [2] }", "<R><A>海关总署</A><A>ab  cd</A></R>",
         "1: | port=总署 | port=cd"},
        /* Splits take one part, or nothing. */
        {"  port: { path: A, split: [_, 2] }", "<R><A>a_b_c</A><A>d</A><A>_e</A><A>f_</A></R>",
         "1: | port=b | port=e"},
        {"  port: { path: A, split: [_, -1] }", "<R><A>a_b_c</A><A>d</A><A>e_</A></R>",
         "1: | port=c | port=d"},
        {"  port: { path: A, split: ['::', -2], slice: [1] }",
         "<R><A>ab::cd::ef</A><A>gh</A><A>ij::</A></R>", "1: | port=d | port=j"},
        {"  sender: [{ path: A, split: [_, 2] }, { path: A }]", "<R><A>a_b</A></R>",
         "1: | sender=b"},
        {"  sender: [{ path: A, split: [_, 2] }, { path: A }]", "<R><A>a</A></R>", "1: | sender=a"},
        /* Maps: the slice first, the constraints last. */
        {"  port: { path: A, slice: [0, 2], map: { \"51\": guangzhou, \"6*\": \"*\" } }",
         "<R><A>5141</A><A>6001</A><A>7001</A></R>", "1: | port=guangzhou | port=60"},
        {"  port: { path: A, map: { a: \"1\" }, digits: 1 }", "<R><A>b</A><A>a</A></R>",
         "1: | port=1"},
        /* Constraints. */
        {"  port: { path: A, digits: 4 }", "<R><A>5141</A><A>514</A></R>", "CONSTRAINT 17 port"},
        {"  port: { path: A, digits: 4 }", "<R><A>51a1</A></R>", "CONSTRAINT 6 port"},
        {"  port: { path: A, length: 1..2 }", "<R><A>海关</A></R>", "1: | port=海关"},
        {"  port: { path: A, length: 1..2 }", "<R><A>海关总</A></R>", "CONSTRAINT 6 port"},
        {"  port: { path: A, length: 3 }", "<R><A>海关</A></R>", "CONSTRAINT 6 port"},
        {"  port: { join: [A, B], digits: 3 }", "<R><B>1</B><A>2</A></R>", "CONSTRAINT 14 port"},
        {"  port: { path: A, required: true }", "<R><A> </A></R>", "MISSING 15 port"},
        {"  port: { path: A, required: true, map: { a: b } }", "<R><A>x</A></R>",
         "MISSING 15 port"},
        {"keys: { order: { path: E/A, required: true } }", "<R><E/><E><A>1</A></E></R>",
         "2: | order@2=1"},
        /* Predicates look at the same instance. */
        {"  port: \"P[T=9]/C\"",
         "<R><P><T>8</T><C>no</C></P><P><C>yes</C><T>9</T></P><P><C>no</C></P></R>",
         "1: | port=yes"},
        {"  port: \"P[T=9]/C\"\n  sender: \"P[T=8]/C\"",
         "<R><P><T>8</T><T>9</T><C>both</C></P></R>", "1: | port=both | sender=both"},
        {"  port: \"P[T!=9]/C\"\n  sender: \"P[T=9]/C\"",
         "<R><P><T>9</T><C>a</C></P><P><C>b</C><T>8</T></P><P><C>c</C></P></R>",
         "1: | port=b | sender=a"},
        {"  message_id: [{ join: [I, \"P[n!=1]/c\"] }, { path: I }]",
         "<R><I>i</I><P><n>1</n><c>1</c></P></R>", "1: | message_id=i"},
        {"  message_id: [{ join: [I, \"P[n!=1]/c\"] }, { path: I }]",
         "<R><I>i</I><P><n>3</n><c>1</c></P></R>", "1: | message_id=i+1"},
        {"  port: \"P[@t=9]\"", "<R><P t='9'>a</P><P>b</P><P t='9'>c</P></R>",
         "1: | port=a | port=c"},
        {"  port: \"//P[T/K=9]/C\"", "<R><X><P><T><K>9</K></T><C>a</C></P></X></R>", "1: | port=a"},
        {"keys: { bill: \"E/P[T=9]/C\" }",
         "<R><E><P><T>9</T><C>1</C></P></E><E><P><T>9</T><C>2</C></P><P><T>7</T><C>3</C></P></E>"
         "</R>",
         "2: | bill@1=1 | bill@2=2"},
        {"keys: { order: { join: [\"E/P[T=1]/C\", \"E/P[T=2]/C\"] } }",
         "<R><E><P><T>2</T><C>b</C></P><P><T>1</T><C>a</C></P></E></R>", "1: | order@1=a+b"},
    };
    expect_examples(XML, examples, sizeof examples / sizeof examples[0]);
}

/* Each object of a root array is an entry; a root object is one. */
Test(extract, from_root_array)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_profile(fixture, "profile: p\nfamily: f\nformat: json\nrecognise: { key: t }\n"
                             "entries: \".\"\nfields: { message_type: t }\n"
                             "keys: { order: { join: [a/b, c] }, bill: d }\n");
    cr_expect_str_eq(
        fixture_read(fixture, "[{\"t\":1,\"a\":{\"b\":2},\"c\":3},{\"c\":4,\"a\":[{\"b\":5}]},{},"
                              "{\"a\":{\"b\":6},\"d\":[7,8]}]"),
        "p 4: message_type=1 | order@1=2+3 | order@2=5+4 | bill@4=7 | bill@4=8");
    cr_expect_str_eq(fixture_read(fixture, "{\"t\":1,\"d\":7}"), "p 1: message_type=1 | bill@1=7");
    fixture_close(fixture);
}

Test(extract, from_json)
{
    static const char head[] = "profile: p\nfamily: f\nformat: json\nrecognise: { key: t }\n"
                               "entries: items\nfields:\n  message_type: { constant: T }\n";
    static const struct example examples[] = {
        {"  port: a/b", "{\"t\":1,\"a\":[{\"b\":\"x\"},{\"b\":[\"y\",2,null,true]}]}",
         "1: | port=x | port=y | port=2 | port=true"},
        {"keys: { order: { join: [items/no, p] } }",
         "{\"items\":[{\"no\":1},{\"no\":2}],\"p\":\"\\u6d77\",\"t\":0}",
         "2: | order@1=1+海 | order@2=2+海"},
        {"  sender: \"parties[role=CB]/id\"",
         "{\"t\":1,\"parties\":[{\"id\":\"a\",\"role\":\"AG\"},{\"id\":\"b\",\"role\":\"CB\"}]}",
         "1: | sender=b"},
    };
    expect_examples(head, examples, sizeof examples / sizeof examples[0]);
}

Test(extract, from_edifact)
{
    static const char head[] = "profile: p\nfamily: f\nformat: edifact\nrecognise: { type: X }\n"
                               "entries: CNI\nfields:\n  message_type: { constant: T }\n";
    static const struct example examples[] = {
        {"  port: \"LOC[9]/2\"\n  message_id: { join: [UNB/5, UNH/1] }",
         "UNB+UNOA:1+A+B+240101:0000+77'UNH+5+X:D:96B:UN'LOC+9+CNYTN'LOC+11+CNSHK'UNT+4+5'"
         "UNZ+1+77'",
         "1: | port=CNYTN | message_id=77+5"},
        {"keys: { list: { join: [BGM/2, CNI/1] }, bill: \"RFF[BM]/1/2\" }",
         "UNH+5+X:D:96B:UN'BGM+1+N?+1'CNI+1'RFF+BM:a'CNI+2'RFF+ABO:x'RFF+BM:b'UNT+8+5'",
         "2: | list@1=N+1+1 | list@2=N+1+2 | bill@1=a | bill@2=b"},
    };
    expect_examples(head, examples, sizeof examples / sizeof examples[0]);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

Test(extract, joined_values_are_bounded)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_profile(fixture, XML "keys: { order: { join: [A, B], with: '' } }");
    char body[4096], half[520];
    memset(half, 'x', sizeof half);
    snprintf(body, sizeof body, "<R><A>%.512s</A><B>%.512s</B></R>", half, half);
    cr_expect_eq(strlen(fixture_read(fixture, body)),
                 strlen("p 1: message_type=T | order@0=") + 1024);
    snprintf(body, sizeof body, "<R><A>%.512s</A><B>%.513s</B></R>", half, half);
    cr_expect_str_eq(fixture_read(fixture, body), "VALUETOOLONG 6 order");
    fixture_close(fixture);
}

/* The space of a batch: FULL gives back what the message took; alone it is a fault. */
Test(extract, a_full_space)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_profile(fixture, XML "  port: A\nkeys: { order: { join: [A, A] } }");
    struct reader *reader = &fixture->reader;
    struct bytes body = fixture_body(BYTES_LITERAL("<R><A>1</A><A>2</A></R>"), 0);
    struct reading reading;
    struct scan_fault fault;
    cr_assert_eq(read_message(&fixture->set, NULL, reader, body, &reading, &fault), STATUS_OK);
    cr_assert_eq(reader->space.occurrence_used, 5);
    cr_assert_eq(reader->space.text_used, 6);
    reader->space.occurrence_capacity = 9;
    cr_expect_eq(read_message(&fixture->set, NULL, reader, body, &reading, &fault), STATUS_FULL);
    cr_expect_eq(reader->space.occurrence_used, 5);
    cr_expect_eq(reader->space.text_used, 6);
    reader->space.occurrence_capacity = 10;
    reader->space.text_capacity = 11;
    cr_expect_eq(read_message(&fixture->set, NULL, reader, body, &reading, &fault), STATUS_FULL);
    reader->space.text_capacity = 12;
    cr_expect_eq(read_message(&fixture->set, NULL, reader, body, &reading, &fault), STATUS_OK);
    reader_reset(reader);
    reader->space.occurrence_capacity = 4;
    cr_expect_eq(read_message(&fixture->set, NULL, reader, body, &reading, &fault), STATUS_INVALID);
    cr_expect_eq(fault.reason, SCAN_TOO_MANY_VALUES);
    cr_expect_eq(reader->space.occurrence_used, 0);
    free((void *)body.data);
    fixture_close(fixture);
}

/* Equal joined values are not kept, nor is their text. */
Test(extract, dropped_joins_give_their_text_back)
{
    struct profile_fixture *fixture = fixture_open();
    fixture_profile(fixture, XML "  port: { join: [E/A, B] }");
    cr_expect_str_eq(fixture_read(fixture, "<R><E><A>1</A></E><E><A>1</A></E><B>2</B></R>"),
                     "p 2: message_type=T | port=1+2");
    cr_expect_eq(fixture->reader.space.text_used, 3);
    fixture_close(fixture);
}

static void append_part(void *context, struct bytes part)
{
    fwrite(part.data, 1, part.size, context);
}

Test(extract, content)
{
    struct profile_fixture *fixture = fixture_open();
    const struct profile *profile = fixture_profile(fixture, XML "content: [E/A, B, \"P[T=1]/C\"]");
    struct bytes text =
        BYTES_LITERAL("<R><E><A>1</A></E><P><C>c</C><T>1</T></P><B>b</B><E><A>2</A></E></R>");
    struct bytes body = fixture_body(text, 0);
    struct reading reading;
    struct scan_fault fault;
    cr_assert_eq(read_message(&fixture->set, NULL, &fixture->reader, body, &reading, &fault),
                 STATUS_OK);
    char *content;
    size_t size;
    FILE *out = open_memstream(&content, &size);
    read_content(profile, &fixture->reader, append_part, out);
    fclose(out);
    cr_expect_str_eq(content, "1\xFF"
                              "2\xFF\xFE"
                              "b\xFF\xFE"
                              "c\xFF\xFE");
    free(content);
    free((void *)body.data);
    fixture_close(fixture);
}

/* ---- against a naive model ---------------------------------------------------------------------
 *
 * Profiles that tap six places T0..T5 in all sorts of ways, over captures at random. */

enum { PLACES = 6, MODEL_CAPTURES = 60 };

struct model {
    uint64_t seed;
    struct profile_fixture *fixture;
    const struct profile *profile;
    uint16_t taps[PLACES];
    struct reading expected;
    struct reading_space space;
    struct occurrence occurrences[4096];
    uint8_t text[65536];
};

/* Collects the captures of one path in one entry. */
static uint32_t collect(const struct model *model, uint16_t bin, uint16_t entry,
                        struct bytes *out_values)
{
    const struct scan *scan = &model->fixture->reader.scan;
    const struct bin_filter *filter =
        bin >= PLAN_TAPS_MAX ? &model->profile->filters[bin - PLAN_TAPS_MAX] : NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < scan->capture_count; i++) {
        const struct capture *capture = &scan->captures[i];
        if (capture->entry != entry || capture->tap != (filter != NULL ? filter->tap : bin))
            continue;
        bool passes = filter == NULL;
        for (uint32_t k = 0; k < scan->capture_count && !passes; k++)
            passes = scan->captures[k].tap == filter->predicate_tap &&
                     scan->captures[k].instance == capture->instance &&
                     bytes_equal(scan->captures[k].value, filter->value);
        if (passes)
            out_values[count++] = capture->value;
    }
    return count;
}

static void model_spec(struct model *model, const struct value_spec *spec, uint16_t entry_count)
{
    for (uint16_t entry = 0; entry <= entry_count; entry++) {
        struct bytes values[PROFILE_PARTS_MAX][MODEL_CAPTURES];
        uint32_t counts[PROFILE_PARTS_MAX], tuples = 1;
        bool own = false, good = true;
        for (uint8_t part = 0; part < spec->part_count; part++) {
            counts[part] = 0;
            for (uint8_t i = 0; i < spec->parts[part].alias_count && counts[part] == 0; i++)
                counts[part] =
                    collect(model, spec->parts[part].aliases[i].bin, entry, values[part]);
            own = own || counts[part] > 0;
            for (uint8_t i = 0;
                 spec->part_count > 1 && i < spec->parts[part].alias_count && counts[part] == 0;
                 i++)
                counts[part] = collect(model, spec->parts[part].aliases[i].bin, 0, values[part]);
            if (!spec->takes_all && counts[part] > 1)
                counts[part] = 1;
            if (counts[part] > tuples)
                tuples = counts[part];
        }
        for (uint8_t part = 0; part < spec->part_count; part++)
            good = good && (counts[part] == 1 || counts[part] == tuples);
        for (uint32_t k = 0; own && good && k < tuples; k++) {
            uint8_t *text = model->space.text + model->space.text_used;
            size_t size = 0;
            for (uint8_t part = 0; part < spec->part_count; part++) {
                struct bytes value = values[part][counts[part] == 1 ? 0 : k];
                if (part > 0)
                    text[size++] = '+';
                memcpy(text + size, value.data, value.size);
                size += value.size;
            }
            model->space.text_used += (uint32_t)size;
            cr_assert_eq(reading_add(&model->expected, &model->space, spec->slot, entry,
                                     bytes_make(text, size)),
                         STATUS_OK);
        }
    }
}

static void write_path(FILE *out, uint64_t *seed)
{
    uint32_t kind = fixture_below(seed, 4);
    if (kind == 0)
        fprintf(out, "\"P[T%u=%u]/T%u\"", 4 + fixture_below(seed, 2), fixture_below(seed, 3),
                3 + fixture_below(seed, 3));
    else
        fprintf(out, "%sT%u", fixture_below(seed, 2) ? "P/" : "", fixture_below(seed, PLACES));
}

static void write_paths(FILE *out, uint64_t *seed)
{
    uint32_t count = 1 + fixture_below(seed, 3);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i > 0 ? ", " : "[", out);
        write_path(out, seed);
    }
    fputs("]", out);
}

static void write_specs(FILE *out, uint64_t *seed)
{
    uint32_t count = 1 + fixture_below(seed, 3);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t parts = 1 + fixture_below(seed, 3);
        fputs(i > 0 ? ", " : "[", out);
        fprintf(out, "{ take: %s, ", fixture_below(seed, 2) ? "all" : "first");
        fputs(parts > 1 ? "join: [" : "path: ", out);
        for (uint32_t part = 0; part < parts; part++) {
            fputs(part > 0 ? ", " : "", out);
            write_paths(out, seed);
        }
        fputs(parts > 1 ? "] }" : " }", out);
    }
    fputs("]\n", out);
}

/* Captures as a scanner would write them: entries ascend, with the message's own between them. */
static void scatter(struct model *model)
{
    static const char words[][BYTES_PADDING + 4] = {"0", "1", "2", "11", "x"};
    struct scan *scan = &model->fixture->reader.scan;
    scan->capture_count = fixture_below(&model->seed, MODEL_CAPTURES);
    scan->entry_count = 0;
    for (uint32_t i = 0; i < scan->capture_count; i++) {
        if (scan->entry_count < READING_ENTRIES_DEFAULT)
            scan->entry_count =
                (uint16_t)(scan->entry_count + (fixture_below(&model->seed, 4) == 0));
        bool inside = fixture_below(&model->seed, 3) > 0;
        scan->captures[i] = (struct capture){
            .value = bytes_from_text(words[fixture_below(&model->seed, 5)]),
            .tap = (uint16_t)fixture_below(&model->seed, model->profile->plan.tap_count),
            .entry = inside ? scan->entry_count : 0,
            .instance = fixture_below(&model->seed, 12),
            .offset = i,
        };
    }
}

static void expect_equal_readings(struct model *model, const struct reading *reading,
                                  const char *yaml, uint64_t started)
{
    bool equal = reading->count == model->expected.count;
    for (uint16_t i = 0; equal && i < reading->count; i++) {
        const struct occurrence *a = &reading->occurrences[i], *b = &model->expected.occurrences[i];
        equal = a->slot == b->slot && a->entry == b->entry && bytes_equal(a->value, b->value);
    }
    if (equal)
        return;
    char *expected = strdup(fixture_print(model->fixture, STATUS_OK, &model->expected, NULL));
    const char *got = fixture_print(model->fixture, STATUS_OK, reading, NULL);
    cr_assert_fail("seed %lu\n%s\nexpected %s\ngot      %s", (unsigned long)started, yaml, expected,
                   got);
}

Test(extract, agrees_with_a_naive_model, .timeout = 120)
{
    struct model *model = calloc(1, sizeof *model);
    model->seed = 20240612;
    model->space = (struct reading_space){.occurrences = model->occurrences,
                                          .occurrence_capacity = 4096,
                                          .text = model->text,
                                          .text_capacity = sizeof model->text};
    for (int round = 0; round < 300; round++) {
        uint64_t started = model->seed;
        char *yaml;
        size_t size;
        FILE *out = open_memstream(&yaml, &size);
        fputs("profile: p\nfamily: f\nformat: xml\nrecognise: { root: R }\nfields:\n"
              "  message_type: X\n  port: ",
              out);
        write_specs(out, &model->seed);
        fputs("  status: ", out);
        write_specs(out, &model->seed);
        fputs("keys:\n  order: ", out);
        write_specs(out, &model->seed);
        fclose(out);
        model->fixture = fixture_open();
        model->profile = fixture_profile(model->fixture, yaml);
        for (int k = 0; k < 50; k++) {
            struct reading reading;
            struct scan_fault fault;
            struct reader *reader = &model->fixture->reader;
            scatter(model);
            reader_reset(reader);
            reading_init(&reading, &reader->space);
            cr_assert_eq(extract(model->profile, reader, 0, SLOT_NONE, &reading, &fault),
                         STATUS_OK);
            model->space.occurrence_used = model->space.text_used = 0;
            reading_init(&model->expected, &model->space);
            model->expected.profile = model->profile;
            for (uint16_t i = 0; i < model->profile->spec_count; i++)
                model_spec(model, &model->profile->specs[i], reader->scan.entry_count);
            expect_equal_readings(model, &reading, yaml, started);
        }
        free(yaml);
        fixture_close(model->fixture);
    }
    free(model);
}

/* Eight thousand different values, and eight thousand equal ones: the sets that find equal values
 * behind the first few must keep both apart. */
Test(extract, long_lists)
{
    struct profile_fixture *fixture = fixture_open();
    const struct profile *profile = fixture_profile(fixture, XML "  port: A\nkeys: { bill: A }");
    struct scan *scan = &fixture->reader.scan;
    static char values[SCAN_CAPTURES_MAX][8];
    for (uint32_t distinct = 1; distinct <= 4000; distinct = distinct * 3 + 1) {
        for (uint32_t i = 0; i < SCAN_CAPTURES_MAX; i++) {
            int size = snprintf(values[i], sizeof values[i], "%u", i % distinct);
            scan->captures[i] = (struct capture){.value = bytes_make(values[i], (size_t)size),
                                                 .tap = profile->specs[1].parts[0].aliases[0].bin};
        }
        scan->capture_count = SCAN_CAPTURES_MAX;
        scan->entry_count = 0;
        struct reading reading;
        struct scan_fault fault;
        reader_reset(&fixture->reader);
        reading_init(&reading, &fixture->reader.space);
        cr_assert_eq(extract(profile, &fixture->reader, 0, SLOT_NONE, &reading, &fault), STATUS_OK);
        cr_assert_eq(reading.count, 1 + 2 * distinct);
        for (uint32_t i = 0; i < distinct; i++)
            cr_assert(bytes_equal_text(reading.occurrences[1 + i].value, values[i]));
    }
    fixture_close(fixture);
}

/* The same values in many entries and in many slots are different occurrences. */
Test(extract, long_lists_by_entry_and_slot)
{
    struct profile_fixture *fixture = fixture_open();
    const struct profile *profile = fixture_profile(
        fixture, "profile: p\nfamily: f\nformat: xml\nrecognise: { root: R }\nentries: E\n"
                 "fields: { message_type: { constant: T } }\n"
                 "keys: { bill: A, order: A, payment: A, waybill: A, list: A }\n");
    struct scan *scan = &fixture->reader.scan;
    static char values[SCAN_CAPTURES_MAX][8];
    for (uint16_t entries = 1; entries <= 256; entries = (uint16_t)(entries * 4)) {
        scan->entry_count = entries;
        scan->capture_count = 1536;
        uint32_t each = scan->capture_count / entries;
        for (uint32_t i = 0; i < scan->capture_count; i++) {
            int size = snprintf(values[i], sizeof values[i], "%u", i % each);
            scan->captures[i] = (struct capture){.value = bytes_make(values[i], (size_t)size),
                                                 .entry = (uint16_t)(1 + i / each),
                                                 .tap = profile->specs[1].parts[0].aliases[0].bin};
        }
        struct reading reading;
        struct scan_fault fault;
        reader_reset(&fixture->reader);
        reading_init(&reading, &fixture->reader.space);
        cr_assert_eq(extract(profile, &fixture->reader, 0, SLOT_NONE, &reading, &fault), STATUS_OK);
        cr_assert_eq(reading.count, 1 + 5 * 1536, "%u entries: %u", entries, reading.count);
    }
    fixture_close(fixture);
}

Test(extract, more_values_than_a_reading_holds)
{
    struct profile_fixture *fixture = fixture_open();
    const struct profile *profile = fixture_profile(fixture, XML "  port: A\nkeys: { bill: A }");
    struct scan *scan = &fixture->reader.scan;
    static char values[SCAN_CAPTURES_MAX][8];
    for (uint32_t i = 0; i < SCAN_CAPTURES_MAX; i++) {
        int size = snprintf(values[i], sizeof values[i], "%u", i);
        scan->captures[i] = (struct capture){.value = bytes_make(values[i], (size_t)size),
                                             .offset = i,
                                             .tap = profile->specs[1].parts[0].aliases[0].bin};
    }
    scan->capture_count = SCAN_CAPTURES_MAX;
    scan->entry_count = 0;
    struct reading reading;
    struct scan_fault fault;
    reading_init(&reading, &fixture->reader.space);
    cr_expect_eq(extract(profile, &fixture->reader, 0, SLOT_NONE, &reading, &fault),
                 STATUS_INVALID);
    cr_expect_str_eq(fixture_print(fixture, STATUS_INVALID, &reading, &fault),
                     "TOOMANYVALUES 8191 port");
    fixture_close(fixture);
}

#include "routes/rules/rule_survey.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "routes/read/reading.h"
#include "routes/rules/rule_overlap.h"

static struct arena arena;
static struct diagnostics diagnostics;
static struct charsets *charsets;

static const char *const destinations[] = {"customs", "port"};
static struct bytes office_values[] = {BYTES_LITERAL("5141"), BYTES_LITERAL("5301")};
static const struct value_list offices = {"offices", "offices.txt", "", office_values, 2};
static const struct value_list nothing = {"nothing", "nothing.txt", "", NULL, 0};
static const struct value_list *const lists[] = {&offices, &nothing};
static const struct rule_names names = {destinations, 2, lists, 2};

static void set_up(void)
{
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    charsets = charsets_open();
    cr_assert_not_null(charsets);
}

static void tear_down(void)
{
    charsets_close(charsets);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

TestSuite(rule_survey, .init = set_up, .fini = tear_down);

static const struct rule_table *parse(const char *text)
{
    const struct rule_table *table =
        rule_table_parse(&arena, charsets, "table", "t.csv",
                         arena_copy(&arena, bytes_from_text(text)), &names, &diagnostics);
    cr_assert_not_null(table, "%s", text);
    return table;
}

/* ---- two rules ------------------------------------------------------------------------------- */

static enum rule_overlap overlap_of(const char *columns, const char *earlier, const char *later)
{
    uint64_t steps_left = RULE_SURVEY_STEPS_MAX;
    const struct rule_table *table = parse(
        arena_format(&arena, "id,to,%s\nfirst,port,%s\nsecond,port,%s\n", columns, earlier, later));
    enum rule_overlap overlap = rules_overlap(&table->rules[0], &table->rules[1], &steps_left);
    cr_assert_eq(overlap, rules_overlap(&table->rules[1], &table->rules[0], &steps_left));
    return overlap;
}

static void expect_overlap(enum rule_overlap expected, const char *columns, const char *earlier,
                           const char *later)
{
    cr_assert_eq(overlap_of(columns, earlier, later), expected, "%s: %s and %s", columns, earlier,
                 later);
}

Test(rule_survey, finds_what_holds_together)
{
    expect_overlap(OVERLAP_SEEN, "port", "", "");
    expect_overlap(OVERLAP_SEEN, "customs_office", "5141", "51*");
    expect_overlap(OVERLAP_NONE, "customs_office", "5141", "5301");
    expect_overlap(OVERLAP_SEEN, "customs_office", "@offices", "53*");
    expect_overlap(OVERLAP_NONE, "customs_office", "@offices", "54*");
    expect_overlap(OVERLAP_NONE, "customs_office", "@offices", "!51*|5301");
    expect_overlap(OVERLAP_SEEN, "customs_office", "@offices", "!5141");
    expect_overlap(OVERLAP_NONE, "customs_office", "@nothing", "");
    expect_overlap(OVERLAP_SEEN, "customs_office", "!@offices", "!54*");
    expect_overlap(OVERLAP_SEEN, "trade_mode", "0200..0299", "0290..0310");
    expect_overlap(OVERLAP_NONE, "trade_mode", "0200..0299", "0300..0310");
    expect_overlap(OVERLAP_SEEN, "trade_mode", "02*", "0199..0310"); /* no end of it is in 02* */
    expect_overlap(OVERLAP_NONE, "trade_mode", "02*", "0300..0310");
    expect_overlap(OVERLAP_SEEN, "trade_mode", "0201..0204", "!0201|0204");
    expect_overlap(OVERLAP_NONE, "trade_mode", "0201..0204", "!02*");
    expect_overlap(OVERLAP_SEEN, "port", "CN*", "!CN");
    expect_overlap(OVERLAP_NONE, "port", "CN*", "!C*");
    expect_overlap(OVERLAP_UNSURE, "reference", "10..99", "1A..2B");
    expect_overlap(OVERLAP_SEEN, "port,sender", "CNYTN,", ",a");
    expect_overlap(OVERLAP_NONE, "port,sender", "CNYTN,a", ",b");
    expect_overlap(OVERLAP_NONE, "valid_from,valid_to", ",2026-12-01", "2026-12-01,");
    expect_overlap(OVERLAP_SEEN, "valid_from,valid_to", ",2026-12-02", "2026-12-01,");
}

Test(rule_survey, says_that_steps_do_not_suffice)
{
    uint64_t steps_left = 1;
    const struct rule_table *table = parse("id,to,port\na,port,A|B|C\nb,port,D|E\n");
    cr_assert_eq(rules_overlap(&table->rules[0], &table->rules[1], &steps_left), OVERLAP_UNSURE);
}

/* ---- against all values ---------------------------------------------------------------------- */

static uint32_t draw(uint64_t *state, uint32_t bound)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % bound;
}

static const char *make_text(uint64_t *state, uint32_t size)
{
    char text[4] = "";
    for (uint32_t i = 0; i < size; i++)
        text[i] = "012A"[draw(state, 4)];
    return arena_copy_text(&arena, bytes_from_text(text));
}

static const char *make_alternative(uint64_t *state)
{
    const char *low = make_text(state, 1 + draw(state, 2)), *high;
    switch (draw(state, 3)) {
    case 0: return low;
    case 1: return arena_format(&arena, "%s*", low);
    default:
        high = make_text(state, (uint32_t)strlen(low));
        return strcmp(low, high) < 0 ? arena_format(&arena, "%s..%s", low, high) : low;
    }
}

static const char *make_cell(uint64_t *state)
{
    const char *cell = draw(state, 3) == 0 ? "!" : "";
    uint32_t count = 1 + draw(state, 3);
    for (uint32_t i = 0; i < count; i++)
        cell = arena_format(&arena, "%s%s%s", cell, i > 0 ? "|" : "", make_alternative(state));
    return cell;
}

static bool holds_for(const struct rule *rule, struct bytes value)
{
    struct occurrence occurrence = {value, 0, READING_NO_OCCURRENCE, SLOT_REFERENCE};
    struct reading reading = {.occurrences = &occurrence, .count = 1};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        reading.first[slot] = reading.last[slot] = READING_NO_OCCURRENCE;
    if (value.size > 0)
        reading.first[SLOT_REFERENCE] = reading.last[SLOT_REFERENCE] = 0;
    return rule_holds(rule, &reading, 0);
}

/* Some value of up to three of these characters, or none. */
static bool hold_together(const struct rule *left, const struct rule *right)
{
    static const char characters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    enum { CHARACTERS = sizeof characters - 1 };
    for (uint32_t i = 0; i < (CHARACTERS + 1) * (CHARACTERS + 1) * (CHARACTERS + 1); i++) {
        uint8_t text[3];
        size_t size = 0;
        for (uint32_t rest = i; rest > 0; rest /= CHARACTERS + 1)
            if (rest % (CHARACTERS + 1) > 0)
                text[size++] = (uint8_t)characters[rest % (CHARACTERS + 1) - 1];
        struct bytes value = bytes_make(text, size);
        if (holds_for(left, value) && holds_for(right, value))
            return true;
    }
    return false;
}

Test(rule_survey, is_right_on_every_value_there_is)
{
    uint64_t state = 1;
    uint32_t counts[3] = {0};
    for (uint32_t round = 0; round < 300; round++) {
        const char *left = make_cell(&state), *right = make_cell(&state);
        uint64_t steps_left = 100000;
        const struct rule_table *table =
            parse(arena_format(&arena, "id,to,reference\na,port,%s\nb,port,%s\n", left, right));
        enum rule_overlap overlap = rules_overlap(&table->rules[0], &table->rules[1], &steps_left);
        counts[overlap]++;
        if (overlap != OVERLAP_UNSURE)
            cr_assert_eq(hold_together(&table->rules[0], &table->rules[1]), overlap == OVERLAP_SEEN,
                         "%s and %s", left, right);
    }
    cr_assert_gt(counts[OVERLAP_NONE], 30);
    cr_assert_gt(counts[OVERLAP_SEEN], 100);
    cr_assert_lt(counts[OVERLAP_UNSURE], 30);
}

/* ---- a table --------------------------------------------------------------------------------- */

Test(rule_survey, tells_what_stands_in_the_way_of_what)
{
    struct rule_survey survey;
    rule_survey_make(&arena,
                     parse("id,priority,customs_office,trade_mode,to\n"
                           "narrow,1,5141,,port\n"
                           "mode,,,1210,port\n"
                           "wide,,51*,,port\n"
                           "never,,5101,1210,port\n"
                           "rest,-1,,,port\n"
                           "dead,-2,5999,,port\n"),
                     &survey);
    const struct rule_finding *found = survey.findings;
    cr_assert(survey.has_all_shadowed && survey.has_all_overlaps);
    cr_assert_eq(survey.shadowed_count, 2);
    cr_assert_eq(survey.overlapped_count, 3);
    cr_assert_eq(found[0].overlap_count, 0);
    cr_assert_eq(found[1].overlapped_by, 0); /* office 5141 and mode 1210 */
    cr_assert_eq(found[1].overlap_count, 1);
    cr_assert_eq(found[2].overlapped_by, 0);
    cr_assert_eq(found[2].overlap_count, 2);
    cr_assert_eq(found[3].shadowed_by, 1);
    cr_assert_eq(found[3].overlap_count, 0);
    cr_assert_eq(found[4].overlap_count, 3, "a rule that never decides takes nothing");
    cr_assert_eq(found[5].shadowed_by, 4);
}

/* Rule i: an office of its own; the last: all of them. */
static const struct rule_table *make_large(uint32_t count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fputs("id,reference,to\n", out);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "r%u,%u,port\n", i, 100000 + i);
    fputs("again,100007,port\nrest,1*,port\n", out);
    fclose(out);
    const struct rule_table *table = parse(text);
    free(text);
    return table;
}

Test(rule_survey, says_of_a_large_table_that_there_may_be_more)
{
    struct rule_survey survey;
    rule_survey_make(&arena, make_large(RULE_SURVEY_PAIRED_MAX), &survey);
    const struct rule_finding *again = &survey.findings[RULE_SURVEY_PAIRED_MAX];
    cr_assert(survey.has_all_shadowed && !survey.has_all_overlaps);
    cr_assert_eq(survey.shadowed_count, 1);
    cr_assert_eq(again->shadowed_by, 7);
    cr_assert_eq(again[1].overlapped_by, 0);
    cr_assert_eq(again[1].overlap_count, RULE_SURVEY_PAIRED_MAX);
}

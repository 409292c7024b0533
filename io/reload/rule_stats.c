#include "io/reload/rule_stats.h"

#include <inttypes.h>
#include <stdlib.h>

#include "io/text.h"
#include "routes/rules/rule_survey.h"

/* One rule that is told of. */
struct told {
    const struct rule_survey *survey; /* of its table */
    const struct rule *rule;
    struct rule_finding finding;
    struct rule_total total;
};

struct stats {
    const struct generation *generation;
    const struct rule_totals *totals;
    const struct rule_stats_choice *choice;
    struct arena arena;
    struct rule_survey surveys[RULE_TABLES_MAX];
    struct told *told;
    uint32_t told_count;
    /* Of the chosen tables: */
    uint32_t table_count, rule_count, never_count, shadowed_count, overlapped_count;
    bool has_all_shadowed, has_all_overlaps;
};

static void print_lines(const struct stats *stats, FILE *out);
static void print_json(const struct stats *stats, FILE *out);

static bool is_chosen(const struct stats *stats, const struct rule_table *table)
{
    const char *wanted = stats->choice->table;
    return wanted[0] == '\0' || strcmp(wanted, table->name) == 0;
}

static void take_table(struct stats *stats, uint16_t table, uint32_t first_number)
{
    struct rule_survey *survey = &stats->surveys[table];
    const struct rule_stats_choice *choice = stats->choice;
    rule_survey_make(&stats->arena, stats->generation->tables[table], survey);
    stats->table_count++;
    stats->rule_count += survey->table->rule_count;
    stats->shadowed_count += survey->shadowed_count;
    stats->overlapped_count += survey->overlapped_count;
    stats->has_all_shadowed &= survey->has_all_shadowed;
    stats->has_all_overlaps &= survey->has_all_overlaps;
    for (uint32_t i = 0; i < survey->table->rule_count; i++) {
        struct told told = {survey, &survey->table->rules[i], survey->findings[i], {0}};
        if (stats->totals != NULL)
            told.total = stats->totals->rules[first_number + i];
        stats->never_count += told.total.hits == 0;
        bool is_found =
            told.finding.shadowed_by != RULE_NONE || told.finding.overlapped_by != RULE_NONE;
        if (stats->totals != NULL ? !choice->is_never || told.total.hits == 0 : is_found)
            stats->told[stats->told_count++] = told;
    }
}

/* The order of matching where they have the same. */
static int by_hits(const void *left, const void *right)
{
    const struct told *a = left, *b = right;
    if (a->total.hits != b->total.hits)
        return a->total.hits > b->total.hits ? -1 : 1;
    if (a->survey != b->survey)
        return a->survey < b->survey ? -1 : 1;
    return a->rule < b->rule ? -1 : a->rule > b->rule;
}

bool rule_stats_print(const struct generation *generation, const struct rule_totals *totals,
                      const struct rule_stats_choice *choice, FILE *out)
{
    struct stats stats = {.generation = generation,
                          .totals = totals,
                          .choice = choice,
                          .has_all_shadowed = true,
                          .has_all_overlaps = true};
    uint32_t rules = 0;
    for (uint16_t i = 0; i < generation->table_count; i++)
        rules += generation->tables[i]->rule_count;
    arena_init(&stats.arena);
    stats.told = arena_allocate_array(&stats.arena, rules + 1U, sizeof *stats.told);
    rules = 0;
    for (uint16_t i = 0; i < generation->table_count; i++) {
        if (is_chosen(&stats, generation->tables[i]))
            take_table(&stats, i, rules);
        rules += generation->tables[i]->rule_count;
    }
    bool is_there = stats.table_count > 0 || choice->table[0] == '\0';
    if (choice->top > 0)
        qsort(stats.told, stats.told_count, sizeof *stats.told, by_hits);
    if (is_there && choice->is_json)
        print_json(&stats, out);
    else if (is_there)
        print_lines(&stats, out);
    arena_deinit(&stats.arena);
    return is_there;
}

/* As many as are wanted, and fit. */
static bool goes_on(const struct stats *stats, uint32_t printed, FILE *out)
{
    enum { ONE_BYTES_MAX = 16384 }; /* names and ids are short, file names within PATH_MAX */
    size_t bytes_max = stats->choice->bytes_max;
    return printed < stats->told_count &&
           (stats->choice->top == 0 || printed < stats->choice->top) &&
           (bytes_max == 0 || (size_t)ftello(out) + ONE_BYTES_MAX < bytes_max);
}

/* ---- for people ---- */

static void print_rule(const struct rule_table *table, const struct rule *rule, FILE *out)
{
    text_print(out, table->name, text_add_escaped);
    fputc('/', out);
    text_print(out, rule->id, text_add_escaped);
    fputs("  ", out);
    text_print(out, table->file, text_add_escaped);
    fprintf(out, ":%" PRIu32, rule->line);
}

static void print_told(const struct told *told, bool is_counted, FILE *out)
{
    static const char indent[] = "              ";
    const struct rule_table *table = told->survey->table;
    const struct rule_finding *finding = &told->finding;
    if (is_counted) {
        bool was_hit = told->total.hits > 0;
        fprintf(out, "%12" PRIu64 "  %s  ", told->total.hits, was_hit ? "last " : "since");
        text_print_utc(out, was_hit ? told->total.last_ms : told->total.since_ms);
        fputs("  ", out);
    }
    print_rule(table, told->rule, out);
    fputc('\n', out);
    if (finding->shadowed_by != RULE_NONE) {
        fprintf(out, "%snever decides: an earlier rule takes all that it would, ", indent);
        print_rule(table, &table->rules[finding->shadowed_by], out);
        fputc('\n', out);
    }
    if (finding->overlapped_by != RULE_NONE) {
        fprintf(out, "%s%s%" PRIu32 " earlier rule%s take%s a part of it, first ", indent,
                told->survey->has_all_overlaps ? "" : "at least ", finding->overlap_count,
                finding->overlap_count == 1 ? "" : "s", finding->overlap_count == 1 ? "s" : "");
        print_rule(table, &table->rules[finding->overlapped_by], out);
        fputc('\n', out);
    }
}

static void print_sum(const struct stats *stats, FILE *out)
{
    if (stats->totals != NULL)
        fprintf(out, "generation %" PRIu64 ": ", stats->generation->number);
    fprintf(out, "%" PRIu32 " rule%s in %" PRIu32 " table%s", stats->rule_count,
            stats->rule_count == 1 ? "" : "s", stats->table_count,
            stats->table_count == 1 ? "" : "s");
    if (stats->totals != NULL)
        fprintf(out, ", %" PRIu32 " never hit", stats->never_count);
    fprintf(out, "; %s%" PRIu32 " never decide%s, %s%" PRIu32 " partly overlapped\n",
            stats->has_all_shadowed ? "" : "at least ", stats->shadowed_count,
            stats->shadowed_count == 1 ? "s" : "", stats->has_all_overlaps ? "" : "at least ",
            stats->overlapped_count);
}

static void print_lines(const struct stats *stats, FILE *out)
{
    uint32_t printed = 0;
    print_sum(stats, out);
    for (; goes_on(stats, printed, out); printed++)
        print_told(&stats->told[printed], stats->totals != NULL, out);
    if (printed < stats->told_count)
        fprintf(out, "and %" PRIu32 " more: --table, --never and --top choose among them\n",
                stats->told_count - printed);
}

/* ---- for programs ---- */

static void print_other_json(const struct rule_table *table, uint32_t rule, FILE *out)
{
    if (rule == RULE_NONE) {
        fputs("null", out);
        return;
    }
    fputs("{\"id\":", out);
    text_print(out, table->rules[rule].id, text_add_json);
    fprintf(out, ",\"line\":%" PRIu32 "}", table->rules[rule].line);
}

static void print_told_json(const struct told *told, bool is_counted, FILE *out)
{
    const struct rule_table *table = told->survey->table;
    fputs("{\"table\":", out);
    text_print(out, table->name, text_add_json);
    fputs(",\"id\":", out);
    text_print(out, told->rule->id, text_add_json);
    fputs(",\"file\":", out);
    text_print(out, table->file, text_add_json);
    fprintf(out, ",\"line\":%" PRIu32, told->rule->line);
    if (is_counted) {
        fprintf(out, ",\"hits\":%" PRIu64 ",\"since_ms\":%" PRIu64, told->total.hits,
                told->total.since_ms);
        if (told->total.hits > 0)
            fprintf(out, ",\"last_ms\":%" PRIu64, told->total.last_ms);
        else
            fputs(",\"last_ms\":null", out);
    }
    fputs(",\"shadowed_by\":", out);
    print_other_json(table, told->finding.shadowed_by, out);
    fputs(",\"overlapped_by\":", out);
    print_other_json(table, told->finding.overlapped_by, out);
    fprintf(out, ",\"overlap_count\":%" PRIu32 ",\"has_all_overlaps\":%s}",
            told->finding.overlap_count, told->survey->has_all_overlaps ? "true" : "false");
}

static void print_json(const struct stats *stats, FILE *out)
{
    uint32_t printed = 0;
    fputc('{', out);
    if (stats->totals != NULL)
        fprintf(out, "\"generation\":%" PRIu64 ",", stats->generation->number);
    fputs("\"rules\":[", out);
    for (; goes_on(stats, printed, out); printed++) {
        fputs(printed > 0 ? ",\n " : "", out);
        print_told_json(&stats->told[printed], stats->totals != NULL, out);
    }
    fprintf(out, "],\"left_out\":%" PRIu32 "}\n", stats->told_count - printed);
}

/* Tables and a list as text -> parse -> compile -> match, against the naive truth.
 *
 * The input is up to four sections with lines `==` between them: a table, a second table, the list
 * `@list`, and readings, each a few lines `field=value`, with lines `--` between them. */
#include <stdio.h>
#include <stdlib.h>

#include "routes/match.h"
#include "routes/rule_cover.h"
#include "routes/rule_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTIONS = 4, OCCURRENCES = 128, COVER_RULES = 24, LISTED = 16 };

struct sample {
    struct reading reading;
    struct occurrence occurrences[OCCURRENCES];
};

/* What is kept from one run to the next, as a shard does. */
struct kept {
    struct charsets *charsets;
    struct match_scratch *scratch, *portable;
};

struct matchers {
    const struct rule_table *tables[2];
    uint16_t table_count;
    const struct matcher *usual, *sparse;
    struct match_scratch *scratch, *portable;
    struct rule_periods periods;
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "rules_fuzz: %s\n", what);
    abort();
}

/* The text up to a line that is `mark`, taken off the rest. */
static struct bytes take_until(struct bytes *rest, const char *mark)
{
    for (size_t i = 0; i + 3 <= rest->size; i++)
        if ((i == 0 || rest->data[i - 1] == '\n') && rest->data[i + 2] == '\n' &&
            bytes_equal_text(bytes_slice(*rest, i, 2), mark)) {
            struct bytes part = bytes_slice(*rest, 0, i);
            *rest = bytes_slice(*rest, i + 3, rest->size);
            return part;
        }
    struct bytes part = *rest;
    *rest = bytes_slice(*rest, rest->size, 0);
    return part;
}

static void sample_init(struct sample *sample)
{
    sample->reading = (struct reading){.occurrences = sample->occurrences};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        sample->reading.first[slot] = sample->reading.last[slot] = READING_NO_OCCURRENCE;
}

static void sample_add(struct sample *sample, enum slot slot, struct bytes value)
{
    struct reading *reading = &sample->reading;
    if (reading->count == OCCURRENCES || value.size == 0 || value.size > READING_VALUE_BYTES_MAX)
        return;
    uint16_t index = reading->count++;
    sample->occurrences[index] =
        (struct occurrence){value, 0, READING_NO_OCCURRENCE, (uint8_t)slot};
    if (reading->first[slot] == READING_NO_OCCURRENCE)
        reading->first[slot] = index;
    else
        sample->occurrences[reading->last[slot]].next = index;
    reading->last[slot] = index;
}

static void sample_parse(struct sample *sample, struct bytes text)
{
    sample_init(sample);
    while (text.size > 0) {
        enum slot slot;
        const uint8_t *end = memchr(text.data, '\n', text.size);
        struct bytes line =
            bytes_slice(text, 0, end == NULL ? text.size : (size_t)(end - text.data));
        text = bytes_slice(text, line.size + 1, text.size);
        const uint8_t *equals = line.size > 0 ? memchr(line.data, '=', line.size) : NULL;
        if (equals == NULL)
            continue;
        size_t name_size = (size_t)(equals - line.data);
        if (slot_find_field(bytes_slice(line, 0, name_size), &slot))
            sample_add(sample, slot, bytes_trim(bytes_slice(line, name_size + 1, line.size)));
    }
}

/* Values on the edges of what a rule's conditions say. */
static void sample_from_rule(struct sample *sample, const struct rule *rule, bool all)
{
    sample_init(sample);
    for (uint16_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        uint32_t count = all ? condition->alternative_count : 1;
        for (uint32_t k = 0; k < count && (all || !condition->negated); k++) {
            const struct alternative *alternative = &condition->alternatives[k];
            const struct value_list *list = alternative->list;
            sample_add(sample, condition->slot, alternative->low);
            sample_add(sample, condition->slot, all ? alternative->high : (struct bytes){0});
            if (list != NULL && list->count > 0)
                sample_add(sample, condition->slot, list->values[list->count / 2]);
        }
    }
}

static void require_same(const struct decision *a, const struct decision *b)
{
    require(a->table_count == b->table_count && a->rejected == b->rejected, "tables, rejected");
    require(memcmp(a->matched, b->matched, a->table_count * sizeof *a->matched) == 0, "matched");
    require(memcmp(&a->deliver, &b->deliver, sizeof a->deliver) == 0, "deliver");
    require(memcmp(&a->hold, &b->hold, sizeof a->hold) == 0, "hold");
    require(a->to_receiver_deliver == b->to_receiver_deliver, "to receiver: deliver");
    require(a->to_receiver_hold == b->to_receiver_hold, "to receiver: hold");
}

static void check_covers(const struct rule_table *table, const struct reading *reading,
                         uint64_t now_ms)
{
    for (uint32_t later = 1; later < table->rule_count && later < COVER_RULES; later++) {
        if (!rule_holds(&table->rules[later], reading, now_ms))
            continue;
        for (uint32_t i = 0; i < later; i++) {
            uint64_t steps_left = 10000;
            require(!rule_covers(&table->rules[i], &table->rules[later], &steps_left) ||
                        rule_holds(&table->rules[i], reading, now_ms),
                    "a cover that does not hold");
        }
    }
}

static void check_at(const struct matchers *matchers, const struct reading *reading,
                     uint64_t now_ms)
{
    struct decision naive, usual, sparse;
    match_naive(matchers->tables, matchers->table_count, reading, now_ms, &naive);
    match_run(matchers->usual, matchers->scratch, reading, now_ms, &usual);
    match_run(matchers->sparse, matchers->portable, reading, now_ms, &sparse);
    require_same(&naive, &usual);
    require_same(&naive, &sparse);
    for (uint16_t i = 0; i < matchers->table_count; i++) {
        uint32_t listed[LISTED];
        uint32_t count =
            match_list(matchers->usual, matchers->scratch, reading, now_ms, i, listed, LISTED);
        uint32_t first = count > 0 ? listed[0] : DECISION_NO_RULE;
        require(first == naive.matched[i], "first of the list");
        for (uint32_t k = 0; k < count; k++)
            require(rule_holds(&matchers->tables[i]->rules[listed[k]], reading, now_ms), "listed");
        check_covers(matchers->tables[i], reading, now_ms);
    }
}

/* Before, at and after some of the times at which rules begin and end. */
static void check(const struct matchers *matchers, const struct reading *reading)
{
    enum { PERIODS = 8 };
    const struct rule_periods *periods = &matchers->periods;
    check_at(matchers, reading, UINT64_MAX - 1);
    for (uint32_t i = 0; i < periods->count && i < PERIODS; i++) {
        uint64_t begin_ms = periods->begins_ms[i];
        require(rule_periods_find(periods, begin_ms) == i, "the period of its begin");
        require(i == 0 || rule_periods_find(periods, begin_ms - 1) == i - 1, "and before it");
        check_at(matchers, reading, begin_ms);
        if (i > 0)
            check_at(matchers, reading, begin_ms - 1);
    }
}

static void check_samples(const struct matchers *matchers, struct bytes readings)
{
    struct sample sample;
    sample_init(&sample);
    check(matchers, &sample.reading);
    while (readings.size > 0) {
        sample_parse(&sample, take_until(&readings, "--"));
        check(matchers, &sample.reading);
    }
    for (uint16_t i = 0; i < matchers->table_count; i++)
        for (uint32_t k = 0; k < matchers->tables[i]->rule_count && k < 64; k++) {
            sample_from_rule(&sample, &matchers->tables[i]->rules[k], false);
            check(matchers, &sample.reading);
            sample_from_rule(&sample, &matchers->tables[i]->rules[k], true);
            check(matchers, &sample.reading);
        }
}

/* Every diagnostic has a place in its file, and prints. */
static void check_diagnostics(const struct diagnostics *diagnostics)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    require(out != NULL, "open_memstream");
    diagnostics_print(diagnostics, out);
    diagnostics_print_json(diagnostics, out);
    fclose(out);
    require(bytes_is_utf8(bytes_make(text, size)), "reports are UTF-8");
    free(text);
    for (uint32_t i = 0; i < diagnostics->count; i++)
        require(diagnostics->items[i].place.file != NULL, "a file in each report");
}

static void run(struct bytes input, const struct kept *kept)
{
    static const char *const destinations[] = {"customs", "inspection", "port", "trader"};
    struct arena arena;
    struct diagnostics diagnostics;
    struct bytes sections[SECTIONS];
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    for (size_t i = 0; i < SECTIONS; i++)
        sections[i] = take_until(&input, "==");
    const struct value_list *list =
        value_list_parse(&arena, kept->charsets, "list", "list.txt", sections[2], &diagnostics);
    const struct value_list *lists[] = {list};
    const struct rule_names names = {destinations, 4, lists, 1};
    struct matchers matchers = {.scratch = kept->scratch, .portable = kept->portable};
    for (size_t i = 0; i < 2; i++) {
        uint32_t errors_before = diagnostics.error_count;
        const struct rule_table *table = rule_table_parse(
            &arena, kept->charsets, i == 0 ? "first" : "second",
            i == 0 ? "first.csv" : "second.csv", sections[i], &names, &diagnostics);
        require((table == NULL) == (diagnostics.error_count > errors_before), "NULL or error");
        if (table != NULL)
            matchers.tables[matchers.table_count++] = table;
    }
    check_diagnostics(&diagnostics);
    require(rule_tables_check_total(matchers.tables, matchers.table_count, &diagnostics), "total");
    require(rule_periods_build(&arena, matchers.tables, matchers.table_count, &matchers.periods,
                               &diagnostics),
            "periods");
    matchers.usual = matcher_compile(&arena, matchers.tables, matchers.table_count);
    matchers.sparse = matcher_compile_sets(&arena, matchers.tables, matchers.table_count, 0);
    check_samples(&matchers, sections[3]);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

static void open_kept(struct kept *kept)
{
    kept->charsets = charsets_open();
    require(kept->charsets != NULL, "charsets");
    require(match_scratch_open(&kept->scratch) == STATUS_OK, "memory");
    require(match_scratch_open(&kept->portable) == STATUS_OK, "memory");
    match_scratch_choose_portable(kept->portable);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kept kept;
    if (kept.charsets == NULL)
        open_kept(&kept);
    uint8_t *copy = malloc(size + BYTES_PADDING);
    require(copy != NULL, "memory");
    memset(copy + size, '"', BYTES_PADDING); /* nothing may depend on it */
    if (size > 0)
        memcpy(copy, data, size);
    run(bytes_make(copy, size), &kept);
    free(copy);
    return 0;
}

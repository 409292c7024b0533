/* Lists, tables, and rules by table and id. */
#include <inttypes.h>
#include <stdlib.h>

#include "io/config/config_diff_inside.h"

static void compare_lists(struct config_diff *diff, const struct generation *before,
                          const struct generation *next);
static void compare_tables(struct config_diff *diff, const struct generation *before,
                           const struct generation *next);

void config_diff_rules(struct config_diff *diff, const struct generation *before,
                       const struct generation *next)
{
    compare_lists(diff, before, next);
    compare_tables(diff, before, next);
}

/* ---- lists ---- */

static const struct value_list *find_list(const struct generation *generation, const char *name)
{
    for (uint16_t i = 0; i < generation->list_count; i++)
        if (strcmp(generation->lists[i]->name, name) == 0)
            return generation->lists[i];
    return NULL;
}

/* "3 added (5141, 5301, 5302 ...)": values of one list that the other has not. */
static void say_missing(struct config_detail *detail, const struct value_list *of,
                        const struct value_list *in, const char *how)
{
    enum { SHOWN_MAX = 5 };
    uint32_t count = 0;
    FILE *out = NULL;
    for (uint32_t i = 0; i < of->count; i++)
        count += !value_list_has(in, of->values[i]);
    if (count == 0)
        return;
    out = config_detail_next(detail);
    fprintf(out, "%" PRIu32 " %s (", count, how);
    for (uint32_t i = 0, shown = 0; i < of->count && shown < SHOWN_MAX; i++) {
        struct bytes value = of->values[i];
        if (!value_list_has(in, value))
            fprintf(out, "%s%.*s", shown++ > 0 ? ", " : "", (int)value.size,
                    (const char *)value.data);
    }
    fputs(count > SHOWN_MAX ? " ...)" : ")", out);
}

static void compare_lists(struct config_diff *diff, const struct generation *before,
                          const struct generation *next)
{
    for (uint16_t i = 0; i < before->list_count; i++)
        if (find_list(next, before->lists[i]->name) == NULL)
            config_diff_add(diff, CHANGED_LIST, CHANGE_REMOVED, before->lists[i]->name, "", false);
    for (uint16_t i = 0; i < next->list_count; i++) {
        const struct value_list *list = next->lists[i], *then = find_list(before, list->name);
        if (then == NULL) {
            config_diff_add(diff, CHANGED_LIST, CHANGE_ADDED, list->name,
                            arena_format(&diff->arena, "%" PRIu32 " values", list->count), false);
            continue;
        }
        struct config_detail detail = {0};
        config_detail_texts(&detail, "version", bytes_from_text(then->version),
                            bytes_from_text(list->version));
        say_missing(&detail, list, then, "added");
        say_missing(&detail, then, list, "removed");
        config_diff_add_detail(diff, CHANGED_LIST, list->name, &detail, false);
    }
}

/* ---- the cells of two rules ---- */

/* Two rules of one id, and what their numbers mean. */
struct rule_pair {
    const struct generation *before_in, *next_in;
    const struct rule *before, *next;
};

static struct bytes cell_of(const struct rule *rule, enum slot slot)
{
    for (uint16_t i = 0; i < rule->condition_count; i++)
        if (rule->conditions[i].slot == slot)
            return rule->conditions[i].text;
    return (struct bytes){0};
}

static void format_to(const struct generation *generation, const struct rule *rule, FILE *out)
{
    const char *separator = "";
    for (uint16_t i = 0; i < rule->destination_count; i++) {
        fprintf(out, "%s%s", separator, generation->destinations[rule->destinations[i]]->name);
        separator = "|";
    }
    if (rule->to_receiver)
        fprintf(out, "%s@receiver", separator);
    else if (rule->destination_count == 0)
        fputc('-', out);
}

static bool has_destination(const struct generation *generation, const struct rule *rule,
                            const char *name)
{
    for (uint16_t i = 0; i < rule->destination_count; i++)
        if (strcmp(generation->destinations[rule->destinations[i]]->name, name) == 0)
            return true;
    return false;
}

static bool goes_elsewhere(const struct rule_pair *pair)
{
    const struct rule *next = pair->next;
    if (pair->before->to_receiver != next->to_receiver ||
        pair->before->destination_count != next->destination_count)
        return true;
    for (uint16_t i = 0; i < next->destination_count; i++)
        if (!has_destination(pair->before_in, pair->before,
                             pair->next_in->destinations[next->destinations[i]]->name))
            return true;
    return false;
}

static void compare_times(struct config_detail *detail, const char *name, uint64_t before_ms,
                          uint64_t next_ms)
{
    char before[RULE_TIME_TEXT_BYTES] = "", next[RULE_TIME_TEXT_BYTES] = "";
    if (before_ms > 0 && before_ms < UINT64_MAX)
        rule_time_format(before_ms, before);
    if (next_ms > 0 && next_ms < UINT64_MAX)
        rule_time_format(next_ms, next);
    config_detail_texts(detail, name, bytes_from_text(before), bytes_from_text(next));
}

static void compare_cells(struct config_detail *detail, const struct rule_pair *pair)
{
    const struct rule *before = pair->before, *next = pair->next;
    if (before->priority != next->priority)
        fprintf(config_detail_next(detail), "priority: %" PRId32 " -> %" PRId32, before->priority,
                next->priority);
    for (unsigned slot = 0; slot < SLOT_FIELD_COUNT; slot++)
        config_detail_texts(detail, slot_name((enum slot)slot), cell_of(before, (enum slot)slot),
                            cell_of(next, (enum slot)slot));
    if (goes_elsewhere(pair)) {
        FILE *out = config_detail_next(detail);
        fputs("to: ", out);
        format_to(pair->before_in, before, out);
        fputs(" -> ", out);
        format_to(pair->next_in, next, out);
    }
    config_detail_texts(detail, "action", bytes_from_text(rule_action_name(before->action)),
                        bytes_from_text(rule_action_name(next->action)));
    compare_times(detail, "valid_from", before->valid_from_ms, next->valid_from_ms);
    compare_times(detail, "valid_to", before->valid_to_ms, next->valid_to_ms);
    config_detail_texts(detail, "note", bytes_from_text(before->note), bytes_from_text(next->note));
}

/* Its cells that say anything, as those of a new rule. */
static void say_cells(struct config_detail *detail, const struct generation *in,
                      const struct rule *rule)
{
    for (uint16_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        fprintf(config_detail_next(detail), "%s: %.*s", slot_name(condition->slot),
                (int)condition->text.size, (const char *)condition->text.data);
    }
    FILE *out = config_detail_next(detail);
    fprintf(out, "%s: ", rule->action == ACTION_DELIVER ? "to" : rule_action_name(rule->action));
    format_to(in, rule, out);
}

/* ---- the rules of a table ---- */

struct ranked_rule {
    const struct rule *rule;
    uint32_t rank; /* in the order of matching */
};

static int by_id(const void *left, const void *right)
{
    return strcmp(((const struct ranked_rule *)left)->rule->id,
                  ((const struct ranked_rule *)right)->rule->id);
}

static struct ranked_rule *sort_by_id(const struct rule_table *table, struct arena *arena)
{
    struct ranked_rule *sorted =
        arena_allocate_array(arena, table->rule_count + 1U, sizeof *sorted);
    for (uint32_t i = 0; i < table->rule_count; i++)
        sorted[i] = (struct ranked_rule){&table->rules[i], i};
    qsort(sorted, table->rule_count, sizeof *sorted, by_id);
    return sorted;
}

static const struct ranked_rule *find_rule(const struct ranked_rule *sorted, uint32_t count,
                                           const struct rule *like)
{
    const struct ranked_rule wanted = {.rule = like};
    return bsearch(&wanted, sorted, count, sizeof *sorted, by_id);
}

/* One table on both sides. */
struct table_pair {
    struct config_diff *diff;
    const struct generation *before_in, *next_in;
    const struct rule_table *before, *next;
    struct arena scratch;
    struct ranked_rule *sorted_before, *sorted_next;
};

static const char *name_rule(struct table_pair *pair, const struct rule *rule)
{
    return arena_format(&pair->scratch, "%s/%s", pair->next->name, rule->id);
}

static void add_removed(struct table_pair *pair)
{
    for (uint32_t i = 0; i < pair->before->rule_count; i++) {
        const struct rule *rule = &pair->before->rules[i];
        if (find_rule(pair->sorted_next, pair->next->rule_count, rule) == NULL)
            config_diff_add(pair->diff, CHANGED_RULE, CHANGE_REMOVED, name_rule(pair, rule), "",
                            false);
    }
}

static void add_new(struct table_pair *pair, const struct rule *rule)
{
    struct config_detail detail = {0};
    say_cells(&detail, pair->next_in, rule);
    fclose(detail.out);
    config_diff_add(pair->diff, CHANGED_RULE, CHANGE_ADDED, name_rule(pair, rule), detail.text,
                    false);
    free(detail.text);
}

/* The rule of the new table that comes right before this one. */
static const char *describe_place(struct table_pair *pair, const struct rule *rule)
{
    if (rule == pair->next->rules)
        return "now first";
    return arena_format(&pair->scratch, "now after %s", rule[-1].id);
}

static void compare_kept(struct table_pair *pair)
{
    uint32_t count = pair->next->rule_count, kept = 0;
    const struct ranked_rule **thens =
        arena_allocate_array(&pair->scratch, count + 1U, sizeof *thens);
    uint32_t *ranks = arena_allocate_array(&pair->scratch, count + 1U, sizeof *ranks);
    bool *moved = arena_allocate_array(&pair->scratch, count + 1U, sizeof *moved);
    for (uint32_t i = 0; i < count; i++) {
        thens[i] = find_rule(pair->sorted_before, pair->before->rule_count, &pair->next->rules[i]);
        if (thens[i] != NULL)
            ranks[kept++] = thens[i]->rank;
    }
    config_diff_mark_moved(ranks, kept, &pair->scratch, moved);
    kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = &pair->next->rules[i];
        if (thens[i] == NULL) {
            add_new(pair, rule);
            continue;
        }
        const struct rule_pair rules = {pair->before_in, pair->next_in, thens[i]->rule, rule};
        struct config_detail detail = {0};
        compare_cells(&detail, &rules);
        config_diff_add_detail(pair->diff, CHANGED_RULE, name_rule(pair, rule), &detail, false);
        if (moved[kept++] && rules.before->priority == rule->priority)
            config_diff_add(pair->diff, CHANGED_RULE, CHANGE_MOVED, name_rule(pair, rule),
                            describe_place(pair, rule), false);
    }
}

static const struct rule_table *find_table(const struct generation *generation, const char *name)
{
    for (uint16_t i = 0; i < generation->table_count; i++)
        if (strcmp(generation->tables[i]->name, name) == 0)
            return generation->tables[i];
    return NULL;
}

static void add_table(struct config_diff *diff, const struct rule_table *table,
                      enum config_change_how how)
{
    config_diff_add(diff, CHANGED_TABLE, how, table->name,
                    arena_format(&diff->arena, "%" PRIu32 " rules", table->rule_count), false);
}

static void compare_tables(struct config_diff *diff, const struct generation *before,
                           const struct generation *next)
{
    for (uint16_t i = 0; i < before->table_count; i++)
        if (find_table(next, before->tables[i]->name) == NULL)
            add_table(diff, before->tables[i], CHANGE_REMOVED);
    for (uint16_t i = 0; i < next->table_count; i++)
        if (find_table(before, next->tables[i]->name) == NULL)
            add_table(diff, next->tables[i], CHANGE_ADDED);
    for (uint16_t i = 0; i < next->table_count; i++) {
        struct table_pair pair = {.diff = diff,
                                  .before_in = before,
                                  .next_in = next,
                                  .before = find_table(before, next->tables[i]->name),
                                  .next = next->tables[i]};
        if (pair.before == NULL)
            continue;
        arena_init(&pair.scratch);
        pair.sorted_before = sort_by_id(pair.before, &pair.scratch);
        pair.sorted_next = sort_by_id(pair.next, &pair.scratch);
        add_removed(&pair);
        compare_kept(&pair);
        arena_deinit(&pair.scratch);
    }
}

/* ---- the same rules ---- */

static bool is_same(const struct rule_pair *pair)
{
    struct config_detail detail = {0};
    compare_cells(&detail, pair);
    if (detail.out == NULL)
        return true;
    fclose(detail.out);
    free(detail.text);
    return false;
}

static void find_same_in_table(const struct table_pair *pair, uint32_t first_before,
                               uint32_t *out_numbers)
{
    for (uint32_t i = 0; i < pair->next->rule_count; i++) {
        const struct rule *rule = &pair->next->rules[i];
        const struct ranked_rule *then =
            find_rule(pair->sorted_before, pair->before->rule_count, rule);
        if (then == NULL)
            continue;
        const struct rule_pair rules = {pair->before_in, pair->next_in, then->rule, rule};
        if (is_same(&rules))
            out_numbers[i] = first_before + then->rank;
    }
}

static uint32_t first_number(const struct generation *generation, const struct rule_table *table)
{
    uint32_t number = 0;
    for (uint16_t i = 0; generation->tables[i] != table; i++)
        number += generation->tables[i]->rule_count;
    return number;
}

void config_diff_find_same_rules(const struct generation *before, const struct generation *next,
                                 uint32_t *out_numbers)
{
    for (uint16_t t = 0; t < next->table_count; t++) {
        struct table_pair pair = {.before_in = before,
                                  .next_in = next,
                                  .before = find_table(before, next->tables[t]->name),
                                  .next = next->tables[t]};
        for (uint32_t i = 0; i < pair.next->rule_count; i++)
            out_numbers[i] = CONFIG_DIFF_NO_RULE;
        if (pair.before != NULL) {
            arena_init(&pair.scratch);
            pair.sorted_before = sort_by_id(pair.before, &pair.scratch);
            find_same_in_table(&pair, first_number(before, pair.before), out_numbers);
            arena_deinit(&pair.scratch);
        }
        out_numbers += pair.next->rule_count;
    }
}

#include "routes/match/match.h"

#include <stdlib.h>

#include "routes/match/match_parts.h"
#include "routes/rules/rule_time.h"

static void run_group(const struct matcher *matcher, struct match_scratch *scratch,
                      const struct match_job *jobs);
static bool enters_forest(const struct matcher *matcher, struct match_scratch *scratch);
static void note_left(const struct matcher *matcher, struct match_scratch *scratch, bool in_forest,
                      uint32_t left_count);
static void find_by_sets(const struct matcher *matcher, struct match_scratch *scratch,
                         const struct match_job *job);
static uint32_t find_valid(const struct matcher *matcher, struct match_scratch *scratch,
                           uint32_t from, uint64_t now_ms, uint16_t *table);
static void decide(const struct rule_table *const *tables, struct decision *decision);

enum status match_scratch_open(struct match_scratch **out_scratch)
{
    struct match_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return STATUS_NO_MEMORY;
    match_choose_find(scratch);
    *out_scratch = scratch;
    return STATUS_OK;
}

uint64_t match_scratch_left_count(const struct match_scratch *scratch)
{
    return scratch->left_count;
}

void match_scratch_choose_portable(struct match_scratch *scratch)
{
    scratch->find_from = match_find_portable;
}

void match_scratch_close(struct match_scratch *scratch)
{
    free(scratch);
}

void match_run(const struct matcher *matcher, struct match_scratch *scratch,
               const struct reading *reading, uint64_t now_ms, struct decision *out_decision)
{
    const struct match_job job = {reading, out_decision};
    match_run_all(matcher, scratch, &job, 1, now_ms);
}

void match_run_all(const struct matcher *matcher, struct match_scratch *scratch,
                   const struct match_job *jobs, uint32_t count, uint64_t now_ms)
{
    scratch->group.now_ms = now_ms;
    for (uint32_t i = 0; i < count; i += MATCH_GROUP_MAX) {
        scratch->group.count = count - i < MATCH_GROUP_MAX ? count - i : MATCH_GROUP_MAX;
        run_group(matcher, scratch, jobs + i);
    }
}

static void begin(const struct matcher *matcher, const struct match_job *job,
                  struct match_message *message)
{
    struct decision *decision = job->out_decision;
    *decision = (struct decision){.table_count = matcher->table_count};
    for (uint16_t i = 0; i < matcher->table_count; i++)
        decision->matched[i] = DECISION_NO_RULE;
    message->reading = job->reading;
    message->matched = decision->matched;
    message->work_left = MATCH_WORK_MAX;
    message->is_left = false;
    message->atom_count = 0;
}

static void run_group(const struct matcher *matcher, struct match_scratch *scratch,
                      const struct match_job *jobs)
{
    struct match_group *group = &scratch->group;
    for (uint32_t i = 0; i < group->count; i++)
        begin(matcher, &jobs[i], &group->messages[i]);
    bool in_forest = enters_forest(matcher, scratch);
    if (in_forest) {
        match_meet(matcher, group);
        match_walk(matcher, group);
    }
    uint32_t left_count = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        if (!in_forest || group->messages[i].is_left) {
            find_by_sets(matcher, scratch, &jobs[i]);
            left_count++;
        }
        decide(matcher->tables, jobs[i].out_decision);
    }
    note_left(matcher, scratch, in_forest, left_count);
}

static bool enters_forest(const struct matcher *matcher, struct match_scratch *scratch)
{
    if (matcher->forest == NULL)
        return false;
    if (scratch->left_matcher != matcher || scratch->groups_left == 0)
        return true;
    scratch->groups_left--;
    return false;
}

/* Where the forest is of no use to most of a group, as where all rules are ranges that overlap, the
 * groups that follow are spared the way into it. */
static void note_left(const struct matcher *matcher, struct match_scratch *scratch, bool in_forest,
                      uint32_t left_count)
{
    scratch->left_count += matcher->forest != NULL ? left_count : 0;
    if (!in_forest)
        return;
    bool is_most = 2 * left_count > scratch->group.count;
    scratch->left_matcher = is_most ? matcher : NULL;
    scratch->groups_left = is_most ? MATCH_GROUPS_LEFT : 0;
}

uint32_t match_list(const struct matcher *matcher, struct match_scratch *scratch,
                    const struct reading *reading, uint64_t now_ms, uint16_t table,
                    uint32_t *out_rules, uint32_t capacity)
{
    uint32_t count = 0, first = matcher->first_number[table];
    uint32_t end = matcher->first_number[table + 1];
    match_look_up(matcher, scratch, reading);
    uint32_t number = find_valid(matcher, scratch, first, now_ms, &table);
    while (count < capacity && number < end) {
        out_rules[count++] = number - first;
        number = find_valid(matcher, scratch, number + 1, now_ms, &table);
    }
    return count;
}

void match_naive(const struct rule_table *const *tables, uint16_t table_count,
                 const struct reading *reading, uint64_t now_ms, struct decision *out_decision)
{
    *out_decision = (struct decision){.table_count = table_count};
    for (uint16_t i = 0; i < table_count; i++) {
        uint32_t rule = 0;
        while (rule < tables[i]->rule_count &&
               !rule_holds(&tables[i]->rules[rule], reading, now_ms))
            rule++;
        out_decision->matched[i] = rule < tables[i]->rule_count ? rule : DECISION_NO_RULE;
    }
    decide(tables, out_decision);
}

/* The first rule of each table that holds and is valid, whatever the forest found. */
static void find_by_sets(const struct matcher *matcher, struct match_scratch *scratch,
                         const struct match_job *job)
{
    uint32_t *matched = job->out_decision->matched;
    uint64_t now_ms = scratch->group.now_ms;
    match_look_up(matcher, scratch, job->reading);
    for (uint16_t i = 0; i < matcher->table_count; i++)
        matched[i] = DECISION_NO_RULE;
    uint16_t table = 0;
    uint32_t number = find_valid(matcher, scratch, 0, now_ms, &table);
    while (number != MATCH_NO_NUMBER) { /* at most once a table */
        matched[table] = number - matcher->first_number[table];
        number = find_valid(matcher, scratch, matcher->first_number[table + 1], now_ms, &table);
    }
}

/* The first rule from a number on that holds and is valid; `table` goes on to its table. */
static uint32_t find_valid(const struct matcher *matcher, struct match_scratch *scratch,
                           uint32_t from, uint64_t now_ms, uint16_t *table)
{
    uint32_t number = scratch->find_from(matcher, scratch, from);
    while (number != MATCH_NO_NUMBER) {
        while (number >= matcher->first_number[*table + 1])
            ++*table;
        uint32_t rule = number - matcher->first_number[*table];
        if (rule_is_valid(&matcher->tables[*table]->rules[rule], now_ms))
            return number;
        number = scratch->find_from(matcher, scratch, number + 1);
    }
    return MATCH_NO_NUMBER;
}

/* ---- From the matches to the decision -------------------------------------------------------- */

static void add_destinations(const struct rule *rule, struct decision *decision)
{
    bool held = rule->action == ACTION_HOLD;
    for (uint16_t i = 0; i < rule->destination_count; i++)
        destination_set_add(held ? &decision->hold : &decision->deliver, rule->destinations[i]);
    if (rule->to_receiver)
        *(held ? &decision->to_receiver_hold : &decision->to_receiver_deliver) = true;
}

static void decide(const struct rule_table *const *tables, struct decision *decision)
{
    for (uint16_t i = 0; i < decision->table_count; i++) {
        if (decision->matched[i] == DECISION_NO_RULE)
            continue;
        const struct rule *rule = &tables[i]->rules[decision->matched[i]];
        if (rule->action == ACTION_REJECT && !decision->rejected) {
            decision->rejected = true;
            decision->rejected_table = i;
        }
        if (rule->action != ACTION_REJECT)
            add_destinations(rule, decision);
    }
    if (decision->rejected) {
        decision->deliver = decision->hold = (struct destination_set){0};
        decision->to_receiver_deliver = decision->to_receiver_hold = false;
    }
    for (size_t i = 0; i < DESTINATIONS_MAX / 64; i++)
        decision->deliver.words[i] &= ~decision->hold.words[i];
    if (decision->to_receiver_hold)
        decision->to_receiver_deliver = false;
}

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/cli/verify.h"

enum { TEXT_BYTES = 512 };

void verify_facts_open(struct verify_facts *facts, const struct log_reader *reader,
                       struct verify_report report)
{
    *facts = (struct verify_facts){.report = report};
    logbook_names_open(reader, &facts->names);
}

void verify_facts_close(struct verify_facts *facts)
{
    logbook_groups_close(&facts->groups);
    logbook_names_close(&facts->names);
    free(facts->is_known);
}

void verify_facts_lose(struct verify_facts *facts)
{
    for (uint32_t i = 0; i < facts->groups.count; i++)
        facts->is_known[i] = false;
}

static void tell(const struct verify_facts *facts, uint64_t position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(const struct verify_facts *facts, uint64_t position, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    facts->report.problem(facts->report.context, position, text);
}

/* ---- messages ---- */

static void take_message(struct verify_facts *facts, const struct record *record, uint64_t position)
{
    if ((record->head.flags & RECORD_COPIED) != 0)
        return;
    if (record_id_compare(record->id, facts->last_id) <= 0)
        tell(facts, position,
             "the id %" PRIu64 "-%" PRIu64 " does not lie behind the one before it", record->id.ms,
             record->id.seq);
    facts->last_id = record->id;
    logbook_count_message(&facts->groups, &facts->names, record);
}

/* ---- facts ---- */

static void take_settled(struct verify_facts *facts, const struct fact_settled *fact,
                         uint64_t position)
{
    const struct logbook_group *group = logbook_groups_find(&facts->groups, fact->group_number);
    if (group != NULL && group->is_destroyed && !fact->standing)
        tell(facts, position, "group %s/%s settles after it was destroyed", group->destination_name,
             group->name);
    logbook_count_settled(&facts->groups, fact);
}

/* What is waiting follows from these, and what is pending is not journaled. */
static const char *find_difference(const struct group_account *counted,
                                   const struct group_account *said, uint64_t *out_counted,
                                   uint64_t *out_said)
{
#define TERM(name)                                                                                 \
    if (counted->name != said->name) {                                                             \
        *out_counted = counted->name;                                                              \
        *out_said = said->name;                                                                    \
        return #name;                                                                              \
    }
    TERM(offered)
    TERM(acknowledged)
    TERM(dead_lettered)
    TERM(skipped)
    TERM(dropped)
#undef TERM
    return NULL;
}

static void compare_accounts(struct verify_facts *facts, const struct logbook_group *group,
                             const struct fact_group *fact, uint64_t position)
{
    uint64_t counted = 0, said = 0;
    facts->accounts++;
    const char *term = find_difference(&group->account, &fact->account, &counted, &said);
    if (term != NULL)
        tell(facts, position,
             "group %s/%s says %s %" PRIu64 ", what stands before it makes %" PRIu64,
             group->destination_name, group->name, term, said, counted);
}

static void take_group(struct verify_facts *facts, const struct fact_group *fact, uint64_t position)
{
    struct logbook_group *group = logbook_groups_find(&facts->groups, fact->number);
    /* Creation begins an account, and a move offers again what lies behind it. */
    if (group != NULL && facts->is_known[group - facts->groups.items] &&
        fact->event == GROUP_STANDS)
        compare_accounts(facts, group, fact, position);
    if (group != NULL && group->is_destroyed)
        tell(facts, position, "the number %" PRIu32 " of the destroyed group %s/%s is used again",
             fact->number, group->destination_name, group->name);
    group = logbook_groups_learn(&facts->groups, &facts->names, fact);
    if (facts->known_capacity < facts->groups.capacity) {
        facts->known_capacity = facts->groups.capacity;
        facts->is_known = realloc(facts->is_known, facts->known_capacity * sizeof *facts->is_known);
        if (facts->is_known == NULL)
            abort();
    }
    facts->is_known[group - facts->groups.items] = true;
}

void verify_facts_take(struct verify_facts *facts, const struct record_head *head,
                       uint64_t position)
{
    const void *fact = head;
    switch ((enum record_kind)head->kind) {
    case RECORD_KIND_MESSAGE: take_message(facts, fact, position); break;
    case RECORD_KIND_GENERATION: logbook_names_learn(&facts->names, fact); break;
    case RECORD_KIND_GROUP: take_group(facts, fact, position); break;
    case RECORD_KIND_SETTLED: take_settled(facts, fact, position); break;
    case RECORD_KIND_HOLD_END:
    case RECORD_KIND_INTAKE:
    case RECORD_KIND_OUTLET:
    case RECORD_KIND_END: break;
    }
}

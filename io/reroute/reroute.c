#include "io/reroute/reroute_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "io/audit/log_cursor.h"
#include "io/audit/log_walk.h"
#include "io/shard/server_inside.h"

static enum status gather(void *context, const struct log_reader *reader);
static enum status decide(void *context, const struct log_reader *reader);
static void settle_unmet(struct reroute *reroute);

/* ---- open and close ---- */

static struct reroute *begin(const struct reroute_settings *settings,
                             const struct reroute_choice *choice)
{
    struct timespec now;
    struct reroute *reroute = calloc(1, sizeof *reroute);
    if (reroute == NULL)
        return NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    reroute->settings = *settings;
    reroute->choice = *choice;
    reroute->number = settings->names->number;
    reroute->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    origins_open(&reroute->origins, settings->present, settings->names, settings->store);
    reroute->routings = calloc(ROUTER_BATCH_MAX, sizeof *reroute->routings);
    if (reroute->routings != NULL)
        return reroute;
    reroute_close(reroute);
    return NULL;
}

void reroute_close(struct reroute *reroute)
{
    if (reroute == NULL)
        return;
    router_close(reroute->router);
    free(reroute->routings);
    reroute_close_batch(&reroute->batch);
    families_close(&reroute->families);
    origins_close(&reroute->origins);
    free(reroute);
}

uint64_t reroute_read_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the plan ---- */

/* In words of its own, where it has some. */
static enum status say(enum status status, char out_problem[LOG_PROBLEM_BYTES])
{
    if (status == STATUS_CORRUPT)
        snprintf(out_problem, LOG_PROBLEM_BYTES,
                 "the journal is damaged behind one of these messages, so what became of it is not "
                 "known: see `kouan journal verify`");
    else if (status == STATUS_TOO_BIG)
        snprintf(out_problem, LOG_PROBLEM_BYTES,
                 "more than %d messages: say from when on (--since)", REROUTE_MESSAGES_MAX);
    return status;
}

enum status reroute_plan(const struct reroute_settings *settings,
                         const struct reroute_choice *choice, struct reroute **out_reroute,
                         char out_problem[LOG_PROBLEM_BYTES])
{
    struct reroute *reroute = begin(settings, choice);
    if (reroute == NULL) {
        snprintf(out_problem, LOG_PROBLEM_BYTES, "out of memory");
        return STATUS_NO_MEMORY;
    }
    enum status status = log_reader_each(settings->folder, gather, reroute, out_problem);
    if (status == STATUS_OK && choice->last > 0)
        families_keep_last(&reroute->families, choice->last);
    if (status == STATUS_OK)
        status = log_reader_each(settings->folder, decide, reroute, out_problem);
    if (status != STATUS_OK) {
        reroute_close(reroute);
        return say(status, out_problem);
    }
    settle_unmet(reroute);
    *out_reroute = reroute;
    return STATUS_OK;
}

static void add_unknown_ids(struct reroute *reroute)
{
    for (uint32_t i = 0; i < reroute->choice.id_count; i++)
        if (families_find(&reroute->families, reroute->choice.ids[i]) == NULL)
            families_want(&reroute->families, reroute->choice.ids[i]);
}

/* Whose first record nobody has met. */
static void settle_unmet(struct reroute *reroute)
{
    struct families *families = &reroute->families;
    add_unknown_ids(reroute);
    for (uint32_t i = 0; i < families->count; i++) {
        struct family *family = &families->items[i];
        if (!family->is_asked || family->stand != REROUTE_UNDECIDED)
            continue;
        family->stand = REROUTE_LOST;
        reroute_tally_add(&reroute->tally, reroute->settings.present, family, NULL);
    }
}

static enum status decide(void *context, const struct log_reader *reader)
{
    return reroute_decide_log(context, reader);
}

/* ---- families ---- */

static enum status look_up(void *context, const struct block_header *block)
{
    const struct reroute *reroute = context;
    (void)block;
    if (reroute->families.count > REROUTE_MESSAGES_MAX)
        return STATUS_TOO_BIG;
    return reroute->settings.is_over(reroute->settings.context) ? STATUS_INCOMPLETE : STATUS_OK;
}

static bool went_to(const struct origin *origin, const struct record *record, const char *name)
{
    for (uint16_t i = 0; i < record->destination_count; i++)
        if (strcmp(generation_name(&origin->names, NAME_DESTINATION,
                                   record_destinations(record)[i] & (unsigned)~RECORD_HELD),
                   name) == 0)
            return true;
    return false;
}

static bool was_by_rule(const struct origin *origin, const struct record *record, const char *name)
{
    const uint32_t *rules = record_rules(record);
    for (uint16_t i = 0; i < record->rule_count; i++) {
        const char *table = generation_table_name(&origin->names, rules[i]);
        size_t size = strlen(table);
        if (strncmp(name, table, size) == 0 && name[size] == '/' &&
            strcmp(name + size + 1, generation_rule_name(&origin->names, rules[i])) == 0)
            return true;
    }
    return false;
}

static bool is_wanted(struct reroute *reroute, const struct record *record)
{
    const struct reroute_choice *choice = &reroute->choice;
    if (choice->id_count > 0 || record->id.ms < choice->since_ms)
        return false;
    const struct origin *origin = origins_get(&reroute->origins, record->generation);
    return origin->is_known && went_to(origin, record, choice->from) &&
           (choice->rule[0] == '\0' || was_by_rule(origin, record, choice->rule));
}

static void take_message(struct reroute *reroute, const struct record *record)
{
    struct destination_set been, held;
    bool wanted = is_wanted(reroute, record);
    if (!wanted && families_find(&reroute->families, record->id) == NULL &&
        (record->cause == RECORD_MESSAGE ||
         families_find(&reroute->families, record->origin) == NULL))
        return;
    origins_find_destinations(&reroute->origins, record, &been, &held);
    families_take_message(&reroute->families, record, &been, &held, wanted);
}

/* What a fact of the log names, by the indices of today. */
static bool find_destination(struct reroute *reroute, uint16_t before, uint16_t *out_now)
{
    const struct origin *origin = origins_get(&reroute->origins, reroute->log_generation);
    if (!origin->is_known || before >= origin->names.lists[NAME_DESTINATION].count)
        return false;
    *out_now = origin->destinations[before];
    return *out_now < reroute->settings.present->destination_count;
}

static void take_settled(struct reroute *reroute, const struct fact_settled *fact)
{
    uint16_t destination;
    if (fact->how != SETTLED_DEAD_LETTERED || fact->standing != 0 ||
        !find_destination(reroute, fact->destination, &destination))
        return;
    for (uint32_t i = 0; i < fact->range_count; i++) {
        const struct settled_range *range = &fact_settled_ranges(fact)[i];
        if (record_id_compare(range->from, range->to) == 0)
            families_take_burial(&reroute->families, range->from, destination);
    }
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct reroute *reroute = context;
    const void *record = head;
    uint16_t destination;
    (void)position;
    (void)block;
    if (head->kind == RECORD_KIND_MESSAGE) {
        take_message(reroute, record);
    } else if (head->kind == RECORD_KIND_GENERATION) {
        reroute->log_generation = ((const struct fact_generation *)record)->number;
    } else if (head->kind == RECORD_KIND_SETTLED) {
        take_settled(reroute, record);
    } else if (head->kind == RECORD_KIND_HOLD_END) {
        const struct fact_hold_end *end = record;
        if (find_destination(reroute, end->destination, &destination))
            families_take_hold_end(&reroute->families, end->id, destination);
    }
    return STATUS_OK;
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    (void)context;
    return gap->loses_blocks ? STATUS_CORRUPT : STATUS_OK;
}

/* The log is read again, from further in front, while a record turns up that repeats one that was
 * not met. */
static enum status gather(void *context, const struct log_reader *reader)
{
    struct reroute *reroute = context;
    struct families *families = &reroute->families;
    struct record_id from = {.ms = reroute->choice.since_ms};
    struct log_walk walk;
    const struct log_handler handler = {
        .block = look_up, .record = take_record, .gap = take_gap, .context = reroute};
    families_begin_log(families);
    for (uint32_t i = 0; i < reroute->choice.id_count; i++)
        if ((reroute->choice.ids[i].seq & LOG_NUMBER_MASK) == reader->log_number)
            families_want(families, reroute->choice.ids[i]);
    if (reroute->choice.id_count > 0 && !families->is_incomplete)
        return STATUS_OK;
    if (families->is_incomplete)
        from = families->lowest;
    for (;;) {
        families_begin_again(families);
        enum status status =
            log_walk(reader, log_cursor_find_segment(reader, from), &handler, &walk);
        if (status != STATUS_OK || !families->is_incomplete)
            return status;
        if (record_id_compare(families->lowest, from) < 0)
            from = families->lowest;
    }
}

/* ---- carrying out ---- */

enum status reroute_carry_out(struct reroute *reroute, uint64_t work_ms, bool *out_has_more,
                              char out_problem[LOG_PROBLEM_BYTES])
{
    reroute->writes = true;
    reroute->is_paused = false;
    reroute->pause_ns = reroute_read_ns() + work_ms * 1000000;
    enum status status = log_reader_each(reroute->settings.folder, decide, reroute, out_problem);
    *out_has_more = reroute->is_paused && reroute->done < reroute_total(reroute);
    return say(status, out_problem);
}

bool reroute_is_of(const struct reroute *reroute, const struct reroute_choice *choice)
{
    const struct reroute_choice *own = &reroute->choice;
    return own->id_count == choice->id_count &&
           memcmp(own->ids, choice->ids, choice->id_count * sizeof *choice->ids) == 0 &&
           strcmp(own->from, choice->from) == 0 && strcmp(own->rule, choice->rule) == 0 &&
           own->since_ms == choice->since_ms && own->last == choice->last;
}

uint64_t reroute_total(const struct reroute *reroute)
{
    return reroute->tally.stands[REROUTE_GOES_ON];
}

uint64_t reroute_done(const struct reroute *reroute)
{
    return reroute->done;
}

void reroute_print_plan(const struct reroute *reroute, FILE *out)
{
    reroute_tally_print_plan(&reroute->tally, reroute->number, out);
}

void reroute_print_result(const struct reroute *reroute, FILE *out)
{
    reroute_tally_print_result(&reroute->tally, reroute->number, out);
}

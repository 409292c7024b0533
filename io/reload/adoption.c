#include "io/reload/adoption.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/delivery/errand.h"
#include "io/delivery/group.h"
#include "io/delivery/read.h"
#include "io/front/session.h"

static bool may_be_removed(struct shard *shard, struct adoption *adoption, uint16_t destination);
static bool has_room(const struct shard *shard, struct adoption *adoption);
static enum status reserve(struct shard *shard, struct adoption *adoption);
static uint64_t count_changed_groups(const struct shard *shard, const struct generation *next);
static void adopt_outlets(struct shard *shard, struct adoption *adoption);
static void adopt_accounts(struct shard *shard, struct adoption *adoption);
static void create_groups(struct shard *shard, struct adoption *adoption);
static void remove_groups(struct shard *shard);

void adoption_pause(struct shard *shard)
{
    shard->intake.is_paused = true;
}

void adoption_resume(struct shard *shard)
{
    shard->intake.is_paused = false;
    shard_wake(shard);
}

/* ---- may it be? ---- */

static bool is_removed(const struct shard *shard, const struct generation *next, uint16_t d)
{
    return next->destinations[d]->is_removed && !shard->generation->destinations[d]->is_removed;
}

static bool gets_first_group(const struct shard *shard, const struct generation *next, uint16_t d)
{
    return shard->outlets[d].group_count == 0 && next->destinations[d]->group_count > 0;
}

/* Of destinations that change so, all that is on its way must be there. */
static bool is_all_there(const struct shard *shard, const struct generation *next)
{
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        if ((is_removed(shard, next, d) || gets_first_group(shard, next, d)) &&
            (commit_oldest_position(&shard->commits) != WINDOW_NO_POSITION ||
             outlet_reserved_entries(&shard->outlets[d]) > 0))
            return false;
    return true;
}

enum adoption_state adoption_judge(struct shard *shard, struct adoption *adoption)
{
    const struct generation *next = adoption->generation;
    if (shard->intake.batch_count > 0 || !is_all_there(shard, next))
        return ADOPTION_WAITS;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        if (is_removed(shard, next, d) && !may_be_removed(shard, adoption, d))
            return ADOPTION_REFUSED;
    if (!has_room(shard, adoption))
        return ADOPTION_REFUSED;
    if (facts_prepare_generation(shard, count_changed_groups(shard, next)) != STATUS_OK) {
        shard_log_wake(shard);
        return ADOPTION_WAITS;
    }
    if (reserve(shard, adoption) == STATUS_OK)
        return ADOPTION_READY;
    snprintf(adoption->problem, sizeof adoption->problem,
             "not enough memory for what the configuration reserves; lower `backlog_max`");
    return ADOPTION_REFUSED;
}

static uint64_t count_held(const struct shard *shard, uint16_t destination)
{
    uint64_t count = 0;
    for (const struct hold *hold = hold_next(&shard->holds, (struct record_id){0}, 0); hold != NULL;
         hold = hold_next(&shard->holds, hold->id, (uint16_t)(hold->destination + 1)))
        count += hold->destination == destination;
    return count;
}

/* As at a start: nothing may be lost with it. */
static bool may_be_removed(struct shard *shard, struct adoption *adoption, uint16_t destination)
{
    const struct outlet *outlet = &shard->outlets[destination];
    const char *name = outlet->destination->name;
    uint64_t held = count_held(shard, destination);
    if (held > 0) {
        snprintf(adoption->problem, sizeof adoption->problem,
                 "destination %s cannot be removed: %" PRIu64
                 " messages are held for it; release or reject them first (`kouan hold list`)",
                 name, held);
        return false;
    }
    for (uint16_t g = 0; g < outlet->group_count; g++) {
        const struct group *group = outlet->groups[g];
        uint64_t left = group->account.backlog + group_unsettled(group);
        if (left == 0)
            continue;
        snprintf(adoption->problem, sizeof adoption->problem,
                 "destination %s cannot be removed: its group %s has %" PRIu64
                 " messages that are not acknowledged; consume them, or skip them by `XGROUP SETID "
                 "%s %s $`",
                 name, group_name(group), left, name, group_name(group));
        return false;
    }
    return true;
}

/* Groups that the configuration names, and that are not there. */
static uint64_t count_missing(const struct shard *shard, const struct destination *destination)
{
    uint64_t count = 0;
    bool is_new = destination->index >= shard->generation->destination_count;
    for (uint16_t g = 0; g < destination->group_count; g++)
        count += is_new || outlet_find_group(&shard->outlets[destination->index],
                                             bytes_from_text(destination->groups[g])) == NULL;
    return count;
}

static uint64_t count_new_groups(const struct shard *shard, const struct generation *generation)
{
    uint64_t count = 0;
    for (uint16_t d = 0; d < generation->destination_count; d++)
        count += count_missing(shard, generation->destinations[d]);
    return count;
}

/* Of which a fact tells: those that are made, and those that go with their destination. */
static uint64_t count_changed_groups(const struct shard *shard, const struct generation *next)
{
    uint64_t count = count_new_groups(shard, next);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        count += is_removed(shard, next, d) ? shard->outlets[d].group_count : 0;
    return count;
}

/* For more groups, and in the checkpoint. */
static bool has_room(const struct shard *shard, struct adoption *adoption)
{
    const struct generation *next = adoption->generation;
    uint64_t groups = 0, new_groups = count_new_groups(shard, next);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        groups += outlet->group_count;
        if (outlet->group_count + count_missing(shard, next->destinations[d]) <=
            DESTINATION_GROUPS_MAX)
            continue;
        snprintf(adoption->problem, sizeof adoption->problem,
                 "destination %s has %u groups, those made by XGROUP CREATE among them, and may "
                 "have %d: destroy some first",
                 outlet->destination->name, outlet->group_count, DESTINATION_GROUPS_MAX);
        return false;
    }
    uint64_t bytes = facts_fixed_bytes((uint64_t)next->directory.count * next->channel_count,
                                       next->destination_count, groups + new_groups);
    if (!shard->facts.are_kept ||
        (bytes <= facts_fixed_bytes_max(shard->journal.settings.segment_bytes) &&
         facts_have_share(shard, new_groups)))
        return true;
    snprintf(adoption->problem, sizeof adoption->problem,
             "a segment of the journal would not hold what it begins with, for %" PRIu64
             " groups: raise `segment`, and start again",
             groups + new_groups);
    return false;
}

static enum status reserve(struct shard *shard, struct adoption *adoption)
{
    const struct generation *next = adoption->generation;
    size_t accounts = (size_t)next->directory.count * next->channel_count;
    adoption->accounts = calloc(accounts + 1, sizeof *adoption->accounts);
    enum status status =
        adoption->accounts != NULL ? books_open(&adoption->books, next) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = rule_hits_open(next, &adoption->rule_hits);
    if (status == STATUS_OK && shard->cases != NULL)
        status = cases_view_open(shard->cases, next, &adoption->cases_view);
    if (status == STATUS_OK && shard->errands != NULL)
        status = errands_resize(shard->errands, next->destination_count);
    adoption->opened_from = adoption->opened_to = shard->generation->destination_count;
    for (uint16_t d = 0; d < next->destination_count && status == STATUS_OK; d++) {
        if (d < adoption->opened_from) {
            status =
                outlet_make_ring(&shard->outlets[d], next->destinations[d], &adoption->rings[d]);
            continue;
        }
        status = outlet_open(&shard->outlets[d], next->destinations[d], &shard->journal,
                             &shard->last_group_number);
        adoption->opened_to = (uint16_t)(d + (status == STATUS_OK));
    }
    return status;
}

void adoption_drop(struct shard *shard, struct adoption *adoption)
{
    free(adoption->accounts);
    books_close(&adoption->books);
    rule_hits_close(adoption->rule_hits);
    cases_view_close(adoption->cases_view);
    for (uint16_t d = 0; d < DESTINATIONS_MAX; d++)
        free(adoption->rings[d]);
    for (uint16_t d = adoption->opened_from; d < adoption->opened_to; d++)
        outlet_close(&shard->outlets[d]);
    memset(adoption->rings, 0, sizeof adoption->rings);
    adoption->accounts = NULL;
    adoption->rule_hits = NULL;
    adoption->cases_view = NULL;
    adoption->opened_from = adoption->opened_to = 0;
}

/* ---- it is ---- */

static const char *why_cut(const struct participant *before, const struct participant *now,
                           bool is_open)
{
    if (now->is_removed)
        return "it is no participant any more";
    if (!bytes_equal(before->secret, now->secret))
        return "its secret is another now";
    if (before->index == 0 && !is_open)
        return "participants are configured now, and it has not said which it is";
    return NULL;
}

/* At this shard alone, or at all. */
static struct destination_set list_awaited(const struct session *session)
{
    const struct read_request *request = &session->blocked.request;
    struct destination_set awaited = errand_awaits(session);
    for (uint32_t i = 0; i < request->stream_count; i++)
        if (request->streams[i].outlet != NULL)
            destination_set_add(&awaited, request->streams[i].outlet->destination->index);
    return awaited;
}

/* May it wait for what it waits for? */
static bool may_wait_on(const struct session *session, const struct generation *generation)
{
    const struct participant *participant = session->participant;
    const struct destination_set awaited = list_awaited(session);
    for (unsigned d = destination_set_next(&awaited, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&awaited, d + 1))
        if (generation->destinations[d]->is_removed ||
            !(participant->operate || destination_set_has(&participant->consume, (uint16_t)d)))
            return false;
    return true;
}

static void judge_session(struct connection *connection, void *context)
{
    struct adoption *adoption = context;
    const struct generation *next = adoption->generation;
    struct session *session = session_of(connection);
    const struct participant *before = session->participant;
    if (session->is_control) {
        session->participant = next->operator;
        return;
    }
    if (before == NULL) {
        if (next->open) { /* it has said all that it needs to */
            session_forget_participant(session);
            connection_set_deadline(connection, 0);
        }
        return;
    }
    session->participant = next->directory.participants[before->index];
    const char *why = why_cut(before, session->participant, next->open);
    if (why == NULL && !may_wait_on(session, next))
        why = "it may not consume any more what it waits for";
    if (why == NULL)
        return;
    fprintf(stderr, "kouan: the connection from %s, of participant %s, is cut: %s\n",
            connection_peer(connection), before->name, why);
    adoption->cut_sessions++;
    connection_abort(connection);
}

bool adoption_carry_out(struct shard *shard, struct adoption *adoption)
{
    const struct generation *next = adoption->generation;
    if (facts_prepare_generation(shard, count_changed_groups(shard, next)) != STATUS_OK) {
        shard_log_wake(shard);
        return false;
    }
    assert(shard->intake.batch_count == 0);
    facts_write_generation(shard, &adoption->fact);
    adopt_outlets(shard, adoption);
    adopt_accounts(shard, adoption);
    if (shard->cases != NULL)
        cases_set_view(shard->cases, adoption->cases_view);
    adoption->cases_view = NULL;
    shard->generation = next;
    generation_list_advance(&shard->generations, adoption->names);
    for (uint32_t i = 0; i < INTAKE_BATCHES; i++)
        router_forget(shard->intake.batches[i].router);
    publication_pool_adopt(&shard->publications, next);
    transport_visit(shard->transport, judge_session, adoption);
    remove_groups(shard);
    create_groups(shard, adoption);
    shard_wake(shard);
    return true;
}

static void adopt_outlets(struct shard *shard, struct adoption *adoption)
{
    const struct generation *next = adoption->generation;
    for (uint16_t d = 0; d < next->destination_count; d++) {
        struct outlet *outlet = &shard->outlets[d];
        outlet_adopt(outlet, next->destinations[d], adoption->rings[d]);
        adoption->rings[d] = NULL;
        outlet->gathers = shard->facts.are_kept;
        if (shard->rooms != NULL)
            outlet_share_room(outlet, rooms_at(shard->rooms, mesh_self(shard->mesh), d));
    }
    adoption->opened_from = adoption->opened_to = 0;
}

static void adopt_accounts(struct shard *shard, struct adoption *adoption)
{
    const struct generation *before = shard->generation, *next = adoption->generation;
    for (uint16_t p = 0; p < before->directory.count; p++)
        memcpy(&adoption->accounts[(size_t)p * next->channel_count],
               &shard->intake_accounts[(size_t)p * before->channel_count],
               before->channel_count * sizeof *adoption->accounts);
    free(shard->intake_accounts);
    shard->intake_accounts = adoption->accounts;
    adoption->accounts = NULL;
    books_close(&shard->books);
    shard->books = adoption->books;
    adoption->books = (struct books){0};
    adoption->rule_hits->before = shard->rule_hits; /* the loader takes it: io/reload/reload.c */
    shard->rule_hits = adoption->rule_hits;
    adoption->rule_hits = NULL;
    if (facts_renumber(&shard->facts, before->channel_count, next->channel_count,
                       (uint32_t)next->directory.count * next->channel_count) != STATUS_OK)
        abort(); /* as an arena does */
}

/* Of removed destinations: nothing is left for them. */
static void remove_groups(struct shard *shard)
{
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        struct outlet *outlet = &shard->outlets[d];
        while (outlet->destination->is_removed && outlet->group_count > 0) {
            struct group *group = outlet->groups[0];
            read_dismiss_waiters(group);
            facts_write_group(shard, group, GROUP_DESTROYED);
            outlet_destroy_group(outlet, group);
        }
    }
}

/* They begin now, as those of a start do. */
static void create_groups(struct shard *shard, struct adoption *adoption)
{
    const struct generation *next = adoption->generation;
    for (uint16_t d = 0; d < next->destination_count; d++) {
        struct outlet *outlet = &shard->outlets[d];
        for (uint16_t g = 0; g < next->destinations[d]->group_count; g++) {
            struct group *group;
            struct bytes name = bytes_from_text(next->destinations[d]->groups[g]);
            if (outlet_find_group(outlet, name) != NULL)
                continue;
            enum status status =
                outlet_create_group(outlet, name, GROUP_FROM_NOW, (struct record_id){0}, &group);
            if (status == STATUS_OK)
                facts_write_group(shard, group, GROUP_CREATED);
            else
                snprintf(adoption->problem, sizeof adoption->problem,
                         "group %s of destination %s could not be made: %s; make it by XGROUP "
                         "CREATE",
                         next->destinations[d]->groups[g], next->destinations[d]->name,
                         status_text(status));
        }
    }
    facts_share(shard);
}

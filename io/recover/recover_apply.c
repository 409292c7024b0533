/* What the records of the log do to the shard that is built again. */
#include <stdlib.h>

#include "io/delivery/group.h"
#include "io/recover/recover_inside.h"
#include "io/state/minute_count.h"

static enum status open_slot(struct recover *recover, struct outlet *outlet);
static enum status end_outlets(struct recover *recover);
static enum status end_holds(struct recover *recover);

enum status recover_apply_begin(struct recover *recover)
{
    struct shard *shard = recover->shard;
    enum status status = STATUS_OK;
    /* Its number is known when the log was read. */
    generation_list_set_current(&shard->generations, UINT64_MAX);
    for (uint16_t d = 0; d < shard->generation->destination_count && status == STATUS_OK; d++)
        status = open_slot(recover, &shard->outlets[d]);
    return status;
}

enum status recover_apply_end(struct recover *recover)
{
    enum status status = end_outlets(recover);
    return status == STATUS_OK ? end_holds(recover) : status;
}

void recover_apply_close(struct recover *recover)
{
    for (uint16_t i = 0; i < recover->slot_count; i++)
        outlet_restore_close(recover->slots[i].restore);
    for (uint16_t i = 0; i < recover->stranger_count; i++) {
        outlet_close(&recover->strangers[i]->outlet);
        free(recover->strangers[i]);
    }
    free(recover->holds);
    recover_cases_close(recover);
}

static enum status open_slot(struct recover *recover, struct outlet *outlet)
{
    const struct options *options = &recover->shard->config->options;
    struct recover_slot *slot = &recover->slots[recover->slot_count];
    enum status status = outlet_restore_open(
        outlet, options->publications_max * 2 + ROUTER_BATCH_MAX, &slot->restore);
    slot->outlet = outlet;
    if (status == STATUS_OK)
        recover->slot_count++;
    return status;
}

/* ---- generations ---- */

static enum status list_generation(struct recover *recover, uint64_t number,
                                   const struct sha256 *manifest)
{
    struct generation_list *list = &recover->shard->generations;
    struct generation_names *names = arena_allocate(&list->arena, sizeof *names);
    char problem[256] = "";
    enum status status = generation_store_read_names(&recover->store, manifest, &list->arena, names,
                                                     problem, sizeof problem);
    if (status != STATUS_OK)
        return recover_say(recover, status,
                           "%s: what generation %" PRIu64 " calls its destinations is not to be "
                           "had, and the log speaks of them by number: %s",
                           recover->settings.journal_path, number, problem);
    names->number = number;
    generation_list_add(list, names);
    return STATUS_OK;
}

enum status recover_know_generation(struct recover *recover, uint64_t number)
{
    struct sha256 manifest;
    if (generation_list_find(&recover->shard->generations, number) != NULL)
        return STATUS_OK;
    enum status status = generation_store_find(&recover->store, number, &manifest);
    if (status != STATUS_OK)
        return recover_say(recover, status,
                           "%s/%" PRIu64 ".manifest: %s; the log has records of that generation, "
                           "bring the folder back as it was",
                           recover->store.folders[0], number, status_text(status));
    return list_generation(recover, number, &manifest);
}

static enum status apply_generation(struct recover *recover, const struct fact_generation *fact)
{
    struct sha256 manifest;
    memcpy(manifest.bytes, fact->manifest, sizeof manifest.bytes);
    recover->log_generation = fact->number;
    if (fact->number >= recover->last_generation) {
        recover->last_generation = fact->number;
        recover->last_manifest = manifest;
    }
    if (generation_list_find(&recover->shard->generations, fact->number) != NULL)
        return STATUS_OK;
    return list_generation(recover, fact->number, &manifest);
}

/* ---- destinations ---- */

static enum status add_stranger(struct recover *recover, const char *name, uint16_t *out_slot)
{
    enum { ENTRIES = 1024 };
    struct stranger *stranger = calloc(1, sizeof *stranger);
    if (stranger == NULL || recover->stranger_count == DESTINATIONS_MAX) {
        free(stranger);
        return STATUS_NO_MEMORY;
    }
    stranger->destination = (struct destination){.name = name,
                                                 .index = NO_DESTINATION,
                                                 .backlog_max = ENTRIES,
                                                 .pending_max = ENTRIES,
                                                 .dead_letter = NO_DESTINATION};
    enum status status = outlet_open(&stranger->outlet, &stranger->destination,
                                     &recover->shard->journal, &recover->shard->last_group_number);
    if (status != STATUS_OK) {
        free(stranger);
        return status;
    }
    recover->strangers[recover->stranger_count++] = stranger;
    *out_slot = recover->slot_count;
    return open_slot(recover, &stranger->outlet);
}

/* Where what was said of this destination in that generation goes now. */
static enum status find_slot(struct recover *recover, uint64_t generation, uint16_t destination,
                             uint16_t *out_slot)
{
    const struct generation_list *list = &recover->shard->generations;
    uint16_t now = generation_list_now(list, generation, NAME_DESTINATION, destination);
    if (now != GENERATION_NO_INDEX) {
        *out_slot = now;
        return STATUS_OK;
    }
    const char *name = generation_list_name(list, generation, NAME_DESTINATION, destination);
    for (uint16_t i = recover->shard->generation->destination_count; i < recover->slot_count; i++)
        if (strcmp(recover->slots[i].outlet->destination->name, name) == 0) {
            *out_slot = i;
            return STATUS_OK;
        }
    return add_stranger(recover, name, out_slot);
}

static uint64_t count_unsettled(const struct outlet *outlet)
{
    uint64_t most = 0;
    for (uint16_t g = 0; g < outlet->group_count; g++) {
        const struct group *group = outlet->groups[g];
        uint64_t count = group->account.backlog + group_unsettled(group);
        most = count > most ? count : most;
    }
    return most;
}

static enum status refuse_stranger(const struct recover *recover, const char *name, uint64_t count,
                                   const char *what)
{
    return recover_say(recover, STATUS_INVALID,
                       "the configuration has no destination `%s`, and the journal has %" PRIu64
                       " messages for it that %s; put it back into the configuration until they "
                       "are, or until an operator has given them up",
                       name, count, what);
}

static enum status end_outlets(struct recover *recover)
{
    uint16_t known = recover->shard->generation->destination_count;
    for (uint16_t i = 0; i < recover->slot_count; i++) {
        const struct outlet *outlet = recover->slots[i].outlet;
        enum status status = outlet_restore_end(recover->slots[i].restore);
        if (status != STATUS_OK)
            return recover_say(recover, status, "%s: destination `%s` cannot be built again: %s",
                               recover->settings.path, outlet->destination->name,
                               status_text(status));
        if (i >= known && count_unsettled(outlet) > 0)
            return refuse_stranger(recover, outlet->destination->name, count_unsettled(outlet),
                                   "its groups have not acknowledged");
    }
    return STATUS_OK;
}

/* ---- holds ---- */

static enum status add_hold_event(struct recover *recover, struct hold_event event)
{
    if (recover->hold_count == recover->hold_capacity) {
        size_t capacity = recover->hold_capacity * 2 + 1024;
        struct hold_event *holds = realloc(recover->holds, capacity * sizeof *holds);
        if (holds == NULL)
            return STATUS_NO_MEMORY;
        recover->holds = holds;
        recover->hold_capacity = capacity;
    }
    event.order = recover->hold_count;
    recover->holds[recover->hold_count++] = event;
    return STATUS_OK;
}

static enum status apply_held(struct recover *recover, const struct record *record,
                              uint64_t position, uint16_t slot)
{
    struct outlet_account *account = &recover->slots[slot].outlet->account;
    if ((record->head.flags & RECORD_COPIED) == 0) {
        account->routed++;
        account->held++;
    }
    return add_hold_event(recover, (struct hold_event){.id = record->id,
                                                       .position = position,
                                                       .size_bytes = record->head.size_bytes,
                                                       .slot = slot});
}

static enum status apply_hold_end(struct recover *recover, const struct fact_hold_end *fact)
{
    uint16_t slot;
    enum status status = find_slot(recover, recover->log_generation, fact->destination, &slot);
    if (status != STATUS_OK)
        return status;
    struct outlet_account *account = &recover->slots[slot].outlet->account;
    account->held--;
    if (fact->how == HOLD_RELEASED)
        account->released++;
    else
        account->hold_rejected++;
    return add_hold_event(recover,
                          (struct hold_event){.id = fact->id, .slot = slot, .is_end = true});
}

static int by_hold(const void *left, const void *right)
{
    const struct hold_event *a = left, *b = right;
    int order = record_id_compare(a->id, b->id);
    if (order != 0)
        return order;
    if (a->slot != b->slot)
        return a->slot < b->slot ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* Of one that was copied the later place counts. */
static enum status end_holds(struct recover *recover)
{
    struct shard *shard = recover->shard;
    uint64_t strange = 0;
    const char *stranger = NULL;
    if (recover->hold_count > 0)
        qsort(recover->holds, recover->hold_count, sizeof *recover->holds, by_hold);
    for (size_t i = 0, next; i < recover->hold_count; i = next) {
        bool ended = false;
        const struct hold_event *hold = &recover->holds[i];
        for (next = i; next < recover->hold_count &&
                       record_id_compare(recover->holds[next].id, hold->id) == 0 &&
                       recover->holds[next].slot == hold->slot;
             next++)
            ended |= recover->holds[next].is_end;
        if (ended)
            continue;
        hold = &recover->holds[next - 1];
        if (hold->slot >= shard->generation->destination_count) {
            stranger = recover->slots[hold->slot].outlet->destination->name;
            strange++;
            continue;
        }
        if (shard->holds.live == shard->holds.capacity)
            return recover_say(recover, STATUS_INVALID,
                               "the journal has more held messages than holds_max allows: %" PRIu32
                               "; raise it",
                               shard->holds.capacity);
        const struct record held = {.id = hold->id, .head.size_bytes = hold->size_bytes};
        hold_add(&shard->holds, &held, hold->position, hold->slot, hold->id.ms);
    }
    return strange == 0
               ? STATUS_OK
               : refuse_stranger(recover, stranger, strange, "are held and not decided upon");
}

/* ---- the intake's accounts ---- */

/* NULL: whose account it was is gone. */
static struct intake_account *find_account(const struct recover *recover, uint64_t generation,
                                           uint16_t participant, uint16_t channel)
{
    const struct shard *shard = recover->shard;
    const struct generation_list *list = &shard->generations;
    participant = generation_list_now(list, generation, NAME_PARTICIPANT, participant);
    channel = generation_list_now(list, generation, NAME_CHANNEL, channel);
    if (participant == GENERATION_NO_INDEX || channel == GENERATION_NO_INDEX)
        return NULL;
    size_t channels = shard->generation->channel_count;
    return &shard->intake_accounts[participant * channels + channel];
}

static void apply_intake(const struct recover *recover, const struct fact_intake *fact)
{
    struct intake_account *account =
        find_account(recover, recover->log_generation, fact->participant, fact->channel);
    if (account != NULL)
        *account = fact->account;
}

/* The next fact tells its account with it; behind the last one it is counted here. (Its bytes were
 * received, and may stand in that fact, before it was decided.) */
static void count_accepted(const struct recover *recover, const struct record *record)
{
    if (record->cause != RECORD_MESSAGE || (record->head.flags & RECORD_COPIED) != 0)
        return;
    struct intake_account *account =
        find_account(recover, record->generation, record->participant, record->channel);
    if (account == NULL)
        return;
    account->received++;
    intake_count_accepted(account, (enum verdict)record->verdict);
}

/* ---- records ---- */

static enum status apply_message(struct recover *recover, const struct record *record,
                                 uint64_t position)
{
    const uint16_t *destinations = record_destinations(record);
    enum status status = recover_know_generation(recover, record->generation);
    for (uint16_t i = 0; i < record->destination_count && status == STATUS_OK; i++) {
        uint16_t slot;
        status =
            find_slot(recover, record->generation, destinations[i] & (uint16_t)~RECORD_HELD, &slot);
        if (status != STATUS_OK)
            break;
        status = (destinations[i] & RECORD_HELD) != 0
                     ? apply_held(recover, record, position, slot)
                     : outlet_restore_message(recover->slots[slot].restore, record, position);
    }
    if (status != STATUS_OK)
        return status;
    if (sidecar_wants(&record->head))
        recover_identity(recover, record, position);
    recover_case(recover, record, position);
    count_accepted(recover, record);
    minute_count_recovered(recover->shard, record);
    recover->figures.messages += (record->head.flags & RECORD_COPIED) == 0;
    return status;
}

/* Of a destination. */
static enum status apply_fact(struct recover *recover, const struct record_head *head,
                              uint16_t destination)
{
    uint16_t slot;
    enum status status = find_slot(recover, recover->log_generation, destination, &slot);
    if (status != STATUS_OK)
        return status;
    struct outlet_restore *restore = recover->slots[slot].restore;
    if (head->kind == RECORD_KIND_GROUP)
        return outlet_restore_group(restore, (const struct fact_group *)(const void *)head);
    if (head->kind == RECORD_KIND_SETTLED)
        return outlet_restore_settled(restore, (const struct fact_settled *)(const void *)head);
    outlet_restore_account(restore, (const struct fact_outlet *)(const void *)head);
    return STATUS_OK;
}

enum status recover_apply(struct recover *recover, const struct record_head *head,
                          uint64_t position)
{
    const void *fact = head;
    switch ((enum record_kind)head->kind) {
    case RECORD_KIND_MESSAGE: return apply_message(recover, fact, position);
    case RECORD_KIND_GENERATION: return apply_generation(recover, fact);
    case RECORD_KIND_GROUP:
        return apply_fact(recover, head, ((const struct fact_group *)fact)->destination);
    case RECORD_KIND_SETTLED:
        return apply_fact(recover, head, ((const struct fact_settled *)fact)->destination);
    case RECORD_KIND_OUTLET:
        return apply_fact(recover, head, ((const struct fact_outlet *)fact)->destination);
    case RECORD_KIND_HOLD_END: return apply_hold_end(recover, fact);
    case RECORD_KIND_INTAKE: apply_intake(recover, fact); return STATUS_OK;
    case RECORD_KIND_END: break;
    }
    return STATUS_OK; /* record_check has refused it */
}

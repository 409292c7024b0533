#include "io/journal/facts.h"

#include <assert.h>
#include <stdlib.h>

#include "io/delivery/group.h"
#include "io/intake/append.h"
#include "io/shard/shard.h"

static bool flush_group(struct shard *shard, struct group *group);
static bool flush_account(struct shard *shard, uint32_t index);

enum status facts_open(struct facts *facts, uint32_t account_count)
{
    *facts = (struct facts){
        .is_dirty = calloc((size_t)account_count + 1, sizeof *facts->is_dirty),
        .dirty = calloc((size_t)account_count + 1, sizeof *facts->dirty),
    };
    return facts->is_dirty != NULL && facts->dirty != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status facts_renumber(struct facts *facts, uint16_t channels, uint16_t channels_now,
                           uint32_t account_count)
{
    struct facts tables;
    enum status status = facts_open(&tables, account_count);
    if (status != STATUS_OK) {
        facts_close(&tables);
        return status;
    }
    for (uint32_t i = 0; i < facts->dirty_count; i++) {
        uint32_t index = facts->dirty[i];
        tables.dirty[i] = index / channels * channels_now + index % channels;
        tables.is_dirty[tables.dirty[i]] = true;
    }
    free(facts->is_dirty);
    free(facts->dirty);
    facts->is_dirty = tables.is_dirty;
    facts->dirty = tables.dirty;
    return STATUS_OK;
}

void facts_close(struct facts *facts)
{
    free(facts->is_dirty);
    free(facts->dirty);
    *facts = (struct facts){0};
}

void facts_begin(struct shard *shard, const struct fact_generation *generation)
{
    shard->facts.generation = *generation;
    shard->facts.generation.head =
        (struct record_head){.size_bytes = sizeof *generation, .kind = RECORD_KIND_GENERATION};
    shard->facts.are_kept = true;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        shard->outlets[d].gathers = true;
}

/* ---- what was gathered ---- */

bool facts_are_gathered(const struct shard *shard)
{
    if (shard->facts.dirty_count > 0)
        return true;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        if (shard->outlets[d].has_settled)
            return true;
    return false;
}

static bool flush_outlet(struct shard *shard, struct outlet *outlet)
{
    for (uint16_t g = 0; g < outlet->group_count; g++)
        if (!flush_group(shard, outlet->groups[g]))
            return false;
    outlet->has_settled = false;
    return true;
}

void facts_flush(struct shard *shard)
{
    struct facts *facts = &shard->facts;
    if (facts->are_kept) {
        if (facts->is_share_lowered)
            facts_share(shard);
        for (uint16_t d = 0; d < shard->generation->destination_count; d++)
            if (shard->outlets[d].has_settled && !flush_outlet(shard, &shard->outlets[d]))
                return;
        while (facts->dirty_count > 0) {
            if (!flush_account(shard, facts->dirty[facts->dirty_count - 1]))
                return;
            if (facts->dirty_count > 0) /* else a checkpoint told them all */
                facts->dirty_count--;
        }
    }
    commit_facts_written(shard);
}

void facts_flush_much(struct shard *shard, const struct group *group)
{
    if (group_has_settled_much(group))
        facts_flush(shard);
}

static struct fact_settled settled_head(const struct group *group, uint32_t ranges,
                                        enum settled_how how, bool standing)
{
    return (struct fact_settled){
        .head = {.size_bytes = fact_settled_size(ranges), .kind = RECORD_KIND_SETTLED},
        .group_number = group->number,
        .range_count = ranges,
        .destination = group->outlet->destination->index,
        .how = (uint8_t)how,
        .standing = standing,
    };
}

/* False: there is no room for all. */
static bool flush_group(struct shard *shard, struct group *group)
{
    while (group->settled.count > 0) {
        uint32_t most = group->settled.count < FACTS_RANGES_PER_FACT ? group->settled.count
                                                                     : FACTS_RANGES_PER_FACT;
        struct record_head *head;
        enum settled_how how;
        if (append_fact(shard, fact_settled_size(most), &head) != STATUS_OK)
            return false;
        struct fact_settled *fact = (struct fact_settled *)(void *)head;
        uint32_t count = group_take_settled(group, fact_settled_ranges(fact), most, &how);
        *fact = settled_head(group, count, how, false);
        append_fact_end(shard, head);
    }
    return true;
}

static bool flush_account(struct shard *shard, uint32_t index)
{
    const uint16_t channels = shard->generation->channel_count;
    struct record_head *head;
    if (append_fact(shard, sizeof(struct fact_intake), &head) != STATUS_OK)
        return false;
    struct fact_intake *fact = (struct fact_intake *)(void *)head;
    *fact = (struct fact_intake){
        .head = {.size_bytes = sizeof *fact, .kind = RECORD_KIND_INTAKE},
        .participant = (uint16_t)(index / channels),
        .channel = (uint16_t)(index % channels),
        .account = shard->intake_accounts[index],
    };
    fact->account.received -= fact->account.undecided;
    fact->account.undecided = 0;
    append_fact_end(shard, head);
    shard->facts.is_dirty[index] = false;
    return true;
}

/* ---- single facts ---- */

/* Behind a look at the room, of which the facts take no more than was said. */
static struct record_head *reserve(struct shard *shard, uint32_t size_bytes)
{
    struct record_head *head;
    enum status status = append_fact(shard, size_bytes, &head);
    assert(status == STATUS_OK);
    return head;
}

void facts_write_generation(struct shard *shard, const struct fact_generation *generation)
{
    struct facts *facts = &shard->facts;
    if (!facts->are_kept)
        return;
    facts_flush(shard);
    struct record_head *head = reserve(shard, facts->generation.head.size_bytes);
    struct record_head own = facts->generation.head;
    facts->generation = *generation;
    facts->generation.head = own;
    memcpy(head, &facts->generation, sizeof facts->generation);
    append_fact_end(shard, head);
}

static void write_group(struct shard *shard, const struct group *group, enum group_event event,
                        struct record_id after, const struct group_account *account)
{
    struct bytes name = bytes_from_text(group_name(group));
    struct record_head *head = reserve(shard, fact_group_size(name.size));
    struct fact_group *fact = (struct fact_group *)(void *)head;
    *fact = (struct fact_group){
        .head = {.size_bytes = fact_group_size(name.size), .kind = RECORD_KIND_GROUP},
        .number = group->number,
        .destination = group->outlet->destination->index,
        .event = (uint8_t)event,
        .after = after,
        .account = *account,
    };
    fact_group_set_name(fact, name);
    append_fact_end(shard, head);
}

/* What was written and not pushed yet, of each destination. */
struct unpushed {
    uint64_t routed, emitted, held, pushed;
    struct record_id first_id, last_id;
};

static void count_unpushed_record(const struct record *record, struct unpushed *unpushed)
{
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++) {
        struct unpushed *of = &unpushed[destinations[i] & (uint16_t)~RECORD_HELD];
        *(record_is_decided(record) ? &of->routed : &of->emitted) += 1;
        if ((destinations[i] & RECORD_HELD) != 0) {
            of->held++;
            continue;
        }
        if (of->pushed++ == 0)
            of->first_id = record->id;
        of->last_id = record->id;
    }
}

/* `unpushed`: DESTINATIONS_MAX of them. */
static void count_unpushed(const struct shard *shard, struct unpushed *unpushed)
{
    const struct commit_queue *queue = &shard->commits;
    memset(unpushed, 0, DESTINATIONS_MAX * sizeof *unpushed);
    for (uint64_t i = queue->first; i < queue->end; i++) {
        uint64_t position = queue->items[i & queue->mask].position;
        if (position != WINDOW_NO_POSITION)
            count_unpushed_record(journal_message(&shard->journal, position), unpushed);
    }
}

/* As of all facts and messages that stand in the log so far: without what was gathered since, with
 * what is to be pushed. */
static struct group_account written_account(const struct group *group,
                                            const struct unpushed *unpushed)
{
    struct group_account account = group->account;
    account.offered += unpushed->pushed;
    account.backlog += unpushed->pushed;
    for (uint32_t i = 0; i < group->settled.count; i++) {
        uint64_t count = group->settled.spans[i].range.count;
        account.pending += count;
        switch (group->settled.spans[i].how) {
        case SETTLED_ACKNOWLEDGED: account.acknowledged -= count; break;
        case SETTLED_DEAD_LETTERED: account.dead_lettered -= count; break;
        case SETTLED_SKIPPED: account.skipped -= count; break;
        case SETTLED_DROPPED: account.dropped -= count; break;
        case SETTLED_HOW_COUNT: break;
        }
    }
    return account;
}

void facts_write_group(struct shard *shard, const struct group *group, enum group_event event)
{
    struct unpushed unpushed[DESTINATIONS_MAX];
    if (!shard->facts.are_kept)
        return;
    facts_flush(shard);
    count_unpushed(shard, unpushed);
    struct group_account account =
        written_account(group, &unpushed[group->outlet->destination->index]);
    write_group(shard, group, event,
                event == GROUP_DESTROYED ? group->outlet->last_id : group->last_delivered,
                &account);
}

struct fact_hold_end facts_make_hold_end(struct record_id id, uint16_t destination,
                                         enum hold_end_how how)
{
    return (struct fact_hold_end){
        .head = {.size_bytes = sizeof(struct fact_hold_end), .kind = RECORD_KIND_HOLD_END},
        .id = id,
        .destination = destination,
        .how = (uint8_t)how,
    };
}

void facts_write_hold_end(struct shard *shard, const struct fact_hold_end *fact)
{
    if (!shard->facts.are_kept)
        return;
    struct record_head *head = reserve(shard, fact->head.size_bytes);
    memcpy(head, fact, sizeof *fact);
    append_fact_end(shard, head);
}

struct fact_burial facts_make_burial(const struct group *group, struct record_id id)
{
    return (struct fact_burial){
        .settled = settled_head(group, 1, SETTLED_DEAD_LETTERED, false),
        .range = {.from = id, .to = id, .count = 1},
    };
}

void facts_forget_burial(struct group *group)
{
    struct settled_range range;
    enum settled_how how;
    if (!group->outlet->gathers)
        return;
    uint32_t count = group_take_settled(group, &range, 1, &how);
    assert(count == 1 && how == SETTLED_DEAD_LETTERED && group->settled.count == 0);
}

/* ---- the checkpoint ---- */

static void write_outlet(struct shard *shard, const struct outlet *outlet,
                         const struct unpushed *unpushed)
{
    struct record_head *head = reserve(shard, sizeof(struct fact_outlet));
    struct fact_outlet *fact = (struct fact_outlet *)(void *)head;
    bool is_first = outlet->pushed == 0;
    *fact = (struct fact_outlet){
        .head = {.size_bytes = sizeof *fact, .kind = RECORD_KIND_OUTLET},
        .counted_position = shard->journal.end_position,
        .destination = outlet->destination->index,
        .first_ever_id = is_first ? unpushed->first_id : outlet->first_ever_id,
        .last_id = unpushed->pushed > 0 ? unpushed->last_id : outlet->last_id,
        .pushed = outlet->pushed + unpushed->pushed,
        .account = outlet->account,
    };
    if (outlet->group_count == 0 && outlet_length(outlet) > 0)
        fact->kept_from = outlet_entry(outlet, outlet->first)->id;
    fact->account.routed += unpushed->routed;
    fact->account.emitted += unpushed->emitted;
    fact->account.held += unpushed->held;
    if (outlet->group_count > 0)
        fact->account.offered += unpushed->pushed;
    else
        fact->account.retained += unpushed->pushed;
    append_fact_end(shard, head);
}

static void write_standing(struct shard *shard, const struct group *group,
                           const struct settled_range *ranges, uint32_t count)
{
    struct record_head *head = reserve(shard, fact_settled_size(count));
    struct fact_settled *fact = (struct fact_settled *)(void *)head;
    *fact = settled_head(group, count, SETTLED_ACKNOWLEDGED, true);
    memcpy(fact_settled_ranges(fact), ranges, count * sizeof *ranges);
    append_fact_end(shard, head);
}

static void write_group_standing(struct shard *shard, const struct group *group,
                                 const struct unpushed *unpushed)
{
    struct settled_range ranges[FACTS_RANGES_PER_FACT];
    uint32_t count = 0;
    struct group_standing standing = group_standing_begin(group);
    struct group_account account = written_account(group, unpushed);
    write_group(shard, group, GROUP_STANDS, standing.after, &account);
    while (group_standing_next(&standing, &ranges[count]))
        if (++count == FACTS_RANGES_PER_FACT) {
            write_standing(shard, group, ranges, count);
            count = 0;
        }
    if (count > 0)
        write_standing(shard, group, ranges, count);
}

void facts_write_checkpoint(struct shard *shard)
{
    struct facts *facts = &shard->facts;
    const struct generation *generation = shard->generation;
    struct unpushed unpushed[DESTINATIONS_MAX];
    assert(!facts->in_checkpoint);
    facts->in_checkpoint = true;
    count_unpushed(shard, unpushed);
    struct record_head *head = reserve(shard, facts->generation.head.size_bytes);
    memcpy(head, &facts->generation, sizeof facts->generation);
    append_fact_end(shard, head);
    for (uint16_t d = 0; d < generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        write_outlet(shard, outlet, &unpushed[d]);
        for (uint16_t g = 0; g < outlet->group_count; g++)
            write_group_standing(shard, outlet->groups[g], &unpushed[d]);
    }
    uint32_t accounts = (uint32_t)generation->directory.count * generation->channel_count;
    for (uint32_t i = 0; i < accounts; i++)
        if (shard->intake_accounts[i].received > 0 || facts->is_dirty[i]) {
            bool written = flush_account(shard, i);
            assert(written);
        }
    facts->dirty_count = 0;
    facts->checkpoints++;
    facts->in_checkpoint = false;
}

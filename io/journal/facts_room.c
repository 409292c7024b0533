/* Room for facts, and the bound of the checkpoint: it has to fit its segment whatever groups have
 * left unsettled. Part of io/journal/facts.h, cut out for its length. */
#include "io/delivery/group.h"
#include "io/intake/append.h"
#include "io/shard/shard.h"

static uint64_t ranges_bytes(uint64_t ranges)
{
    return ranges * sizeof(struct settled_range) +
           (ranges / FACTS_RANGES_PER_FACT + 1) * sizeof(struct fact_settled);
}

/* A move may settle what lies between entries that are pending. */
static uint64_t change_bytes_max(const struct group *group)
{
    uint64_t ranges = group == NULL ? 0 : group->settled.count + 2 * (group_unsettled(group) + 1);
    return ranges_bytes(ranges) + fact_group_size(FACT_GROUP_NAME_BYTES_MAX);
}

static uint64_t gathered_bytes_max(const struct shard *shard)
{
    uint64_t bytes = shard->facts.dirty_count * (uint64_t)sizeof(struct fact_intake);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        for (uint16_t g = 0; outlet->has_settled && g < outlet->group_count; g++)
            bytes += outlet->groups[g]->settled.count *
                     (sizeof(struct settled_range) + sizeof(struct fact_settled));
    }
    return bytes;
}

enum status facts_prepare(struct shard *shard, const struct group *group)
{
    if (!shard->facts.are_kept)
        return STATUS_OK;
    return append_has_fact_room(shard, gathered_bytes_max(shard) + change_bytes_max(group));
}

enum status facts_prepare_generation(struct shard *shard, uint64_t groups)
{
    if (!shard->facts.are_kept)
        return STATUS_OK;
    return append_has_fact_room(shard, gathered_bytes_max(shard) + sizeof(struct fact_generation) +
                                           groups * fact_group_size(FACT_GROUP_NAME_BYTES_MAX));
}

/* ---- the checkpoint ---- */

uint64_t facts_fixed_bytes(uint64_t accounts, uint64_t destinations, uint64_t groups)
{
    return sizeof(struct fact_generation) + accounts * sizeof(struct fact_intake) +
           destinations * sizeof(struct fact_outlet) +
           groups * (fact_group_size(FACT_GROUP_NAME_BYTES_MAX) + ranges_bytes(1));
}

uint64_t facts_checkpoint_bytes_max(const struct shard *shard)
{
    const struct generation *generation = shard->generation;
    uint64_t groups = 0, bytes = 0;
    for (uint16_t d = 0; d < generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        groups += outlet->group_count;
        for (uint16_t g = 0; g < outlet->group_count; g++)
            bytes += ranges_bytes(group_unsettled(outlet->groups[g]));
    }
    return bytes +
           facts_fixed_bytes((uint64_t)generation->directory.count * generation->channel_count,
                             generation->destination_count, groups);
}

/* ---- shares ---- */

/* What groups have that have more than `share`, and how many they are. */
static uint64_t count_above(const struct shard *shard, uint64_t share, uint64_t *out_groups)
{
    uint64_t unsettled = 0;
    *out_groups = 0;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        for (uint16_t g = 0; g < shard->outlets[d].group_count; g++) {
            uint64_t of_group = group_unsettled(shard->outlets[d].groups[g]);
            if (of_group <= share)
                continue;
            unsettled += of_group;
            ++*out_groups;
        }
    return unsettled;
}

/* What there is is shared by those that do not have more already. */
static uint64_t find_share(const struct shard *shard, uint64_t more_groups, bool *out_is_lowered)
{
    uint64_t ranges = facts_ranges_max(shard->journal.settings.segment_bytes);
    uint64_t groups = more_groups, above = 0, counted = UINT64_MAX, taken = 0, share = ranges;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        groups += shard->outlets[d].group_count;
    while (counted != above && groups > above) {
        counted = above;
        share = taken < ranges ? (ranges - taken) / (groups - above) : 0;
        taken = count_above(shard, share, &above);
    }
    *out_is_lowered = above > 0;
    return groups == 0 || groups > above ? share : 0; /* without groups nobody lacks it */
}

void facts_share(struct shard *shard)
{
    if (!shard->facts.are_kept)
        return;
    uint64_t share = find_share(shard, 0, &shard->facts.is_share_lowered);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        shard->outlets[d].unsettled_max = share > 0 ? share : 1; /* so that all go on */
}

bool facts_have_share(const struct shard *shard, uint64_t more_groups)
{
    bool is_lowered;
    return !shard->facts.are_kept || find_share(shard, more_groups, &is_lowered) >= FACTS_SHARE_MIN;
}

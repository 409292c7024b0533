/* What the shard owes its log beside messages (core/fact.h): what groups settled, gathered in
 * ranges and written when a block is about to be sealed; accounts of the intake that changed; and
 * at the head of each segment the checkpoint, from which alone, with what follows, all can be built
 * again.
 *
 * Whoever changes something that only a fact tells of asks first if there is room (facts_prepare),
 * and a reply that speaks of it waits for the log. Without a disk nothing is owed, gathered or
 * written. One owner thread. */
#ifndef KOUAN_IO_FACTS_H
#define KOUAN_IO_FACTS_H

#include "core/fact.h"

struct shard;
struct group;

/* Ranges in one fact; the least that a group may have unsettled. */
enum { FACTS_RANGES_PER_FACT = 256, FACTS_SHARE_MIN = 64 };

struct facts {
    bool are_kept; /* there is a log on disk */
    bool in_checkpoint;
    bool is_share_lowered;             /* some group has more unsettled than its share */
    struct fact_generation generation; /* that the shard is of */
    bool *is_dirty;                    /* by index of the intake's accounts: changed since told */
    uint32_t *dirty;                   /* those indices */
    uint32_t dirty_count;
    uint64_t written, checkpoints; /* figures */
};

MUST_CHECK enum status facts_open(struct facts *facts, uint32_t account_count);
/* The accounts are numbered anew, where of `channels` there are `channels_now` now. */
MUST_CHECK enum status facts_renumber(struct facts *facts, uint16_t channels, uint16_t channels_now,
                                      uint32_t account_count);
void facts_close(struct facts *facts);

/* From here on what happens is written down. `generation`: but for its head. */
void facts_begin(struct shard *shard, const struct fact_generation *generation);
/* From here on what is written is of this generation; behind facts_prepare_generation. */
void facts_write_generation(struct shard *shard, const struct fact_generation *generation);

/* The account at this index is about to change. */
static inline void facts_note_account(struct facts *facts, uint32_t index)
{
    if (!facts->are_kept || facts->is_dirty[index])
        return;
    facts->is_dirty[index] = true;
    facts->dirty[facts->dirty_count++] = index;
}

/* Writes what was gathered, as far as there is room; replies that wait for it then wait for the
 * disk. */
void facts_flush(struct shard *shard);
/* The same, if the group gathered much. */
void facts_flush_much(struct shard *shard, const struct group *group);
/* Is something gathered? */
bool facts_are_gathered(const struct shard *shard);

/* Room for what is gathered, and for facts of a change of the group (NULL: of another kind).
 * INCOMPLETE: not yet, the disk is behind; FULL: the disk is. */
MUST_CHECK enum status facts_prepare(struct shard *shard, const struct group *group);

/* The same, for another generation, and so many groups that it makes. */
MUST_CHECK enum status facts_prepare_generation(struct shard *shard, uint64_t groups);

/* Behind facts_prepare: what is gathered, and the group's. Before a group is destroyed, after it
 * was made or moved. */
void facts_write_group(struct shard *shard, const struct group *group, enum group_event event);
void facts_write_hold_end(struct shard *shard, const struct fact_hold_end *fact);

/* Filled in whole; each may be the companion of a record (io/intake/append.h). */
struct fact_hold_end facts_make_hold_end(struct record_id id, uint16_t destination,
                                         enum hold_end_how how);
struct fact_burial {
    struct fact_settled settled;
    struct settled_range range;
};
struct fact_burial facts_make_burial(const struct group *group, struct record_id id);
/* What group_bury gathered stands in the log already, in its burial. */
void facts_forget_burial(struct group *group);

/* ---- io/journal/facts_room.c: the checkpoint fits its segment ---- */

/* Ranges that all groups together may have in it: a quarter of a segment. */
static inline uint64_t facts_ranges_max(uint64_t segment_bytes)
{
    return segment_bytes / 4 / sizeof(struct settled_range);
}
/* And for all else, an eighth. */
static inline uint64_t facts_fixed_bytes_max(uint64_t segment_bytes)
{
    return segment_bytes / 8;
}
uint64_t facts_fixed_bytes(uint64_t accounts, uint64_t destinations, uint64_t groups);

/* Gives each group its share of those ranges, as outlet->unsettled_max: what all have unsettled,
 * and may have, never is more. After a group was made or destroyed, and while is_share_lowered. */
void facts_share(struct shard *shard);
/* Would each have FACTS_SHARE_MIN with so many more groups? */
bool facts_have_share(const struct shard *shard, uint64_t more_groups);

/* For who reserves room in the log: what the checkpoint would take, and writing it, where a segment
 * begins. */
uint64_t facts_checkpoint_bytes_max(const struct shard *shard);
void facts_write_checkpoint(struct shard *shard);

#endif

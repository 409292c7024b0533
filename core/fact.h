/* Facts: the records of the journal that are not messages. Each begins with the record_head that
 * messages begin with, too; numbers, destinations and groups are named as the generation that was
 * the last one recorded before them numbers them. Written by the shard, read by recovery and the
 * tools.
 *
 *   generation    from here on records speak of this generation
 *   group         a consumer group was made, moved (XGROUP SETID) or removed; or, at the head of a
 *                 segment, that it stands as the fact says
 *   settled       ids that a group is done with, in ranges: acknowledged, or how else it came
 *   hold_end      an operator released or rejected a held message
 *   intake        an account of the intake, absolute, when it has changed since the last
 *   outlet        the account of a destination, at the head of a segment
 *
 * A segment begins with all facts that would else be found only in segments before it (the
 * checkpoint): generation, outlets, groups with what they have settled, accounts. Reading them
 * twice changes nothing. Facts are filled in where journal_reserve gave room; record_check looks at
 * every bound of what was read before anybody else does. */
#ifndef KOUAN_CORE_FACT_H
#define KOUAN_CORE_FACT_H

#include "core/ledger.h"
#include "core/record.h"
#include "core/status.h"

enum { FACT_DIGEST_BYTES = 32, FACT_GROUP_NAME_BYTES_MAX = 255, FACT_SETTLED_RANGES_MAX = 1 << 20 };

struct fact_generation {
    struct record_head head; /* RECORD_KIND_GENERATION */
    uint64_t number;
    uint64_t wall_ms;                    /* since when */
    uint8_t manifest[FACT_DIGEST_BYTES]; /* SHA-256 of its manifest, which lies beside the log */
};

enum group_event { GROUP_CREATED, GROUP_MOVED, GROUP_DESTROYED, GROUP_STANDS };

/* Followed by the name. Created or standing: all ids up to `after` are settled, none beyond it but
 * by `settled` facts that follow. Moved: none beyond `after` any more; those up to it are as they
 * were, and what was skipped stands in `settled` facts before this one. Destroyed: what stands
 * behind `after` was not pushed yet; it never was on offer to the group. The account is as of all
 * that stands before the fact in the log, messages included that are not pushed yet. What no group
 * needs at a creation or a move is not offered again. */
struct fact_group {
    struct record_head head; /* RECORD_KIND_GROUP */
    uint32_t number;         /* of the group in its log: never used again for another one */
    uint16_t destination;
    uint8_t event; /* enum group_event */
    uint8_t name_bytes;
    struct record_id after;
    struct group_account account;
};

enum settled_how {
    SETTLED_ACKNOWLEDGED,
    SETTLED_DEAD_LETTERED,
    SETTLED_SKIPPED, /* by XGROUP SETID */
    SETTLED_DROPPED, /* `when_full: drop_oldest` */
    SETTLED_HOW_COUNT
};

/* Every entry of the group's destination with an id in [from, to]. */
struct settled_range {
    struct record_id from, to;
    uint64_t count; /* of entries that it settled: others in it were settled before */
};

/* Followed by `range_count` ranges, in order. */
struct fact_settled {
    struct record_head head; /* RECORD_KIND_SETTLED */
    uint32_t group_number;
    uint32_t range_count;
    uint16_t destination;
    uint8_t how;      /* enum settled_how */
    uint8_t standing; /* 1: part of a checkpoint, already in the account of its group */
    uint32_t reserved;
};

enum hold_end_how { HOLD_RELEASED, HOLD_REJECTED };

struct fact_hold_end {
    struct record_head head; /* RECORD_KIND_HOLD_END */
    struct record_id id;     /* of the held message */
    uint16_t destination;
    uint8_t how; /* enum hold_end_how */
    uint8_t reserved[5];
};

struct fact_intake {
    struct record_head head; /* RECORD_KIND_INTAKE */
    uint16_t participant, channel;
    uint32_t reserved;
    struct intake_account account; /* `undecided` is 0: such messages are not in `received` */
};

/* As of all messages below `counted_position`, and of all facts before it. */
struct fact_outlet {
    struct record_head head; /* RECORD_KIND_OUTLET */
    uint64_t counted_position;
    uint16_t destination;
    uint16_t reserved[3];
    struct record_id first_ever_id, last_id;
    uint64_t pushed;
    struct record_id kept_from; /* without groups: the first retained id; 0-0: none */
    struct outlet_account account;
};

uint32_t fact_group_size(size_t name_bytes);
uint32_t fact_settled_size(uint32_t range_count);

static inline struct settled_range *fact_settled_ranges(const struct fact_settled *fact)
{
    return (struct settled_range *)(uintptr_t)(fact + 1);
}

struct bytes fact_group_name(const struct fact_group *fact);
void fact_group_set_name(struct fact_group *fact, struct bytes name);

/* Is this a whole record of a known kind, all of whose counts and offsets lie within its
 * `size_bytes`, which are within `available_bytes`? INVALID if not. For messages, too. A record
 * that is OK is read by its accessors without leaving it. `head` is aligned as records are. */
MUST_CHECK enum status record_check(const struct record_head *head, size_t available_bytes);

#endif

/* How long the journal keeps what nobody needs: which segment goes, and what must be done before.
 *
 * The oldest segment goes when it is older than retain_time, or when journal_size asks for its
 * room, and every identity in it has left the window, and a snapshot of cases covers it. Before it
 * goes, what a group or a hold still needs of it is appended again, under its old id, for those
 * destinations alone that need it; when that is durable, and what was settled meanwhile is written
 * down, nothing points into the segment any more.
 *
 *   looks -> copies -> waits for the disk -> gives it up -> looks ...
 *
 * Records are found by the entries of outlets and holds, so of a segment that nobody needs not a
 * byte is read. Little is done in a turn, and reading goes through the recall: live traffic does
 * not wait for it. Where even the last room is taken, dedupe forgets before its time rather than
 * that nothing is accepted any more; that is said on stderr, and counted. One owner thread. */
#ifndef KOUAN_IO_RETENTION_H
#define KOUAN_IO_RETENTION_H

#include "io/loop/loop.h"
#include "io/recall/recall.h"

struct shard;

enum retention_state { RETENTION_LOOKS, RETENTION_COPIES, RETENTION_WAITS };

/* What was copied forward counts in the shard's figures. */
struct retention_figures {
    uint64_t given_up;        /* segments */
    uint64_t forgotten_early; /* of those, with identities that were still in the window */
};

struct retention {
    enum retention_state state;
    uint64_t segment_number, end_position; /* of the segment that is to go */
    bool is_early;                         /* identities in it are still in the window */
    /* Copying: what is looked at next, in outlet `destination`, or behind the last of them in the
     * holds. */
    uint16_t destination;
    struct record_id from;
    bool is_stuck;              /* the log had no room for a copy */
    uint64_t wait_position;     /* durable up to here: it may go */
    struct record_id *last_ids; /* of segments, at number % segments_max: no greater id is in it */
    uint32_t segments_max;
    uint64_t segments_allowed;
    struct recall_ask ask;
    enum status failure; /* of the last ask */
    uint64_t look_ns;    /* not before */
    struct timer timer;
    bool has_warned;  /* of forgetting early */
    uint64_t early_s; /* when that was last, in the window's time */
    struct retention_figures figures;
};

/* At most `segments_max` will ever be there; `segments_allowed` of them by journal_size. */
MUST_CHECK enum status retention_open(struct retention *retention, uint32_t segments_max,
                                      uint64_t segments_allowed);
/* Nothing of it is under way: the loop is at its end. */
void retention_close(struct retention *retention);

/* Once a turn. With it begins that it looks by itself, too. */
void retention_run(struct shard *shard);

/* What it may have waited for has come. */
void retention_look_now(struct shard *shard);

/* The segment before `number` has ended: ids up to `last_id` may be in it. */
void retention_note_end(struct retention *retention, uint64_t number, struct record_id last_id);

/* OK; else the room that is left is for what makes some, copies and acknowledgements. INCOMPLETE:
 * there will be more; FULL: only if something is acknowledged. */
MUST_CHECK enum status retention_has_message_room(const struct shard *shard);
/* Is there something in the window's span that dedupe has forgotten before its time? */
bool retention_has_forgotten(const struct shard *shard);

#endif

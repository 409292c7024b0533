/* What all shards see of each other for errands (io/delivery/errand.h), as atomics; one for the
 * process, made before the threads. */
#ifndef KOUAN_IO_ERRAND_BOARD_H
#define KOUAN_IO_ERRAND_BOARD_H

#include <stdalign.h>
#include <stdatomic.h>

#include "core/destination_set.h"
#include "core/record.h"
#include "core/status.h"

struct errand_board {
    uint16_t shards;
    struct errand_notes {
        /* The newest id that this shard's log has shown to readers. */
        alignas(64) _Atomic uint64_t published_ms, published_seq;
        /* A peer wants to be told, once, when something new is at a destination of this shard. */
        _Atomic uint8_t *wanted; /* [peer * DESTINATIONS_MAX + destination] */
    } notes[];
};

MUST_CHECK enum status errand_board_open(uint16_t shards, struct errand_board **out_board);
void errand_board_close(struct errand_board *board); /* NULL, too */

/* Of the log's own thread; ids rise. */
void errand_board_publish(struct errand_board *board, uint16_t shard, struct record_id id);
/* No id that any log had published when the call began is above it. */
struct record_id errand_board_newest(const struct errand_board *board);

static inline _Atomic uint8_t *errand_board_wanted(struct errand_board *board, uint16_t shard,
                                                   uint16_t peer, uint16_t destination)
{
    return &board->notes[shard].wanted[(unsigned)peer * DESTINATIONS_MAX + destination];
}

#endif

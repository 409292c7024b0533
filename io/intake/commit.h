/* What has been appended and waits to be durable. Without a disk a record is as durable as it will
 * be at the end of its turn; the delays of a test run put either off by random turns. Items
 * complete in order. */
#ifndef KOUAN_IO_COMMIT_H
#define KOUAN_IO_COMMIT_H

#include "core/record.h"
#include "core/status.h"

struct shard;
struct reply_slot;

/* When what is gathered now is written, and durable (io/journal/facts.h). */
#define COMMIT_WITH_FACTS UINT64_MAX

struct commit_item {
    struct reply_slot *slot; /* to answer; NULL: none (a record that Kouan made, or of a message
                                that is not its publication's last) */
    uint64_t position;       /* of the record; WINDOW_NO_POSITION: none, a reply waits here */
    uint64_t durable_from;   /* due when the log is durable up to here; COMMIT_WITH_FACTS */
    uint32_t window_entry;   /* to confirm; WINDOW_NO_ENTRY: none */
    uint32_t reserved_bytes; /* at each destination, to turn into a push; 0: none */
    uint16_t asked_by;       /* the shard, from 1, whose message this is; 0: this one's */
    bool is_first;           /* of its publication's messages: its id is the receipt */
    uint64_t due_turn;
};

struct commit_queue {
    struct commit_item *items; /* index & mask */
    uint64_t mask, first, end;
    uint64_t told_facts; /* no item before this one still waits for facts to be written */
};

MUST_CHECK enum status commit_open(struct commit_queue *queue, uint32_t capacity);
void commit_close(struct commit_queue *queue);

static inline uint64_t commit_count(const struct commit_queue *queue)
{
    return queue->end - queue->first;
}
static inline bool commit_has_room(const struct commit_queue *queue)
{
    return commit_count(queue) <= queue->mask;
}
/* Room for so many items beside one for each reply slot that there is, which never ask. */
bool commit_has_spare_room(const struct shard *shard, uint64_t items);
/* The position of the oldest record that is not durable yet; WINDOW_NO_POSITION if all are. */
uint64_t commit_oldest_position(const struct commit_queue *queue);

void commit_add(struct shard *shard, const struct commit_item *item);
/* What was gathered is written: items that waited for that now wait for the disk. */
void commit_facts_written(struct shard *shard);
/* A reply that waits for all that was written or gathered so far. */
void commit_add_reply(struct shard *shard, struct reply_slot *slot);

/* Completes what is due: confirms identities, pushes to destinations, answers. True if items are
 * left. */
bool commit_run(struct shard *shard);

#endif

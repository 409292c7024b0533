/* Publications whose destination is full wait on their session, in order, for room or for their
 * time to be over (publish_wait); the session does not read meanwhile. Only on sessions that never
 * consumed: one that does could wait for itself.
 *
 * Only as many as there is room for come back to the intake, and what cannot have room parks before
 * it is read, so that a group which takes one at a time costs one decision a message, and not one
 * for each that waits. */
#ifndef KOUAN_IO_PARKING_H
#define KOUAN_IO_PARKING_H

#include "io/intake/publication.h"

struct shard;
struct session;

/* Sessions with parked publications, the longest waiting first. */
struct parking_line {
    struct session *first, *last;
};

/* What one needs, of the destination that had too little; NO_DESTINATION: that is not known. */
struct parked_need {
    uint16_t destination, log;
    uint32_t messages;
    uint64_t bytes;
};

/* What a session keeps of it. */
struct parked {
    bool in_line;
    struct session *next; /* in the line */
    struct publication *first, *last;
    struct publication *again; /* the last one that came back and had to wait again */
    uint32_t count, returned;  /* returned: back in the intake, not yet decided */
    struct parked_need need;   /* of the first */
    struct parked_need waited; /* of the last one that waited for a known destination */
};

/* May wait: its session never consumed, its time is not over, and those that wait, with what was
 * sent behind them, do not hold more than three quarters of the memory for input, of the
 * publications, or of the queues of transactions: others need some to go on. */
bool parking_allows(const struct shard *shard, const struct publication *publication);

/* Behind those of its session that were before it. */
void parking_add(struct shard *shard, struct publication *publication, struct parked_need need);

/* None of its session waits, or has waited lately: nothing below has anything to say of it. */
bool parking_is_free(const struct publication *publication);
/* Others of its session were before it and wait. */
bool parking_is_behind(const struct publication *publication);

/* Behind `count` others there may be room for it, as far as its session's last wait tells. That is
 * a guess: the publication may be for another destination than the one that had none. */
bool parking_has_hope(const struct shard *shard, const struct publication *publication,
                      uint32_t count);
/* Parks one that would have to in the end, before it is read: it is behind others, or without hope,
 * and none of its session is before it and neither decided nor parked. False: it may not wait. */
bool parking_keep(struct shard *shard, struct publication *publication);

/* Those that may try again go back to the intake, in front of all others. */
void parking_release(struct shard *shard);

/* The session closes: takes off all that it has parked, in order. */
struct publication *parking_leave(struct shard *shard, struct session *session);

#endif

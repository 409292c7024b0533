/* Reading entries: now, or when some come. What a read takes is decided by io/delivery/group.h;
 * here it becomes a reply, sessions wait for it, and entries that were delivered too often are
 * given up. */
#ifndef KOUAN_IO_READ_H
#define KOUAN_IO_READ_H

#include "io/delivery/group.h"
#include "io/front/session.h"
#include "io/resp/resp.h"

/* What one reply hands out, one XACK can acknowledge: XACK, destination and group take three. */
enum { READ_ENTRIES_MAX = RESP_ARGUMENTS_MAX - 3 };

/* WAITS: for old records; it is to be run again when they are there. */
enum read_outcome { READ_REPLIED, READ_NOTHING, READ_WAITS };

/* Replies with what the request's destinations have for it, at least one entry. NOTHING, without a
 * reply, if they have none; one's own pending entries are a reply even if there are none. Entries
 * whose records are not in memory end the reply, or are read back first if they would begin it. */
enum read_outcome read_run(struct session *session, const struct read_request *request);
/* Until something comes, for at most `block_ms` (0: for ever). */
void read_block(struct session *session, const struct read_request *request, uint64_t block_ms);

/* Readers that are blocked at the outlet (NULL: none) or its groups look again in this turn. */
void read_wake(struct shard *shard, const struct outlet *outlet);

/* Serves those who wait at the outlet and at its groups, in the order in which they came. */
void read_serve_waiters(struct outlet *outlet);

/* Entries of the group were acknowledged, claimed or given up: the destination lets go of what it
 * can, and in this turn readers that were held up and publishers that wait for room go on. */
void read_settled(struct shard *shard, struct group *group);

/* An entry that was delivered deliveries_max times, and whose record is at hand, goes to the dead
 * letter instead. True if it did. */
bool read_bury_exhausted(struct session *session, struct group *group, struct pending_entry *entry);

#define READ_GROUP_GONE "NOGROUP the consumer group this client was blocked on no longer exists"
/* Tells all readers who wait at a group that it is no more. */
void read_dismiss_waiters(struct group *group);

/* Is a reader blocked at the group as this consumer? */
bool read_has_waiter(const struct group *group, uint16_t consumer);

/* There is output room for a session that may be blocked. */
void read_try_again(struct session *session);
/* Old records that a blocked session waited for are there, or can be asked for again. */
void read_records_came(struct session *session);

/* Takes a session out of the lines in which it waits, if it does. */
void read_stop_waiting(struct session *session);

#endif

/* Reading entries: now, or when some come. What a read takes is decided by io/group.h; here it
 * becomes a reply, sessions wait for it, and entries that were delivered too often are given up. */
#ifndef KOUAN_IO_READ_H
#define KOUAN_IO_READ_H

#include "io/group.h"
#include "io/resp.h"
#include "io/session.h"

/* What one reply hands out, one XACK can acknowledge: XACK, destination and group take three. */
enum { READ_ENTRIES_MAX = RESP_ARGUMENTS_MAX - 3 };

/* Replies with what the request's destinations have for it. False, without a reply, if they have
 * nothing; one's own pending entries are a reply even if there are none. */
bool read_run(struct session *session, const struct read_request *request);
/* Until something comes, for at most `block_ms` (0: for ever). */
void read_block(struct session *session, const struct read_request *request, uint64_t block_ms);

/* Serves those who wait at the outlet and at its groups, in the order in which they came. */
void read_serve_waiters(struct outlet *outlet);

/* Entries of the group were acknowledged, claimed or given up: the destination lets go of what it
 * can, and in this turn readers that were held up and publishers that wait for room go on. */
void read_settled(struct shard *shard, struct group *group);

/* An entry that was delivered deliveries_max times goes to the dead letter instead. True if it did.
 */
bool read_bury_exhausted(struct shard *shard, struct group *group, struct pending_entry *entry);

/* Tells all readers who wait at a group that it is no more. */
void read_dismiss_waiters(struct group *group);

/* Is a reader blocked at the group as this consumer? */
bool read_has_waiter(const struct group *group, uint16_t consumer);

/* There is output room for a session that may be blocked. */
void read_try_again(struct session *session);

/* Takes a session out of the lines in which it waits, if it does. */
void read_stop_waiting(struct session *session);

#endif

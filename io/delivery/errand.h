/* The way out over several shards: a client's command on destinations is run by each shard whose
 * log it concerns, and the replies become one (io/delivery/merge.h).
 *
 * The shard of the client, the asker, lends each other shard its words, its terms and memory for a
 * reply (struct errand_part), by a message that points there, and has them back with the answer.
 * Who is asked runs the ordinary handler on a session without a connection
 * (io/delivery/errand_serve.c); the asker's own share is run in the same way. Nothing that was
 * asked waits for another shard, so every errand ends; only the asker's client waits, and only
 * BLOCK for long: that asks nobody, but tries again when some shard has said that there is
 * something new (io/delivery/errand_block.c).
 *
 *   errand.c        an errand's life: begun, asked, answered, replied
 *   errand_memory.c what it needs
 *   errand_plan.c   how each command spreads, and becomes one
 *   errand_read.c   XREAD, XREADGROUP, XRANGE: what may be shown, who is asked, how much is left
 *   errand_block.c  readers that wait
 *   errand_claim.c  XCLAIM and XAUTOCLAIM
 *   errand_report.c INFO, the ledger, and what operators ask for
 *   errand_serve.c  who is asked
 *
 * All memory is reserved at start. With one shard there is none of it: shard->errands is NULL. One
 * thread, that of the shard. */
#ifndef KOUAN_IO_ERRAND_H
#define KOUAN_IO_ERRAND_H

#include "io/delivery/errand_board.h"
#include "io/delivery/errand_terms.h"
#include "io/shard/mesh.h"

struct shard;
struct session;
struct errands;
struct errand;
struct errand_part;

/* Both outlive it. */
MUST_CHECK enum status errands_open(struct shard *shard, struct mesh_end *mesh,
                                    struct errand_board *board);
void errands_close(struct errands *errands); /* NULL, too */
/* Nothing is asked, and nothing that was asked is unanswered. */
bool errands_are_idle(const struct errands *errands);
/* There are so many destinations now. */
MUST_CHECK enum status errands_resize(struct errands *errands, uint16_t destination_count);
/* In each turn, behind the commits. */
void errands_run(struct errands *errands);

/* Takes the command over, if it concerns other shards, too: the session waits
 * (SESSION_WAIT_ERRAND), or owes a reply. False: it is run here, as ever. */
bool errand_begin(struct session *session, const struct command_row *row,
                  const struct resp_command *command);
/* There is memory for another. */
bool errands_have_room(const struct errands *errands);
/* The session closes. */
void errand_leave(struct session *session);
/* At which destinations its client waits, or will, for what is new; none: it does not. */
struct destination_set errand_awaits(const struct session *session);
/* There may be room now for what it replies. */
void errand_try_reply(struct session *session);
/* The client sends no more: true while a reply is on its way. */
bool errand_must_end(const struct session *session);

/* The record is shown to readers from now on. */
void errands_publish(struct errands *errands, struct record_id id);
/* Readers at the destination may find more than before. */
void errands_wake(struct errands *errands, uint16_t destination);

/* ---- of a session without a connection, in place of one ---- */

/* There is more behind what it shows of that stream, or of what its command lists; nothing to an
 * ordinary session. */
void errand_part_cut(struct session *session, uint32_t stream);
/* The first id that was not looked at. */
void errand_part_reach(struct session *session, struct record_id id);
void errand_part_write(struct session *session, const struct resp_writer *writer);
/* It owes nothing more. */
void errand_part_done(struct session *session);
/* It waits no more. */
void errand_part_resume(struct session *session);

#endif

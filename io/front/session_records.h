/* The records that a session's command shows, wherever they are: in memory, or read back from the
 * journal's files (io/recall/recall_list.h).
 *
 *   session_record(...) != NULL for all it needs: show them
 *   else: session_records_begin, session_records_want for each, session_records_recall; return
 *
 * The session waits then (SESSION_WAIT_RECALL) and its command is run once more, from its bytes;
 * what it changes it must change only when all is at hand. */
#ifndef KOUAN_IO_SESSION_RECORDS_H
#define KOUAN_IO_SESSION_RECORDS_H

#include "io/front/session.h"

/* NULL: not at hand. There until the session's next record is looked for. */
const struct record *session_record(struct session *session, uint64_t position);
/* One that stays while others are appended, to be repeated by them. */
const struct record *session_record_to_repeat(struct session *session, uint64_t position);

/* `bytes_max`: of the records together, but for the first. */
void session_records_begin(struct session *session, uint64_t bytes_max);
/* False: that would be more; it will not be there. */
bool session_records_want(struct session *session, uint64_t position, uint32_t size_bytes);
/* Reads those that are wanted and not surely in memory until then. The session waits, or has an
 * error as its reply: IOERR. */
void session_records_recall(struct session *session);

/* May records that are not in memory be shown now? If not, and there is nothing else to reply:
 * waits until they may, as for records. */
bool session_records_may_go(struct session *session);
void session_records_pace(struct session *session);
/* So many bytes of them were shown since `started_ns` by pace_clock_ns. */
void session_records_charge(struct session *session, uint64_t started_ns, uint64_t bytes);

/* The entries of the outlet from `index` on will be read soon, and are old perhaps. */
void session_records_read_ahead(struct session *session, const struct outlet *outlet,
                                uint64_t index);

/* The command has replied, or the session goes: gives back what was read for it. */
void session_records_end(struct session *session);

static inline bool session_awaits_records(const struct session *session)
{
    return (session->waits & SESSION_WAIT_RECALL) != 0;
}

/* As recall_lists' `ready`. */
void session_records_ready(struct recall_list *list);

#endif

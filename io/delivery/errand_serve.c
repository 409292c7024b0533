/* Who is asked: runs a command of another shard's client, or the own share of one, on a session
 * without a connection. What it waits for is this shard's alone: its disk, a slot. */
#include <assert.h>
#include <stdlib.h>

#include "io/delivery/errand_inside.h"
#include "io/front/session_records.h"

struct errand_stand {
    struct session session; /* first */
    struct errand_part *part;
    uint16_t from;
    struct errand_stand *next; /* of the free ones, or of those to be run again */
};

enum status errand_stands_open(struct errands *errands)
{
    errands->stands = calloc(ERRAND_STANDS, sizeof *errands->stands);
    if (errands->stands == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = ERRAND_STANDS; i-- > 0;) {
        struct errand_stand *stand = &errands->stands[i];
        stand->session.shard = errands->shard;
        stand->next = errands->free_stands;
        errands->free_stands = stand;
    }
    return STATUS_OK;
}

void errand_stands_close(struct errands *errands)
{
    free(errands->stands);
}

/* ---- running ---- */

static void run_again_later(struct errand_stand *stand)
{
    struct errands *errands = stand->session.shard->errands;
    stand->next = errands->again;
    errands->again = stand;
}

/* No id at or below it comes any more: what has one is shown, or will be when `slot` is due. */
static void tell_watermark(struct errand_stand *stand)
{
    struct shard *shard = stand->session.shard;
    struct record_id newest = errand_board_newest(shard->errands->board);
    journal_pass_id(&shard->journal, newest);
    struct record_id last = shard->journal.last_id;
    stand->part->watermark = record_id_compare(last, newest) > 0 ? last : newest;
    if (commit_count(&shard->commits) == 0)
        return;
    commit_add(shard, &(struct commit_item){.slot = command_take_slot(&stand->session, REPLY_OK),
                                            .position = WINDOW_NO_POSITION,
                                            .durable_from = shard->journal.end_position,
                                            .window_entry = WINDOW_NO_ENTRY});
}

static void tell_books(struct session *session)
{
    struct resp_writer writer = session_reply_begin(session);
    books_write(session->shard, &writer);
    session_reply_end(session, &writer);
}

static bool needs_slot(const struct errand_stand *stand)
{
    return stand->part->message == ERRAND_WATERMARK ||
           (stand->part->message == ERRAND_RUN &&
            (stand->session.terms->row->flags & COMMAND_PROMISE) != 0);
}

static void run(struct errand_stand *stand)
{
    struct session *session = &stand->session;
    struct shard *shard = session->shard;
    if (needs_slot(stand) && shard->promises.free == NULL) {
        run_again_later(stand);
        shard->promises_wanted = true;
        return;
    }
    if (stand->part->message == ERRAND_WATERMARK)
        tell_watermark(stand);
    else if (stand->part->message == ERRAND_BOOKS)
        tell_books(session);
    else
        session->terms->row->run(session, &session->terms->command);
    if (session->waits == 0 && session->first == NULL)
        errand_part_done(session);
}

bool errand_serve(struct errands *errands, struct errand_part *part, uint16_t from)
{
    struct errand_stand *stand = errands->free_stands;
    if (stand == NULL) {
        errands->has_refused = true;
        return false;
    }
    errands->free_stands = stand->next;
    errands->stands_out++;
    stand->part = part;
    stand->from = from;
    const struct errand_terms *terms = &part->errand->terms;
    stand->session.terms = terms;
    stand->session.participant = terms->participant;
    stand->session.protocol = terms->protocol;
    run(stand);
    return true;
}

void errands_run_stands(struct errands *errands)
{
    struct errand_stand *next, *stand = errands->again;
    errands->again = NULL;
    for (; stand != NULL; stand = next) {
        next = stand->next;
        run(stand);
    }
}

/* ---- what the session does in place of its connection ---- */

static struct errand_stand *stand_of(struct session *session)
{
    return (struct errand_stand *)(void *)session;
}

void errand_part_write(struct session *session, const struct resp_writer *writer)
{
    struct errand_part *part = stand_of(session)->part;
    struct resp_writer to;
    assert(part->reply_bytes == 0);
    resp_writer_init(&to, session->protocol, part->reply, part->reply_capacity);
    if (writer->overflowed || writer->needed > part->reply_capacity)
        resp_write_error(&to, "ERR the reply is too long; ask for less");
    else
        resp_write_raw(&to, bytes_make(writer->data, writer->needed));
    part->reply_bytes = to.needed;
}

void errand_part_cut(struct session *session, uint32_t stream)
{
    if (session->terms != NULL)
        stand_of(session)->part->cut |= UINT32_C(1) << stream;
}

void errand_part_reach(struct session *session, struct record_id id)
{
    stand_of(session)->part->watermark = id;
}

void errand_part_done(struct session *session)
{
    struct errand_stand *stand = stand_of(session);
    struct errands *errands = session->shard->errands;
    struct errand_part *part = stand->part;
    uint16_t from = stand->from;
    session_records_end(session);
    part->has_consumed = session->has_consumed;
    session->has_consumed = false;
    session->terms = NULL;
    stand->part = NULL;
    stand->next = errands->free_stands;
    errands->free_stands = stand;
    errands->stands_out--;
    if (errands->has_refused) { /* what was refused is offered again in the next turn */
        errands->has_refused = false;
        shard_wake(session->shard);
    }
    if (from == errands->self) {
        errand_answered(part);
        return;
    }
    const struct mesh_message message = {.kind = part->message, .context = part};
    mesh_answer(errands->mesh, from, MESH_ERRANDS, &message);
}

void errand_part_resume(struct session *session)
{
    if (session->terms == NULL)
        return;
    run_again_later(stand_of(session));
    shard_wake(session->shard);
}

#include "io/delivery/errand_inside.h"

#include <assert.h>

static void go_on(struct errand *errand);
static void end(struct errand *errand);

/* ---- beginning ---- */

bool errands_have_room(const struct errands *errands)
{
    return errands->owed < ERRANDS_OWED_MAX && errands->memory.free_count > 0;
}

bool errands_are_idle(const struct errands *errands)
{
    return errands->under_way == 0 && errands->stands_out == 0;
}

bool errand_begin(struct session *session, const struct command_row *row,
                  const struct resp_command *command)
{
    struct errands *errands = session->shard->errands;
    struct errand *errand = errand_take(errands);
    errand->terms.row = row;
    if (session->participant != NULL) { /* whose generation may go meanwhile */
        errand->participant = *session->participant;
        errand->terms.participant = &errand->participant;
    }
    errand->terms.protocol = session->protocol;
    if (!errand_plan(errand, session, row, command) || !errand_copy_command(errand, command)) {
        chunk_return(errand->chunk);
        return false;
    }
    errands->under_way++;
    if ((row->flags & COMMAND_PIPELINE) != 0) {
        errand->slot = command_take_slot(session, REPLY_INTEGER);
        errands->owed++;
    } else {
        errand->session = session;
        session->errand = errand;
        session_wait_for(session, SESSION_WAIT_ERRAND);
    }
    errand_make_due(errand);
    return true;
}

/* ---- asking ---- */

void errand_begin_round(struct errand *errand)
{
    assert(errand->out == 0);
    errand->asked = 0;
    for (uint16_t i = 0; i < errand->errands->count; i++)
        errand->parts[i].is_in = false;
}

static bool send_part(struct errands *errands, struct errand_part *part)
{
    if (part->shard == errands->self)
        return errand_serve(errands, part, errands->self);
    const struct mesh_message message = {.kind = part->message, .context = part};
    return mesh_ask(errands->mesh, part->shard, MESH_ERRANDS, &message);
}

void errand_ask(struct errand *errand, uint16_t shard, enum errand_message message)
{
    struct errands *errands = errand->errands;
    struct errand_part *part = &errand->parts[shard];
    assert((errand->asked >> shard & 1) == 0);
    part->message = (uint16_t)message;
    part->reply_bytes = 0;
    part->cut = 0;
    part->next = NULL;
    errand->asked |= UINT64_C(1) << shard;
    errand->out++;
    if (errands->unsent[shard].first == NULL && send_part(errands, part))
        return;
    if (errands->unsent[shard].first == NULL)
        errands->unsent[shard].first = part;
    else
        errands->unsent[shard].last->next = part;
    errands->unsent[shard].last = part;
    shard_wake(errands->shard);
}

void errand_ask_all(struct errand *errand, enum errand_message message)
{
    errand_begin_round(errand);
    for (uint16_t i = 0; i < errand->errands->count; i++)
        errand_ask(errand, i, message);
}

static void send_again(struct errands *errands)
{
    for (uint16_t i = 0; i < errands->count; i++) {
        struct errand_part *part;
        while ((part = errands->unsent[i].first) != NULL) {
            struct errand_part *next = part->next;
            if (!send_part(errands, part))
                break; /* what frees a place wakes this shard */
            errands->unsent[i].first = next;
        }
    }
}

static bool on_ask(void *context, const struct mesh_message *message)
{
    struct errands *errands = context;
    if (message->kind == ERRAND_NEW) {
        destination_set_add(&errands->news, (uint16_t)message->words[0]);
        shard_wake(errands->shard);
        return true;
    }
    return errand_serve(errands, message->context, message->from);
}

static void on_answer(void *context, const struct mesh_message *message)
{
    struct errands *errands = context;
    errand_answered(message->context);
    shard_wake(errands->shard); /* what could not be asked may be now */
}

static void on_consumption(void *context)
{
    struct errands *errands = context;
    shard_wake(errands->shard); /* what was refused is sent in its turn */
}

void errands_hear(struct errands *errands)
{
    const struct mesh_handler handler = {on_ask, on_answer, errands};
    mesh_on(errands->mesh, MESH_ERRANDS, &handler);
    mesh_on_consumption(errands->mesh, on_consumption, errands);
}

void errand_answered(struct errand_part *part)
{
    struct errand *errand = part->errand;
    struct session *session = errand->slot != NULL ? errand->slot->session : errand->session;
    part->is_in = true;
    if (part->has_consumed && session != NULL)
        session->has_consumed = true; /* so it never waits for room that it makes itself */
    assert(errand->out > 0);
    if (--errand->out == 0 && !errand->is_going)
        errand_make_due(errand);
}

/* ---- going on ---- */

static void line_push(struct errand_line *line, struct errand *errand)
{
    errand->next = NULL;
    if (line->first == NULL)
        line->first = errand;
    else
        line->last->next = errand;
    line->last = errand;
}

static struct errand *line_pop(struct errand_line *line)
{
    struct errand *errand = line->first;
    line->first = errand->next;
    return errand;
}

void errand_make_due(struct errand *errand)
{
    assert(!errand->is_due && !errand->is_unbuffered);
    errand->is_due = true;
    line_push(&errand->errands->due, errand);
    shard_wake(errand->errands->shard);
}

void errands_run(struct errands *errands)
{
    send_again(errands);
    errands_tell_again(errands);
    errands_run_stands(errands);
    errands_run_blocked(errands);
    while (errands->due.first != NULL) {
        struct errand *errand = line_pop(&errands->due);
        errand->is_due = false;
        go_on(errand);
        errands_run_blocked(errands);
    }
}

static void lend_buffers(struct errand *errand)
{
    struct errands *errands = errand->errands;
    for (uint16_t i = 0; i < errands->count; i++) {
        struct errand_part *part = &errand->parts[i];
        part->chunk = chunk_take(&errands->buffers);
        part->reply = part->chunk->data;
        part->reply_capacity = part->chunk->capacity;
    }
    errand->has_buffers = true;
}

/* For all parts, or it stands in line for them: false. */
static bool take_buffers(struct errand *errand)
{
    struct errands *errands = errand->errands;
    if (!errand->kind->is_long || errand->has_buffers)
        return true;
    if (errands->buffers.free_count >= errands->count && errands->unbuffered.first == NULL) {
        lend_buffers(errand);
        return true;
    }
    errand->is_unbuffered = true;
    line_push(&errands->unbuffered, errand);
    return false;
}

/* The first in line has them then, and goes on. */
static void return_buffers(struct errand *errand)
{
    struct errands *errands = errand->errands;
    if (!errand->has_buffers)
        return;
    errand->has_buffers = false;
    for (uint16_t i = 0; i < errands->count; i++)
        chunk_return(errand->parts[i].chunk);
    if (errands->unbuffered.first == NULL)
        return;
    struct errand *first = line_pop(&errands->unbuffered);
    first->is_unbuffered = false;
    lend_buffers(first);
    errand_make_due(first);
}

/* Whom it was for is gone, and nothing is asked for the sake of asking. */
static bool is_for_nobody(const struct errand *errand)
{
    return errand->session == NULL && errand->slot == NULL;
}

static bool try_reply(struct errand *errand)
{
    struct session *session = errand->session;
    struct resp_writer writer = session_reply_begin(session);
    const struct errand_part *failure = errand_failure(errand);
    if (failure != NULL && !errand->kind->bears_failures)
        resp_write_raw(&writer, errand_part_bytes(failure));
    else
        errand->kind->reply(errand, &writer);
    errand->is_replying = true;
    if (!writer.overflowed && !connection_has_room(session->connection, writer.needed))
        return false; /* it is told when there is: errand_try_reply */
    session_reply_end(session, &writer);
    return true;
}

/* The sum of what those who were asked did. */
static void fill_slot(struct errand *errand)
{
    struct resp_writer writer;
    uint8_t memory[32];
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct merge merge = errand_merge(errand, parts, count);
    resp_writer_init(&writer, errand->terms.protocol, memory, sizeof memory);
    merge_sum(&merge, &writer);
    struct resp_cursor cursor = resp_cursor_make(bytes_make(memory, writer.needed));
    struct resp_item item;
    bool is_there = resp_cursor_next(&cursor, &item);
    assert(is_there);
    errand->slot->integer = item.integer;
    errand->errands->owed--;
    session_slot_done(errand->errands->shard, errand->slot);
}

static void go_on(struct errand *errand)
{
    enum errand_step step = ERRAND_ASKS;
    errand->is_going = true;
    while (step == ERRAND_ASKS && errand->out == 0) {
        if (is_for_nobody(errand)) {
            end(errand);
            return;
        }
        if (!take_buffers(errand))
            break;
        step = errand->kind->step(errand);
    }
    errand->is_going = false;
    if (step == ERRAND_WAITS)
        return_buffers(errand);
    if (step != ERRAND_REPLIES)
        return;
    if (errand->slot != NULL)
        fill_slot(errand);
    else if (!try_reply(errand))
        return;
    end(errand);
}

/* ---- ending ---- */

static void end(struct errand *errand)
{
    struct session *session = errand->session;
    struct errands *errands = errand->errands;
    assert(errand->out == 0 && !errand->is_due && !errand->is_unbuffered);
    errand_unblock(errand);
    return_buffers(errand);
    chunk_return(errand->chunk);
    errands->under_way--;
    if (errands->shard->promises_wanted) /* for want of room for errands, perhaps */
        shard_wake(errands->shard);
    if (session == NULL)
        return;
    session->errand = NULL;
    if ((session->waits & SESSION_WAIT_READ) != 0)
        connection_watch(session->connection, false);
    session_wait_over(session, SESSION_WAIT_READ);
    session_wait_over(session, SESSION_WAIT_ERRAND);
    if (session->finishing)
        session_finish(session);
}

void errand_leave(struct session *session)
{
    struct errand *errand = session->errand;
    session->errand = NULL;
    errand_unblock(errand);
    errand->session = NULL;
    if (errand->out == 0 && !errand->is_due && !errand->is_unbuffered)
        end(errand);
}

void errand_try_reply(struct session *session)
{
    struct errand *errand = session->errand;
    if (errand->is_replying && try_reply(errand))
        end(errand);
}

bool errand_must_end(const struct session *session)
{
    return session->errand != NULL && !session->errand->is_blocked;
}

/* ---- replies ---- */

static bool is_failure(const struct errand_part *part)
{
    return part->reply_bytes > 0 && part->reply[0] == '-';
}

const struct errand_part *errand_failure(const struct errand *errand)
{
    for (uint16_t i = 0; i < errand->errands->count; i++)
        if (errand->parts[i].is_in && is_failure(&errand->parts[i]))
            return &errand->parts[i];
    return NULL;
}

uint32_t errand_replies(struct errand *errand, struct bytes *out_parts,
                        uint64_t out_cut[READ_STREAMS_MAX])
{
    uint32_t count = 0;
    memset(out_cut, 0, READ_STREAMS_MAX * sizeof *out_cut);
    for (uint16_t i = 0; i < errand->errands->count; i++) {
        const struct errand_part *part = &errand->parts[i];
        if (!part->is_in || is_failure(part))
            continue;
        for (uint32_t s = 0; s < READ_STREAMS_MAX; s++)
            out_cut[s] |= (uint64_t)(part->cut >> s & 1) << count;
        out_parts[count++] = errand_part_bytes(part);
    }
    return count;
}

struct merge errand_merge(const struct errand *errand, const struct bytes *parts, uint32_t count)
{
    return (struct merge){.parts = parts,
                          .count = count,
                          .scratch = errand->errands->scratch,
                          .scratch_count = errand->errands->scratch_count};
}

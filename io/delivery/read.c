#include "io/delivery/read.h"

#include <assert.h>

#include "io/delivery/errand.h"
#include "io/delivery/outlet_watch.h"
#include "io/delivery/read_reply.h"
#include "io/front/session_records.h"
#include "io/intake/append.h"

/* So much of what is not in memory stands in one reply: showing it must not hold the others up. */
enum { READ_OLD_BYTES = 256 * 1024 };

struct read_attempt {
    struct read_reply reply;
    const struct read_request *request;
    uint64_t old_bytes;                /* of records that are not in memory */
    uint64_t old_since_ns;             /* by pace_clock_ns; 0: there are none */
    bool must_wait;                    /* for leave to show old ones */
    bool has_some;                     /* there is something to reply */
    const struct read_stream *lacking; /* the first that ends for want of a record, or of leave */
};

/* How far a stream came. */
struct progress {
    bool lacks;          /* it ends before an entry that cannot be shown yet */
    bool is_old;         /* some of it was not in memory */
    uint64_t next_index; /* behind the last one */
};

static bool read_new(struct read_attempt *attempt, const struct read_stream *stream,
                     struct progress *out);
static bool read_history(struct read_attempt *attempt, const struct read_stream *stream,
                         struct progress *out);
static enum read_outcome recall(struct read_attempt *attempt);

/* What the destinations have at hand; `out_progress` by stream. */
static void read_all(struct read_attempt *attempt, struct progress *out_progress)
{
    struct read_reply *reply = &attempt->reply;
    for (uint32_t i = 0; i < attempt->request->stream_count; i++) {
        const struct read_stream *stream = &attempt->request->streams[i];
        if (stream->outlet == NULL)
            continue;
        bool is_full = reply->destinations > 0 && read_reply_is_full(reply);
        if (is_full && reply->session->terms == NULL)
            break; /* one that is named without entries would seem to have none */
        read_reply_begin_destination(reply, stream->outlet);
        bool is_there = stream->is_history ? read_history(attempt, stream, &out_progress[i])
                                           : read_new(attempt, stream, &out_progress[i]);
        if (out_progress[i].lacks && attempt->lacking == NULL)
            attempt->lacking = stream;
        if (out_progress[i].lacks || read_reply_is_full(reply))
            errand_part_cut(reply->session, i);
        attempt->has_some |= is_there;
        if (is_there || reply->session->terms != NULL) /* the asker counts them */
            read_reply_end_destination(reply);
    }
}

enum read_outcome read_run(struct session *session, const struct read_request *request)
{
    struct read_attempt attempt = {.request = request};
    struct progress progress[READ_STREAMS_MAX] = {{0}};
    read_reply_begin(&attempt.reply, session);
    read_all(&attempt, progress);
    if (!attempt.has_some && attempt.lacking != NULL)
        return recall(&attempt);
    if (!attempt.has_some && session->terms == NULL)
        return READ_NOTHING;
    read_reply_send(&attempt.reply);
    if (attempt.old_since_ns != 0)
        session_records_charge(session, attempt.old_since_ns, attempt.reply.size);
    for (uint32_t i = 0; i < request->stream_count; i++) {
        const struct read_stream *stream = &request->streams[i];
        if (stream->group != NULL && !stream->is_history &&
            (request->no_ack || stream->group->order != NULL)) /* more may be passed over */
            read_settled(session->shard, stream->group);
        if (progress[i].is_old || progress[i].lacks)
            session_records_read_ahead(session, stream->outlet, progress[i].next_index);
    }
    return READ_REPLIED;
}

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

/* Behind what may be shown of a stream without a group. */
static uint64_t end_of(const struct read_stream *stream)
{
    return stream->until.ms == UINT64_MAX
               ? stream->outlet->end
               : outlet_lower_bound(stream->outlet, record_id_after(stream->until));
}

static uint64_t next_new(const struct read_request *request, const struct read_stream *stream)
{
    if (stream->group != NULL)
        return group_next(stream->group, stream->consumer, request->no_ack);
    uint64_t index = outlet_lower_bound(stream->outlet, record_id_after(stream->after));
    return index < end_of(stream) ? index : GROUP_NOTHING;
}

/* False: it is not in memory, and may not be shown yet, or not in this reply. */
static bool may_show(struct read_attempt *attempt, const struct outlet_entry *entry)
{
    struct session *session = attempt->reply.session;
    if (journal_has(&session->shard->journal, entry->position))
        return true;
    if (attempt->old_since_ns != 0 && attempt->old_bytes + entry->size_bytes > READ_OLD_BYTES)
        return false;
    if (attempt->old_since_ns == 0) {
        attempt->must_wait = !session_records_may_go(session);
        if (attempt->must_wait)
            return false;
        attempt->old_since_ns = pace_clock_ns();
    }
    attempt->old_bytes += entry->size_bytes;
    return true;
}

/* False if there is nothing new, or it is not at hand: entries are taken only when they are. */
static bool read_new(struct read_attempt *attempt, const struct read_stream *stream,
                     struct progress *out)
{
    struct read_reply *reply = &attempt->reply;
    const struct read_request *request = attempt->request;
    uint64_t index = next_new(request, stream), old_bytes = attempt->old_bytes;
    uint64_t taken_ms = now_ms(reply->session);
    while (reply->count < stream->count && !read_reply_is_full(reply) && index != GROUP_NOTHING) {
        const struct outlet_entry *entry = outlet_entry(stream->outlet, index);
        const struct record *record = NULL;
        if (may_show(attempt, entry))
            record = session_record(reply->session, entry->position);
        out->next_index = index;
        out->lacks = record == NULL;
        if (record == NULL)
            break;
        if (stream->group != NULL) {
            uint64_t taken = group_take(stream->group, stream->consumer, request->no_ack, taken_ms);
            assert(taken == index);
        }
        read_reply_add(reply, record);
        out->next_index = ++index;
        if (stream->group != NULL)
            index = group_next(stream->group, stream->consumer, request->no_ack);
        else if (index >= end_of(stream))
            break;
    }
    out->is_old = attempt->old_bytes > old_bytes;
    return reply->count > 0;
}

/* ---- own pending entries ---- */

static bool is_exhausted(const struct group *group, const struct pending_entry *entry)
{
    uint32_t deliveries_max = group->outlet->destination->deliveries_max;
    return deliveries_max > 0 && entry->deliveries >= deliveries_max;
}

bool read_bury_exhausted(struct session *session, struct group *group, struct pending_entry *entry)
{
    struct shard *shard = session->shard;
    uint32_t size_bytes = outlet_entry(group->outlet, entry->index)->size_bytes;
    if (!is_exhausted(group, entry) || facts_prepare(shard, group) != STATUS_OK ||
        append_make_room(shard, size_bytes) != STATUS_OK)
        return false;
    facts_flush(shard); /* so that the burial alone is gathered */
    const struct record *record =
        session_record_to_repeat(session, outlet_entry(group->outlet, entry->index)->position);
    struct fact_burial burial = facts_make_burial(group, entry->id);
    if (record == NULL ||
        append_repeat(shard, record, RECORD_DEAD_LETTER, group->outlet->destination->dead_letter,
                      &burial.settled.head) != STATUS_OK)
        return false; /* the dead letter is full: deliver it once more */
    group_bury(group, entry);
    facts_forget_burial(group);
    read_settled(shard, group);
    return true;
}

/* False if the first entry is not at hand; no entry at all is a reply. */
static bool read_history(struct read_attempt *attempt, const struct read_stream *stream,
                         struct progress *out)
{
    struct read_reply *reply = &attempt->reply;
    struct session *session = reply->session;
    struct group *group = stream->group;
    struct pending_entry *entry;
    struct record_id after = record_id_after(stream->after);
    while (reply->count < stream->count && !read_reply_is_full(reply) &&
           (entry = group_next_pending(group, after, stream->consumer)) != NULL &&
           record_id_compare(entry->id, stream->until) <= 0) {
        if (session->terms != NULL && session->terms->looks) {
            read_reply_add_size(reply, outlet_entry(group->outlet, entry->index));
            after = record_id_after(entry->id);
            continue;
        }
        uint64_t position = outlet_entry(group->outlet, entry->index)->position;
        out->next_index = entry->index;
        out->lacks = session_record_to_repeat(session, position) == NULL;
        if (out->lacks)
            break;
        after = record_id_after(entry->id);
        if (read_bury_exhausted(session, group, entry))
            continue;
        entry->deliveries++;
        entry->delivered_ms = now_ms(session);
        read_reply_add(reply, session_record_to_repeat(session, position));
    }
    return reply->count > 0 || !out->lacks;
}

/* ---- records that are not at hand ---- */

static void want_new(struct session *session, const struct read_request *request,
                     const struct read_stream *stream)
{
    const struct outlet *outlet = stream->outlet;
    uint64_t index = next_new(request, stream);
    for (uint32_t count = 0; index < outlet->end && count < stream->count; count++, index++) {
        const struct outlet_entry *entry = outlet_entry(outlet, index);
        if (!session_records_want(session, entry->position, entry->size_bytes))
            break;
    }
}

static void want_history(struct session *session, const struct read_stream *stream)
{
    struct record_id after = record_id_after(stream->after);
    for (uint32_t count = 0; count < stream->count; count++) {
        const struct pending_entry *pending =
            group_next_pending(stream->group, after, stream->consumer);
        if (pending == NULL)
            break;
        const struct outlet_entry *entry = outlet_entry(stream->outlet, pending->index);
        if (!session_records_want(session, entry->position, entry->size_bytes))
            break;
        after = record_id_after(pending->id);
    }
}

/* Those of one stream are enough to reply with. */
static enum read_outcome recall(struct read_attempt *attempt)
{
    struct session *session = attempt->reply.session;
    if (attempt->must_wait) {
        session_records_pace(session);
        return READ_WAITS;
    }
    session_records_begin(session, READ_OLD_BYTES);
    if (attempt->lacking->is_history)
        want_history(session, attempt->lacking);
    else
        want_new(session, attempt->request, attempt->lacking);
    session_records_recall(session);
    return session_awaits_records(session) ? READ_WAITS : READ_REPLIED;
}

/* ---- what was settled ---- */

void read_wake(struct shard *shard, const struct outlet *outlet)
{
    if (outlet == NULL)
        return;
    destination_set_add(&shard->pushed, outlet->destination->index);
    shard_wake(shard);
}

void read_settled(struct shard *shard, struct group *group)
{
    outlet_trim(group->outlet);
    if (group->outlet->is_nearly_full)
        outlet_watch(group->outlet);
    if (group->waiters.first != NULL ||
        shard->errands != NULL) /* pending_max may have stopped them */
        read_wake(shard, group->outlet);
    shard_wake(shard);
}

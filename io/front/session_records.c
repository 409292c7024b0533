#include "io/front/session_records.h"

#include <assert.h>

#include "io/delivery/read.h"
#include "io/front/command.h"

enum { READ_AHEAD_BYTES = 2 * RECALL_READ_BYTES };

/* Will it be in memory still when as much was appended as the session may wait for? */
static bool stays_in_memory(const struct shard *shard, uint64_t position)
{
    const struct journal *journal = &shard->journal;
    uint64_t appended_until_then = journal->settings.segment_bytes / 2;
    return journal_has(journal, position) &&
           (shard->recall == NULL || position >= journal->durable_position ||
            journal->end_position + appended_until_then <= position + journal->capacity);
}

static const struct record *find_recalled(struct session *session, uint64_t position)
{
    struct shard *shard = session->shard;
    const struct record_head *head = recall_list_find(&session->recalled, position);
    if (head == NULL && shard->recall != NULL)
        head = recall_find(shard->recall, position);
    return head != NULL && head->kind == RECORD_KIND_MESSAGE ? (const struct record *)head : NULL;
}

const struct record *session_record(struct session *session, uint64_t position)
{
    const struct journal *journal = &session->shard->journal;
    return journal_has(journal, position) ? journal_message(journal, position)
                                          : find_recalled(session, position);
}

const struct record *session_record_to_repeat(struct session *session, uint64_t position)
{
    const struct shard *shard = session->shard;
    return stays_in_memory(shard, position) ? journal_message(&shard->journal, position)
                                            : find_recalled(session, position);
}

void session_records_begin(struct session *session, uint64_t bytes_max)
{
    recall_gather_begin(&session->shard->recall_lists, bytes_max);
}

bool session_records_want(struct session *session, uint64_t position, uint32_t size_bytes)
{
    struct shard *shard = session->shard;
    return stays_in_memory(shard, position) ||
           recall_gather_add(&shard->recall_lists, position, size_bytes);
}

static void reply_failure(struct session *session)
{
    const struct recall_list *list = &session->recalled;
    uint64_t segment_bytes = session->shard->journal.settings.segment_bytes;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(
        &writer,
        "IOERR a record cannot be read back from the journal: segment %016llx, offset %llu: %s; "
        "`kouan journal verify` says more, XACK or XGROUP SETID goes past it",
        (unsigned long long)(list->failed_position / segment_bytes),
        (unsigned long long)(list->failed_position % segment_bytes), status_text(list->failure));
    session_reply_end(session, &writer);
    session_records_end(session);
}

void session_records_recall(struct session *session)
{
    struct recall_lists *lists = &session->shard->recall_lists;
    struct recall_list *list = &session->recalled;
    assert(session->shard->recall != NULL); /* without files, memory has all that is kept */
    bool failed =
        list->state == RECALL_LIST_FAILED && recall_gather_has(lists, list->failed_position);
    if (!failed) {
        recall_list_start(lists, list);
        failed = list->state == RECALL_LIST_FAILED; /* there will never be memory for it */
    }
    if (failed)
        reply_failure(session);
    else
        session_wait_for(session, SESSION_WAIT_RECALL);
}

bool session_records_may_go(struct session *session)
{
    return recall_list_may_go(&session->shard->recall_lists, &session->recalled);
}

void session_records_pace(struct session *session)
{
    recall_list_pace(&session->shard->recall_lists, &session->recalled);
    session_wait_for(session, SESSION_WAIT_RECALL);
}

void session_records_charge(struct session *session, uint64_t started_ns, uint64_t bytes)
{
    recall_lists_charge(&session->shard->recall_lists, started_ns, bytes);
}

/* Behind the entries from `index` on that lie close together; `*out_next` is the one after them. */
static uint64_t reach(const struct outlet *outlet, uint64_t index, uint64_t *out_next)
{
    const struct outlet_entry *entry = outlet_entry(outlet, index);
    uint64_t bound = entry->position + READ_AHEAD_BYTES, end;
    do {
        end = entry->position + entry->size_bytes;
        if (++index == outlet->end)
            break;
        entry = outlet_entry(outlet, index);
    } while (entry->position >= end && entry->position <= end + RECALL_GAP_BYTES && end < bound);
    *out_next = index;
    return end;
}

void session_records_read_ahead(struct session *session, const struct outlet *outlet,
                                uint64_t index)
{
    struct shard *shard = session->shard;
    uint64_t bytes = 0;
    while (index < outlet->end && bytes < READ_AHEAD_BYTES) {
        uint64_t position = outlet_entry(outlet, index)->position;
        if (journal_has(&shard->journal, position))
            return; /* it has caught up */
        uint64_t end = reach(outlet, index, &index);
        recall_read_ahead(shard->recall, position, end);
        bytes += end - position + RECALL_GAP_BYTES;
    }
}

void session_records_ready(struct recall_list *list)
{
    struct session *session =
        (struct session *)(void *)((char *)list - offsetof(struct session, recalled));
    session_wait_over(session, SESSION_WAIT_RECALL);
    read_records_came(session); /* if it is blocked; the others are fed their command again */
}

void session_records_end(struct session *session)
{
    recall_list_end(&session->recalled);
    session_wait_over(session, SESSION_WAIT_RECALL);
}

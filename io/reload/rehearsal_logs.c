#include "io/reload/rehearsal_logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/audit/log_cursor.h"

/* NULL: it is no message as it came in, or an old one. */
static const struct record *message_of(const struct record_head *head)
{
    const struct record *record = (const struct record *)(const void *)head;
    return head->kind == RECORD_KIND_MESSAGE && (head->flags & RECORD_COPIED) == 0 &&
                   record->cause == RECORD_MESSAGE
               ? record
               : NULL;
}

static enum status go_on(const struct rehearsal_logs *logs)
{
    return logs->is_over(logs->context) ? STATUS_INCOMPLETE : STATUS_OK;
}

/* ---- the last ones ---- */

/* Rising ids, the last of those that were noted. */
struct newest {
    struct rehearsal_logs *logs;
    struct record_id *kept, *noted, *merged; /* of `capacity`; of all logs so far, of this one */
    uint32_t capacity, kept_count;
    uint64_t noted_count; /* the last `capacity` of them are there, in a circle */
};

static enum status note_block(void *context, const struct block_header *block)
{
    (void)block;
    return go_on(((const struct newest *)context)->logs);
}

static enum status note_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct newest *newest = context;
    const struct record *record = message_of(head);
    (void)position;
    (void)block;
    if (record != NULL && newest->capacity > 0)
        newest->noted[newest->noted_count % newest->capacity] = record->id;
    newest->noted_count += record != NULL;
    return STATUS_OK;
}

/* The greatest of what is kept and what was noted are kept. */
static void merge(struct newest *newest)
{
    uint64_t noted = newest->noted_count, first = 0;
    uint32_t kept = newest->kept_count, merged = newest->capacity;
    if (noted > newest->capacity)
        first = noted - newest->capacity;
    while (merged > 0 && (kept > 0 || noted > first)) {
        struct record_id id;
        if (noted > first)
            id = newest->noted[(noted - 1) % newest->capacity];
        if (noted == first || (kept > 0 && record_id_compare(newest->kept[kept - 1], id) > 0))
            id = newest->kept[--kept];
        else
            noted--;
        newest->merged[--merged] = id;
    }
    newest->kept_count = newest->capacity - merged;
    memmove(newest->kept, newest->merged + merged, newest->kept_count * sizeof *newest->kept);
}

/* From the log's end in ever larger steps back, until there are enough. */
static enum status look_back(void *context, const struct log_reader *reader)
{
    struct newest *newest = context;
    struct log_walk walk;
    const struct log_handler handler = {
        .block = note_block, .record = note_record, .context = newest};
    uint32_t back = 1;
    for (;; back *= 2) {
        back = back < reader->segment_count ? back : reader->segment_count;
        newest->noted_count = 0;
        enum status status = log_walk(reader, reader->segments[reader->segment_count - back].number,
                                      &handler, &walk);
        if (status != STATUS_OK)
            return status;
        bool is_enough = walk.blocks > 0 && newest->noted_count >= newest->capacity;
        if (is_enough || back == reader->segment_count)
            break;
    }
    newest->logs->after[reader->log_number] = walk.last_id;
    merge(newest);
    return STATUS_OK;
}

enum status rehearsal_logs_go_back(struct rehearsal_logs *logs, uint32_t count,
                                   char out_problem[LOG_PROBLEM_BYTES])
{
    struct newest newest = {.logs = logs, .capacity = count};
    struct record_id *memory = calloc(3 * (size_t)count + 1, sizeof *memory);
    if (memory == NULL) {
        snprintf(out_problem, LOG_PROBLEM_BYTES, "out of memory");
        return STATUS_NO_MEMORY;
    }
    newest.kept = memory;
    newest.noted = memory + count;
    newest.merged = newest.noted + count;
    enum status status = log_reader_each(logs->folder, look_back, &newest, out_problem);
    for (uint32_t log = 0; newest.kept_count > 0 && log < LOGS_MAX; log++)
        logs->after[log] = record_id_before(newest.kept[0]);
    free(memory);
    return status;
}

/* ---- from there on ---- */

struct reading_on {
    struct rehearsal_logs *logs;
    const struct log_reader *reader;
};

static enum status take_block(void *context, const struct block_header *block)
{
    (void)block;
    return go_on(((const struct reading_on *)context)->logs);
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    const struct reading_on *on = context;
    struct record_id *after = &on->logs->after[on->reader->log_number];
    const struct record *record = message_of(head);
    (void)position;
    (void)block;
    if (record == NULL || record_id_compare(record->id, *after) <= 0)
        return STATUS_OK;
    *after = record->id;
    return on->logs->take(on->logs->taker, on->reader, record);
}

static enum status read_on(void *context, const struct log_reader *reader)
{
    struct rehearsal_logs *logs = context;
    struct reading_on on = {.logs = logs, .reader = reader};
    struct log_walk walk;
    const struct log_handler handler = {.block = take_block, .record = take_record, .context = &on};
    struct record_id first = record_id_after(logs->after[reader->log_number]);
    return log_walk(reader, log_cursor_find_segment(reader, first), &handler, &walk);
}

enum status rehearsal_logs_read(struct rehearsal_logs *logs, char out_problem[LOG_PROBLEM_BYTES])
{
    return log_reader_each(logs->folder, read_on, logs, out_problem);
}

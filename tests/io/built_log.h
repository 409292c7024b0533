/* Journals made by hand for tests of what reads them: blocks and segments as docs/journal.md has
 * them, written into a folder of their own by plain writes. */
#ifndef KOUAN_TESTS_IO_BUILT_LOG_H
#define KOUAN_TESTS_IO_BUILT_LOG_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fact.h"
#include "core/journal_format.h"

enum { BUILT_SEGMENT_BYTES = JOURNAL_SEGMENT_BYTES_MIN, BUILT_BLOCK_BYTES_MAX = 256 * 1024 };

struct built_log {
    char folder[32];
    uint64_t position; /* where the next block goes */
    uint64_t log_time_ms, wall_ms;
    struct digest_secret secret;
    struct digest last_checksum;
    struct record_id last_id;
    int file;
    uint64_t file_number;
    union {
        struct block_header header;
        uint8_t bytes[BUILT_BLOCK_BYTES_MAX];
    } block; /* the open one */
};

static inline void built_segment(struct built_log *log, uint64_t number)
{
    char path[128];
    uint8_t page[JOURNAL_PAGE_BYTES] = {0};
    if (log->file >= 0)
        close(log->file);
    struct segment_header header = {
        .magic = JOURNAL_SEGMENT_MAGIC,
        .version = JOURNAL_VERSION,
        .segment_bytes = BUILT_SEGMENT_BYTES,
        .number = number,
        .incarnation = 1,
        .log_time_ms = log->log_time_ms,
        .wall_ms = log->wall_ms,
        .previous = log->last_checksum,
        .log_count = 1,
        .secret = log->secret,
    };
    segment_header_seal(&header);
    memcpy(page, &header, sizeof header);
    snprintf(path, sizeof path, "%s/00/%016llx.segment", log->folder, (unsigned long long)number);
    log->file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    cr_assert(log->file >= 0);
    cr_assert_eq(ftruncate(log->file, BUILT_SEGMENT_BYTES), 0);
    cr_assert_eq(pwrite(log->file, page, sizeof page, 0), (ssize_t)sizeof page);
    log->file_number = number;
    log->position = number * BUILT_SEGMENT_BYTES + JOURNAL_PAGE_BYTES;
}

static inline void built_begin_block(struct built_log *log)
{
    memset(&log->block, 0, sizeof log->block);
    log->block.header = (struct block_header){
        .magic = JOURNAL_BLOCK_MAGIC,
        .position = log->position,
        .used_bytes = sizeof log->block.header,
        .incarnation = 1,
    };
}

static inline struct built_log *built_open(void)
{
    char path[128];
    struct built_log *log = calloc(1, sizeof *log);
    cr_assert_not_null(log);
    snprintf(log->folder, sizeof log->folder, "/tmp/kouan-built-XXXXXX");
    cr_assert_not_null(mkdtemp(log->folder));
    snprintf(path, sizeof path, "%s/00", log->folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof log->secret.bytes; i++)
        log->secret.bytes[i] = (uint8_t)(i * 7 + 1);
    log->file = -1;
    log->log_time_ms = 1000;
    log->wall_ms = 1772357400000;
    built_segment(log, 0);
    built_begin_block(log);
    return log;
}

static inline void built_close(struct built_log *log)
{
    char command[256];
    close(log->file);
    snprintf(command, sizeof command, "rm -rf '%s' '%s.new'", log->folder, log->folder);
    cr_assert_eq(system(command), 0);
    free(log);
}

/* Ends the open block and writes it; its position. */
static inline uint64_t built_seal(struct built_log *log)
{
    struct block_header *header = &log->block.header;
    uint64_t position = log->position;
    header->size_bytes = (uint32_t)journal_round_up(header->used_bytes, JOURNAL_PAGE_BYTES);
    header->position = position;
    header->log_time_ms = log->log_time_ms;
    header->watermark = position; /* one write at a time */
    header->last_id = log->last_id;
    header->previous = log->last_checksum;
    block_seal(&log->secret, header);
    cr_assert_eq(
        pwrite(log->file, header, header->size_bytes, (off_t)(position % BUILT_SEGMENT_BYTES)),
        (ssize_t)header->size_bytes);
    log->last_checksum = header->checksum;
    log->position += header->size_bytes;
    log->log_time_ms += 10;
    log->wall_ms += 10;
    built_begin_block(log);
    return position;
}

/* Ends the segment: the next block begins the next one. */
static inline void built_next_segment(struct built_log *log)
{
    built_segment(log, log->file_number + 1);
    built_begin_block(log);
}

/* Room for a record of this size in the open block. */
static inline void *built_record(struct built_log *log, uint32_t size_bytes, enum record_kind kind)
{
    struct block_header *header = &log->block.header;
    cr_assert_leq(header->used_bytes + size_bytes, sizeof log->block.bytes);
    struct record_head *head =
        (struct record_head *)(void *)(log->block.bytes + header->used_bytes);
    *head = (struct record_head){.size_bytes = size_bytes, .kind = (uint8_t)kind};
    header->used_bytes += size_bytes;
    header->record_count++;
    return head;
}

static inline struct record_id built_next_id(struct built_log *log)
{
    struct record_id id = {log->wall_ms, 0};
    if (record_id_compare(id, log->last_id) <= 0)
        id = (struct record_id){log->last_id.ms, log->last_id.seq + 256};
    return id;
}

/* A message for one destination, with one value: an order key that is its whole body. */
static inline struct record *built_message(struct built_log *log, uint16_t destination,
                                           const char *body)
{
    uint32_t bytes = (uint32_t)strlen(body);
    uint32_t size = record_size(1, 1, 1, bytes, 0);
    struct record *record = built_record(log, size, RECORD_KIND_MESSAGE);
    struct record_head head = record->head;
    *record = (struct record){.head = head,
                              .id = built_next_id(log),
                              .generation = 1,
                              .body_bytes = bytes,
                              .value_count = 1,
                              .entry_count = 1,
                              .destination_count = 1,
                              .rule_count = 1,
                              .part_number = 1,
                              .part_count = 1};
    record_destinations(record)[0] = destination;
    record_rules(record)[0] = 3;
    memcpy((uint8_t *)(uintptr_t)record_body(record).data, body, bytes);
    record_values(record)[0] = (struct record_value){
        .size = (uint16_t)bytes, .entry = 1, .slot = 22 /* the first kind of key: order */};
    log->last_id = record->id;
    return record;
}

static inline void built_generation(struct built_log *log)
{
    struct fact_generation *fact = built_record(log, sizeof *fact, RECORD_KIND_GENERATION);
    fact->number = 1;
    fact->wall_ms = log->wall_ms;
}

static inline struct fact_group *built_group(struct built_log *log, uint32_t number,
                                             uint16_t destination, const char *name,
                                             enum group_event event, struct record_id after)
{
    struct fact_group *fact = built_record(log, fact_group_size(strlen(name)), RECORD_KIND_GROUP);
    fact->number = number;
    fact->destination = destination;
    fact->event = (uint8_t)event;
    fact->after = after;
    fact_group_set_name(fact, bytes_from_text(name));
    return fact;
}

static inline void built_settled(struct built_log *log, uint32_t number, uint16_t destination,
                                 struct record_id from, struct record_id to, uint64_t count)
{
    struct fact_settled *fact = built_record(log, fact_settled_size(1), RECORD_KIND_SETTLED);
    fact->group_number = number;
    fact->destination = destination;
    fact->range_count = 1;
    fact_settled_ranges(fact)[0] = (struct settled_range){from, to, count};
}

/* Overwrites bytes on disk, behind the log's back. */
static inline void built_damage(const struct built_log *log, uint64_t position, uint32_t bytes)
{
    char path[128];
    uint8_t noise[64];
    memset(noise, 0xA5, sizeof noise);
    cr_assert_leq(bytes, sizeof noise);
    snprintf(path, sizeof path, "%s/00/%016llx.segment", log->folder,
             (unsigned long long)(position / BUILT_SEGMENT_BYTES));
    int file = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert(file >= 0);
    cr_assert_eq(pwrite(file, noise, bytes, (off_t)(position % BUILT_SEGMENT_BYTES)),
                 (ssize_t)bytes);
    close(file);
}

static inline void built_remove_segment(const struct built_log *log, uint64_t number)
{
    char path[128];
    snprintf(path, sizeof path, "%s/00/%016llx.segment", log->folder, (unsigned long long)number);
    cr_assert_eq(unlink(path), 0);
}

#endif

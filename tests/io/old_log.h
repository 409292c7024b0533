/* A log of three segments for the tests of reading back: blocks of very different sizes full of
 * messages whose bytes follow from their position, "files" in memory behind a disk that answers
 * when told to, and can fail, fall short and flip bytes. */
#ifndef KOUAN_TESTS_IO_OLD_LOG_H
#define KOUAN_TESTS_IO_OLD_LOG_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "io/recall/recall.h"
#include "tests/core/random.h"

enum {
    OLD_SEGMENT_BYTES = 4 * 1024 * 1024,
    OLD_SEGMENTS = 3,
    OLD_BLOCKS_MAX = 4096,
    OLD_RECORDS_MAX = 65536,
    OLD_LARGE_BLOCK_BYTES = OLD_SEGMENT_BYTES / 4
};

struct old_record {
    uint64_t position;
    uint32_t size_bytes, block;
};

struct old_log {
    struct disk disk; /* first */
    struct loop *loop;
    struct recall *recall;
    struct timer tick;
    struct digest_secret secret;
    uint8_t *files[OLD_SEGMENTS];
    struct segments *segments;
    struct {
        uint64_t start, end;
    } blocks[OLD_BLOCKS_MAX];
    uint32_t block_count;
    struct old_record records[OLD_RECORDS_MAX];
    uint32_t record_count;
    struct disk_request *first, *last; /* reads, submitted */
    struct disk_request *others;
    uint32_t in_flight, in_flight_most;
    uint64_t reads, read_bytes;
    uint64_t fail_position, short_position; /* reads that touch it fail, or end there; 0: none */
    uint32_t alarms;
    uint64_t alarm_position;
    uint64_t writes_since_ns; /* writes are in flight since then; 0: none ever were */
};

/* ---- the disk ---- */

static inline void old_log_submit(struct disk *disk, struct disk_request *request)
{
    struct old_log *log = (struct old_log *)(void *)disk;
    if (request->action != DISK_READ) { /* of opening and closing the segments */
        request->next = log->others;
        log->others = request;
        return;
    }
    cr_assert_eq((uintptr_t)request->memory % JOURNAL_PAGE_BYTES, 0);
    cr_assert_eq(request->offset % JOURNAL_PAGE_BYTES, 0);
    cr_assert_eq(request->size_bytes % JOURNAL_PAGE_BYTES, 0);
    cr_assert_leq(request->offset + request->size_bytes, OLD_SEGMENT_BYTES);
    request->next = NULL;
    *(log->first != NULL ? &log->last->next : &log->first) = request;
    log->last = request;
    if (++log->in_flight > log->in_flight_most)
        log->in_flight_most = log->in_flight;
    log->reads++;
    log->read_bytes += request->size_bytes;
}

static inline bool old_log_covers(const struct disk_request *request, uint64_t position)
{
    uint64_t start = (uint64_t)request->file * OLD_SEGMENT_BYTES + request->offset;
    return position != 0 && position >= start && position < start + request->size_bytes;
}

/* Answers the oldest read. */
static inline void old_log_answer(struct old_log *log)
{
    struct disk_request *request = log->first;
    int32_t result = (int32_t)request->size_bytes;
    cr_assert_not_null(request);
    log->first = request->next;
    log->in_flight--;
    if (old_log_covers(request, log->fail_position))
        result = -EIO;
    else if (old_log_covers(request, log->short_position))
        result = (int32_t)(log->short_position % OLD_SEGMENT_BYTES - request->offset);
    if (result > 0)
        memcpy(request->memory, log->files[request->file] + request->offset, (size_t)result);
    request->done(request, result);
}

static inline void old_log_tick(struct loop *loop, struct timer *timer)
{
    (void)loop;
    (void)timer;
}

static inline void old_log_wait(struct disk *disk)
{
    struct old_log *log = (struct old_log *)(void *)disk;
    struct disk_request *request = log->others;
    cr_assert_not_null(request);
    log->others = request->next;
    request->done(request, request->action == DISK_CLOSE ? 0 : -ENOENT);
}

/* One turn of the loop, which waits for nothing. */
static inline void old_log_turn(struct old_log *log)
{
    log->tick.expire = old_log_tick;
    loop_timer_arm(log->loop, &log->tick, loop_now_ns(log->loop));
    loop_turn(log->loop);
}

/* Turns and answers until nothing is under way; what waits for ever fails the test. */
static inline void old_log_settle(struct old_log *log)
{
    enum { TURNS_AFTER = 3, TURNS_MAX = 10000000 };
    int turns = 0;
    for (int quiet = 0; quiet < TURNS_AFTER; quiet++) {
        old_log_turn(log);
        while (log->first != NULL)
            old_log_answer(log);
        if (!recall_is_idle(log->recall))
            quiet = 0;
        cr_assert_lt(++turns, TURNS_MAX);
    }
}

/* ---- its bytes ---- */

static inline struct block_header *old_log_block(struct old_log *log, uint32_t block)
{
    uint64_t start = log->blocks[block].start;
    return (struct block_header *)(void *)(log->files[start / OLD_SEGMENT_BYTES] +
                                           start % OLD_SEGMENT_BYTES);
}

static inline const struct record *old_log_record(const struct old_log *log, uint32_t index)
{
    uint64_t position = log->records[index].position;
    return (const struct record *)(const void *)(log->files[position / OLD_SEGMENT_BYTES] +
                                                 position % OLD_SEGMENT_BYTES);
}

/* The record as it should be, from its place alone: what was read is compared with it. */
static inline void old_log_fill_record(struct record *record, uint64_t position,
                                       uint32_t body_bytes)
{
    uint32_t size = record_size(1, 0, 0, body_bytes, 0);
    memset(record, 0, size);
    record->head = (struct record_head){.size_bytes = size, .kind = RECORD_KIND_MESSAGE};
    record->id = (struct record_id){position, position};
    record->body_bytes = body_bytes;
    record->entry_count = record->part_number = record->part_count = 1;
    record->destination_count = 1;
    struct random random = {position};
    uint64_t word = 0;
    uint8_t *body = (uint8_t *)(uintptr_t)record_body(record).data;
    for (uint32_t i = 0; i < body_bytes; i++) {
        word = i % 8 == 0 ? random_u64(&random) : word >> 8;
        body[i] = (uint8_t)word;
    }
}

/* A block of about `bytes`, at `start`; its size. */
static inline uint32_t old_log_make_block(struct old_log *log, uint64_t start, uint32_t bytes,
                                          struct random *random)
{
    uint32_t index = log->block_count++;
    log->blocks[index].start = start;
    struct block_header *block = old_log_block(log, index);
    uint32_t used = sizeof *block, count = 0;
    do {
        uint32_t body =
            bytes > OLD_SEGMENT_BYTES / 8 ? bytes - 512 : 16 + random_below(random, 700);
        struct record *record = (struct record *)(void *)((uint8_t *)block + used);
        old_log_fill_record(record, start + used, body);
        log->records[log->record_count++] =
            (struct old_record){start + used, record->head.size_bytes, index};
        used += record->head.size_bytes;
        count++;
    } while (used + 1024 < bytes);
    uint32_t size = (uint32_t)journal_round_up(used, JOURNAL_PAGE_BYTES);
    *block = (struct block_header){.magic = JOURNAL_BLOCK_MAGIC,
                                   .position = start,
                                   .size_bytes = size,
                                   .used_bytes = used,
                                   .record_count = count};
    block_seal(&log->secret, block);
    log->blocks[index].end = start + size;
    segments_note_block(log->segments, start, size);
    return size;
}

static inline void old_log_alarm(void *context, uint64_t position, const char *reason)
{
    struct old_log *log = context;
    cr_assert_gt(strlen(reason), 0);
    log->alarms++;
    log->alarm_position = position;
}

static inline uint64_t old_log_writes_ns(void *context)
{
    const struct old_log *log = context;
    return log->writes_since_ns > 0 ? loop_now_ns(log->loop) - log->writes_since_ns : 0;
}

static inline void old_log_open_segments(struct old_log *log)
{
    const struct segments_settings settings = {
        .disk = &log->disk, .segment_bytes = OLD_SEGMENT_BYTES, .segments_max = OLD_SEGMENTS + 1};
    log->disk.submit = old_log_submit;
    log->disk.wait = old_log_wait;
    cr_assert_eq(segments_open(&settings, &log->segments), STATUS_OK);
}

static inline void old_log_adopt(struct old_log *log, int number)
{
    const struct segment segment = {
        .number = (uint64_t)number, .file = number, .size_bytes = OLD_SEGMENT_BYTES};
    cr_assert_eq(segments_adopt(log->segments, &segment), STATUS_OK);
}

static inline void old_log_open(struct old_log *log)
{
    char problem[256];
    struct random random = {1};
    memset(log, 0, sizeof *log);
    old_log_open_segments(log);
    for (size_t i = 0; i < sizeof log->secret.bytes; i++)
        log->secret.bytes[i] = (uint8_t)random_u64(&random);
    for (int s = 0; s < OLD_SEGMENTS; s++) {
        uint64_t begin = (uint64_t)s * OLD_SEGMENT_BYTES, at = begin + JOURNAL_PAGE_BYTES;
        log->files[s] = aligned_alloc(JOURNAL_PAGE_BYTES, OLD_SEGMENT_BYTES);
        memset(log->files[s], 0, OLD_SEGMENT_BYTES);
        old_log_adopt(log, s);
        while (at + OLD_LARGE_BLOCK_BYTES <= begin + OLD_SEGMENT_BYTES) {
            static const uint32_t sizes[] = {2048, 3000, 9000, 60000, 250000, 4000, 2000, 30000};
            uint64_t pick = random_u64(&random);
            uint32_t bytes = pick % 64 == 0 ? OLD_LARGE_BLOCK_BYTES - 1024 : sizes[pick % 8];
            at += old_log_make_block(log, at, bytes, &random);
        }
    }
    const struct loop_settings settings = {.submission_entries = 256,
                                           .completion_entries = 1024,
                                           .receive_buffer_count = 16,
                                           .files_max = 64,
                                           .timers_max = 64};
    cr_assert_eq(loop_open(&settings, &log->loop, problem, sizeof problem), STATUS_OK, "%s",
                 problem);
}

static inline void old_log_close(struct old_log *log)
{
    segments_close(log->segments);
    loop_close(log->loop);
    for (int s = 0; s < OLD_SEGMENTS; s++)
        free(log->files[s]);
}

static inline struct recall *old_log_recall(struct old_log *log, uint64_t memory_bytes)
{
    struct recall *recall;
    const struct recall_settings settings = {.loop = log->loop,
                                             .disk = &log->disk,
                                             .segments = log->segments,
                                             .secret = &log->secret,
                                             .memory_bytes = memory_bytes,
                                             .segment_bytes = OLD_SEGMENT_BYTES,
                                             .writes_ns = old_log_writes_ns,
                                             .alarm = old_log_alarm,
                                             .context = log};
    cr_assert_eq(recall_open(&settings, &recall), STATUS_OK);
    return log->recall = recall;
}

#endif

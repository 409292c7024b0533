/* A log of about 1 MB as a writer leaves it: several segments, some used before, two runs of the
 * server, up to two writes in flight; and a scan that compares what it is handed with what was
 * written. */
#ifndef KOUAN_TESTS_CORE_WRITTEN_LOG_H
#define KOUAN_TESTS_CORE_WRITTEN_LOG_H

#include <criterion/criterion.h>

#include "core/fact.h"
#include "core/journal.h"
#include "core/journal_scan.h"
#include "random.h"

enum {
    SEGMENT = 64 * 1024,
    SEGMENTS = 17, /* the last is prepared, and not begun */
    BEGUN = SEGMENTS - 1,
    LOG_BYTES = SEGMENT * SEGMENTS,
    RESTART_SEGMENT = 8, /* a server stopped in it; the next went on behind it */
    BLOCKS_MAX = LOG_BYTES / JOURNAL_PAGE_BYTES
};

/* What was written: `written` is never changed, `image` is what the scan reads. */
static struct written {
    _Alignas(4096) uint8_t written[LOG_BYTES], image[LOG_BYTES];
    uint64_t file_bytes[SEGMENTS];
    struct block {
        uint64_t position, end, watermark;
        uint32_t used_bytes, record_count;
        struct digest checksum;
    } blocks[BLOCKS_MAX];
    uint32_t block_count;
} written;

static struct digest_secret secret; /* full-length and random, or XXH3 misses changed bits */

/* ---- writing it ---- */

static inline bool append_message(struct journal *journal, struct random *random)
{
    uint32_t body = random_below(random, random_below(random, 8) == 0 ? 12000 : 900);
    uint32_t size = record_size(1, 0, 0, body, 0);
    struct record_head *head;
    uint64_t position;
    if (journal_reserve(journal, size, &head, &position) != STATUS_OK)
        return false;
    struct record *record = (struct record *)(void *)head;
    *record = (struct record){.head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                              .id = journal_next_id(journal, position),
                              .body_bytes = body,
                              .destination_count = 1};
    record_destinations(record)[0] = (uint16_t)random_below(random, 9);
    uint8_t *bytes = (uint8_t *)(uintptr_t)record_body(record).data;
    for (uint32_t i = 0; i < body; i++)
        bytes[i] = (uint8_t)random_u64(random);
    journal_commit_record(journal, head);
    return true;
}

static inline bool append_fact(struct journal *journal, struct random *random)
{
    struct record_head *head;
    uint64_t position;
    if (journal_reserve(journal, fact_settled_size(2), &head, &position) != STATUS_OK)
        return false;
    struct fact_settled *fact = (struct fact_settled *)(void *)head;
    *fact = (struct fact_settled){
        .head = {.size_bytes = fact_settled_size(2), .kind = RECORD_KIND_SETTLED},
        .destination = (uint16_t)random_below(random, 9),
        .range_count = 2};
    fact_settled_ranges(fact)[0] = (struct settled_range){{1, 0}, {random_u64(random) >> 1, 0}, 1};
    fact_settled_ranges(fact)[1] = (struct settled_range){{UINT64_MAX, 0}, {UINT64_MAX, 9}, 2};
    journal_commit_record(journal, head);
    return true;
}

/* A segment that is begun: zeros, or, if it was used before, blocks of elsewhere; and its header.
 */
static inline void begin_segment(const struct journal *journal, uint64_t number,
                                 struct digest previous)
{
    uint8_t *start = written.written + number * SEGMENT;
    memset(start, 0, JOURNAL_PAGE_BYTES);
    struct segment_header *header = (struct segment_header *)(void *)start;
    *header = (struct segment_header){
        .magic = JOURNAL_SEGMENT_MAGIC,
        .version = JOURNAL_VERSION,
        .segment_bytes = SEGMENT,
        .number = number,
        .incarnation = journal->settings.incarnation,
        .previous = previous,
        .secret = secret,
    };
    segment_header_seal(header);
}

static inline void use_before(uint64_t number)
{
    if (number % 3 == 2)
        memcpy(written.written + number * SEGMENT, written.written + (number - 2) * SEGMENT,
               SEGMENT);
}

/* Takes over what was sealed. Up to two writes are in flight, so what is durable lags behind. */
static inline void write_sealed(struct journal *journal, struct random *random, uint64_t *number)
{
    for (const struct journal_block *b; (b = journal_sealed_block(journal, *number)) != NULL;
         ++*number) {
        const struct block_header *header = journal_block_header(journal, b);
        if (b->position % SEGMENT == JOURNAL_PAGE_BYTES) {
            use_before(b->position / SEGMENT);
            begin_segment(journal, b->position / SEGMENT, header->previous);
        }
        memcpy(written.written + b->position, header, b->size_bytes);
        written.blocks[written.block_count++] = (struct block){
            .position = b->position,
            .end = journal_block_end(b),
            .watermark = header->watermark,
            .used_bytes = b->used_bytes,
            .record_count = header->record_count,
            .checksum = header->checksum,
        };
    }
    uint32_t behind = random_below(random, 3);
    if (written.block_count > behind) {
        uint64_t durable = written.blocks[written.block_count - 1 - behind].end;
        if (durable > journal->durable_position)
            journal_set_durable(journal, durable);
        journal_keep_from(journal, journal->durable_position);
    }
}

/* From `first_segment` on, until segment `end_segment` would begin; then the empty block. */
static inline void write_run(struct random *random, uint64_t incarnation, uint64_t first_segment,
                             uint64_t end_segment)
{
    const struct journal_settings settings = {
        .memory_bytes = 4 * SEGMENT,
        .segment_bytes = SEGMENT,
        .block_bytes = 16384,
        .secret = secret,
        .incarnation = incarnation,
        .start_position = first_segment * SEGMENT,
        .last_checksum = written.block_count == 0
                             ? (struct digest){0}
                             : written.blocks[written.block_count - 1].checksum,
    };
    struct journal journal;
    uint64_t number = 0;
    cr_assert_eq(journal_open(&journal, &settings), STATUS_OK);
    journal_set_limit(&journal, end_segment * SEGMENT);
    for (;;) {
        bool fits = random_below(random, 5) == 0 ? append_fact(&journal, random)
                                                 : append_message(&journal, random);
        if (!fits)
            break;
        if (random_below(random, 12) == 0)
            journal_seal(&journal, false);
        write_sealed(&journal, random, &number);
    }
    journal_seal(&journal, false);
    write_sealed(&journal, random, &number);
    journal_set_durable(&journal, journal.end_position);
    journal_seal(&journal, true);
    write_sealed(&journal, random, &number);
    journal_close(&journal);
}

static inline void write_log(uint64_t seed)
{
    struct random random = {seed};
    memset(&written, 0, sizeof written);
    for (size_t i = 0; i < sizeof secret; i++)
        secret.bytes[i] = (uint8_t)random_u64(&random);
    write_run(&random, 1, 0, RESTART_SEGMENT + 1);
    uint64_t stop = written.blocks[written.block_count - 1].end;
    write_run(&random, 2, RESTART_SEGMENT + 1, BEGUN);
    for (uint32_t n = 0; n < SEGMENTS; n++)
        written.file_bytes[n] = SEGMENT;
    /* What survived of the segment in which a server stopped was copied, and nothing else. */
    written.file_bytes[RESTART_SEGMENT] = stop - RESTART_SEGMENT * SEGMENT;
    memcpy(written.image, written.written, LOG_BYTES);
}

/* ---- reading it ---- */

static inline int64_t read_image(void *context, uint64_t segment, uint64_t offset, void *memory,
                                 size_t capacity)
{
    (void)context;
    cr_assert(segment < SEGMENTS && offset % JOURNAL_PAGE_BYTES == 0);
    cr_assert((uintptr_t)memory % JOURNAL_PAGE_BYTES == 0 && capacity % JOURNAL_PAGE_BYTES == 0);
    if (offset >= written.file_bytes[segment])
        return 0;
    uint64_t there = written.file_bytes[segment] - offset;
    size_t size = there < capacity ? (size_t)there : capacity;
    memcpy(memory, written.image + segment * SEGMENT + offset, size);
    return (int64_t)size;
}

static inline enum status compare_record(void *context, const struct record_head *head,
                                         uint64_t position)
{
    uint64_t *count = context;
    cr_assert_eq(memcmp(head, written.written + position, head->size_bytes), 0,
                 "the record at %llu is another", (unsigned long long)position);
    ++*count;
    return STATUS_OK;
}

static inline void scan_between(uint64_t first, uint64_t last,
                                struct journal_scan_result *out_result)
{
    uint64_t records = 0;
    const struct journal_scan_settings settings = {
        .secret = secret,
        .segment_bytes = SEGMENT,
        .first_segment = first,
        .last_segment = last,
        .source = {.read = read_image},
        .handler = {.record = compare_record, .context = &records},
    };
    enum status status = journal_scan(&settings, out_result);
    cr_assert_eq(status, STATUS_OK, "%s", out_result->reason);
    cr_assert_eq(records, out_result->records);
}

#endif

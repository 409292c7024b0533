#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/journal.h"

enum { SEGMENT = 1024 * 1024, BLOCK = 64 * 1024, SEGMENTS = 2 };

static struct journal make_from(uint64_t start_position, bool in_memory)
{
    struct journal journal;
    const struct journal_settings settings = {
        .memory_bytes = (uint64_t)SEGMENTS * SEGMENT + 4096,
        .segment_bytes = SEGMENT,
        .block_bytes = BLOCK,
        .log_number = 3,
        .in_memory = in_memory,
        .secret = {{1, 2, 3}},
        .incarnation = 7,
        .start_position = start_position,
        .last_checksum = {11, 12},
    };
    cr_assert_eq(journal_open(&journal, &settings), STATUS_OK);
    return journal;
}

static struct journal make(void)
{
    return make_from(0, true);
}

static enum status append_to(struct journal *journal, uint32_t body_bytes, uint16_t destination,
                             uint64_t *out_position)
{
    struct record_head *head;
    uint32_t size = record_size(1, 0, 0, body_bytes, 0);
    enum status status = journal_reserve(journal, size, &head, out_position);
    if (status != STATUS_OK)
        return status;
    struct record *record = (struct record *)(void *)head;
    *record = (struct record){.id = journal_next_id(journal, 1),
                              .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                              .destination_count = 1,
                              .body_bytes = body_bytes};
    record_destinations(record)[0] = destination;
    memset((void *)(uintptr_t)record_body(record).data, (int)(*out_position % 251), body_bytes);
    journal_commit_record(journal, head);
    return STATUS_OK;
}

static enum status append(struct journal *journal, uint32_t body_bytes, uint64_t *out_position)
{
    return append_to(journal, body_bytes, 0, out_position);
}

static void recycle_oldest(struct journal *journal)
{
    const struct journal_block *block = journal_oldest(journal);
    cr_assert_not_null(block);
    journal_keep_from(journal, journal_block_end(block));
}

Test(journal, ids_rise_whatever_the_clock_does)
{
    struct journal journal = make();
    static const uint64_t clocks[] = {1000, 1000, 999, 5, 1001, 0, UINT32_MAX, 7};
    struct record_id last = {0};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct record_id id = journal_next_id(&journal, clocks[i]);
        cr_assert_gt(record_id_compare(id, last), 0, "at %zu", i);
        cr_assert_eq(id.seq & 0xFF, 3, "the number of the log");
        last = id;
    }
    cr_assert_eq(last.ms, UINT32_MAX, "it stays where the clock was furthest");
    journal_close(&journal);
}

Test(journal, records_cross_no_block_and_no_segment)
{
    struct journal journal = make();
    uint64_t position, before = 0, state = 1;
    for (int i = 0; i < 3000; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t bytes = (uint32_t)(state >> 33) % (i % 50 == 0 ? 250000 : 9000);
        while (append(&journal, bytes, &position) != STATUS_OK)
            recycle_oldest(&journal);
        uint64_t end = position + journal_record(&journal, position)->size_bytes;
        cr_assert_eq(position / SEGMENT, (end + 4095) / SEGMENT, "the last page stays free");
        cr_assert_geq(position % SEGMENT, 4096 + sizeof(struct block_header));
        cr_assert(position > before && position % RECORD_ALIGNMENT == 0);
        cr_assert(journal_has(&journal, position));
        before = position;
    }
    journal_close(&journal);
}

Test(journal, a_walk_finds_every_record_of_the_oldest_block)
{
    struct journal journal = make();
    uint64_t position, expected = 0, found = 0;
    while (append(&journal, 700, &position) == STATUS_OK)
        expected++;
    cr_assert_lt(journal_room_bytes(&journal), 8192U);
    cr_assert(journal_seal(&journal, false));
    for (const struct journal_block *block; (block = journal_oldest(&journal)) != NULL;) {
        uint64_t count = 0;
        uint64_t p = journal_first_record(block);
        while (p < journal_records_end(block)) {
            struct bytes body = record_body(journal_message(&journal, p));
            cr_assert_eq(body.size, 700);
            cr_assert_eq(body.data[0], p % 251);
            cr_assert_eq(body.data[699], p % 251);
            p += journal_record(&journal, p)->size_bytes;
            count++;
        }
        cr_assert_eq(p, journal_records_end(block));
        cr_assert_eq(count, journal_block_header(&journal, block)->record_count);
        found += count;
        recycle_oldest(&journal);
    }
    cr_assert_eq(found, expected);
    cr_assert_eq(journal_room_bytes(&journal), SEGMENTS * SEGMENT);
    journal_close(&journal);
}

Test(journal, full_until_the_oldest_block_goes)
{
    struct journal journal = make();
    uint64_t position, first, end = 0;
    cr_assert_eq(append(&journal, 5000, &first), STATUS_OK);
    while (append(&journal, 5000, &position) == STATUS_OK)
        end = journal.end_position;
    cr_assert_eq(append(&journal, 5000, &position), STATUS_FULL);
    cr_assert_eq(journal.end_position, end, "a failed reservation changes nothing");
    cr_assert_not(journal_is_limited(&journal, 5000));
    recycle_oldest(&journal);
    cr_assert(journal_has(&journal, first), "it is there until its room is taken");
    cr_assert_eq(append(&journal, 5000, &position), STATUS_OK);
    cr_assert_not(journal_has(&journal, first));
    cr_assert(journal_has(&journal, journal.kept_position + sizeof(struct block_header)));
    journal_close(&journal);
}

Test(journal, a_large_record_has_a_block_of_its_own)
{
    struct journal journal = make();
    uint64_t position;
    uint32_t most = journal_record_bytes_max(&journal) - (uint32_t)record_size(1, 0, 0, 0, 0);
    cr_assert_eq(append(&journal, 10, &position), STATUS_OK);
    cr_assert_eq(append(&journal, most, &position), STATUS_OK);
    cr_assert_eq(append(&journal, 10, &position), STATUS_OK);
    cr_assert_eq(append(&journal, most + 8, &position), STATUS_TOO_BIG);
    const struct journal_block *small = journal_sealed_block(&journal, 0);
    const struct journal_block *large = journal_sealed_block(&journal, 1);
    cr_assert_eq(small->size_bytes, 4096);
    cr_assert_eq(large->position, journal_block_end(small));
    cr_assert_eq(large->size_bytes, SEGMENT / 4);
    cr_assert_null(journal_sealed_block(&journal, 2), "it is still open");
    cr_assert_eq(journal.largest_block_bytes, SEGMENT / 4);
    journal_close(&journal);
}

/* ---- with a disk ---- */

Test(journal, sealed_blocks_are_a_chain)
{
    struct journal journal = make_from(5 * (uint64_t)SEGMENT, false);
    struct digest before = {11, 12};
    uint64_t position, expected = 5 * (uint64_t)SEGMENT + 4096;
    struct record_head *head;
    cr_assert(journal_would_begin_segment(&journal, 200));
    cr_assert_eq(journal_reserve(&journal, 200, &head, &position), STATUS_FULL);
    cr_assert(journal_is_limited(&journal, 200), "there is no segment yet");
    journal_set_limit(&journal, 7 * (uint64_t)SEGMENT);
    for (uint64_t i = 0; i < 20; i++) {
        cr_assert_eq(append_to(&journal, 100, (uint16_t)(i | RECORD_HELD), &position), STATUS_OK);
        cr_assert_not(journal_would_begin_segment(&journal, 200));
        cr_assert_eq(append_to(&journal, 5000, (uint16_t)(40 + i), &position), STATUS_OK);
        cr_assert(journal_has_open_records(&journal));
        journal_set_time(&journal, 100 * i);
        cr_assert(journal_seal(&journal, false));
        cr_assert_not(journal_seal(&journal, false), "there is nothing to seal");
        cr_assert_not(journal_has_open_records(&journal));
        const struct journal_block *block = journal_sealed_block(&journal, i);
        const struct block_header *header = journal_block_header(&journal, block);
        cr_assert_eq(block_check(&journal.settings.secret, header, block->size_bytes, expected),
                     STATUS_OK);
        cr_assert(digest_equal(header->previous, before));
        cr_assert_eq(header->record_count, 2);
        cr_assert_eq(header->destinations, UINT32_C(1) << i | UINT32_C(1) << (40 + i) % 32);
        cr_assert_eq(header->log_number, 3);
        cr_assert_eq(header->incarnation, 7);
        cr_assert_eq(header->log_time_ms, 100 * i);
        cr_assert_eq(header->watermark, i == 0 ? 5 * (uint64_t)SEGMENT : expected);
        cr_assert_eq(record_id_compare(header->last_id, journal.last_id), 0);
        for (uint32_t b = block->used_bytes; b < block->size_bytes; b++)
            cr_assert_eq(((const uint8_t *)header)[b], 0);
        before = header->checksum;
        expected = journal_block_end(block);
        journal_set_durable(&journal, expected);
    }
    journal_close(&journal);
}

Test(journal, an_empty_block_always_fits_behind_the_last_record)
{
    struct journal journal = make_from(0, false);
    journal_set_limit(&journal, 2 * (uint64_t)SEGMENT);
    cr_assert_not(journal_seal(&journal, true), "no segment is begun for it");
    uint64_t position, blocks = 0;
    uint32_t page_body = 4096 - sizeof(struct block_header) - record_size(1, 0, 0, 0, 0);
    while (!journal_would_begin_segment(&journal, record_size(1, 0, 0, page_body, 0))) {
        cr_assert_eq(append(&journal, page_body, &position), STATUS_OK);
        cr_assert(journal_seal(&journal, false));
        blocks++;
    }
    cr_assert_eq(blocks, 0, "the first record begins the segment");
    do {
        cr_assert_eq(append(&journal, page_body, &position), STATUS_OK);
        cr_assert(journal_seal(&journal, false));
        blocks++;
    } while (!journal_would_begin_segment(&journal, record_size(1, 0, 0, page_body, 0)));
    cr_assert_eq(journal.end_position, SEGMENT - 4096);
    cr_assert(journal_seal(&journal, true));
    cr_assert_eq(journal.end_position, SEGMENT);
    const struct journal_block *block = journal_sealed_block(&journal, blocks);
    cr_assert_eq(block->used_bytes, sizeof(struct block_header));
    cr_assert_eq(journal_block_header(&journal, block)->record_count, 0);
    cr_assert_eq(block_check(&journal.settings.secret, journal_block_header(&journal, block), 4096,
                             SEGMENT - 4096),
                 STATUS_OK);
    cr_assert_not(journal_seal(&journal, true), "nothing was said since");
    cr_assert_eq(append(&journal, 10, &position), STATUS_OK);
    cr_assert_eq(position, SEGMENT + 4096 + sizeof(struct block_header));
    journal_close(&journal);
}

Test(journal, a_segment_is_begun_when_asked)
{
    struct journal journal = make_from(0, false);
    uint64_t position;
    journal_set_limit(&journal, 2 * (uint64_t)SEGMENT);
    cr_assert_eq(append(&journal, 100, &position), STATUS_OK);
    uint32_t large = SEGMENT / 5;
    while (!journal_would_begin_segment(&journal, record_size(1, 0, 0, large, 0)))
        cr_assert_eq(append(&journal, large, &position), STATUS_OK);
    cr_assert_not(journal_would_begin_segment(&journal, 200), "a small one still fits");
    journal_begin_segment(&journal);
    journal_begin_segment(&journal);
    cr_assert_eq(append(&journal, 100, &position), STATUS_OK);
    cr_assert_eq(position, SEGMENT + 4096 + sizeof(struct block_header));
    cr_assert_eq(append(&journal, large, &position), STATUS_OK);
    cr_assert_eq(position / SEGMENT, 1);
    journal_close(&journal);
}

Test(journal, the_memory_is_what_a_disk_would_hold)
{
    struct journal journal = make_from(0, false);
    uint64_t position;
    journal_set_limit(&journal, 100 * (uint64_t)SEGMENT);
    for (uint64_t number = 0, expected = 0; expected < 20 * (uint64_t)SEGMENT;) {
        cr_assert_eq(append(&journal, 3000 + (uint32_t)number * 977 % 100000, &position),
                     STATUS_OK);
        for (const struct journal_block *b; (b = journal_sealed_block(&journal, number)) != NULL;
             number++) {
            cr_assert(b->position >= expected);
            cr_assert_eq(block_check(&journal.settings.secret, journal_block_header(&journal, b),
                                     b->size_bytes, b->position),
                         STATUS_OK);
            cr_assert(b->position == expected || b->position % SEGMENT == 4096);
            expected = journal_block_end(b);
            journal_set_durable(&journal, expected);
            journal_keep_from(&journal, expected);
            cr_assert(journal_has(&journal, b->position));
        }
        cr_assert_geq(journal.cached_position + SEGMENTS * SEGMENT, journal.end_position);
    }
    journal_close(&journal);
}

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/journal.h"

enum { BLOCK = JOURNAL_BLOCK_BYTES_MIN, BLOCKS = 8 };

static struct journal make(void)
{
    struct journal journal;
    cr_assert_eq(journal_open(&journal, BLOCK, BLOCKS, 3), STATUS_OK);
    return journal;
}

static enum status append(struct journal *journal, uint32_t body_bytes, uint64_t wall_ms,
                          uint64_t *out_position)
{
    struct record *record;
    uint32_t size = record_size(0, 0, 0, body_bytes, 0);
    enum status status = journal_reserve(journal, size, &record, out_position);
    if (status != STATUS_OK)
        return status;
    *record = (struct record){.id = journal_next_id(journal, wall_ms),
                              .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                              .body_bytes = body_bytes};
    memset((void *)(uintptr_t)record_body(record).data, (int)(*out_position % 251), body_bytes);
    journal_commit_record(journal, record);
    return STATUS_OK;
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

Test(journal, records_do_not_straddle_blocks)
{
    struct journal journal = make();
    uint64_t position, before = 0;
    for (int i = 0; i < 200; i++) {
        if (append(&journal, 9000, 1, &position) != STATUS_OK) {
            cr_assert_not_null(journal_oldest(&journal));
            journal_recycle_oldest(&journal);
            cr_assert_eq(append(&journal, 9000, 1, &position), STATUS_OK);
        }
        const struct record *record = journal_record(&journal, position);
        cr_assert_eq(position / BLOCK, (position + record->head.size_bytes - 1) / BLOCK);
        cr_assert(i == 0 || position > before);
        before = position;
    }
    journal_close(&journal);
}

Test(journal, a_walk_finds_every_record_of_the_oldest_block)
{
    struct journal journal = make();
    uint64_t position, expected = 0, found = 0;
    while (append(&journal, 700, 1, &position) == STATUS_OK)
        expected++;
    cr_assert_eq(journal_free_blocks(&journal), 0);
    for (const struct journal_block *block; (block = journal_oldest(&journal)) != NULL;) {
        uint64_t p = block->position, count = 0;
        while (p < block->position + block->used_bytes) {
            const struct record *record = journal_record(&journal, p);
            struct bytes body = record_body(record);
            cr_assert_eq(body.size, 700);
            cr_assert_eq(body.data[0], p % 251);
            cr_assert_eq(body.data[699], p % 251);
            p += record->head.size_bytes;
            count++;
        }
        cr_assert_eq(count, block->record_count);
        found += count;
        cr_assert(journal_has(&journal, block->position));
        uint64_t gone = block->position;
        journal_recycle_oldest(&journal);
        cr_assert_not(journal_has(&journal, gone));
    }
    /* The block being written is nobody's oldest. */
    cr_assert_lt(found, expected);
    cr_assert_eq(journal_free_blocks(&journal), BLOCKS - 1);
    journal_close(&journal);
}

Test(journal, full_until_the_oldest_block_goes)
{
    struct journal journal = make();
    uint64_t position, end;
    while (append(&journal, 5000, 1, &position) == STATUS_OK)
        end = journal.end_position;
    cr_assert_eq(append(&journal, 5000, 1, &position), STATUS_FULL);
    cr_assert_eq(journal.end_position, end, "a failed reservation changes nothing");
    journal_recycle_oldest(&journal);
    cr_assert_eq(append(&journal, 5000, 1, &position), STATUS_OK);
    journal_close(&journal);
}

Test(journal, a_record_of_a_whole_block_fits_and_no_larger)
{
    struct journal journal = make();
    uint64_t position;
    uint32_t largest = BLOCK - (uint32_t)sizeof(struct record);
    cr_assert_eq(append(&journal, largest, 1, &position), STATUS_OK);
    cr_assert_eq(append(&journal, largest, 1, &position), STATUS_OK);
    cr_assert_eq(position % BLOCK, 0);
    cr_assert_eq(append(&journal, largest + 8, 1, &position), STATUS_TOO_BIG);
    journal_close(&journal);
}

/* What the scan says of a log to which one thing happened. */
#include <criterion/criterion.h>

#include "written_log.h"

static void change(uint64_t at)
{
    written.image[at] ^= 0x10;
}

static const struct block *block_of_segment(uint64_t segment, uint32_t index)
{
    for (uint32_t i = 0; i < written.block_count; i++)
        if (written.blocks[i].position / SEGMENT == segment)
            return &written.blocks[i + index];
    return NULL;
}

Test(journal_damage, a_lost_write_before_one_that_came_through_is_a_torn_tail)
{
    struct journal_scan_result result;
    write_log(7);
    /* The last with records and the empty one: neither knows the one before as durable. */
    struct block_header *last =
        (struct block_header *)(void *)(written.image +
                                        written.blocks[written.block_count - 1].position);
    const struct block *lost = &written.blocks[written.block_count - 2];
    scan_between(BEGUN - 1, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_CLEAN);
    memset(written.image + lost->position, 0, lost->end - lost->position);
    scan_between(BEGUN - 1, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_DAMAGED, "the empty block vouches for it");
    last->watermark = lost->position;
    block_seal(&secret, last);
    scan_between(BEGUN - 1, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_TORN, "%s", result.reason);
    cr_assert_eq(result.bad_position, lost->position);
    cr_assert_eq(result.end_position, lost->position);
    cr_assert_neq(result.reason[0], 0);
    memset(last, 0, sizeof *last);
    scan_between(BEGUN - 1, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_CLEAN, "nothing was begun there");
    cr_assert_eq(result.end_position, lost->position);
}

Test(journal_damage, a_missing_segment_is_damage_or_was_never_begun)
{
    struct journal_scan_result result;
    write_log(8);
    written.file_bytes[5] = 0;
    scan_between(3, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_DAMAGED);
    cr_assert_eq(result.bad_position, block_of_segment(5, 0)[-1].end);
    write_log(8);
    written.file_bytes[BEGUN] = 0;
    scan_between(3, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_CLEAN, "%s", result.reason);
}

/* An earlier run of the server wrote beyond where it then was cut off. */
Test(journal_damage, what_an_earlier_incarnation_left_is_not_of_the_log)
{
    struct journal_scan_result result;
    write_log(9);
    const struct block *last = &written.blocks[written.block_count - 1];
    struct block_header *old =
        (struct block_header *)(void *)(written.image + BEGUN * SEGMENT + JOURNAL_PAGE_BYTES);
    memset(old, 0, JOURNAL_PAGE_BYTES);
    *old = (struct block_header){.magic = JOURNAL_BLOCK_MAGIC,
                                 .position = BEGUN * SEGMENT + JOURNAL_PAGE_BYTES,
                                 .size_bytes = JOURNAL_PAGE_BYTES,
                                 .used_bytes = sizeof *old,
                                 .incarnation = 1,
                                 .watermark = last->end + 8};
    block_seal(&secret, old);
    scan_between(RESTART_SEGMENT, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_CLEAN, "%s", result.reason);
    cr_assert_eq(result.end_position, last->end);
    old->incarnation = 2;
    block_seal(&secret, old);
    scan_between(RESTART_SEGMENT, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_DAMAGED, "of this one it would be");
}

/* Its checksum is right, so this was written so: by nobody that we know. */
Test(journal_damage, a_right_block_of_wrong_records_is_refused)
{
    struct journal_scan_result result;
    write_log(10);
    const struct block *block = block_of_segment(4, 1);
    struct block_header *header = (struct block_header *)(void *)(written.image + block->position);
    struct record_head *head = (struct record_head *)(void *)(header + 1);
    head->kind = 200;
    block_seal(&secret, header);
    scan_between(4, SEGMENTS - 1, &result);
    cr_assert_eq(result.end, JOURNAL_DAMAGED);
    cr_assert_eq(result.bad_position, block->position);
    cr_assert_eq(result.blocks, 1);
    cr_assert_neq(strstr(result.reason, "no record"), NULL, "%s", result.reason);
}

static enum status scan_segment(uint64_t segment, struct journal_scan_result *out_result,
                                const struct journal_scan_source *source, uint16_t log_number,
                                uint32_t segment_bytes)
{
    const struct journal_scan_settings settings = {.secret = secret,
                                                   .segment_bytes = segment_bytes,
                                                   .log_number = log_number,
                                                   .first_segment = segment,
                                                   .last_segment = segment,
                                                   .source = *source};
    return journal_scan(&settings, out_result);
}

static int64_t fail_to_read(void *context, uint64_t segment, uint64_t offset, void *memory,
                            size_t capacity)
{
    return offset < 32768 && capacity > 32768
               ? -1
               : read_image(context, segment, offset, memory, capacity);
}

Test(journal_damage, what_is_not_of_this_log_is_refused_by_name)
{
    struct journal_scan_result result;
    const struct journal_scan_source source = {.read = read_image}, bad = {.read = fail_to_read};
    write_log(11);
    cr_assert_eq(scan_segment(2, &result, &source, 0, SEGMENT), STATUS_OK);
    cr_assert_eq(scan_segment(2, &result, &source, 1, SEGMENT), STATUS_UNSUPPORTED);
    cr_assert_neq(strstr(result.reason, "another number"), NULL, "%s", result.reason);
    cr_assert_eq(scan_segment(0, &result, &source, 0, SEGMENT * 2), STATUS_UNSUPPORTED);
    cr_assert_neq(strstr(result.reason, "another size"), NULL, "%s", result.reason);
    cr_assert_eq(scan_segment(2, &result, &bad, 0, SEGMENT), STATUS_IO);
    cr_assert_neq(strstr(result.reason, "cannot be read"), NULL, "%s", result.reason);
    struct segment_header *header = (struct segment_header *)(void *)(written.image + 2 * SEGMENT);
    header->version = 2;
    segment_header_seal(header);
    cr_assert_eq(scan_segment(2, &result, &source, 0, SEGMENT), STATUS_UNSUPPORTED);
    cr_assert_neq(strstr(result.reason, "another version"), NULL, "%s", result.reason);
    header->version = JOURNAL_VERSION;
    header->secret.bytes[3]++;
    segment_header_seal(header);
    cr_assert_eq(scan_segment(2, &result, &source, 0, SEGMENT), STATUS_UNSUPPORTED);
    cr_assert_neq(strstr(result.reason, "another secret"), NULL, "%s", result.reason);
    header->secret.bytes[3]--;
    change(2 * SEGMENT + 20);
    cr_assert_eq(scan_segment(2, &result, &source, 0, SEGMENT), STATUS_OK);
    cr_assert_eq(result.end, JOURNAL_DAMAGED, "its second block knows that the first was there");
}

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/sidecar.h"
#include "random.h"

enum { SEGMENT_BYTES = 1024 * 1024, SEGMENT = 7, LOG = 3 };

static const struct digest_secret secret = {.bytes = {1, 2, 3}};
static const struct digest last_block = {11, 12};
static const struct sidecar_expectation expectation = {
    .log_number = LOG,
    .segment_number = SEGMENT,
    .segment_bytes = SEGMENT_BYTES,
    .last_block = {11, 12},
};

static struct sidecar_identity identity_of(uint64_t number)
{
    struct random random = {number};
    struct sidecar_identity identity = {
        .position = (uint64_t)SEGMENT * SEGMENT_BYTES + number * SIDECAR_RECORD_BYTES_MIN,
        .generation = 70 + number / 100,
        .log_time_s = (uint32_t)number / 10,
        .participant = (uint16_t)(number % 4096),
    };
    identity.identity = (struct digest){random_u64(&random), random_u64(&random)};
    identity.body_digest = (struct digest){random_u64(&random), random_u64(&random)};
    return identity;
}

/* Its memory has garbage where nothing was written. */
static struct sidecar_header *make(uint64_t count, uint64_t *out_bytes)
{
    uint64_t capacity = sidecar_bytes_max(SEGMENT_BYTES);
    struct sidecar_header *header = aligned_alloc(JOURNAL_PAGE_BYTES, capacity);
    cr_assert_not_null(header);
    memset(header, 0xA5, capacity);
    sidecar_begin(header, LOG, SEGMENT, SEGMENT_BYTES);
    for (uint64_t i = 0; i < count; i++) {
        struct sidecar_identity identity = identity_of(i);
        sidecar_add(header, &secret, &identity);
    }
    *out_bytes = sidecar_seal(header, &secret, last_block);
    cr_assert_leq(*out_bytes, capacity);
    cr_assert_eq(*out_bytes % JOURNAL_PAGE_BYTES, 0);
    return header;
}

Test(sidecar, gives_back_what_was_added)
{
    static const uint64_t counts[] = {0,
                                      1,
                                      85,
                                      86,
                                      SIDECAR_PIECE_ITEMS,
                                      SIDECAR_PIECE_ITEMS + 1,
                                      2 * SIDECAR_PIECE_ITEMS,
                                      SEGMENT_BYTES / SIDECAR_RECORD_BYTES_MIN};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        uint64_t bytes;
        struct sidecar_header *header = make(counts[c], &bytes);
        cr_assert_eq(sidecar_check(header, bytes, &secret, &expectation), STATUS_OK);
        cr_assert_eq(header->count, counts[c]);
        for (uint64_t i = 0; i < counts[c]; i++) {
            struct sidecar_identity wanted = identity_of(i), got = sidecar_at(header, i);
            cr_assert(digest_equal(got.identity, wanted.identity));
            cr_assert(digest_equal(got.body_digest, wanted.body_digest));
            cr_assert_eq(got.position, wanted.position);
            cr_assert_eq(got.generation, wanted.generation);
            cr_assert_eq(got.log_time_s, wanted.log_time_s);
            cr_assert_eq(got.participant, wanted.participant);
        }
        free(header);
    }
}

Test(sidecar, no_message_is_smaller_than_the_bound)
{
    cr_assert_eq(record_size(1, 0, 0, 1, 0), SIDECAR_RECORD_BYTES_MIN);
}

/* Padding aside, every bit counts, and so does the end. */
Test(sidecar, any_flip_and_any_cut_is_noticed)
{
    uint64_t bytes, used = JOURNAL_PAGE_BYTES + 9 * sizeof(struct sidecar_item);
    struct sidecar_header *header = make(9, &bytes);
    for (uint64_t at = 0; at < used; at++) {
        if (at == sizeof(struct sidecar_header))
            at = JOURNAL_PAGE_BYTES;
        for (unsigned bit = 0; bit < 8; bit++) {
            ((uint8_t *)header)[at] ^= (uint8_t)(1U << bit);
            cr_assert_eq(sidecar_check(header, bytes, &secret, &expectation), STATUS_CORRUPT,
                         "byte %lu bit %u", (unsigned long)at, bit);
            ((uint8_t *)header)[at] ^= (uint8_t)(1U << bit);
        }
    }
    for (uint64_t size = 0; size < used; size++)
        cr_assert_eq(sidecar_check(header, size, &secret, &expectation), STATUS_CORRUPT);
    cr_assert_eq(sidecar_check(header, used, &secret, &expectation), STATUS_OK);
    free(header);
}

Test(sidecar, of_something_else_is_not_taken)
{
    uint64_t bytes;
    struct sidecar_header *header = make(9, &bytes);
    struct sidecar_expectation others[] = {expectation, expectation, expectation, expectation};
    struct digest_secret other_secret = {.bytes = {1, 2, 4}};
    others[0].log_number++;
    others[1].segment_number++;
    others[2].segment_bytes *= 2;
    others[3].last_block.high++; /* the segment has another life */
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_eq(sidecar_check(header, bytes, &secret, &others[i]), STATUS_NOT_FOUND);
    cr_assert_eq(sidecar_check(header, bytes, &other_secret, &expectation), STATUS_CORRUPT);
    header->version++;
    sidecar_seal(header, &secret, last_block);
    cr_assert_eq(sidecar_check(header, bytes, &secret, &expectation), STATUS_UNSUPPORTED);
    free(header);
}

Test(sidecar, is_of_messages_that_came_in)
{
    struct record record = {.head = {.kind = RECORD_KIND_MESSAGE}, .cause = RECORD_MESSAGE};
    cr_assert(sidecar_wants(&record.head));
    record.cause = RECORD_RELEASED;
    cr_assert_not(sidecar_wants(&record.head));
    record.cause = RECORD_MESSAGE;
    record.head.flags = RECORD_COPIED;
    cr_assert_not(sidecar_wants(&record.head));
    struct record_head fact = {.kind = RECORD_KIND_GROUP};
    cr_assert_not(sidecar_wants(&fact));
}

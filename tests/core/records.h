/* What the window's tests have for logs: records in memory, 64 positions apart over all of them. */
#ifndef KOUAN_TESTS_CORE_RECORDS_H
#define KOUAN_TESTS_CORE_RECORDS_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/window.h"
#include "random.h"

enum { RECORDS_FIRST = 1000, RECORDS_STRIDE = 64, RECORDS_LOGS = 4 };

struct record {
    struct digest identity, body_digest;
    struct bytes body;
    uint16_t log;
    uint64_t read_in; /* it was read in this round of `unread_round` */
};

struct records {
    struct record *items;
    uint32_t count, capacity;
    uint64_t floors[RECORDS_LOGS]; /* what lies below in a log is gone: nobody may look there */
    uint64_t matches, prefetches;
    uint64_t unread_round; /* not 0: two records in three are not in memory, others each round */
    bool are_foreign;      /* all but those of log 0: nobody may look at them here */
};

static inline void records_init(struct records *records, uint32_t capacity)
{
    *records =
        (struct records){.items = calloc(capacity, sizeof(struct record)), .capacity = capacity};
    cr_assert_not_null(records->items);
}

static inline void records_deinit(struct records *records)
{
    free(records->items);
}

static inline uint64_t records_append(struct records *records, const struct window_claim *claim)
{
    cr_assert_lt(records->count, records->capacity);
    records->items[records->count] =
        (struct record){claim->identity, claim->body_digest, claim->body, claim->log, 0};
    return window_position(claim->log, RECORDS_FIRST + (uint64_t)RECORDS_STRIDE * records->count++);
}

static inline const struct record *records_at(const struct records *records, uint64_t position)
{
    uint64_t offset = window_position_offset(position);
    uint64_t index = (offset - RECORDS_FIRST) / RECORDS_STRIDE;
    uint16_t log = window_position_log(position);
    cr_assert(offset >= RECORDS_FIRST && (offset - RECORDS_FIRST) % RECORDS_STRIDE == 0);
    cr_assert_lt(index, records->count, "a position that no record has");
    cr_assert_eq(log, records->items[index].log, "a position that no record of its log has");
    cr_assert_geq(position, records->floors[log], "a forgotten record");
    return &records->items[index];
}

static inline bool records_has(const struct records *records, uint64_t position)
{
    const struct record *record = records_at(records, position);
    struct random random = {position + (records->unread_round << 32)};
    if (records->are_foreign && record->log != 0)
        return false;
    return records->unread_round == 0 || record->read_in == records->unread_round ||
           random_below(&random, 3) == 0;
}

static inline void records_read(struct records *records, uint64_t position)
{
    const struct record *record = records_at(records, position);
    cr_assert_not(records_has(records, position), "it is in memory");
    records->items[record - records->items].read_in = records->unread_round;
}

/* As its own thread finds it. */
static inline enum window_match records_compare(const struct records *records, uint64_t position,
                                                const struct window_claim *claim)
{
    const struct record *record = records_at(records, position);
    if (!digest_equal(record->identity, claim->identity))
        return WINDOW_MATCH_NOTHING;
    if (!digest_equal(record->body_digest, claim->body_digest))
        return WINDOW_MATCH_IDENTITY;
    return bytes_equal(record->body, claim->body) ? WINDOW_MATCH_BODY : WINDOW_MATCH_DIGESTS;
}

static inline enum window_match records_match(void *context, uint64_t position,
                                              const struct window_claim *claim)
{
    struct records *records = context;
    records->matches++;
    return records_has(records, position) ? records_compare(records, position, claim)
                                          : WINDOW_MATCH_UNREAD;
}

static inline void records_prefetch(void *context, uint64_t position)
{
    struct records *records = context;
    __builtin_prefetch(records_at(records, position));
    records->prefetches++;
}

#endif

#include "io/net/chunk.h"

#include <criterion/criterion.h>

Test(chunk, are_taken_once_each_and_come_back)
{
    enum { COUNT = 5, BYTES = 1000 };
    struct chunk_pool pool;
    cr_assert_eq(chunk_pool_open(&pool, COUNT, BYTES, false), STATUS_OK);
    struct chunk *chunks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        chunks[i] = chunk_take(&pool);
        cr_assert_not_null(chunks[i]);
        cr_assert_eq(chunks[i]->capacity, BYTES);
        cr_assert_eq(chunks[i]->used, 0);
        memset(chunks[i]->data, i, BYTES);
        for (int j = 0; j < i; j++)
            cr_assert_neq(chunks[i], chunks[j]);
    }
    cr_assert_null(chunk_take(&pool));
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < BYTES; j++)
            cr_assert_eq(chunks[i]->data[j], i, "chunks overlap");
        chunk_return(chunks[i]);
    }
    cr_assert_eq(pool.free_count, COUNT);
    chunk_pool_close(&pool);
}

Test(chunk, has_readable_padding)
{
    struct chunk_pool pool;
    cr_assert_eq(chunk_pool_open(&pool, 1, 4096, false), STATUS_OK);
    struct chunk *chunk = chunk_take(&pool);
    unsigned sum = 0;
    for (int i = 0; i < BYTES_PADDING; i++)
        sum += chunk->data[chunk->capacity + (uint32_t)i];
    cr_assert_leq(sum, 255 * BYTES_PADDING);
    chunk_return(chunk);
    chunk_pool_close(&pool);
}

Test(chunk, lives_until_its_last_reference_is_returned)
{
    struct chunk_pool pool;
    cr_assert_eq(chunk_pool_open(&pool, 1, 64, true), STATUS_OK);
    struct chunk *chunk = chunk_take(&pool);
    chunk_borrow(chunk);
    chunk->used = 7;
    chunk_return(chunk);
    cr_assert_null(chunk_take(&pool));
    chunk_return(chunk);
    struct chunk *again = chunk_take(&pool);
    cr_assert_eq(again, chunk);
    cr_assert_eq(again->used, 0, "a chunk is taken fresh");
    chunk_return(again);
    chunk_pool_close(&pool);
}

static int reclaimed;
static void count_and_keep(struct chunk_pool *pool, struct chunk *chunk)
{
    cr_assert_eq(pool->context, &reclaimed);
    reclaimed++;
    chunk_pool_keep(pool, chunk);
}

Test(chunk, asks_reclaim_where_there_is_one)
{
    struct chunk_pool pool;
    cr_assert_eq(chunk_pool_open(&pool, 2, 64, false), STATUS_OK);
    pool.reclaim = count_and_keep;
    pool.context = &reclaimed;
    struct chunk *chunk = chunk_take(&pool);
    chunk_borrow(chunk);
    chunk_return(chunk);
    cr_assert_eq(reclaimed, 0);
    chunk_return(chunk);
    cr_assert_eq(reclaimed, 1);
    cr_assert_eq(pool.free_count, 2);
    chunk_pool_close(&pool);
}

Test(chunk, pools_without_memory_say_so)
{
    struct chunk_pool pool;
    cr_assert_eq(chunk_pool_open(&pool, UINT32_MAX / 64, UINT32_MAX - 64, false), STATUS_NO_MEMORY);
}

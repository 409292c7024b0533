#include "io/recall/recall_list.h"

#include "tests/io/old_log.h"

enum {
    MEMORY_BYTES = 3 * 1024 * 1024,
    STAGING_BYTES = OLD_LARGE_BLOCK_BYTES + 256 * 1024,
    LIST_BYTES_MAX = 128 * 1024,
    ITEMS_MAX = 64
};

/* A session, as the lists see it. */
struct reader {
    struct recall_list list; /* first */
    uint32_t wanted[ITEMS_MAX], wanted_count;
    uint32_t calls, rounds;
    bool idle; /* does not come when it is called */
};

static struct old_log stand;
static struct recall_lists lists;

static void start(struct reader *reader)
{
    recall_gather_begin(&lists, LIST_BYTES_MAX);
    for (uint32_t i = 0; i < reader->wanted_count; i++) {
        const struct old_record *record = &stand.records[reader->wanted[i]];
        if (!recall_gather_add(&lists, record->position, record->size_bytes))
            reader->wanted_count = i;
    }
    recall_list_start(&lists, &reader->list);
}

static void choose(struct reader *reader, struct random *random)
{
    reader->wanted_count = 1 + random_below(random, ITEMS_MAX);
    for (uint32_t i = 0; i < reader->wanted_count; i++)
        reader->wanted[i] = random_below(random, stand.record_count);
}

static void check_all_there(const struct reader *reader)
{
    for (uint32_t i = 0; i < reader->wanted_count; i++) {
        const struct old_record *expected = &stand.records[reader->wanted[i]];
        const struct record_head *record = recall_list_find(&reader->list, expected->position);
        cr_assert_not_null(record);
        cr_assert_eq(record->size_bytes, expected->size_bytes);
        cr_assert_eq(memcmp(record, old_log_record(&stand, reader->wanted[i]), record->size_bytes),
                     0);
        cr_assert_null(recall_list_find(&reader->list, expected->position + 8));
    }
}

static void on_ready(struct recall_list *list)
{
    struct reader *reader = (struct reader *)(void *)list;
    reader->calls++;
    if (reader->idle)
        return;
    if (list->state == RECALL_LIST_TURN) {
        start(reader);
        return;
    }
    if (list->state == RECALL_LIST_READY) {
        check_all_there(reader);
        reader->rounds++;
    }
}

static void open_all(void)
{
    old_log_open(&stand);
    old_log_recall(&stand, MEMORY_BYTES);
    cr_assert_eq(recall_lists_open(&lists, stand.recall, stand.loop, STAGING_BYTES), STATUS_OK);
    lists.ready = on_ready;
}

static void close_all(void)
{
    cr_assert_eq(lists.staging.free_count, lists.staging.page_count, "all of it was given back");
    recall_lists_close(&lists);
    recall_close(stand.recall);
    old_log_close(&stand);
}

Test(recall_list, brings_all_that_was_gathered_in_any_order)
{
    static struct reader reader;
    struct random random = {1};
    open_all();
    for (uint32_t round = 0; round < 100; round++) {
        choose(&reader, &random);
        if (round % 2 == 0)
            reader.wanted[reader.wanted_count - 1] = reader.wanted[0]; /* twice is no harm */
        start(&reader);
        cr_assert_eq(reader.rounds, round, "never from within");
        old_log_settle(&stand);
        cr_assert_eq(reader.rounds, round + 1);
        recall_list_end(&reader.list);
        cr_assert_null(recall_list_find(&reader.list, stand.records[0].position));
    }
    close_all();
}

Test(recall_list, takes_no_more_than_one_reply_needs)
{
    static struct reader reader;
    open_all();
    uint32_t large = 0;
    while (stand.records[large].size_bytes <= LIST_BYTES_MAX)
        large++;
    recall_gather_begin(&lists, LIST_BYTES_MAX);
    cr_assert(
        recall_gather_add(&lists, stand.records[large].position, stand.records[large].size_bytes),
        "one that is larger is taken alone");
    cr_assert_not(
        recall_gather_add(&lists, stand.records[0].position, stand.records[0].size_bytes));
    cr_assert(recall_gather_has(&lists, stand.records[large].position));
    cr_assert_not(recall_gather_has(&lists, stand.records[0].position));
    reader.wanted[0] = large;
    reader.wanted_count = 1;
    recall_list_start(&lists, &reader.list);
    old_log_settle(&stand);
    cr_assert_eq(reader.rounds, 1);
    recall_list_end(&reader.list);

    uint64_t bytes = 0;
    uint32_t count = 0;
    recall_gather_begin(&lists, LIST_BYTES_MAX);
    while (recall_gather_add(&lists, stand.records[count].position, stand.records[0].size_bytes))
        bytes += stand.records[0].size_bytes, count++;
    cr_assert_gt(count, 1);
    cr_assert_leq(bytes, LIST_BYTES_MAX);
    close_all();
}

Test(recall_list, lets_many_readers_share_little_memory)
{
    enum { READERS = 100, ROUNDS = 5 };
    static struct reader readers[READERS];
    struct random random = {2};
    open_all();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < READERS; i++) {
            choose(&readers[i], &random);
            start(&readers[i]);
        }
        uint32_t done = 0;
        for (int turns = 0; done < READERS; turns++) {
            cr_assert_lt(turns, 10000);
            old_log_turn(&stand);
            if (stand.first != NULL)
                old_log_answer(&stand);
            for (int i = 0; i < READERS; i++) {
                if (readers[i].list.state != RECALL_LIST_READY)
                    continue;
                recall_list_end(&readers[i].list);
                done++;
            }
        }
        for (int i = 0; i < READERS; i++)
            cr_assert_eq(readers[i].rounds, round + 1);
    }
    close_all();
}

Test(recall_list, gives_everything_back_when_its_session_goes)
{
    enum { READERS = 40, ROUNDS = 300 };
    static struct reader readers[READERS];
    struct random random = {3};
    open_all();
    for (int round = 0; round < ROUNDS; round++) {
        struct reader *reader = &readers[random_below(&random, READERS)];
        if (reader->list.state == RECALL_LIST_NONE) {
            choose(reader, &random);
            start(reader);
        } else {
            recall_list_end(&reader->list);
            recall_list_end(&reader->list);
        }
        if (random_below(&random, 3) == 0)
            old_log_turn(&stand);
        if (stand.first != NULL && random_below(&random, 3) == 0)
            old_log_answer(&stand);
    }
    for (int i = 0; i < READERS; i++)
        recall_list_end(&readers[i].list);
    old_log_settle(&stand);
    close_all();
}

Test(recall_list, says_what_could_not_be_read)
{
    static struct reader reader;
    open_all();
    uint32_t bad = stand.record_count / 2;
    reader.wanted_count = 3;
    reader.wanted[0] = 0;
    reader.wanted[1] = bad;
    reader.wanted[2] = stand.record_count - 1;
    stand.fail_position = stand.blocks[stand.records[bad].block].start;
    start(&reader);
    old_log_settle(&stand);
    cr_assert_eq(reader.list.state, RECALL_LIST_FAILED);
    cr_assert_eq(reader.list.failure, STATUS_IO);
    cr_assert_eq(reader.list.failed_position, stand.records[bad].position);
    cr_assert_null(recall_list_find(&reader.list, stand.records[0].position));
    stand.fail_position = 0;
    start(&reader);
    old_log_settle(&stand);
    cr_assert_eq(reader.rounds, 1);
    recall_list_end(&reader.list);

    /* A record that is not the one that was meant. */
    recall_gather_begin(&lists, LIST_BYTES_MAX);
    cr_assert(
        recall_gather_add(&lists, stand.records[5].position, stand.records[5].size_bytes + 8));
    recall_list_start(&lists, &reader.list);
    old_log_settle(&stand);
    cr_assert_eq(reader.list.failure, STATUS_CORRUPT);
    recall_list_end(&reader.list);

    /* One for which there will never be memory. */
    recall_gather_begin(&lists, LIST_BYTES_MAX);
    cr_assert(recall_gather_add(&lists, stand.records[5].position, 2 * STAGING_BYTES));
    recall_list_start(&lists, &reader.list);
    cr_assert_eq(reader.list.state, RECALL_LIST_FAILED);
    cr_assert_eq(reader.list.failure, STATUS_NO_MEMORY);
    recall_list_end(&reader.list);
    close_all();
}

Test(recall_list, does_not_wait_for_who_does_not_come)
{
    static struct reader idle, in_line, others[3];
    open_all();
    uint32_t large = 0;
    while (stand.records[large].size_bytes <= STAGING_BYTES / 2)
        large++;
    idle.idle = in_line.idle = true;
    idle.wanted[0] = in_line.wanted[0] = large;
    idle.wanted_count = in_line.wanted_count = 1;
    start(&idle); /* holds most of the staging memory, for ever */
    start(&in_line);
    for (int i = 0; i < 3; i++) {
        others[i].wanted[0] = large;
        others[i].wanted_count = 1;
        start(&others[i]);
    }
    uint64_t turns = 0;
    while (others[0].rounds + others[1].rounds + others[2].rounds < 3) {
        cr_assert_lt(++turns, UINT64_C(100000000));
        old_log_settle(&stand);
        for (int i = 0; i < 3; i++)
            if (others[i].list.state == RECALL_LIST_READY)
                recall_list_end(&others[i].list);
    }
    cr_assert_eq(idle.list.state, RECALL_LIST_NONE);
    cr_assert_eq(in_line.list.state, RECALL_LIST_NONE);
    close_all();
}

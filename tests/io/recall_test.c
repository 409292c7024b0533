#include "io/recall/recall.h"

#include "core/fact.h"
#include "tests/io/old_log.h"

enum { MEMORY_BYTES = 3 * 1024 * 1024 };

struct asker {
    struct recall_ask ask; /* first */
    struct old_log *log;
    uint32_t record; /* index */
    enum status status;
    uint32_t calls;
};

static struct old_log stand;

static void note(struct recall_ask *ask, enum status status, const struct block_header *block,
                 const struct record_head *record)
{
    struct asker *asker = (struct asker *)(void *)ask;
    asker->status = status;
    asker->calls++;
    cr_assert_eq(status == STATUS_OK, block != NULL);
    if (block == NULL || ask->position == block->position)
        return;
    const struct old_record *expected = &asker->log->records[asker->record];
    cr_assert_not_null(record);
    cr_assert_eq(record->size_bytes, expected->size_bytes);
    cr_assert_eq(memcmp(record, old_log_record(asker->log, asker->record), record->size_bytes), 0);
}

static void ask_for(struct recall *recall, struct asker *asker, uint32_t record)
{
    *asker = (struct asker){.log = &stand, .record = record, .status = STATUS_UNSUPPORTED};
    asker->ask.position = stand.records[record].position;
    asker->ask.done = note;
    recall_ask(recall, &asker->ask);
}

Test(recall, reads_any_record_back_whatever_its_place_and_size)
{
    enum { ASKERS = 64, ROUNDS = 40 };
    static struct asker askers[ASKERS];
    struct random random = {7};
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < ASKERS; i++) {
            ask_for(recall, &askers[i], random_below(&random, stand.record_count));
            askers[i].ask.until_position =
                askers[i].ask.position + random_below(&random, 2 * RECALL_READ_BYTES);
            cr_assert_eq(askers[i].calls, 0, "never from within");
        }
        old_log_settle(&stand);
        for (int i = 0; i < ASKERS; i++) {
            cr_assert_eq(askers[i].status, STATUS_OK, "%d: %s", (int)i,
                         status_text(askers[i].status));
            cr_assert_eq(askers[i].calls, 1);
        }
    }
    cr_assert(recall_is_idle(recall));
    cr_assert_leq(stand.in_flight_most, (uint32_t)RECALL_READS_MAX);
    cr_assert_eq(recall_figures(recall)->read_bytes, stand.read_bytes);
    cr_assert_eq(stand.alarms, 0);
    recall_close(recall);
    old_log_close(&stand);
}

Test(recall, reads_neighbours_that_are_wanted_together_at_once)
{
    enum { ASKERS = 200 };
    static struct asker askers[ASKERS];
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    for (uint32_t i = 0; i < ASKERS; i++) {
        ask_for(recall, &askers[i], i);
        askers[i].ask.until_position = stand.records[ASKERS - 1].position;
    }
    old_log_settle(&stand);
    uint64_t bytes = stand.blocks[stand.records[ASKERS - 1].block].end - stand.blocks[0].start;
    for (int i = 0; i < ASKERS; i++)
        cr_assert_eq(askers[i].status, STATUS_OK, "%d: %s", (int)i, status_text(askers[i].status));
    cr_assert_eq(stand.read_bytes, bytes, "each block once");
    cr_assert_leq(stand.reads, bytes / RECALL_READ_BYTES + 2);
    recall_close(recall);
    old_log_close(&stand);
}

Test(recall, has_what_was_read_ahead_at_hand)
{
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    cr_assert_null(recall_find(recall, stand.records[0].position));
    recall_read_ahead(recall, stand.records[0].position,
                      stand.records[0].position + RECALL_READ_BYTES);
    cr_assert_null(recall_find(recall, stand.records[0].position), "it is being read");
    old_log_settle(&stand);
    uint32_t found = 0;
    while (recall_find(recall, stand.records[found].position) != NULL)
        found++;
    cr_assert_gt(found, 100);
    uint64_t reads = stand.reads;
    struct asker asker;
    ask_for(recall, &asker, found - 1);
    old_log_settle(&stand);
    cr_assert_eq(asker.status, STATUS_OK);
    cr_assert_eq(stand.reads, reads);
    recall_read_ahead(recall, stand.records[0].position,
                      stand.records[0].position + 2 * RECALL_READ_BYTES);
    cr_assert_eq(stand.reads, reads + 1, "it goes on behind what is there");
    old_log_settle(&stand);
    cr_assert_not_null(recall_find(recall, stand.records[found].position));
    recall_close(recall);
    old_log_close(&stand);
}

Test(recall, gives_whole_blocks_to_who_walks_a_segment)
{
    struct asker asker;
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    for (uint32_t i = 0; i < stand.block_count; i++) {
        ask_for(recall, &asker, 0);
        asker.ask.position = stand.blocks[i].start;
        asker.ask.until_position = UINT64_MAX;
        old_log_settle(&stand);
        cr_assert_eq(asker.status, STATUS_OK);
    }
    cr_assert_leq(stand.reads, 2 * stand.read_bytes / RECALL_READ_BYTES + OLD_SEGMENTS);
    cr_assert_gt(stand.block_count, 2 * stand.reads);
    recall_close(recall);
    old_log_close(&stand);
}

/* The record in the middle of the log, in a block with neighbours at both sides. */
static uint32_t in_the_middle(void)
{
    return stand.record_count / 2;
}

Test(recall, never_gives_bytes_that_are_not_as_they_were_written)
{
    enum { AROUND = 300 };
    static struct asker askers[2 * AROUND];
    old_log_open(&stand);
    uint32_t bad = in_the_middle(), first = bad - AROUND;
    struct block_header *block = old_log_block(&stand, stand.records[bad].block);
    struct random random = {3};
    for (int round = 0; round < 20; round++) {
        struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
        uint8_t *byte = (uint8_t *)block + random_below(&random, block->used_bytes);
        uint8_t bit = (uint8_t)(1U << random_below(&random, 8));
        uint32_t alarms = stand.alarms;
        for (int again = 0; again < 2; again++) {
            for (uint32_t i = 0; i < 2 * AROUND; i++) {
                ask_for(recall, &askers[i], first + i);
                askers[i].ask.until_position = askers[i].ask.position + RECALL_READ_BYTES;
            }
            *byte ^= bit;
            while (stand.first == NULL)
                old_log_turn(&stand);
            uint32_t left = stand.in_flight;
            do {
                while (stand.first != NULL)
                    old_log_answer(&stand);
                *byte ^= bit; /* so that the records compare with what they should be */
                old_log_turn(&stand);
                *byte ^= bit;
                left = stand.in_flight;
            } while (left > 0 || !recall_is_idle(recall));
            *byte ^= bit;
            for (uint32_t i = 0; i < 2 * AROUND; i++) {
                bool in_bad = stand.records[first + i].block == stand.records[bad].block;
                cr_assert_eq(askers[i].status, in_bad ? STATUS_CORRUPT : STATUS_OK);
            }
            cr_assert_eq(stand.alarms, alarms + 1, "once a place");
            cr_assert_eq(stand.alarm_position, block->position);
            if (again == 0)
                cr_assert_null(recall_find(recall, stand.records[bad].position));
        }
        recall_close(recall);
    }
    old_log_close(&stand);
}

Test(recall, fails_only_what_the_disk_does_not_give)
{
    enum { AROUND = 300 };
    static struct asker askers[2 * AROUND];
    old_log_open(&stand);
    uint32_t bad = in_the_middle(), first = bad - AROUND;
    for (int is_short = 0; is_short < 2; is_short++) {
        struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
        uint64_t place = stand.blocks[stand.records[bad].block].start;
        stand.fail_position = is_short ? 0 : place;
        stand.short_position = is_short ? place + 512 : 0;
        stand.alarms = 0;
        for (uint32_t i = 0; i < 2 * AROUND; i++) {
            ask_for(recall, &askers[i], first + i);
            askers[i].ask.until_position = askers[i].ask.position + RECALL_READ_BYTES;
        }
        old_log_settle(&stand);
        for (uint32_t i = 0; i < 2 * AROUND; i++) {
            bool in_bad = stand.records[first + i].block == stand.records[bad].block;
            cr_assert_eq(askers[i].status, in_bad ? STATUS_IO : STATUS_OK);
        }
        cr_assert_eq(stand.alarms, 1);
        cr_assert_eq(stand.alarm_position, place);
        stand.fail_position = stand.short_position = 0;
        ask_for(recall, &askers[0], bad);
        old_log_settle(&stand);
        cr_assert_eq(askers[0].status, STATUS_OK, "it is read again when it is asked for again");
        recall_close(recall);
    }
    old_log_close(&stand);
}

Test(recall, knows_nothing_of_places_outside_of_blocks_and_between_records)
{
    struct asker asker;
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    const uint64_t places[] = {0, (uint64_t)OLD_SEGMENTS * OLD_SEGMENT_BYTES,
                               stand.records[0].position + 8, stand.records[0].position + 4,
                               stand.blocks[0].end - 1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        ask_for(recall, &asker, 0);
        asker.ask.position = places[i];
        old_log_settle(&stand);
        cr_assert_eq(asker.status, STATUS_NOT_FOUND, "at %zu", i);
    }
    cr_assert_eq(stand.alarms, 0);
    recall_close(recall);
    old_log_close(&stand);
}

Test(recall, forgets_who_goes_away_whatever_is_under_way)
{
    enum { ASKERS = 32, ROUNDS = 100 };
    static struct asker askers[ASKERS];
    struct random random = {11};
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < ASKERS; i++)
            if (!askers[i].ask.asked)
                ask_for(recall, &askers[i], random_below(&random, stand.record_count));
        if (random_below(&random, 2) == 0)
            old_log_turn(&stand);
        if (stand.first != NULL && random_below(&random, 2) == 0)
            old_log_answer(&stand);
        for (int i = 0; i < ASKERS; i++) {
            uint32_t calls = askers[i].calls;
            if (random_below(&random, 4) != 0)
                continue;
            recall_withdraw(recall, &askers[i].ask);
            recall_withdraw(recall, &askers[i].ask);
            askers[i].ask.done = NULL; /* would end the test */
            cr_assert_eq(askers[i].calls, calls);
        }
    }
    old_log_settle(&stand);
    cr_assert(recall_is_idle(recall));
    for (int i = 0; i < ASKERS; i++)
        cr_assert(!askers[i].ask.asked);
    recall_close(recall);
    old_log_close(&stand);
}

Test(recall, serves_all_in_turn_with_the_least_memory)
{
    enum { ASKERS = 500 };
    static struct asker askers[ASKERS];
    struct random random = {5};
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, 2 * OLD_LARGE_BLOCK_BYTES);
    for (int i = 0; i < ASKERS; i++)
        ask_for(recall, &askers[i], random_below(&random, stand.record_count));
    old_log_settle(&stand);
    for (int i = 0; i < ASKERS; i++)
        cr_assert_eq(askers[i].status, STATUS_OK, "%d: %s", (int)i, status_text(askers[i].status));
    recall_close(recall);

    recall = old_log_recall(&stand, OLD_LARGE_BLOCK_BYTES / 2);
    uint32_t large = 0;
    while (stand.blocks[stand.records[large].block].end -
               stand.blocks[stand.records[large].block].start <=
           OLD_LARGE_BLOCK_BYTES / 2)
        large++;
    ask_for(recall, &askers[0], large);
    old_log_settle(&stand);
    cr_assert_eq(askers[0].status, STATUS_NO_MEMORY, "rather than waiting for ever");
    recall_close(recall);
    old_log_close(&stand);
}

Test(recall, says_which_segment_is_being_read)
{
    struct asker asker;
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    ask_for(recall, &asker, stand.record_count - 1);
    while (stand.first == NULL)
        old_log_turn(&stand);
    cr_assert(recall_is_reading(recall, OLD_SEGMENTS - 1));
    cr_assert(!recall_is_reading(recall, 0));
    old_log_settle(&stand);
    cr_assert(!recall_is_reading(recall, OLD_SEGMENTS - 1));
    recall_close(recall);
    old_log_close(&stand);
}

Test(recall, leaves_the_disk_to_the_log_but_for_who_cannot_wait)
{
    enum { READS = 200 };
    struct asker patient, urgent;
    struct random random = {13};
    old_log_open(&stand);
    struct recall *recall = old_log_recall(&stand, MEMORY_BYTES);
    stand.writes_since_ns = loop_now_ns(stand.loop) - 1; /* without an end */
    uint32_t waited = 0;
    for (int i = 0; i < READS; i++) {
        ask_for(recall, &patient, random_below(&random, stand.record_count));
        patient.ask.may_wait = true;
        ask_for(recall, &urgent, random_below(&random, stand.record_count));
        old_log_turn(&stand);
        bool waits = stand.in_flight < 2 && patient.ask.run == NULL && patient.calls == 0;
        cr_assert(urgent.ask.run != NULL || urgent.calls == 1, "it does not wait behind the other");
        if (waits) {
            waited++;
            uint64_t reads = stand.reads;
            recall_read_ahead(recall, patient.ask.position, UINT64_MAX);
            cr_assert_eq(stand.reads, reads, "nor is anything read ahead");
        }
        for (uint64_t at_ns = loop_now_ns(stand.loop); loop_now_ns(stand.loop) < at_ns + 200000;)
            old_log_turn(&stand); /* so long does the disk take */
        old_log_settle(&stand);
        cr_assert_eq(patient.status, STATUS_OK, "its share comes");
        cr_assert_eq(urgent.status, STATUS_OK);
    }
    cr_assert_gt(waited, 0);
    recall_close(recall);
    old_log_close(&stand);
}

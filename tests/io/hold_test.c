#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/intake/hold.h"
#include "io/intake/reject.h"

static struct record record_of(uint64_t ms)
{
    return (struct record){.id = {ms, 0}, .head = {.size_bytes = 100}};
}

/* Against an array of booleans: adding in order, ending at random, walking from anywhere. */
Test(hold, agrees_with_a_model)
{
    enum { CAPACITY = 64, STEPS = 20000, IDS = STEPS + 1 };
    static bool held[IDS];
    struct hold_list list;
    uint64_t next = 1;
    srand(7);
    cr_assert_eq(hold_open(&list, CAPACITY, 100 * CAPACITY), STATUS_OK);
    for (int step = 0; step < STEPS; step++) {
        if (rand() % 2 == 0 && list.live < CAPACITY) {
            struct record record = record_of(next);
            hold_add(&list, &record, next * 8, 2, 5);
            held[next++] = true;
        } else if (next > 1) {
            uint64_t id = next > 100 ? next - (uint64_t)(rand() % 100) - 1 : 1;
            struct hold *hold = hold_next(&list, (struct record_id){id, 0}, 0);
            while (id < next && !held[id])
                id++;
            cr_assert_eq(hold != NULL, id < next);
            if (hold == NULL)
                continue;
            cr_assert_eq(hold->id.ms, id);
            cr_assert(hold_needs(&list, hold->id));
            hold_end(&list, hold);
            cr_assert_not(hold_needs(&list, (struct record_id){id, 0}));
            held[id] = false;
        }
        cr_assert_eq(list.bytes, list.live * 100);
    }
    hold_close(&list);
}

Test(hold, room_counts_entries_bytes_and_reservations)
{
    struct hold_list list;
    cr_assert_eq(hold_open(&list, 2, 250), STATUS_OK);
    cr_assert_not(hold_try_reserve(&list, 1, 251));
    cr_assert_not(hold_try_reserve(&list, 3, 30));
    cr_assert(hold_try_reserve(&list, 1, 100));
    cr_assert_not(hold_try_reserve(&list, 1, 151));
    cr_assert(hold_try_reserve(&list, 1, 150));
    cr_assert_not(hold_try_reserve(&list, 1, 0));
    hold_unreserve(&list, 1, 100);
    cr_assert(hold_try_reserve(&list, 1, 1));
    hold_close(&list);
}

Test(hold, a_record_held_at_two_destinations_moves_as_one)
{
    struct hold_list list;
    struct record record = record_of(9);
    cr_assert_eq(hold_open(&list, 8, 1000), STATUS_OK);
    hold_add(&list, &record, 16, 1, 5);
    hold_add(&list, &record, 16, 4, 5);
    hold_relocate(&list, record.id, 800);
    struct hold *first = hold_next(&list, record.id, 0);
    cr_assert_eq(first->destination, 1);
    cr_assert_eq(first->position, 800);
    cr_assert_eq(hold_next(&list, record.id, 2)->position, 800);
    cr_assert_null(hold_next(&list, record.id, 5));
    hold_close(&list);
}

Test(reject, the_last_ones_are_kept_newest_first)
{
    struct reject_ring ring;
    struct bytes body;
    cr_assert_eq(reject_open(&ring, 3, 4), STATUS_OK);
    cr_assert_null(reject_get(&ring, 0, &body));
    for (int i = 0; i < 5; i++) {
        char text[8] = {'a', 'b', 'c', 'd', 'e', (char)('0' + i)};
        reject_add(&ring, (struct reject){.at_ms = (uint64_t)i},
                   bytes_make(text + i, 6 - (size_t)i));
    }
    const struct reject *newest = reject_get(&ring, 0, &body);
    cr_assert_eq(newest->number, 5);
    cr_assert(bytes_equal_text(body, "e4"));
    const struct reject *oldest = reject_get(&ring, 2, &body);
    cr_assert_eq(oldest->at_ms, 2);
    cr_assert_eq(oldest->body_bytes, 4);
    cr_assert(bytes_equal_text(body, "cde2"));
    cr_assert_null(reject_get(&ring, 3, &body));
    reject_close(&ring);
}

Test(reject, none_are_kept_where_none_are_wanted)
{
    struct reject_ring ring;
    struct bytes body;
    cr_assert_eq(reject_open(&ring, 0, 64), STATUS_OK);
    reject_add(&ring, (struct reject){0}, BYTES_LITERAL("x"));
    cr_assert_null(reject_get(&ring, 0, &body));
    reject_close(&ring);
}

/* Room that several shards take and one keeps. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "io/shard/room.h"

enum { ENTRIES = 7, BYTES = 100, TAKERS = 3, ROUNDS = 60000 };

Test(room, is_taken_whole_or_not_at_all)
{
    struct rooms rooms;
    cr_assert_eq(rooms_open(2, 3, &rooms), STATUS_OK);
    struct room *room = rooms_at(&rooms, 1, 2), *other = rooms_of_holds(&rooms, 1);
    room->entries_max = ENTRIES;
    room->bytes_max = BYTES;
    cr_assert_neq(room, other);
    cr_assert(room_take(room, 50, 5000), "nobody keeps to it yet");
    cr_assert(room_has(room, UINT64_MAX, UINT64_MAX));
    room_give(room, 50, 5000);
    room_bound(room, true);
    cr_assert_not(room_take(room, 1, 101));
    cr_assert_not(room_take(room, 8, 8));
    cr_assert(room_take(room, 3, 40));
    room_keep(room, 3, 30);
    cr_assert(room_has(room, 1, 30) && !room_has(room, 2, 30) && !room_has(room, 1, 31));
    cr_assert_not(room_take(room, 2, 2));
    room_give(room, 3, 40);
    cr_assert(room_take(room, 4, 70));
    cr_assert_eq(room_entries(room), 0);
    cr_assert(room_take_from_kept(room, 3, 30), "all is taken, and nothing to be kept");
    cr_assert_not(room_take_from_kept(room, 1, 0));
    cr_assert_eq(room_bytes(room), 0, "it is never below none");
    rooms_close(&rooms);
}

/* ---- threads: what was taken is kept, and goes again ---- */

struct scene {
    struct room *room;
    _Atomic uint64_t on_the_way, taken, takers;
};

static void *take(void *context)
{
    struct scene *scene = context;
    for (uint32_t i = 0; i < ROUNDS; i++)
        if (room_take(scene->room, 1, 10)) {
            scene->taken++;
            scene->on_the_way++;
        }
    scene->takers--;
    return NULL;
}

Test(room, is_never_given_twice)
{
    struct rooms rooms;
    pthread_t threads[TAKERS];
    cr_assert_eq(rooms_open(1, 1, &rooms), STATUS_OK);
    struct scene scene = {.room = rooms_at(&rooms, 0, 0), .takers = TAKERS};
    scene.room->entries_max = ENTRIES;
    scene.room->bytes_max = BYTES;
    room_bound(scene.room, true);
    for (uint32_t i = 0; i < TAKERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take, &scene), 0);
    uint64_t kept = 0, ever = 0;
    while (scene.takers > 0 || scene.on_the_way > 0) {
        if (scene.on_the_way > 0) {
            scene.on_the_way--;
            kept++;
            ever++;
            cr_assert_leq(kept, ENTRIES);
            room_keep(scene.room, kept, kept * 10);
            room_give(scene.room, 1, 10);
        }
        if (kept == ENTRIES || ever % 3 == 0)
            kept = 0;
        room_keep(scene.room, kept, kept * 10);
    }
    for (uint32_t i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(ever, scene.taken);
    cr_assert_gt(ever, 0);
    room_keep(scene.room, 0, 0);
    cr_assert_eq(room_entries(scene.room), ENTRIES);
    cr_assert_eq(room_bytes(scene.room), BYTES);
    rooms_close(&rooms);
}

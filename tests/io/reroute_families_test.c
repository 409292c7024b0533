/* What became of messages, from the records of a log in their order. */
#include <criterion/criterion.h>

#include "io/reroute/reroute_families.h"

enum { SLOW, FAST, GRAVE };

static struct record_id id_of(uint64_t ms)
{
    return (struct record_id){ms, 0};
}

static struct destination_set set_of(int destination)
{
    struct destination_set set = {0};
    if (destination >= 0)
        destination_set_add(&set, (uint16_t)destination);
    return set;
}

struct written {
    uint64_t ms, origin_ms;
    enum record_cause cause;
    int been, held; /* -1: nowhere */
    uint64_t generation;
    bool is_copy, is_wanted;
};

static void take(struct families *families, struct written written)
{
    const struct record record = {
        .head = {.kind = RECORD_KIND_MESSAGE, .flags = written.is_copy ? RECORD_COPIED : 0},
        .id = id_of(written.ms),
        .origin = id_of(written.origin_ms),
        .cause = (uint8_t)written.cause,
        .generation = written.generation};
    struct destination_set been = set_of(written.been), held = set_of(written.held);
    families_take_message(families, &record, &been, &held, written.is_wanted);
}

static bool is_only(const struct destination_set *set, int destination)
{
    struct destination_set wanted = set_of(destination);
    return memcmp(set, &wanted, sizeof wanted) == 0;
}

Test(reroute_families, what_is_not_asked_for_leaves_nothing)
{
    struct families families = {0};
    families_begin_log(&families);
    take(&families, (struct written){.ms = 1, .been = SLOW, .held = -1});
    cr_assert_eq(families.count, 0);
    cr_assert_null(families_find(&families, id_of(1)));
    families_close(&families);
}

Test(reroute_families, a_message_and_where_it_was_rerouted)
{
    struct families families = {0};
    families_begin_log(&families);
    take(&families, (struct written){.ms = 1, .been = SLOW, .held = -1, .is_wanted = true});
    take(&families, (struct written){.ms = 5,
                                     .origin_ms = 1,
                                     .cause = RECORD_REROUTED,
                                     .been = FAST,
                                     .held = -1,
                                     .generation = 7});
    cr_assert(!families.is_incomplete);
    const struct family *family = families_find(&families, id_of(5));
    cr_assert_eq(family, families_find(&families, id_of(1)));
    cr_assert(family->is_there && family->rerouted_by == 7);
    cr_assert(destination_set_has(&family->been, SLOW) && destination_set_has(&family->been, FAST));
    families_close(&families);
}

Test(reroute_families, holds_end_where_they_ended)
{
    struct families families = {0};
    families_begin_log(&families);
    take(&families, (struct written){.ms = 1, .been = -1, .held = SLOW, .is_wanted = true});
    const struct family *family = families_find(&families, id_of(1));
    cr_assert(is_only(&family->held, SLOW) && is_only(&family->been, -1));
    families_take_hold_end(&families, id_of(1), FAST);
    cr_assert(is_only(&family->held, SLOW), "another destination's");
    families_take_hold_end(&families, id_of(1), SLOW);
    cr_assert(is_only(&family->held, -1) && is_only(&family->been, -1));
    cr_assert(families.holds[family->last_hold].has_ended);
    families_close(&families);
}

Test(reroute_families, where_it_was_given_up_it_has_not_been)
{
    struct families families = {0};
    families_begin_log(&families);
    take(&families, (struct written){.ms = 1, .been = SLOW, .held = -1, .is_wanted = true});
    take(&families,
         (struct written){
             .ms = 2, .origin_ms = 1, .cause = RECORD_DEAD_LETTER, .been = GRAVE, .held = -1});
    families_take_burial(&families, id_of(1), SLOW);
    const struct family *family = families_find(&families, id_of(1));
    cr_assert(is_only(&family->been, GRAVE));
    take(&families, (struct written){.ms = 3,
                                     .origin_ms = 1,
                                     .cause = RECORD_REROUTED,
                                     .been = SLOW,
                                     .held = -1,
                                     .generation = 1});
    cr_assert(destination_set_has(&family->been, SLOW), "it was rerouted there since");
    families_close(&families);
}

/* A repeat of a repeat is asked for: the log is read three times, from further in front. */
Test(reroute_families, a_repeat_leads_to_its_first)
{
    const struct written log[] = {
        {.ms = 1, .been = -1, .held = SLOW},
        {.ms = 2, .origin_ms = 1, .cause = RECORD_RELEASED, .been = SLOW, .held = -1},
        {.ms = 3, .origin_ms = 2, .cause = RECORD_DEAD_LETTER, .been = GRAVE, .held = -1}};
    struct families families = {0};
    uint64_t from = 3;
    uint32_t rounds = 0;
    families_begin_log(&families);
    families_want(&families, id_of(3));
    do {
        families_begin_again(&families);
        for (uint32_t i = 0; i < sizeof log / sizeof *log; i++)
            if (log[i].ms >= from)
                take(&families, log[i]);
        if (families.is_incomplete)
            from = families.lowest.ms;
    } while (families.is_incomplete && ++rounds < 9);
    cr_assert_lt(rounds, 9);
    const struct family *family = families_find(&families, id_of(3));
    cr_assert(family->is_asked && family->is_there);
    cr_assert_eq(family->id.ms, 1);
    cr_assert(destination_set_has(&family->been, SLOW) &&
              destination_set_has(&family->been, GRAVE));
    cr_assert_eq(families.count, 1);
    families_close(&families);
}

Test(reroute_families, of_a_first_and_its_repeat_one_is_asked_for)
{
    struct families families = {0};
    const struct written first = {.ms = 1, .been = SLOW, .held = -1};
    const struct written repeat = {.ms = 4,
                                   .origin_ms = 1,
                                   .cause = RECORD_REROUTED,
                                   .been = FAST,
                                   .held = -1,
                                   .generation = 2};
    families_begin_log(&families);
    families_want(&families, id_of(1));
    families_want(&families, id_of(4));
    do {
        families_begin_again(&families);
        take(&families, first);
        take(&families, repeat);
    } while (families.is_incomplete);
    uint32_t asked = 0;
    for (uint32_t i = 0; i < families.count; i++)
        asked += families.items[i].is_asked;
    cr_assert_eq(asked, 1);
    const struct family *family = families_find(&families, id_of(4));
    cr_assert(family == families_find(&families, id_of(1)) && family->rerouted_by == 2);
    cr_assert(destination_set_has(&family->been, FAST));
    families_close(&families);
}

/* Its first place is gone: where it has been since is not known. */
Test(reroute_families, of_what_only_a_copy_is_left_nothing_is_known)
{
    struct families families = {0};
    const struct written copy = {
        .ms = 1, .been = SLOW, .held = -1, .is_copy = true, .is_wanted = true};
    families_begin_log(&families);
    take(&families, copy);
    cr_assert(families.is_incomplete && families.lowest.ms == 1);
    families_begin_again(&families);
    take(&families, copy);
    cr_assert(!families.is_incomplete);
    cr_assert(!families_find(&families, id_of(1))->is_there);
    families_close(&families);
}

Test(reroute_families, the_last_ones_by_id)
{
    enum { COUNT = 1000 };
    struct families families = {0};
    families_begin_log(&families);
    for (uint64_t i = 0; i < COUNT; i++) /* 7 and 1000 have no common divisor */
        take(&families, (struct written){
                            .ms = 1 + i * 7 % COUNT, .been = SLOW, .held = -1, .is_wanted = true});
    families_keep_last(&families, 3);
    for (uint64_t ms = 1; ms <= COUNT; ms++)
        cr_assert_eq(families_find(&families, id_of(ms))->is_asked, ms > COUNT - 3, "%lu", ms);
    families_close(&families);
}

#include <criterion/criterion.h>

#include "core/destination_set.h"

/* By another way than the one that is tested. */
static unsigned next_slowly(const struct destination_set *set, unsigned from)
{
    while (from < DESTINATIONS_MAX && !destination_set_has(set, (uint16_t)from))
        from++;
    return from;
}

static void check(const struct destination_set *set)
{
    uint16_t count = 0;
    for (unsigned from = 0; from <= DESTINATIONS_MAX; from++) {
        cr_assert_eq(destination_set_next(set, from), next_slowly(set, from), "from %u", from);
        count = (uint16_t)(count + (from < DESTINATIONS_MAX && next_slowly(set, from) == from));
    }
    cr_assert_eq(destination_set_count(set), count);
    cr_assert_eq(destination_set_is_empty(set), count == 0);
}

Test(destination_set, members_come_in_order_wherever_they_lie)
{
    check(&(struct destination_set){0});
    for (unsigned a = 0; a < DESTINATIONS_MAX; a++)
        for (unsigned b = a; b < DESTINATIONS_MAX; b += 1 + b % 7) {
            struct destination_set set = {0};
            destination_set_add(&set, (uint16_t)a);
            destination_set_add(&set, (uint16_t)b);
            check(&set);
        }
}

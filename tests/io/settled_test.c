/* What groups settle, as it is written down, against a model that has a state for every entry and
 * group: the ranges are the settled ids, all of them and no other. */
#include <criterion/criterion.h>

#include "io/delivery/group.h"
#include "routes/field.h"

enum { ENTRIES_MAX = 2000, GROUPS = 3, CONSUMERS = 3, KEYS = 5 };

enum state { NEW, PENDING, SETTLED };

struct model_group {
    struct group *group;
    enum state states[ENTRIES_MAX];
    bool written[ENTRIES_MAX]; /* as the ranges say */
    uint64_t counts[SETTLED_HOW_COUNT];
};

static struct fixture {
    struct destination destination;
    struct outlet outlet;
    uint32_t last_number;
    uint64_t state;
    struct record_id ids[ENTRIES_MAX];
    bool gone[ENTRIES_MAX]; /* settled by all, and let go: no word about it is due any more */
    uint32_t count;
    struct model_group groups[GROUPS];
} f;

static uint32_t random_below(uint32_t bound)
{
    f.state = f.state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(f.state >> 33) % bound;
}

static void set_up(uint64_t seed)
{
    static const char *const names[GROUPS] = {"a", "b", "c"};
    memset(&f, 0, sizeof f);
    f.state = seed;
    f.destination = (struct destination){.name = "d",
                                         .groups = names,
                                         .group_count = GROUPS,
                                         .groups_by_case = 4,
                                         .pending_max = 200,
                                         .backlog_max = ENTRIES_MAX,
                                         .backlog_bytes_max = UINT32_MAX,
                                         .when_full = WHEN_FULL_DROP_OLDEST};
    cr_assert_eq(outlet_open(&f.outlet, &f.destination, NULL, &f.last_number), STATUS_OK);
    cr_assert_eq(outlet_create_configured_groups(&f.outlet), STATUS_OK);
    f.outlet.gathers = true;
    for (int g = 0; g < GROUPS; g++) {
        f.groups[g].group = f.outlet.groups[g];
        for (int c = 0; c < CONSUMERS; c++) {
            char name[2] = {(char)('0' + c), 0};
            cr_assert_eq(group_consumer(f.groups[g].group, bytes_from_text(name), 1), c);
        }
    }
}

static void push(void)
{
    _Alignas(8) uint8_t memory[256] = {0};
    struct record *record = (struct record *)(void *)memory;
    if (f.count == ENTRIES_MAX)
        return;
    *record = (struct record){.id = {1000 + f.count / 4, f.count % 4 * 256},
                              .head = {.size_bytes = 120, .kind = RECORD_KIND_MESSAGE},
                              .value_count = 1,
                              .body_bytes = 1};
    record_values(record)[0] = (struct record_value){.size = 1, .slot = SLOT_KEY_ORDER};
    *(uint8_t *)(uintptr_t)record_body(record).data = (uint8_t)random_below(KEYS);
    f.ids[f.count++] = record->id;
    outlet_push(&f.outlet, record, f.count);
}

static uint32_t find(struct record_id id)
{
    uint32_t i = 0;
    while (i < f.count && record_id_compare(f.ids[i], id) < 0)
        i++;
    cr_assert(i < f.count && record_id_compare(f.ids[i], id) == 0);
    return i;
}

static bool is_kept(uint32_t i)
{
    uint64_t index;
    return outlet_needs(&f.outlet, f.ids[i], &index);
}

/* ---- what is written down ---- */

static void write_down(struct model_group *model, uint32_t capacity)
{
    struct settled_range ranges[ENTRIES_MAX];
    enum settled_how how;
    uint32_t taken = group_take_settled(model->group, ranges, capacity, &how);
    for (uint32_t r = 0; r < taken; r++) {
        model->counts[how] += ranges[r].count;
        cr_assert_leq(record_id_compare(ranges[r].from, ranges[r].to), 0);
        for (uint32_t i = 0; i < f.count; i++)
            if (record_id_compare(f.ids[i], ranges[r].from) >= 0 &&
                record_id_compare(f.ids[i], ranges[r].to) <= 0)
                model->written[i] = true;
    }
}

static void write_all_down(struct model_group *model)
{
    while (model->group->settled.count > 0)
        write_down(model, ENTRIES_MAX);
}

static void check_standing(const struct model_group *model)
{
    bool settled[ENTRIES_MAX] = {false};
    struct settled_range range;
    struct group_standing standing = group_standing_begin(model->group);
    for (uint32_t i = 0; i < f.count; i++)
        settled[i] = record_id_compare(f.ids[i], standing.after) <= 0;
    while (group_standing_next(&standing, &range))
        for (uint32_t i = 0; i < f.count; i++)
            settled[i] |= record_id_compare(f.ids[i], range.from) >= 0 &&
                          record_id_compare(f.ids[i], range.to) <= 0;
    for (uint32_t i = 0; i < f.count; i++)
        cr_assert(!is_kept(i) || settled[i] == (model->states[i] == SETTLED), "entry %u", i);
}

static void check(void)
{
    for (int g = 0; g < GROUPS; g++) {
        struct model_group *model = &f.groups[g];
        write_all_down(model);
        for (uint32_t i = 0; i < f.count; i++)
            cr_assert(f.gone[i] || model->written[i] == (model->states[i] == SETTLED),
                      "group %d, entry %u: %d", g, i, model->states[i]);
        cr_assert_eq(model->counts[SETTLED_ACKNOWLEDGED], model->group->account.acknowledged);
        cr_assert_eq(model->counts[SETTLED_DEAD_LETTERED], model->group->account.dead_lettered);
        cr_assert_eq(model->counts[SETTLED_SKIPPED], model->group->account.skipped);
        cr_assert_eq(model->counts[SETTLED_DROPPED], model->group->account.dropped);
        cr_assert_eq(group_gap(&model->group->account), 0);
        check_standing(model);
    }
}

/* ---- steps ---- */

static void take(struct model_group *model, bool no_ack)
{
    uint16_t consumer = (uint16_t)random_below(CONSUMERS);
    uint64_t next = group_next(model->group, consumer, no_ack);
    uint64_t index = group_take(model->group, consumer, no_ack, 5);
    cr_assert_eq(next, index);
    if (index == GROUP_NOTHING)
        return;
    uint32_t i = find(outlet_entry(&f.outlet, index)->id);
    cr_assert_eq(model->states[i], NEW);
    model->states[i] = no_ack ? SETTLED : PENDING;
}

static void end(struct model_group *model)
{
    if (f.count == 0)
        return;
    uint32_t i = random_below(f.count);
    struct pending_entry *entry = group_find_pending(model->group, f.ids[i]);
    cr_assert_eq(entry != NULL, model->states[i] == PENDING);
    if (entry == NULL)
        return;
    if (random_below(4) == 0)
        group_bury(model->group, entry);
    else
        cr_assert(group_acknowledge(model->group, f.ids[i]));
    model->states[i] = SETTLED;
}

static void end_the_oldest(struct model_group *model)
{
    struct record_id from = {0};
    struct pending_entry *entry;
    for (uint32_t n = random_below(20); n > 0; n--) {
        entry = group_next_pending(model->group, from, GROUP_NO_CONSUMER);
        if (entry == NULL)
            return;
        from = entry->id;
        cr_assert(group_acknowledge(model->group, from));
        model->states[find(from)] = SETTLED;
    }
    outlet_trim(&f.outlet);
}

static void set_id(struct model_group *model)
{
    uint32_t to = random_below(f.count + 1);
    struct record_id id = to > 0 ? f.ids[to - 1] : (struct record_id){0};
    write_all_down(model);
    if (group_set_id(model->group, id) > 0)
        return;
    write_all_down(model); /* what was skipped; then that it was moved */
    for (uint32_t i = 0; i < f.count; i++) {
        f.gone[i] = !is_kept(i);
        if (i < to && model->states[i] == NEW)
            model->states[i] = SETTLED;
        if (i >= to)
            model->states[i] = f.gone[i] ? SETTLED : NEW;
        if (i >= to)
            model->written[i] = false;
    }
}

static struct record_id first_kept(void)
{
    return outlet_length(&f.outlet) > 0 ? outlet_entry(&f.outlet, f.outlet.first)->id
                                        : record_id_after(f.outlet.last_id);
}

/* A full destination makes room. */
static void drop(void)
{
    uint64_t length = outlet_length(&f.outlet), dropped = random_below(4);
    if (dropped > length || f.outlet.reserved_entries > 0)
        return;
    f.destination.backlog_max = (uint32_t)(length - dropped + 1);
    cr_assert(outlet_make_room(&f.outlet, 1));
    f.destination.backlog_max = ENTRIES_MAX;
    for (int g = 0; g < GROUPS; g++)
        for (uint32_t i = 0; i < f.count && record_id_compare(f.ids[i], first_kept()) < 0; i++)
            f.groups[g].states[i] = SETTLED;
}

static void step(void)
{
    struct model_group *model = &f.groups[random_below(GROUPS)];
    switch (random_below(12)) {
    case 0:
    case 1: push(); return;
    case 2: take(model, true); return;
    case 3:
        if (random_below(10) == 0)
            drop();
        outlet_squeeze(&f.outlet);
        return;
    case 4: end_the_oldest(model); return;
    case 5: write_down(model, 1 + random_below(5)); return;
    case 6:
        if (random_below(30) == 0)
            set_id(model);
        return;
    case 7:
    case 8: end(model); return;
    default: take(model, false); return;
    }
}

Test(settled, ranges_are_what_the_model_has_settled)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        set_up(seed);
        for (int i = 0; i < 8000; i++) {
            step();
            if (i % 500 == 0)
                check();
        }
        check();
        outlet_close(&f.outlet);
    }
}

Test(settled, a_run_of_acknowledgements_is_one_range)
{
    struct settled_range ranges[8];
    enum settled_how how;
    set_up(1);
    struct group *group = f.groups[0].group;
    for (int i = 0; i < 10; i++) {
        push();
        cr_assert_neq(group_take(group, 0, false, 1), GROUP_NOTHING);
    }
    static const int order[] = {3, 1, 2, 5, 4, 9, 0, 7};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        cr_assert(group_acknowledge(group, f.ids[order[i]]));
    cr_assert(f.outlet.has_settled);
    cr_assert_eq(group_take_settled(group, ranges, 8, &how), 3);
    cr_assert_eq(record_id_compare(ranges[0].from, f.ids[0]), 0);
    cr_assert_eq(record_id_compare(ranges[0].to, f.ids[5]), 0);
    cr_assert_eq(ranges[0].count, 6);
    cr_assert_eq(record_id_compare(ranges[1].from, f.ids[7]), 0);
    cr_assert_eq(record_id_compare(ranges[2].to, f.ids[9]), 0);
    cr_assert_eq(group_take_settled(group, ranges, 8, &how), 0);
    outlet_close(&f.outlet);
}

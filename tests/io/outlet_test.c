/* A destination and its groups against a model that knows only the words of Redis: each group has
 * delivered a prefix, and of that prefix some are acknowledged. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/delivery/group.h"

enum { BLOCK = 64 * 1024, BLOCKS = 64, RECORDS_MAX = 4000, GROUPS = 3, CONSUMERS = 4 };

struct model_entry {
    bool pending;
    uint16_t consumer;
};

struct fixture {
    struct journal journal;
    struct destination destination;
    struct outlet outlet;
    uint32_t last_number;
    uint64_t state;
    struct record_id ids[RECORDS_MAX];
    uint64_t count;
    struct {
        struct group *group;
        uint64_t delivered, acknowledged;
        struct model_entry entries[RECORDS_MAX];
    } groups[GROUPS];
};

static enum status open_journal(struct journal *journal)
{
    const struct journal_settings settings = {.memory_bytes = (uint64_t)BLOCK * BLOCKS,
                                              .segment_bytes = 1024 * 1024,
                                              .block_bytes = BLOCK,
                                              .in_memory = true};
    return journal_open(journal, &settings);
}

static uint32_t random_below(struct fixture *f, uint32_t bound)
{
    f->state = f->state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(f->state >> 33) % bound;
}

static void set_up(struct fixture *f, uint64_t seed)
{
    static const char *const names[GROUPS] = {"a", "b", "c"};
    memset(f, 0, sizeof *f);
    f->state = seed;
    cr_assert_eq(open_journal(&f->journal), STATUS_OK);
    f->destination = (struct destination){.name = "d",
                                          .groups = names,
                                          .group_count = GROUPS,
                                          .pending_max = 100,
                                          .backlog_max = RECORDS_MAX,
                                          .backlog_bytes_max = UINT32_MAX};
    cr_assert_eq(outlet_open(&f->outlet, &f->destination, &f->journal, &f->last_number), STATUS_OK);
    cr_assert_eq(outlet_create_configured_groups(&f->outlet), STATUS_OK);
    for (int g = 0; g < GROUPS; g++) {
        f->groups[g].group = outlet_find_group(&f->outlet, bytes_from_text(names[g]));
        cr_assert_not_null(f->groups[g].group);
        for (int c = 0; c < CONSUMERS; c++) {
            char name[2] = {(char)('0' + c), 0};
            cr_assert_eq(group_consumer(f->groups[g].group, bytes_from_text(name), 1), c);
        }
    }
}

static void tear_down(struct fixture *f)
{
    outlet_close(&f->outlet);
    journal_close(&f->journal);
}

static void push(struct fixture *f, uint32_t body_bytes)
{
    struct record *record;
    struct record_head *head;
    uint64_t position;
    uint32_t size = record_size(0, 0, 0, body_bytes, 0);
    cr_assert_eq(journal_reserve(&f->journal, size, &head, &position), STATUS_OK);
    record = (struct record *)(void *)head;
    *record = (struct record){.id = journal_next_id(&f->journal, 1000 + f->count / 3),
                              .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE}};
    journal_commit_record(&f->journal, head);
    f->ids[f->count++] = record->id;
    outlet_push(&f->outlet, record, position);
}

static void step_push(struct fixture *f)
{
    if (f->count < RECORDS_MAX - 1)
        push(f, random_below(f, 100));
}

static void step_take(struct fixture *f, int g)
{
    struct group *group = f->groups[g].group;
    uint16_t consumer = (uint16_t)random_below(f, CONSUMERS);
    bool no_ack = random_below(f, 10) == 0;
    bool full = group->account.pending >= f->destination.pending_max;
    uint64_t index = group_take(group, consumer, no_ack, 5);
    if (f->groups[g].delivered == f->count || (full && !no_ack)) {
        cr_assert_eq(index, GROUP_NOTHING);
        return;
    }
    uint64_t expected = f->groups[g].delivered++;
    cr_assert_neq(index, GROUP_NOTHING);
    cr_assert_eq(record_id_compare(outlet_entry(&f->outlet, index)->id, f->ids[expected]), 0);
    f->groups[g].entries[expected] = (struct model_entry){!no_ack, consumer};
    f->groups[g].acknowledged += no_ack;
}

static void step_acknowledge(struct fixture *f, int g)
{
    if (f->count == 0)
        return;
    uint64_t i = random_below(f, (uint32_t)f->count);
    struct model_entry *entry = &f->groups[g].entries[i];
    cr_assert_eq(group_acknowledge(f->groups[g].group, f->ids[i]), entry->pending);
    f->groups[g].acknowledged += entry->pending;
    entry->pending = false;
    outlet_trim(&f->outlet);
}

static void step_claim(struct fixture *f, int g)
{
    if (f->count == 0)
        return;
    uint64_t i = random_below(f, (uint32_t)f->count);
    struct model_entry *entry = &f->groups[g].entries[i];
    struct pending_entry *found = group_find_pending(f->groups[g].group, f->ids[i]);
    cr_assert_eq(found != NULL, entry->pending);
    if (found == NULL)
        return;
    cr_assert_eq(found->consumer, entry->consumer);
    entry->consumer = (uint16_t)random_below(f, CONSUMERS);
    group_assign(f->groups[g].group, found, entry->consumer);
}

static void check_group(struct fixture *f, int g)
{
    const struct group *group = f->groups[g].group;
    uint64_t pending = 0, per_consumer[CONSUMERS] = {0};
    struct record_id at = {0};
    for (uint64_t i = 0; i < f->groups[g].delivered; i++) {
        if (!f->groups[g].entries[i].pending)
            continue;
        pending++;
        per_consumer[f->groups[g].entries[i].consumer]++;
        const struct pending_entry *entry = group_next_pending(group, at, GROUP_NO_CONSUMER);
        cr_assert_not_null(entry);
        cr_assert_eq(record_id_compare(entry->id, f->ids[i]), 0);
        at = entry->id;
        at.seq++;
    }
    cr_assert_null(group_next_pending(group, at, GROUP_NO_CONSUMER));
    cr_assert_eq(group->account.pending, pending);
    cr_assert_eq(group->account.acknowledged, f->groups[g].acknowledged);
    cr_assert_eq(group->account.backlog, f->count - f->groups[g].delivered);
    cr_assert_eq(group_gap(&group->account), 0);
    for (int c = 0; c < CONSUMERS; c++)
        cr_assert_eq(group->consumers[c].pending, per_consumer[c]);
}

static bool is_needed(const struct fixture *f, uint64_t i)
{
    for (int g = 0; g < GROUPS; g++)
        if (i >= f->groups[g].delivered || f->groups[g].entries[i].pending)
            return true;
    return false;
}

/* What any group has not finished is kept, and can be found by its id; nothing older is. */
static void check_kept(struct fixture *f)
{
    uint64_t first_needed = 0, index;
    while (first_needed < f->count && !is_needed(f, first_needed))
        first_needed++;
    outlet_trim(&f->outlet);
    uint64_t needed = 0;
    for (uint64_t i = 0; i < f->count; i++) {
        bool found = outlet_needs(&f->outlet, f->ids[i], &index);
        cr_assert(found || !is_needed(f, i));
        cr_assert(!found || i >= first_needed);
        needed += is_needed(f, i);
    }
    cr_assert_geq(outlet_length(&f->outlet), needed);
    cr_assert_eq(outlet_gap(&f->outlet.account), -(int64_t)f->count,
                 "routed is the commit's to count");
}

Test(outlet, groups_agree_with_a_model)
{
    static struct fixture f;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        set_up(&f, seed);
        for (int step = 0; step < 20000; step++) {
            int g = (int)random_below(&f, GROUPS);
            switch (random_below(&f, 9)) {
            case 0: step_push(&f); break;
            case 1:
            case 2:
            case 3: step_take(&f, g); break;
            case 7: step_claim(&f, g); break;
            case 6: outlet_squeeze(&f.outlet); break;
            default: step_acknowledge(&f, g); break;
            }
        }
        for (int g = 0; g < GROUPS; g++)
            check_group(&f, g);
        check_kept(&f);
        tear_down(&f);
    }
}

Test(outlet, a_relocated_record_is_found_at_its_new_place)
{
    static struct fixture f;
    set_up(&f, 1);
    for (int i = 0; i < 10; i++)
        push(&f, 10);
    uint64_t index, position;
    cr_assert(outlet_needs(&f.outlet, f.ids[4], &index));
    struct record_head *copy;
    const struct record *old =
        journal_message(&f.journal, outlet_entry(&f.outlet, index)->position);
    cr_assert_eq(journal_reserve(&f.journal, old->head.size_bytes, &copy, &position), STATUS_OK);
    memcpy(copy, old, old->head.size_bytes);
    journal_commit_record(&f.journal, copy);
    outlet_relocate(&f.outlet, index, position);
    cr_assert_eq(outlet_entry(&f.outlet, index)->position, position);
    uint64_t again;
    cr_assert(outlet_needs(&f.outlet, f.ids[4], &again));
    cr_assert_eq(again, index);
    cr_assert_eq(outlet_lower_bound(&f.outlet, f.ids[5]), index + 1);
    tear_down(&f);
}

Test(outlet, one_stuck_message_does_not_fill_its_destination)
{
    static struct fixture f;
    set_up(&f, 1);
    f.destination.backlog_max = 64;
    uint64_t stuck_index;
    for (int i = 0; i < 1000; i++) {
        if (!outlet_has_room(&f.outlet, 100))
            outlet_squeeze(&f.outlet);
        cr_assert(outlet_has_room(&f.outlet, 100), "at %d", i);
        push(&f, 10);
        for (int g = 0; g < GROUPS; g++) {
            uint64_t index = group_take(f.groups[g].group, 0, false, 1);
            cr_assert_eq(record_id_compare(outlet_entry(&f.outlet, index)->id, f.ids[i]), 0);
            if (i != 3 || g != 1)
                cr_assert(group_acknowledge(f.groups[g].group, f.ids[i]));
        }
    }
    cr_assert(outlet_needs(&f.outlet, f.ids[3], &stuck_index));
    struct pending_entry *stuck = group_find_pending(f.groups[1].group, f.ids[3]);
    cr_assert_eq(stuck->index, stuck_index);
    cr_assert(group_acknowledge(f.groups[1].group, f.ids[3]));
    outlet_trim(&f.outlet);
    cr_assert_eq(outlet_length(&f.outlet), 0);
    cr_assert_eq(f.outlet.bytes, 0);
    tear_down(&f);
}

Test(outlet, a_group_is_set_back_and_forward)
{
    static struct fixture f;
    set_up(&f, 1);
    for (int i = 0; i < 10; i++)
        push(&f, 10);
    struct group *group = f.groups[0].group;
    cr_assert_eq(group_set_id(group, f.ids[5]), 0);
    cr_assert_eq(group->account.skipped, 6);
    cr_assert_eq(group->account.backlog, 4);
    uint64_t index = group_take(group, 0, false, 1);
    cr_assert_eq(record_id_compare(outlet_entry(&f.outlet, index)->id, f.ids[6]), 0);
    cr_assert_eq(group_set_id(group, f.ids[1]), 1, "one behind it is pending");
    cr_assert_eq(group->account.backlog, 3, "nothing was done");
    cr_assert_eq(group_set_id(group, f.ids[6]), 0);
    cr_assert(group_acknowledge(group, f.ids[6]));
    cr_assert_eq(group_set_id(group, f.ids[1]), 0);
    cr_assert_eq(group->account.backlog, 8);
    cr_assert_eq(group->entries_read, 2);
    cr_assert_eq(group_gap(&group->account), 0);
    /* What was acknowledged is pending once more, and found. */
    for (int i = 2; i < 10; i++)
        cr_assert_neq(group_take(group, 0, false, 1), GROUP_NOTHING);
    cr_assert(group_acknowledge(group, f.ids[9]));
    cr_assert(group_acknowledge(group, f.ids[8]));
    cr_assert_eq(group_set_id(group, f.ids[7]), 0);
    cr_assert_neq(group_take(group, 0, false, 1), GROUP_NOTHING);
    for (int i = 2; i < 9; i++)
        cr_assert(group_acknowledge(group, f.ids[i]), "%d", i);
    cr_assert_eq(group->account.pending, 0);
    tear_down(&f);
}

Test(outlet, a_removed_consumer_leaves_its_place)
{
    static struct fixture f;
    set_up(&f, 1);
    push(&f, 10);
    struct group *group = f.groups[0].group;
    cr_assert_neq(group_take(group, 2, false, 1), GROUP_NOTHING);
    group_remove_consumer(group, 1);
    cr_assert_eq(group_find_consumer(group, BYTES_LITERAL("1")), GROUP_NO_CONSUMER);
    cr_assert_eq(group->consumer_count, CONSUMERS - 1);
    cr_assert_eq(group_consumer(group, BYTES_LITERAL("new"), 1), 1);
    cr_assert_eq(group_consumer(group, BYTES_LITERAL("newer"), 1), CONSUMERS);
    cr_assert_eq(group_find_pending(group, f.ids[0])->consumer, 2);
    tear_down(&f);
}

Test(outlet, room_counts_what_is_reserved)
{
    static struct fixture f;
    set_up(&f, 1);
    f.destination.backlog_max = 2;
    f.destination.backlog_bytes_max = 1000;
    cr_assert(outlet_has_room(&f.outlet, 1000));
    cr_assert_not(outlet_has_room(&f.outlet, 1001));
    cr_assert(outlet_try_reserve(&f.outlet, 600));
    cr_assert_not(outlet_has_room(&f.outlet, 401));
    cr_assert(outlet_has_room(&f.outlet, 400));
    cr_assert(outlet_try_reserve(&f.outlet, 100));
    cr_assert_not(outlet_has_room(&f.outlet, 1), "two entries are all");
    outlet_unreserve(&f.outlet, 600);
    cr_assert(outlet_has_room(&f.outlet, 900));
    tear_down(&f);
}

Test(outlet, without_a_group_the_oldest_fall_off_and_are_counted)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    cr_assert_eq(open_journal(&f.journal), STATUS_OK);
    f.destination = (struct destination){.name = "d",
                                         .backlog_max = 16,
                                         .backlog_bytes_max = 10000,
                                         .retain_bytes = 1100,
                                         .pending_max = 10};
    cr_assert_eq(outlet_open(&f.outlet, &f.destination, &f.journal, &f.last_number), STATUS_OK);
    cr_assert_eq(outlet_create_configured_groups(&f.outlet), STATUS_OK);
    for (int i = 0; i < 50; i++)
        push(&f, 12); /* 112 bytes each */
    cr_assert_eq(outlet_length(&f.outlet), 9);
    cr_assert_eq(f.outlet.account.unclaimed, 41);
    cr_assert_eq(f.outlet.account.retained, 9);
    cr_assert_eq(outlet_gap(&f.outlet.account), -50, "routed is the commit's to count");

    struct group *group;
    cr_assert_eq(
        outlet_create_group(&f.outlet, BYTES_LITERAL("g"), GROUP_AFTER_ID, f.ids[44], &group),
        STATUS_OK);
    cr_assert_eq(group->account.backlog, 5);
    cr_assert_eq(f.outlet.account.retained, 0);
    uint64_t index = group_take(group, group_consumer(group, BYTES_LITERAL("c"), 1), false, 1);
    cr_assert_eq(record_id_compare(outlet_entry(&f.outlet, index)->id, f.ids[45]), 0);
    cr_assert_eq(outlet_create_group(&f.outlet, BYTES_LITERAL("g"), GROUP_FROM_NOW,
                                     (struct record_id){0}, &group),
                 STATUS_EXISTS);
    tear_down(&f);
}

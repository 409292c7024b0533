/* A destination's life, written down as it goes, and built again from that after every crash: what
 * was not written down as settled is delivered again, in order, and nothing else; the books agree.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/delivery/group.h"
#include "io/delivery/outlet_restore.h"
#include "routes/field.h"

enum { ENTRIES_MAX = 3000, LOG_MAX = 60000, GROUPS_MAX = 4, KEYS = 5, UNCOMMITTED_MAX = 8 };

enum state { NEW, PENDING, SETTLED };

struct model_group {
    struct group *group; /* NULL: there is none */
    enum state states[ENTRIES_MAX];
    bool written[ENTRIES_MAX];
    uint64_t counts[SETTLED_HOW_COUNT];
};

static struct fixture {
    struct destination destination;
    struct outlet outlet;
    uint32_t last_number;
    uint64_t state;
    struct record_id ids[ENTRIES_MAX];
    uint32_t keys[ENTRIES_MAX];
    bool gone[ENTRIES_MAX]; /* settled by all when a group began or was moved */
    uint32_t count, pushed; /* written; and of those, pushed */
    struct model_group groups[GROUPS_MAX];
    struct record_head *log[LOG_MAX];
    uint32_t log_count, log_first;
    uint32_t segment; /* the last checkpoint */
} f;

static const char *const names[GROUPS_MAX] = {"a", "b", "c", "made"};

static uint32_t random_below(uint32_t bound)
{
    f.state = f.state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(f.state >> 33) % bound;
}

/* ---- the log ---- */

static void *log_add(uint32_t size, enum record_kind kind)
{
    struct record_head *head = calloc(1, size);
    cr_assert(head != NULL && f.log_count < LOG_MAX);
    *head = (struct record_head){.size_bytes = size, .kind = (uint8_t)kind};
    f.log[f.log_count++] = head;
    return head;
}

static void log_settled(struct group *group, const struct settled_range *ranges, uint32_t count,
                        enum settled_how how, bool standing)
{
    struct fact_settled *fact = log_add(fact_settled_size(count), RECORD_KIND_SETTLED);
    fact->group_number = group->number;
    fact->range_count = count;
    fact->how = (uint8_t)how;
    fact->standing = standing;
    memcpy(fact_settled_ranges(fact), ranges, count * sizeof *ranges);
}

static bool is_in(struct record_id id, const struct settled_range *range)
{
    return record_id_compare(id, range->from) >= 0 && record_id_compare(id, range->to) <= 0;
}

static void write_down(struct model_group *model, uint32_t capacity)
{
    struct settled_range ranges[ENTRIES_MAX];
    enum settled_how how;
    if (model->group == NULL)
        return;
    uint32_t taken = group_take_settled(model->group, ranges, capacity, &how);
    if (taken == 0)
        return;
    log_settled(model->group, ranges, taken, how, false);
    for (uint32_t r = 0; r < taken; r++) {
        model->counts[how] += ranges[r].count;
        for (uint32_t i = 0; i < f.count; i++)
            model->written[i] |= is_in(f.ids[i], &ranges[r]);
    }
}

static void write_all_down(void)
{
    for (int g = 0; g < GROUPS_MAX; g++)
        while (f.groups[g].group != NULL && f.groups[g].group->settled.count > 0)
            write_down(&f.groups[g], ENTRIES_MAX);
    f.outlet.has_settled = false;
}

static void log_group(const struct group *group, enum group_event event, struct record_id after)
{
    struct bytes name = bytes_from_text(group_name(group));
    struct fact_group *fact = log_add(fact_group_size(name.size), RECORD_KIND_GROUP);
    fact->number = group->number;
    fact->event = (uint8_t)event;
    fact->after = after;
    fact->account = group->account;
    fact->account.offered += f.count - f.pushed;
    fact->account.backlog += f.count - f.pushed;
    fact_group_set_name(fact, name);
}

static void write_checkpoint(void)
{
    write_all_down();
    f.segment = f.log_count;
    struct fact_outlet *fact = log_add(sizeof *fact, RECORD_KIND_OUTLET);
    fact->account = f.outlet.account;
    fact->account.routed += f.count - f.pushed;
    fact->account.offered += f.count - f.pushed;
    fact->pushed = f.count;
    fact->first_ever_id = f.ids[0];
    fact->last_id = f.count > 0 ? f.ids[f.count - 1] : (struct record_id){0};
    for (uint16_t i = 0; i < f.outlet.group_count; i++) {
        struct group *group = f.outlet.groups[i];
        struct settled_range range;
        struct group_standing standing = group_standing_begin(group);
        log_group(group, GROUP_STANDS, standing.after);
        while (group_standing_next(&standing, &range))
            log_settled(group, &range, 1, SETTLED_ACKNOWLEDGED, true);
    }
}

static bool is_kept(uint32_t i)
{
    uint64_t index;
    return outlet_needs(&f.outlet, f.ids[i], &index);
}

static uint32_t find_in_log(uint32_t i)
{
    uint32_t at = f.log_count;
    do
        at--;
    while (f.log[at]->kind != RECORD_KIND_MESSAGE ||
           record_id_compare(((struct record *)(void *)f.log[at])->id, f.ids[i]) != 0);
    return at;
}

/* What lies before the last checkpoint goes; what is needed of it is copied first. */
static void give_up_segments(void)
{
    if (f.pushed < f.count && find_in_log(f.pushed) < f.segment)
        return; /* something of them is not pushed yet */
    outlet_trim(&f.outlet);
    outlet_squeeze(&f.outlet);
    write_all_down();
    for (uint64_t i = f.outlet.first; i < f.outlet.end; i++) {
        uint64_t position = outlet_entry(&f.outlet, i)->position;
        if (position >= f.segment)
            continue;
        uint32_t size = f.log[position]->size_bytes;
        struct record_head *copy = log_add(size, RECORD_KIND_MESSAGE);
        memcpy(copy, f.log[position], size);
        copy->flags = RECORD_COPIED;
        outlet_relocate(&f.outlet, i, f.log_count - 1);
    }
    if (random_below(3) == 0)
        return; /* a crash, perhaps, in between */
    while (f.log_first < f.segment) {
        free(f.log[f.log_first]);
        f.log[f.log_first++] = NULL;
    }
}

/* ---- life ---- */

static void append(void)
{
    if (f.count == ENTRIES_MAX)
        return;
    struct record *record = log_add(record_size(0, 0, 1, 1, 0), RECORD_KIND_MESSAGE);
    record->id = (struct record_id){1000 + f.count / 4, f.count % 4 * 256};
    record->value_count = 1;
    record->body_bytes = 1;
    record_values(record)[0] = (struct record_value){.size = 1, .slot = SLOT_KEY_ORDER};
    f.keys[f.count] = random_below(KEYS);
    *(uint8_t *)(uintptr_t)record_body(record).data = (uint8_t)f.keys[f.count];
    f.ids[f.count++] = record->id;
}

static uint32_t find(struct record_id id)
{
    uint32_t i = 0;
    while (i < f.count && record_id_compare(f.ids[i], id) < 0)
        i++;
    cr_assert(i < f.count && record_id_compare(f.ids[i], id) == 0);
    return i;
}

static void commit(uint32_t count)
{
    for (; count > 0 && f.pushed < f.count; count--, f.pushed++) {
        uint32_t at = find_in_log(f.pushed);
        f.outlet.account.routed++;
        outlet_push(&f.outlet, (struct record *)(void *)f.log[at], at);
    }
}

static void take(struct model_group *model, bool no_ack)
{
    uint64_t index = group_take(model->group, (uint16_t)random_below(2), no_ack, 5);
    if (index == GROUP_NOTHING)
        return;
    uint32_t i = find(outlet_entry(&f.outlet, index)->id);
    cr_assert_eq(model->states[i], NEW);
    for (uint32_t before = 0; model == &f.groups[2] && before < i; before++)
        cr_assert(model->states[before] != NEW || f.keys[before] != f.keys[i] || f.gone[before],
                  "order: case");
    model->states[i] = no_ack ? SETTLED : PENDING;
}

static void end(struct model_group *model)
{
    if (f.pushed == 0)
        return;
    uint32_t i = random_below(f.pushed);
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

static void end_many(struct model_group *model)
{
    struct pending_entry *entry;
    for (uint32_t n = random_below(100); n > 0; n--) {
        entry = group_next_pending(model->group, (struct record_id){0}, GROUP_NO_CONSUMER);
        if (entry == NULL)
            break;
        struct record_id id = entry->id;
        cr_assert(group_acknowledge(model->group, id));
        model->states[find(id)] = SETTLED;
    }
    outlet_trim(&f.outlet);
}

static void set_id(struct model_group *model)
{
    uint32_t to = random_below(f.pushed + 1);
    struct record_id id = to > 0 ? f.ids[to - 1] : (struct record_id){0};
    for (uint32_t i = to; i < f.pushed; i++)
        if (model->states[i] == PENDING && random_below(20) != 0) {
            cr_assert(group_acknowledge(model->group, f.ids[i]));
            model->states[i] = SETTLED;
        }
    write_all_down();
    if (group_set_id(model->group, id) > 0)
        return;
    write_all_down();
    log_group(model->group, GROUP_MOVED, id);
    for (uint32_t i = 0; i < f.pushed; i++) {
        f.gone[i] = !is_kept(i);
        if (i < to && model->states[i] == NEW)
            model->states[i] = SETTLED;
        if (i >= to) {
            model->states[i] = f.gone[i] ? SETTLED : NEW;
            model->written[i] = false;
        }
    }
}

static void add_consumers(struct group *group)
{
    cr_assert_eq(group_consumer(group, BYTES_LITERAL("0"), 1), 0);
    cr_assert_eq(group_consumer(group, BYTES_LITERAL("1"), 1), 1);
}

static void make_or_destroy(struct model_group *model)
{
    write_all_down();
    if (model->group != NULL) {
        log_group(model->group, GROUP_DESTROYED, (struct record_id){0});
        outlet_destroy_group(&f.outlet, model->group);
        *model = (struct model_group){0};
        return;
    }
    struct record_id after = f.pushed > 0 ? f.ids[random_below(f.pushed)] : (struct record_id){0};
    cr_assert_eq(
        outlet_create_group(&f.outlet, BYTES_LITERAL("made"), GROUP_AFTER_ID, after, &model->group),
        STATUS_OK);
    add_consumers(model->group);
    after = group_standing_begin(model->group).after;
    log_group(model->group, GROUP_CREATED, after);
    for (uint32_t i = 0; i < f.pushed; i++) {
        f.gone[i] = !is_kept(i);
        model->written[i] = record_id_compare(f.ids[i], after) <= 0;
        model->states[i] = model->written[i] || f.gone[i] ? SETTLED : NEW;
    }
}

/* ---- the crash ---- */

static void rebuild(void)
{
    struct outlet_restore *restore;
    f.last_number = 0;
    cr_assert_eq(outlet_open(&f.outlet, &f.destination, NULL, &f.last_number), STATUS_OK);
    cr_assert_eq(outlet_restore_open(&f.outlet, UNCOMMITTED_MAX, &restore), STATUS_OK);
    for (uint32_t i = f.log_first; i < f.log_count; i++) {
        const void *fact = f.log[i];
        enum status status = STATUS_OK;
        switch ((enum record_kind)f.log[i]->kind) {
        case RECORD_KIND_MESSAGE: status = outlet_restore_message(restore, fact, i); break;
        case RECORD_KIND_GROUP: status = outlet_restore_group(restore, fact); break;
        case RECORD_KIND_SETTLED: status = outlet_restore_settled(restore, fact); break;
        case RECORD_KIND_OUTLET: outlet_restore_account(restore, fact); break;
        default: cr_assert_fail();
        }
        cr_assert_eq(status, STATUS_OK);
    }
    cr_assert_eq(outlet_restore_end(restore), STATUS_OK);
    outlet_restore_close(restore);
    f.outlet.gathers = true;
}

static bool is_due(const struct model_group *model, uint32_t i)
{
    return !f.gone[i] && !model->written[i];
}

static void check_group(const struct model_group *model)
{
    const struct group_account *account = &model->group->account;
    uint64_t due = 0;
    for (uint32_t i = 0; i < f.count; i++) {
        due += is_due(model, i);
        cr_assert(!is_due(model, i) || is_kept(i));
    }
    cr_assert_eq(account->backlog, due);
    cr_assert_eq(account->pending, 0);
    cr_assert_eq(account->acknowledged, model->counts[SETTLED_ACKNOWLEDGED]);
    cr_assert_eq(account->dead_lettered, model->counts[SETTLED_DEAD_LETTERED]);
    cr_assert_eq(account->skipped, model->counts[SETTLED_SKIPPED]);
    cr_assert_eq(account->dropped, model->counts[SETTLED_DROPPED]);
    cr_assert_eq(group_gap(account), 0, "%lld", (long long)group_gap(account));
    cr_assert_eq(model->group->entries_read, f.count - due, "the lag is what is due");
}

static void crash(void)
{
    bool there[GROUPS_MAX];
    uint64_t offered[GROUPS_MAX];
    struct outlet_account account = f.outlet.account;
    for (int g = 0; g < GROUPS_MAX; g++) {
        there[g] = f.groups[g].group != NULL;
        offered[g] = there[g] ? f.groups[g].group->account.offered : 0;
    }
    outlet_close(&f.outlet);
    rebuild();
    cr_assert_eq(f.outlet.account.routed, account.routed + (f.count - f.pushed));
    cr_assert_eq(f.outlet.account.offered, account.offered + (f.count - f.pushed));
    cr_assert_eq(outlet_gap(&f.outlet.account), 0);
    cr_assert_eq(f.outlet.pushed, f.count);
    for (int g = 0; g < GROUPS_MAX; g++) {
        struct model_group *model = &f.groups[g];
        model->group = outlet_find_group(&f.outlet, bytes_from_text(names[g]));
        cr_assert_eq(model->group != NULL, there[g]);
        if (!there[g])
            continue;
        cr_assert_eq(model->group->account.offered, offered[g] + (f.count - f.pushed));
        check_group(model);
        for (uint32_t i = 0; i < f.count; i++)
            model->states[i] = is_due(model, i) ? NEW : SETTLED;
        add_consumers(model->group);
    }
    f.pushed = f.count;
    write_checkpoint();
}

/* ---- the tests ---- */

static void set_up(uint64_t seed)
{
    memset(&f, 0, sizeof f);
    f.state = seed;
    f.destination = (struct destination){.name = "d",
                                         .groups = names,
                                         .group_count = 3,
                                         .groups_by_case = 4,
                                         .pending_max = 100,
                                         .backlog_max = ENTRIES_MAX,
                                         .backlog_bytes_max = UINT32_MAX,
                                         .when_full = WHEN_FULL_DROP_OLDEST};
    cr_assert_eq(outlet_open(&f.outlet, &f.destination, NULL, &f.last_number), STATUS_OK);
    cr_assert_eq(outlet_create_configured_groups(&f.outlet), STATUS_OK);
    f.outlet.gathers = true;
    for (int g = 0; g < 3; g++) {
        f.groups[g].group = f.outlet.groups[g];
        add_consumers(f.groups[g].group);
    }
    write_checkpoint();
}

static void tear_down(void)
{
    outlet_close(&f.outlet);
    for (uint32_t i = f.log_first; i < f.log_count; i++)
        free(f.log[i]);
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
    for (int g = 0; g < GROUPS_MAX; g++)
        for (uint32_t i = 0; i < f.pushed && record_id_compare(f.ids[i], first_kept()) < 0; i++)
            f.groups[g].states[i] = SETTLED;
}

static void step(void)
{
    struct model_group *made = &f.groups[3];
    struct model_group *model = &f.groups[random_below(GROUPS_MAX)];
    if (model->group == NULL)
        model = &f.groups[0];
    switch (random_below(14)) {
    case 0:
    case 1:
        if (f.count - f.pushed < UNCOMMITTED_MAX)
            append();
        return;
    case 2:
    case 3: commit(random_below(4)); return;
    case 4: take(model, true); return;
    case 5:
        if (random_below(10) == 0)
            drop();
        outlet_squeeze(&f.outlet);
        return;
    case 6:
        if (random_below(10) == 0)
            end_many(model);
        return;
    case 7: write_down(model, 1 + random_below(5)); return;
    case 8:
        if (random_below(60) == 0)
            set_id(model);
        else if (random_below(60) == 0)
            make_or_destroy(made);
        return;
    case 9:
        if (random_below(60) == 0)
            write_checkpoint();
        else if (random_below(30) == 0)
            give_up_segments();
        return;
    case 10: end(model); return;
    default: take(model, false); return;
    }
}

Test(outlet_restore, what_was_not_settled_is_delivered_again)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        set_up(seed);
        for (int i = 0; i < 8000; i++) {
            step();
            if (random_below(300) == 0)
                crash();
        }
        crash();
        for (int g = 0; g < GROUPS_MAX; g++) {
            struct model_group *model = &f.groups[g];
            for (uint32_t i = 0; model->group != NULL && i < f.count; i++) {
                if (!is_due(model, i))
                    continue;
                bool no_ack = random_below(2) == 0;
                uint64_t index = group_take(model->group, 0, no_ack, 1);
                cr_assert_neq(index, GROUP_NOTHING);
                cr_assert_eq(find(outlet_entry(&f.outlet, index)->id), i, "in order");
                cr_assert(no_ack || group_acknowledge(model->group, f.ids[i]));
            }
            cr_assert(model->group == NULL ||
                      group_take(model->group, 0, true, 1) == GROUP_NOTHING);
        }
        tear_down();
    }
}

Test(outlet_restore, what_is_kept_for_want_of_a_group_stays_until_there_is_one)
{
    struct group *group;
    memset(&f, 0, sizeof f);
    f.destination = (struct destination){.name = "d",
                                         .pending_max = 10,
                                         .backlog_max = 1024,
                                         .backlog_bytes_max = UINT32_MAX,
                                         .retain_bytes = 10 * 112};
    cr_assert_eq(outlet_open(&f.outlet, &f.destination, NULL, &f.last_number), STATUS_OK);
    for (int i = 0; i < 40; i++)
        append();
    cr_assert_eq(f.log[0]->size_bytes, 112);
    commit(36); /* the others are on their way */
    struct outlet_account before = f.outlet.account;
    outlet_close(&f.outlet);
    rebuild();
    cr_assert_eq(outlet_length(&f.outlet), 10);
    cr_assert_eq(f.outlet.account.retained, before.retained);
    cr_assert_eq(f.outlet.account.unclaimed, before.unclaimed + 4);
    cr_assert_eq(outlet_gap(&f.outlet.account), 0);

    /* A group began when four were not pushed yet: it gets those, and what was kept. */
    cr_assert_eq(
        outlet_create_group(&f.outlet, BYTES_LITERAL("g"), GROUP_AFTER_ID, f.ids[32], &group),
        STATUS_OK);
    f.pushed = f.count;
    log_group(group, GROUP_CREATED, group_standing_begin(group).after);
    outlet_close(&f.outlet);
    rebuild();
    cr_assert_eq(f.outlet.groups[0]->account.backlog, 7);
    cr_assert_eq(group_gap(&f.outlet.groups[0]->account), 0);
    cr_assert_eq(outlet_gap(&f.outlet.account), 0);
    cr_assert_eq(f.outlet.account.offered, 7);
    cr_assert_eq(f.outlet.account.unclaimed, 33);
    tear_down();
}

Test(outlet_restore, what_is_on_its_way_when_the_last_group_goes_is_the_next_ones)
{
    struct group *group;
    memset(&f, 0, sizeof f);
    f.destination = (struct destination){.name = "d",
                                         .pending_max = 10,
                                         .backlog_max = 1024,
                                         .backlog_bytes_max = UINT32_MAX,
                                         .retain_bytes = 8192};
    cr_assert_eq(outlet_open(&f.outlet, &f.destination, NULL, &f.last_number), STATUS_OK);
    cr_assert_eq(outlet_create_group(&f.outlet, BYTES_LITERAL("g"), GROUP_FROM_NOW,
                                     (struct record_id){0}, &group),
                 STATUS_OK);
    log_group(group, GROUP_CREATED, (struct record_id){0});
    for (int i = 0; i < 4; i++)
        append();
    commit(2);
    log_group(group, GROUP_DESTROYED, f.outlet.last_id);
    outlet_destroy_group(&f.outlet, group);
    commit(2);
    cr_assert_eq(outlet_create_group(&f.outlet, BYTES_LITERAL("h"), GROUP_AFTER_ID,
                                     (struct record_id){0}, &group),
                 STATUS_OK);
    log_group(group, GROUP_CREATED, (struct record_id){0});
    cr_expect_eq(group->account.backlog, 2);
    outlet_close(&f.outlet);
    rebuild();
    cr_expect_eq(f.outlet.groups[0]->account.backlog, 2);
    cr_expect_eq(outlet_gap(&f.outlet.account), 0);
    tear_down();
}

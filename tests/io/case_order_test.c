/* `order: case` against a naive model: entries of a key go in order, and to one consumer while one
 * of them is pending; and whoever asks gets something if anything within the window is for it. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/delivery/group.h"
#include "routes/field.h"

enum {
    BLOCK = 64 * 1024,
    BLOCKS = 256,
    RECORDS_MAX = 4000,
    KEYS = 7, /* and 0: without a key */
    CONSUMERS = 4,
    PENDING_MAX = 100
};

enum state { NEW, PENDING, ENDED };

struct entry {
    struct record_id id;
    uint32_t key;
    enum state state;
    uint16_t consumer;
};

struct fixture {
    struct journal journal;
    struct destination destination;
    struct outlet outlet;
    uint32_t last_number;
    struct group *group;
    uint64_t state;
    struct entry entries[RECORDS_MAX];
    uint32_t count;
    uint32_t key_pending[KEYS + 1];
    uint16_t key_owner[KEYS + 1];
};

static struct fixture f;

static enum status open_journal(struct journal *journal)
{
    const struct journal_settings settings = {.memory_bytes = (uint64_t)BLOCK * BLOCKS,
                                              .segment_bytes = 1024 * 1024,
                                              .block_bytes = BLOCK,
                                              .in_memory = true};
    return journal_open(journal, &settings);
}

static uint32_t random_below(uint32_t bound)
{
    f.state = f.state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(f.state >> 33) % bound;
}

static void set_up(uint64_t seed)
{
    static const char *const names[] = {"g"};
    memset(&f, 0, sizeof f);
    f.state = seed;
    cr_assert_eq(open_journal(&f.journal), STATUS_OK);
    f.destination = (struct destination){.name = "d",
                                         .groups = names,
                                         .group_count = 1,
                                         .groups_by_case = 1,
                                         .pending_max = PENDING_MAX,
                                         .backlog_max = RECORDS_MAX,
                                         .backlog_bytes_max = UINT32_MAX};
    cr_assert_eq(outlet_open(&f.outlet, &f.destination, &f.journal, &f.last_number), STATUS_OK);
    cr_assert_eq(outlet_create_configured_groups(&f.outlet), STATUS_OK);
    f.group = f.outlet.groups[0];
    for (int c = 0; c < CONSUMERS; c++) {
        char name[2] = {(char)('0' + c), 0};
        cr_assert_eq(group_consumer(f.group, bytes_from_text(name), 1), c);
    }
}

static void tear_down(void)
{
    outlet_close(&f.outlet);
    journal_close(&f.journal);
}

/* A record whose first entry's first key is `key`; the second entry has another one, before it. */
static void push(uint32_t key)
{
    char body[2] = {'x', (char)('0' + key)};
    struct record *record;
    struct record_head *head;
    uint64_t position;
    uint16_t values = key != 0 ? 3 : 1;
    uint32_t size = record_size(0, 0, values, sizeof body, 0);
    if (f.count == RECORDS_MAX)
        return;
    cr_assert_eq(journal_reserve(&f.journal, size, &head, &position), STATUS_OK);
    record = (struct record *)(void *)head;
    *record = (struct record){.id = journal_next_id(&f.journal, 1000 + f.count),
                              .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                              .value_count = values,
                              .body_bytes = sizeof body};
    struct record_value *value = record_values(record);
    *value++ = (struct record_value){.offset = 0, .size = 2, .slot = SLOT_TRADER};
    if (key != 0) {
        *value++ = (struct record_value){.size = 1, .entry = 1, .slot = SLOT_KEY_BILL};
        *value++ = (struct record_value){.offset = 1, .size = 1, .slot = SLOT_KEY_ORDER};
    }
    memcpy((uint8_t *)(uintptr_t)record_body(record).data, body, sizeof body);
    journal_commit_record(&f.journal, head);
    f.entries[f.count++] = (struct entry){.id = record->id, .key = key};
    outlet_push(&f.outlet, record, position);
}

static bool may_go(uint32_t i, uint16_t consumer)
{
    const struct entry *entry = &f.entries[i];
    if (entry->state != NEW)
        return false;
    if (entry->key == 0)
        return true;
    for (uint32_t before = 0; before < i; before++)
        if (f.entries[before].key == entry->key && f.entries[before].state == NEW)
            return false;
    return f.key_pending[entry->key] == 0 || f.key_owner[entry->key] == consumer;
}

/* Entries that nobody got, before `i`. */
static uint32_t new_before(uint32_t i)
{
    uint32_t count = 0;
    for (uint32_t before = 0; before < i; before++)
        count += f.entries[before].state == NEW;
    return count;
}

static void expect_nothing_for(uint16_t consumer, bool no_ack)
{
    if (!no_ack && f.group->account.pending >= PENDING_MAX)
        return;
    for (uint32_t i = 0; i < f.count; i++)
        cr_assert(!may_go(i, consumer) || new_before(i) >= CASE_ORDER_PASSED_MAX,
                  "entry %u of key %u was for %u", i, f.entries[i].key, consumer);
}

static uint32_t find_entry(struct record_id id)
{
    uint32_t i = 0;
    while (i < f.count && record_id_compare(f.entries[i].id, id) != 0)
        i++;
    cr_assert_lt(i, f.count);
    return i;
}

static bool take(uint16_t consumer, bool no_ack)
{
    uint64_t index = group_take(f.group, consumer, no_ack, 5);
    if (index == GROUP_NOTHING) {
        expect_nothing_for(consumer, no_ack);
        return false;
    }
    uint32_t i = find_entry(outlet_entry(&f.outlet, index)->id);
    struct entry *entry = &f.entries[i];
    cr_assert(may_go(i, consumer), "entry %u of key %u to %u", i, entry->key, consumer);
    entry->state = no_ack ? ENDED : PENDING;
    entry->consumer = consumer;
    if (entry->key != 0 && !no_ack) {
        f.key_pending[entry->key]++;
        f.key_owner[entry->key] = consumer;
    }
    return true;
}

static void end_entry(struct entry *entry)
{
    entry->state = ENDED;
    f.key_pending[entry->key] -= entry->key != 0;
}

static void step_end(void)
{
    if (f.count == 0)
        return;
    struct entry *entry = &f.entries[random_below(f.count)];
    struct pending_entry *pending = group_find_pending(f.group, entry->id);
    cr_assert_eq(pending != NULL, entry->state == PENDING);
    if (pending == NULL)
        return;
    if (random_below(4) == 0)
        group_bury(f.group, pending);
    else
        cr_assert(group_acknowledge(f.group, entry->id));
    end_entry(entry);
    outlet_trim(&f.outlet);
}

static void step_claim(void)
{
    if (f.count == 0)
        return;
    struct entry *entry = &f.entries[random_below(f.count)];
    struct pending_entry *pending = group_find_pending(f.group, entry->id);
    if (pending == NULL)
        return;
    cr_assert_eq(pending->consumer, entry->consumer);
    entry->consumer = (uint16_t)random_below(CONSUMERS);
    group_assign(f.group, pending, entry->consumer);
    f.key_owner[entry->key] = entry->consumer;
}

/* One that owns keys by a claim, and has nothing pending itself, gives them to who has. */
static void step_remove_consumer(void)
{
    uint16_t consumer = (uint16_t)random_below(CONSUMERS);
    char name[2] = {(char)('0' + consumer), 0};
    if (f.group->consumers[consumer].pending > 0)
        return;
    group_remove_consumer(f.group, consumer);
    cr_assert_eq(group_consumer(f.group, bytes_from_text(name), 1), consumer);
    for (uint32_t i = 0; i < f.count; i++)
        if (f.entries[i].state == PENDING && f.key_owner[f.entries[i].key] == consumer)
            f.key_owner[f.entries[i].key] = f.entries[i].consumer;
}

/* Back or forward, among what is kept. */
static void step_set_id(void)
{
    uint32_t to = random_below(f.count + 1), pending = 0;
    for (uint32_t i = to; i < f.count; i++)
        pending += f.entries[i].state == PENDING;
    struct record_id id = to > 0 ? f.entries[to - 1].id : (struct record_id){0};
    cr_assert_eq(group_set_id(f.group, id), pending);
    if (pending > 0)
        return;
    for (uint32_t i = 0; i < f.count; i++) {
        uint64_t index = outlet_lower_bound(&f.outlet, f.entries[i].id);
        bool kept = index < f.outlet.end &&
                    record_id_compare(outlet_entry(&f.outlet, index)->id, f.entries[i].id) == 0;
        if (i >= to && kept)
            f.entries[i].state = NEW;
        else if (i < to && f.entries[i].state == NEW)
            f.entries[i].state = ENDED;
    }
    outlet_trim(&f.outlet);
}

static void check(void)
{
    uint64_t pending = 0, fresh = 0, per_consumer[CONSUMERS] = {0}, keys[KEYS + 1] = {0};
    struct record_id at = {0};
    for (uint32_t i = 0; i < f.count; i++) {
        fresh += f.entries[i].state == NEW;
        if (f.entries[i].state != PENDING)
            continue;
        pending++;
        keys[f.entries[i].key]++;
        per_consumer[f.entries[i].consumer]++;
        const struct pending_entry *entry = group_next_pending(f.group, at, GROUP_NO_CONSUMER);
        cr_assert_not_null(entry);
        cr_assert_eq(record_id_compare(entry->id, f.entries[i].id), 0);
        at = record_id_after(entry->id);
    }
    cr_assert_null(group_next_pending(f.group, at, GROUP_NO_CONSUMER));
    cr_assert_eq(f.group->account.pending, pending);
    cr_assert_eq(f.group->account.backlog, fresh, "the lag is what nobody got");
    cr_assert_eq(group_gap(&f.group->account), 0);
    for (int c = 0; c < CONSUMERS; c++)
        cr_assert_eq(f.group->consumers[c].pending, per_consumer[c]);
    for (uint32_t key = 1; key <= KEYS; key++)
        cr_assert_eq(f.key_pending[key], keys[key]);
    cr_assert_leq(case_order_passed_count(f.group->order), fresh);
}

static void step(void)
{
    uint16_t consumer = (uint16_t)random_below(CONSUMERS);
    switch (random_below(12)) {
    case 0:
    case 1:
    case 2: push(random_below(KEYS + 1)); return;
    case 3: step_claim(); return;
    case 4: outlet_squeeze(&f.outlet); return;
    case 5: take(consumer, true); return;
    case 6:
        if (random_below(20) == 0)
            step_set_id();
        return;
    case 7: step_remove_consumer(); return;
    case 8:
    case 9: step_end(); return;
    default: take(consumer, false); return;
    }
}

Test(case_order, agrees_with_a_model)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        set_up(seed);
        for (int i = 0; i < 4000; i++) {
            step();
            if (i % 64 == 0)
                check();
        }
        /* When all consumers take and acknowledge all that they get, nothing stays behind. */
        for (bool more = true; more;) {
            more = false;
            for (uint16_t c = 0; c < CONSUMERS; c++)
                while (take(c, false))
                    more = true;
            for (uint32_t i = 0; i < f.count; i++)
                if (f.entries[i].state == PENDING) {
                    cr_assert(group_acknowledge(f.group, f.entries[i].id));
                    end_entry(&f.entries[i]);
                    more = true;
                }
        }
        check();
        cr_assert_eq(f.group->account.backlog, 0);
        cr_assert_eq(case_order_key_count(f.group->order), 0);
        outlet_trim(&f.outlet);
        cr_assert_eq(outlet_length(&f.outlet), 0);
        tear_down();
    }
}

Test(case_order, other_keys_overtake)
{
    static const uint32_t keys[] = {1, 1, 2, 1, 0, 3};
    set_up(1);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        push(keys[i]);
    cr_assert(take(0, false)); /* key 1 is the first consumer's */
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(take(1, false));
    cr_assert_not(take(1, false), "only key 1 is left");
    cr_assert_eq(f.entries[2].consumer, 1);
    cr_assert_eq(f.entries[4].consumer, 1);
    cr_assert_eq(f.entries[5].consumer, 1);
    cr_assert(take(0, false));
    cr_assert(group_acknowledge(f.group, f.entries[0].id));
    cr_assert_not(take(1, false), "one of key 1 is still pending at the first");
    cr_assert(group_acknowledge(f.group, f.entries[1].id));
    f.key_pending[1] = 0;
    cr_assert(take(1, false), "it is free now");
    cr_assert_eq(f.entries[3].consumer, 1);
    tear_down();
}

Test(case_order, no_more_is_passed_over_than_the_window_holds)
{
    set_up(1);
    for (uint32_t i = 0; i < CASE_ORDER_PASSED_MAX + 2; i++)
        push(1);
    push(2);
    cr_assert(take(0, false));
    cr_assert_eq(group_take(f.group, 1, false, 5), GROUP_NOTHING, "key 2 is beyond the window");
    cr_assert_eq(case_order_passed_count(f.group->order), CASE_ORDER_PASSED_MAX);
    cr_assert(take(0, false));
    cr_assert(take(1, false), "it has moved on by one");
    cr_assert_eq(f.entries[CASE_ORDER_PASSED_MAX + 2].state, PENDING);
    tear_down();
}

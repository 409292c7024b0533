/* record_check is what stands between bytes that were read and those who believe them. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/fact.h"
#include "random.h"

enum { RECORD_ROOM = 4096, MUTATIONS = 400000, KINDS = 7 };

static uint64_t memory[RECORD_ROOM / 8];

static struct record_head *begin(uint32_t size_bytes, enum record_kind kind)
{
    cr_assert_leq(size_bytes, RECORD_ROOM);
    memset(memory, 0, sizeof memory);
    struct record_head *head = (struct record_head *)(void *)memory;
    *head = (struct record_head){.size_bytes = size_bytes, .kind = (uint8_t)kind};
    return head;
}

static void make_message(struct random *random)
{
    uint32_t d = random_below(random, 5), r = random_below(random, 4), v = random_below(random, 6);
    uint32_t envelope = random_below(random, 30), body = random_below(random, 300);
    uint32_t text = random_below(random, 40);
    uint32_t size = record_size(d, r, v, envelope + body, text);
    struct record *record = (struct record *)(void *)begin(size, RECORD_KIND_MESSAGE);
    record->envelope_bytes = envelope;
    record->body_bytes = body;
    record->text_bytes = text;
    record->destination_count = (uint16_t)d;
    record->rule_count = (uint16_t)r;
    record->value_count = (uint16_t)v;
    record->part_number = record->part_count = 1;
    for (uint32_t i = 0; i < d; i++)
        record_destinations(record)[i] =
            (uint16_t)(random_below(random, DESTINATIONS_MAX) | (i % 2 == 0 ? RECORD_HELD : 0));
    for (uint32_t i = 0; i < v; i++) {
        uint32_t offset = random_below(random, body + text + 1);
        record_values(record)[i] = (struct record_value){
            .offset = offset, .size = (uint16_t)random_below(random, body + text - offset + 1)};
    }
}

static void make_group(struct random *random)
{
    char name[FACT_GROUP_NAME_BYTES_MAX];
    size_t size = 1 + random_below(random, sizeof name);
    memset(name, 'g', sizeof name);
    struct fact_group *fact =
        (struct fact_group *)(void *)begin(fact_group_size(size), RECORD_KIND_GROUP);
    fact->destination = (uint16_t)random_below(random, DESTINATIONS_MAX);
    fact->event = (uint8_t)random_below(random, GROUP_STANDS + 1);
    fact_group_set_name(fact, bytes_make(name, size));
    cr_assert(bytes_equal(fact_group_name(fact), bytes_make(name, size)));
}

static void make_settled(struct random *random)
{
    uint32_t count = random_below(random, 20);
    struct fact_settled *fact =
        (struct fact_settled *)(void *)begin(fact_settled_size(count), RECORD_KIND_SETTLED);
    fact->range_count = count;
    fact->how = (uint8_t)random_below(random, SETTLED_HOW_COUNT);
    fact->standing = (uint8_t)random_below(random, 2);
    for (uint32_t i = 0; i < count; i++)
        fact_settled_ranges(fact)[i] = (struct settled_range){
            .from = {i, 1}, .to = {i, 1 + random_below(random, 5)}, .count = 1};
}

/* A record of this kind, in `memory`, as it may be written. */
static struct record_head *make(struct random *random, enum record_kind kind)
{
    switch (kind) {
    case RECORD_KIND_MESSAGE: make_message(random); break;
    case RECORD_KIND_GENERATION: begin(sizeof(struct fact_generation), kind); break;
    case RECORD_KIND_GROUP: make_group(random); break;
    case RECORD_KIND_SETTLED: make_settled(random); break;
    case RECORD_KIND_HOLD_END: begin(sizeof(struct fact_hold_end), kind); break;
    case RECORD_KIND_INTAKE: begin(sizeof(struct fact_intake), kind); break;
    case RECORD_KIND_OUTLET: begin(sizeof(struct fact_outlet), kind); break;
    case RECORD_KIND_END: cr_assert(false, "no kind");
    }
    return (struct record_head *)(void *)memory;
}

static void expect_inside(const struct record_head *head, struct bytes part)
{
    const uint8_t *start = (const uint8_t *)head, *end = start + head->size_bytes;
    cr_assert(part.data >= start && part.data <= end && part.size <= (size_t)(end - part.data));
}

/* Everything that readers take from a record lies in it. */
static void expect_all_inside(const struct record_head *head)
{
    const void *whole = head;
    if (head->kind == RECORD_KIND_MESSAGE) {
        const struct record *record = whole;
        expect_inside(head, bytes_make(record_destinations(record),
                                       record->destination_count * sizeof(uint16_t)));
        expect_inside(head, bytes_make(record_rules(record), record->rule_count * 4U));
        expect_inside(head, bytes_make(record_values(record),
                                       record->value_count * sizeof(struct record_value)));
        expect_inside(head, record_whole(record));
        expect_inside(head, record_envelope(record));
        expect_inside(head, record_body(record));
        expect_inside(head, record_text(record));
        for (uint32_t i = 0; i < record->value_count; i++)
            expect_inside(head, record_value_bytes(record, &record_values(record)[i]));
    } else if (head->kind == RECORD_KIND_GROUP) {
        expect_inside(head, fact_group_name(whole));
    } else if (head->kind == RECORD_KIND_SETTLED) {
        const struct fact_settled *fact = whole;
        expect_inside(head, bytes_make(fact_settled_ranges(fact),
                                       fact->range_count * sizeof(struct settled_range)));
    }
}

Test(fact, what_is_written_is_sound)
{
    struct random random = {1};
    for (int i = 0; i < 20000; i++) {
        struct record_head *head = make(&random, (enum record_kind)(1 + i % KINDS));
        cr_assert_eq(head->size_bytes % RECORD_ALIGNMENT, 0);
        cr_assert_eq(record_check(head, head->size_bytes), STATUS_OK, "kind %d", head->kind);
        cr_assert_eq(record_check(head, head->size_bytes - 1), STATUS_INVALID, "cut short");
        expect_all_inside(head);
        head->flags = RECORD_COPIED;
        cr_assert_eq(record_check(head, RECORD_ROOM), STATUS_OK);
        head->flags = 2;
        cr_assert_eq(record_check(head, RECORD_ROOM), STATUS_INVALID, "a flag of tomorrow");
    }
}

/* In memory of its own size, so that a sanitizer sees who reads beyond it. */
Test(fact, what_was_changed_is_refused_or_stays_inside)
{
    struct random random = {2};
    uint64_t refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        struct record_head *head = make(&random, (enum record_kind)(1 + i % KINDS));
        size_t size = head->size_bytes;
        uint8_t *copy = malloc(size);
        memcpy(copy, memory, size);
        for (uint32_t n = 1 + random_below(&random, 3); n > 0; n--) {
            /* Heads are where it matters. */
            uint32_t limit = random_below(&random, 2) == 0 ? (uint32_t)size : 136;
            uint32_t at = random_below(&random, limit < size ? limit : (uint32_t)size);
            copy[at] = random_below(&random, 3) == 0 ? 0xFF : (uint8_t)random_u64(&random);
        }
        const struct record_head *changed = (const struct record_head *)(void *)copy;
        if (record_check(changed, size) == STATUS_OK)
            expect_all_inside(changed);
        else
            refused++;
        free(copy);
    }
    cr_assert_gt(refused, MUTATIONS / 20, "%llu", (unsigned long long)refused);
}

Test(fact, each_rule_is_asked)
{
    struct random random = {3};
    struct fact_settled *settled;
    do
        settled = (struct fact_settled *)(void *)make(&random, RECORD_KIND_SETTLED);
    while (settled->range_count < 3);
    struct settled_range *ranges = fact_settled_ranges(settled);
    cr_assert_eq(record_check(&settled->head, RECORD_ROOM), STATUS_OK);
    ranges[1].from = ranges[0].to;
    cr_assert_eq(record_check(&settled->head, RECORD_ROOM), STATUS_INVALID, "ranges that overlap");
    ranges[1].from = (struct record_id){1, 1};
    ranges[1].to = (struct record_id){1, 0};
    cr_assert_eq(record_check(&settled->head, RECORD_ROOM), STATUS_INVALID, "one that ends early");

    struct record *record;
    do
        record = (struct record *)(void *)make(&random, RECORD_KIND_MESSAGE);
    while (record->value_count == 0 || record->destination_count == 0);
    struct record_value *value = record_values(record), before = *value;
    value->offset = UINT32_MAX;
    value->size = UINT16_MAX;
    cr_assert_eq(record_check(&record->head, RECORD_ROOM), STATUS_INVALID, "a value outside");
    *value = before;
    record_destinations(record)[0] = DESTINATIONS_MAX;
    cr_assert_eq(record_check(&record->head, RECORD_ROOM), STATUS_INVALID, "no destination");
    record_destinations(record)[0] = 0;
    cr_assert_eq(record_check(&record->head, RECORD_ROOM), STATUS_OK);
    record->head.size_bytes += RECORD_ALIGNMENT;
    cr_assert_eq(record_check(&record->head, RECORD_ROOM), STATUS_INVALID, "more than it has");
    record->head.size_bytes -= RECORD_ALIGNMENT;
    record->envelope_bytes = UINT32_MAX;
    record->body_bytes += 1;
    cr_assert_eq(record_check(&record->head, RECORD_ROOM), STATUS_INVALID, "a sum that wraps");
}

/* A small model of a faultless server answers and delivers a day; each test spoils one thing. */
#include "bench/load/checker.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench/day/fault.h"

enum { COUNT = 6000 };

struct handed {
    uint32_t index;
    struct record_id id;
    struct bytes body;
    struct bytes message_type, verdict;
};

struct world {
    struct day day;
    struct checker checker;
    enum checker_model model;
    uint8_t *memory;             /* all bodies */
    struct bytes bodies[COUNT];  /* by message */
    struct record_id ids[COUNT]; /* what each message's receipt says; {0}: refused */
    char refusals[COUNT][64];
    struct handed *handed[OUTLET_COUNT]; /* room for one more than is due */
    uint32_t handed_count[OUTLET_COUNT];
};

static bool is_kept(const struct world *world, uint32_t index)
{
    switch (world->day.messages[index].fate) {
    case FATE_MALFORMED: return world->model == MODEL_PLAIN;
    case FATE_UNROUTABLE: return world->model != MODEL_DEMO;
    default: return true;
    }
}

static void hand_out(struct world *world, uint32_t index)
{
    const struct day_message *message = &world->day.messages[index];
    uint8_t outlets = world->model == MODEL_DEMO ? message->outlets : 1;
    for (uint32_t o = 0; o < OUTLET_COUNT; o++)
        if (outlets >> o & 1)
            world->handed[o][world->handed_count[o]++] = (struct handed){
                .index = index,
                .id = world->ids[index],
                .body = world->bodies[index],
                .message_type = bytes_from_text(form_message_type((enum day_kind)message->kind)),
                .verdict = bytes_from_text(message->fate == FATE_UNROUTABLE
                                               ? "fresh" /* where there are no rules */
                                               : day_fate_name((enum day_fate)message->fate)),
            };
}

static struct world *open_world(enum checker_model model)
{
    struct world *world = calloc(1, sizeof *world);
    world->model = model;
    struct day_settings settings = {
        .seed = 21, .message_count = COUNT, .stream_count = EPORT_COUNT};
    cr_assert_eq(day_open(&settings, &world->day), STATUS_OK);
    cr_assert_eq(checker_open(&(struct checker_settings){&world->day, model}, &world->checker),
                 STATUS_OK);
    world->memory = malloc((size_t)COUNT * DAY_MESSAGE_BYTES_MAX);
    for (uint32_t o = 0; o < OUTLET_COUNT; o++)
        world->handed[o] = calloc(COUNT + 1, sizeof **world->handed);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct day_message *message = &world->day.messages[i];
        uint8_t *body = world->memory + (size_t)i * DAY_MESSAGE_BYTES_MAX;
        world->bodies[i] = bytes_make(body, day_render(&world->day, i, body));
        bool shares = message->fate == FATE_REPLAY && model != MODEL_PLAIN;
        if (!is_kept(world, i))
            snprintf(world->refusals[i], sizeof world->refusals[i],
                     message->fate == FATE_MALFORMED ? "REJECTED %s at byte 17" : "UNROUTABLE %s",
                     fault_reason((enum day_fault)message->fault));
        else if (shares)
            world->ids[i] = world->ids[message->twin];
        else
            world->ids[i] = (struct record_id){1000 + i / 10, i};
        if (is_kept(world, i) && !shares)
            hand_out(world, i);
    }
    return world;
}

static void close_world(struct world *world)
{
    checker_close(&world->checker);
    day_close(&world->day);
    for (uint32_t o = 0; o < OUTLET_COUNT; o++)
        free(world->handed[o]);
    free(world->memory);
    free(world);
}

static void send_all(struct world *world)
{
    for (uint32_t i = 0; i < COUNT; i++)
        checker_sent(&world->checker, i, world->bodies[i]);
}

static void answer(struct world *world, uint32_t index)
{
    if (world->refusals[index][0] != '\0')
        checker_refusal(&world->checker, index, bytes_from_text(world->refusals[index]));
    else if (world->ids[index].ms != 0)
        checker_receipt(&world->checker, index, world->ids[index]);
}

static void answer_all(struct world *world)
{
    for (uint32_t i = 0; i < COUNT; i++)
        answer(world, i);
}

static void deliver_all(struct world *world)
{
    for (uint8_t o = 0; o < world->checker.outlet_count; o++)
        for (uint32_t i = 0; i < world->handed_count[o];) {
            struct delivery batch[CHECKER_BATCH_MAX];
            uint32_t count = 0;
            for (; count < CHECKER_BATCH_MAX && i < world->handed_count[o]; i++) {
                const struct handed *handed = &world->handed[o][i];
                batch[count++] = (struct delivery){.id = handed->id,
                                                   .body = handed->body,
                                                   .message_type = handed->message_type,
                                                   .verdict = handed->verdict};
            }
            checker_deliver(&world->checker, o, batch, count);
        }
}

static void run_all(struct world *world)
{
    send_all(world);
    answer_all(world);
    deliver_all(world);
}

/* `count` findings of this kind and none of any other. */
static void expect_only(struct world *world, enum finding finding, uint64_t count)
{
    cr_assert_eq(checker_finish(&world->checker), count);
    cr_assert_eq(world->checker.findings.counts[finding], count, "%lu of `%s`, %s",
                 world->checker.findings.counts[finding], finding_text(finding),
                 world->checker.findings.samples[0]);
    close_world(world);
}

static void expect_nothing(struct world *world)
{
    bool satisfied = checker_is_satisfied(&world->checker);
    cr_assert_eq(checker_finish(&world->checker), 0, "%s", world->checker.findings.samples[0]);
    cr_assert(satisfied);
    close_world(world);
}

/* The first message of a fate after the start, so that others surround it. */
static uint32_t find_fate(const struct world *world, enum day_fate fate)
{
    for (uint32_t i = COUNT / 12; i < COUNT; i++)
        if (world->day.messages[i].fate == fate)
            return i;
    cr_assert_fail("no such message");
    return 0;
}

static void remove_handed(struct world *world, uint8_t outlet, uint32_t at)
{
    struct handed *handed = world->handed[outlet];
    memmove(handed + at, handed + at + 1, (--world->handed_count[outlet] - at) * sizeof *handed);
}

Test(checker, faultless_servers_are_found_faultless)
{
    static const enum checker_model models[] = {MODEL_DEMO, MODEL_OPEN, MODEL_PLAIN};
    for (size_t i = 0; i < 3; i++) {
        struct world *world = open_world(models[i]);
        run_all(world);
        expect_nothing(world);
    }
}

Test(checker, deliveries_may_come_before_receipts)
{
    struct world *world = open_world(MODEL_DEMO);
    send_all(world);
    deliver_all(world);
    answer_all(world);
    expect_nothing(world);
}

Test(checker, a_tally_counts_what_came)
{
    struct world *world = open_world(MODEL_DEMO);
    run_all(world);
    struct tally total = {0}, wanted = {.sent = COUNT};
    for (size_t e = 0; e < EPORT_COUNT; e++)
        tally_add(&total, &world->checker.tallies[e]);
    for (uint32_t i = 0; i < COUNT; i++) {
        enum day_fate fate = (enum day_fate)world->day.messages[i].fate;
        wanted.replays += fate == FATE_REPLAY;
        wanted.conflicts += fate == FATE_CONFLICT;
        wanted.amendments += fate == FATE_AMENDMENT;
        wanted.malformed += fate == FATE_MALFORMED;
        wanted.unroutable += fate == FATE_UNROUTABLE;
    }
    wanted.accepted = COUNT - wanted.replays - wanted.malformed - wanted.unroutable;
    cr_assert_eq(memcmp(&total, &wanted, sizeof total), 0);
    expect_nothing(world);
}

Test(checker, sees_a_lost_delivery)
{
    struct world *world = open_world(MODEL_DEMO);
    remove_handed(world, OUTLET_TRADER, 500);
    run_all(world);
    cr_assert(!checker_is_satisfied(&world->checker));
    expect_only(world, FINDING_LOST, 1);
}

Test(checker, sees_a_lost_copy_in_a_plain_log)
{
    struct world *world = open_world(MODEL_PLAIN);
    remove_handed(world, 0, find_fate(world, FATE_REPLAY));
    run_all(world);
    expect_only(world, FINDING_LOST, 1);
}

Test(checker, sees_a_duplicate)
{
    struct world *world = open_world(MODEL_DEMO);
    uint32_t count = world->handed_count[OUTLET_CUSTOMS]++;
    world->handed[OUTLET_CUSTOMS][count] = world->handed[OUTLET_CUSTOMS][count - 1];
    run_all(world);
    expect_only(world, FINDING_DUPLICATE, 1);
}

Test(checker, sees_a_duplicate_in_a_plain_log)
{
    struct world *world = open_world(MODEL_PLAIN);
    uint32_t count = world->handed_count[0]++;
    world->handed[0][count] = world->handed[0][count - 1];
    run_all(world);
    expect_only(world, FINDING_DUPLICATE, 1);
}

Test(checker, allows_what_is_read_again_after_a_reconnect)
{
    struct world *world = open_world(MODEL_DEMO);
    run_all(world);
    const struct handed *handed = &world->handed[OUTLET_CUSTOMS][9];
    struct delivery again = {.id = handed->id, .body = handed->body, .again = true};
    checker_deliver(&world->checker, OUTLET_CUSTOMS, &again, 1);
    cr_assert_eq(world->checker.redelivered_count[OUTLET_CUSTOMS], 1);
    expect_nothing(world);
}

Test(checker, sees_an_altered_body)
{
    struct world *world = open_world(MODEL_OPEN);
    uint8_t *byte = world->memory + (size_t)DAY_MESSAGE_BYTES_MAX * world->handed[0][700].index;
    send_all(world);
    byte[world->handed[0][700].body.size / 2] ^= 1;
    answer_all(world);
    deliver_all(world);
    cr_assert_eq(checker_finish(&world->checker), 2);
    cr_assert_eq(world->checker.findings.counts[FINDING_UNKNOWN], 1);
    cr_assert_eq(world->checker.findings.counts[FINDING_LOST], 1);
    close_world(world);
}

Test(checker, sees_a_body_cut_short)
{
    struct world *world = open_world(MODEL_OPEN);
    world->handed[0][700].body.size--;
    run_all(world);
    cr_assert_eq(checker_finish(&world->checker), 2);
    cr_assert_eq(world->checker.findings.counts[FINDING_UNKNOWN], 1);
    close_world(world);
}

Test(checker, sees_a_wrong_destination)
{
    struct world *world = open_world(MODEL_DEMO);
    uint32_t at = 0;
    while (world->day.messages[world->handed[OUTLET_TRADER][at].index].outlets >> OUTLET_PORT & 1)
        at++;
    world->handed[OUTLET_PORT][world->handed_count[OUTLET_PORT]++] =
        world->handed[OUTLET_TRADER][at];
    run_all(world);
    expect_only(world, FINDING_STRAY, 1);
}

Test(checker, sees_a_broken_order)
{
    struct world *world = open_world(MODEL_DEMO);
    struct handed *handed = world->handed[OUTLET_TRADER];
    for (uint32_t i = 0; i < world->handed_count[OUTLET_TRADER]; i++)
        for (uint32_t k = i + 1; k < world->handed_count[OUTLET_TRADER]; k++)
            if (world->day.messages[handed[i].index].order_key ==
                world->day.messages[handed[k].index].order_key) {
                struct handed first = handed[i];
                handed[i] = handed[k];
                handed[k] = first;
                run_all(world);
                expect_only(world, FINDING_ORDER, 1);
                return;
            }
    cr_assert_fail("no two messages with the same keys");
}

Test(checker, allows_any_order_of_messages_with_different_keys)
{
    struct world *world = open_world(MODEL_DEMO);
    struct handed *handed = world->handed[OUTLET_CUSTOMS];
    for (uint32_t i = 0; i + 1 < world->handed_count[OUTLET_CUSTOMS]; i += 2) {
        if (world->day.messages[handed[i].index].order_key ==
            world->day.messages[handed[i + 1].index].order_key)
            continue;
        struct handed first = handed[i];
        handed[i] = handed[i + 1];
        handed[i + 1] = first;
    }
    run_all(world);
    expect_nothing(world);
}

Test(checker, sees_a_delivery_under_another_id)
{
    struct world *world = open_world(MODEL_OPEN);
    world->handed[0][world->handed_count[0] - 1].id.seq++;
    run_all(world);
    expect_only(world, FINDING_WRONG_RECEIPT, 1);
}

Test(checker, sees_a_replay_with_a_receipt_of_its_own)
{
    struct world *world = open_world(MODEL_DEMO);
    world->ids[find_fate(world, FATE_REPLAY)] = (struct record_id){9000, 1};
    run_all(world);
    expect_only(world, FINDING_WRONG_RECEIPT, 1);
}

Test(checker, sees_receipts_that_do_not_rise)
{
    struct world *world = open_world(MODEL_PLAIN);
    struct record_id first = world->ids[100];
    world->ids[100] = world->ids[101];
    world->ids[101] = first;
    world->handed[0][100].id = world->ids[100];
    world->handed[0][101].id = world->ids[101];
    run_all(world);
    expect_only(world, FINDING_OLD_RECEIPT, 1);
}

Test(checker, sees_a_receipt_given_twice)
{
    struct world *world = open_world(MODEL_PLAIN);
    uint32_t other = world->day.stream_first[1]; /* of another connection */
    world->ids[0] = world->handed[0][0].id = world->ids[other];
    for (uint32_t i = 1; i < other; i++) /* so that the ids of this connection still rise */
        world->ids[i].ms = world->handed[0][i].id.ms = 5000;
    run_all(world);
    expect_only(world, FINDING_SHARED_RECEIPT, 1);
}

Test(checker, sees_malformed_messages_accepted)
{
    struct world *world = open_world(MODEL_DEMO);
    uint32_t index = find_fate(world, FATE_MALFORMED);
    world->refusals[index][0] = '\0';
    world->ids[index] = (struct record_id){9000, 1};
    run_all(world);
    expect_only(world, FINDING_ACCEPTED, 1);
}

Test(checker, sees_unroutable_messages_accepted)
{
    struct world *world = open_world(MODEL_DEMO);
    uint32_t index = find_fate(world, FATE_UNROUTABLE);
    world->refusals[index][0] = '\0';
    world->ids[index] = (struct record_id){9000, 1};
    run_all(world);
    expect_only(world, FINDING_ACCEPTED, 1);
}

Test(checker, sees_good_messages_refused)
{
    struct world *world = open_world(MODEL_DEMO);
    uint32_t index = find_fate(world, FATE_REPLAY);
    snprintf(world->refusals[index], sizeof world->refusals[index], "CONFLICT an id used before");
    run_all(world);
    expect_only(world, FINDING_REFUSED, 1);
}

Test(checker, sees_wrong_reasons)
{
    static const char *const reasons[] = {"NOPERM of course", "REJECTED NOREASON at byte 1",
                                          "UNROUTABLE malformed, though"};
    for (size_t i = 0; i < 3; i++) {
        struct world *world = open_world(MODEL_DEMO);
        uint32_t index = find_fate(world, FATE_MALFORMED);
        snprintf(world->refusals[index], sizeof world->refusals[index], "%s", reasons[i]);
        run_all(world);
        expect_only(world, FINDING_WRONG_REASON, 1);
    }
}

Test(checker, sees_a_missing_receipt)
{
    struct world *world = open_world(MODEL_DEMO);
    world->ids[find_fate(world, FATE_REPLAY)] = (struct record_id){0};
    run_all(world);
    cr_assert(!checker_is_satisfied(&world->checker));
    expect_only(world, FINDING_NO_RECEIPT, 1);
}

Test(checker, sees_wrong_fields)
{
    struct world *world = open_world(MODEL_DEMO);
    world->handed[OUTLET_CUSTOMS][50].message_type = BYTES_LITERAL("CEB999");
    world->handed[OUTLET_PORT][50].verdict = BYTES_LITERAL("replay");
    run_all(world);
    expect_only(world, FINDING_WRONG_FIELD, 2);
}

/* TRYAGAIN to the first: its replay, which was in flight behind it, becomes the record. */
Test(checker, allows_a_replay_to_overtake_its_first)
{
    struct world *world = open_world(MODEL_DEMO);
    uint32_t replay = find_fate(world, FATE_REPLAY), first = world->day.messages[replay].twin;
    struct record_id id = {world->ids[replay - 1].ms, world->ids[replay - 1].seq};
    id = (struct record_id){1000 + replay / 10, replay};
    for (uint32_t i = 0; i < COUNT; i++)
        if (i == first || world->day.messages[i].twin == first)
            if (world->day.messages[i].fate == FATE_REPLAY || i == first)
                world->ids[i] = id;
    for (uint32_t o = 0; o < OUTLET_COUNT; o++)
        for (uint32_t i = 0; i < world->handed_count[o]; i++)
            if (world->handed[o][i].index == first)
                world->handed[o][i].id = id;
    send_all(world);
    checker_resent(&world->checker, first, false);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i != first)
            answer(world, i);
        if (i == replay)
            answer(world, first);
    }
    cr_assert_eq(world->checker.findings.counts[FINDING_OLD_RECEIPT], 0);
    cr_assert_eq(world->checker.findings.counts[FINDING_WRONG_RECEIPT], 0);
    close_world(world);
}

/* The connection broke after the message was kept: the resend gets the first receipt again, lower
 * than what came meanwhile. */
Test(checker, allows_an_old_receipt_after_a_broken_connection)
{
    struct world *world = open_world(MODEL_PLAIN);
    send_all(world);
    for (uint32_t i = 0; i < COUNT; i++)
        if (i != 50 && i != 51)
            answer(world, i);
    checker_resent(&world->checker, 50, true);
    checker_resent(&world->checker, 51, true);
    answer(world, 51);
    answer(world, 50);
    deliver_all(world);
    cr_assert_eq(world->checker.tallies[0].retries, 2);
    expect_nothing(world);
}

#include <criterion/criterion.h>
#include <sys/resource.h>

#include "core/window.h"
#include "random.h"
#include "records.h"

static struct window *open_window(struct records *records, uint64_t entries_max, uint32_t span_s)
{
    const struct window_settings settings = {
        .entries_max = entries_max,
        .unplaced_max = (uint32_t)entries_max,
        .log_count = 1,
        .span_s = span_s,
        .match = records_match,
        .prefetch = records_prefetch,
        .context = records,
    };
    struct window *window = NULL;
    cr_assert_eq(window_open(&settings, &window), STATUS_OK);
    return window;
}

static struct digest digest_of(uint64_t kind, uint64_t number)
{
    struct random random = {kind << 56 ^ number};
    uint64_t low = random_u64(&random);
    return (struct digest){.low = low, .high = random_u64(&random)};
}

/* The claim of message `id` of a scope with body number `body`; equal numbers, equal bytes. */
static struct window_claim claim_of(uint16_t scope, uint64_t id, uint64_t body)
{
    static uint64_t bodies[64];
    bodies[body % 64] = body % 64;
    return (struct window_claim){
        .identity = digest_of(1, id << 12 | scope),
        .body_digest = digest_of(2, body),
        .body = bytes_make(&bodies[body % 64], sizeof bodies[0]),
        .scope = scope,
    };
}

static struct window_claim ask(struct window *window, struct window_claim claim, uint32_t now_s)
{
    window_ask(window, &claim, 1, now_s);
    return claim;
}

static uint64_t place(struct window *window, struct records *records,
                      const struct window_claim *claim)
{
    uint64_t position = records_append(records, claim);
    window_place(window, claim->entry, position);
    return position;
}

/* Asks, expects a verdict, and sees the record through to its commit, if there is to be one. */
static struct window_claim keep(struct window *window, struct records *records,
                                struct window_claim claim, uint32_t now_s, enum verdict verdict)
{
    claim = ask(window, claim, now_s);
    cr_assert_str_eq(verdict_name(claim.verdict), verdict_name(verdict));
    if (verdict <= VERDICT_AMENDMENT && verdict != VERDICT_REPLAY) {
        claim.first_position = place(window, records, &claim);
        window_confirm(window, claim.entry);
    }
    return claim;
}

static void expect(struct window *window, struct window_claim claim, uint32_t now_s,
                   enum verdict verdict)
{
    claim = ask(window, claim, now_s);
    cr_assert_str_eq(verdict_name(claim.verdict), verdict_name(verdict));
    if (claim.entry != WINDOW_NO_ENTRY && claim.verdict != VERDICT_REPLAY)
        window_withdraw(window, claim.entry);
}

static struct window_figures figures_of(const struct window *window)
{
    struct window_figures figures;
    window_figures(window, &figures);
    return figures;
}

Test(window, verdicts)
{
    struct records records;
    records_init(&records, 100);
    struct window *window = open_window(&records, 1024, 60);
    struct window_claim first = keep(window, &records, claim_of(3, 1, 1), 5, VERDICT_FRESH);
    struct window_claim again = keep(window, &records, claim_of(3, 1, 1), 5, VERDICT_REPLAY);
    cr_assert_eq(again.entry, first.entry);
    cr_assert_eq(again.first_position, first.first_position);

    struct window_claim second = keep(window, &records, claim_of(3, 1, 2), 6, VERDICT_CONFLICT);
    struct window_claim change = claim_of(3, 1, 3);
    change.supersedes = true;
    struct window_claim third = keep(window, &records, change, 6, VERDICT_AMENDMENT);
    cr_assert_eq(keep(window, &records, change, 7, VERDICT_REPLAY).entry, third.entry);
    cr_assert_eq(keep(window, &records, claim_of(3, 1, 2), 7, VERDICT_REPLAY).entry, second.entry);
    cr_assert_eq(keep(window, &records, claim_of(3, 1, 1), 7, VERDICT_REPLAY).entry, first.entry);
    expect(window, claim_of(4, 1, 1), 7, VERDICT_FRESH); /* the same id in another scope */
    cr_assert_gt(records.prefetches, 0);
    window_close(window);
    records_deinit(&records);
}

Test(window, equal_digests_of_unequal_bytes_are_a_collision)
{
    struct records records;
    records_init(&records, 100);
    struct window *window = open_window(&records, 1024, 60);
    struct window_claim pending = ask(window, claim_of(0, 1, 1), 5);
    struct window_claim forged = claim_of(0, 1, 1);
    forged.body = BYTES_LITERAL("other bytes");
    for (int state = 0; state < 3; state++) { /* pending, placed, confirmed */
        struct window_claim answer = ask(window, forged, 5);
        cr_assert_eq(answer.verdict, VERDICT_COLLISION);
        cr_assert_eq(answer.entry, WINDOW_NO_ENTRY);
        cr_assert_eq(answer.first_position, WINDOW_NO_POSITION);
        if (state == 0)
            place(window, &records, &pending);
        else if (state == 1)
            window_confirm(window, pending.entry);
    }
    keep(window, &records, claim_of(0, 1, 2), 5, VERDICT_CONFLICT);
    forged.body_digest = digest_of(2, 2); /* now against a follower */
    cr_assert_eq(ask(window, forged, 5).verdict, VERDICT_COLLISION);
    cr_assert_eq(window_scope_used(window, 0), 2);
    window_close(window);
    records_deinit(&records);
}

Test(window, duplicates_in_one_batch_find_each_other)
{
    struct records records;
    records_init(&records, 10);
    struct window *window = open_window(&records, 1024, 60);
    struct window_claim claims[] = {claim_of(0, 1, 1), claim_of(0, 2, 1), claim_of(0, 1, 1),
                                    claim_of(0, 1, 2), claim_of(0, 1, 2), claim_of(0, 1, 1)};
    const enum verdict verdicts[] = {VERDICT_FRESH,    VERDICT_FRESH,  VERDICT_REPLAY,
                                     VERDICT_CONFLICT, VERDICT_REPLAY, VERDICT_REPLAY};
    window_ask(window, claims, 6, 1);
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(claims[i].verdict, verdicts[i], "claim %zu", i);
    cr_assert_eq(claims[2].entry, claims[0].entry);
    cr_assert_eq(claims[5].entry, claims[0].entry);
    cr_assert_eq(claims[4].entry, claims[3].entry);
    cr_assert_eq(claims[2].first_position, WINDOW_NO_POSITION);
    cr_assert_eq(figures_of(window).pending, 3);
    window_close(window);
    records_deinit(&records);
}

Test(window, a_waiter_sees_the_life_of_its_first)
{
    struct records records;
    records_init(&records, 10);
    struct window *window = open_window(&records, 1024, 60);
    struct window_claim first = ask(window, claim_of(0, 1, 1), 1);
    struct window_claim waiter = ask(window, claim_of(0, 1, 1), 1);
    uint64_t position = 77;
    cr_assert_eq(window_claim_state(window, &waiter, &position), WINDOW_PENDING);
    cr_assert_eq(position, 77);
    uint64_t placed_at = place(window, &records, &first);
    cr_assert_eq(window_claim_state(window, &waiter, &position), WINDOW_PLACED);
    cr_assert_eq(position, placed_at);
    cr_assert_eq(ask(window, claim_of(0, 1, 1), 1).first_position, placed_at);
    window_confirm(window, first.entry);
    cr_assert_eq(window_claim_state(window, &waiter, &position), WINDOW_CONFIRMED);
    ask(window, claim_of(0, 9, 9), 100); /* too old now, swept out or not */
    cr_assert_eq(window_claim_state(window, &waiter, &position), WINDOW_GONE);
    window_close(window);
    records_deinit(&records);
}

/* The entry's number is in use again, for a message that is not the waiter's: if the waiter took
 * that one's commit for its own, a message would be lost with a receipt. */
Test(window, nothing_overtakes_a_claim_whose_candidate_is_unread)
{
    struct records records;
    records_init(&records, 2 * WINDOW_ENTRIES_MIN);
    struct window *window = open_window(&records, WINDOW_ENTRIES_MIN, 1000);
    for (uint32_t i = 0; i < WINDOW_ENTRIES_MIN; i++)
        keep(window, &records, claim_of(0, i, 1), 1, VERDICT_FRESH);
    records.unread_round = 1;
    while (records_has(&records, RECORDS_FIRST))
        records.unread_round++;

    /* The second pushes out what the first is about; the third may not profit from that. */
    struct window_claim claims[] = {claim_of(0, 0, 1), claim_of(0, 5000, 1), claim_of(0, 0, 1),
                                    claim_of(0, 0, 2)};
    window_ask(window, claims, 4, 1);
    cr_assert_eq(claims[1].verdict, VERDICT_FRESH);
    for (uint32_t i = 0; i < 4; i++) {
        if (i == 1)
            continue;
        cr_assert_eq(claims[i].verdict, VERDICT_UNREAD);
        cr_assert_eq(claims[i].entry, WINDOW_NO_ENTRY);
        cr_assert_eq(claims[i].first_position, RECORDS_FIRST);
    }
    window_ask(window, claims, 1, 1);
    window_ask(window, claims + 2, 2, 1);
    cr_assert_eq(claims[0].verdict, VERDICT_FRESH, "its first has left meanwhile");
    cr_assert_eq(claims[2].verdict, VERDICT_REPLAY);
    cr_assert_eq(claims[2].entry, claims[0].entry);
    cr_assert_eq(claims[3].verdict, VERDICT_CONFLICT);
    window_close(window);
    records_deinit(&records);
}

Test(window, a_waiter_reads_only_what_may_be_another_record)
{
    struct records records;
    records_init(&records, 1000);
    struct window *window = open_window(&records, WINDOW_ENTRIES_MIN, 1000);
    struct window_claim first = ask(window, claim_of(0, 1, 1), 1);
    struct window_claim early = ask(window, claim_of(0, 1, 1), 1);
    uint64_t placed_at = place(window, &records, &first), position = 0;
    struct window_claim late = ask(window, claim_of(0, 1, 1), 1);
    records.unread_round = 1;
    while (records_has(&records, placed_at))
        records.unread_round++;
    cr_assert_eq(window_claim_state(window, &late, &position), WINDOW_PLACED);
    cr_assert_eq(position, placed_at);
    position = 0;
    cr_assert_eq(window_claim_state(window, &early, &position), WINDOW_UNREAD);
    cr_assert_eq(position, placed_at);
    records_read(&records, placed_at);
    cr_assert_eq(window_claim_state(window, &early, &position), WINDOW_PLACED);
    window_close(window);
    records_deinit(&records);
}

Test(window, a_waiter_is_not_fooled_when_its_entry_is_used_again)
{
    struct records records;
    records_init(&records, 10);
    struct window *window = open_window(&records, 1024, 60);
    const struct window_claim others[] = {claim_of(0, 1, 2), claim_of(0, 2, 1), claim_of(1, 1, 1)};
    for (size_t i = 0; i < 3; i++) {
        struct window_claim first = ask(window, claim_of(0, 1, 1), 1);
        struct window_claim waiter = ask(window, claim_of(0, 1, 1), 1);
        uint64_t position;
        window_withdraw(window, first.entry);
        cr_assert_eq(window_claim_state(window, &waiter, &position), WINDOW_GONE);
        struct window_claim other = ask(window, others[i], 1);
        cr_assert_eq(other.entry, waiter.entry, "or this test proves nothing");
        cr_assert_eq(other.verdict, VERDICT_FRESH);
        cr_assert_eq(window_claim_state(window, &waiter, &position), WINDOW_GONE);
        place(window, &records, &other);
        cr_assert_eq(window_claim_state(window, &waiter, &position), WINDOW_GONE);
        window_withdraw(window, other.entry);
    }
    cr_assert_eq(figures_of(window).used, 0);
    cr_assert_eq(figures_of(window).withdrawn, 6);
    window_close(window);
    records_deinit(&records);
}

Test(window, age_counts_from_the_commit_and_by_the_logs_time)
{
    struct records records;
    records_init(&records, 10);
    struct window *window = open_window(&records, 1024, 10);
    struct window_claim slow = ask(window, claim_of(0, 1, 1), 100);
    keep(window, &records, claim_of(0, 2, 1), 100, VERDICT_FRESH);
    cr_assert_eq(figures_of(window).oldest_s, 100);
    for (int i = 0; i < 1000; i++) /* time that stands still expires nothing */
        expect(window, claim_of(0, 2, 1), 110, VERDICT_REPLAY);
    place(window, &records, &slow);
    window_confirm(window, slow.entry);
    expect(window, claim_of(0, 2, 1), 111, VERDICT_FRESH);
    expect(window, claim_of(0, 1, 1), 120, VERDICT_REPLAY);
    cr_assert_eq(figures_of(window).oldest_s, 110);
    expect(window, claim_of(0, 1, 1), 121, VERDICT_FRESH);
    cr_assert_eq(figures_of(window).expired, 2);
    cr_assert_eq(figures_of(window).used, 0);
    cr_assert_eq(figures_of(window).oldest_s, 0);
    window_close(window);
    records_deinit(&records);
}

Test(window, an_identity_is_known_as_long_as_one_of_its_entries_lives)
{
    struct records records;
    records_init(&records, 10);
    struct window *window = open_window(&records, 1024, 10);
    keep(window, &records, claim_of(0, 1, 1), 100, VERDICT_FRESH);
    struct window_claim pending = ask(window, claim_of(0, 1, 2), 101);
    keep(window, &records, claim_of(0, 1, 3), 105, VERDICT_CONFLICT);
    expect(window, claim_of(0, 1, 4), 112, VERDICT_CONFLICT);
    expect(window, claim_of(0, 1, 1), 112, VERDICT_CONFLICT); /* its body is forgotten */
    expect(window, claim_of(0, 1, 3), 115, VERDICT_REPLAY);
    expect(window, claim_of(0, 1, 4), 200, VERDICT_CONFLICT); /* by the pending one alone */
    expect(window, claim_of(0, 1, 2), 200, VERDICT_REPLAY);
    window_withdraw(window, pending.entry);
    expect(window, claim_of(0, 1, 4), 200, VERDICT_FRESH);
    window_close(window);
    records_deinit(&records);
}

Test(window, what_lies_below_a_position_is_forgotten_at_once)
{
    enum { COUNT = 1000 };
    struct records records;
    records_init(&records, COUNT);
    struct window *window = open_window(&records, 1024, 10);
    for (uint64_t i = 0; i < COUNT; i++)
        keep(window, &records, claim_of((uint16_t)(i % 3), i, i), 1, VERDICT_FRESH);
    records.floors[0] = RECORDS_FIRST + RECORDS_STRIDE * 700;
    window_forget_before(window, records.floors[0]);
    window_forget_before(window, 5); /* never backwards */
    for (uint64_t i = 0; i < COUNT; i++)
        expect(window, claim_of((uint16_t)(i % 3), i, i), 1,
               i < 700 ? VERDICT_FRESH : VERDICT_REPLAY);
    cr_assert_eq(figures_of(window).forgotten, 700);
    cr_assert_eq(figures_of(window).used, 300);
    window_close(window);
    records_deinit(&records);
}

Test(window, sweeping_reaches_every_scope_also_when_scopes_join_meanwhile)
{
    enum { SCOPES = 100 };
    struct records records;
    records_init(&records, SCOPES);
    struct window *window = open_window(&records, 1024, 10);
    for (uint16_t scope = 0; scope < SCOPES; scope++)
        keep(window, &records, claim_of(scope, 1, 1), 1, VERDICT_FRESH);
    expect(window, claim_of(0, 1, 1), 2, VERDICT_REPLAY); /* the round is somewhere now */
    expect(window, claim_of(WINDOW_SCOPES_MAX - 1, 1, 1), 12, VERDICT_FRESH);
    for (uint32_t i = 0; i < WINDOW_SCOPES_MAX / 8; i++)
        expect(window, claim_of(0, 2, 1), 12, VERDICT_FRESH);
    cr_assert_eq(figures_of(window).expired, (uint64_t)SCOPES);
    cr_assert_eq(figures_of(window).used, 0);
    window_close(window);
    records_deinit(&records);
}

/* The attack on a window that keeps the bodies of an identity in a list: here the journal is asked
 * at most three times a claim, and everything is still found. */
Test(window, many_bodies_behind_one_identity_cost_no_more)
{
    enum { BODIES = 100000, BATCH = 250 };
    struct records records;
    struct window_claim claims[BATCH];
    records_init(&records, BODIES);
    struct window *window = open_window(&records, BODIES, 10);
    for (uint64_t i = 0; i < BODIES; i += BATCH) {
        for (uint64_t k = 0; k < BATCH; k++)
            claims[k] = claim_of(0, 1, i + k);
        window_ask(window, claims, BATCH, 1);
        for (uint32_t k = 0; k < BATCH; k++) {
            cr_assert_eq(claims[k].verdict, i + k == 0 ? VERDICT_FRESH : VERDICT_CONFLICT);
            place(window, &records, &claims[k]);
        }
        for (uint32_t k = 0; k < BATCH; k++)
            window_confirm(window, claims[k].entry);
    }
    cr_assert_leq(records.matches, 3 * BODIES);
    records.matches = 0;
    for (uint64_t i = 0; i < BODIES; i++)
        expect(window, claim_of(0, 1, i), 1, VERDICT_REPLAY);
    cr_assert_leq(records.matches, 3 * BODIES);
    expect(window, claim_of(0, 1, 0), 20, VERDICT_FRESH);
    window_close(window);
    records_deinit(&records);
}

/* ---- room and fairness ---------------------------------------------------------------------- */

Test(window, a_flood_pushes_out_its_own_only)
{
    enum { CAPACITY = 2000, SMALL = 300, FLOOD = 20000 };
    struct records records;
    records_init(&records, FLOOD + 3 * SMALL);
    struct window *window = open_window(&records, CAPACITY, 1000);
    for (uint64_t i = 0; i < SMALL; i++)
        keep(window, &records, claim_of(1, i, i), 1, VERDICT_FRESH);
    for (uint64_t i = 0; i < FLOOD; i++)
        keep(window, &records, claim_of(2, i, i), 1, VERDICT_FRESH);
    cr_assert_eq(window_scope_used(window, 1), SMALL);
    cr_assert_eq(window_scope_used(window, 2), CAPACITY - SMALL);
    for (uint64_t i = 0; i < SMALL; i++)
        expect(window, claim_of(1, i, i), 1, VERDICT_REPLAY);
    for (uint64_t i = FLOOD - (CAPACITY - SMALL); i < FLOOD; i++) /* its latest are all there */
        expect(window, claim_of(2, i, i), 1, VERDICT_REPLAY);

    for (uint64_t i = 0; i < SMALL; i++) /* a newcomer takes from the flood */
        keep(window, &records, claim_of(3, i, i), 1, VERDICT_FRESH);
    cr_assert_eq(window_scope_used(window, 1), SMALL);
    cr_assert_eq(window_scope_used(window, 2), CAPACITY - 2 * SMALL);
    for (uint64_t i = 0; i < SMALL; i++)
        keep(window, &records, claim_of(1, SMALL + i, i), 1, VERDICT_FRESH);
    cr_assert_eq(window_scope_used(window, 1), 2 * SMALL);
    cr_assert_eq(window_scope_used(window, 3), SMALL);
    cr_assert_eq(figures_of(window).evicted_for_room, FLOOD + 3 * SMALL - CAPACITY);
    window_close(window);
    records_deinit(&records);
}

Test(window, floods_share_evenly)
{
    enum { CAPACITY = 1200, FLOODS = 4, EACH = 5000 };
    struct records records;
    records_init(&records, FLOODS * EACH);
    struct window *window = open_window(&records, CAPACITY, 1000);
    for (uint16_t scope = 0; scope < FLOODS; scope++) /* one after the other, not in turn */
        for (uint64_t i = 0; i < EACH; i++)
            keep(window, &records, claim_of(scope, i, i), 1, VERDICT_FRESH);
    for (uint16_t scope = 0; scope < FLOODS; scope++)
        cr_assert_geq(window_scope_used(window, scope), CAPACITY / FLOODS - 1);
    window_close(window);
    records_deinit(&records);
}

Test(window, pending_entries_never_go_and_push_nobody_out_who_holds_less)
{
    enum { CAPACITY = 1024, SMALL = 100 };
    struct records records;
    struct window_claim flood[CAPACITY];
    records_init(&records, CAPACITY);
    struct window *window = open_window(&records, CAPACITY, 1000);
    for (uint64_t i = 0; i < SMALL; i++)
        keep(window, &records, claim_of(1, i, i), 1, VERDICT_FRESH);
    for (uint32_t i = 0; i < CAPACITY - SMALL; i++) {
        flood[i] = ask(window, claim_of(2, i, i), 1);
        cr_assert_eq(flood[i].verdict, VERDICT_FRESH);
    }
    cr_assert_eq(ask(window, claim_of(2, 9999, 1), 1).verdict, VERDICT_NO_ROOM);
    cr_assert_eq(window_scope_used(window, 1), SMALL);

    /* A newcomer cannot take from the flood, which is all pending; so from the next largest. */
    expect(window, claim_of(3, 1, 1), 1, VERDICT_FRESH);
    cr_assert_eq(window_scope_used(window, 1), SMALL - 1);
    expect(window, claim_of(1, 0, 0), 1, VERDICT_FRESH); /* that was its oldest; room is left */

    struct window_claim last = ask(window, claim_of(2, 9999, 1), 1);
    cr_assert_eq(last.verdict, VERDICT_FRESH);
    place(window, &records, &flood[0]);
    cr_assert_eq(ask(window, claim_of(2, 10000, 1), 1).verdict, VERDICT_NO_ROOM, "placed only");
    window_confirm(window, flood[0].entry);
    cr_assert_eq(ask(window, claim_of(2, 10000, 1), 1).verdict, VERDICT_FRESH);
    expect(window, claim_of(2, 1, 1), 1, VERDICT_REPLAY);
    cr_assert_eq(window_scope_used(window, 1), SMALL - 1);
    window_close(window);
    records_deinit(&records);
}

Test(window, what_is_not_placed_is_bounded)
{
    struct records records;
    records_init(&records, 10);
    const struct window_settings settings = {.entries_max = 1024,
                                             .unplaced_max = 2,
                                             .log_count = 1,
                                             .span_s = 10,
                                             .match = records_match,
                                             .context = &records};
    struct window *window;
    cr_assert_eq(window_open(&settings, &window), STATUS_OK);
    struct window_claim first = ask(window, claim_of(0, 1, 1), 1);
    struct window_claim second = ask(window, claim_of(0, 2, 1), 1);
    struct window_claim third = ask(window, claim_of(0, 3, 1), 1);
    cr_assert_eq(third.verdict, VERDICT_NO_ROOM);
    cr_assert_eq(third.entry, WINDOW_NO_ENTRY);
    expect(window, claim_of(0, 2, 1), 1, VERDICT_REPLAY);
    place(window, &records, &first);
    expect(window, claim_of(0, 3, 1), 1, VERDICT_FRESH);
    window_withdraw(window, second.entry);
    cr_assert_eq(ask(window, claim_of(0, 3, 1), 1).verdict, VERDICT_FRESH);
    cr_assert_eq(ask(window, claim_of(0, 4, 1), 1).verdict, VERDICT_FRESH);
    cr_assert_eq(ask(window, claim_of(0, 5, 1), 1).verdict, VERDICT_NO_ROOM);
    window_close(window);
    records_deinit(&records);
}

/* ---- memory --------------------------------------------------------------------------------- */

Test(window, takes_at_most_40_bytes_an_entry)
{
    const uint64_t capacities[] = {1024, 1031, 5000, 99999, 1U << 20};
    struct records records;
    records_init(&records, 1);
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        struct window_settings settings = {.entries_max = capacities[i],
                                           .unplaced_max = 16,
                                           .log_count = 1,
                                           .span_s = 10,
                                           .match = records_match,
                                           .context = &records};
        struct window *window;
        cr_assert_eq(window_open(&settings, &window), STATUS_OK);
        struct window_figures figures = figures_of(window);
        cr_assert_eq(figures.capacity, capacities[i]);
        cr_assert_leq(figures.entries_bytes, WINDOW_ENTRY_BYTES_MAX * capacities[i]);
        cr_assert_eq(figures.memory_bytes, window_memory_bytes(&settings));
        cr_assert_leq(figures.memory_bytes - figures.entries_bytes, 150000U, "the fixed part");
        window_close(window);
    }
    records_deinit(&records);
}

Test(window, every_capacity_holds_as_many_entries)
{
    const uint32_t capacities[] = {1024, 1031, 2049, 4095};
    struct records records;
    records_init(&records, 1);
    for (size_t i = 0; i < 4; i++) {
        struct window *window = open_window(&records, capacities[i], 10);
        for (uint32_t k = 0; k < capacities[i]; k++)
            cr_assert_eq(ask(window, claim_of(0, k, k), 1).verdict, VERDICT_FRESH);
        cr_assert_eq(ask(window, claim_of(0, 5000, 1), 1).verdict, VERDICT_NO_ROOM);
        for (uint32_t k = 0; k < capacities[i]; k++)
            cr_assert_eq(ask(window, claim_of(0, k, k), 1).verdict, VERDICT_REPLAY);
        window_close(window);
    }
    records_deinit(&records);
}

Test(window, the_largest_is_measured_without_overflow_and_refused_without_memory)
{
    struct window_settings settings = {.entries_max = WINDOW_ENTRIES_MAX,
                                       .unplaced_max = 1024,
                                       .log_count = 1,
                                       .span_s = UINT32_MAX,
                                       .match = records_match};
    uint64_t most = window_memory_bytes(&settings);
    cr_assert_geq(most, WINDOW_ENTRIES_MAX * WINDOW_ENTRY_BYTES_MAX);
    cr_assert_leq(most, WINDOW_ENTRIES_MAX * WINDOW_ENTRY_BYTES_MAX + 250000);

    struct rlimit before, tight = {.rlim_cur = 1 << 20};
    struct window *window = NULL;
    cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
    tight.rlim_max = before.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_AS, &tight), 0);
    enum status status = window_open(&settings, &window);
    cr_assert_eq(setrlimit(RLIMIT_AS, &before), 0);
    cr_assert_eq(status, STATUS_NO_MEMORY);
    cr_assert_null(window);
}

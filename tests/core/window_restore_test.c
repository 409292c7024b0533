/* A window that was restored answers like the one that lived: random messages of a small world are
 * kept in one window and noted as the log would have them; a second one is restored from the notes;
 * then both are asked the same. */
#include <stdio.h>

#include "core/window.h"
#include "records.h"

enum { CAPACITY = WINDOW_ENTRIES_MIN, SPAN_S = 1000, SCOPES = 4, BODIES = 6, MESSAGES = 9000 };

enum digests { DIGESTS_WHOLE, DIGESTS_LIKE_IDENTITIES, DIGESTS_LIKE_BODIES };

struct log {
    struct random random;
    struct records records;
    struct window_restored items[MESSAGES];
    uint32_t count, now_s;
    uint16_t log_count;
};

static struct window *open_window(struct records *records, uint16_t log_count)
{
    const struct window_settings settings = {
        .entries_max = CAPACITY,
        .unplaced_max = CAPACITY,
        .log_count = log_count,
        .span_s = SPAN_S,
        .match = records_match,
        .context = records,
    };
    struct window *window = NULL;
    cr_assert_eq(window_open(&settings, &window), STATUS_OK);
    return window;
}

static struct digest digest_of(uint64_t number)
{
    struct random random = {number};
    uint64_t low = random_u64(&random);
    return (struct digest){low, random_u64(&random)};
}

static struct window_claim random_claim(struct log *log, enum digests digests, uint32_t identities)
{
    static const char *const bodies[BODIES] = {"a", "b", "c", "d", "e", "f"};
    uint16_t scope = (uint16_t)random_below(&log->random, 1 + random_below(&log->random, SCOPES));
    uint32_t id = random_below(&log->random, identities);
    uint32_t body = random_below(&log->random, BODIES);
    struct window_claim claim = {
        .identity = digest_of((uint64_t)scope << 32 | id),
        .body_digest = digest_of(UINT64_C(1) << 60 | body),
        .body = bytes_from_text(bodies[body]),
        .scope = scope,
        .log = (uint16_t)random_below(&log->random, log->log_count),
    };
    if (digests == DIGESTS_LIKE_IDENTITIES) /* the window keeps none of these bits */
        claim.identity = (struct digest){.high = 0x55, .low = (uint64_t)scope << 32 | id};
    if (digests == DIGESTS_LIKE_BODIES)
        claim.identity.low = claim.body_digest.low = 0;
    return claim;
}

/* Sees the message through to its commit, and notes it. */
static void keep(struct log *log, struct window *window, struct window_claim claim)
{
    window_ask(window, &claim, 1, log->now_s);
    if (claim.verdict == VERDICT_REPLAY)
        return;
    cr_assert_neq(claim.entry, WINDOW_NO_ENTRY);
    uint64_t position = records_append(&log->records, &claim);
    window_place(window, claim.entry, position);
    window_confirm(window, claim.entry);
    log->items[log->count++] = (struct window_restored){
        .identity = claim.identity,
        .body_digest = claim.body_digest,
        .position = position,
        .time_s = log->now_s,
        .scope = claim.scope,
    };
}

static void restore(struct log *log, struct window *window)
{
    for (uint32_t at = 0; at < log->count;) {
        uint32_t part = 1 + random_below(&log->random, 300);
        part = part < log->count - at ? part : log->count - at;
        window_restore(window, log->items + at, part, log->now_s);
        at += part;
    }
}

static void compare(struct log *log, struct window *lived, struct window *restored,
                    enum digests digests, uint32_t identities)
{
    uint32_t replays = 0;
    for (uint32_t i = 0; i < 4 * CAPACITY; i++) {
        struct window_claim claim = random_claim(log, digests, identities), again = claim;
        window_ask(lived, &claim, 1, log->now_s);
        window_ask(restored, &again, 1, log->now_s);
        cr_assert_str_eq(verdict_name(again.verdict), verdict_name(claim.verdict));
        cr_assert_eq(again.first_position, claim.first_position);
        replays += claim.verdict == VERDICT_REPLAY;
        if (claim.verdict == VERDICT_REPLAY)
            continue;
        window_withdraw(lived, claim.entry); /* the next are compared with what was restored */
        window_withdraw(restored, again.entry);
    }
    cr_assert_gt(replays, 100);
}

static void play(uint64_t seed, enum digests digests, uint32_t identities, uint32_t messages,
                 uint32_t step_s, uint16_t log_count)
{
    struct log *log = calloc(1, sizeof *log);
    cr_assert_not_null(log);
    log->random.state = seed;
    log->now_s = 1;
    log->log_count = log_count;
    records_init(&log->records, MESSAGES);
    struct window *lived = open_window(&log->records, log_count);
    struct window *restored = open_window(&log->records, log_count);
    for (uint32_t i = 0; i < messages; i++) {
        keep(log, lived, random_claim(log, digests, identities));
        log->now_s += i % 50 == 0 ? step_s : 0;
    }
    restore(log, restored);
    struct window_figures figures[2];
    window_figures(lived, &figures[0]);
    window_figures(restored, &figures[1]);
    if (step_s == 0)
        cr_assert_eq(figures[0].evicted_for_room, figures[1].evicted_for_room);
    else
        cr_assert_eq(figures[0].evicted_for_room + figures[1].evicted_for_room, 0);
    for (uint16_t scope = 0; scope < SCOPES && step_s == 0; scope++)
        cr_assert_eq(window_scope_used(lived, scope), window_scope_used(restored, scope));
    printf("seed %lu: %u kept, %lu pushed out\n", (unsigned long)seed, log->count,
           (unsigned long)figures[1].evicted_for_room);
    compare(log, lived, restored, digests, identities);
    window_close(lived);
    window_close(restored);
    records_deinit(&log->records);
    free(log);
}

Test(window_restore, a_window_with_room)
{
    play(1, DIGESTS_WHOLE, 100, 700, 0, 1);
    play(2, DIGESTS_LIKE_BODIES, 60, 700, 0, 3);
}

Test(window_restore, a_full_window_lets_the_same_go)
{
    play(3, DIGESTS_WHOLE, 200, MESSAGES, 0, 1);
    play(4, DIGESTS_LIKE_BODIES, 200, MESSAGES, 0, 3);
}

Test(window_restore, identities_that_share_a_circle)
{
    play(5, DIGESTS_LIKE_IDENTITIES, 20, 500, 0, 1);
    play(6, DIGESTS_LIKE_IDENTITIES, 60, 2000, 0, 3);
}

/* 900 messages within the span of those that live at the end. */
Test(window_restore, what_is_too_old_does_not_come_back)
{
    play(7, DIGESTS_WHOLE, 100, 5000, 60, 1);
    play(8, DIGESTS_LIKE_IDENTITIES, 20, 3000, 60, 3);
}

Test(window_restore, what_was_forgotten_does_not_come_back_and_the_log_goes_on_behind)
{
    struct records records;
    records_init(&records, 4);
    struct window *window = open_window(&records, 1);
    struct window_restored items[2] = {{.time_s = 1}, {.time_s = 1}};
    struct window_claim claims[2] = {{.body = BYTES_LITERAL("a")}, {.body = BYTES_LITERAL("b")}};
    for (uint32_t i = 0; i < 2; i++) {
        claims[i].identity = items[i].identity = digest_of(i);
        items[i].position = records_append(&records, &claims[i]);
    }
    window_forget_before(window, items[1].position);
    window_restore(window, items, 2, 1);
    window_ask(window, claims, 2, 1);
    cr_assert_eq(claims[0].verdict, VERDICT_FRESH);
    cr_assert_eq(claims[1].verdict, VERDICT_REPLAY);
    cr_assert_eq(claims[1].first_position, items[1].position);
    window_place(window, claims[0].entry, items[1].position + 1);
    window_confirm(window, claims[0].entry);
    window_close(window);
    records_deinit(&records);
}

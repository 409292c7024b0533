/* Claims over several shards, one verdict at a time: every owner and every log, near and far. */
#include "far_claims.h"

struct one {
    struct window_claim item;
    struct claim_way way;
};

static struct digest identity_of(uint16_t owner, uint16_t shards, uint64_t number)
{
    return (struct digest){.low = number * shards + owner, .high = number << 32 | 99};
}

static void set(struct one *one, const struct shard *shard, struct digest identity,
                const char *body, uint16_t log)
{
    *one = (struct one){.item = {.identity = identity, .body = bytes_from_text(body), .log = log}};
    one->item.body_digest = digest_bytes(&shard->secret, one->item.body);
}

static void move_all(struct far_claims *far)
{
    for (uint32_t turn = 0; turn < 12; turn++)
        for (uint16_t i = 0; i < far->count; i++)
            far_turn(far->shards[i]);
}

static struct claims *claims_of(struct far_claims *far, uint16_t shard)
{
    return &far->shards[shard]->intake.claims;
}

/* Asks at a shard, and moves until it waits for nothing but a first. */
static enum claim_state ask(struct far_claims *far, uint16_t asker, struct one *one)
{
    claims_ask(claims_of(far, asker), &one->item, &one->way, 1);
    move_all(far);
    return claims_settle(claims_of(far, asker), &one->item, &one->way);
}

/* Its record becomes durable where it belongs. */
static struct record_id keep(struct far_claims *far, const struct one *one)
{
    struct record_id id;
    uint64_t offset;
    cr_assert(far_append(far->shards[one->item.log], &one->item, &id, &offset));
    claims_confirm(claims_of(far, one->item.log), one->item.identity, one->item.entry, offset);
    move_all(far);
    return id;
}

static void expect(const struct one *one, enum claim_state state, enum verdict verdict)
{
    cr_assert_eq(state, CLAIM_DECIDED);
    cr_assert_str_eq(verdict_name(one->item.verdict), verdict_name(verdict));
}

static void expect_replay(const struct one *one, enum claim_state state, struct record_id id)
{
    expect(one, state, VERDICT_REPLAY);
    cr_assert(claim_is_replay(&one->item, &one->way));
    cr_assert_eq(record_id_compare(one->way.first_id, id), 0);
}

/* Calls `play` for each owner, asker, log of the first and log of the second. */
static void everywhere(void (*play)(struct far_claims *far, const uint16_t where[4]))
{
    enum { SHARDS = 3 };
    for (uint16_t i = 0; i < SHARDS * SHARDS * SHARDS * SHARDS; i++) {
        struct far_claims far = far_open(SHARDS);
        const uint16_t where[4] = {i % SHARDS, i / SHARDS % SHARDS, i / (SHARDS * SHARDS) % SHARDS,
                                   i / (SHARDS * SHARDS * SHARDS)};
        play(&far, where);
        far_close(&far);
    }
}

static void play_replay(struct far_claims *far, const uint16_t where[4])
{
    struct one first, again;
    struct digest identity = identity_of(where[0], far->count, 1);
    set(&first, far->shards[0], identity, "body", where[2]);
    expect(&first, ask(far, 0, &first), VERDICT_FRESH);
    struct record_id id = keep(far, &first);
    set(&again, far->shards[0], identity, "body", where[3]);
    expect_replay(&again, ask(far, where[1], &again), id);
}

Test(claims_far, a_replay_of_what_is_confirmed_has_its_id)
{
    everywhere(play_replay);
}

static void play_pending(struct far_claims *far, const uint16_t where[4])
{
    struct one first, again;
    struct digest identity = identity_of(where[0], far->count, 1);
    set(&first, far->shards[0], identity, "body", where[2]);
    expect(&first, ask(far, 0, &first), VERDICT_FRESH);
    set(&again, far->shards[0], identity, "body", where[3]);
    cr_assert_eq(ask(far, where[1], &again), CLAIM_FOLLOWS);
    claims_ask_followers(claims_of(far, where[1]));
    move_all(far);
    cr_assert_eq(claims_settle(claims_of(far, where[1]), &again.item, &again.way), CLAIM_FOLLOWS);
    struct record_id id = keep(far, &first);
    claims_ask_followers(claims_of(far, where[1]));
    move_all(far);
    expect_replay(&again, claims_settle(claims_of(far, where[1]), &again.item, &again.way), id);
}

Test(claims_far, a_replay_of_what_is_pending_follows_until_that_is_confirmed)
{
    everywhere(play_pending);
}

static void play_withdrawn(struct far_claims *far, const uint16_t where[4])
{
    struct one first, again;
    struct digest identity = identity_of(where[0], far->count, 1);
    set(&first, far->shards[0], identity, "body", where[2]);
    expect(&first, ask(far, 0, &first), VERDICT_FRESH);
    set(&again, far->shards[0], identity, "body", where[3]);
    cr_assert_eq(ask(far, where[1], &again), CLAIM_FOLLOWS);
    claims_withdraw(claims_of(far, 0), first.item.identity, first.item.entry);
    move_all(far);
    claims_ask_followers(claims_of(far, where[1]));
    move_all(far);
    expect(&again, claims_settle(claims_of(far, where[1]), &again.item, &again.way), VERDICT_FRESH);
    keep(far, &again);
}

Test(claims_far, what_followed_one_that_was_withdrawn_is_new)
{
    everywhere(play_withdrawn);
}

static void play_other_body(struct far_claims *far, const uint16_t where[4])
{
    struct one first, conflict, amendment, again;
    struct digest identity = identity_of(where[0], far->count, 1);
    set(&first, far->shards[0], identity, "body", where[2]);
    expect(&first, ask(far, 0, &first), VERDICT_FRESH);
    keep(far, &first);
    set(&conflict, far->shards[0], identity, "another", where[3]);
    expect(&conflict, ask(far, where[1], &conflict), VERDICT_CONFLICT);
    struct record_id id = keep(far, &conflict);
    set(&amendment, far->shards[0], identity, "a third", where[2]);
    amendment.item.supersedes = true;
    expect(&amendment, ask(far, where[1], &amendment), VERDICT_AMENDMENT);
    keep(far, &amendment);
    set(&again, far->shards[0], identity, "another", where[2]);
    expect_replay(&again, ask(far, where[1], &again), id);
}

Test(claims_far, another_body_is_a_conflict_or_an_amendment_and_has_replays_of_its_own)
{
    everywhere(play_other_body);
}

static void play_collision(struct far_claims *far, const uint16_t where[4])
{
    struct one first, other;
    struct digest identity = identity_of(where[0], far->count, 1);
    set(&first, far->shards[0], identity, "body", where[2]);
    expect(&first, ask(far, 0, &first), VERDICT_FRESH);
    keep(far, &first);
    set(&other, far->shards[0], identity, "other bytes", where[3]);
    other.item.body_digest = first.item.body_digest;
    expect(&other, ask(far, where[1], &other), VERDICT_COLLISION);
}

/* While the first was pending only digests are compared; then it shows. */
static void play_pending_collision(struct far_claims *far, const uint16_t where[4])
{
    struct one first, other;
    struct digest identity = identity_of(where[0], far->count, 1);
    set(&first, far->shards[0], identity, "body", where[2]);
    expect(&first, ask(far, 0, &first), VERDICT_FRESH);
    set(&other, far->shards[0], identity, "other bytes", where[3]);
    other.item.body_digest = first.item.body_digest;
    cr_assert_eq(ask(far, where[1], &other), CLAIM_FOLLOWS);
    keep(far, &first);
    claims_ask_followers(claims_of(far, where[1]));
    move_all(far);
    expect(&other, claims_settle(claims_of(far, where[1]), &other.item, &other.way),
           VERDICT_COLLISION);
}

Test(claims_far, other_bytes_of_one_digest_are_a_collision)
{
    everywhere(play_collision);
    everywhere(play_pending_collision);
}

static void play_forgotten(struct far_claims *far, const uint16_t where[4])
{
    struct one first, again;
    struct shard *shard = far->shards[where[2]];
    struct digest identity = identity_of(where[0], far->count, 1);
    set(&first, far->shards[0], identity, "body", where[2]);
    expect(&first, ask(far, 0, &first), VERDICT_FRESH);
    keep(far, &first);
    cr_assert(journal_seal(&shard->journal, false));
    cr_assert_gt(far_recycle(shard), 0);
    set(&again, far->shards[0], identity, "body", where[3]);
    /* The owner may not know yet that it is gone: whose log it is says so. */
    expect(&again, ask(far, where[1], &again), VERDICT_FRESH);
    keep(far, &again);
}

Test(claims_far, what_a_log_let_go_is_new)
{
    everywhere(play_forgotten);
}

Test(claims_far, an_owner_without_room_says_so)
{
    struct far_claims far = far_open(2);
    static struct one ones[FAR_CLAIMS_MAX * FAR_SHARDS_MAX], last;
    for (uint32_t i = 0; i < FAR_CLAIMS_MAX * FAR_SHARDS_MAX; i++) {
        set(&ones[i], far.shards[0], identity_of(1, 2, i), "body", 0);
        expect(&ones[i], ask(&far, 0, &ones[i]), VERDICT_FRESH);
    }
    set(&last, far.shards[0], identity_of(1, 2, UINT32_MAX), "body", 0);
    expect(&last, ask(&far, 0, &last), VERDICT_NO_ROOM);
    claims_withdraw(claims_of(&far, 0), ones[0].item.identity, ones[0].item.entry);
    move_all(&far);
    expect(&last, ask(&far, 0, &last), VERDICT_FRESH);
    far_close(&far);
}

/* The identity window against a naive model: random claims of a small world, in batches, with
 * records placed, confirmed and withdrawn in random order, time that stands, walks and jumps, and
 * logs that are cut; in some rounds most records are not in memory until they were read, and those
 * of other logs are never read here, but known from elsewhere. Three kinds of digests: whole ones;
 * identities that differ only in bits that the window does not keep; bodies that do. */
#include <stdio.h>

#include "core/window.h"
#include "random.h"
#include "records.h"

enum {
    CAPACITY = WINDOW_ENTRIES_MIN,
    UNPLACED = 600,
    SPAN_S = 20,
    SCOPES = 6,
    BODIES = 9,
    BATCH = 40,
    ROUNDS = 1500,
    WAITERS = 64
};

enum digests { DIGESTS_WHOLE, DIGESTS_LIKE_IDENTITIES, DIGESTS_LIKE_BODIES };

static const uint16_t scope_numbers[SCOPES] = {0, 1, 2, 17, 300, WINDOW_SCOPES_MAX - 1};

struct member {
    enum window_state state; /* GONE: this place of the model is free */
    struct window_claim claim;
    uint32_t scope; /* below SCOPES */
    uint64_t position;
    uint64_t confirmed; /* the how-manieth */
    uint32_t time_s;
};

struct model {
    struct random random;
    enum digests digests;
    uint32_t identities; /* of each scope */
    uint16_t logs;
    struct window *window;
    struct records records;
    struct member members[CAPACITY];
    struct window_claim waiters[WAITERS];
    uint64_t confirmed, floors[RECORDS_LOGS], remembered;
    uint32_t now_s;
    uint64_t seen[VERDICT_UNREAD + 1], evictions, ties, known;
};

/* ---- the small world ------------------------------------------------------------------------ */

static struct digest whole_digest(uint64_t number)
{
    struct random random = {number};
    uint64_t low = random_u64(&random);
    return (struct digest){low, random_u64(&random)};
}

/* Bodies 7 and 8 have one digest, and so is every message that has both a collision. */
static struct window_claim random_claim(struct model *model)
{
    static const char *const bodies[BODIES] = {"", "a", "b", "c", "dd", "dd ", "ee", "f", "g"};
    uint32_t scope = random_below(&model->random, SCOPES);
    if (random_below(&model->random, 3) > 0)
        scope = scope / 3; /* some scopes want far more than others */
    uint32_t id = random_below(&model->random, model->identities);
    uint32_t body = random_below(&model->random, BODIES);
    struct window_claim claim = {
        .identity = whole_digest((uint64_t)scope << 32 | id),
        .body_digest = whole_digest(UINT64_C(1) << 60 | (body < 7 ? body : 7)),
        .body = bytes_from_text(bodies[body]),
        .scope = scope_numbers[scope],
        .log = (uint16_t)random_below(&model->random, model->logs),
        .supersedes = random_below(&model->random, 4) == 0,
    };
    if (model->digests == DIGESTS_LIKE_IDENTITIES) { /* the window keeps none of these bits */
        claim.identity.high = 0x55;
        claim.identity.low = (uint64_t)scope << 32 | id;
    }
    if (model->digests == DIGESTS_LIKE_BODIES) {
        claim.identity.low = 0;
        claim.body_digest.low = 0;
    }
    return claim;
}

static uint32_t scope_of(const struct window_claim *claim)
{
    uint32_t scope = 0;
    while (scope_numbers[scope] != claim->scope)
        scope++;
    return scope;
}

/* ---- the model ------------------------------------------------------------------------------ */

static bool is_unconfirmed(const struct member *member)
{
    return member->state == WINDOW_PENDING || member->state == WINDOW_PLACED;
}

static void drop_old(struct model *model)
{
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct member *member = &model->members[i];
        if (member->state == WINDOW_CONFIRMED &&
            (model->now_s - member->time_s > SPAN_S ||
             member->position < model->floors[member->claim.log]))
            member->state = WINDOW_GONE;
    }
}

static struct member *find_twin(struct model *model, const struct window_claim *claim,
                                bool *out_known)
{
    struct member *twin = NULL;
    *out_known = false;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct member *member = &model->members[i];
        if (member->state == WINDOW_GONE || !digest_equal(member->claim.identity, claim->identity))
            continue;
        *out_known = true;
        if (digest_equal(member->claim.body_digest, claim->body_digest)) {
            cr_assert_null(twin);
            twin = member;
        }
    }
    return twin;
}

/* Within a log as they were confirmed; of two logs by the second. */
static bool is_older(const struct member *member, const struct member *than)
{
    if (member->claim.log == than->claim.log)
        return member->confirmed < than->confirmed;
    if (member->time_s != than->time_s)
        return member->time_s < than->time_s;
    return member->claim.log < than->claim.log;
}

struct tally {
    uint32_t held[SCOPES];
    struct member *oldest[SCOPES]; /* confirmed */
    uint32_t used, unplaced;
};

static struct tally count(struct model *model)
{
    struct tally tally = {0};
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct member *member = &model->members[i];
        if (member->state == WINDOW_GONE)
            continue;
        tally.used++;
        tally.held[member->scope]++;
        tally.unplaced += member->state == WINDOW_PENDING;
        struct member **oldest = &tally.oldest[member->scope];
        if (member->state == WINDOW_CONFIRMED && (*oldest == NULL || is_older(member, *oldest)))
            *oldest = member;
    }
    return tally;
}

/* The scopes, as bits, of which one has to give its oldest entry to the claimant. */
static uint32_t find_givers(const struct tally *tally, uint32_t claimant)
{
    uint32_t most = tally->held[claimant], givers = 0;
    for (uint32_t scope = 0; scope < SCOPES; scope++) {
        if (tally->oldest[scope] == NULL || tally->held[scope] < most ||
            tally->held[scope] == tally->held[claimant])
            continue;
        givers = (tally->held[scope] > most ? 0 : givers) | 1U << scope;
        most = tally->held[scope];
    }
    if (givers == 0 && tally->oldest[claimant] != NULL)
        givers = 1U << claimant;
    return givers;
}

static struct member *add_member(struct model *model, const struct window_claim *claim)
{
    struct member *member = model->members;
    while (member->state != WINDOW_GONE)
        member++;
    *member = (struct member){.state = WINDOW_PENDING, .claim = *claim, .scope = scope_of(claim)};
    member->claim.known_count = 0;
    model->remembered++;
    return member;
}

/* What the model says about a claim, and what it wants to see answered. */
struct expectation {
    enum verdict verdict;
    struct member *member; /* the new one, or the first that is not placed; or else NULL */
    struct member first;   /* REPLAY of a placed one: as it was then; the batch may push it out */
    uint32_t givers;       /* more than one: which of these scopes gave is yet to be seen */
};

static struct expectation judge(struct model *model, const struct window_claim *claim)
{
    bool known;
    struct member *twin = find_twin(model, claim, &known);
    if (twin != NULL && !bytes_equal(twin->claim.body, claim->body))
        return (struct expectation){.verdict = VERDICT_COLLISION};
    if (twin != NULL && twin->state == WINDOW_PENDING)
        return (struct expectation){.verdict = VERDICT_REPLAY, .member = twin};
    if (twin != NULL)
        return (struct expectation){.verdict = VERDICT_REPLAY, .first = *twin};

    struct tally tally = count(model);
    struct expectation expectation = {.verdict = VERDICT_FRESH};
    if (known)
        expectation.verdict = claim->supersedes ? VERDICT_AMENDMENT : VERDICT_CONFLICT;
    if (tally.used == CAPACITY)
        expectation.givers = find_givers(&tally, scope_of(claim));
    if (tally.unplaced == UNPLACED || (tally.used == CAPACITY && expectation.givers == 0))
        return (struct expectation){.verdict = VERDICT_NO_ROOM};
    if (expectation.givers == 0 || __builtin_popcount(expectation.givers) == 1) {
        if (expectation.givers != 0) {
            tally.oldest[__builtin_ctz(expectation.givers)]->state = WINDOW_GONE;
            model->evictions++;
        }
        expectation.member = add_member(model, claim);
    }
    return expectation;
}

/* Of several scopes that hold the same, any may give. See which did: then nothing is too old, so
 * that the window's counts are those of the model, and the giver's is one less. */
static void settle_tie(struct model *model, const struct window_claim *claim,
                       struct expectation *expectation)
{
    struct tally tally = count(model);
    uint32_t giver = SCOPES;
    for (uint32_t scope = 0; scope < SCOPES; scope++) {
        uint64_t held = window_scope_used(model->window, scope_numbers[scope]);
        if (scope == scope_of(claim))
            held--;
        if (held != tally.held[scope]) {
            cr_assert_eq(held + 1, tally.held[scope]);
            cr_assert_eq(giver, SCOPES, "only one may give");
            giver = scope;
        }
    }
    cr_assert(giver < SCOPES && (expectation->givers >> giver & 1), "the wrong scope gave");
    tally.oldest[giver]->state = WINDOW_GONE;
    model->evictions++;
    model->ties++;
    expectation->member = add_member(model, claim);
}

static void check_answer(struct model *model, const struct window_claim *claim,
                         const struct expectation *expectation)
{
    const struct member *member = expectation->member;
    uint32_t entry = WINDOW_NO_ENTRY;
    uint64_t position = WINDOW_NO_POSITION;
    if (member != NULL) {
        entry = member->claim.entry;
    } else if (expectation->verdict == VERDICT_REPLAY) {
        entry = expectation->first.claim.entry;
        position = expectation->first.position;
    }
    cr_assert_str_eq(verdict_name(claim->verdict), verdict_name(expectation->verdict));
    cr_assert_eq(claim->entry, entry);
    cr_assert_eq(claim->first_position, position);
    model->seen[claim->verdict]++;
}

/* ---- what happens --------------------------------------------------------------------------- */

/* Asks a batch, cut after a claim of which the model cannot know at whose cost it was remembered.
 */
static void ask_some(struct model *model)
{
    struct window_claim claims[BATCH];
    struct expectation expectations[BATCH] = {0};
    uint32_t wanted = 1 + random_below(&model->random, BATCH), asked = 0;
    drop_old(model);
    while (asked < wanted) {
        claims[asked] = random_claim(model);
        expectations[asked] = judge(model, &claims[asked]);
        if (__builtin_popcount(expectations[asked++].givers) > 1)
            break;
    }
    window_ask(model->window, claims, asked, model->now_s);
    struct expectation *last = &expectations[asked - 1];
    if (__builtin_popcount(last->givers) > 1)
        settle_tie(model, &claims[asked - 1], last);
    for (uint32_t i = 0; i < asked; i++) {
        struct member *member = expectations[i].member;
        if (member != NULL && claims[i].verdict != VERDICT_REPLAY)
            member->claim.entry = claims[i].entry;
    }
    for (uint32_t i = 0; i < asked; i++) {
        check_answer(model, &claims[i], &expectations[i]);
        if (claims[i].verdict == VERDICT_REPLAY)
            model->waiters[random_below(&model->random, WAITERS)] = claims[i];
    }
}

/* The claim's own record, or one that the window cannot tell from it. */
static void check_unread(struct model *model, const struct window_claim *claim)
{
    cr_assert_eq(claim->verdict, VERDICT_UNREAD);
    cr_assert_eq(claim->entry, WINDOW_NO_ENTRY);
    cr_assert_not(records_has(&model->records, claim->first_position));
    const struct record *record = records_at(&model->records, claim->first_position);
    cr_assert(digest_equal(record->identity, claim->identity) || model->digests != DIGESTS_WHOLE);
    model->seen[VERDICT_UNREAD]++;
}

/* An answer that is not unread, to the claim that was asked last but for unread ones. */
static void check_next(struct model *model, const struct window_claim *claim)
{
    struct expectation expectation = judge(model, claim);
    if (__builtin_popcount(expectation.givers) > 1)
        settle_tie(model, claim, &expectation);
    if (expectation.member != NULL && claim->verdict != VERDICT_REPLAY)
        expectation.member->claim.entry = claim->entry;
    check_answer(model, claim, &expectation);
    if (claim->verdict == VERDICT_REPLAY) {
        struct window_claim *waiter = &model->waiters[random_below(&model->random, WAITERS)];
        *waiter = *claim;
        waiter->known_count = 0;
    }
}

/* What has to be known of the record at `position` for the claim becomes known: it is read, or its
 * own thread compares it. */
static void find_out(struct model *model, struct window_claim *claim, struct window_known *known,
                     uint64_t position)
{
    if (window_position_log(position) == 0) {
        if (!records_has(&model->records, position))
            records_read(&model->records, position);
        return;
    }
    cr_assert_lt(claim->known_count, CAPACITY);
    for (uint16_t i = 0; i < claim->known_count; i++)
        cr_assert_neq(known[i].position, position, "it was known");
    known[claim->known_count++] = (struct window_known){
        .position = position, .match = records_compare(&model->records, position, claim)};
    claim->known = known;
    model->known++;
}

static bool follows_unread(const struct window_claim *claims, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (claims[i].verdict == VERDICT_UNREAD &&
            digest_equal(claims[i].identity, claims[index].identity))
            return true;
    return false;
}

/* Asks a batch, and whatever is unread again, in order, when it was read. The model learns only
 * from the answers what is unread, so the batch is of one claim where one may push out another. */
static void ask_what_has_to_be_read(struct model *model, uint32_t round)
{
    struct window_claim claims[BATCH];
    struct window_figures figures;
    window_figures(model->window, &figures);
    uint32_t asked = figures.used + BATCH < CAPACITY ? BATCH : 1;
    drop_old(model);
    model->records.unread_round = round + 1;
    model->records.are_foreign = true;
    for (uint32_t i = 0; i < asked; i++)
        claims[i] = random_claim(model);
    window_ask(model->window, claims, asked, model->now_s);
    for (uint32_t i = 0; i < asked; i++) {
        if (claims[i].verdict == VERDICT_UNREAD) {
            check_unread(model, &claims[i]);
            continue;
        }
        cr_assert_not(follows_unread(claims, i), "its first is not decided yet");
        check_next(model, &claims[i]);
    }
    for (uint32_t i = 0; i < asked; i++) {
        struct window_known known[CAPACITY];
        if (claims[i].verdict != VERDICT_UNREAD)
            continue;
        for (uint32_t reads = 0; claims[i].verdict == VERDICT_UNREAD; reads++) {
            cr_assert_lt(reads, CAPACITY);
            find_out(model, &claims[i], known, claims[i].first_position);
            window_ask(model->window, &claims[i], 1, model->now_s);
        }
        check_next(model, &claims[i]);
    }
}

static struct member *random_member(struct model *model, enum window_state state)
{
    uint32_t from = random_below(&model->random, CAPACITY);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct member *member = &model->members[(from + i) % CAPACITY];
        if (member->state == state)
            return member;
    }
    return NULL;
}

static void place_one(struct model *model)
{
    struct member *member = random_member(model, WINDOW_PENDING);
    if (member == NULL)
        return;
    member->position = records_append(&model->records, &member->claim);
    member->state = WINDOW_PLACED;
    window_place(model->window, member->claim.entry, member->position);
}

/* The one of its scope and log with the least position. */
static void confirm_one(struct model *model)
{
    struct member *first = random_member(model, WINDOW_PLACED);
    if (first == NULL)
        return;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct member *member = &model->members[i];
        if (member->state == WINDOW_PLACED && member->scope == first->scope &&
            member->claim.log == first->claim.log && member->position < first->position)
            first = member;
    }
    first->state = WINDOW_CONFIRMED;
    first->time_s = model->now_s;
    first->confirmed = model->confirmed++;
    window_confirm(model->window, first->claim.entry);
}

static void withdraw_one(struct model *model)
{
    bool placed = random_below(&model->random, 2) == 0;
    struct member *member = random_member(model, placed ? WINDOW_PLACED : WINDOW_PENDING);
    if (member == NULL)
        return;
    member->state = WINDOW_GONE;
    window_withdraw(model->window, member->claim.entry);
}

static void forget_some(struct model *model)
{
    uint16_t log = (uint16_t)random_below(&model->random, model->logs);
    uint64_t *floor = &model->floors[log];
    uint64_t end = RECORDS_FIRST + (uint64_t)RECORDS_STRIDE * model->records.count;
    uint64_t most = window_position(log, end);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        const struct member *member = &model->members[i];
        if (member->state == WINDOW_PLACED && member->claim.log == log && member->position < most)
            most = member->position;
    }
    if (most <= *floor)
        return;
    *floor += random_below(&model->random, (uint32_t)(most - *floor) + 1);
    model->records.floors[log] = *floor;
    window_forget_before(model->window, *floor);
    drop_old(model);
}

static void check_waiters(struct model *model)
{
    drop_old(model);
    for (uint32_t i = 0; i < WAITERS; i++) {
        const struct window_claim *waiter = &model->waiters[i];
        uint64_t position = 0;
        bool known;
        if (waiter->verdict != VERDICT_REPLAY)
            continue;
        const struct member *twin = find_twin(model, waiter, &known);
        bool same = twin != NULL && twin->claim.entry == waiter->entry &&
                    bytes_equal(twin->claim.body, waiter->body);
        enum window_state expected = same ? twin->state : WINDOW_GONE;
        enum window_state state = window_claim_state(model->window, waiter, &position);
        if (state == WINDOW_UNREAD) {
            struct window_claim again = *waiter;
            struct window_known found[1];
            find_out(model, &again, found, position);
            position = 0;
            state = window_claim_state(model->window, &again, &position);
        }
        cr_assert_eq(state, expected);
        cr_assert_eq(position, same ? twin->position : 0);
    }
}

/* `exact`: everything that is too old was swept out; else the window may still count some. */
static void check_figures(struct model *model, bool exact)
{
    struct window_figures figures;
    window_figures(model->window, &figures);
    drop_old(model);
    struct tally tally = count(model);
    uint64_t pending = 0, held = 0;
    for (uint32_t i = 0; i < CAPACITY; i++)
        pending += is_unconfirmed(&model->members[i]);
    for (uint32_t scope = 0; scope < SCOPES; scope++) {
        uint64_t used = window_scope_used(model->window, scope_numbers[scope]);
        held += used;
        cr_assert(exact ? used == tally.held[scope] : used >= tally.held[scope]);
    }
    cr_assert_eq(held, figures.used);
    cr_assert_eq(figures.pending, pending);
    cr_assert_eq(figures.evicted_for_room, model->evictions);
    cr_assert_eq(model->remembered, figures.used + figures.evicted_for_room + figures.expired +
                                        figures.forgotten + figures.withdrawn);
}

static void let_time_pass(struct model *model)
{
    uint32_t chance = random_below(&model->random, 300);
    if (chance < 40)
        model->now_s += 1;
    else if (chance < 43)
        model->now_s += random_below(&model->random, 2 * SPAN_S);
}

static void play(uint64_t seed, enum digests digests, uint32_t identities, uint16_t logs)
{
    struct model *model = calloc(1, sizeof *model);
    cr_assert_not_null(model);
    model->random.state = seed;
    model->digests = digests;
    model->identities = identities;
    model->logs = logs;
    for (uint16_t log = 0; log < logs; log++)
        model->floors[log] = model->records.floors[log] = window_position(log, 0);
    records_init(&model->records, ROUNDS * BATCH);
    const struct window_settings settings = {
        .entries_max = CAPACITY,
        .unplaced_max = UNPLACED,
        .log_count = logs,
        .span_s = SPAN_S,
        .match = records_match,
        .prefetch = seed % 2 ? records_prefetch : NULL,
        .context = &model->records,
    };
    cr_assert_eq(window_open(&settings, &model->window), STATUS_OK);

    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t eager = round / 200 % 3 * 10; /* at times, what is asked is hardly ever answered */
        if (round % 3 == 0) {
            ask_what_has_to_be_read(model, round);
        } else {
            model->records.unread_round = 0;
            model->records.are_foreign = false;
            ask_some(model);
        }
        for (uint32_t i = random_below(&model->random, 2 + 2 * eager); i > 0; i--)
            place_one(model);
        for (uint32_t i = random_below(&model->random, 2 + 2 * eager); i > 0; i--)
            confirm_one(model);
        if (random_below(&model->random, 3) == 0)
            withdraw_one(model);
        if (random_below(&model->random, 150) == 0)
            forget_some(model);
        check_waiters(model);
        check_figures(model, false);
        let_time_pass(model);
    }
    model->records.unread_round = 0;
    model->records.are_foreign = false;
    for (uint32_t i = 0; i < CAPACITY; i++)
        ask_some(model);
    check_figures(model, true);

    printf("seed %lu, digests %d: fresh %lu, replay %lu, conflict %lu, amendment %lu, "
           "collision %lu, no room %lu, unread %lu (%lu known from elsewhere), pushed out %lu "
           "(%lu ties)\n",
           (unsigned long)seed, (int)digests, (unsigned long)model->seen[VERDICT_FRESH],
           (unsigned long)model->seen[VERDICT_REPLAY], (unsigned long)model->seen[VERDICT_CONFLICT],
           (unsigned long)model->seen[VERDICT_AMENDMENT],
           (unsigned long)model->seen[VERDICT_COLLISION],
           (unsigned long)model->seen[VERDICT_NO_ROOM], (unsigned long)model->seen[VERDICT_UNREAD],
           (unsigned long)model->known, (unsigned long)model->evictions,
           (unsigned long)model->ties);
    for (uint32_t verdict = 0; verdict <= VERDICT_UNREAD; verdict++)
        cr_assert_gt(model->seen[verdict], 0, "the test reached no %s",
                     verdict_name((enum verdict)verdict));
    cr_assert_gt(model->evictions, 100);
    cr_assert(logs == 1 || model->known > 100);
    window_close(model->window);
    records_deinit(&model->records);
    free(model);
}

Test(window_model, whole_digests)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        play(seed, DIGESTS_WHOLE, seed % 2 ? 40 : 400, 1);
}

Test(window_model, several_logs)
{
    for (uint64_t seed = 5; seed <= 8; seed++)
        play(seed, DIGESTS_WHOLE, seed % 2 ? 40 : 400, seed <= 6 ? 2 : RECORDS_LOGS);
}

Test(window_model, identities_that_the_index_cannot_tell_apart)
{
    for (uint64_t seed = 11; seed <= 12; seed++)
        play(seed, DIGESTS_LIKE_IDENTITIES, 60, seed % 2 ? 1 : RECORDS_LOGS);
}

Test(window_model, bodies_that_the_index_cannot_tell_apart)
{
    for (uint64_t seed = 21; seed <= 22; seed++)
        play(seed, DIGESTS_LIKE_BODIES, 60, seed % 2 ? 1 : RECORDS_LOGS);
}

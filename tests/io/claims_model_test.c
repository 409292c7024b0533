/* Claims over several shards against what must hold of them: random messages of a small world come
 * to random shards, the mesh moves when it likes, records become durable late, some are given up,
 * and logs let go of their oldest. Each decision is held against all that was on its way or in a
 * log while it was made. */
#include <stdio.h>

#include "../core/random.h"
#include "far_claims.h"

enum {
    IDENTITIES = 24,
    BODIES = 5,
    SLOTS = 96,    /* messages on their way at a shard */
    STEPS = 60000, /* a shard */
    KEPT_MAX = 1 << 16
};

enum state { FREE, ASKED, ASIDE, ACCEPTED, WRITTEN };

struct message {
    struct window_claim item;
    struct claim_way way;
    enum state state;
    uint16_t identity, body;
    uint64_t asked_at, accepted_at;
};

/* A record in a log. */
struct kept {
    struct record_id id;
    uint64_t offset, durable_at, forgotten_at; /* UINT64_MAX: not yet */
    uint16_t log, identity, body;
};

/* What is to be appended, or is appended and not durable yet: in the order of its log. */
struct queue {
    struct message *messages[SLOTS * FAR_SHARDS_MAX];
    struct kept *kept[SLOTS * FAR_SHARDS_MAX];
    uint32_t first, end;
};

struct world {
    struct random random;
    struct far_claims far;
    struct message messages[FAR_SHARDS_MAX][SLOTS];
    uint32_t oldest[FAR_SHARDS_MAX], next[FAR_SHARDS_MAX]; /* free-running; [oldest, next) asked */
    struct queue to_append[FAR_SHARDS_MAX], to_confirm[FAR_SHARDS_MAX];
    struct kept kept[KEPT_MAX];
    uint32_t kept_count;
    uint64_t now;                  /* steps */
    uint64_t given_up[IDENTITIES]; /* when one of the identity was given up last */
    uint64_t seen[VERDICT_UNREAD + 1], aside, forgotten;
};

static const char *const bodies[BODIES] = {"a", "bb", "ccc", "dddd", "eeeee"};

static struct claims *claims_at(struct world *world, uint16_t shard)
{
    return &world->far.shards[shard]->intake.claims;
}

static struct digest identity_of(uint16_t number)
{
    struct random random = {number};
    uint64_t low = random_u64(&random);
    return (struct digest){.low = low, .high = random_u64(&random)};
}

/* ---- what must hold ---- */

static bool was_live(const struct kept *kept, uint64_t from, uint64_t to)
{
    return kept->durable_at <= from && kept->forgotten_at > to;
}

/* A record of the identity (and of the body, if any) is known for as long as the claim was asked.
 */
static const struct kept *find_live(const struct world *world, const struct message *message,
                                    int body)
{
    for (uint32_t i = 0; i < world->kept_count; i++) {
        const struct kept *kept = &world->kept[i];
        if (kept->identity == message->identity && (body < 0 || kept->body == body) &&
            was_live(kept, message->asked_at, world->now))
            return kept;
    }
    return NULL;
}

/* Another message with this identity (and body) was accepted before this one was asked, and is not
 * durable yet. */
static const struct message *find_pending(const struct world *world, const struct message *message,
                                          int body)
{
    for (uint16_t shard = 0; shard < world->far.count; shard++)
        for (uint32_t i = 0; i < SLOTS; i++) {
            const struct message *other = &world->messages[shard][i];
            if (other != message && (other->state == ACCEPTED || other->state == WRITTEN) &&
                other->identity == message->identity && (body < 0 || other->body == body) &&
                other->accepted_at <= message->asked_at)
                return other;
        }
    return NULL;
}

/* Something of the identity with another body was there at some time while the claim was asked. */
static bool may_conflict(const struct world *world, const struct message *message)
{
    for (uint32_t i = 0; i < world->kept_count; i++) {
        const struct kept *kept = &world->kept[i];
        if (kept->identity == message->identity && kept->body != message->body &&
            kept->forgotten_at >= message->asked_at)
            return true;
    }
    for (uint16_t shard = 0; shard < world->far.count; shard++)
        for (uint32_t i = 0; i < SLOTS; i++) {
            const struct message *other = &world->messages[shard][i];
            if (other != message && other->state != FREE && other->identity == message->identity &&
                other->body != message->body)
                return true;
        }
    return world->given_up[message->identity] >= message->asked_at;
}

static void check_replay(const struct world *world, const struct message *message)
{
    cr_assert(claim_is_replay(&message->item, &message->way));
    for (uint32_t i = 0; i < world->kept_count; i++) {
        const struct kept *kept = &world->kept[i];
        if (record_id_compare(kept->id, message->way.first_id) != 0)
            continue;
        cr_assert_eq(kept->identity, message->identity);
        cr_assert_eq(kept->body, message->body);
        cr_assert_leq(kept->durable_at, world->now, "a receipt before it is safe");
        cr_assert_geq(kept->forgotten_at, message->asked_at);
        return;
    }
    cr_assert(false, "no record has that id");
}

static void check_decided(struct world *world, const struct message *message)
{
    enum verdict verdict = message->item.verdict;
    world->seen[verdict]++;
    if (verdict == VERDICT_REPLAY) {
        check_replay(world, message);
        return;
    }
    cr_assert(verdict <= VERDICT_AMENDMENT, "%s", verdict_name(verdict));
    cr_assert_null(find_live(world, message, message->body), "its record was there");
    cr_assert_null(find_pending(world, message, message->body), "its twin was there");
    if (verdict == VERDICT_FRESH) {
        cr_assert_null(find_live(world, message, -1), "its identity was there");
        cr_assert_null(find_pending(world, message, -1), "its identity was on its way");
    } else {
        cr_assert(may_conflict(world, message), "nobody had its identity");
        cr_assert_eq(verdict == VERDICT_AMENDMENT, message->item.supersedes);
    }
}

/* ---- what happens ---- */

static void ask_some(struct world *world, uint16_t shard)
{
    uint32_t at = world->next[shard] % SLOTS, count = 0;
    uint32_t wanted = 1 + random_below(&world->random, 6);
    for (; count < wanted && at + count < SLOTS && world->messages[shard][at + count].state == FREE;
         count++) {
        struct message *message = &world->messages[shard][at + count];
        uint16_t identity = (uint16_t)random_below(&world->random, IDENTITIES);
        uint16_t body = (uint16_t)random_below(&world->random, BODIES);
        if (random_below(&world->random, 2) == 0)
            body = 0;
        struct bytes bytes = bytes_from_text(bodies[body]);
        *message = (struct message){
            .state = ASKED,
            .identity = identity,
            .body = body,
            .asked_at = world->now,
            .item = {.identity = identity_of(identity),
                     .body = bytes,
                     .body_digest = digest_bytes(&world->far.shards[0]->secret, bytes),
                     .log = (uint16_t)random_below(&world->random, world->far.count),
                     .scope = identity % 3,
                     .supersedes = random_below(&world->random, 3) == 0}};
        claims_ask(claims_at(world, shard), &message->item, &message->way, 1);
    }
    world->next[shard] += count;
}

static void give_up(struct world *world, uint16_t shard, struct message *message)
{
    claims_withdraw(claims_at(world, shard), message->item.identity, message->item.entry);
    world->given_up[message->identity] = world->now;
    message->state = FREE;
}

static void decide(struct world *world, uint16_t shard, struct message *message)
{
    check_decided(world, message);
    if (message->item.verdict == VERDICT_REPLAY) {
        message->state = FREE;
    } else if (random_below(&world->random, 6) == 0) {
        give_up(world, shard, message);
    } else {
        struct queue *queue = &world->to_append[message->item.log];
        message->state = ACCEPTED;
        message->accepted_at = world->now;
        queue->messages[queue->end++ % (SLOTS * FAR_SHARDS_MAX)] = message;
    }
}

/* In the order of arrival; what follows another stands aside. */
static void settle_some(struct world *world, uint16_t shard)
{
    struct claims *claims = claims_at(world, shard);
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct message *message = &world->messages[shard][i];
        if (message->state != ASIDE)
            continue;
        enum claim_state state = claims_settle(claims, &message->item, &message->way);
        if (state != CLAIM_DECIDED)
            continue;
        if (message->item.verdict == VERDICT_REPLAY)
            decide(world, shard, message);
        else
            give_up(world, shard, message); /* its first came to nothing */
    }
    while (world->oldest[shard] != world->next[shard]) {
        struct message *message = &world->messages[shard][world->oldest[shard] % SLOTS];
        enum claim_state state = claims_settle(claims, &message->item, &message->way);
        cr_assert_neq(state, CLAIM_FAILED);
        if (state == CLAIM_WAITS)
            break;
        world->oldest[shard]++;
        world->aside += state == CLAIM_FOLLOWS;
        message->state = ASIDE;
        if (state == CLAIM_DECIDED)
            decide(world, shard, message);
    }
}

static void recycle(struct world *world, uint16_t log)
{
    const struct queue *queue = &world->to_confirm[log];
    struct journal *journal = &world->far.shards[log]->journal;
    if (journal_has_open_records(journal))
        (void)journal_seal(journal, false);
    const struct journal_block *block = journal_oldest(journal);
    uint64_t keep = UINT64_MAX;
    if (queue->first < queue->end)
        keep = queue->kept[queue->first % (SLOTS * FAR_SHARDS_MAX)]->offset;
    if (block == NULL || keep < journal_block_end(block))
        return;
    uint64_t end = far_recycle(world->far.shards[log]);
    for (uint32_t i = 0; i < world->kept_count; i++) {
        struct kept *kept = &world->kept[i];
        if (kept->log == log && kept->offset < end && kept->forgotten_at == UINT64_MAX) {
            kept->forgotten_at = world->now;
            world->forgotten++;
        }
    }
}

static void append_one(struct world *world, uint16_t log)
{
    struct queue *from = &world->to_append[log], *to = &world->to_confirm[log];
    if (from->first == from->end)
        return;
    struct message *message = from->messages[from->first % (SLOTS * FAR_SHARDS_MAX)];
    struct kept kept = {.log = log,
                        .identity = message->identity,
                        .body = message->body,
                        .durable_at = UINT64_MAX,
                        .forgotten_at = UINT64_MAX};
    if (!far_append(world->far.shards[log], &message->item, &kept.id, &kept.offset)) {
        recycle(world, log);
        return;
    }
    from->first++;
    cr_assert_lt(world->kept_count, KEPT_MAX);
    world->kept[world->kept_count] = kept;
    message->state = WRITTEN;
    to->messages[to->end % (SLOTS * FAR_SHARDS_MAX)] = message;
    to->kept[to->end % (SLOTS * FAR_SHARDS_MAX)] = &world->kept[world->kept_count++];
    to->end++;
}

static void confirm_one(struct world *world, uint16_t log)
{
    struct queue *queue = &world->to_confirm[log];
    if (queue->first == queue->end || claims_room(claims_at(world, log)) == 0)
        return;
    uint32_t at = queue->first++ % (SLOTS * FAR_SHARDS_MAX);
    struct message *message = queue->messages[at];
    struct kept *kept = queue->kept[at];
    for (uint32_t i = 0; i < world->kept_count; i++) {
        const struct kept *other = &world->kept[i];
        cr_assert(other == kept || other->identity != kept->identity || other->body != kept->body ||
                      other->durable_at == UINT64_MAX || other->forgotten_at != UINT64_MAX,
                  "one message twice in the logs");
    }
    kept->durable_at = world->now;
    claims_confirm(claims_at(world, log), message->item.identity, message->item.entry,
                   kept->offset);
    message->state = FREE;
}

static void step(struct world *world)
{
    uint16_t shard = (uint16_t)random_below(&world->random, world->far.count);
    world->now++;
    switch (random_below(&world->random, 10)) {
    case 0:
    case 1: ask_some(world, shard); break;
    case 2: (void)mesh_receive(world->far.shards[shard]->mesh); break;
    case 3: mesh_flush(world->far.shards[shard]->mesh); break;
    case 4: far_turn(world->far.shards[shard]); break;
    case 5: claims_ask_followers(claims_at(world, shard)); break;
    case 6: settle_some(world, shard); break;
    case 7: append_one(world, shard); break;
    case 8: confirm_one(world, shard); break;
    default:
        if (random_below(&world->random, 300) == 0)
            recycle(world, shard);
        break;
    }
}

static bool is_idle(const struct world *world)
{
    for (uint16_t shard = 0; shard < world->far.count; shard++)
        for (uint32_t i = 0; i < SLOTS; i++)
            if (world->messages[shard][i].state != FREE)
                return false;
    return true;
}

static void play(uint64_t seed, uint16_t shards)
{
    struct world *world = calloc(1, sizeof *world);
    cr_assert_not_null(world);
    world->random.state = seed;
    world->far = far_open(shards);
    for (uint32_t i = 0; i < (uint32_t)STEPS * shards; i++)
        step(world);
    uint32_t rounds = 0;
    for (; !is_idle(world); rounds++) { /* whatever waited for whatever, all comes to its end */
        cr_assert_lt(rounds, 4000U);
        for (uint16_t shard = 0; shard < shards; shard++) {
            world->now++;
            far_turn(world->far.shards[shard]);
            claims_ask_followers(claims_at(world, shard));
            settle_some(world, shard);
            append_one(world, shard);
            confirm_one(world, shard);
        }
    }
    printf("seed %lu, %u shards: fresh %lu, replay %lu, conflict %lu, amendment %lu; %lu stood "
           "aside, %lu forgotten of %u\n",
           (unsigned long)seed, shards, (unsigned long)world->seen[VERDICT_FRESH],
           (unsigned long)world->seen[VERDICT_REPLAY], (unsigned long)world->seen[VERDICT_CONFLICT],
           (unsigned long)world->seen[VERDICT_AMENDMENT], (unsigned long)world->aside,
           (unsigned long)world->forgotten, world->kept_count);
    for (uint32_t verdict = 0; verdict <= VERDICT_AMENDMENT; verdict++)
        cr_assert_gt(world->seen[verdict], 50);
    cr_assert_gt(world->aside, 50);
    cr_assert_gt(world->forgotten, 50);
    far_close(&world->far);
    free(world);
}

Test(claims_model, two_shards)
{
    for (uint64_t seed = 1; seed <= 6; seed++)
        play(seed, 2);
}

Test(claims_model, more_shards)
{
    for (uint64_t seed = 11; seed <= 14; seed++)
        play(seed, (uint16_t)(3 + seed % 2));
}

#include "io/intake/claims.h"

#include <stddef.h>
#include <stdlib.h>

#include "io/intake/claims_parts.h"

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

uint64_t delays_pick(struct delays *delays, uint64_t now_turn)
{
    if (delays->turns_max == 0)
        return now_turn;
    return now_turn + next_random(&delays->random_state) % (delays->turns_max + UINT64_C(1));
}

static uint32_t count_askable(const struct claims *claims, const struct window_claim *items,
                              uint32_t count);
static void hold_back(struct claims *claims, struct window_claim *item, struct claim_way *way);
static enum claim_state wait_for(struct claims *claims, struct claim_way *way, uint64_t position);
static void was_read(struct recall_ask *ask, enum status status, const struct block_header *block,
                     const struct record_head *record);

enum status claims_open(struct claims *claims, struct shard *shard, uint32_t claims_max)
{
    struct claim_unread *unread = calloc(claims_max, sizeof *unread);
    if (unread == NULL)
        return STATUS_NO_MEMORY;
    *claims = (struct claims){.shard = shard, .unread = unread, .unread_max = claims_max};
    return shard->mesh != NULL ? claims_far_open(claims, claims_max) : STATUS_OK;
}

void claims_close(struct claims *claims)
{
    if (claims->far != NULL)
        claims_far_close(claims);
    free(claims->unread);
    *claims = (struct claims){0};
}

/* ---- asked ---- */

void claims_ask(struct claims *claims, struct window_claim *items, struct claim_way *ways,
                uint32_t count)
{
    struct shard *shard = claims->shard;
    uint32_t now_s = shard_window_time_s(shard), at = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert(!ways[i].ask.asked && !ways[i].is_unread);
        ways[i].answer_turn = delays_pick(&shard->delays, shard->turn_number);
        ways[i].failed_position = ways[i].first_position = WINDOW_NO_POSITION;
    }
    if (claims->far != NULL) {
        claims_far_ask(claims, items, ways, count);
        return;
    }
    while (at < count) {
        uint32_t askable = count_askable(claims, items + at, count - at);
        if (askable == 0)
            hold_back(claims, &items[at], &ways[at]);
        else
            window_ask(shard->window, items + at, askable, now_s);
        for (uint32_t end = at + askable; at < end; at++)
            if (items[at].verdict == VERDICT_UNREAD) {
                claims_note_unread(claims, &items[at], &ways[at]);
                (void)wait_for(claims, &ways[at], items[at].first_position);
            }
        at += askable == 0;
    }
}

const struct claim_unread *claims_find_unread(const struct claims *claims, struct digest identity)
{
    for (uint32_t i = 0; i < claims->unread_count; i++)
        if (digest_equal(claims->unread[i].identity, identity))
            return &claims->unread[i];
    return NULL;
}

/* Those before the first that stands behind one that waits. */
static uint32_t count_askable(const struct claims *claims, const struct window_claim *items,
                              uint32_t count)
{
    uint32_t askable = 0;
    if (claims->unread_count == 0)
        return count;
    while (askable < count && claims_find_unread(claims, items[askable].identity) == NULL)
        askable++;
    return askable;
}

static void hold_back(struct claims *claims, struct window_claim *item, struct claim_way *way)
{
    item->verdict = VERDICT_UNREAD;
    item->entry = WINDOW_NO_ENTRY;
    item->first_position = claims_find_unread(claims, item->identity)->position;
    claims_note_unread(claims, item, way);
}

void claims_note_unread(struct claims *claims, const struct window_claim *item,
                        struct claim_way *way)
{
    if (way->is_unread)
        return;
    assert(claims->unread_count < claims->unread_max);
    claims->unread[claims->unread_count++] =
        (struct claim_unread){item->identity, item->first_position};
    way->is_unread = true;
}

/* ---- settled ---- */

static enum claim_state decide(struct claims *claims, const struct window_claim *item,
                               struct claim_way *way)
{
    claims_end(claims, item, way);
    return CLAIM_DECIDED;
}

/* Of a first that is written: its id. */
static enum claim_state settle_replay(struct claims *claims, struct window_claim *item,
                                      struct claim_way *way, uint64_t position)
{
    item->first_position = position;
    if (way->first_position != position) {
        const struct record *record = shard_record(claims->shard, position);
        if (record == NULL)
            return wait_for(claims, way, position);
        way->first_position = position;
        way->first_id = record->id;
    }
    return decide(claims, item, way);
}

enum claim_state claims_settle_known(struct claims *claims, struct window_claim *item,
                                     struct claim_way *way)
{
    enum { ASKS_MAX = 2 }; /* an answer of this moment is final, or waits for another record */
    struct shard *shard = claims->shard;
    if (claims->far != NULL)
        return claims_far_settle(claims, item, way);
    if (way->ask.asked)
        return CLAIM_WAITS;
    for (uint32_t asks = 0; asks < ASKS_MAX; asks++) {
        enum window_state state = WINDOW_UNREAD;
        uint64_t position = item->first_position;
        if (item->verdict == VERDICT_REPLAY)
            state = window_claim_state(shard->window, item, &position);
        else if (item->verdict != VERDICT_UNREAD)
            return decide(claims, item, way);
        if (state == WINDOW_PENDING)
            return decide(claims, item, way);
        if (state == WINDOW_PLACED || state == WINDOW_CONFIRMED)
            return settle_replay(claims, item, way, position);
        if (asks > 0 || (state == WINDOW_UNREAD && way->failed_position != position &&
                         shard_record(shard, position) == NULL)) {
            assert(state == WINDOW_UNREAD);
            claims_note_unread(claims, item, way);
            return wait_for(claims, way, position);
        }
        way->first_position = WINDOW_NO_POSITION;
        window_ask(shard->window, item, 1, shard_window_time_s(shard));
    }
    assert(false);
    return CLAIM_FAILED;
}

void claims_end_waiting(struct claims *claims, const struct window_claim *item,
                        struct claim_way *way)
{
    if (way->ask.asked)
        recall_withdraw(claims->shard->recall, &way->ask);
    if (claims->far != NULL)
        claims_far_end(claims, way);
    claims_forget_unread(claims, item, way);
}

void claims_forget_unread(struct claims *claims, const struct window_claim *item,
                          struct claim_way *way)
{
    if (!way->is_unread)
        return;
    uint32_t index = (uint32_t)(claims_find_unread(claims, item->identity) - claims->unread);
    claims->unread[index] = claims->unread[--claims->unread_count];
    way->is_unread = false;
}

/* ---- read ---- */

static enum claim_state wait_for(struct claims *claims, struct claim_way *way, uint64_t position)
{
    if (way->failed_position == position)
        return CLAIM_FAILED;
    way->claims = claims;
    way->ask = (struct recall_ask){.position = position, .done = was_read};
    assert(claims->shard->recall != NULL); /* without one, all that is known is in memory */
    recall_ask(claims->shard->recall, &way->ask);
    return CLAIM_WAITS;
}

/* Where there is no such record any more, the window knows nothing of it either when it is asked
 * again. */
static void was_read(struct recall_ask *ask, enum status status, const struct block_header *block,
                     const struct record_head *record)
{
    (void)block;
    struct claim_way *way =
        (struct claim_way *)(void *)((uint8_t *)ask - offsetof(struct claim_way, ask));
    if (status != STATUS_OK || record == NULL)
        way->failed_position = ask->position;
    shard_wake(way->claims->shard);
}

/* ---- an entry's life ---- */

uint16_t claims_owner(const struct claims *claims, struct digest identity)
{
    if (claims->far == NULL)
        return 0;
    return shard_of_identity(identity, claims->far->shards);
}

uint16_t claims_log(const struct claims *claims)
{
    if (claims->far == NULL)
        return 0;
    return claims->far->self;
}

uint64_t claims_position(const struct claims *claims, uint64_t offset)
{
    return window_position(claims_log(claims), offset);
}

static bool is_ours(const struct claims *claims, struct digest identity)
{
    return claims->far == NULL || claims_owner(claims, identity) == claims->far->self;
}

uint32_t claims_room(const struct claims *claims)
{
    return claims->far != NULL ? claims_notices_room(claims) : UINT32_MAX;
}

void claims_withdraw(struct claims *claims, struct digest identity, uint32_t entry)
{
    if (is_ours(claims, identity))
        window_withdraw(claims->shard->window, entry);
    else
        claims_tell(claims, claims_owner(claims, identity), CLAIMS_WITHDRAW, entry, 0);
}

void claims_confirm(struct claims *claims, struct digest identity, uint32_t entry, uint64_t offset)
{
    uint64_t position = claims_position(claims, offset);
    if (!is_ours(claims, identity)) {
        claims_tell(claims, claims_owner(claims, identity), CLAIMS_CONFIRM, entry, position);
        return;
    }
    if (claims->far != NULL)
        window_place(claims->shard->window, entry, position);
    window_confirm(claims->shard->window, entry);
}

void claims_forget_before(struct claims *claims, uint64_t offset)
{
    uint64_t position = claims_position(claims, offset);
    window_forget_before(claims->shard->window, position);
    if (claims->far != NULL && position > claims->far->floor) {
        claims->far->floor = position;
        shard_wake(claims->shard);
    }
}

void claims_run(struct claims *claims)
{
    if (claims->far != NULL)
        claims_far_run(claims);
}

/* ---- the records ---- */

enum window_match claims_match(void *context, uint64_t position, const struct window_claim *claim)
{
    const struct shard *shard = context;
    if (window_position_log(position) != claims_log(&shard->intake.claims))
        return WINDOW_MATCH_UNREAD;
    const struct record *record = shard_record(shard, window_position_offset(position));
    return record != NULL ? claims_match_record(shard, record, claim) : WINDOW_MATCH_UNREAD;
}

enum window_match claims_match_record(const struct shard *shard, const struct record *record,
                                      const struct window_claim *claim)
{
    if (!digest_equal(record->identity, claim->identity))
        return WINDOW_MATCH_NOTHING;
    if (bytes_equal(record_whole(record), claim->body))
        return WINDOW_MATCH_BODY;
    struct digest body_digest = digest_bytes(&shard->secret, record_whole(record));
    return digest_equal(body_digest, claim->body_digest) ? WINDOW_MATCH_DIGESTS
                                                         : WINDOW_MATCH_IDENTITY;
}

void claims_prefetch(void *context, uint64_t position)
{
    const struct shard *shard = context;
    uint64_t offset = window_position_offset(position);
    if (window_position_log(position) == claims_log(&shard->intake.claims) &&
        journal_has(&shard->journal, offset))
        __builtin_prefetch(journal_record(&shard->journal, offset));
}

#include <stdlib.h>

#include "io/intake/claims_parts.h"

static void hold(struct claims *claims, struct claim_way *way);
static void ask(struct claims *claims, struct claim_way *way);
static void take_answer(struct claims *claims, struct claim_way *way);
static void find_out(struct claims *claims, struct claim_way *way);
static void was_read(struct recall_ask *asked, enum status status, const struct block_header *block,
                     const struct record_head *head);
static void note_known(struct claims *claims, struct claim_way *way,
                       const struct claims_found *found);
static void follow(struct claims *claims, struct claim_way *way);
static void expire_follow(struct loop *loop, struct timer *timer);

/* ---- open and close ---- */

/* A claim meets a record of its identity in each log, one with its body, and once in 2^59 another.
 */
static uint32_t count_known(const struct claims_far *far)
{
    enum { OTHERS = 2 };
    return far->shards + (uint32_t)OTHERS;
}

enum status claims_far_open(struct claims *claims, uint32_t claims_max)
{
    struct mesh_end *mesh = claims->shard->mesh;
    struct claims_far *far = calloc(1, sizeof *far);
    if (far == NULL)
        return STATUS_NO_MEMORY;
    claims->far = far;
    far->claims = claims;
    far->mesh = mesh;
    far->self = mesh_self(mesh);
    far->shards = mesh_shards(mesh);
    far->known_each = count_known(far);
    far->follow_timer.expire = expire_follow;
    far->peers = calloc(far->shards, sizeof *far->peers);
    far->known = calloc((size_t)claims_max * far->known_each, sizeof *far->known);
    far->known_free = calloc(claims_max, sizeof(struct window_known *));
    if (far->peers == NULL || far->known == NULL || far->known_free == NULL)
        return STATUS_NO_MEMORY;
    while (far->known_free_count < claims_max) {
        far->known_free[far->known_free_count] =
            far->known + far->known_free_count * far->known_each;
        far->known_free_count++;
    }
    return claims_send_open(claims);
}

void claims_far_close(struct claims *claims)
{
    struct claims_far *far = claims->far;
    if (claims->shard->loop != NULL)
        loop_timer_disarm(claims->shard->loop, &far->follow_timer);
    claims_serve_close(claims);
    claims_send_close(claims);
    free(far->peers);
    free(far->known);
    free(far->known_free);
    free(far);
    claims->far = NULL;
}

/* ---- asked ---- */

void claims_far_ask(struct claims *claims, struct window_claim *items, struct claim_way *ways,
                    uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct claim_way *way = &ways[i];
        assert(way->stage == CLAIM_AT_REST && way->known == NULL);
        way->claims = claims;
        way->item = &items[i];
        items[i].verdict = VERDICT_FRESH;
        items[i].entry = WINDOW_NO_ENTRY;
        items[i].first_position = WINDOW_NO_POSITION;
        items[i].is_body_lent = true;
        if (claims_find_unread(claims, items[i].identity) != NULL)
            hold(claims, way);
        else
            ask(claims, way);
    }
    claims_far_run(claims);
}

/* Nothing is found out before those before it have ended; and those behind it stay behind it. */
static void hold(struct claims *claims, struct claim_way *way)
{
    way->item->verdict = VERDICT_UNREAD;
    way->item->entry = WINDOW_NO_ENTRY;
    way->item->first_position = WINDOW_NO_POSITION;
    claims_note_unread(claims, way->item, way);
    way->stage = CLAIM_HELD;
}

static void ask(struct claims *claims, struct claim_way *way)
{
    way->stage = CLAIM_ASKED;
    claims_line_add(&claims->far->peers[claims_owner(claims, way->item->identity)].asks, way);
    shard_wake(claims->shard);
}

/* ---- answered ---- */

void claims_answered(struct claims *claims, struct claim_way *first)
{
    while (first != NULL) {
        struct claim_way *way = first;
        first = way->next;
        way->next = NULL;
        way->stage = CLAIM_AT_REST;
        way->answer_turn = delays_pick(&claims->shard->delays, claims->shard->turn_number);
        take_answer(claims, way);
    }
    shard_wake(claims->shard);
}

static void take_answer(struct claims *claims, struct claim_way *way)
{
    struct window_claim *item = way->item;
    way->follows = false;
    bool is_behind = !way->is_unread && claims_find_unread(claims, item->identity) != NULL;
    if (is_behind) { /* it was asked before that one was known to wait */
        if (item->entry != WINDOW_NO_ENTRY && item->verdict != VERDICT_REPLAY)
            claims_withdraw(claims, item->identity, item->entry);
        hold(claims, way);
    } else if (item->verdict == VERDICT_UNREAD) {
        claims_note_unread(claims, item, way);
        find_out(claims, way);
    } else if (item->verdict == VERDICT_REPLAY && item->first_position == WINDOW_NO_POSITION) {
        follow(claims, way);
    } else if (item->verdict == VERDICT_REPLAY && item->first_position != way->first_position) {
        find_out(claims, way); /* its id */
    }
}

/* What the record at first_position is: looks or asks the shard that has it. */
static void find_out(struct claims *claims, struct claim_way *way)
{
    struct claims_far *far = claims->far;
    uint64_t position = way->item->first_position;
    struct claims_found found;
    if (way->failed_position == position)
        return;
    way->stage = CLAIM_COMPARED;
    if (window_position_log(position) != far->self) {
        claims_line_add(&far->peers[window_position_log(position)].compares, way);
        shard_wake(claims->shard);
    } else if (claims_compare(claims, position, way->item, &found)) {
        claims_found(claims, way, &found);
    } else {
        way->ask =
            (struct recall_ask){.position = window_position_offset(position), .done = was_read};
        recall_ask(claims->shard->recall, &way->ask);
    }
}

static void was_read(struct recall_ask *asked, enum status status, const struct block_header *block,
                     const struct record_head *head)
{
    (void)block;
    struct claim_way *way =
        (struct claim_way *)(void *)((uint8_t *)asked - offsetof(struct claim_way, ask));
    struct claims_found found;
    claims_compare_read(way->claims, way->item->first_position, way->item, status, head, &found);
    claims_found(way->claims, way, &found);
}

/* The owner is asked once more with what was found; but for a replay of which only the id was not
 * known. */
void claims_found(struct claims *claims, struct claim_way *way, const struct claims_found *found)
{
    struct window_claim *item = way->item;
    assert(way->stage == CLAIM_COMPARED && found->position == item->first_position);
    way->stage = CLAIM_AT_REST;
    shard_wake(claims->shard);
    if (found->has_failed) {
        way->failed_position = found->position;
        return;
    }
    if (found->match == WINDOW_MATCH_BODY) {
        way->first_position = found->position;
        way->first_id = found->id;
        if (item->verdict == VERDICT_REPLAY)
            return;
    }
    note_known(claims, way, found);
    item->verdict = VERDICT_FRESH;
    item->entry = WINDOW_NO_ENTRY;
    ask(claims, way);
}

static void note_known(struct claims *claims, struct claim_way *way,
                       const struct claims_found *found)
{
    struct claims_far *far = claims->far;
    struct window_claim *item = way->item;
    if (way->known == NULL) {
        assert(far->known_free_count > 0); /* there is one for each claim */
        way->known = far->known_free[--far->known_free_count];
        item->known = way->known;
        item->known_count = 0;
    }
    if (item->known_count == far->known_each) /* the oldest is asked for again if need be */
        memmove(way->known, way->known + 1, --item->known_count * sizeof *way->known);
    way->known[item->known_count++] = (struct window_known){found->position, found->match};
}

/* ---- following ---- */

static void follow(struct claims *claims, struct claim_way *way)
{
    struct claims_far *far = claims->far;
    way->stage = CLAIM_FOLLOWING;
    way->follows = true;
    claims_line_add(&far->followers, way);
    if (far->follow_timer.heap_index == 0)
        loop_timer_arm(claims->shard->loop, &far->follow_timer,
                       loop_now_ns(claims->shard->loop) + CLAIMS_FOLLOW_NS);
}

static void expire_follow(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct claims_far *far =
        (struct claims_far *)(void *)((uint8_t *)timer - offsetof(struct claims_far, follow_timer));
    claims_ask_followers(far->claims);
}

void claims_ask_followers(struct claims *claims)
{
    struct claim_line *line = &claims->far->followers;
    struct claim_way *way = claims_line_take(line, line->count);
    while (way != NULL) {
        struct claim_way *next = way->next;
        ask(claims, way);
        way = next;
    }
}

/* ---- settled ---- */

enum claim_state claims_far_settle(struct claims *claims, struct window_claim *item,
                                   struct claim_way *way)
{
    switch (way->stage) {
    case CLAIM_AT_REST: break;
    case CLAIM_HELD: ask(claims, way); return CLAIM_WAITS; /* its turn has come */
    case CLAIM_FOLLOWING:
    case CLAIM_ASKED:
    case CLAIM_COMPARED: return way->follows ? CLAIM_FOLLOWS : CLAIM_WAITS;
    }
    bool is_known =
        item->verdict != VERDICT_UNREAD &&
        (item->verdict != VERDICT_REPLAY || way->first_position == item->first_position);
    claims_end(claims, item, way);
    return is_known ? CLAIM_DECIDED : CLAIM_FAILED;
}

static void leave_followers(struct claims *claims, struct claim_way *way)
{
    struct claim_line *line = &claims->far->followers;
    struct claim_way *others = claims_line_take(line, line->count);
    while (others != NULL) {
        struct claim_way *next = others->next;
        if (others != way)
            claims_line_add(line, others);
        others = next;
    }
}

void claims_far_end(struct claims *claims, struct claim_way *way)
{
    struct claims_far *far = claims->far;
    if (way->stage == CLAIM_FOLLOWING)
        leave_followers(claims, way);
    way->stage = CLAIM_AT_REST;
    way->follows = false;
    way->next = NULL;
    if (way->known == NULL)
        return;
    far->known_free[far->known_free_count++] = way->known;
    way->known = NULL;
    way->item->known = NULL;
    way->item->known_count = 0;
}

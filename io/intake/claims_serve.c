#include "io/intake/claims_parts.h"

static bool is_asked_again(const struct window_claim *item);
static void serve_again(struct claims *claims, struct claim_way *way);
static void note_first(struct claims *claims, struct claim_way *way);
static void was_read(struct recall_ask *ask, enum status status, const struct block_header *block,
                     const struct record_head *head);
static void answer(struct claims *claims, uint16_t to, struct claim_way *way,
                   const struct claims_found *found);

/* ---- the window ---- */

/* In their order; the window is asked for many at once. */
void claims_serve(struct claims *claims, struct claim_way *first)
{
    struct claims_far *far = claims->far;
    struct shard *shard = claims->shard;
    uint32_t now_s = shard_window_time_s(shard);
    while (first != NULL) {
        uint32_t count = 0;
        struct claim_way *way = first;
        for (; way != NULL && count < CLAIMS_PARCEL_MAX && !is_asked_again(way->item);
             way = way->next)
            far->serving[count++] = *way->item;
        if (count > 0)
            window_ask(shard->window, far->serving, count, now_s);
        for (uint32_t i = 0; i < count; i++, first = first->next) {
            *first->item = far->serving[i];
            note_first(claims, first);
        }
        if (first != NULL && is_asked_again(first->item)) {
            serve_again(claims, first);
            first = first->next;
        }
    }
}

static bool is_asked_again(const struct window_claim *item)
{
    return item->verdict == VERDICT_REPLAY;
}

/* A replay of a first that was pending. */
static void serve_again(struct claims *claims, struct claim_way *way)
{
    struct shard *shard = claims->shard;
    struct window_claim *item = way->item;
    uint64_t position = WINDOW_NO_POSITION;
    switch (window_claim_state(shard->window, item, &position)) {
    case WINDOW_PENDING: return;
    case WINDOW_UNREAD:
        item->verdict = VERDICT_UNREAD;
        item->entry = WINDOW_NO_ENTRY;
        item->first_position = position;
        return;
    case WINDOW_PLACED: /* none is without being confirmed */
    case WINDOW_CONFIRMED: item->first_position = position; break;
    case WINDOW_GONE: window_ask(shard->window, item, 1, shard_window_time_s(shard)); break;
    }
    note_first(claims, way);
}

/* The id of a replay's first, where it is at hand: so who asked need not ask once more. */
static void note_first(struct claims *claims, struct claim_way *way)
{
    uint64_t position = way->item->first_position;
    if (way->item->verdict != VERDICT_REPLAY || position == WINDOW_NO_POSITION ||
        way->first_position == position || window_position_log(position) != claims->far->self)
        return;
    const struct record *record = shard_record(claims->shard, window_position_offset(position));
    if (record == NULL)
        return;
    way->first_position = position;
    way->first_id = record->id;
}

/* ---- the log ---- */

static void compare(struct claims *claims, const struct record *record,
                    const struct window_claim *claim, struct claims_found *found)
{
    found->match = claims_match_record(claims->shard, record, claim);
    found->id = record->id;
}

bool claims_compare(struct claims *claims, uint64_t position, const struct window_claim *claim,
                    struct claims_found *out_found)
{
    uint64_t offset = window_position_offset(position);
    const struct record *record = shard_record(claims->shard, offset);
    assert(window_position_log(position) == claims->far->self);
    if (record == NULL && claims->shard->recall != NULL)
        return false;
    *out_found = (struct claims_found){.position = position, .match = WINDOW_MATCH_NOTHING};
    if (record != NULL)
        compare(claims, record, claim, out_found);
    return true;
}

void claims_compare_read(struct claims *claims, uint64_t position, const struct window_claim *claim,
                         enum status status, const struct record_head *head,
                         struct claims_found *out_found)
{
    *out_found = (struct claims_found){.position = position, .match = WINDOW_MATCH_NOTHING};
    if (status == STATUS_OK && head != NULL && head->kind == RECORD_KIND_MESSAGE)
        compare(claims, (const struct record *)(const void *)head, claim, out_found);
    else
        out_found->has_failed = status != STATUS_NOT_FOUND;
}

bool claims_serve_compare(struct claims *claims, const struct mesh_message *message)
{
    struct claims_far *far = claims->far;
    struct claim_way *way = message->context;
    struct claims_found found;
    if (claims_compare(claims, message->words[0], way->item, &found)) {
        answer(claims, message->from, way, &found);
        return true;
    }
    for (uint32_t i = 0; i < CLAIMS_COMPARES_MAX; i++) {
        struct claims_compare *free_one = &far->compares[i];
        if (free_one->way != NULL)
            continue;
        *free_one = (struct claims_compare){
            .ask = {.position = window_position_offset(message->words[0]), .done = was_read},
            .claims = claims,
            .way = way,
            .asker = message->from,
        };
        recall_ask(claims->shard->recall, &free_one->ask);
        return true;
    }
    return false;
}

static void was_read(struct recall_ask *ask, enum status status, const struct block_header *block,
                     const struct record_head *head)
{
    (void)block;
    struct claims_compare *waiting =
        (struct claims_compare *)(void *)((uint8_t *)ask - offsetof(struct claims_compare, ask));
    struct claims_found found;
    claims_compare_read(waiting->claims, waiting->way->item->first_position, waiting->way->item,
                        status, head, &found);
    answer(waiting->claims, waiting->asker, waiting->way, &found);
    waiting->way = NULL;
}

static void answer(struct claims *claims, uint16_t to, struct claim_way *way,
                   const struct claims_found *found)
{
    mesh_answer(claims->far->mesh, to, MESH_CLAIMS,
                &(struct mesh_message){.kind = CLAIMS_COMPARE,
                                       .context = way,
                                       .words = {[COMPARE_POSITION] = found->position,
                                                 [COMPARE_FAILED] = found->has_failed,
                                                 [COMPARE_MATCH] = found->match,
                                                 [COMPARE_ID_MS] = found->id.ms,
                                                 [COMPARE_ID_SEQUENCE] = found->id.seq}});
}

void claims_serve_close(struct claims *claims)
{
    struct claims_far *far = claims->far;
    for (uint32_t i = 0; i < CLAIMS_COMPARES_MAX; i++)
        if (far->compares[i].way != NULL)
            recall_withdraw(claims->shard->recall, &far->compares[i].ask);
}

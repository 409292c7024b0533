#include <stdlib.h>

#include "io/intake/claims_parts.h"

static void serve_own(struct claims *claims);
static void send_asks(struct claims *claims, uint16_t to);
static void send_compares(struct claims *claims, uint16_t to);
static void send_notices(struct claims *claims);
static void tell_floor(struct claims *claims);
static bool asked(void *context, const struct mesh_message *message);
static void answered(void *context, const struct mesh_message *message);

enum status claims_send_open(struct claims *claims)
{
    struct claims_far *far = claims->far;
    far->notices = calloc(CLAIMS_NOTICES_MAX, sizeof *far->notices);
    if (far->notices == NULL)
        return STATUS_NO_MEMORY;
    mesh_on(far->mesh, MESH_CLAIMS,
            &(struct mesh_handler){.asked = asked, .answered = answered, .context = claims});
    return STATUS_OK;
}

void claims_send_close(struct claims *claims)
{
    free(claims->far->notices);
}

/* ---- out ---- */

void claims_far_run(struct claims *claims)
{
    struct claims_far *far = claims->far;
    send_notices(claims);
    tell_floor(claims);
    for (uint16_t to = 0; to < far->shards; to++) {
        if (to == far->self)
            continue;
        send_asks(claims, to);
        send_compares(claims, to);
    }
    serve_own(claims);
}

/* What is found out at once is asked again at once. */
static void serve_own(struct claims *claims)
{
    struct claim_line *line = &claims->far->peers[claims->far->self].asks;
    while (line->count > 0) {
        struct claim_way *first = claims_line_take(line, line->count);
        claims_serve(claims, first);
        claims_answered(claims, first);
    }
}

static void send_asks(struct claims *claims, uint16_t to)
{
    struct claims_far *far = claims->far;
    struct claim_line *line = &far->peers[to].asks;
    while (line->count > 0) {
        uint32_t count = line->count < CLAIMS_PARCEL_MAX ? line->count : CLAIMS_PARCEL_MAX;
        const struct mesh_message message = {
            .kind = CLAIMS_ASK, .context = line->first, .words = {count}};
        if (!mesh_ask(far->mesh, to, MESH_CLAIMS, &message))
            return;
        (void)claims_line_take(line, count);
    }
}

static void send_compares(struct claims *claims, uint16_t to)
{
    struct claims_far *far = claims->far;
    struct claim_line *line = &far->peers[to].compares;
    while (line->count > 0) {
        const struct mesh_message message = {.kind = CLAIMS_COMPARE,
                                             .context = line->first,
                                             .words = {line->first->item->first_position}};
        if (!mesh_ask(far->mesh, to, MESH_CLAIMS, &message))
            return;
        (void)claims_line_take(line, 1);
    }
}

static bool tell(struct claims *claims, const struct claims_notice *notice)
{
    const struct mesh_message message = {.kind = notice->kind,
                                         .words = {notice->words[0], notice->words[1]}};
    return mesh_tell(claims->far->mesh, notice->to, MESH_CLAIMS, &message);
}

void claims_tell(struct claims *claims, uint16_t to, enum claims_message kind, uint64_t word0,
                 uint64_t word1)
{
    struct claims_far *far = claims->far;
    const struct claims_notice notice = {{word0, word1}, to, (uint16_t)kind};
    if (far->notices_first == far->notices_end && tell(claims, &notice))
        return;
    assert(claims_notices_room(claims) > 0);
    far->notices[far->notices_end++ & (CLAIMS_NOTICES_MAX - 1)] = notice;
    shard_wake(claims->shard);
}

uint32_t claims_notices_room(const struct claims *claims)
{
    const struct claims_far *far = claims->far;
    return CLAIMS_NOTICES_MAX - (uint32_t)(far->notices_end - far->notices_first);
}

static void send_notices(struct claims *claims)
{
    struct claims_far *far = claims->far;
    while (far->notices_first < far->notices_end &&
           tell(claims, &far->notices[far->notices_first & (CLAIMS_NOTICES_MAX - 1)]))
        far->notices_first++;
}

/* Behind all that is durable below it. */
static void tell_floor(struct claims *claims)
{
    struct claims_far *far = claims->far;
    for (uint16_t to = 0; to < far->shards && far->notices_first == far->notices_end; to++) {
        struct claims_peer *peer = &far->peers[to];
        if (to == far->self || peer->floor_told == far->floor)
            continue;
        if (tell(claims, &(struct claims_notice){{far->floor, 0}, to, CLAIMS_FLOOR}))
            peer->floor_told = far->floor;
    }
}

/* ---- in ---- */

static bool asked(void *context, const struct mesh_message *message)
{
    struct claims *claims = context;
    struct window *window = claims->shard->window;
    switch ((enum claims_message)message->kind) {
    case CLAIMS_ASK:
        claims_serve(claims, message->context);
        mesh_answer(claims->far->mesh, message->from, MESH_CLAIMS, message);
        return true;
    case CLAIMS_COMPARE: return claims_serve_compare(claims, message);
    case CLAIMS_WITHDRAW: window_withdraw(window, (uint32_t)message->words[0]); return true;
    case CLAIMS_CONFIRM:
        window_place(window, (uint32_t)message->words[0], message->words[1]);
        window_confirm(window, (uint32_t)message->words[0]);
        return true;
    case CLAIMS_FLOOR: window_forget_before(window, message->words[0]); return true;
    }
    assert(false);
    return true;
}

static void answered(void *context, const struct mesh_message *message)
{
    struct claims *claims = context;
    if (message->kind == CLAIMS_ASK) {
        claims_answered(claims, message->context);
        return;
    }
    const struct claims_found found = {
        .position = message->words[COMPARE_POSITION],
        .has_failed = message->words[COMPARE_FAILED] != 0,
        .match = (enum window_match)message->words[COMPARE_MATCH],
        .id = {message->words[COMPARE_ID_MS], message->words[COMPARE_ID_SEQUENCE]},
    };
    claims_found(claims, message->context, &found);
}

/* ---- lines ---- */

void claims_line_add(struct claim_line *line, struct claim_way *way)
{
    way->next = NULL;
    if (line->first == NULL)
        line->first = way;
    else
        line->last->next = way;
    line->last = way;
    line->count++;
}

struct claim_way *claims_line_take(struct claim_line *line, uint32_t count)
{
    struct claim_way *first = line->first, *last = NULL;
    assert(count <= line->count);
    for (uint32_t i = 0; i < count; i++) {
        last = last == NULL ? first : last->next;
    }
    if (last == NULL)
        return NULL;
    line->first = last->next;
    if (line->first == NULL)
        line->last = NULL;
    last->next = NULL;
    line->count -= count;
    return first;
}

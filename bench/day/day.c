#include "bench/day/day.h"

#include <assert.h>
#include <stdlib.h>

#include "bench/day/demo_rules.h"
#include "bench/day/fault.h"
#include "bench/day/press.h"
#include "bench/random.h"

enum {
    LIVE_BATCHES = 48, /* declarations of one stream that are under way at once */
    RECENT_MAX = 8192, /* how far back a replay or a conflict may reach, in accepted messages */
    RECENT_NEAR = 64,  /* half of the replays come this soon */
    PICK_TRIES = 32,   /* at finding a message whose id may be used again */
    MESSAGES_PER_BATCH = 4, /* MIX_EVENTS, MIX_SHORT: of one kind, with the same keys */
    DOCUMENT_ENTRIES_LEAST = 5
};

/* One step in the life of a batch of declarations. */
struct step {
    uint8_t kind, variant;
    bool answers; /* the last step that did not */
};

static const struct step ceb_life[] = {
    {KIND_CEB311, FUNCTION_ORIGINAL, false}, {KIND_CEB312, STATUS_STORED, true},
    {KIND_CEB312, STATUS_ACCEPTED, true},    {KIND_CEB411, FUNCTION_ORIGINAL, false},
    {KIND_CEB412, STATUS_STORED, true},      {KIND_CEB412, STATUS_ACCEPTED, true},
    {KIND_CEB511, FUNCTION_ORIGINAL, false}, {KIND_CEB512, STATUS_STORED, true},
    {KIND_CEB512, STATUS_ACCEPTED, true},    {KIND_CEB621, FUNCTION_ORIGINAL, false},
    {KIND_CEB622, STATUS_STORED, true},      {KIND_CEB622, STATUS_ACCEPTED, true},
    {KIND_CEB622, STATUS_RELEASED, true},
};
static const struct step kj_life[] = {
    {KIND_KJ881111, 0, false}, {KIND_KJDOCREC, 0, true},  {KIND_KJ881112, 0, false},
    {KIND_KJDOCREC, 0, true},  {KIND_KJ881113, 0, false}, {KIND_KJDOCREC, 0, true},
};
static const struct step edifact_life[] = {
    {KIND_CUSCAR, FUNCTION_ORIGINAL, false}, {KIND_CUSDEC, FUNCTION_ORIGINAL, false},
    {KIND_CUSRES, STATUS_STORED, true},      {KIND_CUSRES, STATUS_ACCEPTED, true},
    {KIND_CUSRES, STATUS_RELEASED, true},
};
static const struct step json_life[] = {
    {KIND_DECLARATION, FUNCTION_ORIGINAL, false},
    {KIND_DECLSTATUS, STATUS_STORED, true},
    {KIND_DECLSTATUS, STATUS_ACCEPTED, true},
    {KIND_DECLSTATUS, STATUS_RELEASED, true},
};

struct life {
    const struct step *steps;
    uint32_t step_count;
};
static const struct life lives[DIALECT_COUNT] = {
    [DIALECT_CEB] = {ceb_life, sizeof ceb_life / sizeof *ceb_life},
    [DIALECT_KJ] = {kj_life, sizeof kj_life / sizeof *kj_life},
    [DIALECT_EDIFACT] = {edifact_life, sizeof edifact_life / sizeof *edifact_life},
    [DIALECT_JSON] = {json_life, sizeof json_life / sizeof *json_life},
};

/* A batch of declarations that is under way. */
struct live_batch {
    uint32_t batch, next_step, answered, order_key;
    uint8_t dialect, entry_count;
};

/* What planning one stream needs to remember. */
struct planner {
    struct day *day;
    struct random random;
    uint8_t stream;
    uint32_t next, next_batch; /* numbers to give out */
    struct live_batch live[DIALECT_COUNT][LIVE_BATCHES];
    uint32_t recent[RECENT_MAX]; /* accepted messages, a ring */
    uint32_t recent_count;       /* ever */
};

static void plan_mixed_stream(struct planner *planner, uint32_t end);
static void plan_plain_stream(struct planner *planner, uint32_t end);

enum status day_open(const struct day_settings *settings, struct day *out_day)
{
    assert(settings->message_count >= 1 && settings->message_count < DAY_NO_MESSAGE);
    assert(settings->stream_count >= 1 && settings->stream_count <= DAY_STREAMS_MAX);
    struct day day = {.settings = *settings};
    day.messages = calloc(settings->message_count, sizeof *day.messages);
    struct planner *planner = calloc(1, sizeof *planner);
    if (day.messages == NULL || planner == NULL) {
        free(day.messages);
        free(planner);
        return STATUS_NO_MEMORY;
    }
    uint32_t next = 0;
    for (uint32_t s = 0; s < settings->stream_count; s++) {
        uint32_t share = settings->message_count / settings->stream_count +
                         (s < settings->message_count % settings->stream_count);
        *planner =
            (struct planner){.day = &day, .stream = (uint8_t)s, .next = next, .next_batch = next};
        random_seed(&planner->random, random_mix(settings->seed) + s);
        day.stream_first[s] = next;
        next += share;
        if (settings->mix == MIX_DAY)
            plan_mixed_stream(planner, next);
        else
            plan_plain_stream(planner, next);
    }
    day.stream_first[settings->stream_count] = next;
    free(planner);
    day.press = press_open(settings);
    *out_day = day;
    return STATUS_OK;
}

void day_close(struct day *day)
{
    press_close(day->press);
    free(day->messages);
    *day = (struct day){0};
}

static struct day_message *add_message(struct planner *planner)
{
    struct day_message *message = &planner->day->messages[planner->next++];
    *message = (struct day_message){
        .twin = DAY_NO_MESSAGE, .answered = DAY_NO_MESSAGE, .stream = planner->stream};
    return message;
}

/* By the demo's sheet; every message of the life must have somewhere to go. */
static void route(const struct planner *planner, struct day_message *message)
{
    struct day_case facts = day_case_of(planner->day, message);
    message->outlets = demo_rules_outlets((enum day_kind)message->kind, message->variant, &facts);
}

static void remember(struct planner *planner, uint32_t index)
{
    planner->recent[planner->recent_count++ % RECENT_MAX] = index;
}

/* One of the last `reach` accepted messages. */
static uint32_t recall(struct planner *planner, uint32_t reach)
{
    uint32_t known = planner->recent_count < reach ? planner->recent_count : reach;
    uint32_t back = 1 + random_below(&planner->random, known);
    return planner->recent[(planner->recent_count - back) % RECENT_MAX];
}

/* Many messages hold one declaration, some hold several. */
static uint8_t draw_entry_count(struct planner *planner)
{
    static const uint8_t weights[FORM_ENTRIES_MAX] = {55, 17, 9, 6, 4, 3, 3, 3};
    return (uint8_t)(1 + random_weighted(&planner->random, weights, FORM_ENTRIES_MAX));
}

/* Of the declarations of a batch, those that one message of this kind names: a receipt is about one
 * or, of a large batch, two. */
static uint8_t entries_of(enum day_kind kind, uint8_t batch_entries)
{
    const struct form *form = form_of(kind);
    uint32_t wanted = batch_entries;
    if (form->meaning == VARIANTS_STATUS)
        wanted = (wanted + 2) / 3;
    return (uint8_t)(wanted < form->entries_max ? wanted : form->entries_max);
}

static void begin_batch(struct planner *planner, enum day_dialect dialect, struct live_batch *batch)
{
    *batch = (struct live_batch){.batch = planner->next_batch++,
                                 .answered = DAY_NO_MESSAGE,
                                 .dialect = (uint8_t)dialect,
                                 .entry_count = draw_entry_count(planner)};
}

static enum day_dialect draw_dialect(struct planner *planner)
{
    const struct eport *eport = &eports[planner->stream % EPORT_COUNT];
    return (enum day_dialect)random_weighted(&planner->random, eport->dialects, DIALECT_COUNT);
}

/* The next step of one of the declarations under way; a batch that is through makes room for a new
 * one. An entry_count of 0 marks a place that was never used. */
static void plan_step(struct planner *planner)
{
    enum day_dialect dialect = draw_dialect(planner);
    struct live_batch *batch =
        &planner->live[dialect][random_below(&planner->random, LIVE_BATCHES)];
    if (batch->entry_count == 0 || batch->next_step == lives[dialect].step_count)
        begin_batch(planner, dialect, batch);
    const struct step *step = &lives[dialect].steps[batch->next_step];
    bool same_keys = batch->next_step > 0 && step[-1].kind == step->kind;
    if (!same_keys)
        batch->order_key = planner->day->order_key_count++;
    batch->next_step++;

    uint32_t index = planner->next;
    struct day_message *message = add_message(planner);
    message->batch = batch->batch;
    message->kind = step->kind;
    message->variant = step->variant;
    message->entry_count = entries_of((enum day_kind)step->kind, batch->entry_count);
    message->order_key = batch->order_key;
    message->fate = FATE_FRESH;
    if (step->answers)
        message->answered = batch->answered;
    else
        batch->answered = index;
    route(planner, message);
    assert(message->outlets != 0);
    remember(planner, index);
}

static bool plan_replay(struct planner *planner)
{
    if (planner->recent_count == 0)
        return false;
    bool near = random_below(&planner->random, 2) == 0;
    uint32_t first = recall(planner, near ? RECENT_NEAR : RECENT_MAX);
    struct day_message *message = add_message(planner);
    *message = planner->day->messages[first];
    message->twin = first;
    message->fate = FATE_REPLAY;
    return true;
}

/* Whether its id may come again with other bytes: as a conflict, or as an amendment. */
static bool may_come_again(const struct day_message *message)
{
    return message->fate == FATE_FRESH &&
           form_of((enum day_kind)message->kind)->meaning == VARIANTS_FUNCTION;
}

static bool plan_same_id(struct planner *planner, enum day_fate fate)
{
    for (int i = 0; i < PICK_TRIES && planner->recent_count > 0; i++) {
        uint32_t first = recall(planner, RECENT_MAX);
        if (!may_come_again(&planner->day->messages[first]))
            continue;
        uint32_t index = planner->next;
        struct day_message *message = add_message(planner);
        *message = planner->day->messages[first];
        message->twin = first;
        message->fate = (uint8_t)fate;
        if (fate == FATE_AMENDMENT)
            message->variant = (uint8_t)(FUNCTION_CHANGE + random_below(&planner->random, 2));
        remember(planner, index);
        return true;
    }
    return false;
}

/* A message of its own, about declarations that nothing else is about. */
static struct day_message *plan_single(struct planner *planner, enum day_kind kind)
{
    struct day_message *message = add_message(planner);
    message->batch = planner->next_batch++;
    message->kind = (uint8_t)kind;
    message->entry_count = entries_of(kind, draw_entry_count(planner));
    message->order_key = planner->day->order_key_count++;
    return message;
}

static bool plan_malformed(struct planner *planner)
{
    enum day_dialect dialect = draw_dialect(planner);
    const struct life *life = &lives[dialect];
    const struct step *step = &life->steps[random_below(&planner->random, life->step_count)];
    if (step->answers)
        step = life->steps;
    struct day_message *message = plan_single(planner, (enum day_kind)step->kind);
    message->fate = FATE_MALFORMED;
    message->fault = (uint8_t)fault_choose(dialect, random_below(&planner->random, DAY_PPM));
    return true;
}

static bool plan_unroutable(struct planner *planner)
{
    enum day_dialect dialect = draw_dialect(planner);
    enum day_kind kind = dialect == DIALECT_CEB  ? KIND_CEB621
                         : dialect == DIALECT_KJ ? KIND_KJ881111
                                                 : KIND_DECLARATION;
    struct day_message *message = plan_single(planner, kind);
    message->fate = FATE_UNROUTABLE;
    route(planner, message);
    assert(message->outlets == 0);
    return true;
}

static enum day_fate draw_fate(struct planner *planner)
{
    uint32_t at = random_below(&planner->random, DAY_PPM);
    for (uint32_t fate = 0; fate < FATE_COUNT; fate++) {
        if (at < day_fate_ppm((enum day_fate)fate))
            return (enum day_fate)fate;
        at -= day_fate_ppm((enum day_fate)fate);
    }
    return FATE_FRESH;
}

static void plan_mixed_stream(struct planner *planner, uint32_t end)
{
    while (planner->next < end) {
        enum day_fate fate = draw_fate(planner);
        bool planned = false;
        switch (fate) {
        case FATE_REPLAY: planned = plan_replay(planner); break;
        case FATE_CONFLICT:
        case FATE_AMENDMENT: planned = plan_same_id(planner, fate); break;
        case FATE_MALFORMED: planned = plan_malformed(planner); break;
        case FATE_UNROUTABLE: planned = plan_unroutable(planner); break;
        case FATE_FRESH:
        case FATE_COUNT: break;
        }
        if (!planned)
            plan_step(planner);
    }
}

/* ---- Streams of fresh messages and replays --------------------------------------------------- */

struct weighted_kind {
    enum day_kind kind;
    uint8_t weight;
};

enum { PLAIN_KINDS_MAX = 9 };

static const struct weighted_kind event_kinds[] = {{KIND_DECLSTATUS, 1}};
static const struct weighted_kind short_kinds[] = {
    {KIND_DECLSTATUS, 84}, {KIND_CUSRES, 13}, {KIND_CEB412, 1}, {KIND_CEB512, 1}, {KIND_CEB312, 1}};
static const struct weighted_kind document_kinds[] = {
    {KIND_CEB311, 22},  {KIND_CEB411, 8},  {KIND_CEB511, 8}, {KIND_CEB621, 26},    {KIND_CEB622, 4},
    {KIND_KJ881111, 8}, {KIND_CUSCAR, 14}, {KIND_CUSDEC, 8}, {KIND_DECLARATION, 2}};

struct plain_mix {
    const struct weighted_kind *kinds;
    uint32_t kind_count, messages_per_batch;
};

static const struct plain_mix plain_mixes[] = {
    [MIX_EVENTS] = {event_kinds, 1, MESSAGES_PER_BATCH},
    [MIX_SHORT] = {short_kinds, sizeof short_kinds / sizeof *short_kinds, MESSAGES_PER_BATCH},
    [MIX_DOCUMENTS] = {document_kinds, sizeof document_kinds / sizeof *document_kinds, 1},
};

/* The batch that the next message of a kind is about. */
struct plain_batch {
    uint32_t batch, order_key, message_count;
};

static void plan_plain(struct planner *planner, const struct weighted_kind *kind,
                       const struct plain_mix *mix, struct plain_batch *batch)
{
    const struct form *form = form_of(kind->kind);
    uint32_t entries = DOCUMENT_ENTRIES_LEAST +
                       random_below(&planner->random, FORM_ENTRIES_MAX - DOCUMENT_ENTRIES_LEAST);
    if (batch->message_count++ % mix->messages_per_batch == 0) {
        batch->batch = planner->next_batch++;
        batch->order_key = planner->day->order_key_count++;
    }
    uint32_t index = planner->next;
    struct day_message *message = add_message(planner);
    message->batch = batch->batch;
    message->order_key = batch->order_key;
    message->kind = (uint8_t)kind->kind;
    if (form->meaning == VARIANTS_STATUS)
        message->variant = (uint8_t)((batch->message_count - 1) % FORM_VARIANTS_MAX);
    message->entry_count = entries_of(kind->kind, (uint8_t)entries);
    message->answered = planner->recent_count > 0 ? recall(planner, RECENT_NEAR) : index;
    message->fate = FATE_FRESH;
    route(planner, message);
    remember(planner, index);
}

static void plan_plain_stream(struct planner *planner, uint32_t end)
{
    const struct plain_mix *mix = &plain_mixes[planner->day->settings.mix];
    struct plain_batch batches[PLAIN_KINDS_MAX] = {0};
    uint8_t weights[PLAIN_KINDS_MAX];
    assert(mix->kind_count <= PLAIN_KINDS_MAX);
    for (uint32_t i = 0; i < mix->kind_count; i++)
        weights[i] = mix->kinds[i].weight;
    while (planner->next < end) {
        bool repeats = random_below(&planner->random, DAY_PPM) < planner->day->settings.replay_ppm;
        if (repeats && plan_replay(planner))
            continue;
        uint32_t k = random_weighted(&planner->random, weights, mix->kind_count);
        plan_plain(planner, &mix->kinds[k], mix, &batches[k]);
    }
}

const char *day_fate_name(enum day_fate fate)
{
    static const char *const names[FATE_COUNT] = {
#define X(name, text, ppm) text,
        DAY_FATE_LIST(X)
#undef X
    };
    return names[fate];
}

uint32_t day_fate_ppm(enum day_fate fate)
{
    static const uint32_t shares[FATE_COUNT] = {
#define X(name, text, ppm) ppm,
        DAY_FATE_LIST(X)
#undef X
    };
    if (fate != FATE_FRESH)
        return shares[fate];
    uint32_t rest = DAY_PPM;
    for (uint32_t i = 0; i < FATE_COUNT; i++)
        rest -= shares[i];
    return rest;
}

const char *day_outlet_name(enum day_outlet outlet)
{
    static const char *const names[OUTLET_COUNT] = {
#define X(name, text) text,
        DAY_OUTLET_LIST(X)
#undef X
    };
    return names[outlet];
}

#include "io/state/cases_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/case_image.h"
#include "routes/read/reading.h"
#include "routes/read/sent_time.h"

enum {
    CASES_LEAST = 16,
    MS_PER_S = 1000,
    NO_VALUE = RECORD_VALUES_MAX,
    KINDS = SLOT_COUNT - SLOT_FIELD_COUNT
};
static_assert(KINDS < 32, "a bit each");

/* What is read of a message before its entries are. */
struct message {
    const struct cases_view *view;
    const struct record *record;
    const struct record_value *values;
    uint16_t value_count, entry_count;
    uint16_t type, function, sent_at; /* values; NO_VALUE */
    bool has_keys;
};

/* ---- open and close ---- */

enum status cases_open(const struct options *options, const struct digest_secret *secret,
                       struct cases **out_cases)
{
    const struct case_table_settings settings = {
        .cases_max = (uint32_t)(options->cases < CASES_LEAST ? CASES_LEAST : options->cases),
        .span_ms = {[CASE_SPAN_SHORT] = options->case_span * MS_PER_S,
                    [CASE_SPAN_LONG] = options->handbook_span * MS_PER_S},
    };
    struct cases *cases = calloc(1, sizeof *cases);
    if (cases == NULL)
        return STATUS_NO_MEMORY;
    cases->secret = *secret;
    if (case_table_open(&settings, &cases->table) != STATUS_OK) {
        free(cases);
        return STATUS_NO_MEMORY;
    }
    *out_cases = cases;
    return STATUS_OK;
}

void cases_close(struct cases *cases)
{
    if (cases == NULL)
        return;
    cases_view_close(cases->view);
    case_table_close(cases->table);
    free(cases);
}

struct case_table *cases_table(struct cases *cases)
{
    return cases->table;
}

/* ---- views ---- */

void cases_set_view(struct cases *cases, struct cases_view *view)
{
    cases_view_close(cases->view);
    cases->view = view;
}

const struct cases_view *cases_current_view(const struct cases *cases)
{
    return cases->view;
}

/* Its numbers are those of the image then. */
enum status cases_restore(struct cases *cases, const void *image)
{
    struct cases_view *view;
    const struct generation *generation = cases->view->generation;
    enum status status = case_image_restore(cases->table, image);
    if (status == STATUS_OK)
        status = cases_view_open(cases, generation, &view);
    if (status == STATUS_OK)
        cases_set_view(cases, view);
    return status;
}

/* ---- a message ---- */

static bool read_message(struct cases *cases, const struct record *record,
                         struct message *out_message);
static void observe_entry(struct cases *cases, const struct message *message,
                          const struct life_message *life, uint16_t entry,
                          const struct case_observation *observation);

static struct bytes value_of(const struct message *message, uint16_t value)
{
    return value == NO_VALUE ? (struct bytes){0}
                             : record_value_bytes(message->record, &message->values[value]);
}

/* Its own time; when it came, where it says none, or one that is later. */
static uint64_t time_of(const struct message *message)
{
    uint64_t ms, came_ms = message->record->id.ms;
    return message->sent_at != NO_VALUE &&
                   sent_time_parse(value_of(message, message->sent_at), &ms) && ms < came_ms
               ? ms
               : came_ms;
}

static struct case_observation begin_observation(const struct message *message, uint64_t position)
{
    const struct cases_view *view = message->view;
    const struct record *record = message->record;
    const struct generation *generation = view->generation;
    struct case_observation observation = {
        .version = position + 1,
        .id = record->id,
        .heard_ms = record->id.ms,
        .time_ms = time_of(message),
        .flags = record->verdict == VERDICT_CONFLICT ? CASE_FLAG_CONFLICT : 0,
    };
    if (record->participant < generation->directory.count) {
        observation.participant = view->participants[record->participant];
        observation.roles = &view->roles[view->first_role[record->participant]];
        observation.role_count =
            generation->directory.participants[record->participant]->role_count;
    }
    if (record->profile < generation->profiles.count)
        observation.is_receipt = generation->profiles.profiles[record->profile]->receipt;
    observation.is_receipt |= bytes_equal_text(value_of(message, message->function), "response");
    return observation;
}

void cases_observe(struct cases *cases, const struct cases_view *view, const struct record *record,
                   uint64_t position)
{
    struct message message;
    if (record->cause != RECORD_MESSAGE || (record->head.flags & RECORD_COPIED) != 0 ||
        !read_message(cases, record, &message))
        return;
    const struct generation *generation = view->generation;
    message.view = view;
    struct case_observation observation = begin_observation(&message, position);
    struct life_message life = {
        .message_type = value_of(&message, message.type),
        .function = value_of(&message, message.function),
        .participant = record->participant < generation->directory.count
                           ? generation->directory.participants[record->participant]
                           : NULL,
        .is_open = generation->open,
    };
    if (record->profile < generation->profiles.count)
        life.profile = generation->profiles.profiles[record->profile]->name_bytes;
    cases->candidates = cases_view_choose(view, record->profile, &life);
    for (uint16_t entry = 0; entry <= message.entry_count; entry++)
        observe_entry(cases, &message, &life, entry, &observation);
}

/* False: it has no keys. A message that is its own one entry has all in entry 0. */
static bool read_message(struct cases *cases, const struct record *record,
                         struct message *out_message)
{
    struct message message = {
        .record = record,
        .values = record_values(record),
        .value_count = record->value_count,
        .entry_count = record->entry_count > 1 ? record->entry_count : 0,
        .type = NO_VALUE,
        .function = NO_VALUE,
        .sent_at = NO_VALUE,
    };
    if (message.entry_count > READING_ENTRIES_MAX)
        return false;
    for (uint16_t i = 0; i <= message.entry_count; i++)
        cases->first[i] = NO_VALUE;
    for (uint16_t i = message.value_count; i > 0; i--) {
        uint16_t at = (uint16_t)(i - 1),
                 entry = message.entry_count == 0 ? 0 : message.values[at].entry;
        if (entry > message.entry_count)
            return false;
        switch (message.values[at].slot) {
        case SLOT_MESSAGE_TYPE: message.type = at; continue;
        case SLOT_FUNCTION: message.function = at; continue;
        case SLOT_SENT_AT: message.sent_at = at; continue;
        default: break;
        }
        if (!slot_is_of_entry((enum slot)message.values[at].slot))
            continue;
        message.has_keys |= slot_is_key((enum slot)message.values[at].slot);
        cases->next[at] = cases->first[entry];
        cases->first[entry] = at;
    }
    *out_message = message;
    return message.has_keys;
}

/* ---- an entry ---- */

/* Which kinds of keys the entry has, a bit each, and of which it has several. */
struct kinds {
    uint32_t once, many;
};

static struct kinds find_kinds(const struct cases *cases, const struct message *message,
                               uint16_t entry)
{
    uint32_t seen = 0, many = 0;
    for (uint16_t at = cases->first[entry]; at != NO_VALUE; at = cases->next[at]) {
        enum slot slot = (enum slot)message->values[at].slot;
        if (!slot_is_key(slot))
            continue;
        uint32_t bit = UINT32_C(1) << (slot - SLOT_FIELD_COUNT);
        many |= seen & bit;
        seen |= bit;
    }
    return (struct kinds){seen & ~many, many};
}

#define KIND_BIT(name) (UINT32_C(1) << (SLOT_KEY_##name - SLOT_FIELD_COUNT))
static const uint32_t shared_kinds =
    KIND_BIT(BILL) | KIND_BIT(HANDBOOK) | KIND_BIT(CONTAINER) | KIND_BIT(VOYAGE);

struct digest cases_key_digest(const struct cases *cases, enum slot kind, struct bytes text)
{
    uint8_t whole[1 + READING_VALUE_BYTES_MAX + BYTES_PADDING];
    size_t size = text.size < READING_VALUE_BYTES_MAX ? text.size : READING_VALUE_BYTES_MAX;
    whole[0] = (uint8_t)(kind - SLOT_FIELD_COUNT);
    if (size > 0)
        memcpy(whole + 1, text.data, size);
    return digest_bytes(&cases->secret, bytes_make(whole, 1 + size));
}

static struct case_key_given make_key(const struct cases *cases, const struct message *message,
                                      uint16_t at)
{
    enum slot slot = (enum slot)message->values[at].slot;
    struct bytes text = value_of(message, at);
    return (struct case_key_given){cases_key_digest(cases, slot, text), text,
                                   (uint8_t)(slot - SLOT_FIELD_COUNT)};
}

/* True if a status, or that there is none, moves the case. */
static bool decide_by(const struct cases *cases, const struct message *message,
                      const struct life_message *life, struct bytes status,
                      struct case_observation *observation)
{
    const struct cases_view *view = message->view;
    uint8_t state;
    struct bytes role;
    switch (life_cycle_decide(view->generation->life_cycle, cases->candidates, life, status, &state,
                              &role)) {
    case LIFE_MOVES: break;
    case LIFE_NOT_ENTITLED: observation->flags |= CASE_FLAG_NOT_ENTITLED; return false;
    default: return false;
    }
    observation->move = (struct case_move){.time_ms = observation->time_ms,
                                           .id = observation->id,
                                           .from = view->from[state],
                                           .role = case_table_find_name(cases->table, role),
                                           .to = view->states[state]};
    observation->flags &= (uint8_t)~CASE_FLAG_NOT_ENTITLED;
    return true;
}

/* The first of the entry's statuses that moves its case does; of an entry without any, the first of
 * the message. */
static void decide(const struct cases *cases, const struct message *message,
                   const struct life_message *life, uint16_t entry,
                   struct case_observation *observation)
{
    bool moves = false;
    for (uint16_t pass = 0; pass < 2 && observation->status.size == 0; pass++)
        for (uint16_t at = cases->first[pass == 0 ? entry : 0]; at != NO_VALUE && !moves;
             at = cases->next[at]) {
            if (message->values[at].slot != SLOT_STATUS)
                continue;
            struct bytes status = value_of(message, at);
            if (observation->status.size == 0)
                observation->status = status;
            moves = decide_by(cases, message, life, status, observation);
        }
    if (observation->status.size == 0)
        (void)decide_by(cases, message, life, (struct bytes){0}, observation);
}

/* Of a kind that the entry has, but for those that come several times. */
static void observe_joined(struct cases *cases, const struct message *message, uint16_t entry,
                           uint32_t kinds, const struct case_observation *observation)
{
    struct case_key_given keys[KINDS];
    uint32_t count = 0;
    for (uint16_t at = cases->first[entry]; at != NO_VALUE; at = cases->next[at]) {
        enum slot slot = (enum slot)message->values[at].slot;
        if (slot_is_key(slot) && (kinds >> (slot - SLOT_FIELD_COUNT) & 1) != 0)
            keys[count++] = make_key(cases, message, at);
    }
    (void)case_table_observe(cases->table, keys, count, observation);
}

static void observe_alone(struct cases *cases, const struct message *message, uint16_t entry,
                          uint32_t kinds, struct case_observation *observation)
{
    if ((kinds & KIND_BIT(HANDBOOK)) != 0)
        observation->span = CASE_SPAN_LONG;
    for (uint16_t at = cases->first[entry]; at != NO_VALUE; at = cases->next[at]) {
        enum slot slot = (enum slot)message->values[at].slot;
        if (!slot_is_key(slot) || (kinds >> (slot - SLOT_FIELD_COUNT) & 1) == 0)
            continue;
        struct case_key_given key = make_key(cases, message, at);
        (void)case_table_observe(cases->table, &key, 1, observation);
    }
}

static void observe_entry(struct cases *cases, const struct message *message,
                          const struct life_message *life, uint16_t entry,
                          const struct case_observation *observation)
{
    struct kinds kinds = find_kinds(cases, message, entry);
    uint32_t all = kinds.once | kinds.many, joined = kinds.once & ~shared_kinds;
    uint32_t alone = kinds.many & ~shared_kinds;
    if (all == 0)
        return;
    if ((joined | alone) == 0)
        alone = all & -all; /* the first of bill, handbook, container, voyage */
    struct case_observation of_entry = *observation;
    of_entry.entry = entry;
    decide(cases, message, life, entry, &of_entry);
    if (joined != 0)
        observe_joined(cases, message, entry, joined, &of_entry);
    if (alone != 0)
        observe_alone(cases, message, entry, alone, &of_entry);
}

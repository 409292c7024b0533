/* A record: one accepted message as it lies in the journal, in memory and on disk alike,
 * self-contained but for its generation.
 *
 *   struct record | destinations u16[] | rules u32[] | values record_value[] | envelope | body |
 * text
 *
 * padded to RECORD_ALIGNMENT. A message that came as one of several in an interchange has the
 * interchange's head (UNA, UNB, UNG) for an envelope; all others have none. Text is what a value
 * needed decoded; a value's offset counts from the body's first byte, so it lies in the body or,
 * past it, in the text. All other records are facts (core/fact.h); they begin alike. */
#ifndef KOUAN_CORE_RECORD_H
#define KOUAN_CORE_RECORD_H

#include "core/destination_set.h"
#include <assert.h>

#include "core/digest.h"
#include "core/window.h"

enum {
    RECORD_ALIGNMENT = 8,
    RECORD_BYTES_MAX = 1 << 30,
    RECORD_HELD = 0x8000, /* in a destination: held there, not delivered */
    RECORD_RULES_MAX = 16,
    RECORD_VALUES_MAX = 8192
};

/* `<ms>-<seq>`: seq is a counter within the millisecond << 8 | the number of the log. */
struct record_id {
    uint64_t ms, seq;
};

static inline int record_id_compare(struct record_id a, struct record_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

/* The next possible id; the largest has none, and is its own. */
static inline struct record_id record_id_after(struct record_id id)
{
    if (id.seq < UINT64_MAX)
        return (struct record_id){id.ms, id.seq + 1};
    return id.ms < UINT64_MAX ? (struct record_id){id.ms + 1, 0} : id;
}

/* The one before; 0-0 has none, and is its own. */
static inline struct record_id record_id_before(struct record_id id)
{
    if (id.seq > 0)
        return (struct record_id){id.ms, id.seq - 1};
    return id.ms > 0 ? (struct record_id){id.ms - 1, UINT64_MAX} : id;
}

struct record_value {
    uint32_t offset;
    uint16_t size;
    uint16_t entry;
    uint16_t slot; /* enum slot of routes/field.h */
    uint16_t reserved;
};

/* Why a record exists. */
enum record_cause {
    RECORD_MESSAGE,
    RECORD_RELEASED,
    RECORD_DEAD_LETTER,
    RECORD_REROUTED, /* decided once more, by a later generation */
    RECORD_CAUSE_COUNT
};
const char *record_cause_name(enum record_cause cause);

enum record_kind {
    RECORD_KIND_MESSAGE = 1, /* struct record */
    RECORD_KIND_GENERATION,  /* and the rest: core/fact.h */
    RECORD_KIND_GROUP,
    RECORD_KIND_SETTLED,
    RECORD_KIND_HOLD_END,
    RECORD_KIND_INTAKE,
    RECORD_KIND_OUTLET,
    RECORD_KIND_END
};

enum { RECORD_COPIED = 1 /* flag: copied forward from a segment that was to go */ };

/* How every record in the journal begins. */
struct record_head {
    uint32_t size_bytes; /* of all of it, padding included: a multiple of RECORD_ALIGNMENT */
    uint8_t kind;        /* enum record_kind */
    uint8_t flags;
    uint16_t period; /* of a message: of its generation's rules, when it was decided; else 0 */
};

struct record {
    struct record_head head; /* RECORD_KIND_MESSAGE */
    struct record_id id;
    struct record_id origin; /* of the record that this one repeats; rerouted: of the first one */
    struct digest identity;
    uint64_t generation;
    uint32_t envelope_bytes, body_bytes, text_bytes;
    uint16_t value_count, entry_count;
    uint16_t participant, channel, profile; /* indices in the generation */
    uint16_t destination_count, rule_count;
    uint8_t verdict;                  /* enum verdict */
    uint8_t cause;                    /* enum record_cause */
    uint16_t part_number, part_count; /* in its interchange; 1 of 1: came by itself */
};

static_assert(sizeof(struct record) == 96, "the header has no padding");
static_assert(sizeof(struct record) % RECORD_ALIGNMENT == 0, "what follows stays aligned");

/* The whole size of a record with these parts; `whole_bytes` are those of envelope and body. */
uint32_t record_size(uint32_t destination_count, uint32_t rule_count, uint32_t value_count,
                     uint32_t whole_bytes, uint32_t text_bytes);

/* Do rules send it to its destinations? Else Kouan does: released, or a dead letter. */
static inline bool record_is_decided(const struct record *record)
{
    return record->cause == RECORD_MESSAGE || record->cause == RECORD_REROUTED;
}

/* Destinations are 2 bytes each; the rules after them want 4. */
static inline size_t record_destinations_bytes(uint32_t count)
{
    return (count * sizeof(uint16_t) + 3) & ~(size_t)3;
}

static inline size_t record_whole_offset(uint32_t destination_count, uint32_t rule_count,
                                         uint32_t value_count)
{
    return sizeof(struct record) + record_destinations_bytes(destination_count) +
           rule_count * sizeof(uint32_t) + value_count * sizeof(struct record_value);
}

static inline uint8_t *record_at(const struct record *record, size_t offset)
{
    return (uint8_t *)(uintptr_t)record + offset;
}

static inline uint16_t *record_destinations(const struct record *record)
{
    return (uint16_t *)(uintptr_t)(record + 1);
}

/* Each: table << 24 | index of the rule in its table. */
static inline uint32_t *record_rules(const struct record *record)
{
    return (uint32_t *)(void *)record_at(record,
                                         record_whole_offset(record->destination_count, 0, 0));
}

static inline struct record_value *record_values(const struct record *record)
{
    return (struct record_value *)(void *)record_at(
        record, record_whole_offset(record->destination_count, record->rule_count, 0));
}

/* Envelope and body: what a replay must repeat byte for byte. */
static inline struct bytes record_whole(const struct record *record)
{
    size_t offset =
        record_whole_offset(record->destination_count, record->rule_count, record->value_count);
    return bytes_make(record_at(record, offset),
                      (size_t)record->envelope_bytes + record->body_bytes);
}

static inline struct bytes record_envelope(const struct record *record)
{
    return bytes_slice(record_whole(record), 0, record->envelope_bytes);
}

static inline struct bytes record_body(const struct record *record)
{
    return bytes_make(record_whole(record).data + record->envelope_bytes, record->body_bytes);
}

static inline struct bytes record_text(const struct record *record)
{
    struct bytes body = record_body(record);
    return bytes_make(body.data + body.size, record->text_bytes);
}

static inline struct bytes record_value_bytes(const struct record *record,
                                              const struct record_value *value)
{
    return bytes_make(record_body(record).data + value->offset, value->size);
}

#endif

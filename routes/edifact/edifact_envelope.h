/* The envelope of a UN/EDIFACT body, walked segment by segment: which segments are there, and
 * whether each is one that its place waits for. Internal to this folder.
 *
 *   UNA  UNB  [UNG]  UNH ... UNT  [UNE]  [UNZ]          UNA  UNH ... UNT
 *
 * Only the body's end stands for a UNZ (and a UNE) that is not there. Behind a message there may be
 * packages (UNO, an object, UNP), and a group may be empty. The walk of one message refuses a
 * second one where it begins; that of many goes on to the body's end, through whatever interchanges
 * are there. */
#ifndef KOUAN_ROUTES_EDIFACT_ENVELOPE_H
#define KOUAN_ROUTES_EDIFACT_ENVELOPE_H

#include "routes/edifact/edifact_walk.h"
#include "routes/scan/plan_index.h"

/* A tag as `plan_tag` gives it. */
#define EDIFACT_TAG(a, b, c) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16)

enum {
    EDIFACT_UNA = EDIFACT_TAG('U', 'N', 'A'),
    EDIFACT_UNB = EDIFACT_TAG('U', 'N', 'B'),
    EDIFACT_UNE = EDIFACT_TAG('U', 'N', 'E'),
    EDIFACT_UNG = EDIFACT_TAG('U', 'N', 'G'),
    EDIFACT_UNH = EDIFACT_TAG('U', 'N', 'H'),
    EDIFACT_UNO = EDIFACT_TAG('U', 'N', 'O'),
    EDIFACT_UNP = EDIFACT_TAG('U', 'N', 'P'),
    EDIFACT_UNS = EDIFACT_TAG('U', 'N', 'S'),
    EDIFACT_UNT = EDIFACT_TAG('U', 'N', 'T'),
    EDIFACT_UNZ = EDIFACT_TAG('U', 'N', 'Z'),
    EDIFACT_UIB = EDIFACT_TAG('U', 'I', 'B')
};

/* Where in the envelope the walk is, and what it waits for there. */
#define EDIFACT_PLACE_LIST(X)                                                                      \
    X(BEFORE, "expected UNB or UNH")                                                               \
    X(INTERCHANGE, "expected UNG or UNH")                                                          \
    X(GROUP, "expected UNH")                                                                       \
    X(GROUP_AGAIN, "expected UNH or UNE")                                                          \
    X(BARE_MESSAGE, "expected UNT")                                                                \
    X(MESSAGE, "expected UNT")                                                                     \
    X(GROUP_MESSAGE, "expected UNT")                                                               \
    X(AFTER_GROUP_MESSAGE, "expected UNE")                                                         \
    X(AFTER_MESSAGE, "expected UNZ")                                                               \
    X(AFTER_GROUP, "expected UNZ")                                                                 \
    X(AFTER_BARE_MESSAGE, "the message has ended")                                                 \
    X(END, "the interchange has ended")

enum edifact_place {
#define X(name, text) EDIFACT_PLACE_##name,
    EDIFACT_PLACE_LIST(X)
#undef X
        EDIFACT_PLACE_COUNT
};

/* A stretch of the body, from its first byte to behind its last. */
struct edifact_span {
    uint32_t start, end;
};

enum { EDIFACT_SPANS_MAX = 5 };

struct edifact_envelope {
    struct bytes body;
    struct edifact_syntax syntax;
    struct edifact_index index;
    struct edifact_span advice; /* of the UNA in force; empty if none */
    bool many;                  /* goes on to further messages */
    bool unsure;                /* the first segment may show other characters than the default */
    uint32_t tag, start;        /* of the segment */
    uint32_t end;               /* behind its terminator */
    uint32_t number;            /* of the segment, from 1 */
    enum edifact_place place;   /* behind the segment */
    uint32_t next;              /* where the next segment is looked for */
    uint32_t object_end;        /* behind the object of the last UNO, where its UNP stands; or 0 */

    /* What is walked: the body, or the segments of one part. */
    struct edifact_span spans[EDIFACT_SPANS_MAX];
    uint32_t span_count, span;
    uint32_t limit; /* the end of the span */
};

/* Of a whole body: one message, or `many`. */
MUST_CHECK enum status edifact_envelope_open(struct edifact_envelope *envelope, struct bytes body,
                                             bool many, struct scan_fault *out_fault);

/* Of one message of a body, as if its envelope were around it alone. */
void edifact_envelope_open_part(struct edifact_envelope *envelope, struct bytes body,
                                const struct edifact_part *part);

/* The two steps below, where they are not what they mostly are. */
MUST_CHECK enum status edifact_envelope_step(struct edifact_envelope *envelope, bool *out_found,
                                             struct scan_fault *out_fault);
MUST_CHECK enum status edifact_envelope_close(struct edifact_envelope *envelope,
                                              struct edifact_elements *elements, uint32_t end,
                                              struct scan_fault *out_fault);

enum { EDIFACT_LETTER = 1, EDIFACT_LETTER_OR_DIGIT = 2, EDIFACT_BLANK = 4 };

/* What of the above each byte is. */
extern const uint8_t edifact_byte_classes[256];

/* A tag is a letter and two letters or digits. */
static inline bool edifact_is_tag(const uint8_t *tag)
{
    return (edifact_byte_classes[tag[0]] & EDIFACT_LETTER) != 0 &&
           (edifact_byte_classes[tag[1]] & edifact_byte_classes[tag[2]] &
            EDIFACT_LETTER_OR_DIGIT) != 0;
}

/* What may stand behind a tag. A component separator begins the explicit indication of nesting. */
static inline bool edifact_ends_tag(const struct edifact_syntax *syntax, uint8_t byte)
{
    return byte == syntax->element || byte == syntax->terminator || byte == syntax->component;
}

static inline bool edifact_is_within_message(enum edifact_place place)
{
    return place >= EDIFACT_PLACE_BARE_MESSAGE && place <= EDIFACT_PLACE_GROUP_MESSAGE;
}

/* Behind a whole message of an interchange that is still open. A body may end there: not all
 * senders write a UNZ. */
static inline bool edifact_lacks_interchange_end(enum edifact_place place)
{
    return place >= EDIFACT_PLACE_AFTER_GROUP_MESSAGE && place <= EDIFACT_PLACE_AFTER_GROUP;
}

/* A plain segment of a message: not one of the envelope, or UNS. */
static inline bool edifact_is_plain(uint32_t tag)
{
    return (tag & 0xFFFF) != ('U' | 'N' << 8) || tag == EDIFACT_UNS;
}

/* Finds the next segment and its place in the envelope. Nothing is found where the body ends as it
 * should. */
MUST_CHECK static inline enum status edifact_envelope_next(struct edifact_envelope *envelope,
                                                           bool *out_found,
                                                           struct scan_fault *out_fault)
{
    uint32_t at = envelope->next, limit = envelope->limit;
    const uint8_t *data = envelope->body.data;
    while (at < limit && edifact_is_blank(data[at]))
        at++;
    envelope->next = at;
    const uint8_t *tag = data + at; /* what lies past the body's end is readable */
    uint32_t number = plan_load_tag(tag);
    if (limit - at < 4 || !edifact_is_within_message(envelope->place) ||
        !edifact_is_plain(number) || !edifact_is_tag(tag) ||
        !edifact_ends_tag(&envelope->syntax, tag[3]))
        return edifact_envelope_step(envelope, out_found, out_fault);
    envelope->start = at;
    envelope->tag = number;
    envelope->number++;
    *out_found = true;
    return STATUS_OK;
}

/* Goes to the end of the segment; also finds its elements unless `elements` is NULL. Behind UNO,
 * the next segment is looked for where UNP must stand. */
MUST_CHECK static inline enum status edifact_envelope_end(struct edifact_envelope *envelope,
                                                          struct edifact_elements *elements,
                                                          struct scan_fault *out_fault)
{
    uint32_t from = envelope->start + 3;
    struct bytes walked = bytes_make(envelope->body.data, envelope->limit);
    uint32_t end = edifact_walk_terminator(&envelope->index, walked, from);
    if (end >= envelope->limit || !edifact_is_plain(envelope->tag))
        return edifact_envelope_close(envelope, elements, end, out_fault);
    if (elements != NULL)
        edifact_walk_split(&envelope->index, envelope->body, from, end, elements);
    envelope->end = envelope->next = end + 1;
    return STATUS_OK;
}

/* The segment whose end was found, with its terminator. */
static inline struct bytes edifact_envelope_segment(const struct edifact_envelope *envelope)
{
    return bytes_make(envelope->body.data + envelope->start, envelope->end - envelope->start);
}

#endif

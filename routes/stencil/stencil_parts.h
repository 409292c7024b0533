/* What the parts of stencils share: finding (stencil.c, stencil_walk.c), learning (stencil_learn.c)
 * and cutting a body (stencil_cut*.c), and what may stand in a hole (stencil_hole.c). Only these
 * include this.
 *
 * Stencils that begin alike share their beginning. An edge is a text and the hole behind it; what
 * may follow a hole are its children, the one that was needed last first. A walk over them takes
 * the first that fits. That may be the wrong one of two, and lead nowhere; but where it leads, all
 * is right. */
#ifndef KOUAN_ROUTES_STENCIL_PARTS_H
#define KOUAN_ROUTES_STENCIL_PARTS_H

#include <stdalign.h>

#include "routes/scan/find_bytes.h"
#include "routes/stencil/stencil.h"

enum {
    STENCILS_MAX = 1024,
    EDGES_MAX = 16 * 1024,
    EDGE_SIBLINGS_MAX = 64, /* for one more, that which was needed least lately is forgotten */
    CONSTANTS_MAX = 4 * 1024,
    EDGE_TEXT_BYTES = 1024 * 1024,
    STEPS_MAX = 32 * 1024,
    GATES_MAX = 8, /* different permissions at once */
    GATE_WORDS = PROFILES_MAX / 64
};

/* Learning a message costs credit, which messages earn: one that fits a stencil more than another.
 * Saved up is at most what so many cost. */
enum { LEARN_COSTS = 256, LEARN_EARNED_BY_FIT = 4, LEARN_SAVED_MAX = 512 };

/* What stands in a hole, checked as the scanners check it. If the hole is tapped, it must also read
 * as it is written: without escapes, references and line ends that stand for others. */
enum stencil_hole {
    HOLE_END,         /* no hole: the body ends with the text */
    HOLE_JSON_TEXT,   /* to `"` */
    HOLE_JSON_NUMBER, /* without exponent */
    HOLE_XML_TEXT,    /* to `<` */
    HOLE_XML_VALUE,   /* an attribute's, to `"` */
    HOLE_XML_CDATA,   /* to `]]>` */
    HOLE_EDIFACT      /* a component, to `+`, `:` or `'`: ASCII without releases */
};

/* Of each hole: a byte ends a plain value if what these say of its halves has a bit in common. Bits
 * 0 and 1 are for control characters and bytes from 0x80 on, further ones for what else ends it. */
struct stencil_plain_end {
    alignas(64) uint8_t low[16];
    uint8_t high[16];
    uint8_t good; /* after this, more need not be asked; 0: there is none */
};

extern const struct stencil_plain_end stencil_plain_ends[];

/* Where a captured value stands among the captures, and in the plan. */
struct stencil_place {
    uint16_t tap, entry;
    uint32_t instance;
    uint16_t number;
};

/* A value that is captured of a text: it is always the same. Of a hole, only the place counts. */
struct stencil_constant {
    uint32_t offset, size;
    struct stencil_place place;
};

/* One cache line, so that a walk loads one a hole. */
struct stencil_edge {
    alignas(64) const uint8_t *text;
    uint32_t text_size;
    uint8_t hole;      /* enum stencil_hole */
    uint8_t tap_count; /* of the hole: an EDIFACT component may have several */
    uint16_t constant_count;
    const struct stencil_constant *constants; /* of the text; behind them, further taps; or NULL */
    struct stencil_place place;               /* of the hole's first tap */
    uint32_t beginning;                       /* a bit for each byte of the text, of the first 32 */
    const struct stencil_plain_end *plain_end; /* NULL for HOLE_END, HOLE_JSON_NUMBER */
    struct stencil_edge *next;                 /* sibling; NULL */
    union {
        struct stencil_edge *child;
        const struct stencil *stencil; /* for HOLE_END */
    };
};

static_assert(sizeof(struct stencil_edge) == 64, "an edge is a cache line");

/* The stencils of bodies that came under the same permissions. */
struct stencil_gate {
    uint64_t allowed[GATE_WORDS];
    struct stencil_edge *first;
};

/* Where a hole is in a body. */
struct stencil_cut {
    uint32_t offset, size;
    uint8_t hole; /* enum stencil_hole */
};

struct stencils {
    uint64_t set_hash;
    struct stencil_gate gates[GATES_MAX];
    uint32_t gate_count;
    struct stencil items[STENCILS_MAX];
    uint32_t item_count;
    struct stencil_edge edges[EDGES_MAX];
    uint32_t edge_count;
    struct stencil_constant constants[CONSTANTS_MAX];
    uint32_t constant_count;
    struct extract_step steps[STEPS_MAX];
    uint32_t step_count;
    uint32_t text_size;
    uint32_t credit;                            /* for learning */
    struct stencil_cut cuts[STENCIL_HOLES_MAX]; /* of the body that is learnt */
    uint16_t order[SCAN_CAPTURES_MAX];          /* its captures, as they stand in it */
    uint8_t text[EDGE_TEXT_BYTES + BYTES_PADDING];
};

/* Forgets all that was learnt, and not what it has cost. */
void stencils_empty(struct stencils *stencils);

/* The gate of these permissions; NULL if there is none. */
struct stencil_gate *stencil_gate_find(struct stencils *stencils, const struct profile_set *set,
                                       const uint64_t *allowed);

/* The stencil of those from `*first` on that a whole body fits, and its captures, but for their
 * offsets; NULL if there is none. */
typedef const struct stencil *stencil_walk_way(struct stencil_edge **first, struct bytes body,
                                               struct capture *out_captures);
stencil_walk_way stencil_walk;

/* The ways to walk that this machine can go, for tests. All can go the first. */
enum { STENCIL_WAYS_MAX = 2 };
size_t stencil_walk_ways(stencil_walk_way *out_ways[STENCIL_WAYS_MAX]);

/* The rest of a value that is no plain ASCII text, from where it ceases to be. */
const uint8_t *stencil_pass_json(bool tapped, const uint8_t *at, const uint8_t *end);
const uint8_t *stencil_pass_number(const uint8_t *at, const uint8_t *end);
const uint8_t *stencil_pass_xml(enum stencil_hole hole, bool tapped, const uint8_t *at,
                                const uint8_t *end);

static inline struct find_set stencil_stops(enum stencil_hole hole)
{
    switch (hole) {
    case HOLE_XML_TEXT: return (struct find_set){'<', '&', ']'};
    case HOLE_XML_VALUE: return (struct find_set){'"', '&', '<'};
    case HOLE_XML_CDATA: return (struct find_set){']', ']', ']'};
    default: return (struct find_set){'"', '\\', '\\'};
    }
}

/* Where a text ends whose plain beginning ends at `at`; NULL if it is none. */
static inline const uint8_t *stencil_text_end(enum stencil_hole hole, bool tapped,
                                              const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == stencil_stops(hole).a && hole != HOLE_XML_CDATA)
        return at;
    return hole == HOLE_JSON_TEXT ? stencil_pass_json(tapped, at, end)
                                  : stencil_pass_xml(hole, tapped, at, end);
}

/* Where the value that stands in a hole from `at` on ends, before `end`; NULL if it is not one. Of
 * EDIFACT, it may also be one that is only the beginning of something else, behind which the next
 * text does not stand. There, a `"` may be a terminator, by which lines end where there is no UNA.
 */
static inline __attribute__((always_inline)) const uint8_t *
stencil_hole_end(uint8_t hole, bool tapped, const uint8_t *at, const uint8_t *end)
{
    struct find_set stops = stencil_stops((enum stencil_hole)hole);
    switch (hole) {
    case HOLE_JSON_NUMBER: return stencil_pass_number(at, end);
    case HOLE_EDIFACT: return find_component_stop(at, end, stops);
    case HOLE_JSON_TEXT: /* as below, by stops that the compiler knows */
        at = find_plain_stop(at, end, stencil_stops(HOLE_JSON_TEXT));
        return stencil_text_end(HOLE_JSON_TEXT, tapped, at, end);
    default:
        at = find_plain_stop(at, end, stops);
        return stencil_text_end((enum stencil_hole)hole, tapped, at, end);
    }
}

static inline bool stencil_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* True for what stands in a hole and can be captured as it stands. */
static inline bool stencil_is_value(const uint8_t *at, const uint8_t *end)
{
    return at < end && end - at <= READING_VALUE_BYTES_MAX && *at > ' ' && end[-1] > ' ';
}

/* Cuts the holes of one body, one after the other. */
struct stencil_cutter {
    const uint8_t *begin, *end;
    uint32_t from; /* no hole begins before */
    struct stencil_cut *cuts;
    uint32_t count;
};

static inline struct stencil_cutter stencil_cutter_of(struct bytes body, uint32_t from,
                                                      struct stencil_cut *cuts)
{
    return (struct stencil_cutter){body.data, body.data + body.size, from, cuts, 0};
}

static inline const uint8_t *stencil_pass_blanks(const uint8_t *at, const uint8_t *end)
{
    while (at < end && stencil_is_blank(*at))
        at++;
    return at;
}

/* True for a value of blanks, also of such as stand there by escapes and references. */
bool stencil_reads_blank(enum stencil_hole hole, const uint8_t *at, const uint8_t *end);

/* What is no value for the hole stays text; so does a blank one, since where it stands nothing is
 * captured. False if there are too many holes. */
static inline bool stencil_cut_hole(struct stencil_cutter *cutter, enum stencil_hole hole,
                                    const uint8_t *at, const uint8_t *end)
{
    uint32_t offset = (uint32_t)(at - cutter->begin);
    if (offset < cutter->from || stencil_reads_blank(hole, at, end) ||
        stencil_hole_end((uint8_t)hole, false, at, cutter->end) != end)
        return true;
    if (cutter->count == STENCIL_HOLES_MAX)
        return false;
    cutter->cuts[cutter->count++] =
        (struct stencil_cut){offset, (uint32_t)(end - at), (uint8_t)hole};
    return true;
}

/* The holes of a well-formed body, none of which begins before `from`; false if it is of no form
 * that can be cut, or has too many. JSON: the values of members by whose values recognition goes
 * are no holes. */
bool stencil_cut_json(const struct profile_set *set, struct bytes body, uint32_t from,
                      struct stencil_cut *out_cuts, uint32_t *out_count);
bool stencil_cut_xml(struct bytes body, uint32_t from, struct stencil_cut *out_cuts,
                     uint32_t *out_count);
/* What decides which rows of the plan hold, and how the envelope reads, is no hole. */
bool stencil_cut_edifact(const struct plan *plan, struct bytes body, uint32_t from,
                         struct stencil_cut *out_cuts, uint32_t *out_count);

#endif

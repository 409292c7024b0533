/* How a walk finds its way through a plan without comparing text by text: the children of all nodes
 * of a tree plan in one hash table by parent and name, and the rows of an EDIFACT plan by tag.
 * Built once, when the plan is complete; then immutable. */
#ifndef KOUAN_ROUTES_PLAN_INDEX_H
#define KOUAN_ROUTES_PLAN_INDEX_H

#include <endian.h>

#include "routes/scan/scan.h"

enum { PLAN_NODE_ROOT = 0, PLAN_NODE_ANYWHERE = 1, PLAN_NODE_NONE = 0xFFFF };

enum {
    PLAN_TAG_MAX = 0xFFFFFF, /* of a tag as a number */
    PLAN_TAG_BITS = 9,       /* of a table that is at most half full */
    PLAN_TAG_SLOTS = 1 << PLAN_TAG_BITS
};

enum { PLAN_ROW_BITS = 32, PLAN_ROW_KEYS = 64 };

/* Which rows of a tag a segment can be for, by the first two bytes of its first element: of byte b,
 * that of key b % PLAN_ROW_KEYS. Bit i stands for row i of the tag, and all that are a multiple of
 * PLAN_ROW_BITS behind it. A row whose qualifier does not stand there is in every set. */
struct plan_row_sets {
    uint32_t first[PLAN_ROW_KEYS], second[PLAN_ROW_KEYS];
};

/* Those of plan->components that tap segments of one tag. */
struct plan_rows {
    uint32_t tag;
    uint16_t first, end;              /* the same if there are none */
    const struct plan_row_sets *sets; /* NULL: no row has its qualifier in the first component of
                                         the first element */
};

/* The first 8 bytes of a text, and which bits of them it has. */
struct plan_beginning {
    uint64_t word, mask;
};

/* A name below a node as three numbers. They tell names of up to PLAN_KEY_NAME_BYTES apart, and
 * most longer ones. */
enum { PLAN_KEY_NAME_BYTES = 16 };

struct plan_key {
    uint64_t head, tail; /* the first and the last 8 bytes; of a shorter name, all of it and 0 */
    uint64_t place;      /* its size, the node above it, and whether it is an attribute's */
};

struct plan_child {
    struct plan_key key;
    uint16_t node; /* PLAN_NODE_NONE: a free slot */
};

struct plan_index {
    unsigned shift;                        /* of a hash, to a slot */
    uint32_t mask;                         /* of slots */
    struct plan_child *children;           /* at most a quarter full, so that a search is short */
    uint64_t *filters;                     /* of each node, the bits of its children's names */
    struct plan_rows rows[PLAN_TAG_SLOTS]; /* by tag; a free slot has none */
    struct plan_beginning *beginnings;     /* of the rows' qualifiers */
};

/* Gives the plan its index, in the arena. Nodes and components stay as they are from here on. */
void plan_index_build(struct arena *arena, struct plan *plan);

static inline uint64_t plan_load_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

/* Reads 8 bytes from `name.data` on, even of a shorter name. */
static inline struct plan_key plan_key_of(uint16_t parent, struct bytes name, bool attribute)
{
    struct plan_key key = {.head = plan_load_word(name.data)};
    if (name.size < sizeof key.head)
        key.head &= (UINT64_C(1) << 8 * name.size) - 1;
    else
        key.tail = plan_load_word(name.data + name.size - sizeof key.tail);
    key.place = (uint64_t)name.size << 32 | (uint64_t)parent << 1 | attribute;
    return key;
}

static inline uint32_t plan_index_slot(const struct plan_index *index, struct plan_key key)
{
    uint64_t sum = key.head + (key.tail << 9 | key.tail >> 55) + key.place;
    return (uint32_t)(sum * UINT64_C(0x9E3779B97F4A7C15) >> index->shift);
}

/* One of 64 bits that most names which are not a node's child's can be told by. */
static inline uint64_t plan_filter_bit(struct bytes name)
{
    if (name.size == 0)
        return 1;
    unsigned first = name.data[0], last = name.data[name.size - 1];
    return UINT64_C(1) << (first + 5 * last + 3 * (unsigned)name.size) % 64;
}

/* The child element, member or attribute of `parent` that has this name, or PLAN_NODE_NONE. */
static inline uint16_t plan_index_find(const struct plan *plan, uint16_t parent, struct bytes name,
                                       bool attribute)
{
    const struct plan_index *index = plan->index;
    if ((index->filters[parent] & plan_filter_bit(name)) == 0)
        return PLAN_NODE_NONE; /* as most are */
    struct plan_key key = plan_key_of(parent, name, attribute);
    for (uint32_t slot = plan_index_slot(index, key);; slot = (slot + 1) & index->mask) {
        const struct plan_child *child = &index->children[slot];
        if (child->key.head == key.head && child->key.tail == key.tail &&
            child->key.place == key.place &&
            (name.size <= PLAN_KEY_NAME_BYTES || bytes_equal(plan->nodes[child->node].name, name)))
            return child->node;
        if (child->node == PLAN_NODE_NONE)
            return PLAN_NODE_NONE;
    }
}

/* A tag as a number: its first character is the lowest byte. */
static inline uint32_t plan_tag(const uint8_t *tag)
{
    return tag[0] | (uint32_t)tag[1] << 8 | (uint32_t)tag[2] << 16;
}

/* The same with a fourth byte, above it. */
static inline uint32_t plan_load_tag_and_next(const uint8_t *tag)
{
    uint32_t word;
    memcpy(&word, tag, sizeof word);
    return le32toh(word);
}

/* The same where a fourth byte can be read. */
static inline uint32_t plan_load_tag(const uint8_t *tag)
{
    return plan_load_tag_and_next(tag) & PLAN_TAG_MAX;
}

static inline uint32_t plan_tag_slot(uint32_t tag)
{
    return (tag * UINT32_C(0x9E3779B1)) >> (32 - PLAN_TAG_BITS);
}

static inline bool plan_begins(struct plan_beginning beginning, uint64_t word)
{
    return ((word ^ beginning.word) & beginning.mask) == 0;
}

/* All rows of a tag as a set. */
static inline uint32_t plan_rows_all(const struct plan_rows *rows)
{
    uint32_t count = (uint32_t)rows->end - rows->first;
    return count < PLAN_ROW_BITS ? (UINT32_C(1) << count) - 1 : UINT32_MAX;
}

/* Those of a tag which has sets that may have for their own the qualifier at `at`, before which no
 * blank stands and in which nothing is released. Reads two bytes, even of a shorter one. */
static inline uint32_t plan_rows_for(const struct plan_rows *rows, const uint8_t *at)
{
    const struct plan_row_sets *sets = rows->sets;
    return sets->first[at[0] % PLAN_ROW_KEYS] & sets->second[at[1] % PLAN_ROW_KEYS];
}

/* The rows that tap segments of this tag; `end` is 0 if there are none. */
static inline const struct plan_rows *plan_index_rows(const struct plan_index *index, uint32_t tag)
{
    const struct plan_rows *rows = &index->rows[plan_tag_slot(tag)];
    while (rows->tag != tag && rows->end != 0)
        rows = rows + 1 < index->rows + PLAN_TAG_SLOTS ? rows + 1 : index->rows;
    return rows;
}

#endif

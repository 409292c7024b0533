/* The first half of reading XML: where the bytes stand that may matter, 64 bytes at a time, one
 * short window of the body after the other. The walk then goes from stop to stop, and takes the
 * end of a name from the bits, without a search. A stop is a `<`, `&` or `]`, or a control
 * character other than TAB, LF and CR: what lies between two stops is plain text or the inside of a
 * tag.
 *
 * One way of marking for each kind of machine; all of them give the same bits. The body has
 * BYTES_PADDING readable bytes past its end; what they hold makes no difference. */
#ifndef KOUAN_ROUTES_XML_INDEX_H
#define KOUAN_ROUTES_XML_INDEX_H

#include <endian.h>

#include "core/bytes.h"

enum {
    XML_BLOCK_BYTES = 64,
    XML_WINDOW_BLOCKS = 32,
    XML_WINDOW_BYTES = XML_WINDOW_BLOCKS * XML_BLOCK_BYTES,
    XML_STOPS_SPARE = 4 /* written to, past the last */
};

/* Bit i of a word stands for byte i of its block. */
struct xml_indexer {
    const char *name;
    /* Marks `count` whole blocks from `data` on: the stops of all blocks, as their distances from
     * `data`, and for each block the bytes that no name has (below 0x80, and no letter, digit, dot,
     * hyphen or underscore). Returns the number of stops. */
    uint32_t (*mark)(const uint8_t *data, uint32_t count, uint32_t *out_stops,
                     uint64_t *out_name_ends);
};

struct xml_index {
    const struct xml_indexer *indexer;
    const uint8_t *window, *window_end, *end;           /* of the body */
    const uint32_t *next;                               /* the first stop that was not taken */
    uint32_t stops[XML_WINDOW_BYTES + XML_STOPS_SPARE]; /* distances; XML_NO_STOP past the last */
    uint64_t name_ends[XML_WINDOW_BLOCKS + 2];          /* little endian: a stream of bits */
};

#define XML_NO_STOP UINT32_MAX

/* The fastest that this machine can run. */
const struct xml_indexer *xml_indexer_best(void);

/* All that this machine can run, the portable one first; NULL past the last. For tests. */
const struct xml_indexer *xml_indexer_at(unsigned number);

void xml_index_init(struct xml_index *index, const struct xml_indexer *indexer, struct bytes body);

/* Beyond the window's last stop. */
const uint8_t *xml_index_take_far(struct xml_index *index);
void xml_index_skip_far(struct xml_index *index, const uint8_t *at);

/* The next stop, or else the body's end. No stop is taken twice. */
static inline const uint8_t *xml_index_take(struct xml_index *index)
{
    uint32_t distance = *index->next++;
    return distance != XML_NO_STOP ? index->window + distance : xml_index_take_far(index);
}

/* Passes over the stops before `at`. */
static inline void xml_index_skip(struct xml_index *index, const uint8_t *at)
{
    if (at >= index->window_end)
        xml_index_skip_far(index, at);
    while (*index->next < (uint32_t)(at - index->window))
        index->next++;
}

/* Looks at the next stop without taking it; the window's end, if that is in another one or there is
 * none. */
static inline const uint8_t *xml_index_see(const struct xml_index *index)
{
    return *index->next != XML_NO_STOP ? index->window + *index->next : index->window_end;
}

/* The first byte at or after `at` that no name has; some byte before it, if it is far. `at` lies in
 * the window, or at most 9 bytes behind its last stop. */
static inline const uint8_t *xml_index_name_end(const struct xml_index *index, const uint8_t *at)
{
    size_t distance = (size_t)(at - index->window);
    uint64_t word;
    memcpy(&word, (const uint8_t *)index->name_ends + distance / 8, sizeof word);
    word = le64toh(word) >> distance % 8 | UINT64_C(1) << 56; /* so many bits there are, at least */
    return at + (unsigned)__builtin_ctzll(word);
}

#endif

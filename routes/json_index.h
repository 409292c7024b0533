/* The first half of reading JSON: where its tokens begin, 64 bytes at a time, so that the second
 * half goes from token to token and never looks at blanks or at what stands in strings. The idea is
 * that of G. Langdale and D. Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28
 * (2019); the tokens are our own choice:
 *
 *   - the opening quote of a string;
 *   - in a string, the first byte of each run of bytes that want a closer look: a backslash, a
 *     control character, a byte from 0x80 on. A string without such a token is good as it stands;
 *   - outside of strings, each of { } [ ] : and , (0x0C and 0x1A too: no walk expects them);
 *   - outside of strings, the first byte of each run of anything else that is not blank: a number,
 *     a word, or what has no business there.
 *
 * So only blanks stand between the end of a token and the next one. Tokens are offsets into the
 * body. Past the last one stand as many as anybody wants of the body's end. */
#ifndef KOUAN_ROUTES_JSON_INDEX_H
#define KOUAN_ROUTES_JSON_INDEX_H

#include <assert.h>

#include "routes/scan.h"

enum {
    JSON_BLOCK_BYTES = 64,
    JSON_INDEX_BLOCKS = 32,              /* marked at once */
    JSON_LOOKAHEAD = SCAN_DEPTH_MAX + 8, /* tokens that a walk may use before it asks for more */
    JSON_TOKENS_SPARE = JSON_BLOCK_BYTES / 4 /* written to, past the last token */
};

/* What a block passes on to the next one. */
struct json_carry {
    uint64_t in_string; /* all ones if the block begins in a string, else 0 */
    uint64_t escaped;   /* 1 if its first byte is escaped by the one before it, else 0 */
    uint64_t in_run;    /* 1 if the byte before it was of a run, of which only the start counts */
};

/* One way of finding the tokens for each kind of machine; all of them find the same. */
struct json_indexer {
    const char *name;
    /* Writes the tokens of `count` whole blocks, of which the first begins at `offset` into the
     * body, but of the last one only those of `last_mask`. Returns what follows the last token
     * written; JSON_TOKENS_SPARE more may be overwritten. */
    uint32_t *(*mark)(const uint8_t *data, uint32_t count, uint64_t last_mask, uint32_t offset,
                      struct json_carry *carry, uint32_t *out);
};

/* The fastest that this machine can run. */
const struct json_indexer *json_indexer_best(void);

/* All that this machine can run, the portable one first; NULL past the last. For tests. */
const struct json_indexer *json_indexer_at(unsigned index);

/* The tokens of a body, some at a time. */
struct json_index {
    const uint8_t *begin, *end;
    const uint8_t *next; /* the block that comes next; at or past `end` if there is none */
    const struct json_indexer *indexer;
    struct json_carry carry;
    uint32_t *last; /* past the tokens that are there */
    uint32_t tokens[JSON_LOOKAHEAD + JSON_INDEX_BLOCKS * JSON_BLOCK_BYTES + JSON_TOKENS_SPARE];
};

/* For the tokens from `at` on of a body. The first of them are there at once. */
const uint32_t *json_index_open(struct json_index *index, struct bytes body, const uint8_t *at);

/* Moves `token` to where it has JSON_LOOKAHEAD ones behind it. */
const uint32_t *json_index_refill(struct json_index *index, const uint32_t *token);

static inline const uint32_t *json_index_ensure(struct json_index *index, const uint32_t *token)
{
    assert(token <= index->last);
    return index->last - token >= JSON_LOOKAHEAD ? token : json_index_refill(index, token);
}

/* From `token` to the first one at or past `at`, with JSON_LOOKAHEAD ones behind it. */
static inline const uint32_t *json_index_seek(struct json_index *index, const uint32_t *token,
                                              const uint8_t *at)
{
    uint32_t offset = (uint32_t)(at - index->begin);
    token = json_index_ensure(index, token);
    while (*token < offset)
        token = json_index_ensure(index, token + 1);
    return token;
}

#endif

/* The first half of reading JSON: where its tokens begin, 64 bytes at a time, so that the second
 * half goes from token to token and never looks at blanks or at what stands in strings. The idea is
 * that of G. Langdale and D. Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28
 * (2019); the tokens are our own choice:
 *
 *   - the closing quote of a string. An operator directly behind it, as there mostly is, has no
 *     token of its own;
 *   - in a string, the first byte of each run of bytes that want a closer look: a backslash, a
 *     control character, a byte from 0x80 on. A string without such a token is good as it stands;
 *   - outside of strings, each other operator: { } [ ] : and , (0x0C and 0x1A too: no walk expects
 *     them);
 *   - outside of strings, the first byte of each run of anything else that is not blank: a number,
 *     a word, or what has no business there.
 *
 * So only blanks stand between the things that tokens stand for. Tokens are offsets into the
 * body. Past the last one stand as many as anybody wants of the body's end. */
#ifndef KOUAN_ROUTES_JSON_INDEX_H
#define KOUAN_ROUTES_JSON_INDEX_H

#include "routes/scan/scan.h"

enum {
    JSON_BLOCK_BYTES = 64,
    JSON_FIRST_BLOCKS = 8,  /* marked at first, for whoever only looks; then twice as many ... */
    JSON_INDEX_BLOCKS = 32, /* marked at once */
    JSON_LOOKAHEAD = 8,     /* tokens that a walk may use before it asks for more */
    JSON_TOKENS_SPARE = 8   /* written to, past the last token */
};

/* What a block passes on to the next one. */
struct json_carry {
    uint64_t in_string; /* all ones if the block begins in a string, else 0 */
    uint64_t escaped;   /* 1 if its first byte is escaped by the one before it, else 0 */
    uint64_t closed;    /* 1 if the byte before it was a closing quote, else 0 */
    uint64_t in_run;    /* 1 if the byte before it was of a run, of which only the start counts */
};

/* One way of finding the tokens for each kind of machine; all of them find the same. */
struct json_indexer {
    const char *name;
    /* Marks the tokens of `count` whole blocks from `data` on: bit i stands for byte i. */
    void (*mark)(const uint8_t *data, uint32_t count, struct json_carry *carry,
                 uint64_t *out_blocks);
    /* Writes the marked tokens of `count` blocks, of which the first begins at `offset` into the
     * body. Returns what follows the last one; JSON_TOKENS_SPARE more may be overwritten. */
    uint32_t *(*list)(const uint64_t *blocks, uint32_t count, uint32_t offset, uint32_t *out);
};

/* True for what counts as an operator outside of strings. */
static inline bool json_is_operator(uint8_t byte)
{
    uint8_t folded = byte | 0x20; /* [ onto {, and ] onto } */
    return folded == '{' || folded == '}' || folded == ':' || folded == ',';
}

/* The fastest that this machine can run. */
const struct json_indexer *json_indexer_best(void);

/* All that this machine can run, the portable one first; NULL past the last. For tests. */
const struct json_indexer *json_indexer_at(unsigned index);

/* The tokens of a body, some at a time. */
struct json_index {
    const uint8_t *begin, *end;
    const uint8_t *next; /* the block that comes next; at or past `end` if there is none */
    const struct json_indexer *indexer;
    uint32_t block_count; /* that the next refill marks */
    struct json_carry carry;
    const uint32_t *safe; /* the last one that has JSON_LOOKAHEAD tokens from it on */
    const uint32_t *last; /* past the tokens that are there */
    uint32_t tokens[JSON_LOOKAHEAD + JSON_INDEX_BLOCKS * JSON_BLOCK_BYTES + JSON_TOKENS_SPARE];
};

/* For the tokens from `at` on of a body. The first of them are there at once. */
const uint32_t *json_index_open(struct json_index *index, struct bytes body, const uint8_t *at);

/* Moves `token` to where it has JSON_LOOKAHEAD ones behind it. */
const uint32_t *json_index_refill(struct json_index *index, const uint32_t *token);

static inline const uint32_t *json_index_ensure(struct json_index *index, const uint32_t *token)
{
    return token <= index->safe ? token : json_index_refill(index, token);
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

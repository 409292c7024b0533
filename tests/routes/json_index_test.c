#include "routes/json/json_index.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCKS_MAX = 4, TEXT_BYTES_MAX = 64 * 1024 };

static unsigned pick(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33) % below;
}

/* Any byte now and then, mostly those that matter; and long strings and blanks. */
static void write_random_text(uint64_t *chance, uint8_t *text, size_t size)
{
    static const char bytes[] = "\"\"\"\\{}[]:, \t\n\r\f\x1A"
                                "a1-\x80\xE5\x01\x20\x1F\x7F";
    for (size_t i = 0; i < size;) {
        size_t run = pick(chance, 16) == 0 ? 1 + pick(chance, 150) : 1;
        uint8_t byte = pick(chance, 8) == 0 ? (uint8_t)pick(chance, 256)
                                            : (uint8_t)bytes[pick(chance, sizeof bytes - 1)];
        for (; run > 0 && i < size; run--)
            text[i++] = byte;
    }
}

/* The definition of a token, byte by byte. */
static size_t find_tokens(const uint8_t *text, size_t size, uint32_t *out)
{
    bool in_string = false, in_run = false, escaped = false, closed = false;
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = text[i];
        bool is_quote = byte == '"' && !escaped, was_in_run = in_run, was_closed = closed;
        bool is_operator = json_is_operator(byte);
        bool is_blank = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
        bool is_special = byte < 0x20 || byte >= 0x80 || byte == '\\';
        closed = is_quote && in_string;
        in_run = !is_quote && (in_string ? is_special : !is_operator && !is_blank);
        escaped = byte == '\\' && !escaped;
        if (closed || (in_run && !was_in_run) || (is_operator && !in_string && !was_closed))
            out[count++] = (uint32_t)i;
        in_string ^= is_quote;
    }
    return count;
}

Test(json_index, marks_the_same_on_every_machine)
{
    uint64_t chance = 1;
    uint8_t text[BLOCKS_MAX * JSON_BLOCK_BYTES];
    uint32_t expected[sizeof text], found[sizeof text + JSON_TOKENS_SPARE];
    for (unsigned round = 0; round < 20000; round++) {
        size_t size = 1 + pick(&chance, sizeof text);
        uint32_t count = (uint32_t)((size + JSON_BLOCK_BYTES - 1) / JSON_BLOCK_BYTES);
        write_random_text(&chance, text, sizeof text);
        size_t expected_count = find_tokens(text, size, expected);
        const struct json_indexer *indexer;
        for (unsigned i = 0; (indexer = json_indexer_at(i)) != NULL; i++) {
            struct json_carry carry = {0};
            uint64_t blocks[BLOCKS_MAX];
            uint32_t split = pick(&chance, count);
            indexer->mark(text, split, &carry, blocks);
            indexer->mark(text + split * JSON_BLOCK_BYTES, count - split, &carry, blocks + split);
            blocks[count - 1] &= ~UINT64_C(0) >> (count * JSON_BLOCK_BYTES - size);
            uint32_t *last = indexer->list(blocks, split, 0, found);
            last = indexer->list(blocks + split, count - split, split * JSON_BLOCK_BYTES, last);
            cr_assert_eq((size_t)(last - found), expected_count, "%s, round %u", indexer->name,
                         round);
            cr_assert_arr_eq(found, expected, expected_count * sizeof *expected, "%s, round %u",
                             indexer->name, round);
        }
    }
}

static size_t count_indexers(void)
{
    size_t count = 0;
    while (json_indexer_at((unsigned)count) != NULL)
        count++;
    return count;
}

Test(json_index, has_a_portable_path)
{
    cr_assert_str_eq(json_indexer_at(0)->name, "portable");
    cr_assert_geq(count_indexers(), 1);
    cr_assert_not_null(json_indexer_best());
}

/* All tokens of texts of many sizes, and past the last one the end as often as one may ask. */
Test(json_index, gives_all_tokens_of_a_body)
{
    uint64_t chance = 2;
    uint8_t *text = calloc(1, TEXT_BYTES_MAX + BYTES_PADDING);
    uint32_t *expected = calloc(TEXT_BYTES_MAX, sizeof *expected);
    struct json_index *index = malloc(sizeof *index);
    for (unsigned round = 0; round < 200; round++) {
        size_t size = 1 + pick(&chance, round % 2 == 0 ? 300 : TEXT_BYTES_MAX);
        size_t start = pick(&chance, 2) * 3;
        write_random_text(&chance, text, size + BYTES_PADDING);
        if (start >= size)
            start = 0;
        size_t count = find_tokens(text + start, size - start, expected);
        const uint32_t *token = json_index_open(index, bytes_make(text, size), text + start);
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(*token, expected[i] + start, "round %u, token %zu", round, i);
            token = json_index_ensure(index, token + 1);
        }
        for (unsigned i = 0; i < 1000; i++) {
            for (unsigned k = 0; k < JSON_LOOKAHEAD; k++)
                cr_assert_eq(token[k], size);
            token = json_index_ensure(index, token + 1 + pick(&chance, JSON_LOOKAHEAD));
        }
    }
    free(index);
    free(expected);
    free(text);
}

Test(json_index, seeks_a_place)
{
    uint64_t chance = 3;
    uint8_t *text = calloc(1, TEXT_BYTES_MAX + BYTES_PADDING);
    uint32_t *expected = calloc(TEXT_BYTES_MAX + 1, sizeof *expected);
    struct json_index *index = malloc(sizeof *index);
    for (unsigned round = 0; round < 500; round++) {
        size_t size = 1 + pick(&chance, TEXT_BYTES_MAX), place = 0, i = 0;
        write_random_text(&chance, text, size);
        expected[find_tokens(text, size, expected)] = (uint32_t)size;
        const uint32_t *token = json_index_open(index, bytes_make(text, size), text);
        while (place < size) {
            place += 1 + pick(&chance, 5000);
            place = place < size ? place : size;
            while (expected[i] < place)
                i++;
            token = json_index_seek(index, token, text + place);
            cr_assert_eq(*token, expected[i], "round %u, place %zu", round, place);
        }
    }
    free(index);
    free(expected);
    free(text);
}

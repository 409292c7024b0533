/* Every indexer that this machine can run, against definitions that go byte by byte: over soups of
 * bytes, at every distance from the edges of blocks and windows, with names across them. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "routes/xml/xml_index.h"

enum { SOUP_BYTES_MAX = 3 * XML_WINDOW_BYTES, ROUNDS = 600 };

static uint32_t random_below(uint64_t *state, uint32_t bound)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % bound);
}

static bool is_stop(uint8_t byte)
{
    return byte == '<' || byte == '&' || byte == ']' ||
           (byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r');
}

static bool ends_name(uint8_t byte)
{
    static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return byte < 0x80 && (byte == 0 || strchr(names, byte) == NULL);
}

/* Bytes of a few kinds, in a mixture that changes from soup to soup: now all stops, now none. */
static size_t fill_soup(uint64_t *state, uint8_t *soup)
{
    size_t size = random_below(state, random_below(state, 4) == 0 ? SOUP_BYTES_MAX : 300);
    uint32_t stop_share = random_below(state, 3) * random_below(state, 128);
    uint32_t any_share = random_below(state, 2) * random_below(state, 128);
    for (size_t i = 0; i < size + BYTES_PADDING; i++) {
        if (random_below(state, 256) < stop_share)
            soup[i] = (uint8_t) "<&]\x01\x1F"[random_below(state, 5)];
        else if (random_below(state, 256) < any_share)
            soup[i] = (uint8_t)random_below(state, 256);
        else
            soup[i] = (uint8_t) "a_Z9.\xE5"[random_below(state, 6)];
    }
    return size;
}

/* Behind a stop a name may begin: the index knows its end, or some byte of the name. */
static void check_name(const struct xml_index *index, const uint8_t *end, const uint8_t *at,
                       const char *name)
{
    const uint8_t *name_end = at;
    while (name_end < end && !ends_name(*name_end))
        name_end++;
    const uint8_t *found = xml_index_name_end(index, at);
    if (name_end - at < 57 && name_end < index->window_end)
        cr_assert_eq(found, name_end, "%s: a name's end", name);
    else
        cr_assert(found >= at && found <= name_end && (found == name_end || !ends_name(*found)),
                  "%s: a byte of a name", name);
}

static void compare(const struct xml_indexer *indexer, struct bytes body, uint64_t seed)
{
    static struct xml_index index;
    const uint8_t *end = body.data + body.size, *expected = body.data, *at = body.data;
    xml_index_init(&index, indexer, body);
    for (uint64_t state = seed;;) {
        while (expected < end && (expected < at || !is_stop(*expected)))
            expected++;
        xml_index_skip(&index, at);
        const uint8_t *found = xml_index_take(&index);
        cr_assert_eq(found, expected, "%s, seed %" PRIu64 ": %td, not %td", indexer->name, seed,
                     found - body.data, expected - body.data);
        if (found == end)
            break;
        check_name(&index, end, found + 1, indexer->name);
        at = found + 1;
        if (random_below(&state, 8) == 0 && random_below(&state, 2000) < end - at)
            at += random_below(&state, (uint32_t)(end - at)) / 2; /* as past a comment */
        expected = found + 1;
    }
    cr_assert_eq(xml_index_take(&index), end, "%s: the end stays", indexer->name);
}

Test(xml_index, all_indexers_find_the_same)
{
    uint8_t *soup = malloc(SOUP_BYTES_MAX + BYTES_PADDING);
    cr_assert_not_null(soup);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed;
        size_t size = fill_soup(&state, soup);
        for (unsigned i = 0; xml_indexer_at(i) != NULL; i++)
            compare(xml_indexer_at(i), bytes_make(soup, size), seed);
    }
    free(soup);
}

Test(xml_index, knows_each_byte)
{
    for (unsigned i = 0; xml_indexer_at(i) != NULL; i++)
        for (unsigned byte = 0; byte < 256; byte++) {
            struct xml_index index;
            uint8_t one[2 + BYTES_PADDING] = {(uint8_t)byte, '>'};
            xml_index_init(&index, xml_indexer_at(i), bytes_make(one, 2));
            cr_assert_eq(xml_index_take(&index) == one, is_stop((uint8_t)byte), "%s: %02x",
                         xml_indexer_at(i)->name, byte);
            cr_assert_eq(xml_index_name_end(&index, one) == one, ends_name((uint8_t)byte),
                         "%s: %02x", xml_indexer_at(i)->name, byte);
        }
}

Test(xml_index, the_best_is_one_of_all)
{
    unsigned known = 0;
    for (unsigned i = 0; xml_indexer_at(i) != NULL; i++)
        known += xml_indexer_at(i) == xml_indexer_best();
    cr_assert_eq(known, 1);
}

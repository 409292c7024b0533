#include "routes/scan/find_bytes.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* The definition of each class, byte by byte, apart from the module's own. */
static bool is_of_xml_stop(unsigned byte, struct find_set set)
{
    return byte == set.a || byte == set.b || byte == set.c ||
           (byte < 32 && byte != 9 && byte != 10 && byte != 13);
}

static bool is_of_plain_stop(unsigned byte, struct find_set set)
{
    return byte == set.a || byte == set.b || byte == set.c || byte < 32 || byte > 127;
}

static bool is_of_component_stop(unsigned byte, struct find_set set)
{
    (void)set;
    return byte < 32 || byte > 127 || strchr("+:'?*\"", (int)byte) != NULL;
}

static bool is_of_name_end(unsigned byte, struct find_set set)
{
    (void)set;
    static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    return byte == 0 || (byte < 128 && strchr(names, (int)byte) == NULL);
}

static bool is_of_nonblank(unsigned byte, struct find_set set)
{
    (void)set;
    return byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n';
}

static bool is_of_high(unsigned byte, struct find_set set)
{
    (void)set;
    return byte > 127;
}

struct class_case {
    const char *name;
    bool (*is_of)(unsigned byte, struct find_set set);
};

static const struct class_case cases[] = {
#define X(class, what) {#class, is_of_##class},
    FIND_CLASS_LIST(X)
#undef X
};

enum { CLASS_COUNT = sizeof cases / sizeof *cases };

typedef const uint8_t *find_function(const uint8_t *at, const uint8_t *end, struct find_set set);

static find_function *function_of(const struct find_path *path, size_t class)
{
    find_function *const functions[] = {
#define X(class, what) path->class,
        FIND_CLASS_LIST(X)
#undef X
    };
    return functions[class];
}

/* The ones that scanners call: the first block in place, then the far path. */
static const uint8_t *name_end(const uint8_t *at, const uint8_t *end, struct find_set set)
{
    (void)set;
    return find_name_end(at, end);
}

static const uint8_t *nonblank(const uint8_t *at, const uint8_t *end, struct find_set set)
{
    (void)set;
    return find_nonblank(at, end);
}

static const uint8_t *high(const uint8_t *at, const uint8_t *end, struct find_set set)
{
    (void)set;
    return find_high(at, end);
}

static const struct find_path whole_path = {
    "whole", find_xml_stop, find_plain_stop, find_component_stop, name_end, nonblank, high};

static const struct find_set set = {'<', '&', ']'};

/* Runs `check` for every class by every path. */
static void for_each_path(void (*check)(const struct class_case *class, const char *path,
                                        find_function *find))
{
    const struct find_path *paths[FIND_PATHS_MAX + 1];
    size_t count = find_paths(paths);
    paths[count++] = &whole_path;
    cr_assert_str_eq(paths[0]->name, "portable");
    for (size_t path = 0; path < count; path++)
        for (size_t class = 0; class < CLASS_COUNT; class ++)
            check(&cases[class], paths[path]->name, function_of(paths[path], class));
}

static uint8_t filler_of(const struct class_case *class)
{
    return strcmp(class->name, "nonblank") == 0 ? ' ' : 'a';
}

/* Each byte at each place of a run, for runs that end around the steps of 16 and 32. */
static void check_each_byte(const struct class_case *class, const char *path, find_function *find)
{
    uint8_t body[200 + BYTES_PADDING];
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < 100; at += at < 70 ? 1 : 7) {
            memset(body, filler_of(class), sizeof body);
            body[at] = (uint8_t)byte;
            const uint8_t *expected = body + (class->is_of(byte, set) ? at : 120);
            cr_assert_eq(find(body, body + 120, set), expected, "%s %s: byte %u at %zu", path,
                         class->name, byte, at);
        }
}

Test(find_bytes, finds_each_byte_of_a_class)
{
    for_each_path(check_each_byte);
}

/* What stands from `end` on is never found, whatever it is. */
static void check_ends(const struct class_case *class, const char *path, find_function *find)
{
    static const uint8_t after[] = {0, '<', '"', '{', ' ', 'a', 0xFF};
    uint8_t body[200 + BYTES_PADDING];
    for (size_t i = 0; i < sizeof after; i++)
        for (size_t size = 0; size < 130; size++) {
            memset(body, filler_of(class), size);
            memset(body + size, after[i], BYTES_PADDING);
            for (size_t start = 0; start <= size; start += 1 + start / 20)
                cr_assert_eq(find(body + start, body + size, set), body + size,
                             "%s %s: from %zu to %zu before %02X", path, class->name, start, size,
                             after[i]);
        }
}

Test(find_bytes, finds_nothing_past_the_end)
{
    for_each_path(check_ends);
}

static const uint8_t *find_naively(const struct class_case *class, const uint8_t *at,
                                   const uint8_t *end)
{
    while (at < end && !class->is_of(*at, set))
        at++;
    return at;
}

/* Random bytes, in an allocation of just their size and the padding, for the sanitizers. */
static void check_random(const struct class_case *class, const char *path, find_function *find)
{
    unsigned chance = 7;
    for (unsigned round = 0; round < 3000; round++) {
        size_t size = (size_t)rand_r(&chance) % 300;
        uint8_t *body = malloc(size + BYTES_PADDING);
        cr_assert(body != NULL);
        for (size_t i = 0; i < size + BYTES_PADDING; i++)
            body[i] = rand_r(&chance) % 40 == 0 ? (uint8_t)rand_r(&chance) : filler_of(class);
        for (const uint8_t *at = body; at < body + size; at++) {
            const uint8_t *expected = find_naively(class, at, body + size);
            cr_assert_eq(find(at, body + size, set), expected, "%s %s: round %u", path, class->name,
                         round);
            at = expected;
        }
        free(body);
    }
}

Test(find_bytes, agrees_with_the_definition_on_random_bytes)
{
    for_each_path(check_random);
}

Test(find_bytes, compares_by_size)
{
    uint8_t a[128], b[128];
    for (size_t size = 0; size <= 48; size++) {
        memset(a, 'a', sizeof a);
        memset(b, 'b', sizeof b);
        memcpy(b, a, size);
        cr_assert(find_equal(a, b, size), "%zu", size);
        for (size_t at = 0; at < size; at++) {
            b[at] = 'x';
            cr_assert_not(find_equal(a, b, size), "%zu of %zu", at, size);
            b[at] = 'a';
        }
    }
}

Test(find_bytes, finds_the_quote_before)
{
    uint8_t text[64 + BYTES_PADDING];
    for (size_t quote = 0; quote < 64; quote++)
        for (size_t at = quote + 1; at <= 64; at++) {
            memset(text, 'a', sizeof text);
            text[quote] = text[at] = '"';
            text[0] = '"'; /* an earlier one does not count */
            cr_assert_eq(find_quote_before(text, text + at), text + quote, "%zu %zu", quote, at);
        }
}

/* Views of bytes that somebody else owns. A view never owns, never ends in NUL, and is passed by
 * value. An absent value is {NULL, 0}; an empty one has size 0. */
#ifndef KOUAN_CORE_BYTES_H
#define KOUAN_CORE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Every buffer that a scanner or a parser reads has this many readable bytes past its end,
 * so that vector loads need no tail case. Their values are unspecified. */
#define BYTES_PADDING 64

struct bytes {
    const uint8_t *data;
    size_t size;
};

#define BYTES_LITERAL(text)                                                                        \
    (struct bytes)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static inline struct bytes bytes_make(const void *data, size_t size)
{
    return (struct bytes){(const uint8_t *)data, size};
}

static inline struct bytes bytes_from_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_from_text(text));
}

static inline bool bytes_start_with(struct bytes a, struct bytes prefix)
{
    return a.size >= prefix.size &&
           (prefix.size == 0 || memcmp(a.data, prefix.data, prefix.size) == 0);
}

/* Order by unsigned byte value, a prefix before the longer one; as memcmp returns. */
int bytes_compare(struct bytes a, struct bytes b);

/* Equality that folds A-Z onto a-z. */
bool bytes_equal_fold(struct bytes a, struct bytes b);

/* The view without the spaces, tabs, CRs and LFs at both ends. */
struct bytes bytes_trim(struct bytes a);

/* `count` bytes from `offset`; what lies past the end is cut off. */
struct bytes bytes_slice(struct bytes a, size_t offset, size_t count);

/* The unsigned decimal number that `a` begins with: how many digits it has; 0: there is none, or it
 * is too large. */
size_t bytes_parse_digits(struct bytes a, uint64_t *out_value);
/* A whole, unsigned decimal number without sign or blanks; false on anything else or overflow. */
bool bytes_parse_u64(struct bytes a, uint64_t *out_value);
/* The same of the bytes from `from` on, where `a` ends with the number. */
bool bytes_parse_u64_at_end(struct bytes a, size_t from, uint64_t *out_value);
bool bytes_parse_i64(struct bytes a, int64_t *out_value);

/* True if the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). */
bool bytes_is_utf8(struct bytes a);

#endif

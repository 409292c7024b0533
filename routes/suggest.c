#include "routes/suggest.h"

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance (Damerau 1964, each part edited once), three rows at a time. */
static uint32_t distance(struct bytes a, struct bytes b)
{
    uint32_t rows[3][SUGGEST_NAME_BYTES_MAX + 1];
    uint32_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.size; j++)
        before[j] = last[j] = (uint32_t)j;
    for (size_t i = 1; i <= a.size; i++) {
        uint8_t left = fold(a.data[i - 1]);
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= b.size; j++) {
            uint8_t right = fold(b.data[j - 1]);
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (left != right));
            if (i > 1 && j > 1 && left == fold(b.data[j - 2]) && right == fold(a.data[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        uint32_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.size];
}

const char *suggest_name(struct bytes written, const char *const *names, size_t name_count)
{
    const char *nearest = NULL;
    uint32_t limit = (uint32_t)(written.size + 2) / 3;
    if (written.size == 0 || written.size > SUGGEST_NAME_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < name_count; i++) {
        struct bytes name = bytes_from_text(names[i]);
        if (name.size > SUGGEST_NAME_BYTES_MAX)
            continue;
        uint32_t edits = distance(written, name);
        if (edits > limit || edits >= name.size)
            continue; /* no byte of the name need have been written */
        nearest = names[i];
        limit = edits - (edits > 0); /* from here on, only a nearer one */
        if (edits == 0)
            break;
    }
    return nearest;
}

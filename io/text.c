#include "io/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void text_init(struct text *text, char *data, size_t capacity)
{
    assert(capacity > 0);
    *text = (struct text){.data = data, .capacity = capacity};
    data[0] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    if (text->overflowed)
        return;
    size_t room = text->capacity - text->size;
    va_start(arguments, format);
    int size = vsnprintf(text->data + text->size, room, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= room) {
        text->data[text->size] = '\0';
        text->overflowed = true;
        return;
    }
    text->size += (size_t)size;
}

/* The size of the UTF-8 character at the start, 1 for a byte that begins none. */
static size_t character_size(struct bytes bytes, bool *out_valid)
{
    for (size_t size = 1; size <= 4 && size <= bytes.size; size++)
        if (bytes_is_utf8(bytes_make(bytes.data, size))) {
            *out_valid = true;
            return size;
        }
    *out_valid = false;
    return 1;
}

/* U+0080..009F are controls; U+200B..200F, 2028..202E, 2060..206F and FEFF have no width, or turn
 * the direction of what follows, or break the line. */
static bool is_deceptive(struct bytes character)
{
    const uint8_t *c = character.data;
    if (character.size == 2)
        return (c[0] == 0xC2 && c[1] < 0xA0) || (c[0] == 0xD8 && c[1] == 0x9C); /* U+061C */
    if (character.size != 3)
        return false;
    if (c[0] == 0xEF)
        return c[1] == 0xBB && c[2] == 0xBF;
    return c[0] == 0xE2 &&
           ((c[1] == 0x80 && ((c[2] >= 0x8B && c[2] <= 0x8F) || (c[2] >= 0xA8 && c[2] <= 0xAE))) ||
            (c[1] == 0x81 && c[2] >= 0xA0 && c[2] <= 0xAF));
}

size_t text_character(struct bytes bytes, bool *out_plain)
{
    bool valid;
    size_t size = character_size(bytes, &valid);
    *out_plain = valid && bytes.data[0] >= 0x20 && bytes.data[0] != 0x7F &&
                 !is_deceptive(bytes_make(bytes.data, size));
    return size;
}

void text_add_escaped(struct text *text, struct bytes bytes)
{
    while (bytes.size > 0 && !text->overflowed) {
        bool plain;
        size_t size = text_character(bytes, &plain);
        if (plain)
            text_add(text, "%.*s", (int)size, (const char *)bytes.data);
        else
            for (size_t i = 0; i < size; i++)
                text_add(text, "\\x%02X", bytes.data[i]);
        bytes = bytes_slice(bytes, size, bytes.size);
    }
}

void text_add_json(struct text *text, struct bytes bytes)
{
    text_add(text, "\"");
    while (bytes.size > 0 && !text->overflowed) {
        bool valid;
        size_t size = character_size(bytes, &valid);
        uint8_t first = bytes.data[0];
        if (!valid)
            text_add(text, "\\ufffd");
        else if (first == '"' || first == '\\')
            text_add(text, "\\%c", first);
        else if (first < 0x20 || first == 0x7F)
            text_add(text, "\\u%04x", first);
        else
            text_add(text, "%.*s", (int)size, (const char *)bytes.data);
        bytes = bytes_slice(bytes, size, bytes.size);
    }
    text_add(text, "\"");
}

void text_print(FILE *out, const char *text, void (*add)(struct text *, struct bytes))
{
    enum { BYTES_PER_BYTE = 6, QUOTES = 3 }; /* \uXXXX at most, in quotes */
    struct text escaped;
    struct bytes bytes = bytes_from_text(text);
    size_t capacity = BYTES_PER_BYTE * bytes.size + QUOTES;
    char *memory = malloc(capacity);
    if (memory == NULL)
        abort();
    text_init(&escaped, memory, capacity);
    add(&escaped, bytes);
    fwrite(escaped.data, 1, escaped.size, out);
    free(memory);
}

void text_print_utc(FILE *out, uint64_t wall_ms)
{
    char text[32];
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    fputs(text, out);
}

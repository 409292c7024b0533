#include "routes/rules/rule_text.h"

size_t rule_text_find_sign(struct bytes text, const char *sign)
{
    struct bytes wanted = bytes_from_text(sign);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++; /* what it stands before is text */
        else if (bytes_start_with(bytes_slice(text, i, text.size), wanted))
            return i;
    }
    return text.size;
}

bool rule_text_take_part(struct bytes *rest, struct bytes *out_part)
{
    if (rest->data == NULL)
        return false;
    size_t end = rule_text_find_sign(*rest, "|");
    *out_part = bytes_trim(bytes_slice(*rest, 0, end));
    if (end == rest->size)
        *rest = (struct bytes){0};
    else
        *rest = bytes_slice(*rest, end + 1, rest->size);
    return true;
}

static bool is_letter_or_digit(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

enum status rule_text_unescape(struct arena *arena, struct bytes text, struct bytes *out_value)
{
    if (!rule_text_is_escaped(text)) {
        *out_value = text;
        return STATUS_OK;
    }
    uint8_t *value = arena_allocate(arena, text.size);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\\') {
            i++;
            if (i == text.size || is_letter_or_digit(text.data[i]))
                return STATUS_INVALID;
        }
        value[size++] = text.data[i];
    }
    *out_value = bytes_make(value, size);
    return STATUS_OK;
}

bool rule_text_is_escaped(struct bytes text)
{
    return text.size > 0 && memchr(text.data, '\\', text.size) != NULL;
}

struct bytes rule_text_of_cell(struct bytes cell)
{
    struct bytes text = bytes_trim(cell);
    if (text.size > 0 && text.data[0] == '\'')
        text = bytes_trim(bytes_slice(text, 1, text.size));
    return text;
}

#include "bench/wire/reply.h"

enum { LINE_BYTES_MAX = 64 * 1024 };

/* The text between the type's byte at `at` and CRLF. */
static enum status read_line(struct bytes input, size_t at, struct bytes *out_line)
{
    const uint8_t *start = input.data + at + 1;
    size_t left = input.size - at - 1;
    const uint8_t *end = memchr(start, '\r', left);
    if (end == NULL || end + 1 == input.data + input.size)
        return left > LINE_BYTES_MAX ? STATUS_INVALID : STATUS_INCOMPLETE;
    if (end[1] != '\n')
        return STATUS_INVALID;
    *out_line = bytes_make(start, (size_t)(end - start));
    return STATUS_OK;
}

static enum status read_bulk(struct bytes input, size_t start, int64_t size, size_t *at,
                             struct reply *out_reply)
{
    if (size > INT32_MAX)
        return STATUS_INVALID;
    if (input.size - start < (size_t)size + 2)
        return STATUS_INCOMPLETE;
    if (memcmp(input.data + start + size, "\r\n", 2) != 0)
        return STATUS_INVALID;
    *out_reply = (struct reply){REPLY_BULK, bytes_make(input.data + start, (size_t)size), 0};
    *at = start + (size_t)size + 2;
    return STATUS_OK;
}

enum status reply_read(struct bytes input, size_t *at, struct reply *out_reply)
{
    struct bytes line;
    int64_t number = 0;
    if (*at >= input.size)
        return STATUS_INCOMPLETE;
    enum status status = read_line(input, *at, &line);
    if (status != STATUS_OK)
        return status;
    size_t after = *at + 1 + line.size + 2;
    uint8_t type = input.data[*at];
    if ((type == ':' || type == '$' || type == '*') && !bytes_parse_i64(line, &number))
        return STATUS_INVALID;
    switch (type) {
    case '+': *out_reply = (struct reply){REPLY_SIMPLE, line, 0}; break;
    case '-': *out_reply = (struct reply){REPLY_ERROR, line, 0}; break;
    case ':': *out_reply = (struct reply){.kind = REPLY_INTEGER, .integer = number}; break;
    case '$':
    case '*':
        if (number < -1)
            return STATUS_INVALID;
        if (type == '$' && number >= 0)
            return read_bulk(input, after, number, at, out_reply);
        *out_reply = number == -1 ? (struct reply){.kind = REPLY_NULL}
                                  : (struct reply){.kind = REPLY_ARRAY, .integer = number};
        break;
    default: return STATUS_INVALID;
    }
    *at = after;
    return STATUS_OK;
}

bool record_id_parse(struct bytes text, struct record_id *out_id)
{
    const uint8_t *dash = text.size > 0 ? memchr(text.data, '-', text.size) : NULL;
    if (dash == NULL)
        return false;
    size_t before = (size_t)(dash - text.data);
    struct record_id id;
    if (!bytes_parse_u64(bytes_slice(text, 0, before), &id.ms) ||
        !bytes_parse_u64(bytes_slice(text, before + 1, text.size), &id.seq))
        return false;
    *out_id = id;
    return true;
}

#include "io/resp/resp_reply.h"

#include <assert.h>

enum {
    ITEM_BYTES_MIN = 3, /* _ CRLF */
    NUMBER_BYTES_MAX = 20,
    VERBATIM_KIND_BYTES = 4 /* txt: */
};

static enum status read_item(struct bytes input, struct resp_item *item, size_t *out_size,
                             size_t *out_needed);
static uint64_t items_after(uint64_t left, const struct resp_item *item);

enum status resp_reply_measure(struct resp_reply_parser *parser, struct bytes input,
                               size_t *out_size, size_t *out_needed)
{
    size_t offset = parser->offset;
    uint64_t left = offset == 0 ? 1 : parser->items_left, items = parser->items;
    assert(offset <= input.size);
    while (left > 0) {
        struct resp_item item;
        size_t size = 0, needed = ITEM_BYTES_MIN;
        enum status status = STATUS_INCOMPLETE;
        if (offset < input.size)
            status = read_item(bytes_make(input.data + offset, input.size - offset), &item, &size,
                               &needed);
        if (status == STATUS_INCOMPLETE) {
            size_t least = offset + needed + (size_t)(left - 1) * ITEM_BYTES_MIN;
            *parser = (struct resp_reply_parser){offset, left, items};
            if (least > RESP_REPLY_BYTES_MAX)
                return STATUS_TOO_BIG;
            *out_needed = least > input.size ? least : input.size + 1;
        }
        if (status != STATUS_OK)
            return status;
        offset += size;
        left = items_after(left, &item);
        items++;
        if (items + left > RESP_REPLY_ITEMS_MAX || offset > RESP_REPLY_BYTES_MAX)
            return STATUS_TOO_BIG;
    }
    *out_size = offset;
    *parser = (struct resp_reply_parser){0};
    return STATUS_OK;
}

bool resp_cursor_next(struct resp_cursor *cursor, struct resp_item *out_item)
{
    size_t size, needed;
    if (cursor->rest.size == 0)
        return false;
    enum status status = read_item(cursor->rest, out_item, &size, &needed);
    assert(status == STATUS_OK);
    cursor->rest = bytes_slice(cursor->rest, size, cursor->rest.size);
    return true;
}

void resp_cursor_leave(struct resp_cursor *cursor, const struct resp_item *item)
{
    uint64_t left = resp_item_children(item);
    while (left > 0) {
        struct resp_item child;
        bool more = resp_cursor_next(cursor, &child);
        assert(more);
        left = items_after(left, &child);
    }
}

uint64_t resp_item_children(const struct resp_item *item)
{
    bool pairs = item->type == RESP_MAP || item->type == RESP_ATTRIBUTE;
    return pairs ? (uint64_t)item->count * 2 : item->count;
}

/* Items that are still to come when `item` was one of `left`. An attribute is not an item of its
 * aggregate: that one comes behind it. */
static uint64_t items_after(uint64_t left, const struct resp_item *item)
{
    return left - (item->type != RESP_ATTRIBUTE) + resp_item_children(item);
}

/* ---- One item ------------------------------------------------------------------------------- */

static enum status read_line(struct bytes input, struct bytes *out_line);
static enum status read_value(uint8_t mark, struct resp_item *item);
static enum status read_body(struct bytes input, uint8_t mark, struct resp_item *item,
                             size_t *out_size, size_t *out_needed);
static enum status read_count(uint8_t mark, struct resp_item *item);

/* The item that begins `input`, which is not empty; sizes without its children's. */
static enum status read_item(struct bytes input, struct resp_item *item, size_t *out_size,
                             size_t *out_needed)
{
    uint8_t mark = input.data[0];
    *item = (struct resp_item){0};
    enum status status = read_line(input, &item->text);
    if (status != STATUS_OK) {
        *out_needed = input.size < ITEM_BYTES_MIN ? ITEM_BYTES_MIN : input.size + 1;
        return status;
    }
    *out_size = 1 + item->text.size + 2;
    switch (mark) {
    case '$':
    case '!':
    case '=': return read_body(input, mark, item, out_size, out_needed);
    case '*':
    case '%':
    case '~':
    case '>':
    case '|': return read_count(mark, item);
    default: return read_value(mark, item);
    }
}

/* 0 for what is no mark. */
static size_t line_bytes_max(uint8_t mark)
{
    switch (mark) {
    case '+':
    case '-':
    case '(':
    case ',': return RESP_REPLY_LINE_BYTES_MAX;
    case ':':
    case '#':
    case '_':
    case '$':
    case '!':
    case '=':
    case '*':
    case '%':
    case '~':
    case '>':
    case '|': return NUMBER_BYTES_MAX;
    default: return 0;
    }
}

/* What stands between the mark and CRLF; no other CR or LF may. */
static enum status read_line(struct bytes input, struct bytes *out_line)
{
    size_t end = 1, bound = 1 + line_bytes_max(input.data[0]);
    if (bound == 1)
        return STATUS_INVALID;
    while (end < input.size && end <= bound && input.data[end] != '\r' && input.data[end] != '\n')
        end++;
    if (end > bound)
        return bound > 1 + NUMBER_BYTES_MAX ? STATUS_TOO_BIG : STATUS_INVALID;
    if (end == input.size)
        return STATUS_INCOMPLETE;
    if (input.data[end] != '\r')
        return STATUS_INVALID;
    if (end + 1 == input.size)
        return STATUS_INCOMPLETE;
    if (input.data[end + 1] != '\n')
        return STATUS_INVALID;
    *out_line = bytes_make(input.data + 1, end - 1);
    return STATUS_OK;
}

static bool is_plain(struct bytes number);
static bool is_integer(struct bytes text);
static bool is_double(struct bytes text);

/* An item that is its line. */
static enum status read_value(uint8_t mark, struct resp_item *item)
{
    bool valid = true;
    switch (mark) {
    case '+': item->type = RESP_SIMPLE; break;
    case '-': item->type = RESP_ERROR; break;
    case ':':
        item->type = RESP_INTEGER;
        valid = is_plain(item->text) && bytes_parse_i64(item->text, &item->integer);
        break;
    case ',':
        item->type = RESP_DOUBLE;
        valid = is_double(item->text);
        break;
    case '(':
        item->type = RESP_BIG_NUMBER;
        valid = is_integer(item->text);
        break;
    case '#':
        item->type = RESP_BOOLEAN;
        item->integer = bytes_equal_text(item->text, "t");
        valid = item->integer == 1 || bytes_equal_text(item->text, "f");
        break;
    default: /* '_' */ valid = item->text.size == 0; *item = (struct resp_item){.type = RESP_NULL};
    }
    return valid ? STATUS_OK : STATUS_INVALID;
}

/* A count or a length: digits without needless zeros; or -1 with those that RESP2 has for null. */
static enum status read_magnitude(uint8_t mark, struct resp_item *item, uint64_t max,
                                  uint64_t *out_value)
{
    struct bytes text = item->text;
    if ((mark == '$' || mark == '*') && bytes_equal_text(text, "-1")) {
        *item = (struct resp_item){.type = RESP_NULL};
        *out_value = 0;
        return STATUS_OK;
    }
    if (!is_plain(text) || !bytes_parse_u64(text, out_value))
        return STATUS_INVALID;
    return *out_value > max ? STATUS_TOO_BIG : STATUS_OK;
}

static enum status read_body(struct bytes input, uint8_t mark, struct resp_item *item,
                             size_t *out_size, size_t *out_needed)
{
    uint64_t length;
    item->type = mark == '$' ? RESP_BULK : mark == '!' ? RESP_BULK_ERROR : RESP_VERBATIM;
    enum status status = read_magnitude(mark, item, RESP_REPLY_BYTES_MAX, &length);
    if (status != STATUS_OK || item->type == RESP_NULL)
        return status;
    if (mark == '=' && length < VERBATIM_KIND_BYTES)
        return STATUS_INVALID;
    size_t start = *out_size, end = start + length;
    if (input.size < end + 2) {
        *out_needed = end + 2;
        return STATUS_INCOMPLETE;
    }
    if (input.data[end] != '\r' || input.data[end + 1] != '\n')
        return STATUS_INVALID;
    if (mark == '=') {
        if (input.data[start + VERBATIM_KIND_BYTES - 1] != ':')
            return STATUS_INVALID;
        start += VERBATIM_KIND_BYTES;
    }
    item->text = bytes_make(input.data + start, end - start);
    *out_size = end + 2;
    return STATUS_OK;
}

static enum status read_count(uint8_t mark, struct resp_item *item)
{
    uint64_t count;
    item->type = mark == '*'   ? RESP_ARRAY
                 : mark == '%' ? RESP_MAP
                 : mark == '~' ? RESP_SET
                 : mark == '>' ? RESP_PUSH
                               : RESP_ATTRIBUTE;
    enum status status = read_magnitude(mark, item, RESP_REPLY_ITEMS_MAX, &count);
    if (status != STATUS_OK || item->type == RESP_NULL)
        return status;
    item->count = (uint32_t)count;
    item->text = (struct bytes){0};
    return STATUS_OK;
}

/* ---- Numbers as text ------------------------------------------------------------------------ */

/* No needless zeros, and no -0. */
static bool is_plain(struct bytes number)
{
    bool negative = number.size > 0 && number.data[0] == '-';
    struct bytes digits = bytes_slice(number, negative, number.size);
    return digits.size > 0 && (digits.data[0] != '0' || (digits.size == 1 && !negative));
}

/* Steps over digits; false if there are none. */
static bool take_digits(struct bytes *text)
{
    size_t count = 0;
    while (count < text->size && text->data[count] >= '0' && text->data[count] <= '9')
        count++;
    *text = bytes_slice(*text, count, text->size);
    return count > 0;
}

static bool take(struct bytes *text, const char *any_of)
{
    if (text->size == 0 || text->data[0] == '\0' || strchr(any_of, text->data[0]) == NULL)
        return false;
    *text = bytes_slice(*text, 1, text->size);
    return true;
}

static bool is_integer(struct bytes text)
{
    take(&text, "+-");
    return take_digits(&text) && text.size == 0;
}

static bool is_double(struct bytes text)
{
    if (bytes_equal_text(text, "inf") || bytes_equal_text(text, "-inf") ||
        bytes_equal_text(text, "nan"))
        return true;
    take(&text, "+-");
    if (!take_digits(&text) || (take(&text, ".") && !take_digits(&text)))
        return false;
    if (take(&text, "eE")) {
        take(&text, "+-");
        return take_digits(&text) && text.size == 0;
    }
    return text.size == 0;
}

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "io/resp/resp.h"
#include "io/resp/resp_put.h"

enum { DOUBLE_BYTES_MAX = 32 /* %.17g has 24 at most */ };

static inline uint8_t *claim(struct resp_writer *writer, size_t size);
static void write_text(struct resp_writer *writer, const char *text);

void resp_writer_init(struct resp_writer *writer, uint8_t protocol, void *data, size_t capacity)
{
    assert(protocol == 2 || protocol == 3);
    assert(data != NULL || capacity == 0);
    *writer = (struct resp_writer){.data = data, .capacity = capacity, .protocol = protocol};
}

/* ---- Lines ---------------------------------------------------------------------------------- */

/* No text may end its line and begin another reply. */
static void blank_controls(uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] < 0x20 || text[i] == 0x7F)
            text[i] = ' ';
}

static void write_line(struct resp_writer *writer, char mark, const char *text)
{
    size_t size = strlen(text);
    uint8_t *out = claim(writer, 1 + size + 2);
    if (out == NULL)
        return;
    *out++ = (uint8_t)mark;
    resp_put_end(resp_put(out, (const uint8_t *)text, size));
    blank_controls(out, size);
}

void resp_write_simple(struct resp_writer *writer, const char *text)
{
    write_line(writer, '+', text);
}

void resp_write_error(struct resp_writer *writer, const char *text)
{
    write_line(writer, '-', text);
}

static size_t measure_format(const char *format, va_list values)
{
    int size = vsnprintf(NULL, 0, format, values);
    assert(size >= 0);
    return (size_t)size;
}

/* Where the final CRLF comes there is room for the NUL. */
static uint8_t *put_format(uint8_t *out, size_t size, const char *format, va_list values)
{
    vsnprintf((char *)out, size + 1, format, values);
    return resp_put_end(out + size);
}

void resp_write_error_format(struct resp_writer *writer, const char *format, ...)
{
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    size_t size = measure_format(format, values);
    uint8_t *out = claim(writer, 1 + size + 2);
    if (out != NULL) {
        *out++ = '-';
        put_format(out, size, format, again);
        blank_controls(out, size);
    }
    va_end(again);
    va_end(values);
}

/* ---- Bulk strings --------------------------------------------------------------------------- */

uint8_t *resp_write_room(struct resp_writer *writer, size_t size)
{
    return claim(writer, size);
}

uint8_t *resp_write_bulk_room(struct resp_writer *writer, size_t size)
{
    uint8_t *out = claim(writer, resp_bulk_bytes(size));
    if (out == NULL)
        return NULL;
    out = resp_put_head(out, '$', size);
    resp_put_end(out + size);
    return out;
}

void resp_write_bulk(struct resp_writer *writer, struct bytes bytes)
{
    uint8_t *out = claim(writer, resp_bulk_bytes(bytes.size));
    if (out != NULL)
        resp_put_bulk(out, bytes);
}

void resp_write_bulk_text(struct resp_writer *writer, const char *text)
{
    resp_write_bulk(writer, bytes_from_text(text));
}

void resp_write_bulk_format(struct resp_writer *writer, const char *format, ...)
{
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    size_t size = measure_format(format, values);
    uint8_t *out = claim(writer, resp_bulk_bytes(size));
    if (out != NULL)
        put_format(resp_put_head(out, '$', size), size, format, again);
    va_end(again);
    va_end(values);
}

uint8_t *resp_write_verbatim_room(struct resp_writer *writer, size_t text_size)
{
    static const uint8_t kind[] = {'t', 'x', 't', ':'};
    if (writer->protocol == 2)
        return resp_write_bulk_room(writer, text_size);
    size_t size = sizeof kind + text_size;
    uint8_t *out = claim(writer, resp_bulk_bytes(size));
    if (out == NULL)
        return NULL;
    out = resp_put(resp_put_head(out, '=', size), kind, sizeof kind);
    resp_put_end(out + text_size);
    return out;
}

void resp_write_verbatim(struct resp_writer *writer, struct bytes text)
{
    uint8_t *out = resp_write_verbatim_room(writer, text.size);
    if (out != NULL)
        resp_put(out, text.data, text.size);
}

void resp_write_id(struct resp_writer *writer, uint64_t ms, uint64_t seq)
{
    struct decimal_text text = {0};
    decimal_text_set(&text, ms);
    size_t size = resp_id_bytes(&text, seq);
    uint8_t *out = claim(writer, resp_bulk_bytes(size));
    if (out != NULL)
        resp_put_id(out, size, &text, seq);
}

/* ---- Numbers, nulls, aggregates ------------------------------------------------------------- */

static void write_head(struct resp_writer *writer, char mark, uint64_t value)
{
    uint8_t *out = claim(writer, resp_head_bytes(value));
    if (out != NULL)
        resp_put_head(out, mark, value);
}

void resp_write_integer(struct resp_writer *writer, int64_t value)
{
    if (value >= 0) {
        write_head(writer, ':', (uint64_t)value);
        return;
    }
    uint64_t magnitude = 0 - (uint64_t)value;
    uint8_t *out = claim(writer, 2 + decimal_digits_u64(magnitude) + 2);
    if (out == NULL)
        return;
    *out++ = ':';
    resp_put_head(out, '-', magnitude);
}

void resp_write_null(struct resp_writer *writer)
{
    write_text(writer, writer->protocol == 2 ? "$-1\r\n" : "_\r\n");
}

void resp_write_null_array(struct resp_writer *writer)
{
    write_text(writer, writer->protocol == 2 ? "*-1\r\n" : "_\r\n");
}

void resp_write_array(struct resp_writer *writer, uint32_t count)
{
    write_head(writer, '*', count);
}

void resp_write_map(struct resp_writer *writer, uint32_t pairs)
{
    if (writer->protocol == 2)
        write_head(writer, '*', (uint64_t)pairs * 2);
    else
        write_head(writer, '%', pairs);
}

void resp_write_set(struct resp_writer *writer, uint32_t count)
{
    write_head(writer, writer->protocol == 2 ? '*' : '~', count);
}

/* As redis-server's addReplyDouble, but NaN has no sign. */
void resp_write_double(struct resp_writer *writer, double value)
{
    char text[DOUBLE_BYTES_MAX];
    if (isnan(value))
        snprintf(text, sizeof text, "nan");
    else if (isinf(value))
        snprintf(text, sizeof text, value > 0 ? "inf" : "-inf");
    else
        snprintf(text, sizeof text, "%.17g", value);
    if (writer->protocol == 2)
        resp_write_bulk_text(writer, text);
    else
        write_line(writer, ',', text);
}

void resp_write_boolean(struct resp_writer *writer, bool value)
{
    if (writer->protocol == 2)
        resp_write_integer(writer, value);
    else
        write_text(writer, value ? "#t\r\n" : "#f\r\n");
}

void resp_write_raw(struct resp_writer *writer, struct bytes items)
{
    uint8_t *out = claim(writer, items.size);
    if (out != NULL)
        resp_put(out, items.data, items.size);
}

/* ---- The caller's memory -------------------------------------------------------------------- */

/* Counts `size` bytes; where to write them, or NULL when there is no room. */
static inline uint8_t *claim(struct resp_writer *writer, size_t size)
{
    size_t start = writer->needed;
    writer->needed += size;
    if (writer->needed > writer->capacity)
        writer->overflowed = true;
    return writer->overflowed ? NULL : writer->data + start;
}

static void write_text(struct resp_writer *writer, const char *text)
{
    size_t size = strlen(text);
    uint8_t *out = claim(writer, size);
    if (out != NULL)
        resp_put(out, (const uint8_t *)text, size);
}

#include "routes/edifact/unwrap.h"

#include "routes/edifact/edifact_syntax.h"
#include "routes/scan/plan_index.h"
#include "routes/scan/scan_output.h"

static bool is_line_end(uint8_t byte)
{
    return byte == '\n' || byte == '\r';
}

/* What all lines have been so far. */
struct lines {
    size_t bytes, characters; /* of the first */
    bool by_bytes, by_characters;
};

static bool begins(struct bytes body);
static bool cut_line(struct bytes *rest, struct bytes *out_line);
static size_t count_characters(struct bytes line);
static bool fits(struct lines *lines, struct bytes line);
static bool is_last(const struct lines *lines, struct bytes rest);
static bool cuts_segment(struct bytes body, uint32_t line_count);

bool unwrap_is_needed(struct bytes body)
{
    struct bytes rest = body, behind, line;
    if (!begins(body) || !cut_line(&rest, &line) || line.size < UNWRAP_LINE_MIN)
        return false;
    struct lines lines = {line.size, count_characters(line), true, true};
    uint32_t count = 0;
    do {
        count++;
        behind = rest;
    } while (cut_line(&rest, &line) && fits(&lines, line));
    return count >= 2 && is_last(&lines, bytes_trim(behind)) && cuts_segment(body, count);
}

static bool begins(struct bytes body)
{
    size_t at = edifact_syntax_is_marked(body) ? EDIFACT_MARK_BYTES : 0;
    struct bytes tag = bytes_slice(body, at, 3);
    return bytes_equal(tag, BYTES_LITERAL("UNA")) || bytes_equal(tag, BYTES_LITERAL("UNB"));
}

/* The line before the next LF or CR LF, which `rest` loses with it. False if there is none near. */
static bool cut_line(struct bytes *rest, struct bytes *out_line)
{
    size_t near = rest->size < UNWRAP_LINE_MAX ? rest->size : UNWRAP_LINE_MAX;
    const uint8_t *end = near == 0 ? NULL : memchr(rest->data, '\n', near);
    if (end == NULL)
        return false;
    size_t size = (size_t)(end - rest->data);
    *out_line = bytes_make(rest->data, size > 0 && end[-1] == '\r' ? size - 1 : size);
    if (memchr(out_line->data, '\r', out_line->size) != NULL)
        return false;
    *rest = bytes_make(end + 1, rest->size - size - 1);
    return true;
}

static size_t count_characters(struct bytes line)
{
    size_t count = line.size, at = 0;
    for (; at + 8 <= line.size; at += 8) { /* the first bit is set, and the second is not */
        uint64_t word = plan_load_word(line.data + at);
        uint64_t follows = word >> 7 & ~(word >> 6) & UINT64_C(0x0101010101010101);
        count -= follows * UINT64_C(0x0101010101010101) >> 56;
    }
    for (; at < line.size; at++)
        count -= (line.data[at] & 0xC0) == 0x80;
    return count;
}

/* Notes how the line differs from the first. False if it is of another length. */
static bool fits(struct lines *lines, struct bytes line)
{
    bool by_bytes = lines->by_bytes && line.size == lines->bytes;
    bool by_characters = lines->by_characters && count_characters(line) == lines->characters;
    if (!by_bytes && !by_characters)
        return false;
    lines->by_bytes = by_bytes;
    lines->by_characters = by_characters;
    return true;
}

/* What follows the lines that are alike: no longer than one of them. */
static bool is_last(const struct lines *lines, struct bytes rest)
{
    for (size_t i = 0; i < rest.size; i++)
        if (is_line_end(rest.data[i]))
            return false;
    return rest.size <= lines->bytes || count_characters(rest) <= lines->characters;
}

static bool cuts_segment(struct bytes body, uint32_t line_count)
{
    struct edifact_syntax syntax;
    struct scan_fault fault;
    struct bytes rest = body, line;
    if (edifact_syntax_read(body, &syntax, &fault) != STATUS_OK)
        return false;
    for (; line_count > 0 && cut_line(&rest, &line); line_count--)
        if (line.data[line.size - 1] != syntax.terminator)
            return true;
    return false;
}

/* ---- the text -------------------------------------------------------------------------------- */

enum status unwrap_make(struct scan *scan, struct bytes body, struct bytes *out_text)
{
    const struct reading_space *space = scan->space;
    if (space->text_capacity - space->text_used < body.size + BYTES_PADDING)
        return STATUS_FULL;
    uint8_t *text = space->text + space->text_used;
    size_t size = 0;
    for (size_t i = 0; i < body.size; i++) {
        text[size] = body.data[i];
        size += !is_line_end(body.data[i]);
    }
    scan_commit_text(scan, text, (uint32_t)size + BYTES_PADDING);
    *out_text = bytes_make(text, size);
    return STATUS_OK;
}

uint32_t unwrap_body_offset(struct bytes body, uint32_t text_offset)
{
    uint32_t at = 0;
    for (uint32_t passed = 0; at < body.size; at++) {
        if (is_line_end(body.data[at]))
            continue;
        if (passed++ == text_offset)
            break;
    }
    return at;
}

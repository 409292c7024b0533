#include "routes/edifact/edifact_capture.h"

#include <assert.h>

#include "routes/scan/scan_output.h"

void edifact_capturer_init(struct edifact_capturer *capturer, const struct plan *plan,
                           struct edifact_syntax *syntax, struct bytes body, struct scan *scan)
{
    capturer->plan = plan;
    capturer->syntax = syntax;
    capturer->body = body;
    capturer->scan = scan;
    capturer->charset_known = syntax->byte_order_mark;
    capturer->checks_charset = false;
    capturer->charset = CHARSET_UTF8;
}

static inline struct bytes trim(struct bytes part);

void edifact_capturer_begin(struct edifact_capturer *capturer, const struct edifact_elements *unb)
{
    struct edifact_syntax *syntax = capturer->syntax;
    struct bytes version = trim(edifact_component(capturer->body, unb, 1, 2)); /* of S001 */
    if (version.size == 1 && version.data[0] == '4' && !syntax->service_advice)
        syntax->repetition = '*';
    if (syntax->byte_order_mark)
        return;
    capturer->charset_known = charset_by_edifact_syntax(
        trim(edifact_component(capturer->body, unb, 1, 1)), &capturer->charset);
    capturer->checks_charset = capturer->charset_known && capturer->charset == CHARSET_GB18030;
}

enum status edifact_capturer_check(const struct edifact_capturer *capturer, uint32_t start,
                                   uint32_t end, struct scan_fault *out_fault)
{
    bool clash = edifact_syntax_gb18030_clash(capturer->syntax);
    for (uint32_t at = start; at < end; at++) {
        uint8_t byte = capturer->body.data[at];
        if (clash && byte > 0x7F)
            return scan_fault_at(out_fault, SCAN_ENCODING, at,
                                 "a separator of this UNA may be half of a GB18030 character");
        if (byte == 0x0E || byte == 0x0F || byte == 0x1B)
            return scan_fault_at(out_fault, SCAN_ENCODING, at,
                                 "ISO 2022 shifts and escape sequences are not accepted");
    }
    return STATUS_OK;
}

static struct bytes component_of(const struct edifact_syntax *syntax, struct bytes composite,
                                 uint32_t number);
static bool part_equals(const struct edifact_syntax *syntax, struct bytes part, struct bytes text);
static enum status take_value(const struct edifact_capturer *capturer, struct bytes raw,
                              struct bytes *out_value, struct scan_fault *out_fault);

/* As `bytes_trim`; most parts have no blanks at their ends. */
static inline struct bytes trim(struct bytes part)
{
    bool has_blanks = part.size > 0 && (part.data[0] <= ' ' || part.data[part.size - 1] <= ' ');
    return has_blanks ? bytes_trim(part) : part;
}

/* What one row finds in one component. */
static enum status take_component(struct edifact_capturer *capturer,
                                  const struct plan_component *row, struct bytes part,
                                  uint16_t entry, uint32_t number, struct scan_fault *out_fault)
{
    struct bytes raw = trim(part), value = {0};
    if (raw.size == 0)
        return STATUS_OK;
    enum status status = take_value(capturer, raw, &value, out_fault);
    if (status != STATUS_OK)
        return status;
    uint32_t offset = (uint32_t)(raw.data - capturer->body.data);
    if (value.size > 0 &&
        scan_push(capturer->scan, row->tap, entry, number, value, offset) != STATUS_OK)
        return scan_fault_at(out_fault, SCAN_TOO_MANY_VALUES, offset, NULL);
    return STATUS_OK;
}

/* As `part_equals` of a trimmed part in which nothing is released. */
static inline bool plain_equals(struct bytes part, const struct plan_component *row,
                                struct plan_beginning beginning)
{
    return part.size == row->qualifier.size && plan_begins(beginning, plan_load_word(part.data)) &&
           (part.size <= sizeof beginning.word || bytes_equal(part, row->qualifier));
}

/* A plain value stands in the body as it is meant. */
static inline enum status take_plain_component(struct edifact_capturer *capturer,
                                               const struct plan_component *row, struct bytes part,
                                               uint16_t entry, uint32_t number,
                                               struct scan_fault *out_fault)
{
    struct bytes value = trim(part);
    if (value.size == 0)
        return STATUS_OK;
    uint32_t offset = (uint32_t)(value.data - capturer->body.data);
    if (value.size > READING_VALUE_BYTES_MAX)
        return scan_fault_at(out_fault, SCAN_VALUE_TOO_LONG, offset, NULL);
    if (scan_push(capturer->scan, row->tap, entry, number, value, offset) != STATUS_OK)
        return scan_fault_at(out_fault, SCAN_TOO_MANY_VALUES, offset, NULL);
    return STATUS_OK;
}

static bool has_qualifier(const struct edifact_capturer *capturer, uint32_t index,
                          const struct edifact_elements *elements)
{
    const struct plan *plan = capturer->plan;
    const struct plan_component *row = &plan->components[index];
    struct bytes part = trim(edifact_component(capturer->body, elements, row->qualifier_element,
                                               row->qualifier_component));
    if (!elements->plain)
        return part_equals(capturer->syntax, part, row->qualifier);
    return part.size > 0 && plain_equals(part, row, plan->index->beginnings[index]);
}

/* Those of the rows that the segment may be for, as a set. */
static inline uint32_t choose_rows(const struct edifact_capturer *capturer,
                                   const struct plan_rows *rows,
                                   const struct edifact_elements *elements)
{
    const uint8_t *data = capturer->body.data + elements->from; /* behind the tag */
    if (rows->sets == NULL || !elements->plain || data[0] != capturer->syntax->element ||
        data[1] <= ' ')
        return plan_rows_all(rows);
    return plan_rows_for(rows, data + 1);
}

/* The rows over a segment without repetitions, whose components are known by their places. */
static enum status take_plain(struct edifact_capturer *capturer, const struct plan_rows *rows,
                              const struct edifact_elements *elements, uint16_t entry,
                              uint32_t number, struct scan_fault *out_fault)
{
    for (uint32_t set = choose_rows(capturer, rows, elements); set != 0; set &= set - 1) {
        uint32_t i = rows->first + (uint32_t)__builtin_ctz(set);
        for (; i < rows->end; i += PLAN_ROW_BITS) {
            const struct plan_component *row = &capturer->plan->components[i];
            if (row->qualifier_element != 0 && !has_qualifier(capturer, i, elements))
                continue;
            struct bytes part =
                edifact_component(capturer->body, elements, row->element, row->component);
            enum status status =
                elements->plain
                    ? take_plain_component(capturer, row, part, entry, number, out_fault)
                    : take_component(capturer, row, part, entry, number, out_fault);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

/* The first repetition of an element, which is all of it in most interchanges. */
static struct bytes first_repetition(const struct edifact_syntax *syntax, struct bytes element)
{
    return syntax->repetition == 0 ? element
                                   : edifact_syntax_cut(syntax, syntax->repetition, &element);
}

/* One row of any segment, over all repetitions of its element. A qualifier in that same element is
 * asked of each repetition; one in another element, once. */
static enum status take_row(struct edifact_capturer *capturer, const struct plan_component *row,
                            const struct edifact_elements *elements, uint16_t entry,
                            uint32_t number, struct scan_fault *out_fault)
{
    const struct edifact_syntax *syntax = capturer->syntax;
    bool qualified_within = row->qualifier_element == row->element;
    if (row->qualifier_element != 0 && !qualified_within) {
        struct bytes element = edifact_element(capturer->body, elements, row->qualifier_element);
        struct bytes part =
            component_of(syntax, first_repetition(syntax, element), row->qualifier_component);
        if (!part_equals(syntax, part, row->qualifier))
            return STATUS_OK;
    }
    struct bytes rest = edifact_element(capturer->body, elements, row->element);
    while (rest.data != NULL) {
        struct bytes composite = rest;
        if (syntax->repetition != 0)
            composite = edifact_syntax_cut(syntax, syntax->repetition, &rest);
        else
            rest = (struct bytes){NULL, 0};
        if (qualified_within &&
            !part_equals(syntax, component_of(syntax, composite, row->qualifier_component),
                         row->qualifier))
            continue;
        struct bytes part = component_of(syntax, composite, row->component);
        enum status status = take_component(capturer, row, part, entry, number, out_fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status edifact_capturer_take(struct edifact_capturer *capturer, const struct plan_rows *rows,
                                  const struct edifact_elements *elements, uint16_t entry,
                                  uint32_t number, struct scan_fault *out_fault)
{
    if (capturer->syntax->repetition == 0 && !elements->crowded)
        return take_plain(capturer, rows, elements, entry, number, out_fault);
    const struct plan_component *at = capturer->plan->components + rows->first;
    const struct plan_component *end = capturer->plan->components + rows->end;
    for (; at < end; at++) {
        enum status status = take_row(capturer, at, elements, entry, number, out_fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static struct bytes component_of(const struct edifact_syntax *syntax, struct bytes composite,
                                 uint32_t number)
{
    struct bytes part = {NULL, 0};
    for (uint32_t i = 0; i < number; i++) {
        if (composite.data == NULL)
            return composite;
        part = edifact_syntax_cut(syntax, syntax->component, &composite);
    }
    return part;
}

/* Equality after trimming and without release characters, in place. */
static bool part_equals(const struct edifact_syntax *syntax, struct bytes part, struct bytes text)
{
    part = trim(part);
    if (part.size < text.size)
        return false; /* as most that differ do */
    size_t matched = 0;
    for (size_t i = 0; i < part.size; i++, matched++) {
        if (edifact_is_release(syntax, part.data[i]) && ++i == part.size)
            break;
        if (matched == text.size || part.data[i] != text.data[matched])
            return false;
    }
    return matched == text.size;
}

/* ---- Values: releases and character sets ----------------------------------------------------- */

struct look {
    bool released;
    bool high; /* a byte that is not ASCII */
};

/* True if a byte of the 8 is `release`, if there is one, or not ASCII. */
static bool has_special(uint64_t word, uint8_t release)
{
    const uint64_t ones = UINT64_MAX / 0xFF, highs = 0x80 * ones;
    uint64_t differing = word ^ release * ones;
    uint64_t zeros = release == 0 ? 0 : (differing - ones) & ~differing; /* in their high bits */
    return ((word | zeros) & highs) != 0;
}

static bool is_plain(const struct edifact_syntax *syntax, struct bytes value)
{
    size_t at = 0;
    for (; at + 8 <= value.size; at += 8)
        if (has_special(plan_load_word(value.data + at), syntax->release))
            return false;
    if (at == value.size)
        return true;
    uint64_t inside = (UINT64_C(1) << 8 * (value.size - at)) - 1;
    return !has_special(plan_load_word(value.data + at) & inside, syntax->release);
}

static struct look look_at(const struct edifact_syntax *syntax, struct bytes value)
{
    struct look look = {0};
    if (is_plain(syntax, value))
        return look;
    for (size_t i = 0; i < value.size; i++) {
        look.released |= edifact_is_release(syntax, value.data[i]);
        look.high |= value.data[i] > 0x7F;
    }
    return look;
}

static uint32_t drop_releases(const struct edifact_syntax *syntax, struct bytes value, uint8_t *out)
{
    uint32_t size = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (edifact_is_release(syntax, value.data[i]) && ++i == value.size)
            break; /* what it released was a blank, trimmed */
        out[size++] = value.data[i];
    }
    return size;
}

/* Where the byte stands that is number `plain` of what drop_releases leaves. */
static uint32_t find_dropped(const struct edifact_syntax *syntax, struct bytes value, size_t plain)
{
    size_t at = 0;
    for (;; at++, plain--) {
        if (at < value.size && edifact_is_release(syntax, value.data[at]))
            at++;
        if (at >= value.size || plain == 0)
            return (uint32_t)at;
    }
}

/* The value as the sender meant it; empty if nothing is left. */
static enum status take_value(const struct edifact_capturer *capturer, struct bytes raw,
                              struct bytes *out_value, struct scan_fault *out_fault)
{
    struct look look = look_at(capturer->syntax, raw);
    uint32_t offset = (uint32_t)(raw.data - capturer->body.data);
    bool maybe_utf8 = !capturer->charset_known || capturer->charset == CHARSET_UTF8;
    bool stands_as_is = !look.released && (!look.high || (maybe_utf8 && bytes_is_utf8(raw)));
    /* No decoding shortens a value to less than half. */
    if (raw.size > (stands_as_is ? 1 : 2) * READING_VALUE_BYTES_MAX)
        return scan_fault_at(out_fault, SCAN_VALUE_TOO_LONG, offset, NULL);
    if (stands_as_is) {
        *out_value = raw;
        return STATUS_OK;
    }

    uint32_t room = (uint32_t)raw.size * CHARSET_GROWTH_MAX;
    uint8_t *text = scan_reserve_text(capturer->scan, room + (uint32_t)raw.size);
    if (text == NULL)
        return STATUS_FULL;
    uint8_t *plain = look.high ? text + room : text;
    size_t size = drop_releases(capturer->syntax, raw, plain);
    if (look.high) {
        struct bytes source = bytes_make(plain, size);
        enum charset charset = capturer->charset;
        if (!capturer->charset_known)
            charset = bytes_is_utf8(source) ? CHARSET_UTF8 : CHARSET_LATIN1;
        struct charsets *charsets = capturer->scan->charsets;
        if (charset_decode(charsets, charset, source, text, room, &size) != STATUS_OK) {
            size_t bad = charset_find_bad(charsets, charset, source);
            return scan_fault_at(out_fault, SCAN_ENCODING,
                                 offset + find_dropped(capturer->syntax, raw, bad),
                                 "not of the character set that UNB names");
        }
    }
    struct bytes value = bytes_trim(scan_commit_text(capturer->scan, text, (uint32_t)size));
    if (value.size > READING_VALUE_BYTES_MAX)
        return scan_fault_at(out_fault, SCAN_VALUE_TOO_LONG, offset, NULL);
    *out_value = value;
    return STATUS_OK;
}

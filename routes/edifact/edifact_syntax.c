#include "routes/edifact/edifact_syntax.h"

#include "routes/scan/scan_output.h"

enum { /* the characters of a UNA, in this order behind its tag */
       UNA_COMPONENT = 3,
       UNA_ELEMENT = 4,
       UNA_DECIMAL = 5, /* of no use here */
       UNA_RELEASE = 6,
       UNA_REPETITION = 7,
       UNA_TERMINATOR = 8
};

/* The separators of syntax level B (UNOB by the letter of ISO 9735): no release. */
enum { LEVEL_B_TERMINATOR = 0x1C, LEVEL_B_ELEMENT = 0x1D, LEVEL_B_COMPONENT = 0x1F };

static enum status read_at(struct bytes body, size_t at, bool marked,
                           struct edifact_syntax *out_syntax, struct scan_fault *out_fault);

enum status edifact_syntax_read(struct bytes body, struct edifact_syntax *out_syntax,
                                struct scan_fault *out_fault)
{
    bool marked = edifact_syntax_is_marked(body);
    size_t at = marked ? EDIFACT_MARK_BYTES : 0;
    while (at < body.size && edifact_is_blank(body.data[at]))
        at++;
    if (at == body.size)
        return scan_fault_at(out_fault, SCAN_EMPTY, (uint32_t)at, NULL);
    return read_at(body, at, marked, out_syntax, out_fault);
}

static uint32_t first_segment_end(const struct edifact_syntax *syntax, struct bytes body,
                                  uint32_t at);

enum status edifact_syntax_read_again(struct bytes body, uint32_t at,
                                      const struct edifact_syntax *before,
                                      struct edifact_syntax *out_syntax,
                                      struct scan_fault *out_fault)
{
    struct bytes rest = bytes_slice(body, at, body.size);
    bool marked = before->byte_order_mark;
    if (edifact_syntax_is_marked(rest)) {
        marked = true;
        at += EDIFACT_MARK_BYTES;
        rest = bytes_slice(body, at, body.size);
    }
    struct edifact_syntax own;
    enum status status = read_at(body, at, marked, &own, out_fault);
    if (status != STATUS_OK)
        return status;
    bool advised = bytes_start_with(rest, BYTES_LITERAL("UNA"));
    if (!advised && first_segment_end(before, body, at) <= first_segment_end(&own, body, at)) {
        own = *before;
        own.byte_order_mark = marked;
        own.start = at;
    }
    *out_syntax = own;
    return STATUS_OK;
}

static enum status read_advice(const uint8_t *advice, uint32_t offset,
                               struct edifact_syntax *syntax, struct scan_fault *out_fault);
static const char *find_advice_fault(const uint8_t *advice, uint32_t at);

/* The body from the first byte that is neither mark nor blank. */
static enum status read_at(struct bytes body, size_t at, bool marked,
                           struct edifact_syntax *out_syntax, struct scan_fault *out_fault)
{
    struct bytes usual_advice = BYTES_LITERAL("UNA:+.? '"); /* of the default characters */
    struct edifact_syntax syntax = {.component = ':',
                                    .element = '+',
                                    .terminator = '\'',
                                    .release = '?',
                                    .byte_order_mark = marked};
    struct bytes rest = bytes_slice(body, at, body.size);
    if (bytes_start_with(rest, usual_advice)) {
        syntax.service_advice = true;
        at += EDIFACT_ADVICE_BYTES;
    } else if (bytes_start_with(rest, BYTES_LITERAL("UNA"))) {
        if (rest.size < EDIFACT_ADVICE_BYTES)
            return scan_fault_at(out_fault, SCAN_TRUNCATED, (uint32_t)body.size,
                                 "UNA has six characters");
        enum status status = read_advice(rest.data, (uint32_t)at, &syntax, out_fault);
        if (status != STATUS_OK)
            return status;
        at += EDIFACT_ADVICE_BYTES;
    } else if (rest.size > 3 && rest.data[3] == LEVEL_B_ELEMENT) {
        syntax.component = LEVEL_B_COMPONENT;
        syntax.element = LEVEL_B_ELEMENT;
        syntax.terminator = LEVEL_B_TERMINATOR;
        syntax.release = 0;
        syntax.guessed = true;
    }
    syntax.start = (uint32_t)at;
    *out_syntax = syntax;
    return STATUS_OK;
}

/* ---- without a UNA --------------------------------------------------------------------------- */

static bool is_letter(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool is_letter_or_digit(uint8_t byte)
{
    return is_letter(byte) || (byte >= '0' && byte <= '9');
}

/* True if a segment begins at `at`, behind blanks. */
static bool begins_segment(const struct edifact_syntax *syntax, struct bytes body, size_t at)
{
    while (at < body.size && edifact_is_blank(body.data[at]))
        at++;
    const uint8_t *tag = body.data + at;
    return body.size - at >= 4 && is_letter(tag[0]) && is_letter_or_digit(tag[1]) &&
           is_letter_or_digit(tag[2]) && (tag[3] == syntax->element || tag[3] == syntax->component);
}

/* Where the segment at `at` ends by these characters; the body's size if no other begins there. */
static uint32_t first_segment_end(const struct edifact_syntax *syntax, struct bytes body,
                                  uint32_t at)
{
    struct bytes rest = bytes_slice(body, at, body.size);
    if (begins_segment(syntax, body, at))
        (void)edifact_syntax_cut(syntax, syntax->terminator, &rest);
    size_t end = rest.data == NULL ? body.size : (size_t)(rest.data - body.data);
    return (uint32_t)(end > at && begins_segment(syntax, body, end) ? end : body.size);
}

static bool is_header(struct bytes text)
{
    return bytes_start_with(text, BYTES_LITERAL("UNH")) ||
           bytes_start_with(text, BYTES_LITERAL("UNG"));
}

bool edifact_syntax_guess(struct edifact_syntax *syntax, struct bytes body, uint32_t start,
                          uint32_t end)
{
    const uint8_t *data = body.data;
    size_t size = end - start;
    if (syntax->terminator != '\'' ||
        (memchr(data + start, '\n', size) == NULL && memchr(data + start, '\r', size) == NULL &&
         memchr(data + start, '"', size) == NULL))
        return false;
    for (uint32_t at = start; at < end; at++) {
        uint8_t byte = data[at];
        if (edifact_is_release(syntax, byte)) {
            at++;
            continue;
        }
        bool line_end = byte == '\n' || byte == '\r';
        if (!line_end && byte != '"')
            continue;
        bool next_line = line_end || (at + 1 < end && edifact_is_blank(data[at + 1]));
        if (!begins_segment(syntax, body, at + 1) ||
            !(next_line || is_header(bytes_slice(body, at + 1, body.size))))
            continue;
        syntax->terminator = byte;
        if (byte == '\r' && at + 1 < body.size && data[at + 1] == '\n')
            syntax->terminator = '\n';
        syntax->guessed = true;
        return true;
    }
    return false;
}

/* ---- UNA ------------------------------------------------------------------------------------- */

static uint8_t unless_blank(uint8_t byte)
{
    return edifact_is_blank(byte) ? 0 : byte;
}

static enum status read_advice(const uint8_t *advice, uint32_t offset,
                               struct edifact_syntax *syntax, struct scan_fault *out_fault)
{
    for (uint32_t at = UNA_COMPONENT; at < EDIFACT_ADVICE_BYTES; at++) {
        const char *what = find_advice_fault(advice, at);
        if (what != NULL)
            return scan_fault_at(out_fault, SCAN_MALFORMED, offset + at, what);
    }
    syntax->service_advice = true;
    syntax->component = advice[UNA_COMPONENT];
    syntax->element = advice[UNA_ELEMENT];
    syntax->release = unless_blank(advice[UNA_RELEASE]);
    syntax->repetition = unless_blank(advice[UNA_REPETITION]);
    syntax->terminator = advice[UNA_TERMINATOR];
    return STATUS_OK;
}

static const char *find_advice_fault(const uint8_t *advice, uint32_t at)
{
    uint8_t byte = advice[at];
    if (is_letter_or_digit(byte) || (byte >= 'a' && byte <= 'z'))
        return "a letter or digit as service character";
    if (byte == 0 || byte > 0x7F)
        return "a service character that is not ASCII";
    if (edifact_is_blank(byte)) {
        if (at == UNA_COMPONENT || at == UNA_ELEMENT)
            return "a blank as separator";
        if (at == UNA_TERMINATOR && (byte == ' ' || byte == '\t'))
            return "a blank as segment terminator";
        return NULL;
    }
    for (uint32_t before = UNA_COMPONENT; before < at; before++)
        if (advice[before] == byte)
            return "the same service character twice";
    return NULL;
}

uint8_t edifact_syntax_gb18030_clash(const struct edifact_syntax *syntax)
{
    /* Second bytes are 0x40..0x7E and 0x80..0xFE (and digits, which no UNA may name). */
    const uint8_t used[] = {syntax->component, syntax->element, syntax->terminator, syntax->release,
                            syntax->repetition};
    for (size_t i = 0; i < sizeof used; i++)
        if (used[i] >= 0x40 && used[i] <= 0x7E)
            return used[i];
    return 0;
}

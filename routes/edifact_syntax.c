#include "routes/edifact_syntax.h"

#include "routes/scan_output.h"

enum {
    UNA_BYTES = 9, /* the tag, and the characters in this order: */
    UNA_COMPONENT = 3,
    UNA_ELEMENT = 4,
    UNA_DECIMAL = 5, /* of no use here */
    UNA_RELEASE = 6,
    UNA_REPETITION = 7,
    UNA_TERMINATOR = 8
};

static enum status read_advice(const uint8_t *advice, uint32_t offset,
                               struct edifact_syntax *syntax, struct scan_fault *out_fault);
static const char *find_advice_fault(const uint8_t *advice, uint32_t at);

enum status edifact_syntax_read(struct bytes body, struct edifact_syntax *out_syntax,
                                struct scan_fault *out_fault)
{
    struct bytes mark = BYTES_LITERAL("\xEF\xBB\xBF");
    struct bytes usual_advice = BYTES_LITERAL("UNA:+.? '"); /* of the default characters */
    bool marked = bytes_start_with(body, mark);
    size_t at = marked ? mark.size : 0;
    while (at < body.size && edifact_is_blank(body.data[at]))
        at++;
    if (at == body.size)
        return scan_fault_at(out_fault, SCAN_EMPTY, (uint32_t)at, NULL);

    struct edifact_syntax syntax = {.component = ':',
                                    .element = '+',
                                    .terminator = '\'',
                                    .release = '?',
                                    .byte_order_mark = marked};
    struct bytes rest = bytes_slice(body, at, body.size);
    if (bytes_start_with(rest, usual_advice)) {
        syntax.service_advice = true;
        at += UNA_BYTES;
    } else if (bytes_start_with(rest, BYTES_LITERAL("UNA"))) {
        if (rest.size < UNA_BYTES)
            return scan_fault_at(out_fault, SCAN_TRUNCATED, (uint32_t)body.size,
                                 "UNA has six characters");
        enum status status = read_advice(rest.data, (uint32_t)at, &syntax, out_fault);
        if (status != STATUS_OK)
            return status;
        at += UNA_BYTES;
    }
    syntax.start = (uint32_t)at;
    *out_syntax = syntax;
    return STATUS_OK;
}

static uint8_t unless_blank(uint8_t byte)
{
    return edifact_is_blank(byte) ? 0 : byte;
}

static enum status read_advice(const uint8_t *advice, uint32_t offset,
                               struct edifact_syntax *syntax, struct scan_fault *out_fault)
{
    for (uint32_t at = UNA_COMPONENT; at < UNA_BYTES; at++) {
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

static bool is_letter_or_digit(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

static const char *find_advice_fault(const uint8_t *advice, uint32_t at)
{
    uint8_t byte = advice[at];
    if (is_letter_or_digit(byte))
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

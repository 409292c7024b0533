#include "io/resp.h"

#include <assert.h>
#include <stdio.h>

enum {
    LENGTH_DIGITS_MAX = 10,
    ARGUMENT_FRAME_BYTES_MIN = 6, /* $0 CRLF CRLF */
};

/* ---- Errors --------------------------------------------------------------------------------- */

#define ERROR(text) "ERR Protocol error: " text

static enum status refuse(enum status status, const char *text, const char **out_error)
{
    *out_error = text;
    return status;
}

static enum status refuse_mark(struct resp_parser *parser, uint8_t byte, const char **out_error)
{
    char shown = byte >= ' ' && byte <= '~' ? (char)byte : ' ';
    snprintf(parser->error_text, sizeof parser->error_text, ERROR("expected '$', got '%c'"), shown);
    return refuse(STATUS_INVALID, parser->error_text, out_error);
}

/* ---- Parsing -------------------------------------------------------------------------------- */

static enum status parse_array(struct resp_parser *parser, const struct resp_limits *limits,
                               struct bytes input, struct resp_command *command,
                               uint32_t *out_needed, const char **out_error);
static enum status parse_line(struct resp_parser *parser, const struct resp_limits *limits,
                              struct bytes input, struct resp_command *command,
                              uint32_t *out_needed, const char **out_error);

enum status resp_parse(struct resp_parser *parser, const struct resp_limits *limits,
                       struct bytes input, struct resp_command *command, uint32_t *out_needed,
                       const char **out_error)
{
    assert(limits->arguments_max > 0 && limits->arguments_max <= RESP_ARGUMENTS_MAX);
    assert(parser->offset <= input.size);
    if (input.size == 0) {
        *out_needed = 1;
        return STATUS_INCOMPLETE;
    }
    if (input.data[0] != '*')
        return parse_line(parser, limits, input, command, out_needed, out_error);

    bool resumed = parser->offset > 0;
    enum status status = parse_array(parser, limits, input, command, out_needed, out_error);
    if (status == STATUS_OK && resumed) {
        /* Views from earlier calls are lost. A second walk over the headers makes them anew; the
         * bodies are stepped over. */
        status = parse_array(parser, limits, input, command, out_needed, out_error);
        assert(status == STATUS_OK);
    }
    return status;
}

/* ---- Arrays of bulk strings ----------------------------------------------------------------- */

static enum status parse_count(struct resp_parser *parser, const struct resp_limits *limits,
                               struct bytes input, uint32_t *out_needed, const char **out_error);
static inline enum status parse_length(struct bytes input, size_t offset, size_t *out_after,
                                       uint64_t *out_value);
static enum status wait_for(struct resp_parser *parser, size_t offset, uint32_t left,
                            uint64_t needed, struct bytes input, uint32_t *out_needed);

static enum status parse_array(struct resp_parser *parser, const struct resp_limits *limits,
                               struct bytes input, struct resp_command *command,
                               uint32_t *out_needed, const char **out_error)
{
    if (parser->offset == 0) {
        enum status status = parse_count(parser, limits, input, out_needed, out_error);
        if (status != STATUS_OK)
            return status;
    }
    size_t offset = parser->offset;
    uint32_t left = parser->arguments_left;
    struct bytes *argument = command->arguments + (parser->count - left);
    for (; left > 0; left--, argument++) {
        size_t body;
        uint64_t length;
        uint64_t frame_min = offset + (uint64_t)left * ARGUMENT_FRAME_BYTES_MIN;
        if (offset == input.size)
            return wait_for(parser, offset, left, frame_min, input, out_needed);
        if (input.data[offset] != '$')
            return refuse_mark(parser, input.data[offset], out_error);
        enum status status = parse_length(input, offset + 1, &body, &length);
        if (status == STATUS_INCOMPLETE)
            return wait_for(parser, offset, left, frame_min, input, out_needed);
        if (status != STATUS_OK)
            return refuse(STATUS_INVALID, ERROR("invalid bulk length"), out_error);
        if (length > limits->argument_bytes_max)
            return refuse(STATUS_TOO_BIG, ERROR("invalid bulk length"), out_error);

        uint64_t end = body + length + 2;
        frame_min = end + (uint64_t)(left - 1) * ARGUMENT_FRAME_BYTES_MIN;
        if (frame_min > limits->command_bytes_max)
            return refuse(STATUS_TOO_BIG, ERROR("too big command"), out_error);
        if (end > input.size)
            return wait_for(parser, offset, left, frame_min, input, out_needed);
        if (input.data[end - 2] != '\r' || input.data[end - 1] != '\n')
            return refuse(STATUS_INVALID, ERROR("expected CRLF after an argument"), out_error);
        *argument = bytes_make(input.data + body, length);
        offset = end;
    }
    command->count = parser->count;
    command->frame_bytes = (uint32_t)offset;
    parser->offset = parser->arguments_left = parser->count = 0;
    return STATUS_OK;
}

/* `*5` and CRLF; a negative count is an empty command, as in Redis. */
static enum status parse_count(struct resp_parser *parser, const struct resp_limits *limits,
                               struct bytes input, uint32_t *out_needed, const char **out_error)
{
    size_t after;
    uint64_t count;
    bool negative = input.size > 1 && input.data[1] == '-';
    enum status status = parse_length(input, negative ? 2 : 1, &after, &count);
    if (status == STATUS_INCOMPLETE)
        return wait_for(parser, 0, 0, 0, input, out_needed);
    if (status != STATUS_OK || (negative && count == 0))
        return refuse(STATUS_INVALID, ERROR("invalid multibulk length"), out_error);
    if (negative)
        count = 0;
    if (count > limits->arguments_max)
        return refuse(STATUS_TOO_BIG, ERROR("invalid multibulk length"), out_error);
    if (after + count * ARGUMENT_FRAME_BYTES_MIN > limits->command_bytes_max)
        return refuse(STATUS_TOO_BIG, ERROR("too big command"), out_error);
    parser->offset = (uint32_t)after;
    parser->count = parser->arguments_left = (uint32_t)count;
    return STATUS_OK;
}

/* Digits without needless zeros, and CRLF. Reads on into the padding, and decides afterwards
 * whether what ended the digits had come. In line, for the outputs to stay in registers: the next
 * header's address waits for this length, which is what parsing costs. */
static inline __attribute__((always_inline)) enum status
parse_length(struct bytes input, size_t offset, size_t *out_after, uint64_t *out_value)
{
    static_assert(LENGTH_DIGITS_MAX < BYTES_PADDING, "the digits end in the padding");
    const uint8_t *digits = input.data + offset, *at = digits, *end = input.data + input.size;
    uint64_t value = 0;
    for (unsigned digit; (digit = (unsigned)*at - '0') <= 9 && at - digits < LENGTH_DIGITS_MAX;
         at++)
        value = value * 10 + digit;
    if (at >= end)
        return STATUS_INCOMPLETE;
    if (*at != '\r' || at == digits || (*digits == '0' && at - digits > 1))
        return STATUS_INVALID;
    if (at + 1 == end)
        return STATUS_INCOMPLETE;
    if (at[1] != '\n')
        return STATUS_INVALID;
    *out_after = (size_t)(at + 2 - input.data);
    *out_value = value;
    return STATUS_OK;
}

static enum status wait_for(struct resp_parser *parser, size_t offset, uint32_t left,
                            uint64_t needed, struct bytes input, uint32_t *out_needed)
{
    parser->offset = (uint32_t)offset;
    parser->arguments_left = left;
    *out_needed = (uint32_t)(needed > input.size ? needed : input.size + 1);
    return STATUS_INCOMPLETE;
}

/* ---- Inline commands ------------------------------------------------------------------------ */

/* Reads and writes the words of one line. What is written never overtakes what is read. */
struct words {
    const uint8_t *at, *end;
    uint8_t *out;
};

static enum status split_words(const struct resp_limits *limits, struct words *words,
                               struct resp_command *command, const char **out_error);
static bool is_attack(struct bytes word);

static enum status parse_line(struct resp_parser *parser, const struct resp_limits *limits,
                              struct bytes input, struct resp_command *command,
                              uint32_t *out_needed, const char **out_error)
{
    size_t bound = limits->command_bytes_max < RESP_INLINE_BYTES_MAX ? limits->command_bytes_max
                                                                     : RESP_INLINE_BYTES_MAX;
    size_t size = input.size < bound ? input.size : bound;
    const uint8_t *newline = memchr(input.data + parser->offset, '\n', size - parser->offset);
    if (newline == NULL) {
        if (size == bound)
            return refuse(STATUS_TOO_BIG, ERROR("too big inline request"), out_error);
        return wait_for(parser, size, 0, 0, input, out_needed);
    }
    struct words words = {input.data, newline, (uint8_t *)(uintptr_t)input.data};
    enum status status = split_words(limits, &words, command, out_error);
    if (status != STATUS_OK)
        return status;
    command->frame_bytes = (uint32_t)(newline + 1 - input.data);
    parser->offset = 0;
    return STATUS_OK;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool read_word(struct words *words);

/* Redis's quoting (its sdssplitargs): 'single' with \' inside, "double" with \n \r \t \b \a \xHH. A
 * CR before the LF is a blank like others. */
static enum status split_words(const struct resp_limits *limits, struct words *words,
                               struct resp_command *command, const char **out_error)
{
    uint32_t count = 0;
    for (;;) {
        while (words->at < words->end && is_space(*words->at))
            words->at++;
        if (words->at == words->end)
            break;
        const uint8_t *start = words->out;
        if (!read_word(words))
            return refuse(STATUS_INVALID, ERROR("unbalanced quotes in request"), out_error);
        size_t size = (size_t)(words->out - start);
        if (count == limits->arguments_max || size > limits->argument_bytes_max)
            return refuse(STATUS_TOO_BIG, ERROR("too big inline request"), out_error);
        command->arguments[count++] = bytes_make(start, size);
        if (count == 1 && is_attack(command->arguments[0]))
            return STATUS_DENIED;
    }
    command->count = count;
    return STATUS_OK;
}

static bool is_attack(struct bytes word)
{
    return bytes_equal_fold(word, BYTES_LITERAL("POST")) ||
           bytes_equal_fold(bytes_slice(word, 0, 5), BYTES_LITERAL("Host:"));
}

static bool read_quoted(struct words *words, uint8_t quote);

/* One word up to a blank, or to the end of its quotes, which may begin inside it. */
static bool read_word(struct words *words)
{
    for (; words->at < words->end; words->at++) {
        uint8_t byte = *words->at;
        if (byte == ' ' || byte == '\t' || byte == '\r')
            return true;
        if (byte == '"' || byte == '\'') {
            words->at++;
            return read_quoted(words, byte);
        }
        *words->out++ = byte;
    }
    return true;
}

static uint8_t read_escape(struct words *words);

static bool read_quoted(struct words *words, uint8_t quote)
{
    while (words->at < words->end) {
        uint8_t byte = *words->at++;
        bool more = words->at < words->end;
        if (byte == quote)
            return !more || is_space(*words->at);
        if (byte == '\\' && more && quote == '"')
            byte = read_escape(words);
        else if (byte == '\\' && more && *words->at == '\'')
            byte = *words->at++;
        *words->out++ = byte;
    }
    return false;
}

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* What follows a backslash between double quotes; there is at least one byte. */
static uint8_t read_escape(struct words *words)
{
    uint8_t byte = *words->at++;
    switch (byte) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    case 'x':
        if (words->end - words->at >= 2 && hex_value(words->at[0]) >= 0 &&
            hex_value(words->at[1]) >= 0) {
            byte = (uint8_t)(hex_value(words->at[0]) << 4 | hex_value(words->at[1]));
            words->at += 2;
        }
        return byte;
    default: return byte;
    }
}

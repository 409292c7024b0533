#include "io/resp/resp.h"

#include <assert.h>

enum {
    LENGTH_DIGITS_MAX = 10,
    ARGUMENT_FRAME_BYTES_MIN = 6, /* $0 CRLF CRLF */
};

/* ---- Errors --------------------------------------------------------------------------------- */

#define ERROR(text) "ERR Protocol error: " text

#define MARK(text) ERROR("expected '$', got '" text "'")

/* For the printable characters of ASCII, in their order. */
static const char *const mark_errors[] = {
    MARK(" "), MARK("!"), MARK("\""), MARK("#"), MARK("$"),  MARK("%"), MARK("&"), MARK("'"),
    MARK("("), MARK(")"), MARK("*"),  MARK("+"), MARK(","),  MARK("-"), MARK("."), MARK("/"),
    MARK("0"), MARK("1"), MARK("2"),  MARK("3"), MARK("4"),  MARK("5"), MARK("6"), MARK("7"),
    MARK("8"), MARK("9"), MARK(":"),  MARK(";"), MARK("<"),  MARK("="), MARK(">"), MARK("?"),
    MARK("@"), MARK("A"), MARK("B"),  MARK("C"), MARK("D"),  MARK("E"), MARK("F"), MARK("G"),
    MARK("H"), MARK("I"), MARK("J"),  MARK("K"), MARK("L"),  MARK("M"), MARK("N"), MARK("O"),
    MARK("P"), MARK("Q"), MARK("R"),  MARK("S"), MARK("T"),  MARK("U"), MARK("V"), MARK("W"),
    MARK("X"), MARK("Y"), MARK("Z"),  MARK("["), MARK("\\"), MARK("]"), MARK("^"), MARK("_"),
    MARK("`"), MARK("a"), MARK("b"),  MARK("c"), MARK("d"),  MARK("e"), MARK("f"), MARK("g"),
    MARK("h"), MARK("i"), MARK("j"),  MARK("k"), MARK("l"),  MARK("m"), MARK("n"), MARK("o"),
    MARK("p"), MARK("q"), MARK("r"),  MARK("s"), MARK("t"),  MARK("u"), MARK("v"), MARK("w"),
    MARK("x"), MARK("y"), MARK("z"),  MARK("{"), MARK("|"),  MARK("}"), MARK("~")};
static_assert(sizeof mark_errors / sizeof *mark_errors == '~' - ' ' + 1, "all of them");

static enum status refuse(enum status status, const char *text, const char **out_error)
{
    *out_error = text;
    return status;
}

/* What does not print is shown as a blank, so that no log or terminal is led astray. */
static enum status refuse_mark(uint8_t byte, const char **out_error)
{
    uint8_t shown = byte >= ' ' && byte <= '~' ? byte : ' ';
    return refuse(STATUS_INVALID, mark_errors[shown - ' '], out_error);
}

/* ---- Parsing -------------------------------------------------------------------------------- */

static bool parse_whole(const struct resp_limits *limits, struct bytes input,
                        struct resp_command *command);
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
    if (!resumed && parse_whole(limits, input, command))
        return STATUS_OK;
    enum status status = parse_array(parser, limits, input, command, out_needed, out_error);
    if (status == STATUS_OK && resumed) {
        /* Views from earlier calls are lost. A second walk over the headers makes them anew; the
         * bodies are stepped over. */
        status = parse_array(parser, limits, input, command, out_needed, out_error);
        assert(status == STATUS_OK);
    }
    return status;
}

/* ---- Arrays that have wholly come ----------------------------------------------------------- */

enum { HEAD_DIGITS_MAX = 5 }; /* a mark, so many digits and CRLF are a word */

static inline uint64_t load_word(const uint8_t *at)
{
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* A mark, up to HEAD_DIGITS_MAX digits without needless zeros, and CRLF. How many bytes that is; 0
 * if it is not so. A digit's high half is 3; with its low half it is at most 9. */
static inline uint32_t parse_head(const uint8_t *at, uint8_t mark, uint32_t *out_value)
{
    uint64_t word = load_word(at);
    uint32_t first = (uint32_t)(word >> 8 & 0xF), second = (uint32_t)(word >> 16 & 0xF);
    *out_value = first;
    if ((word & 0xFFFFF0FF) == (UINT32_C(0x0A0D3000) | mark))
        return first <= 9 ? 4 : 0;
    *out_value = first * 10 + second;
    if ((word & UINT64_C(0xFFFFF0F0FF)) == (UINT64_C(0x0A0D303000) | mark))
        return first - 1 < 9 && second <= 9 ? 5 : 0;

    uint64_t digits = word >> 8 ^ UINT64_C(0x30303030303030); /* the values of those that are one */
    uint64_t others = (digits | (digits + UINT64_C(0x76767676767676))) & UINT64_C(0x80808080808080);
    if ((uint8_t)word != mark || first == 0 || others == 0)
        return 0;
    uint32_t bits = (uint32_t)__builtin_ctzll(others) & ~UINT32_C(7); /* of the digits */
    if (bits == 0 || bits > HEAD_DIGITS_MAX * 8 || (word >> (bits + 8) & 0xFFFF) != 0x0A0D)
        return 0;
    *out_value = 0;
    for (uint32_t shift = 0; shift < bits; shift += 8)
        *out_value = *out_value * 10 + (uint32_t)(digits >> shift & 0xF);
    return bits / 8 + 3;
}

static inline bool is_line_end(const uint8_t *at)
{
    uint16_t two;
    memcpy(&two, at, sizeof two);
    return two == 0x0A0D;
}

/* The common case in one walk: all of the command has come, and its lengths are short. All others,
 * and what is wrong or too big, go the longer way. It looks on into the padding, and decides then
 * whether what it saw had come. */
static bool parse_whole(const struct resp_limits *limits, struct bytes input,
                        struct resp_command *command)
{
    static_assert(BYTES_PADDING >= 2 * sizeof(uint64_t), "a head, and another behind it");
    const uint8_t *at = input.data, *end = at + input.size;
    uint32_t count, length, head = parse_head(at, '*', &count);
    if (head == 0 || count > limits->arguments_max)
        return false;
    at += head;
    for (uint32_t i = 0; i < count; i++) {
        head = parse_head(at, '$', &length);
        const uint8_t *body = at + head;
        if (head == 0 || end - body < (ptrdiff_t)length + 2 ||
            length > limits->argument_bytes_max || !is_line_end(body + length))
            return false;
        command->arguments[i] = bytes_make(body, length);
        at = body + length + 2;
    }
    if (at > end || at - input.data > (ptrdiff_t)limits->command_bytes_max)
        return false;
    command->count = count;
    command->frame_bytes = (uint32_t)(at - input.data);
    command->is_quoted = false;
    return true;
}

/* ---- All arrays of bulk strings ------------------------------------------------------------- */

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
            return refuse_mark(input.data[offset], out_error);
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
    command->is_quoted = false;
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

static enum status split_words(const struct resp_limits *limits, struct bytes line,
                               struct resp_command *command, const char **out_error);

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
    struct bytes line = {input.data, (size_t)(newline - input.data)};
    enum status status = split_words(limits, line, command, out_error);
    if (status != STATUS_OK)
        return status;
    command->frame_bytes = (uint32_t)(line.size + 1);
    parser->offset = 0;
    return STATUS_OK;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static const uint8_t *skip_word(const uint8_t *at, const uint8_t *end, bool *out_is_quoted);
static bool is_attack(struct bytes word);

/* Words as Redis splits them (its sdssplitargs), with their quotes. A CR before the LF is a blank
 * like others. */
static enum status split_words(const struct resp_limits *limits, struct bytes line,
                               struct resp_command *command, const char **out_error)
{
    const uint8_t *at = line.data, *end = line.data + line.size;
    uint32_t count = 0;
    bool any_quoted = false;
    for (;;) {
        bool is_quoted = false;
        while (at < end && is_space(*at))
            at++;
        if (at == end)
            break;
        const uint8_t *start = at;
        at = skip_word(start, end, &is_quoted);
        if (at == NULL)
            return refuse(STATUS_INVALID, ERROR("unbalanced quotes in request"), out_error);
        size_t size = (size_t)(at - start);
        if (count == limits->arguments_max || size > limits->argument_bytes_max)
            return refuse(STATUS_TOO_BIG, ERROR("too big inline request"), out_error);
        any_quoted = any_quoted || (is_quoted && count > 0);
        command->arguments[count++] = bytes_make(start, size);
        if (count == 1 && is_attack(command->arguments[0]))
            return STATUS_DENIED;
    }
    command->count = count;
    command->is_quoted = any_quoted;
    return STATUS_OK;
}

static bool is_attack(struct bytes word)
{
    return bytes_equal_fold(word, BYTES_LITERAL("POST")) ||
           bytes_equal_fold(bytes_slice(word, 0, 5), BYTES_LITERAL("Host:"));
}

/* The end of the word: a blank, or the end of its quotes, which may begin inside it and must be
 * followed by a blank. NULL if they do not end so. */
static const uint8_t *skip_word(const uint8_t *at, const uint8_t *end, bool *out_is_quoted)
{
    while (at < end && *at != ' ' && *at != '\t' && *at != '\r' && *at != '"' && *at != '\'')
        at++;
    if (at == end || (*at != '"' && *at != '\''))
        return at;
    uint8_t quote = *at++;
    *out_is_quoted = true;
    for (; at < end; at++) {
        if (*at == quote)
            return at + 1 == end || is_space(at[1]) ? at + 1 : NULL;
        if (*at == '\\' && at + 1 < end && (quote == '"' || at[1] == '\''))
            at++;
    }
    return NULL;
}

/* ---- Quotes --------------------------------------------------------------------------------- */

static struct bytes unquote(struct bytes word);

void resp_unquote(struct resp_command *command)
{
    for (uint32_t i = 1; command->is_quoted && i < command->count; i++)
        command->arguments[i] = unquote(command->arguments[i]);
    command->is_quoted = false;
}

static uint8_t read_escape(const uint8_t **at, const uint8_t *end);

/* 'single' quotes with \' inside, "double" ones with \n \r \t \b \a \xHH. What is written never
 * overtakes what is read. */
static struct bytes unquote(struct bytes word)
{
    const uint8_t *at = word.data, *end = word.data + word.size;
    uint8_t *start = (uint8_t *)(uintptr_t)word.data, *out = start, quote = '\0';
    while (at < end) {
        uint8_t byte = *at++;
        if (quote == '\0' && (byte == '"' || byte == '\''))
            quote = byte;
        else if (quote != '\0' && byte == quote)
            break;
        else if (quote == '"' && byte == '\\')
            *out++ = read_escape(&at, end);
        else if (quote == '\'' && byte == '\\' && *at == '\'')
            *out++ = *at++;
        else
            *out++ = byte;
    }
    assert(at == end);
    return bytes_make(start, (size_t)(out - start));
}

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* What follows a backslash between double quotes; the closing quote at least does. */
static uint8_t read_escape(const uint8_t **at, const uint8_t *end)
{
    uint8_t byte = *(*at)++;
    switch (byte) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    case 'x':
        if (end - *at >= 2 && hex_value((*at)[0]) >= 0 && hex_value((*at)[1]) >= 0) {
            byte = (uint8_t)(hex_value((*at)[0]) << 4 | hex_value((*at)[1]));
            *at += 2;
        }
        return byte;
    default: return byte;
    }
}

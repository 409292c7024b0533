#include "io/resp/resp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARGUMENTS_MAX = 8, ARGUMENT_BYTES_MAX = 1024 * 1024, COMMAND_BYTES_MAX = 2 * 1024 * 1024 };

static const struct resp_limits limits = {ARGUMENTS_MAX, ARGUMENT_BYTES_MAX, COMMAND_BYTES_MAX};

static uint64_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* ---- A buffer of exactly its size and padding of what would mislead a careless parser -------- */

static struct bytes buffer_make(const void *data, size_t size, uint64_t *seed)
{
    static const char junk[] = "0123456789\r\n$*\" 'x";
    uint8_t *copy = malloc(size + BYTES_PADDING);
    cr_assert_not_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    for (size_t i = 0; i < BYTES_PADDING; i++)
        copy[size + i] = (uint8_t)junk[random_next(seed) % (sizeof junk - 1)];
    return bytes_make(copy, size);
}

static void buffer_free(struct bytes buffer)
{
    free((void *)(uintptr_t)buffer.data);
}

struct outcome {
    enum status status;
    struct bytes arguments[ARGUMENTS_MAX];
    struct resp_command command;
    uint32_t needed;
    const char *error;
};

static void parse(struct resp_parser *parser, const struct resp_limits *bounds, struct bytes input,
                  struct outcome *outcome)
{
    *outcome = (struct outcome){.command = {outcome->arguments, 99, 99, false}};
    outcome->status =
        resp_parse(parser, bounds, input, &outcome->command, &outcome->needed, &outcome->error);
}

/* "a|b|c" for the arguments, each in its bytes. */
static void assert_arguments(const struct outcome *outcome, const char *expected, const char *what)
{
    char text[4096] = "";
    size_t size = 0;
    for (uint32_t i = 0; i < outcome->command.count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s", i > 0 ? "|" : "",
                                 (int)outcome->command.arguments[i].size,
                                 (const char *)outcome->command.arguments[i].data);
    cr_assert_str_eq(text, expected, "%s", what);
}

/* ---- Whole commands -------------------------------------------------------------------------- */

struct sample {
    const char *input, *arguments;
    uint32_t count;
};

static const struct sample samples[] = {
    {"*1\r\n$4\r\nPING\r\n", "PING", 1},
    {"*5\r\n$4\r\nXADD\r\n$2\r\nin\r\n$1\r\n*\r\n$4\r\nbody\r\n$12\r\nhello\r\nworld\r\n",
     "XADD|in|*|body|hello\r\nworld", 5},
    {"*3\r\n$0\r\n\r\n$1\r\n$\r\n$2\r\n\r\n\r\n", "|$|\r\n", 3},
    {"*0\r\n", "", 0},
    {"*-1\r\n", "", 0},
    {"*-10\r\n", "", 0},
    {"\r\n", "", 0},
    {"\n", "", 0},
    {"  \t \v\f \r\n", "", 0},
    {"PING\r\n", "PING", 1},
    {"PING\n", "PING", 1},
    {"PING\r\r\n", "PING", 1},
    {"  ECHO   hello\tworld  \r\n", "ECHO|hello|world", 3},
    {"ECHO a\rb\r\n", "ECHO|a|b", 3},
    {"ECHO a\vb \vc\r\n", "ECHO|a\vb|c", 3},
    {"ECHO \"hello world\"\r\n", "ECHO|hello world", 2},
    {"ECHO \"\" ''\r\n", "ECHO||", 3},
    {"ECHO a\"b c\" d\r\n", "ECHO|ab c|d", 3},
    {"ECHO \"\\x41\\x7a\\xZZ\\x4\"\r\n", "ECHO|AzxZZx4", 2},
    {"ECHO \"\\x09\\x90\\xaf\\xFA\"\r\n", "ECHO|\x09\x90\xAF\xFA", 2},
    {"ECHO \"\\n\\r\\t\\b\\a\\q\\\\\\\"\"\r\n", "ECHO|\n\r\t\b\aq\\\"", 2},
    {"ECHO '\\'\\n\"\\\\x'\r\n", "ECHO|'\\n\"\\\\x", 2},
    {"ECHO \\x41 \\\r\n", "ECHO|\\x41|\\", 3},
    {"\"PO\\x53T\" \"a\"\r\n", "\"PO\\x53T\"|a", 2}, /* a name keeps its quotes */
    {"\"ECHO\" a\r\n", "\"ECHO\"|a", 2},
    {"poster hosts:\r\n", "poster|hosts:", 2},
    {"GET POST\r\n", "GET|POST", 2},
};

Test(resp, whole_commands)
{
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample *sample = &samples[i];
        struct resp_parser parser = {0};
        struct outcome outcome;
        char more[256];
        size_t size = strlen(sample->input);
        /* A second command behind it is left alone. */
        snprintf(more, sizeof more, "%s*1\r\n$4\r\nNEXT\r\n", sample->input);
        struct bytes input = buffer_make(more, strlen(more), &seed);
        parse(&parser, &limits, input, &outcome);
        cr_assert_eq(outcome.status, STATUS_OK, "%s", sample->input);
        cr_assert(bytes_equal_text(input, more), "parsing changes nothing");
        cr_assert_eq(outcome.command.count, sample->count, "%s", sample->input);
        resp_unquote(&outcome.command);
        cr_assert(!outcome.command.is_quoted);
        resp_unquote(&outcome.command);
        cr_assert_eq(outcome.command.frame_bytes, size, "%s", sample->input);
        assert_arguments(&outcome, sample->arguments, sample->input);

        parse(&parser, &limits, bytes_slice(input, size, input.size), &outcome);
        cr_assert_eq(outcome.status, STATUS_OK);
        assert_arguments(&outcome, "NEXT", sample->input);
        buffer_free(input);
    }
}

/* Each prefix is INCOMPLETE, asks for more than it has and for no more than there is, and lies in
 * another buffer than the one before. */
Test(resp, one_byte_at_a_time)
{
    for (uint64_t round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
            const struct sample *sample = &samples[i];
            struct resp_parser parser = {0};
            struct outcome outcome;
            uint64_t seed = round * 1000 + i;
            size_t size = strlen(sample->input);
            for (size_t have = 0; have < size; have++) {
                struct bytes input = buffer_make(sample->input, have, &seed);
                parse(&parser, &limits, input, &outcome);
                cr_assert_eq(outcome.status, STATUS_INCOMPLETE, "%zu bytes of %s: %s", have,
                             sample->input, status_text(outcome.status));
                cr_assert(outcome.needed > have && outcome.needed <= size,
                          "%u needed with %zu bytes of %s", outcome.needed, have, sample->input);
                cr_assert_eq(outcome.command.count, 99, "untouched");
                buffer_free(input);
            }
            struct bytes input = buffer_make(sample->input, size, &seed);
            parse(&parser, &limits, input, &outcome);
            cr_assert_eq(outcome.status, STATUS_OK, "%s", sample->input);
            cr_assert_eq(outcome.command.frame_bytes, size);
            cr_assert_eq(outcome.command.count, sample->count);
            resp_unquote(&outcome.command);
            assert_arguments(&outcome, sample->arguments, sample->input);
            cr_assert_eq(parser.offset + parser.arguments_left + parser.count, 0);
            buffer_free(input);
        }
}

Test(resp, views_lie_in_the_callers_bytes)
{
    static const char *const texts[] = {"*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n", "ECHO 'a\\'c'\r\n"};
    for (size_t i = 0; i < 2; i++) {
        uint64_t seed = i;
        struct resp_parser parser = {0};
        struct outcome outcome;
        struct bytes input = buffer_make(texts[i], strlen(texts[i]), &seed);
        parse(&parser, &limits, input, &outcome);
        cr_assert_eq(outcome.status, STATUS_OK);
        cr_assert_eq(outcome.command.is_quoted, i == 1);
        resp_unquote(&outcome.command);
        for (uint32_t k = 0; k < 2; k++) {
            struct bytes argument = outcome.command.arguments[k];
            cr_assert(argument.data >= input.data &&
                      argument.data + argument.size <= input.data + input.size);
        }
        buffer_free(input);
    }
}

/* ---- What is still needed -------------------------------------------------------------------- */

static void assert_needed(const char *text, uint32_t needed)
{
    uint64_t seed = needed;
    struct resp_parser parser = {0};
    struct outcome outcome;
    struct bytes input = buffer_make(text, strlen(text), &seed);
    parse(&parser, &limits, input, &outcome);
    cr_assert_eq(outcome.status, STATUS_INCOMPLETE, "%s", text);
    cr_assert_eq(outcome.needed, needed, "%s: %u", text, outcome.needed);
    buffer_free(input);
}

Test(resp, what_is_needed_is_exact_when_a_length_is_known)
{
    assert_needed("", 1);
    assert_needed("*", 2);
    assert_needed("*1\r\n", 4 + 6);
    assert_needed("*2\r\n", 4 + 2 * 6);
    assert_needed("*1\r\n$5", 4 + 6);
    assert_needed("*1\r\n$500000\r\n", 4 + 9 + 500000 + 2);
    assert_needed("*3\r\n$500\r\nabc", 4 + 6 + 500 + 2 + 2 * 6);
    assert_needed("*2\r\n$4\r\nECHO\r\n$300\r\nx", 4 + 10 + 6 + 300 + 2);
    assert_needed("PING", 5);
}

Test(resp, a_long_body_in_pieces)
{
    enum { BODY = 512 * 1024, PIECE = 64 * 1024 };
    static char text[BODY + 128];
    uint64_t seed = 512;
    struct resp_parser parser = {0};
    struct outcome outcome;
    int head =
        snprintf(text, sizeof text, "*5\r\n$4\r\nXADD\r\n$2\r\nin\r\n$1\r\n*\r\n$4\r\nbody\r\n");
    int body = head + snprintf(text + head, sizeof text - (size_t)head, "$%d\r\n", BODY);
    for (size_t i = 0; i < BODY; i++)
        text[(size_t)body + i] = (char)random_next(&seed);
    size_t size = (size_t)body + BODY + 2;
    memcpy(text + size - 2, "\r\n", 2);

    for (size_t have = PIECE; have < size; have += PIECE) {
        struct bytes input = buffer_make(text, have, &seed);
        parse(&parser, &limits, input, &outcome);
        cr_assert_eq(outcome.status, STATUS_INCOMPLETE);
        cr_assert_eq(outcome.needed, size);
        cr_assert_eq(parser.offset, (uint32_t)head, "the body's header is where it goes on");
        buffer_free(input);
    }
    struct bytes input = buffer_make(text, size, &seed);
    parse(&parser, &limits, input, &outcome);
    cr_assert_eq(outcome.status, STATUS_OK);
    cr_assert_eq(outcome.command.count, 5);
    cr_assert(bytes_equal_text(outcome.command.arguments[0], "XADD"));
    cr_assert(bytes_equal_text(outcome.command.arguments[3], "body"));
    cr_assert(bytes_equal(outcome.command.arguments[4], bytes_make(text + body, BODY)));
    buffer_free(input);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

struct refusal {
    const char *input, *error;
    enum status status;
};

/* The wording is compared with a real redis-server's in resp_redis_test.c. */
static const struct refusal refusals[] = {
    {"*\r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*x\r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*01\r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*-0\r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*--1\r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*-\r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*+1\r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*1 \r\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*1\n", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*1\rx", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*12345678901", "ERR Protocol error: invalid multibulk length", STATUS_INVALID},
    {"*9999999999\r\n", "ERR Protocol error: invalid multibulk length", STATUS_TOO_BIG},
    {"*9\r\n", "ERR Protocol error: invalid multibulk length", STATUS_TOO_BIG},
    {"*1\r\nx", "ERR Protocol error: expected '$', got 'x'", STATUS_INVALID},
    {"*1\r\n\r\n", "ERR Protocol error: expected '$', got ' '", STATUS_INVALID},
    {"*1\r\n\x01", "ERR Protocol error: expected '$', got ' '", STATUS_INVALID},
    {"*1\r\n\xFF", "ERR Protocol error: expected '$', got ' '", STATUS_INVALID},
    {"*1\r\n~", "ERR Protocol error: expected '$', got '~'", STATUS_INVALID},
    {"*1\r\n!", "ERR Protocol error: expected '$', got '!'", STATUS_INVALID},
    {"*2\r\n$1\r\na\r\n:", "ERR Protocol error: expected '$', got ':'", STATUS_INVALID},
    {"*1\r\n$\r\n", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$x\r\n", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$-1\r\n", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$+1\r\n", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$01\r\n", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$1 \r\n", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$1\n", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$1\rx", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$12345678901", "ERR Protocol error: invalid bulk length", STATUS_INVALID},
    {"*1\r\n$1048577\r\n", "ERR Protocol error: invalid bulk length", STATUS_TOO_BIG},
    {"*1\r\n$9999999999\r\n", "ERR Protocol error: invalid bulk length", STATUS_TOO_BIG},
    {"*1\r\n$4\r\nPINGxx", "ERR Protocol error: expected CRLF after an argument", STATUS_INVALID},
    {"*1\r\n$4\r\nPING\rx", "ERR Protocol error: expected CRLF after an argument", STATUS_INVALID},
    {"*1\r\n$4\r\nPING\n\r", "ERR Protocol error: expected CRLF after an argument", STATUS_INVALID},
    {"ECHO \"a\r\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"ECHO 'a\r\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"ECHO '\r\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"ECHO \"a\"b\r\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"ECHO 'a'b\r\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"ECHO \"a\\\"\r\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"ECHO \"a\\\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"ECHO 'a\\'\r\n", "ERR Protocol error: unbalanced quotes in request", STATUS_INVALID},
    {"a b c d e f g h i\r\n", "ERR Protocol error: too big inline request", STATUS_TOO_BIG},
    {"POST / HTTP/1.1\r\n", NULL, STATUS_DENIED},
    {"post\r\n", NULL, STATUS_DENIED},
    {"POST 'unbalanced\r\n", NULL, STATUS_DENIED},
    {"Host: example.com\r\n", NULL, STATUS_DENIED},
    {"hOST:example.com\r\n", NULL, STATUS_DENIED},
};

static void assert_refusal(const struct refusal *refusal, const struct outcome *outcome)
{
    cr_assert_eq(outcome->status, refusal->status, "%s: %s", refusal->input,
                 status_text(outcome->status));
    if (refusal->error == NULL)
        cr_assert_null(outcome->error);
    else
        cr_assert_str_eq(outcome->error, refusal->error, "%s", refusal->input);
}

Test(resp, refusals_whole_and_by_the_byte)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        struct resp_parser parser = {0};
        struct outcome outcome;
        uint64_t seed = i;
        size_t size = strlen(refusal->input), have = 0;
        struct bytes input = buffer_make(refusal->input, size, &seed);
        parse(&parser, &limits, input, &outcome);
        assert_refusal(refusal, &outcome);
        buffer_free(input);

        parser = (struct resp_parser){0};
        do {
            input = buffer_make(refusal->input, have, &seed);
            parse(&parser, &limits, input, &outcome);
            buffer_free(input);
        } while (outcome.status == STATUS_INCOMPLETE && have++ < size);
        assert_refusal(refusal, &outcome);
    }
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

static enum status status_of(const struct resp_limits *bounds, const char *text, size_t size)
{
    uint64_t seed = size;
    struct resp_parser parser = {0};
    struct outcome outcome;
    struct bytes input = buffer_make(text, size, &seed);
    parse(&parser, bounds, input, &outcome);
    buffer_free(input);
    return outcome.status;
}

Test(resp, bounds_are_inclusive)
{
    static const char array[] = "*2\r\n$1\r\na\r\n$3\r\nbbb\r\n"; /* 20 bytes */
    static const char line[] = "a bbb\r\n";                       /* 7 bytes */
    struct resp_limits bounds = {2, 3, 20};
    cr_assert_eq(status_of(&bounds, array, 20), STATUS_OK);
    bounds = (struct resp_limits){1, 3, 20};
    cr_assert_eq(status_of(&bounds, array, 20), STATUS_TOO_BIG);
    bounds = (struct resp_limits){2, 2, 20};
    cr_assert_eq(status_of(&bounds, array, 20), STATUS_TOO_BIG);
    bounds = (struct resp_limits){2, 3, 19};
    cr_assert_eq(status_of(&bounds, array, 20), STATUS_TOO_BIG);
    /* Known too big from the first header on, long before the bytes come. */
    bounds = (struct resp_limits){2, 3, 18};
    cr_assert_eq(status_of(&bounds, "*2\r\n$3\r\n", 8), STATUS_TOO_BIG);
    cr_assert_eq(status_of(&bounds, "*2\r\n$2\r\n", 8), STATUS_INCOMPLETE);
    bounds = (struct resp_limits){8, 100, 4 + 7 * 6};
    cr_assert_eq(status_of(&bounds, "*8\r\n", 4), STATUS_TOO_BIG);
    cr_assert_eq(status_of(&bounds, "*7\r\n", 4), STATUS_INCOMPLETE);

    bounds = (struct resp_limits){2, 3, 7};
    cr_assert_eq(status_of(&bounds, line, 7), STATUS_OK);
    bounds = (struct resp_limits){1, 3, 7};
    cr_assert_eq(status_of(&bounds, line, 7), STATUS_TOO_BIG);
    bounds = (struct resp_limits){2, 2, 7};
    cr_assert_eq(status_of(&bounds, line, 7), STATUS_TOO_BIG);
    bounds = (struct resp_limits){2, 3, 6};
    cr_assert_eq(status_of(&bounds, line, 7), STATUS_TOO_BIG);
    cr_assert_eq(status_of(&bounds, line, 5), STATUS_INCOMPLETE);
    cr_assert_eq(status_of(&bounds, line, 6), STATUS_TOO_BIG, "no room for the LF");
}

Test(resp, an_inline_command_is_bounded)
{
    static char text[RESP_INLINE_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    text[RESP_INLINE_BYTES_MAX - 1] = '\n';
    cr_assert_eq(status_of(&limits, text, RESP_INLINE_BYTES_MAX - 1), STATUS_INCOMPLETE);
    cr_assert_eq(status_of(&limits, text, RESP_INLINE_BYTES_MAX), STATUS_OK);
    text[RESP_INLINE_BYTES_MAX - 1] = 'a';
    text[RESP_INLINE_BYTES_MAX] = '\n';
    cr_assert_eq(status_of(&limits, text, RESP_INLINE_BYTES_MAX), STATUS_TOO_BIG);
    cr_assert_eq(status_of(&limits, text, RESP_INLINE_BYTES_MAX + 1), STATUS_TOO_BIG);
}

/* ---- Random pipelines ------------------------------------------------------------------------ */

enum { PIPELINE_COMMANDS = 40, PIPELINE_BYTES_MAX = 1024 * 1024 };

/* The model: arguments as they were written, one after the other. */
struct pipeline {
    uint8_t bytes[PIPELINE_BYTES_MAX];
    size_t size;
    struct {
        uint32_t count;
        size_t offset[ARGUMENTS_MAX], size[ARGUMENTS_MAX], end;
    } commands[PIPELINE_COMMANDS];
};

static size_t random_body_size(uint64_t *seed)
{
    switch (random_next(seed) % 8) {
    case 0: return 0;
    case 1: return random_next(seed) % 3000;
    case 2: return 9 + random_next(seed) % 2;
    default: return random_next(seed) % 20;
    }
}

static void append_text(struct pipeline *pipeline, const char *format, size_t value)
{
    pipeline->size += (size_t)snprintf((char *)pipeline->bytes + pipeline->size,
                                       PIPELINE_BYTES_MAX - pipeline->size, format, value);
}

static void append_command(struct pipeline *pipeline, uint32_t index, uint64_t *seed)
{
    static const char alphabet[] = "\r\n$*0123456789ab";
    uint32_t count = (uint32_t)(random_next(seed) % (ARGUMENTS_MAX + 1));
    pipeline->commands[index].count = count;
    append_text(pipeline, "*%zu\r\n", count);
    for (uint32_t i = 0; i < count; i++) {
        size_t size = random_body_size(seed);
        append_text(pipeline, "$%zu\r\n", size);
        pipeline->commands[index].offset[i] = pipeline->size;
        pipeline->commands[index].size[i] = size;
        for (size_t k = 0; k < size; k++)
            pipeline->bytes[pipeline->size++] =
                (uint8_t)alphabet[random_next(seed) % (sizeof alphabet - 1)];
        append_text(pipeline, "\r\n", 0);
    }
    pipeline->commands[index].end = pipeline->size;
}

static void assert_command(const struct pipeline *pipeline, uint32_t index,
                           const struct outcome *outcome, uint64_t seed)
{
    cr_assert_eq(outcome->command.count, pipeline->commands[index].count, "seed %lu", seed);
    for (uint32_t i = 0; i < outcome->command.count; i++) {
        struct bytes expected = {pipeline->bytes + pipeline->commands[index].offset[i],
                                 pipeline->commands[index].size[i]};
        cr_assert(bytes_equal(outcome->command.arguments[i], expected),
                  "seed %lu, command %u, argument %u", seed, index, i);
    }
}

/* As a connection does: bytes come in pieces, whole commands are taken off the front. */
static void check_pipeline(struct pipeline *pipeline, uint64_t seed)
{
    uint64_t state = seed;
    size_t start = 0, have = 0, piece_max = 1 + random_next(&state) % 2000;
    uint32_t done = 0;
    struct resp_parser parser = {0};
    pipeline->size = 0;
    for (uint32_t i = 0; i < PIPELINE_COMMANDS; i++)
        append_command(pipeline, i, &state);
    while (done < PIPELINE_COMMANDS) {
        struct bytes input = buffer_make(pipeline->bytes + start, have - start, &state);
        size_t used = 0;
        struct outcome outcome;
        for (;;) {
            parse(&parser, &limits, bytes_slice(input, used, input.size), &outcome);
            if (outcome.status != STATUS_OK)
                break;
            assert_command(pipeline, done, &outcome, seed);
            used += outcome.command.frame_bytes;
            cr_assert_eq(start + used, pipeline->commands[done].end, "seed %lu", seed);
            done++;
        }
        cr_assert_eq(outcome.status, STATUS_INCOMPLETE, "seed %lu", seed);
        if (done < PIPELINE_COMMANDS)
            cr_assert(start + used + outcome.needed <= pipeline->commands[done].end,
                      "seed %lu: asks for too much", seed);
        buffer_free(input);
        start += used;
        have += 1 + random_next(&state) % piece_max;
        if (have > pipeline->size)
            have = pipeline->size;
    }
    cr_assert_eq(start, pipeline->size);
}

Test(resp, random_pipelines_split_at_random)
{
    static struct pipeline pipeline;
    for (uint64_t seed = 1; seed <= 300; seed++)
        check_pipeline(&pipeline, seed);
}

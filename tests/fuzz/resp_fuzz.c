/* The command parser: in one piece and in pieces it says the same, the padding never matters, all
 * promises of the header hold, and what it accepts as an array, hiredis reads in the same way.
 *
 * Input: one byte that chooses the pieces, then the bytes of a connection. */
#include <assert.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "io/resp/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARGUMENTS_MAX = 16, ARGUMENT_BYTES_MAX = 2000, COMMAND_BYTES_MAX = 4000 };

static const struct resp_limits limits = {ARGUMENTS_MAX, ARGUMENT_BYTES_MAX, COMMAND_BYTES_MAX};

struct outcome {
    enum status status;
    struct bytes arguments[ARGUMENTS_MAX];
    struct resp_command command;
    uint32_t needed;
    const char *error;
};

static struct bytes buffer_make(struct bytes source, size_t size, uint8_t junk)
{
    static const char bytes[] = "0\r\n$*1 \"'\n9\\x";
    uint8_t *copy = malloc(size + BYTES_PADDING);
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, source.data, size);
    for (size_t i = 0; i < BYTES_PADDING; i++)
        copy[size + i] = (uint8_t)bytes[(i * 7 + junk) % (sizeof bytes - 1)];
    return bytes_make(copy, size);
}

static void buffer_free(struct bytes buffer)
{
    free((void *)(uintptr_t)buffer.data);
}

static void parse(struct resp_parser *parser, struct bytes input, struct outcome *outcome)
{
    *outcome = (struct outcome){.command = {.arguments = outcome->arguments}};
    outcome->status =
        resp_parse(parser, &limits, input, &outcome->command, &outcome->needed, &outcome->error);
    switch (outcome->status) {
    case STATUS_OK:
        assert(outcome->command.count <= ARGUMENTS_MAX);
        assert(outcome->command.frame_bytes > 0 && outcome->command.frame_bytes <= input.size);
        assert(outcome->command.frame_bytes <= COMMAND_BYTES_MAX);
        for (uint32_t i = 0; i < outcome->command.count; i++) {
            struct bytes argument = outcome->command.arguments[i];
            assert(argument.size <= ARGUMENT_BYTES_MAX && argument.data >= input.data);
            assert(argument.data + argument.size <= input.data + outcome->command.frame_bytes);
        }
        assert(!outcome->command.is_quoted || input.data[0] != '*');
        break;
    case STATUS_INCOMPLETE:
        assert(outcome->needed > input.size && outcome->needed <= COMMAND_BYTES_MAX);
        break;
    case STATUS_INVALID:
    case STATUS_TOO_BIG:
        assert(strncmp(outcome->error, "ERR Protocol error: ", 20) == 0);
        for (const char *at = outcome->error; *at != '\0'; at++)
            assert(*at >= ' ' && *at <= '~');
        break;
    default: assert(outcome->status == STATUS_DENIED && input.data[0] != '*');
    }
}

/* In place, no word grows, and none reaches into another. */
static void unquote(struct outcome *outcome)
{
    struct bytes before[ARGUMENTS_MAX];
    memcpy(before, outcome->arguments, sizeof before);
    resp_unquote(&outcome->command);
    for (uint32_t i = 0; i < outcome->command.count; i++) {
        struct bytes argument = outcome->command.arguments[i];
        assert(argument.data == before[i].data && argument.size <= before[i].size);
    }
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert(a->status == b->status);
    if (a->status == STATUS_OK) {
        assert(a->command.count == b->command.count);
        assert(a->command.frame_bytes == b->command.frame_bytes);
        for (uint32_t i = 0; i < a->command.count; i++)
            assert(bytes_equal(a->command.arguments[i], b->command.arguments[i]));
    } else if (a->status == STATUS_INVALID || a->status == STATUS_TOO_BIG) {
        assert(strcmp(a->error, b->error) == 0);
    }
}

/* The bytes come in pieces of 1 to 32, each time in another buffer. */
static void check_pieces(struct bytes source, uint8_t choice, const struct outcome *whole)
{
    struct resp_parser parser = {0};
    uint32_t state = choice;
    for (size_t have = 0;;) {
        struct outcome outcome;
        struct bytes input = buffer_make(source, have, (uint8_t)have);
        parse(&parser, input, &outcome);
        if (outcome.status != STATUS_INCOMPLETE || have == source.size) {
            assert_same(whole, &outcome);
            buffer_free(input);
            return;
        }
        assert(outcome.needed <= whole->command.frame_bytes || whole->status != STATUS_OK);
        buffer_free(input);
        state = state * 1103515245 + 12345;
        have += 1 + (state >> 16) % 32 * (choice & 1);
        if (have > source.size)
            have = source.size;
    }
}

static void check_with_hiredis(struct bytes source, const struct outcome *outcome)
{
    void *object = NULL;
    redisReader *reader = redisReaderCreate();
    assert(redisReaderFeed(reader, (const char *)source.data, outcome->command.frame_bytes) ==
           REDIS_OK);
    assert(redisReaderGetReply(reader, &object) == REDIS_OK && object != NULL);
    const redisReply *reply = object;
    assert(reply->type == REDIS_REPLY_ARRAY && reply->elements == outcome->command.count);
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *element = reply->element[i];
        assert(element->type == REDIS_REPLY_STRING);
        assert(bytes_equal(bytes_make(element->str, (size_t)element->len),
                           outcome->command.arguments[i]));
    }
    freeReplyObject(object);
    redisReaderFree(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    for (int commands = 0; rest.size > 0 && commands < 64; commands++) {
        struct resp_parser parser = {0}, other_parser = {0};
        struct outcome outcome, other;
        struct bytes input = buffer_make(rest, rest.size, data[0]);
        struct bytes other_input = buffer_make(rest, rest.size, (uint8_t)(data[0] + 1));
        parse(&parser, input, &outcome);
        parse(&other_parser, other_input, &other);
        assert_same(&outcome, &other);
        assert(bytes_equal(input, rest));
        check_pieces(rest, data[0], &outcome);
        if (outcome.status == STATUS_OK && rest.data[0] == '*' && outcome.command.count > 0)
            check_with_hiredis(rest, &outcome);
        if (outcome.status == STATUS_OK) {
            unquote(&outcome);
            unquote(&other);
            assert_same(&outcome, &other);
        }
        buffer_free(input);
        buffer_free(other_input);
        if (outcome.status != STATUS_OK)
            break;
        rest = bytes_slice(rest, outcome.command.frame_bytes, rest.size);
    }
    return 0;
}

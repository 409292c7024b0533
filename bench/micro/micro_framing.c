/* `micro framing`: the commands of a receive buffer, found one after another as a session does. */
#include <stdio.h>

#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "bench/wire/request.h"
#include "io/net/chunk.h"
#include "io/resp/resp.h"

enum { ACKNOWLEDGED = 64, ID_BYTES = 24 };

/* What was received, full of whole commands. */
struct framing {
    uint8_t bytes[CHUNK_RECEIVE_BYTES + BYTES_PADDING];
    size_t size;
    uint64_t commands, arguments; /* in it */
    struct bytes views[RESP_ARGUMENTS_MAX];
};

static uint64_t find_commands(void *context)
{
    static const struct resp_limits limits = {RESP_ARGUMENTS_MAX, 1024 * 1024, 2 * 1024 * 1024};
    struct framing *framing = context;
    struct resp_parser parser = {0};
    uint64_t commands = 0, arguments = 0;
    for (size_t at = 0; at < framing->size;) {
        struct resp_command command = {.arguments = framing->views};
        const char *error;
        uint32_t needed;
        if (resp_parse(&parser, &limits, bytes_make(framing->bytes + at, framing->size - at),
                       &command, &needed, &error) != STATUS_OK)
            break;
        at += command.frame_bytes;
        arguments += command.count;
        commands++;
    }
    return commands == framing->commands && arguments == framing->arguments ? commands : 0;
}

/* Adds a command as often as it fits; the body goes last into it, if there is one. */
static void fill(struct framing *framing, const struct bytes *arguments, size_t count,
                 const struct micro_bodies *bodies)
{
    *framing = (struct framing){0};
    uint64_t each = count + (bodies != NULL);
    for (;;) {
        struct bytes body =
            bodies != NULL ? bodies->items[framing->commands % bodies->count] : (struct bytes){0};
        size_t most = REQUEST_HEAD_BYTES_MAX + body.size + each * REQUEST_ARGUMENT_BYTES_ADDED;
        for (size_t i = 0; i < count; i++)
            most += arguments[i].size;
        if (framing->size + most > CHUNK_RECEIVE_BYTES)
            return;
        uint8_t *out = framing->bytes + framing->size, *at = out;
        at += request_write_head(at, each);
        for (size_t i = 0; i < count; i++)
            at += request_write_argument(at, arguments[i]);
        if (bodies != NULL)
            at += request_write_argument(at, body);
        framing->size += (size_t)(at - out);
        framing->commands++;
        framing->arguments += each;
    }
}

static bool measure(struct micro *micro, const char *name, struct framing *framing)
{
    const struct micro_case measured = {.name = name,
                                        .item_bytes =
                                            (double)framing->size / (double)framing->commands,
                                        .turn = find_commands,
                                        .context = framing};
    return micro_measure(micro, &measured);
}

static bool measure_all(struct micro *micro, const struct micro_reading *reading)
{
    static struct framing framing;
    static const struct bytes publish[] = {BYTES_LITERAL("XADD"), BYTES_LITERAL("in"),
                                           BYTES_LITERAL("*"), BYTES_LITERAL("body")};
    static const struct bytes consume[] = {
        BYTES_LITERAL("XREADGROUP"), BYTES_LITERAL("GROUP"), BYTES_LITERAL("all"),
        BYTES_LITERAL("bench"),      BYTES_LITERAL("COUNT"), BYTES_LITERAL("512"),
        BYTES_LITERAL("BLOCK"),      BYTES_LITERAL("1000"),  BYTES_LITERAL("STREAMS"),
        BYTES_LITERAL("all"),        BYTES_LITERAL(">")};
    struct bytes acknowledge[3 + ACKNOWLEDGED] = {BYTES_LITERAL("XACK"), BYTES_LITERAL("all"),
                                                  BYTES_LITERAL("all")};
    char ids[ACKNOWLEDGED][ID_BYTES];
    for (unsigned i = 0; i < ACKNOWLEDGED; i++) {
        snprintf(ids[i], ID_BYTES, "1764000000000-%u", i << 8);
        acknowledge[3 + i] = bytes_from_text(ids[i]);
    }
    fill(&framing, publish, 4, &reading->events);
    bool good = measure(micro, "XADD, event", &framing);
    fill(&framing, publish, 4, &reading->kinds[KIND_CUSDEC]);
    good = good && measure(micro, "XADD, CUSDEC", &framing);
    fill(&framing, consume, sizeof consume / sizeof *consume, NULL);
    good = good && measure(micro, "XREADGROUP", &framing);
    fill(&framing, acknowledge, 3 + ACKNOWLEDGED, NULL);
    return good && measure(micro, "XACK of 64", &framing);
}

bool micro_framing(struct micro *micro)
{
    static struct micro_reading reading;
    bool good = micro_reading_open(&reading) && measure_all(micro, &reading);
    micro_reading_close(&reading);
    return good;
}

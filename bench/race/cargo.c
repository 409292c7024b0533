#include "bench/race/cargo.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/peers/peer.h"
#include "bench/wire/request.h"

enum {
    COMMAND_BYTES_ADDED_MAX = 96, /* around a body */
    PPM_PER_PERCENT = 10000
};

static enum status plan(const struct scenario *scenario, uint32_t message_count, uint64_t seed,
                        struct cargo *cargo);
static enum status reserve(struct cargo *cargo);
static void load(struct cargo *cargo);

enum status cargo_open(const struct scenario *scenario, uint32_t message_count, uint64_t seed,
                       struct cargo *out_cargo)
{
    struct cargo cargo = {0};
    enum status status = plan(scenario, message_count, seed, &cargo);
    if (status == STATUS_OK)
        status = reserve(&cargo);
    if (status == STATUS_OK)
        load(&cargo);
    else
        cargo_close(&cargo);
    if (status == STATUS_OK)
        *out_cargo = cargo;
    return status;
}

void cargo_close(struct cargo *cargo)
{
    if (cargo->arena != NULL)
        munmap(cargo->arena, cargo->arena_bytes);
    reserve_close(&cargo->reserve);
    free(cargo->stream_first);
    day_close(&cargo->day);
    *cargo = (struct cargo){0};
}

/* A day's own streams; or, of more than it has, even shares of its messages, which then must not
 * refer to each other. */
static enum status plan(const struct scenario *scenario, uint32_t message_count, uint64_t seed,
                        struct cargo *cargo)
{
    uint32_t streams = scenario->connection_count;
    uint32_t day_streams = streams < DAY_STREAMS_MAX ? streams : DAY_STREAMS_MAX;
    assert(streams <= DAY_STREAMS_MAX ||
           (scenario->mix == MIX_EVENTS && scenario->replay_percent == 0));
    const struct day_settings settings = {
        .seed = seed,
        .message_count = message_count,
        .stream_count = day_streams,
        .mix = scenario->mix,
        .event_bytes = scenario->event_bytes,
        .replay_ppm = scenario->replay_percent * PPM_PER_PERCENT,
    };
    enum status status = day_open(&settings, &cargo->day);
    if (status != STATUS_OK)
        return status;
    cargo->stream_first = calloc(streams + 1, sizeof *cargo->stream_first);
    if (cargo->stream_first == NULL)
        return STATUS_NO_MEMORY;
    cargo->message_count = message_count;
    cargo->stream_count = streams;
    for (uint32_t s = 0; s <= streams; s++)
        cargo->stream_first[s] = streams == day_streams
                                     ? cargo->day.stream_first[s]
                                     : (uint32_t)((uint64_t)message_count * s / streams);
    return STATUS_OK;
}

/* The arena is as large as it could ever need to be; only what is written takes memory. */
static enum status reserve(struct cargo *cargo)
{
    cargo->reserve = reserve_open(cargo->message_count, sizeof *cargo->messages);
    if (cargo->reserve.memory == NULL)
        return STATUS_NO_MEMORY;
    cargo->messages = cargo->reserve.memory;
    const struct day_settings *settings = &cargo->day.settings;
    size_t body_bytes_max =
        settings->mix == MIX_EVENTS ? settings->event_bytes : DAY_MESSAGE_BYTES_MAX;
    cargo->arena_bytes =
        cargo->message_count * (body_bytes_max + COMMAND_BYTES_ADDED_MAX) + DAY_MESSAGE_BYTES_MAX;
    void *arena = mmap(NULL, cargo->arena_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
        return STATUS_NO_MEMORY;
    madvise(arena, cargo->arena_bytes, MADV_HUGEPAGE);
    cargo->arena = arena;
    return STATUS_OK;
}

/* Writes `XADD in * body <body>`. */
static void write_command(struct cargo *cargo, uint32_t index, uint64_t at)
{
    uint8_t body[DAY_MESSAGE_BYTES_MAX];
    struct cargo_message *message = &cargo->messages[index];
    uint8_t *out = cargo->arena + at;
    size_t size = 0, body_size = day_render(&cargo->day, index, body);
    size += request_write_head(out, 5);
    size += request_write_argument(out + size, BYTES_LITERAL("XADD"));
    size += request_write_argument(out + size, BYTES_LITERAL(PEER_CHANNEL));
    size += request_write_argument(out + size, BYTES_LITERAL("*"));
    message->entry_at = (uint8_t)size;
    size += request_write_argument(out + size, BYTES_LITERAL("body"));
    size += request_write_argument(out + size, bytes_make(body, body_size));
    message->at = at;
    message->size = (uint32_t)size;
    message->body_at = (uint8_t)(size - 2 - body_size);
    cargo->body_bytes += body_size;
}

/* Keys are numbered anew, so that none is shared by two streams. */
static void load(struct cargo *cargo)
{
    uint64_t at = 0;
    for (uint32_t s = 0; s < cargo->stream_count; s++) {
        uint32_t first = cargo->stream_first[s], end = cargo->stream_first[s + 1];
        uint32_t key_offset = cargo->key_count, key_end = cargo->key_count;
        for (uint32_t i = first; i < end; i++) {
            const struct day_message *planned = &cargo->day.messages[i];
            struct cargo_message *message = &cargo->messages[i];
            write_command(cargo, i, at);
            at += message->size;
            message->kind = planned->kind;
            message->twin = planned->fate == FATE_REPLAY ? planned->twin : CARGO_NO_MESSAGE;
            message->key = key_offset + planned->order_key - cargo->day.messages[first].order_key;
            if (message->key >= key_end)
                key_end = message->key + 1;
            cargo->first_count += message->twin == CARGO_NO_MESSAGE;
        }
        cargo->key_count = key_end;
    }
}

uint32_t cargo_stream_of(const struct cargo *cargo, uint32_t index)
{
    uint32_t low = 0, high = cargo->stream_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (cargo->stream_first[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

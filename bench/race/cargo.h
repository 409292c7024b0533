/* The messages of one run, rendered before the clock starts: one arena that holds, stream by
 * stream, the commands as they go out, and beside it what is known of each message.
 *
 * A command is `XADD in * body <body>` in RESP. From `entry_at` on it reads just as the field
 * stands in an entry that is delivered: `$4 body $<size> <body>`, so that one memcmp verifies a
 * delivery. Other protocols take the body alone. Immutable once open; any thread may read. */
#ifndef KOUAN_BENCH_CARGO_H
#define KOUAN_BENCH_CARGO_H

#include "bench/day/day.h"
#include "bench/race/scenario.h"
#include "bench/reserve.h"

struct cargo_message {
    uint64_t at;               /* of its command in the arena */
    uint32_t size;             /* of its command */
    uint32_t twin;             /* the message that it repeats, or CARGO_NO_MESSAGE */
    uint32_t key;              /* equal for messages that must stay in order */
    uint8_t entry_at, body_at; /* from the command's start */
    uint8_t kind;              /* enum day_kind */
};

#define CARGO_NO_MESSAGE DAY_NO_MESSAGE

struct cargo {
    struct reserve reserve;
    struct day day; /* its plan only, for findings */
    uint8_t *arena;
    size_t arena_bytes;
    struct cargo_message *messages;
    uint32_t message_count, first_count /* without the repeats */, key_count, stream_count;
    uint64_t body_bytes;    /* of all */
    uint32_t *stream_first; /* stream s is [first[s], first[s + 1]) */
};

/* `seed` decides all bytes: other seeds are other messages to a server that dedupes. NO_MEMORY or
 * OK. */
MUST_CHECK enum status cargo_open(const struct scenario *scenario, uint32_t message_count,
                                  uint64_t seed, struct cargo *out_cargo);
void cargo_close(struct cargo *cargo);

/* The stream that a message is of. */
uint32_t cargo_stream_of(const struct cargo *cargo, uint32_t index);

static inline struct bytes cargo_command(const struct cargo *cargo, uint32_t index)
{
    const struct cargo_message *message = &cargo->messages[index];
    return bytes_make(cargo->arena + message->at, message->size);
}

/* `$4 body $<size> <body>` with its last CRLF. */
static inline struct bytes cargo_entry(const struct cargo *cargo, uint32_t index)
{
    const struct cargo_message *message = &cargo->messages[index];
    return bytes_make(cargo->arena + message->at + message->entry_at,
                      message->size - message->entry_at);
}

static inline struct bytes cargo_body(const struct cargo *cargo, uint32_t index)
{
    const struct cargo_message *message = &cargo->messages[index];
    return bytes_make(cargo->arena + message->at + message->body_at,
                      message->size - message->body_at - 2);
}

#endif

/* One stream socket of the load client, without blocking, with a buffer in each direction. It knows
 * no protocol. Owned by one thread. */
#ifndef KOUAN_BENCH_WIRE_H
#define KOUAN_BENCH_WIRE_H

#include <sys/socket.h>

#include "core/bytes.h"
#include "core/status.h"

/* `127.0.0.1:7400`, `[::1]:7400`, `name:7400`, `unix:/run/kouan.sock`. */
struct target {
    struct sockaddr_storage storage;
    socklen_t size;
    char text[128];
};

/* INVALID or NOT_FOUND. */
MUST_CHECK enum status target_parse(const char *text, struct target *out_target);

/* A socket without blocking, after connecting for at most a few seconds; IO if there is no one. */
MUST_CHECK enum status target_connect(const struct target *target, int *out_descriptor);

struct wire_buffer {
    uint8_t *data;
    size_t capacity, start, end; /* in use: [start, end) */
};

struct wire {
    int descriptor; /* -1: down */
    struct wire_buffer input, output;
    bool watches_room; /* what the poller was told */
};

MUST_CHECK enum status wire_open(struct wire *wire, size_t input_capacity, size_t output_capacity);
void wire_close(struct wire *wire);

/* Connects, for at most a few seconds; IO if there is no one. The wire must be down. */
MUST_CHECK enum status wire_connect(struct wire *wire, const struct target *target);
/* Ends the connection and empties the buffers. */
void wire_drop(struct wire *wire);

/* Takes in what has arrived, as far as there is room: OK also if nothing was there; IO: the
 * connection is over (what came before is still in the buffer). */
MUST_CHECK enum status wire_receive(struct wire *wire);
struct bytes wire_input(const struct wire *wire);
void wire_consume(struct wire *wire, size_t size);

/* Room behind the output, after moving what is unsent to the front: write at `wire_room_start`,
 * then commit. */
size_t wire_room(struct wire *wire);
uint8_t *wire_room_start(struct wire *wire);
void wire_commit(struct wire *wire, size_t size);
size_t wire_unsent(const struct wire *wire);
/* Sends as much as the kernel takes. */
MUST_CHECK enum status wire_flush(struct wire *wire);

/* Tells the epoll instance to report input, and room for output while something is unsent. */
void wire_watch(struct wire *wire, int poller, uint32_t number);
void wire_update_watch(struct wire *wire, int poller, uint32_t number);

#endif

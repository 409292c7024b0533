/* One consumer of the fast client: reads a destination for a group, has every entry verified where
 * it lies, and acknowledges what one read brought with one XACK. That goes over a connection of its
 * own, so that the next read need not wait until the acknowledgements are on disk. From a server
 * that pushes (the null router) it takes the commands that come, and acknowledges nothing. */
#ifndef KOUAN_BENCH_PULLER_H
#define KOUAN_BENCH_PULLER_H

#include "bench/race/proof.h"
#include "bench/race/schedule.h"
#include "bench/wire/receipt.h"
#include "bench/wire/wire.h"

enum { PULLER_BATCH_MAX = 1000, PULLER_COMMAND_BYTES_MAX = 384, PULLER_FIELDS_BYTES_MAX = 96 };

/* What all pullers of a run share. */
struct pulling {
    const struct cargo *cargo;
    struct proof *proof;
    struct schedule *schedule;
    struct histogram *delivery_ns;
    bool has_fields;     /* message_type and verdict: set before pulling_init() */
    struct bytes fields; /* `*<count>` of an entry's names and values */
    struct pulling_fields {
        uint8_t text[PULLER_FIELDS_BYTES_MAX];
        size_t size;
    } of_kind[KIND_COUNT]; /* what follows the body in an entry */
    char problem[160];     /* why the run cannot go on, or "" */
};

struct puller_settings {
    const char *stream, *group;
    uint32_t consumer;        /* as the proof counts them */
    uint32_t batch, block_ms; /* entries a read, at most PULLER_BATCH_MAX; an empty one's wait */
    bool is_pushed;           /* it subscribes, once, and asks for nothing */
};

struct puller {
    struct wire reading, acknowledging;
    uint32_t consumer, batch;
    bool is_pushed; /* then `acknowledging` stays down */
    uint8_t read[PULLER_COMMAND_BYTES_MAX], acknowledge[PULLER_COMMAND_BYTES_MAX];
    size_t read_size, acknowledge_size; /* the command; the words of an XACK behind its head */
    struct receipt_reader ids;
    uint32_t entries_left; /* of the reply at hand */
    bool in_fields;        /* of an entry whose body was verified */
    uint32_t index;        /* the message of that entry, or CARGO_NO_MESSAGE */
    bool must_read;        /* as soon as there is room for its acknowledgement */
    uint64_t delivered_count, acknowledged_count;
};

void pulling_init(struct pulling *pulling);

/* NO_MEMORY or OK. */
MUST_CHECK enum status puller_open(const struct puller_settings *settings,
                                   struct puller *out_puller);
void puller_close(struct puller *puller);

/* All of these: IO: a connection is over; INVALID, with pulling->problem: it cannot go on. */
MUST_CHECK enum status puller_connect(struct puller *puller, const struct target *target);
MUST_CHECK enum status puller_start(struct puller *puller); /* asks for its first entries */
MUST_CHECK enum status puller_receive_entries(struct pulling *pulling, struct puller *puller,
                                              uint64_t now_ns);
MUST_CHECK enum status puller_receive_answers(struct pulling *pulling, struct puller *puller);
MUST_CHECK enum status puller_flush(struct puller *puller);

/* Everything delivered was acknowledged, and that was answered. */
static inline bool puller_is_settled(const struct puller *puller)
{
    return puller->delivered_count == puller->acknowledged_count;
}

#endif

/* One publishing connection: sends the messages of one stream of the day as pipelined XADDs, with a
 * bounded number in flight, and hands every answer to the checker.
 *
 * TRYAGAIN: the message is sent again after a pause, before any new one. A broken connection is
 * made anew, and what had neither receipt nor refusal is sent again, in order. */
#ifndef KOUAN_BENCH_PUBLISHER_H
#define KOUAN_BENCH_PUBLISHER_H

#include "bench/histogram.h"
#include "bench/load/checker.h"
#include "bench/wire/wire.h"

enum {
    PUBLISHER_WINDOW_MAX = 16 * 1024,
    PUBLISHER_OUTPUT_BYTES = 256 * 1024,
    PUBLISHER_INPUT_BYTES = 256 * 1024
};

struct publisher_settings {
    const struct day *day;
    struct checker *checker;
    const struct target *target;
    const char *channel;
    const char *login; /* words of AUTH, or NULL */
    uint32_t *sent_us; /* by message: when it was first sent, since `start_ns` */
    uint64_t start_ns;
    uint32_t window;    /* 1 .. PUBLISHER_WINDOW_MAX */
    double interval_ns; /* between messages; 0: as fast as it goes */
    uint8_t stream;
};

struct publisher_flight {
    uint32_t index;
    uint64_t sent_ns; /* for the first time */
};

/* A bounded queue. */
struct publisher_queue {
    struct publisher_flight *items;
    uint32_t capacity, first, count;
};

struct publisher {
    struct publisher_settings settings;
    struct wire wire;
    struct publisher_queue in_flight, again; /* together at most `window` */
    uint32_t next, end;                      /* of the stream's messages */
    uint64_t pause_until_ns;
    bool awaits_login;
    struct histogram *receipt_ns;
    uint64_t reconnects;
    char problem[160]; /* why it gave up, or "" */
};

MUST_CHECK enum status publisher_open(const struct publisher_settings *settings,
                                      struct publisher *out_publisher);
void publisher_close(struct publisher *publisher);

/* IO if nobody answers. */
MUST_CHECK enum status publisher_connect(struct publisher *publisher);
/* After the connection broke. */
void publisher_disconnected(struct publisher *publisher);

/* Reads answers; IO if the connection is over. */
MUST_CHECK enum status publisher_receive(struct publisher *publisher, uint64_t now_ns);
/* Writes and sends what may go out now. */
MUST_CHECK enum status publisher_send(struct publisher *publisher, uint64_t now_ns);

/* When the next message is to go out, at a constant rate; UINT64_MAX if an answer must come first,
 * or the rate is none. */
uint64_t publisher_due_ns(const struct publisher *publisher);

bool publisher_is_done(const struct publisher *publisher);

#endif

/* One consuming connection: reads a destination for a group, hands every delivery to the checker
 * and acknowledges it. After a broken connection it first reads again what it had not acknowledged.
 */
#ifndef KOUAN_BENCH_CONSUMER_H
#define KOUAN_BENCH_CONSUMER_H

#include "bench/histogram.h"
#include "bench/load/checker.h"
#include "bench/wire/wire.h"

enum {
    CONSUMER_BATCH_MAX = 1000,
    CONSUMER_INPUT_BYTES = 1024 * 1024,
    CONSUMER_OUTPUT_BYTES = 128 * 1024
};

struct consumer_settings {
    struct checker *checker;
    const struct target *target;
    const char *destination, *group;
    const char *login; /* words of AUTH, or NULL */
    const uint32_t *sent_us;
    uint64_t start_ns;
    uint32_t batch;    /* entries per read, 1 .. CONSUMER_BATCH_MAX */
    uint32_t block_ms; /* how long an empty read waits */
    uint8_t outlet;
};

enum consumer_awaits { AWAITS_LOGIN, AWAITS_ACKNOWLEDGEMENT, AWAITS_READ, AWAITS_ENTRIES };

struct consumer {
    struct consumer_settings settings;
    struct wire wire;
    enum consumer_awaits awaits;
    uint32_t entries_left; /* of the reply at hand */
    bool reads_again;      /* its own unacknowledged entries, after a reconnect */
    struct record_id last; /* read so far while it reads again */
    uint8_t *acknowledge;  /* ids as arguments of the coming XACK */
    size_t acknowledge_size;
    uint32_t acknowledge_count;
    uint64_t acknowledged, reconnects;
    struct histogram *delivery_ns; /* from the first sending */
    char problem[160];
};

MUST_CHECK enum status consumer_open(const struct consumer_settings *settings,
                                     struct consumer *out_consumer);
void consumer_close(struct consumer *consumer);

MUST_CHECK enum status consumer_connect(struct consumer *consumer);
void consumer_disconnected(struct consumer *consumer);

/* Reads what came, checks it and writes the next commands; IO if the connection is over, INVALID
 * with a problem if the server says what it must not. */
MUST_CHECK enum status consumer_receive(struct consumer *consumer, uint64_t now_ns);
MUST_CHECK enum status consumer_send(struct consumer *consumer);

#endif

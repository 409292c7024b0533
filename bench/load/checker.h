/* Verifies every receipt and every delivery of a day against the day's own plan.
 *
 * Receipts: a message that is kept gets an id, above all before it on its connection and shared
 * with nothing but its own replays; what must be refused is refused for the right reason.
 * Deliveries: each destination gets exactly what the rule sheet says, each body just as it was
 * sent, once, under the id of its receipt, and messages with the same keys in the order of their
 * ids. A replay that overtakes its first (the first was told to try again) changes places with it:
 * their receipts must be equal all the same.
 *
 * Bodies are known by their XXH3 hash, so that none need be kept. Memory is reserved at open: about
 * 50 bytes a message and four per order key and destination. One thread at a time. */
#ifndef KOUAN_BENCH_CHECKER_H
#define KOUAN_BENCH_CHECKER_H

#include <stdio.h>

#include "bench/load/body_index.h"
#include "bench/load/findings.h"
#include "bench/load/tally.h"
#include "bench/wire/reply.h"

enum checker_model {
    MODEL_DEMO, /* Kouan with bench/demo/: the rule sheet decides */
    MODEL_OPEN, /* Kouan without a configuration: what is well-formed goes to one destination */
    MODEL_PLAIN /* a log that keeps all and reads nothing, such as a Redis stream */
};

enum { CHECKER_OUTLETS_MAX = OUTLET_COUNT };

struct checker_settings {
    const struct day *day;
    enum checker_model model; /* DEMO has OUTLET_COUNT outlets, the others one */
};

struct checker {
    struct checker_settings settings;
    uint8_t outlet_count;
    struct reserve reserve;   /* of the next ones, but for copies */
    struct record_id *ids;    /* by message; {0, 0}: not known yet */
    uint8_t *marks;           /* by message: see checker.c */
    uint8_t *delivered;       /* by message: bits of outlets; MODEL_PLAIN: how often */
    uint8_t *copies;          /* MODEL_PLAIN, by message: how often its body is sent; else NULL */
    uint32_t *last_delivered; /* by outlet and order key: message + 1 */
    struct body_index bodies;
    struct record_id last_receipts[DAY_STREAMS_MAX];

    struct tally tallies[EPORT_COUNT];
    struct tally_reasons reasons;
    uint64_t answered_count;                         /* messages with their final answer */
    uint64_t due[CHECKER_OUTLETS_MAX];               /* deliveries owed, by the receipts */
    uint64_t delivered_count[CHECKER_OUTLETS_MAX];   /* right ones, each counted once */
    uint64_t redelivered_count[CHECKER_OUTLETS_MAX]; /* after a reconnect */
    struct findings findings;
};

/* NO_MEMORY or OK. */
MUST_CHECK enum status checker_open(const struct checker_settings *settings,
                                    struct checker *out_checker);
void checker_close(struct checker *checker);

/* A message goes out for the first time; before its receipt or delivery can come. */
void checker_sent(struct checker *checker, uint32_t index, struct bytes body);

/* It goes out again: the server told to try again, or the connection broke before its answer. */
void checker_resent(struct checker *checker, uint32_t index, bool connection_broke);

/* Its answer. `id` or an error line without `-`. */
void checker_receipt(struct checker *checker, uint32_t index, struct record_id id);
void checker_refusal(struct checker *checker, uint32_t index, struct bytes error);

struct delivery {
    struct record_id id;
    struct bytes body;
    struct bytes message_type, verdict; /* absent if the destination does not send them */
    bool again;                         /* it may have been delivered before */
    uint32_t index;                     /* answer: the message, or DAY_NO_MESSAGE */
};

enum { CHECKER_BATCH_MAX = 64 };

/* `count` (at most CHECKER_BATCH_MAX) deliveries of one outlet, in the order of arrival. */
void checker_deliver(struct checker *checker, uint8_t outlet, struct delivery *deliveries,
                     uint32_t count);

/* Every message has its answer, and every destination what is due to it. */
bool checker_is_satisfied(const struct checker *checker);

/* Adds what is missing to the findings; once, at the end. Returns how many findings there are. */
uint64_t checker_finish(struct checker *checker);

/* The verdict in a line, then the findings. */
void checker_print(const struct checker *checker, FILE *out);

#endif

/* Verifies every receipt and every delivery of a run against its cargo, in tens of nanoseconds:
 * what is delivered is looked for where it must come, next in one of the streams, and compared
 * byte by byte; only what does not come there is looked up by its hash.
 *
 * Receipts: one for each message, ids rising within a stream, a repeat's that of its first (where
 * the server dedupes). Deliveries: to each destination each record once, byte for byte what was
 * sent, under the id of its receipt, ids rising for each consumer (and log), messages of one key in
 * order. Memory is reserved at open. One thread at a time. */
#ifndef KOUAN_BENCH_PROOF_H
#define KOUAN_BENCH_PROOF_H

#include "bench/body_index.h"
#include "bench/cargo.h"
#include "bench/findings.h"
#include "bench/reply.h"

/* What a server promises. */
struct proof_promise {
    bool dedupes;      /* repeats are no records */
    bool has_receipts; /* else a message is as good as answered when it is sent */
    bool has_ids;      /* receipts and deliveries bear the ids of records */
    uint32_t logs;     /* ids rise within each of so many logs, told apart by `seq % 256` */
};

enum { PROOF_LOGS_MAX = 64 };

struct proof_consumer; /* the state of one reader */

struct proof {
    const struct cargo *cargo;
    struct proof_promise promise;
    uint32_t destination_count, consumer_count; /* all consumers of all destinations */
    struct reserve reserve;
    struct record_id *ids;    /* by message; {0, 0}: not known yet */
    uint16_t *delivered;      /* by message: bits of destinations */
    uint8_t *answered;        /* by message */
    uint32_t *last_delivered; /* by destination and key: message + 1 */
    struct proof_consumer *consumers;
    struct record_id *last_receipts; /* by stream */
    struct body_index bodies;
    bool has_bodies; /* the index is made when it is first needed */
    uint64_t answered_count, delivered_count, record_count;
    uint64_t looked_up_count; /* deliveries that did not come where they were expected */
    struct findings findings;
};

/* `consumer_count` of each destination. NO_MEMORY or OK. */
MUST_CHECK enum status proof_open(const struct cargo *cargo, const struct proof_promise *promise,
                                  uint32_t destination_count, uint32_t consumer_count,
                                  struct proof *out_proof);
void proof_close(struct proof *proof);

/* The answer to a message. Answers of a stream may come in any order; those with ids must rise. */
void proof_receipt(struct proof *proof, uint32_t stream, uint32_t index, struct record_id id);
void proof_refusal(struct proof *proof, uint32_t index, struct bytes error);

/* One delivery to a consumer (destination * consumer_count + its number). `id` {0, 0}: has none.
 * Returns the message, or CARGO_NO_MESSAGE with a finding. */
uint32_t proof_deliver(struct proof *proof, uint32_t consumer, struct record_id id,
                       struct bytes body);

/* The same for `input` that begins with an entry's field as in cargo_entry(). INCOMPLETE: it may
 * end beyond the input; INVALID: it is no such field. `*out_size`: how many bytes it took. */
MUST_CHECK enum status proof_deliver_entry(struct proof *proof, uint32_t consumer,
                                           struct record_id id, struct bytes input,
                                           uint32_t *out_index, size_t *out_size);

/* Every message has its answer, and every destination every record. */
bool proof_is_whole(const struct proof *proof);

/* Adds what is missing to the findings; once, at the end. Returns how many findings there are. */
uint64_t proof_finish(struct proof *proof);

#endif

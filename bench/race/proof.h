/* Verifies every receipt and every delivery of a run against its cargo, in tens of nanoseconds:
 * what is delivered is looked for where it must come, next in one of the streams, and compared byte
 * by byte; only what does not come there is looked up by its hash, and compared as well.
 *
 * Receipts: one for each message; ids rise within a stream, and a repeat has that of its first
 * where the server dedupes. Deliveries: to each destination each record once, byte for byte what
 * was sent, under the id of its receipt, ids rising for each consumer; so messages of one key are
 * in order if they are in one log, and that they are is checked where there are several. Without
 * ids, messages of a stream come in its order. Memory is reserved at open. One thread at a time. */
#ifndef KOUAN_BENCH_PROOF_H
#define KOUAN_BENCH_PROOF_H

#include "bench/load/body_index.h"
#include "bench/load/findings.h"
#include "bench/race/cargo.h"
#include "bench/wire/reply.h"

/* What a server promises. */
struct proof_promise {
    bool dedupes;      /* repeats are no records */
    bool has_receipts; /* else a message is as good as answered when it is sent */
    bool has_ids;      /* receipts and deliveries bear the ids of records */
};

struct proof_settings {
    const struct cargo *cargo;
    struct proof_promise promise;
    uint32_t destination_count, consumer_count; /* of each destination */
    uint32_t logs; /* ids rise within each of so many logs, told apart by `seq % 256` */
};

enum { PROOF_LOGS_MAX = 64 };

/* What is known of a message; side by side, since all of it is looked at when one comes. */
struct proof_message {
    struct record_id id; /* of its record; {0, 0}: not known yet */
    uint16_t delivered;  /* bits of destinations */
    uint8_t marks;       /* see proof.c */
};

struct proof {
    struct proof_settings settings;
    struct reserve reserve;
    struct proof_message *messages;
    struct record_id *last_receipts; /* by stream and log */
    struct record_id *last_ids;      /* by consumer and log */
    uint32_t *next;                  /* by consumer and stream: what is expected */
    uint8_t *key_logs;               /* by key, of several logs: the log + 1 */
    uint32_t *hints;                 /* by consumer: the stream of its last delivery */
    struct body_index bodies;
    bool has_bodies; /* the index is made at open where it is sure to be needed */
    uint64_t answered_count, refused_count, delivered_count;
    uint64_t record_count;    /* due to each destination, but for those refused */
    uint64_t looked_up_count; /* deliveries that came elsewhere than where they were expected */
    struct findings findings;
};

/* NO_MEMORY or OK. */
MUST_CHECK enum status proof_open(const struct proof_settings *settings, struct proof *out_proof);
void proof_close(struct proof *proof);

/* A message's answer or delivery is likely to come soon; one beyond the last does no harm. */
static inline void proof_prefetch(const struct proof *proof, uint32_t index)
{
    __builtin_prefetch(&proof->messages[index], 1);
    __builtin_prefetch(&proof->settings.cargo->messages[index]);
}

/* The answer to a message; `id` {0, 0} where there are none. Ids must rise in the order of the
 * calls for a stream. */
void proof_receipt(struct proof *proof, uint32_t stream, uint32_t index, struct record_id id);
void proof_refusal(struct proof *proof, uint32_t index, struct bytes error);

/* One delivery to a consumer (its destination * consumer_count + its number). `id` {0, 0}: has
 * none. Returns the message, or CARGO_NO_MESSAGE with a finding. */
uint32_t proof_deliver(struct proof *proof, uint32_t consumer, struct record_id id,
                       struct bytes body);

/* The same for `input` that begins as cargo_entry() does. INCOMPLETE: it may end beyond the input;
 * INVALID: it is no such field. `*out_size`: how many bytes it takes. */
MUST_CHECK enum status proof_deliver_entry(struct proof *proof, uint32_t consumer,
                                           struct record_id id, struct bytes input,
                                           uint32_t *out_index, size_t *out_size);

/* Every message has its answer, and every destination every record. */
bool proof_is_whole(const struct proof *proof);

/* Adds what is missing to the findings; once, at the end. Returns how many findings there are. */
uint64_t proof_finish(struct proof *proof);

#endif

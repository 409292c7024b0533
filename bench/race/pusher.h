/* One publishing connection of the fast client: sends the commands of one stream of a cargo
 * straight from where they lie, as many at a time as the kernel takes, and reads the receipts in
 * place.
 *
 * TRYAGAIN: the message is sent again when all others have their answers. A connection that breaks
 * ends the run. */
#ifndef KOUAN_BENCH_PUSHER_H
#define KOUAN_BENCH_PUSHER_H

#include "bench/race/proof.h"
#include "bench/race/schedule.h"
#include "bench/wire/receipt.h"

enum { PUSHER_CARRY_BYTES = 512 };

/* What all pushers of a run share. */
struct pushing {
    const struct cargo *cargo;
    struct proof *proof;
    struct schedule *schedule;
    struct receipt_reader receipts;
    struct histogram *receipt_ns;
    uint32_t in_flight, burst; /* of each connection */
    uint8_t *input;
    size_t input_bytes; /* above PUSHER_CARRY_BYTES */
    char problem[160];  /* why the run cannot go on, or "" */
};

struct pusher {
    int descriptor; /* -1: none */
    uint32_t stream, first, end;
    uint32_t admitted, answered; /* of its messages in the order of sending, repeats of TRYAGAIN
                                    among them */
    uint64_t sent_at, sent_end;  /* in the arena: what the kernel has, and what may be sent */
    uint32_t *again;             /* messages answered by TRYAGAIN, NULL until there are some */
    uint32_t again_count;        /* ever */
    bool watches_room, waits_for_many; /* what epoll and the socket were told */
    uint16_t carry_size;               /* of an answer of which not all has come */
    uint8_t carry[PUSHER_CARRY_BYTES];
};

/* As fast as it goes, its socket is readable only when the receipts for a burst are there: the next
 * one cannot go out before. */
void pusher_init(const struct pushing *pushing, uint32_t stream, int descriptor,
                 struct pusher *out_pusher);
void pusher_deinit(struct pusher *pusher);

/* Sends what may be sent by now. IO: the connection is over. */
MUST_CHECK enum status pusher_send(struct pushing *pushing, struct pusher *pusher, uint64_t now_ns);

/* Takes in what has come. IO: the connection is over; INVALID with pushing->problem. */
MUST_CHECK enum status pusher_receive(struct pushing *pushing, struct pusher *pusher,
                                      uint64_t now_ns);

/* When its next message is due, UINT64_MAX if none is to be sent or it must wait for answers. */
uint64_t pusher_due_ns(const struct pushing *pushing, const struct pusher *pusher);

/* Something is left that the kernel did not take. */
bool pusher_wants_room(const struct pusher *pusher);

#endif

/* The router decides, and touches nothing: a batch of bodies in, a decision on each message out.
 * Each stage runs over the whole batch before the next: read all, digest all, match all.
 *
 *   read (sniff, recognise, scan, extract) -> digest (identity, body) -> match -> resolve @receiver
 *
 * A body is one message, or an EDIFACT interchange of several: then each of these, a part, is read
 * and decided by itself, and if any of them is refused, the whole body is.
 *
 * Rights on addresses, rejecting rules and missing routes are decided here; whether there is room,
 * and whether the message is new, are not. */
#ifndef KOUAN_ROUTES_ROUTER_H
#define KOUAN_ROUTES_ROUTER_H

#include "core/digest.h"
#include "core/ledger.h"
#include "routes/generation.h"
#include "routes/read/read.h"
#include "routes/scan/scan.h"

enum {
    ROUTER_BATCH_MAX = 256,           /* bodies, and messages in them */
    ROUTER_ENVELOPE_BYTES_MAX = 1024, /* UNA, UNB and UNG of a part; more refuses it */
    ROUTING_PART_TEXT_BYTES = 80
};

static_assert((int)EDIFACT_PARTS_MAX <= (int)ROUTER_BATCH_MAX, "an interchange fits a batch");

/* A body as it came in. It has BYTES_PADDING readable bytes behind it. */
struct arrival {
    struct bytes body;
    const struct channel *channel;
    const struct participant *participant;
    struct bytes given_id; /* by IDMP; absent: the body's own */
    struct bytes given_producer;
};

/* The decision on one message. Those on the parts of one body stand together, in order. */
struct routing {
    const struct arrival *arrival;
    uint16_t part_number, part_count; /* 1 of 1: the body is the message */
    struct bytes body;                /* the arrival's, or what is the part's own of it */
    struct bytes whole; /* what a replay must repeat: the body, a part's with its envelope before */

    bool refused;
    enum refusal refusal;
    struct scan_fault fault;           /* REJECTED for what was read: reason not NONE */
    const struct rule *rejecting_rule; /* REJECTED by a rule */
    struct bytes offending;            /* NO_PERMISSION: the sender's address */
    struct reading reading;
    struct decision decision;
    struct destination_set deliver, hold;
    struct digest identity, body_digest;
    bool supersedes; /* its function is change or cancel */
    uint16_t period; /* of the generation's rules, when it was decided */
};

struct router;

/* Scratch of one thread, for messages of up to `entries_max` entries. */
MUST_CHECK enum status router_open(const struct digest_secret *secret, uint16_t entries_max,
                                   struct router **out_router);
void router_close(struct router *router);
/* Forgets whatever it has learnt of a generation: before one that it was asked for goes. */
void router_forget(struct router *router);

/* Decides arrivals[0..count) under the generation, with the rules that are valid at `now_ms`; count
 * <= ROUTER_BATCH_MAX. Returns how many it
 * decided, at least 1: fewer when the scratch or the routings are full, and then the caller acts on
 * those and calls again with the rest. There are ROUTER_BATCH_MAX routings; they name the arrivals,
 * and stay valid as long as these do and until the next call. */
uint32_t router_decide(struct router *router, const struct generation *generation,
                       const struct arrival *arrivals, uint32_t count, uint64_t now_ms,
                       struct routing *routings, uint32_t *out_routing_count);

/* The first refused one of those on a body's parts; NULL if none is. */
const struct routing *routing_find_refused(const struct routing *first);

/* A sentence for people on why it was refused: "MALFORMED at byte 311: expected `>`", and of which
 * part it speaks. */
void routing_describe_refusal(const struct routing *routing, char *out_text, size_t capacity);

/* " (message 3 of 7, UNH 0003)", in up to ROUTING_PART_TEXT_BYTES; nothing if the body is the
 * message. */
void routing_describe_part(const struct routing *routing, char *out_text, size_t capacity);

#endif

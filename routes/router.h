/* The router decides, and touches nothing: a batch of bodies in, one decision each out. Each stage
 * runs over the whole batch before the next: read all, digest all, match all.
 *
 *   read (sniff, recognise, scan, extract) -> digest (identity, body) -> match -> resolve @receiver
 *
 * Rights on addresses, rejecting rules and missing routes are decided here; whether there is room,
 * and whether the message is new, are not. */
#ifndef KOUAN_ROUTES_ROUTER_H
#define KOUAN_ROUTES_ROUTER_H

#include "core/digest.h"
#include "core/ledger.h"
#include "routes/generation.h"
#include "routes/read.h"

enum { ROUTER_BATCH_MAX = 256 };

struct routing {
    /* In. The body has BYTES_PADDING readable bytes behind it. */
    struct bytes body;
    const struct channel *channel;
    const struct participant *participant;
    struct bytes given_id; /* by IDMP; absent: the body's own */
    struct bytes given_producer;

    /* Out. */
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
};

struct router;

/* Scratch of one thread. `text_bytes` and `occurrences` bound what one batch may hold. */
MUST_CHECK enum status router_open(const struct digest_secret *secret, struct router **out_router);
void router_close(struct router *router);

/* Decides items[0..count) under the generation; count <= ROUTER_BATCH_MAX. Returns how many it
 * decided, at least 1: fewer when the scratch is full, and then the caller acts on those and calls
 * again with the rest. Readings stay valid until the next call. */
uint32_t router_decide(struct router *router, const struct generation *generation,
                       struct routing *items, uint32_t count);

/* A sentence for people on why it was refused: "MALFORMED at byte 311: expected `>`". */
void routing_describe_refusal(const struct routing *item, char *out_text, size_t capacity);

#endif

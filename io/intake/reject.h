/* The last refused bodies, with their reasons, for `kouan rejects`: a ring, reserved at start. */
#ifndef KOUAN_IO_REJECT_H
#define KOUAN_IO_REJECT_H

#include "core/bytes.h"
#include "core/ledger.h"
#include "core/status.h"

enum { REJECT_REASON_BYTES = 232 };

struct reject {
    uint64_t number; /* from 1; 0: never used */
    uint64_t at_ms;  /* wall clock */
    uint16_t participant, channel;
    enum refusal refusal;
    uint32_t body_bytes, kept_bytes;
    char reason[REJECT_REASON_BYTES];
};

struct reject_ring {
    struct reject *items;
    uint8_t *bodies; /* bytes_max each */
    uint32_t capacity, bytes_max;
    uint64_t count; /* ever */
};

MUST_CHECK enum status reject_open(struct reject_ring *ring, uint32_t capacity, uint32_t bytes_max);
void reject_close(struct reject_ring *ring);
void reject_add(struct reject_ring *ring, struct reject reject, struct bytes body);
/* The `back`-th newest (0: the newest); NULL past the kept ones. */
const struct reject *reject_get(const struct reject_ring *ring, uint64_t back,
                                struct bytes *out_body);

#endif

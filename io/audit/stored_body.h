/* The own bytes of a message of the journal, as the router wants them to decide it again: with
 * BYTES_PADDING readable bytes behind them. A part of an interchange stands behind its envelope,
 * and is a message by itself. */
#ifndef KOUAN_IO_STORED_BODY_H
#define KOUAN_IO_STORED_BODY_H

#include "core/record.h"

/* The memory is its own, of one thread; all zero: none yet. */
struct stored_body {
    uint8_t *memory;
    size_t capacity;
};

/* Valid until the next call. */
struct bytes stored_body_copy(struct stored_body *body, const struct record *record);
void stored_body_close(struct stored_body *body);

#endif

/* A session's input: parses its commands, and runs each when it need not wait. Part of
 * io/front/session.h, cut out for its length. */
#ifndef KOUAN_IO_SESSION_INPUT_H
#define KOUAN_IO_SESSION_INPUT_H

#include "io/front/session.h"

/* As connection_protocol's `input`. */
size_t session_input(struct connection *connection, struct bytes input, size_t *out_needed);

#endif

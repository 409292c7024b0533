/* The part of an explanation that tells what became of the message inside, where the profile opens
 * one. */
#ifndef KOUAN_IO_CLI_EXPLAIN_PAYLOAD_H
#define KOUAN_IO_CLI_EXPLAIN_PAYLOAD_H

#include "io/cli/explain.h"

/* A line; nothing if the profile opens none. */
void explain_print_payload_text(const struct reading *reading);

/* The member `payload` with a comma before it; nothing if the profile opens none. */
void explain_print_payload_json(const struct reading *reading);

#endif

/* The part of an explanation that tells what an EDIFACT body's trailers say amiss: counts and
 * references that nothing hangs on, unless the profile is strict. */
#ifndef KOUAN_IO_CLI_EXPLAIN_WARNINGS_H
#define KOUAN_IO_CLI_EXPLAIN_WARNINGS_H

#include "io/cli/explain.h"

/* A line each; nothing if there are none. */
void explain_print_warnings_text(const struct explanation *explanation);

/* The member `warnings` with a comma before it; nothing if there are none. */
void explain_print_warnings_json(const struct explanation *explanation);

#endif

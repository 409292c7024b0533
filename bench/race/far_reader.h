/* A group's consumer that is far behind and reads as fast as it is given something, in a thread of
 * its own, while a run is driven: what it takes from the others is what is measured. It has entries
 * settled by being read and never looks at them, so that it takes little of the clients' processor.
 */
#ifndef KOUAN_BENCH_FAR_READER_H
#define KOUAN_BENCH_FAR_READER_H

#include "bench/wire/wire.h"

struct far_reader;

/* Reads `destination` for `group`. INVALID or NOT_FOUND (the address), IO, NO_MEMORY. */
MUST_CHECK enum status far_reader_start(const char *address, const char *destination,
                                        const char *group, struct far_reader **out_reader);

/* After the reply at hand; frees it. IO if it could not read all the time. */
MUST_CHECK enum status far_reader_stop(struct far_reader *reader, uint64_t *out_bytes);

#endif

/* Redis's patterns of names: `*` any bytes, `?` one, `[a-z]` and `[^a-z]` one of a set, `\` takes
 * the next byte as it is. Linear in the name for each `*`; no recursion. */
#ifndef KOUAN_IO_GLOB_H
#define KOUAN_IO_GLOB_H

#include "core/bytes.h"

/* `fold`: letters of either case are alike. */
bool glob_fits(struct bytes pattern, struct bytes name, bool fold);

#endif

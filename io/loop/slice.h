/* How long the kernel lets a thread run before others get the processor. Whoever wakes with a
 * shorter slice than the one that runs may take its place at once (kernel 6.12 and newer); else it
 * waits for a tick of the kernel's clock, 4 ms at 250 Hz. A shard sleeps often and for moments, and
 * so do the kernel's workers that sync its writes: with slices of the usual length each wait for
 * the disk or a socket may become a tick when others compute. Its share of the processor stays what
 * it was. */
#ifndef KOUAN_IO_SLICE_H
#define KOUAN_IO_SLICE_H

#include <stdbool.h>

enum { SLICE_NS = 100000 };

/* For the thread that calls, and for those that it begins from now on, the kernel's workers of its
 * ring among them. False where the kernel refuses: it goes on as before. */
bool slice_shorten(void);

#endif

/* Warns, well before it comes to that, that a destination will be full: a line on stderr when its
 * groups keep OUTLET_NEARLY_FULL_PERCENT of what they may, and again only when it had fallen below
 * OUTLET_AT_EASE_PERCENT in between. `kouan health` says the same for as long as it is so. */
#ifndef KOUAN_IO_OUTLET_WATCH_H
#define KOUAN_IO_OUTLET_WATCH_H

#include "io/delivery/outlet.h"

enum { OUTLET_NEARLY_FULL_PERCENT = 80, OUTLET_AT_EASE_PERCENT = 60 };

/* Of backlog_max or backlog_bytes_max, whichever is nearer; 0 without groups. */
uint64_t outlet_full_percent(const struct outlet *outlet);

/* After a turn in which it got or lost records. True if it warned now. */
bool outlet_watch(struct outlet *outlet);

#endif

/* When a message says that it was sent, in any of the forms in which the dialects write it: with or
 * without signs between the numbers, to the minute, second or finer, EDIFACT's two-digit years.
 * Without a zone it is China's time (UTC+08:00). */
#ifndef KOUAN_ROUTES_SENT_TIME_H
#define KOUAN_ROUTES_SENT_TIME_H

#include "core/bytes.h"

/* Milliseconds since 1970. False: it is no time that can be told for sure. */
bool sent_time_parse(struct bytes text, uint64_t *out_ms);

#endif

/* "Did you mean ...?" for names that people mistype. */
#ifndef KOUAN_ROUTES_SUGGEST_H
#define KOUAN_ROUTES_SUGGEST_H

#include "core/bytes.h"

enum { SUGGEST_NAME_BYTES_MAX = 64 }; /* longer names are not compared */

/* The name that is nearest to what was written (letters' case aside), if it is near enough to be
 * meant: at most one insertion, deletion, replacement or swap of neighbours for each three bytes
 * written. NULL if none is. */
const char *suggest_name(struct bytes written, const char *const *names, size_t name_count);

#endif

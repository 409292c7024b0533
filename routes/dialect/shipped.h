/* The profiles that stand in the program itself (routes/profiles/ *.yaml, embedded by
 * routes/dialect/embed.sh). */
#ifndef KOUAN_ROUTES_SHIPPED_H
#define KOUAN_ROUTES_SHIPPED_H

#include <stdint.h>

struct shipped_profile {
    const char *name;           /* the file's name; NULL ends the table */
    const uint8_t *start, *end; /* followed by BYTES_PADDING readable bytes */
};

extern const struct shipped_profile shipped_profiles[];

#endif

/* Packages (ISO 9735-8): an object of any bytes between UNO and UNP, whose length UNO states. No
 * byte of it means anything here. Internal to this folder. */
#ifndef KOUAN_ROUTES_EDIFACT_PACKAGE_H
#define KOUAN_ROUTES_EDIFACT_PACKAGE_H

#include "routes/edifact/edifact_syntax.h"

struct edifact_object {
    uint32_t size;            /* S022 0810: in bytes */
    uint32_t segments_before; /* 0814: segments between UNO and the object, of security */
};

/* Reads the UNO that stands in `body` from `start` to its terminator at `end`. */
MUST_CHECK enum status edifact_package_measure(const struct edifact_syntax *syntax,
                                               struct bytes body, uint32_t start, uint32_t end,
                                               struct edifact_object *out_object,
                                               struct scan_fault *out_fault);

/* Where the UNP stands behind the object, which begins at `at`: right behind the terminator of the
 * segment before it, and UNP begins right behind its last byte. */
MUST_CHECK enum status edifact_package_find_end(const struct edifact_syntax *syntax,
                                                struct bytes body,
                                                const struct edifact_object *object, uint32_t at,
                                                uint32_t *out_end, struct scan_fault *out_fault);

#endif

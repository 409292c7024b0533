/* The values that are written into a message: ids, numbers, codes and times. Each is a function of
 * the day's seed and the numbers of the message, its batch and its entry. Ids are unique in a day,
 * and differ between days of different seeds. */
#ifndef KOUAN_BENCH_VALUES_H
#define KOUAN_BENCH_VALUES_H

#include "bench/day/day.h"
#include "bench/day/template.h"

struct values_source {
    uint32_t index;    /* the message */
    uint32_t identity; /* the message whose id it bears: most often itself */
    struct day_case facts;
    uint8_t segments, entry;
};

/* Writes the values of the set `needed` and leaves the others as they are. */
void values_write(const struct day *day, const struct values_source *source, uint64_t needed,
                  struct day_values *values);

#endif

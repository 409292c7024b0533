/* Generated messages for the micro-benches: some of each kind, as the day prints them, with what it
 * takes to read them. */
#ifndef KOUAN_BENCH_MICRO_BODIES_H
#define KOUAN_BENCH_MICRO_BODIES_H

#include "bench/day/day.h"
#include "routes/read/read.h"

enum {
    MICRO_BODIES_OF_A_KIND = 256, /* more than the caches' fondness for one */
    MICRO_EVENT_BYTES = 256,
    MICRO_TEXT_BYTES = 4 * 1024 * 1024 /* of decoded values, of a batch */
};

/* Each body has BYTES_PADDING readable bytes behind it. */
struct micro_bodies {
    struct bytes items[MICRO_BODIES_OF_A_KIND];
    uint32_t count; /* all of them, or what a short day has */
    size_t bytes;   /* of all */
};

struct micro_reading {
    struct arena arena; /* of bodies and profiles */
    struct profile_set profiles;
    struct reader reader;
    struct micro_bodies kinds[KIND_COUNT];
    struct micro_bodies events; /* canonical JSON of MICRO_EVENT_BYTES */
};

/* The shipped profiles, fresh messages of every kind, and events. False, and told, without memory.
 * To be closed whatever it returns. */
bool micro_reading_open(struct micro_reading *reading);
void micro_reading_close(struct micro_reading *reading);

/* Reads it, and says why if it cannot be read. */
bool micro_bodies_read(struct micro_reading *reading, struct bytes body,
                       struct reading *out_reading);

static inline double micro_bodies_mean(const struct micro_bodies *bodies)
{
    return (double)bodies->bytes / bodies->count;
}

#endif

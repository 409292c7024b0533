/* When each message of a run was to be sent: at a rate, by arithmetic alone (an open loop: a server
 * that is slow does not slow the schedule down); else when it was sent, which is written down. */
#ifndef KOUAN_BENCH_SCHEDULE_H
#define KOUAN_BENCH_SCHEDULE_H

#include <stdint.h>

#include "bench/histogram.h"
#include "bench/reserve.h"
#include "core/status.h"

struct schedule {
    uint64_t start_ns;
    double interval_ns; /* between the messages of a stream; 0: as fast as it goes */
    double offset_ns;   /* between the first messages of neighbouring streams */
    struct reserve reserve;
    uint32_t *sent_us; /* by message, since the start; NULL at a rate */
};

/* `rate`: messages a second of all streams together. NO_MEMORY or OK. */
MUST_CHECK enum status schedule_open(uint64_t rate, uint32_t message_count, uint32_t stream_count,
                                     struct schedule *out_schedule);
void schedule_close(struct schedule *schedule);

/* How many of a stream's messages are due; without a rate all. */
uint64_t schedule_due(const struct schedule *schedule, uint32_t stream, uint64_t now_ns);

/* When its next is due after `sent` of them. */
static inline uint64_t schedule_due_ns(const struct schedule *schedule, uint32_t stream,
                                       uint64_t sent)
{
    return schedule->start_ns +
           (uint64_t)(schedule->offset_ns * stream + schedule->interval_ns * (double)sent);
}

/* Messages go out now. */
void schedule_sent(struct schedule *schedule, uint32_t first, uint32_t end, uint64_t now_ns);

/* How long ago a message, the `place`-th of its stream, was to be sent. */
static inline uint64_t schedule_age_ns(const struct schedule *schedule, uint32_t index,
                                       uint32_t stream, uint32_t place, uint64_t now_ns)
{
    uint64_t sent_ns = schedule->sent_us != NULL
                           ? schedule->start_ns + schedule->sent_us[index] * UINT64_C(1000)
                           : schedule_due_ns(schedule, stream, place);
    return now_ns > sent_ns ? now_ns - sent_ns : 0;
}

#endif

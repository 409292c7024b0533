#include "bench/race/schedule.h"

enum status schedule_open(uint64_t rate, uint32_t message_count, uint32_t stream_count,
                          struct schedule *out_schedule)
{
    struct schedule schedule = {0};
    if (rate > 0) {
        schedule.offset_ns = 1e9 / (double)rate;
        schedule.interval_ns = schedule.offset_ns * stream_count;
    } else {
        schedule.reserve = reserve_open(message_count, sizeof *schedule.sent_us);
        schedule.sent_us = schedule.reserve.memory;
        if (schedule.sent_us == NULL)
            return STATUS_NO_MEMORY;
    }
    *out_schedule = schedule;
    return STATUS_OK;
}

void schedule_close(struct schedule *schedule)
{
    reserve_close(&schedule->reserve);
    *schedule = (struct schedule){0};
}

uint64_t schedule_due(const struct schedule *schedule, uint32_t stream, uint64_t now_ns)
{
    if (schedule->sent_us != NULL)
        return UINT64_MAX;
    double passed_ns = (double)(now_ns - schedule->start_ns) - schedule->offset_ns * (double)stream;
    return passed_ns < 0 ? 0 : (uint64_t)(passed_ns / schedule->interval_ns) + 1;
}

void schedule_sent(struct schedule *schedule, uint32_t first, uint32_t end, uint64_t now_ns)
{
    if (schedule->sent_us == NULL)
        return;
    uint32_t now_us = (uint32_t)((now_ns - schedule->start_ns) / 1000);
    for (uint32_t i = first; i < end; i++)
        schedule->sent_us[i] = now_us;
}

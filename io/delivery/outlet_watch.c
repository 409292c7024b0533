#include "io/delivery/outlet_watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "io/delivery/group.h"

uint64_t outlet_full_percent(const struct outlet *outlet)
{
    const struct destination *destination = outlet->destination;
    uint64_t by_count = outlet_length(outlet) * 100 / destination->backlog_max;
    uint64_t by_bytes = outlet->bytes * 100 / destination->backlog_bytes_max;
    if (outlet->group_count == 0)
        return 0;
    return by_count > by_bytes ? by_count : by_bytes;
}

/* For which most is kept. */
static const struct group *find_slowest(const struct outlet *outlet)
{
    const struct group *slowest = outlet->groups[0];
    for (uint16_t i = 1; i < outlet->group_count; i++)
        if (group_oldest_needed(outlet->groups[i]) < group_oldest_needed(slowest))
            slowest = outlet->groups[i];
    return slowest;
}

static const char *consequence(enum when_full when_full)
{
    switch (when_full) {
    case WHEN_FULL_WAIT: return "senders will wait, then get TRYAGAIN";
    case WHEN_FULL_TRY_AGAIN: return "senders will get TRYAGAIN";
    case WHEN_FULL_DEAD_LETTER: return "messages will go to its dead letter";
    case WHEN_FULL_DROP_OLDEST: return "its oldest messages will be dropped";
    }
    return "";
}

bool outlet_watch(struct outlet *outlet)
{
    const struct destination *destination = outlet->destination;
    uint64_t percent = outlet_full_percent(outlet);
    if (percent >= OUTLET_NEARLY_FULL_PERCENT && !outlet->is_nearly_full) {
        outlet_squeeze(outlet);
        percent = outlet_full_percent(outlet);
    }
    if (percent < OUTLET_AT_EASE_PERCENT)
        outlet->is_nearly_full = false;
    if (percent < OUTLET_NEARLY_FULL_PERCENT || outlet->is_nearly_full)
        return false;
    outlet->is_nearly_full = true;
    fprintf(stderr,
            "kouan: destination %s is %" PRIu64 " %% full: %" PRIu64 " of %" PRIu32
            " messages (backlog_max), %" PRIu64 " of %" PRIu64
            " bytes (backlog_bytes_max); its slowest group is %s. When it is full, %s.\n",
            destination->name, percent, outlet_length(outlet), destination->backlog_max,
            outlet->bytes, destination->backlog_bytes_max, group_name(find_slowest(outlet)),
            consequence(destination->when_full));
    return true;
}

/* Who is not well: HEALTH. */
#include <errno.h>
#include <inttypes.h>

#include "io/delivery/group.h"
#include "io/delivery/outlet_watch.h"
#include "io/shard/report.h"

enum { OLD_PENDING_MS = 300000 };

static bool has_old_pending(const struct shard *shard, const struct group *group,
                            uint64_t *out_age_ms)
{
    const struct pending_entry *oldest =
        group_next_pending(group, (struct record_id){0}, GROUP_NO_CONSUMER);
    uint64_t now_ms = loop_wall_ms(shard->loop);
    if (oldest == NULL || oldest->delivered_ms >= now_ms)
        return false;
    *out_age_ms = now_ms - oldest->delivered_ms;
    return *out_age_ms >= OLD_PENDING_MS;
}

static bool report_outlet_health(const struct shard *shard, const struct outlet *outlet,
                                 struct text *text)
{
    uint64_t percent = outlet_full_percent(outlet), age_ms;
    const char *name = outlet->destination->name;
    if (percent >= OUTLET_NEARLY_FULL_PERCENT) {
        text_add(text, "%s: %" PRIu64 " %% full (%" PRIu64 " messages, %" PRIu64 " bytes)\n", name,
                 percent, outlet_length(outlet), outlet->bytes);
        return true;
    }
    if (outlet->account.unclaimed > 0 && outlet->group_count == 0) {
        text_add(text, "%s: has no group; %" PRIu64 " messages fell off unclaimed\n", name,
                 outlet->account.unclaimed);
        return true;
    }
    for (uint16_t g = 0; g < outlet->group_count; g++) {
        const struct group *group = outlet->groups[g];
        if (has_old_pending(shard, group, &age_ms)) {
            text_add(text, "%s: group %s has not acknowledged a message for %" PRIu64 " s\n", name,
                     group_name(group), age_ms / 1000);
            return true;
        }
        if (group->account.backlog > 0 && group->consumer_count == 0) {
            text_add(text, "%s: group %s has no consumer, %" PRIu64 " messages wait\n", name,
                     group_name(group), group->account.backlog);
            return true;
        }
    }
    return false;
}

/* That it has grown to journal_size is none: how much of the past that keeps. */
static uint32_t report_log_room(const struct shard *shard, struct text *text)
{
    const struct shard_log *log = &shard->log;
    const uint64_t free_bytes = shard_log_free_bytes(shard);
    if (log->segment_error != 0 && log->segment_error != EDQUOT)
        text_add(text, "journal: no room for another segment (%s); messages get TRYAGAIN\n",
                 strerror(log->segment_error));
    else if (shard->retention.is_stuck)
        text_add(text, "journal: groups need all that journal_size has room for; messages get "
                       "TRYAGAIN\n");
    else if (shard_log_is_disk_low(shard, free_bytes))
        text_add(text, "journal: %" PRIu64 " MiB are left on its disk, fewer than four segments\n",
                 free_bytes >> 20);
    else
        return 0;
    return 1;
}

static uint32_t report_log_dedupe(const struct shard *shard, struct text *text)
{
    if (!shard->log.is_on_disk || !retention_has_forgotten(shard))
        return 0;
    text_add(text, "journal: grown to journal_size, so dedupe has forgotten messages before "
                   "window_span is over; raise journal_size, or lower window_span\n");
    return 1;
}

static uint32_t report_log_move(const struct shard *shard, struct text *text)
{
    const struct shard_log *log = &shard->log;
    if (!log->is_on_disk || !log_disk_has_moved(&log->disk))
        return 0;
    text_add(text, "journal: a write to %s failed, and it goes on in its spare folder %s%s%s\n",
             log->folders->own_path, log->folders->spare_path, log->moved[0] != '\0' ? ": " : "",
             log->moved);
    return 1;
}

/* Since the start. */
static uint32_t report_log_damage(const struct shard *shard, struct text *text)
{
    uint64_t failures = shard->recall != NULL ? recall_figures(shard->recall)->failures : 0;
    if (failures == 0)
        return 0;
    text_add(text,
             "journal: %" PRIu64 " times a record could not be read back; kouan journal verify "
             "says what is damaged\n",
             failures);
    return 1;
}

uint32_t report_health(const struct shard *shard, struct text *text)
{
    uint32_t sick = report_log_room(shard, text) + report_log_dedupe(shard, text) +
                    report_log_move(shard, text) + report_log_damage(shard, text);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        sick += report_outlet_health(shard, &shard->outlets[d], text);
    return sick;
}

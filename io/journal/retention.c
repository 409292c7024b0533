#include "io/journal/retention.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/journal/retention_inside.h"

enum {
    TURN_MS = 20, /* while there are turns anyway, it looks so often */
    NS_PER_MS = 1000000,
    MS_PER_S = 1000,
    /* Segments that are free, or about to be: with fewer the size asks for room; with fewer still
     * messages wait for it, and what is left is for copies and facts. */
    FREE_WANTED = 3,
    FREE_LEAST = 1,
    COMMIT_SLACK_S = 2 /* an identity is confirmed so much later than its segment ends, at most */
};

static void look(struct shard *shard);
static void give_up(struct shard *shard);
static void on_time(struct loop *loop, struct timer *timer);

enum status retention_open(struct retention *retention, uint32_t segments_max,
                           uint64_t segments_allowed)
{
    struct record_id *last_ids = calloc(segments_max, sizeof *last_ids);
    if (last_ids == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < segments_max; i++) /* of those that were there before: not known */
        last_ids[i] = (struct record_id){UINT64_MAX, UINT64_MAX};
    *retention = (struct retention){
        .last_ids = last_ids,
        .segments_max = segments_max,
        .segments_allowed = segments_allowed,
        .ask = {.done = retention_note_read},
        .timer = {.expire = on_time},
    };
    return STATUS_OK;
}

void retention_close(struct retention *retention)
{
    free(retention->last_ids);
    *retention = (struct retention){0};
}

void retention_note_end(struct retention *retention, uint64_t number, struct record_id last_id)
{
    if (number > 0)
        retention->last_ids[(number - 1) % retention->segments_max] = last_id;
}

void retention_look_again(struct shard *shard, uint64_t ms)
{
    struct retention *retention = &shard->retention;
    retention->look_ns = loop_now_ns(shard->loop) + ms * NS_PER_MS;
    loop_timer_arm(shard->loop, &retention->timer, retention->look_ns);
}

static void on_time(struct loop *loop, struct timer *timer)
{
    struct shard *shard =
        (struct shard *)(void *)((char *)timer - offsetof(struct shard, retention.timer));
    (void)loop;
    shard_wake(shard);
}

static uint64_t free_segments(const struct shard *shard)
{
    uint64_t used = segments_count(shard->log.segments);
    uint64_t allowed = shard->retention.segments_allowed;
    return used < allowed ? allowed - used : 0;
}

static bool is_pressed(const struct shard *shard)
{
    return free_segments(shard) <= FREE_LEAST;
}

enum status retention_has_message_room(const struct shard *shard)
{
    if (!is_pressed(shard))
        return STATUS_OK;
    return shard->retention.is_stuck ? STATUS_FULL : STATUS_INCOMPLETE;
}

bool retention_has_forgotten(const struct shard *shard)
{
    const struct retention *retention = &shard->retention;
    return retention->figures.forgotten_early > 0 &&
           shard_window_time_s(shard) <= retention->early_s + shard->config->options.window_span;
}

void retention_run(struct shard *shard)
{
    struct retention *retention = &shard->retention;
    if (!shard->log.is_on_disk || shard->stopping)
        return;
    if (retention->state == RETENTION_LOOKS && loop_now_ns(shard->loop) >= retention->look_ns)
        look(shard);
    if (retention->state == RETENTION_COPIES && !retention->ask.asked)
        retention_copy(shard);
    if (retention->state == RETENTION_WAITS &&
        shard->journal.durable_position >= retention->wait_position &&
        !recall_is_reading(shard->recall, retention->segment_number))
        give_up(shard);
}

/* ---- which one ---- */

/* Log time, in seconds as the window counts them, when the segment had ended. */
static uint32_t end_s(const struct shard *shard, const struct segment *segment)
{
    const struct segment *next = segments_find(shard->log.segments, segment->number + 1);
    return (uint32_t)(next->first_ms / MS_PER_S) + 1;
}

static bool has_left_window(const struct shard *shard, uint32_t end)
{
    struct window_figures window;
    uint64_t now = shard_window_time_s(shard);
    if (now > end + shard->config->options.window_span + COMMIT_SLACK_S)
        return true;
    window_figures(shard->window, &window);
    return window.oldest_s == 0 || window.oldest_s > end + COMMIT_SLACK_S;
}

/* Its checkpoint must be in a later one, and durable, and all that was written in it pushed. */
static bool may_go(const struct shard *shard, const struct segment *segment)
{
    const uint64_t bytes = shard->journal.settings.segment_bytes;
    uint64_t oldest_commit = commit_oldest_position(&shard->commits);
    return (segment->number + 2) * bytes <= shard->journal.durable_position &&
           (oldest_commit == WINDOW_NO_POSITION || oldest_commit >= (segment->number + 1) * bytes);
}

/* What the segment says of cases is found only there until a snapshot of them covers it. Where none
 * can be written and messages wait for room, it goes nevertheless. */
static bool is_covered(struct shard *shard, const struct segment *segment)
{
    struct case_snapshots *snapshots = &shard->case_snapshots;
    uint64_t end = (segment->number + 1) * shard->journal.settings.segment_bytes;
    if (shard->cases == NULL || case_snapshots_cover(snapshots, end) ||
        (snapshots->has_failed && is_pressed(shard)))
        return true;
    shard_wake(shard);
    return false;
}

void retention_look_now(struct shard *shard)
{
    shard->retention.look_ns = 0;
    shard_wake(shard);
}

static void warn_of_early(struct shard *shard, uint32_t end)
{
    struct retention *retention = &shard->retention;
    retention->figures.forgotten_early++;
    retention->early_s = shard_window_time_s(shard);
    if (retention->has_warned)
        return;
    retention->has_warned = true;
    fprintf(
        stderr,
        "kouan: the journal has grown to journal_size, so dedupe forgets messages after %" PRIu64
        " s and not only after window_span; raise journal_size, or lower window_span\n",
        (uint64_t)shard_window_time_s(shard) - end);
}

static void look(struct shard *shard)
{
    struct retention *retention = &shard->retention;
    const struct segment *oldest = segments_oldest(shard->log.segments);
    retention_look_again(shard, RETENTION_LOOK_MS);
    retention->look_ns = loop_now_ns(shard->loop) + (uint64_t)TURN_MS * NS_PER_MS;
    if (oldest == NULL || !may_go(shard, oldest))
        return;
    uint32_t end = end_s(shard, oldest);
    bool is_old = shard_window_time_s(shard) > end + shard->config->options.retain_time;
    bool is_asked_for = is_old || free_segments(shard) <= FREE_WANTED;
    if (!is_asked_for)
        return;
    retention->is_early = !has_left_window(shard, end);
    if ((retention->is_early && !is_pressed(shard)) || !is_covered(shard, oldest))
        return;
    if (retention->is_early)
        warn_of_early(shard, end);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        outlet_trim(&shard->outlets[d]);
        outlet_squeeze(&shard->outlets[d]);
    }
    retention->state = RETENTION_COPIES;
    retention->segment_number = oldest->number;
    retention->end_position = (oldest->number + 1) * shard->journal.settings.segment_bytes;
    retention->destination = 0;
    retention->from = (struct record_id){0};
}

static void give_up(struct shard *shard)
{
    struct retention *retention = &shard->retention;
    claims_forget_before(&shard->intake.claims, retention->end_position);
    retention->is_stuck = false;
    if (shard->log.segment_error == EDQUOT) /* there will be room, or it is said again */
        shard->log.segment_error = 0;
    segments_give_up_oldest(shard->log.segments);
    segments_prepare(shard->log.segments);
    retention->figures.given_up++;
    retention->state = RETENTION_LOOKS;
    retention->look_ns = 0; /* there may be more */
    shard_wake(shard);
}

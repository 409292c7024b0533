/* How much more the journal's disk has room for, and making do without more. Part of
 * io/shard/shard_log.h, cut out for its length. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "io/intake/append.h"
#include "io/shard/shard.h"

/* With fewer to come the disk is low. */
enum { SEGMENTS_FEW = 4, NS_PER_MS = 1000000, RETRY_MS = 1000 };

#define GATHER_MIN_NS UINT64_C(50000000)
#define GATHER_MAX_NS UINT64_C(1000000000)

static int current_folder(const struct shard_log *log)
{
    return log->disk.folders[log->disk.pair.current];
}

uint64_t shard_log_free_bytes(const struct shard *shard)
{
    struct statvfs space;
    if (!shard->log.is_on_disk || fstatvfs(current_folder(&shard->log), &space) != 0)
        return UINT64_MAX;
    return (uint64_t)space.f_bavail * space.f_frsize;
}

bool shard_log_is_disk_low(const struct shard *shard, uint64_t free_bytes)
{
    const struct segments *segments = shard->log.segments;
    if (!shard->log.is_on_disk)
        return false;
    uint64_t there = segments_count(segments) + (segments_is_prepared(segments) ? 1 : 0);
    uint64_t allowed = shard->retention.segments_allowed;
    uint64_t wanted = there < allowed ? allowed - there : 0; /* then one follows another's end */
    if (wanted > SEGMENTS_FEW)
        wanted = SEGMENTS_FEW;
    return free_bytes / shard->journal.settings.segment_bytes < wanted;
}

void shard_log_note_disk(struct shard *shard)
{
    uint64_t free_bytes = shard_log_free_bytes(shard);
    bool is_low = shard_log_is_disk_low(shard, free_bytes);
    if (is_low && !shard->log.is_disk_low)
        fprintf(stderr,
                "kouan: the disk of the journal %s has %" PRIu64
                " MiB left, room for fewer segments than it may still grow by: free some, or lower "
                "journal_size\n",
                log_disk_path(&shard->log.disk), free_bytes >> 20);
    shard->log.is_disk_low = is_low;
}

/* ---- no room ---- */

void shard_log_try_segment(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct shard *shard =
        (struct shard *)(void *)((char *)timer - offsetof(struct shard, log.retry_timer));
    segments_prepare(shard->log.segments);
}

/* Said once, and again after it was well. That the journal has grown to journal_size is retention's
 * to say: it makes room. */
static void say_no_room(const struct shard *shard, int error, const char *step)
{
    fprintf(
        stderr,
        "kouan: cannot make the next segment in %s (%s: %s); messages get TRYAGAIN until it can "
        "be made, acknowledgements are taken\n",
        log_disk_path(&shard->log.disk), step, strerror(error));
}

void shard_log_note_no_segment(void *context, int error, const char *step)
{
    struct shard *shard = context;
    struct shard_log *log = &shard->log;
    if (shard->facts.are_kept)
        journal_writer_note_segment_failure(&log->writer, error);
    bool is_served = shard->facts.are_kept && log->failure[0] == '\0';
    if (log->segment_error != error && error != EDQUOT && is_served)
        say_no_room(shard, error, step);
    log->segment_error = error;
    log->segment_step = step;
    if (log->retry_timer.heap_index == 0)
        loop_timer_arm(shard->loop, &log->retry_timer,
                       loop_now_ns(shard->loop) + (uint64_t)RETRY_MS * NS_PER_MS);
    if (shard->facts.are_kept) /* while it starts there are no turns yet */
        shard_wake(shard);
}

/* ---- on the reserve ---- */

static uint64_t left_bytes(const struct journal *journal)
{
    uint64_t limit = journal->limit_position, end = journal->end_position;
    return limit > end ? limit - end : 0;
}

/* Longer, as less is left. */
static uint64_t gathering_ns(const struct journal *journal)
{
    uint64_t time_ns = GATHER_MIN_NS * append_reserve_bytes(journal) / (left_bytes(journal) + 1);
    if (time_ns < GATHER_MIN_NS)
        return GATHER_MIN_NS;
    return time_ns < GATHER_MAX_NS ? time_ns : GATHER_MAX_NS;
}

bool shard_log_must_gather(struct shard *shard)
{
    struct shard_log *log = &shard->log;
    const struct journal *journal = &shard->journal;
    uint64_t now_ns = loop_now_ns(shard->loop);
    if (log->segment_error == 0 || left_bytes(journal) > 2 * append_reserve_bytes(journal) ||
        log->writer.is_stopping || journal_has_open_records(journal) || !facts_are_gathered(shard))
        return false;
    uint64_t until_ns = log->gathered_ns + gathering_ns(journal);
    if (now_ns >= until_ns) {
        log->gathered_ns = now_ns;
        return false;
    }
    if (log->gather_timer.heap_index == 0)
        loop_timer_arm(shard->loop, &log->gather_timer, until_ns);
    return true;
}

void shard_log_end_gathering(struct loop *loop, struct timer *timer)
{
    (void)loop;
    shard_log_wake(
        (struct shard *)(void *)((char *)timer - offsetof(struct shard, log.gather_timer)));
}

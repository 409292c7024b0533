/* How much more the journal's disk has room for. Part of io/shard_log.h, cut out for its length. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "io/shard.h"

/* With fewer to come the disk is low. */
enum { SEGMENTS_FEW = 4 };

uint64_t shard_log_free_bytes(const struct shard *shard)
{
    struct statvfs space;
    if (!shard->log.is_on_disk || fstatvfs(shard->log.log_folder, &space) != 0)
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
                shard->log.path, free_bytes >> 20);
    shard->log.is_disk_low = is_low;
}

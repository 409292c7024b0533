/* The cases of a log in a file beside it, `cases.snapshot`, so that a start need not read the whole
 * log: the table as it was when all messages before a position, and none behind it, had been told
 * to it. A page of header, then the sections of the image (core/case_image.h); keyed checksums over
 * all of it.
 *
 * One is made when the log has grown by a segment, at most every ten seconds, and when a segment is
 * to be given up that none covers. The table is copied in small steps while it goes on to change,
 * and the copy written piece by piece beside the log's own writes, under another name first: what
 * has the right name is whole. One that cannot be written is tried again, and said once.
 *
 * Memory: that of the copy is the system's, and given back when it is written. One owner thread. */
#ifndef KOUAN_IO_CASE_SNAPSHOT_H
#define KOUAN_IO_CASE_SNAPSHOT_H

#include "core/case_image.h"
#include "io/journal/disk.h"

struct shard;

#define CASE_SNAPSHOT_NAME     "cases.snapshot"
#define CASE_SNAPSHOT_NEW_NAME "cases.tmp" /* while it is being written; removed at a start */

enum { CASE_SNAPSHOT_VERSION = 1, CASE_SNAPSHOT_PIECE_BYTES = 1024 * 1024 };

struct case_snapshot_header {
    uint64_t magic;
    uint32_t version;
    uint16_t log_number;
    uint16_t kinds;                  /* of keys, that there were */
    uint32_t key_bytes, entry_bytes; /* the sizes of what lies in the sections */
    uint64_t position;               /* all messages before it are told */
    uint64_t image_bytes;
    struct case_image_section sections[CASE_IMAGE_SECTIONS];
    struct digest content; /* of the sections, piece by piece */
    struct digest own;     /* of the header, up to here */
};

enum case_snapshot_state { CASE_SNAPSHOT_RESTS, CASE_SNAPSHOT_COPIES, CASE_SNAPSHOT_WRITES };

struct case_snapshots {
    struct shard *shard;
    struct disk *disk;
    uint8_t *copy;
    size_t copy_bytes;
    struct case_snapshot_header *header; /* a page */
    enum case_snapshot_state state;
    uint64_t covered_position; /* by the one that is on the disk; 0: there is none */
    uint64_t wanted_position;  /* that somebody waits for to be covered */
    uint64_t begun_ns;

    struct disk_request request;
    int file; /* -1: not open */
    uint32_t section;
    uint64_t section_offset, file_offset;
    bool has_failed, has_warned; /* the last one; which was said */
    int32_t error;               /* of the last that failed: an errno */
    uint64_t written, failed;    /* ever */
};

/* `covered_position`: of the one that was read. NO_MEMORY. */
MUST_CHECK enum status case_snapshots_open(struct shard *shard, struct disk *disk,
                                           uint64_t covered_position,
                                           struct case_snapshots *out_snapshots);
/* Nothing may be under way. */
void case_snapshots_close(struct case_snapshots *snapshots);
static inline bool case_snapshots_is_idle(const struct case_snapshots *snapshots)
{
    return snapshots->state != CASE_SNAPSHOT_WRITES;
}

/* Once a turn. */
void case_snapshots_run(struct case_snapshots *snapshots);
/* Are all messages before it in one that is on the disk? If not, one is made soon. */
bool case_snapshots_cover(struct case_snapshots *snapshots, uint64_t position);

/* ---- at the start ---- */

struct case_snapshot_read {
    void *image; /* NULL: none */
    size_t image_bytes;
    uint64_t position;
    const char *reason; /* why it is of no use */
};

/* By disk->wait. NOT_FOUND: there is none. CORRUPT, UNSUPPORTED, IO: it is of no use. */
MUST_CHECK enum status case_snapshot_read(struct disk *disk, const struct digest_secret *secret,
                                          uint16_t log_number, struct case_snapshot_read *out_read);
void case_snapshot_free(struct case_snapshot_read *read);

#endif

/* Writes the sidecars of the log's segments (core/sidecar.h): what is appended is noted in memory,
 * and when its segment has ended, the sidecar goes to the disk, under another name first, so that
 * what has the right name is whole. Beside the log's own writes, piece by piece.
 *
 * A sidecar is never waited for. One that cannot be written, or whose turn comes while the one
 * before it is still under way, is left out and counted: the start reads its segment instead.
 * Memory: reserved at open, for two. One owner thread. */
#ifndef KOUAN_IO_SIDECARS_H
#define KOUAN_IO_SIDECARS_H

#include <inttypes.h>
#include <stdio.h>

#include "core/region.h"
#include "core/sidecar.h"
#include "io/journal/disk.h"

enum { SIDECAR_WRITE_BYTES = 1024 * 1024 };

static inline void sidecar_name(uint64_t segment_number, char out_name[DISK_NAME_BYTES])
{
    snprintf(out_name, DISK_NAME_BYTES, "%016" PRIx64 ".identities", segment_number);
}

#define SIDECAR_NEW_NAME "new.identities" /* while it is being written */

struct sidecars_settings {
    struct disk *disk;
    struct digest_secret secret;
    uint16_t log_number;
    uint64_t segment_bytes;
};

struct sidecars_figures {
    uint64_t written, bytes, left_out, failed; /* failed ones are left out, too */
    int32_t error;                             /* of the last that failed: an errno */
};

struct sidecars {
    struct sidecars_settings settings;
    struct region region;
    struct sidecar_header *noting;  /* of the segment that is being appended to */
    struct sidecar_header *waiting; /* of the one before it: until its end is told, or written */
    uint64_t noting_segment, waiting_segment; /* UINT64_MAX: none */

    struct disk_request request; /* of the one that is being written */
    uint64_t bytes, done_bytes;
    int file; /* -1: not open */
    bool is_writing, has_failed;
    struct sidecars_figures figures;
};

/* NO_MEMORY if it is not to be had. */
MUST_CHECK enum status sidecars_open(const struct sidecars_settings *settings,
                                     struct sidecars *out_sidecars);
/* Nothing may be under way. */
void sidecars_close(struct sidecars *sidecars);

/* A message was appended. Positions grow. */
void sidecars_note(struct sidecars *sidecars, const struct sidecar_identity *identity);

/* A segment has ended with a block of this checksum, and messages have been or will be noted in
 * later ones. Whether that block is on the disk yet does not matter: if it never is, the sidecar
 * does not fit. Segments of which nothing was noted are passed over. */
void sidecars_end_segment(struct sidecars *sidecars, uint64_t segment_number,
                          struct digest last_block);

static inline bool sidecars_is_idle(const struct sidecars *sidecars)
{
    return !sidecars->is_writing;
}

#endif

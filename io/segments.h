/* The files of one log: a folder with a segment a file, the identities of closed ones beside them,
 * and a lock.
 *
 *   journal/                    0700
 *     lock                      held (flock) by the server that has it open; who, for people
 *     secret                    0600: of the installation, as in every segment's header
 *     generations/<sha256>      content-addressed: manifests and the files that they name
 *     00/                       log 0
 *       0000000000000007.segment    the number in hexadecimal; 0600
 *       0000000000000007.identities the sidecar of a closed one (core/sidecar.h)
 *       spare-0.segment             preallocated and zero-written, for the next one
 *
 * Segments are made ahead: while one is written, the next is allocated, written with zeros, given
 * its header, renamed and synced, folder too; one that retention gave up is used again instead.
 * Nothing here decides anything about records. All work on the disk is asynchronous; one owner
 * thread. */
#ifndef KOUAN_IO_SEGMENTS_H
#define KOUAN_IO_SEGMENTS_H

#include "core/journal_format.h"
#include "io/disk.h"

struct segment {
    uint64_t number;
    int file; /* -1: not open */
    uint64_t
        size_bytes; /* of the file: shorter than the log's segment_bytes when copied at a start */
    uint64_t first_ms;     /* log time when it was begun */
    uint32_t live_records; /* that a group or a hold still needs */
    uint64_t *starts;      /* a bit a page: a block begins here; NULL until its blocks are known */
};

struct segments;

struct segments_settings {
    struct disk *disk;
    uint32_t segment_bytes;
    uint32_t segments_max; /* open at once: what journal_size allows */
    uint16_t log_number;
    struct digest_secret secret;
    uint64_t incarnation;
    void (*ready)(void *context);                               /* the next segment is there */
    void (*failed)(void *context, int error, const char *step); /* it cannot be made (ENOSPC ...) */
    void *context;
};

MUST_CHECK enum status segments_open(const struct segments_settings *settings,
                                     struct segments **out_segments);
void segments_close(struct segments *segments);

/* Takes over one that is there, at the start, in the order of numbers. */
MUST_CHECK enum status segments_adopt(struct segments *segments, const struct segment *segment);

/* Makes sure that the segment behind the last one is being made ready; tries again after a failure
 * only when asked again. `previous` is written into its header when it is begun. */
void segments_prepare(struct segments *segments);
bool segments_is_prepared(const struct segments *segments);

/* Turns the prepared one into the next segment: writes its header, durably, and calls `begun`. */
void segments_begin(struct segments *segments, struct digest previous, uint64_t log_time_ms,
                    uint64_t wall_ms, void (*begun)(void *context, int32_t result), void *context);

/* By number; NULL if it is not there (any more). */
struct segment *segments_find(struct segments *segments, uint64_t number);
struct segment *segments_oldest(struct segments *segments);
uint64_t segments_count(const struct segments *segments);
uint64_t segments_end_position(const struct segments *segments); /* behind the last begun one */

/* Gives the oldest up: nobody needs its bytes. It is kept as a spare, or removed. */
void segments_give_up_oldest(struct segments *segments);

/* Which blocks hold the bytes [position, position + size): their whole range. False: not known. */
bool segments_block_range(const struct segments *segments, uint64_t position, uint64_t *out_start,
                          uint64_t *out_end);
void segments_note_block(struct segments *segments, uint64_t position, uint32_t size_bytes);

#endif

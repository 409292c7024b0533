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
 *       0000000000000007.seal       a seal over it, made by `kouan audit seal`, not by a server
 *       spare-0.segment             preallocated and zero-written, for the next one
 *
 * Segments are made ahead: while one is written, a spare is allocated and written with zeros, at
 * twice the pace at which the one before it fills; one that retention gave up is used again
 * instead, without zeros, since no block of an older position is ever valid in it. When the log
 * goes on in it, it gets its header and its name, and the folder is synced, while its first blocks
 * are written. Nothing here decides anything about records. All work on the disk is asynchronous,
 * nothing is allocated after the start; one owner thread. */
#ifndef KOUAN_IO_SEGMENTS_H
#define KOUAN_IO_SEGMENTS_H

#include <inttypes.h>
#include <stdio.h>

#include "core/journal_format.h"
#include "io/journal/disk.h"

struct segment {
    uint64_t number;
    int file;
    uint64_t size_bytes; /* of the file: shorter than segment_bytes when copied at a start */
    uint64_t end_bytes;  /* behind its last noted block */
    uint64_t first_ms;   /* log time when it was begun */
    uint64_t *starts;    /* a bit a page: a block begins here. The segments' */
    bool is_left;        /* its folder was left: never used again for another */
};

struct segments;

struct segments_settings {
    struct disk *disk;
    uint32_t segment_bytes;
    uint32_t segments_max; /* all open at once: what journal_size allows, two at least */
    uint16_t log_number, log_count;
    struct digest_secret secret;
    uint64_t incarnation;
    bool has_moved;               /* the disk is that of two folders, and goes on in the second */
    void (*ready)(void *context); /* the next segment is there */
    /* It cannot be made (ENOSPC ...; EDQUOT: segments_max are there), or one cannot be given up:
     * `error` is an errno. Also from within segments_prepare. */
    void (*failed)(void *context, int error, const char *step);
    void *context;
};

/* What a segment has from its first page behind the header on before it gets its name. */
struct segment_content {
    void *memory;
    uint32_t size_bytes; /* 0: nothing */
};

/* Removes spares that an earlier run left. NO_MEMORY, or IO. */
MUST_CHECK enum status segments_open(const struct segments_settings *settings,
                                     struct segments **out_segments);
/* Waits for what is under way, and closes all files. */
void segments_close(struct segments *segments);

/* Takes over one that is there, and its open file, at the start, in the order of numbers; its
 * blocks are then noted. The log goes on in the one behind the last. CORRUPT: a number is missing;
 * FULL: segments_max are there. */
MUST_CHECK enum status segments_adopt(struct segments *segments, const struct segment *segment);

/* Makes sure that a segment to go on in is there or being made; tries again after a failure only
 * when asked again. */
void segments_prepare(struct segments *segments);
bool segments_is_prepared(const struct segments *segments);

/* Goes on in the prepared one, with `content`. It is written from now on; what is written counts
 * only after `begun` was called with 0: then its header, what `content` has, and its name are on
 * stable storage. One at a time. */
void segments_begin(struct segments *segments, struct digest previous, uint64_t log_time_ms,
                    uint64_t wall_ms, struct segment_content content,
                    void (*begun)(void *context, int32_t result), void *context);
bool segments_is_beginning(const struct segments *segments);

/* Is something under way on the disk? */
bool segments_are_busy(const struct segments *segments);
/* The disk makes its files elsewhere from now on: the segments from `number` on are begun anew, and
 * none that was made before is gone on in. Their files stay open to the end, for those who read
 * them. Nothing may be under way. */
void segments_move(struct segments *segments, uint64_t number);

/* By number; NULL if it is not there (any more). */
struct segment *segments_find(struct segments *segments, uint64_t number);
struct segment *segments_oldest(struct segments *segments);
uint64_t segments_count(const struct segments *segments);
uint64_t segments_end_position(const struct segments *segments); /* behind the last begun one */
/* Below it records may lie: behind the prepared one, if there is one. */
uint64_t segments_limit_position(const struct segments *segments);
uint64_t segments_bytes(const struct segments *segments); /* on the disk, spares too */
static inline void segment_name(uint64_t number, char out_name[DISK_NAME_BYTES])
{
    snprintf(out_name, DISK_NAME_BYTES, "%016" PRIx64 ".segment", number);
}

/* Gives the oldest up: nobody needs its bytes. It is kept as a spare, or removed; its sidecar goes,
 * too. */
void segments_give_up_oldest(struct segments *segments);

/* A block is whole on the disk. Blocks of a segment come in order. */
void segments_note_block(struct segments *segments, uint64_t position, uint32_t size_bytes);
/* Which blocks hold the bytes [position, position + size): their whole range. False: not known. */
bool segments_block_range(const struct segments *segments, uint64_t position, uint32_t size_bytes,
                          uint64_t *out_start, uint64_t *out_end);

#endif

/* Reads the sidecars of closed segments at the start, in order and several ahead: the disk works
 * while the window takes in the one at hand. Its memory is its own, from open to close; nothing
 * else may need the loop meanwhile, since it waits by disk->wait. What cannot be had, for whatever
 * reason, is left to the reader of the segment. */
#ifndef KOUAN_IO_SIDECAR_READER_H
#define KOUAN_IO_SIDECAR_READER_H

#include "io/journal/sidecars.h"

enum { SIDECAR_READS_MAX = 6, SIDECAR_READ_BYTES = 16 * 1024 * 1024 };

struct sidecar_reader_settings {
    struct disk *disk;
    struct digest_secret secret;
    uint16_t log_number;
    uint64_t segment_bytes;
    uint64_t first_segment, end_segment;
};

struct sidecar_reader;

MUST_CHECK enum status sidecar_reader_open(const struct sidecar_reader_settings *settings,
                                           struct sidecar_reader **out_reader);
void sidecar_reader_close(struct sidecar_reader *reader);

/* The next segment's, whose last block has this checksum; there until the next call. NULL: it is
 * not there, or not as it was written, or of another life of the segment. */
const struct sidecar_header *sidecar_reader_next(struct sidecar_reader *reader,
                                                 struct digest last_block);

#endif

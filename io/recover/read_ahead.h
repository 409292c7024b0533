/* Reads files from front to back, one after another, with several large reads in flight, so that
 * whoever looks at all of a log waits for the disk's bandwidth and not for its latency. Blocking,
 * by way of disk->wait: for the start, when nothing else runs. The files are the caller's. */
#ifndef KOUAN_IO_READ_AHEAD_H
#define KOUAN_IO_READ_AHEAD_H

#include "core/journal_format.h"
#include "io/journal/disk.h"

enum { READ_AHEAD_CHUNKS = 8, READ_AHEAD_CHUNK_BYTES = 1024 * 1024 };

struct read_ahead_file {
    int file;
    uint64_t size_bytes;
};

struct read_ahead_chunk {
    struct disk_request request;
    struct read_ahead *owner;
    uint32_t file; /* number in the list */
    uint64_t offset;
    uint32_t size_bytes; /* wanted; what is there once it was read */
    bool in_flight, failed;
};

struct read_ahead {
    struct disk *disk;
    const struct read_ahead_file *files;
    uint32_t file_count;
    uint8_t *memory;
    struct read_ahead_chunk chunks[READ_AHEAD_CHUNKS]; /* a ring, in the order of reading */
    uint64_t first, end;                               /* free-running */
    uint32_t next_file;                                /* where the next chunk begins */
    uint64_t next_offset;
    uint64_t bytes_read;
};

MUST_CHECK enum status read_ahead_open(struct read_ahead *reader, struct disk *disk,
                                       const struct read_ahead_file *files, uint32_t file_count);
/* Waits for what is in flight. */
void read_ahead_close(struct read_ahead *reader);

/* Copies up to `capacity` bytes of a file from `offset` on; fewer only at its end; -1 if they
 * cannot be read. Cheap where it goes on from the last call; any other place is a new beginning. */
int64_t read_ahead_copy(struct read_ahead *reader, uint32_t file, uint64_t offset, void *memory,
                        size_t capacity);

#endif

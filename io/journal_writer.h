/* Makes the journal durable: a state machine over an injected disk. It seals blocks, writes them in
 * order, and says up to where the log is on stable storage.
 *
 * A block is sealed when it is full, or when fewer writes than `writes_max` are in flight, after a
 * linger that adapts to how fast records come: none when they come one by one, up to
 * `linger_max_us` when more are sure to come meanwhile. After `idle_seal_ms` without a record one
 * empty block tells the disk the last watermark, and at the stop.
 *
 * A write that fails or is short ends acknowledging for good: `failed` is called once, and nothing
 * becomes durable afterwards, whatever later writes say. */
#ifndef KOUAN_IO_JOURNAL_WRITER_H
#define KOUAN_IO_JOURNAL_WRITER_H

#include "core/journal.h"
#include "io/disk.h"
#include "io/segments.h"

enum { JOURNAL_WRITES_MAX = 4 };

struct journal_writer_settings {
    struct loop *loop;
    struct journal *journal;
    struct segments *segments;
    struct disk *disk;
    uint32_t writes_max; /* in flight, 1 .. JOURNAL_WRITES_MAX */
    uint32_t linger_max_us, idle_seal_ms;
    uint64_t (*log_time_ms)(void *context);
    /* Before a block is sealed: the owner appends what belongs into it (facts). */
    void (*sealing)(void *context);
    /* journal->durable_position has moved. */
    void (*durable)(void *context);
    void (*failed)(void *context, const char *reason);
    void *context;
};

struct journal_write {
    struct disk_request request;
    struct journal_writer *writer;
    uint64_t position;
    uint64_t started_ns;
    bool in_flight, done;
};

struct journal_writer {
    struct journal_writer_settings settings;
    struct journal_write writes[JOURNAL_WRITES_MAX];
    uint32_t in_flight;
    uint64_t next_block; /* number of the block in the journal's ring that is written next */
    bool failed, stopping;
    struct timer linger_timer, idle_timer;
    uint64_t figures_writes, figures_bytes, figures_padding_bytes, figures_write_ns;
};

void journal_writer_open(struct journal_writer *writer,
                         const struct journal_writer_settings *settings);

/* Once a turn, when all of its records are appended. */
void journal_writer_run(struct journal_writer *writer);

/* Writes what is left and a last empty block; `durable` tells when. */
void journal_writer_stop(struct journal_writer *writer);
bool journal_writer_is_idle(const struct journal_writer *writer);

#endif

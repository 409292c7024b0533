/* Makes the journal durable: a state machine over an injected disk. It seals blocks, writes them in
 * order, goes on in the next segment, and says up to where the log is on stable storage.
 *
 * A block is sealed when it is full, or when fewer writes than `writes_max` are in flight. While
 * few records come, each is written at once, beside one other at most. When many come, a further
 * write in flight has to be worth it (half a block), and before a write into an idle disk there may
 * be a linger of up to `linger_max_us`, which is given up for a while whenever it brought little.
 * After `idle_seal_ms` without a record one empty block puts the last watermark on the disk, and so
 * does the stop.
 *
 * A write that fails or is short, or a segment that cannot be begun, ends acknowledging for good:
 * `failed` is called once, and nothing becomes durable afterwards, whatever later writes say.
 * Unless there is a spare folder to go on in (`move`): then nothing in flight counts any more; the
 * segment with the first block that is not durable, whose bytes must all be in memory still, is
 * written anew there, gets its name when all of it that was durable is, and the log goes on in it,
 * at the same positions. That happens once.
 *
 * While it has something in flight the loop may wait but must not spin: the kernel's workers, who
 * complete the write, would starve. Memory: the caller's; nothing is allocated. One thread. */
#ifndef KOUAN_IO_JOURNAL_WRITER_H
#define KOUAN_IO_JOURNAL_WRITER_H

#include "core/journal.h"
#include "io/journal/disk.h"
#include "io/journal/segments.h"

enum { JOURNAL_WRITES_MAX = 4, JOURNAL_REASON_BYTES = 256 };

struct journal_writer_settings {
    struct loop *loop;
    struct journal *journal;
    struct segments *segments;
    struct disk *disk;
    uint32_t writes_max; /* in flight, 1 .. JOURNAL_WRITES_MAX */
    uint32_t linger_max_us, idle_seal_ms;
    uint64_t (*log_time_ms)(void *context);
    /* Before a block is sealed: the owner appends what belongs into it (facts). Also when nothing
     * is open: facts alone make a block. */
    void (*sealing)(void *context);
    /* journal->durable_position has moved; what is kept in memory is the owner's to move. Neither
     * this nor `failed` is called from within the functions below. */
    void (*durable)(void *context);
    void (*failed)(void *context, const char *reason);
    /* The disk is to make its files in the spare folder from now on. NULL: there is none. */
    void (*move)(void *context, const char *reason);
    /* A segment is followed by the next one, and ends with a block of this checksum, which may not
     * be durable yet; for the sidecars. NULL: nobody wants to know. */
    void (*segment_ended)(void *context, uint64_t segment_number, struct digest last_block);
    void *context;
};

struct journal_write {
    struct disk_request request;
    struct journal_writer *writer;
    uint64_t position, started_ns;
    bool is_done;
};

struct journal_writer_figures {
    uint64_t writes, bytes, padding_bytes; /* padding is part of the bytes */
    uint64_t write_ns;                     /* of all writes together */
    uint64_t last_write_ns;
    uint64_t lingers, idle_seals;
};

struct journal_writer {
    struct journal_writer_settings settings;
    struct journal_write writes[JOURNAL_WRITES_MAX]; /* number % JOURNAL_WRITES_MAX */
    uint64_t first_write, end_write;                 /* numbers: in flight are [first, end) */
    uint64_t next_block;         /* number of the journal's block that is written next */
    uint64_t written_position;   /* all below is written ... */
    uint64_t standing_position;  /* ... into segments whose header and name are safe, too */
    uint64_t beginning_position; /* of the segment that is being begun; UINT64_MAX: none is */
    uint32_t last_records;       /* in the block written last */
    bool needs_watermark;        /* there are records behind the last watermark on the disk */
    bool is_failed, is_stopping;
    bool is_leaving;         /* a write failed: it moves when nothing is under way any more */
    bool has_moved;          /* there is no spare any more */
    uint64_t moved_position; /* of the segment that is begun anew; UINT64_MAX: none is */
    uint64_t segments_ended; /* numbers below it were told by `segment_ended` */
    bool is_lingering;
    uint64_t linger_end_ns, linger_records; /* the journal's count when it began */
    uint32_t linger_skips, linger_skips_left;
    struct timer linger_timer, idle_timer;
    struct deferral wake;
    struct journal_writer_figures figures;
    char reason[JOURNAL_REASON_BYTES];
};

void journal_writer_open(struct journal_writer *writer,
                         const struct journal_writer_settings *settings);
/* Nothing may be in flight. */
void journal_writer_close(struct journal_writer *writer);

/* Records or facts have come, or the next segment is ready: raises the journal's limit now, for
 * those who wait for room, and calls journal_writer_run at the end of this turn, when all that the
 * turn brings is there. */
void journal_writer_wake(struct journal_writer *writer);

/* Raises the journal's limit, seals and writes what is due. Calls `sealing`. */
void journal_writer_run(struct journal_writer *writer);

/* For how long writes have been in flight, in all; two at a time count twice. */
uint64_t journal_writer_busy_ns(const struct journal_writer *writer);

/* The segments cannot make the one that it waits for: without it a move fails. */
void journal_writer_note_segment_failure(struct journal_writer *writer, int error);

/* Between a failed write and the first segment that stands in the spare folder. */
bool journal_writer_is_moving(const struct journal_writer *writer);

/* Writes what is left and a last empty block; it is over when the writer is idle. */
void journal_writer_stop(struct journal_writer *writer);

/* Nothing is in flight, and nothing is left to write; or it has failed, and nothing is in flight.
 */
bool journal_writer_is_idle(const struct journal_writer *writer);

#endif

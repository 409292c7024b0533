/* The shard's log: opened in its folder, with the disk, the segments and the writer that make it
 * durable; with `sync: memory` a ring in memory alone. Part of io/shard/shard.h, cut out for its
 * length.
 *
 * A write that fails ends the server, unless there is a spare folder to go on in: nothing is
 * durable afterwards, nothing is answered, and `failure` says why. No room for another segment ends
 * nothing: messages get TRYAGAIN, what is acknowledged is still written, and it is tried again. One
 * owner thread. */
#ifndef KOUAN_IO_SHARD_LOG_H
#define KOUAN_IO_SHARD_LOG_H

#include "io/journal/facts.h"
#include "io/journal/journal_writer.h"
#include "io/journal/log_disk.h"
#include "io/journal/sidecars.h"
#include "io/recover/recover.h"

enum { SHARD_LOG_FAILURE_BYTES = LOG_DISK_PATH_BYTES + 512 };

struct shard_log {
    bool is_on_disk;
    const struct journal_folders *folders; /* of the server, or its own */
    struct journal_folders own_folders;
    struct log_disk disk;
    struct segments *segments;
    uint64_t segments_allowed; /* by journal_size, and by how many files may be open */
    struct journal_writer writer;
    struct sidecars sidecars;
    struct recover *recover;  /* until the log goes on */
    struct recovery recovery; /* likewise */
    struct recover_figures recovered;
    void (*recovering)(void *context, const struct recover_figures *figures);
    void *recovering_context;
    uint64_t start_time_ms;   /* log time when this server began */
    int segment_error;        /* errno: the next segment cannot be made; 0: it can, so far */
    const char *segment_step; /* that failed, in a word */
    bool is_disk_low;         /* which was said */
    struct timer retry_timer;
    struct timer gather_timer;             /* facts wait for it, while they live on the reserve */
    uint64_t gathered_ns;                  /* when they were written last */
    char failure[SHARD_LOG_FAILURE_BYTES]; /* empty: none */
    char moved[JOURNAL_REASON_BYTES]; /* why it goes on in the spare folder, if it did since the
                                         start */
};

/* Finds what is there. `shard` has its loop. On failure one line; so below. */
MUST_CHECK enum status shard_log_open(struct shard *shard, char *out_problem,
                                      size_t problem_capacity);
/* The shard's parts are open and empty, without groups: builds them again from the log, if there is
 * one. */
MUST_CHECK enum status shard_log_recover(struct shard *shard, char *out_problem,
                                         size_t problem_capacity);
/* What all logs of a server begin with. */
struct shard_log_start {
    uint64_t time_ms; /* of the log, from which all count: that of the furthest */
    uint64_t generation;
    struct sha256 manifest; /* of it */
};
/* All logs are read: which time it is, and which generation. That is stored before any record can
 * name it. By one thread, while no other does anything. */
MUST_CHECK enum status shard_log_choose_start(struct shard *const *shards, uint16_t count,
                                              struct shard_log_start *out_start, char *out_problem,
                                              size_t problem_capacity);
/* Opens the journal where it goes on. */
MUST_CHECK enum status shard_log_begin(struct shard *shard, const struct shard_log_start *start,
                                       char *out_problem, size_t problem_capacity);
void shard_log_close(struct shard *shard);

/* Records were written, or something waits to be: the writer has a look at the end of the turn. */
void shard_log_wake(struct shard *shard);
/* Before messages are appended: blocks that they fill are of this time, and not of what the time
 * was when the log was written to last, which may be long ago. */
void shard_log_set_time(struct shard *shard);
/* A message was appended: its identity goes into the sidecar of its segment. */
void shard_log_note_identity(struct shard *shard, const struct record *record,
                             struct digest body_digest, uint64_t position);
/* What the disk has and no commit needs any more may be overwritten in memory. */
void shard_log_let_go(struct shard *shard);

/* The folders, the disk, and what is there to be recovered; none of them is open. */
MUST_CHECK enum status shard_log_open_files(struct shard *shard, char *out_problem,
                                            size_t problem_capacity);
void shard_log_forget_files(struct shard_log *log);
/* How many logs the journal has. */
uint16_t shard_log_count(const struct shard *shard);

/* May the segment that is written have to be written anew in the spare folder? */
bool shard_log_may_move(const struct shard_log *log);
/* A write failed: it is. The writer's `move`. */
void shard_log_move(void *context, const char *reason);

/* What the journal's disk has room for; UINT64_MAX: without one, or not known. */
uint64_t shard_log_free_bytes(const struct shard *shard);
/* Is that less than four segments, and than journal_size lets it grow by? */
bool shard_log_is_disk_low(const struct shard *shard, uint64_t free_bytes);
/* A segment was made: says it once when the disk is low, and again after it was not. */
void shard_log_note_disk(struct shard *shard);

/* The next segment cannot be made: it is said once, and tried again every second. */
void shard_log_note_no_segment(void *context, int error, const char *step);
void shard_log_try_segment(struct loop *loop, struct timer *timer);

/* Facts alone would make a block: shall they wait for more, since no segment comes and the reserve
 * has to last? Then the writer is woken in time. */
bool shard_log_must_gather(struct shard *shard);
void shard_log_end_gathering(struct loop *loop, struct timer *timer);

/* The message at a position of which somebody knows, in memory or read back lately; NULL: it has to
 * be read. There until more is appended or read. */
const struct record *shard_record(const struct shard *shard, uint64_t position);

/* Milliseconds that only a running server counts, however often it started. */
uint64_t shard_log_time_ms(const struct shard *shard);

/* Writes what is left. True when it is all on disk, or never will be. */
bool shard_log_stop(struct shard *shard);

#endif

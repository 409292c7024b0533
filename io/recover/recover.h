/* The start on a log that is there, in one folder or in two (io/journal/log_folder.h): finds its
 * segments, verifies what it reads, and builds the shard again: window, destinations with their
 * groups, holds, accounts. What follows the last whole block and was not durable (a torn tail) is
 * cut off, for nobody was told of it; anything else that is not as it was written stops the start,
 * with the place and the choice.
 *
 *   recover_open    which segments there are, and whose
 *   recover_run     reads them into a shard whose parts are open and empty
 *   recover_close
 *
 * Of closed segments that nothing live needs only the identities are read, from their sidecars, and
 * where their blocks begin. The blocks of the last segment are copied to a fresh file before
 * anything is served, since the page cache may hold what the disk does not; the log goes on in the
 * next segment. Killed at any point, it finds the same the next time. Blocking, by disk->wait. */
#ifndef KOUAN_IO_RECOVER_H
#define KOUAN_IO_RECOVER_H

#include "core/journal_scan.h"
#include "io/journal/disk.h"
#include "io/journal/segments.h"
#include "io/reload/generation_store.h"

struct shard;
struct recover;

struct recover_figures {
    uint64_t segments, skipped_segments; /* skipped: of which sidecars were enough */
    uint64_t bytes, total_bytes;         /* read so far; to be read at most */
    uint64_t blocks, messages, identities;
    uint64_t elapsed_ns;
    uint64_t torn_bytes; /* cut off: that were begun and not finished */
    char torn_reason[JOURNAL_SCAN_REASON_BYTES];
};

struct recover_settings {
    struct disk *disk; /* of both folders, if there is a spare: moved to that if the log has */
    int folder;        /* of the log */
    const char *path;  /* of it, for people */
    const char *journal_path;
    int spare_folder; /* where the log may have gone on, and does now if `has_moved` */
    bool has_moved;
    const char *spare_path;
    const char *spare_journal_path; /* NULL: there is none */
    struct digest_secret secret;
    uint32_t segment_bytes;
    uint16_t log_number, log_count;
    /* Every now and then while it runs. NULL: nobody looks. */
    void (*progress)(void *context, const struct recover_figures *figures);
    void *context;
    char *out_problem; /* what is wrong, in a line, and what can be done */
    size_t problem_capacity;
};

/* Where the log goes on. */
struct recovery {
    uint64_t start_position;
    uint64_t log_time_ms;
    struct digest last_checksum;
    struct record_id last_id;
    uint64_t last_generation;    /* the greatest that the log speaks of; 0: none */
    struct sha256 last_manifest; /* of it */
    uint64_t cases_covered;      /* by a snapshot; 0: there is none */
    struct recover_figures figures;
};

/* CORRUPT: damaged; UNSUPPORTED: of another version; INVALID: it does not fit the configuration;
 * NOT_FOUND: something is missing; IO; NO_MEMORY. */
MUST_CHECK enum status recover_open(const struct recover_settings *settings,
                                    struct recover **out_recover);
/* Of this start. */
uint64_t recover_incarnation(const struct recover *recover);
uint64_t recover_segment_count(const struct recover *recover);

/* The shard has its generation, its outlets (without groups), accounts, holds and window, all
 * empty; `segments` is open and empty. The segments keep the files. */
MUST_CHECK enum status recover_run(struct recover *recover, struct shard *shard,
                                   struct segments *segments, struct recovery *out_recovery);
/* The current generation: its manifest; its number, which is that of the last one, if all logs that
 * know of that know it with this manifest, and else the next; and it is stored, before any record
 * can name it. */
void recover_manifest(const struct config *config, struct sha256 *out_manifest);
uint64_t recover_choose_generation(const struct recovery *const *logs, uint16_t count,
                                   const struct sha256 *manifest);
MUST_CHECK enum status recover_store_generation(struct recover *recover, uint64_t number,
                                                char *out_problem, size_t problem_capacity);
void recover_close(struct recover *recover);

/* The log's time as the window counts it: seconds, from 1, since it reads 0 as no time at all. */
static inline uint32_t recover_window_time_s(uint64_t log_time_ms)
{
    return (uint32_t)(log_time_ms / 1000) + 1;
}

#endif

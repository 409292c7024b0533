/* What the parts of io/recover/recover.h share: recover.c (the order of things), recover_files.c
 * (which segments there are), recover_checkpoint.c (where reading begins), recover_skip.c (closed
 * segments that nothing needs), recover_identities.c (sidecars, the window), recover_apply.c (what
 * records do to the shard), recover_cases.c (what they say of cases), recover_tail.c (the last
 * segment). */
#ifndef KOUAN_IO_RECOVER_INSIDE_H
#define KOUAN_IO_RECOVER_INSIDE_H

#include "core/fact.h"
#include "core/journal_scan.h"
#include "core/sidecar.h"
#include "io/delivery/outlet_restore.h"
#include "io/recover/read_ahead.h"
#include "io/recover/recover.h"
#include "io/shard/shard.h"

enum { IDENTITIES_AT_ONCE = 1024 };

struct recover_file {
    uint64_t number;
    int file;        /* -1: gone */
    bool is_adopted; /* the segments close it */
    bool is_in_spare;
    uint64_t size_bytes;
    bool has_header; /* and it is right */
    struct segment_header header;
};

/* What happened to one (message, destination) that was held; folded at the end. */
struct hold_event {
    struct record_id id;
    uint64_t position;
    uint32_t size_bytes;
    uint16_t slot;
    bool is_end;
    size_t order;
};

/* A destination of the log: the current ones by their index, then those that the configuration no
 * longer has. */
struct recover_slot {
    struct outlet *outlet;
    struct outlet_restore *restore;
};

/* A destination that the log has messages for and the configuration lacks. */
struct stranger {
    struct destination destination;
    struct outlet outlet;
};

/* A generation before, as cases are seen by it; io/recover/recover_cases.c. */
struct recover_past {
    uint64_t number;
    struct stored_generation *stored;
    struct cases_view *view; /* NULL: that of the current one */
};

struct recover {
    struct recover_settings settings;
    struct recover_file *files; /* by number, without gaps */
    uint32_t file_count;
    uint64_t first_number; /* smaller ones were given up */
    uint64_t incarnation;
    struct generation_store store;
    struct recover_figures figures;

    struct shard *shard;
    struct segments *segments;
    struct read_ahead reader;
    struct read_ahead_file *reader_files;
    uint32_t first_scanned; /* index of the file at which the full scan begins */

    /* What has been read last: */
    struct block_header block; /* its header */
    uint64_t log_generation;   /* that facts speak of */
    uint64_t last_generation;  /* the greatest */
    struct sha256 last_manifest;

    struct recover_slot slots[2 * DESTINATIONS_MAX];
    uint16_t slot_count;
    struct stranger *strangers[DESTINATIONS_MAX];
    uint16_t stranger_count;

    struct hold_event *holds;
    size_t hold_count, hold_capacity;

    struct recover_past *pasts;
    uint16_t past_count;
    uint64_t cases_from; /* messages before it are in the cases already */

    struct window_restored identities[IDENTITIES_AT_ONCE];
    uint32_t identity_count;
    struct sidecar_header *sidecar; /* of the segment that is being scanned */
};

/* One line into `out_problem`; the status. */
enum status recover_say(const struct recover *recover, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same about a place in a segment's file. */
enum status recover_say_place(const struct recover *recover, enum status status, uint64_t position,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* And what can be done when it was durable. */
enum status recover_say_damage(const struct recover *recover, uint64_t position,
                               const char *reason);
/* What a scan has to say when it fails, unless a handler has said it. */
enum status recover_say_scan(const struct recover *recover, enum status status,
                             const struct journal_scan_result *result);
/* The segment, its file, goes to the segments. */
MUST_CHECK enum status recover_adopt(struct recover *recover, uint64_t segment);

void recover_progress(const struct recover *recover);

/* ---- recover_files.c ---- */

MUST_CHECK enum status recover_find_files(struct recover *recover);
struct recover_file *recover_file(const struct recover *recover, uint64_t segment);
/* The folder that a segment is in, for people. */
const char *recover_path(const struct recover *recover, uint64_t segment);
/* The folder that is written to. */
const char *recover_current_path(const struct recover *recover);
/* journal_scan's, by the reader over all files. */
int64_t recover_read(void *context, uint64_t segment, uint64_t offset, void *memory,
                     size_t capacity);
MUST_CHECK enum status recover_remove(const struct recover *recover, const char *name);
void recover_close_file(const struct recover *recover, int file);
/* One page of a segment, aligned memory. IO, also where the file ends before it. */
MUST_CHECK enum status recover_read_page(const struct recover *recover, uint64_t segment,
                                         uint64_t offset, void *page);

/* ---- recover_checkpoint.c: sets first_scanned ---- */

MUST_CHECK enum status recover_choose_first(struct recover *recover);

/* ---- recover_skip.c ---- */

/* Takes the segments before first_scanned over: where their blocks begin. */
MUST_CHECK enum status recover_skip_segments(struct recover *recover);

/* ---- recover_identities.c ---- */

/* Those of the segments before first_scanned. */
MUST_CHECK enum status recover_skipped_identities(struct recover *recover);
MUST_CHECK enum status recover_sidecar_begin(struct recover *recover, uint64_t segment);
void recover_identity(struct recover *recover, const struct record *record, uint64_t position);
/* The window has all that was told. */
void recover_flush_identities(struct recover *recover);
/* Writes what was gathered for the segment, if it has no sidecar; a failure costs time at the next
 * start and no more. */
void recover_sidecar_end(struct recover *recover, struct digest last_block);

/* ---- recover_apply.c ---- */

MUST_CHECK enum status recover_apply_begin(struct recover *recover);
MUST_CHECK enum status recover_apply(struct recover *recover, const struct record_head *head,
                                     uint64_t position);
MUST_CHECK enum status recover_apply_end(struct recover *recover);
void recover_apply_close(struct recover *recover);
/* The names of a generation are listed. */
MUST_CHECK enum status recover_know_generation(struct recover *recover, uint64_t number);

/* ---- recover_cases.c ---- */

/* Takes the snapshot, if there is one that is of use. */
MUST_CHECK enum status recover_cases_begin(struct recover *recover);
/* The index of the file with the first message that is to be told; the last one's if none is. */
uint32_t recover_cases_first(const struct recover *recover);
void recover_case(struct recover *recover, const struct record *record, uint64_t position);
void recover_cases_close(struct recover *recover);

/* ---- recover_tail.c ---- */

/* Copies what survived of the last segment to a fresh file, and removes what follows it. */
MUST_CHECK enum status recover_copy_tail(struct recover *recover,
                                         const struct journal_scan_result *result);

#endif

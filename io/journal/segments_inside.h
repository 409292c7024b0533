/* What the parts of io/journal/segments.h share: segments.c (the table, the next segment) and
 * segments_spares.c (making spares, giving segments up). */
#ifndef KOUAN_IO_SEGMENTS_INSIDE_H
#define KOUAN_IO_SEGMENTS_INSIDE_H

#include <stddef.h>

#include "io/journal/segments.h"

enum {
    SPARES_MAX = 4,
    LEFT_FILES_MAX = SPARES_MAX + 4, /* of one move: spares, and segments that are begun anew */
    ZERO_CHUNK_BYTES = 256 * 1024,   /* written at once: what a block of the log may wait for */
    ZERO_LEAD_BYTES = 4 * 1024 * 1024,
    ZERO_PACE = 2 /* times as fast as the segment before it fills */
};

enum spare_state { SPARE_NONE, SPARE_MAKING, SPARE_READY, SPARE_TAKEN /* by begin */ };

struct spare {
    enum spare_state state;
    int file;
    bool has_file; /* being made: the file is open */
};

/* One thing after the other on the disk: what is done next depends on the action that ended. */
struct segments_work {
    struct disk_request request;
    struct segments *segments;
    bool is_busy;
    struct spare *spare;
    int error; /* an errno: what went wrong before it was undone */
    const char *failed_step;
    bool is_sidecar_gone;
};

struct segments {
    struct segments_settings settings;
    struct segment *entries; /* by number % segments_max */
    uint64_t *starts;
    size_t words_each;
    /* Those being given up: [going, first); those there: [first, end). */
    uint64_t going_number, first_number, end_number;
    struct spare spares[SPARES_MAX];
    uint8_t *zeros, *header_page;
    struct segments_work make, give_up, begin;
    uint64_t zeroed_bytes; /* of the spare that is being made */
    bool is_written;       /* the last segment is one that this run has begun */
    bool is_wanted;        /* segments_prepare was called, and neither answer was given yet */
    bool is_stuck;         /* giving up failed: it would leave a gap to go on with the next */
    bool is_closing;
    struct segment_content content; /* of the one that is being begun */
    int left_files[LEFT_FILES_MAX];
    uint32_t left_file_count;
    void (*begun)(void *context, int32_t result);
    void *begun_context;
};

static inline struct segment *segments_entry(const struct segments *segments, uint64_t number)
{
    return &segments->entries[number % segments->settings.segments_max];
}

static inline bool segments_have_room(const struct segments *segments)
{
    return segments->end_number - segments->going_number < segments->settings.segments_max;
}

static inline struct segments_work *segments_work_of(struct disk_request *request)
{
    return (struct segments_work *)(void *)((uint8_t *)request -
                                            offsetof(struct segments_work, request));
}

static inline void segments_submit(struct segments *segments, struct segments_work *work,
                                   void (*done)(struct disk_request *request, int32_t result))
{
    work->segments = segments;
    work->request.done = done;
    disk_submit(segments->settings.disk, &work->request);
}

static inline void segments_name_spare(unsigned index, char out_name[DISK_NAME_BYTES])
{
    snprintf(out_name, DISK_NAME_BYTES, "spare-%u.segment", index);
}

/* NULL: none is in this state. */
struct spare *segments_spare_in(struct segments *segments, enum spare_state state);

/* Writes more zeros, if the log has come so far that more are due. */
void segments_make_on(struct segments *segments);

#endif

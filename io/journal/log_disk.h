/* The files of one log as one disk: those in its own folder and, with `journal_spare`, those in the
 * spare one that it goes on in when a write fails (io/journal/disk_pair.h). Descriptors of the
 * folders are its own. The loop's thread only. */
#ifndef KOUAN_IO_LOG_DISK_H
#define KOUAN_IO_LOG_DISK_H

#include "io/journal/disk_pair.h"
#include "io/journal/disk_ring.h"
#include "io/journal/journal_folders.h"

enum { LOG_DISK_PATH_BYTES = JOURNAL_PATH_BYTES + 8 };

struct log_disk {
    struct disk_pair pair; /* what its users have */
    struct disk_ring rings[DISK_PARTS];
    int folders[DISK_PARTS]; /* -1: none */
    char paths[DISK_PARTS][LOG_DISK_PATH_BYTES];
};

/* Moved already if one of the logs has. On failure one line. */
MUST_CHECK enum status log_disk_open(struct log_disk *disk, struct loop *loop,
                                     const struct journal_folders *folders, uint16_t log_number,
                                     char *out_problem, size_t problem_capacity);
/* Nothing may be under way. */
void log_disk_close(struct log_disk *disk);

static inline struct disk *log_disk_of(struct log_disk *disk)
{
    return &disk->pair.disk;
}

static inline bool log_disk_has_spare(const struct log_disk *disk)
{
    return disk->folders[DISK_SPARE] >= 0;
}

static inline bool log_disk_has_moved(const struct log_disk *disk)
{
    return disk->pair.current == DISK_SPARE;
}

/* Where it writes now. */
static inline const char *log_disk_path(const struct log_disk *disk)
{
    return disk->paths[disk->pair.current];
}

#endif

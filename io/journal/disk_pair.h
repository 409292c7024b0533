/* Two folders as one disk: the journal's own, and the spare one that the log moves to when a write
 * to its own fails (docs/journal.md). Everything is made in the current folder. A name that both
 * have is the spare's: the log wrote it anew there. Names are removed from both, and what the
 * folder that was left does not let go of stops nobody.
 *
 *   disk_pair_init -> [disk_pair_move: at the start, if the spare has segments, or after a failure]
 *
 * Requests about a file go to the disk that opened it. Memory: the caller's; the disks are the
 * caller's, too. The disks' thread only. */
#ifndef KOUAN_IO_DISK_PAIR_H
#define KOUAN_IO_DISK_PAIR_H

#include "io/journal/disk.h"

enum { DISK_PAIR_FILES_MAX = 1 << 20 };

enum disk_part { DISK_OWN, DISK_SPARE, DISK_PARTS };

struct disk_pair {
    struct disk disk; /* first: what it is handed on as */
    struct disk *parts[DISK_PARTS];
    enum disk_part current;
    uint32_t in_flight[DISK_PARTS];
    bool is_own_changed;  /* names were removed from the folder that was left: to be synced */
    uint64_t left_behind; /* names that it did not let go of */
    uint64_t spare_files[DISK_PAIR_FILES_MAX / 64]; /* a bit a file: of the spare */
};

/* `spare` may be NULL: then it is `own` alone. */
void disk_pair_init(struct disk_pair *pair, struct disk *own, struct disk *spare);

/* From now on all is made in the spare folder; for good. */
void disk_pair_move(struct disk_pair *pair);

/* Something was not answered yet. */
bool disk_pair_is_busy(const struct disk_pair *pair);

#endif

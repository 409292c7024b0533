/* What lies in the folder of a log, and in its folder of the spare (docs/journal.md): which
 * segments the log consists of. A number that the spare has, or that lies behind its first, is the
 * spare's; what lies before the number of a file NUMBER.first was given up, though the disk that
 * was left may not have let go of it. Plain calls, for the start and for tools; the caller owns
 * what it is given. */
#ifndef KOUAN_IO_LOG_FOLDER_H
#define KOUAN_IO_LOG_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

struct log_file {
    uint64_t number;
    bool is_in_spare;
};

struct log_files {
    struct log_file *files; /* by number; there may be gaps */
    uint32_t count;
    uint64_t first_number; /* of NUMBER.first; 0: nothing was left behind */
};

/* `spare`: a descriptor, or -1. IO: a folder cannot be read, errno says why. */
MUST_CHECK enum status log_files_find(int own, int spare, struct log_files *out_files);
void log_files_free(struct log_files *files);

/* Calls `entry` with each name; IO likewise. */
MUST_CHECK enum status log_folder_list(int folder, void (*entry)(void *context, const char *name),
                                       void *context);

/* `0000000000000007` and the ending, as ".segment". */
bool log_folder_parse_name(const char *name, const char *ending, uint64_t *out_number);

#endif

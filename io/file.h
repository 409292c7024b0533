/* Whole files: those that people write, read into an arena; and small ones of our own, written so
 * that after any crash they are there whole or as they were before. */
#ifndef KOUAN_IO_FILE_H
#define KOUAN_IO_FILE_H

#include <sys/types.h>

#include "core/arena.h"
#include "core/status.h"

/* NOT_FOUND, DENIED, TOO_BIG (above `bytes_max`), or IO. The bytes are followed by a NUL and by
 * padding. `out_mode` may be NULL. */
MUST_CHECK enum status file_read(struct arena *arena, const char *path, size_t bytes_max,
                                 struct bytes *out_content, mode_t *out_mode);

/* `path`, or where it is relative, `path` beside the file `beside`; in the arena. */
const char *file_resolve(struct arena *arena, const char *beside, struct bytes path);

/* Is `inner` the folder `outer`, or in it? By the paths alone, from the working directory on if
 * they are relative; links are not followed. */
bool file_is_within(const char *outer, const char *inner);

/* Puts `content` under `name` into the folder, for its owner alone, and returns when it is on
 * stable storage: `name`.tmp, synced, renamed, and the folder synced. DENIED, FULL, NOT_FOUND (the
 * folder), or IO. */
MUST_CHECK enum status file_write(const char *folder, const char *name, struct bytes content);

/* Makes a folder for its owner alone, durably; OK if it is there already. */
MUST_CHECK enum status file_make_folder(const char *path);

#endif

/* The folders of a journal: its own and, with `journal_spare`, the one that its logs go on in when
 * its disk fails. The own folder has a file `spare` that names the other one from the first start
 * with it on, so that no later start, and no tool, takes for the whole log what is not. Plain
 * blocking calls, for the start; the caller owns the struct and what it names. Anything that fails
 * comes with one line for people. */
#ifndef KOUAN_IO_JOURNAL_FOLDERS_H
#define KOUAN_IO_JOURNAL_FOLDERS_H

#include "io/journal/journal_folder.h"

enum { JOURNAL_PATH_BYTES = 1024 };

struct journal_folders {
    struct journal_folder own, spare;
    char own_path[JOURNAL_PATH_BYTES];   /* as it was named */
    char spare_path[JOURNAL_PATH_BYTES]; /* without links, from the root on; empty: there is none */
    bool has_moved;                      /* a log of it has gone on in the spare */
};

/* None is open. */
extern const struct journal_folders journal_folders_none;

/* `spare_path`: NULL without one. Both are made where they are missing, and locked; the secret is
 * one. INVALID: they do not go together, or not with the file `spare`; else as of
 * journal_folder_open. */
MUST_CHECK enum status journal_folders_open(const char *own_path, const char *spare_path,
                                            struct journal_folders *out_folders, char *out_problem,
                                            size_t problem_capacity);
void journal_folders_close(struct journal_folders *folders);

/* What the file `spare` of a journal's folder names; NOT_FOUND: it has none. IO, or CORRUPT. */
MUST_CHECK enum status journal_folders_read_spare(int own_folder,
                                                  char out_path[JOURNAL_PATH_BYTES]);

#endif

/* The journal's folder: made where it is missing, locked against a second server, with the secret
 * of the installation. Plain blocking calls, for the start, when nothing else runs; the caller owns
 * the struct and what it names. Anything that fails comes with one line for people. */
#ifndef KOUAN_IO_JOURNAL_FOLDER_H
#define KOUAN_IO_JOURNAL_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/digest.h"
#include "core/status.h"

struct journal_folder {
    int folder; /* descriptors; the lock is held as long as its own is open */
    int lock;
    struct digest_secret secret;
    bool is_new; /* the secret was made now: there is no log yet */
};

/* Makes `path` (not the folders above it), locks it and reads its secret, which is made if there is
 * no log yet. EXISTS: another server has it; DENIED, CORRUPT (a secret that is not one, or lost),
 * IO. */
MUST_CHECK enum status journal_folder_open(const char *path, struct journal_folder *out_folder,
                                           char *out_problem, size_t problem_capacity);
/* The same, where the log has gone on in a spare folder: nothing is made, and the disk may let
 * nothing be written. */
MUST_CHECK enum status journal_folder_open_left(const char *path, struct journal_folder *out_folder,
                                                char *out_problem, size_t problem_capacity);
/* The spare folder of the journal that has this secret: it gets it, too. EXISTS also if it is that
 * of another journal. */
MUST_CHECK enum status journal_folder_open_spare(const char *path,
                                                 const struct digest_secret *secret,
                                                 struct journal_folder *out_folder,
                                                 char *out_problem, size_t problem_capacity);
void journal_folder_close(struct journal_folder *folder);

/* The folder of one log, made if it is missing; *out_folder is the caller's. */
MUST_CHECK enum status journal_folder_open_log(const struct journal_folder *folder,
                                               uint16_t log_number, int *out_folder,
                                               char *out_problem, size_t problem_capacity);

/* INVALID: there are segments of a log with a higher number than `log_count` logs have, so more
 * wrote this journal. */
MUST_CHECK enum status journal_folder_check_logs(const struct journal_folder *folder,
                                                 uint16_t log_count, char *out_problem,
                                                 size_t problem_capacity);

#endif

/* What each generation was made from, kept beside the log for as long as the journal may speak of
 * it: `generations/<sha-256>` of the journal's folder holds the files of its configuration and the
 * shipped profiles, each by the digest of its bytes, and its manifest (routes/generation_names.h),
 * which names them; `generations/<number>.manifest` says which manifest a number has. Secrets are
 * never stored. What is read is verified. Blocking: for the start and for tools. */
#ifndef KOUAN_IO_GENERATION_STORE_H
#define KOUAN_IO_GENERATION_STORE_H

#include "io/config/config.h"
#include "io/reload/sha256.h"

enum { GENERATION_FOLDERS_MAX = 2 };

struct generation_store {
    char folders[GENERATION_FOLDERS_MAX][1024];
    uint32_t folder_count;
};

/* Of the journal in `journal_folder`; with `spare_folder` (or NULL, or empty) what is stored is
 * stored in both, and what is read is read from either. Touches nothing yet. */
MUST_CHECK enum status generation_store_open(const char *journal_folder, const char *spare_folder,
                                             struct generation_store *out_store);

/* The manifest of a loaded configuration, and its digest. */
struct bytes generation_store_manifest(struct arena *arena, const struct config *config,
                                       struct sha256 *out_digest);

/* Stores all that `config` was made from under `number`, durably; what is there already is looked
 * at, and written again if it is not as it was. A failure comes with a line in `out_problem`. */
MUST_CHECK enum status generation_store_put(const struct generation_store *store,
                                            const struct config *config, uint64_t number,
                                            char *out_problem, size_t problem_capacity);

/* Which manifest has this number? NOT_FOUND, CORRUPT, IO. */
MUST_CHECK enum status generation_store_find(const struct generation_store *store, uint64_t number,
                                             struct sha256 *out_digest);

/* The names of a generation, in the arena; NOT_FOUND, CORRUPT, UNSUPPORTED, IO, with a line. */
MUST_CHECK enum status generation_store_read_names(const struct generation_store *store,
                                                   const struct sha256 *digest, struct arena *arena,
                                                   struct generation_names *out_names,
                                                   char *out_problem, size_t problem_capacity);

/* A generation built again, exactly, from what is stored: with its rules, profiles and rights, but
 * without secrets. */
struct stored_generation {
    struct arena arena;
    struct generation_names names;
    struct bytes *contents; /* of names.files */
    const char *beside;     /* a file beside which secrets are; NULL: nobody asks for them */
    struct config *config;
};
/* Or to follow the generation that runs: as config_load_behind, with secrets from the system's
 * files. */
struct stored_successor {
    const char *path; /* of the configuration, when it still was a file */
    const struct generation_names *before;
    const struct config *running;
};
/* `successor` may be NULL. */
MUST_CHECK enum status generation_store_load(const struct generation_store *store,
                                             const struct sha256 *digest, uint64_t number,
                                             const struct stored_successor *successor,
                                             struct stored_generation **out_stored,
                                             struct diagnostics *diagnostics, char *out_problem,
                                             size_t problem_capacity);
void generation_store_unload(struct stored_generation *stored);

#endif

/* The configuration file (YAML, docs/configuration.md) and all that it names, loaded and built into
 * a generation. `check`, `serve`, and later reload run this same code; every error of every file is
 * reported. */
#ifndef KOUAN_IO_CONFIG_H
#define KOUAN_IO_CONFIG_H

#include <sys/types.h>

#include "io/config/options.h"
#include "routes/dialect/shipped.h"
#include "routes/generation_names.h"

enum { CONFIG_LISTENERS_MAX = 16 };

/* A file that the configuration was made from, itself among them. Secrets are not. */
struct config_file {
    enum generation_file_kind kind;
    const char *name; /* as the configuration has it; its own is without folders */
    struct bytes content;
};

/* Where files come from: the file system, or a stored generation (io/reload/generation_store.h). */
struct config_source {
    /* As file_read (io/file.h). */
    enum status (*read)(void *context, struct arena *arena, const char *path, size_t bytes_max,
                        struct bytes *out_content, mode_t *out_mode);
    void *context;
    const struct shipped_profile *shipped;
    bool without_secrets;  /* nobody will log in: files of secrets are not read */
    bool without_tests;    /* it ran already: its `rule_tests` are not run again */
    uint16_t given_shards; /* instead of what `shards` says; 0: as it says */
    /* Participants, channels and destinations of these names have the same indices; what bears one
     * of the names no more keeps its place, as removed. NULL: they are numbered as they stand. */
    const struct generation_names *before;
    /* What reserved the memory that limits are shares of: its options stand for those of the file.
     * NULL: these themselves. */
    const struct config *running;
};

/* When a receipt is given: when the message is on stable storage, or when it is in memory. */
enum config_sync { SYNC_COMMIT, SYNC_MEMORY };

/* Where the threads run: where the system likes, or each on a processor of its own. */
enum config_pin { PIN_NONE, PIN_AUTO };

/* A Redis that a copy goes to (io/state/redis_link.h). */
struct config_redis {
    const char *address, *username, *prefix; /* username NULL: the default user */
    struct bytes password;                   /* empty: none */
    uint64_t database;
};

struct config {
    struct arena arena; /* of what stays when the generation goes (config_let_generation_go) */
    const char *path;   /* NULL: the embedded defaults */
    const char *listen[CONFIG_LISTENERS_MAX];
    struct place listen_place[CONFIG_LISTENERS_MAX];
    uint16_t listen_count;
    bool plaintext; /* listeners beyond loopback are allowed without TLS */
    enum config_sync sync;
    const char *journal_path; /* the folder of the journal */
    const char *spare_path;   /* that it goes on in when its disk fails; NULL: none */
    const char
        *control_path; /* of the control socket; NULL: control.sock in the journal's folder */
    bool has_control;
    enum config_pin pin;
    const struct config_redis *redis; /* NULL: none */
    /* Not the file's: given on the command line. */
    bool has_given_listen, has_given_journal, has_given_shards;
    struct options options;    /* of each shard: what bounds all is divided evenly */
    struct options whole;      /* as it was configured */
    struct config_file *files; /* in the order in which they were read, the configuration first */
    uint32_t file_count, file_capacity;
    const char **test_paths; /* of examples for the rules, with their places */
    struct place *test_places;
    uint32_t test_count;
    struct generation *generation;
};

/* Reads `path`, or takes the embedded defaults (127.0.0.1:7400, all shipped profiles, channel `in`,
 * one destination `all` with the group `all`, everything routed to it) when it is NULL. INVALID
 * with diagnostics, and then nothing to free. */
MUST_CHECK enum status config_load(const char *path, struct config **out_config,
                                   struct diagnostics *diagnostics);
/* The same with so many shards. */
MUST_CHECK enum status config_load_sharded(const char *path, uint16_t shards,
                                           struct config **out_config,
                                           struct diagnostics *diagnostics);
/* The same, to follow a generation that names these while a server runs. */
MUST_CHECK enum status config_load_behind(const char *path, const struct config *running,
                                          const struct generation_names *before,
                                          struct config **out_config,
                                          struct diagnostics *diagnostics);
/* The source of all of these: files of the system. */
MUST_CHECK enum status config_read_system(void *context, struct arena *arena, const char *path,
                                          size_t bytes_max, struct bytes *out_content,
                                          mode_t *out_mode);
/* The same from elsewhere. */
MUST_CHECK enum status config_load_from(const struct config_source *source, const char *path,
                                        struct config **out_config,
                                        struct diagnostics *diagnostics);
void config_free(struct config *config);
/* Frees the generation and the files, and keeps all else. */
void config_let_generation_go(struct config *config);

/* `unix:` and the path of the control socket of a server that runs by it. */
bool config_control_address(const struct config *config, char *out_text, size_t capacity);
/* The same of a file of which nothing else has to be right. NOT_FOUND: it has none; INVALID with
 * diagnostics. */
MUST_CHECK enum status config_find_control(const char *path, char *out_text, size_t capacity,
                                           struct diagnostics *diagnostics);

/* The largest record: a message of message_max, and what is read from it. */
uint32_t config_record_bytes_max(const struct options *options);
/* Of the log in memory, and of its files. */
uint32_t config_segment_bytes(const struct config *config);

/* The text of the embedded defaults, for `kouan config` and the docs. */
extern const char config_default_text[];

/* C1xx. */
extern const struct diagnostic_code config_codes[];

#endif

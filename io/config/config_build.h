/* What the parts of the configuration's loading share: from the tree of the YAML to a generation.
 */
#ifndef KOUAN_IO_CONFIG_BUILD_H
#define KOUAN_IO_CONFIG_BUILD_H

#include "io/config/config.h"
#include "routes/yaml.h"

enum { CONFIG_FILE_BYTES_MAX = 64 * 1024 * 1024, CONFIG_NAME_BYTES_MAX = 64 };

struct config_build {
    struct config *config;
    const struct config_source *source;
    struct arena *arena; /* the generation's */
    const char *path;    /* for diagnostics: the file's, or "(embedded defaults)" */
    const struct yaml_node *root;
    struct diagnostics *diagnostics;
    struct charsets *charsets;

    struct destination *destinations[DESTINATIONS_MAX];
    uint16_t destination_count;
    struct channel *channels[CHANNELS_MAX];
    uint16_t channel_count;
    struct participant *participants[PARTICIPANTS_MAX];
    uint16_t participant_count;
};

/* ---- io/config/config_nodes.c: what a node says, or an error at its place ---- */

void config_error(struct config_build *build, const struct yaml_node *node, const char *code,
                  const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
void config_warn(struct config_build *build, const struct yaml_node *node, const char *code,
                 const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Reports members of `mapping` that are not in `names` (ends with NULL), with a suggestion. */
void config_check_names(struct config_build *build, const struct yaml_node *mapping,
                        const char *const *names);

/* Each is false, with an error where the member is there but wrong; an absent member gives
 * `fallback` or nothing. */
bool config_name(struct config_build *build, const struct yaml_node *node, const char **out_name);
bool config_text(struct config_build *build, const struct yaml_node *node, struct bytes *out_text);
bool config_switch(struct config_build *build, const struct yaml_node *mapping, const char *name,
                   bool fallback);
/* A list of texts, or one text alone. The count; items that are no texts are errors. */
uint32_t config_texts(struct config_build *build, const struct yaml_node *node,
                      const struct yaml_node ***out_items);
/* Options of one list that stand in `mapping`, into their struct. */
void config_options(struct config_build *build, const struct yaml_node *mapping,
                    const struct option_row *rows, void *out_options);
/* The content of a file that the configuration names, resolved beside it. It becomes one of the
 * configuration's files, read once however often it is named. */
bool config_file(struct config_build *build, const struct yaml_node *node, const char **out_path,
                 struct bytes *out_content);
/* A file that nothing else may keep. */
bool config_secret_file(struct config_build *build, const struct yaml_node *node,
                        const char **out_path, struct bytes *out_content, mode_t *out_mode);
void config_note_file(struct config *config, enum generation_file_kind kind, const char *name,
                      struct bytes content);
uint16_t config_find_destination(const struct config_build *build, struct bytes name);
uint16_t config_find_channel(const struct config_build *build, struct bytes name);

/* ---- io/config/config_shards.c: `shards` and `pin`, and what each shard has ---- */

/* The options are read; those that bound all shards together become those of each. */
void config_read_shards(struct config_build *build);
void config_divide_destination(const struct config_build *build,
                               struct destination_options *options);

/* ---- io/config/config_places.c: what had a place in the generation before has it again ---- */

void config_keep_places(struct config_build *build);
/* The place of that name, with nothing but the name; a new one if the generation before had none.
 * NULL: there are too many, which is said at `node`. */
struct destination *config_place_destination(struct config_build *build,
                                             const struct yaml_node *node, const char *name);
struct channel *config_place_channel(struct config_build *build, const struct yaml_node *node,
                                     const char *name);
struct participant *config_place_participant(struct config_build *build,
                                             const struct yaml_node *node, const char *name);
/* In the build's arena: `KIND NAME`. */
struct bytes config_name_scope(struct config_build *build, const char *kind, const char *name);

/* ---- io/config/config_kernel.c ---- */

/* Warns of options that this kernel cannot do. */
void config_check_kernel(struct config_build *build);

/* ---- io/config/config_redis.c ---- */

void config_read_redis(struct config_build *build);

/* ---- io/config/config_control.c ---- */

void config_read_control(struct config_build *build);

/* ---- io/config/config_journal.c: alone, for who looks for the control socket ---- */

void config_read_journal_path(struct config_build *build);

/* ---- config_destinations.c, config_participants.c, config_routes.c ---- */

void config_read_destinations(struct config_build *build);
void config_read_participants(struct config_build *build);
/* Profiles, channels, lists, tables, and the generation itself. */
/* `sync` and `journal`, and the limits that only make sense together. */
void config_read_journal(struct config_build *build);
/* The head of a segment holds what it has to; everything else has been read. */
void config_check_checkpoint(struct config_build *build);
void config_read_channels(struct config_build *build);
void config_read_profiles(struct config_build *build);
void config_read_tables(struct config_build *build);
/* ---- io/config/config_life_cycle.c ---- */
void config_read_life_cycle(struct config_build *build);
/* `rule_tests`, which are run: nothing was wrong with all the rest. */
void config_run_tests(struct config_build *build);

#endif

#include "io/config/config.h"

#include <assert.h>
#include <stdlib.h>

#include "io/config/config_build.h"
#include "io/file.h"
#include "io/net/listener.h"

const char config_default_text[] =
    "# What `kouan serve` does without a configuration.\n"
    "listen: [127.0.0.1:7400]\n"
    "channels:\n"
    "  - name: in\n"
    "destinations:\n"
    "  - name: all\n"
    "    groups: [all]\n"
    "    fields: [profile, message_type, keys, origin, verdict]\n"
    "unroutable: all   # there are no rules: everything goes there\n";

static const char default_path[] = "(embedded defaults)";

#define X(name, initial, min, max, unit, help) #name,
static const char *const top_names[] = {
    "listen",     "plaintext",  "channels",   "participants",  "destinations",
    "defaults",   "tables",     "rule_tests", "lists",         "profiles",
    "unroutable", "sync",       "journal",    "journal_spare", "pin",
    "control",    "life_cycle", "state",      "redis",         OPTION_LIST(X) NULL};
#undef X

static void read_listen(struct config_build *build)
{
    struct config *config = build->config;
    const struct yaml_node **items;
    uint32_t count = config_texts(build, yaml_member(build->root, "listen"), &items);
    config->plaintext = config_switch(build, build->root, "plaintext", false);
    if (count == 0)
        config->listen[config->listen_count++] = "127.0.0.1:7400";
    if (count > CONFIG_LISTENERS_MAX) {
        config_error(build, items[CONFIG_LISTENERS_MAX], "C104", NULL,
                     "there are more than %d addresses to listen at", CONFIG_LISTENERS_MAX);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct address address;
        char problem[256];
        const char *text = (const char *)items[i]->text.data;
        if (address_parse(text, &address, problem, sizeof problem) != STATUS_OK)
            config_error(build, items[i], "C111",
                         "127.0.0.1:7400, [::1]:7400, *:7400, unix:/run/kouan.sock", "%s", problem);
        else if (!address_is_local(&address) && !config->plaintext)
            config_error(build, items[i], "C112",
                         "listen at loopback behind a TLS proxy, or say `plaintext: yes` where the "
                         "network is trusted",
                         "%s is not loopback, and what crosses it is not encrypted", text);
        config->listen_place[config->listen_count] =
            (struct place){build->path, items[i]->line, items[i]->column};
        config->listen[config->listen_count++] = text;
    }
}

static void publish_arrays(struct config_build *build)
{
    struct generation *generation = build->config->generation;
    const struct destination **destinations =
        arena_allocate_array(build->arena, build->destination_count + 1U, sizeof *destinations);
    const struct channel **channels =
        arena_allocate_array(build->arena, build->channel_count + 1U, sizeof *channels);
    for (uint16_t i = 0; i < build->destination_count; i++)
        destinations[i] = build->destinations[i];
    for (uint16_t i = 0; i < build->channel_count; i++)
        channels[i] = build->channels[i];
    generation->destinations = destinations;
    generation->destination_count = build->destination_count;
    generation->channels = channels;
    generation->channel_count = build->channel_count;
}

static const char *keep_text(struct config *config, const char *text)
{
    return text != NULL ? arena_copy_text(&config->arena, bytes_from_text(text)) : NULL;
}

/* Who opens a folder or a socket by its name keeps that for longer than a generation. */
static void keep_texts(struct config *config)
{
    for (uint16_t i = 0; i < config->listen_count; i++) {
        config->listen[i] = keep_text(config, config->listen[i]);
        config->listen_place[i].file = keep_text(config, config->listen_place[i].file);
    }
    config->journal_path = keep_text(config, config->journal_path);
    config->spare_path = keep_text(config, config->spare_path);
    config->control_path = keep_text(config, config->control_path);
}

static void build_all(struct config_build *build)
{
    config_check_names(build, build->root, top_names);
    config_options(build, build->root, option_rows, &build->config->options);
    config_check_kernel(build);
    config_read_shards(build);
    config_read_journal(build);
    config_read_control(build);
    config_read_redis(build);
    read_listen(build);
    if (build->source->running != NULL)
        build->config->options = build->source->running->options;
    config_keep_places(build);
    config_read_channels(build);
    config_read_destinations(build);
    publish_arrays(build);
    config_read_participants(build);
    config_check_checkpoint(build);
    config_read_profiles(build);
    config_read_tables(build);
    config_read_life_cycle(build);
    keep_texts(build->config);
    config_run_tests(build);
}

static bool read_text(struct config *config, const struct config_source *source,
                      struct bytes *out_text, struct diagnostics *diagnostics)
{
    const char *path = config->path;
    if (path == NULL) {
        *out_text = bytes_from_text(config_default_text);
        config_note_file(config, FILE_CONFIGURATION, default_path, *out_text);
        return true;
    }
    enum status status = source->read(source->context, &config->generation->arena, path,
                                      CONFIG_FILE_BYTES_MAX, out_text, NULL);
    if (status == STATUS_OK) {
        const char *slash = strrchr(path, '/');
        struct bytes name = bytes_from_text(slash != NULL ? slash + 1 : path);
        config_note_file(config, FILE_CONFIGURATION,
                         arena_copy_text(&config->generation->arena, name), *out_text);
        return true;
    }
    diagnostics_add(diagnostics, SEVERITY_ERROR, "C107", (struct place){.file = path}, NULL,
                    "cannot read the configuration: %s", status_text(status));
    return false;
}

static void load(struct config *config, const struct config_source *source,
                 struct diagnostics *diagnostics)
{
    struct bytes text;
    if (!read_text(config, source, &text, diagnostics))
        return;
    struct config_build *build = calloc(1, sizeof *build);
    if (build == NULL)
        abort();
    build->config = config;
    build->source = source;
    build->arena = &config->generation->arena;
    build->path = config->path != NULL ? config->path : default_path;
    build->diagnostics = diagnostics;
    build->charsets = charsets_open();
    uint32_t errors_before = diagnostics->error_count;
    build->root = yaml_parse(build->arena, build->path, text, "C101", diagnostics);
    if (build->charsets == NULL)
        config_error(build, NULL, "C107", "install the libc's gconv modules",
                     "this system's iconv lacks a character set that Kouan reads");
    else if (build->root != NULL && build->root->kind == YAML_MAPPING)
        build_all(build);
    else if (diagnostics->error_count == errors_before) /* else the reader has said why */
        config_error(build, build->root, "C101", NULL, "a configuration is a mapping");
    charsets_close(build->charsets);
    free(build);
}

enum status config_read_system(void *context, struct arena *arena, const char *path,
                               size_t bytes_max, struct bytes *out_content, mode_t *out_mode)
{
    (void)context;
    return file_read(arena, path, bytes_max, out_content, out_mode);
}

enum status config_load(const char *path, struct config **out_config,
                        struct diagnostics *diagnostics)
{
    return config_load_sharded(path, 0, out_config, diagnostics);
}

enum status config_load_sharded(const char *path, uint16_t shards, struct config **out_config,
                                struct diagnostics *diagnostics)
{
    const struct config_source source = {
        .read = config_read_system, .shipped = shipped_profiles, .given_shards = shards};
    return config_load_from(&source, path, out_config, diagnostics);
}

enum status config_load_behind(const char *path, const struct config *running,
                               const struct generation_names *before, struct config **out_config,
                               struct diagnostics *diagnostics)
{
    const struct config_source source = {.read = config_read_system,
                                         .shipped = shipped_profiles,
                                         .before = before,
                                         .running = running};
    return config_load_from(&source, path, out_config, diagnostics);
}

enum status config_load_from(const struct config_source *source, const char *path,
                             struct config **out_config, struct diagnostics *diagnostics)
{
    struct config *config = calloc(1, sizeof *config);
    struct generation *generation = calloc(1, sizeof *generation);
    if (config == NULL || generation == NULL)
        abort();
    uint32_t errors_before = diagnostics->error_count;
    arena_init(&config->arena);
    arena_init(&generation->arena);
    generation->number = 1;
    config->generation = generation;
    config->path = path;
    options_set_defaults(&config->options);
    load(config, source, diagnostics);
    if (diagnostics->error_count > errors_before) {
        config_free(config);
        return STATUS_INVALID;
    }
    assert(generation->matcher != NULL);
    *out_config = config;
    return STATUS_OK;
}

static void free_generation(struct config *config)
{
    if (config->generation != NULL)
        arena_deinit(&config->generation->arena);
    free(config->generation);
    free(config->files);
    config->generation = NULL;
    config->files = NULL;
    config->file_count = config->file_capacity = 0;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    free_generation(config);
    arena_deinit(&config->arena);
    free(config);
}

void config_let_generation_go(struct config *config)
{
    free_generation(config);
}

const struct diagnostic_code config_codes[] = {
    {"C101", "the YAML cannot be read",
     "The place is where the reader gave up. Indent by blanks, quote texts with `:` or `#`."},
    {"C102", "an unknown key",
     "A key that Kouan does not know is an error and not ignored, since it is most often a "
     "mistyped one."},
    {"C103", "another kind of value is wanted",
     "A list where a text is wanted, or the like. docs/configuration.md shows each."},
    {"C104", "a value that does not fit",
     "Out of its range, of a wrong unit, or not one of the words that are allowed. `kouan serve "
     "--options` lists the options with their ranges."},
    {"C105", "a name stands twice", "Names are unique among their kind."},
    {"C106", "a name that nothing bears",
     "What is referred to must be in the same configuration: a destination, channel, profile or "
     "field."},
    {"C107", "a file cannot be read",
     "Paths are relative to the folder of the configuration file. The file must be a plain file "
     "that the server's user may read."},
    {"C108", "something about a secret",
     "Each participant has a secret of at least 16 bytes in a file of its own, readable by the "
     "server's user only."},
    {"C109", "something needed is missing",
     "Names of participants, channels and destinations, and at least one channel and destination."},
    {"C110", "limits that do not fit together",
     "A quarter of a segment must hold the largest message, `memory` two segments and "
     "`journal_size` eight; with `sync: memory` the log must hold what all groups may keep, twice; "
     "half of output_max must hold the largest reply, and the output chunks one connection's."},
    {"C111", "an address that cannot be listened at",
     "HOST:PORT, [IPv6]:PORT, *:PORT or unix:PATH."},
    {"C112", "a plain listener beyond loopback",
     "Without TLS everybody on the way can read and change messages. Say `plaintext: yes` if the "
     "network is trusted."},
    {"C113", "an option that this kernel does not do",
     "The server starts and does without; `ring_options` in INFO tells what it has. "
     "docs/tuning.md says which kernel brought what, and what it is worth."},
    {"C140", "two participants claim one address",
     "`ids` decide who may send as an address and to whom `@receiver` delivers, so each belongs to "
     "one participant."},
    {0}};

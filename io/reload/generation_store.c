#include "io/reload/generation_store.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/config/config_build.h"
#include "io/file.h"

static_assert((int)SHA256_BYTES == (int)GENERATION_DIGEST_BYTES, "files are named by SHA-256");

enum { NUMBER_NAME_BYTES = 32 };

static void say(char *out_problem, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status add_folder(struct generation_store *store, const char *journal_folder)
{
    char *folder = store->folders[store->folder_count++];
    int length = snprintf(folder, sizeof store->folders[0], "%s/generations", journal_folder);
    return length < 0 || (size_t)length >= sizeof store->folders[0] ? STATUS_TOO_BIG : STATUS_OK;
}

enum status generation_store_open(const char *journal_folder, const char *spare_folder,
                                  struct generation_store *out_store)
{
    struct generation_store store = {.folder_count = 0};
    enum status status = add_folder(&store, journal_folder);
    if (status == STATUS_OK && spare_folder != NULL && spare_folder[0] != '\0')
        status = add_folder(&store, spare_folder);
    if (status == STATUS_OK)
        *out_store = store;
    return status;
}

/* ---- storing ---- */

struct bytes generation_store_manifest(struct arena *arena, const struct config *config,
                                       struct sha256 *out_digest)
{
    struct generation_file *files =
        arena_allocate_array(arena, config->file_count + 1U, sizeof *files);
    for (uint32_t i = 0; i < config->file_count; i++) {
        struct sha256 digest = sha256_of(config->files[i].content);
        files[i] = (struct generation_file){config->files[i].kind, config->files[i].name, {0}};
        memcpy(files[i].sha256, digest.bytes, sizeof digest.bytes);
    }
    struct generation_names names;
    generation_names_take(arena, config->generation, files, config->file_count, &names);
    struct bytes manifest = generation_names_encode(arena, &names);
    *out_digest = sha256_of(manifest);
    return manifest;
}

static bool is_stored(const char *folder, const struct sha256 *digest, size_t size_bytes)
{
    struct arena arena;
    struct bytes content;
    arena_init(&arena);
    const char *path = arena_format(&arena, "%s/%s", folder, sha256_format(digest->bytes).text);
    enum status status = file_read(&arena, path, size_bytes, &content, NULL);
    struct sha256 found = {{0}};
    if (status == STATUS_OK)
        found = sha256_of(content);
    arena_deinit(&arena);
    return status == STATUS_OK && memcmp(&found, digest, sizeof found) == 0;
}

static enum status put(const char *folder, const char *name, struct bytes content,
                       char *out_problem, size_t problem_capacity)
{
    enum status status = file_write(folder, name, content);
    if (status != STATUS_OK)
        say(out_problem, problem_capacity,
            "cannot write %s/%s: %s; the configuration is stored there before a message names it",
            folder, name,
            status == STATUS_FULL ? "there is no room on the disk" : status_text(status));
    return status;
}

static enum status put_content(const char *folder, struct bytes content, char *out_problem,
                               size_t problem_capacity)
{
    struct sha256 digest = sha256_of(content);
    if (is_stored(folder, &digest, content.size))
        return STATUS_OK;
    return put(folder, sha256_format(digest.bytes).text, content, out_problem, problem_capacity);
}

static void name_number(uint64_t number, char out_name[NUMBER_NAME_BYTES])
{
    snprintf(out_name, NUMBER_NAME_BYTES, "%" PRIu64 ".manifest", number);
}

static enum status put_all(const char *folder, const struct config *config, uint64_t number,
                           char *out_problem, size_t problem_capacity)
{
    struct arena arena;
    struct sha256 digest;
    char name[NUMBER_NAME_BYTES];
    enum status status = file_make_folder(folder);
    if (status != STATUS_OK) {
        say(out_problem, problem_capacity, "cannot make the folder %s: %s", folder,
            status_text(status));
        return status;
    }
    arena_init(&arena);
    for (uint32_t i = 0; i < config->file_count && status == STATUS_OK; i++)
        status = put_content(folder, config->files[i].content, out_problem, problem_capacity);
    struct bytes manifest = generation_store_manifest(&arena, config, &digest);
    if (status == STATUS_OK)
        status = put_content(folder, manifest, out_problem, problem_capacity);
    name_number(number, name);
    if (status == STATUS_OK) {
        const char *line = arena_format(&arena, "%s\n", sha256_format(digest.bytes).text);
        status = put(folder, name, bytes_from_text(line), out_problem, problem_capacity);
    }
    arena_deinit(&arena);
    return status;
}

enum status generation_store_put(const struct generation_store *store, const struct config *config,
                                 uint64_t number, char *out_problem, size_t problem_capacity)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < store->folder_count && status == STATUS_OK; i++)
        status = put_all(store->folders[i], config, number, out_problem, problem_capacity);
    return status;
}

/* ---- reading ---- */

static enum status find_in(const char *folder, uint64_t number, struct sha256 *out_digest)
{
    struct arena arena;
    struct bytes content = {0};
    char name[NUMBER_NAME_BYTES];
    arena_init(&arena);
    name_number(number, name);
    enum status status = file_read(&arena, arena_format(&arena, "%s/%s", folder, name),
                                   SHA256_TEXT_BYTES + 1, &content, NULL);
    if (status == STATUS_OK && !sha256_parse(bytes_trim(content), out_digest))
        status = STATUS_CORRUPT;
    arena_deinit(&arena);
    return status;
}

enum status generation_store_find(const struct generation_store *store, uint64_t number,
                                  struct sha256 *out_digest)
{
    enum status status = find_in(store->folders[0], number, out_digest);
    for (uint32_t i = 1; i < store->folder_count && status != STATUS_OK; i++)
        status = find_in(store->folders[i], number, out_digest);
    return status;
}

static enum status read_from(const char *folder, struct arena *arena, const uint8_t *digest,
                             const char *what, struct bytes *out_content, char *out_problem,
                             size_t problem_capacity)
{
    struct bytes content = {0};
    const char *path = arena_format(arena, "%s/%s", folder, sha256_format(digest).text);
    enum status status = file_read(arena, path, GENERATION_MANIFEST_BYTES_MAX, &content, NULL);
    if (status != STATUS_OK) {
        say(out_problem, problem_capacity, "cannot read %s (%s): %s", path, what,
            status_text(status));
        return status;
    }
    struct sha256 found = sha256_of(content);
    if (memcmp(found.bytes, digest, sizeof found.bytes) != 0) {
        say(out_problem, problem_capacity,
            "%s (%s) is not as it was written: its SHA-256 is another", path, what);
        return STATUS_CORRUPT;
    }
    *out_content = content;
    return STATUS_OK;
}

static enum status read_content(const struct generation_store *store, struct arena *arena,
                                const uint8_t *digest, const char *what, struct bytes *out_content,
                                char *out_problem, size_t problem_capacity)
{
    enum status status = STATUS_NOT_FOUND;
    for (uint32_t i = 0; i < store->folder_count && status != STATUS_OK; i++)
        status = read_from(store->folders[i], arena, digest, what, out_content, out_problem,
                           problem_capacity);
    return status;
}

enum status generation_store_read_names(const struct generation_store *store,
                                        const struct sha256 *digest, struct arena *arena,
                                        struct generation_names *out_names, char *out_problem,
                                        size_t problem_capacity)
{
    struct bytes manifest;
    uint32_t line = 0;
    enum status status = read_content(store, arena, digest->bytes, "the manifest of a generation",
                                      &manifest, out_problem, problem_capacity);
    if (status != STATUS_OK)
        return status;
    status = generation_names_parse(arena, manifest, out_names, &line);
    if (status != STATUS_OK)
        say(out_problem, problem_capacity, "%s/%s:%" PRIu32 ": %s", store->folders[0],
            sha256_format(digest->bytes).text, line,
            status == STATUS_UNSUPPORTED ? "a manifest of another version of Kouan"
                                         : "this is no manifest of a generation");
    return status;
}

/* ---- building one again ---- */

static enum status read_stored(void *context, struct arena *arena, const char *path,
                               size_t bytes_max, struct bytes *out_content, mode_t *out_mode)
{
    const struct stored_generation *stored = context;
    for (uint32_t i = 0; i < stored->names.file_count; i++) {
        const struct generation_file *file = &stored->names.files[i];
        if (file->kind == FILE_SHIPPED || strcmp(file->name, path) != 0)
            continue;
        if (stored->contents[i].size > bytes_max)
            return STATUS_TOO_BIG;
        *out_content = stored->contents[i];
        return STATUS_OK;
    }
    if (stored->beside == NULL)
        return STATUS_NOT_FOUND;
    /* A secret, which is never stored. */
    const char *there = file_resolve(arena, stored->beside, bytes_from_text(path));
    return config_read_system(NULL, arena, there, bytes_max, out_content, out_mode);
}

static const struct shipped_profile *shipped_of(struct stored_generation *stored)
{
    const struct generation_names *names = &stored->names;
    struct shipped_profile *shipped =
        arena_allocate_array(&stored->arena, names->file_count + 1U, sizeof *shipped);
    uint32_t count = 0;
    for (uint32_t i = 0; i < names->file_count; i++)
        if (names->files[i].kind == FILE_SHIPPED) {
            const uint8_t *start = stored->contents[i].data;
            shipped[count++] = (struct shipped_profile){names->files[i].name, start,
                                                        start + stored->contents[i].size};
        }
    return shipped;
}

static const char *configuration_of(const struct generation_names *names)
{
    for (uint32_t i = 0; i < names->file_count; i++)
        if (names->files[i].kind == FILE_CONFIGURATION)
            return names->files[i].name;
    return NULL;
}

static enum status read_contents(const struct generation_store *store,
                                 struct stored_generation *stored, char *out_problem,
                                 size_t problem_capacity)
{
    const struct generation_names *names = &stored->names;
    enum status status = STATUS_OK;
    stored->contents =
        arena_allocate_array(&stored->arena, names->file_count + 1U, sizeof *stored->contents);
    for (uint32_t i = 0; i < names->file_count && status == STATUS_OK; i++)
        status = read_content(store, &stored->arena, names->files[i].sha256, names->files[i].name,
                              &stored->contents[i], out_problem, problem_capacity);
    if (status == STATUS_OK && configuration_of(names) == NULL) {
        say(out_problem, problem_capacity, "the manifest names no configuration");
        status = STATUS_INVALID;
    }
    return status;
}

enum status generation_store_load(const struct generation_store *store, const struct sha256 *digest,
                                  uint64_t number, const struct stored_successor *successor,
                                  struct stored_generation **out_stored,
                                  struct diagnostics *diagnostics, char *out_problem,
                                  size_t problem_capacity)
{
    struct stored_generation *stored = calloc(1, sizeof *stored);
    if (stored == NULL)
        return STATUS_NO_MEMORY;
    arena_init(&stored->arena);
    enum status status = generation_store_read_names(store, digest, &stored->arena, &stored->names,
                                                     out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = read_contents(store, stored, out_problem, problem_capacity);
    if (status != STATUS_OK)
        goto fail;
    struct config_source source = {.read = read_stored,
                                   .context = stored,
                                   .shipped = shipped_of(stored),
                                   .without_secrets = true,
                                   .without_tests = true,
                                   .before = &stored->names};
    if (successor != NULL) {
        source.without_secrets = false;
        source.before = successor->before;
        source.running = successor->running;
        stored->beside = successor->path;
    }
    say(out_problem, problem_capacity, "the stored configuration cannot be built any more");
    status =
        config_load_from(&source, configuration_of(&stored->names), &stored->config, diagnostics);
    if (status != STATUS_OK)
        goto fail;
    stored->config->generation->number = number;
    stored->names.number = number;
    *out_stored = stored;
    return STATUS_OK;
fail:
    generation_store_unload(stored);
    return status;
}

void generation_store_unload(struct stored_generation *stored)
{
    if (stored == NULL)
        return;
    config_free(stored->config);
    arena_deinit(&stored->arena);
    free(stored);
}

static void say(char *out_problem, size_t capacity, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out_problem, capacity, format, arguments);
    va_end(arguments);
}

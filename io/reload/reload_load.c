#include <stdlib.h>

#include "io/reload/reload_inside.h"
#include "io/shard/server_inside.h"

static void keep_what_was_given(const struct config *start, struct config *next);
static void keep_what_is_reserved(const struct generation *before, struct reload_loaded *loaded);

enum status reload_name(const struct config *config, struct reload_names **out_names)
{
    struct reload_names *names = calloc(1, sizeof *names);
    uint32_t line;
    if (names == NULL)
        return STATUS_NO_MEMORY;
    arena_init(&names->arena);
    struct arena arena;
    arena_init(&arena);
    struct bytes manifest = generation_store_manifest(&arena, config, &names->manifest);
    /* Copies: the generation goes before its names do. */
    enum status status = generation_names_parse(&names->arena, manifest, &names->names, &line);
    arena_deinit(&arena);
    if (status != STATUS_OK) {
        arena_deinit(&names->arena);
        free(names);
        return status;
    }
    names->names.number = config->generation->number;
    *out_names = names;
    return STATUS_OK;
}

/* Its names stay: records bear its number. */
void reload_unload(struct reload_loaded *loaded)
{
    config_diff_free(&loaded->diff);
    if (loaded->stored != NULL)
        generation_store_unload(loaded->stored);
    else
        config_free(loaded->config);
    loaded->config = NULL;
    loaded->stored = NULL;
}

void reload_drop(struct reload_loaded *loaded)
{
    arena_deinit(&loaded->names->arena);
    free(loaded->names);
    reload_unload(loaded);
}

static bool end_loading(struct reload *reload, struct reload_loaded *loaded, enum status status)
{
    uint32_t errors = reload->diagnostics.error_count;
    if (status != STATUS_OK) {
        diagnostics_print(&reload->diagnostics, reload->out);
        fprintf(reload->out, "%u error%s; nothing has changed\n", errors, errors == 1 ? "" : "s");
        return false;
    }
    loaded->config->generation->number = reload->current.names->names.number + 1;
    keep_what_was_given(reload->start, loaded->config);
    config_diff_make(reload->current.config, reload->start, loaded->config, &loaded->diff);
    keep_what_is_reserved(reload->current.config->generation, loaded);
    if (reload_name(loaded->config, &loaded->names) == STATUS_OK)
        return true;
    fputs("out of memory; nothing has changed\n", reload->out);
    reload_unload(loaded);
    return false;
}

bool reload_load_files(struct reload *reload, struct reload_loaded *out_loaded)
{
    *out_loaded = (struct reload_loaded){0};
    enum status status =
        config_load_behind(reload->start->path, reload->start, &reload->current.names->names,
                           &out_loaded->config, &reload->diagnostics);
    return end_loading(reload, out_loaded, status);
}

bool reload_load_stored(struct reload *reload, uint64_t number, struct reload_loaded *out_loaded)
{
    struct sha256 digest;
    char problem[1024] = "";
    *out_loaded = (struct reload_loaded){0};
    if (generation_store_find(&reload->store, number, &digest) != STATUS_OK) {
        fprintf(reload->out,
                "generation %llu is not in the store; `kouan config history` lists those that "
                "ran. Nothing has changed\n",
                (unsigned long long)number);
        return false;
    }
    const struct stored_successor successor = {.path = reload->start->path,
                                               .before = &reload->current.names->names,
                                               .running = reload->start};
    enum status status =
        generation_store_load(&reload->store, &digest, number, &successor, &out_loaded->stored,
                              &reload->diagnostics, problem, sizeof problem);
    if (status == STATUS_OK)
        out_loaded->config = out_loaded->stored->config;
    else
        fprintf(reload->out, "%s\n", problem);
    return end_loading(reload, out_loaded, status);
}

/* ---- what waits for a restart ---- */

/* On the command line, in place of what the file says. */
static void keep_what_was_given(const struct config *start, struct config *next)
{
    if (start->has_given_listen) {
        memcpy(next->listen, start->listen, sizeof next->listen);
        next->listen_count = start->listen_count;
        next->plaintext = start->plaintext;
    }
    if (start->has_given_journal)
        next->journal_path = start->journal_path;
}

static bool is_by_case(const struct destination *destination, const char *group)
{
    for (uint16_t g = 0; g < destination->group_count; g++)
        if (strcmp(destination->groups[g], group) == 0)
            return (destination->groups_by_case >> g & 1) != 0;
    return false;
}

static bool has_group(const struct destination *destination, const char *group)
{
    for (uint16_t g = 0; g < destination->group_count; g++)
        if (strcmp(destination->groups[g], group) == 0)
            return true;
    return false;
}

/* A group that there is has memory for so much pending, and for its order. */
static void keep_groups(const struct destination *before, struct destination *next,
                        struct reload_loaded *loaded)
{
    uint64_t wanted = next->groups_by_case;
    if (next->pending_max > before->pending_max) {
        next->pending_max = before->pending_max;
        loaded->kept[next->index].has_pending_max = true;
    }
    for (uint16_t g = 0; g < next->group_count; g++) {
        if (!has_group(before, next->groups[g]))
            continue;
        next->groups_by_case &= ~(UINT64_C(1) << g);
        next->groups_by_case |= (uint64_t)is_by_case(before, next->groups[g]) << g;
    }
    loaded->kept[next->index].has_order = next->groups_by_case != wanted;
}

static void keep_what_is_reserved(const struct generation *before, struct reload_loaded *loaded)
{
    const struct generation *next = loaded->config->generation;
    for (uint16_t d = 0; d < before->destination_count; d++)
        if (!before->destinations[d]->is_removed && !next->destinations[d]->is_removed)
            keep_groups(before->destinations[d],
                        (struct destination *)(uintptr_t)next->destinations[d], loaded);
}

/* ---- is it another? ---- */

static bool have_same_secrets(const struct generation *left, const struct generation *right)
{
    if (left->directory.count != right->directory.count)
        return false;
    for (uint16_t p = 0; p < left->directory.count; p++)
        if (!bytes_equal(left->directory.participants[p]->secret,
                         right->directory.participants[p]->secret))
            return false;
    return true;
}

bool reload_is_same(const struct reload_loaded *left, const struct reload_loaded *right)
{
    return memcmp(&left->names->manifest, &right->names->manifest, sizeof left->names->manifest) ==
               0 &&
           have_same_secrets(left->config->generation, right->config->generation);
}

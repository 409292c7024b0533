/* `control`: the socket by which operators reload. */
#include <stdio.h>
#include <stdlib.h>

#include "io/config/config_build.h"
#include "io/file.h"
#include "io/net/listener.h"

void config_read_control(struct config_build *build)
{
    struct config *config = build->config;
    const struct yaml_node *node = yaml_member(build->root, "control");
    struct bytes text;
    config->has_control = config->sync == SYNC_COMMIT;
    if (node == NULL || !config_text(build, node, &text))
        return;
    config->has_control = !bytes_equal_text(text, "none");
    if (!config->has_control)
        return;
    struct address address;
    char problem[256];
    config->control_path = file_resolve(build->arena, config->path, text);
    const char *name = arena_format(build->arena, "unix:%s", config->control_path);
    if (address_parse(name, &address, problem, sizeof problem) != STATUS_OK)
        config_error(build, node, "C111", "control: /run/kouan/control.sock, or none", "%s",
                     problem);
}

bool config_control_address(const struct config *config, char *out_text, size_t capacity)
{
    if (!config->has_control)
        return false;
    if (config->control_path != NULL)
        snprintf(out_text, capacity, "unix:%s", config->control_path);
    else
        snprintf(out_text, capacity, "unix:%s/control.sock", config->journal_path);
    return true;
}

/* The rest may be what is to be mended by the reload that asks. */
static bool find(struct config *config, struct diagnostics *diagnostics)
{
    struct bytes text = bytes_from_text(config_default_text);
    struct config_build *build = calloc(1, sizeof *build);
    if (build == NULL)
        abort();
    *build = (struct config_build){.config = config,
                                   .arena = &config->arena,
                                   .path = config->path,
                                   .diagnostics = diagnostics};
    enum status status = STATUS_OK;
    if (config->path != NULL)
        status = file_read(&config->arena, config->path, CONFIG_FILE_BYTES_MAX, &text, NULL);
    if (status != STATUS_OK)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "C107", (struct place){.file = config->path},
                        NULL, "cannot read the configuration: %s", status_text(status));
    else
        build->root = yaml_parse(build->arena, build->path, text, "C101", diagnostics);
    if (build->root != NULL) {
        config_read_journal_path(build);
        config_read_control(build);
    }
    bool is_read = build->root != NULL && diagnostics->error_count == 0;
    free(build);
    return is_read;
}

enum status config_find_control(const char *path, char *out_text, size_t capacity,
                                struct diagnostics *diagnostics)
{
    struct config config = {.path = path};
    arena_init(&config.arena);
    enum status status = STATUS_INVALID;
    if (find(&config, diagnostics))
        status = config_control_address(&config, out_text, capacity) ? STATUS_OK : STATUS_NOT_FOUND;
    arena_deinit(&config.arena);
    return status;
}

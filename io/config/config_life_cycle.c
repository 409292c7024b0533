/* `life_cycle`: a file, or a mapping; without it, the one that stands in the program. */
#include "io/config/config_build.h"

static const char default_path[] = "(embedded life cycle)";

static const struct life_cycle *parse_text(struct config_build *build, const char *path,
                                           struct bytes text)
{
    uint32_t errors_before = build->diagnostics->error_count;
    const struct yaml_node *node = yaml_parse(build->arena, path, text, "C101", build->diagnostics);
    return build->diagnostics->error_count > errors_before
               ? NULL
               : life_cycle_parse(build->arena, path, node, build->diagnostics);
}

void config_read_life_cycle(struct config_build *build)
{
    const struct yaml_node *node = yaml_member(build->root, "life_cycle");
    struct generation *generation = build->config->generation;
    const char *path;
    struct bytes text;
    if (node == NULL || node->kind == YAML_EMPTY)
        generation->life_cycle =
            parse_text(build, default_path, bytes_from_text(life_cycle_default_text));
    else if (node->kind == YAML_MAPPING)
        generation->life_cycle =
            life_cycle_parse(build->arena, build->path, node, build->diagnostics);
    else if (config_file(build, node, &path, &text))
        generation->life_cycle = parse_text(build, path, text);
}

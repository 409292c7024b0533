#include "io/config/config_build.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/file.h"
#include "routes/suggest.h"

static struct place place_of(const struct config_build *build, const struct yaml_node *node)
{
    struct place place = {.file = build->path};
    if (node != NULL) {
        place.line = node->line;
        place.column = node->column;
    }
    return place;
}

static void report(struct config_build *build, enum severity severity, const struct yaml_node *node,
                   const char *code, const char *hint, const char *format, va_list arguments)
{
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    diagnostics_add(build->diagnostics, severity, code, place_of(build, node), hint, "%s", text);
}

void config_error(struct config_build *build, const struct yaml_node *node, const char *code,
                  const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(build, SEVERITY_ERROR, node, code, hint, format, arguments);
    va_end(arguments);
}

void config_warn(struct config_build *build, const struct yaml_node *node, const char *code,
                 const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(build, SEVERITY_WARNING, node, code, hint, format, arguments);
    va_end(arguments);
}

static size_t count_names(const char *const *names)
{
    size_t count = 0;
    while (names[count] != NULL)
        count++;
    return count;
}

void config_check_names(struct config_build *build, const struct yaml_node *mapping,
                        const char *const *names)
{
    size_t count = count_names(names);
    for (const struct yaml_node *member = mapping->first_child; member != NULL;
         member = member->next) {
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = bytes_equal_text(member->name, names[i]);
        if (known)
            continue;
        char hint[128] = "";
        const char *near = suggest_name(member->name, names, count);
        if (near != NULL)
            snprintf(hint, sizeof hint, "did you mean `%s`?", near);
        struct place place = {build->path, member->name_line, member->name_column};
        diagnostics_add(build->diagnostics, SEVERITY_ERROR, "C102", place,
                        near != NULL ? hint : NULL, "unknown key `%.*s`", (int)member->name.size,
                        (const char *)member->name.data);
    }
}

bool config_text(struct config_build *build, const struct yaml_node *node, struct bytes *out_text)
{
    if (node == NULL)
        return false;
    if (node->kind != YAML_TEXT || node->text.size == 0) {
        config_error(build, node, "C103", NULL, "a text is wanted here, this is %s",
                     yaml_kind_text(node->kind));
        return false;
    }
    *out_text = node->text;
    return true;
}

bool config_name(struct config_build *build, const struct yaml_node *node, const char **out_name)
{
    struct bytes text;
    if (!config_text(build, node, &text))
        return false;
    bool fits = text.size <= CONFIG_NAME_BYTES_MAX;
    for (size_t i = 0; i < text.size && fits; i++) {
        uint8_t byte = text.data[i];
        fits = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.';
    }
    if (!fits) {
        config_error(build, node, "C104",
                     "names are up to 64 letters, digits, `-`, `_` and `.`, without blanks",
                     "`%.*s` is not a name", (int)text.size, (const char *)text.data);
        return false;
    }
    *out_name = (const char *)text.data;
    return true;
}

bool config_switch(struct config_build *build, const struct yaml_node *mapping, const char *name,
                   bool fallback)
{
    const struct yaml_node *node = yaml_member(mapping, name);
    struct bytes text;
    if (!config_text(build, node, &text))
        return fallback;
    if (bytes_equal_text(text, "yes") || bytes_equal_text(text, "true"))
        return true;
    if (bytes_equal_text(text, "no") || bytes_equal_text(text, "false"))
        return false;
    config_error(build, node, "C104", "say yes or no", "`%.*s` is neither yes nor no",
                 (int)text.size, (const char *)text.data);
    return fallback;
}

uint32_t config_texts(struct config_build *build, const struct yaml_node *node,
                      const struct yaml_node ***out_items)
{
    if (node == NULL || node->kind == YAML_EMPTY)
        return 0;
    uint32_t capacity = node->kind == YAML_LIST ? node->child_count : 1;
    const struct yaml_node **items =
        arena_allocate_array(build->arena, capacity + 1, sizeof *items);
    uint32_t count = 0;
    struct bytes text;
    if (node->kind != YAML_LIST) {
        if (config_text(build, node, &text))
            items[count++] = node;
    } else {
        for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
            if (config_text(build, item, &text))
                items[count++] = item;
    }
    *out_items = items;
    return count;
}

void config_options(struct config_build *build, const struct yaml_node *mapping,
                    const struct option_row *rows, void *out_options)
{
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        const struct yaml_node *node = yaml_member(mapping, row->name);
        struct bytes text;
        uint64_t value;
        if (!config_text(build, node, &text))
            continue;
        if (!option_parse_value(text, row->unit, &value)) {
            config_error(build, node, "C104",
                         "a whole number, with a unit if it has one: 64KiB, 1MiB, 500ms, 10s, 1d",
                         "`%.*s` is not a value of %s", (int)text.size, (const char *)text.data,
                         row->name);
            continue;
        }
        if (value < row->min || value > row->max) {
            config_error(build, node, "C104", NULL,
                         "%s is from %" PRIu64 " to %" PRIu64 "%s%s, this is %" PRIu64, row->name,
                         row->min, row->max, row->unit != UNIT_COUNT ? " " : "",
                         option_unit_name(row->unit), value);
            continue;
        }
        option_set(out_options, row, value);
    }
}

static bool read_file(struct config_build *build, const struct yaml_node *node, const char *path,
                      struct bytes *out_content, mode_t *out_mode)
{
    enum status status = build->source->read(build->source->context, build->arena, path,
                                             CONFIG_FILE_BYTES_MAX, out_content, out_mode);
    if (status != STATUS_OK)
        config_error(build, node, "C107",
                     status == STATUS_NOT_FOUND
                         ? "paths are relative to the folder of the configuration file"
                         : NULL,
                     "cannot read %s: %s", path, status_text(status));
    return status == STATUS_OK;
}

static const struct config_file *find_file(const struct config *config, struct bytes name)
{
    for (uint32_t i = 0; i < config->file_count; i++)
        if (config->files[i].kind == FILE_NAMED && bytes_equal_text(name, config->files[i].name))
            return &config->files[i];
    return NULL;
}

bool config_file(struct config_build *build, const struct yaml_node *node, const char **out_path,
                 struct bytes *out_content)
{
    struct bytes text;
    if (!config_text(build, node, &text))
        return false;
    const char *path = file_resolve(build->arena, build->config->path, text);
    const struct config_file *known = find_file(build->config, text);
    if (known != NULL) {
        *out_content = known->content;
    } else {
        if (!read_file(build, node, path, out_content, NULL))
            return false;
        config_note_file(build->config, FILE_NAMED, arena_copy_text(build->arena, text),
                         *out_content);
    }
    *out_path = path;
    return true;
}

bool config_secret_file(struct config_build *build, const struct yaml_node *node,
                        const char **out_path, struct bytes *out_content, mode_t *out_mode)
{
    struct bytes text;
    if (!config_text(build, node, &text))
        return false;
    *out_path = file_resolve(build->arena, build->config->path, text);
    return read_file(build, node, *out_path, out_content, out_mode);
}

void config_note_file(struct config *config, enum generation_file_kind kind, const char *name,
                      struct bytes content)
{
    if (config->file_count == config->file_capacity) {
        config->file_capacity = config->file_capacity * 2 + 64;
        config->files = realloc(config->files, config->file_capacity * sizeof *config->files);
        if (config->files == NULL)
            abort();
    }
    config->files[config->file_count++] = (struct config_file){kind, name, content};
}

uint16_t config_find_destination(const struct config_build *build, struct bytes name)
{
    for (uint16_t i = 0; i < build->destination_count; i++)
        if (!build->destinations[i]->is_removed &&
            bytes_equal_text(name, build->destinations[i]->name))
            return i;
    return NO_DESTINATION;
}

uint16_t config_find_channel(const struct config_build *build, struct bytes name)
{
    for (uint16_t i = 0; i < build->channel_count; i++)
        if (!build->channels[i]->is_removed && bytes_equal_text(name, build->channels[i]->name))
            return i;
    return CHANNELS_MAX;
}

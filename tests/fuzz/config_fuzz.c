/* Two configurations, with all that they name -> load -> what changes from one to the other.
 *
 * The input is up to five sections with lines `==` between them: the configuration kouan.yaml, its
 * table rules.csv, another rules.csv, the list list.txt, and the examples tests.yaml. Both tables
 * are loaded, with all the rest the same. All other files hold a secret. */
#include <stdio.h>
#include <stdlib.h>

#include "io/config/config_diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTION_CONFIG, SECTION_RULES, SECTION_OTHER_RULES, SECTION_LIST, SECTION_TESTS, SECTIONS };

struct files {
    struct bytes sections[SECTIONS];
    bool is_other;
};

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "config_fuzz: %s\n", what);
    abort();
}

/* The text up to a line `==`, taken off the rest. */
static struct bytes take_section(struct bytes *rest)
{
    for (size_t i = 0; i + 3 <= rest->size; i++)
        if ((i == 0 || rest->data[i - 1] == '\n') &&
            bytes_equal_text(bytes_slice(*rest, i, 3), "==\n")) {
            struct bytes part = bytes_slice(*rest, 0, i);
            *rest = bytes_slice(*rest, i + 3, rest->size);
            return part;
        }
    struct bytes part = *rest;
    *rest = bytes_slice(*rest, rest->size, 0);
    return part;
}

static struct bytes find_file(const struct files *files, const char *path)
{
    if (strcmp(path, "kouan.yaml") == 0)
        return files->sections[SECTION_CONFIG];
    if (strcmp(path, "rules.csv") == 0)
        return files->sections[files->is_other ? SECTION_OTHER_RULES : SECTION_RULES];
    if (strcmp(path, "list.txt") == 0)
        return files->sections[SECTION_LIST];
    if (strcmp(path, "tests.yaml") == 0)
        return files->sections[SECTION_TESTS];
    return BYTES_LITERAL("0123456789abcdef");
}

static enum status read_section(void *context, struct arena *arena, const char *path,
                                size_t bytes_max, struct bytes *out_content, mode_t *out_mode)
{
    struct bytes content = find_file(context, path);
    if (content.size > bytes_max)
        return STATUS_TOO_BIG;
    *out_content = arena_copy(arena, content);
    if (out_mode != NULL)
        *out_mode = 0600;
    return STATUS_OK;
}

/* Every diagnostic names its file, and prints. */
static void check_diagnostics(const struct diagnostics *diagnostics)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    require(out != NULL, "open_memstream");
    diagnostics_print(diagnostics, out);
    diagnostics_print_json(diagnostics, out);
    fclose(out);
    require(bytes_is_utf8(bytes_make(text, size)), "reports are UTF-8");
    free(text);
    for (uint32_t i = 0; i < diagnostics->count; i++)
        require(diagnostics->items[i].place.file != NULL, "a file in each report");
}

/* NULL if it has errors. */
static struct config *load(struct files *files, bool is_other)
{
    const struct config_source source = {
        .read = read_section, .context = files, .shipped = shipped_profiles};
    struct diagnostics diagnostics;
    struct config *config = NULL;
    files->is_other = is_other;
    diagnostics_init(&diagnostics);
    enum status status = config_load_from(&source, "kouan.yaml", &config, &diagnostics);
    require((status == STATUS_OK) == (diagnostics.error_count == 0), "errors, or a configuration");
    require((status == STATUS_OK) == (config != NULL), "and a configuration without them");
    check_diagnostics(&diagnostics);
    diagnostics_deinit(&diagnostics);
    return config;
}

/* ---- what changes ---- */

struct counted {
    int64_t added, removed, made, moved;
};

static struct counted count_rules(const struct config *before, const struct config *next)
{
    struct counted counted = {0};
    struct config_diff diff;
    char *text = NULL;
    size_t size = 0;
    config_diff_make(before, NULL, next, &diff);
    for (uint32_t i = 0; i < diff.count; i++) {
        require(diff.changes[i].kind == CHANGED_RULE, "only rules have changed");
        counted.added += diff.changes[i].how == CHANGE_ADDED;
        counted.removed += diff.changes[i].how == CHANGE_REMOVED;
        counted.made += diff.changes[i].how == CHANGE_MADE;
        counted.moved += diff.changes[i].how == CHANGE_MOVED;
    }
    require(diff.restart_count == 0, "rules need no restart");
    FILE *out = open_memstream(&text, &size);
    require(out != NULL, "open_memstream");
    config_diff_print(&diff, 3, out);
    config_diff_print_json(&diff, out);
    fclose(out);
    require(bytes_is_utf8(bytes_make(text, size)), "changes are UTF-8");
    free(text);
    config_diff_free(&diff);
    return counted;
}

static int64_t rules_of(const struct config *config)
{
    return config->generation->table_count > 0 ? config->generation->tables[0]->rule_count : 0;
}

static void compare(const struct config *before, const struct config *next)
{
    struct counted there = count_rules(before, next), back = count_rules(next, before);
    struct counted same = count_rules(before, before);
    require(same.added + same.removed + same.made + same.moved == 0, "nothing from it to itself");
    require(rules_of(next) - rules_of(before) == there.added - there.removed, "rules add up");
    require(there.added == back.removed && there.removed == back.added, "what came went back");
    require(there.made == back.made, "what changed changes back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct files files;
    struct bytes rest = bytes_make(data, size);
    for (size_t i = 0; i < SECTIONS; i++)
        files.sections[i] = take_section(&rest);
    struct config *before = load(&files, false), *next = load(&files, true);
    if (before != NULL && next != NULL)
        compare(before, next);
    config_free(before);
    config_free(next);
    return 0;
}

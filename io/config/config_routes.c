/* Channels, profiles, value lists and rule tables. */
#include <stdio.h>
#include <stdlib.h>

#include "io/config/config_build.h"
#include "io/config/rule_tests.h"
#include "io/file.h"

/* ---- channels ---- */

void config_read_channels(struct config_build *build)
{
    static const char *const names[] = {"name", "profiles", NULL};
    const struct yaml_node *section = yaml_member(build->root, "channels");
    if (section == NULL || section->kind != YAML_LIST || section->child_count == 0) {
        config_error(build, section, "C109", "channels:\n  - name: in", "there are no channels");
        return;
    }
    for (const struct yaml_node *node = section->first_child; node != NULL; node = node->next) {
        const char *name;
        const struct yaml_node *name_node = yaml_member(node, "name");
        if (name_node == NULL) {
            config_error(build, node, "C109", "- name: in", "a channel needs a name");
            continue;
        }
        config_check_names(build, node, names);
        if (!config_name(build, name_node, &name))
            continue;
        if (config_find_channel(build, bytes_from_text(name)) != CHANNELS_MAX) {
            config_error(build, name_node, "C105", NULL, "there are two channels `%s`", name);
            continue;
        }
        if (config_place_channel(build, node, name) == NULL)
            return;
    }
}

/* ---- profiles ---- */

static bool allow_profiles(const struct profile_set *set, struct bytes pattern,
                           struct channel *channel)
{
    bool any = false;
    bool is_prefix = pattern.size > 0 && pattern.data[pattern.size - 1] == '*';
    struct bytes prefix = is_prefix ? bytes_slice(pattern, 0, pattern.size - 1) : pattern;
    for (uint16_t i = 0; i < set->count; i++) {
        struct bytes name = bytes_from_text(set->profiles[i]->name);
        if (is_prefix ? bytes_start_with(name, prefix) : bytes_equal(name, prefix)) {
            channel->profiles[i / 64] |= UINT64_C(1) << (i % 64);
            any = true;
        }
    }
    return any;
}

/* `profiles: [ceb-*, json-event]` of a channel; without it, all. */
static void choose_profiles(struct config_build *build, const struct yaml_node *mapping,
                            struct channel *channel)
{
    const struct profile_set *set = &build->config->generation->profiles;
    const struct yaml_node **items;
    uint32_t count = config_texts(build, yaml_member(mapping, "profiles"), &items);
    if (count == 0)
        allow_profiles(set, BYTES_LITERAL("*"), channel);
    for (uint32_t i = 0; i < count; i++)
        if (!allow_profiles(set, items[i]->text, channel))
            config_error(build, items[i], "C106", "`kouan check --profiles` lists them",
                         "no profile is called `%.*s`", (int)items[i]->text.size,
                         (const char *)items[i]->text.data);
}

/* The words that stand for the profiles within the program. */
static const char *const shipped_words[] = {"shipped", "known"};

static bool is_shipped_word(struct bytes text)
{
    return bytes_equal_text(text, shipped_words[0]) || bytes_equal_text(text, shipped_words[1]);
}

static void add_profile_files(struct config_build *build, const struct yaml_node *section,
                              struct profile_list *list)
{
    const struct yaml_node **items;
    uint32_t count = config_texts(build, section, &items);
    for (uint32_t i = 0; i < count; i++) {
        const char *path;
        struct bytes content;
        if (!is_shipped_word(items[i]->text) && config_file(build, items[i], &path, &content))
            profile_parse_yaml(build->arena, path, content, list, build->diagnostics);
    }
}

static bool wants(const struct yaml_node *section, const char *word)
{
    if (section->kind == YAML_TEXT)
        return bytes_equal_text(section->text, word);
    for (const struct yaml_node *item = section->first_child; item != NULL; item = item->next)
        if (item->kind == YAML_TEXT && bytes_equal_text(item->text, word))
            return true;
    return false;
}

/* `shipped`: all; `known`: those for known dialects only, so that others are refused. */
static void add_shipped_profiles(struct config_build *build, const struct yaml_node *section,
                                 struct profile_list *list)
{
    bool absent = section == NULL || section->kind == YAML_EMPTY;
    bool all = absent || wants(section, shipped_words[0]);
    if (!all && !wants(section, shipped_words[1]))
        return;
    uint16_t count = list->count;
    const struct shipped_profile *shipped = build->source->shipped;
    profile_parse_shipped_from(build->arena, shipped, list, build->diagnostics);
    for (; shipped->name != NULL; shipped++)
        config_note_file(build->config, FILE_SHIPPED, shipped->name,
                         bytes_make(shipped->start, (size_t)(shipped->end - shipped->start)));
    for (uint16_t i = count; i < list->count; i++)
        if (all || !list->items[i]->recognise.otherwise)
            list->items[count++] = list->items[i];
    list->count = count;
}

void config_read_profiles(struct config_build *build)
{
    struct generation *generation = build->config->generation;
    const struct yaml_node *section = yaml_member(build->root, "profiles");
    struct profile_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        abort();
    add_profile_files(build, section, list); /* one's own come first */
    add_shipped_profiles(build, section, list);
    profile_set_build(build->arena, list, &generation->profiles, build->diagnostics);
    free(list);

    const struct yaml_node *channels = yaml_member(build->root, "channels");
    if (channels == NULL)
        return;
    for (const struct yaml_node *node = channels->first_child; node != NULL; node = node->next) {
        const struct yaml_node *name = yaml_member(node, "name");
        uint16_t index = name != NULL && name->kind == YAML_TEXT
                             ? config_find_channel(build, name->text)
                             : CHANNELS_MAX;
        if (index != CHANNELS_MAX)
            choose_profiles(build, node, build->channels[index]);
    }
}

/* ---- lists and tables ---- */

static uint16_t read_lists(struct config_build *build, const struct value_list ***out_lists)
{
    const struct yaml_node *section = yaml_member(build->root, "lists");
    if (section == NULL || section->kind == YAML_EMPTY)
        return 0;
    if (section->kind != YAML_MAPPING || section->child_count > UINT16_MAX) {
        config_error(build, section, "C103", "lists:\n  bonded: lists/bonded.txt",
                     "lists are a mapping of names to files");
        return 0;
    }
    const struct value_list **lists =
        arena_allocate_array(build->arena, section->child_count + 1, sizeof *lists);
    uint16_t count = 0;
    for (const struct yaml_node *node = section->first_child; node != NULL; node = node->next) {
        const char *path;
        struct bytes content;
        if (!config_file(build, node, &path, &content))
            continue;
        const char *name = arena_copy_text(build->arena, node->name);
        const struct value_list *list = value_list_parse(build->arena, build->charsets, name, path,
                                                         content, build->diagnostics);
        if (list != NULL)
            lists[count++] = list;
    }
    *out_lists = lists;
    return count;
}

/* `rules/customs.csv` is the table `customs`. */
static const char *table_name(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t size = dot != NULL && dot > base ? (size_t)(dot - base) : strlen(base);
    return arena_copy_text(arena, bytes_make(base, size));
}

static bool has_table(const struct rule_table *const *tables, uint16_t count, const char *name)
{
    for (uint16_t i = 0; i < count; i++)
        if (strcmp(tables[i]->name, name) == 0)
            return true;
    return false;
}

static uint16_t read_table_files(struct config_build *build, const struct rule_names *names,
                                 const struct rule_table **tables)
{
    const struct yaml_node **items;
    uint16_t table_count = 0;
    uint32_t count = config_texts(build, yaml_member(build->root, "tables"), &items);
    if (count > RULE_TABLES_MAX) {
        config_error(build, items[RULE_TABLES_MAX], "C104", "one table may hold many rules",
                     "there are more than %d tables", RULE_TABLES_MAX);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *path;
        struct bytes content;
        if (!config_file(build, items[i], &path, &content))
            continue;
        const char *name = table_name(build->arena, path);
        if (has_table(tables, table_count, name)) {
            config_error(build, items[i], "C105", "rename one of the files",
                         "there are two tables `%s`", name);
            continue;
        }
        const struct rule_table *table = rule_table_parse(build->arena, build->charsets, name, path,
                                                          content, names, build->diagnostics);
        if (table != NULL)
            tables[table_count++] = table;
    }
    return table_count;
}

static void read_unroutable(struct config_build *build)
{
    struct generation *generation = build->config->generation;
    const struct yaml_node *node = yaml_member(build->root, "unroutable");
    struct bytes text;
    generation->unroutable_destination = NO_DESTINATION;
    if (!config_text(build, node, &text) || bytes_equal_text(text, "refuse"))
        return;
    generation->unroutable_destination = config_find_destination(build, text);
    if (generation->unroutable_destination == NO_DESTINATION)
        config_error(build, node, "C106", "`refuse`, or the name of a destination",
                     "no such destination: `%.*s`", (int)text.size, (const char *)text.data);
}

void config_read_tables(struct config_build *build)
{
    struct generation *generation = build->config->generation;
    const struct value_list **lists = NULL;
    const char *destination_names[DESTINATIONS_MAX];
    for (uint16_t i = 0; i < build->destination_count; i++)
        destination_names[i] = build->destinations[i]->name;
    uint16_t list_count = read_lists(build, &lists);
    const struct rule_names names = {
        .destinations = destination_names,
        .destination_count = build->destination_count,
        .lists = lists,
        .list_count = list_count,
    };
    const struct rule_table **tables =
        arena_allocate_array(build->arena, RULE_TABLES_MAX, sizeof *tables);
    generation->lists = lists;
    generation->list_count = list_count;
    generation->tables = tables;
    generation->table_count = read_table_files(build, &names, tables);
    read_unroutable(build);
    if (build->diagnostics->error_count == 0 &&
        rule_tables_check_total(tables, generation->table_count, build->diagnostics) &&
        rule_periods_build(build->arena, tables, generation->table_count, &generation->periods,
                           build->diagnostics))
        generation->matcher =
            matcher_compile(build->arena, generation->tables, generation->table_count);
}

/* Their files are no part of the generation: what it decides does not depend on them. */
void config_run_tests(struct config_build *build)
{
    struct config *config = build->config;
    const struct yaml_node **items;
    uint32_t count = config_texts(build, yaml_member(build->root, "rule_tests"), &items);
    struct rule_tests tests = {
        .config = config, .source = build->source, .diagnostics = build->diagnostics};
    config->test_paths = arena_allocate_array(build->arena, count + 1, sizeof *config->test_paths);
    config->test_places =
        arena_allocate_array(build->arena, count + 1, sizeof *config->test_places);
    for (uint32_t i = 0; i < count; i++) {
        config->test_paths[i] = file_resolve(build->arena, config->path, items[i]->text);
        config->test_places[i] = (struct place){build->path, items[i]->line, items[i]->column};
    }
    config->test_count = count;
    if (build->source->without_tests || build->diagnostics->error_count > 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        rule_tests_run(&tests, config->test_paths[i], config->test_places[i]);
}

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "io/config/config_build.h"

/* Groups' live records are copied forward as the log goes round; with half of the log at most they
 * always fit. */
enum { LIVE_SHARE_DIVISOR = 2 };

#define X(name, initial, min, max, unit, help) #name,
static const char *const destination_names[] = {
    "name", "groups", "fields", "dead_letter", "when_full", DESTINATION_OPTION_LIST(X) NULL};
#undef X

static const char *const group_names[] = {"name", "order", NULL};

/* A name alone, or {name, order}. False after an error. */
static bool read_group(struct config_build *build, const struct yaml_node *node,
                       const char **out_name, bool *out_by_case)
{
    struct bytes order;
    *out_by_case = false;
    if (node->kind != YAML_MAPPING)
        return config_name(build, node, out_name);
    config_check_names(build, node, group_names);
    if (config_text(build, yaml_member(node, "order"), &order)) {
        *out_by_case = bytes_equal_text(order, "case");
        if (!*out_by_case && !bytes_equal_text(order, "arrival"))
            config_error(build, yaml_member(node, "order"), "C104", "arrival or case",
                         "`%.*s` is no order of a group", (int)order.size,
                         (const char *)order.data);
    }
    if (yaml_member(node, "name") != NULL)
        return config_name(build, yaml_member(node, "name"), out_name);
    config_error(build, node, "C109", "{name: clearance, order: case}", "a group needs a name");
    return false;
}

static void read_groups(struct config_build *build, const struct yaml_node *mapping,
                        struct destination *destination)
{
    const struct yaml_node *section = yaml_member(mapping, "groups");
    if (section == NULL || section->kind == YAML_EMPTY)
        return;
    bool is_list = section->kind == YAML_LIST;
    const char **groups =
        arena_allocate_array(build->arena, is_list ? section->child_count + 1 : 1, sizeof *groups);
    uint32_t count = 0;
    for (const struct yaml_node *node = is_list ? section->first_child : section; node != NULL;
         node = is_list ? node->next : NULL) {
        const char *name;
        bool by_case;
        if (count++ == DESTINATION_GROUPS_MAX) {
            config_error(build, node, "C104", NULL, "a destination has at most %d groups",
                         DESTINATION_GROUPS_MAX);
            break;
        }
        if (!read_group(build, node, &name, &by_case))
            continue;
        for (uint16_t k = 0; k < destination->group_count; k++)
            if (strcmp(groups[k], name) == 0)
                config_error(build, node, "C105", NULL, "the group `%s` stands here twice", name);
        destination->groups_by_case |= (uint64_t)by_case << destination->group_count;
        groups[destination->group_count++] = name;
    }
    static_assert(DESTINATION_GROUPS_MAX <= 64, "a bit each");
    destination->groups = groups;
}

static void read_fields(struct config_build *build, const struct yaml_node *mapping,
                        struct destination *destination)
{
    const struct yaml_node **items;
    uint32_t count = config_texts(build, yaml_member(mapping, "fields"), &items);
    if (count > DESTINATION_FIELDS_MAX) {
        config_error(build, items[DESTINATION_FIELDS_MAX], "C104", NULL,
                     "a destination delivers at most %d fields", DESTINATION_FIELDS_MAX);
        return;
    }
    struct delivered_field *fields = arena_allocate_array(build->arena, count + 1, sizeof *fields);
    for (uint32_t i = 0; i < count; i++) {
        if (delivered_field_find(items[i]->text, &fields[destination->field_count]))
            destination->field_count++;
        else
            config_error(build, items[i], "C106",
                         "a canonical field, a kind of key, or one of origin, channel, profile, "
                         "verdict, generation, rule, keys, cause, first_id",
                         "no such field: `%.*s`", (int)items[i]->text.size,
                         (const char *)items[i]->text.data);
    }
    destination->fields = fields;
}

static void apply_options(const struct destination_options *options, struct destination *out)
{
    out->pending_max = (uint32_t)options->pending_max;
    out->backlog_max = (uint32_t)options->backlog_max;
    out->backlog_bytes_max = options->backlog_bytes_max;
    out->retain_bytes = options->retain_bytes;
    out->deliveries_max = (uint32_t)options->deliveries_max;
}

static void read_destination(struct config_build *build, const struct yaml_node *node,
                             const struct destination_options *defaults)
{
    const char *name;
    if (node->kind != YAML_MAPPING || yaml_member(node, "name") == NULL) {
        config_error(build, node, "C109", "- name: customs", "a destination needs a name");
        return;
    }
    config_check_names(build, node, destination_names);
    if (!config_name(build, yaml_member(node, "name"), &name))
        return;
    if (config_find_destination(build, bytes_from_text(name)) != NO_DESTINATION) {
        config_error(build, yaml_member(node, "name"), "C105", NULL,
                     "there are two destinations `%s`", name);
        return;
    }
    struct destination *destination = config_place_destination(build, node, name);
    if (destination == NULL)
        return;
    struct destination_options options = *defaults;
    config_options(build, node, destination_option_rows, &options);
    config_divide_destination(build, &options);
    apply_options(&options, destination);
    read_groups(build, node, destination);
    read_fields(build, node, destination);
}

/* Once all names are known. */
static void link_dead_letter(struct config_build *build, const struct yaml_node *node,
                             struct destination *destination)
{
    const struct yaml_node *when_full = yaml_member(node, "when_full");
    const struct yaml_node *dead_letter = yaml_member(node, "dead_letter");
    struct bytes text;
    if (config_text(build, dead_letter, &text)) {
        destination->dead_letter = config_find_destination(build, text);
        if (destination->dead_letter == NO_DESTINATION ||
            destination->dead_letter == destination->index)
            config_error(build, dead_letter, "C106", "name another destination of this file",
                         "`%.*s` cannot be the dead letter of `%s`", (int)text.size,
                         (const char *)text.data, destination->name);
    }
    if (config_text(build, when_full, &text)) {
        if (bytes_equal_text(text, "wait"))
            destination->when_full = WHEN_FULL_WAIT;
        else if (bytes_equal_text(text, "tryagain"))
            destination->when_full = WHEN_FULL_TRY_AGAIN;
        else if (bytes_equal_text(text, "dead_letter"))
            destination->when_full = WHEN_FULL_DEAD_LETTER;
        else if (bytes_equal_text(text, "drop_oldest"))
            destination->when_full = WHEN_FULL_DROP_OLDEST;
        else
            config_error(build, when_full, "C104", "wait, tryagain, dead_letter or drop_oldest",
                         "`%.*s` is nothing to do when full", (int)text.size,
                         (const char *)text.data);
    }
    if (destination->dead_letter != NO_DESTINATION)
        return;
    if (destination->when_full == WHEN_FULL_DEAD_LETTER || destination->deliveries_max > 0)
        config_error(build, node, "C106", "add `dead_letter: NAME`",
                     "`%s` gives up messages but names no dead letter", destination->name);
}

/* What groups may keep, over all destinations, is at most a half of the log: of its files, or of
 * its memory if it has none. */
static void share_log(struct config_build *build, const struct yaml_node *section)
{
    const struct options *options = &build->config->options;
    const struct config *running = build->source->running;
    bool in_memory = (running != NULL ? running : build->config)->sync == SYNC_MEMORY;
    const char *name = in_memory ? "memory" : "journal_size";
    uint64_t whole = in_memory ? options->memory : options->journal_size;
    uint64_t live = whole / LIVE_SHARE_DIVISOR, given = options->hold_bytes_max;
    uint32_t open_shares = 0;
    for (uint16_t i = 0; i < build->destination_count; i++) {
        given += build->destinations[i]->is_removed ? 0 : build->destinations[i]->backlog_bytes_max;
        open_shares += build->destinations[i]->backlog_bytes_max == 0;
    }
    uint64_t least = options->message_max * 4;
    if (given > live || (open_shares > 0 && (live - given) / open_shares < least)) {
        config_error(build, section, "C110",
                     arena_format(build->arena,
                                  "raise `%s`, or lower backlog_bytes_max, hold_bytes_max or "
                                  "message_max",
                                  name),
                     "the destinations may keep %" PRIu64 " bytes in all (half of `%s`), "
                     "hold_bytes_max and backlog_bytes_max take %" PRIu64
                     " of them, and each destination without one wants at least %" PRIu64,
                     live, name, given, least);
        return;
    }
    for (uint16_t i = 0; i < build->destination_count; i++)
        if (build->destinations[i]->backlog_bytes_max == 0)
            build->destinations[i]->backlog_bytes_max = (live - given) / open_shares;
}

void config_read_destinations(struct config_build *build)
{
#define X(name, initial, min, max, unit, help) #name,
    static const char *const default_names[] = {DESTINATION_OPTION_LIST(X) NULL};
#undef X
    struct destination_options defaults;
    destination_options_set_defaults(&defaults);
    const struct yaml_node *shared = yaml_member(build->root, "defaults");
    if (shared != NULL && shared->kind == YAML_MAPPING) {
        config_check_names(build, shared, default_names);
        config_options(build, shared, destination_option_rows, &defaults);
    }
    const struct yaml_node *section = yaml_member(build->root, "destinations");
    if (section == NULL || section->kind != YAML_LIST || section->child_count == 0) {
        config_error(build, section, "C109", "destinations:\n  - name: all",
                     "there are no destinations");
        return;
    }
    for (const struct yaml_node *node = section->first_child; node != NULL; node = node->next)
        read_destination(build, node, &defaults);
    for (const struct yaml_node *node = section->first_child; node != NULL; node = node->next) {
        const struct yaml_node *name = yaml_member(node, "name");
        uint16_t index = name != NULL && name->kind == YAML_TEXT
                             ? config_find_destination(build, name->text)
                             : NO_DESTINATION;
        if (index != NO_DESTINATION)
            link_dead_letter(build, node, build->destinations[index]);
    }
    share_log(build, section);
}

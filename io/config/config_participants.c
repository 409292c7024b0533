#include <stdlib.h>

#include "io/config/config_build.h"

enum { SECRET_BYTES_MIN = 16, ID_LINES_MAX = 1000000 };

static const char *const participant_names[] = {"name",     "secret_file",   "roles",   "ids",
                                                "ids_file", "publish",       "consume", "receives",
                                                "scope",    "create_groups", "operate", NULL};

static void read_secret(struct config_build *build, const struct yaml_node *mapping,
                        struct participant *participant)
{
    const struct yaml_node *node = yaml_member(mapping, "secret_file");
    const struct yaml_node *inline_secret = yaml_member(mapping, "secret");
    const char *path;
    mode_t mode;
    struct bytes content;
    if (inline_secret != NULL) {
        config_error(build, inline_secret, "C108", "put it in a file of its own: secret_file: PATH",
                     "a secret does not belong into the configuration");
        return;
    }
    if (node == NULL) {
        config_error(build, mapping, "C108", "add `secret_file: PATH`", "`%s` has no secret",
                     participant->name);
        return;
    }
    if (build->source->without_secrets || !config_secret_file(build, node, &path, &content, &mode))
        return;
    participant->secret = bytes_trim(content);
    if (participant->secret.size < SECRET_BYTES_MIN)
        config_error(build, node, "C108", "openssl rand -hex 24 makes a good one",
                     "the secret in %s is shorter than %d bytes", path, SECRET_BYTES_MIN);
    if ((mode & 07) != 0)
        config_warn(build, node, "C108", "chmod 600 it", "everybody on this machine can use %s",
                    path);
}

static void read_roles(struct config_build *build, const struct yaml_node *mapping,
                       struct participant *participant)
{
    const struct yaml_node **items;
    uint32_t count = config_texts(build, yaml_member(mapping, "roles"), &items);
    const char *name;
    struct bytes *roles = arena_allocate_array(build->arena, count + 1, sizeof *roles);
    if (count > PARTICIPANT_ROLES_MAX) {
        config_error(build, items[PARTICIPANT_ROLES_MAX], "C104", NULL,
                     "a participant has at most %d roles", PARTICIPANT_ROLES_MAX);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        if (config_name(build, items[i], &name))
            roles[participant->role_count++] = bytes_from_text(name);
    participant->roles = roles;
}

static struct address_pattern pattern_of(struct bytes text)
{
    bool is_prefix = text.size > 0 && text.data[text.size - 1] == '*';
    return (struct address_pattern){is_prefix ? bytes_slice(text, 0, text.size - 1) : text,
                                    is_prefix};
}

static uint32_t count_lines(struct bytes content)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < content.size && lines < ID_LINES_MAX; i++)
        lines += content.data[i] == '\n';
    return lines;
}

/* One address a line; blank lines and `#` comments do not count. */
static uint32_t add_id_lines(struct bytes content, struct address_pattern *out, uint32_t capacity)
{
    uint32_t count = 0;
    while (content.size > 0 && count < capacity) {
        const uint8_t *end = memchr(content.data, '\n', content.size);
        size_t size = end != NULL ? (size_t)(end - content.data) : content.size;
        struct bytes line = bytes_trim(bytes_slice(content, 0, size));
        if (line.size > 0 && line.data[0] != '#')
            out[count++] = pattern_of(line);
        content = bytes_slice(content, size + 1, content.size);
    }
    return count;
}

static void read_ids(struct config_build *build, const struct yaml_node *mapping,
                     struct participant *participant)
{
    const struct yaml_node **items;
    const struct yaml_node *file = yaml_member(mapping, "ids_file");
    const char *path;
    struct bytes content = {0};
    const struct yaml_node *list = yaml_member(mapping, "ids");
    uint32_t count = config_texts(build, list, &items);
    uint32_t lines = 0;
    if (file != NULL && config_file(build, file, &path, &content))
        lines = count_lines(content);
    struct address_pattern *ids =
        arena_allocate_array(build->arena, count + lines + 1, sizeof *ids);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = pattern_of(items[i]->text);
    participant->id_count = count + add_id_lines(content, ids + count, lines);
    participant->ids = ids;
    if (list == NULL)
        list = file != NULL ? file : mapping;
    participant->ids_line = list->line;
    participant->ids_column = list->column;
}

static void read_publish(struct config_build *build, const struct yaml_node *mapping,
                         struct participant *participant)
{
    const struct yaml_node **items;
    uint32_t count = config_texts(build, yaml_member(mapping, "publish"), &items);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t channel = config_find_channel(build, items[i]->text);
        if (channel == CHANNELS_MAX)
            config_error(build, items[i], "C106", "`channels` lists them",
                         "no such channel: `%.*s`", (int)items[i]->text.size,
                         (const char *)items[i]->text.data);
        else
            participant->publish[channel / 64] |= UINT64_C(1) << (channel % 64);
    }
}

static void read_destination_set(struct config_build *build, const struct yaml_node *node,
                                 struct destination_set *out)
{
    const struct yaml_node **items;
    uint32_t count = config_texts(build, node, &items);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t destination = config_find_destination(build, items[i]->text);
        if (destination == NO_DESTINATION)
            config_error(build, items[i], "C106", "`destinations` lists them",
                         "no such destination: `%.*s`", (int)items[i]->text.size,
                         (const char *)items[i]->text.data);
        else
            destination_set_add(out, destination);
    }
}

static bool is_known(const struct config_build *build, const char *name)
{
    for (uint16_t i = 0; i < build->participant_count; i++)
        if (!build->participants[i]->is_removed && strcmp(build->participants[i]->name, name) == 0)
            return true;
    return false;
}

/* Participants that name the same scope share one space of message ids; otherwise each has its own.
 */
static void give_scope(struct config_build *build, const struct yaml_node *mapping,
                       struct participant *participant, const char **scopes)
{
    const char *scope = NULL;
    participant->scope = participant->index;
    participant->scope_name = config_name_scope(build, "participant", participant->name);
    const struct yaml_node *node = yaml_member(mapping, "scope");
    if (node == NULL || !config_name(build, node, &scope))
        return;
    scopes[participant->index] = scope;
    participant->scope_name = config_name_scope(build, "scope", scope);
    for (uint16_t i = 1; i < build->participant_count; i++)
        if (i != participant->index && scopes[i] != NULL && strcmp(scopes[i], scope) == 0) {
            participant->scope = build->participants[i]->scope;
            return;
        }
}

static void read_participant(struct config_build *build, const struct yaml_node *node,
                             const char **scopes)
{
    const char *name;
    const struct yaml_node *name_node = yaml_member(node, "name");
    if (node->kind != YAML_MAPPING || name_node == NULL) {
        config_error(build, node, "C109", "- name: nansha", "a participant needs a name");
        return;
    }
    if (yaml_member(node, "secret") == NULL)
        config_check_names(build, node, participant_names);
    if (!config_name(build, name_node, &name))
        return;
    if (is_known(build, name)) {
        config_error(build, name_node, "C105", NULL, "there are two participants `%s`", name);
        return;
    }
    struct participant *participant = config_place_participant(build, node, name);
    if (participant == NULL)
        return;
    read_secret(build, node, participant);
    read_roles(build, node, participant);
    read_ids(build, node, participant);
    read_publish(build, node, participant);
    read_destination_set(build, yaml_member(node, "consume"), &participant->consume);
    read_destination_set(build, yaml_member(node, "receives"), &participant->delivers_to);
    uint16_t namesake = config_find_destination(build, bytes_from_text(name));
    if (yaml_member(node, "receives") == NULL && namesake != NO_DESTINATION)
        destination_set_add(&participant->delivers_to, namesake);
    participant->create_groups = config_switch(build, node, "create_groups", false);
    participant->operate = config_switch(build, node, "operate", false);
    give_scope(build, node, participant, scopes);
}

/* Number 0: whoever connects, while no participants are configured; nobody, once some are. */
static void add_anonymous(struct config_build *build, bool may_do_all)
{
    struct participant *anonymous = config_place_participant(build, NULL, "anonymous");
    if (may_do_all) {
        memset(anonymous->publish, 0xFF, sizeof anonymous->publish);
        memset(&anonymous->consume, 0xFF, sizeof anonymous->consume);
        anonymous->create_groups = true;
        anonymous->operate = true;
    }
}

/* Who may write to the control socket may read the journal's files as well. */
static void add_operator(struct config_build *build)
{
    struct participant *operator= arena_allocate(build->arena, sizeof *operator);
    *operator=(struct participant){.name = "control", .create_groups = true, .operate = true};
    operator->name_bytes = bytes_from_text(operator->name);
    memset(&operator->consume, 0xFF, sizeof operator->consume);
    build->config->generation->operator= operator;
}

void config_read_participants(struct config_build *build)
{
    const struct yaml_node *section = yaml_member(build->root, "participants");
    bool any = section != NULL && section->kind == YAML_LIST && section->child_count > 0;
    add_anonymous(build, !any);
    add_operator(build);
    if (section != NULL && section->kind != YAML_LIST && section->kind != YAML_EMPTY)
        config_error(build, section, "C103", "participants:\n  - name: nansha",
                     "participants are a list");
    if (any) {
        const char **scopes = arena_allocate_array(build->arena, PARTICIPANTS_MAX, sizeof *scopes);
        for (const struct yaml_node *node = section->first_child; node != NULL; node = node->next)
            read_participant(build, node, scopes);
    }
    struct generation *generation = build->config->generation;
    generation->open = !any;
    const struct participant **participants =
        arena_allocate_array(build->arena, build->participant_count, sizeof *participants);
    for (uint16_t i = 0; i < build->participant_count; i++)
        participants[i] = build->participants[i];
    participant_directory_build(build->arena, participants, build->participant_count,
                                &generation->directory, build->diagnostics, build->path);
}

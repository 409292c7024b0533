#include "io/config/config_build.h"

/* ---- from the generation before ---- */

static void keep_destination(struct config_build *build, const char *name)
{
    struct destination *destination = arena_allocate(build->arena, sizeof *destination);
    *destination = (struct destination){.name = name,
                                        .index = build->destination_count,
                                        .is_removed = true,
                                        .pending_max = 1,
                                        .backlog_max = 1,
                                        .backlog_bytes_max = 1,
                                        .dead_letter = NO_DESTINATION};
    build->destinations[build->destination_count++] = destination;
}

static void keep_channel(struct config_build *build, const char *name)
{
    struct channel *channel = arena_allocate(build->arena, sizeof *channel);
    *channel = (struct channel){.name = name, .index = build->channel_count, .is_removed = true};
    build->channels[build->channel_count++] = channel;
}

static void keep_participant(struct config_build *build, const char *name)
{
    struct participant *participant = arena_allocate(build->arena, sizeof *participant);
    *participant = (struct participant){
        .name = name,
        .name_bytes = bytes_from_text(name),
        .index = build->participant_count,
        .scope = build->participant_count,
        .scope_name = config_name_scope(build, "participant", name),
        .is_removed = true,
    };
    build->participants[build->participant_count++] = participant;
}

static void keep_all(struct config_build *build, const struct name_list *names,
                     void (*keep)(struct config_build *build, const char *name))
{
    for (uint32_t i = 0; i < names->count; i++)
        keep(build, arena_copy_text(build->arena, bytes_from_text(names->names[i])));
}

void config_keep_places(struct config_build *build)
{
    const struct generation_names *before = build->source->before;
    if (before == NULL)
        return;
    keep_all(build, &before->lists[NAME_DESTINATION], keep_destination);
    keep_all(build, &before->lists[NAME_CHANNEL], keep_channel);
    keep_all(build, &before->lists[NAME_PARTICIPANT], keep_participant);
}

/* ---- into this one ---- */

static void refuse(struct config_build *build, const struct yaml_node *node, const char *kind,
                   int most)
{
    config_error(build, node, "C104",
                 build->source->before != NULL
                     ? "those that were removed since the start count until the next start"
                     : NULL,
                 "there are more than %d %s", most, kind);
}

struct destination *config_place_destination(struct config_build *build,
                                             const struct yaml_node *node, const char *name)
{
    uint16_t place = 0;
    while (place < build->destination_count && strcmp(build->destinations[place]->name, name) != 0)
        place++;
    if (place == DESTINATIONS_MAX) {
        refuse(build, node, "destinations", DESTINATIONS_MAX);
        return NULL;
    }
    if (place == build->destination_count)
        keep_destination(build, name);
    struct destination *destination = build->destinations[place];
    *destination = (struct destination){
        .name = destination->name, .index = place, .dead_letter = NO_DESTINATION};
    return destination;
}

struct channel *config_place_channel(struct config_build *build, const struct yaml_node *node,
                                     const char *name)
{
    uint16_t place = 0;
    while (place < build->channel_count && strcmp(build->channels[place]->name, name) != 0)
        place++;
    if (place == CHANNELS_MAX) {
        refuse(build, node, "channels", CHANNELS_MAX);
        return NULL;
    }
    if (place == build->channel_count)
        keep_channel(build, name);
    build->channels[place]->is_removed = false;
    return build->channels[place];
}

struct participant *config_place_participant(struct config_build *build,
                                             const struct yaml_node *node, const char *name)
{
    uint16_t place = 0;
    while (place < build->participant_count && strcmp(build->participants[place]->name, name) != 0)
        place++;
    if (place == PARTICIPANTS_MAX) {
        refuse(build, node, "participants", PARTICIPANTS_MAX - 1);
        return NULL;
    }
    if (place == build->participant_count)
        keep_participant(build, name);
    build->participants[place]->is_removed = false;
    return build->participants[place];
}

struct bytes config_name_scope(struct config_build *build, const char *kind, const char *name)
{
    return bytes_from_text(arena_format(build->arena, "%s %s", kind, name));
}

/* Channels, destinations, participants, profiles: what a generation has by name. */
#include <inttypes.h>
#include <stdlib.h>

#include "io/config/config_diff_inside.h"

static void compare_channels(struct config_diff *diff, const struct generation *before,
                             const struct generation *next);
static void compare_destinations(struct config_diff *diff, const struct generation *before,
                                 const struct generation *next);
static void compare_participants(struct config_diff *diff, const struct generation *before,
                                 const struct generation *next);
static void compare_profiles(struct config_diff *diff, const struct generation *before,
                             const struct generation *next);

void config_diff_names(struct config_diff *diff, const struct generation *before,
                       const struct generation *next)
{
    compare_channels(diff, before, next);
    compare_destinations(diff, before, next);
    compare_participants(diff, before, next);
    compare_profiles(diff, before, next);
}

/* ---- names that one side has and the other has not ---- */

/* The names of one side. */
struct name_set {
    struct bytes *names;
    uint32_t count;
};

static struct name_set set_open(uint32_t capacity)
{
    struct name_set set = {.names = calloc(capacity + 1U, sizeof *set.names)};
    if (set.names == NULL)
        abort();
    return set;
}

static int by_text(const void *left, const void *right)
{
    return bytes_compare(*(const struct bytes *)left, *(const struct bytes *)right);
}

static void print_only_in(FILE *out, const struct name_set *set, const struct name_set *other,
                          char sign, const char **separator)
{
    enum { SHOWN_MAX = 8 };
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        if (bsearch(&set->names[i], other->names, other->count, sizeof *other->names, by_text) !=
            NULL)
            continue;
        if (count++ < SHOWN_MAX)
            fprintf(out, "%s%c%.*s", *separator, sign, (int)set->names[i].size,
                    (const char *)set->names[i].data);
        *separator = " ";
    }
    if (count > SHOWN_MAX)
        fprintf(out, " and %" PRIu32 " more", count - SHOWN_MAX);
}

/* "publish: +declarations -in"; closes the sets. */
static void compare_sets(struct config_detail *detail, const char *name, struct name_set *before,
                         struct name_set *next)
{
    const char *separator = "";
    qsort(before->names, before->count, sizeof *before->names, by_text);
    qsort(next->names, next->count, sizeof *next->names, by_text);
    bool same = before->count == next->count;
    for (uint32_t i = 0; same && i < next->count; i++)
        same = bytes_equal(before->names[i], next->names[i]);
    if (!same) {
        FILE *out = config_detail_next(detail);
        fprintf(out, "%s: ", name);
        print_only_in(out, next, before, '+', &separator);
        print_only_in(out, before, next, '-', &separator);
    }
    free(before->names);
    free(next->names);
}

/* ---- channels ---- */

static struct name_set profiles_of(const struct generation *generation,
                                   const struct channel *channel)
{
    struct name_set set = set_open(generation->profiles.count);
    for (uint16_t i = 0; i < generation->profiles.count; i++)
        if (channel->profiles[i / 64] >> (i % 64) & 1)
            set.names[set.count++] = bytes_from_text(generation->profiles.profiles[i]->name);
    return set;
}

static void compare_channels(struct config_diff *diff, const struct generation *before,
                             const struct generation *next)
{
    for (uint16_t i = 0; i < before->channel_count; i++)
        if (!before->channels[i]->is_removed &&
            generation_channel(next, bytes_from_text(before->channels[i]->name)) == NULL)
            config_diff_add(diff, CHANGED_CHANNEL, CHANGE_REMOVED, before->channels[i]->name, "",
                            false);
    for (uint16_t i = 0; i < next->channel_count; i++) {
        const struct channel *channel = next->channels[i];
        const struct channel *then = generation_channel(before, bytes_from_text(channel->name));
        struct config_detail detail = {0};
        if (channel->is_removed)
            continue;
        if (then == NULL) {
            config_diff_add(diff, CHANGED_CHANNEL, CHANGE_ADDED, channel->name, "", false);
            continue;
        }
        struct name_set was = profiles_of(before, then), is = profiles_of(next, channel);
        compare_sets(&detail, "profiles", &was, &is);
        config_diff_add_detail(diff, CHANGED_CHANNEL, channel->name, &detail, false);
    }
}

/* ---- destinations ---- */

static struct name_set groups_of(const struct destination *destination)
{
    struct name_set set = set_open(destination->group_count);
    for (uint16_t i = 0; i < destination->group_count; i++)
        set.names[set.count++] = bytes_from_text(destination->groups[i]);
    return set;
}

static struct name_set fields_of(const struct destination *destination)
{
    struct name_set set = set_open(destination->field_count);
    for (uint16_t i = 0; i < destination->field_count; i++)
        set.names[set.count++] = destination->fields[i].name;
    return set;
}

static const char *dead_letter_of(const struct generation *generation,
                                  const struct destination *destination)
{
    return destination->dead_letter == NO_DESTINATION
               ? ""
               : generation->destinations[destination->dead_letter]->name;
}

static void compare_destination(struct config_detail *detail, const struct generation *before_in,
                                const struct destination *before, const struct generation *next_in,
                                const struct destination *next)
{
    static const char *const fulls[] = {[WHEN_FULL_WAIT] = "wait",
                                        [WHEN_FULL_TRY_AGAIN] = "tryagain",
                                        [WHEN_FULL_DEAD_LETTER] = "dead_letter",
                                        [WHEN_FULL_DROP_OLDEST] = "drop_oldest"};
    struct name_set was = groups_of(before), is = groups_of(next);
    compare_sets(detail, "groups", &was, &is);
    was = fields_of(before), is = fields_of(next);
    compare_sets(detail, "fields", &was, &is);
    if (next->pending_max < before->pending_max)
        config_detail_numbers(detail, "pending_max", before->pending_max, next->pending_max);
    config_detail_numbers(detail, "backlog_max", before->backlog_max, next->backlog_max);
    config_detail_numbers(detail, "backlog_bytes_max", before->backlog_bytes_max,
                          next->backlog_bytes_max);
    config_detail_numbers(detail, "retain_bytes", before->retain_bytes, next->retain_bytes);
    config_detail_numbers(detail, "deliveries_max", before->deliveries_max, next->deliveries_max);
    config_detail_texts(detail, "when_full", bytes_from_text(fulls[before->when_full]),
                        bytes_from_text(fulls[next->when_full]));
    config_detail_texts(detail, "dead_letter", bytes_from_text(dead_letter_of(before_in, before)),
                        bytes_from_text(dead_letter_of(next_in, next)));
}

static const char *order_of(const struct destination *destination, uint16_t group)
{
    return (destination->groups_by_case >> group & 1) != 0 ? "case" : "arrival";
}

/* NULL: there is no such group. */
static const char *find_order(const struct destination *destination, const char *group)
{
    for (uint16_t g = 0; g < destination->group_count; g++)
        if (strcmp(destination->groups[g], group) == 0)
            return order_of(destination, g);
    return NULL;
}

/* What groups that there are have memory for: so much pending, and their order. */
static void compare_reserved(struct config_detail *detail, const struct destination *before,
                             const struct destination *next)
{
    if (next->pending_max > before->pending_max)
        config_detail_numbers(detail, "pending_max", before->pending_max, next->pending_max);
    for (uint16_t g = 0; g < next->group_count; g++) {
        const char *was = find_order(before, next->groups[g]), *is = order_of(next, g);
        if (was != NULL && strcmp(was, is) != 0)
            fprintf(config_detail_next(detail), "order of %s: %s -> %s", next->groups[g], was, is);
    }
}

static void compare_destinations(struct config_diff *diff, const struct generation *before,
                                 const struct generation *next)
{
    for (uint16_t i = 0; i < before->destination_count; i++)
        if (!before->destinations[i]->is_removed &&
            generation_destination(next, bytes_from_text(before->destinations[i]->name)) == NULL)
            config_diff_add(diff, CHANGED_DESTINATION, CHANGE_REMOVED,
                            before->destinations[i]->name, "", false);
    for (uint16_t i = 0; i < next->destination_count; i++) {
        const struct destination *destination = next->destinations[i];
        const struct destination *then =
            generation_destination(before, bytes_from_text(destination->name));
        struct config_detail detail = {0}, reserved = {0};
        if (destination->is_removed)
            continue;
        if (then == NULL) {
            config_diff_add(diff, CHANGED_DESTINATION, CHANGE_ADDED, destination->name, "", false);
            continue;
        }
        compare_destination(&detail, before, then, next, destination);
        config_diff_add_detail(diff, CHANGED_DESTINATION, destination->name, &detail, false);
        compare_reserved(&reserved, then, destination);
        config_diff_add_detail(diff, CHANGED_DESTINATION, destination->name, &reserved, true);
    }
}

/* ---- participants ---- */

static struct name_set roles_of(const struct participant *participant)
{
    struct name_set set = set_open(participant->role_count);
    for (uint16_t i = 0; i < participant->role_count; i++)
        set.names[set.count++] = participant->roles[i];
    return set;
}

static struct name_set channels_of(const struct generation *generation,
                                   const struct participant *participant)
{
    struct name_set set = set_open(generation->channel_count);
    for (uint16_t i = 0; i < generation->channel_count; i++)
        if (participant_may_publish(participant, i))
            set.names[set.count++] = bytes_from_text(generation->channels[i]->name);
    return set;
}

static struct name_set destinations_of(const struct generation *generation,
                                       const struct destination_set *destinations)
{
    struct name_set set = set_open(generation->destination_count);
    for (uint16_t i = 0; i < generation->destination_count; i++)
        if (destination_set_has(destinations, i))
            set.names[set.count++] = bytes_from_text(generation->destinations[i]->name);
    return set;
}

static int by_pattern(const void *left, const void *right)
{
    const struct address_pattern *a = left, *b = right;
    int order = bytes_compare(a->text, b->text);
    return order != 0 ? order : a->is_prefix - b->is_prefix;
}

static struct address_pattern *sort_ids(const struct participant *participant)
{
    struct address_pattern *sorted = calloc(participant->id_count + 1U, sizeof *sorted);
    if (sorted == NULL)
        abort();
    memcpy(sorted, participant->ids, participant->id_count * sizeof *sorted);
    qsort(sorted, participant->id_count, sizeof *sorted, by_pattern);
    return sorted;
}

static uint32_t count_only_in(const struct address_pattern *ids, uint32_t count,
                              const struct address_pattern *others, uint32_t other_count)
{
    uint32_t only = 0;
    for (uint32_t i = 0; i < count; i++)
        only += bsearch(&ids[i], others, other_count, sizeof *others, by_pattern) == NULL;
    return only;
}

/* There may be very many: how many came and went. */
static void compare_ids(struct config_detail *detail, const struct participant *before,
                        const struct participant *next)
{
    struct address_pattern *was = sort_ids(before), *is = sort_ids(next);
    uint32_t added = count_only_in(is, next->id_count, was, before->id_count);
    uint32_t removed = count_only_in(was, before->id_count, is, next->id_count);
    if (added + removed > 0)
        fprintf(config_detail_next(detail), "ids: %" PRIu32 " added, %" PRIu32 " removed", added,
                removed);
    free(was);
    free(is);
}

static void compare_participant(struct config_detail *detail, const struct generation *before_in,
                                const struct participant *before, const struct generation *next_in,
                                const struct participant *next)
{
    static const char *const switches[] = {"no", "yes"};
    struct name_set was = roles_of(before), is = roles_of(next);
    compare_sets(detail, "roles", &was, &is);
    compare_ids(detail, before, next);
    was = channels_of(before_in, before), is = channels_of(next_in, next);
    compare_sets(detail, "publish", &was, &is);
    was = destinations_of(before_in, &before->consume);
    is = destinations_of(next_in, &next->consume);
    compare_sets(detail, "consume", &was, &is);
    was = destinations_of(before_in, &before->delivers_to);
    is = destinations_of(next_in, &next->delivers_to);
    compare_sets(detail, "receives", &was, &is);
    config_detail_texts(detail, "scope", before->scope_name, next->scope_name);
    config_detail_texts(detail, "create_groups", bytes_from_text(switches[before->create_groups]),
                        bytes_from_text(switches[next->create_groups]));
    config_detail_texts(detail, "operate", bytes_from_text(switches[before->operate]),
                        bytes_from_text(switches[next->operate]));
    if (before->secret.size > 0 && next->secret.size > 0 &&
        !bytes_equal(before->secret, next->secret))
        fputs("another secret", config_detail_next(detail));
}

/* The anonymous one has no name of its own; whether it may do all is said by the others. */
static void compare_participants(struct config_diff *diff, const struct generation *before,
                                 const struct generation *next)
{
    const struct participant_directory *was = &before->directory, *is = &next->directory;
    for (uint16_t i = 1; i < was->count; i++)
        if (!was->participants[i]->is_removed &&
            participant_find(is, bytes_from_text(was->participants[i]->name)) == NULL)
            config_diff_add(diff, CHANGED_PARTICIPANT, CHANGE_REMOVED, was->participants[i]->name,
                            "", false);
    for (uint16_t i = 1; i < is->count; i++) {
        const struct participant *participant = is->participants[i];
        const struct participant *then = participant_find(was, bytes_from_text(participant->name));
        struct config_detail detail = {0};
        if (participant->is_removed)
            continue;
        if (then == NULL) {
            config_diff_add(diff, CHANGED_PARTICIPANT, CHANGE_ADDED, participant->name, "", false);
            continue;
        }
        compare_participant(&detail, before, then, next, participant);
        config_diff_add_detail(diff, CHANGED_PARTICIPANT, participant->name, &detail, false);
    }
}

/* ---- profiles ---- */

static void compare_profile(struct config_diff *diff, const struct profile *before,
                            const struct profile *next)
{
    if (before == NULL)
        config_diff_add(diff, CHANGED_PROFILE, CHANGE_ADDED, next->name, next->file, false);
    else if (before->source_hash != next->source_hash)
        config_diff_add(diff, CHANGED_PROFILE, CHANGE_MADE, next->name, next->file, false);
}

/* The first that knows a message reads it, so their order matters. */
static void compare_places(struct config_diff *diff, const struct profile_set *before,
                           const struct profile_set *next)
{
    struct arena scratch;
    arena_init(&scratch);
    uint32_t *ranks = arena_allocate_array(&scratch, next->count + 1U, sizeof *ranks), kept = 0;
    bool *moved = arena_allocate_array(&scratch, next->count + 1U, sizeof *moved);
    const struct profile **profiles =
        arena_allocate_array(&scratch, next->count + 1U, sizeof(const struct profile *));
    for (uint16_t i = 0; i < next->count; i++) {
        const struct profile *then = profile_set_find(before, next->profiles[i]->name_bytes);
        if (then == NULL)
            continue;
        ranks[kept] = then->index;
        profiles[kept++] = next->profiles[i];
    }
    config_diff_mark_moved(ranks, kept, &scratch, moved);
    for (uint32_t i = 0; i < kept; i++)
        if (moved[i])
            config_diff_add(diff, CHANGED_PROFILE, CHANGE_MOVED, profiles[i]->name,
                            profiles[i]->index == 0
                                ? "now first"
                                : arena_format(&scratch, "now after %s",
                                               next->profiles[profiles[i]->index - 1]->name),
                            false);
    arena_deinit(&scratch);
}

static void compare_profiles(struct config_diff *diff, const struct generation *before,
                             const struct generation *next)
{
    for (uint16_t i = 0; i < before->profiles.count; i++)
        if (profile_set_find(&next->profiles, before->profiles.profiles[i]->name_bytes) == NULL)
            config_diff_add(diff, CHANGED_PROFILE, CHANGE_REMOVED,
                            before->profiles.profiles[i]->name, "", false);
    for (uint16_t i = 0; i < next->profiles.count; i++) {
        const struct profile *profile = next->profiles.profiles[i];
        compare_profile(diff, profile_set_find(&before->profiles, profile->name_bytes), profile);
    }
    compare_places(diff, &before->profiles, &next->profiles);
}

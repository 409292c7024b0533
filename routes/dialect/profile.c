#include "routes/dialect/profile.h"

#include <xxhash.h>

#include "routes/dialect/recognise.h"

static const struct profile *find(const struct profile *const *profiles, uint16_t count,
                                  const char *name)
{
    for (uint16_t i = 0; i < count; i++)
        if (strcmp(profiles[i]->name, name) == 0)
            return profiles[i];
    return NULL;
}

/* False if the profile is left out for one of the same name. */
static bool check_name(const struct profile *profile, const struct profile *same,
                       struct diagnostics *diagnostics)
{
    if (same == NULL)
        return true;
    if (!profile->shipped || same->shipped)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "P111",
                        (struct place){profile->file, profile->line, 1},
                        "give one of them another name", "a profile `%s` stands in %s already",
                        profile->name, same->file);
    return false;
}

static void check_shadow(const struct profile *const *profiles, uint16_t count,
                         const struct profile *profile, struct diagnostics *diagnostics)
{
    for (uint16_t i = 0; i < count; i++)
        if (recognise_covers(profiles[i], profile)) {
            diagnostics_add(diagnostics, SEVERITY_WARNING, "P112",
                            (struct place){profile->file, profile->line, 1},
                            profile->shipped
                                ? "give your own profile the name of the shipped one that it "
                                  "replaces; or keep that one before it, as your own too "
                                  "(`kouan profile show`)"
                                : "put the narrower profile first",
                            "profile `%s` is never reached: `%s` (%s) recognises all that it would",
                            profile->name, profiles[i]->name, profiles[i]->file);
            return;
        }
}

/* Adds those of the list that are, or are not, for what no other knows. */
static uint16_t add_profiles(const struct profile_list *list, bool otherwise,
                             const struct profile **profiles, uint16_t count,
                             struct diagnostics *diagnostics)
{
    for (uint16_t i = 0; i < list->count; i++) {
        struct profile *profile = list->items[i];
        if (profile->recognise.otherwise != otherwise ||
            !check_name(profile, find(profiles, count, profile->name), diagnostics))
            continue;
        if (!otherwise)
            check_shadow(profiles, count, profile, diagnostics);
        profile->index = count;
        profiles[count++] = profile;
    }
    return count;
}

static uint64_t hash_sources(const struct profile *const *profiles, uint16_t count)
{
    uint64_t hash = count;
    for (uint16_t i = 0; i < count; i++)
        hash =
            XXH3_64bits_withSeed(&profiles[i]->source_hash, sizeof profiles[i]->source_hash, hash);
    return hash;
}

void profile_set_build(struct arena *arena, const struct profile_list *list,
                       struct profile_set *out_set, struct diagnostics *diagnostics)
{
    const struct profile **profiles = arena_allocate_array(arena, list->count, sizeof *profiles);
    uint16_t count = add_profiles(list, false, profiles, 0, diagnostics);
    count = add_profiles(list, true, profiles, count, diagnostics);
    *out_set = (struct profile_set){
        .profiles = profiles,
        .count = count,
        .hash = hash_sources(profiles, count),
        .index = recognise_index_build(arena, profiles, count),
    };
}

const struct profile *profile_set_find(const struct profile_set *set, struct bytes name)
{
    for (uint16_t i = 0; i < set->count; i++)
        if (bytes_equal_text(name, set->profiles[i]->name))
            return set->profiles[i];
    return NULL;
}

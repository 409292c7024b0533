#include <string.h>

#include "io/cli/draft.h"

enum { EXAMPLE_BYTES = 48 };

static uint32_t find_child(const struct draft *draft, uint32_t parent, const char *name)
{
    uint32_t place = parent == DRAFT_NO_PLACE ? (draft->place_count > 0 ? 0 : DRAFT_NO_PLACE)
                                              : draft->places[parent].first_child;
    if (parent == DRAFT_NO_PLACE)
        return place; /* there is one root, whatever its name */
    while (place != DRAFT_NO_PLACE && strcmp(draft->places[place].name, name) != 0)
        place = draft->places[place].next_sibling;
    return place;
}

static uint32_t add_child(struct draft *draft, uint32_t parent, const char *name)
{
    if (draft->place_count == DRAFT_PLACES_MAX)
        return DRAFT_NO_PLACE;
    uint32_t place = draft->place_count++;
    draft->places[place] = (struct draft_place){
        .name = arena_copy_text(&draft->arena, bytes_from_text(name)),
        .parent = parent,
        .first_child = DRAFT_NO_PLACE,
        .last_child = DRAFT_NO_PLACE,
        .next_sibling = DRAFT_NO_PLACE,
        .last_sample = UINT32_MAX,
    };
    if (parent == DRAFT_NO_PLACE)
        return place;
    struct draft_place *outer = &draft->places[parent];
    if (outer->first_child == DRAFT_NO_PLACE)
        outer->first_child = place;
    else
        draft->places[outer->last_child].next_sibling = place;
    outer->last_child = place;
    return place;
}

uint32_t draft_enter(struct draft *draft, uint32_t parent, const char *name, uint32_t sample)
{
    uint32_t number = find_child(draft, parent, name);
    if (number == DRAFT_NO_PLACE)
        number = add_child(draft, parent, name);
    if (number == DRAFT_NO_PLACE)
        return number;
    struct draft_place *place = &draft->places[number];
    uint32_t parent_number = parent == DRAFT_NO_PLACE ? sample : draft->places[parent].count;
    bool same_parent = place->count > 0 && place->parent_number == parent_number;
    place->repeats = same_parent ? place->repeats + 1 : 1;
    place->parent_number = parent_number;
    if (place->repeats > place->repeats_max)
        place->repeats_max = place->repeats;
    if (place->last_sample != sample)
        place->sample_count++;
    place->last_sample = sample;
    place->count++;
    return number;
}

void draft_value(struct draft *draft, uint32_t place, struct bytes text)
{
    text = bytes_trim(text);
    if (place == DRAFT_NO_PLACE || text.size == 0)
        return;
    size_t size = text.size;
    if (size > EXAMPLE_BYTES) /* whole characters of UTF-8 */
        for (size = EXAMPLE_BYTES; (text.data[size] & 0xC0) == 0x80;)
            size--;
    if (draft->places[place].valued_count++ == 0)
        draft->places[place].example = arena_copy_text(&draft->arena, bytes_make(text.data, size));
}

const char *draft_path(struct draft *draft, uint32_t place)
{
    const char *path = draft->places[place].name;
    for (uint32_t at = draft->places[place].parent; at != 0 && at != DRAFT_NO_PLACE;
         at = draft->places[at].parent)
        path = arena_format(&draft->arena, "%s/%s", draft->places[at].name, path);
    return path;
}

void draft_add_name(struct draft *draft, const char *name)
{
    for (uint32_t i = 0; i < draft->name_count; i++)
        if (strcmp(draft->names[i], name) == 0)
            return;
    if (draft->name_count < DRAFT_NAMES_MAX)
        draft->names[draft->name_count++] = arena_copy_text(&draft->arena, bytes_from_text(name));
}

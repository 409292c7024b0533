#include "routes/generation_list.h"

#include <assert.h>
#include <stdlib.h>

enum { RULE_TABLE_SHIFT = 24 };

static const struct generation_names nothing;

void generation_list_init(struct generation_list *list)
{
    *list = (struct generation_list){0};
    arena_init(&list->arena);
}

void generation_list_deinit(struct generation_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        arena_deinit(&list->items[i].arena);
    arena_deinit(&list->arena);
    free(list->items);
    *list = (struct generation_list){0};
}

static const uint16_t *map_tables(struct arena *arena, const struct generation_names *from,
                                  const struct generation_names *to)
{
    uint16_t *map = arena_allocate_array(arena, from->table_count + 1U, sizeof *map);
    for (uint16_t i = 0; i < from->table_count; i++) {
        uint16_t now = 0;
        while (now < to->table_count && strcmp(from->tables[i].name, to->tables[now].name) != 0)
            now++;
        map[i] = now < to->table_count ? now : GENERATION_NO_INDEX;
    }
    return map;
}

static void put(struct generation_list *list, uint32_t place, const struct generation_names *names)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 4;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (list->items == NULL)
            abort();
    }
    memmove(&list->items[place + 1], &list->items[place],
            (list->count - place) * sizeof *list->items);
    list->items[place] = (struct listed_generation){.number = names->number, .names = names};
    arena_init(&list->items[place].arena);
    list->count++;
}

void generation_list_add(struct generation_list *list, const struct generation_names *names)
{
    if (generation_list_find(list, names->number) == NULL)
        put(list, list->count, names);
}

void generation_list_advance(struct generation_list *list, const struct generation_names *names)
{
    assert(generation_list_find(list, names->number) == NULL);
    put(list, 0, names);
}

/* As the current one numbers what it names. */
static void map(const struct generation_list *list, struct listed_generation *item)
{
    const struct generation_names *current = list->items[0].names;
    if (item->mapped_to == current)
        return;
    arena_deinit(&item->arena);
    arena_init(&item->arena);
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++)
        item->now[kind] =
            generation_names_map(&item->arena, item->names, current, (enum generation_name)kind);
    item->tables_now = map_tables(&item->arena, item->names, current);
    item->mapped_to = current;
}

/* The one of that number, mapped; NULL if it is not listed. */
static const struct listed_generation *find_mapped(const struct generation_list *list,
                                                   uint64_t number)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].number == number) {
            map(list, &list->items[i]);
            return &list->items[i];
        }
    return NULL;
}

const struct listed_generation *generation_list_find(const struct generation_list *list,
                                                     uint64_t number)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].number == number)
            return &list->items[i];
    return NULL;
}

static const struct generation_names *names_of(const struct generation_list *list, uint64_t number)
{
    const struct listed_generation *item = generation_list_find(list, number);
    return item != NULL ? item->names : &nothing;
}

const char *generation_list_name(const struct generation_list *list, uint64_t number,
                                 enum generation_name kind, uint32_t index)
{
    return generation_name(names_of(list, number), kind, index);
}

const char *generation_list_table(const struct generation_list *list, uint64_t number,
                                  uint32_t rule)
{
    return generation_table_name(names_of(list, number), rule);
}

const char *generation_list_rule(const struct generation_list *list, uint64_t number, uint32_t rule)
{
    return generation_rule_name(names_of(list, number), rule);
}

uint16_t generation_list_now(const struct generation_list *list, uint64_t number,
                             enum generation_name kind, uint32_t index)
{
    const struct listed_generation *item = find_mapped(list, number);
    return item != NULL && index < item->names->lists[kind].count ? item->now[kind][index]
                                                                  : GENERATION_NO_INDEX;
}

/* Linear in the table: for records that Kouan makes of old ones, one at a time. */
bool generation_list_rule_now(const struct generation_list *list, uint64_t number, uint32_t rule,
                              uint32_t *out_rule)
{
    const struct listed_generation *item = find_mapped(list, number);
    uint32_t table = rule >> RULE_TABLE_SHIFT;
    uint32_t index = rule & ((UINT32_C(1) << RULE_TABLE_SHIFT) - 1);
    if (item == NULL || table >= item->names->table_count ||
        index >= item->names->tables[table].rules.count ||
        item->tables_now[table] == GENERATION_NO_INDEX)
        return false;
    table = item->tables_now[table];
    const char *id = generation_rule_name(item->names, rule);
    const struct name_list *rules = &list->items[0].names->tables[table].rules;
    if (index < rules->count && strcmp(rules->names[index], id) == 0) {
        *out_rule = table << RULE_TABLE_SHIFT | index; /* as it mostly is */
        return true;
    }
    for (uint32_t i = 0; i < rules->count; i++)
        if (strcmp(rules->names[i], id) == 0) {
            *out_rule = table << RULE_TABLE_SHIFT | i;
            return true;
        }
    return false;
}

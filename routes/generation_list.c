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
    arena_deinit(&list->arena);
    free(list->items);
    list->items = NULL;
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

void generation_list_add(struct generation_list *list, const struct generation_names *names)
{
    if (generation_list_find(list, names->number) != NULL)
        return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity * 2 + 4;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        if (list->items == NULL)
            abort();
    }
    const struct generation_names *current = list->count > 0 ? list->items[0].names : names;
    struct listed_generation item = {.number = names->number, .names = names};
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++)
        item.now[kind] =
            generation_names_map(&list->arena, names, current, (enum generation_name)kind);
    item.tables_now = map_tables(&list->arena, names, current);
    list->items[list->count++] = item;
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
    const struct listed_generation *item = generation_list_find(list, number);
    return item != NULL && index < item->names->lists[kind].count ? item->now[kind][index]
                                                                  : GENERATION_NO_INDEX;
}

/* Linear in the table: for records that Kouan makes of old ones, one at a time. */
bool generation_list_rule_now(const struct generation_list *list, uint64_t number, uint32_t rule,
                              uint32_t *out_rule)
{
    const struct listed_generation *item = generation_list_find(list, number);
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

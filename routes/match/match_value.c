/* The values that rules and lists name, with the sets that they lead to. */
#include <stdlib.h>

#include "routes/match/match_build.h"

static int by_text_and_number(const void *left, const void *right)
{
    const struct named_rule *a = left, *b = right;
    int order = bytes_compare(a->text, b->text);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static int by_list_and_number(const void *left, const void *right)
{
    const struct listed_rule *a = left, *b = right;
    int order = a->list == b->list ? 0 : strcmp(a->list->name, b->list->name);
    if (order == 0 && a->list != b->list)
        order = (uintptr_t)a->list < (uintptr_t)b->list ? -1 : 1;
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

static int by_text_and_order(const void *left, const void *right)
{
    const struct named_set *a = left, *b = right;
    int order = bytes_compare(a->text, b->text);
    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static void add_exact_sets(struct match_build *build)
{
    struct named_rule *named = build->gathered.exacts;
    size_t count = build->gathered.exact_count;
    uint32_t *numbers = arena_allocate_array(&build->scratch, count, sizeof *numbers);
    if (count > 0)
        qsort(named, count, sizeof *named, by_text_and_number);
    for (size_t i = 0; i < count; i++)
        numbers[i] = named[i].number;
    for (size_t begin = 0, end; begin < count; begin = end) {
        end = begin + 1;
        while (end < count && bytes_equal(named[end].text, named[begin].text))
            end++;
        match_build_note(build, build->atom_count, numbers + begin, end - begin);
        build->sets[build->set_count++] = (struct named_set){
            .text = named[begin].text,
            .set = rule_set_build(&build->scratch, numbers + begin, end - begin),
            .atom = build->atom_count++,
        };
    }
}

/* All values of a list lead to the one set of the rules that use the list. */
static void add_list_sets(struct match_build *build)
{
    const struct listed_rule *listed = build->gathered.lists;
    size_t count = build->gathered.list_count;
    uint32_t *numbers = arena_allocate_array(&build->scratch, count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = listed[i].number;
    for (size_t begin = 0, end; begin < count; begin = end) {
        const struct value_list *list = listed[begin].list;
        for (end = begin; end < count && listed[end].list == list; end++)
            continue;
        const uint64_t *set = rule_set_build(&build->scratch, numbers + begin, end - begin);
        uint32_t order = ++build->list_count, atom = build->atom_count++;
        match_build_note(build, atom, numbers + begin, end - begin);
        for (uint32_t i = 0; i < list->count; i++)
            build->sets[build->set_count++] = (struct named_set){list->values[i], set, order, atom};
    }
}

static size_t count_sets_max(const struct gathered *gathered)
{
    size_t count = gathered->exact_count;
    for (size_t i = 0; i < gathered->list_count; i++)
        if (i == 0 || gathered->lists[i].list != gathered->lists[i - 1].list)
            count += gathered->lists[i].list->count;
    return count;
}

void match_build_values(struct match_build *build)
{
    struct gathered *gathered = &build->gathered;
    if (gathered->list_count > 0)
        qsort(gathered->lists, gathered->list_count, sizeof *gathered->lists, by_list_and_number);
    build->atom_count = build->link_count;
    build->sets =
        arena_allocate_array(&build->scratch, count_sets_max(gathered), sizeof *build->sets);
    add_exact_sets(build);
    add_list_sets(build);
    if (build->set_count > 0)
        qsort(build->sets, build->set_count, sizeof *build->sets, by_text_and_order);
    for (size_t begin = 0; begin < build->set_count; begin = match_build_value_end(build, begin))
        build->value_count++;
    text_index_init(&build->field->values, build->arena, build->value_count);
    build->matcher->figures.value_count += build->value_count;
}

size_t match_build_value_end(const struct match_build *build, size_t begin)
{
    size_t end = begin + 1;
    while (end < build->set_count && bytes_equal(build->sets[end].text, build->sets[begin].text))
        end++;
    return end;
}

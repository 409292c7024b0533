/* Prefixes, and the values that rules and lists name. */
#include <assert.h>
#include <stdlib.h>

#include "routes/match_build.h"

static int by_text_and_number(const void *left, const void *right)
{
    const struct named_rule *a = left, *b = right;
    int order = bytes_compare(a->text, b->text);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

/* Sorts, and returns in `numbers` (of `count`) the rules of each text, one text after the other. */
static uint32_t *sort_by_text(struct arena *scratch, struct named_rule *named, size_t count)
{
    uint32_t *numbers = arena_allocate_array(scratch, count, sizeof *numbers);
    if (count > 0)
        qsort(named, count, sizeof *named, by_text_and_number);
    for (size_t i = 0; i < count; i++)
        numbers[i] = named[i].number;
    return numbers;
}

static size_t end_of_text(const struct named_rule *named, size_t count, size_t begin)
{
    size_t end = begin + 1;
    while (end < count && bytes_equal(named[end].text, named[begin].text))
        end++;
    return end;
}

/* ---- Prefixes -------------------------------------------------------------------------------- */

/* A distinct prefix; `parent` is the longest other one that it begins with. */
struct prefix {
    struct bytes text;
    uint32_t link;
    const struct prefix *parent;
};

static void note_sizes(struct match_build *build, const struct prefix *prefixes, size_t count)
{
    bool seen[READING_VALUE_BYTES_MAX + 1] = {0};
    uint32_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        assert(prefixes[i].text.size <= READING_VALUE_BYTES_MAX);
        distinct += !seen[prefixes[i].text.size];
        seen[prefixes[i].text.size] = true;
    }
    uint16_t *sizes = arena_allocate_array(build->arena, distinct, sizeof *sizes);
    build->field->prefix_sizes = sizes;
    build->field->prefix_size_count = distinct;
    for (unsigned size = READING_VALUE_BYTES_MAX; size > 0; size--)
        if (seen[size])
            *sizes++ = (uint16_t)size;
}

void match_build_prefixes(struct match_build *build)
{
    struct named_rule *named = build->gathered.prefixes;
    size_t named_count = build->gathered.prefix_count, count = 0;
    uint32_t *numbers = sort_by_text(&build->scratch, named, named_count);
    struct prefix *prefixes = arena_allocate_array(&build->scratch, named_count, sizeof *prefixes);
    const struct prefix *last = NULL;
    for (size_t begin = 0, end; begin < named_count; begin = end) {
        struct prefix *prefix = &prefixes[count++];
        end = end_of_text(named, named_count, begin);
        while (last != NULL && !bytes_start_with(named[begin].text, last->text))
            last =
                last->parent; /* in sorted order, a prefix stands before all that begin with it */
        prefix->text = named[begin].text;
        prefix->parent = last;
        prefix->link =
            match_build_link(build, numbers + begin, end - begin, last == NULL ? 0 : last->link);
        last = prefix;
    }
    text_index_init(&build->field->prefixes, build->arena, count);
    for (size_t i = 0; i < count; i++)
        text_index_add(&build->field->prefixes, prefixes[i].text, prefixes[i].link);
    note_sizes(build, prefixes, count);
    build->matcher->figures.prefix_count += (uint32_t)count;
}

uint32_t match_find_prefix(const struct match_field *field, struct bytes value)
{
    for (uint32_t i = 0; i < field->prefix_size_count; i++) {
        if (field->prefix_sizes[i] > value.size)
            continue;
        struct bytes begin = bytes_slice(value, 0, field->prefix_sizes[i]);
        uint32_t link = text_index_find(&field->prefixes, begin);
        if (link != TEXT_INDEX_NONE)
            return link;
    }
    return 0;
}

/* ---- Known values ---------------------------------------------------------------------------- */

/* A text and a set that it leads to; a text may have several, from lists. */
struct named_set {
    struct bytes text;
    const uint64_t *set;
    uint32_t order;
};

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

static size_t count_sets_max(const struct gathered *gathered)
{
    size_t count = gathered->exact_count;
    for (size_t i = 0; i < gathered->list_count; i++)
        if (i == 0 || gathered->lists[i].list != gathered->lists[i - 1].list)
            count += gathered->lists[i].list->count;
    return count;
}

static size_t add_exact_sets(struct match_build *build, struct named_set *sets)
{
    struct named_rule *named = build->gathered.exacts;
    size_t named_count = build->gathered.exact_count, count = 0;
    uint32_t *numbers = sort_by_text(&build->scratch, named, named_count);
    for (size_t begin = 0, end; begin < named_count; begin = end) {
        end = end_of_text(named, named_count, begin);
        sets[count++] = (struct named_set){
            .text = named[begin].text,
            .set = rule_set_build(build->arena, numbers + begin, end - begin),
        };
    }
    return count;
}

/* All values of a list lead to the one set of the rules that use the list. */
static size_t add_list_sets(struct match_build *build, struct named_set *sets, size_t count)
{
    const struct listed_rule *listed = build->gathered.lists;
    size_t listed_count = build->gathered.list_count;
    uint32_t *numbers = arena_allocate_array(&build->scratch, listed_count, sizeof *numbers);
    for (size_t i = 0; i < listed_count; i++)
        numbers[i] = listed[i].number;
    uint32_t order = 1; /* after the exact ones */
    for (size_t begin = 0, end; begin < listed_count; begin = end, order++) {
        const struct value_list *list = listed[begin].list;
        for (end = begin; end < listed_count && listed[end].list == list; end++)
            continue;
        const uint64_t *set = rule_set_build(build->arena, numbers + begin, end - begin);
        for (uint32_t i = 0; i < list->count; i++)
            sets[count++] = (struct named_set){list->values[i], set, order};
    }
    return count;
}

static void know_value(struct match_build *build, struct known_value *known,
                       const struct named_set *sets, size_t count)
{
    const struct match_field *field = build->field;
    const uint64_t **more = NULL;
    if (count > 1)
        more = arena_allocate_array(build->arena, count - 1, sizeof *more);
    for (size_t i = 1; i < count; i++)
        more[i - 1] = sets[i].set;
    *known = (struct known_value){
        .set = sets[0].set,
        .more = more,
        .more_count = (uint32_t)(count - 1),
        .prefix_link = match_find_prefix(field, sets[0].text),
        .numeric_link = match_find_numeric(field, sets[0].text),
        .byte_link =
            field->byte_tree == NULL ? 0 : match_find_range(field->byte_tree, sets[0].text),
    };
}

void match_build_values(struct match_build *build)
{
    struct gathered *gathered = &build->gathered;
    if (gathered->list_count > 0)
        qsort(gathered->lists, gathered->list_count, sizeof *gathered->lists, by_list_and_number);
    struct named_set *sets =
        arena_allocate_array(&build->scratch, count_sets_max(gathered), sizeof *sets);
    size_t set_count = add_list_sets(build, sets, add_exact_sets(build, sets));
    if (set_count > 0)
        qsort(sets, set_count, sizeof *sets, by_text_and_order);

    uint32_t value_count = 0;
    for (size_t i = 0; i < set_count; i++)
        value_count += i == 0 || !bytes_equal(sets[i - 1].text, sets[i].text);
    struct known_value *known = arena_allocate_array(build->arena, value_count, sizeof *known);
    text_index_init(&build->field->values, build->arena, value_count);
    uint32_t value = 0;
    for (size_t begin = 0, end; begin < set_count; begin = end, value++) {
        end = begin + 1;
        while (end < set_count && bytes_equal(sets[end].text, sets[begin].text))
            end++;
        know_value(build, &known[value], sets + begin, end - begin);
        text_index_add(&build->field->values, sets[begin].text, value);
    }
    build->field->known = known;
    build->matcher->figures.value_count += value_count;
}

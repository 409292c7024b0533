/* Prefixes: each leads on to the longest other one that it begins with. */
#include <assert.h>
#include <stdlib.h>

#include "routes/match/match_build.h"

static int by_text_and_number(const void *left, const void *right)
{
    const struct named_rule *a = left, *b = right;
    int order = bytes_compare(a->text, b->text);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

/* Sorts, and returns the numbers of the rules of each text, one text after the other. */
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
        struct bytes begin = bytes_make(value.data, field->prefix_sizes[i]);
        uint32_t link = text_index_find(&field->prefixes, begin);
        if (link != TEXT_INDEX_NONE)
            return link;
    }
    return 0;
}

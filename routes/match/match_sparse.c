/* The sets of a sparse field, and B of all sparse fields (routes/match/match_parts.h). */
#include "routes/match/match_build.h"

/* The sets of a link and of all that it leads to, as one; in scratch. */
static const uint64_t *sum_up_chain(struct match_build *build, struct rule_set_sum *sum,
                                    uint64_t *words, const struct set_link *links,
                                    struct set_link link)
{
    rule_set_sum_add(sum, link.set);
    for (; link.next != 0; link = links[link.next])
        rule_set_sum_add(sum, links[link.next].set);
    rule_set_sum_pack(sum, words);
    return rule_set_copy(&build->scratch, words);
}

/* Where a set is so large that one with all that it leads to takes at most twice the memory, that
 * is stored in its place, and ends the chain: so ranges that all overlap, of which the upper nodes
 * of the tree have many, are a few small sets to unite, and one large. */
static void copy_links(struct match_build *build)
{
    struct set_link *links = arena_allocate_array(build->arena, build->link_count, sizeof *links);
    size_t *largest = arena_allocate_array(&build->scratch, build->link_count, sizeof *largest);
    struct rule_set_sum *sum = arena_allocate(&build->scratch, sizeof *sum);
    uint64_t *words = arena_allocate_array(&build->scratch, RULE_SET_WORDS_MAX, sizeof *words);
    for (uint32_t i = 1; i < build->link_count; i++) { /* each leads to earlier ones */
        struct set_link link = build->links[i];
        size_t own = rule_set_words(link.set), above = largest[link.next];
        if (link.next != 0 && above <= 2 * own) {
            const uint64_t *all = sum_up_chain(build, sum, words, links, link);
            if (rule_set_words(all) <= 2 * own)
                link = (struct set_link){.set = all};
        }
        largest[i] = own > above ? own : above;
        links[i] = (struct set_link){rule_set_copy(build->arena, link.set), link.next};
    }
    build->field->links = links;
}

/* A list's set is shared by all its values. */
static const uint64_t *copy_set(struct match_build *build, const struct named_set *named,
                                const uint64_t **lists)
{
    if (named->order == 0)
        return rule_set_copy(build->arena, named->set);
    if (lists[named->order] == NULL)
        lists[named->order] = rule_set_copy(build->arena, named->set);
    return lists[named->order];
}

void match_build_sparse(struct match_build *build)
{
    struct match_field *field = build->field;
    struct known_value *known =
        arena_allocate_array(build->arena, build->value_count, sizeof *known);
    const uint64_t **sets = arena_allocate_array(build->arena, build->set_count, sizeof *sets);
    const uint64_t **lists =
        arena_allocate_array(&build->scratch, (size_t)build->list_count + 1, sizeof *lists);
    copy_links(build);
    uint32_t number = 0;
    for (size_t begin = 0, end; begin < build->set_count; begin = end, number++) {
        struct bytes text = build->sets[begin].text;
        end = match_build_value_end(build, begin);
        for (size_t i = begin; i < end; i++)
            sets[i] = copy_set(build, &build->sets[i], lists);
        known[number] = (struct known_value){
            .sets = sets + begin,
            .set_count = (uint32_t)(end - begin),
            .prefix_link = match_find_prefix(field, text),
            .numeric_link = match_find_numeric(field, text),
            .byte_link = match_find_bytewise(field, text),
        };
    }
    field->known = known;
    match_build_met(build, 0);
}

void match_build_sparse_bases(struct arena *arena, struct matcher *matcher,
                              const uint64_t *const *bases)
{
    size_t fields = matcher->field_count - matcher->dense_count;
    uint64_t *summaries =
        arena_allocate_array(arena, matcher->block_count * fields, sizeof *summaries);
    uint64_t *chunks = arena_allocate_array(arena, matcher->chunk_count * fields,
                                            RULE_CHUNK_WORDS * sizeof *chunks);
    for (uint32_t chunk = 0; chunk < matcher->chunk_count; chunk++)
        for (size_t f = 0; f < fields; f++) {
            const uint64_t *from = bases[f] + (size_t)chunk * RULE_CHUNK_WORDS;
            uint64_t *to = chunks + (chunk * fields + f) * RULE_CHUNK_WORDS;
            uint64_t any = 0;
            for (unsigned i = 0; i < RULE_CHUNK_WORDS; i++) {
                to[i] = from[i];
                any |= from[i];
            }
            if (any != 0)
                summaries[chunk / RULE_BLOCK_CHUNKS * fields + f] |= UINT64_C(1)
                                                                     << (chunk % RULE_BLOCK_CHUNKS);
        }
    matcher->base_summaries = summaries;
    matcher->base_chunks = chunks;
}

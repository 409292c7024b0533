/* The sets of a sparse field, and B of all sparse fields (routes/match_parts.h). */
#include "routes/match_build.h"

static void copy_links(struct match_build *build)
{
    struct set_link *links = arena_allocate_array(build->arena, build->link_count, sizeof *links);
    for (uint32_t i = 1; i < build->link_count; i++)
        links[i] = (struct set_link){
            .set = rule_set_copy(build->arena, build->links[i].set),
            .next = build->links[i].next,
        };
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

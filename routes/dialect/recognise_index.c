/* The index over the recognisers of a set, and which of two recognisers is the wider. */
#include "routes/dialect/pattern.h"
#include "routes/dialect/recognise_parts.h"
#include "routes/scan/text_index.h"

static struct recognise_bucket *find_bucket(const struct recognise_index *index, enum format format,
                                            struct bytes name, bool plain);

bool recognise_names_next(struct recognise_names *names, const struct recognise_bucket **out)
{
    if (!names->plain_done) {
        names->plain_done = true;
        *out = find_bucket(names->index, names->format, names->name, true);
        if ((*out)->used)
            return true;
    }
    while (names->sizes_left != 0) {
        size_t size = (size_t)__builtin_ctzll(names->sizes_left);
        if (size > names->name.size)
            return false;
        names->sizes_left &= names->sizes_left - 1;
        *out = find_bucket(names->index, names->format, bytes_slice(names->name, 0, size), false);
        if ((*out)->used)
            return true;
    }
    return false;
}

/* ---- building -------------------------------------------------------------------------------- */

static struct recognise_bucket *find_bucket(const struct recognise_index *index, enum format format,
                                            struct bytes name, bool plain)
{
    size_t kind = (size_t)format * 2 + plain; /* beside the size, which is far from 2^32 */
    uint64_t hash = text_key_hash(text_key_of(name), name.size | kind << 32);
    uint32_t slot = (uint32_t)hash & index->mask;
    for (;; slot = (slot + 1) & index->mask) {
        struct recognise_bucket *bucket = &index->buckets[slot];
        if (!bucket->used ||
            (bucket->format == format && bucket->plain == plain && bytes_equal(bucket->name, name)))
            return bucket;
    }
}

/* A profile that two patterns of one beginning name stands in their list once. */
static void add_link(struct recognise_index *index, struct recognise_bucket *bucket,
                     uint16_t profile, uint16_t item)
{
    if (bucket->last != LINK_NONE && index->links[bucket->last].profile == profile &&
        index->links[bucket->last].item == item)
        return;
    uint32_t link = index->link_count++;
    index->links[link] = (struct recognise_link){profile, item, LINK_NONE};
    if (bucket->first == LINK_NONE)
        bucket->first = link;
    else
        index->links[bucket->last].next = link;
    bucket->last = link;
}

static void add_name(struct recognise_index *index, enum format format, struct bytes name,
                     uint16_t profile, uint16_t item)
{
    bool plain = pattern_is_plain(name);
    if (!plain) {
        name = bytes_slice(pattern_prefix(name), 0, RECOGNISE_SIZES_MAX);
        index->pattern_sizes[format] |= UINT64_C(1) << name.size;
    }
    struct recognise_bucket *bucket = find_bucket(index, format, name, plain);
    if (!bucket->used)
        *bucket = (struct recognise_bucket){.format = format,
                                            .used = true,
                                            .plain = plain,
                                            .name = name,
                                            .first = LINK_NONE,
                                            .last = LINK_NONE};
    add_link(index, bucket, profile, item);
}

static void add_profile(struct recognise_index *index, const struct profile *profile,
                        uint16_t number)
{
    enum format format = profile->plan.format;
    const struct recognise *recognise = &profile->recognise;
    for (uint16_t i = 0; i < recognise->name_count; i++)
        add_name(index, format, recognise->names[i], number, 0);
    for (uint16_t i = 0; i < recognise->member_count; i++)
        add_name(index, format, recognise_first_step(recognise->members[i]), number,
                 (uint16_t)(i + 1));
    index->counters[number] = PROFILE_NONE;
    if (format != FORMAT_JSON) {
        if (recognise->name_count == 0)
            add_name(index, format, BYTES_LITERAL("*"), number, 0);
        return;
    }
    index->json_profiles[number / 64] |= UINT64_C(1) << (number % 64);
    if (recognise->name_count + recognise->member_count > 1)
        index->counters[number] = index->counter_count++;
}

const struct recognise_index *
recognise_index_build(struct arena *arena, const struct profile *const *profiles, uint16_t count)
{
    uint32_t name_count = count;
    for (uint16_t i = 0; i < count; i++)
        name_count += profiles[i]->recognise.name_count + profiles[i]->recognise.member_count;
    uint32_t size = 16;
    while (size < 2 * name_count)
        size *= 2;
    struct recognise_index *index = arena_allocate(arena, sizeof *index);
    index->buckets = arena_allocate_array(arena, size, sizeof *index->buckets);
    index->mask = size - 1;
    index->links = arena_allocate_array(arena, name_count, sizeof *index->links);
    index->counters = arena_allocate_array(arena, count, sizeof *index->counters);
    for (uint16_t i = 0; i < count; i++)
        add_profile(index, profiles[i], i);
    return index;
}

/* ---- what covers what ------------------------------------------------------------------------ */

/* Whether each of `inner` is covered by one of `outer`. */
static bool covers_texts(const struct bytes *outer, uint16_t outer_count, const struct bytes *inner,
                         uint16_t inner_count)
{
    for (uint16_t i = 0; i < inner_count; i++) {
        uint16_t k = 0;
        while (k < outer_count && !pattern_covers(outer[k], inner[i]))
            k++;
        if (k == outer_count)
            return false;
    }
    return true;
}

/* The same where no texts at all accept everything. */
static bool covers_choice(const struct bytes *outer, uint16_t outer_count,
                          const struct bytes *inner, uint16_t inner_count)
{
    return outer_count == 0 ||
           (inner_count > 0 && covers_texts(outer, outer_count, inner, inner_count));
}

/* Whether what has all of the members of `inner` has all of those of `outer`. */
static bool covers_members(const struct recognise *outer, const struct recognise *inner)
{
    for (uint16_t i = 0; i < outer->member_count; i++) {
        uint16_t k = 0;
        while (k < inner->member_count && !pattern_covers(outer->members[i], inner->members[k]))
            k++;
        if (k == inner->member_count &&
            (inner->name_count == 0 || !pattern_covers(outer->members[i], inner->names[0])))
            return false;
    }
    return true;
}

bool recognise_covers(const struct profile *outer, const struct profile *inner)
{
    const struct recognise *a = &outer->recognise, *b = &inner->recognise;
    return outer->plan.format == inner->plan.format && a->condition_count == 0 &&
           bytes_start_with(b->first_bytes, a->first_bytes) &&
           covers_choice(a->names, a->name_count, b->names, b->name_count) &&
           covers_choice(a->namespaces, a->namespace_count, b->namespaces, b->namespace_count) &&
           covers_choice(a->values, a->value_count, b->values, b->value_count) &&
           covers_members(a, b);
}

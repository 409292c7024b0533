#include "routes/recognise.h"

#include <xxhash.h>

#include "routes/read.h"

enum { PROFILE_NONE = 0xFFFF };
#define LINK_NONE UINT32_MAX

/* The profiles that recognise one name, in the order of precedence. */
struct recognise_link {
    uint16_t profile;
    uint32_t next; /* LINK_NONE ends */
};

struct recognise_bucket {
    enum format format;
    bool used;
    struct bytes name;
    uint32_t first, last; /* links */
    uint16_t ordinal;     /* JSON: the member's place in `json_least` */
};

struct recognise_index {
    struct recognise_bucket *buckets; /* open addressing by format and name */
    uint32_t mask;
    struct recognise_link *links;
    uint32_t link_count;
    uint32_t unnamed_first[FORMAT_COUNT], unnamed_last[FORMAT_COUNT]; /* of any name */
    /* JSON: for each member that some profile looks at, the least profile that does; ascending. */
    uint16_t *json_least;
    uint16_t json_member_count;
};

/* ---- building ---------------------------------------------------------------------------------
 */

static uint32_t hash_name(enum format format, struct bytes name)
{
    return (uint32_t)XXH3_64bits_withSeed(name.data, name.size, (XXH64_hash_t)format);
}

static struct recognise_bucket *find_bucket(const struct recognise_index *index, enum format format,
                                            struct bytes name)
{
    uint32_t slot = hash_name(format, name) & index->mask;
    while (index->buckets[slot].used &&
           (index->buckets[slot].format != format || !bytes_equal(index->buckets[slot].name, name)))
        slot = (slot + 1) & index->mask;
    return &index->buckets[slot];
}

static void append_link(struct recognise_index *index, uint32_t *first, uint32_t *last,
                        uint16_t profile)
{
    uint32_t link = index->link_count++;
    index->links[link] = (struct recognise_link){profile, LINK_NONE};
    if (*first == LINK_NONE)
        *first = link;
    else
        index->links[*last].next = link;
    *last = link;
}

static void add_name(struct recognise_index *index, enum format format, struct bytes name,
                     uint16_t profile)
{
    struct recognise_bucket *bucket = find_bucket(index, format, name);
    if (!bucket->used) {
        *bucket = (struct recognise_bucket){
            .format = format, .used = true, .name = name, .first = LINK_NONE, .last = LINK_NONE};
        if (format == FORMAT_JSON) {
            bucket->ordinal = index->json_member_count;
            index->json_least[index->json_member_count++] = profile;
        }
    }
    append_link(index, &bucket->first, &bucket->last, profile);
}

const struct recognise_index *
recognise_index_build(struct arena *arena, const struct profile *const *profiles, uint16_t count)
{
    uint32_t name_count = 0;
    for (uint16_t i = 0; i < count; i++)
        name_count += profiles[i]->recognise.name_count;
    uint32_t size = 16;
    while (size < 2 * name_count)
        size *= 2;
    struct recognise_index *index = arena_allocate(arena, sizeof *index);
    index->buckets = arena_allocate_array(arena, size, sizeof *index->buckets);
    index->mask = size - 1;
    index->links = arena_allocate_array(arena, name_count + count, sizeof *index->links);
    index->json_least = arena_allocate_array(arena, count, sizeof *index->json_least);
    for (int format = 0; format < FORMAT_COUNT; format++)
        index->unnamed_first[format] = index->unnamed_last[format] = LINK_NONE;
    for (uint16_t i = 0; i < count; i++) {
        enum format format = profiles[i]->plan.format;
        const struct recognise *recognise = &profiles[i]->recognise;
        for (uint16_t k = 0; k < recognise->name_count; k++)
            add_name(index, format, recognise->names[k], i);
        if (recognise->name_count == 0)
            append_link(index, &index->unnamed_first[format], &index->unnamed_last[format], i);
    }
    return index;
}

static bool has_text(const struct bytes *texts, uint16_t count, struct bytes text)
{
    for (uint16_t i = 0; i < count; i++)
        if (bytes_equal(texts[i], text))
            return true;
    return false;
}

static bool has_all_texts(const struct bytes *outer, uint16_t outer_count,
                          const struct bytes *inner, uint16_t inner_count)
{
    for (uint16_t i = 0; i < inner_count; i++)
        if (!has_text(outer, outer_count, inner[i]))
            return false;
    return true;
}

static bool covers_namespace(const struct recognise *outer, const struct recognise *inner)
{
    if (outer->root_namespace.data == NULL)
        return true;
    if (outer->namespace_is_prefix)
        return bytes_start_with(inner->root_namespace, outer->root_namespace);
    return !inner->namespace_is_prefix && bytes_equal(inner->root_namespace, outer->root_namespace);
}

bool recognise_covers(const struct profile *outer, const struct profile *inner)
{
    const struct recognise *a = &outer->recognise, *b = &inner->recognise;
    if (outer->plan.format != inner->plan.format ||
        !bytes_start_with(b->first_bytes, a->first_bytes) || !covers_namespace(a, b))
        return false;
    if (a->name_count > 0 &&
        (b->name_count == 0 || !has_all_texts(a->names, a->name_count, b->names, b->name_count)))
        return false;
    return a->value_count == 0 || (b->value_count > 0 && has_all_texts(a->values, a->value_count,
                                                                       b->values, b->value_count));
}

/* ---- looking up -------------------------------------------------------------------------------
 */

struct recognition {
    const struct profile_set *set;
    const uint64_t *allowed;
    struct bytes text; /* the body from its first byte that is neither BOM nor blank */
};

static bool is_allowed(const struct recognition *recognition, uint16_t profile)
{
    return recognition->allowed == NULL ||
           (recognition->allowed[profile / 64] >> (profile % 64) & 1) != 0;
}

static bool has_first_bytes(const struct recognition *recognition, uint16_t profile)
{
    return bytes_start_with(recognition->text,
                            recognition->set->profiles[profile]->recognise.first_bytes);
}

static bool has_namespace(const struct recognise *recognise, struct bytes root_namespace)
{
    if (recognise->root_namespace.data == NULL)
        return true;
    return recognise->namespace_is_prefix
               ? bytes_start_with(root_namespace, recognise->root_namespace)
               : bytes_equal(root_namespace, recognise->root_namespace);
}

static struct bytes skip_blanks(struct bytes body)
{
    if (bytes_start_with(body, BYTES_LITERAL("\xEF\xBB\xBF")))
        body = bytes_slice(body, 3, body.size);
    while (body.size > 0 && (body.data[0] == ' ' || body.data[0] == '\t' || body.data[0] == '\r' ||
                             body.data[0] == '\n'))
        body = bytes_slice(body, 1, body.size);
    return body;
}

/* The first profile of two ordered lists, named and unnamed, that accepts the body. */
static const struct profile *find_by_name(const struct recognition *recognition, enum format format,
                                          struct bytes name, struct bytes root_namespace)
{
    const struct recognise_index *index = recognition->set->index;
    const struct recognise_bucket *bucket = find_bucket(index, format, name);
    uint32_t named = bucket->used ? bucket->first : LINK_NONE;
    uint32_t unnamed = index->unnamed_first[format];
    while (named != LINK_NONE || unnamed != LINK_NONE) {
        bool take_named =
            unnamed == LINK_NONE ||
            (named != LINK_NONE && index->links[named].profile < index->links[unnamed].profile);
        uint32_t *at = take_named ? &named : &unnamed;
        const struct profile *profile = recognition->set->profiles[index->links[*at].profile];
        if (is_allowed(recognition, profile->index) &&
            has_namespace(&profile->recognise, root_namespace) &&
            has_first_bytes(recognition, profile->index))
            return profile;
        *at = index->links[*at].next;
    }
    return NULL;
}

static enum status refuse_unknown(struct scan_fault *out_fault)
{
    *out_fault = (struct scan_fault){.reason = SCAN_UNKNOWN_PROFILE};
    return STATUS_INVALID;
}

/* A value that can name a profile: a text that is not empty, a number or a truth value. */
static bool is_naming(const struct json_members *members)
{
    if (members->value.size == 0)
        return false;
    if (members->value_is_text)
        return true;
    uint8_t first = members->value.data[0];
    return first != '{' && first != '[' && first != 'n';
}

/* The least allowed profile that this member decides for, or `best` if that is less. */
static uint16_t match_member(const struct recognition *recognition,
                             const struct recognise_bucket *bucket,
                             const struct json_members *members, uint16_t best)
{
    const struct recognise_index *index = recognition->set->index;
    if (!is_naming(members))
        return best;
    for (uint32_t at = bucket->first; at != LINK_NONE && index->links[at].profile < best;
         at = index->links[at].next) {
        uint16_t profile = index->links[at].profile;
        const struct recognise *recognise = &recognition->set->profiles[profile]->recognise;
        if (is_allowed(recognition, profile) && has_first_bytes(recognition, profile) &&
            (recognise->value_count == 0 ||
             has_text(recognise->values, recognise->value_count, members->value)))
            return profile;
    }
    return best;
}

/* One walk over the root's members, which ends as soon as no member that is still to come could
 * name a profile of higher precedence than the one found. */
static enum status recognise_json(const struct recognition *recognition, struct bytes body,
                                  const struct profile **out_profile, struct scan_fault *out_fault)
{
    const struct recognise_index *index = recognition->set->index;
    uint64_t seen[(PROFILES_MAX + 63) / 64] = {0};
    uint16_t undecided = 0; /* the first member of `json_least` that was not seen */
    uint16_t best = PROFILE_NONE;
    struct json_members members;
    json_members_init(&members, body);
    while (undecided < index->json_member_count && index->json_least[undecided] < best &&
           json_members_next(&members)) {
        const struct recognise_bucket *bucket = find_bucket(index, FORMAT_JSON, members.name);
        if (!bucket->used)
            continue;
        best = match_member(recognition, bucket, &members, best);
        seen[bucket->ordinal / 64] |= UINT64_C(1) << (bucket->ordinal % 64);
        while (undecided < index->json_member_count &&
               (seen[undecided / 64] >> (undecided % 64) & 1) != 0)
            undecided++;
    }
    if (best != PROFILE_NONE) {
        *out_profile = recognition->set->profiles[best];
        return STATUS_OK;
    }
    if (members.fault.reason != SCAN_NONE) {
        *out_fault = members.fault;
        return STATUS_INVALID;
    }
    return refuse_unknown(out_fault);
}

static enum status recognise_xml(const struct recognition *recognition, struct bytes body,
                                 const struct profile **out_profile, struct scan_fault *out_fault)
{
    struct xml_peek peek;
    enum status status = scan_xml_peek(body, &peek, out_fault);
    if (status != STATUS_OK)
        return status;
    *out_profile = find_by_name(recognition, FORMAT_XML, peek.root, peek.root_namespace);
    return *out_profile != NULL ? STATUS_OK : refuse_unknown(out_fault);
}

static enum status recognise_edifact(const struct recognition *recognition, struct bytes body,
                                     const struct profile **out_profile,
                                     struct scan_fault *out_fault)
{
    struct edifact_peek peek;
    enum status status = scan_edifact_peek(body, &peek, out_fault);
    if (status != STATUS_OK)
        return status;
    *out_profile = find_by_name(recognition, FORMAT_EDIFACT, peek.type, (struct bytes){0});
    return *out_profile != NULL ? STATUS_OK : refuse_unknown(out_fault);
}

enum status read_recognise(const struct profile_set *set, const uint64_t *allowed,
                           struct bytes body, const struct profile **out_profile,
                           struct scan_fault *out_fault)
{
    enum format format;
    enum status status = scan_sniff(body, &format, out_fault);
    if (status != STATUS_OK)
        return status;
    struct recognition recognition = {set, allowed, skip_blanks(body)};
    const struct profile *profile = NULL;
    switch (format) {
    case FORMAT_XML: status = recognise_xml(&recognition, body, &profile, out_fault); break;
    case FORMAT_JSON: status = recognise_json(&recognition, body, &profile, out_fault); break;
    case FORMAT_EDIFACT: status = recognise_edifact(&recognition, body, &profile, out_fault); break;
    default: return refuse_unknown(out_fault);
    }
    if (status == STATUS_OK)
        *out_profile = profile;
    return status;
}

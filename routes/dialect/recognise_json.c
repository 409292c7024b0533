/* Which profile knows a JSON body by the members of its root object, or of the first object in its
 * root array: one walk, which ends as soon as no member that is still to come could name a profile
 * of higher precedence than the one found. */
#include "routes/dialect/pattern.h"
#include "routes/dialect/recognise_parts.h"
#include "routes/json/json_members.h"

struct member_look {
    const struct recognition *recognition;
    uint64_t open[PROFILE_WORDS]; /* profiles that members to come may still decide for */
    uint16_t least_open;          /* of these; PROFILE_NONE: there are none */
    uint16_t best;                /* found so far; PROFILE_NONE */
    uint32_t met[PROFILES_MAX];   /* by counter: the items that were met, a bit each */
};

static void open_profiles(struct member_look *look);
static void look_at_member(struct member_look *look, const struct json_members *members);

uint16_t recognise_json_members(const struct recognition *recognition, struct bytes body,
                                struct scan_fault *out_fault)
{
    struct member_look look;
    struct json_members members;
    look.recognition = recognition;
    look.best = PROFILE_NONE;
    open_profiles(&look);
    json_members_init(&members, body);
    while (look.least_open < look.best && json_members_next(&members))
        look_at_member(&look, &members);
    *out_fault = members.fault;
    return look.best;
}

/* From `least_open` on. */
static void find_least_open(struct member_look *look)
{
    for (uint32_t word = look->least_open / 64U; word < PROFILE_WORDS; word++)
        if (look->open[word] != 0) {
            look->least_open = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(look->open[word]));
            return;
        }
    look->least_open = PROFILE_NONE;
}

static void open_profiles(struct member_look *look)
{
    const struct recognition *recognition = look->recognition;
    const struct recognise_index *index = recognition->set->index;
    uint16_t from = recognition->from;
    memset(look->open, 0, sizeof look->open);
    for (uint32_t word = from / 64U; word * 64 < recognition->set->count; word++)
        look->open[word] =
            index->json_profiles[word] &
            (recognition->allowed == NULL ? ~UINT64_C(0) : recognition->allowed[word]);
    if (from < recognition->set->count)
        look->open[from / 64] &= ~UINT64_C(0) << (from % 64);
    memset(look->met, 0, index->counter_count * sizeof *look->met);
    look->least_open = from;
    find_least_open(look);
}

static void close_profile(struct member_look *look, uint16_t profile)
{
    look->open[profile / 64] &= ~(UINT64_C(1) << (profile % 64));
    if (profile == look->least_open)
        find_least_open(look);
}

/* ---- one member ------------------------------------------------------------------------------ */

/* A value that can name a profile: a text that is not empty, a number or a truth value. */
static bool is_naming(struct bytes value, bool is_text)
{
    return value.size > 0 &&
           (is_text || (value.data[0] != '{' && value.data[0] != '[' && value.data[0] != 'n'));
}

/* The next text that stands directly in an array, from `*at` on. The array is whole: its brackets
 * and strings are closed. */
static bool next_text(struct bytes array, size_t *at, struct bytes *out_text)
{
    for (uint32_t depth = 1; depth > 0 && *at < array.size; ++*at) {
        uint8_t byte = array.data[*at];
        depth += byte == '[' || byte == '{';
        depth -= byte == ']' || byte == '}';
        if (byte != '"')
            continue;
        size_t start = *at + 1, end = start;
        while (array.data[end] != '"')
            end += array.data[end] == '\\' ? 2 : 1;
        *at = end;
        if (depth == 1) {
            *out_text = bytes_slice(array, start, end - start);
            ++*at;
            return true;
        }
    }
    return false;
}

static bool accepts_value(const struct recognise *recognise, struct bytes value)
{
    return recognise->value_count == 0 ||
           pattern_matches_any(recognise->values, recognise->value_count, value);
}

/* The value of `key`, or one of the texts in an array there. */
static bool meets_key(const struct recognise *recognise, const struct json_members *members)
{
    if (is_naming(members->value, members->value_is_text))
        return accepts_value(recognise, members->value);
    if (members->value_is_text || members->value.data[0] != '[')
        return false;
    struct bytes text;
    for (size_t at = 1; next_text(members->value, &at, &text);)
        if (text.size > 0 && accepts_value(recognise, text))
            return true;
    return false;
}

static bool is_null(const struct json_members *members)
{
    return !members->value_is_text && members->value.data[0] == 'n';
}

/* Whether `path` leads to a value inside of this one, an object or an array that begins with one.
 */
static bool has_inside(const struct json_members *outer, struct bytes path)
{
    struct json_members inner;
    const struct json_members *members = outer;
    while (path.size > 0) {
        if (members->value_is_text ||
            (members->value.data[0] != '{' && members->value.data[0] != '['))
            return false;
        struct bytes step = recognise_first_step(path);
        path = bytes_slice(path, step.size + 1, path.size);
        json_members_init(&inner, members->value);
        members = &inner;
        do
            if (!json_members_next(&inner))
                return false;
        while (!pattern_matches(step, inner.name));
    }
    return !is_null(members);
}

static bool meets_item(const struct recognise *recognise, uint16_t item,
                       const struct json_members *members)
{
    if (item == 0)
        return meets_key(recognise, members);
    struct bytes path = recognise->members[item - 1];
    return has_inside(members, bytes_slice(path, recognise_first_step(path).size + 1, path.size));
}

static bool counts_whole(struct member_look *look, const struct recognise *recognise,
                         uint16_t profile, uint16_t item)
{
    uint16_t counter = look->recognition->set->index->counters[profile];
    if (counter == PROFILE_NONE)
        return true;
    uint32_t all = (UINT32_C(2) << recognise->member_count) - (recognise->name_count > 0 ? 1 : 2);
    look->met[counter] |= UINT32_C(1) << item;
    return look->met[counter] == all;
}

static void look_at_link(struct member_look *look, const struct recognise_link *link,
                         const struct json_members *members)
{
    const struct recognise *recognise = &look->recognition->set->profiles[link->profile]->recognise;
    struct bytes name = link->item == 0 ? recognise->names[0]
                                        : recognise_first_step(recognise->members[link->item - 1]);
    if (!pattern_matches(name, members->name))
        return;
    if (meets_item(recognise, link->item, members)) {
        if (!counts_whole(look, recognise, link->profile, link->item))
            return;
        if (recognise_has_first_bytes(look->recognition, link->profile) &&
            link->profile < look->best)
            look->best = link->profile;
    } else if (!pattern_is_plain(name)) {
        return; /* another member may match the pattern */
    }
    close_profile(look, link->profile);
}

static void look_at_member(struct member_look *look, const struct json_members *members)
{
    const struct recognise_index *index = look->recognition->set->index;
    struct recognise_names names = recognise_names_of(index, FORMAT_JSON, members->name);
    const struct recognise_bucket *bucket;
    while (recognise_names_next(&names, &bucket))
        for (uint32_t at = bucket->first; at != LINK_NONE && index->links[at].profile < look->best;
             at = index->links[at].next) {
            uint16_t profile = index->links[at].profile;
            if ((look->open[profile / 64] >> (profile % 64) & 1) != 0)
                look_at_link(look, &index->links[at], members);
        }
}

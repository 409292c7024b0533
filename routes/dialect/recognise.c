#include "routes/dialect/pattern.h"
#include "routes/dialect/recognise_parts.h"

static bool has_namespace(const struct recognise *recognise, struct bytes root_namespace)
{
    return recognise->namespace_count == 0 ||
           pattern_matches_any(recognise->namespaces, recognise->namespace_count, root_namespace);
}

static bool has_name(const struct recognise *recognise, struct bytes name)
{
    return recognise->name_count == 0 ||
           pattern_matches_any(recognise->names, recognise->name_count, name);
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

/* True if the profile is about this very root or type: neither about whatever has its namespace,
 * nor about whatever has certain values inside. */
static bool is_named(const struct recognise *recognise, struct bytes name)
{
    if (recognise->condition_count > 0)
        return false;
    for (uint16_t i = 0; i < recognise->name_count; i++)
        if (!bytes_equal_text(recognise->names[i], "*") &&
            pattern_matches(recognise->names[i], name))
            return true;
    return false;
}

static bool forbids_any(const struct recognition *recognition)
{
    for (uint16_t i = recognition->from; i < recognition->set->count; i++)
        if (!recognise_is_allowed(recognition, i))
            return true;
    return false;
}

/* Without a detail the reason's own words say it, unless the channel may be why. */
static enum status refuse_unknown(const struct recognition *recognition, const char *detail,
                                  struct scan_fault *out_fault)
{
    if (detail == NULL && forbids_any(recognition))
        detail = "no profile that may enter by this channel recognises it";
    *out_fault = (struct scan_fault){.reason = SCAN_UNKNOWN_PROFILE, .what = detail};
    return STATUS_INVALID;
}

/* The first profile that names this root or type and accepts the body. One for what no other knows
 * does not get a root that another is about, in a namespace that it does not know: that may be a
 * known message with a slip in it. */
static enum status find_by_name(const struct recognition *recognition, enum format format,
                                struct bytes name, struct bytes root_namespace,
                                const struct profile **out_profile, struct scan_fault *out_fault)
{
    const struct recognise_index *index = recognition->set->index;
    struct recognise_names names = recognise_names_of(index, format, name);
    const struct recognise_bucket *bucket;
    uint16_t best = PROFILE_NONE;
    bool named = false;
    while (recognise_names_next(&names, &bucket))
        for (uint32_t at = bucket->first; at != LINK_NONE && index->links[at].profile < best;
             at = index->links[at].next) {
            uint16_t profile = index->links[at].profile;
            const struct recognise *recognise = &recognition->set->profiles[profile]->recognise;
            if (!bucket->plain && !has_name(recognise, name))
                continue;
            if (recognise_is_allowed(recognition, profile) &&
                has_namespace(recognise, root_namespace) &&
                recognise_has_first_bytes(recognition, profile))
                best = profile;
            else
                named = named || is_named(recognise, name);
        }
    if (best == PROFILE_NONE)
        return refuse_unknown(recognition, NULL, out_fault);
    if (recognition->set->profiles[best]->recognise.otherwise && named)
        return refuse_unknown(recognition, "a known name, but not in this namespace or channel",
                              out_fault);
    *out_profile = recognition->set->profiles[best];
    return STATUS_OK;
}

static enum status recognise_json(const struct recognition *recognition, struct bytes body,
                                  const struct profile **out_profile, struct scan_fault *out_fault)
{
    struct scan_fault fault;
    uint16_t profile = recognise_json_members(recognition, body, &fault);
    if (profile != PROFILE_NONE) {
        *out_profile = recognition->set->profiles[profile];
        return STATUS_OK;
    }
    if (fault.reason == SCAN_NONE)
        return refuse_unknown(recognition, NULL, out_fault);
    *out_fault = fault;
    return STATUS_INVALID;
}

static enum status recognise_xml(const struct recognition *recognition, struct bytes body,
                                 const struct profile **out_profile, struct scan_fault *out_fault)
{
    struct xml_peek peek;
    enum status status = scan_xml_peek(body, &peek, out_fault);
    if (status != STATUS_OK)
        return status;
    return find_by_name(recognition, FORMAT_XML, peek.root, peek.root_namespace, out_profile,
                        out_fault);
}

static enum status recognise_edifact(const struct recognition *recognition, struct bytes body,
                                     const struct profile **out_profile,
                                     struct scan_fault *out_fault)
{
    struct edifact_peek peek;
    enum status status = scan_edifact_peek(body, &peek, out_fault);
    if (status != STATUS_OK)
        return status;
    struct bytes type = peek.type.data != NULL ? peek.type : BYTES_LITERAL("");
    return find_by_name(recognition, FORMAT_EDIFACT, type, BYTES_LITERAL(""), out_profile,
                        out_fault);
}

enum status read_recognise_part(const struct profile_set *set, const uint64_t *allowed,
                                uint16_t from, struct bytes body, const struct edifact_part *part,
                                const struct profile **out_profile, struct scan_fault *out_fault)
{
    const struct recognition recognition = {set, allowed, from, skip_blanks(body)};
    struct edifact_peek peek;
    enum status status = scan_edifact_part_peek(body, part, &peek, out_fault);
    if (status != STATUS_OK)
        return status;
    status = find_by_name(&recognition, FORMAT_EDIFACT, peek.type, (struct bytes){0}, out_profile,
                          out_fault);
    if (status == STATUS_INVALID)
        out_fault->offset = (uint32_t)(part->message.data - body.data);
    return status;
}

enum status read_recognise(const struct profile_set *set, const uint64_t *allowed,
                           struct bytes body, const struct profile **out_profile,
                           struct scan_fault *out_fault)
{
    return read_recognise_from(set, allowed, 0, body, out_profile, out_fault);
}

enum status read_recognise_from(const struct profile_set *set, const uint64_t *allowed,
                                uint16_t from, struct bytes body,
                                const struct profile **out_profile, struct scan_fault *out_fault)
{
    enum format format;
    enum status status = scan_sniff(body, &format, out_fault);
    if (status != STATUS_OK)
        return status;
    struct recognition recognition = {set, allowed, from, skip_blanks(body)};
    const struct profile *profile = NULL;
    switch (format) {
    case FORMAT_XML: status = recognise_xml(&recognition, body, &profile, out_fault); break;
    case FORMAT_JSON: status = recognise_json(&recognition, body, &profile, out_fault); break;
    case FORMAT_EDIFACT: status = recognise_edifact(&recognition, body, &profile, out_fault); break;
    default: return refuse_unknown(&recognition, NULL, out_fault);
    }
    if (status == STATUS_OK)
        *out_profile = profile;
    return status;
}

/* Where the values of a body stand. It is known to be well-formed, so little has to be looked at.
 */
#include "routes/dialect/pattern.h"
#include "routes/scan/transcript.h"
#include "routes/stencil/stencil_parts.h"

/* ---- JSON ------------------------------------------------------------------------------------ */

/* True for a member by whose value some profile recognises its messages, wherever it stands. */
static bool decides(const struct profile_set *set, struct bytes name)
{
    for (uint16_t i = 0; i < set->count; i++) {
        const struct profile *profile = set->profiles[i];
        if (profile->plan.format == FORMAT_JSON && profile->recognise.name_count > 0 &&
            pattern_matches(profile->recognise.names[0], name))
            return true;
    }
    return false;
}

static const uint8_t *json_text_end(const uint8_t *at, const uint8_t *end)
{
    for (; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at;
}

static const uint8_t *json_word_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end && !stencil_is_blank(*at) && *at != ',' && *at != '}' && *at != ']')
        at++;
    return at;
}

bool stencil_cut_json(const struct profile_set *set, struct bytes body, uint32_t from,
                      struct stencil_cut *out_cuts, uint32_t *out_count)
{
    struct stencil_cutter cutter = stencil_cutter_of(body, from, out_cuts);
    const uint8_t *end = cutter.end;
    uint32_t depth = 0, fixed_depth = UINT32_MAX; /* of the member whose value is no hole */
    for (const uint8_t *at = body.data; at < end;) {
        bool is_fixed = depth >= fixed_depth, good = true;
        const uint8_t *start = at, *after = at + 1;
        if (*at == '"') {
            at = json_text_end(++start, end);
            after = at + 1;
            bool is_name = *stencil_pass_blanks(after, end) == ':';
            if (!is_name && !is_fixed)
                good = stencil_cut_hole(&cutter, HOLE_JSON_TEXT, start, at);
            else if (!is_fixed && decides(set, bytes_make(start, (size_t)(at - start))))
                fixed_depth = depth;
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            after = json_word_end(at, end);
            if (!is_fixed)
                good = stencil_cut_hole(&cutter, HOLE_JSON_NUMBER, at, after);
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth--;
        }
        if (!good)
            return false;
        if ((*at == ',' || *at == '}') && depth <= fixed_depth)
            fixed_depth = UINT32_MAX;
        at = after;
    }
    *out_count = cutter.count;
    return true;
}

/* ---- XML ------------------------------------------------------------------------------------- */

/* The values of a tag, of which `at` is past the `<`, but for those that bind prefixes, and those
 * that are not written name="value". Returns the tag's `>`; NULL if there are too many. */
static const uint8_t *cut_tag(struct stencil_cutter *cutter, const uint8_t *at)
{
    const uint8_t *name = at;
    for (; *at != '>'; at++) {
        if (stencil_is_blank(*at))
            name = at + 1;
        if (*at != '"' && *at != '\'')
            continue;
        bool is_plain = *name != '=' && at > name + 1 && at[-1] == '=';
        const uint8_t *value = at + 1;
        at = memchr(value, *at, (size_t)(cutter->end - value));
        if (*at == '"' && is_plain && memcmp(name, "xmlns", 5) != 0 &&
            !stencil_cut_hole(cutter, HOLE_XML_VALUE, value, at))
            return NULL;
    }
    return at;
}

/* Of `<!...>` and `<?...?>`: a CDATA section has a hole, others are text. Returns the `>`; NULL if
 * there are too many. */
static const uint8_t *cut_markup(struct stencil_cutter *cutter, const uint8_t *at)
{
    const struct bytes cdata = BYTES_LITERAL("<![CDATA[");
    size_t left = (size_t)(cutter->end - at);
    if (!bytes_start_with(bytes_make(at, left), cdata)) {
        /* A comment may begin with `>`: its end is not looked for in `<!--` itself. */
        const char *last = at[1] == '?' ? "?>" : "-->";
        size_t head_size = at[1] == '?' ? 2 : 4;
        const uint8_t *end = memmem(at + head_size, left - head_size, last, strlen(last));
        return end + strlen(last) - 1;
    }
    const uint8_t *end = memmem(at, left, "]]>", 3);
    return stencil_cut_hole(cutter, HOLE_XML_CDATA, at + cdata.size, end) ? end + 2 : NULL;
}

bool stencil_cut_xml(struct bytes body, uint32_t from, struct stencil_cut *out_cuts,
                     uint32_t *out_count)
{
    struct stencil_cutter cutter = stencil_cutter_of(body, from, out_cuts);
    const uint8_t *at = memchr(body.data, '<', body.size), *end = cutter.end;
    if (transcript_charset(body) != CHARSET_UTF8)
        return false;
    while (at != NULL) {
        at = at[1] == '!' || at[1] == '?' ? cut_markup(&cutter, at) : cut_tag(&cutter, at + 1);
        const uint8_t *next = at != NULL ? memchr(at, '<', (size_t)(end - at)) : NULL;
        if (at == NULL ||
            (next != NULL &&
             !stencil_cut_hole(&cutter, HOLE_XML_TEXT, stencil_pass_blanks(at + 1, next), next)))
            return false;
        at = next;
    }
    *out_count = cutter.count;
    return true;
}

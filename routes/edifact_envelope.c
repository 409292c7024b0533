#include "routes/edifact_envelope.h"

#include <assert.h>

#include "routes/edifact_package.h"
#include "routes/plan_index.h"
#include "routes/scan_output.h"

static const char *const expectations[EDIFACT_PLACE_COUNT] = {
#define X(name, text) [EDIFACT_PLACE_##name] = text,
    EDIFACT_PLACE_LIST(X)
#undef X
};

struct step {
    enum edifact_place from;
    uint32_t tag;
    enum edifact_place to;
    bool again; /* only where many messages are walked */
};

static const struct step steps[] = {
    {EDIFACT_PLACE_BEFORE, EDIFACT_UNB, EDIFACT_PLACE_INTERCHANGE, false},
    {EDIFACT_PLACE_BEFORE, EDIFACT_UNH, EDIFACT_PLACE_BARE_MESSAGE, false},
    {EDIFACT_PLACE_INTERCHANGE, EDIFACT_UNG, EDIFACT_PLACE_GROUP, false},
    {EDIFACT_PLACE_INTERCHANGE, EDIFACT_UNH, EDIFACT_PLACE_MESSAGE, false},
    {EDIFACT_PLACE_GROUP, EDIFACT_UNH, EDIFACT_PLACE_GROUP_MESSAGE, false},
    {EDIFACT_PLACE_GROUP, EDIFACT_UNE, EDIFACT_PLACE_INTERCHANGE, false},
    {EDIFACT_PLACE_GROUP_AGAIN, EDIFACT_UNH, EDIFACT_PLACE_GROUP_MESSAGE, true},
    {EDIFACT_PLACE_GROUP_AGAIN, EDIFACT_UNE, EDIFACT_PLACE_AFTER_GROUP, false},
    {EDIFACT_PLACE_BARE_MESSAGE, EDIFACT_UNT, EDIFACT_PLACE_AFTER_BARE_MESSAGE, false},
    {EDIFACT_PLACE_MESSAGE, EDIFACT_UNT, EDIFACT_PLACE_AFTER_MESSAGE, false},
    {EDIFACT_PLACE_GROUP_MESSAGE, EDIFACT_UNT, EDIFACT_PLACE_AFTER_GROUP_MESSAGE, false},
    {EDIFACT_PLACE_AFTER_GROUP_MESSAGE, EDIFACT_UNH, EDIFACT_PLACE_GROUP_MESSAGE, true},
    {EDIFACT_PLACE_AFTER_GROUP_MESSAGE, EDIFACT_UNO, EDIFACT_PLACE_AFTER_GROUP_MESSAGE, false},
    {EDIFACT_PLACE_AFTER_GROUP_MESSAGE, EDIFACT_UNE, EDIFACT_PLACE_AFTER_GROUP, false},
    {EDIFACT_PLACE_AFTER_MESSAGE, EDIFACT_UNH, EDIFACT_PLACE_MESSAGE, true},
    {EDIFACT_PLACE_AFTER_MESSAGE, EDIFACT_UNG, EDIFACT_PLACE_GROUP_AGAIN, false},
    {EDIFACT_PLACE_AFTER_MESSAGE, EDIFACT_UNO, EDIFACT_PLACE_AFTER_MESSAGE, false},
    {EDIFACT_PLACE_AFTER_MESSAGE, EDIFACT_UNZ, EDIFACT_PLACE_END, false},
    {EDIFACT_PLACE_AFTER_GROUP, EDIFACT_UNH, EDIFACT_PLACE_MESSAGE, true},
    {EDIFACT_PLACE_AFTER_GROUP, EDIFACT_UNG, EDIFACT_PLACE_GROUP_AGAIN, false},
    {EDIFACT_PLACE_AFTER_GROUP, EDIFACT_UNZ, EDIFACT_PLACE_END, false},
    {EDIFACT_PLACE_AFTER_BARE_MESSAGE, EDIFACT_UNO, EDIFACT_PLACE_AFTER_BARE_MESSAGE, false},
    {EDIFACT_PLACE_AFTER_BARE_MESSAGE, EDIFACT_UNH, EDIFACT_PLACE_BARE_MESSAGE, true},
    {EDIFACT_PLACE_AFTER_BARE_MESSAGE, EDIFACT_UNB, EDIFACT_PLACE_INTERCHANGE, true},
    {EDIFACT_PLACE_END, EDIFACT_UNH, EDIFACT_PLACE_BARE_MESSAGE, true},
    {EDIFACT_PLACE_END, EDIFACT_UNB, EDIFACT_PLACE_INTERCHANGE, true},
};

static void open(struct edifact_envelope *envelope, struct bytes body);

enum status edifact_envelope_open(struct edifact_envelope *envelope, struct bytes body, bool many,
                                  struct scan_fault *out_fault)
{
    enum status status = edifact_syntax_read(body, &envelope->syntax, out_fault);
    if (status != STATUS_OK)
        return status;
    open(envelope, body);
    uint32_t start = envelope->syntax.start;
    envelope->many = many;
    envelope->unsure = !envelope->syntax.service_advice;
    envelope->advice = (struct edifact_span){0};
    if (envelope->syntax.service_advice)
        envelope->advice = (struct edifact_span){start - EDIFACT_ADVICE_BYTES, start};
    envelope->next = start;
    envelope->spans[0] = (struct edifact_span){start, (uint32_t)body.size};
    envelope->span_count = 1;
    return STATUS_OK;
}

static void add_span(struct edifact_envelope *envelope, struct bytes part);

void edifact_envelope_open_part(struct edifact_envelope *envelope, struct bytes body,
                                const struct edifact_part *part)
{
    envelope->syntax = part->syntax;
    open(envelope, body);
    envelope->many = false;
    envelope->unsure = false;
    envelope->span_count = 0;
    add_span(envelope, part->interchange);
    add_span(envelope, part->group);
    add_span(envelope, part->message);
    add_span(envelope, part->group_end);
    add_span(envelope, part->interchange_end);
    envelope->next = envelope->spans[0].start;
}

static void open(struct edifact_envelope *envelope, struct bytes body)
{
    envelope->body = body;
    envelope->place = EDIFACT_PLACE_BEFORE;
    envelope->tag = 0;
    envelope->number = 0;
    envelope->object_end = 0;
    envelope->span = 0;
    edifact_walk_init(&envelope->walk, edifact_indexer_best(), &envelope->syntax, body);
}

static void add_span(struct edifact_envelope *envelope, struct bytes part)
{
    if (part.data == NULL)
        return;
    uint32_t start = (uint32_t)(part.data - envelope->body.data);
    assert(start + part.size <= envelope->body.size);
    envelope->spans[envelope->span_count++] =
        (struct edifact_span){start, start + (uint32_t)part.size};
}

/* ---- segments ----------------------------------------------------------------------------------
 */

static bool is_complete(enum edifact_place place)
{
    return place == EDIFACT_PLACE_END || place == EDIFACT_PLACE_AFTER_BARE_MESSAGE;
}

static bool is_within_message(enum edifact_place place)
{
    return place >= EDIFACT_PLACE_BARE_MESSAGE && place <= EDIFACT_PLACE_GROUP_MESSAGE;
}

static bool find_segment(struct edifact_envelope *envelope);
static enum status begin_again(struct edifact_envelope *envelope, struct scan_fault *out_fault);
static enum status read_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault);
static enum status step_by_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault);

enum status edifact_envelope_next(struct edifact_envelope *envelope, bool *out_found,
                                  struct scan_fault *out_fault)
{
    *out_found = find_segment(envelope);
    if (!*out_found)
        return is_complete(envelope->place)
                   ? STATUS_OK
                   : scan_fault_at(out_fault, SCAN_TRUNCATED, envelope->start,
                                   expectations[envelope->place]);
    enum status status = STATUS_OK;
    if (is_complete(envelope->place))
        status = begin_again(envelope, out_fault);
    if (status == STATUS_OK)
        status = read_tag(envelope, out_fault);
    if (status != STATUS_OK)
        return status;
    envelope->number++;
    if (is_within_message(envelope->place) &&
        ((envelope->tag & 0xFFFF) != ('U' | 'N' << 8) || envelope->tag == EDIFACT_UNS))
        return STATUS_OK;
    return step_by_tag(envelope, out_fault);
}

/* The next byte that is no blank; false at the end of what is walked. */
static bool find_segment(struct edifact_envelope *envelope)
{
    const uint8_t *data = envelope->body.data;
    uint32_t at = envelope->next;
    for (;;) {
        uint32_t end = envelope->spans[envelope->span].end;
        while (at < end && edifact_is_blank(data[at]))
            at++;
        envelope->start = at;
        if (at < end)
            return true;
        if (envelope->span + 1 == envelope->span_count)
            return false;
        at = envelope->spans[++envelope->span].start;
        edifact_walk_leap(&envelope->walk);
    }
}

/* Behind the end of a message or an interchange: only another one may follow, with or without a
 * byte order mark and a UNA of its own. */
static enum status begin_again(struct edifact_envelope *envelope, struct scan_fault *out_fault)
{
    struct bytes rest = bytes_slice(envelope->body, envelope->start, envelope->body.size);
    bool marked = edifact_syntax_is_marked(rest);
    struct bytes text = marked ? bytes_slice(rest, EDIFACT_MARK_BYTES, rest.size) : rest;
    uint32_t tag = text.size < 3 ? 0 : plan_tag(text.data);
    bool package = tag == EDIFACT_UNO && envelope->place == EDIFACT_PLACE_AFTER_BARE_MESSAGE;
    if (package || envelope->start == envelope->object_end)
        return STATUS_OK;
    if (tag != EDIFACT_UNA && tag != EDIFACT_UNB && tag != EDIFACT_UNG && tag != EDIFACT_UNH)
        return scan_fault_at(out_fault, SCAN_TRAILING, envelope->start,
                             expectations[envelope->place]);
    if (!envelope->many)
        return scan_fault_at(out_fault, SCAN_MANY_MESSAGES, envelope->start, NULL);
    if (!marked && tag == EDIFACT_UNH)
        return STATUS_OK; /* a bare message goes on with the characters of the one before */

    struct edifact_syntax before = envelope->syntax;
    enum status status = edifact_syntax_read_again(envelope->body, envelope->start, &before,
                                                   &envelope->syntax, out_fault);
    if (status != STATUS_OK)
        return status;
    uint32_t start = envelope->syntax.start;
    bool advised = envelope->syntax.service_advice;
    if (tag == EDIFACT_UNA)
        envelope->advice = (struct edifact_span){start - EDIFACT_ADVICE_BYTES, start};
    else if (!advised)
        envelope->advice = (struct edifact_span){0};
    envelope->unsure = !advised;
    envelope->next = start;
    envelope->place = tag == EDIFACT_UNA ? EDIFACT_PLACE_BEFORE : envelope->place;
    edifact_walk_leap(&envelope->walk);
    if (find_segment(envelope))
        return STATUS_OK;
    return scan_fault_at(out_fault, SCAN_TRUNCATED, envelope->start, expectations[envelope->place]);
}

static bool is_letter(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool is_letter_or_digit(uint8_t byte)
{
    return is_letter(byte) || (byte >= '0' && byte <= '9');
}

static enum status refuse_tag(const struct edifact_envelope *envelope,
                              struct scan_fault *out_fault);

/* A tag is a letter and two letters or digits. A component separator behind it begins the explicit
 * indication of nesting. What lies past the body's end is readable. */
static enum status read_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault)
{
    const struct edifact_syntax *syntax = &envelope->syntax;
    const uint8_t *tag = envelope->body.data + envelope->start;
    uint32_t size = envelope->spans[envelope->span].end - envelope->start;
    bool good = is_letter(tag[0]) && is_letter_or_digit(tag[1]) && is_letter_or_digit(tag[2]);
    bool ended = size >= 4 && (tag[3] == syntax->element || tag[3] == syntax->terminator ||
                               tag[3] == syntax->component);
    if (!good || (!ended && !(size == 3 && edifact_syntax_ends_by_lines(syntax))))
        return refuse_tag(envelope, out_fault);
    envelope->tag = plan_tag(tag);
    return STATUS_OK;
}

static enum status refuse_tag(const struct edifact_envelope *envelope, struct scan_fault *out_fault)
{
    uint32_t end = envelope->spans[envelope->span].end;
    struct bytes rest = bytes_slice(envelope->body, envelope->start, end - envelope->start);
    for (uint32_t i = 0; i < 3 && i < rest.size; i++)
        if (i == 0 ? !is_letter(rest.data[i]) : !is_letter_or_digit(rest.data[i]))
            return scan_fault_at(out_fault, SCAN_MALFORMED, envelope->start + i,
                                 "expected a segment tag");
    if (rest.size < 4)
        return scan_fault_at(out_fault, SCAN_TRUNCATED, end, "the segment has no end");
    return scan_fault_at(out_fault, SCAN_MALFORMED, envelope->start + 3,
                         "expected a separator behind the segment tag");
}

static const char *explain_step(const struct edifact_envelope *envelope);

/* The segment, unless it is a plain one inside of a message, must be one that the place waits for.
 */
static enum status step_by_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault)
{
    enum edifact_place place = envelope->place;
    uint32_t tag = envelope->tag;
    if (tag == EDIFACT_UNP && envelope->object_end != 0 && envelope->start == envelope->object_end)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].from != place || steps[i].tag != tag)
            continue;
        if (steps[i].again && !envelope->many)
            return scan_fault_at(out_fault, SCAN_MANY_MESSAGES, envelope->start, NULL);
        envelope->place = steps[i].to;
        return STATUS_OK;
    }
    return scan_fault_at(out_fault, SCAN_MALFORMED, envelope->start, explain_step(envelope));
}

static const char *explain_step(const struct edifact_envelope *envelope)
{
    enum edifact_place place = envelope->place;
    switch (envelope->tag) {
    case EDIFACT_UIB: return "interactive interchanges (UIB) are not accepted";
    case EDIFACT_UNP: return "UNP without UNO before it";
    case EDIFACT_UNO:
        return is_within_message(place) ? "a package (UNO) stands between messages, not in one"
                                        : "a package (UNO) without a message before it";
    case EDIFACT_UNZ:
        if (place == EDIFACT_PLACE_INTERCHANGE)
            return "an interchange without a message";
        break;
    default: break;
    }
    return expectations[place];
}

/* ---- their ends --------------------------------------------------------------------------------
 */

static uint32_t find_end(struct edifact_envelope *envelope, struct edifact_elements *elements)
{
    uint32_t from = envelope->start + 3;
    return elements != NULL ? edifact_walk_elements(&envelope->walk, from, elements)
                            : edifact_walk_terminator(&envelope->walk, from);
}

static enum status pass_object(struct edifact_envelope *envelope, uint32_t end,
                               struct scan_fault *out_fault);

enum status edifact_envelope_end(struct edifact_envelope *envelope,
                                 struct edifact_elements *elements, struct scan_fault *out_fault)
{
    uint32_t end = find_end(envelope, elements), limit = envelope->spans[envelope->span].end;
    if (envelope->unsure) {
        envelope->unsure = false;
        if (edifact_syntax_guess(&envelope->syntax, envelope->body, envelope->start, end)) {
            edifact_walk_leap(&envelope->walk);
            end = find_end(envelope, elements);
        }
    }
    if (end >= limit && !edifact_syntax_ends_by_lines(&envelope->syntax))
        return scan_fault_at(out_fault, SCAN_TRUNCATED, limit, "the segment has no end");
    envelope->end = envelope->next = end < limit ? end + 1 : limit;
    return envelope->tag == EDIFACT_UNO ? pass_object(envelope, end, out_fault) : STATUS_OK;
}

/* Behind a UNO: leaps over the object to its UNP. */
static enum status pass_object(struct edifact_envelope *envelope, uint32_t end,
                               struct scan_fault *out_fault)
{
    uint32_t limit = envelope->spans[envelope->span].end;
    struct bytes walked = bytes_slice(envelope->body, 0, limit);
    struct edifact_object object;
    enum status status = edifact_package_measure(&envelope->syntax, walked, envelope->start, end,
                                                 &object, out_fault);
    uint32_t at = envelope->next;
    for (uint32_t i = 0; status == STATUS_OK && i < object.segments_before; i++) {
        uint32_t terminator = edifact_walk_terminator(&envelope->walk, at);
        if (terminator >= limit)
            return scan_fault_at(out_fault, SCAN_TRUNCATED, limit, "the segment has no end");
        at = terminator + 1;
    }
    if (status == STATUS_OK)
        status = edifact_package_find_end(&envelope->syntax, walked, &object, at,
                                          &envelope->object_end, out_fault);
    if (status != STATUS_OK)
        return status;
    envelope->next = envelope->object_end;
    edifact_walk_leap(&envelope->walk);
    return STATUS_OK;
}

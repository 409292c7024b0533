#include "routes/edifact/edifact_envelope.h"

#include <assert.h>

#include "routes/edifact/edifact_package.h"
#include "routes/scan/scan_output.h"

static const char *const expectations[EDIFACT_PLACE_COUNT] = {
#define X(name, text) [EDIFACT_PLACE_##name] = text,
    EDIFACT_PLACE_LIST(X)
#undef X
};

/* The service segments as columns of a table. */
enum service { UNB, UNG, UNH, UNT, UNE, UNZ, UNO, SERVICE_COUNT };

/* Where a service segment leads: a place + 1, or 0 if it may not stand here. AGAIN: only where many
 * messages are walked. */
enum { AGAIN = 0x80 };
#define TO(name) (EDIFACT_PLACE_##name + 1)

static const uint8_t steps[EDIFACT_PLACE_COUNT][SERVICE_COUNT] = {
    [EDIFACT_PLACE_BEFORE] = {[UNB] = TO(INTERCHANGE), [UNH] = TO(BARE_MESSAGE)},
    [EDIFACT_PLACE_INTERCHANGE] = {[UNG] = TO(GROUP), [UNH] = TO(MESSAGE)},
    [EDIFACT_PLACE_GROUP] = {[UNH] = TO(GROUP_MESSAGE), [UNE] = TO(INTERCHANGE)},
    [EDIFACT_PLACE_GROUP_AGAIN] = {[UNH] = TO(GROUP_MESSAGE) | AGAIN, [UNE] = TO(AFTER_GROUP)},
    [EDIFACT_PLACE_BARE_MESSAGE] = {[UNT] = TO(AFTER_BARE_MESSAGE)},
    [EDIFACT_PLACE_MESSAGE] = {[UNT] = TO(AFTER_MESSAGE)},
    [EDIFACT_PLACE_GROUP_MESSAGE] = {[UNT] = TO(AFTER_GROUP_MESSAGE)},
    [EDIFACT_PLACE_AFTER_GROUP_MESSAGE] = {[UNH] = TO(GROUP_MESSAGE) | AGAIN,
                                           [UNO] = TO(AFTER_GROUP_MESSAGE),
                                           [UNE] = TO(AFTER_GROUP)},
    [EDIFACT_PLACE_AFTER_MESSAGE] = {[UNH] = TO(MESSAGE) | AGAIN,
                                     [UNG] = TO(GROUP_AGAIN),
                                     [UNO] = TO(AFTER_MESSAGE),
                                     [UNZ] = TO(END)},
    [EDIFACT_PLACE_AFTER_GROUP] =
        {[UNH] = TO(MESSAGE) | AGAIN, [UNG] = TO(GROUP_AGAIN), [UNZ] = TO(END)},
    [EDIFACT_PLACE_AFTER_BARE_MESSAGE] = {[UNO] = TO(AFTER_BARE_MESSAGE),
                                          [UNH] = TO(BARE_MESSAGE) | AGAIN,
                                          [UNB] = TO(INTERCHANGE) | AGAIN},
    [EDIFACT_PLACE_END] = {[UNH] = TO(BARE_MESSAGE) | AGAIN, [UNB] = TO(INTERCHANGE) | AGAIN},
};

#define LETTER EDIFACT_LETTER | EDIFACT_LETTER_OR_DIGIT
const uint8_t edifact_byte_classes[256] = {
    [' '] = EDIFACT_BLANK,
    ['\t'] = EDIFACT_BLANK,
    ['\r'] = EDIFACT_BLANK,
    ['\n'] = EDIFACT_BLANK,
    ['0'] = EDIFACT_LETTER_OR_DIGIT,
    ['1'] = EDIFACT_LETTER_OR_DIGIT,
    ['2'] = EDIFACT_LETTER_OR_DIGIT,
    ['3'] = EDIFACT_LETTER_OR_DIGIT,
    ['4'] = EDIFACT_LETTER_OR_DIGIT,
    ['5'] = EDIFACT_LETTER_OR_DIGIT,
    ['6'] = EDIFACT_LETTER_OR_DIGIT,
    ['7'] = EDIFACT_LETTER_OR_DIGIT,
    ['8'] = EDIFACT_LETTER_OR_DIGIT,
    ['9'] = EDIFACT_LETTER_OR_DIGIT,
    ['A'] = LETTER,
    ['B'] = LETTER,
    ['C'] = LETTER,
    ['D'] = LETTER,
    ['E'] = LETTER,
    ['F'] = LETTER,
    ['G'] = LETTER,
    ['H'] = LETTER,
    ['I'] = LETTER,
    ['J'] = LETTER,
    ['K'] = LETTER,
    ['L'] = LETTER,
    ['M'] = LETTER,
    ['N'] = LETTER,
    ['O'] = LETTER,
    ['P'] = LETTER,
    ['Q'] = LETTER,
    ['R'] = LETTER,
    ['S'] = LETTER,
    ['T'] = LETTER,
    ['U'] = LETTER,
    ['V'] = LETTER,
    ['W'] = LETTER,
    ['X'] = LETTER,
    ['Y'] = LETTER,
    ['Z'] = LETTER,
};
#undef LETTER

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
    envelope->limit = envelope->spans[0].end;
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
    envelope->limit = envelope->spans[0].end;
}

static void open(struct edifact_envelope *envelope, struct bytes body)
{
    envelope->body = body;
    envelope->place = EDIFACT_PLACE_BEFORE;
    envelope->tag = 0;
    envelope->number = 0;
    envelope->object_end = 0;
    envelope->span = 0;
    edifact_index_init(&envelope->index, &envelope->syntax);
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

/* ---- segments -------------------------------------------------------------------------------- */

static bool is_complete(enum edifact_place place)
{
    return place == EDIFACT_PLACE_END || place == EDIFACT_PLACE_AFTER_BARE_MESSAGE;
}

static bool find_segment(struct edifact_envelope *envelope);
static enum status begin_again(struct edifact_envelope *envelope, struct scan_fault *out_fault);
static enum status read_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault);
static enum status step_by_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault);

enum status edifact_envelope_step(struct edifact_envelope *envelope, bool *out_found,
                                  struct scan_fault *out_fault)
{
    *out_found = find_segment(envelope);
    if (!*out_found)
        return is_complete(envelope->place) || edifact_lacks_interchange_end(envelope->place)
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
    if (edifact_is_within_message(envelope->place) && edifact_is_plain(envelope->tag))
        return STATUS_OK;
    return step_by_tag(envelope, out_fault);
}

/* The next byte that is no blank; false at the end of what is walked. */
static bool find_segment(struct edifact_envelope *envelope)
{
    const uint8_t *data = envelope->body.data;
    uint32_t at = envelope->next;
    for (;;) {
        while (at < envelope->limit && edifact_is_blank(data[at]))
            at++;
        envelope->start = at;
        if (at < envelope->limit)
            return true;
        if (envelope->span + 1 == envelope->span_count)
            return false;
        at = envelope->spans[++envelope->span].start;
        envelope->limit = envelope->spans[envelope->span].end;
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
    edifact_index_change(&envelope->index, &envelope->syntax);
    if (find_segment(envelope))
        return STATUS_OK;
    return scan_fault_at(out_fault, SCAN_TRUNCATED, envelope->start, expectations[envelope->place]);
}

static enum status refuse_tag(const struct edifact_envelope *envelope,
                              struct scan_fault *out_fault);

static enum status read_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault)
{
    const struct edifact_syntax *syntax = &envelope->syntax;
    const uint8_t *tag = envelope->body.data + envelope->start;
    uint32_t size = envelope->limit - envelope->start;
    bool ended = size >= 4 ? edifact_ends_tag(syntax, tag[3])
                           : size == 3 && edifact_syntax_ends_by_lines(syntax);
    if (!ended || !edifact_is_tag(tag))
        return refuse_tag(envelope, out_fault);
    envelope->tag = plan_tag(tag);
    return STATUS_OK;
}

static enum status refuse_tag(const struct edifact_envelope *envelope, struct scan_fault *out_fault)
{
    uint32_t end = envelope->limit;
    struct bytes rest = bytes_slice(envelope->body, envelope->start, end - envelope->start);
    for (uint32_t i = 0; i < 3 && i < rest.size; i++)
        if ((edifact_byte_classes[rest.data[i]] &
             (i == 0 ? EDIFACT_LETTER : EDIFACT_LETTER_OR_DIGIT)) == 0)
            return scan_fault_at(out_fault, SCAN_MALFORMED, envelope->start + i,
                                 "expected a segment tag");
    if (rest.size < 4)
        return scan_fault_at(out_fault, SCAN_TRUNCATED, end, "the segment has no end");
    return scan_fault_at(out_fault, SCAN_MALFORMED, envelope->start + 3,
                         "expected a separator behind the segment tag");
}

static enum service service_of(uint32_t tag);
static const char *explain_step(const struct edifact_envelope *envelope);

/* The segment, unless it is a plain one inside of a message, must be one that the place waits for.
 */
static enum status step_by_tag(struct edifact_envelope *envelope, struct scan_fault *out_fault)
{
    enum edifact_place place = envelope->place;
    uint32_t tag = envelope->tag;
    if (tag == EDIFACT_UNP && envelope->object_end != 0 && envelope->start == envelope->object_end)
        return STATUS_OK;
    enum service service = service_of(tag);
    uint8_t step = service == SERVICE_COUNT ? 0 : steps[place][service];
    if (step == 0)
        return scan_fault_at(out_fault, SCAN_MALFORMED, envelope->start, explain_step(envelope));
    if ((step & AGAIN) != 0 && !envelope->many)
        return scan_fault_at(out_fault, SCAN_MANY_MESSAGES, envelope->start, NULL);
    envelope->place = (enum edifact_place)((step & ~AGAIN) - 1);
    return STATUS_OK;
}

static enum service service_of(uint32_t tag)
{
    switch (tag) {
    case EDIFACT_UNB: return UNB;
    case EDIFACT_UNG: return UNG;
    case EDIFACT_UNH: return UNH;
    case EDIFACT_UNT: return UNT;
    case EDIFACT_UNE: return UNE;
    case EDIFACT_UNZ: return UNZ;
    case EDIFACT_UNO: return UNO;
    default: return SERVICE_COUNT;
    }
}

static const char *explain_step(const struct edifact_envelope *envelope)
{
    enum edifact_place place = envelope->place;
    switch (envelope->tag) {
    case EDIFACT_UIB: return "interactive interchanges (UIB) are not accepted";
    case EDIFACT_UNP: return "UNP without UNO before it";
    case EDIFACT_UNO:
        return edifact_is_within_message(place)
                   ? "a package (UNO) stands between messages, not in one"
                   : "a package (UNO) without a message before it";
    case EDIFACT_UNZ:
        if (place == EDIFACT_PLACE_INTERCHANGE)
            return "an interchange without a message";
        break;
    default: break;
    }
    return expectations[place];
}

/* ---- their ends ------------------------------------------------------------------------------ */

static enum status pass_object(struct edifact_envelope *envelope, uint32_t end,
                               struct scan_fault *out_fault);

enum status edifact_envelope_close(struct edifact_envelope *envelope,
                                   struct edifact_elements *elements, uint32_t end,
                                   struct scan_fault *out_fault)
{
    uint32_t limit = envelope->limit, from = envelope->start + 3;
    if (envelope->unsure) {
        envelope->unsure = false;
        if (edifact_syntax_guess(&envelope->syntax, envelope->body, envelope->start, end)) {
            edifact_index_change(&envelope->index, &envelope->syntax);
            end = edifact_walk_terminator(&envelope->index, bytes_slice(envelope->body, 0, limit),
                                          from);
        }
    }
    if (end >= limit && !edifact_syntax_ends_by_lines(&envelope->syntax))
        return scan_fault_at(out_fault, SCAN_TRUNCATED, limit, "the segment has no end");
    if (elements != NULL)
        edifact_walk_split(&envelope->index, envelope->body, from, end < limit ? end : limit,
                           elements);
    envelope->end = envelope->next = end < limit ? end + 1 : limit;
    return envelope->tag == EDIFACT_UNO ? pass_object(envelope, end, out_fault) : STATUS_OK;
}

/* Behind a UNO: leaps over the object to its UNP. */
static enum status pass_object(struct edifact_envelope *envelope, uint32_t end,
                               struct scan_fault *out_fault)
{
    uint32_t limit = envelope->limit;
    struct bytes walked = bytes_slice(envelope->body, 0, limit);
    struct edifact_object object;
    enum status status = edifact_package_measure(&envelope->syntax, walked, envelope->start, end,
                                                 &object, out_fault);
    uint32_t at = envelope->next;
    for (uint32_t i = 0; status == STATUS_OK && i < object.segments_before; i++) {
        uint32_t terminator = edifact_walk_terminator(&envelope->index, walked, at);
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
    return STATUS_OK;
}

/* UN/EDIFACT batch interchanges, ISO 9735 syntax 1 to 4: one interchange of one message, with or
 * without a group around it, or a message alone.
 *
 *   UNA  UNB  [UNG]  UNH ... UNT  [UNE]  UNZ          UNA  UNH ... UNT
 *
 * That envelope is checked; the counts and references in UNT, UNE and UNZ are not: otherwise sane
 * senders get them wrong. Segments that no row of the plan taps are passed over from terminator to
 * terminator. */
#include <assert.h>

#include "routes/edifact_capture.h"
#include "routes/scan_output.h"

enum {
    TAG_UN = 'U' | 'N' << 8, /* the service segments begin so */
    TAG_UNA = TAG_UN | 'A' << 16,
    TAG_UNB = TAG_UN | 'B' << 16,
    TAG_UNE = TAG_UN | 'E' << 16,
    TAG_UNG = TAG_UN | 'G' << 16,
    TAG_UNH = TAG_UN | 'H' << 16,
    TAG_UNO = TAG_UN | 'O' << 16,
    TAG_UNP = TAG_UN | 'P' << 16,
    TAG_UNS = TAG_UN | 'S' << 16,
    TAG_UNT = TAG_UN | 'T' << 16,
    TAG_UNZ = TAG_UN | 'Z' << 16
};

/* Where in the envelope the walk is, and what it waits for there. */
#define PLACE_LIST(X)                                                                              \
    X(BEFORE, "expected UNB or UNH")                                                               \
    X(INTERCHANGE, "expected UNG or UNH")                                                          \
    X(GROUP, "expected UNH")                                                                       \
    X(BARE_MESSAGE, "expected UNT")                                                                \
    X(MESSAGE, "expected UNT")                                                                     \
    X(GROUP_MESSAGE, "expected UNT")                                                               \
    X(AFTER_GROUP_MESSAGE, "expected UNE")                                                         \
    X(AFTER_MESSAGE, "expected UNZ")                                                               \
    X(END, "the interchange has ended")

enum place {
#define X(name, text) PLACE_##name,
    PLACE_LIST(X)
#undef X
        PLACE_COUNT
};

static const char *const expectations[PLACE_COUNT] = {
#define X(name, text) [PLACE_##name] = text,
    PLACE_LIST(X)
#undef X
};

struct step {
    enum place from;
    uint32_t tag;
    enum place to;
};

static const struct step steps[] = {
    {PLACE_BEFORE, TAG_UNB, PLACE_INTERCHANGE},
    {PLACE_BEFORE, TAG_UNH, PLACE_BARE_MESSAGE},
    {PLACE_INTERCHANGE, TAG_UNG, PLACE_GROUP},
    {PLACE_INTERCHANGE, TAG_UNH, PLACE_MESSAGE},
    {PLACE_GROUP, TAG_UNH, PLACE_GROUP_MESSAGE},
    {PLACE_BARE_MESSAGE, TAG_UNT, PLACE_END},
    {PLACE_MESSAGE, TAG_UNT, PLACE_AFTER_MESSAGE},
    {PLACE_GROUP_MESSAGE, TAG_UNT, PLACE_AFTER_GROUP_MESSAGE},
    {PLACE_AFTER_GROUP_MESSAGE, TAG_UNE, PLACE_AFTER_MESSAGE},
    {PLACE_AFTER_MESSAGE, TAG_UNZ, PLACE_END},
};

/* One body being read, segment by segment. */
struct interchange {
    struct bytes body;
    struct edifact_syntax syntax;
    struct edifact_walk walk;
    enum place place; /* behind the segment */
    uint32_t next;    /* where the next segment is looked for */
    uint32_t tag, start, number;
};

static enum status open_interchange(struct interchange *interchange, struct bytes body,
                                    struct scan_fault *out_fault);
static enum status next_segment(struct interchange *interchange, bool *out_found,
                                struct scan_fault *out_fault);
static enum status end_segment(struct interchange *interchange, struct edifact_elements *elements,
                               struct scan_fault *out_fault);

enum status scan_edifact(const struct plan *plan, struct bytes body, struct scan *scan,
                         struct scan_fault *out_fault)
{
    struct interchange interchange;
    struct edifact_capturer capturer;
    struct edifact_elements elements;
    scan->capture_count = 0;
    scan->entry_count = 0;
    enum status status = open_interchange(&interchange, body, out_fault);
    if (status != STATUS_OK)
        return status;
    edifact_capturer_init(&capturer, plan, &interchange.syntax, body, scan);

    const uint32_t entry_tag = plan_tag(plan->entry_tag);
    uint16_t entry = 0;
    for (;;) {
        bool found;
        status = next_segment(&interchange, &found, out_fault);
        if (status != STATUS_OK || !found)
            return status;
        uint32_t tag = interchange.tag;
        struct plan_rows rows = plan_index_rows(plan, tag);
        bool tapped = rows.first != rows.end, wanted = tapped || tag == TAG_UNB;
        status = end_segment(&interchange, wanted ? &elements : NULL, out_fault);
        if (status == STATUS_OK && tag == TAG_UNB)
            status = edifact_capturer_begin(&capturer, &elements, out_fault);
        if (status != STATUS_OK)
            return status;

        if (tag == entry_tag) {
            if (scan->entry_count == READING_ENTRIES_MAX)
                return scan_fault_at(out_fault, SCAN_TOO_MANY_ENTRIES, interchange.start, NULL);
            entry = ++scan->entry_count;
        } else if (tag == TAG_UNS || tag == TAG_UNT) {
            entry = 0;
        }
        if (!tapped)
            continue;
        status =
            edifact_capturer_take(&capturer, rows, &elements, entry, interchange.number, out_fault);
        if (status != STATUS_OK)
            return status;
    }
}

static enum status open_interchange(struct interchange *interchange, struct bytes body,
                                    struct scan_fault *out_fault)
{
    enum status status = edifact_syntax_read(body, &interchange->syntax, out_fault);
    if (status != STATUS_OK)
        return status;
    interchange->body = body;
    interchange->place = PLACE_BEFORE;
    interchange->next = interchange->syntax.start;
    interchange->number = 0;
    edifact_walk_init(&interchange->walk, edifact_indexer_best(), &interchange->syntax, body);
    return STATUS_OK;
}

static enum status read_tag(struct interchange *interchange, struct scan_fault *out_fault);
static enum status step_by_tag(struct interchange *interchange, struct scan_fault *out_fault);
static enum status refuse_trailing(const struct interchange *interchange, uint32_t at,
                                   struct scan_fault *out_fault);

/* Finds the next segment and its place in the envelope. Nothing is found where the body ends as it
 * should. */
static enum status next_segment(struct interchange *interchange, bool *out_found,
                                struct scan_fault *out_fault)
{
    struct bytes body = interchange->body;
    uint32_t at = interchange->next;
    while (at < body.size && edifact_is_blank(body.data[at]))
        at++;
    if (at == body.size) {
        if (interchange->place != PLACE_END)
            return scan_fault_at(out_fault, SCAN_TRUNCATED, at, expectations[interchange->place]);
        *out_found = false;
        return STATUS_OK;
    }
    if (interchange->place == PLACE_END)
        return refuse_trailing(interchange, at, out_fault);

    interchange->start = at;
    interchange->number++;
    enum status status = read_tag(interchange, out_fault);
    if (status != STATUS_OK)
        return status;
    bool in_message = interchange->place == PLACE_MESSAGE ||
                      interchange->place == PLACE_BARE_MESSAGE ||
                      interchange->place == PLACE_GROUP_MESSAGE;
    *out_found = true;
    if (in_message && ((interchange->tag & 0xFFFF) != TAG_UN || interchange->tag == TAG_UNS))
        return STATUS_OK;
    return step_by_tag(interchange, out_fault);
}

static bool is_letter(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static bool is_letter_or_digit(uint8_t byte)
{
    return is_letter(byte) || (byte >= '0' && byte <= '9');
}

static enum status refuse_tag(const struct interchange *interchange, struct scan_fault *out_fault);

/* A tag is a letter and two letters or digits. A component separator behind it begins the explicit
 * indication of nesting. What lies past the body's end is readable. */
static enum status read_tag(struct interchange *interchange, struct scan_fault *out_fault)
{
    const struct edifact_syntax *syntax = &interchange->syntax;
    const uint8_t *tag = interchange->body.data + interchange->start;
    bool good =
        is_letter(tag[0]) && is_letter_or_digit(tag[1]) && is_letter_or_digit(tag[2]) &&
        (tag[3] == syntax->element || tag[3] == syntax->terminator || tag[3] == syntax->component);
    if (!good || interchange->body.size - interchange->start < 4)
        return refuse_tag(interchange, out_fault);
    interchange->tag = plan_tag(tag);
    return STATUS_OK;
}

static enum status refuse_tag(const struct interchange *interchange, struct scan_fault *out_fault)
{
    struct bytes rest = bytes_slice(interchange->body, interchange->start, interchange->body.size);
    for (uint32_t i = 0; i < 3 && i < rest.size; i++)
        if (i == 0 ? !is_letter(rest.data[i]) : !is_letter_or_digit(rest.data[i]))
            return scan_fault_at(out_fault, SCAN_MALFORMED, interchange->start + i,
                                 "expected a segment tag");
    if (rest.size < 4)
        return scan_fault_at(out_fault, SCAN_TRUNCATED, (uint32_t)interchange->body.size,
                             "the segment has no end");
    return scan_fault_at(out_fault, SCAN_MALFORMED, interchange->start + 3,
                         "expected a separator behind the segment tag");
}

/* The segment, unless it is a plain one inside of a message, must be one that the place waits for.
 */
static enum status step_by_tag(struct interchange *interchange, struct scan_fault *out_fault)
{
    enum place place = interchange->place;
    uint32_t tag = interchange->tag;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].from == place && steps[i].tag == tag) {
            interchange->place = steps[i].to;
            return STATUS_OK;
        }
    bool message_read = place == PLACE_AFTER_MESSAGE || place == PLACE_AFTER_GROUP_MESSAGE;
    if ((tag == TAG_UNB && place != PLACE_BEFORE) ||
        (message_read && (tag == TAG_UNH || tag == TAG_UNG)))
        return scan_fault_at(out_fault, SCAN_MANY_MESSAGES, interchange->start, NULL);
    if (tag == TAG_UNO || tag == TAG_UNP)
        return scan_fault_at(out_fault, SCAN_MALFORMED, interchange->start,
                             "binary objects (UNO, UNP) are not accepted");
    return scan_fault_at(out_fault, SCAN_MALFORMED, interchange->start, expectations[place]);
}

static enum status refuse_trailing(const struct interchange *interchange, uint32_t at,
                                   struct scan_fault *out_fault)
{
    struct bytes rest = bytes_slice(interchange->body, at, interchange->body.size);
    uint32_t tag = rest.size < 3 ? 0 : plan_tag(rest.data);
    bool another = tag == TAG_UNA || tag == TAG_UNB || tag == TAG_UNG || tag == TAG_UNH;
    return scan_fault_at(out_fault, another ? SCAN_MANY_MESSAGES : SCAN_TRAILING, at,
                         another ? NULL : expectations[PLACE_END]);
}

/* Goes to the end of the segment; also finds its elements unless `elements` is NULL. */
static enum status end_segment(struct interchange *interchange, struct edifact_elements *elements,
                               struct scan_fault *out_fault)
{
    struct edifact_walk *walk = &interchange->walk;
    uint32_t from = interchange->start + 3, size = (uint32_t)interchange->body.size;
    uint32_t end = elements != NULL ? edifact_walk_elements(walk, from, elements)
                                    : edifact_walk_terminator(walk, from);
    if (end < size) {
        interchange->next = end + 1;
        return STATUS_OK;
    }
    for (uint32_t at = from; interchange->number == 1 && at < size; at++)
        if (interchange->body.data[at] == '\r' || interchange->body.data[at] == '\n')
            return scan_fault_at(out_fault, SCAN_MALFORMED, at,
                                 "a line end is no segment terminator, unless UNA says so");
    return scan_fault_at(out_fault, SCAN_TRUNCATED, size, "the segment has no end");
}

/* ---- Peek --------------------------------------------------------------------------------------
 */

static struct bytes next_component(const struct edifact_syntax *syntax, struct bytes *rest)
{
    struct bytes part = bytes_trim(edifact_syntax_cut(syntax, syntax->component, rest));
    return part.size > 0 ? part : (struct bytes){NULL, 0};
}

enum status scan_edifact_peek(struct bytes body, struct edifact_peek *out_peek,
                              struct scan_fault *out_fault)
{
    struct interchange interchange;
    struct edifact_elements elements;
    enum status status = open_interchange(&interchange, body, out_fault);
    bool found = true;
    interchange.tag = 0;
    while (status == STATUS_OK && interchange.tag != TAG_UNH) {
        status = next_segment(&interchange, &found, out_fault);
        if (status == STATUS_OK)
            status =
                end_segment(&interchange, interchange.tag == TAG_UNH ? &elements : NULL, out_fault);
    }
    if (status != STATUS_OK)
        return status;
    assert(found); /* no way leads to the interchange's end but through UNH */

    struct bytes identifier = edifact_element(body, &elements, 2); /* S009 */
    *out_peek = (struct edifact_peek){.service_advice = interchange.syntax.service_advice};
    out_peek->type = next_component(&interchange.syntax, &identifier);
    out_peek->version = next_component(&interchange.syntax, &identifier);
    out_peek->release = next_component(&interchange.syntax, &identifier);
    out_peek->agency = next_component(&interchange.syntax, &identifier);
    return STATUS_OK;
}

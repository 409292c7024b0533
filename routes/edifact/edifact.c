/* UN/EDIFACT batch interchanges, ISO 9735 syntax 1 to 4: one message with what envelope there is
 * around it. The envelope is checked; segments that no row of the plan taps are passed over from
 * terminator to terminator. */
#include <assert.h>

#include "routes/edifact/edifact_capture.h"
#include "routes/edifact/edifact_envelope.h"
#include "routes/edifact/edifact_pass.h"
#include "routes/edifact/edifact_tally.h"
#include "routes/scan/scan_output.h"

static enum status scan_segments(const struct plan *plan, struct edifact_envelope *envelope,
                                 const struct edifact_part *part, struct scan *scan,
                                 struct scan_fault *out_fault);

enum status scan_edifact(const struct plan *plan, struct bytes body, struct scan *scan,
                         struct scan_fault *out_fault)
{
    struct edifact_envelope envelope;
    enum status status = edifact_envelope_open(&envelope, body, false, out_fault);
    if (status != STATUS_OK)
        return status;
    return scan_segments(plan, &envelope, NULL, scan, out_fault);
}

enum status scan_edifact_part(const struct plan *plan, struct bytes body,
                              const struct edifact_part *part, struct scan *scan,
                              struct scan_fault *out_fault)
{
    struct edifact_envelope envelope;
    edifact_envelope_open_part(&envelope, body, part);
    return scan_segments(plan, &envelope, part, scan, out_fault);
}

static enum status begin_entry(struct scan *scan, uint32_t at, uint16_t *out_entry,
                               struct scan_fault *out_fault)
{
    if (scan->entry_count == scan->entries_max)
        return scan_fault_at(out_fault, SCAN_TOO_MANY_ENTRIES, at, NULL);
    *out_entry = ++scan->entry_count;
    return STATUS_OK;
}

/* For strict profiles: the trailers must be there, and what they say must be true. */
static enum status check_envelope(struct edifact_tally *tally,
                                  const struct edifact_envelope *envelope, bool found,
                                  struct scan_fault *out_fault)
{
    if (found)
        edifact_tally_take(tally, envelope);
    else
        edifact_tally_take_end(tally, envelope);
    if (tally->count == 0)
        return STATUS_OK;
    return scan_fault_at(out_fault, SCAN_ENVELOPE, tally->warnings[0].offset,
                         tally->warnings[0].what);
}

static enum status scan_segments(const struct plan *plan, struct edifact_envelope *envelope,
                                 const struct edifact_part *part, struct scan *scan,
                                 struct scan_fault *out_fault)
{
    struct edifact_capturer capturer;
    struct edifact_elements elements;
    struct edifact_warning warning;
    struct edifact_tally tally;
    if (plan->strict)
        edifact_tally_init(&tally, part, &warning, 1);
    scan->capture_count = 0;
    scan->entry_count = 0;
    edifact_capturer_init(&capturer, plan, &envelope->syntax, envelope->body, scan);

    const uint32_t entry_tag = plan_tag(plan->entry_tag);
    uint16_t entry = 0;
    for (;;) {
        const struct plan_rows *rows = NULL;
        enum status status = STATUS_OK;
        if (!capturer.checks_charset && edifact_is_within_message(envelope->place))
            rows = edifact_pass_segments(envelope, plan);
        if (rows != NULL) {
            edifact_walk_split(&envelope->index, envelope->body, envelope->start + 3,
                               envelope->end - 1, &elements);
        } else {
            bool found;
            status = edifact_envelope_next(envelope, &found, out_fault);
            if (status == STATUS_OK && !found && plan->strict)
                status = check_envelope(&tally, envelope, found, out_fault);
            if (status != STATUS_OK || !found)
                return status;
            rows = plan_index_rows(plan->index, envelope->tag);
            bool wanted = rows->end != 0 || envelope->tag == EDIFACT_UNB;
            status = edifact_envelope_end(envelope, wanted ? &elements : NULL, out_fault);
        }
        uint32_t tag = envelope->tag;
        if (status == STATUS_OK && tag == EDIFACT_UNB)
            edifact_capturer_begin(&capturer, &elements);
        if (status == STATUS_OK && tag == entry_tag)
            status = begin_entry(scan, envelope->start, &entry, out_fault);
        else if (tag == EDIFACT_UNS || tag == EDIFACT_UNT)
            entry = 0;
        if (status == STATUS_OK && capturer.checks_charset)
            status = edifact_capturer_check(&capturer, envelope->start, envelope->end, out_fault);
        if (status == STATUS_OK && plan->strict)
            status = check_envelope(&tally, envelope, true, out_fault);
        if (status == STATUS_OK && rows->end != 0)
            status = edifact_capturer_take(&capturer, rows, &elements, entry, envelope->number,
                                           out_fault);
        if (status != STATUS_OK)
            return status;
    }
}

/* ---- Peek ------------------------------------------------------------------------------------ */

static struct bytes next_component(const struct edifact_syntax *syntax, struct bytes *rest)
{
    struct bytes part = bytes_trim(edifact_syntax_cut(syntax, syntax->component, rest));
    return part.size > 0 ? part : (struct bytes){NULL, 0};
}

static enum status peek_segments(struct edifact_envelope *envelope, struct edifact_peek *out_peek,
                                 struct scan_fault *out_fault);

enum status scan_edifact_peek(struct bytes body, struct edifact_peek *out_peek,
                              struct scan_fault *out_fault)
{
    struct edifact_envelope envelope;
    enum status status = edifact_envelope_open(&envelope, body, false, out_fault);
    if (status != STATUS_OK)
        return status;
    return peek_segments(&envelope, out_peek, out_fault);
}

enum status scan_edifact_part_peek(struct bytes body, const struct edifact_part *part,
                                   struct edifact_peek *out_peek, struct scan_fault *out_fault)
{
    struct edifact_envelope envelope;
    edifact_envelope_open_part(&envelope, body, part);
    return peek_segments(&envelope, out_peek, out_fault);
}

static enum status peek_segments(struct edifact_envelope *envelope, struct edifact_peek *out_peek,
                                 struct scan_fault *out_fault)
{
    enum { BLOCKS = 4 }; /* UNH is near */
    struct edifact_elements elements;
    enum status status = STATUS_OK;
    bool found = true;
    envelope->index.block_count_max = BLOCKS;
    while (status == STATUS_OK && envelope->tag != EDIFACT_UNH) {
        status = edifact_envelope_next(envelope, &found, out_fault);
        if (status == STATUS_OK)
            status = edifact_envelope_end(envelope, envelope->tag == EDIFACT_UNH ? &elements : NULL,
                                          out_fault);
    }
    if (status != STATUS_OK)
        return status;
    assert(found); /* no way leads to the interchange's end but through UNH */

    const struct edifact_syntax *syntax = &envelope->syntax;
    struct bytes identifier = edifact_element(envelope->body, &elements, 2); /* S009 */
    *out_peek = (struct edifact_peek){.service_advice = syntax->service_advice};
    out_peek->type = next_component(syntax, &identifier);
    out_peek->version = next_component(syntax, &identifier);
    out_peek->release = next_component(syntax, &identifier);
    out_peek->agency = next_component(syntax, &identifier);
    return STATUS_OK;
}

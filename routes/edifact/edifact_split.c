/* A body of any number of interchanges and messages, taken apart. */
#include <assert.h>

#include "routes/edifact/edifact_envelope.h"
#include "routes/scan/scan_output.h"

struct split {
    const struct edifact_envelope *envelope;
    struct edifact_part *parts;
    uint32_t count, capacity;
    uint32_t group_first, interchange_first; /* their first parts */
    uint32_t group_count, interchange_count;
    struct bytes interchange, group;
};

static enum status take_segment(struct split *split, struct scan_fault *out_fault);

enum status scan_edifact_split(struct bytes body, struct edifact_part *out_parts, uint32_t capacity,
                               uint32_t *out_count, struct scan_fault *out_fault)
{
    struct edifact_envelope envelope;
    struct split split = {.envelope = &envelope, .parts = out_parts, .capacity = capacity};
    enum status status = edifact_envelope_open(&envelope, body, true, out_fault);
    bool found = true;
    while (status == STATUS_OK) {
        status = edifact_envelope_next(&envelope, &found, out_fault);
        if (!found)
            break;
        if (status == STATUS_OK)
            status = edifact_envelope_end(&envelope, NULL, out_fault);
        if (status == STATUS_OK && (envelope.tag & 0xFFFF) == ('U' | 'N' << 8))
            status = take_segment(&split, out_fault);
    }
    if (status != STATUS_OK)
        return status;
    assert(split.count > 0); /* no way leads to an end but through a message */
    *out_count = split.count;
    return STATUS_OK;
}

static enum status begin_part(struct split *split, struct scan_fault *out_fault);
static void count_unit(struct split *split);

static enum status take_segment(struct split *split, struct scan_fault *out_fault)
{
    const struct edifact_envelope *envelope = split->envelope;
    struct edifact_part *last = split->count == 0 ? NULL : &split->parts[split->count - 1];
    switch (envelope->tag) {
    case EDIFACT_UNB:
        split->interchange = edifact_envelope_segment(envelope);
        split->interchange_first = split->count;
        split->interchange_count = 0;
        break;
    case EDIFACT_UNG:
        split->group = edifact_envelope_segment(envelope);
        split->group_first = split->count;
        split->group_count = 0;
        split->interchange_count++;
        break;
    case EDIFACT_UNH: return begin_part(split, out_fault);
    case EDIFACT_UNO: count_unit(split); break;
    case EDIFACT_UNT:
    case EDIFACT_UNP:
        last->message.size = (size_t)(envelope->body.data + envelope->end - last->message.data);
        break;
    case EDIFACT_UNE:
        for (uint32_t i = split->group_first; i < split->count; i++) {
            split->parts[i].group_end = edifact_envelope_segment(envelope);
            split->parts[i].group_count = split->group_count;
        }
        split->group = (struct bytes){0};
        break;
    case EDIFACT_UNZ:
        for (uint32_t i = split->interchange_first; i < split->count; i++) {
            split->parts[i].interchange_end = edifact_envelope_segment(envelope);
            split->parts[i].interchange_count = split->interchange_count;
        }
        split->interchange = (struct bytes){0};
        break;
    default: break;
    }
    return STATUS_OK;
}

static enum status begin_part(struct split *split, struct scan_fault *out_fault)
{
    const struct edifact_envelope *envelope = split->envelope;
    if (split->count == split->capacity)
        return scan_fault_at(out_fault, SCAN_TOO_MANY_MESSAGES, envelope->start, NULL);
    struct bytes advice = {0};
    if (envelope->advice.end != 0)
        advice = bytes_slice(envelope->body, envelope->advice.start, EDIFACT_ADVICE_BYTES);
    split->parts[split->count++] = (struct edifact_part){
        .message = edifact_envelope_segment(envelope), /* for now */
        .advice = advice,
        .interchange = split->interchange,
        .group = split->group,
        .syntax = envelope->syntax,
    };
    count_unit(split);
    return STATUS_OK;
}

/* A message or a package: it counts in its group, and else in its interchange. */
static void count_unit(struct split *split)
{
    if (split->group.data != NULL)
        split->group_count++;
    else
        split->interchange_count++;
}

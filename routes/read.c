#include "routes/read.h"

#include <assert.h>
#include <stdlib.h>

#include "routes/transcript.h"

enum { ALIGNMENT = 64 };

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

enum status reader_open(struct reader *reader, uint32_t occurrence_capacity,
                        uint32_t text_capacity_bytes)
{
    size_t captures_bytes = round_up(SCAN_CAPTURES_MAX * sizeof(struct capture));
    size_t occurrences_bytes = round_up(occurrence_capacity * sizeof(struct occurrence));
    size_t scratch_bytes = round_up(extract_scratch_size());
    size_t text_bytes = round_up((size_t)text_capacity_bytes + BYTES_PADDING);
    size_t size = captures_bytes + occurrences_bytes + scratch_bytes + text_bytes;
    uint8_t *memory = aligned_alloc(ALIGNMENT, size);
    if (memory == NULL)
        return STATUS_NO_MEMORY;
    struct charsets *charsets = charsets_open();
    if (charsets == NULL) {
        free(memory);
        return STATUS_UNSUPPORTED;
    }
    memset(memory, 0, size); /* touched now, not on the data path */
    *reader = (struct reader){.charsets = charsets, .memory = memory};
    reader->scan.captures = (struct capture *)memory;
    memory += captures_bytes;
    reader->space.occurrences = (struct occurrence *)memory;
    reader->space.occurrence_capacity = occurrence_capacity;
    memory += occurrences_bytes;
    reader->scratch = (struct extract_scratch *)memory;
    extract_scratch_init(reader->scratch);
    memory += scratch_bytes;
    reader->space.text = memory;
    reader->space.text_capacity = text_capacity_bytes;
    reader->scan.space = &reader->space;
    reader->scan.charsets = charsets;
    return STATUS_OK;
}

void reader_close(struct reader *reader)
{
    charsets_close(reader->charsets);
    free(reader->memory);
    *reader = (struct reader){0};
}

static enum status scan_body(const struct plan *plan, struct bytes body, struct scan *scan,
                             struct scan_fault *out_fault)
{
    switch (plan->format) {
    case FORMAT_EDIFACT: return scan_edifact(plan, body, scan, out_fault);
    case FORMAT_XML: return scan_xml(plan, body, scan, out_fault);
    case FORMAT_JSON: return scan_json(plan, body, scan, out_fault);
    case FORMAT_COUNT: break;
    }
    assert(false && "a plan has a format");
    abort();
}

/* A message is a body, or if `part` is not NULL that part of it; so below. */
static enum status scan_message(const struct plan *plan, struct bytes body,
                                const struct edifact_part *part, struct scan *scan,
                                struct scan_fault *out_fault)
{
    return part == NULL ? scan_body(plan, body, scan, out_fault)
                        : scan_edifact_part(plan, body, part, scan, out_fault);
}

static enum status recognise(const struct profile_set *set, const uint64_t *allowed, uint16_t from,
                             struct bytes body, const struct edifact_part *part,
                             const struct profile **out_profile, struct scan_fault *out_fault)
{
    return part == NULL
               ? read_recognise_from(set, allowed, from, body, out_profile, out_fault)
               : read_recognise_part(set, allowed, from, body, part, out_profile, out_fault);
}

/* What may be tried of `read_message`. FULL is so whatever the space held before. */
static enum status read_in_place(const struct profile_set *set, const uint64_t *allowed,
                                 struct reader *reader, struct bytes body,
                                 const struct edifact_part *part, struct reading *out_reading,
                                 struct scan_fault *out_fault);
static enum status read_transcript(const struct profile_set *set, const uint64_t *allowed,
                                   struct reader *reader, enum charset charset, struct bytes body,
                                   struct reading *out_reading, struct scan_fault *out_fault);

enum status read_message(const struct profile_set *set, const uint64_t *allowed,
                         struct reader *reader, struct bytes body, struct reading *out_reading,
                         struct scan_fault *out_fault)
{
    struct scan_fault fault;
    enum charset charset;
    bool alone = reader->space.occurrence_used == 0 && reader->space.text_used == 0;
    enum status status = read_in_place(set, allowed, reader, body, NULL, out_reading, &fault);
    if (status == STATUS_INVALID && transcript_is_needed(body, &charset))
        status = read_transcript(set, allowed, reader, charset, body, out_reading, &fault);
    if (status == STATUS_FULL && alone) {
        fault = (struct scan_fault){.reason = SCAN_TOO_MANY_VALUES};
        status = STATUS_INVALID;
    }
    if (status == STATUS_INVALID)
        *out_fault = fault;
    return status;
}

/* Scans and extracts with one profile. NOT_FOUND if it is not the message's. */
static enum status read_as(const struct profile *profile, struct reader *reader, struct bytes text,
                           const struct edifact_part *part, struct reading *out_reading,
                           struct scan_fault *out_fault)
{
    struct bytes message = part == NULL ? text : part->message;
    size_t end = (size_t)(message.data + message.size - text.data);
    struct reading_space *space = &reader->space;
    uint32_t occurrence_used = space->occurrence_used, text_used = space->text_used;
    struct reading reading;
    enum status status = scan_message(&profile->plan, text, part, &reader->scan, out_fault);
    if (status == STATUS_OK) {
        reading_init(&reading, space);
        status = extract(profile, reader, end, &reading, out_fault);
    }
    if (status == STATUS_OK) {
        *out_reading = reading;
        return STATUS_OK;
    }
    space->occurrence_used = occurrence_used;
    space->text_used = text_used;
    return status;
}

static enum status read_in_place(const struct profile_set *set, const uint64_t *allowed,
                                 struct reader *reader, struct bytes body,
                                 const struct edifact_part *part, struct reading *out_reading,
                                 struct scan_fault *out_fault)
{
    const struct profile *profile;
    enum status status = recognise(set, allowed, 0, body, part, &profile, out_fault);
    while (status == STATUS_OK) {
        status = read_as(profile, reader, body, part, out_reading, out_fault);
        if (status != STATUS_NOT_FOUND)
            return status;
        uint16_t from = (uint16_t)(profile->index + 1);
        status = recognise(set, allowed, from, body, part, &profile, out_fault);
    }
    return status;
}

static enum status read_transcript(const struct profile_set *set, const uint64_t *allowed,
                                   struct reader *reader, enum charset charset, struct bytes body,
                                   struct reading *out_reading, struct scan_fault *out_fault)
{
    struct transcript transcript;
    uint32_t text_used = reader->space.text_used;
    enum status status = transcript_make(&reader->scan, charset, body, &transcript, out_fault);
    if (status != STATUS_OK)
        return status;
    status = read_in_place(set, allowed, reader, transcript.text, NULL, out_reading, out_fault);
    if (status == STATUS_INVALID)
        out_fault->offset =
            transcript_body_offset(&transcript, reader->charsets, out_fault->offset);
    if (status != STATUS_OK)
        reader->space.text_used = text_used;
    return status;
}

/* ---- parts ---- */

uint32_t read_split(struct bytes body, struct edifact_part parts[EDIFACT_PARTS_MAX],
                    struct scan_fault *out_fault)
{
    enum format format;
    uint32_t count;
    struct scan_fault none;
    if (scan_sniff(body, &format, &none) != STATUS_OK || format != FORMAT_EDIFACT ||
        scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, out_fault) != STATUS_OK)
        return 0;
    return count;
}

enum status read_part(const struct profile_set *set, const uint64_t *allowed, struct reader *reader,
                      struct bytes body, const struct edifact_part *part,
                      struct reading *out_reading, struct scan_fault *out_fault)
{
    return read_in_place(set, allowed, reader, body, part, out_reading, out_fault);
}

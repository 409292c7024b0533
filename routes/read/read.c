#include "routes/read/read.h"

#include <assert.h>
#include <stdlib.h>

#include "routes/edifact/unwrap.h"
#include "routes/read/payload.h"
#include "routes/scan/scan_output.h"
#include "routes/scan/transcript.h"
#include "routes/stencil/stencil.h"

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
    struct stencils *stencils = stencils_open();
    struct charsets *charsets = stencils != NULL ? charsets_open() : NULL;
    if (charsets == NULL) {
        free(memory);
        stencils_close(stencils);
        return stencils == NULL ? STATUS_NO_MEMORY : STATUS_UNSUPPORTED;
    }
    memset(memory, 0, size); /* touched now, not on the data path */
    *reader = (struct reader){.stencils = stencils, .charsets = charsets, .memory = memory};
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
    reader->scan.entries_max = READING_ENTRIES_DEFAULT;
    reader->scan.charsets = charsets;
    return STATUS_OK;
}

void reader_close(struct reader *reader)
{
    stencils_close(reader->stencils);
    charsets_close(reader->charsets);
    free(reader->memory);
    *reader = (struct reader){0};
}

void reader_forget(struct reader *reader)
{
    if (reader->stencils != NULL)
        stencils_forget(reader->stencils);
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

/* An empty reading of what was scanned. */
static void begin_reading(const struct profile *profile, struct reader *reader,
                          struct reading *out_reading)
{
    reading_init(out_reading, &reader->space);
    out_reading->profile = profile;
    out_reading->entry_count = reader->scan.entry_count > 0 ? reader->scan.entry_count : 1;
}

/* One message being read. */
struct job {
    const struct profile_set *set;
    const uint64_t *allowed;
    struct reader *reader;
    const struct edifact_part *part; /* the part of the text that it is; NULL: all of it */
    struct reading *outer; /* of the message that it lies in; NULL: it has a reading of its own */
};

static bool read_known(const struct job *job, struct bytes body, struct reading *out_reading);
static void learn(const struct job *job, struct bytes body, const struct profile *profile);
/* FULL is so whatever the space held before. */
static enum status read_text(const struct job *job, struct bytes body, struct reading *out_reading,
                             struct scan_fault *out_fault);
static enum status read_unwrapped(const struct job *job, struct bytes body,
                                  struct reading *out_reading, struct scan_fault *out_fault);
static enum status read_transcript(const struct job *job, struct bytes body,
                                   struct reading *out_reading, struct scan_fault *io_fault);
static enum status read_in_place(const struct job *job, struct bytes text,
                                 struct reading *out_reading, struct scan_fault *out_fault);
static enum status recognise(const struct job *job, uint16_t from, struct bytes text,
                             const struct profile **out_profile, struct scan_fault *out_fault);
static enum status read_as(const struct job *job, const struct profile *profile, struct bytes text,
                           struct reading *out_reading, struct scan_fault *out_fault);
static enum status take_values(const struct job *job, const struct profile *profile,
                               struct bytes text, struct reading *out_reading,
                               struct scan_fault *out_fault);
static enum status join_values(const struct job *job, const struct profile *profile,
                               struct bytes text, struct reading *out_reading,
                               struct scan_fault *out_fault);
static enum status open_payload(const struct job *job, struct bytes text, struct reading *reading,
                                struct scan_fault *out_fault);

enum status read_message(const struct profile_set *set, const uint64_t *allowed,
                         struct reader *reader, struct bytes body, struct reading *out_reading,
                         struct scan_fault *out_fault)
{
    const struct job job = {.set = set, .allowed = allowed, .reader = reader};
    struct scan_fault fault;
    bool alone = reader->space.occurrence_used == 0 && reader->space.text_used == 0;
    if (reader->stencils != NULL && read_known(&job, body, out_reading))
        return STATUS_OK;
    enum status status = read_text(&job, body, out_reading, &fault);
    if (status == STATUS_FULL && alone) {
        fault = (struct scan_fault){.reason = SCAN_TOO_MANY_VALUES};
        status = STATUS_INVALID;
    }
    if (status == STATUS_INVALID)
        *out_fault = fault;
    if (status == STATUS_OK && reader->stencils != NULL && stencil_is_due(reader->stencils, body))
        learn(&job, body, out_reading->profile);
    return status;
}

/* ---- messages like those before ---- */

/* False also if what a stencil says cannot be told so: it is then read as any. */
static bool read_known(const struct job *job, struct bytes body, struct reading *out_reading)
{
    struct reader *reader = job->reader;
    struct scan_fault unused;
    const struct stencil *stencil =
        stencil_find(reader->stencils, job->set, job->allowed, body, &reader->scan);
    if (stencil == NULL)
        return false;
    const struct profile *profile = job->set->profiles[stencil->profile];
    uint32_t occurrence_used = reader->space.occurrence_used, text_used = reader->space.text_used;
    begin_reading(profile, reader, out_reading);
    enum status status =
        stencil->has_steps
            ? extract_by_steps(profile, reader, stencil_steps(reader->stencils, stencil),
                               stencil->step_count, out_reading)
            : extract(profile, reader, body.size, SLOT_NONE, out_reading, &unused);
    if (status == STATUS_OK)
        return true;
    reader->space.occurrence_used = occurrence_used;
    reader->space.text_used = text_used;
    return false;
}

/* Of a body that was read by this profile. It is scanned once more: it may have been read in some
 * other way than in place and by the profile that knows it first. */
static void learn(const struct job *job, struct bytes body, const struct profile *profile)
{
    struct reader *reader = job->reader;
    const struct profile *first;
    struct scan_fault unused;
    uint32_t text_used = reader->space.text_used;
    if (read_recognise(job->set, job->allowed, body, &first, &unused) == STATUS_OK &&
        first == profile && scan_body(&profile->plan, body, &reader->scan, &unused) == STATUS_OK)
        stencil_learn(reader->stencils, job->set, job->allowed, body, profile, reader);
    reader->space.text_used = text_used;
}

/* ---- any message ---- */

/* A body that looks wrapped is read as it stands only if it cannot be read unwrapped: a line may
 * end inside of a value without a fault. */
static enum status read_text(const struct job *job, struct bytes body, struct reading *out_reading,
                             struct scan_fault *out_fault)
{
    struct scan_fault unwrapped_fault;
    bool wrapped = unwrap_is_needed(body);
    if (wrapped) {
        enum status status = read_unwrapped(job, body, out_reading, &unwrapped_fault);
        if (status != STATUS_INVALID)
            return status;
    }
    enum status status = read_in_place(job, body, out_reading, out_fault);
    if (status == STATUS_INVALID)
        status = read_transcript(job, body, out_reading, out_fault);
    if (status == STATUS_INVALID && wrapped)
        *out_fault = unwrapped_fault;
    return status;
}

static enum status read_unwrapped(const struct job *job, struct bytes body,
                                  struct reading *out_reading, struct scan_fault *out_fault)
{
    struct reader *reader = job->reader;
    struct bytes text;
    uint32_t text_used = reader->space.text_used;
    enum status status = unwrap_make(&reader->scan, body, &text);
    if (status != STATUS_OK)
        return status;
    status = read_in_place(job, text, out_reading, out_fault);
    struct scan_fault *fault = status == STATUS_OK ? &out_reading->payload.fault : out_fault;
    if (status == STATUS_INVALID || (status == STATUS_OK && fault->reason != SCAN_NONE))
        fault->offset = unwrap_body_offset(body, fault->offset);
    if (status != STATUS_OK)
        reader->space.text_used = text_used;
    return status;
}

/* Of a body that could not be read in place: if no transcript is needed, it keeps its fault. */
static enum status read_transcript(const struct job *job, struct bytes body,
                                   struct reading *out_reading, struct scan_fault *io_fault)
{
    struct reader *reader = job->reader;
    struct transcript transcript;
    enum charset charset;
    uint32_t text_used = reader->space.text_used;
    if (!transcript_is_needed(body, &charset))
        return STATUS_INVALID;
    enum status status = transcript_make(&reader->scan, charset, body, &transcript, io_fault);
    if (status != STATUS_OK)
        return status;
    status = read_in_place(job, transcript.text, out_reading, io_fault);
    struct scan_fault *fault = status == STATUS_OK ? &out_reading->payload.fault : io_fault;
    if (status == STATUS_INVALID || (status == STATUS_OK && fault->reason != SCAN_NONE))
        fault->offset = transcript_body_offset(&transcript, reader->charsets, fault->offset);
    if (status != STATUS_OK)
        reader->space.text_used = text_used;
    return status;
}

static enum status read_in_place(const struct job *job, struct bytes text,
                                 struct reading *out_reading, struct scan_fault *out_fault)
{
    const struct profile *profile;
    for (uint16_t from = 0;; from = (uint16_t)(profile->index + 1)) {
        enum status status = recognise(job, from, text, &profile, out_fault);
        if (status == STATUS_OK)
            status = read_as(job, profile, text, out_reading, out_fault);
        if (status != STATUS_NOT_FOUND)
            return status;
    }
}

static enum status recognise(const struct job *job, uint16_t from, struct bytes text,
                             const struct profile **out_profile, struct scan_fault *out_fault)
{
    return job->part == NULL
               ? read_recognise_from(job->set, job->allowed, from, text, out_profile, out_fault)
               : read_recognise_part(job->set, job->allowed, from, text, job->part, out_profile,
                                     out_fault);
}

static enum status scan_message(const struct job *job, const struct plan *plan, struct bytes text,
                                struct scan_fault *out_fault)
{
    struct scan *scan = &job->reader->scan;
    return job->part == NULL ? scan_body(plan, text, scan, out_fault)
                             : scan_edifact_part(plan, text, job->part, scan, out_fault);
}

/* Where the message ends in the text. */
static size_t end_of(const struct job *job, struct bytes text)
{
    struct bytes message = job->part == NULL ? text : job->part->message;
    return (size_t)(message.data + message.size - text.data);
}

/* Scans and extracts with one profile. NOT_FOUND if it is not the message's. */
static enum status read_as(const struct job *job, const struct profile *profile, struct bytes text,
                           struct reading *out_reading, struct scan_fault *out_fault)
{
    struct reading_space *space = &job->reader->space;
    uint32_t occurrence_used = space->occurrence_used, text_used = space->text_used;
    enum status status = scan_message(job, &profile->plan, text, out_fault);
    if (status == STATUS_OK)
        status = job->outer == NULL ? take_values(job, profile, text, out_reading, out_fault)
                                    : join_values(job, profile, text, out_reading, out_fault);
    if (status == STATUS_OK)
        return STATUS_OK;
    space->occurrence_used = occurrence_used;
    space->text_used = text_used;
    return status;
}

static enum status take_values(const struct job *job, const struct profile *profile,
                               struct bytes text, struct reading *out_reading,
                               struct scan_fault *out_fault)
{
    struct reading reading;
    struct reader *reader = job->reader;
    begin_reading(profile, reader, &reading);
    enum status status =
        extract(profile, reader, end_of(job, text), SLOT_NONE, &reading, out_fault);
    if (status == STATUS_OK && profile->open != NULL)
        status = open_payload(job, text, &reading, out_fault);
    if (status == STATUS_OK)
        *out_reading = reading;
    return status;
}

/* ---- the message inside ---- */

/* Numbers the entries of the scan on from those of the outer message. */
static enum status number_entries(const struct profile *profile, struct scan *scan,
                                  struct reading *reading, struct scan_fault *out_fault)
{
    struct reading_payload *payload = &reading->payload;
    uint32_t before = payload->entry_first - 1U, count = before + scan->entry_count;
    if (count > scan->entries_max)
        return scan_fault_at(out_fault, SCAN_TOO_MANY_ENTRIES, 0, NULL);
    for (uint32_t i = 0; i < scan->capture_count; i++)
        if (scan->captures[i].entry > 0)
            scan->captures[i].entry = (uint16_t)(scan->captures[i].entry + before);
    reading->entry_count = count > 0 ? (uint16_t)count : 1;
    payload->profile = profile;
    payload->entry_count = scan->entry_count;
    return STATUS_OK;
}

/* The outer reading with the values of what was scanned, but for its id. */
static enum status join_values(const struct job *job, const struct profile *profile,
                               struct bytes text, struct reading *out_reading,
                               struct scan_fault *out_fault)
{
    struct reader *reader = job->reader;
    struct reading reading = *job->outer;
    enum status status = number_entries(profile, &reader->scan, &reading, out_fault);
    if (status == STATUS_OK)
        status = extract(profile, reader, text.size, SLOT_MESSAGE_ID, &reading, out_fault);
    if (status == STATUS_OK)
        status =
            reading_add(&reading, &reader->space, SLOT_PAYLOAD_PROFILE, 0, profile->name_bytes);
    if (status == STATUS_TOO_BIG)
        status = scan_fault_at(out_fault, SCAN_TOO_MANY_VALUES, 0, NULL);
    if (status == STATUS_OK)
        *out_reading = reading;
    else
        reading_restore(&reading, &reader->space, job->outer);
    return status;
}

static enum status read_payload(const struct job *job, struct bytes text, struct reading *reading,
                                struct scan_fault *out_fault);

/* Reads what the message holds too, or notes why that cannot be read. */
static enum status open_payload(const struct job *job, struct bytes text, struct reading *reading,
                                struct scan_fault *out_fault)
{
    const struct profile_open *open = reading->profile->open;
    struct scan_fault fault;
    enum status status = STATUS_OK;
    uint32_t text_used = job->reader->space.text_used;
    if (job->reader->scan.payload_count > 0)
        status = read_payload(job, text, reading, &fault);
    else if (open->required)
        return scan_fault_at(out_fault, SCAN_PAYLOAD, (uint32_t)text.size, "it is absent");
    if (status != STATUS_INVALID)
        return status;
    job->reader->space.text_used = text_used;
    if (open->required) {
        const char *what = fault.what != NULL ? fault.what : scan_reason_text(fault.reason);
        return scan_fault_at(out_fault, SCAN_PAYLOAD, fault.offset, what);
    }
    reading->payload.fault = fault;
    return STATUS_OK;
}

/* On success the reading is the outer one with what is inside; else it is as it was. */
static enum status read_payload(const struct job *job, struct bytes text, struct reading *reading,
                                struct scan_fault *out_fault)
{
    struct job inner = *job;
    struct reader *reader = job->reader;
    struct payload payload;
    uint16_t entry_count = reader->scan.entry_count;
    enum status status = payload_decode(reading->profile, &reader->scan, text, &payload, out_fault);
    if (status != STATUS_OK)
        return status;
    inner.outer = reading;
    reading->payload.entry_first = (uint16_t)(entry_count + 1);
    status = read_text(&inner, payload.body, reading, out_fault);
    if (status == STATUS_INVALID)
        out_fault->offset = payload_outer_offset(&payload, out_fault->offset);
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
        unwrap_is_needed(body) ||
        scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, out_fault) != STATUS_OK)
        return 0;
    return count;
}

enum status read_part(const struct profile_set *set, const uint64_t *allowed, struct reader *reader,
                      struct bytes body, const struct edifact_part *part,
                      struct reading *out_reading, struct scan_fault *out_fault)
{
    const struct job job = {.set = set, .allowed = allowed, .reader = reader, .part = part};
    return read_in_place(&job, body, out_reading, out_fault);
}

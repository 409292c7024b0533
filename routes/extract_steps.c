#include "routes/extract_steps.h"

#include "routes/extract_parts.h"

enum status extract_note_parts(struct extraction *extraction, const struct value_spec *spec,
                               uint16_t entry, const struct capture *const *parts)
{
    struct extract_notes *notes = extraction->notes;
    uint32_t step_count = spec->part_count > 1 ? spec->part_count : 1;
    if (step_count > notes->capacity - notes->count)
        return STATUS_FULL;
    for (uint32_t i = 0; i < step_count; i++)
        notes->steps[notes->count++] = (struct extract_step){
            .spec = (uint16_t)(spec - extraction->profile->specs),
            .entry = entry,
            .capture = (uint16_t)(parts == NULL ? 0 : parts[i] - extraction->captures),
            .part_count = spec->part_count,
        };
    return STATUS_OK;
}

static enum status take_joined(struct extraction *extraction, const struct value_spec *spec,
                               const struct extract_step *steps)
{
    const struct capture *parts[PROFILE_PARTS_MAX];
    for (uint16_t i = 0; i < spec->part_count; i++)
        parts[i] = &extraction->captures[steps[i].capture];
    return extract_add_parts(extraction, spec, steps->entry, parts);
}

enum status extract_by_steps(const struct profile *profile, struct reader *reader,
                             const struct extract_step *steps, uint32_t count,
                             struct reading *reading)
{
    struct scan_fault unused;
    struct extraction extraction = {
        .profile = profile,
        .captures = reader->scan.captures,
        .scratch = reader->scratch,
        .space = &reader->space,
        .reading = reading,
        .fault = &unused,
    };
    extract_begin_values(reader->scratch);
    for (const struct extract_step *step = steps, *end = steps + count; step < end;) {
        const struct value_spec *spec = &profile->specs[step->spec];
        const struct capture *capture = &extraction.captures[step->capture];
        enum status status = STATUS_OK;
        if (extract_is_settled(reading, spec))
            status = STATUS_OK;
        else if (step->part_count == 1)
            status =
                extract_add_value(&extraction, spec, step->entry, capture->value, capture->offset);
        else if (step->part_count == 0)
            status = extract_add_parts(&extraction, spec, step->entry, NULL);
        else
            status = take_joined(&extraction, spec, step);
        if (status != STATUS_OK)
            return status;
        step += step->part_count > 1 ? step->part_count : 1;
    }
    return extract_find_missing(reading, profile->required_slots) == SLOT_NONE ? STATUS_OK
                                                                               : STATUS_INVALID;
}

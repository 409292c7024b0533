#include "routes/extract_steps.h"

#include "routes/extract_parts.h"
#include "routes/pattern.h"

enum status extract_note_parts(struct extraction *extraction, const struct value_spec *spec,
                               uint16_t entry, const struct capture *const *parts)
{
    struct extract_notes *notes = extraction->notes;
    uint32_t step_count = spec->part_count > 1 ? spec->part_count : 1;
    if (step_count > notes->capacity - notes->count)
        return STATUS_FULL;
    bool is_plain = spec->part_count == 1 && !spec->shaped;
    for (uint32_t i = 0; i < step_count; i++)
        notes->steps[notes->count++] = (struct extract_step){
            .spec = (uint16_t)(spec - extraction->profile->specs),
            .entry = entry,
            .capture = (uint16_t)(parts == NULL ? 0 : parts[i] - extraction->captures),
            .part_count = spec->part_count,
            .plain_slot = is_plain ? (uint8_t)spec->slot : SLOT_NONE,
        };
    return STATUS_OK;
}

/* The first value of a slot, as most are. False if it is not that, or there is no room: then it is
 * taken as any. */
static inline bool add_first(const struct extraction *extraction, const struct extract_step *step)
{
    struct reading *reading = extraction->reading;
    struct reading_space *space = extraction->space;
    if (reading->first[step->plain_slot] != READING_NO_OCCURRENCE ||
        reading->count == READING_OCCURRENCES_MAX ||
        space->occurrence_used == space->occurrence_capacity)
        return false;
    uint16_t index = reading->count++;
    space->occurrence_used++;
    reading->occurrences[index] =
        (struct occurrence){extraction->captures[step->capture].value, step->entry,
                            READING_NO_OCCURRENCE, step->plain_slot};
    reading->first[step->plain_slot] = reading->last[step->plain_slot] = index;
    extraction->scratch->walked[step->plain_slot] = 1;
    return true;
}

static enum status add_steps(struct extraction *extraction, const struct value_spec *spec,
                             const struct extract_step *steps)
{
    const struct capture *parts[PROFILE_PARTS_MAX];
    for (uint8_t i = 0; i < steps->part_count; i++)
        parts[i] = &extraction->captures[steps[i].capture];
    return extract_add_parts(extraction, spec, steps->entry, steps->part_count > 0 ? parts : NULL);
}

/* Without filters a bin is a tap, and its captures are not sorted here. */
static bool meets_condition(const struct extraction *extraction,
                            const struct recognise_condition *condition)
{
    bool found = false;
    for (uint32_t i = 0; i < extraction->capture_count; i++) {
        const struct capture *capture = &extraction->captures[i];
        if (capture->tap != condition->bin)
            continue;
        found = true;
        if (pattern_matches_any(condition->values, condition->value_count, capture->value))
            return true;
    }
    return condition->value_count == 0 && !found;
}

enum status extract_by_steps(const struct profile *profile, struct reader *reader,
                             const struct extract_step *steps, uint32_t count,
                             struct reading *reading)
{
    struct scan_fault unused;
    struct extraction extraction = {
        .profile = profile,
        .captures = reader->scan.captures,
        .capture_count = reader->scan.capture_count,
        .scratch = reader->scratch,
        .space = &reader->space,
        .reading = reading,
        .fault = &unused,
    };
    if (!extract_meets(&extraction, &profile->recognise, meets_condition))
        return STATUS_NOT_FOUND;
    extract_begin_values(reader->scratch);
    for (const struct extract_step *step = steps, *end = steps + count; step < end;) {
        if (step->plain_slot != SLOT_NONE && add_first(&extraction, step)) {
            step++;
            continue;
        }
        const struct value_spec *spec = &profile->specs[step->spec];
        enum status status = STATUS_OK;
        if (!extract_is_settled(reading, spec))
            status = add_steps(&extraction, spec, step);
        if (status != STATUS_OK)
            return status;
        step += step->part_count > 1 ? step->part_count : 1;
    }
    return extract_find_missing(reading, profile->required_slots) == SLOT_NONE ? STATUS_OK
                                                                               : STATUS_INVALID;
}

#include "routes/read/extract_steps.h"

#include "routes/dialect/pattern.h"
#include "routes/read/extract_parts.h"

enum status extract_note_parts(struct extraction *extraction, const struct value_spec *spec,
                               uint16_t entry, const struct capture *const *parts)
{
    struct extract_notes *notes = extraction->notes;
    uint32_t step_count = spec->part_count > 1 ? spec->part_count : 1;
    if (step_count > notes->capacity - notes->count)
        return STATUS_FULL;
    uint64_t slot = UINT64_C(1) << spec->slot;
    bool is_first = spec->part_count == 1 && !spec->shaped && (notes->slots & slot) == 0;
    notes->slots |= slot;
    for (uint32_t i = 0; i < step_count; i++)
        notes->steps[notes->count++] = (struct extract_step){
            .spec = (uint16_t)(spec - extraction->profile->specs),
            .entry = entry,
            .capture = (uint16_t)(parts == NULL ? 0 : parts[i] - extraction->captures),
            .part_count = spec->part_count,
            .first_slot = is_first ? (uint8_t)spec->slot : SLOT_NONE,
        };
    return STATUS_OK;
}

static bool has_room(const struct extraction *extraction, uint32_t count)
{
    const struct reading_space *space = extraction->space;
    return count <= READING_OCCURRENCES_MAX &&
           count <= space->occurrence_capacity - space->occurrence_used;
}

/* The first values of slots, as most are, up to a step that is of another kind, which is returned.
 * There is room. */
static inline const struct extract_step *add_firsts(const struct extraction *extraction,
                                                    const struct extract_step *step,
                                                    const struct extract_step *end)
{
    struct reading *reading = extraction->reading;
    uint8_t *walked = extraction->scratch->walked;
    const struct capture *captures = extraction->captures;
    uint16_t index = reading->count;
    struct occurrence *occurrence = &reading->occurrences[index];
    for (; step < end && step->first_slot != SLOT_NONE; step++, index++) {
        uint8_t slot = step->first_slot;
        *occurrence++ = (struct occurrence){captures[step->capture].value, step->entry,
                                            READING_NO_OCCURRENCE, slot};
        reading->first[slot] = reading->last[slot] = index;
        walked[slot] = 1;
    }
    extraction->space->occurrence_used += (uint32_t)(index - reading->count);
    reading->count = index;
    return step;
}

/* Adds a value of whatever kind, from its first step on. */
static enum status add_any(struct extraction *extraction, const struct extract_step *step)
{
    const struct value_spec *spec = &extraction->profile->specs[step->spec];
    const struct capture *parts[PROFILE_PARTS_MAX];
    if (extract_is_settled(extraction->reading, spec))
        return STATUS_OK;
    for (uint8_t i = 0; i < step->part_count; i++)
        parts[i] = &extraction->captures[step[i].capture];
    return extract_add_parts(extraction, spec, step->entry, step->part_count > 0 ? parts : NULL);
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
    assert(reading->count == 0);
    if (!has_room(&extraction, count))
        return STATUS_FULL;
    if (profile->recognise.condition_count > 0 &&
        !extract_meets(&extraction, &profile->recognise, meets_condition))
        return STATUS_NOT_FOUND;
    extract_begin_values(reader->scratch);
    for (const struct extract_step *step = steps, *end = steps + count;;) {
        step = add_firsts(&extraction, step, end);
        if (step == end)
            break;
        enum status status = add_any(&extraction, step);
        if (status != STATUS_OK)
            return status;
        step += step->part_count > 1 ? step->part_count : 1;
    }
    return extract_find_missing(reading, profile->required_slots) == SLOT_NONE ? STATUS_OK
                                                                               : STATUS_INVALID;
}

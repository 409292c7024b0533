#include <xxhash.h>

#include "routes/read/extract_parts.h"

/* The size of the first `count` characters, all of them if there are fewer. */
static size_t measure_characters(struct bytes text, size_t count)
{
    size_t at = 0;
    for (; at < text.size && count > 0; count--) {
        at++;
        while (at < text.size && (text.data[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

/* The end of the part that begins at `start`: the next separator, or the end of the value. */
static size_t find_part_end(struct bytes value, struct bytes separator, size_t start)
{
    const uint8_t *at =
        memmem(value.data + start, value.size - start, separator.data, separator.size);
    return at == NULL ? value.size : (size_t)(at - value.data);
}

/* Absent if the value has not so many parts. */
static struct bytes split(const struct value_spec *spec, struct bytes value)
{
    struct bytes separator = spec->split_at;
    int part_count = 1, part = spec->split_part;
    size_t start = 0, end = find_part_end(value, separator, 0);
    if (part < 0) {
        for (size_t at = end; at < value.size; part_count++)
            at = find_part_end(value, separator, at + separator.size);
        part += part_count + 1;
    }
    for (; part > 1 && end < value.size; part--) {
        start = end + separator.size;
        end = find_part_end(value, separator, start);
    }
    return part == 1 ? bytes_trim(bytes_slice(value, start, end - start)) : (struct bytes){0};
}

static struct bytes slice(const struct value_spec *spec, struct bytes value)
{
    value = bytes_slice(value, measure_characters(value, spec->slice_offset), value.size);
    if (spec->slice_size > 0)
        value = bytes_slice(value, 0, measure_characters(value, spec->slice_size));
    return bytes_trim(value);
}

static bool has_digits(struct bytes value, uint16_t count)
{
    if (value.size != count)
        return false;
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
    return true;
}

static bool meets_constraints(const struct value_spec *spec, struct bytes value)
{
    if (spec->digits > 0 && !has_digits(value, spec->digits))
        return false;
    if (spec->size_max == 0)
        return true;
    size_t count = 0;
    for (size_t i = 0; i < value.size; i++)
        count += (value.data[i] & 0xC0) != 0x80;
    return count >= spec->size_min && count <= spec->size_max;
}

/* ---- equal values once -------------------------------------------------------------------------
 *
 * `reading_add` finds an equal value by walking the slot's list, which is fast while it is short. A
 * slot with many values gets a hash set, so that a body of a thousand goods codes costs a thousand
 * look-ups and not half a million. */

/* Seeded by where the scratch happens to lie, so that nobody can prepare values that collide. */
static uint32_t hash_value(const struct extraction *extraction, enum slot slot, uint16_t entry,
                           struct bytes value)
{
    uint64_t seed = (uint64_t)(uintptr_t)extraction->scratch ^ (uint64_t)slot << 56 ^
                    (uint64_t)(slot_is_of_entry(slot) ? entry : 0) << 40;
    return (uint32_t)XXH3_64bits_withSeed(value.data, value.size, seed);
}

/* The slot of the set that has the value, or where it belongs. */
static struct distinct_slot *find_distinct(const struct extraction *extraction, enum slot slot,
                                           uint16_t entry, struct bytes value)
{
    struct extract_scratch *scratch = extraction->scratch;
    uint32_t at = hash_value(extraction, slot, entry, value) % DISTINCT_SLOTS;
    for (;; at = (at + 1) % DISTINCT_SLOTS) {
        struct distinct_slot *place = &scratch->distinct[at];
        if (place->generation != scratch->distinct_generation)
            return place;
        const struct occurrence *known = &extraction->reading->occurrences[place->occurrence];
        if (known->slot == slot && (!slot_is_of_entry(slot) || known->entry == entry) &&
            bytes_equal(known->value, value))
            return place;
    }
}

static void remember_occurrence(const struct extraction *extraction, uint16_t occurrence)
{
    const struct occurrence *added = &extraction->reading->occurrences[occurrence];
    *find_distinct(extraction, (enum slot)added->slot, added->entry, added->value) =
        (struct distinct_slot){occurrence, extraction->scratch->distinct_generation};
}

static enum status add_distinct(struct extraction *extraction, enum slot slot, uint16_t entry,
                                struct bytes value)
{
    struct reading *reading = extraction->reading;
    uint8_t *walked = &extraction->scratch->walked[slot];
    uint16_t count = reading->count;
    if (reading_first(reading, slot) == READING_NO_OCCURRENCE) {
        *walked = 1;
        return reading_append(reading, extraction->space, slot, entry, value);
    }
    if (*walked < DISTINCT_WALK_MAX) {
        enum status status = reading_add(reading, extraction->space, slot, entry, value);
        *walked = (uint8_t)(*walked + (reading->count - count));
        return status;
    }
    if (*walked == DISTINCT_WALK_MAX) {
        for (uint16_t i = reading_first(reading, slot); i != READING_NO_OCCURRENCE;
             i = reading->occurrences[i].next)
            remember_occurrence(extraction, i);
        (*walked)++;
    }
    const struct distinct_slot *place = find_distinct(extraction, slot, entry, value);
    if (place->generation == extraction->scratch->distinct_generation)
        return STATUS_OK;
    enum status status = reading_append(reading, extraction->space, slot, entry, value);
    if (status == STATUS_OK)
        remember_occurrence(extraction, count);
    return status;
}

void extract_begin_values(struct extract_scratch *scratch)
{
    memset(scratch->walked, 0, sizeof scratch->walked);
    if (++scratch->distinct_generation != 0)
        return;
    memset(scratch->distinct, 0, sizeof scratch->distinct);
    scratch->distinct_generation = 1;
}

/* What split, slice and map make of a value; absent if nothing is left of it. */
static struct bytes shape(const struct value_spec *spec, struct bytes value)
{
    if (spec->split_part != 0)
        value = split(spec, value);
    if (spec->sliced && value.size > 0)
        value = slice(spec, value);
    if (spec->map != NULL && value.size > 0)
        value = value_map_apply(spec->map, value);
    return value;
}

enum status extract_add_shaped(struct extraction *extraction, const struct value_spec *spec,
                               uint16_t entry, struct bytes value, uint32_t offset)
{
    struct reading *reading = extraction->reading;
    if (spec->shaped) {
        value = shape(spec, value);
        if (value.size == 0)
            return STATUS_OK;
        if (!meets_constraints(spec, value))
            return extract_refuse(extraction->fault, SCAN_CONSTRAINT, offset,
                                  slot_name(spec->slot));
    }
    enum status status;
    if (!spec->holds_one)
        status = add_distinct(extraction, spec->slot, entry, value);
    else if (reading_first(reading, spec->slot) == READING_NO_OCCURRENCE)
        status = reading_append(reading, extraction->space, spec->slot, entry, value);
    else
        return STATUS_OK;
    if (status == STATUS_TOO_BIG)
        return extract_refuse(extraction->fault, SCAN_TOO_MANY_VALUES, offset,
                              slot_name(spec->slot));
    return status;
}

/* ---- values of several captures -------------------------------------------------------------- */

/* Captures have BYTES_PADDING behind them, and so has the text that values go to. */
static inline void copy_value(uint8_t *to, struct bytes value)
{
    enum { COPIED_BYTES = 32 };
    static_assert(COPIED_BYTES <= BYTES_PADDING, "what is copied beyond a short value is padding");
    if (value.size <= COPIED_BYTES)
        memmove(to, value.data, COPIED_BYTES); /* a value may lie right before */
    else
        memcpy(to, value.data, value.size);
}

static enum status add_joined(struct extraction *extraction, const struct value_spec *spec,
                              uint16_t entry, const struct capture *const *parts)
{
    struct reading_space *space = extraction->space;
    uint32_t offset = parts[0]->offset;
    size_t size = spec->separator.size * (spec->part_count - 1U);
    for (uint8_t part = 0; part < spec->part_count; part++)
        size += parts[part]->value.size;
    if (size > READING_VALUE_BYTES_MAX)
        return extract_refuse(extraction->fault, SCAN_VALUE_TOO_LONG, offset,
                              slot_name(spec->slot));
    if (size > space->text_capacity - space->text_used)
        return STATUS_FULL;
    uint8_t *text = space->text + space->text_used;
    size_t used = 0;
    for (uint8_t part = 0; part < spec->part_count; part++) {
        struct bytes value = parts[part]->value;
        if (part > 0 && spec->separator.size > 0) {
            memcpy(text + used, spec->separator.data, spec->separator.size);
            used += spec->separator.size;
        }
        copy_value(text + used, value);
        used += value.size;
    }
    space->text_used += (uint32_t)size;
    uint16_t count = extraction->reading->count;
    enum status status = extract_add_value(extraction, spec, entry, bytes_make(text, size), offset);
    if (extraction->reading->count == count)
        space->text_used -= (uint32_t)size; /* nobody kept it */
    return status;
}

enum status extract_add_parts(struct extraction *extraction, const struct value_spec *spec,
                              uint16_t entry, const struct capture *const *parts)
{
    if (parts == NULL)
        return extract_add_value(extraction, spec, entry, spec->constant, 0);
    if (spec->part_count > 1)
        return add_joined(extraction, spec, entry, parts);
    return extract_add_value(extraction, spec, entry, parts[0]->value, parts[0]->offset);
}

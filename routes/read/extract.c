/* Captures -> occurrences. First the captures are sorted into bins, one a tapped place, in each bin
 * those outside of entries first, then entry by entry; then each spec takes from its bins. Every
 * step is linear in the captures times the paths that name their place.
 *
 * Which captures a spec takes mostly depends on where they stand, not on what they say: then the
 * way can be noted once (extract_note) and gone again without the bins
 * (routes/read/extract_steps.c). */
#include "routes/dialect/pattern.h"
#include "routes/read/extract_parts.h"

/* A path's place in its bin while entries go by. */
struct bin_cursor {
    struct bin bin;
    uint32_t at;      /* the first capture of the entry at hand, or of a later one */
    uint32_t run_end; /* behind its last capture of the entry at hand */
};

/* The captures that one part has in the entry at hand. */
struct run {
    uint32_t first, end;
};

static bool meets_condition(const struct extraction *extraction,
                            const struct recognise_condition *condition);
static enum status extract_specs(struct extraction *extraction, const struct spec_set *specs);
static enum status extract_number(struct extraction *extraction, uint16_t number);
static enum status extract_single(struct extraction *extraction, const struct value_spec *spec,
                                  const struct bin *bin);
static enum status extract_spec(struct extraction *extraction, const struct value_spec *spec);

size_t extract_scratch_size(void)
{
    return sizeof(struct extract_scratch);
}

void extract_scratch_init(struct extract_scratch *scratch)
{
    memset(scratch, 0, sizeof *scratch);
}

static void leave_out_slot(const struct profile *profile, enum slot slot, struct spec_set *specs,
                           uint64_t *required);

enum status extract(const struct profile *profile, struct reader *reader, size_t body_size,
                    enum slot left_out, struct reading *reading, struct scan_fault *out_fault)
{
    struct extraction extraction = {
        .profile = profile,
        .captures = reader->scan.captures,
        .scratch = reader->scratch,
        .space = &reader->space,
        .reading = reading,
        .fault = out_fault,
    };
    struct spec_set specs;
    uint64_t required = profile->required_slots;
    extract_begin_values(reader->scratch);
    if (!extract_sort(profile, &reader->scan, reader->scratch, &specs))
        return extract_refuse(out_fault, SCAN_TOO_MANY_VALUES, 0, NULL);
    if (!extract_meets(&extraction, &profile->recognise, meets_condition))
        return STATUS_NOT_FOUND;
    if (left_out != SLOT_NONE)
        leave_out_slot(profile, left_out, &specs, &required);
    enum status status = extract_specs(&extraction, &specs);
    if (status != STATUS_OK)
        return status;
    enum slot missing = extract_find_missing(reading, required);
    return missing == SLOT_NONE
               ? STATUS_OK
               : extract_refuse(out_fault, SCAN_MISSING, (uint32_t)body_size, slot_name(missing));
}

bool extract_note(const struct profile *profile, struct reader *reader, struct extract_notes *notes)
{
    struct extraction extraction = {.profile = profile,
                                    .captures = reader->scan.captures,
                                    .scratch = reader->scratch,
                                    .notes = notes};
    struct spec_set specs;
    notes->count = 0;
    notes->slots = 0;
    return profile->filter_count == 0 && profile->content_count == 0 &&
           extract_sort(profile, &reader->scan, reader->scratch, &specs) &&
           extract_specs(&extraction, &specs) == STATUS_OK;
}

static void leave_out_slot(const struct profile *profile, enum slot slot, struct spec_set *specs,
                           uint64_t *required)
{
    *required &= ~(UINT64_C(1) << slot);
    for (uint16_t i = 0; i < profile->spec_count; i++)
        if (profile->specs[i].slot == slot)
            specs->words[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static bool meets_condition(const struct extraction *extraction,
                            const struct recognise_condition *condition)
{
    const struct bin *bin = &extraction->scratch->bins[condition->bin];
    for (uint32_t i = bin->first; i < bin->end; i++)
        if (pattern_matches_any(condition->values, condition->value_count,
                                extract_capture(extraction, i)->value))
            return true;
    return condition->value_count == 0 && bin->first == bin->end;
}

bool extract_meets(const struct extraction *extraction, const struct recognise *recognise,
                   bool (*meets)(const struct extraction *extraction,
                                 const struct recognise_condition *condition))
{
    uint16_t i = 0;
    while (i < recognise->condition_count) {
        uint16_t alternative = recognise->conditions[i].alternative;
        bool holds = true;
        for (;
             i < recognise->condition_count && recognise->conditions[i].alternative == alternative;
             i++)
            holds = holds && meets(extraction, &recognise->conditions[i]);
        if (holds)
            return true;
    }
    return recognise->condition_count == 0;
}

static enum status extract_specs(struct extraction *extraction, const struct spec_set *specs)
{
    for (uint16_t base = 0; base < extraction->profile->spec_count; base += 64)
        for (uint64_t left = specs->words[base / 64]; left != 0; left &= left - 1) {
            uint16_t number = (uint16_t)(base + __builtin_ctzll(left));
            enum status status = extract_number(extraction, number);
            if (status != STATUS_OK)
                return status;
        }
    return STATUS_OK;
}

static enum status extract_number(struct extraction *extraction, uint16_t number)
{
    const struct profile *profile = extraction->profile;
    const struct value_spec *spec = &profile->specs[number];
    uint16_t bin = profile->spec_bins[number];
    return bin == PROFILE_BIN_NONE
               ? extract_spec(extraction, spec)
               : extract_single(extraction, spec, &extraction->scratch->bins[bin]);
}

void read_content(const struct profile *profile, const struct reader *reader,
                  void (*update)(void *context, struct bytes part), void *context)
{
    /* A separator that is no text of any value: values are UTF-8. */
    static const uint8_t value_end = 0xFF, path_end = 0xFE;
    for (uint16_t i = 0; i < profile->content_count; i++) {
        const struct bin *bin = &reader->scratch->bins[profile->content[i].bin];
        for (uint32_t k = bin->first; k < bin->end; k++) {
            update(context, reader->scan.captures[reader->scratch->order[k]].value);
            update(context, bytes_make(&value_end, 1));
        }
        update(context, bytes_make(&path_end, 1));
    }
}

/* ---- one spec over all entries -------------------------------------------------------------- */

/* True once further values of the spec could not count. What is only noted settles nothing. */
static bool is_settled(const struct extraction *extraction, const struct value_spec *spec)
{
    return extraction->notes == NULL && extract_is_settled(extraction->reading, spec);
}

/* What a spec takes: a value for each of its parts, none for a constant. */
static enum status take(struct extraction *extraction, const struct value_spec *spec,
                        uint16_t entry, const struct capture *const *parts)
{
    return extraction->notes == NULL ? extract_add_parts(extraction, spec, entry, parts)
                                     : extract_note_parts(extraction, spec, entry, parts);
}

/* The common case: one path, no join. */
static enum status extract_single(struct extraction *extraction, const struct value_spec *spec,
                                  const struct bin *bin)
{
    uint32_t entry_before = UINT32_MAX;
    for (uint32_t i = bin->first; i < bin->end; i++) {
        const struct capture *capture = extract_capture(extraction, i);
        if (is_settled(extraction, spec))
            break;
        if (!spec->takes_all && capture->entry == entry_before)
            continue;
        entry_before = capture->entry;
        enum status status = take(extraction, spec, capture->entry, &capture);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The k-th value of a run; a single value stands for every k. */
static const struct capture *capture_of_run(const struct extraction *extraction, struct run run,
                                            uint32_t k)
{
    return extract_capture(extraction, run.end - run.first == 1 ? run.first : run.first + k);
}

/* How many values the runs make: a single one goes with all of another part; parts that have
 * different numbers of values cannot be paired, and a wrong pair is worse than none. */
static uint32_t count_tuples(const struct run *runs, uint8_t part_count)
{
    uint32_t tuples = 1;
    for (uint8_t part = 0; part < part_count; part++) {
        uint32_t count = runs[part].end - runs[part].first;
        if (count == 1 || count == tuples)
            continue;
        if (count == 0 || tuples > 1)
            return 0;
        tuples = count;
    }
    return tuples;
}

static enum status add_entry(struct extraction *extraction, const struct value_spec *spec,
                             uint16_t entry, struct run *runs)
{
    if (!spec->takes_all)
        for (uint8_t part = 0; part < spec->part_count; part++)
            if (runs[part].end > runs[part].first)
                runs[part].end = runs[part].first + 1;
    uint32_t tuples = count_tuples(runs, spec->part_count);
    for (uint32_t k = 0; k < tuples; k++) {
        const struct capture *parts[PROFILE_PARTS_MAX];
        for (uint8_t part = 0; part < spec->part_count; part++)
            parts[part] = capture_of_run(extraction, runs[part], k);
        enum status status = take(extraction, spec, entry, parts);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The first alias that has a value in the entry, else the first that has one outside of entries,
 * which serves them all. (Only parts of a join come to that: some part has a value in the entry.)
 */
static struct run choose_alias(const struct value_spec *spec, uint8_t part,
                               const struct bin_cursor *cursors)
{
    uint8_t alias_count = spec->parts[part].alias_count;
    for (uint8_t i = 0; i < alias_count; i++)
        if (cursors[i].run_end > cursors[i].at)
            return (struct run){cursors[i].at, cursors[i].run_end};
    for (uint8_t i = 0; i < alias_count; i++)
        if (cursors[i].bin.message_end > cursors[i].bin.first)
            return (struct run){cursors[i].bin.first, cursors[i].bin.message_end};
    return (struct run){0, 0};
}

static uint32_t open_cursors(const struct extraction *extraction, const struct value_spec *spec,
                             struct bin_cursor *cursors)
{
    uint32_t count = 0;
    for (uint8_t part = 0; part < spec->part_count; part++)
        for (uint8_t i = 0; i < spec->parts[part].alias_count; i++) {
            struct bin bin = extraction->scratch->bins[spec->parts[part].aliases[i].bin];
            cursors[count++] = (struct bin_cursor){bin, bin.first, bin.first};
        }
    return count;
}

/* Moves all cursors to the next entry that any of them has; false behind the last. */
static bool next_entry(const struct extraction *extraction, struct bin_cursor *cursors,
                       uint32_t cursor_count, uint16_t *out_entry)
{
    uint32_t entry = UINT32_MAX;
    for (uint32_t i = 0; i < cursor_count; i++) {
        struct bin_cursor *cursor = &cursors[i];
        cursor->at = cursor->run_end;
        if (cursor->at < cursor->bin.end && extract_capture(extraction, cursor->at)->entry < entry)
            entry = extract_capture(extraction, cursor->at)->entry;
    }
    if (entry == UINT32_MAX)
        return false;
    for (uint32_t i = 0; i < cursor_count; i++) {
        struct bin_cursor *cursor = &cursors[i];
        while (cursor->run_end < cursor->bin.end &&
               extract_capture(extraction, cursor->run_end)->entry == entry)
            cursor->run_end++;
    }
    *out_entry = (uint16_t)entry;
    return true;
}

static enum status extract_spec(struct extraction *extraction, const struct value_spec *spec)
{
    if (spec->constant.data != NULL)
        return take(extraction, spec, 0, NULL);
    struct bin_cursor cursors[PROFILE_PARTS_MAX * PROFILE_ALIASES_MAX];
    uint32_t cursor_count = open_cursors(extraction, spec, cursors);
    uint16_t entry;
    while (!is_settled(extraction, spec) && next_entry(extraction, cursors, cursor_count, &entry)) {
        struct run runs[PROFILE_PARTS_MAX];
        const struct bin_cursor *cursor = cursors;
        for (uint8_t part = 0; part < spec->part_count; part++) {
            runs[part] = choose_alias(spec, part, cursor);
            cursor += spec->parts[part].alias_count;
        }
        enum status status = add_entry(extraction, spec, entry, runs);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

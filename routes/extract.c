/* Captures -> occurrences. First the captures are sorted into bins, one a tapped place, in each bin
 * those outside of entries first, then entry by entry; then each spec takes from its bins. Every
 * step is linear in the captures times the paths that name their place. */
#include "routes/read.h"

#include <assert.h>

enum {
    BINNED_MAX = 4 * SCAN_CAPTURES_MAX, /* a capture stands in its tap's bin and in filters' */
    INSTANCE_SLOTS = 2 * SCAN_CAPTURES_MAX
};

struct bin {
    uint32_t first, end;  /* in `order` */
    uint32_t message_end; /* before it: captures outside of entries */
};

/* A set of instance numbers; what belongs to an older generation is not in it. */
struct instance_slot {
    uint32_t instance, generation;
};

struct extract_scratch {
    struct bin bins[PROFILE_BINS_MAX];
    uint16_t order[BINNED_MAX]; /* captures, bin by bin */
    uint32_t order_count;
    struct instance_slot instances[INSTANCE_SLOTS];
    uint32_t generation;
};

/* What all steps of one extraction share. */
struct extraction {
    const struct capture *captures;
    struct extract_scratch *scratch;
    struct reading_space *space;
    struct reading *reading;
    struct scan_fault *fault;
};

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

static bool sort_into_bins(const struct profile *profile, const struct scan *scan,
                           struct extract_scratch *scratch);
static enum status extract_spec(struct extraction *extraction, const struct value_spec *spec);
static enum status add_value(struct extraction *extraction, const struct value_spec *spec,
                             uint16_t entry, struct bytes value, uint32_t offset);

static enum status refuse(struct scan_fault *fault, enum scan_reason reason, uint32_t offset,
                          const char *what)
{
    *fault = (struct scan_fault){reason, offset, what};
    return STATUS_INVALID;
}

size_t extract_scratch_size(void)
{
    return sizeof(struct extract_scratch);
}

void extract_scratch_init(struct extract_scratch *scratch)
{
    memset(scratch, 0, sizeof *scratch);
}

enum status extract(const struct profile *profile, struct reader *reader, size_t body_size,
                    struct reading *reading, struct scan_fault *out_fault)
{
    struct extraction extraction = {
        .captures = reader->scan.captures,
        .scratch = reader->scratch,
        .space = &reader->space,
        .reading = reading,
        .fault = out_fault,
    };
    reading->profile = profile;
    reading->entry_count = reader->scan.entry_count > 0 ? reader->scan.entry_count : 1;
    if (!sort_into_bins(profile, &reader->scan, reader->scratch))
        return refuse(out_fault, SCAN_TOO_MANY_VALUES, 0, NULL);
    for (uint16_t i = 0; i < profile->spec_count; i++) {
        enum status status = extract_spec(&extraction, &profile->specs[i]);
        if (status != STATUS_OK)
            return status;
    }
    for (uint16_t i = 0; i < profile->spec_count; i++) {
        enum slot slot = profile->specs[i].slot;
        if (profile->specs[i].required && reading_first(reading, slot) == READING_NO_OCCURRENCE)
            return refuse(out_fault, SCAN_MISSING, (uint32_t)body_size, slot_name(slot));
    }
    return STATUS_OK;
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

/* ---- bins -------------------------------------------------------------------------------------
 */

/* Counting sort by tap. Captures come in the order of the document, in which entries ascend but
 * may be followed by more of the message; two passes put the message's own first. */
static void sort_by_tap(const struct plan *plan, const struct scan *scan,
                        struct extract_scratch *scratch)
{
    struct bin *bins = scratch->bins;
    memset(bins, 0, plan->tap_count * sizeof *bins);
    for (uint32_t i = 0; i < scan->capture_count; i++) {
        assert(scan->captures[i].tap < plan->tap_count);
        bins[scan->captures[i].tap].end++;
    }
    uint32_t start = 0;
    for (uint16_t tap = 0; tap < plan->tap_count; tap++) {
        uint32_t count = bins[tap].end;
        bins[tap] = (struct bin){start, start, start};
        start += count;
    }
    for (uint32_t i = 0; i < scan->capture_count; i++)
        if (scan->captures[i].entry == 0) {
            struct bin *bin = &bins[scan->captures[i].tap];
            scratch->order[bin->end++] = (uint16_t)i;
            bin->message_end = bin->end;
        }
    if (scan->entry_count > 0)
        for (uint32_t i = 0; i < scan->capture_count; i++)
            if (scan->captures[i].entry != 0) {
                struct bin *bin = &bins[scan->captures[i].tap];
                scratch->order[bin->end++] = (uint16_t)i;
            }
    scratch->order_count = scan->capture_count;
}

static struct instance_slot *find_instance(struct extract_scratch *scratch, uint32_t instance)
{
    uint32_t slot = instance * UINT32_C(0x9E3779B1) / (UINT32_MAX / INSTANCE_SLOTS + 1);
    while (scratch->instances[slot].generation == scratch->generation &&
           scratch->instances[slot].instance != instance)
        slot = (slot + 1) % INSTANCE_SLOTS;
    return &scratch->instances[slot];
}

/* Begins an empty set. */
static void clear_instances(struct extract_scratch *scratch)
{
    if (++scratch->generation != 0)
        return;
    memset(scratch->instances, 0, sizeof scratch->instances);
    scratch->generation = 1;
}

/* False if `order` has no room left. */
static bool fill_filter(const struct bin_filter *filter, const struct capture *captures,
                        struct extract_scratch *scratch, struct bin *out_bin)
{
    const struct bin *predicates = &scratch->bins[filter->predicate_tap];
    clear_instances(scratch);
    for (uint32_t i = predicates->first; i < predicates->end; i++) {
        const struct capture *capture = &captures[scratch->order[i]];
        if (bytes_equal(capture->value, filter->value))
            *find_instance(scratch, capture->instance) =
                (struct instance_slot){capture->instance, scratch->generation};
    }
    uint32_t start = scratch->order_count;
    struct bin bin = {start, start, start};
    const struct bin *values = &scratch->bins[filter->tap];
    for (uint32_t i = values->first; i < values->end; i++) {
        uint16_t index = scratch->order[i];
        uint32_t instance = captures[index].instance;
        if (find_instance(scratch, instance)->generation != scratch->generation)
            continue;
        if (bin.end == BINNED_MAX)
            return false;
        scratch->order[bin.end++] = index;
        if (captures[index].entry == 0)
            bin.message_end = bin.end;
    }
    scratch->order_count = bin.end;
    *out_bin = bin;
    return true;
}

static bool sort_into_bins(const struct profile *profile, const struct scan *scan,
                           struct extract_scratch *scratch)
{
    assert(scan->capture_count <= SCAN_CAPTURES_MAX);
    sort_by_tap(&profile->plan, scan, scratch);
    for (uint16_t i = 0; i < profile->filter_count; i++)
        if (!fill_filter(&profile->filters[i], scan->captures, scratch,
                         &scratch->bins[PLAN_TAPS_MAX + i]))
            return false;
    return true;
}

/* ---- one spec over all entries ----------------------------------------------------------------
 */

static const struct capture *capture_at(const struct extraction *extraction, uint32_t at)
{
    return &extraction->captures[extraction->scratch->order[at]];
}

/* True once further values of the spec could not count. */
static bool is_settled(const struct extraction *extraction, const struct value_spec *spec)
{
    return !slot_takes_all(spec->slot) &&
           reading_first(extraction->reading, spec->slot) != READING_NO_OCCURRENCE;
}

/* The common case: one path, no join. */
static enum status extract_single(struct extraction *extraction, const struct value_spec *spec)
{
    struct bin bin = extraction->scratch->bins[spec->parts[0].aliases[0].bin];
    uint32_t entry_before = UINT32_MAX;
    for (uint32_t i = bin.first; i < bin.end && !is_settled(extraction, spec); i++) {
        const struct capture *capture = capture_at(extraction, i);
        if (!spec->takes_all && capture->entry == entry_before)
            continue;
        entry_before = capture->entry;
        enum status status =
            add_value(extraction, spec, capture->entry, capture->value, capture->offset);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The k-th value of a run; a single value stands for every k. */
static const struct capture *capture_of_run(const struct extraction *extraction, struct run run,
                                            uint32_t k)
{
    return capture_at(extraction, run.end - run.first == 1 ? run.first : run.first + k);
}

static enum status add_joined(struct extraction *extraction, const struct value_spec *spec,
                              uint16_t entry, const struct run *runs, uint32_t k)
{
    struct reading_space *space = extraction->space;
    uint32_t offset = capture_of_run(extraction, runs[0], k)->offset;
    size_t size = spec->separator.size * (spec->part_count - 1U);
    for (uint8_t part = 0; part < spec->part_count; part++)
        size += capture_of_run(extraction, runs[part], k)->value.size;
    if (size > READING_VALUE_BYTES_MAX)
        return refuse(extraction->fault, SCAN_VALUE_TOO_LONG, offset, slot_name(spec->slot));
    if (size > space->text_capacity - space->text_used)
        return STATUS_FULL;
    uint8_t *text = space->text + space->text_used;
    size_t used = 0;
    for (uint8_t part = 0; part < spec->part_count; part++) {
        struct bytes value = capture_of_run(extraction, runs[part], k)->value;
        if (part > 0 && spec->separator.size > 0) {
            memcpy(text + used, spec->separator.data, spec->separator.size);
            used += spec->separator.size;
        }
        memcpy(text + used, value.data, value.size);
        used += value.size;
    }
    space->text_used += (uint32_t)size;
    return add_value(extraction, spec, entry, bytes_make(text, size), offset);
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
        const struct capture *capture = capture_of_run(extraction, runs[0], k);
        enum status status = spec->part_count > 1 ? add_joined(extraction, spec, entry, runs, k)
                                                  : add_value(extraction, spec, entry,
                                                              capture->value, capture->offset);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The first alias that has a value in the entry; of a join, else the first that has one outside of
 * entries, which serves them all. */
static struct run choose_alias(const struct value_spec *spec, uint8_t part,
                               const struct bin_cursor *cursors)
{
    uint8_t alias_count = spec->parts[part].alias_count;
    for (uint8_t i = 0; i < alias_count; i++)
        if (cursors[i].run_end > cursors[i].at)
            return (struct run){cursors[i].at, cursors[i].run_end};
    for (uint8_t i = 0; i < alias_count && spec->part_count > 1; i++)
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
        if (cursor->at < cursor->bin.end && capture_at(extraction, cursor->at)->entry < entry)
            entry = capture_at(extraction, cursor->at)->entry;
    }
    if (entry == UINT32_MAX)
        return false;
    for (uint32_t i = 0; i < cursor_count; i++) {
        struct bin_cursor *cursor = &cursors[i];
        while (cursor->run_end < cursor->bin.end &&
               capture_at(extraction, cursor->run_end)->entry == entry)
            cursor->run_end++;
    }
    *out_entry = (uint16_t)entry;
    return true;
}

static enum status extract_spec(struct extraction *extraction, const struct value_spec *spec)
{
    if (spec->constant.data != NULL)
        return add_value(extraction, spec, 0, spec->constant, 0);
    if (spec->part_count == 1 && spec->parts[0].alias_count == 1)
        return extract_single(extraction, spec);

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

/* ---- one value --------------------------------------------------------------------------------
 */

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

static enum status add_value(struct extraction *extraction, const struct value_spec *spec,
                             uint16_t entry, struct bytes value, uint32_t offset)
{
    if (spec->sliced)
        value = slice(spec, value);
    if (spec->map != NULL && value.size > 0)
        value = value_map_apply(spec->map, value);
    if (value.size == 0)
        return STATUS_OK;
    if (!meets_constraints(spec, value))
        return refuse(extraction->fault, SCAN_CONSTRAINT, offset, slot_name(spec->slot));
    enum status status =
        reading_add(extraction->reading, extraction->space, spec->slot, entry, value);
    if (status == STATUS_TOO_BIG)
        return refuse(extraction->fault, SCAN_TOO_MANY_VALUES, offset, slot_name(spec->slot));
    return status;
}

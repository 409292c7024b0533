#include <assert.h>

#include "routes/read/extract_parts.h"

enum { TAP_WORDS = PLAN_TAPS_MAX / 64 };

/* Counts each tap's captures in its bin's `end`, and notes the taps in `taps`, a bit each. */
static void count_captures(const struct scan *scan, struct bin *bins, uint64_t taps[TAP_WORDS])
{
    for (uint32_t i = 0; i < scan->capture_count; i++) {
        uint16_t tap = scan->captures[i].tap;
        bins[tap].end++;
        taps[tap / 64] |= UINT64_C(1) << (tap % 64);
    }
}

/* Gives each bin its place in `order`, and notes the specs that may read it. */
static void place_bins(const struct profile *profile, const uint64_t taps[TAP_WORDS],
                       struct bin *bins, struct spec_set *specs)
{
    uint32_t start = 0;
    for (uint32_t word = 0; word < TAP_WORDS; word++)
        for (uint64_t left = taps[word]; left != 0; left &= left - 1) {
            uint32_t tap = word * 64 + (uint32_t)__builtin_ctzll(left), count = bins[tap].end;
            bins[tap] = (struct bin){start, start, start};
            start += count;
            for (uint32_t i = 0; i < sizeof specs->words / sizeof *specs->words; i++)
                specs->words[i] |= profile->tap_specs[tap].words[i];
        }
}

/* Counting sort by tap. Captures come in the order of the document, in which entries ascend but
 * may be followed by more of the message; two passes put the message's own first. */
static void sort_by_tap(const struct profile *profile, const struct scan *scan,
                        struct extract_scratch *scratch, struct spec_set *specs)
{
    struct bin *bins = scratch->bins;
    uint64_t taps[TAP_WORDS] = {0};
    memset(bins, 0, profile->plan.tap_count * sizeof *bins);
    count_captures(scan, bins, taps);
    place_bins(profile, taps, bins, specs);
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
    while (scratch->instances[slot].generation == scratch->instance_generation &&
           scratch->instances[slot].instance != instance)
        slot = (slot + 1) % INSTANCE_SLOTS;
    return &scratch->instances[slot];
}

/* Begins an empty set. */
static void clear_instances(struct extract_scratch *scratch)
{
    if (++scratch->instance_generation != 0)
        return;
    memset(scratch->instances, 0, sizeof scratch->instances);
    scratch->instance_generation = 1;
}

/* False if `order` has no room left. */
static bool fill_filter(const struct bin_filter *filter, const struct capture *captures,
                        struct extract_scratch *scratch, struct bin *out_bin)
{
    const struct bin *predicates = &scratch->bins[filter->predicate_tap];
    clear_instances(scratch);
    for (uint32_t i = predicates->first; i < predicates->end; i++) {
        const struct capture *capture = &captures[scratch->order[i]];
        if (bytes_equal(capture->value, filter->value) != filter->differs)
            *find_instance(scratch, capture->instance) =
                (struct instance_slot){capture->instance, scratch->instance_generation};
    }
    uint32_t start = scratch->order_count;
    struct bin bin = {start, start, start};
    const struct bin *values = &scratch->bins[filter->tap];
    for (uint32_t i = values->first; i < values->end; i++) {
        uint16_t index = scratch->order[i];
        uint32_t instance = captures[index].instance;
        if (find_instance(scratch, instance)->generation != scratch->instance_generation)
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

bool extract_sort(const struct profile *profile, const struct scan *scan,
                  struct extract_scratch *scratch, struct spec_set *out_specs)
{
    assert(scan->capture_count <= SCAN_CAPTURES_MAX);
    *out_specs = profile->constant_specs;
    sort_by_tap(profile, scan, scratch, out_specs);
    for (uint16_t i = 0; i < profile->filter_count; i++)
        if (!fill_filter(&profile->filters[i], scan->captures, scratch,
                         &scratch->bins[PLAN_TAPS_MAX + i]))
            return false;
    return true;
}

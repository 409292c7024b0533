#include <assert.h>

#include "routes/extract_parts.h"

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
        if (bytes_equal(capture->value, filter->value))
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

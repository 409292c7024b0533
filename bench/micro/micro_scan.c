/* `micro scan` and `micro read`: bodies scanned with the taps of their profile, and read as a
 * whole, kind by kind. The reading space is emptied after each batch, as the router does. */
#include <stdio.h>

#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "routes/scan/scan.h"

/* The bodies of one kind. */
struct scanning {
    struct micro_reading *reading;
    const struct micro_bodies *bodies;
    const struct plan *plan;
};

static bool scan(const struct scanning *scanning, struct bytes body)
{
    struct scan *scan = &scanning->reading->reader.scan;
    struct scan_fault fault;
    switch (scanning->plan->format) {
    case FORMAT_XML: return scan_xml(scanning->plan, body, scan, &fault) == STATUS_OK;
    case FORMAT_JSON: return scan_json(scanning->plan, body, scan, &fault) == STATUS_OK;
    default: return scan_edifact(scanning->plan, body, scan, &fault) == STATUS_OK;
    }
}

static uint64_t scan_bodies(void *context)
{
    const struct scanning *scanning = context;
    reader_reset(&scanning->reading->reader);
    for (uint32_t i = 0; i < scanning->bodies->count; i++)
        if (!scan(scanning, scanning->bodies->items[i]) ||
            scanning->reading->reader.scan.capture_count == 0)
            return 0;
    return scanning->bodies->count;
}

static uint64_t read_bodies(void *context)
{
    const struct scanning *scanning = context;
    struct reading reading;
    for (uint32_t i = 0; i < scanning->bodies->count; i++) {
        if (i % 64 == 0)
            reader_reset(&scanning->reading->reader);
        if (!micro_bodies_read(scanning->reading, scanning->bodies->items[i], &reading) ||
            reading.count == 0)
            return 0;
    }
    return scanning->bodies->count;
}

static bool measure(struct micro *micro, struct micro_reading *reading, const char *name,
                    const struct micro_bodies *bodies, uint64_t (*turn)(void *context))
{
    const struct profile *profile;
    struct scan_fault fault;
    if (bodies->count == 0)
        return true;
    if (read_recognise(&reading->profiles, NULL, bodies->items[0], &profile, &fault) != STATUS_OK)
        return false;
    struct scanning scanning = {reading, bodies, &profile->plan};
    const struct micro_case measured = {
        .name = name, .item_bytes = micro_bodies_mean(bodies), .turn = turn, .context = &scanning};
    return micro_measure(micro, &measured);
}

static bool measure_kinds(struct micro *micro, uint64_t (*turn)(void *context))
{
    static struct micro_reading reading;
    bool good = micro_reading_open(&reading);
    good = good && measure(micro, &reading, "event", &reading.events, turn);
    for (unsigned kind = 0; kind < KIND_COUNT && good; kind++)
        good = measure(micro, &reading, form_message_type((enum day_kind)kind),
                       &reading.kinds[kind], turn);
    micro_reading_close(&reading);
    return good;
}

bool micro_scan(struct micro *micro)
{
    return measure_kinds(micro, scan_bodies);
}

bool micro_read(struct micro *micro)
{
    return measure_kinds(micro, read_bodies);
}

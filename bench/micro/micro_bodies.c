#include "bench/micro/micro_bodies.h"

#include <stdio.h>

enum { DAY_MESSAGES = 20000 }; /* enough to have each kind's share */

static void add(struct micro_reading *reading, struct micro_bodies *bodies, const struct day *day,
                uint32_t index)
{
    static uint8_t text[DAY_MESSAGE_BYTES_MAX];
    if (bodies->count == MICRO_BODIES_OF_A_KIND)
        return;
    size_t size = day_render(day, index, text);
    uint8_t *copy = arena_allocate(&reading->arena, size + BYTES_PADDING);
    memcpy(copy, text, size);
    memset(copy + size, 0, BYTES_PADDING);
    bodies->items[bodies->count++] = bytes_make(copy, size);
    bodies->bytes += size;
}

/* Fresh messages only: all of them can be read. */
static bool add_kinds(struct micro_reading *reading)
{
    const struct day_settings settings = {.seed = 1,
                                          .message_count = DAY_MESSAGES,
                                          .stream_count = EPORT_COUNT,
                                          .event_bytes = MICRO_EVENT_BYTES};
    struct day day;
    if (day_open(&settings, &day) != STATUS_OK)
        return false;
    for (uint32_t i = 0; i < DAY_MESSAGES; i++)
        if (day.messages[i].fate == FATE_FRESH)
            add(reading, &reading->kinds[day.messages[i].kind], &day, i);
    day_close(&day);
    return true;
}

static bool add_events(struct micro_reading *reading)
{
    const struct day_settings settings = {.seed = 1,
                                          .message_count = MICRO_BODIES_OF_A_KIND,
                                          .stream_count = EPORT_COUNT,
                                          .mix = MIX_EVENTS,
                                          .event_bytes = MICRO_EVENT_BYTES};
    struct day day;
    if (day_open(&settings, &day) != STATUS_OK)
        return false;
    for (uint32_t i = 0; i < MICRO_BODIES_OF_A_KIND; i++)
        add(reading, &reading->events, &day, i);
    day_close(&day);
    return true;
}

bool micro_reading_open(struct micro_reading *reading)
{
    static struct profile_list list;
    struct diagnostics diagnostics;
    *reading = (struct micro_reading){0};
    list.count = 0;
    arena_init(&reading->arena);
    diagnostics_init(&diagnostics);
    profile_parse_shipped(&reading->arena, &list, &diagnostics);
    profile_set_build(&reading->arena, &list, &reading->profiles, &diagnostics);
    diagnostics_deinit(&diagnostics);
    bool good =
        reader_open(&reading->reader, READING_OCCURRENCES_MAX, MICRO_TEXT_BYTES) == STATUS_OK &&
        add_kinds(reading) && add_events(reading);
    if (!good)
        fputs("kouan-bench: there is not enough memory\n", stderr);
    return good;
}

void micro_reading_close(struct micro_reading *reading)
{
    if (reading->reader.memory != NULL)
        reader_close(&reading->reader);
    arena_deinit(&reading->arena);
}

bool micro_bodies_read(struct micro_reading *reading, struct bytes body,
                       struct reading *out_reading)
{
    struct scan_fault fault;
    enum status status =
        read_message(&reading->profiles, NULL, &reading->reader, body, out_reading, &fault);
    if (status != STATUS_OK)
        fprintf(stderr, "kouan-bench: a generated message cannot be read: %s at byte %u\n",
                scan_reason_word(fault.reason), fault.offset);
    return status == STATUS_OK;
}

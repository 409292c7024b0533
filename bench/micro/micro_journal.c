/* `micro journal`: records of events appended to the log in memory, as io/intake/append.c does:
 * room, head, destinations, body. With a disk, blocks are sealed with a checksum when they are
 * full; what a write costs is `kouan-bench disk`'s to say. */
#include <stdio.h>

#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "core/journal.h"
#include "core/record.h"

enum {
    SEGMENT_BYTES = 64 * 1024 * 1024,
    SMOKE_SEGMENT_BYTES = 4 * 1024 * 1024,
    BLOCK_BYTES = 256 * 1024,
    BATCH = 64
};

struct appending {
    struct journal journal;
    const struct micro_bodies *bodies;
    uint64_t wall_ms;
};

static bool append(struct appending *appending, struct bytes body)
{
    struct journal *journal = &appending->journal;
    struct record_head *head;
    uint64_t position;
    uint32_t size = record_size(1, 0, 0, (uint32_t)body.size, 0);
    if (journal_reserve(journal, size, &head, &position) != STATUS_OK)
        return false;
    struct record *record = (struct record *)(void *)head;
    *record = (struct record){.head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                              .id = journal_next_id(journal, appending->wall_ms),
                              .body_bytes = (uint32_t)body.size,
                              .entry_count = 1,
                              .destination_count = 1,
                              .part_number = 1,
                              .part_count = 1};
    record_destinations(record)[0] = 0;
    memcpy((uint8_t *)(uintptr_t)record_whole(record).data, body.data, body.size);
    journal_commit_record(journal, head);
    return true;
}

/* A batch a millisecond, and all of it durable at once: the disk is not measured. */
static uint64_t append_bodies(void *context)
{
    struct appending *appending = context;
    struct journal *journal = &appending->journal;
    for (uint32_t i = 0; i < appending->bodies->count; i++) {
        if (i % BATCH == 0) {
            journal_set_time(journal, ++appending->wall_ms);
            journal_set_durable(journal, journal->end_position);
            journal_keep_from(journal, journal->end_position);
        }
        if (!append(appending, appending->bodies->items[i]))
            return 0;
    }
    return appending->bodies->count;
}

static bool measure(struct micro *micro, const struct micro_bodies *bodies, bool in_memory,
                    const char *name)
{
    uint32_t segment = micro->settings->is_smoke ? SMOKE_SEGMENT_BYTES : SEGMENT_BYTES;
    const struct journal_settings settings = {.memory_bytes = 2 * (uint64_t)segment,
                                              .segment_bytes = segment,
                                              .block_bytes = BLOCK_BYTES,
                                              .in_memory = in_memory,
                                              .incarnation = 1};
    struct appending appending = {.bodies = bodies, .wall_ms = 1};
    const struct micro_case measured = {.name = name,
                                        .item_bytes = micro_bodies_mean(bodies),
                                        .turn = append_bodies,
                                        .context = &appending};
    if (journal_open(&appending.journal, &settings) != STATUS_OK) {
        fputs("kouan-bench: there is not enough memory for a journal\n", stderr);
        return false;
    }
    if (!in_memory)
        journal_set_limit(&appending.journal, UINT64_MAX / 2 / segment * segment);
    bool good = micro_measure(micro, &measured);
    journal_close(&appending.journal);
    return good;
}

bool micro_journal(struct micro *micro)
{
    static struct micro_reading reading;
    bool good = micro_reading_open(&reading) &&
                measure(micro, &reading.events, false, "event, blocks sealed") &&
                measure(micro, &reading.events, true, "event, memory");
    micro_reading_close(&reading);
    return good;
}

/* `micro reply`: what is written to a client for a message: its receipt, and it itself as an entry
 * of XREADGROUP's answer. */
#include <stdio.h>

#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "io/resp/resp.h"

enum { OUTPUT_BYTES = 1024 * 1024 };

struct replying {
    const struct micro_bodies *bodies;
    uint8_t output[OUTPUT_BYTES];
};

static const uint64_t first_ms = UINT64_C(1764000000000);

static uint64_t write_receipts(void *context)
{
    struct replying *replying = context;
    struct resp_writer writer;
    resp_writer_init(&writer, 2, replying->output, sizeof replying->output);
    for (uint32_t i = 0; i < replying->bodies->count; i++)
        resp_write_id(&writer, first_ms, (uint64_t)i << 8);
    return writer.overflowed ? 0 : replying->bodies->count;
}

/* With two fields beside the body, as destinations choose some. */
static uint64_t write_entries(void *context)
{
    struct replying *replying = context;
    struct resp_writer writer;
    resp_writer_init(&writer, 2, replying->output, sizeof replying->output);
    for (uint32_t i = 0; i < replying->bodies->count; i++) {
        resp_write_array(&writer, 2);
        resp_write_id(&writer, first_ms, (uint64_t)i << 8);
        resp_write_array(&writer, 6);
        resp_write_bulk(&writer, BYTES_LITERAL("body"));
        resp_write_bulk(&writer, replying->bodies->items[i]);
        resp_write_bulk(&writer, BYTES_LITERAL("message_type"));
        resp_write_bulk(&writer, BYTES_LITERAL("DECLSTATUS"));
        resp_write_bulk(&writer, BYTES_LITERAL("verdict"));
        resp_write_bulk(&writer, BYTES_LITERAL("fresh"));
    }
    return writer.overflowed ? 0 : replying->bodies->count;
}

bool micro_reply(struct micro *micro)
{
    static struct micro_reading reading;
    static struct replying replying;
    replying.bodies = &reading.events;
    bool good = micro_reading_open(&reading);
    if (good) {
        const struct micro_case receipt = {"receipt", 0, write_receipts, &replying};
        const struct micro_case entry = {"entry, event", micro_bodies_mean(&reading.events),
                                         write_entries, &replying};
        good = micro_measure(micro, &receipt) && micro_measure(micro, &entry);
    }
    micro_reading_close(&reading);
    return good;
}

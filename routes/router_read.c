#include "routes/router_read.h"

static enum status read_arrival(struct router_reader *stage, const struct generation *generation,
                                const struct arrival *arrival, struct routing *routings,
                                uint32_t capacity, uint32_t *out_count);
static enum status read_whole(struct router_reader *stage, const struct generation *generation,
                              struct routing *routing);
static enum status read_parts(struct router_reader *stage, const struct generation *generation,
                              const struct arrival *arrival, struct routing *routings,
                              uint32_t count);
static enum status finish(struct router_reader *stage, enum status status, struct routing *routing);

uint32_t router_read(struct router_reader *stage, const struct generation *generation,
                     const struct arrival *arrivals, uint32_t count, struct routing *routings,
                     uint32_t *out_routing_count)
{
    uint32_t arrival = 0, routing_count = 0;
    reader_reset(&stage->reader);
    for (; arrival < count && routing_count < ROUTER_BATCH_MAX; arrival++) {
        uint32_t part_count;
        stage->is_first = arrival == 0;
        if (read_arrival(stage, generation, &arrivals[arrival], &routings[routing_count],
                         ROUTER_BATCH_MAX - routing_count, &part_count) != STATUS_OK)
            break;
        routing_count += part_count;
    }
    assert(arrival > 0);
    *out_routing_count = routing_count;
    return arrival;
}

static void begin(struct routing *routing, const struct arrival *arrival, uint32_t number,
                  uint32_t count)
{
    routing->arrival = arrival;
    routing->part_number = (uint16_t)number;
    routing->part_count = (uint16_t)count;
    routing->body = routing->whole = arrival->body;
    routing->refused = false;
    routing->fault = (struct scan_fault){0};
    routing->rejecting_rule = NULL;
    routing->offending = (struct bytes){0};
}

/* FULL when the batch has used up the reader or the routings, never for its first arrival; else OK:
 * read, or refused. Only what is no message by itself is looked at for several. */
static enum status read_arrival(struct router_reader *stage, const struct generation *generation,
                                const struct arrival *arrival, struct routing *routings,
                                uint32_t capacity, uint32_t *out_count)
{
    begin(&routings[0], arrival, 1, 1);
    enum status status = read_whole(stage, generation, &routings[0]);
    *out_count = 1;
    if (status != STATUS_OK || !routings[0].refused)
        return status;
    struct scan_fault fault = routings[0].fault;
    uint32_t part_count = read_split(arrival->body, stage->parts, &fault);
    if (part_count == 0 && routings[0].fault.reason == SCAN_MANY_MESSAGES)
        routings[0].fault = fault;
    if (part_count < 2)
        return STATUS_OK;
    *out_count = part_count;
    if (part_count > capacity)
        return STATUS_FULL;
    return read_parts(stage, generation, arrival, routings, part_count);
}

static enum status read_whole(struct router_reader *stage, const struct generation *generation,
                              struct routing *routing)
{
    const struct arrival *arrival = routing->arrival;
    enum status status =
        read_message(&generation->profiles, arrival->channel->profiles, &stage->reader,
                     arrival->body, &routing->reading, &routing->fault);
    return finish(stage, status, routing);
}

/* ---- parts ---- */

static uint32_t offset_in(struct bytes body, struct bytes view)
{
    return (uint32_t)(view.data - body.data);
}

/* Puts envelope and body of a part together. INVALID, or FULL. */
static enum status gather(struct reading_space *space, const struct edifact_part *part,
                          struct routing *routing)
{
    const struct bytes mark =
        part->syntax.byte_order_mark ? BYTES_LITERAL("\xEF\xBB\xBF") : (struct bytes){0};
    const struct bytes pieces[] = {mark, part->advice, part->interchange, part->group,
                                   part->message};
    size_t size = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        size += pieces[i].size;
    routing->body = part->message;
    if (size - part->message.size > ROUTER_ENVELOPE_BYTES_MAX) {
        routing->fault = (struct scan_fault){SCAN_VALUE_TOO_LONG,
                                             offset_in(routing->arrival->body, part->message),
                                             "UNA, UNB and UNG are longer than 1024 bytes"};
        return STATUS_INVALID;
    }
    if (size > space->text_capacity - space->text_used)
        return STATUS_FULL;
    uint8_t *at = space->text + space->text_used;
    routing->whole = bytes_make(at, size);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; at += pieces[i++].size)
        if (pieces[i].size > 0)
            memcpy(at, pieces[i].data, pieces[i].size);
    space->text_used += (uint32_t)size;
    return STATUS_OK;
}

static enum status read_one_part(struct router_reader *stage, const struct generation *generation,
                                 const struct edifact_part *part, struct routing *routing)
{
    const struct arrival *arrival = routing->arrival;
    enum status status = gather(&stage->reader.space, part, routing);
    if (status == STATUS_OK)
        status = read_part(&generation->profiles, arrival->channel->profiles, &stage->reader,
                           arrival->body, part, &routing->reading, &routing->fault);
    return finish(stage, status, routing);
}

static enum status read_parts(struct router_reader *stage, const struct generation *generation,
                              const struct arrival *arrival, struct routing *routings,
                              uint32_t count)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        begin(&routings[i], arrival, i + 1, count);
        status = read_one_part(stage, generation, &stage->parts[i], &routings[i]);
    }
    return status;
}

/* ---- either ---- */

/* Fields of the connection and the recogniser, which rules match on like any other. */
static enum status add_session_fields(struct router_reader *stage, struct routing *routing)
{
    struct reading *reading = &routing->reading;
    struct reading_space *space = &stage->reader.space;
    const struct participant *participant = routing->arrival->participant;
    enum status status =
        reading_append(reading, space, SLOT_PARTICIPANT, 0, participant->name_bytes);
    for (uint16_t i = 0; status == STATUS_OK && i < participant->role_count; i++)
        status = reading_add(reading, space, SLOT_ROLE, 0, participant->roles[i]);
    if (status == STATUS_OK)
        status = reading_append(reading, space, SLOT_PROFILE, 0, reading->profile->name_bytes);
    return status;
}

/* FULL, or OK with the message read or refused. */
static enum status finish(struct router_reader *stage, enum status status, struct routing *routing)
{
    if (status == STATUS_OK)
        status = add_session_fields(stage, routing);
    /* An arrival that is too much for an empty reader is so for any. */
    if (status == STATUS_TOO_BIG || (status == STATUS_FULL && stage->is_first)) {
        routing->fault = (struct scan_fault){.reason = SCAN_TOO_MANY_VALUES};
        status = STATUS_INVALID;
    }
    if (status == STATUS_INVALID) {
        routing->refused = true;
        routing->refusal = REFUSAL_REJECTED;
        status = STATUS_OK;
    }
    return status;
}

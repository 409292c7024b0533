#include "bench/load/consumer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/wire/request.h"

enum {
    ACKNOWLEDGE_BYTES_EACH = 64, /* an id of two 64-bit numbers as an argument */
    ENTRY_FIELDS_MAX = 64
};

enum status consumer_open(const struct consumer_settings *settings, struct consumer *out_consumer)
{
    assert(settings->batch >= 1 && settings->batch <= CONSUMER_BATCH_MAX);
    struct consumer consumer = {.settings = *settings};
    enum status status = wire_open(&consumer.wire, CONSUMER_INPUT_BYTES, CONSUMER_OUTPUT_BYTES);
    consumer.acknowledge = malloc((size_t)settings->batch * ACKNOWLEDGE_BYTES_EACH);
    consumer.delivery_ns = calloc(1, sizeof *consumer.delivery_ns);
    if (consumer.acknowledge == NULL || consumer.delivery_ns == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *out_consumer = consumer;
    else
        consumer_close(&consumer);
    return status;
}

void consumer_close(struct consumer *consumer)
{
    wire_close(&consumer->wire);
    free(consumer->acknowledge);
    free(consumer->delivery_ns);
    *consumer = (struct consumer){.wire.descriptor = -1};
}

static void append_words(struct consumer *consumer, const char *words)
{
    struct wire *wire = &consumer->wire;
    size_t room = wire_room(wire);
    wire_commit(wire, request_write_words(wire_room_start(wire), room, words));
}

static void append_read(struct consumer *consumer)
{
    const struct consumer_settings *settings = &consumer->settings;
    char words[512], from[48] = ">";
    if (consumer->reads_again)
        snprintf(from, sizeof from, "%" PRIu64 "-%" PRIu64, consumer->last.ms, consumer->last.seq);
    int size =
        snprintf(words, sizeof words,
                 "XREADGROUP GROUP %s bench COUNT %" PRIu32 " BLOCK %" PRIu32 " STREAMS %s %s",
                 settings->group, settings->batch, settings->block_ms, settings->destination, from);
    assert(size > 0 && (size_t)size < sizeof words);
    append_words(consumer, words);
}

static void append_acknowledgement(struct consumer *consumer)
{
    struct wire *wire = &consumer->wire;
    size_t room = wire_room(wire);
    assert(room >= consumer->acknowledge_size + 512);
    (void)room;
    uint8_t *out = wire_room_start(wire), *at = out;
    at += request_write_head(at, 3U + consumer->acknowledge_count);
    at += request_write_argument(at, BYTES_LITERAL("XACK"));
    at += request_write_argument(at, bytes_from_text(consumer->settings.destination));
    at += request_write_argument(at, bytes_from_text(consumer->settings.group));
    at = mempcpy(at, consumer->acknowledge, consumer->acknowledge_size);
    wire_commit(wire, (size_t)(at - out));
    consumer->acknowledge_count = 0;
    consumer->acknowledge_size = 0;
}

enum status consumer_connect(struct consumer *consumer)
{
    enum status status = wire_connect(&consumer->wire, consumer->settings.target);
    if (status != STATUS_OK)
        return status;
    consumer->awaits = AWAITS_READ;
    if (consumer->settings.login != NULL) {
        consumer->awaits = AWAITS_LOGIN;
        append_words(consumer, consumer->settings.login);
    }
    append_read(consumer);
    return STATUS_OK;
}

void consumer_disconnected(struct consumer *consumer)
{
    wire_drop(&consumer->wire);
    consumer->reconnects++;
    consumer->reads_again = true;
    consumer->last = (struct record_id){0};
    consumer->acknowledge_count = 0;
    consumer->acknowledge_size = 0;
}

static enum status give_up(struct consumer *consumer, const char *what, struct bytes text)
{
    snprintf(consumer->problem, sizeof consumer->problem, "%s: %.*s", what,
             text.size < 100 ? (int)text.size : 100, (const char *)text.data);
    return STATUS_INVALID;
}

/* ---- Entries --------------------------------------------------------------------------------- */

static enum status expect(struct bytes input, size_t *at, enum reply_kind kind,
                          struct reply *out_reply)
{
    enum status status = reply_read(input, at, out_reply);
    return status == STATUS_OK && out_reply->kind != kind ? STATUS_INVALID : status;
}

static enum status read_fields(struct bytes input, size_t *at, struct delivery *delivery)
{
    struct reply head, name, value;
    enum status status = reply_read(input, at, &head);
    if (status != STATUS_OK || head.kind == REPLY_NULL) /* an entry that is no longer there */
        return status;
    if (head.kind != REPLY_ARRAY || head.integer > 2 * ENTRY_FIELDS_MAX)
        return STATUS_INVALID;
    for (int64_t i = 0; i + 1 < head.integer; i += 2) {
        status = expect(input, at, REPLY_BULK, &name);
        if (status == STATUS_OK)
            status = expect(input, at, REPLY_BULK, &value);
        if (status != STATUS_OK)
            return status;
        if (bytes_equal_text(name.text, "body"))
            delivery->body = value.text;
        else if (bytes_equal_text(name.text, "message_type"))
            delivery->message_type = value.text;
        else if (bytes_equal_text(name.text, "verdict"))
            delivery->verdict = value.text;
    }
    return STATUS_OK;
}

/* The whole entry at `*at`, or nothing of it. */
static enum status read_entry(struct consumer *consumer, struct bytes input, size_t *at,
                              struct delivery *out_delivery)
{
    struct reply reply;
    struct delivery delivery = {.again = consumer->reads_again};
    size_t end = *at;
    enum status status = expect(input, &end, REPLY_ARRAY, &reply);
    if (status == STATUS_OK)
        status = expect(input, &end, REPLY_BULK, &reply);
    if (status != STATUS_OK)
        return status;
    if (!record_id_parse(reply.text, &delivery.id))
        return STATUS_INVALID;
    struct bytes id = reply.text;
    status = read_fields(input, &end, &delivery);
    if (status != STATUS_OK)
        return status;
    consumer->acknowledge_size +=
        request_write_argument(consumer->acknowledge + consumer->acknowledge_size, id);
    consumer->acknowledge_count++;
    *out_delivery = delivery;
    *at = end;
    return STATUS_OK;
}

static void check(struct consumer *consumer, struct delivery *deliveries, uint32_t count,
                  uint64_t now_ns)
{
    const struct consumer_settings *settings = &consumer->settings;
    checker_deliver(settings->checker, settings->outlet, deliveries, count);
    for (uint32_t i = 0; i < count; i++) {
        if (deliveries[i].index == DAY_NO_MESSAGE)
            continue;
        uint64_t sent_ns =
            settings->start_ns + (uint64_t)settings->sent_us[deliveries[i].index] * 1000;
        histogram_record(consumer->delivery_ns, now_ns > sent_ns ? now_ns - sent_ns : 0);
    }
}

static void finish_read(struct consumer *consumer, bool is_empty)
{
    if (is_empty)
        consumer->reads_again = false;
    consumer->awaits = AWAITS_READ;
    if (consumer->acknowledge_count > 0) {
        append_acknowledgement(consumer);
        consumer->awaits = AWAITS_ACKNOWLEDGEMENT;
    }
    append_read(consumer);
}

/* Entries come and are checked in batches while the rest of the reply is still on its way. */
static enum status take_entries(struct consumer *consumer, struct bytes input, size_t *at,
                                uint64_t now_ns)
{
    struct delivery deliveries[CHECKER_BATCH_MAX];
    enum status status = STATUS_OK;
    while (consumer->entries_left > 0 && status == STATUS_OK) {
        uint32_t count = 0;
        while (count < CHECKER_BATCH_MAX && count < consumer->entries_left) {
            status = read_entry(consumer, input, at, &deliveries[count]);
            if (status != STATUS_OK)
                break;
            count++;
        }
        check(consumer, deliveries, count, now_ns);
        consumer->entries_left -= count;
        if (count > 0)
            consumer->last = deliveries[count - 1].id;
    }
    if (status == STATUS_INVALID)
        return give_up(consumer, "an entry of a form unknown", bytes_slice(input, *at, 60));
    if (consumer->entries_left == 0)
        finish_read(consumer, false);
    return status;
}

/* `*1 *2 $destination *n`, all of it or nothing. */
static enum status take_read_head(struct consumer *consumer, struct bytes input, size_t *at)
{
    struct reply reply;
    size_t end = *at;
    enum status status = reply_read(input, &end, &reply);
    if (status != STATUS_OK)
        return status;
    if (reply.kind == REPLY_ERROR)
        return give_up(consumer, "a read refused", reply.text);
    if (reply.kind == REPLY_NULL) {
        *at = end;
        finish_read(consumer, true);
        return STATUS_OK;
    }
    status = expect(input, &end, REPLY_ARRAY, &reply);
    if (status == STATUS_OK)
        status = expect(input, &end, REPLY_BULK, &reply);
    if (status == STATUS_OK)
        status = expect(input, &end, REPLY_ARRAY, &reply);
    if (status == STATUS_INCOMPLETE)
        return status;
    if (status != STATUS_OK || reply.integer > consumer->settings.batch)
        return give_up(consumer, "a read's answer of a form unknown", bytes_slice(input, *at, 60));
    *at = end;
    consumer->entries_left = (uint32_t)reply.integer;
    consumer->awaits = AWAITS_ENTRIES;
    if (consumer->entries_left == 0)
        finish_read(consumer, true);
    return STATUS_OK;
}

static enum status take_simple(struct consumer *consumer, struct bytes input, size_t *at)
{
    struct reply reply;
    enum status status = reply_read(input, at, &reply);
    if (status != STATUS_OK)
        return status;
    if (consumer->awaits == AWAITS_LOGIN && reply.kind != REPLY_SIMPLE)
        return give_up(consumer, "login refused", reply.text);
    if (consumer->awaits == AWAITS_ACKNOWLEDGEMENT) {
        if (reply.kind != REPLY_INTEGER)
            return give_up(consumer, "an acknowledgement refused", reply.text);
        consumer->acknowledged += (uint64_t)reply.integer;
    }
    consumer->awaits = AWAITS_READ;
    return STATUS_OK;
}

enum status consumer_receive(struct consumer *consumer, uint64_t now_ns)
{
    enum status received = wire_receive(&consumer->wire), status = STATUS_OK;
    struct bytes input = wire_input(&consumer->wire);
    size_t at = 0;
    while (status == STATUS_OK && (at < input.size)) {
        switch (consumer->awaits) {
        case AWAITS_LOGIN:
        case AWAITS_ACKNOWLEDGEMENT: status = take_simple(consumer, input, &at); break;
        case AWAITS_READ: status = take_read_head(consumer, input, &at); break;
        case AWAITS_ENTRIES: status = take_entries(consumer, input, &at, now_ns); break;
        }
    }
    wire_consume(&consumer->wire, at);
    if (status != STATUS_OK && status != STATUS_INCOMPLETE)
        return status;
    return received;
}

enum status consumer_send(struct consumer *consumer)
{
    return wire_flush(&consumer->wire);
}

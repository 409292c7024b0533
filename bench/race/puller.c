#include "bench/race/puller.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>

#include "bench/wire/request.h"

enum {
    READ_INPUT_BYTES = 2 * 1024 * 1024,
    READ_OUTPUT_BYTES = 4096,
    SUBSCRIBE_MS = 5000, /* for its answer */
    ACKNOWLEDGE_INPUT_BYTES = 4096,
    ID_BYTES_MAX = 48, /* as an argument */
    ACKNOWLEDGE_BYTES_MAX =
        REQUEST_HEAD_BYTES_MAX + PULLER_COMMAND_BYTES_MAX + PULLER_BATCH_MAX * ID_BYTES_MAX,
    ACKNOWLEDGE_OUTPUT_BYTES = 16 * ACKNOWLEDGE_BYTES_MAX
};

static void append(struct pulling_fields *fields, const char *text)
{
    assert(fields->size + strlen(text) + REQUEST_ARGUMENT_BYTES_ADDED <= sizeof fields->text);
    fields->size += request_write_argument(fields->text + fields->size, bytes_from_text(text));
}

void pulling_init(struct pulling *pulling)
{
    pulling->fields = pulling->has_fields ? BYTES_LITERAL("*6\r\n") : BYTES_LITERAL("*2\r\n");
    for (uint32_t kind = 0; kind < KIND_COUNT && pulling->has_fields; kind++) {
        struct pulling_fields *fields = &pulling->of_kind[kind];
        fields->size = 0;
        append(fields, "message_type");
        append(fields, form_message_type((enum day_kind)kind));
        append(fields, "verdict");
        append(fields, "fresh");
    }
}

enum status puller_open(const struct puller_settings *settings, struct puller *out_puller)
{
    char words[128];
    struct puller puller = {.consumer = settings->consumer,
                            .batch = settings->batch,
                            .is_pushed = settings->is_pushed,
                            .acknowledging.descriptor = -1};
    assert(settings->batch >= 1 && settings->batch <= PULLER_BATCH_MAX);
    snprintf(words, sizeof words, "XREADGROUP GROUP %.16s c%u COUNT %u BLOCK %u STREAMS %.16s >",
             settings->group, settings->consumer, settings->batch, settings->block_ms,
             settings->stream);
    puller.read_size = request_write_words(puller.read, sizeof puller.read, words);
    const struct bytes acknowledge[] = {BYTES_LITERAL("XACK"), bytes_from_text(settings->stream),
                                        bytes_from_text(settings->group)};
    for (size_t i = 0; i < sizeof acknowledge / sizeof *acknowledge; i++)
        puller.acknowledge_size +=
            request_write_argument(puller.acknowledge + puller.acknowledge_size, acknowledge[i]);
    enum status status = wire_open(&puller.reading, READ_INPUT_BYTES, READ_OUTPUT_BYTES);
    if (status == STATUS_OK && !puller.is_pushed)
        status =
            wire_open(&puller.acknowledging, ACKNOWLEDGE_INPUT_BYTES, ACKNOWLEDGE_OUTPUT_BYTES);
    if (status == STATUS_OK)
        *out_puller = puller;
    else
        wire_close(&puller.reading);
    return status;
}

void puller_close(struct puller *puller)
{
    wire_close(&puller->reading);
    wire_close(&puller->acknowledging);
}

/* Waits for the answer: what is published after it comes. */
static enum status subscribe(struct puller *puller)
{
    static const char request[] = "SUBSCRIBE\r\n", answer[] = "+OK\r\n";
    struct wire *wire = &puller->reading;
    memcpy(wire_room_start(wire), request, sizeof request - 1);
    wire_commit(wire, sizeof request - 1);
    enum status status = wire_flush(wire);
    while (status == STATUS_OK && wire_input(wire).size < sizeof answer - 1) {
        struct pollfd polled = {.fd = wire->descriptor, .events = POLLIN};
        status = poll(&polled, 1, SUBSCRIBE_MS) == 1 ? wire_receive(wire) : STATUS_IO;
    }
    wire_consume(wire, status == STATUS_OK ? sizeof answer - 1 : 0);
    return status;
}

enum status puller_connect(struct puller *puller, const struct target *target)
{
    enum status status = wire_connect(&puller->reading, target);
    if (status != STATUS_OK)
        return status;
    return puller->is_pushed ? subscribe(puller) : wire_connect(&puller->acknowledging, target);
}

/* ---- Reads ----------------------------------------------------------------------------------- */

/* The next read goes out when what it brings can be acknowledged. */
static enum status read_on(struct puller *puller)
{
    puller->must_read = wire_room(&puller->acknowledging) < ACKNOWLEDGE_BYTES_MAX;
    if (puller->must_read)
        return STATUS_OK;
    assert(wire_room(&puller->reading) >= puller->read_size);
    memcpy(wire_room_start(&puller->reading), puller->read, puller->read_size);
    wire_commit(&puller->reading, puller->read_size);
    return wire_flush(&puller->reading);
}

enum status puller_start(struct puller *puller)
{
    return puller->is_pushed ? STATUS_OK : read_on(puller);
}

enum status puller_flush(struct puller *puller)
{
    if (puller->is_pushed)
        return STATUS_OK;
    enum status status = wire_flush(&puller->acknowledging);
    if (status == STATUS_OK)
        status = wire_flush(&puller->reading);
    return status == STATUS_OK && puller->must_read ? read_on(puller) : status;
}

static void begin_acknowledgement(struct puller *puller, uint32_t count)
{
    struct wire *wire = &puller->acknowledging;
    uint8_t *out = wire_room_start(wire);
    size_t size = request_write_head(out, count + 3);
    memcpy(out + size, puller->acknowledge, puller->acknowledge_size);
    wire_commit(wire, size + puller->acknowledge_size);
}

static enum status give_up(struct pulling *pulling, const char *what, struct bytes seen)
{
    int shown = seen.size < 80 ? (int)seen.size : 80;
    if (pulling->problem[0] == '\0')
        snprintf(pulling->problem, sizeof pulling->problem, "%s: %.*s", what, shown,
                 (const char *)seen.data);
    return STATUS_INVALID;
}

/* `*1 *2 <stream> *<count>`, all of it or nothing; or nothing new. */
static enum status take_head(struct pulling *pulling, struct puller *puller, struct bytes input,
                             size_t *at)
{
    static const enum reply_kind kinds[] = {REPLY_ARRAY, REPLY_ARRAY, REPLY_BULK, REPLY_ARRAY};
    struct reply reply = {0};
    size_t end = *at;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        enum status status = reply_read(input, &end, &reply);
        if (status == STATUS_INCOMPLETE)
            return status;
        if (status == STATUS_OK && reply.kind == REPLY_NULL && i == 0) {
            *at = end;
            return read_on(puller);
        }
        if (status == STATUS_OK && reply.kind == REPLY_ERROR)
            return give_up(pulling, "a read was refused", reply.text);
        if (status != STATUS_OK || reply.kind != kinds[i])
            return give_up(pulling, "a read's answer is not understood",
                           bytes_slice(input, *at, input.size));
    }
    if (reply.integer < 1 || reply.integer > puller->batch)
        return give_up(pulling, "a read's answer has a wrong number of entries",
                       bytes_slice(input, *at, input.size));
    puller->entries_left = (uint32_t)reply.integer;
    begin_acknowledgement(puller, puller->entries_left);
    *at = end;
    return STATUS_OK;
}

static uint64_t age_of(const struct pulling *pulling, uint32_t index, uint64_t now_ns)
{
    if (pulling->schedule->sent_us != NULL)
        return schedule_age_ns(pulling->schedule, index, 0, 0, now_ns);
    uint32_t stream = cargo_stream_of(pulling->cargo, index);
    return schedule_age_ns(pulling->schedule, index, stream,
                           index - pulling->cargo->stream_first[stream], now_ns);
}

static bool takes(struct bytes input, size_t *at, struct bytes expected)
{
    if (input.size - *at < expected.size ||
        memcmp(input.data + *at, expected.data, expected.size) != 0)
        return false;
    *at += expected.size;
    return true;
}

/* An id of any length. */
static enum status read_id(struct puller *puller, struct bytes input, size_t *at,
                           struct record_id *out_id)
{
    struct reply reply;
    enum status status = receipt_read(&puller->ids, input, at, out_id);
    if (status != STATUS_INVALID)
        return status;
    status = reply_read(input, at, &reply);
    if (status != STATUS_OK)
        return status;
    bool is_id = reply.kind == REPLY_BULK && record_id_parse(reply.text, out_id);
    return is_id ? STATUS_OK : STATUS_INVALID;
}

/* `*2 <id> *<count> <body>` at `*at`, all of it or nothing. */
static enum status take_entry(struct pulling *pulling, struct puller *puller, struct bytes input,
                              size_t *at, uint64_t now_ns)
{
    struct record_id id;
    size_t end = *at, size;
    if (!takes(input, &end, BYTES_LITERAL("*2\r\n")))
        return input.size - end < 4 ? STATUS_INCOMPLETE : STATUS_INVALID;
    size_t id_at = end;
    enum status status = read_id(puller, input, &end, &id);
    if (status != STATUS_OK)
        return status;
    struct bytes id_text = bytes_slice(input, id_at, end - id_at);
    if (id_text.size > ID_BYTES_MAX)
        return STATUS_INVALID;
    if (!takes(input, &end, pulling->fields))
        return input.size - end < pulling->fields.size ? STATUS_INCOMPLETE : STATUS_INVALID;
    status = proof_deliver_entry(pulling->proof, puller->consumer, id,
                                 bytes_slice(input, end, input.size), &puller->index, &size);
    if (status != STATUS_OK)
        return status;
    memcpy(wire_room_start(&puller->acknowledging), id_text.data, id_text.size);
    wire_commit(&puller->acknowledging, id_text.size);
    puller->delivered_count++;
    puller->in_fields = pulling->has_fields;
    if (puller->index != CARGO_NO_MESSAGE)
        histogram_record(pulling->delivery_ns, age_of(pulling, puller->index, now_ns));
    *at = end + size;
    return STATUS_OK;
}

/* All of them or nothing. */
static enum status take_fields(struct pulling *pulling, struct puller *puller, struct bytes input,
                               size_t *at)
{
    bool is_known = puller->index != CARGO_NO_MESSAGE;
    if (is_known) {
        const struct pulling_fields *fields =
            &pulling->of_kind[pulling->cargo->messages[puller->index].kind];
        if (takes(input, at, bytes_make(fields->text, fields->size))) {
            puller->in_fields = false;
            return STATUS_OK;
        }
    }
    struct reply replies[4];
    size_t end = *at;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        enum status status = reply_read(input, &end, &replies[i]);
        if (status != STATUS_OK)
            return status;
    }
    if (is_known)
        findings_add(&pulling->proof->findings, FINDING_WRONG_FIELD, puller->index,
                     "message_type %.*s, verdict %.*s", (int)replies[1].text.size,
                     (const char *)replies[1].text.data, (int)replies[3].text.size,
                     (const char *)replies[3].text.data);
    puller->in_fields = false;
    *at = end;
    return STATUS_OK;
}

/* A command as it was sent: all of it or nothing. */
static enum status take_pushed(struct pulling *pulling, struct puller *puller, struct bytes input,
                               size_t *at, uint64_t now_ns)
{
    struct bytes head = cargo_command(pulling->cargo, 0);
    size_t end = *at, size;
    head.size = pulling->cargo->messages[0].entry_at; /* up to its one field all are alike */
    enum status status = STATUS_INVALID;
    if (input.size - end < head.size)
        return STATUS_INCOMPLETE;
    if (takes(input, &end, head))
        status = proof_deliver_entry(pulling->proof, puller->consumer, (struct record_id){0},
                                     bytes_slice(input, end, input.size), &puller->index, &size);
    if (status == STATUS_INVALID)
        return give_up(pulling, "what was passed on is no command that was sent",
                       bytes_slice(input, *at, input.size));
    if (status != STATUS_OK)
        return status;
    puller->delivered_count++;
    puller->acknowledged_count++; /* as far as it can be */
    if (puller->index != CARGO_NO_MESSAGE)
        histogram_record(pulling->delivery_ns, age_of(pulling, puller->index, now_ns));
    *at = end + size;
    return STATUS_OK;
}

static enum status take(struct pulling *pulling, struct puller *puller, struct bytes input,
                        size_t *at, uint64_t now_ns)
{
    if (puller->is_pushed)
        return take_pushed(pulling, puller, input, at, now_ns);
    if (puller->entries_left == 0)
        return take_head(pulling, puller, input, at);
    enum status status = STATUS_OK;
    if (!puller->in_fields)
        status = take_entry(pulling, puller, input, at, now_ns);
    if (status == STATUS_OK && puller->in_fields)
        status = take_fields(pulling, puller, input, at);
    if (status == STATUS_INVALID)
        return give_up(pulling, "an entry is not understood", bytes_slice(input, *at, input.size));
    if (status != STATUS_OK || --puller->entries_left > 0)
        return status;
    status = wire_flush(&puller->acknowledging);
    return status == STATUS_OK ? read_on(puller) : status;
}

enum status puller_receive_entries(struct pulling *pulling, struct puller *puller, uint64_t now_ns)
{
    enum status received = wire_receive(&puller->reading), status = STATUS_OK;
    struct bytes input = wire_input(&puller->reading);
    size_t at = 0;
    while (status == STATUS_OK && at < input.size)
        status = take(pulling, puller, input, &at, now_ns);
    wire_consume(&puller->reading, at);
    return status != STATUS_OK && status != STATUS_INCOMPLETE ? status : received;
}

/* ---- Answers to acknowledgements ------------------------------------------------------------- */

enum status puller_receive_answers(struct pulling *pulling, struct puller *puller)
{
    enum status received = wire_receive(&puller->acknowledging), status = STATUS_OK;
    struct bytes input = wire_input(&puller->acknowledging);
    size_t at = 0;
    while (at < input.size) {
        struct reply reply;
        status = reply_read(input, &at, &reply);
        if (status == STATUS_INCOMPLETE)
            break;
        if (status != STATUS_OK || reply.kind != REPLY_INTEGER)
            return give_up(pulling, "an acknowledgement was refused",
                           status == STATUS_OK ? reply.text : input);
        puller->acknowledged_count += (uint64_t)reply.integer;
    }
    wire_consume(&puller->acknowledging, at);
    return received;
}

#include "bench/load/publisher.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/wire/request.h"

enum {
    PAUSE_NS = 2 * 1000 * 1000, /* after TRYAGAIN */
    REFILL_PARTS = 4            /* new messages go out when so great a part of the window is free */
};

static enum status queue_open(struct publisher_queue *queue, uint32_t capacity)
{
    *queue = (struct publisher_queue){calloc(capacity, sizeof *queue->items), capacity, 0, 0};
    return queue->items != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void queue_push(struct publisher_queue *queue, struct publisher_flight item)
{
    assert(queue->count < queue->capacity);
    queue->items[(queue->first + queue->count++) % queue->capacity] = item;
}

static struct publisher_flight queue_pop(struct publisher_queue *queue)
{
    assert(queue->count > 0);
    struct publisher_flight item = queue->items[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    return item;
}

enum status publisher_open(const struct publisher_settings *settings,
                           struct publisher *out_publisher)
{
    assert(settings->window >= 1 && settings->window <= PUBLISHER_WINDOW_MAX);
    struct publisher publisher = {.settings = *settings};
    publisher.next = settings->day->stream_first[settings->stream];
    publisher.end = settings->day->stream_first[settings->stream + 1];
    publisher.receipt_ns = calloc(1, sizeof *publisher.receipt_ns);
    enum status status = wire_open(&publisher.wire, PUBLISHER_INPUT_BYTES, PUBLISHER_OUTPUT_BYTES);
    if (status == STATUS_OK)
        status = queue_open(&publisher.in_flight, settings->window);
    if (status == STATUS_OK)
        status = queue_open(&publisher.again, settings->window);
    if (publisher.receipt_ns == NULL)
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *out_publisher = publisher;
    else
        publisher_close(&publisher);
    return status;
}

void publisher_close(struct publisher *publisher)
{
    wire_close(&publisher->wire);
    free(publisher->in_flight.items);
    free(publisher->again.items);
    free(publisher->receipt_ns);
    *publisher = (struct publisher){.wire.descriptor = -1};
}

enum status publisher_connect(struct publisher *publisher)
{
    struct wire *wire = &publisher->wire;
    enum status status = wire_connect(wire, publisher->settings.target);
    if (status != STATUS_OK || publisher->settings.login == NULL)
        return status;
    publisher->awaits_login = true;
    wire_commit(wire, request_write_words(wire_room_start(wire), wire_room(wire),
                                          publisher->settings.login));
    return STATUS_OK;
}

static int by_index(const void *left, const void *right)
{
    const struct publisher_flight *a = left, *b = right;
    return (a->index > b->index) - (a->index < b->index);
}

void publisher_disconnected(struct publisher *publisher)
{
    struct publisher_queue *again = &publisher->again;
    wire_drop(&publisher->wire);
    publisher->reconnects++;
    publisher->awaits_login = false;
    publisher->pause_until_ns = 0;
    while (publisher->in_flight.count > 0) {
        struct publisher_flight flight = queue_pop(&publisher->in_flight);
        checker_resent(publisher->settings.checker, flight.index, true);
        queue_push(again, flight);
    }
    struct publisher_flight *sorted = calloc(again->capacity, sizeof *sorted);
    assert(sorted != NULL);
    uint32_t count = again->count;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = queue_pop(again);
    qsort(sorted, count, sizeof *sorted, by_index);
    free(again->items);
    *again = (struct publisher_queue){sorted, again->capacity, 0, count};
}

/* ---- Answers --------------------------------------------------------------------------------- */

static enum status give_up(struct publisher *publisher, const char *what, struct bytes text)
{
    snprintf(publisher->problem, sizeof publisher->problem, "%s: %.*s", what,
             text.size < 100 ? (int)text.size : 100, (const char *)text.data);
    return STATUS_INVALID;
}

static enum status take_answer(struct publisher *publisher, const struct reply *reply,
                               uint64_t now_ns)
{
    struct record_id id;
    struct checker *checker = publisher->settings.checker;
    if (publisher->awaits_login) {
        publisher->awaits_login = false;
        return reply->kind == REPLY_SIMPLE ? STATUS_OK
                                           : give_up(publisher, "login refused", reply->text);
    }
    if (publisher->in_flight.count == 0)
        return give_up(publisher, "an answer to nothing", reply->text);
    struct publisher_flight flight = queue_pop(&publisher->in_flight);
    if (reply->kind == REPLY_ERROR && bytes_start_with(reply->text, BYTES_LITERAL("TRYAGAIN"))) {
        checker_resent(checker, flight.index, false);
        queue_push(&publisher->again, flight);
        publisher->pause_until_ns = now_ns + PAUSE_NS;
        return STATUS_OK;
    }
    histogram_record(publisher->receipt_ns, now_ns > flight.sent_ns ? now_ns - flight.sent_ns : 0);
    if (reply->kind == REPLY_ERROR)
        checker_refusal(checker, flight.index, reply->text);
    else if (reply->kind == REPLY_BULK && record_id_parse(reply->text, &id))
        checker_receipt(checker, flight.index, id);
    else
        return give_up(publisher, "an answer that is no receipt", reply->text);
    return STATUS_OK;
}

enum status publisher_receive(struct publisher *publisher, uint64_t now_ns)
{
    enum status received = wire_receive(&publisher->wire), status;
    struct bytes input = wire_input(&publisher->wire);
    struct reply reply;
    size_t at = 0;
    while ((status = reply_read(input, &at, &reply)) == STATUS_OK) {
        status = take_answer(publisher, &reply, now_ns);
        if (status != STATUS_OK)
            return status;
    }
    if (status != STATUS_INCOMPLETE)
        return give_up(publisher, "not RESP", bytes_slice(input, at, 40));
    wire_consume(&publisher->wire, at);
    return received;
}

/* ---- Messages -------------------------------------------------------------------------------- */

static const uint8_t *append_xadd(struct publisher *publisher, uint32_t index, size_t *out_size)
{
    struct wire *wire = &publisher->wire;
    static const char before_channel[] = "*5\r\n$4\r\nXADD\r\n";
    static const char after_channel[] = "$1\r\n*\r\n$4\r\nbody\r\n";
    uint8_t body[DAY_MESSAGE_BYTES_MAX];
    size_t size = day_render(publisher->settings.day, index, body);
    uint8_t *out = wire_room_start(wire), *at = out;
    at = mempcpy(at, before_channel, sizeof before_channel - 1);
    at += request_write_argument(at, bytes_from_text(publisher->settings.channel));
    at = mempcpy(at, after_channel, sizeof after_channel - 1);
    at += request_write_argument(at, bytes_make(body, size));
    wire_commit(wire, (size_t)(at - out));
    *out_size = size;
    return at - 2 - size;
}

static bool has_room(struct publisher *publisher)
{
    return wire_room(&publisher->wire) >= DAY_MESSAGE_BYTES_MAX + 256;
}

static void send_again(struct publisher *publisher)
{
    size_t size;
    struct publisher_flight flight = queue_pop(&publisher->again);
    append_xadd(publisher, flight.index, &size);
    queue_push(&publisher->in_flight, flight);
}

static void send_next(struct publisher *publisher, uint64_t sent_ns)
{
    const struct publisher_settings *settings = &publisher->settings;
    uint32_t index = publisher->next++;
    size_t size;
    const uint8_t *body = append_xadd(publisher, index, &size);
    checker_sent(settings->checker, index, bytes_make(body, size));
    settings->sent_us[index] = (uint32_t)((sent_ns - settings->start_ns) / 1000);
    queue_push(&publisher->in_flight, (struct publisher_flight){index, sent_ns});
}

/* When the next message is to go out: at a constant rate its own time, whatever came before, so
 * that a stall of the server counts for all messages that it delayed. Publishers take turns. */
static uint64_t due_ns(const struct publisher *publisher, uint64_t now_ns)
{
    const struct publisher_settings *settings = &publisher->settings;
    if (settings->interval_ns == 0)
        return now_ns;
    uint32_t place = publisher->next - settings->day->stream_first[settings->stream];
    double turn = (double)settings->stream / settings->day->settings.stream_count;
    return settings->start_ns + (uint64_t)((place + turn) * settings->interval_ns);
}

static void fill(struct publisher *publisher, uint64_t now_ns)
{
    uint32_t window = publisher->settings.window;
    while (publisher->again.count > 0 && has_room(publisher))
        send_again(publisher);
    if (publisher->again.count > 0)
        return;
    uint32_t free_places = window - publisher->in_flight.count;
    bool is_worthwhile = free_places >= (window + REFILL_PARTS - 1) / REFILL_PARTS ||
                         publisher->end - publisher->next <= free_places ||
                         publisher->settings.interval_ns > 0;
    while (is_worthwhile && publisher->next < publisher->end &&
           publisher->in_flight.count < window && has_room(publisher)) {
        uint64_t due = due_ns(publisher, now_ns);
        if (due > now_ns)
            break;
        send_next(publisher, due);
    }
}

enum status publisher_send(struct publisher *publisher, uint64_t now_ns)
{
    if (now_ns >= publisher->pause_until_ns)
        fill(publisher, now_ns);
    return wire_flush(&publisher->wire);
}

uint64_t publisher_due_ns(const struct publisher *publisher)
{
    bool may_send = publisher->settings.interval_ns > 0 && publisher->again.count == 0 &&
                    publisher->next < publisher->end &&
                    publisher->in_flight.count < publisher->settings.window &&
                    publisher->wire.descriptor >= 0;
    return may_send ? due_ns(publisher, 0) : UINT64_MAX;
}

bool publisher_is_done(const struct publisher *publisher)
{
    return publisher->next == publisher->end && publisher->in_flight.count == 0 &&
           publisher->again.count == 0;
}

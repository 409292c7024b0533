#include "bench/wire/control.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "bench/wire/reply.h"
#include "bench/wire/request.h"

enum {
    CONTROL_INPUT_BYTES = 1024 * 1024,
    CONTROL_OUTPUT_BYTES = 4096,
    RETRY_MS = 20,
    ANSWER_TIMEOUT_MS = 10 * 1000
};

static enum status connect_patiently(struct wire *wire, const struct target *target,
                                     uint32_t patience_ms)
{
    enum status status = wire_connect(wire, target);
    for (uint32_t waited_ms = 0; status != STATUS_OK && waited_ms < patience_ms;
         waited_ms += RETRY_MS) {
        struct timespec pause = {.tv_nsec = RETRY_MS * 1000 * 1000};
        nanosleep(&pause, NULL);
        status = wire_connect(wire, target);
    }
    return status;
}

enum status control_open(struct control *control, const struct target *target, const char *login,
                         uint32_t patience_ms)
{
    char text[128];
    enum status status = wire_open(&control->wire, CONTROL_INPUT_BYTES, CONTROL_OUTPUT_BYTES);
    if (status == STATUS_OK)
        status = connect_patiently(&control->wire, target, patience_ms);
    if (status == STATUS_OK && login != NULL)
        status = control_ask(control, login, text, sizeof text);
    if (status != STATUS_OK)
        control_close(control);
    return status;
}

void control_close(struct control *control)
{
    wire_close(&control->wire);
}

static enum status await(struct wire *wire, struct reply *out_reply, size_t *out_size)
{
    for (;;) {
        size_t at = 0;
        enum status status = reply_read(wire_input(wire), &at, out_reply);
        *out_size = at;
        if (status != STATUS_INCOMPLETE)
            return status;
        if (wire_input(wire).size == wire->input.capacity)
            return STATUS_TOO_BIG;
        struct pollfd waited = {.fd = wire->descriptor, .events = POLLIN};
        if (poll(&waited, 1, ANSWER_TIMEOUT_MS) != 1 || wire_receive(wire) != STATUS_OK)
            return STATUS_IO;
    }
}

static enum status send_words(struct wire *wire, const char *words)
{
    size_t room = wire_room(wire);
    wire_commit(wire, request_write_words(wire_room_start(wire), room, words));
    return wire_flush(wire);
}

static enum status take(struct wire *wire, struct reply *out_reply, char *out_text, size_t capacity)
{
    size_t size;
    enum status status = await(wire, out_reply, &size);
    if (status != STATUS_OK)
        return status;
    if (out_reply->kind == REPLY_INTEGER)
        snprintf(out_text, capacity, "%" PRId64, out_reply->integer);
    else
        snprintf(out_text, capacity, "%.*s", (int)out_reply->text.size,
                 (const char *)out_reply->text.data);
    wire_consume(wire, size);
    return STATUS_OK;
}

enum status control_ask(struct control *control, const char *words, char *out_text, size_t capacity)
{
    struct reply reply;
    enum status status = send_words(&control->wire, words);
    if (status == STATUS_OK)
        status = take(&control->wire, &reply, out_text, capacity);
    if (status != STATUS_OK)
        return status;
    if (reply.kind == REPLY_ARRAY || reply.kind == REPLY_NULL)
        return STATUS_INVALID;
    return reply.kind == REPLY_ERROR ? STATUS_DENIED : STATUS_OK;
}

enum status control_ask_first(struct control *control, const char *words, char *out_text,
                              size_t capacity)
{
    struct reply head, item;
    char rest[1];
    enum status status = send_words(&control->wire, words);
    if (status == STATUS_OK)
        status = take(&control->wire, &head, out_text, capacity);
    if (status == STATUS_OK && (head.kind != REPLY_ARRAY || head.integer == 0))
        return head.kind == REPLY_ERROR ? STATUS_DENIED : STATUS_INVALID;
    for (int64_t i = 0; status == STATUS_OK && i < head.integer; i++)
        status = take(&control->wire, &item, i == 0 ? out_text : rest, i == 0 ? capacity : 1);
    return status;
}

#include "bench/race/pusher.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIPT_BYTES_MIN = 22, PREFETCHED_AHEAD = 8 /* messages */ };

static void wait_for_many(struct pusher *pusher, uint32_t receipts)
{
    int bytes = receipts > 1 ? (int)receipts * RECEIPT_BYTES_MIN : 1;
    pusher->waits_for_many =
        setsockopt(pusher->descriptor, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes) == 0 &&
        receipts > 1;
}

/* When fewer than a burst are free, so many whole receipts are still to come: to wait for more
 * could be to wait for ever. */
static uint32_t receipts_to_wait_for(const struct pushing *pushing)
{
    uint32_t sure = pushing->in_flight - pushing->burst;
    return sure < pushing->burst ? sure : pushing->burst;
}

void pusher_init(const struct pushing *pushing, uint32_t stream, int descriptor,
                 struct pusher *out_pusher)
{
    const struct cargo *cargo = pushing->cargo;
    *out_pusher = (struct pusher){.descriptor = descriptor,
                                  .stream = stream,
                                  .first = cargo->stream_first[stream],
                                  .end = cargo->stream_first[stream + 1]};
    if (out_pusher->first < out_pusher->end)
        out_pusher->sent_at = out_pusher->sent_end = cargo->messages[out_pusher->first].at;
    if (pushing->schedule->sent_us != NULL)
        wait_for_many(out_pusher, receipts_to_wait_for(pushing));
}

void pusher_deinit(struct pusher *pusher)
{
    if (pusher->descriptor >= 0)
        close(pusher->descriptor);
    free(pusher->again);
    *pusher = (struct pusher){.descriptor = -1};
}

/* ---- Sending --------------------------------------------------------------------------------- */

static uint32_t message_count(const struct pusher *pusher)
{
    return pusher->end - pusher->first;
}

/* The message that is the n-th to be sent. */
static uint32_t message_at(const struct pusher *pusher, uint32_t place)
{
    uint32_t count = message_count(pusher);
    return place < count ? pusher->first + place : pusher->again[place - count];
}

/* How many more messages may go out; those sent again one at a time, when nothing else is under
 * way. */
static uint32_t count_free(const struct pushing *pushing, const struct pusher *pusher,
                           uint64_t now_ns)
{
    uint32_t under_way = pusher->admitted - pusher->answered, count = message_count(pusher);
    if (pusher->admitted >= count)
        return under_way == 0 && pusher->admitted < count + pusher->again_count;
    uint32_t free_now = pushing->in_flight - under_way, left = count - pusher->admitted;
    uint64_t due = schedule_due(pushing->schedule, pusher->stream, now_ns);
    if (due != UINT64_MAX) {
        uint64_t late = due > pusher->admitted ? due - pusher->admitted : 0;
        left = late < left ? (uint32_t)late : left;
    } else if (free_now < pushing->burst && free_now < left) {
        return 0;
    }
    return free_now < left ? free_now : left;
}

/* Those of the stream lie behind each other; one that is sent again, somewhere. */
static void admit(const struct pushing *pushing, struct pusher *pusher, uint32_t count,
                  uint64_t now_ns)
{
    uint32_t first = message_at(pusher, pusher->admitted), last = first + count - 1;
    const struct cargo_message *messages = pushing->cargo->messages;
    if (pusher->admitted >= message_count(pusher))
        pusher->sent_at = messages[first].at;
    else
        schedule_sent(pushing->schedule, first, last + 1, now_ns);
    pusher->sent_end = messages[last].at + messages[last].size;
    pusher->admitted += count;
    if (pusher->waits_for_many && pusher->admitted >= message_count(pusher))
        wait_for_many(pusher, 1);
}

enum status pusher_send(struct pushing *pushing, struct pusher *pusher, uint64_t now_ns)
{
    uint32_t count = count_free(pushing, pusher, now_ns);
    if (count > 0)
        admit(pushing, pusher, count, now_ns);
    while (pusher->sent_at < pusher->sent_end) {
        ssize_t sent = send(pusher->descriptor, pushing->cargo->arena + pusher->sent_at,
                            pusher->sent_end - pusher->sent_at, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? STATUS_OK : STATUS_IO;
        pusher->sent_at += (uint64_t)sent;
    }
    return STATUS_OK;
}

bool pusher_wants_room(const struct pusher *pusher)
{
    return pusher->sent_at < pusher->sent_end;
}

uint64_t pusher_due_ns(const struct pushing *pushing, const struct pusher *pusher)
{
    bool is_full = pusher->admitted - pusher->answered >= pushing->in_flight;
    if (is_full || pusher->admitted >= message_count(pusher) || pusher_wants_room(pusher))
        return UINT64_MAX;
    return schedule_due_ns(pushing->schedule, pusher->stream, pusher->admitted);
}

/* ---- Receipts -------------------------------------------------------------------------------- */

static enum status push_again(struct pushing *pushing, struct pusher *pusher, uint32_t index)
{
    if (pusher->again == NULL || (pusher->again_count & (pusher->again_count - 1)) == 0) {
        size_t capacity = pusher->again_count == 0 ? 1 : (size_t)pusher->again_count * 2;
        uint32_t *again = realloc(pusher->again, capacity * sizeof *again);
        if (again == NULL) {
            snprintf(pushing->problem, sizeof pushing->problem, "out of memory");
            return STATUS_NO_MEMORY;
        }
        pusher->again = again;
    }
    pusher->again[pusher->again_count++] = index;
    return STATUS_OK;
}

/* An answer that is no plain receipt. */
static enum status take_other(struct pushing *pushing, struct pusher *pusher, struct bytes input,
                              size_t *at, uint32_t index)
{
    struct reply reply;
    struct record_id id;
    enum status status = reply_read(input, at, &reply);
    if (status != STATUS_OK)
        return status;
    if (reply.kind == REPLY_ERROR && bytes_start_with(reply.text, BYTES_LITERAL("TRYAGAIN")))
        return push_again(pushing, pusher, index);
    if (reply.kind == REPLY_ERROR) {
        proof_refusal(pushing->proof, index, reply.text);
        return STATUS_OK;
    }
    if (reply.kind != REPLY_BULK || !record_id_parse(reply.text, &id))
        return STATUS_INVALID;
    proof_receipt(pushing->proof, pusher->stream, index, id);
    return STATUS_OK;
}

/* Receipts that come together are most often of messages that were sent together: their times are
 * counted in runs. */
struct age_run {
    uint64_t age_ns, count;
};

static void count_age(struct pushing *pushing, struct age_run *run, uint64_t age_ns)
{
    if (run->count > 0 && run->age_ns != age_ns) {
        histogram_record_many(pushing->receipt_ns, run->age_ns, run->count);
        run->count = 0;
    }
    run->age_ns = age_ns;
    run->count++;
}

static enum status take_answers(struct pushing *pushing, struct pusher *pusher, struct bytes input,
                                size_t *at, uint64_t now_ns)
{
    struct age_run run = {0};
    enum status status = STATUS_OK;
    while (*at < input.size && status == STATUS_OK) {
        struct record_id id;
        if (pusher->answered == pusher->admitted) {
            status = STATUS_INVALID;
            break;
        }
        uint32_t place = pusher->answered, index = message_at(pusher, place);
        proof_prefetch(pushing->proof, index + PREFETCHED_AHEAD);
        status = receipt_read(&pushing->receipts, input, at, &id);
        if (status == STATUS_OK)
            proof_receipt(pushing->proof, pusher->stream, index, id);
        else if (status == STATUS_INVALID)
            status = take_other(pushing, pusher, input, at, index);
        if (status != STATUS_OK)
            break;
        pusher->answered++;
        if (pushing->proof->messages[index].marks != 0)
            count_age(pushing, &run,
                      schedule_age_ns(pushing->schedule, index, pusher->stream,
                                      index - pusher->first, now_ns));
    }
    histogram_record_many(pushing->receipt_ns, run.age_ns, run.count);
    return status;
}

enum status pusher_receive(struct pushing *pushing, struct pusher *pusher, uint64_t now_ns)
{
    memcpy(pushing->input, pusher->carry, pusher->carry_size);
    ssize_t got = recv(pusher->descriptor, pushing->input + pusher->carry_size,
                       pushing->input_bytes - pusher->carry_size, 0);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR) ? STATUS_OK : STATUS_IO;
    struct bytes input = bytes_make(pushing->input, pusher->carry_size + (size_t)got);
    size_t at = 0;
    enum status status = take_answers(pushing, pusher, input, &at, now_ns);
    if (status != STATUS_OK && status != STATUS_INCOMPLETE) {
        struct bytes seen = bytes_slice(input, at, 60);
        if (pushing->problem[0] == '\0')
            snprintf(pushing->problem, sizeof pushing->problem,
                     "an answer that is not understood: %.*s", (int)seen.size,
                     (const char *)seen.data);
        return status;
    }
    size_t left = input.size - at;
    if (left > sizeof pusher->carry) {
        snprintf(pushing->problem, sizeof pushing->problem, "an answer of more than %zu bytes",
                 sizeof pusher->carry);
        return STATUS_INVALID;
    }
    memcpy(pusher->carry, input.data + at, left);
    pusher->carry_size = (uint16_t)left;
    return STATUS_OK;
}

/* The publisher against a server that is a socket pair's other end, played by the test. */
#include "bench/load/publisher.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COUNT = 40, WINDOW = 8 };

struct stage {
    struct day day;
    struct checker checker;
    struct publisher publisher;
    uint32_t sent_us[COUNT];
    int server;
    uint64_t now_ns;
    uint32_t received[4 * COUNT]; /* the messages that came, in order */
    uint32_t received_count;
    uint64_t next_seq;
};

static void connect_stage(struct stage *stage)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    stage->publisher.wire.descriptor = pair[0];
    stage->server = pair[1];
}

static struct stage *open_stage(double interval_ns)
{
    static const struct target nowhere = {0};
    struct stage *stage = calloc(1, sizeof *stage);
    struct day_settings day = {.seed = 5,
                               .message_count = COUNT,
                               .stream_count = 1,
                               .mix = MIX_EVENTS,
                               .event_bytes = 256};
    cr_assert_eq(day_open(&day, &stage->day), STATUS_OK);
    cr_assert_eq(checker_open(&(struct checker_settings){&stage->day, MODEL_OPEN}, &stage->checker),
                 STATUS_OK);
    struct publisher_settings settings = {.day = &stage->day,
                                          .checker = &stage->checker,
                                          .target = &nowhere,
                                          .channel = "in",
                                          .sent_us = stage->sent_us,
                                          .window = WINDOW,
                                          .interval_ns = interval_ns};
    cr_assert_eq(publisher_open(&settings, &stage->publisher), STATUS_OK);
    connect_stage(stage);
    return stage;
}

static void close_stage(struct stage *stage)
{
    publisher_close(&stage->publisher);
    checker_close(&stage->checker);
    day_close(&stage->day);
    close(stage->server);
    free(stage);
}

/* Reads whole commands; each body must be that of a message of the day. Returns how many came. */
static uint32_t take(struct stage *stage)
{
    uint8_t input[64 * 1024], body[DAY_MESSAGE_BYTES_MAX];
    cr_assert_eq(publisher_send(&stage->publisher, stage->now_ns), STATUS_OK);
    ssize_t size = read(stage->server, input, sizeof input);
    uint32_t count = 0;
    size_t at = 0;
    struct reply reply;
    while (size > 0 && at < (size_t)size) {
        struct bytes bytes = bytes_make(input, (size_t)size);
        cr_assert_eq(reply_read(bytes, &at, &reply), STATUS_OK);
        cr_assert(reply.kind == REPLY_ARRAY && reply.integer == 5);
        static const char *const words[] = {"XADD", "in", "*", "body"};
        for (size_t i = 0; i < 4; i++) {
            cr_assert_eq(reply_read(bytes, &at, &reply), STATUS_OK);
            cr_assert(bytes_equal_text(reply.text, words[i]));
        }
        cr_assert_eq(reply_read(bytes, &at, &reply), STATUS_OK);
        uint32_t index = 0;
        while (index < COUNT &&
               !bytes_equal(bytes_make(body, day_render(&stage->day, index, body)), reply.text))
            index++;
        cr_assert_lt(index, COUNT, "a body that is none of the day's");
        stage->received[stage->received_count++] = index;
        count++;
    }
    return count;
}

static void say(struct stage *stage, const char *text)
{
    cr_assert_eq(write(stage->server, text, strlen(text)), (ssize_t)strlen(text));
}

static void give_receipts(struct stage *stage, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char text[64], id[32];
        snprintf(id, sizeof id, "1000-%lu", ++stage->next_seq);
        snprintf(text, sizeof text, "$%zu\r\n%s\r\n", strlen(id), id);
        say(stage, text);
    }
    cr_assert_eq(publisher_receive(&stage->publisher, stage->now_ns), STATUS_OK);
}

static void expect_received(const struct stage *stage, const uint32_t *indexes, uint32_t count)
{
    cr_assert_eq(stage->received_count, count);
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(stage->received[i], indexes[i], "place %u: message %u", i, stage->received[i]);
}

Test(publisher, sends_all_within_its_window)
{
    struct stage *stage = open_stage(0);
    cr_assert_eq(take(stage), WINDOW);
    cr_assert_eq(take(stage), 0);
    give_receipts(stage, 1);
    cr_assert_eq(take(stage), 0); /* not worth a system call yet */
    give_receipts(stage, 3);
    cr_assert_eq(take(stage), 4);
    while (!publisher_is_done(&stage->publisher)) {
        cr_assert_leq(stage->publisher.in_flight.count, WINDOW);
        give_receipts(stage, stage->publisher.in_flight.count);
        take(stage);
    }
    cr_assert_eq(stage->received_count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        cr_assert_eq(stage->received[i], i);
    cr_assert_eq(stage->checker.answered_count, COUNT);
    cr_assert_eq(stage->publisher.receipt_ns->count, COUNT);
    cr_assert_eq(findings_count(&stage->checker.findings), 0);
    close_stage(stage);
}

Test(publisher, sends_again_after_a_pause_and_before_anything_new)
{
    struct stage *stage = open_stage(0);
    cr_assert_eq(take(stage), WINDOW);
    give_receipts(stage, 2);
    say(stage, "-TRYAGAIN busy\r\n-TRYAGAIN busy\r\n");
    give_receipts(stage, 4);
    cr_assert_eq(take(stage), 0);
    stage->now_ns += 10 * 1000 * 1000;
    cr_assert_eq(take(stage), WINDOW);
    static const uint32_t expected[] = {0, 1, 2, 3, 4, 5, 6, 7, 2, 3, 8, 9, 10, 11, 12, 13};
    expect_received(stage, expected, 16);
    give_receipts(stage, WINDOW);
    cr_assert_eq(stage->checker.answered_count, 14);
    cr_assert_eq(stage->checker.tallies[0].retries, 2);
    cr_assert_eq(findings_count(&stage->checker.findings), 0);
    /* The pause counts: latency is from the first sending. */
    cr_assert_geq(stage->publisher.receipt_ns->maximum, 10 * 1000 * 1000);
    close_stage(stage);
}

Test(publisher, sends_again_in_order_what_a_broken_connection_left_open)
{
    struct stage *stage = open_stage(0);
    cr_assert_eq(take(stage), WINDOW);
    say(stage, "-TRYAGAIN busy\r\n");
    give_receipts(stage, 3);
    close(stage->server);
    cr_assert_eq(publisher_receive(&stage->publisher, stage->now_ns), STATUS_IO);
    publisher_disconnected(&stage->publisher);
    connect_stage(stage);
    cr_assert_eq(take(stage), WINDOW);
    static const uint32_t expected[] = {0, 1, 2, 3, 4, 5, 6, 7, 0, 4, 5, 6, 7, 8, 9, 10};
    expect_received(stage, expected, 16);
    cr_assert_eq(stage->publisher.reconnects, 1);
    stage->next_seq = 100;
    give_receipts(stage, WINDOW);
    cr_assert_eq(findings_count(&stage->checker.findings), 0);
    close_stage(stage);
}

Test(publisher, reads_answers_that_come_byte_by_byte)
{
    struct stage *stage = open_stage(0);
    cr_assert_eq(take(stage), WINDOW);
    const char *text = "$6\r\n1000-1\r\n-REJECTED MALFORMED at byte 3\r\n";
    for (size_t i = 0; i < strlen(text); i++) {
        cr_assert_eq(write(stage->server, text + i, 1), 1);
        cr_assert_eq(publisher_receive(&stage->publisher, 0), STATUS_OK);
    }
    cr_assert_eq(stage->checker.answered_count, 2);
    cr_assert_eq(stage->checker.findings.counts[FINDING_REFUSED], 1);
    close_stage(stage);
}

Test(publisher, gives_up_on_nonsense)
{
    static const char *const texts[] = {":1\r\n", "$5\r\nhello\r\n", "what?\r\n"};
    for (size_t i = 0; i < 3; i++) {
        struct stage *stage = open_stage(0);
        cr_assert_eq(take(stage), WINDOW);
        say(stage, texts[i]);
        cr_assert_eq(publisher_receive(&stage->publisher, 0), STATUS_INVALID);
        cr_assert_neq(stage->publisher.problem[0], '\0');
        close_stage(stage);
    }
}

/* At a constant rate a message's time is when it was due, not when it could go. */
Test(publisher, keeps_a_constant_rate)
{
    struct stage *stage = open_stage(1000);
    stage->now_ns = 2500;
    cr_assert_eq(take(stage), 3);
    stage->now_ns = 20500;
    cr_assert_eq(take(stage), WINDOW - 3);
    give_receipts(stage, WINDOW);
    cr_assert_geq(stage->publisher.receipt_ns->maximum, 20500);
    cr_assert_eq(take(stage), WINDOW);
    close_stage(stage);
}

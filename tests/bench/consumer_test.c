/* The consumer against a server that is a socket pair's other end, played by the test. */
#include "bench/load/consumer.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/wire/request.h"

enum { COUNT = 300 };

struct stage {
    struct day day;
    struct checker checker;
    struct consumer consumer;
    uint32_t sent_us[COUNT];
    struct bytes bodies[COUNT];
    uint8_t *memory;
    int listener, server;
    struct target target;
};

static struct stage *open_stage(const char *login)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct day_settings day = {.seed = 5,
                               .message_count = COUNT,
                               .stream_count = 1,
                               .mix = MIX_EVENTS,
                               .event_bytes = 256};
    cr_assert_eq(day_open(&day, &stage->day), STATUS_OK);
    cr_assert_eq(checker_open(&(struct checker_settings){&stage->day, MODEL_OPEN}, &stage->checker),
                 STATUS_OK);
    stage->memory = malloc((size_t)COUNT * 256);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t *body = stage->memory + (size_t)i * 256;
        uint8_t rendered[DAY_MESSAGE_BYTES_MAX];
        memcpy(body, rendered, day_render(&stage->day, i, rendered));
        stage->bodies[i] = bytes_make(body, 256);
        checker_sent(&stage->checker, i, stage->bodies[i]);
        checker_receipt(&stage->checker, i, (struct record_id){1000, i + 1});
    }
    struct consumer_settings settings = {.checker = &stage->checker,
                                         .target = &stage->target,
                                         .destination = "all",
                                         .group = "all",
                                         .login = login,
                                         .sent_us = stage->sent_us,
                                         .batch = 1000,
                                         .block_ms = 50};
    cr_assert_eq(consumer_open(&settings, &stage->consumer), STATUS_OK);
    return stage;
}

/* Each test runs in a process of its own. */
static void listen_here(struct stage *stage)
{
    char text[128];
    snprintf(text, sizeof text, "unix:/tmp/kouan-consumer-test-%d", (int)getpid());
    cr_assert_eq(target_parse(text, &stage->target), STATUS_OK);
    unlink(text + 5);
    stage->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(
        bind(stage->listener, (struct sockaddr *)&stage->target.storage, stage->target.size), 0);
    cr_assert_eq(listen(stage->listener, 1), 0);
}

static void connect_stage(struct stage *stage)
{
    cr_assert_eq(consumer_connect(&stage->consumer), STATUS_OK);
    stage->server = accept(stage->listener, NULL, NULL);
    cr_assert_geq(stage->server, 0);
    fcntl(stage->server, F_SETFL, O_NONBLOCK);
}

static void close_stage(struct stage *stage)
{
    consumer_close(&stage->consumer);
    checker_close(&stage->checker);
    day_close(&stage->day);
    close(stage->server);
    close(stage->listener);
    unlink(stage->target.text + 5);
    free(stage->memory);
    free(stage);
}

/* All that the consumer has to say, as words with spaces between. */
static const char *heard(struct stage *stage)
{
    static char words[64 * 1024];
    static uint8_t input[64 * 1024];
    cr_assert_eq(consumer_send(&stage->consumer), STATUS_OK);
    ssize_t size = read(stage->server, input, sizeof input);
    size_t at = 0, end = 0;
    struct reply reply;
    words[0] = '\0';
    while (size > 0 && at < (size_t)size) {
        cr_assert_eq(reply_read(bytes_make(input, (size_t)size), &at, &reply), STATUS_OK);
        if (reply.kind == REPLY_ARRAY)
            end += (size_t)sprintf(words + end, "%s", end > 0 ? "\n" : "");
        else
            end +=
                (size_t)sprintf(words + end, "%s%.*s", end > 0 && words[end - 1] != '\n' ? " " : "",
                                (int)reply.text.size, (const char *)reply.text.data);
    }
    return words;
}

static size_t write_entries(struct stage *stage, uint8_t *out, uint32_t first, uint32_t end)
{
    size_t size = (size_t)sprintf((char *)out, "*1\r\n*2\r\n$3\r\nall\r\n*%u\r\n", end - first);
    for (uint32_t i = first; i < end; i++) {
        char id[32];
        snprintf(id, sizeof id, "1000-%u", i + 1);
        size += request_write_head(out + size, 2);
        size += request_write_argument(out + size, bytes_from_text(id));
        size += request_write_head(out + size, 4);
        size += request_write_argument(out + size, BYTES_LITERAL("body"));
        size += request_write_argument(out + size, stage->bodies[i]);
        size += request_write_argument(out + size, BYTES_LITERAL("message_type"));
        size += request_write_argument(out + size, BYTES_LITERAL("DECLSTATUS"));
    }
    return size;
}

static void say(struct stage *stage, const void *bytes, size_t size)
{
    cr_assert_eq(write(stage->server, bytes, size), (ssize_t)size);
    cr_assert_eq(consumer_receive(&stage->consumer, 1000000), STATUS_OK);
}

static void say_text(struct stage *stage, const char *text)
{
    say(stage, text, strlen(text));
}

static const char read_new[] = "XREADGROUP GROUP all bench COUNT 1000 BLOCK 50 STREAMS all >";

Test(consumer, reads_checks_and_acknowledges)
{
    static uint8_t entries[COUNT * 512];
    struct stage *stage = open_stage(NULL);
    listen_here(stage);
    connect_stage(stage);
    cr_assert_str_eq(heard(stage), read_new);
    say_text(stage, "*-1\r\n");
    cr_assert_str_eq(heard(stage), read_new);
    say(stage, entries, write_entries(stage, entries, 0, 2));
    cr_assert_str_eq(heard(stage), "XACK all all 1000-1 1000-2\n"
                                   "XREADGROUP GROUP all bench COUNT 1000 BLOCK 50 STREAMS all >");
    say_text(stage, ":2\r\n");
    cr_assert_str_eq(heard(stage), "");
    say(stage, entries, write_entries(stage, entries, 2, COUNT));
    say_text(stage, ":298\r\n");
    cr_assert_eq(stage->consumer.acknowledged, COUNT);
    cr_assert_eq(stage->checker.delivered_count[0], COUNT);
    cr_assert_eq(stage->consumer.delivery_ns->count, COUNT);
    cr_assert(checker_is_satisfied(&stage->checker));
    cr_assert_eq(checker_finish(&stage->checker), 0);
    close_stage(stage);
}

Test(consumer, reads_replies_that_come_in_any_pieces)
{
    static uint8_t entries[COUNT * 512];
    struct stage *stage = open_stage("AUTH all secret");
    listen_here(stage);
    connect_stage(stage);
    cr_assert_str_eq(heard(stage), "AUTH all secret\n"
                                   "XREADGROUP GROUP all bench COUNT 1000 BLOCK 50 STREAMS all >");
    say_text(stage, "+O");
    say_text(stage, "K\r\n");
    size_t size = write_entries(stage, entries, 0, COUNT);
    for (size_t at = 0; at < size;) {
        size_t piece = at < 2000 ? 1 : 777;
        piece = piece < size - at ? piece : size - at;
        say(stage, entries + at, piece);
        at += piece;
    }
    cr_assert_eq(stage->checker.delivered_count[0], COUNT);
    cr_assert_eq(checker_finish(&stage->checker), 0);
    close_stage(stage);
}

Test(consumer, reads_again_what_it_had_not_acknowledged)
{
    static uint8_t entries[COUNT * 512];
    struct stage *stage = open_stage(NULL);
    listen_here(stage);
    connect_stage(stage);
    heard(stage);
    say(stage, entries, write_entries(stage, entries, 0, 5));
    close(stage->server);
    consumer_disconnected(&stage->consumer);
    connect_stage(stage);
    cr_assert_str_eq(heard(stage),
                     "XREADGROUP GROUP all bench COUNT 1000 BLOCK 50 STREAMS all 0-0");
    say(stage, entries, write_entries(stage, entries, 0, 5));
    cr_assert_str_eq(heard(stage),
                     "XACK all all 1000-1 1000-2 1000-3 1000-4 1000-5\n"
                     "XREADGROUP GROUP all bench COUNT 1000 BLOCK 50 STREAMS all 1000-5");
    say_text(stage, ":5\r\n*1\r\n*2\r\n$3\r\nall\r\n*0\r\n");
    cr_assert_str_eq(heard(stage), read_new);
    say(stage, entries, write_entries(stage, entries, 5, COUNT));
    cr_assert_eq(stage->checker.redelivered_count[0], 5);
    cr_assert_eq(checker_finish(&stage->checker), 0);
    close_stage(stage);
}

Test(consumer, gives_up_when_it_is_refused)
{
    struct stage *stage = open_stage("AUTH all wrong");
    listen_here(stage);
    connect_stage(stage);
    cr_assert_eq(write(stage->server, "-WRONGPASS no\r\n", 15), 15);
    cr_assert_eq(consumer_receive(&stage->consumer, 0), STATUS_INVALID);
    cr_assert_str_eq(stage->consumer.problem, "login refused: WRONGPASS no");
    close_stage(stage);
}

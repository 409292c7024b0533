/* What two publishers send, cut anywhere, comes whole to two subscribers, in the order of each; and
 * each command has its receipt. */
#include "bench/peers/null_router.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/random.h"

enum {
    COMMANDS = 3000, /* of a publisher */
    BODY_BYTES_MAX = 6000,
    PUBLISHERS = 2,
    SUBSCRIBERS = 2,
    SOCKETS = PUBLISHERS + SUBSCRIBERS,
    PATIENCE_MS = 20000
};

struct stream {
    uint8_t *data;
    size_t size, done;
};

static struct null_router *router;
static pid_t process;
static int sockets[SOCKETS];
static struct stream sent[PUBLISHERS], receipts[PUBLISHERS], taken[SUBSCRIBERS];

static void start(void)
{
    char problem[256];
    cr_assert_eq(null_router_open(&router, problem, sizeof problem), STATUS_OK, "%s", problem);
    cr_assert_eq(strncmp(null_router_address(router), "127.0.0.1:", 10), 0);
}

/* The loop is its opener's. */
static void serve(void)
{
    int ready[2];
    char address[64] = "";
    cr_assert_eq(pipe(ready), 0);
    process = fork();
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        start();
        const char *text = null_router_address(router);
        if (write(ready[1], text, strlen(text)) > 0)
            null_router_serve(router);
        _exit(1);
    }
    close(ready[1]);
    cr_assert_gt(read(ready[0], address, sizeof address - 1), 10);
    close(ready[0]);
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (unsigned i = 0; i < SOCKETS; i++) {
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(connect(sockets[i], (struct sockaddr *)&name, sizeof name), 0);
    }
}

static void stop(void)
{
    if (process > 0) {
        kill(process, SIGTERM);
        waitpid(process, NULL, 0);
    }
}

TestSuite(null_router, .init = serve, .fini = stop, .timeout = 60);

/* The first argument is who sent it, the last a body of random size. */
static void write_commands(struct stream *stream, char who)
{
    struct random random;
    random_seed(&random, (uint64_t)who);
    stream->data = malloc((size_t)COMMANDS * (BODY_BYTES_MAX + 64));
    for (uint32_t i = 0; i < COMMANDS; i++) {
        uint32_t body = random_below(&random, BODY_BYTES_MAX);
        int head = sprintf((char *)stream->data + stream->size,
                           "*3\r\n$1\r\n%c\r\n$0\r\n\r\n$%u\r\n", who, body);
        stream->size += (size_t)head;
        memset(stream->data + stream->size, 'a' + (int)(i % 26), body);
        memcpy(stream->data + stream->size + body, "\r\n", 2);
        stream->size += body + 2;
    }
}

static void subscribe(int socket)
{
    char answer[5];
    cr_assert_eq(write(socket, NULL_ROUTER_SUBSCRIBE, sizeof NULL_ROUTER_SUBSCRIBE - 1), 11);
    cr_assert_eq(recv(socket, answer, 5, MSG_WAITALL), 5);
    cr_assert_eq(memcmp(answer, "+OK\r\n", 5), 0);
}

static void take(int socket, struct stream *stream)
{
    ssize_t size =
        recv(socket, stream->data + stream->done, stream->size - stream->done, MSG_DONTWAIT);
    cr_assert_gt(size, 0);
    stream->done += (size_t)size;
}

/* In pieces of any size, up to a few buffers. */
static void give(int socket, struct stream *stream, struct random *random)
{
    size_t most = 1 + random_below(random, random_below(random, 4) == 0 ? 200000 : 700);
    size_t left = stream->size - stream->done;
    ssize_t size =
        send(socket, stream->data + stream->done, left < most ? left : most, MSG_DONTWAIT);
    stream->done += size > 0 ? (size_t)size : 0;
}

static bool run_turn(struct random *random)
{
    struct pollfd polled[SOCKETS];
    bool goes_on = false;
    for (unsigned i = 0; i < SOCKETS; i++) {
        const struct stream *in = i < PUBLISHERS ? &receipts[i] : &taken[i - PUBLISHERS];
        bool gives = i < PUBLISHERS && sent[i].done < sent[i].size;
        short events = (short)((in->done < in->size ? POLLIN : 0) | (gives ? POLLOUT : 0));
        polled[i] = (struct pollfd){.fd = events != 0 ? sockets[i] : -1, .events = events};
        goes_on = goes_on || events != 0;
    }
    if (!goes_on)
        return false;
    cr_assert_gt(poll(polled, SOCKETS, PATIENCE_MS), 0, "nothing comes any more");
    for (unsigned i = 0; i < SOCKETS; i++) {
        if ((polled[i].revents & POLLIN) != 0)
            take(sockets[i], i < PUBLISHERS ? &receipts[i] : &taken[i - PUBLISHERS]);
        if ((polled[i].revents & POLLOUT) != 0)
            give(sockets[i], &sent[i], random);
    }
    return true;
}

/* Each whole command is the next one of its publisher. */
static void verify(const struct stream *stream)
{
    size_t next[PUBLISHERS] = {0};
    for (size_t at = 0; at < stream->size;) {
        unsigned who = (unsigned)(stream->data[at + 8] - 'A');
        cr_assert_lt(who, PUBLISHERS, "no command begins at byte %zu", at);
        const struct stream *source = &sent[who];
        size_t size = 8;
        while (next[who] + size < source->size &&
               memcmp(source->data + next[who] + size, "*3\r\n$1\r\n", 8) != 0)
            size++;
        cr_assert_leq(at + size, stream->size);
        cr_assert_eq(memcmp(stream->data + at, source->data + next[who], size), 0,
                     "another command at byte %zu", at);
        next[who] += size;
        at += size;
    }
    for (unsigned i = 0; i < PUBLISHERS; i++)
        cr_assert_eq(next[i], sent[i].size);
}

Test(null_router, passes_on_all_of_it)
{
    struct random random;
    size_t all = 0, receipt = sizeof NULL_ROUTER_RECEIPT - 1;
    random_seed(&random, 7);
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        write_commands(&sent[i], (char)('A' + i));
        receipts[i] = (struct stream){malloc(COMMANDS * receipt), COMMANDS * receipt, 0};
        all += sent[i].size;
    }
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        subscribe(sockets[PUBLISHERS + i]);
        taken[i] = (struct stream){malloc(all), all, 0};
    }
    while (run_turn(&random))
        ;
    for (unsigned i = 0; i < SUBSCRIBERS; i++)
        verify(&taken[i]);
    for (size_t at = 0; at < COMMANDS * receipt; at += receipt)
        for (unsigned i = 0; i < PUBLISHERS; i++)
            cr_assert_eq(memcmp(receipts[i].data + at, NULL_ROUTER_RECEIPT, receipt), 0);
}

/* What is no command ends its connection, and no other. */
Test(null_router, ends_what_is_no_command)
{
    char byte;
    cr_assert_eq(write(sockets[0], "GET / HTTP/1.1\r\n", 16), 16);
    cr_assert_eq(recv(sockets[0], &byte, 1, 0), 0);
    subscribe(sockets[2]);
    cr_assert_eq(write(sockets[1], "*1\r\n$4\r\nPING\r\n", 14), 14);
    char text[14];
    cr_assert_eq(recv(sockets[2], text, 14, MSG_WAITALL), 14);
    cr_assert_eq(memcmp(text, "*1\r\n$4\r\nPING\r\n", 14), 0);
}

#include "bench/race/far_reader.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A server that answers its one client with pieces of text, a moment apart, and then again. */
struct answerer {
    char path[64], address[80];
    int listener;
    const char *const *pieces;
    pthread_t thread;
    uint32_t answered;
};

static void *answer(void *context)
{
    struct answerer *answerer = context;
    struct timespec moment = {.tv_nsec = 2 * 1000 * 1000};
    char command[512];
    int client = accept(answerer->listener, NULL, NULL);
    while (recv(client, command, sizeof command, 0) > 0) {
        for (const char *const *piece = answerer->pieces; *piece != NULL; piece++) {
            if (send(client, *piece, strlen(*piece), MSG_NOSIGNAL) < 0)
                break;
            nanosleep(&moment, NULL);
        }
        answerer->answered++;
    }
    close(client);
    return NULL;
}

static void start_answerer(struct answerer *answerer, const char *const *pieces)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    *answerer = (struct answerer){.pieces = pieces};
    snprintf(answerer->path, sizeof answerer->path, "/tmp/kouan-far-%d.sock", getpid());
    snprintf(answerer->address, sizeof answerer->address, "unix:%s", answerer->path);
    snprintf(name.sun_path, sizeof name.sun_path, "%s", answerer->path);
    unlink(answerer->path);
    answerer->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(answerer->listener, (struct sockaddr *)&name, sizeof name), 0);
    cr_assert_eq(listen(answerer->listener, 1), 0);
    cr_assert_eq(pthread_create(&answerer->thread, NULL, answer, answerer), 0);
}

static void stop_answerer(struct answerer *answerer)
{
    pthread_join(answerer->thread, NULL);
    close(answerer->listener);
    unlink(answerer->path);
}

static enum status read_for(struct answerer *answerer, long milliseconds, uint64_t *out_bytes)
{
    struct far_reader *reader;
    struct timespec pause = {.tv_nsec = milliseconds * 1000 * 1000};
    cr_assert_eq(far_reader_start(answerer->address, "all", "far", &reader), STATUS_OK);
    nanosleep(&pause, NULL);
    enum status status = far_reader_stop(reader, out_bytes);
    stop_answerer(answerer);
    return status;
}

Test(far_reader, knows_the_end_of_a_reply_wherever_it_is_cut)
{
    static const char *const pieces[] = {"*1\r\n$3\r\nab", "c\r\n+PO", "NG", "\r\n", NULL};
    struct answerer answerer;
    uint64_t bytes;
    start_answerer(&answerer, pieces);
    cr_expect_eq(read_for(&answerer, 100, &bytes), STATUS_OK);
    cr_expect_geq(answerer.answered, 1);
    cr_expect_eq(bytes, answerer.answered * strlen("*1\r\n$3\r\nabc\r\n+PONG\r\n"));
}

Test(far_reader, says_when_it_was_refused)
{
    static const char *const pieces[] = {"-NOGROUP no such group\r\n+PONG\r\n", NULL};
    struct answerer answerer;
    uint64_t bytes;
    start_answerer(&answerer, pieces);
    cr_expect_eq(read_for(&answerer, 100, &bytes), STATUS_IO);
}

Test(far_reader, says_when_nobody_is_there)
{
    struct far_reader *reader;
    cr_expect_eq(far_reader_start("unix:/tmp/kouan-far-nobody.sock", "all", "far", &reader),
                 STATUS_IO);
}

/* The parser beside a real redis-server, where the machine has one: the wording of protocol errors,
 * and the quoting of inline commands. It starts its own server on a Unix socket in a folder of its
 * own; without redis-server the tests say so and are skipped. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/resp/resp.h"
#include "io/resp/resp_reply.h"

enum { ANSWER_BYTES_MAX = 256 * 1024, START_TRIES = 500, ARGUMENTS_MAX = 64 };

static const struct resp_limits limits = {ARGUMENTS_MAX, 512 * 1024 * 1024, UINT32_MAX};

/* ---- The server ------------------------------------------------------------------------------ */

struct server {
    char folder[64], socket_path[96];
    pid_t process;
};

static int server_connect(const struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 10};
    int peer = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert(peer >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", server->socket_path);
    if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0) {
        close(peer);
        return -1;
    }
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return peer;
}

static bool server_start(struct server *server)
{
    *server = (struct server){.folder = "/tmp/kouan-redis-XXXXXX"};
    if (system("command -v redis-server >/dev/null 2>&1") != 0)
        return false;
    cr_assert_not_null(mkdtemp(server->folder));
    snprintf(server->socket_path, sizeof server->socket_path, "%s/socket", server->folder);
    server->process = fork();
    cr_assert(server->process >= 0);
    if (server->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server->socket_path,
               "--save", "", "--dir", server->folder, "--logfile", "/dev/null", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < START_TRIES; i++) {
        int peer = server_connect(server);
        if (peer >= 0) {
            close(peer);
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    cr_assert_fail("redis-server does not answer");
    return false;
}

static void server_stop(struct server *server)
{
    kill(server->process, SIGTERM);
    waitpid(server->process, NULL, 0);
    unlink(server->socket_path);
    rmdir(server->folder);
}

static void send_all(int peer, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t sent = send(peer, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return; /* an error was answered before all had been read */
        cr_assert(sent > 0);
        bytes = bytes_slice(bytes, (size_t)sent, bytes.size);
    }
}

/* The next reply, as bytes behind `answer`; size 0 at the end of the connection. */
static struct bytes receive_reply(int peer, uint8_t *answer)
{
    struct resp_reply_parser parser = {0};
    size_t have = 0, size, needed;
    for (;;) {
        enum status status = resp_reply_measure(&parser, bytes_make(answer, have), &size, &needed);
        if (status == STATUS_OK)
            return bytes_make(answer, size);
        cr_assert_eq(status, STATUS_INCOMPLETE, "redis-server sent what we do not read");
        ssize_t got = recv(peer, answer + have, 1, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return bytes_make(answer, 0);
        cr_assert(got > 0, "redis-server is silent");
        have++;
    }
}

/* ---- Wording --------------------------------------------------------------------------------- */

struct row {
    const char *input;
    uint32_t fill; /* so many `a` behind it */
};

/* What both refuse. Where redis-server waits for more (CR without LF) or does not look (what stands
 * behind an argument), the refusal is ours alone: resp_test.c. */
static const struct row rows[] = {
    {"*\r\n", 0},
    {"*x\r\n", 0},
    {"*01\r\n", 0},
    {"*-0\r\n", 0},
    {"*+1\r\n", 0},
    {"* 1\r\n", 0},
    {"*1 \r\n", 0},
    {"*2147483648\r\n", 0},
    {"*99999999999999999999\r\n", 0},
    {"*1\r\nx\r\n", 0},
    {"*1\r\n\r\n", 0},
    {"*1\r\n\n\r\n", 0},
    {"*1\r\n'\r\n", 0},
    {"*1\r\n*1\r\n", 0},
    {"*1\r\n$\r\n", 0},
    {"*1\r\n$x\r\n", 0},
    {"*1\r\n$-1\r\n", 0},
    {"*1\r\n$01\r\n", 0},
    {"*1\r\n$+1\r\n", 0},
    {"*1\r\n$1 \r\n", 0},
    {"*1\r\n$536870913\r\n", 0},
    {"ECHO \"a\r\n", 0},
    {"ECHO 'a\r\n", 0},
    {"ECHO 'a'b\r\n", 0},
    {"ECHO \"a\"b\r\n", 0},
    {"ECHO \"a\\\"\r\n", 0},
    {"PING ", RESP_INLINE_BYTES_MAX},
    {"POST / HTTP/1.1\r\n", 0},
    {"post\r\n", 0},
    {"Host: example.com\r\n", 0},
};

static void check_row(const struct server *server, const struct row *row)
{
    static uint8_t input[RESP_INLINE_BYTES_MAX + 4096], answer[ANSWER_BYTES_MAX];
    size_t size = strlen(row->input);
    memcpy(input, row->input, size);
    memset(input + size, 'a', row->fill);
    size += row->fill;

    int peer = server_connect(server);
    cr_assert(peer >= 0);
    send_all(peer, bytes_make(input, size));
    struct bytes reply = receive_reply(peer, answer);

    struct bytes arguments[ARGUMENTS_MAX];
    struct resp_command command = {.arguments = arguments};
    struct resp_parser parser = {0};
    const char *error = NULL;
    uint32_t needed;
    enum status status =
        resp_parse(&parser, &limits, bytes_make(input, size), &command, &needed, &error);
    if (reply.size == 0) {
        cr_assert_eq(status, STATUS_DENIED, "%s: closed without a reply", row->input);
    } else {
        char expected[256];
        snprintf(expected, sizeof expected, "-%s\r\n", error == NULL ? "(none)" : error);
        cr_assert(bytes_equal_text(reply, expected), "%s: redis-server says %.*s we say %s",
                  row->input, (int)reply.size, reply.data, expected);
        cr_assert(status == STATUS_INVALID || status == STATUS_TOO_BIG);
        cr_assert_eq(receive_reply(peer, answer).size, 0, "redis-server closes too");
    }
    close(peer);
}

Test(resp_redis, errors_are_worded_alike)
{
    struct server server;
    if (!server_start(&server))
        cr_skip_test("skipped: no redis-server here");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(&server, &rows[i]);
    server_stop(&server);
}

/* ---- Quoting --------------------------------------------------------------------------------- */

static uint64_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* The words of a line that pushes them onto a list, read back; or the error. */
static struct bytes redis_words(int peer, const char *line, uint8_t *answer)
{
    send_all(peer, BYTES_LITERAL("DEL words\r\n"));
    receive_reply(peer, answer);
    send_all(peer, bytes_from_text(line));
    struct bytes reply = receive_reply(peer, answer);
    if (reply.size == 0 || reply.data[0] == '-')
        return reply;
    send_all(peer, BYTES_LITERAL("LRANGE words 0 -1\r\n"));
    return receive_reply(peer, answer);
}

static void assert_words(const struct resp_command *command, struct bytes reply, const char *line)
{
    struct resp_cursor cursor = resp_cursor_make(reply);
    struct resp_item item;
    cr_assert(resp_cursor_next(&cursor, &item) && item.type == RESP_ARRAY);
    cr_assert_eq(item.count + 2, command->count, "%s", line);
    for (uint32_t i = 2; i < command->count; i++) {
        cr_assert(resp_cursor_next(&cursor, &item));
        cr_assert(bytes_equal(item.text, command->arguments[i]), "argument %u of %s", i, line);
    }
}

Test(resp_redis, inline_words_are_quoted_alike)
{
    static const char alphabet[] = "ab x40F\"\"''\\\\\\nrt\t\r\v ";
    static uint8_t answer[ANSWER_BYTES_MAX];
    struct server server;
    uint64_t seed = 41;
    int pushed = 0, refused = 0;
    if (!server_start(&server))
        cr_skip_test("skipped: no redis-server here");
    int peer = server_connect(&server);
    for (int i = 0; i < 4000; i++) {
        char line[128] = "RPUSH words k", copy[128 + BYTES_PADDING] = "";
        size_t size = strlen(line), end = size + random_next(&seed) % 24;
        for (; size < end; size++)
            line[size] = alphabet[random_next(&seed) % (sizeof alphabet - 1)];
        memcpy(line + size, "\r\n", 3);
        struct bytes reply = redis_words(peer, line, answer);

        struct bytes arguments[ARGUMENTS_MAX];
        struct resp_command command = {.arguments = arguments};
        struct resp_parser parser = {0};
        const char *error = NULL;
        uint32_t needed;
        memcpy(copy, line, size + 2);
        enum status status =
            resp_parse(&parser, &limits, bytes_make(copy, size + 2), &command, &needed, &error);
        if (reply.data[0] == '-') {
            cr_assert_eq(status, STATUS_INVALID, "%s", line);
            close(peer);
            peer = server_connect(&server);
            refused++;
        } else {
            cr_assert_eq(status, STATUS_OK, "%s", line);
            resp_unquote(&command);
            assert_words(&command, reply, line);
            pushed++;
        }
    }
    cr_assert(pushed > 500 && refused > 500, "%d pushed, %d refused", pushed, refused);
    close(peer);
    server_stop(&server);
}

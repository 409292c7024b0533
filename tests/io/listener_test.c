#include "io/net/listener.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/io/echo.h"

enum { FRAME = FRAME_HEADER_BYTES + 100 };

static struct address parse(const char *text)
{
    struct address address;
    char problem[256] = "";
    cr_assert_eq(address_parse(text, &address, problem, sizeof problem), STATUS_OK, "%s", problem);
    return address;
}

static struct listener *open_listener(struct server *server, const char *text)
{
    struct address address = parse(text);
    struct listener *listener = NULL;
    char problem[512] = "";
    cr_assert_eq(listener_open(server->loop, server->transport, &address, &listener, problem,
                               sizeof problem),
                 STATUS_OK, "%s", problem);
    return listener;
}

static void close_listener(struct server *server, struct listener *listener)
{
    listener_stop(listener);
    for (int i = 0; i < 100 && !listener_is_stopped(listener); i++)
        server_turn(server, 5);
    listener_close(listener);
}

/* Connects to the listener's address as its text gives it. */
static int connect_to(const char *text)
{
    struct address address = parse(text);
    int client = socket(address.storage.ss_family, SOCK_STREAM, 0);
    cr_assert_geq(client, 0);
    cr_assert_eq(connect(client, (const struct sockaddr *)&address.storage, address.size), 0, "%s",
                 strerror(errno));
    return client;
}

static void expect_echo(struct server *server, int client)
{
    uint8_t frame[FRAME], reply[FRAME];
    put_frame(frame, 100, 'e');
    client_send(server, client, frame, FRAME);
    cr_assert_eq(client_receive(server, client, reply, FRAME), FRAME);
    cr_assert_eq(memcmp(frame, reply, FRAME), 0);
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int probe = socket(AF_INET6, SOCK_STREAM, 0);
    bool works = probe >= 0 && bind(probe, (struct sockaddr *)&name, sizeof name) == 0;
    close(probe);
    return works;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

Test(listener, accepts_over_ipv4)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    struct listener *listener = open_listener(&server, "127.0.0.1:0");
    cr_assert_str_neq(listener_address_text(listener), "127.0.0.1:0", "the real port");
    int clients[3];
    for (int i = 0; i < 3; i++) {
        clients[i] = connect_to(listener_address_text(listener));
        expect_echo(&server, clients[i]);
    }
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    char expected[64];
    getsockname(clients[2], (struct sockaddr *)&name, &size);
    snprintf(expected, sizeof expected, "127.0.0.1:%u", ntohs(name.sin_port));
    cr_assert_str_eq(connection_peer(server.last), expected);
    cr_assert_eq(server_figures(&server).accepted, 3);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    close_listener(&server, listener);
    server_close(&server);
}

Test(listener, accepts_over_ipv6_and_both)
{
    if (!has_ipv6())
        cr_skip_test("skipped: no IPv6 here");
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    struct listener *only = open_listener(&server, "[::1]:0");
    int client = connect_to(listener_address_text(only));
    expect_echo(&server, client);
    cr_assert_eq(strncmp(connection_peer(server.last), "[::1]:", 6), 0);
    close(client);
    close_listener(&server, only);

    struct listener *both = open_listener(&server, "*:0");
    unsigned port;
    cr_assert_eq(sscanf(listener_address_text(both), "*:%u", &port), 1, "%s",
                 listener_address_text(both));
    const char *hosts[] = {"127.0.0.1", "[::1]"};
    for (int i = 0; i < 2; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s:%u", hosts[i], port);
        client = connect_to(text);
        expect_echo(&server, client);
        cr_assert_eq(strncmp(connection_peer(server.last), hosts[i], strlen(hosts[i])), 0, "%s",
                     connection_peer(server.last));
        close(client);
    }
    close_listener(&server, both);
    server_close(&server);
}

static int option_of(int descriptor, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    cr_assert_eq(getsockopt(descriptor, level, option, &value, &size), 0);
    return value;
}

/* The descriptor of this process that is the other end of `client`. */
static int find_other_end(int client)
{
    struct sockaddr_in own, peer;
    socklen_t size = sizeof own;
    cr_assert_eq(getsockname(client, (struct sockaddr *)&own, &size), 0);
    for (int i = 3; i < 200; i++) {
        size = sizeof peer;
        if (getpeername(i, (struct sockaddr *)&peer, &size) == 0 && peer.sin_family == AF_INET &&
            peer.sin_port == own.sin_port)
            return i;
    }
    return -1;
}

Test(listener, accepted_sockets_find_out_about_dead_peers)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    struct listener *listener = open_listener(&server, "127.0.0.1:0");
    int client = connect_to(listener_address_text(listener));
    expect_echo(&server, client);
    int other = find_other_end(client);
    cr_assert_geq(other, 0);
    cr_assert_eq(option_of(other, IPPROTO_TCP, TCP_NODELAY), 1);
    cr_assert_eq(option_of(other, SOL_SOCKET, SO_KEEPALIVE), 1);
    cr_assert_eq(option_of(other, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    cr_assert_eq(option_of(other, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    close(client);
    close_listener(&server, listener);
    server_close(&server);
}

static void expect_problem(struct server *server, const char *text, const char *part)
{
    struct address address = parse(text);
    struct listener *listener = NULL;
    char problem[512] = "";
    cr_assert_eq(listener_open(server->loop, server->transport, &address, &listener, problem,
                               sizeof problem),
                 STATUS_IO);
    cr_assert_not_null(strstr(problem, part), "%s", problem);
    cr_assert_null(strchr(problem, '\n'));
    cr_assert_null(listener);
}

Test(listener, says_why_it_cannot_listen)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    struct listener *listener = open_listener(&server, "127.0.0.1:0");
    expect_problem(&server, listener_address_text(listener), "ss -ltnp 'sport = :");
    expect_problem(&server, "192.0.2.1:7400", "no interface");
    expect_problem(&server, "unix:/nowhere/at/all", "No such file");
    close_listener(&server, listener);
    server_close(&server);
}

/* ---- Unix sockets ---------------------------------------------------------------------------- */

static void make_path(char *out_text, size_t capacity)
{
    char folder[] = "/tmp/kouan-listener-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    snprintf(out_text, capacity, "unix:%s/s", folder);
}

static void remove_path(const char *text)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s", text + 5);
    unlink(folder);
    *strrchr(folder, '/') = '\0';
    rmdir(folder);
}

Test(listener, unix_sockets_are_for_the_group_and_go_with_the_server)
{
    char text[128];
    make_path(text, sizeof text);
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    struct listener *listener = open_listener(&server, text);
    struct stat info;
    cr_assert_eq(stat(text + 5, &info), 0);
    cr_assert(S_ISSOCK(info.st_mode));
    cr_assert_eq(info.st_mode & 0777, 0660, "%o", info.st_mode & 0777);
    int client = connect_to(text);
    expect_echo(&server, client);
    cr_assert_str_eq(connection_peer(server.last), text);
    close(client);
    close_listener(&server, listener);
    cr_assert_neq(stat(text + 5, &info), 0, "the file was left behind");
    server_close(&server);
    remove_path(text);
}

Test(listener, replaces_a_stale_unix_socket_but_not_a_live_one)
{
    char text[128];
    make_path(text, sizeof text);
    struct address address = parse(text);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(dead, (const struct sockaddr *)&address.storage, address.size), 0);
    cr_assert_eq(listen(dead, 1), 0);

    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    expect_problem(&server, text, "in use");
    cr_assert_eq(access(text + 5, F_OK), 0, "a live socket was taken away");
    close(dead); /* its file stays */
    struct listener *listener = open_listener(&server, text);
    int client = connect_to(text);
    expect_echo(&server, client);
    close(client);

    /* Another server has taken the path over: ours leaves the file alone. */
    unlink(text + 5);
    struct listener *other = open_listener(&server, text);
    close_listener(&server, listener);
    cr_assert_eq(access(text + 5, F_OK), 0);
    close_listener(&server, other);

    /* What is no socket is not ours to remove. */
    FILE *file = fopen(text + 5, "w");
    fclose(file);
    expect_problem(&server, text, "in use");
    cr_assert_eq(access(text + 5, F_OK), 0);
    server_close(&server);
    remove_path(text);
}

/* ---- Limits ---------------------------------------------------------------------------------- */

Test(listener, beyond_the_maximum_they_are_closed_at_once)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.connections_max = 16;
    server_open(&server, loop_defaults(), settings);
    struct listener *listener = open_listener(&server, "127.0.0.1:0");
    int clients[20];
    for (int i = 0; i < 20; i++)
        clients[i] = connect_to(listener_address_text(listener));
    server_turn_for(&server, 50);
    cr_assert_eq(server_figures(&server).accepted, 16);
    cr_assert_eq(server_figures(&server).refused_full, 4);
    uint8_t byte;
    int refused = 0;
    for (int i = 0; i < 20; i++)
        refused += recv(clients[i], &byte, 1, MSG_DONTWAIT) == 0;
    cr_assert_eq(refused, 4);
    expect_echo(&server, clients[0]);
    for (int i = 0; i < 20; i++)
        close(clients[i]);
    close_listener(&server, listener);
    server_close(&server);
}

enum { SPARE_DESCRIPTORS = 20 };

/* So that few descriptors more can be had from now on. */
static void limit_descriptors(void)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = dup(0);
    close(next);
    limit.rlim_cur = (rlim_t)next + SPARE_DESCRIPTORS;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

Test(listener, out_of_descriptors_it_rests_and_goes_on)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    limit_descriptors();
    struct listener *listener = open_listener(&server, "127.0.0.1:0");
    int served = connect_to(listener_address_text(listener));
    expect_echo(&server, served);
    struct address address = parse(listener_address_text(listener));
    int waiting = socket(AF_INET, SOCK_STREAM, 0);
    int taken[SPARE_DESCRIPTORS];
    int count = 0;
    while ((taken[count] = dup(0)) >= 0)
        cr_assert_lt(++count, SPARE_DESCRIPTORS);

    cr_assert_eq(connect(waiting, (const struct sockaddr *)&address.storage, address.size), 0);
    struct loop_figures before, after;
    loop_figures(server.loop, &before);
    server_turn_for(&server, 450);
    loop_figures(server.loop, &after);
    struct listener_figures figures;
    listener_figures(listener, &figures);
    cr_assert(figures.pauses >= 2 && figures.pauses <= 6, "%lu pauses", figures.pauses);
    cr_assert_eq(figures.last_error, EMFILE);
    cr_assert_lt(after.turns - before.turns, 30, "it spins");
    expect_echo(&server, served); /* the others are served */

    while (count > 0)
        close(taken[--count]);
    expect_echo(&server, waiting); /* and it goes on by itself */
    close(served);
    close(waiting);
    close_listener(&server, listener);
    server_close(&server);
}

Test(listener, stops_with_an_accept_in_flight)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    struct listener *listener = open_listener(&server, "127.0.0.1:0");
    cr_assert_not(listener_is_stopped(listener));
    listener_stop(listener);
    listener_stop(listener);
    cr_assert_not(listener_is_stopped(listener), "its accept is in flight");
    int client = connect_to(listener_address_text(listener));
    for (int i = 0; i < 100 && !listener_is_stopped(listener); i++)
        server_turn(&server, 5);
    cr_assert(listener_is_stopped(listener));
    listener_close(listener);
    cr_assert_eq(server.opened, 0);
    close(client);
    server_close(&server);
}

/* What the tests of the transport share: a server that echoes frames (4 bytes of length, lowest
 * first, then as many bytes), turned by hand, and clients on sockets of the same process. */
#ifndef KOUAN_TESTS_IO_ECHO_H
#define KOUAN_TESTS_IO_ECHO_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/net/connection.h"

enum { FRAME_HEADER_BYTES = 4 };
#define NS_PER_MS UINT64_C(1000000)

struct server {
    struct loop *loop;
    struct transport *transport;
    struct timer watchdog;
    atomic_bool stopping;
    /* What happened: */
    uint64_t opened, closed, frames, inputs, rooms, ended;
    struct connection *last; /* opened */
    uint64_t order[16];      /* ids of whose the first frames were */
    /* What it does: */
    bool mute;              /* consumes and says nothing */
    bool finishes;          /* after the first frame */
    bool keeps_half_open;   /* `ended` does nothing */
    uint32_t pause_each;    /* pauses after so many frames ... */
    struct deferral resume; /* ... until the end of the turn */
    struct connection *paused[64];
    uint32_t paused_count;
    bool stays_paused;
};

struct session {
    bool blocked; /* for want of output room; paused meanwhile */
    uint32_t frames_since_pause;
    /* What the last call left: it must come again. */
    size_t left, needed;
    uint8_t left_start[16];
};

static inline uint64_t clock_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- The protocol ---------------------------------------------------------------------------- */

static inline struct server *server_of(struct connection *connection)
{
    return transport_context(connection_transport(connection));
}

static inline void echo_opened(struct connection *connection)
{
    static const struct session zeroed;
    cr_assert_eq(memcmp(connection_session(connection), &zeroed, sizeof zeroed), 0);
    server_of(connection)->opened++;
    server_of(connection)->last = connection;
}

static inline void echo_closed(struct connection *connection)
{
    cr_assert(connection_is_closing(connection));
    server_of(connection)->closed++;
}

static inline void check_continuity(struct session *session, struct bytes input, bool was_paused)
{
    size_t known =
        session->left < sizeof session->left_start ? session->left : sizeof session->left_start;
    cr_assert_geq(input.size, session->left, "input became shorter");
    cr_assert(was_paused || input.size >= session->needed, "%zu of %zu bytes", input.size,
              session->needed);
    cr_assert_eq(memcmp(input.data, session->left_start, known), 0, "what was left has changed");
}

static inline void remember_rest(struct session *session, struct bytes rest, size_t needed)
{
    session->left = rest.size;
    session->needed = needed;
    memcpy(session->left_start, rest.data, rest.size < 16 ? rest.size : 16);
}

/* True if the connection was paused or ended behind this frame. */
static inline bool act_on_frame(struct connection *connection, struct server *server,
                                struct session *session)
{
    if (server->frames < sizeof server->order / sizeof server->order[0])
        server->order[server->frames] = connection_id(connection);
    server->frames++;
    if (server->finishes) {
        connection_finish(connection);
        return true;
    }
    if (server->pause_each > 0 && ++session->frames_since_pause >= server->pause_each) {
        session->frames_since_pause = 0;
        connection_pause(connection);
        if (!server->stays_paused) {
            cr_assert_lt(server->paused_count, 64);
            server->paused[server->paused_count++] = connection;
            loop_defer(server->loop, &server->resume);
        }
        return true;
    }
    return false;
}

static inline size_t echo_input(struct connection *connection, struct bytes input,
                                size_t *out_needed)
{
    struct server *server = server_of(connection);
    struct session *session = connection_session(connection);
    struct chunk *chunk = connection_input_chunk(connection);
    cr_assert(input.data >= chunk->data && input.data + input.size <= chunk->data + chunk->used);
    check_continuity(session, input, session->needed == 0);
    server->inputs++;
    size_t consumed = 0;
    size_t needed = 0;
    bool interrupted = false;
    while (!interrupted) {
        size_t rest = input.size - consumed;
        uint32_t payload = 0;
        if (rest < FRAME_HEADER_BYTES) {
            needed = FRAME_HEADER_BYTES;
            break;
        }
        memcpy(&payload, input.data + consumed, sizeof payload);
        needed = FRAME_HEADER_BYTES + (size_t)payload;
        if (rest < needed)
            break;
        if (!server->mute && !connection_write(connection, bytes_slice(input, consumed, needed))) {
            connection_pause(connection);
            session->blocked = true;
            interrupted = true;
            break;
        }
        consumed += needed;
        interrupted = act_on_frame(connection, server, session);
    }
    struct bytes rest = bytes_slice(input, consumed, input.size - consumed);
    if (rest.size > 0 && !interrupted)
        *out_needed = consumed + needed;
    remember_rest(session, rest, interrupted || rest.size == 0 ? 0 : needed);
    return consumed;
}

static inline void echo_output_room(struct connection *connection)
{
    struct session *session = connection_session(connection);
    server_of(connection)->rooms++;
    if (!session->blocked)
        return;
    session->blocked = false;
    connection_resume(connection);
}

static inline void echo_ended(struct connection *connection)
{
    server_of(connection)->ended++;
    if (!server_of(connection)->keeps_half_open)
        connection_finish(connection);
}

static inline void resume_all(struct loop *loop, struct deferral *deferral)
{
    struct server *server =
        (struct server *)((uint8_t *)deferral - offsetof(struct server, resume));
    (void)loop;
    for (uint32_t i = 0; i < server->paused_count; i++)
        connection_resume(server->paused[i]);
    server->paused_count = 0;
}

static const struct connection_protocol echo_protocol = {.opened = echo_opened,
                                                         .input = echo_input,
                                                         .output_room = echo_output_room,
                                                         .ended = echo_ended,
                                                         .closed = echo_closed};

/* ---- The server ------------------------------------------------------------------------------ */

static inline struct loop_settings loop_defaults(void)
{
    return (struct loop_settings){.submission_entries = 256,
                                  .completion_entries = 4096,
                                  .receive_buffer_count = 256,
                                  .files_max = 4096,
                                  .timers_max = 4096};
}

static inline struct transport_settings transport_defaults(void)
{
    return (struct transport_settings){.connections_max = 2000,
                                       .session_bytes = sizeof(struct session),
                                       .command_bytes_max = 512 * 1024,
                                       .small_carries = 256,
                                       .large_carries = 8,
                                       .output_chunks = 128,
                                       .output_bytes_max = 1024 * 1024,
                                       .half_command_ns = 10000 * NS_PER_MS,
                                       .stuck_send_ns = 10000 * NS_PER_MS,
                                       .protocol = &echo_protocol};
}

static inline void server_open(struct server *server, struct loop_settings loop_settings,
                               struct transport_settings settings)
{
    char problem[512] = "";
    cr_assert_eq(loop_open(&loop_settings, &server->loop, problem, sizeof problem), STATUS_OK, "%s",
                 problem);
    settings.context = server;
    cr_assert_eq(transport_open(server->loop, &settings, &server->transport), STATUS_OK);
    server->resume.run = resume_all;
}

static inline void end_turn(struct loop *loop, struct timer *timer)
{
    (void)loop;
    (void)timer;
}

/* One turn, of `max_ms` at most. */
static inline void server_turn(struct server *server, uint64_t max_ms)
{
    server->watchdog.expire = end_turn;
    loop_timer_arm(server->loop, &server->watchdog, clock_now_ns() + max_ms * NS_PER_MS);
    loop_turn(server->loop);
    loop_timer_disarm(server->loop, &server->watchdog);
}

static inline void server_turn_for(struct server *server, uint64_t ms)
{
    uint64_t end_ns = clock_now_ns() + ms * NS_PER_MS;
    for (uint64_t now_ns; (now_ns = clock_now_ns()) < end_ns;)
        server_turn(server, (end_ns - now_ns) / NS_PER_MS + 1);
}

static inline void abort_one(struct connection *connection, void *context)
{
    (void)context;
    connection_abort(connection);
}

/* Aborts what is left, and proves that everything came back. */
static inline void server_close(struct server *server)
{
    transport_visit(server->transport, abort_one, NULL);
    for (int i = 0; i < 1000 && transport_connection_count(server->transport) > 0; i++)
        server_turn(server, 10);
    cr_assert_eq(transport_connection_count(server->transport), 0);
    cr_assert_eq(server->opened, server->closed);
    cr_assert_eq(loop_buffers_out(server->loop), 0, "receive buffers were lost");
    transport_close(server->transport);
    loop_close(server->loop);
}

static inline struct transport_figures server_figures(const struct server *server)
{
    struct transport_figures figures;
    transport_figures(server->transport, &figures);
    return figures;
}

/* ---- Clients --------------------------------------------------------------------------------- */

/* A connected pair of TCP sockets: [0] for the client, [1] for the server. */
static inline void make_tcp_pair(int pair[2])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listening, (struct sockaddr *)&name, size), 0);
    cr_assert_eq(listen(listening, 1), 0);
    cr_assert_eq(getsockname(listening, (struct sockaddr *)&name, &size), 0);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(pair[0], (struct sockaddr *)&name, size), 0);
    pair[1] = accept(listening, NULL, NULL);
    cr_assert_geq(pair[1], 0);
    close(listening);
}

/* A client's socket, whose other end the server has. */
static inline int server_connect(struct server *server, bool tcp)
{
    int pair[2];
    if (tcp)
        make_tcp_pair(pair);
    else
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    cr_assert_eq(transport_adopt(server->transport, pair[1], "test"), STATUS_OK);
    return pair[0];
}

static inline void put_frame(uint8_t *target, uint32_t payload, uint8_t fill)
{
    memcpy(target, &payload, sizeof payload);
    memset(target + FRAME_HEADER_BYTES, fill, payload);
}

/* Sends without blocking as much as goes; turns the server in between. */
static inline void client_send(struct server *server, int client, const void *data, size_t size)
{
    const uint8_t *rest = data;
    uint64_t give_up_ns = clock_now_ns() + 10000 * NS_PER_MS;
    while (size > 0) {
        ssize_t sent = send(client, rest, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            rest += sent;
            size -= (size_t)sent;
            continue;
        }
        cr_assert(sent < 0 && errno == EAGAIN, "send: %s", strerror(errno));
        cr_assert_lt(clock_now_ns(), give_up_ns, "the server does not receive");
        server_turn(server, 1);
    }
}

/* Receives just so much, turning the server in between; less at the peer's end. */
static inline size_t client_receive(struct server *server, int client, void *target, size_t size)
{
    size_t count = 0;
    uint64_t give_up_ns = clock_now_ns() + 10000 * NS_PER_MS;
    while (count < size) {
        ssize_t received = recv(client, (uint8_t *)target + count, size - count, MSG_DONTWAIT);
        if (received == 0 || (received < 0 && errno != EAGAIN))
            break;
        if (received > 0)
            count += (size_t)received;
        else
            server_turn(server, 1);
        cr_assert_lt(clock_now_ns(), give_up_ns, "%zu of %zu bytes came", count, size);
    }
    return count;
}

/* ---- A client that streams frames and compares what comes back ------------------------------- */

struct stream {
    uint64_t random;     /* of frames: both sides make the same */
    uint32_t frame_left; /* of the current frame */
    uint32_t payload_max;
    uint8_t header[FRAME_HEADER_BYTES];
    uint32_t header_left;
};

static inline uint8_t stream_next(struct stream *stream)
{
    if (stream->header_left == 0 && stream->frame_left == 0) {
        uint64_t kind = next_random(&stream->random) % 16;
        uint32_t bound = kind == 0 ? stream->payload_max : kind < 4 ? 5000 : 300;
        if (bound > stream->payload_max)
            bound = stream->payload_max;
        uint32_t payload = (uint32_t)(next_random(&stream->random) % (bound + 1));
        memcpy(stream->header, &payload, sizeof payload);
        stream->header_left = FRAME_HEADER_BYTES;
        stream->frame_left = payload;
    }
    if (stream->header_left > 0)
        return stream->header[FRAME_HEADER_BYTES - stream->header_left--];
    stream->frame_left--;
    return (uint8_t)next_random(&stream->random);
}

struct client_job {
    struct server *server;
    int socket;
    uint64_t seed;
    size_t bytes_min; /* whole frames beyond this */
    uint32_t payload_max, piece_max;
    uint32_t read_pause_us; /* a slow reader */
    const char *failed;
    size_t bytes;
    atomic_uint *left; /* of all jobs */
};

static inline bool is_between_frames(const struct stream *stream)
{
    return stream->frame_left == 0 && stream->header_left == 0;
}

static inline void *run_client(void *argument)
{
    struct client_job *job = argument;
    struct stream out = {.random = job->seed, .payload_max = job->payload_max};
    struct stream in = out;
    uint64_t sizes = job->seed * 3 + 1;
    static _Thread_local uint8_t piece[256 * 1024];
    size_t piece_size = 0, piece_sent = 0, sent = 0, received = 0;
    bool all_made = false;
    while (!job->failed && (!all_made || received < sent)) {
        if (piece_sent == piece_size && !all_made) {
            size_t wanted = 1 + next_random(&sizes) % job->piece_max;
            for (piece_size = 0; piece_size < wanted && !all_made;) {
                piece[piece_size++] = stream_next(&out);
                all_made = sent + piece_size >= job->bytes_min && is_between_frames(&out);
            }
            sent += piece_size;
            piece_sent = 0;
        }
        struct pollfd ready = {.fd = job->socket, .events = POLLIN};
        if (piece_sent < piece_size)
            ready.events |= POLLOUT;
        if (poll(&ready, 1, 20000) <= 0) {
            job->failed = "nothing comes";
            break;
        }
        if ((ready.revents & POLLOUT) != 0) {
            ssize_t count = send(job->socket, piece + piece_sent, piece_size - piece_sent,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
            piece_sent += count > 0 ? (size_t)count : 0;
        }
        if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            uint8_t reply[32 * 1024];
            ssize_t count = recv(job->socket, reply, sizeof reply, MSG_DONTWAIT);
            if (count == 0 || (count < 0 && errno != EAGAIN))
                job->failed = count == 0 ? "an end" : strerror(errno);
            for (ssize_t i = 0; i < count; i++)
                if (reply[i] != stream_next(&in))
                    job->failed = "a wrong reply";
            received += count > 0 ? (size_t)count : 0;
            if (job->read_pause_us > 0)
                usleep(job->read_pause_us);
        }
    }
    job->bytes = received;
    if (atomic_fetch_sub(job->left, 1) == 1) {
        atomic_store(&job->server->stopping, true);
        loop_wake(job->server->loop);
    }
    return NULL;
}

/* Runs the jobs, each in a thread of its own, against the server, until all have ended. */
static inline void run_clients(struct server *server, struct client_job *jobs, uint32_t count)
{
    enum { JOBS_MAX = 64 };
    pthread_t threads[JOBS_MAX];
    atomic_uint left = count;
    cr_assert_leq(count, JOBS_MAX);
    atomic_store(&server->stopping, false);
    for (uint32_t i = 0; i < count; i++) {
        jobs[i].server = server;
        jobs[i].left = &left;
        cr_assert_eq(pthread_create(&threads[i], NULL, run_client, &jobs[i]), 0);
    }
    while (!atomic_load(&server->stopping))
        server_turn(server, 1000);
    for (uint32_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        cr_assert(!jobs[i].failed, "client %u with seed %lu: %s at byte %zu; %lu held too much", i,
                  jobs[i].seed, jobs[i].failed, jobs[i].bytes,
                  server_figures(server).aborted_holding);
        close(jobs[i].socket);
    }
}

#endif

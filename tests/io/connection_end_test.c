/* How connections end, and the deadlines that end them. */
#include "tests/io/echo.h"

enum { FRAME = FRAME_HEADER_BYTES + 100 };

/* True if the peer has ended: an orderly end, or a reset. */
static bool is_ended(struct server *server, int client, int *out_error)
{
    uint8_t byte;
    for (int i = 0; i < 500; i++) {
        ssize_t count = recv(client, &byte, 1, MSG_DONTWAIT);
        *out_error = count < 0 ? errno : 0;
        if (count == 0 || (count < 0 && errno != EAGAIN))
            return true;
        server_turn(server, 5);
    }
    return false;
}

static void wait_until_closed(struct server *server, uint64_t count)
{
    for (int i = 0; i < 1000 && server->closed < count; i++)
        server_turn(server, 5);
    cr_assert_eq(server->closed, count);
}

/* ---- Deadlines ------------------------------------------------------------------------------- */

Test(connection_end, half_a_command_has_an_absolute_deadline)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.half_command_ns = 200 * NS_PER_MS;
    server_open(&server, loop_defaults(), settings);
    int drip = server_connect(&server, true);
    int honest = server_connect(&server, true);
    uint8_t frame[FRAME], reply[FRAME];
    put_frame(frame, 100, 'x');
    uint64_t start_ns = clock_now_ns();
    size_t dripped = 0;
    while (server.closed == 0 && clock_now_ns() < start_ns + 2000 * NS_PER_MS) {
        if (dripped < FRAME - 1)
            send(drip, &frame[dripped++], 1, MSG_NOSIGNAL);
        client_send(&server, honest, frame, FRAME); /* whole commands have no deadline */
        cr_assert_eq(client_receive(&server, honest, reply, FRAME), FRAME);
        server_turn_for(&server, 10);
    }
    uint64_t lasted_ms = (clock_now_ns() - start_ns) / NS_PER_MS;
    cr_assert_eq(server.closed, 1);
    cr_assert(lasted_ms >= 190 && lasted_ms < 600, "%lu ms", lasted_ms);
    cr_assert_eq(server_figures(&server).aborted_half_command, 1);
    int error;
    cr_assert(is_ended(&server, drip, &error));
    close(drip);
    close(honest);
    server_close(&server);
}

Test(connection_end, each_command_has_a_deadline_of_its_own)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.half_command_ns = 200 * NS_PER_MS;
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    /* Always in the middle of a command, but never for long. */
    uint8_t frames[2 * FRAME];
    put_frame(frames, 100, 'x');
    put_frame(frames + FRAME, 100, 'x');
    client_send(&server, client, frames, FRAME / 2);
    for (int i = 0; i < 12; i++) {
        server_turn_for(&server, 50);
        client_send(&server, client, frames + FRAME / 2, FRAME);
    }
    server_turn_for(&server, 20);
    cr_assert_eq(server.frames, 12);
    cr_assert_eq(server.closed, 0);
    close(client);
    server_close(&server);
}

Test(connection_end, a_paused_half_command_has_no_deadline)
{
    struct server server = {.pause_each = 1, .stays_paused = true};
    struct transport_settings settings = transport_defaults();
    settings.half_command_ns = 100 * NS_PER_MS;
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    uint8_t frames[2 * FRAME], reply[FRAME];
    put_frame(frames, 100, 'x');
    put_frame(frames + FRAME, 100, 'y');
    client_send(&server, client, frames, FRAME + FRAME / 2);
    server_turn_for(&server, 300);
    cr_assert_eq(server.closed, 0, "it is the protocol that does not go on");
    connection_resume(server.last);
    server_turn_for(&server, 20);
    client_send(&server, client, frames + FRAME + FRAME / 2, FRAME - FRAME / 2);
    cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
    cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
    cr_assert_eq(reply[FRAME_HEADER_BYTES], 'y');
    close(client);
    server_close(&server);
}

Test(connection_end, a_pause_from_outside_stops_the_deadline)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.half_command_ns = 100 * NS_PER_MS;
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    uint8_t frame[FRAME], reply[FRAME];
    put_frame(frame, 100, 'x');
    client_send(&server, client, frame, FRAME / 2);
    server_turn_for(&server, 20);
    connection_pause(server.last);
    server_turn_for(&server, 200);
    client_send(&server, client, frame + FRAME / 2, FRAME - FRAME / 2);
    server_turn_for(&server, 200);
    cr_assert_eq(server.closed, 0);
    cr_assert_eq(server.frames, 0);
    connection_resume(server.last);
    cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
    close(client);
    server_close(&server);
}

Test(connection_end, no_deadline_is_left_when_all_is_done)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.half_command_ns = 100 * NS_PER_MS;
    settings.stuck_send_ns = 100 * NS_PER_MS;
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    uint8_t frame[FRAME], reply[FRAME];
    put_frame(frame, 100, 'x');
    for (int i = 0; i < 2; i++) {
        client_send(&server, client, frame, FRAME / 2);
        server_turn_for(&server, 10);
        client_send(&server, client, frame + FRAME / 2, FRAME - FRAME / 2);
        cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
        server_turn_for(&server, 300);
        cr_assert_eq(server.closed, 0);
    }
    close(client);
    server_close(&server);
}

Test(connection_end, a_send_without_progress_has_a_deadline)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.stuck_send_ns = 300 * NS_PER_MS;
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, false);
    enum { LARGE = FRAME_HEADER_BYTES + 60000 };
    static uint8_t large[LARGE];
    put_frame(large, 60000, 'z');
    /* A peer that sends and does not read. */
    uint64_t start_ns = clock_now_ns();
    uint64_t stuck_ns = 0;
    while (server.closed == 0 && clock_now_ns() < start_ns + 5000 * NS_PER_MS) {
        send(client, large, LARGE, MSG_DONTWAIT | MSG_NOSIGNAL);
        server_turn(&server, 5);
        if (stuck_ns == 0 && server.last != NULL && server_figures(&server).sent_bytes > 0)
            stuck_ns = clock_now_ns();
    }
    cr_assert_eq(server.closed, 1);
    cr_assert_eq(server_figures(&server).aborted_stuck_send, 1);
    cr_assert_geq(clock_now_ns() - stuck_ns, 290 * NS_PER_MS);
    close(client);
    server_close(&server);
}

Test(connection_end, a_slow_reader_who_reads_is_served, .timeout = 60)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.stuck_send_ns = 300 * NS_PER_MS;
    settings.output_bytes_max = 128 * 1024;
    server_open(&server, loop_defaults(), settings);
    int small = 32 * 1024;
    struct client_job jobs[2] = {0};
    for (uint32_t i = 0; i < 2; i++) {
        jobs[i] = (struct client_job){.socket = server_connect(&server, i == 0),
                                      .seed = 5 + i,
                                      .bytes_min = 1024 * 1024,
                                      .payload_max = 60000,
                                      .piece_max = 200000,
                                      .read_pause_us = 1000};
        setsockopt(jobs[i].socket, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    run_clients(&server, jobs, 2);
    cr_assert_gt(server.rooms, 0, "the output bound was never reached");
    cr_assert_eq(server_figures(&server).aborted_stuck_send, 0);
    server_close(&server);
}

Test(connection_end, the_protocols_deadline)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    int first = server_connect(&server, true);
    connection_set_deadline(server.last, loop_now_ns(server.loop) + 100 * NS_PER_MS);
    int second = server_connect(&server, true);
    connection_set_deadline(server.last, loop_now_ns(server.loop) + 100 * NS_PER_MS);
    connection_set_deadline(server.last, 0);
    server_turn_for(&server, 60);
    cr_assert_eq(server.closed, 0);
    server_turn_for(&server, 100);
    cr_assert_eq(server.closed, 1);
    cr_assert_eq(server_figures(&server).aborted_deadline, 1);
    int error;
    cr_assert(is_ended(&server, first, &error));
    close(first);
    close(second);
    server_close(&server);
}

/* ---- Ends ------------------------------------------------------------------------------------ */

Test(connection_end, finish_sends_what_is_queued_though_input_is_left_unread)
{
    struct server server = {.finishes = true};
    server_open(&server, loop_defaults(), transport_defaults());
    for (int tcp = 0; tcp < 2; tcp++) {
        int client = server_connect(&server, tcp == 1);
        static uint8_t frames[200 * FRAME];
        uint8_t reply[FRAME];
        for (int i = 0; i < 200; i++)
            put_frame(frames + i * FRAME, 100, (uint8_t)i);
        client_send(&server, client, frames, sizeof frames);
        server_turn_for(&server, 20);
        /* Had the server closed with input unread, its reply might be lost to a reset. */
        client_send(&server, client, frames, sizeof frames);
        cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
        int error;
        cr_assert(is_ended(&server, client, &error));
        cr_assert_eq(error, 0, "%s instead of an end", strerror(error));
        uint64_t closed = server.closed;
        close(client);
        wait_until_closed(&server, closed + 1);
    }
    cr_assert_eq(server.frames, 2);
    server_close(&server);
}

Test(connection_end, finish_waits_for_a_slow_reader_but_not_for_ever)
{
    struct server server = {.finishes = true};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    enum { LARGE = FRAME_HEADER_BYTES + 400000 };
    uint8_t *large = malloc(LARGE), *reply = malloc(LARGE);
    put_frame(large, 400000, 'l');
    client_send(&server, client, large, LARGE);
    uint64_t start_ns = clock_now_ns();
    server_turn_for(&server, 200);
    cr_assert_eq(client_receive(&server, client, reply, LARGE), LARGE);
    cr_assert_eq(memcmp(large, reply, LARGE), 0);
    cr_assert_eq(server.closed, 0, "it waits for the peer's end");
    wait_until_closed(&server, 1); /* which does not come */
    cr_assert_lt(clock_now_ns() - start_ns, 2000 * NS_PER_MS);
    free(large);
    free(reply);
    close(client);
    server_close(&server);
}

Test(connection_end, a_half_closed_peer_gets_its_replies)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    for (int tcp = 0; tcp < 2; tcp++) {
        int client = server_connect(&server, tcp == 1);
        uint8_t frames[10 * FRAME], reply[sizeof frames];
        for (int i = 0; i < 10; i++)
            put_frame(frames + i * FRAME, 100, (uint8_t)i);
        client_send(&server, client, frames, sizeof frames);
        client_send(&server, client, frames, 7); /* and half a command */
        shutdown(client, SHUT_WR);
        cr_assert_eq(client_receive(&server, client, reply, sizeof reply), sizeof reply);
        cr_assert_eq(memcmp(frames, reply, sizeof frames), 0);
        int error;
        cr_assert(is_ended(&server, client, &error));
        cr_assert_eq(error, 0);
        close(client);
    }
    wait_until_closed(&server, 2);
    cr_assert_eq(server.ended, 2);
    cr_assert_eq(server_figures(&server).closed_by_peer, 2);
    server_close(&server);
}

Test(connection_end, the_peers_end_is_told_after_all_its_input)
{
    struct server server = {.pause_each = 1, .stays_paused = true, .keeps_half_open = true};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    uint8_t frames[3 * FRAME], reply[sizeof frames];
    for (int i = 0; i < 3; i++)
        put_frame(frames + i * FRAME, 100, (uint8_t)i);
    client_send(&server, client, frames, sizeof frames);
    shutdown(client, SHUT_WR);
    for (uint64_t i = 1; i <= 3; i++) {
        server_turn_for(&server, 20);
        cr_assert_eq(server.frames, i);
        cr_assert_eq(server.ended, i == 3);
        connection_resume(server.last);
    }
    server_turn_for(&server, 20);
    cr_assert_eq(server.ended, 1);
    cr_assert_eq(server.closed, 0);
    cr_assert_eq(client_receive(&server, client, reply, sizeof reply), sizeof reply);
    connection_finish(server.last);
    wait_until_closed(&server, 1);
    close(client);
    server_close(&server);
}

static void no_end(struct connection *connection)
{
    (void)connection;
}

Test(connection_end, without_ended_the_peers_end_finishes)
{
    struct connection_protocol protocol = echo_protocol;
    protocol.ended = NULL;
    protocol.output_room = no_end;
    struct transport_settings settings = transport_defaults();
    settings.protocol = &protocol;
    struct server server = {0};
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    server_turn_for(&server, 10);
    close(client);
    wait_until_closed(&server, 1);
    server_close(&server);
}

Test(connection_end, a_reset_is_noticed)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    uint8_t frame[FRAME];
    put_frame(frame, 100, 'r');
    client_send(&server, client, frame, FRAME / 2);
    server_turn_for(&server, 10);
    struct linger none = {.l_onoff = 1};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(client);
    wait_until_closed(&server, 1);
    cr_assert_eq(server_figures(&server).closed_by_peer, 1);
    server_close(&server);
}

Test(connection_end, abort_resets_and_loses_what_is_queued)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    server_turn_for(&server, 10);
    cr_assert(connection_write(server.last, BYTES_LITERAL("never seen")));
    cr_assert_eq(connection_queued_bytes(server.last), 10);
    connection_abort(server.last);
    cr_assert_eq(server.closed, 0, "never from inside");
    cr_assert(connection_is_closing(server.last));
    cr_assert_not(connection_write(server.last, BYTES_LITERAL("x")));
    cr_assert_null(connection_reserve(server.last, 1));
    wait_until_closed(&server, 1);
    int error;
    cr_assert(is_ended(&server, client, &error));
    cr_assert_eq(error, ECONNRESET);
    close(client);
    server_close(&server);
}

/* Connections come and go in every way at every moment, with operations in flight. */
Test(connection_end, churn, .timeout = 120)
{
    enum { SLOTS = 40, STEPS = 6000 };
    for (enum loop_mode mode = LOOP_MODE_DEFER_TASKRUN; mode <= LOOP_MODE_PLAIN; mode++) {
        struct server server = {.pause_each = 5};
        struct loop_settings loop = loop_defaults();
        loop.best_mode = mode;
        loop.receive_buffer_count = 8;
        struct transport_settings settings = transport_defaults();
        settings.connections_max = 64;
        settings.small_carries = 8;
        settings.large_carries = 2;
        settings.output_chunks = 4;
        settings.output_bytes_max = 64 * 1024;
        server_open(&server, loop, settings);
        int clients[SLOTS];
        memset(clients, -1, sizeof clients);
        static uint8_t data[300000], sink[65536];
        for (size_t at = 0; at + 30000 < sizeof data; at += FRAME_HEADER_BYTES + 29000)
            put_frame(data + at, 29000, 'c');
        uint64_t random = 99 + mode;
        for (int step = 0; step < STEPS; step++) {
            if (next_random(&random) % 3 == 0)
                server_turn(&server, 1);
            int *client = &clients[next_random(&random) % SLOTS];
            struct linger none = {.l_onoff = 1};
            if (*client < 0) {
                if (transport_connection_count(server.transport) < settings.connections_max)
                    *client = server_connect(&server, next_random(&random) % 2 == 0);
                continue;
            }
            switch (next_random(&random) % 12) {
            case 0:
                setsockopt(*client, SOL_SOCKET, SO_LINGER, &none, sizeof none); /* fall through */
            case 1:
                close(*client);
                *client = -1;
                break;
            case 2: shutdown(*client, SHUT_WR); break;
            case 3:
                if (server.opened > server.closed && !connection_is_closing(server.last)) {
                    connection_write(server.last, bytes_make(data, 3000));
                    connection_abort(server.last);
                }
                break;
            case 4:
                if (server.opened > server.closed && !connection_is_closing(server.last))
                    connection_finish(server.last);
                break;
            case 5:
            case 6: recv(*client, sink, sizeof sink, MSG_DONTWAIT); break;
            default:
                send(*client, data, next_random(&random) % sizeof data,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
            }
        }
        for (int i = 0; i < SLOTS; i++)
            if (clients[i] >= 0)
                close(clients[i]);
        cr_assert_gt(server.closed, 300);
        server_close(&server);
    }
}

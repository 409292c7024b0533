/* Pools that run out: everybody gets through in the end, and nobody stops the others. */
#include "tests/io/echo.h"

enum { FRAME = FRAME_HEADER_BYTES + 100 };

static void run_many(struct server *server, uint32_t count, size_t bytes, uint32_t payload_max,
                     uint32_t piece_max)
{
    struct client_job jobs[64] = {0};
    for (uint32_t i = 0; i < count; i++)
        jobs[i] = (struct client_job){.socket = server_connect(server, i % 2 == 0),
                                      .seed = 31 * count + i + 1,
                                      .bytes_min = bytes,
                                      .payload_max = payload_max,
                                      .piece_max = piece_max};
    run_clients(server, jobs, count);
}

Test(connection_pressure, four_receive_buffers_serve_many_senders, .timeout = 120)
{
    struct server server = {0};
    struct loop_settings loop = loop_defaults();
    loop.receive_buffer_count = 4;
    struct transport_settings settings = transport_defaults();
    settings.large_carries = 24; /* nobody waits for one, holding a buffer */
    server_open(&server, loop, settings);
    run_many(&server, 24, 256 * 1024, 30000, 70000);
    cr_assert_eq(server_figures(&server).receive_starved, 0);
    cr_assert_eq(server_figures(&server).aborted_holding, 0);
    server_close(&server);
}

/* Consumes all, and keeps the chunks of the first four inputs. */
static struct chunk *kept[4];
static uint32_t kept_count;

static size_t keep_input(struct connection *connection, struct bytes input, size_t *out_needed)
{
    (void)out_needed;
    server_of(connection)->inputs++;
    if (kept_count < 4) {
        kept[kept_count] = connection_input_chunk(connection);
        chunk_borrow(kept[kept_count++]);
    }
    return input.size;
}

Test(connection_pressure, without_receive_buffers_it_waits_and_does_not_spin)
{
    enum { CLIENTS = 12 };
    struct connection_protocol protocol = echo_protocol;
    protocol.input = keep_input;
    struct server server = {0};
    struct loop_settings loop = loop_defaults();
    loop.receive_buffer_count = 4;
    struct transport_settings settings = transport_defaults();
    settings.protocol = &protocol;
    server_open(&server, loop, settings);
    int clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = server_connect(&server, i % 2 == 0);
        cr_assert_eq(send(clients[i], "x", 1, 0), 1);
    }
    server_turn_for(&server, 20);
    cr_assert_eq(server.inputs, 4);
    cr_assert_eq(server_figures(&server).receive_starved, CLIENTS - 4);
    struct loop_figures before, after;
    loop_figures(server.loop, &before);
    server_turn(&server, 200);
    loop_figures(server.loop, &after);
    cr_assert_leq(after.turns - before.turns, 1);
    cr_assert_leq(after.completions, before.completions);
    /* One buffer that comes back, outside of a turn, lets all of them through. */
    chunk_return(kept[0]);
    for (int i = 0; i < 100 && server.inputs < CLIENTS; i++)
        server_turn(&server, 5);
    cr_assert_eq(server.inputs, CLIENTS);
    for (int i = 1; i < 4; i++)
        chunk_return(kept[i]);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    server_close(&server);
}

/* The first has the only large carry, the second and the third wait for it. When it comes free, a
 * fourth wants it at the same moment. */
Test(connection_pressure, the_line_for_a_carry_is_in_order)
{
    enum { CLIENTS = 4, LARGE = FRAME_HEADER_BYTES + 20000, HALF = LARGE / 2 };
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.large_carries = 1;
    server_open(&server, loop_defaults(), settings);
    static uint8_t frame[LARGE], reply[LARGE];
    put_frame(frame, LARGE - FRAME_HEADER_BYTES, 'l');
    int clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = server_connect(&server, true);
        if (i < 3)
            client_send(&server, clients[i], frame, HALF);
        server_turn_for(&server, 5);
    }
    cr_assert_eq(server_figures(&server).carry_waiting, 2);
    cr_assert_eq(send(clients[0], frame + HALF, LARGE - HALF, 0), LARGE - HALF);
    cr_assert_eq(send(clients[3], frame, HALF, 0), HALF);
    server_turn_for(&server, 10);
    cr_assert_eq(server_figures(&server).carry_waiting, 2);
    for (int i = 1; i < CLIENTS; i++) {
        client_send(&server, clients[i], frame + HALF, LARGE - HALF);
        cr_assert_eq(client_receive(&server, clients[i], reply, LARGE), LARGE);
    }
    for (uint64_t i = 0; i < CLIENTS; i++)
        cr_assert_eq(server.order[i], i + 1);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    server_close(&server);
}

Test(connection_pressure, few_carries_serve_many_senders, .timeout = 120)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.small_carries = 2;
    settings.large_carries = 1;
    server_open(&server, loop_defaults(), settings);
    run_many(&server, 24, 256 * 1024, 30000, 7000);
    cr_assert_eq(server_figures(&server).carry_waiting, 0);
    cr_assert_eq(server_figures(&server).aborted_holding, 0);
    server_close(&server);
}

Test(connection_pressure, few_output_chunks_serve_many_readers, .timeout = 120)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.output_chunks = 2;
    settings.output_bytes_max = 64 * 1024;
    server_open(&server, loop_defaults(), settings);
    run_many(&server, 24, 256 * 1024, 30000, 70000);
    cr_assert_gt(server.rooms, 0, "output was never short");
    cr_assert_eq(server_figures(&server).output_waiting, 0);
    server_close(&server);
}

Test(connection_pressure, everything_is_short_at_once, .timeout = 120)
{
    struct server server = {.pause_each = 3};
    struct transport_settings settings = transport_defaults();
    settings.small_carries = 3;
    settings.large_carries = 2;
    settings.output_chunks = 2;
    settings.output_bytes_max = 64 * 1024;
    server_open(&server, loop_defaults(), settings);
    run_many(&server, 40, 128 * 1024, 30000, 70000);
    cr_assert_eq(server_figures(&server).aborted_holding, 0);
    server_close(&server);
}

/* Eight that hold all they may while paused, and one that wants to be served. */
Test(connection_pressure, paused_ones_cannot_stop_the_others)
{
    enum { HOLDERS = 8, DATA = 300 * 1024 };
    struct server server = {.pause_each = 1, .stays_paused = true};
    struct loop_settings loop = loop_defaults();
    loop.receive_buffer_count = 8;
    server_open(&server, loop, transport_defaults());
    static uint8_t data[DATA];
    for (size_t at = 0; at + FRAME <= DATA; at += FRAME)
        put_frame(data + at, 100, 'h');
    int holders[HOLDERS];
    for (int i = 0; i < HOLDERS; i++) {
        holders[i] = server_connect(&server, false);
        send(holders[i], data, DATA, MSG_DONTWAIT);
        server_turn_for(&server, 5);
    }
    cr_assert_leq(loop_buffers_out(server.loop), 6);
    cr_assert_geq(server_figures(&server).aborted_holding, 1);
    cr_assert_geq(transport_connection_count(server.transport), 4, "no more than needed go");
    server.pause_each = 0;
    int client = server_connect(&server, true);
    uint8_t reply[FRAME];
    client_send(&server, client, data, FRAME);
    cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
    close(client);
    for (int i = 0; i < HOLDERS; i++)
        close(holders[i]);
    server_close(&server);
}

/* Peers that begin large commands and stop take all large carries, and wait for more. */
Test(connection_pressure, half_commands_cannot_stop_the_others)
{
    enum { ATTACKERS = 40, PAYLOAD = 300 * 1024, PART = 20000 };
    struct server server = {0};
    struct loop_settings loop = loop_defaults();
    loop.receive_buffer_count = 8;
    struct transport_settings settings = transport_defaults();
    settings.half_command_ns = 300 * NS_PER_MS;
    server_open(&server, loop, settings);
    static uint8_t large[FRAME_HEADER_BYTES + PAYLOAD], reply[sizeof large];
    put_frame(large, PAYLOAD, 'a');
    int attackers[ATTACKERS];
    for (int i = 0; i < ATTACKERS; i++) {
        attackers[i] = server_connect(&server, true);
        client_send(&server, attackers[i], large, PART);
        server_turn(&server, 1);
    }
    int client = server_connect(&server, true);
    uint8_t small[FRAME];
    put_frame(small, 100, 's');
    uint64_t start_ns = clock_now_ns();
    client_send(&server, client, small, FRAME);
    cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
    cr_assert_lt(clock_now_ns() - start_ns, 200 * NS_PER_MS);
    /* When their deadline has passed, large commands go through, too. */
    server_turn_for(&server, 700);
    cr_assert_eq(transport_connection_count(server.transport), 1);
    client_send(&server, client, large, sizeof large);
    cr_assert_eq(client_receive(&server, client, reply, sizeof large), sizeof large);
    cr_assert_eq(memcmp(large, reply, sizeof large), 0);
    close(client);
    for (int i = 0; i < ATTACKERS; i++)
        close(attackers[i]);
    server_close(&server);
}

/* Readers that hold all output chunks leave the others their small one. */
Test(connection_pressure, slow_readers_cannot_stop_small_replies)
{
    enum { SLOW = 6, LARGE = FRAME_HEADER_BYTES + 60000 };
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.output_chunks = 4;
    server_open(&server, loop_defaults(), settings);
    static uint8_t large[LARGE];
    put_frame(large, 60000, 'l');
    int slow[SLOW];
    for (int i = 0; i < SLOW; i++) {
        slow[i] = server_connect(&server, false);
        for (int idle = 0; idle < 20;) {
            idle = send(slow[i], large, LARGE, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? idle + 1 : 0;
            server_turn(&server, 1);
        }
    }
    cr_assert_gt(server_figures(&server).output_waiting, 0);
    int client = server_connect(&server, true);
    uint8_t frame[FRAME], reply[FRAME];
    put_frame(frame, 100, 's');
    for (int i = 0; i < 10; i++) {
        client_send(&server, client, frame, FRAME);
        cr_assert_eq(client_receive(&server, client, reply, FRAME), FRAME);
    }
    close(client);
    for (int i = 0; i < SLOW; i++)
        close(slow[i]);
    server_close(&server);
}

Test(connection_pressure, a_command_beyond_the_limit_ends_the_connection)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.command_bytes_max = 100000;
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    enum { LARGE = FRAME_HEADER_BYTES + 200000 };
    uint8_t *large = malloc(LARGE);
    put_frame(large, 200000, 'l');
    for (int i = 0; i < 100 && server.closed == 0; i++) {
        send(client, large, LARGE, MSG_DONTWAIT | MSG_NOSIGNAL);
        server_turn(&server, 5);
    }
    cr_assert_eq(server.closed, 1);
    free(large);
    close(client);
    server_close(&server);
}

Test(connection_pressure, full_is_full)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.connections_max = 16;
    server_open(&server, loop_defaults(), settings);
    int clients[16], pair[2];
    for (int i = 0; i < 16; i++)
        clients[i] = server_connect(&server, false);
    make_tcp_pair(pair);
    cr_assert_eq(transport_adopt(server.transport, pair[1], "more"), STATUS_FULL);
    cr_assert_eq(server_figures(&server).refused_full, 1);
    close(clients[7]);
    for (int i = 0; i < 200 && server.closed == 0; i++)
        server_turn(&server, 5);
    cr_assert_eq(transport_adopt(server.transport, pair[1], "more"), STATUS_OK);
    close(pair[0]);
    for (int i = 0; i < 16; i++)
        close(clients[i]);
    server_close(&server);
}

Test(connection_pressure, a_thousand_at_once, .timeout = 60)
{
    enum { CLIENTS = 1000 };
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.connections_max = CLIENTS;
    settings.small_carries = CLIENTS;
    server_open(&server, loop_defaults(), settings);
    static int clients[CLIENTS];
    uint8_t frame[FRAME], reply[FRAME];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = server_connect(&server, i % 2 == 0);
    for (int part = 0; part < 2; part++)
        for (int i = 0; i < CLIENTS; i++) {
            put_frame(frame, 100, (uint8_t)i);
            client_send(&server, clients[i], frame + part * (FRAME / 2), FRAME / 2);
        }
    for (int i = 0; i < CLIENTS; i++) {
        cr_assert_eq(client_receive(&server, clients[i], reply, FRAME), FRAME);
        cr_assert_eq(reply[FRAME - 1], (uint8_t)i);
        close(clients[i]);
    }
    server_close(&server);
}

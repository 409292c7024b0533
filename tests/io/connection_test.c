#include "tests/io/echo.h"

/* ---- Echo ------------------------------------------------------------------------------------ */

static void echo_one(enum loop_mode mode, bool tcp)
{
    struct server server = {0};
    struct loop_settings loop = loop_defaults();
    loop.best_mode = mode;
    server_open(&server, loop, transport_defaults());
    int client = server_connect(&server, tcp);
    uint8_t frame[FRAME_HEADER_BYTES + 100], reply[sizeof frame];
    for (int i = 0; i < 50; i++) {
        put_frame(frame, 100, (uint8_t)i);
        client_send(&server, client, frame, sizeof frame);
        cr_assert_eq(client_receive(&server, client, reply, sizeof reply), sizeof reply);
        cr_assert_eq(memcmp(frame, reply, sizeof frame), 0);
    }
    cr_assert_eq(server.frames, 50);
    cr_assert_eq(server_figures(&server).received_bytes, 50 * sizeof frame);
    cr_assert_eq(server_figures(&server).sent_bytes, 50 * sizeof frame);
    close(client);
    server_close(&server);
}

Test(connection, echoes_over_tcp_and_unix_in_each_mode_of_the_loop)
{
    for (enum loop_mode mode = LOOP_MODE_DEFER_TASKRUN; mode <= LOOP_MODE_PLAIN; mode++) {
        echo_one(mode, true);
        echo_one(mode, false);
    }
}

Test(connection, takes_a_frame_byte_by_byte)
{
    enum { PAYLOAD = 6000 }; /* through the small carry into a large one */
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    static uint8_t frame[FRAME_HEADER_BYTES + PAYLOAD], reply[sizeof frame];
    put_frame(frame, PAYLOAD, 'x');
    for (size_t i = 0; i < sizeof frame; i++) {
        cr_assert_eq(send(client, &frame[i], 1, 0), 1);
        server_turn(&server, 1);
    }
    cr_assert_eq(client_receive(&server, client, reply, sizeof reply), sizeof reply);
    cr_assert_eq(memcmp(frame, reply, sizeof frame), 0);
    cr_assert_lt(server.inputs, 10, "the protocol is asked only when it has what it needs");
    close(client);
    server_close(&server);
}

Test(connection, streams_megabytes_in_random_pieces, .timeout = 120)
{
    static const struct {
        uint32_t payload_max, piece_max;
    } shapes[] = {{300, 700}, {5000, 9000}, {500 * 1024, 200 * 1024}, {70000, 65536}};
    for (uint32_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct server server = {0};
        struct loop_settings loop = loop_defaults();
        loop.best_mode = (enum loop_mode)(i % 3);
        server_open(&server, loop, transport_defaults());
        struct client_job jobs[3] = {0};
        for (uint32_t j = 0; j < 3; j++)
            jobs[j] = (struct client_job){.socket = server_connect(&server, j != 2),
                                          .seed = 1000 + 10 * i + j,
                                          .bytes_min = 4 * 1024 * 1024,
                                          .payload_max = shapes[i].payload_max,
                                          .piece_max = shapes[i].piece_max};
        run_clients(&server, jobs, 3);
        server_close(&server);
    }
}

/* ---- Pausing --------------------------------------------------------------------------------- */

Test(connection, keeps_order_when_paused_after_every_frame, .timeout = 60)
{
    for (uint32_t each = 1; each <= 7; each += 3) {
        struct server server = {.pause_each = each};
        server_open(&server, loop_defaults(), transport_defaults());
        struct client_job jobs[4] = {0};
        for (uint32_t j = 0; j < 4; j++)
            jobs[j] = (struct client_job){.socket = server_connect(&server, j % 2 == 0),
                                          .seed = 77 + 10 * each + j,
                                          .bytes_min = 1024 * 1024,
                                          .payload_max = j == 3 ? 200000 : 2000,
                                          .piece_max = 100000};
        run_clients(&server, jobs, 4);
        server_close(&server);
    }
}

static void resume_one(struct connection *connection, void *context)
{
    (void)context;
    connection_resume(connection);
}

/* Sends until nothing goes any more for a while; returns how much went. */
static size_t send_until_stuck(struct server *server, int client, const uint8_t *data, size_t size)
{
    size_t total = 0;
    for (int idle = 0; idle < 20 && total < size;) {
        ssize_t sent = send(client, data + total, size - total, MSG_DONTWAIT | MSG_NOSIGNAL);
        idle = sent > 0 ? 0 : idle + 1;
        total += sent > 0 ? (size_t)sent : 0;
        server_turn(server, 1);
    }
    return total;
}

Test(connection, stops_receiving_while_paused)
{
    enum { FRAMES = 3000, PAYLOAD = 10000, TOTAL = FRAMES * (FRAME_HEADER_BYTES + PAYLOAD) };
    struct server server = {.pause_each = 1, .stays_paused = true, .mute = true};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, false);
    uint8_t *data = malloc(TOTAL);
    for (uint32_t i = 0; i < FRAMES; i++)
        put_frame(data + i * (FRAME_HEADER_BYTES + PAYLOAD), PAYLOAD, (uint8_t)i);
    size_t sent = send_until_stuck(&server, client, data, TOTAL);
    cr_assert_lt(sent, TOTAL, "a paused connection took everything");
    cr_assert_eq(server.frames, 1);
    cr_assert_leq(loop_buffers_out(server.loop), 2);
    cr_assert_eq(server_figures(&server).aborted_half_command, 0);
    /* Each resume lets one frame through. */
    for (uint32_t i = 2; i <= 20; i++) {
        transport_visit(server.transport, resume_one, NULL);
        for (int j = 0; j < 20; j++)
            server_turn(&server, 1);
        cr_assert_eq(server.frames, i);
    }
    /* Without further pauses everything comes. */
    server.pause_each = 0;
    transport_visit(server.transport, resume_one, NULL);
    client_send(&server, client, data + sent, TOTAL - sent);
    for (int i = 0; i < 1000 && server.frames < FRAMES; i++)
        server_turn(&server, 5);
    cr_assert_eq(server.frames, FRAMES);
    free(data);
    close(client);
    server_close(&server);
}

Test(connection, needs_a_resume_for_each_pause)
{
    struct server server = {.pause_each = 1, .stays_paused = true};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    uint8_t frames[2 * (FRAME_HEADER_BYTES + 10)], reply[sizeof frames];
    put_frame(frames, 10, 'a');
    put_frame(frames + FRAME_HEADER_BYTES + 10, 10, 'b');
    client_send(&server, client, frames, sizeof frames);
    cr_assert_eq(client_receive(&server, client, reply, sizeof reply / 2), sizeof reply / 2);
    cr_assert_eq(loop_buffers_out(server.loop), 0, "a little is kept in a carry, not in a buffer");
    connection_pause(server.last);
    connection_resume(server.last);
    server_turn_for(&server, 20);
    cr_assert_eq(server.frames, 1);
    connection_resume(server.last);
    cr_assert_eq(client_receive(&server, client, reply, sizeof reply / 2), sizeof reply / 2);
    cr_assert_eq(reply[FRAME_HEADER_BYTES], 'b');
    close(client);
    server_close(&server);
}

/* ---- Borrowing ------------------------------------------------------------------------------- */

enum { BORROWED_MAX = 40 };
struct borrower {
    struct server server;
    struct chunk *chunks[BORROWED_MAX];
    struct bytes views[BORROWED_MAX];
    uint32_t count;
};

/* Borrows the first bytes of each input, whole or not, and consumes it. */
static size_t borrow_input(struct connection *connection, struct bytes input, size_t *out_needed)
{
    struct borrower *borrower = (struct borrower *)server_of(connection);
    uint32_t payload = 0;
    if (input.size >= FRAME_HEADER_BYTES)
        memcpy(&payload, input.data, sizeof payload);
    if (input.size < FRAME_HEADER_BYTES + (size_t)payload || payload == 0) {
        *out_needed = FRAME_HEADER_BYTES + (size_t)(payload == 0 ? 1 : payload);
        return 0;
    }
    cr_assert_lt(borrower->count, BORROWED_MAX);
    borrower->chunks[borrower->count] = connection_input_chunk(connection);
    borrower->views[borrower->count] = bytes_slice(input, FRAME_HEADER_BYTES, payload);
    chunk_borrow(borrower->chunks[borrower->count++]);
    connection_pause(connection); /* one frame a call, so that carries are borrowed half used */
    connection_resume(connection);
    return FRAME_HEADER_BYTES + (size_t)payload;
}

Test(connection, input_can_be_borrowed_beyond_the_call)
{
    struct connection_protocol protocol = echo_protocol;
    protocol.input = borrow_input;
    struct transport_settings settings = transport_defaults();
    settings.protocol = &protocol;
    struct borrower borrower = {0};
    struct server *server = &borrower.server;
    server_open(server, loop_defaults(), settings);
    int client = server_connect(server, true);
    /* Pieces that end in the middle of frames: some frames lie in buffers, some in carries. */
    enum { FRAMES = BORROWED_MAX, FRAME = FRAME_HEADER_BYTES + 700 };
    static uint8_t data[FRAMES * FRAME];
    for (uint32_t i = 0; i < FRAMES; i++)
        put_frame(data + i * FRAME, 700, (uint8_t)(i + 1));
    for (size_t at = 0; at < sizeof data; at += 1000) {
        client_send(server, client, data + at, sizeof data - at < 1000 ? sizeof data - at : 1000);
        server_turn(server, 5);
    }
    for (int i = 0; i < 100 && borrower.count < FRAMES; i++)
        server_turn(server, 5);
    cr_assert_eq(borrower.count, FRAMES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        for (size_t j = 0; j < borrower.views[i].size; j++)
            cr_assert_eq(borrower.views[i].data[j], i + 1, "frame %u byte %zu", i, j);
        chunk_return(borrower.chunks[i]);
    }
    close(client);
    server_close(server);
}

/* ---- Output ---------------------------------------------------------------------------------- */

Test(connection, reserved_output_may_be_given_up)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    uint8_t *room = connection_reserve(server.last, 100); /* a small chunk */
    cr_assert_not_null(room);
    connection_commit(server.last, 0);
    room = connection_reserve(server.last, CHUNK_RECEIVE_BYTES); /* a large one */
    cr_assert_not_null(room);
    memset(room, 'o', 50000);
    connection_commit(server.last, 50000);
    cr_assert(connection_write(server.last, BYTES_LITERAL("end")));
    static uint8_t reply[50003];
    cr_assert_eq(client_receive(&server, client, reply, sizeof reply), sizeof reply);
    cr_assert_eq(reply[49999], 'o');
    cr_assert_eq(memcmp(reply + 50000, "end", 3), 0);
    cr_assert_not_null(connection_reserve(server.last, 100));
    server_turn_for(&server, 10);
    cr_assert_eq(connection_queued_bytes(server.last), 0);
    close(client);
    server_close(&server);
}

Test(connection, output_is_bounded_and_all_or_nothing)
{
    struct server server = {0};
    struct transport_settings settings = transport_defaults();
    settings.output_bytes_max = 200000;
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    static uint8_t data[150000], reply[sizeof data];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    cr_assert(connection_write(server.last, bytes_make(data, sizeof data)));
    cr_assert_not(connection_write(server.last, bytes_make(data, sizeof data)));
    cr_assert_null(connection_reserve(server.last, 60000));
    cr_assert_eq(connection_queued_bytes(server.last), sizeof data);
    cr_assert_eq(client_receive(&server, client, reply, sizeof reply), sizeof reply);
    cr_assert_eq(memcmp(data, reply, sizeof data), 0);
    server_turn_for(&server, 10);
    cr_assert_eq(server.rooms, 1, "room is offered once");
    close(client);
    server_close(&server);
}

/* ---- Output that is lent --------------------------------------------------------------------- */

enum { LENT_BYTES = 300000 };

static struct chunk *take_to_lend(struct chunk_pool *pool, uint32_t start, uint32_t size)
{
    struct chunk *chunk = chunk_take(pool);
    cr_assert_not_null(chunk);
    chunk->start = start;
    chunk->used = start + size;
    memset(chunk->data, '#', start); /* is not sent */
    for (uint32_t i = 0; i < size; i++)
        chunk->data[start + i] = (uint8_t)(i * 31 >> 3);
    return chunk;
}

static bool is_lent_pattern(const uint8_t *data, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        if (data[i] != (uint8_t)(i * 31 >> 3))
            return false;
    return true;
}

/* Nothing else gets into the rest of a lent chunk, and it is back when all of it is sent. */
Test(connection, sends_what_it_is_lent_in_order_and_gives_it_back)
{
    static uint8_t reply[6 + LENT_BYTES + 6 + 1000 + 4];
    struct server server = {0};
    struct chunk_pool pool;
    cr_assert_eq(chunk_pool_open(&pool, 2, LENT_BYTES + 100000, false), STATUS_OK);
    server_open(&server, loop_defaults(), transport_defaults());
    int client = server_connect(&server, true);
    cr_assert(connection_write(server.last, BYTES_LITERAL("before")));
    struct chunk *first = take_to_lend(&pool, 50, LENT_BYTES);
    cr_assert(connection_lend(server.last, first));
    cr_assert(connection_write(server.last, BYTES_LITERAL("behind")));
    cr_assert_eq(first->used, 50 + LENT_BYTES);
    cr_assert(connection_lend(server.last, take_to_lend(&pool, 0, 1000)));
    cr_assert(connection_write(server.last, BYTES_LITERAL("last")));
    cr_assert_eq(connection_queued_bytes(server.last), sizeof reply);
    cr_assert_eq(client_receive(&server, client, reply, sizeof reply), sizeof reply);
    cr_assert_eq(memcmp(reply, "before", 6), 0);
    cr_assert(is_lent_pattern(reply + 6, LENT_BYTES));
    cr_assert_eq(memcmp(reply + 6 + LENT_BYTES, "behind", 6), 0);
    cr_assert(is_lent_pattern(reply + 6 + LENT_BYTES + 6, 1000));
    cr_assert_eq(memcmp(reply + sizeof reply - 4, "last", 4), 0);
    server_turn_for(&server, 10);
    cr_assert_eq(pool.free_count, 2);
    close(client);
    server_close(&server);
    chunk_pool_close(&pool);
}

Test(connection, takes_no_loan_past_its_bound_and_gives_back_what_it_cannot_send)
{
    struct server server = {0};
    struct chunk_pool pool;
    struct transport_settings settings = transport_defaults();
    settings.output_bytes_max = LENT_BYTES + 1000;
    cr_assert_eq(chunk_pool_open(&pool, 2, LENT_BYTES, false), STATUS_OK);
    server_open(&server, loop_defaults(), settings);
    int client = server_connect(&server, true);
    cr_assert(connection_lend(server.last, take_to_lend(&pool, 0, LENT_BYTES)));
    struct chunk *other = take_to_lend(&pool, 0, 1001);
    cr_assert_not(connection_lend(server.last, other));
    cr_assert_eq(connection_queued_bytes(server.last), LENT_BYTES);
    connection_abort(server.last);
    cr_assert_not(connection_lend(server.last, other), "it is closing");
    server_turn_for(&server, 10);
    cr_assert_eq(server.closed, 1);
    cr_assert_eq(pool.free_count, 1, "the other one was not taken");
    chunk_return(other);
    close(client);
    server_close(&server);
    chunk_pool_close(&pool);
}

/* ---- What a connection is -------------------------------------------------------------------- */

struct visited {
    uint64_t ids[8];
    uint32_t count;
};

static void note_id(struct connection *connection, void *context)
{
    struct visited *visited = context;
    visited->ids[visited->count++] = connection_id(connection);
}

Test(connection, has_an_id_a_peer_and_a_time)
{
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    int clients[3];
    for (int i = 0; i < 3; i++)
        clients[i] = server_connect(&server, false);
    struct visited visited = {0};
    transport_visit(server.transport, note_id, &visited);
    cr_assert_eq(visited.count, 3);
    for (uint64_t i = 0; i < 3; i++)
        cr_assert_eq(visited.ids[i], i + 1);
    cr_assert_str_eq(connection_peer(server.last), "test");
    cr_assert_eq(connection_opened_ns(server.last), loop_now_ns(server.loop));
    cr_assert_eq(connection_loop(server.last), server.loop);
    /* The memory of one that went is used again, its id is not. */
    struct connection *last = server.last;
    connection_abort(server.last);
    server_turn_for(&server, 20);
    cr_assert_eq(server.closed, 1);
    int again = server_connect(&server, false);
    cr_assert_eq(server.last, last);
    cr_assert_eq(connection_id(server.last), 4);
    close(again);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    server_close(&server);
}

Test(connection, idle_ones_cost_no_turns)
{
    enum { CLIENTS = 100 };
    struct server server = {0};
    server_open(&server, loop_defaults(), transport_defaults());
    int clients[CLIENTS];
    uint8_t frame[FRAME_HEADER_BYTES + 10], reply[sizeof frame];
    put_frame(frame, 10, 'i');
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = server_connect(&server, true);
        client_send(&server, clients[i], frame, sizeof frame);
        client_send(&server, clients[i], frame, 3); /* half a command, with its deadline */
        client_receive(&server, clients[i], reply, sizeof reply);
    }
    server_turn_for(&server, 50);
    struct loop_figures before, after;
    loop_figures(server.loop, &before);
    server_turn(&server, 300);
    loop_figures(server.loop, &after);
    cr_assert_eq(after.turns, before.turns + 1);
    cr_assert_eq(after.completions, before.completions);
    cr_assert_eq(after.timeouts, before.timeouts + 1, "the watchdog ended it, nothing else");
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    server_close(&server);
}

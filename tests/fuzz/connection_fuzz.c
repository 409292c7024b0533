/* Whole connections: any bytes, in any pieces, over two connections at once, into a real shard with
 * little of everything. It must not crash or hang; every reply is RESP; and when both are gone,
 * nothing is left of them: no publication, no receive buffer, no gap in the ledger.
 *
 * Input: one byte that chooses the shard (1: participants and secrets; 2: delayed claims and
 * commits), then what is sent. RS (0x1E) and the byte behind it end a piece: `0` and `1` choose the
 * connection, `r` reads replies, `h` ends the sending side, `c` closes, `t` lets turns pass, `a`
 * and `x` send XACK and XCLAIM for the last id that was read (ids are times, which no input can
 * know). GS (0x1D) stands for one of three letters that change with each input, in turn: with three
 * of them in its id a message is new, though the shard has seen the same input before. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/delivery/group.h"
#include "io/front/session.h"
#include "io/resp/resp_reply.h"
#include "io/shard/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PIECE_END = 0x1E,
    FRESH_LETTER = 0x1D,
    FRESH_LETTERS = 3,
    CLIENTS = 2,
    SHARDS = 4,
    WITH_PARTICIPANTS = 1,
    WITH_DELAYS = 2,
    INPUTS_PER_SHARD = 512, /* then it is stopped, closed and opened anew */
    INPUT_BYTES_MAX = 256 * 1024,
    REPLY_BYTES_MAX = 4 * 1024 * 1024,
    TURNS_PER_PIECE = 4,
    HANG_SECONDS = 8
};

static const char options_text[] =
    "listen: ['127.0.0.1:0']\n"
    "sync: memory\n"
    "memory: 32MiB\n"
    "block: 128KiB\n"
    "message_max: 16KiB\n"
    "reply_max: 64KiB\n"
    "output_max: 1MiB\n"
    "window_entries: 2048\n"
    "connections_max: 16\n"
    "receive_buffers: 16\n"
    "small_carries: 16\n"
    "large_carries: 2\n"
    "output_chunks: 32\n"
    "publications_max: 64\n"
    "publications_per_connection: 8\n"
    "transactions: 1\n"
    "transaction_max: 4KiB\n"
    "publish_wait: 1ms\n"
    "rejects_kept: 4\n"
    "holds_max: 16\n"
    "channels: [{name: in}]\n"
    "destinations:\n"
    "  - {name: all, groups: [all], backlog_max: 160,\n"
    "     pending_max: 150, deliveries_max: 2, dead_letter: grave,\n"
    "     fields: [keys, verdict, rule, origin, part, envelope]}\n"
    "  - {name: grave, groups: [grave, {name: other, order: case}], backlog_max: 140,\n"
    "     fields: [cause, first_id]}\n"
    "  - {name: free, retain_bytes: 4KiB}\n"
    "unroutable: all\n";
static const char rules_text[] = "id,message_type,function,to,action\n"
                                 "hold,HOLD,,all,hold\n"
                                 "hold-changes,CUSDEC,change,all,hold\n"
                                 "free,FREE|CUSCAR,,free|all,\n"
                                 "no,NO|CUSRES,,,reject\n";
static const char participants_text[] = "participants:\n"
                                        "  - {name: default, secret_file: %s, publish: [in],\n"
                                        "     consume: [all], create_groups: yes}\n"
                                        "  - {name: root, secret_file: %s, operate: yes}\n";
static const char secret_text[] = "0123456789abcdef";

struct stage {
    struct config *config;
    struct shard *shard;
    struct deferral awake; /* always due, so that a turn never waits */
    uint32_t inputs;
    int files[3];
    char path[64]; /* the configuration keeps it */
};

struct client {
    int descriptor;
    bool ended; /* we send no more */
    uint8_t *replies;
    size_t reply_bytes;
};

/* ---- the shard ---- */

/* A file in memory, and its path. */
static int make_file(const char *text, char path[64])
{
    int descriptor = memfd_create("connection_fuzz", MFD_CLOEXEC);
    assert(descriptor >= 0);
    ssize_t wrote = write(descriptor, text, strlen(text));
    assert(wrote == (ssize_t)strlen(text));
    snprintf(path, 64, "/proc/self/fd/%d", descriptor);
    return descriptor;
}

static void load_config(struct stage *stage, bool has_participants)
{
    char secret_path[64], rules_path[64], text[4096];
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    stage->files[0] = make_file(secret_text, secret_path);
    stage->files[1] = make_file(rules_text, rules_path);
    int used = snprintf(text, sizeof text, "%stables: [%s]\n", options_text, rules_path);
    if (has_participants)
        snprintf(text + used, sizeof text - (size_t)used, participants_text, secret_path,
                 secret_path);
    stage->files[2] = make_file(text, stage->path);
    if (config_load(stage->path, &stage->config, &diagnostics) != STATUS_OK) {
        diagnostics_print(&diagnostics, stderr);
        abort();
    }
    diagnostics_deinit(&diagnostics);
}

static void stay_awake(struct loop *loop, struct deferral *deferral)
{
    loop_defer(loop, deferral);
}

static void open_stage(struct stage *stage, uint32_t number)
{
    char problem[512] = "";
    *stage = (struct stage){.awake.run = stay_awake};
    load_config(stage, (number & WITH_PARTICIPANTS) != 0);
    const struct shard_settings settings = {
        .config = stage->config,
        .test_delay_turns = (number & WITH_DELAYS) != 0 ? 3 : 0,
        .test_delay_seed = 1,
    };
    if (shard_open(&settings, &stage->shard, problem, sizeof problem) != STATUS_OK) {
        fprintf(stderr, "%s\n", problem);
        abort();
    }
    loop_defer(stage->shard->loop, &stage->awake);
}

static void close_stage(struct stage *stage)
{
    shard_stop(stage->shard);
    bool is_whole = shard_run(stage->shard);
    assert(is_whole);
    loop_undefer(stage->shard->loop, &stage->awake);
    shard_close(stage->shard);
    config_free(stage->config);
    for (size_t i = 0; i < sizeof stage->files / sizeof *stage->files; i++)
        close(stage->files[i]);
    *stage = (struct stage){0};
}

static struct stage *stage_for(uint8_t choice)
{
    static struct stage stages[SHARDS];
    uint32_t number = choice % SHARDS;
    struct stage *stage = &stages[number];
    if (stage->shard != NULL && stage->inputs == INPUTS_PER_SHARD)
        close_stage(stage);
    if (stage->shard == NULL)
        open_stage(stage, number);
    stage->inputs++;
    return stage;
}

/* ---- the clients ---- */

static void connect_client(struct shard *shard, struct client *client)
{
    int ends[2];
    int result = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    assert(result == 0);
    *client = (struct client){.descriptor = ends[0], .replies = malloc(REPLY_BYTES_MAX)};
    assert(client->replies != NULL);
    enum status status = transport_adopt(shard->transport, ends[1], "fuzz");
    assert(status == STATUS_OK);
}

static void run_turns(struct shard *shard, int count)
{
    for (int i = 0; i < count; i++)
        loop_turn(shard->loop);
}

/* False at the end of the connection. */
static bool read_replies(struct client *client)
{
    while (client->reply_bytes < REPLY_BYTES_MAX) {
        ssize_t got = recv(client->descriptor, client->replies + client->reply_bytes,
                           REPLY_BYTES_MAX - client->reply_bytes, MSG_DONTWAIT);
        if (got < 0)
            return errno == EAGAIN;
        if (got == 0)
            return false;
        client->reply_bytes += (size_t)got;
    }
    return true;
}

static void send_piece(struct shard *shard, struct client *client, struct bytes piece)
{
    while (piece.size > 0 && !client->ended && client->descriptor >= 0) {
        ssize_t sent =
            send(client->descriptor, piece.data, piece.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return; /* the server has closed */
        if (sent < 0) {
            run_turns(shard, 1);
            if (!read_replies(client))
                return;
            continue;
        }
        piece = bytes_slice(piece, (size_t)sent, piece.size);
    }
    run_turns(shard, TURNS_PER_PIECE);
}

static void end_sending(struct client *client)
{
    if (client->descriptor >= 0)
        shutdown(client->descriptor, SHUT_WR);
    client->ended = true;
}

static void close_client(struct client *client)
{
    if (client->descriptor >= 0)
        close(client->descriptor);
    client->descriptor = -1;
}

/* All whole replies; the last may have been cut off by an abort. */
static void check_replies(const struct client *client)
{
    uint8_t *copy = calloc(1, client->reply_bytes + BYTES_PADDING);
    assert(copy != NULL);
    memcpy(copy, client->replies, client->reply_bytes);
    struct bytes rest = bytes_make(copy, client->reply_bytes);
    while (rest.size > 0) {
        struct resp_reply_parser parser = {0};
        size_t reply_bytes, needed;
        enum status status = resp_reply_measure(&parser, rest, &reply_bytes, &needed);
        if (status == STATUS_INCOMPLETE)
            break;
        assert(status == STATUS_OK);
        rest = bytes_slice(rest, reply_bytes, rest.size);
    }
    free(copy);
}

/* ---- one input ---- */

static bool is_of_id(uint8_t byte)
{
    return byte == '-' || (byte >= '0' && byte <= '9');
}

/* The last bulk string in the replies that looks like an id; empty if there is none. */
static struct bytes find_last_id(const struct client *client)
{
    enum { ID_BYTES_MIN = 15 }; /* 1795428463190-0 */
    size_t end = client->reply_bytes, size = 0;
    for (; end > 0 && size < ID_BYTES_MIN; end--)
        for (size = 0; size < end && is_of_id(client->replies[end - 1 - size]);)
            size++;
    return size < ID_BYTES_MIN ? (struct bytes){0}
                               : bytes_make(client->replies + end + 1 - size, size);
}

static void send_about_last_id(struct shard *shard, struct client *client, bool acknowledges)
{
    char command[256];
    struct bytes id = find_last_id(client);
    if (id.size == 0 || id.size > 64)
        return;
    int size = snprintf(command, sizeof command,
                        acknowledges ? "XACK all all %.*s\r\n" : "XCLAIM all all heir 0 %.*s\r\n",
                        (int)id.size, (const char *)id.data);
    send_piece(shard, client, bytes_make(command, (size_t)size));
}

/* What the byte behind RS asks for. */
static void act(struct shard *shard, struct client *clients, uint32_t *current, uint8_t action)
{
    struct client *client = &clients[*current];
    switch (action) {
    case '0':
    case '1': *current = action - '0'; return;
    case 'r':
        if (client->descriptor >= 0)
            read_replies(client);
        return;
    case 'h': end_sending(client); return;
    case 'c': close_client(client); return;
    case 'a': send_about_last_id(shard, client, true); return;
    case 'x': send_about_last_id(shard, client, false); return;
    case 't': run_turns(shard, TURNS_PER_PIECE * 4); return;
    default: return;
    }
}

static void feed(struct shard *shard, struct client *clients, struct bytes input)
{
    uint32_t current = 0;
    while (input.size > 0) {
        const uint8_t *end = memchr(input.data, PIECE_END, input.size);
        size_t size = end != NULL ? (size_t)(end - input.data) : input.size;
        send_piece(shard, &clients[current], bytes_slice(input, 0, size));
        if (size + 1 < input.size)
            act(shard, clients, &current, input.data[size + 1]);
        input = bytes_slice(input, size + 2, input.size);
    }
}

static struct bytes freshen(struct bytes input)
{
    static uint32_t number;
    uint8_t letters[FRESH_LETTERS], *copy = malloc(input.size + 1);
    uint32_t rest = number++, next = 0;
    assert(copy != NULL);
    for (int i = 0; i < FRESH_LETTERS; i++, rest /= 64)
        letters[i] = (uint8_t)('0' + rest % 64 + (rest % 64 >= 44)); /* no backslash */
    for (size_t i = 0; i < input.size; i++)
        copy[i] = input.data[i] == FRESH_LETTER ? letters[next++ % FRESH_LETTERS] : input.data[i];
    return bytes_make(copy, input.size);
}

/* Reads until the server has closed both. */
static void drain(struct shard *shard, struct client *clients)
{
    time_t started = time(NULL);
    for (int i = 0; i < CLIENTS; i++)
        end_sending(&clients[i]);
    while (transport_connection_count(shard->transport) > 0 || !intake_is_idle(&shard->intake) ||
           commit_count(&shard->commits) > 0) {
        run_turns(shard, 1);
        for (int i = 0; i < CLIENTS; i++)
            if (clients[i].descriptor >= 0 && !read_replies(&clients[i]))
                close_client(&clients[i]);
        if (time(NULL) - started > HANG_SECONDS) {
            fprintf(stderr, "it hangs\n");
            abort();
        }
    }
    run_turns(shard, 2);
}

static void check_rest(const struct shard *shard)
{
    assert(report_gap(shard) == 0);
    assert(report_intake(shard).undecided == 0);
    assert(shard->publications.used == 0 && shard->promises.used == 0);
    assert(shard->parked.first == NULL && shard->unflushed == NULL);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        const struct outlet *outlet = &shard->outlets[d];
        assert(outlet->reserved_entries == 0 && outlet->reserved_bytes == 0);
        for (uint16_t g = 0; g < outlet->group_count; g++)
            assert(outlet->groups[g]->waiters.first == NULL);
    }
    assert(shard->holds.reserved == 0);
    assert(loop_buffers_out(shard->loop) == 0);
}

static void sweep_group(struct group *group)
{
    const struct pending_entry *entry;
    uint16_t consumer = group_consumer(group, BYTES_LITERAL("sweeper"), 1);
    while ((entry = group_next_pending(group, (struct record_id){0}, GROUP_NO_CONSUMER)) != NULL)
        group_acknowledge(group, entry->id); /* first: with `order: case` they hold others back */
    while (consumer != GROUP_NO_CONSUMER && group_take(group, consumer, true, 1) != GROUP_NOTHING)
        continue;
}

/* So that the next input finds room. */
static void sweep(struct shard *shard)
{
    struct hold *hold;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++) {
        struct outlet *outlet = &shard->outlets[d];
        for (uint16_t g = 0; g < outlet->group_count; g++)
            sweep_group(outlet->groups[g]);
        outlet_trim(outlet);
        assert(outlet->group_count == 0 || outlet_length(outlet) == 0);
    }
    while ((hold = hold_next(&shard->holds, (struct record_id){0}, 0)) != NULL) {
        shard->outlets[hold->destination].account.held--;
        shard->outlets[hold->destination].account.hold_rejected++;
        hold_end(&shard->holds, hold);
    }
    assert(report_gap(shard) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_BYTES_MAX)
        return 0;
    struct stage *stage = stage_for(data[0]);
    struct client clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        connect_client(stage->shard, &clients[i]);
    struct bytes input = freshen(bytes_make(data + 1, size - 1));
    feed(stage->shard, clients, input);
    free((void *)(uintptr_t)input.data);
    drain(stage->shard, clients);
    check_rest(stage->shard);
    sweep(stage->shard);
    for (int i = 0; i < CLIENTS; i++) {
        check_replies(&clients[i]);
        close_client(&clients[i]);
        free(clients[i].replies);
    }
    return 0;
}

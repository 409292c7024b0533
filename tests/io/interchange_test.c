/* Interchanges of several messages in a whole shard, where the tests decide when commits are due:
 * what happens when the log runs out of room in between, and when the sender goes meanwhile. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/front/session.h"
#include "io/shard/report.h"

static const char options_text[] = "listen: ['127.0.0.1:0']\n"
                                   "sync: memory\n"
                                   "memory: 32MiB\n"
                                   "message_max: 512KiB\n"
                                   "window_entries: 65536\n"
                                   "channels: [{name: in}]\n"
                                   "destinations: [{name: all}]\n"
                                   "unroutable: all\n";

enum { PARTS = 40, PART_BYTES = 8 * 1024, BODY_BYTES_MAX = PARTS * (PART_BYTES + 256) };

struct stand {
    struct config *config;
    struct shard *shard;
    struct deferral awake; /* always due, so that a turn never waits */
    int client, file;
    bool crowds;
    char path[64];
};

/* Once, takes all room among the commits that is not the publications', in the turn in which one
 * has come. */
static void crowd(struct stand *stand)
{
    struct shard *shard = stand->shard;
    const struct commit_item item = {.position = WINDOW_NO_POSITION,
                                     .window_entry = WINDOW_NO_ENTRY};
    while (commit_has_spare_room(shard, 1))
        commit_add(shard, &item);
    stand->crowds = false;
}

static void stay_awake(struct loop *loop, struct deferral *deferral)
{
    struct stand *stand =
        (struct stand *)(void *)((char *)deferral - offsetof(struct stand, awake));
    if (stand->crowds && stand->shard->intake.queue_count > 0)
        crowd(stand);
    loop_defer(loop, deferral);
}

static struct stand *stand_open(const char *more_options)
{
    struct stand *stand = calloc(1, sizeof *stand);
    struct diagnostics diagnostics;
    char problem[512] = "";
    int ends[2];
    stand->file = memfd_create("interchange_test", MFD_CLOEXEC);
    cr_assert_gt(dprintf(stand->file, "%s%s", options_text, more_options), 0);
    snprintf(stand->path, sizeof stand->path, "/proc/self/fd/%d", stand->file);
    diagnostics_init(&diagnostics);
    cr_assert_eq(config_load(stand->path, &stand->config, &diagnostics), STATUS_OK);
    diagnostics_deinit(&diagnostics);
    const struct shard_settings settings = {.config = stand->config};
    cr_assert_eq(shard_open(&settings, &stand->shard, problem, sizeof problem), STATUS_OK, "%s",
                 problem);
    stand->awake.run = stay_awake;
    loop_defer(stand->shard->loop, &stand->awake);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    stand->client = ends[0];
    cr_assert_eq(transport_adopt(stand->shard->transport, ends[1], "test"), STATUS_OK);
    return stand;
}

static void stand_close(struct stand *stand)
{
    close(stand->client);
    shard_stop(stand->shard);
    cr_assert(shard_run(stand->shard));
    loop_undefer(stand->shard->loop, &stand->awake);
    shard_close(stand->shard);
    config_free(stand->config);
    close(stand->file);
    free(stand);
}

/* ---- the client ---- */

static size_t put_interchange(char *out, unsigned number)
{
    static char filling[PART_BYTES];
    memset(filling, 'x', sizeof filling);
    size_t used = (size_t)sprintf(out, "UNB+UNOA:1+S+R+260101:1200+%u'", number);
    for (unsigned i = 1; i <= PARTS; i++)
        used += (size_t)sprintf(out + used, "UNH+%u+CUSDEC:D:96B:UN'FTX+%.*s'UNT+3+%u'", i,
                                PART_BYTES, filling, i);
    return used + (size_t)sprintf(out + used, "UNZ+%u+%u'", PARTS, number);
}

static void publish(struct stand *stand, unsigned number)
{
    static char body[BODY_BYTES_MAX], command[BODY_BYTES_MAX + 256];
    size_t size = put_interchange(body, number);
    size_t total =
        (size_t)sprintf(command, "*5\r\n$4\r\nXADD\r\n$2\r\nin\r\n$1\r\n*\r\n$4\r\nbody\r\n");
    total += (size_t)sprintf(command + total, "$%zu\r\n", size);
    memcpy(command + total, body, size);
    memcpy(command + total + size, "\r\n", 2);
    total += size + 2;
    for (size_t sent = 0; sent < total;) {
        ssize_t now = send(stand->client, command + sent, total - sent, MSG_DONTWAIT);
        sent += now > 0 ? (size_t)now : 0;
        loop_turn(stand->shard->loop);
    }
    for (int i = 0; i < 8; i++)
        loop_turn(stand->shard->loop);
}

/* One reply's line. */
static const char *read_line(struct stand *stand)
{
    static char line[512];
    for (size_t used = 0; used + 1 < sizeof line;) {
        if (recv(stand->client, line + used, 1, MSG_DONTWAIT) != 1) {
            loop_turn(stand->shard->loop);
            continue;
        }
        if (line[used] == '\n') {
            line[used] = '\0';
            return line;
        }
        used++;
    }
    cr_assert_fail("a long line");
    return NULL;
}

/* An id, as a bulk string; or an error. */
static const char *read_reply(struct stand *stand)
{
    const char *line = read_line(stand);
    return line[0] == '$' ? read_line(stand) : line;
}

static struct intake_account account_of(const struct stand *stand)
{
    struct intake_account account = report_intake(stand->shard);
    cr_assert_eq(report_gap(stand->shard), 0);
    return account;
}

/* Nothing becomes durable from now on: commits complete in their order, behind one that never does.
 */
static void hold_commits(struct stand *stand)
{
    struct commit_queue *commits = &stand->shard->commits;
    commit_add(stand->shard, &(struct commit_item){.position = WINDOW_NO_POSITION,
                                                   .window_entry = WINDOW_NO_ENTRY});
    commits->items[(commits->end - 1) & commits->mask].due_turn = UINT64_MAX;
}

static void let_commits(struct stand *stand)
{
    struct commit_queue *commits = &stand->shard->commits;
    for (uint64_t i = commits->first; i < commits->end; i++)
        commits->items[i & commits->mask].due_turn = 0;
    shard_wake(stand->shard);
}

/* Publishes interchanges until the log has no room for one of them; its number, from 1. */
static unsigned fill_log(struct stand *stand)
{
    for (unsigned number = 1;; number++) {
        publish(stand, number);
        if (intake_refused(&stand->shard->intake_accounts[0]) > 0)
            return number;
        cr_assert_lt(number, 200, "the log is never full");
    }
}

Test(interchange, what_the_log_had_no_room_for_is_filled_in_when_sent_again)
{
    struct stand *stand = stand_open("");
    hold_commits(stand);
    unsigned count = fill_log(stand);
    struct intake_account account = account_of(stand);
    uint64_t written = account.fresh - (count - 1) * PARTS;
    cr_assert_gt(written, 0, "it has to run out of room within an interchange");
    cr_assert_lt(written, PARTS);
    cr_assert_eq(account.received, count * PARTS);
    cr_assert_eq(account.refused[REFUSAL_TRY_AGAIN], PARTS - written);
    cr_assert_eq(account.undecided, 0);

    let_commits(stand);
    char expected[64], receipt[64];
    for (unsigned i = 1; i < count; i++)
        cr_assert_neq(read_reply(stand)[0], '-');
    snprintf(expected, sizeof expected, " (message %u of %u, UNH %u)", (unsigned)written + 1, PARTS,
             (unsigned)written + 1);
    const char *reply = read_reply(stand);
    cr_assert_eq(strncmp(reply, "-TRYAGAIN the log's memory is full", 34), 0, "%s", reply);
    cr_assert_not_null(strstr(reply, expected), "%s", reply);

    publish(stand, count);
    snprintf(receipt, sizeof receipt, "%s", read_reply(stand));
    cr_assert_neq(receipt[0], '-');
    account = account_of(stand);
    cr_assert_eq(account.fresh, count * PARTS);
    cr_assert_eq(account.replay, written);
    cr_assert_eq(stand->shard->journal.record_count, count * PARTS);
    publish(stand, count);
    cr_assert_str_eq(read_reply(stand), receipt);
    cr_assert_eq(account_of(stand).replay, written + PARTS);
    stand_close(stand);
}

Test(interchange, the_receipt_waits_for_the_last_of_them)
{
    struct stand *stand = stand_open("");
    struct commit_queue *commits = &stand->shard->commits;
    uint8_t byte;
    hold_commits(stand);
    publish(stand, 1);
    cr_assert_eq(commit_count(commits), 1 + PARTS);
    for (uint64_t i = commits->first; i < commits->end - 1; i++)
        commits->items[i & commits->mask].due_turn = 0;
    for (int i = 0; i < 8; i++) {
        shard_wake(stand->shard);
        loop_turn(stand->shard->loop);
    }
    cr_assert_eq(commit_count(commits), 1);
    cr_assert_eq(recv(stand->client, &byte, 1, MSG_DONTWAIT), -1);
    let_commits(stand);
    char expected[64];
    struct record_id first = outlet_entry(&stand->shard->outlets[0], 0)->id;
    snprintf(expected, sizeof expected, "%llu-%llu\r", (unsigned long long)first.ms,
             (unsigned long long)first.seq);
    cr_assert_str_eq(read_reply(stand), expected);
    stand_close(stand);
}

Test(interchange, it_waits_a_turn_for_room_among_the_commits)
{
    struct stand *stand = stand_open("publications_max: 64\n");
    stand->crowds = true;
    publish(stand, 1);
    cr_assert_not(stand->crowds);
    cr_assert_eq(account_of(stand).fresh, PARTS);
    cr_assert_neq(read_reply(stand)[0], '-');
    stand_close(stand);
}

Test(interchange, a_connection_that_ends_leaves_nothing_of_its_interchange)
{
    struct stand *stand = stand_open("");
    hold_commits(stand);
    publish(stand, 1);
    publish(stand, 1);
    cr_assert_eq(stand->shard->publications.used, 2);
    close(stand->client);
    for (int i = 0; i < 20; i++)
        loop_turn(stand->shard->loop);
    cr_assert_eq(stand->shard->publications.used, 2, "they go on without a session");
    let_commits(stand);
    for (int i = 0; i < 4; i++)
        loop_turn(stand->shard->loop);
    struct intake_account account = account_of(stand);
    cr_assert_eq(account.fresh, PARTS);
    cr_assert_eq(account.replay, PARTS);
    cr_assert_eq(stand->shard->publications.used, 0);
    cr_assert_eq(stand->shard->outlets[0].reserved_entries, 0);
    stand->client = dup(stand->file);
    stand_close(stand);
}

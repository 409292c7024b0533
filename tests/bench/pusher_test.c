/* The fast client's two ends against replies that a test writes. */
#include "bench/race/pusher.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/race/puller.h"

enum { MESSAGES = 20, IN_FLIGHT = 8, BURST = 4, INPUT_BYTES = 64 * 1024 };

struct stage {
    struct cargo cargo;
    struct proof proof;
    struct schedule schedule;
    struct histogram times;
    struct pushing pushing;
    struct pulling pulling;
    int server; /* the other end */
    int client;
    uint8_t read[256 * 1024];
};

static struct stage *open_stage(void)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct scenario scenario;
    int ends[2];
    cr_assert(scenario_find("wire", &scenario));
    scenario.connection_count = 1;
    cr_assert_eq(cargo_open(&scenario, MESSAGES, 1, &stage->cargo), STATUS_OK);
    const struct proof_settings settings = {
        .cargo = &stage->cargo,
        .promise = {.dedupes = true, .has_receipts = true, .has_ids = true},
        .destination_count = 1,
        .consumer_count = 1,
        .logs = 1,
    };
    cr_assert_eq(proof_open(&settings, &stage->proof), STATUS_OK);
    cr_assert_eq(schedule_open(0, MESSAGES, 1, &stage->schedule), STATUS_OK);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    stage->client = ends[0];
    stage->server = ends[1];
    stage->pushing = (struct pushing){.cargo = &stage->cargo,
                                      .proof = &stage->proof,
                                      .schedule = &stage->schedule,
                                      .receipt_ns = &stage->times,
                                      .in_flight = IN_FLIGHT,
                                      .burst = BURST,
                                      .input = malloc(INPUT_BYTES),
                                      .input_bytes = INPUT_BYTES};
    stage->pulling = (struct pulling){.cargo = &stage->cargo,
                                      .proof = &stage->proof,
                                      .schedule = &stage->schedule,
                                      .delivery_ns = &stage->times};
    return stage;
}

static void close_stage(struct stage *stage)
{
    close(stage->server);
    free(stage->pushing.input);
    schedule_close(&stage->schedule);
    proof_close(&stage->proof);
    cargo_close(&stage->cargo);
    free(stage);
}

static void reply(struct stage *stage, const char *text)
{
    cr_assert_eq(write(stage->server, text, strlen(text)), (ssize_t)strlen(text));
}

static void reply_receipts(struct stage *stage, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        char text[64];
        snprintf(text, sizeof text, "$16\r\n1795426080244-%02u\r\n", i + 10);
        reply(stage, text);
    }
}

/* What the server end has got is just the commands of these messages. */
static void expect_commands(struct stage *stage, const uint32_t *messages, uint32_t count)
{
    ssize_t got = read(stage->server, stage->read, sizeof stage->read);
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct bytes command = cargo_command(&stage->cargo, messages[i]);
        cr_assert(got >= (ssize_t)(at + command.size), "message %u", messages[i]);
        cr_assert_arr_eq(stage->read + at, command.data, command.size);
        at += command.size;
    }
    cr_assert_eq(count > 0 ? got : 0, (ssize_t)at);
}

static void expect_run(struct stage *stage, uint32_t first, uint32_t end)
{
    uint32_t messages[MESSAGES], count = 0;
    for (uint32_t i = first; i < end; i++)
        messages[count++] = i;
    expect_commands(stage, messages, count);
}

static void receive_and_send(struct stage *stage, struct pusher *pusher)
{
    cr_assert_eq(pusher_receive(&stage->pushing, pusher, 0), STATUS_OK, "%s",
                 stage->pushing.problem);
    cr_assert_eq(pusher_send(&stage->pushing, pusher, 0), STATUS_OK);
}

Test(pusher, keeps_a_window_and_sends_again_what_was_put_off)
{
    struct stage *stage = open_stage();
    struct pusher pusher;
    pusher_init(&stage->pushing, 0, stage->client, &pusher);
    cr_assert_eq(pusher_send(&stage->pushing, &pusher, 0), STATUS_OK);
    expect_run(stage, 0, IN_FLIGHT);
    reply_receipts(stage, 0, BURST - 1);
    receive_and_send(stage, &pusher);
    cr_assert_eq(pusher.admitted, IN_FLIGHT, "too few are free for a burst");
    reply(stage, "-TRYAGAIN a destination is full\r\n");
    receive_and_send(stage, &pusher);
    expect_run(stage, IN_FLIGHT, IN_FLIGHT + BURST);
    reply_receipts(stage, BURST, IN_FLIGHT + BURST);
    receive_and_send(stage, &pusher);
    expect_run(stage, IN_FLIGHT + BURST, MESSAGES);
    reply_receipts(stage, IN_FLIGHT + BURST, MESSAGES);
    receive_and_send(stage, &pusher);
    expect_commands(stage, (uint32_t[]){BURST - 1}, 1);
    cr_assert_eq(stage->proof.answered_count, MESSAGES - 1);
    reply_receipts(stage, MESSAGES, MESSAGES + 1);
    receive_and_send(stage, &pusher);
    cr_assert_eq(stage->proof.answered_count, MESSAGES);
    cr_assert_eq(stage->times.count, MESSAGES);
    cr_assert_eq(findings_count(&stage->proof.findings), 0, "%s", stage->proof.findings.samples[0]);
    pusher_deinit(&pusher);
    close_stage(stage);
}

static int wake_bytes(uint32_t in_flight, uint32_t burst)
{
    struct stage *stage = open_stage();
    struct pusher pusher;
    int bytes = 0;
    socklen_t size = sizeof bytes;
    stage->pushing.in_flight = in_flight;
    stage->pushing.burst = burst;
    pusher_init(&stage->pushing, 0, stage->client, &pusher);
    cr_assert_eq(getsockopt(stage->client, SOL_SOCKET, SO_RCVLOWAT, &bytes, &size), 0);
    pusher_deinit(&pusher);
    close_stage(stage);
    return bytes;
}

/* The shortest receipt has 22 bytes. */
Test(pusher, never_waits_for_more_receipts_than_are_sure_to_come)
{
    cr_expect_eq(wake_bytes(1024, 256), 256 * 22);
    cr_expect_eq(wake_bytes(300, 256), 44 * 22);
    cr_expect_eq(wake_bytes(16, 16), 1);
    cr_expect_eq(wake_bytes(1, 1), 1);
}

Test(pusher, reads_answers_that_come_byte_by_byte)
{
    struct stage *stage = open_stage();
    struct pusher pusher;
    static const char text[] = "$15\r\n1795426080244-1\r\n-REJECTED MALFORMED at byte 3\r\n"
                               "$15\r\n1795426080244-3\r\n";
    pusher_init(&stage->pushing, 0, stage->client, &pusher);
    cr_assert_eq(pusher_send(&stage->pushing, &pusher, 0), STATUS_OK);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        cr_assert_eq(write(stage->server, text + i, 1), 1);
        cr_assert_eq(pusher_receive(&stage->pushing, &pusher, 0), STATUS_OK);
    }
    cr_assert_eq(pusher.answered, 3);
    cr_assert_eq(stage->proof.findings.counts[FINDING_REFUSED], 1);
    cr_assert_eq(findings_count(&stage->proof.findings), 1);
    pusher_deinit(&pusher);
    close_stage(stage);
}

Test(pusher, gives_up_on_what_no_server_may_say)
{
    static const char *const texts[] = {"+OK of no meaning to anyone\r\n",
                                        "what is this to be?\r\n", ":1234567890123456789\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct stage *stage = open_stage();
        struct pusher pusher;
        pusher_init(&stage->pushing, 0, stage->client, &pusher);
        cr_assert_eq(pusher_send(&stage->pushing, &pusher, 0), STATUS_OK);
        reply(stage, texts[i]);
        cr_expect_eq(pusher_receive(&stage->pushing, &pusher, 0), STATUS_INVALID, "%s", texts[i]);
        cr_expect_neq(stage->pushing.problem[0], '\0');
        pusher_deinit(&pusher);
        close_stage(stage);
    }
    struct stage *stage = open_stage();
    struct pusher pusher;
    pusher_init(&stage->pushing, 0, stage->client, &pusher);
    reply_receipts(stage, 0, 1); /* for a message that was not sent */
    cr_expect_eq(pusher_receive(&stage->pushing, &pusher, 0), STATUS_INVALID);
    pusher_deinit(&pusher);
    close_stage(stage);
}

/* ---- Consumers ------------------------------------------------------------------------------- */

struct consumer_stage {
    struct stage *stage;
    struct puller puller;
    int acknowledgements; /* the other end of its second connection */
};

static void open_puller(struct consumer_stage *of, bool has_fields)
{
    int ends[2];
    of->stage = open_stage();
    of->stage->pulling.has_fields = has_fields;
    pulling_init(&of->stage->pulling);
    cr_assert_eq(
        puller_open(
            &(struct puller_settings){
                .stream = "all", .group = "all", .consumer = 0, .batch = 10, .block_ms = 100},
            &of->puller),
        STATUS_OK);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    of->puller.reading.descriptor = of->stage->client;
    of->puller.acknowledging.descriptor = ends[0];
    of->acknowledgements = ends[1];
    cr_assert_eq(puller_start(&of->puller), STATUS_OK);
}

static void close_puller(struct consumer_stage *of)
{
    close(of->acknowledgements);
    puller_close(&of->puller);
    close_stage(of->stage);
}

static void expect_text(int descriptor, const char *text)
{
    char got[1024];
    ssize_t size = read(descriptor, got, sizeof got - 1);
    got[size > 0 ? size : 0] = '\0';
    cr_assert_str_eq(got, text);
}

static const char read_command[] =
    "*11\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n$3\r\nall\r\n$2\r\nc0\r\n"
    "$5\r\nCOUNT\r\n$2\r\n10\r\n$5\r\nBLOCK\r\n$3\r\n100\r\n"
    "$7\r\nSTREAMS\r\n$3\r\nall\r\n$1\r\n>\r\n";

enum { LONG_ID = 2 }; /* the entry whose id has a long seq */

static size_t write_entries(struct stage *stage, uint32_t count, const char *verdict, uint8_t *out)
{
    size_t size = (size_t)sprintf((char *)out, "*1\r\n*2\r\n$3\r\nall\r\n*%u\r\n", count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes entry = cargo_entry(&stage->cargo, i);
        size += (size_t)sprintf((char *)out + size, "*2\r\n$%d\r\n1795426080244-%s%u\r\n*%d\r\n",
                                i == LONG_ID ? 26 : 15, i == LONG_ID ? "12345678901" : "", i,
                                verdict != NULL ? 6 : 2);
        memcpy(out + size, entry.data, entry.size);
        size += entry.size;
        if (verdict != NULL)
            size += (size_t)sprintf((char *)out + size,
                                    "$12\r\nmessage_type\r\n$10\r\nDECLSTATUS\r\n"
                                    "$7\r\nverdict\r\n$%zu\r\n%s\r\n",
                                    strlen(verdict), verdict);
    }
    return size;
}

Test(puller, verifies_entries_byte_by_byte_and_acknowledges_them)
{
    static uint8_t text[8192];
    for (int has_fields = 0; has_fields < 2; has_fields++) {
        struct consumer_stage of;
        open_puller(&of, has_fields);
        expect_text(of.stage->server, read_command);
        size_t size = write_entries(of.stage, 3, has_fields ? "fresh" : NULL, text);
        for (size_t i = 0; i < size; i++) {
            cr_assert_eq(write(of.stage->server, text + i, 1), 1);
            cr_assert_eq(puller_receive_entries(&of.stage->pulling, &of.puller, 0), STATUS_OK, "%s",
                         of.stage->pulling.problem);
        }
        cr_assert_eq(of.stage->proof.delivered_count, 3);
        cr_assert_eq(findings_count(&of.stage->proof.findings), 0);
        expect_text(of.acknowledgements, "*6\r\n$4\r\nXACK\r\n$3\r\nall\r\n$3\r\nall\r\n"
                                         "$15\r\n1795426080244-0\r\n$15\r\n1795426080244-1\r\n"
                                         "$26\r\n1795426080244-123456789012\r\n");
        cr_assert_not(puller_is_settled(&of.puller));
        expect_text(of.stage->server, read_command);
        cr_assert_eq(write(of.acknowledgements, ":3\r\n", 4), 4);
        cr_assert_eq(puller_receive_answers(&of.stage->pulling, &of.puller), STATUS_OK);
        cr_assert(puller_is_settled(&of.puller));
        close_puller(&of);
    }
}

Test(puller, finds_wrong_fields_and_altered_bodies)
{
    static uint8_t text[8192];
    struct consumer_stage of;
    open_puller(&of, true);
    size_t size = write_entries(of.stage, 2, "conflict", text);
    uint8_t *guid = memmem(text, size, "messageId", 9);
    guid[20] ^= 1;
    cr_assert_eq(write(of.stage->server, text, size), (ssize_t)size);
    cr_assert_eq(puller_receive_entries(&of.stage->pulling, &of.puller, 0), STATUS_OK);
    cr_assert_eq(of.stage->proof.findings.counts[FINDING_UNKNOWN], 1);
    cr_assert_eq(of.stage->proof.findings.counts[FINDING_WRONG_FIELD], 1);
    cr_assert_eq(of.stage->proof.delivered_count, 1);
    close_puller(&of);
}

Test(puller, gives_up_on_refusals)
{
    struct consumer_stage of;
    open_puller(&of, false);
    reply(of.stage, "-NOGROUP there is none\r\n");
    cr_assert_eq(puller_receive_entries(&of.stage->pulling, &of.puller, 0), STATUS_INVALID);
    cr_assert(strstr(of.stage->pulling.problem, "NOGROUP") != NULL);
    close_puller(&of);
    open_puller(&of, false);
    cr_assert_eq(write(of.acknowledgements, "-IOERR x\r\n", 10), 10);
    cr_assert_eq(puller_receive_answers(&of.stage->pulling, &of.puller), STATUS_INVALID);
    close_puller(&of);
}

/* The load client whole, against a real redis-server, which keeps all and reads nothing. */
#include "bench/load/trial.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/peers/peer.h"
#include "bench/wire/control.h"
#include "bench/wire/login.h"

static const volatile sig_atomic_t never_stop = 0;

static void start_redis(struct server *server)
{
    if (system("command -v redis-server > /dev/null") != 0)
        cr_skip_test("no redis-server here");
    struct scenario wire;
    cr_assert(scenario_find("wire", &wire));
    cr_assert_eq(peer_redis.start(&(struct peer_settings){.scenario = &wire}, server), STATUS_OK);
}

static void run(const struct server *server, enum day_mix mix, uint64_t rate)
{
    struct trial *trial = calloc(1, sizeof *trial);
    struct trial_settings settings;
    trial_defaults(&settings);
    settings.model = MODEL_PLAIN;
    settings.address = server->address;
    settings.server = server->process;
    settings.day.mix = mix;
    settings.day.message_count = 6000;
    settings.rate = rate;
    settings.stop = &never_stop;
    enum status status = trial_run(&settings, trial);
    cr_assert_eq(status, STATUS_OK, "%s", trial->result.problem);
    cr_assert_eq(findings_count(&trial->checker.findings), 0, "%s",
                 trial->checker.findings.samples[0]);
    cr_assert_eq(trial->checker.delivered_count[0], 6000);
    cr_assert_eq(trial->result.acknowledged[0], 6000);
    cr_assert_eq(trial->result.receipt_ns.count, 6000);
    cr_assert_eq(trial->result.delivery_ns.count, 6000);
    if (rate > 0)
        cr_assert_geq(trial->result.elapsed_ns, 5990 * UINT64_C(1000000000) / rate);
    trial_close(trial);
    free(trial);
}

Test(trial, drives_a_redis_server)
{
    struct server server;
    start_redis(&server);
    run(&server, MIX_DAY, 0);
    run(&server, MIX_EVENTS, 0); /* on the same stream: what came before is not seen again */
    run(&server, MIX_DAY, 20000);
    server_stop(&server);
}

Test(trial, says_that_nobody_listens)
{
    struct trial *trial = calloc(1, sizeof *trial);
    struct trial_settings settings;
    trial_defaults(&settings);
    settings.address = "unix:/nonexistent/socket";
    settings.day.message_count = 10;
    settings.stop = &never_stop;
    cr_assert_eq(trial_run(&settings, trial), STATUS_IO);
    cr_assert_str_eq(trial->result.problem, "nobody listens on unix:/nonexistent/socket");
    trial_close(trial);
    free(trial);
}

Test(control, asks_and_is_refused)
{
    struct server server;
    struct target target;
    struct control control;
    char text[256];
    start_redis(&server);
    cr_assert_eq(target_parse(server.address, &target), STATUS_OK);
    cr_assert_eq(control_open(&control, &target, NULL, 5000), STATUS_OK);
    cr_assert_eq(control_ask(&control, "PING", text, sizeof text), STATUS_OK);
    cr_assert_str_eq(text, "PONG");
    cr_assert_eq(control_ask(&control, "NOSUCH thing", text, sizeof text), STATUS_DENIED);
    cr_assert_eq(control_ask(&control, "DEL in", text, sizeof text), STATUS_OK);
    cr_assert_str_eq(text, "0");
    control_close(&control);
    server_stop(&server);
}

Test(login, reads_a_secret_and_refuses_blanks)
{
    char directory[] = "/tmp/kouan-login-test-XXXXXX", path[64], login[LOGIN_BYTES_MAX];
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/nansha", directory);
    FILE *file = fopen(path, "w");
    fputs("s3cret\n", file);
    fclose(file);
    cr_assert_eq(login_read(directory, "nansha", login), STATUS_OK);
    cr_assert_str_eq(login, "AUTH nansha s3cret");
    cr_assert_eq(login_read(directory, "huangpu", login), STATUS_NOT_FOUND);
    file = fopen(path, "w");
    fputs("two words\n", file);
    fclose(file);
    cr_assert_eq(login_read(directory, "nansha", login), STATUS_INVALID);
    unlink(path);
    rmdir(directory);
}

Test(target, parses_addresses)
{
    struct target target;
    cr_assert_eq(target_parse("127.0.0.1:7400", &target), STATUS_OK);
    cr_assert_eq(target.storage.ss_family, AF_INET);
    cr_assert_eq(target_parse("[::1]:7400", &target), STATUS_OK);
    cr_assert_eq(target.storage.ss_family, AF_INET6);
    cr_assert_eq(target_parse("unix:/run/kouan.sock", &target), STATUS_OK);
    cr_assert_eq(target.storage.ss_family, AF_UNIX);
    cr_assert_eq(target_parse("7400", &target), STATUS_INVALID);
    cr_assert_eq(target_parse("unix:", &target), STATUS_INVALID);
}

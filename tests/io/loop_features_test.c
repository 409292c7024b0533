#include "io/loop/loop_features.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "io/config/config.h"
#include "io/loop/uring_features.h"
#include "tests/io/echo.h"

enum { ALL_FEATURES = (1 << LOOP_FEATURES) - 1, LONG_WAIT_US = 9000000 };

static const struct loop_wishes all_wishes = {.turn_wait = 200,
                                              .turn_completions = 8,
                                              .submission_poll = 5,
                                              .busy_poll = 10,
                                              .zero_copy_send = 8192};

static struct loop *open_loop(struct loop_settings settings)
{
    struct loop *loop = NULL;
    char problem[512] = "";
    cr_assert_eq(loop_open(&settings, &loop, problem, sizeof problem), STATUS_OK, "%s", problem);
    return loop;
}

static void skip_without(enum loop_feature feature)
{
    if ((loop_features_of_kernel() & 1U << feature) == 0)
        cr_skip_test("this kernel does not have it");
}

/* ---- What is asked for, and what is had ------------------------------------------------------ */

Test(loop_features, grants_each_wish_by_its_own_feature)
{
    for (uint32_t missing = 0; missing < LOOP_FEATURES; missing++) {
        struct loop_wishes wishes = all_wishes;
        loop_features_grant(ALL_FEATURES & ~(1U << missing), &wishes);
        cr_expect_eq(wishes.turn_wait == 0, missing == LOOP_FEATURE_TURN_WAIT);
        cr_expect_eq(wishes.submission_poll == 0, missing == LOOP_FEATURE_SUBMISSION_POLL);
        cr_expect_eq(wishes.busy_poll == 0, missing == LOOP_FEATURE_BUSY_POLL);
        cr_expect_eq(wishes.zero_copy_send == 0, missing == LOOP_FEATURE_ZERO_COPY_SEND);
        cr_expect_eq(wishes.turn_completions, 8, "it says how, not whether");
    }
}

Test(loop_features, names_what_is_had)
{
    char text[128];
    loop_features_name(&(struct loop_wishes){0}, text, sizeof text);
    cr_expect_str_eq(text, "none");
    loop_features_name(&(struct loop_wishes){.busy_poll = 2}, text, sizeof text);
    cr_expect_str_eq(text, "busy_poll");
    loop_features_name(&all_wishes, text, sizeof text);
    cr_expect_str_eq(text, "turn_wait,submission_poll,busy_poll,zero_copy_send");
}

Test(loop_features, grants_what_the_kernel_tells_that_it_has)
{
    struct loop_settings settings = loop_defaults();
    settings.wishes = all_wishes;
    struct loop_wishes expected = all_wishes;
    loop_features_grant(loop_features_of_kernel(), &expected);
    struct loop *loop = open_loop(settings);
    struct loop_figures figures;
    loop_figures(loop, &figures);
    cr_expect_eq(memcmp(loop_granted(loop), &expected, sizeof expected), 0);
    cr_expect_eq(figures.mode == LOOP_MODE_SUBMISSION_POLL, expected.submission_poll > 0);
    loop_close(loop);
}

Test(loop_features, does_without_any_that_the_kernel_refuses)
{
    struct server server = {0};
    struct loop_settings settings = loop_defaults();
    settings.wishes = all_wishes;
    settings.without_features = ALL_FEATURES;
    server_open(&server, settings, transport_defaults());
    struct loop_figures figures;
    loop_figures(server.loop, &figures);
    cr_assert_eq(figures.mode, LOOP_MODE_DEFER_TASKRUN);
    const struct loop_wishes none = {.turn_completions = 8};
    cr_assert_eq(memcmp(loop_granted(server.loop), &none, sizeof none), 0);
    struct client_job job = {.socket = server_connect(&server, true),
                             .seed = 5,
                             .bytes_min = 1024 * 1024,
                             .payload_max = 70000,
                             .piece_max = 200000};
    run_clients(&server, &job, 1);
    server_close(&server);
}

/* The kernel answers as one that never heard of it. */
static void refuse_busy_poll(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, URING_REGISTER_BUSY_POLL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

#define CONFIGURATION "channels: [{name: in}]\ndestinations: [{name: d}]\nunroutable: d\n"

static enum status read_text(void *context, struct arena *arena, const char *path, size_t bytes_max,
                             struct bytes *out_content, mode_t *out_mode)
{
    (void)arena;
    (void)path;
    (void)bytes_max;
    (void)out_mode;
    *out_content = bytes_from_text(context);
    return STATUS_OK;
}

/* How many warnings; the configuration is good all the same. */
static uint32_t load(const char *text, struct diagnostics *diagnostics)
{
    struct config_source source = {
        .read = read_text, .context = (void *)(uintptr_t)text, .shipped = shipped_profiles};
    struct config *config;
    diagnostics_init(diagnostics);
    cr_assert_eq(config_load_from(&source, "kouan.yaml", &config, diagnostics), STATUS_OK);
    config_free(config);
    return diagnostics->warning_count;
}

Test(loop_features, a_refused_one_is_a_warning_at_its_place)
{
    refuse_busy_poll();
    cr_assert_eq(loop_features_of_kernel() & 1U << LOOP_FEATURE_BUSY_POLL, 0);
    struct diagnostics diagnostics;
    cr_expect_eq(load(CONFIGURATION, &diagnostics), 0);
    diagnostics_deinit(&diagnostics);
    cr_expect_eq(load(CONFIGURATION "busy_poll: 0\n", &diagnostics), 0);
    diagnostics_deinit(&diagnostics);
    cr_assert_eq(load(CONFIGURATION "busy_poll: 50us\n", &diagnostics), 1);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    cr_assert_not_null(file);
    diagnostics_print(&diagnostics, file);
    fclose(file);
    cr_expect_not_null(
        strstr(text, "kouan.yaml:4:12: warning[C113]: `busy_poll` is not to be had here"), "%s",
        text);
    free(text);
    diagnostics_deinit(&diagnostics);
    struct loop_settings settings = loop_defaults();
    settings.wishes.busy_poll = 50;
    struct loop *loop = open_loop(settings);
    cr_expect_eq(loop_granted(loop)->busy_poll, 0);
    loop_close(loop);
}

/* ---- Each by itself, and all ----------------------------------------------------------------- */

static void stream(struct loop_wishes wishes)
{
    struct server server = {.pause_each = 5};
    struct loop_settings settings = loop_defaults();
    settings.wishes = wishes;
    server_open(&server, settings, transport_defaults());
    struct client_job jobs[4] = {0};
    for (uint32_t j = 0; j < 4; j++)
        jobs[j] = (struct client_job){.socket = server_connect(&server, j % 2 == 0),
                                      .seed = 300 + j,
                                      .bytes_min = 2 * 1024 * 1024,
                                      .payload_max = j < 2 ? 300 : 300000,
                                      .piece_max = 200 * 1024};
    run_clients(&server, jobs, 4);
    server_close(&server);
}

Test(loop_features, stream_megabytes_over_tcp_and_unix, .timeout = 120)
{
    const struct loop_wishes wishes[] = {
        {.turn_wait = 500, .turn_completions = 16},
        {.submission_poll = 1},
        {.submission_poll = 1, .turn_wait = 500, .turn_completions = 4},
        {.busy_poll = 20},
        {.zero_copy_send = 1},
        {.zero_copy_send = 20000},
        all_wishes,
    };
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        stream(wishes[i]);
}

/* ---- A turn that waits ----------------------------------------------------------------------- */

struct pipe_read {
    struct operation operation;
    int ends[2];
    char byte;
    bool is_done;
};

static void complete_read(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags)
{
    (void)loop;
    (void)flags;
    cr_assert_eq(result, 1);
    ((struct pipe_read *)operation)->is_done = true;
}

enum { READS = 4 };

static void read_pipes(struct loop *loop, struct pipe_read reads[READS])
{
    for (int i = 0; i < READS; i++) {
        cr_assert_eq(pipe(reads[i].ends), 0);
        reads[i].operation.complete = complete_read;
        io_uring_prep_read(loop_submission(loop, &reads[i].operation), reads[i].ends[0],
                           &reads[i].byte, 1, 0);
    }
}

static void close_pipes(struct pipe_read reads[READS])
{
    for (int i = 0; i < READS; i++) {
        close(reads[i].ends[0]);
        close(reads[i].ends[1]);
    }
}

static void *write_one_after_another(void *argument)
{
    struct pipe_read *reads = argument;
    for (int i = 0; i < READS; i++) {
        cr_assert_eq(write(reads[i].ends[1], "x", 1), 1);
        usleep(20000);
    }
    return NULL;
}

static struct loop *open_waiting_loop(uint32_t turn_wait_us)
{
    struct loop_settings settings = loop_defaults();
    settings.wishes = (struct loop_wishes){.turn_wait = turn_wait_us, .turn_completions = READS};
    return open_loop(settings);
}

Test(loop_features, a_turn_waits_for_as_many_completions_as_it_is_told)
{
    skip_without(LOOP_FEATURE_TURN_WAIT);
    struct loop *loop = open_waiting_loop(LONG_WAIT_US);
    struct pipe_read reads[READS] = {0};
    pthread_t thread;
    read_pipes(loop, reads);
    cr_assert_eq(pthread_create(&thread, NULL, write_one_after_another, reads), 0);
    loop_turn(loop);
    for (int i = 0; i < READS; i++)
        cr_expect(reads[i].is_done, "%d", i);
    pthread_join(thread, NULL);
    close_pipes(reads);
    loop_close(loop);
}

Test(loop_features, a_turn_that_has_waited_goes_on_with_one_completion)
{
    struct loop *loop = open_waiting_loop(1000);
    struct pipe_read reads[READS] = {0};
    read_pipes(loop, reads);
    cr_assert_eq(write(reads[2].ends[1], "x", 1), 1);
    loop_turn(loop);
    cr_expect(reads[2].is_done);
    for (int i = 0; i < READS; i++)
        if (i != 2)
            cr_assert_eq(write(reads[i].ends[1], "x", 1), 1);
    for (int turn = 0; turn < 100 && !(reads[0].is_done && reads[1].is_done && reads[3].is_done);
         turn++)
        loop_turn(loop);
    cr_expect(reads[0].is_done && reads[1].is_done && reads[3].is_done);
    close_pipes(reads);
    loop_close(loop);
}

struct expiry {
    struct timer timer; /* first */
    bool is_over;
};

static void expire(struct loop *loop, struct timer *timer)
{
    (void)loop;
    ((struct expiry *)timer)->is_over = true;
}

Test(loop_features, a_timer_ends_the_wait_of_a_turn)
{
    struct loop *loop = open_waiting_loop(LONG_WAIT_US);
    struct expiry expiry = {.timer = {.expire = expire}};
    loop_timer_arm(loop, &expiry.timer, loop_now_ns(loop) + 5 * NS_PER_MS);
    uint64_t begun_ns = clock_now_ns();
    for (int turn = 0; turn < 100 && !expiry.is_over; turn++)
        loop_turn(loop);
    cr_expect(expiry.is_over);
    cr_expect_lt(clock_now_ns() - begun_ns, LONG_WAIT_US * UINT64_C(1000));
    loop_close(loop);
}

/* ---- Sends that copy nothing ----------------------------------------------------------------- */

Test(loop_features, a_reader_that_stopped_keeps_nothing_that_was_lent_to_the_kernel)
{
    enum { PAYLOAD = 60000, FRAMES = 400 };
    static uint8_t frame[FRAME_HEADER_BYTES + PAYLOAD];
    struct server server = {0};
    struct loop_settings settings = loop_defaults();
    settings.wishes.zero_copy_send = 1;
    server_open(&server, settings, transport_defaults());
    int client = server_connect(&server, true);
    put_frame(frame, PAYLOAD, 'x');
    size_t sent = 0;
    for (int idle = 0; sent < FRAMES * sizeof frame && idle < 100;) {
        size_t done = sent % sizeof frame;
        ssize_t more = send(client, frame + done, sizeof frame - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        idle = more > 0 ? 0 : idle + 1;
        sent += more > 0 ? (size_t)more : 0;
        server_turn(&server, 1);
    }
    server_close(&server); /* while the client is there, and reads nothing */
    close(client);
}

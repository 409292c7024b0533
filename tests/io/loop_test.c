#include "io/loop/loop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C(1000000)

static uint64_t clock_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static struct loop_settings defaults(void)
{
    return (struct loop_settings){.submission_entries = 256,
                                  .completion_entries = 1024,
                                  .receive_buffer_count = 4,
                                  .files_max = 64,
                                  .timers_max = 64};
}

static struct loop *open_loop(struct loop_settings settings)
{
    struct loop *loop = NULL;
    char problem[512] = "";
    cr_assert_eq(loop_open(&settings, &loop, problem, sizeof problem), STATUS_OK, "%s", problem);
    return loop;
}

/* ---- Operations ------------------------------------------------------------------------------ */

struct nop {
    struct operation operation;
    uint32_t completed;
};

static void complete_nop(struct loop *loop, struct operation *operation, int32_t result,
                         uint32_t flags)
{
    (void)loop;
    cr_assert_eq(result, 0);
    cr_assert_eq(flags & IORING_CQE_F_MORE, 0);
    ((struct nop *)operation)->completed++;
}

Test(loop, completes_more_operations_than_the_queue_holds_in_each_mode)
{
    enum { NOPS = 5000 };
    for (enum loop_mode mode = LOOP_MODE_DEFER_TASKRUN; mode <= LOOP_MODE_PLAIN; mode++) {
        struct loop_settings settings = defaults();
        settings.best_mode = mode;
        struct loop *loop = open_loop(settings);
        struct loop_figures figures;
        loop_figures(loop, &figures);
        cr_assert_eq(figures.mode, mode, "this kernel has all three");
        cr_assert(figures.registered_ring);
        static struct nop nops[NOPS];
        memset(nops, 0, sizeof nops);
        for (int i = 0; i < NOPS; i++) {
            nops[i].operation.complete = complete_nop;
            io_uring_prep_nop(loop_submission(loop, &nops[i].operation));
        }
        uint32_t completed = 0;
        for (int turn = 0; turn < 100 && completed < NOPS; turn++) {
            loop_turn(loop);
            completed = 0;
            for (int i = 0; i < NOPS; i++) {
                cr_assert_leq(nops[i].completed, 1);
                completed += nops[i].completed;
            }
        }
        cr_assert_eq(completed, NOPS);
        loop_close(loop);
    }
}

struct reading {
    struct operation operation;
    int32_t result;
    bool done;
    char byte;
};

static void complete_read(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags)
{
    (void)loop;
    (void)flags;
    struct reading *reading = (struct reading *)operation;
    reading->result = result;
    reading->done = true;
}

Test(loop, cancels)
{
    struct loop *loop = open_loop(defaults());
    int pipes[2];
    cr_assert_eq(pipe(pipes), 0);
    struct reading reading = {.operation.complete = complete_read};
    io_uring_prep_read(loop_submission(loop, &reading.operation), pipes[0], &reading.byte, 1, 0);
    loop_cancel(loop, &reading.operation);
    for (int i = 0; i < 10 && !reading.done; i++)
        loop_turn(loop);
    cr_assert_eq(reading.result, -ECANCELED);
    close(pipes[0]);
    close(pipes[1]);
    loop_close(loop);
}

/* ---- Time ------------------------------------------------------------------------------------ */

struct alarm {
    struct timer timer;
    uint64_t expired_ns;
    uint32_t count;
    uint64_t period_ns;
};

static void expire_alarm(struct loop *loop, struct timer *timer)
{
    struct alarm *alarm = (struct alarm *)timer;
    alarm->expired_ns = loop_now_ns(loop);
    if (++alarm->count == 3)
        loop_stop(loop);
    else if (alarm->period_ns > 0)
        loop_timer_arm(loop, timer, loop_now_ns(loop) + alarm->period_ns);
}

Test(loop, timers_expire_in_time_and_cost_a_turn_each)
{
    struct loop *loop = open_loop(defaults());
    uint64_t start_ns = clock_now_ns();
    struct alarm alarm = {.timer.expire = expire_alarm, .period_ns = 50 * NS_PER_MS};
    struct alarm never = {.timer.expire = expire_alarm};
    loop_timer_arm(loop, &alarm.timer, start_ns + 50 * NS_PER_MS);
    loop_timer_arm(loop, &never.timer, start_ns + 10 * NS_PER_MS);
    loop_timer_disarm(loop, &never.timer);
    loop_run(loop);
    cr_assert_eq(alarm.count, 3);
    cr_assert_eq(never.count, 0);
    uint64_t lasted_ns = alarm.expired_ns - start_ns;
    cr_assert(lasted_ns >= 150 * NS_PER_MS && lasted_ns < 250 * NS_PER_MS, "%lu ns", lasted_ns);
    struct loop_figures figures;
    loop_figures(loop, &figures);
    cr_assert_leq(figures.turns, 5, "%lu turns: it spins", figures.turns);
    loop_close(loop);
}

static void expire_again(struct loop *loop, struct timer *timer)
{
    ((struct alarm *)timer)->count++;
    loop_timer_arm(loop, timer, 1);
}

Test(loop, a_timer_that_is_always_due_does_not_stop_the_turn)
{
    struct loop *loop = open_loop(defaults());
    struct alarm alarm = {.timer.expire = expire_again};
    loop_timer_arm(loop, &alarm.timer, 1);
    for (uint32_t i = 1; i <= 3; i++) {
        loop_turn(loop);
        cr_assert_eq(alarm.count, i);
    }
    loop_close(loop);
}

Test(loop, knows_the_time)
{
    struct loop *loop = open_loop(defaults());
    cr_assert_lt(clock_now_ns() - loop_now_ns(loop), 1000 * NS_PER_MS);
    uint64_t wall_ms = (uint64_t)time(NULL) * 1000;
    cr_assert(loop_wall_ms(loop) + 2000 > wall_ms && loop_wall_ms(loop) < wall_ms + 2000);
    loop_close(loop);
}

/* ---- Deferrals ------------------------------------------------------------------------------- */

enum { STEPS_MAX = 16 };
static char steps[STEPS_MAX + 1];

struct step {
    struct deferral deferral;
    char name;
    struct deferral *next; /* asked for from inside */
};

static void run_step(struct loop *loop, struct deferral *deferral)
{
    struct step *step = (struct step *)deferral;
    size_t length = strlen(steps);
    cr_assert_lt(length, STEPS_MAX);
    steps[length] = step->name;
    if (step->next != NULL)
        loop_defer(loop, step->next);
}

Test(loop, deferrals_run_once_in_order_the_last_ones_last)
{
    struct loop *loop = open_loop(defaults());
    struct step last = {.deferral = {.run = run_step, .last = true}, .name = 'z'};
    struct step a = {.deferral.run = run_step, .name = 'a', .next = &last.deferral};
    struct step b = {.deferral.run = run_step, .name = 'b', .next = &a.deferral};
    struct step c = {.deferral.run = run_step, .name = 'c'};
    loop_defer(loop, &last.deferral);
    loop_defer(loop, &b.deferral);
    loop_defer(loop, &c.deferral);
    loop_defer(loop, &b.deferral);
    loop_turn(loop);
    cr_assert_str_eq(steps, "bcz", "%s", steps);
    /* What was asked for from inside ran not then, but in the next turn, without waiting. `a` asks
     * for a last one, which still belongs to its turn. */
    loop_turn(loop);
    cr_assert_str_eq(steps, "bczaz", "%s", steps);
    loop_defer(loop, &b.deferral);
    loop_defer(loop, &c.deferral);
    loop_defer(loop, &last.deferral);
    loop_undefer(loop, &c.deferral);
    loop_undefer(loop, &c.deferral);
    loop_turn(loop);
    cr_assert_str_eq(steps, "bczazbz", "%s", steps);
    loop_undefer(loop, &a.deferral); /* the only one */
    loop_defer(loop, &c.deferral);
    loop_turn(loop);
    cr_assert_str_eq(steps, "bczazbzc", "%s", steps);
    loop_close(loop);
}

/* ---- Waking ---------------------------------------------------------------------------------- */

static void count_wake(struct loop *loop, void *context)
{
    if (++*(int *)context == 3)
        loop_stop(loop);
}

static void *wake_from_thread(void *loop)
{
    for (int i = 0; i < 3; i++) {
        usleep(20000);
        loop_wake(loop);
    }
    return NULL;
}

Test(loop, wakes_from_another_thread)
{
    struct loop *loop = open_loop(defaults());
    int count = 0;
    loop_on_wake(loop, count_wake, &count);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, wake_from_thread, loop), 0);
    loop_run(loop);
    cr_assert_eq(count, 3);
    pthread_join(thread, NULL);
    loop_close(loop);
}

static struct loop *signalled_loop;
static void wake_from_signal(int signal_number)
{
    (void)signal_number;
    loop_wake(signalled_loop);
}

static void stop_on_wake(struct loop *loop, void *context)
{
    (void)context;
    loop_stop(loop);
}

Test(loop, wakes_from_a_signal_handler)
{
    signalled_loop = open_loop(defaults());
    loop_on_wake(signalled_loop, stop_on_wake, NULL);
    struct sigaction action = {.sa_handler = wake_from_signal};
    sigaction(SIGALRM, &action, NULL);
    struct itimerspec soon = {.it_value.tv_nsec = 50000000};
    timer_t timer;
    cr_assert_eq(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0);
    cr_assert_eq(timer_settime(timer, 0, &soon, NULL), 0);
    loop_run(signalled_loop);
    loop_close(signalled_loop);
}

/* ---- What is wrong and how to mend it -------------------------------------------------------- */

static const struct loop_facts healthy = {.kernel_major = 6,
                                          .kernel_minor = 1,
                                          .io_uring_disabled = 0,
                                          .memlock_bytes = 65536,
                                          .descriptors_max = 1024};

static void expect_explanation(struct loop_facts facts, int error, const char *part)
{
    char problem[512] = "";
    loop_probe_explain(&facts, "io_uring_setup", error, problem, sizeof problem);
    cr_assert_not_null(strstr(problem, part), "%s", problem);
    cr_assert_null(strchr(problem, '\n'), "one line");
    cr_assert_lt(strlen(problem), 400, "nothing is cut off");
}

Test(loop, explains_what_stands_in_its_way)
{
    struct loop_facts facts = healthy;
    expect_explanation(facts, EPERM, "seccomp");
    expect_explanation(facts, ENOSYS, "without io_uring");
    expect_explanation(facts, ENOMEM, "ulimit -l");
    expect_explanation(facts, EMFILE, "ulimit -n");
    expect_explanation(facts, EINVAL, "Invalid argument");
    facts.io_uring_disabled = 2;
    expect_explanation(facts, EPERM, "kernel.io_uring_disabled = 2");
    facts.io_uring_disabled = 1;
    expect_explanation(facts, EPERM, "kernel.io_uring_group");
    facts.io_uring_disabled = -1;
    expect_explanation(facts, EPERM, "seccomp");
    facts.kernel_minor = 0;
    expect_explanation(facts, EPERM, "6.1 or later is needed");
    facts = (struct loop_facts){.kernel_major = 5, .kernel_minor = 15};
    expect_explanation(facts, ENOSYS, "this kernel is 5.15");
    cr_assert(loop_probe_kernel_is_old(&facts));
    cr_assert_not(loop_probe_kernel_is_old(&healthy));
    facts.kernel_major = 7;
    cr_assert_not(loop_probe_kernel_is_old(&facts));
}

/* Makes the system call fail from now on in this process, as a container's profile does. */
static void forbid_system_call(uint32_t number, uint32_t error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        cr_skip_test("skipped: no seccomp filters here");
}

static void expect_refusal(struct loop_settings settings, enum status status, const char *part)
{
    struct loop *loop = NULL;
    char problem[512] = "";
    cr_assert_eq(loop_open(&settings, &loop, problem, sizeof problem), status, "%s", problem);
    cr_assert_null(loop);
    cr_assert_not_null(strstr(problem, part), "%s", problem);
}

Test(loop, says_so_when_io_uring_is_not_permitted)
{
    forbid_system_call(SYS_io_uring_setup, EPERM);
    expect_refusal(defaults(), STATUS_UNSUPPORTED, "seccomp");
}

Test(loop, says_so_when_io_uring_is_not_there)
{
    forbid_system_call(SYS_io_uring_setup, ENOSYS);
    expect_refusal(defaults(), STATUS_UNSUPPORTED, "without io_uring");
}

Test(loop, says_so_when_buffers_cannot_be_registered)
{
    forbid_system_call(SYS_io_uring_register, EINVAL);
    expect_refusal(defaults(), STATUS_UNSUPPORTED, "receive buffers failed");
}

Test(loop, says_so_when_descriptors_are_too_few)
{
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct loop_settings settings = defaults();
    settings.files_max = 1000;
    expect_refusal(settings, STATUS_IO, "LimitNOFILE=1064");
    settings.files_max = 30;
    loop_close(open_loop(settings));
}

Test(loop, raises_the_soft_limit_on_descriptors)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 1000)
        cr_skip_test("skipped: the hard limit is too low");
    limit.rlim_cur = 100;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct loop_settings settings = defaults();
    settings.files_max = 500;
    loop_close(open_loop(settings));
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_geq(limit.rlim_cur, 500);
}

Test(loop, falls_back_when_a_mode_is_unknown)
{
    struct io_uring ring;
    enum loop_mode mode = LOOP_MODE_DEFER_TASKRUN;
    int error = 0;
    struct loop_settings settings = defaults();
    settings.best_mode = LOOP_MODE_COOP_TASKRUN;
    cr_assert_eq(loop_probe_ring(&ring, &settings, &mode, &error), STATUS_OK);
    cr_assert_eq(mode, LOOP_MODE_COOP_TASKRUN);
    io_uring_queue_exit(&ring);
    /* A queue of no entries is invalid in each mode: all are tried, and the error is told. */
    settings.best_mode = LOOP_MODE_DEFER_TASKRUN;
    settings.submission_entries = 0;
    cr_assert_eq(loop_probe_ring(&ring, &settings, &mode, &error), STATUS_UNSUPPORTED);
    cr_assert_eq(error, EINVAL);
}

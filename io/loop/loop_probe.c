#include "io/loop/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

enum { KERNEL_MAJOR_MIN = 6, KERNEL_MINOR_MIN = 1 };

static const uint32_t mode_flags[] = {
    [LOOP_MODE_DEFER_TASKRUN] = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
    [LOOP_MODE_COOP_TASKRUN] = IORING_SETUP_COOP_TASKRUN,
    [LOOP_MODE_PLAIN] = 0,
    [LOOP_MODE_SUBMISSION_POLL] = IORING_SETUP_SQPOLL,
};

void loop_facts_read(struct loop_facts *out_facts)
{
    struct loop_facts facts = {.io_uring_disabled = -1};
    struct utsname name;
    if (uname(&name) == 0)
        sscanf(name.release, "%" SCNu32 ".%" SCNu32, &facts.kernel_major, &facts.kernel_minor);
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file != NULL) {
        if (fscanf(file, "%" SCNd32, &facts.io_uring_disabled) != 1)
            facts.io_uring_disabled = -1;
        fclose(file);
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
        facts.memlock_bytes = limit.rlim_cur;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        facts.descriptors_max = limit.rlim_cur;
    *out_facts = facts;
}

bool loop_probe_kernel_is_old(const struct loop_facts *facts)
{
    return facts->kernel_major < KERNEL_MAJOR_MIN ||
           (facts->kernel_major == KERNEL_MAJOR_MIN && facts->kernel_minor < KERNEL_MINOR_MIN);
}

static int try_mode(struct io_uring *ring, const struct loop_settings *settings,
                    enum loop_mode mode)
{
    struct io_uring_params parameters = {.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP |
                                                  IORING_SETUP_SUBMIT_ALL | mode_flags[mode],
                                         .cq_entries = settings->completion_entries,
                                         .sq_thread_idle = settings->wishes.submission_poll};
    return io_uring_queue_init_params(settings->submission_entries, ring, &parameters);
}

static bool may_poll_submissions(const struct loop_settings *settings)
{
    return settings->wishes.submission_poll > 0 &&
           (settings->without_features & 1U << LOOP_FEATURE_SUBMISSION_POLL) == 0;
}

enum status loop_probe_ring(struct io_uring *ring, const struct loop_settings *settings,
                            enum loop_mode *out_mode, int *out_error)
{
    if (may_poll_submissions(settings) &&
        try_mode(ring, settings, LOOP_MODE_SUBMISSION_POLL) == 0) {
        *out_mode = LOOP_MODE_SUBMISSION_POLL;
        return STATUS_OK;
    }
    int result = -EINVAL;
    for (enum loop_mode mode = settings->best_mode; mode <= LOOP_MODE_PLAIN; mode++) {
        result = try_mode(ring, settings, mode);
        if (result == 0) {
            *out_mode = mode;
            return STATUS_OK;
        }
        if (result != -EINVAL)
            break;
    }
    *out_error = -result;
    switch (-result) {
    case ENOMEM: return STATUS_NO_MEMORY;
    case EPERM:
    case EACCES:
    case ENOSYS:
    case EINVAL: return STATUS_UNSUPPORTED;
    default: return STATUS_IO;
    }
}

bool loop_probe_messages(const struct loop_facts *facts, struct io_uring *ring)
{
    enum { MESSAGES_MINOR_MIN = 3 }; /* of 6 */
    if (facts->kernel_major == KERNEL_MAJOR_MIN && facts->kernel_minor < MESSAGES_MINOR_MIN)
        return false;
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    bool supported = probe != NULL && io_uring_opcode_supported(probe, IORING_OP_MSG_RING);
    if (probe != NULL)
        io_uring_free_probe(probe);
    return supported;
}

static const char *forbidden_reason(const struct loop_facts *facts)
{
    switch (facts->io_uring_disabled) {
    case 2:
        return "io_uring is switched off here for all programs (kernel.io_uring_disabled = 2): "
               "run `sysctl -w kernel.io_uring_disabled=0` as root, and keep it in /etc/sysctl.d";
    case 1:
        return "io_uring is switched off here for ordinary users (kernel.io_uring_disabled = 1): "
               "run `sysctl -w kernel.io_uring_disabled=0` as root, or put this user into the "
               "group that kernel.io_uring_group names";
    default:
        return "io_uring is forbidden here, most likely by a container's seccomp profile: start "
               "the container with a profile that allows io_uring_setup, io_uring_enter and "
               "io_uring_register (docker run --security-opt seccomp=PROFILE.json)";
    }
}

void loop_probe_explain(const struct loop_facts *facts, const char *step, int error,
                        char *out_problem, size_t problem_capacity)
{
    if (loop_probe_kernel_is_old(facts)) {
        snprintf(out_problem, problem_capacity,
                 "this kernel is %" PRIu32 ".%" PRIu32 " and %d.%d or later is needed (Debian 12's "
                 "own has it): upgrade the kernel and start it",
                 facts->kernel_major, facts->kernel_minor, KERNEL_MAJOR_MIN, KERNEL_MINOR_MIN);
        return;
    }
    switch (error) {
    case EPERM:
    case EACCES: snprintf(out_problem, problem_capacity, "%s", forbidden_reason(facts)); return;
    case ENOSYS:
        snprintf(out_problem, problem_capacity,
                 "this kernel was built without io_uring, or a sandbox (gVisor, a container's "
                 "seccomp profile) hides it: run on the machine's own kernel, %d.%d or later, with "
                 "io_uring allowed",
                 KERNEL_MAJOR_MIN, KERNEL_MINOR_MIN);
        return;
    case ENOMEM:
        snprintf(out_problem, problem_capacity,
                 "no memory for io_uring (%s): lower the number of buffers and connections, or "
                 "raise the limit on locked memory, now %" PRIu64
                 " KiB (`ulimit -l`, LimitMEMLOCK= "
                 "in systemd)",
                 step, facts->memlock_bytes / 1024);
        return;
    case EMFILE:
    case ENFILE:
        snprintf(out_problem, problem_capacity,
                 "too few descriptors for io_uring (%s); the limit on open files is %" PRIu64
                 ": raise it (`ulimit -n`, LimitNOFILE= in systemd), or lower the number of "
                 "connections",
                 step, facts->descriptors_max);
        return;
    default:
        snprintf(out_problem, problem_capacity,
                 "io_uring does not work here: %s failed with `%s`; kernel %" PRIu32 ".%" PRIu32
                 " should have it, so look for a sandbox around this program",
                 step, strerror(error), facts->kernel_major, facts->kernel_minor);
        return;
    }
}

bool loop_probe_raise_descriptors(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    if (limit.rlim_cur >= wanted)
        return true;
    if (limit.rlim_max < wanted)
        return false;
    limit.rlim_cur = wanted;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

uint64_t loop_probe_raise_descriptors_toward(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    if (limit.rlim_cur <= before || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return before;
    return limit.rlim_cur;
}

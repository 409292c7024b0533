#include "io/loop/slice.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of struct sched_attr: the slice of the thread that asks. Kernels before 6.12 say 0. */
static uint64_t slice_ns(void)
{
    uint64_t attributes[8] = {0};
    cr_assert_eq(syscall(SYS_sched_getattr, 0, attributes, sizeof attributes, 0), 0);
    return attributes[3];
}

static void *ask(void *context)
{
    *(uint64_t *)context = slice_ns();
    return NULL;
}

static uint64_t slice_of_a_new_thread_ns(void)
{
    uint64_t ns = 0;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, ask, &ns), 0);
    pthread_join(thread, NULL);
    return ns;
}

Test(slice, is_short_for_the_thread_and_those_it_begins)
{
    if (slice_ns() == 0)
        cr_skip_test("this kernel has no slices of one's own");
    cr_assert_gt(slice_ns(), SLICE_NS, "what the kernel gives by itself");
    cr_assert(slice_shorten());
    cr_assert_eq(slice_ns(), SLICE_NS);
    cr_assert_eq(slice_of_a_new_thread_ns(), SLICE_NS);
}

/* Runs the Criterion tests of one program in this process, one after the other: ThreadSanitizer
 * does not live with the processes and the shared memory of Criterion's own runner. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The linker names the ends of the section in which Criterion's macros list the tests. */
extern struct criterion_test *__start_cr_tst[], *__stop_cr_tst[];

/* These four stand in the place of the library's, which speak with its runner. */

void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (stats->passed)
        return;
    fprintf(stderr, "%s:%u: assertion failed: %s\n", stats->file, stats->line, stats->message);
    exit(1);
}

void criterion_internal_test_setup(void)
{
}

void criterion_internal_test_main(void (*test)(void))
{
    test();
}

void criterion_internal_test_teardown(void)
{
}

int main(void)
{
    uint32_t count = 0;
    for (struct criterion_test **test = __start_cr_tst; test < __stop_cr_tst; test++) {
        if (*test == NULL || (*test)->data->disabled)
            continue;
        fprintf(stderr, "%s::%s\n", (*test)->category, (*test)->name);
        (*test)->test();
        count++;
    }
    fprintf(stderr, "%u passed\n", count);
    return count > 0 ? 0 : 1;
}

/* Ctrl-C and SIGTERM ask a run to end early, with its report. */
#ifndef KOUAN_BENCH_STOP_H
#define KOUAN_BENCH_STOP_H

#include <signal.h>

/* Installs the handlers; the flag that is returned turns true at the first signal. A second one
 * ends the program. */
const volatile sig_atomic_t *stop_install(void);

#endif

#include "io/cli/pause.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>

int pause_open(void)
{
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGINT);
    sigaddset(&stopping, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &stopping, NULL) != 0)
        return -1;
    return signalfd(-1, &stopping, SFD_CLOEXEC); /* never read: it stays readable */
}

enum pause_end pause_wait(int signals, int descriptor, int timeout_ms)
{
    struct pollfd sources[] = {{.fd = signals, .events = POLLIN},
                               {.fd = descriptor, .events = POLLIN}};
    int ready;
    do
        ready = poll(sources, descriptor >= 0 ? 2 : 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (sources[0].revents != 0)
        return PAUSE_STOPPED;
    return ready > 0 ? PAUSE_READABLE : PAUSE_OVER;
}

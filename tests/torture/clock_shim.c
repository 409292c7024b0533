/* For LD_PRELOAD: a wall clock that jumps. CLOCK_REALTIME is moved by as many seconds as the file
 * named by KOUAN_CLOCK_SHIM holds (eight bytes, an int64), read anew each time; all other clocks
 * are as they are. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static const volatile int64_t *shift_s;

static void __attribute__((constructor)) open_shim(void)
{
    const char *path = getenv("KOUAN_CLOCK_SHIM");
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        abort();
    void *memory = mmap(NULL, sizeof *shift_s, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        abort();
    shift_s = memory;
}

int clock_gettime(clockid_t clock, struct timespec *out_time)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, out_time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out_time->tv_sec += shift_s != NULL ? *shift_s : 0;
    return result;
}

time_t time(time_t *out_time)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out_time != NULL)
        *out_time = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out_time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out_time->tv_sec = now.tv_sec;
    out_time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

#include "bench/usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t tick_ns(void)
{
    long per_second = sysconf(_SC_CLK_TCK);
    return UINT64_C(1000000000) / (uint64_t)(per_second > 0 ? per_second : 100);
}

/* Reads up to `capacity` - 1 bytes of a small file of /proc; "" if there is none. */
static void read_text(const char *path, char *text, size_t capacity)
{
    FILE *file = fopen(path, "r");
    size_t size = file != NULL ? fread(text, 1, capacity - 1, file) : 0;
    text[size] = '\0';
    if (file != NULL)
        fclose(file);
}

/* cpu user nice system idle iowait irq softirq ... */
static uint64_t read_machine_ns(void)
{
    char text[512];
    uint64_t user, nice, system, idle, wait, irq, softirq;
    read_text("/proc/stat", text, sizeof text);
    int found = sscanf(text,
                       "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
                       " %" SCNu64,
                       &user, &nice, &system, &idle, &wait, &irq, &softirq);
    return found == 7 ? (user + nice + system + irq + softirq) * tick_ns() : 0;
}

static uint64_t read_client_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    uint64_t seconds = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
    uint64_t microseconds = (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return seconds * UINT64_C(1000000000) + microseconds * 1000;
}

static uint64_t read_process_ns(pid_t process)
{
    clockid_t clock;
    struct timespec spent;
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &spent) != 0)
        return 0;
    return (uint64_t)spent.tv_sec * UINT64_C(1000000000) + (uint64_t)spent.tv_nsec;
}

struct usage usage_now(pid_t server)
{
    return (struct usage){
        .machine_ns = read_machine_ns(),
        .client_ns = read_client_ns(),
        .server_ns = server != 0 ? read_process_ns(server) : 0,
    };
}

static uint64_t difference(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

struct usage usage_between(struct usage before, struct usage after)
{
    return (struct usage){
        .machine_ns = difference(before.machine_ns, after.machine_ns),
        .client_ns = difference(before.client_ns, after.client_ns),
        .server_ns = difference(before.server_ns, after.server_ns),
    };
}

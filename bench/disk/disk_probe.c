#include "bench/disk/disk_probe.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/usage.h"
#include "core/journal_format.h"

enum { FILE_BYTES = 64 * 1024 * 1024, BLOCK_BYTES_MAX = 1024 * 1024 };
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

struct write {
    struct disk_request request;
    struct probe_run *run;
    uint64_t due_ns;
};

struct probe_run {
    struct disk_probe *probe;
    const struct disk_probe_settings *settings;
    struct disk_probe_result *result;
    struct write writes[DISK_PROBE_IN_FLIGHT_MAX];
    uint64_t offset, end_ns;
    uint32_t open;
    int error;
};

bool disk_probe_open(struct disk_probe *probe, const char *where)
{
    static const struct loop_settings settings = {.submission_entries = 256,
                                                  .completion_entries = 1024,
                                                  .receive_buffer_count = 4,
                                                  .files_max = 64,
                                                  .timers_max = 8};
    char problem[512];
    int error = 0;
    *probe = (struct disk_probe){.folder_file = -1, .file = -1};
    snprintf(probe->folder, sizeof probe->folder, "%s/kouan-bench-disk-XXXXXX", where);
    if (mkdtemp(probe->folder) == NULL) {
        fprintf(stderr, "kouan-bench: %s: %s\n", probe->folder, strerror(errno));
        probe->folder[0] = '\0';
        return false;
    }
    probe->folder_file = open(probe->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    probe->memory = aligned_alloc(JOURNAL_PAGE_BYTES, BLOCK_BYTES_MAX);
    if (loop_open(&settings, &probe->loop, problem, sizeof problem) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s\n", problem);
        return false;
    }
    if (probe->memory == NULL ||
        disk_ring_init(&probe->disk, probe->loop, probe->folder_file, &error) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s: %s\n", probe->folder, strerror(error));
        return false;
    }
    memset(probe->memory, 'k', BLOCK_BYTES_MAX);
    return true;
}

void disk_probe_close(struct disk_probe *probe)
{
    disk_probe_remove_file(probe);
    if (probe->disk.loop != NULL)
        disk_ring_deinit(&probe->disk);
    if (probe->loop != NULL)
        loop_close(probe->loop);
    if (probe->folder_file >= 0)
        close(probe->folder_file);
    free(probe->memory);
    if (probe->folder[0] != '\0')
        rmdir(probe->folder);
}

/* ---- The file ---- */

bool disk_probe_make_file(struct disk_probe *probe, enum disk_mode mode)
{
    struct disk *disk = &probe->disk.disk;
    disk->mode = mode;
    struct disk_request request = {.action = DISK_CREATE, .name = "blocks"};
    probe->file = disk_run(disk, &request);
    int32_t result = probe->file;
    if (result >= 0) {
        request = (struct disk_request){
            .action = DISK_ALLOCATE, .file = probe->file, .allocate_bytes = FILE_BYTES};
        result = disk_run(disk, &request);
    }
    for (uint64_t offset = 0; result >= 0 && offset < FILE_BYTES; offset += BLOCK_BYTES_MAX) {
        request = (struct disk_request){.action = DISK_WRITE,
                                        .file = probe->file,
                                        .memory = probe->memory,
                                        .offset = offset,
                                        .size_bytes = BLOCK_BYTES_MAX};
        result = disk_run(disk, &request);
    }
    if (result >= 0) {
        request = (struct disk_request){.action = DISK_SYNC, .file = probe->file};
        result = disk_run(disk, &request);
    }
    if (result < 0)
        fprintf(stderr, "kouan-bench: %s: %s\n", probe->folder, strerror(-result));
    return result >= 0;
}

void disk_probe_remove_file(struct disk_probe *probe)
{
    if (probe->file < 0)
        return;
    close(probe->file);
    unlinkat(probe->folder_file, "blocks", 0);
    probe->file = -1;
}

/* ---- Writes ---- */

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static void start_write(struct write *write, uint64_t due_ns);

static void end_write(struct disk_request *request, int32_t result)
{
    struct write *write = (struct write *)(void *)request; /* its first member */
    struct probe_run *run = write->run;
    uint64_t ended_ns = now_ns();
    run->open--;
    if (result != (int32_t)request->size_bytes)
        run->error = result < 0 ? -result : ENOSPC;
    histogram_record(&run->result->times, ended_ns - write->due_ns);
    run->result->writes++;
    if (run->settings->interval_ns == 0 && ended_ns < run->end_ns && run->error == 0)
        start_write(write, now_ns());
}

static void start_write(struct write *write, uint64_t due_ns)
{
    struct probe_run *run = write->run;
    uint32_t block_bytes = run->settings->block_bytes;
    if (run->offset + block_bytes > FILE_BYTES)
        run->offset = 0;
    write->request = (struct disk_request){.action = DISK_WRITE_SYNC,
                                           .file = run->probe->file,
                                           .memory = run->probe->memory,
                                           .offset = run->offset,
                                           .size_bytes = block_bytes,
                                           .done = end_write};
    run->offset += block_bytes;
    run->open++;
    write->due_ns = due_ns;
    disk_submit(&run->probe->disk.disk, &write->request);
}

static void finish_writes(struct probe_run *run)
{
    struct disk *disk = &run->probe->disk.disk;
    while (run->open > 0)
        disk->wait(disk);
}

static void write_at_a_pace(struct probe_run *run, uint64_t start_ns)
{
    for (uint64_t due_ns = start_ns; due_ns < run->end_ns && run->error == 0;
         due_ns += run->settings->interval_ns) {
        struct timespec due = {.tv_sec = (time_t)(due_ns / NS_PER_S),
                               .tv_nsec = (long)(due_ns % NS_PER_S)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        start_write(&run->writes[0], due_ns);
        finish_writes(run);
    }
}

bool disk_probe_run(struct disk_probe *probe, const struct disk_probe_settings *settings,
                    struct disk_probe_result *out_result)
{
    assert(settings->in_flight >= 1 && settings->in_flight <= DISK_PROBE_IN_FLIGHT_MAX);
    assert(settings->interval_ns == 0 || settings->in_flight == 1);
    struct probe_run run = {.probe = probe, .settings = settings, .result = out_result};
    *out_result = (struct disk_probe_result){0};
    struct usage before = usage_now(0);
    uint64_t start_ns = now_ns();
    run.end_ns = start_ns + settings->milliseconds * NS_PER_MS;
    for (uint32_t i = 0; i < settings->in_flight; i++)
        run.writes[i].run = &run;
    if (settings->interval_ns > 0)
        write_at_a_pace(&run, start_ns);
    else
        for (uint32_t i = 0; i < settings->in_flight; i++)
            start_write(&run.writes[i], now_ns());
    finish_writes(&run);
    struct usage spent = usage_between(before, usage_now(0));
    out_result->ns = now_ns() - start_ns;
    out_result->machine_ns = spent.machine_ns;
    out_result->process_ns = spent.client_ns;
    if (run.error != 0)
        fprintf(stderr, "kouan-bench: %s: %s\n", probe->folder, strerror(run.error));
    return run.error == 0;
}

double disk_probe_mb_per_s(const struct disk_probe_settings *settings,
                           const struct disk_probe_result *result)
{
    return (double)result->writes * settings->block_bytes * 1e3 / (double)result->ns;
}

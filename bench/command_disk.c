/* `kouan-bench disk`: what making blocks durable costs on a disk, beside which the journal is to be
 * judged: a file as a segment is, allocated and written with zeros, filled block after block by the
 * journal's own disk (io/disk_ring.h), so many writes in flight. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/command.h"
#include "bench/disk_journal.h"
#include "bench/histogram.h"
#include "bench/usage.h"
#include "core/journal_format.h"
#include "io/disk_ring.h"

enum {
    FILE_BYTES = 64 * 1024 * 1024,
    BLOCK_BYTES_MAX = 1024 * 1024,
    IN_FLIGHT_MAX = 8,
    JOURNAL_BLOCK_BYTES = 256 * 1024,
    RECORD_BYTES = 400
};
#define NS_PER_MS UINT64_C(1000000)

struct disk_bench {
    char folder[256];
    int folder_file, file;
    struct loop *loop;
    struct disk_ring disk;
    uint8_t *memory;
    uint64_t milliseconds;
    bool is_busy;         /* another thread computes meanwhile */
    double best_mb_per_s; /* of all trials */
};

struct write {
    struct disk_request request;
    struct trial *trial;
    uint64_t started_ns;
};

/* One combination. */
struct trial {
    struct disk_bench *bench;
    uint32_t block_bytes, in_flight;
    struct write writes[IN_FLIGHT_MAX];
    uint64_t offset, end_ns, count;
    uint32_t open;
    int error;
    struct histogram times;
};

/* The journal, in-process: what is kept of the disk's speed. */
struct journal_trial {
    uint32_t writes_max, linger_max_us;
    uint64_t records_per_second;
};

static bool open_bench(struct disk_bench *bench, const char *where);
static void close_bench(struct disk_bench *bench);
static bool run_journal(struct disk_bench *bench, struct journal_trial trial)
{
    static struct disk_journal_result result;
    const struct disk_journal_settings settings = {.loop = bench->loop,
                                                   .disk = &bench->disk.disk,
                                                   .block_bytes = JOURNAL_BLOCK_BYTES,
                                                   .writes_max = trial.writes_max,
                                                   .linger_max_us = trial.linger_max_us,
                                                   .record_bytes = RECORD_BYTES,
                                                   .milliseconds = bench->milliseconds,
                                                   .records_per_second = trial.records_per_second};
    if (!disk_journal_run(&settings, &result) || result.records == 0)
        return false;
    double records = (double)result.records;
    double mb_per_s = (double)result.written_bytes * 1e3 / (double)result.ns;
    printf(
        "journal %" PRIu32 " in flight, linger %3" PRIu32
        " us: %8.0f records/s %7.1f MB/s (%.0f %% "
        "of the best above)  p50 %6.0f us  p99 %6.0f us  %6.0f records and %.0f KB a write   CPU "
        "%5.0f ns a record (%.0f of the process)\n",
        trial.writes_max, trial.linger_max_us, records * 1e9 / (double)result.ns, mb_per_s,
        mb_per_s * 100 / bench->best_mb_per_s, (double)histogram_quantile(&result.times, 500) / 1e3,
        (double)histogram_quantile(&result.times, 990) / 1e3, records / (double)result.writes,
        (double)result.written_bytes / 1e3 / (double)result.writes,
        (double)result.machine_ns / records, (double)result.process_ns / records);
    return true;
}

static bool run_journals(struct disk_bench *bench, enum disk_mode mode)
{
    static const struct journal_trial trials[] = {
        {1, 0, 0},        {2, 0, 0},      {4, 0, 0},        {1, 0, 1000},     {1, 0, 20000},
        {2, 0, 20000},    {4, 0, 20000},  {1, 0, 100000},   {1, 100, 100000}, {2, 0, 100000},
        {2, 100, 100000}, {4, 0, 100000}, {4, 100, 100000},
    };
    bool good = true;
    bench->disk.disk.mode = mode;
    for (size_t i = 0; good && i < sizeof trials / sizeof *trials; i++)
        good = run_journal(bench, trials[i]);
    return good;
}

static int run_all(struct disk_bench *bench);

static void print_help(void)
{
    puts(
        "kouan-bench disk [--folder PATH] [--milliseconds N] [--busy]\n"
        "Writes blocks of 4 KiB to 256 KiB to a file as a segment of the journal is, 1 to 4 of\n"
        "them in flight, each on stable storage before it counts: by O_DIRECT and RWF_DSYNC where\n"
        "the file system has them, and through the page cache with fdatasync. Then the journal of\n"
        "one shard by itself, with messages of 400 bytes: as fast as it takes them, and at a "
        "pace.\n"
        "  --folder PATH      on the disk to be measured; its own folder there is removed again\n"
        "                     (default: here)\n"
        "  --milliseconds N   of each combination (default 300)\n"
        "  --busy             while another thread computes without a pause");
}

int command_disk(int argc, char **argv)
{
    static const struct option options[] = {{"folder", required_argument, NULL, 'f'},
                                            {"milliseconds", required_argument, NULL, 'm'},
                                            {"busy", no_argument, NULL, 'b'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct disk_bench bench = {.milliseconds = 300, .folder_file = -1, .file = -1};
    const char *where = ".";
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'f': where = optarg; break;
        case 'm':
            if (!option_number("milliseconds", optarg, 1, 100000, &bench.milliseconds))
                return EXIT_USAGE;
            break;
        case 'b': bench.is_busy = true; break;
        case 'h': print_help(); return EXIT_OK;
        default: return EXIT_USAGE;
        }
    }
    int result = open_bench(&bench, where) ? run_all(&bench) : EXIT_FINDINGS;
    close_bench(&bench);
    return result;
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 * NS_PER_MS + (uint64_t)time.tv_nsec;
}

/* ---- one combination ---- */

static void start_write(struct write *write);

static void end_write(struct disk_request *request, int32_t result)
{
    struct write *write = (struct write *)(void *)request; /* its first member */
    struct trial *trial = write->trial;
    uint64_t ended_ns = now_ns();
    trial->open--;
    if (result != (int32_t)request->size_bytes)
        trial->error = result < 0 ? -result : ENOSPC;
    histogram_record(&trial->times, ended_ns - write->started_ns);
    trial->count++;
    if (ended_ns < trial->end_ns && trial->error == 0)
        start_write(write);
}

static void start_write(struct write *write)
{
    struct trial *trial = write->trial;
    struct disk_bench *bench = trial->bench;
    if (trial->offset + trial->block_bytes > FILE_BYTES)
        trial->offset = 0;
    write->request = (struct disk_request){.action = DISK_WRITE_SYNC,
                                           .file = bench->file,
                                           .memory = bench->memory,
                                           .offset = trial->offset,
                                           .size_bytes = trial->block_bytes,
                                           .done = end_write};
    trial->offset += trial->block_bytes;
    trial->open++;
    write->started_ns = now_ns();
    disk_submit(&bench->disk.disk, &write->request);
}

static bool run_trial(struct disk_bench *bench, uint32_t block_bytes, uint32_t in_flight)
{
    static struct trial trial;
    trial = (struct trial){.bench = bench, .block_bytes = block_bytes, .in_flight = in_flight};
    struct usage before = usage_now(0);
    uint64_t start_ns = now_ns();
    trial.end_ns = start_ns + bench->milliseconds * NS_PER_MS;
    for (uint32_t i = 0; i < in_flight; i++) {
        trial.writes[i].trial = &trial;
        start_write(&trial.writes[i]);
    }
    while (trial.open > 0)
        bench->disk.disk.wait(&bench->disk.disk);
    uint64_t ns = now_ns() - start_ns;
    struct usage spent = usage_between(before, usage_now(0));
    if (trial.error != 0) {
        fprintf(stderr, "kouan-bench: %s: %s\n", bench->folder, strerror(trial.error));
        return false;
    }
    double mb_per_s = (double)trial.count * block_bytes * 1e3 / (double)ns;
    if (mb_per_s > bench->best_mb_per_s)
        bench->best_mb_per_s = mb_per_s;
    printf("%-6s %4" PRIu32 " KiB  %" PRIu32 " in flight: %7.0f writes/s %7.1f MB/s   p50 %6.0f us"
           "  p99 %6.0f us   CPU %5.0f us a write (%.0f of the process)\n",
           disk_mode_name(bench->disk.disk.mode), block_bytes / 1024, in_flight,
           (double)trial.count * 1e9 / (double)ns, mb_per_s,
           (double)histogram_quantile(&trial.times, 500) / 1e3,
           (double)histogram_quantile(&trial.times, 990) / 1e3,
           (double)spent.machine_ns / 1e3 / (double)trial.count,
           (double)spent.client_ns / 1e3 / (double)trial.count);
    return true;
}

/* ---- all of them ---- */

static void *compute(void *context)
{
    atomic_bool *is_over = context;
    while (!atomic_load_explicit(is_over, memory_order_relaxed))
        ;
    return NULL;
}

static bool open_file(struct disk_bench *bench, enum disk_mode mode)
{
    struct disk *disk = &bench->disk.disk;
    disk->mode = mode;
    struct disk_request request = {.action = DISK_CREATE, .name = "blocks"};
    bench->file = disk_run(disk, &request);
    int32_t result = bench->file;
    if (result >= 0) {
        request = (struct disk_request){
            .action = DISK_ALLOCATE, .file = bench->file, .allocate_bytes = FILE_BYTES};
        result = disk_run(disk, &request);
    }
    for (uint64_t offset = 0; result >= 0 && offset < FILE_BYTES; offset += BLOCK_BYTES_MAX) {
        request = (struct disk_request){.action = DISK_WRITE,
                                        .file = bench->file,
                                        .memory = bench->memory,
                                        .offset = offset,
                                        .size_bytes = BLOCK_BYTES_MAX};
        result = disk_run(disk, &request);
    }
    if (result >= 0) {
        request = (struct disk_request){.action = DISK_SYNC, .file = bench->file};
        result = disk_run(disk, &request);
    }
    if (result < 0)
        fprintf(stderr, "kouan-bench: %s: %s\n", bench->folder, strerror(-result));
    return result >= 0;
}

static void close_file(struct disk_bench *bench)
{
    if (bench->file >= 0)
        close(bench->file);
    unlinkat(bench->folder_file, "blocks", 0);
    bench->file = -1;
}

static bool run_mode(struct disk_bench *bench, enum disk_mode mode)
{
    static const uint32_t sizes[] = {4096, 16384, 65536, 262144}, depths[] = {1, 2, 4};
    bool good = open_file(bench, mode);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t d = 0; good && d < sizeof depths / sizeof *depths; d++)
            good = run_trial(bench, sizes[s], depths[d]);
    close_file(bench);
    return good;
}

static int run_all(struct disk_bench *bench)
{
    pthread_t thread;
    atomic_bool is_over = false;
    bool computes = bench->is_busy && pthread_create(&thread, NULL, compute, &is_over) == 0;
    bool good = true;
    enum disk_mode best = bench->disk.disk.mode;
    if (best == DISK_MODE_DIRECT)
        good = run_mode(bench, DISK_MODE_DIRECT);
    good = good && run_mode(bench, DISK_MODE_PLAIN) && run_journals(bench, best);
    if (computes) {
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        pthread_join(thread, NULL);
    }
    return good ? EXIT_OK : EXIT_FINDINGS;
}

static bool open_bench(struct disk_bench *bench, const char *where)
{
    static const struct loop_settings settings = {.submission_entries = 256,
                                                  .completion_entries = 1024,
                                                  .receive_buffer_count = 4,
                                                  .files_max = 64,
                                                  .timers_max = 8};
    char problem[512];
    int error = 0;
    snprintf(bench->folder, sizeof bench->folder, "%s/kouan-bench-disk-XXXXXX", where);
    if (mkdtemp(bench->folder) == NULL) {
        fprintf(stderr, "kouan-bench: %s: %s\n", bench->folder, strerror(errno));
        bench->folder[0] = '\0';
        return false;
    }
    bench->folder_file = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bench->memory = aligned_alloc(JOURNAL_PAGE_BYTES, BLOCK_BYTES_MAX);
    if (loop_open(&settings, &bench->loop, problem, sizeof problem) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s\n", problem);
        return false;
    }
    if (bench->memory == NULL ||
        disk_ring_init(&bench->disk, bench->loop, bench->folder_file, &error) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s: %s\n", bench->folder, strerror(error));
        return false;
    }
    memset(bench->memory, 'k', BLOCK_BYTES_MAX);
    return true;
}

static void close_bench(struct disk_bench *bench)
{
    if (bench->disk.loop != NULL)
        disk_ring_deinit(&bench->disk);
    if (bench->loop != NULL)
        loop_close(bench->loop);
    if (bench->folder_file >= 0)
        close(bench->folder_file);
    free(bench->memory);
    if (bench->folder[0] != '\0')
        rmdir(bench->folder);
}

/* `kouan-bench disk`: what making blocks durable costs on a disk, and what the journal of one shard
 * keeps of it. */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bench/command.h"
#include "bench/disk/disk_journal.h"
#include "bench/disk/disk_probe.h"

enum { JOURNAL_BLOCK_BYTES = 256 * 1024, RECORD_BYTES = 400 };

struct disk_bench {
    struct disk_probe probe;
    uint64_t milliseconds;
    bool is_busy; /* another thread computes meanwhile */
};

/* The journal, in-process: what is kept of the disk's speed. */
struct journal_trial {
    uint32_t writes_max, linger_max_us;
    uint64_t records_per_second;
};

/* Blocks of the journal's size, as many in flight, for a while just before and just after: what
 * else the machine does changes too much for less than that. */
static bool run_beside(struct disk_bench *bench, uint32_t in_flight, double *out_mb_per_s)
{
    static struct disk_probe_result result;
    const struct disk_probe_settings settings = {.block_bytes = JOURNAL_BLOCK_BYTES,
                                                 .in_flight = in_flight,
                                                 .milliseconds = bench->milliseconds};
    if (!disk_probe_run(&bench->probe, &settings, &result))
        return false;
    *out_mb_per_s = disk_probe_mb_per_s(&settings, &result);
    return true;
}

static bool run_journal(struct disk_bench *bench, struct journal_trial trial)
{
    static struct disk_journal_result result;
    double before_mb_per_s, after_mb_per_s;
    const struct disk_journal_settings settings = {.loop = bench->probe.loop,
                                                   .disk = &bench->probe.disk.disk,
                                                   .block_bytes = JOURNAL_BLOCK_BYTES,
                                                   .writes_max = trial.writes_max,
                                                   .linger_max_us = trial.linger_max_us,
                                                   .record_bytes = RECORD_BYTES,
                                                   .milliseconds = bench->milliseconds,
                                                   .records_per_second = trial.records_per_second};
    if (!run_beside(bench, trial.writes_max, &before_mb_per_s) ||
        !disk_journal_run(&settings, &result) || result.records == 0 ||
        !run_beside(bench, trial.writes_max, &after_mb_per_s))
        return false;
    double records = (double)result.records;
    double mb_per_s = (double)result.written_bytes * 1e3 / (double)result.ns;
    printf("journal %" PRIu32 " in flight, linger %3" PRIu32
           " us: %8.0f records/s %7.1f MB/s (%.0f %% "
           "of the disk beside it)  p50 %6.0f us  p99 %6.0f us  %6.0f records and %.0f KB a write  "
           " CPU "
           "%5.0f ns a record (%.0f of the process)\n",
           trial.writes_max, trial.linger_max_us, records * 1e9 / (double)result.ns, mb_per_s,
           mb_per_s * 200 / (before_mb_per_s + after_mb_per_s),
           (double)histogram_quantile(&result.times, 500) / 1e3,
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
    bool good = disk_probe_make_file(&bench->probe, mode);
    for (size_t i = 0; good && i < sizeof trials / sizeof *trials; i++)
        good = run_journal(bench, trials[i]);
    disk_probe_remove_file(&bench->probe);
    return good;
}

static int run_all(struct disk_bench *bench);

static void print_help(void)
{
    puts(
        "kouan-bench disk [--folder PATH] [--milliseconds N] [--busy]\n"
        "Writes blocks of 4 KiB to 256 KiB to a file as a segment of the journal is, 1 to 4 of\n"
        "them in flight, each on stable storage before it counts: by O_DIRECT with RWF_DSYNC and\n"
        "with fdatasync, where the file system has it, and through the page cache with fdatasync.\n"
        "Then the journal of one shard by itself, with messages of 400 bytes, beside the disk: as\n"
        "fast as it takes them, and at a pace.\n"
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
    struct disk_bench bench = {.milliseconds = 300};
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
    int result = disk_probe_open(&bench.probe, where) ? run_all(&bench) : EXIT_FINDINGS;
    disk_probe_close(&bench.probe);
    return result;
}

/* ---- one combination ---- */

static bool run_trial(struct disk_bench *bench, uint32_t block_bytes, uint32_t in_flight)
{
    static struct disk_probe_result result;
    const struct disk_probe_settings settings = {
        .block_bytes = block_bytes, .in_flight = in_flight, .milliseconds = bench->milliseconds};
    if (!disk_probe_run(&bench->probe, &settings, &result))
        return false;
    double mb_per_s = disk_probe_mb_per_s(&settings, &result);
    printf("%-6s %4" PRIu32 " KiB  %" PRIu32 " in flight: %7.0f writes/s %7.1f MB/s   p50 %6.0f us"
           "  p99 %6.0f us   CPU %5.0f us a write (%.0f of the process)\n",
           disk_mode_name(bench->probe.disk.disk.mode), block_bytes / 1024, in_flight,
           (double)result.writes * 1e9 / (double)result.ns, mb_per_s,
           (double)histogram_quantile(&result.times, 500) / 1e3,
           (double)histogram_quantile(&result.times, 990) / 1e3,
           (double)result.machine_ns / 1e3 / (double)result.writes,
           (double)result.process_ns / 1e3 / (double)result.writes);
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

static bool run_mode(struct disk_bench *bench, enum disk_mode mode)
{
    static const uint32_t sizes[] = {4096, 16384, 65536, 262144}, depths[] = {1, 2, 4};
    bool good = disk_probe_make_file(&bench->probe, mode);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t d = 0; good && d < sizeof depths / sizeof *depths; d++)
            good = run_trial(bench, sizes[s], depths[d]);
    disk_probe_remove_file(&bench->probe);
    return good;
}

static int run_all(struct disk_bench *bench)
{
    pthread_t thread;
    atomic_bool is_over = false;
    bool computes = bench->is_busy && pthread_create(&thread, NULL, compute, &is_over) == 0;
    bool good = true;
    enum disk_mode best = bench->probe.disk.disk.mode;
    for (unsigned mode = best == DISK_MODE_PLAIN ? best : DISK_MODE_DIRECT; mode < DISK_MODES;
         mode++)
        good = good && run_mode(bench, (enum disk_mode)mode);
    good = good && run_journals(bench, best);
    if (computes) {
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        pthread_join(thread, NULL);
    }
    return good ? EXIT_OK : EXIT_FINDINGS;
}

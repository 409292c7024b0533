/* The comparison behind `kouan-bench durable`: the same generator against Kouan in memory, Kouan
 * with its journal, redis-server with `appendfsync always`, and the disk by itself: first as fast
 * as each goes, then at 1 %, 50 % and 90 % of what it did, Redis at Kouan's rates too where it can.
 * At each load the runs alternate: A B C, C B A, ... Each is verified by the checker. */
#ifndef KOUAN_BENCH_DURABLE_H
#define KOUAN_BENCH_DURABLE_H

#include <stdio.h>

#include "bench/disk_probe.h"
#include "bench/server.h"
#include "bench/trial.h"

enum { DURABLE_PAIRS_MAX = 20, DURABLE_LOADS = 4, DURABLE_POINTS_EACH = 6 };

enum durable_side { DURABLE_MEMORY, DURABLE_JOURNAL, DURABLE_REDIS, DURABLE_DISK };
enum { DURABLE_SERVERS = DURABLE_DISK };

struct durable_settings {
    struct trial_settings trial;
    const char *kouan, *folder;
    uint32_t pairs;
    uint64_t milliseconds; /* of each run at a rate */
    bool prints_runs;      /* each as it ends, on stderr */
};

/* Of the process: what it had written to disks, by the kernel's count. */
struct durable_run {
    double rate, serving_ns, server_ns, client_ns, written_bytes;
};

/* One server, or the disk, at one load. */
struct durable_point {
    enum durable_side side;
    enum durable_side pace; /* whose capacity the load is a part of */
    struct disk_probe_settings disk;
    uint64_t rate; /* messages a second; 0: as fast as it goes */
    bool is_left_out;
    uint32_t run_count;
    struct durable_run runs[DURABLE_PAIRS_MAX]; /* a message; of the disk: a write */
    struct histogram receipt_ns;                /* merged */
};

struct durable_load {
    uint32_t percent; /* 0: as fast as it goes */
    uint32_t point_count;
    struct durable_point points[DURABLE_POINTS_EACH];
};

struct durable {
    const struct durable_settings *settings;
    struct server servers[DURABLE_SERVERS];
    struct disk_probe probe;
    uint64_t seed; /* each run has one of its own: Kouan would know the messages of another */
    struct durable_load loads[DURABLE_LOADS];
};

/* The exit code; what went wrong is told on stderr. To be closed whatever it is. */
int durable_run(const struct durable_settings *settings, struct durable *out_durable);
void durable_close(struct durable *durable);

const char *durable_point_name(const struct durable_point *point, char text[64]);
/* The median over its runs. */
struct durable_run durable_median(const struct durable_point *point);

void durable_print_heading(FILE *out);
void durable_print_point(const struct durable_load *load, const struct durable_point *point,
                         const struct durable_run *run, const struct histogram *receipt_ns,
                         FILE *out);
void durable_print(const struct durable *durable, FILE *out);
void durable_print_json(const struct durable *durable, FILE *out);

#endif

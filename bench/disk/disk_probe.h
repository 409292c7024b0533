/* What a disk gives, beside which the journal is to be judged: a file as a segment is, allocated
 * and written with zeros, filled block after block by the journal's own disk
 * (io/journal/disk_ring.h), so many writes in flight, each on stable storage before it counts. */
#ifndef KOUAN_BENCH_DISK_PROBE_H
#define KOUAN_BENCH_DISK_PROBE_H

#include "bench/histogram.h"
#include "io/journal/disk_ring.h"

enum { DISK_PROBE_IN_FLIGHT_MAX = 8 };

struct disk_probe {
    char folder[256];
    int folder_file, file; /* -1: none */
    struct loop *loop;
    struct disk_ring disk;
    uint8_t *memory;
};

struct disk_probe_settings {
    uint32_t block_bytes, in_flight; /* at most DISK_PROBE_IN_FLIGHT_MAX */
    uint64_t milliseconds;
    uint64_t interval_ns; /* between writes, of which one is in flight; 0: as fast as it goes */
};

struct disk_probe_result {
    uint64_t writes, ns, machine_ns, process_ns;
    struct histogram times; /* at a pace: from the moment at which the write was due */
};

/* Makes a folder of its own in `where`. All of these: false, with what is wrong on stderr; the
 * probe is to be closed whatever happens. */
bool disk_probe_open(struct disk_probe *probe, const char *where);
void disk_probe_close(struct disk_probe *probe);

/* The file that is written to; written with zeros. */
bool disk_probe_make_file(struct disk_probe *probe, enum disk_mode mode);
void disk_probe_remove_file(struct disk_probe *probe);

bool disk_probe_run(struct disk_probe *probe, const struct disk_probe_settings *settings,
                    struct disk_probe_result *out_result);

double disk_probe_mb_per_s(const struct disk_probe_settings *settings,
                           const struct disk_probe_result *result);

#endif

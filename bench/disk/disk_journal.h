/* The journal of one shard on a real disk, without anything around it: records are appended as fast
 * as it takes them, or at a pace, and counted when they are durable. Part of `kouan-bench disk`. */
#ifndef KOUAN_BENCH_DISK_JOURNAL_H
#define KOUAN_BENCH_DISK_JOURNAL_H

#include "bench/histogram.h"
#include "io/journal/disk_ring.h"

struct disk_journal_settings {
    struct loop *loop;
    struct disk *disk;
    uint32_t block_bytes, writes_max, linger_max_us;
    uint32_t record_bytes; /* of the message */
    uint64_t milliseconds;
    uint64_t records_per_second; /* 0: as fast as they are taken */
};

struct disk_journal_result {
    uint64_t records, bytes; /* durable; bytes of records */
    uint64_t ns, process_ns, machine_ns;
    uint64_t writes, written_bytes, write_ns;
    struct histogram times; /* from appended to durable */
};

/* False, with what is wrong on stderr. */
bool disk_journal_run(const struct disk_journal_settings *settings,
                      struct disk_journal_result *out_result);

#endif

/* Micro-benches: what one stage of a message's way costs by itself, without sockets, on the inputs
 * that it meets there. A family (bench/micro/micro_*.c) opens its inputs, has each of its cases
 * measured, and closes them; nothing of that is timed.
 *
 * Measured is CPU time of this process, since others may want the machine: the median over rounds,
 * and the lowest. A family checks what its stage returns; that, and that stages are compiled apart
 * from here, keeps them from being optimised away. */
#ifndef KOUAN_BENCH_MICRO_H
#define KOUAN_BENCH_MICRO_H

#include <stdbool.h>
#include <stdint.h>

enum { MICRO_ROUNDS_MAX = 101, MICRO_RESULTS_MAX = 160, MICRO_CASE_BYTES = 48 };

/* Names, and what is measured, for --help. */
#define MICRO_LIST(X)                                                                              \
    X(framing, "commands found in what was received (resp_parse)")                                 \
    X(scan, "bodies scanned with their profile's taps, kind by kind")                              \
    X(read, "the whole reading: recognise, scan, extract")                                         \
    X(digest, "keyed digests of bodies and identities")                                            \
    X(match, "readings matched with 10 to 100,000 rules, and with hard ones")                      \
    X(route, "a batch of bodies decided: read, digest, match")                                     \
    X(window, "identities asked, placed and confirmed in a full window")                           \
    X(journal, "records appended to blocks, which are sealed with a checksum")                     \
    X(ring, "items between two threads, beside ck_ring of Concurrency Kit")                        \
    X(reply, "receipts and delivered entries written")

struct micro_settings {
    uint32_t rounds;   /* 1 .. MICRO_ROUNDS_MAX */
    uint64_t round_ns; /* how long each is to take at least */
    uint64_t turns;    /* exactly so many in each round, for counting instructions; 0: by time */
    uint64_t entries;  /* of the window, beside the usual sizes; 0: none */
    bool is_smoke;     /* small inputs: only to see that it works */
};

struct micro_result {
    const char *family;
    char name[MICRO_CASE_BYTES];
    double item_bytes; /* 0: an item has no size */
    uint64_t items;    /* of one round */
    double median_ns, lowest_ns;
};

struct micro {
    const struct micro_settings *settings;
    const char *family;
    struct micro_result results[MICRO_RESULTS_MAX];
    uint32_t result_count;
    void (*on_result)(const struct micro_result *result);
};

/* A case: `turn` works on what lies ready in `context` and returns how many items that were, always
 * as many; 0 if a stage did not do what it should, and has said so. It may be called any number of
 * times. */
struct micro_case {
    const char *name;
    double item_bytes;
    uint64_t (*turn)(void *context);
    void *context;
};

/* False if a turn failed. */
bool micro_measure(struct micro *micro, const struct micro_case *measured);

/* The families. False: something is wrong, and was told on stderr. */
#define X(name, help) bool micro_##name(struct micro *micro);
MICRO_LIST(X)
#undef X

#endif

/* What became of the messages of one e-port, counted as the answers say. */
#ifndef KOUAN_BENCH_TALLY_H
#define KOUAN_BENCH_TALLY_H

#include "bench/day/day.h"

/* name, heading of its column */
#define TALLY_LIST(X)                                                                              \
    X(sent, "sent")                                                                                \
    X(accepted, "accepted")                                                                        \
    X(replays, "replays")                                                                          \
    X(conflicts, "conflicts")                                                                      \
    X(amendments, "amendments")                                                                    \
    X(malformed, "malformed")                                                                      \
    X(unroutable, "unroutable")                                                                    \
    X(other_refusals, "other")                                                                     \
    X(retries, "retries")

/* Conflicts and amendments are among the accepted ones; retries are no answers. */
struct tally {
#define X(name, heading) uint64_t name;
    TALLY_LIST(X)
#undef X
};

enum { TALLY_REASONS_MAX = 32 };

struct tally_reason {
    char words[48]; /* the first two words of a refusal */
    uint64_t count;
};

struct tally_reasons {
    struct tally_reason items[TALLY_REASONS_MAX]; /* further ones are not told apart */
    uint32_t count;
};

/* `is_new`: the first receipt for its record; else a replay's. */
void tally_receipt(struct tally *tally, enum day_fate fate, bool is_new);
void tally_refusal(struct tally *tally, struct tally_reasons *reasons, struct bytes error);
void tally_add(struct tally *into, const struct tally *from);

#endif

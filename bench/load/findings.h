/* What the checker found wrong: counted by kind, and the first of them told one by one. */
#ifndef KOUAN_BENCH_FINDINGS_H
#define KOUAN_BENCH_FINDINGS_H

#include <stdio.h>

#include "bench/day/day.h"

enum { FINDINGS_SAMPLES_MAX = 16 };

#define FINDING_LIST(X)                                                                            \
    X(NO_RECEIPT, "got neither receipt nor refusal")                                               \
    X(OLD_RECEIPT, "got an id that is not above the last on its connection")                       \
    X(WRONG_RECEIPT, "got another id than its first had, or than it is delivered under")           \
    X(SHARED_RECEIPT, "got an id that another message has")                                        \
    X(ACCEPTED, "was accepted, but must be refused")                                               \
    X(REFUSED, "was refused, but must be accepted")                                                \
    X(WRONG_REASON, "was refused for the wrong reason")                                            \
    X(LOST, "has a receipt, but was not delivered")                                                \
    X(DUPLICATE, "was delivered more than once")                                                   \
    X(STRAY, "was delivered where no rule sends it")                                               \
    X(UNKNOWN, "was delivered, but never sent: altered, or not ours")                              \
    X(ORDER, "was delivered after a later message with the same keys")                             \
    X(WRONG_FIELD, "was delivered with the wrong message_type or verdict")

enum finding {
#define X(name, text) FINDING_##name,
    FINDING_LIST(X)
#undef X
        FINDING_COUNT
};

struct findings {
    const struct day *day;
    uint64_t counts[FINDING_COUNT];
    char samples[FINDINGS_SAMPLES_MAX][192];
    uint32_t sample_count;
};

/* `index` is the message, or DAY_NO_MESSAGE; the format tells what was seen. */
void findings_add(struct findings *findings, enum finding finding, uint32_t index,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

uint64_t findings_count(const struct findings *findings); /* of all kinds */
const char *finding_text(enum finding finding);

/* By kind, then one by one. */
void findings_print(const struct findings *findings, FILE *out);

#endif

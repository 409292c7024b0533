/* What a scan finds must be what an oracle finds (bench/oracle/oracle.h). FUZZ_ORACLES=off in the
 * environment asks none: a short run then looks for faults of memory alone. */
#ifndef KOUAN_TESTS_FUZZ_ORACLE_CHECK_H
#define KOUAN_TESTS_FUZZ_ORACLE_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "bench/oracle/oracle.h"

static inline void check_against_oracle(const struct plan *plan, struct bytes body,
                                        uint32_t message, enum status status,
                                        const struct scan_fault *fault, const struct scan *scan)
{
    static struct oracle oracle;
    static bool ready, asks;
    if (!ready) {
        const char *choice = getenv("FUZZ_ORACLES");
        oracle_init(&oracle);
        asks = choice == NULL || strcmp(choice, "off") != 0;
    }
    ready = true;
    if (!asks)
        return;
    enum oracle_verdict verdict = oracle_ask(&oracle, plan, body, message);
    const char *objection = oracle_objection(&oracle, verdict, status, fault, scan);
    if (objection == NULL || oracle.guessed)
        return;
    fprintf(stderr, "the oracle objects: %s\n", objection);
    abort();
}

#endif

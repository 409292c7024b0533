/* Second opinions on what a scan found. Expat, jansson and a splitter that goes byte by byte walk a
 * body in the plainest way, with the same plan, for `kouan-bench scan` and the fuzzers: slow, and
 * written without the scanners' code.
 *
 *   struct oracle oracle;
 *   oracle_init(&oracle);
 *   verdict = oracle_ask(&oracle, plan, body);
 *   const char *why = oracle_objection(&oracle, verdict, status, &fault, &scan);
 *   oracle_deinit(&oracle);
 *
 * An oracle may be asked again and again; its values are valid until the next question. */
#ifndef KOUAN_BENCH_ORACLE_H
#define KOUAN_BENCH_ORACLE_H

#include "routes/scan/scan.h"

enum oracle_verdict {
    ORACLE_GOOD,   /* well-formed, and these are the values */
    ORACLE_BROKEN, /* not well-formed */
    ORACLE_SILENT  /* not for it to judge: a character set or a choice that only the scanner has */
};

struct oracle_value {
    struct bytes value; /* UTF-8, trimmed, never empty; in the arena */
    uint16_t tap, entry;
    bool number; /* of JSON: equal in value is equal */
};

struct oracle {
    struct arena arena;
    struct oracle_value *values;
    uint32_t value_count, value_capacity;
    uint32_t entry_count;
    bool guessed; /* EDIFACT: no UNA says which separators are meant, and another reading is fair */
    char why[160]; /* of BROKEN and SILENT */
};

void oracle_init(struct oracle *oracle);
void oracle_deinit(struct oracle *oracle);

/* About a body in the plan's format; of an interchange of several messages, about `message`, from
 * 0. A plan of EDIFACT may have no rows. */
enum oracle_verdict oracle_ask(struct oracle *oracle, const struct plan *plan, struct bytes body,
                               uint32_t message);

/* NULL if the scan's outcome agrees with the verdict, else what it does not agree in: a text in the
 * oracle's arena. A scan may refuse what is well-formed for a reason of its own (a bound, a
 * document type, a member that appears twice); it may not take for good what is broken. */
const char *oracle_objection(struct oracle *oracle, enum oracle_verdict verdict, enum status status,
                             const struct scan_fault *fault, const struct scan *scan);

#endif

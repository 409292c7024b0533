/* The six regional e-ports of the generated day, each with its own addresses, offices and dialects.
 * The same names, addresses and offices stand in bench/demo/. */
#ifndef KOUAN_BENCH_EPORT_H
#define KOUAN_BENCH_EPORT_H

#include <stdint.h>

#define DAY_DIALECT_LIST(X)                                                                        \
    X(CEB, "CEB XML")                                                                              \
    X(KJ, "KJ XML")                                                                                \
    X(EDIFACT, "EDIFACT")                                                                          \
    X(JSON, "JSON")

enum day_dialect {
#define X(name, text) DIALECT_##name,
    DAY_DIALECT_LIST(X)
#undef X
        DIALECT_COUNT
};

enum { EPORT_COUNT = 6, EPORT_OFFICES = 4, EPORT_INSPECTIONS = 2 };

struct eport {
    const char *name;    /* the participant */
    const char *code;    /* 10 digits, its customs registration */
    const char *company; /* in Chinese */
    const char *dxp;     /* its address in CEB messages */
    const char *station; /* its address in EDIFACT interchanges */
    const char *locode;  /* UN/LOCODE of its port */
    const char *prefix;  /* two letters before the numbers that it gives out */
    const char *offices[EPORT_OFFICES];
    const char *inspections[EPORT_INSPECTIONS];
    uint8_t dialects[DIALECT_COUNT]; /* per cent of its messages */
};

extern const struct eport eports[EPORT_COUNT];

const char *day_dialect_name(enum day_dialect dialect);

#endif

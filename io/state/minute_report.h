/* What `kouan stats` tells of minutes (core/minute_table.h): figures of all shards, since when, by
 * what was asked for. */
#ifndef KOUAN_IO_MINUTE_REPORT_H
#define KOUAN_IO_MINUTE_REPORT_H

#include <stdio.h>

#include "io/state/minutes.h"

#define MINUTE_COLUMN_LIST(X)                                                                      \
    X(MINUTE, "minute")                                                                            \
    X(TYPE, "type")                                                                                \
    X(OFFICE, "office")                                                                            \
    X(EPORT, "eport")                                                                              \
    X(DESTINATION, "destination")                                                                  \
    X(VERDICT, "verdict")

enum minute_column {
#define X(name, text) MINUTE_BY_##name,
    MINUTE_COLUMN_LIST(X)
#undef X
        MINUTE_COLUMNS
};

struct minute_choice {
    uint32_t by;      /* a bit each of enum minute_column; none: one sum */
    uint64_t since_s; /* so long back, to the minute */
    bool is_json;
    size_t bytes_max; /* of what is printed; 0: any. What is left out is counted */
};

/* `type,office`: false if a word is none of the list, or twice. */
bool minute_choice_parse_by(struct bytes text, uint32_t *out_by);

/* By the names of minutes->generation. */
void minute_report_print(const struct minutes *minutes, const struct minute_choice *choice,
                         uint64_t now_ms, FILE *out);

#endif

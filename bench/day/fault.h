/* What is broken in the malformed messages of the day, and the reason for which each must be
 * refused. */
#ifndef KOUAN_BENCH_FAULT_H
#define KOUAN_BENCH_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "bench/day/eport.h"

/* name, what is done, the reason's word in the refusal */
#define DAY_FAULT_LIST(X)                                                                          \
    X(NONE, "nothing", "")                                                                         \
    X(XML_CUT, "XML cut short", "TRUNCATED")                                                       \
    X(XML_TAG, "an end tag that does not match", "MALFORMED")                                      \
    X(XML_DOCTYPE, "a document type declaration", "DOCTYPE")                                       \
    X(XML_NAMESPACE, "a namespace with a slip in it", "UNKNOWNPROFILE")                            \
    X(EDIFACT_CUT, "an interchange cut short", "TRUNCATED")                                        \
    X(EDIFACT_START, "no service segment at the start", "UNKNOWNFORMAT")                           \
    X(JSON_CUT, "JSON cut short", "TRUNCATED")                                                     \
    X(JSON_COLON, "a semicolon for a colon", "MALFORMED")                                          \
    X(JSON_TRAILING, "a brace too many", "TRAILING")                                               \
    X(JSON_TWICE, "a member twice", "DUPLICATEKEY")

enum day_fault {
#define X(name, text, reason) FAULT_##name,
    DAY_FAULT_LIST(X)
#undef X
        FAULT_COUNT
};

/* The longest text that a fault adds. */
enum { FAULT_ADDED_BYTES_MAX = 64 };

const char *fault_text(enum day_fault fault);
const char *fault_reason(enum day_fault fault);

/* One of the dialect's faults, by a number. */
enum day_fault fault_choose(enum day_dialect dialect, uint32_t number);

/* Breaks a well-formed message in place; returns its new size. `message` has room for
 * FAULT_ADDED_BYTES_MAX more. */
size_t fault_inflict(enum day_fault fault, uint8_t *message, size_t size);

#endif

/* The demo's rule sheet in plain C: which destinations get what. It says the same as the tables of
 * bench/demo/rules in other words, and shares nothing with the matcher that it is to check. */
#ifndef KOUAN_BENCH_DEMO_RULES_H
#define KOUAN_BENCH_DEMO_RULES_H

#include "bench/day/day.h"

/* Bits of enum day_outlet; 0: no rule names it. */
uint8_t demo_rules_outlets(enum day_kind kind, uint8_t variant, const struct day_case *facts);

/* An office that no rule of the sheet names. */
#define DEMO_UNKNOWN_OFFICE "9901"

#endif

/* Rows of rule tables that are hard on a matcher: for the micro-benches and for servers. The last
 * row of a table, one that always holds, is the caller's. */
#ifndef KOUAN_BENCH_HARD_RULES_H
#define KOUAN_BENCH_HARD_RULES_H

#include <stdint.h>
#include <stdio.h>

/* Of type DECLSTATUS, office 51xx to 57xx and trade mode 0615 are the events that meet them. */
enum hard_rules {
    HARD_RULES_NONE,
    HARD_RULES_OVERLAPPING,  /* all hold but for one field */
    HARD_RULES_RANGES,       /* overlapping ranges in two fields */
    HARD_RULES_RANGES_APART, /* each holds for the events by one field, and none by both */
    HARD_RULES_NEGATIONS,    /* in two fields */
    HARD_RULES_ONE_FIELD,    /* many rules of the same value of one field */
    HARD_RULES_KINDS
};
extern const char *const hard_rules_names[HARD_RULES_KINDS];

#define HARD_RULES_COLUMNS "id,message_type,customs_office,trade_mode,goods_code,to\n"

/* The n-th row; each follows from its number alone. */
void hard_rules_write(FILE *out, enum hard_rules kind, uint32_t number, const char *to);

#endif

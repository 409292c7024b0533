/* A rule table as DPDK's rte_acl classifies by it: beside Kouan's matcher, where its keys allow.
 *
 * It takes words, not texts. So each field's values become 16-bit numbers, in an order that keeps
 * ranges and prefixes: the ends of all alternatives, sorted, cut the line of values into pieces,
 * and a value is its piece. Finding that is not in what is measured, though for Kouan it is. */
#ifndef KOUAN_BENCH_ACL_ACL_TABLE_H
#define KOUAN_BENCH_ACL_ACL_TABLE_H

#include "routes/read/reading.h"
#include "routes/rules/rule.h"

enum { ACL_FIELDS = 4 };
extern const enum slot acl_slots[ACL_FIELDS];

/* What it reads of a message, in network order. */
struct acl_key {
    uint8_t first, unused[3]; /* it begins with one byte in any case */
    uint16_t words[ACL_FIELDS];
};

struct rte_acl_ctx;

/* The ends of one field's alternatives. */
struct acl_line {
    struct bytes *ends;
    uint32_t count;
};

struct acl_table {
    struct rte_acl_ctx *context; /* its answers: a rule's index and one more, of the first */
    struct acl_line lines[ACL_FIELDS];
    uint32_t rule_count; /* a rule of several alternatives is several */
};

/* False, and told on stdout, if it cannot be said in such keys, or takes more than `bytes_max`. The
 * arena must outlive it; closed whatever this returns. */
bool acl_table_open(struct arena *arena, const struct rule_table *table, size_t bytes_max,
                    struct acl_table *out_acl);
void acl_table_close(struct acl_table *acl);

/* For a message with at most one value in each field; false if it has more. */
bool acl_table_key(const struct acl_table *acl, const struct reading *reading,
                   struct acl_key *out_key);

#endif

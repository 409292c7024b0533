/* What the oracles share: forgetting, noting values, and the plan walked by comparing name by name.
 * Only bench/oracle/oracle*.c include this. */
#ifndef KOUAN_BENCH_ORACLE_PARTS_H
#define KOUAN_BENCH_ORACLE_PARTS_H

#include "bench/oracle/oracle.h"

enum { ORACLE_NODE_NONE = 0xFFFF };

enum oracle_verdict oracle_ask_xml(struct oracle *oracle, const struct plan *plan,
                                   struct bytes body);
enum oracle_verdict oracle_ask_json(struct oracle *oracle, const struct plan *plan,
                                    struct bytes body);
enum oracle_verdict oracle_ask_edifact(struct oracle *oracle, const struct plan *plan,
                                       struct bytes body, uint32_t message);

/* Notes a value for a tap, trimmed, if anything is left of it. */
void oracle_note(struct oracle *oracle, uint16_t tap, uint32_t entry, struct bytes value,
                 bool number);

/* Ends with a verdict and the reason for it. */
enum oracle_verdict oracle_say(struct oracle *oracle, enum oracle_verdict verdict,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The node of the root; the child of a node, or of none, that has this name. */
uint16_t oracle_root(const struct plan *plan);
uint16_t oracle_child(const struct plan *plan, uint16_t node, struct bytes name, bool attribute);
/* The node's tap; TAP_NONE of no node. */
uint16_t oracle_tap(const struct plan *plan, uint16_t node);
/* True if the node begins an entry where none is open. */
bool oracle_begins_entry(const struct plan *plan, uint16_t node, uint32_t open_entry);

#endif

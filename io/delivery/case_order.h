/* `order: case`: which consumer of a group the entries of a case go to. While an entry of a key is
 * pending, later ones of the key go to its owner only, the consumer that it was given to last;
 * entries of other keys overtake. An entry that cannot go to who asks is passed over and remembered
 * here until it can; the group keeps its place (io/delivery/group.h).
 *
 * A key is a hash of the record's order key. Two keys with one hash wait for each other needlessly,
 * and nothing worse. Bounded: so many keys as entries may be pending or passed over, and at most
 * CASE_ORDER_PASSED_MAX of those. Each step takes constant time, whatever waits. Memory is reserved
 * when it is opened. */
#ifndef KOUAN_IO_CASE_ORDER_H
#define KOUAN_IO_CASE_ORDER_H

#include "core/record.h"
#include "core/status.h"
#include "routes/read/reading.h"

enum { CASE_ORDER_PASSED_MAX = 1024, CASE_ORDER_CONSUMERS_MAX = 1024 };

struct case_order;

MUST_CHECK enum status case_order_open(uint32_t pending_max, struct case_order **out_order);
void case_order_close(struct case_order *order);

/* The first key of the record's first entry; 0 if it has no key: then it goes to anyone. */
uint32_t case_order_key(const struct record *record);

/* The same, before there is a record. */
uint32_t case_order_key_of(const struct reading *reading);

/* May the next entry, behind all that came before, go to the consumer? */
bool case_order_allows(const struct case_order *order, uint32_t key, uint16_t consumer);
/* It was delivered, and is pending. */
void case_order_deliver(struct case_order *order, uint32_t key, uint16_t consumer);
/* It is passed over. False, and nothing is done, if too many are already. */
bool case_order_pass(struct case_order *order, uint32_t key, struct record_id id);

/* An entry that was passed over and may go to the consumer now, the first of its key; false if
 * there is none. */
bool case_order_next(const struct case_order *order, uint16_t consumer, struct record_id *out_id);
/* Takes that one out; with `pends` it is pending. */
void case_order_take(struct case_order *order, uint16_t consumer, bool pends);
/* The first of its key that was passed over will never be delivered. */
void case_order_drop(struct case_order *order, uint32_t key);

/* A pending entry of the key went to another consumer, or ended. */
void case_order_move(struct case_order *order, uint32_t key, uint16_t consumer);
void case_order_end(struct case_order *order, uint32_t key);

/* Forgets what was passed over. */
void case_order_forget_passed(struct case_order *order);

uint32_t case_order_passed_count(const struct case_order *order);
uint32_t case_order_key_count(const struct case_order *order);
/* CASE_ORDER_CONSUMERS_MAX: nobody. */
uint16_t case_order_owner(const struct case_order *order, uint32_t key);

#endif

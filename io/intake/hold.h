/* Held messages: routed by a rule with the action `hold`, waiting for an operator. Each is one
 * (record, destination). Released ones go on as a new record that names the first. */
#ifndef KOUAN_IO_HOLD_H
#define KOUAN_IO_HOLD_H

#include "core/record.h"
#include "core/status.h"
#include "io/shard/room.h"

struct shard;

struct hold {
    struct record_id id;
    uint64_t position;
    uint64_t since_ms; /* wall clock */
    uint32_t size_bytes;
    uint16_t destination;
    bool live;
};

/* In the order of their ids; ended ones stay as tombstones until the head passes or a squeeze. */
struct hold_list {
    struct hold *items;
    uint32_t capacity, count, live;
    uint64_t bytes, bytes_max;
    uint32_t reserved;
    uint64_t reserved_bytes;
    struct room *room; /* with several shards what is reserved is there; NULL: one shard */
};

MUST_CHECK enum status hold_open(struct hold_list *list, uint32_t capacity, uint64_t bytes_max);
void hold_close(struct hold_list *list);

/* For so many records of `size_bytes` together; false: there is no room. */
MUST_CHECK bool hold_try_reserve(struct hold_list *list, uint32_t records, uint64_t size_bytes);
void hold_unreserve(struct hold_list *list, uint32_t records, uint64_t size_bytes);
/* As outlet_share_room and outlet_tell_room. */
void hold_share_room(struct hold_list *list, struct room *room);
void hold_tell_room(struct hold_list *list);
void hold_add(struct hold_list *list, const struct record *record, uint64_t position,
              uint16_t destination, uint64_t now_ms);

/* The first live hold at or after (id, destination); NULL if there is none. */
struct hold *hold_next(const struct hold_list *list, struct record_id id, uint16_t destination);
void hold_end(struct hold_list *list, struct hold *hold);

/* The record was copied forward. True if any hold named it. */
bool hold_needs(const struct hold_list *list, struct record_id id);
void hold_relocate(struct hold_list *list, struct record_id id, uint64_t position);

#endif

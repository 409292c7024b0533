/* What a group has settled since that was last written down: ranges of ids, in order.
 *
 * A range says that every entry of the destination with an id in it is settled, and counts those
 * that became so. Neighbours join where no entry lies between them that is kept and not in either:
 * what is not kept any more was settled before. Ranges of different ways to be settled never join,
 * so that each says how.
 *
 * It grows as it must; whoever writes down does so when there is much (SETTLED_MUCH) before the
 * next command, so it holds at most that and what one command settles. One owner thread. */
#ifndef KOUAN_IO_SETTLED_H
#define KOUAN_IO_SETTLED_H

#include "core/fact.h"

enum { SETTLED_MUCH = 1024 };

struct settled_span {
    struct settled_range range;
    enum settled_how how;
};

struct settled_list {
    struct settled_span *spans;
    uint32_t count, capacity;
};

void settled_close(struct settled_list *list);

/* `id` was settled; `before` and `after` are the ids of the kept entries next to it: 0-0 and the
 * greatest if there is none. */
void settled_add(struct settled_list *list, struct record_id id, struct record_id before,
                 struct record_id after, enum settled_how how);

/* Moves up to `capacity` ranges out, the first and those that were settled as it was. How many; 0:
 * nothing is left. */
uint32_t settled_take(struct settled_list *list, struct settled_range *out, uint32_t capacity,
                      enum settled_how *out_how);

#endif

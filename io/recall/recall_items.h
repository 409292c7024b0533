/* The records that one list (io/recall/recall_list.h) is to read back, by their positions. */
#ifndef KOUAN_IO_RECALL_ITEMS_H
#define KOUAN_IO_RECALL_ITEMS_H

#include <stdint.h>

struct recall_item {
    uint64_t position;
    uint32_t size_bytes; /* of the record */
    uint32_t offset;     /* in the staging memory, in RECORD_ALIGNMENT */
};

/* By position; in place. */
void recall_items_sort(struct recall_item *items, uint32_t count);
/* Of those that are sorted; NULL: none is at this position. */
const struct recall_item *recall_items_find(const struct recall_item *items, uint32_t count,
                                            uint64_t position);

#endif

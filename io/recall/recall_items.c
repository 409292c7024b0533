#include "io/recall/recall_items.h"

#include <stddef.h>

static void sift_down(struct recall_item *items, uint32_t root, uint32_t count);

/* They mostly are in order already: only what was copied forward is not. */
void recall_items_sort(struct recall_item *items, uint32_t count)
{
    uint32_t sorted = 1;
    while (sorted < count && items[sorted - 1].position <= items[sorted].position)
        sorted++;
    if (sorted >= count)
        return;
    for (uint32_t root = count / 2; root > 0; root--)
        sift_down(items, root - 1, count);
    for (uint32_t end = count - 1; end > 0; end--) {
        struct recall_item largest = items[0];
        items[0] = items[end];
        items[end] = largest;
        sift_down(items, 0, end);
    }
}

static void sift_down(struct recall_item *items, uint32_t root, uint32_t count)
{
    struct recall_item item = items[root];
    for (uint32_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && items[child].position < items[child + 1].position)
            child++;
        if (items[child].position <= item.position)
            break;
        items[root] = items[child];
    }
    items[root] = item;
}

const struct recall_item *recall_items_find(const struct recall_item *items, uint32_t count,
                                            uint64_t position)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (items[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && items[low].position == position ? &items[low] : NULL;
}

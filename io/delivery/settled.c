#include "io/delivery/settled.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void settled_close(struct settled_list *list)
{
    free(list->spans);
    *list = (struct settled_list){0};
}

/* The first span that begins behind `id`; mostly there is none. */
static uint32_t find_behind(const struct settled_list *list, struct record_id id)
{
    uint32_t low = 0, high = list->count;
    if (high == 0 || record_id_compare(list->spans[high - 1].range.to, id) < 0)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (record_id_compare(list->spans[middle].range.from, id) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct settled_list *list, uint32_t at, struct settled_span span)
{
    enum { INITIAL = 16 };
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : INITIAL;
        struct settled_span *spans = realloc(list->spans, capacity * sizeof *spans);
        assert(spans != NULL); /* else an acknowledgement would be forgotten */
        list->spans = spans;
        list->capacity = capacity;
    }
    memmove(&list->spans[at + 1], &list->spans[at], (list->count - at) * sizeof span);
    list->spans[at] = span;
    list->count++;
}

static void remove_at(struct settled_list *list, uint32_t at)
{
    list->count--;
    memmove(&list->spans[at], &list->spans[at + 1], (list->count - at) * sizeof *list->spans);
}

void settled_add(struct settled_list *list, struct record_id id, struct record_id before,
                 struct record_id after, enum settled_how how)
{
    uint32_t at = find_behind(list, id);
    struct settled_span *left = at > 0 ? &list->spans[at - 1] : NULL;
    struct settled_span *right = at < list->count ? &list->spans[at] : NULL;
    assert(left == NULL || record_id_compare(left->range.to, id) < 0);
    if (left != NULL && (left->how != how || record_id_compare(before, left->range.to) > 0))
        left = NULL;
    if (right != NULL && (right->how != how || record_id_compare(after, right->range.from) < 0))
        right = NULL;

    if (left != NULL && right != NULL) {
        left->range.to = right->range.to;
        left->range.count += right->range.count + 1;
        remove_at(list, at);
    } else if (left != NULL) {
        left->range.to = id;
        left->range.count++;
    } else if (right != NULL) {
        right->range.from = id;
        right->range.count++;
    } else {
        insert(list, at, (struct settled_span){{.from = id, .to = id, .count = 1}, how});
    }
}

uint32_t settled_take(struct settled_list *list, struct settled_range *out, uint32_t capacity,
                      enum settled_how *out_how)
{
    uint32_t taken = 0, kept = 0;
    if (list->count == 0)
        return 0;
    enum settled_how how = list->spans[0].how;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->spans[i].how == how && taken < capacity)
            out[taken++] = list->spans[i].range;
        else
            list->spans[kept++] = list->spans[i];
    }
    list->count = kept;
    *out_how = how;
    return taken;
}

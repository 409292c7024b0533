#include "io/intake/hold.h"

#include <assert.h>
#include <stdlib.h>

enum status hold_open(struct hold_list *list, uint32_t capacity, uint64_t bytes_max)
{
    struct hold *items = calloc((size_t)capacity * 2, sizeof *items); /* half may be tombstones */
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *list = (struct hold_list){.items = items, .capacity = capacity, .bytes_max = bytes_max};
    return STATUS_OK;
}

void hold_close(struct hold_list *list)
{
    free(list->items);
    *list = (struct hold_list){0};
}

bool hold_try_reserve(struct hold_list *list, uint32_t records, uint64_t size_bytes)
{
    if (list->room != NULL)
        return room_take(list->room, records, size_bytes);
    if (list->live + list->reserved + records > list->capacity ||
        list->bytes + list->reserved_bytes + size_bytes > list->bytes_max)
        return false;
    list->reserved += records;
    list->reserved_bytes += size_bytes;
    return true;
}

void hold_unreserve(struct hold_list *list, uint32_t records, uint64_t size_bytes)
{
    if (list->room != NULL) {
        room_give(list->room, records, size_bytes);
        return;
    }
    assert(list->reserved >= records && list->reserved_bytes >= size_bytes);
    list->reserved -= records;
    list->reserved_bytes -= size_bytes;
}

void hold_share_room(struct hold_list *list, struct room *room)
{
    list->room = room;
    room->entries_max = list->capacity;
    room->bytes_max = list->bytes_max;
    room_bound(room, true);
    hold_tell_room(list);
}

void hold_tell_room(struct hold_list *list)
{
    room_keep(list->room, list->live, list->bytes);
}

static void squeeze(struct hold_list *list)
{
    uint32_t to = 0;
    for (uint32_t from = 0; from < list->count; from++)
        if (list->items[from].live)
            list->items[to++] = list->items[from];
    list->count = to;
}

void hold_add(struct hold_list *list, const struct record *record, uint64_t position,
              uint16_t destination, uint64_t now_ms)
{
    if (list->count == list->capacity * 2)
        squeeze(list);
    assert(list->count < list->capacity * 2);
    list->items[list->count++] = (struct hold){
        .id = record->id,
        .position = position,
        .since_ms = now_ms,
        .size_bytes = record->head.size_bytes,
        .destination = destination,
        .live = true,
    };
    list->live++;
    list->bytes += record->head.size_bytes;
}

static int compare(const struct hold *hold, struct record_id id, uint16_t destination)
{
    int order = record_id_compare(hold->id, id);
    return order != 0 ? order
                      : (hold->destination > destination) - (hold->destination < destination);
}

static uint32_t lower_bound(const struct hold_list *list, struct record_id id, uint16_t destination)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&list->items[middle], id, destination) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct hold *hold_next(const struct hold_list *list, struct record_id id, uint16_t destination)
{
    for (uint32_t i = lower_bound(list, id, destination); i < list->count; i++)
        if (list->items[i].live)
            return &list->items[i];
    return NULL;
}

void hold_end(struct hold_list *list, struct hold *hold)
{
    assert(hold->live);
    hold->live = false;
    list->live--;
    list->bytes -= hold->size_bytes;
}

bool hold_needs(const struct hold_list *list, struct record_id id)
{
    const struct hold *hold = hold_next(list, id, 0);
    return hold != NULL && record_id_compare(hold->id, id) == 0;
}

void hold_relocate(struct hold_list *list, struct record_id id, uint64_t position)
{
    for (uint32_t i = lower_bound(list, id, 0); i < list->count; i++) {
        if (record_id_compare(list->items[i].id, id) != 0)
            return;
        list->items[i].position = position;
    }
}

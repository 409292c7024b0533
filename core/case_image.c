#include "core/case_image.h"

#include <assert.h>

#include "core/case_inside.h"

size_t case_image_bytes_max(const struct case_table *table)
{
    return table->head->image_bytes;
}

static uint64_t whole_pages(uint64_t size_bytes)
{
    return (size_bytes + CASE_IMAGE_PAGE_BYTES - 1) & ~(uint64_t)(CASE_IMAGE_PAGE_BYTES - 1);
}

static void list_sections(const struct case_head *head, struct case_image_section *out_sections)
{
    out_sections[0] = (struct case_image_section){0, whole_pages(sizeof *head)};
    out_sections[1] = (struct case_image_section){
        head->names_offset, whole_pages(head->name_count * sizeof(struct case_name))};
    out_sections[2] = (struct case_image_section){
        head->keys_offset, whole_pages(head->keys_used * sizeof(struct case_key))};
    out_sections[3] = (struct case_image_section){
        head->entries_offset, whole_pages(head->cases_used * sizeof(struct case_entry))};
}

/* ---- the copy ---- */

void case_image_begin(struct case_table *table, void *memory)
{
    assert(table->copy == NULL);
    list_sections(table->head, table->sections);
    memset(table->copied, 0,
           (table->head->image_bytes / CASE_IMAGE_PAGE_BYTES / 64 + 1) * sizeof *table->copied);
    table->copy = memory;
    table->copy_section = 0;
    table->copy_offset = 0;
}

static void save_page(struct case_table *table, uint64_t page)
{
    if ((table->copied[page / 64] >> page % 64 & 1) != 0)
        return;
    table->copied[page / 64] |= UINT64_C(1) << page % 64;
    memcpy(table->copy + page * CASE_IMAGE_PAGE_BYTES,
           (const uint8_t *)table->region.memory + page * CASE_IMAGE_PAGE_BYTES,
           CASE_IMAGE_PAGE_BYTES);
}

void case_image_save(struct case_table *table, const void *place, size_t size_bytes)
{
    uint64_t offset = (uint64_t)((const uint8_t *)place - (const uint8_t *)table->region.memory);
    assert(offset + size_bytes <= table->head->image_bytes);
    uint64_t last = (offset + size_bytes - 1) / CASE_IMAGE_PAGE_BYTES;
    for (uint64_t page = offset / CASE_IMAGE_PAGE_BYTES; page <= last; page++)
        save_page(table, page);
}

bool case_image_copy(struct case_table *table, uint32_t pages)
{
    assert(table->copy != NULL);
    while (table->copy_section < CASE_IMAGE_SECTIONS) {
        const struct case_image_section *section = &table->sections[table->copy_section];
        for (; table->copy_offset < section->size_bytes;
             table->copy_offset += CASE_IMAGE_PAGE_BYTES) {
            if (pages-- == 0)
                return false;
            save_page(table, (section->offset + table->copy_offset) / CASE_IMAGE_PAGE_BYTES);
        }
        table->copy_section++;
        table->copy_offset = 0;
    }
    return true;
}

void case_image_end(struct case_table *table)
{
    table->copy = NULL;
}

bool case_image_is_under_way(const struct case_table *table)
{
    return table->copy != NULL;
}

/* ---- and back ---- */

/* All that is relied on below. */
static bool is_sound(const struct case_head *head)
{
    uint64_t names_end = head->names_offset + CASE_NAMES_MAX * sizeof(struct case_name);
    return head->names_offset >= sizeof *head && head->names_offset < UINT32_MAX &&
           head->name_count >= 1 && head->name_count <= CASE_NAMES_MAX && head->state_count >= 1 &&
           head->state_count <= CASE_STATES_MAX && head->keys_offset >= names_end &&
           head->keys_offset < UINT32_MAX && head->cases_used <= head->cases_max &&
           head->keys_used <= head->keys_max &&
           head->entries_offset >=
               head->keys_offset + (uint64_t)head->keys_max * sizeof(struct case_key) &&
           head->entries_offset < UINT64_C(1) << 48 &&
           head->image_bytes >=
               head->entries_offset + (uint64_t)head->cases_max * sizeof(struct case_entry) &&
           head->image_bytes < UINT64_C(1) << 48 &&
           (head->names_offset | head->keys_offset | head->entries_offset | head->image_bytes) %
                   CASE_IMAGE_PAGE_BYTES ==
               0;
}

enum status case_image_sections(const void *memory, size_t head_bytes,
                                struct case_image_section *out_sections, size_t *out_image_bytes)
{
    const struct case_head *head = memory;
    if (head_bytes < CASE_IMAGE_PAGE_BYTES || head->magic != CASE_IMAGE_MAGIC)
        return STATUS_CORRUPT;
    if (head->image_version != CASE_IMAGE_VERSION)
        return STATUS_UNSUPPORTED;
    if (!is_sound(head))
        return STATUS_CORRUPT;
    list_sections(head, out_sections);
    *out_image_bytes = head->image_bytes;
    return STATUS_OK;
}

static bool restore_keys(struct case_table *table, uint32_t index, const struct case_head *head,
                         const struct case_entry *old)
{
    const struct case_key *keys =
        (const struct case_key *)(const void *)((const uint8_t *)head + head->keys_offset);
    uint32_t number = old->first_key;
    if (old->key_count > CASE_KEYS_MAX)
        return false;
    for (uint16_t i = 0; i < old->key_count; i++) {
        if (number >= head->keys_used || keys[number].text_size > CASE_KEY_TEXT_BYTES)
            return false;
        while (!case_take_key(table, index, &keys[number]))
            case_evict(table, index);
        number = keys[number].next;
    }
    return number == CASE_NONE;
}

static bool is_entry_sound(const struct case_head *head, const struct case_entry *old,
                           unsigned span)
{
    return old->is_used && old->span == span && old->participant_count <= CASE_PARTICIPANTS_MAX &&
           old->status_count <= CASE_STATUSES_MAX && old->move_count <= CASE_MOVES_MAX &&
           old->record_count <= CASE_RECORDS_MAX && old->state < head->state_count &&
           old->base_state < head->state_count;
}

static bool restore_entry(struct case_table *table, const struct case_head *head,
                          const struct case_entry *old)
{
    uint32_t index = case_take_place(table, (enum case_span)old->span);
    struct case_entry *entry = &table->entries[index];
    uint32_t older = entry->older, newer = entry->newer;
    *entry = *old;
    entry->older = older;
    entry->newer = newer;
    entry->first_key = CASE_NONE;
    entry->key_count = 0;
    table->head->figures.impossible += old->impossible;
    return restore_keys(table, index, head, old);
}

static const struct case_entry *entries_of(const struct case_head *head)
{
    return (const struct case_entry *)(const void *)((const uint8_t *)head + head->entries_offset);
}

/* The longer silent of those that are next in both lists. */
static unsigned choose_span(const struct case_head *head, const uint32_t *next)
{
    const struct case_entry *entries = entries_of(head);
    if (next[CASE_SPAN_SHORT] == CASE_NONE)
        return CASE_SPAN_LONG;
    return next[CASE_SPAN_LONG] == CASE_NONE ||
                   entries[next[CASE_SPAN_SHORT]].heard_ms <= entries[next[CASE_SPAN_LONG]].heard_ms
               ? CASE_SPAN_SHORT
               : CASE_SPAN_LONG;
}

static void restore_head(struct case_table *table, const struct case_head *head)
{
    const struct case_figures *figures = &head->figures;
    memcpy(table->head->states, head->states, sizeof head->states);
    table->head->state_count = head->state_count;
    table->head->name_count = head->name_count;
    memcpy(table->names, (const uint8_t *)head + head->names_offset,
           head->name_count * sizeof(struct case_name));
    case_names_index(table);
    table->head->figures = (struct case_figures){
        .begun = figures->begun,
        .merged = figures->merged,
        .expired = figures->expired,
        .evicted = figures->evicted,
        .not_entitled = figures->not_entitled,
        .late = figures->late,
        .keys_left_out = figures->keys_left_out,
    };
}

enum status case_image_restore(struct case_table *table, const void *image)
{
    const struct case_head *head = image;
    assert(table->head->figures.cases == 0 && table->head->cases_used == 0);
    restore_head(table, head);
    uint32_t next[CASE_SPAN_COUNT];
    for (unsigned span = 0; span < CASE_SPAN_COUNT; span++)
        next[span] = head->lists[span].oldest;
    uint32_t restored = 0;
    while (next[CASE_SPAN_SHORT] != CASE_NONE || next[CASE_SPAN_LONG] != CASE_NONE) {
        for (unsigned span = 0; span < CASE_SPAN_COUNT; span++)
            if (next[span] != CASE_NONE &&
                (next[span] >= head->cases_used ||
                 !is_entry_sound(head, &entries_of(head)[next[span]], span)))
                return STATUS_CORRUPT;
        unsigned span = choose_span(head, next);
        const struct case_entry *old = &entries_of(head)[next[span]];
        if (restored++ == head->cases_used || !restore_entry(table, head, old))
            return STATUS_CORRUPT;
        next[span] = old->newer;
    }
    return STATUS_OK;
}

#include "core/case_table.h"

#include <assert.h>
#include <stdlib.h>

#include "core/case_inside.h"

static uint32_t find_owner(struct case_table *table, const struct case_key_given *keys,
                           uint32_t count);
static uint32_t begin_case(struct case_table *table, const struct case_observation *observation);
static void add_keys(struct case_table *table, uint32_t index, const struct case_key_given *keys,
                     uint32_t count);
static uint32_t merge(struct case_table *table, uint32_t a, uint32_t b);

/* ---- open and close ---- */

static uint64_t whole_pages(uint64_t size_bytes)
{
    return (size_bytes + CASE_IMAGE_PAGE_BYTES - 1) & ~(uint64_t)(CASE_IMAGE_PAGE_BYTES - 1);
}

static void lay_out(struct case_table *table)
{
    struct case_head *head = table->region.memory;
    uint64_t keys_max = (uint64_t)table->settings.cases_max * CASE_KEYS_PER_CASE;
    *head = (struct case_head){
        .magic = CASE_IMAGE_MAGIC,
        .image_version = CASE_IMAGE_VERSION,
        .cases_max = table->settings.cases_max,
        .keys_max = (uint32_t)keys_max,
        .free_case = CASE_NONE,
        .free_key = CASE_NONE,
        .name_count = 1,
        .state_count = 1,
    };
    head->names_offset = whole_pages(sizeof *head);
    head->keys_offset = head->names_offset + whole_pages(CASE_NAMES_MAX * sizeof(struct case_name));
    head->entries_offset = head->keys_offset + whole_pages(keys_max * sizeof(struct case_key));
    head->image_bytes =
        head->entries_offset + whole_pages(head->cases_max * sizeof(struct case_entry));
    for (unsigned span = 0; span < CASE_SPAN_COUNT; span++)
        head->lists[span] = (struct case_list){CASE_NONE, CASE_NONE};
    uint8_t *memory = table->region.memory;
    table->head = head;
    table->names = (struct case_name *)(void *)(memory + head->names_offset);
    table->keys = (struct case_key *)(void *)(memory + head->keys_offset);
    table->entries = (struct case_entry *)(void *)(memory + head->entries_offset);
}

static uint64_t region_bytes(uint64_t cases_max)
{
    return whole_pages(sizeof(struct case_head)) +
           whole_pages(CASE_NAMES_MAX * sizeof(struct case_name)) +
           whole_pages(cases_max * CASE_KEYS_PER_CASE * sizeof(struct case_key)) +
           whole_pages(cases_max * sizeof(struct case_entry));
}

enum status case_table_open(const struct case_table_settings *settings,
                            struct case_table **out_table)
{
    assert(settings->cases_max >= 16 && settings->cases_max <= CASE_NONE / CASE_KEYS_PER_CASE);
    uint32_t buckets = 64;
    while (buckets < settings->cases_max * CASE_KEYS_PER_CASE && buckets < UINT32_C(1) << 31)
        buckets *= 2;
    struct case_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return STATUS_NO_MEMORY;
    table->settings = *settings;
    table->bucket_mask = buckets - 1;
    table->buckets = malloc((size_t)buckets * sizeof *table->buckets);
    table->name_places = calloc((size_t)2 * CASE_NAMES_MAX, sizeof *table->name_places);
    table->copied = calloc(region_bytes(settings->cases_max) / CASE_IMAGE_PAGE_BYTES / 64 + 1,
                           sizeof(uint64_t));
    if (table->buckets == NULL || table->name_places == NULL || table->copied == NULL ||
        region_open(region_bytes(settings->cases_max), &table->region) != STATUS_OK) {
        case_table_close(table);
        return STATUS_NO_MEMORY;
    }
    memset(table->buckets, 0xFF, (size_t)buckets * sizeof *table->buckets); /* CASE_NONE */
    lay_out(table);
    for (uint32_t i = 0; i < CASE_CURSORS_MAX; i++)
        case_table_rewind(table, i);
    *out_table = table;
    return STATUS_OK;
}

void case_table_close(struct case_table *table)
{
    if (table == NULL)
        return;
    if (table->region.memory != NULL)
        region_close(&table->region);
    free(table->buckets);
    free(table->name_places);
    free(table->copied);
    free(table);
}

/* ---- telling ---- */

uint32_t case_table_observe(struct case_table *table, const struct case_key_given *keys,
                            uint32_t count, const struct case_observation *observation)
{
    assert(count > 0 && count <= CASE_KEYS_MAX);
    case_will_change(table, table->head, sizeof *table->head);
    case_expire(table, observation->heard_ms);
    uint32_t index = find_owner(table, keys, count);
    if (index == CASE_NONE)
        index = begin_case(table, observation);
    struct case_entry *entry = &table->entries[index];
    case_will_change(table, entry, sizeof *entry);
    case_renew(table, index, observation->span);
    add_keys(table, index, keys, count);
    case_life_observe(table, entry, observation);
    return index;
}

/* Those that the keys name become one. */
static uint32_t find_owner(struct case_table *table, const struct case_key_given *keys,
                           uint32_t count)
{
    uint32_t index = CASE_NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t owner = case_table_find(table, keys[i].digest);
        if (owner == CASE_NONE || owner == index)
            continue;
        index = index == CASE_NONE ? owner : merge(table, index, owner);
    }
    return index;
}

static uint32_t begin_case(struct case_table *table, const struct case_observation *observation)
{
    uint32_t index = case_take_place(table, observation->span);
    struct case_entry *entry = &table->entries[index];
    entry->first_id = observation->id;
    entry->first_entry = observation->entry;
    entry->first_ms = observation->time_ms;
    table->head->figures.begun++;
    return index;
}

static void make_key(const struct case_key_given *given, struct case_key *out_key)
{
    size_t size = given->text.size < CASE_KEY_TEXT_BYTES ? given->text.size : CASE_KEY_TEXT_BYTES;
    *out_key = (struct case_key){.digest = given->digest,
                                 .kind = given->kind,
                                 .text_size = (uint8_t)size,
                                 .is_cut = size < given->text.size};
    if (size > 0)
        memcpy(out_key->text, given->text.data, size);
}

static void add_keys(struct case_table *table, uint32_t index, const struct case_key_given *keys,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct case_key key;
        if (case_find_key(table, keys[i].digest) != CASE_NONE)
            continue;
        if (table->entries[index].key_count == CASE_KEYS_MAX) {
            table->head->figures.keys_left_out++;
            continue;
        }
        make_key(&keys[i], &key);
        while (!case_take_key(table, index, &key))
            case_evict(table, index);
    }
}

/* ---- two become one; one goes ---- */

static bool is_older(const struct case_entry *a, const struct case_entry *b)
{
    int order = record_id_compare(a->first_id, b->first_id);
    return order != 0 ? order < 0 : a->first_entry < b->first_entry;
}

static uint32_t merge(struct case_table *table, uint32_t a, uint32_t b)
{
    bool is_a_older = is_older(&table->entries[a], &table->entries[b]);
    uint32_t index = is_a_older ? a : b, gone = is_a_older ? b : a;
    struct case_entry *entry = &table->entries[index], *younger = &table->entries[gone];
    case_will_change(table, entry, sizeof *entry);
    case_life_join(table, entry, younger);
    uint32_t next;
    for (uint32_t key = younger->first_key; key != CASE_NONE; key = next) {
        next = table->keys[key].next;
        if (entry->key_count == CASE_KEYS_MAX) {
            table->head->figures.keys_left_out++;
            case_leave_key(table, key);
            continue;
        }
        case_will_change(table, &table->keys[key], sizeof(struct case_key));
        table->keys[key].owner = index;
        case_append_key(table, entry, key);
    }
    case_renew(table, index, (enum case_span)younger->span);
    case_leave_place(table, gone);
    table->head->figures.merged++;
    return index;
}

/* ---- asking ---- */

uint32_t case_table_find(const struct case_table *table, struct digest digest)
{
    uint32_t key = case_find_key(table, digest);
    return key == CASE_NONE ? CASE_NONE : table->keys[key].owner;
}

void case_table_prefetch(const struct case_table *table, struct digest digest)
{
    __builtin_prefetch(&table->buckets[digest.high & table->bucket_mask]);
}

const struct case_entry *case_table_entry(const struct case_table *table, uint32_t index)
{
    assert(index < table->head->cases_used && table->entries[index].is_used);
    return &table->entries[index];
}

const struct case_key *case_table_key(const struct case_table *table, uint32_t key)
{
    assert(key < table->head->keys_used && table->keys[key].owner != CASE_NONE);
    return &table->keys[key];
}

void case_table_rewind(struct case_table *table, uint32_t cursor)
{
    assert(cursor < CASE_CURSORS_MAX);
    for (unsigned span = 0; span < CASE_SPAN_COUNT; span++)
        table->cursors[cursor].at[span] = CASE_NONE;
}

uint32_t case_table_next_changed(struct case_table *table, uint32_t cursor)
{
    assert(cursor < CASE_CURSORS_MAX);
    for (unsigned span = 0; span < CASE_SPAN_COUNT; span++) {
        uint32_t *at = &table->cursors[cursor].at[span];
        uint32_t next =
            *at == CASE_NONE ? table->head->lists[span].oldest : table->entries[*at].newer;
        if (next != CASE_NONE) {
            *at = next;
            return next;
        }
    }
    return CASE_NONE;
}

struct case_figures case_table_figures(const struct case_table *table)
{
    struct case_figures figures = table->head->figures;
    figures.cases_max = table->head->cases_max;
    figures.keys_max = table->head->keys_max;
    figures.oldest_ms = 0;
    for (unsigned span = 0; span < CASE_SPAN_COUNT; span++) {
        uint32_t oldest = table->head->lists[span].oldest;
        if (oldest != CASE_NONE &&
            (figures.oldest_ms == 0 || table->entries[oldest].heard_ms < figures.oldest_ms))
            figures.oldest_ms = table->entries[oldest].heard_ms;
    }
    return figures;
}

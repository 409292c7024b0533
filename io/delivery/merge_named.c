/* What replies list under names: groups, consumers, fields, counters. */
#include <assert.h>

#include "io/delivery/merge.h"

/* ---- one list out of several ---- */

static uint64_t hash_of(struct bytes key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: a filter; equal bytes decide */
    for (size_t i = 0; i < key.size; i++)
        hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* The named things of all parts, from `first` on in the scratch. */
struct named_list {
    struct merge_named *items;
    uint32_t count, capacity, distinct;
};

static void add(struct named_list *list, struct bytes key, struct bytes element)
{
    assert(list->count < list->capacity);
    struct merge_named *added = &list->items[list->count];
    *added = (struct merge_named){
        .key = key, .element = element, .hash = hash_of(key), .next = MERGE_NAMED_NONE};
    for (uint32_t i = 0; i < list->count && !added->is_later; i++) {
        struct merge_named *item = &list->items[i];
        if (item->hash != added->hash || !bytes_equal(item->key, key))
            continue;
        while (item->next != MERGE_NAMED_NONE)
            item = &list->items[item->next];
        item->next = list->count;
        added->is_later = true;
    }
    list->distinct += !added->is_later;
    list->count++;
}

/* The items of an array, of which the first `key_items` within each are its key. */
static void add_array(struct named_list *list, struct bytes array, uint32_t key_items)
{
    struct resp_cursor cursor = resp_cursor_make(array), inside;
    struct resp_item item;
    struct bytes element, key, last;
    bool is_there = resp_cursor_next(&cursor, &item);
    assert(is_there);
    for (uint32_t left = item.count; left > 0; left--) {
        struct resp_item head;
        is_there = merge_take(&cursor, &head, &element);
        inside = resp_cursor_make(element);
        if (key_items > 0)
            is_there = is_there && resp_cursor_next(&inside, &head);
        key = inside.rest;
        for (uint32_t i = 0; i < (key_items > 0 ? key_items : 1); i++)
            is_there = is_there && merge_take(&inside, &head, &last);
        assert(is_there);
        key.size -= inside.rest.size;
        add(list, key, element);
    }
}

static struct named_list list_parts(const struct merge *merge, uint32_t key_items)
{
    struct named_list list = {.items = merge->scratch, .capacity = merge->scratch_count};
    for (uint32_t i = 0; i < merge->count; i++)
        add_array(&list, merge->parts[i], key_items);
    return list;
}

/* ---- fields ---- */

enum field_rule {
    FIELD_FIRST,
    FIELD_SUM,
    FIELD_LEAST,
    FIELD_LEAST_KNOWN, /* -1: not known */
    FIELD_GREATEST_ID,
    FIELD_LEAST_ID, /* 0-0: none */
    FIELD_FIRST_ENTRY,
    FIELD_LAST_ENTRY,
    FIELD_DISTINCT, /* counts what the field behind it names */
    FIELD_DROPPED
};

static const struct field_row {
    const char *name;
    enum field_rule rule;
} field_rows[] = {
    {"length", FIELD_SUM},
    {"entries-added", FIELD_SUM},
    {"pending", FIELD_SUM},
    {"entries-read", FIELD_SUM},
    {"lag", FIELD_SUM},
    {"passed-over", FIELD_SUM},
    {"cases", FIELD_SUM},
    {"idle", FIELD_LEAST},
    {"inactive", FIELD_LEAST_KNOWN},
    {"last-generated-id", FIELD_GREATEST_ID},
    {"last-delivered-id", FIELD_GREATEST_ID},
    {"recorded-first-entry-id", FIELD_LEAST_ID},
    {"first-entry", FIELD_FIRST_ENTRY},
    {"last-entry", FIELD_LAST_ENTRY},
    {"consumers", FIELD_DISTINCT},
    {MERGE_CONSUMER_NAMES, FIELD_DROPPED},
};

static enum field_rule rule_of(struct bytes name)
{
    for (size_t i = 0; i < sizeof field_rows / sizeof *field_rows; i++)
        if (bytes_equal_text(name, field_rows[i].name))
            return field_rows[i].rule;
    return FIELD_FIRST;
}

static struct resp_item item_of(struct bytes raw)
{
    struct resp_cursor cursor = resp_cursor_make(raw);
    struct resp_item item;
    bool is_there = resp_cursor_next(&cursor, &item);
    assert(is_there);
    return item;
}

static int64_t better_integer(enum field_rule rule, int64_t value, int64_t other)
{
    if (rule == FIELD_SUM)
        return value + other;
    if (rule == FIELD_LEAST_KNOWN && (value < 0 || other < 0))
        return value < 0 ? other : value;
    return other < value ? other : value;
}

static bool is_none(enum field_rule rule, struct bytes raw)
{
    return rule == FIELD_FIRST_ENTRY || rule == FIELD_LAST_ENTRY
               ? item_of(raw).type == RESP_NULL
               : bytes_equal_text(item_of(raw).text, "0-0");
}

static struct bytes better_entry(enum field_rule rule, struct bytes value, struct bytes other)
{
    if (is_none(rule, value) || is_none(rule, other))
        return is_none(rule, value) ? other : value;
    int order = record_id_compare(merge_entry_id(other), merge_entry_id(value));
    bool wants_least = rule == FIELD_LEAST_ID || rule == FIELD_FIRST_ENTRY;
    return (wants_least ? order < 0 : order > 0) ? other : value;
}

/* Takes the same field of the maps `cursors` along. */
static void write_field(struct resp_cursor *cursors, uint32_t count, struct named_list *rest,
                        struct resp_writer *writer)
{
    struct resp_item item;
    struct bytes raw_name, value, name = item_of(cursors[0].rest).text;
    enum field_rule rule = rule_of(name);
    int64_t integer = 0;
    struct bytes best = {0};
    for (uint32_t i = 0; i < count; i++) {
        bool is_there = merge_take(&cursors[i], &item, &raw_name) && bytes_equal(item.text, name) &&
                        merge_take(&cursors[i], &item, &value);
        assert(is_there);
        if (rule == FIELD_DISTINCT) { /* behind the names of those that it counts */
            struct resp_cursor names = cursors[i];
            is_there = merge_take(&names, &item, &raw_name);
            if (is_there && bytes_equal_text(item.text, MERGE_CONSUMER_NAMES))
                add_array(rest, names.rest, 0);
        } else if (rule <= FIELD_FIRST || rule == FIELD_DROPPED) {
            best = i == 0 ? value : best;
        } else if (rule <= FIELD_LEAST_KNOWN) {
            integer = i == 0 ? item.integer : better_integer(rule, integer, item.integer);
        } else {
            best = i == 0 ? value : better_entry(rule, best, value);
        }
    }
    if (rule == FIELD_DROPPED)
        return;
    resp_write_bulk(writer, name);
    if (rule == FIELD_DISTINCT)
        resp_write_integer(writer, rest->distinct);
    else if (best.data != NULL)
        resp_write_raw(writer, best);
    else
        resp_write_integer(writer, integer);
}

/* `rest`: what of the scratch is free. */
static void write_maps(struct resp_cursor *cursors, uint32_t count, struct named_list rest,
                       struct resp_writer *writer)
{
    uint32_t pairs = 0, dropped = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct resp_item item;
        bool is_there = resp_cursor_next(&cursors[i], &item);
        assert(is_there);
        pairs = item.type == RESP_MAP ? item.count : item.count / 2;
    }
    struct resp_cursor names = cursors[0];
    for (uint32_t i = 0; i < pairs; i++) {
        struct resp_item item;
        struct bytes raw;
        bool is_there = merge_take(&names, &item, &raw);
        dropped += rule_of(item.text) == FIELD_DROPPED;
        is_there = is_there && merge_take(&names, &item, &raw);
        assert(is_there);
    }
    resp_write_map(writer, pairs - dropped);
    for (uint32_t i = 0; i < pairs; i++)
        write_field(cursors, count, &rest, writer);
}

void merge_map(const struct merge *merge, struct resp_writer *writer)
{
    struct resp_cursor cursors[MERGE_PARTS_MAX];
    const struct named_list none = {0};
    for (uint32_t i = 0; i < merge->count; i++)
        cursors[i] = resp_cursor_make(merge->parts[i]);
    write_maps(cursors, merge->count, none, writer);
}

void merge_maps(const struct merge *merge, struct resp_writer *writer)
{
    struct named_list list = list_parts(merge, 2);
    resp_write_array(writer, list.distinct);
    for (uint32_t i = 0; i < list.count; i++) {
        struct resp_cursor cursors[MERGE_PARTS_MAX];
        uint32_t count = 0;
        if (list.items[i].is_later)
            continue;
        for (uint32_t at = i; at != MERGE_NAMED_NONE; at = list.items[at].next)
            cursors[count++] = resp_cursor_make(list.items[at].element);
        const struct named_list rest = {.items = list.items + list.count,
                                        .capacity = list.capacity - list.count};
        write_maps(cursors, count, rest, writer);
    }
}

/* ---- XPENDING ---- */

void merge_pending(const struct merge *merge, struct resp_writer *writer)
{
    struct named_list list = {.items = merge->scratch, .capacity = merge->scratch_count};
    struct bytes first = {0}, last = {0}, value;
    int64_t total = 0;
    for (uint32_t i = 0; i < merge->count; i++) {
        struct resp_cursor cursor = resp_cursor_make(merge->parts[i]);
        struct resp_item item;
        bool is_there =
            resp_cursor_next(&cursor, &item) && item.count == 4 && resp_cursor_next(&cursor, &item);
        assert(is_there);
        if (item.integer == 0)
            continue;
        total += item.integer;
        is_there = merge_take(&cursor, &item, &value);
        first = first.data == NULL ? value : better_entry(FIELD_LEAST_ID, first, value);
        is_there = is_there && merge_take(&cursor, &item, &value);
        last = last.data == NULL ? value : better_entry(FIELD_GREATEST_ID, last, value);
        assert(is_there);
        add_array(&list, cursor.rest, 1);
    }
    if (total == 0) {
        merge_first(merge, writer);
        return;
    }
    resp_write_array(writer, 4);
    resp_write_integer(writer, total);
    resp_write_raw(writer, first);
    resp_write_raw(writer, last);
    resp_write_array(writer, list.distinct);
    for (uint32_t i = 0; i < list.count; i++) {
        uint64_t sum = 0, count = 0;
        if (list.items[i].is_later)
            continue;
        for (uint32_t at = i; at != MERGE_NAMED_NONE; at = list.items[at].next) {
            struct bytes pair = list.items[at].element;
            size_t behind = (size_t)(list.items[at].key.data - pair.data) + list.items[at].key.size;
            bool is_number =
                bytes_parse_u64(item_of(bytes_slice(pair, behind, pair.size)).text, &count);
            assert(is_number);
            sum += count;
        }
        resp_write_array(writer, 2);
        resp_write_raw(writer, list.items[i].key);
        resp_write_bulk_format(writer, "%llu", (unsigned long long)sum);
    }
}

/* ---- counters ---- */

void merge_counters(const struct merge *merge, struct resp_writer *writer)
{
    struct named_list list = list_parts(merge, 2);
    resp_write_array(writer, list.distinct);
    for (uint32_t i = 0; i < list.count; i++) {
        int64_t sum = 0;
        if (list.items[i].is_later)
            continue;
        bool is_clock = bytes_equal_text(item_of(list.items[i].key).text, "server");
        for (uint32_t at = i; at != MERGE_NAMED_NONE; at = list.items[at].next) {
            struct bytes element = list.items[at].element;
            size_t behind =
                (size_t)(list.items[at].key.data - element.data) + list.items[at].key.size;
            int64_t value = item_of(bytes_slice(element, behind, element.size)).integer;
            sum = is_clock && value < sum ? sum : is_clock ? value : sum + value;
        }
        resp_write_array(writer, 3);
        resp_write_raw(writer, list.items[i].key);
        resp_write_integer(writer, sum);
    }
}

#include "io/delivery/merge.h"

#include <assert.h>

#include "io/front/command.h"

/* ---- simple ones ---- */

bool merge_error(const struct merge *merge, struct resp_writer *writer)
{
    for (uint32_t i = 0; i < merge->count; i++)
        if (merge->parts[i].size > 0 && merge->parts[i].data[0] == '-') {
            resp_write_raw(writer, merge->parts[i]);
            return true;
        }
    return false;
}

static bool is_null(struct bytes part)
{
    struct resp_cursor cursor = resp_cursor_make(part);
    struct resp_item item;
    bool is_there = resp_cursor_next(&cursor, &item);
    assert(is_there);
    return item.type == RESP_NULL;
}

void merge_first(const struct merge *merge, struct resp_writer *writer)
{
    resp_write_raw(writer, merge->parts[0]);
}

static int64_t integer_of(struct bytes part)
{
    struct resp_cursor cursor = resp_cursor_make(part);
    struct resp_item item;
    bool is_there = resp_cursor_next(&cursor, &item);
    assert(is_there && item.type == RESP_INTEGER);
    return item.integer;
}

void merge_sum(const struct merge *merge, struct resp_writer *writer)
{
    int64_t sum = 0;
    if (merge->count > 0 && is_null(merge->parts[0])) {
        merge_first(merge, writer);
        return;
    }
    for (uint32_t i = 0; i < merge->count; i++)
        sum += integer_of(merge->parts[i]);
    resp_write_integer(writer, sum);
}

void merge_greatest(const struct merge *merge, struct resp_writer *writer)
{
    int64_t greatest = integer_of(merge->parts[0]);
    for (uint32_t i = 1; i < merge->count; i++) {
        int64_t value = integer_of(merge->parts[i]);
        greatest = value > greatest ? value : greatest;
    }
    resp_write_integer(writer, greatest);
}

void merge_lists(const struct merge *merge, struct resp_writer *writer)
{
    struct bytes elements[MERGE_PARTS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < merge->count; i++) {
        struct resp_cursor cursor = resp_cursor_make(merge->parts[i]);
        struct resp_item item;
        bool is_there = resp_cursor_next(&cursor, &item);
        assert(is_there && item.type == RESP_ARRAY);
        count += item.count;
        elements[i] = cursor.rest;
    }
    resp_write_array(writer, count);
    for (uint32_t i = 0; i < merge->count; i++)
        resp_write_raw(writer, elements[i]);
}

/* ---- entries ---- */

/* One part's entries, from the next one on. */
struct source {
    struct resp_cursor cursor;
    uint32_t left;        /* behind the next */
    struct bytes element; /* the next; without data: there is none */
    struct record_id id;
    bool is_by_time;
};

/* The second field of a map, as if it were an id. */
static struct record_id time_of(struct bytes map)
{
    struct resp_cursor cursor = resp_cursor_make(map);
    struct resp_item item = {0};
    bool is_there = true;
    for (int i = 0; i < 5; i++) /* the map itself, and two words with their values */
        is_there = is_there && resp_cursor_next(&cursor, &item);
    assert(is_there && item.type == RESP_INTEGER);
    return (struct record_id){(uint64_t)item.integer, 0};
}

static void go_on(struct source *source)
{
    struct resp_item item;
    source->element = (struct bytes){0};
    if (source->left == 0)
        return;
    source->left--;
    bool is_there = merge_take(&source->cursor, &item, &source->element);
    assert(is_there);
    source->id = source->is_by_time ? time_of(source->element) : merge_entry_id(source->element);
}

static struct source source_make(struct bytes entries, bool is_by_time)
{
    struct source source = {.cursor = resp_cursor_make(entries), .is_by_time = is_by_time};
    struct resp_item item;
    bool is_there = resp_cursor_next(&source.cursor, &item);
    assert(is_there && (item.type == RESP_ARRAY || item.type == RESP_NULL));
    source.left = item.type == RESP_ARRAY ? item.count : 0;
    go_on(&source);
    return source;
}

/* The source of the next entry; NULL at the end, or where it is not known what comes. */
static struct source *choose(struct source *sources, uint32_t count,
                             const struct merge_limits *limits)
{
    struct source *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct source *source = &sources[i];
        if (source->element.data == NULL) {
            if ((limits->cut >> i & 1) != 0 && !limits->shows_all)
                return NULL;
            continue;
        }
        int order = best != NULL ? record_id_compare(source->id, best->id) : 0;
        if (best == NULL || (limits->is_falling ? order > 0 : order < 0))
            best = source;
    }
    return best;
}

/* Writes entries, or with NULL counts them; adds up their bytes. */
static uint32_t walk(const struct source *sources, uint32_t count,
                     const struct merge_limits *limits, uint64_t *bytes, struct resp_writer *writer)
{
    struct source copies[MERGE_PARTS_MAX], *source;
    uint32_t shown = 0;
    memcpy(copies, sources, count * sizeof *sources);
    while (shown < limits->count && *bytes < limits->bytes_max &&
           (source = choose(copies, count, limits)) != NULL) {
        if (writer != NULL)
            resp_write_raw(writer, source->element);
        *bytes += source->element.size;
        shown++;
        go_on(source);
    }
    return shown;
}

void merge_entries(const struct merge *merge, const struct merge_limits *limits,
                   struct resp_writer *writer)
{
    struct source sources[MERGE_PARTS_MAX];
    uint64_t counted = 0, bytes = 0;
    bool all_null = true;
    for (uint32_t i = 0; i < merge->count; i++) {
        all_null &= is_null(merge->parts[i]);
        sources[i] = source_make(merge->parts[i], limits->is_by_time);
    }
    if (all_null) {
        merge_first(merge, writer);
        return;
    }
    resp_write_array(writer, walk(sources, merge->count, limits, &counted, NULL));
    walk(sources, merge->count, limits, &bytes, writer);
}

/* ---- streams ---- */

/* Where the parts stand between two streams. */
struct stream_walk {
    struct resp_cursor cursors[MERGE_PARTS_MAX];
    struct source sources[MERGE_PARTS_MAX]; /* of the stream that was taken last */
    struct bytes name;                      /* and its name, as it stands */
};

static void begin_streams(const struct merge *merge, uint32_t stream_count, struct stream_walk *out)
{
    for (uint32_t i = 0; i < merge->count; i++) {
        struct resp_item item;
        out->cursors[i] = resp_cursor_make(merge->parts[i]);
        bool is_there = resp_cursor_next(&out->cursors[i], &item);
        assert(is_there && item.count == stream_count);
    }
}

static void take_stream(const struct merge *merge, uint8_t protocol, struct stream_walk *walk)
{
    for (uint32_t i = 0; i < merge->count; i++) {
        struct resp_item item;
        struct bytes entries;
        bool is_there = true;
        if (protocol == 2) /* the pair */
            is_there = resp_cursor_next(&walk->cursors[i], &item);
        is_there &= merge_take(&walk->cursors[i], &item, &walk->name);
        is_there &= merge_take(&walk->cursors[i], &item, &entries);
        assert(is_there);
        walk->sources[i] = source_make(entries, false);
    }
}

static uint32_t write_streams(const struct merge *merge, const struct merge_limits *limits,
                              uint32_t stream_count, uint32_t always, uint8_t protocol,
                              struct resp_writer *writer)
{
    struct stream_walk at;
    uint64_t bytes = 0;
    uint32_t named = 0;
    begin_streams(merge, stream_count, &at);
    for (uint32_t s = 0; s < stream_count; s++) {
        take_stream(merge, protocol, &at);
        uint64_t before = bytes;
        bool is_full = bytes >= limits[s].bytes_max;
        uint32_t shown = walk(at.sources, merge->count, &limits[s], &bytes, NULL);
        if (shown == 0 && (is_full || (always >> s & 1) == 0))
            continue; /* one that is named without entries seems to have none */
        named++;
        if (writer == NULL)
            continue;
        if (protocol == 2)
            resp_write_array(writer, 2);
        resp_write_raw(writer, at.name);
        resp_write_array(writer, shown);
        walk(at.sources, merge->count, &limits[s], &before, writer);
    }
    return named;
}

bool merge_streams(const struct merge *merge, const struct merge_limits *limits,
                   uint32_t stream_count, uint32_t always, struct resp_writer *writer)
{
    uint8_t protocol = writer->protocol;
    uint32_t named = write_streams(merge, limits, stream_count, always, protocol, NULL);
    if (named == 0)
        return false;
    if (protocol == 3)
        resp_write_map(writer, named);
    else
        resp_write_array(writer, named);
    write_streams(merge, limits, stream_count, always, protocol, writer);
    return true;
}

struct bytes merge_stream(struct bytes part, uint8_t protocol, uint32_t stream)
{
    struct resp_cursor cursor = resp_cursor_make(part);
    struct resp_item item;
    struct bytes raw = {0};
    bool is_there = resp_cursor_next(&cursor, &item);
    for (uint32_t s = 0; s <= stream && is_there; s++) {
        if (protocol == 2)
            is_there = resp_cursor_next(&cursor, &item);
        is_there = is_there && merge_take(&cursor, &item, &raw) && merge_take(&cursor, &item, &raw);
    }
    assert(is_there);
    return raw;
}

struct record_id merge_last_id(const struct merge *merge, const struct merge_limits *limits)
{
    struct source sources[MERGE_PARTS_MAX], *source;
    struct record_id last = {0};
    uint64_t bytes = 0, count = 0;
    for (uint32_t i = 0; i < merge->count; i++)
        sources[i] = source_make(merge->parts[i], false);
    while (count < limits->count && bytes < limits->bytes_max) {
        source = choose(sources, merge->count, limits);
        if (source == NULL)
            return limits->cut != 0 ? last : (struct record_id){UINT64_MAX, UINT64_MAX};
        struct resp_cursor cursor = resp_cursor_make(source->element);
        struct resp_item item;
        bool is_there = resp_cursor_next(&cursor, &item) && resp_cursor_next(&cursor, &item) &&
                        resp_cursor_next(&cursor, &item);
        assert(is_there);
        bytes += (uint64_t)item.integer;
        last = source->id;
        count++;
        go_on(source);
    }
    return last;
}

/* ---- claimed entries ---- */

static uint32_t write_claimed(const struct merge *merge, const struct record_id *ids,
                              uint32_t id_count, struct resp_writer *writer)
{
    struct source sources[MERGE_PARTS_MAX];
    uint32_t shown = 0;
    for (uint32_t i = 0; i < merge->count; i++)
        sources[i] = source_make(merge->parts[i], false);
    for (uint32_t n = 0; n < id_count; n++)
        for (uint32_t i = 0; i < merge->count; i++) {
            struct source *source = &sources[i];
            if (source->element.data == NULL || record_id_compare(source->id, ids[n]) != 0)
                continue;
            if (writer != NULL)
                resp_write_raw(writer, source->element);
            shown++;
            go_on(source);
            break;
        }
    return shown;
}

void merge_claimed(const struct merge *merge, const struct record_id *ids, uint32_t id_count,
                   struct resp_writer *writer)
{
    resp_write_array(writer, write_claimed(merge, ids, id_count, NULL));
    write_claimed(merge, ids, id_count, writer);
}

/* ---- what the files share ---- */

bool merge_take(struct resp_cursor *cursor, struct resp_item *out_item, struct bytes *out_raw)
{
    struct bytes from = cursor->rest;
    if (!resp_cursor_next(cursor, out_item))
        return false;
    resp_cursor_leave(cursor, out_item);
    *out_raw = bytes_make(from.data, from.size - cursor->rest.size);
    return true;
}

struct record_id merge_entry_id(struct bytes entry)
{
    struct resp_cursor cursor = resp_cursor_make(entry);
    struct resp_item item;
    struct record_id id = {0};
    bool is_id = false;
    /* It is one, or begins with one, or with the word `id` and one. */
    for (int i = 0; i < 3 && !is_id && resp_cursor_next(&cursor, &item); i++)
        is_id = item.type == RESP_BULK && command_parse_id(item.text, 0, &id);
    assert(is_id);
    return id;
}

#include "core/window_inside.h"

/* Where things lie in the region. */
struct layout {
    size_t window, entries, buckets, queues, unplaced, unplaced_free, end;
    uint32_t capacity, bucket_count;
};

/* ---- open and close ------------------------------------------------------------------------- */

static size_t reserve(size_t *end, uint64_t count, size_t item_bytes)
{
    size_t start = (*end + 63) & ~(size_t)63;
    *end = start + count * item_bytes;
    return start;
}

static struct layout lay_out(const struct window_settings *settings)
{
    assert(settings->entries_max >= WINDOW_ENTRIES_MIN);
    assert(settings->entries_max <= WINDOW_ENTRIES_MAX);
    assert(settings->unplaced_max >= 1 && settings->unplaced_max <= settings->entries_max);
    assert(settings->log_count >= 1 && settings->log_count <= WINDOW_LOGS_MAX);
    static_assert(WINDOW_ENTRIES_MAX * WINDOW_ENTRY_BYTES_MAX <= SIZE_MAX / 2, "no overflow");

    struct layout layout = {
        .capacity = (uint32_t)settings->entries_max,
        .bucket_count = (uint32_t)(settings->entries_max / WINDOW_BUCKET_ENTRIES),
    };
    layout.entries = reserve(&layout.end, layout.capacity, sizeof(struct window_entry));
    layout.buckets = reserve(&layout.end, layout.bucket_count, sizeof(struct window_bucket));
    layout.queues = reserve(&layout.end, (uint64_t)WINDOW_SCOPES_MAX * settings->log_count,
                            sizeof(struct window_queue));
    layout.unplaced = reserve(&layout.end, settings->unplaced_max, sizeof(struct window_unplaced));
    layout.unplaced_free = reserve(&layout.end, settings->unplaced_max, sizeof(uint32_t));
    layout.window = reserve(&layout.end, 1, sizeof(struct window));
    return layout;
}

uint64_t window_memory_bytes(const struct window_settings *settings)
{
    return lay_out(settings).end;
}

enum status window_open(const struct window_settings *settings, struct window **out_window)
{
    assert(settings->match != NULL);
    struct layout layout = lay_out(settings);
    struct region region;
    enum status status = region_open(layout.end, &region);
    if (status != STATUS_OK)
        return status;

    uint8_t *memory = region.memory;
    struct window *window = (struct window *)(memory + layout.window);
    window->settings = *settings;
    window->region = region;
    window_entries_init(&window->entries, (struct window_entry *)(memory + layout.entries),
                        layout.capacity, (struct window_bucket *)(memory + layout.buckets),
                        layout.bucket_count);
    window_scopes_init(&window->scopes, (struct window_queue *)(memory + layout.queues),
                       settings->log_count);
    window->unplaced = (struct window_unplaced *)(memory + layout.unplaced);
    window->unplaced_free = (uint32_t *)(memory + layout.unplaced_free);
    while (window->unplaced_free_count < settings->unplaced_max) {
        window->unplaced_free[window->unplaced_free_count] = window->unplaced_free_count;
        window->unplaced_free_count++;
    }
    *out_window = window;
    return STATUS_OK;
}

void window_close(struct window *window)
{
    struct region region = window->region;
    region_close(&region);
}

/* ---- an entry's life ------------------------------------------------------------------------ */

static struct window_entry *entry_in(struct window *window, uint32_t entry, enum window_state state)
{
    assert(entry < window->entries.capacity);
    assert(window_entry_state(&window->entries.items[entry]) == state);
    return &window->entries.items[entry];
}

static void free_unplaced(struct window *window, const struct window_entry *entry)
{
    window->unplaced_free[window->unplaced_free_count++] =
        (uint32_t)window_position_offset(window_entry_position(entry));
}

void window_place(struct window *window, uint32_t entry, uint64_t position)
{
    struct window_entry *item = entry_in(window, entry, WINDOW_PENDING);
    uint16_t log = window_entry_log(item);
    assert(window_position_log(position) == log && position >= window->floors[log]);
    free_unplaced(window, item);
    window_entry_set(item, WINDOW_PLACED, position);
}

void window_confirm(struct window *window, uint32_t entry)
{
    const struct window_entry *item = entry_in(window, entry, WINDOW_PLACED);
    assert(window_entry_position(item) >= window->floors[window_entry_log(item)]);
    window->pending--;
    window_settle(window, entry, window_entry_position(item), window->now_s);
}

void window_settle(struct window *window, uint32_t entry, uint64_t position, uint32_t time_s)
{
    struct window_entry *item = &window->entries.items[entry];
    window_entry_set(item, WINDOW_CONFIRMED, position);
    item->time_s = time_s;
    window_scopes_append(&window->scopes, window->entries.items, entry);
    window_entries_settle(&window->entries, entry);
}

void window_withdraw(struct window *window, uint32_t entry)
{
    assert(entry < window->entries.capacity);
    const struct window_entry *item = &window->entries.items[entry];
    enum window_state state = window_entry_state(item);
    assert(state == WINDOW_PENDING || state == WINDOW_PLACED);
    if (state == WINDOW_PENDING)
        free_unplaced(window, item);
    window->pending--;
    window->withdrawn++;
    window_remove(window, entry);
}

enum window_state window_claim_state(const struct window *window, const struct window_claim *claim,
                                     uint64_t *out_position)
{
    assert(claim->entry < window->entries.capacity);
    const struct window_entry *entry = &window->entries.items[claim->entry];
    enum window_state state = window_entry_state(entry);
    if (state == WINDOW_GONE || window_is_too_old(window, entry))
        return WINDOW_GONE;
    bool is_same = state != WINDOW_PENDING && window_entry_position(entry) == claim->first_position;
    enum window_match match =
        is_same ? WINDOW_MATCH_BODY : window_compare(window, claim->entry, claim);
    if (match != WINDOW_MATCH_BODY && match != WINDOW_MATCH_UNREAD)
        return WINDOW_GONE;
    if (state != WINDOW_PENDING)
        *out_position = window_entry_position(entry);
    return match == WINDOW_MATCH_UNREAD ? WINDOW_UNREAD : state;
}

void window_forget_before(struct window *window, uint64_t position)
{
    uint16_t log = window_position_log(position);
    assert(log < window->settings.log_count);
    if (position <= window->floors[log])
        return;
    window->floors[log] = position;
    window_begin_sweep(window);
}

/* ---- figures -------------------------------------------------------------------------------- */

void window_figures(const struct window *window, struct window_figures *out_figures)
{
    *out_figures = (struct window_figures){
        .capacity = window->entries.capacity,
        .used = window->entries.used,
        .pending = window->pending,
        .memory_bytes = window->region.size_bytes,
        .entries_bytes =
            (uint64_t)window->entries.capacity * sizeof(struct window_entry) +
            (uint64_t)window->entries.index.bucket_count * sizeof(struct window_bucket),
        .evicted_for_room = window->evicted_for_room,
        .expired = window->expired,
        .forgotten = window->forgotten,
        .withdrawn = window->withdrawn,
    };
    for (uint32_t queue = 0; queue < window_scopes_queue_count(&window->scopes); queue++) {
        uint32_t oldest = window->scopes.queues[queue].oldest;
        if (oldest == WINDOW_NO_ENTRY)
            continue;
        uint32_t time_s = window->entries.items[oldest].time_s;
        if (out_figures->oldest_s == 0 || time_s < out_figures->oldest_s)
            out_figures->oldest_s = time_s;
    }
}

uint64_t window_scope_used(const struct window *window, uint16_t scope)
{
    return ranking_count(&window->scopes.held, scope);
}

#include "core/minute_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void begin_minute(struct minute_table *table, uint64_t minute);
static uint64_t find_row(struct minute_table *table, const struct minute_key *key);
static uint64_t add_row(struct minute_table *table, const uint64_t key[4]);
static void add_figures(struct minute_place *place, const struct minute_figures *figures);

const char *minute_verdict_name(enum minute_verdict verdict)
{
    static const char *const names[] = {"fresh", "replay", "conflict", "amendment", "refused"};
    static_assert(sizeof names / sizeof *names == MINUTE_VERDICTS, "a name each");
    assert(verdict < MINUTE_VERDICTS);
    return names[verdict];
}

enum status minute_table_open(struct minute_table *table, uint64_t rows_max, uint64_t span_s)
{
    uint64_t count = 256, places = 1;
    while (count < rows_max)
        count *= 2;
    /* `other` has a row a verdict beside them. */
    *table = (struct minute_table){
        .places = calloc(count, sizeof *table->places),
        .mask = count - 1,
        .span_minutes = (uint32_t)((span_s + 59) / 60),
        .minute_rows_max = (uint32_t)(count / MINUTE_ROWS_SHARE),
    };
    while (places < 2 * ((uint64_t)table->minute_rows_max + MINUTE_VERDICTS))
        places *= 2;
    table->index_mask = (uint32_t)(places - 1);
    table->index = calloc(places, sizeof *table->index);
    if (table->places != NULL && table->index != NULL)
        return STATUS_OK;
    minute_table_close(table);
    return STATUS_NO_MEMORY;
}

void minute_table_close(struct minute_table *table)
{
    free(table->places);
    free(table->index);
    table->places = NULL;
    table->index = NULL;
}

/* ---- counting ---- */

/* Up to eight bytes, the rest zero. */
static uint64_t load_word(const uint8_t *data, size_t size)
{
    uint32_t low, high;
    uint64_t word = 0;
    if (size >= sizeof word) {
        memcpy(&word, data, sizeof word);
    } else if (size >= sizeof low) { /* two words that overlap */
        memcpy(&low, data, sizeof low);
        memcpy(&high, data + size - sizeof high, sizeof high);
        word = low | (uint64_t)high << (size - sizeof high) * 8;
    } else {
        for (size_t i = 0; i < size; i++)
            word |= (uint64_t)data[i] << i * 8;
    }
    return word;
}

struct minute_key minute_key_make(struct bytes type, struct bytes office, uint16_t participant,
                                  enum minute_verdict verdict)
{
    struct minute_key key = {
        .participant = participant, .destination = MINUTE_NOBODY, .verdict = (uint8_t)verdict};
    const uint64_t words[] = {load_word(type.data, type.size),
                              type.size > sizeof(uint64_t) ? load_word(type.data + sizeof(uint64_t),
                                                                       type.size - sizeof(uint64_t))
                                                           : 0};
    uint64_t office_word = load_word(office.data, office.size);
    static_assert(sizeof words == sizeof key.type && sizeof office_word == sizeof key.office,
                  "they fill it");
    memcpy(key.type, words, sizeof words);
    memcpy(key.office, &office_word, sizeof office_word);
    return key;
}

void minute_table_count(struct minute_table *table, uint64_t now_ms, const struct minute_key *key,
                        uint64_t bytes, bool is_first)
{
    if (now_ms >= table->next_ms)
        begin_minute(table, now_ms / MINUTE_MS);
    const struct minute_figures one = {.messages = 1,
                                       .first_messages = is_first,
                                       .bytes = bytes,
                                       .first_bytes = is_first ? bytes : 0};
    add_figures(&table->places[find_row(table, key) & table->mask], &one);
}

void minute_table_restore(struct minute_table *table, const struct minute_row *row)
{
    uint64_t begins_ms = (uint64_t)row->minute * MINUTE_MS;
    if (begins_ms >= table->next_ms)
        begin_minute(table, row->minute);
    add_figures(&table->places[find_row(table, &row->key) & table->mask], &row->figures);
}

/* Of the first of them; this thread alone moves it. */
static void let_minute_go(struct minute_table *table)
{
    uint64_t first = minute_table_first(table), end = minute_table_end(table);
    uint32_t minute = minute_table_minute(table, first);
    while (first < end && minute_table_minute(table, first) == minute)
        first++;
    atomic_store_explicit(&table->first, first, memory_order_relaxed);
    /* Before its place is written anew: a reader that sees any of that sees this, too. */
    atomic_thread_fence(memory_order_release);
}

static void begin_minute(struct minute_table *table, uint64_t minute)
{
    table->minute = minute;
    table->next_ms = (minute + 1) * MINUTE_MS;
    table->minute_first = minute_table_end(table);
    memset(table->index, 0, ((size_t)table->index_mask + 1) * sizeof *table->index);
    while (minute_table_first(table) < table->minute_first &&
           minute_table_minute(table, minute_table_first(table)) + table->span_minutes <= minute)
        let_minute_go(table);
}

static uint32_t hash(const uint64_t key[4])
{
    uint64_t mixed = (key[0] ^ key[1] * UINT64_C(0x9e3779b97f4a7c15)) +
                     (key[2] ^ key[3] * UINT64_C(0xc2b2ae3d27d4eb4f));
    mixed *= UINT64_C(0x9fb21c651e98df25);
    return (uint32_t)(mixed >> 32);
}

static uint64_t read_word(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static bool is_of(const struct minute_place *place, const uint64_t key[4])
{
    return ((read_word(&place->key[0]) ^ key[0]) | (read_word(&place->key[1]) ^ key[1]) |
            (read_word(&place->key[2]) ^ key[2]) | (read_word(&place->key[3]) ^ key[3])) == 0;
}

/* Of the newest minute, made if it is not there. The index is never more than half full. */
static uint64_t find_row(struct minute_table *table, const struct minute_key *wanted)
{
    struct minute_key other = {.participant = MINUTE_NOBODY,
                               .destination = MINUTE_NOBODY,
                               .verdict = wanted->verdict,
                               .is_other = 1};
    uint64_t key[4];
    bool is_other = wanted->is_other != 0;
    memcpy(key, wanted, sizeof key);
    for (;;) {
        uint32_t at = hash(key) & table->index_mask;
        for (; table->index[at] != 0; at = (at + 1) & table->index_mask) {
            uint64_t number = table->minute_first + table->index[at] - 1;
            if (is_of(&table->places[number & table->mask], key))
                return number;
        }
        uint64_t count = minute_table_end(table) - table->minute_first;
        if (is_other || count < table->minute_rows_max) {
            uint64_t number = add_row(table, key);
            table->index[at] = (uint32_t)(number - table->minute_first + 1);
            return number;
        }
        atomic_fetch_add_explicit(&table->others, 1, memory_order_relaxed);
        memcpy(key, &other, sizeof key);
        is_other = true;
    }
}

static void write_word(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
}

/* At the end; the minute's share is small, so what makes way is never of the same minute. */
static uint64_t add_row(struct minute_table *table, const uint64_t key[4])
{
    uint64_t number = minute_table_end(table);
    if (number - minute_table_first(table) > table->mask) {
        let_minute_go(table);
        atomic_fetch_add_explicit(&table->cut, 1, memory_order_relaxed);
    }
    struct minute_place *place = &table->places[number & table->mask];
    for (int i = 0; i < 4; i++)
        write_word(&place->key[i], key[i]);
    write_word(&place->messages, 0);
    write_word(&place->bytes, 0);
    write_word(&place->first_bytes, 0);
    write_word(&place->minute, table->minute);
    /* Readers that see the end (acquire) see the row. */
    atomic_store_explicit(&table->end, number + 1, memory_order_release);
    return number;
}

/* Both counts of messages are in one word: a minute has less than 2^32. */
static void add_figures(struct minute_place *place, const struct minute_figures *figures)
{
    write_word(&place->messages, read_word(&place->messages) + figures->messages +
                                     ((uint64_t)figures->first_messages << 32));
    write_word(&place->bytes, read_word(&place->bytes) + figures->bytes);
    write_word(&place->first_bytes, read_word(&place->first_bytes) + figures->first_bytes);
}

/* ---- reading ---- */

uint64_t minute_table_first(const struct minute_table *table)
{
    return atomic_load_explicit(&table->first, memory_order_acquire);
}

uint64_t minute_table_end(const struct minute_table *table)
{
    return atomic_load_explicit(&table->end, memory_order_acquire);
}

uint32_t minute_table_minute(const struct minute_table *table, uint64_t number)
{
    return (uint32_t)read_word(&table->places[number & table->mask].minute);
}

bool minute_table_read(const struct minute_table *table, uint64_t number,
                       struct minute_row *out_row)
{
    const struct minute_place *place = &table->places[number & table->mask];
    uint64_t key[4];
    for (int i = 0; i < 4; i++)
        key[i] = read_word(&place->key[i]);
    uint64_t messages = read_word(&place->messages);
    struct minute_row row = {
        .minute = (uint32_t)read_word(&place->minute),
        .figures = {.messages = (uint32_t)messages,
                    .first_messages = (uint32_t)(messages >> 32),
                    .bytes = read_word(&place->bytes),
                    .first_bytes = read_word(&place->first_bytes)},
    };
    memcpy(&row.key, key, sizeof key);
    /* Pairs with let_minute_go: was any of it written over, then its number is behind `first`. */
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&table->first, memory_order_relaxed) > number)
        return false;
    *out_row = row;
    return true;
}

/* For the fuzzers of reading: the shipped profiles and some that open messages inside of messages,
 * two readers, and what holds for every reading. */
#ifndef KOUAN_TESTS_FUZZ_READ_STAND_H
#define KOUAN_TESTS_FUZZ_READ_STAND_H

#include <assert.h>
#include <stdlib.h>

#include "routes/read/read.h"

struct stand {
    struct arena arena;
    struct diagnostics diagnostics;
    struct profile_list list;
    struct profile_set set;
    struct reader readers[2];
};

static const char openers[] =
    "profile: open-base64\nfamily: f\nformat: xml\nrecognise: { root: B }\nopen: d\n"
    "entries: e\nfields: { message_type: name() }\nkeys: { order: e/k }\n---\n"
    "profile: open-text\nfamily: f\nformat: xml\nrecognise: { root: T }\n"
    "open: { path: d, encoding: text }\nfields: { message_type: name() }\n---\n"
    "profile: open-required\nfamily: f\nformat: xml\nrecognise: { root: R }\n"
    "open: { path: d, encoding: text, required: true }\nfields: { message_type: name() }\n---\n"
    "profile: open-json\nfamily: f\nformat: json\nrecognise: { key: b }\n"
    "open: { path: d, required: true }\nfields: { message_type: b }\n---\n"
    "profile: open-json-text\nfamily: f\nformat: json\nrecognise: { key: t }\n"
    "open: { path: d, encoding: text }\nfields: { message_type: t }\n";

/* Opened once: profiles do not change while bodies come. */
static inline struct stand *borrow_stand(void)
{
    static struct stand *stand;
    if (stand != NULL)
        return stand;
    stand = calloc(1, sizeof *stand);
    assert(stand != NULL);
    arena_init(&stand->arena);
    diagnostics_init(&stand->diagnostics);
    profile_parse_yaml(&stand->arena, "openers", bytes_from_text(openers), &stand->list,
                       &stand->diagnostics);
    profile_parse_shipped(&stand->arena, &stand->list, &stand->diagnostics);
    profile_set_build(&stand->arena, &stand->list, &stand->set, &stand->diagnostics);
    assert(stand->diagnostics.error_count == 0 && stand->diagnostics.warning_count == 0);
    for (int i = 0; i < 2; i++)
        if (reader_open(&stand->readers[i], 16384, 1024 * 1024) != STATUS_OK)
            abort();
    return stand;
}

static inline void check_payload(const struct reading *reading, size_t body_size)
{
    const struct reading_payload *payload = &reading->payload;
    assert(payload->fault.reason < SCAN_REASON_COUNT && payload->fault.offset <= body_size);
    assert(payload->profile == NULL || payload->fault.reason == SCAN_NONE);
    assert((payload->profile == NULL && payload->fault.reason == SCAN_NONE) ||
           reading->profile->open != NULL);
    if (payload->profile != NULL && payload->entry_count > 0)
        assert(payload->entry_first + payload->entry_count - 1 == reading->entry_count);
}

static inline void check_reading(const struct reading *reading)
{
    assert(reading->entry_count >= 1 && reading->entry_count <= READING_ENTRIES_MAX);
    assert(reading_value(reading, SLOT_MESSAGE_TYPE).size > 0);
    for (uint16_t i = 0; i < reading->count; i++) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        assert(occurrence->slot < SLOT_COUNT && occurrence->entry <= reading->entry_count);
        assert(occurrence->value.size > 0 && occurrence->value.size <= READING_VALUE_BYTES_MAX);
        assert(bytes_is_utf8(occurrence->value));
        assert(bytes_trim(occurrence->value).size == occurrence->value.size);
    }
}

static inline void check_equal(const struct reading *a, const struct reading *b)
{
    assert(a->profile == b->profile && a->entry_count == b->entry_count && a->count == b->count);
    for (uint16_t i = 0; i < a->count; i++) {
        const struct occurrence *left = &a->occurrences[i], *right = &b->occurrences[i];
        assert(left->slot == right->slot && left->entry == right->entry);
        assert(bytes_equal(left->value, right->value));
    }
}

/* The same refusal too. */
static inline void check_same(const enum status statuses[2], const struct reading readings[2],
                              const struct scan_fault faults[2])
{
    assert(statuses[0] == statuses[1]);
    if (statuses[0] == STATUS_OK)
        check_equal(&readings[0], &readings[1]);
    else
        assert(faults[0].reason == faults[1].reason && faults[0].offset == faults[1].offset);
}

/* With junk behind it. */
static inline struct bytes copy_body(const uint8_t *data, size_t size, uint8_t junk)
{
    uint8_t *body = malloc(size + BYTES_PADDING);
    assert(body != NULL);
    if (size > 0)
        memcpy(body, data, size);
    memset(body + size, junk, BYTES_PADDING);
    return bytes_make(body, size);
}

#endif

/* Any body through the whole way, recognise -> scan -> extract, with the shipped profiles and some
 * that open messages inside of messages. What lies behind the body's end must make no difference,
 * and a reading must keep its promises. */
#include <assert.h>
#include <stdlib.h>

#include "routes/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
static struct stand *borrow_stand(void)
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

static void check_payload(const struct reading *reading, size_t body_size)
{
    const struct reading_payload *payload = &reading->payload;
    assert(payload->fault.reason < SCAN_REASON_COUNT && payload->fault.offset <= body_size);
    assert(payload->profile == NULL || payload->fault.reason == SCAN_NONE);
    assert((payload->profile == NULL && payload->fault.reason == SCAN_NONE) ||
           reading->profile->open != NULL);
    if (payload->profile != NULL && payload->entry_count > 0)
        assert(payload->entry_first + payload->entry_count - 1 == reading->entry_count);
}

static void check_reading(const struct reading *reading)
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

static void check_equal(const struct reading *a, const struct reading *b)
{
    assert(a->profile == b->profile && a->entry_count == b->entry_count && a->count == b->count);
    for (uint16_t i = 0; i < a->count; i++) {
        const struct occurrence *left = &a->occurrences[i], *right = &b->occurrences[i];
        assert(left->slot == right->slot && left->entry == right->entry);
        assert(bytes_equal(left->value, right->value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t junk[2] = {'>', '"'};
    struct stand *stand = borrow_stand();
    uint8_t *bodies[2];
    enum status statuses[2];
    struct reading readings[2];
    struct scan_fault faults[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        bodies[i] = malloc(size + BYTES_PADDING);
        assert(bodies[i] != NULL);
        if (size > 0)
            memcpy(bodies[i], data, size);
        memset(bodies[i] + size, junk[i], BYTES_PADDING);
        reader_reset(&stand->readers[i]);
        statuses[i] = read_message(&stand->set, NULL, &stand->readers[i],
                                   bytes_make(bodies[i], size), &readings[i], &faults[i]);
    }
    assert(statuses[0] == statuses[1]);
    assert(statuses[0] == STATUS_OK || statuses[0] == STATUS_INVALID);
    if (statuses[0] == STATUS_OK) {
        check_reading(&readings[0]);
        check_payload(&readings[0], size);
        check_equal(&readings[0], &readings[1]);
    } else {
        assert(faults[0].reason == faults[1].reason && faults[0].offset == faults[1].offset);
        assert(faults[0].reason > SCAN_NONE && faults[0].reason < SCAN_REASON_COUNT);
        assert(faults[0].offset <= size);
        assert(stand->readers[0].space.occurrence_used == 0);
    }
    free(bodies[0]);
    free(bodies[1]);
    return 0;
}

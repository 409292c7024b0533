#include "routes/scan_output.h"

#include <assert.h>

static const char *const words[SCAN_REASON_COUNT] = {
#define X(name, word, text) [SCAN_##name] = word,
    SCAN_REASON_LIST(X)
#undef X
};

const char *scan_reason_word(enum scan_reason reason)
{
    return reason < SCAN_REASON_COUNT ? words[reason] : "UNKNOWN";
}

enum status scan_push(struct scan *scan, uint16_t tap, uint16_t entry, uint32_t instance,
                      struct bytes value, uint32_t offset)
{
    if (scan->capture_count == SCAN_CAPTURES_MAX)
        return STATUS_FULL;
    scan->captures[scan->capture_count++] = (struct capture){
        .value = value, .tap = tap, .entry = entry, .instance = instance, .offset = offset};
    return STATUS_OK;
}

uint8_t *scan_reserve_text(struct scan *scan, uint32_t size)
{
    struct reading_space *space = scan->space;
    if (size > space->text_capacity - space->text_used)
        return NULL;
    return space->text + space->text_used;
}

struct bytes scan_commit_text(struct scan *scan, const uint8_t *start, uint32_t size)
{
    struct reading_space *space = scan->space;
    assert(start == space->text + space->text_used);
    assert(size <= space->text_capacity - space->text_used);
    space->text_used += size;
    return bytes_make(start, size);
}

enum status scan_fault_at(struct scan_fault *out_fault, enum scan_reason reason, uint32_t offset,
                          const char *what)
{
    *out_fault = (struct scan_fault){.reason = reason, .offset = offset, .what = what};
    return STATUS_INVALID;
}

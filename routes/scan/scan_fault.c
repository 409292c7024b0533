#include "routes/scan/scan_fault.h"

#include <assert.h>

struct reason_row {
    const char *word, *text;
};

static const struct reason_row reasons[SCAN_REASON_COUNT] = {
#define X(name, word, text) [SCAN_##name] = {word, text},
    SCAN_REASON_LIST(X)
#undef X
};

const char *scan_reason_word(enum scan_reason reason)
{
    assert(reason < SCAN_REASON_COUNT);
    return reasons[reason].word;
}

const char *scan_reason_text(enum scan_reason reason)
{
    assert(reason < SCAN_REASON_COUNT);
    return reasons[reason].text;
}

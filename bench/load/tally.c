#include "bench/load/tally.h"

#include <stdio.h>

void tally_receipt(struct tally *tally, enum day_fate fate, bool is_new)
{
    if (!is_new) {
        tally->replays++;
        return;
    }
    tally->accepted++;
    tally->conflicts += fate == FATE_CONFLICT;
    tally->amendments += fate == FATE_AMENDMENT;
}

/* The size of the first two words: `REJECTED TRUNCATED`. */
static size_t measure_words(struct bytes error)
{
    size_t spaces = 0, i = 0;
    for (; i < error.size; i++) {
        spaces += error.data[i] == ' ';
        if (spaces == 2 || error.data[i] == ':')
            break;
    }
    return i;
}

static void count_reason(struct tally_reasons *reasons, struct bytes error)
{
    char words[sizeof reasons->items[0].words];
    snprintf(words, sizeof words, "%.*s", (int)measure_words(error), (const char *)error.data);
    uint32_t i = 0;
    while (i < reasons->count && strcmp(reasons->items[i].words, words) != 0)
        i++;
    if (i == TALLY_REASONS_MAX)
        return;
    if (i == reasons->count)
        memcpy(reasons->items[reasons->count++].words, words, sizeof words);
    reasons->items[i].count++;
}

void tally_refusal(struct tally *tally, struct tally_reasons *reasons, struct bytes error)
{
    if (bytes_start_with(error, BYTES_LITERAL("REJECTED")))
        tally->malformed++;
    else if (bytes_start_with(error, BYTES_LITERAL("UNROUTABLE")))
        tally->unroutable++;
    else
        tally->other_refusals++;
    count_reason(reasons, error);
}

void tally_add(struct tally *into, const struct tally *from)
{
#define X(name, heading) into->name += from->name;
    TALLY_LIST(X)
#undef X
}

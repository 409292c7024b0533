/* `micro window`: identities asked, placed and confirmed by the batch in a window that is full, so
 * that each new one pushes out the oldest. The records that a replay is compared with are not read:
 * all that is known of a message follows from its number. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "bench/random.h"
#include "core/window.h"

enum {
    BATCH = 256,
    BATCHES = 16, /* a turn */
    RECORD_BYTES = 512,
    SCOPES = 50,
    REPLAYS_BACK = 2000, /* a replay repeats a message that came so long before at most */
    REPLAY_EVERY = 10,
    SMOKE_ENTRIES = 4096
};

struct deduping {
    struct window *window;
    uint64_t next;  /* number of the next new message */
    uint64_t asked; /* so far */
    bool has_replays;
};

static struct digest digest_of(uint64_t number)
{
    uint64_t low = random_mix(number);
    return (struct digest){.low = low, .high = low * UINT64_C(0x9E3779B97F4A7C15) ^ number};
}

static enum window_match match(void *context, uint64_t position, const struct window_claim *claim)
{
    (void)context;
    return digest_equal(digest_of(position / RECORD_BYTES), claim->identity) ? WINDOW_MATCH_BODY
                                                                             : WINDOW_MATCH_NOTHING;
}

/* Asks for a batch, and sees through what is new. False if a verdict is not as it must be. */
static bool dedupe(struct deduping *deduping)
{
    struct window_claim claims[BATCH];
    uint64_t first = deduping->next;
    for (uint32_t i = 0; i < BATCH; i++) {
        bool is_replay = deduping->has_replays && deduping->asked++ % REPLAY_EVERY == 0;
        uint64_t number = is_replay ? first - 1 - i * (REPLAYS_BACK / BATCH) : deduping->next++;
        struct digest digest = digest_of(number);
        claims[i] = (struct window_claim){
            .identity = digest, .body_digest = digest, .scope = (uint16_t)(number % SCOPES)};
    }
    window_ask(deduping->window, claims, BATCH, 1);
    uint64_t number = first;
    for (uint32_t i = 0; i < BATCH; i++)
        if (claims[i].verdict == VERDICT_FRESH)
            window_place(deduping->window, claims[i].entry, number++ * RECORD_BYTES);
    for (uint32_t i = 0; i < BATCH; i++)
        if (claims[i].verdict == VERDICT_FRESH)
            window_confirm(deduping->window, claims[i].entry);
    return number == deduping->next;
}

static uint64_t dedupe_batches(void *context)
{
    for (uint32_t i = 0; i < BATCHES; i++)
        if (!dedupe(context))
            return 0;
    return (uint64_t)BATCHES * BATCH;
}

static bool fill(struct deduping *deduping, uint64_t entries)
{
    deduping->has_replays = false;
    while (deduping->next < entries + REPLAYS_BACK)
        if (!dedupe(deduping))
            return false;
    deduping->has_replays = true;
    return true;
}

/* `1m`, or the number. */
static void print_entries(uint64_t entries, char text[24])
{
    if (entries % 1000000 == 0)
        snprintf(text, 24, "%" PRIu64 "m", entries / 1000000);
    else
        snprintf(text, 24, "%" PRIu64, entries);
}

static bool measure(struct micro *micro, uint64_t entries)
{
    const struct window_settings settings = {.entries_max = entries,
                                             .unplaced_max = 1024,
                                             .log_count = 1,
                                             .span_s = UINT32_MAX,
                                             .match = match};
    struct deduping deduping = {0};
    char size[24], name[MICRO_CASE_BYTES];
    print_entries(entries, size);
    snprintf(name, sizeof name, "%s entries, 10%% replays", size);
    const struct micro_case measured = {.name = name, .turn = dedupe_batches, .context = &deduping};
    if (window_open(&settings, &deduping.window) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: there is no memory for a window of %s entries\n", size);
        return false;
    }
    bool good = fill(&deduping, entries) && micro_measure(micro, &measured);
    window_close(deduping.window);
    return good;
}

bool micro_window(struct micro *micro)
{
    if (micro->settings->is_smoke)
        return measure(micro, SMOKE_ENTRIES);
    return measure(micro, 1000000) && measure(micro, 10000000) &&
           (micro->settings->entries == 0 || measure(micro, micro->settings->entries));
}

#include "io/reload/rehearsal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/audit/stored_body.h"
#include "io/reload/rehearsal_logs.h"
#include "io/reroute/origins.h"

enum { LOOK_EVERY_MS = 2000, LOOK_UP_MS = 100 };

/* What decides by one of the two. */
struct bench {
    struct router *router;
    struct routing *routings;
    struct arrival arrival;
};

struct rehearsal {
    const struct rehearsal_settings *settings;
    struct rehearsal_tally *tally;
    struct origins origins;
    struct bench present, candidate;
    struct stored_body body;
    uint64_t now_ms; /* by the wall */
};

static enum status take(void *taker, const struct log_reader *reader, const struct record *record);

static uint64_t read_clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void close_all(struct rehearsal *rehearsal)
{
    router_close(rehearsal->present.router);
    router_close(rehearsal->candidate.router);
    free(rehearsal->present.routings);
    free(rehearsal->candidate.routings);
    stored_body_close(&rehearsal->body);
    origins_close(&rehearsal->origins);
}

/* Until the end of the seconds, or of patience. */
static void wait(const struct rehearsal_settings *settings, uint64_t until_ms)
{
    uint64_t begun_ms = read_clock_ms(CLOCK_MONOTONIC), now_ms = begun_ms;
    while (now_ms < until_ms && now_ms < begun_ms + LOOK_EVERY_MS &&
           !settings->is_over(settings->context)) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_UP_MS * 1000000L}, NULL);
        now_ms = read_clock_ms(CLOCK_MONOTONIC);
    }
}

enum status rehearsal_run(const struct rehearsal_settings *settings,
                          struct rehearsal_tally *out_tally, char out_problem[LOG_PROBLEM_BYTES])
{
    struct rehearsal rehearsal = {.settings = settings, .tally = out_tally};
    struct rehearsal_logs logs = {.folder = settings->folder,
                                  .is_over = settings->is_over,
                                  .context = settings->context,
                                  .take = take,
                                  .taker = &rehearsal};
    uint64_t end_ms = read_clock_ms(CLOCK_MONOTONIC) + settings->seconds * UINT64_C(1000);
    bool is_last;
    origins_open(&rehearsal.origins, settings->present, settings->names, settings->store);
    enum status status = rehearsal_logs_go_back(&logs, settings->last, out_problem);
    do {
        is_last = read_clock_ms(CLOCK_MONOTONIC) >= end_ms;
        rehearsal.now_ms = read_clock_ms(CLOCK_REALTIME);
        if (status == STATUS_OK)
            status = rehearsal_logs_read(&logs, out_problem);
        if (status == STATUS_OK && !is_last)
            wait(settings, end_ms);
    } while (status == STATUS_OK && !is_last);
    close_all(&rehearsal);
    return status;
}

/* ---- one message ---- */

/* With the secret of the log: identities are keyed with it. */
static enum status open_bench(struct bench *bench, const struct log_reader *reader,
                              uint16_t entries_max)
{
    if (bench->router != NULL)
        return STATUS_OK;
    bench->routings = calloc(ROUTER_BATCH_MAX, sizeof *bench->routings);
    if (bench->routings == NULL)
        return STATUS_NO_MEMORY;
    return router_open(&reader->secret, entries_max, &bench->router);
}

static const struct routing *decide(struct bench *bench, const struct generation *generation,
                                    struct bytes body, uint16_t participant, uint16_t channel,
                                    uint64_t now_ms)
{
    uint32_t count;
    bench->arrival =
        (struct arrival){.body = body,
                         .channel = generation->channels[channel],
                         .participant = generation->directory.participants[participant]};
    router_decide(bench->router, generation, &bench->arrival, 1, now_ms, bench->routings, &count);
    return &bench->routings[0];
}

static enum status take(void *taker, const struct log_reader *reader, const struct record *record)
{
    struct rehearsal *rehearsal = taker;
    const struct rehearsal_settings *settings = rehearsal->settings;
    uint16_t participant, channel;
    enum status status = open_bench(&rehearsal->present, reader, settings->entries_max);
    if (status == STATUS_OK)
        status = open_bench(&rehearsal->candidate, reader, settings->entries_max);
    if (status != STATUS_OK)
        return status;
    if (!origins_find_sender(&rehearsal->origins, record, &participant, &channel)) {
        rehearsal->tally->left_out++;
        return STATUS_OK;
    }
    struct bytes body = stored_body_copy(&rehearsal->body, record);
    struct rehearsed rehearsed = {
        .id = record->id, .present = settings->present, .candidate = settings->candidate};
    rehearsed.present_routing = decide(&rehearsal->present, settings->present, body, participant,
                                       channel, rehearsal->now_ms);
    if (origins_may_come(settings->candidate, participant, channel))
        rehearsed.candidate_routing = decide(&rehearsal->candidate, settings->candidate, body,
                                             participant, channel, rehearsal->now_ms);
    rehearsal_tally_add(rehearsal->tally, &rehearsed);
    return STATUS_OK;
}

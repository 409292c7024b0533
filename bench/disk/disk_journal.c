#include "bench/disk/disk_journal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/usage.h"
#include "io/journal/journal_writer.h"

enum {
    SEGMENT_BYTES = 64 * 1024 * 1024,
    SEGMENTS_MAX = 6,
    SEGMENTS_KEPT = 3,
    RECORDS_EACH_TURN = 1024, /* what a batch of input may bring */
    PENDING_MAX = 1 << 20     /* appended, and not durable yet */
};
#define NS_PER_MS UINT64_C(1000000)

struct pending {
    uint64_t position, appended_ns;
};

struct run {
    const struct disk_journal_settings *settings;
    struct disk_journal_result *result;
    struct journal journal;
    struct segments *segments;
    struct journal_writer writer;
    struct deferral append;
    struct timer pace;
    struct pending *pending; /* number % PENDING_MAX */
    uint64_t first_pending, end_pending;
    uint64_t start_ns, end_ns;
    bool is_over, is_failed;
    struct digest_secret secret;
};

static bool start(struct run *run);
static void finish(struct run *run);
static void append_some(struct loop *loop, struct deferral *deferral);
static void append_again(struct loop *loop, struct timer *timer);
static void ask_for_more(struct run *run);
static uint64_t now_ns(void);

bool disk_journal_run(const struct disk_journal_settings *settings,
                      struct disk_journal_result *out_result)
{
    static struct run run;
    *out_result = (struct disk_journal_result){0};
    run = (struct run){.settings = settings,
                       .result = out_result,
                       .append = {.run = append_some},
                       .pace = {.expire = append_again}};
    if (!start(&run)) {
        fprintf(stderr, "kouan-bench: the journal cannot be made\n");
        return false;
    }
    struct usage before = usage_now(0);
    run.start_ns = now_ns(); /* the loop's clock stood still meanwhile */
    run.end_ns = run.start_ns + settings->milliseconds * NS_PER_MS;
    ask_for_more(&run);
    while (!run.is_failed && (!run.is_over || run.first_pending < run.end_pending))
        loop_turn(settings->loop);
    struct usage spent = usage_between(before, usage_now(0));
    out_result->ns = loop_now_ns(settings->loop) - run.start_ns;
    out_result->process_ns = spent.client_ns;
    out_result->machine_ns = spent.machine_ns;
    finish(&run);
    return !run.is_failed;
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 * NS_PER_MS + (uint64_t)time.tv_nsec;
}

/* ---- Appending ------------------------------------------------------------------------------- */

static void ask_for_more(struct run *run)
{
    if (run->settings->records_per_second == 0)
        loop_defer(run->settings->loop, &run->append);
    else
        loop_timer_arm(run->settings->loop, &run->pace, run->start_ns);
}

static bool append(struct run *run)
{
    struct record_head *head;
    uint64_t position;
    uint32_t size = record_size(1, 0, 0, run->settings->record_bytes, 0);
    if (run->end_pending - run->first_pending == PENDING_MAX ||
        journal_reserve(&run->journal, size, &head, &position) != STATUS_OK)
        return false;
    struct record *record = (struct record *)(void *)head;
    *record = (struct record){
        .id = journal_next_id(&run->journal, loop_wall_ms(run->settings->loop)),
        .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
        .destination_count = 1,
        .body_bytes = run->settings->record_bytes,
    };
    record_destinations(record)[0] = 0;
    memset((void *)(uintptr_t)record_body(record).data, 'k', run->settings->record_bytes);
    journal_commit_record(&run->journal, head);
    run->pending[run->end_pending++ % PENDING_MAX] =
        (struct pending){position, loop_now_ns(run->settings->loop)};
    return true;
}

/* How many have been due since the start. */
static uint64_t records_due(const struct run *run)
{
    uint64_t at_ns = loop_now_ns(run->settings->loop);
    uint64_t since_ns = at_ns > run->start_ns ? at_ns - run->start_ns : 0;
    return (uint64_t)((double)since_ns / 1e9 * (double)run->settings->records_per_second);
}

static void append_batch(struct run *run)
{
    uint64_t count = RECORDS_EACH_TURN;
    if (run->settings->records_per_second > 0)
        count = records_due(run) - run->end_pending;
    while (count > 0 && append(run))
        count--;
    if (run->end_pending > 0)
        journal_writer_wake(&run->writer);
    run->is_over = loop_now_ns(run->settings->loop) >= run->end_ns;
}

/* As fast as they are taken: again next turn if there is room, else when some became durable. */
static void append_some(struct loop *loop, struct deferral *deferral)
{
    struct run *run = (struct run *)(void *)((uint8_t *)deferral - offsetof(struct run, append));
    uint64_t before = run->end_pending;
    append_batch(run);
    if (!run->is_over && run->end_pending - before == RECORDS_EACH_TURN)
        loop_defer(loop, deferral);
}

static void append_again(struct loop *loop, struct timer *timer)
{
    struct run *run = (struct run *)(void *)((uint8_t *)timer - offsetof(struct run, pace));
    append_batch(run);
    uint64_t next_ns = run->start_ns + (uint64_t)((double)(run->end_pending + 1) * 1e9 /
                                                  (double)run->settings->records_per_second);
    if (!run->is_over)
        loop_timer_arm(loop, timer, next_ns);
}

/* ---- What the journal says ------------------------------------------------------------------- */

static uint64_t log_time_ms(void *context)
{
    const struct run *run = context;
    return loop_now_ns(run->settings->loop) / NS_PER_MS;
}

static void note_sealing(void *context)
{
    (void)context;
}

static void note_durable(void *context)
{
    struct run *run = context;
    uint64_t now_ns = loop_now_ns(run->settings->loop);
    while (run->first_pending < run->end_pending) {
        const struct pending *pending = &run->pending[run->first_pending % PENDING_MAX];
        if (pending->position >= run->journal.durable_position)
            break;
        histogram_record(&run->result->times, now_ns - pending->appended_ns);
        run->first_pending++;
        run->result->records++;
        run->result->bytes += record_size(1, 0, 0, run->settings->record_bytes, 0);
    }
    journal_keep_from(&run->journal, run->journal.durable_position);
    while (segments_count(run->segments) > SEGMENTS_KEPT)
        segments_give_up_oldest(run->segments);
    if (run->settings->records_per_second == 0 && !run->is_over)
        loop_defer(run->settings->loop, &run->append);
}

static void note_failed(void *context, const char *reason)
{
    struct run *run = context;
    fprintf(stderr, "kouan-bench: %s\n", reason);
    run->is_failed = true;
}

static void note_ready(void *context)
{
    struct run *run = context;
    if (run->writer.settings.loop == NULL)
        return; /* the first one, at the start */
    journal_writer_wake(&run->writer);
    if (run->settings->records_per_second == 0)
        ask_for_more(run);
}

static void note_segment_failed(void *context, int error, const char *step)
{
    struct run *run = context;
    fprintf(stderr, "kouan-bench: cannot %s a segment: %s\n", step, strerror(error));
    run->is_failed = true;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static bool start(struct run *run)
{
    const struct disk_journal_settings *settings = run->settings;
    const struct segments_settings segments = {.disk = settings->disk,
                                               .segment_bytes = SEGMENT_BYTES,
                                               .segments_max = SEGMENTS_MAX,
                                               .log_count = 1,
                                               .secret = run->secret,
                                               .incarnation = 1,
                                               .ready = note_ready,
                                               .failed = note_segment_failed,
                                               .context = run};
    const struct journal_settings journal = {.memory_bytes = 2 * (uint64_t)SEGMENT_BYTES,
                                             .segment_bytes = SEGMENT_BYTES,
                                             .block_bytes = settings->block_bytes,
                                             .secret = run->secret,
                                             .incarnation = 1};
    run->pending = malloc(PENDING_MAX * sizeof *run->pending);
    if (run->pending == NULL || segments_open(&segments, &run->segments) != STATUS_OK)
        return false;
    memset(run->pending, 0, PENDING_MAX * sizeof *run->pending);
    segments_prepare(run->segments);
    while (!segments_is_prepared(run->segments) && !run->is_failed)
        settings->disk->wait(settings->disk);
    if (run->is_failed || journal_open(&run->journal, &journal) != STATUS_OK)
        return false;
    const struct journal_writer_settings writer = {.loop = settings->loop,
                                                   .journal = &run->journal,
                                                   .segments = run->segments,
                                                   .disk = settings->disk,
                                                   .writes_max = settings->writes_max,
                                                   .linger_max_us = settings->linger_max_us,
                                                   .idle_seal_ms = 1000,
                                                   .log_time_ms = log_time_ms,
                                                   .sealing = note_sealing,
                                                   .durable = note_durable,
                                                   .failed = note_failed,
                                                   .context = run};
    journal_writer_open(&run->writer, &writer);
    journal_writer_run(&run->writer);
    return true;
}

/* Its files go, too. */
static void finish(struct run *run)
{
    const struct disk_journal_settings *settings = run->settings;
    journal_writer_stop(&run->writer);
    while (!journal_writer_is_idle(&run->writer))
        loop_turn(settings->loop);
    run->result->writes = run->writer.figures.writes;
    run->result->written_bytes = run->writer.figures.bytes;
    run->result->write_ns = run->writer.figures.write_ns;
    loop_timer_disarm(settings->loop, &run->pace);
    loop_undefer(settings->loop, &run->append);
    journal_writer_close(&run->writer);
    uint64_t first = segments_oldest(run->segments)->number;
    uint64_t end = segments_end_position(run->segments) / SEGMENT_BYTES;
    segments_close(run->segments);
    for (uint64_t number = first; number < end; number++) {
        struct disk_request request = {.action = DISK_REMOVE};
        segment_name(number, request.name);
        disk_run(settings->disk, &request);
    }
    for (unsigned i = 0; i < SEGMENTS_MAX; i++) {
        struct disk_request request = {.action = DISK_REMOVE};
        snprintf(request.name, sizeof request.name, "spare-%u.segment", i);
        disk_run(settings->disk, &request);
    }
    journal_close(&run->journal);
    free(run->pending);
}

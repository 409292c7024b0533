#include "io/journal/journal_writer_inside.h"

#include <stddef.h>
#include <string.h>

enum {
    MANY_RECORDS = 8,     /* in the last block: others are sure to come */
    SMALL_WRITES_MAX = 2, /* in flight, of less than half a block */
    LINGER_SKIPS_MAX = 64 /* lingers left out, after some that brought little */
};
#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)

static void run_at_end_of_turn(struct loop *loop, struct deferral *deferral);
static void end_linger(struct loop *loop, struct timer *timer);
static void seal_idle(struct loop *loop, struct timer *timer);
static bool write_next(struct journal_writer *writer);
static void arm_idle_timer(struct journal_writer *writer);

/* ---- Opening, running, stopping -------------------------------------------------------------- */

void journal_writer_open(struct journal_writer *writer,
                         const struct journal_writer_settings *settings)
{
    assert(settings->writes_max >= 1 && settings->writes_max <= JOURNAL_WRITES_MAX);
    uint64_t position = settings->journal->durable_position;
    *writer = (struct journal_writer){
        .settings = *settings,
        .written_position = position,
        .standing_position = position,
        .beginning_position = UINT64_MAX,
        .moved_position = UINT64_MAX,
        .linger_timer = {.expire = end_linger},
        .idle_timer = {.expire = seal_idle},
        .wake = {.run = run_at_end_of_turn, .last = true},
    };
}

void journal_writer_close(struct journal_writer *writer)
{
    assert(writer->first_write == writer->end_write);
    loop_timer_disarm(writer->settings.loop, &writer->linger_timer);
    loop_timer_disarm(writer->settings.loop, &writer->idle_timer);
    loop_undefer(writer->settings.loop, &writer->wake);
}

static void raise_limit(struct journal_writer *writer)
{
    uint64_t limit = segments_limit_position(writer->settings.segments);
    if (limit > writer->settings.journal->limit_position)
        journal_set_limit(writer->settings.journal, limit);
}

void journal_writer_wake(struct journal_writer *writer)
{
    raise_limit(writer);
    loop_defer(writer->settings.loop, &writer->wake);
}

static void run_at_end_of_turn(struct loop *loop, struct deferral *deferral)
{
    (void)loop;
    journal_writer_run((struct journal_writer *)(void *)((uint8_t *)deferral -
                                                         offsetof(struct journal_writer, wake)));
}

void journal_writer_run(struct journal_writer *writer)
{
    struct journal *journal = writer->settings.journal;
    if (writer->is_leaving)
        journal_writer_move(writer);
    if (writer->is_failed || writer->is_leaving)
        return;
    journal_set_time(journal, writer->settings.log_time_ms(writer->settings.context));
    raise_limit(writer);
    while (journal_writer_in_flight(writer) < writer->settings.writes_max && write_next(writer))
        ;
    arm_idle_timer(writer);
}

void journal_writer_stop(struct journal_writer *writer)
{
    writer->is_stopping = true;
    journal_writer_run(writer);
}

bool journal_writer_is_idle(const struct journal_writer *writer)
{
    const struct journal *journal = writer->settings.journal;
    if (journal_writer_in_flight(writer) > 0)
        return false;
    if (writer->is_failed)
        return true;
    return !journal_writer_is_moving(writer) &&
           writer->standing_position == writer->written_position &&
           !journal_has_open_records(journal) &&
           journal_sealed_block(journal, writer->next_block) == NULL &&
           !(writer->is_stopping && writer->needs_watermark);
}

/* ---- When a block is sealed ------------------------------------------------------------------ */

static uint64_t open_bytes(const struct journal *journal)
{
    if (!journal_has_open_records(journal))
        return 0;
    return journal->blocks[(journal->end_block - 1) & journal->block_mask].used_bytes;
}

/* Before a write into an idle disk. Where it does not bring a quarter more, the next are left out,
 * twice as many each time. */
static bool must_linger(struct journal_writer *writer)
{
    const struct journal *journal = writer->settings.journal;
    uint64_t now_ns = loop_now_ns(writer->settings.loop);
    if (writer->is_lingering) {
        if (now_ns < writer->linger_end_ns)
            return true;
        uint64_t gained = journal->record_count - writer->linger_records;
        uint32_t skips = writer->linger_skips * 2 + 1;
        bool was_worth_it = gained * 4 >= writer->last_records;
        writer->is_lingering = false;
        writer->linger_skips = was_worth_it               ? 0
                               : skips < LINGER_SKIPS_MAX ? skips
                                                          : LINGER_SKIPS_MAX;
        writer->linger_skips_left = writer->linger_skips;
        return false;
    }
    if (writer->settings.linger_max_us == 0 || !journal_has_open_records(journal))
        return false;
    if (writer->linger_skips_left > 0) {
        writer->linger_skips_left--;
        return false;
    }
    writer->is_lingering = true;
    writer->linger_records = journal->record_count;
    writer->linger_end_ns = now_ns + writer->settings.linger_max_us * NS_PER_US;
    writer->figures.lingers++;
    loop_timer_arm(writer->settings.loop, &writer->linger_timer, writer->linger_end_ns);
    return true;
}

static bool must_wait(struct journal_writer *writer)
{
    const struct journal *journal = writer->settings.journal;
    if (writer->is_stopping || open_bytes(journal) >= journal->settings.block_bytes / 2)
        return false;
    if (journal_writer_in_flight(writer) >= SMALL_WRITES_MAX)
        return true;
    if (writer->last_records < MANY_RECORDS)
        return false;
    return journal_writer_in_flight(writer) > 0 || must_linger(writer);
}

static void end_linger(struct loop *loop, struct timer *timer)
{
    (void)loop;
    journal_writer_run(
        (struct journal_writer *)(void *)((uint8_t *)timer -
                                          offsetof(struct journal_writer, linger_timer)));
}

/* The last of it, at the stop: all before it must be below its watermark. */
static bool seal_last(struct journal_writer *writer)
{
    if (!writer->is_stopping || !writer->needs_watermark || journal_writer_in_flight(writer) > 0 ||
        writer->standing_position < writer->written_position)
        return false;
    writer->needs_watermark = false;
    return journal_seal(writer->settings.journal, true);
}

/* True if there is a sealed block to write now. */
static bool seal_next(struct journal_writer *writer)
{
    struct journal *journal = writer->settings.journal;
    if (must_wait(writer))
        return false;
    writer->settings.sealing(writer->settings.context);
    if (writer->is_lingering) { /* cut short by half a block */
        writer->is_lingering = false;
        writer->linger_skips = writer->linger_skips_left = 0;
    }
    loop_timer_disarm(writer->settings.loop, &writer->linger_timer);
    if (journal_sealed_block(journal, writer->next_block) != NULL)
        return true;
    return journal_has_open_records(journal) ? journal_seal(journal, false) : seal_last(writer);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static bool enter_segment(struct journal_writer *writer, const struct journal_block *block);
static void start_write(struct journal_writer *writer, const struct journal_block *block);

uint64_t journal_writer_busy_ns(const struct journal_writer *writer)
{
    uint64_t busy_ns = writer->figures.write_ns, now_ns = loop_now_ns(writer->settings.loop);
    for (uint64_t number = writer->first_write; number < writer->end_write; number++) {
        const struct journal_write *write = &writer->writes[number % JOURNAL_WRITES_MAX];
        busy_ns += write->is_done ? 0 : now_ns - write->started_ns;
    }
    return busy_ns;
}

static void end_write(struct disk_request *request, int32_t result);
static void end_begin(void *context, int32_t result);
static void advance(struct journal_writer *writer);

static bool write_next(struct journal_writer *writer)
{
    struct journal *journal = writer->settings.journal;
    if (journal_sealed_block(journal, writer->next_block) == NULL && !seal_next(writer))
        return false;
    const struct journal_block *block = journal_sealed_block(journal, writer->next_block);
    if (!enter_segment(writer, block))
        return false;
    start_write(writer, block);
    return true;
}

/* False: the one before it is still being begun. */
static bool enter_segment(struct journal_writer *writer, const struct journal_block *block)
{
    struct segments *segments = writer->settings.segments;
    uint64_t end = segments_end_position(segments);
    if (block->position < end)
        return true;
    if (segments_is_beginning(segments) || !segments_is_prepared(segments))
        return false; /* after a move there may be blocks already for more than one */
    uint64_t number = end / writer->settings.journal->settings.segment_bytes;
    assert(block->position / writer->settings.journal->settings.segment_bytes == number);
    struct segment_content content = journal_writer_content_before(writer, block);
    const struct block_header *first = (const struct block_header *)(const void *)journal_at(
        writer->settings.journal, end + JOURNAL_PAGE_BYTES);
    writer->beginning_position = end;
    segments_begin(segments, first->previous, first->log_time_ms,
                   loop_wall_ms(writer->settings.loop), content, end_begin, writer);
    journal_writer_note_content(writer, end);
    segments_prepare(segments);
    if (writer->settings.segment_ended != NULL && number > writer->segments_ended) {
        writer->segments_ended = number;
        writer->settings.segment_ended(writer->settings.context, number - 1, first->previous);
    }
    return true;
}

static void start_write(struct journal_writer *writer, const struct journal_block *block)
{
    struct journal *journal = writer->settings.journal;
    const struct block_header *header = journal_block_header(journal, block);
    uint64_t segment_bytes = journal->settings.segment_bytes;
    struct journal_write *write = &writer->writes[writer->end_write++ % JOURNAL_WRITES_MAX];
    *write = (struct journal_write){
        .writer = writer,
        .position = block->position,
        .started_ns = loop_now_ns(writer->settings.loop),
        .request =
            {.action = DISK_WRITE_SYNC,
             .file =
                 segments_find(writer->settings.segments, block->position / segment_bytes)->file,
             .memory = journal_at(journal, block->position),
             .offset = block->position % segment_bytes,
             .size_bytes = block->size_bytes,
             .done = end_write},
    };
    writer->next_block++;
    writer->last_records = header->record_count;
    writer->needs_watermark = header->record_count > 0;
    writer->figures.writes++;
    writer->figures.bytes += block->size_bytes;
    writer->figures.padding_bytes += block->size_bytes - block->used_bytes;
    loop_timer_disarm(writer->settings.loop, &writer->idle_timer);
    disk_submit(writer->settings.disk, &write->request);
}

static void end_write(struct disk_request *request, int32_t result)
{
    struct journal_write *write =
        (struct journal_write *)(void *)((uint8_t *)request -
                                         offsetof(struct journal_write, request));
    struct journal_writer *writer = write->writer;
    write->is_done = true;
    writer->figures.last_write_ns = loop_now_ns(writer->settings.loop) - write->started_ns;
    writer->figures.write_ns += writer->figures.last_write_ns;
    bool is_whole = result == (int32_t)request->size_bytes;
    if (!is_whole)
        journal_writer_fail(writer, "write a block", write->position, result);
    while (writer->first_write < writer->end_write) {
        write = &writer->writes[writer->first_write % JOURNAL_WRITES_MAX];
        if (!write->is_done)
            break;
        writer->first_write++;
        if (writer->is_failed || writer->is_leaving)
            continue;
        segments_note_block(writer->settings.segments, write->position, write->request.size_bytes);
        writer->written_position = write->position + write->request.size_bytes;
        if (write->position < writer->beginning_position)
            writer->standing_position = writer->written_position;
    }
    advance(writer);
}

static void end_begin(void *context, int32_t result)
{
    struct journal_writer *writer = context;
    if (result < 0) {
        journal_writer_fail(writer, "begin the segment", writer->beginning_position, result);
        return;
    }
    if (!writer->is_leaving) {
        writer->beginning_position = writer->moved_position = UINT64_MAX;
        writer->standing_position = writer->written_position;
    }
    advance(writer);
}

static void advance(struct journal_writer *writer)
{
    struct journal *journal = writer->settings.journal;
    if (writer->is_leaving)
        journal_writer_move(writer);
    if (writer->is_failed || writer->is_leaving)
        return;
    if (writer->standing_position > journal->durable_position) {
        journal_set_durable(journal, writer->standing_position);
        writer->settings.durable(writer->settings.context);
    }
    journal_writer_wake(writer);
}

void journal_writer_fail(struct journal_writer *writer, const char *what, uint64_t position,
                         int32_t result)
{
    if (writer->is_failed || writer->is_leaving)
        return;
    loop_timer_disarm(writer->settings.loop, &writer->linger_timer);
    loop_timer_disarm(writer->settings.loop, &writer->idle_timer);
    uint64_t segment_bytes = writer->settings.journal->settings.segment_bytes;
    char name[DISK_NAME_BYTES], only[64];
    segment_name(position / segment_bytes, name);
    snprintf(only, sizeof only, "only %" PRId32 " bytes were written", result);
    snprintf(writer->reason, sizeof writer->reason, "cannot %s at byte %" PRIu64 " of %s: %s", what,
             position % segment_bytes, name, result < 0 ? strerror(-result) : only);
    if (writer->settings.move != NULL && !writer->has_moved) {
        writer->is_leaving = true;
        return;
    }
    writer->is_failed = true;
    writer->settings.failed(writer->settings.context, writer->reason);
}

/* ---- Idle ------------------------------------------------------------------------------------ */

static bool is_behind(const struct journal_writer *writer)
{
    return writer->needs_watermark && !writer->is_stopping && journal_writer_is_idle(writer);
}

static void arm_idle_timer(struct journal_writer *writer)
{
    struct loop *loop = writer->settings.loop;
    if (is_behind(writer) && writer->idle_timer.heap_index == 0)
        loop_timer_arm(loop, &writer->idle_timer,
                       loop_now_ns(loop) + writer->settings.idle_seal_ms * NS_PER_MS);
}

static void seal_idle(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct journal_writer *writer =
        (struct journal_writer *)(void *)((uint8_t *)timer -
                                          offsetof(struct journal_writer, idle_timer));
    if (writer->is_failed || !is_behind(writer))
        return;
    journal_set_time(writer->settings.journal,
                     writer->settings.log_time_ms(writer->settings.context));
    writer->needs_watermark = false;
    writer->figures.idle_seals++;
    if (journal_seal(writer->settings.journal, true))
        journal_writer_run(writer);
}

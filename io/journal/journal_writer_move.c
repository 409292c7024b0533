/* Going on in the spare folder. Part of io/journal/journal_writer.h, cut out for its length. */
#include <assert.h>

#include "io/journal/journal_writer_inside.h"

#define NS_PER_MS UINT64_C(1000000)

bool journal_writer_is_moving(const struct journal_writer *writer)
{
    return !writer->is_failed && (writer->is_leaving || writer->moved_position != UINT64_MAX);
}

void journal_writer_note_segment_failure(struct journal_writer *writer, int error)
{
    if (writer->moved_position != UINT64_MAX && !writer->is_leaving)
        journal_writer_fail(writer, "make the segment in the spare folder", writer->moved_position,
                            -error);
}

static uint64_t first_block_from(const struct journal *journal, uint64_t position);

/* When the last answer has come: what is written until then may lie on the disk that is left, and
 * counts no more than what failed. */
void journal_writer_move(struct journal_writer *writer)
{
    struct journal *journal = writer->settings.journal;
    if (journal_writer_in_flight(writer) > 0)
        return;
    if (segments_are_busy(writer->settings.segments)) { /* they do not say when they no more are */
        loop_timer_arm(writer->settings.loop, &writer->linger_timer,
                       loop_now_ns(writer->settings.loop) + NS_PER_MS);
        return;
    }
    loop_timer_disarm(writer->settings.loop, &writer->linger_timer);
    writer->is_lingering = false;
    uint64_t segment_bytes = journal->settings.segment_bytes;
    writer->next_block = first_block_from(journal, journal->durable_position);
    const struct journal_block *block = journal_sealed_block(journal, writer->next_block);
    assert(block != NULL); /* the one that failed, or whose segment did */
    writer->is_leaving = false;
    writer->has_moved = true;
    writer->beginning_position = UINT64_MAX;
    writer->moved_position = block->position / segment_bytes * segment_bytes;
    writer->written_position = writer->standing_position = journal->durable_position;
    writer->settings.move(writer->settings.context, writer->reason);
    segments_move(writer->settings.segments, writer->moved_position / segment_bytes);
    journal_writer_wake(writer);
}

/* The blocks before it in its segment, which were durable before the log moved. */
struct segment_content journal_writer_content_before(const struct journal_writer *writer,
                                                     const struct journal_block *block)
{
    struct journal *journal = writer->settings.journal;
    uint64_t offset = block->position % journal->settings.segment_bytes - JOURNAL_PAGE_BYTES;
    uint64_t start = block->position - offset;
    assert(offset == 0 || start == writer->moved_position + JOURNAL_PAGE_BYTES);
    assert(start >= journal->cached_position);
    return (struct segment_content){journal_at(journal, start), (uint32_t)offset};
}

void journal_writer_note_content(struct journal_writer *writer, uint64_t start)
{
    struct journal *journal = writer->settings.journal;
    for (uint64_t number = first_block_from(journal, start); number < writer->next_block;
         number++) {
        const struct journal_block *block = journal_sealed_block(journal, number);
        segments_note_block(writer->settings.segments, block->position, block->size_bytes);
    }
}

/* The number of the first block that begins at `position` or behind it. */
static uint64_t first_block_from(const struct journal *journal, uint64_t position)
{
    uint64_t number = journal->first_block;
    while (number < journal->end_block &&
           journal->blocks[number & journal->block_mask].position < position)
        number++;
    return number;
}

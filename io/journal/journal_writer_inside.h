/* What the parts of io/journal/journal_writer.h share: journal_writer.c (blocks to the disk),
 * journal_writer_move.c (going on in the spare folder). */
#ifndef KOUAN_IO_JOURNAL_WRITER_INSIDE_H
#define KOUAN_IO_JOURNAL_WRITER_INSIDE_H

#include "io/journal/journal_writer.h"

static inline uint32_t journal_writer_in_flight(const struct journal_writer *writer)
{
    return (uint32_t)(writer->end_write - writer->first_write);
}

/* For good, or it leaves for the spare folder. */
void journal_writer_fail(struct journal_writer *writer, const char *what, uint64_t position,
                         int32_t result);

/* ---- journal_writer_move.c ---- */

/* While it leaves: when the last answer has come, it is there. */
void journal_writer_move(struct journal_writer *writer);
/* The blocks before `block` in its segment, which were durable before the log moved. */
struct segment_content journal_writer_content_before(const struct journal_writer *writer,
                                                     const struct journal_block *block);
/* Tells the segments of them; from `start` on, the segment's position. */
void journal_writer_note_content(struct journal_writer *writer, uint64_t start);

#endif

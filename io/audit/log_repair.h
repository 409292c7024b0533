/* Copies what verifies of a journal into a new folder, as a journal that a server accepts: every
 * record that stands keeps its id, its order and its position; where blocks are lost there are
 * empty ones, so that the log is whole again, and from the first of them on the chain is made anew.
 * The old folder is only read. */
#ifndef KOUAN_IO_LOG_REPAIR_H
#define KOUAN_IO_LOG_REPAIR_H

#include "io/audit/log_walk.h"

struct log_repair {
    const struct log_reader *reader;
    const char *new_folder; /* must not be there */
    bool is_further_log;    /* but it is: another log of the same journal went there before */
    /* What is lost, and every block on the way. */
    void (*lost)(void *context, const struct log_gap *gap);
    void (*progress)(void *context, const struct block_header *block);
    void *context;
    /* Its own, while it runs: */
    int folder, log_folder, file;
    uint64_t file_number, file_end; /* of the segment that is being written */
    uint8_t *block;                 /* the one that is being put together, `size` bytes of room */
    uint64_t capacity;
    bool has_block, is_rebuilt; /* rebuilt: something before it was lost */
    struct digest last_checksum;
    struct block_header last; /* the header of the last one written */
    char problem[LOG_PROBLEM_BYTES];
};

/* Fills in `problem` unless OK: EXISTS (the new folder is there), IO, NO_MEMORY. What was begun of
 * the new folder stays, for people to look at. */
MUST_CHECK enum status log_repair_run(struct log_repair *repair, struct log_walk *out_walk);

#endif

/* Which generations ran, since when, and by whom: `generations/history` beside the log, a line
 * each, the oldest first:
 *
 *   1764040331123 8 <sha-256 of its manifest> reload by uid 0, pid 4711
 *
 * Kept in memory, too, so that there is one without a journal. One thread. Blocking. */
#ifndef KOUAN_IO_CONFIG_HISTORY_H
#define KOUAN_IO_CONFIG_HISTORY_H

#include "core/status.h"
#include "io/reload/sha256.h"

enum { HISTORY_WHAT_BYTES = 160, HISTORY_KEPT = 1000 };

struct history_item {
    uint64_t wall_ms, number;
    struct sha256 manifest;
    char what[HISTORY_WHAT_BYTES];
};

/* The last HISTORY_KEPT. */
struct history {
    struct history_item *items;
    uint32_t count;
};

/* What the folder's file says; nothing if there is none. `folder` is the journal's, or NULL. Lines
 * that are none are left out. */
MUST_CHECK enum status history_open(const char *folder, struct history *out_history);
void history_close(struct history *history);
/* In memory, and durably in each folder of the journal, where that can be: else IO. */
MUST_CHECK enum status history_add(struct history *history, const char *const *folders,
                                   uint32_t folder_count, const struct history_item *item);

/* The newest one of that number; NULL if there is none. */
const struct history_item *history_find(const struct history *history, uint64_t number);
/* The number that ran before the current one; 0 if none did. */
uint64_t history_number_before(const struct history *history);

#endif

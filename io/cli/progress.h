/* One line on stderr that shows how far a run is, redrawn in place; nothing where stderr is no
 * terminal. */
#ifndef KOUAN_IO_CLI_PROGRESS_H
#define KOUAN_IO_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    uint64_t total_bytes; /* 0: unknown */
    uint64_t bytes, accepted, refused;
    uint64_t started_ns, drawn_ns;
    uint64_t drawn_settled; /* at drawn_ns, for the rate */
    double per_second;      /* lately */
    bool on_terminal, visible;
};

uint64_t progress_now_ns(void);

/* `quiet`: never draws. */
void progress_start(struct progress *progress, uint64_t total_bytes, bool quiet);
/* Draws, if the last time is long enough ago. */
void progress_draw(struct progress *progress);
/* Wipes the line, so that something else may be printed. */
void progress_hide(struct progress *progress);

double progress_seconds(const struct progress *progress);

#endif

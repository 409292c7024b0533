#include "io/cli/progress.h"

#include <stdio.h>
#include <time.h>

#include "io/cli/output.h"

enum { NS_PER_S = 1000000000, DRAW_EVERY_NS = 100000000, BAR_COLUMNS = 30 };

uint64_t progress_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void progress_start(struct progress *progress, uint64_t total_bytes, bool quiet)
{
    *progress = (struct progress){
        .total_bytes = total_bytes,
        .started_ns = progress_now_ns(),
        .on_terminal = !quiet && output_is_terminal(stderr),
    };
    progress->drawn_ns = progress->started_ns;
}

static void draw_bar(const struct progress *progress)
{
    uint64_t done =
        progress->bytes < progress->total_bytes ? progress->bytes : progress->total_bytes;
    unsigned full = (unsigned)((double)done / (double)progress->total_bytes * BAR_COLUMNS);
    fputc('[', stderr);
    for (unsigned i = 0; i < BAR_COLUMNS; i++)
        fputc(i < full ? '=' : ' ', stderr);
    fprintf(stderr, "] %3u %%  ", full * 100 / BAR_COLUMNS);
}

void progress_draw(struct progress *progress)
{
    if (!progress->on_terminal)
        return;
    uint64_t now_ns = progress_now_ns();
    uint64_t since_ns = now_ns - progress->drawn_ns;
    if (since_ns < DRAW_EVERY_NS)
        return;
    uint64_t settled = progress->accepted + progress->refused;
    progress->per_second =
        (double)(settled - progress->drawn_settled) * NS_PER_S / (double)since_ns;
    progress->drawn_ns = now_ns;
    progress->drawn_settled = settled;
    progress->visible = true;
    fputs("\r\033[K", stderr);
    if (progress->total_bytes > 0)
        draw_bar(progress);
    output_count(stderr, settled);
    fputs(" messages  ", stderr);
    output_count(stderr, (uint64_t)progress->per_second);
    fputs("/s", stderr);
    if (progress->refused > 0) {
        fputs("  ", stderr);
        output_count(stderr, progress->refused);
        fputs(" refused", stderr);
    }
    fflush(stderr);
}

void progress_hide(struct progress *progress)
{
    if (!progress->visible)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->visible = false;
}

double progress_seconds(const struct progress *progress)
{
    return (double)(progress_now_ns() - progress->started_ns) / NS_PER_S;
}

#include "io/reload/rehearsal_tally.h"

#include <inttypes.h>
#include <stdlib.h>

#include "io/reload/rehearsal_words.h"

void rehearsal_lines_add(struct rehearsal_lines *lines, const char *text, struct record_id id)
{
    uint32_t i = 0;
    while (i < lines->used && strcmp(lines->lines[i].text, text) != 0)
        i++;
    if (i == REHEARSAL_LINES_MAX) {
        lines->others++;
        return;
    }
    struct rehearsal_line *line = &lines->lines[i];
    if (i == lines->used) {
        lines->used++;
        snprintf(line->text, sizeof line->text, "%s", text);
    }
    line->samples[line->count++ % REHEARSAL_SAMPLES_MAX] = id;
}

static void add_barred(struct rehearsal_tally *tally, const struct rehearsed *rehearsed)
{
    char line[REHEARSAL_LINE_BYTES];
    tally->elsewhere++;
    tally->refused++;
    tally->barred++;
    rehearsal_word_bar(rehearsed, line);
    rehearsal_lines_add(&tally->ways, line, rehearsed->id);
}

void rehearsal_tally_add(struct rehearsal_tally *tally, const struct rehearsed *rehearsed)
{
    char line[REHEARSAL_LINE_BYTES];
    tally->messages++;
    if (rehearsed->candidate_routing == NULL) {
        add_barred(tally, rehearsed);
        return;
    }
    struct rehearsal_way before = rehearsal_way(rehearsed->present, rehearsed->present_routing);
    struct rehearsal_way after = rehearsal_way(rehearsed->candidate, rehearsed->candidate_routing);
    if (!rehearsal_way_equals(&before, &after)) {
        tally->elsewhere++;
        tally->unroutable += after.is_unroutable && !before.is_unroutable;
        tally->refused += after.is_refused && !before.is_refused;
        rehearsal_word_way(rehearsed, line);
        rehearsal_lines_add(&tally->ways, line, rehearsed->id);
    }
    if (rehearsal_word_reading(rehearsed, line)) {
        tally->read_otherwise++;
        rehearsal_lines_add(&tally->readings, line, rehearsed->id);
    }
}

/* ---- print ---- */

static int by_count(const void *left, const void *right)
{
    uint64_t a = ((const struct rehearsal_line *)left)->count;
    uint64_t b = ((const struct rehearsal_line *)right)->count;
    return (a < b) - (a > b);
}

static void print_samples(const struct rehearsal_line *line, FILE *out)
{
    uint64_t kept = line->count < REHEARSAL_SAMPLES_MAX ? line->count : REHEARSAL_SAMPLES_MAX;
    fputs("\n         as", out);
    for (uint64_t i = line->count - kept; i < line->count; i++) {
        struct record_id id = line->samples[i % REHEARSAL_SAMPLES_MAX];
        fprintf(out, " %" PRIu64 "-%" PRIu64, id.ms, id.seq);
    }
}

void rehearsal_lines_print(const struct rehearsal_lines *lines, FILE *out)
{
    struct rehearsal_lines sorted = *lines;
    qsort(sorted.lines, sorted.used, sizeof *sorted.lines, by_count);
    for (uint32_t i = 0; i < sorted.used; i++) {
        fprintf(out, "%8" PRIu64 "  %s", sorted.lines[i].count, sorted.lines[i].text);
        print_samples(&sorted.lines[i], out);
        fputc('\n', out);
    }
    if (lines->others > 0)
        fprintf(out, "%8" PRIu64 "  in other ways\n", lines->others);
}

void rehearsal_tally_print(const struct rehearsal_tally *tally, FILE *out)
{
    fprintf(out,
            "%" PRIu64 " of them would go elsewhere; newly unroutable: %" PRIu64
            "; newly refused: %" PRIu64 "\n",
            tally->elsewhere, tally->unroutable, tally->refused);
    rehearsal_lines_print(&tally->ways, out);
    fprintf(out, "%" PRIu64 " would be read otherwise\n", tally->read_otherwise);
    rehearsal_lines_print(&tally->readings, out);
    if (tally->left_out > 0)
        fprintf(out,
                "%" PRIu64 " more could not be decided again: their participant or channel is "
                "gone, or their generation is not stored\n",
                tally->left_out);
}

/* What the parts of io/config/config_diff.c share. */
#ifndef KOUAN_IO_CONFIG_DIFF_INSIDE_H
#define KOUAN_IO_CONFIG_DIFF_INSIDE_H

#include "io/config/config_diff.h"

/* What has changed of one thing, said piece by piece: "a: 1 -> 2; b: 3 -> 4". */
struct config_detail {
    char *text;
    size_t size;
    FILE *out; /* NULL: nothing was said yet */
};

/* Begins the next piece, which the caller writes. */
FILE *config_detail_next(struct config_detail *detail);
/* "name: before -> next" if they differ; an empty one shows as `-`. */
void config_detail_texts(struct config_detail *detail, const char *name, struct bytes before,
                         struct bytes next);
void config_detail_numbers(struct config_detail *detail, const char *name, uint64_t before,
                           uint64_t next);

void config_diff_add(struct config_diff *diff, enum config_change_kind kind,
                     enum config_change_how how, const char *name, const char *detail,
                     bool needs_restart);
/* A change if the detail says anything; ends it. */
void config_diff_add_detail(struct config_diff *diff, enum config_change_kind kind,
                            const char *name, struct config_detail *detail, bool needs_restart);

/* Of things whose order matters, and which are on both sides: `ranks` are their places before, all
 * different, in their order now. Marks the fewest that must have moved, so that all others kept
 * their order. */
void config_diff_mark_moved(const uint32_t *ranks, uint32_t count, struct arena *arena,
                            bool *out_moved);

/* ---- io/config/config_diff_rules.c: lists, tables and their rules ---- */

void config_diff_rules(struct config_diff *diff, const struct generation *before,
                       const struct generation *next);

/* ---- io/config/config_diff_names.c: channels, destinations, participants, profiles ---- */

void config_diff_names(struct config_diff *diff, const struct generation *before,
                       const struct generation *next);

#endif

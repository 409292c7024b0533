/* A profile proposed from samples of one dialect, by the names that it knows.
 *
 *   samples --draft_xml | draft_json--> places --draft_choose--> proposal --draft_write--> YAML
 *   samples --draft_edifact------------------------------------> proposal
 *
 * Offline and off every hot path: expat and jansson read the samples. All that a draft points to
 * lies in its arena. */
#ifndef KOUAN_IO_CLI_DRAFT_H
#define KOUAN_IO_CLI_DRAFT_H

#include <stdio.h>

#include "core/arena.h"
#include "core/status.h"
#include "routes/field.h"
#include "routes/scan/scan.h"

enum {
    DRAFT_PLACES_MAX = 16384, /* different places in all samples; further ones are not looked at */
    DRAFT_LINES_MAX = 64,     /* fields and keys of a proposal */
    DRAFT_PATHS_MAX = 8,      /* paths of one of them */
    DRAFT_NAMES_MAX = 64,     /* roots, types or values that recognise */
    DRAFT_NO_PLACE = UINT32_MAX
};

/* An element, attribute or member at one path, over all samples. Place 0 is the root. */
struct draft_place {
    const char *name; /* local name, or member's; with `@` before an attribute's */
    uint32_t parent;  /* DRAFT_NO_PLACE of the root */
    uint32_t first_child, last_child, next_sibling;
    uint32_t count;         /* occurrences */
    uint32_t sample_count;  /* samples that have it */
    uint32_t repeats_max;   /* occurrences below one occurrence of its parent */
    uint32_t valued_count;  /* occurrences with a text */
    const char *example;    /* of the first one */
    uint32_t last_sample;   /* while reading: the sample, and the parent's occurrence, */
    uint32_t parent_number; /* that it was last seen in, and how often there */
    uint32_t repeats;
};

struct draft_sample {
    const char *path;
    struct bytes body, text; /* text: the body in UTF-8, with a byte order mark if it was not */
};

/* A line of the proposal's `fields` or `keys`. */
struct draft_line {
    enum slot slot;
    const char *paths[DRAFT_PATHS_MAX];
    uint32_t path_count;
    bool takes_all;      /* several paths add their values; else the first that has one counts */
    bool is_yaml;        /* the paths are values as the profile says them */
    const char *example; /* what it found; NULL if nothing */
};

struct draft {
    struct arena arena;
    enum format format;
    const char *name; /* of the profile */
    const struct draft_sample *samples;
    uint32_t sample_count;
    struct draft_place *places;
    uint32_t place_count;
    /* What recognises: XML roots, EDIFACT types, or values of the JSON member `key`. */
    const char *names[DRAFT_NAMES_MAX];
    uint32_t name_count;
    const char
        *root_namespace; /* XML: of all samples, or their common beginning and `*`; or NULL */
    const char *key;     /* JSON */
    const char *entries; /* a path, or NULL */
    struct draft_line lines[DRAFT_LINES_MAX];
    uint32_t line_count;
};

/* ---- io/cli/draft_places.c ---- */

/* The child of `parent` of that name (made at need), and one more occurrence of it; DRAFT_NO_PLACE
 * when DRAFT_PLACES_MAX are there. `parent` DRAFT_NO_PLACE: the root. */
uint32_t draft_enter(struct draft *draft, uint32_t parent, const char *name, uint32_t sample);
/* The text of the last occurrence. */
void draft_value(struct draft *draft, uint32_t place, struct bytes text);
/* A path as profiles spell it, from below the root. */
const char *draft_path(struct draft *draft, uint32_t place);
/* Adds to what recognises, once. */
void draft_add_name(struct draft *draft, const char *name);

/* ---- one file each: reads all samples ---- */

/* False after a line on stderr that says which sample is broken, and where. */
bool draft_read_xml(struct draft *draft);
bool draft_read_json(struct draft *draft);
bool draft_read_edifact(struct draft *draft);

/* ---- io/cli/draft_choose.c: fields, keys, entries and recogniser out of the places ---- */

void draft_choose(struct draft *draft);
/* True if a line of the proposal reads this place. */
bool draft_is_chosen(const struct draft *draft, uint32_t place);

/* ---- io/cli/draft_write.c ---- */

void draft_write(struct draft *draft, FILE *out);

#endif

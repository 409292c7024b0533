/* What is wrong with an input that people write: every error of every file in one run, each with
 * its place, its code, the offending text and a hint. Used by `check`, `serve` and reload alike. A
 * code is a letter for the kind of file and three digits (P101 profile, R101 rule table, C101
 * configuration, L101 list); the module that raises it lists it for `kouan help CODE`. */
#ifndef KOUAN_CORE_DIAGNOSTIC_H
#define KOUAN_CORE_DIAGNOSTIC_H

#include <stdint.h>
#include <stdio.h>

#include "core/arena.h"

enum { DIAGNOSTICS_MAX = 1000 }; /* further ones are counted, not kept */

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct place {
    const char *file;      /* NULL: no file */
    uint32_t line, column; /* from 1, the column in characters; 0: unknown */
};

struct diagnostic {
    enum severity severity;
    const char *code, *text, *hint; /* hint may be NULL */
    struct place place;
};

struct diagnostics {
    struct arena arena;
    struct diagnostic *items;            /* DIAGNOSTICS_MAX of them */
    uint32_t count;                      /* kept */
    uint32_t error_count, warning_count; /* seen */
};

/* A row of a module's list of codes: what `kouan help CODE` prints. The last row is all NULL. */
struct diagnostic_code {
    const char *code, *title, *explanation;
};

void diagnostics_init(struct diagnostics *diagnostics);
void diagnostics_deinit(struct diagnostics *diagnostics);

/* Adds one; `hint` may be NULL and is copied, as the text is. `code` must be a literal. */
void diagnostics_add(struct diagnostics *diagnostics, enum severity severity, const char *code,
                     struct place place, const char *hint, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* One line each, in the order of file, line and column:
 *   rules/customs.csv:12:4: error[R104]: `110` has 3 digits ...
 *     hint: ...
 * Control bytes are escaped. `diagnostics_print_json` prints one JSON array. */
void diagnostics_print(const struct diagnostics *diagnostics, FILE *out);
void diagnostics_print_json(const struct diagnostics *diagnostics, FILE *out);

#endif

/* A CSV file that people keep, read row by row: decoded, blank rows skipped, and everything that is
 * wrong with the file as such reported with its place. Rule tables and value lists stand on this.
 */
#ifndef KOUAN_ROUTES_SHEET_H
#define KOUAN_ROUTES_SHEET_H

#include "core/diagnostic.h"
#include "routes/rules/csv.h"
#include "routes/scan/charset.h"

/* The codes under which a kind of sheet reports. */
struct sheet_codes {
    const char *encoding, *nul_byte, *open_quote, *stray_quote;
};

struct sheet {
    struct csv csv;
    struct arena *arena; /* holds the decoded text */
    const char *path;
    const struct sheet_codes *codes;
    struct diagnostics *diagnostics;
};

/* False if the file cannot be read as text; that is reported. */
bool sheet_open(struct sheet *sheet, struct arena *arena, struct charsets *charsets,
                const struct sheet_codes *codes, const char *path, struct bytes content,
                struct diagnostics *diagnostics);

/* The next row that has anything in it; false at the end. Rows with faults are reported and
 * skipped. */
bool sheet_next(struct sheet *sheet, struct csv_row *out_row);

struct place sheet_place(const struct sheet *sheet, const struct csv_cell *cell);

/* Text of a sheet for use in a message: at most EXCERPT_BYTES_MAX of it, whole characters, with an
 * ellipsis if it was longer. */
enum { EXCERPT_BYTES_MAX = 60 };
struct excerpt {
    char text[EXCERPT_BYTES_MAX + 4];
};
struct excerpt excerpt_make(struct bytes text);

#endif

/* Comma-separated values by RFC 4180, as spreadsheets write them: quotes, doubled quotes, line
 * breaks inside quotes; lines end in CRLF, LF or CR. The separator is `,`, `;` or TAB, whichever
 * comes first in the header, since spreadsheets of other locales save those. Stricter than most
 * readers: a quote inside an unquoted cell, or text after a closing quote, is a fault.
 *
 * Lines are physical lines of the file; columns count characters of the decoded text, both from 1.
 * The text must outlive the rows; cells are views of it, or of the arena where quotes were doubled.
 * One thread. */
#ifndef KOUAN_ROUTES_CSV_H
#define KOUAN_ROUTES_CSV_H

#include "core/arena.h"

enum { CSV_CELLS_MAX = 64 }; /* kept of one row; more are counted */

struct csv_cell {
    struct bytes text;
    uint32_t line, column; /* where the cell begins: at its opening quote, if it has one */
};

struct csv_row {
    struct csv_cell cells[CSV_CELLS_MAX];
    uint32_t cell_count; /* all of them; the first CSV_CELLS_MAX are in `cells` */
    struct csv_cell fault;
};

enum csv_result {
    CSV_ROW,
    CSV_END,
    /* Faults: `fault` says where, and the row is lost. The next call goes on in the physical line
     * after the one in which the faulty cell begins. */
    CSV_UNTERMINATED_QUOTE,
    CSV_TEXT_AFTER_QUOTE, /* `"abc"def`; often a closing quote forgotten some lines above */
    CSV_STRAY_QUOTE       /* `ab"c`, or a blank before the opening quote */
};

struct csv {
    struct bytes text;
    size_t offset;
    uint32_t line, column;
    uint8_t separator;
    bool skips_comments; /* lines that begin with `#` are no rows; may be set after init */
};

/* `text` is UTF-8 without a byte order mark. */
void csv_init(struct csv *csv, struct bytes text);

enum csv_result csv_next(struct csv *csv, struct arena *arena, struct csv_row *out_row);

#endif

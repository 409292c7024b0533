/* What spreadsheets do to codes when a sheet is opened and saved: `0110` becomes `110`, 8500000000
 * becomes `8.5E+09`, `11-23` becomes `Nov-23`, a broken formula becomes `#N/A`. And what people
 * write who do not know the signs of a rule cell: `5141,5142`, `0201-0210`, `5141｜5142`. */
#ifndef KOUAN_ROUTES_DAMAGE_H
#define KOUAN_ROUTES_DAMAGE_H

#include "routes/field.h"

enum damage {
    DAMAGE_NONE,
    DAMAGE_LEADING_ZERO, /* fewer digits than the column's codes have */
    DAMAGE_SCIENTIFIC,
    DAMAGE_DATE,
    DAMAGE_ERROR_VALUE,
    DAMAGE_SEPARATOR, /* several values, but not separated by `|` */
    DAMAGE_HYPHEN,    /* a range, but not written with `..` */
    DAMAGE_LINE_BREAK
};

/* What must have happened to this text as one value of a field's column. SLOT_NONE: a column of
 * unknown form, in which only what no code can look like is damage. */
enum damage damage_find(enum slot slot, struct bytes text);

/* The digits that each code of the column has; 0 if they differ. */
unsigned damage_column_digits(enum slot slot);

bool damage_is_digits(struct bytes text); /* not empty, and decimal digits only */

/* The first of the full-width signs that Chinese keyboards give for `| * ! @ ..`, at the beginning
 * of the text; NULL if there is none. */
struct wide_sign {
    const char *wide, *plain;
};
const struct wide_sign *damage_wide_sign(struct bytes text);

#endif

/* A delivered entry: `body`, then the destination's chosen fields, in their configured order; names
 * are those of the generation that decided the record.
 * Several values of one field stand a line each. */
#ifndef KOUAN_IO_ENTRY_H
#define KOUAN_IO_ENTRY_H

#include "io/delivery/entry_form.h"
#include "io/resp/resp.h"

/* [id, [body, bytes, name, value ...]] */
void entry_write(struct resp_writer *writer, struct entry_forms *forms,
                 const struct destination *destination, const struct record *record);

#endif

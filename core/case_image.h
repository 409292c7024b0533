/* A table of cases as bytes: copied at one moment, while it goes on to change, and built again from
 * such a copy.
 *
 * A copy begins at once and is made in steps; what is about to change before its step came is
 * copied first, page by page. So it is the table as it was when it was begun, and nobody waits for
 * it. Its memory is the caller's, as large as the table. One owner thread, but that the finished
 * copy may be read by another. */
#ifndef KOUAN_CORE_CASE_IMAGE_H
#define KOUAN_CORE_CASE_IMAGE_H

#include "core/case_table.h"

enum { CASE_IMAGE_PAGE_BYTES = 4096, CASE_IMAGE_SECTIONS = 4, CASE_IMAGE_VERSION = 1 };

/* Where used parts of the table lie in a copy; whole pages. */
struct case_image_section {
    uint64_t offset, size_bytes;
};

size_t case_image_bytes_max(const struct case_table *table);

/* No other copy is under way. */
void case_image_begin(struct case_table *table, void *memory);
/* At most so many pages more; true if all are copied. */
bool case_image_copy(struct case_table *table, uint32_t pages);
/* The copy is done, or is given up: from now on nothing is copied. */
void case_image_end(struct case_table *table);
bool case_image_is_under_way(const struct case_table *table);

/* Of a copy, which begins with them: what of it matters. CORRUPT: it is none; UNSUPPORTED: of
 * another version. `head_bytes`, at least CASE_IMAGE_PAGE_BYTES, of it are there. */
MUST_CHECK enum status case_image_sections(const void *head, size_t head_bytes,
                                           struct case_image_section *out_sections,
                                           size_t *out_image_bytes);

/* The table, which is empty, becomes what the copy says. Its size may be another one: then the
 * newest cases find room. `image` is all of the copy, zero where no section is. CORRUPT: it
 * contradicts itself, and the table is to be closed. */
MUST_CHECK enum status case_image_restore(struct case_table *table, const void *image);

#endif

/* What writing and reading a snapshot of cases share: its header. */
#ifndef KOUAN_IO_CASE_SNAPSHOT_INSIDE_H
#define KOUAN_IO_CASE_SNAPSHOT_INSIDE_H

#include "io/state/case_snapshot.h"

struct case_snapshot_header case_snapshot_make_header(uint16_t log_number, uint64_t position);
/* The next piece of the sections, in their order. */
void case_snapshot_add_piece(struct case_snapshot_header *header,
                             const struct digest_secret *secret, struct bytes piece);
void case_snapshot_seal(struct case_snapshot_header *header, const struct digest_secret *secret);

#endif

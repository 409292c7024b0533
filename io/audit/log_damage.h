/* What a damaged place of a journal most likely held: records that are sound by themselves in
 * blocks whose header still says where they are, though their checksum is wrong. For people:
 * nothing that is found here is certain. */
#ifndef KOUAN_IO_LOG_DAMAGE_H
#define KOUAN_IO_LOG_DAMAGE_H

#include "io/audit/log_walk.h"

/* `found` for each; its record is its only until it returns. Without memory: none. */
void log_damage_look(const struct log_reader *reader, const struct log_gap *gap,
                     void (*found)(void *context, const struct record_head *head,
                                   uint64_t position),
                     void *context);

#endif

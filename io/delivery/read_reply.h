/* A reply of entries, by destination, whose counts are known only at its end: entries are written
 * first, into the shard's reply memory, and each header is put before its own then. */
#ifndef KOUAN_IO_READ_REPLY_H
#define KOUAN_IO_READ_REPLY_H

#include "io/front/session.h"

struct read_reply {
    struct session *session;
    uint8_t *start;              /* of the destinations that are written */
    size_t size;                 /* theirs */
    uint64_t bytes_max;          /* of all, about */
    uint32_t destinations;       /* and how many they are */
    struct resp_writer entries;  /* of the one that is being written */
    const struct outlet *outlet; /* that one */
    uint32_t count;              /* its entries */
};

void read_reply_begin(struct read_reply *reply, struct session *session);

/* One destination at a time: begin, add its entries, end. */
void read_reply_begin_destination(struct read_reply *reply, const struct outlet *outlet);
void read_reply_add(struct read_reply *reply, const struct record *record);
/* In place of it, to a shard that asks what would be shown: [id, size]. */
void read_reply_add_size(struct read_reply *reply, const struct outlet_entry *entry);
void read_reply_end_destination(struct read_reply *reply);

/* reply_max is reached: nothing more should be added. */
static inline bool read_reply_is_full(const struct read_reply *reply)
{
    return reply->size + reply->entries.needed >= reply->bytes_max;
}

/* As XREAD has it: what each destination gave, under its name. */
void read_reply_send(struct read_reply *reply);
/* As XRANGE has it: only the entries of the destination that was begun, and not ended. */
void read_reply_send_entries(struct read_reply *reply);

#endif

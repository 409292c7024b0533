#include "io/delivery/read_reply.h"

#include <assert.h>

#include "io/delivery/entry.h"

enum { HEADER_ROOM = 512 }; /* a name and three heads of aggregates take less */

void read_reply_begin(struct read_reply *reply, struct session *session)
{
    *reply = (struct read_reply){.session = session,
                                 .bytes_max = session_reply_max(session),
                                 .start = session->shard->reply_memory + HEADER_ROOM};
}

void read_reply_begin_destination(struct read_reply *reply, const struct outlet *outlet)
{
    const struct shard *shard = reply->session->shard;
    uint8_t *entries = reply->start + reply->size + HEADER_ROOM;
    const uint8_t *end = shard->reply_memory + shard->reply_capacity;
    reply->outlet = outlet;
    reply->count = 0;
    resp_writer_init(&reply->entries, reply->session->protocol, entries,
                     entries < end ? (size_t)(end - entries) : 0);
}

void read_reply_add(struct read_reply *reply, const struct record *record)
{
    entry_write(&reply->entries, &reply->session->shard->entry_forms, reply->outlet->destination,
                record);
    reply->count++;
}

void read_reply_add_size(struct read_reply *reply, const struct outlet_entry *entry)
{
    resp_write_array(&reply->entries, 2);
    resp_write_id(&reply->entries, entry->id.ms, entry->id.seq);
    resp_write_integer(&reply->entries, entry->size_bytes);
    reply->count++;
}

/* The first header goes before its entries, which stay; the others move up to what is there. */
void read_reply_end_destination(struct read_reply *reply)
{
    uint8_t memory[HEADER_ROOM];
    struct resp_writer header, *entries = &reply->entries;
    resp_writer_init(&header, reply->session->protocol, memory, sizeof memory);
    if (reply->session->protocol == 2)
        resp_write_array(&header, 2);
    resp_write_bulk_text(&header, reply->outlet->destination->name);
    resp_write_array(&header, reply->count);
    assert(!header.overflowed);
    if (reply->destinations++ == 0) {
        reply->start = entries->data - header.needed;
    } else if (!entries->overflowed) {
        memmove(reply->start + reply->size + header.needed, entries->data, entries->needed);
    }
    memcpy(reply->start + reply->size, memory, header.needed);
    reply->size += header.needed + entries->needed;
}

static void send_under(struct read_reply *reply, uint8_t *start, size_t size,
                       const struct resp_writer *header)
{
    struct resp_writer whole = reply->entries;
    whole.data = start - header->needed;
    whole.needed = size + header->needed;
    memcpy(whole.data, header->data, header->needed);
    session_reply_end(reply->session, &whole);
}

void read_reply_send(struct read_reply *reply)
{
    uint8_t memory[HEADER_ROOM];
    struct resp_writer header;
    resp_writer_init(&header, reply->session->protocol, memory, sizeof memory);
    if (reply->session->protocol == 3)
        resp_write_map(&header, reply->destinations);
    else
        resp_write_array(&header, reply->destinations);
    send_under(reply, reply->start, reply->size, &header);
}

void read_reply_send_entries(struct read_reply *reply)
{
    uint8_t memory[HEADER_ROOM];
    struct resp_writer header;
    resp_writer_init(&header, reply->session->protocol, memory, sizeof memory);
    resp_write_array(&header, reply->count);
    send_under(reply, reply->entries.data, reply->entries.needed, &header);
}

/* The accounts (core/ledger.h) of one shard, or of several together: what reports are made of.
 * Copies; memory of its own, reserved by books_open. */
#ifndef KOUAN_IO_BOOKS_H
#define KOUAN_IO_BOOKS_H

#include "core/ledger.h"
#include "io/delivery/group.h"
#include "io/resp/resp.h"

struct shard;

struct books_group {
    char name[GROUP_NAME_BYTES_MAX + 1];
    struct group_account account;
};

struct books_outlet {
    struct outlet_account account;
    uint16_t group_count;
    struct books_group groups[DESTINATION_GROUPS_MAX];
};

struct books {
    const struct generation *generation;
    struct intake_account *intake; /* [participant * channels + channel] */
    struct books_outlet *outlets;  /* by destination */
};

MUST_CHECK enum status books_open(struct books *books, const struct generation *generation);
void books_close(struct books *books); /* a zeroed one, too */
void books_clear(struct books *books);

/* Adds what the shard's accounts say; groups of one name are one. */
void books_add(struct books *books, const struct shard *shard);

/* The same from another thread: a shard's accounts as one bulk string, which only this program
 * understands, and added up. */
void books_write(const struct shard *shard, struct resp_writer *writer);
void books_add_written(struct books *books, struct bytes written);

static inline const struct intake_account *books_intake(const struct books *books,
                                                        uint16_t participant, uint16_t channel)
{
    return &books->intake[(size_t)participant * books->generation->channel_count + channel];
}

/* The sum of all gaps' sizes: 0 when the books are right. */
uint64_t books_gap(const struct books *books);

#endif

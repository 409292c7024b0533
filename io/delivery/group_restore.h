/* A group while its log is read: up to where all is settled, and the ranges beyond. For
 * io/delivery/outlet_restore.c. */
#ifndef KOUAN_IO_GROUP_RESTORE_H
#define KOUAN_IO_GROUP_RESTORE_H

#include "core/fact.h"
#include "io/delivery/group.h"

struct group_restore {
    uint32_t number;
    char name[GROUP_NAME_BYTES_MAX + 1];
    struct group_account account;
    struct record_id after; /* all up to it is settled */
    struct settled_range *ranges;
    uint64_t range_count, range_capacity;
    uint64_t tidy_count; /* ranges that were left the last time */
    bool in_order;       /* the ranges, and none lies in another */
    bool stands;         /* told already: what further checkpoints say is known */
};

void group_restore_close(struct group_restore *group);

MUST_CHECK enum status group_restore_add(struct group_restore *group, struct settled_range range);

/* Nothing beyond `id` is settled any more. */
void group_restore_cut(struct group_restore *group, struct record_id id);

/* Marks what the group has not settled of `entries`, which are in order. */
void group_restore_mark(struct group_restore *group, const struct outlet_entry *entries,
                        uint64_t count, bool *needed);

/* Joins ranges where no entry lies between them. All entries behind `known_from` are there. */
void group_restore_join(struct group_restore *group, const struct outlet_entry *entries,
                        uint64_t count, struct record_id known_from);

/* Makes it a group of the outlet, whose entries are in place. */
MUST_CHECK enum status group_restore_build(struct group_restore *group, struct outlet *outlet,
                                           struct group **out_group);

#endif

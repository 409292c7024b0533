/* What a command is told when it runs in one shard for a client of another, on a session without a
 * connection (io/delivery/errand.h): that its reply is one of several which become one. NULL in a
 * client's own session.
 *
 * The asker owns it, and does not change it while it is lent. */
#ifndef KOUAN_IO_ERRAND_TERMS_H
#define KOUAN_IO_ERRAND_TERMS_H

#include "core/record.h"
#include "io/resp/resp.h"

struct command_row;
struct participant;

enum { READ_STREAMS_MAX = 16 }; /* destinations that one read names */

struct errand_terms {
    const struct command_row *row;
    struct resp_command command;
    const struct participant *participant;
    uint8_t protocol;
    bool looks;         /* nothing is changed: [id, size] of what would be shown */
    uint64_t bytes_max; /* in place of reply_max */
    /* By stream that a read names, else the first: in place of COUNT; and no id above is shown. */
    uint64_t counts[READ_STREAMS_MAX];
    struct record_id until[READ_STREAMS_MAX];
};

#endif

/* The words of XREAD and XREADGROUP. */
#ifndef KOUAN_IO_COMMAND_READ_H
#define KOUAN_IO_COMMAND_READ_H

#include "io/resp/resp.h"

struct read_arguments {
    struct bytes group, consumer; /* XREAD: without data */
    uint64_t count, block_ms;
    bool blocks, no_ack;
    uint32_t first_key, stream_count; /* the ids stand behind the keys */
};

/* NULL, or what is wrong. */
const char *command_parse_read(const struct resp_command *command, bool for_group,
                               struct read_arguments *out);

#endif

/* Every limit is an option: declared once here with its default, unit and range, and read by the
 * configuration parser, `kouan serve --help`, CONFIG GET and docs/configuration.md alike. */
#ifndef KOUAN_IO_OPTIONS_H
#define KOUAN_IO_OPTIONS_H

#include <stdint.h>

#include "core/bytes.h"

enum option_unit { UNIT_COUNT, UNIT_BYTES, UNIT_US, UNIT_MS, UNIT_S };
const char *option_unit_name(enum option_unit unit); /* "", "bytes", "us", "ms", "s" */

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* name, default, min, max, unit, help. Of the server as a whole; a change needs a restart. */
#define OPTION_LIST(X)                                                                             \
    X(connections_max, 10240, 16, 65536, COUNT, "connections at once; one more is closed")         \
    X(message_max, 512 * KIB, 1 * KIB, 8 * MIB, BYTES, "the largest message body")                 \
    X(entries_max, 256, 1, 4096, COUNT, "business records in one message")                         \
    X(shards, 1, 1, 64, COUNT, "threads, each with a log of its own")                              \
    X(memory, 256 * MIB, 32 * MIB, 1024 * GIB, BYTES,                                              \
      "the log in memory: what came last; with `sync: memory` all that groups still need")         \
    X(block, 256 * KIB, 16 * KIB, 16 * MIB, BYTES,                                                 \
      "what the log writes at once, at most; more for a large message")                            \
    X(segment, 64 * MIB, 4 * MIB, 1 * GIB, BYTES, "a file of the journal, whole pages of 4 KiB")   \
    X(journal_size, 64 * GIB, 16 * MIB, 1024 * 1024 * GIB, BYTES,                                  \
      "what the journal's files may take")                                                         \
    X(retain_time, 7 * 86400, 0, 315360000, S, "how long the journal keeps what nobody needs")     \
    X(writes_in_flight, 4, 1, 4, COUNT, "blocks on their way to the disk at a time")               \
    X(linger, 100, 0, 100000, US, "how long a block may wait for more records, at most")           \
    X(idle_seal, 10, 1, 60000, MS, "without records, until the last block is confirmed on disk")   \
    X(recall_memory, 64 * MIB, 4 * MIB, 64 * GIB, BYTES, "for what is read back from the journal") \
    X(window_entries, 1000000, 2048, UINT64_C(2147483648), COUNT, "messages remembered by dedupe") \
    X(window_span, 86400, 1, 315360000, S, "how long dedupe remembers a message")                  \
    X(cases, 0, 0, 16777216, COUNT, "business cases that are followed; 0: none is")                \
    X(case_span, 90 * 86400, 60, 315360000, S, "how long a case is kept without news")             \
    X(handbook_span, 3 * 365 * 86400, 60, 315360000, S, "the same of the case of a handbook")      \
    X(publications_max, 32768, 64, 1048576, COUNT, "messages without a reply yet, in all")         \
    X(publications_per_connection, 1024, 1, 65536, COUNT,                                          \
      "messages without a reply yet, each; and as many acknowledgements")                          \
    X(acknowledgements_max, 32768, 64, 1048576, COUNT, "XACKs and the like without a reply yet")   \
    X(transactions, 64, 1, 65536, COUNT, "connections with commands between MULTI and EXEC")       \
    X(transaction_max, 1 * MIB, 4 * KIB, 64 * MIB, BYTES, "commands between MULTI and EXEC, each") \
    X(publish_wait, 5000, 0, 3600000, MS, "how long a publisher waits for room, then TRYAGAIN")    \
    X(handshake_time, 10000, 100, 3600000, MS, "to authenticate, where that is required")          \
    X(half_command_time, 30000, 100, 3600000, MS, "to finish a command once begun")                \
    X(stuck_send_time, 30000, 100, 3600000, MS, "for a reader that takes nothing of its replies")  \
    X(stop_time, 10000, 0, 3600000, MS, "to finish and flush when told to stop")                   \
    X(receive_buffers, 256, 16, 32768, COUNT, "of 64 KiB each, a power of two")                    \
    X(small_carries, 10240, 16, 1048576, COUNT, "half commands of up to 4 KiB")                    \
    X(large_carries, 32, 2, 65536, COUNT, "half commands above 4 KiB")                             \
    X(output_chunks, 1024, 16, 1048576, COUNT, "of 64 KiB each, for replies under way")            \
    X(output_max, 8 * MIB, 256 * KIB, 1 * GIB, BYTES, "replies queued for one connection")         \
    X(reply_max, 1 * MIB, 64 * KIB, 256 * MIB, BYTES, "bodies in one XREADGROUP reply, about")     \
    X(rejects_kept, 1000, 0, 100000, COUNT, "refused bodies kept for `kouan rejects`")             \
    X(reject_bytes, 4 * KIB, 64, 1 * MIB, BYTES, "of each refused body that is kept")              \
    X(holds_max, 65536, 16, 16777216, COUNT, "held messages; one more is answered TRYAGAIN")       \
    X(hold_bytes_max, 8 * MIB, 1 * MIB, 64 * GIB, BYTES, "the size of all held messages")          \
    X(turn_wait, 0, 0, 10000, US, "how long a turn waits for more to do; 0: for anything")         \
    X(turn_completions, 16, 2, 4096, COUNT, "what it waits for, with `turn_wait`")                 \
    X(submission_poll, 0, 0, 60000, MS,                                                            \
      "until a thread of the kernel's that looks for work sleeps; 0: none looks")                  \
    X(busy_poll, 0, 0, 10000, US, "how long a turn looks for packets at the network device")       \
    X(zero_copy_send, 0, 0, 1 * GIB, BYTES, "sends from this size on copy nothing; 0: all copy")   \
    X(stats_span, 86400, 0, 604800, S, "how long `kouan stats` knows a minute; 0: nothing counts") \
    X(stats_rows, 65536, 256, 16777216, COUNT, "figures of it; a minute may have a sixteenth")

/* Of a destination; in the configuration under its name, or under `defaults`. */
#define DESTINATION_OPTION_LIST(X)                                                                 \
    X(pending_max, 65536, 1, 16777216, COUNT, "delivered and not acknowledged, per group")         \
    X(backlog_max, 1048576, 16, UINT64_C(268435456), COUNT, "messages kept for its groups")        \
    X(backlog_bytes_max, 0, 0, 1024 * GIB, BYTES, "their size; 0: a fair share of the log")        \
    X(retain_bytes, 8 * MIB, 0, 1024 * GIB, BYTES, "kept while it has no group")                   \
    X(deliveries_max, 0, 0, 1000000, COUNT, "deliveries before the dead letter; 0: no limit")

struct options {
#define X(name, default, min, max, unit, help) uint64_t name;
    OPTION_LIST(X)
#undef X
};

struct destination_options {
#define X(name, default, min, max, unit, help) uint64_t name;
    DESTINATION_OPTION_LIST(X)
#undef X
};

struct option_row {
    const char *name, *help;
    uint64_t initial, min, max;
    enum option_unit unit;
    size_t offset; /* in the struct of its list */
};

/* Both tables end with a NULL name. */
extern const struct option_row option_rows[];
extern const struct option_row destination_option_rows[];

void options_set_defaults(struct options *options);
void destination_options_set_defaults(struct destination_options *options);

static inline uint64_t option_get(const void *options, const struct option_row *row)
{
    uint64_t value;
    memcpy(&value, (const char *)options + row->offset, sizeof value);
    return value;
}

/* A number with an optional unit: 4096, 64KiB, 1MiB, 2GiB, 100us, 500ms, 10s, 5m, 1h, 7d. False if
 * it is not one, or the unit does not fit the option. The range is the caller's to check. */
bool option_parse_value(struct bytes text, enum option_unit unit, uint64_t *out_value);

/* Puts `value` into the struct; asserts the range. */
void option_set(void *options, const struct option_row *row, uint64_t value);

#endif

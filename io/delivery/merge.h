/* One reply out of those that several shards gave to the same command: RESP in, RESP out. A codec
 * like io/resp/resp.h, without shard or socket.
 *
 * The parts are whole replies in the writer's protocol, each written by this program's own handler
 * of the command, so that their shapes are asserted. Errors are looked for first (merge_error). */
#ifndef KOUAN_IO_MERGE_H
#define KOUAN_IO_MERGE_H

#include "core/record.h"
#include "io/resp/resp.h"
#include "io/resp/resp_reply.h"

enum { MERGE_PARTS_MAX = 64 };

/* One thing that a reply lists under a name; io/delivery/merge_named.c. */
struct merge_named {
    struct bytes key, element; /* key: what it is called; both as they stand in their part */
    uint64_t hash;
    uint32_t next; /* of the same key, in a later part; MERGE_NAMED_NONE */
    bool is_later; /* another part has one of the same key before it */
};
#define MERGE_NAMED_NONE UINT32_MAX

struct merge {
    const struct bytes *parts;
    uint32_t count; /* of parts, 1 .. MERGE_PARTS_MAX */
    /* For the lists of what has a name; all that the parts name must have a place in it. */
    struct merge_named *scratch;
    uint32_t scratch_count;
};

/* The first error among the parts, if one is: true. */
bool merge_error(const struct merge *merge, struct resp_writer *writer);

/* ---- simple ones ---- */

void merge_first(const struct merge *merge, struct resp_writer *writer); /* all say the same */
/* Of integers; null if the first is. */
void merge_sum(const struct merge *merge, struct resp_writer *writer);
void merge_greatest(const struct merge *merge, struct resp_writer *writer);
/* Of arrays: what is in any of them, part by part. */
void merge_lists(const struct merge *merge, struct resp_writer *writer);

/* ---- entries, which begin with an id or are one ---- */

struct merge_limits {
    uint64_t count;     /* of entries */
    uint64_t bytes_max; /* nothing is added behind so many, over all streams */
    uint64_t cut;       /* a bit a part: there is more behind its last entry than it says */
    bool is_falling;    /* ids fall */
    bool is_by_time;    /* maps without ids, by their second field */
    bool shows_all;     /* what the parts say, whatever more there is */
};

/* Arrays of entries by id. What may lie behind the end of a part that is cut is not passed over:
 * the reply ends there. Null parts are nothing; null if all are. */
void merge_entries(const struct merge *merge, const struct merge_limits *limits,
                   struct resp_writer *writer);

/* As XREAD replies: parts name all streams in the same order, with their entries. The reply names
 * those that have some; and those of `always`, a bit a stream, with none. `limits` by stream.
 * False, and nothing is written, if the reply would name none. */
bool merge_streams(const struct merge *merge, const struct merge_limits *limits,
                   uint32_t stream_count, uint32_t always, struct resp_writer *writer);

/* The entries of one stream in such a part, as it stands. */
struct bytes merge_stream(struct bytes part, uint8_t protocol, uint32_t stream);

/* The parts are arrays of [id, size], rising: the last id that the limits let pass, when the sizes
 * are what counts for bytes_max; 0-0: none. The greatest of all ids if they let all pass that there
 * is, and more. */
struct record_id merge_last_id(const struct merge *merge, const struct merge_limits *limits);

/* XCLAIM's entries in the order in which `ids` names them, each once. */
void merge_claimed(const struct merge *merge, const struct record_id *ids, uint32_t id_count,
                   struct resp_writer *writer);

/* ---- what has a name ---- */

/* A map: XINFO STREAM. Each field by its own rule: sums, the least, the greatest ... */
void merge_map(const struct merge *merge, struct resp_writer *writer);
/* With this, a list of names, behind `consumers`, that counts those of all parts. */
#define MERGE_CONSUMER_NAMES "consumer-names"
/* An array of maps, which begin with a name each: XINFO GROUPS and CONSUMERS. Maps of one name
 * become one. */
void merge_maps(const struct merge *merge, struct resp_writer *writer);
/* XPENDING's summary. */
void merge_pending(const struct merge *merge, struct resp_writer *writer);
/* An array of [subject, name, value]: sums, but of the server's clock. */
void merge_counters(const struct merge *merge, struct resp_writer *writer);

/* ---- texts: io/delivery/merge_text.c ---- */

/* One behind the other. */
void merge_texts(const struct merge *merge, struct resp_writer *writer);
/* HEALTH: [number, text], with the shard before each line. */
void merge_health(const struct merge *merge, struct resp_writer *writer);
/* INFO: what adds up is added up; of the rest the first part's, and a line a shard about itself.
 * The books' gap, which no part knows, is given. */
void merge_info(const struct merge *merge, uint64_t ledger_gap, struct resp_writer *writer);

/* ---- what the files of this module share ---- */

/* The next item of a part with all its children, as it stands; false at the end. */
bool merge_take(struct resp_cursor *cursor, struct resp_item *out_item, struct bytes *out_raw);
/* The id with which an entry begins. */
struct record_id merge_entry_id(struct bytes entry);

#endif

/* The cases that keys name: keys seen together are names of one case, and two cases that a message
 * shows to be one are merged into the older. Of each case the table keeps its state in its life,
 * what each role said last, when, by which records, who took part, and counts.
 *
 * Cases and keys are bounded: the oldest, by when they were heard of last, make room, and those
 * that were silent for their span go. The table is a function of what it was told, in that order:
 * told the same again, it is the same again. Time is what it is told, and never the clock's.
 *
 * All of it lies in one region, without a pointer in it, reserved when it is opened: what lies
 * there can be written to a file and read back (core/case_image.h). States, roles and participants
 * are numbers here, of names that lie there, too (core/case_names.h). One owner thread. */
#ifndef KOUAN_CORE_CASE_TABLE_H
#define KOUAN_CORE_CASE_TABLE_H

#include "core/digest.h"
#include "core/record.h"
#include "core/status.h"

enum {
    CASE_KEY_TEXT_BYTES = 64, /* of a key's text that are kept; the digest is of all of it */
    CASE_KEYS_MAX = 64,       /* of one case; further ones do not name it */
    CASE_KEYS_PER_CASE = 4,   /* so many are reserved for each, on the average */
    CASE_STATUSES_MAX = 4,    /* roles of which the last status is kept */
    CASE_STATUS_BYTES = 16,   /* of its text that are kept */
    CASE_MOVES_MAX = 6, /* the last ones: what comes late is put in order among them, no further */
    CASE_RECORDS_MAX = 4,
    CASE_PARTICIPANTS_MAX = 8, /* that took part, and so may see the case */
    CASE_STATES_MAX = 64
};
#define CASE_NONE UINT32_MAX

/* How long cases live after they were last heard of. */
enum case_span { CASE_SPAN_SHORT, CASE_SPAN_LONG, CASE_SPAN_COUNT };

struct case_key {
    struct digest digest;
    uint32_t owner; /* its case */
    uint32_t next;  /* of its case, or of the free ones; CASE_NONE: the last */
    uint32_t chain; /* in its bucket */
    uint8_t kind;
    uint8_t text_size;
    bool is_cut; /* the text is longer */
    uint8_t reserved;
    uint8_t text[CASE_KEY_TEXT_BYTES];
};
static_assert(sizeof(struct case_key) == 96, "CASE_KEYS_PER_CASE of them are reserved a case");

/* The last one of a role, by the messages' own times. */
struct case_status {
    uint64_t time_ms;
    struct record_id id;
    uint16_t role;
    uint8_t size; /* of the whole text, up to 255; of which CASE_STATUS_BYTES are here */
    uint8_t reserved[5];
    uint8_t text[CASE_STATUS_BYTES];
};

/* A message moved, or would have moved, the case to a state. */
struct case_move {
    uint64_t time_ms;
    struct record_id id;
    uint64_t from; /* a bit for each state from which it can be reached */
    uint16_t role; /* that said so */
    uint8_t to;    /* state */
    uint8_t reserved[5];
};

/* Why something about a case is not as it should be. */
enum case_flag {
    CASE_FLAG_NOT_ENTITLED = 1, /* a status of somebody without the role for it; it moved nothing */
    CASE_FLAG_CONFLICT = 2,     /* a message whose id was known with another body */
    CASE_FLAG_LATE = 4          /* a move older than all those that are kept; it moved nothing */
};

struct case_entry {
    struct record_id
        first_id;     /* of its first record, and which entry of it: the name of the case */
    uint64_t version; /* grows with each change, over all cases */
    uint64_t first_ms, last_ms; /* by the messages' own times */
    uint64_t heard_ms;          /* when the last record came */
    uint64_t since_ms;          /* when the state was reached, and by which record */
    struct record_id since_id;
    uint64_t base_ms; /* of the last move that is kept no more; with what it led to */
    uint64_t base_since_ms;
    struct record_id base_since_id;
    uint32_t older, newer; /* by when it was heard of last, among those of its span */
    uint32_t first_key;
    uint32_t messages, receipts;
    uint32_t flagged;    /* entries that were, for one of `flags` */
    uint32_t impossible; /* moves that cannot follow what was before them */
    uint32_t base_impossible;
    uint16_t first_entry;
    uint16_t key_count;
    uint16_t
        participants[CASE_PARTICIPANTS_MAX]; /* names; the first: whose message was the first */
    uint8_t participant_count;
    uint8_t state, base_state; /* 0: none */
    uint8_t flags;             /* enum case_flag */
    uint8_t span;              /* enum case_span */
    uint8_t status_count, move_count, record_count;
    bool is_used;
    struct record_id records[CASE_RECORDS_MAX]; /* the last ones, newest first */
    struct case_status statuses[CASE_STATUSES_MAX];
    struct case_move moves[CASE_MOVES_MAX]; /* by time and id, oldest first */
};
static_assert(sizeof(struct case_entry) == 664, "they lie side by side in an image");

struct case_table;

struct case_table_settings {
    uint32_t cases_max; /* at least 16 */
    uint64_t span_ms[CASE_SPAN_COUNT];
};

/* NO_MEMORY. */
MUST_CHECK enum status case_table_open(const struct case_table_settings *settings,
                                       struct case_table **out_table);
void case_table_close(struct case_table *table);

/* ---- telling it ---- */

struct case_key_given {
    struct digest digest; /* of kind and text */
    struct bytes text;
    uint8_t kind;
};

/* What an entry of a record says of the case that its keys name. */
struct case_observation {
    uint64_t version; /* not smaller than that of the observation before */
    struct record_id id;
    uint16_t entry;    /* of the record */
    uint64_t heard_ms; /* when it came; does not run backwards */
    uint64_t time_ms;  /* its own time */
    uint16_t participant;
    const uint16_t *roles; /* of the participant, for which a status counts */
    uint16_t role_count;
    struct bytes status; /* absent: it reports none */
    bool is_receipt;
    uint8_t flags;         /* enum case_flag */
    enum case_span span;   /* a case lives as long as the longest that it was told */
    struct case_move move; /* `to` 0: it moves nothing */
};

/* The case of the keys, `count` of which are names of one; at least 1. */
uint32_t case_table_observe(struct case_table *table, const struct case_key_given *keys,
                            uint32_t count, const struct case_observation *observation);

/* ---- asking it ---- */

/* CASE_NONE: nobody knows it. */
uint32_t case_table_find(const struct case_table *table, struct digest key);
/* So that a later case_table_find or observe finds memory that is on its way. */
void case_table_prefetch(const struct case_table *table, struct digest key);
const struct case_entry *case_table_entry(const struct case_table *table, uint32_t index);
const struct case_key *case_table_key(const struct case_table *table, uint32_t key);

/* Goes over what has changed, each case once, as it is when it is looked at, the longest unchanged
 * first. A cursor begins before all that there is; each who asks has one. */
enum { CASE_CURSORS_MAX = 2 };
/* CASE_NONE: all was seen. What has changed since is there again; what is gone is not told. */
uint32_t case_table_next_changed(struct case_table *table, uint32_t cursor);
void case_table_rewind(struct case_table *table, uint32_t cursor);

struct case_figures {
    uint32_t cases, cases_max, keys, keys_max;
    uint64_t begun, merged;
    uint64_t expired; /* silent for their span */
    uint64_t evicted; /* before that, to make room */
    uint64_t impossible, not_entitled, late;
    uint64_t keys_left_out; /* by CASE_KEYS_MAX */
    uint64_t oldest_ms;     /* when that was heard of last, which was heard of the longest ago */
};
struct case_figures case_table_figures(const struct case_table *table);

#endif

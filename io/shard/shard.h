/* One shard: one thread around one ring, with its log, its window and its destinations. This header
 * is the table of contents of the server; the modules that it names each do one thing to it. */
#ifndef KOUAN_IO_SHARD_H
#define KOUAN_IO_SHARD_H

#include "core/decimal.h"
#include "io/config/config.h"
#include "io/delivery/entry_form.h"
#include "io/delivery/outlet.h"
#include "io/intake/commit.h"
#include "io/intake/hold.h"
#include "io/intake/intake.h"
#include "io/intake/parking.h"
#include "io/intake/reject.h"
#include "io/journal/retention.h"
#include "io/net/listener.h"
#include "io/recall/recall_list.h"
#include "io/resp/resp.h"
#include "io/shard/books.h"
#include "io/shard/mesh.h"
#include "io/shard/room.h"
#include "io/shard/shard_log.h"
#include "io/state/case_snapshot.h"
#include "io/state/cases.h"
#include "routes/generation_list.h"
#include "routes/rules/rule_hits.h"

struct control;
struct minute_table;
struct redis_figures;

struct shard_figures {
    uint64_t commands, batches, batch_messages, collisions, copied_forward, copied_forward_bytes,
        parked, replies_lost;
};

/* What a shard has in common with the others of its server (io/shard/server.h). */
struct shard_family {
    uint16_t count; /* shards in all */
    struct mesh *mesh;
    struct errand_board *board;
    struct digest_secret secret;           /* of all logs */
    const struct journal_folders *folders; /* open and locked; NULL: no log has files */
    /* Identities that a log brings back, for the windows that they belong to; any thread. */
    void (*restore)(struct shard_family *family, const struct window_restored *items,
                    uint32_t count);
    struct rooms rooms;
    _Atomic uint64_t quiet; /* a bit a shard: while it stops, it needs no other any more */
};

/* Whose window an identity belongs to. */
static inline uint16_t shard_of_identity(struct digest identity, uint16_t shards)
{
    return (uint16_t)(identity.low % shards);
}

struct shard {
    const struct config *config;
    uint16_t number; /* of this shard and its log; clients of all shards see it in ids */
    struct shard_family *family; /* NULL: it is the only one */
    struct mesh_end *mesh;       /* to the others; NULL likewise */
    const struct rooms *rooms;   /* of all shards' destinations; NULL likewise */
    const struct generation *generation;
    struct generation_list generations; /* and those before it that the log speaks of */
    struct loop *loop;
    struct transport *transport;
    struct listener *listeners[CONFIG_LISTENERS_MAX + 1]; /* the last may be the control socket's */
    uint16_t listener_count;

    struct digest_secret secret;
    struct window *window;
    struct journal journal;
    struct recall *recall; /* reads old records back; NULL: memory has all that is kept */
    struct recall_lists recall_lists;
    struct retention retention; /* which segments go */
    struct shard_log log;
    struct facts facts;
    struct entry_forms entry_forms;         /* of what its groups deliver */
    struct outlet *outlets;                 /* by destination index */
    uint32_t last_group_number;             /* that was given to a group of this log */
    struct books books;                     /* for reports; filled when one is made */
    struct intake_account *intake_accounts; /* [participant * channels + channel] */
    struct rule_hits *rule_hits;            /* of the generation's rules */
    struct minute_table *minutes;        /* the server's; NULL: nothing is counted by the minute */
    uint64_t minutes_saved_ms;           /* what the log has up to then is in them from the start */
    _Atomic uint32_t connections_closed; /* ever; for who chooses a shard for a new one */
    struct publication_pool publications;
    struct reply_slot_pool promises; /* replies of what is not a message, and waits for the log */
    struct chunk_pool transactions;  /* commands between MULTI and EXEC */
    struct intake intake;
    struct commit_queue commits;
    struct errands *errands; /* commands that several shards run; NULL: there is one shard */
    struct cases *cases;     /* NULL: none are followed */
    struct case_snapshots case_snapshots; /* of them, on the disk */
    struct hold_list holds;
    struct reject_ring rejects;
    struct delays delays;

    const struct redis_figures *redis; /* of the server's link; NULL: there is none */
    struct control *control;           /* of the first shard of a server; NULL: there is none */
    /* At the end of each turn, while something waits for the shard (io/reload/server_swap.h); NULL.
     */
    void (*each_turn)(void *context);
    void *each_turn_context;

    struct deferral turn; /* the shard's part of each turn */
    uint64_t turn_number;
    struct destination_set pushed;  /* destinations that got records and whose groups are to wake */
    struct session *unflushed;      /* sessions with replies to send */
    struct decimal_text receipt_ms; /* of the receipt that was written last */
    struct parking_line parked;
    bool publications_wanted, promises_wanted; /* a session waits since the pool was empty */
    struct timer park_timer;
    struct chunk_pool replies; /* for replies, of which long ones are sent from where they lie */
    struct chunk *reply;       /* of them, the one in which the next is written */
    uint8_t *reply_memory;     /* its data */
    size_t reply_capacity;
    uint8_t quoted_memory[RESP_INLINE_BYTES_MAX]; /* an inline command as it came */

    uint64_t started_ns, started_wall_ms;
    uint64_t huge_page_bytes; /* that the system gave the process for what it reserved */
    bool stopping, has_ended; /* ended: no turns any more */
    struct timer stop_timer;
    uint64_t stop_deadline_ns;
    struct shard_figures figures;
};

struct shard_settings {
    const struct config *config;
    uint16_t number;
    struct shard_family *family; /* NULL: it is the only one */
    uint32_t test_delay_turns;   /* claims and commits wait for up to so many turns; 0: never */
    uint64_t test_delay_seed;
    struct minute_table *minutes; /* to count in; outlives the shard. NULL: none */
    uint64_t minutes_saved_ms;
    /* Every now and then while the log is read, by the shard's thread. NULL: nobody looks. */
    void (*recovering)(void *context, const struct recover_figures *figures);
    void *context;
};

/* The start, step by step, on the shard's own thread; on failure one line in `out_problem`, and the
 * shard is to be closed.
 *
 *   shard_reserve   all memory, the ring, the files of the log
 *   shard_recover   reads the log, if there is one
 *   shard_begin     where the logs of all shards stand is known: this one goes on
 *   shard_listen    those who connect are the shard's, or whom `take` gives them to */
MUST_CHECK enum status shard_reserve(const struct shard_settings *settings,
                                     struct shard **out_shard, char *out_problem,
                                     size_t problem_capacity);
MUST_CHECK enum status shard_recover(struct shard *shard, char *out_problem,
                                     size_t problem_capacity);
MUST_CHECK enum status shard_begin(struct shard *shard, const struct shard_log_start *start,
                                   char *out_problem, size_t problem_capacity);
MUST_CHECK enum status shard_listen(struct shard *shard, const struct listener_taker *taker,
                                    char *out_problem, size_t problem_capacity);
/* All of them, of a shard that is the only one. On failure nothing is to be closed. */
MUST_CHECK enum status shard_open(const struct shard_settings *settings, struct shard **out_shard,
                                  char *out_problem, size_t problem_capacity);
/* Serves until stopped: SIGTERM and SIGINT do. False if its log failed: shard->log.failure. */
MUST_CHECK bool shard_run(struct shard *shard);
/* Stops accepting, finishes what was received, answers, flushes; the loop ends by itself. */
void shard_stop(struct shard *shard);
void shard_close(struct shard *shard);

/* Asks for the shard's part of this turn; cheap to repeat. */
void shard_wake(struct shard *shard);

/* With several: from now on others may decide what goes to this log; and, once a turn, what it has
 * room for (io/shard/room.h). */
void shard_share_rooms(struct shard *shard);
void shard_tell_rooms(struct shard *shard);

struct intake_account *shard_account(struct shard *shard, const struct participant *participant,
                                     const struct channel *channel);

/* Seconds of the log's time, for the window. */
uint32_t shard_window_time_s(const struct shard *shard);

#endif

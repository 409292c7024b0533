/* What the parts of errands share; only io/delivery/errand*.c include it. */
#ifndef KOUAN_IO_ERRAND_INSIDE_H
#define KOUAN_IO_ERRAND_INSIDE_H

#include "io/delivery/errand.h"
#include "io/delivery/group.h"
#include "io/delivery/merge.h"
#include "io/delivery/read.h"
#include "io/front/command.h"
#include "io/front/command_read.h"
#include "io/front/session.h"
#include "io/shard/shard.h"

enum {
    ERRAND_COMMAND_BYTES =
        64 * 1024,            /* of one command's words; longer ones name nothing there is */
    ERRAND_SHORT_BYTES = 512, /* of a reply that is not COMMAND_LONG */
    ERRANDS_OWED_MAX = 4096,  /* whose clients do not wait; else one each */
    ERRANDS_LONG_MAX = 16,    /* with long replies, at once */
    ERRAND_STANDS = 1024      /* commands of others that this shard has begun */
};

/* What is asked, or told. */
enum errand_message {
    ERRAND_RUN,       /* the command */
    ERRAND_WATERMARK, /* up to which id all is shown, now and for ever */
    ERRAND_BOOKS,     /* its accounts (io/shard/books.h) */
    ERRAND_NEW        /* told: something new at destination words[0] */
};

/* One shard's share of an errand. */
struct errand_part {
    struct errand *errand;
    struct errand_part *next; /* of those that wait to be sent */
    uint16_t shard;
    uint16_t message;
    bool is_in; /* the reply below is of this round */
    uint8_t *reply;
    size_t reply_capacity;
    struct chunk *chunk; /* of a long reply */
    /* Of who was asked: */
    size_t reply_bytes;
    bool has_consumed; /* so its client does */
    uint32_t cut;      /* a bit a stream: there is more behind its last entry */
    struct record_id watermark;
};

enum errand_step { ERRAND_ASKS, ERRAND_WAITS, ERRAND_REPLIES };

/* How a command becomes asks, and answers a reply. */
struct errand_kind {
    /* When nothing is out: asks more (errand_ask), waits to be woken, or replies. */
    enum errand_step (*step)(struct errand *errand);
    void (*reply)(struct errand *errand, struct resp_writer *writer);
    bool is_long;
    bool bears_failures; /* its reply looks at them; else the first is the reply */
};

/* ---- an errand ---- */

struct errand_ids {
    uint64_t shards;     /* a bit each, to which some of them belong */
    uint32_t first, end; /* arguments */
    uint64_t count;      /* XAUTOCLAIM: of entries */
    uint64_t bytes;      /* replied so far */
    uint16_t at;         /* how many shards were asked */
};

struct errand_read {
    uint32_t first_key, stream_count;
    uint64_t count;
    uint64_t block_ms;
    uint32_t history, last; /* a bit a stream: one's own pending entries; `+` */
    uint64_t left[READ_STREAMS_MAX];
    uint64_t bytes;     /* replied so far */
    uint16_t start, at; /* who is asked first, and how many were */
    uint16_t destinations[READ_STREAMS_MAX];
    uint64_t signature; /* equal for reads that wait for the same */
    bool for_group, blocks, is_falling;
};

struct errand {
    struct errands *errands;
    struct chunk *chunk;         /* in which all of it lies */
    struct session *session;     /* that waits; NULL: gone, or none does */
    struct reply_slot *slot;     /* that is owed; NULL: none */
    struct errand *next;         /* of those that are due, or wait for buffers */
    struct errand *ahead, *back; /* of those that are blocked */
    const struct errand_kind *kind;
    void (*merge)(const struct merge *merge, struct resp_writer *writer);
    struct errand_terms terms;
    struct participant participant; /* of the terms: what it may do */
    uint64_t asked;                 /* a bit a shard, of this round */
    uint16_t out;                   /* asks without answers */
    uint16_t round;
    bool is_due, is_going, is_replying;
    bool has_buffers, is_unbuffered; /* for long replies; in line for them */
    bool is_blocked, is_looking, looks_again, has_timed_out;
    union {
        struct errand_ids ids;
        struct errand_read read;
    };
    struct errand_part parts[]; /* by shard */
};

struct errand_line {
    struct errand *first, *last;
};

struct errands {
    struct shard *shard;
    struct mesh_end *mesh;
    struct errand_board *board;
    uint16_t self, count; /* of shards */
    uint16_t start;       /* who is asked first for new entries */
    struct chunk_pool memory, buffers;
    uint32_t owed, under_way;
    struct errand_line due, unbuffered;
    struct errand *blocked_first, *blocked_last;
    struct {
        struct errand_part *first, *last;
    } unsent[MESH_SHARDS_MAX];
    struct destination_set news;                    /* for own readers that are blocked */
    struct destination_set untold[MESH_SHARDS_MAX]; /* for peers */
    struct errand_stand *stands, *free_stands, *again;
    uint32_t stands_out;
    bool has_refused; /* a peer, for want of a stand */
    struct merge_named *scratch;
    uint32_t scratch_count;
};

/* What comes through the mesh is for these. */
void errands_hear(struct errands *errands);

/* A fresh one, with memory for everything but long replies. */
struct errand *errand_take(struct errands *errands);
/* The words, which the session may not keep. False: they are too many. */
bool errand_copy_command(struct errand *errand, const struct resp_command *command);

/* Asks the shard in this round; the part's reply is empty until then. */
void errand_ask(struct errand *errand, uint16_t shard, enum errand_message message);
void errand_ask_all(struct errand *errand, enum errand_message message);
/* Another round: replies that are there are forgotten. */
void errand_begin_round(struct errand *errand);
/* The replies of this round, without those that are errors; out_cut: a bit a part, by stream. */
uint32_t errand_replies(struct errand *errand, struct bytes *out_parts,
                        uint64_t out_cut[READ_STREAMS_MAX]);
struct merge errand_merge(const struct errand *errand, const struct bytes *parts, uint32_t count);
/* The first error of this round's replies; NULL: there is none. */
const struct errand_part *errand_failure(const struct errand *errand);
/* Goes on in this turn. */
void errand_make_due(struct errand *errand);
static inline struct bytes errand_part_bytes(const struct errand_part *part)
{
    return bytes_make(part->reply, part->reply_bytes);
}

/* Their replies to the errand, by errand->merge. */
void errand_reply_merged(struct errand *errand, struct resp_writer *writer);
/* Asks the shards of errand->ids at once. */
extern const struct errand_kind errand_by_ids;
/* Asks all shards, then replies. */
enum errand_step errand_step_all(struct errand *errand);

/* Replaces an argument. */
void errand_set_id(struct errand *errand, uint32_t argument, struct record_id id);

/* ---- the others' ---- */

/* How the command spreads, into a new errand; false: it does not. */
bool errand_plan(struct errand *errand, const struct session *session,
                 const struct command_row *row, const struct resp_command *command);
/* The shards of the ids from argument `first` on, into errand->ids. False: they are this shard's
 * own. */
bool errand_find_shards(struct errand *errand, const struct resp_command *command, uint32_t first);
bool errand_plan_read(struct errand *errand, const struct session *session,
                      const struct resp_command *command, bool for_group);
bool errand_plan_range(struct errand *errand, const struct session *session,
                       const struct resp_command *command, bool is_falling);
bool errand_plan_report(struct errand *errand, const struct session *session,
                        const struct command_row *row, const struct resp_command *command);
bool errand_plan_claim(struct errand *errand, const struct resp_command *command);
bool errand_plan_autoclaim(struct errand *errand, const struct resp_command *command);

/* Stands in line, if it does not yet, wants to be told of news, and looks from now on. */
void errand_look(struct errand *errand);
/* It has found nothing, and waits. False: it must look again. */
bool errand_block(struct errand *errand);
/* Leaves the line, if it stands there. */
void errand_unblock(struct errand *errand);
/* Lets those look for whom there is news. */
void errands_run_blocked(struct errands *errands);
/* The peers that could not be told before. */
void errands_tell_again(struct errands *errands);

MUST_CHECK enum status errand_stands_open(struct errands *errands);
void errand_stands_close(struct errands *errands);
/* False: not now. */
bool errand_serve(struct errands *errands, struct errand_part *part, uint16_t from);
void errands_run_stands(struct errands *errands);
/* Own or another shard's answer is there. */
void errand_answered(struct errand_part *part);

#endif

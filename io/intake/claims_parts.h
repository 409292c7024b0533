/* Claims over several shards. Only the claims' own modules include this.
 *
 *   A asks  --CLAIMS_ASK------> I owns the window; many at once, in their order; answers into them
 *   A finds --CLAIMS_COMPARE--> L has the record that I could not see; A asks I again, and says so
 *   A gives up --CLAIMS_WITHDRAW-> I
 *   L has it durable --CLAIMS_CONFIRM-> I      in the order of its log, and so its floor,
 *   L's log lets go  --CLAIMS_FLOOR---> all    which never overtakes what it stands for
 *
 * A's claims, bodies among them, are borrowed by I and L until they answer; A touches them neither.
 * What the mesh refuses stays in lines of ways and in the ring of notices, and is tried again. */
#ifndef KOUAN_IO_CLAIMS_PARTS_H
#define KOUAN_IO_CLAIMS_PARTS_H

#include "io/intake/claims.h"
#include "io/shard/mesh.h"
#include "io/shard/shard.h"

enum {
    CLAIMS_PARCEL_MAX = 256,  /* claims asked with one message */
    CLAIMS_COMPARES_MAX = 64, /* for others, that wait for the disk here */
    CLAIMS_NOTICES_MAX = 4096,
    CLAIMS_FOLLOW_NS = 200 * 1000
};

enum claims_message {
    CLAIMS_ASK,      /* context: the first way; word 0: how many are linked to it */
    CLAIMS_COMPARE,  /* context: the way; word 0: the position. Answer: COMPARE_WORD_... */
    CLAIMS_WITHDRAW, /* word 0: the entry */
    CLAIMS_CONFIRM,  /* word 0: the entry; word 1: the position of its record */
    CLAIMS_FLOOR     /* word 0: the position */
};

/* What an answered compare says: nothing of the record can be known if it failed. */
enum { COMPARE_POSITION, COMPARE_FAILED, COMPARE_MATCH, COMPARE_ID_MS, COMPARE_ID_SEQUENCE };

struct claim_line {
    struct claim_way *first, *last;
    uint32_t count;
};

/* What is to go to another shard, this one among them. */
struct claims_peer {
    struct claim_line asks, compares;
    uint64_t floor_told;
};

struct claims_notice {
    uint64_t words[2];
    uint16_t to, kind;
};

/* A record that is read for another shard's claim. */
struct claims_compare {
    struct recall_ask ask;
    struct claims *claims;
    struct claim_way *way; /* of the asker; NULL: free */
    uint16_t asker;
};

struct claims_far {
    struct mesh_end *mesh;
    uint16_t self, shards;
    struct claims_peer *peers; /* by shard */
    struct claim_line followers;
    struct timer follow_timer;
    struct claims *claims; /* of the timer */
    uint64_t floor;
    struct claims_notice *notices; /* index & (CLAIMS_NOTICES_MAX - 1) */
    uint64_t notices_first, notices_end;
    struct window_known *known; /* known_each for each claim; */
    struct window_known **known_free;
    uint32_t known_each, known_free_count;
    struct claims_compare compares[CLAIMS_COMPARES_MAX];
    struct window_claim serving[CLAIMS_PARCEL_MAX];
};

/* ---- io/intake/claims_far.c: who asks ---- */

MUST_CHECK enum status claims_far_open(struct claims *claims, uint32_t claims_max);
void claims_far_close(struct claims *claims);
void claims_far_ask(struct claims *claims, struct window_claim *items, struct claim_way *ways,
                    uint32_t count);
enum claim_state claims_far_settle(struct claims *claims, struct window_claim *item,
                                   struct claim_way *way);
void claims_far_end(struct claims *claims, struct claim_way *way);

/* The claims that are linked are answered. */
void claims_answered(struct claims *claims, struct claim_way *first);
/* What the record at `position`, of which a window knows, is for a claim. */
struct claims_found {
    uint64_t position;
    bool has_failed;
    enum window_match match;
    struct record_id id; /* of the first, with BODY */
};
void claims_found(struct claims *claims, struct claim_way *way, const struct claims_found *found);
/* Those that follow are asked again: the timer's. */
void claims_ask_followers(struct claims *claims);

/* ---- io/intake/claims_send.c: what goes to the other shards, and what comes from them ---- */

MUST_CHECK enum status claims_send_open(struct claims *claims);
void claims_send_close(struct claims *claims);
/* Sends what stands in the lines and was not told yet, as far as there is room; and serves what is
 * for this shard itself. */
void claims_far_run(struct claims *claims);
/* There is room: claims_notices_room. */
void claims_tell(struct claims *claims, uint16_t to, enum claims_message kind, uint64_t word0,
                 uint64_t word1);
uint32_t claims_notices_room(const struct claims *claims);

void claims_line_add(struct claim_line *line, struct claim_way *way);
/* The first ones, linked. */
struct claim_way *claims_line_take(struct claim_line *line, uint32_t count);

/* ---- io/intake/claims_serve.c: whose window, and whose log ---- */

/* Asks the window of this shard and writes the answers into the claims. */
void claims_serve(struct claims *claims, struct claim_way *first);
/* Compares, if the record is at hand; false: it has to be read. */
bool claims_compare(struct claims *claims, uint64_t position, const struct window_claim *claim,
                    struct claims_found *out_found);
/* What a record that was asked for is, as it was read. */
void claims_compare_read(struct claims *claims, uint64_t position, const struct window_claim *claim,
                         enum status status, const struct record_head *head,
                         struct claims_found *out_found);
/* For another shard. False: too many wait for the disk; not now. */
bool claims_serve_compare(struct claims *claims, const struct mesh_message *message);
void claims_serve_close(struct claims *claims);

/* ---- io/intake/claims.c ---- */

enum window_match claims_match_record(const struct shard *shard, const struct record *record,
                                      const struct window_claim *claim);

const struct claim_unread *claims_find_unread(const struct claims *claims, struct digest identity);
void claims_note_unread(struct claims *claims, const struct window_claim *item,
                        struct claim_way *way);
void claims_forget_unread(struct claims *claims, const struct window_claim *item,
                          struct claim_way *way);

#endif

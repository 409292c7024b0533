/* What `kouan explain` finds out about one body, and its two ways to be told. */
#ifndef KOUAN_IO_CLI_EXPLAIN_H
#define KOUAN_IO_CLI_EXPLAIN_H

#include "io/config/config.h"
#include "routes/router.h"

enum { EXPLAIN_BEATEN_MAX = 5, EXPLAIN_REASON_BYTES = 512 };

/* How its identity is made (routes/router.c), and why so. */
enum explained_identity {
    EXPLAINED_BY_ID,
    EXPLAINED_BY_BODY_RECEIPT,    /* a receipt's id is the original's */
    EXPLAINED_BY_BODY_OF_PROFILE, /* its profile knows no id */
    EXPLAINED_BY_BODY_WITHOUT_ID  /* this message has none */
};

struct explanation {
    const char *path;
    const struct generation *generation;
    const struct participant *participant;
    uint64_t now_ms;      /* the time at which it would come in */
    bool found_by_sender; /* nobody named the participant: its `ids` have the sender's address */
    struct bytes body;
    struct arrival arrival;
    struct routing routings[ROUTER_BATCH_MAX];        /* of its messages */
    const struct profile *profiles[ROUTER_BATCH_MAX]; /* NULL: none recognised it */
    uint32_t message_count;                           /* 0: it was not even looked at */
    bool refused;
    enum refusal refusal;
    char reason[EXPLAIN_REASON_BYTES]; /* of the refusal */
};

/* The routing's reading holds. */
static inline bool explain_was_read(const struct routing *routing)
{
    return routing->fault.reason == SCAN_NONE;
}

enum explained_identity explain_identity(const struct routing *routing);

/* The rules of a table that would also have held, behind its match: the first EXPLAIN_BEATEN_MAX of
 * them. How many there are in all. */
uint32_t explain_beaten(const struct explanation *explanation, const struct routing *routing,
                        uint16_t table, uint32_t out_rules[EXPLAIN_BEATEN_MAX]);

/* The first message that is refused at a place of the body; NULL if none is. */
const struct routing *explain_find_fault(const struct explanation *explanation);

void explain_print_text(const struct explanation *explanation);
void explain_print_json(const struct explanation *explanation); /* one object, no line end */

const char *explain_format_name(enum format format);

#endif

/* What `kouan explain` finds out about one body, and its two ways to be told. */
#ifndef KOUAN_IO_CLI_EXPLAIN_H
#define KOUAN_IO_CLI_EXPLAIN_H

#include "io/config.h"
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
    bool found_by_sender; /* nobody named the participant: its `ids` have the sender's address */
    struct bytes body;
    const struct profile *profile; /* NULL: none recognised it */
    bool was_read;                 /* the routing's reading holds */
    struct routing routing;
    bool refused;
    enum refusal refusal;
    char reason[EXPLAIN_REASON_BYTES]; /* of the refusal */
};

enum explained_identity explain_identity(const struct explanation *explanation);

/* The rules of a table that would also have held, behind its match: the first EXPLAIN_BEATEN_MAX of
 * them. How many there are in all. */
uint32_t explain_beaten(const struct explanation *explanation, uint16_t table,
                        uint32_t out_rules[EXPLAIN_BEATEN_MAX]);

/* Refused at a place of its body? */
static inline bool explain_has_offset(const struct explanation *explanation)
{
    return explanation->refused && explanation->routing.fault.reason != SCAN_NONE;
}

void explain_print_text(const struct explanation *explanation);
void explain_print_json(const struct explanation *explanation); /* one object, no line end */

const char *explain_format_name(enum format format);

#endif

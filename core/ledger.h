/* The conservation accounts. Every term is counted where it happens; none is derived from the
 * others, so that the gap between the two sides is a proof and not an identity.
 *
 *   intake, per participant and channel:   received = accepted + replay + refused + undecided
 *     (messages: of a body of several only one is known of until it was read)
 *   outlet, per destination:               routed + emitted = held + released + hold_rejected
 *                                              + offered (given to the groups) + backlog without
 * groups + unclaimed group, per group of a destination:     offered = acknowledged + pending +
 * backlog + dead_lettered
 *                                              + skipped + dropped
 *
 * One owner thread; readers take copies. */
#ifndef KOUAN_CORE_LEDGER_H
#define KOUAN_CORE_LEDGER_H

#include <stdint.h>

#include "core/window.h"

/* Why a message is refused: the counter, its name, the stable first word of the reply, its
 * explanation. */
#define REFUSAL_LIST(X)                                                                            \
    X(REJECTED, "rejected", "REJECTED",                                                            \
      "the body is malformed, no profile knows it, or a rule rejects it")                          \
    X(CONFLICT, "conflict", "CONFLICT",                                                            \
      "its id was used with another body, and its profile refuses that")                           \
    X(COLLISION, "collision", "CONFLICT", "an equal digest with other bytes: an alarm")            \
    X(UNROUTABLE, "unroutable", "UNROUTABLE", "no rule gives it a destination")                    \
    X(TOO_BIG, "too_big", "TOOBIG", "it is larger than message_max")                               \
    X(NO_PERMISSION, "no_permission", "NOPERM", "the participant may not send this")               \
    X(TRY_AGAIN, "try_again", "TRYAGAIN", "there is no room for it now; send it again later")

enum refusal {
#define X(constant, name, word, text) REFUSAL_##constant,
    REFUSAL_LIST(X)
#undef X
        REFUSAL_COUNT
};

const char *refusal_name(enum refusal refusal); /* "rejected", for reports */
const char *refusal_word(enum refusal refusal); /* "REJECTED", the first word of the reply */
const char *refusal_text(enum refusal refusal);

struct intake_account {
    uint64_t received;
    uint64_t fresh, conflict, amendment; /* accepted, by verdict */
    uint64_t replay;
    uint64_t refused[REFUSAL_COUNT];
    uint64_t undecided; /* a gauge */
    uint64_t received_bytes;
};

#define OUTLET_TERM_LIST(X)                                                                        \
    X(routed, "decided for this destination")                                                      \
    X(emitted, "made by Kouan for it: dead letters, releases")                                     \
    X(held, "waiting for an operator (now)")                                                       \
    X(released, "held, then released: went on as an emitted record")                               \
    X(hold_rejected, "held, then rejected by an operator")                                         \
    X(diverted, "went to its dead letter instead, since it was full")                              \
    X(offered, "given to the groups, once for all of them")                                        \
    X(retained, "kept for want of a group (now)")                                                  \
    X(unclaimed, "kept for want of a group until it fell off")

#define GROUP_TERM_LIST(X)                                                                         \
    X(offered, "records of the destination since the group began")                                 \
    X(acknowledged, "acknowledged, or read with NOACK")                                            \
    X(pending, "delivered, not yet acknowledged (now)")                                            \
    X(backlog, "not yet delivered (now)")                                                          \
    X(dead_lettered, "given up after deliveries_max, into the dead letter")                        \
    X(skipped, "skipped by an operator's command")                                                 \
    X(dropped, "let go for newer ones, since the destination was full (drop_oldest)")

struct outlet_account {
#define X(name, text) uint64_t name;
    OUTLET_TERM_LIST(X)
#undef X
};

struct group_account {
#define X(name, text) uint64_t name;
    GROUP_TERM_LIST(X)
#undef X
};

/* One more, of a message that came to be a record: fresh, a conflict or an amendment. */
void intake_count_accepted(struct intake_account *account, enum verdict verdict);
uint64_t intake_accepted(const struct intake_account *account);
uint64_t intake_refused(const struct intake_account *account);
void intake_add(struct intake_account *sum, const struct intake_account *account);

/* What one side has and the other lacks; 0 when the books are right. */
int64_t intake_gap(const struct intake_account *account);
int64_t outlet_gap(const struct outlet_account *account);
int64_t group_gap(const struct group_account *account);

#endif

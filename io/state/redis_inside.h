/* What the parts of io/state/redis_link.h share: redis_link.c (the connection, and what is said of
 * it), redis_talk.c (commands out, replies in). */
#ifndef KOUAN_IO_REDIS_INSIDE_H
#define KOUAN_IO_REDIS_INSIDE_H

#include <hiredis/hiredis.h>
#include <stddef.h>

#include "io/net/listener.h"
#include "io/state/redis_link.h"

#define NS_PER_MS UINT64_C(1000000)

enum {
    OUT_BYTES = 256 * 1024,
    IN_BYTES = 16 * 1024,
    REPLY_BYTES_MAX = 1024 * 1024, /* nothing that is asked for has such a reply */
    COMMANDS_MAX = 64,
    TICK_MS = 1000,
    TIMEOUT_MS = 5000, /* of a connection, and of a reply */
    RETRY_MIN_MS = 100,
    RETRY_MAX_MS = 10000,
    REASON_BYTES = 128,
    KEY_BYTES = 256
};

enum asked { ASKED_GREETING, ASKED_MARKER, ASKED_SET_MARKER, ASKED_ITEM };
enum phase { PHASE_DOWN, PHASE_CONNECTING, PHASE_UP, PHASE_CLOSING };

struct flight {
    uint8_t asked; /* enum asked */
    uint64_t sent_ns;
};

struct redis_link {
    struct loop *loop;
    const struct config_redis *config;
    struct address address;
    struct redis_source source;
    uint64_t epoch;
    char epoch_text[24], marker[KEY_BYTES];
    struct redis_figures figures;

    enum phase phase;
    int descriptor;
    struct operation connect, send, receive;
    uint8_t operations; /* of these three that are under way */
    bool is_sending, ends;
    bool is_greeted; /* it knows who we are, and which database is meant */
    struct timer timer;
    uint64_t retry_ms, began_ns;
    uint64_t rest_until_ns; /* after a refusal; 0: none */
    uint64_t random;

    redisReader *reader;
    struct flight flights[COMMANDS_MAX]; /* number % COMMANDS_MAX */
    uint64_t first_flight, end_flight;
    size_t out_size, out_sent;
    enum redis_state told;
    char reason[REASON_BYTES];
    uint8_t out[OUT_BYTES];
    char in[IN_BYTES];
};

#define LINK_OF(member, pointer)                                                                   \
    ((struct redis_link *)(void *)((char *)(pointer)-offsetof(struct redis_link, member)))

/* ---- redis_link.c ---- */

/* Ends the connection, says why, once, and tries again later. */
void redis_fail(struct redis_link *link, enum redis_state state, const char *reason);
/* While the connection closes: when nothing is under way any more the socket goes, and a new one is
 * made later. */
void redis_let_go(struct redis_link *link);
void redis_tell(struct redis_link *link, enum redis_state state, const char *reason);
/* Longer each time, and not the same for all. */
uint64_t redis_take_retry_ms(struct redis_link *link);
void redis_count(_Atomic uint64_t *figure, uint64_t more);

/* ---- redis_talk.c ---- */

/* The connection stands: says who we are, and listens. */
void redis_begin_talk(struct redis_link *link);
/* Each TICK_MS while it stands. */
void redis_tick(struct redis_link *link);
void redis_complete_send(struct loop *loop, struct operation *operation, int32_t result,
                         uint32_t flags);
void redis_complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                            uint32_t flags);

#endif

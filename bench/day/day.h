/* A provincial day as a seeded stream of messages. A day is a plan: what each message is and what
 * must become of it, 24 bytes a message. Its bytes are rendered from the plan on demand, always the
 * same, so that no body needs to be kept for replays, resends and checks.
 *
 * A day has streams, one per publishing connection; stream s belongs to e-port s % EPORT_COUNT. The
 * messages of a stream are numbered without gaps, in the order in which they are to be sent, and
 * refer to earlier messages of their own stream only. Immutable once open; any thread may read. */
#ifndef KOUAN_BENCH_DAY_H
#define KOUAN_BENCH_DAY_H

#include "bench/day/form.h"
#include "core/bytes.h"
#include "core/status.h"

enum {
    DAY_STREAMS_MAX = 64,
    DAY_MESSAGE_BYTES_MAX = 16 * 1024,
    DAY_PPM = 1000000,
    DAY_EVENT_BYTES_MIN = 240,
    DAY_EVENT_BYTES_MAX = 4096
};
#define DAY_NO_MESSAGE UINT32_MAX

/* What must become of a message; name, parts per million of a mixed day (the rest is fresh). */
#define DAY_FATE_LIST(X)                                                                           \
    X(FRESH, "fresh", 0)                                                                           \
    X(REPLAY, "replay", 100000)       /* the bytes of an earlier message: its receipt again */     \
    X(CONFLICT, "conflict", 5000)     /* an earlier id with other bytes: accepted, flagged */      \
    X(AMENDMENT, "amendment", 5000)   /* the same as a change or cancellation: accepted */         \
    X(MALFORMED, "malformed", 10000)  /* refused */                                                \
    X(UNROUTABLE, "unroutable", 2000) /* well-formed, but no rule names its office: refused */

enum day_fate {
#define X(name, text, ppm) FATE_##name,
    DAY_FATE_LIST(X)
#undef X
        FATE_COUNT
};

const char *day_fate_name(enum day_fate fate);
uint32_t day_fate_ppm(enum day_fate fate); /* of FRESH: the rest */

/* The demo's destinations, in the order of their bits in `struct day_message`. */
#define DAY_OUTLET_LIST(X)                                                                         \
    X(CUSTOMS, "customs")                                                                          \
    X(INSPECTION, "inspection")                                                                    \
    X(PORT, "port")                                                                                \
    X(TRADER, "trader")

enum day_outlet {
#define X(name, text) OUTLET_##name,
    DAY_OUTLET_LIST(X)
#undef X
        OUTLET_COUNT
};

const char *day_outlet_name(enum day_outlet outlet);

struct day_message {
    uint32_t batch;        /* the declarations that it is about */
    uint32_t twin;         /* REPLAY: the message repeated; CONFLICT, AMENDMENT: the one whose id it
                              bears; else DAY_NO_MESSAGE */
    uint32_t answered;     /* the message that it answers, or DAY_NO_MESSAGE */
    uint32_t order_key;    /* equal for messages with the same keys, below day->order_key_count */
    uint8_t kind, variant; /* enum day_kind; index into its form's variants */
    uint8_t entry_count;
    uint8_t fate;    /* enum day_fate */
    uint8_t fault;   /* enum day_fault, of MALFORMED */
    uint8_t outlets; /* bits of enum day_outlet: the demo's destinations that get it */
    uint8_t stream;
};

enum day_mix {
    MIX_DAY,      /* everything above */
    MIX_EVENTS,   /* canonical JSON of one size only, fresh or replays */
    MIX_SHORT,    /* events, short EDIFACT and receipts, fresh or replays */
    MIX_DOCUMENTS /* mostly orders, manifests and declarations of many entries, fresh or replays */
};

struct day_settings {
    uint64_t seed;
    uint32_t message_count; /* at least 1 */
    uint32_t stream_count;  /* 1 .. DAY_STREAMS_MAX */
    enum day_mix mix;
    uint32_t event_bytes; /* MIX_EVENTS: DAY_EVENT_BYTES_MIN .. DAY_EVENT_BYTES_MAX */
    uint32_t replay_ppm;  /* but for MIX_DAY */
};

struct day {
    struct day_settings settings;
    struct day_message *messages;               /* message_count of them */
    uint32_t stream_first[DAY_STREAMS_MAX + 1]; /* stream s is [first[s], first[s + 1]) */
    uint32_t order_key_count;
    struct day_press *press;
};

/* NO_MEMORY or OK. */
MUST_CHECK enum status day_open(const struct day_settings *settings, struct day *out_day);
void day_close(struct day *day);

/* Writes the bytes of a message, at most DAY_MESSAGE_BYTES_MAX, and returns how many. */
size_t day_render(const struct day *day, uint32_t index, uint8_t *out);

static inline const struct eport *day_eport(const struct day_message *message)
{
    return &eports[message->stream % EPORT_COUNT];
}

/* The facts of the declarations of a batch, on which the demo's rules decide. */
struct day_case {
    const char *office, *inspection, *mode, *goods;
    uint64_t trader; /* 10 digits */
};
struct day_case day_case_of(const struct day *day, const struct day_message *message);

#endif

/* The commands of the front door: one table, from which dispatch, COMMAND, COMMAND DOCS and
 * docs/commands.md come. A handler writes exactly one reply, or none if it blocks. Arity as in
 * Redis: with the name; negative: at least. */
#ifndef KOUAN_IO_COMMAND_H
#define KOUAN_IO_COMMAND_H

#include "io/front/session.h"

enum command_flag {
    COMMAND_NO_AUTH = 1, /* allowed before AUTH */
    COMMAND_FAST = 2,
    COMMAND_READ = 4,
    COMMAND_WRITE = 8,
    COMMAND_BLOCKING = 16,
    COMMAND_PUBLISH = 64,    /* takes a publication, and no barrier */
    COMMAND_LONG = 128,      /* its reply may be as long as any */
    COMMAND_AT_ONCE = 256,   /* is not queued between MULTI and EXEC */
    COMMAND_PROMISE = 512,   /* may reply later, when what it did is durable */
    COMMAND_PIPELINE = 1024, /* no barrier: the replies before it need not be known */
    COMMAND_SPREADS = 2048   /* concerns what all shards keep (io/delivery/errand.h) */
};

/* function, name, arity, flags, group, since, summary, arguments. Those that come by the million
 * stand first: they are found first. */
#define COMMAND_LIST(X)                                                                            \
    X(xadd, "XADD", -5, COMMAND_WRITE | COMMAND_FAST | COMMAND_PUBLISH, "stream", "5.0.0",         \
      "Publishes a message to a channel; its receipt is the id.",                                  \
      "channel [IDMP producer message-id] * body bytes")                                           \
    X(xack, "XACK", -4,                                                                            \
      COMMAND_WRITE | COMMAND_FAST | COMMAND_PROMISE | COMMAND_PIPELINE | COMMAND_SPREADS,         \
      "stream", "5.0.0", "Acknowledges messages of a group; returns how many were pending.",       \
      "destination group id [id ...]")                                                             \
    X(xreadgroup, "XREADGROUP", -7,                                                                \
      COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_LONG | COMMAND_SPREADS, "stream", "5.0.0",        \
      "Takes new messages of destinations, or shows one's own pending ones.",                      \
      "GROUP group consumer [COUNT count] [BLOCK ms] [NOACK] STREAMS destination [destination "    \
      "...] id | > [...]")                                                                         \
    X(auth, "AUTH", -2, COMMAND_NO_AUTH | COMMAND_FAST, "connection", "1.0.0",                     \
      "Authenticates the connection as a participant.", "participant secret")                      \
    X(client, "CLIENT", -2, COMMAND_NO_AUTH | COMMAND_LONG | COMMAND_SPREADS, "connection",        \
      "2.4.0", "Names and lists connections: SETNAME, GETNAME, SETINFO, ID, LIST, INFO ...",       \
      "subcommand [argument ...]")                                                                 \
    X(command, "COMMAND", -1, COMMAND_NO_AUTH | COMMAND_LONG, "server", "2.8.13",                  \
      "Describes the commands: COUNT, DOCS, INFO, LIST.", "[subcommand [name ...]]")               \
    X(config, "CONFIG", -2, COMMAND_READ, "server", "2.0.0", "Reads options: GET pattern ...",     \
      "GET pattern [pattern ...]")                                                                 \
    X(dbsize, "DBSIZE", 1, COMMAND_READ | COMMAND_FAST, "server", "1.0.0",                         \
      "How many destinations and channels there are.", "")                                         \
    X(discard, "DISCARD", 1, COMMAND_FAST | COMMAND_AT_ONCE, "transactions", "2.0.0",              \
      "Forgets the commands since MULTI.", "")                                                     \
    X(echo, "ECHO", 2, COMMAND_FAST, "connection", "1.0.0", "Returns its argument.", "message")    \
    X(exec, "EXEC", 1, COMMAND_AT_ONCE, "transactions", "1.2.0",                                   \
      "Carries out the commands since MULTI, one after the other.", "")                            \
    X(exists, "EXISTS", -2, COMMAND_READ | COMMAND_FAST, "generic", "1.0.0",                       \
      "How many of the names are destinations or channels.", "name [name ...]")                    \
    X(hello, "HELLO", -1, COMMAND_NO_AUTH | COMMAND_FAST, "connection", "6.0.0",                   \
      "Chooses RESP2 or RESP3, and may authenticate.",                                             \
      "[2 | 3 [AUTH participant secret] [SETNAME name]]")                                          \
    X(info, "INFO", -1, COMMAND_READ | COMMAND_SPREADS, "server", "1.0.0",                         \
      "The state of the server, as text.", "[section ...]")                                        \
    X(keys, "KEYS", 2, COMMAND_READ | COMMAND_LONG, "generic", "1.0.0",                            \
      "The names of destinations and channels that fit a pattern.", "pattern")                     \
    X(kouan, "KOUAN", -2, COMMAND_READ | COMMAND_LONG | COMMAND_PROMISE | COMMAND_SPREADS,         \
      "kouan", "7.2.4",                                                                            \
      "What Redis has no word for: LEDGER, COUNTERS, GROUPS, HEALTH, REJECTS, HOLDS, RELEASE, "    \
      "REJECT, STATUS, VERSION; by the control socket RELOAD, ROLLBACK, CONFIG.",                  \
      "subcommand [argument ...]")                                                                 \
    X(memory, "MEMORY", -2, COMMAND_READ | COMMAND_SPREADS, "server", "4.0.0",                     \
      "The size of what a destination keeps.", "USAGE destination [SAMPLES count]")                \
    X(multi, "MULTI", 1, COMMAND_FAST | COMMAND_AT_ONCE, "transactions", "1.2.0",                  \
      "Queues the commands that follow until EXEC.", "")                                           \
    X(ping, "PING", -1, COMMAND_FAST, "connection", "1.0.0", "Returns PONG or its argument.",      \
      "[message]")                                                                                 \
    X(pttl, "PTTL", 2, COMMAND_READ | COMMAND_FAST, "generic", "2.6.0", "As TTL.", "name")         \
    X(quit, "QUIT", -1, COMMAND_NO_AUTH | COMMAND_FAST | COMMAND_AT_ONCE, "connection", "1.0.0",   \
      "Closes the connection when all replies are sent.", "")                                      \
    X(reset, "RESET", 1, COMMAND_NO_AUTH | COMMAND_FAST | COMMAND_AT_ONCE, "connection", "6.2.0",  \
      "Puts the connection back into its first state.", "")                                        \
    X(scan, "SCAN", -2, COMMAND_READ | COMMAND_LONG, "generic", "2.8.0",                           \
      "The names of destinations and channels, some at a time.",                                   \
      "cursor [MATCH pattern] [COUNT count] [TYPE type]")                                          \
    X(select, "SELECT", 2, COMMAND_FAST, "connection", "1.0.0",                                    \
      "Accepts database 0, the only one.", "index")                                                \
    X(time, "TIME", 1, COMMAND_FAST, "server", "2.6.0", "The time: seconds and microseconds.", "") \
    X(ttl, "TTL", 2, COMMAND_READ | COMMAND_FAST, "generic", "1.0.0",                              \
      "-1 for a destination or channel, which never expires; -2 for what is none.", "name")        \
    X(type, "TYPE", 2, COMMAND_READ | COMMAND_FAST, "generic", "1.0.0",                            \
      "`stream` for a destination or channel, else `none`.", "name")                               \
    X(unwatch, "UNWATCH", 1, COMMAND_FAST, "transactions", "2.2.0", "Does nothing: see WATCH.",    \
      "")                                                                                          \
    X(watch, "WATCH", -2, COMMAND_FAST | COMMAND_AT_ONCE, "transactions", "2.2.0",                 \
      "Always an error: EXEC is not atomic here.", "key [key ...]")                                \
    X(xautoclaim, "XAUTOCLAIM", -6, COMMAND_WRITE | COMMAND_LONG | COMMAND_SPREADS, "stream",      \
      "6.2.0", "Takes over messages that have been pending for long, whoever's they are.",         \
      "destination group consumer min-idle-time start [COUNT count] [JUSTID]")                     \
    X(xclaim, "XCLAIM", -6, COMMAND_WRITE | COMMAND_LONG | COMMAND_SPREADS, "stream", "5.0.0",     \
      "Takes over pending messages of a dead consumer.",                                           \
      "destination group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-ms] "             \
      "[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]")                                           \
    X(xdel, "XDEL", -3, COMMAND_WRITE | COMMAND_FAST, "stream", "5.0.0",                           \
      "Always an error: no message is deleted by command.", "destination id [id ...]")             \
    X(xgroup, "XGROUP", -2, COMMAND_WRITE | COMMAND_PROMISE | COMMAND_SPREADS, "stream", "5.0.0",  \
      "Creates, moves and removes groups of a destination and their consumers.",                   \
      "CREATE destination group id | $ [MKSTREAM] [ENTRIESREAD n] | SETID destination group id | " \
      "$ [ENTRIESREAD n] | DESTROY destination group | CREATECONSUMER destination group consumer " \
      "| DELCONSUMER destination group consumer")                                                  \
    X(xinfo, "XINFO", -2, COMMAND_READ | COMMAND_LONG | COMMAND_SPREADS, "stream", "5.0.0",        \
      "Describes a destination, its groups or consumers.",                                         \
      "STREAM destination | GROUPS destination | CONSUMERS destination group")                     \
    X(xlen, "XLEN", 2, COMMAND_READ | COMMAND_FAST | COMMAND_SPREADS, "stream", "5.0.0",           \
      "The number of messages that a destination keeps.", "destination")                           \
    X(xpending, "XPENDING", -3, COMMAND_READ | COMMAND_LONG | COMMAND_SPREADS, "stream", "5.0.0",  \
      "What a group has delivered and not seen acknowledged.",                                     \
      "destination group [[IDLE min-idle-time] start end count [consumer]]")                       \
    X(xrange, "XRANGE", -4, COMMAND_READ | COMMAND_LONG | COMMAND_SPREADS, "stream", "5.0.0",      \
      "What a destination keeps, from one id to another.", "destination start end [COUNT count]")  \
    X(xread, "XREAD", -4, COMMAND_READ | COMMAND_BLOCKING | COMMAND_LONG | COMMAND_SPREADS,        \
      "stream", "5.0.0", "Shows what destinations keep behind an id, or waits for more.",          \
      "[COUNT count] [BLOCK ms] STREAMS destination [destination ...] id | $ | + [...]")           \
    X(xrevrange, "XREVRANGE", -4, COMMAND_READ | COMMAND_LONG | COMMAND_SPREADS, "stream",         \
      "5.0.0", "XRANGE from the end.", "destination end start [COUNT count]")                      \
    X(xtrim, "XTRIM", -4, COMMAND_WRITE, "stream", "5.0.0",                                        \
      "Always an error: retention is configured.", "destination MAXLEN | MINID threshold")

/* Below 6 clients do not try RESP3; some choose their dialect by it. */
#define COMMAND_REDIS_VERSION "7.2.4"

struct command_row {
    const char *name;
    uint32_t name_bytes;
    void (*run)(struct session *session, const struct resp_command *command);
    int16_t arity;
    uint16_t flags;
    const char *group, *since, *summary, *arguments;
};

extern const struct command_row command_rows[];
extern const uint32_t command_count;

/* By name, folded; NULL if unknown. */
const struct command_row *command_find(struct bytes name);

#define X(function, name, arity, flags, group, since, summary, arguments)                          \
    void command_##function(struct session *session, const struct resp_command *command);
COMMAND_LIST(X)
#undef X

/* ---- what handlers share ---- */

enum { COMMAND_AUTOCLAIM_COUNT = 100 }; /* what XAUTOCLAIM claims, unless COUNT says else */

#define COMMAND_NO_TRIM                                                                            \
    "ERR Kouan does not trim by command: retention is configured per destination"
#define COMMAND_NOT_CONSUMED "NOPERM this participant may not consume that destination"
#define COMMAND_NO_CONSUMER  "ERR too many consumers in this group, or the name is none"

/* One-line replies. */
void command_reply_error(struct session *session, const char *text);
void command_reply_ok(struct session *session);
void command_reply_integer(struct session *session, int64_t value);
/* The same, when all that was written to the log so far is durable; of COMMAND_PROMISE. */
void command_promise_ok(struct session *session);
void command_promise_integer(struct session *session, int64_t value);
/* The slot of a reply that is owed and comes later, for a session that has waited for one. */
struct reply_slot *command_take_slot(struct session *session, enum reply_kind kind);
/* An error of a COMMAND_PIPELINE, behind the replies that are owed before it. */
void command_refuse_in_order(struct session *session, const char *text);
/* For a subcommand that its command does not carry out: HELP, or "ERR unknown subcommand 'x'. Try
 * NAME HELP.", or of a known one's number of arguments. */
void command_reply_other_subcommand(struct session *session, const struct resp_command *command);
/* "NOGROUP No such consumer group ..." */
void command_reply_no_group(struct session *session, struct bytes key, struct bytes group);

/* `ms` or `ms-seq`; `missing_seq` fills in the second half. */
bool command_parse_id(struct bytes text, uint64_t missing_seq, struct record_id *out_id);
/* Or `-` and `+`, the least and the greatest. */
bool command_parse_edge_id(struct bytes text, struct record_id *out_id);

/* An end of a range of ids: `(id` excludes the id itself, `-` and `+` are the ends of all. NULL, or
 * what is wrong. */
const char *command_parse_range_end(struct bytes text, bool is_start, struct record_id *out_id);

/* The destination that a key names and the participant may consume; NULL after an error reply,
 * NOPERM alike for an unknown one when participants are configured, so that names cannot be probed.
 * `missing_ok`: no reply for an unknown one. */
struct outlet *command_outlet(struct session *session, struct bytes key, bool *out_denied);
/* The same, without a reply: COMMAND_NOT_CONSUMED is the caller's to say. */
struct outlet *command_seek_outlet(const struct session *session, struct bytes key,
                                   bool *out_denied);
/* The group that arguments 1 and 2 name; NULL after an error reply. */
struct group *command_group(struct session *session, const struct resp_command *command);

#endif

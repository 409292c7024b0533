/* The stories of messages, gathered from a journal in one walk, and told by `kouan trace`. */
#ifndef KOUAN_IO_CLI_TRACE_H
#define KOUAN_IO_CLI_TRACE_H

#include "io/cli/client.h"
#include "io/cli/logbook.h"

enum trace_kind {
    TRACE_SETTLED,  /* by a group */
    TRACE_RELEASED, /* the hold at a destination ended */
    TRACE_REJECTED,
    TRACE_REPEATED, /* Kouan made a record of it: released, or dead letter */
    TRACE_COPIED    /* forward, from a segment that was to go */
};

/* What became of a message, once it was there. */
struct trace_event {
    enum trace_kind kind;
    uint64_t wall_ms, position;
    uint32_t group_number; /* SETTLED */
    enum settled_how how;
    bool is_undone; /* the group was moved back before it: it is offered again */
    char destination[LOGBOOK_DESTINATION_BYTES]; /* RELEASED, REJECTED */
    struct record_id id;                         /* REPEATED: the new one's */
    enum record_cause cause;
};

struct trace_story {
    struct record *record; /* a copy */
    uint64_t position, wall_ms;
    struct trace_event *events;
    uint32_t event_count, event_capacity;
};

struct trace {
    struct log_reader reader;
    struct logbook_names names;
    struct logbook_groups groups;
    struct trace_story *stories; /* as they came */
    uint32_t story_count, story_capacity;
    struct client *client; /* NULL: no server is asked */
};

/* A delivery that was not acknowledged when the server was asked. */
struct trace_pending {
    bool is_known; /* the server answered */
    bool is_pending;
    char consumer[256];
    uint64_t idle_ms, deliveries;
};

enum trace_stand {
    STAND_SETTLED,
    STAND_BEHIND, /* the group stood behind it without a word: it began there, was moved, or what
                     it said went with its segment */
    STAND_OPEN    /* waiting, or pending */
};

/* Is the group one of a destination that has the message? Then how it stands to it, with the event
 * that says so; NULL: none does. */
bool trace_stand(const struct trace *trace, const struct trace_story *story,
                 const struct logbook_group *group, enum trace_stand *out_stand,
                 const struct trace_event **out_event);
struct trace_pending trace_ask(const struct trace *trace, const struct trace_story *story,
                               const struct logbook_group *group);

void trace_print_text(const struct trace *trace, const struct trace_story *story);
void trace_print_json(const struct trace *trace, const struct trace_story *story);

#endif

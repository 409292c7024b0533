/* The names there are, as Redis's keys: EXISTS, TYPE, TTL, SCAN, KEYS, DBSIZE, MEMORY USAGE. A name
 * is a destination that the participant may consume, or a channel that it may publish to; what it
 * may not is not there. */
#include "io/front/command.h"
#include "io/front/glob.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

/* ---- names ---- */

static bool sees_destination(const struct session *session, const struct destination *destination)
{
    return !destination->is_removed &&
           (session->shard->generation->open || session->participant->operate ||
            destination_set_has(&session->participant->consume, destination->index));
}

/* The destination of that name, if the participant sees it. */
static const struct destination *visible_destination(const struct session *session,
                                                     struct bytes name)
{
    const struct destination *destination =
        generation_destination(session->shard->generation, name);
    return destination != NULL && sees_destination(session, destination) ? destination : NULL;
}

static bool sees_channel(const struct session *session, const struct channel *channel)
{
    return !channel->is_removed &&
           (session->shard->generation->open || session->participant->operate ||
            participant_may_publish(session->participant, channel->index));
}

static bool exists(const struct session *session, struct bytes name)
{
    const struct channel *channel = generation_channel(session->shard->generation, name);
    return visible_destination(session, name) != NULL ||
           (channel != NULL && sees_channel(session, channel));
}

/* Destinations, then channels. */
static uint32_t place_count(const struct session *session)
{
    const struct generation *generation = session->shard->generation;
    return (uint32_t)generation->destination_count + generation->channel_count;
}

/* NULL: what is there is not seen, or was a destination's name. */
static const char *name_at(const struct session *session, uint32_t place)
{
    const struct generation *generation = session->shard->generation;
    if (place < generation->destination_count) {
        const struct destination *destination = generation->destinations[place];
        return sees_destination(session, destination) ? destination->name : NULL;
    }
    const struct channel *channel = generation->channels[place - generation->destination_count];
    bool is_twice = visible_destination(session, bytes_from_text(channel->name)) != NULL;
    return sees_channel(session, channel) && !is_twice ? channel->name : NULL;
}

/* ---- one key ---- */

void command_exists(struct session *session, const struct resp_command *command)
{
    int64_t count = 0;
    for (uint32_t i = 1; i < command->count; i++)
        count += exists(session, command->arguments[i]);
    command_reply_integer(session, count);
}

void command_type(struct session *session, const struct resp_command *command)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_simple(&writer, exists(session, command->arguments[1]) ? "stream" : "none");
    session_reply_end(session, &writer);
}

void command_ttl(struct session *session, const struct resp_command *command)
{
    command_reply_integer(session, exists(session, command->arguments[1]) ? -1 : -2);
}

void command_pttl(struct session *session, const struct resp_command *command)
{
    command_ttl(session, command);
}

void command_memory(struct session *session, const struct resp_command *command)
{
    int64_t samples;
    if (!is(command->arguments[1], "USAGE") || command->count < 3) {
        command_reply_other_subcommand(session, command);
        return;
    }
    if (command->count > 3 && (command->count != 5 || !is(command->arguments[3], "SAMPLES"))) {
        command_reply_error(session, "ERR syntax error");
        return;
    }
    if (command->count == 5 && !bytes_parse_i64(command->arguments[4], &samples)) {
        command_reply_error(session, "ERR value is not an integer or out of range");
        return;
    }
    const struct destination *destination = visible_destination(session, command->arguments[2]);
    struct resp_writer writer = session_reply_begin(session);
    if (destination != NULL)
        resp_write_integer(&writer, (int64_t)session->shard->outlets[destination->index].bytes);
    else
        resp_write_null(&writer);
    session_reply_end(session, &writer);
}

/* ---- all keys ---- */

struct key_walk {
    struct bytes pattern; /* without data: all */
    uint32_t first, end;  /* places to look at */
    bool of_other_type;
};

static bool is_wanted(const struct session *session, const struct key_walk *walk, uint32_t place)
{
    const char *name = name_at(session, place);
    return name != NULL && !walk->of_other_type &&
           (walk->pattern.data == NULL || glob_fits(walk->pattern, bytes_from_text(name), false));
}

static void write_names(struct resp_writer *writer, const struct session *session,
                        const struct key_walk *walk)
{
    uint32_t count = 0;
    for (uint32_t place = walk->first; place < walk->end; place++)
        count += is_wanted(session, walk, place);
    resp_write_array(writer, count);
    for (uint32_t place = walk->first; place < walk->end; place++)
        if (is_wanted(session, walk, place))
            resp_write_bulk_text(writer, name_at(session, place));
}

static const char *parse_scan(const struct resp_command *command, uint32_t places,
                              struct key_walk *out)
{
    enum { SCAN_COUNT = 10 };
    uint64_t cursor;
    int64_t number = SCAN_COUNT;
    *out = (struct key_walk){0};
    if (!bytes_parse_u64(command->arguments[1], &cursor))
        return "ERR invalid cursor";
    for (uint32_t at = 2; at < command->count; at += 2) {
        if (at + 1 == command->count)
            return "ERR syntax error";
        struct bytes value = command->arguments[at + 1];
        if (is(command->arguments[at], "MATCH"))
            out->pattern = value;
        else if (is(command->arguments[at], "TYPE"))
            out->of_other_type = !is(value, "stream");
        else if (!is(command->arguments[at], "COUNT"))
            return "ERR syntax error";
        else if (!bytes_parse_i64(value, &number))
            return "ERR value is not an integer or out of range";
        if (number < 1)
            return "ERR syntax error";
    }
    out->first = cursor < places ? (uint32_t)cursor : places;
    out->end = number < places - out->first ? out->first + (uint32_t)number : places;
    return NULL;
}

void command_scan(struct session *session, const struct resp_command *command)
{
    struct key_walk walk;
    uint32_t places = place_count(session);
    const char *problem = parse_scan(command, places, &walk);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, 2);
    resp_write_bulk_format(&writer, "%u", walk.end < places ? walk.end : 0);
    write_names(&writer, session, &walk);
    session_reply_end(session, &writer);
}

void command_keys(struct session *session, const struct resp_command *command)
{
    const struct key_walk walk = {.pattern = command->arguments[1], .end = place_count(session)};
    struct resp_writer writer = session_reply_begin(session);
    write_names(&writer, session, &walk);
    session_reply_end(session, &writer);
}

void command_dbsize(struct session *session, const struct resp_command *command)
{
    int64_t count = 0;
    (void)command;
    for (uint32_t place = 0; place < place_count(session); place++)
        count += name_at(session, place) != NULL;
    command_reply_integer(session, count);
}

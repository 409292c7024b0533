/* What XREAD, XREADGROUP and XRANGE show of several logs.
 *
 * Readers that go on from the last id that they saw must miss nothing, so an id is shown only when
 * no lower one can come any more, in any log: each is asked how far that is, and passes what the
 * others have published (ERRAND_WATERMARK). New entries of a group, which belong to who is given
 * them, are taken at one shard after the other until there are as many as were asked for; one's own
 * pending ones are looked for first, so that none counts as delivered which is not shown. */
#include "io/delivery/errand_inside.h"

static bool is_text(struct bytes argument, const char *word)
{
    return bytes_equal_text(argument, word);
}

/* ---- XRANGE and XREVRANGE ---- */

static struct record_id least_watermark(const struct errand *errand)
{
    struct record_id least = errand->parts[0].watermark;
    for (uint16_t i = 1; i < errand->errands->count; i++)
        if (record_id_compare(errand->parts[i].watermark, least) < 0)
            least = errand->parts[i].watermark;
    return least;
}

static enum errand_step step_range(struct errand *errand)
{
    switch (errand->round++) {
    case 0: errand_ask_all(errand, ERRAND_WATERMARK); return ERRAND_ASKS;
    case 1:
        errand->terms.until[0] = least_watermark(errand);
        errand_ask_all(errand, ERRAND_RUN);
        return ERRAND_ASKS;
    default: return ERRAND_REPLIES;
    }
}

static void reply_range(struct errand *errand, struct resp_writer *writer)
{
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct merge merge = errand_merge(errand, parts, count);
    const struct merge_limits limits = {.count = errand->read.count,
                                        .bytes_max = errand->terms.bytes_max,
                                        .cut = cut[0],
                                        .is_falling = errand->read.is_falling};
    merge_entries(&merge, &limits, writer);
}

static const struct errand_kind range_kind = {step_range, reply_range, .is_long = true};

/* What is wrong, or shows nothing, is answered here. */
bool errand_plan_range(struct errand *errand, const struct session *session,
                       const struct resp_command *command, bool is_falling)
{
    bool denied;
    int64_t count;
    errand->kind = &range_kind;
    errand->read = (struct errand_read){.count = UINT64_MAX, .is_falling = is_falling};
    for (uint32_t at = 4; at < command->count; at += 2) {
        if (!bytes_equal_fold(command->arguments[at], BYTES_LITERAL("COUNT")) ||
            at + 1 == command->count || !bytes_parse_i64(command->arguments[at + 1], &count) ||
            count <= 0)
            return false;
        errand->read.count = (uint64_t)count;
    }
    return command_seek_outlet(session, command->arguments[1], &denied) != NULL && !denied;
}

/* ---- XREAD and XREADGROUP ---- */

enum read_round { READ_BEGINS, READ_HAS_WATERMARK, READ_HAS_LOOKED, READ_PASSES, READ_HAS_SHOWN };

static bool is_in(uint32_t streams, uint32_t stream)
{
    return (streams >> stream & 1) != 0;
}

static uint32_t id_argument(const struct errand_read *read, uint32_t stream)
{
    return read->first_key + read->stream_count + stream;
}

/* The place of a stream in the parts: a destination that does not exist has none. */
static uint32_t place_of(const struct errand_read *read, uint32_t stream)
{
    uint32_t place = 0;
    for (uint32_t s = 0; s < stream; s++)
        place += read->destinations[s] != NO_DESTINATION;
    return place;
}

static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* One stream's destination and id; false if it is for its handler to say what is wrong. */
static bool plan_stream(struct errand_read *read, const struct session *session,
                        const struct resp_command *command, const struct read_arguments *arguments,
                        uint32_t stream)
{
    bool denied;
    struct record_id id;
    struct bytes text = command->arguments[id_argument(read, stream)];
    const struct outlet *outlet =
        command_seek_outlet(session, command->arguments[read->first_key + stream], &denied);
    if (denied)
        return false;
    read->destinations[stream] = outlet != NULL ? outlet->destination->index : NO_DESTINATION;
    bool is_new = is_text(text, ">");
    if (!read->for_group) {
        read->last |= (uint32_t)is_text(text, "+") << stream;
        return is_text(text, "+") || is_text(text, "$") || command_parse_id(text, 0, &id);
    }
    const struct group *group = outlet != NULL ? outlet_find_group(outlet, arguments->group) : NULL;
    read->history |= (uint32_t)!is_new << stream;
    if (group != NULL && group->order != NULL)
        read->signature = 0; /* what may go to one may not to another */
    return group != NULL && (is_new || command_parse_id(text, 0, &id));
}

static bool plan(struct errand *errand, const struct session *session,
                 const struct resp_command *command, const struct read_arguments *arguments)
{
    struct errand_read *read = &errand->read;
    bool has_some = false;
    read->signature =
        hash_add(UINT64_C(0xcbf29ce484222325), arguments->group.data, arguments->group.size);
    for (uint32_t s = 0; s < read->stream_count; s++) {
        if (!plan_stream(read, session, command, arguments, s))
            return false;
        has_some |= read->destinations[s] != NO_DESTINATION;
        if (read->signature != 0)
            read->signature =
                hash_add(read->signature, &read->destinations[s], sizeof read->destinations[s]);
    }
    if (!read->for_group || read->history != 0)
        read->signature = 0;
    return has_some;
}

static const struct errand_kind read_kind;

bool errand_plan_read(struct errand *errand, const struct session *session,
                      const struct resp_command *command, bool for_group)
{
    struct read_arguments arguments;
    if (command_parse_read(command, for_group, &arguments) != NULL)
        return false;
    errand->kind = &read_kind;
    errand->read = (struct errand_read){
        .first_key = arguments.first_key,
        .stream_count = arguments.stream_count,
        .count = arguments.count,
        .block_ms = arguments.block_ms,
        .for_group = for_group,
        .blocks = arguments.blocks && !session->transaction.running,
    };
    return plan(errand, session, command, &arguments);
}

/* ---- who is asked ---- */

static void look_at_history(struct errand *errand)
{
    for (uint32_t s = 0; s < errand->read.stream_count; s++) {
        bool is_history = is_in(errand->read.history, s);
        errand->terms.counts[s] = is_history ? errand->read.count : 0;
        errand->terms.until[s] = (struct record_id){UINT64_MAX, UINT64_MAX};
    }
    errand->terms.bytes_max = errand->errands->shard->config->options.reply_max;
    errand->terms.looks = true;
    errand->round = READ_HAS_LOOKED;
    errand_ask_all(errand, ERRAND_RUN);
}

/* So far may each history be shown: as many as are asked for, and one reply may have. */
static void bound_history(struct errand *errand)
{
    struct errand_read *read = &errand->read;
    struct bytes parts[MESH_SHARDS_MAX], lists[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    for (uint32_t s = 0; s < read->stream_count; s++) {
        if (!is_in(read->history, s))
            continue;
        for (uint32_t i = 0; i < count; i++)
            lists[i] = merge_stream(parts[i], errand->terms.protocol, s);
        struct merge merge = errand_merge(errand, lists, count);
        const struct merge_limits limits = {.count = read->count,
                                            .bytes_max =
                                                errand->errands->shard->config->options.reply_max,
                                            .cut = cut[s]};
        errand->terms.until[s] = merge_last_id(&merge, &limits);
    }
    errand->terms.looks = false;
}

static void begin_pass(struct errand *errand)
{
    struct errand_read *read = &errand->read;
    errand_begin_round(errand);
    read->start = errand->errands->start;
    read->at = 0;
    read->bytes = 0;
    for (uint32_t s = 0; s < read->stream_count; s++)
        read->left[s] = is_in(read->history, s) ? 0 : read->count;
}

static uint16_t shard_at(const struct errand *errand, uint16_t at)
{
    return (uint16_t)((errand->read.start + at) % errand->errands->count);
}

/* What the last one gave is no longer to be found. */
static void count_taken(struct errand *errand)
{
    struct errand_read *read = &errand->read;
    const struct errand_part *part = &errand->parts[shard_at(errand, (uint16_t)(read->at - 1))];
    if (part->reply[0] == '-')
        return;
    read->bytes += part->reply_bytes;
    for (uint32_t s = 0; s < read->stream_count; s++) {
        if (is_in(read->history, s))
            continue;
        struct resp_cursor cursor =
            resp_cursor_make(merge_stream(errand_part_bytes(part), errand->terms.protocol, s));
        struct resp_item item;
        if (resp_cursor_next(&cursor, &item))
            read->left[s] -= item.count;
    }
}

static bool has_enough(const struct errand *errand)
{
    const struct errand_read *read = &errand->read;
    uint64_t left = 0;
    for (uint32_t s = 0; s < read->stream_count; s++)
        left |= read->left[s];
    return left == 0 || read->bytes >= errand->errands->shard->config->options.reply_max;
}

/* One shard after the other. False: that was all. */
static bool ask_next(struct errand *errand)
{
    struct errand_read *read = &errand->read;
    struct errands *errands = errand->errands;
    if (read->at > 0)
        count_taken(errand);
    bool enough = has_enough(errand);
    if (read->at == errands->count || (enough && read->history == 0)) {
        /* Those that were not reached come first the next time. */
        errands->start = read->at < errands->count ? shard_at(errand, read->at) : errands->self;
        return false;
    }
    uint64_t reply_max = errands->shard->config->options.reply_max;
    errand->terms.bytes_max = read->bytes < reply_max ? reply_max - read->bytes : 1;
    if (read->history != 0) /* which is bounded already */
        errand->terms.bytes_max = UINT64_MAX;
    for (uint32_t s = 0; s < read->stream_count; s++)
        errand->terms.counts[s] = is_in(read->history, s) ? read->count
                                  : enough                ? 0
                                                          : read->left[s];
    errand_ask(errand, shard_at(errand, read->at++), ERRAND_RUN);
    return true;
}

/* Without a group: all at once, up to where all have shown everything; `$` is what is the last
 * now. */
static void ask_below_watermark(struct errand *errand)
{
    struct errand_read *read = &errand->read;
    struct record_id until = least_watermark(errand);
    for (uint32_t s = 0; s < read->stream_count; s++) {
        errand->terms.until[s] = until;
        errand->terms.counts[s] = is_in(read->last, s) ? 1 : read->count;
        if (is_text(errand->terms.command.arguments[id_argument(read, s)], "$"))
            errand_set_id(errand, id_argument(read, s), until);
    }
    errand_ask_all(errand, ERRAND_RUN);
}

/* Where there is no last entry, who waits is shown the first that comes. */
static void forget_last(struct errand *errand)
{
    struct errand_read *read = &errand->read;
    for (uint32_t s = 0; s < read->stream_count; s++)
        if (is_in(read->last, s))
            errand_set_id(errand, id_argument(read, s), errand->terms.until[s]);
    read->last = 0;
}

/* ---- what is replied ---- */

/* False, and nothing is written, if there is nothing to name. A history is named without entries,
 * too, if so said. */
static bool write_reply(struct errand *errand, bool names_histories, struct resp_writer *writer)
{
    const struct errand_read *read = &errand->read;
    struct bytes parts[MESH_SHARDS_MAX];
    struct merge_limits limits[READ_STREAMS_MAX];
    uint64_t cut[READ_STREAMS_MAX], bytes_max = errand->errands->shard->config->options.reply_max;
    uint32_t count = errand_replies(errand, parts, cut), always = 0, places = 0;
    for (uint32_t s = 0; s < read->stream_count; s++) {
        if (read->destinations[s] == NO_DESTINATION)
            continue;
        bool is_taken = read->for_group && !is_in(read->history, s);
        always |= (uint32_t)(names_histories && is_in(read->history, s)) << place_of(read, s);
        limits[places++] = (struct merge_limits){
            .count = is_in(read->last, s) ? 1 : read->count,
            .bytes_max = read->for_group ? UINT64_MAX : bytes_max, /* or it is bounded already */
            .cut = cut[s],
            .shows_all = is_taken,
            .is_falling = is_in(read->last, s),
        };
    }
    struct merge merge = errand_merge(errand, parts, count);
    return count > 0 && merge_streams(&merge, limits, places, always, writer);
}

static bool has_some(struct errand *errand, bool names_histories)
{
    struct resp_writer nowhere;
    resp_writer_init(&nowhere, errand->terms.protocol, NULL, 0);
    return write_reply(errand, names_histories, &nowhere);
}

/* Something that is worth a reply. New entries of a group were counted as they came: to look for
 * them among the parts would cost as much as to write them. */
static bool has_found(struct errand *errand)
{
    const struct errand_read *read = &errand->read;
    if (!read->for_group || read->history != 0)
        return has_some(errand, true);
    for (uint32_t s = 0; s < read->stream_count; s++)
        if (read->left[s] != read->count)
            return true;
    return false;
}

static void reply_read(struct errand *errand, struct resp_writer *writer)
{
    if (write_reply(errand, true, writer))
        return;
    const struct errand_part *failure = errand_failure(errand);
    if (failure == NULL)
        resp_write_null_array(writer);
    else if (errand->is_blocked &&
             bytes_start_with(errand_part_bytes(failure), BYTES_LITERAL("-NOGROUP")))
        resp_write_error(writer, READ_GROUP_GONE);
    else
        resp_write_raw(writer, errand_part_bytes(failure));
}

static enum errand_step begin(struct errand *errand)
{
    if (errand->read.blocks)
        errand_look(errand);
    if (!errand->read.for_group) {
        errand->round = READ_HAS_WATERMARK;
        errand_ask_all(errand, ERRAND_WATERMARK);
        return ERRAND_ASKS;
    }
    if (errand->read.history != 0) {
        look_at_history(errand);
        return ERRAND_ASKS;
    }
    errand->round = READ_PASSES;
    begin_pass(errand);
    return ERRAND_ASKS;
}

/* All that was found was given up in the meantime, into a dead letter as a rule, and there may be
 * more behind it: a reply without entries says that there is none. */
static bool must_look_again(struct errand *errand)
{
    bool is_bounded = false;
    for (uint32_t s = 0; s < errand->read.stream_count; s++)
        is_bounded |= is_in(errand->read.history, s) && errand->terms.until[s].ms != UINT64_MAX;
    return is_bounded && errand_failure(errand) == NULL && !has_some(errand, false);
}

static enum errand_step show(struct errand *errand)
{
    if (must_look_again(errand)) {
        look_at_history(errand);
        return ERRAND_ASKS;
    }
    errand->round = READ_BEGINS;
    if (!errand->read.blocks || errand->has_timed_out || errand_failure(errand) != NULL ||
        has_found(errand))
        return ERRAND_REPLIES;
    forget_last(errand);
    return errand_block(errand) ? ERRAND_WAITS : ERRAND_ASKS;
}

static enum errand_step step_read(struct errand *errand)
{
    switch ((enum read_round)errand->round) {
    case READ_BEGINS: return begin(errand);
    case READ_HAS_WATERMARK:
        errand->round = READ_HAS_SHOWN;
        ask_below_watermark(errand);
        return ERRAND_ASKS;
    case READ_HAS_LOOKED:
        if (errand_failure(errand) != NULL)
            return ERRAND_REPLIES;
        bound_history(errand);
        errand->round = READ_PASSES;
        begin_pass(errand);
        return ERRAND_ASKS;
    case READ_PASSES: return ask_next(errand) ? ERRAND_ASKS : show(errand);
    case READ_HAS_SHOWN: break;
    }
    return show(errand);
}

static const struct errand_kind read_kind = {step_read, reply_read, .is_long = true,
                                             .bears_failures = true};

struct destination_set errand_awaits(const struct session *session)
{
    struct destination_set awaited = {0};
    const struct errand *errand = session->errand;
    if (errand == NULL || errand->kind != &read_kind || !errand->read.blocks)
        return awaited;
    for (uint32_t s = 0; s < errand->read.stream_count; s++)
        if (errand->read.destinations[s] != NO_DESTINATION)
            destination_set_add(&awaited, errand->read.destinations[s]);
    return awaited;
}

/* Where the log lies, and the limits that only make sense together. */
#include <inttypes.h>
#include <stdio.h>

#include "core/journal_format.h"
#include "io/config/config_build.h"
#include "io/file.h"
#include "io/journal/facts.h"
#include "io/net/chunk.h"

/* For what is read from a message: its values, up to RECORD_VALUES_MAX, and their text. */
enum { RECORD_ROOM_BYTES = 128 * 1024 };
static_assert(RECORD_ROOM_BYTES > RECORD_VALUES_MAX * sizeof(struct record_value), "they fit");

/* A block holds a record and its header, and a segment four blocks. */
enum { SEGMENT_RECORDS_MIN = 4 };

/* `sync: memory` has segments, too: so that as many fit even a small `memory`. */
enum { MEMORY_SEGMENTS_MIN = 2, MEMORY_BLOCKS_MIN = 16, JOURNAL_SEGMENTS_MIN = 8 };

enum { PARTS_TEXT_BYTES = 64 };

static void read_sync(struct config_build *build)
{
    const struct yaml_node *node = yaml_member(build->root, "sync");
    struct bytes text;
    if (!config_text(build, node, &text))
        return;
    if (bytes_equal_text(text, "commit"))
        build->config->sync = SYNC_COMMIT;
    else if (bytes_equal_text(text, "memory"))
        build->config->sync = SYNC_MEMORY;
    else
        config_error(build, node, "C104",
                     "commit: a receipt is given when the message is on disk; memory: at once, and "
                     "messages do not survive the process",
                     "`%.*s` is no `sync`", (int)text.size, (const char *)text.data);
}

static void read_path(struct config_build *build)
{
    struct bytes text = BYTES_LITERAL("kouan-journal");
    const struct yaml_node *node = yaml_member(build->root, "journal");
    if (node != NULL && !config_text(build, node, &text))
        return;
    build->config->journal_path = build->config->path != NULL
                                      ? file_resolve(build->arena, build->config->path, text)
                                      : (const char *)text.data;
}

static void read_spare(struct config_build *build)
{
    struct config *config = build->config;
    const struct yaml_node *node = yaml_member(build->root, "journal_spare");
    struct bytes text;
    if (node == NULL || !config_text(build, node, &text))
        return;
    const char *path = config->path != NULL ? file_resolve(build->arena, config->path, text)
                                            : (const char *)text.data;
    if (config->sync == SYNC_MEMORY)
        config_warn(build, node, "C104", "leave it out, or say `sync: commit`",
                    "journal_spare does nothing with `sync: memory`: there are no files");
    else if (file_is_within(config->journal_path, path) ||
             file_is_within(path, config->journal_path))
        config_error(build, node, "C104", "name a folder on another disk than that of `journal`",
                     "journal_spare and the journal's folder, %s, are the same, or one is within "
                     "the other",
                     config->journal_path);
    else
        config->spare_path = path;
}

/* What is divided among shards must be enough for each. */
static const char *tell_parts(const struct config_build *build, char out[PARTS_TEXT_BYTES])
{
    uint64_t shards = build->config->whole.shards;
    out[0] = '\0';
    if (shards > 1)
        snprintf(out, PARTS_TEXT_BYTES, ": this is the part of one of %" PRIu64 " shards", shards);
    return out;
}

static void check_segment(struct config_build *build)
{
    char text[PARTS_TEXT_BYTES];
    const char *parts = tell_parts(build, text);
    const struct options *options = &build->config->options;
    uint64_t largest =
        SEGMENT_RECORDS_MIN * (uint64_t)journal_block_bytes_for(config_record_bytes_max(options));
    if (options->block % JOURNAL_PAGE_BYTES != 0)
        config_error(build, yaml_member(build->root, "block"), "C104", NULL,
                     "block is a multiple of 4 KiB, this is %" PRIu64 " bytes", options->block);
    if (build->config->sync == SYNC_MEMORY)
        return;
    if (options->segment % JOURNAL_PAGE_BYTES != 0)
        config_error(build, yaml_member(build->root, "segment"), "C104", NULL,
                     "segment is a multiple of 4 KiB, this is %" PRIu64 " bytes", options->segment);
    if (options->segment < largest || options->segment < SEGMENT_RECORDS_MIN * options->block)
        config_error(build, yaml_member(build->root, "segment"), "C110",
                     "raise `segment`, or lower `message_max` or `block`",
                     "a quarter of a segment of %" PRIu64 " bytes does not hold a block of %" PRIu64
                     ", or a message of %" PRIu64 " and what is read from it (128 KiB)",
                     options->segment, options->block, options->message_max);
    if (options->memory / MEMORY_SEGMENTS_MIN < options->segment)
        config_error(build, yaml_member(build->root, "memory"), "C110",
                     "raise `memory`, or lower `segment`",
                     "the memory of the log, %" PRIu64 " bytes, is less than two segments of "
                     "%" PRIu64 "%s",
                     options->memory, options->segment, parts);
    if (options->recall_memory < largest || options->recall_memory < 4 * options->block)
        config_error(build, yaml_member(build->root, "recall_memory"), "C110",
                     "raise `recall_memory`, or lower `message_max` or `block`",
                     "a quarter of recall_memory must hold a block, or a message of %" PRIu64
                     " and what is read from it (128 KiB)%s",
                     options->message_max, parts);
    if (options->journal_size / JOURNAL_SEGMENTS_MIN < options->segment)
        config_error(build, yaml_member(build->root, "journal_size"), "C110",
                     "raise `journal_size`, or lower `segment`",
                     "a journal of %" PRIu64 " bytes is less than %d segments of %" PRIu64 "%s",
                     options->journal_size, JOURNAL_SEGMENTS_MIN, options->segment, parts);
}

static void check_memory(struct config_build *build)
{
    char text[PARTS_TEXT_BYTES];
    const char *parts = tell_parts(build, text);
    const struct options *options = &build->config->options;
    uint64_t largest = journal_block_bytes_for(config_record_bytes_max(options));
    if (largest < options->block)
        largest = options->block;
    if (options->memory / MEMORY_BLOCKS_MIN < largest)
        config_error(build, yaml_member(build->root, "memory"), "C110",
                     "raise `memory`, or lower `block` or `message_max`",
                     "the memory of the log, %" PRIu64 " bytes, is less than %d blocks of %" PRIu64
                     "%s",
                     options->memory, MEMORY_BLOCKS_MIN, largest, parts);
}

static void check_replies(struct config_build *build)
{
    char text[PARTS_TEXT_BYTES];
    const char *parts = tell_parts(build, text);
    const struct options *options = &build->config->options;
    uint64_t least = options->reply_max + 2 * (uint64_t)config_record_bytes_max(options);
    if (options->output_max / 2 < least)
        config_error(build, yaml_member(build->root, "output_max"), "C110",
                     "raise `output_max`, or lower `reply_max` or `message_max`",
                     "half of output_max must hold reply_max and two messages with what is read "
                     "from them: %" PRIu64 " bytes",
                     least);
    uint64_t recalled = options->reply_max + options->reply_max / 4 /* a list of what is in it */ +
                        config_record_bytes_max(options);
    if (build->config->sync == SYNC_COMMIT && options->recall_memory / 2 < recalled)
        config_error(
            build, yaml_member(build->root, "recall_memory"), "C110",
            "raise `recall_memory`, or lower `reply_max` or `message_max`",
            "half of recall_memory must hold reply_max, a quarter more, and a message with "
            "what is read from it: %" PRIu64 " bytes%s",
            recalled, parts);
    if (options->output_chunks * CHUNK_RECEIVE_BYTES < options->output_max)
        config_error(build, yaml_member(build->root, "output_chunks"), "C110",
                     "raise `output_chunks`, or lower `output_max`",
                     "%" PRIu64 " output chunks of 64 KiB are less than output_max, which one "
                     "connection may have%s",
                     options->output_chunks, parts);
    if ((options->receive_buffers & (options->receive_buffers - 1)) != 0)
        config_error(build, yaml_member(build->root, "receive_buffers"), "C104", NULL,
                     "receive_buffers is a power of two, this is %" PRIu64,
                     options->receive_buffers);
}

/* The destination whose groups may have the most. */
static const struct destination *find_most_pending(const struct config_build *build,
                                                   uint64_t *out_groups)
{
    const struct destination *most = NULL;
    *out_groups = 0;
    for (uint16_t d = 0; d < build->destination_count; d++) {
        const struct destination *destination = build->destinations[d];
        *out_groups += destination->group_count;
        if (destination->group_count > 0 &&
            (most == NULL || destination->pending_max > most->pending_max))
            most = destination;
    }
    return most;
}

void config_check_checkpoint(struct config_build *build)
{
    const uint64_t segment = build->config->options.segment;
    const struct yaml_node *node = yaml_member(build->root, "segment");
    uint64_t participants = build->participant_count > 0 ? build->participant_count : 1;
    uint64_t groups, accounts = participants * build->channel_count;
    const struct destination *most = find_most_pending(build, &groups);
    if (build->config->sync == SYNC_MEMORY)
        return;
    uint64_t bytes = facts_fixed_bytes(accounts, build->destination_count, groups);
    uint64_t share = facts_ranges_max(segment) / (groups > 0 ? groups : 1);
    if (bytes > facts_fixed_bytes_max(segment))
        config_error(build, node, "C110", "raise `segment`",
                     "an eighth of a segment of %" PRIu64 " bytes does not hold the accounts that "
                     "it begins with, of every participant and channel, destination and group: "
                     "%" PRIu64 " bytes",
                     segment, bytes);
    else if (share < FACTS_SHARE_MIN)
        config_error(build, node, "C110", "raise `segment`",
                     "a quarter of a segment of %" PRIu64 " bytes, shared by %" PRIu64
                     " groups, does not hold what each has not acknowledged: at least %d messages",
                     segment, groups, FACTS_SHARE_MIN);
    else if (most != NULL && share < most->pending_max)
        config_warn(build, node, "C110", "raise `segment`, or lower `pending_max`",
                    "all groups together (%" PRIu64 ") have a quarter of a segment for what they "
                    "have not acknowledged: each gets nothing more at %" PRIu64 " messages, before "
                    "its pending_max (%" PRIu32 " at `%s`)",
                    groups, share, most->pending_max, most->name);
}

void config_read_journal_path(struct config_build *build)
{
    read_sync(build);
    read_path(build);
}

void config_read_journal(struct config_build *build)
{
    read_sync(build);
    read_path(build);
    read_spare(build);
    check_segment(build);
    check_memory(build);
    check_replies(build);
}

uint32_t config_record_bytes_max(const struct options *options)
{
    return (uint32_t)options->message_max + RECORD_ROOM_BYTES;
}

uint32_t config_segment_bytes(const struct config *config)
{
    enum { BYTES_MIN = 8 * 1024 * 1024, BLOCKS_MIN = 8 };
    const struct options *options = &config->options;
    if (config->sync == SYNC_COMMIT)
        return (uint32_t)options->segment;
    uint32_t block = journal_block_bytes_for(config_record_bytes_max(options));
    if (block < options->block)
        block = (uint32_t)options->block;
    return block * BLOCKS_MIN > BYTES_MIN ? block * BLOCKS_MIN : BYTES_MIN;
}

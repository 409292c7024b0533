#include "io/config/config_build.h"

/* What bounds all shards together; of the rest each shard has as much as it says: what concerns one
 * message, connection, block or file, and times. */
static const size_t divided[] = {
    offsetof(struct options, connections_max),
    offsetof(struct options, memory),
    offsetof(struct options, journal_size),
    offsetof(struct options, recall_memory),
    offsetof(struct options, window_entries),
    offsetof(struct options, cases),
    offsetof(struct options, publications_max),
    offsetof(struct options, transactions),
    offsetof(struct options, acknowledgements_max),
    offsetof(struct options, receive_buffers),
    offsetof(struct options, small_carries),
    offsetof(struct options, large_carries),
    offsetof(struct options, output_chunks),
    offsetof(struct options, rejects_kept),
    offsetof(struct options, holds_max),
    offsetof(struct options, hold_bytes_max),
};

static const size_t divided_of_destination[] = {
    offsetof(struct destination_options, pending_max),
    offsetof(struct destination_options, backlog_max),
    offsetof(struct destination_options, backlog_bytes_max),
    offsetof(struct destination_options, retain_bytes),
};

static void divide(void *options, const struct option_row *rows, const size_t *offsets,
                   size_t offset_count, uint64_t shards);
static void read_pin(struct config_build *build);

void config_read_shards(struct config_build *build)
{
    struct config *config = build->config;
    struct options *options = &config->options;
    const struct config *running = build->source->running;
    config->has_given_shards =
        build->source->given_shards > 0 || (running != NULL && running->has_given_shards);
    if (config->has_given_shards)
        options->shards = running != NULL ? running->whole.shards : build->source->given_shards;
    read_pin(build);
    config->whole = *options;
    divide(options, option_rows, divided, sizeof divided / sizeof *divided, options->shards);
    /* A ring of buffers is a power of two. */
    if ((config->whole.receive_buffers & (config->whole.receive_buffers - 1)) == 0)
        while ((options->receive_buffers & (options->receive_buffers - 1)) != 0)
            options->receive_buffers &= options->receive_buffers - 1;
}

void config_divide_destination(const struct config_build *build,
                               struct destination_options *options)
{
    divide(options, destination_option_rows, divided_of_destination,
           sizeof divided_of_destination / sizeof *divided_of_destination,
           build->config->options.shards);
}

/* Evenly, rounded up, and never below what an option may be. */
static void divide(void *options, const struct option_row *rows, const size_t *offsets,
                   size_t offset_count, uint64_t shards)
{
    for (size_t i = 0; i < offset_count; i++) {
        const struct option_row *row = rows;
        while (row->offset != offsets[i])
            row++;
        uint64_t share = (option_get(options, row) + shards - 1) / shards;
        option_set(options, row, share > row->min ? share : row->min);
    }
}

static void read_pin(struct config_build *build)
{
    const struct yaml_node *node = yaml_member(build->root, "pin");
    struct bytes text;
    if (node == NULL || !config_text(build, node, &text))
        return;
    if (bytes_equal_text(text, "auto"))
        build->config->pin = PIN_AUTO;
    else if (!bytes_equal_text(text, "none"))
        config_error(build, node, "C104", "none, auto", "pin is `none` or `auto`, not `%.*s`",
                     (int)text.size, (const char *)text.data);
}

/* The memory of errands. Each has all that it needs in one piece: itself, its parts, the short
 * replies of each, the texts of ids that were replaced, and the words of its command. Long replies
 * have buffers of their own, which an errand takes for all shards at once, or waits. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/delivery/errand_inside.h"

enum { ID_BYTES = 48 };

static enum status reserve(struct errands *errands);

enum status errands_open(struct shard *shard, struct mesh_end *mesh, struct errand_board *board)
{
    struct errands *errands = calloc(1, sizeof *errands);
    if (errands == NULL)
        return STATUS_NO_MEMORY;
    errands->shard = shard;
    errands->mesh = mesh;
    errands->board = board;
    errands->self = mesh_self(mesh);
    errands->count = mesh_shards(mesh);
    if (reserve(errands) != STATUS_OK) {
        errands_close(errands);
        return STATUS_NO_MEMORY;
    }
    errands_hear(errands);
    shard->errands = errands;
    return STATUS_OK;
}

static size_t parts_bytes(const struct errands *errands)
{
    return sizeof(struct errand) + errands->count * sizeof(struct errand_part);
}

enum status errands_resize(struct errands *errands, uint16_t destination_count)
{
    enum { GROUPS = DESTINATION_GROUPS_MAX, CONSUMERS = GROUP_CONSUMERS_MAX };
    /* What a shard lists at most: its counters; or its groups, and the consumers of one of them. */
    uint32_t counters = 16 + (uint32_t)destination_count * (2 + GROUPS);
    uint32_t count = errands->count * (counters + GROUPS + CONSUMERS);
    if (count <= errands->scratch_count)
        return STATUS_OK;
    struct merge_named *scratch = calloc(count, sizeof *scratch);
    if (scratch == NULL)
        return STATUS_NO_MEMORY;
    free(errands->scratch);
    errands->scratch = scratch;
    errands->scratch_count = count;
    return STATUS_OK;
}

static enum status reserve(struct errands *errands)
{
    const struct options *options = &errands->shard->config->options;
    const struct generation *generation = errands->shard->generation;
    size_t size = parts_bytes(errands) + (size_t)errands->count * ERRAND_SHORT_BYTES +
                  (size_t)READ_STREAMS_MAX * ID_BYTES + ERRAND_COMMAND_BYTES;
    uint32_t connections = (uint32_t)options->connections_max;
    enum status status = errands_resize(errands, generation->destination_count);
    if (status != STATUS_OK)
        return status;
    status =
        chunk_pool_open(&errands->memory, connections + ERRANDS_OWED_MAX, (uint32_t)size, false);
    if (status == STATUS_OK)
        status = chunk_pool_open(&errands->buffers, (uint32_t)errands->count * ERRANDS_LONG_MAX,
                                 (uint32_t)errands->shard->config->options.output_max / 2, false);
    return status == STATUS_OK ? errand_stands_open(errands) : status;
}

void errands_close(struct errands *errands)
{
    if (errands == NULL)
        return;
    errands->shard->errands = NULL;
    errand_stands_close(errands);
    chunk_pool_close(&errands->buffers);
    chunk_pool_close(&errands->memory);
    free(errands->scratch);
    free(errands);
}

/* ---- an errand's ---- */

static uint8_t *short_reply(struct errand *errand, uint16_t shard)
{
    return (uint8_t *)errand + parts_bytes(errand->errands) + (size_t)shard * ERRAND_SHORT_BYTES;
}

static char *id_text(struct errand *errand, uint32_t stream)
{
    return (char *)short_reply(errand, errand->errands->count) + (size_t)stream * ID_BYTES;
}

struct errand *errand_take(struct errands *errands)
{
    struct chunk *chunk = chunk_take(&errands->memory);
    assert(chunk != NULL); /* the session waited for one */
    struct errand *errand = (struct errand *)(void *)chunk->data;
    memset(errand, 0, parts_bytes(errands));
    errand->errands = errands;
    errand->chunk = chunk;
    for (uint16_t i = 0; i < errands->count; i++)
        errand->parts[i] = (struct errand_part){.errand = errand,
                                                .shard = i,
                                                .reply = short_reply(errand, i),
                                                .reply_capacity = ERRAND_SHORT_BYTES};
    for (uint32_t i = 0; i < READ_STREAMS_MAX; i++) {
        errand->terms.counts[i] = UINT64_MAX;
        errand->terms.until[i] = (struct record_id){UINT64_MAX, UINT64_MAX};
    }
    errand->terms.bytes_max = errands->shard->config->options.reply_max;
    return errand;
}

bool errand_copy_command(struct errand *errand, const struct resp_command *command)
{
    uint8_t *memory = (uint8_t *)id_text(errand, READ_STREAMS_MAX);
    struct bytes *arguments = (struct bytes *)(void *)memory;
    size_t used = command->count * sizeof *arguments, room = ERRAND_COMMAND_BYTES - BYTES_PADDING;
    if (used > room)
        return false;
    for (uint32_t i = 0; i < command->count; i++) {
        struct bytes from = command->arguments[i];
        if (from.size > room - used)
            return false;
        if (from.size > 0)
            memcpy(memory + used, from.data, from.size);
        arguments[i] = bytes_make(memory + used, from.size);
        used += from.size;
    }
    errand->terms.command = (struct resp_command){.arguments = arguments, .count = command->count};
    return true;
}

void errand_set_id(struct errand *errand, uint32_t argument, struct record_id id)
{
    uint32_t stream = argument - errand->read.first_key - errand->read.stream_count;
    assert(stream < READ_STREAMS_MAX);
    char *text = id_text(errand, stream);
    int size = snprintf(text, ID_BYTES, "%llu-%llu", (unsigned long long)id.ms,
                        (unsigned long long)id.seq);
    errand->terms.command.arguments[argument] = bytes_make(text, (size_t)size);
}

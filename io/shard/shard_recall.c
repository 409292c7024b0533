#include "io/shard/shard_recall.h"

#include <stdio.h>

#include "io/front/session_records.h"
#include "io/shard/shard.h"

/* Said once a place. */
static void on_damage(void *context, uint64_t position, const char *reason)
{
    const struct shard *shard = context;
    uint64_t segment_bytes = shard->journal.settings.segment_bytes;
    char name[DISK_NAME_BYTES];
    segment_name(position / segment_bytes, name);
    fprintf(stderr,
            "kouan: ALARM: the block at offset %llu of %s/%02x/%s %s; who asks for its messages "
            "gets IOERR, all others go on. `kouan journal verify` tells what is hit\n",
            (unsigned long long)(position % segment_bytes), shard->config->journal_path,
            shard->journal.settings.log_number, name, reason);
}

static uint64_t writes_ns(void *context)
{
    const struct shard *shard = context;
    return journal_writer_busy_ns(&shard->log.writer);
}

/* Half of `recall_memory` for what was read, half for what commands took of it. */
enum status shard_recall_open(struct shard *shard)
{
    uint64_t half_bytes = shard->config->options.recall_memory / 2;
    const struct recall_settings settings = {
        .loop = shard->loop,
        .disk = log_disk_of(&shard->log.disk),
        .segments = shard->log.segments,
        .secret = &shard->secret,
        .memory_bytes = half_bytes,
        .segment_bytes = (uint32_t)shard->config->options.segment,
        .writes_ns = writes_ns,
        .alarm = on_damage,
        .context = shard,
    };
    enum status status = recall_open(&settings, &shard->recall);
    if (status == STATUS_OK)
        status = recall_lists_open(&shard->recall_lists, shard->recall, shard->loop, half_bytes);
    shard->recall_lists.ready = session_records_ready;
    return status;
}

void shard_recall_close(struct shard *shard)
{
    recall_lists_close(&shard->recall_lists);
    if (shard->recall != NULL)
        recall_close(shard->recall);
    shard->recall = NULL;
}

#include "io/shard/shard_log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "io/shard/shard.h"
#include "io/shard/shard_recall.h"

enum { NS_PER_MS = 1000000 };

static void allow_segments(struct shard *shard);
static enum status open_segments(struct shard *shard);
static enum status open_writer(struct shard *shard);
static enum status await_segment(struct shard *shard, char *out_problem, size_t problem_capacity);

/* ---- open and close ---- */

enum status shard_log_open(struct shard *shard, char *out_problem, size_t problem_capacity)
{
    struct shard_log *log = &shard->log;
    *log = (struct shard_log){.recovering = log->recovering,
                              .recovering_context = log->recovering_context};
    shard_log_forget_files(log);
    if (shard->family != NULL)
        shard->secret = shard->family->secret;
    if (shard->config->sync == SYNC_MEMORY)
        return shard->family != NULL ||
                       getrandom(&shard->secret, sizeof shard->secret, 0) == sizeof shard->secret
                   ? STATUS_OK
                   : STATUS_IO;
    allow_segments(shard);
    enum status status = shard_log_open_files(shard, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = open_segments(shard);
    return status;
}

static enum status open_journal(struct shard *shard, const struct shard_log_start *start)
{
    const struct recovery *recovery = &shard->log.recovery;
    const struct options *options = &shard->config->options;
    const struct shard_log *log = &shard->log;
    const struct journal_settings settings = {
        .memory_bytes = options->memory,
        .segment_bytes = config_segment_bytes(shard->config),
        .block_bytes = (uint32_t)options->block,
        .log_number = (uint8_t)shard->number,
        .in_memory = !log->is_on_disk,
        .secret = shard->secret,
        .incarnation = log->is_on_disk ? recover_incarnation(log->recover) : 1,
        .start_position = recovery->start_position,
        .last_checksum = recovery->last_checksum,
        .last_id = recovery->last_id,
    };
    enum status status = journal_open(&shard->journal, &settings);
    if (status == STATUS_OK)
        journal_set_time(&shard->journal, start->time_ms);
    return status;
}

enum status shard_log_recover(struct shard *shard, char *out_problem, size_t problem_capacity)
{
    struct shard_log *log = &shard->log;
    shard->started_ns = loop_now_ns(shard->loop);
    (void)out_problem; /* it was told at shard_log_open, where it writes what is wrong */
    (void)problem_capacity;
    return log->is_on_disk ? recover_run(log->recover, shard, log->segments, &log->recovery)
                           : STATUS_OK;
}

enum status shard_log_choose_start(struct shard *const *shards, uint16_t count,
                                   struct shard_log_start *out_start, char *out_problem,
                                   size_t problem_capacity)
{
    struct shard_log_start start = {0};
    struct generation *generation = shards[0]->config->generation;
    if (!shards[0]->log.is_on_disk) {
        *out_start = (struct shard_log_start){.generation = generation->number};
        return STATUS_OK;
    }
    const struct recovery *recoveries[MESH_SHARDS_MAX];
    for (uint16_t i = 0; i < count; i++) {
        recoveries[i] = &shards[i]->log.recovery;
        if (recoveries[i]->log_time_ms > start.time_ms)
            start.time_ms = recoveries[i]->log_time_ms;
    }
    recover_manifest(shards[0]->config, &start.manifest);
    start.generation = recover_choose_generation(recoveries, count, &start.manifest);
    generation->number = start.generation;
    *out_start = start;
    return recover_store_generation(shards[0]->log.recover, start.generation, out_problem,
                                    problem_capacity);
}

enum status shard_log_begin(struct shard *shard, const struct shard_log_start *start,
                            char *out_problem, size_t problem_capacity)
{
    struct shard_log *log = &shard->log;
    shard->started_ns = loop_now_ns(shard->loop);
    enum status status = open_journal(shard, start);
    if (status != STATUS_OK || !log->is_on_disk)
        return status;
    generation_list_set_current(&shard->generations, start->generation);
    recover_close(log->recover);
    log->recover = NULL;
    log->recovered = log->recovery.figures;
    log->start_time_ms = start->time_ms;
    status = open_writer(shard);
    if (status == STATUS_OK && shard->cases != NULL)
        status = case_snapshots_open(shard, log_disk_of(&log->disk), log->recovery.cases_covered,
                                     &shard->case_snapshots);
    if (status == STATUS_OK)
        status = shard_recall_open(shard);
    if (status == STATUS_OK)
        status = await_segment(shard, out_problem, problem_capacity);
    if (status != STATUS_OK)
        return status;
    shard_log_note_disk(shard);
    struct fact_generation fact = {.number = start->generation,
                                   .wall_ms = loop_wall_ms(shard->loop)};
    static_assert(sizeof fact.manifest == sizeof start->manifest, "both are SHA-256");
    memcpy(fact.manifest, &start->manifest, sizeof fact.manifest);
    facts_begin(shard, &fact);
    return STATUS_OK;
}

/* What it began to write ends. What it cannot write now (the log is about to move, another's
 * failure ends the server) had no receipt and gets none. */
static void await_writer(struct shard_log *log)
{
    while (!journal_writer_is_idle(&log->writer) && disk_pair_is_busy(&log->disk.pair))
        log_disk_of(&log->disk)->wait(log_disk_of(&log->disk));
}

void shard_log_close(struct shard *shard)
{
    struct shard_log *log = &shard->log;
    shard_recall_close(shard);
    if (log->writer.settings.loop != NULL) {
        await_writer(log);
        journal_writer_close(&log->writer);
    }
    if (log->sidecars.region.memory != NULL) {
        while (!sidecars_is_idle(&log->sidecars))
            log_disk_of(&log->disk)->wait(log_disk_of(&log->disk));
        sidecars_close(&log->sidecars);
    }
    if (shard->case_snapshots.copy != NULL) {
        while (!case_snapshots_is_idle(&shard->case_snapshots))
            log_disk_of(&log->disk)->wait(log_disk_of(&log->disk));
        case_snapshots_close(&shard->case_snapshots);
    }
    if (log->recover != NULL)
        recover_close(log->recover);
    if (log->segments != NULL)
        segments_close(log->segments);
    retention_close(&shard->retention);
    if (log->is_on_disk)
        log_disk_close(&log->disk);
    journal_folders_close(&log->own_folders);
    *log = (struct shard_log){0};
    shard_log_forget_files(log);
}

/* ---- segments ---- */

/* While it starts the shard has no turns yet. */
static void wake(struct shard *shard)
{
    if (shard->facts.are_kept)
        shard_wake(shard);
}

static void on_ready(void *context)
{
    struct shard *shard = context;
    struct shard_log *log = &shard->log;
    if (log->segment_error != 0 && log->segment_error != EDQUOT)
        fprintf(stderr, "kouan: there is room for the journal again; messages are taken\n");
    log->segment_error = 0;
    if (log->writer.settings.loop == NULL)
        return; /* the start waits for it */
    shard_log_note_disk(shard);
    journal_writer_wake(&log->writer);
    wake(shard);
}

/* ---- the writer ---- */

static uint64_t writer_time_ms(void *context)
{
    return shard_log_time_ms(context);
}

static void on_sealing(void *context)
{
    struct shard *shard = context;
    if (!shard_log_must_gather(shard))
        facts_flush(shard);
}

static void on_durable(void *context)
{
    struct shard *shard = context;
    wake(shard);
}

static void on_failed(void *context, const char *reason)
{
    struct shard *shard = context;
    snprintf(shard->log.failure, sizeof shard->log.failure,
             "%s: %s; what had no receipt yet gets none, and the server ends. Look at the "
             "disk, then start again: what was promised is read from the files",
             log_disk_path(&shard->log.disk), reason);
    loop_stop(shard->loop);
}

static void on_segment_ended(void *context, uint64_t segment_number, struct digest last_block)
{
    struct shard *shard = context;
    sidecars_end_segment(&shard->log.sidecars, segment_number, last_block);
}

/* The first segment is there before anybody connects. */
static enum status await_segment(struct shard *shard, char *out_problem, size_t problem_capacity)
{
    struct shard_log *log = &shard->log;
    segments_prepare(log->segments);
    while (!segments_is_prepared(log->segments) && log->segment_error == 0)
        log_disk_of(&log->disk)->wait(log_disk_of(&log->disk));
    if (log->segment_error == 0)
        return STATUS_OK;
    snprintf(out_problem, problem_capacity,
             "cannot make a segment of %llu MiB in the journal %s (%s: %s); nothing is lost: "
             "start again when that is mended",
             (unsigned long long)(shard->config->options.segment / MIB),
             shard->config->journal_path, log->segment_step, strerror(log->segment_error));
    return STATUS_IO;
}

/* Each segment stays open. */
static void allow_segments(struct shard *shard)
{
    enum { OTHER_FILES = 512, LEAST = 8 };
    const struct options *options = &shard->config->options;
    uint64_t others = shard->config->whole.connections_max + OTHER_FILES;
    uint64_t wanted = options->journal_size / options->segment, logs = shard_log_count(shard);
    uint64_t limit = loop_probe_raise_descriptors_toward(others + wanted * logs);
    if (limit > DISK_PAIR_FILES_MAX)
        limit = DISK_PAIR_FILES_MAX;
    uint64_t open = limit > others + LEAST * logs ? (limit - others) / logs : LEAST;
    shard->log.segments_allowed = wanted < open ? wanted : open;
    if (open < wanted)
        fprintf(stderr,
                "kouan: the limit on open files, %" PRIu64 ", lets the journal have %" PRIu64
                " segments, and journal_size %" PRIu64
                ": it grows to the fewer. Raise the limit (`ulimit -Hn %" PRIu64
                "`, LimitNOFILE= in systemd) or `segment`, or lower journal_size\n",
                limit, open, wanted, others + wanted * logs);
}

static enum status open_segments(struct shard *shard)
{
    struct shard_log *log = &shard->log;
    const struct options *options = &shard->config->options;
    /* One more than are allowed to be there already is no reason not to start. */
    uint64_t most = log->segments_allowed;
    uint64_t there = recover_segment_count(log->recover) + 2;
    const struct segments_settings settings = {
        .disk = log_disk_of(&log->disk),
        .segment_bytes = (uint32_t)options->segment,
        .segments_max = (uint32_t)(there > most ? there : most),
        .log_number = shard->number,
        .log_count = shard_log_count(shard),
        .secret = shard->secret,
        .incarnation = recover_incarnation(log->recover),
        .has_moved = log_disk_has_moved(&log->disk),
        .ready = on_ready,
        .failed = shard_log_note_no_segment,
        .context = shard,
    };
    log->retry_timer.expire = shard_log_try_segment;
    log->gather_timer.expire = shard_log_end_gathering;
    enum status status = segments_open(&settings, &log->segments);
    return status == STATUS_OK ? retention_open(&shard->retention, settings.segments_max, most)
                               : status;
}

static enum status open_writer(struct shard *shard)
{
    struct shard_log *log = &shard->log;
    const struct options *options = &shard->config->options;
    const struct sidecars_settings sidecars = {
        .disk = log_disk_of(&log->disk),
        .secret = shard->secret,
        .log_number = shard->number,
        .segment_bytes = options->segment,
    };
    const struct journal_writer_settings settings = {
        .loop = shard->loop,
        .journal = &shard->journal,
        .segments = log->segments,
        .disk = log_disk_of(&log->disk),
        .writes_max = (uint32_t)options->writes_in_flight,
        .linger_max_us = (uint32_t)options->linger,
        .idle_seal_ms = (uint32_t)options->idle_seal,
        .log_time_ms = writer_time_ms,
        .sealing = on_sealing,
        .durable = on_durable,
        .failed = on_failed,
        .move = shard_log_may_move(log) ? shard_log_move : NULL,
        .segment_ended = on_segment_ended,
        .context = shard,
    };
    journal_writer_open(&log->writer, &settings);
    return sidecars_open(&sidecars, &log->sidecars);
}

/* ---- at work ---- */

void shard_log_wake(struct shard *shard)
{
    if (shard->log.is_on_disk)
        journal_writer_wake(&shard->log.writer);
}

void shard_log_set_time(struct shard *shard)
{
    if (shard->log.is_on_disk)
        journal_set_time(&shard->journal, shard_log_time_ms(shard));
}

/* Its time is the journal's, so that it is never later than its block's, or than that of the next
 * start. */
void shard_log_note_identity(struct shard *shard, const struct record *record,
                             struct digest body_digest, uint64_t position)
{
    if (!shard->log.is_on_disk)
        return;
    const struct sidecar_identity identity = {
        .identity = record->identity,
        .body_digest = body_digest,
        .position = position,
        .generation = record->generation,
        .log_time_s = recover_window_time_s(shard->journal.log_time_ms),
        .participant = record->participant,
    };
    sidecars_note(&shard->log.sidecars, &identity);
}

void shard_log_let_go(struct shard *shard)
{
    struct journal *journal = &shard->journal;
    const struct journal_block *block;
    if (!shard->log.is_on_disk)
        return;
    uint64_t bound = commit_oldest_position(&shard->commits);
    if (bound > journal->durable_position)
        bound = journal->durable_position;
    if (shard_log_may_move(&shard->log)) /* all of a segment may have to be written anew */
        bound -= bound % journal->settings.segment_bytes;
    while ((block = journal_oldest(journal)) != NULL && journal_block_end(block) <= bound)
        journal_keep_from(journal, journal_block_end(block));
}

const struct record *shard_record(const struct shard *shard, uint64_t position)
{
    if (journal_has(&shard->journal, position))
        return journal_message(&shard->journal, position);
    const struct record_head *head =
        shard->recall != NULL ? recall_find(shard->recall, position) : NULL;
    return head != NULL && head->kind == RECORD_KIND_MESSAGE ? (const struct record *)head : NULL;
}

uint64_t shard_log_time_ms(const struct shard *shard)
{
    uint64_t served_ns = loop_now_ns(shard->loop) - shard->started_ns;
    return shard->log.start_time_ms + served_ns / NS_PER_MS;
}

bool shard_log_stop(struct shard *shard)
{
    struct shard_log *log = &shard->log;
    if (!log->is_on_disk)
        return true;
    if (!log->writer.is_stopping)
        journal_writer_stop(&log->writer);
    return journal_writer_is_idle(&log->writer);
}

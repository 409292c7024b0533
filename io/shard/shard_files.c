/* The files of a shard's log: opened, and gone on with in the spare folder when a write fails. Part
 * of io/shard/shard_log.h, cut out for its length. */
#include <stdio.h>

#include "io/shard/shard.h"

uint16_t shard_log_count(const struct shard *shard)
{
    return shard->family != NULL ? shard->family->count : 1;
}

static enum status check_logs(const struct shard *shard, char *out_problem, size_t problem_capacity)
{
    const struct journal_folders *folders = shard->log.folders;
    enum status status = journal_folder_check_logs(&folders->own, shard_log_count(shard),
                                                   out_problem, problem_capacity);
    if (status == STATUS_OK && folders->spare_path[0] != '\0')
        status = journal_folder_check_logs(&folders->spare, shard_log_count(shard), out_problem,
                                           problem_capacity);
    return status;
}

enum status shard_log_open_files(struct shard *shard, char *out_problem, size_t problem_capacity)
{
    struct shard_log *log = &shard->log;
    const struct config *config = shard->config;
    enum status status = STATUS_OK;
    if (shard->family == NULL)
        status = journal_folders_open(config->journal_path, config->spare_path, &log->own_folders,
                                      out_problem, problem_capacity);
    const struct journal_folders *folders = log->folders =
        shard->family != NULL ? shard->family->folders : &log->own_folders;
    if (status != STATUS_OK)
        return status;
    shard->secret = folders->own.secret;
    status = check_logs(shard, out_problem, problem_capacity);
    if (status != STATUS_OK)
        return status;
    status = log_disk_open(&log->disk, shard->loop, folders, shard->number, out_problem,
                           problem_capacity);
    if (status != STATUS_OK)
        return status;
    log->is_on_disk = true;
    bool has_spare = log_disk_has_spare(&log->disk);
    const struct recover_settings recover = {
        .disk = log_disk_of(&log->disk),
        .folder = log->disk.folders[DISK_OWN],
        .path = log->disk.paths[DISK_OWN],
        .journal_path = folders->own_path,
        .spare_folder = log->disk.folders[DISK_SPARE],
        .spare_path = has_spare ? log->disk.paths[DISK_SPARE] : NULL,
        .has_moved = log_disk_has_moved(&log->disk),
        .spare_journal_path = has_spare ? folders->spare_path : NULL,
        .secret = shard->secret,
        .segment_bytes = (uint32_t)shard->config->options.segment,
        .log_number = shard->number,
        .log_count = shard_log_count(shard),
        .progress = log->recovering,
        .context = log->recovering_context,
        .out_problem = out_problem,
        .problem_capacity = problem_capacity,
    };
    return recover_open(&recover, &log->recover);
}

void shard_log_forget_files(struct shard_log *log)
{
    log->own_folders = journal_folders_none;
    log->disk.folders[DISK_OWN] = log->disk.folders[DISK_SPARE] = -1;
}

/* Until the first segment stands in the spare folder. */
bool shard_log_may_move(const struct shard_log *log)
{
    if (!log_disk_has_spare(&log->disk))
        return false;
    return !log_disk_has_moved(&log->disk) ||
           (log->writer.settings.move != NULL && journal_writer_is_moving(&log->writer));
}

void shard_log_move(void *context, const char *reason)
{
    struct shard *shard = context;
    struct shard_log *log = &shard->log;
    snprintf(log->moved, sizeof log->moved, "%s", reason);
    fprintf(
        stderr,
        "kouan: ALARM: %s: %s; the journal goes on in its spare folder %s, and nothing that had "
        "a receipt is lost. Look at the disk: the next write that fails ends the server\n",
        log->disk.paths[DISK_OWN], reason, log->folders->spare_path);
    disk_pair_move(&log->disk.pair);
}

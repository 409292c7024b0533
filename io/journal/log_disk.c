#include "io/journal/log_disk.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum status open_folders(struct log_disk *disk, const struct journal_folders *folders,
                                uint16_t log_number, char *out_problem, size_t problem_capacity);
static enum status open_rings(struct log_disk *disk, struct loop *loop, bool has_moved,
                              char *out_problem, size_t problem_capacity);

enum status log_disk_open(struct log_disk *disk, struct loop *loop,
                          const struct journal_folders *folders, uint16_t log_number,
                          char *out_problem, size_t problem_capacity)
{
    *disk = (struct log_disk){.folders = {-1, -1}};
    enum status status = open_folders(disk, folders, log_number, out_problem, problem_capacity);
    if (status == STATUS_OK)
        status = open_rings(disk, loop, folders->has_moved, out_problem, problem_capacity);
    if (status != STATUS_OK)
        log_disk_close(disk);
    return status;
}

void log_disk_close(struct log_disk *disk)
{
    for (int part = DISK_OWN; part < DISK_PARTS; part++) {
        if (disk->rings[part].loop != NULL)
            disk_ring_deinit(&disk->rings[part]);
        if (disk->folders[part] >= 0)
            close(disk->folders[part]);
    }
    *disk = (struct log_disk){.folders = {-1, -1}};
}

static enum status open_folders(struct log_disk *disk, const struct journal_folders *folders,
                                uint16_t log_number, char *out_problem, size_t problem_capacity)
{
    snprintf(disk->paths[DISK_OWN], sizeof disk->paths[DISK_OWN], "%s/%02x", folders->own_path,
             log_number);
    enum status status = journal_folder_open_log(
        &folders->own, log_number, &disk->folders[DISK_OWN], out_problem, problem_capacity);
    if (status != STATUS_OK || folders->spare_path[0] == '\0')
        return status;
    snprintf(disk->paths[DISK_SPARE], sizeof disk->paths[DISK_SPARE], "%s/%02x",
             folders->spare_path, log_number);
    return journal_folder_open_log(&folders->spare, log_number, &disk->folders[DISK_SPARE],
                                   out_problem, problem_capacity);
}

static enum status open_ring(struct log_disk *disk, struct loop *loop, enum disk_part part,
                             char *out_problem, size_t problem_capacity)
{
    int error = 0;
    enum status status = disk_ring_init(&disk->rings[part], loop, disk->folders[part], &error);
    if (status != STATUS_OK)
        snprintf(out_problem, problem_capacity, "cannot write files in the journal %s: %s",
                 disk->paths[part], strerror(error));
    return status;
}

static enum status open_rings(struct log_disk *disk, struct loop *loop, bool has_moved,
                              char *out_problem, size_t problem_capacity)
{
    enum status status = STATUS_OK;
    bool has_spare = log_disk_has_spare(disk);
    if (has_moved)
        disk_ring_init_left(&disk->rings[DISK_OWN], loop, disk->folders[DISK_OWN]);
    else
        status = open_ring(disk, loop, DISK_OWN, out_problem, problem_capacity);
    if (status == STATUS_OK && has_spare)
        status = open_ring(disk, loop, DISK_SPARE, out_problem, problem_capacity);
    if (status != STATUS_OK)
        return status;
    disk_pair_init(&disk->pair, &disk->rings[DISK_OWN].disk,
                   has_spare ? &disk->rings[DISK_SPARE].disk : NULL);
    if (has_moved)
        disk_pair_move(&disk->pair);
    return STATUS_OK;
}

#include "io/journal/disk.h"

#include <assert.h>

static void note_answer(struct disk_request *request, int32_t result);

int32_t disk_run(struct disk *disk, struct disk_request *request)
{
    request->done = note_answer;
    request->is_answered = false;
    disk_submit(disk, request);
    while (!request->is_answered)
        disk->wait(disk);
    return request->result;
}

static void note_answer(struct disk_request *request, int32_t result)
{
    request->result = result;
    request->is_answered = true;
}

const char *disk_mode_name(enum disk_mode mode)
{
    static const char *const names[] = {"direct", "flush", "plain"};
    static_assert(sizeof names / sizeof *names == DISK_MODES, "all of them");
    return names[mode];
}

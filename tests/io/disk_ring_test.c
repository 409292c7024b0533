#include "io/journal/disk_ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/journal_format.h"

enum { PAGE = JOURNAL_PAGE_BYTES, PAGES = 4 };

struct scene {
    char path[256];
    int folder;
    struct loop *loop;
    struct disk_ring ring;
    uint8_t *memory;
};

static void set_up(struct scene *scene)
{
    const char *where = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(scene->path, sizeof scene->path, "%s/kouan-disk-XXXXXX", where);
    cr_assert_not_null(mkdtemp(scene->path));
    scene->folder = open(scene->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(scene->folder, 0);
    struct loop_settings settings = {.submission_entries = 256,
                                     .completion_entries = 1024,
                                     .receive_buffer_count = 4,
                                     .files_max = 64,
                                     .timers_max = 8};
    char problem[512] = "";
    cr_assert_eq(loop_open(&settings, &scene->loop, problem, sizeof problem), STATUS_OK, "%s",
                 problem);
    int error = 0;
    cr_assert_eq(disk_ring_init(&scene->ring, scene->loop, scene->folder, &error), STATUS_OK, "%s",
                 strerror(error));
    scene->memory = aligned_alloc(PAGE, PAGES * PAGE);
    cr_assert_not_null(scene->memory);
}

static void tear_down(struct scene *scene)
{
    free(scene->memory);
    disk_ring_deinit(&scene->ring);
    loop_close(scene->loop);
    close(scene->folder);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", scene->path);
    cr_assert_eq(system(command), 0);
}

static int32_t run(struct scene *scene, struct disk_request request)
{
    return disk_run(&scene->ring.disk, &request);
}

static int32_t run_name(struct scene *scene, enum disk_action action, const char *name,
                        const char *new_name)
{
    struct disk_request request = {.action = action};
    snprintf(request.name, sizeof request.name, "%s", name);
    snprintf(request.new_name, sizeof request.new_name, "%s", new_name);
    return run(scene, request);
}

static void use_every_action(struct scene *scene)
{
    int file = run_name(scene, DISK_CREATE, "a", "");
    cr_assert_geq(file, 0);
    struct stat info;
    cr_assert_eq(fstat(file, &info), 0);
    cr_assert_eq(info.st_mode & 0777, 0600);
    int32_t allocated =
        run(scene, (struct disk_request){
                       .action = DISK_ALLOCATE, .file = file, .allocate_bytes = PAGES * PAGE});
    cr_assert_eq(allocated, 0, "%s", strerror(-allocated));
    cr_assert_eq(fstat(file, &info), 0);
    cr_assert_eq(info.st_size, PAGES * PAGE);

    memset(scene->memory, 'x', PAGES * PAGE);
    struct disk_request write = {
        .action = DISK_WRITE, .file = file, .memory = scene->memory, .size_bytes = 2 * PAGE};
    cr_assert_eq(run(scene, write), 2 * PAGE);
    write.action = DISK_WRITE_SYNC;
    write.offset = 2 * PAGE;
    cr_assert_eq(run(scene, write), 2 * PAGE);
    cr_assert_eq(run(scene, (struct disk_request){.action = DISK_SYNC, .file = file}), 0);
    cr_assert_eq(run_name(scene, DISK_RENAME, "a", "b"), 0);
    cr_assert_eq(run(scene, (struct disk_request){.action = DISK_SYNC_FOLDER}), 0);
    cr_assert_eq(run(scene, (struct disk_request){.action = DISK_CLOSE, .file = file}), 0);

    file = run_name(scene, DISK_OPEN, "b", "");
    cr_assert_geq(file, 0);
    memset(scene->memory, 0, PAGES * PAGE);
    struct disk_request read = {.action = DISK_READ,
                                .file = file,
                                .memory = scene->memory,
                                .offset = PAGE,
                                .size_bytes = PAGES * PAGE};
    cr_assert_eq(run(scene, read), 3 * PAGE, "it ends where the file does");
    for (int i = 0; i < 3 * PAGE; i++)
        cr_assert_eq(scene->memory[i], 'x');
    cr_assert_eq(
        run(scene, (struct disk_request){.action = DISK_TRUNCATE, .file = file, .offset = PAGE}),
        0);
    cr_assert_eq(fstat(file, &info), 0);
    cr_assert_eq(info.st_size, PAGE);
    cr_assert_eq(run(scene, (struct disk_request){.action = DISK_CLOSE, .file = file}), 0);
    cr_assert_eq(run_name(scene, DISK_REMOVE, "b", ""), 0);
    cr_assert_eq(run_name(scene, DISK_REMOVE, "b", ""), -ENOENT);
    cr_assert_eq(scene->ring.in_flight, 0);
}

Test(disk_ring, does_every_action)
{
    struct scene scene = {0};
    set_up(&scene);
    cr_assert_neq(faccessat(scene.folder, "probe", F_OK, 0), 0, "what it tried is gone");
    use_every_action(&scene);
    tear_down(&scene);
}

Test(disk_ring, does_every_action_whatever_the_disk_is)
{
    for (int mode = DISK_MODE_DIRECT; mode <= DISK_MODE_FLUSH; mode++) {
        struct scene scene = {0};
        set_up(&scene);
        if (scene.ring.disk.mode != DISK_MODE_PLAIN) {
            scene.ring.disk.mode = (enum disk_mode)mode;
            use_every_action(&scene);
        }
        tear_down(&scene);
    }
}

Test(disk_ring, does_every_action_without_direct_writes)
{
    struct scene scene = {0};
    set_up(&scene);
    scene.ring.disk.mode = DISK_MODE_PLAIN;
    scene.ring.has_truncate = false;
    use_every_action(&scene);
    tear_down(&scene);
}

Test(disk_ring, creates_no_file_twice_and_follows_no_link)
{
    struct scene scene = {0};
    set_up(&scene);
    int file = run_name(&scene, DISK_CREATE, "a", "");
    cr_assert_geq(file, 0);
    cr_assert_eq(run_name(&scene, DISK_CREATE, "a", ""), -EEXIST);
    cr_assert_eq(symlinkat("a", scene.folder, "link"), 0);
    cr_assert_eq(run_name(&scene, DISK_OPEN, "link", ""), -ELOOP);
    cr_assert_eq(run_name(&scene, DISK_OPEN, "none", ""), -ENOENT);
    cr_assert_eq(run(&scene, (struct disk_request){.action = DISK_CLOSE, .file = file}), 0);
    tear_down(&scene);
}

static uint32_t answered;
static int32_t answers[8];

static void note(struct disk_request *request, int32_t result)
{
    answers[request->offset / PAGE] = result;
    answered++;
}

Test(disk_ring, answers_many_requests_at_once)
{
    struct scene scene = {0};
    set_up(&scene);
    int file = run_name(&scene, DISK_CREATE, "a", "");
    cr_assert_geq(file, 0);
    memset(scene.memory, 'y', PAGE);
    struct disk_request requests[8];
    answered = 0;
    for (int i = 0; i < 8; i++) {
        requests[i] = (struct disk_request){.action = i % 2 == 0 ? DISK_WRITE : DISK_WRITE_SYNC,
                                            .file = file,
                                            .memory = scene.memory,
                                            .offset = (uint64_t)i * PAGE,
                                            .size_bytes = PAGE,
                                            .done = note};
        disk_submit(&scene.ring.disk, &requests[i]);
    }
    cr_assert_eq(answered, 0, "nothing is answered from within disk_submit");
    while (answered < 8)
        scene.ring.disk.wait(&scene.ring.disk);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(answers[i], PAGE);
    cr_assert_eq(run(&scene, (struct disk_request){.action = DISK_CLOSE, .file = file}), 0);
    tear_down(&scene);
}

Test(disk_ring, says_why_nothing_can_be_made)
{
    struct scene scene = {0};
    set_up(&scene);
    int folder = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct disk_ring ring;
    int error = 0;
    cr_assert_eq(disk_ring_init(&ring, scene.loop, folder, &error), STATUS_IO);
    cr_assert_neq(error, 0);
    close(folder);
    tear_down(&scene);
}

/* Which segments a log consists of, when it lies in one folder or in two. */
#include "io/journal/log_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char path[200];
    int own, spare;
    struct log_files files;
};

static void set_up(struct scene *scene)
{
    *scene = (struct scene){0};
    const char *where = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(scene->path, sizeof scene->path, "%s/kouan-log-XXXXXX", where);
    cr_assert_not_null(mkdtemp(scene->path));
    int above = open(scene->path, O_RDONLY | O_DIRECTORY);
    cr_assert(mkdirat(above, "own", 0700) == 0 && mkdirat(above, "spare", 0700) == 0);
    scene->own = openat(above, "own", O_RDONLY | O_DIRECTORY);
    scene->spare = openat(above, "spare", O_RDONLY | O_DIRECTORY);
    close(above);
}

static void tear_down(struct scene *scene)
{
    char command[300];
    log_files_free(&scene->files);
    close(scene->own);
    close(scene->spare);
    snprintf(command, sizeof command, "rm -rf '%s'", scene->path);
    cr_assert_eq(system(command), 0);
}

static void put(int folder, const char *name)
{
    int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cr_assert(file >= 0, "%s", name);
    close(file);
}

static void put_segments(int folder, unsigned first, unsigned last)
{
    char name[64];
    for (unsigned n = first; n <= last; n++) {
        snprintf(name, sizeof name, "%016x.segment", n);
        put(folder, name);
    }
}

/* "3 4 s5 s6": numbers, with an s those in the spare. */
static void expect(struct scene *scene, int spare, const char *wanted)
{
    char got[256] = "";
    log_files_free(&scene->files);
    cr_assert_eq(log_files_find(scene->own, spare, &scene->files), STATUS_OK);
    for (uint32_t i = 0; i < scene->files.count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s%d", i > 0 ? " " : "",
                 scene->files.files[i].is_in_spare ? "s" : "", (int)scene->files.files[i].number);
    cr_assert_str_eq(got, wanted);
}

Test(log_folder, has_the_segments_of_its_own_folder)
{
    struct scene scene;
    set_up(&scene);
    expect(&scene, -1, "");
    put_segments(scene.own, 9, 11);
    put(scene.own, "spare-0.segment");
    put(scene.own, "000000000000000c.identities");
    put(scene.own, "000000000000000G.segment");
    put(scene.own, "000000000000000d.segmentx");
    expect(&scene, -1, "9 10 11");
    expect(&scene, scene.spare, "9 10 11");
    tear_down(&scene);
}

Test(log_folder, goes_on_in_the_spare_with_the_first_number_there)
{
    struct scene scene;
    set_up(&scene);
    put_segments(scene.own, 3, 8); /* the last two were begun when a write failed */
    put_segments(scene.spare, 6, 7);
    expect(&scene, scene.spare, "3 4 5 s6 s7");
    cr_assert_eq(scene.files.first_number, 0);
    tear_down(&scene);
}

Test(log_folder, has_none_that_was_given_up_and_is_there_still)
{
    struct scene scene;
    set_up(&scene);
    put_segments(scene.own, 3, 8);
    put_segments(scene.spare, 6, 7);
    put(scene.spare, "0000000000000004.first");
    put(scene.spare, "0000000000000005.first");
    expect(&scene, scene.spare, "5 s6 s7");
    cr_assert_eq(scene.files.first_number, 5);
    tear_down(&scene);
}

Test(log_folder, has_nothing_of_its_own_any_more_in_the_end)
{
    struct scene scene;
    set_up(&scene);
    put_segments(scene.own, 3, 8);
    put_segments(scene.spare, 9, 10);
    put(scene.spare, "0000000000000009.first");
    expect(&scene, scene.spare, "s9 s10");
    tear_down(&scene);
}

Test(log_folder, says_when_it_cannot_be_listed)
{
    struct scene scene;
    set_up(&scene);
    int file = openat(scene.own, "plain", O_RDONLY | O_CREAT, 0600);
    cr_assert_eq(log_files_find(file, -1, &scene.files), STATUS_IO);
    cr_assert_eq(log_files_find(scene.own, file, &scene.files), STATUS_IO);
    close(file);
    tear_down(&scene);
}

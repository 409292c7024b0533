/* A journal with a spare folder: whose it is, and what a start refuses. */
#include "io/journal/journal_folders.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char above[200], own[256], spare[256], other[256], problem[2048];
    struct journal_folders folders;
};

static void set_up(struct scene *scene)
{
    *scene = (struct scene){0};
    char where[200];
    cr_assert_not_null(realpath(getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp", where));
    snprintf(scene->above, sizeof scene->above, "%.150s/kouan-folders-XXXXXX", where);
    cr_assert_not_null(mkdtemp(scene->above));
    snprintf(scene->own, sizeof scene->own, "%s/journal", scene->above);
    snprintf(scene->spare, sizeof scene->spare, "%s/spare", scene->above);
    snprintf(scene->other, sizeof scene->other, "%s/other", scene->above);
}

static void run(const char *command, const char *path, const char *more)
{
    char line[700];
    snprintf(line, sizeof line, "%s '%s'%s", command, path, more);
    cr_assert_eq(system(line), 0, "%s", line);
}

static void tear_down(struct scene *scene)
{
    run("rm -rf", scene->above, "");
}

static enum status open_folders(struct scene *scene, const char *spare)
{
    return journal_folders_open(scene->own, spare, &scene->folders, scene->problem,
                                sizeof scene->problem);
}

static void accept(struct scene *scene, const char *spare)
{
    cr_assert_eq(open_folders(scene, spare), STATUS_OK, "%s", scene->problem);
    journal_folders_close(&scene->folders);
}

static void refuse(struct scene *scene, const char *spare, enum status status, const char *said)
{
    cr_assert_eq(open_folders(scene, spare), status, "%s", scene->problem);
    cr_assert_not_null(strstr(scene->problem, said), "%s", scene->problem);
}

static void rename_to(const char *folder, const char *new_folder)
{
    cr_assert_eq(rename(folder, new_folder), 0);
}

/* As if its log had gone on there. */
static void move(const char *folder)
{
    run("mkdir -p", folder, "/00");
    run("touch", folder, "/00/0000000000000003.segment");
}

Test(journal_folders, share_a_secret_and_are_locked)
{
    struct scene scene;
    struct journal_folder alone;
    set_up(&scene);
    cr_assert_eq(open_folders(&scene, scene.spare), STATUS_OK, "%s", scene.problem);
    cr_assert_eq(memcmp(&scene.folders.own.secret, &scene.folders.spare.secret,
                        sizeof scene.folders.own.secret),
                 0);
    cr_assert_str_eq(scene.folders.spare_path, scene.spare);
    cr_assert(!scene.folders.has_moved);
    struct stat about;
    cr_assert(stat(scene.spare, &about) == 0 && (about.st_mode & 0777) == 0700);
    cr_assert_eq(journal_folder_open(scene.spare, &alone, scene.problem, sizeof scene.problem),
                 STATUS_EXISTS);
    char named[JOURNAL_PATH_BYTES];
    cr_assert_eq(journal_folders_read_spare(scene.folders.own.folder, named), STATUS_OK);
    cr_assert_str_eq(named, scene.spare);
    journal_folders_close(&scene.folders);
    accept(&scene, scene.spare);
    tear_down(&scene);
}

Test(journal_folders, are_not_one_within_the_other)
{
    struct scene scene;
    char within[300];
    set_up(&scene);
    accept(&scene, NULL);
    snprintf(within, sizeof within, "%s/spare", scene.own);
    refuse(&scene, within, STATUS_INVALID, "one folder is within the other");
    run("ln -s journal", scene.spare, "");
    refuse(&scene, scene.spare, STATUS_EXISTS, "another server has it open");
    tear_down(&scene);
}

Test(journal_folders, belong_to_one_journal)
{
    struct scene scene;
    set_up(&scene);
    accept(&scene, scene.spare);
    rename_to(scene.own, scene.other);
    refuse(&scene, scene.spare, STATUS_INVALID, "is the spare folder of one: bring its disk back");
    cr_assert_eq(access(scene.own, F_OK), -1, "nothing was made");
    accept(&scene, NULL);
    refuse(&scene, scene.spare, STATUS_EXISTS, "it belongs to another journal");
    tear_down(&scene);
}

Test(journal_folders, are_not_needed_when_nothing_went_on_in_the_spare)
{
    struct scene scene;
    set_up(&scene);
    accept(&scene, scene.spare);
    accept(&scene, NULL);
    char named[JOURNAL_PATH_BYTES];
    int own = open(scene.own, O_RDONLY | O_DIRECTORY);
    cr_assert_eq(journal_folders_read_spare(own, named), STATUS_NOT_FOUND);
    close(own);
    run("rm -r", scene.spare, ""); /* it is nobody's now */
    accept(&scene, scene.other);
    accept(&scene, scene.spare);
    tear_down(&scene);
}

Test(journal_folders, are_both_needed_when_the_log_went_on)
{
    struct scene scene;
    set_up(&scene);
    accept(&scene, scene.spare);
    move(scene.spare);
    refuse(&scene, NULL, STATUS_INVALID, "its log went on in");
    cr_assert_not_null(strstr(scene.problem, scene.spare), "%s", scene.problem);
    refuse(&scene, scene.other, STATUS_INVALID, "its log went on in");
    cr_assert_eq(access(scene.other, F_OK), -1, "nothing was made");
    cr_assert_eq(open_folders(&scene, scene.spare), STATUS_OK, "%s", scene.problem);
    cr_assert(scene.folders.has_moved);
    journal_folders_close(&scene.folders);

    rename_to(scene.own, scene.other);
    refuse(&scene, scene.spare, STATUS_INVALID, "has the end of one: bring its disk back");
    tear_down(&scene);
}

/* It is not mounted: there is no folder, or an empty one. */
Test(journal_folders, miss_a_spare_that_may_have_the_end)
{
    struct scene scene;
    set_up(&scene);
    accept(&scene, scene.spare);
    rename_to(scene.spare, scene.other);
    refuse(&scene, scene.spare, STATUS_INVALID, "may hold the end of the log");
    refuse(&scene, NULL, STATUS_INVALID, "may hold the end of the log");
    run("mkdir -m 700", scene.spare, "");
    refuse(&scene, scene.spare, STATUS_INVALID, "may hold the end of the log");
    run("rm", scene.own, "/spare"); /* who knows that there is nothing says so */
    accept(&scene, scene.spare);
    tear_down(&scene);
}

Test(journal_folders, find_a_spare_that_was_moved)
{
    struct scene scene;
    set_up(&scene);
    accept(&scene, scene.spare);
    move(scene.spare);
    rename_to(scene.spare, scene.other);
    accept(&scene, scene.other);
    refuse(&scene, NULL, STATUS_INVALID, scene.other);
    tear_down(&scene);
}

Test(journal_folders, do_not_guess_what_names_the_spare)
{
    struct scene scene;
    set_up(&scene);
    accept(&scene, scene.spare);
    run("printf spare >", scene.own, "/spare");
    refuse(&scene, scene.spare, STATUS_INVALID, "is not as it was written");
    tear_down(&scene);
}

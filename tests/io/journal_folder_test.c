#include "io/journal/journal_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scene {
    char above[200], path[256], problem[512];
    struct journal_folder folder;
};

static void set_up(struct scene *scene)
{
    *scene = (struct scene){0};
    const char *where = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(scene->above, sizeof scene->above, "%s/kouan-folder-XXXXXX", where);
    cr_assert_not_null(mkdtemp(scene->above));
    snprintf(scene->path, sizeof scene->path, "%s/journal", scene->above);
}

static void tear_down(struct scene *scene)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", scene->above);
    cr_assert_eq(system(command), 0);
}

static enum status open_folder(struct scene *scene)
{
    return journal_folder_open(scene->path, &scene->folder, scene->problem, sizeof scene->problem);
}

static unsigned mode_of(const struct scene *scene, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", scene->path, name);
    struct stat info;
    cr_assert_eq(stat(path, &info), 0, "%s", path);
    return info.st_mode & 0777;
}

Test(journal_folder, is_made_with_a_secret_that_stays)
{
    struct scene scene;
    set_up(&scene);
    cr_assert_eq(open_folder(&scene), STATUS_OK, "%s", scene.problem);
    cr_assert(scene.folder.is_new);
    cr_assert_eq(mode_of(&scene, "."), 0700);
    cr_assert_eq(mode_of(&scene, "lock"), 0600);
    cr_assert_eq(mode_of(&scene, "secret"), 0600);
    int log;
    cr_assert_eq(
        journal_folder_open_log(&scene.folder, 0, &log, scene.problem, sizeof scene.problem),
        STATUS_OK);
    cr_assert_eq(mode_of(&scene, "00"), 0700);
    close(log);
    struct digest_secret secret = scene.folder.secret, zero = {0};
    cr_assert_neq(memcmp(&secret, &zero, sizeof zero), 0);
    journal_folder_close(&scene.folder);

    cr_assert_eq(open_folder(&scene), STATUS_OK, "%s", scene.problem);
    cr_assert_not(scene.folder.is_new);
    cr_assert_eq(memcmp(&secret, &scene.folder.secret, sizeof secret), 0);
    cr_assert_eq(
        journal_folder_open_log(&scene.folder, 0, &log, scene.problem, sizeof scene.problem),
        STATUS_OK);
    close(log);
    journal_folder_close(&scene.folder);
    tear_down(&scene);
}

Test(journal_folder, is_shared_by_no_two_servers)
{
    struct scene scene, second;
    set_up(&scene);
    cr_assert_eq(open_folder(&scene), STATUS_OK);
    second = scene;
    cr_assert_eq(open_folder(&second), STATUS_EXISTS);
    char process[32];
    snprintf(process, sizeof process, "(process %ld)", (long)getpid());
    cr_assert_not_null(strstr(second.problem, process), "%s", second.problem);
    cr_assert_not_null(strstr(second.problem, scene.path));
    journal_folder_close(&scene.folder);
    cr_assert_eq(open_folder(&second), STATUS_OK, "%s", second.problem);
    journal_folder_close(&second.folder);
    tear_down(&scene);
}

static void refuses(struct scene *scene, const char *command, enum status expected,
                    const char *said)
{
    char whole[600];
    snprintf(whole, sizeof whole, "cd '%s' && %s", scene->above, command);
    cr_assert_eq(system(whole), 0, "%s", whole);
    cr_assert_eq(open_folder(scene), expected, "%s: %s", command, scene->problem);
    cr_assert_not_null(strstr(scene->problem, said), "%s", scene->problem);
}

Test(journal_folder, says_what_is_wrong_with_it)
{
    struct scene scene;
    set_up(&scene);
    refuses(&scene, "touch journal", STATUS_IO, "it must be a folder");
    refuses(&scene, "rm journal && mkdir -m 770 journal", STATUS_DENIED, "chmod 700");
    cr_assert_eq(chmod(scene.path, 0700), 0);
    cr_assert_eq(open_folder(&scene), STATUS_OK, "%s", scene.problem);
    journal_folder_close(&scene.folder);
    refuses(&scene, "chmod 640 journal/secret", STATUS_DENIED, "chmod 600");
    refuses(&scene, "chmod 600 journal/secret && truncate -s 191 journal/secret", STATUS_CORRUPT,
            "191 bytes");
    refuses(&scene, "rm journal/secret && mkdir journal/00", STATUS_CORRUPT, "missing");
    refuses(&scene, "ln -s /etc/passwd journal/secret", STATUS_IO, "secret");
    strcat(scene.path, "/none/below");
    refuses(&scene, "true", STATUS_IO, "make the folder above it first");
    snprintf(scene.path, sizeof scene.path, "/proc/kouan");
    refuses(&scene, "true", STATUS_IO, "/proc/kouan");
    tear_down(&scene);
}

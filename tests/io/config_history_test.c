/* Which generations ran: kept in a file that may be torn, and what it says is found again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/reload/config_history.h"

static char folder[64];
static struct history history;

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/kouan-history-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(history_open(folder, &history), STATUS_OK);
}

static const char *path(void)
{
    static char text[128];
    snprintf(text, sizeof text, "%s/history", folder);
    return text;
}

static void tear_down(void)
{
    history_close(&history);
    unlink(path());
    rmdir(folder);
}

TestSuite(config_history, .init = set_up, .fini = tear_down);

static void add(uint64_t number, const char *what)
{
    const char *folders[] = {folder};
    struct history_item item = {.wall_ms = 1000 + number, .number = number};
    memset(&item.manifest, (int)number, sizeof item.manifest);
    snprintf(item.what, sizeof item.what, "%s", what);
    cr_assert_eq(history_add(&history, folders, 1, &item), STATUS_OK);
}

static void open_again(void)
{
    history_close(&history);
    cr_assert_eq(history_open(folder, &history), STATUS_OK);
}

Test(config_history, what_was_written_is_read_again)
{
    struct stat info;
    add(1, "start");
    add(2, "reload by uid 0, pid 7");
    open_again();
    cr_assert_eq(history.count, 2);
    const struct history_item *item = history_find(&history, 2);
    cr_assert_not_null(item);
    cr_expect_eq(item->wall_ms, 1002);
    cr_expect_eq(item->manifest.bytes[31], 2);
    cr_expect_str_eq(item->what, "reload by uid 0, pid 7");
    cr_expect_null(history_find(&history, 3));
    cr_assert_eq(stat(path(), &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
}

Test(config_history, a_torn_line_and_one_that_is_none_are_left_out)
{
    add(1, "start");
    FILE *file = fopen(path(), "a");
    cr_assert_not_null(file);
    fputs("nonsense\n5 6 zz what\n2000 2 0202", file);
    fclose(file);
    open_again();
    cr_expect_eq(history.count, 1);
    add(3, "start"); /* a line of its own */
    open_again();
    cr_expect_eq(history.count, 2);
    cr_expect_not_null(history_find(&history, 3));
}

Test(config_history, the_number_before_is_the_last_other_one)
{
    cr_expect_eq(history_number_before(&history), 0);
    add(1, "start");
    cr_expect_eq(history_number_before(&history), 0);
    add(2, "reload");
    add(2, "start");
    cr_expect_eq(history_number_before(&history), 1);
    add(3, "rollback to 1");
    cr_expect_eq(history_number_before(&history), 2);
}

Test(config_history, only_the_last_ones_are_kept_in_memory)
{
    for (uint64_t number = 1; number <= HISTORY_KEPT + 3; number++)
        cr_assert_eq(history_add(&history, NULL, 0, &(struct history_item){.number = number}),
                     STATUS_OK);
    cr_expect_eq(history.count, (uint32_t)HISTORY_KEPT);
    cr_expect_null(history_find(&history, 3));
    cr_expect_not_null(history_find(&history, 4));
}

Test(config_history, a_folder_that_is_not_there_is_told)
{
    const char *folders[] = {"/nowhere/generations"};
    cr_expect_eq(history_add(&history, folders, 1, &(struct history_item){.number = 1}), STATUS_IO);
    cr_expect_eq(history.count, 1);
}

/* Of a file that has grown for years the end is read: more than 16 MiB here. */
Test(config_history, a_large_file_is_read_from_its_end)
{
    enum { LINES = 150000 };
    char digest[65];
    memset(digest, 'a', 64);
    digest[64] = '\0';
    FILE *file = fopen(path(), "w");
    cr_assert_not_null(file);
    for (unsigned i = 1; i <= LINES; i++)
        fprintf(file, "%u %u %s reload by uid 1000, pid %u, of a long line\n", i, i, digest, i);
    cr_assert_gt(ftell(file), 16 * 1024 * 1024);
    fclose(file);
    open_again();
    cr_assert_eq(history.count, HISTORY_KEPT);
    cr_expect_eq(history.items[0].number, LINES - HISTORY_KEPT + 1);
    cr_expect_eq(history.items[HISTORY_KEPT - 1].number, LINES);
    cr_expect_eq(history_number_before(&history), LINES - 1);
    add(LINES + 1, "start");
    open_again();
    cr_expect_eq(history.items[HISTORY_KEPT - 1].number, LINES + 1);
}

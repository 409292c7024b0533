#include "bench/race/reloader.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char table[] = "id,priority,message_type,customs_office,to,note\na,0,,,all,\n";

/* A server that says by what its table ends when it is told to reload. */
struct reloaded {
    struct server server;
    char folder[SERVER_PATH_BYTES + 32], socket_path[SERVER_PATH_BYTES + 64];
    char table_path[SERVER_PATH_BYTES + 64];
    const char *answer_to_right, *answer_to_wrong;
    int listener;
    pthread_t thread;
    uint32_t asked;
};

static size_t read_table(const struct reloaded *reloaded, char *text, size_t capacity)
{
    FILE *file = fopen(reloaded->table_path, "r");
    cr_assert_not_null(file);
    size_t size = fread(text, 1, capacity - 1, file);
    fclose(file);
    text[size] = '\0';
    return size;
}

static void *answer(void *context)
{
    struct reloaded *reloaded = context;
    char command[256], text[1024], reply[128];
    int client = accept(reloaded->listener, NULL, NULL);
    while (client >= 0 && recv(client, command, sizeof command, 0) > 0) {
        read_table(reloaded, text, sizeof text);
        const char *word = strstr(text, ",nowhere,") != NULL ? reloaded->answer_to_wrong
                                                             : reloaded->answer_to_right;
        snprintf(reply, sizeof reply, "*2\r\n$%zu\r\n%s\r\n$4\r\ntext\r\n", strlen(word), word);
        reloaded->asked++;
        if (send(client, reply, strlen(reply), MSG_NOSIGNAL) < 0)
            break;
    }
    close(client);
    return NULL;
}

static void start(struct reloaded *reloaded, const char *to_right, const char *to_wrong)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    *reloaded = (struct reloaded){.answer_to_right = to_right, .answer_to_wrong = to_wrong};
    char *folder = reloaded->server.directory;
    snprintf(folder, sizeof reloaded->server.directory, "/tmp/kouan-reloader-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(reloaded->folder, sizeof reloaded->folder, "%s/kouan-journal", folder);
    snprintf(reloaded->socket_path, sizeof reloaded->socket_path, "%s/control.sock",
             reloaded->folder);
    snprintf(reloaded->table_path, sizeof reloaded->table_path, "%s/rules-1.csv", folder);
    cr_assert_eq(mkdir(reloaded->folder, 0700), 0);
    FILE *file = fopen(reloaded->table_path, "w");
    cr_assert_not_null(file);
    fputs(table, file);
    fclose(file);
    memcpy(name.sun_path, reloaded->socket_path, strlen(reloaded->socket_path));
    reloaded->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(reloaded->listener, (struct sockaddr *)&name, sizeof name), 0);
    cr_assert_eq(listen(reloaded->listener, 1), 0);
    cr_assert_eq(pthread_create(&reloaded->thread, NULL, answer, reloaded), 0);
}

static void stop(struct reloaded *reloaded)
{
    pthread_join(reloaded->thread, NULL);
    close(reloaded->listener);
    unlink(reloaded->socket_path);
    unlink(reloaded->table_path);
    rmdir(reloaded->folder);
    rmdir(reloaded->server.directory);
}

Test(reloader, has_every_second_one_refused_and_puts_the_table_back)
{
    struct reloaded reloaded;
    struct reloader *reloader;
    struct reloader_counts counts;
    char text[1024];
    start(&reloaded, "ok", "refused");
    cr_assert_eq(reloader_start(&reloaded.server, &reloader), STATUS_OK);
    cr_expect_eq(reloader_stop(reloader, &counts), STATUS_OK);
    cr_expect_geq(counts.refused, 1);
    cr_expect(counts.taken == counts.refused || counts.taken == counts.refused + 1);
    read_table(&reloaded, text, sizeof text);
    cr_expect_str_eq(text, table);
    stop(&reloaded);
    cr_expect_eq(reloaded.asked, counts.taken + counts.refused);
}

Test(reloader, says_when_what_is_wrong_is_taken)
{
    struct reloaded reloaded;
    struct reloader *reloader;
    struct reloader_counts counts;
    start(&reloaded, "ok", "ok");
    cr_assert_eq(reloader_start(&reloaded.server, &reloader), STATUS_OK);
    cr_expect_eq(reloader_stop(reloader, &counts), STATUS_INVALID);
    cr_expect_eq(counts.taken, 1);
    cr_expect_eq(counts.refused, 0);
    stop(&reloaded);
}

Test(reloader, says_when_there_is_no_table)
{
    struct reloader *reloader;
    cr_expect_eq(reloader_start(&(struct server){.directory = "/tmp/kouan-no-server"}, &reloader),
                 STATUS_IO);
}

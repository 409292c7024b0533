#include "bench/peers/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    START_TIMEOUT_MS = 60 * 1000, /* under a sanitizer, on a busy machine */
    STOP_TIMEOUT_MS = 5 * 1000,
    POLL_MS = 20,
    FILES_OPEN_MAX = 8, /* while a directory is removed */
    PATH_BYTES = SERVER_PATH_BYTES + 32
};

static void sleep_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void log_path(const struct server *server, char *path, size_t capacity)
{
    snprintf(path, capacity, "%s/log", server->directory);
}

enum status server_open(const char *folder, struct server *out_server)
{
    struct server server = {0};
    int size = snprintf(server.directory, sizeof server.directory, "%s/kouan-bench-XXXXXX",
                        folder != NULL ? folder : "/tmp");
    if (size < 0 || (size_t)size >= sizeof server.directory || mkdtemp(server.directory) == NULL) {
        perror(server.directory);
        return STATUS_IO;
    }
    *out_server = server;
    return STATUS_OK;
}

enum status server_spawn(struct server *server, const char *const *arguments)
{
    char path[PATH_BYTES];
    log_path(server, path, sizeof path);
    pid_t parent = getpid(), process = fork();
    if (process < 0)
        return STATUS_IO;
    if (process > 0) {
        server->process = process;
        return STATUS_OK;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int log = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (getppid() != parent || log < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0 || setpgid(0, 0) != 0)
        _exit(126);
    execvp(arguments[0], (char *const *)arguments);
    perror(arguments[0]);
    _exit(127);
}

static void print_log(const struct server *server)
{
    char path[PATH_BYTES], line[512];
    log_path(server, path, sizeof path);
    FILE *log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        fputs(line, stderr);
    if (log != NULL)
        fclose(log);
}

/* Whether the log has a whole line with `words`. */
static bool find_words(struct server *server, const char *words)
{
    char path[PATH_BYTES], line[512];
    bool found = false;
    log_path(server, path, sizeof path);
    FILE *log = fopen(path, "r");
    while (log != NULL && !found && fgets(line, sizeof line, log) != NULL) {
        const char *said = strstr(line, words);
        found = said != NULL && strchr(line, '\n') != NULL;
        if (found && server->address[0] == '\0')
            sscanf(said + strlen(words), "%127s", server->address);
    }
    if (log != NULL)
        fclose(log);
    return found;
}

enum status server_await(struct server *server, const char *words)
{
    for (int waited_ms = 0; waited_ms < START_TIMEOUT_MS; waited_ms += POLL_MS) {
        if (find_words(server, words))
            return STATUS_OK;
        if (waitpid(server->process, NULL, WNOHANG) == server->process) {
            server->process = 0;
            break;
        }
        sleep_ms(POLL_MS);
    }
    print_log(server);
    return STATUS_IO;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    return remove(path);
}

void server_stop(struct server *server)
{
    if (server->process != 0) {
        kill(server->process, SIGTERM);
        int waited_ms = 0;
        while (waitpid(server->process, NULL, WNOHANG) == 0 && waited_ms < STOP_TIMEOUT_MS) {
            sleep_ms(POLL_MS);
            waited_ms += POLL_MS;
        }
        if (waited_ms >= STOP_TIMEOUT_MS) {
            kill(server->process, SIGKILL);
            waitpid(server->process, NULL, 0);
        }
    }
    if (server->directory[0] != '\0')
        nftw(server->directory, remove_one, FILES_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
    *server = (struct server){0};
}

uint16_t server_find_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool found = descriptor >= 0 &&
                 bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
                 getsockname(descriptor, (struct sockaddr *)&address, &size) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return found ? ntohs(address.sin_port) : 0;
}

void server_find_kouan(char *path, size_t capacity)
{
    ssize_t size = readlink("/proc/self/exe", path, capacity - sizeof "kouan");
    path[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(path, '/');
    strcpy(slash != NULL ? slash + 1 : path, "kouan");
}

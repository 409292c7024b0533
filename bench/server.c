#include "bench/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_TIMEOUT_MS = 10 * 1000, STOP_TIMEOUT_MS = 5 * 1000, POLL_MS = 20 };

static void sleep_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void log_path(const struct server *server, char *path, size_t capacity)
{
    snprintf(path, capacity, "%s/log", server->directory);
}

static void config_path(const struct server *server, char *path, size_t capacity)
{
    snprintf(path, capacity, "%s/kouan.yaml", server->directory);
}

static enum status make_directory(struct server *server)
{
    strcpy(server->directory, "/tmp/kouan-bench-XXXXXX");
    return mkdtemp(server->directory) != NULL ? STATUS_OK : STATUS_IO;
}

/* Runs the program with both outputs in the log. */
static enum status spawn(struct server *server, const char *const *arguments)
{
    char path[96];
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
    char path[96], line[512];
    log_path(server, path, sizeof path);
    FILE *log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        fputs(line, stderr);
    if (log != NULL)
        fclose(log);
}

/* The address that follows `listening on ` in the log. */
static bool find_address(struct server *server)
{
    char path[96], line[512];
    bool found = false;
    log_path(server, path, sizeof path);
    FILE *log = fopen(path, "r");
    while (log != NULL && !found && fgets(line, sizeof line, log) != NULL) {
        const char *said = strstr(line, "listening on ");
        found = said != NULL && strchr(line, '\n') != NULL &&
                sscanf(said + strlen("listening on "), "%127s", server->address) == 1;
    }
    if (log != NULL)
        fclose(log);
    return found;
}

/* As without a configuration, but for the disk. */
static enum status write_config(const char *path)
{
    static const char text[] = "sync: memory\n"
                               "channels: [{name: in}]\n"
                               "destinations:\n"
                               "  - name: all\n"
                               "    groups: [all]\n"
                               "    fields: [profile, message_type, keys, origin, verdict]\n"
                               "unroutable: all\n";
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return STATUS_IO;
    bool wrote = fputs(text, file) >= 0;
    return fclose(file) == 0 && wrote ? STATUS_OK : STATUS_IO;
}

enum status server_start_kouan(const char *program, struct server *out_server)
{
    struct server server = {0};
    char path[96];
    const char *const arguments[] = {program, "serve", "-c", path, "--listen", "127.0.0.1:0", NULL};
    enum status status = make_directory(&server);
    config_path(&server, path, sizeof path);
    if (status == STATUS_OK)
        status = write_config(path);
    if (status == STATUS_OK)
        status = spawn(&server, arguments);
    if (status != STATUS_OK)
        return status;
    for (int waited_ms = 0; waited_ms < START_TIMEOUT_MS; waited_ms += POLL_MS) {
        if (find_address(&server)) {
            *out_server = server;
            return STATUS_OK;
        }
        if (waitpid(server.process, NULL, WNOHANG) == server.process) {
            server.process = 0;
            break;
        }
        sleep_ms(POLL_MS);
    }
    print_log(&server);
    server_stop(&server);
    return STATUS_IO;
}

/* One that was free a moment ago. */
static uint16_t find_free_port(void)
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

enum status server_start_redis(struct server *out_server)
{
    struct server server = {0};
    char port[8];
    snprintf(port, sizeof port, "%u", find_free_port());
    const char *const arguments[] = {"redis-server", "--port", port, "--bind",
                                     "127.0.0.1",    "--save", "",   "--appendonly",
                                     "no",           NULL};
    enum status status = make_directory(&server);
    if (status == STATUS_OK)
        status = spawn(&server, arguments);
    if (status != STATUS_OK)
        return status;
    snprintf(server.address, sizeof server.address, "127.0.0.1:%s", port);
    *out_server = server;
    return STATUS_OK;
}

void server_stop(struct server *server)
{
    char path[96];
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
    if (server->directory[0] != '\0') {
        log_path(server, path, sizeof path);
        unlink(path);
        config_path(server, path, sizeof path);
        unlink(path);
        rmdir(server->directory);
    }
    *server = (struct server){0};
}

#include "io/journal/journal_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/journal/log_folder.h"

enum { FOLDER_MODE = 0700, FILE_MODE = 0600, LOG_NAME_BYTES = 8, LOGS_MAX = 64, OWNER_BYTES = 32 };

#define LOCK_NAME       "lock"
#define SECRET_NAME     "secret"
#define SECRET_NEW_NAME "secret.new"

/* Where what is wrong is told, and about which folder. */
struct problem {
    const char *option; /* that names it */
    const char *path;
    char *text;
    size_t capacity;
};

static enum status open_folder(int *out_folder, const struct problem *problem);
static enum status lock_folder(struct journal_folder *folder, bool is_left,
                               const struct problem *problem);
static enum status find_secret(struct journal_folder *folder, const struct problem *problem);
static enum status share_secret(struct journal_folder *folder, const struct digest_secret *secret,
                                const struct problem *problem);
static enum status explain(const struct problem *problem, const char *what, int error);

/* With the folder as it is, or with none that is open. */
static enum status settle(enum status status, struct journal_folder *folder,
                          struct journal_folder *out_folder)
{
    if (status == STATUS_OK)
        *out_folder = *folder;
    else
        journal_folder_close(folder);
    return status;
}

static enum status open_own(const char *path, bool is_left, struct journal_folder *out_folder,
                            char *out_problem, size_t problem_capacity)
{
    const struct problem problem = {"journal", path, out_problem, problem_capacity};
    struct journal_folder folder = {.folder = -1, .lock = -1};
    enum status status = open_folder(&folder.folder, &problem);
    if (status == STATUS_OK)
        status = lock_folder(&folder, is_left, &problem);
    if (status == STATUS_OK)
        status = find_secret(&folder, &problem);
    return settle(status, &folder, out_folder);
}

enum status journal_folder_open(const char *path, struct journal_folder *out_folder,
                                char *out_problem, size_t problem_capacity)
{
    return open_own(path, false, out_folder, out_problem, problem_capacity);
}

enum status journal_folder_open_left(const char *path, struct journal_folder *out_folder,
                                     char *out_problem, size_t problem_capacity)
{
    return open_own(path, true, out_folder, out_problem, problem_capacity);
}

enum status journal_folder_open_spare(const char *path, const struct digest_secret *secret,
                                      struct journal_folder *out_folder, char *out_problem,
                                      size_t problem_capacity)
{
    const struct problem problem = {"journal_spare", path, out_problem, problem_capacity};
    struct journal_folder folder = {.folder = -1, .lock = -1};
    enum status status = open_folder(&folder.folder, &problem);
    if (status == STATUS_OK)
        status = lock_folder(&folder, false, &problem);
    if (status == STATUS_OK)
        status = share_secret(&folder, secret, &problem);
    return settle(status, &folder, out_folder);
}

void journal_folder_close(struct journal_folder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    if (folder->folder >= 0)
        close(folder->folder);
    *folder = (struct journal_folder){.folder = -1, .lock = -1};
}

enum status journal_folder_open_log(const struct journal_folder *folder, uint16_t log_number,
                                    int *out_folder, char *out_problem, size_t problem_capacity)
{
    char name[LOG_NAME_BYTES];
    snprintf(name, sizeof name, "%02x", log_number);
    const struct problem problem = {"journal", name, out_problem, problem_capacity};
    if (mkdirat(folder->folder, name, FOLDER_MODE) == 0) {
        if (fsync(folder->folder) != 0)
            return explain(&problem, "sync", errno);
    } else if (errno != EEXIST) {
        return explain(&problem, "make", errno);
    }
    int log = openat(folder->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (log < 0)
        return explain(&problem, "open", errno);
    *out_folder = log;
    return STATUS_OK;
}

static void note_segment(void *context, const char *name)
{
    uint64_t number;
    *(bool *)context |= log_folder_parse_name(name, ".segment", &number);
}

static bool has_segments(int folder, const char *log)
{
    bool found = false;
    int file = openat(folder, log, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return false;
    enum status status = log_folder_list(file, note_segment, &found);
    close(file);
    return found || status != STATUS_OK; /* one that cannot be read may have some */
}

enum status journal_folder_check_logs(const struct journal_folder *folder, uint16_t log_count,
                                      char *out_problem, size_t problem_capacity)
{
    for (unsigned log = log_count; log < LOGS_MAX; log++) {
        char name[LOG_NAME_BYTES];
        snprintf(name, sizeof name, "%02x", log);
        if (!has_segments(folder->folder, name))
            continue;
        snprintf(out_problem, problem_capacity,
                 "the journal has a log %s, and this server would use %u of its logs; go on with "
                 "the number of shards that wrote it",
                 name, log_count);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* ---- The folder ------------------------------------------------------------------------------ */

/* The name of a new folder is on stable storage only when the folder above it is synced. */
static enum status sync_above(int folder, const struct problem *problem)
{
    int above = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = above < 0 || fsync(above) != 0 ? errno : 0;
    if (above >= 0)
        close(above);
    return error == 0 ? STATUS_OK : explain(problem, "sync the folder above", error);
}

static enum status open_folder(int *out_folder, const struct problem *problem)
{
    bool made = mkdir(problem->path, FOLDER_MODE) == 0;
    if (!made && errno != EEXIST)
        return explain(problem, "make", errno);
    *out_folder = open(problem->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out_folder < 0)
        return explain(problem, "open", errno);
    if (made)
        return sync_above(*out_folder, problem);
    struct stat info;
    if (fstat(*out_folder, &info) != 0)
        return explain(problem, "look at", errno);
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        snprintf(problem->text, problem->capacity,
                 "%s %s: others may write to it (mode %03o): chmod 700 '%s'", problem->option,
                 problem->path, (unsigned)(info.st_mode & 0777), problem->path);
        return STATUS_DENIED;
    }
    return STATUS_OK;
}

static enum status explain(const struct problem *problem, const char *what, int error)
{
    const char *hint = "", *option = "";
    enum status status = STATUS_IO;
    switch (error) {
    case ENOTDIR:
        hint = ": it must be a folder; name another one with ";
        option = problem->option;
        break;
    case ENOENT:
        hint = ": make the folder above it first, or name another one with ";
        option = problem->option;
        break;
    case EACCES:
    case EPERM:
        hint = ": it must belong to the user whom Kouan runs as";
        status = STATUS_DENIED;
        break;
    case EROFS:
        hint = ": name a folder on a disk that can be written with ";
        option = problem->option;
        break;
    case ENOSPC:
    case EDQUOT: hint = ": free some room on its disk"; break;
    default: break;
    }
    const char *quote = option[0] != '\0' ? "`" : "";
    snprintf(problem->text, problem->capacity, "%s %s: cannot %s: %s%s%s%s%s", problem->option,
             problem->path, what, strerror(error), hint, quote, option, quote);
    return status;
}

/* ---- The lock -------------------------------------------------------------------------------- */

static enum status explain_lock(int lock, const struct problem *problem)
{
    char owner[OWNER_BYTES] = "";
    ssize_t size = pread(lock, owner, sizeof owner - 1, 0);
    owner[size > 0 ? size : 0] = '\0';
    owner[strspn(owner, "0123456789")] = '\0';
    snprintf(problem->text, problem->capacity,
             "%s %s: another server has it open (process %s): stop that one, or give this one "
             "a journal of its own",
             problem->option, problem->path, owner[0] != '\0' ? owner : "unknown");
    return STATUS_EXISTS;
}

static enum status lock_folder(struct journal_folder *folder, bool is_left,
                               const struct problem *problem)
{
    bool is_read_only = false;
    folder->lock =
        openat(folder->folder, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (folder->lock < 0 && errno == EROFS && is_left) {
        is_read_only = true;
        folder->lock = openat(folder->folder, LOCK_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (folder->lock < 0)
        return explain(problem, "open its lock", errno);
    if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? explain_lock(folder->lock, problem)
                                    : explain(problem, "lock", errno);
    if (is_read_only)
        return STATUS_OK;
    /* Only for people: on a full disk it stays empty. */
    char owner[OWNER_BYTES];
    int size = snprintf(owner, sizeof owner, "%ld\n", (long)getpid());
    if (ftruncate(folder->lock, 0) != 0 || pwrite(folder->lock, owner, (size_t)size, 0) != size)
        return errno == ENOSPC || errno == EDQUOT ? STATUS_OK
                                                  : explain(problem, "write its lock", errno);
    return STATUS_OK;
}

/* ---- The secret ------------------------------------------------------------------------------ */

static enum status read_secret(int file, struct digest_secret *out_secret,
                               const struct problem *problem)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return explain(problem, "look at its secret", errno);
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        snprintf(problem->text, problem->capacity,
                 "%s %s: others may read its secret (mode %03o): chmod 600 '%s/%s'",
                 problem->option, problem->path, (unsigned)(info.st_mode & 0777), problem->path,
                 SECRET_NAME);
        return STATUS_DENIED;
    }
    if (info.st_size != DIGEST_SECRET_BYTES) {
        snprintf(problem->text, problem->capacity,
                 "%s %s: its file `%s` has %lld bytes rather than %d: it is not as it was written",
                 problem->option, problem->path, SECRET_NAME, (long long)info.st_size,
                 DIGEST_SECRET_BYTES);
        return STATUS_CORRUPT;
    }
    if (pread(file, out_secret->bytes, DIGEST_SECRET_BYTES, 0) != DIGEST_SECRET_BYTES)
        return explain(problem, "read its secret", errno);
    return STATUS_OK;
}

/* Written beside its place, synced, and then put there: it is there whole or not at all. */
static enum status write_secret(struct journal_folder *folder, const struct problem *problem)
{
    int file = openat(folder->folder, SECRET_NEW_NAME,
                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (file < 0)
        return explain(problem, "make its secret", errno);
    errno = ENOSPC; /* what a short write means */
    bool written = write(file, folder->secret.bytes, DIGEST_SECRET_BYTES) == DIGEST_SECRET_BYTES &&
                   fsync(file) == 0;
    int error = errno;
    close(file);
    if (!written)
        return explain(problem, "write its secret", error);
    if (renameat(folder->folder, SECRET_NEW_NAME, folder->folder, SECRET_NAME) != 0 ||
        fsync(folder->folder) != 0)
        return explain(problem, "keep its secret", errno);
    folder->is_new = true;
    return STATUS_OK;
}

static enum status find_secret(struct journal_folder *folder, const struct problem *problem)
{
    int file = openat(folder->folder, SECRET_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file >= 0) {
        enum status status = read_secret(file, &folder->secret, problem);
        close(file);
        return status;
    }
    if (errno != ENOENT)
        return explain(problem, "open its secret", errno);
    if (faccessat(folder->folder, "00", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        snprintf(problem->text, problem->capacity,
                 "journal %s: its file `%s` is missing, but there is a log: put it back from a "
                 "copy (every segment holds it, too: 192 bytes from its byte 88 on)",
                 problem->path, SECRET_NAME);
        return STATUS_CORRUPT;
    }
    if (getrandom(folder->secret.bytes, DIGEST_SECRET_BYTES, 0) != DIGEST_SECRET_BYTES)
        return explain(problem, "draw random bytes for its secret", errno);
    return write_secret(folder, problem);
}

static enum status share_secret(struct journal_folder *folder, const struct digest_secret *secret,
                                const struct problem *problem)
{
    int file = openat(folder->folder, SECRET_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) {
        folder->secret = *secret;
        return write_secret(folder, problem);
    }
    if (file < 0)
        return explain(problem, "open its secret", errno);
    enum status status = read_secret(file, &folder->secret, problem);
    close(file);
    if (status != STATUS_OK || memcmp(&folder->secret, secret, sizeof *secret) == 0)
        return status;
    snprintf(problem->text, problem->capacity,
             "%s %s: it belongs to another journal (its secret is another): give each journal a "
             "spare folder of its own",
             problem->option, problem->path);
    return STATUS_EXISTS;
}

#include "io/journal/journal_folders.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "io/journal/log_folder.h"

#define SPARE_NAME "spare"

static_assert(JOURNAL_PATH_BYTES < PATH_MAX, "what realpath gives may be longer");

/* What one start is about. */
struct opening {
    const char *own_path, *spare_path;
    char named_path[JOURNAL_PATH_BYTES]; /* by the file `spare`; empty: it is not there */
    char *problem;
    size_t problem_capacity;
};

/* EMPTY: it is there, and nobody's; where it should be somebody's, a disk is missing. */
enum content { CONTENT_ABSENT, CONTENT_EMPTY, CONTENT_NO_LOG, CONTENT_LOG, CONTENT_UNKNOWN };

static enum status read_named(struct opening *opening);
static enum content look_at(const char *path);
static enum status check_named(const struct opening *opening);
static enum status check_own(const struct opening *opening, enum content spare);
static enum status open_spare(struct opening *opening, struct journal_folders *folders);
static enum status note_spare(const struct opening *opening, const struct journal_folders *folders);
static bool are_nested(const char *left, const char *right);
static enum status refuse_nested(const struct opening *opening);
static enum status refuse(const struct opening *opening, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const struct journal_folders journal_folders_none = {.own = {.folder = -1, .lock = -1},
                                                     .spare = {.folder = -1, .lock = -1}};

enum status journal_folders_open(const char *own_path, const char *spare_path,
                                 struct journal_folders *out_folders, char *out_problem,
                                 size_t problem_capacity)
{
    struct journal_folders folders = journal_folders_none;
    struct opening opening = {own_path, spare_path, "", out_problem, problem_capacity};
    if ((size_t)snprintf(folders.own_path, sizeof folders.own_path, "%s", own_path) >=
        sizeof folders.own_path)
        return refuse(&opening, "journal %s: the path is too long", own_path);
    if (spare_path != NULL && are_nested(own_path, spare_path))
        return refuse_nested(&opening);
    enum status status = read_named(&opening);
    if (status == STATUS_OK)
        status = check_named(&opening);
    enum content spare = spare_path != NULL ? look_at(spare_path) : CONTENT_ABSENT;
    if (status == STATUS_OK && (spare == CONTENT_LOG || spare == CONTENT_NO_LOG))
        status = check_own(&opening, spare);
    if (status != STATUS_OK)
        return status;
    folders.has_moved = spare == CONTENT_LOG;
    status = folders.has_moved
                 ? journal_folder_open_left(own_path, &folders.own, out_problem, problem_capacity)
                 : journal_folder_open(own_path, &folders.own, out_problem, problem_capacity);
    if (status == STATUS_OK && spare_path != NULL)
        status = open_spare(&opening, &folders);
    if (status == STATUS_OK)
        status = note_spare(&opening, &folders);
    if (status != STATUS_OK) {
        journal_folders_close(&folders);
        return status;
    }
    *out_folders = folders;
    return STATUS_OK;
}

void journal_folders_close(struct journal_folders *folders)
{
    journal_folder_close(&folders->spare);
    journal_folder_close(&folders->own);
    folders->spare_path[0] = '\0';
}

static enum status refuse(const struct opening *opening, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(opening->problem, opening->problem_capacity, format, arguments);
    va_end(arguments);
    return STATUS_INVALID;
}

static bool are_nested(const char *left, const char *right)
{
    return file_is_within(left, right) || file_is_within(right, left);
}

static enum status refuse_nested(const struct opening *opening)
{
    return refuse(opening,
                  "journal_spare %s: one folder is within the other: name a folder on another disk "
                  "than that of the journal %s",
                  opening->spare_path, opening->own_path);
}

/* ---- what a folder has ---- */

static void note_segment(void *context, const char *name)
{
    bool *has_segment = context;
    uint64_t number;
    *has_segment |= log_folder_parse_name(name, ".segment", &number);
}

struct search {
    int folder;
    bool has_segment, has_failed;
};

/* A log's folder is two hexadecimal digits. */
static void look_into_log(void *context, const char *name)
{
    struct search *search = context;
    if (strlen(name) != 2 || strspn(name, "0123456789abcdef") != 2)
        return;
    int log = openat(search->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    search->has_failed |=
        log < 0 || log_folder_list(log, note_segment, &search->has_segment) != STATUS_OK;
    if (log >= 0)
        close(log);
}

static enum content look_at(const char *path)
{
    struct search search = {.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (search.folder < 0)
        return errno == ENOENT ? CONTENT_ABSENT : CONTENT_UNKNOWN;
    bool is_read = log_folder_list(search.folder, look_into_log, &search) == STATUS_OK;
    bool has_secret = faccessat(search.folder, "secret", F_OK, 0) == 0;
    close(search.folder);
    if (search.has_segment)
        return CONTENT_LOG;
    if (!is_read || search.has_failed)
        return CONTENT_UNKNOWN;
    return has_secret ? CONTENT_NO_LOG : CONTENT_EMPTY;
}

/* ---- the file that names it ---- */

enum status journal_folders_read_spare(int own_folder, char out_path[JOURNAL_PATH_BYTES])
{
    char text[JOURNAL_PATH_BYTES + 1];
    int file = openat(own_folder, SPARE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO;
    ssize_t size = read(file, text, sizeof text);
    close(file);
    if (size < 0)
        return STATUS_IO;
    if (size < 2 || (size_t)size > JOURNAL_PATH_BYTES || text[0] != '/' ||
        memchr(text, '\n', (size_t)size) != text + size - 1 ||
        memchr(text, '\0', (size_t)size) != NULL)
        return STATUS_CORRUPT;
    memcpy(out_path, text, (size_t)size - 1);
    out_path[size - 1] = '\0';
    return STATUS_OK;
}

static enum status read_named(struct opening *opening)
{
    int own = open(opening->own_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0)
        return STATUS_OK; /* there is none yet, or it is told when it is opened */
    enum status status = journal_folders_read_spare(own, opening->named_path);
    close(own);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        return STATUS_OK;
    return refuse(opening,
                  "journal %s: its file `" SPARE_NAME "` is not as it was written, a path and the "
                  "end of the line: write the path of its spare folder into it",
                  opening->own_path);
}

static bool are_same(const char *left, const char *right)
{
    struct stat a, b;
    return right != NULL && stat(left, &a) == 0 && stat(right, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* Is it the one that is meant, or may it be taken for one that no log went on in? */
static enum status check_named(const struct opening *opening)
{
    const char *named = opening->named_path, *spare = opening->spare_path;
    if (named[0] == '\0')
        return STATUS_OK;
    enum content content = look_at(named);
    if (content == CONTENT_NO_LOG || (content == CONTENT_LOG && are_same(named, spare)))
        return STATUS_OK;
    if (content == CONTENT_LOG)
        return refuse(opening,
                      "journal %s: a write failed, and its log went on in %s: start with "
                      "`journal_spare: %s`, or make one journal of both: `kouan journal repair`",
                      opening->own_path, named, named);
    bool is_gone = content == CONTENT_ABSENT || content == CONTENT_EMPTY;
    if (is_gone && spare != NULL && look_at(spare) == CONTENT_LOG)
        return STATUS_OK; /* it was moved */
    return refuse(opening,
                  "journal %s: its spare folder %s is not there, or cannot be read, and may hold "
                  "the end of the log: bring its disk back, or name with `journal_spare` where it "
                  "is now; only if the log never went on there, remove the file `" SPARE_NAME "`",
                  opening->own_path, named);
}

/* Where its disk is gone, an empty folder may be in its place. */
static enum status check_own(const struct opening *opening, enum content spare)
{
    int own = open(opening->own_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool has_secret = own >= 0 && faccessat(own, "secret", F_OK, 0) == 0;
    if (own >= 0)
        close(own);
    if (has_secret)
        return STATUS_OK;
    if (spare == CONTENT_NO_LOG)
        return refuse(opening,
                      "journal %s: there is no journal, but %s is the spare folder of one: bring "
                      "its disk back, or give the new journal a spare folder of its own",
                      opening->own_path, opening->spare_path);
    return refuse(opening,
                  "journal %s: there is no journal, but %s has the end of one: bring its disk "
                  "back; if that is lost, `kouan journal repair %s NEW_FOLDER` makes a journal of "
                  "what the spare folder has",
                  opening->own_path, opening->spare_path, opening->spare_path);
}

static enum status note_spare(const struct opening *opening, const struct journal_folders *folders)
{
    char line[JOURNAL_PATH_BYTES + 1];
    if (strcmp(opening->named_path, folders->spare_path) == 0)
        return STATUS_OK;
    if (folders->spare_path[0] == '\0') {
        if (unlinkat(folders->own.folder, SPARE_NAME, 0) == 0 && fsync(folders->own.folder) == 0)
            return STATUS_OK;
        return refuse(opening, "journal %s: cannot remove its file `" SPARE_NAME "`: %s",
                      folders->own_path, strerror(errno));
    }
    snprintf(line, sizeof line, "%s\n", folders->spare_path);
    enum status status = file_write(folders->own_path, SPARE_NAME, bytes_from_text(line));
    if (status == STATUS_OK)
        return STATUS_OK;
    refuse(opening, "journal %s: cannot write its file `" SPARE_NAME "`, which names %s: %s",
           folders->own_path, folders->spare_path, status_text(status));
    return status;
}

/* ---- opening it ---- */

static enum status open_spare(struct opening *opening, struct journal_folders *folders)
{
    char own[PATH_MAX], spare[PATH_MAX];
    enum status status =
        journal_folder_open_spare(opening->spare_path, &folders->own.secret, &folders->spare,
                                  opening->problem, opening->problem_capacity);
    if (status != STATUS_OK)
        return status;
    if (realpath(opening->own_path, own) == NULL || realpath(opening->spare_path, spare) == NULL)
        return refuse(opening, "journal_spare %s: cannot find its path: %s", opening->spare_path,
                      strerror(errno));
    if (are_nested(own, spare)) /* by a link */
        return refuse_nested(opening);
    if ((size_t)snprintf(folders->spare_path, sizeof folders->spare_path, "%s", spare) >=
        sizeof folders->spare_path - 1)
        return refuse(opening, "journal_spare %s: the path is too long", opening->spare_path);
    return STATUS_OK;
}

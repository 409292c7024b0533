#include "io/log_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { NUMBER_DIGITS = 16 };

static enum status open_folders(struct log_reader *reader, char *out_problem);
static enum status list_segments(struct log_reader *reader, char *out_problem);
static enum status settle(struct log_reader *reader, char *out_problem);
static void find_holder(struct log_reader *reader);

static enum status fail(enum status status, char *out_problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum status fail(enum status status, char *out_problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out_problem, LOG_PROBLEM_BYTES, format, arguments);
    va_end(arguments);
    return status;
}

enum status log_reader_open(const char *folder, struct log_reader *out_reader,
                            char out_problem[LOG_PROBLEM_BYTES])
{
    struct log_reader reader = {.folder_file = -1, .log_file = -1};
    if ((size_t)snprintf(reader.folder, sizeof reader.folder, "%s", folder) >= sizeof reader.folder)
        return fail(STATUS_INVALID, out_problem, "the path is too long");
    enum status status = open_folders(&reader, out_problem);
    if (status == STATUS_OK)
        status = list_segments(&reader, out_problem);
    if (status == STATUS_OK)
        status = settle(&reader, out_problem);
    if (status != STATUS_OK) {
        log_reader_close(&reader);
        return status;
    }
    find_holder(&reader);
    *out_reader = reader;
    return STATUS_OK;
}

void log_reader_close(struct log_reader *reader)
{
    free(reader->segments);
    if (reader->log_file >= 0)
        close(reader->log_file);
    if (reader->folder_file >= 0)
        close(reader->folder_file);
    *reader = (struct log_reader){.folder_file = -1, .log_file = -1};
}

const struct log_segment *log_reader_find(const struct log_reader *reader, uint64_t number)
{
    uint32_t low = 0, high = reader->segment_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (reader->segments[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < reader->segment_count && reader->segments[low].number == number
               ? &reader->segments[low]
               : NULL;
}

uint64_t log_reader_bytes(const struct log_reader *reader)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < reader->segment_count; i++)
        bytes += reader->segments[i].file_bytes;
    return bytes;
}

bool log_reader_is_there(const struct log_reader *reader, const struct log_segment *segment)
{
    char name[LOG_FILE_NAME_BYTES];
    struct stat about;
    log_file_name(segment->number, "segment", name);
    return fstatat(reader->log_file, name, &about, 0) == 0 && about.st_ino == segment->inode;
}

int log_reader_open_segment(const struct log_reader *reader, const struct log_segment *segment)
{
    char name[LOG_FILE_NAME_BYTES];
    log_file_name(segment->number, "segment", name);
    return openat(reader->log_file, name, O_RDONLY | O_CLOEXEC);
}

uint64_t log_reader_wall_ms(const struct log_reader *reader, uint64_t segment, uint64_t log_time_ms)
{
    const struct log_segment *found = log_reader_find(reader, segment);
    if (found == NULL || found->header_status != STATUS_OK || found->header.wall_ms == 0 ||
        log_time_ms < found->header.log_time_ms)
        return 0;
    return found->header.wall_ms + (log_time_ms - found->header.log_time_ms);
}

void log_file_name(uint64_t number, const char *ending, char out_name[LOG_FILE_NAME_BYTES])
{
    snprintf(out_name, LOG_FILE_NAME_BYTES, "%016" PRIx64 ".%s", number, ending);
}

/* ---- the folder ---- */

static enum status open_folders(struct log_reader *reader, char *out_problem)
{
    const char *folder = reader->folder;
    reader->folder_file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (reader->folder_file < 0 && errno == ENOENT)
        return fail(STATUS_NOT_FOUND, out_problem, "there is no folder %s", folder);
    if (reader->folder_file < 0 && errno == ENOTDIR)
        return fail(STATUS_NOT_FOUND, out_problem, "%s is not a folder", folder);
    if (reader->folder_file < 0)
        return fail(errno == EACCES ? STATUS_DENIED : STATUS_IO, out_problem,
                    "cannot open the folder %s: %s", folder, strerror(errno));
    reader->log_file = openat(reader->folder_file, "00", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (reader->log_file < 0 && errno == ENOENT)
        return fail(STATUS_NOT_FOUND, out_problem,
                    "%s is not a journal: it has no log (a folder 00)", folder);
    if (reader->log_file < 0)
        return fail(errno == EACCES ? STATUS_DENIED : STATUS_IO, out_problem,
                    "cannot open %s/00: %s", folder, strerror(errno));
    if (faccessat(reader->folder_file, "01", F_OK, 0) == 0)
        return fail(STATUS_UNSUPPORTED, out_problem,
                    "%s has several logs; this program reads journals of one", folder);
    return STATUS_OK;
}

/* A name of NUMBER_DIGITS lower-case hexadecimal digits and an ending. */
static bool parse_name(const char *name, const char *ending, uint64_t *out_number)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        const char *digit = name[i] != '\0' ? strchr(digits, name[i]) : NULL;
        if (digit == NULL)
            return false;
        number = number << 4 | (uint64_t)(digit - digits);
    }
    if (name[NUMBER_DIGITS] != '.' || strcmp(name + NUMBER_DIGITS + 1, ending) != 0)
        return false;
    *out_number = number;
    return true;
}

/* False only if it is gone: what is wrong with it else is told by its header's status. */
static bool look_at(struct log_reader *reader, struct log_segment *segment)
{
    char name[LOG_FILE_NAME_BYTES];
    struct stat about;
    int file = log_reader_open_segment(reader, segment);
    if (file < 0 && errno == ENOENT)
        return false;
    segment->header_status = STATUS_IO;
    if (file >= 0) {
        if (fstat(file, &about) == 0) {
            segment->file_bytes = (uint64_t)about.st_size;
            segment->inode = about.st_ino;
        }
        ssize_t got = pread(file, &segment->header, sizeof segment->header, 0);
        if (got == (ssize_t)sizeof segment->header)
            segment->header_status = segment_header_check(&segment->header);
        else if (got >= 0)
            segment->header_status = STATUS_INCOMPLETE;
        close(file);
    }
    if (segment->header_status == STATUS_OK && segment->header.number != segment->number)
        segment->header_status = STATUS_CORRUPT;
    log_file_name(segment->number, "identities", name);
    segment->has_identities = faccessat(reader->log_file, name, F_OK, 0) == 0;
    log_file_name(segment->number, "seal", name);
    segment->has_seal = faccessat(reader->log_file, name, F_OK, 0) == 0;
    return true;
}

static int compare_segments(const void *a, const void *b)
{
    const struct log_segment *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

static enum status list_segments(struct log_reader *reader, char *out_problem)
{
    uint32_t capacity = 0;
    int file = openat(reader->log_file, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = file >= 0 ? fdopendir(file) : NULL;
    if (directory == NULL) {
        if (file >= 0)
            close(file);
        return fail(STATUS_IO, out_problem, "cannot list %s/00: %s", reader->folder,
                    strerror(errno));
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct log_segment segment = {0};
        if (!parse_name(entry->d_name, "segment", &segment.number) || !look_at(reader, &segment))
            continue;
        if (reader->segment_count == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            reader->segments = realloc(reader->segments, capacity * sizeof *reader->segments);
            if (reader->segments == NULL)
                abort();
        }
        reader->segments[reader->segment_count++] = segment;
    }
    closedir(directory);
    if (reader->segment_count == 0)
        return fail(STATUS_INCOMPLETE, out_problem, "nothing was written into %s yet",
                    reader->folder);
    qsort(reader->segments, reader->segment_count, sizeof *reader->segments, compare_segments);
    return STATUS_OK;
}

/* What all segments have in common, from the first whose header is right. */
static enum status settle(struct log_reader *reader, char *out_problem)
{
    for (uint32_t i = 0; i < reader->segment_count; i++) {
        const struct log_segment *segment = &reader->segments[i];
        if (segment->header_status == STATUS_UNSUPPORTED)
            return fail(STATUS_UNSUPPORTED, out_problem,
                        "%s is a journal of version %" PRIu32 "; this program reads version %d",
                        reader->folder, segment->header.version, JOURNAL_VERSION);
        if (segment->header_status != STATUS_OK || reader->segment_bytes != 0)
            continue;
        reader->segment_bytes = segment->header.segment_bytes;
        reader->secret = segment->header.secret;
    }
    if (reader->segment_bytes < JOURNAL_SEGMENT_BYTES_MIN)
        return fail(STATUS_CORRUPT, out_problem,
                    "none of the %" PRIu32 " segments in %s/00 has a right header: the journal "
                    "cannot be read without its size and secret",
                    reader->segment_count, reader->folder);
    return STATUS_OK;
}

/* ---- who has it open ---- */

/* A lock of the file in the kernel's list: "1: FLOCK  ADVISORY  WRITE 811 08:01:1234 0 EOF". To ask
 * for the lock would be to take it for a moment, and could keep a server from starting. */
static bool is_locked(const struct stat *about)
{
    char line[256];
    FILE *locks = fopen("/proc/locks", "re");
    bool found = false;
    if (locks == NULL)
        return false;
    while (!found && fgets(line, sizeof line, locks) != NULL) {
        unsigned major_number, minor_number;
        unsigned long long inode;
        found = sscanf(line, "%*s FLOCK %*s %*s %*s %x:%x:%llu", &major_number, &minor_number,
                       &inode) == 3 &&
                major_number == major(about->st_dev) && minor_number == minor(about->st_dev) &&
                inode == about->st_ino;
    }
    fclose(locks);
    return found;
}

static void find_holder(struct log_reader *reader)
{
    struct stat about;
    int file = openat(reader->folder_file, "lock", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    if (fstat(file, &about) == 0 && is_locked(&about)) {
        reader->is_held = true;
        char process[32] = "";
        ssize_t got = pread(file, process, sizeof process - 1, 0);
        process[got > 0 ? strcspn(process, "\n") : 0] = '\0';
        snprintf(reader->holder, sizeof reader->holder, "process %s", process);
    }
    close(file);
}

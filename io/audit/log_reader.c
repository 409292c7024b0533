#include "io/audit/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/journal/journal_folders.h"
#include "io/journal/log_folder.h"

static void name_log(unsigned number, char out_name[LOG_NAME_BYTES]);
static enum status open_folders(struct log_reader *reader, char *out_problem);
static enum status open_spare(struct log_reader *reader, char *out_problem);
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

enum status log_reader_open(const char *folder, uint16_t log_number, struct log_reader *out_reader,
                            char out_problem[LOG_PROBLEM_BYTES])
{
    struct log_reader reader = {
        .log_number = log_number, .folder_file = -1, .log_file = -1, .spare_file = -1};
    name_log(log_number, reader.log_name);
    if ((size_t)snprintf(reader.folder, sizeof reader.folder, "%s", folder) >= sizeof reader.folder)
        return fail(STATUS_INVALID, out_problem, "the path is too long");
    enum status status = open_folders(&reader, out_problem);
    if (status == STATUS_OK)
        status = open_spare(&reader, out_problem);
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
    if (reader->spare_file >= 0)
        close(reader->spare_file);
    *reader = (struct log_reader){.folder_file = -1, .log_file = -1, .spare_file = -1};
}

enum status log_reader_each(const char *folder,
                            enum status (*run)(void *context, const struct log_reader *reader),
                            void *context, char out_problem[LOG_PROBLEM_BYTES])
{
    uint16_t log_count = LOGS_MAX; /* until one can be opened */
    for (uint16_t log = 0; log < log_count; log++) {
        struct log_reader reader;
        enum status status = log_reader_open(folder, log, &reader, out_problem);
        if (status == STATUS_INCOMPLETE || (status == STATUS_NOT_FOUND && log > 0))
            continue;
        if (status != STATUS_OK)
            return status;
        log_count = reader.log_count < LOGS_MAX ? reader.log_count : LOGS_MAX;
        status = run(context, &reader);
        log_reader_close(&reader);
        if (status != STATUS_OK)
            return fail(status, out_problem, "%s",
                        status == STATUS_INCOMPLETE ? "given up" : status_text(status));
    }
    return STATUS_OK;
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
    return fstatat(log_reader_folder(reader, segment), name, &about, 0) == 0 &&
           about.st_ino == segment->inode;
}

int log_reader_folder(const struct log_reader *reader, const struct log_segment *segment)
{
    return segment->is_in_spare ? reader->spare_file : reader->log_file;
}

const struct log_segment *log_reader_first_in_spare(const struct log_reader *reader)
{
    for (uint32_t i = 0; i < reader->segment_count; i++)
        if (reader->segments[i].is_in_spare)
            return &reader->segments[i];
    return NULL;
}

int log_reader_open_beside(const struct log_reader *reader, uint64_t number, const char *ending)
{
    char name[LOG_FILE_NAME_BYTES];
    log_file_name(number, ending, name);
    int file = -1;
    if (reader->spare_file >= 0)
        file = openat(reader->spare_file, name, O_RDONLY | O_CLOEXEC);
    return file >= 0 ? file : openat(reader->log_file, name, O_RDONLY | O_CLOEXEC);
}

int log_reader_open_segment(const struct log_reader *reader, const struct log_segment *segment)
{
    char name[LOG_FILE_NAME_BYTES];
    log_file_name(segment->number, "segment", name);
    return openat(log_reader_folder(reader, segment), name, O_RDONLY | O_CLOEXEC);
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

static void name_log(unsigned number, char out_name[LOG_NAME_BYTES])
{
    snprintf(out_name, LOG_NAME_BYTES, "%02x", number);
}

static uint16_t count_logs(int folder)
{
    char name[LOG_NAME_BYTES];
    uint16_t count = 0;
    do
        name_log(count, name);
    while (faccessat(folder, name, F_OK, 0) == 0 && ++count < LOGS_MAX);
    return count;
}

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
    reader->log_file =
        openat(reader->folder_file, reader->log_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (reader->log_file < 0 && errno == ENOENT)
        return fail(STATUS_NOT_FOUND, out_problem,
                    "%s is not a journal: it has no log (a folder %s)", folder, reader->log_name);
    if (reader->log_file < 0)
        return fail(errno == EACCES ? STATUS_DENIED : STATUS_IO, out_problem,
                    "cannot open %s/%s: %s", folder, reader->log_name, strerror(errno));
    reader->log_count = count_logs(reader->folder_file);
    return STATUS_OK;
}

/* Without a log of this number in it nothing was written there. */
static enum status open_spare(struct log_reader *reader, char *out_problem)
{
    char path[JOURNAL_PATH_BYTES];
    enum status status = journal_folders_read_spare(reader->folder_file, path);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return fail(status, out_problem, "%s: its file `spare` cannot be read: %s", reader->folder,
                    status_text(status));
    int spare = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spare < 0)
        return fail(STATUS_NOT_FOUND, out_problem,
                    "the spare folder %s of the journal %s, which may hold the end of its log, "
                    "cannot be opened: %s; bring it back, or write where it is now into %s/spare",
                    path, reader->folder, strerror(errno), reader->folder);
    reader->spare_file = openat(spare, reader->log_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = reader->spare_file < 0 ? errno : 0;
    close(spare);
    snprintf(reader->spare, sizeof reader->spare, "%s", path);
    return error == 0 || error == ENOENT ? STATUS_OK
                                         : fail(STATUS_IO, out_problem, "cannot open %s/%s: %s",
                                                path, reader->log_name, strerror(error));
}

static bool is_beside(const struct log_reader *reader, uint64_t number, const char *ending)
{
    int file = log_reader_open_beside(reader, number, ending);
    if (file >= 0)
        close(file);
    return file >= 0;
}

/* False only if it is gone: what is wrong with it else is told by its header's status. */
static bool look_at(struct log_reader *reader, struct log_segment *segment)
{
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
    if (segment->header_status == STATUS_OK && (segment->header.number != segment->number ||
                                                segment->header.log_number != reader->log_number))
        segment->header_status = STATUS_CORRUPT;
    segment->has_identities = is_beside(reader, segment->number, "identities");
    segment->has_seal = is_beside(reader, segment->number, "seal");
    return true;
}

static enum status list_segments(struct log_reader *reader, char *out_problem)
{
    struct log_files files;
    if (log_files_find(reader->log_file, reader->spare_file, &files) != STATUS_OK)
        return fail(STATUS_IO, out_problem, "cannot list %s/%s: %s", reader->folder,
                    reader->log_name, strerror(errno));
    reader->segments = calloc(files.count + 1U, sizeof *reader->segments);
    if (reader->segments == NULL)
        abort();
    for (uint32_t i = 0; i < files.count; i++) {
        struct log_segment *segment = &reader->segments[reader->segment_count];
        *segment = (struct log_segment){.number = files.files[i].number,
                                        .is_in_spare = files.files[i].is_in_spare};
        reader->segment_count += look_at(reader, segment) ? 1 : 0;
    }
    log_files_free(&files);
    if (reader->segment_count == 0)
        return fail(STATUS_INCOMPLETE, out_problem, "nothing was written into %s yet",
                    reader->folder);
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
                    "none of the %" PRIu32 " segments in %s/%s has a right header: the journal "
                    "cannot be read without its size and secret",
                    reader->segment_count, reader->folder, reader->log_name);
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

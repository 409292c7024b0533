#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/journal/log_folder.h"
#include "io/journal/sidecars.h"
#include "io/recover/recover_inside.h"

static enum status list_files(struct recover *recover);
static enum status clean_folders(struct recover *recover);
static enum status open_file(struct recover *recover, struct recover_file *file);
static enum status check_header(struct recover *recover, struct recover_file *file);

enum status recover_find_files(struct recover *recover)
{
    enum status status = list_files(recover);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < recover->file_count; i++) {
        struct recover_file *file = &recover->files[i];
        if (i > 0 && file->number != file[-1].number + 1)
            return recover_say(recover, STATUS_CORRUPT,
                               "%s: the segment %016" PRIx64 ".segment is missing, others before "
                               "and behind it are there; bring it back, or `kouan journal repair` "
                               "copies what there is to a new journal",
                               recover->settings.path, file[-1].number + 1);
        status = open_file(recover, file);
        if (status == STATUS_OK)
            status = check_header(recover, file);
        if (status != STATUS_OK)
            return status;
        recover->figures.total_bytes += file->size_bytes;
        if (file->has_header && file->header.incarnation >= recover->incarnation)
            recover->incarnation = file->header.incarnation + 1;
    }
    recover->figures.segments = recover->file_count;
    return clean_folders(recover);
}

struct recover_file *recover_file(const struct recover *recover, uint64_t segment)
{
    if (recover->file_count == 0 || segment < recover->files[0].number ||
        segment - recover->files[0].number >= recover->file_count)
        return NULL;
    return &recover->files[segment - recover->files[0].number];
}

const char *recover_path(const struct recover *recover, uint64_t segment)
{
    const struct recover_file *file = recover_file(recover, segment);
    return file != NULL && file->is_in_spare ? recover->settings.spare_path
                                             : recover->settings.path;
}

const char *recover_current_path(const struct recover *recover)
{
    return recover->settings.has_moved ? recover->settings.spare_path : recover->settings.path;
}

int64_t recover_read(void *context, uint64_t segment, uint64_t offset, void *memory,
                     size_t capacity)
{
    struct recover *recover = context;
    const struct recover_file *file = recover_file(recover, segment);
    if (file == NULL)
        return 0;
    return read_ahead_copy(&recover->reader, (uint32_t)(file - recover->files), offset, memory,
                           capacity);
}

enum status recover_remove(const struct recover *recover, const char *name)
{
    struct disk_request request = {.action = DISK_REMOVE};
    snprintf(request.name, sizeof request.name, "%s", name);
    int32_t result = disk_run(recover->settings.disk, &request);
    if (result < 0 && result != -ENOENT)
        return recover_say(recover, STATUS_IO, "cannot remove %s/%s: %s", recover->settings.path,
                           name, strerror(-result));
    return STATUS_OK;
}

void recover_close_file(const struct recover *recover, int file)
{
    struct disk_request request = {.action = DISK_CLOSE, .file = file};
    disk_run(recover->settings.disk, &request);
}

enum status recover_read_page(const struct recover *recover, uint64_t segment, uint64_t offset,
                              void *page)
{
    struct disk_request request = {.action = DISK_READ,
                                   .file = recover_file(recover, segment)->file,
                                   .memory = page,
                                   .offset = offset,
                                   .size_bytes = JOURNAL_PAGE_BYTES};
    int32_t result = disk_run(recover->settings.disk, &request);
    if (result == JOURNAL_PAGE_BYTES)
        return STATUS_OK;
    return recover_say_place(recover, STATUS_IO, segment * recover->settings.segment_bytes + offset,
                             "it cannot be read: %s",
                             result < 0 ? strerror(-result) : "the file ends here");
}

/* ---- the folders ---- */

static enum status list_files(struct recover *recover)
{
    const struct recover_settings *settings = &recover->settings;
    struct log_files found;
    int spare = settings->spare_path != NULL ? settings->spare_folder : -1;
    enum status status = log_files_find(settings->folder, spare, &found);
    if (status == STATUS_IO)
        return recover_say(recover, STATUS_IO, "cannot list %s: %s", settings->path,
                           strerror(errno));
    if (status != STATUS_OK)
        return status;
    recover->files = calloc(found.count + 1U, sizeof *recover->files);
    if (recover->files == NULL)
        abort();
    for (uint32_t i = 0; i < found.count; i++)
        recover->files[i] = (struct recover_file){
            .number = found.files[i].number, .file = -1, .is_in_spare = found.files[i].is_in_spare};
    recover->file_count = found.count;
    recover->first_number = found.first_number;
    log_files_free(&found);
    return STATUS_OK;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t size = strlen(name), ending_size = strlen(ending);
    return size > ending_size && strcmp(name + size - ending_size, ending) == 0;
}

/* What an earlier start or a writer of sidecars left half done; sidecars without a segment; and
 * what the disk that was left did not let go of when it was given up. */
static bool is_left_over(const struct recover *recover, const char *name)
{
    uint64_t number;
    if (ends_with(name, ".tmp") || strcmp(name, SIDECAR_NEW_NAME) == 0)
        return true;
    if (log_folder_parse_name(name, ".identities", &number))
        return recover_file(recover, number) == NULL;
    return log_folder_parse_name(name, ".segment", &number) && number < recover->first_number;
}

struct cleaning {
    const struct recover *recover;
    int folder;
    enum status status;
};

static void clean(void *context, const char *name)
{
    struct cleaning *cleaning = context;
    if (cleaning->status == STATUS_OK && is_left_over(cleaning->recover, name))
        cleaning->status = recover_remove(cleaning->recover, name);
}

/* Nothing in it is of the log yet: a move that was not finished may have left something. */
static void clean_unused_spare(void *context, const char *name)
{
    struct cleaning *cleaning = context;
    bool is_ours = strncmp(name, "spare-", 6) == 0 || is_left_over(cleaning->recover, name);
    if (cleaning->status == STATUS_OK && is_ours && unlinkat(cleaning->folder, name, 0) != 0)
        cleaning->status =
            recover_say(cleaning->recover, STATUS_IO, "cannot remove %s/%s: %s",
                        cleaning->recover->settings.spare_path, name, strerror(errno));
}

static enum status clean_folders(struct recover *recover)
{
    const struct recover_settings *settings = &recover->settings;
    struct cleaning own = {recover, settings->folder, STATUS_OK};
    struct cleaning spare = {recover, settings->spare_folder, STATUS_OK};
    enum status status = log_folder_list(settings->folder, clean, &own);
    if (status == STATUS_OK && settings->spare_path != NULL)
        status = log_folder_list(settings->spare_folder,
                                 recover->settings.has_moved ? clean : clean_unused_spare, &spare);
    if (status != STATUS_OK)
        return recover_say(recover, status, "cannot list %s: %s", settings->path, strerror(errno));
    return own.status == STATUS_OK ? spare.status : own.status;
}

/* ---- a file ---- */

static enum status open_file(struct recover *recover, struct recover_file *file)
{
    struct stat info;
    struct disk_request request = {.action = DISK_OPEN};
    segment_name(file->number, request.name);
    int32_t result = disk_run(recover->settings.disk, &request);
    if (result < 0)
        return recover_say(recover, STATUS_IO, "cannot open %s/%s: %s",
                           recover_path(recover, file->number), request.name, strerror(-result));
    file->file = result;
    if (fstat(file->file, &info) != 0)
        return recover_say(recover, STATUS_IO, "cannot look at %s/%s: %s",
                           recover_path(recover, file->number), request.name, strerror(errno));
    file->size_bytes = (uint64_t)info.st_size;
    return STATUS_OK;
}

static enum status read_header(struct recover *recover, struct recover_file *file)
{
    void *page = aligned_alloc(JOURNAL_PAGE_BYTES, JOURNAL_PAGE_BYTES);
    if (page == NULL)
        return STATUS_NO_MEMORY;
    memset(page, 0, JOURNAL_PAGE_BYTES);
    enum status status = file->size_bytes >= JOURNAL_PAGE_BYTES /* a shorter one has no header */
                             ? recover_read_page(recover, file->number, 0, page)
                             : STATUS_OK;
    memcpy(&file->header, page, sizeof file->header);
    free(page);
    return status;
}

/* Does a whole header fit this log and this configuration? */
static enum status check_owner(struct recover *recover, const struct recover_file *file)
{
    const struct recover_settings *settings = &recover->settings;
    const struct segment_header *header = &file->header;
    if (memcmp(&header->secret, &settings->secret, sizeof header->secret) != 0)
        return recover_say(recover, STATUS_INVALID,
                           "%s was written under another secret than %s/secret: they are not of "
                           "one installation; put back the secret that belongs to it",
                           settings->path, settings->journal_path);
    if (header->log_count != settings->log_count || header->log_number != settings->log_number)
        return recover_say(recover, STATUS_INVALID,
                           "%s is log %u of %u, this server would use it as log %u of %u; go on "
                           "with the number of shards that wrote it",
                           settings->path, header->log_number, header->log_count,
                           settings->log_number, settings->log_count);
    if (header->segment_bytes != settings->segment_bytes)
        return recover_say(recover, STATUS_INVALID,
                           "%s has segments of %" PRIu32 " bytes, the configuration wants %" PRIu32
                           "; say `segment: %" PRIu32 "`, or begin a new journal in another folder",
                           settings->path, header->segment_bytes, settings->segment_bytes,
                           header->segment_bytes);
    return STATUS_OK;
}

/* The header of the last segment may not have come to the disk, or be that of the file's life
 * before. */
static enum status check_header(struct recover *recover, struct recover_file *file)
{
    bool is_last = file == &recover->files[recover->file_count - 1];
    enum status status = read_header(recover, file);
    if (status != STATUS_OK)
        return status;
    status = segment_header_check(&file->header);
    if (status == STATUS_UNSUPPORTED)
        return recover_say(recover, STATUS_UNSUPPORTED,
                           "%s was written by another version of Kouan: its format is %" PRIu32
                           ", this one reads %d; run the version that wrote it",
                           recover->settings.path, file->header.version, JOURNAL_VERSION);
    if (status == STATUS_OK)
        status = check_owner(recover, file);
    if (status != STATUS_OK && status != STATUS_CORRUPT)
        return status;
    file->has_header = status == STATUS_OK && file->header.number == file->number;
    if (!file->has_header && !is_last)
        return recover_say_place(
            recover, STATUS_CORRUPT, file->number * recover->settings.segment_bytes,
            "the header is not as it was written; bring the file back, or `kouan journal repair` "
            "copies what verifies to a new journal and lists what is lost");
    return STATUS_OK;
}

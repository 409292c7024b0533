#include "io/audit/log_repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status make_folders(struct log_repair *repair);
static enum status copy_beside(struct log_repair *repair);
static enum status take_block(void *context, const struct block_header *block);
static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block);
static enum status take_gap(void *context, const struct log_gap *gap);
static enum status finish_block(struct log_repair *repair);
static enum status finish_file(struct log_repair *repair);

static enum status fail(struct log_repair *repair, const char *what, const char *name)
{
    snprintf(repair->problem, sizeof repair->problem, "cannot %s %s/%s: %s", what,
             repair->new_folder, name, strerror(errno));
    return STATUS_IO;
}

enum status log_repair_run(struct log_repair *repair, struct log_walk *out_walk)
{
    const struct log_handler handler = {
        .block = take_block, .record = take_record, .gap = take_gap, .context = repair};
    repair->folder = repair->log_folder = repair->file = -1;
    enum status status = make_folders(repair);
    if (status == STATUS_OK && !repair->is_further_log)
        status = copy_beside(repair);
    if (status == STATUS_OK)
        status = log_walk(repair->reader, repair->reader->segments[0].number, &handler, out_walk);
    if (status == STATUS_OK)
        status = finish_block(repair);
    if (status == STATUS_OK)
        status = finish_file(repair);
    if (status == STATUS_OK && (fsync(repair->log_folder) != 0 || fsync(repair->folder) != 0))
        status = fail(repair, "sync", "");
    if (status != STATUS_OK && repair->problem[0] == '\0')
        snprintf(repair->problem, sizeof repair->problem, "%s", status_text(status));
    if (repair->file >= 0)
        close(repair->file);
    if (repair->log_folder >= 0)
        close(repair->log_folder);
    if (repair->folder >= 0)
        close(repair->folder);
    free(repair->block);
    return status;
}

/* ---- folders, and what lies beside the log ---- */

static enum status make_folders(struct log_repair *repair)
{
    const char *log_name = repair->reader->log_name;
    if (!repair->is_further_log && mkdir(repair->new_folder, 0700) != 0) {
        if (errno != EEXIST)
            return fail(repair, "make", "");
        snprintf(repair->problem, sizeof repair->problem, "%s is there already",
                 repair->new_folder);
        return STATUS_EXISTS;
    }
    repair->folder = open(repair->new_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (repair->folder < 0 || mkdirat(repair->folder, log_name, 0700) != 0)
        return fail(repair, "make", log_name);
    repair->log_folder = openat(repair->folder, log_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return repair->log_folder < 0 ? fail(repair, "open", log_name) : STATUS_OK;
}

static bool write_at(int file, const void *data, uint64_t bytes, uint64_t offset)
{
    const uint8_t *from = data;
    while (bytes > 0) {
        ssize_t written = pwrite(file, from, bytes, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        from += written;
        bytes -= (uint64_t)written;
        offset += (uint64_t)written;
    }
    return true;
}

static bool copy_bytes(int from, int to)
{
    char chunk[64 * 1024];
    uint64_t offset = 0;
    ssize_t got;
    while ((got = pread(from, chunk, sizeof chunk, (off_t)offset)) > 0) {
        if (!write_at(to, chunk, (uint64_t)got, offset))
            return false;
        offset += (uint64_t)got;
    }
    return got == 0 && fsync(to) == 0;
}

static enum status copy_file(struct log_repair *repair, int from_folder, int to_folder,
                             const char *name)
{
    int from = openat(from_folder, name, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return errno == ENOENT ? STATUS_OK : fail(repair, "copy", name);
    int to = openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = to >= 0 && copy_bytes(from, to);
    enum status status = ok ? STATUS_OK : fail(repair, "copy", name);
    close(from);
    if (to >= 0)
        close(to);
    return status;
}

/* Those that are there already are the same: they are named by what is in them. */
static enum status copy_generations_from(struct log_repair *repair, int folder, int to)
{
    enum status status = STATUS_OK;
    int from = openat(folder, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from < 0)
        return errno == ENOENT ? STATUS_OK : fail(repair, "copy", "generations");
    DIR *directory = fdopendir(from);
    if (directory == NULL) {
        close(from);
        return fail(repair, "list", "generations");
    }
    for (const struct dirent *entry; status == STATUS_OK && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.' && faccessat(to, entry->d_name, F_OK, 0) != 0)
            status = copy_file(repair, from, to, entry->d_name);
    closedir(directory);
    return status;
}

static enum status copy_generations(struct log_repair *repair)
{
    const struct log_reader *reader = repair->reader;
    if (mkdirat(repair->folder, "generations", 0700) != 0)
        return fail(repair, "make", "generations");
    int to = openat(repair->folder, "generations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return fail(repair, "open", "generations");
    enum status status = copy_generations_from(repair, reader->folder_file, to);
    int spare = -1;
    if (status == STATUS_OK && reader->spare[0] != '\0') {
        spare = open(reader->spare, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        status = spare >= 0 ? copy_generations_from(repair, spare, to)
                            : fail(repair, "open the spare folder for", "generations");
    }
    if (status == STATUS_OK && fsync(to) != 0)
        status = fail(repair, "sync", "generations");
    if (spare >= 0)
        close(spare);
    close(to);
    return status;
}

static enum status copy_beside(struct log_repair *repair)
{
    enum status status = copy_file(repair, repair->reader->folder_file, repair->folder, "secret");
    return status == STATUS_OK ? copy_generations(repair) : status;
}

/* ---- segments ---- */

static enum status finish_file(struct log_repair *repair)
{
    if (repair->file < 0)
        return STATUS_OK;
    if (fsync(repair->file) != 0)
        return fail(repair, "sync", repair->reader->log_name);
    close(repair->file);
    repair->file = -1;
    return STATUS_OK;
}

/* The old header if it is right; what is before the segment, its first block names. */
static struct segment_header header_for(const struct log_repair *repair, uint64_t number,
                                        struct digest previous)
{
    const struct log_segment *old = log_reader_find(repair->reader, number);
    struct segment_header header = {
        .magic = JOURNAL_SEGMENT_MAGIC,
        .version = JOURNAL_VERSION,
        .segment_bytes = repair->reader->segment_bytes,
        .number = number,
        .incarnation = repair->last.incarnation,
        .log_time_ms = repair->last.log_time_ms,
        .wall_ms = repair->last.last_id.ms,
        .log_number = repair->reader->log_number,
        .log_count = repair->reader->log_count,
        .secret = repair->reader->secret,
    };
    if (old != NULL && old->header_status == STATUS_OK)
        header = old->header;
    header.previous = previous;
    segment_header_seal(&header);
    return header;
}

static enum status begin_file(struct log_repair *repair, uint64_t number, struct digest previous)
{
    char name[LOG_FILE_NAME_BYTES];
    uint8_t page[JOURNAL_PAGE_BYTES] = {0};
    enum status status = finish_file(repair);
    if (status != STATUS_OK)
        return status;
    struct segment_header header = header_for(repair, number, previous);
    memcpy(page, &header, sizeof header);
    log_file_name(number, "segment", name);
    repair->file = openat(repair->log_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (repair->file < 0 || !write_at(repair->file, page, sizeof page, 0))
        return fail(repair, "write", name);
    repair->file_number = number;
    return STATUS_OK;
}

static enum status write_block(struct log_repair *repair, const struct block_header *block)
{
    uint64_t size = repair->reader->segment_bytes, number = block->position / size;
    if (repair->file < 0 || repair->file_number != number) {
        enum status status = begin_file(repair, number, block->previous);
        if (status != STATUS_OK)
            return status;
    }
    if (!write_at(repair->file, block, block->size_bytes, block->position % size))
        return fail(repair, "write", repair->reader->log_name);
    repair->last = *block;
    repair->last_checksum = block->checksum;
    return STATUS_OK;
}

/* ---- blocks ---- */

/* Empty blocks, a page each, over all pages of [from, to) that are not headers. */
static enum status fill(struct log_repair *repair, uint64_t from, uint64_t to)
{
    union {
        struct block_header header;
        uint8_t bytes[JOURNAL_PAGE_BYTES];
    } page = {.bytes = {0}};
    for (; from < to; from += JOURNAL_PAGE_BYTES) {
        if (from % repair->reader->segment_bytes == 0)
            continue;
        page.header = (struct block_header){
            .magic = JOURNAL_BLOCK_MAGIC,
            .log_number = repair->reader->log_number,
            .position = from,
            .size_bytes = JOURNAL_PAGE_BYTES,
            .used_bytes = sizeof page.header,
            .incarnation = repair->last.incarnation,
            .log_time_ms = repair->last.log_time_ms,
            .watermark = from,
            .last_id = repair->last.last_id,
            .previous = repair->last_checksum,
        };
        block_seal(&repair->reader->secret, &page.header);
        enum status status = write_block(repair, &page.header);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status finish_block(struct log_repair *repair)
{
    if (!repair->has_block)
        return STATUS_OK;
    struct block_header *block = (struct block_header *)(void *)repair->block;
    uint64_t end = block->position + block->size_bytes;
    uint32_t size = (uint32_t)journal_round_up(block->used_bytes, JOURNAL_PAGE_BYTES);
    bool lost_records = size != block->size_bytes;
    repair->has_block = false;
    memset(repair->block + block->used_bytes, 0, size - block->used_bytes);
    block->size_bytes = size;
    if (repair->is_rebuilt)
        block->previous = repair->last_checksum;
    block_seal(&repair->reader->secret, block);
    enum status status = write_block(repair, block);
    return status == STATUS_OK && lost_records ? fill(repair, repair->last.position + size, end)
                                               : status;
}

static enum status take_block(void *context, const struct block_header *block)
{
    struct log_repair *repair = context;
    enum status status = finish_block(repair);
    if (status != STATUS_OK)
        return status;
    if (repair->capacity < block->size_bytes) {
        uint8_t *memory = realloc(repair->block, block->size_bytes);
        if (memory == NULL)
            return STATUS_NO_MEMORY;
        repair->block = memory;
        repair->capacity = block->size_bytes;
    }
    struct block_header header = *block;
    header.used_bytes = sizeof header;
    header.record_count = 0;
    memcpy(repair->block, &header, sizeof header);
    repair->has_block = true;
    if (repair->progress != NULL)
        repair->progress(repair->context, block);
    return STATUS_OK;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct log_repair *repair = context;
    struct block_header *header = (struct block_header *)(void *)repair->block;
    (void)position;
    (void)block;
    memcpy(repair->block + header->used_bytes, head, head->size_bytes);
    header->used_bytes += head->size_bytes;
    header->record_count++;
    return STATUS_OK;
}

/* The rest of a segment may stay unused, but a segment that is missing whole is there again, with
 * an empty block. */
static enum status fill_gap(struct log_repair *repair, const struct log_gap *gap)
{
    uint64_t size = repair->reader->segment_bytes;
    uint64_t first = gap->from / size, last = gap->to / size;
    if (first == last)
        return fill(repair, gap->from, gap->to);
    for (uint64_t number = first + 1; number < last; number++) {
        enum status status = fill(repair, number * size, number * size + 2 * JOURNAL_PAGE_BYTES);
        if (status != STATUS_OK)
            return status;
    }
    return fill(repair, last * size, gap->to);
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    struct log_repair *repair = context;
    repair->lost(repair->context, gap);
    if (!gap->loses_blocks) {
        repair->is_rebuilt = repair->is_rebuilt || repair->has_block;
        return STATUS_OK;
    }
    enum status status = finish_block(repair);
    repair->is_rebuilt = true;
    return status == STATUS_OK ? fill_gap(repair, gap) : status;
}

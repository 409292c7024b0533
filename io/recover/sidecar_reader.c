#include "io/recover/sidecar_reader.h"

#include <stdlib.h>

/* One file under way. */
struct reading_ahead {
    struct disk_request request;
    struct sidecar_header *memory;
    int file;          /* -1: not open */
    uint64_t has, end; /* bytes that are there, and that are wanted */
    bool is_done;
};

struct sidecar_reader {
    struct sidecar_reader_settings settings;
    uint64_t capacity;                             /* of each one's memory */
    uint64_t next, started;                        /* numbers of segments */
    struct reading_ahead slots[SIDECAR_READS_MAX]; /* segment % SIDECAR_READS_MAX */
};

static bool is_idle(const struct sidecar_reader *reader);
static void start(struct sidecar_reader *reader, uint64_t segment);
static void opened(struct disk_request *request, int32_t result);
static void read_on(struct reading_ahead *slot);
static void was_read(struct disk_request *request, int32_t result);
static void finish(struct reading_ahead *slot);
static void closed(struct disk_request *request, int32_t result);

enum status sidecar_reader_open(const struct sidecar_reader_settings *settings,
                                struct sidecar_reader **out_reader)
{
    struct sidecar_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return STATUS_NO_MEMORY;
    reader->settings = *settings;
    reader->capacity = sidecar_bytes_max(settings->segment_bytes);
    reader->next = reader->started = settings->first_segment;
    for (uint32_t i = 0; i < SIDECAR_READS_MAX; i++) {
        reader->slots[i].memory = aligned_alloc(JOURNAL_PAGE_BYTES, reader->capacity);
        reader->slots[i].is_done = true;
        if (reader->slots[i].memory == NULL) {
            sidecar_reader_close(reader);
            return STATUS_NO_MEMORY;
        }
    }
    *out_reader = reader;
    return STATUS_OK;
}

void sidecar_reader_close(struct sidecar_reader *reader)
{
    for (uint32_t i = 0; i < SIDECAR_READS_MAX; i++) {
        while (reader->slots[i].memory != NULL && !reader->slots[i].is_done)
            reader->settings.disk->wait(reader->settings.disk);
        free(reader->slots[i].memory);
    }
    free(reader);
}

const struct sidecar_header *sidecar_reader_next(struct sidecar_reader *reader,
                                                 struct digest last_block)
{
    const struct sidecar_reader_settings *settings = &reader->settings;
    assert(reader->next < settings->end_segment);
    uint64_t segment = reader->next++;
    /* The slot of the one that was given last is free now. */
    while (reader->started < settings->end_segment && reader->started < segment + SIDECAR_READS_MAX)
        start(reader, reader->started++);
    const struct reading_ahead *slot = &reader->slots[segment % SIDECAR_READS_MAX];
    /* Once at least, so that what the others ask for gets to the disk: their opening, at this turn,
     * and at the next, their reading. */
    for (bool once = false; !slot->is_done || (!once && !is_idle(reader)); once = true)
        settings->disk->wait(settings->disk);
    const struct sidecar_expectation expectation = {
        .log_number = settings->log_number,
        .segment_number = segment,
        .segment_bytes = settings->segment_bytes,
        .last_block = last_block,
    };
    enum status status = sidecar_check(slot->memory, slot->has, &settings->secret, &expectation);
    return status == STATUS_OK ? slot->memory : NULL;
}

static bool is_idle(const struct sidecar_reader *reader)
{
    for (uint32_t i = 0; i < SIDECAR_READS_MAX; i++)
        if (!reader->slots[i].is_done)
            return false;
    return true;
}

/* ---- one file: open, read up to the end that its header tells, close ---- */

static struct reading_ahead *slot_of(struct disk_request *request)
{
    return (struct reading_ahead *)request; /* its first member */
}

static void start(struct sidecar_reader *reader, uint64_t segment)
{
    struct reading_ahead *slot = &reader->slots[segment % SIDECAR_READS_MAX];
    assert(slot->is_done);
    slot->is_done = false;
    slot->has = 0;
    slot->end = reader->capacity;
    slot->request = (struct disk_request){.action = DISK_OPEN, .done = opened};
    sidecar_name(segment, slot->request.name);
    disk_submit(reader->settings.disk, &slot->request);
}

static void opened(struct disk_request *request, int32_t result)
{
    struct reading_ahead *slot = slot_of(request);
    slot->file = result;
    if (result < 0)
        slot->is_done = true;
    else
        read_on(slot);
}

static void read_on(struct reading_ahead *slot)
{
    struct disk *disk = slot->request.disk;
    uint64_t rest = slot->end - slot->has;
    slot->request = (struct disk_request){
        .action = DISK_READ,
        .file = slot->file,
        .memory = (uint8_t *)slot->memory + slot->has,
        .offset = slot->has,
        .size_bytes = (uint32_t)(rest < SIDECAR_READ_BYTES ? rest : SIDECAR_READ_BYTES),
        .done = was_read,
    };
    disk_submit(disk, &slot->request);
}

static void was_read(struct disk_request *request, int32_t result)
{
    struct reading_ahead *slot = slot_of(request);
    bool is_first = slot->has == 0;
    if (result > 0)
        slot->has += (uint32_t)result;
    uint64_t most = (slot->end - JOURNAL_PAGE_BYTES) / sizeof(struct sidecar_item);
    if (is_first && slot->has >= JOURNAL_PAGE_BYTES && slot->memory->count <= most)
        slot->end = sidecar_bytes(slot->memory->count);
    /* What is not whole pages is at the file's end, or cut: the check says so. */
    if (result > 0 && result % JOURNAL_PAGE_BYTES == 0 && slot->has < slot->end)
        read_on(slot);
    else
        finish(slot);
}

static void finish(struct reading_ahead *slot)
{
    struct disk *disk = slot->request.disk;
    slot->request = (struct disk_request){.action = DISK_CLOSE, .file = slot->file, .done = closed};
    disk_submit(disk, &slot->request);
}

static void closed(struct disk_request *request, int32_t result)
{
    (void)result;
    slot_of(request)->is_done = true;
}

/* Walks through closed segments that nothing live needs from block header to block header, many
 * segments at a time: whoever wants one of their records later must know where blocks begin. The
 * last header's checksum is the one that the next segment names. */
#include <stddef.h>
#include <stdlib.h>

#include "io/recover/recover_inside.h"

enum { WALKERS = 64 };

/* One segment. */
struct walker {
    struct disk_request request;
    struct walk *walk;
    struct recover_file *file;
    uint64_t offset;
    struct digest last_checksum;
    bool in_flight;
};

struct walk {
    struct recover *recover;
    uint8_t *pages;
    struct walker walkers[WALKERS];
    uint32_t next; /* index of the file that is begun next */
    uint32_t in_flight;
    uint64_t bad_position; /* UINT64_MAX: none */
};

static void begin_segment(struct walk *walk, struct walker *walker);

static enum status adopt_all(struct recover *recover)
{
    for (uint32_t i = 0; i < recover->first_scanned; i++) {
        enum status status = recover_adopt(recover, recover->files[i].number);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status recover_skip_segments(struct recover *recover)
{
    enum status status = adopt_all(recover);
    if (status != STATUS_OK || recover->first_scanned == 0)
        return status;
    struct walk *walk = calloc(1, sizeof *walk);
    uint8_t *pages = aligned_alloc(JOURNAL_PAGE_BYTES, (size_t)WALKERS * JOURNAL_PAGE_BYTES);
    status = STATUS_NO_MEMORY;
    if (walk == NULL || pages == NULL)
        goto end;
    *walk = (struct walk){.recover = recover, .pages = pages, .bad_position = UINT64_MAX};
    for (unsigned i = 0; i < WALKERS; i++) {
        walk->walkers[i].walk = walk;
        begin_segment(walk, &walk->walkers[i]);
    }
    while (walk->in_flight > 0)
        recover->settings.disk->wait(recover->settings.disk);
    recover->figures.skipped_segments = recover->first_scanned;
    status = walk->bad_position == UINT64_MAX
                 ? STATUS_OK
                 : recover_say_damage(recover, walk->bad_position, "here is no block of this log");
end:
    free(pages);
    free(walk);
    return status;
}

/* ---- a walker ---- */

static void note_header(struct disk_request *request, int32_t result);

static void read_header(struct walker *walker)
{
    struct walk *walk = walker->walk;
    walker->request = (struct disk_request){
        .action = DISK_READ,
        .file = walker->file->file,
        .memory = walk->pages + (size_t)(walker - walk->walkers) * JOURNAL_PAGE_BYTES,
        .offset = walker->offset,
        .size_bytes = JOURNAL_PAGE_BYTES,
        .done = note_header,
    };
    walk->in_flight++;
    disk_submit(walk->recover->settings.disk, &walker->request);
}

static void begin_segment(struct walk *walk, struct walker *walker)
{
    if (walk->next == walk->recover->first_scanned || walk->bad_position != UINT64_MAX)
        return;
    walker->file = &walk->recover->files[walk->next++];
    walker->offset = JOURNAL_PAGE_BYTES;
    walker->last_checksum = (struct digest){0};
    read_header(walker);
}

/* A block of this place and this log; what its checksum says of the rest is looked at by whoever
 * reads it. */
static bool is_header(const struct walker *walker, const struct block_header *block)
{
    const struct recover_settings *settings = &walker->walk->recover->settings;
    uint64_t position = walker->file->number * settings->segment_bytes + walker->offset;
    return block->magic == JOURNAL_BLOCK_MAGIC && block->position == position &&
           block->log_number == settings->log_number && block->size_bytes >= JOURNAL_PAGE_BYTES &&
           block->size_bytes % JOURNAL_PAGE_BYTES == 0 &&
           block->size_bytes <= walker->file->size_bytes - walker->offset &&
           (walker->offset == JOURNAL_PAGE_BYTES ||
            digest_equal(block->previous, walker->last_checksum));
}

static void note_header(struct disk_request *request, int32_t result)
{
    struct walker *walker =
        (struct walker *)(void *)((char *)request - offsetof(struct walker, request));
    struct walk *walk = walker->walk;
    struct recover *recover = walk->recover;
    const struct block_header *block = request->memory;
    struct digest last = walker->file[1].header.previous;
    walk->in_flight--;
    if (result != JOURNAL_PAGE_BYTES || !is_header(walker, block)) {
        walk->bad_position =
            walker->file->number * recover->settings.segment_bytes + walker->offset;
        return;
    }
    segments_note_block(recover->segments, block->position, block->size_bytes);
    recover->figures.blocks++;
    walker->offset += block->size_bytes;
    walker->last_checksum = block->checksum;
    if (digest_equal(block->checksum, last))
        begin_segment(walk, walker);
    else
        read_header(walker);
}

/* A snapshot of cases read back, and its header. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/journal.h"
#include "io/state/case_snapshot_inside.h"
#include "routes/field.h"

#define MAGIC UINT64_C(0x3153534143554F4B) /* "KOUCASS1" */

static_assert(sizeof(struct case_snapshot_header) <= JOURNAL_PAGE_BYTES, "it is a page");

/* ---- the header ---- */

struct case_snapshot_header case_snapshot_make_header(uint16_t log_number, uint64_t position)
{
    return (struct case_snapshot_header){
        .magic = MAGIC,
        .version = CASE_SNAPSHOT_VERSION,
        .log_number = log_number,
        .kinds = SLOT_COUNT - SLOT_FIELD_COUNT,
        .key_bytes = sizeof(struct case_key),
        .entry_bytes = sizeof(struct case_entry),
        .position = position,
    };
}

void case_snapshot_add_piece(struct case_snapshot_header *header,
                             const struct digest_secret *secret, struct bytes piece)
{
    const struct digest both[] = {header->content, digest_bytes(secret, piece)};
    header->content = digest_bytes(secret, bytes_make(both, sizeof both));
}

static struct digest digest_of_header(const struct case_snapshot_header *header,
                                      const struct digest_secret *secret)
{
    return digest_bytes(secret, bytes_make(header, offsetof(struct case_snapshot_header, own)));
}

void case_snapshot_seal(struct case_snapshot_header *header, const struct digest_secret *secret)
{
    header->own = digest_of_header(header, secret);
}

/* ---- reading ---- */

struct reading {
    struct disk *disk;
    const struct digest_secret *secret;
    int file;
    struct case_snapshot_header *header; /* a page */
    struct case_snapshot_read read;
};

static enum status fail(struct reading *reading, enum status status, const char *reason)
{
    reading->read.reason = reason;
    return status;
}

static enum status read_at(struct reading *reading, uint64_t offset, void *memory,
                           uint32_t size_bytes)
{
    struct disk_request request = {.action = DISK_READ,
                                   .file = reading->file,
                                   .memory = memory,
                                   .offset = offset,
                                   .size_bytes = size_bytes};
    int32_t result = disk_run(reading->disk, &request);
    if (result < 0)
        return fail(reading, STATUS_IO, strerror(-result));
    return (uint32_t)result == size_bytes ? STATUS_OK
                                          : fail(reading, STATUS_CORRUPT, "it ends too early");
}

static enum status read_header(struct reading *reading, uint16_t log_number)
{
    const struct case_snapshot_header *header = reading->header;
    struct case_snapshot_header wanted = case_snapshot_make_header(log_number, header->position);
    enum status status = read_at(reading, 0, reading->header, JOURNAL_PAGE_BYTES);
    if (status != STATUS_OK)
        return status;
    if (header->magic != MAGIC)
        return fail(reading, STATUS_CORRUPT, "it is none");
    if (header->version != CASE_SNAPSHOT_VERSION)
        return fail(reading, STATUS_UNSUPPORTED, "it is of another version");
    if (!digest_equal(header->own, digest_of_header(header, reading->secret)))
        return fail(reading, STATUS_CORRUPT, "it is not as it was written, or of another journal");
    if (header->kinds != wanted.kinds || header->key_bytes != wanted.key_bytes ||
        header->entry_bytes != wanted.entry_bytes)
        return fail(reading, STATUS_UNSUPPORTED, "it is of another version");
    return header->log_number == log_number ? STATUS_OK
                                            : fail(reading, STATUS_CORRUPT, "it is of another log");
}

/* The header is right, so the sections lie within the image. */
static enum status read_sections(struct reading *reading)
{
    struct case_snapshot_header *header = reading->header;
    struct digest content = header->content;
    uint64_t at = JOURNAL_PAGE_BYTES;
    header->content = (struct digest){0};
    for (uint32_t i = 0; i < CASE_IMAGE_SECTIONS; i++) {
        const struct case_image_section *section = &header->sections[i];
        for (uint64_t offset = 0; offset < section->size_bytes;
             offset += CASE_SNAPSHOT_PIECE_BYTES) {
            uint64_t rest = section->size_bytes - offset;
            uint32_t size =
                (uint32_t)(rest < CASE_SNAPSHOT_PIECE_BYTES ? rest : CASE_SNAPSHOT_PIECE_BYTES);
            uint8_t *memory = (uint8_t *)reading->read.image + section->offset + offset;
            enum status status = read_at(reading, at, memory, size);
            if (status != STATUS_OK)
                return status;
            case_snapshot_add_piece(header, reading->secret, bytes_make(memory, size));
            at += size;
        }
    }
    return digest_equal(content, header->content)
               ? STATUS_OK
               : fail(reading, STATUS_CORRUPT, "it is not as it was written");
}

static enum status read_image(struct reading *reading)
{
    struct case_image_section sections[CASE_IMAGE_SECTIONS];
    size_t image_bytes;
    void *image = mmap(NULL, reading->header->image_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (image == MAP_FAILED)
        return fail(reading, STATUS_NO_MEMORY, "there is no memory for it");
    reading->read.image = image;
    reading->read.image_bytes = reading->header->image_bytes;
    reading->read.position = reading->header->position;
    enum status status = read_sections(reading);
    if (status == STATUS_OK &&
        (case_image_sections(image, CASE_IMAGE_PAGE_BYTES, sections, &image_bytes) != STATUS_OK ||
         image_bytes != reading->header->image_bytes))
        status = fail(reading, STATUS_UNSUPPORTED, "it is of another version");
    return status;
}

enum status case_snapshot_read(struct disk *disk, const struct digest_secret *secret,
                               uint16_t log_number, struct case_snapshot_read *out_read)
{
    struct disk_request request = {.action = DISK_OPEN, .name = CASE_SNAPSHOT_NAME};
    struct reading reading = {.disk = disk, .secret = secret};
    *out_read = (struct case_snapshot_read){0};
    int32_t result = disk_run(disk, &request);
    if (result == -ENOENT)
        return STATUS_NOT_FOUND;
    if (result < 0) {
        out_read->reason = strerror(-result);
        return STATUS_IO;
    }
    reading.file = result;
    reading.header = aligned_alloc(JOURNAL_PAGE_BYTES, JOURNAL_PAGE_BYTES);
    enum status status = STATUS_NO_MEMORY;
    if (reading.header != NULL) {
        memset(reading.header, 0, JOURNAL_PAGE_BYTES);
        status = read_header(&reading, log_number);
        if (status == STATUS_OK)
            status = read_image(&reading);
    }
    struct disk_request close = {.action = DISK_CLOSE, .file = reading.file};
    disk_run(disk, &close);
    free(reading.header);
    if (status != STATUS_OK && reading.read.image != NULL) {
        munmap(reading.read.image, reading.read.image_bytes);
        reading.read.image = NULL;
    }
    *out_read = reading.read;
    return status;
}

void case_snapshot_free(struct case_snapshot_read *read)
{
    if (read->image != NULL)
        munmap(read->image, read->image_bytes);
    read->image = NULL;
}

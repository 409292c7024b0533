#include "core/sidecar.h"

static_assert(sizeof(struct sidecar_header) <= JOURNAL_PAGE_BYTES, "the header fits its page");

uint64_t sidecar_bytes_max(uint64_t segment_bytes)
{
    return sidecar_bytes(segment_bytes / SIDECAR_RECORD_BYTES_MIN);
}

uint64_t sidecar_bytes(uint64_t count)
{
    return JOURNAL_PAGE_BYTES +
           journal_round_up(count * sizeof(struct sidecar_item), JOURNAL_PAGE_BYTES);
}

static struct sidecar_item *items_of(struct sidecar_header *header)
{
    return (struct sidecar_item *)(uintptr_t)sidecar_items(header);
}

static struct bytes behind_checksum(const struct sidecar_header *header)
{
    return bytes_make((const uint8_t *)header + sizeof header->checksum,
                      sizeof *header - sizeof header->checksum);
}

static struct bytes item_bytes(const struct sidecar_header *header)
{
    return bytes_make(sidecar_items(header), header->count * sizeof(struct sidecar_item));
}

/* ---- writing ---- */

void sidecar_begin(struct sidecar_header *header, uint16_t log_number, uint64_t segment_number,
                   uint64_t segment_bytes)
{
    memset(header, 0, JOURNAL_PAGE_BYTES);
    header->magic = SIDECAR_MAGIC;
    header->version = SIDECAR_VERSION;
    header->log_number = log_number;
    header->segment_number = segment_number;
    header->segment_bytes = segment_bytes;
}

void sidecar_add(struct sidecar_header *header, const struct sidecar_identity *identity)
{
    uint64_t start = header->segment_number * header->segment_bytes;
    assert(identity->position >= start && identity->position < start + header->segment_bytes);
    assert(header->count < header->segment_bytes / SIDECAR_RECORD_BYTES_MIN);
    if (header->count == 0)
        header->generation = identity->generation;
    uint64_t generation = identity->generation - header->generation;
    assert(identity->generation >= header->generation && generation <= UINT32_MAX);
    items_of(header)[header->count++] = (struct sidecar_item){
        .identity = identity->identity,
        .body_digest = identity->body_digest,
        .offset = (uint32_t)(identity->position - start),
        .log_time_s = identity->log_time_s,
        .generation = (uint32_t)generation,
        .participant = identity->participant,
    };
}

uint64_t sidecar_seal(struct sidecar_header *header, const struct digest_secret *secret,
                      struct digest last_block)
{
    struct bytes items = item_bytes(header);
    uint64_t bytes = sidecar_bytes(header->count);
    memset((uint8_t *)(uintptr_t)items.data + items.size, 0,
           bytes - JOURNAL_PAGE_BYTES - items.size);
    header->last_block = last_block;
    header->items_checksum = digest_bytes(secret, items);
    header->checksum = digest_bytes(secret, behind_checksum(header));
    return bytes;
}

/* ---- reading ---- */

enum status sidecar_check(const struct sidecar_header *header, uint64_t available_bytes,
                          const struct digest_secret *secret,
                          const struct sidecar_expectation *expectation)
{
    if (available_bytes < JOURNAL_PAGE_BYTES || header->magic != SIDECAR_MAGIC ||
        !digest_equal(header->checksum, digest_bytes(secret, behind_checksum(header))))
        return STATUS_CORRUPT;
    if (header->version != SIDECAR_VERSION)
        return STATUS_UNSUPPORTED;
    uint64_t room = available_bytes - JOURNAL_PAGE_BYTES;
    if (header->count > room / sizeof(struct sidecar_item) ||
        !digest_equal(header->items_checksum, digest_bytes(secret, item_bytes(header))))
        return STATUS_CORRUPT;
    bool fits = header->log_number == expectation->log_number &&
                header->segment_number == expectation->segment_number &&
                header->segment_bytes == expectation->segment_bytes &&
                digest_equal(header->last_block, expectation->last_block);
    return fits ? STATUS_OK : STATUS_NOT_FOUND;
}

struct sidecar_identity sidecar_at(const struct sidecar_header *header, uint64_t index)
{
    assert(index < header->count);
    const struct sidecar_item *item = &sidecar_items(header)[index];
    return (struct sidecar_identity){
        .identity = item->identity,
        .body_digest = item->body_digest,
        .position = header->segment_number * header->segment_bytes + item->offset,
        .generation = header->generation + item->generation,
        .log_time_s = item->log_time_s,
        .participant = item->participant,
    };
}

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

static uint64_t item_bytes(uint64_t count)
{
    return count * sizeof(struct sidecar_item);
}

/* The checksum with the piece of `count` items from number `first` on. */
static struct digest chain(const struct sidecar_header *header, const struct digest_secret *secret,
                           struct digest so_far, uint64_t first, uint64_t count)
{
    const struct bytes parts[] = {bytes_make(&so_far, sizeof so_far),
                                  bytes_make(sidecar_items(header) + first, item_bytes(count))};
    return digest_parts(secret, parts, sizeof parts / sizeof *parts);
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

void sidecar_add(struct sidecar_header *header, const struct digest_secret *secret,
                 const struct sidecar_identity *identity)
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
    if (header->count % SIDECAR_PIECE_ITEMS == 0)
        header->items_checksum = chain(header, secret, header->items_checksum,
                                       header->count - SIDECAR_PIECE_ITEMS, SIDECAR_PIECE_ITEMS);
}

uint64_t sidecar_seal(struct sidecar_header *header, const struct digest_secret *secret,
                      struct digest last_block)
{
    uint64_t bytes = sidecar_bytes(header->count), rest = header->count % SIDECAR_PIECE_ITEMS;
    memset(items_of(header) + header->count, 0,
           bytes - JOURNAL_PAGE_BYTES - item_bytes(header->count));
    header->last_block = last_block;
    if (rest > 0)
        header->items_checksum =
            chain(header, secret, header->items_checksum, header->count - rest, rest);
    header->checksum = digest_bytes(secret, behind_checksum(header));
    return bytes;
}

/* ---- reading ---- */

static struct digest items_checksum(const struct sidecar_header *header,
                                    const struct digest_secret *secret)
{
    struct digest checksum = {0};
    for (uint64_t at = 0; at < header->count; at += SIDECAR_PIECE_ITEMS) {
        uint64_t rest = header->count - at;
        checksum = chain(header, secret, checksum, at,
                         rest < SIDECAR_PIECE_ITEMS ? rest : SIDECAR_PIECE_ITEMS);
    }
    return checksum;
}

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
        !digest_equal(header->items_checksum, items_checksum(header, secret)))
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

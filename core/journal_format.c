#include "core/journal_format.h"

#include <stddef.h>

/* What a checksum at the start of a struct covers: all that follows it. */
static struct bytes behind_checksum(const void *start, size_t size)
{
    return bytes_make((const uint8_t *)start + sizeof(struct digest), size - sizeof(struct digest));
}

void segment_header_seal(struct segment_header *header)
{
    header->checksum = digest_bytes(&header->secret, behind_checksum(header, sizeof *header));
}

enum status segment_header_check(const struct segment_header *header)
{
    if (header->magic != JOURNAL_SEGMENT_MAGIC)
        return STATUS_CORRUPT;
    struct digest checksum = digest_bytes(&header->secret, behind_checksum(header, sizeof *header));
    if (!digest_equal(checksum, header->checksum))
        return STATUS_CORRUPT;
    return header->version == JOURNAL_VERSION ? STATUS_OK : STATUS_UNSUPPORTED;
}

void block_seal(const struct digest_secret *secret, struct block_header *block)
{
    assert(block->used_bytes >= sizeof *block && block->used_bytes <= block->size_bytes);
    block->checksum = digest_bytes(secret, behind_checksum(block, block->used_bytes));
}

enum status block_check(const struct digest_secret *secret, const struct block_header *block,
                        size_t available_bytes, uint64_t position)
{
    if (available_bytes < sizeof *block)
        return STATUS_INCOMPLETE;
    if (block->magic != JOURNAL_BLOCK_MAGIC || block->position != position ||
        block->used_bytes < sizeof *block || block->used_bytes > block->size_bytes ||
        block->size_bytes % JOURNAL_PAGE_BYTES != 0 ||
        block->size_bytes - block->used_bytes >= JOURNAL_PAGE_BYTES)
        return STATUS_CORRUPT;
    if (available_bytes < block->used_bytes)
        return STATUS_INCOMPLETE;
    struct digest checksum = digest_bytes(secret, behind_checksum(block, block->used_bytes));
    return digest_equal(checksum, block->checksum) ? STATUS_OK : STATUS_CORRUPT;
}

/* The sidecar of a closed segment: the identities of its messages, so that the window is back after
 * a start without reading the messages themselves. It says nothing that the segment does not:
 * whoever lacks it, or finds it other than as it was written, reads the segment.
 *
 *   struct sidecar_header, in a page | struct sidecar_item [count] | zeros up to a page
 *
 * It names the checksum of its segment's last block, so that one of another life of the segment
 * does not fit. Memory is the caller's, aligned to JOURNAL_PAGE_BYTES, and is written and read as
 * it is. One thread at a time. */
#ifndef KOUAN_CORE_SIDECAR_H
#define KOUAN_CORE_SIDECAR_H

#include "core/journal_format.h"

#define SIDECAR_MAGIC UINT64_C(0x31524143444953) /* "SIDCAR1" */

enum {
    SIDECAR_VERSION = 1,
    SIDECAR_PIECE_ITEMS = 1024,
    SIDECAR_RECORD_BYTES_MIN = 104 /* of a message: one destination, and a byte of body */
};

struct sidecar_item {
    struct digest identity, body_digest;
    uint32_t offset; /* of the record in its segment */
    uint32_t log_time_s;
    uint32_t generation; /* counted from the header's */
    uint16_t participant;
    uint16_t reserved;
};
static_assert(sizeof(struct sidecar_item) == 48, "no padding");

struct sidecar_header {
    struct digest checksum; /* keyed, of all that follows, to the end of the struct */
    uint64_t magic;
    uint32_t version;
    uint16_t log_number;
    uint16_t reserved;
    uint64_t segment_number, segment_bytes;
    struct digest last_block; /* the checksum of the segment's last block */
    uint64_t generation;      /* of the first item */
    uint64_t count;
    struct digest items_checksum; /* a chain over pieces of SIDECAR_PIECE_ITEMS: each with what the
                                     ones before it came to */
};
static_assert(sizeof(struct sidecar_header) == 96, "no padding");

/* What is known of one message. */
struct sidecar_identity {
    struct digest identity, body_digest;
    uint64_t position, generation; /* neither falls from one to the next */
    uint32_t log_time_s;
    uint16_t participant; /* its index in the generation */
};

/* Memory for the sidecar of any segment of this size, or of so many items. */
uint64_t sidecar_bytes_max(uint64_t segment_bytes);
uint64_t sidecar_bytes(uint64_t count);

/* Does the record have an identity of its own? Not if it is a fact, repeats another message or was
 * copied forward. */
static inline bool sidecar_wants(const struct record_head *head)
{
    return head->kind == RECORD_KIND_MESSAGE && (head->flags & RECORD_COPIED) == 0 &&
           ((const struct record *)(const void *)head)->cause == RECORD_MESSAGE;
}

/* ---- writing ---- */

/* Begins one in sidecar_bytes_max() bytes of memory. The secret is one and the same in all of these
 * calls. */
void sidecar_begin(struct sidecar_header *header, uint16_t log_number, uint64_t segment_number,
                   uint64_t segment_bytes);
/* It is asserted that the record lies in the segment. */
void sidecar_add(struct sidecar_header *header, const struct digest_secret *secret,
                 const struct sidecar_identity *identity);
/* Fills in the checksums, and zeros up to a page; returns the bytes to write. Cheap: the items'
 * checksum grew with them. */
uint64_t sidecar_seal(struct sidecar_header *header, const struct digest_secret *secret,
                      struct digest last_block);

/* ---- reading ---- */

/* What the sidecar has to be of. */
struct sidecar_expectation {
    uint16_t log_number;
    uint64_t segment_number, segment_bytes;
    struct digest last_block;
};

/* Looks at all of `available_bytes`. OK: it is as it was written, whole, and of this segment;
 * UNSUPPORTED: of another version; NOT_FOUND: whole, but of another segment or another life of it;
 * else CORRUPT. */
MUST_CHECK enum status sidecar_check(const struct sidecar_header *header, uint64_t available_bytes,
                                     const struct digest_secret *secret,
                                     const struct sidecar_expectation *expectation);
/* Number `index` of one that was checked. */
struct sidecar_identity sidecar_at(const struct sidecar_header *header, uint64_t index);

static inline const struct sidecar_item *sidecar_items(const struct sidecar_header *header)
{
    return (const struct sidecar_item *)((const uint8_t *)header + JOURNAL_PAGE_BYTES);
}

#endif

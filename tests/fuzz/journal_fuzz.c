/* Any bytes as a log of two segments, with checksums made right or left as they are: no read past
 * what was read, records that lie in themselves, blocks in order; and a log cut off where the scan
 * says that it ceases holds the same, and nothing that is damaged. */
#include <stdlib.h>

#include "core/fact.h"
#include "core/journal_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT = JOURNAL_SEGMENT_BYTES_MIN, SEGMENTS = 2, SEALS = 1, CHAINS = 2 };

static struct digest_secret secret;
static _Alignas(JOURNAL_PAGE_BYTES) uint8_t image[SEGMENTS * SEGMENT];
static uint64_t image_end; /* nothing lies behind it */

struct walk {
    uint64_t end_position, blocks, records;
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static int64_t read_image(void *context, uint64_t segment, uint64_t offset, void *memory,
                          size_t capacity)
{
    (void)context;
    uint64_t start = segment * SEGMENT + offset, end = (segment + 1) * SEGMENT;
    check(segment < SEGMENTS && offset + capacity <= SEGMENT);
    if (end > image_end)
        end = image_end;
    size_t there = start < end ? (size_t)(end - start) : 0;
    if (there > capacity)
        there = capacity;
    memcpy(memory, image + start, there);
    return (int64_t)there;
}

static enum status take_block(void *context, const struct block_header *block)
{
    struct walk *walk = context;
    check(block->position >= walk->end_position);
    check(block->position == walk->end_position || block->position % SEGMENT == JOURNAL_PAGE_BYTES);
    check(memcmp(block, image + block->position, block->used_bytes) == 0);
    walk->end_position = block->position + block->size_bytes;
    walk->blocks++;
    return STATUS_OK;
}

static void check_inside(const struct record_head *head, const void *data, size_t size)
{
    const uint8_t *start = (const uint8_t *)head, *end = start + head->size_bytes, *part = data;
    check(part >= start && part <= end && size <= (size_t)(end - part));
}

static void check_message(const struct record *record)
{
    const struct record_head *head = &record->head;
    check_inside(head, record_destinations(record), record->destination_count * sizeof(uint16_t));
    check_inside(head, record_rules(record), record->rule_count * sizeof(uint32_t));
    check_inside(head, record_values(record), record->value_count * sizeof(struct record_value));
    check_inside(head, record_whole(record).data, record_whole(record).size);
    check_inside(head, record_text(record).data, record_text(record).size);
    for (uint32_t i = 0; i < record->value_count; i++) {
        struct bytes value = record_value_bytes(record, &record_values(record)[i]);
        check_inside(head, value.data, value.size);
    }
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position)
{
    struct walk *walk = context;
    const void *whole = head;
    check(position + head->size_bytes <= walk->end_position);
    check(head->size_bytes % RECORD_ALIGNMENT == 0);
    walk->records++;
    if (head->kind == RECORD_KIND_MESSAGE) {
        check_message(whole);
    } else if (head->kind == RECORD_KIND_GROUP) {
        struct bytes name = fact_group_name(whole);
        check_inside(head, name.data, name.size);
    } else if (head->kind == RECORD_KIND_SETTLED) {
        const struct fact_settled *fact = whole;
        check_inside(head, fact_settled_ranges(fact),
                     fact->range_count * sizeof(struct settled_range));
    }
    return STATUS_OK;
}

static enum status scan_image(struct journal_scan_result *out_result)
{
    struct walk walk = {0};
    const struct journal_scan_settings settings = {
        .secret = secret,
        .segment_bytes = SEGMENT,
        .last_segment = SEGMENTS - 1,
        .source = {.read = read_image},
        .handler = {.block = take_block, .record = take_record, .context = &walk},
    };
    enum status status = journal_scan(&settings, out_result);
    check(out_result->blocks == walk.blocks && out_result->records == walk.records);
    check(out_result->end_position == walk.end_position);
    return status;
}

/* Gives headers to both segments, and to what looks like a block its place and its checksum. */
static void make_right(uint8_t how)
{
    struct digest last = {0};
    for (uint64_t p = 0; p < sizeof image;) {
        struct block_header *block = (struct block_header *)(void *)(image + p);
        uint64_t left = SEGMENT - p % SEGMENT;
        if (left == SEGMENT) {
            struct segment_header *header = (struct segment_header *)(void *)(image + p);
            *header = (struct segment_header){.magic = JOURNAL_SEGMENT_MAGIC,
                                              .version = JOURNAL_VERSION,
                                              .segment_bytes = SEGMENT,
                                              .number = p / SEGMENT,
                                              .previous = last,
                                              .secret = secret};
            segment_header_seal(header);
        } else if (block->magic == JOURNAL_BLOCK_MAGIC && block->used_bytes >= sizeof *block &&
                   block->used_bytes <= left) {
            block->size_bytes = (uint32_t)journal_round_up(block->used_bytes, JOURNAL_PAGE_BYTES);
            block->position = p;
            if ((how & CHAINS) != 0)
                block->previous = last;
            block_seal(&secret, block);
            last = block->checksum;
            p += block->size_bytes - JOURNAL_PAGE_BYTES;
        }
        p += JOURNAL_PAGE_BYTES;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_scan_result result, again;
    if (size < 1 || size - 1 > sizeof image - JOURNAL_PAGE_BYTES)
        return 0;
    for (size_t i = 0; i < sizeof secret; i++)
        secret.bytes[i] = (uint8_t)(i * i * 31 + i * 7 + 1);
    memset(image, 0, sizeof image);
    memcpy(image + JOURNAL_PAGE_BYTES, data + 1, size - 1);
    if ((data[0] & SEALS) != 0)
        make_right(data[0]);
    image_end = sizeof image;
    enum status status = scan_image(&result);
    check(status == STATUS_OK || status == STATUS_UNSUPPORTED);
    check(result.end_position <= result.bad_position || status == STATUS_UNSUPPORTED);
    check((result.reason[0] != 0) == (status != STATUS_OK || result.end != JOURNAL_CLEAN));
    image_end = result.end_position;
    status = scan_image(&again);
    check(status == STATUS_OK && again.end == JOURNAL_CLEAN);
    check(again.blocks == result.blocks && again.records == result.records);
    check(digest_equal(again.last_checksum, result.last_checksum) || result.blocks == 0);
    return 0;
}

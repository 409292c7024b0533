/* Every byte of a log cut off or changed: what the scan hands over is compared with what was
 * written, and its judgement with what a naive model says. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "written_log.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SLOW 1
#endif
#endif
#ifdef IS_SLOW
enum { STEP = 97 }; /* of the offsets, where each costs fifty times more */
#else
enum { STEP = 1 };
#endif

/* ---- what it must say ---- */

/* The block that ceases to be right, or the segment whose header does; with what lies behind. */
struct fault {
    uint32_t block;      /* index; block_count: none */
    uint64_t bad_header; /* a segment; UINT64_MAX: none */
    uint64_t cut;        /* nothing from here on is there, up to the next segment */
    bool is_end;         /* nor behind */
};

static bool survives(const struct fault *fault, uint32_t index)
{
    const struct block *block = &written.blocks[index];
    if (index == fault->block)
        return false;
    return block->position + block->used_bytes <= fault->cut ||
           (!fault->is_end && block->position / SEGMENT > fault->cut / SEGMENT);
}

enum verdict_of_model { EXACT_ALL, EXACT_PREFIX, REFUSED };

/* Compares; gives which of the three it was. */
static enum verdict_of_model expect(const struct fault *fault, uint64_t first, uint64_t last)
{
    struct journal_scan_result result;
    struct digest last_checksum = {0};
    uint64_t blocks = 0, records = 0, highest = 0, end = first * SEGMENT;
    uint32_t i = 0;
    while (i < written.block_count && written.blocks[i].position / SEGMENT < first)
        i++;
    for (; i < written.block_count && written.blocks[i].position / SEGMENT <= last; i++) {
        if (!survives(fault, i) || written.blocks[i].position / SEGMENT >= fault->bad_header)
            break;
        blocks++;
        records += written.blocks[i].record_count;
        end = written.blocks[i].end;
        last_checksum = written.blocks[i].checksum;
    }
    bool all = i == written.block_count || written.blocks[i].position / SEGMENT > last;
    for (uint32_t later = i; !all && later < written.block_count; later++)
        if (written.blocks[later].position / SEGMENT <= last && survives(fault, later) &&
            written.blocks[later].watermark > highest)
            highest = written.blocks[later].watermark;
    scan_between(first, last, &result);
    cr_assert_eq(result.blocks, blocks, "%llu, not %llu", (unsigned long long)result.blocks,
                 (unsigned long long)blocks);
    cr_assert_eq(result.records, records);
    cr_assert_eq(result.end_position, end);
    if (blocks > 0)
        cr_assert(digest_equal(result.last_checksum, last_checksum));
    /* Where it ceases to be right is the end of what is, or the head of the next segment. */
    uint64_t bad = all ? UINT64_MAX : end;
    if (!all && written.blocks[i].position % SEGMENT == JOURNAL_PAGE_BYTES &&
        written.blocks[i].position / SEGMENT < fault->bad_header &&
        (fault->cut >= LOG_BYTES || fault->cut % SEGMENT >= sizeof(struct segment_header) ||
         fault->cut / SEGMENT != written.blocks[i].position / SEGMENT))
        bad = written.blocks[i].position;
    if (highest > bad && !all) {
        cr_assert_eq(result.end, JOURNAL_DAMAGED, "at %llu, %s", (unsigned long long)bad,
                     result.reason);
        cr_assert_eq(result.bad_position, bad);
        cr_assert_neq(result.reason[0], 0);
        return REFUSED;
    }
    cr_assert_neq(result.end, JOURNAL_DAMAGED, "%s", result.reason);
    cr_assert_geq(end, highest > end ? highest : end, "nothing below a watermark is missing");
    return all ? EXACT_ALL : EXACT_PREFIX;
}

static const struct fault no_fault = {
    .block = UINT32_MAX, .bad_header = UINT64_MAX, .cut = LOG_BYTES};

static void report(const char *what, const uint64_t counts[3])
{
    printf("journal_scan: %llu states, %s: %llu read whole, %llu an exact prefix, %llu refused, "
           "0 silent differences\n",
           (unsigned long long)(counts[0] + counts[1] + counts[2]), what,
           (unsigned long long)counts[EXACT_ALL], (unsigned long long)counts[EXACT_PREFIX],
           (unsigned long long)counts[REFUSED]);
}

Test(journal_scan, a_whole_log_is_read_whole)
{
    struct journal_scan_result result;
    for (uint64_t seed = 1; seed < 20; seed++) {
        write_log(seed);
        scan_between(0, SEGMENTS - 1, &result);
        cr_assert_eq(result.end, JOURNAL_CLEAN, "%s", result.reason);
        cr_assert_eq(result.blocks, written.block_count);
        cr_assert_eq(result.incarnation, 2);
        cr_assert_eq(result.watermark, written.blocks[written.block_count - 1].watermark);
        cr_assert_eq(result.end_position, written.blocks[written.block_count - 1].end);
        cr_assert_eq(expect(&no_fault, 0, SEGMENTS - 1), EXACT_ALL);
        cr_assert_eq(expect(&no_fault, 3, SEGMENTS - 1), EXACT_ALL, "the older ones are given up");
    }
}

/* The log ends at any byte: the scan gives the whole records before it, and refuses nothing. */
Test(journal_scan, cut_off_at_every_byte)
{
    uint64_t counts[3] = {0};
    write_log(100);
    uint64_t end = written.blocks[written.block_count - 1].end;
    for (uint64_t cut = 0; cut <= end; cut += STEP) {
        uint64_t segment = cut / SEGMENT;
        uint64_t first = segment > 0 && cut % SEGMENT < JOURNAL_PAGE_BYTES ? segment - 1 : segment;
        uint64_t whole = written.file_bytes[segment];
        if (cut % SEGMENT < whole)
            written.file_bytes[segment] = cut % SEGMENT;
        struct fault fault = no_fault;
        fault.cut = cut;
        fault.is_end = true;
        enum verdict_of_model verdict = expect(&fault, first, segment);
        cr_assert_neq(verdict, REFUSED);
        counts[verdict]++;
        written.file_bytes[segment] = whole;
    }
    report("the log cut off at a byte", counts);
}

/* One file of several is cut off (at every seventh byte, to save time): what it held was durable,
 * as the next ones say. */
Test(journal_scan, a_segment_cut_off_in_the_middle_of_a_log)
{
    uint64_t counts[3] = {0};
    write_log(101);
    for (uint64_t cut = SEGMENT; cut < (BEGUN - 1) * SEGMENT; cut += 7 * STEP) {
        uint64_t segment = cut / SEGMENT, whole = written.file_bytes[segment];
        if (cut % SEGMENT < whole)
            written.file_bytes[segment] = cut % SEGMENT;
        struct fault fault = no_fault;
        fault.cut = cut;
        if (cut % SEGMENT < sizeof(struct segment_header))
            fault.bad_header = segment;
        uint64_t first = cut % SEGMENT < JOURNAL_PAGE_BYTES ? segment - 1 : segment;
        counts[expect(&fault, first, segment + 1)]++;
        written.file_bytes[segment] = whole;
    }
    cr_assert_eq(counts[EXACT_PREFIX], 0, "what the next segment vouches for is not given up");
    report("a segment in the middle cut off at a byte", counts);
}

static struct fault find_fault(uint64_t at)
{
    struct fault fault = no_fault;
    if (at % SEGMENT < sizeof(struct segment_header))
        fault.bad_header = at / SEGMENT;
    for (uint32_t i = 0; i < written.block_count; i++)
        if (at >= written.blocks[i].position &&
            at < written.blocks[i].position + written.blocks[i].used_bytes)
            fault.block = i;
    return fault;
}

/* One bit of any byte is another: what is handed over is as it was written, and what is missing
 * below a watermark is missed. */
Test(journal_scan, a_bit_of_every_byte_changed)
{
    uint64_t counts[3] = {0};
    struct random random = {5};
    write_log(102);
    for (uint64_t at = 0; at < LOG_BYTES; at += STEP) {
        uint64_t segment = at / SEGMENT;
        if (at % SEGMENT >= written.file_bytes[segment])
            continue;
        struct fault fault = find_fault(at);
        uint8_t bit = (uint8_t)(1U << random_below(&random, 8));
        written.image[at] ^= bit;
        uint64_t first = segment > 0 && at % SEGMENT < JOURNAL_PAGE_BYTES ? segment - 1 : segment;
        bool whole_log = random_below(&random, 2000) == 0;
        uint64_t last = segment + 1 < SEGMENTS ? segment + 1 : segment;
        counts[expect(&fault, whole_log ? 0 : first, whole_log ? SEGMENTS - 1 : last)]++;
        written.image[at] ^= bit;
    }
    report("a bit of a byte changed", counts);
}

/* ---- a segment that is read in several pieces ---- */

enum { LARGE_SEGMENT = 40 * 1024 * 1024 };

static int64_t read_journal(void *context, uint64_t segment, uint64_t offset, void *memory,
                            size_t capacity)
{
    const struct journal *journal = context;
    uint64_t end = journal->end_position - 1000; /* the file lacks some of the last padding */
    uint64_t there = segment == 0 && offset < end ? end - offset : 0;
    size_t size = there < capacity ? (size_t)there : capacity;
    memcpy(memory, journal_at(journal, offset), size);
    return (int64_t)size;
}

static enum status check_record(void *context, const struct record_head *head, uint64_t position)
{
    const struct journal *journal = context;
    cr_assert_eq(memcmp(head, journal_at(journal, position), head->size_bytes), 0);
    return STATUS_OK;
}

Test(journal_scan, blocks_of_all_sizes_across_what_is_read_at_once)
{
    struct random random = {12};
    struct journal journal;
    const struct journal_settings settings = {.memory_bytes = 2 * LARGE_SEGMENT,
                                              .segment_bytes = LARGE_SEGMENT,
                                              .block_bytes = 256 * 1024};
    cr_assert_eq(journal_open(&journal, &settings), STATUS_OK);
    journal_set_limit(&journal, LARGE_SEGMENT);
    for (;;) {
        struct record_head *head;
        uint64_t position;
        uint32_t body = random_below(&random, random_below(&random, 5) == 0 ? 8000000 : 100000);
        uint32_t size = record_size(0, 0, 0, body, 0);
        if (journal_reserve(&journal, size, &head, &position) != STATUS_OK)
            break;
        struct record *record = (struct record *)(void *)head;
        *record = (struct record){.head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                                  .body_bytes = body};
        memset((uint8_t *)(uintptr_t)record_body(record).data, (int)random_u64(&random), body);
        journal_commit_record(&journal, head);
    }
    journal_seal(&journal, false);
    cr_assert(journal_seal(&journal, true));
    struct segment_header *header = (struct segment_header *)(void *)journal.memory;
    *header = (struct segment_header){
        .magic = JOURNAL_SEGMENT_MAGIC, .version = JOURNAL_VERSION, .segment_bytes = LARGE_SEGMENT};
    segment_header_seal(header);
    struct journal_scan_result result;
    const struct journal_scan_settings scan = {
        .segment_bytes = LARGE_SEGMENT,
        .source = {.read = read_journal, .context = &journal},
        .handler = {.record = check_record, .context = &journal},
    };
    cr_assert_eq(journal_scan(&scan, &result), STATUS_OK, "%s", result.reason);
    cr_assert_eq(result.end, JOURNAL_CLEAN, "%s", result.reason);
    cr_assert_eq(result.blocks, journal.end_block);
    cr_assert_eq(result.records, journal.record_count);
    cr_assert_eq(result.end_position, journal.end_position);
    journal_close(&journal);
}

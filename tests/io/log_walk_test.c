#include "core/journal_scan.h"
#include "io/audit/log_repair.h"
#include "io/audit/log_walk.h"
#include "routes/field.h"
#include "tests/io/built_log.h"

enum { GAPS_MAX = 16, IDS_MAX = 4096 };

struct found {
    struct log_walk walk;
    struct log_gap gaps[GAPS_MAX];
    uint32_t gap_count;
    struct record_id ids[IDS_MAX];
    uint64_t positions[IDS_MAX];
    uint32_t id_count;
};

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct found *found = context;
    cr_assert_geq(position, block->position + sizeof *block);
    cr_assert_lt(position, block->position + block->used_bytes);
    if (head->kind != RECORD_KIND_MESSAGE)
        return STATUS_OK;
    cr_assert_lt(found->id_count, IDS_MAX);
    found->ids[found->id_count] = ((const struct record *)(const void *)head)->id;
    found->positions[found->id_count++] = position;
    return STATUS_OK;
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    struct found *found = context;
    cr_assert_lt(found->gap_count, GAPS_MAX);
    found->gaps[found->gap_count++] = *gap;
    return STATUS_OK;
}

static struct found *walk(const char *folder)
{
    char problem[LOG_PROBLEM_BYTES] = "";
    struct log_reader reader;
    struct found *found = calloc(1, sizeof *found);
    const struct log_handler handler = {.record = take_record, .gap = take_gap, .context = found};
    cr_assert_eq(log_reader_open(folder, 0, &reader, problem), STATUS_OK, "%s", problem);
    cr_assert_eq(log_walk(&reader, 0, &handler, &found->walk), STATUS_OK);
    log_reader_close(&reader);
    return found;
}

static int64_t read_segment(void *context, uint64_t segment, uint64_t offset, void *memory,
                            size_t capacity)
{
    char path[128];
    const char *folder = context;
    snprintf(path, sizeof path, "%s/00/%016llx.segment", folder, (unsigned long long)segment);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t got = pread(file, memory, capacity, (off_t)offset);
    close(file);
    return got;
}

/* As recovery reads it. */
static struct journal_scan_result scan(const struct built_log *log, char *folder)
{
    struct journal_scan_result result;
    const struct journal_scan_settings settings = {
        .secret = log->secret,
        .segment_bytes = BUILT_SEGMENT_BYTES,
        .last_segment = 2,
        .source = {.read = read_segment, .context = folder},
    };
    cr_assert_eq(journal_scan(&settings, &result), STATUS_OK);
    return result;
}

/* Three segments of `blocks` blocks of two messages each; where each block lies. */
static struct built_log *build(uint64_t positions[], uint32_t blocks)
{
    struct built_log *log = built_open();
    char body[32];
    for (uint32_t segment = 0; segment < 3; segment++) {
        for (uint32_t i = 0; i < blocks; i++) {
            snprintf(body, sizeof body, "m%u.%u", segment, i);
            built_message(log, 0, body);
            built_message(log, 1, body);
            positions[segment * blocks + i] = built_seal(log);
        }
        if (segment < 2)
            built_next_segment(log);
    }
    return log;
}

Test(log_walk, the_order_key_of_built_messages_is_one)
{
    cr_assert_eq((int)SLOT_KEY_ORDER, 22);
}

Test(log_walk, a_whole_log_is_read_whole)
{
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    struct found *found = walk(log->folder);
    cr_assert_eq(found->gap_count, 0);
    cr_assert_eq(found->walk.blocks, 30);
    cr_assert_eq(found->walk.records, 60);
    cr_assert_eq(found->id_count, 60);
    for (uint32_t i = 1; i < found->id_count; i++)
        cr_assert_gt(record_id_compare(found->ids[i], found->ids[i - 1]), 0);
    cr_assert_eq(found->walk.end_position, log->position);
    cr_assert_eq(record_id_compare(found->walk.last_id, log->last_id), 0);
    cr_assert_not(found->walk.is_torn);
    free(found);
    built_close(log);
}

Test(log_walk, every_damaged_place_is_told_and_the_rest_is_read)
{
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, positions[3] + 120, 8);
    built_damage(log, positions[14], 4);
    built_damage(log, positions[15] + 50, 4);
    struct found *found = walk(log->folder);
    cr_assert_eq(found->gap_count, 2);
    cr_assert_eq(found->gaps[0].from, positions[3]);
    cr_assert_eq(found->gaps[0].to, positions[4]);
    cr_assert(found->gaps[0].loses_blocks);
    cr_assert_eq(record_id_compare(found->gaps[0].after, found->ids[5]), 0);
    cr_assert_eq(record_id_compare(found->gaps[0].before, found->ids[6]), 0);
    cr_assert_not_null(strstr(found->gaps[0].reason, "checksum is wrong"));
    cr_assert_eq(found->gaps[1].from, positions[14]);
    cr_assert_eq(found->gaps[1].to, positions[16]);
    cr_assert_eq(found->id_count, 60 - 6);
    cr_assert_eq(found->walk.gaps, 2);
    free(found);
    built_close(log);
}

Test(log_walk, the_last_blocks_of_a_segment_are_missed_by_the_chain)
{
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, positions[9] + 4, 4);
    struct found *found = walk(log->folder);
    cr_assert_eq(found->gap_count, 1);
    cr_assert_eq(found->gaps[0].from, positions[9]);
    cr_assert_eq(found->gaps[0].to, positions[10]);
    free(found);
    built_close(log);
}

Test(log_walk, the_first_block_is_missed)
{
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, positions[0], 4);
    struct found *found = walk(log->folder);
    cr_assert_eq(found->gap_count, 1);
    cr_assert_eq(found->gaps[0].from, positions[0]);
    cr_assert_eq(found->gaps[0].to, positions[1]);
    free(found);
    built_close(log);
}

Test(log_walk, a_missing_segment_is_told)
{
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_remove_segment(log, 1);
    struct found *found = walk(log->folder);
    cr_assert_eq(found->gap_count, 1);
    cr_assert_eq(found->gaps[0].to, positions[20]);
    cr_assert_eq(found->id_count, 40);
    free(found);
    built_close(log);
}

Test(log_walk, a_torn_end_is_no_damage)
{
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, positions[29] + 150, 8); /* nothing says that it was durable */
    struct found *found = walk(log->folder);
    cr_assert_eq(found->gap_count, 0);
    cr_assert(found->walk.is_torn);
    cr_assert_eq(found->walk.end_position, positions[29]);
    free(found);
    built_close(log);
}

Test(log_walk, a_wrong_header_is_told_and_its_blocks_are_read)
{
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, BUILT_SEGMENT_BYTES + 100, 8);
    struct found *found = walk(log->folder);
    cr_assert_eq(found->gap_count, 1);
    cr_assert_not(found->gaps[0].loses_blocks);
    cr_assert_eq(found->gaps[0].from, BUILT_SEGMENT_BYTES);
    cr_assert_eq(found->id_count, 60);
    free(found);
    built_close(log);
}

Test(log_walk, a_block_of_another_log_at_the_right_place_breaks_the_chain)
{
    uint64_t positions[30], other_positions[30];
    struct built_log *log = build(positions, 10), *other = build(other_positions, 10);
    uint8_t page[JOURNAL_PAGE_BYTES];
    /* The other has the same secret and the same positions, and other bytes before this block. */
    struct built_log *third = built_open();
    built_message(third, 0, "else");
    built_message(third, 1, "else");
    built_seal(third);
    built_message(third, 0, "late");
    uint64_t position = built_seal(third);
    cr_assert_eq(position, positions[1]);
    cr_assert_eq(pread(third->file, page, sizeof page, (off_t)position), (ssize_t)sizeof page);
    char path[128];
    snprintf(path, sizeof path, "%s/00/%016x.segment", log->folder, 0);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert_eq(pwrite(file, page, sizeof page, (off_t)position), (ssize_t)sizeof page);
    close(file);
    struct found *found = walk(log->folder);
    cr_assert_geq(found->gap_count, 1);
    cr_assert_eq(found->gaps[0].from, positions[1]);
    free(found);
    built_close(third);
    built_close(other);
    built_close(log);
}

Test(log_walk, segments_that_retention_takes_meanwhile_are_passed_over)
{
    uint64_t positions[30];
    char problem[LOG_PROBLEM_BYTES];
    struct log_reader reader;
    struct built_log *log = build(positions, 10);
    struct found *found = calloc(1, sizeof *found);
    const struct log_handler handler = {.record = take_record, .gap = take_gap, .context = found};
    cr_assert_eq(log_reader_open(log->folder, 0, &reader, problem), STATUS_OK);
    built_remove_segment(log, 0);
    cr_assert_eq(log_walk(&reader, 0, &handler, &found->walk), STATUS_OK);
    cr_assert_eq(found->gap_count, 0);
    cr_assert_eq(found->id_count, 40);
    log_reader_close(&reader);
    free(found);
    built_close(log);
}

/* ---- beside recovery's reader ---- */

/* Both say the same of a log of which one block is not as it was written. */
static void check_agreement(struct built_log *log, uint64_t damaged_position)
{
    struct journal_scan_result scanned = scan(log, log->folder);
    struct found *found = walk(log->folder);
    cr_assert_eq(found->walk.gaps > 0, scanned.end == JOURNAL_DAMAGED, "at %llu: %s",
                 (unsigned long long)damaged_position, scanned.reason);
    cr_assert_eq(found->walk.is_torn, scanned.end == JOURNAL_TORN, "at %llu: %s",
                 (unsigned long long)damaged_position, scanned.reason);
    if (scanned.end == JOURNAL_DAMAGED) {
        cr_assert_eq(found->gaps[0].from, scanned.bad_position, "%llu, not %llu: %s; %s",
                     (unsigned long long)found->gaps[0].from,
                     (unsigned long long)scanned.bad_position, scanned.reason,
                     found->gaps[0].reason);
    } else {
        cr_assert_eq(found->walk.end_position, scanned.end_position);
        cr_assert_eq(found->walk.records, scanned.records);
    }
    free(found);
}

Test(log_walk, it_finds_what_recovery_finds_whichever_block_is_damaged)
{
    enum { BLOCKS_MAX = 12, STEP = 16, BYTES = 240 };
    uint64_t positions[BLOCKS_MAX];
    for (uint32_t blocks = 1; blocks <= BLOCKS_MAX / 3; blocks += 3)
        for (uint32_t i = 0; i < 3 * blocks; i++)
            for (uint32_t offset = 0; offset < BYTES; offset += STEP) {
                struct built_log *log = build(positions, blocks);
                check_agreement(log, 0);
                built_damage(log, positions[i] + offset, 3);
                check_agreement(log, positions[i]);
                built_close(log);
            }
}

/* ---- what is no journal ---- */

Test(log_reader, says_what_is_wrong)
{
    char problem[LOG_PROBLEM_BYTES];
    struct log_reader reader;
    cr_assert_eq(log_reader_open("/nonexistent/journal", 0, &reader, problem), STATUS_NOT_FOUND);
    cr_assert_not_null(strstr(problem, "there is no folder /nonexistent/journal"));
    cr_assert_eq(log_reader_open("/etc/passwd", 0, &reader, problem), STATUS_NOT_FOUND);
    cr_assert_not_null(strstr(problem, "is not a folder"));
    cr_assert_eq(log_reader_open("/etc", 0, &reader, problem), STATUS_NOT_FOUND);
    cr_assert_not_null(strstr(problem, "is not a journal"));
}

Test(log_reader, wants_one_right_header)
{
    char problem[LOG_PROBLEM_BYTES];
    struct log_reader reader;
    struct built_log *log = built_open();
    built_message(log, 0, "a");
    built_seal(log);
    built_damage(log, 60, 8);
    cr_assert_eq(log_reader_open(log->folder, 0, &reader, problem), STATUS_CORRUPT);
    cr_assert_not_null(strstr(problem, "right header"));
    built_close(log);
}

Test(log_reader, tells_the_wall_clock_of_a_block)
{
    char problem[LOG_PROBLEM_BYTES];
    struct log_reader reader;
    struct built_log *log = built_open();
    built_message(log, 0, "a");
    built_seal(log);
    cr_assert_eq(log_reader_open(log->folder, 0, &reader, problem), STATUS_OK);
    cr_assert_eq(log_reader_wall_ms(&reader, 0, 1250), 1772357400250);
    cr_assert_eq(log_reader_wall_ms(&reader, 0, 999), 0);
    cr_assert_not(reader.is_held);
    log_reader_close(&reader);
    built_close(log);
}

/* ---- repair ---- */

static void count_lost(void *context, const struct log_gap *gap)
{
    (void)gap;
    ++*(uint32_t *)context;
}

static uint32_t repair(const struct built_log *log, char new_folder[80])
{
    char problem[LOG_PROBLEM_BYTES] = "";
    uint32_t lost = 0;
    struct log_walk result;
    struct log_reader reader;
    snprintf(new_folder, 80, "%s.new", log->folder);
    cr_assert_eq(log_reader_open(log->folder, 0, &reader, problem), STATUS_OK, "%s", problem);
    struct log_repair job = {
        .reader = &reader, .new_folder = new_folder, .lost = count_lost, .context = &lost};
    cr_assert_eq(log_repair_run(&job, &result), STATUS_OK, "%s", job.problem);
    log_reader_close(&reader);
    return lost;
}

/* What stood in the old one stands in the new one, at its place, and nothing is wrong there. */
static void check_repaired(const struct built_log *log, char *new_folder)
{
    struct found *old = walk(log->folder), *new = walk(new_folder);
    struct journal_scan_result scanned = scan(log, new_folder);
    cr_assert_eq(scanned.end, JOURNAL_CLEAN, "%s", scanned.reason);
    cr_assert_eq(scanned.records, old->walk.records);
    cr_assert_eq(scanned.end_position, new->walk.end_position);
    cr_assert_eq(new->walk.bad_places, 0);
    cr_assert_not(new->walk.is_torn);
    cr_assert_eq(new->id_count, old->id_count);
    cr_assert_gt(new->id_count, 0);
    for (uint32_t i = 0; i < new->id_count; i++) {
        cr_assert_eq(record_id_compare(new->ids[i], old->ids[i]), 0);
        cr_assert_eq(new->positions[i], old->positions[i]);
    }
    cr_assert_eq(record_id_compare(new->walk.last_id, old->walk.last_id), 0);
    free(old);
    free(new);
}

/* The new one ends where its last block does; the old one has zeros behind it. */
static void check_same_bytes(const struct built_log *log, const char *new_folder, unsigned number)
{
    static uint8_t old_bytes[BUILT_SEGMENT_BYTES], new_bytes[BUILT_SEGMENT_BYTES];
    char path[128];
    snprintf(path, sizeof path, "%s/00/%016x.segment", log->folder, number);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(read(file, old_bytes, sizeof old_bytes), BUILT_SEGMENT_BYTES);
    close(file);
    snprintf(path, sizeof path, "%s/00/%016x.segment", new_folder, number);
    file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(file, new_bytes, sizeof new_bytes);
    close(file);
    cr_assert_gt(got, 2 * JOURNAL_PAGE_BYTES);
    cr_assert_eq(memcmp(old_bytes, new_bytes, (size_t)got), 0);
}

Test(log_repair, a_whole_log_is_copied_byte_by_byte)
{
    char new_folder[80];
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    cr_assert_eq(repair(log, new_folder), 0);
    check_repaired(log, new_folder);
    for (unsigned number = 0; number < 3; number++)
        check_same_bytes(log, new_folder, number);
    built_close(log);
}

Test(log_repair, damage_in_a_segment_is_filled_and_the_chain_made_anew)
{
    char new_folder[80];
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, positions[3] + 120, 8);
    built_damage(log, positions[9] + 120, 8);
    built_damage(log, positions[10] + 120, 8);
    cr_assert_eq(repair(log, new_folder), 2);
    check_repaired(log, new_folder);
    built_close(log);
}

Test(log_repair, a_log_without_its_first_block_begins_with_an_empty_one)
{
    char new_folder[80];
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, positions[0] + 110, 4);
    cr_assert_eq(repair(log, new_folder), 1);
    check_repaired(log, new_folder);
    built_close(log);
}

Test(log_repair, a_missing_segment_and_a_wrong_header_are_made_anew)
{
    char new_folder[80];
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_remove_segment(log, 1);
    built_damage(log, 2 * BUILT_SEGMENT_BYTES + 100, 8);
    cr_assert_eq(repair(log, new_folder), 2);
    check_repaired(log, new_folder);
    built_close(log);
}

Test(log_repair, whatever_is_damaged_a_server_can_read_the_rest)
{
    enum { ROUNDS = 60, BLOCKS = 5 };
    uint32_t random = 20260301;
    for (int round = 0; round < ROUNDS; round++) {
        char new_folder[80];
        uint64_t positions[3 * BLOCKS];
        struct built_log *log = build(positions, BLOCKS);
        for (uint32_t i = 0, count = 1 + (uint32_t)round % 6; i < count; i++) {
            random = random * 1664525 + 1013904223;
            uint32_t block = (random >> 16) % (3 * BLOCKS - 1); /* the last one is its witness */
            built_damage(log, positions[block] + (random >> 8) % 230, 3);
        }
        if (round % 7 == 0)
            built_damage(log, BUILT_SEGMENT_BYTES + 100, 8); /* a header */
        if (round % 11 == 0)
            built_remove_segment(log, 1);
        cr_assert_gt(repair(log, new_folder), 0, "round %d", round);
        check_repaired(log, new_folder);
        built_close(log);
    }
}

Test(log_repair, a_torn_end_is_left_out)
{
    char new_folder[80];
    uint64_t positions[30];
    struct built_log *log = build(positions, 10);
    built_damage(log, positions[29] + 120, 8);
    cr_assert_eq(repair(log, new_folder), 0);
    check_repaired(log, new_folder);
    built_close(log);
}

Test(log_repair, a_folder_that_is_there_is_not_touched)
{
    char problem[LOG_PROBLEM_BYTES];
    uint64_t positions[3];
    struct log_walk result;
    struct log_reader reader;
    uint32_t lost = 0;
    struct built_log *log = build(positions, 1);
    cr_assert_eq(log_reader_open(log->folder, 0, &reader, problem), STATUS_OK);
    struct log_repair job = {
        .reader = &reader, .new_folder = log->folder, .lost = count_lost, .context = &lost};
    cr_assert_eq(log_repair_run(&job, &result), STATUS_EXISTS);
    cr_assert_not_null(strstr(job.problem, "is there already"));
    log_reader_close(&reader);
    check_repaired(log, log->folder);
    built_close(log);
}

#include "io/journal/segments.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/io/fake_disk.h"

enum { SEGMENT_BYTES = 1024 * 1024, PAGE = JOURNAL_PAGE_BYTES, STEPS_MAX = 10000 };

struct scene {
    struct fake_disk *disk;
    struct segments *segments;
    uint32_t ready, failed, begun;
    int error;
    const char *step;
    int32_t begun_result;
};

static void note_ready(void *context)
{
    ((struct scene *)context)->ready++;
}

static void note_failed(void *context, int error, const char *step)
{
    struct scene *scene = context;
    scene->failed++;
    scene->error = error;
    scene->step = step;
}

static void note_begun(void *context, int32_t result)
{
    struct scene *scene = context;
    scene->begun++;
    scene->begun_result = result;
}

static void set_up(struct scene *scene, uint64_t seed, uint32_t segments_max)
{
    *scene = (struct scene){.disk = fake_disk_open(seed)};
    struct segments_settings settings = {.disk = &scene->disk->disk,
                                         .segment_bytes = SEGMENT_BYTES,
                                         .segments_max = segments_max,
                                         .log_number = 3,
                                         .log_count = 4,
                                         .incarnation = 7,
                                         .ready = note_ready,
                                         .failed = note_failed,
                                         .context = scene};
    memset(&settings.secret, 0x5a, sizeof settings.secret);
    cr_assert_eq(segments_open(&settings, &scene->segments), STATUS_OK);
}

static void tear_down(struct scene *scene)
{
    segments_close(scene->segments);
    cr_assert_eq(scene->disk->open_files, 0, "every file is closed");
    cr_assert_eq(scene->disk->pending_count, 0);
    fake_disk_close(scene->disk);
}

static void settle(struct scene *scene)
{
    for (int i = 0; fake_disk_step(scene->disk); i++)
        cr_assert_lt(i, STEPS_MAX);
}

static const struct digest previous = {11, 22};

static void begin(struct scene *scene)
{
    segments_prepare(scene->segments);
    settle(scene);
    cr_assert(segments_is_prepared(scene->segments));
    segments_begin(scene->segments, previous, 1000, 2000, (struct segment_content){0}, note_begun,
                   scene);
    settle(scene);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

Test(segments, begins_in_a_spare_that_is_zeros)
{
    struct scene scene;
    set_up(&scene, 1, 4);
    cr_assert_eq(segments_limit_position(scene.segments), 0);
    segments_prepare(scene.segments);
    cr_assert_eq(scene.ready, 0);
    settle(&scene);
    cr_assert_eq(scene.ready, 1);
    cr_assert_eq(segments_limit_position(scene.segments), SEGMENT_BYTES);
    cr_assert_eq(segments_end_position(scene.segments), 0);

    segments_begin(scene.segments, previous, 1000, 2000, (struct segment_content){0}, note_begun,
                   &scene);
    cr_assert(segments_is_beginning(scene.segments));
    cr_assert_eq(segments_end_position(scene.segments), SEGMENT_BYTES);
    settle(&scene);
    cr_assert_eq(scene.begun, 1);
    cr_assert_eq(scene.begun_result, 0);
    cr_assert_not(segments_is_beginning(scene.segments));

    /* What a power cut leaves now is all of it. */
    struct random random = {1};
    fake_disk_crash(scene.disk, &random);
    uint8_t *content = malloc(SEGMENT_BYTES + 1);
    cr_assert_eq(
        fake_disk_image_read(scene.disk, "0000000000000000.segment", 0, content, SEGMENT_BYTES + 1),
        SEGMENT_BYTES);
    struct segment_header header;
    memcpy(&header, content, sizeof header);
    cr_assert_eq(segment_header_check(&header), STATUS_OK);
    cr_assert_eq(header.number, 0);
    cr_assert_eq(header.segment_bytes, SEGMENT_BYTES);
    cr_assert_eq(header.incarnation, 7);
    cr_assert_eq(header.log_time_ms, 1000);
    cr_assert_eq(header.wall_ms, 2000);
    cr_assert_eq(header.log_number, 3);
    cr_assert_eq(header.log_count, 4);
    cr_assert(digest_equal(header.previous, previous));
    cr_assert(is_zero(content + sizeof header, SEGMENT_BYTES - sizeof header));
    free(content);
    tear_down(&scene);
}

Test(segments, writes_zeros_no_faster_than_the_log_needs_them)
{
    struct scene scene = {.disk = fake_disk_open(1)};
    struct segments_settings settings = {.disk = &scene.disk->disk,
                                         .segment_bytes = 16 * SEGMENT_BYTES,
                                         .segments_max = 4,
                                         .ready = note_ready,
                                         .failed = note_failed,
                                         .context = &scene};
    cr_assert_eq(segments_open(&settings, &scene.segments), STATUS_OK);
    begin(&scene);
    uint64_t first = scene.disk->submitted[DISK_WRITE];
    segments_prepare(scene.segments);
    settle(&scene);
    uint64_t second = scene.disk->submitted[DISK_WRITE] - first;
    cr_assert_gt(second, 0);
    cr_assert_lt(second, first, "not all of it: nothing was written to the one before");
    cr_assert_not(segments_is_prepared(scene.segments));
    for (uint64_t position = PAGE; position < 6 * SEGMENT_BYTES; position += 256 * 1024) {
        segments_note_block(scene.segments, position, 256 * 1024);
        settle(&scene);
    }
    cr_assert(segments_is_prepared(scene.segments), "before the one before it is full");
    tear_down(&scene);
}

Test(segments, uses_what_is_given_up_again_without_zeros)
{
    struct scene scene;
    set_up(&scene, 1, 3);
    for (int i = 0; i < 3; i++)
        begin(&scene);
    uint64_t zeros = scene.disk->submitted[DISK_WRITE];
    segments_prepare(scene.segments);
    cr_assert_eq(scene.failed, 1, "three are there");
    cr_assert_eq(scene.error, EDQUOT);
    segments_give_up_oldest(scene.segments);
    cr_assert_null(segments_find(scene.segments, 0));
    cr_assert_eq(segments_count(scene.segments), 2);
    settle(&scene);
    cr_assert(segments_is_prepared(scene.segments));
    cr_assert_not(fake_disk_has(scene.disk, "0000000000000000.segment"));
    begin(&scene);
    cr_assert_eq(segments_oldest(scene.segments)->number, 1);
    cr_assert_eq(segments_find(scene.segments, 3)->number, 3);
    cr_assert(fake_disk_has(scene.disk, "0000000000000003.segment"));
    cr_assert_eq(scene.disk->submitted[DISK_WRITE], zeros);
    tear_down(&scene);
}

Test(segments, gives_up_the_oldest_first_whatever_the_cut)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct scene scene;
        set_up(&scene, seed, 6);
        for (int i = 0; i < 6; i++)
            begin(&scene);
        for (int i = 0; i < 4; i++)
            segments_give_up_oldest(scene.segments);
        struct random random = {seed};
        do {
            fake_disk_crash(scene.disk, &random);
            bool is_there = false;
            for (int n = 0; n < 6; n++) {
                char name[DISK_NAME_BYTES];
                segment_name((uint64_t)n, name);
                struct segment_header header;
                int64_t got = fake_disk_image_read(scene.disk, name, 0, &header, sizeof header);
                cr_assert(got >= 0 || !is_there, "seed %lu: a gap at %d", seed, n);
                is_there = got >= 0;
                if (is_there)
                    cr_assert_eq(header.number, (uint64_t)n);
            }
            cr_assert(is_there);
        } while (fake_disk_step(scene.disk));
        cr_assert(fake_disk_has(scene.disk, "0000000000000004.segment"));
        cr_assert_not(fake_disk_has(scene.disk, "0000000000000003.segment"));
        tear_down(&scene);
    }
}

Test(segments, says_when_there_is_no_room_and_recovers)
{
    struct scene scene;
    set_up(&scene, 1, 4);
    begin(&scene);
    scene.disk->room_bytes = SEGMENT_BYTES / 2;
    for (uint32_t i = 1; i <= 3; i++) {
        segments_prepare(scene.segments);
        settle(&scene);
        cr_assert_eq(scene.failed, i);
        cr_assert_eq(scene.error, ENOSPC);
        cr_assert_str_eq(scene.step, "allocate");
        cr_assert_not(segments_is_prepared(scene.segments));
        cr_assert_not(fake_disk_has(scene.disk, "spare-0.segment"), "it takes no room");
    }
    scene.disk->room_bytes = SEGMENT_BYTES;
    begin(&scene);
    cr_assert_eq(segments_count(scene.segments), 2);
    tear_down(&scene);
}

static void fail_once(enum disk_action action, int32_t result, int error, const char *step)
{
    struct scene scene;
    set_up(&scene, 1, 4);
    fake_disk_fail(scene.disk, action, 1, 1, result);
    begin(&scene);
    segments_prepare(scene.segments);
    settle(&scene);
    cr_assert_eq(scene.failed, 1);
    cr_assert_eq(scene.error, error);
    cr_assert_str_eq(scene.step, step);
    begin(&scene);
    cr_assert_eq(segments_count(scene.segments), 2);
    tear_down(&scene);
}

Test(segments, makes_another_when_one_failed)
{
    fail_once(DISK_CREATE, -EIO, EIO, "create");
    fail_once(DISK_ALLOCATE, -EIO, EIO, "allocate");
    fail_once(DISK_SYNC, -EIO, EIO, "sync");

    struct scene scene;
    set_up(&scene, 1, 4);
    fake_disk_fail(scene.disk, DISK_WRITE, 1, 1, PAGE);
    segments_prepare(scene.segments);
    settle(&scene);
    cr_assert_eq(scene.failed, 1, "a short write");
    cr_assert_eq(scene.error, EIO);
    begin(&scene);
    cr_assert_eq(scene.begun_result, 0);
    tear_down(&scene);
}

static void begin_fails(enum disk_action action, int32_t result)
{
    struct scene scene;
    set_up(&scene, 1, 4);
    fake_disk_fail(scene.disk, action, 0, 1, result);
    begin(&scene);
    cr_assert_eq(scene.begun, 1);
    cr_assert_eq(scene.begun_result, -EIO);
    tear_down(&scene);
}

Test(segments, says_when_the_next_cannot_be_begun)
{
    begin_fails(DISK_WRITE_SYNC, -EIO);
    begin_fails(DISK_WRITE_SYNC, 512);
    begin_fails(DISK_RENAME, -EIO);
    begin_fails(DISK_SYNC_FOLDER, -EIO);
}

Test(segments, goes_on_behind_what_it_adopts)
{
    struct scene scene;
    set_up(&scene, 1, 4);
    for (uint64_t n = 5; n < 7; n++) {
        struct disk_request create = {.action = DISK_CREATE};
        segment_name(n, create.name);
        int file = disk_run(&scene.disk->disk, &create);
        struct segment segment = {.number = n,
                                  .file = file,
                                  .size_bytes = n == 5 ? SEGMENT_BYTES : 3 * PAGE,
                                  .first_ms = n};
        cr_assert_eq(segments_adopt(scene.segments, &segment), STATUS_OK);
    }
    struct segment gap = {.number = 8};
    cr_assert_eq(segments_adopt(scene.segments, &gap), STATUS_CORRUPT);
    cr_assert_eq(segments_end_position(scene.segments), 7 * SEGMENT_BYTES);
    begin(&scene);
    cr_assert(fake_disk_has(scene.disk, "0000000000000007.segment"));
    cr_assert_eq(segments_oldest(scene.segments)->first_ms, 5);
    segments_give_up_oldest(scene.segments);
    segments_give_up_oldest(scene.segments);
    settle(&scene);
    cr_assert(segments_is_prepared(scene.segments), "the first was whole");
    cr_assert_not(fake_disk_has(scene.disk, "0000000000000006.segment"));
    cr_assert_eq(segments_bytes(scene.segments), 2 * SEGMENT_BYTES);
    tear_down(&scene);
}

Test(segments, knows_the_blocks_that_hold_a_record)
{
    struct scene scene;
    set_up(&scene, 1, 4);
    begin(&scene);
    uint64_t start, end;
    cr_assert_not(segments_block_range(scene.segments, PAGE, 8, &start, &end));
    /* Blocks of 1, 300 and 2 pages. */
    segments_note_block(scene.segments, PAGE, PAGE);
    segments_note_block(scene.segments, 2 * PAGE, 100 * PAGE);
    segments_note_block(scene.segments, 102 * PAGE, 2 * PAGE);
    struct {
        uint64_t position, first_page, end_page;
        uint32_t size;
    } cases[] = {
        {PAGE, 1, 2, 8},           {2 * PAGE - 1, 1, 2, 1},        {2 * PAGE, 2, 102, 8},
        {50 * PAGE, 2, 102, PAGE}, {101 * PAGE + 10, 2, 102, 100}, {102 * PAGE, 102, 104, 2 * PAGE},
        {103 * PAGE, 102, 104, 5}, {PAGE, 1, 104, 103 * PAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert(
            segments_block_range(scene.segments, cases[i].position, cases[i].size, &start, &end));
        cr_assert_eq(start, cases[i].first_page * PAGE, "case %zu", i);
        cr_assert_eq(end, cases[i].end_page * PAGE, "case %zu", i);
    }
    cr_assert_not(segments_block_range(scene.segments, 104 * PAGE, 8, &start, &end));
    cr_assert_not(segments_block_range(scene.segments, 103 * PAGE, PAGE + 1, &start, &end));
    cr_assert_not(segments_block_range(scene.segments, 100, 8, &start, &end), "the header");
    cr_assert_not(segments_block_range(scene.segments, SEGMENT_BYTES + PAGE, 8, &start, &end));
    tear_down(&scene);
}

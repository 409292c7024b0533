/* A log whose disk fails in the middle of its work, with a spare folder to go on in. Whatever
 * fails, and however many writes are in flight: what was durable before and what is durable
 * afterwards is there exactly once and in order, in every state that a power cut may leave of both
 * disks.
 *
 * KOUAN_SPARE_RUNS and KOUAN_SPARE_SEED make it longer and different. */
#include <errno.h>
#include <inttypes.h>

#include "core/journal_scan.h"
#include "tests/io/log_scene.h"

enum { RUNS_USUAL = 40, SEED_USUAL = 20261124, STATES_EACH = 6, STEPS_MAX = 300, TURNS_MAX = 1000 };

static const struct log_shape usual = {
    .segments_max = 24, .writes_max = 2, .idle_seal_ms = 1000000, .incarnation = 1};

/* ---- Reading both folders -------------------------------------------------------------------- */

struct reading {
    const struct log_scene *scene;
    uint64_t next; /* the appended record that must come next */
    uint64_t seed;
};

static int64_t read_either(void *context, uint64_t segment, uint64_t offset, void *memory,
                           size_t capacity)
{
    const struct reading *reading = context;
    char name[DISK_NAME_BYTES];
    segment_name(segment, name);
    int64_t size = fake_disk_image_read(reading->scene->spare, name, offset, memory, capacity);
    if (size < 0)
        size = fake_disk_image_read(reading->scene->disk, name, offset, memory, capacity);
    return size < 0 ? 0 : size; /* there is none */
}

static enum status check_record(void *context, const struct record_head *head, uint64_t position)
{
    struct reading *reading = context;
    const struct log_scene *scene = reading->scene;
    cr_assert_lt(reading->next, scene->appended_count, "seed %" PRIu64, reading->seed);
    const struct appended *expected = &scene->appended[reading->next++];
    struct digest content =
        digest_bytes(&scene->secret, bytes_make((const uint8_t *)head, head->size_bytes));
    cr_assert(position == expected->position && digest_equal(content, expected->content),
              "seed %" PRIu64 ": not the record at %" PRIu64, reading->seed, expected->position);
    return STATUS_OK;
}

static bool has_segment(const struct fake_disk *disk, uint64_t number)
{
    char name[DISK_NAME_BYTES], byte[PAGE];
    segment_name(number, name);
    return fake_disk_image_read(disk, name, 0, byte, sizeof byte) >= 0;
}

/* All that was durable is there, in order, in this state of both. */
static void check_state(const struct log_scene *scene, uint64_t seed)
{
    struct reading reading = {.scene = scene, .seed = seed};
    uint64_t last = 0;
    for (uint64_t n = 0; n < usual.segments_max; n++)
        if (has_segment(scene->disk, n) || has_segment(scene->spare, n))
            last = n;
    const struct journal_scan_settings settings = {
        .secret = scene->secret,
        .segment_bytes = SEGMENT_BYTES,
        .last_segment = last,
        .source = {.read = read_either, .context = &reading},
        .handler = {.record = check_record, .context = &reading},
    };
    struct journal_scan_result result;
    cr_assert_eq(journal_scan(&settings, &result), STATUS_OK, "seed %" PRIu64 ": %s", seed,
                 result.reason);
    cr_assert_neq(result.end, JOURNAL_DAMAGED, "seed %" PRIu64 ": %s", seed, result.reason);
    cr_assert(result.end_position >= scene->durable_position,
              "seed %" PRIu64 ": ends at %" PRIu64 ", durable up to %" PRIu64 ": %s", seed,
              result.end_position, scene->durable_position, result.reason);
    cr_assert(reading.next == scene->appended_count ||
              scene->appended[reading.next].position >= scene->durable_position);
}

static void cut(struct log_scene *scene, uint64_t seed, struct random *random)
{
    for (uint32_t i = 0; i < STATES_EACH; i++) {
        fake_disk_crash(scene->disk, random);
        fake_disk_crash(scene->spare, random);
        check_state(scene, seed);
    }
}

/* ---- One failure ----------------------------------------------------------------------------- */

static void append(struct log_scene *scene, uint32_t count, uint32_t body_bytes)
{
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(log_scene_append(scene, body_bytes), STATUS_OK);
}

static void close_scene(struct log_scene *scene)
{
    struct loop *loop = scene->loop;
    log_scene_close(scene);
    loop_close(loop);
}

static void moves(enum disk_action action, uint32_t after, int32_t result, const char *said)
{
    struct log_scene scene;
    struct random random = {7};
    log_scene_open_spare(&scene, log_scene_loop(), 1, usual);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    fake_disk_fail(scene.disk, action, after, UINT32_MAX / 2, result);
    for (int i = 0; i < 40; i++) {
        append(&scene, 1, BLOCK_BYTES - 1000);
        journal_writer_run(&scene.writer);
        append(&scene, 2, 100);
        log_scene_settle(&scene);
    }
    cr_assert_eq(scene.moves, 1);
    cr_assert_eq(scene.failures, 0, "%s", scene.reason);
    cr_assert_not_null(strstr(scene.reason, said), "%s", scene.reason);
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    cr_assert(journal_writer_is_idle(&scene.writer));
    cut(&scene, 0, &random);
    close_scene(&scene);
}

Test(journal_spare, goes_on_in_the_spare_folder_whatever_fails)
{
    moves(DISK_WRITE_SYNC, 0, -EIO, "cannot write a block");
    moves(DISK_WRITE_SYNC, 1, PAGE, "only 4096 bytes were written");
    moves(DISK_WRITE_SYNC, 7, 0, "only 0 bytes were written");
    moves(DISK_WRITE_SYNC, 16, -EIO, "Input/output error");
    moves(DISK_RENAME, 0, -EIO, "cannot begin the segment");
    moves(DISK_SYNC_FOLDER, 0, -ENOSPC, "No space left on device");
}

/* Its segment's name failed; the block itself was whole, but in the folder that is left. */
Test(journal_spare, does_not_count_what_was_written_to_the_folder_that_it_left)
{
    struct log_scene scene;
    log_scene_open_spare(&scene, log_scene_loop(), 1, usual);
    fake_disk_fail(scene.disk, DISK_RENAME, 0, 1, -EIO);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    while (fake_disk_step(scene.disk))
        ;
    journal_writer_run(&scene.writer);
    cr_assert_eq(scene.moves, 1);
    while (fake_disk_count(scene.spare, DISK_WRITE_SYNC) < 2) { /* its header, and the block */
        journal_writer_run(&scene.writer);
        if (fake_disk_count(scene.spare, DISK_WRITE_SYNC) < 2)
            cr_assert(fake_disk_step(scene.spare));
    }
    cr_assert(fake_disk_answer(scene.spare, DISK_WRITE_SYNC));
    cr_assert(fake_disk_answer(scene.spare, DISK_RENAME));
    cr_assert(fake_disk_answer(scene.spare, DISK_SYNC_FOLDER));
    cr_assert_eq(scene.journal.durable_position, 0, "the block is still being written");
    log_scene_settle(&scene);
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    close_scene(&scene);
}

Test(journal_spare, fails_for_good_when_the_spare_fails_too)
{
    struct log_scene scene;
    log_scene_open_spare(&scene, log_scene_loop(), 1, usual);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    uint64_t durable = scene.durable_position;
    fake_disk_fail(scene.disk, DISK_WRITE_SYNC, 0, UINT32_MAX / 2, -EIO);
    fake_disk_fail(scene.spare, DISK_CREATE, 0, UINT32_MAX / 2, -ENOSPC);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    cr_assert_eq(scene.moves, 1);
    cr_assert_eq(scene.failures, 1);
    cr_assert_not_null(strstr(scene.reason, "spare folder"), "%s", scene.reason);
    cr_assert_eq(scene.journal.durable_position, durable);
    cr_assert(journal_writer_is_idle(&scene.writer));
    close_scene(&scene);
}

Test(journal_spare, fails_for_good_at_the_second_write_that_fails)
{
    struct log_scene scene;
    log_scene_open_spare(&scene, log_scene_loop(), 1, usual);
    fake_disk_fail(scene.disk, DISK_WRITE_SYNC, 3, UINT32_MAX / 2, -EIO);
    fake_disk_fail(scene.spare, DISK_WRITE_SYNC, 5, 1, -EIO);
    for (int i = 0; i < 20; i++) {
        append(&scene, 1, 100);
        log_scene_settle(&scene);
    }
    cr_assert_eq(scene.moves, 1);
    cr_assert_eq(scene.failures, 1);
    cr_assert_lt(scene.journal.durable_position, scene.journal.end_position);
    close_scene(&scene);
}

/* ---- What is left behind --------------------------------------------------------------------- */

static uint64_t first_number(const struct log_scene *scene)
{
    char name[DISK_NAME_BYTES], byte[PAGE];
    uint64_t first = 0;
    for (uint64_t n = 1; n < usual.segments_max; n++) {
        snprintf(name, sizeof name, "%016" PRIx64 ".first", n);
        if (fake_disk_image_read(scene->spare, name, 0, byte, sizeof byte) >= 0)
            first = n;
    }
    return first;
}

/* By the rule of io/journal/log_folder.h. */
static bool is_of_log(const struct log_scene *scene, uint64_t number)
{
    if (has_segment(scene->spare, number))
        return true;
    for (uint64_t n = 0; n < number; n++)
        if (has_segment(scene->spare, n))
            return false;
    return number >= first_number(scene) && has_segment(scene->disk, number);
}

/* Whatever a power cut leaves, the log has no gap, and all that was not given up. */
static void check_states(struct log_scene *scene, struct random *random)
{
    uint64_t oldest = segments_oldest(scene->segments)->number;
    uint64_t end = segments_end_position(scene->segments) / SEGMENT_BYTES;
    for (uint32_t i = 0; i < STATES_EACH; i++) {
        fake_disk_crash(scene->disk, random);
        fake_disk_crash(scene->spare, random);
        uint64_t n = 0;
        while (n < oldest && !is_of_log(scene, n))
            n++;
        for (; n < end; n++)
            cr_assert(is_of_log(scene, n), "%" PRIu64 " is missing, the oldest is %" PRIu64, n,
                      oldest);
    }
}

enum { SEGMENTS_BEFORE = 6, SEGMENTS_AFTER = 5 };

static void give_up(bool is_locked)
{
    struct log_scene scene;
    struct random random = {11};
    log_scene_open_spare(&scene, log_scene_loop(), 1, usual);
    while (segments_count(scene.segments) < SEGMENTS_BEFORE + SEGMENTS_AFTER) {
        if (segments_count(scene.segments) == SEGMENTS_BEFORE && scene.moves == 0) {
            fake_disk_fail(scene.disk, DISK_WRITE_SYNC, 0, UINT32_MAX / 2, -EROFS);
            if (is_locked)
                fake_disk_fail(scene.disk, DISK_REMOVE, 0, UINT32_MAX / 2, -EROFS);
        }
        append(&scene, 1, BLOCK_BYTES - 1000);
        log_scene_settle(&scene);
    }
    cr_assert_eq(scene.moves, 1);
    check_states(&scene, &random);
    uint64_t moved = 0, end = SEGMENTS_BEFORE + SEGMENTS_AFTER;
    while (!has_segment(scene.spare, moved))
        moved++;
    for (uint64_t n = 0; n + 2 < end; n++) {
        segments_give_up_oldest(scene.segments);
        while (log_scene_step(&scene))
            check_states(&scene, &random);
        check_states(&scene, &random);
        cr_assert_eq(first_number(&scene), n + 1);
        cr_assert(!is_of_log(&scene, n), "%" PRIu64 " of %" PRIu64, n, moved);
        cr_assert_eq(has_segment(scene.disk, n), is_locked && n < SEGMENTS_BEFORE);
    }
    cr_assert_eq(scene.segment_failures, 0);
    cr_assert_eq(scene.pair.left_behind > 0, is_locked);
    close_scene(&scene);
}

Test(journal_spare, gives_up_what_it_left_behind)
{
    give_up(false);
}

Test(journal_spare, gives_up_what_the_disk_that_it_left_does_not_let_go_of)
{
    give_up(true);
}

/* ---- Under load, with cuts ------------------------------------------------------------------- */

static uint64_t setting(const char *name, uint64_t usually)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? strtoull(value, NULL, 10) : usually;
}

static void plan_failure(struct log_scene *scene, struct random *random)
{
    static const enum disk_action actions[] = {DISK_WRITE_SYNC, DISK_WRITE_SYNC, DISK_RENAME,
                                               DISK_SYNC_FOLDER};
    enum disk_action action = actions[random_below(random, 4)];
    uint32_t after = random_below(random, action == DISK_WRITE_SYNC ? 60 : 4);
    bool is_short = action == DISK_WRITE_SYNC && random_below(random, 2) == 0;
    bool once = random_below(random, 2) == 0; /* later ones work: they do not count */
    fake_disk_fail(scene->disk, action, after, once ? 1 : UINT32_MAX / 2,
                   is_short ? 512 * (int32_t)random_below(random, 8) : -EIO);
}

static void run(uint64_t seed, uint32_t *out_moves)
{
    struct log_shape shape = usual;
    struct random random = {seed};
    struct log_scene scene;
    shape.writes_max = 1 + random_below(&random, JOURNAL_WRITES_MAX);
    log_scene_open_spare(&scene, log_scene_loop(), seed, shape);
    plan_failure(&scene, &random);
    for (int i = 0; i < STEPS_MAX && segments_count(scene.segments) < shape.segments_max - 2; i++) {
        uint32_t count = random_below(&random, 8);
        for (uint32_t n = 0; n < count; n++)
            if (log_scene_append(&scene, random_below(&random, n == 0 ? 150000 : 900)) != STATUS_OK)
                break;
        journal_writer_run(&scene.writer);
        for (uint32_t n = random_below(&random, 12); n > 0; n--)
            log_scene_step(&scene);
        if (random_below(&random, 20) == 0)
            cut(&scene, seed, &random);
    }
    log_scene_settle(&scene);
    cr_assert_eq(scene.failures, 0, "seed %" PRIu64 ": %s", seed, scene.reason);
    cr_assert_eq(scene.durable_position, scene.journal.end_position, "seed %" PRIu64, seed);
    cut(&scene, seed, &random);
    *out_moves += scene.moves;
    close_scene(&scene);
}

Test(journal_spare, loses_nothing_in_any_state_that_a_power_cut_leaves)
{
    uint64_t runs = setting("KOUAN_SPARE_RUNS", RUNS_USUAL);
    uint64_t seed = setting("KOUAN_SPARE_SEED", SEED_USUAL);
    uint32_t moves = 0;
    for (uint64_t i = 0; i < runs; i++)
        run(seed + i, &moves);
    cr_log_info("%" PRIu32 " of %" PRIu64 " runs moved", moves, runs);
    cr_assert_gt(moves, runs / 2);
}

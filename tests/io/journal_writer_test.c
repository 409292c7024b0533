#include <errno.h>

#include "tests/io/log_scene.h"

enum { TURNS_MAX = 1000 };

static const struct log_shape usual = {
    .segments_max = 8, .writes_max = 2, .idle_seal_ms = 1000000, .incarnation = 1};

static void append(struct log_scene *scene, uint32_t count, uint32_t body_bytes)
{
    for (uint32_t i = 0; i < count; i++)
        cr_assert_eq(log_scene_append(scene, body_bytes), STATUS_OK);
}

static uint64_t writes(const struct log_scene *scene)
{
    return scene->writer.figures.writes;
}

#define OPEN(scene, shape)                                                                         \
    struct log_scene scene;                                                                        \
    log_scene_open(&scene, log_scene_loop(), 1, shape)

static void close_scene(struct log_scene *scene)
{
    struct loop *loop = scene->loop;
    log_scene_close(scene);
    loop_close(loop);
}

Test(journal_writer, makes_one_record_durable_at_once)
{
    OPEN(scene, usual);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(writes(&scene), 1, "nothing is in flight: nothing to wait for");
    cr_assert_eq(scene.durable, 0);
    log_scene_settle(&scene);
    cr_assert_eq(scene.durable_position, 2 * PAGE);
    cr_assert_eq(writes(&scene), 1);
    cr_assert(journal_writer_is_idle(&scene.writer));
    close_scene(&scene);
}

Test(journal_writer, says_durable_only_when_the_new_segment_stands)
{
    OPEN(scene, usual);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 2, "its header, and the block");
    cr_assert(fake_disk_answer(scene.disk, DISK_WRITE_SYNC));
    cr_assert(fake_disk_answer(scene.disk, DISK_WRITE_SYNC));
    cr_assert_eq(scene.durable, 0);
    cr_assert(fake_disk_answer(scene.disk, DISK_RENAME));
    cr_assert_eq(scene.durable, 0);
    cr_assert_not(journal_writer_is_idle(&scene.writer));
    cr_assert(fake_disk_answer(scene.disk, DISK_SYNC_FOLDER));
    cr_assert_eq(scene.durable, 1);
    close_scene(&scene);
}

Test(journal_writer, gathers_what_comes_while_it_writes)
{
    struct log_shape one = usual;
    one.writes_max = 1;
    OPEN(scene, one);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    for (int i = 0; i < 30; i++) {
        append(&scene, 1, 100);
        journal_writer_run(&scene.writer);
    }
    cr_assert_eq(writes(&scene), 1);
    log_scene_settle(&scene);
    cr_assert_eq(writes(&scene), 2, "thirty in one block");
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    close_scene(&scene);
}

Test(journal_writer, answers_in_order_whatever_the_disk_does)
{
    for (uint32_t writes_max = 1; writes_max <= JOURNAL_WRITES_MAX; writes_max++) {
        struct log_shape shape = usual;
        shape.writes_max = writes_max;
        OPEN(scene, shape);
        struct random random = {writes_max};
        for (int i = 0; i < 2000; i++) {
            append(&scene, 1 + random_below(&random, 3), random_below(&random, 20000));
            journal_writer_run(&scene.writer);
            fake_disk_step(scene.disk);
            if (segments_count(scene.segments) > 5)
                segments_give_up_oldest(scene.segments);
            uint64_t durable = scene.durable_position;
            if (i % 10 == 0)
                log_scene_settle(&scene);
            cr_assert_geq(scene.durable_position, durable);
        }
        log_scene_settle(&scene);
        cr_assert_eq(scene.durable_position, scene.journal.end_position);
        cr_assert_leq(scene.disk->sync_writes_most, writes_max + 1, "and a segment's header");
        cr_assert_geq(scene.disk->sync_writes_most, writes_max);
        close_scene(&scene);
    }
}

Test(journal_writer, has_the_first_write_in_flight_end_first)
{
    OPEN(scene, usual);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 2);
    uint64_t before = scene.durable_position;
    /* The second one first. */
    struct disk_request *second = &scene.writer.writes[2].request;
    cr_assert_eq(second->offset, 3 * PAGE);
    for (uint32_t i = 0; i < scene.disk->pending_count; i++)
        if (scene.disk->pending[i].request == second) {
            struct fake_pending swapped = scene.disk->pending[i];
            scene.disk->pending[i] = scene.disk->pending[0];
            scene.disk->pending[0] = swapped;
        }
    cr_assert(fake_disk_answer(scene.disk, DISK_WRITE_SYNC));
    cr_assert(scene.writer.writes[2].is_done);
    cr_assert_eq(scene.durable_position, before);
    cr_assert(fake_disk_answer(scene.disk, DISK_WRITE_SYNC));
    cr_assert_eq(scene.durable_position, before + 2 * PAGE);
    close_scene(&scene);
}

Test(journal_writer, puts_facts_into_the_block_that_it_seals)
{
    OPEN(scene, usual);
    scene.facts = 3;
    scene.fact_bytes = 50;
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    cr_assert_eq(writes(&scene), 1);
    cr_assert_eq(scene.appended_count, 4);
    scene.facts = 1;
    log_scene_settle(&scene);
    cr_assert_eq(writes(&scene), 2, "facts alone make a block");
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    close_scene(&scene);
}

Test(journal_writer, lingers_only_while_many_come_and_while_it_pays)
{
    struct log_shape shape = usual;
    shape.linger_max_us = 1;
    OPEN(scene, shape);
    append(&scene, 20, 100);
    log_scene_settle(&scene);
    cr_assert_eq(scene.writer.figures.lingers, 0, "one write was in flight before it");

    /* Many were in the last block: wait for more, but not for long. */
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(scene.writer.figures.lingers, 1);
    cr_assert_eq(writes(&scene), 1);
    append(&scene, 20, 100);
    journal_writer_run(&scene.writer);
    for (int i = 0; writes(&scene) == 1; i++) {
        cr_assert_lt(i, TURNS_MAX);
        loop_turn(scene.loop);
    }
    log_scene_settle(&scene);
    cr_assert_eq(scene.writer.linger_skips, 0, "it paid");

    /* The next brings nothing. */
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(scene.writer.figures.lingers, 2);
    for (int i = 0; writes(&scene) == 2; i++) {
        cr_assert_lt(i, TURNS_MAX);
        loop_turn(scene.loop);
    }
    log_scene_settle(&scene);
    append(&scene, 20, 100);
    log_scene_settle(&scene);
    append(&scene, 20, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(scene.writer.figures.lingers, 2, "so the one after it is left out");
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 1);
    close_scene(&scene);
}

Test(journal_writer, starts_a_second_write_under_load_only_for_half_a_block)
{
    OPEN(scene, usual);
    append(&scene, 20, 100);
    log_scene_settle(&scene);
    append(&scene, 20, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 1);
    append(&scene, 20, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 1);
    append(&scene, 1, BLOCK_BYTES / 2);
    journal_writer_run(&scene.writer);
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 2);
    log_scene_settle(&scene);
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    close_scene(&scene);
}

Test(journal_writer, has_two_small_writes_in_flight_at_most)
{
    struct log_shape four = usual;
    four.writes_max = 4;
    OPEN(scene, four);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    for (int i = 0; i < 8; i++) {
        append(&scene, 1, 100);
        journal_writer_run(&scene.writer);
    }
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 2);
    for (int i = 0; i < 2; i++) {
        append(&scene, 1, BLOCK_BYTES / 2);
        journal_writer_run(&scene.writer);
    }
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 4);
    log_scene_settle(&scene);
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    close_scene(&scene);
}

static const struct block_header *last_header(const struct log_scene *scene)
{
    const struct journal *journal = &scene->journal;
    return journal_block_header(journal,
                                journal_sealed_block(journal, scene->writer.next_block - 1));
}

Test(journal_writer, puts_the_last_watermark_on_the_disk_when_idle)
{
    struct log_shape shape = usual;
    shape.idle_seal_ms = 1;
    OPEN(scene, shape);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    uint64_t end = scene.durable_position;
    for (int i = 0; scene.writer.figures.idle_seals == 0; i++) {
        cr_assert_lt(i, TURNS_MAX);
        loop_turn(scene.loop);
    }
    log_scene_settle(&scene);
    cr_assert_eq(writes(&scene), 2);
    cr_assert_eq(last_header(&scene)->record_count, 0);
    cr_assert_eq(last_header(&scene)->watermark, end);
    cr_assert_eq(scene.writer.idle_timer.heap_index, 0, "once");
    close_scene(&scene);
}

Test(journal_writer, stops_with_a_last_empty_block)
{
    OPEN(scene, usual);
    append(&scene, 3, 100);
    journal_writer_stop(&scene.writer);
    cr_assert_not(journal_writer_is_idle(&scene.writer));
    log_scene_settle(&scene);
    cr_assert(journal_writer_is_idle(&scene.writer));
    cr_assert_eq(writes(&scene), 2);
    cr_assert_eq(last_header(&scene)->record_count, 0);
    cr_assert_eq(last_header(&scene)->watermark, 2 * PAGE);
    cr_assert_eq(scene.durable_position, 3 * PAGE);
    close_scene(&scene);
}

static void fails(enum disk_action action, uint32_t after, int32_t result, const char *said)
{
    OPEN(scene, usual);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    uint64_t durable = scene.durable_position;
    fake_disk_fail(scene.disk, action, after, 1, result);
    for (int i = 0; i < 40 && scene.failures == 0; i++) {
        append(&scene, 1, BLOCK_BYTES - 1000);
        log_scene_settle(&scene);
        if (scene.failures == 0)
            durable = scene.durable_position;
    }
    cr_assert_eq(scene.failures, 1);
    cr_assert_not_null(strstr(scene.reason, said), "%s", scene.reason);
    for (int i = 0; i < 3; i++) {
        append(&scene, 1, 100);
        log_scene_settle(&scene);
    }
    cr_assert_eq(scene.journal.durable_position, durable);
    cr_assert_eq(scene.failures, 1);
    cr_assert(journal_writer_is_idle(&scene.writer));
    close_scene(&scene);
}

Test(journal_writer, acknowledges_nothing_after_a_failure)
{
    fails(DISK_WRITE_SYNC, 1, -EIO,
          "cannot write a block at byte 73728 of 0000000000000000.segment: Input/output error");
    fails(DISK_WRITE_SYNC, 1, PAGE, "only 4096 bytes were written");
    fails(DISK_WRITE_SYNC, 0, 0, "only 0 bytes were written");
    fails(DISK_RENAME, 0, -EIO,
          "cannot begin the segment at byte 0 of 0000000000000001.segment: Input/output error");
    fails(DISK_SYNC_FOLDER, 0, -ENOSPC, "No space left on device");
}

Test(journal_writer, heeds_no_later_success)
{
    /* The first of two in flight fails; the second is whole. */
    OPEN(scene, usual);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    uint64_t durable = scene.durable_position;
    fake_disk_fail(scene.disk, DISK_WRITE_SYNC, 0, 1, -EIO);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    append(&scene, 1, 100);
    journal_writer_run(&scene.writer);
    cr_assert_eq(fake_disk_count(scene.disk, DISK_WRITE_SYNC), 2);
    log_scene_settle(&scene);
    cr_assert_eq(scene.failures, 1);
    cr_assert_eq(scene.journal.durable_position, durable);
    close_scene(&scene);
}

Test(journal_writer, stands_still_on_a_full_disk_and_goes_on)
{
    OPEN(scene, usual);
    scene.disk->room_bytes = SEGMENT_BYTES / 2;
    enum status status = STATUS_OK;
    for (int i = 0; i < 100 && status == STATUS_OK; i++) {
        status = log_scene_append(&scene, BLOCK_BYTES - 1000);
        log_scene_settle(&scene);
    }
    cr_assert_eq(status, STATUS_FULL);
    cr_assert(journal_is_limited(&scene.journal, BLOCK_BYTES));
    cr_assert_geq(scene.segment_failures, 1);
    cr_assert_eq(scene.segment_error, ENOSPC);
    cr_assert_eq(scene.failures, 0, "no failure of the writer");
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    append(&scene, 1, 100); /* there is still a little room for facts */
    log_scene_settle(&scene);

    scene.disk->room_bytes = UINT64_MAX;
    segments_prepare(scene.segments);
    log_scene_settle(&scene);
    for (int i = 0; i < 40; i++) {
        append(&scene, 1, BLOCK_BYTES / 2);
        log_scene_settle(&scene);
    }
    cr_assert_eq(scene.durable_position, scene.journal.end_position);
    cr_assert_eq(segments_count(scene.segments), 3);
    close_scene(&scene);
}

Test(journal_writer, tells_how_each_segment_ends)
{
    OPEN(scene, usual);
    struct digest last = {0};
    uint32_t told = 0;
    while (scene.journal.end_position < 3 * SEGMENT_BYTES) {
        append(&scene, 1, BLOCK_BYTES / 2);
        log_scene_settle(&scene);
        if (scene.ended > told) {
            cr_assert_eq(scene.ended, ++told);
            cr_assert_eq(scene.ended_number, told - 1);
            cr_assert(digest_equal(scene.ended_checksum, last));
        }
        last = scene.journal.last_checksum;
    }
    cr_assert_eq(told, 3);
    close_scene(&scene);
}

Test(journal_writer, has_room_as_soon_as_it_is_woken)
{
    OPEN(scene, usual);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    scene.journal.limit_position = SEGMENT_BYTES; /* as if the second were ready only now */
    cr_assert_geq(segments_limit_position(scene.segments), 2 * SEGMENT_BYTES);
    journal_writer_wake(&scene.writer);
    cr_assert_eq(scene.journal.limit_position, segments_limit_position(scene.segments));
    close_scene(&scene);
}

Test(journal_writer, counts_what_it_writes)
{
    OPEN(scene, usual);
    append(&scene, 1, 100);
    log_scene_settle(&scene);
    const struct journal_writer_figures *figures = &scene.writer.figures;
    cr_assert_eq(figures->writes, 1);
    cr_assert_eq(figures->bytes, PAGE);
    cr_assert_eq(figures->padding_bytes,
                 PAGE - sizeof(struct block_header) - record_size(1, 0, 0, 100, 0));
    close_scene(&scene);
}

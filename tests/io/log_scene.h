/* A whole log over a disk in memory: journal, segments, writer; with a note of all that was
 * appended. The loop is there for its clock and its timers. */
#ifndef KOUAN_TESTS_IO_LOG_SCENE_H
#define KOUAN_TESTS_IO_LOG_SCENE_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/journal/disk_pair.h"
#include "io/journal/journal_writer.h"
#include "tests/io/fake_disk.h"

enum { SEGMENT_BYTES = 1024 * 1024, BLOCK_BYTES = 64 * 1024, PAGE = JOURNAL_PAGE_BYTES };

struct appended {
    uint64_t position;
    uint32_t size_bytes;
    struct digest content;
};

struct log_scene {
    struct loop *loop;
    struct fake_disk *disk, *spare; /* `spare` may be NULL */
    struct disk_pair pair;
    struct segments *segments;
    struct journal journal;
    struct journal_writer writer;
    struct digest_secret secret;
    struct appended *appended;
    uint64_t appended_count, appended_capacity;
    uint64_t log_time_ms;
    /* What was said: */
    uint32_t ready, segment_failures, durable, failures, sealings, moves;
    int segment_error;
    uint64_t durable_position;
    char reason[JOURNAL_REASON_BYTES];
    uint32_t ended; /* segments */
    uint64_t ended_number;
    struct digest ended_checksum;
    /* What `sealing` appends: */
    uint32_t facts, fact_bytes;
};

struct log_shape {
    uint32_t segments_max, writes_max, linger_max_us, idle_seal_ms;
    uint64_t incarnation, start_position;
};

static inline void log_scene_note_ready(void *context)
{
    struct log_scene *scene = context;
    scene->ready++;
}

static inline void log_scene_note_segment_failure(void *context, int error, const char *step)
{
    struct log_scene *scene = context;
    (void)step;
    scene->segment_failures++;
    scene->segment_error = error;
    if (scene->writer.settings.loop != NULL)
        journal_writer_note_segment_failure(&scene->writer, error);
}

/* One message, whose bytes follow from its place in the log. */
static inline enum status log_scene_append(struct log_scene *scene, uint32_t body_bytes)
{
    struct record_head *head;
    uint64_t position;
    uint32_t size = record_size(1, 0, 0, body_bytes, 0);
    enum status status = journal_reserve(&scene->journal, size, &head, &position);
    if (status != STATUS_OK)
        return status;
    struct record *record = (struct record *)(void *)head;
    *record = (struct record){.id = journal_next_id(&scene->journal, 1),
                              .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                              .part_number = 1,
                              .part_count = 1,
                              .destination_count = 1,
                              .body_bytes = body_bytes};
    record_destinations(record)[0] = (uint16_t)(scene->appended_count % 100);
    uint8_t *body = (uint8_t *)(uintptr_t)record_body(record).data;
    struct random random = {scene->appended_count};
    for (uint32_t i = 0; i + 8 <= body_bytes; i += 8) {
        uint64_t bytes = random_u64(&random);
        memcpy(body + i, &bytes, sizeof bytes);
    }
    memset(body + body_bytes / 8 * 8, 'x', body_bytes % 8);
    journal_commit_record(&scene->journal, head);
    if (scene->appended_count == scene->appended_capacity) {
        scene->appended_capacity = scene->appended_capacity * 2 + 1024;
        scene->appended =
            realloc(scene->appended, scene->appended_capacity * sizeof(struct appended));
        cr_assert_not_null(scene->appended);
    }
    scene->appended[scene->appended_count++] = (struct appended){
        position, size, digest_bytes(&scene->secret, bytes_make((const uint8_t *)head, size))};
    return STATUS_OK;
}

static inline uint64_t log_scene_time(void *context)
{
    return ((struct log_scene *)context)->log_time_ms++;
}

static inline void log_scene_seal(void *context)
{
    struct log_scene *scene = context;
    scene->sealings++;
    while (scene->facts > 0 && log_scene_append(scene, scene->fact_bytes) == STATUS_OK)
        scene->facts--;
}

static inline void log_scene_note_durable(void *context)
{
    struct log_scene *scene = context;
    cr_assert_eq(scene->failures, 0, "nothing is durable after a failure");
    cr_assert_gt(scene->journal.durable_position, scene->durable_position);
    scene->durable_position = scene->journal.durable_position;
    uint64_t kept = scene->durable_position;
    if (scene->spare != NULL) /* the whole of the segment may have to be written anew */
        kept -= kept % SEGMENT_BYTES;
    if (kept > scene->journal.kept_position)
        journal_keep_from(&scene->journal, kept);
    scene->durable++;
}

static inline void log_scene_note_failure(void *context, const char *reason)
{
    struct log_scene *scene = context;
    scene->failures++;
    snprintf(scene->reason, sizeof scene->reason, "%s", reason);
}

static inline void log_scene_note_move(void *context, const char *reason)
{
    struct log_scene *scene = context;
    scene->moves++;
    snprintf(scene->reason, sizeof scene->reason, "%s", reason);
    disk_pair_move(&scene->pair);
}

/* One of those under way on either disk. */
static inline bool log_scene_step(struct log_scene *scene)
{
    bool spare_first = scene->spare != NULL && random_below(&scene->disk->random, 2) == 0;
    if (spare_first && fake_disk_step(scene->spare))
        return true;
    return fake_disk_step(scene->disk) || (scene->spare != NULL && fake_disk_step(scene->spare));
}

static inline void log_scene_note_end(void *context, uint64_t segment_number,
                                      struct digest last_block)
{
    struct log_scene *scene = context;
    scene->ended++;
    scene->ended_number = segment_number;
    scene->ended_checksum = last_block;
}

/* With a first segment at hand, unless the disk has no room for it. */
static inline void log_scene_start(struct log_scene *scene, struct log_shape shape)
{
    disk_pair_init(&scene->pair, &scene->disk->disk,
                   scene->spare != NULL ? &scene->spare->disk : NULL);
    struct segments_settings segments = {.disk = &scene->pair.disk,
                                         .segment_bytes = SEGMENT_BYTES,
                                         .segments_max = shape.segments_max,
                                         .log_count = 1,
                                         .secret = scene->secret,
                                         .incarnation = shape.incarnation,
                                         .ready = log_scene_note_ready,
                                         .failed = log_scene_note_segment_failure,
                                         .context = scene};
    cr_assert_eq(segments_open(&segments, &scene->segments), STATUS_OK);
    segments_prepare(scene->segments);
    while (fake_disk_step(scene->disk))
        ;
    struct journal_settings journal = {.memory_bytes = 4 * SEGMENT_BYTES,
                                       .segment_bytes = SEGMENT_BYTES,
                                       .block_bytes = BLOCK_BYTES,
                                       .secret = scene->secret,
                                       .incarnation = shape.incarnation,
                                       .start_position = shape.start_position};
    cr_assert_eq(journal_open(&scene->journal, &journal), STATUS_OK);
    struct journal_writer_settings writer = {.loop = scene->loop,
                                             .journal = &scene->journal,
                                             .segments = scene->segments,
                                             .disk = &scene->pair.disk,
                                             .writes_max = shape.writes_max,
                                             .linger_max_us = shape.linger_max_us,
                                             .idle_seal_ms = shape.idle_seal_ms,
                                             .log_time_ms = log_scene_time,
                                             .sealing = log_scene_seal,
                                             .durable = log_scene_note_durable,
                                             .failed = log_scene_note_failure,
                                             .move =
                                                 scene->spare != NULL ? log_scene_note_move : NULL,
                                             .segment_ended = log_scene_note_end,
                                             .context = scene};
    journal_writer_open(&scene->writer, &writer);
    journal_writer_run(&scene->writer);
}

static inline struct loop *log_scene_loop(void)
{
    struct loop_settings settings = {.submission_entries = 256,
                                     .completion_entries = 1024,
                                     .receive_buffer_count = 4,
                                     .files_max = 64,
                                     .timers_max = 8};
    struct loop *loop = NULL;
    char problem[512] = "";
    cr_assert_eq(loop_open(&settings, &loop, problem, sizeof problem), STATUS_OK, "%s", problem);
    return loop;
}

static inline void log_scene_open(struct log_scene *scene, struct loop *loop, uint64_t seed,
                                  struct log_shape shape)
{
    *scene = (struct log_scene){.loop = loop, .disk = fake_disk_open(seed)};
    memset(&scene->secret, 0x37, sizeof scene->secret);
    log_scene_start(scene, shape);
}

/* With a spare folder on a disk of its own. */
static inline void log_scene_open_spare(struct log_scene *scene, struct loop *loop, uint64_t seed,
                                        struct log_shape shape)
{
    *scene = (struct log_scene){
        .loop = loop, .disk = fake_disk_open(seed), .spare = fake_disk_open(seed + 1)};
    scene->spare->first_file = 100000;
    memset(&scene->secret, 0x37, sizeof scene->secret);
    log_scene_start(scene, shape);
}

static inline void log_scene_close(struct log_scene *scene)
{
    while (log_scene_step(scene))
        ;
    journal_writer_close(&scene->writer);
    segments_close(scene->segments);
    journal_close(&scene->journal);
    fake_disk_close(scene->disk);
    if (scene->spare != NULL)
        fake_disk_close(scene->spare);
    free(scene->appended);
}

/* Until nothing is under way, with the writer asked after each answer. */
static inline void log_scene_settle(struct log_scene *scene)
{
    journal_writer_run(&scene->writer);
    while (log_scene_step(scene))
        journal_writer_run(&scene->writer);
}

#endif

/* Power cuts: random work on a log over a disk that remembers what was synced, cut at random
 * points; of each point some of the states that may be found are read. In each of them stands, bit
 * for bit and in order, all that was said to be durable, nothing that was never appended, and
 * nothing that would be taken for damage.
 *
 * KOUAN_CRASH_STATES and KOUAN_CRASH_SEED make it longer and different. */
#include <inttypes.h>
#include <malloc.h>

#include "core/journal_scan.h"
#include "tests/io/log_scene.h"

enum { STATES_USUAL = 2000, SEED_USUAL = 20261124, STATES_EACH_MAX = 16, STEPS_MAX = 600 };

/* One state, being read. */
struct reading {
    const struct log_scene *scene;
    uint64_t next; /* the appended record that must come next */
    uint64_t seed; /* for messages: of the run and of the state */
    uint64_t state;
};

struct tally {
    uint64_t states, torn, clean, beyond; /* `beyond`: more was there than had been said */
};

static uint64_t setting(const char *name, uint64_t usual)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? strtoull(value, NULL, 10) : usual;
}

static int64_t read_image(void *context, uint64_t segment, uint64_t offset, void *memory,
                          size_t capacity)
{
    const struct reading *reading = context;
    char name[DISK_NAME_BYTES];
    segment_name(segment, name);
    return fake_disk_image_read(reading->scene->disk, name, offset, memory, capacity);
}

static enum status check_record(void *context, const struct record_head *head, uint64_t position)
{
    struct reading *reading = context;
    const struct log_scene *scene = reading->scene;
    cr_assert_lt(reading->next, scene->appended_count, "seed %" PRIu64 " state %" PRIu64,
                 reading->seed, reading->state);
    const struct appended *expected = &scene->appended[reading->next++];
    struct digest content =
        digest_bytes(&scene->secret, bytes_make((const uint8_t *)head, head->size_bytes));
    cr_assert(position == expected->position && head->size_bytes == expected->size_bytes &&
                  digest_equal(content, expected->content),
              "seed %" PRIu64 " state %" PRIu64 ": not the record at %" PRIu64, reading->seed,
              reading->state, expected->position);
    return STATUS_OK;
}

/* The numbers of the segments that the state has; false: none. */
static bool find_segments(const struct fake_disk *disk, uint64_t *out_first, uint64_t *out_last)
{
    uint64_t first = UINT64_MAX, last = 0;
    for (uint32_t i = 0; i < disk->image.count; i++) {
        char *end;
        uint64_t number = strtoull(disk->image.items[i].name, &end, 16);
        if (strcmp(end, ".segment") != 0 || end != disk->image.items[i].name + 16)
            continue;
        first = number < first ? number : first;
        last = number > last ? number : last;
    }
    *out_first = first;
    *out_last = last;
    return first != UINT64_MAX;
}

static void check_state(struct reading *reading, struct tally *tally)
{
    const struct log_scene *scene = reading->scene;
    uint64_t durable = scene->durable_position, first, last;
    tally->states++;
    if (!find_segments(scene->disk, &first, &last)) {
        cr_assert_eq(durable, 0, "seed %" PRIu64 " state %" PRIu64, reading->seed, reading->state);
        return;
    }
    const struct segment *oldest = segments_oldest(scene->segments);
    cr_assert(oldest == NULL || first <= oldest->number, "seed %" PRIu64 " state %" PRIu64,
              reading->seed, reading->state);
    while (reading->next < scene->appended_count &&
           scene->appended[reading->next].position < first * SEGMENT_BYTES)
        reading->next++;
    struct journal_scan_settings settings = {
        .secret = scene->secret,
        .segment_bytes = SEGMENT_BYTES,
        .first_segment = first,
        .last_segment = last,
        .source = {.read = read_image, .context = reading},
        .handler = {.record = check_record, .context = reading},
    };
    struct journal_scan_result result;
    cr_assert_eq(journal_scan(&settings, &result), STATUS_OK);
    cr_assert_neq(result.end, JOURNAL_DAMAGED, "seed %" PRIu64 " state %" PRIu64 ": %s",
                  reading->seed, reading->state, result.reason);
    bool all = reading->next == scene->appended_count ||
               scene->appended[reading->next].position >= durable;
    cr_assert(all,
              "seed %" PRIu64 " state %" PRIu64 ": lost at %" PRIu64 ", durable up to %" PRIu64
              ": %s",
              reading->seed, reading->state, scene->appended[reading->next].position, durable,
              result.reason);
    tally->torn += result.end == JOURNAL_TORN;
    tally->clean += result.end == JOURNAL_CLEAN;
    tally->beyond += result.end_position > durable;
}

static void cut(struct log_scene *scene, uint64_t seed, struct random *random, struct tally *tally)
{
    uint32_t count = 1 + random_below(random, STATES_EACH_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct reading reading = {.scene = scene, .seed = seed, .state = random_u64(random)};
        struct random state = {reading.state};
        fake_disk_crash(scene->disk, &state);
        check_state(&reading, tally);
    }
}

static uint32_t draw_bytes(struct random *random)
{
    switch (random_below(random, 8)) {
    case 0: return random_below(random, 200 * 1024);
    case 1:
    case 2:
    case 3: return random_below(random, 8 * 1024);
    default: return random_below(random, 600);
    }
}

static void do_something(struct log_scene *scene, struct random *random)
{
    struct journal_writer *writer = &scene->writer;
    switch (random_below(random, 8)) {
    case 0:
    case 1:
    case 2: {
        uint32_t count = random_below(random, 24);
        for (uint32_t i = 0; i < count; i++)
            if (log_scene_append(scene, draw_bytes(random)) != STATUS_OK)
                break;
        break;
    }
    case 3:
        scene->facts = random_below(random, 4);
        scene->fact_bytes = random_below(random, 300);
        break;
    case 4:
        if (writer->idle_timer.heap_index != 0)
            writer->idle_timer.expire(scene->loop, &writer->idle_timer);
        break;
    case 5: {
        struct segment *oldest = segments_oldest(scene->segments);
        if (segments_count(scene->segments) > 2 &&
            (oldest->number + 1) * SEGMENT_BYTES <= scene->durable_position)
            segments_give_up_oldest(scene->segments);
        break;
    }
    case 6: segments_prepare(scene->segments); break;
    default: break;
    }
    if (random_below(random, 3) > 0)
        journal_writer_run(writer);
}

static void run_workload(struct loop *loop, uint64_t seed, uint64_t states_max, struct tally *tally)
{
    struct random random = {seed};
    struct log_scene scene;
    struct log_shape shape = {.segments_max = 3 + random_below(&random, 3),
                              .writes_max = 1 + random_below(&random, JOURNAL_WRITES_MAX),
                              .linger_max_us = 0,
                              .idle_seal_ms = 1000000,
                              .incarnation = 1};
    log_scene_open(&scene, loop, random_u64(&random), shape);
    for (int step = 0; step < STEPS_MAX && tally->states < states_max; step++) {
        do_something(&scene, &random);
        for (uint32_t steps = random_below(&random, 5); steps > 0; steps--) {
            bool is_busy = fake_disk_count(scene.disk, DISK_WRITE_SYNC) > 0;
            if (random_below(&random, is_busy ? 16 : 64) == 0)
                cut(&scene, seed, &random, tally);
            fake_disk_step(scene.disk);
        }
    }
    cr_assert_eq(scene.failures, 0);
    log_scene_close(&scene);
}

Test(journal_crash, loses_nothing_that_was_said_to_be_durable)
{
    uint64_t states = setting("KOUAN_CRASH_STATES", STATES_USUAL);
    uint64_t seed = setting("KOUAN_CRASH_SEED", SEED_USUAL);
    mallopt(M_MMAP_THRESHOLD, 64 * SEGMENT_BYTES); /* each state is read into the same memory */
    mallopt(M_TRIM_THRESHOLD, 64 * SEGMENT_BYTES);
    struct loop *loop = log_scene_loop();
    struct tally tally = {0};
    for (uint64_t run = 0; tally.states < states; run++)
        run_workload(loop, seed + run, states, &tally);
    loop_close(loop);
    printf("journal_crash: seed %" PRIu64 ": %" PRIu64 " states: %" PRIu64 " clean, %" PRIu64
           " torn, %" PRIu64 " with more than was said to be durable\n",
           seed, tally.states, tally.clean, tally.torn, tally.beyond);
    cr_assert_gt(tally.torn, 0, "a test that sees no torn tail tests nothing");
    cr_assert_gt(tally.beyond, 0);
}

#include "io/journal/sidecars.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/io/fake_disk.h"

enum { SEGMENT_BYTES = 8 * 1024 * 1024, LOG = 2, FIRST = 5 };

/* More than one write brings. */
enum { MANY = SIDECAR_WRITE_BYTES / sizeof(struct sidecar_item) * 5 / 2 };

static const struct digest_secret secret = {.bytes = {9}};

struct scene {
    struct fake_disk *disk;
    struct sidecars sidecars;
};

static void set_up(struct scene *scene, uint64_t seed)
{
    scene->disk = fake_disk_open(seed);
    const struct sidecars_settings settings = {
        .disk = &scene->disk->disk,
        .secret = secret,
        .log_number = LOG,
        .segment_bytes = SEGMENT_BYTES,
    };
    cr_assert_eq(sidecars_open(&settings, &scene->sidecars), STATUS_OK);
}

static void finish(struct scene *scene)
{
    while (fake_disk_step(scene->disk))
        ;
    cr_assert(sidecars_is_idle(&scene->sidecars));
    cr_assert_eq(scene->disk->open_files, 0);
}

static void tear_down(struct scene *scene)
{
    finish(scene);
    sidecars_close(&scene->sidecars);
    fake_disk_close(scene->disk);
}

static void note(struct scene *scene, uint64_t segment, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        sidecars_note(&scene->sidecars,
                      &(struct sidecar_identity){
                          .identity = {segment, i},
                          .position = segment * SEGMENT_BYTES + SIDECAR_RECORD_BYTES_MIN * i,
                          .generation = 1,
                      });
}

static void end_segment(struct scene *scene, uint64_t segment)
{
    sidecars_end_segment(&scene->sidecars, segment, (struct digest){segment, 1});
}

/* After a power cut: -1: not there; else how many identities it has, all of them right. */
static int64_t look_up(struct scene *scene, uint64_t segment)
{
    struct random random = {segment};
    char file[DISK_NAME_BYTES];
    uint64_t capacity = sidecar_bytes_max(SEGMENT_BYTES);
    struct sidecar_header *header = aligned_alloc(JOURNAL_PAGE_BYTES, capacity);
    const struct sidecar_expectation expectation = {
        .log_number = LOG,
        .segment_number = segment,
        .segment_bytes = SEGMENT_BYTES,
        .last_block = {segment, 1},
    };
    fake_disk_crash(scene->disk, &random);
    sidecar_name(segment, file);
    int64_t bytes = fake_disk_image_read(scene->disk, file, 0, header, capacity), count = -1;
    if (bytes >= 0) {
        cr_assert_eq(sidecar_check(header, (uint64_t)bytes, &secret, &expectation), STATUS_OK);
        count = (int64_t)header->count;
    }
    for (int64_t i = 0; i < count; i++)
        cr_assert(digest_equal(sidecar_at(header, (uint64_t)i).identity,
                               (struct digest){segment, (uint64_t)i}));
    free(header);
    return count;
}

Test(sidecars, what_was_noted_is_on_the_disk_once_its_segment_has_ended)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct scene scene;
        set_up(&scene, seed);
        note(&scene, FIRST, MANY);
        end_segment(&scene, FIRST - 1); /* nothing is known of it */
        note(&scene, FIRST + 1, 3);     /* before the end of the one before is told */
        end_segment(&scene, FIRST);
        finish(&scene);
        end_segment(&scene, FIRST + 1); /* nothing was noted behind it yet */
        finish(&scene);
        end_segment(&scene, FIRST + 2);
        note(&scene, FIRST + 3, 7);
        finish(&scene);
        cr_assert_eq(look_up(&scene, FIRST - 1), -1);
        cr_assert_eq(look_up(&scene, FIRST), MANY);
        cr_assert_eq(look_up(&scene, FIRST + 1), 3);
        cr_assert_eq(look_up(&scene, FIRST + 2), -1);
        cr_assert_eq(look_up(&scene, FIRST + 3), -1, "it has not ended");
        cr_assert_eq(scene.sidecars.figures.written, 2);
        cr_assert_eq(scene.sidecars.figures.left_out, 0);
        tear_down(&scene);
    }
}

/* At any moment of a power cut, there is a whole one or none. */
Test(sidecars, there_is_never_a_part_of_one)
{
    for (uint32_t steps = 0; steps < 12; steps++) {
        struct scene scene;
        set_up(&scene, steps);
        note(&scene, FIRST, MANY);
        end_segment(&scene, FIRST);
        for (uint32_t i = 0; i < steps; i++)
            fake_disk_step(scene.disk);
        int64_t count = look_up(&scene, FIRST);
        cr_assert(count == -1 || count == MANY);
        cr_assert(steps > 2 || count == -1);
        tear_down(&scene);
    }
}

Test(sidecars, one_that_is_late_costs_the_next_and_no_more)
{
    struct scene scene;
    set_up(&scene, 1);
    for (uint64_t segment = FIRST; segment < FIRST + 3; segment++) {
        note(&scene, segment, 10);
        end_segment(&scene, segment); /* the disk has done nothing */
    }
    note(&scene, FIRST + 3, 10);
    finish(&scene);
    end_segment(&scene, FIRST + 3);
    finish(&scene);
    cr_assert_eq(look_up(&scene, FIRST), 10);
    cr_assert_eq(look_up(&scene, FIRST + 1), -1);
    cr_assert_eq(look_up(&scene, FIRST + 2), -1);
    cr_assert_eq(look_up(&scene, FIRST + 3), 10);
    cr_assert_eq(scene.sidecars.figures.left_out, 2);
    cr_assert_eq(scene.sidecars.figures.failed, 0);
    tear_down(&scene);
}

Test(sidecars, one_that_fails_is_left_out_and_leaves_nothing_behind)
{
    static const struct {
        enum disk_action action;
        uint32_t after;
        int32_t result;
    } faults[] = {{DISK_CREATE, 0, -ENOSPC}, {DISK_WRITE, 0, -EIO}, {DISK_WRITE, 2, 4096},
                  {DISK_SYNC, 0, -EIO},      {DISK_CLOSE, 0, -EIO}, {DISK_RENAME, 0, -EIO}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct scene scene;
        set_up(&scene, i + 1);
        fake_disk_fail(scene.disk, faults[i].action, faults[i].after, 1, faults[i].result);
        note(&scene, FIRST, MANY);
        end_segment(&scene, FIRST);
        while (fake_disk_step(scene.disk))
            ;
        cr_assert_eq(look_up(&scene, FIRST), -1);
        cr_assert_not(fake_disk_has(scene.disk, SIDECAR_NEW_NAME));
        cr_assert_eq(scene.sidecars.figures.failed, 1);
        cr_assert_neq(scene.sidecars.figures.error, 0);
        note(&scene, FIRST + 1, 5);
        end_segment(&scene, FIRST + 1);
        while (fake_disk_step(scene.disk))
            ;
        cr_assert_eq(look_up(&scene, FIRST + 1), 5);
        sidecars_close(&scene.sidecars);
        fake_disk_close(scene.disk);
    }
}

Test(sidecars, what_an_earlier_run_left_is_not_in_the_way)
{
    struct scene scene;
    set_up(&scene, 1);
    struct disk_request request = {.action = DISK_CREATE};
    snprintf(request.name, sizeof request.name, "%s", SIDECAR_NEW_NAME);
    request.file = disk_run(&scene.disk->disk, &request);
    cr_assert_geq(request.file, 0);
    request.action = DISK_CLOSE;
    cr_assert_eq(disk_run(&scene.disk->disk, &request), 0);
    note(&scene, FIRST, 4);
    end_segment(&scene, FIRST);
    finish(&scene);
    cr_assert_eq(look_up(&scene, FIRST), 4);
    cr_assert_not(fake_disk_has(scene.disk, SIDECAR_NEW_NAME));
    tear_down(&scene);
}

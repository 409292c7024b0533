#include "io/recover/sidecar_reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/io/fake_disk.h"

enum { SEGMENT_BYTES = 64 * 1024 * 1024, LOG = 2, FIRST = 5, END = 14 };

/* More than one read brings. */
enum { MANY = SIDECAR_READ_BYTES / sizeof(struct sidecar_item) * 3 / 2 };

static const struct digest_secret secret = {.bytes = {9}};

static void run(struct fake_disk *disk, struct disk_request request, int32_t result)
{
    cr_assert_eq(disk_run(&disk->disk, &request), result);
}

static void put(struct fake_disk *disk, uint64_t segment, uint64_t count, uint64_t damage_at)
{
    struct sidecar_header *header =
        aligned_alloc(JOURNAL_PAGE_BYTES, sidecar_bytes_max(SEGMENT_BYTES));
    sidecar_begin(header, LOG, segment, SEGMENT_BYTES);
    for (uint64_t i = 0; i < count; i++)
        sidecar_add(header, &secret,
                    &(struct sidecar_identity){
                        .identity = {segment, i},
                        .position = segment * SEGMENT_BYTES + SIDECAR_RECORD_BYTES_MIN * i,
                        .generation = 1,
                    });
    uint64_t bytes = sidecar_seal(header, &secret, (struct digest){segment, 1});
    if (damage_at != 0)
        ((uint8_t *)header)[damage_at] ^= 1;
    struct disk_request request = {.action = DISK_CREATE};
    sidecar_name(segment, request.name);
    request.file = disk_run(&disk->disk, &request);
    cr_assert_geq(request.file, 0);
    request.action = DISK_WRITE;
    request.memory = header;
    request.size_bytes = (uint32_t)bytes;
    run(disk, request, (int32_t)bytes);
    request.action = DISK_SYNC;
    run(disk, request, 0);
    request.action = DISK_CLOSE;
    run(disk, request, 0);
    free(header);
}

static struct sidecar_reader *open_reader(struct fake_disk *disk)
{
    const struct sidecar_reader_settings settings = {
        .disk = &disk->disk,
        .secret = secret,
        .log_number = LOG,
        .segment_bytes = SEGMENT_BYTES,
        .first_segment = FIRST,
        .end_segment = END,
    };
    struct sidecar_reader *reader = NULL;
    cr_assert_eq(sidecar_reader_open(&settings, &reader), STATUS_OK);
    return reader;
}

static const struct sidecar_header *next(struct sidecar_reader *reader, uint64_t segment)
{
    return sidecar_reader_next(reader, (struct digest){segment, 1});
}

Test(sidecar_reader, gives_what_is_whole_and_leaves_out_what_is_not)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct fake_disk *disk = fake_disk_open(seed);
        for (uint64_t segment = FIRST; segment < END; segment++)
            if (segment != FIRST + 2)
                put(disk, segment, segment == FIRST + 1 ? MANY : segment - FIRST,
                    segment == FIRST + 3 ? JOURNAL_PAGE_BYTES + 50 : 0);
        struct sidecar_reader *reader = open_reader(disk);
        for (uint64_t segment = FIRST; segment < END; segment++) {
            bool is_other_life = segment == FIRST + 4;
            const struct sidecar_header *header = next(reader, segment + is_other_life);
            if (segment >= FIRST + 2 && segment <= FIRST + 4) {
                cr_assert_null(header);
                continue;
            }
            cr_assert_not_null(header, "segment %lu", (unsigned long)segment);
            uint64_t count = segment == FIRST + 1 ? MANY : segment - FIRST;
            cr_assert_eq(header->count, count);
            for (uint64_t i = 0; i < count; i++) {
                struct sidecar_identity identity = sidecar_at(header, i);
                cr_assert(digest_equal(identity.identity, (struct digest){segment, i}));
            }
        }
        sidecar_reader_close(reader);
        cr_assert_eq(disk->open_files, 0);
        fake_disk_close(disk);
    }
}

Test(sidecar_reader, what_cannot_be_read_is_left_out)
{
    struct fake_disk *disk = fake_disk_open(1);
    for (uint64_t segment = FIRST; segment < END; segment++)
        put(disk, segment, 1000, 0);
    fake_disk_fail(disk, DISK_READ, 0, 1, -EIO);
    fake_disk_fail(disk, DISK_READ, 4, 1, 4096 + 512);
    fake_disk_fail(disk, DISK_OPEN, 8, 1, -EMFILE);
    struct sidecar_reader *reader = open_reader(disk);
    uint32_t missing = 0;
    for (uint64_t segment = FIRST; segment < END; segment++)
        missing += next(reader, segment) == NULL;
    cr_assert_eq(missing, 3);
    sidecar_reader_close(reader);
    cr_assert_eq(disk->open_files, 0);
    fake_disk_close(disk);
}

Test(sidecar_reader, may_end_amid_reading_ahead)
{
    struct fake_disk *disk = fake_disk_open(3);
    for (uint64_t segment = FIRST; segment < END; segment++)
        put(disk, segment, 1000, 0);
    struct sidecar_reader *reader = open_reader(disk);
    cr_assert_not_null(next(reader, FIRST));
    sidecar_reader_close(reader);
    cr_assert_eq(disk->open_files, 0);
    cr_assert_eq(disk->pending_count, 0);
    fake_disk_close(disk);
}

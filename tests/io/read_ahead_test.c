/* Files in a disk that answers in any order: what is copied is what lies there, wherever one reads
 * on, and what cannot be read is said. */
#include "io/recover/read_ahead.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/core/random.h"

enum { FILES = 3, ASKED_MAX = READ_AHEAD_CHUNKS };

/* Its bytes follow from file and offset. */
struct plain_disk {
    struct disk disk; /* first */
    struct disk_request *asked[ASKED_MAX];
    uint32_t count, most;
    uint64_t fails_at, reads; /* fails_at: of file 1; UINT64_MAX: nowhere */
    struct random random;
};

static uint8_t byte_at(int file, uint64_t offset)
{
    return (uint8_t)((uint64_t)file * 101 + offset * 7 + (offset >> 11));
}

static const uint64_t sizes[FILES] = {5 * READ_AHEAD_CHUNK_BYTES + 4096, 0,
                                      READ_AHEAD_CHUNK_BYTES + 8192 + 100};

static void submit(struct disk *disk, struct disk_request *request)
{
    struct plain_disk *plain = (struct plain_disk *)disk;
    cr_assert_eq(request->action, DISK_READ);
    cr_assert_eq(request->offset % JOURNAL_PAGE_BYTES, 0);
    cr_assert_eq(request->size_bytes % JOURNAL_PAGE_BYTES, 0);
    cr_assert_lt(plain->count, ASKED_MAX);
    plain->asked[plain->count++] = request;
    plain->most = plain->count > plain->most ? plain->count : plain->most;
    plain->reads++;
}

static void answer_one(struct disk *disk)
{
    struct plain_disk *plain = (struct plain_disk *)disk;
    cr_assert_gt(plain->count, 0);
    uint32_t chosen = (uint32_t)(random_u64(&plain->random) % plain->count);
    struct disk_request *request = plain->asked[chosen];
    plain->asked[chosen] = plain->asked[--plain->count];
    uint64_t left = sizes[request->file] - request->offset;
    int32_t size = (int32_t)(left < request->size_bytes ? left : request->size_bytes);
    if (request->file == 2 && plain->fails_at >= request->offset &&
        plain->fails_at < request->offset + request->size_bytes)
        size = (int32_t)(plain->fails_at - request->offset); /* a short read */
    for (int32_t i = 0; i < size; i++)
        ((uint8_t *)request->memory)[i] = byte_at(request->file, request->offset + (uint64_t)i);
    request->done(request, size);
}

static const struct read_ahead_file files[FILES] = {
    {0, 5 * READ_AHEAD_CHUNK_BYTES + 4096}, {1, 0}, {2, READ_AHEAD_CHUNK_BYTES + 8192 + 100}};
static uint8_t memory[3 * READ_AHEAD_CHUNK_BYTES];

static void expect_copy(struct read_ahead *reader, uint32_t file, uint64_t offset, size_t capacity)
{
    uint64_t left = offset < sizes[file] ? sizes[file] - offset : 0;
    int64_t wanted = (int64_t)(left < capacity ? left : capacity);
    cr_assert_eq(read_ahead_copy(reader, file, offset, memory, capacity), wanted);
    for (int64_t i = 0; i < wanted; i++)
        if (memory[i] != byte_at((int)file, offset + (uint64_t)i))
            cr_assert_fail("file %u, byte %llu", file, (unsigned long long)offset);
}

static struct plain_disk disk;
static struct read_ahead reader;

static void set_up(void)
{
    disk = (struct plain_disk){
        .disk = {.submit = submit, .wait = answer_one}, .fails_at = UINT64_MAX, .random = {7}};
    cr_assert_eq(read_ahead_open(&reader, &disk.disk, files, FILES), STATUS_OK);
}

static void tear_down(void)
{
    read_ahead_close(&reader);
    cr_assert_eq(disk.count, 0, "nothing is under way");
}

TestSuite(read_ahead, .init = set_up, .fini = tear_down);

Test(read_ahead, from_front_to_back_every_byte_once)
{
    for (uint32_t file = 0; file < FILES; file++)
        for (uint64_t offset = 0; offset <= sizes[file]; offset += 100000)
            expect_copy(&reader, file, offset, 100000);
    cr_expect_eq(disk.most, READ_AHEAD_CHUNKS);
    cr_expect_eq(disk.reads, 8, "6 of the first, 2 of the last");
    cr_expect_eq(reader.bytes_read, sizes[0] + sizes[2]);
}

Test(read_ahead, anywhere_in_any_order)
{
    struct random random = {11};
    for (int i = 0; i < 60; i++) {
        uint32_t file = (uint32_t)(random_u64(&random) % FILES);
        uint64_t offset = random_u64(&random) % (sizes[file] + 5000);
        expect_copy(&reader, file, offset, (size_t)(random_u64(&random) % sizeof memory));
    }
}

Test(read_ahead, a_short_read_is_a_failed_one)
{
    disk.fails_at = READ_AHEAD_CHUNK_BYTES + 4096;
    expect_copy(&reader, 2, 0, READ_AHEAD_CHUNK_BYTES);
    cr_expect_eq(read_ahead_copy(&reader, 2, READ_AHEAD_CHUNK_BYTES, memory, 4096), -1);
    expect_copy(&reader, 0, 0, 4096);
}

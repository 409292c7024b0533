/* A few shards on one thread, of which nothing works but their claims: windows, logs in memory, and
 * the mesh between them, moved by hand. */
#ifndef KOUAN_TESTS_IO_FAR_CLAIMS_H
#define KOUAN_TESTS_IO_FAR_CLAIMS_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/intake/claims_parts.h"

enum { FAR_SHARDS_MAX = 4, FAR_CLAIMS_MAX = 256, FAR_BLOCK_BYTES = 4096 };

struct far_claims {
    struct mesh *mesh;
    struct loop *loop;
    uint16_t count;
    struct shard *shards[FAR_SHARDS_MAX];
};

static inline struct shard *far_open_shard(struct far_claims *far, uint16_t number)
{
    struct shard *shard = calloc(1, sizeof *shard);
    cr_assert_not_null(shard);
    shard->loop = far->loop;
    shard->mesh = mesh_end(far->mesh, number);
    shard->has_ended = true; /* its turns are the test's */
    shard->secret = (struct digest_secret){.bytes = {7}};
    const struct journal_settings log = {.memory_bytes = 2 * JOURNAL_SEGMENT_BYTES_MIN,
                                         .segment_bytes = JOURNAL_SEGMENT_BYTES_MIN,
                                         .block_bytes = FAR_BLOCK_BYTES,
                                         .log_number = (uint8_t)number,
                                         .in_memory = true,
                                         .secret = shard->secret};
    cr_assert_eq(journal_open(&shard->journal, &log), STATUS_OK);
    const struct window_settings window = {.entries_max = WINDOW_ENTRIES_MIN * 4,
                                           .unplaced_max = FAR_CLAIMS_MAX * FAR_SHARDS_MAX,
                                           .log_count = far->count,
                                           .span_s = 1000,
                                           .match = claims_match,
                                           .prefetch = claims_prefetch,
                                           .context = shard};
    cr_assert_eq(window_open(&window, &shard->window), STATUS_OK);
    cr_assert_eq(claims_open(&shard->intake.claims, shard, FAR_CLAIMS_MAX), STATUS_OK);
    return shard;
}

static inline struct far_claims far_open(uint16_t count)
{
    struct far_claims far = {.count = count};
    char problem[128];
    const struct loop_settings loop = {.submission_entries = 64,
                                       .completion_entries = 128,
                                       .receive_buffer_count = 16,
                                       .files_max = 16,
                                       .timers_max = 16};
    cr_assert_eq(mesh_open(count, &far.mesh), STATUS_OK);
    cr_assert_eq(loop_open(&loop, &far.loop, problem, sizeof problem), STATUS_OK);
    for (uint16_t i = 0; i < count; i++)
        far.shards[i] = far_open_shard(&far, i);
    return far;
}

static inline void far_close(struct far_claims *far)
{
    for (uint16_t i = 0; i < far->count; i++) {
        struct shard *shard = far->shards[i];
        claims_close(&shard->intake.claims);
        window_close(shard->window);
        journal_close(&shard->journal);
        free(shard);
    }
    loop_close(far->loop);
    mesh_close(far->mesh);
}

/* A turn of one shard, as far as the claims see it. */
static inline void far_turn(struct shard *shard)
{
    shard->turn_number++;
    (void)mesh_receive(shard->mesh);
    claims_run(&shard->intake.claims);
    mesh_flush(shard->mesh);
}

/* Appends the claim's record to the shard's log; false if there is no room. */
static inline bool far_append(struct shard *shard, const struct window_claim *claim,
                              struct record_id *out_id, uint64_t *out_offset)
{
    struct record_head *head;
    uint32_t size = record_size(0, 0, 0, (uint32_t)claim->body.size, 0);
    if (journal_reserve(&shard->journal, size, &head, out_offset) != STATUS_OK)
        return false;
    struct record *record = (struct record *)(void *)head;
    *record = (struct record){.id = journal_next_id(&shard->journal, 1),
                              .identity = claim->identity,
                              .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
                              .body_bytes = (uint32_t)claim->body.size};
    memcpy((uint8_t *)(uintptr_t)record_whole(record).data, claim->body.data, claim->body.size);
    journal_commit_record(&shard->journal, head);
    *out_id = record->id;
    return true;
}

/* Gives up the oldest block, and says from where on the log is. 0: there is none. */
static inline uint64_t far_recycle(struct shard *shard)
{
    const struct journal_block *block = journal_oldest(&shard->journal);
    if (block == NULL)
        return 0;
    uint64_t end = journal_block_end(block);
    claims_forget_before(&shard->intake.claims, end);
    journal_keep_from(&shard->journal, end);
    return end;
}

#endif

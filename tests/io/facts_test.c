/* What a shard on disk says in its log beside messages: read back block by block from its memory.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/delivery/group.h"
#include "io/intake/append.h"
#include "io/shard/shard.h"

/* ---- a shard with a journal in a folder of its own ---- */

struct stand {
    char folder[64];
    struct config *config;
    struct shard *shard;
};

static void stand_open(struct stand *stand)
{
    char path[128], problem[512] = "";
    struct diagnostics diagnostics;
    snprintf(stand->folder, sizeof stand->folder, "/tmp/kouan-facts-XXXXXX");
    cr_assert_not_null(mkdtemp(stand->folder));
    snprintf(path, sizeof path, "%s/kouan.yaml", stand->folder);
    FILE *file = fopen(path, "w");
    fputs("listen: [\"127.0.0.1:0\"]\nmemory: 32MiB\nsegment: 4MiB\nwindow_entries: 2048\n"
          "connections_max: 16\nreceive_buffers: 16\nchannels: [{name: in}]\n"
          "destinations: [{name: all, groups: [g, h]}]\nunroutable: all\n",
          file);
    fclose(file);
    diagnostics_init(&diagnostics);
    cr_assert_eq(config_load(path, &stand->config, &diagnostics), STATUS_OK);
    diagnostics_deinit(&diagnostics);
    const struct shard_settings settings = {.config = stand->config};
    cr_assert_eq(shard_open(&settings, &stand->shard, problem, sizeof problem), STATUS_OK, "%s",
                 problem);
}

static void stand_close(struct stand *stand)
{
    char command[128];
    shard_stop(stand->shard);
    cr_assert(shard_run(stand->shard));
    shard_close(stand->shard);
    config_free(stand->config);
    snprintf(command, sizeof command, "rm -rf %s", stand->folder);
    cr_assert_eq(system(command), 0);
}

struct counts {
    uint32_t of_kind[RECORD_KIND_END];
    struct fact_settled settled; /* the last of each */
    struct settled_range range;
    struct fact_intake intake;
    struct fact_group group;
};

/* All records of all blocks. */
static struct counts count_records(const struct journal *journal)
{
    struct counts counts = {0};
    for (uint64_t b = journal->first_block; b < journal->end_block; b++) {
        const struct journal_block *block = &journal->blocks[b & journal->block_mask];
        for (uint64_t p = journal_first_record(block); p < journal_records_end(block);) {
            const struct record_head *head = journal_record(journal, p);
            cr_assert_eq(record_check(head, journal_records_end(block) - p), STATUS_OK);
            counts.of_kind[head->kind]++;
            if (head->kind == RECORD_KIND_SETTLED) {
                counts.settled = *(const struct fact_settled *)(const void *)head;
                counts.range =
                    *fact_settled_ranges((const struct fact_settled *)(const void *)head);
            } else if (head->kind == RECORD_KIND_INTAKE) {
                counts.intake = *(const struct fact_intake *)(const void *)head;
            } else if (head->kind == RECORD_KIND_GROUP) {
                counts.group = *(const struct fact_group *)(const void *)head;
            }
            p += head->size_bytes;
        }
    }
    return counts;
}

static struct intake_account *account_of(struct shard *shard)
{
    return shard_account(shard, shard->generation->directory.participants[0],
                         shard->generation->channels[0]);
}

Test(facts, a_segment_begins_with_the_checkpoint)
{
    struct stand stand;
    stand_open(&stand);
    struct shard *shard = stand.shard;
    cr_assert_eq(count_records(&shard->journal).of_kind[RECORD_KIND_GENERATION], 0);
    account_of(shard)->received = 5;
    account_of(shard)->undecided = 2;
    facts_flush(shard); /* the account alone, and before it the checkpoint */
    struct counts counts = count_records(&shard->journal);
    cr_expect_eq(counts.of_kind[RECORD_KIND_GENERATION], 1);
    cr_expect_eq(counts.of_kind[RECORD_KIND_OUTLET], 1);
    cr_expect_eq(counts.of_kind[RECORD_KIND_GROUP], 2);
    cr_expect_eq(counts.group.event, GROUP_STANDS);
    cr_expect_eq(counts.intake.account.received, 3, "who is undecided may still be refused");
    cr_expect_eq(counts.intake.account.undecided, 0);
    cr_expect_eq(shard->facts.checkpoints, 1);
    uint64_t written = shard->facts.written;
    facts_flush(shard);
    cr_expect_eq(shard->facts.written, written, "nothing has changed since");
    *account_of(shard) = (struct intake_account){0};
    stand_close(&stand);
}

Test(facts, what_groups_settle_is_written_once_and_as_ranges)
{
    struct stand stand;
    stand_open(&stand);
    struct shard *shard = stand.shard;
    struct outlet *outlet = &shard->outlets[0];
    struct record record = {.head = {.size_bytes = sizeof record, .kind = RECORD_KIND_MESSAGE}};
    for (uint64_t i = 1; i <= 100; i++) {
        record.id = (struct record_id){i, 0};
        outlet_push(outlet, &record, i);
    }
    struct group *group = outlet->groups[0];
    uint16_t consumer = group_consumer(group, BYTES_LITERAL("c"), 1);
    for (uint64_t i = 1; i <= 100; i++)
        cr_assert_neq(group_take(group, consumer, false, 1), GROUP_NOTHING);
    for (uint64_t i = 11; i <= 50; i++)
        cr_assert(group_acknowledge(group, (struct record_id){i, 0}));
    cr_expect(facts_are_gathered(shard));
    facts_flush(shard);
    cr_expect_not(facts_are_gathered(shard));
    struct counts counts = count_records(&shard->journal);
    cr_expect_eq(counts.settled.group_number, group->number);
    cr_expect_eq(counts.settled.range_count, 1);
    cr_expect_eq(counts.settled.standing, 0);
    cr_expect_eq(counts.range.from.ms, 11);
    cr_expect_eq(counts.range.to.ms, 50);
    cr_expect_eq(counts.range.count, 40);
    /* What a group is told of stands behind what it gathered. */
    cr_assert(group_acknowledge(group, (struct record_id){1, 0}));
    cr_assert_eq(facts_prepare(shard, group), STATUS_OK);
    facts_write_group(shard, group, GROUP_MOVED);
    counts = count_records(&shard->journal);
    cr_expect_eq(counts.group.event, GROUP_MOVED);
    cr_expect_eq(counts.group.account.acknowledged, 41);
    cr_expect_eq(counts.range.from.ms, 1);
    outlet->first = outlet->end; /* they were of no record */
    stand_close(&stand);
}

Test(facts, a_checkpoint_tells_what_stands_and_not_what_is_gathered)
{
    struct stand stand;
    stand_open(&stand);
    struct shard *shard = stand.shard;
    struct outlet *outlet = &shard->outlets[0];
    struct record record = {.head = {.size_bytes = sizeof record, .kind = RECORD_KIND_MESSAGE}};
    for (uint64_t i = 1; i <= 3; i++) {
        record.id = (struct record_id){i, 0};
        outlet_push(outlet, &record, i);
    }
    struct group *group = outlet->groups[1];
    uint16_t consumer = group_consumer(group, BYTES_LITERAL("c"), 1);
    for (uint64_t i = 1; i <= 3; i++)
        cr_assert_neq(group_take(group, consumer, false, 1), GROUP_NOTHING);
    cr_assert(group_acknowledge(group, (struct record_id){2, 0}));
    facts_flush(shard);
    struct counts counts = count_records(&shard->journal);
    cr_expect_eq(counts.group.number, group->number, "the last of the checkpoint");
    cr_expect_eq(counts.group.account.acknowledged, 0, "that is told behind it");
    cr_expect_eq(counts.group.account.pending, 3);
    cr_expect_eq(counts.of_kind[RECORD_KIND_SETTLED], 2, "what stands, and what was gathered");
    cr_expect_eq(counts.settled.standing, 0);
    outlet->first = outlet->end;
    stand_close(&stand);
}

/* Writes facts as long as there is said to be room, and nothing behind `kept_from` may be
 * overwritten. */
static void fill_log(struct shard *shard, uint32_t ranges, uint64_t kept_from)
{
    struct record_head *head;
    const struct fact_settled fact = {
        .head = {.size_bytes = fact_settled_size(ranges), .kind = RECORD_KIND_SETTLED},
        .range_count = ranges,
        .group_number = UINT32_MAX,
    };
    for (;;) {
        enum status status = append_has_fact_room(shard, fact.head.size_bytes);
        if (status != STATUS_OK) {
            cr_assert_eq(status, STATUS_INCOMPLETE);
            if (journal_writer_is_idle(&shard->log.writer) &&
                segments_is_prepared(shard->log.segments))
                return;
            loop_turn(shard->loop);
            continue;
        }
        cr_assert_eq(append_fact(shard, fact.head.size_bytes, &head), STATUS_OK,
                     "there was to be room at %llu",
                     (unsigned long long)shard->journal.end_position);
        memset(head, 0, fact.head.size_bytes);
        memcpy(head, &fact, sizeof fact);
        for (uint64_t i = 0; i < ranges; i++)
            fact_settled_ranges((struct fact_settled *)(void *)head)[i] =
                (struct settled_range){{2 * i, 0}, {2 * i, 1}, 1};
        append_fact_end(shard, head);
        if (commit_count(&shard->commits) == 0 && shard->journal.end_position > kept_from)
            commit_add(shard, &(struct commit_item){.position = shard->journal.end_position,
                                                    .durable_from = UINT64_MAX - 1,
                                                    .window_entry = WINDOW_NO_ENTRY});
    }
}

/* Where memory is short, the end of a segment is no surprise: what is said to have room has it,
 * with the checkpoint that comes before it. */
Test(facts, what_is_said_to_have_room_has_it_at_the_end_of_a_segment_too)
{
    enum { ENTRIES = 3000 };
    struct stand stand;
    stand_open(&stand);
    struct shard *shard = stand.shard;
    struct outlet *outlet = &shard->outlets[0];
    struct record record = {.head = {.size_bytes = sizeof record, .kind = RECORD_KIND_MESSAGE}};
    for (uint64_t i = 1; i <= ENTRIES; i++) {
        record.id = (struct record_id){i, 0};
        outlet_push(outlet, &record, i);
    }
    uint16_t consumer = group_consumer(outlet->groups[0], BYTES_LITERAL("c"), 1);
    for (uint64_t i = 1; i <= ENTRIES; i++)
        cr_assert_neq(group_take(outlet->groups[0], consumer, false, 1), GROUP_NOTHING);
    uint64_t checkpoint_bytes = facts_checkpoint_bytes_max(shard);
    cr_assert_gt(checkpoint_bytes, ENTRIES * sizeof(struct settled_range));
    /* At the end of the memory's last segment so much is left, and not twice the checkpoint more.
     */
    fill_log(shard, 20, 4 * shard->journal.settings.block_bytes + checkpoint_bytes);
    cr_expect_gt(shard->journal.end_position, shard->journal.capacity - 16384);
    shard->commits.end = shard->commits.first; /* it is of no record */
    outlet->first = outlet->end;
    stand_close(&stand);
}

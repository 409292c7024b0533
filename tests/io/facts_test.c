/* What a shard on disk says in its log beside messages: read back block by block from its memory.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/append.h"
#include "io/group.h"

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

/* What groups leave unsettled fits the head of a segment, however it is scattered. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/delivery/group.h"
#include "io/intake/append.h"
#include "io/shard/shard.h"

struct stand {
    char folder[64];
    struct config *config;
    struct shard *shard;
    uint64_t pushed;
};

static enum status load(struct stand *stand, const char *more, struct diagnostics *diagnostics)
{
    char path[128];
    snprintf(stand->folder, sizeof stand->folder, "/tmp/kouan-room-XXXXXX");
    cr_assert_not_null(mkdtemp(stand->folder));
    snprintf(path, sizeof path, "%s/kouan.yaml", stand->folder);
    FILE *file = fopen(path, "w");
    fprintf(file,
            "listen: [\"127.0.0.1:0\"]\nmemory: 32MiB\nsegment: 4MiB\nblock: 64KiB\n"
            "message_max: 64KiB\nhold_bytes_max: 1MiB\njournal_size: 64MiB\nwindow_entries: 2048\n"
            "connections_max: 16\nreceive_buffers: 16\nunroutable: all\n%s",
            more);
    fclose(file);
    diagnostics_init(diagnostics);
    return config_load(path, &stand->config, diagnostics);
}

static void stand_remove(const struct stand *stand)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", stand->folder);
    cr_assert_eq(system(command), 0);
}

static void stand_open(struct stand *stand, const char *more)
{
    char problem[512] = "";
    struct diagnostics diagnostics;
    *stand = (struct stand){0};
    cr_assert_eq(load(stand, more, &diagnostics), STATUS_OK);
    diagnostics_deinit(&diagnostics);
    const struct shard_settings settings = {.config = stand->config};
    cr_assert_eq(shard_open(&settings, &stand->shard, problem, sizeof problem), STATUS_OK, "%s",
                 problem);
}

static void stand_close(struct stand *stand)
{
    struct outlet *outlet = &stand->shard->outlets[0];
    outlet->first = outlet->end; /* they were of no record */
    shard_stop(stand->shard);
    cr_assert(shard_run(stand->shard));
    shard_close(stand->shard);
    config_free(stand->config);
    stand_remove(stand);
}

static void push(struct stand *stand, uint32_t count)
{
    struct record record = {.head = {.size_bytes = sizeof record, .kind = RECORD_KIND_MESSAGE}};
    for (uint32_t i = 0; i < count; i++) {
        record.id = (struct record_id){++stand->pushed, 0};
        outlet_push(&stand->shard->outlets[0], &record, stand->pushed);
    }
}

/* Takes all that it gets, and acknowledges every second at once. */
static void scatter(struct group *group)
{
    uint64_t index;
    bool is_second = false;
    uint16_t consumer = group_consumer(group, BYTES_LITERAL("c"), 1);
    while ((index = group_take(group, consumer, false, 1)) != GROUP_NOTHING) {
        if (is_second)
            cr_assert(group_acknowledge(group, outlet_entry(group->outlet, index)->id));
        is_second = !is_second;
    }
}

static uint64_t acknowledge_all(struct group *group)
{
    uint64_t count = 0;
    struct pending_entry *entry;
    while ((entry = group_next_pending(group, (struct record_id){0}, GROUP_NO_CONSUMER)) != NULL) {
        cr_assert(group_acknowledge(group, entry->id));
        count++;
    }
    return count;
}

Test(facts_room, scattered_acknowledgements_never_outgrow_the_head_of_a_segment)
{
    struct stand stand;
    stand_open(&stand, "channels: [{name: in}]\n"
                       "destinations: [{name: all, groups: [g, h], pending_max: 1000000}]\n");
    struct shard *shard = stand.shard;
    struct outlet *outlet = &shard->outlets[0];
    const uint64_t ranges = facts_ranges_max(shard->journal.settings.segment_bytes);
    push(&stand, 100000);
    scatter(outlet->groups[0]);
    scatter(outlet->groups[1]);
    cr_expect_eq(group_unsettled(outlet->groups[0]), ranges / 2);
    cr_expect_eq(group_unsettled(outlet->groups[1]), ranges / 2);
    cr_expect_gt(outlet->groups[0]->account.backlog, 0);
    facts_flush(shard); /* the checkpoint, and what was gathered */
    cr_expect_eq(shard->facts.checkpoints, 1);
    cr_expect_lt(shard->journal.end_position, shard->journal.settings.segment_bytes);
    stand_close(&stand);
}

Test(facts_room, what_a_group_has_is_not_shared_again)
{
    struct stand stand;
    struct group *third;
    stand_open(&stand, "channels: [{name: in}]\n"
                       "destinations: [{name: all, groups: [g, h], pending_max: 1000000}]\n");
    struct shard *shard = stand.shard;
    struct outlet *outlet = &shard->outlets[0];
    const uint64_t ranges = facts_ranges_max(shard->journal.settings.segment_bytes);
    push(&stand, 100000);
    scatter(outlet->groups[0]);
    cr_assert_eq(outlet_create_group(outlet, BYTES_LITERAL("third"), GROUP_AFTER_ID,
                                     (struct record_id){0}, &third),
                 STATUS_OK);
    facts_share(shard);
    cr_expect_eq(outlet->unsettled_max, (ranges - ranges / 2) / 2);
    cr_expect(facts_have_share(shard, 1));
    scatter(outlet->groups[1]);
    scatter(third);
    uint64_t unsettled = 0;
    for (uint16_t g = 0; g < outlet->group_count; g++)
        unsettled += group_unsettled(outlet->groups[g]);
    cr_expect_leq(unsettled, ranges);
    /* It gives back what it has too much of, and then all have the same. */
    cr_expect_eq(acknowledge_all(outlet->groups[0]), ranges / 2);
    facts_flush(shard);
    cr_expect_eq(outlet->unsettled_max, ranges / 3);
    stand_close(&stand);
}

Test(facts_room, a_group_at_its_share_goes_on_with_noack_and_after_an_acknowledgement)
{
    struct stand stand;
    stand_open(&stand, "channels: [{name: in}]\n"
                       "destinations: [{name: all, groups: [{name: g, order: case}]}]\n");
    struct outlet *outlet = &stand.shard->outlets[0];
    struct group *group = outlet->groups[0];
    push(&stand, 100000);
    scatter(group);
    uint16_t consumer = group_consumer(group, BYTES_LITERAL("c"), 1);
    cr_expect_eq(group_next(group, consumer, false), GROUP_NOTHING);
    cr_expect_neq(group_take(group, consumer, true, 1), GROUP_NOTHING);
    cr_expect(group_acknowledge(group, group_last_pending(group)->id));
    cr_expect_neq(group_take(group, consumer, false, 1), GROUP_NOTHING);
    cr_expect_eq(group_take(group, consumer, false, 1), GROUP_NOTHING);
    stand_close(&stand);
}

/* ---- the configuration ---- */

static void expect_told(const char *more, enum status status, const char *says)
{
    struct stand stand = {0};
    struct diagnostics diagnostics;
    cr_expect_eq(load(&stand, more, &diagnostics), status);
    cr_assert_eq(diagnostics.count, says != NULL ? 1 : 0);
    if (says != NULL) {
        cr_expect_str_eq(diagnostics.items[0].code, "C110");
        cr_expect_not_null(strstr(diagnostics.items[0].text, says), "%s",
                           diagnostics.items[0].text);
    }
    diagnostics_deinit(&diagnostics);
    config_free(stand.config);
    stand_remove(&stand);
}

/* So many destinations with 64 groups each. */
static void write_destinations(char *text, size_t capacity, int count, const char *options)
{
    int size = snprintf(text, capacity, "channels: [{name: in}]\ndestinations:\n");
    for (int d = 0; d < count; d++) {
        size += snprintf(text + size, capacity - (size_t)size, "  - {name: d%d, %s groups: [", d,
                         options);
        for (int g = 0; g < 64; g++)
            size += snprintf(text + size, capacity - (size_t)size, "g%d,", g);
        size += snprintf(text + size, capacity - (size_t)size, "]}\n");
    }
    snprintf(text + size, capacity - (size_t)size, "  - {name: all}\n");
}

Test(facts_room, the_configuration_is_told_what_does_not_fit)
{
    char text[64 * 1024];
    int size;
    expect_told("channels: [{name: in}]\ndestinations: [{name: all, groups: [g], pending_max: "
                "26214}]\n",
                STATUS_OK, NULL);
    expect_told("channels: [{name: in}]\ndestinations: [{name: all, groups: [g], pending_max: "
                "26215}]\n",
                STATUS_OK, "at 26214 messages, before its pending_max (26215 at `all`)");
    write_destinations(text, sizeof text, 7, "backlog_max: 16, pending_max: 51,");
    expect_told(text, STATUS_INVALID, "shared by 448 groups");
    size = snprintf(text, sizeof text, "destinations: [{name: all}]\nchannels:\n");
    for (int c = 0; c < 255; c++)
        size += snprintf(text + size, sizeof text - (size_t)size, "  - {name: c%d}\n", c);
    expect_told(text, STATUS_OK, NULL);
    size += snprintf(text + size, sizeof text - (size_t)size, "participants:\n");
    for (int p = 0; p < 16; p++)
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "  - {name: p%d, secret_file: none, ids: [P%d]}\n", p, p);
    struct stand stand = {0};
    struct diagnostics diagnostics;
    bool is_told = false;
    cr_expect_eq(load(&stand, text, &diagnostics), STATUS_INVALID);
    for (uint32_t i = 0; i < diagnostics.count; i++)
        is_told |= strstr(diagnostics.items[i].text, "does not hold the accounts") != NULL;
    cr_expect(is_told);
    diagnostics_deinit(&diagnostics);
    stand_remove(&stand);
}

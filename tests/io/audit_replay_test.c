/* Messages decided by a real configuration, written into a journal made by hand, and decided again
 * from what is stored beside it. */
#include "io/cli/audit.h"
#include "io/reload/generation_store.h"
#include "routes/router.h"
#include "tests/io/built_journal.h"

static const char config_text[] = "channels:\n"
                                  "  - name: in\n"
                                  "destinations:\n"
                                  "  - name: customs\n"
                                  "  - name: inspection\n"
                                  "  - name: dead\n"
                                  "tables: [rules.csv]\n";
static const char rules_text[] = "id,message_type,customs_office,to,action\n"
                                 "declare,ORDER,5101,customs,\n"
                                 "look,ORDER,5302,inspection,hold\n"
                                 "rest,,,customs|inspection,\n";

static const char *const bodies[] = {
    "{\"messageType\":\"ORDER\",\"messageId\":\"m-1\",\"customsOffice\":\"5101\","
    "\"keys\":{\"order\":\"SO-1\"}}",
    "{\"messageType\":\"ORDER\",\"messageId\":\"m-2\",\"customsOffice\":\"5302\","
    "\"keys\":{\"order\":\"SO-2\"}}",
    "{\"messageType\":\"BILL\",\"messageId\":\"m-3\",\"keys\":{\"bill\":\"B-\\u00e9\"}}",
};
enum { BODIES = sizeof bodies / sizeof *bodies };

struct decided {
    char config_path[96], rules_path[96];
    struct built_log *log;
    struct config *config;
    struct sha256 manifest;
};

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/* As io/intake/append.c writes it. */
static struct record *append(struct built_log *log, const struct routing *routing)
{
    const struct reading *reading = &routing->reading;
    const struct decision *decision = &routing->decision;
    uint32_t values = 0, text = 0, rules = 0, destinations = 0;
    struct bytes body = routing->body;
    for (uint16_t i = 0; i < reading->count; i++) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        if (occurrence->slot >= SLOT_PARTICIPANT && occurrence->slot <= SLOT_PROFILE)
            continue;
        bool inside =
            occurrence->value.data >= body.data && occurrence->value.data < body.data + body.size;
        values++;
        text += inside ? 0 : (uint32_t)occurrence->value.size;
    }
    for (uint32_t i = 0; i < decision->table_count; i++)
        rules += decision->matched[i] != DECISION_NO_RULE;
    destinations =
        (uint32_t)destination_set_count(&routing->deliver) + destination_set_count(&routing->hold);
    struct record *record =
        built_record(log, record_size(destinations, rules, values, (uint32_t)body.size, text),
                     RECORD_KIND_MESSAGE);
    struct record_head head = record->head;
    *record = (struct record){.head = head,
                              .id = built_next_id(log),
                              .identity = routing->identity,
                              .generation = 1,
                              .body_bytes = (uint32_t)body.size,
                              .text_bytes = text,
                              .value_count = (uint16_t)values,
                              .entry_count = reading->entry_count,
                              .profile = reading->profile->index,
                              .destination_count = (uint16_t)destinations,
                              .rule_count = (uint16_t)rules,
                              .part_number = 1,
                              .part_count = 1};
    log->last_id = record->id;
    uint16_t *destination = record_destinations(record);
    for (unsigned d = 0; d < DESTINATIONS_MAX; d++) {
        if (destination_set_has(&routing->deliver, (uint16_t)d))
            *destination++ = (uint16_t)d;
        if (destination_set_has(&routing->hold, (uint16_t)d))
            *destination++ = (uint16_t)(d | RECORD_HELD);
    }
    uint32_t *rule = record_rules(record);
    for (uint32_t i = 0; i < decision->table_count; i++)
        if (decision->matched[i] != DECISION_NO_RULE)
            *rule++ = i << 24 | decision->matched[i];
    struct bytes whole = record_whole(record);
    memcpy((uint8_t *)(uintptr_t)whole.data, body.data, body.size);
    uint8_t *text_end = (uint8_t *)(uintptr_t)record_text(record).data;
    struct record_value *value = record_values(record);
    for (uint16_t i = 0; i < reading->count; i++) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        if (occurrence->slot >= SLOT_PARTICIPANT && occurrence->slot <= SLOT_PROFILE)
            continue;
        size_t offset = (size_t)(occurrence->value.data - body.data);
        if (occurrence->value.data < body.data || offset >= body.size) {
            memcpy(text_end, occurrence->value.data, occurrence->value.size);
            offset = (size_t)(text_end - whole.data);
            text_end += occurrence->value.size;
        }
        *value++ = (struct record_value){.offset = (uint32_t)offset,
                                         .size = (uint16_t)occurrence->value.size,
                                         .entry = occurrence->entry,
                                         .slot = occurrence->slot};
    }
    return record;
}

/* `records`: what was written for each body. */
static struct decided decide_all(struct record *records[BODIES])
{
    static char copies[BODIES][512];
    static struct routing routings[ROUTER_BATCH_MAX];
    struct decided decided = {.log = built_open()};
    struct diagnostics diagnostics;
    struct generation_store store;
    struct router *router;
    char problem[512] = "";
    uint32_t count;
    snprintf(decided.config_path, sizeof decided.config_path, "%s/kouan.yaml", decided.log->folder);
    snprintf(decided.rules_path, sizeof decided.rules_path, "%s/rules.csv", decided.log->folder);
    write_text(decided.config_path, config_text);
    write_text(decided.rules_path, rules_text);
    diagnostics_init(&diagnostics);
    enum status status = config_load(decided.config_path, &decided.config, &diagnostics);
    if (status != STATUS_OK)
        diagnostics_print(&diagnostics, stderr);
    cr_assert_eq(status, STATUS_OK);
    diagnostics_deinit(&diagnostics);
    decided.config->generation->number = 1;
    cr_assert_eq(generation_store_open(decided.log->folder, NULL, &store), STATUS_OK);
    cr_assert_eq(generation_store_put(&store, decided.config, 1, problem, sizeof problem),
                 STATUS_OK, "%s", problem);
    cr_assert_eq(generation_store_find(&store, 1, &decided.manifest), STATUS_OK);
    struct fact_generation *fact = built_record(decided.log, sizeof *fact, RECORD_KIND_GENERATION);
    fact->number = 1;
    memcpy(fact->manifest, decided.manifest.bytes, sizeof fact->manifest);

    cr_assert_eq(router_open(&decided.log->secret, 256, &router), STATUS_OK);
    const struct generation *generation = decided.config->generation;
    for (int i = 0; i < BODIES; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", bodies[i]);
        const struct arrival arrival = {.body = bytes_from_text(copies[i]),
                                        .channel = generation->channels[0],
                                        .participant = generation->directory.participants[0]};
        router_decide(router, generation, &arrival, 1, 0, routings, &count);
        cr_assert_not(routings[0].refused, "body %d", i);
        records[i] = append(decided.log, &routings[0]);
    }
    router_close(router);
    return decided;
}

static void close_decided(struct decided *decided)
{
    config_free(decided->config);
    built_close(decided->log);
}

Test(audit_replay, all_decisions_are_identical)
{
    struct record *records[BODIES];
    struct decided decided = decide_all(records);
    built_seal(decided.log);
    /* What the configuration says now does not matter. */
    write_text(decided.config_path, "nonsense\n");
    write_text(decided.rules_path, "id,to\nall,dead\n");
    struct ran ran = run(audit_replay, "replay %s", decided.log->folder);
    cr_expect_eq(ran.end, CLI_OK, "%s", ran.output);
    EXPECT(ran, "3 messages replayed under 1 generations: all decisions are identical");
    EXPECT_NOT(ran, "identity");
    free(ran.output);
    ran = run(cli_journal_show, "show %s", decided.log->folder);
    EXPECT(ran, "held at inspection");
    EXPECT(ran, "-> customs,inspection");
    free(ran.output);
    ran = run(cli_trace, "trace --journal %s order:SO-1", decided.log->folder);
    EXPECT(ran, "by generation 1: rules/declare");
    free(ran.output);
    close_decided(&decided);
}

Test(audit_replay, each_kind_of_difference_is_told)
{
    struct record *records[BODIES];
    struct decided decided = decide_all(records);
    record_destinations(records[0])[0] = 2;
    record_destinations(records[1])[0] &= (uint16_t)~RECORD_HELD;
    record_rules(records[1])[0] = 2;
    records[2]->profile++;
    record_values(records[2])[0].size--;
    records[2]->entry_count = 7;
    records[2]->identity.low++;
    built_seal(decided.log);
    struct ran ran = run(audit_replay, "replay %s", decided.log->folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "generation 1: it goes elsewhere\n    written   dead\n    replayed  customs\n");
    EXPECT(ran, "generation 1: other rules match; it goes elsewhere; it is held elsewhere");
    EXPECT(ran, "another profile reads it; another number of entries; other fields or keys");
    EXPECT(ran, "3 decisions differ");
    EXPECT(ran, "1 have an identity that is not their own");
    free(ran.output);
    ran = run(audit_replay, "replay %s --json --key order:SO-1", decided.log->folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "\"differs\":[\"destinations\"],\"replayed\":[\"customs\"]}\n"
                "{\"ok\":false,\"replayed\":1,\"generations\":1,\"differing\":1");
    free(ran.output);
    close_decided(&decided);
}

/* A message that was rerouted does not go where it had been, but nowhere else than its rules say.
 */
Test(audit_replay, of_what_was_rerouted_a_part_is_identical)
{
    struct record *records[BODIES];
    struct decided decided = decide_all(records);
    cr_assert_eq(records[2]->destination_count, 2);
    records[2]->cause = RECORD_REROUTED;
    record_destinations(records[2])[1] = record_destinations(records[2])[0];
    records[0]->cause = RECORD_REROUTED;
    record_destinations(records[0])[0] = 2;
    built_seal(decided.log);
    struct ran ran = run(audit_replay, "replay %s", decided.log->folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "generation 1: it goes elsewhere\n    written   dead\n    replayed  customs\n");
    EXPECT(ran, "3 messages replayed under 1 generations: 1 decisions differ");
    free(ran.output);
    close_decided(&decided);
}

Test(audit_replay, a_generation_that_is_not_stored_is_told)
{
    char command[128];
    struct record *records[BODIES];
    struct decided decided = decide_all(records);
    built_seal(decided.log);
    snprintf(command, sizeof command, "rm -r '%s/generations'", decided.log->folder);
    cr_assert_eq(system(command), 0);
    struct ran ran = run(audit_replay, "replay %s", decided.log->folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "generation 1 cannot be built");
    EXPECT(ran, "3 could not be decided again");
    free(ran.output);
    close_decided(&decided);
}

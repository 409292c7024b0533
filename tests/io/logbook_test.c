#include "core/sidecar.h"
#include "io/audit/log_cursor.h"
#include "io/cli/logbook.h"
#include "tests/io/built_journal.h"

Test(journal_show, shows_records_in_their_order)
{
    struct journal journal = build();
    struct ran ran = run(cli_journal_show, "show %s", journal.log->folder);
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "generation  1 since 2026-03-01 09:30:00.000");
    EXPECT(ran, "group  destination-0/erp created behind 0-0");
    EXPECT(ran, "order:SO-1");
    EXPECT(ran, "held at destination-1");
    EXPECT(ran, "settled  destination-0/erp  1 acknowledged: ");
    EXPECT(ran, "(copied forward)");
    EXPECT(ran, "rejected at destination-1");
    free(ran.output);
    ran = run(cli_journal_show, "show %s --key order:SO-1 --json --bodies", journal.log->folder);
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "\"keys\":[{\"entry\":1,\"kind\":\"order\",\"value\":\"SO-1\"}]");
    EXPECT(ran, "\"body\":\"SO-1\"");
    EXPECT(ran, "\"held\":[\"destination-1\"]");
    EXPECT_NOT(ran, "SO-2");
    EXPECT_NOT(ran, "\"kind\":\"group\"");
    free(ran.output);
    built_close(journal.log);
}

Test(journal_show, chooses_by_id_time_and_destination)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    struct ran ran = run(cli_journal_show, "show %s --id %s", folder, id_text(journal.third));
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "SO-3");
    EXPECT_NOT(ran, "SO-2");
    free(ran.output);
    ran = run(cli_journal_show, "show %s --id 77-0", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "no message with the id 77-0");
    free(ran.output);
    ran = run(cli_journal_show, "show %s --destination destination-1 --messages", folder);
    EXPECT(ran, "SO-4");
    EXPECT_NOT(ran, "SO-2");
    free(ran.output);
    ran = run(cli_journal_show, "show %s --from 2026-03-02", folder);
    cr_expect_eq(ran.end, CLI_OK);
    cr_expect_str_empty(ran.output);
    free(ran.output);
    ran = run(cli_journal_show, "show %s --from 2026-03-01 --to 2026-03-01T09:30 -n 2", folder);
    EXPECT(ran, "SO-1");
    EXPECT(ran, "SO-2");
    EXPECT_NOT(ran, "held");
    free(ran.output);
    ran = run(cli_journal_show, "show %s --from yesterday", folder);
    cr_expect_eq(ran.end, CLI_USAGE);
    EXPECT(ran, "`yesterday` is neither an id nor a time");
    free(ran.output);
    built_close(journal.log);
}

Test(journal_info, says_what_there_is)
{
    struct journal journal = build();
    struct ran ran = run(cli_journal_info, "info %s", journal.log->folder);
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "none has it open");
    EXPECT(ran, "numbers 0 to 1");
    EXPECT(ran, "destination-0/erp");
    EXPECT(ran, "2026-03-01 09:30:00.000 to 2026-03-01 09:30:00.");
    free(ran.output);
    ran = run(cli_journal_info, "info %s --json", journal.log->folder);
    EXPECT(ran, "\"held\":false");
    EXPECT(ran, "\"segments\":2");
    EXPECT(ran, "\"destination\":\"destination-1\",\"group\":\"bi\",\"waiting\":2");
    free(ran.output);
    built_close(journal.log);
}

Test(journal_verify, tells_each_place)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    struct ran ran = run(cli_journal_verify, "verify %s", folder);
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "all is as it was written");
    EXPECT(ran, "6 message, 2 generation, 4 group, 1 settled, 1 hold");
    free(ran.output);
    built_damage(journal.log, journal.blocks[1], 3); /* its checksum */
    ran = run(cli_journal_verify, "verify %s", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "damaged");
    EXPECT(ran, "(segment 0, byte 8192): a block of 1 records");
    EXPECT(ran, "may be lost");
    EXPECT(ran, "probably 1772357400010-0");
    EXPECT(ran, "order:SO-1");
    free(ran.output);
    ran = run(cli_journal_verify, "verify %s --json", folder);
    EXPECT(ran, "{\"log\":0,\"ok\":false,\"damaged\":1");
    free(ran.output);
    ran = run(cli_journal_show, "show %s", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "positions 8192 to 12288 cannot be read");
    EXPECT(ran, "SO-4");
    free(ran.output);
    built_close(journal.log);
}

Test(journal_verify, holds_facts_to_what_stands_before_them)
{
    struct journal journal = build();
    struct built_log *log = journal.log;
    built_next_segment(log);
    struct fact_group *group = built_group(log, 5, 0, "erp", GROUP_STANDS, journal.first);
    group->account = (struct group_account){.offered = 2, .acknowledged = 2};
    built_group(log, 6, 1, "bi", GROUP_STANDS, (struct record_id){0})->account.offered = 2;
    struct record *record = built_message(log, 1, "SO-5");
    record->id = journal.third;
    built_seal(log);
    struct ran ran = run(cli_journal_verify, "verify %s", log->folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "group destination-0/erp says acknowledged 2, what stands before it makes 1");
    EXPECT_NOT(ran, "group destination-1/bi");
    EXPECT(ran, "does not lie behind the one before it");
    EXPECT(ran, "4 accounts of groups compared");
    free(ran.output);
    built_close(log);
}

static void write_sidecar(const struct journal *journal, uint64_t identity_low, bool damaged)
{
    static union {
        struct sidecar_header header;
        _Alignas(JOURNAL_PAGE_BYTES) uint8_t bytes[BUILT_SEGMENT_BYTES];
    } sidecar;
    const struct built_log *log = journal->log;
    const struct record_id ids[] = {journal->first, journal->second, journal->held};
    const char *const bodies[] = {"SO-1", "SO-2", "SO-1"};
    char path[128], problem[LOG_PROBLEM_BYTES];
    struct log_reader reader;
    struct log_cursor cursor;
    uint32_t next = 0;
    cr_assert_leq(sidecar_bytes_max(BUILT_SEGMENT_BYTES), sizeof sidecar);
    sidecar_begin(&sidecar.header, 0, 0, BUILT_SEGMENT_BYTES);
    cr_assert_eq(log_reader_open(log->folder, 0, &reader, problem), STATUS_OK);
    cr_assert_eq(log_cursor_open(&reader, 0, &cursor), STATUS_OK);
    const struct block_header *block;
    struct digest last = {0};
    while ((block = log_cursor_next(&cursor)) != NULL && block->position < BUILT_SEGMENT_BYTES) {
        last = block->checksum;
        for (uint32_t offset = sizeof *block; offset < block->used_bytes;) {
            const struct record *record =
                (const struct record *)(const void *)((const uint8_t *)block + offset);
            if (record->head.kind == RECORD_KIND_MESSAGE) {
                cr_assert_eq(record_id_compare(record->id, ids[next]), 0);
                struct sidecar_identity item = {
                    .identity = {.low = identity_low},
                    .body_digest = digest_bytes(&log->secret, bytes_from_text(bodies[next++])),
                    .position = block->position + offset,
                    .generation = 1,
                    .log_time_s = 1};
                sidecar_add(&sidecar.header, &log->secret, &item);
            }
            offset += record->head.size_bytes;
        }
    }
    log_cursor_close(&cursor);
    log_reader_close(&reader);
    uint64_t bytes = sidecar_seal(&sidecar.header, &log->secret, last);
    sidecar.bytes[JOURNAL_PAGE_BYTES + 3] ^= damaged;
    snprintf(path, sizeof path, "%s/00/%016x.identities", log->folder, 0);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_eq(write(file, sidecar.bytes, bytes), (ssize_t)bytes);
    close(file);
}

Test(journal_verify, holds_sidecars_to_their_segments)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    write_sidecar(&journal, 0, false);
    struct ran ran = run(cli_journal_verify, "verify %s", folder);
    cr_expect_eq(ran.end, CLI_OK, "%s", ran.output);
    EXPECT(ran, "1 sidecars");
    free(ran.output);
    write_sidecar(&journal, 5, false);
    ran = run(cli_journal_verify, "verify %s", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "does not say what the segment does");
    free(ran.output);
    write_sidecar(&journal, 0, true);
    ran = run(cli_journal_verify, "verify %s", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "is not as it was written; a server makes it anew");
    free(ran.output);
    built_close(journal.log);
}

Test(journal_repair, copies_what_stands)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    built_damage(journal.log, journal.blocks[1], 3); /* its checksum */
    struct ran ran = run(cli_journal_repair, "repair %s %s.new", folder, folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "positions 8192 to 12288 (segment 0)");
    EXPECT(ran, "probably  message 1772357400010-0 order:SO-1 at ");
    EXPECT(ran, "1 places are lost");
    free(ran.output);
    ran = run(cli_journal_verify, "verify %s.new", folder);
    cr_expect_eq(ran.end, CLI_OK, "%s", ran.output);
    EXPECT(ran, "5 message");
    free(ran.output);
    ran = run(cli_journal_repair, "repair %s %s.new", folder, folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "is there already");
    free(ran.output);
    built_close(journal.log);
}

Test(journal_export, writes_each_message_once)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    struct ran ran = run(cli_journal_export, "export %s", folder);
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "5 messages of 20 bytes");
    EXPECT(ran, "\"envelope_bytes\":0,\"bytes\":4}\nSO-2\n");
    free(ran.output);
    ran = run(cli_journal_export, "export %s --key order:SO-1 -o %s.new", folder, folder);
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "2 messages of 8 bytes");
    char path[128], body[8] = "";
    snprintf(path, sizeof path, "%s.new/%s.body", folder, id_text(journal.first));
    int file = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(file >= 0);
    cr_expect_eq(read(file, body, sizeof body - 1), 4);
    cr_expect_str_eq(body, "SO-1");
    close(file);
    free(ran.output);
    built_close(journal.log);
}

Test(trace, tells_the_story_of_a_message)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    struct ran ran = run(cli_trace, "trace --journal %s %s", folder, id_text(journal.first));
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, "arrived       2026-03-01 09:30:00.000, from participant-0 by channel channel-0");
    EXPECT(ran, "by generation 1: table-0/3");
    EXPECT(ran, "destination-0/erp acknowledged 2026-03-01 09:30:00.020");
    EXPECT_NOT(ran, "destination-1");
    free(ran.output);
    ran = run(cli_trace, "trace --journal %s %s", folder, id_text(journal.second));
    EXPECT(ran, "destination-0/erp not acknowledged");
    EXPECT(ran, "copied forward to ");
    free(ran.output);
    ran = run(cli_trace, "trace --journal %s %s", folder, id_text(journal.held));
    EXPECT(ran, "held at       destination-1, rejected");
    free(ran.output);
    built_close(journal.log);
}

Test(trace, a_move_offers_again_what_lies_behind_it)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    built_group(journal.log, 5, 0, "erp", GROUP_MOVED, (struct record_id){0});
    built_seal(journal.log);
    struct ran ran = run(cli_trace, "trace --journal %s %s", folder, id_text(journal.first));
    EXPECT(ran, "destination-0/erp not acknowledged");
    free(ran.output);
    struct fact_settled *settled =
        built_record(journal.log, fact_settled_size(1), RECORD_KIND_SETTLED);
    settled->group_number = 5;
    settled->how = SETTLED_DROPPED;
    settled->range_count = 1;
    fact_settled_ranges(settled)[0] = (struct settled_range){journal.first, journal.second, 2};
    built_seal(journal.log);
    ran = run(cli_trace, "trace --journal %s %s", folder, id_text(journal.second));
    EXPECT(ran, "destination-0/erp dropped 2026-");
    free(ran.output);
    built_close(journal.log);
}

Test(trace, tells_the_story_of_a_case)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    struct ran ran = run(cli_trace, "trace --journal %s order:SO-1 --json", folder);
    cr_expect_eq(ran.end, CLI_OK);
    EXPECT(ran, id_text(journal.first));
    EXPECT(ran, id_text(journal.held));
    EXPECT(ran, "\"group\":\"erp\",\"stand\":\"acknowledged\"");
    EXPECT(ran, "\"event\":\"rejected\"");
    free(ran.output);
    ran = run(cli_trace, "trace --journal %s order:SO-9", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "no message in");
    free(ran.output);
    ran = run(cli_trace, "trace --journal %s nonsense", folder);
    cr_expect_eq(ran.end, CLI_USAGE);
    EXPECT(ran, "`nonsense` is neither an id");
    free(ran.output);
    built_close(journal.log);
}

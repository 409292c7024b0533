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
    built_damage(journal.log, journal.blocks[1] + 110, 3);
    ran = run(cli_journal_verify, "verify %s", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "damaged");
    EXPECT(ran, "(segment 0, byte 8192): a block of 1 records");
    EXPECT(ran, "may be lost");
    free(ran.output);
    ran = run(cli_journal_verify, "verify %s --json", folder);
    EXPECT(ran, "{\"ok\":false,\"damaged\":1");
    free(ran.output);
    ran = run(cli_journal_show, "show %s", folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "positions 8192 to 12288 cannot be read");
    EXPECT(ran, "SO-4");
    free(ran.output);
    built_close(journal.log);
}

Test(journal_repair, copies_what_stands)
{
    struct journal journal = build();
    const char *folder = journal.log->folder;
    built_damage(journal.log, journal.blocks[1] + 110, 3);
    struct ran ran = run(cli_journal_repair, "repair %s %s.new", folder, folder);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "positions 8192 to 12288 (segment 0)");
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

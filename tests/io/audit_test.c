#include "io/cli/audit.h"
#include "tests/io/built_journal.h"

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    cr_assert_not_null(file);
    fputs(content, file);
    fclose(file);
}

Test(audit, seals_proves_and_checks)
{
    char key[64], other[64], proof[64], text[16384] = "";
    struct journal journal = build();
    const char *folder = journal.log->folder;
    snprintf(key, sizeof key, "%s/key", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    snprintf(proof, sizeof proof, "%s/proof", folder);
    write_file(key, "a key of sixteen bytes or more\n");
    write_file(other, "another key of sixteen bytes\n");

    struct ran ran = run(audit_prove, "prove --journal %s %s", folder, id_text(journal.first));
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "its segment is not sealed yet");
    free(ran.output);
    ran = run(audit_seal, "seal %s --key-file %s", folder, key);
    cr_expect_eq(ran.end, CLI_OK, "%s", ran.output);
    EXPECT(ran, "segment 0 sealed: 7 records");
    EXPECT(ran, "0 seals were there and hold, 1 are new");
    free(ran.output);
    ran = run(audit_seal, "seal %s --key-file %s --check", folder, key);
    cr_expect_eq(ran.end, CLI_OK, "%s", ran.output);
    EXPECT(ran, "1 seals were there and hold, 0 are new, 1 segments were held to their seals");
    free(ran.output);
    ran = run(audit_seal, "seal %s --key-file %s", folder, other);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "another key");
    free(ran.output);

    ran = run(audit_prove, "prove --journal %s %s -o %s", folder, id_text(journal.first), proof);
    cr_expect_eq(ran.end, CLI_OK, "%s", ran.output);
    free(ran.output);
    ran = run(audit_check, "check %s --key-file %s", proof, key);
    cr_expect_eq(ran.end, CLI_OK, "%s", ran.output);
    EXPECT(ran, "proved: in segment 0");
    EXPECT(ran, "order:SO-1");
    free(ran.output);
    ran = run(audit_check, "check %s --key-file %s", proof, other);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "another key");
    free(ran.output);

    /* A digit of its record, of a path, of the seal: none may change. */
    FILE *file = fopen(proof, "re");
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    static const char *const places[] = {"\"record\":\"AAAA", "\"path\":[\"", "records ", "root ",
                                         "\"index\":"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *place = strstr(text, places[i]);
        if (i == 0)
            place = strstr(text, "\"record\":\"") - strlen(places[0]) + strlen("\"record\":\"") + 8;
        cr_assert_not_null(place);
        char *changed = place + strlen(places[i]), before = *changed;
        *changed = before == '1' ? '2' : '1';
        write_file(proof, text);
        ran = run(audit_check, "check %s --key-file %s", proof, key);
        cr_expect_eq(ran.end, CLI_INVALID, "%s: %s", places[i], ran.output);
        EXPECT_NOT(ran, "proved: in");
        free(ran.output);
        *changed = before;
    }
    cr_expect_gt(size, 500);

    ran = run(audit_prove, "prove --journal %s %s", folder, id_text(journal.third));
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "still being written");
    free(ran.output);
    built_close(journal.log);
}

Test(audit, a_seal_or_a_segment_that_changed_is_found)
{
    char key[64], seal[96];
    struct journal journal = build();
    const char *folder = journal.log->folder;
    snprintf(key, sizeof key, "%s/key", folder);
    write_file(key, "a key of sixteen bytes or more");
    built_next_segment(journal.log);
    built_message(journal.log, 0, "SO-9");
    built_seal(journal.log);
    struct ran ran = run(audit_seal, "seal %s --key-file %s", folder, key);
    EXPECT(ran, "2 are new");
    free(ran.output);

    built_damage(journal.log, journal.blocks[1] + 110, 3);
    ran = run(audit_seal, "seal %s --key-file %s --check", folder, key);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "damaged");
    free(ran.output);
    snprintf(seal, sizeof seal, "%s/00/%016x.seal", folder, 0);
    cr_assert_eq(unlink(seal), 0);
    ran = run(audit_seal, "seal %s --key-file %s", folder, key);
    cr_expect_eq(ran.end, CLI_INVALID);
    EXPECT(ran, "the seal before it is missing");
    free(ran.output);
    write_file(key, "short");
    ran = run(audit_seal, "seal %s --key-file %s", folder, key);
    EXPECT(ran, "has 5 bytes; make one of 16 or more");
    free(ran.output);
    built_close(journal.log);
}

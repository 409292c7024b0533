/* The shipped profiles over examples of our own (tests/data/profiles), checked by hand, and over
 * the gathered corpus where it is there (KOUAN_CORPUS or ../shared/corpus). */
#include <dirent.h>

#include "profile_fixture.h"
#include "routes/dialect/profile_example.h"
#include "routes/yaml.h"

/* ---- the examples ---------------------------------------------------------------------------- */

#define EXAMPLES "tests/data/profiles"

static void check_example(struct profile_fixture *fixture, const struct profile_example *example)
{
    char path[512];
    struct bytes text = example->body;
    if (example->message != NULL) {
        snprintf(path, sizeof path, EXAMPLES "/%s", example->message);
        text = fixture_load(path);
        cr_assert_not_null(text.data, "%s:%u: there is no %s", example->file, example->line, path);
    }
    struct reading reading;
    struct scan_fault fault = {0};
    struct bytes body = fixture_body(text, 0);
    reader_reset(&fixture->reader);
    enum status status =
        read_message(&fixture->set, NULL, &fixture->reader, body, &reading, &fault);
    (void)profile_example_check(example, &fixture->arena, status, &reading, &fault,
                                &fixture->diagnostics);
    free((void *)body.data);
    if (example->message != NULL)
        free((void *)text.data);
}

/* A profile that some example reads with is marked by its index. */
static int check_examples(struct profile_fixture *fixture, const char *file, bool *exampled)
{
    char path[512];
    snprintf(path, sizeof path, EXAMPLES "/%s", file);
    struct bytes text = fixture_load(path);
    cr_assert_not_null(text.data, "%s", path);
    int count = 0;
    for (const struct profile_example *example =
             profile_examples_parse(&fixture->arena, path, text, &fixture->diagnostics);
         example != NULL; example = example->next, count++) {
        const struct yaml_node *name = yaml_member(example->document, "profile");
        const struct profile *profile =
            name != NULL ? profile_set_find(&fixture->set, name->text) : NULL;
        if (profile != NULL)
            exampled[profile->index] = true;
        check_example(fixture, example);
    }
    free((void *)text.data);
    return count;
}

Test(shipped_profiles, examples)
{
    struct profile_fixture *fixture = fixture_open_shipped();
    DIR *folder = opendir(EXAMPLES);
    cr_assert_not_null(folder, "run the tests from the top folder");
    int count = 0;
    bool exampled[PROFILES_MAX] = {0};
    for (struct dirent *item; (item = readdir(folder)) != NULL;)
        if (strstr(item->d_name, ".expect.yaml") != NULL)
            count += check_examples(fixture, item->d_name, exampled);
    closedir(folder);
    cr_expect_str_empty(fixture_diagnostics(fixture));
    cr_expect_gt(count, 20);
    for (uint16_t i = 0; i < fixture->set.count; i++)
        cr_expect(exampled[i], "%s has no example", fixture->set.profiles[i]->name);
    fixture_close(fixture);
}

Test(shipped_profiles, identity)
{
    static const struct {
        const char *name;
        enum identify identify;
        bool receipt;
    } cases[] = {
        {"ceb-order", IDENTIFY_BY_ID, false},
        {"ceb-order-receipt", IDENTIFY_BY_BODY, true},
        {"ceb-list-receipt", IDENTIFY_BY_BODY, true},
        {"ceb-other", IDENTIFY_BY_BODY, false},
        {"kj-message", IDENTIFY_BY_ID, false},
        {"kj-result", IDENTIFY_BY_BODY, true},
        {"kj-receipt", IDENTIFY_BY_BODY, true},
        {"dec-message", IDENTIFY_BY_BODY, false},
        {"dec-import-response", IDENTIFY_BY_BODY, true},
        {"dec-result", IDENTIFY_BY_BODY, true},
        {"dxp-message", IDENTIFY_BY_ID, false},
        {"dxp-response", IDENTIFY_BY_ID, false},
        {"manifest", IDENTIFY_BY_ID, false},
        {"manifest-receipt", IDENTIFY_BY_BODY, true},
        {"trade-message", IDENTIFY_BY_ID, false},
        {"trade-receipt", IDENTIFY_BY_BODY, true},
        {"edifact-cusdec", IDENTIFY_BY_ID, false},
        {"edifact-cusres", IDENTIFY_BY_BODY, true},
        {"event", IDENTIFY_BY_ID, false},
    };
    struct profile_fixture *fixture = fixture_open_shipped();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct profile *profile =
            profile_set_find(&fixture->set, bytes_from_text(cases[i].name));
        cr_assert_not_null(profile, "%s", cases[i].name);
        cr_expect_eq(profile->identify, cases[i].identify, "%s", cases[i].name);
        cr_expect_eq(profile->receipt, cases[i].receipt, "%s", cases[i].name);
    }
    fixture_close(fixture);
}

/* The event has a member for each canonical field and each kind of key. */
Test(shipped_profiles, the_event_knows_every_field)
{
    struct profile_fixture *fixture = fixture_open_shipped();
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        char body[256], expected[256];
        const char *member = slot_json_name((enum slot)slot);
        if (slot == SLOT_MESSAGE_TYPE || (member == NULL && !slot_is_key((enum slot)slot)))
            continue;
        const char *name = slot_name((enum slot)slot);
        if (slot_is_key((enum slot)slot))
            snprintf(body, sizeof body, "{\"messageType\":\"T\",\"keys\":{\"%s\":[7]}}", name);
        else
            snprintf(body, sizeof body, "{\"messageType\":\"T\",\"%s\":\"7\"}", member);
        snprintf(expected, sizeof expected, "event 1: message_type=T | %s%s=7", name,
                 member == NULL ? "@0" : "");
        cr_expect_str_eq(fixture_read(fixture, body), expected);
    }
    fixture_close(fixture);
}

/* The envelope's profiles as they are shipped, with the mark taken away from `open`. */
static void parse_opened(struct profile_fixture *fixture)
{
    struct bytes text = fixture_load("routes/profiles/dxp.yaml");
    cr_assert_not_null(text.data);
    unsigned count = 0;
    char *yaml = strndup((const char *)text.data, text.size);
    for (char *at = yaml; (at = strstr(at, "\n# open: Data")) != NULL; count++)
        memcpy(at, "\nopen: Data  ", strlen("\nopen: Data  "));
    cr_assert_eq(count, 2);
    fixture_parse(fixture, yaml);
    free(yaml);
    free((void *)text.data);
}

Test(shipped_profiles, an_envelope_opens)
{
    struct profile_fixture *fixture = fixture_open();
    parse_opened(fixture);
    profile_parse_shipped(&fixture->arena, &fixture->list, &fixture->diagnostics);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    cr_expect_str_eq(
        fixture_read(
            fixture,
            "<DxpMsg xmlns='http://www.chinaport.gov.cn/dxp'><TransInfo><CopMsgId>C1</CopMsgId>"
            "<SenderId>DXPEDCDEC0000001</SenderId><MsgType>DECMSG</MsgType></TransInfo><Data>\n"
            "PERlY0ltcG9ydFJlc3BvbnNlPjxSZXNwb25zZUNvZGU+MDwvUmVzcG9uc2VD\n"
            "b2RlPjxDbGllbnRTZXFObz5HWjQxNzwvQ2xpZW50U2VxTm8+PFNlcU5vPkU0\n"
            "MTc8L1NlcU5vPjwvRGVjSW1wb3J0UmVzcG9uc2U+\n</Data>"
            "<AddInfo><FileName>F1</FileName></AddInfo></DxpMsg>"),
        "dxp-response 1: message_type=DECMSG | message_id=F1 | function=response | reference=C1 | "
        "sender=DXPEDCDEC0000001 | reference=GZ417 | status=0 | client_seq@0=GZ417 | "
        "unified@0=E417 | payload_profile=dec-import-response");
    fixture_close(fixture);
}

/* ---- the corpus ------------------------------------------------------------------------------ */

/* What each CEB type must yield in the published samples. */
static const char *const ceb_keys[][2] = {
    {"CEB303", "order"},
    {"CEB304", "order"},
    {"CEB311", "order payment"},
    {"CEB312", "order"},
    {"CEB403", "payment order"},
    {"CEB404", "payment"},
    {"CEB411", "payment order"},
    {"CEB412", "payment"},
    {"CEB505", "waybill"},
    {"CEB506", "waybill"},
    {"CEB507", "client_seq bill waybill"},
    {"CEB508", "client_seq unified bill"},
    {"CEB509", "client_seq bill waybill"},
    {"CEB510", "client_seq unified"},
    {"CEB511", "waybill order bill"},
    {"CEB512", "waybill"},
    {"CEB513", "waybill"},
    {"CEB514", "waybill"},
    {"CEB603", "list order waybill"},
    {"CEB604", "list unified entry order"},
    {"CEB605", "client_seq entry"},
    {"CEB606", "client_seq unified entry"},
    {"CEB607", "client_seq bill waybill"},
    {"CEB608", "client_seq unified bill"},
    {"CEB621", "list order waybill bill handbook"},
    {"CEB622", "list unified"},
    {"CEB623", "client_seq unified entry order waybill"},
    {"CEB624", "client_seq unified entry"},
    {"CEB626", "client_seq unified entry"},
    {"CEB701", "client_seq entry"},
    {"CEB702", "client_seq unified list"},
    {"CEB711", "client_seq unified bill waybill"},
    {"CEB712", "client_seq unified"},
    {"CEB792", "unified list entry"},
    {"CEB213", "client_seq entry waybill bill"},
    {"CEB214", "client_seq unified entry"},
    {"CEB215", "client_seq entry waybill bill"},
    {"CEB216", "client_seq unified waybill"},
};

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += size)
        if ((at == words || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

/* Every entry must have every kind of key of its type. */
static void expect_keys(const struct reading *reading, const char *path)
{
    struct bytes type = reading_value(reading, SLOT_MESSAGE_TYPE);
    const char *kinds = NULL;
    for (size_t i = 0; i < sizeof ceb_keys / sizeof ceb_keys[0]; i++)
        if (bytes_equal_text(type, ceb_keys[i][0]))
            kinds = ceb_keys[i][1];
    cr_assert_not_null(kinds, "%s: type %.*s", path, (int)type.size, type.data);
    for (uint16_t entry = 1; entry <= reading->entry_count; entry++)
        for (enum slot slot = SLOT_FIELD_COUNT; slot < SLOT_COUNT; slot++) {
            bool wanted = has_word(kinds, slot_name(slot)), found = false;
            for (uint16_t i = reading_first(reading, slot); i != READING_NO_OCCURRENCE;
                 i = reading->occurrences[i].next)
                found = found || reading->occurrences[i].entry == entry;
            cr_expect(found || !wanted, "%s: entry %u has no key %s", path, entry, slot_name(slot));
        }
}

static void check_ceb(struct profile_fixture *fixture, const char *path, struct bytes text)
{
    struct reading reading;
    struct scan_fault fault = {0};
    struct bytes body = fixture_body(text, 0);
    reader_reset(&fixture->reader);
    enum status status =
        read_message(&fixture->set, NULL, &fixture->reader, body, &reading, &fault);
    cr_assert_eq(status, STATUS_OK, "%s: %s %u", path, scan_reason_word(fault.reason),
                 fault.offset);
    cr_expect_str_neq(reading.profile->name, "ceb-other", "%s", path);
    char attribute[128];
    struct bytes id =
        reading_value(&reading, reading.profile->receipt ? SLOT_REFERENCE : SLOT_MESSAGE_ID);
    cr_assert_not_null(id.data, "%s has no id or reference", path);
    snprintf(attribute, sizeof attribute, reading.profile->receipt ? "guid>%.*s<" : "guid=\"%.*s\"",
             (int)id.size, id.data);
    cr_expect_not_null(memmem(text.data, text.size, attribute, strlen(attribute)), "%s: %s", path,
                       attribute);
    expect_keys(&reading, path);
    free((void *)body.data);
}

static int check_folder(struct profile_fixture *fixture, const char *root, const char *below)
{
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/xml/Weasley-J__chinaport-data-signature/%s", root, below);
    DIR *open = opendir(folder);
    int count = 0;
    for (struct dirent *item; open != NULL && (item = readdir(open)) != NULL;) {
        if (strstr(item->d_name, ".xml") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, item->d_name);
        struct bytes text = fixture_load(path);
        cr_assert_not_null(text.data, "%s", path);
        check_ceb(fixture, path, text);
        free((void *)text.data);
        count++;
    }
    if (open != NULL)
        closedir(open);
    return count;
}

Test(shipped_profiles, ceb_of_the_corpus)
{
    const char *root = fixture_corpus();
    if (root == NULL)
        return;
    struct profile_fixture *fixture = fixture_open_shipped();
    int count = check_folder(fixture, root, "2018-113/import") +
                check_folder(fixture, root, "2018-113/export") +
                check_folder(fixture, root, "202205/import") +
                check_folder(fixture, root, "202205/export");
    cr_expect_eq(count, 53);
    fixture_close(fixture);
}

/* Declarations, manifests and processing trade of one client's repository, against the files. */
Test(shipped_profiles, single_window_of_the_corpus)
{
    static const struct {
        const char *file, *expected;
    } cases[] = {
        {"1.xml", "TRAILING 360"}, /* a receipt, mail headers and an envelope behind each other */
        {"Dec2018.xml", "dec-message 1: message_type=DecMessage"},
        {"OnlyWindowsNew.xml", "MALFORMED 1664 expected `>`"},
        {"OnlyWindows.xml", "dec-message 1: message_type=DecMessage | transit=0"},
        {"template.xml", "dec-message 1: message_type=DecMessage"},
        {"sw_template.xml", "dec-message 1: message_type=DecMessage | sender=101115245 | "
                            "sent_at=20130722 1005 00 10 | client_seq@0=ecnew201711271006020704"},
        {"Dec201802011651490001.xml",
         "dec-message 1: message_type=DecMessage | sender=4403180896 | customs_office=5317 | "
         "exit_office=5317 | port=142 | trade_mode=0615 | transport_mode=W | "
         "goods_code=8504500000 | trader=4403944047 | trader=4403180896 | transit=0 | "
         "sent_at=20180201 | client_seq@0=201802011651490001 | handbook@0=C53197450259"},
        {"Dec201801181647076926.xml",
         "dec-message 1: message_type=DecMessage | sender=4403180896 | customs_office=5317 | "
         "exit_office=5317 | port=142 | trade_mode=0615 | transport_mode=W | trader=4403944047 | "
         "trader=4403180896 | handbook@0=C53197450259 | container@0=666666 | "
         "container@0=555555 | container@0=444444"},
        {"MT1401.xml",
         "manifest 2: message_type=MT1401 | "
         "message_id=CN_MT1401_1p0_5317796611420_20170221163412760 | function=original | "
         "sender=DXPESW0000093228 | receiver=EPORT | customs_office=0100 | transit_office=5300 | "
         "port=34433333333333333 | transport_mode=3 | goods_code=2000 | goods_code=3005 | "
         "goods_code=3006 | trader=0100111111111 | sent_at=20170221163412760 | "
         "voyage@0=ZTDTEST0420 | bill@1=T11 | bill@2=T22 | container@1=JIZHUANG002 | "
         "container@1=JIZHUANG003 | container@1=JIZHUANG001 | container@2=JIZHUANG002 | "
         "container@2=JIZHUANG003 | container@2=JIZHUANG001"},
        {"goldtwo_newsinvt.xml",
         "trade-message 1: message_type=INV101 | message_id=25531157022016413 | "
         "sender=DXPENT0000016069 | receiver=DXPDSWNEMS000001 | trader=4403W60001 | "
         "sent_at=2018-06-25T15:10:52"},
        {"PassPort.xml",
         "trade-message 1: message_type=SAS121 | message_id=SAS121201806220000001 | "
         "sender=DXPENT0000016069 | receiver=DXPDSWNEMS000001 | trader=4403180896 | "
         "sent_at=2018-06-17T09:30:47 | client_seq@0=TESTSAS121000001"},
    };
    const char *root = fixture_corpus();
    if (root == NULL)
        return;
    struct profile_fixture *fixture = fixture_open_shipped();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/xml/Zzaniu__loop_server/%s", root, cases[i].file);
        struct bytes text = fixture_load(path);
        cr_assert_not_null(text.data, "%s", path);
        cr_expect_str_eq(fixture_read_bytes(fixture, text), cases[i].expected);
        free((void *)text.data);
    }
    fixture_close(fixture);
}

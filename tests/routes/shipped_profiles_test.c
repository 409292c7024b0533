/* The shipped profiles over samples of our own, with expectations checked by hand against each
 * file, and over the gathered corpus where it is there (KOUAN_CORPUS or ../shared/corpus). */
#include <dirent.h>
#include <sys/stat.h>

#include "profile_fixture.h"

static struct profile_fixture *open_shipped(void)
{
    struct profile_fixture *fixture = fixture_open();
    profile_parse_shipped(&fixture->arena, &fixture->list, &fixture->diagnostics);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    return fixture;
}

struct sample {
    const char *file, *expected;
};

static const struct sample samples[] = {
    {"ceb/ceb214_bare_root.xml",
     "ceb-return-receipt 1: message_type=CEB214 | function=response | "
     "reference=E15B20C3-4D6A-4F02-9B0E-7C88A1D30802 | status=120 | "
     "trader=4403980A11 | sent_at=20240614090909001 | client_seq@1=RF0614-3 | "
     "unified@1=R20240614000000071 | entry@1=530320241000071"},
    {"ceb/ceb311_two_orders.xml",
     "ceb-order 2: message_type=CEB311 | "
     "message_id=7D1C0A52-0F3E-4B6B-9E55-2C1B7A3D9001 | function=original | "
     "sender=DXPENT0000036801 | trader=440316K8Q2 | trader=440316K8Q3 | "
     "sent_at=20240611093015 | order@1=SZ240611000017+440366T001 | "
     "order@2=SZ240611000018&A+440366T001 | payment@1=YT2024061109301177+4403980P01"},
    {"ceb/ceb312_receipts.xml", "ceb-order-receipt 2: message_type=CEB312 | function=response | "
                                "reference=7D1C0A52-0F3E-4B6B-9E55-2C1B7A3D9002 | "
                                "reference=7D1C0A52-0F3E-4B6B-9E55-2C1B7A3D9003 | status=120 | "
                                "status=-304003 | trader=440316K8Q2 | trader=440316K8Q3 | "
                                "sent_at=20240611093102118 | order@1=SZ240611000017+440366T001 | "
                                "order@2=SZ240611000018&A+440366T001"},
    {"ceb/ceb411_payment.xml",
     "ceb-payment 1: message_type=CEB411 | "
     "message_id=51E0C7AA-2D8B-49F1-8B57-90F1D2AC0301 | function=cancel | "
     "sender=DXPPAY0000000419 | sent_at=20240611094000 | "
     "payment@1=YT2024061109301177+4403980P01 | order@1=SZ240611000017+440366T001"},
    {"ceb/ceb505_waybill.xml",
     "ceb-logistics 1: message_type=CEB505 | "
     "message_id=C0FE9D11-7A31-4B30-8D63-1A77F3210601 | function=original | "
     "sender=DXPLGS0000000511 | trader=4401362N01 | sent_at=20240613080000 | "
     "waybill@1=YT9900310001+4401981L02"},
    {"ceb/ceb507_arrival.xml",
     "ceb-arrival 1: message_type=CEB507 | "
     "message_id=A7C3D2E0-5F18-4C7F-A0C1-6B2E9D400701 | function=original | "
     "sender=DXPENT0000036801 | customs_office=5303 | transport_mode=4 | "
     "trader=4403980C09 | sent_at=20240613120000 | client_seq@1=ARR0613-1 | "
     "bill@1=STJ0613 | waybill@1=KY8800130001+4403981W07 | "
     "waybill@1=KY8800130002+4403981W07"},
    {"ceb/ceb511_waybill.xml",
     "ceb-logistics 1: message_type=CEB511 | "
     "message_id=C0FE9D11-7A31-4B30-8D63-1A77F3210501 | function=original | "
     "sender=DXPLGS0000000702 | sent_at=20240611101112 | "
     "waybill@1=KY8800120017+4403981W07 | order@1=SZ240611000017 | "
     "bill@1=HLCUSZX2406A1"},
    {"ceb/ceb621_gb2312.xml",
     "ceb-list 1: message_type=CEB621 | "
     "message_id=0B7E61F4-93AB-4C0C-8E0A-57D90C3A1101 | function=change | "
     "sender=4401980A03 | customs_office=5141 | exit_office=5145 | "
     "trade_mode=1210 | transport_mode=5 | goods_code=1901101000 | "
     "goods_code=3304990039 | trader=4401362N01 | trader=4401980A03 | "
     "sent_at=20240612101500 | list@1=MM20240612-0077 | "
     "order@1=GZ0612A77+4401660B5M | waybill@1=SF1400612330077+4401981L02 | "
     "bill@1=784-20240612 | handbook@1=T5141W000031"},
    {"ceb/ceb622_receipt.xml", "ceb-list-receipt 1: message_type=CEB622 | function=response | "
                               "reference=0B7E61F4-93AB-4C0C-8E0A-57D90C3A1102 | status=800 | "
                               "customs_office=5141 | trader=4401362N01 | trader=4401980A03 | "
                               "sent_at=20240612142203555 | list@1=MM20240612-0077 | "
                               "unified@1=B20240612000331907 | entry@1=514120241000331907"},
    {"ceb/ceb816_other.xml", "ceb-other 1: message_type=CEB816 | "
                             "message_id=9A0D6E1F-1C2B-4C3D-8E4F-5A6B7C8D0901"},
    {"json/event_order.json",
     "event 1: message_type=ORDER | message_id=HL-2024-06-12-000417 | "
     "function=original | sender=4403180896 | receiver=5300 | receiver=442300 | "
     "customs_office=5345 | port=CNSZX | port=HKHKG | inspection_office=442300 | "
     "trade_mode=9610 | transport_mode=4 | goods_code=8517130000 | "
     "goods_code=8504409999 | trader=4403180896 | transit=1 | "
     "sent_at=2024-06-12T10:30:00+08:00 | order@0=HL000417+440366T001 | "
     "waybill@0=KY1 | waybill@0=KY2 | client_seq@0=417"},
    {"json/event_smallest.json", "event 1: message_type=PING"},
    {"json/event_status_last.json",
     "event 1: message_type=STATUS | function=response | "
     "reference=HL-2024-06-12-000417 | status=800 | unified@0=B20240612000331907 | "
     "entry@0=530320241000071"},
    {"kj/kj881101ciqrec_audit.xml", "kj-message 2: message_type=KJ881101CIQREC | "
                                    "message_id=KJ881101CIQREC_KJPUBLICPT_2024061212000000001 | "
                                    "sender=KJPUBLICPT | receiver=GZMUMIAN | status=C | status=N | "
                                    "sent_at=20240612120000"},
    {"kj/kj881110_list.xml",
     "kj-message 1: message_type=KJ881110 | "
     "message_id=KJ881110_GZMUMIAN_2024061211000000011 | function=cancel | "
     "sender=GZMUMIAN | receiver=KJPUBLICPT | receiver=CIQ | customs_office=5208 | "
     "inspection_office=442100 | exit_office=5208 | transport_mode=4 | "
     "trader=C010000000880018 | sent_at=20240612110000 | "
     "waybill@1=SF1400612330099 | bill@1=HP0612 | list@1=EL0612-9 | "
     "unified@1=EP20240612000009 | handbook@1=T5208W000004"},
    {"kj/kj881111_order.xml",
     "kj-message 2: message_type=KJ881111 | "
     "message_id=KJ881111_GZMUMIAN_2024061210300000417 | function=original | "
     "sender=GZMUMIAN | receiver=KJPUBLICPT | receiver=CUS | receiver=CIQ | "
     "customs_office=5141 | inspection_office=442302 | goods_code=1901101000 | "
     "goods_code=3304990039 | trader=C010000000880018 | sent_at=20240612103000 | "
     "order@1=MM0612-0001+C010000000880019 | order@2=MM0612-0002+C010000000880019 | "
     "payment@1=YT0612990001 | waybill@1=SF1400612330077"},
    {"kj/kj881112_payment.xml",
     "kj-message 1: message_type=KJ881112 | "
     "message_id=KJ881112_YUETONG_2024061210310000932 | function=change | "
     "sender=YUETONG | receiver=KJPUBLICPT | receiver=CUS | customs_office=5100 | "
     "inspection_office=440000 | trader=C010000000660001 | sent_at=20240612103100 | "
     "order@1=MM0612-0001+C010000000880019 | payment@1=YT0612990001"},
    {"kj/kjdocrec_failed.xml",
     "kj-receipt 1: message_type=KJDOCREC | "
     "message_id=KJDOCREC_KJPUBLICPT2024061210300512345 | function=response | "
     "sender=KJPUBLICPT | receiver=GZMUMIAN | "
     "reference=KJ881111_GZMUMIAN_2024061210300000417 | status=F | "
     "sent_at=20240612103005"},
    {"edifact/cusdec_d96b.edi",
     "edifact-cusdec 1: message_type=CUSDEC | "
     "message_id=4403180896+KA24031100417+KA0000417 | function=original | "
     "sender=4403180896 | receiver=5300000001 | customs_office=5317 | "
     "transport_mode=1 | goods_code=8542319000 | goods_code=8536901190 | "
     "trade_mode=0110 | trader=5317980011 | trader=4403180896 | "
     "sent_at=2403110915 | client_seq@0=531720240000417 | bill@0=KKLUTYO881204 | "
     "container@0=KKFU7204418 | container@0=TCLU4410926"},
    {"edifact/cusdec_d99b_crlf.edi",
     "edifact-cusdec 1: message_type=CUSDEC | "
     "message_id=440198052K+GZ24050600021+1 | function=change | sender=440198052K | "
     "receiver=5100000001 | exit_office=5141 | port=CNCAN | port=NLAMS | "
     "transport_mode=4 | goods_code=6109100021 | trade_mode=9710 | "
     "trader=440198052K | sent_at=2405061402 | client_seq@0=GZ24050600021 | "
     "entry@0=514120240501000217"},
    {"edifact/cuscar_d99b_entries.edi",
     "edifact-cuscar 3: message_type=CUSCAR | "
     "message_id=DXPENT0000018801+2405120007+YT2405120007 | function=original | "
     "sender=DXPENT0000018801 | receiver=DXPCUS5300 | port=CNYTN | port=THLCH | "
     "port=HKHKG | transport_mode=1 | trader=COSU | sent_at=2405120631 | "
     "client_seq@0=YT2405120007 | list@1=YT2405120007+1 | list@2=YT2405120007+2 | "
     "list@3=YT2405120007+3 | bill@1=COSU6371204410 | bill@2=COSU6371204455 | "
     "bill@3=COSU6371204460 | container@0=CSNU6231870 | voyage@0=9516404+047E"},
    {"edifact/cusres_d03b_group.edi",
     "edifact-cusres 1: message_type=CUSRES | "
     "message_id=5300000001+530000093311+R0000091 | function=response | "
     "sender=5300000001 | receiver=4403180896 | reference=KA24031100417 | "
     "status=P | customs_office=5317 | sent_at=2403110942 | "
     "entry@0=531720241170004173 | client_seq@0=KA24031100417"},
    {"edifact/cusres_d96b_bare.edi",
     "edifact-cusres 1: message_type=CUSRES | function=response | "
     "reference=GZ24050600021 | status=Z | status=B07 | status=C11 | "
     "entry@0=514120240501000217 | client_seq@0=GZ24050600021"},
};

Test(shipped_profiles, samples)
{
    struct profile_fixture *fixture = open_shipped();
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "tests/data/%s", samples[i].file);
        struct bytes text = fixture_load(path);
        cr_assert_not_null(text.data, "%s: run the tests from the top folder", path);
        const char *line = fixture_read_bytes(fixture, text);
        cr_expect_str_eq(line, samples[i].expected, "%s\n  expected %s\n  got      %s", path,
                         samples[i].expected, line);
        free((void *)text.data);
    }
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
        {"kj-receipt", IDENTIFY_BY_BODY, true},
        {"edifact-cusdec", IDENTIFY_BY_ID, false},
        {"edifact-cusres", IDENTIFY_BY_BODY, true},
        {"event", IDENTIFY_BY_ID, false},
    };
    struct profile_fixture *fixture = open_shipped();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct profile *profile =
            profile_set_find(&fixture->set, bytes_from_text(cases[i].name));
        cr_assert_not_null(profile, "%s", cases[i].name);
        cr_expect_eq(profile->identify, cases[i].identify, "%s", cases[i].name);
        cr_expect_eq(profile->receipt, cases[i].receipt, "%s", cases[i].name);
    }
    fixture_close(fixture);
}

Test(shipped_profiles, refusals)
{
    static const char *const cases[][2] = {
        {"<CEB311Message guid='1'/>", "UNKNOWNPROFILE 0"}, /* without its namespace */
        {"<CEB621Message xmlns='http://www.chinaport.gov.cn/ceb' "
         "guid='1'><Inventory><InventoryHead>"
         "<customsCode>51</customsCode></InventoryHead></Inventory></CEB621Message>",
         "CONSTRAINT 103 customs_office"},
        {"<InternationalTrade><Head><MessageType> </MessageType></Head></InternationalTrade>",
         "MISSING 82 message_type"},
        {"{\"messageType\":\"\"}", "UNKNOWNPROFILE 0"},
        {"{\"type\":\"ORDER\"}", "UNKNOWNPROFILE 0"},
        {"UNH+1+IFTMIN:D:96B:UN'UNT+2+1'", "UNKNOWNPROFILE 0"},
    };
    struct profile_fixture *fixture = open_shipped();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_str_eq(fixture_read(fixture, cases[i][0]), cases[i][1]);
    fixture_close(fixture);
}

/* The event has a member for each canonical field and each kind of key. */
Test(shipped_profiles, the_event_knows_every_field)
{
    struct profile_fixture *fixture = open_shipped();
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

/* ---- the corpus --------------------------------------------------------------------------------
 */

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

static const char *corpus(void)
{
    const char *root = getenv("KOUAN_CORPUS");
    struct stat info;
    root = root != NULL ? root : "../shared/corpus";
    if (stat(root, &info) == 0)
        return root;
    cr_log_info("skipped: no corpus at %s", root);
    return NULL;
}

Test(shipped_profiles, ceb_of_the_corpus)
{
    const char *root = corpus();
    if (root == NULL)
        return;
    struct profile_fixture *fixture = open_shipped();
    int count = check_folder(fixture, root, "2018-113/import") +
                check_folder(fixture, root, "2018-113/export") +
                check_folder(fixture, root, "202205/import") +
                check_folder(fixture, root, "202205/export");
    cr_expect_eq(count, 53);
    fixture_close(fixture);
}

Test(shipped_profiles, edifact_of_the_corpus)
{
    static const struct sample cases[] = {
        {"RovoMe__ts-edifact/CUSDEC.edi",
         "edifact-cusdec 1: message_type=CUSDEC | message_id=AAA676Y+200401270001+1 | "
         "function=original | sender=AAA676Y | receiver=AAA336C | port=AUMEL | port=USLAX | "
         "goods_code=03026200 | sent_at=0401270730 | client_seq@0=200401270001"},
        {"RovoMe__ts-edifact/CUSCAR.edi",
         "edifact-cuscar 1: message_type=CUSCAR | message_id=AAA676Y+200401270003+1 | "
         "function=original | sender=AAA676Y | receiver=AAA336C | goods_code=03026200 | "
         "sent_at=0401270730 | client_seq@0=200401270003 | list@1=200401270003+1"},
        {"EdiFabric__EDIFACT.NET/CargoReport.txt",
         "edifact-cuscar 1: message_type=CUSCAR | message_id=LOCK+54+CUSCAR54 | function=22 | "
         "sender=LOCK | receiver=CBP-ACE-TEST | port=0901 | port=U0107 | transport_mode=03 | "
         "trader=LOCK | trader=65424 | sent_at=200410161604 | client_seq@0=LOCKKH04112206 | "
         "list@1=LOCKKH04112206+3741"},
    };
    const char *root = corpus();
    if (root == NULL)
        return;
    struct profile_fixture *fixture = open_shipped();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/edifact/%s", root, cases[i].file);
        struct bytes text = fixture_load(path);
        cr_assert_not_null(text.data, "%s", path);
        cr_expect_str_eq(fixture_read_bytes(fixture, text), cases[i].expected);
        free((void *)text.data);
    }
    fixture_close(fixture);
}

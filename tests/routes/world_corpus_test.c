/* The shipped profiles of the international families over the gathered corpus, where it is there
 * (KOUAN_CORPUS or ../shared/corpus). What is expected was looked at file by file. */
#include <fts.h>

#include "profile_fixture.h"

/* ---- whole folders --------------------------------------------------------------------------- */

enum { FAMILIES_MAX = 8 };

/* How many files of a folder were read by each family, and how many were refused. */
struct tally {
    const char *family[FAMILIES_MAX];
    int count[FAMILIES_MAX];
    int size;
};

static void count(struct tally *tally, const char *family)
{
    int i = 0;
    while (i < tally->size && strcmp(tally->family[i], family) != 0)
        i++;
    if (i == tally->size) {
        cr_assert_lt(tally->size, FAMILIES_MAX);
        tally->family[tally->size++] = family;
    }
    tally->count[i]++;
}

/* Whether the text stands in the file just so. */
static bool stands_in(struct bytes text, struct bytes value)
{
    return memmem(text.data, text.size, value.data, value.size) != NULL;
}

static void read_file(struct profile_fixture *fixture, const char *path, struct tally *tally)
{
    struct reading reading;
    struct scan_fault fault = {0};
    struct bytes text = fixture_load(path);
    cr_assert_not_null(text.data, "%s", path);
    struct bytes body = fixture_body(text, 0);
    reader_reset(&fixture->reader);
    enum status status =
        read_message(&fixture->set, NULL, &fixture->reader, body, &reading, &fault);
    count(tally, status == STATUS_OK ? reading.profile->family : scan_reason_word(fault.reason));
    if (status == STATUS_OK && reading.profile->recognise.otherwise == false) {
        cr_expect_not_null(reading_value(&reading, SLOT_MESSAGE_TYPE).data, "%s has no type", path);
        static const enum slot slots[] = {SLOT_MESSAGE_ID, SLOT_REFERENCE};
        for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
            struct bytes id = reading_value(&reading, slots[i]);
            bool joined = strcmp(reading.profile->name, "ncts-phase-4") == 0;
            cr_expect(id.data == NULL || joined || stands_in(text, id), "%s: %.*s", path,
                      (int)id.size, id.data);
        }
    }
    free((void *)body.data);
    free((void *)text.data);
}

static void read_folder(struct profile_fixture *fixture, const char *folder, struct tally *tally)
{
    char *paths[] = {(char *)folder, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    cr_assert_not_null(tree);
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;)
        if (entry->fts_info == FTS_F)
            read_file(fixture, entry->fts_path, tally);
    fts_close(tree);
}

Test(world_corpus, families)
{
    static const struct {
        const char *folder;
        struct tally expected;
    } cases[] = {
        {"xml/hmrc__customs-declarations", {{"wco", "xml", "MALFORMED"}, {30, 3, 1}, 3}},
        {"xml/hmrc__ctc-traders-example-java-client", {{"ncts"}, {3}, 1}},
        {"xml/hmrc__ctc-traders-phase5-tis", {{"ncts"}, {2}, 1}},
        {"xml/hmrc__transit-movements-validator", {{"ncts"}, {23}, 1}},
        {"xml/riege__one-record-converter", {{"iata"}, {7}, 1}},
        {"xml/sc001cs__AsycudaXML", {{"asycuda"}, {2}, 1}},
        {"xml/skat__emcs-b2b-ws-sample-client-java", {{"emcs"}, {16}, 1}},
        {"xml/OCA__edi", {{"xml"}, {2}, 1}},
        {"json/hmrc__transit-movements-validator", {{"ncts", "TRAILING"}, {15, 1}, 2}},
        {"json/dcsaorg__Conformance-Gateway", {{"dcsa", "json"}, {41, 2}, 2}},
        {"json/IATA-Cargo__one-record-server-java", {{"onerecord", "MALFORMED"}, {17, 1}, 2}},
    };
    const char *root = fixture_corpus();
    if (root == NULL)
        return;
    struct profile_fixture *fixture = fixture_open_shipped();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char folder[512];
        struct tally tally = {0};
        snprintf(folder, sizeof folder, "%s/%s", root, cases[i].folder);
        read_folder(fixture, folder, &tally);
        cr_expect_eq(tally.size, cases[i].expected.size, "%s", folder);
        for (int k = 0; k < cases[i].expected.size; k++) {
            int found = 0;
            for (int n = 0; n < tally.size; n++)
                if (strcmp(tally.family[n], cases[i].expected.family[k]) == 0)
                    found = tally.count[n];
            cr_expect_eq(found, cases[i].expected.count[k], "%s: %d %s", folder, found,
                         cases[i].expected.family[k]);
        }
    }
    fixture_close(fixture);
}

/* ---- EDIFACT, type by type ------------------------------------------------------------------- */

Test(world_corpus, edifact)
{
    static const struct {
        const char *file, *expected;
    } cases[] = {
        {"RovoMe__ts-edifact/CUSDEC.edi",
         "edifact-cusdec 1: message_type=CUSDEC | message_id=AAA676Y+200401270001+1 | "
         "function=original | sender=AAA676Y | receiver=AAA336C | port=AUMEL | port=USLAX | "
         "goods_code=03026200 | sent_at=0401270730 | client_seq@0=200401270001"},
        {"RovoMe__ts-edifact/CUSCAR.edi",
         "edifact-cuscar 1: message_type=CUSCAR | message_id=AAA676Y+200401270003+1 | "
         "function=original | sender=AAA676Y | receiver=AAA336C | port=9034P | "
         "goods_code=03026200 | sent_at=0401270730 | client_seq@0=200401270003 | "
         "list@1=200401270003+1"},
        {"EdiFabric__EDIFACT.NET/CargoReport.txt",
         "edifact-cuscar 1: message_type=CUSCAR | message_id=LOCK+54+CUSCAR54 | function=22 | "
         "sender=LOCK | receiver=CBP-ACE-TEST | port=0901 | port=U0107 | transport_mode=03 | "
         "trader=LOCK | trader=65424 | sent_at=200410161604 | client_seq@0=LOCKKH04112206 | "
         "list@1=LOCKKH04112206+3741 | bill@1=LOCKKH041122106 | container@1=10000325"},
        {"RovoMe__ts-edifact/CUSREP.edi",
         "edifact-cusrep 1: message_type=CUSREP | message_id=AAA676Y+200401270013+1 | "
         "function=original | sender=AAA676Y | receiver=AAA336C | port=9053M | port=NZAKL | "
         "sent_at=0401270830 | client_seq@0=200401270013 | voyage@0=N3+N1"},
        {"nerdocs__pydifact/aperak_rejected.edi",
         "edifact-aperak 1: message_type=APERAK | message_id=RECEIVERID+000000003+1 | "
         "function=response | sender=RECEIVERID | receiver=SENDERID | reference=PO123456 | "
         "status=12 | sent_at=2503221230"},
        {"php-edifact__edifact-generator/SAMPLES.md.CODECO.edi",
         "edifact-container 1: message_type=CODECO | "
         "message_id=ME+I5C520285973E2+M5C52028597E23 | function=change | sender=ME | "
         "receiver=YOU | transport_mode=3 | trader=COS | sent_at=1901302101 | "
         "order@1=4006531400 | container@1=CBHU1234567"},
        {"php-edifact__edifact-generator/SAMPLES.md.COPARN.edi",
         "edifact-container 1: message_type=COPARN | "
         "message_id=ME+I5C5201079DADD+M5C5201079DE48 | function=change | sender=ME | "
         "receiver=YOU | port=ITGOA | port=HKHKG | transport_mode=3 | trader=COS | "
         "sent_at=1901302054 | order@0=400123456 | container@1=CBHU1234567 | "
         "voyage@0=XNOE+0002W"},
        {"php-edifact__edifact-generator/SAMPLES.md.COPINO.edi",
         "edifact-container 1: message_type=COPINO | "
         "message_id=ME+I5C51FF1C8CD34+M5C51FF1C8CF9A | function=original | sender=ME | "
         "receiver=YOU | port=HKHKG | port=ITGOA | transport_mode=8 | transport_mode=1 | "
         "sent_at=1901302046 | order@1=4001234567 | container@1=CBHU1234567"},
        {"php-edifact__edifact-generator/SAMPLES.md.COPRAR.edi",
         "edifact-container-list 1: message_type=COPRAR | "
         "message_id=ME+I5C5204015D145+M5C5204015D3A1 | function=change | sender=ME | "
         "receiver=YOU | port=ITGOA | port=HKHKG | transport_mode=1 | trader=COS | "
         "sent_at=1901302107 | voyage@0=XNOE+0002W | container@0=CBHU1234567"},
        {"php-edifact__edifact-generator/SAMPLES.md.VERMAS.edi",
         "edifact-container 1: message_type=VERMAS | "
         "message_id=ME+I5C51FD6BE2EEA+M5C51FD6BE3109 | function=change | sender=ME | "
         "receiver=YOU | sent_at=1901302039 | order@1=4001234567 | container@1=CBHU1234567"},
        {"php-edifact__edifact/D95BBAPLIE.edi",
         "edifact-bayplan 1: message_type=BAPLIE | message_id=LBCTI+1865+1907 | "
         "sender=LBCTI | receiver=OOCLIES | port=USLGB | sent_at=1604140307 | "
         "voyage@0=VRIB3+042 | container@0=OOLU4293959 | container@0=MOEU0710945 | "
         "container@0=OOLU8757889"},
        {"xlate__staedi/baplie-test.edi",
         "edifact-bayplan 1: message_type=BAPLIE | message_id=SENDER+UNIQUEID1234+SENDER123 | "
         "function=original | sender=SENDER | receiver=RECIPIENT | port=EGPSD | port=GRPIR | "
         "trader=CARRIERID | sent_at=0903041230 | voyage@0=DLHV+VOYAGENO123 | "
         "container@0=TOLU 2566410"},
        {"EdiFabric__EDIFACT.NET/Instruction.txt",
         "edifact-booking 1: message_type=IFTMIN | message_id=SID+I-EX1/1+ME000001 | "
         "function=original | sender=SID | receiver=RID | port=5412345678908 | "
         "transport_mode=30 | trader=5411234512309 | trader=5412345123453 | "
         "trader=5411234444402 | sent_at=201304301159 | client_seq@0=569952+SID"},
        {"php-edifact__edifact/example_multiline.edi",
         "edifact-booking 1: message_type=IFTMBC | message_id=CARRIER+251+0001 | "
         "function=original | sender=CARRIER | receiver=RECEIVER-ID | sent_at=999818999 | "
         "client_seq@0=AAA99970929+CARRIER"},
        {"EdiFabric__EDIFACT.NET/TransportStatus.txt",
         "edifact-consignments 4: message_type=IFTSTA | message_id=SID+I-EX1/1+ME000021 | "
         "function=original | sender=SID | receiver=RID | status=21 | status=31 | status=17 | "
         "status=49 | status=21 | trader=5412345123453 | trader=5422331123459 | "
         "sent_at=201304301159 | "
         "bill@1=4215A | bill@2=5122C | bill@3=5145E | bill@4=7655S"},
        {"indice-co__EDI.Net/edifact.D01B.IFCSUM.EDI",
         "edifact-consignments 1: message_type=IFCSUM | message_id=5011408000007+2216+1 | "
         "function=original | sender=5011408000007 | receiver=5999999999952 | "
         "transport_mode=10 | trader=5999999999950 | trader=5011408000007. | "
         "sent_at=1805252030 | bill@1=311447177"},
        {"portxchange__scala-edifact-parser/VIFTSAI0000004.txt",
         "edifact-schedule 1: message_type=IFTSAI | message_id=HYUNDAI+4+VIFTSAI0000004 | "
         "function=original | sender=HYUNDAI | receiver=PORTOFROTTERDAM | port=NLRTM | "
         "port=CNTAO | port=KRPUS | port=CNNGB | port=CNYTN | port=MYTPP | port=EGSUZ | "
         "port=GBFXT | port=BEANR | port=ESALG | port=SGSIN | port=HKHKG | port=CNSHA | "
         "transport_mode=1 | sent_at=1905161528 | voyage@0=OWYZ2+JRGM915W"},
        {"portxchange__scala-edifact-parser/VIFTSAI0000001.txt", /* no UNZ */
         "edifact-schedule 1: message_type=IFTSAI | message_id=HYUNDAI+1+VIFTSAI0000001 | "
         "function=original | sender=HYUNDAI | receiver=PORTOFROTTERDAM | port=NLRTM | "
         "port=CNTAO | port=KRPUS | port=CNNGB | port=EGPSE | port=CNYTN | port=EGSUZ | "
         "transport_mode=1 | sent_at=1903141128 | voyage@0=OWJG2+JMDS905W"},
        {"nerdocs__pydifact/order.edi",
         "edifact-other 1: message_type=ORDERS | message_id=12345678+807+1 | function=original | "
         "sender=12345678 | receiver=WBDZDD | sent_at=0810120255 | "
         "client_seq@0=801715918011+12345678"},
        {"jskrobak__underware.Edifact/D93A_ORDERS.txt", /* lines of 998 */
         "edifact-other 1: message_type=ORDERS | message_id=4399901710603+9608+00009608000001 | "
         "sender=4399901710603 | receiver=8590309000006 | sent_at=1903111716 | "
         "client_seq@0=168677+4399901710603"},
        {"xlate__staedi/wrapped_invoic_d97b.edi", /* lines of 50 characters */
         "edifact-other 1: message_type=INVOIC | "
         "message_id=005435656+00000000000778+00000000000117 | function=original | "
         "sender=005435656 | receiver=006415160 | sent_at=0605151434 | "
         "client_seq@0=342459+005435656"},
        {"xlate__staedi/wrapped_invoic_d97b_una.edi", /* lines of 15 */
         "edifact-other 1: message_type=INVOIC | "
         "message_id=005435656+00000000000778+00000000000117 | function=original | "
         "sender=005435656 | receiver=006415160 | sent_at=0605151434 | "
         "client_seq@0=342459+005435656"},
        {"smooks__smooks-edi-cartridge/paxlst.txt",
         "edifact-passengers 1: message_type=PAXLST | message_id=LOCK+16+PAXLST16 | "
         "function=change | sender=LOCK | receiver=CBP-ACE-TEST | trader=LOCK | "
         "sent_at=0410131901"},
        {"indice-co__EDI.Net/edifact.D95B.CUSCAR.EDI",
         "edifact-other 1: message_type=EDIFACT | "
         "message_id=MSC+20170119101016+201701191AB652 | function=original | sender=MSC | "
         "receiver=ECA | sent_at=201701191010 | client_seq@0=201701191AB652+MSC | "
         "bill@0=MSCUDF421004 | bill@0=MSCUEK569969"},
        {"RovoMe__ts-edifact/GENRAL.edi",
         "edifact-other 1: message_type=GENRAL | message_id=AAA676Y+200401270016+1 | "
         "function=13 | sender=AAA676Y | receiver=AAA336C | sent_at=0401271200 | "
         "client_seq@0=200401270016+AAA676Y"},
    };
    const char *root = fixture_corpus();
    if (root == NULL)
        return;
    struct profile_fixture *fixture = fixture_open_shipped();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/edifact/%s", root, cases[i].file);
        struct bytes text = fixture_load(path);
        cr_assert_not_null(text.data, "%s", path);
        const char *line = fixture_read_bytes(fixture, text);
        cr_expect_str_eq(line, cases[i].expected, "%s\n  expected %s\n  got      %s", path,
                         cases[i].expected, line);
        free((void *)text.data);
    }
    fixture_close(fixture);
}

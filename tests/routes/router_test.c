#include "routes/router.h"

#include "tests/routes/profile_fixture.h"

static const char profiles_text[] = "profile: notes\n"
                                    "family: note\n"
                                    "format: json\n"
                                    "recognise: { key: note }\n"
                                    "fields:\n"
                                    "  message_type: { constant: NOTE }\n"
                                    "  message_id: note\n"
                                    "---\n"
                                    "profile: orders\n"
                                    "family: un\n"
                                    "format: edifact\n"
                                    "recognise: { type: ORDERS }\n"
                                    "fields:\n"
                                    "  message_type: UNH/2/1\n"
                                    "  message_id: { join: [UNB/5, UNH/1] }\n"
                                    "  sender: UNB/2/1\n"
                                    "keys:\n"
                                    "  order: RFF/1\n"
                                    "---\n"
                                    "profile: replies\n"
                                    "family: un\n"
                                    "format: edifact\n"
                                    "recognise: { type: ORDRSP }\n"
                                    "fields:\n"
                                    "  message_type: UNH/2/1\n"
                                    "  reference: { path: RFF/1, required: true }\n";

enum { TEXT_BYTES = 4 * 1024 * 1024 };

struct stand {
    struct profile_fixture *profiles;
    struct generation generation;
    struct participant participant;
    const struct participant *participants[1];
    struct channel channel;
    struct router *router;
    struct arrival arrivals[ROUTER_BATCH_MAX];
    struct routing routings[ROUTER_BATCH_MAX];
    uint32_t routing_count;
    uint64_t now_ms;
    char *text; /* of the bodies, one behind the other */
    size_t used;
};

static struct stand *stand_open(void)
{
    static const struct digest_secret secret = {.bytes = {1}};
    struct stand *stand = calloc(1, sizeof *stand);
    stand->profiles = fixture_open();
    fixture_parse(stand->profiles, profiles_text);
    fixture_build(stand->profiles);
    cr_assert_str_empty(fixture_diagnostics(stand->profiles));
    stand->participant = (struct participant){.name = "anonymous",
                                              .name_bytes = BYTES_LITERAL("anonymous"),
                                              .scope_name = BYTES_LITERAL("participant anonymous")};
    stand->participants[0] = &stand->participant;
    stand->channel = (struct channel){.name = "in"};
    memset(stand->channel.profiles, 0xFF, sizeof stand->channel.profiles);
    struct arena *arena = &stand->profiles->arena;
    stand->generation = (struct generation){.profiles = stand->profiles->set,
                                            .matcher = matcher_compile(arena, NULL, 0),
                                            .open = true,
                                            .unroutable_destination = 3};
    participant_directory_build(arena, stand->participants, 1, &stand->generation.directory,
                                &stand->profiles->diagnostics, "kouan.yaml");
    cr_assert_eq(router_open(&secret, READING_ENTRIES_DEFAULT, &stand->router), STATUS_OK);
    stand->text = calloc(1, TEXT_BYTES);
    return stand;
}

static void stand_close(struct stand *stand)
{
    router_close(stand->router);
    fixture_close(stand->profiles);
    free(stand->text);
    free(stand);
}

/* ---- bodies ---- */

static void put(struct stand *stand, const char *text)
{
    size_t size = strlen(text);
    cr_assert_lt(stand->used + size + BYTES_PADDING, TEXT_BYTES);
    memcpy(stand->text + stand->used, text, size);
    stand->used += size;
}

static void put_message(struct stand *stand, const char *type, unsigned number, unsigned keys)
{
    char text[128];
    snprintf(text, sizeof text, "UNH+%u+%s:D:96B:UN'", number, type);
    put(stand, text);
    for (unsigned i = 0; i < keys; i++) {
        snprintf(text, sizeof text, "RFF+%u'", i);
        put(stand, text);
    }
    snprintf(text, sizeof text, "UNT+%u+%u'", keys + 2, number);
    put(stand, text);
}

static void end_body(struct stand *stand, uint32_t arrival, size_t start)
{
    stand->arrivals[arrival] = (struct arrival){
        .body = bytes_make(stand->text + start, stand->used - start),
        .channel = &stand->channel,
        .participant = &stand->participant,
    };
    stand->used += BYTES_PADDING;
}

static void put_interchange(struct stand *stand, uint32_t arrival, const char *reference,
                            unsigned count, unsigned keys)
{
    size_t start = stand->used;
    put(stand, "UNB+UNOA:1+S+R+260101:1200+");
    put(stand, reference);
    put(stand, "'");
    for (unsigned i = 1; i <= count; i++)
        put_message(stand, "ORDERS", i, keys);
    put(stand, "UNZ+1+R'");
    end_body(stand, arrival, start);
}

static void put_text(struct stand *stand, uint32_t arrival, const char *text)
{
    size_t start = stand->used;
    put(stand, text);
    end_body(stand, arrival, start);
}

static uint32_t decide(struct stand *stand, uint32_t first, uint32_t count)
{
    return router_decide(stand->router, &stand->generation, stand->arrivals + first, count,
                         stand->now_ms, stand->routings, &stand->routing_count);
}

static const char *refusal_of(const struct routing *routing)
{
    static char text[512];
    if (!routing->refused)
        return "";
    routing_describe_refusal(routing, text, sizeof text);
    return text;
}

/* ---- what a body comes to ---- */

Test(router, a_body_of_one_message_is_one_routing)
{
    struct stand *stand = stand_open();
    put_interchange(stand, 0, "A", 1, 0);
    put_text(stand, 1, "{\"note\":\"1\"}");
    cr_assert_eq(decide(stand, 0, 2), 2);
    cr_assert_eq(stand->routing_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct routing *routing = &stand->routings[i];
        cr_assert_str_eq(refusal_of(routing), "");
        cr_assert_eq(routing->arrival, &stand->arrivals[i]);
        cr_assert_eq(routing->part_count, 1);
        cr_assert_eq(routing->body.data, stand->arrivals[i].body.data);
        cr_assert(bytes_equal(routing->whole, stand->arrivals[i].body));
        cr_assert(destination_set_has(&routing->deliver, 3));
    }
    stand_close(stand);
}

Test(router, a_part_is_a_message_of_its_own_in_its_envelope)
{
    static const char *const wholes[] = {
        "UNA:+.? 'UNB+UNOA:1+S+R+260101:1200+A'UNG+X'UNH+1+ORDERS'RFF+7'UNT+3+1'",
        "UNA:+.? 'UNB+UNOA:1+S+R+260101:1200+A'UNG+X'UNH+2+ORDRSP'RFF+8'UNT+3+2'",
        "UNA:+.? 'UNB+UNOA:1+S+R+260101:1200+B'UNH+3+ORDERS'UNT+2+3'"};
    struct stand *stand = stand_open();
    put_text(stand, 0,
             "UNA:+.? '\nUNB+UNOA:1+S+R+260101:1200+A'\nUNG+X'\nUNH+1+ORDERS'RFF+7'UNT+3+1'\n"
             "UNH+2+ORDRSP'RFF+8'UNT+3+2'UNE+2+X'UNZ+1+A'\n"
             "UNB+UNOA:1+S+R+260101:1200+B'UNH+3+ORDERS'UNT+2+3'UNZ+1+B'");
    cr_assert_eq(decide(stand, 0, 1), 1);
    cr_assert_eq(stand->routing_count, 3);
    for (uint16_t i = 0; i < 3; i++) {
        const struct routing *routing = &stand->routings[i];
        cr_assert_str_eq(refusal_of(routing), "");
        cr_assert_eq(routing->part_number, i + 1);
        cr_assert_eq(routing->part_count, 3);
        cr_assert(bytes_equal_text(routing->whole, wholes[i]), "%.*s", (int)routing->whole.size,
                  routing->whole.data);
        struct bytes end = bytes_slice(routing->whole, routing->whole.size - routing->body.size,
                                       routing->body.size);
        cr_assert(bytes_equal(routing->body, end));
        cr_assert(bytes_start_with(routing->body, BYTES_LITERAL("UNH+")));
    }
    cr_assert(bytes_equal_text(reading_value(&stand->routings[0].reading, SLOT_SENDER), "S"));
    cr_assert(bytes_equal_text(reading_value(&stand->routings[1].reading, SLOT_REFERENCE), "8"));
    cr_assert(bytes_equal_text(reading_value(&stand->routings[2].reading, SLOT_MESSAGE_ID), "B+3"));
    stand_close(stand);
}

Test(router, equal_messages_in_two_interchanges_differ)
{
    struct stand *stand = stand_open();
    put_text(stand, 0,
             "UNB+UNOA:1+S+R+1:1+A'UNH+1+ORDRSP'RFF+8'UNT+3+1'UNH+1+ORDRSP'RFF+8'"
             "UNT+3+1'UNZ+2+A'");
    put_text(stand, 1,
             "UNB+UNOA:1+S+R+1:1+B'UNH+1+ORDRSP'RFF+8'UNT+3+1'UNH+1+ORDRSP'RFF+8'"
             "UNT+3+1'UNZ+2+B'");
    cr_assert_eq(decide(stand, 0, 2), 2);
    cr_assert_eq(stand->routing_count, 4);
    const struct routing *routings = stand->routings;
    cr_assert(digest_equal(routings[0].body_digest, routings[1].body_digest));
    cr_assert(digest_equal(routings[0].identity, routings[1].identity));
    cr_assert_not(digest_equal(routings[0].body_digest, routings[2].body_digest));
    cr_assert_not(digest_equal(routings[0].identity, routings[2].identity), "they are by body");
    stand_close(stand);
}

Test(router, a_given_id_is_the_first_parts)
{
    struct stand *stand = stand_open();
    put_interchange(stand, 0, "A", 1, 0);
    put_interchange(stand, 1, "B", 3, 0);
    for (uint32_t i = 0; i < 2; i++) {
        stand->arrivals[i].given_producer = BYTES_LITERAL("p");
        stand->arrivals[i].given_id = BYTES_LITERAL("7");
    }
    cr_assert_eq(decide(stand, 0, 2), 2);
    cr_assert_eq(stand->routing_count, 4);
    const struct routing *routings = stand->routings;
    cr_assert(digest_equal(routings[0].identity, routings[1].identity));
    cr_assert_not(digest_equal(routings[1].identity, routings[2].identity));
    cr_assert_not(digest_equal(routings[2].identity, routings[3].identity));
    stand_close(stand);
}

/* ---- refused ---- */

/* The window outlives the configuration that numbers participants and scopes. */
Test(router, an_identity_depends_on_the_scopes_name_and_on_no_number)
{
    static const char *const names[] = {"participant a", "participant a", "scope a"};
    static const uint16_t numbers[] = {1, 7, 1};
    struct stand *stand = stand_open();
    struct digest identities[3][3];
    put_text(stand, 0, "{\"note\":\"1\"}");
    put_text(stand, 1, "UNB+UNOA:1+S+R+260101:1200+A'UNH+1+ORDRSP'RFF+1'UNT+3+1'UNZ+1+R'");
    put_text(stand, 2, "{\"note\":\"2\"}");
    stand->arrivals[2].given_id = BYTES_LITERAL("id");
    stand->arrivals[2].given_producer = BYTES_LITERAL("producer");
    for (uint32_t i = 0; i < 3; i++) {
        stand->participant.scope_name = bytes_from_text(names[i]);
        stand->participant.scope = stand->participant.index = numbers[i];
        cr_assert_eq(decide(stand, 0, 3), 3);
        for (uint32_t k = 0; k < 3; k++) {
            cr_assert_str_eq(refusal_of(&stand->routings[k]), "");
            identities[i][k] = stand->routings[k].identity;
        }
    }
    for (uint32_t k = 0; k < 3; k++) {
        cr_assert(digest_equal(identities[0][k], identities[1][k]));
        cr_assert_not(digest_equal(identities[0][k], identities[2][k]));
    }
    stand_close(stand);
}

Test(router, a_refused_part_is_named)
{
    static const struct {
        const char *body, *expected;
    } cases[] = {
        {"UNB+UNOA:1+S+R+1:1+A'UNH+1+ORDERS'UNT+2+1'UNH+X2+ORDRSP'UNT+2+X2'UNZ+2+A'",
         "MISSING at byte 65: reference (message 2 of 2, UNH X2)"},
        {"UNB+UNOA:1+S+R+1:1+A'UNH+1+ORDRSP'UNT+2+1'UNH+2+ORDRSP'UNT+2+2'UNZ+2+A'",
         "MISSING at byte 42: reference (message 1 of 2, UNH 1)"},
        {"UNB+UNOA:1+S+R+1:1+A'UNH+1+NONE'UNT+2+1'UNH+2+ORDERS'UNT+2+2'UNZ+2+A'",
         "UNKNOWNPROFILE at byte 21: well begun, but no profile recognises it (message 1 of 2, "
         "UNH 1)"},
        /* Where it cannot be taken apart, there are no parts to name. */
        {"UNB+UNOA:1+S+R+1:1+A'UNH+1+ORDERS'UNT+2+1'UNH+2+ORDERS'", "TRUNCATED at byte 55: "},
        {"UNB+UNOA:1+S+R+1:1+A'UNH+1+ORDERS'UNT+2+1'UNH+2+ORDERS'U?T+2+2'UNZ+2+A'", "MALFORMED"},
        {"{\"note\":", "TRUNCATED at byte 8"},
    };
    struct stand *stand = stand_open();
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_text(stand, 0, cases[i].body);
        cr_assert_eq(decide(stand, 0, 1), 1);
        const struct routing *refused = routing_find_refused(stand->routings);
        cr_assert_not_null(refused, "case %u", i);
        cr_expect(bytes_start_with(bytes_from_text(refusal_of(refused)),
                                   bytes_from_text(cases[i].expected)),
                  "case %u: %s", i, refusal_of(refused));
    }
    stand_close(stand);
}

Test(router, an_envelope_has_a_bound)
{
    struct stand *stand = stand_open();
    char reference[2048];
    for (size_t size = 980; size < 1010; size++) {
        memset(reference, 'x', size);
        reference[size] = '\0';
        put_interchange(stand, 0, reference, 2, 0);
        cr_assert_eq(decide(stand, 0, 1), 1);
        size_t envelope = strlen("UNB+UNOA:1+S+R+260101:1200+'") + size;
        const struct routing *refused = routing_find_refused(stand->routings);
        cr_assert_eq(refused != NULL, envelope > ROUTER_ENVELOPE_BYTES_MAX, "%zu", envelope);
    }
    stand_close(stand);
}

/* ---- batches ---- */

Test(router, a_batch_ends_before_what_does_not_fit_it)
{
    struct stand *stand = stand_open();
    for (uint32_t i = 0; i < 10; i++)
        put_interchange(stand, i, "A", 100, 1);
    put_interchange(stand, 10, "A", EDIFACT_PARTS_MAX, 0);
    put_interchange(stand, 11, "A", EDIFACT_PARTS_MAX + 1, 0);
    put_text(stand, 12, "{\"note\":\"1\"}");
    uint32_t expected[][2] = {{2, 200}, {2, 200}, {2, 200}, {2, 200}, {2, 200}, {1, 256}, {2, 2}};
    uint32_t first = 0;
    for (uint32_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        cr_assert_eq(decide(stand, first, 13 - first), expected[i][0], "batch %u", i);
        cr_assert_eq(stand->routing_count, expected[i][1], "batch %u", i);
        first += expected[i][0];
    }
    cr_assert(bytes_start_with(bytes_from_text(refusal_of(&stand->routings[0])),
                               BYTES_LITERAL("TOOMANYMESSAGES")));
    cr_assert_str_eq(refusal_of(&stand->routings[1]), "");
    stand_close(stand);
}

/* 4 * READING_OCCURRENCES_MAX is what a batch may hold. */
Test(router, an_interchange_with_more_values_than_a_batch_holds_is_refused)
{
    enum { KEYS = 300 };
    struct stand *stand = stand_open();
    put_text(stand, 0, "{\"note\":\"1\"}");
    put_interchange(stand, 1, "A", 100, KEYS);
    put_interchange(stand, 2, "A", 120, KEYS);
    cr_assert_eq(decide(stand, 0, 3), 2);
    cr_assert_eq(stand->routing_count, 101);
    cr_assert_eq(decide(stand, 2, 1), 1);
    cr_assert_eq(stand->routing_count, 120);
    const struct routing *refused = routing_find_refused(stand->routings);
    cr_assert_not_null(refused);
    cr_assert_gt(refused->part_number, 100);
    cr_assert(
        bytes_start_with(bytes_from_text(refusal_of(refused)), BYTES_LITERAL("TOOMANYVALUES")));
    stand_close(stand);
}

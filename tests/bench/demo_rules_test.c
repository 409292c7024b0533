/* The day against the real readers and the demo's real tables: what bench/ says of its messages
 * (types, functions, refusals, destinations) is what routes/ finds in them. */
#include "bench/day/demo_rules.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "bench/day/fault.h"
#include "routes/match/match.h"
#include "routes/read/read.h"

enum { COUNT = 60000 };

struct house {
    struct arena arena;
    struct diagnostics diagnostics;
    struct profile_list list;
    struct profile_set profiles;
    struct reader reader;
    struct day day;
    uint8_t body[DAY_MESSAGE_BYTES_MAX + BYTES_PADDING];
};

static void expect_no_diagnostics(const struct house *house)
{
    if (house->diagnostics.error_count + house->diagnostics.warning_count > 0)
        diagnostics_print(&house->diagnostics, stderr);
    cr_assert_eq(house->diagnostics.error_count + house->diagnostics.warning_count, 0);
}

static struct house *open_house(uint64_t seed)
{
    static struct house house;
    arena_init(&house.arena);
    diagnostics_init(&house.diagnostics);
    profile_parse_shipped(&house.arena, &house.list, &house.diagnostics);
    profile_set_build(&house.arena, &house.list, &house.profiles, &house.diagnostics);
    expect_no_diagnostics(&house);
    cr_assert_eq(reader_open(&house.reader, 1 << 16, 1 << 20), STATUS_OK);
    struct day_settings settings = {
        .seed = seed, .message_count = COUNT, .stream_count = EPORT_COUNT};
    cr_assert_eq(day_open(&settings, &house.day), STATUS_OK);
    return &house;
}

static void close_house(struct house *house)
{
    day_close(&house->day);
    reader_close(&house->reader);
    diagnostics_deinit(&house->diagnostics);
    arena_deinit(&house->arena);
}

static enum status read_one(struct house *house, uint32_t index, struct reading *out_reading,
                            struct scan_fault *out_fault)
{
    struct bytes body = bytes_make(house->body, day_render(&house->day, index, house->body));
    reader_reset(&house->reader);
    return read_message(&house->profiles, NULL, &house->reader, body, out_reading, out_fault);
}

Test(demo_rules, messages_are_read_or_refused_as_planned)
{
    struct house *house = open_house(31);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct day_message *message = &house->day.messages[i];
        struct reading reading;
        struct scan_fault fault = {0};
        enum status status = read_one(house, i, &reading, &fault);
        if (message->fate == FATE_MALFORMED) {
            cr_assert_eq(status, STATUS_INVALID, "message %u: %s", i,
                         fault_text((enum day_fault)message->fault));
            cr_assert_str_eq(scan_reason_word(fault.reason),
                             fault_reason((enum day_fault)message->fault), "message %u: %s", i,
                             fault_text((enum day_fault)message->fault));
            continue;
        }
        cr_assert_eq(status, STATUS_OK, "message %u: %s at %u: %s", i,
                     scan_reason_word(fault.reason), fault.offset,
                     fault.what != NULL ? fault.what : "");
        cr_assert(bytes_equal_text(reading_value(&reading, SLOT_MESSAGE_TYPE),
                                   form_message_type((enum day_kind)message->kind)),
                  "message %u", i);
        struct bytes function = reading_value(&reading, SLOT_FUNCTION);
        bool supersedes =
            bytes_equal_text(function, "change") || bytes_equal_text(function, "cancel");
        const struct day_message *original =
            message->fate == FATE_REPLAY ? &house->day.messages[message->twin] : message;
        cr_assert_eq(supersedes, original->fate == FATE_AMENDMENT, "message %u: %.*s", i,
                     (int)function.size, (const char *)function.data);
    }
    close_house(house);
}

/* Messages of one order key have the same first key, and so keep their order. */
Test(demo_rules, order_keys_are_the_first_keys)
{
    struct house *house = open_house(32);
    static char keys[COUNT][128];
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct day_message *message = &house->day.messages[i];
        struct reading reading;
        struct scan_fault fault;
        if (message->fate == FATE_MALFORMED)
            continue;
        cr_assert_eq(read_one(house, i, &reading, &fault), STATUS_OK);
        char key[128] = "none";
        for (uint16_t k = 0; k < reading.count; k++) {
            const struct occurrence *found = &reading.occurrences[k];
            if (!slot_is_key((enum slot)found->slot))
                continue;
            snprintf(key, sizeof key, "%u:%.*s", found->slot, (int)found->value.size,
                     (const char *)found->value.data);
            break;
        }
        char *known = keys[message->order_key];
        if (known[0] == '\0')
            snprintf(known, sizeof keys[0], "%s", key);
        cr_assert_str_eq(known, key, "message %u", i);
    }
    close_house(house);
}

/* ---- The tables ------------------------------------------------------------------------------ */

static struct bytes read_file(struct arena *arena, const char *path)
{
    static uint8_t content[64 * 1024];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    size_t size = fread(content, 1, sizeof content, file);
    fclose(file);
    return arena_copy(arena, bytes_make(content, size));
}

static const struct rule_table *parse_table(struct house *house, struct charsets *charsets,
                                            const char *name, const struct rule_names *names)
{
    char path[128];
    snprintf(path, sizeof path, "bench/demo/rules/%s.csv", name);
    return rule_table_parse(&house->arena, charsets, name, path, read_file(&house->arena, path),
                            names, &house->diagnostics);
}

Test(demo_rules, tables_send_messages_where_the_sheet_does)
{
    struct house *house = open_house(33);
    struct charsets *charsets = charsets_open();
    const char *destinations[OUTLET_COUNT];
    for (uint32_t o = 0; o < OUTLET_COUNT; o++)
        destinations[o] = day_outlet_name((enum day_outlet)o);
    const struct value_list *bonded = value_list_parse(
        &house->arena, charsets, "bonded", "bench/demo/lists/bonded.txt",
        read_file(&house->arena, "bench/demo/lists/bonded.txt"), &house->diagnostics);
    struct rule_names names = {destinations, OUTLET_COUNT, &bonded, 1};
    const struct rule_table *tables[OUTLET_COUNT];
    for (uint32_t o = 0; o < OUTLET_COUNT; o++)
        tables[o] = parse_table(house, charsets, destinations[o], &names);
    expect_no_diagnostics(house);
    const struct matcher *matcher = matcher_compile(&house->arena, tables, OUTLET_COUNT);
    struct match_scratch *scratch;
    cr_assert_eq(match_scratch_open(&scratch), STATUS_OK);

    for (uint32_t i = 0; i < COUNT; i++) {
        const struct day_message *message = &house->day.messages[i];
        struct reading reading;
        struct scan_fault fault;
        struct decision decision;
        if (message->fate == FATE_MALFORMED)
            continue;
        cr_assert_eq(read_one(house, i, &reading, &fault), STATUS_OK);
        match_run(matcher, scratch, &reading, 0, &decision);
        for (uint16_t o = 0; o < OUTLET_COUNT; o++)
            cr_assert_eq(destination_set_has(&decision.deliver, o), message->outlets >> o & 1,
                         "message %u (%s) to %s", i,
                         form_message_type((enum day_kind)message->kind), destinations[o]);
    }
    match_scratch_close(scratch);
    charsets_close(charsets);
    close_house(house);
}

/* Entries beside a plain rendering of them, made here with printf: whatever comes one after the
 * other, none may have what belongs to another. */
#include "io/delivery/entry.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 1200, OLD_GENERATION = 5, CURRENT_GENERATION = 8, TEXT_BYTES = 64 * 1024 };

struct fixture {
    struct generation_list list;
    struct generation_names old, current;
    char (*texts)[NAME_KIND_COUNT][NAMES][48]; /* by generation: old, current */
    const char *(*names)[NAME_KIND_COUNT][NAMES];
    struct entry_forms forms;
    struct record *record;
    char expected[TEXT_BYTES];
    size_t expected_bytes;
};

static void name_all(struct fixture *f, int which, struct generation_names *names, uint64_t number)
{
    *names = (struct generation_names){.number = number};
    for (int kind = 0; kind < NAME_KIND_COUNT; kind++) {
        for (int i = 0; i < NAMES; i++) {
            char *text = f->texts[which][kind][i];
            snprintf(text, sizeof f->texts[which][kind][i], "%" PRIu64 ".%d.%d", number, kind, i);
            f->names[which][kind][i] = text;
        }
        names->lists[kind] = (struct name_list){f->names[which][kind], NAMES};
    }
}

static struct fixture *set_up(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->texts = calloc(2, sizeof *f->texts);
    f->names = calloc(2, sizeof *f->names);
    f->record = calloc(1, TEXT_BYTES);
    name_all(f, 0, &f->old, OLD_GENERATION);
    name_all(f, 1, &f->current, CURRENT_GENERATION);
    generation_list_init(&f->list);
    generation_list_add(&f->list, &f->current);
    generation_list_add(&f->list, &f->old);
    cr_assert_eq(entry_forms_open(&f->forms, &f->list), STATUS_OK);
    return f;
}

static void tear_down(struct fixture *f)
{
    entry_forms_close(&f->forms);
    generation_list_deinit(&f->list);
    free(f->record);
    free(f->names);
    free(f->texts);
    free(f);
}

/* ---- records ---- */

struct value {
    enum slot slot;
    const char *text;
};

static const struct value usual_values[] = {{SLOT_MESSAGE_TYPE, "DECLSTATUS"},
                                            {SLOT_KEY_ORDER, "O-1"},
                                            {SLOT_PORT, "CNSHK"},
                                            {SLOT_KEY_CONTAINER, "MSCU1234567"},
                                            {SLOT_PORT, "CNYTN"}};

/* A record of generation, participant, channel, profile and verdict; the values lie behind the
 * body. */
static void make_record(struct fixture *f, struct record head, struct bytes body,
                        const struct value *values, uint16_t count)
{
    struct record *record = f->record;
    *record = head;
    record->head.kind = RECORD_KIND_MESSAGE;
    record->value_count = count;
    record->body_bytes = (uint32_t)body.size;
    memcpy((void *)(uintptr_t)record_body(record).data, body.data, body.size);
    uint32_t offset = record->body_bytes;
    for (uint16_t i = 0; i < count; i++) {
        size_t size = strlen(values[i].text);
        record_values(record)[i] = (struct record_value){
            .offset = offset, .size = (uint16_t)size, .slot = (uint16_t)values[i].slot};
        memcpy((void *)(uintptr_t)(record_body(record).data + offset), values[i].text, size);
        offset += (uint32_t)size;
    }
    record->text_bytes = offset - record->body_bytes;
}

/* ---- the plain rendering ---- */

static void expect_bulk(struct fixture *f, struct bytes bytes)
{
    int head = sprintf(f->expected + f->expected_bytes, "$%zu\r\n", bytes.size);
    f->expected_bytes += (size_t)head;
    memcpy(f->expected + f->expected_bytes, bytes.data, bytes.size);
    memcpy(f->expected + f->expected_bytes + bytes.size, "\r\n", 2);
    f->expected_bytes += bytes.size + 2;
    cr_assert_lt(f->expected_bytes, sizeof f->expected);
}

static void expect_array(struct fixture *f, unsigned count)
{
    f->expected_bytes += (size_t)sprintf(f->expected + f->expected_bytes, "*%u\r\n", count);
}

static void join_values(const struct record *record, const struct delivered_field *field, char *out)
{
    size_t size = 0;
    for (uint16_t i = 0; i < record->value_count; i++) {
        const struct record_value *value = &record_values(record)[i];
        bool is_slot = field->kind == DELIVER_SLOT;
        if (is_slot ? value->slot != field->slot : !slot_is_key((enum slot)value->slot))
            continue;
        size +=
            (size_t)sprintf(out + size, "%s%s%s%.*s", size > 0 ? "\n" : "",
                            is_slot ? "" : slot_name((enum slot)value->slot), is_slot ? "" : ":",
                            value->size, (const char *)record_value_bytes(record, value).data);
    }
}

static void expect_value(struct fixture *f, const struct delivered_field *field)
{
    static_assert(FACT_ORIGIN == 0 && FACT_CHANNEL == 1 && FACT_PROFILE == 2, "names come first");
    static const int kinds[FACT_COUNT] = {[FACT_ORIGIN] = NAME_PARTICIPANT,
                                          [FACT_CHANNEL] = NAME_CHANNEL,
                                          [FACT_PROFILE] = NAME_PROFILE};
    const struct record *record = f->record;
    const uint16_t indices[FACT_COUNT] = {[FACT_ORIGIN] = record->participant,
                                          [FACT_CHANNEL] = record->channel,
                                          [FACT_PROFILE] = record->profile};
    char text[1024] = "";
    if (field->kind == DELIVER_SLOT || field->fact == FACT_KEYS)
        join_values(record, field, text);
    else if (field->fact <= FACT_PROFILE)
        snprintf(text, sizeof text, "%s",
                 f->names[record->generation == OLD_GENERATION ? 0 : 1][kinds[field->fact]]
                         [indices[field->fact]]);
    else if (field->fact == FACT_VERDICT)
        sprintf(text, "%s", verdict_name((enum verdict)record->verdict));
    else if (field->fact == FACT_CAUSE)
        sprintf(text, "%s", record_cause_name((enum record_cause)record->cause));
    else if (field->fact == FACT_GENERATION)
        sprintf(text, "%" PRIu64, record->generation);
    else if (field->fact == FACT_FIRST_ID && record->cause != RECORD_MESSAGE)
        sprintf(text, "%" PRIu64 "-%" PRIu64, record->origin.ms, record->origin.seq);
    else if (field->fact == FACT_PART && record->part_count > 1)
        sprintf(text, "%u/%u", record->part_number, record->part_count);
    expect_bulk(f, bytes_from_text(text));
}

static void expect_entry(struct fixture *f, const struct destination *destination)
{
    char id[64];
    f->expected_bytes = 0;
    sprintf(id, "%" PRIu64 "-%" PRIu64, f->record->id.ms, f->record->id.seq);
    expect_array(f, 2);
    expect_bulk(f, bytes_from_text(id));
    expect_array(f, 2 + 2U * destination->field_count);
    expect_bulk(f, BYTES_LITERAL("body"));
    expect_bulk(f, record_body(f->record));
    for (uint16_t i = 0; i < destination->field_count; i++) {
        expect_bulk(f, destination->fields[i].name);
        expect_value(f, &destination->fields[i]);
    }
}

/* The record in hand, into just the room that it takes; and into one byte less: nothing. */
static void check(struct fixture *f, uint8_t protocol, const struct destination *destination)
{
    struct resp_writer writer;
    expect_entry(f, destination);
    uint8_t *memory = malloc(f->expected_bytes);
    resp_writer_init(&writer, protocol, memory, f->expected_bytes);
    entry_write(&writer, &f->forms, destination, f->record);
    cr_assert_not(writer.overflowed);
    cr_assert_eq(writer.needed, f->expected_bytes);
    cr_assert(memcmp(memory, f->expected, f->expected_bytes) == 0, "%.*s\n---- and not\n%.*s",
              (int)f->expected_bytes, f->expected, (int)f->expected_bytes, (char *)memory);
    memset(memory, '#', f->expected_bytes);
    resp_writer_init(&writer, protocol, memory, f->expected_bytes - 1);
    entry_write(&writer, &f->forms, destination, f->record);
    cr_assert(writer.overflowed);
    cr_assert_eq(writer.needed, f->expected_bytes);
    for (size_t i = 0; i < f->expected_bytes; i++)
        cr_assert_eq(memory[i], '#');
    free(memory);
}

static struct destination make_destination(uint16_t index, const char *const *names, uint16_t count,
                                           struct delivered_field *fields)
{
    for (uint16_t i = 0; i < count; i++)
        cr_assert(delivered_field_find(bytes_from_text(names[i]), &fields[i]), "%s", names[i]);
    return (struct destination){
        .name = "d", .index = index, .fields = fields, .field_count = count};
}

/* ---- */

/* Everything that an entry may show takes turns, each with each: what is remembered of one must not
 * be shown of the next. */
Test(entry, shows_its_own_record_whatever_came_before)
{
    static const char *const few[] = {"profile", "message_type", "keys", "origin", "verdict"};
    static const char *const others[] = {"port",     "channel", "cause",    "generation", "part",
                                         "first_id", "order",   "function", "envelope"};
    static const char bodies[2][300] = {"{\"messageType\":\"DECLSTATUS\"}", ""};
    struct delivered_field fields[2][DESTINATION_FIELDS_MAX];
    const struct destination destinations[2] = {make_destination(0, few, 5, fields[0]),
                                                make_destination(1, others, 9, fields[1])};
    struct fixture *f = set_up();
    for (unsigned round = 0; round < 2 * 256; round++) {
        bool second[8];
        for (unsigned bit = 0; bit < 8; bit++)
            second[bit] = (round >> bit & 1) != 0;
        make_record(f,
                    (struct record){
                        .id = {UINT64_C(1764000000000) + round / 100, (uint64_t)round << 8},
                        .origin = {1763999999999, 256},
                        .generation = second[0] ? OLD_GENERATION : CURRENT_GENERATION,
                        .participant = second[1] ? 7 : 70,
                        .channel = second[2] ? 1 : 2,
                        .profile = second[3] ? 3 : 0,
                        .verdict = second[4] ? VERDICT_CONFLICT : VERDICT_FRESH,
                        .cause = second[5] ? RECORD_DEAD_LETTER : RECORD_MESSAGE,
                        .part_number = 3,
                        .part_count = second[1] ? 7 : 1,
                    },
                    second[2] ? bytes_make(bodies[0], sizeof bodies[0])
                              : bytes_from_text(bodies[1]),
                    usual_values, second[3] ? 5 : (uint16_t)(round % 5));
        check(f, second[7] ? 3 : 2, &destinations[second[6]]);
    }
    tear_down(f);
}

/* More names than forms, twice over, so that each form's place was another's meanwhile. */
Test(entry, shows_its_own_record_where_forms_take_each_others_places)
{
    static const char *const names[] = {"origin", "profile"};
    static_assert(NAMES > 2 * ENTRY_FORMS, "more than places");
    struct delivered_field fields[2];
    const struct destination destination = make_destination(0, names, 2, fields);
    struct fixture *f = set_up();
    for (int round = 0; round < 2; round++)
        for (uint16_t i = 0; i < NAMES; i++) {
            make_record(f,
                        (struct record){.id = {1, i},
                                        .generation = CURRENT_GENERATION,
                                        .participant = i,
                                        .profile = (uint16_t)(i % 50)},
                        BYTES_LITERAL("x"), NULL, 0);
            check(f, 2, &destination);
        }
    tear_down(f);
}

/* With another generation the same index may be another destination, and its records are older. */
Test(entry, has_the_fields_that_its_destination_has_now)
{
    static const char *const before[] = {"origin", "verdict"}, *const after[] = {"keys", "origin"};
    struct delivered_field fields[2][2];
    const struct destination destinations[2] = {make_destination(0, before, 2, fields[0]),
                                                make_destination(0, after, 2, fields[1])};
    struct fixture *f = set_up();
    make_record(f, (struct record){.id = {1, 1}, .generation = OLD_GENERATION, .participant = 9},
                BYTES_LITERAL("x"), usual_values, 5);
    check(f, 2, &destinations[0]);
    generation_list_set_current(&f->list, CURRENT_GENERATION + 1);
    check(f, 2, &destinations[1]);
    tear_down(f);
}

/* Of 32 fields, with names so long that all, some, or none of them fit into the form. */
Test(entry, shows_constants_that_its_form_has_no_room_for)
{
    static const char *const names[] = {"inspection_office", "origin", "generation"};
    const char *texts[DESTINATION_FIELDS_MAX];
    char long_name[1000] = "";
    struct delivered_field fields[DESTINATION_FIELDS_MAX];
    struct fixture *f = set_up();
    for (unsigned i = 0; i < DESTINATION_FIELDS_MAX; i++)
        texts[i] = names[i % 3];
    const struct destination destination =
        make_destination(0, texts, DESTINATION_FIELDS_MAX, fields);
    for (uint16_t size = 1; size < sizeof long_name; size += 7) {
        memset(long_name, 'n', size);
        f->names[0][NAME_PARTICIPANT][size] = long_name;
        make_record(
            f, (struct record){.id = {1, 1}, .generation = OLD_GENERATION, .participant = size},
            BYTES_LITERAL("x"), usual_values, 5);
        check(f, 2, &destination);
    }
    tear_down(f);
}

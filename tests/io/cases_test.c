/* Which cases the entries of a record speak of. */
#include "io/state/cases.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/io/config_files.h"

enum { RECORD_BYTES = 64 * 1024 };

static const char configuration[] =
    "sync: memory\n"
    "cases: 100\n"
    "channels: [{name: in}]\n"
    "destinations: [{name: all}]\n"
    "unroutable: all\n"
    "life_cycle:\n"
    "  states: {submitted: [], released: [submitted], rejected: [submitted]}\n"
    "  moves:\n"
    "    - {message_type: LIST, to: submitted}\n"
    "    - {message_type: ANSWER, status: {\"8*\": released, \"1\": rejected}}\n";

struct fixture {
    struct config_files files;
    struct config *config;
    struct cases *cases;
    struct record *record;
    uint64_t count;
};

static struct fixture *set_up(void)
{
    static const struct digest_secret secret = {.bytes = {7}};
    struct fixture *f = calloc(1, sizeof *f);
    struct cases_view *view;
    f->files = (struct config_files){{{"kouan.yaml", configuration}}};
    f->config = config_files_load(&f->files);
    f->record = calloc(1, RECORD_BYTES);
    cr_assert_eq(cases_open(&f->config->options, &secret, &f->cases), STATUS_OK);
    cr_assert_eq(cases_view_open(f->cases, f->config->generation, &view), STATUS_OK);
    cases_set_view(f->cases, view);
    return f;
}

static void tear_down(struct fixture *f)
{
    cases_close(f->cases);
    config_free(f->config);
    free(f->record);
    free(f);
}

/* A value of an entry. */
struct given {
    uint16_t entry;
    enum slot slot;
    const char *text;
};

static void tell(struct fixture *f, uint16_t entry_count, const struct given *given, uint16_t count)
{
    struct record *record = f->record;
    memset(record, 0, RECORD_BYTES);
    *record = (struct record){.id = {UINT64_C(1800000000000) + f->count, 0},
                              .value_count = count,
                              .entry_count = entry_count,
                              .verdict = VERDICT_FRESH};
    uint32_t size = 0;
    for (uint16_t i = 0; i < count; i++)
        size += (uint32_t)strlen(given[i].text);
    record->body_bytes = size;
    uint8_t *body = (uint8_t *)(uintptr_t)record_body(record).data;
    uint32_t at = 0;
    for (uint16_t i = 0; i < count; i++) {
        uint16_t bytes = (uint16_t)strlen(given[i].text);
        record_values(record)[i] = (struct record_value){
            .offset = at, .size = bytes, .entry = given[i].entry, .slot = (uint16_t)given[i].slot};
        memcpy(body + at, given[i].text, bytes);
        at += bytes;
    }
    cases_observe(f->cases, cases_current_view(f->cases), record, 64 * ++f->count);
}
#define TELL(f, entry_count, ...)                                                                  \
    tell(f, entry_count, (const struct given[]){__VA_ARGS__},                                      \
         sizeof((const struct given[]){__VA_ARGS__}) / sizeof(struct given))

static uint32_t find(const struct fixture *f, enum slot kind, const char *text)
{
    return case_table_find(cases_table(f->cases),
                           cases_key_digest(f->cases, kind, bytes_from_text(text)));
}

/* "none" if no case is known. */
static const char *state(const struct fixture *f, enum slot kind, const char *text)
{
    const struct case_table *table = cases_table(f->cases);
    uint32_t index = find(f, kind, text);
    if (index == CASE_NONE)
        return "none";
    uint8_t number = case_table_entry(table, index)->state;
    return number == 0 ? "" : (const char *)case_table_state_name(table, number).data;
}

Test(cases, are_named_by_the_keys_of_an_entry)
{
    struct fixture *f = set_up();
    TELL(f, 2, {0, SLOT_MESSAGE_TYPE, "LIST"}, {1, SLOT_KEY_ORDER, "o1"}, {2, SLOT_KEY_ORDER, "o2"},
         {1, SLOT_KEY_LIST, "l1"}, {2, SLOT_KEY_LIST, "l2"});
    cr_assert_eq(find(f, SLOT_KEY_ORDER, "o1"), find(f, SLOT_KEY_LIST, "l1"));
    cr_assert_eq(find(f, SLOT_KEY_ORDER, "o2"), find(f, SLOT_KEY_LIST, "l2"));
    cr_assert_neq(find(f, SLOT_KEY_ORDER, "o1"), find(f, SLOT_KEY_ORDER, "o2"));
    cr_assert_eq(find(f, SLOT_KEY_PAYMENT, "o1"), CASE_NONE, "another kind is another key");
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {1, SLOT_KEY_ORDER, "o3"},
         {0, SLOT_KEY_LIST, "l3"}); /* the message is its one entry */
    cr_assert_eq(find(f, SLOT_KEY_ORDER, "o3"), find(f, SLOT_KEY_LIST, "l3"));
    tear_down(f);
}

Test(cases, have_each_their_own_status)
{
    struct fixture *f = set_up();
    TELL(f, 3, {0, SLOT_MESSAGE_TYPE, "ANSWER"}, {1, SLOT_STATUS, "800"}, {2, SLOT_STATUS, "1"},
         {3, SLOT_STATUS, "80"}, {1, SLOT_KEY_LIST, "l1"}, {2, SLOT_KEY_LIST, "l2"},
         {3, SLOT_KEY_LIST, "l3"});
    cr_assert_str_eq(state(f, SLOT_KEY_LIST, "l1"), "released");
    cr_assert_str_eq(state(f, SLOT_KEY_LIST, "l2"), "rejected");
    cr_assert_str_eq(state(f, SLOT_KEY_LIST, "l3"), "released");
    TELL(f, 2, {0, SLOT_MESSAGE_TYPE, "ANSWER"}, {0, SLOT_STATUS, "1"}, {1, SLOT_KEY_LIST, "l4"},
         {2, SLOT_KEY_LIST, "l5"}); /* said once, for all */
    cr_assert_str_eq(state(f, SLOT_KEY_LIST, "l4"), "rejected");
    cr_assert_str_eq(state(f, SLOT_KEY_LIST, "l5"), "rejected");
    tear_down(f);
}

Test(cases, are_not_joined_by_what_many_share)
{
    struct fixture *f = set_up();
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_KEY_LIST, "l1"}, {0, SLOT_KEY_BILL, "b"});
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_KEY_LIST, "l2"}, {0, SLOT_KEY_BILL, "b"});
    cr_assert_neq(find(f, SLOT_KEY_LIST, "l1"), find(f, SLOT_KEY_LIST, "l2"));
    cr_assert_eq(find(f, SLOT_KEY_BILL, "b"), CASE_NONE);
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_KEY_VOYAGE, "v"}, {0, SLOT_KEY_BILL, "b"});
    cr_assert_neq(find(f, SLOT_KEY_BILL, "b"), CASE_NONE, "it has no other");
    cr_assert_eq(find(f, SLOT_KEY_VOYAGE, "v"), CASE_NONE);
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_KEY_HANDBOOK, "h"});
    const struct case_table *table = cases_table(f->cases);
    cr_assert_eq(case_table_entry(table, find(f, SLOT_KEY_HANDBOOK, "h"))->span, CASE_SPAN_LONG);
    cr_assert_eq(case_table_entry(table, find(f, SLOT_KEY_BILL, "b"))->span, CASE_SPAN_SHORT);
    tear_down(f);
}

Test(cases, of_which_an_entry_has_several_keys_are_each_told)
{
    struct fixture *f = set_up();
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_KEY_CLIENT_SEQ, "c"},
         {0, SLOT_KEY_WAYBILL, "w1"}, {0, SLOT_KEY_WAYBILL, "w2"});
    cr_assert_neq(find(f, SLOT_KEY_WAYBILL, "w1"), find(f, SLOT_KEY_WAYBILL, "w2"));
    cr_assert_neq(find(f, SLOT_KEY_WAYBILL, "w1"), find(f, SLOT_KEY_CLIENT_SEQ, "c"));
    cr_assert_str_eq(state(f, SLOT_KEY_WAYBILL, "w2"), "submitted");
    tear_down(f);
}

Test(cases, hear_nothing_new_of_what_kouan_made)
{
    struct fixture *f = set_up();
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_KEY_LIST, "l1"});
    f->record->cause = RECORD_RELEASED;
    cases_observe(f->cases, cases_current_view(f->cases), f->record, 1000);
    f->record->cause = RECORD_MESSAGE;
    f->record->head.flags = RECORD_COPIED;
    cases_observe(f->cases, cases_current_view(f->cases), f->record, 2000);
    const struct case_table *table = cases_table(f->cases);
    cr_assert_eq(case_table_entry(table, find(f, SLOT_KEY_LIST, "l1"))->messages, 1);
    tear_down(f);
}

Test(cases, live_by_the_times_of_their_messages)
{
    struct fixture *f = set_up();
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "ANSWER"}, {0, SLOT_STATUS, "800"},
         {0, SLOT_SENT_AT, "2026-01-05T10:01:00Z"}, {0, SLOT_KEY_LIST, "l1"});
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_SENT_AT, "2026-01-05T10:00:00Z"},
         {0, SLOT_KEY_LIST, "l1"});
    cr_assert_str_eq(state(f, SLOT_KEY_LIST, "l1"), "released");
    const struct case_table *table = cases_table(f->cases);
    const struct case_entry *entry = case_table_entry(table, find(f, SLOT_KEY_LIST, "l1"));
    cr_assert_eq(entry->impossible, 0);
    cr_assert_eq(entry->first_ms, UINT64_C(1767607200000));
    TELL(f, 1, {0, SLOT_MESSAGE_TYPE, "LIST"}, {0, SLOT_SENT_AT, "2099-01-01T00:00:00Z"},
         {0, SLOT_KEY_LIST, "l2"}); /* nothing is sent after it came */
    entry = case_table_entry(table, find(f, SLOT_KEY_LIST, "l2"));
    cr_assert_eq(entry->first_ms, f->record->id.ms);
    tear_down(f);
}

/* What holds for a message is remembered by its profile, type and function. */
Test(cases, are_moved_by_what_holds_for_their_message_and_not_for_one_that_looks_like_it)
{
    struct fixture *f = set_up();
    static const char *const types[] = {"LIST", "XIST", "ANSWER", "LIS", "ST", "T", "LISTLIST"};
    for (unsigned i = 0; i < 70; i++) {
        char key[16];
        const char *type = types[i % 7];
        snprintf(key, sizeof key, "l%u", i);
        if (i / 7 % 2 == 0)
            TELL(f, 1, {0, SLOT_MESSAGE_TYPE, type}, {0, SLOT_STATUS, "1"},
                 {0, SLOT_KEY_LIST, key});
        else
            TELL(f, 1, {0, SLOT_MESSAGE_TYPE, type}, {0, SLOT_FUNCTION, "LIST"},
                 {0, SLOT_STATUS, "1"}, {0, SLOT_KEY_LIST, key});
        cr_assert_str_eq(state(f, SLOT_KEY_LIST, key),
                         i % 7 == 0   ? "submitted"
                         : i % 7 == 2 ? "rejected"
                                      : "",
                         "%s", type);
    }
    tear_down(f);
}

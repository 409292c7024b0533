#include <criterion/criterion.h>
#include <stdio.h>

#include "routes/generation.h"

static struct address_pattern exact(const char *text)
{
    return (struct address_pattern){bytes_from_text(text), false};
}

static struct address_pattern prefix(const char *text)
{
    return (struct address_pattern){bytes_from_text(text), true};
}

struct fixture {
    struct arena arena;
    struct diagnostics diagnostics;
    struct participant_directory directory;
};

static struct fixture build(const struct participant *const *participants, uint16_t count)
{
    struct fixture fixture;
    arena_init(&fixture.arena);
    diagnostics_init(&fixture.diagnostics);
    participant_directory_build(&fixture.arena, participants, count, &fixture.directory,
                                &fixture.diagnostics, "kouan.yaml");
    return fixture;
}

static void drop(struct fixture *fixture)
{
    diagnostics_deinit(&fixture->diagnostics);
    arena_deinit(&fixture->arena);
}

Test(rights, an_address_leads_to_its_owner)
{
    const struct address_pattern a_ids[] = {exact("4403180896"), prefix("DXPENT")};
    const struct address_pattern b_ids[] = {prefix("DXPENT00"), exact("DXPENT0099X")};
    const struct participant a = {.name = "a", .ids = a_ids, .id_count = 2};
    const struct participant b = {.name = "b", .ids = b_ids, .id_count = 2};
    const struct participant *const both[] = {&a, &b};
    struct fixture fixture = build(both, 2);
    cr_assert_eq(fixture.diagnostics.error_count, 0);
    static const struct {
        const char *address, *owner;
    } cases[] = {
        {"4403180896", "a"}, {"DXPENT1", "a"},    {"DXPENT0077", "b"}, {"DXPENT0099X", "b"},
        {"DXPENT", "a"},     {"44031808960", ""}, {"DXPEN", ""},       {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct participant *owner =
            participant_by_address(&fixture.directory, bytes_from_text(cases[i].address));
        cr_assert_str_eq(owner != NULL ? owner->name : "", cases[i].owner, "%s", cases[i].address);
    }
    cr_assert(participant_may_claim(&a, BYTES_LITERAL("DXPENT0077")));
    cr_assert_not(participant_may_claim(&b, BYTES_LITERAL("DXPENT1")));
    cr_assert_eq(participant_find(&fixture.directory, BYTES_LITERAL("b")), &b);
    cr_assert_null(participant_find(&fixture.directory, BYTES_LITERAL("c")));
    drop(&fixture);
}

Test(rights, two_owners_of_one_address_are_an_error)
{
    const struct address_pattern a_ids[] = {exact("X1"), prefix("Y")};
    const struct address_pattern b_ids[] = {exact("X1"), prefix("Y"), prefix("Y1")};
    const struct participant a = {.name = "a", .ids = a_ids, .id_count = 2};
    const struct participant b = {.name = "b", .ids = b_ids, .id_count = 3};
    const struct participant *const both[] = {&a, &b};
    struct fixture fixture = build(both, 2);
    cr_assert_eq(fixture.diagnostics.error_count, 2);
    cr_assert_str_eq(fixture.diagnostics.items[0].code, "C140");
    drop(&fixture);
}

Test(rights, thousands_of_addresses)
{
    enum { COUNT = 5000 };
    static char texts[COUNT][16];
    static struct address_pattern ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "id-%d", i);
        ids[i] = exact(texts[i]);
    }
    const struct participant p = {.name = "p", .ids = ids, .id_count = COUNT};
    const struct participant *const one[] = {&p};
    struct fixture fixture = build(one, 1);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(participant_by_address(&fixture.directory, bytes_from_text(texts[i])), &p);
    cr_assert_null(participant_by_address(&fixture.directory, BYTES_LITERAL("id-5000")));
    drop(&fixture);
}

Test(rights, publishing_is_a_bit_per_channel)
{
    struct participant p = {.name = "p"};
    p.publish[1] = UINT64_C(1) << 3;
    cr_assert(participant_may_publish(&p, 67));
    cr_assert_not(participant_may_publish(&p, 3));
    cr_assert_not(participant_may_publish(&p, 66));
}

Test(rights, delivered_fields_are_found_by_name)
{
    struct delivered_field field;
    cr_assert(delivered_field_find(BYTES_LITERAL("verdict"), &field));
    cr_assert_eq(field.kind, DELIVER_FACT);
    cr_assert_eq(field.fact, FACT_VERDICT);
    cr_assert(delivered_field_find(BYTES_LITERAL("customs_office"), &field));
    cr_assert_eq(field.kind, DELIVER_SLOT);
    cr_assert_eq(field.slot, SLOT_CUSTOMS_OFFICE);
    cr_assert(delivered_field_find(BYTES_LITERAL("waybill"), &field));
    cr_assert_eq(field.slot, SLOT_KEY_WAYBILL);
    cr_assert(delivered_field_find(BYTES_LITERAL("profile"), &field));
    cr_assert_eq(field.kind, DELIVER_FACT, "a fact wins over a slot of its name");
    cr_assert_not(delivered_field_find(BYTES_LITERAL("nothing"), &field));
}

/* What old records hold by index is found again by name, however the configuration was turned
 * around. */
#include <criterion/criterion.h>

#include "routes/generation_list.h"

static struct arena arena;
static struct generation_list list;
static struct generation_names old, now;

static struct generation_names names_of(uint64_t number, const char *text)
{
    struct generation_names names;
    uint32_t line;
    cr_assert_eq(
        generation_names_parse(&arena, arena_copy(&arena, bytes_from_text(text)), &names, &line),
        STATUS_OK, "line %u", line);
    names.number = number;
    return names;
}

static void set_up(void)
{
    arena_init(&arena);
    old =
        names_of(3, "kouan-generation 1\nparticipant a\nparticipant gone\ndestination x\n"
                    "destination y\ndestination z\ntable t\nrule 1\nrule 2\ntable left\nrule 1\n");
    now = names_of(7, "kouan-generation 1\nparticipant b\nparticipant a\ndestination z\n"
                      "destination x\ntable new\nrule 1\ntable t\nrule 0\nrule 2\nrule 1\n");
    generation_list_init(&list);
    generation_list_add(&list, &now);
    generation_list_add(&list, &old);
}

static void tear_down(void)
{
    generation_list_deinit(&list);
    arena_deinit(&arena);
}

TestSuite(generation_list, .init = set_up, .fini = tear_down);

Test(generation_list, names_are_those_of_the_records_own_time)
{
    cr_expect_eq(generation_list_current(&list), 7);
    cr_expect_str_eq(generation_list_name(&list, 3, NAME_DESTINATION, 1), "y");
    cr_expect_str_eq(generation_list_name(&list, 7, NAME_DESTINATION, 1), "x");
    cr_expect_str_eq(generation_list_name(&list, 3, NAME_PARTICIPANT, 1), "gone");
    cr_expect_str_eq(generation_list_table(&list, 3, 1 << 24), "left");
    cr_expect_str_eq(generation_list_rule(&list, 7, (1 << 24) + 1), "2");
    cr_expect_str_eq(generation_list_name(&list, 4, NAME_DESTINATION, 0), "?");
    cr_expect_null(generation_list_find(&list, 4));
}

Test(generation_list, an_index_is_followed_to_now)
{
    cr_expect_eq(generation_list_now(&list, 3, NAME_DESTINATION, 0), 1);
    cr_expect_eq(generation_list_now(&list, 3, NAME_DESTINATION, 1), GENERATION_NO_INDEX);
    cr_expect_eq(generation_list_now(&list, 3, NAME_DESTINATION, 2), 0);
    cr_expect_eq(generation_list_now(&list, 3, NAME_DESTINATION, 3), GENERATION_NO_INDEX);
    cr_expect_eq(generation_list_now(&list, 3, NAME_PARTICIPANT, 0), 1);
    cr_expect_eq(generation_list_now(&list, 7, NAME_DESTINATION, 1), 1);
    cr_expect_eq(generation_list_now(&list, 4, NAME_DESTINATION, 0), GENERATION_NO_INDEX);
}

Test(generation_list, a_rule_is_followed_by_its_table_and_id)
{
    uint32_t rule;
    cr_assert(generation_list_rule_now(&list, 3, 0, &rule));
    cr_expect_eq(rule, (1 << 24) + 2);
    cr_assert(generation_list_rule_now(&list, 3, 1, &rule)); /* in its old place */
    cr_expect_eq(rule, (1 << 24) + 1);
    cr_expect_not(generation_list_rule_now(&list, 3, 1 << 24, &rule));
    cr_expect_not(generation_list_rule_now(&list, 3, 2, &rule));
    cr_expect_not(generation_list_rule_now(&list, 3, 2 << 24, &rule));
}

Test(generation_list, the_destinations_of_a_record_are_followed)
{
    struct {
        struct record record;
        uint16_t destinations[4];
    } stored = {{.destination_count = 2}, {RECORD_HELD | 2, 1}};
    stored.record.generation = 3;
    cr_expect_eq(generation_list_destination(&list, &stored.record, 0), 0);
    cr_expect_eq(generation_list_destination(&list, &stored.record, 1), GENERATION_NO_INDEX);
    stored.record.generation = 7;
    cr_expect_eq(generation_list_destination(&list, &stored.record, 0), 2);
}

Test(generation_list, a_number_is_listed_once)
{
    generation_list_add(&list, &now);
    generation_list_add(&list, &old);
    cr_expect_eq(list.count, 2);
}

Test(generation_list, what_was_current_is_followed_to_the_next_one)
{
    uint32_t rule;
    struct generation_names next =
        names_of(8, "kouan-generation 1\nparticipant a\ndestination x\ndestination y\n"
                    "table t\nrule 2\n");
    cr_expect_eq(generation_list_now(&list, 3, NAME_DESTINATION, 2), 0);
    generation_list_advance(&list, &next);
    cr_expect_eq(generation_list_current(&list), 8);
    cr_expect_eq(generation_list_now(&list, 8, NAME_DESTINATION, 1), 1);
    cr_expect_eq(generation_list_now(&list, 7, NAME_DESTINATION, 1), 0);
    cr_expect_eq(generation_list_now(&list, 7, NAME_DESTINATION, 0), GENERATION_NO_INDEX);
    cr_expect_eq(generation_list_now(&list, 3, NAME_DESTINATION, 1), 1);
    cr_expect_eq(generation_list_now(&list, 3, NAME_DESTINATION, 2), GENERATION_NO_INDEX);
    cr_expect_str_eq(generation_list_name(&list, 7, NAME_PARTICIPANT, 0), "b");
    cr_assert(generation_list_rule_now(&list, 7, (1 << 24) + 1, &rule));
    cr_expect_eq(rule, 0);
}

Test(generation_list, a_copy_of_names_has_texts_of_its_own)
{
    struct arena own;
    struct generation_names copy;
    arena_init(&own);
    generation_names_copy(&own, &old, &copy);
    memset((char *)(uintptr_t)old.lists[NAME_DESTINATION].names[0], '?', 1);
    memset((char *)(uintptr_t)old.tables[0].rules.names[1], '?', 1);
    cr_expect_str_eq(generation_name(&copy, NAME_DESTINATION, 0), "x");
    cr_expect_str_eq(generation_rule_name(&copy, 1), "2");
    cr_expect_str_eq(generation_table_name(&copy, 1 << 24), "left");
    arena_deinit(&own);
}

#include <criterion/criterion.h>
#include <stdio.h>

#include "routes/generation_names.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena);
}

static void tear_down(void)
{
    arena_deinit(&arena);
}

TestSuite(generation_names, .init = set_up, .fini = tear_down);

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONES  "11111111111111111111111111111111111111111111111111111111111111ff"

static const char manifest[] = "kouan-generation 1\n"
                               "configuration " ONES " kouan.yaml\n"
                               "file " ZEROS " rules/a b%0a.csv\n"
                               "shipped " ZEROS " event.yaml\n"
                               "participant anonymous\n"
                               "participant nansha\n"
                               "channel in\n"
                               "destination customs\n"
                               "destination port\n"
                               "profile event\n"
                               "table customs\n"
                               "rule k1\n"
                               "rule 100%25\n"
                               "table empty\n"
                               "table late\n"
                               "rule z\n";

static enum status parse(const char *text, struct generation_names *out, uint32_t *out_line)
{
    return generation_names_parse(&arena, arena_copy(&arena, bytes_from_text(text)), out, out_line);
}

static struct generation_names names_of(const char *text)
{
    struct generation_names names;
    uint32_t line;
    cr_assert_eq(parse(text, &names, &line), STATUS_OK, "line %u", line);
    return names;
}

Test(generation_names, a_manifest_is_read_and_written_alike)
{
    struct generation_names names = names_of(manifest);
    cr_expect_eq(names.file_count, 3);
    cr_expect_eq(names.files[0].kind, FILE_CONFIGURATION);
    cr_expect_eq(names.files[0].sha256[31], 0xff);
    cr_expect_str_eq(names.files[1].name, "rules/a b\n.csv");
    cr_expect_eq(names.files[2].kind, FILE_SHIPPED);
    cr_expect_str_eq(generation_name(&names, NAME_PARTICIPANT, 1), "nansha");
    cr_expect_str_eq(generation_name(&names, NAME_DESTINATION, 1), "port");
    cr_expect_str_eq(generation_name(&names, NAME_DESTINATION, 2), "?");
    cr_expect_str_eq(generation_table_name(&names, 1), "customs");
    cr_expect_str_eq(generation_rule_name(&names, 1), "100%");
    cr_expect_str_eq(generation_rule_name(&names, 2), "?");
    cr_expect_str_eq(generation_table_name(&names, 1 << 24), "empty");
    cr_expect_str_eq(generation_rule_name(&names, 1 << 24), "?");
    cr_expect_str_eq(generation_rule_name(&names, 2 << 24), "z");
    cr_expect_str_eq(generation_table_name(&names, 3 << 24), "?");

    struct bytes again = generation_names_encode(&arena, &names);
    cr_expect(bytes_equal_text(again, manifest), "%.*s", (int)again.size, (const char *)again.data);
}

Test(generation_names, they_are_taken_from_a_generation_in_its_order)
{
    const struct participant a = {.name = "anonymous"}, b = {.name = "nansha"};
    const struct participant *const participants[] = {&a, &b};
    const struct channel in = {.name = "in"};
    const struct channel *const channels[] = {&in};
    const struct destination customs = {.name = "customs"}, port = {.name = "port"};
    const struct destination *const destinations[] = {&customs, &port};
    const struct profile event = {.name = "event"};
    const struct profile *const profiles[] = {&event};
    const struct rule rules[] = {{.id = "k1"}, {.id = "100%"}};
    const struct rule_table full = {.name = "customs", .rules = rules, .rule_count = 2};
    const struct rule_table empty = {.name = "empty"};
    const struct rule late_rules[] = {{.id = "z"}};
    const struct rule_table late = {.name = "late", .rules = late_rules, .rule_count = 1};
    const struct rule_table *const tables[] = {&full, &empty, &late};
    const struct generation generation = {
        .number = 7,
        .directory = {.participants = participants, .count = 2},
        .channels = channels,
        .channel_count = 1,
        .destinations = destinations,
        .destination_count = 2,
        .profiles = {.profiles = profiles, .count = 1},
        .tables = tables,
        .table_count = 3,
    };
    struct generation_names whole = names_of(manifest), taken;
    generation_names_take(&arena, &generation, whole.files, whole.file_count, &taken);
    cr_expect_eq(taken.number, 7);
    cr_expect(bytes_equal_text(generation_names_encode(&arena, &taken), manifest));
}

Test(generation_names, what_is_no_manifest_is_refused_with_its_line)
{
    static const struct {
        const char *text;
        uint32_t line;
    } cases[] = {
        {"", 1},
        {"kouan-generation\n", 1},
        {"kouan-generation 1", 1},
        {"kouan-generation 1\nparticipant a", 2},
        {"kouan-generation 1\nparticipant \n", 2},
        {"kouan-generation 1\nparticipant\n", 2},
        {"kouan-generation 1\n\n", 2},
        {"kouan-generation 1\nchannel a\nparticipant b\n", 3},
        {"kouan-generation 1\nrule a\n", 2},
        {"kouan-generation 1\ntable a\nrule b\nchannel c\n", 4},
        {"kouan-generation 1\nparticipant a\x01\n", 2},
        {"kouan-generation 1\nparticipant a%\n", 2},
        {"kouan-generation 1\nparticipant a%4\n", 2},
        {"kouan-generation 1\nparticipant a%41\n", 2},
        {"kouan-generation 1\nparticipant a%0A\n", 2},
        {"kouan-generation 1\nparticipant a%00\n", 2},
        {"kouan-generation 1\nfile 00 a\n", 2},
        {"kouan-generation 1\nfile " ZEROS "\n", 2},
        {"kouan-generation 1\nfile " ZEROS " \n", 2},
        {"kouan-generation 1\nfile " ZEROS "0 a\n", 2},
        {"kouan-generation 1\nparticipant a\nfile " ZEROS " a\n", 3},
        {"kouan-generation 1\nmessage a\n", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct generation_names names;
        uint32_t line = 0;
        cr_expect_eq(parse(cases[i].text, &names, &line), STATUS_INVALID, "case %zu", i);
        cr_expect_eq(line, cases[i].line, "case %zu: line %u", i, line);
    }
    struct generation_names names;
    uint32_t line;
    cr_expect_eq(parse("kouan-generation 2\nnew a b c\n", &names, &line), STATUS_UNSUPPORTED);
}

Test(generation_names, more_of_a_kind_than_can_be_is_refused)
{
    enum { MANY = RULE_TABLES_MAX + 1, ROOM = 32 * 1024 };
    char text[ROOM] = "kouan-generation 1\n";
    size_t size = strlen(text);
    for (unsigned i = 0; i < MANY; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "table t%u\n", i);
    struct generation_names names;
    uint32_t line = 0;
    cr_expect_eq(parse(text, &names, &line), STATUS_INVALID);
    cr_expect_eq(line, MANY + 1);

    size = strlen("kouan-generation 1\n");
    for (unsigned i = 0; i <= DESTINATIONS_MAX; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "destination d%u\n", i);
    cr_expect_eq(parse(text, &names, &line), STATUS_INVALID);
    cr_expect_eq(line, DESTINATIONS_MAX + 2);
}

Test(generation_names, an_index_is_followed_by_its_name)
{
    struct generation_names old =
        names_of("kouan-generation 1\nparticipant a\ndestination x\ndestination y\n"
                 "destination z\n");
    struct generation_names new =
        names_of("kouan-generation 1\nparticipant b\ndestination z\ndestination w\n"
                 "destination x\n");
    const uint16_t *map = generation_names_map(&arena, &old, &new, NAME_DESTINATION);
    cr_expect_eq(map[0], 2);
    cr_expect_eq(map[1], GENERATION_NO_INDEX);
    cr_expect_eq(map[2], 0);
    cr_expect_eq(generation_names_map(&arena, &old, &new, NAME_PARTICIPANT)[0],
                 GENERATION_NO_INDEX);
}

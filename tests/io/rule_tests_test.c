#include "io/config/rule_tests.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "routes/generation_names.h"
#include "tests/io/config_files.h"

static const char config_text[] = "sync: memory\n"
                                  "channels:\n"
                                  "  - name: in\n"
                                  "  - {name: un, profiles: [edifact-*]}\n"
                                  "destinations:\n"
                                  "  - name: customs\n"
                                  "  - name: port\n"
                                  "participants:\n"
                                  "  - {name: ann, secret_file: secret, ids: [A]}\n"
                                  "tables: [rules.csv]\n"
                                  "rule_tests: some.yaml\n";
static const char rules[] = "id,customs_office,participant,to,action,valid_to\n"
                            "old,5141,,port,,2026-12-01\n"
                            "new,5141,,customs|port,,\n"
                            "held,5301,,port,hold,\n"
                            "anns,5302,ann,customs,,\n"
                            "no,5303,,,reject,\n";

/* What loading says with these examples. */
static void expect(const char *examples, const char *expected)
{
    struct config_files files = {{{"kouan.yaml", config_text},
                                  {"rules.csv", rules},
                                  {"secret", "0123456789abcdef"},
                                  {"office.json", "{\"messageType\":\"ORDER\",\"messageId\":\"1\","
                                                  "\"customsOffice\":\"5141\"}"}}};
    struct diagnostics diagnostics;
    char *printed = NULL;
    size_t size = 0;
    config_files_put(&files, "some.yaml", examples);
    diagnostics_init(&diagnostics);
    struct config *config = config_files_try(&files, &diagnostics);
    FILE *out = open_memstream(&printed, &size);
    diagnostics_print(&diagnostics, out);
    fclose(out);
    cr_assert_str_eq(printed, expected);
    cr_assert_eq(config == NULL, expected[0] != '\0');
    free(printed);
    config_free(config);
    diagnostics_deinit(&diagnostics);
}

#define BODY(members) "body: '{\"messageType\":\"ORDER\",\"messageId\":\"1\"" members "}'\n"
#define HINT          "  hint: `kouan explain` shows which rules a message meets\n"

Test(rule_tests, what_is_so_is_right)
{
    expect(
        "message: office.json\nat: 2026-12-01\ndeliver: [port, customs]\nrules: rules/new\n"
        "---\nmessage: office.json\nat: 2026-11-30T23:59+08:00\ndeliver: port\nchannel: in\n"
        "---\n" BODY(
            ",\"customsOffice\":\"5301\"") "hold: port\n"
                                           "---\n" BODY(
                                               ",\"customsOffice\":\"5302\",\"sender\":"
                                               "\"A\"") "deliver: customs\n"
                                                        "---\n" BODY(
                                                            ",\"customsOffice\":"
                                                            "\"5302\"") "deliver: "
                                                                        "customs\nparti"
                                                                        "cipant: ann\n"
                                                                        "---\n" BODY(
                                                                            ",\"customs"
                                                                            "Office\":"
                                                                            "\"5302\"") "refused: "
                                                                                        "UNROUTABLE"
                                                                                        "\n"
                                                                                        "---"
                                                                                        "\n" BODY(
                                                                                            ",\"cus"
                                                                                            "tomsOf"
                                                                                            "fice\""
                                                                                            ":\"530"
                                                                                            "3\"") "refused: REJECTED\nrules: [rules/no]\n",
        "");
}

Test(rule_tests, T101_no_yaml)
{
    expect("deliver: [port\n",
           "some.yaml:2:1: error[T101]: flow sequence without a closing bracket\n"
           "  hint: quote a text that begins with @ or *, or that has any of [ ] { } , in it\n");
}

Test(rule_tests, T102_no_example)
{
    expect("", "some.yaml: error[T102]: there are no examples\n"
               "  hint: as in `message: list.xml`, and `deliver: customs` under it\n");
    expect("mesage: office.json\ndeliver: port\n",
           "some.yaml:1:1: error[T102]: an example has no `mesage`\n"
           "  hint: did you mean `message`?\n"
           "some.yaml:1:1: error[T102]: an example has either `message` or `body`\n"
           "  hint: a file beside this one, or the message itself\n");
    expect("message: office.json\n",
           "some.yaml:1:1: error[T102]: an example says where the message goes, or that it is "
           "`refused`\n  hint: deliver: customs\n");
    expect("message: office.json\ndeliver: {a: b}\n",
           "some.yaml:2:10: error[T102]: expected names\n");
    expect("message: office.json\ndeliver: port\nat: noon\n",
           "some.yaml:3:5: error[T102]: expected a time\n"
           "  hint: 2026-12-01, or 2026-12-01T08:30+08:00\n");
    expect("message: office.json\ndeliver: port\npart: 0\n",
           "some.yaml:3:7: error[T102]: expected the number of a message\n"
           "  hint: as in `part: 2`\n");
}

Test(rule_tests, T103_no_such_name)
{
    expect("message: office.json\ndeliver: [port, prt]\nchannel: on\nparticipant: bob\n",
           "some.yaml:2:17: error[T103]: there is no destination `prt`\n"
           "  hint: names are those of the configuration\n"
           "some.yaml:3:10: error[T103]: there is no channel `on`\n"
           "  hint: names are those of the configuration\n"
           "some.yaml:4:14: error[T103]: there is no participant `bob`\n"
           "  hint: names are those of the configuration\n");
    expect("message: office.json\ndeliver: port\npart: 2\n",
           "some.yaml:1:1: error[T103]: the body holds 1 messages\n"
           "  hint: `part: 2` says which of several is meant\n");
}

Test(rule_tests, T104_no_message)
{
    expect("deliver: port\nmessage: nowhere.json\n",
           "some.yaml:2:10: error[T104]: cannot read nowhere.json: not found\n");
}

Test(rule_tests, T105_it_goes_elsewhere)
{
    expect(
        "message: office.json\nat: 2026-12-01\ndeliver: port\nrules: rules/old\n",
        "some.yaml:3:10: error[T105]: deliver: the message goes to customs, port, not port\n" HINT
        "some.yaml:4:8: error[T105]: rules: the message meets rules/new, not rules/old\n" HINT);
    expect(BODY(",\"customsOffice\":\"5301\"") "deliver: port\n",
           "some.yaml:1:1: error[T105]: hold: the message is held at port, not nothing\n" HINT
           "some.yaml:2:10: error[T105]: deliver: the message goes to nothing, not port\n" HINT);
    expect(
        BODY(",\"customsOffice\":\"5302\"") "deliver: customs\n",
        "some.yaml:1:1: error[T105]: the message is refused: UNROUTABLE no rule gives this ORDER "
        "a destination (profile event)\n" HINT);
    expect(BODY(",\"customsOffice\":\"5303\"") "refused: UNROUTABLE\n",
           "some.yaml:2:10: error[T105]: the message is refused: REJECTED rule no rejects it: "
           "\n" HINT);
    expect("message: office.json\nrefused: REJECTED\n",
           "some.yaml:2:10: error[T105]: the message is not refused\n" HINT);
}

Test(rule_tests, are_no_part_of_the_generation)
{
    struct config_files files = {{{"kouan.yaml", config_text},
                                  {"rules.csv", rules},
                                  {"secret", "0123456789abcdef"},
                                  {"some.yaml", BODY("") "refused: UNROUTABLE\n"}}};
    struct config *config = config_files_load(&files);
    cr_assert_eq(config->test_count, 1);
    for (uint32_t i = 0; i < config->file_count; i++)
        cr_assert_str_neq(config->files[i].name, "some.yaml");
    config_free(config);
    const struct config_source source = {.read = config_files_read,
                                         .context = &files,
                                         .shipped = shipped_profiles,
                                         .without_tests = true};
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    config_files_put(&files, "some.yaml", "nonsense");
    cr_assert_eq(config_load_from(&source, "kouan.yaml", &config, &diagnostics), STATUS_OK);
    config_free(config);
    diagnostics_deinit(&diagnostics);
}

Test(rule_tests, come_in_by_a_channel_that_there_is)
{
    static const char *const rest = "sync: memory\ndestinations: [{name: all}]\nunroutable: all\n"
                                    "rule_tests: some.yaml\n";
    char text[512];
    struct config_files files = {{{"some.yaml", BODY("") "deliver: all\n"}}};
    snprintf(text, sizeof text, "channels: [{name: old}, {name: in}]\n%s", rest);
    config_files_put(&files, "kouan.yaml", text);
    struct config *before = config_files_load(&files), *next = NULL;
    struct generation_names names;
    struct arena arena;
    struct diagnostics diagnostics;
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    generation_names_take(&arena, before->generation, NULL, 0, &names);
    snprintf(text, sizeof text, "channels: [{name: in}]\n%s", rest);
    const struct config_source source = {.read = config_files_read,
                                         .context = &files,
                                         .shipped = shipped_profiles,
                                         .before = &names,
                                         .running = before};
    cr_assert_eq(config_load_from(&source, "kouan.yaml", &next, &diagnostics), STATUS_OK);
    cr_assert(next->generation->channels[0]->is_removed);
    config_free(next);
    config_free(before);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

#include "io/config/config_diff.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/io/config_files.h"

static const char base_text[] = "sync: memory\n"
                                "channels:\n"
                                "  - name: in\n"
                                "destinations:\n"
                                "  - {name: customs, groups: [a]}\n"
                                "  - name: port\n"
                                "lists: {offices: offices.txt}\n"
                                "tables: [rules.csv]\n";
static const char base_rules[] = "id,priority,customs_office,trade_mode,to,action,valid_from,note\n"
                                 "first,,5141|@offices,1210,customs,,,\n"
                                 "second,,5301,,port,hold,2026-12-01,by hand\n"
                                 "third,,,,customs|port,,,\n"
                                 "fourth,-1,,!9610,port,,,\n";

static struct config_files base_files(void)
{
    return (struct config_files){
        {{"kouan.yaml", base_text}, {"rules.csv", base_rules}, {"offices.txt", "5301\n5302\n"}}};
}

/* What is printed of the way from the base to files in which one is another. */
static void expect_from(struct config_files before_files, const char *name, const char *text,
                        const char *expected)
{
    struct config_files next_files = before_files;
    config_files_put(&next_files, name, text);
    struct config *before = config_files_load(&before_files);
    struct config *next = config_files_load(&next_files);
    struct config_diff diff;
    char *printed = NULL;
    size_t size = 0;
    config_diff_make(before, NULL, next, &diff);
    config_free(before);
    config_free(next);
    FILE *out = open_memstream(&printed, &size);
    config_diff_print(&diff, 100, out);
    fclose(out);
    cr_assert_str_eq(printed, expected);
    free(printed);
    config_diff_free(&diff);
}

static void expect(const char *name, const char *text, const char *expected)
{
    expect_from(base_files(), name, text, expected);
}

/* The base with one text in place of another. */
static const char *edited(const char *text, const char *from, const char *to)
{
    static char buffer[4096];
    const char *at = strstr(text, from);
    cr_assert_not_null(at, "%s", from);
    snprintf(buffer, sizeof buffer, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return buffer;
}

Test(config_diff, nothing_changes_where_nothing_differs)
{
    expect("rules.csv", base_rules, "0 changes\n");
    expect("rules.csv", edited(base_rules, "5141|@offices", " 5141|@offices "), "0 changes\n");
}

Test(config_diff, rules_by_id_and_cell)
{
    expect("rules.csv",
           "id,trade_mode,customs_office,to,action,priority,note\n"
           "first,1210|9610,5141|@offices,port|customs,,,\n"
           "third,,,port|customs,,,\n"
           "second,,,port,reject,7,\n"
           "fifth,!1210,51*,@receiver|port,hold,,\n",
           "  rule rules/fourth removed\n"
           "  rule rules/second changed: priority: 0 -> 7; customs_office: 5301 -> -; action: hold "
           "-> reject; valid_from: 2026-12-01 -> -; note: by hand -> -\n"
           "  rule rules/first changed: trade_mode: 1210 -> 1210|9610; to: customs -> "
           "port|customs\n"
           "  rule rules/fifth added: trade_mode: !1210; customs_office: 51*; hold: "
           "port|@receiver\n"
           "4 changes\n");
}

Test(config_diff, rules_that_moved_are_the_fewest_that_must_have)
{
    static const char *const before = "id,to\na,port\nb,port\nc,port\nd,port\ne,port\n";
    struct config_files files = base_files();
    config_files_put(&files, "rules.csv", before);
    expect_from(files, "rules.csv", "id,to\nb,port\nc,port\nd,port\na,port\ne,port\n",
                "  rule rules/a moved: now after d\n1 change\n");
    expect_from(files, "rules.csv", "id,to\ne,port\na,port\nb,port\nx,port\nc,port\nd,port\n",
                "  rule rules/e moved: now first\n  rule rules/x added: to: port\n2 changes\n");
    expect_from(files, "rules.csv", "id,to\nb,port\nc,port\nd,port\ne,port\n",
                "  rule rules/a removed\n1 change\n");
    expect_from(files, "rules.csv", "id,to\n",
                "  rule rules/a removed\n  rule rules/b removed\n"
                "  rule rules/c removed\n  rule rules/d removed\n"
                "  rule rules/e removed\n5 changes\n");
}

Test(config_diff, tables_and_lists)
{
    struct config_files files = base_files();
    config_files_put(&files, "more.csv", "id,to\na,port\n");
    expect_from(files, "kouan.yaml", edited(base_text, "[rules.csv]", "[rules.csv, more.csv]"),
                "  table more added: 1 rules\n1 change\n");
    expect("offices.txt", "5141\n5302\n5303\n5304\n5305\n5306\n5307\n",
           "  list offices changed: 6 added (5141, 5303, 5304, 5305, 5306 ...); 1 removed (5301)\n"
           "1 change\n");
    expect("offices.txt", "# version: 2026-11\n5301\n5302\n",
           "  list offices changed: version: - -> 2026-11\n1 change\n");
}

Test(config_diff, options_wait_for_a_restart)
{
    expect("kouan.yaml", edited(base_text, "sync: memory\n", "sync: memory\nmessage_max: 1MiB\n"),
           "  option message_max changed: 524288 bytes -> 1048576 bytes  (needs a restart)\n"
           "1 change, 1 of which waits for a restart\n");
    expect("kouan.yaml",
           edited(base_text, "sync: memory\n",
                  "sync: memory\nlisten: 127.0.0.1:7401\nunroutable: port\npin: auto\n"),
           "  option listen changed: 127.0.0.1:7400 -> 127.0.0.1:7401  (needs a restart)\n"
           "  option pin changed: none -> auto  (needs a restart)\n"
           "  option unroutable changed: refuse -> port\n"
           "3 changes, 2 of which wait for a restart\n");
}

#define CYCLE(states, moves)                                                                       \
    "sync: memory\nlife_cycle: {states: {" states "}, moves: [" moves "]}\n"

Test(config_diff, the_life_cycle)
{
    struct config_files files = base_files();
    static char before[1024];
    const char *text = edited(base_text, "sync: memory\n", CYCLE("a: []", "{to: a}"));
    snprintf(before, sizeof before, "%s", text);
    config_files_put(&files, "kouan.yaml", before);
    expect_from(files, "kouan.yaml",
                edited(base_text, "sync: memory\n", CYCLE("a: [], b: [a]", "{to: a}")),
                "  option life_cycle changed: states: 1 -> 2\n1 change\n");
    expect_from(files, "kouan.yaml", edited(base_text, "sync: memory\n", CYCLE("b: []", "{to: b}")),
                "  option life_cycle changed: as many states and moves, but others\n1 change\n");
    expect_from(files, "kouan.yaml", edited(base_text, "sync: memory\n", CYCLE("a: []", "{to: a}")),
                "0 changes\n");
}

Test(config_diff, options_are_compared_with_those_of_the_start)
{
    struct config_files files = base_files(), other = base_files();
    config_files_put(&other, "kouan.yaml",
                     edited(base_text, "sync: memory\n", "sync: memory\nmessage_max: 1MiB\n"));
    struct config *started = config_files_load(&files), *now = config_files_load(&other);
    struct config_diff diff;
    config_diff_make(now, started, now, &diff);
    cr_assert_eq(diff.count, 1);
    cr_assert_eq(diff.restart_count, 1);
    config_diff_free(&diff);
    config_diff_make(now, started, started, &diff);
    cr_assert_eq(diff.count, 0);
    config_diff_free(&diff);
    config_free(started);
    config_free(now);
}

Test(config_diff, destinations_and_channels)
{
    expect("kouan.yaml",
           edited(base_text, "{name: customs, groups: [a]}",
                  "{name: customs, groups: [{name: a, order: case}, b], fields: [keys], "
                  "pending_max: 7, when_full: drop_oldest}\n  - name: other"),
           "  destination customs changed: groups: +b; fields: +keys; pending_max: 65536 -> 7; "
           "backlog_bytes_max: 62914560 -> 41943040; when_full: wait -> drop_oldest\n"
           "  destination customs changed: order of a: arrival -> case  (needs a restart)\n"
           "  destination other added\n"
           "  destination port changed: backlog_bytes_max: 62914560 -> 41943040\n"
           "4 changes, 1 of which waits for a restart\n");
    expect("kouan.yaml", edited(base_text, "groups: [a]}", "groups: [a], pending_max: 70000}"),
           "  destination customs changed: pending_max: 65536 -> 70000  (needs a restart)\n"
           "1 change, 1 of which waits for a restart\n");
    struct config_files files = base_files();
    char text[4096];
    snprintf(text, sizeof text, "%s",
             edited(base_text, "- name: in", "- {name: in, profiles: [event, edifact-*]}"));
    config_files_put(&files, "kouan.yaml", text);
    expect_from(files, "kouan.yaml",
                edited(text, "event, edifact-*]}", "event, ceb-tax, ceb-order]}\n  - name: out"),
                "  channel in changed: profiles: +ceb-order +ceb-tax -edifact-aperak "
                "-edifact-bayplan -edifact-booking -edifact-consignments -edifact-container "
                "-edifact-container-list -edifact-contrl -edifact-cuscar and 7 more\n"
                "  channel out added\n2 changes\n");
}

Test(config_diff, participants_and_never_their_secrets)
{
    static const char *const people =
        "participants:\n"
        "  - {name: ann, secret_file: ann, ids: [A, B], publish: in}\n"
        "  - {name: bob, secret_file: bob}\n"
        "channels:\n";
    struct config_files files = base_files();
    char text[4096];
    snprintf(text, sizeof text, "%s", edited(base_text, "channels:\n", people));
    config_files_put(&files, "kouan.yaml", text);
    config_files_put(&files, "ann", "0123456789abcdef-ann");
    config_files_put(&files, "bob", "0123456789abcdef-bob");
    expect_from(files, "ann", "another-0123456789abcdef",
                "  participant ann changed: another secret\n1 change\n");
    expect_from(
        files, "kouan.yaml",
        edited(text, "ids: [A, B], publish: in}\n  - {name: bob,",
               "ids: [B, C, D*], roles: [r], consume: port, operate: yes}\n  - {name: eve,"),
        "  participant bob removed\n"
        "  participant ann changed: roles: +r; ids: 2 added, 1 removed; publish: -in; "
        "consume: +port; operate: no -> yes\n"
        "  participant eve added\n"
        "3 changes\n");
}

Test(config_diff, profiles_by_their_text)
{
    static const char *const profile = "profile: notes\nfamily: note\nformat: json\n"
                                       "recognise: { key: note }\n"
                                       "fields:\n  message_type: { constant: NOTE }\n";
    struct config_files files = base_files();
    char text[4096];
    snprintf(text, sizeof text, "%s",
             edited(base_text, "tables:", "profiles: [notes.yaml, shipped]\ntables:"));
    config_files_put(&files, "kouan.yaml", text);
    config_files_put(&files, "notes.yaml", profile);
    expect_from(files, "notes.yaml", edited(profile, "NOTE", "MEMO"),
                "  profile notes changed: notes.yaml\n1 change\n");
}

#define NOTES(name)                                                                                \
    "profile: " name "\nfamily: note\nformat: json\nrecognise: { key: note }\n"                    \
    "fields:\n  message_type: { constant: NOTE }\n"

/* Whose turn comes first reads what several would. */
Test(config_diff, the_order_of_profiles)
{
    struct config_files files = base_files();
    char text[4096];
    snprintf(text, sizeof text, "%s",
             edited(base_text, "tables:", "profiles: [a.yaml, b.yaml, shipped]\ntables:"));
    config_files_put(&files, "kouan.yaml", text);
    config_files_put(&files, "a.yaml", NOTES("a"));
    config_files_put(&files, "b.yaml", NOTES("b") "---\n" NOTES("c"));
    expect_from(files, "kouan.yaml",
                edited(text, "[a.yaml, b.yaml, shipped]", "[b.yaml, a.yaml, shipped]"),
                "  profile a moved: now after c\n1 change\n");
    expect_from(files, "b.yaml", NOTES("c") "---\n" NOTES("b"),
                "  profile c moved: now after a\n1 change\n");
    expect_from(files, "b.yaml", "# first\n" NOTES("b") "\n# second\n---\n\n" NOTES("c") "...\n",
                "0 changes\n");
    expect_from(files, "b.yaml", NOTES("b") "    # of it\n---\n" NOTES("c"), "0 changes\n");
    expect_from(files, "b.yaml", NOTES("b") "# more\nkeys: { order: Note }\n---\n" NOTES("c"),
                "  profile b changed: b.yaml\n1 change\n");
    expect_from(files, "b.yaml", NOTES("c"),
                "  channel in changed: profiles: -b\n  profile b removed\n2 changes\n");
    expect_from(files, "a.yaml", NOTES("x") "---\n" NOTES("a"),
                "  channel in changed: profiles: +x\n  profile x added: a.yaml\n2 changes\n");
}

Test(config_diff, prints_so_many_lines_of_a_kind)
{
    struct config_files files = base_files(), other = base_files();
    config_files_put(&other, "rules.csv", "id,to\na,port\nb,\"port\"\nc,port\n");
    struct config *before = config_files_load(&files), *next = config_files_load(&other);
    struct config_diff diff;
    char *printed = NULL;
    size_t size = 0;
    config_diff_make(before, NULL, next, &diff);
    FILE *out = open_memstream(&printed, &size);
    config_diff_print(&diff, 1, out);
    config_diff_print_json(&diff, out);
    fclose(out);
    cr_assert(strncmp(printed,
                      "  rule rules/first removed\n  and 6 rules more\n7 changes\n"
                      "[{\"kind\":\"rule\",\"name\":\"rules/first\",\"how\":\"removed\","
                      "\"detail\":\"\",\"restart\":false},\n ",
                      120) == 0,
              "%s", printed);
    free(printed);
    config_diff_free(&diff);
    config_free(before);
    config_free(next);
}

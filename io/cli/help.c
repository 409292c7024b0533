/* kouan help: what the codes of diagnostics and the words of refusals mean; or a command's help. */
#include <stdio.h>
#include <string.h>

#include "core/ledger.h"
#include "io/cli/arguments.h"
#include "io/cli/cli.h"
#include "io/cli/output.h"
#include "io/config/config.h"
#include "routes/dialect/profile.h"
#include "routes/rules/rule_example.h"
#include "routes/suggest.h"

enum { TOPICS_MAX = 256 };

/* One thing that can be explained. */
struct topic {
    const char *code, *title, *explanation; /* the latter may be NULL */
};

struct topic_list {
    struct topic items[TOPICS_MAX];
    size_t count;
};

static void add(struct topic_list *list, const char *code, const char *title,
                const char *explanation)
{
    if (list->count < TOPICS_MAX)
        list->items[list->count++] = (struct topic){code, title, explanation};
}

static void add_codes(struct topic_list *list, const struct diagnostic_code *codes)
{
    for (; codes->code != NULL; codes++)
        add(list, codes->code, codes->title, codes->explanation);
}

static const char *const group_titles[] = {"Of configurations",
                                           "Of profiles",
                                           "Of rule tables and value lists",
                                           "Of examples for rules",
                                           "First words of error replies to XADD",
                                           "Second words of REJECTED"};
enum { GROUP_COUNT = sizeof group_titles / sizeof *group_titles };

static const char rejected_explanation[] =
    "The reply says why: the reason of the reader with the byte at which it stopped, or the rule.";

static void gather(unsigned group, struct topic_list *out)
{
    out->count = 0;
    switch (group) {
    case 0:
        add_codes(out, config_codes);
        add_codes(out, life_cycle_codes);
        break;
    case 1: add_codes(out, profile_codes); break;
    case 2: add_codes(out, rule_codes); break;
    case 3: add_codes(out, rule_example_codes); break;
    case 4:
#define X(constant, name, word, text)                                                              \
    add(out, word, text, REFUSAL_##constant == REFUSAL_REJECTED ? rejected_explanation : NULL);
        REFUSAL_LIST(X)
#undef X
        break;
    default:
#define X(name, word, text)                                                                        \
    if (SCAN_##name != SCAN_NONE)                                                                  \
        add(out, word, text, NULL);
        SCAN_REASON_LIST(X)
#undef X
        break;
    }
}

static void list_all(void)
{
    struct topic_list list;
    for (unsigned group = 0; group < GROUP_COUNT; group++) {
        gather(group, &list);
        printf("%s", group > 0 ? "\n" : "");
        output_painted(stdout, PAINT_BOLD, group_titles[group]);
        putchar('\n');
        for (size_t i = 0; i < list.count; i++)
            printf("  %-15s %s\n", list.items[i].code, list.items[i].title);
    }
    puts("\n`kouan help CODE` says more of one; `kouan --help` lists the commands.");
}

/* Texts of one paragraph, filled to the width of a page. */
static void print_filled(const char *text)
{
    enum { WIDTH = 80 };
    size_t column = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " ");
        if (column > 0 && column + 1 + size > WIDTH) {
            putchar('\n');
            column = 0;
        }
        printf("%s%.*s", column > 0 ? " " : "", (int)size, text);
        column += size + (column > 0);
        text += size;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static bool explain_code(const char *code)
{
    struct topic_list list;
    bool found = false;
    for (unsigned group = 0; group < GROUP_COUNT; group++) {
        gather(group, &list);
        for (size_t i = 0; i < list.count; i++) {
            const struct topic *topic = &list.items[i];
            if (!bytes_equal_fold(bytes_from_text(code), bytes_from_text(topic->code)))
                continue;
            output_painted(stdout, PAINT_BOLD, topic->code);
            printf(": %s\n", topic->title);
            if (topic->explanation != NULL)
                print_filled(topic->explanation);
            found = true; /* and on: one word may have several meanings */
        }
    }
    return found;
}

static const char *suggest_code(const char *code)
{
    struct topic_list list;
    const char *names[GROUP_COUNT * TOPICS_MAX];
    size_t count = 0;
    for (unsigned group = 0; group < GROUP_COUNT; group++) {
        gather(group, &list);
        for (size_t i = 0; i < list.count; i++)
            names[count++] = list.items[i].code;
    }
    return suggest_name(bytes_from_text(code), names, count);
}

static bool show_command(const char *name, enum cli_exit *out_exit)
{
    char option[] = "--help";
    char *argv[] = {(char *)(uintptr_t)name, option, NULL};
#define X(command, text)                                                                           \
    if (strcmp(name, #command) == 0) {                                                             \
        *out_exit = cli_##command(2, argv);                                                        \
        return true;                                                                               \
    }
    CLI_COMMAND_LIST(X)
#undef X
    return false;
}

enum cli_exit cli_help(int argc, char **argv)
{
    static const struct argument_page page = {
        .command = "help",
        .operands = "[CODE]",
        .about =
            "Explains a code such as C104 (configuration), P101 (profile), R101 (rule table),\n"
            "L101 (value list), or a word such as REJECTED or MALFORMED; without one, lists "
            "all.\nAlso: kouan help COMMAND.",
        .operands_max = 1,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    if (first == argc) {
        list_all();
        return CLI_OK;
    }
    if (explain_code(argv[first]))
        return CLI_OK;
    if (show_command(argv[first], &exit_code))
        return exit_code;
    const char *near = suggest_code(argv[first]);
    fprintf(stderr, "kouan help: there is no code `%s`", argv[first]);
    if (near != NULL)
        fprintf(stderr, "; did you mean `%s`?", near);
    fputs("\n`kouan help` lists all.\n", stderr);
    return CLI_INVALID;
}

#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/diagnostic.h"

typedef void printer(const struct diagnostics *diagnostics, FILE *out);

/* The caller frees. */
static char *printed(const struct diagnostics *diagnostics, printer *print)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    print(diagnostics, out);
    fclose(out);
    return text;
}

static void expect(const struct diagnostics *diagnostics, printer *print, const char *expected)
{
    char *text = printed(diagnostics, print);
    cr_assert_str_eq(text, expected);
    free(text);
}

Test(diagnostic, lines_come_in_the_order_of_their_places)
{
    struct diagnostics diagnostics;
    char file[] = "rules/b.csv", hint[] = "write 0110";
    diagnostics_init(&diagnostics);
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "R104", (struct place){file, 12, 4}, hint,
                    "`%s` has %d digits", "110", 3);
    diagnostics_add(&diagnostics, SEVERITY_WARNING, "R200", (struct place){file, 2, 0}, NULL, "w");
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "R105", (struct place){file, 12, 1}, NULL, "x");
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "P101", (struct place){"a.yaml", 99, 1}, NULL,
                    "first");
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "P102", (struct place){"a.yaml", 99, 1}, NULL,
                    "second");
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "C101", (struct place){NULL, 0, 0}, NULL, "none");
    memset(file, '?', strlen(file)); /* both were copied */
    memset(hint, '?', strlen(hint));

    expect(&diagnostics, diagnostics_print,
           "error[C101]: none\n"
           "a.yaml:99:1: error[P101]: first\n"
           "a.yaml:99:1: error[P102]: second\n"
           "rules/b.csv:2: warning[R200]: w\n"
           "rules/b.csv:12:1: error[R105]: x\n"
           "rules/b.csv:12:4: error[R104]: `110` has 3 digits\n"
           "  hint: write 0110\n");
    cr_assert_eq(diagnostics.error_count, 5);
    cr_assert_eq(diagnostics.warning_count, 1);
    diagnostics_deinit(&diagnostics);
}

Test(diagnostic, control_bytes_reach_no_terminal)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "R101", (struct place){"f", 1, 2}, "a\rb", "%s",
                    "\x1B[31m\n\x7F 口");
    expect(&diagnostics, diagnostics_print,
           "f:1:2: error[R101]: \\x1B[31m\\x0A\\x7F 口\n  hint: a\\x0Db\n");
    diagnostics_deinit(&diagnostics);
}

Test(diagnostic, json)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    expect(&diagnostics, diagnostics_print_json, "[]\n");
    diagnostics_add(&diagnostics, SEVERITY_WARNING, "L101", (struct place){"l.txt", 3, 0}, "h\t",
                    "say \"%s\" \\", "口");
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "C101", (struct place){0}, NULL, "x");
    expect(&diagnostics, diagnostics_print_json,
           "[\n  {\"severity\":\"error\",\"code\":\"C101\",\"text\":\"x\"},"
           "\n  {\"severity\":\"warning\",\"code\":\"L101\",\"file\":\"l.txt\",\"line\":3,"
           "\"text\":\"say \\\"口\\\" \\\\\",\"hint\":\"h\\u0009\"}\n]\n");
    diagnostics_deinit(&diagnostics);
}

Test(diagnostic, what_does_not_fit_is_counted)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    for (uint32_t i = 0; i < DIAGNOSTICS_MAX + 7; i++)
        diagnostics_add(&diagnostics, SEVERITY_ERROR, "R101", (struct place){"f", i + 1, 1}, NULL,
                        "n");
    cr_assert_eq(diagnostics.count, (uint32_t)DIAGNOSTICS_MAX);
    cr_assert_eq(diagnostics.error_count, DIAGNOSTICS_MAX + 7U);
    char *text = printed(&diagnostics, diagnostics_print);
    cr_assert_not_null(strstr(text, "f:1000:1: error[R101]: n\n... and 7 more\n"));
    cr_assert_null(strstr(text, "f:1001:"));
    free(text);
    diagnostics_deinit(&diagnostics);
}

Test(diagnostic, a_long_text_is_cut)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    diagnostics_add(&diagnostics, SEVERITY_ERROR, "R101", (struct place){0}, NULL, "%05000d", 1);
    cr_assert_eq(strlen(diagnostics.items[0].text), 1023);
    diagnostics_deinit(&diagnostics);
}

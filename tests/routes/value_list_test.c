#include <criterion/criterion.h>
#include <stdlib.h>

#include "routes/rules/rule.h"

static struct arena arena;
static struct diagnostics diagnostics;
static struct charsets *charsets;

static void set_up(void)
{
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    charsets = charsets_open();
    cr_assert_not_null(charsets);
}

static void tear_down(void)
{
    charsets_close(charsets);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

TestSuite(value_list, .init = set_up, .fini = tear_down);

static const struct value_list *parse(const char *text)
{
    struct bytes content = arena_copy(&arena, bytes_from_text(text));
    return value_list_parse(&arena, charsets, "name", "l.txt", content, &diagnostics);
}

static const char *printed(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diagnostics_print(&diagnostics, out);
    fclose(out);
    const char *kept = arena_copy_text(&arena, bytes_make(text, size));
    free(text);
    return kept;
}

/* Both texts name the values in order, separated by `|`. */
static void expect_values(const char *text, const char *values)
{
    const struct value_list *list = parse(text);
    char joined[1024] = "";
    for (uint32_t i = 0; i < list->count; i++)
        snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%.*s",
                 i > 0 ? "|" : "", (int)list->values[i].size, (const char *)list->values[i].data);
    cr_assert_str_eq(joined, values, "%s", text);
    cr_assert_str_empty(printed());
}

/* The list keeps its one right value, 5141, beside what is wrong. */
static void expect_report(const char *text, const char *report)
{
    const struct value_list *list = parse(text);
    cr_assert_str_eq(printed(), report);
    cr_assert_eq(list->count, 1);
    cr_assert(bytes_equal_text(list->values[0], "5141"));
    tear_down();
    set_up();
}

Test(value_list, holds_its_values_sorted_and_once)
{
    expect_values("5301\n5141\r\n\n 5301 \n51\n", "51|5141|5301");
    expect_values("# customs offices, as of 2026 \"spring\"\n5141\n#5301\n", "5141");
}

Test(value_list, takes_the_first_column_of_a_sheet)
{
    expect_values("Code,name\n5141,广州机场\n5301,\"皇岗, 深圳\"\n", "5141|5301");
    expect_values("value\n5141\n", "5141");
    expect_values("5141\nvalue\n", "5141|value");
    expect_values("5141;x\n5301;y\n", "5141|5301");
}

Test(value_list, takes_signs_as_text_after_a_backslash)
{
    expect_values("a\\|b\n\\@x\n'0110\n\\#1\n", "#1|0110|@x|a|b");
}

Test(value_list, keeps_its_name_and_file)
{
    const struct value_list *list = parse("5141");
    cr_assert_str_eq(list->name, "name");
    cr_assert_str_eq(list->file, "l.txt");
}

Test(value_list, finds_each_value_and_no_other)
{
    const struct value_list *list = parse("b\nd\nf\nff\n");
    cr_assert_not(parse("#")->count);
    for (const char *text = "abcdefg"; *text != '\0'; text++) {
        bool there = strchr("bdf", *text) != NULL;
        cr_assert_eq(value_list_has(list, bytes_make(text, 1)), there, "%c", *text);
    }
    cr_assert(value_list_has(list, BYTES_LITERAL("ff")));
    cr_assert_not(value_list_has(list, BYTES_LITERAL("fff")));
    cr_assert_not(value_list_has(parse("#"), BYTES_LITERAL("a")));
}

Test(value_list, L101_encoding)
{
    const struct value_list *list = parse("5141\nab\xFF\n");
    cr_assert_eq(list->count, 0);
    cr_assert_str_eq(printed(),
                     "l.txt:2:3: error[L101]: the file is neither UTF-8 nor GB18030; byte 0xFF is "
                     "the first that does not fit UTF-8\n  hint: save the sheet as `CSV UTF-8`\n");
}

Test(value_list, L102_nul_byte)
{
    struct bytes content = arena_copy(&arena, bytes_make("51\n4\0", 5));
    value_list_parse(&arena, charsets, "name", "l.txt", content, &diagnostics);
    cr_assert_str_eq(printed(),
                     "l.txt:2:2: error[L102]: a NUL byte: this is no text file\n  hint: is it a "
                     "workbook rather than a CSV file? save as `CSV UTF-8`\n");
}

Test(value_list, L103_open_quote)
{
    expect_report("5141\n\"5301\n",
                  "l.txt:2:1: error[L103]: the quote that opens here is never closed: `\"5301`\n"
                  "  hint: close the quote; a quote inside a quoted cell is written twice\n");
}

Test(value_list, L104_stray_quote)
{
    expect_report("53\"01\n5141\n",
                  "l.txt:1:1: error[L104]: a quote inside a cell that is not quoted: `53\"01`\n"
                  "  hint: quote the whole cell, without blanks before the quote, and write each "
                  "quote inside it twice\n");
}

Test(value_list, L105_signs_of_rules)
{
    static const char *const values[] = {"51*", "51|52", "0201..0210", "!51", "@x"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        expect_report(arena_format(&arena, "5141\n%s\n", values[i]),
                      arena_format(&arena,
                                   "l.txt:2:1: error[L105]: `%s` has a sign of rule cells\n"
                                   "  hint: a list holds whole values, one a line; patterns belong "
                                   "in the cell of a rule; a sign that is meant as text takes a "
                                   "`\\` before it\n",
                                   values[i]));
    expect_report("C:\\x\n5141\n",
                  "l.txt:1:1: error[L105]: `C:\\x` has a `\\` that stands before no sign\n"
                  "  hint: write `\\\\` for a backslash\n");
}

Test(value_list, L106_damage)
{
    const char *hint = "  hint: format the column as text, and write the value out again\n";
    expect_report("5141\n4.4E+09\n",
                  arena_format(&arena,
                               "l.txt:2:1: error[L106]: `4.4E+09` is a number that a spreadsheet "
                               "has rounded\n%s",
                               hint));
    expect_report(
        "5141\n\"#REF!\"\n",
        arena_format(&arena, "l.txt:2:1: error[L106]: `#REF!` is the error value of a formula\n%s",
                     hint));
    expect_report("5141\n\"a\nb\"\n",
                  arena_format(&arena,
                               "l.txt:2:1: error[L106]: `a\\x0Ab` has a line break or another "
                               "control character\n%s",
                               hint));
}

Test(value_list, L107_empty_warns)
{
    cr_assert_eq(parse("# none\n\ncode\n")->count, 0);
    cr_assert_eq(diagnostics.error_count, 0);
    cr_assert_str_eq(printed(), "l.txt: warning[L107]: the list `@name` has no values\n"
                                "  hint: a condition `@list` on it never holds, `!@list` always\n");
}

Test(value_list, L108_too_long)
{
    char value[1026] = "";
    memset(value, 'v', 1025);
    expect_report(arena_format(&arena, "5141\n%s\n", value),
                  arena_format(&arena,
                               "l.txt:2:1: error[L108]: `%.60s...` is longer than any value of a "
                               "message can be\n",
                               value));
    value[1024] = '\0';
    cr_assert_eq(parse(value)->count, 1);
}

Test(value_list, L109_too_many)
{
    size_t size = 0;
    char *text = arena_allocate(&arena, (VALUE_LIST_VALUES_MAX + 2) * 8);
    for (int i = 0; i <= VALUE_LIST_VALUES_MAX + 1; i++)
        size += (size_t)sprintf(text + size, "%d\n", i);
    cr_assert_eq(parse(text)->count, VALUE_LIST_VALUES_MAX);
    cr_assert_str_eq(printed(), "l.txt:200001:1: error[L109]: `200000` is one value more than a "
                                "list may have\n  hint: split the list\n");
}

Test(value_list, says_its_version)
{
    cr_assert_str_eq(parse("# version: 2026-11\n5141\n")->version, "2026-11");
    cr_assert_str_eq(parse("# offices\r\n#version:  a b ,,\r\ncode,name\r\n5141,x\r\n")->version,
                     "a b");
    cr_assert_str_eq(parse("5141\n# version: 2026-11\n")->version, "", "not at its head");
    cr_assert_str_eq(parse("# Version 7\n5141\n")->version, "");
    cr_assert_str_empty(printed());
    expect_report("# offices\n# version:\n5141\n",
                  "l.txt:2:1: error[L110]: a version has from 1 to 64 bytes\n"
                  "  hint: as in `# version: 2026-11`\n");
}

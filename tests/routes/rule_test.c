#include "routes/rules/rule.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "routes/match/match.h"
#include "routes/rules/csv.h"

static struct arena arena;
static struct diagnostics diagnostics;
static struct charsets *charsets;

static const char *const destinations[] = {"customs", "inspection", "port", "trader"};
static struct bytes office_values[] = {BYTES_LITERAL("5141"), BYTES_LITERAL("5301")};
static struct bytes short_values[] = {BYTES_LITERAL("0110"), BYTES_LITERAL("214")};
static const struct value_list offices = {"offices", "offices.txt", "", office_values, 2};
static const struct value_list modes = {"modes", "modes.txt", "", short_values, 2};
static const struct value_list nothing = {"nothing", "nothing.txt", "", NULL, 0};
static const struct value_list *const lists[] = {&offices, &modes, &nothing};
static const struct rule_names names = {destinations, 4, lists, 3};

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

TestSuite(rule, .init = set_up, .fini = tear_down);

static const struct rule_table *parse_bytes(struct bytes text)
{
    struct bytes content = arena_copy(&arena, text);
    return rule_table_parse(&arena, charsets, "table", "t.csv", content, &names, &diagnostics);
}

static const struct rule_table *parse(const char *text)
{
    return parse_bytes(bytes_from_text(text));
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

/* The text is wrong in exactly this way. */
static void expect(const char *text, const char *report)
{
    cr_assert_null(parse(text), "%s", text);
    cr_assert_str_eq(printed(), report);
    tear_down();
    set_up();
}

/* One cell of one column is wrong; the report's place and column name are given. */
static void expect_cell(const char *column, const char *cell, const char *rest)
{
    const char *text = arena_format(&arena, "id,%s,to\na,\"%s\",port\n", column, cell);
    cr_assert_null(parse(text), "%s", text);
    cr_assert_str_eq(printed(), arena_format(&arena, "t.csv:2:3: error[%.4s]: %s: `%s` %s\n", rest,
                                             column, cell, rest + 5));
    tear_down();
    set_up();
}

static const char *repeated(const char *unit, size_t times)
{
    size_t size = strlen(unit);
    char *text = arena_allocate(&arena, size * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * size, unit, size);
    return text;
}

static const struct rule_table *parse_rightly(const char *text)
{
    const struct rule_table *table = parse(text);
    cr_assert_not_null(table, "%s", printed());
    cr_assert_str_empty(printed());
    return table;
}

Test(rule, reads_a_table)
{
    const struct rule_table *table = parse_rightly(
        "ID,Priority,customs_office,TRADE_MODE,message_type,to,action,note\r\n"
        "a,,51*|5301,0110..0214,!CEB621,customs|port|customs,,\"first, of \"\"all\"\"\"\r\n"
        "\r\n"
        "b,10,@offices,*,,@receiver|port,Hold,\r\n"
        ",,,,,,,\r\n"
        "c,-5,,,,,reject,no\r\n");
    cr_assert_eq(table->rule_count, 3);
    cr_assert_eq(table->alternative_count, 5);
    cr_assert_str_eq(table->name, "table");
    cr_assert_str_eq(table->file, "t.csv");

    const struct rule *b = &table->rules[0], *a = &table->rules[1], *c = &table->rules[2];
    cr_assert_str_eq(b->id, "b");
    cr_assert_eq(b->priority, 10);
    cr_assert_eq(b->line, 4);
    cr_assert_eq(b->action, ACTION_HOLD);
    cr_assert(b->to_receiver);
    cr_assert_eq(b->destination_count, 1);
    cr_assert_eq(b->destinations[0], 2);
    cr_assert_eq(b->condition_count, 1);
    cr_assert_eq(b->conditions[0].slot, SLOT_CUSTOMS_OFFICE);
    cr_assert_eq(b->conditions[0].alternatives[0].kind, ALTERNATIVE_LIST);
    cr_assert_eq(b->conditions[0].alternatives[0].list, &offices);

    cr_assert_str_eq(a->id, "a");
    cr_assert_eq(a->priority, 0);
    cr_assert_eq(a->line, 2);
    cr_assert_eq(a->column, 1);
    cr_assert_eq(a->action, ACTION_DELIVER);
    cr_assert_not(a->to_receiver);
    cr_assert_eq(a->destination_count, 2, "the same one twice is once");
    cr_assert_eq(a->destinations[0], 0);
    cr_assert_eq(a->destinations[1], 2);
    cr_assert_str_eq(a->note, "first, of \"all\"");
    cr_assert_eq(a->condition_count, 3);
    const struct condition *office = &a->conditions[0], *mode = &a->conditions[1];
    cr_assert_eq(office->alternative_count, 2);
    cr_assert_eq(office->alternatives[0].kind, ALTERNATIVE_PREFIX);
    cr_assert(bytes_equal_text(office->alternatives[0].low, "51"));
    cr_assert_eq(office->alternatives[1].kind, ALTERNATIVE_EXACT);
    cr_assert(bytes_equal_text(office->alternatives[1].low, "5301"));
    cr_assert_not(office->negated);
    cr_assert_eq(mode->alternatives[0].kind, ALTERNATIVE_RANGE);
    cr_assert(bytes_equal_text(mode->alternatives[0].low, "0110"));
    cr_assert(bytes_equal_text(mode->alternatives[0].high, "0214"));
    cr_assert(a->conditions[2].negated);
    cr_assert(bytes_equal_text(a->conditions[2].alternatives[0].low, "CEB621"));

    cr_assert_str_eq(c->id, "c");
    cr_assert_eq(c->action, ACTION_REJECT);
    cr_assert_eq(c->destination_count, 0);
}

Test(rule, reads_what_spreadsheets_save)
{
    cr_assert_eq(parse_rightly("\xEF\xBB\xBFid;to\r\na;port\r\n")->rule_count, 1);
    cr_assert_eq(parse_rightly("id\tto\na\tport\n")->rule_count, 1);
    cr_assert_eq(parse_rightly("\n\nid,to,,\na,port,,\n,,,\n")->rule_count, 1);
    cr_assert_eq(parse_rightly("id,role,to\ra,x,port\rb,y,port")->rule_count, 2);
}

Test(rule, reads_gb18030)
{
    /* id,sender,to,note / a,广州,port,转关 in GB18030 */
    const struct rule_table *table =
        parse_rightly("id,sender,to,note\na,\xB9\xE3\xD6\xDD,port,\xD7\xAA\xB9\xD8\n");
    cr_assert(bytes_equal_text(table->rules[0].conditions[0].alternatives[0].low, "广州"));
    cr_assert_str_eq(table->rules[0].note, "转关");
}

Test(rule, takes_signs_as_text_after_a_backslash)
{
    static const char *const cells[][2] = {
        {"a\\|b", "a|b"},         {"\\!a", "!a"},       {"\\@offices", "@offices"},
        {"a\\*", "a*"},           {"1\\.\\.2", "1..2"}, {"1\\..2", "1..2"},
        {"\\\\", "\\"},           {"\\'a", "'a"},       {"'0110", "0110"},
        {"5\\/1", "5/1"},         {"\\＊", "＊"},       {"  5141 ", "5141"},
        {"' 5141", "5141"},       {"a!b", "a!b"},       {"a@b.c", "a@b.c"},
        {"8\\.5E+09", "8.5E+09"},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        const struct rule_table *table =
            parse_rightly(arena_format(&arena, "id,reference,to\na,%s,port\n", cells[i][0]));
        const struct condition *condition = &table->rules[0].conditions[0];
        cr_assert_eq(condition->alternative_count, 1, "%s", cells[i][0]);
        cr_assert_eq(condition->alternatives[0].kind, ALTERNATIVE_EXACT, "%s", cells[i][0]);
        cr_assert_not(condition->negated);
        cr_assert(bytes_equal_text(condition->alternatives[0].low, cells[i][1]), "%s", cells[i][0]);
    }
}

Test(rule, sorts_by_priority_then_by_line)
{
    const struct rule_table *table =
        parse_rightly("id,priority,reference,to\na,,1,port\nb,1,2,port\nc,,3,port\nd,1,4,port\n"
                      "e,-1,5,port\nf,2147483647,6,port\ng,-2147483648,7,port\n");
    const char *order = "fbdaceg";
    for (uint32_t i = 0; i < 7; i++)
        cr_assert_eq(table->rules[i].id[0], order[i]);
}

/* ---- What is wrong with the file ------------------------------------------------------------- */

Test(rule, R101_encoding)
{
    expect("id,to\na,po\xFFrt\n",
           "t.csv:2:5: error[R101]: the file is neither UTF-8 nor GB18030; byte 0xFF is the first "
           "that does not fit UTF-8\n  hint: save the sheet as `CSV UTF-8`\n");
    cr_assert_null(parse_bytes(bytes_make("\xFF\xFEi\0d\0", 6)));
    cr_assert_str_eq(printed(), "t.csv:1:1: error[R101]: the file is in UTF-16\n  hint: this is "
                                "what spreadsheets call `Unicode text`; save as `CSV UTF-8`\n");
}

Test(rule, R102_nul_byte)
{
    cr_assert_null(parse_bytes(bytes_make("id,to\r\n口\0,port\n", 17)));
    cr_assert_str_eq(printed(),
                     "t.csv:2:2: error[R102]: a NUL byte: this is no text file\n  hint: is it a "
                     "workbook rather than a CSV file? save as `CSV UTF-8`\n");
}

Test(rule, R103_open_quote)
{
    expect("id,to\na,port\nb,\"port\nc,prot\n",
           "t.csv:3:3: error[R103]: the quote that opens here is never closed: `\"port`\n"
           "  hint: close the quote; a quote inside a quoted cell is written twice\n"
           "t.csv:4:3: error[R115]: to: `prot` is no destination of the configuration\n"
           "  hint: did you mean `port`?\n");
}

Test(rule, R104_stray_quote)
{
    expect("id,to\na,\"po\"rt\n",
           "t.csv:2:3: error[R104]: text follows the closing quote of the cell that begins here: "
           "`\"po\"rt`\n  hint: a quote inside a quoted cell is written twice; or is the closing "
           "quote of this cell missing?\n");
    expect("id,to\na,po\"rt\"\n",
           "t.csv:2:3: error[R104]: a quote inside a cell that is not quoted: `po\"rt\"`\n"
           "  hint: quote the whole cell, without blanks before the quote, and write each quote "
           "inside it twice\n");
}

Test(rule, R105_no_header)
{
    const char *report = "t.csv:1:1: error[R105]: there is no header row\n"
                         "  hint: the first row names the columns: id, ..., to\n";
    expect("", report);
    expect("\n , \n\r\n", report);
}

Test(rule, R106_unknown_column)
{
    expect("id,custom_office,to,xyzzy\n",
           "t.csv:1:4: error[R106]: no column is named `custom_office`\n"
           "  hint: did you mean `customs_office`?\n"
           "t.csv:1:21: error[R106]: no column is named `xyzzy`\n"
           "  hint: `kouan help R106` lists the columns\n");
}

Test(rule, R107_column_twice)
{
    expect("id,port,to,Port\n",
           "t.csv:1:12: error[R107]: the column `Port` is there twice; first as column 2 of the "
           "sheet\n  hint: put its alternatives into one cell, separated by `|`\n");
}

Test(rule, R108_missing_column)
{
    expect("\nport\n5141\n", "t.csv:2:1: error[R108]: the column `id` is missing\n"
                             "  hint: a table has at least the columns `id` and `to`\n"
                             "t.csv:2:1: error[R108]: the column `to` is missing\n"
                             "  hint: a table has at least the columns `id` and `to`\n");
}

Test(rule, R109_cell_without_column)
{
    expect("id,to\na,port,x\n",
           "t.csv:2:8: error[R109]: `x` stands in cell 3 of its row, under no column's name\n"
           "  hint: a value that holds the separator is quoted: \"a,b\"\n");
    expect("id,,to\na,y,port\n",
           "t.csv:2:3: error[R109]: `y` stands in cell 2 of its row, under no column's name\n"
           "  hint: a value that holds the separator is quoted: \"a,b\"\n");
    expect("id,to\na,port,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
           "t.csv:2:1: error[R109]: the row has 70 cells; a table has 64 at most\n");
    cr_assert_null(parse(arena_format(&arena, "id,to\n%sx\n", repeated(",", CSV_CELLS_MAX))));
    cr_assert_eq(diagnostics.error_count, 3, "a cell past those that are kept is seen");
}

/* ---- What is wrong with a rule --------------------------------------------------------------- */

Test(rule, R110_no_id)
{
    expect("to,id\nport, \nport\n",
           "t.csv:2:6: error[R110]: id: the rule has no id\n"
           "  hint: each rule has an id, by which the journal and `explain` name it\n"
           "t.csv:3:1: error[R110]: id: the rule has no id\n"
           "  hint: each rule has an id, by which the journal and `explain` name it\n");
}

Test(rule, R111_id_twice)
{
    expect("id,to\na,port\nA,port\na,customs\na,trade\n",
           "t.csv:4:1: error[R111]: id: `a` is the id of the rule in line 2 already\n"
           "  hint: each rule of a table has an id of its own\n"
           "t.csv:5:1: error[R111]: id: `a` is the id of the rule in line 2 already\n"
           "  hint: each rule of a table has an id of its own\n"
           "t.csv:5:3: error[R115]: to: `trade` is no destination of the configuration\n"
           "  hint: did you mean `trader`?\n");
}

Test(rule, R112_priority)
{
    static const char *const cells[] = {"high", "1.5", "2147483648", "-2147483649", "+1", "1E+05"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        expect(arena_format(&arena, "id,priority,to\na,%s,port\n", cells[i]),
               arena_format(&arena,
                            "t.csv:2:3: error[R112]: priority: `%s` is no whole number of 32 bits\n"
                            "  hint: a whole number such as 10 or -5; blank is 0, and higher goes "
                            "first\n",
                            cells[i]));
}

Test(rule, R113_action)
{
    expect(
        "id,to,action\na,port,delivr\nb,port,drop\n",
        "t.csv:2:8: error[R113]: action: `delivr` is no action\n  hint: did you mean `deliver`?\n"
        "t.csv:3:8: error[R113]: action: `drop` is no action\n"
        "  hint: deliver, hold or reject; blank is deliver\n");
}

Test(rule, R114_no_destination)
{
    expect("id,to,action\na,,\nb, ,hold\nc,,reject\n",
           "t.csv:2:3: error[R114]: to: a rule that says `deliver` names no destination\n"
           "  hint: write a destination, or `@receiver`; only `reject` needs none\n"
           "t.csv:3:3: error[R114]: to: a rule that says `hold` names no destination\n"
           "  hint: write a destination, or `@receiver`; only `reject` needs none\n");
}

Test(rule, R115_unknown_destination)
{
    expect("id,to\na,port|inspecton\nb,@sender\nc,\"port, customs\"\nd,port|\n",
           "t.csv:2:3: error[R115]: to: `inspecton` is no destination of the configuration\n"
           "  hint: did you mean `inspection`?\n"
           "t.csv:3:3: error[R115]: to: `@sender` is no destination of the configuration\n"
           "  hint: the one word with `@` here is `@receiver`\n"
           "t.csv:4:3: error[R115]: to: `port, customs` is no destination of the configuration\n"
           "  hint: separate destinations by `|`\n"
           "t.csv:5:3: error[R115]: to: `` is no destination of the configuration\n"
           "  hint: name it under `destinations` in the configuration\n");
}

/* ---- What is wrong with a condition ---------------------------------------------------------- */

Test(rule, R116_receiver_in_a_condition)
{
    expect_cell("receiver", "@receiver",
                "R116 stands in a condition\n"
                "  hint: `@receiver` is a destination and belongs in `to`");
}

Test(rule, R117_unknown_list)
{
    expect_cell("port", "@office",
                "R117 is no list of the configuration\n  hint: did you mean `@offices`?");
    expect_cell("port", "@",
                "R117 is no list of the configuration\n  hint: name the list and its file in the "
                "configuration; an `@` that is text is written `\\@`");
}

Test(rule, R118_leading_zero)
{
    static const char *const columns[] = {"customs_office", "exit_office", "transit_office",
                                          "trade_mode"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        expect_cell(columns[i], "110",
                    "R118 has 3 digits\n"
                    "  hint: leading zero lost? write `0110`, and format the column as text");
    expect_cell("trade_mode", "1",
                "R118 has 1 digit\n  hint: leading zero lost? write `0001`, and format the column "
                "as text; all that begin so are `1*`");
    expect_cell("inspection_office", "42302",
                "R118 has 5 digits\n"
                "  hint: leading zero lost? write `042302`, and format the column as text");
    expect_cell("goods_code", "101210000",
                "R118 has 9 digits\n"
                "  hint: leading zero lost? write `0101210000`, and format the column as text");
    parse_rightly("id,goods_code,to\na,1012100000123|84|8517*|1*,port\n");
    expect("id,trade_mode,to\na,\"9610|!\",port\nb,201..0210,port\n",
           "t.csv:2:3: error[R124]: trade_mode: `!` has a `!` inside the cell\n"
           "  hint: a `!` stands before the whole cell and negates all of it\n"
           "t.csv:3:3: error[R118]: trade_mode: `201` has 3 digits\n"
           "  hint: leading zero lost? write `0201`, and format the column as text\n");
}

Test(rule, R118_leading_zero_in_a_list_once)
{
    expect("id,trade_mode,goods_code,to\na,@modes,@offices,port\nb,!@modes,,port\n",
           "t.csv:2:3: error[R118]: trade_mode: `214` in the list `@modes` has 3 digits\n"
           "  hint: leading zero lost? format the list's column as text, and write its codes "
           "again\n");
    parse_rightly("id,reference,to\na,@modes,port\n");
}

Test(rule, R119_scientific)
{
    static const char *const cells[] = {"8.5E+09", "1E+10", "4.40318E-05", "8.5e+09"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        expect_cell("trader", cells[i],
                    "R119 is a number that a spreadsheet has rounded\n  hint: its digits are lost: "
                    "format the column as text, and write the code again");
    parse_rightly("id,sender,to\na,8.5E9,port\nb,E+09,port\nc,1.E+09,port\nd,1E+,port\n");
}

Test(rule, R120_date)
{
    static const char *const cells[] = {
        "2026/11/23", "2026-11-23", "Nov-23",         "23-Nov", "23-Nov-26",      "11/2026",
        "2026/11",    "11月23日",   "2026年11月23日", "1/2/26", "23/11/2026 0:00"};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        expect_cell("customs_office", cells[i],
                    "R120 is a date\n  hint: a spreadsheet made it of a code: format the column as "
                    "text, and write the code again");
    parse_rightly("id,sent_at,to\na,2026/11/23,port\nb,Nov-23,port\n");
    parse_rightly("id,port,to\na,MARSH,port\nb,CNNOV,port\nc,MAR,port\n");
}

Test(rule, R121_error_value)
{
    expect_cell("sender", "#N/A",
                "R121 is the error value of a formula\n"
                "  hint: mend the formula, or write the code itself");
}

Test(rule, R122_range)
{
    expect_cell("trade_mode", "0201..",
                "R122 is no range of two ends\n  hint: write `low..high`; dots that are text are "
                "written `\\.\\.`");
    expect_cell("reference", "1..2..3",
                "R122 is no range of two ends\n  hint: write `low..high`; dots that are text are "
                "written `\\.\\.`");
    expect_cell("goods_code", "84..8517",
                "R122 has ends of different lengths\n"
                "  hint: write both with the same number of characters, such as `0201..0210`");
    expect_cell("trade_mode", "0210..0201",
                "R122 ends before it begins\n  hint: write `0201..0210`");
    expect_cell("trade_mode", "02*..0310",
                "R124 has a `*` that does not end a prefix\n  hint: `51*` is a prefix; a `*` alone "
                "is the whole cell; a `*` that is text is written `\\*`");
    expect_cell("trade_mode", "0201..03*",
                "R122 is a range with a `*` in it\n  hint: write both ends in full: `low..high`");
    parse_rightly("id,trade_mode,to\na,0201..0201,port\nb,0301 .. 0302,port\n");
}

Test(rule, R123_empty_alternative)
{
    const char *empty = "t.csv:2:3: error[R123]: port: `` is an empty alternative\n"
                        "  hint: a `|` stands between two values; drop the one that is too many\n";
    expect("id,port,to\na,CNYTN|,port\n", empty);
    expect("id,port,to\na,|CNYTN,port\n", empty);
    expect("id,port,to\na,CNYTN| |CNCAN,port\n", empty);
    expect_cell("port", "!", "R123 negates nothing\n  hint: write what must not be there");
}

Test(rule, R124_misplaced_sign)
{
    const char *star = "R124 has a `*` that does not end a prefix\n  hint: `51*` is a prefix; a "
                       "`*` alone is the whole cell; a `*` that is text is written `\\*`";
    expect_cell("port", "*YTN", star);
    expect_cell("port", "C*N", star);
    expect_cell("port", "CN**", star);
    expect_cell("port", "!*", "R124 never holds\n  hint: leave the cell blank, or drop the rule");
    expect("id,port,to\na,CN*|*,port\n",
           "t.csv:2:3: error[R124]: port: `*` has a `*` that does not end a prefix\n  hint: `51*` "
           "is a prefix; a `*` alone is the whole cell; a `*` that is text is written `\\*`\n");
    expect("id,port,to\na,CN*|!CNYTN,port\n",
           "t.csv:2:3: error[R124]: port: `!CNYTN` has a `!` inside the cell\n"
           "  hint: a `!` stands before the whole cell and negates all of it\n");
}

Test(rule, R125_backslash)
{
    const char *rest = "R125 has a `\\` that stands before no sign\n"
                       "  hint: write `\\\\` for a backslash";
    expect_cell("sender", "C:\\temp", rest);
    expect_cell("sender", "a\\", rest);
    expect_cell("sender", "\\0110", rest);
}

Test(rule, R126_separators)
{
    static const char *const several[] = {"5141,5301", "5141;5301",  "5141 5301",
                                          "5141/5301", "5141、5301", "5141，5301"};
    for (size_t i = 0; i < sizeof several / sizeof *several; i++)
        expect_cell("customs_office", several[i],
                    "R126 is no single code\n  hint: separate alternatives by `|`; if it is one "
                    "value, write a `\\` before the sign");
    static const char *const ranges[] = {"0201-0210", "0201~0210", "0201至0210", "0201～0210"};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        expect_cell("customs_office", ranges[i],
                    "R126 is no single code\n  hint: write a range as `low..high`; if it is one "
                    "value, write a `\\` before the sign");
    expect_cell("sender", "a｜b", "R126 has a full-width sign\n  hint: write `|` for `｜`");
    expect_cell("sender", "51＊", "R126 has a full-width sign\n  hint: write `*` for `＊`");
    expect("id,sender,to\na,\"b\nc\",port\n",
           "t.csv:2:3: error[R126]: sender: `b\\x0Ac` has a line break or another control "
           "character\n  hint: separate alternatives by `|`\n");
}

Test(rule, R127_too_long)
{
    parse_rightly(
        arena_format(&arena, "id,sender,to\n%s,%s,port\n", repeated("i", 64), repeated("v", 1024)));
    expect(
        arena_format(&arena, "id,sender,to\n%s,%s,port\n", repeated("i", 65), repeated("v", 1025)),
        arena_format(&arena,
                     "t.csv:2:1: error[R127]: id: `%s...` is longer than 64 bytes\n"
                     "  hint: put the rest into `note`\n"
                     "t.csv:2:67: error[R127]: sender: `%s...` is longer than any value of a "
                     "message can be\n  hint: a value has at most 1024 bytes\n",
                     repeated("i", 60), repeated("v", 60)));
}

Test(rule, R128_too_many_alternatives)
{
    parse_rightly(arena_format(&arena, "id,sender,to\na,%sv,port\n", repeated("v|", 1023)));
    expect(arena_format(&arena, "id,sender,to\na,%sv,port\n", repeated("v|", 1024)),
           arena_format(&arena,
                        "t.csv:2:3: error[R128]: sender: `%s...` has more than 1024 alternatives\n"
                        "  hint: put the values into a list file and write `@name`\n",
                        repeated("v|", 30)));
}

Test(rule, R128_too_many_rules_in_all)
{
    struct rule_table many = {.file = "a.csv", .rule_count = RULES_MAX};
    struct rule_table one = {.file = "b.csv", .rule_count = 1};
    struct rule_table cells = {.file = "c.csv",
                               .alternative_count = RULE_ALTERNATIVES_TOTAL_MAX + 1};
    const struct rule_table *tables[] = {&many, &one};
    const struct rule_table *wide[] = {&one, &cells};
    cr_assert(rule_tables_check_total(tables, 1, &diagnostics));
    cr_assert_not(rule_tables_check_total(tables, 2, &diagnostics));
    cr_assert_not(rule_tables_check_total(wide, 2, &diagnostics));
    cr_assert_str_eq(
        printed(), "b.csv: error[R128]: with this table all tables have more than 200000 rules or "
                   "4000000 alternatives\n"
                   "  hint: put values into list files and write `@name`\n"
                   "c.csv: error[R128]: with this table all tables have more than 200000 rules or "
                   "4000000 alternatives\n"
                   "  hint: put values into list files and write `@name`\n");
}

Test(rule, R128_too_many_rules_in_one)
{
    size_t rows = RULES_MAX + 1, size = 0;
    char *text = arena_allocate(&arena, rows * 24);
    size += (size_t)sprintf(text, "id,reference,to\n");
    for (size_t i = 0; i < rows; i++)
        size += (size_t)sprintf(text + size, "%zu,%zu,port\n", i, i);
    expect(text,
           "t.csv:200002:1: error[R128]: this is one rule more than the 200000 that there may "
           "be\n");
}

Test(rule, R129_too_many_digits_warns)
{
    cr_assert_not_null(parse("id,customs_office,to\na,!440000|51411*,port\n"));
    cr_assert_str_eq(
        printed(), "t.csv:2:3: warning[R129]: customs_office: `440000` has 6 digits; the codes of "
                   "this column have 4\n  hint: does the value belong in another column?\n"
                   "t.csv:2:3: warning[R129]: customs_office: `51411` has 5 digits; the codes of "
                   "this column have 4\n  hint: does the value belong in another column?\n");
}

Test(rule, R131_no_rules_warns)
{
    const struct rule_table *table = parse("id,to\n,\n");
    cr_assert_not_null(table);
    cr_assert_eq(table->rule_count, 0);
    cr_assert_str_eq(printed(), "t.csv: warning[R131]: the table has no rules\n"
                                "  hint: write a rule under the header, or take the table out\n");
}

Test(rule, reads_when_a_rule_is_valid)
{
    const struct rule_table *table =
        parse_rightly("id,valid_from,valid_to,to\n"
                      "a,2026-12-01,2027/1/1,port\nb,,2026-12-01T08:30+08:00,port\nc,,,port\n");
    cr_assert_eq(table->rules[0].valid_from_ms, UINT64_C(1796054400000));
    cr_assert_eq(table->rules[0].valid_to_ms, UINT64_C(1798732800000));
    cr_assert_eq(table->rules[1].valid_from_ms, 0);
    cr_assert_eq(table->rules[1].valid_to_ms, UINT64_C(1796085000000));
    cr_assert_eq(table->rules[2].valid_from_ms, 0);
    cr_assert_eq(table->rules[2].valid_to_ms, UINT64_MAX);
}

Test(rule, R132_no_time)
{
    expect("id,valid_from,to\na,1.12.2026,port\n",
           "t.csv:2:3: error[R132]: valid_from: `1.12.2026` is no day, and no time\n"
           "  hint: a day in China such as 2026-12-01, or a time with its zone: "
           "2026-12-01T08:30+08:00\n");
    expect("id,to,valid_to\na,port,2026-12-01 08:30\n",
           "t.csv:2:8: error[R132]: valid_to: `2026-12-01 08:30` is a time without its zone\n"
           "  hint: a day in China such as 2026-12-01, or a time with its zone: "
           "2026-12-01T08:30+08:00\n");
}

Test(rule, R133_never_valid)
{
    const char *hint = "  hint: `valid_to` is the first day, or moment, at which the rule holds no "
                       "more\n";
    const char *report = arena_format(&arena,
                                      "t.csv:2:14: error[R133]: valid_to: the rule ends no later "
                                      "than it begins, at 2026-12-01\n%s",
                                      hint);
    char copy[512];
    snprintf(copy, sizeof copy, "%s", report);
    expect("id,valid_from,valid_to,to\na,2026-12-01,2026-12-01,port\n", copy);
    expect("id,valid_from,valid_to,to\na,2026-12-01,2026/11/30,port\n", copy);
}

Test(rule, reports_all_errors_of_a_row)
{
    cr_assert_null(parse("id,priority,customs_office,trade_mode,to,action\n"
                         ",x,110|8.5E+09,0210..0201|@no,prt,dliver\n"));
    cr_assert_eq(diagnostics.error_count, 8);
}

/* ---- Rules that never match ------------------------------------------------------------------ */

/* The rule of the second row is covered by that of the first, or is not. */
static void expect_cover(bool covered, const char *columns, const char *earlier, const char *later)
{
    cr_assert_not_null(parse(arena_format(&arena, "id,to,%s\nfirst,port,%s\nsecond,port,%s\n",
                                          columns, earlier, later)));
    const char *report =
        "t.csv:3:1: warning[R130]: the rule `second` never matches: `first` in line 2 comes first "
        "and holds whenever it does\n  hint: put the narrower rule first, give it a higher "
        "priority, or drop it\n";
    cr_assert_str_eq(printed(), covered ? report : "", "%s: %s before %s", columns, earlier, later);
    tear_down();
    set_up();
}

Test(rule, R130_covered_rules_warn)
{
    expect_cover(true, "port", "", "");
    expect_cover(true, "port", "", "CNYTN");
    expect_cover(false, "port", "CNYTN", "");
    expect_cover(true, "port", "CN*", "CNYTN|CNCAN");
    expect_cover(false, "port", "CN*", "CNYTN|HKHKG");
    expect_cover(true, "port", "C*", "CN*");
    expect_cover(false, "port", "CN*", "C*");
    expect_cover(true, "trade_mode", "0200..0299", "0201..0210");
    expect_cover(false, "trade_mode", "0200..0299", "0201..0300");
    expect_cover(true, "trade_mode", "02*", "0201..0210");
    expect_cover(false, "trade_mode", "02*", "0201..0310");
    expect_cover(true, "trade_mode", "0200..0299", "0201");
    expect_cover(true, "reference", "A..C", "B");
    expect_cover(false, "reference", "10..99", "1A..2B"); /* numbers, and not */
    expect_cover(false, "reference", "A..C", "CC");
    expect_cover(true, "customs_office", "@offices", "@offices");
    expect_cover(true, "customs_office", "@offices", "5141|5301");
    expect_cover(true, "customs_office", "51*|5301", "@offices");
    expect_cover(false, "customs_office", "51*", "@offices");
    expect_cover(true, "port", "!CNYTN", "!CN*");
    expect_cover(true, "port", "!CNYTN", "!CNYTN|CNCAN");
    expect_cover(false, "port", "!CNYTN|CNCAN", "!CNYTN");
    expect_cover(false, "port", "CNYTN", "!CNCAN");
    expect_cover(false, "port", "!CNYTN", "CNCAN"); /* both may be there */
    expect_cover(true, "sender", "!a", "b");        /* of which there is one */
    expect_cover(false, "sender", "!a|b", "b");
    expect_cover(true, "port,sender", "CN*,", "CNYTN,a");
    expect_cover(false, "port,sender", "CN*,a", "CNYTN,");
    expect_cover(false, "port,sender", "CN*,a", "CNYTN,b");
    expect_cover(true, "port,sender", ",a|b", "CN*,b");
    expect_cover(true, "valid_from,valid_to", "2026-12-01,", "2026-12-01,2027-01-01");
    expect_cover(true, "valid_from,valid_to", ",", "2026-12-01,");
    expect_cover(false, "valid_from,valid_to", "2026-12-01,", ",");
    expect_cover(false, "valid_from,valid_to", ",2027-01-01", "2026-12-01,2027-01-02");
    expect_cover(false, "valid_from,valid_to", "2026-12-02,", "2026-12-01,2027-01-01");
}

Test(rule, R130_knows_priority)
{
    cr_assert_not_null(parse("id,priority,port,to\nwide,,,port\nnarrow,1,CNYTN,port\n"));
    cr_assert_str_empty(printed());
    cr_assert_not_null(parse("id,priority,port,to\nnarrow,,CNYTN,port\nwide,1,,port\n"));
    cr_assert_str_eq(printed(),
                     "t.csv:2:1: warning[R130]: the rule `narrow` never matches: `wide` in line 3 "
                     "comes first and holds whenever it does\n  hint: put the narrower rule first, "
                     "give it a higher priority, or drop it\n");
}

Test(rule, R130_says_nothing_of_rules_that_hold_for_nothing)
{
    expect_cover(false, "customs_office", "", "@nothing");
}

/* ---- The codes ------------------------------------------------------------------------------- */

Test(rule, every_code_is_explained_once)
{
    size_t count = 0;
    for (; rule_codes[count].code != NULL; count++) {
        cr_assert_eq(strlen(rule_codes[count].code), 4);
        cr_assert_not_null(rule_codes[count].title);
        cr_assert_not_null(rule_codes[count].explanation);
        if (count > 0 && rule_codes[count].code[0] == rule_codes[count - 1].code[0])
            cr_assert_gt(strcmp(rule_codes[count].code, rule_codes[count - 1].code), 0);
    }
    cr_assert_eq(count, 33 + 10);
    cr_assert_null(rule_codes[count].title);
}

#include "routes/rules/csv.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena);
}

static void tear_down(void)
{
    arena_deinit(&arena);
}

TestSuite(csv, .init = set_up, .fini = tear_down);

/* Everything that a text reads as: cells as `line:column=text`, rows ended by `/`, faults by name.
 */
static const char *read_all(const char *text, bool skips_comments)
{
    static const char *const faults[] = {
        [CSV_UNTERMINATED_QUOTE] = "unterminated",
        [CSV_TEXT_AFTER_QUOTE] = "after",
        [CSV_STRAY_QUOTE] = "stray",
    };
    static char out[8192];
    size_t size = 0;
    struct csv csv;
    struct csv_row row;
    csv_init(&csv, bytes_from_text(text));
    csv.skips_comments = skips_comments;
    out[0] = '\0';
    for (;;) {
        enum csv_result result = csv_next(&csv, &arena, &row);
        if (result == CSV_END)
            return out;
        if (result != CSV_ROW) {
            size += (size_t)snprintf(out + size, sizeof out - size, "%s@%u:%u=%.*s/",
                                     faults[result], row.fault.line, row.fault.column,
                                     (int)row.fault.text.size, (const char *)row.fault.text.data);
            continue;
        }
        for (uint32_t i = 0; i < row.cell_count && i < CSV_CELLS_MAX; i++)
            size +=
                (size_t)snprintf(out + size, sizeof out - size, "%s%u:%u=%.*s", i > 0 ? " " : "",
                                 row.cells[i].line, row.cells[i].column,
                                 (int)row.cells[i].text.size, (const char *)row.cells[i].text.data);
        size += (size_t)snprintf(out + size, sizeof out - size, "/");
    }
}

Test(csv, reads_plain_cells_with_their_places)
{
    cr_assert_str_eq(read_all("a,bc,d\n,x,\n", false), "1:1=a 1:3=bc 1:6=d/2:1= 2:2=x 2:4=/");
}

Test(csv, needs_no_line_end_at_the_end)
{
    cr_assert_str_eq(read_all("a,b", false), "1:1=a 1:3=b/");
    cr_assert_str_eq(read_all("a,", false), "1:1=a 1:3=/");
    cr_assert_str_eq(read_all("", false), "");
}

Test(csv, knows_three_line_ends)
{
    cr_assert_str_eq(read_all("a\r\nb\rc\nd", false), "1:1=a/2:1=b/3:1=c/4:1=d/");
    cr_assert_str_eq(read_all("a\r\n\r\nb", false), "1:1=a/2:1=/3:1=b/");
}

Test(csv, counts_columns_in_characters)
{
    cr_assert_str_eq(read_all("口岸,b,𠮷,d", false), "1:1=口岸 1:4=b 1:6=𠮷 1:8=d/");
}

Test(csv, reads_quotes)
{
    cr_assert_str_eq(read_all("\"a,b\",\"say \"\"hi\"\"\",\"\"\n\"\"\"\"", false),
                     "1:1=a,b 1:7=say \"hi\" 1:20=/2:1=\"/");
}

Test(csv, counts_physical_lines_inside_quotes)
{
    cr_assert_str_eq(read_all("\"a\r\nb\",c\nd", false), "1:1=a\r\nb 2:4=c/3:1=d/");
}

Test(csv, reports_an_unterminated_quote_and_goes_on_in_the_next_line)
{
    cr_assert_str_eq(read_all("a,\"b\nc,d\n", false), "unterminated@1:3=\"b/2:1=c 2:3=d/");
    cr_assert_str_eq(read_all("\"", false), "unterminated@1:1=\"/");
}

Test(csv, reports_text_after_a_closing_quote_at_the_opening_one)
{
    cr_assert_str_eq(read_all("x,\"a\"b,c\nd", false), "after@1:3=\"a\"b,c/2:1=d/");
    cr_assert_str_eq(read_all("\"a\nb,\"c\"\nd", false), "after@1:1=\"a/2:1=b 2:3=c/3:1=d/");
}

Test(csv, reports_a_quote_inside_a_plain_cell)
{
    cr_assert_str_eq(read_all("a, \"b\"\nc", false), "stray@1:3=\"b\"/2:1=c/");
}

Test(csv, detects_the_separator_from_the_header)
{
    cr_assert_str_eq(read_all("a;b\n1,5;2", false), "1:1=a 1:3=b/2:1=1,5 2:5=2/");
    cr_assert_str_eq(read_all("a\tb\n1,5;\t2", false), "1:1=a 1:3=b/2:1=1,5; 2:6=2/");
    cr_assert_str_eq(read_all("\n \na;b", false), "1:1=/2:1= /3:1=a 3:3=b/");
    cr_assert_str_eq(read_all("\"a;\",b;c", false), "1:1=a; 1:6=b;c/");
    cr_assert_str_eq(read_all("a\n1;2", false), "1:1=a/2:1=1;2/", "the header decides alone");
}

Test(csv, skips_comments_where_asked)
{
    cr_assert_str_eq(read_all("# it's \"quoted\nb\n#\nc", true), "2:1=b/4:1=c/");
    cr_assert_str_eq(read_all("#a\nb", false), "1:1=#a/2:1=b/");
}

Test(csv, counts_cells_past_those_it_keeps)
{
    char text[2 * CSV_CELLS_MAX + 8];
    struct csv csv;
    struct csv_row row;
    memset(text, ',', sizeof text);
    csv_init(&csv, bytes_make(text, sizeof text));
    cr_assert_eq(csv_next(&csv, &arena, &row), CSV_ROW);
    cr_assert_eq(row.cell_count, sizeof text + 1);
    cr_assert_eq(row.cells[CSV_CELLS_MAX - 1].column, CSV_CELLS_MAX);
    cr_assert_eq(csv_next(&csv, &arena, &row), CSV_END);
}

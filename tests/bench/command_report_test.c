/* The page: well-formed, needs nothing from elsewhere, and shows what the results say. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/command.h"

static char folder[256], page[256 * 1024];

__attribute__((format(printf, 2, 3))) static void write_file(const char *name, const char *format,
                                                             ...)
{
    char path[320];
    va_list values;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    va_start(values, format);
    vfprintf(file, format, values);
    va_end(values);
    cr_assert_eq(fclose(file), 0);
}

static void set_up(void)
{
    const char *where = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    snprintf(folder, sizeof folder, "%s/kouan-report-XXXXXX", where);
    cr_assert_not_null(mkdtemp(folder));
    write_file("budget.csv", "stage,budget_ns,measured_ns,instructions,measured_by\n"
                             "frame,5,34.5,537,kouan-bench micro framing\n"
                             "TCP in,20,,,perf\n");
}

static void tear_down(void)
{
    static const char *const names[] = {"budget.csv",  "1-run.json",   "2-run.json", "3-sweep.json",
                                        "4-more.json", "5-micro.json", "6-bad.json", "page.html"};
    char path[320];
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

TestSuite(command_report, .init = set_up, .fini = tear_down);

static int report(void)
{
    char name[] = "report", results[] = "--results", budget[] = "--budget", out[] = "--out";
    char budget_path[320], page_path[320];
    snprintf(budget_path, sizeof budget_path, "%s/budget.csv", folder);
    snprintf(page_path, sizeof page_path, "%s/page.html", folder);
    char *arguments[] = {name, results, folder, budget, budget_path, out, page_path, NULL};
    int code = command_report(7, arguments);
    FILE *file = fopen(page_path, "r");
    page[file != NULL ? fread(page, 1, sizeof page - 1, file) : 0] = '\0';
    if (file != NULL)
        fclose(file);
    return code;
}

static unsigned count(const char *text)
{
    unsigned found = 0;
    for (const char *at = page; (at = strstr(at, text)) != NULL; at += strlen(text))
        found++;
    return found;
}

/* Each SVG and table by itself is XML. */
static void check_parts(const char *begin, const char *end)
{
    for (const char *at = page; (at = strstr(at, begin)) != NULL;) {
        const char *behind = strstr(at, end);
        cr_assert_not_null(behind);
        behind += strlen(end);
        XML_Parser parser = XML_ParserCreate("UTF-8");
        enum XML_Status status = XML_Parse(parser, at, (int)(behind - at), 1);
        cr_expect_eq(status, XML_STATUS_OK, "%s: %.*s", XML_ErrorString(XML_GetErrorCode(parser)),
                     (int)(behind - at), at);
        XML_ParserFree(parser);
        at = behind;
    }
}

/* Members of a side. One of the last eight. */
static const char *figures(unsigned rate, unsigned cpu_ns)
{
    static char texts[8][256];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0],
             "\"messages_per_second\":%u,\"cpu_ns_per_message\":7,"
             "\"process_cpu_ns_per_message\":%u,"
             "\"latency_us\":{\"p50\":100,\"p99\":400,\"p999\":900,\"max\":1000}",
             rate, cpu_ns);
    return text;
}

static void write_results(void)
{
    write_file("1-run.json", "{\"scenario\":\"wire\",\"commit\":\"aaaaaaa\",%s}", figures(100, 1));
    write_file("2-run.json",
               "{\"scenario\":\"wire\",\"machine\":\"a <small> & old one\","
               "\"commit\":\"bbbbbbbbb\",\"load\":2.25,\"durability\":\"in "
               "\\\"memory\\\"\",%s,\"peers\":{\"redis\":"
               "{%s,\"ratio\":{\"process_cpu_ns_per_message\":{\"median\":0.125,\"low\":0.1,"
               "\"high\":0.2}}}}}",
               figures(612000, 1234), figures(51000, 4321));
    write_file("3-sweep.json",
               "{\"scenario\":\"durable\",\"knee\":null,\"points\":[{\"load_percent\":100,%s},"
               "{\"load_percent\":25,%s},{\"load_percent\":50,%s}]}",
               figures(4000, 700), figures(1000, 900), figures(2000, 800));
    write_file("4-more.json",
               "{\"scenario\":\"connections\",\"points\":["
               "{\"label\":\"10 connections, 1 a wake\",%s},"
               "{\"label\":\"10000 connections, 1 a wake\",%s},"
               "{\"label\":\"10 connections, 16 a wake\",%s}]}",
               figures(10, 50), figures(10, 60), figures(10, 70));
    write_file("5-micro.json", "{\"cases\":[{\"family\":\"digest\",\"case\":\"body, event\","
                               "\"item_bytes\":256,\"cpu_ns\":32,\"cpu_ns_lowest\":31}]}");
}

Test(command_report, shows_what_was_measured)
{
    write_results();
    cr_assert_eq(report(), EXIT_OK);
    check_parts("<svg", "</svg>");
    check_parts("<table", "</table>");
    cr_expect_eq(count("<script"), 0);
    cr_expect_eq(count("http"), 0, "the page refers to the network");
    /* The newest run, and its peer. */
    cr_expect_eq(count("<td>612k</td><td>1234</td>"), 1);
    cr_expect_eq(count("<td>51k</td><td>4321</td>"), 1);
    cr_expect_eq(count("<td>0.125<br/><small>0.100 to 0.200</small></td>"), 1);
    cr_expect_eq(count("in &quot;memory&quot;"), 1);
    cr_expect_eq(
        count("Run 2-run, on a &lt;small&gt; &amp; old one, commit bbbbbbbbb, at load 2.2"), 1);
    /* The sweep: three latencies of two points, two costs of three; 3 points of the connections in
     * two lines; a history of two commits in two plots. */
    cr_expect_eq(count("<circle"), 3 * 2 + 2 * 3 + 3 + 2 * 2);
    cr_expect_eq(count(">10k</text>"), 1, "no tick at 10000 connections");
    cr_expect_eq(count(">kouan, 16 a wake</text>"), 1);
    cr_expect_eq(count(">aaaaaaa</text>"), 2);
    cr_expect_eq(count("<td>8.00</td>"), 1, "GB/s of the digest");
    cr_expect_eq(count("690 %"), 1, "the share of the budget");
    /* Goals: 1 / 0.125 of redis's CPU is 8 times less; of the others there is no run. */
    cr_expect_eq(count("<td>8.00 times (process)</td><td>reached</td>"), 1);
    cr_expect_eq(count("not measured</td>"), 1 + 8);
    /* Its p99 at half of the capacity is 0.4 ms, its p50 0.1. */
    cr_expect_eq(count(">0.40 ms</td><td>reached</td>"), 1);
}

Test(command_report, makes_a_page_without_results)
{
    cr_assert_eq(report(), EXIT_OK);
    cr_expect_eq(count("<h2"), 1);
    cr_expect_eq(count("</html>"), 1);
}

Test(command_report, names_what_it_cannot_read)
{
    write_file("6-bad.json", "{\"scenario\":\n  wire}");
    cr_redirect_stderr();
    cr_assert_eq(report(), EXIT_FINDINGS);
    write_file("budget.csv",
               "stage,budget_ns,measured_ns,instructions,measured_by\nframe,5,many,,\n");
    cr_assert_eq(report(), EXIT_FINDINGS);
    fflush(stderr);
    FILE *out = cr_get_redirected_stderr();
    page[fread(page, 1, sizeof page - 1, out)] = '\0';
    cr_expect_eq(count("6-bad.json:2:"), 1, "%s", page);
    cr_expect_eq(count("budget.csv:2:"), 1, "%s", page);
}

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/page/chart.h"
#include "bench/page/report_page.h"
#include "bench/race/scenario.h"

enum {
    SCENARIOS_MAX = 32,
    COMMITS_MAX = CHART_POINTS_MAX,
    COMMIT_LETTERS = 7,
    BAR_PIXELS = 110,
    FIGURES_BYTES = 160
};

static const char cpu_label[] = "CPU of the server's process, ns a message";

/* ---- What the sections share ----------------------------------------------------------------- */

static bool is_among(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The scenarios of a kind: those of the table in its order, then others as they first ran. */
static uint32_t list_scenarios(const struct results *results, enum result_kind kind,
                               const char *out_names[SCENARIOS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scenario_count && count < SCENARIOS_MAX; i++)
        if (results_newest(results, kind, scenarios[i].name) != NULL)
            out_names[count++] = scenarios[i].name;
    for (uint32_t i = 0; i < results->count && count < SCENARIOS_MAX; i++) {
        const struct result *result = &results->items[i];
        if (result->kind == kind && !is_among(out_names, count, result->scenario))
            out_names[count++] = result->scenario;
    }
    return count;
}

static void print_title(const char *scenario, FILE *out)
{
    fputs("<h3>", out);
    chart_print_escaped(scenario, out);
    fputs("</h3>\n", out);
}

static void print_cell(double number, const char *format, FILE *out)
{
    fputs("<td>", out);
    if (isfinite(number))
        fprintf(out, format, number); /* NOLINT: the callers' literals */
    fputs("</td>", out);
}

static void print_rate(double number, FILE *out)
{
    char text[24];
    fprintf(out, "<td>%s</td>", isfinite(number) ? chart_number(number, text) : "");
}

static void print_figure(const struct chart *chart, const struct result *result, FILE *out)
{
    if (!chart_has_points(chart))
        return;
    fputs("<figure>", out);
    print_title(chart->title, out);
    chart_print(chart, out);
    report_print_run(result, out);
    fputs("</figure>\n", out);
}

/* ---- Beside its peers ------------------------------------------------------------------------ */

/* Of the process: exact, whatever else the machine does. */
static double cpu_ns(const json_t *side)
{
    return result_number(side, "process_cpu_ns_per_message");
}

static void print_bar(double number, double most, bool is_kouan, FILE *out)
{
    fputs("<td>", out);
    if (isfinite(number) && most > 0)
        fprintf(out,
                "<svg class=\"bar\" width=\"%d\" viewBox=\"0 0 %d 12\"><rect class=\"%s\" "
                "width=\"%.1f\" height=\"12\" rx=\"2\"/></svg>",
                BAR_PIXELS, BAR_PIXELS, is_kouan ? "own" : "other",
                fmax(1, number / most * BAR_PIXELS));
    fputs("</td>", out);
}

static void print_ratio(const json_t *side, const char *of, FILE *out)
{
    const json_t *ratio = json_object_get(json_object_get(side, "ratio"), of);
    double median = result_number(ratio, "median");
    if (isfinite(median))
        fprintf(out, "<td>%.3f<br/><small>%.3f to %.3f</small></td>", median,
                result_number(ratio, "low"), result_number(ratio, "high"));
    else
        fputs("<td></td>", out);
}

static void print_side(const char *name, const json_t *side, double most, bool is_kouan, FILE *out)
{
    fputs("<tr><td>", out);
    chart_print_escaped(name, out);
    fputs("</td><td class=\"text soft\">", out);
    chart_print_escaped(result_text(side, "durability"), out);
    fputs("</td>", out);
    print_rate(result_number(side, "messages_per_second"), out);
    print_cell(cpu_ns(side), "%.0f", out);
    print_bar(cpu_ns(side), most, is_kouan, out);
    print_cell(result_number(side, "cpu_ns_per_message"), "%.0f", out);
    print_cell(result_number(side, "latency_us.p50") / 1000, "%.2f", out);
    print_cell(result_number(side, "latency_us.p99") / 1000, "%.2f", out);
    print_cell(result_number(side, "latency_us.p999") / 1000, "%.2f", out);
    print_ratio(side, "process_cpu_ns_per_message", out);
    print_ratio(side, "cpu_ns_per_message", out);
    fputs("</tr>\n", out);
}

static void print_race(const struct result *result, FILE *out)
{
    json_t *peers = json_object_get(result->root, "peers"), *peer;
    double most = cpu_ns(result->root);
    const char *name;
    json_object_foreach(peers, name, peer) most = fmax(most, cpu_ns(peer));
    fputs("<figure class=\"wide\">", out);
    print_title(result->scenario, out);
    fputs("<table><tr><th>server</th><th class=\"text\">what it keeps</th><th>messages/s</th>"
          "<th colspan=\"2\">CPU of its process,<br/>ns a message</th><th>of the machine</th>"
          "<th>latency, ms<br/>p50</th><th>p99</th><th>p99.9</th>"
          "<th>Kouan's CPU to its,<br/>of the processes</th><th>of the machine</th></tr>\n",
          out);
    print_side("kouan", result->root, most, true, out);
    json_object_foreach(peers, name, peer) print_side(name, peer, most, false, out);
    fputs("</table>", out);
    report_print_run(result, out);
    fputs("</figure>\n", out);
}

void report_print_peers(const struct results *results, FILE *out)
{
    const char *names[SCENARIOS_MAX];
    uint32_t count = list_scenarios(results, RESULT_RUN, names);
    if (count == 0)
        return;
    fputs(
        "<h2 id=\"peers\">Beside its peers</h2>\n"
        "<p>The same messages through each server in turn, as fast as each goes. A ratio below 1\n"
        "says that Kouan takes less CPU than the peer; its interval stands below it. The CPU of "
        "the\n"
        "machine is all of it, the kernel's too, less what it does when idle and the clients: "
        "left\n"
        "out where other work hid it. Latencies are those of receipts at full speed: queueing, "
        "most\n"
        "of it.</p>\n",
        out);
    for (uint32_t i = 0; i < count; i++)
        print_race(results_newest(results, RESULT_RUN, names[i]), out);
}

/* ---- Under load ------------------------------------------------------------------------------ */

static void describe(const json_t *point, char note[FIGURES_BYTES])
{
    char rate[24];
    snprintf(note, FIGURES_BYTES, "%s messages/s; p50 %.0f, p99 %.0f, p99.9 %.0f us; %.0f ns",
             chart_number(result_number(point, "messages_per_second"), rate),
             result_number(point, "latency_us.p50"), result_number(point, "latency_us.p99"),
             result_number(point, "latency_us.p999"), cpu_ns(point));
}

static void print_latencies(const struct result *result, struct chart *chart, FILE *out)
{
    static const char *const names[] = {"p50", "p99", "p99.9"};
    static const char *const paths[] = {"latency_us.p50", "latency_us.p99", "latency_us.p999"};
    *chart = (struct chart){.x_label = "load, % of its capacity",
                            .y_label = "receipt latency, \xC2\xB5s from the intended time",
                            .y_is_log = true};
    snprintf(chart->title, sizeof chart->title, "%s: latency against load", result->scenario);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct chart_series *series = chart_add_series(chart, names[i]);
        size_t index;
        json_t *point;
        json_array_foreach(json_object_get(result->root, "points"), index, point)
        {
            char note[FIGURES_BYTES];
            describe(point, note);
            if (result_number(point, "load_percent") < 100) /* that one is no open loop */
                chart_add_point(chart, series, result_number(point, "load_percent"),
                                result_number(point, paths[i]), note);
        }
    }
    print_figure(chart, result, out);
}

static void print_costs(const struct result *result, struct chart *chart, FILE *out)
{
    static const char *const names[] = {"the server's process", "machine less idle and clients"};
    static const char *const paths[] = {"process_cpu_ns_per_message", "cpu_ns_per_message"};
    *chart = (struct chart){.x_label = "load, % of its capacity", .y_label = "CPU, ns a message"};
    snprintf(chart->title, sizeof chart->title, "%s: CPU against load", result->scenario);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct chart_series *series = chart_add_series(chart, names[i]);
        size_t index;
        json_t *point;
        json_array_foreach(json_object_get(result->root, "points"), index, point)
        {
            char note[FIGURES_BYTES];
            describe(point, note);
            chart_add_point(chart, series, result_number(point, "load_percent"),
                            result_number(point, paths[i]), note);
        }
    }
    print_figure(chart, result, out);
}

void report_print_load(const struct results *results, FILE *out)
{
    static struct chart chart;
    const char *names[SCENARIOS_MAX];
    uint32_t count = list_scenarios(results, RESULT_SWEEP, names);
    if (count == 0)
        return;
    fputs("<h2 id=\"load\">Under load</h2>\n"
          "<p>From a small part of its capacity to nearly all of it, in an open loop: a message\n"
          "that goes out late because the server was slow counts from when it was to go out.</p>\n"
          "<div class=\"cards\">\n",
          out);
    for (uint32_t i = 0; i < count; i++) {
        const struct result *result = results_newest(results, RESULT_SWEEP, names[i]);
        print_latencies(result, &chart, out);
        print_costs(result, &chart, out);
    }
    fputs("</div>\n", out);
}

/* ---- As the work grows ----------------------------------------------------------------------- */

/* `10 million identities` -> 10000000, `identities`, ""; `100 connections, 16 a wake` -> 100,
 * `connections`, `16 a wake`. */
static double read_label(const char *label, char noun[CHART_NAME_BYTES],
                         char rest[CHART_NAME_BYTES])
{
    static const char million[] = " million ";
    char *end;
    double number = strtod(label, &end);
    if (strncmp(end, million, sizeof million - 1) == 0) {
        number *= 1e6;
        end += sizeof million - 1;
    }
    end += *end == ' ';
    size_t size = strcspn(end, ",");
    snprintf(noun, CHART_NAME_BYTES, "%.*s", (int)size, end);
    snprintf(rest, CHART_NAME_BYTES, "%s", end[size] != '\0' ? end + size + 2 : "");
    return number;
}

static struct chart_series *find_series(struct chart *chart, const char *who, const char *rest)
{
    char name[2 * CHART_NAME_BYTES];
    snprintf(name, sizeof name, "%s%s%s", who, rest[0] != '\0' ? ", " : "", rest);
    for (uint32_t i = 0; i < chart->series_count; i++)
        if (strcmp(chart->series[i].name, name) == 0)
            return &chart->series[i];
    return chart_add_series(chart, name);
}

static void add_side(struct chart *chart, const char *who, const char *label, const json_t *side,
                     char noun[CHART_NAME_BYTES])
{
    char rest[CHART_NAME_BYTES], note[CHART_NOTE_BYTES], latencies[FIGURES_BYTES];
    double number = read_label(label, noun, rest);
    describe(side, latencies);
    snprintf(note, sizeof note, "%.50s: %s", label, latencies);
    chart_add_point(chart, find_series(chart, who, rest), number, cpu_ns(side), note);
}

static void print_growth_of(const struct result *result, struct chart *chart, FILE *out)
{
    static char noun[CHART_NAME_BYTES];
    size_t index;
    json_t *point, *peer;
    const char *name;
    *chart = (struct chart){.x_is_log = true, .y_label = cpu_label};
    json_array_foreach(json_object_get(result->root, "points"), index, point)
    {
        const char *label = result_text(point, "label");
        add_side(chart, "kouan", label, point, noun);
        json_object_foreach(json_object_get(point, "peers"), name, peer)
            add_side(chart, name, label, peer, noun);
    }
    chart->x_label = noun;
    snprintf(chart->title, sizeof chart->title, "%.48s: CPU against %s", result->scenario, noun);
    print_figure(chart, result, out);
}

void report_print_growth(const struct results *results, FILE *out)
{
    static struct chart chart;
    const char *names[SCENARIOS_MAX];
    uint32_t count = list_scenarios(results, RESULT_POINTS, names);
    if (count == 0)
        return;
    fputs("<h2 id=\"growth\">As the work grows</h2>\n"
          "<p>What one message costs when there are more of the same: flat is what it should be.\n"
          "</p>\n<div class=\"cards\">\n",
          out);
    for (uint32_t i = 0; i < count; i++)
        print_growth_of(results_newest(results, RESULT_POINTS, names[i]), &chart, out);
    fputs("</div>\n", out);
}

/* ---- Stages ---------------------------------------------------------------------------------- */

void report_print_stages(const struct results *results, FILE *out)
{
    const struct result *result = results_newest(results, RESULT_MICRO, NULL);
    size_t index;
    json_t *item;
    if (result == NULL)
        return;
    fputs("<h2 id=\"stages\">Stages by themselves</h2>\n"
          "<p>Each on inputs such as it meets on a message's way, warm, without sockets: CPU time\n"
          "of one core, the median of rounds.</p>\n<figure class=\"wide\"><table>"
          "<tr><th>stage</th><th class=\"text\">case</th><th>bytes</th><th>ns</th><th>lowest</th>"
          "<th>GB/s</th></tr>\n",
          out);
    json_array_foreach(json_object_get(result->root, "cases"), index, item)
    {
        double bytes = result_number(item, "item_bytes"), ns = result_number(item, "cpu_ns");
        fputs("<tr><td>", out);
        chart_print_escaped(result_text(item, "family"), out);
        fputs("</td><td class=\"text\">", out);
        chart_print_escaped(result_text(item, "case"), out);
        fputs("</td>", out);
        print_cell(bytes > 0 ? bytes : NAN, "%.0f", out);
        print_cell(ns, "%.1f", out);
        print_cell(result_number(item, "cpu_ns_lowest"), "%.1f", out);
        print_cell(bytes > 0 ? bytes / ns : NAN, "%.2f", out);
        fputs("</tr>\n", out);
    }
    fputs("</table>", out);
    report_print_run(result, out);
    fputs("</figure>\n", out);
}

/* ---- History --------------------------------------------------------------------------------- */

struct commits {
    char texts[COMMITS_MAX][COMMIT_LETTERS + 1];
    const char *names[COMMITS_MAX];
    uint32_t count;
};

/* Of the commit, which is added at the end if it is new; the oldest give way. */
static uint32_t number_of(struct commits *commits, const char *commit)
{
    for (uint32_t i = 0; i < commits->count; i++)
        if (strncmp(commits->names[i], commit, COMMIT_LETTERS) == 0)
            return i;
    if (commits->count == COMMITS_MAX)
        return COMMITS_MAX - 1;
    snprintf(commits->texts[commits->count], COMMIT_LETTERS + 1, "%s", commit);
    commits->names[commits->count] = commits->texts[commits->count];
    return commits->count++;
}

static void add_history(const struct results *results, const char *scenario, const char *path,
                        struct commits *commits, struct chart *chart)
{
    struct chart_series *series = chart_add_series(chart, scenario);
    for (uint32_t i = 0; i < results->count; i++) {
        const struct result *result = &results->items[i];
        char note[CHART_NOTE_BYTES], figures[FIGURES_BYTES];
        if (result->kind != RESULT_RUN || strcmp(result->scenario, scenario) != 0)
            continue;
        describe(result->root, figures);
        snprintf(note, sizeof note, "%.50s: %s", result->name, figures);
        chart_add_point(chart, series, number_of(commits, result->commit),
                        result_number(result->root, path), note);
    }
}

static void print_history_of(const struct results *results, const char *path, const char *title,
                             const char *y_label, FILE *out)
{
    static struct chart chart;
    static struct commits commits;
    const char *names[SCENARIOS_MAX];
    uint32_t count = list_scenarios(results, RESULT_RUN, names);
    chart = (struct chart){.x_label = "commit, from the oldest", .y_label = y_label};
    commits.count = 0;
    snprintf(chart.title, sizeof chart.title, "%s", title);
    for (uint32_t i = 0; i < count; i++)
        add_history(results, names[i], path, &commits, &chart);
    chart.x_names = commits.names;
    chart.x_name_count = commits.count;
    if (!chart_has_points(&chart))
        return;
    fputs("<figure>", out);
    print_title(chart.title, out);
    chart_print(&chart, out);
    fputs("<figcaption>Each point is a run of its own; its name shows where the pointer rests.\n"
          "</figcaption></figure>\n",
          out);
}

void report_print_history(const struct results *results, FILE *out)
{
    if (results_newest(results, RESULT_RUN, NULL) == NULL)
        return;
    fputs("<h2 id=\"history\">History</h2>\n<div class=\"cards\">\n", out);
    print_history_of(results, "process_cpu_ns_per_message", "CPU over commits", cpu_label, out);
    print_history_of(results, "messages_per_second", "Rate over commits", "messages a second", out);
    fputs("</div>\n", out);
}

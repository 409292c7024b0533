#include "bench/page/report_page.h"

#include <math.h>

#include "bench/page/chart.h"

static const char style[] =
    ":root{color-scheme:light dark;--page:#fbfbf9;--card:#fff;--ink:#1c1d20;--soft:#5b5e66;"
    "--line:#dcdcd6;--grid:#e9e9e4;--s0:#2563c9;--s1:#c8580a;--s2:#12805c;--s3:#a8327d;"
    "--s4:#6b4fc0;--s5:#7a6a00;--s6:#0b7f95;--s7:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#141518;--card:#1c1e22;--ink:#ececea;"
    "--soft:#a3a6ae;--line:#383b42;--grid:#2a2d33;--s0:#7aa7f5;--s1:#f2a15c;--s2:#5cc9a0;"
    "--s3:#e68bc4;--s4:#b3a0f2;--s5:#d4c35a;--s6:#62c6db;--s7:#f28b84}}\n"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}"
    "main{max-width:1360px;margin:0 auto;padding:32px 24px 64px}"
    "h1{font-size:30px;line-height:1.2;margin:0 0 6px}"
    "h2{font-size:21px;margin:44px 0 4px;padding-top:14px;border-top:1px solid var(--line)}"
    "h3{font-size:16px;margin:0 0 8px}p{margin:4px 0 12px;max-width:78ch}.soft{color:var(--soft)}"
    "nav a{margin-right:18px;color:var(--s0)}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,560px),1fr));"
    "gap:20px}"
    "figure{margin:0;padding:16px 18px 12px;background:var(--card);border:1px solid var(--line);"
    "border-radius:8px;overflow-x:auto;break-inside:avoid}.wide{margin-bottom:20px}"
    "figcaption{margin-top:8px;font-size:12.5px;color:var(--soft);overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th{text-align:right;font-weight:600;font-size:12.5px;color:var(--soft);"
    "border-bottom:1px solid var(--line);padding:4px 8px;vertical-align:bottom;"
    "white-space:nowrap}"
    "td{text-align:right;padding:5px 8px;border-bottom:1px solid var(--grid);white-space:nowrap}"
    "th:first-child,td:first-child,.text{text-align:left}td.text{white-space:normal}"
    "td:first-child{font-weight:600;white-space:normal}tr.total td{font-weight:600;border-top:1px "
    "solid var(--line)}"
    "small{color:var(--soft)}.text{min-width:22ch}.over{color:var(--s7);font-weight:600}code{font-"
    "family:ui-monospace,Menlo,Consolas,monospace;"
    "font-size:12.5px}\n"
    ".bar{display:block;height:12px}.bar rect{fill:var(--s0)}"
    ".bar .other{fill:var(--soft)}.bar .mark{fill:var(--ink)}"
    ".chart{display:block;width:100%;height:auto}.grid{stroke:var(--grid)}"
    ".axis{stroke:var(--soft)}.tick{font-size:12px;fill:var(--soft)}"
    ".label{font-size:12.5px;fill:var(--ink)}.line{fill:none;stroke-width:2;"
    "stroke-linejoin:round}.dot{stroke:var(--card);stroke-width:1.5}\n"
    ".line.s0{stroke:var(--s0)}.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2)}"
    ".line.s3{stroke:var(--s3)}.line.s4{stroke:var(--s4)}.line.s5{stroke:var(--s5)}"
    ".line.s6{stroke:var(--s6)}.line.s7{stroke:var(--s7)}.dot.s0{fill:var(--s0)}"
    ".dot.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}"
    ".dot.s4{fill:var(--s4)}.dot.s5{fill:var(--s5)}.dot.s6{fill:var(--s6)}"
    ".dot.s7{fill:var(--s7)}\n"
    "@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--grid:#ddd}"
    "main{padding:0;max-width:none}nav{display:none}figure{border-color:#bbb}"
    "h2{break-after:avoid}}\n";

void report_print_run(const struct result *result, FILE *out)
{
    const char *texts[] = {result->name, result->machine, result->kernel, result->commit};
    static const char *const before[] = {"Run ", ", on ", ", ", ", commit "};
    fputs("<figcaption>", out);
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i][0] != '\0') {
            fputs(before[i], out);
            chart_print_escaped(texts[i], out);
        }
    double load = result_number(result->root, "load");
    if (isfinite(load))
        fprintf(out, ", at load %.1f", load);
    fputs("</figcaption>\n", out);
}

static void print_ns(double ns, FILE *out)
{
    if (isnan(ns))
        fputs("<td class=\"soft\">not measured</td>", out);
    else
        fprintf(out, "<td>%.0f</td>", ns);
}

/* How much of its budget a stage takes; the mark stands for all of it. */
static void print_share(const struct budget_stage *stage, FILE *out)
{
    enum { WHOLE = 50, MOST = 150 };
    double share = stage->measured_ns / stage->budget_ns;
    if (isnan(share)) {
        fputs("<td></td><td></td>", out);
        return;
    }
    fprintf(out,
            "<td%s>%.0f %%</td><td><svg class=\"bar\" viewBox=\"0 0 %d 12\" "
            "width=\"%d\"><rect class=\"own\" width=\"%.1f\" height=\"12\" rx=\"2\"/>"
            "<rect class=\"mark\" x=\"%d\" width=\"2\" height=\"12\"/></svg></td>",
            share > 1 ? " class=\"over\"" : "", share * 100, MOST, MOST, fmin(share * WHOLE, MOST),
            WHOLE);
}

static void print_budget(const struct budget *budget, FILE *out)
{
    double budgeted = 0, measured = 0;
    fputs(
        "<h2 id=\"budget\">The budget of a message</h2>\n"
        "<p>What each stage of a 256-byte message may cost on one core, and what was measured, by\n"
        "which command. The mark on a bar is the whole of the budget.</p>\n"
        "<figure class=\"wide\"><table><tr><th>stage</th><th>budget, ns</th>"
        "<th>measured, ns</th><th colspan=\"2\" class=\"text\">of its "
        "budget</th><th>instructions</th>"
        "<th class=\"text\">measured by</th></tr>\n",
        out);
    for (uint32_t i = 0; i < budget->count; i++) {
        const struct budget_stage *stage = &budget->stages[i];
        fputs("<tr><td>", out);
        chart_print_escaped(stage->name, out);
        fputs("</td>", out);
        print_ns(stage->budget_ns, out);
        print_ns(stage->measured_ns, out);
        print_share(stage, out);
        if (isnan(stage->instructions))
            fputs("<td></td>", out);
        else
            fprintf(out, "<td>%.0f</td>", stage->instructions);
        fputs("<td class=\"text\"><code>", out);
        chart_print_escaped(stage->measured_by, out);
        fputs("</code></td></tr>\n", out);
        budgeted += isnan(stage->budget_ns) ? 0 : stage->budget_ns;
        measured += isnan(stage->measured_ns) ? 0 : stage->measured_ns;
    }
    fprintf(out,
            "<tr class=\"total\"><td>together</td><td>%.0f</td><td>%.0f</td><td></td><td></td>"
            "<td></td><td></td></tr></table></figure>\n",
            budgeted, measured);
}

void report_page_print(const struct results *results, const struct budget *budget, FILE *out)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<title>Kouan, measured</title>\n<style>\n",
          out);
    fputs(style, out);
    fputs("</style></head>\n<body><main>\n<h1>Kouan, measured</h1>\n", out);
    fprintf(
        out,
        "<p>Of %u runs kept in <code>perf/results</code>, the newest of each scenario. Every\n"
        "run was verified: each receipt and each delivery, at both ends. On a machine that others\n"
        "use, too, read the ratios, which come from runs in turn, rather than the rates.</p>\n",
        results->count);
    fputs("<nav><a href=\"#goals\">Goals</a><a href=\"#peers\">Beside its peers</a><a "
          "href=\"#load\">Under load</a>"
          "<a href=\"#growth\">As the work grows</a><a href=\"#budget\">The budget</a>"
          "<a href=\"#stages\">Stages</a><a href=\"#history\">History</a></nav>\n",
          out);
    report_print_goals(results, out);
    report_print_peers(results, out);
    report_print_load(results, out);
    report_print_growth(results, out);
    if (budget->count > 0)
        print_budget(budget, out);
    report_print_stages(results, out);
    report_print_history(results, out);
    fputs("</main></body></html>\n", out);
}

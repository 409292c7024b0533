/* `kouan-bench report`: one page of what was measured (bench/page/report_page.h). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bench/command.h"
#include "bench/page/report_page.h"

static void print_help(void)
{
    puts("kouan-bench report [--results FOLDER] [--budget FILE] [--out FILE]\n"
         "Makes one HTML page of the results that lie in a folder: plots and tables in the page\n"
         "itself, without scripts. Results are what `run`, `sweep` and `micro` print with --json;\n"
         "their files' names begin with the time, so that the last one is the newest.\n"
         "  --results FOLDER  default perf/results\n"
         "  --budget FILE     default perf/budget.csv\n"
         "  --out FILE        default: stdout");
}

static bool write_page(const struct results *results, const struct budget *budget, const char *path)
{
    FILE *out = path != NULL ? fopen(path, "w") : stdout;
    if (out == NULL) {
        fprintf(stderr, "kouan-bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    report_page_print(results, budget, out);
    bool wrote = ferror(out) == 0;
    if ((path != NULL ? fclose(out) : fflush(out)) != 0 || !wrote) {
        fprintf(stderr, "kouan-bench: %s: %s\n", path != NULL ? path : "stdout", strerror(errno));
        return false;
    }
    return true;
}

int command_report(int argc, char **argv)
{
    static const struct option options[] = {{"results", required_argument, NULL, 'r'},
                                            {"budget", required_argument, NULL, 'b'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct budget budget;
    const char *folder = "perf/results", *budget_path = "perf/budget.csv", *path = NULL;
    struct results results;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'r': folder = optarg; break;
        case 'b': budget_path = optarg; break;
        case 'o': path = optarg; break;
        case 'h': print_help(); return EXIT_OK;
        default: return EXIT_USAGE;
        }
    }
    if (budget_read(budget_path, &budget) != STATUS_OK ||
        results_open(folder, &results) != STATUS_OK)
        return EXIT_FINDINGS;
    bool good = write_page(&results, &budget, path);
    results_close(&results);
    return good ? EXIT_OK : EXIT_FINDINGS;
}

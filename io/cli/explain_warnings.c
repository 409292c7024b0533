#include "io/cli/explain_warnings.h"

#include <stdio.h>

#include "io/cli/output.h"

enum { SHOWN_MAX = 8, LABEL_COLUMNS = 14 };

/* How many there are; the first SHOWN_MAX are written. */
static uint32_t find_warnings(const struct explanation *explanation,
                              struct edifact_warning out_warnings[SHOWN_MAX])
{
    enum format format;
    struct scan_fault fault;
    uint32_t count;
    if (scan_sniff(explanation->body, &format, &fault) != STATUS_OK || format != FORMAT_EDIFACT ||
        scan_edifact_warnings(explanation->body, out_warnings, SHOWN_MAX, &count, &fault) !=
            STATUS_OK)
        return 0; /* the refusal says it */
    return count;
}

static void print_found(struct bytes found)
{
    if (found.size == 0) {
        fputs("nothing", stdout);
        return;
    }
    putchar('`');
    output_escaped(stdout, found);
    putchar('`');
}

/* False where a trailer is not there. */
static bool is_of_trailer(const struct edifact_warning *warning)
{
    return warning->found.data != NULL || warning->expected.data != NULL || warning->counts;
}

static void print_difference(const struct edifact_warning *warning)
{
    fputs(": it says ", stdout);
    print_found(warning->found);
    fputs(", not ", stdout);
    if (warning->counts)
        printf("%u", warning->expected_count);
    else
        print_found(warning->expected);
}

void explain_print_warnings_text(const struct explanation *explanation)
{
    struct edifact_warning warnings[SHOWN_MAX];
    uint32_t count = find_warnings(explanation, warnings);
    for (uint32_t i = 0; i < count && i < SHOWN_MAX; i++) {
        const struct edifact_warning *warning = &warnings[i];
        printf("  %-*sat byte %u: %s", LABEL_COLUMNS, i == 0 ? "warning" : "", warning->offset,
               warning->what);
        if (is_of_trailer(warning))
            print_difference(warning);
        putchar('\n');
    }
    if (count > SHOWN_MAX)
        printf("  %-*sand %u more\n", LABEL_COLUMNS, "", count - SHOWN_MAX);
}

void explain_print_warnings_json(const struct explanation *explanation)
{
    struct edifact_warning warnings[SHOWN_MAX];
    uint32_t count = find_warnings(explanation, warnings);
    if (count == 0)
        return;
    printf(",\n \"warning_count\":%u,\"warnings\":[", count);
    for (uint32_t i = 0; i < count && i < SHOWN_MAX; i++) {
        const struct edifact_warning *warning = &warnings[i];
        printf("%s{\"offset\":%u,\"what\":", i == 0 ? "" : ",", warning->offset);
        output_json_text(stdout, warning->what);
        fputs(",\"found\":", stdout);
        output_json(stdout, warning->found);
        fputs(",\"expected\":", stdout);
        if (warning->counts)
            printf("\"%u\"", warning->expected_count);
        else
            output_json(stdout, warning->expected);
        putchar('}');
    }
    putchar(']');
}

#include "bench/page/budget.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 5, LINE_BYTES = 1024 };

static const char header[] = "stage,budget_ns,measured_ns,instructions,measured_by";

/* Cuts the line at its commas; false if it has another number of cells. */
static bool split(char *line, char *cells[CELLS])
{
    unsigned count = 0;
    for (char *at = line; at != NULL && count < CELLS; count++) {
        cells[count] = at;
        at = strchr(at, ',');
        if (at != NULL)
            *at++ = '\0';
        if (count == CELLS - 1 && at != NULL)
            return false;
    }
    return count == CELLS;
}

static bool read_number(const char *text, double *out_number)
{
    char *end;
    *out_number = *text != '\0' ? strtod(text, &end) : NAN;
    return *text == '\0' || *end == '\0';
}

static bool read_stage(char *line, struct budget_stage *stage)
{
    char *cells[CELLS];
    if (strchr(line, '"') != NULL || !split(line, cells))
        return false;
    snprintf(stage->name, sizeof stage->name, "%s", cells[0]);
    snprintf(stage->measured_by, sizeof stage->measured_by, "%s", cells[4]);
    return stage->name[0] != '\0' && read_number(cells[1], &stage->budget_ns) &&
           read_number(cells[2], &stage->measured_ns) &&
           read_number(cells[3], &stage->instructions);
}

enum status budget_read(const char *path, struct budget *out_budget)
{
    static struct budget budget;
    char line[LINE_BYTES];
    uint32_t number = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "kouan-bench: %s: %s\n", path, strerror(errno));
        return STATUS_IO;
    }
    budget.count = 0;
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (number++ == 0)
            good = strcmp(line, header) == 0;
        else
            good = budget.count < BUDGET_STAGES_MAX &&
                   read_stage(line, &budget.stages[budget.count++]);
    }
    good = good && number > 0;
    fclose(file);
    if (!good) {
        fprintf(
            stderr,
            "kouan-bench: %s:%u: not a stage with four cells behind it, under the header\n  %s\n",
            path, number, header);
        return STATUS_INVALID;
    }
    *out_budget = budget;
    return STATUS_OK;
}

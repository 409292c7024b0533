#include "bench/micro/micro_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/random.h"

enum { ROW_BYTES_MAX = 160 };

static const char *const types[] = {"DECLSTATUS", "DECLARATION", "CEB621", "CEB622",
                                    "CUSDEC",     "CUSRES",      "CUSCAR", "KJ881111..KJ881113"};
static const char *const modes[] = {"", "9610", "1210", "9610|1210", "0110"};

enum { TYPE_COUNT = sizeof types / sizeof *types, MODE_COUNT = sizeof modes / sizeof *modes };

/* Each cell follows from the row's number alone. */
static void write_row(FILE *out, uint32_t number)
{
    struct random random;
    char office[16] = "", goods[16] = "";
    random_seed(&random, number);
    switch (random_below(&random, 4)) {
    case 0: snprintf(office, sizeof office, "%" PRIu32 "*", 10 + random_below(&random, 90)); break;
    default: snprintf(office, sizeof office, "%" PRIu32, 1000 + random_below(&random, 9000));
    }
    if (random_below(&random, 3) == 0)
        snprintf(goods, sizeof goods, "%02" PRIu32 "*", 1 + random_below(&random, 97));
    fprintf(out, "r%" PRIu32 ",%s,%s,%s,%s,%s\n", number, types[random_below(&random, TYPE_COUNT)],
            office, modes[random_below(&random, MODE_COUNT)], goods,
            number % 2 == 0 ? "customs" : "inspection");
}

static struct bytes write_table(struct arena *arena, enum hard_rules kind, uint32_t rule_count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    fputs(HARD_RULES_COLUMNS, out);
    for (uint32_t i = 1; i < rule_count; i++) {
        if (kind == HARD_RULES_NONE)
            write_row(out, i);
        else
            hard_rules_write(out, kind, i, i % 2 == 0 ? "customs" : "inspection");
    }
    fputs("rest,,,,,customs\n", out);
    fclose(out);
    struct bytes table = arena_copy(arena, bytes_make(text, size));
    free(text);
    return table;
}

const struct matcher *micro_rules_compile(struct arena *arena, enum hard_rules kind,
                                          uint32_t rule_count, uint16_t *out_table_count,
                                          const struct rule_table *const **out_tables)
{
    static const char *const destinations[] = {"customs", "inspection"};
    static const struct rule_names names = {.destinations = destinations, .destination_count = 2};
    const struct rule_table **tables = arena_allocate_array(arena, 1, sizeof *tables);
    struct charsets *charsets = charsets_open();
    struct diagnostics diagnostics;
    if (charsets == NULL)
        abort();
    diagnostics_init(&diagnostics);
    tables[0] = rule_table_parse(arena, charsets, "bench", "bench.csv",
                                 write_table(arena, kind, rule_count), &names, &diagnostics);
    if (tables[0] == NULL)
        diagnostics_print(&diagnostics, stderr);
    diagnostics_deinit(&diagnostics);
    charsets_close(charsets);
    *out_table_count = 1;
    *out_tables = tables;
    return tables[0] != NULL ? matcher_compile(arena, tables, 1) : NULL;
}

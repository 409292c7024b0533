#include "bench/micro_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/random.h"

enum { ROW_BYTES_MAX = 160 };

static const char *const types[] = {"DECLSTATUS", "DECLARATION", "CEB621", "CEB622",
                                    "CUSDEC",     "CUSRES",      "CUSCAR", "KJ881111..KJ881113"};
static const char *const modes[] = {"", "9610", "1210", "9610|1210", "0110"};

enum { TYPE_COUNT = sizeof types / sizeof *types, MODE_COUNT = sizeof modes / sizeof *modes };

const char *const micro_rules_kind_names[MICRO_RULES_KINDS] = {
    "usual", "overlapping", "ranges", "ranges apart", "negations", "one field"};

enum { CODES = 10000 }; /* of four digits */

/* One of the ranges has the events' office or mode in it; the other ends before. */
static void write_ranges_apart(FILE *out, uint32_t number, uint32_t a, uint32_t b, const char *to)
{
    if (number % 2 == 0)
        fprintf(out, "r%" PRIu32 ",,%04" PRIu32 "..%04" PRIu32 ",%04" PRIu32 "..0614,,%s\n", number,
                a % 5142, 5141 + b % 4859, b % 615, to);
    else
        fprintf(out, "r%" PRIu32 ",,%04" PRIu32 "..5140,%04" PRIu32 "..%04" PRIu32 ",,%s\n", number,
                a % 5141, b % 616, 615 + a % 9385, to);
}

/* The events are of type DECLSTATUS, office 5141 and trade mode 0615. */
static void write_hard_row(FILE *out, enum micro_rules_kind kind, uint32_t number)
{
    struct random random;
    random_seed(&random, number);
    uint32_t a = random_below(&random, CODES), b = random_below(&random, CODES);
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    const char *to = number % 2 == 0 ? "customs" : "inspection";
    if (kind == MICRO_RULES_OVERLAPPING)
        fprintf(out, "r%" PRIu32 ",D*,5*|51*,%04" PRIu32 ",,%s\n", number, a, to);
    else if (kind == MICRO_RULES_RANGES)
        fprintf(out,
                "r%" PRIu32 ",,%04" PRIu32 "..%04" PRIu32 ",%04" PRIu32 "..%04" PRIu32 ",,%s\n",
                number, low, high, low / 16, high / 16, to);
    else if (kind == MICRO_RULES_RANGES_APART)
        write_ranges_apart(out, number, a, b, to);
    else if (kind == MICRO_RULES_NEGATIONS)
        fprintf(out, "r%" PRIu32 ",,!5141|%04" PRIu32 ",!0615|%04" PRIu32 ",,%s\n", number, a, b,
                to);
    else
        fprintf(out, "r%" PRIu32 ",,%04" PRIu32 ",,,%s\n", number, a, to);
}

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

static struct bytes write_table(struct arena *arena, enum micro_rules_kind kind,
                                uint32_t rule_count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    fputs("id,message_type,customs_office,trade_mode,goods_code,to\n", out);
    for (uint32_t i = 1; i < rule_count; i++) {
        if (kind == MICRO_RULES_USUAL)
            write_row(out, i);
        else
            write_hard_row(out, kind, i);
    }
    fputs("rest,,,,,customs\n", out);
    fclose(out);
    struct bytes table = arena_copy(arena, bytes_make(text, size));
    free(text);
    return table;
}

const struct matcher *micro_rules_compile(struct arena *arena, enum micro_rules_kind kind,
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

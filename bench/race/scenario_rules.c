#include "bench/race/scenario_rules.h"

#include <stdio.h>

#include "bench/peers/peer.h"

enum {
    FOREIGN_OFFICE_FIRST = 100, /* 0100 .. 4999: districts of other provinces */
    FOREIGN_OFFICES = 4900
};

struct rule_writer {
    FILE *file;
    const char *to;
    uint32_t written;
};

static void write_rule(struct rule_writer *writer, int priority, const char *type,
                       const char *office)
{
    fprintf(writer->file, "r%u,%d,%s,%s,%s,\n", ++writer->written, priority, type, office,
            writer->to);
}

/* Not met by any message, but each as specific as one that is. */
static void write_foreign_rule(struct rule_writer *writer)
{
    char office[8];
    enum day_kind kind = (enum day_kind)(writer->written % KIND_COUNT);
    snprintf(office, sizeof office, "%04u",
             FOREIGN_OFFICE_FIRST + writer->written / KIND_COUNT % FOREIGN_OFFICES);
    write_rule(writer, 0, form_message_type(kind), office);
}

/* Those that messages meet stand among the others: every type at every office while there is room
 * for them, and the rest by one that holds always. */
static void write_rules(struct rule_writer *writer, uint32_t rule_count)
{
    uint32_t met = EPORT_COUNT * EPORT_OFFICES * KIND_COUNT;
    uint32_t stride = 2;
    for (uint32_t i = 0; i < met && writer->written + stride < rule_count; i++) {
        const struct eport *eport = &eports[i % EPORT_COUNT];
        enum day_kind kind = (enum day_kind)(KIND_COUNT - 1 - i / (EPORT_COUNT * EPORT_OFFICES));
        write_foreign_rule(writer);
        write_rule(writer, 0, form_message_type(kind),
                   eport->offices[i / EPORT_COUNT % EPORT_OFFICES]);
    }
    while (writer->written + 1 < rule_count)
        write_foreign_rule(writer);
    write_rule(writer, -1, "", "");
}

/* And one that holds always. */
static void write_hard_rules(struct rule_writer *writer, enum hard_rules kind, uint32_t rule_count)
{
    fputs(HARD_RULES_COLUMNS, writer->file);
    for (uint32_t i = 1; i < rule_count; i++)
        hard_rules_write(writer->file, kind, i, writer->to);
    fprintf(writer->file, "rest,,,,,%s\n", writer->to);
}

uint32_t scenario_rules_tables(const struct scenario *scenario)
{
    if (scenario->rule_count == 0)
        return 0;
    return scenario->rule_count < scenario->destination_count ? 1 : scenario->destination_count;
}

enum status scenario_rules_write(const struct scenario *scenario, uint32_t table, const char *path)
{
    uint32_t tables = scenario_rules_tables(scenario);
    char to[SCENARIO_DESTINATIONS_MAX * (DESTINATION_NAME_BYTES + 1)];
    size_t size = 0;
    for (uint32_t i = 0; i < scenario->destination_count; i++) {
        char name[DESTINATION_NAME_BYTES];
        if (tables > 1 && i != table)
            continue;
        peer_name_destination(i, name);
        size += (size_t)snprintf(to + size, sizeof to - size, "%s%s", size > 0 ? "|" : "", name);
    }
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return STATUS_IO;
    struct rule_writer writer = {.file = file, .to = to};
    uint32_t rule_count = scenario->rule_count / tables;
    if (scenario->hard_rules != HARD_RULES_NONE) {
        write_hard_rules(&writer, scenario->hard_rules, rule_count);
    } else {
        fputs("id,priority,message_type,customs_office,to,note\n", file);
        write_rules(&writer, rule_count);
    }
    bool wrote = ferror(file) == 0;
    return fclose(file) == 0 && wrote ? STATUS_OK : STATUS_IO;
}

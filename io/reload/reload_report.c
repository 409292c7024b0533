/* What changed, in lines for people. */
#include <inttypes.h>
#include <stdlib.h>

#include "io/reload/reload_inside.h"
#include "io/text.h"

/* ---- what there is ---- */

struct counted {
    uint32_t destinations, channels, participants, profiles, tables;
    uint64_t rules;
};

static struct counted count(const struct generation *generation)
{
    struct counted counted = {.profiles = generation->profiles.count,
                              .tables = generation->table_count};
    for (uint16_t i = 0; i < generation->destination_count; i++)
        counted.destinations += !generation->destinations[i]->is_removed;
    for (uint16_t i = 0; i < generation->channel_count; i++)
        counted.channels += !generation->channels[i]->is_removed;
    for (uint16_t i = 1; i < generation->directory.count; i++)
        counted.participants += !generation->directory.participants[i]->is_removed;
    for (uint16_t i = 0; i < generation->table_count; i++)
        counted.rules += generation->tables[i]->rule_count;
    return counted;
}

static void report_number(FILE *out, const char *before, uint64_t number, const char *what)
{
    fprintf(out, "%s%" PRIu64 " %s%s", before, number, what, number == 1 ? "" : "s");
}

static void report_counted(FILE *out, const struct generation *generation)
{
    struct counted now = count(generation);
    report_number(out, "  ", now.rules, "rule");
    report_number(out, " in ", now.tables, "table");
    report_number(out, ", ", now.profiles, "profile");
    report_number(out, ", ", now.participants, "participant");
    report_number(out, ", ", now.channels, "channel");
    report_number(out, ", ", now.destinations, "destination");
    fputc('\n', out);
}

/* ---- what waits for a restart ---- */

static void report_kept(FILE *out, const struct reload_loaded *next)
{
    const struct generation *generation = next->config->generation;
    for (uint16_t d = 0; d < generation->destination_count; d++) {
        if (next->kept[d].has_pending_max)
            fprintf(out, "  destination %s: pending_max waits for a restart\n",
                    generation->destinations[d]->name);
        if (next->kept[d].has_order)
            fprintf(out, "  destination %s: the order of a group waits for a restart\n",
                    generation->destinations[d]->name);
    }
}

void reload_report_changes(FILE *out, const struct reload_loaded *next)
{
    enum { LINES_MAX = 40 }; /* of each kind */
    config_diff_print(&next->diff, LINES_MAX, out);
    report_kept(out, next);
    report_counted(out, next->config->generation);
}

void reload_report_difference(struct reload *reload)
{
    struct reload_loaded next;
    if (!reload_load_files(reload, &next))
        return;
    bool is_same = reload_is_same(&reload->current, &next);
    reload->word = is_same ? "unchanged" : "ok";
    fprintf(reload->out,
            is_same ? "nothing is new: the files are those of generation %" PRIu64 "\n"
                    : "from generation %" PRIu64 " to the files as they are now:\n",
            reload->current.names->names.number);
    if (!is_same)
        reload_report_changes(reload->out, &next);
    reload_drop(&next);
}

/* ---- what runs, and what ran ---- */

static void report_item(FILE *out, const struct history_item *item)
{
    fprintf(out, "%" PRIu64 "  ", item->number);
    text_print_utc(out, item->wall_ms);
    fprintf(out, "  %.12s  %s\n", sha256_format(item->manifest.bytes).text, item->what);
}

void reload_report_current(FILE *out, const struct reload *reload)
{
    const struct history *history = &reload->history;
    const struct config *config = reload->current.config;
    const struct generation_names *names = &reload->current.names->names;
    fputs("generation ", out);
    report_item(out, &history->items[history->count - 1]);
    report_counted(out, config->generation);
    for (uint32_t i = 0; i < names->file_count; i++)
        if (names->files[i].kind != FILE_SHIPPED)
            fprintf(out, "  %.12s  %s\n", sha256_format(names->files[i].sha256).text,
                    names->files[i].name);
}

void reload_report_history(FILE *out, const struct reload *reload)
{
    for (uint32_t i = 0; i < reload->history.count; i++)
        report_item(out, &reload->history.items[i]);
}

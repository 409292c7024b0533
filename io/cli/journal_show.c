/* kouan journal show: records in their order. */
#include <stdio.h>
#include <unistd.h>

#include "io/cli/logbook.h"
#include "io/cli/output.h"

struct show {
    struct logbook_place place;
    struct logbook_filter filter;
    bool json, bodies;
    uint64_t count; /* 0: all */
    struct log_reader reader;
    struct logbook_names names;
    struct logbook_groups groups;
    uint64_t shown, gaps;
};

static enum cli_exit show_all(struct show *show);

enum cli_exit cli_journal_show(int argc, char **argv)
{
    struct show show = {.place.command = "journal show"};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(show.place),
        LOGBOOK_FILTER_ARGUMENTS(show.filter),
        {.name = "messages",
         .target = &show.filter.messages_only,
         .help = "messages alone, without the facts between them"},
        {.letter = 'n',
         .name = "count",
         .kind = ARGUMENT_NUMBER,
         .target = &show.count,
         .value = "N",
         .help = "end after so many records",
         .min = 1,
         .max = UINT64_MAX},
        {.name = "bodies",
         .target = &show.bodies,
         .help = "with the beginning of each body; with --json, all of it"},
        {.name = "json", .target = &show.json, .help = "one JSON object a line"},
    };
    const struct argument_page page = {
        .command = "journal show",
        .operands = "[FOLDER]",
        .about = "Shows the records of a journal in their order, log after log: messages, and the\n"
                 "facts between them (generations, groups, acknowledgements, ends of holds, "
                 "accounts). Several\n"
                 "conditions must all hold; with any of them, messages alone are shown.",
        .epilogue = "Exit code: 0, or 1 if something in between cannot be read, or no message has\n"
                    "the --id.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    show.place.folder = first < argc ? argv[first] : NULL;
    exit_code = logbook_filter_parse("journal show", &show.filter);
    if (exit_code != CLI_OK)
        return exit_code;
    return show_all(&show);
}

static enum status show_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct show *show = context;
    struct logbook_item item = logbook_item_of(&show->reader, head, position, block);
    if (head->kind == RECORD_KIND_GENERATION)
        logbook_names_learn(&show->names, (const struct fact_generation *)(const void *)head);
    if (head->kind == RECORD_KIND_GROUP)
        logbook_groups_learn(&show->groups, &show->names,
                             (const struct fact_group *)(const void *)head);
    if (!logbook_filter_holds(&show->filter, &show->names, &item))
        return STATUS_OK;
    const struct logbook_words words = {
        .names = &show->names,
        .groups = &show->groups,
        .bodies = !show->bodies ? BODIES_NONE
                  : show->json  ? BODIES_WHOLE
                                : BODIES_BEGINNING,
    };
    if (show->json) {
        logbook_print_json(&words, &item);
        putchar('\n');
    } else {
        logbook_print_text(&words, &item);
    }
    show->shown++;
    return show->shown == show->count || ferror(stdout) ? STATUS_EXISTS : STATUS_OK;
}

static enum status show_gap(void *context, const struct log_gap *gap)
{
    struct show *show = context;
    fflush(stdout);
    fprintf(stderr, "kouan journal show: positions %llu to %llu cannot be read: %s\n",
            (unsigned long long)gap->from, (unsigned long long)gap->to, gap->reason);
    show->gaps += gap->loses_blocks;
    return STATUS_OK;
}

static enum cli_exit show_log(void *context, const struct log_reader *reader)
{
    struct show *show = context;
    struct log_walk walk;
    if (show->count > 0 && show->shown == show->count)
        return CLI_OK;
    show->reader = *reader;
    logbook_names_open(&show->reader, &show->names);
    const struct log_handler handler = {.record = show_record, .gap = show_gap, .context = show};
    enum status status =
        log_walk(reader, logbook_filter_first_segment(&show->filter, reader), &handler, &walk);
    bool is_well = status == STATUS_OK || status == STATUS_EXISTS;
    if (!is_well)
        fprintf(stderr, "kouan journal show: %s\n", status_text(status));
    logbook_groups_close(&show->groups);
    logbook_names_close(&show->names);
    return is_well ? CLI_OK : CLI_INVALID;
}

/* Log after log: each is in the order in which it was written. */
static enum cli_exit show_all(struct show *show)
{
    show->place.without_titles = true;
    enum cli_exit end = logbook_each(&show->place, show_log, show);
    if (end == CLI_OK && show->filter.wants_id && show->shown == 0) {
        fprintf(stderr, "kouan journal show: no message with the id %s is in %s\n", show->filter.id,
                show->reader.folder);
        return CLI_INVALID;
    }
    return show->gaps == 0 ? end : CLI_INVALID;
}

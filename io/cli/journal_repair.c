/* kouan journal repair: what verifies, as a new journal. */
#include <inttypes.h>
#include <stdio.h>

#include "io/audit/log_damage.h"
#include "io/audit/log_repair.h"
#include "io/cli/logbook.h"
#include "io/cli/output.h"
#include "io/cli/progress.h"

struct repairer {
    const char *new_folder;
    bool quiet, has_begun; /* begun: the new folder is there */
    struct log_reader reader;
    struct progress progress;
    uint64_t lost, places;
};

static enum cli_exit repair_log(void *context, const struct log_reader *reader);
static enum cli_exit repair_to(struct repairer *repairer, const char *new_folder);

enum cli_exit cli_journal_repair(int argc, char **argv)
{
    struct logbook_place place = {.command = "journal repair"};
    struct repairer repairer = {0};
    bool quiet = false;
    const struct argument arguments[] = {
        {.letter = 'q', .name = "quiet", .target = &quiet, .help = "draw no progress"},
    };
    const struct argument_page page = {
        .command = "journal repair",
        .operands = "FOLDER NEW_FOLDER",
        .about = "Copies what verifies of a journal to a new one, which a server accepts, and\n"
                 "lists what is lost: positions, and between which ids. Every record that stands\n"
                 "keeps its id and its place. The old journal is only read: keep it until all is\n"
                 "well. A torn end is left out, as a server's start does.",
        .epilogue = "Exit code: 0 nothing is lost, 1 something is, or it cannot be done.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 2,
        .operands_max = 2,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    place.folder = argv[first];
    repairer.quiet = quiet;
    repairer.new_folder = argv[first + 1];
    return logbook_each(&place, repair_log, &repairer);
}

static enum cli_exit repair_log(void *context, const struct log_reader *reader)
{
    struct repairer *asked = context;
    struct repairer repairer = {
        .reader = *reader, .new_folder = asked->new_folder, .has_begun = asked->has_begun};
    if (reader->is_held) {
        fprintf(stderr, "kouan journal repair: a server has it open: %s\nStop it first.\n",
                reader->holder);
        return CLI_INVALID;
    }
    progress_start(&repairer.progress, log_reader_bytes(reader), asked->quiet);
    enum cli_exit end = repair_to(&repairer, asked->new_folder);
    asked->has_begun = repairer.has_begun;
    return end;
}

static void take_progress(void *context, const struct block_header *block)
{
    struct repairer *repairer = context;
    repairer->progress.bytes += block->size_bytes;
    repairer->progress.accepted += block->record_count;
    progress_draw(&repairer->progress);
}

static void print_probable(void *context, const struct record_head *head, uint64_t position)
{
    (void)context;
    printf("  probably  %s", logbook_kind_name((enum record_kind)head->kind));
    if (head->kind == RECORD_KIND_MESSAGE) {
        putchar(' ');
        logbook_print_id(((const struct record *)(const void *)head)->id);
        putchar(' ');
        logbook_print_keys((const struct record *)(const void *)head, false);
    }
    printf(" at %" PRIu64 "\n", position);
}

static void take_lost(void *context, const struct log_gap *gap)
{
    struct repairer *repairer = context;
    progress_hide(&repairer->progress);
    repairer->places++;
    printf("positions %" PRIu64 " to %" PRIu64 " (segment %" PRIu64 "): %s\n", gap->from, gap->to,
           gap->from / repairer->reader.segment_bytes, gap->reason);
    if (gap->to == gap->from + JOURNAL_PAGE_BYTES && !gap->loses_blocks &&
        gap->from % repairer->reader.segment_bytes == 0) {
        puts("  made anew; nothing is lost");
        return;
    }
    repairer->lost++;
    fputs("  lost: messages with ids between ", stdout);
    logbook_print_id(gap->after);
    fputs(" and ", stdout);
    logbook_print_id(gap->before);
    puts(", and what groups acknowledged meanwhile");
    log_damage_look(&repairer->reader, gap, print_probable, repairer);
}

static enum cli_exit repair_to(struct repairer *repairer, const char *new_folder)
{
    struct log_walk walk;
    struct log_repair repair = {
        .reader = &repairer->reader,
        .new_folder = new_folder,
        .is_further_log = repairer->has_begun,
        .lost = take_lost,
        .progress = take_progress,
        .context = repairer,
    };
    enum status status = log_repair_run(&repair, &walk);
    repairer->has_begun |= status != STATUS_EXISTS;
    progress_hide(&repairer->progress);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan journal repair: %s\n", repair.problem);
        return CLI_INVALID;
    }
    output_count(stdout, walk.records);
    fputs(" records in ", stdout);
    output_count(stdout, walk.blocks);
    printf(" blocks copied to %s\n", new_folder);
    if (walk.is_torn)
        printf("left out, behind position %" PRIu64 ": torn while it was written, %s\n",
               walk.end_position, walk.torn_reason);
    if (repairer->lost > 0)
        printf("%" PRIu64 " places are lost\n", repairer->lost);
    else
        puts("nothing is lost");
    return repairer->lost == 0 ? CLI_OK : CLI_INVALID;
}

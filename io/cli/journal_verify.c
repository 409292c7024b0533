/* kouan journal verify: every block and record, and every place that is not as it was written. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/logbook.h"
#include "io/cli/output.h"
#include "io/cli/progress.h"

struct verify {
    struct logbook_place place;
    bool json, quiet;
    struct log_reader reader;
    struct progress progress;
    uint64_t kinds[RECORD_KIND_END];
    uint64_t found; /* what was wrong */
};

static enum cli_exit verify_all(struct verify *verify);

enum cli_exit cli_journal_verify(int argc, char **argv)
{
    struct verify verify = {.place.command = "journal verify"};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(verify.place),
        {.letter = 'q', .name = "quiet", .target = &verify.quiet, .help = "draw no progress"},
        {.name = "json",
         .target = &verify.json,
         .help = "one JSON object a line: each place, then the sum"},
    };
    const struct argument_page page = {
        .command = "journal verify",
        .operands = "[FOLDER]",
        .about = "Reads a whole journal: checksums and positions of all blocks, the chain that\n"
                 "they make across segments, every record in them; and tells each place that is\n"
                 "not as it was written, with what may be lost there. A torn end is no damage: it\n"
                 "was being written when the server ended, and nobody had a receipt for it.",
        .epilogue = "Exit code: 0 all is as it was written, 1 it is not.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    verify.place.folder = first < argc ? argv[first] : NULL;
    exit_code = logbook_open(&verify.place, &verify.reader);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = verify_all(&verify);
    log_reader_close(&verify.reader);
    return exit_code;
}

/* ---- on the way ---- */

static enum status take_block(void *context, const struct block_header *block)
{
    struct verify *verify = context;
    verify->progress.bytes += block->size_bytes;
    progress_draw(&verify->progress);
    return STATUS_OK;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct verify *verify = context;
    (void)position;
    (void)block;
    verify->kinds[head->kind]++;
    verify->progress.accepted += head->kind == RECORD_KIND_MESSAGE;
    return STATUS_OK;
}

static void print_gap_json(const struct verify *verify, const struct log_gap *gap)
{
    printf("{\"segment\":%" PRIu64 ",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"reason\":",
           gap->from / verify->reader.segment_bytes, gap->from, gap->to);
    output_json_text(stdout, gap->reason);
    if (gap->loses_blocks) {
        fputs(",\"after_id\":\"", stdout);
        logbook_print_id(gap->after);
        fputs("\",\"before_id\":\"", stdout);
        logbook_print_id(gap->before);
        putchar('"');
    }
    puts("}");
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    struct verify *verify = context;
    verify->found++;
    progress_hide(&verify->progress);
    if (verify->json) {
        print_gap_json(verify, gap);
        return STATUS_OK;
    }
    output_painted(stdout, PAINT_BAD, "damaged");
    printf("  positions %" PRIu64 " to %" PRIu64 " (segment %" PRIu64 ", byte %" PRIu64 "): %s\n",
           gap->from, gap->to, gap->from / verify->reader.segment_bytes,
           gap->from % verify->reader.segment_bytes, gap->reason);
    if (!gap->loses_blocks)
        return STATUS_OK;
    fputs("         ids between ", stdout);
    logbook_print_id(gap->after);
    fputs(" and ", stdout);
    logbook_print_id(gap->before);
    puts(" may be lost");
    return STATUS_OK;
}

/* ---- the sum ---- */

static void print_sum_json(const struct verify *verify, const struct log_walk *walk)
{
    printf("{\"ok\":%s,\"damaged\":%" PRIu64 ",\"torn\":%s,\"segments\":%" PRIu32
           ",\"blocks\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"records\":%" PRIu64
           ",\"messages\":%" PRIu64 ",\"start_position\":%" PRIu64 ",\"end_position\":%" PRIu64
           ",\"last_id\":\"",
           verify->found == 0 ? "true" : "false", verify->found,
           walk->is_torn && !verify->reader.is_held ? "true" : "false",
           verify->reader.segment_count, walk->blocks, walk->bytes, walk->records,
           verify->kinds[RECORD_KIND_MESSAGE], walk->start_position, walk->end_position);
    logbook_print_id(walk->last_id);
    puts("\"}");
}

static void print_sum(const struct verify *verify, const struct log_walk *walk)
{
    const char *separator = ": ";
    output_count(stdout, walk->records);
    fputs(" records in ", stdout);
    output_count(stdout, walk->blocks);
    printf(" blocks of %" PRIu32 " segments", verify->reader.segment_count);
    for (unsigned kind = 0; kind < RECORD_KIND_END; kind++) {
        if (verify->kinds[kind] == 0)
            continue;
        fputs(separator, stdout);
        output_count(stdout, verify->kinds[kind]);
        printf(" %s", logbook_kind_name((enum record_kind)kind));
        separator = ", ";
    }
    printf("\nfrom position %" PRIu64 " to %" PRIu64 ", last id ", walk->start_position,
           walk->end_position);
    logbook_print_id(walk->last_id);
    putchar('\n');
    if (walk->is_torn && !verify->reader.is_held)
        printf("behind it, torn while it was written: %s\n", walk->torn_reason);
    if (verify->reader.is_held)
        printf("a server writes on: %s\n", verify->reader.holder);
    if (verify->found == 0)
        output_painted(stdout, PAINT_GOOD, "all is as it was written\n");
    else
        printf("%" PRIu64 " places are not as they were written; `kouan journal repair` copies "
               "the rest to a new journal\n",
               verify->found);
}

static enum cli_exit verify_all(struct verify *verify)
{
    struct log_walk walk;
    const struct log_reader *reader = &verify->reader;
    const struct log_handler handler = {
        .block = take_block, .record = take_record, .gap = take_gap, .context = verify};
    progress_start(&verify->progress, log_reader_bytes(reader), verify->quiet);
    enum status status = log_walk(reader, reader->segments[0].number, &handler, &walk);
    progress_hide(&verify->progress);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan journal verify: %s\n", status_text(status));
        return CLI_INVALID;
    }
    if (verify->json)
        print_sum_json(verify, &walk);
    else
        print_sum(verify, &walk);
    return verify->found == 0 ? CLI_OK : CLI_INVALID;
}

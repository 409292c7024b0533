/* kouan journal verify: every block and record, and every place that is not as it was written. */
#include <inttypes.h>
#include <stdio.h>

#include "io/audit/log_damage.h"
#include "io/cli/logbook.h"
#include "io/cli/output.h"
#include "io/cli/progress.h"
#include "io/cli/verify.h"

struct verify {
    struct logbook_place place;
    bool json, quiet;
    struct log_reader reader;
    struct progress progress;
    struct verify_facts facts;
    struct verify_sidecars sidecars;
    uint64_t kinds[RECORD_KIND_END];
    uint64_t found; /* what was wrong */
};

static enum cli_exit verify_log(void *context, const struct log_reader *reader);
static enum cli_exit verify_all(struct verify *verify);

enum cli_exit cli_journal_verify(int argc, char **argv)
{
    struct verify verify = {.place.command = "journal verify"};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(verify.place),
        {.letter = 'q', .name = "quiet", .target = &verify.quiet, .help = "draw no progress"},
        {.name = "json",
         .target = &verify.json,
         .help = "one JSON object a line: each place, then the sum of each log"},
    };
    const struct argument_page page = {
        .command = "journal verify",
        .operands = "[FOLDER]",
        .about =
            "Reads a whole journal: checksums and positions of all blocks, the chain that\n"
            "they make across segments, every record in them; whether what facts say of\n"
            "groups fits the messages and acknowledgements before them, and sidecars fit\n"
            "their segments; and tells each place that is not as it was written, with what\n"
            "may be lost there. A torn end is no damage: it was being written when the server\n"
            "ended, and nobody had a receipt for it.",
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
    verify.place.without_titles = verify.json;
    return logbook_each(&verify.place, verify_log, &verify);
}

static enum cli_exit verify_log(void *context, const struct log_reader *reader)
{
    const struct verify *asked = context;
    struct verify verify = {
        .place = asked->place, .json = asked->json, .quiet = asked->quiet, .reader = *reader};
    enum cli_exit end = verify_all(&verify);
    verify_sidecars_close(&verify.sidecars);
    verify_facts_close(&verify.facts);
    return end;
}

/* ---- on the way ---- */

static enum status take_block(void *context, const struct block_header *block)
{
    struct verify *verify = context;
    verify->progress.bytes += block->size_bytes;
    progress_draw(&verify->progress);
    verify_sidecars_block(&verify->sidecars, block);
    return STATUS_OK;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct verify *verify = context;
    (void)block;
    verify_facts_take(&verify->facts, head, position);
    verify_sidecars_record(&verify->sidecars, head, position);
    verify->kinds[head->kind]++;
    verify->progress.accepted += head->kind == RECORD_KIND_MESSAGE;
    return STATUS_OK;
}

static void print_gap_json(const struct verify *verify, const struct log_gap *gap)
{
    printf("{\"log\":%u,\"segment\":%" PRIu64 ",\"from\":%" PRIu64 ",\"to\":%" PRIu64
           ",\"reason\":",
           verify->reader.log_number, gap->from / verify->reader.segment_bytes, gap->from, gap->to);
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

static void print_probable(void *context, const struct record_head *head, uint64_t position)
{
    const struct verify *verify = context;
    const struct logbook_words words = {.names = &verify->facts.names,
                                        .groups = &verify->facts.groups};
    const struct logbook_item item = {.head = head, .position = position};
    fputs("         probably ", stdout);
    logbook_print_text(&words, &item);
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    struct verify *verify = context;
    verify->found++;
    progress_hide(&verify->progress);
    if (gap->loses_blocks) {
        verify_facts_lose(&verify->facts);
        verify_sidecars_lose(&verify->sidecars);
    }
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
    log_damage_look(&verify->reader, gap, print_probable, verify);
    return STATUS_OK;
}

static void take_problem(void *context, uint64_t position, const char *text)
{
    struct verify *verify = context;
    verify->found++;
    progress_hide(&verify->progress);
    if (verify->json) {
        printf("{\"log\":%u,\"segment\":%" PRIu64 ",\"position\":%" PRIu64 ",\"reason\":",
               verify->reader.log_number, position / verify->reader.segment_bytes, position);
        output_json_text(stdout, text);
        puts("}");
        return;
    }
    output_painted(stdout, PAINT_BAD, "wrong");
    printf("    position %" PRIu64 " (segment %" PRIu64 "): ", position,
           position / verify->reader.segment_bytes);
    output_escaped(stdout, bytes_from_text(text));
    putchar('\n');
}

/* ---- the sum ---- */

static void print_sum_json(const struct verify *verify, const struct log_walk *walk)
{
    printf("{\"log\":%u,\"ok\":%s,\"damaged\":%" PRIu64 ",\"torn\":%s,\"segments\":%" PRIu32
           ",\"blocks\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"records\":%" PRIu64
           ",\"messages\":%" PRIu64 ",\"start_position\":%" PRIu64 ",\"end_position\":%" PRIu64
           ",\"last_id\":\"",
           verify->reader.log_number, verify->found == 0 ? "true" : "false", verify->found,
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
    printf("\n%" PRIu64 " accounts of groups compared, %" PRIu64 " sidecars\n",
           verify->facts.accounts, verify->sidecars.sidecars);
    if (walk->is_torn && !verify->reader.is_held)
        printf("behind it, torn while it was written: %s\n", walk->torn_reason);
    if (verify->reader.is_held)
        printf("a server writes on: %s\n", verify->reader.holder);
    if (verify->found == 0)
        output_painted(stdout, PAINT_GOOD, "all is as it was written\n");
    else
        printf("%" PRIu64
               " places are wrong; `kouan journal repair` copies what is not damaged to a "
               "new journal\n",
               verify->found);
}

static enum cli_exit verify_all(struct verify *verify)
{
    struct log_walk walk;
    const struct log_reader *reader = &verify->reader;
    const struct log_handler handler = {
        .block = take_block, .record = take_record, .gap = take_gap, .context = verify};
    const struct verify_report report = {.problem = take_problem, .context = verify};
    verify_facts_open(&verify->facts, reader, report);
    verify_sidecars_open(&verify->sidecars, reader, report);
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

/* kouan audit replay: decides every stored message again, under the generation that decided it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/audit/stored_body.h"
#include "io/cli/audit.h"
#include "io/cli/audit_compare.h"
#include "io/cli/output.h"
#include "io/cli/progress.h"
#include "io/reload/generation_store.h"

/* One that the log speaks of; built when the first of its messages comes. */
struct replay_generation {
    uint64_t number;
    struct sha256 manifest;
    struct stored_generation *stored; /* NULL: not built, or it cannot be */
    struct router *router;
    bool was_tried;
    uint64_t messages;
};

struct replay {
    struct logbook_place place;
    struct logbook_filter filter;
    bool json, quiet;
    struct log_reader reader;
    struct logbook_names names;
    struct logbook_once once;
    struct progress progress;
    struct replay_generation *generations;
    uint32_t generation_count, generation_capacity;
    struct routing *routings;
    struct stored_body body;
    uint64_t replayed, differing, undecided, diverted, other_identities, gaps;
};

static enum cli_exit replay_log(void *context, const struct log_reader *reader);
static enum cli_exit replay_all(struct replay *replay);
static void forget(struct replay *replay);

enum cli_exit audit_replay(int argc, char **argv)
{
    struct replay replay = {.place.command = "audit replay"};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(replay.place),
        LOGBOOK_FILTER_ARGUMENTS(replay.filter),
        {.letter = 'q', .name = "quiet", .target = &replay.quiet, .help = "draw no progress"},
        {.name = "json",
         .target = &replay.json,
         .help = "one JSON object a line: each difference, then the sum of each log"},
    };
    const struct argument_page page = {
        .command = "audit replay",
        .operands = "[FOLDER]",
        .about =
            "Builds the generations of a journal again from what is stored beside it, and\n"
            "decides every message that came in or was rerouted once more, each under its own\n"
            "generation: profile, fields and keys, matched rules, destinations and holds must\n"
            "be those that its record has; of one that was rerouted, without those where it\n"
            "had been. Each difference is told.",
        .epilogue = "Exit code: 0 all decisions are identical, 1 one is not, or could not be made.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit end;
    if (!arguments_parse(&page, argc, argv, &first, &end))
        return end;
    replay.place.folder = first < argc ? argv[first] : NULL;
    end = logbook_filter_parse("audit replay", &replay.filter);
    replay.place.without_titles = replay.json;
    return end == CLI_OK ? logbook_each(&replay.place, replay_log, &replay) : end;
}

static enum cli_exit replay_log(void *context, const struct log_reader *reader)
{
    const struct replay *asked = context;
    struct replay replay = {.place = asked->place,
                            .filter = asked->filter,
                            .json = asked->json,
                            .quiet = asked->quiet,
                            .reader = *reader};
    replay.routings = calloc(ROUTER_BATCH_MAX, sizeof *replay.routings);
    if (replay.routings == NULL)
        abort();
    logbook_names_open(&replay.reader, &replay.names);
    enum cli_exit end = replay_all(&replay);
    forget(&replay);
    return end;
}

static void forget(struct replay *replay)
{
    for (uint32_t i = 0; i < replay->generation_count; i++) {
        router_close(replay->generations[i].router);
        if (replay->generations[i].stored != NULL)
            generation_store_unload(replay->generations[i].stored);
    }
    free(replay->generations);
    free(replay->routings);
    stored_body_close(&replay->body);
    logbook_once_close(&replay->once);
    logbook_names_close(&replay->names);
}

/* ---- generations ---- */

static struct replay_generation *find_generation(const struct replay *replay, uint64_t number)
{
    for (uint32_t i = replay->generation_count; i-- > 0;)
        if (replay->generations[i].number == number)
            return &replay->generations[i];
    return NULL;
}

static void learn_generation(struct replay *replay, const struct fact_generation *fact)
{
    enum { FIRST = 8 };
    logbook_names_learn(&replay->names, fact);
    if (find_generation(replay, fact->number) != NULL)
        return;
    if (replay->generation_count == replay->generation_capacity) {
        replay->generation_capacity =
            replay->generation_capacity == 0 ? FIRST : 2 * replay->generation_capacity;
        replay->generations =
            realloc(replay->generations, replay->generation_capacity * sizeof *replay->generations);
        if (replay->generations == NULL)
            abort();
    }
    struct replay_generation *generation = &replay->generations[replay->generation_count++];
    *generation = (struct replay_generation){.number = fact->number};
    memcpy(generation->manifest.bytes, fact->manifest, SHA256_BYTES);
}

static void build(struct replay *replay, struct replay_generation *generation)
{
    char problem[LOG_PROBLEM_BYTES] = "";
    struct generation_store store;
    struct diagnostics diagnostics;
    generation->was_tried = true;
    diagnostics_init(&diagnostics);
    enum status status = generation_store_open(replay->reader.folder, replay->reader.spare, &store);
    if (status == STATUS_OK)
        status = generation_store_load(&store, &generation->manifest, generation->number, NULL,
                                       &generation->stored, &diagnostics, problem, sizeof problem);
    if (status == STATUS_OK) {
        const struct options *options = &generation->stored->config->options;
        status = router_open(&replay->reader.secret, (uint16_t)options->entries_max,
                             &generation->router);
    }
    if (status != STATUS_OK) {
        progress_hide(&replay->progress);
        fprintf(stderr, "kouan audit replay: generation %" PRIu64 " cannot be built: %s\n",
                generation->number, problem[0] != '\0' ? problem : status_text(status));
        diagnostics_print(&diagnostics, stderr);
    }
    diagnostics_deinit(&diagnostics);
}

/* ---- one message ---- */

static void print_difference(const struct replay *replay, const struct record *record,
                             const struct audit_comparison *comparison)
{
    static const struct {
        const char *name, *text;
    } words[DIFFERENCE_COUNT] = {
#define X(constant, name, text) [DIFFERENCE_##constant] = {name, text},
        AUDIT_DIFFERENCE_LIST(X)
#undef X
    };
    const char *separator = "";
    fputs(replay->json ? "{\"id\":\"" : "", stdout);
    logbook_print_id(record->id);
    printf(replay->json ? "\",\"generation\":%" PRIu64 ",\"differs\":["
                        : "  generation %" PRIu64 ": ",
           record->generation);
    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++) {
        if (!comparison->differs[i])
            continue;
        printf(replay->json ? "%s\"%s\"" : "%s%s", separator,
               replay->json ? words[i].name : words[i].text);
        separator = replay->json ? "," : "; ";
    }
    fputs(replay->json ? "]" : "", stdout);
}

static void print_decision(const struct replay *replay, const struct record *record,
                           const struct generation *generation, const struct routing *routing)
{
    enum { REASON_BYTES = 512 };
    char reason[REASON_BYTES];
    const char *separator = "";
    if (replay->json) {
        fputs(",\"replayed\":[", stdout);
    } else {
        fputs("\n    written   ", stdout);
        logbook_print_destinations(&replay->names, record, false, false);
        fputs("\n    replayed  ", stdout);
    }
    if (routing->refused) {
        routing_describe_refusal(routing, reason, sizeof reason);
        (replay->json ? output_json : output_escaped)(stdout, bytes_from_text(reason));
    }
    for (unsigned d = destination_set_next(&routing->deliver, 0);
         !routing->refused && d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1)) {
        fputs(separator, stdout);
        struct bytes name = bytes_from_text(generation->destinations[d]->name);
        (replay->json ? output_json : output_escaped)(stdout, name);
        separator = ",";
    }
    puts(replay->json ? "]}" : "");
}

static void decide(struct replay *replay, struct replay_generation *generation,
                   const struct record *record)
{
    const struct generation *rules = generation->stored->config->generation;
    uint32_t count;
    if (record->channel >= rules->channel_count || record->participant >= rules->directory.count) {
        replay->undecided++;
        return;
    }
    const struct arrival arrival = {.body = stored_body_copy(&replay->body, record),
                                    .channel = rules->channels[record->channel],
                                    .participant =
                                        rules->directory.participants[record->participant]};
    uint64_t now_ms = rule_periods_begin_ms(&rules->periods, record->head.period);
    router_decide(generation->router, rules, &arrival, 1, now_ms, replay->routings, &count);
    struct audit_comparison comparison = audit_compare(record, &replay->routings[0], rules);
    replay->replayed++;
    generation->messages++;
    replay->diverted += comparison.is_diverted;
    replay->other_identities += comparison.other_identity;
    if (!comparison.any)
        return;
    replay->differing++;
    progress_hide(&replay->progress);
    print_difference(replay, record, &comparison);
    print_decision(replay, record, rules, &replay->routings[0]);
}

/* ---- all ---- */

static enum status take_block(void *context, const struct block_header *block)
{
    struct replay *replay = context;
    replay->progress.bytes += block->size_bytes;
    replay->progress.accepted = replay->replayed;
    progress_draw(&replay->progress);
    return STATUS_OK;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct replay *replay = context;
    struct logbook_item item = logbook_item_of(&replay->reader, head, position, block);
    if (head->kind == RECORD_KIND_GENERATION)
        learn_generation(replay, (const struct fact_generation *)(const void *)head);
    const struct record *record = logbook_item_message(&item);
    if (record == NULL || !record_is_decided(record) ||
        !logbook_once_takes(&replay->once, record) ||
        !logbook_filter_holds(&replay->filter, &replay->names, &item))
        return STATUS_OK;
    struct replay_generation *generation = find_generation(replay, record->generation);
    if (generation != NULL && !generation->was_tried)
        build(replay, generation);
    if (generation == NULL || generation->router == NULL)
        replay->undecided++;
    else
        decide(replay, generation, record);
    return STATUS_OK;
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    struct replay *replay = context;
    progress_hide(&replay->progress);
    replay->gaps += gap->loses_blocks;
    fprintf(stderr, "kouan audit replay: positions %" PRIu64 " to %" PRIu64 " cannot be read: %s\n",
            gap->from, gap->to, gap->reason);
    return STATUS_OK;
}

static uint32_t count_generations(const struct replay *replay)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < replay->generation_count; i++)
        count += replay->generations[i].messages > 0;
    return count;
}

static void print_sum(const struct replay *replay, bool ok)
{
    if (replay->json) {
        printf("{\"ok\":%s,\"replayed\":%" PRIu64 ",\"generations\":%" PRIu32
               ",\"differing\":%" PRIu64 ",\"undecided\":%" PRIu64 ",\"diverted\":%" PRIu64
               ",\"other_identities\":%" PRIu64 "}\n",
               ok ? "true" : "false", replay->replayed, count_generations(replay),
               replay->differing, replay->undecided, replay->diverted, replay->other_identities);
        return;
    }
    output_count(stdout, replay->replayed);
    printf(" messages replayed under %" PRIu32 " generations: ", count_generations(replay));
    if (replay->differing == 0)
        output_painted(stdout, PAINT_GOOD, "all decisions are identical\n");
    else
        printf("%" PRIu64 " decisions differ\n", replay->differing);
    if (replay->undecided > 0)
        printf("%" PRIu64 " could not be decided again: their generation is not stored\n",
               replay->undecided);
    if (replay->diverted > 0)
        printf("%" PRIu64 " went to the dead letter of a destination that was full\n",
               replay->diverted);
    if (replay->other_identities > 0)
        printf("%" PRIu64 " have an identity that is not their own: it was given by IDMP, which "
               "the journal does not keep\n",
               replay->other_identities);
}

static enum cli_exit replay_all(struct replay *replay)
{
    struct log_walk walk;
    const struct log_handler handler = {
        .block = take_block, .record = take_record, .gap = take_gap, .context = replay};
    progress_start(&replay->progress, log_reader_bytes(&replay->reader), replay->quiet);
    enum status status =
        log_walk(&replay->reader, logbook_filter_first_segment(&replay->filter, &replay->reader),
                 &handler, &walk);
    progress_hide(&replay->progress);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan audit replay: %s\n", status_text(status));
        return CLI_INVALID;
    }
    bool ok = replay->differing == 0 && replay->undecided == 0 && replay->gaps == 0;
    print_sum(replay, ok);
    return ok ? CLI_OK : CLI_INVALID;
}

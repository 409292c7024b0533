/* kouan journal info: what is in a journal, by its headers and its newest segments. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/logbook.h"
#include "io/cli/output.h"

struct info {
    struct logbook_place place;
    bool json;
    struct log_reader reader;
    struct logbook_names names;
    struct logbook_groups groups;
    struct fact_generation generation; /* the last one */
    struct log_walk walk;
    uint64_t identities, seals, wrong_headers;
};

static enum cli_exit tell_log(void *context, const struct log_reader *reader);
static enum cli_exit gather(struct info *info);
static void print_text(const struct info *info);
static void print_json(const struct info *info);

enum cli_exit cli_journal_info(int argc, char **argv)
{
    struct info info = {.place.command = "journal info"};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(info.place),
        {.name = "json",
         .target = &info.json,
         .help = "one JSON object, or one a line of each of several logs"},
    };
    const struct argument_page page = {
        .command = "journal info",
        .operands = "[FOLDER]",
        .about = "Says what is in a journal: its segments, the time that they span, the\n"
                 "generation, the groups and where they stand, and who has it open. Reads the\n"
                 "newest segments only; `journal verify` reads all.",
        .epilogue = "Exit code: 0, or 1 if it is no journal or its newest segments are damaged.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    info.place.folder = first < argc ? argv[first] : NULL;
    info.place.without_titles = info.json;
    return logbook_each(&info.place, tell_log, &info);
}

static enum cli_exit tell_log(void *context, const struct log_reader *reader)
{
    const struct info *asked = context;
    struct info info = {.place = asked->place, .json = asked->json, .reader = *reader};
    logbook_names_open(&info.reader, &info.names);
    enum cli_exit end = gather(&info);
    if (info.json)
        print_json(&info);
    else
        print_text(&info);
    logbook_groups_close(&info.groups);
    logbook_names_close(&info.names);
    return end;
}

/* ---- what the newest segments tell ---- */

/* How far a group has come at all. */
static void note_settled(struct info *info, const struct fact_settled *fact)
{
    struct logbook_group *group = logbook_groups_find(&info->groups, fact->group_number);
    logbook_count_settled(&info->groups, fact);
    for (uint32_t i = 0; group != NULL && i < fact->range_count; i++)
        if (record_id_compare(fact_settled_ranges(fact)[i].to, group->after) > 0)
            group->after = fact_settled_ranges(fact)[i].to;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct info *info = context;
    const void *fact = head;
    (void)position;
    (void)block;
    switch ((enum record_kind)head->kind) {
    case RECORD_KIND_MESSAGE: logbook_count_message(&info->groups, &info->names, fact); break;
    case RECORD_KIND_GENERATION:
        info->generation = *(const struct fact_generation *)fact;
        logbook_names_learn(&info->names, fact);
        break;
    case RECORD_KIND_GROUP: logbook_groups_learn(&info->groups, &info->names, fact); break;
    case RECORD_KIND_SETTLED: note_settled(info, fact); break;
    case RECORD_KIND_OUTLET:
    case RECORD_KIND_HOLD_END:
    case RECORD_KIND_INTAKE:
    case RECORD_KIND_END: break;
    }
    return STATUS_OK;
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    (void)context;
    fprintf(stderr, "kouan journal info: positions %" PRIu64 " to %" PRIu64 " cannot be read: %s\n",
            gap->from, gap->to, gap->reason);
    return STATUS_OK;
}

/* The last two: the newest may only just have been begun. */
static enum cli_exit gather(struct info *info)
{
    const struct log_reader *reader = &info->reader;
    uint32_t from = reader->segment_count > 1 ? reader->segment_count - 2 : 0;
    const struct log_handler handler = {.record = take_record, .gap = take_gap, .context = info};
    for (uint32_t i = 0; i < reader->segment_count; i++) {
        info->identities += reader->segments[i].has_identities;
        info->seals += reader->segments[i].has_seal;
        info->wrong_headers += reader->segments[i].header_status != STATUS_OK;
    }
    enum status status = log_walk(reader, reader->segments[from].number, &handler, &info->walk);
    if (status != STATUS_OK)
        fprintf(stderr, "kouan journal info: %s\n", status_text(status));
    return status == STATUS_OK && info->walk.bad_places == 0 ? CLI_OK : CLI_INVALID;
}

static uint64_t waiting(const struct logbook_group *group)
{
    const struct group_account *account = &group->account;
    uint64_t settled =
        account->acknowledged + account->dead_lettered + account->skipped + account->dropped;
    return account->offered > settled ? account->offered - settled : 0;
}

static const struct log_segment *first_right(const struct log_reader *reader)
{
    for (uint32_t i = 0; i < reader->segment_count; i++)
        if (reader->segments[i].header_status == STATUS_OK)
            return &reader->segments[i];
    return &reader->segments[0]; /* never: opening wanted one */
}

/* ---- text ---- */

enum { LABEL_COLUMNS = 14 };

static void print_label(const char *label)
{
    printf("  %-*s", LABEL_COLUMNS, label);
}

static void print_groups(const struct info *info)
{
    for (uint32_t i = 0; i < info->groups.count; i++) {
        const struct logbook_group *group = &info->groups.items[i];
        if (group->is_destroyed)
            continue;
        print_label(i == 0 ? "groups" : "");
        printf("%s/", group->destination_name);
        output_escaped(stdout, bytes_from_text(group->name));
        fputs("  ", stdout);
        output_count(stdout, waiting(group));
        fputs(" waiting or pending, newest settled ", stdout);
        logbook_print_id(group->after);
        putchar('\n');
    }
}

static void print_segments(const struct info *info)
{
    const struct log_reader *reader = &info->reader;
    print_label("segments");
    printf("%" PRIu32 " of up to ", reader->segment_count);
    logbook_print_size(reader->segment_bytes);
    fputs(", ", stdout);
    logbook_print_size(log_reader_bytes(reader));
    printf(" in all: numbers %" PRIu64 " to %" PRIu64 "\n", reader->segments[0].number,
           reader->segments[reader->segment_count - 1].number);
    if (info->wrong_headers > 0) {
        print_label("");
        printf("%" PRIu64 " with a wrong header\n", info->wrong_headers);
    }
    print_label("beside them");
    printf("identities of %" PRIu64 ", seals of %" PRIu64 "\n", info->identities, info->seals);
}

static void print_spare(const struct log_reader *reader)
{
    const struct log_segment *first = log_reader_first_in_spare(reader);
    if (reader->spare[0] == '\0')
        return;
    print_label("spare folder");
    if (first != NULL)
        printf("%s: a write failed, and the log went on there with segment %016" PRIx64 "\n",
               reader->spare, first->number);
    else
        printf("%s: the log has not gone on there\n", reader->spare);
}

static void print_text(const struct info *info)
{
    const struct log_reader *reader = &info->reader;
    const struct log_walk *walk = &info->walk;
    printf("%s\n", reader->folder);
    print_label("server");
    if (reader->is_held)
        printf("has it open: %s\n", reader->holder);
    else
        puts("none has it open");
    print_segments(info);
    print_spare(reader);
    print_label("positions");
    printf("%" PRIu64 " to %" PRIu64 ", durable up to %" PRIu64 " by its own word\n",
           reader->segments[0].number * reader->segment_bytes, walk->end_position, walk->watermark);
    print_label("time");
    output_time(stdout, first_right(reader)->header.wall_ms);
    fputs(" to ", stdout);
    uint64_t last_ms = log_reader_wall_ms(reader, (walk->end_position - 1) / reader->segment_bytes,
                                          walk->last_time_ms);
    output_time(stdout, last_ms != 0 ? last_ms : walk->last_id.ms);
    printf(", %" PRIu64 " s of them served\n",
           (walk->last_time_ms - first_right(reader)->header.log_time_ms) / 1000);
    print_label("starts");
    printf("%" PRIu64 "\n", walk->incarnation);
    print_label("last id");
    logbook_print_id(walk->last_id);
    putchar('\n');
    print_label("generation");
    printf("%" PRIu64 ", since ", info->generation.number);
    output_time(stdout, info->generation.wall_ms);
    puts(logbook_names_find(&info->names, info->generation.number) != NULL
             ? ""
             : "  (its manifest is missing: names are shown as numbers)");
    print_groups(info);
    if (walk->is_torn)
        printf("  %-*s%s\n", LABEL_COLUMNS, reader->is_held ? "being written" : "torn",
               walk->torn_reason);
}

/* ---- JSON ---- */

static void print_json(const struct info *info)
{
    const struct log_reader *reader = &info->reader;
    const struct log_walk *walk = &info->walk;
    const char *separator = "";
    printf("{\"log\":%u,\"logs\":%u,\"folder\":", reader->log_number, reader->log_count);
    output_json_text(stdout, reader->folder);
    fputs(",\"spare\":", stdout);
    output_json_text(stdout, reader->spare);
    printf(",\"held\":%s,\"holder\":", reader->is_held ? "true" : "false");
    output_json_text(stdout, reader->holder);
    printf(",\"segments\":%" PRIu32 ",\"segment_bytes\":%" PRIu32 ",\"bytes\":%" PRIu64
           ",\"first_segment\":%" PRIu64 ",\"last_segment\":%" PRIu64 ",\"wrong_headers\":%" PRIu64
           ",\"identities\":%" PRIu64 ",\"seals\":%" PRIu64,
           reader->segment_count, reader->segment_bytes, log_reader_bytes(reader),
           reader->segments[0].number, reader->segments[reader->segment_count - 1].number,
           info->wrong_headers, info->identities, info->seals);
    printf(",\"start_position\":%" PRIu64 ",\"end_position\":%" PRIu64 ",\"watermark\":%" PRIu64
           ",\"begun_ms\":%" PRIu64 ",\"log_time_ms\":%" PRIu64 ",\"incarnation\":%" PRIu64
           ",\"generation\":%" PRIu64 ",\"torn\":%s,\"last_id\":\"",
           reader->segments[0].number * reader->segment_bytes, walk->end_position, walk->watermark,
           first_right(reader)->header.wall_ms, walk->last_time_ms, walk->incarnation,
           info->generation.number, walk->is_torn && !reader->is_held ? "true" : "false");
    logbook_print_id(walk->last_id);
    fputs("\",\"groups\":[", stdout);
    for (uint32_t i = 0; i < info->groups.count; i++) {
        const struct logbook_group *group = &info->groups.items[i];
        if (group->is_destroyed)
            continue;
        printf("%s{\"destination\":", separator);
        output_json_text(stdout, group->destination_name);
        fputs(",\"group\":", stdout);
        output_json_text(stdout, group->name);
        printf(",\"waiting\":%" PRIu64 ",\"newest_settled\":\"", waiting(group));
        logbook_print_id(group->after);
        fputs("\"}", stdout);
        separator = ",";
    }
    puts("]}");
}

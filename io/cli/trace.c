/* kouan trace: the whole story of a message, or of all messages of a case. */
#include "io/cli/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/cli/output.h"

struct tracer {
    struct logbook_place place;
    struct client_settings client_settings;
    bool json;
    struct logbook_filter filter; /* an id or a key */
    struct trace *traces;         /* one a log */
    uint32_t trace_count;
    struct trace *trace; /* that is gathered */
    uint64_t gaps;
};

/* Of all logs, to be told in the order of ids. */
struct told {
    const struct trace *trace;
    const struct trace_story *story;
};

static enum cli_exit gather_all(struct tracer *tracer);
static void tell(const struct tracer *tracer);
static void free_trace(struct trace *trace);

static bool parse_arguments(int argc, char **argv, struct tracer *out, enum cli_exit *out_exit)
{
    const char *folder = NULL;
    int first;
    *out = (struct tracer){.place.command = "trace", .client_settings.command = "trace"};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(out->place),
        {.name = "journal",
         .kind = ARGUMENT_TEXT,
         .target = &folder,
         .value = "FOLDER",
         .help = "the journal, if no configuration names it"},
        CLIENT_ARGUMENTS(out->client_settings),
        {.name = "json", .target = &out->json, .help = "one JSON array, an object a message"},
    };
    const struct argument_page page = {
        .command = "trace",
        .operands = "ID|KIND:VALUE",
        .about =
            "Tells the whole story of a message, or of all messages with a key, from the\n"
            "journal: when it came, from whom and how it was read, which rules of which\n"
            "generation sent it where, and what became of it there: acknowledgements of each\n"
            "group, holds and their ends, dead letters, releases. If a server has the journal\n"
            "open and can be reached, it is asked who has what is not acknowledged yet.",
        .epilogue = "Exit code: 0, or 1 if no message has the id or key, or the journal cannot be\n"
                    "read whole.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 1,
        .operands_max = 1,
    };
    if (!arguments_parse(&page, argc, argv, &first, out_exit))
        return false;
    out->place.folder = folder;
    struct bytes what = bytes_from_text(argv[first]);
    if (logbook_parse_id(what, &out->filter.wanted_id))
        out->filter.id = argv[first];
    else if (logbook_parse_key(what, &out->filter.key_kind, &out->filter.key_value))
        out->filter.key = argv[first];
    if (out->filter.id != NULL || out->filter.key != NULL)
        return logbook_filter_parse("trace", &out->filter) == CLI_OK;
    *out_exit = arguments_fail("trace",
                               "`%s` is neither an id (1772357400123-256) nor a key "
                               "(order:SO-1)",
                               argv[first]);
    return false;
}

enum cli_exit cli_trace(int argc, char **argv)
{
    struct tracer tracer;
    struct client client;
    enum cli_exit end;
    if (!parse_arguments(argc, argv, &tracer, &end))
        return end;
    end = gather_all(&tracer);
    bool ask = tracer.client_settings.address != NULL || getenv("KOUAN_CONNECT") != NULL ||
               tracer.client_settings.name != NULL;
    bool has_client = end == CLI_OK && tracer.traces[0].reader.is_held && ask &&
                      client_open(&tracer.client_settings, &client) == CLI_OK;
    for (uint32_t i = 0; i < tracer.trace_count && has_client; i++)
        tracer.traces[i].client = &client;
    if (end == CLI_OK)
        tell(&tracer);
    if (has_client)
        client_close(&client);
    for (uint32_t i = 0; i < tracer.trace_count; i++)
        free_trace(&tracer.traces[i]);
    free(tracer.traces);
    return end == CLI_OK && tracer.gaps > 0 ? CLI_INVALID : end;
}

static void free_trace(struct trace *trace)
{
    for (uint32_t i = 0; i < trace->story_count; i++) {
        free(trace->stories[i].record);
        free(trace->stories[i].events);
    }
    free(trace->stories);
    logbook_groups_close(&trace->groups);
    logbook_names_close(&trace->names);
}

/* ---- gathering ---- */

static void *grow(void *items, uint32_t count, uint32_t *capacity, size_t item_bytes)
{
    enum { FIRST = 8 };
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? FIRST : 2 * *capacity;
    void *grown = realloc(items, *capacity * item_bytes);
    if (grown == NULL)
        abort();
    return grown;
}

static void add_event(struct trace_story *story, struct trace_event event)
{
    story->events = grow(story->events, story->event_count, &story->event_capacity, sizeof event);
    story->events[story->event_count++] = event;
}

static struct trace_story *find_story(const struct trace *trace, struct record_id id)
{
    for (uint32_t i = 0; i < trace->story_count; i++)
        if (record_id_compare(trace->stories[i].record->id, id) == 0)
            return &trace->stories[i];
    return NULL;
}

static void add_story(struct trace *trace, const struct logbook_item *item)
{
    struct trace_story story = {.position = item->position, .wall_ms = item->wall_ms};
    const struct record *record = logbook_item_message(item);
    story.record = malloc(record->head.size_bytes);
    if (story.record == NULL)
        abort();
    memcpy(story.record, record, record->head.size_bytes);
    trace->stories = grow(trace->stories, trace->story_count, &trace->story_capacity, sizeof story);
    trace->stories[trace->story_count++] = story;
}

static void take_message(struct tracer *tracer, const struct logbook_item *item)
{
    struct trace *trace = tracer->trace;
    const struct record *record = logbook_item_message(item);
    struct trace_story *story = find_story(trace, record->id);
    if (story != NULL) {
        add_event(story, (struct trace_event){.kind = TRACE_COPIED,
                                              .wall_ms = item->wall_ms,
                                              .position = item->position});
        return;
    }
    struct trace_story *origin =
        record->cause != RECORD_MESSAGE ? find_story(trace, record->origin) : NULL;
    if (origin != NULL)
        add_event(origin, (struct trace_event){.kind = TRACE_REPEATED,
                                               .wall_ms = item->wall_ms,
                                               .position = item->position,
                                               .id = record->id,
                                               .cause = (enum record_cause)record->cause});
    else if (!logbook_filter_holds(&tracer->filter, &trace->names, item))
        return;
    add_story(trace, item);
}

static void take_settled(struct trace *trace, const struct logbook_item *item)
{
    const struct fact_settled *fact = (const struct fact_settled *)(const void *)item->head;
    const struct logbook_group *group = logbook_groups_find(&trace->groups, fact->group_number);
    for (uint32_t i = 0; group != NULL && i < trace->story_count; i++) {
        struct trace_story *story = &trace->stories[i];
        enum trace_stand stand;
        const struct trace_event *event;
        if (!trace_stand(trace, story, group, &stand, &event) || event != NULL)
            continue;
        for (uint32_t r = 0; r < fact->range_count; r++) {
            const struct settled_range *range = &fact_settled_ranges(fact)[r];
            if (record_id_compare(story->record->id, range->from) >= 0 &&
                record_id_compare(story->record->id, range->to) <= 0)
                add_event(story, (struct trace_event){.kind = TRACE_SETTLED,
                                                      .how = (enum settled_how)fact->how,
                                                      .wall_ms = item->wall_ms,
                                                      .position = item->position,
                                                      .group_number = group->number});
        }
    }
}

static void take_group(struct trace *trace, const struct fact_group *fact)
{
    logbook_groups_learn(&trace->groups, &trace->names, fact);
    for (uint32_t i = 0; fact->event == GROUP_MOVED && i < trace->story_count; i++) {
        struct trace_story *story = &trace->stories[i];
        for (uint32_t e = 0; e < story->event_count; e++)
            if (story->events[e].kind == TRACE_SETTLED &&
                story->events[e].group_number == fact->number &&
                record_id_compare(story->record->id, fact->after) > 0)
                story->events[e].is_undone = true;
    }
}

static void take_hold_end(struct trace *trace, const struct logbook_item *item)
{
    char memory[LOGBOOK_NAME_BYTES];
    const struct fact_hold_end *fact = (const struct fact_hold_end *)(const void *)item->head;
    struct trace_story *story = find_story(trace, fact->id);
    if (story == NULL)
        return;
    struct trace_event event = {.kind =
                                    fact->how == HOLD_RELEASED ? TRACE_RELEASED : TRACE_REJECTED,
                                .wall_ms = item->wall_ms,
                                .position = item->position};
    snprintf(event.destination, sizeof event.destination, "%s",
             logbook_name(&trace->names, trace->names.latest, NAME_DESTINATION, fact->destination,
                          memory));
    add_event(story, event);
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct tracer *tracer = context;
    struct trace *trace = tracer->trace;
    struct logbook_item item = logbook_item_of(&trace->reader, head, position, block);
    const void *fact = head;
    switch ((enum record_kind)head->kind) {
    case RECORD_KIND_MESSAGE: take_message(tracer, &item); break;
    case RECORD_KIND_GENERATION: logbook_names_learn(&trace->names, fact); break;
    case RECORD_KIND_GROUP: take_group(trace, fact); break;
    case RECORD_KIND_SETTLED: take_settled(trace, &item); break;
    case RECORD_KIND_HOLD_END: take_hold_end(trace, &item); break;
    case RECORD_KIND_INTAKE:
    case RECORD_KIND_OUTLET:
    case RECORD_KIND_END: break;
    }
    return STATUS_OK;
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    struct tracer *tracer = context;
    tracer->gaps += gap->loses_blocks;
    fprintf(stderr, "kouan trace: positions %" PRIu64 " to %" PRIu64 " cannot be read: %s\n",
            gap->from, gap->to, gap->reason);
    return STATUS_OK;
}

/* What is told later is copied; the reader is closed then, and only what it is is looked at. */
static enum cli_exit gather(void *context, const struct log_reader *reader)
{
    struct tracer *tracer = context;
    struct log_walk walk;
    uint32_t capacity = tracer->trace_count;
    if (tracer->traces == NULL)
        tracer->traces = calloc(reader->log_count, sizeof *tracer->traces);
    if (tracer->traces == NULL || capacity >= reader->log_count)
        abort();
    struct trace *trace = tracer->trace = &tracer->traces[tracer->trace_count++];
    trace->reader = *reader;
    logbook_names_open(&trace->reader, &trace->names);
    const struct log_handler handler = {.record = take_record, .gap = take_gap, .context = tracer};
    enum status status =
        log_walk(reader, logbook_filter_first_segment(&tracer->filter, reader), &handler, &walk);
    if (status == STATUS_OK)
        return CLI_OK;
    fprintf(stderr, "kouan trace: %s\n", status_text(status));
    return CLI_INVALID;
}

static uint32_t count_stories(const struct tracer *tracer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tracer->trace_count; i++)
        count += tracer->traces[i].story_count;
    return count;
}

static enum cli_exit gather_all(struct tracer *tracer)
{
    tracer->place.without_titles = true;
    enum cli_exit end = logbook_each(&tracer->place, gather, tracer);
    if (end != CLI_OK || count_stories(tracer) > 0)
        return end;
    fprintf(stderr, "kouan trace: no message in %s has the %s ", tracer->traces[0].reader.folder,
            tracer->filter.wants_id ? "id" : "key");
    output_escaped(
        stderr, bytes_from_text(tracer->filter.wants_id ? tracer->filter.id : tracer->filter.key));
    fputc('\n', stderr);
    return CLI_INVALID;
}

/* ---- how groups stand to a message ---- */

static bool goes_to(const struct trace *trace, const struct record *record, const char *name)
{
    char memory[LOGBOOK_NAME_BYTES];
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++)
        if ((destinations[i] & RECORD_HELD) == 0 &&
            strcmp(logbook_name(&trace->names, record->generation, NAME_DESTINATION,
                                destinations[i], memory),
                   name) == 0)
            return true;
    return false;
}

bool trace_stand(const struct trace *trace, const struct trace_story *story,
                 const struct logbook_group *group, enum trace_stand *out_stand,
                 const struct trace_event **out_event)
{
    if (group->is_destroyed || !goes_to(trace, story->record, group->destination_name))
        return false;
    *out_event = NULL;
    *out_stand =
        record_id_compare(group->after, story->record->id) >= 0 ? STAND_BEHIND : STAND_OPEN;
    for (uint32_t i = 0; i < story->event_count; i++) {
        const struct trace_event *event = &story->events[i];
        if (event->kind != TRACE_SETTLED || event->group_number != group->number ||
            event->is_undone)
            continue;
        *out_event = event;
        *out_stand = STAND_SETTLED;
        break;
    }
    return true;
}

/* [[id, consumer, idle, deliveries]], or nothing. */
struct trace_pending trace_ask(const struct trace *trace, const struct trace_story *story,
                               const struct logbook_group *group)
{
    struct trace_pending pending = {0};
    char id[48];
    redisReply *reply = NULL;
    if (trace->client == NULL)
        return pending;
    snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, story->record->id.ms, story->record->id.seq);
    const struct bytes words[] = {
        BYTES_LITERAL("XPENDING"),    bytes_from_text(group->destination_name),
        bytes_from_text(group->name), bytes_from_text(id),
        bytes_from_text(id),          BYTES_LITERAL("1")};
    if (client_ask(trace->client, words, sizeof words / sizeof *words, &reply) != CLI_OK)
        return pending;
    pending.is_known = reply->type == REDIS_REPLY_ARRAY;
    if (pending.is_known && reply->elements == 1 && reply->element[0]->elements == 4) {
        redisReply **entry = reply->element[0]->element;
        pending.is_pending = true;
        snprintf(pending.consumer, sizeof pending.consumer, "%.*s", (int)entry[1]->len,
                 entry[1]->str);
        pending.idle_ms = (uint64_t)entry[2]->integer;
        pending.deliveries = (uint64_t)entry[3]->integer;
    }
    freeReplyObject(reply);
    return pending;
}

/* ---- telling ---- */

static int compare_told(const void *a, const void *b)
{
    const struct told *left = a, *right = b;
    return record_id_compare(left->story->record->id, right->story->record->id);
}

static void tell(const struct tracer *tracer)
{
    uint32_t count = 0;
    struct told *told = calloc(count_stories(tracer), sizeof *told);
    if (told == NULL)
        abort();
    for (uint32_t i = 0; i < tracer->trace_count; i++)
        for (uint32_t s = 0; s < tracer->traces[i].story_count; s++)
            told[count++] = (struct told){&tracer->traces[i], &tracer->traces[i].stories[s]};
    qsort(told, count, sizeof *told, compare_told);
    fputs(tracer->json ? "[" : "", stdout);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            fputs(tracer->json ? ",\n" : "\n", stdout);
        if (tracer->json)
            trace_print_json(told[i].trace, told[i].story);
        else
            trace_print_text(told[i].trace, told[i].story);
    }
    fputs(tracer->json ? "]\n" : "", stdout);
    free(told);
}

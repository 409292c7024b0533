/* kouan explain: how messages would be read and decided; by the server's own code, without one. */
#include "io/cli/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/cli/arguments.h"
#include "io/cli/cli.h"
#include "io/cli/input.h"
#include "routes/suggest.h"

struct explain_arguments {
    const char *config_path, *participant, *channel, *at;
    bool json;
};

static bool parse_arguments(int argc, char **argv, struct explain_arguments *out, int *out_first,
                            enum cli_exit *out_exit)
{
    const struct argument arguments[] = {
        {.letter = 'c',
         .name = "config",
         .kind = ARGUMENT_TEXT,
         .target = &out->config_path,
         .value = "FILE",
         .help = "the configuration; else the embedded defaults, which have no rules"},
        {.name = "participant",
         .kind = ARGUMENT_TEXT,
         .target = &out->participant,
         .value = "NAME",
         .help = "who sends it; else the one whose `ids` have the sender's address"},
        {.name = "channel",
         .kind = ARGUMENT_TEXT,
         .target = &out->channel,
         .value = "NAME",
         .help = "where it comes in; else the first one of the configuration"},
        {.name = "at",
         .kind = ARGUMENT_TEXT,
         .target = &out->at,
         .value = "TIME",
         .help = "when it comes in, for rules that are not always valid: 2026-12-01, or\n"
                 "2026-12-01T08:30+08:00; else now"},
        {.name = "json", .target = &out->json, .help = "one JSON array, an object a file"},
    };
    const struct argument_page page = {
        .command = "explain",
        .operands = "FILE...|-",
        .about = "Shows how messages are read, and which rules decide them: profile, identity,\n"
                 "fields, entries with their keys, the rule that matched in each table and those\n"
                 "that it beat, destinations; or why, and at which byte, it is refused. Offline.",
        .epilogue = "Exit code: 0, or 1 if one of them is refused or cannot be read.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    *out = (struct explain_arguments){0};
    return arguments_parse(&page, argc, argv, out_first, out_exit);
}

/* ---- what printing asks ---- */

const char *explain_format_name(enum format format)
{
    static const char *const names[FORMAT_COUNT] = {
        [FORMAT_EDIFACT] = "EDIFACT", [FORMAT_XML] = "XML", [FORMAT_JSON] = "JSON"};
    return names[format];
}

enum explained_identity explain_identity(const struct routing *routing)
{
    const struct reading *reading = &routing->reading;
    if (reading->profile->receipt)
        return EXPLAINED_BY_BODY_RECEIPT;
    if (reading->profile->identify == IDENTIFY_BY_BODY)
        return EXPLAINED_BY_BODY_OF_PROFILE;
    return reading_value(reading, SLOT_MESSAGE_ID).size > 0 ? EXPLAINED_BY_ID
                                                            : EXPLAINED_BY_BODY_WITHOUT_ID;
}

uint32_t explain_beaten(const struct explanation *explanation, const struct routing *routing,
                        uint16_t table, uint32_t out_rules[EXPLAIN_BEATEN_MAX])
{
    const struct rule_table *rules = explanation->generation->tables[table];
    uint32_t matched = routing->decision.matched[table], count = 0;
    if (matched == DECISION_NO_RULE)
        return 0;
    for (uint32_t i = matched + 1; i < rules->rule_count; i++) {
        if (!rule_holds(&rules->rules[i], &routing->reading, explanation->now_ms))
            continue;
        if (count < EXPLAIN_BEATEN_MAX)
            out_rules[count] = i;
        count++;
    }
    return count;
}

const struct routing *explain_find_fault(const struct explanation *explanation)
{
    for (uint32_t i = 0; i < explanation->message_count; i++)
        if (explanation->routings[i].refused && !explain_was_read(&explanation->routings[i]))
            return &explanation->routings[i];
    return NULL;
}

/* ---- deciding ---- */

struct explainer {
    const struct explain_arguments *arguments;
    const struct config *config;
    struct router *router;
    const struct participant *participant; /* NULL: found by the sender */
    const struct channel *channel;
    uint64_t now_ms;
};

static void decide(const struct explainer *explainer, const struct participant *participant,
                   struct explanation *out)
{
    const struct generation *generation = explainer->config->generation;
    out->participant = participant;
    out->arrival = (struct arrival){
        .body = out->body, .channel = explainer->channel, .participant = participant};
    out->now_ms = explainer->now_ms;
    router_decide(explainer->router, generation, &out->arrival, 1, out->now_ms, out->routings,
                  &out->message_count);
    const struct routing *refused = routing_find_refused(out->routings);
    out->refused = refused != NULL;
    if (refused == NULL)
        return;
    out->refusal = refused->refusal;
    routing_describe_refusal(refused, out->reason, sizeof out->reason);
}

/* Who would most likely have sent it: the participant whose address it bears. */
static const struct participant *find_sender(const struct explainer *explainer,
                                             const struct explanation *explanation)
{
    const struct generation *generation = explainer->config->generation;
    if (explainer->participant != NULL || generation->open ||
        !explain_was_read(&explanation->routings[0]))
        return NULL;
    struct bytes sender = reading_value(&explanation->routings[0].reading, SLOT_SENDER);
    return sender.size > 0 ? participant_by_address(&generation->directory, sender) : NULL;
}

/* What the front door sees to before the router, and so before anything else is said. */
static void apply_rights(const struct explainer *explainer, struct explanation *out)
{
    const struct generation *generation = explainer->config->generation;
    bool is_known = explainer->participant != NULL || out->found_by_sender;
    if (generation->open || !is_known ||
        participant_may_publish(out->participant, explainer->channel->index))
        return;
    out->refused = true;
    out->refusal = REFUSAL_NO_PERMISSION;
    snprintf(out->reason, sizeof out->reason,
             "participant %s may not publish to the channel %s (its `publish`)",
             out->participant->name, explainer->channel->name);
}

/* Of a message that could not be read whole, the profile that knows its beginning. */
static const struct profile *find_profile(const struct explainer *explainer,
                                          const struct routing *routing,
                                          const struct edifact_part *part)
{
    const struct profile_set *set = &explainer->config->generation->profiles;
    const uint64_t *allowed = explainer->channel->profiles;
    const struct profile *profile = NULL;
    struct bytes body = routing->arrival->body;
    struct scan_fault fault;
    if (explain_was_read(routing))
        return routing->reading.profile;
    if (routing->fault.reason == SCAN_UNKNOWN_PROFILE)
        return NULL;
    enum status status = part != NULL
                             ? read_recognise_part(set, allowed, 0, body, part, &profile, &fault)
                             : read_recognise(set, allowed, body, &profile, &fault);
    return status == STATUS_OK ? profile : NULL;
}

static void find_profiles(const struct explainer *explainer, struct explanation *out)
{
    struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct scan_fault fault;
    uint32_t count = out->message_count > 1 ? read_split(out->body, parts, &fault) : 0;
    for (uint32_t i = 0; i < out->message_count; i++)
        out->profiles[i] = find_profile(explainer, &out->routings[i], i < count ? &parts[i] : NULL);
}

static void explain(const struct explainer *explainer, const char *path, struct bytes body,
                    struct explanation *out)
{
    const struct generation *generation = explainer->config->generation;
    *out = (struct explanation){.path = path, .generation = generation, .body = body};
    if (body.size > explainer->config->options.message_max) {
        out->refused = true;
        out->refusal = REFUSAL_TOO_BIG;
        out->participant = generation->directory.participants[0];
        snprintf(out->reason, sizeof out->reason, "message_max is %llu bytes",
                 (unsigned long long)explainer->config->options.message_max);
        return;
    }
    decide(explainer,
           explainer->participant != NULL ? explainer->participant
                                          : generation->directory.participants[0],
           out);
    const struct participant *sender = find_sender(explainer, out);
    if (sender != NULL) {
        decide(explainer, sender, out);
        out->found_by_sender = true;
    }
    apply_rights(explainer, out);
    find_profiles(explainer, out);
}

/* ---- the files ---- */

/* True if it would have been accepted. What is shown is parted from what was shown before. */
static bool explain_file(const struct explainer *explainer, const char *path, bool *any_shown)
{
    enum { BYTES_MAX = 64 * 1024 * 1024 };
    bool json = explainer->arguments->json;
    struct input input;
    struct input_body body;
    if (!input_open(path, &input)) {
        fprintf(stderr, "kouan explain: cannot open %s: %s\n", path, strerror(errno));
        return false;
    }
    enum status status = input_read(&input, BYTES_MAX, &body);
    input_close(&input);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan explain: cannot read %s: %s\n", path, status_text(status));
        return false;
    }
    struct explanation *explanation = malloc(sizeof *explanation);
    if (explanation == NULL)
        abort();
    explain(explainer, strcmp(path, "-") == 0 ? "(stdin)" : path, body.content, explanation);
    if (*any_shown)
        fputs(json ? ",\n" : "\n", stdout);
    *any_shown = true;
    if (json)
        explain_print_json(explanation);
    else
        explain_print_text(explanation);
    bool accepted = !explanation->refused;
    free(explanation);
    free(body.memory);
    return accepted;
}

static bool explain_all(const struct explainer *explainer, char **paths, int count)
{
    bool all_accepted = true, any_shown = false;
    if (explainer->arguments->json)
        fputs("[", stdout);
    for (int i = 0; i < count; i++)
        all_accepted = explain_file(explainer, paths[i], &any_shown) && all_accepted;
    if (explainer->arguments->json)
        fputs("]\n", stdout);
    return all_accepted;
}

/* ---- the names in the arguments ---- */

static void report_unknown(const char *kind, const char *name, const char *const *names,
                           size_t count)
{
    const char *near = suggest_name(bytes_from_text(name), names, count);
    fprintf(stderr, "kouan explain: there is no %s `%s`", kind, name);
    if (near != NULL)
        fprintf(stderr, "; did you mean `%s`?", near);
    fputc('\n', stderr);
}

static bool find_participant(struct explainer *explainer)
{
    const struct participant_directory *directory = &explainer->config->generation->directory;
    const char *name = explainer->arguments->participant;
    const char *names[PARTICIPANTS_MAX];
    if (name == NULL)
        return true;
    explainer->participant = participant_find(directory, bytes_from_text(name));
    for (uint16_t i = 0; i < directory->count; i++)
        names[i] = directory->participants[i]->name;
    if (explainer->participant == NULL)
        report_unknown("participant", name, names, directory->count);
    return explainer->participant != NULL;
}

static bool find_channel(struct explainer *explainer)
{
    const struct generation *generation = explainer->config->generation;
    const char *name = explainer->arguments->channel;
    const char *names[CHANNELS_MAX];
    explainer->channel = generation->channels[0];
    if (name == NULL)
        return true;
    explainer->channel = generation_channel(generation, bytes_from_text(name));
    for (uint16_t i = 0; i < generation->channel_count; i++)
        names[i] = generation->channels[i]->name;
    if (explainer->channel == NULL)
        report_unknown("channel", name, names, generation->channel_count);
    return explainer->channel != NULL;
}

static bool find_time(struct explainer *explainer)
{
    const char *at = explainer->arguments->at;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    explainer->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (at == NULL || rule_time_parse(bytes_from_text(at), &explainer->now_ms) == RULE_TIME_RIGHT)
        return true;
    fprintf(stderr, "kouan explain: `%s` is no time; write 2026-12-01, or 2026-12-01T08:30+08:00\n",
            at);
    return false;
}

static struct config *load(const char *path)
{
    struct diagnostics diagnostics;
    struct config *config = NULL;
    diagnostics_init(&diagnostics);
    enum status status = config_load(path, &config, &diagnostics);
    if (status != STATUS_OK) {
        diagnostics_print(&diagnostics, stderr);
        fprintf(stderr, "kouan explain: the configuration has errors\n");
    }
    diagnostics_deinit(&diagnostics);
    return config;
}

enum cli_exit cli_explain(int argc, char **argv)
{
    /* Digests are shown to nobody here, so any secret will do. */
    static const struct digest_secret secret = {.bytes = {1}};
    struct explain_arguments arguments;
    int first;
    enum cli_exit exit_code;
    if (!parse_arguments(argc, argv, &arguments, &first, &exit_code))
        return exit_code;
    struct config *config = load(arguments.config_path);
    if (config == NULL)
        return CLI_INVALID;
    struct explainer explainer = {.arguments = &arguments, .config = config};
    exit_code = CLI_INVALID;
    if (!find_participant(&explainer) || !find_channel(&explainer) || !find_time(&explainer))
        goto end;
    enum status status =
        router_open(&secret, (uint16_t)config->options.entries_max, &explainer.router);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan explain: %s\n", status_text(status));
        goto end;
    }
    if (explain_all(&explainer, argv + first, argc - first))
        exit_code = CLI_OK;
    router_close(explainer.router);
end:
    config_free(config);
    return exit_code;
}

#include "bench/race/race_options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/command.h"
#include "bench/stop.h"

enum {
    DEFAULT_SECONDS = 5,
    DEFAULT_PAIRS = 3,
    SECONDS_MAX = 3600,
    MESSAGES_MAX = 20 * 1000 * 1000,
    IN_FLIGHT_MAX = 65536,
    RULES_MAX = 100000,
    REPLAYS_MAX = 90,
    WINDOW_MAX = 200 * 1000 * 1000,
    SHARDS_MAX = 64
};

enum race_option {
    OPTION_FIRST = 256,
#define X(name, text, argument, help) OPTION_##name,
    RACE_OPTION_LIST(X)
#undef X
};

static const char *const syncs[] = {"memory", "commit", NULL};

static void print_indented(const char *help, int column)
{
    for (const char *at = help; *at != '\0'; at++) {
        putchar(*at);
        if (*at == '\n')
            printf("%*s", column, "");
    }
    putchar('\n');
}

void race_options_print(void)
{
    puts("\noptions (defaults are those of `wire`; a scenario has its own):");
#define X(name, text, argument, help)                                                              \
    printf("  --%-13s %-13s ", text, argument);                                                    \
    print_indented(help, 31);
    RACE_OPTION_LIST(X)
#undef X
    puts("\nscenarios:");
    for (uint32_t i = 0; i < scenario_count; i++) {
        printf("  %-15s ", scenarios[i].name);
        print_indented(scenarios[i].help, 18);
    }
    puts("\n--against takes names with commas between them:");
    for (uint32_t i = 1; i < peer_count; i++) {
        struct scenario memory = {0}, durable = {.is_durable = true};
        const char *in_memory = peers[i]->durability(&memory);
        const char *on_disk = peers[i]->durability(&durable);
        printf("  %-15s %s\n", peers[i]->name, in_memory);
        if (strcmp(in_memory, on_disk) != 0)
            printf("  %-15s on disk: %s\n", "", on_disk);
    }
}

static bool take_number(const char *name, uint64_t least, uint64_t most, uint32_t *out_number)
{
    uint64_t number;
    if (!option_number(name, optarg, least, most, &number))
        return false;
    *out_number = (uint32_t)number;
    return true;
}

static bool take_against(struct race_settings *race, const char *text)
{
    for (const char *at = text; *at != '\0';) {
        char name[32];
        const char *end = strchrnul(at, ',');
        snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
        const struct peer *peer = peer_find(name);
        if (peer == NULL || peer == peers[0]) {
            fprintf(stderr, "kouan-bench: --against: `%s` is not one of:", name);
            for (uint32_t i = 1; i < peer_count; i++)
                fprintf(stderr, " %s", peers[i]->name);
            fputc('\n', stderr);
            return false;
        }
        if (!peer_is_installed(peer))
            return false;
        if (race->side_count == RACE_SIDES_MAX)
            return false;
        race->sides[race->side_count++] = peer;
        at = *end == ',' ? end + 1 : end;
    }
    return true;
}

/* What a scenario varies, and the command line sets, it does not vary any more. */
static void fix_axis(struct scenario *scenario, enum scenario_axis axis)
{
    if (scenario->axis == axis)
        scenario->axis = AXIS_NONE;
}

static bool take_shape(struct scenario *scenario, int option)
{
    uint32_t choice;
    switch (option) {
    case OPTION_size:
        if (scenario->mix != MIX_EVENTS) {
            fprintf(stderr, "kouan-bench: --size: the messages of %s have sizes of their own\n",
                    scenario->name);
            return false;
        }
        return take_number("size", DAY_EVENT_BYTES_MIN, DAY_EVENT_BYTES_MAX,
                           &scenario->event_bytes);
    case OPTION_connections:
        fix_axis(scenario, AXIS_CONNECTIONS);
        return take_number("connections", 1, SCENARIO_CONNECTIONS_MAX, &scenario->connection_count);
    case OPTION_in_flight: return take_number("in-flight", 1, IN_FLIGHT_MAX, &scenario->in_flight);
    case OPTION_destinations:
        fix_axis(scenario, AXIS_DESTINATIONS);
        return take_number("destinations", 1, SCENARIO_DESTINATIONS_MAX,
                           &scenario->destination_count);
    case OPTION_consumers:
        return take_number("consumers", 1, SCENARIO_CONSUMERS_MAX, &scenario->consumer_count);
    case OPTION_rules:
        fix_axis(scenario, AXIS_RULES);
        return take_number("rules", 0, RULES_MAX, &scenario->rule_count);
    case OPTION_replays: return take_number("replays", 0, REPLAYS_MAX, &scenario->replay_percent);
    case OPTION_window:
        fix_axis(scenario, AXIS_WINDOW);
        if (!take_number("window", 2048, WINDOW_MAX, &scenario->prefill_count))
            return false;
        scenario->window_entries = scenario->prefill_count;
        return true;
    case OPTION_shards:
        fix_axis(scenario, AXIS_SHARDS);
        return take_number("shards", 1, SHARDS_MAX, &scenario->shard_count);
    case OPTION_sync:
        if (!option_choice("sync", optarg, syncs, &choice))
            return false;
        scenario->is_durable = choice == 1;
        return true;
    case OPTION_unix_sockets: scenario->is_over_unix = true; return true;
    default: return false;
    }
}

static bool take_option(struct race_options *options, int option)
{
    struct race_settings *race = &options->race;
    uint32_t seconds;
    switch (option) {
    case OPTION_seconds:
        if (!take_number("seconds", 1, SECONDS_MAX, &seconds))
            return false;
        race->seconds = seconds;
        return true;
    case OPTION_messages: return take_number("messages", 1, MESSAGES_MAX, &race->message_count);
    case OPTION_pairs: return take_number("pairs", 1, RACE_PAIRS_MAX, &race->pair_count);
    case OPTION_rate: return option_number("rate", optarg, 1, UINT32_MAX, &race->rate);
    case OPTION_against: return take_against(race, optarg);
    case OPTION_folder: race->peer.folder = optarg; return true;
    case OPTION_kouan: return snprintf(options->kouan, sizeof options->kouan, "%s", optarg) > 0;
    case OPTION_seed: return option_number("seed", optarg, 0, UINT32_MAX, &race->seed);
    case OPTION_json: options->prints_json = true; return true;
    case OPTION_smoke: race->is_smoke = true; return true;
    default: return take_shape(&options->scenario, option);
    }
}

/* What goes to several destinations goes there by a rule; what is sent at once fits what may be
 * without receipts; more connections than a day has streams carry events only. */
static bool settle(struct race_options *options)
{
    struct scenario *scenario = &options->scenario;
    if (scenario->destination_count > 1 && scenario->rule_count == 0)
        scenario->rule_count = 1;
    if (scenario->burst > scenario->in_flight)
        scenario->burst = scenario->in_flight;
    if (options->race.is_smoke)
        options->race.pair_count = 1;
    if ((scenario->has_far_group || scenario->has_reloads) && options->race.side_count > 1) {
        fprintf(stderr, "kouan-bench: --against: %s is Kouan beside itself\n", scenario->name);
        return false;
    }
    if (scenario->has_reloads && !scenario->is_durable) {
        fputs("kouan-bench: --sync: reloads are asked for by the socket beside the journal\n",
              stderr);
        return false;
    }
    if (scenario->has_far_group || scenario->has_reloads)
        options->race.sides[options->race.side_count++] =
            scenario->has_far_group ? &peer_read_far : &peer_reloaded;
    for (uint32_t i = 0; i < options->race.side_count && scenario->is_over_unix; i++)
        if (!options->race.sides[i]->has_unix) {
            fprintf(stderr, "kouan-bench: --unix: %s has no Unix sockets\n",
                    options->race.sides[i]->name);
            return false;
        }
    if (scenario->connection_count > DAY_STREAMS_MAX &&
        (scenario->mix != MIX_EVENTS || scenario->replay_percent > 0)) {
        fprintf(stderr,
                "kouan-bench: --connections: more than %d only of scenarios of events without "
                "replays\n",
                DAY_STREAMS_MAX);
        return false;
    }
    return true;
}

static bool take_scenario(const char *name, struct scenario *scenario)
{
    if (scenario_find(name, scenario))
        return true;
    fprintf(stderr, "kouan-bench: there is no scenario `%s`; there are:", name);
    for (uint32_t i = 0; i < scenario_count; i++)
        fprintf(stderr, " %s", scenarios[i].name);
    fputc('\n', stderr);
    return false;
}

bool race_options_parse(int argc, char **argv, const char *about, struct race_options *options,
                        int *out_code)
{
    static const struct option long_options[] = {
#define X(name, text, argument, help) {text, argument[0] != '\0', NULL, OPTION_##name},
        RACE_OPTION_LIST(X)
#undef X
            {0}};
    *options = (struct race_options){.race = {.sides = {peers[0]},
                                              .side_count = 1,
                                              .pair_count = DEFAULT_PAIRS,
                                              .seconds = DEFAULT_SECONDS,
                                              .seed = 1,
                                              .tells_runs = isatty(STDERR_FILENO)}};
    *out_code = EXIT_USAGE;
    bool wants_help = argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (argc < 2 || wants_help) {
        fputs(about, stdout);
        race_options_print();
        *out_code = wants_help ? EXIT_OK : EXIT_USAGE;
        return false;
    }
    server_find_kouan(options->kouan, sizeof options->kouan);
    if (!take_scenario(argv[1], &options->scenario))
        return false;
    optind = 2;
    for (int option; (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1;) {
        if (option == OPTION_help || option == 'h') {
            fputs(about, stdout);
            race_options_print();
            *out_code = EXIT_OK;
            return false;
        }
        if (!take_option(options, option))
            return false;
    }
    if (optind < argc) {
        fprintf(stderr, "kouan-bench: `%s` is too much: one scenario at a time\n", argv[optind]);
        return false;
    }
    options->race.peer.kouan = options->kouan;
    options->race.stop = stop_install();
    return settle(options);
}

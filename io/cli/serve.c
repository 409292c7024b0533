/* kouan serve: the server. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cli/arguments.h"
#include "io/cli/cli.h"
#include "io/cli/progress.h"
#include "io/shard/report.h"
#include "io/shard/server.h"

struct serve_arguments {
    const char *config_path, *listen, *journal;
    bool plaintext;
    uint32_t test_delay_turns;
    uint64_t test_delay_seed;
    uint64_t shards;
};

static void print_options(const char *title, const struct option_row *row)
{
    printf("\n%s:\n\n", title);
    for (; row->name != NULL; row++)
        printf("  %-28s %s\n  %-28s default %" PRIu64 ", from %" PRIu64 " to %" PRIu64 " %s\n",
               row->name, row->help, "", row->initial, row->min, row->max,
               option_unit_name(row->unit));
}

static bool parse_delay(const char *text, struct serve_arguments *out)
{
    char *end;
    unsigned long turns = strtoul(text, &end, 10);
    if (end == text || turns > 1000)
        return false;
    out->test_delay_turns = (uint32_t)turns;
    out->test_delay_seed = 1;
    if (*end == ':')
        out->test_delay_seed = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

static bool parse_shards(const char *text, struct serve_arguments *out)
{
    return bytes_parse_u64(bytes_from_text(text), &out->shards) && out->shards >= 1 &&
           out->shards <= MESH_SHARDS_MAX;
}

static bool parse_arguments(int argc, char **argv, struct serve_arguments *out,
                            enum cli_exit *out_exit)
{
    const char *test_delay = NULL, *shards = NULL;
    bool options = false;
    *out = (struct serve_arguments){0};
    const struct argument arguments[] = {
        {.letter = 'c',
         .name = "config",
         .kind = ARGUMENT_TEXT,
         .target = &out->config_path,
         .value = "FILE",
         .help = "the configuration; without it embedded defaults are used:\n"
                 "127.0.0.1:7400, all shipped profiles, channel `in`, destination\n"
                 "and group `all`, a journal in ./kouan-journal"},
        {.name = "listen",
         .kind = ARGUMENT_TEXT,
         .target = &out->listen,
         .value = "ADDRESS",
         .help = "instead of the configuration's: 127.0.0.1:7400, [::1]:0,\n"
                 "unix:/run/kouan.sock; port 0 lets the system choose"},
        {.name = "journal",
         .kind = ARGUMENT_TEXT,
         .target = &out->journal,
         .value = "FOLDER",
         .help = "instead of the configuration's; made if it is not there"},
        {.name = "shards",
         .kind = ARGUMENT_TEXT,
         .target = &shards,
         .value = "N",
         .help = "instead of the configuration's, 1 to 64; what bounds the server\n"
                 "as a whole is divided among them"},
        {.name = "options",
         .target = &options,
         .help = "list the options of the configuration file, with their ranges"},
        {.name = "test-delay",
         .kind = ARGUMENT_TEXT,
         .target = &test_delay,
         .value = "N[:SEED]",
         .help = "for tests: claims and commits wait up to N turns at random"},
    };
    const struct argument_page page = {
        .command = "serve",
        .operands = "",
        .about = "Runs the server. SIGTERM and SIGINT end it: it finishes what it has, answers, "
                 "and\nexits with 0. SIGHUP has it load its configuration, as `kouan reload` does.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
    };
    int first;
    if (!arguments_parse(&page, argc, argv, &first, out_exit))
        return false;
    if (options) {
        print_options("Of the server, `name: value`", option_rows);
        print_options("Of a destination, or under `defaults`", destination_option_rows);
        *out_exit = CLI_OK;
        return false;
    }
    if (test_delay != NULL && !parse_delay(test_delay, out)) {
        *out_exit = arguments_fail("serve", "--test-delay N[:SEED], N up to 1000");
        return false;
    }
    if (shards != NULL && !parse_shards(shards, out)) {
        *out_exit = arguments_fail("serve", "--shards N, N from 1 to 64");
        return false;
    }
    return true;
}

/* A signal handler has no argument: whom it stops. Set once, before the signals are on. */
static struct server *signalled;

static void on_signal(int number)
{
    if (number == SIGHUP)
        server_reload(signalled);
    else
        server_stop(signalled);
}

/* Whoever changes a file while a server starts is heard when it has started; all threads are as the
 * first one, which alone hears. */
static void hold_reload(int how)
{
    sigset_t reload;
    sigemptyset(&reload);
    sigaddset(&reload, SIGHUP);
    pthread_sigmask(how, &reload, NULL);
}

static void watch_signals(struct server *server)
{
    signalled = server;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    hold_reload(SIG_UNBLOCK);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past a limit fails, and is told of */
}

/* It ends already, and soon there is no server to tell. */
static void ignore_signals(void)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

static struct config *load(const struct serve_arguments *arguments)
{
    struct diagnostics diagnostics;
    struct config *config = NULL;
    diagnostics_init(&diagnostics);
    enum status status = config_load_sharded(arguments->config_path, (uint16_t)arguments->shards,
                                             &config, &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    if (status != STATUS_OK)
        fprintf(stderr, "kouan serve: %u error%s; nothing was started\n", diagnostics.error_count,
                diagnostics.error_count == 1 ? "" : "s");
    diagnostics_deinit(&diagnostics);
    if (config != NULL && arguments->listen != NULL) {
        config->listen[0] = arguments->listen;
        config->listen_count = 1;
        config->has_given_listen = true;
    }
    if (config != NULL && arguments->journal != NULL) {
        config->journal_path = arguments->journal;
        config->has_given_journal = true;
    }
    return config;
}

static bool listens_locally(const struct config *config)
{
    struct address address;
    char problem[256];
    for (uint16_t i = 0; i < config->listen_count; i++) {
        if (address_parse(config->listen[i], &address, problem, sizeof problem) != STATUS_OK) {
            fprintf(stderr, "kouan serve: %s\n", problem);
            return false;
        }
        if (!address_is_local(&address) && !config->plaintext) {
            fprintf(stderr,
                    "kouan serve: %s is not loopback, and what crosses it is not encrypted; say "
                    "`plaintext: yes` in the configuration if the network is trusted\n",
                    config->listen[i]);
            return false;
        }
    }
    return true;
}

/* ---- what is read at the start ---- */

static void draw_recovery(void *context, const struct recover_figures *figures)
{
    struct progress *progress = context;
    progress->total_bytes = figures->total_bytes;
    progress->bytes = figures->bytes;
    progress->accepted = figures->messages + figures->identities;
    progress_draw(progress);
}

/* Each log has all groups. */
static uint64_t count_groups(const struct shard *shard)
{
    uint64_t count = 0;
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        count += shard->outlets[d].group_count;
    return count;
}

static void print_torn(const struct shard *shard)
{
    const struct recover_figures *figures = &shard->log.recovered;
    if (figures->torn_bytes > 0)
        fprintf(stderr,
                "a torn end of %" PRIu64 " bytes was cut off (%s); nothing that had a receipt is "
                "lost\n",
                figures->torn_bytes, figures->torn_reason);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* All logs are read at the same time. */
static void print_recovery(const struct server *server)
{
    struct recover_figures sum = {0};
    uint64_t held = 0, groups = count_groups(server_shard(server, 0));
    for (uint16_t i = 0; i < server_shard_count(server); i++) {
        const struct shard *shard = server_shard(server, i);
        const struct recover_figures *figures = &shard->log.recovered;
        sum.segments += figures->segments;
        sum.skipped_segments += figures->skipped_segments;
        sum.messages += figures->messages;
        sum.bytes += figures->bytes;
        sum.identities += figures->identities;
        if (figures->elapsed_ns > sum.elapsed_ns)
            sum.elapsed_ns = figures->elapsed_ns;
        held += shard->holds.live;
    }
    double seconds = (double)sum.elapsed_ns / 1e9;
    if (sum.segments == 0)
        return;
    fprintf(stderr,
            "recovered in %.2f s: %" PRIu64 " message%s of %.3f GB (%.2f GB/s), %" PRIu64
            " group%s, %" PRIu64 " identit%s, %" PRIu64 " held; %" PRIu64 " of %" PRIu64
            " segment%s needed no reading\n",
            seconds, sum.messages, plural(sum.messages), (double)sum.bytes / 1e9,
            seconds > 0 ? (double)sum.bytes / 1e9 / seconds : 0, groups, plural(groups),
            sum.identities, sum.identities == 1 ? "y" : "ies", held, sum.skipped_segments,
            sum.segments, plural(sum.segments));
    for (uint16_t i = 0; i < server_shard_count(server); i++)
        print_torn(server_shard(server, i));
}

/* ---- start and end ---- */

static void print_log(const struct shard_log *log, const struct config *config)
{
    if (!log->is_on_disk) {
        fprintf(stderr, "sync: memory (messages do not survive the process)\n");
        return;
    }
    fprintf(stderr, "sync: commit (a receipt says that the message is on disk), journal %s%s\n",
            config->journal_path,
            log->disk.pair.disk.mode != DISK_MODE_PLAIN ? "" : " (no O_DIRECT there: slower)");
    if (log_disk_has_moved(&log->disk))
        fprintf(stderr,
                "kouan: ALARM: a write to the journal failed earlier, and it goes on in its spare "
                "folder %s; the next write that fails ends the server\n",
                log->folders->spare_path);
    else if (log_disk_has_spare(&log->disk))
        fprintf(stderr, "when a write to it fails it goes on in the spare folder %s\n",
                log->folders->spare_path);
}

static void print_start(const struct server *server)
{
    const struct shard *shard = server_shard(server, 0);
    uint16_t shards = server_shard_count(server);
    const struct generation *generation = shard->generation;
    fprintf(stderr,
            "kouan " KOUAN_VERSION ": generation %" PRIu64 ", %u profiles, %u table%s, %u "
            "destination%s, %u participant%s%s\n",
            generation->number, generation->profiles.count, generation->table_count,
            generation->table_count == 1 ? "" : "s", generation->destination_count,
            generation->destination_count == 1 ? "" : "s", generation->directory.count - 1,
            generation->directory.count == 2 ? "" : "s",
            generation->open ? " (open: anyone who connects may do all)" : "");
    print_log(&shard->log, shard->config);
    if (shards > 1)
        fprintf(stderr, "%u shards, each a thread with a log of its own\n", shards);
    for (uint16_t i = 0; i < shard->listener_count; i++)
        fprintf(stderr, "%s %s\n", i < shard->config->listen_count ? "listening on" : "control by",
                listener_address_text(shard->listeners[i]));
}

static void print_end(const struct server *server)
{
    enum { REPORT_BYTES = 1024 * 1024 };
    char *memory = malloc(REPORT_BYTES);
    if (memory == NULL)
        return;
    struct text text;
    text_init(&text, memory, REPORT_BYTES);
    struct books books = report_books(server_shard(server, 0));
    for (uint16_t i = 1; i < server_shard_count(server); i++)
        books_add(&books, server_shard(server, i));
    report_ledger(&books, &text);
    fprintf(stderr, "stopped\n%s", text.data);
    free(memory);
}

enum cli_exit cli_serve(int argc, char **argv)
{
    struct serve_arguments arguments;
    enum cli_exit exit_code;
    if (!parse_arguments(argc, argv, &arguments, &exit_code))
        return exit_code;
    hold_reload(SIG_BLOCK);
    struct config *config = load(&arguments);
    if (config == NULL)
        return CLI_INVALID;
    exit_code = CLI_INVALID;
    struct server *server;
    struct progress progress;
    char problem[1024] = "";
    const struct server_settings settings = {
        .config = config,
        .test_delay_turns = arguments.test_delay_turns,
        .test_delay_seed = arguments.test_delay_seed,
        .recovering = draw_recovery,
        .context = &progress,
    };
    if (!listens_locally(config))
        goto end;
    progress_start(&progress, 0, false);
    enum status status = server_open(&settings, &server, problem, sizeof problem);
    progress_hide(&progress);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan serve: %s\n", problem);
        goto end;
    }
    watch_signals(server);
    print_recovery(server);
    print_start(server);
    bool is_whole = server_run(server);
    ignore_signals();
    if (is_whole)
        print_end(server);
    else
        fprintf(stderr, "kouan serve: %s\n", server_failure(server));
    server_close(server);
    exit_code = is_whole ? CLI_OK : CLI_INVALID;
end:
    config_free(config);
    return exit_code;
}

#include "bench/race/race.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/command.h"
#include "bench/race/far_reader.h"
#include "bench/race/race_figures.h"
#include "bench/race/race_text.h"
#include "bench/race/reloader.h"

enum {
    PATIENCE_MS = 20 * 1000,
    WARM_UP_MESSAGES = 60000,
    MESSAGES_LEAST = 1000, /* of a run */
    MESSAGES_MOST = 20 * 1000 * 1000,
    PREFILL_AT_ONCE = 2 * 1000 * 1000,
    SMOKE_MESSAGES = 2000,
    SMOKE_PREFILL = 4000,
    IDLE_MS = 250, /* each look at the idle machine */
    DISK_PAGE_BYTES = 4096,
    DISK_MS = 500, /* each look at the disk */
    MS_NS = 1000 * 1000
};

static int start_all(struct race *race);
static int warm_up(struct race *race, struct race_side *side);
static int run_pair(struct race *race, uint32_t pair);
static int look_at_disk(struct race *race);

int race_run(const struct race_settings *settings, struct race *race)
{
    *race = (struct race){.settings = settings,
                          .scenario = *settings->peer.scenario,
                          .side_count = settings->side_count,
                          .probe = {.folder_file = -1, .file = -1},
                          .next_seed = settings->seed,
                          .rate = settings->rate};
    int code = start_all(race);
    for (uint32_t i = 0; i < race->side_count && code == EXIT_OK; i++)
        code = warm_up(race, &race->sides[i]);
    if (settings->tells_runs && code == EXIT_OK)
        race_text_print_heading(stderr);
    for (uint32_t pair = 0; pair < settings->pair_count && code == EXIT_OK; pair++) {
        code = run_pair(race, pair);
        if (code == EXIT_OK)
            code = look_at_disk(race);
    }
    if (code == EXIT_OK)
        race_figures_finish(race);
    return code;
}

void race_close(struct race *race)
{
    for (uint32_t i = 0; i < race->side_count; i++)
        server_stop(&race->sides[i].server);
    disk_probe_close(&race->probe);
}

const struct histogram *race_side_latency(const struct race_side *side)
{
    return side->peer->promise.has_receipts ? &side->receipt_ns : &side->delivery_ns;
}

/* ---- Servers and the disk -------------------------------------------------------------------- */

static bool looks_at_disk(const struct race *race)
{
    return race->scenario.is_durable && !race->settings->is_smoke;
}

static int start_all(struct race *race)
{
    const struct race_settings *settings = race->settings;
    for (uint32_t i = 0; i < race->side_count; i++) {
        struct race_side *side = &race->sides[i];
        side->peer = settings->sides[i];
        if (side->peer->start(&settings->peer, &side->server) != STATUS_OK) {
            fprintf(stderr, "kouan-bench: `%s` did not start\n",
                    side->peer->program != NULL ? side->peer->program : settings->peer.kouan);
            return EXIT_UNREACHABLE;
        }
    }
    const char *folder = settings->peer.folder != NULL ? settings->peer.folder : "/tmp";
    bool opened =
        !looks_at_disk(race) || (disk_probe_open(&race->probe, folder) &&
                                 disk_probe_make_file(&race->probe, race->probe.disk.disk.mode));
    return opened ? EXIT_OK : EXIT_UNREACHABLE;
}

/* What a small durable write takes on this disk, in this run. */
static int look_at_disk(struct race *race)
{
    static struct disk_probe_result result;
    const struct disk_probe_settings page = {
        .block_bytes = DISK_PAGE_BYTES, .in_flight = 1, .milliseconds = DISK_MS};
    if (!looks_at_disk(race) || *race->settings->stop)
        return EXIT_OK;
    if (!disk_probe_run(&race->probe, &page, &result))
        return EXIT_FINDINGS;
    histogram_merge(&race->disk_ns, &result.times);
    return EXIT_OK;
}

/* ---- One run --------------------------------------------------------------------------------- */

/* What the machine does by itself, in nanoseconds of CPU time a nanosecond. */
static double look_at_idle_machine(const struct race *race)
{
    if (race->settings->is_smoke)
        return 0;
    struct timespec pause = {.tv_nsec = (long)IDLE_MS * MS_NS};
    struct usage before = usage_now(0);
    nanosleep(&pause, NULL);
    struct usage spent = usage_between(before, usage_now(0));
    double busy_ns = (double)spent.machine_ns - (double)spent.client_ns;
    return busy_ns > 0 ? busy_ns / ((double)IDLE_MS * MS_NS) : 0;
}

static int judge(const struct race *race, const struct race_side *side, struct proof *proof,
                 enum status status, const struct client_result *result)
{
    const char *name = side->peer->name;
    if (result->is_interrupted || *race->settings->stop)
        return EXIT_STOPPED;
    if (status != STATUS_OK)
        fprintf(stderr, "kouan-bench: %s: %s\n", name, result->problem);
    if (result->is_out_of_patience)
        fprintf(stderr, "kouan-bench: %s: no progress for %d s\n", name, PATIENCE_MS / 1000);
    uint64_t findings = proof_finish(proof);
    if (findings > 0) {
        fprintf(stderr, "kouan-bench: %s: %lu findings:\n", name, (unsigned long)findings);
        findings_print(&proof->findings, stderr);
    }
    if (status == STATUS_IO && proof->answered_count == 0)
        return EXIT_UNREACHABLE;
    bool is_good = status == STATUS_OK && !result->is_out_of_patience && findings == 0;
    return is_good ? EXIT_OK : EXIT_FINDINGS;
}

static enum status run_read_far(const struct race_side *side,
                                const struct client_settings *settings,
                                struct client_result *out_result)
{
    struct far_reader *reader = NULL;
    char destination[DESTINATION_NAME_BYTES];
    peer_name_destination(0, destination);
    enum status status = far_reader_start(settings->address, destination, PEER_FAR_GROUP, &reader);
    if (status == STATUS_OK) {
        status = side->peer->client->run(settings, out_result);
        enum status read = far_reader_stop(reader, &out_result->far_bytes);
        if (read == STATUS_OK)
            return status;
        status = read;
    }
    snprintf(out_result->problem, sizeof out_result->problem, "reading far behind: %s",
             status_text(status));
    return status;
}

static enum status run_reloaded(const struct race_side *side,
                                const struct client_settings *settings,
                                struct client_result *out_result)
{
    struct reloader *reloader = NULL;
    enum status status = reloader_start(&side->server, &reloader);
    if (status == STATUS_OK) {
        struct reloader_counts counts;
        status = side->peer->client->run(settings, out_result);
        enum status reloaded = reloader_stop(reloader, &counts);
        out_result->reloads_taken = counts.taken;
        out_result->reloads_refused = counts.refused;
        if (reloaded == STATUS_OK)
            return status;
        status = reloaded;
    }
    snprintf(out_result->problem, sizeof out_result->problem, "reloading: %s", status_text(status));
    return status;
}

/* With what is at the peer's side meanwhile. */
static enum status run_client(const struct race_side *side, const struct client_settings *settings,
                              struct client_result *out_result)
{
    if (side->peer->is_read_far)
        return run_read_far(side, settings, out_result);
    if (side->peer->is_reloaded)
        return run_reloaded(side, settings, out_result);
    return side->peer->client->run(settings, out_result);
}

/* Through the server and back, all of it verified. */
static int drive(const struct race *race, const struct race_side *side, const struct cargo *cargo,
                 uint64_t rate, struct client_result *out_result)
{
    const struct race_settings *settings = race->settings;
    struct proof proof;
    const struct proof_settings of = {
        .cargo = cargo,
        .promise = side->peer->promise,
        .destination_count = race->scenario.destination_count,
        .consumer_count = race->scenario.consumer_count,
        .logs = side->peer->program == NULL ? race->scenario.shard_count : 1,
    };
    if (proof_open(&of, &proof) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: not enough memory for %u messages\n", cargo->message_count);
        return EXIT_FINDINGS;
    }
    const struct client_settings client = {
        .peer = side->peer,
        .scenario = &race->scenario,
        .cargo = cargo,
        .proof = &proof,
        .address = side->server.address,
        .server = side->server.process,
        .rate = rate,
        .patience_ms = PATIENCE_MS,
        .stop = settings->stop,
    };
    enum status status = STATUS_OK;
    if (side->peer->prepare != NULL)
        status = side->peer->prepare(&settings->peer, &side->server);
    *out_result = (struct client_result){0};
    if (status == STATUS_OK)
        status = run_client(side, &client, out_result);
    else
        snprintf(out_result->problem, sizeof out_result->problem, "clearing it: %s",
                 status_text(status));
    int code = judge(race, side, &proof, status, out_result);
    if (code == EXIT_OK && side->peer->audit != NULL && !side->peer->audit(&side->server))
        code = EXIT_FINDINGS;
    proof_close(&proof);
    return code;
}

static int load_cargo(struct race *race, uint32_t message_count, struct cargo *out_cargo)
{
    if (*race->settings->stop)
        return EXIT_STOPPED;
    if (cargo_open(&race->scenario, message_count, race->next_seed++, out_cargo) == STATUS_OK)
        return EXIT_OK;
    fprintf(stderr, "kouan-bench: not enough memory for %u messages\n", message_count);
    return EXIT_FINDINGS;
}

/* ---- Warming up ------------------------------------------------------------------------------ */

/* At least one for each connection. */
static uint32_t bound_count(const struct race *race, double count)
{
    uint32_t least = race->scenario.connection_count > MESSAGES_LEAST
                         ? race->scenario.connection_count
                         : MESSAGES_LEAST;
    if (count < least)
        return least;
    return count < MESSAGES_MOST ? (uint32_t)count : MESSAGES_MOST;
}

static int prefill(struct race *race, struct race_side *side)
{
    static struct client_result result;
    uint32_t left = race->scenario.prefill_count;
    int code = EXIT_OK;
    if (race->settings->is_smoke && left > SMOKE_PREFILL)
        left = SMOKE_PREFILL;
    while (left > 0 && code == EXIT_OK) {
        struct cargo cargo;
        uint32_t count = left < PREFILL_AT_ONCE ? left : PREFILL_AT_ONCE;
        code = load_cargo(race, count, &cargo);
        if (code != EXIT_OK)
            break;
        code = drive(race, side, &cargo, 0, &result);
        cargo_close(&cargo);
        left -= count;
    }
    return code;
}

/* Then it is known how many messages a run of some seconds takes. */
static int warm_up(struct race *race, struct race_side *side)
{
    static struct client_result result;
    const struct race_settings *settings = race->settings;
    struct cargo cargo;
    int code = prefill(race, side);
    uint32_t wanted =
        settings->message_count > 0 ? settings->message_count : race->scenario.message_count;
    if (settings->is_smoke) {
        side->message_count =
            bound_count(race, wanted > 0 && wanted < SMOKE_MESSAGES ? wanted : SMOKE_MESSAGES);
        return code;
    }
    uint32_t count = bound_count(race, WARM_UP_MESSAGES);
    if (code == EXIT_OK)
        code = load_cargo(race, count, &cargo);
    if (code != EXIT_OK)
        return code;
    code = drive(race, side, &cargo, 0, &result);
    cargo_close(&cargo);
    double rate = count * 1e9 / (double)(result.elapsed_ns + 1);
    if (race->rate == 0 && race->scenario.load_percent > 0)
        race->rate = (uint64_t)(rate * race->scenario.load_percent / 100) + 1;
    if (race->rate > 0)
        rate = (double)race->rate;
    side->message_count = wanted > 0 ? wanted : bound_count(race, rate * settings->seconds);
    return code;
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

static int run_side(struct race *race, struct race_side *side)
{
    static struct client_result result;
    struct cargo cargo;
    int code = load_cargo(race, side->message_count, &cargo);
    if (code != EXIT_OK)
        return code;
    double idle = look_at_idle_machine(race);
    code = drive(race, side, &cargo, race->rate, &result);
    idle = (idle + look_at_idle_machine(race)) / 2;
    if (code == EXIT_OK) {
        struct race_run *run = &side->runs[side->run_count++];
        *run = race_figures_of_run(&cargo, &result, idle);
        side->reloads_taken += result.reloads_taken;
        side->reloads_refused += result.reloads_refused;
        histogram_merge(&side->receipt_ns, &result.receipt_ns);
        histogram_merge(&side->delivery_ns, &result.delivery_ns);
        if (race->settings->tells_runs)
            race_text_print_run(side, run, &result, stderr);
    }
    cargo_close(&cargo);
    return code;
}

static int run_pair(struct race *race, uint32_t pair)
{
    int code = EXIT_OK;
    assert(pair < RACE_PAIRS_MAX);
    for (uint32_t i = 0; i < race->side_count && code == EXIT_OK; i++) {
        uint32_t side = pair % 2 == 0 ? i : race->side_count - 1 - i;
        code = run_side(race, &race->sides[side]);
    }
    return code;
}

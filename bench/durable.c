#include "bench/durable.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command.h"
#include "bench/peer.h"

enum {
    BULK_BYTES = 256 * 1024,
    BULK_IN_FLIGHT = 4,
    PAGE_BYTES = 4096,
    MESSAGES_LEAST = 60,  /* of a run at a rate */
    HEADROOM_PERCENT = 95 /* of its capacity; Redis is not driven above that at Kouan's rates */
};

static const uint32_t percents[DURABLE_LOADS] = {0, 1, 50, 90};

static void plan(struct durable *durable);
static int run_load(struct durable *durable, struct durable_load *load);
static void pace(struct durable *durable, struct durable_load *load);

static int start_all(struct durable *durable)
{
    const struct durable_settings *settings = durable->settings;
    struct scenario memory, on_disk;
    bool found = scenario_find("wire", &memory) && scenario_find("durable", &on_disk);
    assert(found);
    for (uint32_t side = 0; side < DURABLE_SERVERS; side++) {
        const struct peer *peer = side == DURABLE_REDIS ? &peer_redis : &peer_kouan;
        struct peer_settings of = {.scenario = side == DURABLE_MEMORY ? &memory : &on_disk,
                                   .kouan = settings->kouan,
                                   .folder = settings->folder};
        if (peer->start(&of, &durable->servers[side]) != STATUS_OK) {
            fprintf(stderr, "kouan-bench: `%s` did not start\n",
                    peer->program != NULL ? peer->program : settings->kouan);
            return EXIT_UNREACHABLE;
        }
    }
    bool opened = disk_probe_open(&durable->probe, settings->folder) &&
                  disk_probe_make_file(&durable->probe, durable->probe.disk.disk.mode);
    return opened ? EXIT_OK : EXIT_FINDINGS;
}

int durable_run(const struct durable_settings *settings, struct durable *durable)
{
    *durable = (struct durable){.settings = settings,
                                .probe = {.folder_file = -1, .file = -1},
                                .seed = settings->trial.day.seed};
    plan(durable);
    int code = start_all(durable);
    if (settings->prints_runs && code == EXIT_OK)
        durable_print_heading(stderr);
    for (uint32_t i = 0; i < DURABLE_LOADS && code == EXIT_OK; i++) {
        pace(durable, &durable->loads[i]);
        code = run_load(durable, &durable->loads[i]);
    }
    return code;
}

void durable_close(struct durable *durable)
{
    for (uint32_t side = 0; side < DURABLE_SERVERS; side++)
        server_stop(&durable->servers[side]);
    disk_probe_close(&durable->probe);
}

/* ---- What is run -------------------------------------------------------------------------------
 */

static void add_point(struct durable_load *load, struct durable_point point)
{
    assert(load->point_count < DURABLE_POINTS_EACH);
    load->points[load->point_count++] = point;
}

/* The disk stands beside each load: how much it takes, and how long it takes for a page, at once
 * after the one before, or with the pauses of the lowest load. */
static void plan(struct durable *durable)
{
    const struct disk_probe_settings bulk = {.block_bytes = BULK_BYTES,
                                             .in_flight = BULK_IN_FLIGHT};
    const struct disk_probe_settings page = {.block_bytes = PAGE_BYTES, .in_flight = 1};
    for (uint32_t i = 0; i < DURABLE_LOADS; i++) {
        struct durable_load *load = &durable->loads[i];
        load->percent = percents[i];
        for (uint32_t side = 0; side < DURABLE_SERVERS; side++)
            add_point(load, (struct durable_point){.side = side, .pace = side});
        if (load->percent == 0)
            add_point(load, (struct durable_point){
                                .side = DURABLE_DISK, .pace = DURABLE_DISK, .disk = bulk});
        else
            add_point(load, (struct durable_point){.side = DURABLE_REDIS, .pace = DURABLE_JOURNAL});
        add_point(load, (struct durable_point){.side = DURABLE_DISK,
                                               .pace = load->percent == 1 ? DURABLE_JOURNAL
                                                                          : DURABLE_DISK,
                                               .disk = page});
    }
}

/* Once it is known what each side does at most. */
static void pace(struct durable *durable, struct durable_load *load)
{
    double capacities[DURABLE_SERVERS];
    if (load->percent == 0)
        return;
    for (uint32_t side = 0; side < DURABLE_SERVERS; side++)
        capacities[side] = durable_median(&durable->loads[0].points[side]).rate;
    for (uint32_t i = 0; i < load->point_count; i++) {
        struct durable_point *point = &load->points[i];
        if (point->pace == DURABLE_DISK)
            continue;
        double rate = capacities[point->pace] * load->percent / 100;
        point->rate = rate > 1 ? (uint64_t)rate : 1;
        if (point->side == DURABLE_DISK)
            point->disk.interval_ns = UINT64_C(1000000000) / point->rate;
        else
            point->is_left_out = rate > capacities[point->side] * HEADROOM_PERCENT / 100 &&
                                 point->side != point->pace;
    }
}

/* ---- Runs --------------------------------------------------------------------------------------
 */

/* What the process had the kernel write to disks; 0 where the kernel does not tell. */
static uint64_t read_written_bytes(pid_t process)
{
    char path[64], line[128];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/io", (int)process);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "write_bytes: %" SCNu64, &bytes) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return bytes;
}

static void keep_run(const struct durable *durable, const struct durable_load *load,
                     struct durable_point *point, struct durable_run run,
                     const struct histogram *receipt_ns)
{
    point->runs[point->run_count++] = run;
    histogram_merge(&point->receipt_ns, receipt_ns);
    if (durable->settings->prints_runs)
        durable_print_point(load, point, &run, receipt_ns, stderr);
}

static int run_disk(struct durable *durable, struct durable_load *load, struct durable_point *point)
{
    static struct disk_probe_result result;
    point->disk.milliseconds = durable->settings->milliseconds;
    if (!disk_probe_run(&durable->probe, &point->disk, &result) || result.writes == 0)
        return EXIT_FINDINGS;
    double writes = (double)result.writes;
    keep_run(durable, load, point,
             (struct durable_run){.rate = writes * 1e9 / (double)result.ns,
                                  .serving_ns = (double)result.machine_ns / writes,
                                  .server_ns = (double)result.process_ns / writes,
                                  .written_bytes = point->disk.block_bytes},
             &result.times);
    return EXIT_OK;
}

static int judge_trial(const struct trial *trial, enum status status, const char *name)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s: %s\n", name, trial->result.problem);
        return EXIT_UNREACHABLE;
    }
    if (trial->result.interrupted)
        return EXIT_STOPPED;
    if (trial->result.out_of_patience)
        fprintf(stderr, "kouan-bench: %s: out of patience\n", name);
    if (findings_count(&trial->checker.findings) > 0) {
        fprintf(stderr, "kouan-bench: %s:\n", name);
        checker_print(&trial->checker, stderr);
    }
    bool is_good = !trial->result.out_of_patience && findings_count(&trial->checker.findings) == 0;
    return is_good ? EXIT_OK : EXIT_FINDINGS;
}

static int run_server(struct durable *durable, struct durable_load *load,
                      struct durable_point *point)
{
    const struct server *server = &durable->servers[point->side];
    struct trial_settings settings = durable->settings->trial;
    settings.day.seed = durable->seed++;
    settings.model = point->side == DURABLE_REDIS ? MODEL_PLAIN : MODEL_OPEN;
    settings.drops_stream = true;
    settings.address = server->address;
    settings.server = server->process;
    settings.rate = point->rate;
    if (point->rate > 0) {
        uint64_t count = point->rate * durable->settings->milliseconds / 1000;
        settings.day.message_count = (uint32_t)(count > MESSAGES_LEAST ? count : MESSAGES_LEAST);
    }
    struct trial *trial = calloc(1, sizeof *trial);
    if (trial == NULL)
        return EXIT_FINDINGS;
    char name[64];
    uint64_t written = read_written_bytes(server->process);
    enum status status = trial_run(&settings, trial);
    written = read_written_bytes(server->process) - written;
    int code = judge_trial(trial, status, durable_point_name(point, name));
    struct report report = trial_report(trial);
    if (code == EXIT_OK)
        keep_run(durable, load, point,
                 (struct durable_run){
                     .rate = report_rate(&report),
                     .serving_ns = report_ns_per_message(&report, report_serving_ns(&report)),
                     .server_ns = report_ns_per_message(&report, trial->result.usage.server_ns),
                     .client_ns = report_ns_per_message(&report, trial->result.usage.client_ns),
                     .written_bytes = report_ns_per_message(&report, written)},
                 &trial->result.receipt_ns);
    trial_close(trial);
    free(trial);
    return code;
}

static int run_load(struct durable *durable, struct durable_load *load)
{
    int code = EXIT_OK;
    for (uint32_t pair = 0; pair < durable->settings->pairs; pair++)
        for (uint32_t i = 0; i < load->point_count && code == EXIT_OK; i++) {
            uint32_t at = pair % 2 == 0 ? i : load->point_count - 1 - i;
            struct durable_point *point = &load->points[at];
            if (point->is_left_out)
                continue;
            code = point->side == DURABLE_DISK ? run_disk(durable, load, point)
                                               : run_server(durable, load, point);
        }
    return code;
}

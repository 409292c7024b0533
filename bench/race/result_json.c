#include "bench/race/result_json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void add_number(json_t *object, const char *name, double number)
{
    json_object_set_new(object, name, json_real(number));
}

/* null where it could not be measured. */
static void add_measured(json_t *object, const char *name, double number)
{
    json_object_set_new(object, name, number > 0 ? json_real(number) : json_null());
}

static void add_count(json_t *object, const char *name, uint64_t count)
{
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

static void add_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, json_string(text));
}

static json_t *of_latency(const struct histogram *histogram)
{
    json_t *object = json_object();
    add_number(object, "p50", (double)histogram_quantile(histogram, 500) / 1000);
    add_number(object, "p99", (double)histogram_quantile(histogram, 990) / 1000);
    add_number(object, "p999", (double)histogram_quantile(histogram, 999) / 1000);
    add_number(object, "max", (double)histogram->maximum / 1000);
    return object;
}

static void add_figures(json_t *object, const struct race *race, const struct race_side *side)
{
    const struct race_run *run = &side->median;
    add_number(object, "seconds", run->seconds);
    add_count(object, "messages", (uint64_t)run->messages);
    add_count(object, "bytes", (uint64_t)run->bytes);
    add_count(object, "runs", side->run_count);
    add_number(object, "messages_per_second", run->messages_per_second);
    add_measured(object, "cpu_ns_per_message", run->cpu_ns);
    add_number(object, "process_cpu_ns_per_message", run->process_cpu_ns);
    add_number(object, "client_cpu_ns_per_message", run->client_cpu_ns);
    if (run->far_bytes_per_second > 0)
        add_number(object, "far_bytes_per_second", run->far_bytes_per_second);
    if (side->peer->is_reloaded) {
        add_count(object, "reloads_taken", side->reloads_taken);
        add_count(object, "reloads_refused", side->reloads_refused);
    }
    json_object_set_new(object, "latency_us", of_latency(race_side_latency(side)));
    json_object_set_new(object, "delivery_latency_us", of_latency(&side->delivery_ns));
    add_text(object, "durability", side->peer->durability(&race->scenario));
}

static json_t *of_ratio(const struct race_ratio *ratio)
{
    if (ratio->median == 0)
        return json_null();
    json_t *object = json_object();
    add_number(object, "median", ratio->median);
    add_number(object, "low", ratio->low);
    add_number(object, "high", ratio->high);
    add_number(object, "confidence", ratio->confidence);
    return object;
}

static json_t *of_peers(const struct race *race)
{
    json_t *all = json_object();
    for (uint32_t i = 1; i < race->side_count; i++) {
        const struct race_side *side = &race->sides[i];
        json_t *peer = json_object(), *ratio = json_object();
        add_figures(peer, race, side);
        json_object_set_new(ratio, "messages_per_second", of_ratio(&side->rate_ratio));
        json_object_set_new(ratio, "cpu_ns_per_message", of_ratio(&side->cpu_ratio));
        json_object_set_new(ratio, "process_cpu_ns_per_message",
                            of_ratio(&side->process_cpu_ratio));
        json_object_set_new(ratio, "p99", of_ratio(&side->p99_ratio));
        json_object_set_new(peer, "ratio", ratio);
        json_object_set_new(all, side->peer->name, peer);
    }
    return all;
}

static json_t *of_settings(const struct race *race)
{
    const struct scenario *scenario = &race->scenario;
    json_t *object = json_object();
    add_text(object, "sync", scenario->is_durable ? "commit" : "memory");
    json_object_set_new(object, "unix", json_boolean(scenario->is_over_unix));
    add_count(object, "pairs", race->settings->pair_count);
    add_count(object, "rate", race->rate);
    add_count(object, "seed", race->settings->seed);
    add_count(object, "connections", scenario->connection_count);
    add_count(object, "in_flight", scenario->in_flight);
    add_count(object, "burst", scenario->burst);
    add_count(object, "destinations", scenario->destination_count);
    add_count(object, "consumers", scenario->consumer_count);
    add_count(object, "late_destinations", scenario->late_count);
    add_count(object, "batch", scenario->batch);
    add_count(object, "rules", scenario->rule_count);
    add_count(object, "replay_percent", scenario->replay_percent);
    add_count(object, "window_entries", scenario->window_entries);
    add_count(object, "prefilled", scenario->prefill_count);
    add_count(object, "shards", scenario->shard_count);
    if (scenario->mix == MIX_EVENTS)
        add_count(object, "size", scenario->event_bytes);
    json_object_set_new(object, "smoke", json_boolean(race->settings->is_smoke));
    return object;
}

json_t *result_json_of_race(const struct race *race, const char *label)
{
    json_t *object = json_object();
    add_text(object, "scenario", race->scenario.name);
    add_text(object, "label", label);
    add_figures(object, race, &race->sides[0]);
    json_object_set_new(object, "peers", of_peers(race));
    if (race->disk_ns.count > 0)
        json_object_set_new(object, "disk_us", of_latency(&race->disk_ns));
    json_object_set_new(object, "settings", of_settings(race));
    return object;
}

/* ---- The machine ----------------------------------------------------------------------------- */

static void read_processor(char *text, size_t capacity)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(text, capacity, "processor unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(text, capacity, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
}

/* Of the source that this program lies in, if it is a clone. */
static void read_commit(char *text, size_t capacity)
{
    char path[512], command[640];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    snprintf(command, sizeof command, "git -C '%s' describe --always --dirty 2>/dev/null", path);
    snprintf(text, capacity, "unknown");
    FILE *git = strchr(path, '\'') == NULL ? popen(command, "r") : NULL;
    if (git == NULL)
        return;
    char line[64];
    if (fgets(line, sizeof line, git) != NULL)
        snprintf(text, capacity, "%.*s", (int)strcspn(line, "\n"), line);
    pclose(git);
}

void result_json_add_machine(json_t *object)
{
    char processor[192], machine[256], kernel[256], commit[64];
    struct utsname system;
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    double load, gib = (double)pages * (double)page_bytes / (1024.0 * 1024 * 1024);
    read_processor(processor, sizeof processor);
    snprintf(machine, sizeof machine, "%s, %ld cores, %.0f GiB", processor,
             sysconf(_SC_NPROCESSORS_ONLN), gib);
    if (uname(&system) == 0)
        snprintf(kernel, sizeof kernel, "%.100s %.100s", system.sysname, system.release);
    else
        snprintf(kernel, sizeof kernel, "unknown");
    read_commit(commit, sizeof commit);
    add_text(object, "machine", machine);
    add_text(object, "kernel", kernel);
    add_text(object, "commit", commit);
    if (getloadavg(&load, 1) == 1)
        add_number(object, "load", load);
}

void result_json_write(json_t *object, FILE *out)
{
    json_dumpf(object, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(object);
}

void result_json_print(const struct race *races, const struct scenario_point *points,
                       uint32_t count, FILE *out)
{
    json_t *object = result_json_of_race(&races[count - 1], points[count - 1].label);
    result_json_add_machine(object);
    if (count > 1) {
        json_t *all = json_array();
        for (uint32_t i = 0; i < count; i++)
            json_array_append_new(all, result_json_of_race(&races[i], points[i].label));
        json_object_set_new(object, "points", all);
    }
    result_json_write(object, out);
}

json_t *result_json_read(const char *path)
{
    json_error_t error;
    json_t *object = json_load_file(path, 0, &error);
    if (object == NULL)
        fprintf(stderr, "kouan-bench: %s:%d: %s\n", path, error.line, error.text);
    else if (!json_is_string(json_object_get(object, "scenario"))) {
        fprintf(stderr, "kouan-bench: %s: not a result of `run --json` or `sweep --json`\n", path);
        json_decref(object);
        object = NULL;
    }
    return object;
}

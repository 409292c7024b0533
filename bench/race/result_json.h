/* A scenario's result as one JSON object:
 *
 *   scenario, label, seconds, messages, bytes, messages_per_second, cpu_ns_per_message,
 *   process_cpu_ns_per_message, client_cpu_ns_per_message, latency_us {p50, p99, p999, max},
 *   delivery_latency_us {the same}, durability,
 *   peers {name: the same, with ratio {messages_per_second, cpu_ns_per_message,
 *          process_cpu_ns_per_message: {median, low, high, confidence}}},
 *   disk_us {p50, p99, p999, max} where it was looked at,
 *   machine, kernel, commit, load, settings {...},
 *   points [each: what is above but for machine, kernel and commit], where something is varied;
 * what stands above is then the last of them.
 *
 * Ratios are Kouan's to the peer's. latency_us is of receipts (of deliveries, where a server gives
 * no receipts). All figures are medians over the runs, latencies those of all runs merged. */
#ifndef KOUAN_BENCH_RESULT_JSON_H
#define KOUAN_BENCH_RESULT_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "bench/race/race.h"

/* `count` races, at least one, of the points of a scenario. */
void result_json_print(const struct race *races, const struct scenario_point *points,
                       uint32_t count, FILE *out);

/* A result, to be freed by json_decref(); NULL, with words on stderr, if the file is not one. */
json_t *result_json_read(const char *path);

/* One of them as an object of the caller's. */
json_t *result_json_of_race(const struct race *race, const char *label);

/* Adds machine, kernel, commit, and the machine's load of the last minute, this run's own in it. */
void result_json_add_machine(json_t *object);

/* Writes an object with its members in the order of adding, and frees it. */
void result_json_write(json_t *object, FILE *out);

#endif

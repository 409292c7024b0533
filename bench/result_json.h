/* A race's result as one JSON object, and such files read again:
 *
 *   scenario, label, seconds, messages, bytes, messages_per_second, cpu_ns_per_message,
 *   process_cpu_ns_per_message, client_cpu_ns_per_message, latency_us {p50, p99, p999, max},
 *   delivery_latency_us {the same}, durability,
 *   peers {name: the same, ratio {messages_per_second, cpu_ns_per_message,
 *          process_cpu_ns_per_message: {median, low, high}}},
 *   machine, kernel, commit, settings {...},
 *   points [the same without machine, kernel, commit], of scenarios that vary something,
 *   knee {...} and points with `load_percent`, of a sweep.
 *
 * latency_us is of receipts (of deliveries, where a server gives no receipts). */
#ifndef KOUAN_BENCH_RESULT_JSON_H
#define KOUAN_BENCH_RESULT_JSON_H

#include <stdio.h>

#include "bench/race.h"

/* One race as an object without the machine; a point of several. `label` may be "". */
void result_json_print_race(const struct race *race, const char *label, FILE *out);

/* `,"machine":...,"kernel":...,"commit":...`. */
void result_json_print_machine(FILE *out);

#endif

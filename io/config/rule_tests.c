#include "io/config/rule_tests.h"

#include <stdlib.h>
#include <time.h>

#include "io/file.h"
#include "routes/rules/rule_example.h"

enum { TESTS_BYTES_MAX = 256 * 1024 };

/* The examples of one file while they run. */
struct run {
    struct rule_tests *tests;
    struct arena arena;
    struct router *router;
    struct routing *routings;
    uint64_t now_ms;
};

static void run_examples(struct run *run, const char *path, struct bytes text);
static bool run_example(struct run *run, const struct rule_example *example);

static uint64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void rule_tests_run(struct rule_tests *tests, const char *path, struct place place)
{
    /* Digests are shown to nobody here, so any secret will do. */
    static const struct digest_secret secret = {.bytes = {1}};
    struct run run = {.tests = tests, .now_ms = wall_ms()};
    struct bytes text;
    arena_init(&run.arena);
    enum status status =
        tests->source->read(tests->source->context, &run.arena, path, TESTS_BYTES_MAX, &text, NULL);
    run.routings = calloc(ROUTER_BATCH_MAX, sizeof *run.routings);
    if (run.routings == NULL || router_open(&secret, (uint16_t)tests->config->options.entries_max,
                                            &run.router) != STATUS_OK)
        abort();
    if (status == STATUS_OK)
        run_examples(&run, path, text);
    else
        diagnostics_add(tests->diagnostics, SEVERITY_ERROR, "C107", place, NULL,
                        "cannot read %s: %s", path, status_text(status));
    router_close(run.router);
    free(run.routings);
    arena_deinit(&run.arena);
}

static void run_examples(struct run *run, const char *path, struct bytes text)
{
    struct rule_tests *tests = run->tests;
    const struct rule_example *example =
        rule_examples_parse(&run->arena, path, text, tests->config->generation, tests->diagnostics);
    for (; example != NULL; example = example->next) {
        if (run_example(run, example))
            tests->passed++;
        else
            tests->failed++;
    }
}

static uint32_t decide(struct run *run, const struct rule_example *example, struct bytes body,
                       const struct participant *participant, struct arrival *arrival)
{
    uint32_t count;
    *arrival =
        (struct arrival){.body = body, .channel = example->channel, .participant = participant};
    router_decide(run->router, run->tests->config->generation, arrival, 1,
                  example->has_time ? example->at_ms : run->now_ms, run->routings, &count);
    return count;
}

/* Whose `ids` have the sender's address; NULL if nobody's do. */
static const struct participant *find_sender(const struct run *run)
{
    const struct generation *generation = run->tests->config->generation;
    if (generation->open || run->routings[0].fault.reason != SCAN_NONE)
        return NULL;
    struct bytes sender = reading_value(&run->routings[0].reading, SLOT_SENDER);
    return sender.size > 0 ? participant_by_address(&generation->directory, sender) : NULL;
}

static bool run_example(struct run *run, const struct rule_example *example)
{
    const struct rule_tests *tests = run->tests;
    const struct generation *generation = tests->config->generation;
    struct bytes body = example->body;
    struct arrival arrival;
    if (example->message != NULL) {
        const char *path =
            file_resolve(&run->arena, example->file, bytes_from_text(example->message));
        enum status status = tests->source->read(tests->source->context, &run->arena, path,
                                                 tests->config->options.message_max, &body, NULL);
        if (status != STATUS_OK) {
            diagnostics_add(tests->diagnostics, SEVERITY_ERROR, "T104", rule_example_place(example),
                            NULL, "cannot read %s: %s", path, status_text(status));
            return false;
        }
    }
    const struct participant *participant = example->participant;
    uint32_t count =
        decide(run, example, body,
               participant != NULL ? participant : generation->directory.participants[0], &arrival);
    if (participant == NULL && (participant = find_sender(run)) != NULL)
        count = decide(run, example, body, participant, &arrival);
    return rule_example_check(example, generation, run->routings, count, tests->diagnostics);
}

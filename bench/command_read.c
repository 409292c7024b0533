/* `kouan-bench read`: what it costs to read a message, kind by kind, without a server: recognise,
 * scan, extract. One core, messages of a generated day, the best of several rounds. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/command.h"
#include "bench/day/day.h"
#include "routes/read/read.h"

enum {
    DAY_MESSAGES = 20000, /* enough to have each kind's share */
    SAMPLES_MAX = 256,    /* messages of a kind: more than the caches' fondness for one */
    ROUNDS = 5,
    OCCURRENCES = READING_OCCURRENCES_MAX,
    TEXT_BYTES = 1024 * 1024
};

struct sample {
    uint8_t *bodies[SAMPLES_MAX];
    size_t sizes[SAMPLES_MAX];
    uint32_t count;
};

struct bench {
    struct arena arena;
    struct profile_set set;
    struct reader reader;
    struct sample samples[KIND_COUNT];
};

static void print_help(void)
{
    puts(
        "kouan-bench read [--times N] [--kind KIND]\n"
        "Reads generated messages N times over (default 200) in this process, and prints what a\n"
        "message of each kind costs in processor time: best of 5 rounds. KIND: that kind only, as\n"
        "the first column names it.");
}

static bool open_bench(struct bench *bench)
{
    static struct profile_list list;
    struct diagnostics diagnostics;
    arena_init(&bench->arena);
    diagnostics_init(&diagnostics);
    profile_parse_shipped(&bench->arena, &list, &diagnostics);
    profile_set_build(&bench->arena, &list, &bench->set, &diagnostics);
    diagnostics_deinit(&diagnostics);
    return reader_open(&bench->reader, OCCURRENCES, TEXT_BYTES) == STATUS_OK;
}

static void close_bench(struct bench *bench)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        for (uint32_t i = 0; i < bench->samples[kind].count; i++)
            free(bench->samples[kind].bodies[i]);
    reader_close(&bench->reader);
    arena_deinit(&bench->arena);
}

/* Fresh messages only: all of them can be read. False without memory. */
static bool take_samples(struct bench *bench)
{
    const struct day_settings settings = {
        .seed = 1, .message_count = DAY_MESSAGES, .stream_count = EPORT_COUNT, .event_bytes = 256};
    struct day day;
    if (day_open(&settings, &day) != STATUS_OK)
        return false;
    bool good = true;
    for (uint32_t i = 0; i < DAY_MESSAGES && good; i++) {
        struct sample *sample = &bench->samples[day.messages[i].kind];
        if (day.messages[i].fate != FATE_FRESH || sample->count == SAMPLES_MAX)
            continue;
        uint8_t *body = calloc(1, DAY_MESSAGE_BYTES_MAX + BYTES_PADDING);
        good = body != NULL;
        if (!good)
            break;
        sample->sizes[sample->count] = day_render(&day, i, body);
        sample->bodies[sample->count++] = body;
    }
    day_close(&day);
    return good;
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time); /* others may want the machine */
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static bool read_all(struct bench *bench, const struct sample *sample)
{
    for (uint32_t i = 0; i < sample->count; i++) {
        struct reading reading;
        struct scan_fault fault;
        reader_reset(&bench->reader);
        if (read_message(&bench->set, NULL, &bench->reader,
                         bytes_make(sample->bodies[i], sample->sizes[i]), &reading,
                         &fault) != STATUS_OK) {
            fprintf(stderr, "kouan-bench: a generated message cannot be read: %s at byte %u\n",
                    scan_reason_word(fault.reason), fault.offset);
            return false;
        }
    }
    return true;
}

static bool measure(struct bench *bench, enum day_kind kind, uint64_t times)
{
    const struct sample *sample = &bench->samples[kind];
    uint64_t best_ns = UINT64_MAX;
    size_t bytes = 0;
    if (sample->count == 0)
        return true;
    for (uint32_t i = 0; i < sample->count; i++)
        bytes += sample->sizes[i];
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t start_ns = now_ns();
        for (uint64_t i = 0; i < times; i++)
            if (!read_all(bench, sample))
                return false;
        uint64_t elapsed_ns = now_ns() - start_ns;
        best_ns = elapsed_ns < best_ns ? elapsed_ns : best_ns;
    }
    double reads = (double)times * sample->count, message_ns = (double)best_ns / reads;
    double message_bytes = (double)bytes / sample->count;
    printf("%-12s %8.0f %10.0f %8.0f\n", form_message_type(kind), message_bytes, message_ns,
           1000 * message_bytes / message_ns);
    return true;
}

static bool find_kind(const char *name, enum day_kind *out_kind)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (strcmp(form_message_type(kind), name) == 0) {
            *out_kind = (enum day_kind)kind;
            return true;
        }
    fprintf(stderr, "kouan-bench: no kind is named %s: `kouan-bench read` lists them\n", name);
    return false;
}

int command_read(int argc, char **argv)
{
    static const struct option options[] = {{"times", required_argument, NULL, 't'},
                                            {"kind", required_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct bench bench;
    uint64_t times = 200;
    enum day_kind only = KIND_COUNT;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return EXIT_OK;
        }
        if (option == 'k') {
            if (!find_kind(optarg, &only))
                return EXIT_USAGE;
            continue;
        }
        if (option != 't' || !option_number("times", optarg, 1, 1000000, &times))
            return EXIT_USAGE;
    }
    if (!open_bench(&bench))
        return EXIT_FINDINGS;
    bool good = take_samples(&bench);
    if (good)
        puts("kind            bytes ns/message     MB/s");
    for (unsigned kind = 0; kind < KIND_COUNT && good; kind++)
        if (only == KIND_COUNT || kind == only)
            good = measure(&bench, (enum day_kind)kind, times);
    close_bench(&bench);
    return good ? EXIT_OK : EXIT_FINDINGS;
}

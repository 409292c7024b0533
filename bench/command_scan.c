/* `kouan-bench scan`: how fast the scanners walk real files, and whether what they find is true.
 * Every file is first scanned and asked of an oracle; only then is anything timed. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/command.h"
#include "bench/oracle/oracle.h"
#include "bench/oracle/samples.h"

enum { ROUNDS = 15 };

/* What walks the files of one format, in turn. */
#define WALK_LIST(X)                                                                               \
    X(CHECK, "check", walk_check)                                                                  \
    X(SCAN, "scan", walk_scan)                                                                     \
    X(READ, "read", walk_read)                                                                     \
    X(BARE, "bare", walk_bare)                                                                     \
    X(ORACLE, "oracle", walk_oracle)

enum walk {
#define X(name, text, function) WALK_##name,
    WALK_LIST(X)
#undef X
        WALK_COUNT
};

static const char *const walk_names[WALK_COUNT] = {
#define X(name, text, function) [WALK_##name] = text,
    WALK_LIST(X)
#undef X
};

/* What came of the files of one format. */
struct outcome {
    uint64_t files, messages, bytes, values, profileless, refused;
    double ns_per_byte[WALK_COUNT]; /* the median of all rounds; 0: not measured */
};

struct scan_command {
    struct samples samples;
    struct oracle oracle;
    struct outcome outcomes[FORMAT_COUNT];
    uint64_t milliseconds; /* of each walk in each round; 0: nothing is timed */
    bool json, list_refused;
    uint32_t objections;
};

static const char *const format_names[FORMAT_COUNT] = {"EDIFACT", "XML", "JSON"};
static const char *const format_oracles[FORMAT_COUNT] = {"splitter", "expat", "jansson"};

static void verify(struct scan_command *command, const struct sample *sample);
static void measure(struct scan_command *command, enum format format);
static void print_table(const struct scan_command *command);
static void print_json(const struct scan_command *command);

static void print_help(void)
{
    puts("kouan-bench scan [--time MS] [--json] [--refused] FILE|FOLDER...\n"
         "Scans files of messages with the shipped profiles, in this process. First each file's\n"
         "outcome and values are compared with an oracle's (XML: expat, JSON: jansson, EDIFACT: a\n"
         "splitter that goes byte by byte); then all are timed, in turn, over 15 rounds of which\n"
         "the median counts: `check`, the scan for the form alone; `scan`, with the profile's "
         "taps;\n"
         "`read`, recognise, scan and extract; `bare`, a walk over the bytes; the oracle.\n"
         "  --time MS   how long each is timed in each round (default 20; 0 verifies only)\n"
         "  --json      one JSON object\n"
         "  --refused   also list the files that are refused, and why");
}

static bool read_options(int argc, char **argv, struct scan_command *command, int *out_exit)
{
    static const struct option options[] = {{"time", required_argument, NULL, 't'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"refused", no_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *out_exit = EXIT_USAGE;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            if (!option_number("time", optarg, 0, 60000, &command->milliseconds))
                return false;
            break;
        case 'j': command->json = true; break;
        case 'r': command->list_refused = true; break;
        case 'h':
            print_help();
            *out_exit = EXIT_OK;
            return false;
        default: return false;
        }
    }
    if (optind < argc)
        return true;
    fputs("kouan-bench: scan needs a file or a folder of messages\n", stderr);
    return false;
}

int command_scan(int argc, char **argv)
{
    static struct scan_command command = {.milliseconds = 20};
    int result;
    if (!read_options(argc, argv, &command, &result))
        return result;
    if (samples_open(&command.samples) != STATUS_OK)
        return EXIT_FINDINGS;
    bool good = true;
    for (int i = optind; i < argc; i++)
        good &= samples_add(&command.samples, argv[i]);
    oracle_init(&command.oracle);
    for (uint32_t i = 0; i < command.samples.count; i++)
        verify(&command, &command.samples.items[i]);
    for (unsigned format = 0; format < FORMAT_COUNT && command.milliseconds > 0; format++)
        if (command.outcomes[format].files > 0)
            measure(&command, (enum format)format);
    if (command.json)
        print_json(&command);
    else
        print_table(&command);
    good &= command.objections == 0 && command.samples.count > 0;
    oracle_deinit(&command.oracle);
    samples_close(&command.samples);
    return good ? EXIT_OK : EXIT_FINDINGS;
}

/* ---- Verified -------------------------------------------------------------------------------- */

static void verify(struct scan_command *command, const struct sample *sample)
{
    struct outcome *outcome = &command->outcomes[sample->format];
    struct scan_fault fault = {0};
    enum status status = sample_scan(&command->samples, sample, &fault);
    const struct scan *scan = &command->samples.reader.scan;
    enum oracle_verdict verdict =
        oracle_ask(&command->oracle, sample->plan, sample->body, sample->message);
    const char *objection = oracle_objection(&command->oracle, verdict, status, &fault, scan);
    outcome->messages++;
    outcome->files += sample->message == 0;
    outcome->bytes += sample->message == 0 ? sample->body.size : 0;
    outcome->profileless += sample->profile == NULL;
    if (status == STATUS_OK)
        outcome->values += scan->capture_count;
    else
        outcome->refused++;
    if (status != STATUS_OK && command->list_refused)
        fprintf(stderr, "refused %s: %s at byte %u%s%s; the oracle: %s\n", sample->path,
                scan_reason_word(fault.reason), fault.offset, fault.what != NULL ? ": " : "",
                fault.what != NULL ? fault.what : "",
                verdict == ORACLE_GOOD ? "well-formed" : command->oracle.why);
    if (objection == NULL)
        return;
    command->objections++;
    fprintf(stderr, "OBJECTION %s: %s\n", sample->path, objection);
}

/* ---- Timed ----------------------------------------------------------------------------------- */

/* What a walk may not be optimised away for. */
static volatile uint64_t sink;

static void walk_check(struct scan_command *command, const struct sample *sample)
{
    struct scan_fault fault;
    sink += sample_check(&command->samples, sample, &fault) == STATUS_OK;
}

static void walk_scan(struct scan_command *command, const struct sample *sample)
{
    struct scan_fault fault;
    sink += sample_scan(&command->samples, sample, &fault) == STATUS_OK;
}

static void walk_read(struct scan_command *command, const struct sample *sample)
{
    struct scan_fault fault;
    sink += sample_read(&command->samples, sample, &fault) == STATUS_OK;
}

static void walk_bare(struct scan_command *command, const struct sample *sample)
{
    (void)command;
    if (sample->message == 0)
        sink += memchr(sample->body.data, 0, sample->body.size) == NULL;
}

static void walk_oracle(struct scan_command *command, const struct sample *sample)
{
    sink +=
        oracle_ask(&command->oracle, sample->plan, sample->body, sample->message) == ORACLE_GOOD;
}

static void walk_files(struct scan_command *command, enum format format,
                       void (*walk)(struct scan_command *command, const struct sample *sample))
{
    for (uint32_t i = 0; i < command->samples.count; i++)
        if (command->samples.items[i].format == format)
            walk(command, &command->samples.items[i]);
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time); /* others may want the machine */
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static double measure_round(struct scan_command *command, enum format format, enum walk walk)
{
    static void (*const walks[WALK_COUNT])(struct scan_command *, const struct sample *) = {
#define X(name, text, function) [WALK_##name] = function,
        WALK_LIST(X)
#undef X
    };
    uint64_t start_ns = now_ns(), elapsed_ns, walked = 0;
    do {
        walk_files(command, format, walks[walk]);
        walked += command->outcomes[format].bytes;
        elapsed_ns = now_ns() - start_ns;
    } while (elapsed_ns < command->milliseconds * 1000000);
    return (double)elapsed_ns / (double)walked;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void measure(struct scan_command *command, enum format format)
{
    double rounds[WALK_COUNT][ROUNDS];
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned walk = 0; walk < WALK_COUNT; walk++)
            rounds[walk][round] = measure_round(command, format, (enum walk)walk);
    for (unsigned walk = 0; walk < WALK_COUNT; walk++) {
        qsort(rounds[walk], ROUNDS, sizeof rounds[walk][0], compare_doubles);
        command->outcomes[format].ns_per_byte[walk] = rounds[walk][ROUNDS / 2];
    }
}

/* ---- Shown ----------------------------------------------------------------------------------- */

static void print_table(const struct scan_command *command)
{
    bool timed = command->milliseconds > 0;
    printf("format   files  messages      bytes  values  refused  profileless%s\n",
           timed ? "  check GB/s  scan  read   bare   oracle" : "");
    for (unsigned format = 0; format < FORMAT_COUNT; format++) {
        const struct outcome *outcome = &command->outcomes[format];
        const double *cost = outcome->ns_per_byte;
        if (outcome->files == 0)
            continue;
        printf("%-7s %6" PRIu64 " %9" PRIu64 " %10" PRIu64 " %7" PRIu64 " %8" PRIu64 " %12" PRIu64,
               format_names[format], outcome->files, outcome->messages, outcome->bytes,
               outcome->values, outcome->refused, outcome->profileless);
        if (timed)
            printf(" %11.2f %5.2f %5.2f %6.1f %8.4f (%s: %.0f times)", 1 / cost[WALK_CHECK],
                   1 / cost[WALK_SCAN], 1 / cost[WALK_READ], 1 / cost[WALK_BARE],
                   1 / cost[WALK_ORACLE], format_oracles[format],
                   cost[WALK_ORACLE] / cost[WALK_SCAN]);
        putchar('\n');
    }
    if (command->samples.formless_count > 0)
        printf("%" PRIu32 " files are of no format and were passed over\n",
               command->samples.formless_count);
    printf("%s: %" PRIu32 " objections\n",
           command->objections == 0 ? "the oracles agree" : "THE ORACLES DISAGREE",
           command->objections);
}

static void print_json(const struct scan_command *command)
{
    const char *comma = "";
    printf("{\"formats\":[");
    for (unsigned format = 0; format < FORMAT_COUNT; format++) {
        const struct outcome *outcome = &command->outcomes[format];
        if (outcome->files == 0)
            continue;
        printf("%s{\"format\":\"%s\",\"oracle\":\"%s\",\"files\":%" PRIu64 ",\"messages\":%" PRIu64
               ",\"bytes\":%" PRIu64 ",\"values\":%" PRIu64 ",\"refused\":%" PRIu64
               ",\"profileless\":%" PRIu64,
               comma, format_names[format], format_oracles[format], outcome->files,
               outcome->messages, outcome->bytes, outcome->values, outcome->refused,
               outcome->profileless);
        for (unsigned walk = 0; walk < WALK_COUNT && command->milliseconds > 0; walk++)
            printf(",\"%s_gb_per_second\":%.4f", walk_names[walk], 1 / outcome->ns_per_byte[walk]);
        putchar('}');
        comma = ",";
    }
    printf("],\"passed_over\":%" PRIu32 ",\"objections\":%" PRIu32 "}\n",
           command->samples.formless_count, command->objections);
}

/* `kouan-bench micro`: the stages of a message's way, one at a time (bench/micro/micro.h). */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bench/command.h"
#include "bench/micro/micro.h"
#include "bench/race/result_json.h"

struct family {
    const char *name, *help;
    bool (*run)(struct micro *micro);
};

static const struct family families[] = {
#define X(name, help) {#name, help, micro_##name},
    MICRO_LIST(X)
#undef X
};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

static void print_help(void)
{
    puts("kouan-bench micro [NAME...] [--rounds N] [--milliseconds N] [--turns N]\n"
         "                  [--entries N] [--json] [--smoke]\n"
         "What the stages of a message's way cost by themselves, in CPU time of this process: the\n"
         "median of all rounds, and the lowest.");
    for (unsigned i = 0; i < FAMILY_COUNT; i++)
        printf("  %-16s %s\n", families[i].name, families[i].help);
    puts("  --rounds N       default 11\n"
         "  --milliseconds N how long a round is at least (default 20)\n"
         "  --turns N        so many turns a round instead: always the same instructions\n"
         "  --entries N      also measures a window of N entries, 40 bytes each\n"
         "  --smoke          small and short, only to see that all of it works");
}

static void print_line(const struct micro_result *result)
{
    char bytes[16] = "", rate[16] = "";
    if (result->item_bytes > 0) {
        snprintf(bytes, sizeof bytes, "%.0f", result->item_bytes);
        snprintf(rate, sizeof rate, "%.2f", result->item_bytes / result->median_ns);
    }
    printf("%-8s %-32s %7s %9.1f %9.1f %8s\n", result->family, result->name, bytes,
           result->median_ns, result->lowest_ns, rate);
    fflush(stdout);
}

static void print_nothing(const struct micro_result *result)
{
    (void)result;
}

static void print_json(const struct micro *micro)
{
    json_t *object = json_object(), *cases = json_array();
    result_json_add_machine(object);
    json_object_set_new(object, "rounds", json_integer(micro->settings->rounds));
    for (uint32_t i = 0; i < micro->result_count; i++) {
        const struct micro_result *result = &micro->results[i];
        json_array_append_new(cases,
                              json_pack("{s:s, s:s, s:f, s:I, s:f, s:f}", "family", result->family,
                                        "case", result->name, "item_bytes", result->item_bytes,
                                        "items", (json_int_t)result->items, "cpu_ns",
                                        result->median_ns, "cpu_ns_lowest", result->lowest_ns));
    }
    json_object_set_new(object, "cases", cases);
    result_json_write(object, stdout);
}

static bool read_options(int argc, char **argv, struct micro_settings *settings, bool *out_json,
                         int *out_exit)
{
    static const struct option options[] = {
        {"rounds", required_argument, NULL, 'r'}, {"milliseconds", required_argument, NULL, 'm'},
        {"turns", required_argument, NULL, 't'},  {"entries", required_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},         {"smoke", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},         {0}};
    uint64_t rounds = settings->rounds, milliseconds = settings->round_ns / 1000000;
    *out_exit = EXIT_USAGE;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        bool taken = true;
        switch (option) {
        case 'r': taken = option_number("rounds", optarg, 1, MICRO_ROUNDS_MAX, &rounds); break;
        case 'm': taken = option_number("milliseconds", optarg, 1, 60000, &milliseconds); break;
        case 't': taken = option_number("turns", optarg, 1, 1000000000, &settings->turns); break;
        case 'e':
            taken = option_number("entries", optarg, 1024, 1000000000, &settings->entries);
            break;
        case 'j': *out_json = true; break;
        case 's':
            settings->is_smoke = true;
            rounds = 1;
            milliseconds = 1;
            break;
        case 'h':
            print_help();
            *out_exit = EXIT_OK;
            return false;
        default: taken = false;
        }
        if (!taken)
            return false;
    }
    settings->rounds = (uint32_t)rounds;
    settings->round_ns = milliseconds * 1000000;
    return true;
}

/* The names that were given, or all; false if one is none. */
static bool choose(char *const *names, int count, bool out_chosen[FAMILY_COUNT])
{
    for (unsigned i = 0; i < FAMILY_COUNT; i++)
        out_chosen[i] = count == 0;
    for (int i = 0; i < count; i++) {
        unsigned at = 0;
        while (at < FAMILY_COUNT && strcmp(families[at].name, names[i]) != 0)
            at++;
        if (at == FAMILY_COUNT) {
            fprintf(stderr, "kouan-bench: there is no micro-bench `%s`; --help lists them\n",
                    names[i]);
            return false;
        }
        out_chosen[at] = true;
    }
    return true;
}

int command_micro(int argc, char **argv)
{
    struct micro_settings settings = {.rounds = 11, .round_ns = 20 * 1000 * 1000};
    static struct micro micro;
    bool chosen[FAMILY_COUNT], prints_json = false, good = true;
    int result;
    if (!read_options(argc, argv, &settings, &prints_json, &result))
        return result;
    if (!choose(argv + optind, argc - optind, chosen))
        return EXIT_USAGE;
    micro = (struct micro){.settings = &settings,
                           .on_result = prints_json ? print_nothing : print_line};
    if (!prints_json)
        printf("%-8s %-32s %7s %9s %9s %8s\n", "bench", "case", "bytes", "CPU ns", "lowest",
               "GB/s");
    for (unsigned i = 0; i < FAMILY_COUNT && good; i++) {
        micro.family = families[i].name;
        good = !chosen[i] || families[i].run(&micro);
    }
    if (prints_json && good)
        print_json(&micro);
    return good ? EXIT_OK : EXIT_FINDINGS;
}

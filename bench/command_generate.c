#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/command.h"
#include "bench/day/day.h"
#include "bench/day/fault.h"

struct generate_command {
    struct day_settings day;
    const char *directory; /* NULL: to stdout */
};

static void print_help(void)
{
    puts("kouan-bench generate [--messages N] [--seed N] [--mix mix|events] [--size BYTES]\n"
         "                     [--publishers N] [--out DIR]\n"
         "Writes the messages of a day to stdout, each after a line that says what it is and what\n"
         "must become of it; or into files of a directory, one a message.");
}

static void print_title(const struct day *day, uint32_t index)
{
    const struct day_message *message = &day->messages[index];
    printf("#%" PRIu32 " %s %s %s", index, day_eport(message)->name,
           form_message_type((enum day_kind)message->kind),
           day_fate_name((enum day_fate)message->fate));
    if (message->fate == FATE_MALFORMED)
        printf(" (%s: %s)", fault_text((enum day_fault)message->fault),
               fault_reason((enum day_fault)message->fault));
    if (message->twin != DAY_NO_MESSAGE)
        printf(" of #%" PRIu32, message->twin);
    for (uint32_t o = 0; o < OUTLET_COUNT; o++)
        if (message->outlets >> o & 1)
            printf(" ->%s", day_outlet_name((enum day_outlet)o));
    putchar('\n');
}

static bool write_file(const char *directory, const struct day *day, uint32_t index,
                       const uint8_t *body, size_t size)
{
    static const char *const suffixes[DIALECT_COUNT] = {"xml", "xml", "edi", "json"};
    const struct day_message *message = &day->messages[index];
    char path[4096];
    snprintf(path, sizeof path, "%s/%08" PRIu32 "-%s-%s-%s.%s", directory, index,
             day_eport(message)->name, form_message_type((enum day_kind)message->kind),
             day_fate_name((enum day_fate)message->fate),
             suffixes[form_dialect((enum day_kind)message->kind)]);
    FILE *file = fopen(path, "w");
    bool written = file != NULL && fwrite(body, 1, size, file) == size;
    if (file != NULL && fclose(file) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "kouan-bench: %s: %s\n", path, strerror(errno));
    return written;
}

static int generate(const struct generate_command *command)
{
    struct day day;
    uint8_t body[DAY_MESSAGE_BYTES_MAX];
    if (command->directory != NULL && mkdir(command->directory, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "kouan-bench: %s: %s\n", command->directory, strerror(errno));
        return EXIT_USAGE;
    }
    if (day_open(&command->day, &day) != STATUS_OK)
        return EXIT_FINDINGS;
    bool written = true;
    for (uint32_t i = 0; i < command->day.message_count && written; i++) {
        size_t size = day_render(&day, i, body);
        if (command->directory != NULL) {
            written = write_file(command->directory, &day, i, body, size);
            continue;
        }
        print_title(&day, i);
        written = fwrite(body, 1, size, stdout) == size && putchar('\n') != EOF;
    }
    day_close(&day);
    return written && fflush(stdout) == 0 ? EXIT_OK : EXIT_FINDINGS;
}

int command_generate(int argc, char **argv)
{
    static const struct option options[] = {{"messages", required_argument, NULL, 'm'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"mix", required_argument, NULL, 'x'},
                                            {"size", required_argument, NULL, 'b'},
                                            {"publishers", required_argument, NULL, 'p'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static const char *const mixes[] = {"mix", "events", NULL};
    struct generate_command command = {
        .day = {.seed = 1, .message_count = 1000, .stream_count = EPORT_COUNT, .event_bytes = 256}};
    uint64_t messages = command.day.message_count, bytes = command.day.event_bytes;
    uint64_t streams = command.day.stream_count;
    uint32_t mix = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        bool taken = false;
        switch (option) {
        case 'm': taken = option_number("messages", optarg, 1, 100000000, &messages); break;
        case 's': taken = option_number("seed", optarg, 0, UINT64_MAX, &command.day.seed); break;
        case 'x': taken = option_choice("mix", optarg, mixes, &mix); break;
        case 'b':
            taken = option_number("size", optarg, DAY_EVENT_BYTES_MIN, DAY_EVENT_BYTES_MAX, &bytes);
            break;
        case 'p': taken = option_number("publishers", optarg, 1, DAY_STREAMS_MAX, &streams); break;
        case 'o': command.directory = optarg, taken = true; break;
        case 'h': print_help(); return EXIT_OK;
        default: break;
        }
        if (!taken)
            return EXIT_USAGE;
    }
    command.day.message_count = (uint32_t)messages;
    command.day.event_bytes = (uint32_t)bytes;
    command.day.stream_count = (uint32_t)streams;
    command.day.mix = mix == 0 ? MIX_DAY : MIX_EVENTS;
    return generate(&command);
}

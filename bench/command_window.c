/* `kouan-bench window`: how long a start waits for the dedupe window. Sidecars of as many messages
 * as the window holds are written to a folder, and then read back, ahead of what the window takes
 * in, as a start does. What was restored is asked for afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/command.h"
#include "bench/random.h"
#include "core/window.h"
#include "io/journal/disk_ring.h"
#include "io/recover/sidecar_reader.h"

enum {
    RECORD_BYTES = 512, /* of a message in its segment */
    SECOND_BODIES = 16, /* one message in so many has the identity of the one before it */
    SCOPES = 500,
    MESSAGES_PER_SECOND = 10000,
    SAMPLES = 100000, /* asked for afterwards */
    BATCH = 512
};
#define SEGMENT_BYTES (UINT64_C(64) * 1024 * 1024)

struct window_bench {
    uint64_t entries, messages_per_segment, segments, rounds;
    char folder[256];
    int folder_file;
    struct loop *loop;
    struct disk_ring disk;
    struct digest_secret secret;
    struct window *window;
    double open_s, restore_s, cpu_s;
};

static bool write_sidecars(struct window_bench *bench);
static bool restore(struct window_bench *bench);
static uint64_t count_wrong(struct window_bench *bench);

static void print_help(void)
{
    puts("kouan-bench window [--entries N] [--rounds N] [--folder PATH]\n"
         "Writes the identities of N messages as a log keeps them, 48 bytes each, then opens a\n"
         "window of N entries and reads them back into it: what a start waits for. The page cache\n"
         "is passed by where the file system has O_DIRECT. Afterwards 100000 of them are asked\n"
         "for: each has to be a replay. The window takes 40 bytes an entry.\n"
         "  --entries N    default 1m\n"
         "  --rounds N     reads them so often (default 1). On a virtual machine the first round\n"
         "                 also waits for the host to hand out the memory\n"
         "  --folder PATH  where its own folder is made, and removed again (default: here)");
}

static double now_s(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- the messages: all that is known of one follows from its number ---- */

static struct digest digest_of(uint64_t kind, uint64_t number)
{
    uint64_t seed = random_mix(kind << 56 ^ number);
    return (struct digest){.low = random_mix(seed), .high = random_mix(seed ^ 1)};
}

static uint64_t first_of(uint64_t number)
{
    return number % SECOND_BODIES == SECOND_BODIES - 1 ? number - 1 : number;
}

static uint16_t scope_of(uint64_t number)
{
    return (uint16_t)(random_mix(first_of(number)) % SCOPES);
}

static struct sidecar_identity identity_of(const struct window_bench *bench, uint64_t number)
{
    uint64_t segment = number / bench->messages_per_segment;
    uint64_t offset =
        JOURNAL_PAGE_BYTES + number % bench->messages_per_segment * (uint64_t)RECORD_BYTES;
    return (struct sidecar_identity){
        .identity = digest_of(1, first_of(number)),
        .body_digest = digest_of(2, number),
        .position = segment * SEGMENT_BYTES + offset,
        .generation = 1,
        .log_time_s = (uint32_t)(1 + number / MESSAGES_PER_SECOND),
        .participant = scope_of(number),
    };
}

static uint64_t number_at(const struct window_bench *bench, uint64_t position)
{
    uint64_t in_segment = (position % SEGMENT_BYTES - JOURNAL_PAGE_BYTES) / RECORD_BYTES;
    return position / SEGMENT_BYTES * bench->messages_per_segment + in_segment;
}

static enum window_match match(void *context, uint64_t position, const struct window_claim *claim)
{
    const struct window_bench *bench = context;
    struct sidecar_identity identity = identity_of(bench, number_at(bench, position));
    if (!digest_equal(identity.identity, claim->identity))
        return WINDOW_MATCH_NOTHING;
    return digest_equal(identity.body_digest, claim->body_digest) ? WINDOW_MATCH_BODY
                                                                  : WINDOW_MATCH_IDENTITY;
}

/* ---- the command ---- */

static bool read_options(int argc, char **argv, struct window_bench *bench, const char **out_where,
                         int *out_exit)
{
    static const struct option options[] = {{"entries", required_argument, NULL, 'e'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"folder", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    *out_exit = EXIT_USAGE;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
        case 'e':
            if (!option_number("entries", optarg, WINDOW_ENTRIES_MIN, WINDOW_ENTRIES_MAX,
                               &bench->entries))
                return false;
            break;
        case 'r':
            if (!option_number("rounds", optarg, 1, 100, &bench->rounds))
                return false;
            break;
        case 'f': *out_where = optarg; break;
        case 'h':
            print_help();
            *out_exit = EXIT_OK;
            return false;
        default: return false;
        }
    }
    return true;
}

static bool open_bench(struct window_bench *bench, const char *where)
{
    static const struct loop_settings settings = {.submission_entries = 256,
                                                  .completion_entries = 1024,
                                                  .receive_buffer_count = 4,
                                                  .files_max = 64,
                                                  .timers_max = 8};
    char problem[512];
    int error = 0;
    snprintf(bench->folder, sizeof bench->folder, "%s/kouan-bench-window-XXXXXX", where);
    if (mkdtemp(bench->folder) == NULL) {
        fprintf(stderr, "kouan-bench: %s: %s\n", bench->folder, strerror(errno));
        return false;
    }
    bench->folder_file = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (loop_open(&settings, &bench->loop, problem, sizeof problem) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s\n", problem);
        return false;
    }
    if (disk_ring_init(&bench->disk, bench->loop, bench->folder_file, &error) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s: %s\n", bench->folder, strerror(error));
        return false;
    }
    bench->messages_per_segment = (SEGMENT_BYTES - JOURNAL_PAGE_BYTES) / RECORD_BYTES;
    bench->segments =
        (bench->entries + bench->messages_per_segment - 1) / bench->messages_per_segment;
    memcpy(bench->secret.bytes, "not a secret", 12);
    return true;
}

static void close_bench(struct window_bench *bench)
{
    char name[DISK_NAME_BYTES];
    for (uint64_t segment = 0; segment < bench->segments; segment++) {
        sidecar_name(segment, name);
        unlinkat(bench->folder_file, name, 0);
    }
    if (bench->window != NULL)
        window_close(bench->window);
    if (bench->disk.loop != NULL)
        disk_ring_deinit(&bench->disk);
    if (bench->loop != NULL)
        loop_close(bench->loop);
    if (bench->folder_file > 0)
        close(bench->folder_file);
    rmdir(bench->folder);
}

static bool run_round(struct window_bench *bench)
{
    if (!restore(bench))
        return false;
    uint64_t wrong = count_wrong(bench);
    double entries = (double)bench->entries, bytes = entries * sizeof(struct sidecar_item);
    window_close(bench->window);
    bench->window = NULL;
    printf("%" PRIu64 " identities: %.2f s = %.2f s to have %.0f MB of memory + %.2f s to read "
           "%.0f MB and fill it: %.0f ns each (%.0f ns of CPU time), %.2f GB/s; %s\n",
           bench->entries, bench->open_s + bench->restore_s, bench->open_s,
           entries * WINDOW_ENTRY_BYTES_MAX / 1e6, bench->restore_s, bytes / 1e6,
           bench->restore_s * 1e9 / entries, bench->cpu_s * 1e9 / entries,
           bytes / 1e9 / bench->restore_s,
           wrong == 0 ? "all asked for are known" : "SOME ARE NOT KNOWN");
    return wrong == 0;
}

int command_window(int argc, char **argv)
{
    static struct window_bench bench;
    const char *where = ".";
    int result;
    bench = (struct window_bench){.entries = 1000000, .rounds = 1};
    if (!read_options(argc, argv, &bench, &where, &result))
        return result;
    bool good = open_bench(&bench, where) && write_sidecars(&bench);
    for (uint64_t round = 0; good && round < bench.rounds; round++)
        good = run_round(&bench);
    close_bench(&bench);
    return good ? EXIT_OK : EXIT_FINDINGS;
}

/* ---- written ---- */

static bool write_file(const struct window_bench *bench, const struct sidecar_header *header,
                       uint64_t bytes)
{
    char name[DISK_NAME_BYTES];
    sidecar_name(header->segment_number, name);
    int file = openat(bench->folder_file, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = file >= 0;
    for (uint64_t done = 0; good && done < bytes;) {
        ssize_t written = write(file, (const uint8_t *)header + done, bytes - done);
        good = written > 0;
        done += good ? (uint64_t)written : 0;
    }
    good = good && fsync(file) == 0;
    if (!good)
        fprintf(stderr, "kouan-bench: %s/%s: %s\n", bench->folder, name, strerror(errno));
    if (file >= 0) {
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
        close(file);
    }
    return good;
}

static struct digest last_block_of(uint64_t segment)
{
    return digest_of(3, segment);
}

static bool write_sidecars(struct window_bench *bench)
{
    struct sidecar_header *header =
        aligned_alloc(JOURNAL_PAGE_BYTES, sidecar_bytes_max(SEGMENT_BYTES));
    bool good = header != NULL;
    uint64_t number = 0;
    for (uint64_t segment = 0; good && segment < bench->segments; segment++) {
        sidecar_begin(header, 0, segment, SEGMENT_BYTES);
        for (uint64_t end = number + bench->messages_per_segment;
             number < end && number < bench->entries; number++) {
            struct sidecar_identity identity = identity_of(bench, number);
            sidecar_add(header, &bench->secret, &identity);
        }
        good =
            write_file(bench, header, sidecar_seal(header, &bench->secret, last_block_of(segment)));
    }
    free(header);
    return good;
}

/* ---- restored ---- */

static void take_in(struct window_bench *bench, const struct sidecar_header *header, uint32_t end_s)
{
    struct window_restored items[BATCH];
    for (uint64_t at = 0; at < header->count;) {
        uint32_t count = 0;
        for (; count < BATCH && at < header->count; at++) {
            struct sidecar_identity identity = sidecar_at(header, at);
            items[count++] = (struct window_restored){
                .identity = identity.identity,
                .body_digest = identity.body_digest,
                .position = identity.position,
                .time_s = identity.log_time_s,
                .scope = identity.participant,
            };
        }
        window_restore(bench->window, items, count, end_s);
    }
}

static bool restore(struct window_bench *bench)
{
    const struct window_settings settings = {
        .entries_max = bench->entries,
        .unplaced_max = 1024,
        .log_count = 1,
        .span_s = UINT32_MAX,
        .match = match,
        .context = bench,
    };
    const struct sidecar_reader_settings reading = {
        .disk = &bench->disk.disk,
        .secret = bench->secret,
        .segment_bytes = SEGMENT_BYTES,
        .end_segment = bench->segments,
    };
    struct sidecar_reader *reader;
    double start_s = now_s(CLOCK_MONOTONIC);
    if (window_open(&settings, &bench->window) != STATUS_OK ||
        sidecar_reader_open(&reading, &reader) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: there is not enough memory\n");
        return false;
    }
    double opened_s = now_s(CLOCK_MONOTONIC), cpu_s = now_s(CLOCK_THREAD_CPUTIME_ID);
    bool good = true;
    for (uint64_t segment = 0; good && segment < bench->segments; segment++) {
        const struct sidecar_header *header = sidecar_reader_next(reader, last_block_of(segment));
        good = header != NULL;
        if (good)
            take_in(bench, header, (uint32_t)(1 + bench->entries / MESSAGES_PER_SECOND));
        else
            fprintf(stderr, "kouan-bench: sidecar %" PRIu64 " cannot be read\n", segment);
    }
    sidecar_reader_close(reader);
    bench->open_s = opened_s - start_s;
    bench->restore_s = now_s(CLOCK_MONOTONIC) - opened_s;
    bench->cpu_s = now_s(CLOCK_THREAD_CPUTIME_ID) - cpu_s;
    return good;
}

/* Each of them is a replay of its own record, and the window is full. */
static uint64_t count_wrong(struct window_bench *bench)
{
    struct window_figures figures;
    uint64_t wrong = 0;
    window_figures(bench->window, &figures);
    wrong += figures.used != bench->entries || figures.evicted_for_room != 0;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        struct sidecar_identity identity = identity_of(bench, random_mix(i) % bench->entries);
        struct window_claim claim = {.identity = identity.identity,
                                     .body_digest = identity.body_digest,
                                     .scope = identity.participant};
        window_ask(bench->window, &claim, 1, UINT32_MAX);
        wrong += claim.verdict != VERDICT_REPLAY || claim.first_position != identity.position;
    }
    return wrong;
}

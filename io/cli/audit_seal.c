/* kouan audit seal: a seal beside each closed segment, each upon the one before. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "io/audit/merkle.h"
#include "io/cli/audit.h"
#include "io/journal/log_folder.h"

struct sealer {
    struct logbook_place place;
    const char *key_path;
    bool check;
    struct arena arena;
    struct log_reader reader;
    struct bytes key;
    /* All seals there are, in order, also those whose segments are gone: */
    uint64_t *sealed;
    uint32_t sealed_count, sealed_capacity;
    struct sha256 last_mac;
    /* The segment that is being read: */
    struct merkle tree;
    struct seal seal;
    bool in_segment;
    uint64_t made, checked, wrong;
};

static enum cli_exit seal_log(void *context, const struct log_reader *reader);
static enum cli_exit seal_all(struct sealer *sealer);

enum cli_exit audit_seal(int argc, char **argv)
{
    struct sealer sealer = {.place.command = "audit seal"};
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(sealer.place),
        AUDIT_KEY_ARGUMENT(sealer.key_path),
        {.name = "check",
         .target = &sealer.check,
         .help = "read the sealed segments again, and hold them to their seals"},
    };
    const struct argument_page page = {
        .command = "audit seal",
        .operands = "[FOLDER]",
        .about = "Seals every closed segment that has no seal yet: the digest of all its records\n"
                 "(a Merkle tree), under the key (HMAC-SHA-256), upon the seal before. Whoever\n"
                 "changes a record, or takes a segment or a seal away, breaks the chain; without\n"
                 "the key it cannot be made anew. All seals there are, are checked first. Works\n"
                 "beside a running server. Keep the key elsewhere than the journal.",
        .epilogue = "Exit code: 0, or 1 if a seal does not hold or a segment cannot be sealed.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit end;
    if (!arguments_parse(&page, argc, argv, &first, &end))
        return end;
    sealer.place.folder = first < argc ? argv[first] : NULL;
    arena_init(&sealer.arena);
    end = audit_read_key("audit seal", sealer.key_path, &sealer.arena, &sealer.key);
    if (end == CLI_OK)
        end = logbook_each(&sealer.place, seal_log, &sealer);
    arena_deinit(&sealer.arena);
    return end;
}

/* Each log has a chain of its own. */
static enum cli_exit seal_log(void *context, const struct log_reader *reader)
{
    const struct sealer *asked = context;
    struct sealer sealer = {.check = asked->check, .key = asked->key, .reader = *reader};
    merkle_init(&sealer.tree);
    enum cli_exit end = seal_all(&sealer);
    free(sealer.sealed);
    merkle_deinit(&sealer.tree);
    return end;
}

/* ---- the seals there are ---- */

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static void note_seal(void *context, const char *name)
{
    struct sealer *sealer = context;
    uint64_t number;
    if (!log_folder_parse_name(name, ".seal", &number))
        return;
    if (sealer->sealed_count == sealer->sealed_capacity) {
        sealer->sealed_capacity = sealer->sealed_capacity * 2 + 64;
        sealer->sealed = realloc(sealer->sealed, sealer->sealed_capacity * sizeof *sealer->sealed);
        if (sealer->sealed == NULL)
            abort();
    }
    sealer->sealed[sealer->sealed_count++] = number;
}

static enum status list_seals(struct sealer *sealer)
{
    const struct log_reader *reader = &sealer->reader;
    enum status status = log_folder_list(reader->log_file, note_seal, sealer);
    if (status == STATUS_OK && reader->spare_file >= 0)
        status = log_folder_list(reader->spare_file, note_seal, sealer);
    if (sealer->sealed_count > 0)
        qsort(sealer->sealed, sealer->sealed_count, sizeof *sealer->sealed, compare_numbers);
    return status;
}

static bool wrong(struct sealer *sealer, uint64_t segment, const char *what)
{
    sealer->wrong++;
    printf("segment %" PRIu64 ": %s\n", segment, what);
    return false;
}

/* Each is of this key and names the one before; the chain begins with a first. */
static bool check_chain(struct sealer *sealer)
{
    struct sha256 previous = {{0}};
    for (uint32_t i = 0; i < sealer->sealed_count; i++) {
        struct seal_text text;
        struct seal seal;
        uint64_t number = sealer->sealed[i];
        enum status status = audit_read_seal(&sealer->reader, number, &text, &seal);
        if (status != STATUS_OK)
            return wrong(sealer, number,
                         status == STATUS_INVALID ? "its seal is none" : status_text(status));
        if (!seal_names_key(&seal, sealer->key))
            return wrong(sealer, number, "it was sealed with another key");
        if (!seal_is_of(bytes_make(text.text, text.size), sealer->key) || seal.segment != number ||
            seal.log != sealer->reader.log_number)
            return wrong(sealer, number, "its seal was changed: the mac does not hold");
        if (memcmp(seal.previous.bytes, previous.bytes, SHA256_BYTES) != 0 ||
            (i > 0 && number != sealer->sealed[i - 1] + 1))
            return wrong(sealer, number, "the seal before it is missing");
        previous = seal.mac;
    }
    sealer->last_mac = previous;
    return true;
}

/* ---- segments ---- */

static uint64_t now_ms(void)
{
    enum { MS_PER_S = 1000, NS_PER_MS = 1000000 };
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * MS_PER_S + (uint64_t)now.tv_nsec / NS_PER_MS;
}

/* Whole, under another name first: a seal is there or not. */
static enum status store(const struct sealer *sealer, uint64_t segment,
                         const struct seal_text *text)
{
    char name[LOG_FILE_NAME_BYTES];
    static const char new_name[] = "new.seal.tmp";
    const struct log_reader *reader = &sealer->reader;
    int folder = log_reader_folder(reader, &reader->segments[reader->segment_count - 1]);
    log_file_name(segment, "seal", name);
    int file = openat(folder, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return STATUS_IO;
    bool ok = write(file, text->text, text->size) == (ssize_t)text->size && fsync(file) == 0;
    ok = close(file) == 0 && ok;
    return ok && renameat(folder, new_name, folder, name) == 0 && fsync(folder) == 0 ? STATUS_OK
                                                                                     : STATUS_IO;
}

static bool is_sealed(const struct sealer *sealer, uint64_t segment)
{
    return sealer->sealed_count > 0 && segment <= sealer->sealed[sealer->sealed_count - 1];
}

static enum status check_segment(struct sealer *sealer)
{
    struct seal_text text;
    struct seal seal;
    uint64_t number = sealer->seal.segment;
    if (audit_read_seal(&sealer->reader, number, &text, &seal) != STATUS_OK)
        return STATUS_OK; /* from before the first seal */
    sealer->checked++;
    if (memcmp(seal.root.bytes, sealer->seal.root.bytes, SHA256_BYTES) != 0 ||
        seal.records != sealer->seal.records || seal.start != sealer->seal.start ||
        seal.end != sealer->seal.end)
        wrong(sealer, number, "its records are not those that were sealed");
    return STATUS_OK;
}

/* All of the segment was read, since a block of a later one follows. */
static enum status finish_segment(struct sealer *sealer)
{
    struct seal *seal = &sealer->seal;
    sealer->in_segment = false;
    seal->records = sealer->tree.count;
    seal->root = merkle_root(&sealer->tree, 0, NULL, NULL);
    if (is_sealed(sealer, seal->segment))
        return check_segment(sealer);
    seal->previous = sealer->last_mac;
    seal->sealed_ms = now_ms();
    struct seal_text text = seal_write(seal, sealer->key);
    enum status status = store(sealer, seal->segment, &text);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan audit seal: cannot write the seal of segment %" PRIu64 ": %s\n",
                seal->segment, strerror(errno));
        return status;
    }
    sealer->last_mac = seal->mac;
    sealer->made++;
    printf("segment %" PRIu64 " sealed: %" PRIu64 " records, %s\n", seal->segment, seal->records,
           sha256_format(seal->mac.bytes).text);
    return STATUS_OK;
}

static enum status take_block(void *context, const struct block_header *block)
{
    struct sealer *sealer = context;
    uint64_t number = block->position / sealer->reader.segment_bytes;
    if (sealer->in_segment && sealer->seal.segment != number) {
        enum status status = finish_segment(sealer);
        if (status != STATUS_OK)
            return status;
    }
    if (!sealer->in_segment) {
        const struct log_segment *segment = log_reader_find(&sealer->reader, number);
        merkle_clear(&sealer->tree);
        sealer->in_segment = true;
        sealer->seal = (struct seal){.log = sealer->reader.log_number,
                                     .segment = number,
                                     .start = block->position,
                                     .begun_ms = segment != NULL ? segment->header.wall_ms : 0};
    }
    sealer->seal.end = block->position + block->size_bytes;
    return STATUS_OK;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct sealer *sealer = context;
    (void)block;
    merkle_add(&sealer->tree, seal_leaf(position, bytes_make(head, head->size_bytes)));
    return STATUS_OK;
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    struct sealer *sealer = context;
    if (!gap->loses_blocks)
        return STATUS_OK;
    sealer->wrong++;
    printf("segment %" PRIu64 ": positions %" PRIu64 " to %" PRIu64 " are damaged: %s\n"
           "What is damaged is not sealed, nor what follows; see kouan journal verify\n",
           gap->from / sealer->reader.segment_bytes, gap->from, gap->to, gap->reason);
    return STATUS_CORRUPT;
}

static enum cli_exit seal_all(struct sealer *sealer)
{
    const struct log_reader *reader = &sealer->reader;
    struct log_walk walk;
    if (list_seals(sealer) != STATUS_OK) {
        fprintf(stderr, "kouan audit seal: cannot list %s/%s\n", reader->folder, reader->log_name);
        return CLI_INVALID;
    }
    if (!check_chain(sealer))
        return CLI_INVALID;
    uint64_t from = reader->segments[0].number;
    if (!sealer->check && is_sealed(sealer, from))
        from = sealer->sealed[sealer->sealed_count - 1] + 1;
    if (sealer->sealed_count > 0 && sealer->sealed[sealer->sealed_count - 1] + 1 < from) {
        wrong(sealer, from, "segments before it went without a seal");
        return CLI_INVALID;
    }
    const struct log_handler handler = {
        .block = take_block, .record = take_record, .gap = take_gap, .context = sealer};
    enum status status = log_walk(reader, from, &handler, &walk);
    printf("%" PRIu32 " seals were there and hold, %" PRIu64 " are new", sealer->sealed_count,
           sealer->made);
    if (sealer->check)
        printf(", %" PRIu64 " segments were held to their seals", sealer->checked);
    putchar('\n');
    return status == STATUS_OK && sealer->wrong == 0 ? CLI_OK : CLI_INVALID;
}

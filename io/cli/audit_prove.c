/* kouan audit prove: a message, and how it leads to the root of a sealed segment. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/audit/merkle.h"
#include "io/cli/audit.h"
#include "io/cli/output.h"
#include "io/file.h"

/* One record of the segment that goes into the proof. */
struct proved {
    void *record; /* a copy; NULL: not found yet */
    uint64_t position, index;
    uint32_t size_bytes;
};

struct prover {
    const char *output_path;
    struct logbook_place place;
    struct logbook_filter filter;
    struct arena arena;
    struct log_reader reader;
    struct merkle tree;
    uint64_t segment; /* that `tree` is of; UINT64_MAX: none yet */
    struct proved message, generation;
    bool finished; /* all of the message's segment was read */
};

static enum cli_exit prove(struct prover *prover, const char *id);

enum cli_exit audit_prove(int argc, char **argv)
{
    struct prover prover = {.place.command = "audit prove", .segment = UINT64_MAX};
    const char *folder = NULL;
    const struct argument arguments[] = {
        LOGBOOK_PLACE_ARGUMENTS(prover.place),
        {.name = "journal",
         .kind = ARGUMENT_TEXT,
         .target = &folder,
         .value = "FOLDER",
         .help = "the journal, if no configuration names it"},
        {.letter = 'o',
         .name = "output",
         .kind = ARGUMENT_TEXT,
         .target = &prover.output_path,
         .value = "FILE",
         .help = "write the proof there, not to standard output"},
    };
    const struct argument_page page = {
        .command = "audit prove",
        .operands = "ID",
        .about =
            "Makes a proof of one message, JSON of a few KB and the message: its record, the\n"
            "digests that lead from it to the root of its segment, and the segment's seal. It\n"
            "tells nothing of any other message. `kouan audit check` checks it with the key\n"
            "alone. The message's segment must be sealed: see `kouan audit seal`.",
        .epilogue = "Exit code: 0, or 1 if there is no such message, or it is not sealed yet.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 1,
        .operands_max = 1,
    };
    int first;
    enum cli_exit end;
    if (!arguments_parse(&page, argc, argv, &first, &end))
        return end;
    prover.place.folder = folder;
    prover.filter.id = argv[first];
    end = logbook_filter_parse("audit prove", &prover.filter);
    if (end == CLI_OK)
        end = logbook_open_of(&prover.place, prover.filter.wanted_id, &prover.reader);
    if (end != CLI_OK)
        return end;
    arena_init(&prover.arena);
    merkle_init(&prover.tree);
    end = prove(&prover, argv[first]);
    free(prover.message.record);
    free(prover.generation.record);
    merkle_deinit(&prover.tree);
    arena_deinit(&prover.arena);
    log_reader_close(&prover.reader);
    return end;
}

/* ---- gathering ---- */

static void keep(struct proved *proved, const struct prover *prover, const struct record_head *head,
                 uint64_t position)
{
    free(proved->record);
    proved->record = malloc(head->size_bytes);
    if (proved->record == NULL)
        abort();
    memcpy(proved->record, head, head->size_bytes);
    proved->size_bytes = head->size_bytes;
    proved->position = position;
    proved->index = prover->tree.count;
}

static enum status take_block(void *context, const struct block_header *block)
{
    struct prover *prover = context;
    uint64_t number = block->position / prover->reader.segment_bytes;
    if (number == prover->segment)
        return STATUS_OK;
    if (prover->message.record != NULL) {
        prover->finished = true;
        return STATUS_EXISTS;
    }
    merkle_clear(&prover->tree);
    free(prover->generation.record);
    prover->generation.record = NULL;
    prover->segment = number;
    return STATUS_OK;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct prover *prover = context;
    (void)block;
    if (head->kind == RECORD_KIND_MESSAGE && prover->message.record == NULL &&
        record_id_compare(((const struct record *)(const void *)head)->id,
                          prover->filter.wanted_id) == 0)
        keep(&prover->message, prover, head, position);
    if (head->kind == RECORD_KIND_GENERATION && prover->message.record == NULL)
        keep(&prover->generation, prover, head, position);
    merkle_add(&prover->tree, seal_leaf(position, bytes_make(head, head->size_bytes)));
    return STATUS_OK;
}

static enum status take_gap(void *context, const struct log_gap *gap)
{
    const struct prover *prover = context;
    if (gap->loses_blocks && prover->message.record != NULL)
        fprintf(stderr, "kouan audit prove: its segment is damaged: %s\n", gap->reason);
    return gap->loses_blocks && prover->message.record != NULL ? STATUS_CORRUPT : STATUS_OK;
}

/* ---- writing ---- */

static void print_proved(FILE *out, const struct prover *prover, const struct proved *proved)
{
    struct sha256 path[MERKLE_PATH_MAX];
    uint32_t count;
    merkle_root(&prover->tree, proved->index, path, &count);
    fprintf(out, "{\"position\":%" PRIu64 ",\"index\":%" PRIu64 ",\n  \"path\":[", proved->position,
            proved->index);
    for (uint32_t i = 0; i < count; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? ",\n   " : "", sha256_format(path[i].bytes).text);
    fputs("],\n  \"record\":\"", out);
    output_base64(out, bytes_make(proved->record, proved->size_bytes));
    fputs("\"}", out);
}

static enum status read_manifest(struct prover *prover, const char *journal,
                                 const struct fact_generation *fact, struct bytes *out_manifest)
{
    char path[LOG_PATH_BYTES + 128];
    snprintf(path, sizeof path, "%s/generations/%s", journal, sha256_format(fact->manifest).text);
    return file_read(&prover->arena, path, GENERATION_MANIFEST_BYTES_MAX, out_manifest, NULL);
}

/* What the indices in the record mean; it is proved by the fact that names its digest. */
static void print_manifest(FILE *out, struct prover *prover)
{
    const struct record *record = prover->message.record;
    const struct fact_generation *fact = prover->generation.record;
    struct bytes manifest;
    if (fact == NULL || fact->number != record->generation)
        return;
    if (read_manifest(prover, prover->reader.folder, fact, &manifest) != STATUS_OK &&
        read_manifest(prover, prover->reader.spare, fact, &manifest) != STATUS_OK)
        return;
    fputs(",\n \"generation\":", out);
    print_proved(out, prover, &prover->generation);
    fputs(",\n \"manifest\":\"", out);
    output_base64(out, manifest);
    putc('"', out);
}

static void print_proof(FILE *out, struct prover *prover, const struct seal_text *seal)
{
    const struct record *record = prover->message.record;
    fprintf(out, "{\"kouan_proof\":1,\n \"id\":\"%" PRIu64 "-%" PRIu64 "\",\n \"message\":",
            record->id.ms, record->id.seq);
    print_proved(out, prover, &prover->message);
    print_manifest(out, prover);
    fputs(",\n \"seal\":", out);
    output_json(out, bytes_make(seal->text, seal->size));
    fputs("}\n", out);
}

static enum cli_exit fail(const char *id, const char *what)
{
    fprintf(stderr, "kouan audit prove: %s: %s\n", id, what);
    return CLI_INVALID;
}

static enum cli_exit prove(struct prover *prover, const char *id)
{
    struct log_walk walk;
    struct seal_text text;
    struct seal seal;
    const struct log_handler handler = {
        .block = take_block, .record = take_record, .gap = take_gap, .context = prover};
    enum status status =
        log_walk(&prover->reader, logbook_filter_first_segment(&prover->filter, &prover->reader),
                 &handler, &walk);
    if (status != STATUS_OK && status != STATUS_EXISTS)
        return fail(id, status_text(status));
    if (prover->message.record == NULL)
        return fail(id, "no message in the journal has this id");
    if (!prover->finished)
        return fail(id, "its segment is still being written, and so not sealed");
    status = audit_read_seal(&prover->reader, prover->segment, &text, &seal);
    if (status != STATUS_OK)
        return fail(id, status == STATUS_NOT_FOUND
                            ? "its segment is not sealed yet: kouan audit seal"
                            : "the seal of its segment cannot be read");
    struct sha256 root = merkle_root(&prover->tree, 0, NULL, NULL);
    if (memcmp(root.bytes, seal.root.bytes, SHA256_BYTES) != 0)
        return fail(id, "the records of its segment are not those that were sealed");
    FILE *out = prover->output_path != NULL ? fopen(prover->output_path, "we") : stdout;
    if (out == NULL)
        return fail(prover->output_path, strerror(errno));
    print_proof(out, prover, &text);
    bool ok = fflush(out) == 0;
    if (out != stdout)
        ok = fclose(out) == 0 && ok;
    return ok ? CLI_OK : fail(id, "the proof cannot be written");
}

/* kouan audit check: a proof and the key, without the journal. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/audit/merkle.h"
#include "io/cli/audit.h"
#include "io/cli/output.h"
#include "io/file.h"
#include "routes/scan/base64.h"

enum { PROOF_BYTES_MAX = 256 * 1024 * 1024 };

struct checker {
    const char *path, *key_path, *body_path;
    struct arena arena;
    struct bytes key;
    struct seal seal;
    const struct record *message;
    const struct fact_generation *generation; /* NULL: the proof has none */
    struct generation_names names;
    bool has_names;
};

static enum cli_exit check(struct checker *checker);

enum cli_exit audit_check(int argc, char **argv)
{
    struct checker checker = {0};
    const struct argument arguments[] = {
        AUDIT_KEY_ARGUMENT(checker.key_path),
        {.name = "body",
         .kind = ARGUMENT_TEXT,
         .target = &checker.body_path,
         .value = "FILE",
         .help = "write the message's own bytes there"},
    };
    const struct argument_page page = {
        .command = "audit check",
        .operands = "PROOF",
        .about = "Checks a proof that `kouan audit prove` made, with the key of the seals and\n"
                 "without the journal, and shows the message that it proves: that this record, at\n"
                 "this place, with this time, sender, decision and body, was in the journal when\n"
                 "its segment was sealed.",
        .epilogue = "Exit code: 0 it is proved, 1 it is not.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 1,
        .operands_max = 1,
    };
    int first;
    enum cli_exit end;
    if (!arguments_parse(&page, argc, argv, &first, &end))
        return end;
    checker.path = argv[first];
    arena_init(&checker.arena);
    end = audit_read_key("audit check", checker.key_path, &checker.arena, &checker.key);
    if (end == CLI_OK)
        end = check(&checker);
    arena_deinit(&checker.arena);
    return end;
}

static bool fail(const struct checker *checker, const char *what)
{
    fprintf(stderr, "kouan audit check: %s: %s\n", checker->path, what);
    return false;
}

/* ---- members of the proof ---- */

/* Decoded into the arena, aligned for any type. */
static bool take_base64(struct checker *checker, const json_t *value, struct bytes *out_bytes)
{
    size_t size, bad;
    if (!json_is_string(value))
        return false;
    size_t text_size = json_string_length(value);
    uint8_t *memory = arena_allocate(&checker->arena, text_size + BYTES_PADDING);
    memcpy(memory, json_string_value(value), text_size);
    if (base64_decode(memory, text_size, &size, &bad) != NULL)
        return false;
    *out_bytes = bytes_make(memory, size);
    return true;
}

static bool take_path(const json_t *value, struct sha256 out_path[MERKLE_PATH_MAX],
                      uint32_t *out_count)
{
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > MERKLE_PATH_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (text == NULL || !sha256_parse(bytes_from_text(text), &out_path[i]))
            return false;
    }
    *out_count = (uint32_t)count;
    return true;
}

/* A record of the sealed segment: NULL, said why, if it is none. */
static const struct record_head *take_record(struct checker *checker, const json_t *proved,
                                             enum record_kind kind)
{
    struct sha256 path[MERKLE_PATH_MAX];
    uint32_t count;
    struct bytes bytes;
    const json_t *position = json_object_get(proved, "position");
    const json_t *index = json_object_get(proved, "index");
    if (!json_is_integer(position) || !json_is_integer(index) ||
        !take_path(json_object_get(proved, "path"), path, &count) ||
        !take_base64(checker, json_object_get(proved, "record"), &bytes)) {
        fail(checker, "it is not a proof of `kouan audit prove`");
        return NULL;
    }
    uint64_t at = (uint64_t)json_integer_value(position);
    if (at < checker->seal.start || at >= checker->seal.end ||
        !merkle_holds(seal_leaf(at, bytes), (uint64_t)json_integer_value(index),
                      checker->seal.records, path, count, &checker->seal.root)) {
        fail(checker, "NOT PROVED: the record does not lead to the root that was sealed");
        return NULL;
    }
    const struct record_head *head = (const struct record_head *)(const void *)bytes.data;
    if (bytes.size < sizeof *head || record_check(head, bytes.size) != STATUS_OK ||
        head->size_bytes != bytes.size || head->kind != kind) {
        fail(checker, "NOT PROVED: what was sealed here is another kind of record");
        return NULL;
    }
    return head;
}

static bool take_seal(struct checker *checker, const json_t *proof)
{
    const json_t *value = json_object_get(proof, "seal");
    if (!json_is_string(value))
        return fail(checker, "it is not a proof of `kouan audit prove`");
    struct bytes text = bytes_make(json_string_value(value), json_string_length(value));
    if (seal_parse(text, &checker->seal) != STATUS_OK)
        return fail(checker, "its seal is none");
    if (!seal_names_key(&checker->seal, checker->key))
        return fail(checker, "it was sealed with another key than this one");
    if (!seal_is_of(text, checker->key))
        return fail(checker, "NOT PROVED: the seal was changed, its mac does not hold");
    return true;
}

static bool take_generation(struct checker *checker, const json_t *proof)
{
    struct bytes manifest;
    uint32_t line;
    const json_t *proved = json_object_get(proof, "generation");
    if (proved == NULL)
        return true;
    checker->generation = (const struct fact_generation *)(const void *)take_record(
        checker, proved, RECORD_KIND_GENERATION);
    if (checker->generation == NULL)
        return false;
    if (!take_base64(checker, json_object_get(proof, "manifest"), &manifest) ||
        memcmp(sha256_of(manifest).bytes, checker->generation->manifest, SHA256_BYTES) != 0)
        return fail(checker, "NOT PROVED: the manifest is not the one that was sealed");
    checker->has_names =
        checker->generation->number == checker->message->generation &&
        generation_names_parse(&checker->arena, manifest, &checker->names, &line) == STATUS_OK;
    checker->names.number = checker->generation->number;
    return true;
}

static bool take_proof(struct checker *checker, const json_t *proof)
{
    if (!json_is_integer(json_object_get(proof, "kouan_proof")))
        return fail(checker, "it is not a proof of `kouan audit prove`");
    if (json_integer_value(json_object_get(proof, "kouan_proof")) != 1)
        return fail(checker, "a proof of another version");
    if (!take_seal(checker, proof))
        return false;
    checker->message = (const struct record *)(const void *)take_record(
        checker, json_object_get(proof, "message"), RECORD_KIND_MESSAGE);
    return checker->message != NULL && take_generation(checker, proof);
}

/* ---- what is proved ---- */

static void show(const struct checker *checker)
{
    struct logbook_names names = {0};
    struct logbook_groups groups = {0};
    struct generation_names known = checker->names;
    if (checker->has_names) {
        names.items = &known;
        names.count = 1;
    }
    const struct logbook_words words = {
        .names = &names, .groups = &groups, .bodies = BODIES_BEGINNING};
    const struct logbook_item item = {.head = &checker->message->head};
    struct bytes whole = record_whole(checker->message);
    output_painted(stdout, PAINT_GOOD, "proved");
    printf(": in segment %" PRIu64 ", sealed ", checker->seal.segment);
    output_time(stdout, checker->seal.sealed_ms);
    putchar('\n');
    logbook_print_text(&words, &item);
    printf("rules    ");
    logbook_print_rules(&names, checker->message, false);
    printf(" of generation %" PRIu64 "\n", checker->message->generation);
    printf("body     %zu bytes, SHA-256 %s\n", whole.size,
           sha256_format(sha256_of(whole).bytes).text);
    if (!checker->has_names)
        puts("The proof has no names with it: participants and destinations are shown as numbers.");
}

static bool write_body(const struct checker *checker)
{
    struct bytes whole = record_whole(checker->message);
    if (checker->body_path == NULL)
        return true;
    FILE *out = fopen(checker->body_path, "we");
    bool ok = out != NULL && fwrite(whole.data, 1, whole.size, out) == whole.size;
    if (out != NULL)
        ok = fclose(out) == 0 && ok;
    if (!ok)
        fprintf(stderr, "kouan audit check: cannot write %s: %s\n", checker->body_path,
                strerror(errno));
    return ok;
}

static enum cli_exit check(struct checker *checker)
{
    struct bytes text;
    json_error_t error;
    enum status status = file_read(&checker->arena, checker->path, PROOF_BYTES_MAX, &text, NULL);
    if (status != STATUS_OK) {
        fail(checker, status_text(status));
        return CLI_INVALID;
    }
    json_t *proof = json_loadb((const char *)text.data, text.size, 0, &error);
    if (proof == NULL) {
        fail(checker, "it is no JSON");
        return CLI_INVALID;
    }
    bool ok = take_proof(checker, proof);
    json_decref(proof);
    if (!ok)
        return CLI_INVALID;
    show(checker);
    return write_body(checker) ? CLI_OK : CLI_INVALID;
}

/* kouan profile: a dialect developed without us. `draft` proposes a profile, `expect` writes down
 * what it reads, `test` holds it to that, `show` prints a shipped one to begin with. */
#include "io/cli/profile.h"

#include <stdio.h>
#include <string.h>

#include "io/cli/arguments.h"
#include "io/file.h"
#include "routes/dialect/shipped.h"

enum { PROFILE_FILE_BYTES_MAX = 256 * 1024 };

enum cli_exit cli_profile(int argc, char **argv)
{
    const char *name = NULL;
    const struct argument arguments[] = {
        {.name = "name",
         .kind = ARGUMENT_TEXT,
         .target = &name,
         .value = "NAME",
         .help = "draft: the profile's name; else the first sample's root or type"},
    };
    const struct argument_page page = {
        .command = "profile",
        .operands = "draft SAMPLE... | expect FILE SAMPLE... | test FILE... | show [NAME...]",
        .about =
            "Teaches Kouan a dialect (docs/profiles.md).\n"
            "  draft   proposes a profile for samples of one dialect, by the names it knows\n"
            "  expect  prints what the profile FILE reads from samples, as examples to check\n"
            "          by eye and keep in a file beside it: arrival.yaml, arrival.expect.yaml\n"
            "  test    reads the examples beside each profile FILE and tells every difference\n"
            "  show    prints shipped profiles to begin with, as one file, or lists their names",
        .epilogue = "Exit code: 0, or 1 if a sample or an example is not read as it should be.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    const char *word = argv[first++];
    argc -= first;
    argv += first;
    if (strcmp(word, "show") == 0)
        return cli_profile_show(argc, argv);
    if (strcmp(word, "draft") == 0 && argc > 0)
        return cli_profile_draft(name, argc, argv);
    if (strcmp(word, "expect") == 0 && argc > 1)
        return cli_profile_expect(argc, argv);
    if (strcmp(word, "test") == 0 && argc > 0)
        return cli_profile_test(argc, argv);
    if (strcmp(word, "draft") != 0 && strcmp(word, "expect") != 0 && strcmp(word, "test") != 0)
        return arguments_fail("profile", "`%s` is not draft, expect, test or show", word);
    return arguments_fail("profile", "%s needs files", word);
}

/* ---- what the subcommands share ---- */

bool cli_profile_read_file(struct arena *arena, const char *path, struct bytes *out_content)
{
    enum status status = file_read(arena, path, PROFILE_SAMPLE_BYTES_MAX, out_content, NULL);
    if (status == STATUS_OK)
        return true;
    fprintf(stderr, "kouan profile: cannot read %s: %s\n", path, status_text(status));
    return false;
}

static void begin(struct profile_stand *stand)
{
    *stand = (struct profile_stand){0};
    arena_init(&stand->arena);
    diagnostics_init(&stand->diagnostics);
}

static bool finish(struct profile_stand *stand)
{
    enum { TEXT_BYTES = 16 * 1024 * 1024 };
    profile_set_build(&stand->arena, &stand->list, &stand->set, &stand->diagnostics);
    diagnostics_print(&stand->diagnostics, stderr);
    if (stand->diagnostics.error_count > 0)
        return false;
    enum status status = reader_open(&stand->reader, READING_OCCURRENCES_MAX, TEXT_BYTES);
    if (status != STATUS_OK)
        fprintf(stderr, "kouan profile: %s\n", status_text(status));
    return status == STATUS_OK;
}

bool cli_profile_stand_open(struct profile_stand *stand, const char *const *files, int file_count,
                            bool with_shipped)
{
    begin(stand);
    for (int i = 0; i < file_count; i++) {
        struct bytes text;
        enum status status =
            file_read(&stand->arena, files[i], PROFILE_FILE_BYTES_MAX, &text, NULL);
        if (status != STATUS_OK) {
            fprintf(stderr, "kouan profile: cannot read %s: %s\n", files[i], status_text(status));
            return false;
        }
        profile_parse_yaml(&stand->arena, files[i], text, &stand->list, &stand->diagnostics);
    }
    if (with_shipped)
        profile_parse_shipped(&stand->arena, &stand->list, &stand->diagnostics);
    return finish(stand);
}

bool cli_profile_stand_open_text(struct profile_stand *stand, const char *name, struct bytes text)
{
    begin(stand);
    profile_parse_yaml(&stand->arena, name, arena_copy(&stand->arena, text), &stand->list,
                       &stand->diagnostics);
    return finish(stand);
}

void cli_profile_stand_close(struct profile_stand *stand)
{
    if (stand->reader.memory != NULL)
        reader_close(&stand->reader);
    diagnostics_deinit(&stand->diagnostics);
    arena_deinit(&stand->arena);
}

uint32_t cli_profile_parts(struct bytes body)
{
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct scan_fault fault;
    uint32_t count = read_split(body, parts, &fault);
    return count > 1 ? count : 0;
}

enum status cli_profile_read(struct profile_stand *stand, struct bytes body, uint32_t part,
                             struct reading *out_reading, struct scan_fault *out_fault)
{
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct reader *reader = &stand->reader;
    reader_reset(reader);
    if (part > 0 && part <= read_split(body, parts, out_fault))
        return read_part(&stand->set, NULL, reader, body, &parts[part - 1], out_reading, out_fault);
    return read_message(&stand->set, NULL, reader, body, out_reading, out_fault);
}

/* ---- show ---- */

/* The document of a shipped file in which `line` stands, without the `---` around it. */
static void print_document(struct bytes text, uint32_t line)
{
    const char *at = (const char *)text.data, *end = at + text.size, *begin = at;
    for (uint32_t number = 1; at < end; number++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        next = next == NULL ? end : next + 1;
        if (next - at >= 3 && memcmp(at, "---", 3) == 0) {
            if (number >= line)
                break;
            begin = next;
        }
        at = next;
    }
    fwrite(begin, 1, (size_t)(at - begin), stdout);
}

static bool print_shipped(struct arena *arena, const struct profile *profile)
{
    for (const struct shipped_profile *file = shipped_profiles; file->name != NULL; file++)
        if (strcmp(arena_format(arena, "shipped/%s", file->name), profile->file) == 0) {
            print_document(bytes_make(file->start, (size_t)(file->end - file->start)),
                           profile->line);
            return true;
        }
    return false;
}

enum cli_exit cli_profile_show(int argc, char **argv)
{
    static struct profile_stand stand;
    enum cli_exit exit_code = CLI_OK;
    if (!cli_profile_stand_open(&stand, NULL, 0, true))
        exit_code = CLI_INVALID;
    for (uint16_t i = 0; i < stand.set.count && argc == 0; i++)
        printf("%-24s %s\n", stand.set.profiles[i]->name, stand.set.profiles[i]->description);
    for (int i = 0; i < argc; i++) {
        fputs(i > 0 ? "---\n" : "", stdout);
        const struct profile *profile = profile_set_find(&stand.set, bytes_from_text(argv[i]));
        if (profile == NULL || !print_shipped(&stand.arena, profile)) {
            fprintf(stderr,
                    "kouan profile: no shipped profile is called `%s`; `kouan profile show`\n"
                    "lists them\n",
                    argv[i]);
            exit_code = CLI_INVALID;
        }
    }
    cli_profile_stand_close(&stand);
    return exit_code;
}

/* kouan profile test: examples beside a profile, held against what it reads. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/cli/output.h"
#include "io/cli/profile.h"
#include "io/file.h"
#include "routes/dialect/profile_example.h"

#define EXAMPLES_ENDING ".expect.yaml"

enum { EXAMPLES_BYTES_MAX = 256 * 1024 };

struct tally {
    uint32_t passed, failed;
};

static bool test_file(const char *path, struct tally *tally);
static bool check_example(struct profile_stand *stand, const struct profile_example *example);

enum cli_exit cli_profile_test(int argc, char **argv)
{
    struct tally tally = {0};
    bool good = true;
    for (int i = 0; i < argc; i++)
        good = test_file(argv[i], &tally) && good;
    if (tally.passed + tally.failed > 0)
        printf("%u example%s as expected, %u not\n", tally.passed, tally.passed == 1 ? "" : "s",
               tally.failed);
    return good && tally.failed == 0 ? CLI_OK : CLI_INVALID;
}

static bool has_ending(const char *path, const char *ending)
{
    size_t size = strlen(path), ending_size = strlen(ending);
    return size > ending_size && strcmp(path + size - ending_size, ending) == 0;
}

/* The profile and the examples that belong together: `arrival.yaml` and `arrival.expect.yaml`,
 * whichever is named. Examples alone are held against the shipped profiles. */
static void find_pair(struct arena *arena, const char *path, const char **out_profile,
                      const char **out_examples)
{
    if (has_ending(path, EXAMPLES_ENDING)) {
        int stem = (int)(strlen(path) - strlen(EXAMPLES_ENDING));
        *out_examples = path;
        *out_profile = arena_format(arena, "%.*s.yaml", stem, path);
        if (access(*out_profile, F_OK) != 0)
            *out_profile = NULL;
        return;
    }
    int stem = (int)(strlen(path) - (has_ending(path, ".yaml") ? strlen(".yaml") : 0));
    *out_profile = path;
    *out_examples = arena_format(arena, "%.*s%s", stem, path, EXAMPLES_ENDING);
}

static bool load_examples(struct profile_stand *stand, const char *path, const char *profile,
                          const struct profile_example **out_first)
{
    struct bytes text;
    enum status status = file_read(&stand->arena, path, EXAMPLES_BYTES_MAX, &text, NULL);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan profile: cannot read the examples %s: %s\n", path,
                status_text(status));
        if (status == STATUS_NOT_FOUND)
            fprintf(stderr, "  hint: `kouan profile expect %s SAMPLE... > %s` begins them\n",
                    profile, path);
        return false;
    }
    *out_first = profile_examples_parse(&stand->arena, path, text, &stand->diagnostics);
    if (*out_first == NULL && stand->diagnostics.error_count == 0)
        fprintf(stderr, "kouan profile: %s has no examples\n", path);
    return *out_first != NULL || stand->diagnostics.error_count > 0;
}

static bool test_file(const char *path, struct tally *tally)
{
    static struct profile_stand stand;
    const char *profile, *examples;
    const struct profile_example *example = NULL;
    struct arena names;
    arena_init(&names);
    find_pair(&names, path, &profile, &examples);
    bool good = cli_profile_stand_open(&stand, &profile, profile != NULL ? 1 : 0, true) &&
                load_examples(&stand, examples, path, &example);
    for (; good && example != NULL; example = example->next) {
        if (check_example(&stand, example))
            tally->passed++;
        else
            tally->failed++;
    }
    if (good) {
        diagnostics_print(&stand.diagnostics, stderr);
        good = stand.diagnostics.error_count == 0;
    }
    cli_profile_stand_close(&stand);
    arena_deinit(&names);
    return good;
}

static bool check_example(struct profile_stand *stand, const struct profile_example *example)
{
    struct bytes body = arena_copy(&stand->arena, example->body);
    struct reading reading;
    struct scan_fault fault = {0};
    if (example->message != NULL &&
        !cli_profile_read_file(
            &stand->arena,
            file_resolve(&stand->arena, example->file, bytes_from_text(example->message)), &body))
        return false;
    enum status status = cli_profile_read(stand, body, example->part, &reading, &fault);
    return profile_example_check(example, &stand->arena, status, &reading, &fault,
                                 &stand->diagnostics);
}

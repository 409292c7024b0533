/* What a generation was made from survives the files that it was made from, byte for byte, and
 * builds it again; secrets do not come into it. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "io/reload/generation_store.h"

enum { PATH_BYTES = 512 };

#define SECRET "this-must-never-be-stored-anywhere\n"

static char home[64];
static struct arena arena;
static struct diagnostics diagnostics;
static struct generation_store store;

static const char *path_of(const char *name)
{
    return arena_format(&arena, "%s/%s", home, name);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(chmod(path_of(name), 0600), 0);
}

static const char configuration[] = "listen: []\n"
                                    "channels: [{name: in}, {name: back}]\n"
                                    "destinations: [{name: customs}, {name: port}]\n"
                                    "participants:\n"
                                    "  - name: nansha\n"
                                    "    secret_file: secret\n"
                                    "    ids_file: lists/ids\n"
                                    "    publish: [in]\n"
                                    "  - name: huangpu\n"
                                    "    secret_file: secret\n"
                                    "    ids_file: lists/ids2\n"
                                    "    publish: [in]\n"
                                    "lists: {bonded: lists/bonded.txt}\n"
                                    "profiles: [own.yaml, shipped]\n"
                                    "tables: [table.csv]\n"
                                    "message_max: 64KiB\n";

static void set_up(void)
{
    snprintf(home, sizeof home, "/tmp/kouan-store-XXXXXX");
    cr_assert_not_null(mkdtemp(home));
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    cr_assert_eq(mkdir(path_of("lists"), 0700), 0);
    cr_assert_eq(mkdir(path_of("journal"), 0700), 0);
    write_file("kouan.yaml", configuration);
    write_file("secret", SECRET);
    write_file("lists/ids", "DXPENT*\n");
    write_file("lists/ids2", "4403180896\n");
    write_file("lists/bonded.txt", "5101\n5102\n");
    write_file("own.yaml", "profile: own\nfamily: own\ndescription: one of our own\n"
                           "format: json\nrecognise: { key: kind }\n"
                           "fields: { message_type: kind }\n");
    write_file("table.csv", "id,customs_office,message_type,to\n"
                            "b,@bonded,*,port\n"
                            "rest,*,*,customs\n");
    cr_assert_eq(generation_store_open(path_of("journal"), NULL, &store), STATUS_OK);
}

static void remove_tree(const char *path)
{
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    cr_assert_eq(system(command), 0);
}

static void tear_down(void)
{
    remove_tree(home);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

TestSuite(generation_store, .init = set_up, .fini = tear_down);

static struct config *load(const char *path)
{
    struct config *config = NULL;
    enum status status = config_load(path, &config, &diagnostics);
    if (status != STATUS_OK)
        diagnostics_print(&diagnostics, stderr);
    cr_assert_eq(status, STATUS_OK);
    return config;
}

static struct sha256 put(const char *path, uint64_t number)
{
    char problem[256] = "";
    struct sha256 digest, found;
    struct config *config = load(path);
    cr_assert_eq(generation_store_put(&store, config, number, problem, sizeof problem), STATUS_OK,
                 "%s", problem);
    generation_store_manifest(&arena, config, &digest);
    config_free(config);
    cr_assert_eq(generation_store_find(&store, number, &found), STATUS_OK);
    cr_assert_arr_eq(found.bytes, digest.bytes, SHA256_BYTES);
    return digest;
}

static struct stored_generation *load_stored(const struct sha256 *digest)
{
    char problem[256] = "";
    struct stored_generation *stored = NULL;
    enum status status = generation_store_load(&store, digest, 3, NULL, &stored, &diagnostics,
                                               problem, sizeof problem);
    if (status != STATUS_OK)
        diagnostics_print(&diagnostics, stderr);
    cr_assert_eq(status, STATUS_OK, "%s", problem);
    return stored;
}

Test(generation_store, a_generation_is_built_again_when_its_files_are_gone)
{
    struct sha256 digest = put(path_of("kouan.yaml"), 3), again;
    remove_tree(path_of("lists"));
    unlink(path_of("kouan.yaml"));
    unlink(path_of("own.yaml"));
    unlink(path_of("secret"));
    write_file("table.csv", "id,to\nother,customs\n");

    struct stored_generation *stored = load_stored(&digest);
    const struct generation *generation = stored->config->generation;
    cr_expect_eq(generation->number, 3);
    cr_expect_eq(generation->table_count, 1);
    cr_expect_eq(generation->tables[0]->rule_count, 2);
    cr_expect_str_eq(generation->tables[0]->rules[1].id, "rest");
    cr_expect_eq(generation->lists[0]->count, 2);
    cr_expect_eq(generation->directory.count, 3);
    cr_expect_str_eq(participant_by_address(&generation->directory, BYTES_LITERAL("DXPENT7"))->name,
                     "nansha");
    cr_expect_str_eq(
        participant_by_address(&generation->directory, BYTES_LITERAL("4403180896"))->name,
        "huangpu");
    cr_expect_eq(generation->directory.participants[1]->secret.size, 0);
    cr_expect_str_eq(generation->profiles.profiles[0]->name, "own");
    cr_expect_gt(generation->profiles.count, 20);
    cr_expect_eq(stored->config->options.message_max, 65536);
    cr_expect_str_eq(generation_name(&stored->names, NAME_DESTINATION, 1), "port");
    cr_expect_str_eq(generation_rule_name(&stored->names, 1), "rest");
    /* It is the same one: its own manifest is. */
    generation_store_manifest(&arena, stored->config, &again);
    cr_expect_arr_eq(again.bytes, digest.bytes, SHA256_BYTES);
    generation_store_unload(stored);
}

Test(generation_store, the_embedded_defaults_are_one_like_others)
{
    struct sha256 digest = put(NULL, 1);
    struct stored_generation *stored = load_stored(&digest);
    cr_expect(stored->config->generation->open);
    cr_expect_str_eq(stored->config->generation->destinations[0]->name, "all");
    generation_store_unload(stored);
}

static unsigned visit_stored(void (*visit)(const char *path, struct bytes content, void *context),
                             void *context)
{
    unsigned count = 0;
    DIR *folder = opendir(store.folders[0]);
    cr_assert_not_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct bytes content;
        mode_t mode;
        const char *path = arena_format(&arena, "%s/%s", store.folders[0], entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        cr_assert_eq(file_read(&arena, path, GENERATION_MANIFEST_BYTES_MAX, &content, &mode),
                     STATUS_OK);
        cr_expect_eq(mode & 0777, 0600, "%s", path);
        visit(path, content, context);
        count++;
    }
    closedir(folder);
    return count;
}

static void expect_no_secret(const char *path, struct bytes content, void *context)
{
    (void)context;
    cr_expect_null(memmem(content.data, content.size, SECRET, strlen(SECRET) - 1), "%s", path);
}

Test(generation_store, secrets_are_not_stored_and_nobody_else_may_read)
{
    struct stat info;
    put(path_of("kouan.yaml"), 3);
    cr_expect_gt(visit_stored(expect_no_secret, NULL), 20);
    cr_assert_eq(stat(store.folders[0], &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0700);
}

Test(generation_store, a_changed_file_is_another_manifest_and_the_old_one_stays)
{
    struct sha256 before = put(path_of("kouan.yaml"), 3);
    struct sha256 same = put(path_of("kouan.yaml"), 4);
    cr_expect_arr_eq(same.bytes, before.bytes, SHA256_BYTES);
    write_file("table.csv", "id,to\nnew,customs\n");
    struct sha256 after = put(path_of("kouan.yaml"), 5);
    cr_expect_arr_neq(after.bytes, before.bytes, SHA256_BYTES);
    write_file("lists/bonded.txt", "5101\n5103\n"); /* the names are equal */
    struct sha256 last = put(path_of("kouan.yaml"), 6);
    cr_expect_arr_neq(last.bytes, after.bytes, SHA256_BYTES);

    struct stored_generation *stored = load_stored(&before);
    cr_expect_str_eq(stored->config->generation->tables[0]->rules[1].id, "rest");
    cr_expect(value_list_has(stored->config->generation->lists[0], BYTES_LITERAL("5102")));
    generation_store_unload(stored);
}

static void flip_a_byte(const char *path, struct bytes content, void *context)
{
    uint8_t *copy = malloc(content.size);
    cr_assert_not_null(copy);
    memcpy(copy, content.data, content.size);
    copy[content.size / 2] ^= 1;
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fwrite(copy, 1, content.size, file);
    fclose(file);
    free(copy);
    ++*(unsigned *)context;
}

Test(generation_store, what_is_not_as_it_was_written_is_noticed_and_put_anew)
{
    char problem[256] = "";
    unsigned flipped = 0;
    struct generation_names names;
    struct stored_generation *stored = NULL;
    struct sha256 digest = put(path_of("kouan.yaml"), 3);
    visit_stored(flip_a_byte, &flipped);
    cr_assert_gt(flipped, 20);
    cr_expect_eq(
        generation_store_read_names(&store, &digest, &arena, &names, problem, sizeof problem),
        STATUS_CORRUPT);
    cr_expect_not_null(strstr(problem, "is not as it was written"), "%s", problem);

    put(path_of("kouan.yaml"), 3);
    generation_store_unload(load_stored(&digest));

    struct sha256 table = sha256_of(BYTES_LITERAL("5101\n5102\n"));
    const char *path =
        arena_format(&arena, "%s/%s", store.folders[0], sha256_format(table.bytes).text);
    flip_a_byte(path, BYTES_LITERAL("5101\n5102\n"), &flipped);
    cr_expect_eq(generation_store_load(&store, &digest, 3, NULL, &stored, &diagnostics, problem,
                                       sizeof problem),
                 STATUS_CORRUPT);
    cr_expect_not_null(strstr(problem, "lists/bonded.txt"), "%s", problem);
    unlink(path);
    cr_expect_eq(generation_store_load(&store, &digest, 3, NULL, &stored, &diagnostics, problem,
                                       sizeof problem),
                 STATUS_NOT_FOUND);
}

Test(generation_store, nothing_is_found_where_nothing_was_put)
{
    struct sha256 digest;
    cr_expect_eq(generation_store_find(&store, 3, &digest), STATUS_NOT_FOUND);
    put(path_of("kouan.yaml"), 3);
    cr_expect_eq(generation_store_find(&store, 4, &digest), STATUS_NOT_FOUND);
    FILE *file = fopen(arena_format(&arena, "%s/4.manifest", store.folders[0]), "w");
    fputs("half a digest", file);
    fclose(file);
    cr_expect_eq(generation_store_find(&store, 4, &digest), STATUS_CORRUPT);
}

Test(generation_store, a_folder_that_is_not_there_is_said)
{
    char problem[256] = "";
    struct config *config = load(path_of("kouan.yaml"));
    remove_tree(path_of("journal"));
    cr_expect_eq(generation_store_put(&store, config, 1, problem, sizeof problem),
                 STATUS_NOT_FOUND);
    cr_expect_not_null(strstr(problem, "cannot make the folder"), "%s", problem);
    config_free(config);
}

/* What a configuration may say, and that what is wrong with it is said with its exact place. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/config/config.h"

/* ---- a folder of files ---- */

enum { PATH_BYTES = 256, FOLDER_FILES_MAX = 16 };

struct folder {
    char path[64];
    char *files[FOLDER_FILES_MAX];
    unsigned file_count;
};

static void folder_open(struct folder *folder)
{
    *folder = (struct folder){0};
    snprintf(folder->path, sizeof folder->path, "/tmp/kouan-config-XXXXXX");
    cr_assert_not_null(mkdtemp(folder->path));
}

static const char *folder_write(struct folder *folder, const char *name, const char *text,
                                mode_t mode)
{
    char *path = malloc(PATH_BYTES);
    cr_assert_not_null(path);
    snprintf(path, PATH_BYTES, "%s/%s", folder->path, name);
    folder->files[folder->file_count++] = path;
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(chmod(path, mode), 0);
    return path;
}

static void folder_close(struct folder *folder)
{
    while (folder->file_count > 0) {
        char *path = folder->files[--folder->file_count];
        unlink(path);
        free(path);
    }
    rmdir(folder->path);
}

#define GOOD_SECRET "0123456789abcdef0123456789abcdef\n"

/* A folder with what configurations may name, and the configuration itself. */
static const char *write_configuration(struct folder *folder, const char *text)
{
    folder_open(folder);
    folder_write(folder, "secret", GOOD_SECRET, 0600);
    folder_write(folder, "short", "0123456789abcde\n", 0600);
    folder_write(folder, "open", GOOD_SECRET, 0604);
    folder_write(folder, "ids", "# ours\nDXPENT*\r\n\n 4403180896 \n", 0600);
    folder_write(folder, "table.csv", "id,message_type,to\na,ORDER,all\n", 0600);
    folder_write(folder, "bad.csv", "id,message_type,to\na,ORDER,nowhere\n", 0600);
    folder_write(folder, "list.txt", "5101\n5102\n", 0600);
    folder_write(folder, "own.yaml",
                 "profile: own\nfamily: own\ndescription: one of our own\nformat: json\n"
                 "recognise: { key: kind }\nfields: { message_type: kind }\n",
                 0600);
    return folder_write(folder, "kouan.yaml", text, 0600);
}

#define CHANNELS     "channels: [{name: in}]\n"
#define DESTINATIONS "destinations: [{name: all}]\n"
#define BASE         CHANNELS DESTINATIONS
#define COMMIT       "sync: commit\n"

/* ---- what is right ---- */

static struct config *load_good(struct folder *folder, const char *text)
{
    struct diagnostics diagnostics;
    struct config *config = NULL;
    const char *path = write_configuration(folder, text);
    diagnostics_init(&diagnostics);
    enum status status = config_load(path, &config, &diagnostics);
    if (status != STATUS_OK || diagnostics.warning_count > 0)
        diagnostics_print(&diagnostics, stderr);
    cr_assert_eq(status, STATUS_OK);
    cr_assert_eq(diagnostics.error_count + diagnostics.warning_count, 0);
    diagnostics_deinit(&diagnostics);
    return config;
}

Test(config, embedded_defaults_load)
{
    struct diagnostics diagnostics;
    struct config *config = NULL;
    diagnostics_init(&diagnostics);
    cr_assert_eq(config_load(NULL, &config, &diagnostics), STATUS_OK);
    cr_expect_eq(diagnostics.error_count + diagnostics.warning_count, 0);
    cr_assert_eq(config->listen_count, 1);
    cr_expect_str_eq(config->listen[0], "127.0.0.1:7400");
    cr_expect_not(config->plaintext);
    const struct generation *generation = config->generation;
    cr_expect(generation->open);
    cr_expect_eq(generation->directory.count, 1);
    cr_assert_eq(generation->channel_count, 1);
    cr_expect_str_eq(generation->channels[0]->name, "in");
    cr_expect_gt(generation->profiles.count, 20);
    for (uint16_t i = 0; i < generation->profiles.count; i++)
        cr_expect((generation->channels[0]->profiles[i / 64] >> (i % 64) & 1) != 0, "profile %u",
                  i);
    cr_assert_eq(generation->destination_count, 1);
    const struct destination *all = generation->destinations[0];
    cr_expect_str_eq(all->name, "all");
    cr_assert_eq(all->group_count, 1);
    cr_expect_str_eq(all->groups[0], "all");
    cr_expect_eq(generation->unroutable_destination, all->index);
    cr_expect_not_null(generation->matcher);
    for (const struct option_row *row = option_rows; row->name != NULL; row++)
        cr_expect_eq(option_get(&config->options, row), row->initial, "%s", row->name);
    config_free(config);
    diagnostics_deinit(&diagnostics);
}

Test(config, options_are_read_with_their_units)
{
    struct folder folder;
    struct config *config =
        load_good(&folder, BASE "message_max: 64KiB\nblock: 1 MiB\nwindow_span: 7d\n"
                                "publish_wait: 250ms\nholds_max: 100\nlisten: []\n"
                                "defaults: {pending_max: 7, retain_bytes: 1MiB}\n");
    cr_expect_eq(config->options.message_max, 65536);
    cr_expect_eq(config->options.block, 1048576);
    cr_expect_eq(config->options.window_span, 604800);
    cr_expect_eq(config->options.publish_wait, 250);
    cr_expect_eq(config->options.holds_max, 100);
    cr_expect_str_eq(config->listen[0], "127.0.0.1:7400");
    cr_expect_eq(config->generation->destinations[0]->pending_max, 7);
    cr_expect_eq(config->generation->destinations[0]->retain_bytes, 1048576);
    config_free(config);
    folder_close(&folder);
}

Test(config, the_journal_lies_beside_the_configuration)
{
    struct folder folder;
    struct config *config = load_good(&folder, BASE "sync: commit\nlinger: 2ms\n");
    const char *wanted = arena_format(&config->generation->arena, "%s/kouan-journal", folder.path);
    cr_expect_str_eq(config->journal_path, wanted);
    cr_expect_eq(config->sync, SYNC_COMMIT);
    cr_expect_eq(config->options.linger, 2000);
    config_free(config);
    folder_close(&folder);
    config = load_good(&folder, BASE "sync: memory\njournal: /var/lib/kouan\n");
    cr_expect_str_eq(config->journal_path, "/var/lib/kouan");
    cr_expect_eq(config->sync, SYNC_MEMORY);
    config_free(config);
    folder_close(&folder);
}

Test(config, groups_by_arrival_and_by_case)
{
    struct folder folder;
    struct config *config =
        load_good(&folder, CHANNELS "destinations:\n"
                                    "  - name: a\n"
                                    "    groups: [g, {name: h, order: case}, {name: i}]\n"
                                    "  - name: b\n"
                                    "    groups: {name: j, order: case}\n"
                                    "  - name: c\n"
                                    "    groups: {name: k, order: arrival}\n"
                                    "unroutable: c\n");
    const struct destination *const *destinations = config->generation->destinations;
    cr_expect_eq(destinations[0]->group_count, 3);
    cr_expect_str_eq(destinations[0]->groups[1], "h");
    cr_expect_eq(destinations[0]->groups_by_case, 2);
    cr_expect_str_eq(destinations[1]->groups[0], "j");
    cr_expect_eq(destinations[1]->groups_by_case, 1);
    cr_expect_eq(destinations[2]->groups_by_case, 0);
    config_free(config);
    folder_close(&folder);
}

Test(config, destinations_inherit_and_override)
{
    struct folder folder;
    struct config *config = load_good(&folder, "sync: memory\n" CHANNELS
                                               "defaults: {deliveries_max: 0, pending_max: 10}\n"
                                               "destinations:\n"
                                               "  - name: a\n"
                                               "    groups: [g, h]\n"
                                               "    fields: [message_type, order, origin, rule]\n"
                                               "    pending_max: 20\n"
                                               "    deliveries_max: 3\n"
                                               "    dead_letter: b\n"
                                               "    when_full: dead_letter\n"
                                               "    backlog_bytes_max: 8MiB\n"
                                               "  - name: b\n"
                                               "    when_full: tryagain\n"
                                               "  - name: c\n"
                                               "  - name: d\n"
                                               "    when_full: drop_oldest\n"
                                               "unroutable: c\n");
    const struct generation *generation = config->generation;
    const struct destination *a = generation->destinations[0];
    const struct destination *b = generation->destinations[1];
    const struct destination *c = generation->destinations[2];
    cr_expect_eq(a->pending_max, 20);
    cr_expect_eq(b->pending_max, 10);
    cr_expect_eq(a->deliveries_max, 3);
    cr_expect_eq(a->dead_letter, b->index);
    cr_expect_eq(b->dead_letter, NO_DESTINATION);
    cr_expect_eq(a->when_full, WHEN_FULL_DEAD_LETTER);
    cr_expect_eq(b->when_full, WHEN_FULL_TRY_AGAIN);
    cr_expect_eq(c->when_full, WHEN_FULL_WAIT);
    cr_expect_eq(generation->destinations[3]->when_full, WHEN_FULL_DROP_OLDEST);
    cr_expect_eq(a->group_count, 2);
    cr_expect_eq(c->group_count, 0);
    cr_assert_eq(a->field_count, 4);
    cr_expect_eq(a->fields[0].slot, SLOT_MESSAGE_TYPE);
    cr_expect_eq(a->fields[1].slot, SLOT_KEY_ORDER);
    cr_expect_eq(a->fields[2].fact, FACT_ORIGIN);
    cr_expect_eq(a->fields[3].fact, FACT_RULE);
    cr_expect_eq(generation->unroutable_destination, c->index);
    /* Half of `memory`, less the holds and what `a` takes, in equal shares. */
    cr_expect_eq(a->backlog_bytes_max, 8 * MIB);
    cr_expect_eq(b->backlog_bytes_max, (128 * MIB - 8 * MIB - 8 * MIB) / 3);
    cr_expect_eq(c->backlog_bytes_max, b->backlog_bytes_max);
    config_free(config);
    folder_close(&folder);
}

Test(config, participants_have_their_rights)
{
    struct folder folder;
    struct config *config = load_good(&folder, "channels: [{name: in}, {name: side}]\n"
                                               "destinations: [{name: all}, {name: nansha}]\n"
                                               "participants:\n"
                                               "  - name: nansha\n"
                                               "    secret_file: secret\n"
                                               "    roles: [eport, south]\n"
                                               "    ids_file: ids\n"
                                               "    ids: [\"HP7\"]\n"
                                               "    publish: [side]\n"
                                               "    consume: all\n"
                                               "    scope: south\n"
                                               "  - name: huangpu\n"
                                               "    secret_file: secret\n"
                                               "    receives: [all]\n"
                                               "    scope: south\n"
                                               "    create_groups: yes\n"
                                               "    operate: true\n"
                                               "  - {name: alone, secret_file: secret}\n");
    const struct participant_directory *directory = &config->generation->directory;
    const struct participant *nansha = participant_find(directory, BYTES_LITERAL("nansha"));
    const struct participant *huangpu = participant_find(directory, BYTES_LITERAL("huangpu"));
    const struct participant *alone = participant_find(directory, BYTES_LITERAL("alone"));
    cr_expect_not(config->generation->open);
    cr_assert(nansha != NULL && huangpu != NULL && alone != NULL);
    cr_expect(bytes_equal(nansha->secret, BYTES_LITERAL("0123456789abcdef0123456789abcdef")));
    cr_expect_eq(nansha->role_count, 2);
    cr_expect(participant_may_claim(nansha, BYTES_LITERAL("DXPENT000123")));
    cr_expect(participant_may_claim(nansha, BYTES_LITERAL("4403180896")));
    cr_expect(participant_may_claim(nansha, BYTES_LITERAL("HP7")));
    cr_expect_not(participant_may_claim(nansha, BYTES_LITERAL("HP71")));
    cr_expect_not(participant_may_claim(nansha, BYTES_LITERAL("# ours")));
    cr_expect_eq(participant_by_address(directory, BYTES_LITERAL("DXPENT9")), nansha);
    cr_expect_not(participant_may_publish(nansha, 0));
    cr_expect(participant_may_publish(nansha, 1));
    cr_expect(destination_set_has(&nansha->consume, 0));
    cr_expect_not(destination_set_has(&nansha->consume, 1));
    /* Without `receives`, the destination of one's own name. */
    cr_expect(destination_set_has(&nansha->delivers_to, 1));
    cr_expect(destination_set_has(&huangpu->delivers_to, 0));
    cr_expect(destination_set_is_empty(&alone->delivers_to));
    cr_expect_not(nansha->create_groups || nansha->operate);
    cr_expect(huangpu->create_groups && huangpu->operate);
    cr_expect_eq(nansha->scope, huangpu->scope);
    cr_expect_neq(nansha->scope, alone->scope);
    cr_expect(bytes_equal_text(nansha->scope_name, "scope south"));
    cr_expect(bytes_equal_text(huangpu->scope_name, "scope south"));
    cr_expect(bytes_equal_text(alone->scope_name, "participant alone"));
    cr_expect(bytes_equal_text(directory->participants[0]->scope_name, "participant anonymous"));
    const struct participant *anonymous = directory->participants[0];
    cr_expect_not(participant_may_publish(anonymous, 0));
    cr_expect(destination_set_is_empty(&anonymous->consume));
    cr_expect_not(anonymous->operate);
    config_free(config);
    folder_close(&folder);
}

Test(config, files_are_found_beside_it)
{
    struct folder folder;
    struct config *config =
        load_good(&folder, "channels: [{name: in, profiles: [own, event]}]\n" DESTINATIONS
                           "tables: table.csv\n"
                           "lists: {offices: list.txt}\n"
                           "profiles: [own.yaml, shipped]\n");
    const struct generation *generation = config->generation;
    cr_assert_eq(generation->table_count, 1);
    cr_expect_str_eq(generation->tables[0]->name, "table");
    cr_expect_eq(generation->tables[0]->rule_count, 1);
    cr_assert_eq(generation->list_count, 1);
    cr_expect_str_eq(generation->lists[0]->name, "offices");
    cr_expect_eq(generation->unroutable_destination, NO_DESTINATION);
    cr_expect_str_eq(generation->profiles.profiles[0]->name, "own"); /* one's own come first */
    cr_expect_gt(generation->profiles.count, 20);
    unsigned allowed = 0;
    for (uint16_t i = 0; i < PROFILES_MAX; i++)
        allowed += (generation->channels[0]->profiles[i / 64] >> (i % 64) & 1) != 0;
    cr_expect_eq(allowed, 2);
    config_free(config);
    folder_close(&folder);

    config = load_good(&folder, BASE "profiles: own.yaml\n");
    cr_expect_eq(config->generation->profiles.count, 1);
    config_free(config);
    folder_close(&folder);
}

/* `shipped` reads what no profile knows, `known` does not. */
Test(config, unknown_dialects_can_be_left_out)
{
    static const struct {
        const char *text;
        bool reads;
    } cases[] = {
        {BASE, true},
        {BASE "profiles: shipped\n", true},
        {BASE "profiles: known\n", false},
        {BASE "profiles: [own.yaml, known]\n", false},
        {BASE "profiles: [known, shipped]\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct folder folder;
        struct config *config = load_good(&folder, cases[i].text);
        const struct profile_set *set = &config->generation->profiles;
        cr_expect_eq(profile_set_find(set, BYTES_LITERAL("xml-other")) != NULL, cases[i].reads);
        cr_expect_eq(profile_set_find(set, BYTES_LITERAL("json-other")) != NULL, cases[i].reads);
        cr_expect_not_null(profile_set_find(set, BYTES_LITERAL("event")));
        config_free(config);
        folder_close(&folder);
    }
}

Test(config, listens_where_it_is_told)
{
    struct folder folder;
    struct config *config =
        load_good(&folder, BASE "listen: [\"127.0.0.1:0\", \"[::1]:7400\", unix:/run/k.sock]\n");
    cr_assert_eq(config->listen_count, 3);
    cr_expect_str_eq(config->listen[1], "[::1]:7400");
    cr_expect_eq(config->listen_place[2].line, 3);
    config_free(config);
    folder_close(&folder);
    config = load_good(&folder, BASE "listen: \"0.0.0.0:7400\"\nplaintext: yes\n");
    cr_expect(config->plaintext);
    config_free(config);
    folder_close(&folder);
}

/* ---- what is wrong ---- */

struct wrong {
    const char *text, *code;
    uint32_t line, column;
    const char *says; /* a part of the text */
};

#define TEN    "0123456789"
#define SIXTY5 TEN TEN TEN TEN TEN TEN "01234"

static const struct wrong wrongs[] = {
    /* A quoted text's place is that of its first character. C101: the YAML itself. */
    {"channels: [\n", "C101", 2, 1, ""},
    {"- a\n- b\n", "C101", 1, 1, "a configuration is a mapping"},
    {"", "C101", 0, 0, ""},
    /* C102 */
    {BASE "message_mx: 1\n", "C102", 3, 1, "unknown key `message_mx`"},
    {"channels: [{name: in, profile: x}]\n" DESTINATIONS, "C102", 1, 23, "unknown key `profile`"},
    {CHANNELS "destinations:\n  - name: all\n    gruops: [a]\n", "C102", 4, 5, "`gruops`"},
    {BASE "defaults:\n  groups: [a]\n", "C102", 4, 3, "`groups`"},
    {BASE "participants:\n  - name: a\n    secret_file: secret\n    role: x\n", "C102", 6, 5,
     "`role`"},
    /* C103 */
    {BASE "message_max: [1]\n", "C103", 3, 14, "a text is wanted here, this is a list"},
    {CHANNELS "destinations: [{name: {a: b}}]\n", "C103", 2, 23, "a mapping"},
    {BASE "lists: [list.txt]\n", "C103", 3, 8, "lists are a mapping"},
    {BASE "participants: {a: b}\n", "C103", 3, 15, "participants are a list"},
    {BASE "tables: [[a]]\n", "C103", 3, 10, "a list"},
    /* C104: options */
    {BASE "message_max: 1\n", "C104", 3, 14,
     "message_max is from 1024 to 8388608 bytes, this is 1"},
    {BASE "message_max: 1KB\n", "C104", 3, 14, "`1KB` is not a value of message_max"},
    {BASE "window_span: 1500ms\n", "C104", 3, 14, "`1500ms` is not a value of window_span"},
    {BASE "receive_buffers: 100\n", "C104", 3, 18, "power of two"},
    {CHANNELS "destinations:\n  - name: all\n    pending_max: 0\n", "C104", 4, 18,
     "pending_max is"},
    {BASE "plaintext: maybe\n", "C104", 3, 12, "`maybe` is neither yes nor no"},
    /* C104: names */
    {"channels: [{name: a b}]\n" DESTINATIONS, "C104", 1, 19, "`a b` is not a name"},
    {"channels: [{name: " SIXTY5 "}]\n" DESTINATIONS, "C104", 1, 19, "is not a name"},
    {CHANNELS "destinations: [{name: \"a/b\"}]\n", "C104", 2, 24, "`a/b` is not a name"},
    {CHANNELS "destinations: [{name: all, groups: [g!]}]\n", "C104", 2, 37, "`g!`"},
    {CHANNELS "destinations: [{name: all, when_full: drop}]\n", "C104", 2, 39, "`drop`"},
    {CHANNELS "destinations: [{name: all, groups: [{name: g, order: key}]}]\n", "C104", 2, 54,
     "`key` is no order"},
    {CHANNELS "destinations: [{name: all, groups: [{name: g, oder: case}]}]\n", "C102", 2, 47,
     "`oder`"},
    {CHANNELS "destinations: [{name: all, groups: [{order: case}]}]\n", "C109", 2, 37,
     "a group needs a name"},
    /* C105 */
    {"channels: [{name: in}, {name: in}]\n" DESTINATIONS, "C105", 1, 31, "two channels `in`"},
    {CHANNELS "destinations: [{name: a}, {name: a}]\n", "C105", 2, 34, "two destinations `a`"},
    {CHANNELS "destinations: [{name: a, groups: [g, g]}]\n", "C105", 2, 38, "`g`"},
    {BASE "participants:\n  - {name: a, secret_file: secret}\n  - {name: a, secret_file: secret}\n",
     "C105", 5, 12, "two participants `a`"},
    {BASE "tables: [table.csv, ./table.csv]\n", "C105", 3, 21, "two tables `table`"},
    /* C106 */
    {CHANNELS "destinations: [{name: a, dead_letter: b}]\n", "C106", 2, 39, "dead letter of `a`"},
    {CHANNELS "destinations: [{name: a, dead_letter: a}]\n", "C106", 2, 39, "dead letter of `a`"},
    {CHANNELS "destinations:\n  - name: a\n    deliveries_max: 3\n", "C106", 3, 5,
     "names no dead letter"},
    {CHANNELS "destinations: [{name: a, fields: [sendr]}]\n", "C106", 2, 35, "`sendr`"},
    {"channels: [{name: in, profiles: [none-*]}]\n" DESTINATIONS, "C106", 1, 34, "`none-*`"},
    {BASE "unroutable: nowhere\n", "C106", 3, 13, "`nowhere`"},
    {BASE "participants:\n  - {name: a, secret_file: secret, publish: [out]}\n", "C106", 4, 46,
     "no such channel: `out`"},
    {BASE "participants:\n  - {name: a, secret_file: secret, consume: [x]}\n", "C106", 4, 46,
     "no such destination: `x`"},
    {BASE "participants:\n  - {name: a, secret_file: secret, receives: x}\n", "C106", 4, 46,
     "no such destination: `x`"},
    /* C107 */
    {BASE "tables: [none.csv]\n", "C107", 3, 10, "none.csv: not found"},
    {BASE "lists: {a: none.txt}\n", "C107", 3, 12, "none.txt: not found"},
    {BASE "rule_tests: [none.yaml]\n", "C107", 3, 14, "none.yaml: not found"},
    {BASE "profiles: [shipped, none.yaml]\n", "C107", 3, 21, "none.yaml: not found"},
    {BASE "tables: [/]\n", "C107", 3, 10, "cannot read /"},
    {BASE "participants:\n  - {name: a, secret_file: none}\n", "C107", 4, 28, "none: not found"},
    {BASE "participants:\n  - {name: a, secret_file: secret, ids_file: none}\n", "C107", 4, 46,
     "none: not found"},
    /* C108 */
    {BASE "participants:\n  - name: a\n", "C108", 4, 5, "`a` has no secret"},
    {BASE "participants:\n  - name: a\n    secret: hunter2\n", "C108", 5, 13,
     "does not belong into the configuration"},
    {BASE "participants:\n  - name: a\n    secret_file: short\n", "C108", 5, 18,
     "shorter than 16 bytes"},
    /* C109 */
    {DESTINATIONS, "C109", 0, 0, "there are no channels"},
    {"channels: []\n" DESTINATIONS, "C109", 1, 11, "there are no channels"},
    {"channels: [{profiles: [event]}]\n" DESTINATIONS, "C109", 1, 12, "a channel needs a name"},
    {CHANNELS, "C109", 0, 0, "there are no destinations"},
    {CHANNELS "destinations: [all]\n", "C109", 2, 16, "a destination needs a name"},
    {BASE "participants: [nansha]\n", "C109", 3, 16, "a participant needs a name"},
    /* C110 */
    {BASE "memory: 32MiB\nblock: 4MiB\noutput_max: 64MiB\nsync: memory\n", "C110", 3, 9,
     "is less than 16 blocks of 4194304"},
    {BASE "memory: 64MiB\nmessage_max: 4MiB\noutput_max: 64MiB\nsync: memory\n", "C110", 3, 9,
     "is less than 16 blocks of 4329472"},
    {BASE COMMIT "segment: 16MiB\nmessage_max: 4MiB\noutput_max: 64MiB\n", "C110", 4, 10,
     "does not hold a block"},
    {BASE COMMIT "segment: 16MiB\nblock: 8MiB\n", "C110", 4, 10, "does not hold a block"},
    {BASE COMMIT "memory: 127MiB\n", "C110", 4, 9, "is less than two segments of 67108864"},
    {BASE COMMIT "recall_memory: 4MiB\nblock: 2MiB\n", "C110", 4, 16, "a quarter of recall_memory"},
    {BASE COMMIT "recall_memory: 4MiB\nreply_max: 2MiB\n", "C110", 4, 16,
     "half of recall_memory must hold reply_max"},
    {BASE COMMIT "journal_size: 500MiB\n", "C110", 4, 15, "is less than 8 segments of 67108864"},
    {BASE COMMIT "hold_bytes_max: 33GiB\n", "C110", 2, 15, "half of `journal_size`"},
    {BASE COMMIT "segment: 67108865\n", "C104", 4, 10, "segment is a multiple of 4 KiB"},
    {BASE "block: 65537\n", "C104", 3, 8, "block is a multiple of 4 KiB"},
    {BASE "sync: always\n", "C104", 3, 7, "`always` is no `sync`"},
    {BASE "journal: [a]\n", "C103", 3, 10, "a text is wanted here"},
    {BASE "output_max: 4MiB\n", "C110", 3, 13, "half of output_max"},
    {BASE "output_chunks: 64\n", "C110", 3, 16, "are less than output_max"},
    {BASE "sync: memory\nhold_bytes_max: 200MiB\n", "C110", 2, 15, "the destinations may keep"},
    /* C111, C112 */
    {BASE "listen: [\"127.0.0.1:7400\", nonsense]\n", "C111", 3, 28, "`nonsense` is no address"},
    {BASE "listen: \"127.0.0.1:70000\"\n", "C111", 3, 10, "is no port"},
    {BASE "pin: all\n", "C104", 3, 6, "pin is `none` or `auto`"},
    {BASE "listen: [\"0.0.0.0:7400\"]\n", "C112", 3, 11, "0.0.0.0:7400 is not loopback"},
    /* The life cycle, in the configuration */
    {BASE "life_cycle: {states: {a: [b]}, moves: []}\n", "C151", 3, 27, "no such state: `b`"},
    {BASE "life_cycle: none.yaml\n", "C107", 3, 13, "none.yaml: not found"},
    {BASE "cases: 20000000\n", "C104", 3, 8, "cases is from 0 to 16777216"},
    /* C140 */
    {BASE "participants:\n  - {name: a, secret_file: secret, ids: [X]}\n"
          "  - {name: b, secret_file: secret, ids: [X]}\n",
     "C140", 5, 41, "the address `X` is claimed by both `a` and `b`"},
    {BASE "participants:\n  - {name: a, secret_file: secret, ids: [\"X*\"]}\n"
          "  - {name: b, secret_file: secret, ids_file: list.txt, ids: [Y, \"X*\"]}\n",
     "C140", 5, 61, "the address `X*` is claimed by both `a` and `b`"},
    {BASE "participants:\n  - {name: a, secret_file: secret, ids: [5102]}\n"
          "  - {name: b, secret_file: secret, ids_file: list.txt}\n",
     "C140", 5, 46, "the address `5102` is claimed by both `a` and `b`"},
};

static void expect_wrong(const struct wrong *wrong, size_t number)
{
    struct folder folder;
    struct diagnostics diagnostics;
    struct config *config = NULL;
    const char *path = write_configuration(&folder, wrong->text);
    diagnostics_init(&diagnostics);
    cr_expect_eq(config_load(path, &config, &diagnostics), STATUS_INVALID, "case %zu: %s", number,
                 wrong->text);
    cr_expect_null(config);
    if (diagnostics.count != 1)
        diagnostics_print(&diagnostics, stderr);
    cr_expect_eq(diagnostics.error_count, 1, "case %zu: %s", number, wrong->text);
    cr_assert_geq(diagnostics.count, 1);
    const struct diagnostic *first = &diagnostics.items[0];
    cr_expect_str_eq(first->code, wrong->code, "case %zu: %s: %s", number, wrong->text,
                     first->text);
    cr_expect_str_eq(first->place.file, path);
    cr_expect(first->place.line == wrong->line && first->place.column == wrong->column,
              "case %zu: %s: %u:%u instead of %u:%u: %s", number, wrong->text, first->place.line,
              first->place.column, wrong->line, wrong->column, first->text);
    cr_expect_not_null(strstr(first->text, wrong->says), "case %zu: %s: %s", number, wrong->text,
                       first->text);
    diagnostics_deinit(&diagnostics);
    folder_close(&folder);
}

Test(config, errors_have_their_exact_place)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++)
        expect_wrong(&wrongs[i], i);
}

Test(config, each_code_is_raised_and_explained)
{
    for (const struct diagnostic_code *code = config_codes; code->code != NULL; code++) {
        /* A warning, and of the kernel: loop_features_test.c has it raised. */
        bool raised = strcmp(code->code, "C113") == 0;
        for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++)
            raised = raised || strcmp(wrongs[i].code, code->code) == 0;
        cr_expect(raised, "%s", code->code);
        cr_expect_gt(strlen(code->title), 5, "%s", code->code);
        cr_expect_gt(strlen(code->explanation), 20, "%s", code->code);
    }
}

Test(config, all_errors_are_told_in_one_run)
{
    struct folder folder;
    struct diagnostics diagnostics;
    struct config *config = NULL;
    const char *path = write_configuration(
        &folder, BASE "message_max: 1\ntables: [bad.csv, none.csv]\nlisten: [x]\nunroutble: all\n"
                      "participants:\n  - name: a\n");
    diagnostics_init(&diagnostics);
    cr_expect_eq(config_load(path, &config, &diagnostics), STATUS_INVALID);
    unsigned of_table = 0;
    for (uint32_t i = 0; i < diagnostics.count; i++)
        of_table += strstr(diagnostics.items[i].place.file, "/bad.csv") != NULL;
    cr_expect_eq(of_table, 1);
    cr_expect_eq(diagnostics.error_count, 6);
    diagnostics_deinit(&diagnostics);
    folder_close(&folder);
}

Test(config, a_secret_that_others_can_read_is_a_warning)
{
    struct folder folder;
    struct diagnostics diagnostics;
    struct config *config = NULL;
    const char *path =
        write_configuration(&folder, BASE "participants:\n  - name: a\n    secret_file: open\n");
    diagnostics_init(&diagnostics);
    cr_assert_eq(config_load(path, &config, &diagnostics), STATUS_OK);
    cr_expect_eq(diagnostics.warning_count, 1);
    cr_expect_eq(diagnostics.error_count, 0);
    cr_expect_str_eq(diagnostics.items[0].code, "C108");
    cr_expect_eq(diagnostics.items[0].place.line, 5);
    cr_expect_eq(diagnostics.items[0].place.column, 18);
    config_free(config);
    diagnostics_deinit(&diagnostics);
    folder_close(&folder);
}

Test(config, a_missing_configuration)
{
    struct diagnostics diagnostics;
    struct config *config = NULL;
    diagnostics_init(&diagnostics);
    cr_expect_eq(config_load("/nowhere/kouan.yaml", &config, &diagnostics), STATUS_INVALID);
    cr_expect_eq(diagnostics.error_count, 1);
    cr_expect_str_eq(diagnostics.items[0].code, "C107");
    cr_expect_str_eq(diagnostics.items[0].place.file, "/nowhere/kouan.yaml");
    diagnostics_deinit(&diagnostics);
}

/* Too many of a kind: the one past the limit is named. */
static char *repeat(const char *before, const char *format, unsigned count, const char *after)
{
    enum { ITEM_BYTES = 64 };
    size_t capacity = strlen(before) + (size_t)count * ITEM_BYTES + strlen(after) + 1;
    char *text = malloc(capacity), *end = text;
    end += sprintf(end, "%s", before);
    for (unsigned i = 0; i < count; i++)
        end += sprintf(end, format, i);
    sprintf(end, "%s", after);
    return text;
}

static void expect_too_many(char *text, uint32_t line, const char *says)
{
    struct folder folder;
    struct diagnostics diagnostics;
    struct config *config = NULL;
    const char *path = write_configuration(&folder, text);
    diagnostics_init(&diagnostics);
    cr_expect_eq(config_load(path, &config, &diagnostics), STATUS_INVALID, "%s", says);
    bool found = false;
    for (uint32_t i = 0; i < diagnostics.count; i++)
        found = found || (strcmp(diagnostics.items[i].code, "C104") == 0 &&
                          diagnostics.items[i].place.line == line &&
                          strstr(diagnostics.items[i].text, says) != NULL);
    if (!found)
        diagnostics_print(&diagnostics, stderr);
    cr_expect(found, "%s", says);
    diagnostics_deinit(&diagnostics);
    folder_close(&folder);
    free(text);
}

Test(config, counts_have_limits)
{
    expect_too_many(
        repeat(BASE "listen:\n", "  - \"127.0.0.1:%u\"\n", CONFIG_LISTENERS_MAX + 1, ""),
        4 + CONFIG_LISTENERS_MAX, "more than 16 addresses");
    expect_too_many(repeat("channels:\n", "  - name: c%u\n", CHANNELS_MAX + 1, DESTINATIONS),
                    2 + CHANNELS_MAX, "more than 256 channels");
    expect_too_many(repeat(CHANNELS "memory: 8GiB\ndestinations:\n", "  - name: d%u\n",
                           DESTINATIONS_MAX + 1, ""),
                    4 + DESTINATIONS_MAX, "more than 256 destinations");
    expect_too_many(repeat(CHANNELS "destinations:\n  - name: all\n    groups:\n", "      - g%u\n",
                           DESTINATION_GROUPS_MAX + 1, ""),
                    5 + DESTINATION_GROUPS_MAX, "at most 64 groups");
    expect_too_many(repeat(CHANNELS "destinations:\n  - name: all\n    fields:\n",
                           "      - sender # %u\n", DESTINATION_FIELDS_MAX + 1, ""),
                    5 + DESTINATION_FIELDS_MAX, "at most 32 fields");
    expect_too_many(repeat(BASE "tables:\n", "  - t%u.csv\n", RULE_TABLES_MAX + 1, ""),
                    4 + RULE_TABLES_MAX, "more than 16 tables");
    expect_too_many(repeat(BASE "participants:\n  - name: a\n    secret_file: secret\n    roles:\n",
                           "      - r%u\n", PARTICIPANT_ROLES_MAX + 1, ""),
                    7 + PARTICIPANT_ROLES_MAX, "at most 16 roles");
}

Test(config, each_shard_has_its_share_of_what_bounds_all)
{
    struct config *config = NULL;
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    cr_assert_eq(config_load_sharded(NULL, 2, &config, &diagnostics), STATUS_OK);
    cr_expect_eq(config->whole.memory, 256 * MIB);
    cr_expect_eq(config->options.memory, 128 * MIB);
    cr_expect_eq(config->options.window_entries, 500000);
    cr_expect_eq(config->options.message_max, config->whole.message_max);
    cr_expect_eq(config->options.receive_buffers, 128);
    cr_expect_eq(config->generation->destinations[0]->backlog_max, 524288);
    config_free(config);
    cr_assert_eq(config_load_sharded(NULL, 3, &config, &diagnostics), STATUS_INVALID,
                 "a third of the memory holds no two segments");
    cr_expect_str_eq(diagnostics.items[0].code, "C110");
    cr_expect_not_null(strstr(diagnostics.items[0].text, "is the part of one of 3 shards"));
    diagnostics_deinit(&diagnostics);
}

Test(config, shards_are_as_many_as_it_says)
{
    struct folder folder;
    struct config *config = load_good(&folder, BASE "shards: 4\nmemory: 512MiB\n");
    cr_expect_eq(config->whole.shards, 4);
    cr_expect_eq(config->whole.memory, 512 * MIB);
    cr_expect_eq(config->options.memory, 128 * MIB);
    config_free(config);
    folder_close(&folder);
}

/* ---- behind a generation that runs ---- */

static struct config *load_behind(struct folder *folder, const struct config *running,
                                  const struct generation_names *before, const char *text)
{
    struct config *config;
    struct diagnostics diagnostics;
    const char *path = write_configuration(folder, text);
    diagnostics_init(&diagnostics);
    enum status status = config_load_behind(path, running, before, &config, &diagnostics);
    if (status != STATUS_OK)
        diagnostics_print(&diagnostics, stderr);
    diagnostics_deinit(&diagnostics);
    return status == STATUS_OK ? config : NULL;
}

Test(config, names_keep_their_places_behind_a_generation)
{
    struct folder folder, next_folder;
    struct generation_names before;
    struct arena arena;
    arena_init(&arena);
    struct config *running =
        load_good(&folder, "channels: [{name: in}, {name: late}]\n"
                           "destinations: [{name: a}, {name: b}, {name: c}]\n"
                           "participants: [{name: x, secret_file: secret, scope: s},"
                           " {name: y, secret_file: secret, scope: s, consume: [b]}]\n");
    generation_names_take(&arena, running->generation, NULL, 0, &before);
    struct config *config =
        load_behind(&next_folder, running, &before,
                    "channels: [{name: late}]\n"
                    "destinations: [{name: new}, {name: c, dead_letter: a}, {name: a}]\n"
                    "participants: [{name: z, secret_file: secret, scope: s, consume: [new]},"
                    " {name: y, secret_file: secret, scope: s}]\nunroutable: new\n");
    cr_assert_not_null(config);
    const struct generation *generation = config->generation;
    static const char *const names[] = {"a", "b", "c", "new"};
    cr_assert_eq(generation->destination_count, 4);
    for (uint16_t d = 0; d < 4; d++) {
        cr_expect_str_eq(generation->destinations[d]->name, names[d]);
        cr_expect_eq(generation->destinations[d]->index, d);
        cr_expect_eq(generation->destinations[d]->is_removed, d == 1);
    }
    cr_expect_eq(generation->destinations[2]->dead_letter, 0);
    cr_expect_eq(generation->unroutable_destination, 3);
    cr_expect_null(generation_destination(generation, BYTES_LITERAL("b")));
    cr_expect(generation->channels[0]->is_removed && !generation->channels[1]->is_removed);
    cr_expect_null(generation_channel(generation, BYTES_LITERAL("in")));
    cr_assert_eq(generation->directory.count, 4);
    const struct participant *const *participants = generation->directory.participants;
    cr_expect(participants[1]->is_removed && participants[1]->secret.size == 0);
    cr_expect_str_eq(participants[2]->name, "y");
    cr_expect_eq(participants[2]->scope, participants[3]->scope);
    cr_expect(destination_set_has(&participants[3]->consume, 3));
    config_free(config);
    folder_close(&next_folder);
    config_free(running);
    folder_close(&folder);
    arena_deinit(&arena);
}

Test(config, what_runs_says_what_limits_are_shares_of)
{
    struct folder folder, next_folder;
    struct generation_names before;
    struct arena arena;
    arena_init(&arena);
    struct config *running = load_good(&folder, BASE COMMIT "journal_size: 2GiB\n");
    generation_names_take(&arena, running->generation, NULL, 0, &before);
    struct config *config =
        load_behind(&next_folder, running, &before, BASE COMMIT "journal_size: 8GiB\n");
    cr_assert_not_null(config);
    cr_expect_eq(config->generation->destinations[0]->backlog_bytes_max,
                 running->generation->destinations[0]->backlog_bytes_max);
    cr_expect_eq(config->options.journal_size, running->options.journal_size);
    cr_expect_eq(config->whole.journal_size, UINT64_C(8) << 30);
    config_free(config);
    folder_close(&next_folder);
    config_free(running);
    folder_close(&folder);
    arena_deinit(&arena);
}

Test(config, the_control_socket_is_found_though_all_else_is_wrong)
{
    struct folder folder;
    struct diagnostics diagnostics;
    char text[512], expected[512];
    const char *path = write_configuration(&folder, "bogus: 1\njournal: j\n");
    diagnostics_init(&diagnostics);
    cr_assert_eq(config_find_control(path, text, sizeof text, &diagnostics), STATUS_OK);
    snprintf(expected, sizeof expected, "unix:%s/j/control.sock", folder.path);
    cr_expect_str_eq(text, expected);
    folder_close(&folder);
    path = write_configuration(&folder, "control: c.sock\nsync: memory\n");
    cr_assert_eq(config_find_control(path, text, sizeof text, &diagnostics), STATUS_OK);
    snprintf(expected, sizeof expected, "unix:%s/c.sock", folder.path);
    cr_expect_str_eq(text, expected);
    folder_close(&folder);
    path = write_configuration(&folder, "sync: memory\n");
    cr_expect_eq(config_find_control(path, text, sizeof text, &diagnostics), STATUS_NOT_FOUND);
    folder_close(&folder);
    path = write_configuration(&folder, "control: none\n");
    cr_expect_eq(config_find_control(path, text, sizeof text, &diagnostics), STATUS_NOT_FOUND);
    cr_expect_eq(diagnostics.error_count, 0);
    folder_close(&folder);
    path = write_configuration(&folder, "journal: [\n");
    cr_expect_eq(config_find_control(path, text, sizeof text, &diagnostics), STATUS_INVALID);
    folder_close(&folder);
    diagnostics_deinit(&diagnostics);
}

/* Journals made by hand, and the shard that is built again from them: what is back, what is cut
 * off, and what stops the start. */
#include <criterion/criterion.h>
#include <dirent.h>

#include "io/delivery/group.h"
#include "io/journal/disk_ring.h"
#include "io/journal/sidecars.h"
#include "io/recover/recover.h"
#include "io/shard/shard.h"
#include "tests/io/built_log.h"

enum { PROBLEM_BYTES = 512, SEGMENTS_MAX = 64, GROUP_NUMBER = 5 };

static const char both_text[] = "listen: []\n"
                                "channels: [{name: in}]\n"
                                "destinations: [{name: customs}, {name: port}]\n"
                                "unroutable: customs\n"
                                "window_entries: 4096\n";
static const char turned_text[] = "listen: []\n"
                                  "channels: [{name: in}]\n"
                                  "destinations: [{name: port}, {name: other}, {name: customs}]\n"
                                  "unroutable: customs\n"
                                  "window_entries: 4096\n";
static const char port_text[] = "listen: []\n"
                                "channels: [{name: in}]\n"
                                "destinations: [{name: port}]\n"
                                "unroutable: port\n"
                                "window_entries: 4096\n";

/* ---- a server's start, and no more of it ---- */

struct start {
    struct built_log *log;
    struct config *config;
    struct shard *shard;
    struct disk_ring disk;
    int folder;
    struct segments *segments;
    struct recovery recovery;
    uint64_t generation;
    uint64_t incarnation;
    enum status status;
    char problem[PROBLEM_BYTES], path[64];
};

static void ignore(void *context)
{
    (void)context;
}

static void ignore_failure(void *context, int error, const char *step)
{
    (void)context;
    cr_assert_fail("%s: %s", step, strerror(error));
}

static enum window_match never_match(void *context, uint64_t position,
                                     const struct window_claim *claim)
{
    (void)context;
    (void)position;
    (void)claim;
    return WINDOW_MATCH_NOTHING;
}

static struct config *load_config(const struct built_log *log, const char *text)
{
    char path[128];
    struct config *config = NULL;
    struct diagnostics diagnostics;
    snprintf(path, sizeof path, "%s/kouan.yaml", log->folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    diagnostics_init(&diagnostics);
    cr_assert_eq(config_load(path, &config, &diagnostics), STATUS_OK);
    config->path = NULL; /* gone when this returns */
    diagnostics_deinit(&diagnostics);
    return config;
}

static void open_shard(struct start *start)
{
    struct shard *shard = start->shard = calloc(1, sizeof *shard);
    cr_assert_not_null(shard);
    shard->config = start->config;
    const struct generation *generation = shard->generation = start->config->generation;
    generation_list_init(&shard->generations);
    struct generation_names *names = arena_allocate(&shard->generations.arena, sizeof *names);
    generation_names_take(&shard->generations.arena, generation, NULL, 0, names);
    generation_list_add(&shard->generations, names);
    shard->outlets = calloc(generation->destination_count, sizeof *shard->outlets);
    shard->intake_accounts = calloc(generation->directory.count * generation->channel_count,
                                    sizeof *shard->intake_accounts);
    for (uint16_t d = 0; d < generation->destination_count; d++)
        cr_assert_eq(outlet_open(&shard->outlets[d], generation->destinations[d], &shard->journal,
                                 &shard->last_group_number),
                     STATUS_OK);
    cr_assert_eq(hold_open(&shard->holds, 64, 1 << 20), STATUS_OK);
    const struct window_settings window = {.entries_max = start->config->options.window_entries,
                                           .unplaced_max = 16,
                                           .log_count = 1,
                                           .span_s = 86400,
                                           .match = never_match};
    cr_assert_eq(window_open(&window, &shard->window), STATUS_OK);
    const struct loop_settings loop = {.submission_entries = 128,
                                       .completion_entries = 512,
                                       .receive_buffer_count = 16,
                                       .files_max = 16,
                                       .timers_max = 16};
    cr_assert_eq(loop_open(&loop, &shard->loop, start->problem, sizeof start->problem), STATUS_OK);
}

static void store_generation(struct start *start, struct recover *recover)
{
    const struct recovery *recovery = &start->recovery;
    struct sha256 manifest;
    recover_manifest(start->config, &manifest);
    start->generation = recover_choose_generation(&recovery, 1, &manifest);
    start->status =
        recover_store_generation(recover, start->generation, start->problem, sizeof start->problem);
    generation_list_set_current(&start->shard->generations, start->generation);
}

static void recover_all(struct start *start, uint32_t segment_bytes)
{
    struct recover *recover;
    const struct recover_settings settings = {
        .disk = &start->disk.disk,
        .folder = start->folder,
        .path = start->path,
        .journal_path = start->log->folder,
        .secret = start->log->secret,
        .segment_bytes = segment_bytes,
        .log_count = 1,
        .out_problem = start->problem,
        .problem_capacity = sizeof start->problem,
    };
    start->status = recover_open(&settings, &recover);
    if (start->status != STATUS_OK)
        return;
    start->incarnation = recover_incarnation(recover);
    const struct segments_settings segments = {.disk = &start->disk.disk,
                                               .segment_bytes = segment_bytes,
                                               .segments_max = SEGMENTS_MAX,
                                               .log_count = 1,
                                               .secret = start->log->secret,
                                               .incarnation = start->incarnation,
                                               .ready = ignore,
                                               .failed = ignore_failure};
    cr_assert_eq(segments_open(&segments, &start->segments), STATUS_OK);
    start->status = recover_run(recover, start->shard, start->segments, &start->recovery);
    if (start->status == STATUS_OK)
        store_generation(start, recover);
    recover_close(recover);
}

static struct start *start_with(struct built_log *log, const char *text, uint32_t segment_bytes)
{
    int error;
    struct start *start = calloc(1, sizeof *start);
    cr_assert_not_null(start);
    start->log = log;
    start->config = load_config(log, text);
    snprintf(start->path, sizeof start->path, "%s/00", log->folder);
    start->folder = open(start->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(start->folder >= 0);
    open_shard(start);
    cr_assert_eq(disk_ring_init(&start->disk, start->shard->loop, start->folder, &error),
                 STATUS_OK);
    recover_all(start, segment_bytes);
    return start;
}

static void start_close(struct start *start)
{
    struct shard *shard = start->shard;
    if (start->segments != NULL)
        segments_close(start->segments);
    disk_ring_deinit(&start->disk);
    loop_close(shard->loop);
    for (uint16_t d = 0; d < shard->generation->destination_count; d++)
        outlet_close(&shard->outlets[d]);
    window_close(shard->window);
    hold_close(&shard->holds);
    generation_list_deinit(&shard->generations);
    free(shard->outlets);
    free(shard->intake_accounts);
    free(shard);
    config_free(start->config);
    close(start->folder);
    free(start);
}

static struct start *start_well(struct built_log *log, const char *text)
{
    struct start *start = start_with(log, text, BUILT_SEGMENT_BYTES);
    cr_assert_eq(start->status, STATUS_OK, "%s", start->problem);
    return start;
}

static void expect_refusal(struct built_log *log, const char *text, enum status status,
                           const char *says)
{
    struct start *start = start_with(log, text, BUILT_SEGMENT_BYTES);
    cr_expect_eq(start->status, status, "%s: %s", status_text(start->status), start->problem);
    cr_expect_not_null(strstr(start->problem, says), "%s", start->problem);
    start_close(start);
}

/* ---- logs ---- */

/* Its manifest is stored, and the log says that it speaks of it. */
static void begin_generation(struct built_log *log, const char *text, uint64_t number)
{
    struct generation_store store;
    struct sha256 digest;
    struct arena arena;
    char problem[PROBLEM_BYTES] = "";
    struct config *config = load_config(log, text);
    cr_assert_eq(generation_store_open(log->folder, NULL, &store), STATUS_OK);
    cr_assert_eq(generation_store_put(&store, config, number, problem, sizeof problem), STATUS_OK,
                 "%s", problem);
    arena_init(&arena);
    generation_store_manifest(&arena, config, &digest);
    arena_deinit(&arena);
    config_free(config);
    struct fact_generation *fact = built_record(log, sizeof *fact, RECORD_KIND_GENERATION);
    fact->number = number;
    memcpy(fact->manifest, digest.bytes, sizeof fact->manifest);
}

static struct record *add_message(struct built_log *log, uint16_t destination, unsigned number)
{
    char body[32];
    snprintf(body, sizeof body, "message %u", number);
    struct record *record = built_message(log, destination, body);
    record->identity = (struct digest){number, 0xABCD};
    return record;
}

static void add_outlet(struct built_log *log, uint16_t destination, struct record_id last_id,
                       uint64_t pushed, uint64_t held)
{
    struct fact_outlet *fact = built_record(log, sizeof *fact, RECORD_KIND_OUTLET);
    fact->destination = destination;
    fact->last_id = last_id;
    fact->pushed = pushed;
    fact->account.routed = pushed + held;
    fact->account.offered = pushed;
    fact->account.held = held;
}

static struct record_id no_id;

/* A group `all` of `customs`, ten messages for it, the first three of which it has settled. */
static struct built_log *open_log(void)
{
    struct built_log *log = built_open();
    struct record_id third = {0};
    begin_generation(log, both_text, 1);
    add_outlet(log, 0, no_id, 0, 0);
    built_group(log, GROUP_NUMBER, 0, "all", GROUP_CREATED, no_id);
    built_seal(log);
    for (unsigned i = 1; i <= 10; i++) {
        struct record *record = add_message(log, 0, i);
        if (i == 3)
            third = record->id;
        built_seal(log);
    }
    built_settled(log, GROUP_NUMBER, 0, no_id, third, 3);
    built_seal(log);
    return log;
}

static void expect_customs(const struct start *start, uint64_t settled, uint64_t waiting)
{
    const struct outlet *outlet = NULL;
    for (uint16_t d = 0; d < start->shard->generation->destination_count; d++)
        if (strcmp(start->shard->outlets[d].destination->name, "customs") == 0)
            outlet = &start->shard->outlets[d];
    cr_assert_not_null(outlet);
    struct group *group = outlet_find_group(outlet, BYTES_LITERAL("all"));
    cr_assert_not_null(group);
    cr_expect_eq(group->number, GROUP_NUMBER);
    cr_expect_eq(group->account.acknowledged, settled);
    cr_expect_eq(group->account.backlog + group_unsettled(group), waiting);
    cr_expect_eq(group_gap(&group->account), 0);
    cr_expect_eq(outlet_gap(&outlet->account), 0);
    cr_expect_eq(outlet_length(outlet), waiting);
}

static uint64_t identities(const struct start *start)
{
    struct window_figures figures;
    window_figures(start->shard->window, &figures);
    return figures.used;
}

static bool is_there(const struct built_log *log, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/00/%s", log->folder, name);
    return access(path, F_OK) == 0;
}

/* ---- what is back ---- */

Test(recover, nothing_is_there)
{
    struct built_log *log = built_open();
    built_remove_segment(log, 0);
    struct start *start = start_well(log, both_text);
    cr_expect_eq(start->incarnation, 1);
    cr_expect_eq(start->recovery.start_position, 0);
    cr_expect_eq(start->generation, 1);
    cr_expect_eq(segments_count(start->segments), 0);
    start_close(start);
    built_close(log);
}

static void touch(const struct built_log *log, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/00/%s", log->folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("left", file);
    fclose(file);
}

Test(recover, what_was_left_half_done_goes)
{
    struct built_log *log = built_open();
    built_remove_segment(log, 0);
    static const char *const names[] = {"spare-0.segment", "last.tmp", SIDECAR_NEW_NAME,
                                        "0000000000000003.identities"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        touch(log, names[i]);
    struct start *start = start_well(log, both_text);
    cr_expect_eq(start->recovery.start_position, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect_not(is_there(log, names[i]), "%s", names[i]);
    start_close(start);
    built_close(log);
}

Test(recover, messages_groups_identities_and_where_the_log_goes_on)
{
    struct built_log *log = open_log();
    for (int round = 0; round < 3; round++) { /* each start finds the same */
        struct start *start = start_well(log, both_text);
        expect_customs(start, 3, 7);
        cr_expect_eq(identities(start), 10);
        cr_expect_eq(start->recovery.figures.messages, 10);
        cr_expect_eq(start->recovery.figures.torn_bytes, 0);
        cr_expect_eq(start->incarnation, 2);
        cr_expect_eq(start->recovery.start_position, BUILT_SEGMENT_BYTES);
        cr_expect(digest_equal(start->recovery.last_checksum, log->last_checksum));
        cr_expect_eq(record_id_compare(start->recovery.last_id, log->last_id), 0);
        cr_expect_eq(start->recovery.log_time_ms, log->log_time_ms - 10);
        cr_expect_eq(start->generation, 1);
        cr_expect_eq(start->shard->last_group_number, GROUP_NUMBER);
        struct segment *segment = segments_oldest(start->segments);
        cr_expect_eq(segment->size_bytes, log->position, "as long as what survived");
        uint64_t from, to;
        cr_expect(segments_block_range(start->segments, log->position - 8, 8, &from, &to));
        cr_expect_eq(from, log->position - JOURNAL_PAGE_BYTES);
        start_close(start);
    }
    built_close(log);
}

Test(recover, an_entry_lies_where_its_record_does)
{
    struct built_log *log = open_log();
    struct start *start = start_well(log, both_text);
    struct outlet *outlet = &start->shard->outlets[0];
    char path[128], body[] = "message 4";
    uint8_t bytes[256];
    snprintf(path, sizeof path, "%s/0000000000000000.segment", start->path);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    const struct outlet_entry *entry = outlet_entry(outlet, outlet->first);
    cr_assert_eq(pread(file, bytes, sizeof bytes, (off_t)entry->position), sizeof bytes);
    const struct record *record = (const struct record *)(const void *)bytes;
    cr_expect(bytes_equal_text(record_body(record), body));
    close(file);
    start_close(start);
    built_close(log);
}

/* ---- torn, and damaged ---- */

Test(recover, a_torn_end_is_cut_off)
{
    struct built_log *log = open_log();
    add_message(log, 0, 11);
    uint64_t torn = built_seal(log);
    built_damage(log, torn + 200, 16);
    struct start *start = start_well(log, both_text);
    expect_customs(start, 3, 7);
    cr_expect_eq(start->recovery.figures.torn_bytes, JOURNAL_PAGE_BYTES);
    cr_expect_neq(start->recovery.figures.torn_reason[0], '\0');
    cr_expect_eq(segments_oldest(start->segments)->size_bytes, torn);
    start_close(start);
    start = start_well(log, both_text); /* nothing of it is left */
    expect_customs(start, 3, 7);
    cr_expect_eq(start->recovery.figures.torn_bytes, 0);
    start_close(start);
    built_close(log);
}

Test(recover, a_segment_that_was_hardly_begun_goes)
{
    struct built_log *log = open_log();
    uint64_t end = log->position;
    built_next_segment(log);
    built_damage(log, BUILT_SEGMENT_BYTES, 64); /* its header is not whole */
    struct start *start = start_well(log, both_text);
    expect_customs(start, 3, 7);
    cr_expect_eq(start->recovery.start_position, BUILT_SEGMENT_BYTES);
    cr_expect_eq(segments_oldest(start->segments)->size_bytes, end);
    cr_expect_not(is_there(log, "0000000000000001.segment"));
    start_close(start);
    built_close(log);
}

Test(recover, damage_stops_the_start_with_its_place_and_the_choice)
{
    struct built_log *log = built_open();
    begin_generation(log, both_text, 1);
    built_seal(log);
    add_message(log, 0, 1);
    uint64_t bad = built_seal(log);
    add_message(log, 0, 2);
    built_seal(log);
    built_damage(log, bad + 200, 1);
    char place[64];
    snprintf(place, sizeof place, "0000000000000000.segment, byte %llu", (unsigned long long)bad);
    expect_refusal(log, both_text, STATUS_CORRUPT, place);
    expect_refusal(log, both_text, STATUS_CORRUPT, "kouan journal repair");
    built_close(log);
}

Test(recover, a_segment_that_is_missing_stops_the_start)
{
    struct built_log *log = open_log();
    built_next_segment(log);
    add_message(log, 0, 11);
    built_seal(log);
    built_next_segment(log);
    add_message(log, 0, 12);
    built_seal(log);
    built_remove_segment(log, 1);
    expect_refusal(log, both_text, STATUS_CORRUPT, "0000000000000001.segment is missing");
    built_close(log);
}

/* ---- what is not ours ---- */

static void change_header(const struct built_log *log, uint32_t version, uint16_t log_count)
{
    char path[128];
    struct segment_header header;
    snprintf(path, sizeof path, "%s/00/0000000000000000.segment", log->folder);
    int file = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_eq(pread(file, &header, sizeof header, 0), sizeof header);
    header.version = version;
    header.log_count = log_count;
    segment_header_seal(&header);
    cr_assert_eq(pwrite(file, &header, sizeof header, 0), sizeof header);
    close(file);
}

Test(recover, another_version_secret_number_or_size_is_refused)
{
    struct built_log *log = open_log();
    change_header(log, JOURNAL_VERSION + 1, 1);
    expect_refusal(log, both_text, STATUS_UNSUPPORTED, "another version of Kouan");
    change_header(log, JOURNAL_VERSION, 2);
    expect_refusal(log, both_text, STATUS_INVALID, "is log 0 of 2");
    change_header(log, JOURNAL_VERSION, 1);
    log->secret.bytes[0] ^= 1;
    expect_refusal(log, both_text, STATUS_INVALID, "under another secret");
    log->secret.bytes[0] ^= 1;
    char says[32];
    snprintf(says, sizeof says, "segment: %d", BUILT_SEGMENT_BYTES);
    struct start *start = start_with(log, both_text, 2 * BUILT_SEGMENT_BYTES);
    cr_expect_eq(start->status, STATUS_INVALID);
    cr_expect_not_null(strstr(start->problem, says), "%s", start->problem);
    start_close(start);
    start_close(start_well(log, both_text)); /* refusing has changed nothing */
    built_close(log);
}

/* ---- closed segments that nothing needs ---- */

static void add_checkpoint(struct built_log *log, struct record_id after, uint64_t pushed)
{
    begin_generation(log, both_text, 1);
    add_outlet(log, 0, log->last_id, pushed, 0);
    built_group(log, GROUP_NUMBER, 0, "all", GROUP_STANDS, after);
    built_seal(log);
}

/* Segments of ten messages each; all are settled, but the last `waiting` of the last segment. */
static struct built_log *open_long_log(unsigned segments, unsigned waiting)
{
    struct built_log *log = open_log();
    unsigned number = 10;
    for (unsigned s = 1; s < segments; s++) {
        built_settled(log, GROUP_NUMBER, 0, no_id, log->last_id, s == 1 ? 7 : 10);
        built_seal(log);
        struct record_id after = log->last_id;
        built_next_segment(log);
        add_checkpoint(log, after, number);
        for (unsigned i = 0; i < 10; i++) {
            add_message(log, 0, ++number);
            built_seal(log);
        }
    }
    (void)waiting;
    return log;
}

Test(recover, settled_segments_are_passed_over_but_for_their_identities)
{
    struct built_log *log = open_long_log(5, 10);
    for (int round = 0; round < 2; round++) { /* without sidecars, and with them */
        struct start *start = start_well(log, both_text);
        cr_expect_eq(start->recovery.figures.skipped_segments, round == 0 ? 0 : 4);
        cr_expect_eq(start->recovery.figures.messages, 10);
        cr_expect_eq(identities(start), 50);
        struct group *group = outlet_find_group(&start->shard->outlets[0], BYTES_LITERAL("all"));
        cr_assert_not_null(group);
        cr_expect_eq(group->account.backlog + group_unsettled(group), 10);
        cr_expect_eq(segments_count(start->segments), 5);
        for (uint64_t s = 0; s < 5; s++) {
            char name[DISK_NAME_BYTES];
            uint64_t from, to;
            sidecar_name(s, name);
            cr_expect(is_there(log, name), "%s", name);
            uint64_t first = s * BUILT_SEGMENT_BYTES + 2 * JOURNAL_PAGE_BYTES;
            cr_expect(segments_block_range(start->segments, first + 200, 8, &from, &to));
            cr_expect_eq(from, first);
        }
        start_close(start);
    }
    built_close(log);
}

Test(recover, a_sidecar_that_is_no_use_is_made_anew)
{
    struct built_log *log = open_long_log(3, 10);
    start_close(start_well(log, both_text));
    touch(log, "0000000000000000.identities");
    struct start *start = start_well(log, both_text);
    cr_expect_eq(identities(start), 30);
    start_close(start);
    char path[128];
    struct stat info;
    snprintf(path, sizeof path, "%s/00/0000000000000000.identities", log->folder);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq((uint64_t)info.st_size, sidecar_bytes(10));
    built_close(log);
}

Test(recover, a_group_that_lags_is_read_from_where_it_is)
{
    struct built_log *log = open_log();
    struct record_id third = log->last_id;
    built_next_segment(log);
    add_checkpoint(log, third, 10); /* it has settled all but what is here */
    add_message(log, 0, 11);
    built_seal(log);
    built_next_segment(log);
    add_checkpoint(log, third, 11); /* and nothing of it meanwhile */
    add_message(log, 0, 12);
    built_seal(log);
    struct start *start = start_well(log, both_text);
    cr_expect_eq(start->recovery.figures.skipped_segments, 0, "it has no sidecar");
    struct group *group = outlet_find_group(&start->shard->outlets[0], BYTES_LITERAL("all"));
    cr_assert_not_null(group);
    cr_expect_eq(group->account.backlog + group_unsettled(group), 2);
    cr_expect_eq(identities(start), 12);
    start_close(start);
    built_close(log);
}

Test(recover, damage_in_a_segment_that_is_passed_over_is_found_where_it_breaks_the_chain)
{
    struct built_log *log = open_long_log(4, 10);
    built_damage(log, BUILT_SEGMENT_BYTES + 3 * JOURNAL_PAGE_BYTES + 20, 8);
    expect_refusal(log, both_text, STATUS_CORRUPT, "0000000000000001.segment, byte 12288");
    built_close(log);
}

/* ---- another configuration ---- */

Test(recover, destinations_are_followed_by_their_names)
{
    struct built_log *log = open_log();
    add_message(log, 1, 11);
    built_seal(log);
    struct start *start = start_well(log, turned_text);
    expect_customs(start, 3, 7);
    const struct outlet *port = &start->shard->outlets[0];
    cr_expect_str_eq(port->destination->name, "port");
    cr_expect_eq(port->pushed, 1);
    cr_expect_eq(start->shard->outlets[1].pushed, 0);
    cr_expect_eq(start->generation, 2, "another manifest is another generation");
    cr_expect_str_eq(generation_list_name(&start->shard->generations, 1, NAME_DESTINATION, 0),
                     "customs");
    cr_expect_str_eq(generation_list_name(&start->shard->generations, 2, NAME_DESTINATION, 0),
                     "port");
    start_close(start);
    built_close(log);
}

Test(recover, a_destination_that_is_gone_must_have_settled_everything)
{
    struct built_log *log = open_log();
    expect_refusal(log, port_text, STATUS_INVALID,
                   "has no destination `customs`, and the journal has 7 messages");
    built_settled(log, GROUP_NUMBER, 0, no_id, log->last_id, 7);
    built_seal(log);
    start_close(start_well(log, port_text));
    built_close(log);
}

Test(recover, a_generation_whose_manifest_is_gone_stops_the_start)
{
    struct built_log *log = open_log();
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s/generations'", log->folder);
    cr_assert_eq(system(command), 0);
    expect_refusal(log, both_text, STATUS_NOT_FOUND, "what generation 1 calls its destinations");
    built_close(log);
}

/* ---- holds ---- */

static struct record_id hold_message(struct built_log *log, uint16_t destination, unsigned number)
{
    struct record *record = add_message(log, destination, number);
    record_destinations(record)[0] |= RECORD_HELD;
    return record->id;
}

static void end_hold(struct built_log *log, struct record_id id, enum hold_end_how how)
{
    struct fact_hold_end *fact = built_record(log, sizeof *fact, RECORD_KIND_HOLD_END);
    fact->id = id;
    fact->how = (uint8_t)how;
}

Test(recover, what_is_held_is_held_again)
{
    struct built_log *log = built_open();
    begin_generation(log, both_text, 1);
    add_outlet(log, 0, no_id, 0, 0);
    struct record_id first = hold_message(log, 0, 1), second = hold_message(log, 0, 2);
    struct record_id third = hold_message(log, 0, 3), fourth = hold_message(log, 1, 4);
    built_seal(log);
    end_hold(log, second, HOLD_RELEASED);
    end_hold(log, third, HOLD_REJECTED);
    built_seal(log);
    /* The first once more, where the second copy of it lies. */
    struct record *copy = add_message(log, 0, 1);
    log->last_id = fourth;
    copy->id = first;
    copy->head.flags = RECORD_COPIED;
    record_destinations(copy)[0] |= RECORD_HELD;
    uint64_t copied = built_seal(log) + sizeof(struct block_header);

    struct start *start = start_well(log, both_text);
    struct hold_list *holds = &start->shard->holds;
    cr_assert_eq(holds->live, 2);
    const struct hold *hold = hold_next(holds, no_id, 0);
    cr_expect_eq(record_id_compare(hold->id, first), 0);
    cr_expect_eq(hold->position, copied);
    hold = hold_next(holds, fourth, 0);
    cr_expect_eq(hold->destination, 1);
    const struct outlet_account *account = &start->shard->outlets[0].account;
    cr_expect_eq(account->held, 1);
    cr_expect_eq(account->released, 1);
    cr_expect_eq(account->hold_rejected, 1);
    cr_expect_eq(account->routed, 3);
    cr_expect_eq(outlet_gap(account), 0);
    cr_expect_eq(identities(start), 4, "a copy has no identity of its own");
    start_close(start);

    expect_refusal(log, port_text, STATUS_INVALID, "are held and not decided upon");
    built_close(log);
}

Test(recover, messages_behind_the_last_account_are_counted)
{
    struct built_log *log = open_log();
    built_message(log, 0, "before");
    struct fact_intake *fact = built_record(log, sizeof *fact, RECORD_KIND_INTAKE);
    fact->account.received = 3;
    fact->account.fresh = 1;
    fact->account.replay = 2;
    built_seal(log);
    built_message(log, 0, "behind");
    built_message(log, 0, "amended")->verdict = VERDICT_AMENDMENT;
    built_message(log, 0, "conflicting")->verdict = VERDICT_CONFLICT;
    built_message(log, 0, "carried along")->head.flags = RECORD_COPIED;
    built_message(log, 0, "released")->cause = RECORD_RELEASED;
    built_seal(log);
    struct start *start = start_well(log, turned_text);
    const struct intake_account *account = &start->shard->intake_accounts[0];
    cr_expect_eq(account->received, 6);
    cr_expect_eq(account->fresh, 2);
    cr_expect_eq(account->amendment, 1);
    cr_expect_eq(account->conflict, 1);
    cr_expect_eq(intake_gap(account), 0);
    start_close(start);
    built_close(log);
}

Test(recover, accounts_of_the_intake_are_those_told_last)
{
    struct built_log *log = open_log();
    for (uint64_t received = 1; received <= 10; received += 9) {
        struct fact_intake *fact = built_record(log, sizeof *fact, RECORD_KIND_INTAKE);
        fact->account.received = fact->account.fresh = received;
    }
    built_seal(log);
    struct start *start = start_well(log, turned_text);
    cr_expect_eq(start->shard->intake_accounts[0].received, 10);
    cr_expect_eq(intake_gap(&start->shard->intake_accounts[0]), 0);
    start_close(start);
    built_close(log);
}

/* ---- several logs ---- */

Test(recover, a_generation_goes_on_if_all_logs_that_know_it_know_it_alike)
{
    const struct sha256 now = {{1}}, other = {{2}};
    struct recovery none = {0}, first = {.last_generation = 4, .last_manifest = now},
                    behind = {.last_generation = 3, .last_manifest = other},
                    unlike = {.last_generation = 4, .last_manifest = other};
    const struct recovery *logs[] = {&none, &none};
    cr_expect_eq(recover_choose_generation(logs, 2, &now), 1);
    logs[0] = &first;
    cr_expect_eq(recover_choose_generation(logs, 2, &now), 4);
    cr_expect_eq(recover_choose_generation(logs, 2, &other), 5);
    logs[1] = &behind;
    cr_expect_eq(recover_choose_generation(logs, 2, &now), 4);
    logs[1] = &unlike;
    cr_expect_eq(recover_choose_generation(logs, 2, &now), 5);
}

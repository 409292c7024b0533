/* Where a journal is, and what the names and groups in it are. */
#include <stdio.h>
#include <stdlib.h>

#include "io/cli/logbook.h"
#include "io/config/config.h"
#include "io/reload/generation_store.h"

enum { LOGBOOK_LOGS_MAX = 64 };

/* ---- the folder ---- */

/* The configuration's folder, copied into the arena; NULL: it has errors, which were said. */
static const char *configured_folder(const struct logbook_place *place, struct arena *arena)
{
    struct diagnostics diagnostics;
    struct config *config;
    const char *folder = NULL;
    diagnostics_init(&diagnostics);
    if (config_load(place->config_path, &config, &diagnostics) == STATUS_OK) {
        folder = arena_copy_text(arena, bytes_from_text(config->journal_path));
        config_free(config);
    } else {
        diagnostics_print(&diagnostics, stderr);
        fprintf(stderr, "kouan %s: the configuration has errors; name the journal's folder\n",
                place->command);
    }
    diagnostics_deinit(&diagnostics);
    return folder;
}

static enum status open_log(const struct logbook_place *place, uint16_t log,
                            struct log_reader *out_reader, char problem[LOG_PROBLEM_BYTES])
{
    enum status status = STATUS_INVALID;
    struct arena arena;
    arena_init(&arena);
    const char *folder = place->folder != NULL ? place->folder : configured_folder(place, &arena);
    problem[0] = '\0';
    if (folder != NULL)
        status = log_reader_open(folder, log, out_reader, problem);
    arena_deinit(&arena);
    return status;
}

/* Nothing where the configuration has errors, which were said. */
static enum cli_exit say(const struct logbook_place *place, enum status status, const char *problem)
{
    if (problem[0] != '\0')
        fprintf(stderr, "kouan %s: %s\n", place->command, problem);
    if (status == STATUS_NOT_FOUND && place->folder == NULL)
        fputs("Name the journal's folder, or by -c the configuration that does.\n", stderr);
    return CLI_INVALID;
}

enum cli_exit logbook_open(const struct logbook_place *place, uint16_t log,
                           struct log_reader *out_reader)
{
    char problem[LOG_PROBLEM_BYTES];
    enum status status = open_log(place, log, out_reader, problem);
    return status == STATUS_OK ? CLI_OK : say(place, status, problem);
}

enum cli_exit logbook_open_of(const struct logbook_place *place, struct record_id id,
                              struct log_reader *out_reader)
{
    enum { LOG_NUMBER_MASK = 0xff };
    char problem[LOG_PROBLEM_BYTES];
    uint16_t log = id.seq & LOG_NUMBER_MASK;
    enum status status = open_log(place, log, out_reader, problem);
    if (log > 0 && status == STATUS_NOT_FOUND) /* there is no such log, and no such message */
        return logbook_open(place, 0, out_reader);
    return status == STATUS_OK ? CLI_OK : say(place, status, problem);
}

enum cli_exit logbook_each(const struct logbook_place *place,
                           enum cli_exit (*run)(void *context, const struct log_reader *reader),
                           void *context)
{
    enum cli_exit worst = CLI_OK;
    uint32_t count = 1, read = 0;
    char problem[LOG_PROBLEM_BYTES];
    for (uint16_t log = 0; log < count; log++) {
        struct log_reader reader;
        enum status status = open_log(place, log, &reader, problem);
        if (status == STATUS_INCOMPLETE) {
            if (log == 0)
                count = LOGBOOK_LOGS_MAX; /* until one can be opened, or is not there */
            continue;
        }
        if (status == STATUS_NOT_FOUND && log > 0)
            break;
        if (status != STATUS_OK)
            return say(place, status, problem);
        count = reader.log_count;
        read++;
        if (count > 1 && !place->without_titles)
            printf("%slog %s\n", read > 1 ? "\n" : "", reader.log_name);
        enum cli_exit end = run(context, &reader);
        worst = end > worst ? end : worst;
        log_reader_close(&reader);
    }
    if (read > 0)
        return worst;
    return logbook_open(place, 0, &(struct log_reader){0});
}

/* ---- names ---- */

void logbook_names_open(const struct log_reader *reader, struct logbook_names *out_names)
{
    *out_names = (struct logbook_names){.reader = reader};
    arena_init(&out_names->arena);
}

void logbook_names_close(struct logbook_names *names)
{
    free(names->items);
    arena_deinit(&names->arena);
    *names = (struct logbook_names){0};
}

const struct generation_names *logbook_names_find(const struct logbook_names *names,
                                                  uint64_t generation)
{
    for (uint32_t i = names->count; i-- > 0;)
        if (names->items[i].number == generation)
            return &names->items[i];
    return NULL;
}

void logbook_names_learn(struct logbook_names *names, const struct fact_generation *fact)
{
    char problem[LOG_PROBLEM_BYTES];
    struct sha256 digest;
    struct generation_store store;
    struct generation_names read;
    names->latest = fact->number;
    if (logbook_names_find(names, fact->number) != NULL)
        return;
    memcpy(digest.bytes, fact->manifest, sizeof digest.bytes);
    if (generation_store_open(names->reader->folder, names->reader->spare, &store) != STATUS_OK ||
        generation_store_read_names(&store, &digest, &names->arena, &read, problem,
                                    sizeof problem) != STATUS_OK)
        return;
    read.number = fact->number;
    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? 8 : 2 * names->capacity;
        names->items = realloc(names->items, names->capacity * sizeof *names->items);
        if (names->items == NULL)
            abort();
    }
    names->items[names->count++] = read;
}

const char *logbook_name(const struct logbook_names *names, uint64_t generation,
                         enum generation_name kind, uint32_t index, char memory[LOGBOOK_NAME_BYTES])
{
    static const char *const kinds[NAME_KIND_COUNT] = {
#define X(constant, text, max) [NAME_##constant] = text,
        GENERATION_NAME_LIST(X)
#undef X
    };
    const struct generation_names *found = logbook_names_find(names, generation);
    if (found != NULL && index < found->lists[kind].count)
        return found->lists[kind].names[index];
    snprintf(memory, LOGBOOK_NAME_BYTES, "%s-%u", kinds[kind], index);
    return memory;
}

/* ---- groups ---- */

struct logbook_group *logbook_groups_find(const struct logbook_groups *groups, uint32_t number)
{
    for (uint32_t i = 0; i < groups->count; i++)
        if (groups->items[i].number == number)
            return &groups->items[i];
    return NULL;
}

struct logbook_group *logbook_groups_learn(struct logbook_groups *groups,
                                           const struct logbook_names *names,
                                           const struct fact_group *fact)
{
    struct logbook_group *group = logbook_groups_find(groups, fact->number);
    if (group == NULL) {
        if (groups->count == groups->capacity) {
            groups->capacity = groups->capacity == 0 ? 16 : 2 * groups->capacity;
            groups->items = realloc(groups->items, groups->capacity * sizeof *groups->items);
            if (groups->items == NULL)
                abort();
        }
        group = &groups->items[groups->count++];
        *group = (struct logbook_group){.number = fact->number};
    }
    char memory[LOGBOOK_NAME_BYTES];
    struct bytes name = fact_group_name(fact);
    snprintf(group->destination_name, sizeof group->destination_name, "%s",
             logbook_name(names, names->latest, NAME_DESTINATION, fact->destination, memory));
    group->destination = fact->destination;
    group->is_destroyed = fact->event == GROUP_DESTROYED;
    /* A move leaves what lies before it as it was. */
    if (fact->event != GROUP_MOVED || record_id_compare(fact->after, group->after) < 0)
        group->after = fact->after;
    group->account = fact->account;
    memcpy(group->name, name.data, name.size);
    group->name[name.size] = '\0';
    return group;
}

void logbook_count_message(struct logbook_groups *groups, const struct logbook_names *names,
                           const struct record *record)
{
    char memory[LOGBOOK_NAME_BYTES];
    const uint16_t *destinations = record_destinations(record);
    if ((record->head.flags & RECORD_COPIED) != 0)
        return;
    for (uint16_t i = 0; i < record->destination_count; i++) {
        if ((destinations[i] & RECORD_HELD) != 0)
            continue;
        const char *name =
            logbook_name(names, record->generation, NAME_DESTINATION, destinations[i], memory);
        for (uint32_t g = 0; g < groups->count; g++) {
            struct logbook_group *group = &groups->items[g];
            if (!group->is_destroyed && strcmp(group->destination_name, name) == 0)
                group->account.offered++;
        }
    }
}

void logbook_count_settled(struct logbook_groups *groups, const struct fact_settled *fact)
{
    struct logbook_group *group = logbook_groups_find(groups, fact->group_number);
    if (group == NULL || fact->standing)
        return;
    for (uint32_t i = 0; i < fact->range_count; i++) {
        uint64_t count = fact_settled_ranges(fact)[i].count;
        switch ((enum settled_how)fact->how) {
        case SETTLED_ACKNOWLEDGED: group->account.acknowledged += count; break;
        case SETTLED_DEAD_LETTERED: group->account.dead_lettered += count; break;
        case SETTLED_SKIPPED: group->account.skipped += count; break;
        case SETTLED_DROPPED: group->account.dropped += count; break;
        case SETTLED_HOW_COUNT: break;
        }
    }
}

void logbook_groups_close(struct logbook_groups *groups)
{
    free(groups->items);
    *groups = (struct logbook_groups){0};
}

struct logbook_item logbook_item_of(const struct log_reader *reader, const struct record_head *head,
                                    uint64_t position, const struct block_header *block)
{
    return (struct logbook_item){
        .head = head,
        .position = position,
        .block = block,
        .wall_ms =
            log_reader_wall_ms(reader, block->position / reader->segment_bytes, block->log_time_ms),
    };
}

/* What the commands on a journal folder share: where it is, the names in it, which records are
 * asked for, and how they are shown. All of them read (io/audit/log_walk.h), whether or not a
 * server has the journal open. */
#ifndef KOUAN_IO_CLI_LOGBOOK_H
#define KOUAN_IO_CLI_LOGBOOK_H

#include "core/fact.h"
#include "io/audit/log_walk.h"
#include "io/cli/arguments.h"
#include "routes/generation_names.h"

/* ---- the folder ---- */

struct logbook_place {
    const char *command;     /* for messages: "journal show" */
    const char *config_path; /* its `journal` is the folder, unless one is named */
    const char *folder;      /* NULL: by the configuration, or the embedded defaults */
    bool without_titles;     /* of several logs nothing is printed before what each has */
};

#define LOGBOOK_PLACE_ARGUMENTS(place)                                                             \
    {                                                                                              \
        .letter = 'c', .name = "config", .kind = ARGUMENT_TEXT, .target = &(place).config_path,    \
        .value = "FILE", .help = "the configuration that names the journal"                        \
    }

/* Says what is wrong, with CLI_INVALID, or opens it: the log, or the only one, of a message's id.
 */
enum cli_exit logbook_open(const struct logbook_place *place, uint16_t log,
                           struct log_reader *out_reader);
enum cli_exit logbook_open_of(const struct logbook_place *place, struct record_id id,
                              struct log_reader *out_reader);
/* Opens each log in the order of their numbers, has `run` do its work on it, and closes it. Those
 * in which nothing was written are passed over, unless that is so of all. The worst of what `run`
 * returns. */
enum cli_exit logbook_each(const struct logbook_place *place,
                           enum cli_exit (*run)(void *context, const struct log_reader *reader),
                           void *context);

/* ---- names ---- */

/* Of all generations that the log has spoken of so far. */
struct logbook_names {
    const struct log_reader *reader;
    struct arena arena;
    struct generation_names *items;
    uint32_t count, capacity;
    uint64_t latest; /* the number that facts speak by */
};

void logbook_names_open(const struct log_reader *reader, struct logbook_names *out_names);
void logbook_names_close(struct logbook_names *names);
void logbook_names_learn(struct logbook_names *names, const struct fact_generation *fact);
/* NULL: its manifest is not there, or cannot be read. */
const struct generation_names *logbook_names_find(const struct logbook_names *names,
                                                  uint64_t generation);
/* The name, or `destination 3` in the caller's memory where it is not known. */
enum { LOGBOOK_NAME_BYTES = 64 };
const char *logbook_name(const struct logbook_names *names, uint64_t generation,
                         enum generation_name kind, uint32_t index,
                         char memory[LOGBOOK_NAME_BYTES]);

/* ---- groups: facts name them by number ---- */

enum { LOGBOOK_DESTINATION_BYTES = 256 };

struct logbook_group {
    uint32_t number;
    uint16_t destination;
    char destination_name[LOGBOOK_DESTINATION_BYTES]; /* as it was when the fact was written */
    bool is_destroyed;
    char name[FACT_GROUP_NAME_BYTES_MAX + 1];
    struct record_id after; /* all ids up to it are settled */
    struct group_account account;
};

struct logbook_groups {
    struct logbook_group *items;
    uint32_t count, capacity;
};

/* NULL: the log has not spoken of it. */
struct logbook_group *logbook_groups_find(const struct logbook_groups *groups, uint32_t number);
struct logbook_group *logbook_groups_learn(struct logbook_groups *groups,
                                           const struct logbook_names *names,
                                           const struct fact_group *fact);
/* What a message, and a settled fact, make of the accounts of the groups that they concern; what is
 * copied forward, and what a checkpoint repeats, make nothing. */
void logbook_count_message(struct logbook_groups *groups, const struct logbook_names *names,
                           const struct record *record);
void logbook_count_settled(struct logbook_groups *groups, const struct fact_settled *fact);
void logbook_groups_close(struct logbook_groups *groups);

/* ---- one record ---- */

struct logbook_item {
    const struct record_head *head;
    uint64_t position;
    const struct block_header *block;
    uint64_t wall_ms; /* when its block was sealed, about; 0: not known */
};

static inline const struct record *logbook_item_message(const struct logbook_item *item)
{
    return item->head->kind == RECORD_KIND_MESSAGE ? (const struct record *)(const void *)item->head
                                                   : NULL;
}

struct logbook_item logbook_item_of(const struct log_reader *reader, const struct record_head *head,
                                    uint64_t position, const struct block_header *block);

enum logbook_bodies { BODIES_NONE, BODIES_BEGINNING, BODIES_WHOLE };

struct logbook_words {
    const struct logbook_names *names;
    const struct logbook_groups *groups;
    enum logbook_bodies bodies;
};

/* A line, and JSON without a line end. */
void logbook_print_text(const struct logbook_words *words, const struct logbook_item *item);
void logbook_print_json(const struct logbook_words *words, const struct logbook_item *item);
/* The line that stands before a message's own bytes in `journal export`, with its end. */
void logbook_print_export(const struct logbook_words *words, const struct logbook_item *item);
/* `a,b` and `["a","b"]`; those where it is held, or the others. */
void logbook_print_destinations(const struct logbook_names *names, const struct record *record,
                                bool held, bool json);
void logbook_print_rules(const struct logbook_names *names, const struct record *record, bool json);
void logbook_print_keys(const struct record *record, bool json);
void logbook_print_id(struct record_id id);
const char *logbook_kind_name(enum record_kind kind);
const char *logbook_event_name(enum group_event event);
const char *logbook_settled_name(enum settled_how how);
uint64_t logbook_settled_count(const struct fact_settled *fact); /* of entries */
void logbook_print_manifest(const struct fact_generation *fact);
/* As facts speak of them: by number, or by index in the latest generation. */
const char *logbook_group_name(const struct logbook_words *words, uint32_t number,
                               char memory[LOGBOOK_NAME_BYTES]);
const char *logbook_destination_name(const struct logbook_words *words, uint16_t destination,
                                     char memory[LOGBOOK_NAME_BYTES]);
/* "12.3 MiB" */
void logbook_print_size(uint64_t bytes);

/* ---- which records ---- */

struct logbook_filter {
    const char *from, *to, *key, *id, *destination, *type, *participant;
    bool messages_only;
    /* Parsed: */
    struct record_id from_id, to_id, wanted_id;
    enum slot key_kind;
    struct bytes key_value;
    bool wants_id, wants_messages; /* the latter: facts cannot fulfil what is asked for */
};

#define LOGBOOK_FILTER_ARGUMENTS(filter)                                                           \
    {.name = "from",                                                                               \
     .kind = ARGUMENT_TEXT,                                                                        \
     .target = &(filter).from,                                                                     \
     .value = "WHEN",                                                                              \
     .help = "from an id on, or a time: 2026-03-01, 2026-03-01T09:30:00"},                         \
        {.name = "to",                                                                             \
         .kind = ARGUMENT_TEXT,                                                                    \
         .target = &(filter).to,                                                                   \
         .value = "WHEN",                                                                          \
         .help = "up to an id, or a time"},                                                        \
        {.name = "key",                                                                            \
         .kind = ARGUMENT_TEXT,                                                                    \
         .target = &(filter).key,                                                                  \
         .value = "KIND:VALUE",                                                                    \
         .help = "messages with this key, as in order:SO-1"},                                      \
        {.name = "id",                                                                             \
         .kind = ARGUMENT_TEXT,                                                                    \
         .target = &(filter).id,                                                                   \
         .value = "ID",                                                                            \
         .help = "the message of this receipt"},                                                   \
        {.name = "destination",                                                                    \
         .kind = ARGUMENT_TEXT,                                                                    \
         .target = &(filter).destination,                                                          \
         .value = "NAME",                                                                          \
         .help = "messages that go there"},                                                        \
        {.name = "type",                                                                           \
         .kind = ARGUMENT_TEXT,                                                                    \
         .target = &(filter).type,                                                                 \
         .value = "TYPE",                                                                          \
         .help = "messages of this message_type"},                                                 \
    {                                                                                              \
        .name = "participant", .kind = ARGUMENT_TEXT, .target = &(filter).participant,             \
        .value = "NAME", .help = "messages that this participant sent"                             \
    }

/* Says what is wrong with what was given: CLI_USAGE. */
enum cli_exit logbook_filter_parse(const char *command, struct logbook_filter *filter);
bool logbook_filter_holds(const struct logbook_filter *filter, const struct logbook_names *names,
                          const struct logbook_item *item);
/* The segment that may hold the first of what is asked for. Ids rise along the log, but for what
 * was copied forward. */
uint64_t logbook_filter_first_segment(const struct logbook_filter *filter,
                                      const struct log_reader *reader);

/* Messages once each: what is copied forward counts only where its first place is gone. */
struct logbook_once {
    struct record_id first;   /* of the first message at its first place; 0-0: none came yet */
    struct record_id *copies; /* that were taken, in order */
    uint32_t count, capacity;
};

bool logbook_once_takes(struct logbook_once *once, const struct record *record);
void logbook_once_close(struct logbook_once *once);

/* `<ms>-<seq>`; false if it is none. */
bool logbook_parse_id(struct bytes text, struct record_id *out_id);
/* `kind:value`; false if it is none. */
bool logbook_parse_key(struct bytes text, enum slot *out_kind, struct bytes *out_value);
bool logbook_has_key(const struct record *record, enum slot kind, struct bytes value);
bool logbook_goes_to(const struct record *record, uint16_t destination);

/* ---- the commands: argv[0] is the subcommand ---- */

enum cli_exit cli_journal_info(int argc, char **argv);
enum cli_exit cli_journal_verify(int argc, char **argv);
enum cli_exit cli_journal_show(int argc, char **argv);
enum cli_exit cli_journal_repair(int argc, char **argv);
enum cli_exit cli_journal_export(int argc, char **argv);

#endif

/* What all shards tell of themselves together: INFO, CLIENT LIST, and what KOUAN says. */
#include <assert.h>

#include "io/delivery/errand_inside.h"
#include "io/shard/report.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

/* ---- one merger ---- */

static const struct errand_kind merged = {errand_step_all, errand_reply_merged, .is_long = true};

/* ---- the ledger ---- */

static enum errand_step step_books(struct errand *errand)
{
    if (errand->round++ > 0)
        return ERRAND_REPLIES;
    errand_ask_all(errand, ERRAND_BOOKS);
    return ERRAND_ASKS;
}

static struct books add_up(struct errand *errand)
{
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct books books = errand->errands->shard->books;
    books_clear(&books);
    for (uint32_t i = 0; i < count; i++) {
        struct resp_cursor cursor = resp_cursor_make(parts[i]);
        struct resp_item item;
        bool is_there = resp_cursor_next(&cursor, &item);
        assert(is_there && item.type == RESP_BULK);
        books_add_written(&books, item.text);
    }
    return books;
}

static void reply_ledger(struct errand *errand, struct resp_writer *writer)
{
    const struct books books = add_up(errand);
    const struct shard *shard = errand->errands->shard;
    size_t half = shard->reply_capacity / 2;
    struct text text; /* in the second half of the reply memory; it is copied behind its header */
    text_init(&text, (char *)shard->reply_memory + half, half - 64);
    if (errand->terms.command.count == 3)
        report_ledger_json(&books, &text);
    else
        report_ledger(&books, &text);
    if (text.overflowed)
        resp_write_error(writer, "ERR the report is too long; raise output_max");
    else
        resp_write_verbatim(writer, bytes_make(text.data, text.size));
}

static const struct errand_kind ledger = {step_books, reply_ledger, .is_long = true};

/* ---- INFO ---- */

/* The gap of all books first: what one shard received another may have written. */
static enum errand_step step_info(struct errand *errand)
{
    switch (errand->round++) {
    case 0: errand_ask_all(errand, ERRAND_BOOKS); return ERRAND_ASKS;
    case 1: {
        if (errand_failure(errand) != NULL)
            return ERRAND_REPLIES;
        const struct books books = add_up(errand);
        errand->ids.count = books_gap(&books);
        errand_ask_all(errand, ERRAND_RUN);
        return ERRAND_ASKS;
    }
    default: return ERRAND_REPLIES;
    }
}

static void reply_info(struct errand *errand, struct resp_writer *writer)
{
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct merge merge = errand_merge(errand, parts, count);
    merge_info(&merge, errand->ids.count, writer);
}

static const struct errand_kind info = {step_info, reply_info, .is_long = true};

/* ---- REJECTS and HOLDS ---- */

static void reply_listed(struct errand *errand, struct resp_writer *writer)
{
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct merge merge = errand_merge(errand, parts, count);
    bool is_rejects = is(errand->terms.command.arguments[1], "REJECTS");
    const struct merge_limits limits = {.count = errand->ids.count,
                                        .bytes_max = errand->terms.bytes_max,
                                        .is_falling = is_rejects, /* the newest first */
                                        .is_by_time = is_rejects};
    merge_entries(&merge, &limits, writer);
}

static const struct errand_kind listed = {errand_step_all, reply_listed, .is_long = true};

static bool plan_listed(struct errand *errand, const struct resp_command *command)
{
    enum { SHOWN = 10, SHOWN_MAX = 1000 };
    uint64_t count = SHOWN;
    if (command->count == 3 && !bytes_parse_u64(command->arguments[2], &count))
        return false;
    errand->kind = &listed;
    errand->ids.count = is(command->arguments[1], "HOLDS") && count > SHOWN_MAX ? SHOWN_MAX : count;
    return command->count <= 3;
}

/* ---- KOUAN ---- */

static bool plan_merged(struct errand *errand,
                        void (*merge)(const struct merge *merge, struct resp_writer *writer))
{
    errand->kind = &merged;
    errand->merge = merge;
    return true;
}

static bool plan_operator(struct errand *errand, const struct resp_command *command)
{
    struct bytes subcommand = command->arguments[1];
    if (is(subcommand, "REJECTS") || is(subcommand, "HOLDS"))
        return plan_listed(errand, command);
    if (is(subcommand, "LEDGER")) {
        errand->kind = &ledger;
        return command->count == 2 || (command->count == 3 && is(command->arguments[2], "JSON"));
    }
    if (command->count == 2 && is(subcommand, "COUNTERS"))
        return plan_merged(errand, merge_counters);
    if (command->count == 2 && is(subcommand, "HEALTH"))
        return plan_merged(errand, merge_health);
    if (command->count != 3 || (!is(subcommand, "RELEASE") && !is(subcommand, "REJECT")))
        return false;
    errand->kind = &errand_by_ids;
    errand->merge = merge_sum;
    return errand_find_shards(errand, command, 2);
}

bool errand_plan_report(struct errand *errand, const struct session *session,
                        const struct command_row *row, const struct resp_command *command)
{
    if (row->run == command_info) {
        errand->kind = &info;
        return true;
    }
    bool operates = session->participant != NULL && session->participant->operate;
    if (row->run == command_client)
        return operates && command->count == 2 && is(command->arguments[1], "LIST") &&
               plan_merged(errand, merge_texts);
    if (is(command->arguments[1], "GROUPS"))
        return command->count == 3 && plan_merged(errand, merge_maps);
    if (is(command->arguments[1], "STATUS"))
        return command->count == 3 && plan_merged(errand, merge_lists);
    return operates && plan_operator(errand, command);
}

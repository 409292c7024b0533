/* kouan reroute: messages that went to the wrong place are decided once more. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "io/cli/logbook.h"
#include "io/cli/operator.h"
#include "io/cli/output.h"
#include "io/reroute/reroute.h"

struct asked {
    struct operator_settings settings;
    const char *from, *since, *rule;
    uint64_t last;
    bool dry_run;
};

/* `KOUAN REROUTE`, and which messages; APPLY goes between them. */
struct words {
    struct bytes items[OPERATOR_WORDS_MAX];
    uint32_t count;
    char since[24], last[24];
};

static void add(struct words *words, struct bytes word)
{
    assert(words->count < OPERATOR_WORDS_MAX);
    words->items[words->count++] = word;
}

/* ---- which messages ---- */

static enum cli_exit add_destination(const struct asked *asked, struct words *words)
{
    struct logbook_filter filter = {.from = asked->since};
    enum cli_exit end = logbook_filter_parse("reroute", &filter);
    if (end != CLI_OK)
        return end;
    add(words, BYTES_LITERAL("FROM"));
    add(words, bytes_from_text(asked->from));
    if (asked->since != NULL) {
        snprintf(words->since, sizeof words->since, "%" PRIu64, filter.from_id.ms);
        add(words, BYTES_LITERAL("SINCE"));
        add(words, bytes_from_text(words->since));
    }
    if (asked->last > 0) {
        snprintf(words->last, sizeof words->last, "%" PRIu64, asked->last);
        add(words, BYTES_LITERAL("LAST"));
        add(words, bytes_from_text(words->last));
    }
    if (asked->rule != NULL) {
        add(words, BYTES_LITERAL("RULE"));
        add(words, bytes_from_text(asked->rule));
    }
    return CLI_OK;
}

static enum cli_exit add_ids(char **ids, uint32_t count, struct words *words)
{
    struct record_id id;
    add(words, BYTES_LITERAL("ID"));
    for (uint32_t i = 0; i < count; i++) {
        if (!logbook_parse_id(bytes_from_text(ids[i]), &id))
            return arguments_fail("reroute", "`%s` is no id: they look like 1772357400123-256",
                                  ids[i]);
        add(words, bytes_from_text(ids[i]));
    }
    return CLI_OK;
}

/* ---- at work ---- */

static void show_progress(const redisReply *reply)
{
    struct bytes text = reply_bytes(reply->element[1]);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%.*s", (int)text.size - 1, (const char *)text.data);
}

static void hide_progress(bool was_shown)
{
    if (was_shown && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

/* Piece by piece; if it is ended in between, what is done is done. */
static enum cli_exit carry_out(struct operator* operator, const struct words * words)
{
    struct words applied = {.items = {BYTES_LITERAL("REROUTE"), BYTES_LITERAL("APPLY")},
                            .count = 2};
    for (uint32_t i = 1; i < words->count; i++)
        add(&applied, words->items[i]);
    for (bool was_shown = false;; was_shown = true) {
        redisReply *reply;
        enum cli_exit end = operator_ask(operator, applied.items, applied.count, &reply);
        bool has_more = end == CLI_OK && operator_answer_is(reply, "more");
        if (has_more)
            show_progress(reply);
        else
            hide_progress(was_shown);
        if (end != CLI_OK)
            return end;
        if (!has_more)
            end = operator_print(operator, reply);
        freeReplyObject(reply);
        if (!has_more)
            return end;
    }
}

static enum cli_exit plan_and_carry_out(const struct asked *asked, struct operator* operator,
                                        const struct words * words)
{
    redisReply *reply;
    enum cli_exit end = operator_ask(operator, words->items, words->count, &reply);
    if (end != CLI_OK)
        return end;
    bool is_to_be_done = operator_answer_is(reply, "ok") && !asked->dry_run;
    end = operator_print(operator, reply);
    freeReplyObject(reply);
    if (is_to_be_done)
        fflush(stdout);
    return is_to_be_done ? carry_out(operator, words) : end;
}

enum cli_exit cli_reroute(int argc, char **argv)
{
    struct asked asked = {.settings.command = "reroute"};
    struct words words = {.items = {BYTES_LITERAL("REROUTE")}, .count = 1};
    struct operator operator;
    const struct argument arguments[] = {
        OPERATOR_ARGUMENTS(asked.settings),
        {.name = "from",
         .kind = ARGUMENT_TEXT,
         .target = &asked.from,
         .value = "DESTINATION",
         .help = "all messages that went there, or were held for it"},
        {.name = "since",
         .kind = ARGUMENT_TEXT,
         .target = &asked.since,
         .value = "TIME",
         .help = "with --from: what went there since then (local time), or since an id"},
        {.name = "last",
         .kind = ARGUMENT_NUMBER,
         .target = &asked.last,
         .value = "N",
         .min = 1,
         .max = REROUTE_MESSAGES_MAX,
         .help = "with --from: the last N of them"},
        {.name = "rule",
         .kind = ARGUMENT_TEXT,
         .target = &asked.rule,
         .value = "TABLE/ID",
         .help = "with --from: what this rule sent there"},
        {.name = "dry-run", .target = &asked.dry_run, .help = "only say what would go where"},
    };
    const struct argument_page page = {
        .command = "reroute",
        .operands = "[ID...]",
        .about =
            "Has the running server decide messages of its journal once more, by the rules that\n"
            "run now, and send them where they have not been: first says what goes from where\n"
            "to where, then does it. Where a message has been it stays, acknowledged or not.\n"
            "Each is rerouted once by one generation of rules, so what was interrupted, or found\n"
            "no room, is finished by the same command again.",
        .epilogue = "Exit code: 0 done, or there was nothing to do, 1 refused, 3 the server cannot "
                    "be reached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = REROUTE_IDS_MAX,
    };
    int first;
    enum cli_exit end;
    if (!arguments_parse(&page, argc, argv, &first, &end))
        return end;
    if ((first == argc) == (asked.from == NULL))
        return arguments_fail("reroute", "name messages by their ids, or by --from DESTINATION");
    if (asked.from == NULL && (asked.since != NULL || asked.last > 0 || asked.rule != NULL))
        return arguments_fail("reroute", "--since, --last and --rule are of --from");
    end = asked.from != NULL ? add_destination(&asked, &words)
                             : add_ids(argv + first, (uint32_t)(argc - first), &words);
    if (end == CLI_OK)
        end = operator_open(&asked.settings, &operator);
    if (end != CLI_OK)
        return end;
    end = plan_and_carry_out(&asked, &operator, & words);
    operator_close(&operator);
    return end;
}

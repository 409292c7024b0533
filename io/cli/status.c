/* kouan status: what is known of a case. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/client.h"
#include "io/cli/output.h"
#include "routes/field.h"

enum { PARTS_MAX = 1024, REPLIES_MAX = 512, KINDS = SLOT_COUNT - SLOT_FIELD_COUNT };

struct status_arguments {
    struct client_settings client;
    bool json;
    const char *key;
};

/* What the logs know of one case: of several logs each has a part. */
struct status_parts {
    const redisReply *items[PARTS_MAX];
    uint32_t count;
    redisReply *replies[REPLIES_MAX]; /* that they lie in */
    uint32_t reply_count;
};

static bool parse_arguments(int argc, char **argv, struct status_arguments *out,
                            enum cli_exit *out_exit);
static enum cli_exit ask(struct client *client, struct bytes key, struct status_parts *parts);
static enum cli_exit follow_keys(struct client *client, struct status_parts *parts);
static enum cli_exit tell_unknown(struct client *client, const struct status_arguments *arguments);
static void print_case(const struct status_parts *parts);
static void print_json(const struct status_parts *parts);

enum cli_exit cli_status(int argc, char **argv)
{
    struct status_arguments arguments;
    struct status_parts parts = {.count = 0};
    struct client client;
    enum cli_exit end;
    if (!parse_arguments(argc, argv, &arguments, &end))
        return end;
    end = client_open(&arguments.client, &client);
    if (end != CLI_OK)
        return end;
    end = ask(&client, bytes_from_text(arguments.key), &parts);
    if (end == CLI_OK)
        end = follow_keys(&client, &parts);
    if (end == CLI_OK && parts.count == 0)
        end = tell_unknown(&client, &arguments);
    else if (end == CLI_OK && arguments.json)
        print_json(&parts);
    else if (end == CLI_OK)
        print_case(&parts);
    for (uint32_t i = 0; i < parts.reply_count; i++)
        freeReplyObject(parts.replies[i]);
    client_close(&client);
    return end;
}

static bool has_kind(const char *key)
{
    enum slot kind;
    const char *colon = strchr(key, ':');
    return colon != NULL && slot_find_key(bytes_make(key, (size_t)(colon - key)), &kind);
}

static bool parse_arguments(int argc, char **argv, struct status_arguments *out,
                            enum cli_exit *out_exit)
{
    *out = (struct status_arguments){.client.command = "status"};
    const struct argument rows[] = {
        CLIENT_ARGUMENTS(out->client),
        {.name = "json",
         .target = &out->json,
         .help = "one JSON array, a case or part of one each"},
    };
    const struct argument_page page = {
        .command = "status",
        .operands = "KIND:VALUE",
        .about = "Shows the case that a key names: its keys, its state and since when, what each\n"
                 "role said last, what did not fit, and its last records, for `kouan trace`.\n"
                 "KIND is order, payment, waybill, bill, list, client_seq, unified, entry,\n"
                 "handbook, container or voyage. Operators see every case, other participants\n"
                 "those in which they took part.",
        .epilogue = "Exit code: 0, or 1 if no such case is known.",
        .arguments = rows,
        .argument_count = sizeof rows / sizeof *rows,
        .operands_min = 1,
        .operands_max = 1,
    };
    int first;
    if (!arguments_parse(&page, argc, argv, &first, out_exit))
        return false;
    out->key = argv[first];
    if (has_kind(out->key))
        return true;
    *out_exit = arguments_fail("status",
                               "`%s` is no key: order:SO-1, list:..., entry:... (`kouan status "
                               "--help` lists the kinds)",
                               out->key);
    return false;
}

/* ---- asking ---- */

static bool is_same(const redisReply *a, const redisReply *b)
{
    return bytes_equal(reply_text(a, "first_id"), reply_text(b, "first_id")) &&
           reply_number(a, "first_entry") == reply_number(b, "first_entry") &&
           reply_number(a, "log") == reply_number(b, "log");
}

static void add_part(struct status_parts *parts, const redisReply *part)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (is_same(parts->items[i], part))
            return;
    if (parts->count < PARTS_MAX)
        parts->items[parts->count++] = part;
}

static enum cli_exit ask(struct client *client, struct bytes key, struct status_parts *parts)
{
    const struct bytes words[] = {BYTES_LITERAL("KOUAN"), BYTES_LITERAL("STATUS"), key};
    redisReply *reply = NULL;
    if (parts->reply_count == REPLIES_MAX)
        return CLI_OK;
    enum cli_exit end = client_call(client, words, 3, &reply);
    if (end != CLI_OK)
        return end;
    parts->replies[parts->reply_count++] = reply;
    for (size_t i = 0; i < reply->elements; i++)
        add_part(parts, reply->element[i]);
    return CLI_OK;
}

/* Several logs may know a case by different keys: each key that one knows is asked of all. With one
 * log there is nothing more to find. */
static enum cli_exit follow_keys(struct client *client, struct status_parts *parts)
{
    enum cli_exit end = CLI_OK;
    for (uint32_t i = 0; i < parts->count; i++) {
        const redisReply *keys = reply_member(parts->items[i], "keys");
        for (size_t k = 0; keys != NULL && k < keys->elements && end == CLI_OK; k++)
            end = ask(client, reply_bytes(keys->element[k]), parts);
    }
    return end;
}

/* ---- nothing is known ---- */

static enum cli_exit tell_unknown(struct client *client, const struct status_arguments *arguments)
{
    const char *value = strchr(arguments->key, ':') + 1;
    struct status_parts near = {.count = 0};
    enum cli_exit end = CLI_OK;
    for (unsigned kind = 0; kind < KINDS && end == CLI_OK; kind++) {
        char key[1200];
        const char *name = slot_name((enum slot)(SLOT_FIELD_COUNT + kind));
        uint32_t before = near.count;
        snprintf(key, sizeof key, "%s:%s", name, value);
        end = ask(client, bytes_from_text(key), &near);
        if (near.count > before)
            fprintf(stderr, "kouan status: did you mean %s? That is a case\n", key);
    }
    if (end == CLI_OK)
        fprintf(stderr,
                "kouan status: no case is known by %s, and none by `%s` of another kind%s\n",
                arguments->key, value,
                near.count > 0 ? " but the above"
                               : "; it never came, was too long ago, or is not "
                                 "yours to see");
    for (uint32_t i = 0; i < near.reply_count; i++)
        freeReplyObject(near.replies[i]);
    return end == CLI_OK ? CLI_INVALID : end;
}

/* ---- for people ---- */

static void print_list(const char *title, const redisReply *list)
{
    printf("%-13s", title);
    for (size_t i = 0; list != NULL && i < list->elements; i++) {
        fputs(i > 0 ? "  " : "", stdout);
        output_escaped(stdout, reply_bytes(list->element[i]));
    }
    putchar('\n');
}

static void print_at(const char *title, const redisReply *part, const char *name)
{
    printf("%-13s", title);
    output_time(stdout, reply_number(part, name));
    putchar('\n');
}

static void print_state(const redisReply *part)
{
    struct bytes state = reply_text(part, "state");
    printf("%-13s", "state");
    if (state.size == 0) {
        puts("-  no message has moved it to one");
        return;
    }
    output_escaped(stdout, state);
    fputs("  since ", stdout);
    output_time(stdout, reply_number(part, "since_ms"));
    fputs("  by ", stdout);
    output_escaped(stdout, reply_text(part, "since_id"));
    putchar('\n');
}

static void print_role(struct bytes role)
{
    if (role.size > 0)
        output_escaped(stdout, role);
    else
        putchar('-');
}

static void print_statuses(const redisReply *statuses)
{
    for (size_t i = 0; statuses != NULL && i < statuses->elements; i++) {
        const redisReply *status = statuses->element[i];
        printf("%-13s", i == 0 ? "statuses" : "");
        print_role(reply_text(status, "role"));
        fputs(" says ", stdout);
        output_escaped(stdout, reply_text(status, "status"));
        fputs("  ", stdout);
        output_time(stdout, reply_number(status, "at_ms"));
        fputs("  ", stdout);
        output_escaped(stdout, reply_text(status, "id"));
        putchar('\n');
    }
}

static void print_moves(const redisReply *moves)
{
    for (size_t i = 0; moves != NULL && i < moves->elements; i++) {
        const redisReply *move = moves->element[i];
        printf("%-13s", i == 0 ? "moves" : "");
        output_time(stdout, reply_number(move, "at_ms"));
        fputs("  ", stdout);
        output_escaped(stdout, reply_text(move, "to"));
        fputs("  by ", stdout);
        print_role(reply_text(move, "role"));
        fputs("  ", stdout);
        output_escaped(stdout, reply_text(move, "id"));
        puts(reply_number(move, "fits") == 0 ? "  impossible: it moved nothing" : "");
    }
}

static void print_part(const redisReply *part)
{
    const redisReply *flags = reply_member(part, "flags");
    print_list("keys", reply_member(part, "keys"));
    print_state(part);
    print_statuses(reply_member(part, "statuses"));
    print_moves(reply_member(part, "moves"));
    print_list("participants", reply_member(part, "participants"));
    print_at("first", part, "first_ms");
    print_at("last", part, "last_ms");
    printf("%-13s%" PRIu64 ", of them receipts %" PRIu64 "\n", "messages",
           reply_number(part, "messages"), reply_number(part, "receipts"));
    if (flags != NULL && flags->elements > 0) {
        print_list("flags", flags);
        printf("%-13s%" PRIu64 " messages flagged, %" PRIu64 " moves impossible\n", "",
               reply_number(part, "flagged"), reply_number(part, "impossible"));
    }
    print_list("records", reply_member(part, "records"));
}

/* Of several logs the one that heard of a state last says which it is. */
static const redisReply *choose_latest(const struct status_parts *parts)
{
    const redisReply *latest = parts->items[0];
    for (uint32_t i = 1; i < parts->count; i++)
        if (reply_number(parts->items[i], "since_ms") > reply_number(latest, "since_ms"))
            latest = parts->items[i];
    return latest;
}

static void print_case(const struct status_parts *parts)
{
    if (parts->count > 1) {
        printf("Messages of this case lie in several logs; each log's part:\n");
        print_state(choose_latest(parts));
    }
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->count > 1)
            printf("\nlog %" PRIu64 "\n", reply_number(parts->items[i], "log"));
        print_part(parts->items[i]);
    }
}

/* ---- for programs ---- */

static void print_scalar(const redisReply *value)
{
    if (value->type == REDIS_REPLY_INTEGER)
        printf("%lld", value->integer);
    else
        output_json(stdout, reply_bytes(value));
}

/* Names and values of texts and numbers. */
static void print_flat_map(const redisReply *map)
{
    putchar('{');
    for (size_t i = 0; i + 1 < map->elements; i += 2) {
        fputs(i > 0 ? "," : "", stdout);
        output_json(stdout, reply_bytes(map->element[i]));
        putchar(':');
        print_scalar(map->element[i + 1]);
    }
    putchar('}');
}

/* Of texts, or of maps. */
static void print_json_list(const redisReply *list)
{
    putchar('[');
    for (size_t i = 0; i < list->elements; i++) {
        fputs(i > 0 ? "," : "", stdout);
        if (list->element[i]->type == REDIS_REPLY_ARRAY)
            print_flat_map(list->element[i]);
        else
            print_scalar(list->element[i]);
    }
    putchar(']');
}

static void print_json_part(const redisReply *part)
{
    putchar('{');
    for (size_t i = 0; i + 1 < part->elements; i += 2) {
        fputs(i > 0 ? "," : "", stdout);
        output_json(stdout, reply_bytes(part->element[i]));
        putchar(':');
        if (part->element[i + 1]->type == REDIS_REPLY_ARRAY)
            print_json_list(part->element[i + 1]);
        else
            print_scalar(part->element[i + 1]);
    }
    putchar('}');
}

static void print_json(const struct status_parts *parts)
{
    putchar('[');
    for (uint32_t i = 0; i < parts->count; i++) {
        fputs(i > 0 ? ",\n" : "", stdout);
        print_json_part(parts->items[i]);
    }
    puts("]");
}

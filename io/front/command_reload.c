/* KOUAN RELOAD, REROUTE, ROLLBACK, CONFIG, RULES and STATS: of the control socket only. */
#include "io/front/command_reload.h"

#include "io/front/control.h"
#include "io/reload/rehearsal.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

static void ask(struct session *session, enum reload_kind kind)
{
    control_ask(session, &(struct reload_request){.kind = kind});
}

static bool parse_up_to(struct bytes text, uint64_t max, uint32_t *out_value)
{
    uint64_t value;
    if (!bytes_parse_u64(text, &value) || value == 0 || value > max)
        return false;
    *out_value = (uint32_t)value;
    return true;
}

/* REHEARSE [LAST count] [FOR seconds] */
static bool rehearse(struct session *session, const struct resp_command *command)
{
    struct reload_request request = {.kind = RELOAD_REHEARSE};
    for (uint32_t i = 3; i < command->count; i += 2) {
        struct bytes word = command->arguments[i];
        bool is_last = is(word, "LAST");
        if (i + 1 == command->count || (!is_last && !is(word, "FOR")))
            return false;
        if (!parse_up_to(command->arguments[i + 1],
                         is_last ? REHEARSAL_LAST_MAX : REHEARSAL_SECONDS_MAX,
                         is_last ? &request.last : &request.seconds)) {
            command_reply_error(session, "ERR value is not an integer or out of range");
            return true;
        }
    }
    if (request.last == 0 && request.seconds == 0)
        request.last = REHEARSAL_LAST_DEFAULT;
    control_ask(session, &request);
    return true;
}

/* APPLY [digest] */
static bool apply(struct session *session, const struct resp_command *command)
{
    struct reload_request request = {.kind = RELOAD_APPLY};
    if (command->count > 4)
        return false;
    if (command->count == 4) {
        struct bytes digest = command->arguments[3];
        if (digest.size == 0 || digest.size >= sizeof request.digest) {
            command_reply_error(session, "ERR that is no candidate's digest");
            return true;
        }
        memcpy(request.digest, digest.data, digest.size);
    }
    control_ask(session, &request);
    return true;
}

static bool reload(struct session *session, const struct resp_command *command)
{
    if (command->count == 2) {
        ask(session, RELOAD_FILES);
        return true;
    }
    if (is(command->arguments[2], "REHEARSE"))
        return rehearse(session, command);
    return is(command->arguments[2], "APPLY") && apply(session, command);
}

static void roll_back(struct session *session, const struct resp_command *command)
{
    struct reload_request request = {.kind = RELOAD_ROLLBACK};
    if (command->count == 3 &&
        (!bytes_parse_u64(command->arguments[2], &request.number) || request.number == 0)) {
        command_reply_error(session, "ERR value is not an integer or out of range");
        return;
    }
    control_ask(session, &request);
}

/* [TABLE name] [NEVER] [TOP count] [JSON] */
static bool parse_choice(const struct resp_command *command, struct rule_stats_choice *out_choice)
{
    for (uint32_t i = 3; i < command->count; i++) {
        struct bytes word = command->arguments[i];
        struct bytes value = i + 1 < command->count ? command->arguments[i + 1] : (struct bytes){0};
        if (is(word, "NEVER")) {
            out_choice->is_never = true;
        } else if (is(word, "JSON")) {
            out_choice->is_json = true;
        } else if (is(word, "TOP") && bytes_parse_u64(value, &out_choice->top) &&
                   out_choice->top > 0) {
            i++;
        } else if (is(word, "TABLE") && value.size > 0 && value.size < RULE_STATS_TABLE_BYTES) {
            memcpy(out_choice->table, value.data, value.size);
            out_choice->table[value.size] = '\0';
            i++;
        } else {
            return false;
        }
    }
    return true;
}

static void ask_stats(struct session *session, const struct resp_command *command)
{
    struct reload_request request = {.kind = RELOAD_STATS};
    request.stats.bytes_max = control_answer_bytes_max(session);
    if (parse_choice(command, &request.stats))
        control_ask(session, &request);
    else
        command_reply_error(session, "ERR syntax error");
}

/* [BY columns] [SINCE seconds] [JSON] */
static void ask_minutes(struct session *session, const struct resp_command *command)
{
    struct reload_request request = {.kind = RELOAD_MINUTES,
                                     .minutes = {.by = UINT32_C(1) << MINUTE_BY_TYPE,
                                                 .since_s = 3600,
                                                 .bytes_max = control_answer_bytes_max(session)}};
    bool is_sound = true;
    for (uint32_t i = 2; i < command->count && is_sound; i++) {
        bool has_value = i + 1 < command->count;
        if (is(command->arguments[i], "JSON"))
            request.minutes.is_json = true;
        else if (has_value && is(command->arguments[i], "BY"))
            is_sound = minute_choice_parse_by(command->arguments[++i], &request.minutes.by);
        else if (has_value && is(command->arguments[i], "SINCE"))
            is_sound = bytes_parse_u64(command->arguments[++i], &request.minutes.since_s) &&
                       request.minutes.since_s > 0 && request.minutes.since_s <= UINT32_MAX;
        else
            is_sound = false;
    }
    if (is_sound)
        control_ask(session, &request);
    else
        command_reply_error(session, "ERR syntax error");
}

static bool copy_name(struct bytes word, char out_name[REROUTE_NAME_BYTES])
{
    if (word.size == 0 || word.size >= REROUTE_NAME_BYTES)
        return false;
    memcpy(out_name, word.data, word.size);
    out_name[word.size] = '\0';
    return true;
}

/* destination [SINCE ms] [LAST count] [RULE table/id] */
static bool parse_destination(const struct resp_command *command, uint32_t at,
                              struct reroute_choice *out_choice)
{
    if (at == command->count || !copy_name(command->arguments[at], out_choice->from))
        return false;
    for (at++; at + 1 < command->count; at += 2) {
        struct bytes word = command->arguments[at], value = command->arguments[at + 1];
        if (!(is(word, "SINCE")  ? bytes_parse_u64(value, &out_choice->since_ms)
              : is(word, "LAST") ? parse_up_to(value, REROUTE_MESSAGES_MAX, &out_choice->last)
                                 : is(word, "RULE") && copy_name(value, out_choice->rule)))
            return false;
    }
    return at == command->count;
}

static bool parse_ids(const struct resp_command *command, uint32_t at,
                      struct reroute_choice *out_choice)
{
    for (; at < command->count && out_choice->id_count < REROUTE_IDS_MAX; at++)
        if (!command_parse_id(command->arguments[at], 0, &out_choice->ids[out_choice->id_count++]))
            return false;
    return at == command->count && out_choice->id_count > 0;
}

/* [APPLY] ID id [id ...] | FROM ... */
static bool reroute(struct session *session, const struct resp_command *command)
{
    struct reload_request request = {.kind = RELOAD_REROUTE};
    uint32_t at = 2;
    if (at < command->count && is(command->arguments[at], "APPLY")) {
        request.kind = RELOAD_REROUTE_APPLY;
        at++;
    }
    if (at == command->count)
        return false;
    struct bytes kind = command->arguments[at++];
    bool is_sound = is(kind, "ID")     ? parse_ids(command, at, &request.reroute)
                    : is(kind, "FROM") ? parse_destination(command, at, &request.reroute)
                                       : false;
    if (is_sound)
        control_ask(session, &request);
    else
        command_reply_error(session, "ERR syntax error");
    return true;
}

bool command_reload(struct session *session, const struct resp_command *command)
{
    struct bytes subcommand = command->arguments[1];
    if (is(subcommand, "RELOAD"))
        return reload(session, command);
    if (is(subcommand, "ROLLBACK") && command->count <= 3)
        roll_back(session, command);
    else if (is(subcommand, "CONFIG") && command->count == 3 && is(command->arguments[2], "SHOW"))
        ask(session, RELOAD_SHOW);
    else if (is(subcommand, "CONFIG") && command->count == 3 &&
             is(command->arguments[2], "HISTORY"))
        ask(session, RELOAD_HISTORY);
    else if (is(subcommand, "CONFIG") && command->count == 3 && is(command->arguments[2], "DIFF"))
        ask(session, RELOAD_DIFF);
    else if (is(subcommand, "REROUTE"))
        return reroute(session, command);
    else if (is(subcommand, "RULES") && command->count > 2 && is(command->arguments[2], "STATS"))
        ask_stats(session, command);
    else if (is(subcommand, "STATS"))
        ask_minutes(session, command);
    else
        return false;
    return true;
}

/* KOUAN RELOAD, ROLLBACK, CONFIG and RULES: of the control socket only. */
#include "io/command_reload.h"

#include "io/control.h"
#include "io/rehearsal.h"

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
    else if (is(subcommand, "RULES") && command->count > 2 && is(command->arguments[2], "STATS"))
        ask_stats(session, command);
    else
        return false;
    return true;
}

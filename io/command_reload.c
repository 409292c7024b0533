/* KOUAN RELOAD, ROLLBACK and CONFIG: of the control socket only. */
#include "io/command_reload.h"

#include "io/control.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

static void roll_back(struct session *session, const struct resp_command *command)
{
    uint64_t number = 0;
    if (command->count == 3 && (!bytes_parse_u64(command->arguments[2], &number) || number == 0)) {
        command_reply_error(session, "ERR value is not an integer or out of range");
        return;
    }
    control_ask(session, RELOAD_ROLLBACK, number);
}

bool command_reload(struct session *session, const struct resp_command *command)
{
    struct bytes subcommand = command->arguments[1];
    if (is(subcommand, "RELOAD") && command->count == 2)
        control_ask(session, RELOAD_FILES, 0);
    else if (is(subcommand, "ROLLBACK") && command->count <= 3)
        roll_back(session, command);
    else if (is(subcommand, "CONFIG") && command->count == 3 && is(command->arguments[2], "SHOW"))
        control_ask(session, RELOAD_SHOW, 0);
    else if (is(subcommand, "CONFIG") && command->count == 3 &&
             is(command->arguments[2], "HISTORY"))
        control_ask(session, RELOAD_HISTORY, 0);
    else
        return false;
    return true;
}

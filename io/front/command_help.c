/* The subcommands: what HELP says of each, and where a wrong number of arguments is told from an
 * unknown word. */
#include <stdio.h>

#include "io/front/command.h"

static const struct subcommand {
    const char *command, *name, *arguments, *help;
} subcommands[] = {
    {"CLIENT", "GETNAME", "", "Return the name of the current connection."},
    {"CLIENT", "ID", "", "Return the ID of the current connection."},
    {"CLIENT", "INFO", "", "Return information about the current client connection."},
    {"CLIENT", "LIST", "", "Return information about all connections; wants operate."},
    {"CLIENT", "NO-EVICT", "ON|OFF", "Accepted; no connection is evicted here."},
    {"CLIENT", "NO-TOUCH", "ON|OFF", "Accepted; nothing is touched here."},
    {"CLIENT", "REPLY", "ON", "Accepted; every command is answered here."},
    {"CLIENT", "SETINFO", "LIB-NAME|LIB-VER <text>", "Say which library the client is."},
    {"CLIENT", "SETNAME", "<name>", "Assign the name <name> to the current connection."},
    {"COMMAND", "COUNT", "", "Return the number of commands."},
    {"COMMAND", "DOCS", "[<command-name> ...]", "Return what commands do and take."},
    {"COMMAND", "INFO", "[<command-name> ...]", "Return details about commands."},
    {"COMMAND", "LIST", "", "Return the names of all commands."},
    {"CONFIG", "GET", "<pattern> [<pattern> ...]", "Return options and their values."},
    {"KOUAN", "CONFIG", "SHOW|HISTORY|DIFF",
     "Return what runs now, what ran, what the files would change; by the control socket."},
    {"KOUAN", "COUNTERS", "", "Return what only ever rises, for rates; wants operate."},
    {"KOUAN", "GROUPS", "<destination>", "Return the order in which its groups are served."},
    {"KOUAN", "HEALTH", "", "Return how many destinations are sick, and a line for each."},
    {"KOUAN", "HOLDS", "[<count>]", "Return the oldest held messages."},
    {"KOUAN", "LEDGER", "[JSON]", "Return the conservation accounts."},
    {"KOUAN", "REJECT", "<id>", "Drop a held message."},
    {"KOUAN", "REJECTS", "[<count>]", "Return the last refused messages."},
    {"KOUAN", "RELEASE", "<id>", "Send a held message on."},
    {"KOUAN", "RELOAD", "[REHEARSE [LAST <count>] [FOR <seconds>] | APPLY [<digest>]]",
     "Load the configuration's files, or try them first; by the control socket."},
    {"KOUAN", "REROUTE",
     "[APPLY] ID <id> [<id> ...] | FROM <destination> [SINCE <ms>] [LAST <count>] [RULE <rule>]",
     "Decide messages once more, first as a plan; by the control socket."},
    {"KOUAN", "ROLLBACK", "[<generation>]",
     "Load what an older generation was made from; by the control socket."},
    {"KOUAN", "RULES", "STATS [TABLE <name>] [NEVER] [TOP <count>] [JSON]",
     "Return how often each rule was hit; by the control socket."},
    {"KOUAN", "STATS", "[BY <columns>] [SINCE <seconds>] [JSON]",
     "Return what came, by type, office, destination ...; by the control socket."},
    {"KOUAN", "STATUS", "<kind>:<value>|<value>", "Return what is known of the case of a key."},
    {"KOUAN", "VERSION", "", "Return the version."},
    {"MEMORY", "USAGE", "<destination> [SAMPLES <count>]",
     "Return the bytes of what the destination keeps."},
    {"XGROUP", "CREATE", "<destination> <group> <id|$> [MKSTREAM] [ENTRIESREAD <n>]",
     "Create a consumer group. MKSTREAM and ENTRIESREAD change nothing here."},
    {"XGROUP", "CREATECONSUMER", "<destination> <group> <consumer>",
     "Create a consumer in the group."},
    {"XGROUP", "DELCONSUMER", "<destination> <group> <consumer>",
     "Remove a consumer that has nothing pending."},
    {"XGROUP", "DESTROY", "<destination> <group>", "Remove a group that CREATE made."},
    {"XGROUP", "SETID", "<destination> <group> <id|$> [ENTRIESREAD <n>]",
     "Set where the group goes on."},
    {"XINFO", "CONSUMERS", "<destination> <group>", "Show consumers of <group>."},
    {"XINFO", "GROUPS", "<destination>", "Show the groups of the destination."},
    {"XINFO", "STREAM", "<destination>", "Show information about the destination."},
};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof *subcommands };

static bool belongs_to(const struct subcommand *subcommand, struct bytes command)
{
    return bytes_equal_fold(command, bytes_from_text(subcommand->command));
}

struct folded {
    char text[32];
};

static struct folded fold(struct bytes name, bool upper)
{
    struct folded folded = {0};
    for (size_t i = 0; i < name.size && i < sizeof folded.text - 1; i++)
        folded.text[i] = (char)(upper ? name.data[i] & ~0x20 : name.data[i] | 0x20);
    return folded;
}

/* As Redis does: an array of lines, the arguments and under them what it does. */
static void reply_help(struct session *session, struct bytes command)
{
    uint32_t lines = 3;
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        lines += belongs_to(&subcommands[i], command) ? 2 : 0;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, lines);
    char line[128];
    snprintf(line, sizeof line, "%s <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
             fold(command, true).text);
    resp_write_simple(&writer, line);
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++) {
        const struct subcommand *subcommand = &subcommands[i];
        if (!belongs_to(subcommand, command))
            continue;
        snprintf(line, sizeof line, "%s%s%s", subcommand->name,
                 subcommand->arguments[0] != '\0' ? " " : "", subcommand->arguments);
        resp_write_simple(&writer, line);
        snprintf(line, sizeof line, "    %s", subcommand->help);
        resp_write_simple(&writer, line);
    }
    resp_write_simple(&writer, "HELP");
    resp_write_simple(&writer, "    Prints this help.");
    session_reply_end(session, &writer);
}

static bool is_known(struct bytes command, struct bytes name)
{
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (belongs_to(&subcommands[i], command) &&
            bytes_equal_fold(name, bytes_from_text(subcommands[i].name)))
            return true;
    return bytes_equal_fold(name, BYTES_LITERAL("HELP"));
}

void command_reply_other_subcommand(struct session *session, const struct resp_command *command)
{
    enum { SHOWN_MAX = 128 };
    struct bytes name = command->arguments[0], subcommand = command->arguments[1];
    if (command->count == 2 && bytes_equal_fold(subcommand, BYTES_LITERAL("HELP"))) {
        reply_help(session, name);
        return;
    }
    struct resp_writer writer = session_reply_begin(session);
    if (is_known(name, subcommand)) {
        resp_write_error_format(&writer, "ERR wrong number of arguments for '%s|%s' command",
                                fold(name, false).text, fold(subcommand, false).text);
    } else {
        struct bytes shown = bytes_slice(subcommand, 0, SHOWN_MAX);
        resp_write_error_format(&writer, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                                (int)shown.size, (const char *)shown.data, fold(name, true).text);
    }
    session_reply_end(session, &writer);
}

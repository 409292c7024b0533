/* The command line: one file a command. Exit codes: 0 ok, 1 invalid, 2 usage, 3 unreachable. */
#ifndef KOUAN_IO_CLI_CLI_H
#define KOUAN_IO_CLI_CLI_H

#include <stdbool.h>

enum cli_exit { CLI_OK = 0, CLI_INVALID = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3 };

/* name, what `kouan --help` says of it */
#define CLI_COMMAND_LIST(X)                                                                        \
    X(serve, "run the server")                                                                     \
    X(check, "check a configuration and all that it names")                                        \
    X(config, "show, list or compare configurations")                                              \
    X(explain, "show how messages are read, and which rules decide them")                          \
    X(rules, "hold rule tables against examples: test")                                            \
    X(profile, "draft a profile from samples, and test it")                                        \
    X(send, "publish files")                                                                       \
    X(tail, "show what arrives at a destination")                                                  \
    X(hold, "list, release or reject held messages")                                               \
    X(rejects, "show the last refused messages, with reasons")                                     \
    X(ledger, "show the conservation accounts")                                                    \
    X(stats, "count what came, by type, office, destination ...")                                  \
    X(health, "say which destinations are sick")                                                   \
    X(journal, "look into a journal: info, verify, show, export, repair")                          \
    X(trace, "tell the whole story of a message, or of a case")                                    \
    X(status, "show the state of a case")                                                          \
    X(reload, "have the server take its configuration's files")                                    \
    X(reroute, "decide messages that went to the wrong place once more")                           \
    X(rollback, "have the server go back to an older configuration")                               \
    X(audit, "seal a journal, and prove what it holds")                                            \
    X(version, "print the version")                                                                \
    X(help, "explain a diagnostic code or a reason word")

/* argv[0] is the command's name. Returns the exit code. */
#define X(name, text) enum cli_exit cli_##name(int argc, char **argv);
CLI_COMMAND_LIST(X)
#undef X

#endif

/* The options that `run` and `sweep` share. */
#ifndef KOUAN_BENCH_RACE_OPTIONS_H
#define KOUAN_BENCH_RACE_OPTIONS_H

#include "bench/race/race.h"

/* name, text, argument, help */
#define RACE_OPTION_LIST(X)                                                                        \
    X(seconds, "seconds", "N", "of a run, about (default 5)")                                      \
    X(messages, "messages", "N", "of a run, instead")                                              \
    X(pairs, "pairs", "N", "runs of each server, in turn: A B, B A, ... (default 3)")              \
    X(rate, "rate", "N",                                                                           \
      "messages a second, sent whatever becomes of them; times run from the\n"                     \
      "moment at which a message was to be sent (default: as fast as it goes)")                    \
    X(against, "against", "LIST", "servers to compare with, see below")                            \
    X(size, "size", "BYTES", "of an event (default 256)")                                          \
    X(connections, "connections", "N", "that publish (default 6)")                                 \
    X(in_flight, "in-flight", "N", "messages without a receipt, each (default 1024)")              \
    X(destinations, "destinations", "N", "that each message goes to (default 1)")                  \
    X(consumers, "consumers", "N", "that share the entries of each destination (default 1)")       \
    X(rules, "rules", "N", "that choose the destinations (default 0)")                             \
    X(replays, "replays", "PERCENT", "of the messages, equal to ones before (default 0)")          \
    X(window, "window", "N", "identities that the dedupe window holds, full beforehand")           \
    X(shards, "shards", "N", "of Kouan (default 1)")                                               \
    X(sync, "sync", "memory|commit",                                                               \
      "instead of the scenario's: receipts at once, or when the\n"                                 \
      "message is on disk")                                                                        \
    X(unix_sockets, "unix", "", "connect by Unix sockets instead of TCP")                          \
    X(folder, "folder", "PATH",                                                                    \
      "on the disk to be measured (default /tmp); what is made there\n"                            \
      "is removed again")                                                                          \
    X(kouan, "kouan", "PROGRAM", "the server (default: kouan beside this program)")                \
    X(seed, "seed", "N", "of the first run's messages (default 1)")                                \
    X(json, "json", "", "print the result as JSON")                                                \
    X(smoke, "smoke", "", "a few thousand messages, just to see that it works")                    \
    X(help, "help", "", "print this, and end")

struct race_options {
    struct race_settings race; /* but for peer.scenario */
    struct scenario scenario;
    char kouan[4096];
    bool prints_json;
};

void race_options_print(void); /* the options, the peers and the scenarios */

/* Reads `COMMAND SCENARIO [OPTION]...`. False with words on stderr: wrong usage, or a peer that is
 * not there; or, with EXIT_OK in `*out_code`, if it was asked for help, which it printed behind
 * `about`. */
bool race_options_parse(int argc, char **argv, const char *about, struct race_options *options,
                        int *out_code);

#endif

/* kouan audit: what a journal can prove. */
#ifndef KOUAN_IO_CLI_AUDIT_H
#define KOUAN_IO_CLI_AUDIT_H

#include "core/arena.h"
#include "io/audit/seal.h"
#include "io/cli/logbook.h"

#define AUDIT_KEY_ARGUMENT(path)                                                                   \
    {                                                                                              \
        .name = "key-file", .kind = ARGUMENT_TEXT, .target = &(path), .value = "FILE",             \
        .help = "the key of the seals: 16 bytes or more, without the blanks at its\nends"          \
    }

/* Says what is wrong with it: CLI_USAGE if none is named, CLI_INVALID. */
enum cli_exit audit_read_key(const char *command, const char *path, struct arena *arena,
                             struct bytes *out_key);

/* The seal's text beside a segment. NOT_FOUND, IO, INVALID if it is none. */
MUST_CHECK enum status audit_read_seal(const struct log_reader *reader, uint64_t segment,
                                       struct seal_text *out_text, struct seal *out_seal);

/* argv[0] is the subcommand. */
enum cli_exit audit_replay(int argc, char **argv);
enum cli_exit audit_seal(int argc, char **argv);
enum cli_exit audit_prove(int argc, char **argv);
enum cli_exit audit_check(int argc, char **argv);

#endif

/* The subcommands of `kouan profile`, and what they share. */
#ifndef KOUAN_IO_CLI_PROFILE_H
#define KOUAN_IO_CLI_PROFILE_H

#include "io/cli/cli.h"
#include "routes/read/read.h"

enum { PROFILE_SAMPLE_BYTES_MAX = 64 * 1024 * 1024 };

/* Profiles, and a reader for messages; static storage, one a process. */
struct profile_stand {
    struct arena arena;
    struct diagnostics diagnostics;
    struct profile_list list;
    struct profile_set set;
    struct reader reader;
};

/* The profiles of the files, tried before the shipped ones. False after saying what is wrong; the
 * stand is to be closed either way. */
bool cli_profile_stand_open(struct profile_stand *stand, const char *const *files, int file_count,
                            bool with_shipped);
/* The profiles of one text alone; `name` is for diagnostics. */
bool cli_profile_stand_open_text(struct profile_stand *stand, const char *name, struct bytes text);
void cli_profile_stand_close(struct profile_stand *stand);

/* A message's file, padded, in the arena; false after a line on stderr. */
bool cli_profile_read_file(struct arena *arena, const char *path, struct bytes *out_content);

/* How many messages a body has that is an interchange of several; else 0. */
uint32_t cli_profile_parts(struct bytes body);
/* Reads a body, or of one of several messages the part of that number, from 1. */
enum status cli_profile_read(struct profile_stand *stand, struct bytes body, uint32_t part,
                             struct reading *out_reading, struct scan_fault *out_fault);

/* argv[0] is the first operand. */
enum cli_exit cli_profile_draft(const char *name, int argc, char **argv);
enum cli_exit cli_profile_test(int argc, char **argv);
enum cli_exit cli_profile_expect(int argc, char **argv);
enum cli_exit cli_profile_show(int argc, char **argv);

#endif

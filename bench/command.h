/* The subcommands of kouan-bench. Each takes its own arguments, argv[0] being its name, and returns
 * the exit code. */
#ifndef KOUAN_BENCH_COMMAND_H
#define KOUAN_BENCH_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

enum { EXIT_OK = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_STOPPED = 130 };

int command_day(int argc, char **argv);
int command_disk(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_micro(int argc, char **argv);
int command_null(int argc, char **argv);
int command_run(int argc, char **argv);
int command_read(int argc, char **argv);
int command_report(int argc, char **argv);
int command_scan(int argc, char **argv);
int command_sweep(int argc, char **argv);
int command_window(int argc, char **argv);

/* Options' values, within bounds. On failure says so, with the option's name, and returns false. */
bool option_number(const char *option, const char *text, uint64_t least, uint64_t most,
                   uint64_t *out_number);
/* One of `names`, NULL-terminated. */
bool option_choice(const char *option, const char *text, const char *const *names,
                   uint32_t *out_index);

#endif

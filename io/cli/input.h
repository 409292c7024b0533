/* The files that commands read: plain ones, pipes, and `-` for standard input. */
#ifndef KOUAN_IO_CLI_INPUT_H
#define KOUAN_IO_CLI_INPUT_H

#include <stdio.h>

#include "core/bytes.h"
#include "core/status.h"

/* A whole body in memory that is the caller's: `memory` to be freed, followed by BYTES_PADDING. */
struct input {
    void *memory;
    struct bytes content;
};

/* NULL, with errno, if it cannot be opened. `-` is stdin, which input_close leaves open. */
FILE *input_open(const char *path);
void input_close(FILE *file);

/* All that is left of it. TOO_BIG above `bytes_max`, or IO. */
MUST_CHECK enum status input_read(FILE *file, size_t bytes_max, struct input *out_input);

/* The next line without its end (LF or CRLF). NOT_FOUND at the end of the file, or IO; of any
 * length, since whether a message is too big is for the server to say. */
MUST_CHECK enum status input_read_line(FILE *file, struct input *out_input);

/* The size of a plain file; 0 for anything else. */
uint64_t input_size(const char *path);

#endif

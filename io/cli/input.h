/* What commands read: plain files, pipes, and `-` for standard input; whole or line by line. Over
 * read(2), so that it is known whether the next line would have to be waited for. */
#ifndef KOUAN_IO_CLI_INPUT_H
#define KOUAN_IO_CLI_INPUT_H

#include "core/bytes.h"
#include "core/status.h"

struct input {
    int descriptor;
    uint8_t *data; /* what was read and not yet taken: [start, end) */
    size_t start, end, capacity;
    size_t searched; /* no line ends before it; from `start` on */
    bool ended;
};

/* A body in memory of its own, to be freed by whoever has it, followed by BYTES_PADDING. */
struct input_body {
    void *memory;
    struct bytes content;
};

/* False, with errno, if it cannot be opened. */
bool input_open(const char *path, struct input *out_input);
void input_close(struct input *input);

/* All that is left. TOO_BIG above `bytes_max`, or IO. */
MUST_CHECK enum status input_read(struct input *input, size_t bytes_max,
                                  struct input_body *out_body);

/* The next line, without its LF or CRLF. NOT_FOUND at the end of the file, TOO_BIG for one above
 * `bytes_max`, or IO. */
MUST_CHECK enum status input_read_line(struct input *input, size_t bytes_max,
                                       struct input_body *out_body);

/* True if input_read_line has what it needs, or the end has come: it would not wait. */
bool input_line_is_ready(struct input *input);

/* A plain file is there at once, and has a size; others may have to be waited for. */
bool input_is_plain(const char *path, uint64_t *out_size);

#endif

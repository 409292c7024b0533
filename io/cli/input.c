#include "io/cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

bool input_open(const char *path, struct input *out_input)
{
    struct stat info;
    int descriptor = is_stdin(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    if (fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
        if (!is_stdin(path))
            close(descriptor);
        errno = EISDIR;
        return false;
    }
    *out_input = (struct input){.descriptor = descriptor};
    return true;
}

void input_close(struct input *input)
{
    if (input->descriptor != STDIN_FILENO)
        close(input->descriptor);
    free(input->data);
    *input = (struct input){.descriptor = -1};
}

bool input_is_plain(const char *path, uint64_t *out_size)
{
    struct stat info;
    if ((is_stdin(path) ? fstat(STDIN_FILENO, &info) : stat(path, &info)) != 0 ||
        !S_ISREG(info.st_mode))
        return false;
    *out_size = (uint64_t)info.st_size;
    return true;
}

/* ---- reading ---- */

static void make_room(struct input *input)
{
    enum { ROOM_MIN = 64 * 1024 };
    if (input->start > 0) {
        memmove(input->data, input->data + input->start, input->end - input->start);
        input->end -= input->start;
        input->start = 0;
    }
    if (input->capacity - input->end >= ROOM_MIN)
        return;
    input->capacity = input->capacity * 2 + ROOM_MIN;
    input->data = realloc(input->data, input->capacity);
    if (input->data == NULL)
        abort();
}

/* Once more, or notes the end. */
static enum status read_more(struct input *input)
{
    ssize_t got;
    make_room(input);
    do
        got = read(input->descriptor, input->data + input->end, input->capacity - input->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return STATUS_IO;
    input->ended = got == 0;
    input->end += (size_t)got;
    return STATUS_OK;
}

static size_t buffered(const struct input *input)
{
    return input->end - input->start;
}

/* The size of the first line with its end, of what is left at the end of the file; 0: unknown. */
static size_t find_line(struct input *input)
{
    size_t size = buffered(input);
    const uint8_t *line = input->data + input->start;
    const uint8_t *end = size > input->searched
                             ? memchr(line + input->searched, '\n', size - input->searched)
                             : NULL;
    if (end != NULL)
        return (size_t)(end - line) + 1;
    input->searched = size;
    return input->ended ? size : 0;
}

/* Copies the first `size` bytes out, and steps over `step`. */
static struct input_body take(struct input *input, size_t size, size_t step)
{
    uint8_t *memory = malloc(size + BYTES_PADDING);
    if (memory == NULL)
        abort();
    if (size > 0)
        memcpy(memory, input->data + input->start, size);
    memset(memory + size, 0, BYTES_PADDING);
    input->start += step;
    input->searched = 0;
    return (struct input_body){memory, bytes_make(memory, size)};
}

enum status input_read(struct input *input, size_t bytes_max, struct input_body *out_body)
{
    while (!input->ended && buffered(input) <= bytes_max)
        if (read_more(input) != STATUS_OK)
            return STATUS_IO;
    if (buffered(input) > bytes_max)
        return STATUS_TOO_BIG;
    *out_body = take(input, buffered(input), buffered(input));
    return STATUS_OK;
}

enum status input_read_line(struct input *input, size_t bytes_max, struct input_body *out_body)
{
    size_t step;
    while ((step = find_line(input)) == 0) {
        if (input->ended)
            return STATUS_NOT_FOUND;
        if (buffered(input) > bytes_max)
            return STATUS_TOO_BIG;
        if (read_more(input) != STATUS_OK)
            return STATUS_IO;
    }
    const uint8_t *line = input->data + input->start;
    size_t size = step;
    if (line[size - 1] == '\n')
        size--;
    if (size > 0 && line[size - 1] == '\r')
        size--;
    *out_body = take(input, size, step);
    return STATUS_OK;
}

bool input_line_is_ready(struct input *input)
{
    struct pollfd source = {.fd = input->descriptor, .events = POLLIN};
    while (find_line(input) == 0 && !input->ended) {
        if (poll(&source, 1, 0) <= 0)
            return false;
        if (read_more(input) != STATUS_OK)
            return true; /* input_read_line will say so */
    }
    return true;
}

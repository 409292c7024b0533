#include "io/cli/send_source.h"

#include <errno.h>
#include <stdlib.h>

static bool open_next(struct send_source *source)
{
    const char *path = source->paths[source->next++];
    source->path = strcmp(path, "-") == 0 ? "(stdin)" : path;
    source->line = 0;
    source->file = input_open(path);
    return source->file != NULL;
}

void send_source_close(struct send_source *source)
{
    if (source->file != NULL)
        input_close(source->file);
    source->file = NULL;
}

static enum status read_one(struct send_source *source, struct input *out_input)
{
    if (!source->by_lines)
        return input_read(source->file, SEND_FILE_BYTES_MAX, out_input);
    enum status status;
    while ((status = input_read_line(source->file, out_input)) == STATUS_OK) {
        source->line++;
        if (out_input->content.size > 0)
            break;
        free(out_input->memory); /* a blank line is no message */
    }
    return status;
}

enum send_next send_source_next(struct send_source *source, struct send_message *out_message,
                                const char **out_problem)
{
    for (;;) {
        *out_message = (struct send_message){0};
        if (source->file == NULL) {
            if (source->next == source->count)
                return SEND_END;
            bool opened = open_next(source);
            out_message->path = source->path;
            if (!opened) {
                *out_problem = strerror(errno);
                return SEND_UNREADABLE;
            }
        }
        enum status status = read_one(source, &out_message->input);
        out_message->path = source->path;
        out_message->line = source->line;
        if (status != STATUS_OK || !source->by_lines)
            send_source_close(source);
        if (status == STATUS_OK)
            return SEND_MESSAGE;
        if (status != STATUS_NOT_FOUND) {
            *out_problem = status_text(status);
            return SEND_UNREADABLE;
        }
    }
}

uint64_t send_source_bytes(const struct send_source *source)
{
    uint64_t total = 0;
    for (int i = 0; i < source->count; i++) {
        uint64_t size = input_size(source->paths[i]);
        if (size == 0)
            return 0;
        total += size;
    }
    return total;
}

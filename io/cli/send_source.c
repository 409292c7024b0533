#include "io/cli/send_source.h"

#include <errno.h>
#include <stdlib.h>

static bool open_next(struct send_source *source)
{
    const char *path = source->paths[source->next++];
    source->path = strcmp(path, "-") == 0 ? "(stdin)" : path;
    source->line = 0;
    source->is_open = input_open(path, &source->input);
    return source->is_open;
}

void send_source_close(struct send_source *source)
{
    if (source->is_open)
        input_close(&source->input);
    source->is_open = false;
}

static enum status read_one(struct send_source *source, struct input_body *out_body)
{
    if (!source->by_lines)
        return input_read(&source->input, SEND_BYTES_MAX, out_body);
    enum status status;
    while ((status = input_read_line(&source->input, SEND_BYTES_MAX, out_body)) == STATUS_OK) {
        source->line++;
        if (out_body->content.size > 0)
            break;
        free(out_body->memory); /* a blank line is no message */
    }
    return status;
}

enum send_next send_source_next(struct send_source *source, struct send_message *out_message,
                                const char **out_problem)
{
    for (;;) {
        *out_message = (struct send_message){0};
        if (!source->is_open) {
            if (source->next == source->count)
                return SEND_END;
            bool opened = open_next(source);
            out_message->path = source->path;
            if (!opened) {
                *out_problem = strerror(errno);
                return SEND_UNREADABLE;
            }
        }
        enum status status = read_one(source, &out_message->body);
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

bool send_source_is_ready(struct send_source *source)
{
    uint64_t size;
    if (source->is_open)
        return input_line_is_ready(&source->input);
    return source->next == source->count || input_is_plain(source->paths[source->next], &size);
}

uint64_t send_source_bytes(const struct send_source *source)
{
    uint64_t total = 0, size;
    for (int i = 0; i < source->count; i++) {
        if (!input_is_plain(source->paths[i], &size))
            return 0;
        total += size;
    }
    return total;
}

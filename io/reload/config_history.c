#include "io/reload/config_history.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_BYTES = 512, READ_BYTES = HISTORY_KEPT * LINE_BYTES, FILE_MODE = 0600 };

static const char file_name[] = "history";

static void keep(struct history *history, const struct history_item *item)
{
    if (history->count == HISTORY_KEPT)
        memmove(history->items, history->items + 1, --history->count * sizeof *history->items);
    history->items[history->count++] = *item;
}

static bool parse_line(const char *line, struct history_item *out_item)
{
    char digest[SHA256_TEXT_BYTES + 1];
    int end = 0;
    static_assert(SHA256_TEXT_BYTES == 64, "the width below");
    *out_item = (struct history_item){0};
    if (sscanf(line, "%" SCNu64 " %" SCNu64 " %64s %n", &out_item->wall_ms, &out_item->number,
               digest, &end) != 3 ||
        end == 0 || !sha256_parse(bytes_from_text(digest), &out_item->manifest))
        return false;
    snprintf(out_item->what, sizeof out_item->what, "%s", line + end);
    return true;
}

static void parse(struct history *history, struct bytes content)
{
    struct history_item item;
    char line[LINE_BYTES];
    while (content.size > 0) {
        const uint8_t *end = memchr(content.data, '\n', content.size);
        if (end == NULL)
            return; /* a line that was not written to its end */
        size_t size = (size_t)(end - content.data);
        if (size < sizeof line) {
            memcpy(line, content.data, size);
            line[size] = '\0';
            if (parse_line(line, &item))
                keep(history, &item);
        }
        content = bytes_slice(content, size + 1, content.size);
    }
}

/* The end of the file, from where a line begins, in `memory`: it may be of any size. */
static struct bytes read_end(const char *folder, char memory[READ_BYTES])
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", folder, file_name);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return (struct bytes){0};
    off_t size = lseek(file, 0, SEEK_END);
    off_t from = size > READ_BYTES ? size - READ_BYTES : 0;
    ssize_t read = size > 0 ? pread(file, memory, READ_BYTES, from) : 0;
    close(file);
    struct bytes end = bytes_make(memory, read > 0 ? (size_t)read : 0);
    if (from == 0 || end.size == 0)
        return end;
    const uint8_t *line = memchr(end.data, '\n', end.size);
    return line == NULL ? (struct bytes){0}
                        : bytes_slice(end, (size_t)(line + 1 - end.data), end.size);
}

enum status history_open(const char *folder, struct history *out_history)
{
    struct history history = {.items = calloc(HISTORY_KEPT, sizeof *history.items)};
    char *memory = malloc(READ_BYTES);
    if (history.items == NULL || memory == NULL) {
        free(history.items);
        free(memory);
        return STATUS_NO_MEMORY;
    }
    if (folder != NULL)
        parse(&history, read_end(folder, memory));
    free(memory);
    *out_history = history;
    return STATUS_OK;
}

void history_close(struct history *history)
{
    free(history->items);
    *history = (struct history){0};
}

/* A full disk may have cut the last line off. */
static bool end_last_line(int file)
{
    char last;
    off_t size = lseek(file, 0, SEEK_END);
    if (size == 0)
        return true;
    return size > 0 && pread(file, &last, 1, size - 1) == 1 &&
           (last == '\n' || write(file, "\n", 1) == 1);
}

static enum status append(const char *folder, const char *line)
{
    char path[1200];
    size_t size = strlen(line);
    snprintf(path, sizeof path, "%s/%s", folder, file_name);
    int file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (file < 0)
        return STATUS_IO;
    bool is_written =
        end_last_line(file) && write(file, line, size) == (ssize_t)size && fsync(file) == 0;
    close(file);
    return is_written ? STATUS_OK : STATUS_IO;
}

enum status history_add(struct history *history, const char *const *folders, uint32_t folder_count,
                        const struct history_item *item)
{
    char line[LINE_BYTES];
    enum status status = STATUS_OK;
    keep(history, item);
    snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 " %s %s\n", item->wall_ms, item->number,
             sha256_format(item->manifest.bytes).text, item->what);
    for (uint32_t i = 0; i < folder_count; i++)
        if (append(folders[i], line) != STATUS_OK)
            status = STATUS_IO;
    return status;
}

const struct history_item *history_find(const struct history *history, uint64_t number)
{
    for (uint32_t i = history->count; i > 0; i--)
        if (history->items[i - 1].number == number)
            return &history->items[i - 1];
    return NULL;
}

uint64_t history_number_before(const struct history *history)
{
    uint64_t current = history->count > 0 ? history->items[history->count - 1].number : 0;
    for (uint32_t i = history->count; i > 0; i--)
        if (history->items[i - 1].number != current)
            return history->items[i - 1].number;
    return 0;
}

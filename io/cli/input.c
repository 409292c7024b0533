#include "io/cli/input.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

FILE *input_open(const char *path)
{
    struct stat info;
    if (strcmp(path, "-") == 0)
        return stdin;
    FILE *file = fopen(path, "re");
    if (file != NULL && fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        fclose(file);
        errno = EISDIR;
        return NULL;
    }
    return file;
}

void input_close(FILE *file)
{
    if (file != stdin)
        fclose(file);
}

/* Room for `size` bytes and the padding, the padding zeroed by who fills it. */
static uint8_t *grow(uint8_t *memory, size_t size)
{
    uint8_t *larger = realloc(memory, size + BYTES_PADDING);
    if (larger == NULL)
        abort();
    return larger;
}

enum status input_read(FILE *file, size_t bytes_max, struct input *out_input)
{
    size_t capacity = 64 * 1024, size = 0;
    uint8_t *memory = grow(NULL, capacity);
    while (size <= bytes_max) {
        size_t got = fread(memory + size, 1, capacity - size, file);
        size += got;
        if (got == 0)
            break;
        if (size == capacity) {
            capacity *= 2;
            memory = grow(memory, capacity);
        }
    }
    if (ferror(file) != 0 || size > bytes_max) {
        free(memory);
        return ferror(file) != 0 ? STATUS_IO : STATUS_TOO_BIG;
    }
    memset(memory + size, 0, BYTES_PADDING);
    *out_input = (struct input){memory, bytes_make(memory, size)};
    return STATUS_OK;
}

enum status input_read_line(FILE *file, struct input *out_input)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = getline(&line, &capacity, file);
    if (size < 0) {
        free(line);
        return ferror(file) != 0 ? STATUS_IO : STATUS_NOT_FOUND;
    }
    if (size > 0 && line[size - 1] == '\n')
        size--;
    if (size > 0 && line[size - 1] == '\r')
        size--;
    uint8_t *memory = grow((uint8_t *)line, (size_t)size);
    memset(memory + size, 0, BYTES_PADDING);
    *out_input = (struct input){memory, bytes_make(memory, (size_t)size)};
    return STATUS_OK;
}

uint64_t input_size(const char *path)
{
    struct stat info;
    if (strcmp(path, "-") == 0 || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return 0;
    return (uint64_t)info.st_size;
}

#include "io/journal/log_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER_DIGITS = 16 };

/* What is found in one folder. */
struct listing {
    struct log_files files;
    uint32_t capacity;
    bool is_in_spare;
};

static void note_name(void *context, const char *name);
static enum status merge(const struct log_files *own, const struct log_files *spare,
                         struct log_files *out_files);

enum status log_files_find(int own, int spare, struct log_files *out_files)
{
    struct listing owns = {0}, spares = {.is_in_spare = true};
    enum status status = log_folder_list(own, note_name, &owns);
    if (status == STATUS_OK && spare >= 0)
        status = log_folder_list(spare, note_name, &spares);
    if (status == STATUS_OK)
        status = merge(&owns.files, &spares.files, out_files);
    int error = errno;
    free(owns.files.files);
    free(spares.files.files);
    errno = error;
    return status;
}

void log_files_free(struct log_files *files)
{
    free(files->files);
    *files = (struct log_files){0};
}

static void note_name(void *context, const char *name)
{
    struct listing *listing = context;
    struct log_files *files = &listing->files;
    uint64_t number;
    if (log_folder_parse_name(name, ".first", &number) && number > files->first_number)
        files->first_number = number;
    if (!log_folder_parse_name(name, ".segment", &number))
        return;
    if (files->count == listing->capacity) {
        listing->capacity = listing->capacity * 2 + 64;
        files->files = realloc(files->files, listing->capacity * sizeof *files->files);
        if (files->files == NULL)
            abort();
    }
    files->files[files->count++] = (struct log_file){number, listing->is_in_spare};
}

static int by_number(const void *left, const void *right)
{
    uint64_t a = ((const struct log_file *)left)->number;
    uint64_t b = ((const struct log_file *)right)->number;
    return (a > b) - (a < b);
}

static enum status merge(const struct log_files *own, const struct log_files *spare,
                         struct log_files *out_files)
{
    struct log_files all = {.first_number = spare->first_number};
    uint64_t first_spare = UINT64_MAX;
    all.files = calloc((size_t)own->count + spare->count + 1, sizeof *all.files);
    if (all.files == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < spare->count; i++) {
        all.files[all.count++] = spare->files[i];
        if (spare->files[i].number < first_spare)
            first_spare = spare->files[i].number;
    }
    for (uint32_t i = 0; i < own->count; i++)
        if (own->files[i].number < first_spare && own->files[i].number >= all.first_number)
            all.files[all.count++] = own->files[i];
    if (all.count > 0)
        qsort(all.files, all.count, sizeof *all.files, by_number);
    *out_files = all;
    return STATUS_OK;
}

enum status log_folder_list(int folder, void (*entry)(void *context, const char *name),
                            void *context)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    if (stream == NULL) {
        int error = errno;
        if (copy >= 0)
            close(copy);
        errno = error;
        return STATUS_IO;
    }
    errno = 0;
    for (const struct dirent *found; (found = readdir(stream)) != NULL; errno = 0)
        entry(context, found->d_name);
    int error = errno;
    closedir(stream);
    errno = error;
    return error == 0 ? STATUS_OK : STATUS_IO;
}

bool log_folder_parse_name(const char *name, const char *ending, uint64_t *out_number)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = 0;
    for (unsigned i = 0; i < NUMBER_DIGITS; i++) {
        const char *digit = name[i] != '\0' ? strchr(digits, name[i]) : NULL;
        if (digit == NULL)
            return false;
        number = number << 4 | (uint64_t)(digit - digits);
    }
    if (strcmp(name + NUMBER_DIGITS, ending) != 0)
        return false;
    *out_number = number;
    return true;
}

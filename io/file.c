#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR: return STATUS_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS: return STATUS_DENIED;
    case ENOSPC:
    case EDQUOT: return STATUS_FULL;
    default: return STATUS_IO;
    }
}

static enum status read_all(int descriptor, uint8_t *out, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t count = read(descriptor, out + got, size - got);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return STATUS_IO; /* it shrank, or cannot be read */
        got += (size_t)count;
    }
    return STATUS_OK;
}

enum status file_read(struct arena *arena, const char *path, size_t bytes_max,
                      struct bytes *out_content, mode_t *out_mode)
{
    struct stat info;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return status_of_errno(errno);
    enum status status = STATUS_IO;
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode))
        goto end;
    status = STATUS_TOO_BIG;
    if ((uint64_t)info.st_size > bytes_max)
        goto end;
    size_t size = (size_t)info.st_size;
    uint8_t *memory = arena_allocate(arena, size + 1 + BYTES_PADDING);
    status = read_all(descriptor, memory, size);
    if (status != STATUS_OK)
        goto end;
    *out_content = bytes_make(memory, size);
    if (out_mode != NULL)
        *out_mode = info.st_mode;
end:
    close(descriptor);
    return status;
}

const char *file_resolve(struct arena *arena, const char *beside, struct bytes path)
{
    const char *slash = beside != NULL ? strrchr(beside, '/') : NULL;
    if (slash == NULL || (path.size > 0 && path.data[0] == '/'))
        return arena_copy_text(arena, path);
    return arena_format(arena, "%.*s/%.*s", (int)(slash - beside), beside, (int)path.size,
                        (const char *)path.data);
}

/* Without `.`, `..` and doubled slashes, each name with a slash before it; empty for the root. */
static void normalize(const char *path, char out[PATH_MAX])
{
    size_t size = 0;
    char joined[2 * PATH_MAX];
    char here[PATH_MAX] = "";
    if (path[0] != '/' && getcwd(here, sizeof here) == NULL)
        here[0] = '\0';
    snprintf(joined, sizeof joined, "%s/%s", here, path);
    for (const char *name = joined; *name != '\0';) {
        name += strspn(name, "/");
        size_t length = strcspn(name, "/");
        if (length == 2 && name[0] == '.' && name[1] == '.') {
            while (size > 0 && out[--size] != '/')
                ;
        } else if (length > 0 && !(length == 1 && name[0] == '.') && size + length + 2 < PATH_MAX) {
            out[size++] = '/';
            memcpy(out + size, name, length);
            size += length;
        }
        name += length;
    }
    out[size] = '\0';
}

bool file_is_within(const char *outer, const char *inner)
{
    char around[PATH_MAX], within[PATH_MAX];
    normalize(outer, around);
    normalize(inner, within);
    size_t size = strlen(around);
    return strncmp(around, within, size) == 0 && (within[size] == '\0' || within[size] == '/');
}

static enum status write_all(int descriptor, struct bytes content)
{
    while (content.size > 0) {
        ssize_t count = write(descriptor, content.data, content.size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? status_of_errno(errno) : STATUS_IO;
        content = bytes_slice(content, (size_t)count, content.size);
    }
    return fsync(descriptor) == 0 ? STATUS_OK : status_of_errno(errno);
}

static enum status write_temporary(int folder, const char *name, struct bytes content)
{
    int descriptor =
        openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return status_of_errno(errno);
    enum status status = write_all(descriptor, content);
    if (close(descriptor) != 0 && status == STATUS_OK)
        status = status_of_errno(errno);
    return status;
}

enum status file_write(const char *folder, const char *name, struct bytes content)
{
    char temporary[NAME_MAX + 1];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp", name);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return STATUS_INVALID;
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return status_of_errno(errno);
    enum status status = write_temporary(descriptor, temporary, content);
    if (status == STATUS_OK &&
        (renameat(descriptor, temporary, descriptor, name) != 0 || fsync(descriptor) != 0))
        status = status_of_errno(errno);
    if (status != STATUS_OK)
        unlinkat(descriptor, temporary, 0);
    close(descriptor);
    return status;
}

static enum status sync_folder(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return status_of_errno(errno);
    enum status status = fsync(descriptor) == 0 ? STATUS_OK : status_of_errno(errno);
    close(descriptor);
    return status;
}

enum status file_make_folder(const char *path)
{
    char parent[PATH_MAX];
    int length = snprintf(parent, sizeof parent, "%s/..", path);
    if (length < 0 || (size_t)length >= sizeof parent)
        return STATUS_INVALID;
    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ? STATUS_OK : status_of_errno(errno);
    return sync_folder(parent);
}

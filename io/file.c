#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR: return STATUS_NOT_FOUND;
    case EACCES:
    case EPERM: return STATUS_DENIED;
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

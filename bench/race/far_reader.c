#include "bench/race/far_reader.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/wire/request.h"

enum {
    READ_ENTRIES = 1000,
    COMMAND_BYTES = 512,
    PIECE_BYTES = 1024 * 1024,
    PATIENCE_MS = 20 * 1000,
    FEW_BYTES = 16 * 1024,
    PAUSE_MS = 10
};

/* The answer to a PING behind the read: where it ends what came, the reply before it was whole. */
static const char mark[] = "+PONG\r\n";
enum { MARK_BYTES = sizeof mark - 1 };

struct far_reader {
    pthread_t thread;
    int descriptor;
    _Atomic bool stops;
    bool is_broken; /* this and `bytes` are the thread's until it ends */
    uint64_t bytes;
    uint8_t command[COMMAND_BYTES];
    size_t command_size;
    uint8_t piece[PIECE_BYTES];
};

static void *read_on(void *context);

enum status far_reader_start(const char *address, const char *destination, const char *group,
                             struct far_reader **out_reader)
{
    struct target target;
    char words[COMMAND_BYTES / 2];
    struct far_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return STATUS_NO_MEMORY;
    snprintf(words, sizeof words, "XREADGROUP GROUP %s reader COUNT %d NOACK STREAMS %s >", group,
             READ_ENTRIES, destination);
    reader->command_size = request_write_words(reader->command, COMMAND_BYTES, words);
    reader->command_size += request_write_words(reader->command + reader->command_size,
                                                COMMAND_BYTES - reader->command_size, "PING");
    enum status status = target_parse(address, &target);
    if (status == STATUS_OK)
        status = target_connect(&target, &reader->descriptor);
    if (status == STATUS_OK && pthread_create(&reader->thread, NULL, read_on, reader) != 0) {
        close(reader->descriptor);
        status = STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK)
        *out_reader = reader;
    else
        free(reader);
    return status;
}

enum status far_reader_stop(struct far_reader *reader, uint64_t *out_bytes)
{
    atomic_store(&reader->stops, true);
    pthread_join(reader->thread, NULL);
    close(reader->descriptor);
    enum status status = reader->is_broken ? STATUS_IO : STATUS_OK;
    *out_bytes = reader->bytes;
    free(reader);
    return status;
}

/* ---- The thread ------------------------------------------------------------------------------ */

static bool send_command(struct far_reader *reader)
{
    for (size_t sent = 0; sent < reader->command_size;) {
        struct pollfd waited = {.fd = reader->descriptor, .events = POLLOUT};
        if (poll(&waited, 1, PATIENCE_MS) != 1)
            return false;
        ssize_t size = send(reader->descriptor, reader->command + sent, reader->command_size - sent,
                            MSG_NOSIGNAL);
        if (size < 0)
            return false;
        sent += (size_t)size;
    }
    return true;
}

/* Of each piece the last bytes are kept in front of the next: the mark may come in two. */
static bool skip_reply(struct far_reader *reader)
{
    size_t kept = 0;
    for (;;) {
        struct pollfd waited = {.fd = reader->descriptor, .events = POLLIN};
        if (poll(&waited, 1, PATIENCE_MS) != 1)
            return false;
        ssize_t got = recv(reader->descriptor, reader->piece + kept, PIECE_BYTES - kept, 0);
        bool is_refused = kept == 0 && reader->piece[0] == '-';
        if (got <= 0 || is_refused)
            return false;
        reader->bytes += (uint64_t)got;
        size_t size = kept + (size_t)got;
        kept = size < MARK_BYTES ? size : MARK_BYTES;
        memmove(reader->piece, reader->piece + size - kept, kept);
        if (kept == MARK_BYTES && memcmp(reader->piece, mark, MARK_BYTES) == 0)
            return true;
    }
}

/* Who has caught up would ask again and again for the little that is new. */
static void pause_if_few(uint64_t bytes)
{
    struct timespec pause = {.tv_nsec = PAUSE_MS * 1000 * 1000};
    if (bytes < FEW_BYTES)
        nanosleep(&pause, NULL);
}

static void *read_on(void *context)
{
    struct far_reader *reader = context;
    while (!atomic_load(&reader->stops) && !reader->is_broken) {
        uint64_t before = reader->bytes;
        reader->is_broken = !send_command(reader) || !skip_reply(reader);
        pause_if_few(reader->bytes - before);
    }
    return NULL;
}

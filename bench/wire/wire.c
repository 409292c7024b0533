#include "bench/wire/wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_S = 5 };

static enum status parse_unix(const char *path, struct target *target)
{
    struct sockaddr_un *address = (struct sockaddr_un *)&target->storage;
    if (*path == '\0' || strlen(path) >= sizeof address->sun_path)
        return STATUS_INVALID;
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    target->size = sizeof *address;
    return STATUS_OK;
}

static enum status parse_inet(const char *text, struct target *target)
{
    char host[sizeof target->text];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text)
        return STATUS_INVALID;
    bool bracketed = text[0] == '[' && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(colon - text) - 2 * bracketed, text + bracketed);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return STATUS_NOT_FOUND;
    memcpy(&target->storage, found->ai_addr, found->ai_addrlen);
    target->size = found->ai_addrlen;
    freeaddrinfo(found);
    return STATUS_OK;
}

enum status target_parse(const char *text, struct target *out_target)
{
    struct target target = {0};
    if (strlen(text) >= sizeof target.text)
        return STATUS_INVALID;
    strcpy(target.text, text);
    enum status status =
        strncmp(text, "unix:", 5) == 0 ? parse_unix(text + 5, &target) : parse_inet(text, &target);
    if (status == STATUS_OK)
        *out_target = target;
    return status;
}

enum status target_connect(const struct target *target, int *out_descriptor)
{
    int family = target->storage.ss_family, yes = 1;
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return STATUS_IO;
    struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_S}; /* bounds connect, on Linux */
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (connect(descriptor, (const struct sockaddr *)&target->storage, target->size) != 0 ||
        fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0) {
        close(descriptor);
        return STATUS_IO;
    }
    if (family != AF_UNIX)
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    *out_descriptor = descriptor;
    return STATUS_OK;
}

enum status wire_open(struct wire *wire, size_t input_capacity, size_t output_capacity)
{
    *wire = (struct wire){.descriptor = -1};
    wire->input = (struct wire_buffer){malloc(input_capacity), input_capacity, 0, 0};
    wire->output = (struct wire_buffer){malloc(output_capacity), output_capacity, 0, 0};
    if (wire->input.data != NULL && wire->output.data != NULL)
        return STATUS_OK;
    wire_close(wire);
    return STATUS_NO_MEMORY;
}

void wire_close(struct wire *wire)
{
    if (wire->descriptor >= 0)
        close(wire->descriptor);
    free(wire->input.data);
    free(wire->output.data);
    *wire = (struct wire){.descriptor = -1};
}

enum status wire_connect(struct wire *wire, const struct target *target)
{
    assert(wire->descriptor < 0);
    enum status status = target_connect(target, &wire->descriptor);
    wire->watches_room = false;
    return status;
}

void wire_drop(struct wire *wire)
{
    if (wire->descriptor >= 0)
        close(wire->descriptor);
    wire->descriptor = -1;
    wire->input.start = wire->input.end = 0;
    wire->output.start = wire->output.end = 0;
}

static void move_to_front(struct wire_buffer *buffer)
{
    if (buffer->start == 0)
        return;
    memmove(buffer->data, buffer->data + buffer->start, buffer->end - buffer->start);
    buffer->end -= buffer->start;
    buffer->start = 0;
}

enum status wire_receive(struct wire *wire)
{
    struct wire_buffer *input = &wire->input;
    move_to_front(input);
    if (input->end == input->capacity)
        return STATUS_OK;
    ssize_t got = recv(wire->descriptor, input->data + input->end, input->capacity - input->end, 0);
    if (got > 0) {
        input->end += (size_t)got;
        return STATUS_OK;
    }
    bool nothing_now = got < 0 && (errno == EAGAIN || errno == EINTR);
    return nothing_now ? STATUS_OK : STATUS_IO;
}

struct bytes wire_input(const struct wire *wire)
{
    return bytes_make(wire->input.data + wire->input.start, wire->input.end - wire->input.start);
}

void wire_consume(struct wire *wire, size_t size)
{
    assert(size <= wire->input.end - wire->input.start);
    wire->input.start += size;
    if (wire->input.start == wire->input.end)
        wire->input.start = wire->input.end = 0;
}

size_t wire_room(struct wire *wire)
{
    move_to_front(&wire->output);
    return wire->output.capacity - wire->output.end;
}

uint8_t *wire_room_start(struct wire *wire)
{
    return wire->output.data + wire->output.end;
}

void wire_commit(struct wire *wire, size_t size)
{
    assert(size <= wire->output.capacity - wire->output.end);
    wire->output.end += size;
}

size_t wire_unsent(const struct wire *wire)
{
    return wire->output.end - wire->output.start;
}

enum status wire_flush(struct wire *wire)
{
    struct wire_buffer *output = &wire->output;
    while (output->start < output->end) {
        ssize_t sent = send(wire->descriptor, output->data + output->start,
                            output->end - output->start, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? STATUS_OK : STATUS_IO;
        output->start += (size_t)sent;
    }
    output->start = output->end = 0;
    return STATUS_OK;
}

static void tell(const struct wire *wire, int poller, int action, uint32_t number)
{
    struct epoll_event event = {.events = EPOLLIN | (wire->watches_room ? EPOLLOUT : 0U),
                                .data.u32 = number};
    int result = epoll_ctl(poller, action, wire->descriptor, &event);
    assert(result == 0);
    (void)result;
}

void wire_watch(struct wire *wire, int poller, uint32_t number)
{
    wire->watches_room = wire_unsent(wire) > 0;
    tell(wire, poller, EPOLL_CTL_ADD, number);
}

void wire_update_watch(struct wire *wire, int poller, uint32_t number)
{
    bool wants_room = wire_unsent(wire) > 0;
    if (wire->descriptor < 0 || wants_room == wire->watches_room)
        return;
    wire->watches_room = wants_room;
    tell(wire, poller, EPOLL_CTL_MOD, number);
}

#include "io/net/listener.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
    UNIX_SOCKET_MODE = 0660,
    /* A peer that vanished is found in 60 + 4 * 15 s when idle, in 60 s when it owes us
     * acknowledgements. */
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_INTERVAL_S = 15,
    KEEPALIVE_PROBES = 4,
    UNACKNOWLEDGED_MAX_MS = 60000
};
#define ACCEPT_PAUSE_NS UINT64_C(100000000)

struct listener {
    struct loop *loop;
    struct transport *transport;
    struct listener_taker taker; /* take is NULL: nobody */
    struct address address;
    int descriptor;
    struct operation accept;
    struct timer timer; /* armed while accepting is paused */
    bool accepting, stopped;
    dev_t unix_device; /* of the Unix socket's file, so that we take away only our own */
    ino_t unix_inode;
    struct listener_figures figures;
};

static enum status open_socket(struct listener *listener, char *out_problem,
                               size_t problem_capacity);
static void accept_next(struct listener *listener);
static void complete_accept(struct loop *loop, struct operation *operation, int32_t result,
                            uint32_t flags);
static void expire_pause(struct loop *loop, struct timer *timer);

/* ---- Opening and closing --------------------------------------------------------------------- */

enum status listener_open(struct loop *loop, struct transport *transport,
                          const struct address *address, struct listener **out_listener,
                          char *out_problem, size_t problem_capacity)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        snprintf(out_problem, problem_capacity, "out of memory");
        return STATUS_NO_MEMORY;
    }
    listener->loop = loop;
    listener->transport = transport;
    listener->address = *address;
    listener->accept.complete = complete_accept;
    listener->timer.expire = expire_pause;
    enum status status = open_socket(listener, out_problem, problem_capacity);
    if (status != STATUS_OK) {
        free(listener);
        return status;
    }
    accept_next(listener);
    *out_listener = listener;
    return STATUS_OK;
}

const char *listener_address_text(const struct listener *listener)
{
    return listener->address.text;
}

void listener_stop(struct listener *listener)
{
    if (listener->stopped)
        return;
    listener->stopped = true;
    loop_timer_disarm(listener->loop, &listener->timer);
    if (listener->accepting)
        loop_cancel(listener->loop, &listener->accept);
}

bool listener_is_stopped(const struct listener *listener)
{
    return listener->stopped && !listener->accepting;
}

void listener_close(struct listener *listener)
{
    assert(listener_is_stopped(listener));
    const char *path = ((const struct sockaddr_un *)&listener->address.storage)->sun_path;
    struct stat info;
    if (listener->address.storage.ss_family == AF_UNIX && lstat(path, &info) == 0 &&
        info.st_dev == listener->unix_device && info.st_ino == listener->unix_inode)
        unlink(path);
    close(listener->descriptor);
    free(listener);
}

void listener_figures(const struct listener *listener, struct listener_figures *out_figures)
{
    *out_figures = listener->figures;
}

/* ---- Accepting ------------------------------------------------------------------------------- */

static void accept_next(struct listener *listener)
{
    struct io_uring_sqe *submission = loop_submission(listener->loop, &listener->accept);
    io_uring_prep_multishot_accept(submission, listener->descriptor, NULL, NULL, SOCK_CLOEXEC);
    listener->accepting = true;
}

void listener_set_taker(struct listener *listener, const struct listener_taker *taker)
{
    listener->taker = *taker;
}

void listener_peer_text(const struct listener *listener, int descriptor, char *out_text,
                        size_t capacity)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    if (listener->address.storage.ss_family == AF_UNIX)
        snprintf(out_text, capacity, "%s", listener->address.text);
    else if (getpeername(descriptor, (struct sockaddr *)&name, &size) == 0)
        address_format((const struct sockaddr *)&name, out_text, capacity);
    else
        snprintf(out_text, capacity, "gone"); /* reset while it waited to be accepted */
}

static void hand_over(struct listener *listener, int descriptor)
{
    char peer[sizeof listener->address.text];
    const struct listener_taker *taker = &listener->taker;
    if (!listener->stopped && taker->take != NULL &&
        taker->take(taker->context, listener, descriptor))
        return;
    listener_peer_text(listener, descriptor, peer, sizeof peer);
    if (listener->stopped || transport_adopt(listener->transport, descriptor, peer) != STATUS_OK)
        close(descriptor);
}

static void complete_accept(struct loop *loop, struct operation *operation, int32_t result,
                            uint32_t flags)
{
    struct listener *listener =
        (struct listener *)((uint8_t *)operation - offsetof(struct listener, accept));
    if ((flags & IORING_CQE_F_MORE) == 0)
        listener->accepting = false;
    if (result >= 0)
        hand_over(listener, result);
    if (listener->accepting || listener->stopped)
        return;
    bool passing = result >= 0 || result == -ECONNABORTED || result == -EINTR;
    if (passing) {
        accept_next(listener);
        return;
    }
    /* No descriptors, no memory, or anything unforeseen: at once it would fail again. */
    listener->figures.pauses++;
    listener->figures.last_error = -result;
    loop_timer_arm(loop, &listener->timer, loop_now_ns(loop) + ACCEPT_PAUSE_NS);
}

static void expire_pause(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct listener *listener =
        (struct listener *)((uint8_t *)timer - offsetof(struct listener, timer));
    accept_next(listener);
}

/* ---- Sockets --------------------------------------------------------------------------------- */

static void set_option(int descriptor, int level, int option, int value)
{
    /* Each is a wish: a kernel without one still serves. */
    setsockopt(descriptor, level, option, &value, sizeof value);
}

/* Accepted sockets inherit all of these from the listening one on Linux. */
static void set_tcp_options(int descriptor)
{
    set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MAX_MS);
}

static bool is_for_all(const struct address *address)
{
    return address->text[0] == '*';
}

/* `*` on a machine without IPv6. */
static void fall_back_to_ipv4(struct address *address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    name.sin_port = ((const struct sockaddr_in6 *)&address->storage)->sin6_port;
    memcpy(&address->storage, &name, sizeof name);
    address->size = sizeof name;
}

/* A socket's file whose server is dead refuses connections; everything else is left alone. */
static bool remove_stale_file(const struct address *address)
{
    const struct sockaddr_un *name = (const struct sockaddr_un *)&address->storage;
    struct stat info;
    if (lstat(name->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return false;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return false;
    bool is_stale =
        connect(probe, (const struct sockaddr *)name, address->size) != 0 && errno == ECONNREFUSED;
    close(probe);
    return is_stale && unlink(name->sun_path) == 0;
}

static int bind_and_listen(struct listener *listener)
{
    const struct sockaddr *name = (const struct sockaddr *)&listener->address.storage;
    socklen_t size = listener->address.size;
    bool is_unix = name->sa_family == AF_UNIX;
    mode_t mode = listener->address.mode != 0 ? listener->address.mode : UNIX_SOCKET_MODE;
    if (is_unix) /* before bind: there is no moment at which the file is open to others */
        fchmod(listener->descriptor, mode);
    int result = bind(listener->descriptor, name, size);
    if (result != 0 && errno == EADDRINUSE && is_unix && remove_stale_file(&listener->address))
        result = bind(listener->descriptor, name, size);
    if (result != 0)
        return errno;
    if (is_unix) {
        const char *path = ((const struct sockaddr_un *)name)->sun_path;
        struct stat info;
        if (chmod(path, mode) != 0 || lstat(path, &info) != 0)
            return errno;
        listener->unix_device = info.st_dev;
        listener->unix_inode = info.st_ino;
    }
    return listen(listener->descriptor, BACKLOG) == 0 ? 0 : errno;
}

static void explain(const struct address *address, int error, char *out_problem, size_t capacity)
{
    bool is_unix = address->storage.ss_family == AF_UNIX;
    const char *colon = strrchr(address->text, ':');
    if (error == EADDRINUSE && is_unix)
        snprintf(out_problem, capacity,
                 "%s is in use: another server listens there, or the file is no socket (`ss -lxp` "
                 "lists them)",
                 address->text);
    else if (error == EADDRINUSE)
        snprintf(out_problem, capacity,
                 "%s is in use by another program: `ss -ltnp 'sport = %s'` shows which",
                 address->text, colon);
    else if (error == EACCES && !is_unix)
        snprintf(out_problem, capacity,
                 "%s: not permitted; ports below 1024 need CAP_NET_BIND_SERVICE "
                 "(AmbientCapabilities= in systemd), or take a higher one",
                 address->text);
    else if (error == EADDRNOTAVAIL)
        snprintf(out_problem, capacity,
                 "%s: no interface of this machine has that address (`ip address` lists them)",
                 address->text);
    else
        snprintf(out_problem, capacity, "cannot listen on %s: %s", address->text, strerror(error));
}

/* With the port that the kernel chose. */
static void read_port(struct listener *listener)
{
    struct address *address = &listener->address;
    struct sockaddr *name = (struct sockaddr *)&address->storage;
    if (name->sa_family == AF_UNIX)
        return;
    int result = getsockname(listener->descriptor, name, &address->size);
    assert(result == 0);
    if (is_for_all(address)) /* the port lies at the same place in both families */
        snprintf(address->text, sizeof address->text, "*:%u",
                 ntohs(((const struct sockaddr_in *)name)->sin_port));
    else
        address_format(name, address->text, sizeof address->text);
}

static enum status open_socket(struct listener *listener, char *out_problem,
                               size_t problem_capacity)
{
    struct address *address = &listener->address;
    int type = SOCK_STREAM | SOCK_CLOEXEC;
    listener->descriptor = socket(address->storage.ss_family, type, 0);
    if (listener->descriptor < 0 && errno == EAFNOSUPPORT && is_for_all(address)) {
        fall_back_to_ipv4(address);
        listener->descriptor = socket(AF_INET, type, 0);
    }
    if (listener->descriptor < 0) {
        explain(address, errno, out_problem, problem_capacity);
        return STATUS_IO;
    }
    if (address->storage.ss_family != AF_UNIX)
        set_tcp_options(listener->descriptor);
    if (address->storage.ss_family == AF_INET6)
        set_option(listener->descriptor, IPPROTO_IPV6, IPV6_V6ONLY, !is_for_all(address));
    int error = bind_and_listen(listener);
    if (error != 0) {
        close(listener->descriptor);
        explain(address, error, out_problem, problem_capacity);
        return STATUS_IO;
    }
    read_port(listener);
    return STATUS_OK;
}

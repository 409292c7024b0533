#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

#include "io/net/listener.h"

static enum status parse_unix(const char *path, struct address *out_address, char *out_problem,
                              size_t problem_capacity);
static enum status parse_host(const char *text, struct bytes host, uint16_t port,
                              struct address *out_address, char *out_problem,
                              size_t problem_capacity);

enum status address_parse(const char *text, struct address *out_address, char *out_problem,
                          size_t problem_capacity)
{
    static const char unix_prefix[] = "unix:";
    if (strncmp(text, unix_prefix, sizeof unix_prefix - 1) == 0)
        return parse_unix(text + sizeof unix_prefix - 1, out_address, out_problem,
                          problem_capacity);
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text) {
        snprintf(out_problem, problem_capacity,
                 "`%s` is no address: write HOST:PORT, such as 127.0.0.1:7400 or [::1]:7400, or "
                 "unix:/PATH",
                 text);
        return STATUS_INVALID;
    }
    uint64_t port;
    if (!bytes_parse_u64(bytes_from_text(colon + 1), &port) || port > UINT16_MAX) {
        snprintf(out_problem, problem_capacity, "`%s` in `%s` is no port: 0 to %d", colon + 1, text,
                 UINT16_MAX);
        return STATUS_INVALID;
    }
    return parse_host(text, bytes_make(text, (size_t)(colon - text)), (uint16_t)port, out_address,
                      out_problem, problem_capacity);
}

static enum status parse_unix(const char *path, struct address *out_address, char *out_problem,
                              size_t problem_capacity)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof name.sun_path) {
        snprintf(out_problem, problem_capacity,
                 "the path of a Unix socket has 1 to %zu bytes, this one %zu: unix:%s",
                 sizeof name.sun_path - 1, size, path);
        return STATUS_INVALID;
    }
    memcpy(name.sun_path, path, size + 1);
    *out_address = (struct address){.size = sizeof name};
    memcpy(&out_address->storage, &name, sizeof name);
    snprintf(out_address->text, sizeof out_address->text, "unix:%s", path);
    return STATUS_OK;
}

static void set_ipv4(struct address *address, struct in_addr host, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = host};
    address->size = sizeof name;
    memcpy(&address->storage, &name, sizeof name);
}

static void set_ipv6(struct address *address, struct in6_addr host, uint16_t port)
{
    struct sockaddr_in6 name = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = host};
    address->size = sizeof name;
    memcpy(&address->storage, &name, sizeof name);
}

static enum status parse_host(const char *text, struct bytes host, uint16_t port,
                              struct address *out_address, char *out_problem,
                              size_t problem_capacity)
{
    struct address address = {0};
    char number[INET6_ADDRSTRLEN] = "";
    bool bracketed = host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
    struct bytes bare = bracketed ? bytes_slice(host, 1, host.size - 2) : host;
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (bare.size < sizeof number)
        memcpy(number, bare.data, bare.size);

    if (bytes_equal_text(host, "*"))
        set_ipv6(&address, in6addr_any, port);
    else if (bytes_equal_text(host, "localhost"))
        set_ipv4(&address, (struct in_addr){htonl(INADDR_LOOPBACK)}, port);
    else if (bracketed && inet_pton(AF_INET6, number, &ipv6) == 1)
        set_ipv6(&address, ipv6, port);
    else if (!bracketed && inet_pton(AF_INET, number, &ipv4) == 1)
        set_ipv4(&address, ipv4, port);
    if (address.size == 0) {
        bool lacks_brackets = inet_pton(AF_INET6, number, &ipv6) == 1;
        snprintf(out_problem, problem_capacity, "`%s` has no address that is known here: %s", text,
                 lacks_brackets ? "an IPv6 address stands in brackets, as in [::1]:7400"
                                : "names are not looked up; write an IPv4 address, an IPv6 address "
                                  "in brackets, localhost, or * for all");
        return STATUS_INVALID;
    }
    snprintf(address.text, sizeof address.text, "%s", text);
    *out_address = address;
    return STATUS_OK;
}

bool address_is_local(const struct address *address)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->storage;
    switch (address->storage.ss_family) {
    case AF_UNIX: return true;
    case AF_INET: return (ntohl(ipv4->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr) &&
                ipv6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
    default: return false;
    }
}

void address_format(const struct sockaddr *name, char *out_text, size_t capacity)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)name;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)name;
    char host[INET6_ADDRSTRLEN] = "?";
    switch (name->sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof host);
        snprintf(out_text, capacity, "%s:%u", host, ntohs(ipv4->sin_port));
        return;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr)) {
            inet_ntop(AF_INET, &ipv6->sin6_addr.s6_addr[12], host, sizeof host);
            snprintf(out_text, capacity, "%s:%u", host, ntohs(ipv6->sin6_port));
        } else {
            inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof host);
            snprintf(out_text, capacity, "[%s]:%u", host, ntohs(ipv6->sin6_port));
        }
        return;
    default: snprintf(out_text, capacity, "unix:%s", ((const struct sockaddr_un *)name)->sun_path);
    }
}

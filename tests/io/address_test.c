#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "io/net/listener.h"

static struct address parse(const char *text)
{
    struct address address;
    char problem[256] = "";
    cr_assert_eq(address_parse(text, &address, problem, sizeof problem), STATUS_OK, "%s: %s", text,
                 problem);
    return address;
}

static void expect_problem(const char *text, const char *part)
{
    struct address address = {.size = 77};
    char problem[256] = "";
    cr_assert_eq(address_parse(text, &address, problem, sizeof problem), STATUS_INVALID, "%s",
                 text);
    cr_assert_not_null(strstr(problem, part), "%s: %s", text, problem);
    cr_assert_null(strchr(problem, '\n'));
    cr_assert_eq(address.size, 77, "outputs stay untouched on failure");
}

Test(address, ipv4)
{
    struct address address = parse("127.0.0.1:7400");
    const struct sockaddr_in *name = (const struct sockaddr_in *)&address.storage;
    cr_assert_eq(name->sin_family, AF_INET);
    cr_assert_eq(name->sin_port, htons(7400));
    cr_assert_eq(name->sin_addr.s_addr, htonl(0x7F000001));
    cr_assert_eq(address.size, sizeof *name);
    cr_assert_str_eq(address.text, "127.0.0.1:7400");
    cr_assert(address_is_local(&address));
}

Test(address, ipv6)
{
    struct address address = parse("[::1]:0");
    const struct sockaddr_in6 *name = (const struct sockaddr_in6 *)&address.storage;
    cr_assert_eq(name->sin6_family, AF_INET6);
    cr_assert_eq(name->sin6_port, 0);
    cr_assert_eq(memcmp(&name->sin6_addr, &in6addr_loopback, sizeof in6addr_loopback), 0);
    cr_assert_eq(address.size, sizeof *name);
    cr_assert(address_is_local(&address));
}

Test(address, unix_path)
{
    struct address address = parse("unix:/run/kouan.sock");
    const struct sockaddr_un *name = (const struct sockaddr_un *)&address.storage;
    cr_assert_eq(name->sun_family, AF_UNIX);
    cr_assert_str_eq(name->sun_path, "/run/kouan.sock");
    cr_assert_str_eq(address.text, "unix:/run/kouan.sock");
    cr_assert(address_is_local(&address));
}

Test(address, what_is_local)
{
    static const struct {
        const char *text;
        bool local;
    } rows[] = {{"127.8.9.10:1", true},         {"localhost:1", true},
                {"[::ffff:127.0.0.1]:1", true}, {"*:1", false},
                {"0.0.0.0:1", false},           {"[::]:1", false},
                {"10.0.0.1:1", false},          {"128.0.0.1:1", false},
                {"[2001:db8::1]:1", false},     {"[::ffff:10.0.0.1]:1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address address = parse(rows[i].text);
        cr_assert_eq(address_is_local(&address), rows[i].local, "%s", rows[i].text);
    }
}

Test(address, problems_say_what_to_write)
{
    expect_problem("", "127.0.0.1:7400");
    expect_problem("7400", "HOST:PORT");
    expect_problem(":7400", "HOST:PORT");
    expect_problem("127.0.0.1:", "no port");
    expect_problem("127.0.0.1:65536", "no port");
    expect_problem("127.0.0.1:+1", "no port");
    expect_problem("127.0.0.1:7400x", "no port");
    expect_problem("::1:7400", "brackets");
    expect_problem("[127.0.0.1]:1", "no address that is known");
    expect_problem("[::1:7400", "no address that is known");
    expect_problem("127.1:7400", "no address that is known");
    expect_problem("kouan.example.com:7400", "names are not looked up");
    expect_problem("unix:", "1 to 107 bytes");
    char longer[300] = "unix:/";
    memset(longer + strlen(longer), 'x', 200);
    expect_problem(longer, "1 to 107 bytes");
    char host[300];
    memset(host, '1', sizeof host);
    strcpy(host + 200, ":1");
    expect_problem(host, "no address that is known");
}

Test(address, the_longest_path_fits)
{
    char text[5 + 107 + 1] = "unix:";
    memset(text + 5, 'x', 107);
    struct address address = parse(text);
    cr_assert_str_eq(address.text, text);
    expect_problem(strcat(strcpy((char[200]){0}, text), "x"), "this one 108");
}

Test(address, format_is_what_parse_reads)
{
    static const char *texts[] = {"127.0.0.1:1", "[::1]:65535", "[2001:db8::5]:80"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct address address = parse(texts[i]);
        char text[128];
        address_format((const struct sockaddr *)&address.storage, text, sizeof text);
        cr_assert_str_eq(text, texts[i]);
    }
    struct address mapped = parse("[::ffff:10.1.2.3]:80");
    char text[128];
    address_format((const struct sockaddr *)&mapped.storage, text, sizeof text);
    cr_assert_str_eq(text, "10.1.2.3:80");
}

#!/bin/sh
# The arrows of knowledge run one way: io -> routes -> core. The linker keeps them for functions (the tests
# of a folder link only what it may know); this keeps them for headers, and keeps sockets, files and clocks
# out of core and routes.
set -eu
cd "$(dirname "$0")/.."
status=0
complain() {
    echo "check_arrows: $1" >&2
    echo "$2" >&2
    status=1
}

found=$(grep -nE '#include "(io|routes|bench)/' core/*.[ch] || true)
[ -z "$found" ] || complain "core includes upward" "$found"
found=$(grep -nE '#include "(io|bench)/' routes/*.[ch] routes/*/*.[ch] || true)
[ -z "$found" ] || complain "routes includes upward" "$found"
found=$(grep -nE '#include "bench/' io/*.[ch] io/*/*.[ch] || true)
[ -z "$found" ] || complain "io includes bench" "$found"
found=$(grep -nE '#include "[^"]*\.c"' core/*.[ch] routes/*.[ch] routes/*/*.[ch] io/*.[ch] io/*/*.[ch] bench/*.[ch] bench/*/*.[ch] || true)
[ -z "$found" ] || complain "a .c file is included" "$found"
found=$(grep -nE '#include <(sys/socket|netinet/|arpa/|liburing|sys/epoll|sys/un|fcntl|unistd|sys/stat|poll)' \
    core/*.[ch] routes/*.[ch] routes/*/*.[ch] || true)
[ -z "$found" ] || complain "core or routes touches the world" "$found"
found=$(grep -nE '\b(clock_gettime|gettimeofday|time)\(' core/*.c routes/*.c routes/*/*.c || true)
[ -z "$found" ] || complain "core or routes reads a clock" "$found"
exit $status

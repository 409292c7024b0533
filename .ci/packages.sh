#!/bin/sh
# Installs what a bare Debian 12 lacks, through apt-get, with sudo when not root. Asks no network when
# everything is there.   usage: packages.sh build | test
set -eu

build="gcc make binutils libc6-dev liburing-dev libxxhash-dev libhiredis-dev libfyaml-dev"
test="$build libcriterion-dev redis-server redis-tools python3 python3-redis clang clang-format
      libclang-rt-14-dev"

case "${1:-}" in
build) wanted=$build ;;
test) wanted=$test ;;
*)
    echo "usage: packages.sh build | test" >&2
    exit 2
    ;;
esac

missing=""
for package in $wanted; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    command -v sudo >/dev/null || {
        echo "These packages are missing and there is no sudo here. As root: apt-get install$missing" >&2
        exit 1
    }
fi
echo "Installing:$missing"
# A server package must not start a server here: the tests start their own.
policy=/usr/sbin/policy-rc.d
made_policy=""
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    made_policy=yes
fi
status=0
{ $as_root apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing; } >/tmp/kouan-packages.log 2>&1 || status=$?
[ -z "$made_policy" ] || $as_root rm -f "$policy"
if [ "$status" != 0 ]; then
    tail -20 /tmp/kouan-packages.log >&2
    echo "apt-get could not install:$missing" >&2
    exit 1
fi

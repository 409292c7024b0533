#!/bin/sh
# Installs what a bare Debian 12 lacks, through apt-get, with sudo when not root. Asks no network when
# everything is there; elsewhere than on Debian it leaves that to you.
#   usage: packages.sh build | test | check      (each with all before it)
set -eu

build="gcc make binutils libc6-dev liburing-dev libxxhash-dev libhiredis-dev libfyaml-dev
    libexpat1-dev libjansson-dev libssl-dev libck-dev libnats-dev"
test="$build libcriterion-dev redis-server redis-tools nats-server python3 python3-redis
    python3-hiredis"
command -v npm >/dev/null || test="$test nodejs npm" # a Node from elsewhere brings its own
check="$test clang clang-format libclang-rt-14-dev"

case "${1:-}" in
build) wanted=$build ;;
test) wanted=$test ;;
check) wanted=$check ;;
*)
    echo "usage: packages.sh build | test | check" >&2
    exit 2
    ;;
esac
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

missing=""
installed=" $(dpkg-query -W -f='${Package}:${db:Status-Status} ' $wanted 2>/dev/null || :)"
for package in $wanted; do
    case "$installed" in
    *" $package:installed "*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
    as_root="sudo"
    command -v sudo >/dev/null || {
        echo "These packages are missing, and there is no sudo here. As root: apt-get install$missing" >&2
        exit 1
    }
fi
echo "Installing what is missing, once:$missing"
$as_root true # asks for the password, if at all, now

# A server package must not start a server here: the tests start their own.
policy=/usr/sbin/policy-rc.d
made_policy=""
log=$(mktemp)
clean_up() {
    rm -f "$log"
    [ -z "$made_policy" ] || $as_root rm -f "$policy"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

# A list that cannot be updated (someone else's repository) need not matter: the installation decides.
# A new machine may be installing its own updates just now: their lock is waited for.
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1
}
apt update || :
apt install -y --no-install-recommends $missing || {
    tail -n 20 "$log" >&2
    echo "apt-get could not install:$missing" >&2
    exit 1
}

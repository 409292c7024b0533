#!/bin/sh
# Installs the Node clients of package.json into FOLDER, once: again only when the list changes.
#   usage: tests/clients/install.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
[ -f "$folder/installed" ] && cmp -s "$here/package-lock.json" "$folder/installed" && exit 0
command -v npm >/dev/null || {
    echo "npm is missing: the tests of Node clients will be skipped" >&2
    exit 0
}
echo "Installing the Node clients that the tests use, once"
mkdir -p "$folder"
cp "$here/package.json" "$here/package-lock.json" "$folder/"
npm ci --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null || {
    echo "npm could not install them: the tests of Node clients will be skipped" >&2
    exit 0
}
cp "$here/package-lock.json" "$folder/installed"

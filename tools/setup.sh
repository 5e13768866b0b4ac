#!/bin/sh
# setup.sh GROUP... - install the Debian packages of the named groups (tools/packages) that are missing.
# Needs root only when something is missing; says what it would install when it cannot.
set -eu
here=$(dirname "$0")
want=""
for group in "$@"; do
    want="$want $(awk -v g="$group" '$1 == g { print $2 (NF > 2 ? ":" $3 : "") }' "$here/packages")"
done
missing=""
for package in $want; do
    case $package in *:*) command -v "${package#*:}" >/dev/null 2>&1 && continue ;; esac
    package=${package%%:*}
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1; then sudo=sudo
    else echo "setup: missing packages, and not root:$missing" >&2; exit 1; fi
else sudo=""; fi
echo "setup: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the list is meant to be split
$sudo apt-get install -y -q --no-install-recommends $missing >/tmp/ldr-setup.$$ 2>&1 || {
    $sudo apt-get update -q >/tmp/ldr-setup.$$ 2>&1 &&
    $sudo apt-get install -y -q --no-install-recommends $missing >>/tmp/ldr-setup.$$ 2>&1; } || {
    cat /tmp/ldr-setup.$$ >&2; rm -f /tmp/ldr-setup.$$
    echo "setup: could not install$missing" >&2; exit 1; }
rm -f /tmp/ldr-setup.$$

#!/bin/sh
# others.sh DIR - unpack the other builds of glibc that apt offers as configured, below DIR, and print their folders.
# For tests/layout/check.sh. Nothing is installed and nothing is committed; DIR can be thrown away.
set -eu
mkdir -p "$1"
cd "$1"
here=$(dpkg-query -W -f '${Version}' libc6)
get() { # get FOLDER PACKAGE=VERSION...
    folder=$1; shift
    if [ ! -d "$folder" ]; then
        mkdir -p "$folder.deb"
        (cd "$folder.deb" && apt-get download -q "$@" >/dev/null 2>&1) || { rm -rf "$folder.deb"; return 0; }
        for deb in "$folder.deb"/*.deb; do dpkg-deb -x "$deb" "$folder.part"; done
        rm -rf "$folder.deb"
        mv "$folder.part" "$folder"
    fi
    echo "$PWD/$folder"
}
for version in $(apt-cache madison libc6 | awk '{ print $3 }' | sort -u); do
    [ "$version" = "$here" ] || get "libc6-$version" "libc6=$version" "libc6-dbg=$version"
done
# Same sources, built apart for cross compilers: no debug files, so only the derivation is tried on it.
get cross libc6-amd64-cross

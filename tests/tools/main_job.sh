#!/usr/bin/env bash
# The main job (tools/demo.sh) and an installed copy of the command.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

top=$here/../..
# a session of its own, so that what is left of it can be told from other programs of the same names
# shellcheck disable=SC2016
text=$(LDR_COPIES=3 setsid -w sh -c 'echo $$ >"$0"; exec "$@"' "$work/sid" "$top/tools/demo.sh" "$ldr" 2>&1)
equal "main job: status" "$?" 0
contains "main job: nine processes" "$text" "9 chosen processes map"
contains "main job: exact" "$text" "exact"
contains "main job: code of libc is there" "$text" "libc.so.6"
equal "main job: nothing is left running" "$(pgrep -s "$(cat "$work/sid")")" ""
text=$("$top/tools/demo.sh" /no/such/ldr 2>&1)
equal "main job: fails when nothing starts" "$?" 1

linker=$(readlink -f "${LDR_LDSO:-$build/ld-ldr.so}")
make -s -C "$top" install DESTDIR="$work/root" PREFIX=/opt/ldr B="$build" LDR="$ldr" LDSO="$linker" >"$work/err" 2>&1 || sed 's/^/    /' "$work/err"
pages=$(cd "$top/tools" && for page in *.[178]; do echo "./opt/ldr/share/man/man${page##*.}/$page"; done)
equal "installed files" "$(cd "$work/root" && find . -type f | sort | tr '\n' ' ')" "$(sort <<<"./opt/ldr/bin/ldr
./opt/ldr/lib/ldr/ld-ldr.so
./opt/ldr/share/bash-completion/completions/ldr
./opt/ldr/share/fish/vendor_completions.d/ldr.fish
./opt/ldr/share/zsh/site-functions/_ldr
$pages" | tr '\n' ' ')"
equal "installed: the linker is found beside it" "$(env -u LDR_LDSO "$work/root/opt/ldr/bin/ldr" run echo works)" works
if command -v man >/dev/null; then
    for page in "$top"/tools/*.[178]; do
        equal "man page $(basename "$page"): no warning" "$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)" ""
    done
else
    skip "man page: no warning" "no man here"
fi
make -s -C "$top" uninstall DESTDIR="$work/root" PREFIX=/opt/ldr >/dev/null 2>&1
equal "uninstalled" "$(find "$work/root" -type f)" ""

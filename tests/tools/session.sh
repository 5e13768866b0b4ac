#!/usr/bin/env bash
# `ldr session`: the interpreter's path leads to ld-ldr.so inside, to the genuine file outside.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# A name of its own for the linker, so that it can be told from the genuine one even where that stands in for it.
linker=$work/linker/ld-ldr.so
mkdir "$work/linker"
cp "$(readlink -f "${LDR_LDSO:-$build/ld-ldr.so}")" "$linker"
export LDR_LDSO=$linker
interp=/lib64/ld-linux-x86-64.so.2
outside_before=$(stat -L -c %d:%i $interp; ls -la /lib64/)

# shellcheck disable=SC2016 # expanded inside
checks() { # checks WHO PREFIX...
    local who=$1
    shift
    if ! "$@" "$ldr" session true 2>"$work/err"; then
        skip "$who: session" "$(head -n 1 "$work/err")"
        return
    fi
    equal "$who: the path leads to our file" "$("$@" "$ldr" session stat -L -c %d:%i $interp)" "$(stat -L -c %d:%i "$linker")"
    contains "$who: programs run on it" "$("$@" "$ldr" session sh -c 'cat /proc/self/maps')" "/ld-ldr.so"
    contains "$who: and their children" "$("$@" "$ldr" session sh -c 'sh -c "perl -e \"open F, q(/proc/self/maps); print <F>\""')" "/ld-ldr.so"
    equal "$who: /proc/self/exe" "$("$@" "$ldr" session readlink /proc/self/exe)" "$(readlink -f "$(command -v readlink)")"
    equal "$who: same user and group" "$("$@" "$ldr" session sh -c 'id -u; id -g')" "$("$@" sh -c 'id -u; id -g')"
    equal "$who: status" "$("$@" "$ldr" session sh -c 'exit 9'; echo $?)" 9
    equal "$who: a session in a session" "$("$@" "$ldr" session "$ldr" session echo in)" in
    equal "$who: not found" "$("$@" "$ldr" session no-such 2>/dev/null; echo $?)" 127
    equal "$who: not executable" "$("$@" "$ldr" session /etc/passwd 2>/dev/null; echo $?)" 126
    equal "$who: a compiler links there and the result runs" "$(cd "$work" && "$@" "$ldr" session sh -c \
        'd=$(mktemp -d) && cd $d && echo "int main(void){return 7;}" >a.c && cc a.c -o a && ./a; echo $?; rm -r $d')" 7
    # libc.so, the linker script, names the interpreter as a library: __tls_get_addr is found in it
    equal "$who: a library with thread-local data links there" "$(cd "$work" && "$@" "$ldr" session sh -c \
        'd=$(mktemp -d) && cd $d && echo "__thread int x; int *f(void){return &x;}" >b.c &&
         echo "int *f(void); int main(void){return *f() + 5;}" >a.c && cc -shared -fPIC -Wl,-z,defs b.c -o libb.so &&
         cc a.c libb.so -Wl,-rpath,$d -o a && ./a; echo $?; rm -r $d')" 5
    mkdir -p "$work/s" && printf '#!/bin/sh\necho "$0 $1"\n' >"$work/s/script" && chmod +x "$work/s/script"
    equal "$who: scripts are the kernel's" "$("$@" "$ldr" session "$work/s/script" a)" "$work/s/script a"
}
checks "this user"
if [ "$(id -u)" = 0 ]; then checks "ordinary user" setpriv --reuid 65534 --regid 65534 --clear-groups
else skip "ordinary user" "not root"; fi
equal "outside nothing changed" "$(stat -L -c %d:%i $interp; ls -la /lib64/)" "$outside_before"

# Other shapes of the interpreter's folder, made in a mount namespace of the test's own.
# shellcheck disable=SC2016
if unshare -m true 2>/dev/null; then
    folder=$(readlink -f /lib64) genuine=$(readlink -f $interp)
    export folder genuine ldr linker work
    mkdir "$work/shape"
    unshare -m sh -ec '
        mount -t tmpfs none "$work/shape"; cd "$work/shape"; mkdir links file
        for d in links file; do echo entry >$d/other.so; ln -s other.so $d/link.so; mkdir $d/sub; echo deep >$d/sub/f; done
        ln -s "$genuine" links/ld-linux-x86-64.so.2; cp "$genuine" file/ld-linux-x86-64.so.2
        mount --bind links "$folder"
        "$ldr" session sh -c "cat /lib64/other.so /lib64/link.so /lib64/sub/f; stat -L -c %i /lib64/ld-linux-x86-64.so.2" >links.out
        umount "$folder"; mount --bind file "$folder"
        "$ldr" session sh -c "cat /lib64/other.so; stat -L -c %i /lib64/ld-linux-x86-64.so.2; cmp \$LDR_GENUINE_LDSO $genuine && echo genuine kept" >file.out 2>file.err
        cp *.out *.err "$work/s"; rmdir /tmp/ldr-session.*'
    equal "a folder with other entries: all are kept" "$(cat "$work/s/links.out")" "$(printf 'entry\nentry\ndeep\n%s' "$(stat -c %i "$linker")")"
    equal "a regular file: bound over, the genuine kept" "$(cat "$work/s/file.out")" "$(printf 'entry\n%s\ngenuine kept' "$(stat -c %i "$linker")")"
    contains "a regular file: it is said where" "$(cat "$work/s/file.err")" "the genuine one is /tmp/ldr-session."
else
    skip "other shapes of /lib64" "no mount namespace permitted"
fi
if [ "$(id -u)" = 0 ] && unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces' 2>/dev/null; then
    text=$(unshare -Ur sh -c "echo 0 >/proc/sys/user/max_mnt_namespaces; '$ldr' session true; echo \$?" 2>&1)
    contains "no namespace permitted: what to do" "$text" "use \`ldr run\`"
    contains "no namespace permitted: which limit" "$text" "/proc/sys/user/max_mnt_namespaces is 0"
    contains "no namespace permitted: status" "$text" 125
else
    skip "no namespace permitted" "cannot set the limit in a user namespace here"
fi

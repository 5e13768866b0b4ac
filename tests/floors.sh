#!/usr/bin/env bash
# floors.sh BUILD - every #include goes to the same floor's contract or a lower one; floors 0-2 make no system call and own no
# writable memory. BUILD/core holds the objects of floors 0-2. Closing line: N passed, N failed, N skipped.
set -u
build=${1:-build}
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0
fail() { echo "not ok $1"; failed=$((failed + 1)); }

floor_of() { # FILE: in $floor
    case $1 in
    include/ldr/* | ldr/base/*) floor=0 ;;
    ldr/image/* | ldr/arch/*) floor=1 ;;
    ldr/link/*) floor=2 ;;
    ldr/sys/*) floor=3 ;;
    ldr/run/* | ldr/debug/*) floor=4 ;;
    ldr/cache/format.h) floor=2 ;;
    ldr/cache/*) floor=4 ;;
    ldr/api/* | ldr/compat/*) floor=5 ;;
    ldr/start/*) floor=6 ;;
    *) floor=none ;;
    esac
}
declare -A resolved
resolve() { # FOLDER/HEADER: its path below this folder, in $target
    [ -n "${resolved[$1]:-}" ] || resolved[$1]=$(realpath -m --relative-to=. "$1")
    target=${resolved[$1]}
}

# A header that stands for its folder, or that says in its first lines that others may use it. Headers not listed are private to
# their folder, except that `start` knows everyone.
is_contract() {
    case $1 in
    include/ldr/*.h | ldr/base/base.h | ldr/image/image.h | ldr/arch/arch.h | ldr/arch/gate.h | ldr/link/link.h | ldr/cache/format.h | ldr/cache/cache.h) return 0 ;;
    ldr/sys/sys.h | ldr/run/run.h | ldr/debug/r_debug.h | ldr/debug/events.h | ldr/api/message.h | ldr/api/dlfcn.h | ldr/compat/shim.h) return 0 ;;
    *) return 1 ;;
    esac
}

# The two calls upward that exist, each with its reason. shim.h is the only way run/ reaches the C library's private side; no name of
# a C library stands in it. bind.c ends the process when a lazily bound symbol is missing, and the words for that are made in api/.
upward_allowed() {
    case "$1 $2" in
    "ldr/run/"*" ldr/compat/shim.h") return 0 ;;
    "ldr/run/bind.c ldr/api/message.h") return 0 ;;
    *) return 1 ;;
    esac
}

for file in $(find ldr include -name '*.[chS]' | LC_ALL=C sort); do
    floor_of "$file"; own=$floor
    if [ "$own" = none ]; then fail "$file: its folder belongs to no floor"; continue; fi
    bad=0
    while IFS= read -r header; do
        resolve "${file%/*}/$header"
        floor_of "$target"; other=$floor
        if [ ! -e "$target" ]; then
            fail "$file: includes $header, which does not exist"; bad=1
        elif [ "$other" = none ] || { ((other > own)) && ! upward_allowed "$file" "$target"; }; then
            fail "$file (floor $own): includes $target (floor $other)"; bad=1
        elif [ "${target%/*}" != "${file%/*}" ] && ! is_contract "$target" && [ "${target#"${file%/*}"/}" = "$target" ] &&
            [ "${file#"${target%/*}"/}" = "$file" ]; then
            fail "$file: includes $target, which is private to its folder"; bad=1
        fi
    done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file")
    # Floors 0-2 take constants and types from the system's headers, nothing that calls.
    if ((own <= 2)); then
        while IFS= read -r header; do
            case $header in
            elf.h | stdbool.h | stddef.h | stdint.h | cpuid.h) ;;
            *) fail "$file (floor $own): includes <$header>"; bad=1 ;;
            esac
        done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*/\1/p' "$file")
        if grep -nE '\bsys_[a-z]+\(|\bsyscall\b' "$file" >/dev/null; then fail "$file (floor $own): makes a system call"; bad=1; fi
    fi
    ((bad)) || passed=$((passed + 1))
done

# Objects: no writable section with bytes in it, no undefined name that is neither one of ours nor one of floor 0's memory functions
# (the hosted build takes those from the C library).
objects=$(find "$build/core/ldr" -name '*.o' 2>/dev/null | LC_ALL=C sort)
[ -n "$objects" ] || fail "$build/core: no objects of floors 0-2, build $build/core/libldrcore.a first"
# shellcheck disable=SC2086 # a list of files
declare -A ours
while read -r name; do ours[$name]=1; done < <(nm -g --defined-only $objects 2>/dev/null | awk 'NF == 3 { print $3 }')
for object in $objects; do
    bad=0
    while read -r type name; do
        case $type in
        [bBdDsSgGC]) fail "$object: owns writable memory: $name"; bad=1 ;;
        U)
            case $name in
            memcpy | memmove | memset | memcmp | strlen | strcmp) ;;
            *) [ -n "${ours[$name]:-}" ] || { fail "$object: needs $name from outside floors 0-2"; bad=1; } ;;
            esac ;;
        esac
    done < <(nm "$object" | awk '{ print $(NF-1), $NF }')
    size=$(size -A "$object" | awk '$1 ~ /^\.(data|bss|tdata|tbss)/ { n += $2 } END { print n + 0 }')
    if ((size)); then fail "$object: $size bytes of .data, .bss or thread storage"; bad=1; fi
    ((bad)) || passed=$((passed + 1))
done
echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))

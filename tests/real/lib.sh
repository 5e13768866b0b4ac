# lib.sh - sourced by every script of tests/real and tests/tooling: the same work under two linkers, results compared.
#
# A script sets `forms` (how our linker comes in), `limit` (seconds for one run), defines work() and, where results
# hold what differs from run to run, tidy() (a filter), and ends with `compare`. It is run as a whole once per form:
#   native     the system's linker                                          (always first: the expected result)
#   namespace  ours in place of the system's, for every process (root only)
#   command    every program that work() starts through `run` is started as LINKER --argv0 NAME PATH ARGS
#   interp     programs that work() links with -Wl,--dynamic-linker="$interp" start on ours
# work() finds itself in an empty folder (the same path each time), prints to stdout and stderr what is compared, may
# leave servers running, and exits 77 with a reason on its last line where the machine lacks something.
# Output: one line per form, `pass|FAIL|skip NAME FORM ...`; exit status 0, 1 or 77. LDSO chooses our linker,
# SHOW=FORM prints that form's output.

here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$0" .sh)
forms=namespace
limit=120
system_linker=/lib64/ld-linux-x86-64.so.2
tidy() { cat; }

# need PROGRAM...: in work(), skip when one is missing.
need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "no $program"; exit 77; }
    done
}

# run PROGRAM ARGS: started the way the form says. A server is started by `become PROGRAM ARGS &`, so that $! is the
# server and not a shell that waits for it.
run() {
    if [ "$form" = command ]; then
        called=$1
        shift
        "$linker" --argv0 "$called" "$(command -v "$called")" "$@"
    else
        "$@"
    fi
}

become() {
    if [ "$form" = command ]; then
        called=$1
        shift
        exec "$linker" --argv0 "$called" "$(command -v "$called")" "$@"
    else
        exec "$@"
    fi
}

# free_port: a TCP port nobody listens on, on loopback.
free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for COMMAND...: until it succeeds, ten seconds at most.
wait_for() {
    tries=100
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "waited in vain for: $*"; return 1; }
        sleep 0.1
    done
}

linker=$(readlink -f "${LDSO:-$here/../../build/ld-ldr.so}")

# one_run FORM LINKER SCRATCH: output in SCRATCH/FORM.out, its last line the exit status.
one_run() {
    work=$3/work
    rm -rf "$work"
    mkdir -p "$work/home" "$work/tmp"
    chmod 711 "$3"
    chmod 755 "$work"
    chmod 1777 "$work/tmp"
    if [ "$1" = namespace ]; then place=$2; else place=-; fi
    if [ "$(id -u)" = 0 ]; then set -- "$@" "$here/../real/in_namespace.sh" "$place"; else set -- "$@" env; fi
    form_wanted=$1 linker_wanted=$2 scratch_wanted=$3
    shift 3
    status=0
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$work/home" TMPDIR="$work/tmp" LANG=C.UTF-8 TERM=dumb \
        ${LDR_CACHE:+"LDR_CACHE=$LDR_CACHE"} ${LDR_CACHE_DIR:+"LDR_CACHE_DIR=$LDR_CACHE_DIR"} USER="$(id -un)" timeout -k 5 "$limit" "$@" /bin/sh "$here/$name.sh" --work "$form_wanted" "$linker_wanted" \
        "$work" >"$scratch_wanted/$form_wanted.out" 2>&1 </dev/null || status=$?
    echo "exit status $status" >>"$scratch_wanted/$form_wanted.out"
}

compare() {
    if [ "${script_args%% *}" = --work ]; then
        cd "$work_folder" || exit 1
        work
        exit $?
    fi
    [ -x "$linker" ] || { echo "FAIL $name: no linker at ${LDSO:-build/ld-ldr.so}"; exit 1; }
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/ldr-$name.XXXXXX") || exit 1
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 1' INT TERM HUP
    verdict=0
    for form in native $forms; do
        if [ "$form" = namespace ] && [ "$(id -u)" != 0 ]; then
            echo "skip $name $form: namespaces need root"
            continue
        fi
        # Starts that must have a record: the same work makes them first.
        if [ "${LDR_CACHE:-}" = require ] && [ "$form" != native ]; then
            LDR_CACHE=now
            one_run "$form" "$linker" "$scratch"
            LDR_CACHE=require
        fi
        began=$(date +%s)
        one_run "$form" "$linker" "$scratch"
        seconds=$(($(date +%s) - began))
        tidy <"$scratch/$form.out" >"$scratch/$form.tidy"
        last=$(tail -n 1 "$scratch/$form.out")
        [ "${SHOW:-}" != "$form" ] || sed 's/^/    /' "$scratch/$form.out"
        if [ "$form" = native ]; then
            native_seconds=$seconds
            if [ "$last" = "exit status 77" ]; then
                echo "skip $name: $(tail -n 2 "$scratch/$form.out" | head -n 1)"
                exit 77
            elif [ "$last" != "exit status 0" ]; then
                # A test that does not work natively tests nothing.
                echo "FAIL $name native: $last; it ends:"
                tail -n 15 "$scratch/$form.out" | cut -c1-300 | sed 's/^/    /'
                exit 1
            fi
        elif diff -a -u --label native "$scratch/native.tidy" --label "$form" "$scratch/$form.tidy" >"$scratch/diff"; then
            echo "pass $name $form: $(wc -l <"$scratch/$form.tidy") lines the same (native $native_seconds s, ours $seconds s)"
        elif [ "${LDR_CACHE:-}" = require ] && grep -aq 'start record of the cache does not fit this process' "$scratch/$form.out"; then
            echo "skip $name $form: starts a program that has no record (made by this run, mostly):$(grep -a -m 1 'start record of the cache' "$scratch/$form.out" | cut -d: -f1 | cut -c1-100)"
        else
            echo "FAIL $name $form: $last (native $native_seconds s, ours $seconds s); repeat with: tests/$(basename "$here")/$name.sh"
            sed -n '3,40p' "$scratch/diff" | cut -c1-300 | sed 's/^/    /'
            verdict=1
        fi
    done
    exit $verdict
}

# Inside a run the arguments are --work FORM LINKER FOLDER.
script_args="$*"
if [ "${1:-}" = --work ]; then
    form=$2
    linker=$3
    work_folder=$4
    interp=$system_linker
    [ "$form" != interp ] || interp=$linker
fi

#!/usr/bin/env bash
# Argument errors and help: status, and a message that names what was wrong.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# status_and NAME STATUS PART COMMAND...: exit status and a part of what it prints (both streams)
status_and() {
    local name=$1 status=$2 part=$3 text found=0
    shift 3
    text=$("$@" 2>&1 </dev/null) || found=$?
    equal "$name: status" "$found" "$status"
    contains "$name: message" "$text" "$part"
}

status_and "no subcommand" 2 "Usage: ldr SUBCOMMAND" "$ldr"
status_and "unknown subcommand" 2 "no subcommand 'frob'" "$ldr" frob
status_and "help" 0 "ldr pages" "$ldr" --help
status_and "help names an example" 0 "Examples:" "$ldr" --help
status_and "version" 0 "ldr 0." "$ldr" --version
for sub in run session trace pages; do
    status_and "$sub --help" 0 "Examples:" "$ldr" $sub --help
    status_and "$sub --help names its statuses" 0 "Exit status:" "$ldr" $sub --help
    status_and "$sub --version" 0 "ldr 0." "$ldr" $sub --version
done
status_and "run without program" 125 "no program named" "$ldr" run
status_and "run, unknown option" 125 "unrecognized option '--frob'" "$ldr" run --frob true
status_and "run, option without value" 125 "requires an argument" "$ldr" run --argv0
status_and "trace without program" 125 "no program named, and no record to --read" "$ldr" trace
status_and "trace, unknown kind" 125 "no kind of event 'frob'; there are all process phase" "$ldr" trace -e frob true
status_and "trace, record and program" 125 "--read runs no program" "$ldr" trace --read x true
status_and "trace, no record" 1 "No such file" "$ldr" trace --read /nonexistent
status_and "trace, a file that is none" 1 "not a record of ld-ldr.so" "$ldr" trace --read /etc/passwd
status_and "session without command" 125 "no command named" "$ldr" session
status_and "pages, unknown option" 2 "unrecognized option '--frob'" "$ldr" pages --frob
status_and "pages, no number" 2 "--top needs a number, not 'x'" "$ldr" pages --top x
status_and "pages, negative number" 2 "--top needs a number, not '-1'" "$ldr" pages --top -1
status_and "pages, --all with names" 2 "exclude each other" "$ldr" pages --all 1
status_and "pages, empty word" 2 "empty word" "$ldr" pages ""
status_and "pages, two views on standard output" 2 "can have standard output" "$ldr" pages --json --csv 1
status_and "pages, unknown csv" 2 "not 'freckles'" "$ldr" pages --csv=freckles 1
status_and "pages, interval of nothing" 2 "seconds from 0.1 to 2678400, not '0'" "$ldr" pages --interval 0 1
status_and "pages, interval that is no number" 2 "not 'nan'" "$ldr" pages --interval nan 1
status_and "pages, reports without interval" 2 "--reports needs --interval" "$ldr" pages --reports 2 1
status_and "pages, no reports" 2 "a number from 1 on, not '0'" "$ldr" pages --interval 1 --reports 0 1
status_and "pages, report without from" 2 "--report needs --from" "$ldr" pages --report 2 1
status_and "pages, from and a scope" 2 "no --scope" "$ldr" pages --from x --scope all
status_and "pages, from and the story of an object" 2 "no --why=OBJECT" "$ldr" pages --from x --why=libc.so.6
status_and "pages, --pages with another view" 2 "only --json and --scope go with it" "$ldr" pages --pages libc.so.6 --csv 1
status_and "pages, from and the pages of a process" 2 "no --scope and no --map" "$ldr" pages --from x --map --json
for others in "--interval 1" --top=3 --why --sharing --segments "--columns frames" "--sort frames" "--map --json" "--record x"; do
    # shellcheck disable=SC2086 # two words
    status_and "pages, --pages and $others" 2 "only --json and --scope go with it" timeout 20 "$ldr" pages --pages libc.so.6 $others $$
done
for others in "--interval 1" --sharing --segments "--columns frames" "--sort frames" "--map --json" "--record x" --scope=all --csv "--pages libc.so.6"; do
    # shellcheck disable=SC2086
    status_and "pages, the story of an object and $others" 2 "is a view of its own: only" timeout 20 "$ldr" pages --why=libc.so.6 $others $$
done
for others in --top=3 --sharing --segments; do
    status_and "pages, $others of JSON" 2 "are of the text" "$ldr" pages --json $others $$
done
for option in html openmetrics record; do
    status_and "pages, --$option without a file, then a PID" 2 "ldr pages --$option FILE $$" "$ldr" pages --$option $$ $$
    equal "pages, --$option without a file: none is made" "$([ -e $$ ] && echo "$$ is there")" ""
done
(cd "$work" && "$ldr" pages --html ./$$ $$ >/dev/null && [ -s $$ ]) && echo "ok pages, a file with a number for a name" || echo "not ok pages, a file with a number for a name"
status_and "pages, from and a process" 2 "--from shows what was recorded" "$ldr" pages --from x --json 1
status_and "pages, from and an interval" 2 "no --interval" "$ldr" pages --from x --json --interval 1
status_and "pages, record to standard output" 2 "--record needs a file" "$ldr" pages --record - 1
status_and "pages diff, help" 0 "Examples:" "$ldr" pages diff --help
status_and "pages diff, nothing to compare" 2 "name the recordings" "$ldr" pages diff
status_and "pages diff, three files" 2 "'c' is one more" "$ldr" pages diff a b c
status_and "pages diff, report 0" 2 "not '0'" "$ldr" pages diff --before 0 a
status_and "pages diff, unknown option" 2 "ldr pages diff: unrecognized option '--frob'" "$ldr" pages diff --frob
status_and "pages, no such PID" 4 "no process 4194305" "$ldr" pages 4194305
status_and "pages, PID out of range" 4 "no process 99999999999999999999" "$ldr" pages 99999999999999999999
status_and "pages of a process called diff" 4 "no process is called diff" "$ldr" pages -- diff
status_and "pages, no such name" 4 "no process is called no-such-program" "$ldr" pages no-such-program
status_and "linker set but missing" 125 "LDR_LDSO=/no/such: No such file" env LDR_LDSO=/no/such "$ldr" run true
status_and "linker set to a folder" 125 "LDR_LDSO=/: Is a directory" env LDR_LDSO=/ "$ldr" run true
cp "$ldr" "$work/ldr"
status_and "linker nowhere: every place is named" 125 "$work/../lib/ldr/ld-ldr.so: No such file" env -u LDR_LDSO "$work/ldr" run true
status_and "output that cannot be written" 1 "No space left" sh -c "'$ldr' pages --top 0 $$ >/dev/full"
printf 'int main(void) { return 0; }' | gcc -x c - -z execstack -o "$work/findings" 2>/dev/null
status_and "a report with findings" 5 "" "$ldr" check "$work/findings"
status_and "a report with findings that cannot be written" 1 "No space left" sh -c "'$ldr' check '$work/findings' >/dev/full"

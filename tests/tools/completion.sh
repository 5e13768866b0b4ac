#!/usr/bin/env bash
# completion.sh - shell completion: in real shells, against --help; and what ldr answers to lines that make no sense.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
timeout 250 python3 "$here/completion.py" "$ldr" "$here/../../tools/completion"
answer() { "$ldr" __complete "$@" | cut -f1 | tr '\n' ' '; }
equal "words behind a program are its own" "$(answer run --argv0 x ls -)" ":rest 4 "
equal "an option's value is no program" "$(answer run --argv0 x)" ":files "
equal "behind -- there are no options" "$(answer run -- --st)" ":programs "
equal "a word of cache decides what follows" "$(answer cache clear '') $(answer cache warm '')" " :programs "
equal "nothing for no command" "$(answer nonsense --)" ""
equal "no word at all" "$("$ldr" __complete; echo $?)" 2
equal "an odd word" "$(answer check $'--\x01=\xff*') $(answer check '=')" " :files "

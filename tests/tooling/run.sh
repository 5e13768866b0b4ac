#!/bin/sh
# run.sh [NAME...] - debuggers, checkers and tracers under our linker; see tests/real/run.sh.
FOLDER=$(dirname "$0") exec "$(dirname "$0")/../real/run.sh" "$@"

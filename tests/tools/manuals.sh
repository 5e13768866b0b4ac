#!/usr/bin/env bash
# manuals.sh - the manual pages against the programs themselves (manuals.py).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
python3 "$here/manuals.py" "$build"

#!/usr/bin/env bash
# The HTML page in headless Chromium: a real report, one with hostile names, one with 100 processes and 300 objects.
# LDR_SHOTS=FOLDER keeps screenshots to look at.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v chromium >/dev/null; then
    skip "the HTML page" "no chromium here"
    exit 0
fi
# shellcheck disable=SC2016
waits='echo ready $$; while read -r line; do :; done'
hold "$ldr" run bash -c "$waits"; await; pids=$answer
hold bash -c "$waits"; await; pids="$pids $answer"
for _ in 1 2; do
    hold /usr/bin/python3 -c 'import os, ssl, sys; print("ready", os.getpid(), flush=True); sys.stdin.read()'; await; pids="$pids $answer"
done
# shellcheck disable=SC2086 # a list of numbers
"$ldr" pages --record "$work/real.jsonl" --html "$work/real.html" $pids || echo "not ok html: a report of four processes"
release || true
for kind in hostile large; do
    /usr/bin/python3 "$here/views_document.py" $kind >"$work/$kind.jsonl"
    "$ldr" pages --from "$work/$kind.jsonl" --html "$work/$kind.html" || echo "not ok html: made from a $kind document"
done
for kind in real hostile large; do
    /usr/bin/python3 "$here/views_html.py" "$work/$kind.jsonl" "$work/$kind.html" $kind ${LDR_SHOTS:+"$LDR_SHOTS"} ||
        echo "not ok html, $kind: the check broke"
done
mkdir "$work/changed" "$work/pages"
/usr/bin/python3 "$here/views_document.py" hostile >"$work/one.json"
/usr/bin/python3 "$here/views_change.py" "$work/one.json" "$work/changed" 150
for document in "$work"/changed/*; do
    "$ldr" pages --from "$document" --html "$work/pages/$(basename "$document" .json).html" 2>/dev/null || true
done
/usr/bin/python3 "$here/views_html.py" "$work/changed" "$work/pages" changed || echo "not ok html, changed: the check broke"
equal "html: no address of another place" "$(grep -Eo '(https?|ftp):?//[^ ]*' "$work/real.html")" ""

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
# Of one object what its own report says: every page, copy, cause, relocation, and variable written
"$ldr" pages --why=libc.so.6 --json $pids >"$work/story.json" || echo "not ok html: the story of libc"
release || true
equal "who made libc's pages private: as --why=OBJECT has it" "$(/usr/bin/python3 - "$work/real.jsonl" "$work/story.json" <<'EOF'
import collections, json, sys
report, story = (json.load(open(name)) for name in sys.argv[1:])
listed = next(o for o in report["why"]["objects"] if o["path"] == story["object"])
mine = next(o for o in report["objects"] if o["path"] == story["object"])
causes = [f"copies_{c}" for c in ("relocation", "relocation_and_write", "write", "identical", "unknown")]
assert listed["copies"] == story["totals"]["copies"] == mine["pages_private"] and listed["names"] == story["names"]
assert len(listed["pages"]) == listed["pages_private"] == len(story["pages"]) > 3
for page, other in zip(listed["pages"], story["pages"]):
    assert int(page["vaddr"], 16) == other["vaddr"] and all(page[key] == other[key] for key in ["copies", "processes", *causes])
    assert page["relocations"] == len(other["relocations"])
    assert {t["type"]: t["count"] for t in page["types"]} == collections.Counter(
        r.get("type") or {"dynamic": ".dynamic", "lazy": "lazy binding"}[r["kind"]] for r in other["relocations"])
    symbols = {r["symbol"] + "@" * bool(r["version"]) + r["version"] for r in other["relocations"] if r.get("symbol")}
    assert set(page["symbols"]) <= symbols and len(page["symbols"]) + page["symbols_left_out"] == len(symbols)
    # by name, type and line: what was written there, in how many processes at most, and the relocations inside
    written = collections.Counter()
    for w in other["written"]:
        key = (w["name"] + (w["path"] if w["named_by"] == "section" else ""), w.get("file", ""), w.get("line", 0))
        written[key] = max(written[key], w["processes"])
    inside = collections.Counter((r["variable"], r.get("file", ""), r.get("line", 0)) for r in other["relocations"] if "variable" in r)
    assert page["variables_left_out"] or {(v["name"], v["file"], v["line"]) for v in page["variables"] if v["processes_writing"]} == set(written)
    for v in page["variables"]:
        key = (v["name"], v["file"], v["line"])
        assert v["processes_writing"] == written[key] and v["relocations"] == inside[key], (v, written[key], inside[key])
print("all")
EOF
)" all
equal "who made pages private: its schema" "$(/usr/bin/python3 "$here/views_check.py" schema "$work/real.jsonl" "$here/../../tools/views/ldr-pages.schema.json" 2>&1 | grep -v '^ok')" ""
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

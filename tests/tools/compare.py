#!/usr/bin/env python3
"""compare.py REPORT ORACLE - do the totals and segment sums of a report (`ldr pages --json`) equal the oracle's?
compare.py --get REPORT EXPRESSION - prints the value of a Python expression over the report, as `r`; `o(NAME)` is the
object whose path ends in NAME, `s(NAME, SEGMENT)` one of its segments, as "mapped frames shared alone private avoided"."""
import json, sys


def load(path):
    with open(path) as f:
        return json.load(f)


def counts(c):
    keys = ("pages_mapped", "frames", "frames_shared", "frames_alone", "pages_private", "page_copies_avoided")
    return " ".join(str(c[k]) for k in keys)


if sys.argv[1] == "--get":
    r = load(sys.argv[2])

    def o(name):
        found = [x for x in r["objects"] if x["path"].endswith(name)]
        assert len(found) == 1, f"{len(found)} objects end in {name}"
        return found[0]

    def s(name, segment):
        found = [x for x in o(name)["segments"] if x["segment"] == segment]
        return counts(found[0]) if found else "none"

    print(eval(sys.argv[3]))
    sys.exit(0)

report, oracle = load(sys.argv[1]), load(sys.argv[2])
bad = []
for key, value in oracle["totals"].items():
    if report["totals"][key] != value:
        bad.append(f"totals.{key}: report {report['totals'][key]}, oracle {value}")
if [[h["owners"], h["frames"]] for h in report["histogram"]] != oracle["histogram"]:
    bad.append(f"histogram: report {report['histogram']}, oracle {oracle['histogram']}")
if sum(h["pages"] for h in report["histogram"]) != report["totals"]["pages_mapped"]:
    bad.append("the histogram's pages are not all that are mapped")
if report["matrix"] != {"owners": list(range(len(oracle["matrix"]))), "shared_frames": oracle["matrix"]}:
    bad.append(f"matrix: report {report['matrix']}, oracle {oracle['matrix']}")
for level in [report["totals"]] + report["processes"] + report["objects"] + [s for o in report["objects"] for s in o["segments"]]:
    if sum(level["classes"].values()) != level["pages_mapped"] + level["pages_swapped"]:
        bad.append(f"classes do not add up: {level}")
sums = {}
for obj in report["objects"]:
    for segment in obj["segments"]:
        entry = sums.setdefault(segment["segment"], dict.fromkeys(next(iter(oracle["segments"].values())), 0))
        for key in entry:
            entry[key] += segment[key]
if sums != oracle["segments"]:
    bad.append(f"segments: report {sums}, oracle {oracle['segments']}")
print("\n".join(bad))
sys.exit(bool(bad))

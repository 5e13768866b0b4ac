#!/usr/bin/env python3
"""compare.py REPORT ORACLE - do the totals and segment sums of a report (`ldr pages --json`) equal the oracle's?"""
import json, sys


def load(path):
    with open(path) as f:
        return json.load(f)


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

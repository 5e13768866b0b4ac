"""check_truth.py LDR - `ldr check` over /usr/bin, /usr/sbin and /usr/lib: no crash; every "missing" confirmed by the system's linker, and
for a sample every one that the system's linker tells is found: libraries, versions, undefined symbols (as `ldd -r` has them). Then that
JSON, SARIF and text tell the same number of findings, and that SARIF has the shape its standard demands."""
import collections
import json
import os
import re
import subprocess
import sys
import time

import truth

ldr = sys.argv[1]
passed = failed = 0


def judge(name, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"not ok {name}: {detail}")


def check(*words):
    done = subprocess.run([ldr, "check", *words], env=truth.environment(), capture_output=True, check=False)
    return done.returncode, done.stdout.decode("utf-8", "surrogateescape")


def undefined(path):
    """{object: {symbols}} that the system's linker finds undefined, versions that it finds missing as {object: {versions}}"""
    done = subprocess.run(["/lib64/ld-linux-x86-64.so.2", path], capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=120,
                          env=truth.environment({"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "1", "LD_BIND_NOW": "1"}))
    symbols, versions = collections.defaultdict(set), collections.defaultdict(set)
    for line in (done.stdout + done.stderr).decode("utf-8", "surrogateescape").splitlines():
        found = re.match(r"undefined symbol: (\S+?)(?:, version (\S+))?\t\((.*)\)", line)
        if found:
            symbols[os.path.realpath(found.group(3))].add(found.group(1))
        found = re.search(r"version `(\S+)' not found \(required by (.*)\)", line)
        if found:
            versions[os.path.realpath(found.group(2))].add(found.group(1))
    return symbols, versions


start = time.monotonic()
status, out = check("--json", "/usr/bin", "/usr/sbin", "/usr/lib")
seconds = time.monotonic() - start
judge("check of the distribution ends well", status in (0, 5, 6), status)
report = json.loads(out)
files = report["totals"]["files"]
print(f"{files} files in {seconds:.1f} s")
judge("within 60 seconds", seconds < 60, seconds)
counts = collections.Counter(finding["severity"] for finding in report["findings"])
judge("totals add up", all(report["totals"][severity] == counts[severity] for severity in ("note", "warning", "error")), counts)

missing = unresolved = 0
truths = {}


def told(path):
    if path not in truths:
        truths[path] = undefined(path)
    return truths[path]


for finding in report["findings"]:
    program = finding["programs"][0]
    if finding["rule"] == "missing-library":
        missing += 1
        have = truth.loaded(program) or []
        judge(f"{finding['object']}: {finding['subject']}", any(name == finding["subject"] and where is None for name, where in have), have)
    elif finding["rule"] == "missing-symbol":
        judge(f"{finding['object']}: {finding['subject']}", finding["subject"].split("@")[0] in told(program)[0][os.path.realpath(finding["object"])])
    elif finding["rule"] == "missing-version":
        judge(f"{finding['object']}: {finding['subject']}", finding["subject"].split("@")[1] in told(program)[1][os.path.realpath(finding["object"])])
    elif finding["rule"] == "unresolved-symbol":
        unresolved += 1
        count = int(re.match(r"\d+", finding["message"]).group())
        theirs = told(program)[0][os.path.realpath(finding["object"])]
        names = [name for name in finding["evidence"] if " " not in name]
        judge(f"{finding['object']}: {count} unresolved", count == len(theirs) and all(any(n.startswith(name) for n in theirs) for name in names), len(theirs))
print(f"{missing} missing libraries and {unresolved} libraries with unresolved symbols, each asked of the system's linker")

# The other way round: what the system's linker misses is found.
known = {(os.path.realpath(f["object"]), p) for f in report["findings"] if f["rule"] in ("unresolved-symbol", "missing-symbol") for p in f["programs"]}
objects = {o for o, _ in known}
sample = list(truth.elf_files("/usr/bin", "/usr/sbin"))[::6] + list(truth.elf_files("/usr/lib"))[::12]
for path in sample:
    symbols, versions = undefined(path)
    judge(f"{path}: nothing is overlooked", set(symbols) <= objects and not versions, (set(symbols) - objects, dict(versions)))

# The three formats tell the same.
status, out = check("--sarif", "/usr/bin")
sarif = json.loads(out)
run = sarif["runs"][0]
rules = run["tool"]["driver"]["rules"]
status2, out = check("--json", "/usr/bin")
judge("SARIF has every finding", len(run["results"]) == len(json.loads(out)["findings"]), len(run["results"]))
judge("SARIF: version", sarif["version"] == "2.1.0" and "$schema" in sarif)
judge("SARIF: rules have an id each", len({rule["id"] for rule in rules}) == len(rules) and all(set(rule) <= {"id", "shortDescription", "defaultConfiguration"} for rule in rules))
levels = {"none", "note", "warning", "error"}
judge("SARIF: results", all(
    result["level"] in levels and result["message"]["text"] and rules[result["ruleIndex"]]["id"] == result["ruleId"] and
    re.match(r"^file:///[A-Za-z0-9._~/+%-]+$", result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) and
    all(isinstance(value, str) for value in result["partialFingerprints"].values()) for result in run["results"]))
judge("SARIF: fingerprints tell findings apart", len({r["partialFingerprints"]["ldrFinding/v1"] for r in run["results"]}) == len(run["results"]))
_, out = check("--level", "note", "/usr/bin")
judge("text has every finding", len(re.findall(r"(?m)^(?:note|warning|error): ", out)) == len(run["results"]))

print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0)

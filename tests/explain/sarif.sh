#!/usr/bin/env bash
# sarif.sh BUILD - `ldr check --sarif` against the schema that OASIS publishes for SARIF 2.1.0, as the npm package of its maintainers' test
# helpers carries it. The package is fetched once, into BUILD/explain, and known by its sum; without a registry the check is left out.
set -u
build=$(realpath "${1:-build}")
schema=$build/explain/sarif-schema-2.1.0.json
package=@microsoft/jest-sarif@1.0.0-beta.0 inside=package/lib/schemas/sarif-2.1.0-rtm.5.json
sum=2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8
leave_out() { echo "skip SARIF against its schema: $1"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
if ! sha256sum -c --quiet <<<"$sum  $schema" 2>/dev/null; then
    command -v npm >/dev/null || leave_out "npm is not installed"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && timeout 60 npm pack --silent "$package" >/dev/null 2>&1 && tar xzf ./*.tgz "$inside") || leave_out "$package could not be fetched"
    sha256sum -c --quiet <<<"$sum  $work/$inside" || { echo "not ok $package is another one by now"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
    install -D -m 644 "$work/$inside" "$schema"
fi
/usr/bin/python3 - "$build/ldr" "$schema" "$build/explain/corpus" "$build/bad/cases" <<'PY'
import json, os, re, subprocess, sys, tempfile

import jsonschema

ldr, schema_path, *folders = sys.argv[1:]
validator = jsonschema.Draft4Validator(json.load(open(schema_path)))
passed = failed = 0


def judge(name, errors):
    global passed, failed
    if errors:
        failed += 1
        print(f"not ok {name}: {errors[:3]}")
    else:
        passed += 1


def sarif(*words):
    return json.loads(subprocess.run([ldr, "check", "--sarif", *words], stdout=subprocess.PIPE, check=False).stdout)


def wrong(document):
    found = [(list(error.absolute_path), error.message[:200]) for error in validator.iter_errors(document)]
    run = document["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:                        # what the schema cannot say
        if "ruleIndex" in result and rules[result["ruleIndex"]] != result["ruleId"]:
            found.append(("ruleIndex", result["ruleId"]))
        for place in result.get("locations", []):
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            if not re.fullmatch(r"(?:[A-Za-z0-9._~:/?#@!$&'()*+,;=\[\]-]|%[0-9A-F]{2})+", uri):
                found.append(("uri", uri))
    return found


with tempfile.TemporaryDirectory() as folder:
    odd = os.path.join(os.fsencode(folder), b"b\xff d %41\nm")
    with open("/usr/bin/true", "rb") as file, open(odd, "wb") as copy:
        copy.write(file.read().replace(b"libc.so.6", b"libn.so.6"))
    document = sarif("--level", "note", os.fsdecode(odd))
    judge("a path of odd characters", wrong(document) or (not document["runs"][0]["results"] and ["no finding"]))
for target in ["/usr/bin/true", "/usr/bin/gdb", "/usr/bin", *folders]:
    if os.path.exists(target):
        judge(f"check --sarif {target}", wrong(sarif("--level", "note", target)))
    else:
        print(f"skip check --sarif {target}: not there")
# The schema judges: one key more and one missing are noticed.
for change in (lambda d: d["runs"][0].update(unheard_of=1), lambda d: d["runs"][0]["tool"]["driver"].pop("name"), lambda d: d.update(version="2.0")):
    document = sarif("/usr/bin/true")
    change(document)
    judge("a change that the schema forbids", [] if wrong(document) else ["unnoticed"])
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed != 0)
PY

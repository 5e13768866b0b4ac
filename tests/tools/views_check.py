#!/usr/bin/python3
"""views_check.py WHAT FILE... - holds the views of a report against its document, from the document alone.
schema DOCUMENT SCHEMA | csv DOCUMENT LEVEL CSV | metrics DOCUMENT FILE | diff BEFORE AFTER DIFF
One line per check: "ok NAME", or "not ok NAME" with what was found and expected. Documents: one JSON object per file, or a
recording, of which the last line counts."""
import csv, json, os, sys

COUNTS = """pages_mapped frames frames_shared frames_shared_copies frames_alone pages_private pages_private_relocation
pages_private_relocation_and_write pages_private_write pages_private_identical pages_private_unknown frames_memory
pages_private_unresolved page_copies_avoided pages_mapped_again pages_swapped pages_from_images
page_copies_avoided_images pages_won_relocated pages_won_duplicates""".split()
CLASSES = """file_shared file_alone image_shared image_alone shared_memory_shared shared_memory_alone fork_shared ksm private_relocation
private_relocation_and_write private_write private_identical private_unknown bss heap stack anonymous huge swapped swapped_shared vdso
inserted zero hugetlb device""".split()
KERNEL = "rss_pages swap_pages page_table_kib minor_faults major_faults".split()
CAUSES = "relocation relocation_and_write write identical unknown".split()


def load(path):
    text = open(path).read()
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return json.loads(text.rstrip("\n").split("\n")[-1])


def check(name, found, expected):
    if found == expected:
        print("ok", name)
    else:
        print(f"not ok {name}\n    found:    {str(found)[:600]}\n    expected: {str(expected)[:600]}")


def strict(schema):
    """The same schema, refusing members it does not describe: so that none stays undocumented."""
    if isinstance(schema, dict):
        more = {"additionalProperties": False} if "properties" in schema else {}
        return {key: strict(value) for key, value in schema.items()} | more
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def check_schema(document, schema):
    import jsonschema
    schema = load(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(strict(schema))

    def errors(doc):
        return [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(doc)][:3]
    doc = load(document)
    check("schema: the document follows it", errors(doc), [])
    # a schema that accepts everything would pass the first check
    for name, change in (("a missing total", lambda d: d["totals"].pop("frames")),
                         ("a negative count", lambda d: d["objects"][0].update(frames=-1)),
                         ("a count as text", lambda d: d["objects"][0]["segments"][0].update(frames="1")),
                         ("an unknown member", lambda d: d["totals"].update(freckles=1)),
                         ("another segment", lambda d: d["objects"][0]["segments"][0].update(segment="text")),
                         ("another method", lambda d: d.update(method="guess"))):
        broken = json.loads(json.dumps(doc))
        change(broken)
        check(f"schema: refuses {name}", bool(errors(broken)), True)


def numbers(item, time, *first):
    kernel = KERNEL if "rss_pages" in item else []
    return [time, *first, *(str(item.get(key, 0)) for key in COUNTS), *(str(item["classes"][key]) for key in CLASSES),
            *(str(item[key]) for key in kernel)]


def check_csv(document, level, path):
    doc = load(document)
    time = doc["time"]
    rows = list(csv.reader(open(path, newline="")))
    titles = {"totals": ["time", "processes"], "processes": ["time", "pid", "name"],
              "objects": ["time", "path", "device", "inode", "processes"],
              "segments": ["time", "path", "device", "inode", "segment", "processes"]}[level]
    expected = [titles + COUNTS + ["class_" + key for key in CLASSES] + (KERNEL if level in ("totals", "processes") else [])]
    if level == "totals":
        expected.append(numbers(doc["totals"], time, str(doc["totals"]["processes"])))
    elif level == "processes":
        expected += [numbers(p, time, str(p["pids"][0]), p["name"]) for p in doc["processes"]]
    for o in doc["objects"]:
        head = [o["path"], o["device"], str(o["inode"])]
        if level == "objects":
            expected.append(numbers(o, time, *head, str(o["processes"])))
        elif level == "segments":
            expected += [numbers(s, time, *head, s["segment"], str(s["processes"])) for s in o["segments"]]
    check(f"csv {level}: every number as in the document", rows, expected)


def check_metrics(document, path):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
    from prometheus_client.parser import text_string_to_metric_families as prometheus
    doc, text = load(document), open(path).read()

    def samples(parse):
        return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in parse(text) for s in f.samples}
    found = samples(openmetrics)
    check("metrics: the same by the parsers of OpenMetrics and of the Prometheus text format", samples(prometheus), found)
    check("metrics: no series twice", sum(1 for line in text.split("\n") if line and not line.startswith("#")), len(found))

    def get(name, **labels):
        return found.get((name, tuple(sorted(labels.items()))))
    bad = []

    def same(expected, name, **labels):
        if get(name, **labels) != expected:
            bad.append(f"{name} {labels}: {get(name, **labels)}, expected {expected}")

    def counts(prefix, item, **labels):
        for name, key in (("mapped", "pages_mapped"), ("copies_avoided", "page_copies_avoided"),
                          ("mapped_again", "pages_mapped_again"), ("swapped", "pages_swapped"), ("from_images", "pages_from_images"),
                          ("copies_avoided_by_images", "page_copies_avoided_images"), ("won_if_relocated_shared", "pages_won_relocated"),
                          ("won_if_duplicates_one", "pages_won_duplicates")):
            same(item[key], prefix + name, **labels)
        for state, key in (("shared", "frames_shared"), ("alone", "frames_alone"), ("private", "pages_private"),
                           ("memory", "frames_memory")):
            same(item[key], prefix + "frames", state=state, **labels)
        for cause in CAUSES:
            same(item["pages_private_" + cause], prefix + "private_copies", cause=cause, **labels)
    counts("ldr_pages_", doc["totals"])
    same(doc["totals"]["processes"], "ldr_pages_processes")
    same(int(doc["exact"]), "ldr_pages_report_exact")
    for key in CLASSES:
        same(doc["totals"]["classes"][key], "ldr_pages_class", **{"class": key})
    for bar in doc["histogram"]:
        same(bar["frames"], "ldr_pages_frames_by_processes", processes=str(bar["owners"]))
    for o in doc["objects"]:
        for s in o["segments"]:
            counts("ldr_pages_segment_", s, object=o["path"], device=o["device"], inode=str(o["inode"]), segment=s["segment"])
    for name in {p["name"] for p in doc["processes"]}:
        group = [p for p in doc["processes"] if p["name"] == name]
        same(len(group), "ldr_pages_program_processes", program=name)
        for metric, key, factor in (("mapped", "pages_mapped", 1), ("rss", "rss_pages", 1), ("swapped", "swap_pages", 1),
                                    ("page_tables_bytes", "page_table_kib", 1024)):
            same(sum(p[key] for p in group) * factor, "ldr_pages_program_" + metric, program=name)
        for cause in CAUSES:
            same(sum(p["pages_private_" + cause] for p in group), "ldr_pages_program_private_copies", program=name, cause=cause)
    check("metrics: every number as in the document", bad[:5], [])


def check_diff(before, after, path):
    a, b, diff = load(before), load(after), load(path)

    def by_path(doc):
        sums = {}
        for o in doc["objects"]:
            into = sums.setdefault(o["path"], dict.fromkeys(COUNTS, 0) | {"processes": 0})
            for key in COUNTS:
                into[key] += o[key]
            into["processes"] = max(into["processes"], o["processes"])
        return sums
    sums = by_path(a), by_path(b)
    keys = ["processes", *COUNTS]

    def three(x, y):
        zero = dict.fromkeys(keys, 0)
        cut = [None if v is None else {key: v[key] for key in keys} for v in (x, y)]
        return {"before": cut[0], "after": cut[1], "change": {key: (cut[1] or zero)[key] - (cut[0] or zero)[key] for key in keys}}
    expected = []
    for p in sorted(set(sums[0]) | set(sums[1]), key=os.fsencode):
        values = three(sums[0].get(p), sums[1].get(p))
        expected.append({"path": p, "changed": values["before"] != values["after"]} | values)
    check("diff: every object, before, after and change", diff["objects"], expected)
    check("diff: totals", diff["totals"], three(a["totals"], b["totals"]))
    import jsonschema
    schema = strict(load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/views/ldr-pages-diff.schema.json")))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    check("diff: follows its schema", [e.message[:200] for e in validator.iter_errors(diff)][:3], [])
    diff["totals"]["change"]["frames"] = "7"
    check("diff: its schema refuses a change as text", len(list(validator.iter_errors(diff))), 1)


{"schema": check_schema, "csv": check_csv, "metrics": check_metrics, "diff": check_diff}[sys.argv[1]](*sys.argv[2:])

#!/usr/bin/python3
"""views_change.py RECORDING FOLDER COUNT - writes COUNT documents that are JSON but no longer quite the report: members gone, of another
type, numbers out of proportion, lists of another length. A fixed seed. What of them is accepted must be shown without breaking."""
import copy, json, os, random, sys

recording, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
original = json.loads(open(recording).readline())
rng = random.Random(7)
VALUES = [None, True, 0, 1, 2**40, 2**52, -1, 0.5, "", "text", [], [1], {}, [[]], {"a": 1}]


def places(value, found, depth=0):
    if isinstance(value, dict):
        for key, item in value.items():
            found.append((value, key, depth))
            places(item, found, depth + 1)
    elif isinstance(value, list):
        for i in rng.sample(range(len(value)), min(len(value), 3)):
            found.append((value, i, depth))
            places(value[i], found, depth + 1)
    return found


for i in range(count):
    doc = copy.deepcopy(original)
    for _ in range(rng.choice((1, 1, 2, 4))):
        everywhere = places(doc, [])
        depth = rng.choice(sorted({d for _, _, d in everywhere})) # as often near the root as deep inside
        holder, key, _ = rng.choice([place for place in everywhere if place[2] == depth])
        how = rng.randrange(3)
        if how == 0:
            del holder[key]
        elif how == 1:
            holder[key] = rng.choice(VALUES)
        elif isinstance(holder[key], int):
            holder[key] = rng.choice((0, 2**30, 2**52, holder[key] + 1))
        elif isinstance(holder[key], list):
            holder[key] = holder[key] * 2 if rng.random() < 0.5 else holder[key][:1]
        else:
            holder[key] = "changed"
    with open(os.path.join(folder, f"{i:03}.json"), "w") as f:
        json.dump(doc, f)
        f.write("\n")

#!/usr/bin/python3
"""views_html.py DOCUMENT PAGE KIND [FOLDER] - opens the page in headless Chromium and holds what it shows against the document.
KIND: real, hostile, large or changed (then DOCUMENT and PAGE are folders: pages made of changed documents, which need only not break). Screenshots go to FOLDER if it is given, for people to look at."""
import json, os, re, sys, time

sys.dont_write_bytecode = True  # the tree stays as it was
from browser import Browser  # noqa: E402

document, page, kind = sys.argv[1:4]
folder = sys.argv[4] if len(sys.argv) > 4 else None
if kind == "changed":
    browser, bad = Browser(), []
    try:
        pages = sorted(os.listdir(page))
        for name in pages:
            before = len(browser.messages)
            browser.open(os.path.join(page, name))
            browser.evaluate("(s => { s.value = 'a'; s.dispatchEvent(new Event('input')); scrollTo(0, 3000); })(document.getElementById('search'))")
            if len(browser.messages) > before or not browser.evaluate("document.getElementById('object-count').textContent"):
                bad.append((name, browser.messages[before:]))
    finally:
        browser.close()
    print(f"ok html, changed: {len(pages)} pages made of changed documents" if not bad and len(pages) >= 20 else
          f"not ok html, changed: of {len(pages)} pages: {str(bad)[:1500]}")
    sys.exit()
doc = json.loads(open(document).read().rstrip("\n").split("\n")[-1])


def check(name, found, expected):
    if found == expected:
        print(f"ok html, {kind}: {name}")
    else:
        print(f"not ok html, {kind}: {name}\n    found:    {str(found)[:800]}\n    expected: {str(expected)[:800]}")


def shot(name, whole=False):
    if folder:
        browser.screenshot(os.path.join(folder, f"{kind}-{name}.png"), whole)


browser = Browser()
try:
    browser.open(page)
    shot("light")

    # ---- numbers ----
    READ = """root => [...document.querySelectorAll(root + ' [data-total], ' + root + ' [data-count]')].map(node =>
        [node.dataset.total || node.dataset.count, Number(node.firstChild.textContent.replaceAll(',', ''))])"""

    def read(root):
        return browser.evaluate(f"({READ})({json.dumps(root)})")
    check("totals in the tiles", sorted(read("#tiles")),
          sorted([key, doc["totals"][key]] for key in "pages_mapped frames frames_shared frames_alone pages_private page_copies_avoided".split()))
    check("headline", browser.evaluate("document.getElementById('headline').textContent"),
          f"{doc['totals']['processes']} processes map {doc['totals']['pages_mapped']:,} pages of programs and libraries in "
          f"{doc['totals']['frames']:,} physical pages.")
    check("classes", dict(browser.evaluate("[...document.querySelectorAll('#whole-legend li')].map(li => [li.dataset.class, Number(li.dataset.pages)])")),
          {key: n for key, n in doc["totals"]["classes"].items() if n})
    check("images, and what could be won", sorted(read("#won")), sorted(
        [key, doc["totals"][key]] for key in ("pages_from_images", "pages_won_relocated", "pages_won_duplicates") if doc["totals"][key]))
    sets = doc["savings"]["if_duplicates_one"]["sets"]
    check("files that are there twice", browser.evaluate("[...document.querySelectorAll('#won li li')].map(node => node.textContent)"),
          [f"{s['pages']:,}: " + " and ".join(f["path"] for f in s["files"]) for s in sets if s["pages"]][:5])
    keys = "processes pages_mapped frames frames_shared pages_private page_copies_avoided".split()
    shown = browser.evaluate("""[...document.querySelectorAll('#objects article')].map(node => [node.dataset.path,
        ...[...node.querySelectorAll('[data-count]')].map(b => Number(b.textContent.replaceAll(',', '')))])""")
    check("every object", sorted(shown), sorted([o["path"], *(o[key] for key in keys)] for o in doc["objects"]))
    check("objects by mapped pages", [row[2] for row in shown], sorted((o["pages_mapped"] for o in doc["objects"]), reverse=True))
    causes = [["pages_private_" + c for c in ("relocation", "relocation_and_write", "write", "identical", "unknown")], []]
    columns = [key for key in causes[0] if key != "pages_private_unknown" or doc["totals"][key]] + ["pages_private"]
    shown = browser.evaluate("""[...document.querySelectorAll('#causes tbody tr')].map(node => [node.dataset.path, node.dataset.segment,
        ...[...node.querySelectorAll('[data-count]')].map(b => Number(b.textContent.replaceAll(',', '')))])""")
    check("private copies by cause, every segment", sorted(shown), sorted(
        [o["path"], s["segment"], *(s[key] for key in columns)] for o in doc["objects"] for s in o["segments"] if s["pages_private"]))
    check("private copies by cause, total", read("#causes tfoot"), [[key, doc["totals"][key]] for key in columns])
    check("histogram", browser.evaluate("[...document.querySelectorAll('#histogram > div')].map(d => [Number(d.dataset.owners), Number(d.dataset.frames)])"),
          [[bar["owners"], bar["frames"]] for bar in doc["histogram"]])
    keys = [key for key in """pages_mapped frames frames_shared frames_alone pages_private rss_pages swap_pages page_table_kib minor_faults
        major_faults""".split()]
    check("processes", browser.evaluate("""[...document.querySelectorAll('#processes tbody tr')].map(row => [row.querySelector('.text').textContent,
        ...[...row.querySelectorAll('[data-count]')].map(cell => Number(cell.textContent.replaceAll(',', '')))])"""),
          [[p["name"], p["pid"], *(p[key] for key in keys)] for p in doc["processes"]])

    # ---- who made pages private: every object's copies, every page and variable of one, and what is found by a variable's name ----
    listed = doc["why"]["objects"]
    check("who: every object listed, with its copies", browser.evaluate("""[...document.querySelectorAll('#who details')].map(node => [node.dataset.path,
        Number(node.querySelector('[data-copies]').textContent.replaceAll(',', ''))])"""), [[o["path"], o["copies"]] for o in listed])
    check("who: nothing is drawn before it is opened", browser.evaluate("document.querySelectorAll('.who-page').length"), 0)
    WHO = """[...document.querySelectorAll('#who details[open]:not([hidden]) .who-page')].map(node => [node.dataset.vaddr, [...node.querySelectorAll('li > b')].map(b => b.textContent)])"""
    most = max(listed, key=lambda o: sum(len(p["variables"]) for p in o["pages"]))
    browser.evaluate(f"document.querySelectorAll('#who details')[{listed.index(most)}].open = true")
    time.sleep(0.3)
    check("who: every page and variable of an object", browser.evaluate(WHO), [[p["vaddr"], [v["name"] for v in p["variables"]]] for p in most["pages"]])
    text = browser.evaluate(f"document.querySelectorAll('#who details')[{listed.index(most)}].textContent")
    check("who: types, lines and relocations of an object", [part for p in most["pages"][:3] for part in
          [f"{p['relocations']:,} relocation"] * (p["relocations"] > 0) + [f"{v['file'].rsplit('/', 1)[-1]}:{v['line']}" for v in p["variables"] if v["file"].isalnum()] if part not in text], [])
    shot("who")
    browser.evaluate(f"document.querySelectorAll('#who details')[{listed.index(most)}].open = false")
    wanted = next(v["name"] for p in most["pages"] for v in p["variables"] if v["name"].strip())
    browser.evaluate(f"(s => {{ s.value = {json.dumps(wanted)}; s.dispatchEvent(new Event('input')); }})(document.getElementById('search'))")
    wanted = browser.evaluate("document.getElementById('search').value").strip().lower() # without line breaks

    def has(o, p):
        return wanted in o["path"].lower() or any(wanted in text.lower() for text in [p["vaddr"], *p["sections"], *p["symbols"], *(f"{v['name']} {v['type']} {v['file']}" for v in p["variables"])])
    found = [p for o in listed for p in o["pages"] if wanted not in o["path"].lower() and has(o, p)]
    check("who: a variable searched for", sorted(row[0] for row in browser.evaluate(WHO)), sorted(p["vaddr"] for p in found))
    browser.evaluate("document.getElementById('who-part').scrollIntoView()")
    shot("who-search")
    browser.evaluate("(s => { s.value = ''; s.dispatchEvent(new Event('input')); scrollTo(0, 0); })(document.getElementById('search'))")
    check("who: closed again", browser.evaluate("document.querySelectorAll('#who details[open], #who details[hidden]').length"), 0)

    # ---- the page map: colours of its squares, and the tip over them ----
    first = browser.evaluate("document.querySelector('#objects article canvas').closest('article').dataset.path")
    target = next(o for o in doc["objects"] if o["path"] == first)
    runs = target["segments"][0]["map"]
    browser.evaluate("document.querySelector('#objects article canvas').scrollIntoView({ block: 'center' })")
    time.sleep(0.3)
    box = browser.evaluate("(b => [b.left, b.top])(document.querySelector('#objects article canvas').getBoundingClientRect())")
    browser.point(box[0] + 76 + 1, box[1] + 1)
    tip = browser.evaluate("document.getElementById('tip').hidden ? '' : [...document.getElementById('tip').children].map(n => n.textContent).join('|')")
    owners = runs[0][1]
    who = "no process" if not owners else f"{owners} process" + ("" if owners == 1 else "es")
    pages = sum(run[2] for run in runs)
    check("tip over the first page: who has it", who in tip.split("|")[1:2][0] if tip else tip, True)
    check("tip over the first page: where it is", tip.split("|")[-1].split(";")[0],
          f"{first.rsplit('/', 1)[1] or first}, {target['segments'][0]['segment']}, page 1 of {pages:,}")
    pairs = doc["owner_sets"][runs[0][3]]
    names = {doc["processes"][i]["name"] for a, b in zip(pairs[::2], pairs[1::2]) for i in range(a, b + 1)}
    check("tip over the first page: the names of its processes", [n for n in list(names)[:12] if n not in tip], [])
    check("tip over the first page: as many as it says", sum(b - a + 1 for a, b in zip(pairs[::2], pairs[1::2])), owners)
    pixel = """(() => { const c = document.querySelector('#objects article canvas'), s = c.width / c.clientWidth;
        const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
        copy.drawImage(c, -Math.round(77 * s), -Math.round(s));
        return [...copy.getImageData(0, 0, 1, 1).data]; })()"""
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--%s').trim()" % runs[0][0]

    def rgb(text):
        return [int(text[i:i + 2], 16) for i in (1, 3, 5)]
    data = browser.evaluate(pixel)
    strong = runs[0][0] != "file_shared" or owners == target["processes"]
    if strong:
        check("the first square has its class's colour", data[:3], rgb(browser.evaluate(colour)))
    light = data
    browser.point(2, 2)

    # ---- search ----
    word = {"real": "libc.so", "hostile": "</SCRIPT>", "large": "libgui1"}[kind]
    start = time.monotonic()
    browser.evaluate("document.getElementById('search').focus()")
    browser.type(word)
    visible = browser.evaluate("[...document.querySelectorAll('#objects article:not([hidden])')].map(node => node.dataset.path)")
    check("search leaves the objects that match", sorted(visible), sorted(o["path"] for o in doc["objects"] if word.lower() in o["path"].lower()))
    check("search says how many", browser.evaluate("document.getElementById('object-count').textContent"),
          f"{len(visible)} of {len(doc['objects'])} objects" if len(doc["objects"]) != 1 else "1 of 1 object")
    shot("search")
    browser.evaluate("(s => { s.value = ''; s.dispatchEvent(new Event('input')); })(document.getElementById('search'))")
    check("all objects again", browser.evaluate("document.querySelectorAll('#objects article:not([hidden])').length"), len(doc["objects"]))
    browser.evaluate("(s => { s.value = 'pages_private'; s.dispatchEvent(new Event('change')); })(document.getElementById('sort'))")
    check("sorted by private copies", browser.evaluate("[...document.querySelectorAll('#objects article')].map(n => Number(n.querySelector('[data-count=pages_private]').textContent.replaceAll(',', '')))"),
          sorted((o["pages_private"] for o in doc["objects"]), reverse=True))

    # ---- hostile names stay text ----
    if kind == "hostile":
        check("no name became a program or an element", browser.evaluate("[window.hacked === undefined, document.images.length, document.scripts.length]"),
              [True, 0, 2])
        check("names are shown as they are", sorted(browser.evaluate("[...document.querySelectorAll('#processes td.text')].map(td => td.textContent)")),
              sorted(p["name"] for p in doc["processes"]))

    # ---- dark, phone, contrast ----
    def luminance(c):
        parts = [v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in c]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    def contrast(selector):
        fore, back = browser.evaluate(f"(s => [getComputedStyle(document.querySelector(s)).color, getComputedStyle(document.body).backgroundColor])({json.dumps(selector)})")
        a, b = (luminance([int(n) for n in re.findall(r"\d+", c)[:3]]) for c in (fore, back))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    for dark in (False, True):
        browser.open(page, 390, 844, dark, phone=True)
        name = "dark" if dark else "light"
        check(f"{name}, phone: nothing is wider than the screen", browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), True)
        shot(f"phone-{name}")
        browser.evaluate("(d => { d.open = true; d.scrollIntoView(); })(document.querySelector('#who details'))")
        time.sleep(0.3)
        check(f"{name}, phone: nothing is wider with an object open", browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), True)
        shot(f"phone-{name}-who")
        low = [(s, round(contrast(s), 2)) for s in ("h1", ".note", ".lead", "nav a", "footer p") if contrast(s) < 4.5]
        check(f"{name}: text has contrast", low, [])
    browser.open(page, dark=True)
    shot("dark")
    browser.evaluate("(d => { d.open = true; d.scrollIntoView(); })(document.querySelector('#who details'))")
    time.sleep(0.3)
    shot("dark-who")
    if strong:
        browser.evaluate("document.querySelector('#objects article canvas').scrollIntoView({ block: 'center' })")
        time.sleep(0.3)
        check("dark: the squares have the dark colours", [browser.evaluate(pixel)[:3] == rgb(browser.evaluate(colour)), browser.evaluate(pixel) != light],
              [True, True])

    # ---- no lag ----
    if kind == "large":
        load = browser.evaluate("(n => n.loadEventEnd - n.startTime)(performance.getEntriesByType('navigation')[0])")
        check(f"loaded within 3 s (of the browser's time: {load:.0f} ms)", load < 3000, True)
        # best of three, and not the worst of all frames: what is slow by itself is slow each time, what others on the machine do is not
        took = browser.evaluate("""(async () => { const s = document.getElementById('search'); let most = 0;
            for (const word of ['l', 'li', 'lib', 'libg', '']) {
              let best = Infinity;
              for (let i = 0; i < 3; i++) { s.value = ''; s.dispatchEvent(new Event('input')); document.body.offsetHeight;
                const t = performance.now(); s.value = word; s.dispatchEvent(new Event('input')); document.body.offsetHeight;
                best = Math.min(best, performance.now() - t); }
              most = Math.max(most, best); } return most; })()""")
        check(f"a letter typed into the search is answered within 100 ms ({took:.0f} ms)", took < 100, True)
        frames = sorted(browser.evaluate("""(async () => { const frames = []; let last = performance.now();
            for (let i = 0; i < 60; i++) { scrollBy(0, 600); await new Promise(requestAnimationFrame);
              const now = performance.now(); frames.push(now - last); last = now; } return frames; })()"""))
        check(f"scrolling draws nine frames of ten within 200 ms (median {frames[30]:.0f} ms, worst {frames[-1]:.0f} ms)", frames[53] < 200, True)
    check("nothing was loaded beside the page", browser.evaluate("performance.getEntriesByType('resource').map(r => r.name).filter(n => !n.startsWith('data:'))"), [])
    check("no console message, no exception, no request", browser.messages, [])
finally:
    browser.close()

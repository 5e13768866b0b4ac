"use strict";
/* page.js - draws the report. Names in it come from strangers' files and processes: they become text nodes, never HTML, and
 * never keys of plain objects. */
(() => {
  const report = JSON.parse(document.getElementById("report").textContent);
  const totals = report.totals, pageBytes = report.page_bytes || 4096;
  const byId = id => document.getElementById(id);
  const number = n => Math.round(n).toLocaleString("en-US");
  const mib = pages => { const m = pages * pageBytes / 1048576; return (m >= 1024 ? (m / 1024).toFixed(1) + " GiB" : m.toFixed(1) + " MiB"); };
  const plural = (n, word) => number(n) + " " + word + (n === 1 ? "" : word.endsWith("s") ? "es" : "s");
  const part = (n, of) => of ? Math.floor(n * 100 / of) + " %" : "–";
  const fileName = path => path.slice(path.lastIndexOf("/") + 1) || path;

  /* make("td", {className: "x"}, "text", node...) */
  function make(tag, properties, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(properties || {})) {
      if (key.startsWith("data-") || key.startsWith("aria-") || key === "role" || key === "scope") node.setAttribute(key, value);
      else if (key === "background") node.style.background = value;
      else node[key] = value;
    }
    node.append(...children.filter(child => child !== null && child !== undefined).map(child => typeof child === "number" ? number(child) : child));
    return node;
  }

  /* ---- classes: word for people and how they are counted, in the order of every legend ---- */
  const CLASSES = new Map([
    ["file_shared", "file page, shared"], ["file_alone", "file page, one process"],
    ["image_shared", "shared image, several processes"], ["image_alone", "shared image, one process"],
    ["shared_memory_shared", "shared memory, shared"], ["shared_memory_alone", "shared memory, one process"],
    ["fork_shared", "inherited by fork, shared"], ["ksm", "merged by KSM"],
    ["private_relocation", "private: relocation"], ["private_relocation_and_write", "private: relocation and write"],
    ["private_write", "private: write"], ["private_identical", "private: identical to the file"], ["private_unknown", "private: cause unknown"],
    ["bss", ".bss"], ["heap", "heap"], ["stack", "stack"], ["anonymous", "other memory"], ["huge", "huge page"],
    ["swapped", "swapped"], ["swapped_shared", "swapped, shared slot"], ["vdso", "vDSO"], ["inserted", "kernel's (rings)"], ["zero", "zero page"], ["hugetlb", "hugetlb"],
    ["device", "device"], ["absent", "not in memory"]]);
  const CAUSES = [["pages_private_relocation", "private_relocation", "relocation"],
    ["pages_private_relocation_and_write", "private_relocation_and_write", "relocation and write"],
    ["pages_private_write", "private_write", "write"], ["pages_private_identical", "private_identical", "identical"],
    ["pages_private_unknown", "private_unknown", "unknown"]];
  const known = name => CLASSES.has(name) ? name : "private_unknown";
  const variable = name => "var(--" + known(name) + ")";
  const title = name => CLASSES.get(name) || name;
  let colours = new Map();
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    colours = new Map([...CLASSES.keys()].map(name => [name, style.getPropertyValue("--" + name).trim()]));
    for (const name of ["heat", "card", "soft", "ink", "line"]) colours.set(name, style.getPropertyValue("--" + name).trim());
  }

  /* ---- the tip ---- */
  const tip = byId("tip");
  function showTip(event, first, ...lines) {
    tip.replaceChildren(make("b", {}, first), ...lines.filter(Boolean).map(line => make("div", {}, line)));
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    let x = event.clientX + 14, y = event.clientY + 18;
    if (x + box.width > innerWidth - 8) x = Math.max(8, innerWidth - 8 - box.width);
    if (y + box.height > innerHeight - 8) y = Math.max(8, event.clientY - 12 - box.height);
    tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }
  const hideTip = () => { tip.hidden = true; };
  function onPoint(node, show) {
    node.addEventListener("pointermove", show);
    node.addEventListener("pointerdown", show);
    node.addEventListener("pointerleave", hideTip);
  }
  addEventListener("scroll", hideTip, { passive: true });

  /* ---- head ---- */
  function drawHead() {
    const what = report.scope === "all" ? "pages" : "pages of programs and libraries";
    byId("headline").textContent = `${plural(totals.processes, "process")} map${totals.processes === 1 ? "s" : ""} ${number(totals.pages_mapped)} ${what} in ${number(totals.frames)} physical pages.`;
    byId("saved").replaceChildren(make("b", {}, `${number(totals.page_copies_avoided)} page copies avoided`), `: ${mib(totals.page_copies_avoided)} saved by sharing.`);
    byId("when").textContent = report.time ? report.time.replace("T", " ").replace(/\.\d+Z$/, " UTC") : "";
    document.title = `ldr pages: ${plural(totals.processes, "process")}`;
    const limits = [["unreadable", "process", "left out: page tables not readable"], ["unexamined", "process", "could not be asked for the linker"],
      ["unopened", "process", "left out for want of descriptors or memory"],
      ["missing", "process", "named, but not there"], ["vanished", "process", "ended meanwhile"], ["unstable", "page", "still changed at the last reading"],
      ["headers_unread", "object", "whose program headers could not be read"], ["memory_unreadable", "process", "whose memory may not be read: causes unknown"],
      ["files_unexplained", "object", "whose file could not be read: causes unknown"], ["causes_changed", "page", "changed before the comparison with the file"],
      ["counts_differ", "process", "of which the kernel counts other pages"], ["markers", "page", "in swap or only a marker"],
      ["identity_unsure", "object", "that may be one file under several devices"], ["swap_unnamed", "page", "in swap, whose slots only frame numbers show"], ["merged_unknown", "kernel", "with KSM, whose merged pages may not be seen"]]
      .filter(([key]) => report[key] > 0);
    if (!report.exact || limits.length) {
      byId("limits").hidden = false;
      byId("limits").append(make("b", {}, report.exact ? "Complete and exact, but:" : "Not complete or not exact"),
        make("ul", {}, ...limits.map(([key, word, text]) => make("li", { "data-limit": key }, `${plural(Number(report[key]), word)} ${text}`))));
    }
    const tiles = [["mapped", "pages_mapped", "Mapped", mib(totals.pages_mapped)], ["frames", "frames", "Physical pages", mib(totals.frames) + " used"],
      ["shared", "frames_shared", "Shared", part(totals.frames_shared, totals.frames) + " of physical pages"],
      ["alone", "frames_alone", "Alone", "file pages of one process"],
      ["private", "pages_private", "Private copies", mib(totals.pages_private)],
      ...(totals.frames_memory ? [["memory", "frames_memory", "Own memory", mib(totals.frames_memory) + ", no file behind it"]] : []), ["avoided", "page_copies_avoided", "Copies avoided", mib(totals.page_copies_avoided) + " saved"]];
    byId("tiles").append(...tiles.map(([, key, name, more]) => make("div", {}, make("dt", {}, name), make("dd", { "data-total": key }, number(totals[key]), make("small", {}, more)))));
    const method = report.method === "pfn" ? "frame numbers (/proc/PID/pagemap)" : "file identity (no privilege for frame numbers)";
    byId("method").textContent = `Method: ${method}, ${plural(report.readings || 0, "reading")}, ${report.exact ? "exact" : "not complete"}; ` +
      `${(report.elapsed_s || 0).toFixed(3)} s; kernel ${report.kernel}; pages of ${number(pageBytes)} bytes.`;
  }

  function drawWhole() {
    const classes = totals.classes || {};
    const present = [...CLASSES.keys()].filter(name => classes[name] > 0);
    const sum = present.reduce((n, name) => n + classes[name], 0);
    byId("whole").append(...present.map(name => {
      const piece = make("i", { background: variable(name) });
      piece.style.flex = classes[name] + " 1 0";
      onPoint(piece, event => showTip(event, title(name), `${plural(classes[name], "mapped page")}, ${part(classes[name], sum)} of all`));
      return piece;
    }));
    byId("whole").setAttribute("aria-label", "Mapped pages by class: " + present.map(name => `${title(name)} ${number(classes[name])}`).join(", "));
    byId("whole-legend").append(...present.map(name => make("li", { "data-class": name, "data-pages": classes[name] },
      make("i", { background: variable(name) }), title(name) + " ", make("b", {}, classes[name]))));
  }

  /* ---- the page map: per object a canvas, one row of squares or more per segment ---- */
  /* A long stretch that nobody has (memory between the heaps of two processes) is drawn as a short, paler one. */
  const GAP = 2048, GAP_SHOWN = 256;
  const shownPages = run => run[0] === "absent" && run[2] > GAP ? GAP_SHOWN : run[2];
  const GUTTER = 76, ROW_GAP = 5, HEIGHT_MAX = 190;
  const mapped = report.objects.some(object => (object.segments || []).some(segment => Array.isArray(segment.map)));

  /* Where the squares are: as large as fits into the height, each segment from a new row on. */
  function layOut(item, width) {
    const room = width - GUTTER;
    for (const size of [10, 8, 7, 6, 5, 4, 3, 2]) {
      const columns = Math.max(1, Math.floor(room / size));
      let rows = 0;
      for (const segment of item.segments) rows += Math.max(Math.ceil(segment.squares / columns), Math.ceil(12 / size));
      const height = rows * size + (item.segments.length - 1) * ROW_GAP;
      if (height <= HEIGHT_MAX || size === 2) return { size, columns, gap: size >= 4 ? 1 : 0, height: Math.min(height, 4000) };
    }
  }

  function segmentTops(item, layout) {
    let y = 0;
    return item.segments.map(segment => {
      const top = y;
      y += Math.max(Math.ceil(segment.squares / layout.columns), Math.ceil(12 / layout.size)) * layout.size + ROW_GAP;
      return top;
    });
  }

  function fit(canvas, width, height) {
    const scale = Math.min(devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = height + "px";
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    return context;
  }

  function drawMap(item) {
    const width = item.canvas.clientWidth;
    if (!width) return;
    const layout = item.layout = layOut(item, width), { size, columns, gap } = layout;
    const context = fit(item.canvas, width, layout.height);
    item.tops = segmentTops(item, layout);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "top";
    item.segments.forEach((segment, index) => {
      const top = item.tops[index];
      context.globalAlpha = 1;
      context.fillStyle = colours.get("soft");
      context.fillText(segment.name, 0, top, GUTTER - 8);
      let at = 0;
      for (const run of segment.map) {
        const [name, owners, pages] = run, squares = shownPages(run);
        context.fillStyle = colours.get(known(name));
        /* of pages that can be shared, the more processes the stronger */
        context.globalAlpha = squares < pages ? .45 : name === "file_shared" && item.processes > 2 ? .5 + .5 * Math.min(1, (owners - 1) / (item.processes - 1)) : 1;
        for (let left = squares; left > 0;) {
          const column = at % columns, inRow = Math.min(left, columns - column), y = top + Math.floor(at / columns) * size;
          if (y > layout.height) break; /* counts of a made-up report may be anything */
          if (gap) for (let i = 0; i < inRow; i++) context.fillRect(GUTTER + (column + i) * size, y, size - gap, size - gap);
          else context.fillRect(GUTTER + column * size, y, inRow * size, size);
          at += inRow;
          left -= inRow;
        }
      }
    });
    context.globalAlpha = 1;
    item.drawn = true;
  }

  /* The run of pages under a point, or null. */
  function pageAt(item, event) {
    const box = item.canvas.getBoundingClientRect(), x = event.clientX - box.left - GUTTER, y = event.clientY - box.top;
    if (!item.layout || x < 0) return null;
    const { size, columns } = item.layout, column = Math.floor(x / size);
    let index = item.tops.length - 1;
    while (index > 0 && y < item.tops[index]) index--;
    const segment = item.segments[index];
    let square = Math.floor((y - item.tops[index]) / size) * columns + column, first = 0;
    if (column >= columns || square < 0 || square >= segment.squares) return null;
    for (const run of segment.map) {
      const [name, owners, pages, set] = run;
      if (square < shownPages(run)) return { segment, page: first + square, name, owners, pages, set };
      square -= shownPages(run);
      first += pages;
    }
    return null;
  }

  const shortList = names => names.length > 12 ? names.slice(0, 12).join(", ") + ` and ${names.length - 12} more` : names.join(", ");
  /* Characters that turn the direction of writing would turn the text behind the name, too. */
  const processName = process => `${process.name.replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd")} (${process.pid || (process.pids || [])[0]})`;
  const cut = (text, length) => text.length <= length ? text : text.slice(0, length - 1) + "\u2026";

  function whoHas(found) {
    if (!found.owners) return "no process";
    const copies = found.name.startsWith("private") && found.owners > 1 ? ", each its own copy" : "";
    return plural(found.owners, "process") + copies;
  }

  /* Sets of processes are first, last, first, last...; processes of one name are named together. */
  function ownerNames(found) {
    const set = (report.owner_sets || [])[found.set] || [], groups = new Map();
    for (let i = 0; i + 1 < set.length; i += 2)
      for (let index = set[i]; index <= Math.min(set[i + 1], report.processes.length - 1); index++) {
        const process = report.processes[index];
        groups.set(process.name, [...(groups.get(process.name) || []), String(process.pid || (process.pids || [])[0])]);
      }
    return groups.size ? shortList([...groups].map(([name, pids]) => `${name} (${pids.length > 4 ? number(pids.length) + " of them" : pids.join(", ")})`)) : null;
  }

  const items = [];
  const observer = new IntersectionObserver(entries => {
    for (const entry of entries) {
      const item = items[Number(entry.target.dataset.index)];
      item.visible = entry.isIntersecting;
      if (item.visible && !item.drawn) drawMap(item);
    }
  }, { rootMargin: "300px" });

  function makeObject(object, index) {
    const item = { object, processes: object.processes, lower: object.path.toLowerCase(), drawn: false, visible: false,
      segments: (object.segments || []).filter(segment => Array.isArray(segment.map))
        .map(segment => ({ name: segment.segment, map: segment.map, pages: segment.map.reduce((n, run) => n + run[2], 0),
          squares: segment.map.reduce((n, run) => n + shownPages(run), 0) })) };
    const folder = object.path.slice(0, object.path.length - fileName(object.path).length);
    item.node = make("article", { className: "object", "data-path": object.path, "data-index": index },
      make("h3", {}, fileName(object.path), make("span", {}, folder)),
      make("p", {}, make("b", { "data-count": "processes" }, object.processes), object.processes === 1 ? " process · " : " processes · ",
        make("b", { "data-count": "pages_mapped" }, object.pages_mapped), " mapped in ",
        make("b", { "data-count": "frames" }, object.frames), " physical pages · ", make("b", { "data-count": "frames_shared" }, object.frames_shared), " shared · ",
        make("b", { "data-count": "pages_private" }, object.pages_private), " private · ", ...(object.frames_memory ? [make("b", {}, object.frames_memory), " own memory · "] : []),
        make("b", { "data-count": "page_copies_avoided" }, object.page_copies_avoided),
        ` copies avoided (${mib(object.page_copies_avoided)})`));
    if (item.segments.length) {
      item.canvas = make("canvas", { role: "img", "aria-label": `Pages of ${fileName(object.path)}: ` +
        item.segments.map(segment => `${segment.name} ${plural(segment.pages, "page")}`).join(", ") });
      item.node.append(item.canvas);
      onPoint(item.canvas, event => {
        const found = pageAt(item, event);
        if (!found) return hideTip();
        showTip(event, title(found.name), whoHas(found), ownerNames(found),
          `${fileName(object.path)}, ${found.segment.name}, page ${number(found.page + 1)} of ${number(found.segment.pages)}` +
          (found.pages > 1 ? `; ${number(found.pages)} alike` : ""));
      });
    }
    return item;
  }

  function placeMaps() {
    const width = byId("objects").clientWidth - 30;
    for (const item of items)
      if (item.canvas) {
        item.drawn = false;
        item.canvas.style.height = layOut(item, width).height + "px";
        if (item.visible) drawMap(item);
      }
  }

  function sortObjects() {
    const key = byId("sort").value;
    const order = [...items].sort((a, b) => (key === "path" ? 0 : b.object[key] - a.object[key]) || (fileName(a.object.path) < fileName(b.object.path) ? -1 : 1));
    byId("objects").append(...order.map(item => item.node));
  }

  function drawObjects() {
    report.objects.forEach((object, index) => items.push(makeObject(object, index)));
    sortObjects();
    for (const item of items) if (item.canvas) observer.observe(item.node);
    const seen = new Set(items.flatMap(item => item.segments.flatMap(segment => segment.map.map(run => run[0]))));
    byId("map-legend").append(...[...CLASSES.keys()].filter(name => seen.has(name)).map(name =>
      make("li", {}, make("i", { background: variable(name) }), title(name) + (name === "file_shared" ? " (stronger: by more)" : ""))));
    if (!mapped) byId("map-missing").textContent = "This report was recorded without --map, so only the numbers are here.";
  }

  /* ---- causes ---- */
  const CAUSES_SHOWN = 20;
  let allCauses = false;
  const causeRows = [];
  function drawCauses() {
    const columns = CAUSES.filter(([key]) => key !== "pages_private_unknown" || totals[key] > 0);
    const head = make("tr", {}, make("th", { scope: "col" }, "object"), make("th", { scope: "col", className: "text" }, "segment"),
      ...columns.map(([, name, word]) => make("th", { scope: "col" }, make("span", { className: "swatch", background: variable(name) }), word)),
      make("th", { scope: "col" }, "private"), make("th", { scope: "col", className: "text" }, ""));
    const rows = report.objects.flatMap(object => (object.segments || []).filter(segment => segment.pages_private > 0).map(segment => ({ object, segment })));
    rows.sort((a, b) => b.segment.pages_private - a.segment.pages_private || (a.object.path < b.object.path ? -1 : 1));
    const most = rows.length ? rows[0].segment.pages_private : 1;
    const body = make("tbody");
    for (const { object, segment } of rows) {
      const split = make("div", { className: "split" });
      for (const [key, name] of columns) if (segment[key]) {
        const piece = make("i", { background: variable(name) });
        piece.style.width = segment[key] * 100 / most + "%";
        split.append(piece);
      }
      const row = make("tr", { "data-path": object.path, "data-segment": segment.segment }, make("td", { className: "text", title: object.path }, fileName(object.path)),
        make("td", { className: "text" }, segment.segment),
        ...columns.map(([key]) => make("td", { className: segment[key] ? "" : "zero", "data-count": key }, segment[key])),
        make("td", { "data-count": "pages_private" }, segment.pages_private), make("td", {}, split));
      causeRows.push({ node: row, lower: object.path.toLowerCase() });
      body.append(row);
    }
    const foot = make("tr", {}, make("td", {}, "total"), make("td"), ...columns.map(([key]) => make("td", { "data-total": key }, totals[key])),
      make("td", { "data-total": "pages_private" }, totals.pages_private), make("td"));
    byId("causes").append(make("thead", {}, head), body, make("tfoot", {}, foot));
    byId("more-causes").addEventListener("click", () => { allCauses = !allCauses; filter(); });
  }

  /* ---- who made pages private: drawn when an object is opened, or when something in it was searched for ---- */
  const WHO_SHOWN = 100;
  const whoItems = [];
  const relocationWords = page => (page.types || []).map(type => `${number(type.count)} ${type.type}`).join(", ");
  function whoText(variable) {
    const words = [];
    if (variable.processes_writing > 0) words.push(`written in ${plural(variable.processes_writing, "process")}` +
      ({ same: ", same value", same_place: ", same place", different: ", different values" }[variable.values] || ""));
    if (variable.relocations > 0) words.push(plural(variable.relocations, "relocation"));
    return words.join(" · ");
  }
  /* bdi: a name may turn the direction of writing, but not that of the text behind it */
  function whoPage(page) {
    const causes = CAUSES.map(([key, name, word]) => [page[key.replace("pages_private", "copies")], name, word]).filter(([copies]) => copies > 0);
    const symbols = page.symbols || [], variables = page.variables || [];
    return make("div", { className: "who-page", "data-vaddr": page.vaddr },
      make("p", {}, make("code", {}, page.vaddr), " ", make("bdi", {}, (page.sections || []).join(", ")), ` · ${plural(page.copies, "copy").replace("copys", "copies")}: `,
        ...causes.flatMap(([copies, name, word]) => [make("span", { className: "swatch", background: variable(name) }), `${word} ${number(copies)} `])),
      page.relocations > 0 ? make("p", {}, plural(page.relocations, "relocation"), " (", make("bdi", {}, relocationWords(page)), ")",
        symbols.length ? ": " : "", make("bdi", {}, symbols.join(", ")), page.symbols_left_out > 0 ? ` and ${number(page.symbols_left_out)} more` : "") : null,
      make("ul", {}, ...variables.map(entry => make("li", {}, make("b", {}, entry.name),
        entry.type ? make("code", {}, ` ${entry.type}`) : null, entry.file ? " " : null, entry.file ? make("bdi", {}, `${fileName(entry.file)}:${entry.line}`) : null, ` — ${whoText(entry)}`,
        (entry.members || []).length ? make("small", {}, " ", make("bdi", {}, entry.members.join(" ")), (entry.members_left_out > 0 ? ` and ${number(entry.members_left_out)} more` : "")) : null)),
        page.variables_left_out > 0 ? make("li", { className: "note" }, `and ${number(page.variables_left_out)} more`) : null));
  }
  function makeWho(object) {
    const pages = object.pages || [], names = object.names || {};
    const item = { object, lower: object.path.toLowerCase(), body: make("div"), rows: pages.map(page => ({ page, lower: [page.vaddr, ...(page.sections || []),
      ...(page.symbols || []), ...(page.variables || []).map(entry => `${entry.name} ${entry.type} ${entry.file}`)].join("\n").toLowerCase() })) };
    const by = { dwarf: "names, types and lines from debug information", symbol: "names from the symbol table (no debug information: no types and lines)",
      section: "no names: neither debug information nor symbols" }[names.by] || "";
    item.count = make("span", {});
    item.node = make("details", { className: "object", "data-path": object.path },
      make("summary", {}, make("b", {}, fileName(object.path)), " ", make("span", { "data-copies": object.copies }, number(object.copies)),
        ` private copies of ${plural(object.pages_private || pages.length, "page")} `, item.count),
      make("p", { className: "note" }, by, make("bdi", {}, names.problem ? `; ${names.problem}` : "")), item.body);
    item.node.addEventListener("toggle", () => { if (item.node.open) drawWho(item); });
    return item;
  }
  function drawWho(item) {
    const rows = item.found || item.rows, left = (item.found ? 0 : (item.object.pages_private || 0) - item.rows.length) + Math.max(0, rows.length - WHO_SHOWN);
    item.body.replaceChildren(...rows.slice(0, WHO_SHOWN).map(row => whoPage(row.page)));
    if (left > 0) item.body.append(make("p", { className: "note" }, `and ${plural(left, "page")} more: ldr pages --why=${fileName(item.object.path)}`));
  }
  function drawWhoList() {
    const why = report.why || {}, objects = why.objects || [];
    if (!objects.length) return;
    byId("who-part").hidden = false;
    byId("who-note").textContent = `The relocations on each page, and the variables that they and the writes lie in. ` +
      (why.objects_left_out > 0 ? `These are the ${number(objects.length)} objects with most private copies; of ${plural(why.objects_left_out, "object")} more ` +
        `the command ldr pages --why=OBJECT tells it. ` : "") + `Of each at most ${plural(why.pages_most || WHO_SHOWN, "page")}, those first where most could be won.`;
    for (const object of objects) whoItems.push(makeWho(object));
    byId("who").append(...whoItems.map(item => item.node));
  }
  /* Objects whose path fits with all their pages; of the others the pages that name what was searched for. */
  function filterWho(wanted) {
    for (const item of whoItems) {
      const all = !wanted || item.lower.includes(wanted);
      item.found = all ? null : item.rows.filter(row => row.lower.includes(wanted));
      item.node.hidden = !all && !item.found.length;
      item.count.textContent = item.found ? `· ${plural(item.found.length, "page")} found` : "";
      if (item.found && item.found.length) item.node.open = item.opened = true;
      else if (item.opened) item.node.open = item.opened = false; /* not what a person opened */
      if (item.node.open && !item.node.hidden) drawWho(item);
    }
  }

  /* ---- what could be won ---- */
  const WON_NAMED = 5;
  function drawWon() {
    const list = byId("won"), sets = ((report.savings || {}).if_duplicates_one || {}).sets || [];
    const line = (key, words, ...more) => list.append(make("li", {}, make("b", { "data-total": key }, totals[key]), ` ${words} (${mib(totals[key])})`, ...more));
    if (totals.pages_from_images > 0)
      line("pages_from_images", `pages of RELRO and data come from images of the linker's cache, relocated once for all; ${number(totals.page_copies_avoided_images)} copies less for that`);
    if (totals.pages_won_relocated > 0) {
      const most = report.objects.filter(object => object.pages_won_relocated > 0).sort((a, b) => b.pages_won_relocated - a.pages_won_relocated);
      line("pages_won_relocated", "copies less, if relocated pages with equal content were shared",
        ": " + most.slice(0, WON_NAMED).map(object => `${fileName(object.path)} ${number(object.pages_won_relocated)}`).join(", ") + (most.length > WON_NAMED ? ", ..." : ""));
    }
    if (totals.pages_won_duplicates > 0) {
      const twice = make("ul", {}, ...sets.filter(set => set.pages > 0).slice(0, WON_NAMED).map(set =>
        make("li", { "data-pages": set.pages }, `${number(set.pages)}: ` + (set.files || []).map(file => file.path).join(" and "))));
      line("pages_won_duplicates", "pages less, if files of the same build-id were one file", twice);
    }
    byId("won-head").hidden = list.hidden = !list.children.length;
  }

  /* ---- histogram ---- */
  function drawHistogram() {
    const bars = report.histogram || [];
    if (!bars.length) return void (byId("histogram-section").hidden = true);
    const most = Math.max(...bars.map(bar => bar.frames)), numbers = bars.length <= 24, last = bars[bars.length - 1].owners;
    byId("histogram").append(...bars.map(bar => {
      const column = make("div", { className: bar.owners === 1 ? "one" : "", "data-owners": bar.owners, "data-frames": bar.frames, role: "img",
        "aria-label": `${plural(bar.frames, "physical page")} of ${plural(bar.owners, "process")}` });
      const block = make("i");
      block.style.height = `calc((100% - 2.6rem) * ${bar.frames / most})`;
      column.append(make("span", {}, numbers ? number(bar.frames) : ""), block,
        make("span", {}, numbers || bar.owners === 1 || bar.owners === last || bar.owners % 10 === 0 ? String(bar.owners) : ""));
      onPoint(column, event => showTip(event, `${plural(bar.frames, "physical page")} (${mib(bar.frames)})`, `each in ${plural(bar.owners, "process")}`,
        bar.owners > 1 ? `${number(bar.frames * (bar.owners - 1))} copies avoided or more` : null));
      return column;
    }));
    byId("histogram-note").textContent = "Each column: physical pages that so many processes have. Height is the number of pages.";
  }

  /* ---- matrix: processes of one program side by side, so that they show as one block ---- */
  const matrixName = (matrix, i) => report.processes[matrix.owners[i]] ? processName(report.processes[matrix.owners[i]]) : "?";
  function matrixOrder(matrix) {
    const key = i => (report.processes[matrix.owners[i]] || { name: "" }).name;
    return matrix.owners.map((owner, i) => i).sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b);
  }
  function drawMatrix() {
    const matrix = report.matrix, canvas = byId("matrix"), count = matrix && matrix.owners ? matrix.owners.length : 0;
    if (count < 2) return void (byId("matrix-section").hidden = true);
    const order = matrixOrder(matrix), names = order.map(i => matrixName(matrix, i));
    const labels = count <= 40, gutter = labels ? Math.min(150, 20 + 7 * Math.max(...names.map(name => name.length))) : 0;
    const size = Math.max(2, Math.min(26, Math.floor((Math.min(620, innerWidth - 40) - gutter) / count)));
    const width = gutter + size * count, height = size * count;
    canvas.style.width = width + "px";
    const context = fit(canvas, width, height);
    let most = 1;
    matrix.shared_frames.forEach((row, i) => row.forEach((n, j) => { if (i !== j && n > most) most = n; }));
    context.clearRect(0, 0, width, height);
    context.font = `${Math.min(12, size)}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    order.forEach((from, i) => {
      if (labels && size >= 8) {
        context.fillStyle = colours.get("soft");
        context.fillText(cut(names[i], 24), 0, i * size + size / 2, gutter - 6);
      }
      order.forEach((to, j) => {
        const n = matrix.shared_frames[from][to];
        context.fillStyle = i === j ? colours.get("line") : `rgb(${colours.get("heat")} / ${(.06 + .94 * n / most).toFixed(3)})`;
        context.fillRect(gutter + j * size, i * size, size - (size > 6 ? 1 : 0), size - (size > 6 ? 1 : 0));
      });
    });
    canvas.setAttribute("aria-label", `Matrix of ${count} processes; the pairs with most in common are listed beside it`);
    canvas.onpointermove = canvas.onpointerdown = event => {
      const box = canvas.getBoundingClientRect(), j = Math.floor((event.clientX - box.left - gutter) / size), i = Math.floor((event.clientY - box.top) / size);
      if (i < 0 || j < 0 || i >= count || j >= count) return hideTip();
      const n = matrix.shared_frames[order[i]][order[j]];
      if (i === j) showTip(event, names[i], `${plural(n, "physical page")} (${mib(n)})`);
      else showTip(event, `${number(n)} physical pages in common (${mib(n)})`, names[i], names[j]);
    };
    canvas.onpointerleave = hideTip;
  }
  function drawPairs() {
    const matrix = report.matrix;
    if (!matrix || !matrix.owners) return;
    const pairs = [];
    matrix.shared_frames.forEach((row, i) => row.forEach((n, j) => { if (j > i && n) pairs.push([n, i, j]); }));
    pairs.sort((a, b) => b[0] - a[0]);
    byId("pairs").append(...pairs.slice(0, 10).map(([n, i, j]) =>
      make("li", {}, `${matrixName(matrix, i)} and ${matrixName(matrix, j)}: ${number(n)} (${mib(n)})`)));
  }

  /* ---- processes ---- */
  const processColumns = [["pid", "PID"], ["name", "name"], ["pages_mapped", "mapped"], ["frames", "physical pages"], ["frames_shared", "shared"],
    ["frames_alone", "alone"], ["pages_private", "private"], ["rss_pages", "RSS pages"], ["swap_pages", "swap pages"],
    ["page_table_kib", "page tables KiB"], ["minor_faults", "minor faults"], ["major_faults", "major faults"]];
  let processRows = [];
  function drawProcesses() {
    const columns = processColumns.filter(([key]) => key === "pid" || report.processes.some(process => process[key] !== undefined));
    const value = (process, key) => key === "pid" ? process.pid || (process.pids || [0])[0] : process[key];
    const body = make("tbody"), heads = [];
    processRows = report.processes.map(process => ({ process, lower: `${process.name} ${(process.pids || []).join(" ")}`.toLowerCase(),
      node: make("tr", { "data-pid": value(process, "pid") }, ...columns.map(([key]) => key === "name" ? make("td", { className: "text" }, process.name) :
        make("td", { "data-count": key }, key === "pid" ? String(value(process, key)) : value(process, key)))) }));
    const head = make("tr", {}, ...columns.map(([key, word]) => {
      const button = make("button", { type: "button" }, word), cell = make("th", { scope: "col", className: key === "name" ? "text" : "" }, button);
      heads.push(cell);
      button.addEventListener("click", () => {
        const up = cell.getAttribute("aria-sort") === "descending" || (!cell.hasAttribute("aria-sort") && (key === "name" || key === "pid"));
        heads.forEach(other => other.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", up ? "ascending" : "descending");
        processRows.sort((a, b) => {
          const x = value(a.process, key), y = value(b.process, key);
          return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
        });
        body.append(...processRows.map(row => row.node));
      });
      return cell;
    }));
    body.append(...processRows.map(row => row.node));
    byId("processes").append(make("thead", {}, head), body);
  }

  /* ---- search: objects by path, processes by name or PID ---- */
  function filter() {
    const wanted = byId("search").value.trim().toLowerCase();
    const matches = entry => !wanted || entry.lower.includes(wanted);
    let objects = 0, processes = 0, causes = 0;
    for (const item of items) {
      item.node.hidden = !matches(item);
      objects += !item.node.hidden;
    }
    for (const row of causeRows) {
      const fits = matches(row);
      causes += fits;
      row.node.hidden = !fits || (!allCauses && causes > CAUSES_SHOWN);
    }
    for (const row of processRows) {
      row.node.hidden = !matches(row);
      processes += !row.node.hidden;
    }
    byId("object-count").textContent = wanted ? `${number(objects)} of ${plural(items.length, "object")}` : plural(items.length, "object");
    byId("process-count").textContent = wanted ? `${number(processes)} of ${plural(processRows.length, "process")}` : plural(processRows.length, "process");
    byId("more-causes").hidden = causes <= CAUSES_SHOWN;
    byId("more-causes").textContent = allCauses ? "Show fewer" : `Show all ${number(causes)}`;
    filterWho(wanted);
    hideTip();
  }

  readColours();
  drawHead();
  drawWhole();
  drawObjects();
  drawCauses();
  drawWhoList();
  drawWon();
  drawHistogram();
  drawMatrix();
  drawPairs();
  drawProcesses();
  filter();
  placeMaps();
  byId("search").addEventListener("input", filter);
  byId("sort").addEventListener("change", sortObjects);
  addEventListener("keydown", event => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      byId("search").focus();
    } else if (event.key === "Escape") {
      if (document.activeElement === byId("search")) { byId("search").value = ""; filter(); }
      hideTip();
    }
  });
  let width = innerWidth, waiting = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return; /* a phone's address bar comes and goes */
    width = innerWidth;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { placeMaps(); drawMatrix(); });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); placeMaps(); drawMatrix(); });
})();

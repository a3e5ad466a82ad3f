// Which model answers next: the button in the composer and the sheet behind it. `choose` opens the
// same sheet for another purpose. What narrows the list is filters.js; what a row says of a model's
// state is state.js.
Parley.picker = (() => {
  const { act, el, icon, avatar, put, attr, fill, rows, live, remember, filters } = Parley;
  const RECENT = 5; // models shown under that heading
  const PAGE = 6;   // rows that PageUp and PageDown go
  const made = new Map(); // rows by model, so that a search that is taken back builds nothing anew
  let button, sheet, title, options, search, none, onPick, current = null, cursor = null, shown = [], purpose = null, stars = new Set(), first = { liked: [], last: [] };

  function start(parts) {
    ({ button, sheet, onPick } = parts);
    title = sheet.querySelector("h2");
    options = sheet.querySelector(".options");
    none = sheet.querySelector(".none");
    search = sheet.querySelector("input");
    filters.start({ bar: sheet.querySelector(".filters"), onChange: changed, afterClear: () => search.focus() });
    search.addEventListener("input", changed);
    sheet.addEventListener("keydown", key);
    // A button or a link in a row does its own work; everywhere else a click picks.
    options.addEventListener("click", e => { const row = e.target.closest(".row"); if (row && !e.target.closest("button, a")) pick(row.dataset.key); });
    options.addEventListener("mousemove", e => { const row = e.target.closest(".row"); if (row && row.dataset.key !== cursor) { cursor = row.dataset.key; mark(); } });
    sheet.addEventListener("click", e => { if (e.target === sheet) sheet.close(); });
    act("star", node => star(node.closest(".row").dataset.key));
  }
  const touch = () => matchMedia("(hover: none) and (pointer: coarse)").matches;

  // -- opening and picking --
  function open() { show_sheet(null); }
  // Pick a model for one purpose; the one that answers next stays. `chosen` is marked, if given.
  function choose({ title: text, onPick: then, chosen = null }) { show_sheet({ text, then, chosen }); }
  function show_sheet(why) {
    purpose = why;
    put(title, why ? why.text : LABELS.PICKER_TITLE);
    first = { liked: list("favourites"), last: list("recent") };
    search.value = ""; cursor = marked(); draw();
    sheet.showModal();
    // On a touch screen the keyboard would cover what is to be chosen from.
    if (touch()) options.focus({ preventScroll: true }); else search.focus();
    mark(true);
    live.look();
  }
  const marked = () => purpose ? purpose.chosen : current;
  function pick(id) {
    const why = purpose, before = current;
    sheet.close();
    if (why) { used(id); why.then(id); return; }
    if (id === current) return;
    used(before, id);
    onPick(id);
  }

  // -- what this person likes and used last --
  const list = name => { const kept = remember.get(name); return Array.isArray(kept) ? kept : []; };
  // The last given comes first.
  const used = (...ids) => remember.set("recent", ids.reduce((all, id) => [id, ...all.filter(i => i !== id)], list("recent")).slice(0, 3 * RECENT));
  // The row stays where it is until the sheet is opened again: nothing jumps away under a hand.
  function star(id) {
    const liked = list("favourites"), on = liked.includes(id);
    remember.set("favourites", on ? liked.filter(i => i !== id) : [...liked, id]);
    draw();
    put(sheet.querySelector(".heard"), fill(on ? LABELS.UNSTARRED : LABELS.STARRED, { model: Parley.byId(id).name }));
  }

  // -- keys --
  function key(e) {
    const command = e.ctrlKey || e.metaKey, at = shown.findIndex(m => m.id === cursor);
    if (command && Parley.letter(e, "d")) { e.preventDefault(); if (shown[at]) star(cursor); return; }
    if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); sheet.close(); return; }
    if (command || e.shiftKey || e.altKey || e.target.matches("select")) return;
    const last = shown.length - 1;
    const to = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, Home: 0, End: last, PageDown: Math.min(at + PAGE, last), PageUp: Math.max(at - PAGE, 0) }[e.key];
    if (to !== undefined) { e.preventDefault(); search.focus(); move(to, true); }
    else if (e.key === "Enter" && !e.isComposing && !e.target.matches("button, a")) { e.preventDefault(); if (shown[at]) pick(cursor); }
  }
  function move(index, scroll) { cursor = shown[index]?.id ?? null; mark(scroll); }

  // -- the list --
  function changed() { draw(); move(0, false); options.scrollTop = 0; }
  function draw() {
    const focused = document.activeElement;
    stars = new Set(list("favourites"));
    for (const id of made.keys()) if (!Parley.byId(id)) made.delete(id);
    const found = filters.match(Parley.models, search.value), groups = grouped(found);
    shown = groups.flatMap(g => g.models);
    rows(options, groups, g => g.key, section, (node, g) => node.set(g));
    own();
    filters.draw(Parley.models, found, !!search.value.trim());
    nothing();
    if (focused !== search && options.contains(focused) && !focused.checkVisibility()) search.focus();
    mark();
  }
  // A model stands in one section only: the first of them that it belongs to.
  function grouped(found) {
    const rest = new Map(found.map(m => [m.id, m])), groups = [];
    const take = (ids, most) => ids.map(id => rest.get(id)).filter(Boolean).slice(0, most).filter(m => rest.delete(m.id));
    const liked = take(first.liked), last = take(first.last, RECENT);
    if (liked.length) groups.push({ key: "liked", title: LABELS.FAVOURITES, models: liked });
    if (last.length) groups.push({ key: "recent", title: LABELS.RECENT, models: last });
    const families = new Map();
    for (const m of rest.values()) families.set(m.family, [...(families.get(m.family) || []), m]);
    let heading = groups.length ? LABELS.OTHER_MODELS : LABELS.ALL_MODELS;
    for (const [family, models] of families) {
      groups.push({ key: "family " + family, title: heading, family: families.size > 1 || family ? family || LABELS.NO_FAMILY : "", models });
      heading = "";
    }
    return groups;
  }
  function section(g) {
    const heading = el("h3", { id: "section-" + Parley.token() }), family = el("h4", { id: "family-" + Parley.token() }), inside = el("div", { role: "none" });
    const node = el("div", { class: "section", "data-names": `${heading.id} ${family.id}` }, heading, family, inside);
    node.set = ({ title, family: name = "", models }) => {
      put(heading, title); heading.hidden = !title;
      put(family, name); family.hidden = !name;
      rows(inside, models, m => m.id, m => made.get(m.id) || made.set(m.id, row(m)).get(m.id), (one, m) => one.set(m));
    };
    return node;
  }
  // A list box may hold nothing but options: it owns those alone, not what stands between them.
  function own() {
    const owner = sheet.querySelector(".owner"), groups = [...options.children].map(node => ({ names: node.dataset.names, ids: [...node.querySelectorAll(".option")].map(o => o.id).join(" ") }));
    rows(owner, groups, g => g.names, g => el("div", { role: "group", "aria-labelledby": g.names }), (node, g) => attr(node, "aria-owns", g.ids));
  }
  function nothing() {
    none.hidden = shown.length > 0;
    if (!none.hidden) none.replaceChildren(el("span", {}, LABELS.NO_MODEL), ...filters.ways(Parley.models, search.value, () => { search.value = ""; changed(); search.focus(); })
      .map(way => { const node = el("button", { type: "button", class: "plain" }, `${way.label} (${way.count})`); node.addEventListener("click", () => { way.run(); search.focus(); }); return node; }));
  }
  function row(model) {
    const parts = live.parts(), name = el("span", { class: "name" }), text = el("span", { class: "text" }), chips = el("span", { class: "chips" });
    const below = el("div", { class: "below" }, parts.why, parts.bar, parts.button);
    // Not a stop for Tab, of which there would be one per model: Ctrl+D does it.
    const starred = el("button", { type: "button", class: "star", "data-act": "star", tabindex: -1 }, icon("star"));
    // What can be pressed stands beside the option, not in it: an option's inside is mere text.
    const node = el("div", { class: "row", role: "none" },
      el("div", { class: "option", role: "option", id: "option-" + model.id },
        avatar(model), name, el("span", { class: "state" }, parts.dot, parts.word), text, chips, parts.facts),
      starred, below);
    let drawn = null, checked = null;
    node.set = m => {
      const liked = stars.has(m.id);
      if (drawn !== m) { drawn = m; text.textContent = m.description; chips.replaceChildren(...m.chips.slice(0, 5).map(c => el("span", { class: "chip" + (c.open ? " open" : "") }, c.text))); checked = null; }
      if (checked !== (m.id === marked())) { checked = m.id === marked(); name.replaceChildren(el("span", {}, m.name), ...(checked ? [icon("check")] : [])); }
      attr(starred, "aria-pressed", String(liked));
      attr(starred, "aria-label", fill(LABELS.STAR, { model: m.name }));
      attr(starred, "title", liked ? LABELS.STAR_OFF : LABELS.STAR_ON);
      parts.set(m);
      parts.dot.hidden = m.state === "cold";
      parts.button.hidden = !live.coming(m) && m.state !== "failed";
      below.hidden = parts.button.hidden && parts.why.hidden;
      below.classList.toggle("lone", parts.bar.hidden && parts.why.hidden);
      node.classList.toggle("cannot", live.cannot(m));
    };
    return node;
  }
  function mark(scroll = false) {
    let on = null;
    for (const node of options.querySelectorAll(".row")) {
      const here = node.dataset.key === cursor;
      node.classList.toggle("on", here);
      attr(node.firstChild, "aria-selected", String(here));
      if (here) on = node;
    }
    attr(search, "aria-activedescendant", on ? on.firstChild.id : null);
    // The first row is shown with its heading.
    if (on && scroll) (cursor === shown[0]?.id ? on.closest(".section") : on).scrollIntoView({ block: "nearest" });
  }

  // -- the button in the composer --
  function show(id) {
    current = id;
    const model = Parley.byId(id);
    if (!model) return;
    // Short: the card and the sheet say the rest.
    const how = model.progress !== null ? `${Math.floor(model.progress * 100)} %` : model.status.split(" · ")[0];
    const now = live.coming(model) ? how : live.settled(model) ? "" : live.word(model);
    put(button.querySelector(".name"), model.name);
    put(button.querySelector(".now"), now);
    live.dot(button.querySelector(".dot"), model);
    attr(button, "aria-label", `${LABELS.PICKER}: ${model.name}${live.word(model) ? ", " + live.word(model) : ""}`);
    attr(button, "title", `${model.name}: ${model.state === "cold" ? LABELS.LOADS_FIRST : model.error ? model.error.sentence : model.status}`);
  }
  return { start, open, choose, show, close: () => sheet.close(), refresh() { show(current); if (sheet.open) draw(); }, get current() { return current; }, get isOpen() { return sheet.open; } };
})();

// Which model answers next: the button in the composer and the sheet behind it.
Parley.picker = (() => {
  const { el, icon, avatar, put, attr, rows, live } = Parley;
  let button, sheet, options, search, none, onPick, current = null, cursor = null, shown = [];

  function start(parts) {
    ({ button, sheet, onPick } = parts);
    options = sheet.querySelector(".options");
    none = sheet.querySelector(".none");
    search = sheet.querySelector("input");
    search.addEventListener("input", () => { draw(); move(0, true); });
    search.addEventListener("keydown", key);
    // A button or a link in a row does its own work; everywhere else a click picks.
    options.addEventListener("click", e => { const row = e.target.closest(".row"); if (row && !e.target.closest("button, a")) pick(row.dataset.key); });
    options.addEventListener("mousemove", e => { const row = e.target.closest(".row"); if (row && row.dataset.key !== cursor) { cursor = row.dataset.key; mark(); } });
    sheet.addEventListener("click", e => { if (e.target === sheet) sheet.close(); });
  }
  function key(e) {
    const at = shown.findIndex(m => m.id === cursor);
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); move((at + (e.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length), true); }
    else if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); sheet.close(); }
    else if (e.key === "Enter" && !e.isComposing) { e.preventDefault(); if (shown[at]) pick(shown[at].id); }
  }
  function move(index, scroll) { cursor = shown[index]?.id ?? null; mark(scroll); }
  function pick(id) { sheet.close(); if (id !== current) onPick(id); }
  function open() {
    search.value = ""; cursor = current; options.replaceChildren(); draw();
    sheet.showModal(); search.focus(); mark(true);
    live.look();
  }
  const words = m => [m.name, m.id, m.description, m.family, m.developer, m.license, ...m.languages, ...m.tasks].join(" ").toLowerCase();
  function draw() {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean), focused = document.activeElement;
    shown = Parley.models.filter(m => asked.every(w => words(m).includes(w)));
    rows(options, shown, m => m.id, row, (node, model) => node.set(model));
    none.hidden = shown.length > 0;
    if (focused !== search && options.contains(focused) && !focused.checkVisibility()) search.focus();
    mark();
  }
  function row(model) {
    const parts = live.parts(), name = el("span", { class: "name" }), text = el("span", { class: "text" }), chips = el("span", { class: "chips" });
    const below = el("div", { class: "below" }, parts.why, parts.bar, parts.button);
    // What can be pressed stands beside the option, not in it: an option's inside is mere text.
    const node = el("div", { class: "row", role: "none" },
      el("div", { class: "option", role: "option", id: "option-" + model.id },
        avatar(model), name, el("span", { class: "state" }, parts.dot, parts.word), text, chips, parts.facts),
      below);
    let drawn = null, checked = null;
    node.set = m => {
      if (drawn !== m) { drawn = m; text.textContent = m.description; chips.replaceChildren(...m.chips.slice(0, 5).map(c => el("span", { class: "chip" + (c.open ? " open" : "") }, c.text))); checked = null; }
      if (checked !== (m.id === current)) { checked = m.id === current; name.replaceChildren(el("span", {}, m.name), ...(checked ? [icon("check")] : [])); }
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
    for (const node of options.children) {
      const here = node.dataset.key === cursor;
      node.classList.toggle("on", here);
      attr(node.firstChild, "aria-selected", String(here));
      if (here) on = node;
    }
    attr(search, "aria-activedescendant", on ? on.firstChild.id : null);
    if (on && scroll) on.scrollIntoView({ block: "nearest" });
  }
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
    attr(button, "title", `${model.name}: ${model.state === "cold" ? "loads with the first message" : model.error ? model.error.sentence : model.status}`);
  }
  return { start, open, show, close: () => sheet.close(), refresh() { show(current); if (sheet.open) draw(); }, get current() { return current; }, get isOpen() { return sheet.open; } };
})();

// Which model answers next: the button in the composer and the sheet behind it.
Parley.picker = (() => {
  const { el, icon, avatar } = Parley;
  let button, sheet, options, search, onPick, current = null, cursor = 0, shown = [];

  function start(parts) {
    ({ button, sheet, onPick } = parts);
    options = sheet.querySelector(".options");
    search = sheet.querySelector("input");
    search.addEventListener("input", () => { cursor = 0; draw(); });
    search.addEventListener("keydown", key);
    options.addEventListener("click", e => { const row = e.target.closest(".option"); if (row) pick(row.dataset.id); });
    options.addEventListener("mousemove", e => { const row = e.target.closest(".option"); if (row && +row.dataset.index !== cursor) { cursor = +row.dataset.index; mark(); } });
    sheet.addEventListener("click", e => { if (e.target === sheet) sheet.close(); });
  }
  function key(e) {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); cursor = (cursor + (e.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length); mark(true); }
    else if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); sheet.close(); }
    else if (e.key === "Enter" && !e.isComposing) { e.preventDefault(); if (shown[cursor]) pick(shown[cursor].id); }
  }
  function pick(id) { sheet.close(); if (id !== current) onPick(id); }
  function open() {
    search.value = ""; draw(); cursor = Math.max(0, shown.findIndex(m => m.id === current)); draw();
    sheet.showModal(); search.focus(); mark(true);
  }
  const words = m => [m.name, m.id, m.description, m.family, m.developer, m.license, ...m.languages, ...m.tasks].join(" ").toLowerCase();
  const STATE = { ready: "ready", loading: "loading", cold: "" };
  function draw() {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = Parley.models.filter(m => asked.every(w => words(m).includes(w)));
    options.replaceChildren(...(shown.length ? shown.map(row) : [el("p", { class: "none" }, "No model matches.")]));
    mark();
  }
  function row(model, index) {
    return el("div", { class: "option", role: "option", id: "option-" + index, "data-id": model.id, "data-index": index },
      avatar(model),
      el("span", { class: "name" }, model.name, model.id === current ? icon("check") : null),
      el("span", { class: "state" }, model.state === "cold" ? null : el("span", { class: "dot " + model.state }), STATE[model.state] || ""),
      el("span", { class: "text" }, model.description),
      el("span", { class: "chips" }, ...model.chips.slice(0, 5).map(c => el("span", { class: "chip" + (c.open ? " open" : "") }, c.text))));
  }
  function mark(scroll = false) {
    for (const node of options.querySelectorAll(".option")) {
      const on = +node.dataset.index === cursor;
      node.setAttribute("aria-selected", on);
      if (on) { search.setAttribute("aria-activedescendant", node.id); if (scroll) node.scrollIntoView({ block: "nearest" }); }
    }
  }
  function show(id) {
    current = id;
    const model = Parley.byId(id);
    if (!model) return;
    button.querySelector(".name").textContent = model.name;
    button.querySelector(".dot").className = "dot " + model.state;
    button.title = `${model.name}: ${model.state === "cold" ? "loads with the first message" : model.state}`;
  }
  return { start, open, show, close: () => sheet.close(), refresh() { show(current); if (sheet.open) draw(); }, get current() { return current; }, get isOpen() { return sheet.open; } };
})();

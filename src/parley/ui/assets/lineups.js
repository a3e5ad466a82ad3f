// Line-ups: named sets of columns, kept in this browser, and links that open one.
(() => {
  const { act, el, fill, remember } = Parley;
  const LONGEST = 60; // characters of a name
  let sheet = null;

  const all = () => { const kept = remember.get("lineups"); return Array.isArray(kept) ? kept : []; };
  const now = () => Parley.compare.columns.map(c => ({ model: c.model, settings: c.settings }));
  const named = lineup => lineup.columns.map(c => Parley.byId(c.model)?.name || c.model).join(" · ");

  act("lineups", node => Parley.menu.open(node, [
    ...all().map(lineup => ({ icon: "columns", text: lineup.name, items: [
      { icon: "go", text: LABELS.LINEUP_USE, run: () => use(lineup) },
      { icon: "trash", text: LABELS.DELETE, bad: true, run: () => drop(lineup) },
    ] })),
    { icon: "plus", text: LABELS.LINEUP_SAVE, run: save },
    { icon: "link", text: LABELS.LINEUP_LINK, run: link },
  ]));

  function use(lineup) {
    const columns = lineup.columns.filter(c => Parley.byId(c.model));
    if (columns.length < lineup.columns.length) Parley.toast(LABELS.LINEUP_GONE);
    Parley.compare.fresh(columns);
  }
  function drop(lineup) {
    const before = all();
    remember.set("lineups", before.filter(l => l.id !== lineup.id));
    Parley.toast(fill(LABELS.PRESET_DELETED, { name: lineup.name }), { action: () => remember.set("lineups", before) });
  }
  function save() {
    const columns = now(), input = el("input", { type: "text", maxlength: LONGEST, "aria-label": LABELS.LINEUP_NAME, autocomplete: "off", dir: "auto" });
    input.value = named({ columns }).slice(0, LONGEST);
    sheet?.remove();
    const form = el("form", { class: "naming" }, el("label", {}, el("span", {}, LABELS.LINEUP_NAME), input), el("div", { class: "do" }, el("span", { class: "grow" }), el("button", { type: "submit", class: "primary" }, LABELS.SAVE)));
    form.addEventListener("submit", e => {
      e.preventDefault();
      const name = input.value.trim();
      if (!name) { input.focus(); return; }
      // The same name is the same line-up, as it is now.
      remember.set("lineups", [...all().filter(l => l.name !== name), { id: Parley.token(), name, columns }]);
      sheet.close();
      Parley.toast(fill(LABELS.LINEUP_SAVED, { name }));
    });
    sheet = Parley.sheets.make("lineup", LABELS.LINEUP_SAVE, [form]);
    sheet.showModal();
    input.select();
  }
  // What has been written and not sent goes along.
  async function link() {
    const asked = new URLSearchParams({ models: now().map(c => c.model).join(",") }), text = document.querySelector(".parley .composer textarea").value.trim();
    if (text) asked.set("prompt", text);
    await Parley.copy(`${location.origin}${location.pathname}?${asked}`);
    Parley.toast(LABELS.LINK_COPIED);
  }
})();

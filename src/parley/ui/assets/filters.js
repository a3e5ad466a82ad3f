// What narrows the picker's list: the words of a search and the filters below it. Filters add up, are
// kept in this browser, and when nothing is left each says what would be there without it. Knows
// nothing of rows or of what a pick is for.
Parley.filters = (() => {
  const { el, attr, put, fill, remember } = Parley;
  const BILLION = 1e9;
  // Above the first number of parameters, up to the second.
  const SIZES = [[0, 1, LABELS.SIZE_TINY], [1, 4, LABELS.SIZE_SMALL], [4, 10, LABELS.SIZE_MIDDLE], [10, Infinity, LABELS.SIZE_LARGE]];
  const CAN_FIT = new Set(["loaded", "fits", "unload", "busy", "pinned"]);
  const SWITCHES = [
    { key: "fits", label: LABELS.FILTER_FITS, test: m => CAN_FIT.has(m.fit?.kind) },
    { key: "permissive", label: LABELS.FILTER_PERMISSIVE, title: LABELS.FILTER_PERMISSIVE_MORE, test: m => m.permissive },
    { key: "open_data", label: LABELS.FILTER_OPEN_DATA, title: LABELS.FILTER_OPEN_DATA_MORE, test: m => m.open_data },
  ];
  const CHOICES = [
    { key: "domain", label: LABELS.FILTER_DOMAIN, of: m => m.domain ? [m.domain] : [], name: value => value },
    // A model that speaks pt-BR speaks pt.
    { key: "language", label: LABELS.FILTER_LANGUAGE, of: m => [...new Set(m.languages.map(l => l.split("-")[0]))], name: languageName },
  ];
  let bar, count, clearButton, chips, selects, chosen = {}, changed;

  function languageName(code) {
    try { return new Intl.DisplayNames([LANGUAGE], { type: "language" }).of(code); } catch { return code; }
  }

  // `bar` holds the filters, `status` says how many are left; `onChange` draws the list again.
  function start(parts) {
    ({ bar, onChange: changed } = parts);
    const kept = remember.get("filters") || {};
    for (const { key } of SWITCHES) chosen[key] = kept[key] === true;
    for (const { key } of CHOICES) chosen[key] = typeof kept[key] === "string" ? kept[key] : "";
    chosen.sizes = SIZES.map((_, i) => Array.isArray(kept.sizes) && kept.sizes[i] === true);
    chips = [
      ...SWITCHES.slice(0, 1).map(chip),
      ...SIZES.map((size, i) => ({ node: toggle(size[2], null, () => { chosen.sizes[i] = !chosen.sizes[i]; }), on: () => chosen.sizes[i], test: m => within(m, size) })),
      ...SWITCHES.slice(1).map(chip),
    ];
    selects = CHOICES.map(choice => {
      const node = el("select", { "aria-label": choice.label });
      node.addEventListener("change", () => { chosen[choice.key] = node.value; keep(); });
      return { ...choice, node };
    });
    count = el("span", { role: "status" });
    clearButton = el("button", { type: "button", class: "clear" }, LABELS.FILTER_CLEAR);
    clearButton.addEventListener("click", () => { clear(); parts.afterClear(); });
    bar.append(el("div", { class: "set" }, ...chips.map(c => c.node), ...selects.map(s => s.node)), el("div", { class: "count" }, count, clearButton));
  }
  const chip = s => ({ node: toggle(s.label, s.title, () => { chosen[s.key] = !chosen[s.key]; }), on: () => chosen[s.key], test: s.test });
  function toggle(label, title, run) {
    const node = el("button", { type: "button", class: "filter", title: title || null, "aria-pressed": "false" }, label);
    node.addEventListener("click", () => { run(); keep(); });
    return node;
  }
  function keep() { remember.set("filters", active().length ? chosen : null); changed(); }
  function clear() {
    for (const f of active()) f.lift();
    keep();
  }
  const within = (model, [above, most]) => model.parameters > above * BILLION && model.parameters <= most * BILLION;

  // The filters that are on, each with what it keeps and how to lift it.
  function active() {
    const on = SWITCHES.filter(s => chosen[s.key]).map(s => ({ label: s.label, test: s.test, lift: () => { chosen[s.key] = false; } }));
    const sizes = SIZES.filter((_, i) => chosen.sizes[i]);
    if (sizes.length) on.push({ label: sizes.map(s => s[2]).join(", "), test: m => sizes.some(size => within(m, size)), lift: () => { chosen.sizes = SIZES.map(() => false); } });
    for (const choice of CHOICES) {
      const value = chosen[choice.key];
      if (value) on.push({ label: `${choice.label}: ${choice.name(value)}`, test: m => choice.of(m).includes(value), lift: () => { chosen[choice.key] = ""; } });
    }
    return on;
  }

  // -- searching --
  const words = text => text.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const texts = new WeakMap();
  // Everything a model can be found by; its name also without gaps, so that "qwen25" finds Qwen2.5.
  function textOf(m) {
    if (!texts.has(m)) {
      const name = words(m.name + " " + m.id);
      texts.set(m, [name, name.replaceAll(" ", ""), words([m.description, m.family, m.developer, m.license, ...m.languages, ...m.tasks].join(" "))].join(" "));
    }
    return texts.get(m);
  }
  const split = search => words(search).split(" ").filter(Boolean);
  const left = (models, asked, on) => models.filter(m => asked.every(word => textOf(m).includes(word)) && on.every(f => f.test(m)));
  const match = (models, search) => left(models, split(search), active());
  // What to lift, one thing at a time, so that something is found; how much then is. `forget` empties
  // the search.
  function ways(models, search, forget) {
    const on = active(), asked = split(search);
    const found = on.map(f => ({ label: fill(LABELS.FILTER_LIFT, { name: f.label }), count: left(models, asked, on.filter(o => o !== f)).length, run: () => { f.lift(); keep(); } }));
    if (asked.length) found.push({ label: LABELS.FILTER_LIFT_SEARCH, count: left(models, [], on).length, run: forget });
    const help = found.filter(way => way.count);
    return help.length || found.length < 2 ? help : [{ label: LABELS.FILTER_CLEAR, count: models.length, run: () => { clear(); forget(); } }];
  }

  // -- drawing --
  function draw(models, found, searching) {
    for (const { node, on, test } of chips) {
      attr(node, "aria-pressed", String(on()));
      // What would find nothing in this catalogue is no help; what is on must be there to be lifted.
      node.hidden = !on() && !models.some(test);
    }
    for (const choice of selects) options(choice, models);
    const on = active().length > 0;
    put(count, on || searching ? fill(LABELS.FILTER_COUNT, { found: found.length, all: models.length }) : fill(LABELS.FILTER_ALL, { all: models.length }));
    clearButton.hidden = !on;
  }
  function options({ key, label, of, name, node }, models) {
    const values = [...new Set([...models.flatMap(of), ...(chosen[key] ? [chosen[key]] : [])])].map(value => [value, name(value)]).sort((a, b) => a[1].localeCompare(b[1]));
    const made = JSON.stringify(values);
    if (node.made !== made) { node.made = made; node.replaceChildren(el("option", { value: "" }, label), ...values.map(([value, text]) => el("option", { value }, text))); }
    if (node.value !== chosen[key]) node.value = chosen[key];
    node.classList.toggle("on", !!chosen[key]);
    node.hidden = values.length < 2 && !chosen[key];
  }
  return { start, match, ways, draw, clear };
})();

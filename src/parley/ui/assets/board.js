// The leaderboard: what people's votes say of the models, how sure that is, and which votes count.
// Asked again every few seconds while it is seen. What is on it is drawn in standings.js.
(() => {
  const { act, el, icon, attr, put, fill, number, remember } = Parley;
  const AGAIN = 4000; // ms between two looks
  const CATEGORIES = Parley.blind.categories;
  // Choices whose options never change; the first option is no limit.
  const CHOICES = [
    { key: "whose", label: LABELS.BOARD_WHOSE, options: [["", LABELS.BOARD_ALL], ["mine", LABELS.BOARD_MINE]], has: f => f.mine },
    { key: "mode", label: LABELS.BOARD_MODE, options: [["", LABELS.BOARD_BLIND], ["open", LABELS.BOARD_OPEN], ["all", LABELS.BOARD_BLIND_OPEN]], has: f => f.open },
    { key: "judge", label: LABELS.BOARD_JUDGE, options: [["", LABELS.BOARD_HUMAN], ["model", LABELS.BOARD_MODEL], ["all", LABELS.BOARD_HUMAN_MODEL]], has: f => f.judged },
    { key: "days", label: LABELS.BOARD_SINCE, options: [["", LABELS.BOARD_EVER], ["1", LABELS.BOARD_DAY], ["7", LABELS.BOARD_WEEK], ["30", LABELS.BOARD_MONTH]], has: () => true },
  ];
  const SWITCHES = [
    { key: "style", label: LABELS.BOARD_STYLE, title: LABELS.BOARD_STYLE_WHAT },
    { key: "drop_ties", label: LABELS.BOARD_NO_TIES, title: LABELS.BOARD_NO_TIES_WHAT },
    { key: "only_here", label: LABELS.BOARD_ONLY_HERE, title: LABELS.BOARD_ONLY_HERE_WHAT, has: f => f.imported },
  ];
  let root = null, parts, chosen = {}, version = null, timer = 0, asking = 0;

  Parley.stage.add("board", { heading: LABELS.BOARD, open, close: () => clearInterval(timer) });
  act("board-export", node => Parley.menu.open(node, [["jsonl", LABELS.JSONL], ["csv", LABELS.CSV]].map(([format, text]) => ({ text, run: () => save(format) }))));
  act("board-import", () => parts.file.click());
  act("board-clear", () => { chosen = {}; keep(); });

  function make() {
    root = document.querySelector('.parley .stage-view[data-stage="board"]');
    const kept = remember.get("board");
    if (kept && typeof kept === "object") chosen = kept;
    const file = el("input", { type: "file", accept: ".jsonl,.json,.ndjson,application/json", hidden: true, tabindex: "-1", "aria-label": LABELS.BOARD_IMPORT });
    file.addEventListener("change", () => { if (file.files[0]) bring(file.files[0]); file.value = ""; });
    const select = (key, label) => {
      const node = el("select", { "aria-label": label });
      node.addEventListener("change", () => { chosen[key] = node.value; keep(); });
      return node;
    };
    const category = select("category", LABELS.CATEGORY), language = select("language", LABELS.FILTER_LANGUAGE);
    const choices = CHOICES.map(choice => ({ ...choice, node: select(choice.key, choice.label) }));
    for (const { node, options } of choices) options_of(node, options);
    const switches = SWITCHES.map(one => {
      const node = el("button", { type: "button", class: "filter", title: one.title, "aria-pressed": "false" }, one.label);
      node.addEventListener("click", () => { chosen[one.key] = !chosen[one.key]; keep(); });
      return { ...one, node };
    });
    const clear = el("button", { type: "button", class: "clear", "data-act": "board-clear" }, LABELS.FILTER_CLEAR);
    parts = {
      file, category, language, choices, switches, clear,
      lead: el("p", { class: "lead", role: "status" }),
      news: el("div", { class: "news", role: "status", hidden: true }),
      filters: el("div", { class: "filters", role: "group", "aria-label": LABELS.FILTERS }, el("div", { class: "set" }, category, language, ...choices.map(c => c.node), ...switches.map(s => s.node), clear)),
      found: el("div", { class: "found" }),
    };
    root.replaceChildren(el("div", { class: "board" },
      el("div", { class: "intro" }, parts.lead, el("div", { class: "do" },
        el("button", { type: "button", class: "plain", "data-act": "board-import" }, icon("share"), LABELS.BOARD_IMPORT),
        el("button", { type: "button", class: "plain", "data-act": "board-export", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("fetch"), LABELS.EXPORT), file)),
      parts.filters, parts.news, parts.found));
  }
  function options_of(node, options) {
    const had = node.value;
    node.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
    node.value = had;
    if (node.selectedIndex < 0) node.selectedIndex = 0;
  }

  function open() {
    if (!root) make();
    Parley.stage.show("board");
    parts.news.hidden = true;
    version = null;
    clearInterval(timer);
    timer = setInterval(() => { if (document.visibilityState === "visible") refresh(); }, AGAIN);
    return refresh();
  }
  function keep() {
    remember.set("board", Object.values(chosen).some(Boolean) ? chosen : null);
    version = null;
    refresh();
  }
  async function refresh() {
    const mine = ++asking, first = version === null;
    const found = await Parley.ask("board", {
      has: version, category: chosen.category || null, language: chosen.language || null, mine: chosen.whose === "mine", mode: chosen.mode || "blind",
      judge: chosen.judge || "human", days: +chosen.days || null, imported: !chosen.only_here, style: !!chosen.style, drop_ties: !!chosen.drop_ties,
    }).catch(() => null);
    // Another filter was set meanwhile.
    if (mine !== asking) return;
    if (!found || found.error) { if (first) put(parts.lead, found ? `${found.error.sentence} ${found.error.fix}` : LABELS.NO_SERVER); return; }
    if (found.same) return;
    version = found.version;
    draw(found);
  }

  function draw(found) {
    const { facets } = found, left = [...root.querySelectorAll(".scrolls")].map(node => node.scrollLeft);
    options_of(parts.category, [["", LABELS.BOARD_CATEGORIES], ...Object.entries(CATEGORIES).filter(([key]) => facets.categories[key] || chosen.category === key)]);
    options_of(parts.language, [["", LABELS.BOARD_LANGUAGES], ...[...new Set([...Object.keys(facets.languages), chosen.language].filter(Boolean))].map(code => [code, speech(code)])]);
    for (const [key, node] of [["category", parts.category], ["language", parts.language], ...parts.choices.map(c => [c.key, c.node])]) { node.value = chosen[key] || ""; node.classList.toggle("on", !!chosen[key]); }
    for (const { key, node, has } of parts.choices) node.hidden = !has(facets) && !chosen[key];
    for (const { key, node, has } of parts.switches) { node.hidden = !!has && !has(facets) && !chosen[key]; attr(node, "aria-pressed", String(!!chosen[key])); }
    const limited = ["category", "language", "only_here", ...CHOICES.map(c => c.key)].some(key => chosen[key]);
    parts.clear.hidden = !limited;
    parts.filters.hidden = !found.all;
    root.querySelector("[data-act=board-export]").hidden = !found.all;
    put(parts.lead, !found.all ? LABELS.BOARD_LEAD : found.counts.ballots === found.all ? Parley.sheets.count(found.all, LABELS.BOARD_VOTE_ONE, LABELS.BOARD_VOTE_MANY) : fill(LABELS.BOARD_VOTES_OF, { count: number(found.counts.ballots), all: number(found.all) }));
    parts.found.replaceChildren(...(found.groups.length ? Parley.standings.draw(found) : [empty(found)]));
    root.querySelectorAll(".scrolls").forEach((node, i) => { node.scrollLeft = left[i] || 0; });
  }
  function speech(code) {
    if (code === "other") return LABELS.BOARD_LANGUAGE_OTHER;
    try { return new Intl.DisplayNames([LANGUAGE], { type: "language" }).of(code); } catch { return code; }
  }
  function empty(found) {
    const none = !found.all;
    return el("div", { class: "empty" }, icon("board"), el("h2", {}, none ? LABELS.BOARD_EMPTY : LABELS.BOARD_NONE), el("p", {}, none ? LABELS.BOARD_EMPTY_WHAT : LABELS.BOARD_NONE_WHAT),
      none ? el("button", { type: "button", class: "primary", "data-act": "room", "data-room": "blind" }, LABELS.BOARD_BEGIN) : el("button", { type: "button", class: "plain", "data-act": "board-clear" }, LABELS.FILTER_CLEAR));
  }

  // -- in and out --
  async function save(format) {
    const found = await Parley.ask("export_votes", { format }).catch(() => null);
    if (!Parley.toast.failed(found)) Parley.download(found);
  }
  async function bring(file) {
    say([fill(LABELS.IMPORTING, { name: file.name })]);
    const found = await file.text().then(text => Parley.ask("import_votes", { text })).catch(() => ({ error: { sentence: LABELS.NO_SERVER, fix: "" } }));
    if (found.error) { say([`${found.error.sentence} ${found.error.fix}`.trim()], true); return; }
    const known = found.known ? " " + fill(LABELS.BOARD_KNOWN, { count: number(found.known) }) : "";
    const more = found.bad - found.problems.length;
    say([Parley.sheets.count(found.new, LABELS.BOARD_BROUGHT_ONE, LABELS.BOARD_BROUGHT_MANY) + known, ...found.problems, more > 0 && fill(LABELS.BOARD_MORE_BAD, { count: number(more) })].filter(Boolean), found.bad > 0);
    await refresh();
  }
  function say(lines, bad = false) {
    parts.news.replaceChildren(...lines.map(line => el("p", {}, line)));
    parts.news.classList.toggle("bad", bad);
    parts.news.hidden = false;
  }
})();

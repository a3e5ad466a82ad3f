// The same prompt to two, three or four models at once. A comparison is its columns; each of them goes
// its own way and can be taken on as a chat. What is looked at across the columns is across.js, what is
// special about a blind round is blind.js.
Parley.compare = (() => {
  const { el, icon, act, put, attr, fill, remember } = Parley;
  const FEWEST = 2, MOST = 4;
  let id = null, title = "", cols = [], together = null, wide = null, tab = 0, sync = false, following = null;
  let root, box, said, ear, buttons, lost, sent, section, bar, note, tabs, place, tray;

  function start(parts) {
    ({ root, box, said, ear, buttons, lost, sent } = parts);
    section = root.querySelector(".compare");
    bar = el("div", { class: "tools", role: "toolbar", "aria-label": LABELS.COMPARE },
      tool("plus", LABELS.ADD_COLUMN, "add-column", { "aria-haspopup": "dialog" }), tool("columns", LABELS.LINEUPS, "lineups", { "aria-haspopup": "menu", "aria-expanded": "false" }), el("span", { class: "grow" }),
      tool("go", LABELS.SYNC_SCROLL, "sync-scroll", { "aria-pressed": "false" }), tool("diff", LABELS.WORD_DIFF, "word-diff", { "aria-pressed": "false" }),
      tool("cross", LABELS.CROSS_READING, "cross-read", { "aria-haspopup": "dialog" }), tool("copy", LABELS.COPY_TABLE, "copy-table"));
    note = el("p", { class: "turns-note", role: "status", hidden: true });
    tabs = el("div", { class: "tabs", role: "tablist", "aria-label": LABELS.COLUMNS });
    place = el("div", { class: "cols" });
    tray = el("div", { class: "tray" });
    section.append(bar, note, tabs, place, tray);
    Parley.stage.add("compare", { open: () => fresh(), close: leave });
    acts();
    tabs.addEventListener("keydown", e => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key], all = shown();
      if (step) { e.preventDefault(); turnTo((tab + step + all.length) % all.length); tabs.children[tab]?.focus(); }
    });
    place.addEventListener("scroll", follow, { capture: true, passive: true });
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) place.addEventListener(kind, e => { following = e.target.closest(".col"); }, { capture: true, passive: true });
  }
  const tool = (picture, text, name, more = {}) => el("button", { type: "button", class: "tool", "data-act": name, title: text, ...more }, icon(picture), el("span", {}, text));
  const shown = () => cols.filter(c => !c.hidden);
  const of = node => node.closest(".col").column;

  // -- which columns --
  // A new comparison of these models, not kept anywhere before the first message.
  function fresh(wanted = null) {
    const lineup = (wanted || remember.get("lineup") || []).filter(w => Parley.byId(w.model)).slice(0, MOST);
    for (const model of ready()) if (lineup.length < FEWEST && !lineup.some(l => l.model === model.id)) lineup.push({ model: model.id });
    while (lineup.length < FEWEST) lineup.push({ model: Parley.picker.current });
    reset();
    for (const { model, settings = Parley.settings.changes(model) } of lineup) insert({ model, settings });
    enter();
    box.focus();
  }
  // Those that are in memory first, then those that would fit.
  const ready = () => [Parley.byId(Parley.picker.current), ...Parley.models.filter(m => m.state === "ready" || m.state === "answering"), ...Parley.models.filter(m => !Parley.live.cannot(m))].filter(Boolean);

  // One that is kept, as the server sent it.
  function show(found) {
    reset();
    ({ id, title, together } = found);
    for (const column of found.columns) insert(column);
    enter();
    cols.forEach((col, i) => col.open(found.columns[i]));
    Parley.blind.opened(found);
  }
  function reset() {
    for (const col of cols) drop(col);
    cols = []; id = null; title = ""; together = null; wide = null; tab = 0;
    place.classList.remove("focus");
    Parley.blind.reset(); Parley.across.reset();
    said("");
  }
  function insert(column, at = cols.length) {
    const col = Parley.makeColumn(api, column);
    cols.splice(at, 0, col);
    place.insertBefore(col.element, place.children[at] || null);
    col.element.classList.toggle("blind", !!col.side);
    return col;
  }
  function drop(col) { Parley.talks.drop(col.talk); col.element.remove(); }
  function enter() {
    Parley.stage.show("compare", id, id ? "c" : Parley.blind.on ? "blind" : "compare");
    root.querySelector(".top .title").textContent = title || (Parley.blind.on ? LABELS.BLIND : LABELS.COMPARE);
    Parley.history.mark(id);
    arrange(); fits(); buttons();
  }
  function leave() { for (const col of cols) drop(col); cols = []; id = null; Parley.blind.reset(); Parley.across.reset(); }

  async function add(model, like = null) {
    if (cols.length >= MOST) { Parley.toast(LABELS.COLUMNS_FULL); return; }
    const settings = Parley.settings.changes(model);
    if (!id) { insert({ model, settings }); arrange(); fits(); rememberLineup(); return; }
    const found = await Parley.ask("add_column", { chat: id, model, ...Parley.settings.parted(settings), like }).catch(() => null);
    if (Parley.toast.failed(found)) return;
    const column = found.comparison.columns.at(-1), col = insert(column);
    ({ together } = found.comparison);
    arrange(); rememberLineup();
    col.open(column);
  }
  async function remove(col) {
    if (cols.length <= FEWEST) { Parley.toast(LABELS.COLUMNS_FEW); return; }
    const at = cols.indexOf(col), kept = col.kept(), key = id;
    if (id) {
      const found = await Parley.ask("remove_column", { chat: id, column: col.chat }).catch(() => null);
      if (Parley.toast.failed(found)) return;
      ({ together } = found.comparison);
    }
    drop(col);
    cols.splice(at, 1);
    if (wide === col) wide = null;
    arrange(); fits(); rememberLineup();
    Parley.toast(fill(LABELS.COLUMN_REMOVED, { model: col.name() }), { action: async () => {
      if (!key) { insert(kept, at); arrange(); fits(); return; }
      const found = await Parley.ask("restore_column", { chat: key, column: kept, place: at }).catch(() => null);
      if (!Parley.toast.failed(found) && id === key) show(found.comparison);
    } });
  }
  function replace(col, model) {
    if (col.talk.turn.current) col.talk.turn.stop();
    col.model = model; col.settings = Parley.settings.changes(model);
    col.draw(); keep(); arrange(); fits(); rememberLineup();
  }
  const keep = () => id && Parley.ask("change_columns", { chat: id, columns: cols.filter(c => !c.side).map(c => c.kept()) }).then(Parley.toast.failed, () => Parley.toast.failed(null));
  const rememberLineup = () => { if (!Parley.blind.on) remember.set("lineup", cols.map(c => ({ model: c.model, settings: c.settings }))); };
  async function fits() {
    const models = shown().map(c => c.model).filter(Boolean);
    const found = models.length > 1 ? await Parley.ask("fit_together", { models }).catch(() => null) : null;
    together = found && !found.error ? found.together : together;
    turns();
  }
  // Whose turn it is, where they cannot be in memory together.
  function turns() {
    note.hidden = together !== false || Parley.blind.on;
    if (note.hidden) return;
    const busy = shown().filter(c => c.talk.turn.current), waiting = busy.filter(c => c.last()?.waits_for === "place"), at = busy.filter(c => !waiting.includes(c));
    put(note, LABELS.ONE_BY_ONE + (busy.length && at.length ? " " + fill(LABELS.WHOSE_TURN, { models: at.map(c => c.name()).join(", "), count: waiting.length }) : ""));
  }

  // -- what is seen --
  function arrange() {
    const all = shown();
    if (tab >= all.length) tab = 0;
    place.style.setProperty("--count", Math.max(1, all.length));
    cols.forEach(c => { c.element.hidden = c.hidden; c.element.classList.toggle("wide", c === wide); c.element.classList.toggle("now", all[tab] === c); c.draw(); });
    place.classList.toggle("focus", !!wide);
    tabs.replaceChildren(...all.map((c, i) => el("button", { type: "button", role: "tab", "aria-selected": String(i === tab), tabindex: i === tab ? "0" : "-1", onclick: () => turnTo(i) }, c.name())));
    const away = cols.filter(c => c.hidden);
    tray.querySelector(".away")?.remove();
    if (away.length) tray.prepend(el("div", { class: "away" }, ...away.map(c => el("button", { type: "button", class: "plain", onclick: () => { c.hidden = false; arrange(); keep(); } }, fill(LABELS.COLUMN_SHOW, { model: c.name() })))));
    attr(bar.querySelector("[data-act=add-column]"), "aria-disabled", cols.length >= MOST ? "true" : null);
    bar.hidden = Parley.blind.on;
    measured();
  }
  function turnTo(index) { tab = index; arrange(); }
  function measured() {
    const all = shown(), figures = all.map(c => c.figures());
    const most = Parley.columns.most(figures);
    for (const col of all) col.drawFigures(most);
  }
  // Scrolled together by the part of the way that has been gone: answers differ in length.
  function follow(e) {
    const col = e.target.closest?.(".col");
    if (!sync || !col || col !== following || !e.target.classList.contains("scroll")) return;
    const span = e.target.scrollHeight - e.target.clientHeight, way = span > 0 ? e.target.scrollTop / span : 0;
    for (const other of shown()) if (other.element !== col) other.scroller.scrollTop = way * (other.scroller.scrollHeight - other.scroller.clientHeight);
  }

  // -- asking --
  const busy = () => cols.some(c => c.talk.turn.current);
  const stop = () => { for (const col of cols) if (col.talk.turn.current) col.talk.turn.stop(); };
  async function submit() {
    const text = Parley.attach.whole(box.value);
    if (!text.trim()) return;
    if (busy()) { said(LABELS.WAIT_FOR_ANSWER); return; }
    if (Parley.attach.reading) { said(fill(LABELS.FILE_STILL_READING, { name: Parley.attach.reading })); return; }
    if (!id && !(await begin())) return;
    Parley.chats.clearBox();
    Parley.across.reset();
    for (const col of cols) col.talk.turn.send({ text });
  }
  // The draft stays in the box where this fails.
  async function begin() {
    const found = await Parley.ask(Parley.blind.on ? "begin_round" : "begin_comparison", Parley.blind.on ? Parley.blind.asked() : { columns: cols.map(c => c.kept()) }).catch(() => null);
    if (!found || found.error) { said(found?.error ? `${found.error.sentence} ${found.error.fix}` : LABELS.NO_SERVER); return false; }
    ({ id, together } = found.comparison);
    found.comparison.columns.forEach((column, i) => { cols[i].chat = column.chat; });
    if (found.round) Parley.blind.begun(found.round);
    enter();
    return true;
  }
  function send(col, data) {
    const pipe = Parley.pipes.get(cols.indexOf(col));
    pipe.hears = value => { for (const c of cols) c.talk.turn.arrive(value); };
    pipe.fire(sent({ chat: col.chat, ...(col.side ? { side: col.side, round: Parley.blind.round } : {}), ...data }));
  }
  // A turn has begun in a column: the comparison has a title from now on.
  function begun(col, chat) {
    title ||= chat.title;
    root.querySelector(".top .title").textContent = title;
    Parley.history.touch({ ...chat, id, title, compare: true });
    Parley.history.mark(id);
  }
  async function reopen(col) {
    const found = await Parley.ask("open_comparison", { chat: id }).catch(() => null);
    if (Parley.toast.failed(found)) return;
    const column = found.comparison.columns.find(c => c.chat === col.chat);
    if (column && cols.includes(col)) col.open(column);
  }
  function ended(col, answer) {
    Parley.live.look(); turns(); measured(); Parley.blind.looked();
    put(ear, answer.error ? `${col.name()}: ${answer.error.sentence}` : fill(LABELS.COLUMN_READY, { model: col.name() }));
  }
  const api = {
    send, begun, reopen, ended, measured, get lost() { return lost; },
    changed() { buttons(); turns(); Parley.blind.looked(); }, grown() { turns(); Parley.blind.looked(); },
  };

  // -- what a person does --
  function acts() {
    act("column-model", node => { const col = of(node); Parley.picker.choose({ title: LABELS.COLUMN_CHOOSE, chosen: col.model, onPick: model => replace(col, model) }); });
    act("column-settings", node => { const col = of(node); Parley.settings.show(col.model, { name: col.name(), read: () => col.settings, write(values) { col.settings = values; keep(); rememberLineup(); } }); Parley.page.drawer(true); });
    act("column-stop", node => of(node).stop());
    act("column-end", node => of(node).talk.scroll.end());
    act("column-again", node => { const col = of(node), { unsent } = col; if (unsent) col.talk.turn.send({ text: unsent }); });
    act("column-menu", node => menu(of(node), node));
    act("add-column", () => { if (cols.length < MOST) Parley.picker.choose({ title: LABELS.ADD_COLUMN, onPick: model => add(model) }); });
    act("sync-scroll", node => { sync = !sync; attr(node, "aria-pressed", String(sync)); });
    act("compare-chat", () => { if (Parley.chats.id && !Parley.talks.busy(Parley.chats.talk)) Parley.picker.choose({ title: LABELS.COMPARE_CHAT, onPick: model => cloned(model) }); });
  }
  function menu(col, button) {
    const said = !!col.lastAnswer();
    Parley.menu.open(button, [
      said && id && { icon: "go", text: LABELS.TAKE_ON, run: () => takeOn(col) },
      { icon: "wide", text: col === wide ? LABELS.COLUMN_UNFOCUS : LABELS.COLUMN_FOCUS, run: () => { wide = col === wide ? null : col; arrange(); } },
      shown().length > 1 && { icon: "hide", text: LABELS.COLUMN_HIDE, run: () => { col.hidden = true; if (wide === col) wide = null; arrange(); keep(); } },
      cols.length < MOST && { icon: "columns", text: LABELS.COLUMN_TWIN, run: () => add(col.model, col.chat && said ? col.chat : null) },
      said && { icon: "copy", text: LABELS.COPY_ANSWER, run: async () => { await Parley.copy(col.lastAnswer().text); Parley.toast(LABELS.COPIED); } },
      cols.length > FEWEST && { icon: "trash", text: LABELS.COLUMN_REMOVE, bad: true, run: () => remove(col) },
    ].filter(Boolean));
  }
  async function takeOn(col) {
    const found = await Parley.ask("take_on", { column: col.chat }).catch(() => null);
    if (Parley.toast.failed(found)) return;
    Parley.history.take([found.chat]);
    await Parley.chats.open(found.chat.id);
    if (Parley.byId(col.model)) Parley.page.use(col.model);
  }
  // The chat that is open, with another model beside it.
  async function cloned(model) {
    const like = Parley.chats.id, columns = [Parley.picker.current, model].map(m => ({ model: m, ...Parley.settings.parted(Parley.settings.changes(m)), like }));
    const found = await Parley.ask("begin_comparison", { columns }).catch(() => null);
    if (!Parley.toast.failed(found)) show(found.comparison);
  }

  // What is so has changed: a model came or went.
  const refresh = () => { for (const col of cols) col.draw(); };
  return { start, fresh, show, submit, stop, busy, refresh, shown, enter, insert, reset, get columns() { return cols; }, get id() { return id; }, get tray() { return tray; } };
})();

// One column of a comparison: a conversation with one model, its own settings and its own scrolling.
// Which columns there are is the business of compare.js.
Parley.makeColumn = (room, given) => {
  const { el, icon, avatar, put, attr, fill } = Parley;
  const col = { chat: given.chat || null, model: given.model, settings: Parley.columns.settings(given), hidden: !!given.hidden, side: given.side || null, leaf: given.leaf || null, unsent: "" };

  const who = el("button", { type: "button", class: "pick", "data-act": "column-model", "aria-haspopup": "dialog" });
  const tune = el("button", { type: "button", class: "round", "data-act": "column-settings", "aria-haspopup": "dialog" }, icon("sliders"));
  const menu = el("button", { type: "button", class: "round", "data-act": "column-menu", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("dots"));
  const words = el("span"), again = el("button", { type: "button", class: "plain", "data-act": "column-again" }, LABELS.RETRY);
  const say = el("p", { class: "news", role: "status", hidden: true }, words, again);
  const messages = el("div", { class: "messages" }), spacer = el("div", { class: "spacer", "aria-hidden": "true" });
  const empty = el("div", { class: "blank" });
  const end = el("button", { type: "button", class: "round to-bottom", "data-act": "column-end", "aria-label": LABELS.TO_END, hidden: true }, icon("down"));
  const box = el("div", { class: "scroll", tabindex: "0", role: "region" }, empty, messages, spacer);
  const stop = el("button", { type: "button", class: "plain halt", "data-act": "column-stop", hidden: true }, el("span", { class: "square" }), LABELS.STOP);
  const figures = el("dl", { class: "figures", hidden: true });
  col.element = el("section", { class: "col", role: "group" }, el("header", {}, who, stop, tune, menu), say, box, end, figures);
  col.element.column = col;

  const talk = col.talk = Parley.talks.add({
    element: col.element, messages, lost: room.lost, blind: !!col.side,
    get id() { return col.chat; }, get leaf() { return col.leaf; }, set leaf(to) { col.leaf = to; },
    get model() { return col.model; },
    named: () => col.name(), wishes: model => model === col.model ? Parley.settings.sendable(model, col.settings) : Parley.settings.changes(model),
    trigger: data => room.send(col, data),
    said(text) { put(words, text); say.hidden = !text; again.hidden = !col.unsent; },
    changed() { stop.hidden = !talk.turn?.current; room.changed(col); },
    entered() { col.unsent = ""; draw(); }, begun: chat => room.begun(col, chat),
    heard() { if (words.textContent === LABELS.SLOW) talk.said(""); },
    grown: () => room.grown(col), ended: answer => { measure(); room.ended(col, answer); },
    refused(text) { col.unsent = text; },
    redraw: found => show(found), reopen: () => room.reopen(col),
  }, { box, spacer, button: end });
  col.scroller = box;
  col.stop = () => talk.turn.stop();

  col.seat = () => col.side === "left" ? LABELS.SIDE_A : LABELS.SIDE_B;
  col.name = () => col.side ? col.seat() : Parley.byId(col.model)?.name || col.model;
  col.known = () => col.side ? null : Parley.byId(col.model);

  // The head, and what stands in a column before anything was said.
  function draw() {
    const model = col.known(), name = col.name(), key = [name, model?.state, model?.progress, talk.transcript.size, col.side].join();
    if (col.drawn === key) return;
    col.drawn = key;
    const dot = el("span", { class: "dot" });
    if (model) Parley.live.dot(dot, model);
    who.replaceChildren(model || !col.side ? avatar(model || { name }) : el("span", { class: "avatar seat" }, col.side === "left" ? "A" : "B"), el("span", { class: "name", dir: "auto" }, name), model ? dot : "", col.side ? "" : icon("chevron"));
    who.disabled = !!col.side;
    attr(who, "aria-label", col.side ? name : fill(LABELS.COLUMN_MODEL, { model: name }));
    attr(tune, "aria-label", fill(LABELS.SETTINGS_FOR, { model: name })); attr(menu, "aria-label", fill(LABELS.COLUMN_ACTIONS, { model: name }));
    tune.hidden = menu.hidden = !!col.side;
    attr(col.element, "aria-label", name); attr(box, "aria-label", name);
    empty.hidden = talk.transcript.size > 0;
    if (empty.hidden) return;
    empty.replaceChildren(...(model ? [el("p", {}, model.description), el("div", { class: "chips" }, ...model.chips.slice(0, 5).map(c => el("span", { class: "chip" + (c.open ? " open" : ""), title: c.title }, c.text))), model.fit?.kind === "too_large" ? el("p", { class: "bad" }, model.fit.text) : ""] : [el("p", {}, col.side ? LABELS.BLIND_SEAT : "")]));
  }

  function show(found) {
    talk.turn.leave();
    col.leaf = found.leaf;
    talk.transcript.show(found.messages);
    draw(); measure();
  }
  // From the server: the conversation, and the answer that may still be on its way.
  col.open = found => {
    show(found);
    talk.scroll.end();
    talk.turn.follow(found);
  };
  col.last = () => { const node = talk.transcript.all().at(-1); return node?.classList.contains("assistant") ? node.last : null; };
  col.lastAnswer = () => talk.transcript.all().findLast(n => n.classList.contains("assistant"))?.last || null;

  // What the last answer cost, beside what the others' did.
  function measure() { room.measured(); }
  col.figures = () => talk.turn.current ? null : col.lastAnswer()?.figures || null;
  col.drawFigures = most => {
    const mine = col.figures();
    figures.hidden = !mine;
    if (!mine) return;
    figures.replaceChildren(...Parley.columns.ROWS.filter(row => mine[row.key] !== null && mine[row.key] !== undefined && (row.key !== "load_seconds" || most.load_seconds >= .05)).map(row => {
      const value = mine[row.key], share = most[row.key] ? value / most[row.key] : 0;
      return el("div", { class: row.key }, el("dt", {}, row.label), el("dd", {}, el("i", { class: "share" }, el("b", { style: `width:${Math.max(2, share * 100)}%` })), el("span", {}, row.shown(value))));
    }), mine.ended ? el("div", { class: "ended" }, el("dt", {}, LABELS.FACT_ENDED), el("dd", { title: Parley.columns.ENDED[mine.ended] || mine.ended }, Parley.columns.ENDED[mine.ended] || mine.ended)) : "");
  };
  col.draw = draw;
  col.kept = () => ({ chat: col.chat, model: col.model, ...Parley.settings.parted(col.settings), hidden: col.hidden });
  draw();
  return col;
};

Parley.columns = (() => {
  const digits = (value, places) => value.toLocaleString(LANGUAGE, { maximumFractionDigits: places, minimumFractionDigits: places });
  const time = value => Parley.fill(LABELS.SECONDS, { value: digits(value, value < .1 ? 2 : value < 10 ? 1 : 0) });
  const ROWS = [
    { key: "load_seconds", label: LABELS.FACT_LOAD, shown: time },
    { key: "ttft_seconds", label: LABELS.FACT_FIRST_TOKEN, shown: time },
    { key: "tokens_per_second", label: LABELS.FACT_SPEED, shown: value => Parley.fill(LABELS.TOKENS_A_SECOND, { value: digits(value, value < 10 ? 1 : 0) }) },
    { key: "completion_tokens", label: LABELS.COUNT_TOKENS, shown: value => Parley.number(value) },
    { key: "total_seconds", label: LABELS.FACT_TOTAL, shown: time },
  ];
  const ENDED = { stop: LABELS.BRIEF_STOP, length: LABELS.BRIEF_LENGTH, cancelled: LABELS.BRIEF_CANCELLED, interrupted: LABELS.BRIEF_INTERRUPTED };
  const settings = given => ({ ...given.settings, ...(typeof given.system_prompt === "string" ? { system_prompt: given.system_prompt } : {}) });
  // The largest of each figure, which is what a full bar stands for.
  const most = all => Object.fromEntries(ROWS.map(row => [row.key, Math.max(0, ...all.map(f => f?.[row.key] || 0))]));
  return { ROWS, ENDED, settings, most };
})();

// The streams of the columns: each comes through a component of its own.
Parley.pipes = (() => {
  const pipes = [];
  function add(pipe) {
    pipes.push(pipe);
    pipe.watch("value", () => pipe.hears?.(pipe.value()));
  }
  return { add, get: slot => pipes[slot] };
})();

// A blind round: two models whose names are hidden answer the same prompt, a person says which answer
// is better, and then learns who wrote them.
Parley.blind = (() => {
  const { act, el, icon, attr, put, fill } = Parley;
  const OUTCOMES = [["left", LABELS.VOTE_LEFT, "1"], ["tie", LABELS.VOTE_TIE, "2"], ["right", LABELS.VOTE_RIGHT, "3"], ["both_bad", LABELS.VOTE_BOTH_BAD, "4"]];
  const TAGS = { correct: LABELS.TAG_CORRECT, complete: LABELS.TAG_COMPLETE, clear: LABELS.TAG_CLEAR, creative: LABELS.TAG_CREATIVE, concise: LABELS.TAG_CONCISE, wrong: LABELS.TAG_WRONG, made_up: LABELS.TAG_MADE_UP, superficial: LABELS.TAG_SUPERFICIAL, too_long: LABELS.TAG_TOO_LONG, ignored_instructions: LABELS.TAG_IGNORED, refused: LABELS.TAG_REFUSED };
  const CATEGORIES = { general: LABELS.CATEGORY_GENERAL, writing: LABELS.CATEGORY_WRITING, coding: LABELS.CATEGORY_CODING, maths: LABELS.CATEGORY_MATHS, reasoning: LABELS.CATEGORY_REASONING, knowledge: LABELS.CATEGORY_KNOWLEDGE, translation: LABELS.CATEGORY_TRANSLATION, other: LABELS.CATEGORY_OTHER };
  let on = false, round = null, category = "general", since = null, panel = null, openVote = null, sending = false;

  Parley.stage.add("blind", { open: () => fresh() });
  document.addEventListener("keydown", e => {
    if (!on || Parley.stage.now !== "compare" || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, dialog, [popover]")) return;
    const outcome = OUTCOMES.find(o => o[2] === e.key);
    if (outcome && panel?.voting && !panel.voting.classList.contains("early")) { e.preventDefault(); vote(outcome[0]); }
  });
  act("vote", node => vote(node.dataset.outcome));
  act("give-up", () => giveUp());
  act("next-round", () => fresh());

  function fresh() {
    Parley.compare.reset();
    on = true;
    for (const side of ["left", "right"]) Parley.compare.insert({ model: "", side });
    Parley.compare.enter();
    draw();
    document.querySelector(".parley .composer textarea").focus();
  }
  // Two whose names are known, and both have answered: a vote that is kept and does not rank.
  function offer() {
    const two = Parley.compare.shown(), ready = !on && !panel && Parley.compare.id && two.length === 2 && Parley.compare.columns.length === 2 && two[0].model !== two[1].model && !Parley.compare.busy() && both();
    const key = ready ? two.map(c => c.lastAnswer().id).join() : null;
    if (openVote?.key === key) return;
    openVote?.remove();
    openVote = null;
    if (!ready) return;
    const word = ([name, text]) => name === "left" ? fill(LABELS.VOTE_FOR, { model: two[0].name() }) : name === "right" ? fill(LABELS.VOTE_FOR, { model: two[1].name() }) : text;
    openVote = el("div", { class: "open-vote", role: "group", "aria-label": LABELS.VOTE }, ...OUTCOMES.map(o => el("button", { type: "button", class: "plain", onclick: async () => {
      const found = await Parley.ask("vote_open", { chat: Parley.compare.id, outcome: o[0] }).catch(() => null);
      if (!Parley.toast.failed(found)) openVote.replaceChildren(el("span", { role: "status" }, fill(LABELS.VOTED_OPEN, { outcome: word(o) })));
    } }, word(o))));
    openVote.key = key;
    Parley.compare.tray.append(openVote);
  }
  function reset() { openVote?.remove(); openVote = null; on = false; round = null; since = null; sending = false; panel?.remove(); panel = null; }
  // `among` narrows a round to some models, as a line-up does.
  const asked = () => ({ category, models: api.among });
  function begun(id) { round = id; draw(); }
  // A kept comparison was opened: it may be a round that was left before the vote.
  async function opened(found) {
    offer();
    on = found.columns.some(c => c.side);
    if (!on) return;
    Parley.compare.enter();
    const told = await Parley.ask("round_of", { chat: found.id }).catch(() => null);
    if (Parley.compare.id !== found.id || !told || told.error) return;
    round = told.round;
    draw();
  }

  // Both have said something: from now on there is something to judge.
  const both = () => Parley.compare.columns.length === 2 && Parley.compare.columns.every(c => { const last = c.lastAnswer(); return last && !last.error && (last.text || last.blocks?.length || last.tail); });
  function looked() {
    offer();
    if (!on || !panel?.voting) return;
    const early = !round || !both();
    if (!early) since ??= performance.now();
    panel.voting.classList.toggle("early", early);
    for (const button of panel.voting.querySelectorAll(".outcome")) attr(button, "aria-disabled", early ? "true" : null);
    put(panel.voting.querySelector(".soft"), early ? round ? LABELS.VOTE_WAIT : LABELS.BLIND_WHAT : LABELS.VOTE_NOW);
    panel.voting.querySelector("[data-act=give-up]").hidden = !round;
  }

  // -- before the vote --
  function draw() {
    panel?.remove();
    const kind = el("select", { "aria-label": LABELS.CATEGORY }, ...Object.entries(CATEGORIES).map(([value, text]) => el("option", { value }, text)));
    kind.value = category;
    kind.addEventListener("change", () => { category = kind.value; });
    const tags = el("div", { class: "tags", role: "group", "aria-label": LABELS.VOTE_WHY }, ...Object.entries(TAGS).map(([value, text]) => el("label", { class: "chip" }, el("input", { type: "checkbox", value }), el("span", {}, text))));
    const comment = el("input", { type: "text", maxlength: 2000, placeholder: LABELS.FEEDBACK_NOTE, "aria-label": LABELS.FEEDBACK_NOTE, dir: "auto" });
    const voting = el("form", { class: "voting early", "aria-label": LABELS.VOTE },
      el("p", { class: "soft", role: "status" }),
      el("div", { class: "outcomes" }, ...OUTCOMES.map(([name, text, key]) => el("button", { type: "button", class: "outcome " + name, "data-act": "vote", "data-outcome": name, "aria-keyshortcuts": key }, el("span", {}, text), el("kbd", { "aria-hidden": "true" }, key)))),
      el("details", { class: "why" }, el("summary", {}, LABELS.VOTE_WHY), tags, comment),
      el("div", { class: "last" }, el("label", {}, el("span", {}, LABELS.CATEGORY), kind), el("span", { class: "grow" }), el("button", { type: "button", class: "link", "data-act": "give-up" }, LABELS.GIVE_UP)));
    voting.addEventListener("submit", e => e.preventDefault());
    panel = el("section", { class: "round-panel" }, voting);
    panel.voting = voting;
    Parley.compare.tray.append(panel);
    looked();
  }
  async function vote(outcome) {
    if (sending || !both() || !panel?.voting) return;
    sending = true;
    const tags = [...panel.querySelectorAll(".tags input:checked")].map(i => i.value), comment = panel.querySelector(".why input[type=text]").value;
    const found = await Parley.ask("vote_round", { chat: Parley.compare.id, outcome, tags, comment, category, seconds: since === null ? null : (performance.now() - since) / 1000 }).catch(() => null);
    sending = false;
    if (Parley.toast.failed(found)) return;
    reveal(found, outcome);
  }
  async function giveUp() {
    const found = await Parley.ask("give_up", { chat: Parley.compare.id }).catch(() => null);
    if (!Parley.toast.failed(found)) reveal(found, null);
  }

  // -- after it --
  function reveal(found, outcome) {
    Parley.compare.show(found.comparison);
    const word = outcome === null ? LABELS.NOT_VOTED : found.vote.identity_leak ? LABELS.VOTE_LEAKED : fill(LABELS.VOTED, { outcome: OUTCOMES.find(o => o[0] === outcome)[1] });
    panel = el("section", { class: "round-panel", "aria-label": LABELS.REVEAL },
      el("p", { class: "verdict", role: "status" }, word),
      el("div", { class: "cards" }, ...["left", "right"].map(side => card(found.cards[side], side, outcome === side))),
      el("div", { class: "do" }, el("button", { type: "button", class: "primary", "data-act": "next-round" }, LABELS.NEXT_ROUND), Parley.stage.has("board") ? el("button", { type: "button", class: "plain", "data-act": "room", "data-room": "board" }, LABELS.SEE_BOARD) : ""));
    Parley.compare.tray.append(panel);
    panel.querySelector("[data-act=next-round]").focus();
  }
  function card(model, side, won) {
    return el("article", { class: "model-card" + (won ? " won" : "") },
      el("header", {}, Parley.avatar(model), el("strong", { dir: "auto" }, model.name), el("span", { class: "seat" }, side === "left" ? LABELS.SIDE_A : LABELS.SIDE_B), won ? icon("check") : ""),
      model.description ? el("p", {}, model.description) : "",
      el("div", { class: "chips" }, ...(model.chips || []).map(c => el("span", { class: "chip" + (c.open ? " open" : ""), title: c.title }, c.text))),
      (model.links || []).length ? el("p", { class: "links" }, ...model.links.map(l => el("a", { href: l.url, target: "_blank", rel: "noopener noreferrer" }, l.label))) : "");
  }
  const api = { among: null, categories: CATEGORIES, fresh, reset, asked, begun, opened, looked, get on() { return on; }, get round() { return round; } };
  return api;
})();

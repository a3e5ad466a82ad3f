// Looking closely at an answer: its tokens by their probability, the exact prompt it was given, code that
// repeats it. Nothing is asked of the model before somebody looks.
Parley.looks = (() => {
  const { act, el, icon, put, attr, fill } = Parley;
  const SURE = 0.9, LIKELY = 0.5, OPEN = 0.1; // probabilities between two tints
  let hint = null, held = null, waits = null, prompt = null, code = null;

  act("inspect", node => inspect(node.closest(".msg"), node));
  act("exact-prompt", node => exactPrompt(node.closest(".msg")));
  act("view-code", node => viewCode(node.closest(".msg")));
  act("branch-from", node => branch(node));

  // What stands below the table of facts.
  const buttons = () => el("div", { class: "looks" },
    el("button", { type: "button", class: "plain", "data-act": "inspect", "aria-pressed": "false" }, LABELS.INSPECT),
    el("button", { type: "button", class: "plain", "data-act": "exact-prompt", "aria-haspopup": "dialog" }, LABELS.EXACT_PROMPT),
    el("button", { type: "button", class: "plain", "data-act": "view-code", "aria-haspopup": "dialog" }, LABELS.VIEW_CODE));

  async function ask(name, node, button) {
    const talk = Parley.talks.of(node);
    if (Parley.talks.busy(talk)) return null;
    if (button) attr(button, "aria-disabled", "true");
    const found = await talk.ask(name, { message: node.dataset.id });
    if (button) attr(button, "aria-disabled", null);
    return Parley.toast.failed(found) ? null : found;
  }
  const percent = p => p >= 0.995 ? ">99 %" : p < 0.001 ? "<0.1 %" : (p * 100).toFixed(p < 0.1 ? 1 : 0) + " %";
  // White space is what it is, and has to be seen to be chosen.
  const shown = text => text.replace(/\n/g, "↵").replace(/\t/g, "→").replace(/ /g, "·") || "∅";
  const tint = p => "p-" + (p >= SURE ? "sure" : p >= LIKELY ? "likely" : p >= OPEN ? "open" : "rare");

  // -- tokens --
  async function inspect(node, button) {
    const old = node.querySelector(".inspector");
    if (old) { close(node, old, button); return; }
    const found = await ask("tokens", node, button);
    if (!found || node.querySelector(".inspector")) return;
    const list = el("div", { class: "tokens", dir: "auto", role: "group", "aria-label": LABELS.INSPECT_LIST });
    found.tokens.forEach((token, index) => {
      const one = el("button", { type: "button", class: "token " + tint(token.p), tabindex: index ? "-1" : "0", "aria-label": fill(LABELS.TOKEN, { text: shown(token.text), p: percent(token.p) }) }, token.text);
      Object.assign(one, { token, index });
      list.append(one);
      if (token.text.includes("\n")) list.append(el("br"));
    });
    const opening = index => found.tokens.slice(0, index).map(t => t.id);
    list.addEventListener("keydown", walk);
    list.addEventListener("focusin", e => { if (e.target.token) show(e.target, node, opening); });
    list.addEventListener("mouseover", e => { if (e.target.token && !held) show(e.target, node, opening); });
    list.addEventListener("click", e => { if (e.target.token) { held = e.target; show(e.target, node, opening); } });
    node.addEventListener("mouseleave", later);
    const box = el("section", { class: "inspector", "aria-label": LABELS.INSPECT },
      el("p", { class: "legend" }, ...[["sure", LABELS.SURE], ["likely", LABELS.LIKELY], ["open", LABELS.OPEN_CHOICE], ["rare", LABELS.RARE]].map(([name, text]) => el("span", { class: "token p-" + name }, text)),
        found.perplexity ? el("span", { class: "soft" }, fill(LABELS.PERPLEXITY, { value: found.perplexity.toFixed(2) })) : null), list);
    node.parts.body.after(box);
    node.classList.add("inspecting");
    attr(button, "aria-pressed", "true");
    list.firstChild?.focus({ preventScroll: true });
  }
  function close(node, box, button) {
    hide();
    box.remove();
    node.classList.remove("inspecting");
    attr(button, "aria-pressed", "false");
  }
  function walk(e) {
    const all = [...e.currentTarget.querySelectorAll(".token")], at = all.indexOf(e.target);
    if (e.key === "Escape") { e.stopPropagation(); held = null; hide(); return; }
    if (e.key === "ArrowDown" && hint?.matches(":popover-open") && e.target.token) { e.preventDefault(); hint.querySelector("button")?.focus(); return; }
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to === undefined || !all[to]) return;
    e.preventDefault();
    e.target.tabIndex = -1; all[to].tabIndex = 0;
    held = null;
    all[to].focus();
  }
  function make() {
    hint = el("div", { class: "alternatives", popover: "manual", role: "dialog", "aria-label": LABELS.OTHER_TOKENS });
    document.querySelector(".parley").append(hint);
    hint.addEventListener("mouseenter", () => clearTimeout(waits));
    hint.addEventListener("mouseleave", later);
    hint.addEventListener("keydown", e => {
      const all = [...hint.querySelectorAll("button")], at = all.indexOf(document.activeElement);
      if (e.key === "Escape") { e.stopPropagation(); hint.of.focus(); held = null; hide(); }
      else if (e.key === "ArrowDown" || e.key === "ArrowUp") { e.preventDefault(); (all[at + (e.key === "ArrowDown" ? 1 : -1)] || hint.of).focus(); }
    });
    // A token that the keyboard went to has perhaps been scrolled into view: what belongs to it comes along.
    addEventListener("scroll", e => { if (hint.contains(e.target)) return; if (hint.of && document.activeElement === hint.of) place(); else hide(); }, { capture: true, passive: true });
    document.addEventListener("pointerdown", e => { if (!hint.contains(e.target) && !e.target.token) { held = null; hide(); } });
  }
  const hide = () => { clearTimeout(waits); if (hint?.matches(":popover-open")) hint.hidePopover(); };
  function later() { clearTimeout(waits); if (!held) waits = setTimeout(hide, 400); }
  function show(one, node, opening) {
    if (!hint) make();
    clearTimeout(waits);
    const { token, index } = one, own = token.others.some(o => o.id === token.id);
    const rows = own ? token.others : [{ id: token.id, text: token.text, p: token.p }, ...token.others];
    hint.of = one;
    hint.replaceChildren(el("p", { class: "soft" }, fill(LABELS.TOKEN_NUMBER, { n: index + 1, id: token.id })), ...rows.map(other => {
      const here = other.id === token.id;
      const row = el(here ? "div" : "button", here ? { class: "choice here" } : { type: "button", class: "choice", "data-act": "branch-from", "aria-label": fill(LABELS.BRANCH_FROM, { text: shown(other.text), p: percent(other.p) }) },
        el("i", { class: "share", style: `width:${Math.max(1, other.p * 100)}%` }), el("code", {}, shown(other.text)), el("span", {}, percent(other.p)), here ? icon("check") : icon("right"));
      Object.assign(row, { talk: Parley.talks.of(node), branch: { of: node.dataset.id, opening: [...opening(index), other.id] } });
      return row;
    }), el("p", { class: "soft" }, LABELS.BRANCH_HINT));
    if (!hint.matches(":popover-open")) hint.showPopover();
    place();
  }
  function place() {
    const at = hint.of.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = hint;
    hint.style.left = Math.max(8, Math.min(at.left, innerWidth - width - 8)) + "px";
    hint.style.top = (at.bottom + height + 12 > innerHeight ? Math.max(8, at.top - height - 6) : at.bottom + 6) + "px";
  }
  function branch(row) {
    const { talk } = row;
    if (Parley.talks.busy(talk)) return;
    held = null; hide();
    const model = talk.transcript.node(row.branch.of)?.last?.model;
    if (model && !Parley.byId(model)) { Parley.toast(LABELS.MODEL_GONE); return; }
    talk.turn.send({ branch: row.branch, model });
  }

  // -- the exact prompt --
  async function exactPrompt(node) {
    const found = await ask("exact_prompt", node);
    if (!found) return;
    const about = el("p", { class: "soft" }), text = el("pre", { class: "prompt", tabindex: "0", dir: "auto" }), ids = el("input", { type: "checkbox" });
    prompt?.remove();
    prompt = Parley.sheets.make("looking", LABELS.EXACT_PROMPT, [about, ...found.notes.map(note => el("p", { class: "news" }, note)), el("label", { class: "tick" }, ids, LABELS.SHOW_IDS), text]);
    put(about, fill(LABELS.PROMPT_TOKENS, { count: Parley.number(found.ids.length), cached: Parley.number(found.cached) }));
    const control = /^(<[^>\s]+>|<\|.*\|>|\[\/?[A-Z_]+\])$/;
    found.pieces.forEach((piece, i) => text.append(el("span", { class: (i < found.cached ? "cached" : "unread") + (control.test(piece) ? " control" : ""), "data-id": found.ids[i], title: String(found.ids[i]) }, piece)));
    ids.addEventListener("change", () => text.classList.toggle("ids", ids.checked));
    prompt.showModal();
  }

  // -- code --
  async function viewCode(node) {
    const found = await ask("code", node);
    if (!found) return;
    const text = el("code", {}), copy = el("button", { type: "button", class: "plain" }, LABELS.COPY);
    const tabs = [["transformers", "transformers"], ["openai", "OpenAI"]].map(([name, label]) => el("button", { type: "button", class: "plain", "aria-pressed": "false", onclick: e => pick(name, e.currentTarget) }, label));
    const pick = (name, tab) => { put(text, found[name]); for (const other of tabs) attr(other, "aria-pressed", String(other === tab)); };
    copy.addEventListener("click", async () => { await Parley.copy(text.textContent); Parley.flash(copy, LABELS.COPIED); });
    code?.remove();
    code = Parley.sheets.make("looking", LABELS.VIEW_CODE, [el("p", { class: "soft" }, LABELS.CODE_WHAT), el("div", { class: "do" }, ...tabs, el("span", { class: "grow" }), copy), el("pre", { class: "prompt", tabindex: "0", dir: "ltr" }, text)]);
    pick("transformers", tabs[0]);
    code.showModal();
  }
  return { buttons };
})();

// How much of the model's window the conversation and the draft take, before anything is sent.
Parley.meter = (() => {
  const { put, attr, fill, number } = Parley;
  const PAUSE = 400;    // ms without a key before the engine is asked
  const PER_TOKEN = 4;  // characters, roughly, until the model's own tokenizer can count
  const FULL = 0.9;
  let node, box, waits = null, asked = 0;

  function start(parts) { ({ node, box } = parts); }
  function soon(after = PAUSE) { clearTimeout(waits); waits = setTimeout(look, after); }
  async function look() {
    const model = Parley.byId(Parley.picker.current), mine = ++asked;
    if (!model || Parley.turn.current || document.visibilityState !== "visible") return;
    const text = Parley.attach.whole(box.value), { system_prompt = null, json_schema, regex, ...settings } = Parley.settings.changes(model.id);
    const warm = model.state === "ready" || model.state === "answering";
    let found = null;
    if (warm && (text.trim() || Parley.chats.id)) found = await Parley.ask("meter", { chat: Parley.chats.id, model: model.id, text, system_prompt, settings }).catch(() => null);
    if (mine !== asked) return;
    if (found?.known) draw(found.used, found.window, "", found.notes);
    else draw(Math.ceil((text.length + Parley.transcript.characters) / PER_TOKEN), model.context, "≈ ", found?.error ? [found.error.sentence] : []);
    if (found?.error) node.classList.add("full");
    Parley.settings.room?.(found?.known ? found.room : null);
  }
  function draw(used, window, about, notes) {
    node.hidden = !used;
    put(node, window ? `${about}${number(used)} / ${number(window)}` : about + number(used));
    node.classList.toggle("full", !!window && used > FULL * window);
    attr(node, "title", [fill(window ? LABELS.METER : LABELS.METER_NO_WINDOW, { used: about + number(used), window: window ? number(window) : "" }), ...notes].join("\n"));
  }
  return { start, soon };
})();

// The conversation as drawn: finished messages are built once, the live one is patched block by
// block. Text arrives as HTML that the server has rendered and sanitised. What can be done with a
// message is the business of messages.js; here are only its buttons.
Parley.makeTranscript = talk => {
  const { el, put, attr, linked, fill, live: state } = Parley;
  const LONG = 1200, LINES = 14; // characters and lines of a question after which it is folded
  const NEAR = 30; // px from the end of its box at which a thought is followed
  const LETTER = 7.4, LINE = 24.8, GAP = .45; // px a letter is wide and a line high, an empty line in lines
  const AROUND = { user: 48, assistant: 74 }, FOLDED = 250; // px around a text, px of a folded one
  const PARTS = ["notes", "thinking", "body", "tail", "status", "fault", "told", "under", "facts", "rating"];
  const root = talk.messages;
  let nodes = new Map(), texts = new Map();
  const icons = {}, icon = name => (icons[name] ??= Parley.icon(name)).cloneNode(true); // thousands of them, in a long chat

  const clear = () => { root.replaceChildren(); nodes = new Map(); texts = new Map(); };

  function user(message) {
    const { files, text } = Parley.attach.parse(message.text);
    const bubble = el("div", { class: "bubble" }, Parley.attach.shown(files), text || !files.length ? el("div", { class: "said", dir: "auto" }, text) : null);
    const node = el("article", { class: "msg user", "data-id": message.id, tabindex: "-1", "aria-label": LABELS.YOU }, bubble, el("footer", { class: "under" }));
    node.parts = { body: bubble, under: node.lastChild };
    if (text.length > LONG || text.split("\n").length > LINES) {
      node.classList.add("folded");
      const more = el("button", { type: "button", class: "more", "aria-expanded": "false" }, LABELS.SHOW_MORE);
      more.addEventListener("click", () => { const open = !node.classList.toggle("folded"); more.textContent = open ? LABELS.SHOW_LESS : LABELS.SHOW_MORE; attr(more, "aria-expanded", String(open)); });
      bubble.append(more);
    }
    return node;
  }

  function assistant(message) {
    const node = el("article", { class: "msg assistant", "data-id": message.id, tabindex: "-1", "aria-label": message.model_name },
      el("header", { class: "who" }, Parley.avatar(Parley.byId(message.model) || { name: message.model_name }), el("span", { class: "name" }, message.model_name)),
      el("div", { class: "notes" }),
      el("details", { class: "thinking", hidden: true }, el("summary"), el("div", { dir: "auto" })),
      el("div", { class: "body prose-parley" }, el("div", { class: "tail" })),
      el("div", { class: "status", hidden: true }),
      el("div", { class: "fault", role: "alert", hidden: true }),
      el("button", { type: "button", class: "told", "data-act": "rate", "aria-label": LABELS.YOUR_FEEDBACK, hidden: true }),
      el("footer", { class: "under" }),
      el("div", { class: "facts", hidden: true }),
      el("div", { class: "rating", hidden: true }));
    node.parts = Object.fromEntries(PARTS.map(k => [k, node.querySelector("." + k)]));
    node.drawn = 0;
    // Only who was there when the thinking began can say how long it has taken.
    node.thought = { witnessed: message.state === "waiting" && !message.thinking };
    node.parts.thinking.firstChild.addEventListener("click", () => { node.thought.chosen = true; });
    return node;
  }

  // How tall a message will be, roughly: what has not been laid out yet takes up this much room.
  function guess(node, message, width) {
    const mine = message.role === "user", across = mine ? width * .85 : width;
    let code = false;
    const rows = (message.text || "").split("\n").reduce((sum, line) => {
      if (!mine && line.startsWith("```")) code = !code;
      return sum + (code ? GAP + GAP : line.trim() ? Math.ceil(line.length * LETTER / across) : GAP);
    }, 0);
    node.style.setProperty("--tall", Math.round(Math.min(rows * LINE + AROUND[message.role], node.classList.contains("folded") ? FOLDED : Infinity)) + "px");
  }

  const isLive = message => message.state === "waiting" || message.state === "streaming";

  function patch(node, message) {
    const { notes, status, fault } = node.parts, live = isLive(message), ended = node.last && isLive(node.last) && !live;
    node.last = message;
    if (message.beside) node.mark = message;
    node.classList.toggle("live", live);
    const silent = message.blocks.length || message.tail ? "" : message.state === "done" ? LABELS.NO_TEXT : message.state === "stopped" && !message.thinking ? LABELS.STOPPED_EARLY : "";
    const told = silent ? [...message.notes, silent] : message.notes;
    if (notes.childElementCount !== told.length) notes.replaceChildren(...told.map(n => el("p", { class: "note" }, n)));

    drawThinking(node, message, live);
    drawBody(node, message, live);
    const held = status.parts && status.parts.cancel === document.activeElement;
    status.hidden = !(live && message.status);
    if (!status.hidden) drawStatus(status, message);
    if (held && (status.hidden || status.parts.cancel.hidden)) talk.lost();
    fault.hidden = !message.error;
    if (message.error && fault.said !== message.error.sentence + message.error.fix) {
      fault.said = message.error.sentence + message.error.fix;
      fault.replaceChildren(el("strong", {}, message.error.sentence + " "), el("span", {}, ...linked(message.error.fix)), el("br"),
        el("button", { type: "button", class: "again", "data-act": "retry" }, icon("retry"), LABELS.RETRY),
        el("button", { type: "button", class: "plain", "data-act": "retry-with", "aria-haspopup": "dialog" }, LABELS.RETRY_WITH));
    }
    if (!live) texts.set(message.id, message.text);
    divide(node);
    drawUnder(node, live);
    if (ended) Parley.messages.refresh(talk);
  }

  // Open while there is nothing but thoughts, unless the reader has said otherwise.
  function drawThinking(node, message, live) {
    const { thinking } = node.parts, { thought } = node;
    thinking.hidden = !message.thinking;
    if (!message.thinking) return;
    const [summary, open] = thinking.children, busy = live && !message.blocks.length && !message.tail;
    if (open.textContent !== message.thinking) {
      const follows = live && open.scrollHeight - open.scrollTop - open.clientHeight < NEAR;
      if (open.firstChild && message.thinking.startsWith(open.textContent)) open.firstChild.appendData(message.thinking.slice(open.textContent.length));
      else open.textContent = message.thinking;
      if (follows) open.scrollTop = open.scrollHeight;
    }
    if (live && message.thinking_for) thought.since ??= performance.now() - message.thinking_for * 1000;
    if (busy && thought.witnessed) thought.since ??= performance.now();
    const elapsed = thought.since ? ((thought.until ?? performance.now()) - thought.since) / 1000 : 0;
    if (!busy) thought.until ??= performance.now();
    thinking.classList.toggle("busy", busy);
    if (busy !== thought.busy) { thought.busy = busy; if (!thought.chosen) thinking.open = busy; }
    put(summary, !live ? message.thinking_label || LABELS.THOUGHTS
      : busy ? elapsed >= 1 ? fill(LABELS.THINKING_FOR, { seconds: Math.floor(elapsed) }) : LABELS.THINKING
      : elapsed ? fill(LABELS.THOUGHT_FOR, { seconds: elapsed < 10 ? elapsed.toFixed(1) : Math.round(elapsed) }) : LABELS.THOUGHTS);
  }

  // Blocks never change once sent, except when the server says the whole was drawn again.
  function drawBody(node, message, live) {
    const { body } = node.parts, again = live && node.whole, empty = !message.blocks.length && !message.tail;
    // An answer that goes on is sent anew from its beginning; until then what is there stays.
    if (live && empty) return;
    if (again || node.version !== message.version) { node.version = message.version; node.drawn = 0; node.parts.tail = el("div", { class: "tail" }); body.replaceChildren(node.parts.tail); }
    node.whole = !live;
    for (; node.drawn < message.blocks.length; node.drawn++) {
      // What was the open end becomes the block: a selection in it, a pressed button, the focus stay.
      const block = node.parts.tail;
      block.className = "block";
      Parley.prose.fill(block, message.blocks[node.drawn]);
      body.append(node.parts.tail = el("div", { class: "tail" }));
    }
    Parley.prose.fill(node.parts.tail, message.tail);
  }

  // Patched, never built anew: a person may be about to press Cancel.
  function drawStatus(status, message) {
    if (!status.parts) {
      status.parts = { dots: el("i", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), text: el("span"), bar: state.bar(),
        cancel: el("button", { type: "button", class: "cancel", "data-act": "stop" }, LABELS.CANCEL) };
      status.replaceChildren(...Object.values(status.parts));
    }
    const { dots, text, bar, cancel } = status.parts, loads = message.waits_for === "model";
    put(text, message.status);
    dots.hidden = loads;
    state.setBar(bar, loads, message.progress, fill(LABELS.LOADING_MODEL, { name: message.model_name }), message.status);
    cancel.hidden = !message.waits_for;
    status.classList.toggle("loads", loads);
  }

  // Between two turns: what was changed before this answer's question was asked. Of an answer that
  // has only begun the page itself knows whose it is; the server says the rest when it has ended.
  function divide(node) {
    const { last, mark } = node, before = answerBefore(node);
    const changes = mark?.changes ?? (before && before.last.model !== last.model ? [{ what: "model", new: last.model_name }] : []);
    const words = Parley.facts.changes(changes);
    if (!words) { node.divider?.remove(); node.divider = null; return; }
    node.divider ??= el("p", { class: "divider" }, el("span", { dir: "auto" }));
    put(node.divider.firstChild, words);
    const question = node.previousElementSibling, at = question?.classList.contains("user") ? question : node;
    if (at.previousElementSibling !== node.divider) at.before(node.divider);
  }
  function answerBefore(node) {
    let before = node.previousElementSibling;
    while (before && !before.classList.contains("assistant")) before = before.previousElementSibling;
    return before;
  }

  // -- what stands under a message --
  function drawUnder(node, live) {
    const mine = node.classList.contains("user"), { under, told } = node.parts, { last = {}, mark = {} } = node;
    const { turn, turns, beside, cut, feedback } = { ...last, ...mark };
    const text = texts.get(node.dataset.id), line = live ? "" : mark.edited ? LABELS.EDITED : last.stats;
    const key = JSON.stringify([live, line, turn, turns, beside, cut, !!text, !!last.error]);
    if (under.key !== key) {
      under.key = key;
      const arrows = turns > 1 && !live ? alternatives(mine, turn, turns, beside || []) : null;
      const acts = live ? null : talk.blind ? el("span", { class: "acts" }, text && action("copy", LABELS.COPY)) : el("span", { class: "acts" },
        text && action("copy", LABELS.COPY),
        mine || last.error ? null : action("retry", LABELS.RETRY),
        mine || last.error ? null : action("with", LABELS.RETRY_WITH, "retry-with"),
        text && action("pencil", LABELS.EDIT, "edit"),
        text && !mine && thumb("good", LABELS.GOOD_ANSWER, 1),
        text && !mine && thumb("bad", LABELS.BAD_ANSWER, -1),
        action("trash", LABELS.DELETE, "delete-message"));
      const focused = under.contains(document.activeElement) ? document.activeElement.dataset : null;
      // What is always there stands at the line's end, under the bubble's.
      under.replaceChildren(...(mine ? [acts, arrows] : [arrows,
        line ? el("button", { type: "button", class: "stats", "data-act": "facts", "aria-expanded": String(!node.parts.facts.hidden), title: LABELS.ALL_FIGURES }, line, icon("chevron")) : null,
        cut ? el("button", { type: "button", class: "go", "data-act": "continue" }, icon("go"), LABELS.CONTINUE) : null, acts]).filter(Boolean));
      if (focused) alike(under, focused)?.focus({ preventScroll: true });
    }
    for (const button of under.querySelectorAll("[data-value]")) attr(button, "aria-pressed", String(+button.dataset.value === (feedback?.value || 0)));
    if (told) { const said = Parley.feedback.words(feedback); put(told, said); told.hidden = !said || live; }
  }
  const action = (picture, label, act = picture) => el("button", { type: "button", class: "act", "data-act": act, "aria-label": label, title: label, "aria-haspopup": act === "retry-with" ? "dialog" : null }, icon(picture), el("span", {}));
  const thumb = (picture, label, value) => el("button", { type: "button", class: "act thumb", "data-act": "thumb", "data-value": value, "aria-label": label, title: label, "aria-pressed": "false" }, icon(picture));
  function alternatives(mine, turn, turns, beside) {
    const arrow = (step, label) => {
      const by = beside[turn - 1 + step], name = by ? fill(LABELS.ALTERNATIVE_BY, { which: label, name: by }) : label;
      return el("button", { type: "button", "data-act": "branch", "data-step": step, "aria-label": name, title: name, "aria-keyshortcuts": step < 0 ? "Alt+ArrowLeft" : "Alt+ArrowRight", disabled: step < 0 ? turn === 1 : turn === turns }, icon(step < 0 ? "left" : "right"));
    };
    return el("span", { class: "turns", role: "group", "aria-label": LABELS.ALTERNATIVES },
      arrow(-1, mine ? LABELS.PREVIOUS_QUESTION : LABELS.PREVIOUS_ANSWER), el("span", {}, `${turn}/${turns}`), arrow(1, mine ? LABELS.NEXT_QUESTION : LABELS.NEXT_ANSWER));
  }

  // -- the list --
  function draw(message, at = null) {
    let node = nodes.get(message.id);
    if (!node) {
      node = message.role === "user" ? user(message) : assistant(message);
      nodes.set(message.id, node);
      if (at) at.before(node); else root.append(node);
    }
    if (message.role === "assistant") { patch(node, message); return node; }
    texts.set(message.id, message.text);
    node.last = message;
    if (message.beside) node.mark = message;
    drawUnder(node, false);
    return node;
  }
  const upsert = message => draw(message);

  // The branch that is read now. What is in both stays as it is, open or folded, scrolled or focused.
  function show(messages) {
    const focus = held(), wanted = new Map(messages.map(m => [m.id, m])), width = (root.clientWidth || innerWidth) - 40;
    for (const [id, node] of [...nodes]) if (!wanted.has(id) || differs(node, wanted.get(id))) drop(node);
    let at = root.firstElementChild;
    for (const message of messages) {
      const had = nodes.get(message.id);
      if (had) at = had;
      const node = draw(message, at);
      if (!had) guess(node, message, width);
      at = node.nextElementSibling;
    }
    if (focus) regain(focus);
    Parley.messages.shown(talk);
  }
  // What is or was live is cut into blocks in another way than what is kept.
  const differs = (node, message) => (node.last?.text ?? texts.get(message.id)) !== message.text || (!!node.parts.tail && (isLive(node.last) || isLive(message)));

  // The control that has the focus, to find the one that takes its place when its message goes.
  function held() {
    const node = document.activeElement, message = node?.closest?.(".msg");
    return message && root.contains(message) ? { node, at: all().indexOf(message), data: node.dataset } : null;
  }
  function regain({ node, at, data }) {
    if (node.isConnected) return;
    const message = all()[Math.min(at, nodes.size - 1)];
    (message && alike(message, data) || message)?.focus({ preventScroll: true });
  }
  // The control that does the same, or at least the same the other way.
  function alike(place, { act, step, value }) {
    const found = act ? Array.from(place.querySelectorAll(`[data-act="${act}"]:not(:disabled)`)) : [];
    return found.find(n => n.dataset.step === step && n.dataset.value === value) || found[0];
  }
  const all = () => Array.from(root.querySelectorAll(":scope > .msg"));

  function drop(node) { nodes.delete(node.dataset.id); node.divider?.remove(); node.remove(); }
  // Everything after this message leaves the view: another branch takes its place.
  function cutAfter(id) {
    const from = nodes.get(id);
    while (from && from.nextSibling) drop(from.nextSibling);
  }
  function remove(id) { const node = nodes.get(id); if (node) drop(node); }
  function rename(id, to) {
    const node = nodes.get(id);
    if (!node || id === to) return;
    nodes.delete(id); nodes.set(to, node); node.dataset.id = to; texts.set(to, texts.get(id));
    if (node.classList.contains("user")) Parley.messages.kept(talk);
  }
  // What the server says of a message since it was drawn: see parley/ui/marks.py.
  function mark(id, news) {
    const node = nodes.get(id);
    if (!node) return;
    node.mark = news;
    if (node.last?.role === "assistant") divide(node);
    drawUnder(node, !!node.last && isLive(node.last));
  }

  const fail = (id, sentence, fix) => { const node = nodes.get(id); if (node && node.parts) patch(node, { ...node.last, state: "failed", status: "", error: { sentence, fix } }); };

  return { clear, show, upsert, fail, cutAfter, remove, rename, mark, all, text: id => texts.get(id) || "", node: id => nodes.get(id), get characters() { let sum = 0; for (const id of nodes.keys()) sum += (texts.get(id) || "").length; return sum; }, get size() { return nodes.size; } };
};

// The conversation as drawn: finished messages are built once, the live one is patched block by
// block. Text arrives as HTML that the server has rendered and sanitised.
Parley.transcript = (() => {
  const { el, icon, put, linked, live: state } = Parley;
  const LONG = 1200; // characters of a question after which it is folded
  let root, onLost, nodes = new Map(), texts = new Map();

  // `onLost` is called when the focused Cancel goes away with the wait that it was for.
  const start = (element, lost) => { root = element; onLost = lost; };
  const clear = () => { root.replaceChildren(); nodes = new Map(); texts = new Map(); };

  function user(message) {
    texts.set(message.id, message.text);
    const node = el("article", { class: "msg user", "data-id": message.id, dir: "auto", "aria-label": "You" });
    const text = el("div", { class: "said" }, message.text);
    node.append(text);
    if (message.text.length > LONG || message.text.split("\n").length > 14) {
      node.classList.add("folded");
      const more = el("button", { type: "button", class: "more", "aria-expanded": "false" }, "Show more");
      more.addEventListener("click", () => { const open = !node.classList.toggle("folded"); more.textContent = open ? "Show less" : "Show more"; more.setAttribute("aria-expanded", open); });
      node.append(more);
    }
    return node;
  }

  function assistant(message) {
    const node = el("article", { class: "msg assistant", "data-id": message.id, "aria-label": message.model_name },
      el("header", { class: "who" }, Parley.avatar(Parley.byId(message.model) || { name: message.model_name }), el("span", { class: "name" }, message.model_name)),
      el("div", { class: "notes" }),
      el("details", { class: "thinking", hidden: true }, el("summary"), el("div", { dir: "auto" })),
      el("div", { class: "body prose-parley" }, el("div", { class: "tail" })),
      el("div", { class: "status", hidden: true }),
      el("div", { class: "fault", role: "alert", hidden: true }),
      el("footer", { class: "under" }));
    node.parts = Object.fromEntries(["notes", "thinking", "body", "status", "fault", "under", "tail"].map(k => [k, node.querySelector("." + k)]));
    node.drawn = 0;
    return node;
  }

  function patch(node, message) {
    const { notes, thinking, body, status, fault, under, tail } = node.parts;
    const live = message.state === "waiting" || message.state === "streaming";
    node.last = message;
    node.classList.toggle("live", live);
    const silent = message.blocks.length || message.tail ? "" : message.state === "done" ? "The model returned no text." : message.state === "stopped" && !message.thinking ? "Stopped before the first word." : "";
    const told = silent ? [...message.notes, silent] : message.notes;
    if (notes.childElementCount !== told.length) notes.replaceChildren(...told.map(n => el("p", { class: "note" }, n)));

    thinking.hidden = !message.thinking;
    if (message.thinking) {
      const open = thinking.querySelector("div"), text = message.thinking;
      if (open.textContent !== text) { const down = open.scrollHeight - open.scrollTop - open.clientHeight < 30; open.textContent = text; if (down) open.scrollTop = open.scrollHeight; }
      const busy = live && !message.blocks.length && !message.tail;
      if (busy !== thinking.busy) { thinking.busy = busy; thinking.open = busy; }
      thinking.querySelector("summary").textContent = message.thinking_label;
    }

    // Blocks never change once sent, except when the server says the whole was drawn again.
    if (node.version !== message.version) { node.version = message.version; node.drawn = 0; body.replaceChildren(tail); }
    for (; node.drawn < message.blocks.length; node.drawn++) {
      const holder = el("div", { class: "block", html: message.blocks[node.drawn] });
      body.insertBefore(holder, tail);
    }
    if (tail.source !== message.tail) { tail.source = message.tail; tail.innerHTML = message.tail; }

    const held = status.parts && status.parts.cancel === document.activeElement;
    status.hidden = !(live && message.status);
    if (!status.hidden) drawStatus(status, message);
    if (held && (status.hidden || status.parts.cancel.hidden)) onLost();
    fault.hidden = !message.error;
    if (message.error && fault.said !== message.error.sentence + message.error.fix) {
      fault.said = message.error.sentence + message.error.fix;
      fault.replaceChildren(el("strong", {}, message.error.sentence + " "), el("span", {}, ...linked(message.error.fix)), el("br"),
        el("button", { type: "button", class: "again", "data-act": "retry" }, icon("retry"), LABELS.RETRY));
    }
    if (!live) texts.set(message.id, message.text);
    drawUnder(under, message, live);
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
    state.setBar(bar, loads, message.progress, `Loading ${message.model_name}`, message.status);
    cancel.hidden = !message.waits_for;
    status.classList.toggle("loads", loads);
  }

  function drawUnder(under, message, live) {
    const key = JSON.stringify([live, message.stats, message.details, message.turn, message.turns]);
    if (under.key === key) return;
    under.key = key;
    const turns = message.turns > 1 && !live ? el("span", { class: "turns" },
      el("button", { type: "button", "data-act": "branch", "data-step": "-1", "aria-label": "Previous answer", disabled: message.turn === 1 }, icon("left")),
      `${message.turn}/${message.turns}`,
      el("button", { type: "button", "data-act": "branch", "data-step": "1", "aria-label": "Next answer", disabled: message.turn === message.turns }, icon("right"))) : null;
    under.replaceChildren(...[turns, message.stats ? el("span", { class: "stats", title: message.details }, message.stats) : null,
      live || !message.text ? null : action("copy", LABELS.COPY), live || message.error ? null : action("retry", LABELS.RETRY)].filter(Boolean));
  }
  const action = (name, label) => el("button", { type: "button", class: "act", "data-act": name, "aria-label": label }, icon(name), el("span", {}, label));

  function upsert(message) {
    let node = nodes.get(message.id);
    if (!node) {
      node = message.role === "user" ? user(message) : assistant(message);
      nodes.set(message.id, node);
      root.append(node);
    }
    if (message.role === "assistant") patch(node, message);
    return node;
  }

  // Everything after this message leaves the view: another branch takes its place.
  function cutAfter(id) {
    const from = nodes.get(id);
    while (from && from.nextSibling) { nodes.delete(from.nextSibling.dataset.id); from.nextSibling.remove(); }
  }
  function remove(id) { const node = nodes.get(id); if (node) { nodes.delete(id); node.remove(); } }
  function rename(id, to) {
    const node = nodes.get(id);
    if (!node || id === to) return;
    nodes.delete(id); nodes.set(to, node); node.dataset.id = to; texts.set(to, texts.get(id));
  }
  const show = messages => { clear(); const all = document.createDocumentFragment(), real = root; root = { append: n => all.append(n) }; messages.forEach(upsert); root = real; root.append(all); };

  const fail = (id, sentence, fix) => { const node = nodes.get(id); if (node && node.parts) patch(node, { ...node.last, state: "failed", status: "", error: { sentence, fix } }); };

  return { start, clear, show, upsert, fail, cutAfter, remove, rename, text: id => texts.get(id) || "", node: id => nodes.get(id), get size() { return nodes.size; } };
})();

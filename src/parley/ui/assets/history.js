// The sidebar's list of chats: pinned ones first, then by the day they were last touched. Which of
// them are being answered, which are chosen, and what the keyboard does in it. What is done to whole
// chats is in deeds.js.
Parley.history = (() => {
  const { el, icon, put, attr, rows, fill } = Parley;
  const PAGE = 100; // a first page of fewer chats than this is all of them
  const DAY = 86400000; // ms
  let root, further, label, chats = [], more = false, asking = null, current = null, at = null, editing = null, stop = null;
  let busy = new Set(), chosen = null, anchor = null;

  function start(element) {
    root = element;
    label = document.querySelector(".parley .top .title");
    further = el("button", { type: "button", class: "further", "data-act": "more-chats", hidden: true }, LABELS.MORE_CHATS);
    root.after(further);
    new IntersectionObserver(seen => { if (seen.some(s => s.isIntersecting)) next(); }, { root: root.parentElement, rootMargin: "600px" }).observe(further);
    root.addEventListener("keydown", key);
    root.addEventListener("focusin", e => { const id = e.target.closest(".chat")?.dataset.id; if (id && id !== at) { at = id; rove(); } });
    root.addEventListener("dblclick", e => { const row = e.target.closest(".chat"); if (row && e.target.closest(".open") && !chosen) rename(row.dataset.id); });
    root.addEventListener("contextmenu", e => {
      const row = e.target.closest(".chat");
      if (!row || chosen || e.target.matches("input")) return;
      e.preventDefault();
      Parley.deeds.menu(row.dataset.id, row.querySelector(".acts"));
    });
    // Another tab may have written, renamed or deleted.
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible" && document.querySelector(".parley").dataset.ready) renew(); });
    Parley.act("more-chats", () => next());
    Parley.act("open-chat", (node, e) => { const id = node.closest(".chat").dataset.id; if (chosen) choose(id, e.shiftKey); else go(id); });
  }
  function go(id) { document.querySelector(".parley").classList.remove("side-open"); Parley.chats.open(id); }

  // -- what there is --
  const newest = (a, b) => b.updated - a.updated;
  function set(list) { chats = list.slice().sort(newest); more = list.length >= PAGE; draw(); }
  // The further pages begin where the last one ended. Asked again by the next scroll, or by hand.
  function next() { return asking ||= page(chats.findLast(c => !c.pinned) || chats.at(-1)).finally(() => { asking = null; }); }
  async function page(before) {
    const found = await Parley.ask("more_chats", before ? { before: { id: before.id, updated: before.updated, pinned: before.pinned } } : {}).catch(() => null);
    if (!found || found.error) return Parley.toast.failed(found);
    const here = new Map(chats.map(c => [c.id, c]));
    for (const chat of found.chats) here.set(chat.id, chat);
    chats = [...here.values()].sort(newest);
    more = found.more;
    draw();
    return false;
  }
  async function renew() {
    const found = await Parley.ask("more_chats").catch(() => null);
    if (!found || found.error) return;
    const oldest = found.more ? Math.min(...found.chats.filter(c => !c.pinned).map(c => c.updated)) : -Infinity;
    // What is older than the page was loaded by a scroll and stays.
    const rest = chats.filter(c => !c.pinned && c.updated < oldest && !found.chats.some(f => f.id === c.id));
    if (!rest.length) more = found.more;
    chats = [...found.chats, ...rest].sort(newest);
    draw();
  }
  async function all() { while (more) if (await next()) break; return chats; }

  // -- drawing --
  function day(seconds) {
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(seconds * 1000).setHours(0, 0, 0, 0)) / DAY);
    return days <= 0 ? LABELS.TODAY : days === 1 ? LABELS.YESTERDAY : days < 7 ? LABELS.THIS_WEEK : LABELS.EARLIER;
  }
  function draw() {
    const pinned = chats.filter(c => c.pinned), items = [];
    let group = null;
    for (const chat of [...pinned, ...chats.filter(c => !c.pinned)]) {
      const name = chat.pinned ? LABELS.PINNED : day(chat.updated);
      if (name !== group) items.push({ id: "heading " + (group = name), heading: name });
      items.push(chat);
    }
    const held = document.activeElement, row = root.contains(held) ? held.closest(".chat") : null, part = held.classList[0];
    rows(root, items.length ? items : [{ id: "empty", empty: true }], i => i.id, make, update);
    if (row && document.activeElement !== held && root.contains(row)) row.querySelector("." + part)?.focus({ preventScroll: true });
    if (chosen) { const here = new Set(chats.map(c => c.id)); for (const id of [...chosen]) if (!here.has(id)) chosen.delete(id); }
    root.classList.toggle("choosing", !!chosen);
    further.hidden = !more;
    Parley.deeds.chosen(chosen);
    rove();
  }
  function make(item) {
    if (item.heading) return el("h3", {}, item.heading);
    if (item.empty) return el("p", { class: "empty" }, LABELS.NO_CHATS);
    const name = el("span", { class: "name", dir: "auto" }), kind = item.compare ? icon("columns") : null, pulse = el("span", { class: "pulse", hidden: true }, el("span", { class: "aside" }, LABELS.BEING_ANSWERED));
    const open = el("button", { type: "button", class: "open", "data-act": "open-chat", tabindex: "-1" }, el("span", { class: "tick", "aria-hidden": "true" }, icon("check")), kind, name, pulse);
    const acts = el("button", { type: "button", class: "acts", "data-act": "chat-menu", "aria-haspopup": "menu", "aria-expanded": "false", tabindex: "-1" }, icon("dots"));
    const node = el("div", { class: "chat", "data-id": item.id }, open, acts);
    node.parts = { name, pulse, open, acts };
    return node;
  }
  // A person may have thousands of chats, of which one has changed.
  function update(node, chat) {
    if (chat.heading || chat.empty) return;
    const title = chat.title || LABELS.NEW_CHAT, { name, pulse, open, acts } = node.parts, on = !!chosen?.has(chat.id);
    const drawn = [title, busy.has(chat.id), !!chosen, on, chat.id === current, chat.id === editing].join("\n");
    if (node.drawn === drawn) return;
    node.drawn = drawn;
    put(name, title);
    attr(open, "title", title);
    pulse.hidden = !busy.has(chat.id);
    attr(open, "role", chosen ? "checkbox" : null); attr(open, "aria-checked", chosen ? String(on) : null);
    node.classList.toggle("on", on);
    attr(node, "aria-current", chat.id === current ? "page" : null);
    attr(acts, "aria-label", fill(LABELS.CHAT_ACTIONS, { title }));
    open.hidden = editing === chat.id; acts.hidden = !!chosen || editing === chat.id;
  }

  // -- keyboard: one row of the list is in the tab order --
  const lines = () => [...root.querySelectorAll(".chat")];
  const line = id => root.querySelector(`.chat[data-id="${CSS.escape(id)}"]`);
  function rove() {
    const here = (at && line(at)) || (current && line(current)) || root.querySelector(".chat");
    if (here === stop) return;
    for (const [node, index] of [[stop, -1], [here, 0]]) if (node) node.parts.open.tabIndex = node.parts.acts.tabIndex = index;
    stop = here;
  }
  function focus(id, part = "open") { line(id)?.querySelector("." + part)?.focus(); }
  function key(e) {
    const row = e.target.closest(".chat");
    if (!row || e.target.matches("input")) return;
    const all = lines(), index = all.indexOf(row), id = row.dataset.id, command = e.metaKey || e.ctrlKey;
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to !== undefined && !command && !e.altKey) { const part = e.target.classList[0], next = all[to]; if (next) (next.querySelector(`.${part}:not([hidden])`) || next.querySelector(".open")).focus(); }
    else if (e.key === "F2" && !chosen) rename(id);
    else if (e.key === "Delete" || (e.key === "Backspace" && command)) Parley.deeds.remove(chosen?.size ? [...chosen] : [id]);
    else if (e.key === "Escape" && chosen) choosing(false);
    else if (Parley.letter(e, "a") && command && chosen) everything();
    else return;
    e.preventDefault(); e.stopPropagation();
  }

  // -- a name of its own --
  function rename(id) {
    const chat = chats.find(c => c.id === id), row = chat && line(id);
    if (!row || editing) return;
    const input = el("input", { type: "text", class: "rename", maxlength: 200, dir: "auto", "aria-label": LABELS.RENAME, autocomplete: "off", spellcheck: "false" });
    let over = false;
    const end = (keep, back) => {
      if (over) return;
      over = true; editing = null;
      const title = input.value.trim();
      input.remove();
      if (keep && title && title !== chat.title) name(chat, title);
      draw();
      if (back) focus(id);
    };
    input.value = chat.title;
    input.addEventListener("keydown", e => {
      e.stopPropagation();
      if (e.key === "Enter" && !e.isComposing) { e.preventDefault(); end(true, true); } else if (e.key === "Escape") { e.preventDefault(); end(false, true); }
    });
    input.addEventListener("blur", () => end(true, false));
    editing = id;
    row.prepend(input);
    draw();
    input.focus(); input.select();
  }
  async function name(chat, title) {
    const old = chat.title;
    retitle(chat.id, title);
    const found = await Parley.ask("rename_chat", { chat: chat.id, title }).catch(() => null);
    retitle(chat.id, Parley.toast.failed(found) ? old : found.chat.title);
  }
  function retitle(id, title) {
    chats = chats.map(c => c.id === id ? { ...c, title } : c);
    if (id === current) put(label, title);
    draw();
  }

  // -- several at once --
  function choosing(on) {
    if (on === !!chosen) return;
    chosen = on ? new Set() : null; anchor = null;
    draw();
    if (on) focus(at && line(at) ? at : lines()[0]?.dataset.id ?? "");
  }
  // With Shift, all from the last one to this one.
  function choose(id, stretch) {
    const ids = lines().map(n => n.dataset.id), from = ids.indexOf(anchor), to = ids.indexOf(id), add = !chosen.has(id);
    for (const one of stretch && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id]) if (add) chosen.add(one); else chosen.delete(one);
    anchor = id;
    draw();
  }
  // All there are, not only those that have been scrolled to. A second time, none.
  async function everything() {
    await all();
    if (!chosen) return;
    chosen = chosen.size === chats.length ? new Set() : new Set(chats.map(c => c.id));
    draw();
  }

  // -- what others tell --
  function answering(ids) {
    const now = new Set(ids), ended = chats.filter(c => busy.has(c.id) && !now.has(c.id) && c.id !== current);
    if (now.size === busy.size && !ended.length && ids.every(id => busy.has(id))) return;
    busy = now;
    draw();
    for (const chat of ended) Parley.toast(fill(LABELS.ANSWER_READY_IN, { title: chat.title }), { label: LABELS.OPEN, action: () => go(chat.id) });
  }
  function take(list) {
    const here = new Map([...chats, ...list].map(c => [c.id, c]));
    chats = [...here.values()].sort(newest);
    draw();
  }
  return {
    start, set, renew, all, take, answering, rename, choosing, everything, focus, go,
    // Another chat is open, or none.
    mark(id) {
      const before = current;
      current = id;
      if (id) at = null;
      Parley.share.leave(); Parley.deeds.passing();
      for (const chat of chats) if (chat.id === before || chat.id === id) update(line(chat.id), chat);
      rove();
    },
    // A chat that was written in a moment ago.
    touch(chat) { if (!Parley.chats.temporary) take([{ ...chats.find(c => c.id === chat.id), ...chat }]); },
    // Of what is taken away the focus goes to the next row.
    drop(ids) {
      const gone = new Set(ids), all = lines(), row = document.activeElement?.closest?.(".chat"), index = all.indexOf(row);
      const left = index >= 0 && gone.has(row.dataset.id) ? [...all.slice(index), ...all.slice(0, index).reverse()].find(n => !gone.has(n.dataset.id)) : null;
      if (left) left.querySelector(".open").focus({ preventScroll: true });
      else if (index >= 0 && gone.has(row.dataset.id)) document.querySelector(".parley .side .new").focus();
      chats = chats.filter(c => !gone.has(c.id));
      draw();
    },
    chat: id => chats.find(c => c.id === id),
    get chosen() { return chosen; }, get size() { return chats.length; }, get more() { return more; },
  };
})();

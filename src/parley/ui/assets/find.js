// Search over every chat's title and messages, in the sidebar: the results take the list's place, and
// a message is opened where it stands.
Parley.find = (() => {
  const { el, put, attr, fill } = Parley;
  const PAUSE = 180; // ms of not typing before the server is asked
  const ABOVE = 90; // px above the message that is shown
  const SHOWN = 2000; // ms it is lit up
  let root, box, list, found, count, timer = 0, asked = 0, cursor = 0, results = [];

  function start(element) {
    root = element;
    box = root.querySelector(".find input"); list = root.querySelector(".history .list"); found = root.querySelector(".found"); count = root.querySelector(".history .count");
    box.addEventListener("input", () => { clearTimeout(timer); if (box.value.trim()) timer = setTimeout(look, PAUSE); else clear(); });
    box.addEventListener("keydown", key);
    found.addEventListener("click", e => { const node = e.target.closest(".hit"); if (node) { cursor = [...found.children].indexOf(node); pick(); } });
    found.addEventListener("mousemove", e => { const index = [...found.children].indexOf(e.target.closest(".hit")); if (index >= 0 && index !== cursor) move(index, false); });
    document.addEventListener("keydown", e => { if ((e.metaKey || e.ctrlKey) && e.shiftKey && Parley.letter(e, "f") && !root.querySelector("dialog[open]")) { e.preventDefault(); focus(); } });
    for (const [act, make] of [["find", focus], ["clear-find", () => { clear(); box.focus(); }]]) Parley.act(act, make);
  }
  function focus() {
    if (innerWidth > 900) root.classList.remove("side-closed"); else root.classList.add("side-open");
    box.focus(); box.select();
  }
  function key(e) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key], many = results.length;
    if (step && many) move((cursor + step + many) % many);
    else if (e.key === "ArrowDown" && !box.value) { const first = list.querySelector(".chat .open[tabindex='0']"); if (!first) return; first.focus(); }
    else if (e.key === "Enter" && !e.isComposing) { if (many) pick(); else look(); }
    else if (e.key === "Escape" && box.value) clear();
    else if (e.key === "Escape") box.blur();
    else return;
    e.preventDefault(); e.stopPropagation();
  }

  async function look() {
    const text = box.value.trim(), mine = ++asked;
    clearTimeout(timer);
    if (!text) { clear(); return; }
    const reply = await Parley.ask("find_chats", { text }).catch(() => null);
    // The last question is the one that counts, however slow an earlier answer was.
    if (mine !== asked || Parley.toast.failed(reply)) return;
    Parley.history.choosing(false);
    results = reply.results;
    found.replaceChildren(...results.map(hit));
    show(true);
    put(count, results.length ? Parley.sheets.count(results.length, LABELS.FOUND_ONE, LABELS.FOUND_MANY) : fill(LABELS.NOTHING_FOUND, { text }));
    move(0);
    root.querySelector(".history").scrollTop = 0;
  }
  const marked = parts => parts.map(([text, hit]) => hit ? el("mark", {}, text) : text);
  const hit = (result, index) => el("div", { class: "hit", role: "option", id: "parley-hit-" + index },
    el("span", { class: "name", dir: "auto" }, ...(result.title.length ? marked(result.title) : [LABELS.NEW_CHAT])),
    result.snippet.length ? el("span", { class: "snippet", dir: "auto" }, ...marked(result.snippet)) : null);
  function move(to, scroll = true) {
    cursor = to;
    [...found.children].forEach((node, index) => { node.classList.toggle("on", index === to); attr(node, "aria-selected", String(index === to)); });
    const node = found.children[to];
    attr(box, "aria-activedescendant", node ? node.id : null);
    if (scroll) node?.scrollIntoView({ block: "nearest" });
  }
  function show(on) {
    list.hidden = on; found.hidden = !on;
    root.querySelector(".side").classList.toggle("finding", on);
    root.querySelector("[data-act=clear-find]").hidden = !on;
    attr(box, "aria-expanded", String(on && results.length > 0));
  }
  function clear() {
    clearTimeout(timer); asked++;
    box.value = ""; results = [];
    found.replaceChildren(); put(count, "");
    attr(box, "aria-activedescendant", null);
    show(false);
  }

  // -- going there --
  async function pick() {
    const { chat, column, message } = results[cursor];
    root.classList.remove("side-open");
    if (message) {
      // It may stand on a branch that is not the one last read.
      const turned = await Parley.ask("show_message", { chat: column || chat, message }).catch(() => null);
      if (Parley.toast.failed(turned)) return;
    }
    await Parley.chats.open(chat);
    const talk = column ? Parley.compare.columns.find(c => c.chat === column)?.talk : Parley.chats.id === chat && Parley.chats.talk;
    if (message && talk) reveal(message, talk);
  }
  // After the view has gone to the conversation's end, which takes it a frame.
  function reveal(id, talk = Parley.chats.talk) {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const node = talk.transcript.node(id);
      if (!node) return;
      if (node.classList.contains("folded")) node.querySelector(".more")?.click();
      talk.scroll.to(node, ABOVE);
      node.classList.remove("shown");
      void node.offsetWidth; // so that a second time flashes too
      node.classList.add("shown");
      setTimeout(() => node.classList.remove("shown"), SHOWN);
    }));
  }
  return { start, focus, clear, reveal };
})();

// Which conversation is open, and what its reader has begun to write in it.
Parley.chats = (() => {
  const { remember } = Parley;
  let id = null, leaf = null, opening = 0, temporary = false, root, box, title, scrollBox, use, said;

  // `use` makes a model the one that answers next; `said` puts a sentence above the composer.
  function start(parts) {
    ({ root, box, title, scrollBox, use, said } = parts);
    addEventListener("hashchange", () => { const wanted = hash(); if (wanted !== id) open(wanted); });
    document.addEventListener("visibilitychange", async () => {
      // Another tab may have gone on with this chat.
      if (document.visibilityState !== "visible" || Parley.turn.current || !id) return;
      const found = await Parley.ask("open_chat", { chat: id }).catch(() => null);
      if (found && !found.error && !Parley.turn.current && found.id === id && found.leaf !== leaf) open(id);
    });
  }
  const hash = () => (location.hash.match(/^#\/c\/([0-9a-f-]{8,64})$/) || [])[1] || null;
  const setHash = key => history.replaceState(null, "", key ? "#/c/" + key : location.pathname + location.search);

  async function open(key, { first = false } = {}) {
    const mine = ++opening;
    temporary = false;
    Parley.turn.leave();
    said("");
    if (!key) { blank(); restore(first); return; }
    let found = null;
    try { found = await Parley.ask("open_chat", { chat: key }); } catch { said(LABELS.NO_SERVER); }
    if (mine !== opening) return;
    if (!found || found.error) { blank(); restore(first); if (found) said(`${found.error.sentence} ${found.error.fix}`); return; }
    id = found.id; setHash(id);
    title.textContent = found.title || LABELS.NEW_CHAT;
    draw(found);
    if (Parley.byId(found.model)) use(found.model);
    restore(first);
    Parley.scroll.end();
    Parley.turn.follow(found);
  }
  // The branch that is read now, as the server sent it.
  function draw(found) {
    leaf = found.leaf;
    Parley.transcript.show(found.messages);
    view(found.messages.length ? "chat" : "welcome");
    Parley.history.mark(id);
  }
  // The same chat after something in it has changed; the reader stays where she is.
  function redraw(found) {
    const at = scrollBox.scrollTop;
    draw(found);
    scrollBox.scrollTop = at;
  }
  function blank() {
    id = leaf = null; setHash(null);
    title.textContent = LABELS.NEW_CHAT;
    Parley.transcript.clear(); view("welcome"); Parley.history.mark(null); Parley.scroll.top();
  }
  // A turn has begun in `chat`, which may be new.
  function begun(chat) {
    // A temporary chat has no address: there is nothing to come back to.
    if (chat.id !== id) { id = chat.id; if (!temporary) setHash(id); }
    title.textContent = chat.title || LABELS.NEW_CHAT;
    Parley.history.touch(chat); Parley.history.mark(id);
  }
  const view = name => { root.dataset.view = name; };
  // A chat of which nothing is kept anywhere; it ends when another one is opened.
  const startTemporary = () => { open(null); temporary = true; box.focus(); };
  const fresh = () => { open(null); root.classList.remove("side-open"); box.focus(); };

  // -- drafts --
  function restore(first) {
    const lost = first ? remember.get("sending") : null;
    const kept = remember.get("draft." + (id || "new"), "");
    const arrived = lost && Array.from(root.querySelectorAll(".msg.user")).some(n => Parley.transcript.text(n.dataset.id) === lost.text);
    box.value = lost && !arrived ? lost.text : kept || "";
    if (lost) remember.set("sending", null);
    Parley.attach.open(id); Parley.meter.soon();
    Parley.page.grow();
  }
  const keepDraft = () => temporary || remember.set("draft." + (id || "new"), box.value || null);

  return { start, open, redraw, begun, fresh, startTemporary, get temporary() { return temporary; }, view, hash, keepDraft, get id() { return id; }, get leaf() { return leaf; }, set leaf(to) { leaf = to; } };
})();

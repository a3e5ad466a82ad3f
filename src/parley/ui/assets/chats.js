// Which chat is open, and what its reader has begun to write in it.
Parley.chats = (() => {
  const { remember } = Parley;
  let id = null, leaf = null, opening = 0, temporary = false, root, box, title, scrollBox, use, said, talk;

  // `use` makes a model the one that answers next; `said` puts a sentence above the composer, `hint`
  // is where it stands, `ear` is read out; `buttons` shows Send or Stop, `trigger` begins a stream.
  function start(parts) {
    ({ root, box, title, scrollBox, use, said } = parts);
    const { hint, ear, buttons, trigger, lost } = parts;
    talk = Parley.talks.add({
      element: scrollBox, messages: scrollBox.querySelector(".messages"), said, lost, changed: buttons,
      get id() { return id; }, get leaf() { return leaf; }, set leaf(to) { leaf = to; }, get model() { return Parley.picker.current; },
      named: model => Parley.byId(model).name, wishes: model => Parley.settings.changes(model),
      trigger: data => trigger({ chat: id, temporary, ...data }),
      entered: () => view("chat"), begun, grown() {}, redraw, reopen: () => open(id),
      heard() { if (hint.textContent === LABELS.SLOW) said(""); },
      ended(answer) {
        if (hint.textContent === LABELS.WAIT_FOR_ANSWER) said("");
        ear.textContent = answer.error ? answer.error.sentence : answer.state === "stopped" ? LABELS.STOPPED : LABELS.ANSWER_READY;
        Parley.live.look(); Parley.meter.soon();
      },
      refused(text) {
        remember.set("sending", null);
        if (text) { box.value = box.value ? text + "\n" + box.value : text; Parley.attach.take(); keepDraft(); Parley.page.grow(); }
        if (!Parley.transcript.size) view("welcome");
      },
    }, { box: scrollBox, spacer: root.querySelector(".stage > .scroll .spacer"), button: root.querySelector(".to-bottom") });
    ({ transcript: Parley.transcript, turn: Parley.turn, scroll: Parley.scroll } = talk);
    Parley.stage.add("c", { open: what => open(what), close() { said(""); } });
    document.addEventListener("visibilitychange", async () => {
      // Another tab may have gone on with this chat.
      if (document.visibilityState !== "visible" || Parley.turn.current || !id) return;
      const found = await Parley.ask("open_chat", { chat: id }).catch(() => null);
      if (found && !found.error && !Parley.turn.current && found.id === id && found.leaf !== leaf) open(id);
    });
  }
  const hash = () => { const { name, what } = Parley.stage.address(); return name === "c" ? what : null; };

  function submit() {
    const text = Parley.attach.whole(box.value);
    if (!text.trim()) return;
    if (talk.turn.current) { said(LABELS.WAIT_FOR_ANSWER); return; }
    if (Parley.attach.reading) { said(Parley.fill(LABELS.FILE_STILL_READING, { name: Parley.attach.reading })); return; }
    // Shown again by the next page where this one did not live to see it arrive.
    if (!temporary) remember.set("sending", { text });
    clearBox();
    talk.turn.send({ text });
  }
  function clearBox() { box.value = ""; Parley.attach.clear(); keepDraft(); Parley.page.grow(); }

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
    if (found.comparison) { blank(); Parley.compare.show(found.comparison); restore(first); return; }
    id = found.id; Parley.stage.show("c", id);
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
    id = leaf = null; Parley.stage.show("c");
    title.textContent = LABELS.NEW_CHAT;
    Parley.transcript.clear(); view("welcome"); Parley.history.mark(null); Parley.scroll.top();
  }
  // A turn has begun in `chat`, which may be new.
  function begun(chat) {
    // A temporary chat has no address: there is nothing to come back to.
    remember.set("sending", null);
    if (chat.id !== id) { id = chat.id; if (!temporary && Parley.stage.now === "c") Parley.stage.show("c", id); }
    if (Parley.stage.now === "c") title.textContent = chat.title || LABELS.NEW_CHAT;
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

  return { start, submit, clearBox, open, redraw, begun, fresh, startTemporary, get temporary() { return temporary; }, view, hash, keepDraft, get talk() { return talk; }, get id() { return id; }, get leaf() { return leaf; } };
})();

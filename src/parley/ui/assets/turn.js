// The turn under way: sending it, drawing what arrives, stopping it, taking up one that went on while
// its reader was away.
Parley.turn = (() => {
  const { token, remember } = Parley;
  const SILENCE = 5000; // ms without a sign of life (the server gives one every 0.25 s)
  const GIVE_UP = 60000; // ms of it while the server is there: busy, or the stream was lost on the way
  let turn = null, lastSign = 0, box, hint, ear, trigger, said, buttons;

  // `trigger` starts a stream; `said` puts a sentence above the composer; `buttons` shows Send or Stop.
  function start(parts) { ({ box, hint, ear, trigger, said, buttons } = parts); }

  function submit() {
    const text = Parley.attach.whole(box.value);
    if (!text.trim()) return;
    if (turn) { said(LABELS.WAIT_FOR_ANSWER); return; }
    if (Parley.attach.reading) { said(Parley.fill(LABELS.FILE_STILL_READING, { name: Parley.attach.reading })); return; }
    // Shown again by the next page where this one did not live to see it arrive.
    if (!Parley.chats.temporary) remember.set("sending", { text });
    box.value = "";
    Parley.attach.clear(); Parley.chats.keepDraft(); Parley.page.grow();
    send({ text });
  }
  // What is said, or which answer is to be written again (`retry`), gone on with (`continue`) or begun
  // anew from one of its tokens (`branch`); `edit` is the question that `text` takes the place of.
  function send({ text = "", retry = null, edit = null, continue: goOn = null, branch = null, model = null }) {
    said("");
    const id = token(), again = retry || branch?.of, own = goOn && Parley.transcript.node(goOn)?.last?.model;
    model = (Parley.byId(own) ? own : model) || Parley.picker.current;
    const { system_prompt = null, ...settings } = Parley.settings.changes(model);
    begin({ id, text, again, edit, user: again || goOn ? null : "new-" + id, answer: goOn, model });
    Parley.chats.view("chat");
    if (goOn) Parley.transcript.node(goOn).version = null;
    else if (again) {
      const question = Parley.transcript.node(again)?.previousElementSibling?.dataset.id;
      if (question) Parley.transcript.cutAfter(question);
    } else {
      if (edit) { Parley.transcript.cutAfter(edit); Parley.transcript.remove(edit); }
      const node = Parley.transcript.upsert({ id: turn.user, role: "user", text });
      Parley.scroll.pin(node);
    }
    if (!goOn) Parley.transcript.upsert(waiting(id, model));
    if (again) Parley.scroll.pin(Parley.transcript.node("wait-" + id).previousElementSibling);
    trigger("send", { owner: Parley.owner, turn: id, chat: Parley.chats.id, temporary: Parley.chats.temporary, retry_of: retry, edit_of: edit, continue_of: goOn, branch, text, model, system_prompt, settings });
  }
  const waiting = (id, model) => ({ id: "wait-" + id, role: "assistant", model, model_name: Parley.byId(model).name, state: "waiting", status: LABELS.SENDING, progress: null, notes: [], blocks: [], tail: "", version: 0 });
  function begin(given) {
    turn = { answer: null, after: Parley.chats.leaf, ...given };
    lastSign = Date.now();
    buttons();
  }
  // An answer that is still being written: it was left, and this page has come back to it.
  function follow(found) {
    const last = found.messages.at(-1);
    if (!last || last.role !== "assistant" || !["waiting", "streaming"].includes(last.state)) return;
    begin({ id: token(), model: last.model, answer: last.id, listed: true, followed: true });
    trigger("send", { owner: Parley.owner, turn: turn.id, chat: found.id, follow: last.id });
  }
  // The reader goes elsewhere; the answer goes on without her.
  function leave() { if (turn) { turn.ended = true; turn = null; buttons(); } }

  // A turn that was sent a moment ago may not have reached the server yet: asked until it has.
  async function stop() {
    if (!turn || turn.stopping) return;
    const mine = turn;
    mine.stopping = true;
    for (let tries = 0; tries < 40 && !mine.ended; tries++) {
      if ((await Parley.ask("stop", { turn: mine.id }).catch(() => ({}))).found) return;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }

  // One value per tick: the whole live turn. Values of a turn the person has left are ignored.
  function arrive(value) {
    if (!value || !turn || value.turn !== turn.id) return;
    lastSign = Date.now();
    if (hint.textContent === LABELS.SLOW) said("");
    if (value.refused) { refuse(value.refused); return; }
    if (value.chat && !turn.listed) { turn.listed = true; remember.set("sending", null); Parley.chats.begun(value.chat); }
    if (value.question && turn.user !== value.question) { Parley.transcript.rename(turn.user, value.question); turn.user = value.question; }
    // Another tab went on with this chat meanwhile: its turns are shown once this one is complete.
    if (!turn.edit && value.follows && value.follows !== turn.after) turn.stale = true;
    if (!turn.answer) { turn.answer = value.answer.id; Parley.transcript.rename("wait-" + turn.id, turn.answer); Parley.chats.leaf = turn.answer; }
    Parley.transcript.upsert(value.answer);
    Parley.scroll.grown();
    if (value.done) {
      const ended = value.answer, stale = turn.stale;
      over();
      if (hint.textContent === LABELS.WAIT_FOR_ANSWER) said("");
      if (stale) Parley.chats.open(Parley.chats.id);
      ear.textContent = ended.error ? ended.error.sentence : ended.state === "stopped" ? LABELS.STOPPED : LABELS.ANSWER_READY;
      Parley.live.look(); Parley.meter.soon();
    }
  }
  function over() { turn.ended = true; turn = null; buttons(); }
  function refuse(error) {
    const { user, text, id, edit, followed } = turn;
    over();
    const why = () => said(`${error.sentence} ${error.fix}`);
    if (followed) { Parley.chats.open(Parley.chats.id); return; }
    if (!user) { Parley.chats.open(Parley.chats.id).then(why); return; }
    Parley.transcript.remove("wait-" + id);
    Parley.transcript.remove(user);
    remember.set("sending", null);
    if (text && !edit) { box.value = box.value ? text + "\n" + box.value : text; Parley.attach.take(); Parley.chats.keepDraft(); Parley.page.grow(); }
    if (!Parley.transcript.size) Parley.chats.view("welcome");
    why();
    if (edit) Parley.chats.open(Parley.chats.id).then(why);
  }
  async function silent(mine) {
    if (mine.asking) return;
    const there = await (mine.asking = Parley.alive().finally(() => { mine.asking = null; }));
    if (turn !== mine || Date.now() - lastSign <= SILENCE) return;
    if (there && Date.now() - lastSign < GIVE_UP) said(LABELS.SLOW);
    else if (turn.answer) { Parley.transcript.fail(turn.answer, LABELS.BROKEN, LABELS.BROKEN_FIX); over(); said(""); }
    else refuse({ sentence: LABELS.NO_SERVER_WHAT, fix: LABELS.NO_SERVER_SEND });
  }
  const watch = () => { if (turn && Date.now() - lastSign > SILENCE) silent(turn); };

  return { start, submit, send, follow, leave, stop, arrive, watch, get current() { return turn; } };
})();

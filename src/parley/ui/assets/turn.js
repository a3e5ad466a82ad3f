// The turn under way in one conversation: sending it, drawing what arrives, stopping it, taking up one
// that went on while its reader was away. What is different in the chat and in a column of a
// comparison is said by `talk`, see talks.js.
Parley.makeTurn = talk => {
  const { token } = Parley;
  const SILENCE = 5000; // ms without a sign of life (the server gives one every 0.25 s)
  const GIVE_UP = 60000; // ms of it while the server is there: busy, or the stream was lost on the way
  let turn = null, lastSign = 0;

  // What is said, or which answer is to be written again (`retry`), gone on with (`continue`) or begun
  // anew from one of its tokens (`branch`); `edit` is the question that `text` takes the place of.
  function send({ text = "", retry = null, edit = null, continue: goOn = null, branch = null, model = null }) {
    talk.said("");
    const id = token(), again = retry || branch?.of, own = goOn && talk.transcript.node(goOn)?.last?.model;
    model = (Parley.byId(own) ? own : model) || talk.model;
    begin({ id, text, again, edit, user: again || goOn ? null : "new-" + id, answer: goOn, model });
    talk.entered();
    if (goOn) talk.transcript.node(goOn).version = null;
    else if (again) {
      const question = talk.transcript.node(again)?.previousElementSibling?.dataset.id;
      if (question) talk.transcript.cutAfter(question);
    } else {
      if (edit) { talk.transcript.cutAfter(edit); talk.transcript.remove(edit); }
      const node = talk.transcript.upsert({ id: turn.user, role: "user", text });
      talk.scroll.pin(node);
    }
    if (!goOn) talk.transcript.upsert(waiting(id, model));
    if (again) talk.scroll.pin(talk.transcript.node("wait-" + id).previousElementSibling);
    talk.trigger({ turn: id, retry_of: retry, edit_of: edit, continue_of: goOn, branch, text, model, ...Parley.settings.parted(talk.wishes(model)) });
  }
  const waiting = (id, model) => ({ id: "wait-" + id, role: "assistant", model, model_name: talk.named(model), state: "waiting", status: LABELS.SENDING, progress: null, notes: [], blocks: [], tail: "", version: 0 });
  function begin(given) {
    turn = { answer: null, after: talk.leaf, ...given };
    lastSign = Date.now();
    talk.changed();
  }
  // An answer that is still being written: it was left, and this page has come back to it.
  function follow(found) {
    const last = found.messages.at(-1);
    if (!last || last.role !== "assistant" || !["waiting", "streaming"].includes(last.state)) return;
    begin({ id: token(), model: last.model, answer: last.id, listed: true, followed: true });
    talk.trigger({ turn: turn.id, follow: last.id });
  }
  // The reader goes elsewhere; the answer goes on without her.
  function leave() { if (turn) { turn.ended = true; turn = null; talk.changed(); } }

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
    talk.heard();
    if (value.refused) { refuse(value.refused); return; }
    if (value.chat && !turn.listed) { turn.listed = true; talk.begun(value.chat); }
    if (value.question && turn.user !== value.question) { talk.transcript.rename(turn.user, value.question); turn.user = value.question; }
    // Another tab went on with this chat meanwhile: its turns are shown once this one is complete.
    if (!turn.edit && value.follows && value.follows !== turn.after) turn.stale = true;
    if (!turn.answer) { turn.answer = value.answer.id; talk.transcript.rename("wait-" + turn.id, turn.answer); talk.leaf = turn.answer; }
    talk.transcript.upsert(value.answer);
    talk.scroll.grown();
    talk.grown(value.answer);
    if (value.done) {
      const stale = turn.stale;
      over();
      if (stale) talk.reopen();
      talk.ended(value.answer);
    }
  }
  function over() { turn.ended = true; turn = null; talk.changed(); }
  function refuse(error) {
    const { user, text, id, edit, followed } = turn;
    over();
    const why = () => talk.said(`${error.sentence} ${error.fix}`);
    if (followed) { talk.reopen(); return; }
    if (!user) { talk.reopen().then(why); return; }
    talk.transcript.remove("wait-" + id);
    talk.transcript.remove(user);
    talk.refused(edit ? "" : text);
    why();
    if (edit) talk.reopen().then(why);
  }
  async function silent(mine) {
    if (mine.asking) return;
    const there = await (mine.asking = Parley.alive().finally(() => { mine.asking = null; }));
    if (turn !== mine || Date.now() - lastSign <= SILENCE) return;
    if (there && Date.now() - lastSign < GIVE_UP) talk.said(LABELS.SLOW);
    else if (turn.answer) { talk.transcript.fail(turn.answer, LABELS.BROKEN, LABELS.BROKEN_FIX); over(); talk.said(""); }
    else refuse({ sentence: LABELS.NO_SERVER_WHAT, fix: LABELS.NO_SERVER_SEND });
  }
  const watch = () => { if (turn && Date.now() - lastSign > SILENCE) silent(turn); };

  return { send, follow, leave, stop, arrive, watch, get current() { return turn; } };
};

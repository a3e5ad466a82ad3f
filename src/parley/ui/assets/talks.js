// A conversation on the page: the chat, or one column of a comparison. Each has its messages, its turn
// under way and its own scrolling; what is done to a message is done in the one that it stands in.
Parley.talks = (() => {
  const all = new Map(); // by the element that holds one
  let main = null;

  // `talk` says what is its own: `element` holds it, `messages` is where they are drawn, `id` the chat;
  // `model` answers next, called `named(model)` and asked with `wishes(model)`; `trigger(data)` begins
  // a stream. It hears `said` (a sentence for its reader), `changed` (a turn began or ended), `entered`
  // (something is shown), `begun` (its chat exists), `heard`, `grown`, `ended`, `refused` (the text
  // that was not taken), `lost` (the focus), and gives `redraw(found)` and `reopen()`.
  function add(talk, scroll) {
    talk.sent = null; talk.asked = 0; // see messages.js
    talk.scroll = Parley.makeScroll(scroll);
    talk.transcript = Parley.makeTranscript(talk);
    talk.turn = Parley.makeTurn(talk);
    // Asked of this conversation; null where the server did not answer.
    talk.ask = (name, data) => Parley.ask(name, { chat: talk.id, ...data }).catch(() => null);
    all.set(talk.element, talk);
    main ??= talk;
    return talk;
  }
  function of(node) {
    for (let at = node; at; at = at.parentElement) if (all.has(at)) return all.get(at);
    return main;
  }
  const drop = talk => { talk.turn.leave(); all.delete(talk.element); };
  // Says so where something must wait until an answer has ended.
  function busy(talk) {
    if (talk.turn.current) Parley.toast(LABELS.STILL_WRITING);
    return !!talk.turn.current;
  }
  const watch = () => { for (const talk of all.values()) talk.turn.watch(); };

  return { add, of, drop, busy, watch };
})();

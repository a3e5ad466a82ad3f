// What can be done with a message: write it anew, turn to its alternatives, ask another model, go on
// with it, take it away. How it is drawn is the business of transcript.js.
Parley.messages = (() => {
  const { el, act, attr, fill } = Parley;
  const MOST = 200000; // characters of a message
  const TALL = .6; // of the window's height that a message being edited may take
  // Of a conversation, `sent` is an edit on its way; `asked` counts the questions of what has changed.
  const { of: talkOf, busy } = Parley.talks;
  let box;

  function start() {
    box = document.querySelector(".parley .composer textarea");
    Parley.prose.start(document.querySelector(".parley"));
    document.addEventListener("keydown", turn);
    box.addEventListener("keydown", e => {
      if (e.key !== "ArrowUp" || box.value || e.shiftKey || e.altKey || e.ctrlKey || e.metaKey || e.isComposing) return;
      const mine = Parley.chats.talk.transcript.all().findLast(n => n.classList.contains("user"));
      if (mine && mine.checkVisibility()) { e.preventDefault(); edit(mine); }
    });
    act("edit", node => edit(of(node)));
    act("retry", node => { const { turn } = talkOf(node); if (!turn.current) turn.send({ retry: of(node).dataset.id }); });
    act("retry-with", node => { const talk = talkOf(node); if (!busy(talk)) Parley.picker.choose({ title: LABELS.RETRY_WITH, onPick: model => talk.turn.send({ retry: of(node).dataset.id, model }) }); });
    act("continue", node => { const talk = talkOf(node); if (!busy(talk)) talk.turn.send({ continue: of(node).dataset.id }); });
    act("copy", async node => { await Parley.copy(talkOf(node).transcript.text(of(node).dataset.id)); Parley.flash(node, LABELS.COPIED); });
    act("stop", node => { const talk = talkOf(node); if (talk === Parley.chats.talk) Parley.page.here().stop(); else talk.turn.stop(); });
    act("branch", async node => {
      const talk = talkOf(node);
      if (talk.turn.current) return;
      const found = await talk.ask("branch", { message: of(node).dataset.id, step: +node.dataset.step });
      if (!failed(found)) talk.redraw(found);
    });
    act("delete-message", node => remove(of(node)));
    act("facts", node => facts(of(node)));
    act("thumb", node => Parley.feedback.thumb(node));
    act("rate", node => Parley.feedback.open(of(node)));
  }
  const of = node => node.closest(".msg");
  const failed = found => Parley.toast.failed(found);

  // -- what the server has to say since a message was drawn --
  async function refresh(talk) {
    if (talk.blind) return;
    const chat = talk.id, mine = ++talk.asked, found = chat && await talk.ask("marks", {});
    if (!found || found.error || chat !== talk.id || mine !== talk.asked) return;
    for (const [id, mark] of Object.entries(found.marks)) talk.transcript.mark(id, mark);
  }
  // What is on its way to this page was true before the person changed something.
  const outdate = talk => { talk.asked++; };
  // A message of the person's has reached the store.
  function kept(talk) { if (talk.sent) { talk.sent = null; refresh(talk); } }
  // The conversation was drawn again. One whose edit was sent and stands there still was refused:
  // what was written is not lost.
  function shown(talk) {
    const { sent } = talk, node = sent && !talk.turn.current && talk.transcript.node(sent.id);
    if (node) edit(node, sent.text);
    if (!talk.turn.current) talk.sent = null;
  }

  // -- writing anew --
  function edit(node, text = null) {
    if (node.editor) { node.editor.focus(); return; }
    const mine = node.classList.contains("user"), id = node.dataset.id, { transcript } = talkOf(node);
    // The files of a question stay as they are; only her words are written anew.
    const had = mine ? Parley.attach.parse(transcript.text(id)) : { files: [], text: transcript.text(id) };
    text ??= had.text;
    const area = node.editor = el("textarea", { rows: 1, maxlength: MOST, dir: "auto", spellcheck: mine ? null : "false", "aria-label": mine ? LABELS.EDIT_MESSAGE : LABELS.EDIT_ANSWER });
    const done = el("button", { type: "submit", class: "primary" }, mine ? LABELS.SEND : LABELS.SAVE);
    const form = el("form", { class: "editor" }, area, el("div", { class: "row" },
      el("small", {}, fill(mine ? LABELS.EDIT_KEYS_SEND : LABELS.EDIT_KEYS_SAVE, { keys: /Mac|iP/.test(navigator.platform) ? "⌘↵" : "Ctrl+↵" })), el("span", { class: "grow" }),
      el("button", { type: "button", class: "plain", onclick: () => stop(node) }, LABELS.CANCEL), done));
    const empty = () => !area.value.trim() && !had.files.length;
    const grow = () => {
      done.disabled = empty();
      area.style.height = "auto";
      area.style.height = Math.min(area.scrollHeight + 2, innerHeight * TALL) + "px";
    };
    area.value = text;
    area.addEventListener("input", grow);
    form.addEventListener("submit", e => { e.preventDefault(); if (!empty()) (mine ? send : save)(node, id, area.value, had.files, done); });
    form.addEventListener("keydown", e => {
      if (e.isComposing) return;
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); form.requestSubmit(); }
      // Esc would also stop the answer under way.
      if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); stop(node); }
    });
    node.classList.add("editing");
    node.parts.body.before(form);
    grow();
    area.focus();
    area.setSelectionRange(text.length, text.length);
    form.scrollIntoView({ block: "nearest" });
  }
  function stop(node) {
    node.querySelector(".editor")?.remove();
    node.editor = null;
    node.classList.remove("editing");
    (node.querySelector("[data-act=edit]") || node).focus({ preventScroll: true });
  }
  function send(node, id, text, files) {
    const talk = talkOf(node);
    if (busy(talk)) return;
    talk.sent = { id, text };
    stop(node);
    talk.turn.send({ text: Parley.attach.wrap(text, files), edit: id });
    box.focus({ preventScroll: true });
  }
  async function save(node, id, text, files, button) {
    const talk = talkOf(node);
    if (busy(talk)) return;
    if (text === talk.transcript.text(id)) { stop(node); return; }
    button.disabled = true;
    const chat = talk.id, found = await talk.ask("edit_answer", { message: id, text });
    button.disabled = false;
    if (failed(found) || chat !== talk.id) return;
    talk.redraw(found);
    talk.transcript.all().at(-1)?.querySelector("[data-act=edit]")?.focus({ preventScroll: true });
  }

  // -- alternatives by keyboard: of the message in hand, else of the last two --
  function turn(e) {
    if (Parley.share.reading || !e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || !["ArrowLeft", "ArrowRight"].includes(e.key)) return;
    // In a text, these keys belong to it on some systems.
    if (e.target.closest("dialog") || e.target.closest("input, textarea")?.value) return;
    const own = e.target.closest(".msg"), step = e.key === "ArrowLeft" ? -1 : 1;
    const turns = (own ? [own] : talkOf(e.target).transcript.all().slice(-2).reverse()).map(n => n.querySelector(`.turns [data-step="${step}"]`)).find(Boolean);
    if (!turns) return; // the browser goes back, as it would anywhere
    e.preventDefault();
    turns.click();
  }

  // -- taking away --
  async function remove(node) {
    const talk = talkOf(node);
    if (busy(talk)) return;
    const chat = talk.id, found = await talk.ask("delete_message", { message: node.dataset.id });
    if (failed(found)) return;
    if (chat === talk.id) talk.redraw(found);
    if (document.activeElement === document.body) (talk.transcript.all().at(-1) || box).focus({ preventScroll: true });
    Parley.toast(Parley.sheets.count(found.removed.messages.length, LABELS.MESSAGE_DELETED, LABELS.MESSAGES_DELETED), {
      action: async () => {
        const back = await talk.ask("restore_messages", { chat, removed: found.removed });
        if (!failed(back) && chat === talk.id && !talk.turn.current) talk.redraw(back);
      },
    });
  }

  // -- how it came to be --
  async function facts(node) {
    const { facts } = node.parts;
    if (facts.hidden) {
      const found = await talkOf(node).ask("facts", { message: node.dataset.id });
      if (failed(found)) return;
      facts.replaceChildren(Parley.facts.table(found.facts), Parley.looks.buttons());
    }
    facts.hidden = !facts.hidden;
    attr(node.querySelector(".stats"), "aria-expanded", String(!facts.hidden)); // which may be another one by now
  }

  return { start, refresh, outdate, kept, shown };
})();

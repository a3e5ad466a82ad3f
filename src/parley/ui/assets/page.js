// The page at work: joins the rooms above with the server. `start` is called once by the gr.HTML
// component that holds the page, with what Gradio gives it.
Parley.page = (() => {
  const { token, remember, owner } = Parley;
  const SILENCE = 5000; // ms without a sign of life (the server gives one every 0.25 s)
  const GIVE_UP = 60000; // ms of it while the server is there: busy, or the stream was lost on the way
  const SLOW = "Parley is slow to answer; still waiting.", WAIT = "The answer is still being written. Stop it first, or wait; your text is kept.";
  let root, server, trigger, watch, props, box, sendButton, stopButton, hint, title;
  let chat = null, leaf = null, turn = null, lastSign = 0, opening = 0, version = null, ticks = 0, lastName = "";

  const $ = selector => root.querySelector(selector);
  const ask = (name, data = {}) => server[name]({ owner, ...data });
  const wide = () => innerWidth > 900;

  async function start(given) {
    ({ server, trigger, watch, props } = given);
    root = given.element.querySelector(".parley");
    box = $("textarea"); sendButton = $(".send"); stopButton = $(".stop"); hint = $(".hint"); title = $(".title");
    Parley.transcript.start($(".messages"), () => { if (wide()) box.focus(); });
    Parley.scroll.start({ box: $(".scroll"), spacer: $(".spacer"), button: $(".to-bottom") });
    Parley.history.start($(".history .list"));
    Parley.welcome.start($(".welcome"));
    Parley.live.start({ ask, news: states, ear: $(".announce"), report: error => Parley.machine.isOpen ? Parley.machine.complain(error) : say(`${error.sentence} ${error.fix}`) });
    Parley.machine.start({ sheet: $(".machine"), opener: $("[data-act=machine]"), ask });
    Parley.picker.start({ button: $("button.picker"), sheet: $(".sheet"), onPick: pick });
    Parley.settings.start({ form: $(".fields"), heading: $(".for") });
    Parley.theme.apply(); Parley.theme.watch();
    if (remember.get("side", true) === false && wide()) root.classList.add("side-closed");
    watch("value", () => arrive(props.value));
    root.addEventListener("click", click);
    $(".composer").addEventListener("submit", e => { e.preventDefault(); submit(); });
    box.addEventListener("input", () => { grow(); keepDraft(); });
    box.addEventListener("keydown", e => {
      const touch = matchMedia("(hover: none) and (pointer: coarse)").matches;
      if (e.key === "Enter" && !e.shiftKey && !e.isComposing && (!touch || e.ctrlKey)) { e.preventDefault(); submit(); }
    });
    document.addEventListener("keydown", shortcut);
    document.addEventListener("visibilitychange", async () => {
      // Another tab may have gone on with this chat.
      if (document.visibilityState !== "visible" || turn || !chat) return;
      const found = await ask("open_chat", { chat }).catch(() => null);
      if (found && !found.error && !turn && found.id === chat && found.leaf !== leaf) open(chat);
    });
    addEventListener("hashchange", () => { const id = hash(); if (id !== chat) open(id); });
    setInterval(tick, 1000);
    while (true) {
      try { await refresh(); break; } catch { say("Parley does not answer yet."); await new Promise(resolve => setTimeout(resolve, 1000)); }
    }
    await open(hash(), { first: true });
    root.dataset.ready = "true";
    if (wide()) box.focus();
  }

  const hash = () => (location.hash.match(/^#\/c\/([0-9a-f-]{8,64})$/) || [])[1] || null;
  const setHash = id => history.replaceState(null, "", id ? "#/c/" + id : location.pathname + location.search);

  // -- models --
  async function refresh() {
    const news = await ask("hello", { chats: !root.dataset.ready });
    if (news.error) throw new Error(news.error.sentence);
    Parley.models = news.models; version = news.version; Parley.machine.usage(news.memory);
    if (news.chats) Parley.history.set(news.chats);
    let model = Parley.picker.current || remember.get("model");
    const gone = Parley.picker.current && !Parley.byId(model);
    if (!Parley.byId(model)) model = news.default;
    if (gone) say(`${lastName} is no longer in the catalogue; ${Parley.byId(model).name} answers next.`);
    const error = $(".catalogue-error");
    error.hidden = !news.catalogue_error; error.textContent = news.catalogue_error || "";
    const banner = $(".banner");
    banner.hidden = !news.catalogue_error;
    banner.querySelector("span").textContent = (news.catalogue_error || "").split("\n")[0] + " The models as they were stay in force.";
    use(model, { quiet: root.dataset.ready === "true" });
    return news;
  }
  function use(id, { quiet = false } = {}) {
    Parley.picker.show(id); Parley.picker.refresh();
    if (!quiet) Parley.settings.show(id);
    const model = Parley.byId(id), notice = $(".model-notice");
    lastName = model.name;
    notice.textContent = model.notice || ""; notice.hidden = !model.notice;
    Parley.welcome.show(model); Parley.live.announce(model);
  }
  function pick(id) {
    if (turn) stop();
    remember.set("model", id);
    use(id);
    box.focus();
  }

  // -- sending --
  function submit() {
    const text = box.value;
    if (!text.trim()) return;
    if (turn) { say(WAIT); return; }
    send({ text });
  }
  function send({ text = "", retry = null }) {
    say("");
    const id = token(), model = Parley.picker.current;
    const { system_prompt = null, ...settings } = Parley.settings.changes(model);
    turn = { id, text, retry, user: retry ? null : "new-" + id, answer: null, model, after: leaf };
    lastSign = Date.now();
    view("chat");
    if (retry) {
      const question = Parley.transcript.node(retry)?.previousElementSibling?.dataset.id;
      if (question) Parley.transcript.cutAfter(question);
    } else {
      const node = Parley.transcript.upsert({ id: turn.user, role: "user", text });
      box.value = ""; remember.set("sending", { text, id }); keepDraft(); grow();
      Parley.scroll.pin(node);
    }
    Parley.transcript.upsert(waiting(id, model));
    if (retry) Parley.scroll.pin(Parley.transcript.node("wait-" + id).previousElementSibling);
    buttons();
    trigger("send", { owner, turn: id, chat, retry_of: retry, text, model, system_prompt, settings });
  }
  const waiting = (id, model) => ({ id: "wait-" + id, role: "assistant", model, model_name: Parley.byId(model).name, state: "waiting", status: "Sending", progress: null, notes: [], blocks: [], tail: "", version: 0 });

  // A turn that was sent a moment ago may not have reached the server yet: asked until it has.
  async function stop() {
    if (!turn || turn.stopping) return;
    const mine = turn;
    mine.stopping = true;
    for (let tries = 0; tries < 40 && !mine.ended; tries++) {
      if ((await ask("stop", { turn: mine.id }).catch(() => ({}))).found) return;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }

  // One value per tick: the whole live turn. Values of a turn the person has left are ignored.
  function arrive(value) {
    if (!value || !turn || value.turn !== turn.id) return;
    lastSign = Date.now();
    if (hint.textContent === SLOW) say("");
    if (value.refused) { refuse(value.refused); return; }
    if (value.chat && value.chat.id !== chat) { chat = value.chat.id; setHash(chat); }
    if (value.chat && !turn.listed) { turn.listed = true; remember.set("sending", null); title.textContent = value.chat.title || LABELS.NEW_CHAT; Parley.history.touch(value.chat); Parley.history.mark(chat); }
    if (value.question && turn.user !== value.question) { Parley.transcript.rename(turn.user, value.question); turn.user = value.question; }
    // Another tab went on with this chat meanwhile: its turns are shown once this one is complete.
    if (value.follows && value.follows !== turn.after) turn.stale = true;
    if (!turn.answer) { turn.answer = value.answer.id; Parley.transcript.rename("wait-" + turn.id, turn.answer); leaf = turn.answer; }
    Parley.transcript.upsert(value.answer);
    Parley.scroll.grown();
    if (value.done) {
      const ended = value.answer;
      const stale = turn.stale;
      turn.ended = true; turn = null; buttons();
      if (hint.textContent === WAIT) say("");
      if (stale) open(chat);
      $(".announce").textContent = ended.error ? ended.error.sentence : ended.state === "stopped" ? "Stopped" : "Answer ready";
      Parley.live.look();
    }
  }
  function refuse(error) {
    const { user, text, id, retry } = turn;
    turn.ended = true; turn = null; buttons();
    Parley.transcript.remove("wait-" + id);
    if (user) Parley.transcript.remove(user);
    remember.set("sending", null);
    if (!retry && text) { box.value = box.value ? text + "\n" + box.value : text; keepDraft(); grow(); }
    if (!Parley.transcript.size) view("welcome");
    const why = () => say(`${error.sentence} ${error.fix}`);
    why();
    if (retry) open(chat).then(why);
  }
  async function silent(mine) {
    if (mine.asking) return;
    const there = await (mine.asking = Parley.alive().finally(() => { mine.asking = null; }));
    if (turn !== mine || Date.now() - lastSign <= SILENCE) return;
    if (there && Date.now() - lastSign < GIVE_UP) say(SLOW);
    else if (turn.answer) { Parley.transcript.fail(turn.answer, "The connection to Parley broke.", "What was written is kept. Press Retry when Parley is back."); turn.ended = true; turn = null; buttons(); say(""); }
    else refuse({ sentence: "Parley does not answer.", fix: "Check that it is still running, then send again." });
  }
  function tick() {
    if (turn && Date.now() - lastSign > SILENCE) silent(turn);
    if (document.visibilityState !== "visible" || !root.dataset.ready) return;
    Parley.live.tick(Parley.picker.isOpen || Parley.machine.isOpen || !!turn);
    Parley.machine.refresh();
  }
  function states(news) {
    if (news.version !== version) { refresh().then(() => Parley.settings.show(Parley.picker.current)).catch(() => {}); return; }
    Parley.live.take(news);
    const model = Parley.byId(Parley.picker.current);
    Parley.picker.refresh(); Parley.machine.redraw(); Parley.machine.usage(news.memory);
    Parley.welcome.show(model); Parley.live.announce(model);
  }

  // -- chats --
  async function open(id, { first = false } = {}) {
    const mine = ++opening;
    if (turn) { stop(); turn = null; buttons(); }
    say("");
    if (!id) { blank(); restore(first); return; }
    let found = null;
    try { found = await ask("open_chat", { chat: id }); } catch { say("Parley does not answer. Check that it is still running."); }
    if (mine !== opening) return;
    if (!found || found.error) { blank(); restore(first); if (found) say(`${found.error.sentence} ${found.error.fix}`); return; }
    chat = found.id; leaf = found.leaf; setHash(chat);
    title.textContent = found.title || LABELS.NEW_CHAT;
    Parley.transcript.show(found.messages);
    view(found.messages.length ? "chat" : "welcome");
    Parley.history.mark(chat);
    if (Parley.byId(found.model)) use(found.model);
    restore(first);
    Parley.scroll.end();
    requestAnimationFrame(Parley.scroll.end);
  }
  function blank() {
    chat = leaf = null; setHash(null);
    title.textContent = LABELS.NEW_CHAT;
    Parley.transcript.clear(); view("welcome"); Parley.history.mark(null); Parley.scroll.top();
  }
  function restore(first) {
    const lost = first ? remember.get("sending") : null;
    const kept = remember.get("draft." + (chat || "new"), "");
    const arrived = lost && Array.from(root.querySelectorAll(".msg.user .said")).some(n => n.textContent === lost.text);
    box.value = lost && !arrived ? lost.text : kept || "";
    if (lost) remember.set("sending", null);
    grow();
  }
  const keepDraft = () => remember.set("draft." + (chat || "new"), box.value || null);

  // -- small things --
  const view = name => { root.dataset.view = name; };
  function say(text) { hint.replaceChildren(...Parley.linked(text)); hint.hidden = !text; }
  function grow() { box.style.height = "auto"; box.style.height = Math.min(box.scrollHeight + 1, 212) + "px"; buttons(); }
  function buttons() {
    sendButton.hidden = !!turn; stopButton.hidden = !turn;
    sendButton.disabled = !box.value.trim();
    root.classList.toggle("busy", !!turn);
  }
  function drawer(on = !root.classList.contains("drawer-open")) {
    root.classList.toggle("drawer-open", on);
    $(".drawer").inert = !on;
    const toggle = $(".top [data-act=settings]");
    toggle.setAttribute("aria-expanded", on);
    if (!on) { toggle.focus(); return; }
    const mistake = $(".catalogue-error");
    if (!mistake.hidden) mistake.scrollIntoView(); else if (wide()) $(".fields textarea")?.focus({ preventScroll: true });
  }
  function side() {
    if (wide()) { root.classList.toggle("side-closed"); remember.set("side", !root.classList.contains("side-closed")); }
    else root.classList.toggle("side-open");
  }
  function fresh() { open(null); root.classList.remove("side-open"); box.focus(); }

  function shortcut(e) {
    if (e.key === "Escape" && !root.querySelector("dialog[open]")) {
      if (root.classList.contains("side-open")) root.classList.remove("side-open");
      else if (turn) stop();
      else if (root.classList.contains("drawer-open")) drawer(false);
    }
    const command = e.metaKey || e.ctrlKey;
    if (command && !e.shiftKey && e.key.toLowerCase() === "k") { e.preventDefault(); Parley.machine.close(); if (Parley.picker.isOpen) Parley.picker.close(); else Parley.picker.open(); }
    if (command && e.shiftKey && e.key.toLowerCase() === "o") { e.preventDefault(); fresh(); }
  }

  const ACTS = {
    "new-chat": fresh,
    "toggle-side": side,
    "close-side": () => root.classList.remove("side-open"),
    "settings": () => drawer(),
    "picker": () => Parley.picker.open(),
    "close-picker": () => Parley.picker.close(),
    "theme": () => Parley.theme.next(),
    "stop": stop,
    "to-bottom": () => Parley.scroll.end(),
    "reset": () => Parley.settings.reset(),
    "example": node => { if (!turn) send({ text: node.textContent }); },
    "machine": () => { root.classList.remove("side-open"); Parley.machine.open(); },
    "close-machine": () => Parley.machine.close(),
    "load-now": node => Parley.live.act("load_now", node.dataset.model).then(Parley.machine.refresh),
    "unload": node => Parley.live.act("unload", node.dataset.model).then(Parley.machine.refresh),
    "pin": node => Parley.live.act("pin", node.dataset.model, { pinned: node.getAttribute("aria-pressed") !== "true" }).then(Parley.machine.refresh),
    "reload": async node => { node.disabled = true; try { await ask("reload"); await refresh(); Parley.settings.show(Parley.picker.current); } finally { node.disabled = false; } },
    "open-chat": node => { root.classList.remove("side-open"); open(node.closest(".chat").dataset.id); },
    "delete-chat": async node => {
      const id = node.closest(".chat").dataset.id;
      if (!Parley.history.arm(id)) return;
      if (id === chat) fresh();
      await ask("delete_chat", { chat: id }); Parley.history.drop(id);
    },
    "copy": async node => { await Parley.copy(Parley.transcript.text(node.closest(".msg").dataset.id)); Parley.flash(node, "Copied"); },
    "retry": node => { if (turn) return; const id = node.closest(".msg").dataset.id; send({ retry: id }); },
    "branch": async node => {
      if (turn) return;
      const found = await ask("branch", { chat, message: node.closest(".msg").dataset.id, step: +node.dataset.step });
      if (found.error) { say(found.error.sentence); return; }
      const at = $(".scroll").scrollTop;
      leaf = found.leaf; Parley.transcript.show(found.messages); $(".scroll").scrollTop = at;
    },
  };
  function click(e) {
    const code = e.target.closest(".copy-code");
    if (code) { Parley.copy(code.closest("figure").querySelector("code").textContent).then(() => Parley.flash(code, "Copied")); return; }
    const node = e.target.closest("[data-act]");
    if (node && root.contains(node) && ACTS[node.dataset.act] && node.getAttribute("aria-disabled") !== "true") ACTS[node.dataset.act](node);
  }
  return { start };
})();

// The page at work: joins the rooms above with the server. `start` is called once by the gr.HTML
// component that holds the page, with what Gradio gives it.
Parley.page = (() => {
  const { remember } = Parley;
  let root, server, watch, props, box, sendButton, stopButton, hint, version = null, lastName = "";

  const $ = selector => root.querySelector(selector);
  const wide = () => innerWidth > 900;
  Parley.ask = (name, data = {}) => server[name]({ owner: Parley.owner, speaks: LANGUAGE, ...data });

  async function start(given) {
    ({ server, watch, props } = given);
    root = given.element.querySelector(".parley");
    box = $("textarea"); sendButton = $(".send"); stopButton = $(".stop"); hint = $(".hint");
    acts();
    Parley.messages.start();
    Parley.toast.start($(".toasts"));
    Parley.history.start($(".history .list"));
    for (const room of ["deeds", "find", "share", "data"]) Parley[room].start(root);
    Parley.welcome.start($(".welcome"));
    Parley.live.start({ ask: Parley.ask, news: states, ear: $(".announce:not(.heard)"), report: error => Parley.machine.isOpen ? Parley.machine.complain(error) : say(`${error.sentence} ${error.fix}`) });
    Parley.machine.start({ sheet: $(".machine"), opener: $("[data-act=machine]"), ask: Parley.ask });
    Parley.picker.start({ button: $("button.picker"), sheet: $(".sheet"), onPick: pick });
    Parley.settings.start({ form: $(".fields"), heading: $(".for") });
    Parley.attach.start({ root, box });
    Parley.drop.start({ root });
    Parley.meter.start({ node: $(".used"), box });
    const ear = $(".announce:not(.heard)"), lost = () => { if (wide()) box.focus(); };
    Parley.chats.start({ root, box, title: $(".title"), scrollBox: $(".stage > .scroll"), use, said: say, hint, ear, buttons, lost, trigger: data => given.trigger("send", sent(data)) });
    Parley.compare.start({ root, box, said: say, ear, buttons, lost, sent });
    Parley.stage.start(root);
    Parley.theme.apply(); Parley.theme.watch(); Parley.language.watch();
    if (remember.get("side", true) === false && wide()) root.classList.add("side-closed");
    watch("value", () => Parley.chats.talk.turn.arrive(props.value));
    root.addEventListener("click", click);
    $(".composer").addEventListener("submit", e => { e.preventDefault(); submit(); });
    box.addEventListener("input", () => { grow(); Parley.chats.keepDraft(); Parley.meter.soon(); });
    box.addEventListener("keydown", e => {
      const touch = matchMedia("(hover: none) and (pointer: coarse)").matches;
      if (e.key === "Enter" && !e.shiftKey && !e.isComposing && (!touch || e.ctrlKey)) { e.preventDefault(); submit(); }
    });
    document.addEventListener("keydown", shortcut);
    setInterval(tick, 1000);
    const mine = await Parley.identify(), me = $(".foot .me");
    me.hidden = !mine;
    if (mine) me.querySelector(".value").textContent = mine;
    while (true) {
      try { await refresh(); break; } catch { say(LABELS.NO_SERVER_YET); await new Promise(resolve => setTimeout(resolve, 1000)); }
    }
    const { name, what } = Parley.stage.address();
    await (name === "c" ? Parley.chats.open(what, { first: true }) : Parley.stage.enter());
    await Parley.share.enter();
    await Parley.links.enter();
    root.dataset.ready = "true";
    if (wide()) box.focus();
  }

  // -- models --
  async function refresh() {
    const news = await Parley.ask("hello", { chats: !root.dataset.ready });
    if (news.error) throw new Error(news.error.sentence);
    Parley.models = news.models; version = news.version; Parley.machine.usage(news.memory);
    if (news.chats) Parley.history.set(news.chats);
    let model = Parley.picker.current || remember.get("model");
    const gone = Parley.picker.current && !Parley.byId(model);
    if (!Parley.byId(model)) model = news.default;
    if (gone) say(Parley.fill(LABELS.MODEL_WENT, { model: lastName, next: Parley.byId(model).name }));
    const error = $(".catalogue-error");
    error.hidden = !news.catalogue_error; error.textContent = news.catalogue_error || "";
    const banner = $(".banner");
    banner.hidden = !news.catalogue_error;
    banner.querySelector("span").textContent = (news.catalogue_error || "").split("\n")[0] + " " + LABELS.CATALOGUE_KEPT;
    use(model, { quiet: root.dataset.ready === "true" });
    return news;
  }
  function use(id, { quiet = false } = {}) {
    Parley.picker.show(id); Parley.picker.refresh();
    if (!quiet) Parley.settings.show(id);
    const model = Parley.byId(id), notice = $(".model-notice");
    lastName = model.name;
    notice.textContent = model.notice || ""; notice.hidden = !model.notice;
    Parley.welcome.show(model); Parley.live.announce(model); Parley.meter.soon();
  }
  function pick(id) {
    if (Parley.chats.talk.turn.current) Parley.chats.talk.turn.stop();
    remember.set("model", id);
    use(id);
    box.focus();
  }
  function tick() {
    Parley.talks.watch();
    if (document.visibilityState !== "visible" || !root.dataset.ready) return;
    Parley.live.tick(Parley.picker.isOpen || Parley.machine.isOpen || here().busy());
    Parley.machine.refresh();
  }
  function states(news) {
    if (news.version !== version) { refresh().then(() => Parley.settings.show(Parley.picker.current)).catch(() => {}); return; }
    Parley.live.take(news); Parley.history.answering(news.answering); Parley.settings.refresh();
    const model = Parley.byId(Parley.picker.current);
    Parley.picker.refresh(); Parley.machine.redraw(); Parley.machine.usage(news.memory);
    Parley.welcome.show(model); Parley.live.announce(model); Parley.compare.refresh();
  }

  // -- the composer: of the chat, or of all columns of a comparison --
  // What every stream is begun with.
  const sent = data => ({ owner: Parley.owner, ...data });
  const here = () => Parley.stage.now === "compare" ? Parley.compare : { busy: () => !!Parley.turn?.current, stop: () => Parley.turn.stop(), submit: Parley.chats.submit };
  const submit = () => here().submit();

  // -- small things --
  function say(text) { hint.replaceChildren(...Parley.linked(text)); hint.hidden = !text; }
  function grow() { box.style.height = "auto"; box.style.height = Math.min(box.scrollHeight + 1, 212) + "px"; buttons(); }
  function buttons() {
    const busy = here().busy();
    sendButton.hidden = busy; stopButton.hidden = !busy;
    sendButton.disabled = !box.value.trim() && !Parley.attach.size;
    root.classList.toggle("busy", busy);
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

  function shortcut(e) {
    if (e.key === "Escape" && !root.querySelector("dialog[open]")) {
      if (root.classList.contains("side-open")) root.classList.remove("side-open");
      else if (here().busy()) here().stop();
      else if (root.classList.contains("drawer-open")) drawer(false);
    }
    const command = e.metaKey || e.ctrlKey;
    if (command && !e.shiftKey && Parley.letter(e, "k")) { e.preventDefault(); Parley.machine.close(); if (Parley.picker.isOpen) Parley.picker.close(); else Parley.picker.open(); }
    if (command && e.shiftKey && Parley.letter(e, "o")) { e.preventDefault(); Parley.chats.fresh(); }
  }

  function acts() {
    const { act } = Parley, live = (name, node, more) => Parley.live.act(name, node.dataset.model, more).then(Parley.machine.refresh);
    act("new-chat", () => Parley.chats.fresh());
    act("toggle-side", side);
    act("close-side", () => root.classList.remove("side-open"));
    act("settings", () => { Parley.settings.show(Parley.picker.current); drawer(); });
    act("picker", () => Parley.picker.open());
    act("close-picker", () => Parley.picker.close());
    act("theme", () => Parley.theme.next());
    act("sign-out", () => { location.href = "logout"; });
    act("language", () => Parley.language.next());
    act("to-bottom", () => Parley.scroll.end());
    act("reset", () => Parley.settings.reset());
    act("example", node => { if (!Parley.turn.current) Parley.turn.send({ text: node.textContent }); });
    act("machine", () => { root.classList.remove("side-open"); Parley.machine.open(); });
    act("close-machine", () => Parley.machine.close());
    act("load-now", node => live("load_now", node));
    act("unload", node => live("unload", node));
    act("pin", node => live("pin", node, { pinned: node.getAttribute("aria-pressed") !== "true" }));
    act("reload", async node => { node.disabled = true; try { await Parley.ask("reload"); await refresh(); Parley.settings.show(Parley.picker.current); } finally { node.disabled = false; } });
  }
  function click(e) {
    const code = e.target.closest(".copy-code");
    if (code) Parley.copy(code.closest("figure").querySelector("code").textContent).then(() => Parley.flash(code, LABELS.COPIED));
    else Parley.click(e, root);
  }
  const write = text => { box.value = text; grow(); Parley.chats.keepDraft(); };
  return { start, grow, say, use, write, here, drawer };
})();

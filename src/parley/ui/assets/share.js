// Links to read-only copies of a chat: made and taken back in a dialog; opened by ?shared=ID, from
// where a reader may go on in a chat of her own.
Parley.share = (() => {
  const { el, put, rows, fill } = Parley;
  const PARAMETER = "shared";
  let root, sheet = null, chat = null, parts, reading = null, entering = null;

  function start(element) {
    root = element;
    const wanted = new URLSearchParams(location.search).get(PARAMETER);
    // Beside it, an open chat's address wins.
    if (wanted && !Parley.chats.hash()) entering = wanted; else if (wanted) forget();
    Parley.act("adopt", adopt);
  }
  const address = id => `${location.origin}${location.pathname}?${PARAMETER}=${encodeURIComponent(id)}`;

  // -- sharing --
  function make() {
    const link = el("input", { type: "text", readonly: true, "aria-label": LABELS.SHARE_LINK, onfocus: e => e.target.select() });
    const copy = el("button", { type: "button", class: "plain", onclick: async () => { await Parley.copy(link.value); Parley.flash(copy, LABELS.COPIED); } }, LABELS.COPY);
    const line = el("div", { class: "copyable", hidden: true }, link, copy), go = el("button", { type: "button", class: "strong", onclick: create }, LABELS.SHARE_MAKE);
    const oops = el("p", { class: "oops", role: "alert", hidden: true }), list = el("ul", { class: "items" }), none = el("p", { class: "soft" }, LABELS.SHARES_NONE), name = el("p", { class: "which", dir: "auto" });
    parts = { link, line, go, oops, list, none, name };
    const id = "parley-shares";
    sheet = Parley.sheets.make("share", LABELS.SHARE_TITLE, [name, el("p", { class: "soft" }, LABELS.SHARE_WHAT), oops, el("p", {}, go), line,
      el("section", { "aria-labelledby": id }, el("h3", { id }, LABELS.SHARES), none, list)]);
  }
  function open(given) {
    if (!sheet) make();
    chat = given;
    put(parts.name, chat.title || LABELS.NEW_CHAT);
    parts.line.hidden = true; parts.go.hidden = false;
    complain(null);
    rows(parts.list, [], s => s.id);
    sheet.showModal();
    parts.go.focus();
    refresh();
  }
  const complain = error => { parts.oops.hidden = !error; if (error) put(parts.oops, `${error.sentence || LABELS.NO_SERVER} ${error.fix || ""}`.trim()); };
  async function asked(name, data) {
    const found = await Parley.ask(name, data).catch(() => ({ error: {} }));
    complain(found.error);
    return found.error ? null : found;
  }
  async function create() {
    const found = await asked("share_chat", { chat: chat.id });
    if (!found) return;
    parts.link.value = address(found.id);
    parts.line.hidden = false; parts.go.hidden = true;
    parts.link.focus();
    refresh();
  }
  async function refresh() {
    const found = await asked("shares");
    if (!found) return;
    parts.none.hidden = found.shares.length > 0;
    rows(parts.list, found.shares, s => s.id, share => {
      const title = share.title || LABELS.NEW_CHAT, copy = el("button", { type: "button", class: "go", "aria-label": fill(LABELS.SHARE_COPY, { title }), onclick: async () => { await Parley.copy(address(share.id)); Parley.flash(copy, LABELS.COPIED); } }, LABELS.COPY);
      return el("li", { class: "item" },
        el("div", { class: "what" }, el("a", { class: "name", dir: "auto", href: address(share.id), target: "_blank", rel: "noopener" }, title), el("span", { class: "soft" }, new Date(share.created * 1000).toLocaleString(LANGUAGE, { dateStyle: "medium", timeStyle: "short" }))),
        el("div", { class: "do" }, copy, el("button", { type: "button", class: "go bad", "aria-label": fill(LABELS.SHARE_REMOVE, { title }), onclick: () => remove(share) }, LABELS.REMOVE)));
    }, () => { /* a share never changes */ });
  }
  async function remove(share) {
    if (!await asked("unshare", { id: share.id })) return;
    if (parts.link.value === address(share.id)) { parts.line.hidden = true; parts.go.hidden = false; parts.link.value = ""; }
    sheet.querySelector("header button").focus();
    await refresh();
  }

  // -- reading --
  // After the page has drawn itself.
  async function enter() {
    if (!entering) return;
    const id = entering;
    entering = null;
    const found = await Parley.ask("open_shared", { id }).catch(() => ({ error: { sentence: LABELS.NO_SERVER, fix: "" } }));
    if (found.error) { forget(); Parley.page.say(`${found.error.sentence} ${found.error.fix}`.trim()); return; }
    reading = id;
    root.classList.add("reading");
    put(root.querySelector(".top .title"), found.title || LABELS.NEW_CHAT);
    Parley.transcript.show(found.messages);
    Parley.chats.view("chat");
    Parley.scroll.top();
  }
  const forget = () => history.replaceState(null, "", location.pathname + location.hash);
  // Whatever else is opened ends the reading.
  function leave() {
    if (!reading) return;
    reading = null;
    root.classList.remove("reading");
    forget();
  }
  async function adopt() {
    const found = await Parley.ask("adopt", { id: reading }).catch(() => null);
    if (Parley.toast.failed(found)) return;
    leave();
    Parley.history.take([found.chat]);
    await Parley.chats.open(found.chat.id);
    root.querySelector(".composer textarea").focus();
  }
  return { start, open, enter, leave, get reading() { return reading; } };
})();

// What is done to whole chats: the menu at a row, pin, export, delete and its way back; the bar of a
// selection; the chat that leaves no trace.
Parley.deeds = (() => {
  const { el, put, attr, fill } = Parley, count = (...a) => Parley.sheets.count(...a);
  const FORMATS = () => [["markdown", LABELS.MARKDOWN], ["json", LABELS.JSON], ["html", LABELS.HTML]];
  let bar, choose, temporary, badge, notice, sharing = false;

  function start(root) {
    bar = root.querySelector(".chosen"); choose = root.querySelector("[data-act=choose]");
    temporary = root.querySelector("[data-act=temporary]"); badge = root.querySelector(".top .badge"); notice = root.querySelector(".passing-notice");
    const { act } = Parley;
    act("chat-menu", node => menu(node.closest(".chat").dataset.id, node));
    act("choose", node => { Parley.find.clear(); Parley.history.choosing(!Parley.history.chosen); if (!Parley.history.chosen && node !== choose) choose.focus(); });
    act("choose-all", () => Parley.history.everything());
    act("delete-chosen", () => { if (Parley.history.chosen.size) remove([...Parley.history.chosen]); });
    act("export-chosen", node => { if (Parley.history.chosen.size) Parley.menu.open(node, formats([...Parley.history.chosen])); });
    act("temporary", () => { if (Parley.chats.temporary) Parley.chats.fresh(); else { Parley.chats.startTemporary(); root.classList.remove("side-open"); } passing(); });
    bar.addEventListener("keydown", e => { if (e.key === "Escape") { e.stopPropagation(); Parley.history.choosing(false); choose.focus(); } });
    Parley.ask("about_data").then(found => { sharing = !!found.sharing; }, () => { /* then nobody shares */ });
  }

  function menu(id, button) {
    const chat = Parley.history.chat(id);
    if (!chat) return;
    Parley.menu.open(button, [
      { icon: "pencil", text: LABELS.RENAME, keys: "F2", run: () => Parley.history.rename(id) },
      { icon: "pin", text: chat.pinned ? LABELS.UNPIN_CHAT : LABELS.PIN_CHAT, run: () => pin(id, !chat.pinned) },
      sharing && !chat.compare && { icon: "share", text: LABELS.SHARE, run: () => Parley.share.open(chat) },
      { icon: "fetch", text: LABELS.EXPORT, items: formats([id]) },
      { icon: "trash", text: LABELS.DELETE, keys: LABELS.DELETE_KEY, bad: true, run: () => remove([id]) },
    ].filter(Boolean));
  }
  // A page of HTML holds one chat.
  const formats = ids => FORMATS().filter(([format]) => (ids.length === 1 && !Parley.history.chat(ids[0])?.compare) || format !== "html").map(([format, text]) => ({ text, run: () => save(ids, format) }));

  async function pin(id, pinned) {
    const found = await Parley.ask("pin_chat", { chat: id, pinned }).catch(() => null);
    if (Parley.toast.failed(found)) return;
    Parley.history.take([found.chat]);
    Parley.history.focus(id, "acts");
  }

  // -- delete --
  // At once, with a way back; an answer that is being written in one of them is stopped.
  async function remove(ids) {
    const gone = ids.map(Parley.history.chat).filter(Boolean), reading = Parley.stage.now === "compare" ? Parley.compare.id : Parley.chats.id, open = ids.includes(reading) ? reading : null;
    Parley.history.drop(ids);
    if (open) Parley.chats.open(null);
    if (Parley.history.chosen) Parley.history.choosing(false);
    const found = await Parley.ask("delete_chats", { chats: ids }).catch(() => null);
    if (Parley.toast.failed(found)) { Parley.history.take(gone); return; }
    const text = gone.length === 1 ? fill(LABELS.DELETED_ONE, { title: gone[0].title || LABELS.NEW_CHAT }) : count(ids.length, LABELS.DELETED_MANY, LABELS.DELETED_MANY);
    Parley.toast(text, { action: () => restore(ids, open) });
  }
  async function restore(ids, open) {
    const found = await Parley.ask("restore_chats", { chats: ids }).catch(() => null);
    if (Parley.toast.failed(found)) return;
    Parley.history.take(found.chats);
    // She may have begun something else meanwhile.
    if (open && Parley.stage.now === "c" && !Parley.chats.id && !Parley.turn.current) await Parley.chats.open(open);
    Parley.history.focus(ids[0]);
  }

  // -- export --
  // `ids` null is all of them.
  async function save(ids, format) {
    const found = await Parley.ask("export_chats", { chats: ids, format }).catch(() => null);
    if (Parley.toast.failed(found)) return false;
    Parley.download(found);
    return true;
  }

  // -- the bar, the badge --
  function chosen(set) {
    bar.hidden = !set;
    attr(choose, "aria-pressed", String(!!set));
    if (!set) return;
    const n = set.size, { size, more } = Parley.history;
    put(bar.querySelector(".count"), count(n, LABELS.CHOSEN, LABELS.CHOSEN));
    put(bar.querySelector("[data-act=choose-all]"), n && n === size && !more ? LABELS.CHOOSE_NONE : LABELS.CHOOSE_ALL);
    for (const name of ["export-chosen", "delete-chosen"]) attr(bar.querySelector(`[data-act=${name}]`), "aria-disabled", n ? null : "true");
  }
  function passing() {
    const on = !!Parley.chats.temporary;
    attr(temporary, "aria-pressed", String(on));
    badge.hidden = notice.hidden = !on;
  }
  return { start, menu, remove, save, chosen, passing };
})();

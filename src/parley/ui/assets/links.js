// Addresses that say what to do: ?model=ID picks a model, ?prompt=TEXT begins a message, ?q=TEXT sends one.
Parley.links = (() => {
  async function enter() {
    const asked = new URLSearchParams(location.search), model = asked.get("model"), sends = asked.has("q"), text = asked.get("q") ?? asked.get("prompt");
    if (model === null && text === null) return;
    // Once only: a reload must not ask again.
    for (const name of ["model", "prompt", "q"]) asked.delete(name);
    history.replaceState(null, "", location.pathname + (asked.size ? "?" + asked : "") + location.hash);
    if (model !== null && Parley.byId(model)) Parley.page.use(model);
    else if (model !== null) { Parley.page.say(Parley.fill(LABELS.LINK_NO_MODEL, { model })); return; }
    if (text === null || !text.trim()) return;
    await Parley.chats.open(null);
    Parley.page.write(text);
    if (sends) Parley.turn.submit();
  }
  return { enter };
})();

// Addresses that say what to do: ?model=ID picks a model, ?models=ID,ID compares several, ?prompt=TEXT
// begins a message, ?q=TEXT sends one.
Parley.links = (() => {
  async function enter() {
    const asked = new URLSearchParams(location.search), model = asked.get("model"), models = asked.get("models"), sends = asked.has("q"), text = asked.get("q") ?? asked.get("prompt");
    if (model === null && models === null && text === null) return;
    // Once only: a reload must not ask again.
    for (const name of ["model", "models", "prompt", "q"]) asked.delete(name);
    history.replaceState(null, "", location.pathname + (asked.size ? "?" + asked : "") + location.hash);
    const wanted = models === null ? model === null ? [] : [model] : models.split(",").map(id => id.trim()).filter(Boolean), gone = wanted.find(id => !Parley.byId(id));
    if (gone !== undefined) { Parley.page.say(Parley.fill(LABELS.LINK_NO_MODEL, { model: gone })); return; }
    if (models !== null && wanted.length > 1) Parley.compare.fresh(wanted.map(id => ({ model: id })));
    else {
      if (wanted.length) Parley.page.use(wanted[0]);
      if (text?.trim()) await Parley.chats.open(null);
    }
    if (!text?.trim()) return;
    Parley.page.write(text);
    if (sends) Parley.page.here().submit();
  }
  return { enter };
})();

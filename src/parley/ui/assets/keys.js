// The sheet that lists the keyboard shortcuts. What each does is the business of the room that listens
// for it; a shortcut that is made or taken away there is written here too.
Parley.keys = (() => {
  const { el, act } = Parley;
  const MAC = /Mac|iP/.test(navigator.platform);
  const MOD = MAC ? "⌘" : "Ctrl", ALT = MAC ? "⌥" : "Alt", SHIFT = MAC ? "⇧" : "Shift";
  // Each group has its heading, then what is done and by which keys: all of a list together, either of two lists.
  const GROUPS = [
    [LABELS.KEYS_ANYWHERE, [
      [LABELS.KEY_THESE, ["?"]], [LABELS.KEY_MODEL, [MOD, "K"]], [LABELS.KEY_NEW, [MOD, SHIFT, "O"]],
      [LABELS.KEY_FIND, [MOD, SHIFT, "F"]], [LABELS.KEY_ESCAPE, ["Esc"]], [LABELS.KEY_UNDO, [MOD, "Z"]]]],
    [LABELS.KEYS_WRITING, [
      [LABELS.KEY_SEND, ["Enter"]], [LABELS.KEY_LINE, [SHIFT, "Enter"]], [LABELS.KEY_LAST, ["↑"]],
      [LABELS.KEY_SAVE, [MOD, "Enter"]], [LABELS.KEY_CANCEL, ["Esc"]]]],
    [LABELS.KEYS_READING, [
      [LABELS.KEY_VERSIONS, [ALT, "←"], [ALT, "→"]], [LABELS.KEY_TOKENS, ["←"], ["→"]], [LABELS.KEY_TOKEN_OTHERS, ["↓"]]]],
    [LABELS.KEYS_CHATS, [
      [LABELS.KEY_MOVE, ["↑"], ["↓"]], [LABELS.KEY_RENAME, ["F2"]], [LABELS.KEY_DELETE, ...(MAC ? [[MOD, "⌫"]] : [["Del"]])],
      [LABELS.KEY_ALL, [MOD, "A"]], [LABELS.KEY_DONE, ["Esc"]]]],
    [LABELS.BLIND, [
      [LABELS.VOTE_LEFT, ["1"]], [LABELS.VOTE_TIE, ["2"]], [LABELS.VOTE_RIGHT, ["3"]], [LABELS.VOTE_BOTH_BAD, ["4"]]]],
    [LABELS.KEYS_PICKER, [
      [LABELS.KEY_MOVE, ["↑"], ["↓"]], [LABELS.KEY_PICK, ["Enter"]], [LABELS.KEY_STAR, [MOD, "D"]]]],
  ];
  let sheet = null;

  act("keys", () => open());
  document.addEventListener("keydown", e => {
    if (e.key !== "?" || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || writes(e.target)) return;
    if (sheet?.open) { e.preventDefault(); sheet.close(); return; }
    if (document.querySelector(".parley dialog[open]")) return;
    e.preventDefault();
    open();
  });
  const writes = node => node.isContentEditable || node.matches?.("input:not([type=checkbox], [type=radio], [type=range]), textarea, select");

  const chord = keys => el("span", { class: "chord" }, ...keys.map(key => el("kbd", {}, key)));
  function open() {
    const root = document.querySelector(".parley");
    if (!root?.dataset.ready) return;
    root.classList.remove("side-open");
    sheet ??= Parley.sheets.make("shortcuts", LABELS.KEYS, GROUPS.map(([heading, rows], index) => {
      const id = "parley-keys-" + index;
      return el("section", { "aria-labelledby": id }, el("h3", { id }, heading), el("dl", {}, ...rows.map(([what, ...either]) =>
        el("div", {}, el("dt", {}, what), el("dd", {}, ...either.map(chord))))));
    }));
    // Longer than a phone is high, and nothing in it can take the focus.
    const inside = sheet.querySelector(".inside");
    for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", LABELS.KEYS]]) inside.setAttribute(name, value);
    sheet.showModal();
  }
  return { open };
})();

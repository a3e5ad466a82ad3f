// Short messages at the page's foot, most with a way back. Each stays some seconds, and longer while
// somebody points at it or is in it.
Parley.toast = (() => {
  const { el, icon } = Parley;
  const SECONDS = 8, MOST = 3;
  const REST = 2000; // ms a message stays at least after it was last looked at
  const shown = []; // the newest last
  let root;

  function start(element) {
    root = element;
    document.addEventListener("keydown", e => {
      if (!(e.metaKey || e.ctrlKey) || e.shiftKey || !Parley.letter(e, "z") || writes(e.target)) return;
      const last = shown.findLast(one => one.act);
      if (last) { e.preventDefault(); last.act(); }
    });
  }
  // Where the same keys take back what was typed.
  const writes = node => node.isContentEditable || node.matches("input, textarea, select");

  // `action` is what the button does that says `label`. Returns a function that takes it away.
  function toast(text, { action = null, label = LABELS.UNDO, seconds = SECONDS } = {}) {
    const one = { act: null }, close = () => gone(one);
    const button = action && el("button", { type: "button", class: "undo", title: label === LABELS.UNDO ? LABELS.UNDO_KEYS : null }, label);
    one.node = el("div", { class: "toast" }, el("span", { dir: "auto" }, text), button, el("button", { type: "button", class: "round", "aria-label": LABELS.DISMISS, onclick: close }, icon("close")));
    if (action) { one.act = () => { gone(one); action(); }; button.addEventListener("click", one.act); }
    const hold = () => { if (one.timer) { clearTimeout(one.timer); one.timer = 0; one.left -= Date.now() - one.since; } };
    const go = () => {
      if (one.timer || one.node.matches(":hover, :focus-within")) return;
      one.since = Date.now();
      one.timer = setTimeout(close, one.left = Math.max(one.left, REST));
    };
    one.left = seconds * 1000;
    one.node.addEventListener("pointerenter", hold);
    one.node.addEventListener("pointerleave", go);
    one.node.addEventListener("focusin", e => { hold(); if (!one.node.contains(e.relatedTarget)) one.before = e.relatedTarget; });
    one.node.addEventListener("focusout", () => requestAnimationFrame(go));
    root.append(one.node);
    shown.push(one);
    while (shown.length > MOST) gone(shown[0]);
    go();
    return close;
  }
  function gone(one) {
    if (!shown.includes(one)) return;
    shown.splice(shown.indexOf(one), 1);
    clearTimeout(one.timer);
    // The focus goes back to where it came from, not to nowhere.
    if (one.node.contains(document.activeElement) && one.before?.isConnected) one.before.focus({ preventScroll: true });
    one.node.remove();
  }
  toast.start = start;
  // What a question of the server came to: false, with the reason said, where it failed.
  toast.failed = found => { if (!found || found.error) toast(found ? `${found.error.sentence} ${found.error.fix}`.trim() : LABELS.NO_SERVER); return !found || !!found.error; };
  return toast;
})();

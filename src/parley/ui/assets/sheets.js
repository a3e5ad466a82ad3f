// A dialog with a heading and a way out, for the rooms that make theirs when first asked for.
Parley.sheets = (() => {
  const { el, icon } = Parley;
  let made = 0;

  // The dialog's body is `inside`; it is opened by `showModal`.
  function make(name, heading, inside) {
    const id = "parley-sheet-" + ++made;
    const sheet = el("dialog", { class: "sheet plainly " + name, "aria-labelledby": id },
      el("header", {}, el("h2", { id }, heading), el("button", { type: "button", class: "round", "aria-label": LABELS.CLOSE, onclick: () => sheet.close() }, icon("close"))),
      el("div", { class: "inside" }, ...inside));
    sheet.addEventListener("click", e => { if (e.target === sheet) sheet.close(); });
    // On a phone the button that opened it has gone with the sidebar, and the focus would be lost.
    sheet.addEventListener("close", () => { if (document.activeElement === document.body || !document.activeElement.checkVisibility({ visibilityProperty: true })) document.querySelector(".parley .show-side").focus(); });
    document.querySelector(".parley").append(sheet);
    return sheet;
  }
  // One sentence for one, another for more, none included.
  const count = (n, one, many) => Parley.fill(n === 1 ? one : many, { count: Parley.number(n) });
  return { make, count };
})();

// What this person has here: take it along, bring some in, or have all of it forgotten.
Parley.data = (() => {
  const { el, put, attr, fill } = Parley;
  const KEYS = "parley."; // what this browser remembers, see core.js
  const NOTICE = "parley.done"; // what is said after the page has loaded anew
  let sheet = null, parts, most = Infinity; // bytes of a file that is taken

  function start() {
    Parley.act("data", () => open());
    let said = null;
    try { said = sessionStorage.getItem(NOTICE); sessionStorage.removeItem(NOTICE); } catch { /* no storage, no notice */ }
    if (said) Parley.toast(said);
  }
  function make() {
    const about = el("p", { class: "about" }), where = el("p", { class: "soft where" });
    const file = el("input", { type: "file", accept: ".json,.jsonl,application/json", multiple: true, hidden: true, tabindex: "-1", "aria-label": LABELS.IMPORT });
    const news = el("p", { class: "news", role: "status" });
    const drop = el("div", { class: "bring" }, el("button", { type: "button", class: "plain", onclick: () => file.click() }, LABELS.IMPORT_CHOOSE), el("p", { class: "soft" }, LABELS.IMPORT_WHAT), file);
    const wipe = el("button", { type: "button", class: "plain bad", "aria-expanded": "false", onclick: () => confirm(true) }, LABELS.WIPE);
    const what = el("p"), word = el("input", { type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "off", oninput: ready }), sure = el("button", { type: "submit", class: "strong bad" }, LABELS.WIPE_NOW);
    const form = el("form", { class: "sure", hidden: true }, what, el("label", {}, el("span", {}, fill(LABELS.WIPE_TYPE, { word: LABELS.WIPE_WORD })), word), el("div", { class: "do" }, sure, el("button", { type: "button", class: "plain", onclick: () => confirm(false) }, LABELS.CANCEL)));
    const oops = el("p", { class: "oops", role: "alert", hidden: true });
    parts = { about, where, file, news, drop, wipe, what, word, sure, form, oops };
    let made = 0;
    const part = (heading, ...inside) => { const id = "parley-data-" + ++made; return el("section", { "aria-labelledby": id }, el("h3", { id }, heading), ...inside); };
    const take = format => () => Parley.deeds.save(null, format);
    sheet = Parley.sheets.make("data", LABELS.DATA_TITLE, [about, where,
      part(LABELS.EXPORT_ALL, el("p", { class: "soft" }, LABELS.EXPORT_WHAT), el("div", { class: "do" }, el("button", { type: "button", class: "plain", onclick: take("json") }, LABELS.JSON), el("button", { type: "button", class: "plain", onclick: take("markdown") }, LABELS.MARKDOWN))),
      part(LABELS.IMPORT, drop, news),
      part(LABELS.WIPE_TITLE, wipe, form, oops)]);
    file.addEventListener("change", () => { bring([...file.files]); file.value = ""; });
    // Anywhere on the dialog: a file that misses the frame would else replace the page.
    for (const name of ["dragenter", "dragover"]) sheet.addEventListener(name, e => { e.stopPropagation(); if (e.dataTransfer.types.includes("Files")) { e.preventDefault(); drop.classList.add("over"); } });
    sheet.addEventListener("dragleave", e => { if (!sheet.contains(e.relatedTarget)) drop.classList.remove("over"); });
    sheet.addEventListener("drop", e => { e.preventDefault(); e.stopPropagation(); drop.classList.remove("over"); bring([...e.dataTransfer.files]); });
    form.addEventListener("submit", e => { e.preventDefault(); if (ready()) forget(); });
  }
  async function open() {
    if (!sheet) make();
    document.querySelector(".parley").classList.remove("side-open");
    put(parts.news, ""); put(parts.about, ""); put(parts.where, "");
    parts.oops.hidden = true;
    confirm(false);
    sheet.showModal();
    await count();
  }
  async function count() {
    const found = await Parley.ask("about_data").catch(() => null);
    if (!found || found.error) { put(parts.about, found ? found.error.sentence : LABELS.NO_SERVER); return; }
    most = found.most_bytes;
    put(parts.about, Parley.sheets.count(found.chats, LABELS.DATA_ONE, LABELS.DATA_MANY));
    put(parts.where, found.folder ? fill(LABELS.DATA_HERE, { folder: found.folder }) : LABELS.DATA_THERE);
    put(parts.what, found.shares ? fill(LABELS.WIPE_WHAT_SHARED, { chats: found.chats, shares: found.shares }) : fill(LABELS.WIPE_WHAT, { chats: found.chats }));
  }

  // -- in --
  async function bring(files) {
    let many = 0;
    for (const file of files) {
      put(parts.news, fill(LABELS.IMPORTING, { name: file.name }));
      parts.news.classList.remove("bad");
      let found;
      if (file.size > most) found = { error: { sentence: fill(LABELS.IMPORT_LARGE, { name: file.name, most: Math.floor(most / 1e6) }) } };
      else found = await file.text().then(text => Parley.ask("import_chats", { text })).catch(() => ({ error: { sentence: LABELS.NO_SERVER } }));
      if (found.error) {
        put(parts.news, [files.length > 1 ? file.name + ":" : "", found.error.sentence, found.error.fix, many ? Parley.sheets.count(many, LABELS.IMPORTED_ONE, LABELS.IMPORTED_MANY) : ""].filter(Boolean).join(" "));
        parts.news.classList.add("bad");
        break;
      }
      many += found.count;
      put(parts.news, Parley.sheets.count(many, LABELS.IMPORTED_ONE, LABELS.IMPORTED_MANY));
    }
    if (many) { await Parley.history.renew(); await count(); }
  }

  // -- away --
  function confirm(on) {
    parts.form.hidden = !on; parts.wipe.hidden = on;
    attr(parts.wipe, "aria-expanded", String(on));
    parts.word.value = "";
    ready();
    if (on) { parts.word.focus(); parts.form.scrollIntoView({ block: "nearest" }); } else if (sheet?.open) parts.wipe.focus();
  }
  function ready() {
    const said = parts.word.value.trim().toLowerCase() === LABELS.WIPE_WORD.toLowerCase();
    parts.sure.disabled = !said;
    return said;
  }
  async function forget() {
    parts.sure.disabled = true;
    const found = await Parley.ask("wipe").catch(() => ({ error: { sentence: LABELS.NO_SERVER, fix: "" } }));
    if (found.error) { put(parts.oops, `${found.error.sentence} ${found.error.fix}`.trim()); parts.oops.hidden = false; ready(); return; }
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith(KEYS)) localStorage.removeItem(key);
      sessionStorage.setItem(NOTICE, LABELS.WIPED);
    } catch { /* nothing was kept then */ }
    // Begins as somebody new: also what this page still holds in memory is gone.
    location.replace(location.pathname);
  }
  return { start, open };
})();

// Files in a message: cards above the text box, and the form in which their text is sent. The server
// reads them; this room keeps what was read until it is sent, over a reload too. Knows nothing of
// turns: whoever sends asks for `whole`.
Parley.attach = (() => {
  const { act, el, icon, put, fill, rows, remember } = Parley;
  const LONG_PASTE = 4000;      // characters from which a paste becomes a card
  const MOST_FILES = 10;        // in one message
  const MOST_TOGETHER = 1.5e6;  // characters of a message's files: what a browser keeps of a draft
  const FITS_BOX = 200000;      // characters the text box takes
  const PER_TOKEN = 4;          // characters, roughly, until the model's own tokenizer has counted
  let root, box, list, dialog, cards = [], kinds = null, home = null;

  // -- how files stand in a message --
  // Before the person's text, each between two tags that name it, an empty line after each:
  //
  //     <file name="notes.txt">
  //     ...
  //     </file>
  //
  // Models tell a document apart from the question by such tags more surely than by fences, which
  // documents contain themselves. A text in which the end tag occurs gets one with a number, <file-2>.
  function wrap(text, files) {
    const blocks = files.map(file => {
      let tag = "file";
      for (let n = 2; file.text.includes(`</${tag}>`); n++) tag = `file-${n}`;
      return `<${tag} name="${file.name}">\n${file.text}\n</${tag}>`;
    });
    return [...blocks, ...(text || !files.length ? [text] : [])].join("\n\n");
  }
  // The way back: the files a message begins with, and the rest of it.
  function parse(message) {
    const files = [], begin = /<(file(?:-\d+)?) name="([^"\n]*)">\n/y;
    let at = 0;
    for (;;) {
      begin.lastIndex = at;
      const found = begin.exec(message);
      if (!found) break;
      const from = begin.lastIndex, to = message.indexOf(`\n</${found[1]}>`, from), end = to + found[1].length + 4;
      if (to < 0 || !(end === message.length || message.startsWith("\n\n", end))) break;
      files.push({ name: found[2], text: message.slice(from, to) });
      at = Math.min(end + 2, message.length);
    }
    return { files, text: message.slice(at) };
  }

  function start(parts) {
    ({ root, box } = parts);
    list = root.querySelector(".composer .files");
    const input = el("input", { type: "file", multiple: true, hidden: true, tabindex: -1 });
    input.addEventListener("change", () => { add(Array.from(input.files)); input.value = ""; box.focus(); });
    list.after(input);
    act("attach", () => { if (kinds) input.accept = kinds.extensions.join(","); input.click(); });
    act("remove-file", node => remove(card(node)));
    act("show-file", node => view(node.file));
    act("into-text", node => intoText(card(node)));
    act("read-again", node => { const mine = card(node); mine.state = "reading"; draw(); read(mine); });
    document.addEventListener("paste", paste);
    know();
  }
  const card = node => cards.find(c => c.key === node.closest("[data-key]").dataset.key);
  // What can be read and how large it may be, as the server has it.
  const know = async () => kinds || Parley.ask("file_kinds").then(found => { kinds = found.error ? null : found; return kinds; });

  // -- coming in --
  function add(files) {
    for (const file of files) {
      const mine = { key: Parley.token(), name: file.name, bytes: file.size, state: "reading", text: "", note: "", file };
      cards.push(mine);
      if (cards.length > MOST_FILES) refuse(mine, fill(LABELS.FILES_MANY, { most: MOST_FILES }), LABELS.FILES_MANY_FIX);
      else read(mine);
    }
    changed();
  }
  async function read(mine) {
    try {
      await know();
      if (kinds && mine.bytes > kinds.most_bytes) throw { sentence: fill(LABELS.FILE_LARGE, { name: mine.name, most: size(kinds.most_bytes) }), fix: LABELS.FILE_LARGE_FIX };
      const found = await Parley.ask("read_file", { name: mine.name, content: await content(mine.file) });
      if (found.error) throw found.error;
      if (together() + found.text.length > MOST_TOGETHER) throw { sentence: LABELS.FILES_LONG, fix: LABELS.FILES_LONG_FIX };
      Object.assign(mine, { state: "ready", name: unused(found.name, mine), text: found.text, note: found.note, file: null });
    } catch (error) {
      // A folder, a file that was moved away: the browser cannot read it. Else the server was silent.
      const lost = error instanceof DOMException;
      if (error.sentence) refuse(mine, error.sentence, error.fix);
      else { refuse(mine, lost ? fill(LABELS.FILE_GONE, { name: mine.name }) : LABELS.NO_SERVER, lost ? LABELS.FILE_GONE_FIX : ""); mine.again = !lost; }
    }
    changed();
  }
  const content = file => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  function refuse(mine, sentence, fix) { Object.assign(mine, { state: "refused", sentence, fix, again: false }); draw(); }
  function paste(e) {
    const field = e.target.closest?.("input, textarea, [contenteditable]");
    if ((field && field !== box) || root.querySelector("dialog[open]")) return;
    const files = Array.from(e.clipboardData.files), text = e.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n");
    // A copied cell or paragraph comes as a picture too: its text is meant. A copied file comes with
    // its name as text: the file is meant.
    if (files.length && (!text || files.some(f => text.includes(f.name)))) { e.preventDefault(); add(files); }
    else if (text.length > LONG_PASTE) {
      e.preventDefault();
      const mine = { key: Parley.token(), name: "", text, note: "", bytes: null, state: "ready", pasted: true };
      mine.name = unused(LABELS.FILE_PASTED, mine);
      if (cards.length >= MOST_FILES || together() + text.length > MOST_TOGETHER) { write(text); return; }
      cards.push(mine);
      changed();
    }
  }
  const together = () => cards.reduce((sum, c) => sum + c.text.length, 0);
  // Two files of one name get told apart.
  function unused(name, mine) {
    const taken = new Set(cards.filter(c => c !== mine).map(c => c.name)), [, stem, end] = /^(.*?)(\.[^.]*)?$/s.exec(name);
    let other = name;
    for (let n = 2; taken.has(other); n++) other = `${stem} (${n})${end || ""}`;
    return other;
  }

  // -- going out --
  const ready = () => cards.filter(c => c.state === "ready");
  const whole = text => wrap(text, ready());
  function clear() { cards = []; changed(); }
  // Files that stand at the beginning of the text box become cards again: a message came back.
  function take() {
    const { files, text } = parse(box.value);
    if (!files.length) return;
    box.value = text;
    cards = [...files.map(f => ({ key: Parley.token(), note: "", bytes: null, state: "ready", ...f })), ...cards];
    changed();
  }
  // Another conversation is open: its own cards, as they were left.
  function open(id) {
    home = id || "new";
    const kept = Parley.chats.temporary ? null : remember.get("files." + home);
    cards = (Array.isArray(kept) ? kept : []).map(c => ({ ...c, key: Parley.token(), state: "ready" }));
    draw();
    take();
  }
  function save() {
    if (Parley.chats.temporary) return;
    const here = Parley.chats.id || "new", kept = ready().map(({ name, text, note, bytes, pasted }) => ({ name, text, note, bytes, pasted }));
    // A new conversation has got its name meanwhile.
    if (home && home !== here) remember.set("files." + home, null);
    home = here;
    remember.set("files." + here, kept.length ? kept : null);
  }
  function remove(mine) {
    cards = cards.filter(c => c !== mine);
    changed();
    (list.querySelector("button") || box).focus();
  }
  function intoText(mine) {
    cards = cards.filter(c => c !== mine);
    box.focus();
    write(mine.text);
    draw(); save();
  }
  function write(text) { box.setRangeText(text, box.selectionStart, box.selectionEnd, "end"); told(); }
  // As if something was typed: the box, its buttons and whoever counts tokens follow that.
  const told = () => box.dispatchEvent(new Event("input", { bubbles: true }));
  function changed() { draw(); save(); told(); }

  // -- drawing --
  const size = n => n < 1000 ? `${n} B` : n < 999500 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`;
  const tokens = ({ text, tokens: counted }) => fill(counted ? LABELS.FILE_COUNTED : LABELS.FILE_TOKENS, { count: Parley.number(counted ?? Math.ceil(text.length / PER_TOKEN)) });
  // What the model's own tokenizer found, by the files' names; null where the guess holds again.
  function counted(found) { for (const c of cards) c.tokens = found?.[c.name] ?? null; draw(); }
  function draw() {
    rows(list, cards, c => c.key, blank, (node, c) => node.set(c));
    list.hidden = !cards.length;
  }
  function blank() {
    const name = el("span", { class: "name", dir: "auto" }), more = el("span", { class: "more" }), again = el("button", { type: "button", class: "link", "data-act": "read-again" }, LABELS.RETRY);
    const show = el("button", { type: "button", class: "show", "data-act": "show-file" }, icon("file"), el("span", { class: "what" }, name, more));
    const into = el("button", { type: "button", class: "link", "data-act": "into-text" }, LABELS.FILE_INTO_TEXT);
    const gone = el("button", { type: "button", class: "round", "data-act": "remove-file" }, icon("close"));
    const node = el("div", { class: "file", role: "listitem" }, show, into, again, gone);
    node.set = c => {
      show.file = c; show.disabled = c.state !== "ready";
      put(name, c.name);
      put(more, c.state === "reading" ? LABELS.FILE_READING : c.state === "refused" ? `${c.sentence} ${c.fix}`.trim() : [c.bytes === null ? "" : size(c.bytes), tokens(c), c.note].filter(Boolean).join(" · "));
      node.className = "file " + c.state;
      if (c.state === "refused") more.setAttribute("role", "alert"); else more.removeAttribute("role");
      into.hidden = !c.pasted || c.text.length > FITS_BOX; again.hidden = !c.again || c.state !== "refused";
      show.title = c.state === "ready" ? fill(LABELS.FILE_SHOW, { name: c.name }) : "";
      gone.setAttribute("aria-label", fill(LABELS.FILE_REMOVE, { name: c.name }));
    };
    return node;
  }
  // The cards of a message that was sent; null where it has none.
  function shown(files) {
    if (!files.length) return null;
    return el("div", { class: "files", role: "list", "aria-label": LABELS.FILES }, ...files.map(file => {
      const show = el("button", { type: "button", class: "show", "data-act": "show-file", title: fill(LABELS.FILE_SHOW, { name: file.name }) },
        icon("file"), el("span", { class: "what" }, el("span", { class: "name", dir: "auto" }, file.name), el("span", { class: "more" }, tokens(file))));
      show.file = file;
      return el("div", { class: "file", role: "listitem" }, show);
    }));
  }
  function view(file) {
    dialog?.remove();
    const id = "file-" + Parley.token(), copy = el("button", { type: "button", class: "plain" }, LABELS.COPY);
    copy.addEventListener("click", async () => { await Parley.copy(file.text); Parley.flash(copy, LABELS.COPIED); });
    const close = el("button", { type: "button", class: "round", "aria-label": LABELS.CLOSE }, icon("close"));
    dialog = el("dialog", { class: "sheet reader", "aria-labelledby": id },
      el("header", {}, el("h2", { id, dir: "auto" }, file.name), copy, close),
      el("p", { class: "more" }, [tokens(file), file.note].filter(Boolean).join(" · ")),
      el("pre", { tabindex: 0, dir: "auto", "aria-labelledby": id }, file.text));
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", e => { if (e.target === dialog) dialog.close(); });
    root.append(dialog);
    dialog.showModal();
  }

  return {
    start, add, wrap, parse, whole, take, open, clear, shown, counted,
    // The name of a file that is still being read, if any.
    get reading() { return cards.find(c => c.state === "reading")?.name ?? null; },
    get size() { return ready().length; },
  };
})();

// Files that are dropped anywhere on the page.
Parley.drop = (() => {
  const { el, icon } = Parley;
  let overlay;
  const carries = e => e.dataTransfer && Array.from(e.dataTransfer.types).includes("Files");
  // A dialog may take files for its own purpose.
  const busy = root => !!root.querySelector("dialog[open]");

  function start({ root }) {
    overlay = el("div", { class: "drop", hidden: true }, el("div", {}, icon("file"), el("strong", {}, LABELS.DROP), el("span", {}, LABELS.DROP_KINDS)));
    root.append(overlay);
    document.addEventListener("dragenter", e => { if (carries(e) && !busy(root)) { e.preventDefault(); overlay.hidden = false; } });
    document.addEventListener("dragover", e => { if (carries(e) && !busy(root)) { e.preventDefault(); e.dataTransfer.dropEffect = "copy"; } });
    overlay.addEventListener("dragleave", e => { if (!overlay.contains(e.relatedTarget)) overlay.hidden = true; });
    document.addEventListener("drop", e => {
      overlay.hidden = true;
      if (!carries(e) || e.defaultPrevented) return;
      // Else the browser would leave the page to show the file.
      e.preventDefault();
      if (!busy(root)) Parley.attach.add(Array.from(e.dataTransfer.files));
    });
  }
  return { start };
})();

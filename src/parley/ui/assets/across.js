// Looking across the columns of a comparison: which words two answers share, how likely each model
// finds the others' answers, everything as a table.
Parley.across = (() => {
  const { act, el, put, attr, fill } = Parley;
  const SURPRISING = Math.log(0.1), RARE = Math.log(0.01); // log-probabilities below which a token is tinted
  let differing = false, sheet = null, asked = 0;

  act("word-diff", node => diff(node));
  act("cross-read", () => cross());
  act("copy-table", async node => { const text = table(); if (!text) { Parley.toast(LABELS.NO_ANSWERS_YET); return; } await Parley.copy(text); Parley.flash(node, LABELS.COPIED); });

  // Columns with an answer that has ended.
  const answered = () => Parley.compare.shown().filter(c => !c.talk.turn.current && c.lastAnswer()?.text);
  const node = col => col.talk.transcript.node(col.lastAnswer().id);
  function ready(fewest) {
    const all = answered();
    if (Parley.compare.busy()) Parley.toast(LABELS.STILL_WRITING);
    else if (all.length < fewest) Parley.toast(LABELS.NO_ANSWERS_YET);
    else return all;
    return null;
  }

  // -- words --
  // The first two columns that are shown: each answer with what the other does not have.
  async function diff(button) {
    if (differing) { plain(); return; }
    const all = ready(2);
    if (!all) return;
    const [left, right] = all, place = col => ({ column: col.chat, message: col.lastAnswer().id });
    const found = await Parley.ask("word_diff", { left: place(left), right: place(right) }).catch(() => null);
    if (Parley.toast.failed(found)) return;
    differing = true;
    attr(button, "aria-pressed", "true");
    for (const [col, runs, other] of [[left, found.left, right], [right, found.right, left]]) {
      const box = el("div", { class: "differing", dir: "auto" }, el("p", { class: "soft" }, fill(LABELS.DIFF_WITH, { model: other.name(), percent: Math.round(found.same * 100) })),
        el("div", {}, ...runs.map(([text, same]) => same ? el("span", {}, text) : el("mark", {}, text))));
      node(col).parts.body.after(box);
      node(col).classList.add("inspecting");
    }
  }
  function plain() {
    differing = false;
    const button = document.querySelector(".parley [data-act=word-diff]");
    if (button) attr(button, "aria-pressed", "false");
    for (const box of document.querySelectorAll(".parley .col .differing")) { box.closest(".msg")?.classList.remove("inspecting"); box.remove(); }
  }

  // -- cross-reading --
  // A row for each answer, a column for each reader; the cells come one by one.
  async function cross() {
    const all = ready(2), mine = ++asked;
    if (!all) return;
    const readers = all.filter((c, i) => all.findIndex(o => o.model === c.model) === i);
    const about = el("p", { class: "soft" }, LABELS.CROSS_WHAT), progress = el("p", { class: "soft", role: "status" }), below = el("div", { class: "reading", hidden: true });
    const cells = new Map(), rows = all.map(col => el("tr", {}, el("th", { scope: "row" }, fill(LABELS.CROSS_ANSWER, { model: col.name() })), ...readers.map(reader => {
      const cell = el("td", {}, el("span", { class: "soft" }, "…"));
      cells.set(col.chat + " " + reader.model, cell);
      return cell;
    })));
    const grid = el("table", { class: "crossing" }, el("caption", {}, LABELS.CROSS_UNITS), el("thead", {}, el("tr", {}, el("td", {}), ...readers.map(r => el("th", { scope: "col" }, fill(LABELS.CROSS_READER, { model: r.name() }))))), el("tbody", {}, ...rows));
    sheet?.remove();
    sheet = Parley.sheets.make("cross", LABELS.CROSS_READING, [about, el("div", { class: "table", tabindex: "0", role: "region", "aria-label": LABELS.CROSS_READING }, grid), progress, below]);
    sheet.addEventListener("close", () => { asked++; });
    sheet.showModal();
    let done = 0;
    const total = all.length * readers.length, bits = [];
    // Reader by reader: each model is in memory once.
    for (const reader of readers) for (const col of all) {
      put(progress, fill(LABELS.CROSS_PROGRESS, { model: reader.name(), done, total }));
      const found = await Parley.ask("cross_read", { column: col.chat, message: col.lastAnswer().id, model: reader.model }).catch(() => null);
      if (mine !== asked) return;
      const cell = cells.get(col.chat + " " + reader.model);
      done++;
      if (!found || found.error) { cell.replaceChildren(el("span", { class: "bad", title: found?.error ? `${found.error.sentence} ${found.error.fix}` : LABELS.NO_SERVER }, "—")); continue; }
      const figure = found.perplexity >= 1000 ? Math.round(found.perplexity).toLocaleString(LANGUAGE) : found.perplexity.toLocaleString(LANGUAGE, { maximumFractionDigits: 2 });
      const button = el("button", { type: "button", class: "cell", "aria-label": fill(LABELS.CROSS_CELL, { reader: reader.name(), writer: col.name(), value: figure }) }, el("strong", {}, figure), el("small", {}, found.bits_per_byte.toLocaleString(LANGUAGE, { maximumFractionDigits: 2 })));
      button.addEventListener("click", () => { for (const b of grid.querySelectorAll(".cell")) attr(b, "aria-pressed", String(b === button)); read(below, found, col, reader); });
      cell.classList.toggle("own", col.model === reader.model);
      cell.replaceChildren(button);
      bits.push([cell, found.bits_per_byte]);
      shade(bits);
    }
    put(progress, "");
  }
  // The darker, the more surprised: by bits per byte, which means the same for every model.
  function shade(bits) {
    const most = Math.max(...bits.map(([, b]) => b)), least = Math.min(...bits.map(([, b]) => b));
    for (const [cell, b] of bits) cell.style.setProperty("--heat", most > least ? ((b - least) / (most - least) * .8 + .08).toFixed(2) : ".2");
  }
  function read(below, found, col, reader) {
    const rarest = found.tokens.map((t, i) => [t, i]).sort((a, b) => a[0].logprob - b[0].logprob).slice(0, 8);
    const shown = text => text.replace(/\n/g, "↵") || "∅", percent = logprob => { const p = Math.exp(logprob) * 100; return p < .01 ? "<" + (.01).toLocaleString(LANGUAGE) + " %" : p.toLocaleString(LANGUAGE, { maximumFractionDigits: p < 1 ? 2 : 0 }) + " %"; };
    below.replaceChildren(el("h3", {}, fill(LABELS.CROSS_TITLE, { reader: reader.name(), writer: col.name() })),
      el("p", { class: "soft" }, LABELS.CROSS_RAREST + " ", ...rarest.flatMap(([t]) => [el("code", { title: percent(t.logprob) }, shown(t.text)), " "])),
      el("div", { class: "tokens", dir: "auto" }, ...found.tokens.map(t => el("span", { class: t.logprob < RARE ? "token p-rare" : t.logprob < SURPRISING ? "token p-open" : "token p-sure", title: percent(t.logprob) }, t.text))));
    below.hidden = false;
    below.scrollIntoView({ block: "nearest" });
  }

  // -- everything at once --
  // Markdown: what was asked, then a row for each figure and for the answers.
  function table() {
    const all = answered();
    if (!all.length) return "";
    const cell = text => text.replace(/\\/g, "\\\\").replace(/\|/g, "\\|").replace(/\r?\n/g, "<br>");
    const row = (...cells) => `| ${cells.join(" | ")} |`;
    const asked = all[0].talk.transcript.all().findLast(n => n.classList.contains("user")), question = asked ? all[0].talk.transcript.text(asked.dataset.id) : "";
    const lines = [question.split("\n").map(line => "> " + line).join("\n"), "", row("", ...all.map(c => cell(c.name()))), row("---", ...all.map(() => "---")),
      row(LABELS.ANSWER, ...all.map(c => cell(c.lastAnswer().text)))];
    for (const figure of Parley.columns.ROWS) {
      const values = all.map(c => c.figures()?.[figure.key]);
      if (values.some(v => v)) lines.push(row(figure.label, ...values.map(v => v === null || v === undefined ? "" : cell(figure.shown(v)))));
    }
    return lines.join("\n") + "\n";
  }
  function reset() { asked++; plain(); }
  return { reset, table };
})();
